from datetime import date, datetime, timedelta

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common_reminders import ReminderCommon


@tagged("post_install", "-at_install")
class TestReminderDays(ReminderCommon):
    """specification §4 *reminder_ids* and §5.2: the day of each step, and each step once."""

    def _assert_falls_on(self, renewal, step, moment_before, moment):
        """Nothing in the last second of the day before, one email in the first of the day."""
        self.assertFalse(self._remind(moment_before))
        self.assertEqual(renewal.reminder_count, 0)
        mails = self._remind(moment)
        self.assertEqual(len(mails), 1)
        self.assertEqual(mails.recipient_ids, self.member)
        self.assertRecordValues(
            renewal,
            [
                {
                    "reminder_count": 1,
                    "date_last_reminder": datetime.fromisoformat(moment),
                    "date_next_reminder": False,
                }
            ],
        )
        self.assertEqual(self._logs(renewal), [(step, "sent")])
        return mails

    def test_days_after_the_notice(self):
        """Civil days: sent on the 5th, 14 days later is the 19th, from midnight on."""
        step = self._step("after_sent", 14)
        renewal = self._notify()
        self.assertEqual(renewal.date_next_reminder, date(2026, 11, 19))
        mails = self._assert_falls_on(renewal, step, "2026-11-19 04:59:59", "2026-11-19 05:00:00")
        self.assertEqual(renewal.date_sent, datetime(2026, 11, 5, 15), "the first sending")
        self.assertEqual(renewal.state, "sent")
        self.assertIn(f"/my/renewals/{renewal.id}", mails.body_html)
        self.assertIn("Reminder", mails.subject)

    def test_late_evening_counts_as_the_day_it_is_here(self):
        self._step("after_sent", 14)
        renewal = self._notify(moment="2026-11-06 03:30:00")
        self.assertEqual(renewal.date_next_reminder, date(2026, 11, 19))

    def test_days_before_the_end(self):
        step = self._step("before_end", 15)
        renewal = self._notify()
        self._assert_falls_on(renewal, step, "2026-12-16 04:59:59", "2026-12-16 05:00:00")

    def test_days_after_the_end(self):
        step = self._step("after_end", 10)
        renewal = self._notify()
        with freeze_time("2027-01-05 15:00:00"):
            self._run_cron("ir_cron_update_states")
        self.assertEqual(self.member.membri_status, "in_renewal")
        self._assert_falls_on(renewal, step, "2027-01-10 04:59:59", "2027-01-10 05:00:00")

    def test_days_after_the_due_date(self):
        """For members who accepted, or were invoiced at once, and did not pay."""
        step = self._step("after_due", 7)
        renewal = self._notify()
        self.assertFalse(renewal.date_next_reminder)
        self._approve(renewal)
        self.assertEqual(renewal.invoice_id.invoice_date_due, date(2026, 11, 10))
        mails = self._assert_falls_on(renewal, step, "2026-11-17 04:59:59", "2026-11-17 05:00:00")
        self.assertIn(f"Invoice {renewal.invoice_id.name}", mails.subject)
        self.assertEqual(renewal.state, "approved")

    def test_due_date_of_members_who_are_invoiced_at_once(self):
        step = self._step("after_due", 7)
        self.member.membri_auto_renew = True
        with freeze_time("2026-11-10 15:00:00"):
            renewal = self._create_renewal(self.cotisation)
            renewal.action_send()
        self.assertEqual(renewal.state, "approved")
        self._assert_falls_on(renewal, step, "2026-11-17 04:59:59", "2026-11-17 05:00:00")

    def test_each_step_once_however_often_the_night_runs(self):
        """Case: cron twice a day sends each step once."""
        first, second = self._step("after_sent", 7), self._step("after_sent", 14)
        renewal = self._notify()
        counts = [
            len(self._remind(moment))
            for moment in (
                "2026-11-06 15:00:00",
                "2026-11-12 15:00:00",
                "2026-11-12 15:30:00",
                "2026-11-13 15:00:00",
                "2026-11-19 15:00:00",
                "2026-11-19 23:00:00",
                "2026-11-20 15:00:00",
                "2027-01-20 15:00:00",
            )
        ]
        self.assertEqual(counts, [0, 1, 0, 0, 1, 0, 0, 0])
        self.assertEqual(self._logs(renewal), [(first, "sent"), (second, "sent")])
        self.assertEqual(renewal.reminder_count, 2)

    def test_of_several_late_steps_only_the_last_goes(self):
        """After days of silence the member gets one email, and the log tells of the others."""
        first, second = self._step("after_sent", 7), self._step("after_sent", 14)
        third = self._step("before_end", 30)
        future = self._step("before_end", 5)
        renewal = self._notify()
        self.assertEqual(len(self._remind("2026-12-05 15:00:00")), 1)
        self.assertEqual(
            self._logs(renewal), [(first, "skipped"), (second, "skipped"), (third, "sent")]
        )
        self.assertEqual(renewal.reminder_count, 1)
        self.assertEqual(renewal.date_next_reminder, date(2026, 12, 26))
        self.assertFalse(self._remind("2026-12-06 15:00:00"))
        self.assertEqual(len(self._remind("2026-12-26 15:00:00")), 1)
        self.assertEqual(self._logs(renewal)[-1], (future, "sent"))

    def test_next_years_reminders_start_afresh(self):
        """Case: a reminder last year does not silence this year's."""
        step = self._step("after_sent", 14)
        renewal = self._notify()
        self.assertEqual(len(self._remind("2026-11-19 15:00:00")), 1)
        self._approve(renewal, "2026-11-20 15:00:00")
        with freeze_time("2026-11-21 15:00:00"):
            self._pay(renewal.invoice_id)
        with freeze_time("2027-01-01 15:00:00"):
            self._run_cron("ir_cron_update_states")
        following = self._notify(renewal.new_cotisation_id, "2027-11-05 15:00:00")
        self.assertEqual(following.date_next_reminder, date(2027, 11, 19))
        self.assertFalse(self._remind("2027-11-18 15:00:00"))
        self.assertEqual(len(self._remind("2027-11-19 15:00:00")), 1)
        self.assertEqual(self._logs(following), [(step, "sent")])

    def test_notice_that_goes_out_late_stands_for_earlier_reminders(self):
        """Case: renewed yesterday, nothing today. A term that is over and caught up with, or
        a step on the very day of the notice: no reminder on the heels of the notice."""
        before, same_day = self._step("before_end", 30), self._step("before_end", 10)
        later = self._step("before_end", 2)
        renewal = self._notify(moment="2026-12-21 15:00:00")
        self.assertCountEqual(self._logs(renewal), [(before, "skipped"), (same_day, "skipped")])
        self.assertEqual(renewal.date_next_reminder, date(2026, 12, 29))
        self.assertFalse(self._remind("2026-12-22 15:00:00"))
        self.assertEqual(len(self._remind("2026-12-29 15:00:00")), 1)
        self.assertEqual(self._logs(renewal)[-1], (later, "sent"))

    def test_notice_that_is_sent_again_stands_for_the_reminder_that_was_due(self):
        """The member asked for a change, the staff made it: no reminder the next morning."""
        early, late = self._step("after_sent", 14), self._step("after_sent", 40)
        renewal = self._notify()
        with freeze_time("2026-11-06 15:00:00"):
            renewal.action_request_change("Call me")
        with freeze_time("2026-12-10 15:00:00"):
            renewal.action_send()
        self.assertEqual(renewal.date_sent, datetime(2026, 11, 5, 15))
        self.assertFalse(self._remind("2026-12-11 15:00:00"))
        self.assertEqual(self._logs(renewal), [(early, "skipped")])
        self.assertEqual(len(self._remind("2026-12-15 15:00:00")), 1)
        self.assertEqual(self._logs(renewal)[-1], (late, "sent"))

    def test_steps_that_change_after_the_notice(self):
        """The staff adds, moves and deletes steps in the middle of the season."""
        renewal = self._notify()
        self.assertFalse(renewal.date_next_reminder)
        step = self._step("after_sent", 14)
        self.assertEqual(renewal.date_next_reminder, date(2026, 11, 19))
        step.days = 20
        self.assertEqual(renewal.date_next_reminder, date(2026, 11, 25))
        step.unlink()
        self.assertFalse(renewal.date_next_reminder)
        self.assertFalse(self._remind("2026-11-25 15:00:00"))

    def test_end_and_due_date_that_change_after_the_notice(self):
        self._step("before_end", 15)
        self._step("after_due", 7)
        renewal = self._notify()
        with freeze_time("2026-11-06 15:00:00"):
            self.cotisation.date_end = "2026-12-20"
        self.assertEqual(renewal.date_next_reminder, date(2026, 12, 5))
        self._approve(renewal)
        self.assertEqual(renewal.date_next_reminder, date(2026, 11, 17))
        renewal.invoice_id.invoice_date_due = "2026-12-10"
        self.assertEqual(renewal.date_next_reminder, date(2026, 12, 17))
        self.assertFalse(self._remind("2026-12-16 15:00:00"))
        self.assertEqual(len(self._remind("2026-12-17 15:00:00")), 1)

    def test_a2_last_day_that_is_moved(self):
        """What was sent is frozen: the officer is asked. What can be edited follows, with what was
        agreed; what was not right after the term is left alone."""
        asked = "membri_renewal.activity_intervention"
        sent = self._notify()
        self.cotisation.date_end = "2026-12-31"
        self.assertFalse(sent.sudo().activity_search([asked]), "as it was")
        self.cotisation.date_end = "2027-01-31"
        self.assertRecordValues(
            sent.sudo().activity_search([asked]), [{"user_id": self.officer.id}]
        )
        self.assertRecordValues(sent, [{"state": "sent", "date_start": date(2027, 1, 1)}])
        self.cotisation.date_end = "2027-02-15"
        [question] = sent.sudo().activity_search([asked])
        self.assertIn("February 15", question.summary, "moved again")
        self.cotisation.date_end = "2026-12-31"
        self.assertFalse(sent.sudo().activity_search([asked]), "back where it was")
        draft = self._create_renewal(self._create_yearly())
        draft.line_ids.write({"quantity": 3.0, "price_unit": 77.0, "is_price_agreed": True})
        draft.cotisation_id.date_end = "2027-01-31"
        self.assertEqual(draft.date_start, date(2027, 2, 1))
        self.assertEqual(draft.amount_untaxed, 231.0)
        self.assertFalse(draft.sudo().activity_ids)
        asked_for = self._renewal_in("change_requested")
        asked_for.write({"date_start": "2027-03-01", "date_end": "2028-02-29"})
        asked_for.cotisation_id.date_end = "2027-01-31"
        self.assertEqual(asked_for.date_start, date(2027, 3, 1))
        ended = self._renewal_in("sent")
        ended.cotisation_id.action_terminate("2026-11-20", "Resigned")
        self.assertEqual(ended.state, "refused")
        self.assertFalse(ended.sudo().activity_search([asked]))

    def test_a1_no_step_is_left_of_what_was_sent_late(self):
        """Its reminders were due before it left: nobody is reminded by itself, and it stands in the
        queues of who has to pay, the late one among them, with the reason in its log."""
        step = self._step("after_due", 7)
        renewal = self._notify()
        self._approve(renewal)
        with freeze_time("2026-12-20 15:00:00"):
            renewal._skip_overtaken_steps()
            renewal._update_next_reminder()
            self.assertFalse(renewal.date_next_reminder)
            self.assertEqual(self._logs(renewal)[-1], (step, "skipped"))
            for name in ("in_arrears", "accepted_unpaid"):
                queue = self.env.ref(f"membri_renewal.dashboard_{name}")
                self.assertIn(renewal, self.env["membri.renewal"].search(queue._get_domain()))
            self.assertTrue(renewal.can_be_reminded)

    def test_a6_next_plan_that_is_chosen_while_a_notice_is_out(self):
        """What was not sent follows; of what is out the officer is asked, until it is as before."""
        asked = "membri_renewal.activity_intervention"
        sent = self._notify()
        self.member.membri_next_option_set_id = self.yearly
        self.assertFalse(sent.sudo().activity_search([asked]), "as it was")
        for plan in (self.monthly, self.fixed):
            self.member.membri_next_option_set_id = plan
            [question] = sent.sudo().activity_search([asked])
            self.assertIn(plan.name, question.summary)
            self.assertEqual(question.user_id, self.officer)
        self.assertEqual(sent.option_set_id, self.yearly)
        self.member.membri_next_option_set_id = False
        self.assertFalse(sent.sudo().activity_search([asked]), "back where it was")
        sent._schedule_once(asked, "Something else")
        self.member.membri_next_option_set_id = self.monthly
        self.assertEqual(len(sent.sudo().activity_search([asked])), 2)
        draft = self._create_renewal(self._create_yearly())
        draft.partner_id.membri_next_option_set_id = self.monthly
        self.assertEqual(draft.option_set_id, self.monthly)
        self.assertEqual(draft.date_end, date(2027, 1, 31))
        self.assertEqual(draft.line_ids.product_id, self.monthly.line_ids.product_id)
        self.assertFalse(draft.sudo().activity_ids)
        draft.option_set_id = self.fixed  # chosen for this renewal
        draft.partner_id.membri_next_option_set_id = self.yearly
        self.assertEqual(draft.option_set_id, self.fixed)
        self.assertTrue(draft.sudo().activity_search([asked]))

    def test_a6_question_that_was_edited_or_whose_plan_was_renamed(self):
        """It ends as the others: it stayed for ever, beside the new one."""
        asked = "membri_renewal.activity_intervention"
        sent = self._notify()
        sent._schedule_once(asked, "Something else")
        for plan in (self.monthly, self.fixed):
            self.member.membri_next_option_set_id = plan
            question = sent._get_proposal_questions()
            self.assertEqual(len(question), 1)
            question.summary = f"Call first. {question.summary} (noted)"
            for renamed in (plan + self.yearly).sudo():
                renamed.name = f"{renamed.name}, renamed"
            self.assertEqual(sent._get_proposal_questions(), question)
        self.member.membri_next_option_set_id = False
        self.assertEqual(sent.sudo().activity_search([asked]).summary, "Something else")

        cotisation = sent.cotisation_id
        before = cotisation.date_end
        cotisation.date_end = date(2027, 1, 31)
        sent._get_proposal_questions().summary += " (noted)"
        cotisation.date_end = before
        self.assertEqual(sent.sudo().activity_search([asked]).summary, "Something else")

    def test_a6_next_plan_of_a_draft_that_was_edited(self):
        """The agreed price, the options and the days that the officer had entered were lost."""
        asked = "membri_renewal.activity_intervention"
        extra = self._create_option("Directory", 40.0)

        def agree(draft):
            draft.line_ids.price_unit = 12.0

        def multiply(draft):
            draft.line_ids.quantity = 3

        def add(draft):
            draft.line_ids = [Command.create({"product_id": extra.id})]

        def move(draft):
            draft.date_end = date(2027, 6, 30)

        for edit in (agree, multiply, add, move):
            with self.subTest(edit.__name__):
                draft = self._create_renewal(self._create_yearly())
                edit(draft)
                lines = draft.line_ids
                draft.partner_id.membri_next_option_set_id = self.monthly
                self.assertEqual(draft.option_set_id, self.yearly)
                self.assertEqual(draft.line_ids, lines)
                self.assertTrue(draft.sudo().activity_search([asked]))
        # what the current term has is proposed again, and is no edit
        term = self._create_yearly()
        agreed = Command.update(term.line_ids.id, {"price_unit": 12.0, "is_price_agreed": True})
        term._internal_write({"line_ids": [agreed]})
        draft = self._create_renewal(term)
        draft.partner_id.membri_next_option_set_id = self.monthly
        self.assertEqual(draft.option_set_id, self.monthly)

    def test_a6_question_about_the_plan_outlives_a_hold(self):
        """The reason of the hold was not told, or took its place; then the question was gone."""
        asked = "membri_renewal.activity_intervention"
        sent = self._notify()
        self.member.membri_next_option_set_id = self.monthly
        question = sent.sudo().activity_search([asked])
        summary = question.summary
        for reason in ("Look at it", "Call first"):
            self.member.write(
                {"membri_intervention_required": True, "membri_intervention_reason": reason}
            )
            summaries = sent.sudo().activity_search([asked]).mapped("summary")
            self.assertEqual(set(summaries), {summary, reason})
            self.assertEqual(len(summaries), 2)
        self.member.membri_intervention_required = False
        self.assertEqual(sent.sudo().activity_search([asked]), question)

    def test_a6_plan_of_the_current_term_that_is_changed(self):
        asked = "membri_renewal.activity_intervention"
        sent = self._notify()
        self.cotisation.option_set_id = self.monthly
        self.assertIn(self.monthly.name, sent.sudo().activity_search([asked]).summary)
        self.cotisation.option_set_id = self.yearly
        self.assertFalse(sent.sudo().activity_search([asked]))

    def test_first_reminder_of_a_period_that_is_over(self):
        """Nobody is asked to accept what cannot be accepted any more."""
        renewal = self._notify()
        template = self.env_root.ref("membri_renewal.mail_template_reminder")
        for moment, is_over in (("2027-12-31 15:00:00", False), ("2028-01-02 15:00:00", True)):
            with self.subTest(moment=moment), freeze_time(moment):
                self.env.invalidate_all()
                self.assertEqual(bool(renewal._get_term_over_reason()), is_over)
                body = template._render_field("body_html", renewal.ids)[renewal.id]
                self.assertEqual("accept, or ask" in body, not is_over)
                self.assertEqual("contact us to choose another" in body, is_over)

    def test_late_reminders_do_not_speak_of_a_membership_that_goes_on(self):
        renewal = self._notify()
        last = renewal.current_date_end
        for days, is_over in ((0, False), (1, True)):
            with self.subTest(days=days), freeze_time(f"{last + timedelta(days=days)} 15:00:00"):
                self.env.invalidate_all()
                bodies = {}
                for name in ("reminder", "reminder_firm", "reminder_last"):
                    template = self.env_root.ref(f"membri_renewal.mail_template_{name}")
                    body = template._render_field("body_html", renewal.ids)[renewal.id]
                    self.assertEqual("Last membership" in body, is_over)
                    self.assertEqual("Current membership" in body, not is_over)
                    bodies[name] = body
                self.assertEqual(
                    "continue without interruption" in bodies["reminder_firm"], not is_over
                )
                self.assertEqual(
                    "your membership and its benefits will end" in bodies["reminder_last"],
                    not is_over,
                )

    def test_final_payment_reminder_of_a_membership_that_is_over(self):
        """What ended without the payment does not end once more."""
        renewal = self._notify()
        self._approve(renewal)
        template = self.env_root.ref("membri_renewal.mail_template_payment_reminder_last")
        ends = "Without payment, your membership will end"
        for moment, is_told in (("2026-12-31 15:00:00", True), ("2027-01-01 15:00:00", False)):
            with self.subTest(moment=moment), freeze_time(moment):
                self.env.invalidate_all()
                body = template._render_field("body_html", renewal.ids)[renewal.id]
                self.assertEqual(ends in body, is_told)
                self.assertIn("late by", renewal._get_mail_preheader())

    def test_final_payment_reminder_of_a_membership_in_effect(self):
        """A plan whose terms are in effect before they are paid."""
        self.yearly.sudo().activation = "approved"
        renewal = self._notify()
        self._approve(renewal)
        template = self.env_root.ref("membri_renewal.mail_template_payment_reminder_last")
        with freeze_time("2027-01-15 15:00:00"):
            self._run_cron("ir_cron_update_states")
            self.assertEqual(renewal.new_cotisation_id.state, "active")
            body = template._render_field("body_html", renewal.ids)[renewal.id]
            self.assertIn("Without payment, your membership will end", body)

    def test_own_template_of_a_step(self):
        template = self.env_root.ref("membri_renewal.mail_template_reminder").copy(
            {"subject": "Last call for {{ object.partner_id.name }}"}
        )
        self._step("after_sent", 14, mail_template_id=template.id)
        self._notify()
        mails = self._remind("2026-11-19 15:00:00")
        self.assertEqual(mails.mapped("subject"), ["Last call for Ada Boulanger"])

    def test_multi_year_terms_hear_nothing_in_mid_term(self):
        two_years = self._create_option_set("Two years", period_count=2)
        self._step("before_end", 15, two_years)
        member = self._create_member("Bo Two")
        cotisation = self._create_cotisation(member, "2026-01-01", two_years)
        for moment in ("2026-12-16 15:00:00", "2026-12-31 15:00:00", "2027-10-31 15:00:00"):
            with freeze_time(moment):
                self._run_cron("ir_cron_generate")
            self.assertFalse(self._remind(moment).filtered(lambda m: member in m.recipient_ids))
        self.assertFalse(cotisation.renewal_ids)
