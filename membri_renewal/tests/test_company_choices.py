from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_archived import ArchivedCommon

NOW = "2026-11-15 15:00:00"


@tagged("post_install", "-at_install")
class TestA7History(ArchivedCommon):
    """Issue 12 A7: a term that was over when it was recorded asks nobody."""

    def _renew(self, moment=NOW):
        with freeze_time(moment):
            self._run_night("ir_cron_update_states", "ir_cron_generate")
        return self.env["membri.renewal"].search([("partner_id", "=", self.member.id)])

    def test_a7_imported_after_its_end_is_history(self):
        for state in ("expired", "active"):
            with self.subTest(state), freeze_time("2026-11-10 15:00:00"):
                member = self._create_member(f"Bo {state}")
                term = self._create_cotisation(member, "2025-11-05", state=state)
                self.assertTrue(term.is_history)
                self.assertFalse(self.company.membri_go_live)
                with freeze_time(NOW):
                    mails = self._run_night("ir_cron_update_states", "ir_cron_generate")
                self.assertFalse(mails)
                self.assertFalse(term.renewal_ids)
                self.assertEqual(term.state, "expired")

    def test_a7_day_of_the_company_decides(self):
        """At 23:30 in Montreal the last day is not over, although it is in UTC."""
        with freeze_time("2026-11-11 04:30:00"):
            term = self._create_cotisation(self.member, "2025-11-11")  # until 10 November
        self.assertFalse(term.is_history)
        self.assertEqual(self._renew().cotisation_id, term)

    def test_a7_over_since_is_caught_up(self):
        with freeze_time("2026-10-01 15:00:00"):
            term = self._create_cotisation(self.member, "2025-11-05")
        self.assertEqual(self._renew().cotisation_id, term)

    def test_a7_paid_after_its_end_is_asked_to_go_on(self):
        with freeze_time("2025-08-01 15:00:00"):
            term = self.member._membri_enrol(self.yearly)
        with freeze_time("2026-11-10 15:00:00"):
            self._pay(term.invoice_id)
        self.assertFalse(term.is_history)
        self.assertEqual(self._renew().cotisation_id, term)

    def test_a7_corrected_to_a_day_to_come_is_no_history(self):
        with freeze_time("2026-11-10 15:00:00"):
            term = self._create_cotisation(self.member, "2025-11-05", state="pending")
            self.assertTrue(term.is_history)
            term.date_end = "2026-12-04"
            self.assertFalse(term.is_history)

    def test_a7_history_can_be_renewed_by_hand(self):
        with freeze_time("2026-11-10 15:00:00"):
            term = self._create_cotisation(self.member, "2025-11-05", state="expired")
            self.assertTrue(term._get_not_renewed_reasons(2)[term]["not_history"])
            self.assertFalse(term._get_not_renewed_reasons(1)[term])


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestA7MemberSince(ArchivedCommon):
    """Issue 12 A7: member since is typed or imported, without interruption is computed."""

    def test_a7_member_since_typed_survives_terms(self):
        self._create_cotisation(self.member, "2026-01-01")
        self.assertEqual(self.member.membri_member_since, date(2026, 1, 1))
        self.member.membri_member_since = "1998-05-04"
        self._create_cotisation(self.member, "2025-01-01", state="expired")
        self.assertEqual(self.member.membri_member_since, date(1998, 5, 4))
        self.member.membri_member_since = False
        self.assertEqual(self.member.membri_member_since, date(2025, 1, 1))

    def test_a7_member_since_imported_with_the_contact(self):
        result = self.env["res.partner"].load(
            ["name", "membri_member_since"], [["Imported", "1987-03-02"]]
        )
        self.assertFalse([m for m in result["messages"] if m["type"] == "error"])
        member = self.env["res.partner"].browse(result["ids"])
        self._create_cotisation(member, "2026-01-01")
        self.assertEqual(member.membri_member_since, date(1987, 3, 2))

    def test_a7_member_since_is_per_company(self):
        other = self._create_other_company("Chapter", "Europe/Paris")
        self.member.membri_member_since = "1998-05-04"
        self.assertFalse(self.member.with_company(other).membri_member_since)

    def test_a7_member_since_of_merged_contacts_is_the_first(self):
        other = self._create_member("Ada Double", membri_member_since="1998-05-04")
        self._create_cotisation(self.member, "2026-01-01")
        merge = self.env_root["base.partner.merge.automatic.wizard"].create({})
        merge._merge((self.member | other).ids, self.member.with_env(self.env_root))
        self.assertEqual(self.member.membri_member_since, date(1998, 5, 4))
        self.assertEqual(self.member.membri_continuous_since, date(2026, 1, 1))

    def test_a7_member_since_is_the_officers(self):
        with self.assertRaises(AccessError):
            self.member.with_user(self.employee).membri_member_since = "1990-01-01"

    def test_a7_continuous_since(self):
        """31 days without a term are one more than the grace of the set allows."""
        for first, since in (("2025-01-31", date(2024, 1, 1)), ("2025-02-01", date(2025, 2, 1))):
            with self.subTest(first):
                member = self._create_member(f"Bo {first}", membri_member_since="1990-01-01")
                self._create_cotisation(member, "2024-01-01", state="expired")
                self._create_cotisation(member, first, state="expired")
                day = date.fromisoformat(first).replace(year=2026)
                current = self._create_cotisation(member, day)
                self.assertEqual(member.membri_continuous_since, since)
                self.assertEqual(member.membri_member_since, date(1990, 1, 1))
                self.assertIn(str(since.year), current._get_attestation_sentence())
                self.assertNotIn("1990", current._get_attestation_sentence())

    def test_a7_continuous_since_ends_with_the_grace(self):
        self._create_cotisation(self.member, "2025-10-17", state="expired")  # until 16 October
        self.assertEqual(self.member.membri_continuous_since, date(2025, 10, 17))
        with freeze_time("2026-11-16 15:00:00"):
            self.member.invalidate_recordset()
            self.assertFalse(self.member.membri_continuous_since)

    def test_a7_automatic_renewal_by_hand_survives_another_set(self):
        self._create_cotisation(self.member, "2026-01-01")
        self.member.membri_next_option_set_id = self.monthly
        self.assertTrue(self.member.membri_auto_renew, "as the set to be proposed says")
        self.member.membri_auto_renew = False
        self.member.membri_next_option_set_id = self.fixed
        self.member.membri_next_option_set_id = self.monthly
        self.assertFalse(self.member.membri_auto_renew)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestA7ChoicesPerCompany(ArchivedCommon):
    """Issue 12 A7: person in charge, address for renewals, by post, are per company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._create_other_company("Chapter", "Europe/Paris", with_accounting=True)
        theirs = cls._create_option_set("Theirs", company_id=cls.other.id)
        cls.ours = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-01"))
        cls.theirs = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-02", theirs))
        cls.there = cls.member.with_company(cls.other)

    def _send(self, renewal):
        with self.mock_mail_gateway():
            renewal.action_send()
        return self._get_notices(self._new_mails)

    def test_a7_person_in_charge(self):
        person = self._create_member("Bo Responsible")
        self.there.membri_responsible_id = person
        self.assertFalse(self.member.membri_responsible_id)
        self.assertEqual(self._send(self.ours).recipient_ids, self.member)
        self.assertEqual(self._send(self.theirs).recipient_ids, person)

    def test_a7_renewal_address_and_its_bounce(self):
        self.there.membri_renewal_email = "Renew <renew@example.com>"
        self.assertEqual(self._send(self.ours).recipient_ids, self.member)
        self.assertIn("renew@example.com", self._send(self.theirs).email_to)
        self.assertEqual(self.theirs.recipient_email, "Renew <renew@example.com>")
        self.assertEqual(self.ours.recipient_email, self.member.email)
        self.env["membri.renewal"]._message_receive_bounce(
            "renew@example.com", self.env["res.partner"]
        )
        self.env.invalidate_all()
        self.assertTrue(self.there.membri_renewal_email_bounced)
        self.assertFalse(self.member.membri_renewal_email_bounced)
        self.there.membri_renewal_email = "other@example.com"
        self.assertFalse(self.there.membri_renewal_email_bounced)
        self.assertEqual(self.there.membri_renewal_email_normalized, "other@example.com")

    def test_a7_by_post(self):
        self.there.membri_notice_on_paper = True
        self._send(self.ours)
        self._send(self.theirs)
        self.assertFalse(self.ours.letter_state)
        self.assertEqual(self.theirs.letter_state, "to_print")

    def test_a7_address_of_a_new_contact_is_found_by_its_bounce(self):
        member = self.env["res.partner"].create(
            {"name": "Cy", "membri_renewal_email": "CY@example.com"}
        )
        self.assertEqual(member.membri_renewal_email_normalized, "cy@example.com")
        found = self.env["res.partner"].search(
            [("membri_renewal_email_normalized", "=", "cy@example.com")]
        )
        self.assertEqual(found, member)
