from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from .common_payments import MembriPaymentCommon


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestMoneyReceived(MembriPaymentCommon):
    """The ways in which an accountant books what a member paid. The term of 2026 is over, so
    the member is one again when, and only when, all is paid."""

    def setUp(self):
        super().setUp()
        self._run_cron("ir_cron_update_states")
        self._assert_follows("pending")

    def test_chart_of_accounts(self):
        self.assertRecordValues(
            self.invoice,
            [{"amount_untaxed": 300.0, "amount_tax": 44.93, "amount_total": 344.93}],
        )
        self.assertEqual(self.invoice.currency_id.name, "CAD")
        self.assertEqual(self.renewal.amount_total, 344.93)
        self.assertEqual(len(self.invoice.line_ids.filtered("tax_line_id")), 2)

    def test_bank_statement(self):
        self._pay_by_bank(self.invoice, 344.93)
        self.assertEqual(self.invoice.payment_state, "paid")
        self._assert_follows("active")

    def test_registered_payment(self):
        self._set_payment_account("outstanding")
        self._pay(self.invoice)
        self._assert_follows("active")

    def test_two_parts(self):
        """Case: two part payments activate once, at full."""
        self._pay_by_bank(self.invoice, 100.0)
        self.assertEqual(self.invoice.payment_state, "partial")
        self._assert_follows("pending")
        self._pay(self.invoice)
        self._assert_follows("active")

    def test_two_parts_without_journal_entry(self):
        """With the first part, Odoo calls the invoice in payment: it is not paid for all that."""
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            self._pay(self.invoice, 100.0)
            self.assertEqual(self.invoice.payment_state, "in_payment")
            self.assertEqual(self.cotisation.state, "pending")
            self.assertFalse(self.renewal.is_paid)
            self.assertTrue(self.renewal.is_open)
            self._pay(self.invoice, 244.93)
            self.assertEqual(self.cotisation.state, "active")
            self.assertTrue(self.renewal.is_paid)

    def test_two_members_in_one_bank_line(self):
        """Two neighbours on one transfer: one line settles both invoices."""
        first, second = self.renewal, self._renewal_in("approved")
        self._run_cron("ir_cron_update_states")
        receivable = (first.invoice_id | second.invoice_id).with_env(self.env_account)
        receivable = receivable.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        statement_line = self.env_account["account.bank.statement.line"].create(
            {
                "payment_ref": "For both of us",
                "journal_id": self.company_data["default_journal_bank"].id,
                "amount": 689.86,
                "date": "2027-01-15",
            }
        )
        _liquidity, suspense, _other = statement_line._seek_for_lines()
        suspense.with_context(
            skip_account_move_synchronization=True
        ).account_id = receivable.account_id
        (suspense | receivable).reconcile()
        self._assert_follows("active")
        self.assertEqual(second.new_cotisation_id.state, "active")
        self.assertEqual(second.partner_id.membri_status, "active")
        statement_line.action_undo_reconciliation()
        self._assert_follows("pending")
        self.assertEqual(second.new_cotisation_id.state, "pending")

    def test_two_branches_in_one_payment(self):
        """The head office pays for two branches: one payment, two terms."""
        office = self._create_member("Head Office", is_company=True)
        renewals = self.env["membri.renewal"].union(
            *(
                self._create_renewal(self._create_yearly(parent_id=office.id, type="invoice"))
                for _number in range(2)
            )
        )
        renewals.action_approve()
        payment = self._pay(renewals.invoice_id)
        self.assertEqual(len(payment), 1)
        self.assertEqual(payment.amount, 689.86)
        self.assertEqual(renewals.new_cotisation_id.mapped("state"), ["active", "active"])
        payment.action_cancel()
        self.assertEqual(renewals.new_cotisation_id.mapped("state"), ["pending", "pending"])

    def test_overpaid(self):
        """What is too much is the member's credit; the term is the term."""
        payment = self._pay(self.invoice, 400.0)
        self._assert_follows("active")
        self.assertEqual(self.cotisation.date_end.isoformat(), "2027-12-31")
        residual = payment.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        ).amount_residual
        self.assertEqual(residual, -55.07)

    def test_paid_with_the_credit_of_another_invoice(self):
        """Odoo calls an invoice “reversed” that is settled by the credit note of another one.
        It is paid, not taken back."""
        other = self._create_invoice_one_line(
            product_id=self.product, price_unit=300.0, partner_id=self.renewal.partner_id, post=True
        ).with_env(self.env_account)
        self._pay(other)
        credit_note = self._credit(other)
        (credit_note | self.invoice).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        self.assertEqual(self.invoice.payment_state, "reversed")
        self._assert_follows("active")
        self.assertIn("Nothing was changed", self._assert_refused(self.renewal.action_reset))
        self.invoice.line_ids.remove_move_reconcile()
        self._assert_follows("pending")

    def test_other_currency(self):
        """A member abroad pays the invoice in dollars of the neighbours."""
        dollar = self.env_root.ref("base.USD")
        dollar.active = True
        self.env_root["res.currency.rate"].create(
            {
                "currency_id": dollar.id,
                "company_id": self.company.id,
                "name": "2027-01-01",
                "company_rate": 0.8,
            }
        )
        payment = self._register_payment(self.invoice, currency_id=dollar.id)
        self.assertRecordValues(payment, [{"amount": 275.94, "currency_id": dollar.id}])
        self._assert_follows("active")
        payment.action_cancel()
        self._assert_follows("pending")

    def test_early_payment_discount(self):
        term = self._create_early_discount()
        for computation, expected in (("included", 338.03), ("excluded", 338.93)):
            with self.subTest(computation=computation):
                term.early_pay_discount_computation = computation
                member_term = self._create_yearly(property_payment_term_id=term.id)
                renewal = self._create_renewal(member_term)
                renewal.action_approve()
                self._run_cron("ir_cron_update_states")
                self._follow(renewal)
                day, amount = self.invoice._membri_get_early_payment()
                self.assertEqual(amount, expected)
                self.assertEqual(day, fields.Date.add(self.invoice.invoice_date, days=10))
                told = self.invoice.currency_id.format(expected)
                self.assertIn(told, dict(self.invoice._membri_get_mail_rows()).values())
                self.assertIn(told, dict(renewal._get_mail_invoice_rows()).values(), "reminders")
                self.assertIn(told, " ".join(self.invoice._membri_get_standing_sentences()))
                with freeze_time(f"{fields.Date.add(day, days=1)} 15:00:00"):
                    self.assertFalse(self.invoice._membri_get_early_payment(), "too late")
                    self.assertNotIn(told, dict(self.invoice._membri_get_mail_rows()).values())
                    self.assertNotIn(told, dict(renewal._get_mail_invoice_rows()).values())
                payment = self._pay(self.invoice)
                self.assertEqual(payment.amount, expected)
                self.assertFalse(self.invoice._membri_get_early_payment())
                self._assert_follows("active")

    def test_written_off(self):
        self._register_payment(
            self.invoice,
            amount=340.0,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.company_data["default_account_expense"].id,
        )
        self._assert_follows("active")

    def test_written_off_without_any_payment(self):
        """The whole amount to a loss account: Odoo says paid, the officer says whether the
        membership stands."""
        entry = self._settle_by_entry(self.company_data["default_account_expense"], 344.93)
        self.assertEqual(self.invoice.payment_state, "paid")
        self._assert_follows("pending")
        self.invoice.with_user(self.officer).action_membri_keep_membership()
        self._assert_follows("active")
        entry.button_cancel()
        self._assert_follows("pending")

    def test_zero_amount(self):
        """Case: zero price completes once."""
        renewal = self._create_renewal(self._create_yearly())
        renewal.line_ids.price_unit = 0.0
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.payment_state, "paid")
        self.assertEqual(renewal.new_cotisation_id.state, "active")
        renewal.invoice_id.with_env(self.env_account).button_draft()
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        renewal.invoice_id.with_env(self.env_account).action_post()
        self.assertEqual(renewal.new_cotisation_id.state, "active")

    def test_sealed_journal(self):
        """Payments move the term all the same where posted invoices are inalterable."""
        journal = self.company_data["default_journal_sale"].with_env(self.env_root)
        journal.restrict_mode_hash_table = True
        self._follow(self._renewal_in("approved"))
        self._run_cron("ir_cron_update_states")
        self.assertTrue(self.invoice.inalterable_hash)
        payment = self._pay(self.invoice)
        self._assert_follows("active")
        payment.action_cancel()
        self._assert_follows("pending")
        self._credit(self.invoice)
        self._assert_follows("cancelled")
