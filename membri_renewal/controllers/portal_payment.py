from odoo.http import request, route

from odoo.addons.account_payment.controllers.portal import PortalAccount

from .portal_access import PRIVATE_HEADERS, has_token

# of the session: the keys of renewals that a visitor pays for
SESSION_KEYS = "membri_renewal_keys"


class MembriPortalAccount(PortalAccount):
    """Who came from the renewal to pay its invoice goes back there: it says what is so."""

    def _invoice_get_page_view_values(self, invoice, access_token, renewal_token=None, **kwargs):
        # EXTENDS account_payment
        values = super()._invoice_get_page_view_values(invoice, access_token, **kwargs)
        renewal_sudo = invoice.sudo().membri_renewal_id
        # the link of the invoice alone, which others may hold, does not lead to the renewal
        if renewal_token is None or not renewal_sudo or "landing_route" not in values:
            return values
        if has_token(renewal_sudo, renewal_token):
            # the landing route is kept with the payment, where others read it: the key is not
            keys = request.session.get(SESSION_KEYS, {})
            request.session[SESSION_KEYS] = {**keys, str(renewal_sudo.id): renewal_token}
            values["landing_route"] = f"{renewal_sudo.access_url}/back"
        elif renewal_sudo.with_user(request.env.user).has_access("read"):
            values["landing_route"] = renewal_sudo.access_url
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
