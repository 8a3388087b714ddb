from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestTimezone(MembriCommon):
    """specification, cases, *Dates*: the server counts in UTC, members live somewhere else."""

    def _run_states(self, moment):
        with freeze_time(moment):
            self._run_cron("ir_cron_update_states")

    def test_montreal_at_2330_is_not_expired(self):
        self.company.membri_tz = "America/Montreal"
        cotisation = self._create_cotisation(self.member, "2026-01-01")
        self._run_states("2027-01-01 04:30:00")
        self.assertEqual(cotisation.state, "active", "still 31 December, 23:30")
        self.assertEqual(self.member.membri_status, "active")
        self._run_states("2027-01-01 05:00:00")
        self.assertEqual(cotisation.state, "expired", "midnight")
        self.assertEqual(self.member.membri_status, "inactive")

    def test_on_the_nights_when_the_clocks_change(self):
        """8 March and 1 November 2026."""
        spring = self._create_cotisation(self._create_member("Bo Spring"), "2025-03-09")
        autumn = self._create_cotisation(self.member, "2025-11-01")
        self.assertEqual(spring.date_end, date(2026, 3, 8))
        self.assertEqual(autumn.date_end, date(2026, 10, 31))
        self._run_states("2026-03-09 03:59:59")
        self.assertEqual(spring.state, "active")
        self._run_states("2026-03-09 04:00:00")
        self.assertEqual(spring.state, "expired")
        self._run_states("2026-11-01 03:59:59")
        self.assertEqual(autumn.state, "active")
        self._run_states("2026-11-01 04:00:00")
        self.assertEqual(autumn.state, "expired")

    def test_three_companies_in_three_timezones(self):
        """One moment, three civil days: Auckland is a day ahead of Honolulu."""
        cotisations = {}
        for name, timezone in (
            ("North", "Pacific/Honolulu"),
            ("West", "Europe/Paris"),
            ("South", "Pacific/Auckland"),
        ):
            company = self._create_other_company(name, timezone)
            option_set = self._create_option_set(f"Set {name}", company_id=company.id)
            cotisations[name] = self.env_root["membri.cotisation"].create(
                {
                    "partner_id": self.member.id,
                    "option_set_id": option_set.id,
                    "date_start": "2026-01-01",
                    "state": "active",
                }
            )
        self.assertEqual(len({c.company_id for c in cotisations.values()}), 3)
        for moment, expired in (
            ("2026-12-31 10:59:59", []),
            ("2026-12-31 11:00:00", ["South"]),
            ("2026-12-31 23:00:00", ["South", "West"]),
            ("2027-01-01 09:59:59", ["South", "West"]),
            ("2027-01-01 10:00:00", ["South", "West", "North"]),
        ):
            self._run_states(moment)
            self.assertEqual(
                {name for name, c in cotisations.items() if c.state == "expired"}, set(expired)
            )

    def test_a_payment_half_an_hour_after_midnight_shifts_no_date(self):
        """Paid at 00:30 local time, by the clock of UTC five hours later or at the end of the
        day before: the term is the one that was proposed."""
        for name, moment in (
            ("Bo After", "2026-12-20 05:30:00"),
            ("Cy Before", "2026-12-21 04:30:00"),
        ):
            with self.subTest(name), freeze_time(moment):
                current = self._create_cotisation(self._create_member(name), "2026-01-01")
                renewal = self._create_renewal(current)
                renewal.action_send()
                renewal.action_approve()
                self._pay(renewal.invoice_id)
                self.assertRecordValues(
                    renewal.new_cotisation_id,
                    [
                        {
                            "state": "scheduled",
                            "date_start": date(2027, 1, 1),
                            "date_end": date(2027, 12, 31),
                        }
                    ],
                )
                self.assertEqual(current.date_end, date(2026, 12, 31))
                self.assertEqual(renewal.invoice_id.invoice_date, date(2026, 12, 20))

    def test_renewing_early_adds_exactly_one_period(self):
        """At any hour; the days that remain are kept."""
        for hour in ("00:00:01", "04:59:59", "12:00:00", "23:59:59"):
            with self.subTest(hour=hour), freeze_time(f"2026-10-05 {hour}"):
                member = self._create_member(f"Bo {hour}")
                current = self._create_cotisation(member, "2025-12-04")
                renewal = self._create_renewal(current)
                renewal.action_approve()
                self.assertEqual(current.date_end, date(2026, 12, 3))
                self.assertEqual(current.state, "active")
                self.assertEqual(renewal.new_cotisation_id.date_start, date(2026, 12, 4))
                self.assertEqual(renewal.new_cotisation_id.date_end, date(2027, 12, 3))

    def test_three_renewals_never_move_the_anniversary(self):
        """Each answered, paid and started on another day and hour."""
        current = self._create_cotisation(self.member, "2024-02-29")
        expected = [
            ("2025-01-10 03:00:00", date(2025, 2, 28), date(2026, 2, 27)),
            ("2026-02-27 23:00:00", date(2026, 2, 28), date(2027, 2, 27)),
            ("2027-02-20 12:00:00", date(2027, 2, 28), date(2028, 2, 28)),
            ("2028-03-05 12:00:00", date(2028, 2, 29), date(2029, 2, 27)),
        ]
        for moment, first, last in expected:
            with freeze_time(moment):
                renewal = self._create_renewal(current)
                renewal.action_approve()
                self._pay(renewal.invoice_id)
            new = renewal.new_cotisation_id
            self.assertEqual((new.date_start, new.date_end), (first, last))
            self.assertEqual(new.previous_id, current)
            self._run_states(f"{first} 12:00:00")
            self.assertEqual(current.state, "expired")
            self.assertEqual(new.state, "active")
            current = new
        self.assertEqual(current.date_anchor, date(2024, 2, 29))
