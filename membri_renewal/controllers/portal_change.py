from odoo import http
from odoo.http import request

from .portal import MembriPortal


class MembriPortalChange(MembriPortal):
    """*Ask for changes*: a form, what it would cost, and the sending. Plain HTML; what may be
    asked for, and what it costs, is in ``models/change_request/``."""

    @http.route(
        "/my/renewals/<int:renewal_id>/change",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        readonly=True,
    )
    def portal_renewal_change(self, renewal_id, access_token=None, **kw):
        renewal_sudo = self._get_renewal_sudo(renewal_id, access_token)
        if not renewal_sudo:
            return self._render_withdrawn(renewal_id, access_token)
        return self._render_change_form(renewal_sudo, access_token, {})

    @http.route(
        "/my/renewals/<int:renewal_id>/request_change",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_renewal_request_change(self, renewal_id, access_token=None, step=None, **form):
        """Take a step of the form in which a member asks for changes.

        :param step: ``preview`` shows what is asked and what it costs, ``edit`` goes back,
            ``send`` sends it. Without: a message in plain words."""
        form = {name: value for name, value in form.items() if isinstance(value, str)}
        if step in ("preview", "edit", "send"):
            return self._process_change_form(renewal_id, access_token, step, form)
        return self._answer(
            renewal_id,
            access_token,
            lambda renewal_sudo, author: renewal_sudo._portal_request_change(
                author, form.get("message")
            ),
        )

    def _process_change_form(self, renewal_id, access_token, step, form):
        renewal_sudo = self._get_renewal_sudo(renewal_id, access_token)
        if not renewal_sudo:
            return self._render_withdrawn(renewal_id, access_token)
        may_ask = self._may_answer(
            renewal_sudo, access_token
        ) and not renewal_sudo._get_cannot_answer_reason("request_change")
        if may_ask:
            ask, errors = renewal_sudo._read_change_form(form, self._knows_member(renewal_sudo))
            if errors or step == "edit":
                return self._render_change_form(renewal_sudo, access_token, form, errors)
            if step == "preview":
                return self._render_preview(renewal_sudo, access_token, form, ask)
        else:
            ask = {}  # the answer tells why not
        return self._answer(
            renewal_id,
            access_token,
            lambda renewal, author: renewal._portal_submit_change(
                author, ask, form.get("proposal_key")
            ),
        )

    def _render_change_form(self, renewal_sudo, access_token, form, errors=None):
        if not self._may_answer(
            renewal_sudo, access_token
        ) or renewal_sudo._get_cannot_answer_reason("request_change"):
            return request.redirect(self._get_page_url(renewal_sudo.id, access_token))
        return self._render_renewal(
            "membri_renewal.portal_renewal_change",
            renewal_sudo,
            access_token,
            {"form": form, "errors": errors or {}, "offers": renewal_sudo._get_change_offers()},
        )

    def _render_preview(self, renewal_sudo, access_token, form, ask):
        vals = renewal_sudo._prepare_change_request_vals(**ask)
        hidden = ("csrf_token", "access_token", "step", "proposal_key")
        # sudo: only in memory, to show what was asked
        return self._render_renewal(
            "membri_renewal.portal_renewal_change_preview",
            renewal_sudo,
            access_token,
            {
                "change": request.env["membri.change.request"].sudo().new(vals),
                "form": {name: value for name, value in form.items() if name not in hidden},
            },
        )
