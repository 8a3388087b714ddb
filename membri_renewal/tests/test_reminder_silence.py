from datetime import date, datetime

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_reminders import ReminderCommon


@tagged("post_install", "-at_install")
class TestReminderByHand(ReminderCommon):
    """The guide, *Envoyer un courriel de rappel*: "Renvoyer l'avis de renouvellement"."""

    def _remind_by_hand(self, renewal, moment):
        with freeze_time(moment), self.mock_mail_gateway():
            renewal.action_send_reminder()
            return self._get_notices(self._new_mails)

    def test_uses_up_no_step(self):
        step = self._step("after_sent", 14)
        renewal = self._notify()
        mails = self._remind_by_hand(renewal, "2026-11-08 15:00:00")
        self.assertEqual(mails.recipient_ids, self.member)
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "sent",
                    "date_sent": datetime(2026, 11, 5, 15),
                    "date_last_reminder": datetime(2026, 11, 8, 15),
                    "reminder_count": 1,
                    "date_next_reminder": date(2026, 11, 19),
                }
            ],
        )
        self.assertEqual(self._logs(renewal), [(self.env["membri.reminder.step"], "sent")])
        self.assertEqual(len(self._remind("2026-11-19 15:00:00")), 1)
        self.assertEqual(self._logs(renewal)[-1], (step, "sent"))
        self.assertEqual(renewal.reminder_count, 2)

    def test_suggested_step_waits_for_the_staff(self):
        """Not sent by the night; in the queue *Renouvellements à rappeler* until done."""
        self._step("after_sent", 14, automatic=False)
        renewal = self._notify()
        queue = self.env.ref("membri_renewal.dashboard_to_remind")

        def is_in_queue():
            queue.invalidate_recordset()
            return bool(renewal.filtered_domain(queue._get_domain()))

        with freeze_time("2026-11-18 15:00:00"):
            self.assertFalse(is_in_queue())
        self.assertFalse(self._remind("2026-11-19 15:00:00"))
        with freeze_time("2026-11-19 15:00:00"):
            self.assertTrue(is_in_queue())
        self.assertEqual(renewal.reminder_count, 0)
        self.assertEqual(len(self._remind_by_hand(renewal, "2026-11-20 15:00:00")), 1)
        with freeze_time("2026-11-20 15:00:00"):
            self.assertFalse(is_in_queue())
        self.assertFalse(renewal.date_next_reminder)

    def test_many_at_once_is_all_or_nothing(self):
        first = self._notify()
        other = self._create_cotisation(self._create_member("Bo Draft"), "2026-01-01")
        draft = self._create_renewal(other)
        with self.assertRaisesRegex(UserError, draft.name):
            (first + draft).action_send_reminder()
        self.assertEqual(first.reminder_count, 0)

    def test_refused_with_a_reason_when_there_is_nothing_to_remind(self):
        renewal = self._notify()
        self._approve(renewal)
        with freeze_time("2026-11-11 15:00:00"):
            self._pay(renewal.invoice_id)
        with self.assertRaisesRegex(UserError, "is paid"):
            renewal.action_send_reminder()
        self.assertEqual(renewal.reminder_count, 0)
        self.assertFalse(self._logs(renewal))


@tagged("post_install", "-at_install")
class TestReminderSilence(ReminderCommon):
    """specification §5.2 and §7: never after an answer, a payment, or to a closed address."""

    def _assert_silent(self, renewal, moment="2027-03-01 15:00:00"):
        self.assertFalse(self._remind(moment))
        self.assertEqual(renewal.reminder_count, 0)
        self.assertFalse(renewal.date_last_reminder)

    def _all_steps(self):
        return [
            self._step("after_sent", 14),
            self._step("before_end", 15),
            self._step("after_end", 10),
            self._step("after_due", 7),
        ]

    def test_draft(self):
        self._all_steps()
        with freeze_time("2026-11-05 15:00:00"):
            renewal = self._create_renewal(self.cotisation)
        self._assert_silent(renewal)

    def test_after_an_answer_or_a_decision(self):
        self._all_steps()
        for number, answer in enumerate(
            (
                lambda r: r.action_request_change("Call me"),
                lambda r: r.action_require_intervention("Call them"),
                self._refuse,
                lambda r: r.action_cancel(),
            )
        ):
            with self.subTest(number):
                member = self._create_member(f"Bo {number}")
                renewal = self._notify(self._create_cotisation(member, "2026-01-01"))
                self.assertEqual(renewal.date_next_reminder, date(2026, 11, 19))
                with freeze_time("2026-11-06 15:00:00"):
                    answer(renewal)
                self.assertFalse(renewal.date_next_reminder)
                self._assert_silent(renewal)

    def test_flag_and_back(self):
        """Cleared, the reminders go on where they were."""
        self._step("after_sent", 14)
        renewal = self._notify()
        self.member.membri_intervention_required = True
        self._assert_silent(renewal, "2026-11-19 15:00:00")
        self.member.membri_intervention_required = False
        self.assertEqual(renewal.state, "sent")
        self.assertEqual(len(self._remind("2026-11-20 15:00:00")), 1)

    def test_after_acceptance_only_the_payment_is_asked_for(self):
        *_before, after_due = self._all_steps()
        renewal = self._notify()
        self._approve(renewal)
        self.assertEqual(len(self._remind("2027-03-01 15:00:00")), 1)
        self.assertEqual(self._logs(renewal), [(after_due, "sent")])

    def test_after_a_payment_until_it_bounces(self):
        self._all_steps()
        renewal = self._notify()
        self._approve(renewal)
        with freeze_time("2026-11-11 15:00:00"):
            payment = self._pay(renewal.invoice_id)
        self._assert_silent(renewal, "2026-11-20 15:00:00")
        with freeze_time("2026-11-21 15:00:00"):
            payment.action_draft()
            payment.action_cancel()
        self.assertFalse(renewal.is_paid)
        self.assertEqual(len(self._remind("2026-11-22 15:00:00")), 1)

    def test_held_while_a_payment_is_under_way(self):
        """Held, not used up: when the payment fails, the step goes out."""
        step = self._step("after_due", 7)
        renewal = self._notify()
        self._approve(renewal)
        transaction = self._transaction(renewal.invoice_id, "pending")
        self._assert_silent(renewal, "2026-11-17 15:00:00")
        with self.assertRaisesRegex(UserError, "in progress"):
            renewal.action_send_reminder()
        self.assertFalse(self._logs(renewal))
        transaction.state = "cancel"
        self.assertEqual(len(self._remind("2026-11-19 15:00:00")), 1)
        self.assertEqual(self._logs(renewal), [(step, "sent")])

    def test_held_while_the_invoice_is_corrected(self):
        """Nobody is asked to pay what cannot be paid; then the new due date counts."""
        self._step("after_due", 7)
        renewal = self._notify()
        self._approve(renewal)
        invoice = renewal.invoice_id.with_env(self.env_account)
        invoice.button_draft()
        self._assert_silent(renewal, "2026-11-17 15:00:00")
        with freeze_time("2026-11-18 15:00:00"):
            invoice.invoice_payment_term_id = self.env_account.ref(
                "account.account_payment_term_30days"
            )
            invoice.action_post()
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 10))
        self.assertEqual(renewal.date_next_reminder, date(2026, 12, 17))
        self._assert_silent(renewal, "2026-12-16 15:00:00")
        self.assertEqual(len(self._remind("2026-12-17 15:00:00")), 1)

    def test_after_the_cotisation_is_cancelled(self):
        self._all_steps()
        upcoming = self._create_cotisation(self.member, "2027-01-01", state="scheduled")
        renewal = self._notify(upcoming, "2027-11-05 15:00:00")
        upcoming.action_cancel()
        self.assertEqual(renewal.state, "cancelled")
        self._assert_silent(renewal, "2028-03-01 15:00:00")

    def test_closed_addresses_are_skipped_logged_and_shown(self):
        """Case: opted-out or bouncing, each with its reason, in the queue and in the log."""
        step = self._step("after_sent", 14)

        def opt_out(member):
            self.env_root["mail.blacklist"]._add(member.email)

        def bounce(member):
            member.message_bounce = 3

        def opt_out_renewal_email(member):
            member.email = False
            member.membri_renewal_email = "Boss <boss@example.com>"
            self.env_root["mail.blacklist"]._add("boss@example.com")

        def no_address(member):
            member.email = False

        for close, reason in (
            (opt_out, "opted out"),
            (bounce, "bounce"),
            (opt_out_renewal_email, "opted out"),
            (no_address, "no valid email"),
        ):
            with self.subTest(close.__name__):
                member = self._create_member(f"Bo {close.__name__}")
                renewal = self._notify(self._create_cotisation(member, "2026-01-01"))
                close(member)
                self._assert_silent(renewal, "2026-11-19 15:00:00")
                self.assertEqual(self._logs(renewal), [(step, "skipped")])
                self.assertIn(reason, renewal.reminder_log_ids.reason)
                self.assertEqual(renewal.delivery_state, "unreachable")
                self.assertIn(reason, renewal.delivery_note)
                queue = self.env.ref("membri_renewal.dashboard_unreachable")
                self.assertTrue(renewal.filtered_domain(queue._get_domain()))
                self.assertEqual(len(renewal.activity_ids), 1)
                self.assertEqual(renewal.activity_ids.user_id, self.officer)
                self.assertEqual(renewal.state, "sent")

    def test_reminder_that_fails_stops_nobody_else(self):
        """The reason stands on the renewal and in its log, once; the step is not used up."""
        template = self.env_root.ref("membri_renewal.mail_template_reminder").copy(
            {"name": "Broken one", "body_html": '<p t-out="object.no_such_field"/>'}
        )
        broken = self._create_option_set("Broken")
        bad_step = self._step("after_sent", 14, broken, mail_template_id=template.id)
        good_step = self._step("after_sent", 14)
        bad = self._create_member("Bo Bad")
        bad_renewal = self._notify(self._create_cotisation(bad, "2026-01-01", broken))
        good_renewal = self._notify()
        mails = self._remind("2026-11-19 15:00:00")
        self.assertEqual(mails.recipient_ids, self.member)
        self.assertEqual(self._logs(good_renewal), [(good_step, "sent")])
        self.assertRecordValues(
            bad_renewal, [{"delivery_state": "failed", "reminder_count": 0, "state": "sent"}]
        )
        self.assertIn("“Broken one” cannot be filled in for", bad_renewal.delivery_note)
        self.assertNotIn("Traceback", bad_renewal.delivery_note)
        self._remind("2026-11-20 15:00:00")
        self.assertRecordValues(
            bad_renewal.sudo().reminder_log_ids,
            [
                {
                    "step_id": bad_step.id,
                    "result": "failed",
                    "uses_step": False,
                    "date": datetime(2026, 11, 20, 15),
                    "reason": bad_renewal.delivery_note,
                }
            ],
        )
        template.body_html = "<p>Mended</p>"
        self.assertEqual(self._remind("2026-11-21 15:00:00").recipient_ids, bad)
        self.assertCountEqual(self._logs(bad_renewal), [(bad_step, "failed"), (bad_step, "sent")])
        self.assertEqual(bad_renewal.delivery_state, "queued")
        self.assertFalse(self._remind("2026-11-22 15:00:00"))
