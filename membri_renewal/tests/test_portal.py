from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.sql_db import Cursor
from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from .common_portal import PortalCase

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
    "person in charge": (("member_user", None), True, True),
    "person in charge, wrong token": (("member_user", "wrong"), True, True),
    "colleague": (("colleague_user", None), False, False),
    "colleague, wrong token": (("colleague_user", "wrong"), False, False),
    "colleague, right token": (("colleague_user", "right"), True, True),
    "other member": (("stranger_user", None), False, False),
    "other member, wrong token": (("stranger_user", "wrong"), False, False),
    "other member, right token": (("stranger_user", "right"), True, True),
    "employee": (("employee", None), False, False),
    "auditor": (("auditor", None), True, False),
    "officer": (("officer", None), True, True),
}


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
                    elif token == "right" and renewal.date_sent:
                        self.assertRegex(
                            response.text, r"(updating this renewal|renewal was withdrawn)"
                        )
                        self.assertNotIn(renewal.partner_id.name, response.text)
                    else:
                        self._assert_turned_away(response)
                    self.assertEqual(self._snapshot(renewal), before, "a GET changes nothing")

    def test_page_reads_by_name(self):
        """Issue 14: the page reads of company, member, officer, plan, options and taxes what it
        shows, and looks for no rights of a visitor who has the key."""
        renewal = self._renewal_in("sent")
        token = renewal.sudo().access_token
        self._open(renewal, token)  # warm caches
        statements, execute = [], Cursor.execute

        def record(cursor, query, *args, **kwargs):
            statements.append(str(getattr(query, "code", query)))
            return execute(cursor, query, *args, **kwargs)

        with patch.object(Cursor, "execute", record):
            self.assertEqual(self._open(renewal, token).status_code, 200)
        page = " ".join(statements)
        self.assertIn('"res_company"."membri_tz"', page)
        self.assertNotIn('"res_company"."membri_go_live"', page)
        self.assertIn('"property_account_position_id"', page)
        # of the payer's accounts the one that would be booked, which must not be archived
        self.assertIn('"property_account_receivable_id"', page)
        self.assertNotIn('"property_account_payable_id"', page)
        for column in (
            '"res_partner"."color"',
            '"product_template"."list_price"',
            '"membri_cotisation"."origin"',
            '"account_tax"."invoice_label"',
        ):
            self.assertNotIn(column, page)
        self.assertNotIn("ir_model_access", page)

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
                        if token == "right" and state not in SHOWN_STATES:
                            self.assertRegex(
                                response.text, r"(updating this renewal|renewal was withdrawn)"
                            )
                        elif not may_see or state not in SHOWN_STATES:
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

    def test_list_and_home(self):
        mine = self._renewal_of_corporation("sent")
        drafted = self._renewal_of_corporation("draft")
        other = self._renewal_in("sent")
        self._sign_in("member_user")
        page = self.url_open("/my/renewals").text
        self.assertIn(mine.name, page)
        self.assertNotIn(drafted.name, page)
        self.assertNotIn(other.name, page)
        counters = self.make_jsonrpc_request(
            "/my/counters", {"counters": ["renewal_count", "renewal_to_answer_count"]}
        )
        self.assertEqual(counters, {"renewal_count": 1, "renewal_to_answer_count": 1})
        self.assertIn("/my/renewals", self.url_open("/my").text)
        for login in ("officer", "employee", "stranger_user", "colleague_user"):
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
        Renewal = self.env["membri.renewal"].with_user(self.member_user)
        self.assertEqual(Renewal.search([]), mine)
        self.assertTrue(Renewal.search([]).read(), "everything that is left can be read")
        for hidden in drafted, other:
            with self.assertRaises(AccessError):
                hidden.with_user(self.member_user).read(["name"])
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
        self._sign_in("member_user")
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
