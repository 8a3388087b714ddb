from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from .common_insight import check_money
from .common_write_off import WriteOffCase

COLUMNS = ["expected", "invoiced", "received", "written_off", "open"]


class RowsCase(WriteOffCase):
    def _get_rows(self, cotisations):
        self.env.flush_all()
        self.env["membri.reconciliation"].invalidate_model()
        return (
            self.env["membri.reconciliation"]
            .with_user(self.auditor)
            .search([("cotisation_id", "in", cotisations.ids)])
        )

    def _approve_many(self, count, price, quantity=1):
        """One invoice of a payer for ``count`` members."""
        payer = self._create_member(f"Chain of {count}", is_company=True)
        payer.membri_group_invoices = True
        renewals = self.env["membri.renewal"]
        for number in range(count):
            member = self._create_member(f"Branch {count} {number}", parent_id=payer.id)
            renewals |= self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        renewals.line_ids.write({"price_unit": price, "quantity": quantity})
        renewals.action_approve()
        self.assertEqual(len(renewals.invoice_id), 1)
        return renewals

    def _assert_no_difference(self, renewals):
        """Row by row, and all together equal to the journal items."""
        rows = self._get_rows(renewals.new_cotisation_id)
        self.assertEqual(set(rows.mapped("reason")), {"none"})
        self.assertEqual(set(rows.mapped("difference")), {0.0})
        self.assertFalse(
            self.env["membri.reconciliation"].search([("reason", "=", "other_line")]),
            "cents are no lines added by hand",
        )
        for in_report, in_journal in (
            self.env["membri.reconciliation"]._get_balances(self.company).values()
        ):
            self.assertAlmostEqual(in_report, in_journal, 2)
        check_money(self)
        return rows


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestReconciliationCents(RowsCase):
    """Issue 12 B7: the report equals the invoice, however its taxes are rounded."""

    def _set_rounding(self, method):
        self.company.with_env(self.env_root).tax_calculation_rounding_method = method

    def test_many_small_parts(self):
        """Seen: 40.00 against 39.60, as forty members with a cent each."""
        for method in ("round_globally", "round_per_line"):
            with self.subTest(method=method):
                self._set_rounding(method)
                renewals = self._approve_many(40, 0.87)
                self._assert_no_difference(renewals)
                invoice = renewals.invoice_id.with_env(self.env_account)
                self._pay(invoice)
                rows = self._assert_no_difference(renewals)
                self.assertAlmostEqual(sum(rows.mapped("received")), invoice.amount_total, 2)

    def test_rounding_changed_between_price_and_invoice(self):
        """Seen: 804.93 against 804.87: the price was computed line by line."""
        self._set_rounding("round_per_line")
        renewals = self._approve_many(7, 100.03)
        invoice = renewals.invoice_id.with_env(self.env_account)
        invoice.button_draft()
        self._set_rounding("round_globally")
        for line in invoice.invoice_line_ids:
            line.quantity, line.quantity = 2, 1
        invoice.action_post()
        self._assert_no_difference(renewals)

    def test_cents_after_a_reset_on_a_shared_invoice(self):
        self._set_rounding("round_globally")
        renewals = self._approve_many(3, 33.37)
        gone = renewals[1].new_cotisation_id
        renewals[1].action_reset()
        self.assertEqual(gone.state, "cancelled")
        row = self._get_rows(gone)
        self.assertEqual([row[name] for name in COLUMNS], [0.0] * 5)
        self.assertEqual(row.reason, "none")
        self._assert_no_difference(renewals[0] | renewals[2])
        self._pay(renewals[0].invoice_id.with_env(self.env_account))
        rows = self._assert_no_difference(renewals[0] | renewals[2])
        self.assertEqual(set(rows.mapped("open")), {0.0})

    def test_everybody_taken_off_one_after_the_other(self):
        self._set_rounding("round_globally")
        renewals = self._approve_many(3, 33.37)
        terms = renewals.new_cotisation_id
        for renewal in renewals:
            renewal.action_reset()
        rows = self._get_rows(terms)
        self.assertAlmostEqual(sum(rows.mapped("invoiced")), 0.0, 2)

    def test_line_added_by_hand_is_still_seen(self):
        self.invoice.button_draft()
        self.invoice.write(
            {
                "invoice_line_ids": [
                    fields.Command.create({"name": "Pin", "price_unit": 0.03, "tax_ids": []})
                ]
            }
        )
        self.invoice.action_post()
        row = self.env["membri.reconciliation"].search([("reason", "=", "other_line")])
        self.assertEqual((row.move_id, row.invoiced), (self.invoice, 0.03))
        self.assertEqual(row.row_type, "line")

    def test_price_lowered_by_a_little_is_still_seen(self):
        self.invoice.button_draft()
        self.invoice.invoice_line_ids.price_unit = 299.0
        self.invoice.action_post()
        self.assertEqual(self._get_rows(self.cotisation).reason, "price_changed")

    def test_taxes_replaced_are_no_rounding(self):
        """The officer was told of it; the report says the same."""
        self.invoice.button_draft()
        self.invoice.invoice_line_ids.tax_ids = False
        self.invoice.action_post()
        row = self._get_rows(self.cotisation)
        self.assertEqual((row.expected, row.invoiced), (344.93, 300.0))
        self.assertEqual(row.reason, "price_changed")
        self.assertIn("344.93", row.explanation)


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestReconciliationMoney(RowsCase):
    """Issue 12 B7: money received stands apart from write-offs; the report and the receipt say
    the same."""

    def _assert_money(self, received, written_off, open_=0.0, cotisation=None):
        row = self._get_rows(cotisation or self.cotisation)
        self.assertRecordValues(
            row, [{"received": received, "written_off": written_off, "open": open_}]
        )
        invoice = row.sudo().move_id
        self.assertAlmostEqual(invoice._membri_get_received(), received, 2)
        self.assertAlmostEqual(invoice._membri_get_written_off(), written_off, 2)
        check_money(self)

    def test_part_then_all(self):
        self._assert_money(0.0, 0.0, 344.93)
        self._pay(self.invoice, 100.0)
        self._assert_money(100.0, 0.0, 244.93)
        payment = self._pay(self.invoice)
        self._assert_money(344.93, 0.0)
        payment.action_cancel()
        self._assert_money(100.0, 0.0, 244.93)

    def test_write_off(self):
        payment = self._pay_and_write_off(300.0)
        self._assert_money(300.0, 44.93)
        payment.action_cancel()
        self._assert_money(0.0, 0.0, 344.93)

    def test_bad_debt(self):
        self._settle_by_entry(self.company_data["default_account_expense"], 344.93)
        self._assert_money(0.0, 344.93)

    def test_credit_of_another_invoice_is_neither(self):
        self._settle_by_entry(self.company_data["default_account_payable"], 344.93)
        self._assert_money(0.0, 0.0)

    def test_given_back(self):
        self._pay(self.invoice)
        credit_note = self._credit(self.invoice)
        self._assert_money(344.93, 0.0, -344.93)
        self._register_payment(credit_note)
        self._assert_money(0.0, 0.0)

    def test_early_discount(self):
        """Paid in the days of the discount: in full, and the discount is no money."""
        term = self.env_root["account.payment.term"].create(
            {
                "name": "2 % in ten days",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "line_ids": [
                    fields.Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )
        cotisation = self._create_yearly()
        payer = cotisation.partner_id.with_env(self.env_root).with_company(self.company)
        payer.property_payment_term_id = term
        renewal = self._create_renewal(cotisation)
        renewal.action_approve()
        payment = self._register_payment(renewal.invoice_id.with_env(self.env_account))
        total = renewal.invoice_id.amount_total
        self.assertLess(payment.amount, total)
        self.assertTrue(renewal.is_paid)
        self._assert_money(
            payment.amount, round(total - payment.amount, 2), 0.0, renewal.new_cotisation_id
        )

    def test_write_off_then_given_back(self):
        self._pay_and_write_off(300.0)
        credit_note = self._credit(self.invoice)
        self._register_payment(credit_note, amount=300.0)
        row = self._get_rows(self.cotisation)
        self.assertAlmostEqual(row.received, 0.0, 2)
        check_money(self)

    def test_write_off_on_a_shared_invoice(self):
        renewals = self._approve_many(3, 300.0)
        invoice = renewals.invoice_id.with_env(self.env_account)
        self._pay_and_write_off(invoice.amount_total - 30.0, invoice)
        rows = self._get_rows(renewals.new_cotisation_id)
        self.assertAlmostEqual(sum(rows.mapped("written_off")), 30.0, 2)
        self.assertAlmostEqual(sum(rows.mapped("received")), invoice.amount_total - 30.0, 2)

    def test_payment_without_entry(self):
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            self._pay(self.invoice)
            self.assertEqual(self.invoice.membri_amount_received, 344.93)

    def test_undecided_apart(self):
        waiting = self._renewal_in("sent")
        self.env.flush_all()
        groups = dict(
            self.env["membri.reconciliation"]._read_group(
                [("renewal_id", "in", (waiting | self.renewal).ids)], ["row_type"], ["__count"]
            )
        )
        self.assertEqual(groups, {"term": 1, "renewal": 1})
        for xmlid in ("action_membri_reconciliation", "action_membri_reconciliation_differences"):
            action = self.env["ir.actions.act_window"]._for_xml_id(f"membri_renewal.{xmlid}")
            self.assertIn("search_default_without_undecided", action["context"])
