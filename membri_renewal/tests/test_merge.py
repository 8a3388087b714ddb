from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-06-15 15:00:00")
class TestMerge(MembriCommon):
    """specification §2: Odoo's contact merge carries both histories over, with one active term."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.double = cls._create_member("Ada Boulanger bis")

    def _merge(self, *others):
        partners = self.member + self.env["res.partner"].concat(*(others or [self.double]))
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge(partners.ids, self.member, extra_checks=False)
        self.env.invalidate_all()
        self.assertEqual(partners.exists(), self.member)

    def _terms(self):
        """The member's history in time order: first and last day, state."""
        return [
            (str(c.date_start), str(c.date_end), c.state)
            for c in self.member.membri_cotisation_ids.sorted("date_start")
        ]

    def test_histories_that_do_not_overlap(self):
        first = self._create_cotisation(self.double, "2023-01-01", state="expired")
        second = self._create_cotisation(self.member, "2024-01-01", state="expired")
        third = self._create_cotisation(self.double, "2026-01-01")
        self.assertEqual(self.member.membri_status, "inactive")
        before = [self._get_stored(term) for term in first + second + third]
        self._merge()
        self.assertEqual(self.member.membri_cotisation_ids, third + second + first)
        self.assertRecordValues(
            self.member,
            [
                {
                    "membri_status": "active",
                    "membri_is_member": True,
                    "membri_cotisation_id": third.id,
                    "membri_member_since": date(2023, 1, 1),
                    "membri_date_end": date(2026, 12, 31),
                }
            ],
        )
        for term, values in zip(first + second + third, before, strict=True):
            after = self._get_stored(term)
            self.assertEqual(after.pop("partner_id")[0], self.member.id)
            values.pop("partner_id")
            self.assertEqual(after, values)

    def test_two_active_terms_become_one_without_losing_a_day(self):
        """2026-01-01 to 12-31 and 2026-04-01 to 2027-03-31: a member until the later end."""
        self._create_cotisation(self.member, "2026-01-01")
        kept = self._create_cotisation(self.double, "2026-04-01")
        self._merge()
        self.assertEqual(
            self._terms(),
            [("2026-01-01", "2026-03-31", "expired"), ("2026-04-01", "2027-03-31", "active")],
        )
        self.assertRecordValues(
            self.member,
            [
                {
                    "membri_status": "active",
                    "membri_cotisation_id": kept.id,
                    "membri_member_since": date(2026, 1, 1),
                }
            ],
        )

    def test_the_same_term_twice(self):
        """A contact that was imported twice."""
        for contact in (self.member, self.double):
            self._create_cotisation(contact, "2025-01-01", state="expired")
            self._create_cotisation(contact, "2026-01-01")
        self._merge()
        self.assertEqual(
            sorted(self._terms()),
            [
                ("2025-01-01", "2025-12-31", "cancelled"),
                ("2025-01-01", "2025-12-31", "expired"),
                ("2026-01-01", "2026-12-31", "active"),
                ("2026-01-01", "2026-12-31", "cancelled"),
            ],
        )
        self.assertEqual(self.member.membri_status, "active")

    def test_a_paid_term_goes_before_an_unpaid_one(self):
        """specification §7: never a paid cotisation lost or shortened."""
        paid = self._create_cotisation(self.member, "2026-01-01")
        unpaid = self.double._membri_enrol(self.yearly, "2026-06-01")
        self._merge()
        self.assertRecordValues(paid, [{"state": "active", "date_end": date(2026, 12, 31)}])
        self.assertEqual(unpaid.state, "cancelled")
        self.assertEqual(self.member.membri_status, "active")
        self.assertEqual(unpaid.invoice_id.state, "cancel", "nothing is owed for it")

    def test_lifetime_goes_before_all_others(self):
        self._create_cotisation(self.member, "2026-01-01")
        self._create_cotisation(self.double, "2026-03-01", self.for_life)
        self._merge()
        self.assertEqual(
            self._terms(),
            [("2026-01-01", "2026-02-28", "expired"), ("2026-03-01", "False", "active")],
        )

    def test_open_renewals_of_both(self):
        """The one of the term that is kept stays, untouched; the other is void."""
        old = self._create_renewal(
            self._create_cotisation(self.member, "2025-07-01", state="active")
        )
        kept = self._create_renewal(self._create_cotisation(self.double, "2025-08-01"))
        (old + kept).action_send()
        date_sent = kept.date_sent
        self._merge()
        self.assertRecordValues(
            old + kept,
            [
                {"state": "cancelled", "partner_id": self.member.id},
                {"state": "sent", "partner_id": self.member.id},
            ],
        )
        self.assertEqual(kept.date_sent, date_sent)
        self.assertEqual(self.member.membri_renewal_id, kept)
        self.assertEqual(self.member.membri_renewal_ids, old + kept)

    def test_approved_renewals_of_both(self):
        """Two next terms, both unpaid: the one that the paid term leaves room for stays, the
        other is void with its invoice and its renewal."""
        renewals = self.env["membri.renewal"]
        for contact, day in ((self.member, "2025-07-01"), (self.double, "2025-08-01")):
            renewals += self._create_renewal(self._create_cotisation(contact, day))
        renewals.action_approve()
        void_invoice, invoice = renewals[0].invoice_id, renewals[1].invoice_id
        self._merge()
        self.assertEqual(
            sorted(self._terms()),
            [
                ("2025-07-01", "2025-07-31", "expired"),
                ("2025-08-01", "2026-07-31", "active"),
                ("2026-07-01", "2027-06-30", "cancelled"),
                ("2026-08-01", "2027-07-31", "pending"),
            ],
        )
        self.assertEqual(renewals.mapped("state"), ["cancelled", "approved"])
        self.assertEqual(void_invoice.state, "cancel")
        self.assertEqual(invoice.state, "posted")
        self.assertEqual(self.member.membri_renewal_id, renewals[1])
        self.assertFalse(self.member.membri_intervention_required)

    def test_one_accepted_and_the_other_is_still_asked(self):
        """Nobody is asked, or reminded, about days that were accepted; what the staff has to look
        at stays there."""
        accepted, asked = (
            self._create_renewal(self._create_cotisation(contact, "2025-07-01"))
            for contact in (self.member, self.double)
        )
        accepted.action_approve()
        asked.action_send()
        third = self._create_member("Ada Boulanger ter")
        held = self._create_renewal(self._create_cotisation(third, "2025-07-01"))
        held.action_send()
        held.action_request_change("Call me")
        self._merge()
        self.assertEqual((accepted.state, asked.state), ("approved", "cancelled"))
        self._merge(third)
        self.assertEqual((accepted.state, held.state), ("approved", "change_requested"))
        self.assertEqual(
            sorted(self._terms()),
            [
                ("2025-07-01", "2026-06-30", "active"),
                ("2025-07-01", "2026-06-30", "cancelled"),
                ("2025-07-01", "2026-06-30", "cancelled"),
                ("2026-07-01", "2027-06-30", "pending"),
            ],
        )

    def test_unpaid_term_with_money_on_it_goes_to_the_staff(self):
        """Half paid, and covered by the other contact's paid term: somebody must decide."""
        self._create_cotisation(self.member, "2026-01-01")
        self._create_cotisation(self.member, "2027-01-01", state="scheduled")
        renewal = self._create_renewal(
            self._create_cotisation(
                self.double, "2025-08-01", date_end="2025-12-31", state="expired"
            )
        )
        renewal.write({"date_start": "2026-07-01", "date_end": "2027-06-30"})
        renewal.action_approve()
        cotisation, invoice = renewal.new_cotisation_id, renewal.invoice_id
        self._pay(invoice, 100.0)
        self._merge()
        self.assertEqual(cotisation.state, "cancelled")
        self.assertRecordValues(invoice, [{"state": "posted", "payment_state": "partial"}])
        self.assertEqual(renewal.state, "intervention")
        self.assertIn("merged", renewal.intervention_reason)

    def test_what_is_kept_is_in_the_language_of_the_staff(self):
        """Whoever merges: an administrator reads English, the officer French."""
        self.env_root["res.lang"]._activate_lang("fr_FR")
        self.officer.with_env(self.env_root).lang = "fr_FR"
        unpaid = self._create_renewal(self._create_yearly())
        unpaid.action_approve()
        self._pay(unpaid.invoice_id, 100.0)
        double = unpaid.partner_id
        self._create_cotisation(self.member, "2026-01-01", date_end="2028-12-31")
        self._merge(double)
        self.assertEqual(unpaid.state, "intervention")
        self.assertIn("fusionn", unpaid.intervention_reason)
        logs = " ".join(unpaid.partner_id.membri_cotisation_ids.message_ids.mapped("body"))
        self.assertIn("fusionn", logs)
        self.assertNotIn("merged", logs)

    def test_three_contacts_and_two_companies(self):
        """Each company on its own: what overlaps across companies is no overlap."""
        other = self._create_other_company("Other", "UTC")
        other_set = self._create_option_set("Other set", company_id=other.id)
        third = self._create_member("Ada Boulanger ter")
        here = self._create_cotisation(self.member, "2026-01-01")
        there = self.env_root["membri.cotisation"].create(
            {
                "partner_id": self.double.id,
                "option_set_id": other_set.id,
                "date_start": "2026-03-01",
                "state": "active",
            }
        )
        past = self._create_cotisation(third, "2024-01-01", state="expired")
        self._merge(self.double, third)
        self.assertEqual((here + there.with_env(self.env) + past).partner_id, self.member)
        self.assertEqual(here.state, "active")
        self.assertEqual(there.state, "active")
        self.assertEqual(self.member.membri_cotisation_id, here)
        self.assertEqual(self.member.with_company(other).membri_status, "active")
        self.assertEqual(self.member.with_company(other).membri_member_since, date(2026, 3, 1))

    def test_contacts_without_membership(self):
        self._merge()
        self.assertEqual(self.member.membri_status, "non_member")
        self.assertFalse(self.member.membri_cotisation_ids)

    def test_choices_are_kept(self):
        """The survivor's own choices, and the other's where it has none."""
        self.double.membri_auto_renew = True
        self._create_cotisation(self.double, "2026-01-01")
        self._merge()
        self.assertTrue(self.member.membri_auto_renew)
        self.assertEqual(self.member.membri_option_set_id, self.yearly)

    def test_flag_of_the_other_holds_the_renewal(self):
        renewal = self._create_renewal(self._create_cotisation(self.double, "2025-08-01"))
        renewal.action_send()
        renewal.action_require_intervention("Call")
        self._merge()
        self.assertEqual(renewal.state, "intervention")
        self.assertTrue(self.member.membri_intervention_required)
        self.assertEqual(self.member.membri_intervention_reason, "Call")

    def test_what_the_staff_was_told_of_the_other_holds_the_one_that_stays(self):
        """An agreement noted on the renewal that is void, or changes asked for there."""
        old = self._create_renewal(
            self._create_cotisation(self.member, "2025-07-01", state="active")
        )
        kept = self._create_renewal(self._create_cotisation(self.double, "2025-08-01"))
        (old + kept).action_send()
        old.action_require_intervention("15 % off")
        kept.action_require_intervention("Call")
        self._merge()
        self.assertEqual((old + kept).mapped("state"), ["cancelled", "intervention"])
        reason = kept.intervention_reason
        self.assertEqual(reason.splitlines()[0], "Call")
        self.assertIn(f"{old.name}: 15 % off", reason)
        self.assertEqual(self.member.membri_intervention_reason, reason)

    def test_changes_asked_for_on_the_other_hold_the_one_that_stays(self):
        old = self._create_renewal(
            self._create_cotisation(self.member, "2025-07-01", state="active")
        )
        kept = self._create_renewal(self._create_cotisation(self.double, "2025-08-01"))
        (old + kept).action_send()
        old.action_request_change("Less")
        self._merge()
        self.assertEqual((old + kept).mapped("state"), ["cancelled", "intervention"])
        self.assertIn(f"{old.name}: Less", kept.intervention_reason)

    def test_a4_what_was_asked_for_is_not_lost_with_its_term(self):
        """Two contacts for one person, of the same days: the term of the one is void, and its
        renewal with it; what was asked for there is not."""
        for ask in ("action_request_change", "action_require_intervention"):
            for answer in (None, "action_approve"):
                with self.subTest(ask=ask, answer=answer):
                    double = self._create_member("Ada again")
                    self.member = self._create_member("Ada")
                    old, kept = (
                        self._create_renewal(self._create_cotisation(partner, "2025-08-01"))
                        for partner in (self.member, double)
                    )
                    (old + kept).action_send()
                    getattr(old, ask)("Less")
                    if answer:
                        getattr(kept, answer)()
                    self._merge(double)
                    self.assertEqual(old.state, "cancelled")
                    self.assertEqual(kept.state, "approved" if answer else "intervention")
                    told = kept.invoice_id.sudo().activity_ids.mapped("summary")
                    told += [kept.intervention_reason or ""]
                    self.assertIn(f"{old.name}: Less", "".join(told))

    def test_a4_what_was_asked_for_where_no_renewal_is_left(self):
        old = self._create_renewal(self._create_cotisation(self.member, "2025-08-01"))
        self._create_cotisation(self.double, "2025-08-01")
        old.action_send()
        old.action_request_change("Less")
        self._merge()
        self.assertEqual(old.state, "cancelled")
        told = self.member.sudo().activity_ids.mapped("summary")
        self.assertIn(f"{old.name}: Less", "".join(told))

    def test_what_was_held_for_an_archived_double_goes_on(self):
        """Issue 12 A3: the reason is not true any more."""
        renewal = self._create_renewal(self._create_cotisation(self.double, "2025-08-01"))
        renewal.action_send()
        self.double.sudo().action_archive()
        self.assertEqual(renewal.state, "intervention")
        self._merge()
        self.assertRecordValues(
            renewal,
            [{"state": "sent", "partner_id": self.member.id, "is_held_archived": False}],
        )
        self.assertFalse(self.member.membri_intervention_required)
        self.assertFalse(renewal.activity_ids)

    def test_what_the_staff_holds_stays_held(self):
        renewal = self._create_renewal(self._create_cotisation(self.double, "2025-08-01"))
        self.double.sudo().action_archive()
        self.member.membri_intervention_reason = "Call"
        self.member.membri_intervention_required = True
        self._merge()
        self.assertRecordValues(renewal, [{"state": "intervention", "intervention_reason": "Call"}])

    def test_two_that_are_active_before_they_are_paid(self):
        """Issue 12 A4: nobody is asked to pay for the one that is void."""
        self.yearly.sudo().activation = "approved"
        kept = self.member._membri_enrol(self.yearly, "2026-06-01")
        other = self.double._membri_enrol(self.yearly, "2026-06-01")
        self.assertEqual((kept | other).mapped("state"), ["active", "active"])
        self._merge()
        states = {term.state: term.invoice_id.state for term in kept | other}
        self.assertEqual(states, {"active": "posted", "cancelled": "cancel"})
