from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import MembriCommon
from .common_insight import check_kept, check_money


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestReconciliation(MembriCommon):
    """Issue 5.7: expected against invoiced, paid and open; every difference has its reason, and
    the report equals Odoo's own journal items to the cent."""

    def setUp(self):
        super().setUp()
        self.renewal = self._renewal_in("approved")
        self.cotisation = self.renewal.new_cotisation_id
        self.invoice = self.renewal.invoice_id.with_env(self.env_account)

    def _credit(self, invoice, price=None):
        credit_note = invoice._reverse_moves([{"invoice_date": "2026-11-15"}])
        if price:
            credit_note.invoice_line_ids.price_unit = price
        credit_note.action_post()
        return credit_note

    def _get_row(self, record):
        """The row of a cotisation or of a renewal, as the auditor reads it."""
        self.env.flush_all()
        self.env["membri.reconciliation"].invalidate_model()
        name = "cotisation_id" if record._name == "membri.cotisation" else "renewal_id"
        row = (
            self.env["membri.reconciliation"]
            .with_user(self.auditor)
            .search([(name, "=", record.id)])
        )
        row.ensure_one()
        return row

    def _assert_row(self, record, expected, invoiced, paid, open_, reason):
        row = self._get_row(record)
        self.assertRecordValues(
            row,
            [
                {
                    "expected": expected,
                    "invoiced": invoiced,
                    "paid": paid,
                    "open": open_,
                    "difference": expected - invoiced,
                    "reason": reason,
                }
            ],
        )
        self.assertEqual(bool(row.explanation), reason != "none")
        self._assert_balanced()

    def _assert_balanced(self):
        """Against the journal items, read in a way of their own."""
        self.env.flush_all()
        self.env["membri.reconciliation"].invalidate_model()
        lines = self.env_account["account.move.line"].search(
            [
                ("company_id", "=", self.company.id),
                ("parent_state", "=", "posted"),
                ("move_id.membri_invoice_type", "!=", False),
                ("account_type", "=", "asset_receivable"),
            ]
        )
        balances = self.env["membri.reconciliation"]._get_balances(self.company)
        for name, total in (
            ("invoiced", sum(lines.mapped("balance"))),
            ("open", sum(lines.mapped("amount_residual"))),
        ):
            in_report, in_journal = balances[name]
            self.assertAlmostEqual(in_report, total, 2, name)
            self.assertAlmostEqual(in_journal, total, 2, name)
        check_money(self)

    # ------------------------------------------------------------------
    # One after the other
    # ------------------------------------------------------------------

    def test_unpaid_and_paid(self):
        self._assert_row(self.cotisation, 345.0, 345.0, 0.0, 345.0, "none")
        self._pay(self.invoice, 100.0)
        self._assert_row(self.cotisation, 345.0, 345.0, 100.0, 245.0, "none")
        self._pay(self.invoice, 245.0)
        self._assert_row(self.cotisation, 345.0, 345.0, 345.0, 0.0, "none")

    def test_not_approved(self):
        renewal = self._renewal_in("sent")
        self._assert_row(renewal, 345.0, 0.0, 0.0, 0.0, "not_approved")
        self.assertIn("Sent", self._get_row(renewal).explanation)
        self._refuse(renewal)
        self.assertFalse(
            self.env["membri.reconciliation"].search([("renewal_id", "=", renewal.id)])
        )

    def test_import(self):
        imported = self.renewal.cotisation_id
        row = self._get_row(imported)
        self.assertEqual((row.invoiced, row.reason), (0.0, "none"), "an import without lines")
        self.member.name = "Ida Import"
        vals = {
            "line_ids": [
                fields.Command.create({"product_id": self.product.id, "price_unit": 300.0})
            ]
        }
        imported = self._create_cotisation(self.member, "2026-01-01", **vals)
        self._assert_row(imported, 300.0, 0.0, 0.0, 0.0, "no_invoice")

    def test_fee_notice(self):
        self.company.membri_fee_notice = True
        renewal = self._renewal_in("approved")
        cotisation = renewal.new_cotisation_id
        self._assert_row(cotisation, 345.0, 0.0, 0.0, 0.0, "fee_notice")
        self.assertIn("AVIS/2026/", self._get_row(cotisation).explanation)
        notice = renewal.invoice_id.with_env(self.env_account)
        action = notice.action_membri_register_fee_notice_payment()
        self.env_account[action["res_model"]].browse(action["res_id"]).action_confirm()
        self._assert_row(cotisation, 345.0, 345.0, 345.0, 0.0, "none")

    def test_reset_to_draft(self):
        self.invoice.button_draft()
        self._assert_row(self.cotisation, 345.0, 0.0, 0.0, 0.0, "draft")

    def test_reset_and_approved_again(self):
        """The voided invoice is nobody's any more."""
        self.renewal.action_reset()
        self._assert_row(self.renewal, 345.0, 0.0, 0.0, 0.0, "not_approved")
        self.renewal.action_approve()
        self._assert_row(self.renewal.new_cotisation_id, 345.0, 345.0, 0.0, 345.0, "none")

    def test_credited_in_part(self):
        credit_note = self._credit(self.invoice, 100.0)
        self._assert_balanced()
        (self.invoice | credit_note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        self._assert_row(self.cotisation, 345.0, 230.0, 0.0, 230.0, "credited")
        self.assertEqual(self._get_row(self.cotisation).credited, -115.0)

    def test_credited_in_full(self):
        self._pay(self.invoice)
        self._credit(self.invoice)
        row = self._get_row(self.cotisation)
        self.assertEqual((row.expected, row.invoiced, row.reason), (0.0, 0.0, "none"))
        self.assertEqual((row.paid, row.open), (345.0, -345.0), "owed to the payer")
        self._assert_balanced()

    def test_cancelled_and_invoice_kept(self):
        self._pay(self.invoice)
        self.cotisation.action_cancel()
        self._assert_row(self.cotisation, 0.0, 345.0, 345.0, 0.0, "cancelled")

    def test_price_changed(self):
        self.invoice.button_draft()
        self.invoice.invoice_line_ids.price_unit = 200.0
        self.invoice.action_post()
        self._assert_row(self.cotisation, 345.0, 230.0, 0.0, 230.0, "price_changed")

    def test_line_added_by_hand(self):
        self.invoice.button_draft()
        self.invoice.write(
            {
                "invoice_line_ids": [
                    fields.Command.create({"name": "Badge", "price_unit": 10.0, "tax_ids": []})
                ]
            }
        )
        self.invoice.action_post()
        self._assert_row(self.cotisation, 345.0, 345.0, 0.0, 345.0, "none")
        row = self.env["membri.reconciliation"].search([("reason", "=", "other_line")])
        self.assertRecordValues(
            row, [{"move_id": self.invoice.id, "expected": 0.0, "invoiced": 10.0, "open": 10.0}]
        )

    def test_ordinary_invoices_are_not_in_it(self):
        before = self.env["membri.reconciliation"]._get_balances(self.company)
        self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.member.id,
                "invoice_date": "2026-11-15",
                "invoice_line_ids": [fields.Command.create({"name": "Room", "price_unit": 10.0})],
            }
        ).action_post()
        self.assertEqual(self.env["membri.reconciliation"]._get_balances(self.company), before)
        self._assert_balanced()

    # ------------------------------------------------------------------
    # Shared invoices, currencies, taxes
    # ------------------------------------------------------------------

    def _approve_shared(self, price=300.0):
        payer = self._create_member("Chain Ltd", is_company=True)
        payer.membri_group_invoices = True
        renewals = self.env["membri.renewal"]
        for number in range(3):
            member = self._create_member(f"Branch {number}", parent_id=payer.id)
            renewals |= self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        for renewal in renewals:
            renewal.line_ids.price_unit = price
        renewals.action_approve()
        self.assertEqual(len(renewals.invoice_id), 1)
        return renewals

    def test_shared_invoice(self):
        renewals = self._approve_shared()
        invoice = renewals.invoice_id.with_env(self.env_account)
        for renewal in renewals:
            self._assert_row(renewal.new_cotisation_id, 345.0, 345.0, 0.0, 345.0, "none")
        gone = renewals[0].new_cotisation_id
        renewals[0].action_reset()
        row = self._get_row(gone)
        self.assertEqual((row.expected, row.invoiced, row.paid, row.open), (0.0, 0.0, 0.0, 0.0))
        for renewal in renewals[1:]:
            self._assert_row(renewal.new_cotisation_id, 345.0, 345.0, 0.0, 345.0, "none")
        self._pay(invoice)
        for renewal in renewals[1:]:
            self._assert_row(renewal.new_cotisation_id, 345.0, 345.0, 345.0, 0.0, "none")

    def test_shared_invoice_credited_after_payment(self):
        """What is owed back is the one's who was credited."""
        renewals = self._approve_shared()
        invoice = renewals.invoice_id.with_env(self.env_account)
        self._pay(invoice)
        gone = renewals[0].new_cotisation_id
        credit_note = invoice._reverse_moves([{"invoice_date": "2026-11-15"}])
        credit_note.invoice_line_ids.filtered(
            lambda line: line.membri_cotisation_id != gone
        ).unlink()
        credit_note.action_post()
        row = self._get_row(gone)
        self.assertEqual((row.invoiced, row.paid, row.open), (0.0, 345.0, -345.0))
        for renewal in renewals[1:]:
            self._assert_row(renewal.new_cotisation_id, 345.0, 345.0, 345.0, 0.0, "none")

    def test_taxes_rounded_on_the_whole_invoice(self):
        """Cents of a shared invoice: each row within one, all of them exact."""
        self.company.with_env(self.env_root).tax_calculation_rounding_method = "round_globally"
        renewals = self._approve_shared(10.03)
        rows = self.env["membri.reconciliation"].search(
            [("cotisation_id", "in", renewals.new_cotisation_id.ids)]
        )
        self.assertAlmostEqual(sum(rows.mapped("invoiced")), renewals.invoice_id.amount_total, 2)
        self.assertLessEqual(set(rows.mapped("reason")), {"none", "rounding"})
        self.assertLess(max(abs(row.difference) for row in rows), 0.015)
        self._pay(renewals.invoice_id, 11.11)
        self._assert_balanced()

    def test_foreign_currency(self):
        self._bill_in_euros(self.member, {"2026-01-01": 3.0, "2026-12-01": 4.0})
        cotisation = self.member._membri_enrol(self.yearly)
        invoice = cotisation.invoice_id.with_env(self.env_account)
        total = self.company.currency_id.round(invoice.amount_total / 3)
        row = self._get_row(cotisation)
        self.assertAlmostEqual(row.expected, total, 2)
        self.assertAlmostEqual(row.invoiced, invoice.amount_total_signed, 2)
        self.assertIn(row.reason, ("none", "rounding"))
        self._assert_balanced()
        with freeze_time("2026-12-03 15:00:00"):
            self._pay(invoice, 100.0)
            self._assert_balanced()
            self._pay(invoice)
            self._assert_balanced()
        row = self._get_row(cotisation)
        self.assertEqual(row.open, 0.0)
        self.assertAlmostEqual(row.paid, invoice.amount_total_signed, 2)

    def test_credited_in_full_at_another_rate(self):
        """What is left is the difference of the two rates: no invoice that was kept."""
        self._bill_in_euros(self.member, {"2026-01-01": 3.0, "2026-12-01": 4.0})
        cotisation = self.member._membri_enrol(self.yearly)
        invoice = cotisation.invoice_id.with_env(self.env_account)
        with freeze_time("2026-12-03 15:00:00"):
            self._pay(invoice)
            note = invoice._reverse_moves([{"invoice_date": "2026-12-03", "date": "2026-12-03"}])
            note.action_post()
            self.assertEqual(cotisation.state, "cancelled")
            row = self._get_row(cotisation)
            self.assertGreater(row.invoiced, 0.0)
            self.assertEqual(row.reason, "currency")
            self._assert_balanced()

    def test_rates_of_other_days(self):
        """Kept money is computed anew of whose day a rate is recorded, and of nobody else."""
        Money, currency = self.env["membri.money"], self.env_root.ref("base.EUR")
        currency.active = True

        def record(day, rate):
            return self.env_root["res.currency.rate"].create(
                {
                    "currency_id": currency.id,
                    "company_id": self.company.id,
                    "name": day,
                    "rate": rate,
                }
            )

        record("2026-01-01", 3.0)
        pricelist = self.env_root["product.pricelist"].create(
            {"name": "Euro", "currency_id": currency.id}
        )
        self.member.sudo().property_product_pricelist = pricelist
        cotisation = self.member._membri_enrol(self.yearly)
        day = cotisation.invoice_id.invoice_date
        Money._keep(Money._get_stale())
        later = record(day + timedelta(days=1), 4.0)
        record(day - timedelta(days=400), 5.0)
        later.rate = 6.0
        self.assertFalse(Money._get_stale())
        record(day, 2.0)
        self.assertEqual(Money._get_stale(), [(self.member.id,)])
        check_kept(self, "membri.money")

    def test_rate_changed_by_hand(self):
        currency = self.env_root.ref("base.EUR")
        currency.active = True
        pricelist = self.env_root["product.pricelist"].create(
            {"name": "Euro", "currency_id": currency.id}
        )
        self.member.sudo().property_product_pricelist = pricelist
        cotisation = self.member._membri_enrol(self.yearly)
        invoice = cotisation.invoice_id.with_env(self.env_account)
        invoice.button_draft()
        invoice.invoice_currency_rate = 1.5
        invoice.action_post()
        row = self._get_row(cotisation)
        self.assertEqual(row.reason, "currency")
        self.assertTrue(row.explanation)
        self._assert_balanced()

    # ------------------------------------------------------------------
    # Reading it
    # ------------------------------------------------------------------

    def test_by_period_and_option_set(self):
        self.env.flush_all()
        groups = self.env["membri.reconciliation"]._read_group(
            [("cotisation_id", "=", self.cotisation.id)],
            ["date_start:year", "option_set_id"],
            ["expected:sum", "open:sum"],
        )
        self.assertEqual(groups, [(fields.Date.to_date("2027-01-01"), self.yearly, 345.0, 345.0)])

    def test_check_balance(self):
        params = self.env["membri.reconciliation"].action_check_balance()["params"]
        self.assertEqual(params["type"], "success")
        self.env.cr.execute(
            "UPDATE account_move SET amount_residual_signed = 1 WHERE id = %s", [self.invoice.id]
        )
        self.env.invalidate_all()
        params = self.env["membri.reconciliation"].action_check_balance()["params"]
        self.assertEqual(params["type"], "danger")
        self.assertIn("do not match", params["message"])

    def test_drill_down(self):
        row = self._get_row(self.cotisation).with_user(self.officer)
        self.assertEqual(row.action_open_source()["res_model"], "account.move")
        waiting = self._get_row(self._renewal_in("sent"))
        self.assertEqual(waiting.action_open_source()["res_model"], "membri.renewal")

    def test_access(self):
        with self.assertRaises(AccessError):
            self.env["membri.reconciliation"].with_user(self.employee).search([])
        other = self._create_other_company("Other chapter", "UTC")
        rows = self.env["membri.reconciliation"].with_context(allowed_company_ids=other.ids)
        self.assertFalse(rows.search([]))
