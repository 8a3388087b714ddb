from urllib.parse import urlencode

from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager


class MembriPortal(CustomerPortal):
    """Members see their renewals and answer them. What may be answered, and what it does,
    is in ``models/renewal_portal.py``."""

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
        return request.render("membri_renewal.portal_my_renewals", values)

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
            return request.redirect("/my")
        if report_type == "pdf":
            return self._show_report(
                model=renewal_sudo,
                report_type="pdf",
                report_ref="membri_renewal.action_report_renewal_notice",
                download=download,
            )
        may_answer = self._may_answer(renewal_sudo, access_token)
        values = self._get_page_view_values(
            renewal_sudo,
            access_token,
            {
                "page_name": "renewal",
                "renewal": renewal_sudo,
                "res_company": renewal_sudo.company_id,
                "answers": {
                    answer: may_answer and not renewal_sudo._get_cannot_answer_reason(answer)
                    for answer in ("accept", "request_change", "decline")
                },
                "error": error,
                "pdf_url": self._get_page_url(
                    renewal_id, access_token, report_type="pdf", download="true"
                ),
            },
            "my_renewals_history",
            False,
        )
        return request.render("membri_renewal.portal_renewal_page", values)

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

    @http.route(
        "/my/renewals/<int:renewal_id>/request_change",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_renewal_request_change(self, renewal_id, access_token=None, message=None, **kw):
        return self._answer(
            renewal_id,
            access_token,
            lambda renewal_sudo, author: renewal_sudo._portal_request_change(author, message),
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
        )

    # ------------------------------------------------------------------
    # Access
    # ------------------------------------------------------------------

    def _get_renewal_sudo(self, renewal_id, access_token):
        """:return: the renewal, if the visitor may see it here, else nothing: what does not
        exist, what is not theirs and what was not sent yet look the same"""
        Renewal = request.env["membri.renewal"]
        try:
            renewal_sudo = self._document_check_access(
                "membri.renewal", renewal_id, access_token=access_token
            )
        except (AccessError, MissingError):
            return Renewal
        if not renewal_sudo._is_on_portal():
            return Renewal
        return renewal_sudo.with_company(renewal_sudo.company_id)

    def _may_answer(self, renewal_sudo, access_token):
        """Members answer by their link, or logged in. Staff who may change renewals may do
        it here too; those who may only look may not."""
        user = request.env.user
        if access_token and consteq(renewal_sudo.access_token or "", access_token):
            return True
        if user._is_internal():
            return renewal_sudo.with_user(user).has_access("write")
        return not user._is_public()

    def _answer(self, renewal_id, access_token, give):
        """Check the access, give the answer, go back to the page, which tells the outcome.

        :param give: function of the renewal and of its author; returns an error code
        """
        renewal_sudo = self._get_renewal_sudo(renewal_id, access_token)
        if not renewal_sudo:
            return request.redirect("/my")
        error = "no_right"
        if self._may_answer(renewal_sudo, access_token):
            user = request.env.user
            author = request.env["res.partner"] if user._is_public() else user.partner_id
            error = give(renewal_sudo, author.sudo())
        return request.redirect(self._get_page_url(renewal_id, access_token, error=error))

    def _get_page_url(self, renewal_id, access_token, **query):
        """:return: the address of the page, with the token if the visitor came with one"""
        given = {"access_token": access_token, **query}
        query_string = urlencode({key: value for key, value in given.items() if value})
        return f"/my/renewals/{renewal_id}" + (f"?{query_string}" if query_string else "")
