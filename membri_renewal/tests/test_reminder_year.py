from contextlib import suppress
from datetime import date, datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from odoo.addons.base.models.ir_cron import IrCron

from ..models.renewal import reminder as renewal_reminder
from .common_reminders import ReminderCommon


@tagged("post_install", "-at_install")
class TestReminderYear(ReminderCommon):
    """The nights of a year, with the clock frozen: who is reminded when, and who is not."""

    def _play(self, first, last, events=None):
        """Run the generation, the states and the reminders every night at 03:00 UTC, when it
        is yesterday evening in Toronto.

        :param events: ``{day: function}``, done at noon
        :return: ``[(day, recipient's name, subject)]`` of all emails to members
        """
        sent, day = [], first
        while day <= last:
            moment = datetime.combine(day, datetime.min.time()) + timedelta(hours=3)
            with freeze_time(moment), self.mock_mail_gateway():
                self._run_cron("ir_cron_update_states")
                self._run_cron("ir_cron_generate")
                self._run_cron("ir_cron_send_reminders")
                mails = self._get_notices(self._new_mails)
                sent += [(day, mail.recipient_ids.name, mail.subject) for mail in mails]
            if event := (events or {}).get(day):
                with freeze_time(moment + timedelta(hours=14)):
                    event()
            day += timedelta(days=1)
        return sent

    def _get_steps(self, option_set):
        option_set.with_env(self.env_root).action_propose_reminders()
        return option_set.reminder_ids

    def test_a_year_of_silence_and_of_answers(self):
        """Three members with the usual reminders: one never answers, one accepts and pays late,
        one pays at once. The year after, all starts afresh."""
        self._get_steps(self.yearly)
        names = ("Silent", "Late", "Prompt")
        terms = {}
        for name in names:
            member = self._create_member(name)
            terms[name] = self._create_cotisation(member, "2026-02-01")
        self.cotisation.action_terminate(date(2026, 3, 1), "not part of this test")

        def get_renewal(name):
            return terms[name].renewal_ids

        def pay(name):
            self._pay(get_renewal(name).invoice_id)

        def accept_and_pay():
            get_renewal("Prompt").action_approve()
            pay("Prompt")

        sent = self._play(
            date(2026, 11, 28),
            date(2027, 4, 1),
            {
                date(2026, 12, 10): accept_and_pay,
                date(2026, 12, 14): lambda: get_renewal("Late").action_approve(),
                date(2027, 1, 6): lambda: pay("Late"),
            },
        )
        notice = "Time to renew your membership – company_1_data"
        invoice = get_renewal("Late").invoice_id.name
        self.assertEqual(
            {name: [(day, subject) for day, to, subject in sent if to == name] for name in names},
            {
                # the term ends on 31 January; the notice goes out 60 days before
                "Silent": [
                    (date(2026, 12, 3), notice),
                    # sent on the evening of the 2nd in Toronto: 14 days later is the 16th
                    (
                        date(2026, 12, 17),
                        "Reminder: renew your membership – company_1_data",
                    ),
                    (date(2027, 1, 25), "Second reminder: renew your membership – company_1_data"),
                    # the last one, 15 days after the end, is only suggested
                ],
                "Late": [
                    (date(2026, 12, 3), notice),
                    # due at once, seven days later
                    (
                        date(2026, 12, 22),
                        f"Payment reminder: Invoice {invoice} – company_1_data",
                    ),
                ],
                "Prompt": [(date(2026, 12, 3), notice)],
            },
        )
        with freeze_time("2027-04-01 15:00:00"):
            queue = self.env.ref("membri_renewal.dashboard_to_remind")
            waiting = self.env["membri.renewal"].search(queue._get_domain())
            self.assertEqual(waiting, get_renewal("Silent"))

        sent = self._play(date(2027, 12, 1), date(2027, 12, 18))
        self.assertCountEqual(
            [(day, to) for day, to, _subject in sent],
            [
                (date(2027, 12, 3), "Late"),
                (date(2027, 12, 3), "Prompt"),
                (date(2027, 12, 17), "Late"),
                (date(2027, 12, 17), "Prompt"),
            ],
        )

    def test_monthly_members_over_a_leap_february(self):
        """Invoiced on the 31st, asked to pay seven days after the due date, each month once. The
        invoice is due on the day that it is in Toronto when the night makes it."""
        self._get_steps(self.monthly)
        member = self._create_member("Mona")
        self.cotisation.action_terminate(date(2026, 1, 15), "not part of this test")
        self._create_cotisation(member, "2027-12-31", self.monthly)
        sent = self._play(date(2028, 1, 20), date(2028, 3, 20))
        self.assertEqual([day for day, to, _subject in sent if to == "Mona"], [date(2028, 1, 31)])

    def test_night_that_crashes_in_the_middle(self):
        """What was sent stays sent, the rest goes out with the next run, each once."""
        self._step("after_sent", 14)
        renewals = self._notify()
        for number in range(4):
            member = self._create_member(f"Bo {number}")
            renewals |= self._notify(self._create_cotisation(member, "2026-01-01"))
        origin, calls = IrCron._commit_progress, []

        def crash(cron, *args, **kwargs):
            calls.append(args)
            if len(calls) == 3:  # the start, the first batch, the second batch
                raise KeyboardInterrupt
            return origin(cron, *args, **kwargs)

        with (
            patch.object(renewal_reminder, "BATCH", 2),
            patch.object(IrCron, "_commit_progress", crash),
            freeze_time("2026-11-19 15:00:00"),
            self.enter_registry_test_mode(),
            # Odoo's assertRaises would roll back what was committed
            suppress(KeyboardInterrupt),
            self.registry.cursor() as cr,
        ):
            self.env_root(cr=cr)["membri.renewal"]._cron_send_reminders()
        self.assertEqual(len(calls), 3, "it did crash")
        self.env.invalidate_all()
        done = renewals.filtered("reminder_count")
        self.assertEqual(len(done), 2)
        mails = self._remind("2026-11-19 16:00:00")
        self.assertEqual(mails.recipient_ids, (renewals - done).partner_id)
        self.assertEqual(set(renewals.mapped("reminder_count")), {1})
        self.assertEqual(len(renewals.sudo().reminder_log_ids), 5)

    def test_two_workers(self):
        """What another worker has locked is left to it."""
        self._step("after_sent", 14)
        mine = self._notify()
        theirs = self._notify(self._create_cotisation(self._create_member("Bo"), "2026-01-01"))
        origin = type(mine).try_lock_for_update

        def try_lock_for_update(records, **kwargs):
            return origin(records - theirs, **kwargs)

        with patch.object(type(mine), "try_lock_for_update", try_lock_for_update):
            mails = self._remind("2026-11-19 15:00:00")
        self.assertEqual(mails.recipient_ids, mine.partner_id)
        self.assertFalse(theirs.sudo().reminder_log_ids)
        self.assertEqual(len(self._remind("2026-11-19 15:30:00")), 1)

    def test_usual_reminders(self):
        self.assertFalse(self.yearly.reminder_ids)
        steps = self._get_steps(self.yearly)
        self.assertEqual(
            [(step.trigger, step.days, step.automatic) for step in steps],
            [
                ("after_sent", 14, True),
                ("before_end", 7, True),
                ("after_end", 15, False),
                ("after_due", 7, True),
                ("after_due", 30, False),
            ],
        )
        self.assertEqual(len(steps.mail_template_id), 5, "each has its own tone")
        self.assertIn(
            "already has reminders",
            self._assert_refused(self.yearly.with_env(self.env_root).action_propose_reminders),
        )
