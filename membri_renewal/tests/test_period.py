from calendar import monthrange
from datetime import date, datetime, timedelta

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import MembriCommon

ONE_DAY = timedelta(days=1)


class PeriodCommon(MembriCommon):
    def _chain(self, option_set, first_day, count, anchor=None):
        """The first and last days of ``count`` terms, each the next of the one before, as
        the renewals of a member make them."""
        anchor = anchor or first_day
        terms = [option_set._get_period(first_day, anchor)]
        while len(terms) < count:
            cotisation = self.env["membri.cotisation"].new(
                {
                    "option_set_id": option_set.id,
                    "date_start": terms[-1][0],
                    "date_end": terms[-1][1],
                    "date_anchor": anchor,
                }
            )
            anchor = option_set._get_next_anchor(cotisation)
            terms.append(option_set._get_next_period(cotisation))
        return terms

    def _days(self, terms):
        return [(str(first), str(last)) for first, last in terms]

    def _set(self, **vals):
        return self._create_option_set("A set", **vals)


@tagged("post_install", "-at_install")
class TestPeriod(PeriodCommon):
    """specification §4, *Period*, and specification, cases, *Dates*: hard values."""

    def test_a_year_ends_the_day_before_the_next_one(self):
        self.assertEqual(
            self._days(self._chain(self.yearly, date(2026, 5, 15), 3)),
            [
                ("2026-05-15", "2027-05-14"),
                ("2027-05-15", "2028-05-14"),
                ("2028-05-15", "2029-05-14"),
            ],
        )

    def test_end_on_29_february_gives_28_then_29_again(self):
        self.assertEqual(
            self._days(self._chain(self.yearly, date(2023, 3, 1), 6)),
            [
                ("2023-03-01", "2024-02-29"),
                ("2024-03-01", "2025-02-28"),
                ("2025-03-01", "2026-02-28"),
                ("2026-03-01", "2027-02-28"),
                ("2027-03-01", "2028-02-29"),
                ("2028-03-01", "2029-02-28"),
            ],
        )

    def test_anchor_on_29_february(self):
        """28 Feb in common years, 29 Feb in leap years: never stuck on the 28th."""
        self.assertEqual(
            self._days(self._chain(self.yearly, date(2024, 2, 29), 6)),
            [
                ("2024-02-29", "2025-02-27"),
                ("2025-02-28", "2026-02-27"),
                ("2026-02-28", "2027-02-27"),
                ("2027-02-28", "2028-02-28"),
                ("2028-02-29", "2029-02-27"),
                ("2029-02-28", "2030-02-27"),
            ],
        )

    def test_monthly_anchor_31_over_a_year(self):
        """30 April, never 28 April: counted from the anchor, not from the last result."""
        first_days = [first for first, _last in self._chain(self.monthly, date(2026, 1, 31), 14)]
        self.assertEqual(
            [str(day) for day in first_days],
            [
                "2026-01-31",
                "2026-02-28",
                "2026-03-31",
                "2026-04-30",
                "2026-05-31",
                "2026-06-30",
                "2026-07-31",
                "2026-08-31",
                "2026-09-30",
                "2026-10-31",
                "2026-11-30",
                "2026-12-31",
                "2027-01-31",
                "2027-02-28",
            ],
        )

    def test_monthly_anchors_29_and_30(self):
        for day, february in ((29, 28), (30, 28)):
            with self.subTest(day=day):
                terms = self._chain(self.monthly, date(2026, 1, day), 12)
                self.assertEqual(
                    [first.day for first, _last in terms],
                    [day, february] + [day] * 10,
                )
        leap = self._chain(self.monthly, date(2028, 1, 30), 3)
        self.assertEqual(
            self._days(leap),
            [
                ("2028-01-30", "2028-02-28"),
                ("2028-02-29", "2028-03-29"),
                ("2028-03-30", "2028-04-29"),
            ],
        )

    def test_a_clamped_first_day_finds_its_anchor_again(self):
        """An imported term 28 February to 30 March belongs to the grid of the 31st."""
        imported = self._create_cotisation(
            self.member, "2026-02-28", self.monthly, date_end="2026-03-30"
        )
        self.assertEqual(imported.date_anchor, date(2026, 3, 31))
        self.assertEqual(
            self.monthly._get_next_period(imported), (date(2026, 3, 31), date(2026, 4, 29))
        )

    def test_days_may_be_given_as_text(self):
        """Imports and RPC clients give dates as text, the anchor too."""
        self.assertEqual(
            self.monthly._get_period("2026-02-28", "2026-01-31"),
            (date(2026, 2, 28), date(2026, 3, 30)),
        )
        imported = self._create_cotisation(
            self.member, "2026-02-28", self.monthly, date_anchor="2026-01-31"
        )
        self.assertEqual(imported.date_end, date(2026, 3, 30))

    def test_a_year_with_which_the_calendar_ends(self):
        """9999-12-31, as other systems write “never”: a sentence, in the form as well."""
        for call in (
            lambda: self.yearly._get_period("9999-06-01"),
            lambda: self.member._membri_enrol(self.yearly, "9999-06-01"),
            lambda: self._create_cotisation(self.member, "9999-06-01"),
        ):
            with self.assertRaises(UserError) as caught:
                call()
            self.assertIn("9999", str(caught.exception))
        form = Form(self.env["membri.enrolment"].with_context(default_partner_id=self.member.id))
        form.option_set_id = self.yearly
        with self.assertRaises(UserError):
            form.date_start = date(9999, 6, 1)
        self.assertFalse(self.member.membri_cotisation_ids)

    def test_several_months_and_years(self):
        quarterly = self._set(period_unit="month", period_count=3)
        self.assertEqual(
            self._days(self._chain(quarterly, date(2026, 8, 31), 5)),
            [
                ("2026-08-31", "2026-11-29"),
                ("2026-11-30", "2027-02-27"),
                ("2027-02-28", "2027-05-30"),
                ("2027-05-31", "2027-08-30"),
                ("2027-08-31", "2027-11-29"),
            ],
        )
        two_years = self._set(period_count=2)
        self.assertEqual(
            self._days(self._chain(two_years, date(2024, 2, 29), 3)),
            [
                ("2024-02-29", "2026-02-27"),
                ("2026-02-28", "2028-02-28"),
                ("2028-02-29", "2030-02-27"),
            ],
        )

    def test_fixed_date(self):
        """1/1 gives 1 Jan to 31 Dec; a term that begins later ends with the others."""
        self.assertEqual(
            self._days(self._chain(self.fixed, date(2026, 7, 1), 3)),
            [
                ("2026-07-01", "2026-12-31"),
                ("2027-01-01", "2027-12-31"),
                ("2028-01-01", "2028-12-31"),
            ],
        )
        # the last and the first day of the year: never ends before it starts
        self.assertEqual(
            self._days(self._chain(self.fixed, date(2026, 12, 31), 2)),
            [("2026-12-31", "2026-12-31"), ("2027-01-01", "2027-12-31")],
        )
        april = self._set(date_mode="fixed", fixed_month="4", fixed_day=1)
        for first, last in (
            (date(2026, 3, 31), date(2026, 3, 31)),
            (date(2026, 4, 1), date(2027, 3, 31)),
            (date(2026, 12, 15), date(2027, 3, 31)),
            (date(2027, 1, 15), date(2027, 3, 31)),
        ):
            self.assertEqual(april._get_period(first), (first, last))

    def test_fixed_date_on_a_day_that_some_years_lack(self):
        leap_day = self._set(date_mode="fixed", fixed_month="2", fixed_day=29)
        self.assertEqual(
            self._days(self._chain(leap_day, date(2026, 10, 1), 4)),
            [
                ("2026-10-01", "2027-02-27"),
                ("2027-02-28", "2028-02-28"),
                ("2028-02-29", "2029-02-27"),
                ("2029-02-28", "2030-02-27"),
            ],
        )

    def test_fixed_two_years(self):
        """Whoever joins this year ends on the same day."""
        biennial = self._set(
            date_mode="fixed", period_count=2, fixed_month="7", fixed_day=1, proration="daily"
        )
        for first in (date(2026, 7, 1), date(2026, 11, 30), date(2027, 6, 30)):
            self.assertEqual(biennial._get_period(first), (first, date(2028, 6, 30)))
        self.assertEqual(
            self._days(self._chain(biennial, date(2027, 6, 30), 2)),
            [("2027-06-30", "2028-06-30"), ("2028-07-01", "2030-06-30")],
        )
        # 367 of the 731 days 2026-07-01 to 2028-06-30
        self.assertAlmostEqual(
            biennial._get_proration(date(2027, 6, 30), date(2028, 6, 30)), 367 / 731, 12
        )

    def test_lifetime_has_no_end(self):
        self.assertEqual(self.for_life._get_period(date(2026, 5, 15)), (date(2026, 5, 15), False))
        self.assertEqual(self.for_life._get_proration(date(2026, 5, 15), False), 1.0)

    def test_from_anniversary_to_fixed_and_back(self):
        """The first fixed term is short; the way back starts a new anniversary."""
        current = self._create_cotisation(self.member, "2025-07-01")
        first, last = self.fixed._get_next_period(current)
        self.assertEqual((first, last), (date(2026, 7, 1), date(2026, 12, 31)))
        self.assertAlmostEqual(self.fixed._get_proration(first, last), 184 / 365, 12)
        other = self._create_member("Bo Fixed")
        calendar = self._create_cotisation(other, "2026-01-01", self.fixed)
        self.assertEqual(
            self.yearly._get_next_period(calendar), (date(2027, 1, 1), date(2027, 12, 31))
        )

    def test_from_monthly_31_to_yearly(self):
        """A clamped day that is on the grid of the new set keeps the member's day."""
        current = self._create_cotisation(
            self.member, "2026-01-31", self.monthly, date_anchor="2026-01-31"
        )
        self.assertEqual(current.date_end, date(2026, 2, 27))
        self.assertEqual(
            self.yearly._get_next_period(current), (date(2026, 2, 28), date(2027, 2, 27))
        )

    def test_every_first_day_of_five_years(self):
        """For all days and many sets: contiguous, no overlap, on the member's own grid."""
        sets = {
            self.yearly: 12,
            self.monthly: 1,
            self._set(period_unit="month", period_count=5): 5,
            self._set(period_count=2): 24,
            self._set(period_unit="month", period_count=18): 18,
        }
        day = date(2023, 12, 1)
        while day < date(2028, 12, 1):
            for option_set, months in sets.items():
                terms = self._chain(option_set, day, 4)
                expected = [self._add_months(day, months * step) for step in range(5)]
                if [first for first, _last in terms] != expected[:4]:
                    self.fail(f"{months} months from {day}: {self._days(terms)}")
                if [last + ONE_DAY for _first, last in terms] != expected[1:]:
                    self.fail(f"{months} months from {day}: {self._days(terms)}")
            day += ONE_DAY
        self.assertEqual(day, date(2028, 12, 1), "all days were looked at")

    def test_every_first_day_of_five_years_on_fixed_dates(self):
        sets = [
            self._set(
                date_mode="fixed",
                fixed_month=str(month),
                fixed_day=fixed_day,
                period_count=years,
                proration="daily",
            )
            for month, fixed_day, years in (
                (1, 1, 1),
                (2, 29, 1),
                (8, 31, 1),
                (7, 1, 2),
                (12, 15, 3),
            )
        ]
        day = date(2023, 12, 1)
        while day < date(2028, 12, 1):
            for option_set in sets:
                (first, last), (second, end) = self._chain(option_set, day, 2)
                months = (second.year - day.year) * 12 + second.month - day.month
                facts = {
                    "begins as asked": first == day,
                    "contiguous": second == last + ONE_DAY,
                    "ends after it begins": first <= last < end,
                    "on the fixed day": self._add_months(
                        date(2024, int(option_set.fixed_month), option_set.fixed_day),
                        (second.year - 2024) * 12,
                    )
                    == second,
                    "not longer than a period": months <= option_set.period_count * 12,
                    "a share of the price": 0 < option_set._get_proration(first, last) <= 1,
                    "then the whole price": option_set._get_proration(second, end) == 1,
                }
                if not all(facts.values()):
                    self.fail(f"{option_set.fixed_month}/{option_set.fixed_day} {day}: {facts}")
            day += ONE_DAY
        self.assertEqual(day, date(2028, 12, 1), "all days were looked at")

    def _add_months(self, day, months):
        """The expectation, written another way than the code it checks."""
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@tagged("post_install", "-at_install")
class TestProration(PeriodCommon):
    """specification §4, *proration*, as shares; what they do to money is in test_pricing.py."""

    def _share(self, option_set, first_day):
        return option_set._get_proration(*option_set._get_period(first_day))

    def test_daily(self):
        self.assertAlmostEqual(self._share(self.fixed, date(2026, 7, 1)), 184 / 365, 12)
        self.assertAlmostEqual(self._share(self.fixed, date(2028, 7, 1)), 184 / 366, 12)
        self.assertAlmostEqual(self._share(self.fixed, date(2026, 12, 31)), 1 / 365, 12)
        self.assertEqual(self._share(self.fixed, date(2026, 1, 1)), 1.0)
        self.assertAlmostEqual(self._share(self.fixed, date(2026, 1, 2)), 364 / 365, 12)

    def test_monthly_counts_a_started_month(self):
        self.fixed.sudo().proration = "monthly"
        for first_day, months in (
            (date(2026, 1, 1), 12),
            (date(2026, 1, 2), 12),
            (date(2026, 2, 1), 11),
            (date(2026, 6, 30), 7),
            (date(2026, 7, 1), 6),
            (date(2026, 7, 31), 6),
            (date(2026, 12, 1), 1),
            (date(2026, 12, 31), 1),
        ):
            with self.subTest(first_day=first_day):
                self.assertAlmostEqual(self._share(self.fixed, first_day), months / 12, 12)

    def test_percent_none_and_amount(self):
        september = date(2026, 9, 1)
        self.fixed.sudo().write({"proration": "percent", "proration_value": 40})
        self.assertEqual(self._share(self.fixed, september), 0.4)
        self.fixed.sudo().proration = "none"
        self.assertEqual(self._share(self.fixed, september), 1.0)
        self.fixed.sudo().write({"proration": "amount", "proration_value": 75})
        self.assertEqual(self._share(self.fixed, september), 0.25)
        self.assertEqual(self._share(self.fixed, date(2026, 1, 1)), 1.0)

    def test_anniversary_terms_cost_their_full_price(self):
        self.assertEqual(self._share(self.yearly, date(2026, 7, 1)), 1.0)


@tagged("post_install", "-at_install")
class TestCompanyDay(PeriodCommon):
    """specification §4: "today" is the civil day of the company."""

    def test_midnight_is_local(self):
        """As moments in UTC; the clocks of Toronto change on 8 March and 1 November 2026."""
        for day, moment in (
            (date(2026, 1, 1), datetime(2026, 1, 1, 5)),
            (date(2026, 3, 8), datetime(2026, 3, 8, 5)),
            (date(2026, 3, 9), datetime(2026, 3, 9, 4)),
            (date(2026, 11, 1), datetime(2026, 11, 1, 4)),
            (date(2026, 11, 2), datetime(2026, 11, 2, 5)),
        ):
            with self.subTest(day=day):
                self.assertEqual(self.company._membri_midnight(day), moment)
                self.assertEqual(self.company._membri_local_date(moment), day)
                before = moment - timedelta(seconds=1)
                self.assertEqual(self.company._membri_local_date(before), day - ONE_DAY)
