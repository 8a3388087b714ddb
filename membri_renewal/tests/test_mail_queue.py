from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from ..models.invoice.delivery import ACTIVITY
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
                lambda r: r.cotisation_id.action_terminate("2026-11-20", "Resigned"),
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

    def test_held_meanwhile_and_then_not(self):
        """It is back where it was: sent. Nothing has left, so somebody has to send it."""

        def flag(renewal, is_held):
            renewal.partner_id.membri_intervention_required = is_held

        def archive(renewal, is_held):
            renewal.partner_id.active = not is_held

        for hold in (flag, archive):
            with self.subTest(hold.__name__):
                renewal = self._renewal_in("sent")
                hold(renewal, True)
                self.assertFalse(self._run_sending())
                self.assertEqual(renewal.state, "intervention")
                hold(renewal, False)
                self.assertEqual(renewal.state, "sent")
                self.assertTrue(self._is_in_queue(renewal, "send_failed"))
                renewal.action_send()
                self.assertEqual(len(self._run_sending()), 1)
                self.assertFalse(self._is_in_queue(renewal, "send_failed"))
                # what has left before it was held is there
                hold(renewal, True)
                hold(renewal, False)
                self.assertEqual(renewal.delivery_state, "delivered")
                self.assertFalse(self._is_in_queue(renewal, "send_failed"))

    def test_held_meanwhile_and_printed(self):
        """It is told by the letter."""
        renewal = self._renewal_in("sent")
        renewal.partner_id.street = "1 Main St"
        renewal.partner_id.membri_intervention_required = True
        self._run_sending()
        renewal.action_print_letter()
        self.assertEqual(renewal.letter_state, "printed")
        renewal.partner_id.membri_intervention_required = False
        self.assertEqual(renewal.delivery_state, "withdrawn")
        self.assertFalse(self._is_in_queue(renewal, "send_failed"))

    def test_status_is_that_of_the_document_now(self):
        """What was withdrawn is the notice; the invoice has left, or the next notice has."""
        accepted, reset = self._renewal_in("sent"), self._renewal_in("approved")
        accepted.action_approve()
        self._run_sending()
        self.assertEqual(accepted.delivery_state, "delivered")
        reset.action_send_reminder()
        reset.action_reset()
        reset.mode = "notice"
        reset.action_send()
        self._run_sending()
        self.assertEqual(reset.delivery_state, "delivered")

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
        """Written anew to that one: somebody else in charge, one who has left, an address for
        renewals, an address that was taken away."""

        def archive(renewal):
            renewal.partner_id.membri_responsible_id.sudo().active = False

        def type_address(renewal):
            renewal.partner_id.membri_renewal_email = "office@example.com"

        def take_away(renewal):
            renewal.partner_id.membri_responsible_id.sudo().email = False

        def replace(renewal):
            renewal.partner_id.membri_responsible_id = self._create_member("Nadia New")

        for change, expected in (
            (archive, None),
            (take_away, None),
            (replace, "nadia"),
            (type_address, "office@"),
        ):
            with self.subTest(change.__name__):
                cotisation = self._create_yearly()
                cotisation.partner_id.membri_responsible_id = self._create_member("Percy in Charge")
                renewal = self._create_renewal(cotisation)
                renewal.action_send()
                self.assertIn("percy", renewal.delivery_email)
                change(renewal)
                [message] = self._run_sending()
                self.assertEqual(message["To"].count("@"), 1)
                self.assertIn(expected or cotisation.partner_id.email, message["To"])
                self.assertEqual(renewal.delivery_state, "delivered")
                self.assertEqual(message["To"].count(renewal.delivery_email), 1)

    def test_taken_out_of_the_queue(self):
        """By an administrator: nobody is told that it is on its way."""
        for take_out in ("cancel", "unlink"):
            with self.subTest(take_out):
                renewal = self._renewal_in("sent")
                getattr(self._get_last_mail(renewal), take_out)()
                self.assertEqual(renewal.delivery_state, "failed")
                self.assertTrue(self._is_in_queue(renewal, "send_failed"))
        renewal = self._renewal_in("sent")
        first = self._get_last_mail(renewal)
        renewal.action_send()
        first.cancel()
        self.assertEqual(renewal.delivery_state, "queued", "the later one")

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

    def test_b1_money_that_came_on_account(self):
        """Written anew, as an invoice that waits: who has paid is told to ask, before they pay."""
        invoice_mails = self._get_invoice_mails(self.invoice)
        self.env["account.move.send"].sudo()._generate_and_send_invoices(
            self.invoice.sudo(), sending_methods=["email"]
        )
        payment = self.env_account["account.payment"].create(
            {
                "amount": 50.0,
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.invoice.partner_id.id,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        messages = self._run_sending()
        bodies = [message.get_body(("html",)).get_content() for message in messages]
        self.assertEqual(["Money on account" in body for body in bodies], [True, True])
        self.assertEqual((self.mail.state, self.log.result), ("sent", "sent"))
        waited = self._get_invoice_mails(self.invoice) - invoice_mails
        self.assertEqual(waited.sorted("id").mapped("state"), ["cancel", "sent"])


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

    def test_enrollment_that_is_a_draft_again(self):
        """Its payer got nothing, and its term waits: a task of the officer, as of a renewal."""
        member = self._create_member("Newcomer")
        self.invoice = member._membri_enrol(self.yearly).invoice_id
        mail = self._queue_mail()
        self.invoice.with_env(self.env_account).button_draft()
        for message in self._run_sending():
            self.assertNotIn(member.email, message["To"])
        self.assertEqual(mail.state, "cancel")
        self.assertEqual(self.invoice.membri_delivery_state, "failed")
        self.assertTrue(self.invoice.sudo().activity_search([ACTIVITY]))

    def test_taken_out_of_the_queue(self):
        mail = self._queue_mail()
        mail.cancel()
        self.assertEqual(self.invoice.membri_delivery_state, "failed")
        self.assertFalse(self.invoice.membri_date_sent)
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))
        self.renewal.action_retry_sending()
        self.assertEqual(len(self._run_sending()), 1)

    def test_payers_address_that_is_taken_away(self):
        """The next one who receives for the payer gets it, not nobody."""
        payer = self.invoice.partner_id
        other = payer.membri_responsible_id = self._create_member("Percy in Charge")
        mail = self._queue_mail()
        payer.sudo().email = False
        [message] = self._run_sending()
        self.assertIn(other.email, message["To"])
        self.assertEqual(mail.state, "cancel")
        self.assertEqual(self.renewal.delivery_state, "delivered")

    def test_payer_that_is_archived(self):
        """Nothing goes to who receives for an archived contact; restored, it can be tried."""
        payer = self.invoice.partner_id
        payer.membri_responsible_id = self._create_member("Percy in Charge")
        other = self._renewal_in("approved")
        other.partner_id.membri_responsible_id = payer.membri_responsible_id
        mail = self._queue_mail()
        (payer | other.partner_id).sudo().action_archive()
        self.assertFalse(self._run_sending())
        self.assertEqual(mail.state, "cancel")
        for renewal in self.renewal | other:
            self.assertFalse(renewal.invoice_id.sudo().sending_data)
            self.assertFalse(renewal.invoice_id.membri_date_sent)
            self.assertTrue(self._is_in_queue(renewal, "unreachable"))
        (payer | other.partner_id).sudo().action_unarchive()
        for renewal in self.renewal | other:
            self.assertTrue(self._is_in_queue(renewal, "send_failed"), "it was never sent")
        (self.renewal | other).action_retry_sending()
        self.assertEqual(len(self._run_sending()), 2)
        self.assertEqual(set((self.renewal | other).mapped("delivery_state")), {"delivered"})

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


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestQueuedIsNotSent(OneDeliveryCase):
    """Issue 12: *sent* is said of what left."""

    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(IrMail_Server, "_disable_send", return_value=False))
        # nothing leaves by itself
        Mail = self.registry["mail.mail"]
        self.startPatcher(patch.object(Mail, "send_after_commit", lambda mails: None))

    def _get_icons(self, renewal):
        return [step["icon"] for step in renewal._get_timeline() if step["is_done"]]

    def _get_last_note(self, document):
        return document.message_ids.sorted("id")[-1:].body

    def test_a2_link_of_a_notice(self):
        """Whoever is another one before it left had no link; afterwards they had one."""
        renewal = self._renewal_in("sent")
        member = renewal.partner_id
        self.assertEqual(renewal.delivery_state, "queued")
        self.assertNotIn("fa-envelope-o", self._get_icons(renewal))
        member.email = "other@example.com"
        self.assertEqual(renewal.delivery_state, "queued")
        self.assertIn("still queued", self._get_last_note(renewal))
        self.assertNotIn("Resend", self._get_last_note(renewal))
        [leaving] = self._run_sending()
        self.assertIn("other@example.com", str(leaving))
        self.assertEqual(renewal.delivery_state, "delivered")
        self.assertIn("fa-envelope-o", self._get_icons(renewal))
        member.email = "third@example.com"
        self.assertIn("Resend", self._get_last_note(renewal))

    def test_a2_notice_that_was_held_before_it_left(self):
        """The key dates went on calling it sent, once the renewal was held, or declined."""
        held, declined, left = (self._renewal_in("sent") for _number in range(3))
        held.partner_id.action_archive()
        declined._do_refuse(self.reason)
        for renewal in held + declined:
            self.assertNotIn("fa-envelope-o", self._get_icons(renewal))
        self._run_sending()
        self.assertEqual((held + declined).mapped("delivery_state"), ["withdrawn"] * 2)
        for renewal in held + declined:
            self.assertNotIn("fa-envelope-o", self._get_icons(renewal))
            self.assertIn("fa-ban", [step["icon"] for step in renewal._get_timeline()])
        left._do_refuse(self.reason)
        self.assertIn("fa-envelope-o", self._get_icons(left))

    def test_a2_notice_that_another_decision_overtook(self):
        """Approved before it left; or the second one, after a reset, whose first one had left."""
        approved, again = (self._renewal_in("sent") for _number in range(2))
        approved.action_approve()
        with freeze_time("2026-11-15 16:00:00"):
            self._run_sending()
            self.assertEqual(self._get_last_mail(approved).state, "cancel")
            self.assertNotIn("fa-envelope-o", self._get_icons(approved))
            self.assertIn("fa-ban", [step["icon"] for step in approved._get_timeline()])
            self.assertIn("fa-envelope-o", self._get_icons(again))
            again.action_approve()
            self.assertIn("fa-envelope-o", self._get_icons(again))
            again.action_reset()
        with freeze_time("2026-11-16 15:00:00"):
            self.assertIn("fa-envelope-o", self._get_icons(again), "the first one")
            again.action_send()
            self.assertNotIn("fa-envelope-o", self._get_icons(again))
            again._do_refuse(self.reason)
            self._run_sending()
            self.assertEqual(again.delivery_state, "withdrawn")
            self.assertNotIn("fa-envelope-o", self._get_icons(again))
            self.assertIn("fa-ban", [step["icon"] for step in again._get_timeline()])

    def test_a2_link_of_an_invoice(self):
        """Whose notice had left: the invoice is another email."""
        renewal = self._renewal_in("sent")
        self._run_sending()
        renewal.action_approve()
        with self.enter_registry_test_mode():
            self.env_root.ref("account.ir_cron_account_move_send").method_direct_trigger()
        self.env.invalidate_all()
        invoice = renewal.invoice_id.sudo()
        self.assertTrue(invoice.membri_date_sent)
        self.assertEqual(invoice.membri_delivery_state, "queued")
        self.assertNotIn("fa-file-text-o", self._get_icons(renewal))
        renewal.partner_id.email = "other@example.com"
        self.assertIn("still queued", self._get_last_note(invoice))
        self.assertFalse(self._run_sending(), "written anew, which leaves by itself")
        [leaving] = self._run_sending()
        self.assertIn("other@example.com", str(leaving))
        self.assertIn("fa-file-text-o", self._get_icons(renewal))
        renewal.partner_id.email = "third@example.com"
        self.assertIn("Resend", self._get_last_note(invoice))

    def test_a2_reminder_in_the_log(self):
        renewal = self._renewal_in("sent")
        self._run_sending()
        renewal.action_send_reminder()
        [log] = renewal.sudo().reminder_log_ids
        self.assertEqual((log.result, log.shown_result), ("sent", "queued"))
        self._run_sending()
        log.invalidate_recordset(["shown_result"])
        self.assertEqual((log.result, log.shown_result), ("sent", "sent"))

    def test_a2_retry_of_many_is_queued(self):
        """Which is no remark; whoever was skipped stands in the result."""
        renewals = self._renewal_in("sent") + self._renewal_in("sent") + self._renewal_in("sent")
        for renewal in renewals[:2]:
            self._get_last_mail(renewal).state = "exception"
            renewal._mark_failed("The mail server was down.")
        renewals.action_bulk("retry_sending")
        job = self.env["membri.bulk.job"].search([], limit=1)
        self.assertEqual(renewals[:2].mapped("delivery_state"), ["queued"] * 2)
        self.assertRecordValues(job, [{"done_count": 2, "skipped_count": 1}])
        self.assertFalse(job.remark_line_ids)
        self.assertEqual(job.problem_line_ids.renewal_id, renewals[2])
