from odoo.exceptions import AccessError, MissingError, ValidationError
from odoo.http import request, route

from odoo.addons.account_payment.controllers import payment as account_payment

from .portal_access import acts_by_right, browse_sudo, has_token


class PaymentPortal(account_payment.PaymentPortal):
    """The links that went out with a membership invoice outlive it: a voided one takes no
    money any more."""

    @route()
    def invoice_transaction(self, invoice_id, access_token=None, **kwargs):
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
        # Odoo takes the right to read for the key
        by_right = acts_by_right(invoice_sudo)
        may_pay = by_right or has_token(invoice_sudo, access_token)
        if invoice_sudo.membri_invoice_type and not may_pay:
            raise ValidationError(request.env._("This link is not valid."))
        invoice_sudo._membri_begin_payment(kwargs.get("amount"), by_link=not by_right)
        values = super().invoice_transaction(invoice_id, access_token, **kwargs)
        invoice_sudo._membri_keep_consent(values, kwargs)
        return values

    @route()
    def overdue_invoices_transaction(self, payment_reference, **kwargs):
        # EXTENDS account_payment
        if not request.env.user._is_public():  # the parent tells it
            overdue = request.env["account.move"].search(self._get_overdue_invoices_domain())
            # sudo: locks and transactions; the visitor's own, as searched
            overdue.sudo()._membri_begin_payment(kwargs.get("amount"))
        return super().overdue_invoices_transaction(payment_reference, **kwargs)

    @route()
    def archive_token(self, token_id):
        # EXTENDS payment, which lets all people below a company take its cards away: what pays
        # memberships is taken back by whom it belongs to, or who acts for them
        own = browse_sudo("payment.token", token_id)._membri_filter_own(request.env["account.move"])
        return super().archive_token(token_id) if own else None

    def _create_transaction(self, *args, **kwargs):
        # EXTENDS payment: every way to pay online comes here
        values = kwargs.get("custom_create_values") or {}
        documents = self._get_paid_documents(values)
        # a validation takes no money, and Odoo posts what it was begun for all the same
        # sudo: of which kind that is
        if kwargs.get("is_validation") and documents.sudo().filtered("membri_invoice_type"):
            raise ValidationError(request.env._("Please open the page again and pay from there."))
        if kwargs.get("flow") == "token":
            self._check_saved_card(kwargs.get("token_id"), documents)
        # sudo: who pays by a link reads no documents
        documents.sudo()._membri_check_offered(kwargs)
        if documents and self._check_required_card(documents, kwargs):
            # sudo: who pays by a link reads no documents; the text is the same for all
            wording = documents.sudo()._membri_get_consent_wording()
            kwargs["custom_create_values"] = {**values, "membri_consent_wording": wording}
        return super()._create_transaction(*args, **kwargs)

    def _get_paid_documents(self, values):
        """:param values: of a transaction
        :return: the ``account.move`` that it pays"""
        commands = values.get("invoice_ids") or []
        invoice_ids = [i for command in commands for i in (command[2] or [command[1]])]
        return request.env["account.move"].browse(filter(None, invoice_ids))

    def _check_required_card(self, documents, form):
        """:param form: what is known of the payment that begins
        :return: whether the card has to be saved
        :raises ValidationError: when it has to, and cannot be, or was not agreed to"""
        documents_sudo = documents.sudo()  # the caller has checked who pays what
        partner_sudo = browse_sudo("res.partner", form.get("partner_id"))
        is_token = form.get("flow") == "token"
        reason = documents_sudo._membri_get_cannot_pay_so_reason(
            partner_sudo,
            browse_sudo("payment.method", None if is_token else form.get("payment_method_id")),
            browse_sudo("payment.provider", form.get("provider_id")),
            browse_sudo("payment.token", form.get("token_id") if is_token else None),
            form.get("tokenization_requested"),
        )
        if reason:
            raise ValidationError(reason)
        return documents_sudo._membri_requires_card(partner_sudo)

    def _check_saved_card(self, token_id, documents):
        """:param documents: what is paid
        :raises ValidationError: when the visitor may not pay that by this saved card"""
        token_sudo = browse_sudo("payment.token", token_id)
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
            if not invoice_sudo.membri_invoice_type:
                return values
            if invoice_sudo._membri_is_void():
                return {**values, "amount": 0.0}
            # the form holds the token of the invoice; who comes with it has the page of the
            # invoice, and any accountant can sign amounts in the name of any payer
            if not acts_by_right(invoice_sudo):
                raise request.not_found()
            if "providers_sudo" in kwargs:
                values.update(invoice_sudo._membri_prepare_card_form(kwargs))
        return values
