from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common_change_request import ChangeRequestCommon
from .common_portal import PortalCase


@tagged("post_install", "-at_install")
class TestPortalDecline(PortalCase):
    """Leaving on the portal, where the organisation allows it."""

    def test_decline_is_a_setting(self):
        self.company.membri_portal_decline = False
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        self.assertNotIn("/leave", self._open(renewal, token).text)
        response = self._open(renewal, token, "/leave")
        self.assertIn(f"/my/renewals/{renewal.id}?", response.headers["Location"])
        for answer in ("decline", "counter_offer", "call"):
            self.assertEqual(self._get_error(self._answer(renewal, answer, token)), "not_now")
        self.assertEqual(renewal.state, "sent")

    def test_decline(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        system_reason = self.env.ref("membri_renewal.refusal_reason_no_answer")
        for reason in ("", "x", system_reason.id, 987654321):
            response = self._answer(renewal, "decline", token, reason_id=reason)
            self.assertEqual(self._get_error(response), "no_reason")
            page = self.url_open(response.headers["Location"]).text
            self.assertIn("membri_error", page)
            self.assertIn("membri_leave_form", page, "the form is there to correct")
        self.assertEqual(renewal.state, "sent")
        self._answer(renewal, "decline", token, comment="<i>Sorry</i>")
        self.assertEqual(renewal.state, "refused")
        self.assertEqual(renewal.refusal_reason_id, self.reason)
        self.assertEqual(renewal.refusal_note, "<i>Sorry</i>")
        self.assertNotIn("<i>Sorry", "".join(renewal.message_ids.mapped("body")))
        self.assertNotIn("Sorry", self._open(renewal, token).text)
        response = self._open(renewal, token, "/leave")
        self.assertIn(f"/my/renewals/{renewal.id}?", response.headers["Location"])

    def test_decline_after_a_reset(self):
        """The member has an invoice that the reset cancelled: now there is no other one."""
        renewal = self._renewal_of_corporation("approved")
        invoice = renewal.invoice_id.sudo()
        invoice.membri_date_sent = "2026-11-10 15:00:00"
        renewal.action_reset()
        self.assertEqual((invoice.state, invoice.membri_released_state), ("cancel", "undecided"))
        renewal.action_send()
        self._sign_in(None)
        self._answer(renewal, "decline", renewal.sudo().access_token)
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "refused")
        self.assertIn(invoice.membri_released_state, ("queued", "told"))

    def test_call(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        call = {"time": "morning", "phone": "+1 555 0100", "comment": "<b>After</b> my holidays"}
        for _click in range(2):
            response = self._answer(renewal, "call", token, **call)
            self.assertFalse(self._get_error(response))
        reason = (
            "Call this member before they decide to leave: in the morning. Phone: +1 555 0100. "
            "<b>After</b> my holidays"
        )
        self.assertRecordValues(renewal, [{"state": "intervention", "intervention_reason": reason}])
        self.assertTrue(renewal.partner_id.membri_intervention_required)
        self.assertEqual(renewal.activity_ids.user_id, self.officer)
        self.assertEqual(renewal.activity_ids.summary, reason)
        bodies = "".join(renewal.message_ids.mapped("body"))
        self.assertEqual(bodies.count("Call requested on the portal"), 1)
        self.assertNotIn("<b>After", bodies)
        page = self._open(renewal, token).text
        self.assertIn("will contact you", page)
        self.assertNotIn("holidays", page)

    def test_call_is_a_setting(self):
        self.company.membri_portal_call = False
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        self.assertNotIn("membri_call", self._open(renewal, token, "/leave").text)
        self.assertEqual(self._get_error(self._answer(renewal, "call", token)), "not_now")
        self.assertEqual(renewal.state, "sent")

    def test_call_limits(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        for data in ({"comment": "x" * 2001}, {"phone": "5" * 33}):
            error = self._get_error(self._answer(renewal, "call", token, **data))
            self.assertEqual(error, "too_long")
        self.assertEqual(renewal.state, "sent")
        self.assertFalse(self._get_error(self._answer(renewal, "call", token, time="<never>")))
        self.assertIn("at any time", renewal.intervention_reason)


@tagged("post_install", "-at_install")
class TestCounterOffer(ChangeRequestCommon, PortalCase):
    """A smaller option set, before a member leaves: taken by one click, accepted by the next."""

    def _take(self, renewal, option_set=None, key=None):
        option_set = option_set or renewal._get_counter_offer()
        return self._get_error(
            self._answer(
                renewal,
                "counter_offer",
                renewal.sudo().access_token,
                option_set_id=option_set.id,
                proposal_key=key or renewal._get_proposal_key(),
            )
        )

    def test_take_and_accept(self):
        renewal = self._renewal_of_full()
        token = renewal.sudo().access_token
        self._sign_in(None)
        before = self._snapshot(renewal)
        page = self._open(renewal, token, "/leave").text
        self.assertIn("Small", page)
        self.assertIn("138.00", page)
        self.assertIn("less.", page)
        self.assertNotIn("Your request", page)  # nobody has asked for it
        self.assertEqual(self._snapshot(renewal), before)
        key = renewal._get_proposal_key()
        self.assertFalse(self._take(renewal, key=key))
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "change_requested",
                    "option_set_id": self.small.id,
                    "amount_total": 138.0,
                }
            ],
        )
        request = renewal.change_request_id
        self.assertRecordValues(request, [{"state": "applied", "origin": "counter_offer"}])
        self.assertIn("chose the counter-offer", renewal.change_request)
        self.assertFalse(self._take(renewal, self.small, key), "a second click does nothing")
        self.assertEqual(renewal.change_request_ids, request)
        page = self._open(renewal, token).text
        self.assertIn("We updated your renewal", page)
        self._answer(renewal, "accept", token, proposal_key=renewal._get_proposal_key())
        self.assertEqual(renewal.invoice_id.amount_total, 138.0)

    def test_second_click_takes_no_second_offer(self):
        tiny = self._create_option_set("Tiny", self.extra)
        self.small.sudo().counter_offer_id = tiny
        renewal = self._renewal_of_full()
        self._sign_in(None)
        key = renewal._get_proposal_key()
        self._take(renewal, self.small, key)
        self.assertFalse(self._take(renewal, self.small, key))
        self.assertEqual(renewal.option_set_id, self.small)
        self.assertEqual(self._take(renewal, tiny, key), "changed", "the page was not reloaded")
        self.assertFalse(self._take(renewal, tiny))
        self.assertEqual(renewal.option_set_id, tiny)

    def test_nothing_to_offer(self):
        renewal = self._renewal_of_full()
        self._sign_in(None)
        self.small.sudo().active = False
        page = self._open(renewal, renewal.sudo().access_token, "/leave").text
        self.assertNotIn("membri_counter_offer", page)
        before = self._snapshot(renewal)
        self.assertEqual(self._take(renewal, self.small), "not_now")
        self.assertEqual(self._snapshot(renewal), before)

    def test_no_offer_of_itself(self):
        with self.assertRaises(ValidationError):
            self.small.sudo().counter_offer_id = self.small
