from odoo.addons.account_payment.controllers.portal import PortalAccount

from .portal_access import has_token


class MembriPortalAccount(PortalAccount):
    """Who came from the renewal to pay its invoice goes back there: it says what is so."""

    def _invoice_get_page_view_values(self, invoice, access_token, renewal_token=None, **kwargs):
        # EXTENDS account_payment
        values = super()._invoice_get_page_view_values(invoice, access_token, **kwargs)
        renewal_sudo = invoice.sudo().membri_renewal_id
        # the link of the invoice alone, which others may hold, does not give the renewal's
        came_from_renewal = has_token(renewal_sudo, renewal_token)
        if came_from_renewal and "landing_route" in values:
            values["landing_route"] = renewal_sudo.get_portal_url()
        return values
