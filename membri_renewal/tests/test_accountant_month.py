from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common_payments import MembriPaymentCommon


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestAccountantMonth(MembriPaymentCommon):
    """Issue 12: what an accountant met who booked a month and took things back."""

    def test_a1_draft_payment_is_no_money(self):
        """Odoo says *in payment* after the first payment without entry, be it for a part; one
        that is a draft does not make it whole."""
        self._run_cron("ir_cron_update_states")
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            part = self._pay(self.invoice, 100.0)
            draft = self.env_account["account.payment"].create(
                {
                    "amount": 244.93,
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": self.invoice.partner_id.id,
                    "journal_id": part.journal_id.id,
                    "invoice_ids": [Command.set(self.invoice.ids)],
                }
            )
            self.assertEqual((part.state, draft.state), ("in_process", "draft"))
            self.assertEqual(self.invoice.payment_state, "in_payment")
            self.assertFalse(self.invoice._membri_is_paid())
            self.assertFalse(self.invoice._membri_has_receipt())
            self.assertEqual(self.invoice._membri_get_received(), 100.0)
            self.assertTrue(self.invoice._membri_is_money_under_way())
            self._assert_follows("pending")
            draft.action_post()
            self._assert_follows("active")
            self.assertEqual(self.invoice._membri_get_received(), 344.93)
