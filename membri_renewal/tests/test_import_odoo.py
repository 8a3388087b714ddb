from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common_import import ImportCase


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestImportOdoo(ImportCase):
    """Issue 16, 2: the tables of Odoo's ``membership`` in this very database."""

    def _create_tables(self):
        self.cr.execute(
            """CREATE TABLE membership_membership_line (
                id serial PRIMARY KEY, partner integer, membership_id integer, date_from date,
                date_to date, date_cancel date, state varchar, member_price numeric)"""
        )

    def _insert(self, *row):
        self.env.flush_all()
        self.cr.execute(
            """INSERT INTO membership_membership_line
                (partner, membership_id, date_from, date_to, state, member_price)
                VALUES (%s, %s, %s, %s, %s, %s)""",
            row,
        )

    def test_without_tables(self):
        record = self.Import.create({"profile": "odoo"})
        with self.assertRaises(UserError):
            record.action_preview()

    def test_tables(self):
        self._create_tables()
        ada, product = self.member, self.product
        other = self._create_other_company("Elsewhere", "America/Toronto")
        theirs = self.env_root["res.partner"].create({"name": "Theirs", "company_id": other.id})
        self._insert(ada.id, product.id, "2025-01-01", "2025-12-31", "paid", 90)
        self._insert(ada.id, product.id, "2026-01-01", "2026-12-31", "free", 0)
        self._insert(ada.id, product.id, "2024-01-01", "2024-12-31", "canceled", 80)
        self._insert(theirs.id, product.id, "2026-01-01", "2026-12-31", "paid", 90)
        record = self.Import.create(
            {"profile": "odoo", "option_set_map": {"Membership": self.yearly.id}}
        )
        before = self._count()
        record.action_preview()
        self.assertEqual(self._get_results(record), ["new"] * 3)
        self.assertEqual(record.line_ids.partner_id, ada)
        record.action_run()
        self.assertEqual(
            self._get_terms(record),
            [
                (ada.name, "Yearly", "2024-01-01", "2024-12-31", "cancelled"),
                (ada.name, "Yearly", "2025-01-01", "2025-12-31", "expired"),
                (ada.name, "Yearly", "2026-01-01", "2026-12-31", "active"),
            ],
        )
        after = self._count()
        self.assertEqual(after["res.partner"], before["res.partner"])
        self.assertEqual(after["account.move"], before["account.move"])
        record.action_preview()
        self.assertEqual(self._get_results(record), ["same"] * 3)

    def test_contacts_without_a_line(self):
        """Members by the membership of another, and free members."""
        self._create_tables()
        self.env.flush_all()
        self.cr.execute(
            "ALTER TABLE res_partner ADD associate_member integer, ADD free_member boolean"
        )
        firm = self._create_member("Firm", is_company=True)
        clerk, honorary = self._create_member("Clerk"), self._create_member("Honorary")
        self._insert(firm.id, self.product.id, "2026-01-01", "2026-12-31", "paid", 90)
        self.cr.execute(
            "UPDATE res_partner SET associate_member = %s WHERE id = %s", (firm.id, clerk.id)
        )
        self.cr.execute("UPDATE res_partner SET free_member = true WHERE id = %s", (honorary.id,))
        record = self.Import.create(
            {
                "profile": "odoo",
                "option_set_map": {"Membership": self.yearly.id, "": self.for_life.id},
            }
        )
        record.action_run()
        self.assertEqual(
            self._get_terms(record),
            [
                ("Firm", "Yearly", "2026-01-01", "2026-12-31", "active"),
                ("Honorary", "For life", "2026-11-15", "", "active"),
            ],
        )
        self.assertEqual(clerk.parent_id, firm)
        self.assertFalse(clerk.membri_cotisation_ids)

    def _invoice(self, partner):
        move = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": "2026-01-05",
                "invoice_line_ids": [
                    Command.create({"product_id": self.product.id, "price_unit": 90.0})
                ],
            }
        )
        move.action_post()
        return move

    def test_invoices_are_linked(self):
        """Those that exist, and none again: an unpaid one is what the term waits for."""
        self._create_tables()
        self.cr.execute("ALTER TABLE membership_membership_line ADD account_invoice_line integer")
        bea = self._create_member("Bea Roy")
        paid, unpaid = self._invoice(self.member), self._invoice(bea)
        self._pay(paid)
        for move, state in ((paid, "paid"), (unpaid, "invoiced")):
            self._insert(move.partner_id.id, self.product.id, "2026-01-01", "2026-12-31", state, 90)
            self.cr.execute(
                "UPDATE membership_membership_line SET account_invoice_line = %s "
                "WHERE partner = %s",
                (move.invoice_line_ids.id, move.partner_id.id),
            )
        record = self.Import.create(
            {"profile": "odoo", "option_set_map": {"Membership": self.yearly.id}}
        )
        before = self._count()
        record.action_run()
        after = self._count()
        self.assertEqual(after["account.move"], before["account.move"])
        self.assertEqual(after["mail.mail"], before["mail.mail"])
        lines = record.line_ids.sorted("row")
        terms = {line.partner_id: line.cotisation_id for line in lines}
        self.assertEqual(terms[self.member].sudo().invoice_id, paid)
        self.assertEqual(terms[bea].sudo().invoice_id, unpaid)
        self.assertEqual((terms[self.member].state, terms[bea].state), ("active", "pending"))
        self.assertEqual(terms[bea].amount_total, unpaid.amount_total)
        self.assertEqual(set((paid + unpaid).mapped("membri_invoice_type")), {"enrolment"})
        record.action_preview()
        self.assertEqual(self._get_results(record), ["same", "same"])
        record.action_run()
        self._pay(unpaid)
        self.assertEqual(terms[bea].state, "active")
        first = self.Import.search([("id", "!=", record.id), ("profile", "=", "odoo")], limit=1)
        first.action_undo()
        self.assertFalse(terms[bea].exists())
        self.assertFalse((paid + unpaid).invoice_line_ids.membri_cotisation_id)
        self.assertEqual(set((paid + unpaid).mapped("membri_invoice_type")), {False})
        self.assertEqual(unpaid.payment_state, paid.payment_state)
