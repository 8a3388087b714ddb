from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common_reminders import ReminderCommon
from .common_shared_invoice import SharedInvoiceCommon


@tagged("post_install", "-at_install")
class TestPartMoney(ReminderCommon):
    """Issue 12 A1: booked part money silences nobody; reminders speak of the rest."""

    def setUp(self):
        super().setUp()
        self.step = self._step("after_due", 7)
        self.renewal = self._notify()
        self._approve(self.renewal)
        self.invoice = self.renewal.invoice_id
        self.queue = self.env.ref("membri_renewal.dashboard_to_remind")

    def _is_in_queue(self, moment):
        with freeze_time(moment):
            self.env.flush_all()
            self.env.invalidate_all()  # each look at a queue is another request
            found = self.env["membri.renewal"].search(self.queue._get_domain())
            filtered = self.renewal.filtered_domain(self.queue._get_domain())
            self.assertEqual(self.renewal in found, bool(filtered), "searched as computed")
            return bool(filtered)

    def _pay_part(self, amount=300.0, moment="2026-11-11 15:00:00"):
        with freeze_time(moment):
            return self._pay(self.invoice, amount)

    def test_the_reminder_speaks_of_the_rest(self):
        self._pay_part()
        self.assertEqual(self.renewal.payment_state, "partial")
        self.assertFalse(self.renewal._is_payment_under_way())
        self.assertTrue(self._is_in_queue("2026-11-17 15:00:00"))
        [mail] = self._remind("2026-11-17 15:00:00")
        self.assertIn("45.00", mail.body_html)
        self.assertNotIn("345.00", mail.body_html.replace("$\xa0", "$"))
        self.assertEqual(self._logs(self.renewal), [(self.step, "sent")])
        self.assertFalse(self._is_in_queue("2026-11-18 15:00:00"))

    def test_by_hand_too(self):
        self._pay_part()
        with freeze_time("2026-11-12 15:00:00"):
            self.assertFalse(self.renewal._get_no_reminder_reason())
            self.renewal.action_send_reminder()
        self.assertEqual(self.renewal.reminder_count, 1)

    def test_under_way_is_what_is_not_booked(self):
        """The queue offers what its action does, and nothing else."""
        moment = "2026-11-17 15:00:00"
        for state in ("pending", "authorized"):
            transaction = self._create_transaction(self.invoice, state)
            self.assertTrue(self.renewal._is_payment_under_way(), state)
            self.assertFalse(self._is_in_queue(moment), state)
            with self.assertRaisesRegex(UserError, "in progress"):
                self.renewal.action_send_reminder()
            transaction.unlink()
            self.invoice.invalidate_recordset()
        self.assertTrue(self._is_in_queue(moment))
        # a payment without journal entry, of a part
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            payment = self._pay_part(100.0)
            self.assertFalse(payment.move_id)
            self.assertTrue(self.renewal._is_payment_under_way())
            self.assertFalse(self._is_in_queue(moment))
            self.assertFalse(self._remind(moment))
            payment.action_cancel()
            self.assertFalse(self.renewal._is_payment_under_way())
            self.assertTrue(self._is_in_queue(moment))
        # announced, for some days; who has looked may remind by hand
        with freeze_time("2026-11-15 15:00:00"):
            told = {"method": "transfer", "date": "2026-11-14"}
            self.invoice.sudo()._membri_report_payment(self.env["res.partner"], told)
        with freeze_time(moment):
            self.assertTrue(self.renewal._is_payment_under_way())
            self.assertTrue(self.renewal._get_no_reminder_reason())
            self.assertFalse(self.renewal._get_cannot_send_reminder_reason())
        self.assertFalse(self._is_in_queue(moment))
        self.assertFalse(self._remind(moment))
        self.assertTrue(self._is_in_queue("2026-12-17 15:00:00"))


@tagged("post_install", "-at_install")
class TestParts(ReminderCommon):
    """Issue 12 A1: the due day is that of the earliest open part, each step once for each."""

    def setUp(self):
        super().setUp()
        self.step = self._step("after_due", 7)
        term = self.env_account["account.payment.term"].create(
            {
                "name": "Two halves",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 60}),
                ],
            }
        )
        self.member.sudo().property_payment_term_id = term
        self.renewal = self._notify()
        self._approve(self.renewal)
        self.invoice = self.renewal.invoice_id

    def test_each_part_has_its_reminders(self):
        self.assertEqual(self.invoice.invoice_date_due, date(2027, 1, 9))
        self.assertEqual(self.renewal.date_next_reminder, date(2026, 11, 17))
        self.assertEqual(len(self._remind("2026-11-17 15:00:00")), 1)
        self.assertFalse(self._remind("2026-11-18 15:00:00"))
        self.assertEqual(self.renewal.date_next_reminder, date(2027, 1, 16))
        with freeze_time("2026-11-20 15:00:00"):
            self._pay(self.invoice, 172.5)
        self.assertEqual(self.renewal.date_next_reminder, date(2027, 1, 16))
        self.assertFalse(self._remind("2027-01-15 15:00:00"))
        [mail] = self._remind("2027-01-16 15:00:00")
        self.assertIn("172.50", mail.body_html)
        self.assertEqual(self._logs(self.renewal), [(self.step, "sent")] * 2)
        self.assertEqual(
            self.renewal.sudo().reminder_log_ids.sorted("id").mapped("date_due"),
            [date(2026, 11, 10), date(2027, 1, 9)],
        )
        self.assertFalse(self._remind("2027-01-17 15:00:00"))

    def _get_steps(self):
        """:return: what became of which step for which part, in turn"""
        logs = self.renewal.sudo().reminder_log_ids.sorted("id")
        return [(log.step_id.days, log.date_due, log.result) for log in logs]

    def test_a1_nothing_paid(self):
        """A part that falls due is reminded of, whether the one before it is paid or not."""
        first, second = date(2026, 11, 10), date(2027, 1, 9)
        last = self._step("after_due", 30, automatic=False)
        self._remind("2026-11-17 15:00:00")
        self.assertEqual(self.renewal.date_next_reminder, date(2026, 12, 10))
        with freeze_time("2026-12-10 15:00:00"):
            self.renewal.action_send_reminder()
        self.assertEqual(self.renewal.date_next_reminder, date(2027, 1, 16))
        self.assertFalse(self._remind("2027-01-15 15:00:00"))
        [mail] = self._remind("2027-01-16 15:00:00")
        self.assertIn("345.00", mail.body_html)
        for day in (first, second):
            self.assertIn(self.renewal._format_day(day), mail.body_html)
        self.assertEqual(
            self._get_steps(), [(7, first, "sent"), (0, first, "sent"), (7, second, "sent")]
        )
        self.assertFalse(self._remind("2027-01-17 15:00:00"))
        self.assertEqual(self.renewal._get_open_steps(), [(date(2027, 2, 8), last, second)])

    def test_a1_after_days_of_silence(self):
        """Of the steps of all parts that are late, the last one goes out."""
        [mail] = self._remind("2027-01-20 15:00:00")
        self.assertIn("345.00", mail.body_html)
        days = [date(2026, 11, 10), date(2027, 1, 9)]
        self.assertEqual(self._get_steps(), [(7, days[0], "skipped"), (7, days[1], "sent")])
        self.assertFalse(self._remind("2027-01-21 15:00:00"))
        with freeze_time("2027-01-22 15:00:00"):
            self._pay(self.invoice, 172.5)
        self.assertFalse(self.renewal.date_next_reminder)

    def test_a1_no_address_for_the_second(self):
        self._remind("2026-11-17 15:00:00")
        email, self.member.email = self.member.email, False
        self.assertFalse(self._remind("2027-01-16 15:00:00"))
        self.assertFalse(self._remind("2027-01-17 15:00:00"))
        self.member.email = email
        self.assertEqual(len(self._remind("2027-01-18 15:00:00")), 1)
        days = [date(2026, 11, 10), date(2027, 1, 9)]
        self.assertEqual(
            self._get_steps(),
            [(7, days[0], "sent"), (7, days[1], "skipped"), (7, days[1], "sent")],
        )

    def test_money_that_goes_away_again(self):
        with freeze_time("2026-11-11 15:00:00"):
            payment = self._pay(self.invoice, 172.5)
            self.assertEqual(self.renewal.date_next_reminder, date(2027, 1, 16))
            payment.action_draft()
            payment.action_cancel()
        self.assertEqual(self.renewal.date_next_reminder, date(2026, 11, 17))

    def test_logs_from_before_count_for_every_part(self):
        self._remind("2026-11-17 15:00:00")
        self.renewal.sudo().reminder_log_ids.date_due = False
        with freeze_time("2026-11-20 15:00:00"):
            self._pay(self.invoice, 172.5)
        self.assertFalse(self._remind("2027-01-16 15:00:00"))


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestSharedPartMoney(SharedInvoiceCommon):
    """Issue 12 A1: the money of some of the members of one payer."""

    def setUp(self):
        super().setUp()
        self.renewals = self._prepare()
        self.renewals.action_approve()
        self.invoice = self._get_invoice(self.renewals)

    def _get_activity(self):
        kind = self.env_root.ref("membri_renewal.activity_part_paid")
        return self.invoice.sudo().activity_ids.filtered(lambda a: a.activity_type_id == kind)

    def test_one_click_takes_the_last_one_off(self):
        self._pay(self.invoice, 690.0)
        self.assertEqual(self._get_activity().user_id, self.officer)
        self.assertIn("345.00", self._get_activity().summary)
        off, others = self.renewals[2], self.renewals[:2]
        self.assertTrue(off.can_take_off)
        off.action_take_off()
        self.assertEqual(others.new_cotisation_id.mapped("state"), ["scheduled"] * 2)
        self.assertEqual(others.mapped("is_paid"), [True, True])
        self.assertEqual(self.invoice.amount_residual, 0.0)
        self.assertRecordValues(
            off, [{"state": "intervention", "invoice_id": False, "new_cotisation_id": False}]
        )
        self.assertIn("was removed from", off.intervention_reason)
        self.assertFalse(self._get_activity())

    def test_what_was_paid_for_stays_on(self):
        self._pay(self.invoice, 690.0)
        self.assertIn("Remove from Invoice", self._get_activity().summary)
        self._pay(self.invoice, 110.0)
        self.assertFalse(self.renewals[2].can_take_off)
        self.assertNotIn("Remove from Invoice", self._get_activity().summary)
        self.assertIn("partly paid", self._assert_refused(self.renewals[2].action_take_off))
        self.assertEqual(self.invoice.amount_residual, 235.0)
        self.assertEqual(self.renewals.mapped("state"), ["approved"] * 3)

    def test_told_once_and_not_without_a_part(self):
        self.assertFalse(self._get_activity())
        self._pay(self.invoice, 345.0)
        self._pay(self.invoice, 10.0)
        self.assertEqual(len(self._get_activity()), 1)
        self._pay(self.invoice, 680.0)
        self.assertFalse(self._get_activity())
        self.assertIn("is paid", self._assert_refused(self.renewals[0].action_take_off))

    def test_alone_on_its_invoice(self):
        alone = self._renewal_in("approved")
        self.assertFalse(alone.can_take_off)
        self.assertIn("no other member", self._assert_refused(alone.action_take_off))
