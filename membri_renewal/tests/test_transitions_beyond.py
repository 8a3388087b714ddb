from freezegun import freeze_time

from odoo.tests import tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestTransitionsBeyondTheTable(MembriCommon):
    """Specification §2 below its table: invoice mode, round trips, the system transition."""

    def test_invoice_mode_bends_only_the_sending_of_a_draft(self):
        for steps, state in (
            (("action_require_intervention",), "intervention"),
            (("action_cancel",), "cancelled"),
            (("action_approve",), "approved"),
            (("action_send",), "approved"),
            (("action_require_intervention", "action_send"), "sent"),
        ):
            with self.subTest(steps=steps):
                renewal = self._create_renewal(self._create_yearly(), mode="invoice")
                for step in steps:
                    getattr(renewal, step)()
                self.assertEqual(renewal.state, state)
                self.assertEqual(bool(renewal.invoice_id), state == "approved")

    def test_flag_there_and_back_twice(self):
        """The state before is that of each time, also when the reason changes in between."""
        renewal = self._renewal_in("sent")
        for before in ("sent", "change_requested"):
            if before == "change_requested":
                renewal.action_request_change("A larger listing")
            renewal.action_require_intervention("Call them")
            renewal.action_require_intervention("Call them again")
            self.assertEqual(renewal.state, "intervention")
            renewal.partner_id.membri_intervention_required = False
            self.assertEqual(renewal.state, before)
            self.assertFalse(renewal.activity_ids)

    def test_invoice_cancelled_outside_of_a_reset(self):
        renewal = self._renewal_in("approved")
        invoice, cotisation = renewal.invoice_id, renewal.new_cotisation_id
        invoice.with_env(self.env_account).button_cancel()
        self.assertRecordValues(
            renewal, [{"state": "intervention", "invoice_id": False, "new_cotisation_id": False}]
        )
        self.assertTrue(renewal.intervention_reason)
        self.assertTrue(renewal.partner_id.membri_intervention_required)
        self.assertEqual(cotisation.state, "cancelled")
        renewal.partner_id.membri_intervention_required = False
        self.assertEqual(renewal.state, "draft")
        renewal.action_approve()
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
