from odoo.exceptions import AccessError, MissingError, ValidationError
from odoo.http import request, route

from odoo.addons.account_payment.controllers import payment as account_payment

from .portal_access import browse_sudo


class PaymentPortal(account_payment.PaymentPortal):
    """The links that went out with a membership invoice outlive it: a voided one takes no
    money any more."""

    @route()
    def invoice_transaction(self, invoice_id, access_token, **kwargs):
        # EXTENDS account_payment
        try:
            invoice_sudo = self._document_check_access("account.move", invoice_id, access_token)
        except (AccessError, MissingError):  # the parent tells it in its own words
            return super().invoice_transaction(invoice_id, access_token, **kwargs)
        if invoice_sudo.membri_invoice_type and invoice_sudo._membri_is_void():
            raise ValidationError(
                request.env._(
                    "This invoice was cancelled, so there is nothing to pay. If you "
                    "received a new one, please use its link."
                )
            )
        invoice_sudo._membri_begin_payment(kwargs.get("amount"))
        values = super().invoice_transaction(invoice_id, access_token, **kwargs)
        invoice_sudo._membri_keep_consent(values, kwargs)
        return values

    @route()
    def overdue_invoices_transaction(self, payment_reference, **kwargs):
        # EXTENDS account_payment
        if not request.env.user._is_public():  # the parent tells it
            overdue = request.env["account.move"].search(self._get_overdue_invoices_domain())
            overdue.sudo()._membri_begin_payment(kwargs.get("amount"))
        return super().overdue_invoices_transaction(payment_reference, **kwargs)

    def _create_transaction(self, *args, **kwargs):
        # EXTENDS payment: every way to pay online comes here
        if kwargs.get("flow") == "token":
            self._check_saved_card(kwargs.get("token_id"), kwargs.get("custom_create_values"))
        return super()._create_transaction(*args, **kwargs)

    def _check_saved_card(self, token_id, values):
        """:param values: of the transaction, with what is paid
        :raises ValidationError: when the visitor may not pay that by this saved card"""
        token_sudo = browse_sudo("payment.token", token_id)
        commands = (values or {}).get("invoice_ids") or []
        invoice_ids = [i for command in commands for i in (command[2] or [command[1]])]
        documents = request.env["account.move"].browse(filter(None, invoice_ids))
        if token_sudo and not token_sudo._membri_filter_own(documents):
            raise ValidationError(
                request.env._("Sign in as the holder of this card, or pay another way.")
            )

    def _get_extra_payment_form_values(self, invoice_id=None, access_token=None, **kwargs):
        # EXTENDS account_payment, which does this for cancelled invoices
        values = super()._get_extra_payment_form_values(
            invoice_id=invoice_id, access_token=access_token, **kwargs
        )
        if invoice_id:
            # sudo: the parent has checked the token
            invoice_sudo = request.env["account.move"].sudo().browse(self._cast_as_int(invoice_id))
            if invoice_sudo.membri_invoice_type and invoice_sudo._membri_is_void():
                values["amount"] = 0.0
        return values
