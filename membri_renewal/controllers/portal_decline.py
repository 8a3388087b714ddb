from odoo import http
from odoo.http import request

from .portal import MembriPortal


class MembriPortalDecline(MembriPortal):
    """Leaving, where the organisation allows it here, and what is offered before. The rules
    are in ``models/portal/renewal_decline.py``."""

    @http.route(
        "/my/renewals/<int:renewal_id>/leave",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        readonly=True,
    )
    def portal_renewal_leave(self, renewal_id, access_token=None, error=None, **kw):
        renewal_sudo = self._get_renewal_sudo(renewal_id, access_token)
        if not renewal_sudo:
            return self._render_withdrawn(renewal_id, access_token)
        if not self._may_answer(
            renewal_sudo, access_token
        ) or renewal_sudo._get_cannot_answer_reason("decline"):
            return request.redirect(self._get_page_url(renewal_id, access_token))
        return self._render_renewal(
            "membri_renewal.portal_renewal_leave",
            renewal_sudo,
            access_token,
            {"error": error, "offer": renewal_sudo._get_counter_offer_request()},
        )

    @http.route(
        "/my/renewals/<int:renewal_id>/counter_offer",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_renewal_counter_offer(
        self, renewal_id, access_token=None, option_set_id=None, proposal_key=None, **kw
    ):
        return self._answer(
            renewal_id,
            access_token,
            lambda renewal_sudo, author: renewal_sudo._portal_take_counter_offer(
                author, option_set_id, proposal_key
            ),
        )

    @http.route(
        "/my/renewals/<int:renewal_id>/call",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_renewal_call(
        self, renewal_id, access_token=None, time=None, phone=None, comment=None, **kw
    ):
        return self._answer(
            renewal_id,
            access_token,
            lambda renewal_sudo, author: renewal_sudo._portal_ask_call(
                author, time, phone, comment
            ),
            form_suffix="/leave",
        )

    @http.route(
        "/my/renewals/<int:renewal_id>/decline",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_renewal_decline(
        self, renewal_id, access_token=None, reason_id=None, comment=None, **kw
    ):
        return self._answer(
            renewal_id,
            access_token,
            lambda renewal_sudo, author: renewal_sudo._portal_decline(author, reason_id, comment),
            form_suffix="/leave",
        )
