from odoo import http
from odoo.exceptions import AccessError, MissingError, ValidationError
from odoo.fields import Domain
from odoo.http import request

from odoo.addons.account_payment.controllers import payment as account_payment
from odoo.addons.account_payment.controllers import portal as account_portal
from odoo.addons.portal.controllers.portal import pager as portal_pager

from .portal_access import PRIVATE_HEADERS, browse_sudo, has_right, has_token, turn_away


def may_see_fee_notice(notice_sudo, operation="read"):
    """Return whether a fee notice is the visitor's to see (staff: to ``write``), without its token:
    Odoo's rules hide drafts from portal users."""
    user = request.env.user
    if user._is_public():
        return False
    if user._is_internal():
        return has_right(notice_sudo, operation)
    own = user.partner_id._membri_get_whose_invoice_domain()
    return bool(notice_sudo.filtered_domain(own))


class FeeNoticePortal(account_portal.PortalAccount):
    """Payers see their fee notices and pay them by Odoo's own payment form. What may be paid is
    in ``models/fee_notice/account_move.py``."""

    def _prepare_home_portal_values(self, counters):
        # EXTENDS account
        values = super()._prepare_home_portal_values(counters)
        if "fee_notice_count" in counters:
            # sudo: drafts are the staff's; the domain says which are the visitor's
            values["fee_notice_count"] = (
                request.env["account.move"].sudo().search_count(self._get_fee_notice_domain())
            )
        return values

    def _get_fee_notice_domain(self):
        """Return the user's own open fee notices. Odoo's rules hide drafts from portal users,
        so the domain, searched in sudo, is what protects those of others."""
        own = request.env.user.partner_id._membri_get_whose_invoice_domain()
        return own & Domain("membri_fee_notice_state", "=", "open")

    @http.route(
        ["/my/fee-notices", "/my/fee-notices/page/<int:page>"],
        type="http",
        auth="user",
        methods=["GET"],
        website=True,
        readonly=True,
    )
    def portal_my_fee_notices(self, page=1, **kw):
        # sudo: drafts are the staff's; the domain says which are the visitor's
        AccountMove_sudo = request.env["account.move"].sudo()
        domain = self._get_fee_notice_domain()
        pager = portal_pager(
            url="/my/fee-notices",
            total=AccountMove_sudo.search_count(domain),
            page=page,
            step=self._items_per_page,
        )
        notices_sudo = AccountMove_sudo.search(
            domain,
            order="membri_fee_notice_date desc, id desc",
            limit=self._items_per_page,
            offset=pager["offset"],
        )
        values = {
            **self._prepare_portal_layout_values(),
            "notices": notices_sudo,
            "page_name": "fee_notice",
            "pager": pager,
            "default_url": "/my/fee-notices",
        }
        return self._render_private("membri_renewal.portal_my_fee_notices", values)

    def _prepare_my_invoices_values(self, *args, **kwargs):
        # EXTENDS account: the list has the tokens of invoices in its links
        request.future_response.headers.update(PRIVATE_HEADERS)
        return super()._prepare_my_invoices_values(*args, **kwargs)

    @http.route(
        "/my/fee-notices/<int:notice_id>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
    )
    def portal_my_fee_notice(
        self, notice_id, access_token=None, report_type=None, download=False, **kw
    ):
        notice_sudo = self._get_fee_notice_sudo(notice_id, access_token)
        if not notice_sudo:
            return turn_away(access_token)
        if report_type == "pdf" and notice_sudo.membri_fee_notice_state == "open":
            return self._show_copy(
                notice_sudo, access_token, "membri_renewal.action_report_fee_notice", download
            )
        values = self._get_fee_notice_page_values(notice_sudo, access_token)
        if cards_sudo := values.get("tokens_sudo"):
            values["tokens_sudo"] = cards_sudo._membri_filter_own(notice_sudo)
        return self._render_private("membri_renewal.portal_fee_notice_page", values)

    def _get_fee_notice_page_values(self, notice_sudo, access_token):
        # the form of the payment holds the token
        only_looks = notice_sudo._membri_reads_as_reader()
        reason = only_looks or notice_sudo._membri_get_cannot_pay_online_reason()
        values = self._get_page_view_values(
            notice_sudo,
            access_token,
            {
                "page_name": "fee_notice",
                "notice": notice_sudo,
                "res_company": notice_sudo.company_id,
                "cannot_pay_reason": reason,
                "last_transaction": notice_sudo.get_portal_last_transaction(),
            },
            "my_fee_notices_history",
            False,
        )
        if reason:
            return values
        # sudo: the token is there since the fee notice was made
        token = notice_sudo.access_token
        form = {
            **values,
            **self._get_common_page_view_values(
                invoices_data={
                    "partner": notice_sudo.partner_id,
                    "company": notice_sudo.company_id,
                    "total_amount": notice_sudo.amount_total,
                    "currency": notice_sudo.currency_id,
                    "amount_residual": notice_sudo.amount_total,
                    "landing_route": f"/my/fee-notices/{notice_sudo.id}?access_token={token}",
                    "transaction_route": f"/my/fee-notices/{notice_sudo.id}/transaction",
                },
                access_token=token,
            ),
            "amount": notice_sudo.amount_total,
        }
        return {**form, **notice_sudo._membri_prepare_card_form(form)}

    def _get_fee_notice_sudo(self, notice_id, access_token):
        """Return the document, if the visitor may see it here, else nothing: what does not
        exist, what is not theirs and what is no fee notice look the same."""
        AccountMove = request.env["account.move"]
        notice_sudo = browse_sudo("account.move", notice_id)
        if not notice_sudo.membri_fee_notice_name:
            return AccountMove
        if not (has_token(notice_sudo, access_token) or may_see_fee_notice(notice_sudo)):
            return AccountMove
        return notice_sudo.with_company(notice_sudo.company_id)

    @http.route()
    def portal_my_invoice_detail(self, invoice_id, access_token=None, **kw):
        # EXTENDS account: what is no invoice yet has a page of its own
        try:
            move_sudo = self._document_check_access("account.move", invoice_id, access_token)
        except (AccessError, MissingError):
            return turn_away(access_token)
        if move_sudo.membri_fee_notice_state in ("open", "void"):
            return request.redirect(move_sudo.get_portal_url())
        if move_sudo.membri_invoice_type:
            # what is late is told by the day of the association, not of the server
            request.update_context(tz=move_sudo.company_id.sudo().membri_tz)
        response = super().portal_my_invoice_detail(invoice_id, access_token=access_token, **kw)
        if move_sudo.membri_invoice_type and response.mimetype == "application/pdf":
            return self._put_keys(response, move_sudo, access_token)
        if move_sudo.membri_invoice_type:
            response.headers.update(PRIVATE_HEADERS)
        return response


class FeeNoticePayment(account_payment.PaymentPortal):
    @http.route(
        "/my/fee-notices/<int:notice_id>/transaction",
        type="jsonrpc",
        auth="public",
        methods=["POST"],
    )
    def fee_notice_transaction(self, notice_id, access_token, amount=None, **kwargs):
        """Start an online payment of the whole fee notice; the amount is ours, not the
        browser's.

        :return: the processing values of the transaction
        :raises ValidationError: a wrong token, or nothing to pay any more
        """
        notice_sudo = browse_sudo("account.move", notice_id)
        if not notice_sudo.membri_fee_notice_name or not has_token(notice_sudo, access_token):
            raise ValidationError(request.env._("This link is not valid."))
        if reason := notice_sudo._membri_get_cannot_pay_online_reason():
            raise ValidationError(reason)
        notice_sudo._membri_begin_payment(
            notice_sudo.amount_total, by_link=not may_see_fee_notice(notice_sudo, "write")
        )
        self._validate_transaction_kwargs(kwargs)
        user = request.env.user
        payer_sudo = notice_sudo.partner_id if user._is_public() else user.partner_id
        values = self._process_transaction(
            payer_sudo.id,
            notice_sudo.currency_id.id,
            notice_sudo.ids,
            notice_sudo.membri_fee_notice_name,
            amount=notice_sudo.amount_total,
            **kwargs,
        )
        notice_sudo._membri_keep_consent(values, kwargs)
        return values

    @http.route()
    def invoice_transaction(self, invoice_id, access_token=None, **kwargs):
        # EXTENDS account_payment: fee notices are paid by their own page only
        move_sudo = request.env["account.move"].sudo().browse(invoice_id).exists()
        if move_sudo.membri_fee_notice_state in ("open", "void"):
            return self.fee_notice_transaction(invoice_id, access_token, **kwargs)
        return super().invoice_transaction(invoice_id, access_token, **kwargs)
