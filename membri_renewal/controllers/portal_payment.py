from odoo.http import request, route

from odoo.addons.account_payment.controllers.portal import PortalAccount
from odoo.addons.payment.controllers.portal import PaymentPortal
from odoo.addons.payment.controllers.post_processing import PaymentPostProcessing

from .portal_access import PRIVATE_HEADERS, has_right, has_token

# of the session: the keys of renewals that a visitor pays for
SESSION_KEYS = "membri_renewal_keys"


def get_association(transaction_sudo):
    """:return: the company whose membership invoices a transaction pays, or nothing"""
    # sudo: only whose name and logo the page bears
    invoices_sudo = transaction_sudo.sudo().invoice_ids
    return invoices_sudo.filtered("membri_invoice_type").company_id[:1]


class MembriPortalAccount(PortalAccount):
    """The page of a membership invoice is its association's, whichever company the visitor or
    the website belongs to. Who came from the renewal to pay its invoice goes back there."""

    def _invoice_get_page_view_values(self, invoice, access_token, renewal_token=None, **kwargs):
        # EXTENDS account_payment
        if invoice.membri_invoice_type and invoice._membri_reads_as_reader():
            invoice = invoice.with_context(membri_only_looks=True)
        values = super()._invoice_get_page_view_values(invoice, access_token, **kwargs)
        if invoice.membri_invoice_type:
            # sudo: the access was checked by the page
            values["res_company"] = invoice.sudo().company_id
            if cards_sudo := values.get("tokens_sudo"):
                values["tokens_sudo"] = cards_sudo._membri_filter_own(invoice)
            if "providers_sudo" in values:  # there is a form, for there is something to pay
                values.update(invoice.sudo()._membri_prepare_card_form(values))
        renewal_sudo = invoice.sudo().membri_renewal_id
        # the link of the invoice alone, which others may hold, does not lead to the renewal
        if renewal_token is None or not renewal_sudo or "landing_route" not in values:
            return values
        if has_token(renewal_sudo, renewal_token):
            # the landing route is kept with the payment, where others read it: the key is not
            keys = request.session.get(SESSION_KEYS, {})
            request.session[SESSION_KEYS] = {**keys, str(renewal_sudo.id): renewal_token}
            values["landing_route"] = f"{renewal_sudo.access_url}/back"
        elif has_right(renewal_sudo, "read"):
            values["landing_route"] = renewal_sudo.access_url
        return values

    def _get_overdue_invoices_domain(self, partner_id=None):
        # EXTENDS account: what nobody is to pay now (a payment is under way, its term is void) is
        # not late; and one payment is in one currency, of which Odoo's page refuses two
        domain = super()._get_overdue_invoices_domain(partner_id)
        if not request.env["account.move"].has_access("read"):
            return domain
        # sudo: payments under way; the visitor's own, as searched
        overdue_sudo = (
            request.env["account.move"].search(domain, order="invoice_date_due, id").sudo()
        )
        memberships_sudo = overdue_sudo.filtered("membri_invoice_type")
        hidden_sudo = memberships_sudo.filtered(lambda move: move._membri_takes_no_payment())
        left_sudo = overdue_sudo - hidden_sudo
        if memberships_sudo and request.httprequest.path.endswith("/overdue"):
            first_sudo = left_sudo[:1].currency_id
            hidden_sudo |= left_sudo.filtered(lambda move: move.currency_id != first_sudo)
        return [*domain, ("id", "not in", hidden_sudo.ids)]

    def _overdue_invoices_get_page_view_values(self, overdue_invoices, **kwargs):
        # EXTENDS account_payment
        values = super()._overdue_invoices_get_page_view_values(overdue_invoices, **kwargs)
        request.future_response.headers.update(PRIVATE_HEADERS)
        if overdue_invoices.filtered("membri_invoice_type"):
            # Odoo's page asks for what the invoices asked for first, paid in part or not
            # sudo: payments under way
            due = sum(move._membri_get_amount_to_pay() for move in overdue_invoices.sudo())
            values["payment"]["amount"] = values["amount"] = due
            # sudo: the visitor's own, as the page found them
            values["res_company"] = overdue_invoices.sudo().company_id[:1]
            card = overdue_invoices.sudo()._membri_prepare_card_form(values)
            if "membri_card_required" in card:  # else nothing is agreed to by paying them all
                values.update(card)
        return values

    @route(
        "/my/renewals/<int:renewal_id>/back",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
    )
    def portal_renewal_back(self, renewal_id, **kw):
        """From a payment back to the renewal, with the key that the visitor came with."""
        key = request.session.get(SESSION_KEYS, {}).get(str(renewal_id))
        path = f"/my/renewals/{renewal_id}"
        response = request.redirect(f"{path}?access_token={key}" if key else path)
        response.headers.update(PRIVATE_HEADERS)
        return response


class MembriPaymentStatus(PaymentPostProcessing):
    """The page where a payer waits for the payment is the association's, too."""

    @route()
    def display_status(self, **kwargs):
        # EXTENDS payment
        response = super().display_status(**kwargs)
        transaction_sudo = response.qcontext.get("tx")
        if transaction_sudo and (company_sudo := get_association(transaction_sudo)):
            response.qcontext.update(res_company=company_sudo, membri_association=company_sudo)
        return response


class MembriPaymentConfirmation(PaymentPortal):
    """So is the page where it is confirmed."""

    @route()
    def payment_confirm(self, tx_id=None, access_token=None, **kwargs):
        # EXTENDS payment, which fails on an address without them
        response = super().payment_confirm(tx_id, access_token, **kwargs)
        transaction_sudo = getattr(response, "qcontext", {}).get("tx")
        if transaction_sudo and (company_sudo := get_association(transaction_sudo)):
            response.qcontext.update(res_company=company_sudo, membri_association=company_sudo)
        return response
