from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_write_off import WriteOffCase


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestDeferredRevenue(WriteOffCase):
    """Issue 12 B8: the unearned part by fiscal year, from the terms on the lines."""

    def _get_rows(self, terms=None, as_of=None):
        self.env.flush_all()
        self.env["membri.deferred"].invalidate_model()
        return (
            self.env["membri.deferred"]
            .with_user(self.auditor)
            .with_context(membri_as_of=as_of)
            .search([("cotisation_id", "in", (terms or self.cotisation).ids)])
        )

    def _get_values(self, terms=None, as_of=None):
        return [
            (row.fiscal_year, row.days, row.amount, row.earned, row.unearned)
            for row in self._get_rows(terms, as_of)
        ]

    def test_whole_year(self):
        """300.00 before taxes, of 2027; 15 of 365 days are over."""
        self.assertEqual(self._get_values(), [("2027", 365, 300.0, 12.33, 287.67)])
        self.assertEqual(self._get_values(as_of="2027-12-31"), [("2027", 365, 300.0, 300.0, 0.0)])
        self.assertEqual(self._get_values(as_of="nonsense"), self._get_values())

    def test_what_was_booked_later_is_not_in_it(self):
        """On the last day of 2026 the accounts had neither the invoice of January nor what was
        credited of it."""
        self.assertEqual(self._get_values(as_of="2026-12-31"), [])
        with freeze_time("2027-03-10 15:00:00"):
            self._credit(self.invoice, price=100.0)
            for day, amount in (("2027-01-14", 0.0), ("2027-01-15", 300.0), ("2027-03-10", 200.0)):
                with self.subTest(day=day):
                    rows = self._get_rows(as_of=day)
                    self.assertAlmostEqual(sum(rows.mapped("amount")), amount, 2)

    def test_billed_before_it_begins(self):
        """What is invoiced in the autumn for the next year is all unearned when the year ends."""
        with freeze_time("2026-11-15 15:00:00"):
            term = self._create_member("Early")._membri_enrol(self.yearly, "2027-01-01")
        self.assertEqual(
            self._get_values(term, as_of="2026-12-31"), [("2027", 365, 300.0, 0.0, 300.0)]
        )

    def test_fiscal_year_of_the_company(self):
        company = self.company.with_env(self.env_root)
        company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        self.assertEqual(
            self._get_values(as_of="2027-03-31"),
            [("2026-2027", 90, 73.97, 73.97, 0.0), ("2027-2028", 275, 226.03, 0.0, 226.03)],
        )

    def test_end_of_february(self):
        """The fiscal year ends on the last of February, on the 29th in leap years."""
        company = self.company.with_env(self.env_root)
        company.write({"fiscalyear_last_month": "2", "fiscalyear_last_day": 29})
        rows = self._get_rows()
        self.assertEqual(rows.mapped("days"), [59, 306])
        self.assertEqual(rows[0].year_end, fields.Date.to_date("2027-02-28"))
        self.assertEqual(rows[1].year_end, fields.Date.to_date("2028-02-29"))

    def test_years_add_up_to_the_line(self):
        term = (
            self.env["res.partner"]
            .create({"name": "Thrice"})
            ._membri_enrol(self._create_option_set("Three years", period_count=3), "2027-05-20")
        )
        rows = self._get_rows(term)
        self.assertEqual(rows.mapped("fiscal_year"), ["2027", "2028", "2029", "2030"])
        self.assertAlmostEqual(sum(rows.mapped("amount")), 300.0, 2)
        self.assertEqual(sum(rows.mapped("days")), (term.date_end - term.date_start).days + 1)
        for row in rows:
            self.assertAlmostEqual(row.earned + row.unearned, row.amount, 2)

    def test_credit_note_takes_it_back(self):
        self._credit(self.invoice, price=100.0)
        rows = self._get_rows()
        self.assertAlmostEqual(sum(rows.mapped("amount")), 200.0, 2)

    def test_for_life_is_earned_at_once(self):
        term = (
            self.env["res.partner"]
            .create({"name": "Ever"})
            ._membri_enrol(self.for_life, "2027-01-10")
        )
        self.assertEqual(self._get_values(term), [("2027", 1, 300.0, 300.0, 0.0)])

    def _enrol_three_years(self, plan=None, date="2025-01-01"):
        with freeze_time("2025-01-01 15:00:00"):
            plan = plan or self._create_option_set("Three years", period_count=3)
            term = self._create_member("Leaver")._membri_enrol(plan, date)
            self._pay(term.invoice_id)
        with freeze_time("2026-12-31 15:00:00"):
            self._run_cron("ir_cron_update_states")
        return term

    def test_ended_early_what_was_earned_stays(self):
        """300.00 for 2025 to 2027: what is left is earned when the term ends, no year before it
        gets any of that."""
        term = self._enrol_three_years()
        before = [("2025", 365, 100.0, 100.0, 0.0), ("2026", 365, 100.0, 100.0, 0.0)]
        self.assertEqual(self._get_values(term)[:2], before)
        term.action_terminate("2027-03-31", "Moved")
        rest = [("2027", 90, 100.0, 4.11, 95.89)]
        self.assertEqual(self._get_values(term), before + rest)
        self.assertEqual(
            self._get_values(term, "2027-03-31"), [*before, ("2027", 90, 100.0, 100.0, 0.0)]
        )
        term.action_undo_termination()
        self.assertEqual(self._get_values(term), [*before, ("2027", 365, 100.0, 4.11, 95.89)])

    def test_ended_early_on_a_day_in_a_year_that_is_over(self):
        """2026 may be closed: what is left is earned when somebody ended the term."""
        term = self._enrol_three_years()
        term.action_terminate("2026-06-30", "Moved")
        self.assertEqual(
            self._get_values(term),
            [
                ("2025", 365, 100.0, 100.0, 0.0),
                ("2026", 181, 100.0, 100.0, 0.0),
                ("2027", 0, 100.0, 100.0, 0.0),
            ],
        )

    def test_ended_early_on_the_first_of_january(self):
        """Recorded on January 1 for the last of June: nothing of it falls in the year before."""
        term = self._enrol_three_years()
        with freeze_time("2027-01-01 15:00:00"):
            term.action_terminate("2026-06-30", "Moved")
        years = [(year, amount) for year, _days, amount, *_rest in self._get_values(term)]
        self.assertEqual(years, [("2025", 100.0), ("2026", 100.0), ("2027", 100.0)])
        self.assertEqual(self._get_values(term, "2026-12-31")[2], ("2027", 0, 100.0, 0.0, 100.0))

    def _get_sums(self, terms, as_of=None):
        rows = self._get_rows(terms, as_of)
        return round(sum(rows.mapped("earned")), 2), round(sum(rows.mapped("unearned")), 2)

    def test_credit_note_of_the_days_that_are_left(self):
        """Ended on January 31 for February 9: what was earned stays, what is left is what the
        days up to the last one cost."""
        self._pay(self.invoice)
        with freeze_time("2027-01-31 15:00:00"):
            before = self._get_sums(self.cotisation)
            self.assertEqual(before, (25.48, 274.52))
            self.cotisation.action_terminate("2027-02-09", "Moved")
            self._credit(self.invoice, price=267.0)
            self.assertEqual(self._get_sums(self.cotisation, "2027-01-30"), (24.66, 275.34))
            self.assertEqual(self._get_sums(self.cotisation), (25.48, 7.52))
            self.assertEqual(self._get_sums(self.cotisation, "2027-02-08"), (32.05, 0.95))
            self.assertEqual(self._get_sums(self.cotisation, "2027-02-09"), (33.0, 0.0))
            self._assert_same_totals()

    def test_credit_note_before_and_after_the_early_end(self):
        """One of the whole year counts from its date on, for the days before it at once; what the
        early end changes, it changes from the day on which it is recorded."""
        self._pay(self.invoice)
        with freeze_time("2027-01-31 15:00:00"):
            self._credit(self.invoice, price=73.0)
            days = ("2027-01-30", "2027-01-31", "2027-02-28")
            sums = [self._get_sums(self.cotisation, day) for day in days]
            self.assertEqual(sums, [(24.66, 275.34), (19.28, 207.72), (36.69, 190.31)])
        with freeze_time("2027-03-10 15:00:00"):
            self.cotisation.action_terminate("2027-02-28", "Moved")
            self.assertEqual([self._get_sums(self.cotisation, day) for day in days], sums)
            self.assertEqual(self._get_sums(self.cotisation), (227.0, 0.0))
            self._credit(self.invoice, price=150.0)
            self.assertEqual(self._get_sums(self.cotisation), (77.0, 0.0))
            self._assert_same_totals()

    def test_ended_early_twice(self):
        """What was credited after the first time goes on giving back the days that were left."""
        self._pay(self.invoice)
        with freeze_time("2027-03-01 15:00:00"):
            self.cotisation.action_terminate("2027-06-30", "Moved")
            self._credit(self.invoice, price=150.0)
        days = ("2027-03-31", "2027-04-30")
        sums = [self._get_sums(self.cotisation, day) for day in days]
        with freeze_time("2027-05-01 15:00:00"):
            self.cotisation.action_terminate("2027-05-31", "Moved")
            self.assertEqual([self._get_sums(self.cotisation, day) for day in days], sums)
            self._assert_same_totals()

    def test_late_documents_leave_years_that_are_over(self):
        """Of 2025 to 2027, credited in 2027 what concerns the three years: all of what is past on
        its date; one after the last day, at once."""
        term = self._enrol_three_years()
        before = self._get_values(term)[:2]
        self._credit(term.invoice_id, price=109.5)  # 0.10 a day
        rows = self._get_rows(term)
        self.assertEqual(self._get_values(term)[:2], before)
        self.assertEqual(rows.mapped("fiscal_year"), ["2025", "2026", "2027", "2027"])
        credited = rows.filtered(lambda row: row.move_id.move_type == "out_refund")
        self.assertEqual(
            (credited.amount, credited.earned, credited.unearned), (-109.5, -74.5, -35.0)
        )
        with freeze_time("2028-02-01 15:00:00"):
            self._credit(term.invoice_id, price=10.0)
            [late] = self._get_rows(term).filtered(lambda row: row.fiscal_year == "2028")
            self.assertEqual((late.days, late.amount, late.earned), (0, -10.0, -10.0))
            self._assert_same_totals()

    def test_booked_for_the_first_day(self):
        """What bears a day to come is in no report of today."""
        self.company.with_env(self.env_root).membri_invoice_dating = "term"
        with freeze_time("2026-11-15 15:00:00"):
            term = self._create_member("Early")._membri_enrol(self.yearly, "2027-02-01")
            self.assertEqual(str(term.invoice_id.date), "2027-02-01")
            self.assertFalse(self._get_rows(term))
            self._assert_same_totals()
        with freeze_time("2027-02-01 15:00:00"):
            self.assertEqual(self._get_sums(term), (0.82, 299.18))
            self._assert_same_totals()

    def _assert_same_totals(self):
        """The other report equals this one to the cent, of kept rows as well."""
        Money = self.env["membri.money"]
        for _kept in range(2):
            for day in ("2026-12-31", "2027-01-31", "2027-02-08", "2027-02-28", "2028-02-01"):
                totals = Money.with_context(membri_as_of=day)._get_totals(self.company)
                with self.subTest(day=day):
                    self.assertAlmostEqual(*totals["deferred"], 2)
            Money._keep(Money._find_stale() or [(self.partner.id,)])

    def test_ended_early_money_by_month_says_the_same(self):
        """The other report equals this one to the cent, of kept rows as well, before and after
        the early end and its taking back."""
        term, for_life = self._enrol_three_years(), self._enrol_three_years(self.for_life)
        steps = (
            lambda: None,
            lambda: term.action_terminate("2027-03-31", "Moved"),
            term.action_undo_termination,
            lambda: term.action_terminate("2026-06-30", "Moved"),
            lambda: for_life.action_terminate("2026-12-31", "Moved"),
        )
        for step in steps:
            step()
            self._assert_same_totals()

    def test_for_life_that_ended_stays_earned_at_once(self):
        term = self._enrol_three_years(self.for_life)
        term.action_terminate("2026-12-31", "Moved")
        self.assertEqual(self._get_values(term), [("2025", 1, 300.0, 300.0, 0.0)])

    def test_drafts_and_other_invoices_are_not_in_it(self):
        self.invoice.button_draft()
        self.assertFalse(self._get_rows())

    def test_as_of_a_day(self):
        wizard = self.env["membri.deferred.start"].create({"date": "2027-06-30"})
        self.assertEqual(wizard.action_open()["context"], {"membri_as_of": "2027-06-30"})

    def test_access_and_companies(self):
        with self.assertRaises(AccessError):
            self.env["membri.deferred"].with_user(self.employee).search([])
        other = self._create_other_company("Other chapter", "UTC")
        rows = self.env["membri.deferred"].with_context(allowed_company_ids=other.ids)
        self.assertFalse(rows.search([]))
