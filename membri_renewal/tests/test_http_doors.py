import re
from unittest.mock import patch

from freezegun import freeze_time

from odoo import http
from odoo.tests import JsonRpcException, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.payment import utils as payment_utils

from ..models.ir_http import IrHttp
from ..models.portal.request import PER_HOUR
from .common_fee_notice import TODAY, FeeNoticePortalCase
from .common_portal import PortalCase

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
# everything that a member could change, beside the tables of ours
TABLES = (
    "account_move",
    "account_move_line",
    "mail_activity",
    "mail_mail",
    "mail_message",
    "payment_transaction",
    "res_partner",
)


class DoorsCase(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.membri_portal_call = True
        cls.renewal = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-01"))
        cls.renewal.action_send()
        cls.accepted = cls._create_renewal(cls._create_yearly())
        cls.accepted.action_approve()
        cls.invoice = cls.accepted.invoice_id.sudo()
        cls.company.membri_fee_notice = True
        cls.notice = cls.stranger._membri_enrol(cls.yearly).invoice_id.sudo()

    def _get_own_rules(self):
        rules = self.env["ir.http"].routing_map().iter_rules()
        ours = [
            rule
            for rule in rules
            # Odoo's reports are the staff's, and asked for by name
            if IrHttp._membri_is_own(rule.endpoint) and not rule.rule.startswith("/report/")
        ]
        self.assertGreater(len(ours), 20)
        return ours

    def _get_target(self, rule):
        """:return: ``(path, token)`` of a document that this route would act on"""
        names = set(rule.arguments)
        record = self.renewal
        if "notice_id" in names:
            record = self.notice
        elif "invoice_id" in names:
            record = self.invoice
        values = {
            "renewal_id": self.renewal.id,
            "invoice_id": self.invoice.id,
            "notice_id": self.notice.id,
            "cotisation_id": self.renewal.cotisation_id.id,
            "document": "card",
            "code": self.renewal.cotisation_id._get_verification_url().rpartition("/")[2],
            "page": 1,
        }
        path = re.sub(
            r"<(?:[^<>]*:)?(\w+)>",
            lambda match: str(values.get(match[1], record.id)),
            rule.rule,
        )
        return path, record.sudo().access_token

    def _fingerprint(self):
        """All that is stored: whatever was added, changed or removed shows."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename LIKE 'membri%'"
        )
        tables = [*TABLES, *(name for (name,) in self.env.cr.fetchall())]
        self.assertGreater(len(tables), 25)
        parts = [
            SQL(
                "SELECT %s, count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM %s t",
                table,
                SQL.identifier(table),
            )
            for table in tables
        ]
        parts.append(
            SQL(
                "SELECT 'ir_attachment', count(*), max(id)::text FROM ir_attachment"
                " WHERE res_model IN ('membri.renewal', 'account.move', 'res.partner')"
            )
        )
        # the catalog has no order of its own
        return sorted(self.env.execute_query(SQL(" UNION ALL ").join(parts)), key=str)

    def _get_form(self, token):
        """What makes the most of the forms of ours."""
        return {
            "access_token": token,
            "message": "Please call me",
            "reason_id": self.reason.id,
            "method": "transfer",
            "date": str(self.company._membri_today()),
            "name": "Paula",
        }


@tagged("post_install", "-at_install")
class TestA5Methods(DoorsCase):
    """A route runs for its own methods only, and looking changes nothing."""

    def test_a5_the_routes_are_found(self):
        paths = {rule.rule for rule in self._get_own_rules()}
        for path in (
            "/my/renewals/<int:renewal_id>/accept",
            "/my/renewals/<int:renewal_id>/request_change",
            "/my/renewals/<int:renewal_id>/decline",
            "/my/renewals/<int:renewal_id>/counter_offer",
            "/my/renewals/<int:renewal_id>/call",
            "/my/membership/invoices/<int:invoice_id>/announce",
            "/my/membership/<int:cotisation_id>/person",
            "/my/fee-notices/<int:notice_id>/transaction",
            "/my/invoices/<int:invoice_id>",
            "/invoice/transaction/<int:invoice_id>",
            "/invoice/transaction/overdue",
        ):
            self.assertIn(path, paths)
        self.assertNotIn("/my/quotes", paths)
        self.assertNotIn("/web/login", paths)

    def test_a5_other_methods_run_nothing(self):
        before = self._fingerprint()
        for login in (None, "member_user"):
            self._sign_in(login)
            for rule in self._get_own_rules():
                own = IrHttp._membri_get_methods(rule.endpoint)
                path, token = self._get_target(rule)
                for method in METHODS:
                    if method in own:
                        continue
                    with self.subTest(path=path, method=method, login=login):
                        with mute_logger("odoo.http"):
                            response = self._request(rule, method, path, token)
                        self.assertIn(response.status_code, (303, 405))
                        if response.status_code == 303:  # not signed in
                            self.assertIn("/web/login", response.headers["Location"])
                        self.assertEqual(self._fingerprint(), before)
        self.assertEqual(self.renewal.state, "sent")

    def _request(self, rule, method, path, token):
        if rule.endpoint.routing["type"] == "jsonrpc":
            params = {"access_token": token, "payment_reference": "x", "amount": 1.0}
            return self.url_open(
                path, json={"params": params}, method=method, allow_redirects=False
            )
        return self.url_open(path, data=self._get_form(token), method=method, allow_redirects=False)

    def test_a5_looking_changes_nothing(self):
        """``GET`` and ``HEAD``, with and without the link, in every way that a page is asked."""
        before = self._fingerprint()
        for login in (None, "member_user", "stranger_user"):
            self._sign_in(login)
            for rule in self._get_own_rules():
                own = IrHttp._membri_get_methods(rule.endpoint)
                path, token = self._get_target(rule)
                for method in own & {"GET", "HEAD"}:
                    for query in ("", f"?access_token={token}"):
                        with self.subTest(path=path + query, method=method, login=login):
                            with mute_logger("odoo.http"):
                                response = self.url_open(
                                    path + query, method=method, allow_redirects=False
                                )
                            if path.startswith("/my/"):  # Odoo's own may miss a parameter
                                self.assertLess(response.status_code, 500)
                            self.assertEqual(self._fingerprint(), before)


@tagged("post_install", "-at_install")
class TestA5Referrer(DoorsCase):
    """The address of a page opens documents: it is told to no other site."""

    def _assert_kept(self, path):
        with self.subTest(path=path), mute_logger("odoo.http"):
            response = self.url_open(path, allow_redirects=False)
            self.assertEqual(response.headers.get("Referrer-Policy"), "no-referrer")
            return response

    def test_a5_pages_of_ours(self):
        for login in (None, "member_user"):
            self._sign_in(login)
            for rule in self._get_own_rules():
                if "GET" in IrHttp._membri_get_methods(rule.endpoint):
                    path, token = self._get_target(rule)
                    if login or rule.endpoint.routing["auth"] != "user":
                        self._assert_kept(path)
                    self._assert_kept(f"{path}?access_token={token}")
                    self._assert_kept(f"{path}?access_token=wrong")

    def test_no_other_site_shows_them(self):
        """Whoever is led to click there would accept a renewal that is shown below."""
        for login in (None, "member_user"):
            self._sign_in(login)
            for rule in self._get_own_rules():
                path, token = self._get_target(rule)
                if "GET" not in IrHttp._membri_get_methods(rule.endpoint):
                    continue
                if not path.startswith(("/my/", "/membership/")):
                    continue
                with self.subTest(path=path, login=login), mute_logger("odoo.http"):
                    response = self.url_open(f"{path}?access_token={token}", allow_redirects=False)
                    if response.status_code == 200:
                        self.assertEqual(response.headers["X-Frame-Options"], "SAMEORIGIN")
                        self.assertIn(
                            "frame-ancestors 'self'", response.headers["Content-Security-Policy"]
                        )

    def test_a5_answers(self):
        self._sign_in(None)
        token = self.renewal.sudo().access_token
        response = self._answer(self.renewal, "request_change", token)
        self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")

    def test_a5_pages_of_odoo(self):
        token = self.invoice.access_token
        page = f"/my/invoices/{self.invoice.id}?access_token={token}"
        self.assertEqual(self._assert_kept(page).status_code, 200)
        self._assert_kept(f"{page}&report_type=pdf&download=true")
        self._assert_kept(f"{page}&payment=True")
        amount = self.invoice.amount_total
        signed = payment_utils.generate_access_token(
            self.invoice.partner_id.id,
            amount,
            self.invoice.currency_id.id,
            env=self.env_root,
        )
        signed_page = (
            f"/payment/pay?amount={amount}&invoice_id={self.invoice.id}&access_token={signed}"
        )
        # any accountant can sign an amount in the name of any payer: it opens no invoice
        response = self._assert_kept(signed_page)
        self.assertEqual(response.status_code, 404)
        self.assertNotIn(token, response.text)
        # and what invites a member to make a login
        self._assert_kept("/web/login?auth_signup_token=x")
        self._assert_kept("/web/reset_password?token=x")
        # in the path of the address (as the link of a shared dashboard)
        self._assert_kept("/chat/1/x")
        missing = self._assert_kept(f"/my/no-such-page?access_token={token}")
        self.assertEqual(missing.status_code, 404)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestA5Limit(DoorsCase):
    """So many requests an hour for each document, whoever asks and by which way."""

    def _ask(self, login=None, message="Please", renewal=None):
        renewal = renewal or self.renewal
        self._sign_in(login)
        token = None if login else renewal.sudo().access_token
        return self._get_error(self._answer(renewal, "request_change", token, message=message))

    def test_a5_change_requests(self):
        logins = (None, "member_user")
        errors = [self._ask(logins[n % 2], f"Change {n}") for n in range(PER_HOUR + 3)]
        self.assertEqual(errors, [False] * PER_HOUR + ["too_often"] * 3)
        requests = self.env["membri.change.request"].search([("renewal_id", "=", self.renewal.id)])
        self.assertEqual(len(requests), PER_HOUR)
        page = self._open(self.renewal, self.renewal.sudo().access_token, error="too_often").text
        self.assertIn("Please try again later", page)
        other = self._renewal_in("sent")
        self.assertFalse(self._ask(None, renewal=other), "another link")
        with freeze_time("2026-11-15 16:00:01"):
            self.assertFalse(self._ask(None, "An hour later"))
        self._sign_in(None)
        token = self.renewal.sudo().access_token
        self.assertFalse(self._get_error(self._answer(self.renewal, "accept", token)))
        self.assertEqual(self.renewal.state, "approved", "accepting is always possible")

    def test_a5_asked_of_the_model(self):
        """No way around the page."""
        for number in range(PER_HOUR):
            self.assertFalse(self.renewal._portal_request_change(self.member, f"No. {number}"))
        self.assertEqual(self.renewal._portal_request_change(self.member, "More"), "too_often")
        self.assertEqual(self.renewal._portal_ask_call(self.member), "too_often")
        self.assertEqual(self.renewal.state, "change_requested")

    def test_a5_calls(self):
        for _number in range(PER_HOUR):
            self.assertFalse(self.renewal._portal_ask_call(self.member, "morning"))
            self.renewal.action_send()
        self.assertEqual(self.renewal._portal_ask_call(self.member, "morning"), "too_often")
        self.assertEqual(self.renewal.state, "sent")

    def test_a5_already_paid(self):
        told = {"method": "cash", "date": "2026-11-15"}
        for number in range(PER_HOUR + 1):
            self.invoice.membri_date_reported = False
            error = self.invoice._membri_report_payment(self.accepted.partner_id, told)
            self.assertEqual(error, number == PER_HOUR and "too_often")

    def test_a5_person_in_charge(self):
        self._sign_in("member_user")
        path = f"/my/membership/{self.renewal.cotisation_id.id}/person"
        for number in range(PER_HOUR + 1):
            data = {"name": f"Paula {number}", "csrf_token": http.Request.csrf_token(self)}
            response = self.url_open(path, data=data, allow_redirects=False)
            self.assertEqual("error=too_often" in response.headers["Location"], number == PER_HOUR)
        self.assertIn("membri_error", self.url_open(response.headers["Location"]).text)
        told = self.member.message_ids.filtered(lambda m: "Paula" in m.body)
        self.assertEqual(len(told), PER_HOUR)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestA5Payments(FeeNoticePortalCase):
    """One online payment at a time, and never more than is due."""

    def _assert_paid_once(self):
        payments = self.notice.transaction_ids.payment_id
        self.assertEqual(sum(payments.mapped("amount")), 345.0)
        self.assertEqual(self.notice.amount_residual, 0.0)
        self.assertEqual(self.cotisation.state, "active")

    def _assert_transaction_refused(self, **kwargs):
        with mute_logger("odoo.http"), self.assertRaises(JsonRpcException):
            self._start_transaction(**kwargs)

    def test_a5_three_tabs(self):
        """All three have begun before the first one is through."""
        tabs = [self._start_transaction() for _number in range(3)]
        self.assertEqual([tab.state for tab in tabs], ["cancel", "cancel", "draft"])
        with mute_logger("odoo.addons.payment.models.payment_transaction"):
            for tab in reversed(tabs):
                tab._set_done()
        tabs[2]._post_process()
        self.env.invalidate_all()
        self._assert_paid_once()
        summaries = self.notice.activity_ids.mapped("summary")
        self.assertTrue(any(tabs[0].reference in summary for summary in summaries))

    def test_a5_done_and_not_booked_yet(self):
        self._start_transaction()._set_done()
        self._assert_transaction_refused()
        self.notice.transaction_ids._post_process()
        self.env.invalidate_all()
        self._assert_paid_once()
        self._assert_transaction_refused()

    def _become_invoice(self):
        self.notice.action_post()
        return {"route": f"/invoice/transaction/{self.notice.id}"}

    def test_a5_invoice(self):
        route = self._become_invoice()
        first, second = self._start_transaction(**route), self._start_transaction(**route)
        self.assertEqual((first.state, second.state), ("cancel", "draft"))
        for state in ("pending", "authorized"):
            self.env.cr.execute(
                "UPDATE payment_transaction SET state = %s WHERE id = %s", [state, second.id]
            )
            self.env.invalidate_all()
            self._assert_transaction_refused(**route)
        second._set_done()
        self._assert_transaction_refused(**route)
        second._post_process()
        self.env.invalidate_all()
        self._assert_paid_once()
        self._assert_transaction_refused(**route)

    def test_a5_payments_that_a_link_begins(self):
        """Each ends the one before it and is noted on the invoice: whoever held the link wrote
        sixty in eleven seconds, and ended the payer's own."""
        path = "odoo.addons.membri_renewal.models.portal.request.PAYMENTS_PER_HOUR"
        self.startPatcher(patch(path, 3))
        for get_route in (dict, self._become_invoice):
            route = get_route()
            known = self.notice.transaction_ids
            self._sign_in(None)
            for _number in range(3):
                self._start_transaction(**route)
            for login in (None, "stranger_user"):
                self._sign_in(login)
                self._assert_transaction_refused(**route)
            self.assertEqual(len(self.notice.transaction_ids - known), 3)
            self._sign_in("member_user")
            own = self._start_transaction(**route)
            self.assertEqual(own.state, "draft", "the payer")
            own._set_canceled()
            self.env_root["membri.portal.request"].search([])._internal_write(
                {"date": "2026-01-01"}
            )
        self._sign_in(None)
        for _number in range(3):
            self._start_transaction(**route)
        self.notice.transaction_ids.filtered(lambda tx: tx.state == "draft")._set_canceled()
        told = {"method": "cash", "date": str(self.company._membri_today())}
        nobody = self.env["res.partner"]
        self.assertFalse(self.notice._membri_report_payment(nobody, told), "counted apart")

    def test_a5_a_link_ends_no_payment_of_who_is_signed_in(self):
        """Whoever held the link ended what the payer was about to pay, who then paid for nothing
        that is booked."""
        for get_route in (dict, self._become_invoice):
            route = get_route()
            self._sign_in("member_user")
            own = self._start_transaction(**route)
            for login in (None, "stranger_user"):
                self._sign_in(login)
                self._assert_transaction_refused(**route)
            self.assertEqual(own.state, "draft")
            self._sign_in("member_user")
            again = self._start_transaction(**route)
            self.assertEqual((own.state, again.state), ("cancel", "draft"), "the payer's own")
            # left: as what a link began
            again.last_state_change = "2026-01-01"
            for login in ("stranger_user", None):
                self._sign_in(login)
                begun = self._start_transaction(**route)
                self.assertEqual((again.state, begun.state), ("cancel", "draft"))
                again = begun

    def test_a5_amounts(self):
        route = self._become_invoice()
        for amount in (345.01, 1000.0, 0.0, 0.004, 1e-9, -5.0, None, "x", "inf", "nan", 1e308):
            with self.subTest(amount=amount):
                self._assert_transaction_refused(amount=amount, **route)
        self.assertFalse(self.notice.transaction_ids)

    def test_a5_validations(self):
        """A card is validated without money: Odoo posts the invoice that it was begun for."""
        self._assert_transaction_refused(is_validation=True)
        self._assert_waiting()
        route = self._become_invoice()
        self._assert_transaction_refused(is_validation=True, **route)
        self.assertFalse(self.notice.transaction_ids)

    def test_a5_tokens_of_other_kinds(self):
        route = self._become_invoice()["route"]
        own = self.notice.access_token
        for token in (None, True, [own], {"a": own}, 7, "", "é", own[:-1], "%", own + "\x00"):
            with self.subTest(token=token), mute_logger("odoo.http"):
                with self.assertRaisesRegex(JsonRpcException, "ValidationError"):
                    self.make_jsonrpc_request(route, {"access_token": token, "amount": 345.0})
        response = self.url_open(f"/my/invoices/{10**12}?access_token={own}")
        self.assertLess(response.status_code, 500)
        self.assertFalse(self.notice.transaction_ids)

    def test_a5_the_rest_after_a_part(self):
        route = self._become_invoice()
        part = self._start_transaction(amount=100.0, **route)
        self._finish(part, "pending")
        self._assert_transaction_refused(amount=345.0, **route)
        rest = self._start_transaction(amount=245.0, **route)
        self.assertEqual(part.state, "pending", "only what was left is cancelled")
        self._finish(part, "done")
        self.assertEqual(self.notice.amount_residual, 245.0)
        self._finish(rest, "done")
        self._assert_paid_once()

    def test_a5_failed_and_left(self):
        """Neither blocks another try."""
        route = self._become_invoice()
        self._start_transaction(**route)
        self._finish(self._start_transaction(**route), "canceled")
        self._finish(self._start_transaction(**route), "done")
        self._assert_paid_once()
