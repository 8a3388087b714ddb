from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise

from freezegun import freeze_time

from odoo.tests import tagged

from .common_generation import GenerationCommon


def days(*texts):
    return [date.fromisoformat(text) for text in texts]


@tagged("post_install", "-at_install")
class TestGenerationYear(GenerationCommon):
    """Every night of a year, with a leap day in it: each term is renewed once, on its day."""

    FIRST, LAST = date(2027, 7, 1), date(2028, 6, 30)

    def test_every_night_of_a_leap_year(self):
        """Members of all kinds side by side; those who are invoiced pay on the same day."""
        members = {
            "month's end": self._begin("2027-07-31", self.monthly),
            "mid-month": self._begin("2027-06-15", self.monthly),
            "leap day": self._begin("2027-02-28", self.yearly, date_anchor="2024-02-29"),
            "year": self._begin("2026-10-01", self.yearly),
            "calendar": self._begin("2027-01-01", self.fixed),
            "for life": self._begin("2020-01-01", self.for_life),
        }
        made = self._live_through_the_year()
        asked = {
            name: [night for night, renewal in made[member]] for name, member in members.items()
        }
        terms = {
            name: [(renewal.date_start, renewal.date_end) for _night, renewal in made[member]]
            for name, member in members.items()
        }
        # the notice comes 7 days before the last day, counted from the 31st throughout
        self.assertEqual(
            asked["month's end"],
            days(
                *("2027-08-23", "2027-09-22", "2027-10-23", "2027-11-22", "2027-12-23"),
                *("2028-01-23", "2028-02-21", "2028-03-23", "2028-04-22", "2028-05-23"),
                "2028-06-22",
            ),
        )
        self.assertEqual(
            [first for first, _last in terms["month's end"]],
            days(
                *("2027-08-31", "2027-09-30", "2027-10-31", "2027-11-30", "2027-12-31"),
                *("2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31"),
                "2028-06-30",
            ),
        )
        self.assertEqual([first.day for first, _last in terms["mid-month"]], [15] * 12)
        self.assertEqual(
            (asked["leap day"], terms["leap day"]),
            (days("2027-12-30"), [(date(2028, 2, 29), date(2029, 2, 27))]),
        )
        self.assertEqual(
            (asked["year"], terms["year"]),
            (days("2027-08-01"), [(date(2027, 10, 1), date(2028, 9, 30))]),
        )
        self.assertEqual(
            (asked["calendar"], terms["calendar"]),
            (days("2027-11-01"), [(date(2028, 1, 1), date(2028, 12, 31))]),
        )
        self.assertFalse(asked["for life"])
        self._assert_no_gap_no_overlap(members["month's end"], members["mid-month"])

    def _begin(self, date_start, option_set, **vals):
        name = f"Member of {option_set.name} {date_start}"
        return self._create_cotisation(
            self._create_member(name), date_start, option_set, **vals
        ).partner_id

    def _live_through_the_year(self):
        """Every night at three o'clock, here; the scheduler is started on nights for which
        its own domain finds something, and what made something runs again.

        :return: ``{member: [(night, renewal)]}``
        """
        cotisations, renewals = self.env_root["membri.cotisation"], self.env_root["membri.renewal"]
        made = defaultdict(list)
        known = self.env["membri.renewal"].search([])
        night = self.FIRST
        while night <= self.LAST:
            with freeze_time(datetime.combine(night, datetime.min.time()).replace(hour=8)):
                if cotisations.search_count(cotisations._get_update_states_domain()):
                    self._run_cron("ir_cron_update_states")
                if cotisations.search_count(renewals._get_to_renew_domain()):
                    self._run_cron("ir_cron_generate")
                # it has counted invoices on a cursor of its own
                self.env["account.move"]._get_sequence_cache().clear()
                new = self.env["membri.renewal"].search([("id", "not in", known.ids)])
                for renewal in new:
                    made[renewal.partner_id].append((night, renewal))
                    if renewal.mode == "invoice":
                        self._pay(renewal.invoice_id)
                    else:
                        renewal.action_approve()
                if new:
                    known |= new
                    self._run_cron("ir_cron_generate")
                    self.assertEqual(self.env["membri.renewal"].search([]), known, "run twice")
            night += timedelta(days=1)
        return made

    def _assert_no_gap_no_overlap(self, *members):
        for member in members:
            terms = member.membri_cotisation_ids.sorted("date_start")
            self.assertGreater(len(terms), 11)
            for before, after in pairwise(terms):
                self.assertEqual(after.date_start, before.date_end + timedelta(days=1))
            self.assertEqual(len(terms.invoice_id), len(terms) - 1, "one invoice for each")
            self.assertEqual(terms.filtered(lambda c: c.state == "active").date_end.month, 7)

    def test_nights_on_which_the_clocks_change(self):
        """Run every hour around the change: each member is asked once, from the first hour of
        the due day on, as the clocks of its own company show it."""
        changes = {
            # the day of the change, and its first moment in UTC
            "America/Toronto": [("2026-03-08", "2026-03-08 05"), ("2026-11-01", "2026-11-01 04")],
            "Europe/Paris": [("2026-03-29", "2026-03-28 23"), ("2026-10-25", "2026-10-24 22")],
            "Pacific/Auckland": [("2026-04-05", "2026-04-04 11"), ("2026-09-27", "2026-09-26 12")],
        }
        for number, (timezone, nights) in enumerate(changes.items()):
            company = self._create_other_company(f"Chapter {timezone}", timezone)
            lead_days = 10 * (number + 1)
            option_set = self._create_option_set(
                f"Set {timezone}", company_id=company.id, notice_lead_days=lead_days
            )
            for day, moment in nights:
                with self.subTest(timezone=timezone, day=day):
                    due = date.fromisoformat(day)
                    # recorded while it runs: one that is over by then is history
                    with freeze_time(f"{day} 00:00:00"):
                        cotisation = self._create_term_until(option_set, due, lead_days)
                    first = datetime.strptime(moment, "%Y-%m-%d %H")
                    made = self._run_hourly(cotisation, first - timedelta(hours=3), 30)
                    self.assertEqual(made, [first])

    def _create_term_until(self, option_set, due, lead_days):
        """A term whose renewal is due on the day ``due``."""
        date_end = due + timedelta(days=lead_days)
        return self.env_root["membri.cotisation"].create(
            {
                "partner_id": self._create_member(f"Member {option_set.name} {due}").id,
                "option_set_id": option_set.id,
                "date_start": date_end - timedelta(days=364),
                "date_end": date_end,
                "state": "active",
            }
        )

    def _run_hourly(self, cotisation, moment, hours):
        """:return: the moments at which a renewal was made"""
        made = []
        for _hour in range(hours):
            before = len(cotisation.renewal_ids)
            with freeze_time(moment):
                self._run_cron("ir_cron_generate")
            if len(cotisation.renewal_ids) > before:
                made.append(moment)
            moment += timedelta(hours=1)
        return made
