from odoo import http
from odoo.http import request

from odoo.addons.portal.controllers.portal import pager as portal_pager

from ..models.renewal.proposal import PageMemo
from .portal_access import (
    PRIVATE_HEADERS,
    MembriPortalAccess,
    browse_sudo,
    clean_token,
    get_address,
    has_right,
    has_token,
    turn_away,
)

# what the member can correct and send again
FORM_ERRORS = ("empty", "too_long", "no_reason")


class MembriPortal(MembriPortalAccess):
    """Members see their renewals and answer them. What may be answered, and what it does,
    is in ``models/portal/renewal_answer.py``."""

    # ------------------------------------------------------------------
    # Home and list
    # ------------------------------------------------------------------

    def _prepare_home_portal_values(self, counters):
        # EXTENDS portal
        values = super()._prepare_home_portal_values(counters)
        Renewal = request.env["membri.renewal"]
        domain = Renewal._get_portal_domain(request.env.user.partner_id)
        may_read = Renewal.has_access("read")
        if "renewal_count" in counters:
            values["renewal_count"] = Renewal.search_count(domain) if may_read else 0
        if "renewal_to_answer_count" in counters:
            values["renewal_to_answer_count"] = (
                Renewal.search_count([*domain, ("state", "=", "sent")]) if may_read else 0
            )
        return values

    @http.route(
        ["/my/renewals", "/my/renewals/page/<int:page>"],
        type="http",
        auth="user",
        methods=["GET"],
        website=True,
        readonly=True,
    )
    def portal_my_renewals(self, page=1, **kw):
        Renewal = request.env["membri.renewal"]
        domain = Renewal._get_portal_domain(request.env.user.partner_id)
        may_read = Renewal.has_access("read")
        pager = portal_pager(
            url="/my/renewals",
            total=Renewal.search_count(domain) if may_read else 0,
            page=page,
            step=self._items_per_page,
        )
        renewals = Renewal
        if may_read:
            renewals = Renewal.search(
                domain,
                order="date_start desc, id desc",
                limit=self._items_per_page,
                offset=pager["offset"],
            )
        values = {
            **self._prepare_portal_layout_values(),
            # sudo: found with the member's rights; what the page shows of terms and invoices
            # goes with them
            "renewals": renewals.sudo(),
            "page_name": "renewal",
            "pager": pager,
            "default_url": "/my/renewals",
        }
        return self._render_private("membri_renewal.portal_my_renewals", values)

    # ------------------------------------------------------------------
    # One renewal
    # ------------------------------------------------------------------

    @http.route(
        "/my/renewals/<int:renewal_id>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        readonly=True,
    )
    def portal_my_renewal(
        self, renewal_id, access_token=None, report_type=None, download=False, error=None, **kw
    ):
        renewal_sudo = self._get_renewal_sudo(renewal_id, access_token)
        if not renewal_sudo:
            return self._render_withdrawn(renewal_id, access_token)
        if report_type == "pdf":
            return self._show_copy(
                renewal_sudo,
                access_token,
                "membri_renewal.action_report_renewal_notice",
                download,
            )
        values = {
            "error": error,
            "pdf_url": self._get_page_url(
                renewal_id, access_token, report_type="pdf", download="true"
            ),
        }
        return self._render_renewal(
            "membri_renewal.portal_renewal_page", renewal_sudo, access_token, values
        )

    @http.route(
        "/my/renewals/<int:renewal_id>/accept",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_renewal_accept(self, renewal_id, access_token=None, proposal_key=None, **kw):
        return self._answer(
            renewal_id,
            access_token,
            lambda renewal_sudo, author: renewal_sudo._portal_accept(author, proposal_key),
        )

    # ------------------------------------------------------------------
    # Access
    # ------------------------------------------------------------------

    def _get_renewal_sudo(self, renewal_id, access_token):
        """Return the renewal, if the visitor may see it here, else nothing: what does not
        exist, what is not theirs and what was not sent yet look the same."""
        renewal_sudo = self._find_document_sudo("membri.renewal", renewal_id, access_token)
        if not renewal_sudo or not renewal_sudo._is_on_portal():
            return request.env["membri.renewal"]
        return renewal_sudo

    def _knows_member(self, renewal_sudo):
        """Return whether the visitor reads contact details of the member here: a link may
        have been forwarded, so it alone does not show them."""
        user = request.env.user
        return not user._is_public() and has_right(renewal_sudo, "read")

    def _answer(self, renewal_id, access_token, give, form_suffix=""):
        """Check the access, give the answer, go back to the page, which tells the outcome.

        :param give: function of the renewal and of its author; returns an error code
        :param form_suffix: of the page whose form is to be corrected, if that is another one
        """
        renewal_sudo = self._get_renewal_sudo(renewal_id, access_token)
        if not renewal_sudo:
            return self._render_withdrawn(renewal_id, access_token)
        error = "no_right"
        if self._may_answer(renewal_sudo, access_token):
            error = give(renewal_sudo, self._get_visitor_sudo())
        suffix = form_suffix if error in FORM_ERRORS else ""
        url = self._get_page_url(renewal_id, access_token, suffix, error=error)
        response = request.redirect(url if error else f"{url}#membri_status")
        response.headers.update(PRIVATE_HEADERS)
        return response

    # ------------------------------------------------------------------
    # Pages
    # ------------------------------------------------------------------

    def _render_renewal(self, template, renewal_sudo, access_token, values):
        """Render a page about one renewal.

        :param values: what this page shows beside the renewal and the answers it takes
        """
        may_answer = self._may_answer(renewal_sudo, access_token)
        user = request.env.user
        if not user._is_internal() and not has_token(renewal_sudo, access_token):
            renewal_sudo = renewal_sudo._as_shown_to(user.partner_id)
        renewal_sudo = renewal_sudo.with_context(membri_page=PageMemo())
        renewal_sudo._read_for_page()
        values = self._get_page_view_values(
            renewal_sudo,
            access_token,
            {
                "page_name": "renewal",
                "renewal": renewal_sudo,
                "res_company": renewal_sudo.company_id,
                "page_url": f"/my/renewals/{renewal_sudo.id}",
                "back_url": self._get_page_url(renewal_sudo.id, access_token),
                "change_url": self._get_page_url(renewal_sudo.id, access_token, "/change"),
                "leave_url": self._get_page_url(renewal_sudo.id, access_token, "/leave"),
                "knows_member": self._knows_member(renewal_sudo),
                "answers": {
                    answer: may_answer and not renewal_sudo._get_cannot_answer_reason(answer)
                    for answer in ("accept", "request_change", "decline", "counter_offer", "call")
                },
                **values,
            },
            "my_renewals_history",
            False,
        )
        return self._render_private(template, values)

    def _render_withdrawn(self, renewal_id, access_token):
        """Who follows the link of a notice that was sent, and then taken back, is told so, and
        nothing else of it; everybody else is turned away."""
        renewal_sudo = browse_sudo("membri.renewal", renewal_id)
        if not (renewal_sudo.date_sent and has_token(renewal_sudo, access_token)):
            return turn_away(access_token)
        values = {
            "page_name": "renewal_withdrawn",
            "renewal": renewal_sudo.with_company(renewal_sudo.company_id),
            "res_company": renewal_sudo.company_id,
        }
        return self._render_private("membri_renewal.portal_renewal_withdrawn", values)

    def _get_page_url(self, renewal_id, access_token, suffix="", **query):
        """:return: the address of the page, with the token if the visitor came with one"""
        return get_address(
            f"/my/renewals/{renewal_id}{suffix}", access_token=clean_token(access_token), **query
        )
