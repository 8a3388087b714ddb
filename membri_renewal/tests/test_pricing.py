from datetime import date

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common_pricing import PricingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestPricing(PricingCommon):
    """specification §4, *Price*."""

    def test_list_price_without_pricelist(self):
        self.assertRecordValues(
            self._renew().line_ids,
            [{"product_id": self.product.id, "price_unit": 300.0, "quantity": 1.0}],
        )

    def test_plan_that_is_duplicated(self):
        """With its options and reminders; its code stays the first one's."""
        plan = self.yearly.with_user(self.manager)
        plan.code = "YEAR"
        plan.action_propose_reminders()
        double = plan.copy()
        self.assertEqual((plan.code, double.code), ("YEAR", False))
        self.assertEqual(double.line_ids.product_id, plan.line_ids.product_id)
        self.assertEqual(len(double.reminder_ids), len(plan.reminder_ids))

    def test_dated_rule_is_a_scheduled_increase(self):
        """Looked at on the first day of the new term, at the company's local midnight: in
        Toronto, 1 January begins at 05:00 UTC."""
        for second, price in (("04:59:59", 330.0), ("05:00:00", 330.0), ("05:00:01", 310.0)):
            with self.subTest(second=second):
                pricelist = self._create_pricelist(
                    (310.0, {"date_end": "2027-06-30 00:00:00"}),
                    (330.0, {"date_start": f"2027-01-01 {second}"}),
                )
                member = self._create_member(f"Bo {second}")
                self._give_pricelist(member, pricelist)
                self.assertEqual(self._renew(member=member).line_ids.price_unit, price)

    def test_day_before_the_increase_has_the_old_price(self):
        pricelist = self._create_pricelist(
            (310.0, {}), (330.0, {"date_start": "2027-01-01 05:00:00"})
        )
        self._give_pricelist(self.member, pricelist)
        renewal = self._renew("2025-12-31")
        self.assertEqual(renewal.date_start, date(2026, 12, 31))
        self.assertEqual(renewal.line_ids.price_unit, 310.0)

    def test_changing_the_dates_evaluates_the_rule_again(self):
        pricelist = self._create_pricelist(
            (310.0, {}), (330.0, {"date_start": "2027-01-01 05:00:00"})
        )
        self._give_pricelist(self.member, pricelist)
        renewal = self._renew("2025-12-31")
        renewal.write({"date_start": "2027-01-01", "date_end": "2027-12-31"})
        self.assertRecordValues(renewal.line_ids, [{"price_unit": 330.0, "quantity": 1.0}])

    def test_price_is_frozen_when_sent(self):
        renewal = self._renew()
        renewal.action_send()
        self.product.sudo().list_price = 999.0
        renewal.action_send()
        renewal.action_approve()
        self.assertEqual(renewal.amount_untaxed, 300.0)
        self.assertEqual(renewal.invoice_id.amount_untaxed, 300.0)
        self.assertEqual(renewal.new_cotisation_id.amount_untaxed, 300.0)

    def test_agreed_price_is_proposed_again(self):
        agreed = Command.create(
            {"product_id": self.product.id, "price_unit": 250.0, "is_price_agreed": True}
        )
        renewal = self._renew(line_ids=[agreed])
        self.assertRecordValues(renewal.line_ids, [{"price_unit": 250.0, "is_price_agreed": True}])
        renewal.action_approve()
        self.assertRecordValues(
            renewal.new_cotisation_id.line_ids, [{"price_unit": 250.0, "is_price_agreed": True}]
        )

    def test_last_price_is_not_an_agreed_price(self):
        paid_last_year = Command.create({"product_id": self.product.id, "price_unit": 250.0})
        renewal = self._renew(line_ids=[paid_last_year])
        self.assertEqual(renewal.line_ids.price_unit, 300.0)

    def test_own_price_of_an_option_goes_before_the_pricelist(self):
        self._give_pricelist(self.member, self._create_pricelist((310.0, {})))
        option_set = self._create_option_set("Own prices", self.product + self.extra)
        own, free = option_set.sudo().line_ids
        own.price_unit = 120.0
        free.has_own_price = True
        renewal = self._renew(option_set=option_set)
        self.assertRecordValues(
            renewal.line_ids,
            [
                {"product_id": self.product.id, "price_unit": 120.0},
                {"product_id": self.extra.id, "price_unit": 0.0},
            ],
        )
        self.assertEqual(renewal.amount_untaxed, 120.0)

    def test_chosen_options_are_proposed_again(self):
        """The member's own choice and quantity; what is required comes back, what was left
        out stays out, what is archived goes."""
        required = self._create_option("Insurance", 10.0)
        gone = self._create_option("Fax directory", 5.0)
        option_set = self._create_option_set("Many", self.product + self.extra + required + gone)
        option_set.sudo().line_ids[2].is_required = True
        renewal = self._renew(
            option_set=option_set,
            line_ids=[
                Command.create({"product_id": self.product.id, "price_unit": 1, "quantity": 3}),
                Command.create({"product_id": gone.id, "price_unit": 5}),
            ],
        )
        self.assertEqual(renewal.line_ids.product_id, self.product + required + gone)
        renewal.unlink()
        gone.sudo().active = False
        cotisation = self.member.membri_cotisation_ids
        self.assertRecordValues(
            self._create_renewal(cotisation).line_ids,
            [
                {"product_id": self.product.id, "quantity": 3.0, "price_unit": 300.0},
                {"product_id": required.id, "quantity": 1.0, "price_unit": 10.0},
            ],
        )

    def test_fiscal_position_maps_the_taxes(self):
        """Renewal and invoice agree on taxes and on every total."""
        self.assertEqual(self._renew().amount_total, 345.0, "15 % of the product")
        position = self.env_root["account.fiscal.position"].create(
            {"name": "Elsewhere", "company_id": self.company.id}
        )
        five_percent = self.env_root["account.tax"].create(
            {
                "name": "5 %",
                "amount": 5.0,
                "company_id": self.company.id,
                "fiscal_position_ids": [Command.set(position.ids)],
                "original_tax_ids": [Command.set(self.tax.ids)],
            }
        )
        member = self._create_member("Bo Elsewhere")
        member.sudo().with_company(self.company).property_account_position_id = position
        renewal = self._renew(member=member)
        self.assertEqual(renewal.line_ids.tax_ids, five_percent)
        self.assertRecordValues(renewal, [{"amount_untaxed": 300.0, "amount_total": 315.0}])
        renewal.action_approve()
        self.assertRecordValues(
            renewal.invoice_id,
            [
                {
                    "amount_untaxed": 300.0,
                    "amount_total": 315.0,
                    "fiscal_position_id": position.id,
                }
            ],
        )
        self.assertEqual(renewal.invoice_id.invoice_line_ids.tax_ids, five_percent)
        self.assertEqual(renewal.new_cotisation_id.amount_total, 315.0)

    def test_tax_included_price_without_its_tax(self):
        """A price with its tax inside, for a member who does not pay that tax: 300 of which
        15 % are tax leave 260.87, as a sales order would say."""
        self.tax.sudo().price_include_override = "tax_included"
        position = self.env_root["account.fiscal.position"].create(
            {"name": "Exempt", "company_id": self.company.id}
        )
        member = self._create_member("Bo Exempt")
        self.assertEqual(self._renew().amount_total, 300.0)
        member.sudo().with_company(self.company).property_account_position_id = position
        renewal = self._renew(member=member)
        self.assertFalse(renewal.line_ids.tax_ids)
        self.assertAlmostEqual(renewal.amount_total, 260.87, 2)
        renewal.action_approve()
        self.assertAlmostEqual(renewal.invoice_id.amount_total, 260.87, 2)

    def test_subtotal_is_that_of_the_tax_engine(self):
        """The engine is only asked where a tax is in the price; else its answer is known."""
        Tax = self.env_root["account.tax"]

        def create(name, amount, **vals):
            names = {"name": name, "amount": amount, "type_tax_use": "sale", **vals}
            return Tax.create({"company_id": self.company.id, **names})

        included = create("In", 15, price_include_override="tax_included")
        excluded = create("Ex", 9.975, price_include_override="tax_excluded")
        on_top = create(
            "Top", 5, price_include_override="tax_excluded", include_base_amount=True, sequence=0
        )
        fixed = create("Fixed", 1.35, amount_type="fixed")
        division = create("Division", 10, amount_type="division")
        group = create(
            "Group",
            0,
            amount_type="group",
            children_tax_ids=[Command.set((included + fixed).ids)],
        )
        cases = [
            Tax.browse(),
            excluded,
            included,
            on_top + excluded,
            fixed + excluded,
            fixed + included,
            division,
            division + excluded,
            group,
            group + excluded,
        ]
        renewal = self._renew()
        asked = 0
        for method in ("round_per_line", "round_globally"):
            self.company.with_env(self.env_root).tax_calculation_rounding_method = method
            for taxes in cases:
                for quantity, price in ((1.0, 300.0), (3.0, 33.335), (0.07, 12.345), (7.0, 0.005)):
                    line = self.env_root["membri.renewal.line"].new(
                        {
                            "renewal_id": renewal.id,
                            "product_id": self.product.id,
                            "quantity": quantity,
                            "price_unit": price,
                            "tax_ids": [Command.set(taxes.ids)],
                        }
                    )
                    base_line = line._prepare_base_line_for_taxes_computation()
                    Tax._add_tax_details_in_base_line(base_line, self.company)
                    Tax._round_base_lines_tax_details([base_line], self.company)
                    expected = base_line["tax_details"]["total_excluded_currency"]
                    asked += line._has_taxes_in_price()
                    with self.subTest(method=method, taxes=taxes.mapped("name"), price=price):
                        self.assertEqual(line.price_subtotal, expected)
        self.assertEqual(asked, 2 * 4 * 4)

    def test_currency_is_the_pricelists(self):
        currency = self.env_root.ref("base.EUR")
        currency.write(
            {
                "active": True,
                "rate_ids": [
                    Command.clear(),
                    Command.create(
                        {"name": "2016-01-01", "rate": 2.0, "company_id": self.company.id}
                    ),
                ],
            }
        )
        self._give_pricelist(
            self.member, self._create_pricelist(currency_id=currency.id, name="Euros")
        )
        renewal = self._renew()
        self.assertRecordValues(renewal, [{"currency_id": currency.id, "amount_untaxed": 600.0}])
        renewal.action_approve()
        self.assertRecordValues(
            renewal.invoice_id, [{"currency_id": currency.id, "amount_untaxed": 600.0}]
        )
        self.assertEqual(renewal.new_cotisation_id.currency_id, currency)
