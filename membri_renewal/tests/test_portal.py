from unittest.mock import patch
from urllib.parse import parse_qs, urlparse

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from .common import MembriCommon

ANSWERS = ("accept", "request_change", "decline")
STATES = (
    "draft",
    "sent",
    "change_requested",
    "intervention",
    "approved",
    "refused",
    "cancelled",
)
SHOWN_STATES = ("sent", "change_requested", "intervention", "approved", "refused")
ANSWERABLE_STATES = ("sent", "change_requested")
# where each answer is offered on the page: a form, or the way to one
WAY_TO = {"accept": "accept", "request_change": "change", "decline": "leave"}
STATE_AFTER = {"accept": "approved", "request_change": "change_requested", "decline": "refused"}
# who: (login, token), may see, may answer
VISITORS = {
    "nobody": ((None, None), False, False),
    "wrong token": ((None, "wrong"), False, False),
    "right token": ((None, "right"), True, True),
    "member": (("member_user", None), True, True),
    "colleague": (("colleague_user", None), True, True),
    "colleague, wrong token": (("colleague_user", "wrong"), True, True),
    "other member": (("stranger_user", None), False, False),
    "other member, wrong token": (("stranger_user", "wrong"), False, False),
    "other member, right token": (("stranger_user", "right"), True, True),
    "employee": (("employee", None), False, False),
    "auditor": (("auditor", None), True, False),
    "officer": (("officer", None), True, True),
}


class PortalCase(MembriCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.membri_portal_decline = True
        cls.corporation = cls._create_member("Boulanger Ltd", is_company=True)
        cls.member.parent_id = cls.corporation
        cls.colleague = cls._create_member("Carl Colleague", parent_id=cls.corporation.id)
        cls.stranger = cls._create_member("Sam Stranger")
        cls.member_user = cls._create_portal_user("member_user", cls.member)
        cls.colleague_user = cls._create_portal_user("colleague_user", cls.colleague)
        cls.stranger_user = cls._create_portal_user("stranger_user", cls.stranger)

    @classmethod
    def _create_portal_user(cls, login, partner):
        return new_test_user(
            cls.env_root,
            login,
            "base.group_portal",
            partner_id=partner.id,
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )

    def _renewal_of_corporation(self, state):
        """A renewal of another contact of the corporation, sent before it went to ``state``."""
        renewal = self._renewal_in("draft" if state == "cancelled" else "sent")
        renewal.partner_id.parent_id = self.corporation
        if state in ("draft", "approved"):
            renewal.action_approve()
        if state == "draft":
            renewal.action_reset()  # a draft with a link that was sent
        elif state == "cancelled":
            renewal.action_send()
            renewal.action_cancel()
        elif state == "change_requested":
            renewal.action_request_change("Please call me")
        elif state == "intervention":
            renewal.action_require_intervention("Call before sending")
        elif state == "refused":
            self._refuse(renewal)
        self.assertEqual(renewal.state, state)
        return renewal

    def _sign_in(self, login):
        self.authenticate(login, login and login + "x" * (8 - len(login)))

    def _get_token(self, renewal, kind):
        return {"right": renewal.sudo().access_token, "wrong": "0" * 36, None: None}[kind]

    def _open(self, renewal, token=None, suffix="", **query):
        query = {"access_token": token, **query}
        query_string = "&".join(f"{key}={value}" for key, value in query.items() if value)
        response = self.url_open(
            f"/my/renewals/{renewal.id}{suffix}?{query_string}", allow_redirects=False
        )
        self.env.invalidate_all()
        self.assertLess(response.status_code, 500)
        return response

    def _answer(self, renewal, answer, token=None, **data):
        """POST an answer; returns the response, not followed."""
        if answer == "request_change":
            data.setdefault("message", "Another option, please")
        elif answer == "decline":
            data.setdefault("reason_id", self.reason.id)
        data["csrf_token"] = http.Request.csrf_token(self)
        if token:
            data["access_token"] = token
        self.env.flush_all()
        response = self.url_open(
            f"/my/renewals/{renewal.id}/{answer}", data=data, allow_redirects=False
        )
        self.env.invalidate_all()
        self.assertLess(response.status_code, 500)
        return response

    def _get_error(self, response):
        self.assertEqual(response.status_code, 303)
        query = parse_qs(urlparse(response.headers["Location"]).query)
        return query.get("error", [False])[0]

    def _assert_turned_away(self, response, message=None):
        self.assertEqual(response.status_code, 303, message)
        self.assertEqual(urlparse(response.headers["Location"]).path, "/my", message)


@tagged("post_install", "-at_install")
class TestPortalAccess(PortalCase):
    """Who × state × answer: what is not allowed changes nothing and tells nothing."""

    def test_pages(self):
        renewals = {state: self._renewal_of_corporation(state) for state in STATES}
        for who, ((login, token), may_see, may_answer) in VISITORS.items():
            self._sign_in(login)
            for state, renewal in renewals.items():
                with self.subTest(who=who, state=state):
                    before = self._snapshot(renewal)
                    response = self._open(renewal, self._get_token(renewal, token))
                    if may_see and state in SHOWN_STATES:
                        self.assertEqual(response.status_code, 200)
                        self.assertIn(renewal.partner_id.name, response.text)
                        offered = state in ANSWERABLE_STATES and may_answer
                        for answer in ANSWERS:
                            way = f"/my/renewals/{renewal.id}/{WAY_TO[answer]}"
                            self.assertEqual(way in response.text, offered, answer)
                        self.assertNotIn("Call before sending", response.text)
                    else:
                        self._assert_turned_away(response)
                    self.assertEqual(self._snapshot(renewal), before, "a GET changes nothing")

    def test_unknown_renewal(self):
        self._sign_in(None)
        unknown = self.env["membri.renewal"].browse(987654321)
        self._assert_turned_away(self._open(unknown, "0" * 36))
        self._assert_turned_away(self._answer(unknown, "accept", "0" * 36))

    def test_answers_that_are_not_allowed(self):
        renewals = {state: self._renewal_of_corporation(state) for state in STATES}
        for who, ((login, token), may_see, may_answer) in VISITORS.items():
            self._sign_in(login)
            for state, renewal in renewals.items():
                if may_answer and state in ANSWERABLE_STATES:
                    continue
                before = self._snapshot(renewal)
                for answer in ANSWERS:
                    with self.subTest(who=who, state=state, answer=answer):
                        response = self._answer(renewal, answer, self._get_token(renewal, token))
                        if not may_see or state not in SHOWN_STATES:
                            self._assert_turned_away(response)
                        elif not may_answer:
                            self.assertEqual(self._get_error(response), "no_right")
                        elif state == STATE_AFTER[answer]:
                            self.assertFalse(self._get_error(response), "as if double-clicked")
                        else:
                            self.assertEqual(self._get_error(response), "not_now")
                        self.assertEqual(self._snapshot(renewal), before)

    def test_answers_that_are_allowed(self):
        for who, ((login, token), _may_see, may_answer) in VISITORS.items():
            if not may_answer:
                continue
            for state in ANSWERABLE_STATES:
                for answer in ANSWERS:
                    with self.subTest(who=who, state=state, answer=answer):
                        renewal = self._renewal_of_corporation(state)
                        self._sign_in(login)
                        response = self._answer(renewal, answer, self._get_token(renewal, token))
                        self.assertFalse(self._get_error(response))
                        self.assertEqual(renewal.state, STATE_AFTER[answer])

    def test_get_on_the_answer_routes(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        before = self._snapshot(renewal)
        for answer in ANSWERS:
            with mute_logger("odoo.http"):
                response = self._open(renewal, renewal.sudo().access_token, f"/{answer}")
            self.assertEqual(response.status_code, 405)
        self.assertEqual(self._snapshot(renewal), before)

    def test_post_without_csrf_token(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in("member_user")
        with mute_logger("odoo.http"):
            response = self.url_open(f"/my/renewals/{renewal.id}/accept", data={"csrf_token": "x"})
        self.assertEqual(response.status_code, 400)
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "sent")

    def test_decline_is_a_setting(self):
        self.company.membri_portal_decline = False
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        self.assertNotIn("/leave", self._open(renewal, token).text)
        self.assertEqual(self._get_error(self._answer(renewal, "decline", token)), "not_now")
        self.assertEqual(renewal.state, "sent")

    def test_list_and_home(self):
        mine = self._renewal_of_corporation("sent")
        drafted = self._renewal_of_corporation("draft")
        other = self._renewal_in("sent")
        self._sign_in("colleague_user")
        page = self.url_open("/my/renewals").text
        self.assertIn(mine.name, page)
        self.assertNotIn(drafted.name, page)
        self.assertNotIn(other.name, page)
        counters = self.make_jsonrpc_request(
            "/my/counters", {"counters": ["renewal_count", "renewal_to_answer_count"]}
        )
        self.assertEqual(counters, {"renewal_count": 1, "renewal_to_answer_count": 1})
        self.assertIn("/my/renewals", self.url_open("/my").text)
        for login in ("officer", "employee", "stranger_user"):
            self._sign_in(login)
            page = self.url_open("/my/renewals").text
            self.assertNotIn(mine.name, page, f"{login} sees only what is their own")

    def test_pdf(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        before = self._snapshot(renewal)
        response = self._open(renewal, token, report_type="pdf", download="true")
        self.assertEqual(response.headers["Content-Type"], "application/pdf")
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self._assert_turned_away(self._open(renewal, "0" * 36, report_type="pdf"))
        self.assertEqual(self._snapshot(renewal), before)


@tagged("post_install", "-at_install")
class TestPortalRpc(PortalCase):
    """Portal users read their own renewals over RPC, and nothing more."""

    def test_reading(self):
        mine = self._renewal_of_corporation("change_requested")
        drafted = self._renewal_of_corporation("draft")
        other = self._renewal_in("sent")
        Renewal = self.env["membri.renewal"].with_user(self.colleague_user)
        self.assertEqual(Renewal.search([]), mine)
        self.assertTrue(Renewal.search([]).read(), "everything that is left can be read")
        for hidden in drafted, other:
            with self.assertRaises(AccessError):
                hidden.with_user(self.colleague_user).read(["name"])
        for field in (
            "access_token",
            "change_request",
            "delivery_note",
            "delivery_state",
            "intervention_reason",
            "recipient_email",
            "refusal_note",
            "refusal_reason_id",
            "reminder_log_ids",
        ):
            with self.subTest(field=field), self.assertRaises(AccessError):
                Renewal.search([]).read([field])

    def test_auditors_get_no_link(self):
        """Who holds the link can answer: those who may only look do not get it."""
        renewal = self._renewal_of_corporation("sent")
        with self.assertRaises(AccessError):
            renewal.with_user(self.auditor).read(["access_token"])

    def test_writing(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in("colleague_user")
        calls = [
            ("write", [renewal.ids, {"state": "approved"}]),
            ("write", [renewal.ids, {"date_follow_up": "2027-01-01"}]),
            ("unlink", [renewal.ids]),
            ("create", [{"cotisation_id": renewal.sudo().cotisation_id.id}]),
            ("action_approve", [renewal.ids]),
            ("action_send", [renewal.ids]),
            ("action_request_change", [renewal.ids, "x"]),
            ("action_require_intervention", [renewal.ids, "x"]),
            ("action_refuse", [renewal.ids]),
            ("action_cancel", [renewal.ids]),
            ("action_reset", [renewal.ids]),
            ("action_send_reminder", [renewal.ids]),
            ("action_bulk", [renewal.ids, "approve"]),
            ("message_post", [renewal.ids]),
        ]
        before = self._snapshot(renewal)
        for method, args in calls:
            with self.subTest(method=method), mute_logger("odoo.http"):
                with self.assertRaises(JsonRpcException):
                    self.make_jsonrpc_request(
                        "/web/dataset/call_kw",
                        {"model": "membri.renewal", "method": method, "args": args, "kwargs": {}},
                    )
                self.assertEqual(self._snapshot(renewal), before)


@tagged("post_install", "-at_install")
class TestPortalAnswers(PortalCase):
    """What an answer does."""

    def test_accept_twice(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        self.assertFalse(self._get_error(self._answer(renewal, "accept", token)))
        invoice = renewal.invoice_id
        self.assertEqual(invoice.state, "posted")
        self.assertFalse(self._get_error(self._answer(renewal, "accept", token)))
        self.assertEqual(renewal.invoice_ids, invoice)
        self.assertEqual(len(renewal.cotisation_id.next_ids), 1)

    def test_accept_tells_who(self):
        by_link = self._renewal_of_corporation("sent")
        self._sign_in(None)
        self._answer(by_link, "accept", by_link.sudo().access_token)
        message = by_link.message_ids.filtered(lambda m: "Accepted on the portal" in m.body)
        self.assertEqual(message.author_id, by_link.recipient_id)
        self.assertIn(by_link.recipient_id.email, message.body)
        logged_in = self._renewal_of_corporation("sent")
        self._sign_in("colleague_user")
        self._answer(logged_in, "accept")
        message = logged_in.message_ids.filtered(lambda m: "accepted the renewal" in m.body)
        self.assertEqual(message.author_id, self.colleague)
        for contact in logged_in.partner_id, self.corporation:
            self.assertTrue(
                contact.message_ids.filtered(lambda m: "accepted the renewal" in m.body)
            )

    def test_accept_leads_to_the_invoice(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        self._answer(renewal, "accept", token)
        invoice = renewal.invoice_id
        self.assertTrue(invoice.access_token)
        page = self._open(renewal, token).text
        self.assertIn(f"/my/invoices/{invoice.id}?access_token={invoice.access_token}", page)
        response = self.url_open(f"/my/invoices/{invoice.id}?access_token={invoice.access_token}")
        self.assertEqual(response.status_code, 200)
        self._pay(invoice)
        page = self._open(renewal, token).text
        self.assertIn("accepted and paid", page)

    def test_accept_what_has_changed_meanwhile(self):
        renewal = self._renewal_of_corporation("change_requested")
        token = renewal.sudo().access_token
        seen = renewal._get_proposal_key()
        renewal.line_ids.price_unit = 500.0
        self._sign_in(None)
        response = self._answer(renewal, "accept", token, proposal_key=seen)
        self.assertEqual(self._get_error(response), "changed")
        self.assertEqual(renewal.state, "change_requested")
        response = self._answer(renewal, "accept", token, proposal_key=renewal._get_proposal_key())
        self.assertFalse(self._get_error(response))
        self.assertEqual(renewal.invoice_id.amount_untaxed, 500.0)

    def test_request_change(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        attack = "  <script>alert(1)</script>\r\nand <b>bold</b>\r\n "
        self._answer(renewal, "request_change", token, message=attack)
        self.assertEqual(renewal.change_request, "<script>alert(1)</script>\nand <b>bold</b>")
        bodies = renewal.message_ids + renewal.partner_id.message_ids + self.corporation.message_ids
        bodies = "".join(bodies.mapped("body"))
        self.assertIn("&lt;script&gt;", bodies)
        self.assertNotIn("<script>", bodies)
        self.assertNotIn("<b>bold", bodies)
        notified = renewal.message_ids.filtered(lambda m: "requested on the portal" in m.body)
        self.assertEqual(notified.notified_partner_ids, self.officer.partner_id)
        self.assertNotIn("alert(1)", self._open(renewal, token).text)

    def test_request_change_needs_words(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        for message, error in (
            ("", "empty"),
            (" \r\n ", "empty"),
            ("x" * 2001, "too_long"),
            ("\r\n".join(["x" * 999, "x" * 1000]), False),
        ):
            response = self._answer(renewal, "request_change", token, message=message)
            self.assertEqual(self._get_error(response), error)
            page = self.url_open(response.headers["Location"]).text
            self.assertEqual("membri_error" in page, bool(error))
        self.assertEqual(renewal.state, "change_requested")

    def test_decline(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        system_reason = self.env.ref("membri_renewal.refusal_reason_no_answer")
        for reason in ("", "x", system_reason.id, 987654321):
            response = self._answer(renewal, "decline", token, reason_id=reason)
            self.assertEqual(self._get_error(response), "no_reason")
        self.assertEqual(renewal.state, "sent")
        self._answer(renewal, "decline", token, comment="<i>Sorry</i>")
        self.assertEqual(renewal.state, "refused")
        self.assertEqual(renewal.refusal_reason_id, self.reason)
        self.assertEqual(renewal.refusal_note, "<i>Sorry</i>")
        self.assertNotIn("<i>Sorry", "".join(renewal.message_ids.mapped("body")))
        self.assertNotIn("Sorry", self._open(renewal, token).text)

    @mute_logger("odoo.addons.membri_renewal.models.renewal_portal")
    def test_failure(self):
        """Nothing is half done, the member reads a sentence, the staff is told."""
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        Cotisation = type(self.env["membri.cotisation"])
        for error in (UserError("No income account"), ValueError("a bug of ours")):
            with patch.object(Cotisation, "_queue_invoices", side_effect=error):
                response = self._answer(renewal, "accept", token)
            self.assertEqual(self._get_error(response), "failed")
            page = self.url_open(response.headers["Location"]).text
            self.assertIn("Our staff has been told", page)
            self.assertNotIn(str(error), page)
            self.assertEqual(renewal.state, "sent")
            self.assertFalse(renewal.invoice_ids)
            self.assertFalse(renewal.cotisation_id.next_ids)
            self.assertEqual(renewal.delivery_state, "failed")
            self.assertIn(str(error), renewal.delivery_note)
        self.assertEqual(renewal.activity_ids.user_id, self.officer)
        self._answer(renewal, "accept", token)
        self.assertEqual(renewal.state, "approved", "once repaired, it works")

    def test_busy(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        Renewal = type(renewal)
        with patch.object(Renewal, "_wait_for_lock", return_value=False):
            response = self._answer(renewal, "accept", renewal.sudo().access_token)
        self.assertEqual(self._get_error(response), "busy")
        self.assertEqual(renewal.state, "sent")

    def test_proposal_that_is_over(self):
        cotisation = self._create_cotisation(self.member, "2020-01-01", state="expired")
        renewal = self._create_renewal(cotisation)
        renewal.action_send()
        self._sign_in(None)
        token = renewal.sudo().access_token
        page = self._open(renewal, token).text
        self.assertNotIn(f"/my/renewals/{renewal.id}/accept", page)
        self.assertIn(f"/my/renewals/{renewal.id}/change", page)
        self.assertEqual(self._get_error(self._answer(renewal, "accept", token)), "not_now")
        self.assertEqual(renewal.state, "sent")

    def test_late_member_sees_the_fresh_term(self):
        """What is shown is what accepting gives, also when the set starts late members afresh."""
        self.yearly.sudo().write({"late_policy": "restart", "grace_days": 0})
        today = self.company._membri_today()
        start = today.replace(year=today.year - 1, day=1)
        start = (
            start.replace(month=start.month - 1)
            if start.month > 1
            else start.replace(year=start.year - 1, month=12)
        )
        renewal = self._create_renewal(self._create_cotisation(self.member, start, state="expired"))
        renewal.action_send()
        self._sign_in(None)
        token = renewal.sudo().access_token
        shown = renewal._get_proposal()
        self.assertEqual(shown.date_start, today)
        self.assertNotEqual(renewal.date_start, today, "nothing is written by looking")
        term, total = shown.term_display, shown.amount_total
        self.assertEqual(total, 345.0)
        self.assertIn(term, self._open(renewal, token).text)
        self._answer(renewal, "accept", token, proposal_key=renewal._get_proposal_key())
        self.assertEqual(renewal.new_cotisation_id.term_display, term)
        self.assertEqual(renewal.new_cotisation_id.amount_total, total)


@tagged("post_install", "-at_install")
class TestPortalTour(PortalCase):
    """On a phone, by the link of the email, without signing in."""

    browser_size = "375x667"
    touch_enabled = True

    def _get_path(self, renewal):
        return renewal._get_answer_url().removeprefix(renewal.get_base_url())

    def test_accept(self):
        renewal = self._renewal_of_corporation("sent")
        self.start_tour(self._get_path(renewal), "membri_portal_accept")
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "approved")

    def test_request_change(self):
        renewal = self._renewal_of_corporation("sent")
        self.start_tour(self._get_path(renewal), "membri_portal_request_change")
        self.env.invalidate_all()
        self.assertEqual(renewal.change_request, "Please add the directory listing")
