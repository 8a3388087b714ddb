from datetime import date

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import Form, tagged

from .common_pricing import PricingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-06-15 15:00:00")
class TestProratedPrices(PricingCommon):
    """specification §4, *proration*, and specification, cases, *Proration*: exact to the cent."""

    def _assert_amount(self, cotisation, amount):
        """On the cotisation and on its invoice."""
        self.assertEqual(cotisation.amount_untaxed, amount)
        self.assertEqual(cotisation.invoice_id.amount_untaxed, amount)
        self.assertEqual(cotisation.invoice_id.amount_total, cotisation.amount_total)

    def _set_proration(self, proration, value=0.0):
        self.fixed.sudo().write({"proration": proration, "proration_value": value})

    def test_daily_from_1_july(self):
        """Case: 184/365 of the amount, rounded in the currency."""
        cotisation = self._enrol(self.fixed, "2026-07-01")
        self._assert_amount(cotisation, 151.23)
        self.assertEqual(cotisation.date_end, date(2026, 12, 31))
        self.assertEqual(cotisation.line_ids.quantity, 1.0)

    def test_quantities(self):
        """The amount is scaled, not the price of one piece: 3 × 151.23 would be 453.69."""
        for quantity, amount in ((3, 453.70), (7, 1058.63)):
            with self.subTest(quantity=quantity):
                self.fixed.sudo().line_ids.quantity = quantity
                member = self._create_member(f"Bo {quantity}")
                self._assert_amount(self._enrol(self.fixed, "2026-07-01", member=member), amount)

    def test_quantity_and_price_come_back_after_a_prorated_term(self):
        """What was charged for a short term is not what the next whole one is made of."""
        self.fixed.sudo().line_ids.quantity = 3
        cotisation = self._enrol(self.fixed, "2026-07-01")
        self._pay(cotisation.invoice_id)
        renewal = self._create_renewal(cotisation)
        self.assertRecordValues(renewal.line_ids, [{"quantity": 3.0, "price_unit": 300.0}])
        self.assertEqual(renewal.line_ids.name, "Membership")

    def test_quantity_comes_back_after_the_wizard(self):
        """The screen keeps what it does not show."""
        self.fixed.sudo().line_ids.quantity = 3
        with Form(self.env["membri.enrolment"]) as form:
            form.partner_id = self.member
            form.option_set_id = self.fixed
            form.date_start = "2026-07-01"
            form.prorate = True
        form.record.action_confirm()
        cotisation = self.member.membri_cotisation_ids
        self._assert_amount(cotisation, 453.70)
        self.assertRecordValues(
            self._create_renewal(cotisation).line_ids, [{"quantity": 3.0, "price_unit": 300.0}]
        )

    def test_agreed_price_comes_back_after_a_prorated_term(self):
        """A late member who restarts inside a fixed year pays a part of the agreed price;
        the year after, the whole of it."""
        self.fixed.sudo().late_policy = "restart"
        agreed = Command.create(
            {"product_id": self.product.id, "price_unit": 200.0, "is_price_agreed": True}
        )
        current = self._create_cotisation(
            self.member, "2025-01-01", self.fixed, state="expired", line_ids=[agreed]
        )
        renewal = self._create_renewal(current)
        self.assertEqual(renewal.amount_untaxed, 200.0)
        with freeze_time("2026-07-01 15:00:00"):
            renewal.action_approve()
        short = renewal.new_cotisation_id
        self.assertEqual((short.date_start, short.date_end), (date(2026, 7, 1), date(2026, 12, 31)))
        self._assert_amount(short, 100.82)
        self.assertRecordValues(
            self._create_renewal(short).line_ids, [{"price_unit": 200.0, "is_price_agreed": True}]
        )

    def test_leap_year(self):
        self._assert_amount(self._enrol(self.fixed, "2028-07-01"), 150.82)

    def test_monthly(self):
        self._set_proration("monthly")
        for day, amount in (
            ("2026-06-30", 175.0),
            ("2026-07-01", 150.0),
            ("2026-07-31", 150.0),
            ("2026-12-31", 25.0),
        ):
            with self.subTest(day=day):
                member = self._create_member(f"Bo {day}")
                self._assert_amount(self._enrol(self.fixed, day, member=member), amount)

    def test_percent(self):
        self._set_proration("percent", 33.33)
        self._assert_amount(self._enrol(self.fixed, "2026-07-01"), 99.99)

    def test_amount_sums_exactly(self):
        """100.00 over three equal options: no cent is lost, none is made up."""
        self._set_proration("amount", 100.0)
        self.fixed.sudo().line_ids = [
            Command.create({"product_id": self._create_option(f"Part {n}", 300.0).id})
            for n in range(2)
        ]
        cotisation = self._enrol(self.fixed, "2026-07-01")
        self._assert_amount(cotisation, 100.0)
        self.assertEqual(
            sorted(cotisation.line_ids.mapped("price_subtotal")), [33.33, 33.33, 33.34]
        )

    def test_amount_leaves_free_options_free(self):
        """The cent that is left belongs to an option that costs something."""
        self._set_proration("amount", 100.0)
        part = self._create_option("Part", 300.0)
        free = self._create_option("Gift", 0.0)
        self.fixed.sudo().line_ids = [
            Command.create({"product_id": product.id}) for product in part + part + free
        ]
        cotisation = self._enrol(self.fixed, "2026-07-01")
        self._assert_amount(cotisation, 100.0)
        gift = cotisation.line_ids.filtered(lambda line: line.product_id == free)
        self.assertEqual(gift.price_subtotal, 0.0)

    def test_amount_smaller_than_a_cent_each(self):
        """Never a negative line to make the sum come out."""
        self._set_proration("amount", 0.01)
        self.fixed.sudo().line_ids = [Command.create({"product_id": self.extra.id})] * 2
        cotisation = self._enrol(self.fixed, "2026-07-01")
        self._assert_amount(cotisation, 0.01)
        self.assertEqual(min(cotisation.line_ids.mapped("price_subtotal")), 0.0)

    def test_one_day_left_costs_something(self):
        self._assert_amount(self._enrol(self.fixed, "2026-12-31"), 0.82)
        self.product.sudo().list_price = 1.0
        other = self._create_member("Bo Cheap")
        self._assert_amount(self._enrol(self.fixed, "2026-12-31", member=other), 0.01)

    def test_whole_period_and_no_proration(self):
        self._assert_amount(self._enrol(self.fixed, "2027-01-01"), 300.0)
        other = self._create_member("Bo Whole")
        self._assert_amount(
            self._enrol(self.fixed, "2026-07-01", prorate=False, member=other), 300.0
        )
        self._set_proration("none")
        third = self._create_member("Cy None")
        self._assert_amount(self._enrol(self.fixed, "2026-07-01", member=third), 300.0)

    def test_computing_again_replaces(self):
        """Case: changing the setting and computing again replaces, never adds."""
        with Form(self.env["membri.enrolment"]) as form:
            form.partner_id = self.member
            form.option_set_id = self.fixed
            form.date_start = "2026-07-01"
            self.assertEqual(form.amount_untaxed, 300.0)
            form.prorate = True
            self.assertEqual(form.amount_untaxed, 151.23)
            form.prorate = False
            self.assertEqual(form.amount_untaxed, 300.0)
            form.prorate = True
            form.date_start = "2026-12-31"
            self.assertEqual(form.amount_untaxed, 0.82)
            form.date_start = "2026-07-01"
        enrolment = form.record
        self.assertRecordValues(enrolment.line_ids, [{"quantity": 1.0, "price_unit": 151.23}])
        self._set_proration("monthly")
        enrolment.prorate = False
        enrolment.prorate = True
        self.assertRecordValues(enrolment.line_ids, [{"quantity": 1.0, "price_unit": 150.0}])

    def test_renewal_from_anniversary_to_fixed_is_prorated(self):
        """specification §4: a prorated first term, then whole ones."""
        self.member.membri_next_option_set_id = self.fixed
        renewal = self._renew("2025-07-01")
        self.assertRecordValues(
            renewal,
            [
                {
                    "option_set_id": self.fixed.id,
                    "date_start": date(2026, 7, 1),
                    "date_end": date(2026, 12, 31),
                    "amount_untaxed": 151.23,
                }
            ],
        )
        renewal.action_approve()
        self._assert_amount(renewal.new_cotisation_id, 151.23)
        following = self._create_renewal(renewal.new_cotisation_id)
        self.assertEqual(following.date_end, date(2027, 12, 31))
        self.assertEqual(following.amount_untaxed, 300.0)

    def test_changing_the_set_and_back_replaces(self):
        renewal = self._renew("2025-07-01")
        for _attempt in range(2):
            renewal.option_set_id = self.fixed
            self.assertEqual(renewal.amount_untaxed, 151.23)
            self.assertEqual(renewal.date_end, date(2026, 12, 31))
            renewal.option_set_id = self.yearly
            self.assertEqual(renewal.amount_untaxed, 300.0)
            self.assertEqual(renewal.date_end, date(2027, 6, 30))
        self.assertEqual(len(renewal.line_ids), 1)
