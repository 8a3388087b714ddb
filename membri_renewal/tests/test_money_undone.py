from freezegun import freeze_time

from odoo.tests import tagged

from .common_payments import MembriPaymentCommon


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestMoneyUndone(MembriPaymentCommon):
    """What was paid goes away again: the member is one only as long as it is there."""

    def setUp(self):
        super().setUp()
        self._set_payment_account("outstanding")
        self._run_cron("ir_cron_update_states")
        self.payment = self._pay(self.invoice)
        self._assert_follows("active")

    def _get_receivable(self, move):
        return move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def _send_back(self, amount):
        """A payment to the member, posted."""
        payment = self.env_account["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": self.renewal.partner_id.id,
                "amount": amount,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.outstanding_account_id = self.payment.outstanding_account_id
        payment.action_post()
        return payment

    def test_cancelled_and_paid_again(self):
        self.payment.action_draft()
        self.assertEqual(self.invoice.payment_state, "paid", "to Odoo it is only corrected")
        self._assert_follows("active")
        self.payment.action_cancel()
        self._assert_follows("pending")
        self._pay(self.invoice)
        self._assert_follows("active")
        self.assertEqual(self.cotisation.date_end.isoformat(), "2027-12-31", "nothing is lost")

    def test_bounced_in_the_bank_statement(self):
        """The cheque is returned: the bank's line takes the payment's place."""
        returned = self.env_account["account.bank.statement.line"].create(
            {
                "payment_ref": "Returned cheque",
                "journal_id": self.company_data["default_journal_bank"].id,
                "amount": -344.93,
                "date": "2027-01-15",
            }
        )
        _liquidity, suspense, _other = returned._seek_for_lines()
        receivable = self._get_receivable(self.payment.move_id)
        receivable.remove_move_reconcile()
        self._assert_follows("pending")
        suspense.with_context(
            skip_account_move_synchronization=True
        ).account_id = receivable.account_id
        (suspense | receivable).reconcile()
        self._assert_follows("pending")

    def test_line_of_the_bank_of_a_refund(self):
        """What the bank says of a refund that was recorded asks nobody; a second one does."""
        self._register_payment(self._credit(self.invoice))
        asked = []
        for _refund in range(2):
            self.env_account["account.bank.statement.line"].create(
                {
                    "payment_ref": f"REFUND {self.invoice.name}",
                    "journal_id": self.company_data["default_journal_bank"].id,
                    "amount": -344.93,
                    "date": "2027-01-15",
                }
            )
            self.invoice.sudo()._membri_tell_unused_payments()
            activities = self.invoice.sudo().activity_search(
                ["membri_renewal.activity_unused_payment"]
            )
            asked.append(len(activities))
        self.assertEqual(asked, [0, 1])
        self.assertIn("matched with", activities.summary)

    def test_payment_sent_back_instead_of_kept(self):
        """Refunded without a credit note: the invoice is open again once the accountant takes
        the payment off it."""
        self.invoice.line_ids.remove_move_reconcile()
        back = self._send_back(344.93)
        (
            self._get_receivable(self.payment.move_id) | self._get_receivable(back.move_id)
        ).reconcile()
        self.assertEqual(self.invoice.payment_state, "not_paid")
        self._assert_follows("pending")

    def test_refunded_in_full(self):
        """Credit note, then the money: void with the former, nothing more with the latter."""
        credit_note = self._credit(self.invoice)
        self._assert_follows("cancelled")
        self._pay(credit_note)
        self.assertEqual(credit_note.payment_state, "paid")
        self._assert_follows("cancelled")

    def test_refunded_in_part(self):
        """A gesture of 100 $: the member stays one."""
        credit_note = self._credit(self.invoice, 100.0)
        self._assert_follows("active")
        self._pay(credit_note)
        self.assertEqual(credit_note.payment_state, "paid")
        self._assert_follows("active")

    def test_two_partial_refunds_make_a_full_one(self):
        self._credit(self.invoice, 100.0)
        self._assert_follows("active")
        self._credit(self.invoice, 200.0)
        self._assert_follows("cancelled")

    def test_draft_and_posted_again(self):
        """Odoo keeps the payment at hand while the invoice is corrected."""
        self.invoice.button_draft()
        self._assert_follows("pending")
        self.invoice.action_post()
        if self.invoice.payment_state != "paid":
            self.invoice.js_assign_outstanding_line(self._get_receivable(self.payment.move_id).id)
        self._assert_follows("active")

    def test_invoice_cancelled_although_paid(self):
        self.invoice.button_cancel()
        self._assert_follows("cancelled")

    def test_reversed_and_replaced(self):
        """*Reverse and create invoice* on a paid one: the money is free for the new invoice."""
        action = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=self.invoice.ids)
            .create({"journal_id": self.invoice.journal_id.id})
            .reverse_moves(is_modify=True)
        )
        replacement = self.env_account["account.move"].browse(action["res_id"])
        self.assertEqual(self.cotisation.invoice_id.id, replacement.id)
        self._assert_follows("pending")
        replacement.action_post()
        self._assert_follows("pending")
        replacement.js_assign_outstanding_line(self._get_receivable(self.payment.move_id).id)
        self._assert_follows("active")
        self.assertEqual(self.renewal.invoice_id.id, replacement.id)
