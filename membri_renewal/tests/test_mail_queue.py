from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_delivery import OneDeliveryCase


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestQueueOfNotices(OneDeliveryCase):
    """Issue 12 B1: what waits in the mail queue is looked at when it leaves."""

    def test_decided_meanwhile(self):
        for number, decide in enumerate(
            (
                lambda r: r.action_cancel(),
                self._refuse,
                lambda r: r.action_request_change("Call me"),
                lambda r: r.action_require_intervention("Call them"),
                lambda r: r.action_approve(),
            )
        ):
            with self.subTest(number):
                renewal = self._renewal_in("sent")
                mail = self._get_last_mail(renewal)
                decide(renewal)
                renewal.invoice_id.sudo().sending_data = False
                self.assertFalse(self._run_sending())
                self.assertEqual(mail.state, "cancel")
                self.assertTrue(mail.failure_reason)
                self.assertNotEqual(renewal.delivery_state, "delivered")

    def test_nothing_happened(self):
        renewal = self._renewal_in("sent")
        self.assertEqual(len(self._run_sending()), 1)
        self.assertEqual(renewal.delivery_state, "delivered")

    def test_sent_again_leaves_once(self):
        renewal = self._renewal_in("sent")
        renewal.action_send()
        self.assertEqual(len(self._run_sending()), 1)
        self.assertEqual(renewal.delivery_state, "delivered")

    def test_recipient_out_of_reach(self):
        renewal = self._renewal_in("sent")
        self.env_root["mail.blacklist"]._add(renewal.partner_id.email)
        self.assertFalse(self._run_sending())
        self.assertRecordValues(
            renewal, [{"delivery_state": "unreachable", "letter_state": "to_print"}]
        )

    def test_another_address_by_now(self):
        renewal = self._renewal_in("sent")
        renewal.partner_id.membri_responsible_id = self._create_member("Percy in Charge")
        [message] = self._run_sending()
        self.assertEqual(message["To"].count("@"), 1)
        self.assertEqual(renewal.delivery_state, "delivered")

    def test_a_bad_one_stops_nobody(self):
        bad, good = self._renewal_in("sent"), self._renewal_in("sent")
        mail = self._get_last_mail(bad)
        mail.membri_facts = "something else"

        broken = "The template is broken"

        def fail(template, records):
            raise UserError(broken)

        with patch.object(self.registry["mail.template"], "_membri_render", fail):
            [message] = self._run_sending()
        self.assertIn(good.partner_id.email, message["To"])
        self.assertEqual(mail.state, "exception")
        self.assertEqual(bad.delivery_state, "failed")
        self.assertIn(broken, bad.delivery_note)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestQueueOfReminders(OneDeliveryCase):
    def setUp(self):
        super().setUp()
        self.renewal = self._renewal_in("approved")
        self.invoice = self.renewal.invoice_id
        self._run_sending()
        self.renewal.action_send_reminder()
        self.mail = self._get_last_mail(self.renewal)
        self.log = self.renewal.sudo().reminder_log_ids

    def _assert_dropped(self):
        self.assertFalse(self._run_sending())
        self.assertEqual(self.mail.state, "cancel")
        self.assertRecordValues(self.log, [{"result": "skipped", "uses_step": False}])
        self.assertRecordValues(self.renewal, [{"reminder_count": 0, "date_last_reminder": False}])

    def test_paid(self):
        self._pay(self.invoice)
        self._assert_dropped()
        self.assertEqual(self.renewal.delivery_state, "withdrawn")

    def test_payment_under_way(self):
        self._create_transaction(self.invoice, "pending")
        self._assert_dropped()

    def test_reset(self):
        self.renewal.action_reset()
        self._assert_dropped()

    def test_part_paid(self):
        """Written anew: the same email, with the rest."""
        self._pay(self.invoice, 300.0)
        [message] = self._run_sending()
        body = message.get_body(("html",)).get_content()
        self.assertIn("45.00", body)
        self.assertNotIn("345.00", body)
        self.assertEqual(self.mail.state, "sent")
        self.assertEqual(self.log.result, "sent")
        self.assertEqual(self.renewal.reminder_count, 1)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestQueueOfInvoices(OneDeliveryCase):
    def setUp(self):
        super().setUp()
        self.renewal = self._renewal_in("approved")
        self.invoice = self.renewal.invoice_id

    def _queue_mail(self):
        """The email is made, and the mail server has not taken it yet."""
        self.env["account.move.send"].sudo()._generate_and_send_invoices(
            self.invoice.sudo(), sending_methods=["email"]
        )
        self.env.invalidate_all()
        [mail] = self._get_invoice_mails(self.invoice).filtered(lambda m: m.state == "outgoing")
        return mail

    def test_void_before_it_was_made(self):
        """Reset where the journal forbids cancelling: the void invoice is not sent beside."""
        self.invoice.sudo()._reverse_moves([{}], cancel=True)
        self.assertTrue(self.invoice.sudo().sending_data)
        self.assertFalse(self._run_sending())
        self.assertFalse(self.invoice.sudo().sending_data)
        self.assertFalse(self.invoice.membri_date_sent)

    def test_void_before_it_left(self):
        mail = self._queue_mail()
        self.renewal.action_reset()
        self.assertFalse(self._run_sending())
        self.assertEqual(mail.state, "cancel")
        self.assertFalse(self.invoice.membri_date_sent)

    def test_part_paid_before_it_left(self):
        mail = self._queue_mail()
        self._pay(self.invoice, 100.0)
        [message] = self._run_sending()
        self.assertEqual(mail.state, "cancel", "another one left")
        self.assertIn(self.renewal.partner_id.email, message["To"])
        self.assertTrue(self.invoice.membri_date_sent)

    def test_payment_that_bounced(self):
        payment = self._pay(self.invoice)
        mail = self._queue_mail()
        self.assertNotIn("not_paid", mail.membri_facts)
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(len(self._run_sending()), 1)
        self.assertEqual(mail.state, "cancel")
        [anew] = self._new_mails.filtered("membri_kind")
        self.assertIn("not_paid", anew.membri_facts)

    def test_draft_again(self):
        """Nothing leaves, and the renewal tells it: the invoice is awaited still."""
        mail = self._queue_mail()
        self.invoice.with_env(self.env_account).button_draft()
        self.assertFalse(self._run_sending())
        self.assertEqual(mail.state, "cancel")
        self.assertEqual(self.renewal.delivery_state, "failed")
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))

    def test_fee_notice_and_its_invoice(self):
        """Paid while it waited: the fee notice does not leave beside the invoice."""
        self.company.sudo().membri_fee_notice = True
        renewal = self._renewal_in("approved")
        notice = renewal.invoice_id.with_env(self.env_account)
        notice.sudo()._membri_email_fee_notices()
        [mail] = self._get_invoice_mails(notice)
        notice.action_post()
        self._pay(notice)
        self._run_sending()
        self.assertEqual(mail.state, "cancel")

    def test_other_emails_leave_as_ever(self):
        message = self.invoice.sudo().message_post(
            body="A word", partner_ids=self.renewal.partner_id.ids, force_send=False
        )
        mail = message.sudo().mail_ids
        self.assertFalse(mail.membri_kind)
        self._pay(self.invoice)
        self._run_sending()
        self.assertNotEqual(mail.exists().state, "cancel")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestLeavesAtOnce(OneDeliveryCase):
    """Issue 12 B1: single answers leave at once, many by a queue that starts now."""

    def _get_triggers(self, xmlid):
        cron = self.env_root.ref(xmlid)
        return self.env_root["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])

    def test_one_notice(self):
        renewal = self._create_renewal(self._create_yearly())
        with self.mock_mail_gateway():
            renewal.action_send()
        self.assertEqual(renewal.delivery_state, "delivered")

    def test_many_notices(self):
        renewals = self._create_renewal(self._create_yearly())
        renewals += self._create_renewal(self._create_yearly())
        before = self._get_triggers("mail.ir_cron_mail_scheduler_action")
        with self.mock_mail_gateway():
            renewals.action_send()
        self.assertEqual(renewals.mapped("delivery_state"), ["queued"] * 2)
        self.assertGreater(self._get_triggers("mail.ir_cron_mail_scheduler_action"), before)

    def test_approval(self):
        before = self._get_triggers("account.ir_cron_account_move_send")
        self._renewal_in("approved")
        self.assertGreater(self._get_triggers("account.ir_cron_account_move_send"), before)
