from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import html2plaintext

from .common_change_request import ChangeRequestCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestBulkStart(ChangeRequestCommon):
    """What is about to be done on many is said before, and is what is done after."""

    def _ask_bulk(self, action, renewals):
        opened = renewals.action_ask_bulk(action)
        self.assertEqual(opened["target"], "new")
        return self.env[opened["res_model"]].browse(opened["res_id"])

    def _say(self, wizard):
        return " ".join(html2plaintext(wizard.explanation).split())

    def test_approve(self):
        good = self._renewal_in("sent") | self._renewal_in("draft")
        held, done = self._renewal_in("intervention"), self._renewal_in("approved")
        before = self._snapshot(good | held | done)
        wizard = self._ask_bulk("approve", good | held | done)
        said = self._say(wizard)
        self.assertIn("To approve and invoice: 3 ($ 1,035.00)", said.replace("\xa0", " "))
        self.assertIn("Interventions required: 1", said)
        self.assertIn(f"{done.display_name} cannot be", said)
        self.assertNotIn("background", said)
        self.assertEqual(wizard.ready_count, 3)
        self.assertEqual(self._snapshot(good | held | done), before, "nothing is done yet")
        action = wizard.action_confirm()
        self.assertEqual((good | held).mapped("state"), ["approved"] * 3)
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual((job.done_count, job.skipped_count), (3, 1))

    def test_thousands_are_told_by_their_states(self):
        """As said of a screenful, without asking each: the same figures, in few queries."""
        renewals = self._renewal_in("sent") | self._renewal_in("draft")
        left_out = self._renewal_in("approved") | self._renewal_in("refused")
        wizard = self._ask_bulk("approve", renewals | left_out)
        wizards = "odoo.addons.membri_renewal.wizard"
        with (
            patch(f"{wizards}.bulk_selection.FOREGROUND_LIMIT", 2),
            patch(f"{wizards}.bulk_start.TOTALS_LIMIT", 2),
        ):
            self.env.flush_all()
            self.env.invalidate_all()
            with self.assertQueryCount(20):
                said = self._say(wizard)
        self.assertIn("Invoices may differ", said)
        self.assertIn("To approve and invoice: 2 ($ 690.00)", said.replace("\xa0", " "))
        self.assertIn("skipped because their status is “Approved”: 1.", said)
        self.assertIn("skipped because their status is “Declined”: 1.", said)
        self.assertIn("background", said)

    def test_send(self):
        notice = self._create_renewal(self._create_yearly())
        invoice = self._create_renewal(self._create_yearly(), mode="invoice")
        wizard = self._ask_bulk("send", notice | invoice)
        said = self._say(wizard)
        self.assertIn("Notices to send: 1", said)
        self.assertIn("To invoice right away, without a notice: 1", said)
        wizard.action_confirm()
        self.assertEqual((notice | invoice).mapped("state"), ["sent", "approved"])

    def test_remind(self):
        to_answer, to_pay = self._renewal_in("sent"), self._renewal_in("approved")
        paid = self._renewal_in("approved")
        self._pay(paid.invoice_id)
        wizard = self._ask_bulk("send_reminder", to_answer | to_pay | paid)
        said = self._say(wizard)
        self.assertIn("with a request to reply: 1", said)
        self.assertIn("Members to remind of what they owe: 1", said)
        self.assertIn(f"{paid.display_name} is paid", said)
        wizard.action_confirm()
        self.assertEqual((to_answer | to_pay | paid).mapped("reminder_count"), [1, 1, 0])

    def test_reminding_of_what_is_not_late_is_told(self):
        """Who was approved a minute ago must not get a payment reminder unseen."""
        with freeze_time("2026-11-10 15:00:00"):
            late = self._renewal_in("approved")
            late.invoice_id.sudo().button_draft()
            late.invoice_id.sudo().invoice_date_due = "2026-11-14"
            late.invoice_id.sudo().action_post()
        fresh = self._renewal_in("approved")
        self.assertEqual((late | fresh).mapped("in_arrears"), [True, False])
        said = self._say(self._ask_bulk("send_reminder", late | fresh))
        self.assertIn("Members to remind of what they owe: 2", said)
        self.assertIn("Payments not yet late, among these: 1.", said)
        self.assertNotIn("not yet late", self._say(self._ask_bulk("send_reminder", late)))

    def test_several_of_the_same_status_are_counted(self):
        done = self._renewal_in("approved") | self._renewal_in("approved")
        refused = self._renewal_in("refused")
        said = self._say(self._ask_bulk("approve", done | refused | self._renewal_in("sent")))
        self.assertIn("skipped because their status is “Approved”: 2.", said)
        self.assertNotIn(done[0].display_name, said)
        self.assertIn(f"{refused.display_name} cannot be", said)

    def test_nothing_can_be_done(self):
        refused = self._renewal_in("refused")
        wizard = self._ask_bulk("approve", refused)
        self.assertFalse(wizard.ready_count)
        self.assertIn("contains nothing to process", self._say(wizard))

    def test_only_what_it_explains(self):
        renewal = self._renewal_in("sent")
        with self.assertRaisesRegex(UserError, "“refuse” is not available for several renewals"):
            renewal.action_ask_bulk("refuse")
        with self.assertRaises(AccessError):
            renewal.with_user(self.auditor).action_ask_bulk("approve")
        self.assertEqual(renewal.state, "sent")

    # ------------------------------------------------------------------
    # *Apply and approve* on many change requests
    # ------------------------------------------------------------------

    def test_apply_and_approve_several(self):
        """Each gets what it asked for; who asked in free words only is left to the officer."""
        smaller, larger, by_phone = (self._renewal_of_full() for _number in range(3))
        self._ask(smaller, option_set=self.small)
        self._ask(larger, quantities={self.membership_line: 1.0, self.extra_line: 3.0})
        by_phone.action_request_change("Please call me")
        renewals = smaller | larger | by_phone
        self.assertIn(
            "Change requests that will not be applied: 2",
            self._say(self._ask_bulk("approve", renewals)),
        )
        wizard = self._ask_bulk("apply_and_approve", renewals)
        said = self._say(wizard)
        self.assertIn("to apply as requested, then approve and invoice: 2", said)
        self.assertIn(by_phone.display_name, said)
        wizard.action_confirm()
        self.assertEqual(renewals.mapped("state"), ["approved", "approved", "change_requested"])
        self.assertEqual(smaller.invoice_id.amount_untaxed, 120.0)
        self.assertEqual(larger.invoice_id.amount_untaxed, 450.0)
        self.assertEqual((smaller | larger).change_request_id.mapped("state"), ["applied"] * 2)
        self.assertFalse(by_phone.invoice_id)

    def test_one_that_cannot_be_granted_stops_no_other(self):
        good, bad = self._renewal_of_full(), self._renewal_of_full()
        self._ask(good, option_set=self.small)
        self._ask(bad, quantities={self.membership_line: 1.0, self.extra_line: 2.0})
        self.extra.with_env(self.env_root).active = False
        self._ask_bulk("apply_and_approve", good | bad).action_confirm()
        self.assertEqual((good | bad).mapped("state"), ["approved", "change_requested"])
        self.assertEqual(bad.change_request_id.state, "pending", "nothing half done stays behind")
        self.assertTrue(self.env["membri.bulk.job"].search([], limit=1).problem_line_ids.message)

    # ------------------------------------------------------------------
    # The refusal says it, too
    # ------------------------------------------------------------------

    def test_refuse(self):
        sent, approved = self._renewal_in("sent"), self._renewal_in("approved")
        wizard = self.env["membri.renewal.refuse"].create(
            {"renewal_ids": (sent | approved).ids, "reason_id": self.reason.id}
        )
        self.assertEqual((wizard.renewal_count, wizard.ready_count), (2, 1))
        self.assertIn(
            f"{approved.display_name} cannot be declined", html2plaintext(wizard.explanation)
        )
        wizard.renewal_ids = sent
        self.assertFalse(wizard.explanation)
