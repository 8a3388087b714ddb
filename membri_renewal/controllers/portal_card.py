from odoo import http
from odoo.http import request

from .portal import MembriPortal
from .portal_access import PRIVATE_HEADERS, clean_token, get_address


class MembriPortalCard(MembriPortal):
    """The card that pays: stopped by the link of any notice or invoice, and shown, replaced and
    stopped on *My membership*. The rules are in ``models/automatic_payment/portal.py``."""

    @http.route(
        "/my/renewals/<int:renewal_id>/stop-charge",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_renewal_stop_charge(self, renewal_id, access_token=None, **kw):
        return self._answer(
            renewal_id,
            access_token,
            lambda renewal_sudo, author: renewal_sudo._portal_stop_charge(author),
        )

    @http.route(
        "/my/membership/invoices/<int:invoice_id>/stop-charge",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_invoice_stop_charge(self, invoice_id, access_token=None, **kw):
        move_sudo = self._find_document_sudo("account.move", invoice_id, access_token)
        if not move_sudo or not move_sudo.membri_invoice_type:
            return request.redirect("/my")
        if self._may_answer(move_sudo, access_token):
            move_sudo._membri_portal_stop_charge(self._get_visitor_sudo())
        token = clean_token(access_token)
        response = request.redirect(get_address(move_sudo.access_url, access_token=token))
        response.headers.update(PRIVATE_HEADERS)
        return response

    @http.route(
        "/my/membership/<int:cotisation_id>/card/use",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_membership_use_card(self, cotisation_id, token_id=None, **kw):
        token_id = token_id if isinstance(token_id, str) else ""
        return self._change_saved_card(
            cotisation_id,
            lambda member_sudo, visitor_sudo: member_sudo._membri_portal_use_card(
                visitor_sudo, token_id
            ),
        )

    @http.route(
        "/my/membership/<int:cotisation_id>/card/stop",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_membership_stop_card(self, cotisation_id, **kw):
        return self._change_saved_card(
            cotisation_id,
            lambda member_sudo, visitor_sudo: member_sudo._membri_portal_stop_card(visitor_sudo),
        )

    def _change_saved_card(self, cotisation_id, change):
        """:param change: takes the member and the visitor, in sudo, and gives an error or not
        :return: the page *My membership*, which tells it"""
        visitor_sudo = self._get_visitor_sudo()
        term_sudo = self._get_own_term_sudo(cotisation_id)
        if not term_sudo:
            return request.redirect("/my")
        member_sudo = term_sudo.partner_id.with_company(term_sudo.company_id)
        error = change(member_sudo, visitor_sudo)
        url = get_address("/my/membership", error=error, done=not error and "card")
        return request.redirect(f"{url}#membri_card_{cotisation_id}")
