from datetime import date

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MembriCommon

STATUSES = ("non_member", "pending", "active", "in_renewal", "inactive")


@tagged("post_install", "-at_install")
@freeze_time("2026-06-15 15:00:00")
class TestStatus(MembriCommon):
    """specification §2 and §3: what a contact is, read off its cotisations alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time("2026-06-15 15:00:00"):
            cls.members = {status: cls._create_member(f"Bo {status}") for status in STATUSES}
            cls.members["pending"]._membri_enrol(cls.yearly)
            cls._create_cotisation(cls.members["active"], "2026-01-01")
            over = cls._create_cotisation(cls.members["in_renewal"], "2025-06-01", state="expired")
            cls.late_renewal = cls._create_renewal(over)
            cls.late_renewal.action_send()
            cls._create_cotisation(cls.members["inactive"], "2024-01-01", state="expired")
        cls.all_members = cls.env["res.partner"].concat(*cls.members.values())

    def _search(self, domain):
        return self.env["res.partner"].search([("id", "in", self.all_members.ids), *domain])

    def test_each_status(self):
        self.assertEqual(self.all_members.mapped("membri_status"), list(STATUSES))
        self.assertRecordValues(
            self.members["in_renewal"],
            [
                {
                    "membri_renewal_id": self.late_renewal.id,
                    "membri_date_end": date(2026, 5, 31),
                    "membri_member_since": date(2025, 6, 1),
                    "membri_option_set_id": self.yearly.id,
                }
            ],
        )
        self.assertRecordValues(
            self.members["non_member"],
            [
                {
                    "membri_cotisation_id": False,
                    "membri_member_since": False,
                    "membri_date_end": False,
                }
            ],
        )

    def test_who_had_the_term_before_is_looked_at_too(self):
        """A term that was recorded on the wrong contact, or by mistake: both are what they are."""
        wrong, right = self.members["active"], self.members["non_member"]
        wrong.membri_cotisation_id.partner_id = right
        self.assertEqual((wrong.membri_status, right.membri_status), ("non_member", "active"))
        self.assertFalse(wrong.membri_cotisation_id)
        pending = self._create_cotisation(wrong, "2026-01-01", state="pending")
        self.assertEqual(wrong.membri_status, "pending")
        pending.with_user(self.manager).unlink()
        self.assertEqual(wrong.membri_status, "non_member")

    def test_a_term_given_to_another_member_leaves_no_chain(self):
        """Neither member's terms follow the other's: both are renewed by what is their own."""
        wrong = self._create_member("Wrong")
        right = self._create_member("Right")
        first = self._create_cotisation(wrong, "2025-06-01", state="expired")
        second = self._create_cotisation(wrong, "2026-06-01")
        self.assertEqual(second.previous_id, first)
        second.partner_id = right
        self.assertFalse(second.previous_id)
        self.assertFalse(first.next_ids)
        second.partner_id = wrong
        self.assertEqual(second.previous_id, first)
        renewal = self._create_renewal(second)
        with self.assertRaises(UserError):
            second.partner_id = right
        with self.assertRaises(UserError):  # the renewal follows the last day
            second.write({"option_set_id": self.for_life.id, "date_end": False})
        renewal.action_cancel()
        second.partner_id = right
        self.assertEqual((wrong.membri_status, right.membri_status), ("inactive", "active"))

    def test_a_term_without_first_day_is_refused_by_its_field(self):
        term = self.members["active"].membri_cotisation_id
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            term.date_start = False
            term.flush_recordset()

    def test_search_by_status(self):
        for status in STATUSES:
            self.assertEqual(
                self._search([("membri_status", "=", status)]), self.members[status], status
            )
            self.assertEqual(
                self._search([("membri_status", "!=", status)]),
                self.all_members.sorted() - self.members[status],
            )
        self.assertEqual(
            self._search([("membri_status", "in", ("non_member", "inactive"))]),
            (self.members["non_member"] + self.members["inactive"]).sorted(),
        )

    def test_is_member_within_the_grace_days(self):
        """Active, or in renewal until 30 days after 31 May: 30 June is the last."""
        members = (self.members["active"] + self.members["in_renewal"]).sorted()
        for moment, expected in (
            ("2026-06-15 15:00:00", members),
            ("2026-07-01 03:59:59", members),
            ("2026-07-01 04:00:00", self.members["active"]),
        ):
            with freeze_time(moment):
                self.all_members.invalidate_recordset(["membri_is_member"])
                self.assertEqual(self.all_members.filtered("membri_is_member").sorted(), expected)
                self.assertEqual(self._search([("membri_is_member", "=", True)]), expected)
                self.assertEqual(
                    self._search([("membri_is_member", "=", False)]),
                    self.all_members.sorted() - expected,
                )
                self.assertEqual(
                    self._search([("membri_is_member", "!=", True)]),
                    self.all_members.sorted() - expected,
                )

    def test_pay_later_leaves_an_active_member_active(self):
        """Case: the next term is unpaid, the running one goes on."""
        member = self.members["active"]
        renewal = self._create_renewal(member.membri_cotisation_id)
        renewal.action_approve()
        self.assertEqual(member.membri_status, "active")
        self.assertEqual(member.membri_renewal_id, renewal)
        with freeze_time("2027-01-01 15:00:00"):
            self._run_cron("ir_cron_update_states")
            self.assertEqual(member.membri_status, "in_renewal")
            self._pay(renewal.invoice_id)
            self.assertEqual(member.membri_status, "active")
        self.assertFalse(member.membri_renewal_id, "nothing is left to do")
        self.assertEqual(member.membri_member_since, date(2026, 1, 1))

    def test_refused_stays_a_member_until_the_end(self):
        member = self.members["active"]
        renewal = self._create_renewal(member.membri_cotisation_id)
        renewal.action_send()
        self._refuse(renewal)
        self.assertEqual(member.membri_status, "active")
        with freeze_time("2026-12-31 15:00:00"):
            self._run_cron("ir_cron_update_states")
            self.assertEqual(member.membri_status, "active")
        with freeze_time("2027-01-01 15:00:00"):
            self._run_cron("ir_cron_update_states")
        self.assertRecordValues(
            member, [{"membri_status": "inactive", "membri_is_member": False, "active": True}]
        )

    def test_refusing_a_late_renewal_makes_inactive(self):
        self._refuse(self.late_renewal)
        self.assertRecordValues(
            self.members["in_renewal"],
            [{"membri_status": "inactive", "membri_renewal_id": False, "membri_is_member": False}],
        )
        self.late_renewal.action_reset()
        self.assertEqual(self.members["in_renewal"].membri_status, "in_renewal")

    def test_cancelled_first_cotisation_was_never_a_membership(self):
        member = self.members["pending"]
        member.membri_cotisation_ids.invoice_id.with_env(self.env_account).button_cancel()
        self.assertRecordValues(
            member,
            [
                {
                    "membri_status": "non_member",
                    "membri_cotisation_id": False,
                    "membri_option_set_id": False,
                }
            ],
        )

    def test_each_company_on_its_own(self):
        other = self._create_other_company("Other", "UTC")
        option_set = self._create_option_set("Other set", company_id=other.id)
        member = self.members["inactive"]
        self.env_root["membri.cotisation"].create(
            {
                "partner_id": member.id,
                "option_set_id": option_set.id,
                "date_start": "2026-03-01",
                "state": "active",
            }
        )
        self.assertEqual(member.membri_status, "inactive")
        self.assertEqual(member.with_company(other).membri_status, "active")
        self.assertTrue(member.with_company(other).membri_is_member)
        self.assertFalse(member.membri_is_member)
        here = self.env["res.partner"].with_company(self.company)
        there = here.with_company(other)
        for company_partners, expected in ((here, False), (there, True)):
            for domain in ([("membri_status", "=", "active")], [("membri_is_member", "=", True)]):
                found = company_partners.search([("id", "=", member.id), *domain])
                self.assertEqual(bool(found), expected)
        self.assertEqual(self.members["active"].with_company(other).membri_status, "non_member")

    def test_choices_are_each_companys_own(self):
        other = self._create_other_company("Other", "UTC")
        member = self.members["active"]
        member.write({"membri_auto_renew": True, "membri_intervention_required": True})
        elsewhere = member.with_company(other)
        self.assertFalse(elsewhere.membri_auto_renew)
        self.assertFalse(elsewhere.membri_intervention_required)
        self.assertEqual(self._search([("membri_auto_renew", "=", True)]), member)
        self.assertEqual(
            self._search([("membri_auto_renew", "=", False)]), self.all_members.sorted() - member
        )

    def test_facts_cannot_be_written(self):
        """Not by an import, not by RPC, not by a manager; nor be brought by a new contact."""
        member = self.members["non_member"]
        for user in (self.officer, self.manager, self.employee):
            for vals in (
                {"membri_status": "active"},
                {"membri_date_end": "2099-12-31"},
                {"membri_cotisation_id": False},
                {"membri_renewal_id": self.late_renewal.id},
                {"membri_option_set_id": self.for_life.id},
            ):
                with self.subTest(user=user.login, vals=vals), self.assertRaises(AccessError):
                    member.with_user(user).write(vals)
        self.assertEqual(member.membri_status, "non_member")
        self.assertFalse(member.membri_date_end)
        created = self.env["res.partner"].create({"name": "Cy", "membri_status": "active"})
        self.assertEqual(created.membri_status, "non_member")

    def test_choices_are_the_officers(self):
        member = self.members["active"]
        for vals in (
            {"membri_auto_renew": True},
            {"membri_intervention_required": True},
            {"membri_renewal_email": "other@example.com"},
        ):
            for user in (self.auditor, self.employee):
                with self.subTest(user=user.login, vals=vals), self.assertRaises(AccessError):
                    member.with_user(user).write(vals)
            member.with_user(self.officer).write(vals)
        self.assertTrue(member.membri_auto_renew)

    def test_copy_of_a_contact_is_no_member(self):
        copy = self.members["active"].copy()
        self.assertRecordValues(
            copy, [{"membri_status": "non_member", "membri_cotisation_ids": []}]
        )
