from datetime import date

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .common_fee_notice import TODAY
from .test_http_doors import DoorsCase


@freeze_time(TODAY)
@tagged("post_install", "-at_install")
class TestPostedItems(DoorsCase):
    """The items of a posted membership invoice are neither moved nor changed, in what they bill and
    to whom: less would be left to pay."""

    def test_what_is_to_be_paid_stays(self):
        clerk = self._create_clerk()
        self.assertEqual(self.invoice.state, "posted")
        item = self.invoice.line_ids.filtered(lambda i: i.account_type == "asset_receivable")
        income = self.invoice.invoice_line_ids.account_id[:1]
        other = self.invoice.copy()
        owed = self.invoice.amount_residual
        bill = self.invoice.invoice_line_ids[0]
        for line, vals in (
            (item, {"account_id": income.id, "display_type": "product", "date_maturity": False}),
            (item, {"move_id": other.id}),
            (item, {"partner_id": clerk.partner_id.id}),
            (bill, {"debit": 1.0}),
            (bill, {"balance": -1.0}),
            (bill, {"amount_currency": -1.0}),
        ):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                line.with_user(clerk).write(vals)
            self._assert_unpaid(owed)
        by_clerk = self.invoice.with_user(clerk)
        for vals in (
            {"partner_id": clerk.partner_id.id},
            {"invoice_line_ids": [Command.create({"name": "Gift", "price_unit": -owed})]},
            {"line_ids": [Command.update(item.id, {"balance": 0.0})]},
        ):
            for context in ({}, {"skip_readonly_check": True}):
                with self.subTest(vals=vals, context=context), self.assertRaises(UserError):
                    by_clerk.with_context(**context).write(vals)
                self._assert_unpaid(owed)

    def test_due_day_of_a_booked_invoice(self):
        """Odoo lets it be put off, and its items follow."""
        self.invoice.with_user(self._create_clerk()).invoice_date_due = "2027-12-31"
        [item] = self.invoice.line_ids.filtered("date_maturity")
        self.assertEqual(item.date_maturity, date(2027, 12, 31))
        self._assert_unpaid(self.invoice.amount_total)

    def _create_clerk(self):
        return new_test_user(
            self.env_root,
            "door_clerk",
            "account.group_account_invoice",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )

    def _assert_unpaid(self, owed):
        self.env.invalidate_all()
        self.assertEqual(self.invoice.amount_residual, owed)
        self.assertEqual(self.invoice.amount_total, owed)
        self.assertEqual(self.invoice.payment_state, "not_paid")
