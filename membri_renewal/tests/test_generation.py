from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .common_generation import GenerationCommon


@tagged("post_install", "-at_install")
class TestWhoIsRenewed(GenerationCommon):
    """specification §5.1: exactly one renewal, for the right ones, on the right day."""

    def test_from_the_first_of_the_lead_days_on(self):
        """60 days before 31 December is 1 November, here: not yet at 23:59 of the day before."""
        self._create_cotisation(self.member, "2026-01-01")
        self._generate("2026-11-01 03:59:59")
        self.assertFalse(self._renewals())
        self._generate("2026-11-01 04:00:00")
        self.assertRecordValues(
            self._renewals(),
            [
                {
                    "state": "sent",
                    "mode": "notice",
                    "date_start": date(2027, 1, 1),
                    "date_end": date(2027, 12, 31),
                    "amount_untaxed": 300.0,
                    "amount_total": 345.0,
                    "recipient_id": self.member.id,
                    "user_id": self.officer.id,
                    "is_open": True,
                    "invoice_id": False,
                }
            ],
        )

    def test_run_twice_and_again_later(self):
        self._create_cotisation(self.member, "2026-01-01")
        self.assertEqual(len(self._generate()), 1)
        renewal = self._renewals()
        self.assertEqual(len(renewal), 1)
        date_sent = renewal.date_sent
        for moment in ("2026-11-15 15:00:01", "2026-11-16 15:00:00", "2027-01-15 15:00:00"):
            self.assertFalse(self._generate(moment))
        self.assertEqual(self._renewals(), renewal)
        self.assertEqual(renewal.date_sent, date_sent)

    def test_late_run_does_the_work_of_the_days_before(self):
        """Case: cron down on the due day."""
        cotisation = self._create_cotisation(self.member, "2026-01-01")
        self._generate("2026-12-30 15:00:00")
        self.assertEqual(self._renewals().cotisation_id, cotisation)

    def test_lead_days_of_each_set(self):
        month_before = self._create_option_set("Month before", notice_lead_days=30)
        on_the_day = self._create_option_set("On the day", notice_lead_days=0)
        members = {}
        for option_set in (self.yearly, month_before, on_the_day):
            member = members[option_set] = self._create_member(f"Bo {option_set.name}")
            self._create_cotisation(member, "2026-01-01", option_set)
        for moment, count in (
            ("2026-11-30 15:00:00", 1),
            ("2026-12-01 15:00:00", 2),
            ("2026-12-30 15:00:00", 2),
            ("2026-12-31 15:00:00", 3),
        ):
            self._generate(moment)
            self.assertEqual(len(self._renewals(*members.values())), count, moment)

    def test_scheduled_term_is_renewed_too(self):
        """A month that is paid and has not begun, with a set that asks early."""
        self.monthly.sudo().write({"notice_lead_days": 50, "renewal_mode": "notice"})
        self._create_cotisation(self.member, "2026-11-01", self.monthly)
        upcoming = self._create_cotisation(
            self.member, "2026-12-01", self.monthly, state="scheduled"
        )
        self._generate("2026-11-15 15:00:00")
        self.assertRecordValues(
            self._renewals(), [{"cotisation_id": upcoming.id, "date_start": date(2027, 1, 1)}]
        )

    def test_never_renewed(self):
        """Lifetime, unpaid, cancelled, terminated."""
        members = {}
        for name, option_set, state in (
            ("Life", self.for_life, "active"),
            ("Unpaid", self.yearly, "pending"),
            ("Void", self.yearly, "cancelled"),
            ("Resigned", self.yearly, "active"),
        ):
            members[name] = self._create_member(name)
            cotisation = self._create_cotisation(
                members[name], "2026-01-01", option_set, state=state
            )
            if name == "Resigned":
                with freeze_time("2026-11-10 15:00:00"):
                    cotisation.action_terminate("2026-12-15", "Moved")
        self._create_cotisation(self.member, "2026-01-01")
        mails = self._generate()
        self.assertFalse(self._renewals(*members.values()))
        self.assertEqual(mails.recipient_ids, self.member, "only the ordinary one")

    def test_terminated_then_over_is_not_caught_up(self):
        with freeze_time("2026-11-10 15:00:00"):
            self._create_cotisation(self.member, "2026-01-01").action_terminate(
                "2026-11-09", "Died"
            )
        self.assertEqual(self.member.membri_status, "inactive")
        self._generate("2026-11-15 15:00:00")
        self.assertFalse(self._renewals())

    def test_outage_of_sixty_days_loses_nobody(self):
        """The 60th day counts, the 61st does not."""
        lost, caught = self._create_member("Bo Lost"), self._create_member("Cy Caught")
        with freeze_time("2026-09-01 15:00:00"):
            self._create_cotisation(lost, "2025-09-16", state="expired")
            self._create_cotisation(caught, "2025-09-17", state="expired")
        mails = self._generate("2026-11-15 15:00:00")
        self.assertFalse(self._renewals(lost))
        self.assertRecordValues(
            self._renewals(caught),
            [{"state": "sent", "date_start": date(2026, 9, 17), "date_end": date(2027, 9, 16)}],
        )
        self.assertEqual(mails.recipient_ids, caught)
        self.assertEqual(caught.membri_status, "in_renewal")

    def test_expired_with_a_successor_is_not_caught_up(self):
        with freeze_time("2026-09-01 15:00:00"):
            self._create_cotisation(self.member, "2025-10-01", state="expired")
        self._create_cotisation(self.member, "2026-10-20")
        self._generate()
        self.assertFalse(self._renewals())

    def test_imported_history_before_go_live_is_left_alone(self):
        self.company.sudo().membri_go_live = "2026-11-01"
        history, running = self._create_member("Bo History"), self._create_member("Cy Running")
        with freeze_time("2026-09-01 15:00:00"):
            self._create_cotisation(history, "2025-11-01", state="expired")
            self._create_cotisation(running, "2025-11-02", state="expired")
        self._generate()
        self.assertFalse(self._renewals(history))
        self.assertEqual(self._renewals(running).date_start, date(2026, 11, 2))

    def test_go_live_is_about_imports_only(self):
        with freeze_time("2025-10-20 15:00:00"):
            cotisation = self.member._membri_enrol(self.yearly)
            self._pay(cotisation.invoice_id)
        self.company.sudo().membri_go_live = "2026-11-01"
        self._generate()
        self.assertEqual(self._renewals().cotisation_id, cotisation)

    def test_archived_option_set_still_serves_its_members(self):
        self._create_cotisation(self.member, "2026-01-01")
        self.yearly.sudo().active = False
        self._generate()
        self.assertRecordValues(
            self._renewals(),
            [{"state": "sent", "option_set_id": self.yearly.id, "amount_untaxed": 300.0}],
        )

    def test_next_option_set_is_proposed(self):
        self._create_cotisation(self.member, "2026-01-01")
        bigger = self._create_option_set("Bigger", self.product + self.extra)
        self.member.membri_next_option_set_id = bigger
        self._generate()
        self.assertRecordValues(
            self._renewals(), [{"option_set_id": bigger.id, "amount_untaxed": 350.0}]
        )

    def test_decided_renewals_are_not_made_again(self):
        """Refused, approved, and cancelled: each blocks the night for that term."""
        members = [self._create_member(f"Bo {number}") for number in range(3)]
        refused, approved, cancelled = (
            self._create_renewal(self._create_cotisation(member, "2026-01-01"))
            for member in members
        )
        with freeze_time("2026-11-10 15:00:00"):
            self._refuse(refused)
            approved.action_approve()
            cancelled.action_cancel()
        self.assertFalse(self._generate())
        self.assertEqual(self._renewals(*members), refused + approved + cancelled)
        again = self._create_renewal(cancelled.cotisation_id)
        self.assertEqual(again.state, "draft", "by hand, another may be made")

    def test_three_companies_three_settings(self):
        """One run at one moment: own day, own lead days, own officer, own sender."""
        members = {}
        for name, timezone, lead_days in (
            ("North", "Pacific/Honolulu", 10),
            ("West", "Europe/Paris", 10),
            ("South", "Pacific/Auckland", 11),
        ):
            company = self._create_other_company(name, timezone)
            company.email = f"{name.lower()}@example.com"
            option_set = self._create_option_set(
                f"Set {name}", company_id=company.id, notice_lead_days=lead_days
            )
            members[name] = self._create_member(f"Member {name}")
            self.env_root["membri.cotisation"].create(
                {
                    "partner_id": members[name].id,
                    "option_set_id": option_set.id,
                    "date_start": "2026-01-01",
                    "state": "active",
                }
            )
        # 20 December in Honolulu, 21 December in Paris and Auckland
        for moment, expected in (
            ("2026-12-20 10:30:00", ["South"]),
            ("2026-12-20 23:30:00", ["South", "West"]),
            ("2026-12-21 10:30:00", ["South", "West", "North"]),
        ):
            self._generate(moment)
            renewals = self.env_root["membri.renewal"].search(
                [("partner_id", "in", [member.id for member in members.values()])]
            )
            self.assertEqual(set(renewals.mapped("company_id.name")), set(expected), moment)
            self.assertEqual(set(renewals.mapped("state")), {"sent"})
        self.assertFalse(renewals.user_id, "these companies have no officer")
        for renewal in renewals:
            self.assertEqual(
                renewal.message_ids.filtered("partner_ids").email_from,
                renewal.company_id.email_formatted,
            )
            self.assertEqual(
                renewal.partner_id.with_company(renewal.company_id).membri_renewal_id, renewal
            )

    def test_worker_that_is_up_for_a_week_uses_todays_date(self):
        self._create_cotisation(self.member, "2026-01-01")
        Renewal = self.env_root["membri.renewal"]
        with freeze_time("2026-10-27 15:00:00") as clock:
            before = Renewal._get_to_renew_domain()
            self.assertFalse(self.env_root["membri.cotisation"].search(before))
            clock.move_to("2026-11-03 15:00:00")
            after = Renewal._get_to_renew_domain()
            self.assertEqual(
                self.env_root["membri.cotisation"].search(after).partner_id, self.member
            )

    def test_nothing_due_costs_a_constant_number_of_queries(self):
        """However many members there are."""
        self._create_other_company("Second", "UTC")

        def count_queries():
            with self.enter_registry_test_mode(), self.registry.cursor() as cr:
                env = self.env_root(cr=cr)
                env["membri.renewal"]._cron_generate()  # warm the caches
                before = self.cr.sql_log_count
                env.invalidate_all()
                env["membri.renewal"]._cron_generate()
                return self.cr.sql_log_count - before

        with freeze_time("2026-03-01 15:00:00"):
            few = count_queries()
            for number in range(25):
                self._create_cotisation(self._create_member(f"Bo {number}"), "2026-01-01")
            with self.assertQueryCount(2 * few):
                self.assertEqual(count_queries(), few)
        self.assertLess(few, 20)
