from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .common_generation import GenerationCommon


@tagged("post_install", "-at_install")
class TestLatePayers(GenerationCommon):
    """A term that is paid long after its end is over at once. Its member is asked to go on,
    as everybody is: counted from the day of the payment."""

    def _pay_late(self, option_set, enrolled, paid):
        with freeze_time(enrolled):
            cotisation = self.member._membri_enrol(option_set)
        with freeze_time(paid):
            self._pay(cotisation.invoice_id)
        return cotisation

    def test_asked_from_the_payment_on(self):
        """A year that ended on 31 December, paid on 10 April: 100 days later."""
        cotisation = self._pay_late(self.yearly, "2025-01-01 15:00:00", "2026-04-10 15:00:00")
        self.assertRecordValues(
            cotisation,
            [
                {
                    "state": "expired",
                    "date_end": date(2025, 12, 31),
                    "date_expired": date(2026, 4, 10),
                }
            ],
        )
        mails = self._generate("2026-04-11 12:00:00")
        self.assertEqual(mails.recipient_ids, self.member)
        self.assertRecordValues(
            self._renewals(),
            [{"state": "sent", "date_start": date(2026, 1, 1), "date_end": date(2026, 12, 31)}],
        )
        self.assertEqual(self.member.membri_status, "in_renewal")

    def test_the_sixtieth_day_counts(self):
        self._pay_late(self.yearly, "2025-01-01 15:00:00", "2026-04-10 15:00:00")
        self._generate("2026-06-10 15:00:00")
        self.assertFalse(self._renewals(), "61 days after the payment")
        self._generate("2026-06-09 15:00:00")
        self.assertEqual(len(self._renewals()), 1)

    def test_ordinary_end_counts_from_the_end(self):
        cotisation = self._create_cotisation(self.member, "2026-01-01")
        with freeze_time("2027-01-01 15:00:00"):
            self._run_cron("ir_cron_update_states")
        self.assertEqual(cotisation.date_expired, date(2027, 1, 1))
        self._generate("2027-03-03 15:00:00")
        self.assertFalse(self._renewals())

    def test_next_term_over_as_well_is_held_for_the_staff(self):
        """January's month paid in May: February is over, too. The member is neither asked nor
        invoiced for it; the officer chooses a term."""
        for auto_renew in (True, False):
            with self.subTest(auto_renew=auto_renew):
                self.member = self._create_member(f"Bo {auto_renew}")
                self._pay_late(self.monthly, "2026-01-01 15:00:00", "2026-05-20 15:00:00")
                self.member.membri_auto_renew = auto_renew
                self.assertFalse(self._generate("2026-05-21 12:00:00"), "no email")
                renewal = self._renewals()
                self.assertRecordValues(renewal, [{"state": "intervention", "invoice_id": False}])
                self.assertIn("would already be over", renewal.intervention_reason)
                self.assertEqual(renewal.activity_ids.user_id, self.officer)
                with freeze_time("2026-05-21 15:00:00"):
                    refused = self._assert_refused(renewal.action_send)
                    self.assertIn("would already be over", refused)  # nobody could accept it
                    self.assertIn("over by now", renewal._get_deadline_sentence())
                renewal.write({"date_start": "2026-05-21", "date_end": "2026-06-20"})
                with freeze_time("2026-05-21 15:00:00"):
                    renewal.action_approve()
                self.assertEqual(renewal.new_cotisation_id.date_end, date(2026, 6, 20))
                self.assertFalse(self.member.membri_intervention_required)

    def test_set_that_restarts_late_members_goes_on_by_itself(self):
        self.monthly.sudo().late_policy = "restart"
        self.monthly.sudo().grace_days = 10
        self._pay_late(self.monthly, "2026-01-01 15:00:00", "2026-05-20 15:00:00")
        self._generate("2026-05-21 12:00:00")
        self.assertRecordValues(
            self._renewals().new_cotisation_id,
            [{"state": "pending", "date_start": date(2026, 5, 21), "date_end": date(2026, 6, 20)}],
        )
