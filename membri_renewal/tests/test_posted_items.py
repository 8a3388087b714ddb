from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .common_fee_notice import TODAY
from .test_http_doors import DoorsCase


@freeze_time(TODAY)
@tagged("post_install", "-at_install")
class TestPostedItems(DoorsCase):
    """The item that is to be paid of a posted membership invoice is neither moved nor changed into
    another kind of line: nothing would be left to pay."""

    def test_what_is_to_be_paid_stays(self):
        clerk = new_test_user(
            self.env,
            "door_clerk",
            "account.group_account_invoice",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.assertEqual(self.invoice.state, "posted")
        item = self.invoice.line_ids.filtered(lambda i: i.account_type == "asset_receivable")
        income = self.invoice.invoice_line_ids.account_id[:1]
        other = self.invoice.copy()
        owed = self.invoice.amount_residual
        for vals in (
            {"account_id": income.id, "display_type": "product", "date_maturity": False},
            {"move_id": other.id},
        ):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                item.with_user(clerk).write(vals)
            self.assertEqual(self.invoice.amount_residual, owed)
            self.assertEqual(self.invoice.payment_state, "not_paid")
