from freezegun import freeze_time

from odoo.tests import tagged

from .common_payments import MembriPaymentCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCreditNotes(MembriPaymentCommon):
    """specification §2 (system transition), §5.6, cases “Invoices and payments”: invoices that are
    cancelled, credited, or replaced."""

    def test_cancelled(self):
        self.invoice.button_cancel()
        self._assert_void()

    def test_cancelled_then_a_new_paid_one(self):
        """Case: cancel, then a new paid one: active."""
        old = self.renewal.invoice_id
        self.invoice.button_cancel()
        self.renewal.action_approve()
        self.assertNotEqual(self.renewal.invoice_id, old)
        self._pay(self.renewal.invoice_id)
        with freeze_time("2027-01-01 12:00:00"):
            self._run_cron("ir_cron_update_states")
        self.assertEqual(self.renewal.new_cotisation_id.state, "active")
        self.assertEqual(self.cotisation.state, "cancelled")

    def test_voided_invoice_brought_back_revives_nothing(self):
        """Case: a voided invoice can neither be paid nor attached to a notice."""
        self.invoice.button_cancel()
        self.invoice.button_draft()
        self.invoice.action_post()
        self._pay(self.invoice)
        self.assertEqual(self.cotisation.state, "cancelled")
        self.assertFalse(self.renewal.invoice_id)

    def test_full_credit_before_payment(self):
        """Case: a full credit note on an unpaid invoice is not “paid”."""
        credit_note = self._credit(self.invoice)
        self.assertEqual(self.invoice.payment_state, "reversed")
        self._assert_void()
        self.assertEqual(credit_note.membri_invoice_type, "renewal")
        self.assertIn(credit_note.id, self.renewal.invoice_ids.ids)

    def test_full_credit_after_payment_restores_what_was_there(self):
        """Case: a refund of an upgrade restores what was there."""
        before = self.renewal.cotisation_id
        self._pay(self.invoice)
        self._credit(self.invoice)
        self._assert_void()
        self.assertEqual(before.state, "active")
        self.assertRecordValues(
            self.renewal.partner_id,
            [{"membri_status": "active", "membri_cotisation_id": before.id}],
        )

    def test_full_credit_of_a_running_term(self):
        """Active, credited in full → cancelled (specification §2)."""
        self._pay(self.invoice)
        with freeze_time("2027-02-01 12:00:00"):
            self._run_cron("ir_cron_update_states")
            self._assert_paid("active")
            self._credit(self.invoice)
            self._assert_void()

    def test_credit_note_in_draft_changes_nothing(self):
        self._pay(self.invoice)
        self.invoice._reverse_moves([{"date": "2026-11-15"}])
        self._run_cron("ir_cron_update_states")
        self._assert_paid()

    def test_partial_credit(self):
        """A gesture, not a cancellation: the rest is to be paid, and completes."""
        credit_note = self._credit(self.invoice, 100.0)
        (self.invoice | credit_note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        self._assert_unpaid("partial")
        self._pay(self.invoice, 229.95)
        self._assert_paid()

    def test_reverse_and_create_invoice_keeps_the_cotisation(self):
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=self.invoice.ids)
            .create({"journal_id": self.invoice.journal_id.id})
        )
        action = wizard.reverse_moves(is_modify=True)
        replacement = self.env_account["account.move"].browse(action["res_id"])
        self.assertEqual(self.invoice.payment_state, "reversed")
        self.assertRecordValues(
            replacement,
            [
                {
                    "state": "draft",
                    "move_type": "out_invoice",
                    "membri_invoice_type": "renewal",
                    "membri_renewal_id": self.renewal.id,
                }
            ],
        )
        self.assertEqual(self.renewal.invoice_id.id, replacement.id)
        self.assertEqual(self.cotisation.invoice_id.id, replacement.id)
        self.assertEqual(self.cotisation.state, "pending")
        self.assertEqual(self.renewal.state, "approved")
        replacement.action_post()
        self._pay(replacement)
        self._assert_paid()

    def test_ordinary_duplicate_is_not_of_the_term(self):
        duplicate = self.invoice.copy()
        self.assertFalse(duplicate.membri_invoice_type)
        self.assertFalse(duplicate.membri_renewal_id)
        self.assertFalse(duplicate.invoice_line_ids.membri_cotisation_id)
        duplicate.invoice_date = "2026-11-15"
        duplicate.action_post()
        self._pay(duplicate)
        self._assert_unpaid()

    def test_posted_invoice_cannot_be_deleted(self):
        """specification §7; also not by way of draft, while a term waits for it."""
        self.invoice.button_draft()
        self.assertIn(self.cotisation.name, self._assert_refused(self.invoice.unlink))
        self.assertTrue(self.invoice.exists())
