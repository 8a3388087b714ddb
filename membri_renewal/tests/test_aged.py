from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_write_off import WriteOffCase

AGES = ["not_due", "late_30", "late_60", "late_90", "late_more"]


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestAgedMemberships(WriteOffCase):
    """Issue 12 B8: what is due for memberships, by how late it is."""

    def _get_rows(self, invoice=None):
        self.env.flush_all()
        self.env["membri.aged"].invalidate_model()
        return (
            self.env["membri.aged"]
            .with_user(self.auditor)
            .search([("move_id", "=", (invoice or self.invoice).id)])
        )

    def _get_ages(self, invoice=None):
        rows = self._get_rows(invoice)
        return [round(sum(rows.mapped(name)), 2) for name in AGES]

    def test_each_age_on_its_days(self):
        due = self.invoice.invoice_date_due
        for days, age in (
            (0, "not_due"),
            (1, "late_30"),
            (30, "late_30"),
            (31, "late_60"),
            (60, "late_60"),
            (61, "late_90"),
            (90, "late_90"),
            (91, "late_more"),
            (323, "late_more"),
        ):
            with self.subTest(days=days), freeze_time(f"{due + timedelta(days=days)} 15:00:00"):
                row = self._get_rows()
                self.assertRecordValues(
                    row,
                    [{"bucket": age, "days_late": days, "residual": 344.93, age: 344.93}],
                )
                self.assertEqual(row.partner_id, self.renewal.partner_id)

    def test_the_company_s_own_day(self):
        """At 23:30 in Toronto it is the next day for the server."""
        due = self.invoice.invoice_date_due
        with freeze_time(f"{due + timedelta(days=1)} 03:30:00"):
            self.assertEqual(self._get_rows().bucket, "not_due")

    def test_only_what_is_open(self):
        self._pay(self.invoice, 100.0)
        self.assertEqual(sum(self._get_ages()), 244.93)
        self._pay(self.invoice)
        self.assertFalse(self._get_rows())

    def test_parts_by_their_own_day(self):
        term = self.env_account["account.payment.term"].create(
            {
                "name": "Two parts",
                "line_ids": [
                    fields.Command.create({"value": "percent", "value_amount": 50, "nb_days": 0}),
                    fields.Command.create({"value": "percent", "value_amount": 50, "nb_days": 60}),
                ],
            }
        )
        member_term = self._create_yearly(property_payment_term_id=term.id)
        renewal = self._create_renewal(member_term)
        renewal.action_approve()
        with freeze_time("2027-02-20 15:00:00"):
            ages = self._get_ages(renewal.invoice_id)
            self.assertAlmostEqual(sum(ages), 344.93, 2)
            self.assertGreater(ages[0], 172.0)
            self.assertGreater(ages[2], 172.0)

    def test_shared_invoice_member_by_member_and_balance(self):
        payer = self._create_member("Chain Ltd", is_company=True)
        payer.membri_group_invoices = True
        renewals = self.env["membri.renewal"]
        for number in range(3):
            member = self._create_member(f"Branch {number}", parent_id=payer.id)
            renewals |= self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        renewals.line_ids.price_unit = 33.33
        renewals.action_approve()
        self._pay(renewals.invoice_id.with_env(self.env_account), 10.0)
        rows = self._get_rows(renewals.invoice_id)
        self.assertEqual(rows.partner_id, renewals.partner_id)
        self.assertEqual(rows.payer_id, payer)
        everything = self.env["membri.aged"].search([("company_id", "=", self.company.id)])
        lines = self.env_account["account.move.line"].search(
            [
                ("company_id", "=", self.company.id),
                ("parent_state", "=", "posted"),
                ("move_id.membri_invoice_type", "!=", False),
                ("account_type", "=", "asset_receivable"),
            ]
        )
        self.assertAlmostEqual(
            sum(everything.mapped("residual")), sum(lines.mapped("amount_residual")), 2
        )

    def test_access_and_companies(self):
        self.assertTrue(self.env["membri.aged"].with_user(self.auditor).search([]))
        with self.assertRaises(AccessError):
            self.env["membri.aged"].with_user(self.employee).search([])
        other = self._create_other_company("Other chapter", "UTC")
        rows = self.env["membri.aged"].with_context(allowed_company_ids=other.ids)
        self.assertFalse(rows.search([]))
