from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import MembriCommon

LATE = "2027-03-15 15:00:00"


@tagged("post_install", "-at_install")
class TestA5Taxes(MembriCommon):
    """Issue 12, A5: the untaxed price is frozen; taxes are those of payer, fiscal position and
    day of approval, and who approves sees the total."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.low_tax = cls.tax.with_env(cls.env_root).copy({"name": "5 %", "amount": 5.0})
        cls.position = cls.env_root["account.fiscal.position"].create(
            {"name": "Reserve", "company_id": cls.company.id}
        )
        cls.env_root["account.tax"].create(
            {
                "name": "0 %",
                "amount": 0.0,
                "company_id": cls.company.id,
                "fiscal_position_ids": [Command.set(cls.position.ids)],
                "original_tax_ids": [Command.set(cls.tax.ids)],
            }
        )

    def _sent(self):
        renewal = self._create_renewal(self._create_yearly())
        renewal.action_send()
        self.assertEqual(renewal.amount_total, 345.0)
        return renewal

    def _sent_far_away(self):
        """Of a payer who has the fiscal position."""
        member = self._create_member("Far Away")
        payer = member.with_env(self.env_root).with_company(self.company)
        payer.property_account_position_id = self.position
        renewal = self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        renewal.action_send()
        return renewal

    def test_a5_taxes_of_the_product_on_the_day_of_approval(self):
        renewal = self._sent()
        self.product.taxes_id = self.low_tax
        self.assertIn("315", renewal.approval_remark)
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.amount_untaxed, 300.0)
        self.assertEqual(renewal.invoice_id.amount_total, 315.0)
        self.assertEqual(renewal.new_cotisation_id.amount_total, 315.0)
        self.assertFalse(renewal.approval_remark)

    def test_a5_fiscal_position_of_the_payer_at_approval(self):
        renewal = self._sent()
        renewal.partner_id.with_env(self.env_root).with_company(
            self.company
        ).property_account_position_id = self.position
        self.assertTrue(renewal.approval_remark)
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.amount_total, 300.0)
        self.assertEqual(renewal.amount_total, 300.0)

    def test_a5_untaxed_price_is_frozen_where_prices_include_taxes(self):
        (self.tax | self.low_tax).price_include_override = "tax_included"
        renewal = self._create_renewal(self._create_yearly())
        renewal.action_send()
        untaxed = renewal.amount_untaxed
        self.assertEqual((untaxed, renewal.amount_total), (260.87, 300.0))
        self.product.taxes_id = self.low_tax
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.amount_untaxed, untaxed)
        self.assertEqual(renewal.invoice_id.amount_total, 273.91)

    def test_a5_archived_tax_that_a_position_replaces(self):
        """The tax of the product, or the one of the payer's fiscal position, is archived."""
        local = self.env_root["account.tax"].create(
            {
                "name": "13 %",
                "amount": 13.0,
                "company_id": self.company.id,
                "fiscal_position_ids": [Command.set(self.position.ids)],
                "original_tax_ids": [Command.set(self.tax.ids)],
            }
        )
        self.position.tax_ids = local
        tax = self.tax.with_env(self.env_root)
        for archived in (tax, local, tax | local):
            with self.subTest(archived=archived.mapped("name")):
                (tax | local).active = True
                self.env.invalidate_all()  # Odoo's map of a position does not follow
                renewal = self._sent_far_away()
                self.assertEqual(renewal.amount_total, 339.0)
                archived.active = False
                self.env.invalidate_all()
                self.assertFalse(renewal.approval_remark)
                renewal.action_approve()
                self.assertEqual(renewal.invoice_id.amount_total, 339.0)
                lines = renewal.invoice_id.invoice_line_ids.with_context(active_test=False)
                self.assertEqual(lines.tax_ids, local)

    def test_a5_replaced_tax_of_a_position(self):
        """The new tax of the position holds, not the one that was archived."""
        renewal = self._sent_far_away()
        self.assertEqual(renewal.amount_total, 300.0)
        old = self.position.tax_ids
        old.copy({"name": "2 %", "amount": 2.0, "original_tax_ids": [Command.set(self.tax.ids)]})
        old.active = False
        self.env.invalidate_all()
        self.assertTrue(renewal.approval_remark)
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.amount_total, 306.0)

    def test_a5_archived_tax_changes_nothing(self):
        renewal = self._sent()
        self.tax.with_env(self.env_root).active = False
        self.env.invalidate_all()
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.amount_total, 345.0)

    def test_a5_member_sees_the_total_before_accepting(self):
        renewal = self._sent()
        seen = renewal._get_proposal_key()
        self.assertFalse(renewal._get_since_notice_sentence())
        self.product.taxes_id = self.low_tax
        told = renewal._get_since_notice_sentence()
        for amount in ("345.00", "315.00"):
            self.assertIn(amount, told, "why the email said another total")
        self.assertEqual(renewal._portal_accept(renewal.partner_id, seen), "changed")
        self.assertEqual(renewal.state, "sent")
        self.assertEqual(renewal._get_proposal().amount_total, 315.0)
        self.assertFalse(renewal._portal_accept(renewal.partner_id, renewal._get_proposal_key()))
        self.assertEqual(renewal.invoice_id.amount_total, 315.0)
        self.assertFalse(renewal._get_since_notice_sentence())

    def test_a5_notice_sent_again_shows_the_taxes_of_today(self):
        renewal = self._sent()
        self.product.taxes_id = self.low_tax
        renewal.action_send()
        self.assertEqual((renewal.amount_untaxed, renewal.amount_total), (300.0, 315.0))

    def test_a5_the_window_of_several_tells_the_total(self):
        renewals = self._sent() | self._sent()
        self.product.taxes_id = self.low_tax
        wizard = self.env["membri.bulk.start"].browse(
            self.env["membri.bulk.start"]._get_wizard_action("approve", renewals)["res_id"]
        )
        self.assertIn("630", wizard.explanation)
        self.assertIn("690", wizard.explanation, "what was proposed")

    def test_a5_the_window_of_hundreds_tells_it_too(self):
        """Work in the background is no reason to tell a total that is not invoiced; of thousands
        it says that it may differ."""
        renewals = self._sent() | self._sent()
        self.product.taxes_id = self.low_tax
        wizard = self.env["membri.bulk.start"].browse(
            self.env["membri.bulk.start"]._get_wizard_action("approve", renewals)["res_id"]
        )
        wizards = "odoo.addons.membri_renewal.wizard"
        with patch(f"{wizards}.bulk_selection.FOREGROUND_LIMIT", 1):
            self.assertIn("630", wizard.explanation)
            wizard.invalidate_recordset(["explanation"])
            with patch(f"{wizards}.bulk_start.TOTALS_LIMIT", 1):
                self.assertNotIn("630", wizard.explanation)
                self.assertIn("may differ", wizard.explanation)

    def test_a5_nothing_to_tell_without_a_change(self):
        renewal = self._sent()
        self.assertFalse(renewal.approval_remark)
        self.assertEqual(renewal._get_proposal(), renewal)


@tagged("post_install", "-at_install")
class TestA6AgreedIsInvoiced(MembriCommon):
    """Issue 12, A6: what was agreed is what is invoiced."""

    def _late(self, option_set=None, **vals):
        """A member of 2026 who is late in March 2027, in a set that restarts."""
        (option_set or self.yearly).with_env(self.env_root).write(
            {"late_policy": "restart", "grace_days": 30}
        )
        cotisation = self._create_cotisation(
            self.member, "2026-01-01", option_set=option_set, date_end="2026-12-31"
        )
        with freeze_time("2026-11-15 15:00:00"):
            return self._create_renewal(cotisation, **vals)

    def _monthly(self):
        return self._create_cotisation(self.member, "2026-01-01", option_set=self.monthly)

    @freeze_time(LATE)
    def test_a6_member_who_restarts_is_told_why(self):
        renewal = self._late()
        with freeze_time("2026-11-15 15:00:00"):
            renewal.action_send()
        told = renewal._get_since_notice_sentence()
        self.assertIn(renewal._get_period_in_words(), told)
        self.assertIn(renewal._get_proposal()._get_period_in_words(), told)

    @freeze_time(LATE)
    def test_a6_restart_keeps_quantity_price_and_options(self):
        renewal = self._late()
        renewal.line_ids.write({"quantity": 3, "price_unit": 250.0, "is_price_agreed": True})
        renewal.write({"line_ids": [Command.create({"product_id": self.extra.id})]})
        self.assertEqual(renewal.amount_untaxed, 800.0)
        self.assertIn("920", renewal.approval_remark)
        renewal.action_approve()
        self.assertRecordValues(
            renewal.new_cotisation_id,
            [
                {
                    "date_start": date(2027, 3, 15),
                    "date_end": date(2028, 3, 14),
                    "amount_untaxed": 800.0,
                    "amount_total": 920.0,
                }
            ],
        )
        self.assertRecordValues(
            renewal.invoice_id.invoice_line_ids,
            [
                {"product_id": self.product.id, "quantity": 3, "price_unit": 250.0},
                {"product_id": self.extra.id, "quantity": 1, "price_unit": 50.0},
            ],
        )
        self.assertEqual(renewal.invoice_id.amount_total, renewal.amount_total)

    @freeze_time("2026-11-15 15:00:00")
    def test_a6_an_option_twice_is_proposed_twice(self):
        """One piece at the usual price, two at an agreed one: next year the same."""
        term = self._create_yearly()
        term.write(
            {
                "line_ids": [
                    Command.create(
                        {"product_id": self.product.id, "quantity": 1.0, "price_unit": 280.0}
                    ),
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "quantity": 2.0,
                            "price_unit": 200.0,
                            "is_price_agreed": True,
                        }
                    ),
                ]
            }
        )
        renewal = self._create_renewal(term)
        self.assertEqual(
            sorted(renewal.line_ids.mapped(lambda line: (line.quantity, line.price_unit))),
            [(1.0, 300.0), (2.0, 200.0)],
        )

    @freeze_time(LATE)
    def test_a6_restart_moves_prices_that_were_not_agreed(self):
        renewal = self._late()
        renewal.line_ids.quantity = 3
        self.product.lst_price = 400.0
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.amount_untaxed, 1200.0)

    @freeze_time(LATE)
    def test_a6_price_typed_by_hand_is_agreed(self):
        renewal = self._late()
        renewal.line_ids.price_unit = 123.0
        self.assertTrue(renewal.line_ids.is_price_agreed)
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.amount_untaxed, 123.0)

    @freeze_time("2027-07-02 15:00:00")
    def test_a6_restart_prorates_what_was_agreed(self):
        """184 days of 2027 are left on 1 July; a day fewer on the second."""
        renewal = self._late(self.fixed)
        renewal.line_ids.write({"quantity": 2, "price_unit": 365.0, "is_price_agreed": True})
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.amount_untaxed, 366.0)
        self.assertEqual(renewal.new_cotisation_id.date_end, date(2027, 12, 31))
        self.assertEqual(renewal.new_cotisation_id.line_ids.full_price_unit, 365.0)

    def test_a6_member_sees_and_gets_what_was_agreed(self):
        with freeze_time("2026-11-15 15:00:00"):
            renewal = self._late()
            renewal.line_ids.quantity = 3
            renewal.action_send()
        with freeze_time(LATE):
            self.assertEqual(renewal._get_proposal().amount_total, 1035.0)
            renewal.action_send()
            self.assertEqual(renewal._get_proposal().amount_total, 1035.0)
            key = renewal._get_proposal_key()
            self.assertFalse(renewal._portal_accept(self.member, key))
            self.assertEqual(renewal.invoice_id.amount_total, 1035.0)
            self.assertEqual(renewal.date_start, date(2027, 3, 15))

    @freeze_time("2026-11-15 15:00:00")
    def test_a6_option_set_shows_its_lines_before_it_is_saved(self):
        other = self._create_option_set("Patron", products=self.product | self.extra)
        renewal = self._create_renewal(self._create_yearly())
        with Form(renewal) as form:
            form.option_set_id = other
            self.assertEqual(len(form.line_ids), 2)
            self.assertEqual(form.amount_total, 402.5)
        self.assertEqual(renewal.line_ids.product_id, self.product | self.extra)
        self.assertEqual(renewal.amount_total, 402.5)
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.amount_total, 402.5)

    @freeze_time("2026-01-25 15:00:00")
    def test_a6_contact_switched_to_notices_gets_a_notice(self):
        renewal = self._create_renewal(self._monthly())
        self.assertEqual(renewal.mode, "invoice")
        self.member.membri_auto_renew = False
        self.assertEqual(renewal.mode, "notice", "the windows tell it as it is")
        renewal.action_send()
        self.assertRecordValues(renewal, [{"state": "sent", "invoice_id": False}])

    @freeze_time("2026-01-25 15:00:00")
    def test_a6_option_set_switched_to_notices_decides_at_the_start(self):
        renewal = self._create_renewal(self._monthly())
        self.monthly.with_env(self.env_root).renewal_mode = "notice"
        self.env.invalidate_all()
        renewal.action_send()
        self.assertEqual((renewal.state, renewal.mode), ("sent", "notice"))

    def test_a6_mode_chosen_by_hand_is_kept(self):
        renewal = self._create_renewal(self._create_yearly(), mode="invoice")
        renewal.action_send()
        self.assertEqual(renewal.state, "approved")

    def test_a6_second_click_on_approve_is_refused(self):
        renewal = self._renewal_in("sent")
        renewal.action_approve()
        invoice = renewal.invoice_id
        with self.assertRaises(UserError):
            renewal.action_approve()
        self.assertEqual(renewal.invoice_ids, invoice)
        buttons = self.env["membri.renewal"].get_view(view_type="form")["arch"]
        reminder = buttons[buttons.index("Send Payment Reminder") - 200 :][:400]
        self.assertNotIn("btn-primary", reminder)
