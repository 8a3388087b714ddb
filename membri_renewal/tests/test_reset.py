from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import RedirectWarning
from odoo.tests import tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestReset(MembriCommon):
    """specification §5.5 (guide §2, *Faire des modifications à un renouvellement accepté*)."""

    def test_reset_edit_approve_again(self):
        renewal = self._renewal_in("approved")
        invoice, cotisation = renewal.invoice_id, renewal.new_cotisation_id
        renewal.action_reset()
        self.assertEqual((invoice.state, cotisation.state), ("cancel", "cancelled"))
        self.assertFalse(invoice.sudo().sending_data, "a void invoice is not emailed")
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "draft",
                    "invoice_id": False,
                    "new_cotisation_id": False,
                    "date_approved": False,
                    "invoice_ids": invoice.ids,
                    "is_open": True,
                }
            ],
        )
        self.assertFalse(renewal.partner_id.membri_intervention_required)
        renewal.line_ids.price_unit = 280.0
        renewal.action_approve()
        self.assertRecordValues(renewal.invoice_id, [{"state": "posted", "amount_untaxed": 280.0}])
        self.assertNotEqual(renewal.invoice_id, invoice)
        self.assertEqual(set(renewal.invoice_ids), {invoice, renewal.invoice_id})
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self.assertNotEqual(renewal.new_cotisation_id, cotisation)
        self._pay(renewal.invoice_id)
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
        self.assertEqual(cotisation.state, "cancelled")

    def test_reset_then_refuse_ends_what_is_never_paid(self):
        """specification §5.4: the invoice is void, nothing is owed, the member leaves."""
        renewal = self._renewal_in("approved")
        invoice = renewal.invoice_id
        renewal.action_reset()
        self._refuse(renewal)
        self.assertEqual(invoice.state, "cancel")
        self.assertEqual(renewal.partner_id.credit, 0.0, "nothing is owed")
        with freeze_time("2027-01-01 12:00:00"):
            self._run_cron("ir_cron_update_states")
        self.assertEqual(renewal.partner_id.membri_status, "inactive")

    def test_reset_of_a_refusal_reopens_it(self):
        renewal = self._renewal_in("refused")
        renewal.action_reset()
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "draft",
                    "refusal_reason_id": False,
                    "refusal_note": False,
                    "date_refused": False,
                    "is_open": True,
                }
            ],
        )
        renewal.action_approve()
        self.assertEqual(renewal.new_cotisation_id.state, "pending")

    def test_reset_of_a_refusal_after_a_return(self):
        """Who has enrolled again keeps the refusal."""
        renewal = self._renewal_in("refused")
        member = renewal.partner_id
        with freeze_time("2027-02-01 12:00:00"):
            self._run_cron("ir_cron_update_states")
            cotisation = member._membri_enrol(self.yearly)
            message = self._assert_refused(renewal.action_reset)
        self.assertIn(cotisation.name, message)
        self.assertEqual(renewal.state, "refused")

    def test_reset_of_a_running_term_is_refused(self):
        renewal = self._create_renewal(self._create_yearly())
        renewal.line_ids.price_unit = 0.0
        renewal.action_approve()
        with freeze_time("2027-01-01 12:00:00"):
            self._run_cron("ir_cron_update_states")
            message = self._assert_refused(renewal.action_reset)
        self.assertIn("End the membership", message)
        self.assertEqual(renewal.new_cotisation_id.state, "active")

    def test_reset_of_zero_before_its_first_day(self):
        """Paid, and zero: there is no money on it, so it can be reset."""
        renewal = self._create_renewal(self._create_yearly())
        renewal.line_ids.price_unit = 0.0
        renewal.action_approve()
        cotisation, invoice = renewal.new_cotisation_id, renewal.invoice_id
        self.assertEqual(cotisation.state, "scheduled")
        renewal.action_reset()
        self.assertEqual((cotisation.state, invoice.state), ("cancelled", "cancel"))

    # ------------------------------------------------------------------
    # Where cancelling is not allowed: credited
    # ------------------------------------------------------------------

    def _assert_credited(self, renewal, invoice, cotisation):
        self.assertEqual(invoice.state, "posted")
        self.assertEqual(invoice.payment_state, "reversed")
        credit_note = invoice.reversal_move_ids
        self.assertRecordValues(
            credit_note,
            [
                {
                    "state": "posted",
                    "move_type": "out_refund",
                    "amount_total": 345.0,
                    "membri_invoice_type": "renewal",
                    "membri_renewal_id": renewal.id,
                }
            ],
        )
        self.assertEqual(cotisation.state, "cancelled")
        self.assertEqual(renewal.state, "draft", "not moved on by its own credit note")
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.payment_state, "not_paid")
        self.assertEqual(renewal.new_cotisation_id.state, "pending")

    def test_inalterable_hash_is_credited(self):
        journal = self.company_data["default_journal_sale"].with_env(self.env_root)
        journal.restrict_mode_hash_table = True
        renewal = self._renewal_in("approved")
        invoice, cotisation = renewal.invoice_id, renewal.new_cotisation_id
        self.assertTrue(invoice.inalterable_hash)
        renewal.action_reset()
        self._assert_credited(renewal, invoice, cotisation)

    def test_locked_period_is_credited(self):
        renewal = self._renewal_in("approved")
        invoice, cotisation = renewal.invoice_id, renewal.new_cotisation_id
        with freeze_time("2026-12-10 15:00:00"):
            self.company.with_env(self.env_root).fiscalyear_lock_date = "2026-11-30"
            renewal.action_reset()
            self.assertEqual(invoice.reversal_move_ids.date.isoformat(), "2026-12-10")
            self._assert_credited(renewal, invoice, cotisation)

    def test_locked_taxes_or_sales_are_credited(self):
        """A lock for taxes or sales only forbids cancelling, too."""
        for lock in ("tax_lock_date", "sale_lock_date"):
            with self.subTest(lock=lock):
                renewal = self._renewal_in("approved")
                invoice, cotisation = renewal.invoice_id, renewal.new_cotisation_id
                with freeze_time("2026-12-10 15:00:00"):
                    self.company.with_env(self.env_root)[lock] = "2026-11-30"
                    renewal.action_reset()
                    self._assert_credited(renewal, invoice, cotisation)
                self.company.with_env(self.env_root)[lock] = False

    def test_credited_in_part_before(self):
        """Neither cancelled nor credited twice: the rest is credited by hand, and the renewal
        waits for the staff then."""
        renewal = self._renewal_in("approved")
        invoice = renewal.invoice_id.with_env(self.env_account)
        for reconciled in (False, True):
            with self.subTest(reconciled=reconciled):
                credit_note = invoice._reverse_moves([{"invoice_date": "2026-11-15"}])
                credit_note.invoice_line_ids.price_unit = 100.0
                credit_note.action_post()
                if reconciled:
                    (invoice | credit_note).line_ids.filtered(
                        lambda line: line.account_type == "asset_receivable" and not line.reconciled
                    ).reconcile()
                before = self._snapshot(renewal), invoice.state
                message = self._assert_refused(renewal.action_reset)
                self.assertIn("was partly credited", message)
                self.assertEqual((self._snapshot(renewal), invoice.state), before)

    # ------------------------------------------------------------------
    # With money on it
    # ------------------------------------------------------------------

    def _assert_money_blocks(self, renewal):
        invoice, cotisation = renewal.invoice_id, renewal.new_cotisation_id
        before = self._snapshot(renewal), self._snapshot(cotisation), invoice.state
        message = self._assert_refused(renewal.action_reset)
        self.assertIn(renewal.name, message)
        self.assertIn(invoice.name, message)
        self.assertIn("Nothing was changed", message)
        self.assertEqual(
            (self._snapshot(renewal), self._snapshot(cotisation), invoice.state), before
        )

    def test_partly_paid(self):
        renewal = self._renewal_in("approved")
        self._pay(renewal.invoice_id, 100.0)
        self.assertEqual(renewal.payment_state, "partial")
        self._assert_money_blocks(renewal)

    def test_in_payment(self):
        """Community calls it paid; with bank synchronisation there is a state between."""
        self._set_payment_account("outstanding")
        renewal = self._renewal_in("approved")
        with self._patch_bank_synchronisation():
            self._pay(renewal.invoice_id)
            self.assertEqual(renewal.payment_state, "in_payment")
            self.assertTrue(renewal.is_paid)
            self._assert_money_blocks(renewal)

    def test_paid(self):
        renewal = self._renewal_in("approved")
        self._pay_by_bank(renewal.invoice_id, 345.0)
        self.assertEqual(renewal.invoice_id.payment_state, "paid")
        self._assert_money_blocks(renewal)

    def test_transaction_under_way(self):
        for state in ("pending", "authorized"):
            with self.subTest(state=state):
                renewal = self._renewal_in("approved")
                self._create_transaction(renewal.invoice_id, state)
                self._assert_money_blocks(renewal)

    def test_abandoned_transaction_blocks_nothing(self):
        for state in ("draft", "cancel", "error"):
            with self.subTest(state=state):
                renewal = self._renewal_in("approved")
                self._create_transaction(renewal.invoice_id, state)
                renewal.action_reset()
                self.assertEqual(renewal.state, "draft")

    def test_after_the_payment_is_taken_back(self):
        renewal = self._renewal_in("approved")
        payment = self._pay(renewal.invoice_id)
        payment.action_draft()
        payment.action_cancel()
        renewal.action_reset()
        self.assertEqual(renewal.state, "draft")

    # ------------------------------------------------------------------
    # Changes on the pending cotisation
    # ------------------------------------------------------------------

    def test_change_without_price_effect(self):
        """Specification A.9: *Faire les changements directement dans la cotisation en attente*."""
        renewal = self._renewal_in("approved")
        cotisation = renewal.new_cotisation_id
        other = self._create_option("Membership, on paper", 300.0)
        line = cotisation.line_ids
        cotisation.write({"line_ids": [fields.Command.update(line.id, {"name": "Reworded"})]})
        cotisation.write(
            {
                "option_set_id": self.fixed.id,
                "line_ids": [
                    fields.Command.delete(line.id),
                    fields.Command.create(
                        {
                            "product_id": other.id,
                            "price_unit": 300.0,
                            "tax_ids": [fields.Command.set(self.tax.ids)],
                        }
                    ),
                ],
            }
        )
        self.assertEqual(cotisation.line_ids.product_id, other)
        self.assertEqual(cotisation.amount_total, 345.0)
        self._pay(renewal.invoice_id)
        self.assertEqual(cotisation.state, "scheduled")

    def test_change_with_price_effect_offers_reset(self):
        renewal = self._renewal_in("approved")
        cotisation = renewal.new_cotisation_id
        line = cotisation.line_ids
        new_line = {"product_id": self.extra.id, "price_unit": 50.0}
        for name, change in {
            "price": lambda: cotisation.write(
                {"line_ids": [fields.Command.update(line.id, {"price_unit": 299.0})]}
            ),
            "price, on the line": lambda: line.write({"price_unit": 299.0}),
            "quantity": lambda: line.write({"quantity": 2}),
            "taxes": lambda: line.write({"tax_ids": [fields.Command.clear()]}),
            "one more": lambda: cotisation.write({"line_ids": [fields.Command.create(new_line)]}),
            "one more, on its own": lambda: line.create(
                {"cotisation_id": cotisation.id, **new_line}
            ),
            "one less": lambda: cotisation.write({"line_ids": [fields.Command.delete(line.id)]}),
        }.items():
            with (
                self.subTest(change=name),
                self.assertRaisesRegex(RedirectWarning, "Reset"),
                self.env.cr.savepoint(),
            ):
                change()
        self.assertEqual(cotisation.amount_total, 345.0)
        self.assertEqual(renewal.invoice_id.amount_total, 345.0)
