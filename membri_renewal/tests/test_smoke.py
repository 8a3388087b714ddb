from freezegun import freeze_time

from odoo.tests import tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestWholeRenewal(MembriCommon):
    """From notice to active term, as specification §5 tells it."""

    @freeze_time("2026-11-15 15:00:00")
    def test_notice_accept_pay_activate(self):
        current = self._create_cotisation(self.member, "2026-01-01")
        self.assertEqual(current.date_end.isoformat(), "2026-12-31")
        self._run_cron("ir_cron_generate")
        renewal = current.renewal_ids
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "sent",
                    "mode": "notice",
                    "amount_untaxed": 300.0,
                    "is_open": True,
                    "delivery_state": "queued",
                }
            ],
        )
        renewal.action_approve()
        self.assertEqual(renewal.state, "approved")
        self.assertEqual(renewal.invoice_id.state, "posted")
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self._pay(renewal.invoice_id)
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
        self.assertTrue(renewal.is_paid)
        with freeze_time("2027-01-01 12:00:00"):
            self._run_cron("ir_cron_update_states")
        self.assertEqual(current.state, "expired")
        self.assertEqual(renewal.new_cotisation_id.state, "active")
        self.assertEqual(self.member.membri_status, "active")
        self.assertEqual(self.member.membri_cotisation_id, renewal.new_cotisation_id)
