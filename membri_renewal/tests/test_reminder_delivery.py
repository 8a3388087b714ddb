from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from .common_delivery import STREET, OneDeliveryCase
from .common_shared_invoice import SharedInvoiceCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestReminderDelivery(OneDeliveryCase):
    """Issue 12 A2: reminders go where the document goes, and are told as they went."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "force_report_rendering": True})

    def _get_log(self, renewal):
        return renewal.sudo().reminder_log_ids[:1]

    def test_payers_address_and_language(self):
        renewal = self._renewal_in("sent")
        member = renewal.partner_id
        member.membri_responsible_id = self._create_member("Percy in Charge")
        payer = self.env["res.partner"].create(
            {
                "name": "Books",
                "type": "invoice",
                "parent_id": member.id,
                "email": "books@example.com",
                "lang": "fr_FR",
            }
        )
        renewal.action_approve()
        renewal.action_send_reminder()
        mail = self._get_last_mail(renewal)
        self.assertEqual(mail.recipient_ids, payer)
        self.assertEqual(renewal._get_lang(), "fr_FR")
        self.assertEqual(renewal.delivery_email, "books@example.com")
        self.assertEqual(mail.attachment_ids.mapped("mimetype"), ["application/pdf"])
        self.assertNotIn("proforma", mail.attachment_ids.name.lower())
        self.assertTrue(renewal.invoice_id.invoice_pdf_report_id)
        self.assertFalse(renewal.invoice_id.is_move_sent, "made, not sent")

    def test_paper_member_gets_reminder_letters(self):
        for state, words in (
            ("sent", "heard from you yet"),
            ("approved", "the rest of your payment"),
        ):
            with self.subTest(state):
                renewal = self._create_renewal(
                    self._create_yearly(
                        email=False, country_id=self.env.ref("base.ca").id, **STREET
                    )
                )
                renewal.partner_id.membri_notice_on_paper = True
                renewal.action_send()
                if state == "approved":
                    renewal.action_approve()
                    self._pay(renewal.invoice_id, renewal.invoice_id.amount_total - 45.0)
                renewal.action_print_letter()
                self.assertTrue(renewal.action_send_reminder())
                self.assertRecordValues(
                    renewal,
                    [
                        {
                            "delivery_state": "letter",
                            "letter_state": "to_print",
                            "letter_content": "reminder",
                            "reminder_count": 0,
                        }
                    ],
                )
                self.assertEqual(self._get_log(renewal).result, "to_print")
                parts = renewal._render_letters()
                self.assertEqual(len(parts), 2, "before its document")
                html, _type = self.env_root["ir.actions.report"]._render_qweb_html(
                    "membri_renewal.report_reminder_letter", renewal.ids
                )
                self.assertIn(words, html.decode())
                if state == "approved":
                    self.assertIn("45.00", html.decode())
                merge = "odoo.addons.membri_renewal.models.renewal.letter.merge_pdf"
                with patch(merge, b"".join):  # in tests, documents are printed as HTML
                    renewal.action_print_letter()
                self.assertEqual(self._get_log(renewal).result, "sent")
                self.assertEqual(renewal.reminder_count, 1, "once it is printed")

    def test_letter_is_in_the_language_of_its_document(self):
        """The notice is the recipient's, the invoice the payer's."""
        asked, accepted = self._renewal_in("sent"), self._renewal_in("approved")
        for renewal in (asked, accepted):
            renewal.sudo().recipient_id = self._create_member("Assistant")
            renewal.recipient_id.lang = "en_US"
            renewal.partner_id.lang = "fr_FR"
        self.assertEqual(accepted.invoice_id.partner_id, accepted.partner_id)
        self.assertEqual(asked._get_letter_lang(), "en_US")
        self.assertEqual(accepted._get_letter_lang(), "fr_FR")

    def test_skipped_where_there_is_no_address(self):
        """The window before, the result, and the log say the same."""
        good = self._renewal_in("sent") + self._renewal_in("approved")
        bad = self._renewal_in("sent") + self._renewal_in("approved")
        bad.partner_id.email = False
        everybody = good + bad
        action = everybody.action_ask_bulk("send_reminder")
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(wizard.ready_count, 2)
        self.assertEqual(wizard.explanation.count("skipped, no valid address"), 2)
        job = self.env["membri.bulk.job"].browse(wizard.action_confirm()["res_id"])
        self.assertEqual((job.done_count, job.skipped_count, job.failed_count), (2, 2, 0))
        self.assertEqual(job.problem_line_ids.renewal_id, bad)
        for line in job.problem_line_ids:
            self.assertIn("skipped, no valid address", line.message)
        self.assertEqual(everybody.mapped("reminder_count"), [1, 1, 0, 0])
        self.assertEqual(
            [self._get_log(renewal).result for renewal in everybody],
            ["sent", "sent", "skipped", "skipped"],
        )
        self.assertEqual(bad.mapped("date_last_reminder"), [False, False])

    def _remind_at(self, moment):
        """:return: the emails that the reminders of this night made"""
        with freeze_time(moment), self.mock_mail_gateway():
            self._run_cron("ir_cron_send_reminders")
            self.env_root.flush_all()
            return self._new_mails.filtered("membri_kind")

    def _create_step(self, trigger, days):
        return self.env_root["membri.reminder.step"].create(
            {"option_set_id": self.yearly.id, "trigger": trigger, "days": days}
        )

    def test_step_without_an_address_goes_out_once_there_is_one(self):
        """It is told once, stands in a queue meanwhile, and is used up by what leaves."""
        first, second = self._create_step("after_sent", 7), self._create_step("after_due", 7)
        with freeze_time("2026-11-05 15:00:00"):
            asked, owing = self._renewal_in("sent"), self._renewal_in("approved")
        both = asked | owing
        both.partner_id.email = False
        for moment in ("2026-11-14 15:00:00", "2026-11-15 15:00:00", "2026-11-16 15:00:00"):
            self.assertFalse(self._remind_at(moment))
        for renewal, step in ((asked, first), (owing, second)):
            log = renewal.sudo().reminder_log_ids
            self.assertRecordValues(
                log, [{"step_id": step.id, "result": "skipped", "uses_step": False}]
            )
            self.assertIn("email address", renewal.delivery_note)
            self.assertTrue(self._is_in_queue(renewal, "unreachable"))
            self.assertEqual(renewal.reminder_count, 0)
        for renewal in both:
            renewal.partner_id.email = f"found.{renewal.id}@example.com"
        self.assertEqual(len(self._remind_at("2026-11-20 15:00:00")), 2)
        for renewal, step in ((asked, first), (owing, second)):
            self.assertRecordValues(
                renewal.sudo().reminder_log_ids.sorted("id")[-1],
                [{"step_id": step.id, "result": "sent", "uses_step": True}],
            )
            self.assertEqual((renewal.reminder_count, renewal.date_next_reminder), (1, False))
            self.assertFalse(self._is_in_queue(renewal, "unreachable"))
        self.assertFalse(self._remind_at("2026-11-21 15:00:00"))

    def _find_addresses(self, members):
        for member in members:
            member.email = f"found.{member.id}@example.com"

    def test_document_without_an_address_goes_out_once_there_is_one(self):
        """The notice, the invoice of who renews automatically, that of who joins, a credit note:
        each once, on the first night, and no reminder of what came the same night."""
        step = self._create_step("after_sent", 7)
        with freeze_time("2026-11-05 15:00:00"):
            asked = self._create_renewal(self._create_yearly(email=False))
            asked.action_send()
            owing = self._renew_automatically(email=False)
            joins = self._create_member("Joe Joins", email=False)._membri_enrol(self.yearly)
        everybody = (asked | owing).partner_id | joins.partner_id
        invoices = (owing.invoice_id | joins.invoice_id).sudo()
        for moment in ("2026-11-14 15:00:00", "2026-11-15 15:00:00"):
            self.assertFalse(self._remind_at(moment))
            self.assertEqual(invoices.mapped("membri_delivery_state"), ["unreachable"] * 2)
        self._find_addresses(everybody)
        [mail] = self._remind_at("2026-11-16 15:00:00")
        self.assertEqual((mail.membri_kind, mail.res_id), ("notice", asked.id))
        self.assertEqual(mail.recipient_ids, asked.partner_id)
        self.assertRecordValues(
            asked | owing,
            [{"delivery_state": "queued", "delivery_note": False, "letter_state": False}] * 2,
        )
        self.assertEqual(invoices.mapped("membri_delivery_state"), ["queued"] * 2)
        self.assertFalse((asked | owing).activity_ids)
        # the step is skipped, since the notice came that day
        self.assertRecordValues(
            asked.sudo().reminder_log_ids.filtered("uses_step"),
            [{"step_id": step.id, "result": "skipped"}],
        )
        self.assertIn(asked.partner_id.email, str(asked.message_ids.mapped("body")))
        self.assertFalse(self._remind_at("2026-11-16 18:00:00"))
        left = [message["To"] for message in self._run_sending()]
        for member in everybody:
            self.assertEqual(len([to for to in left if member.email in to]), 1)
        self.assertEqual((asked | owing).mapped("delivery_state"), ["delivered"] * 2)
        self.assertFalse(joins.invoice_id.sudo().activity_ids)
        self.assertFalse(self._remind_at("2026-11-17 15:00:00"))

    def test_document_that_needs_no_email_any_more_waits_for_none(self):
        """Printed, declined, paid, credited, or dealt with by the officer meanwhile."""
        with freeze_time("2026-11-05 15:00:00"):
            printed = self._create_renewal(self._create_yearly(email=False, **STREET))
            declined = self._create_renewal(self._create_yearly(email=False))
            (printed | declined).action_send()
            paid, reset = (self._renew_automatically(email=False) for _ in range(2))
            done = self._create_member("Dan Done", email=False)._membri_enrol(self.yearly)
        with patch("odoo.addons.membri_renewal.models.renewal.letter.merge_pdf", b"".join):
            printed.action_print_letter()
        self._refuse(declined)
        self._pay(paid.invoice_id)
        reset.action_reset()
        done.invoice_id.sudo().activity_ids.action_done()
        self._run_sending()
        self._find_addresses((printed | declined | paid | reset).partner_id | done.partner_id)
        self.assertFalse(self._remind_at("2026-11-16 15:00:00"))
        self.assertFalse(self._run_sending())
        self.assertEqual(printed.delivery_state, "letter")

    def test_document_that_cannot_be_sent_waits_with_its_reason(self):
        bad, good = (self._create_renewal(self._create_yearly(email=False)) for _ in range(2))
        (bad | good).action_send()
        bad._internal_write({"date_payment_reported": "2026-11-15 15:00:00"})
        self._find_addresses((bad | good).partner_id)
        self.assertEqual(self._remind_at("2026-11-16 15:00:00").mapped("res_id"), good.ids)
        self.assertTrue(self._is_in_queue(bad, "unreachable"))
        self.assertIn("in progress", bad.delivery_note)
        self.assertEqual(good.delivery_state, "queued")

    def test_bounced_notice_goes_out_anew_and_one_that_came_does_not(self):
        bounced, lost = self._renewal_in("sent"), self._renewal_in("sent")
        self._run_sending()
        self._bounce(self._get_last_mail(bounced), bounced.partner_id.email)
        lost.partner_id.email = False
        lost.action_send_reminder()
        self.assertEqual((bounced | lost).mapped("delivery_state"), ["unreachable"] * 2)
        self._find_addresses((bounced | lost).partner_id)
        self.assertEqual(self._remind_at("2026-11-16 15:00:00").mapped("res_id"), bounced.ids)
        self.assertEqual((bounced | lost).mapped("delivery_state"), ["queued", "delivered"])
        self.assertFalse(lost.activity_ids)

    def test_notice_that_was_sent_anew_goes_out_although_an_earlier_one_came(self):
        """Changed, or the same after a refusal: who had the one before knows nothing of it."""
        changed, declined = self._renewal_in("sent"), self._renewal_in("sent")
        self._run_sending()
        both = changed | declined
        self.assertEqual(both.mapped("delivery_state"), ["delivered"] * 2)
        both.partner_id.email = False
        with freeze_time("2026-11-15 16:00:00"):
            changed.action_request_change("Cheaper, please")
            changed.line_ids[0].price_unit = 12.34
            self._refuse(declined)
            declined.action_reset()
            both.action_send()
        self.assertEqual(both.mapped("delivery_state"), ["unreachable"] * 2)
        self._find_addresses(both.partner_id)
        mails = self._remind_at("2026-11-16 15:00:00")
        self.assertEqual(sorted(mails.mapped("res_id")), sorted(both.ids))
        self.assertEqual(both.mapped("delivery_state"), ["queued"] * 2)
        [mail] = mails.filtered(lambda mail: mail.res_id == changed.id)
        self.assertEqual(mail.membri_facts, changed._membri_get_mail_facts("notice"))
        # before the day of the last sending was kept, what it says tells
        both._internal_write({"date_notice": False, "delivery_state": "unreachable"})
        mails.write({"state": "sent", "date": "2026-11-01 15:00:00"})
        mail.membri_facts = mail.membri_facts.replace(str(changed.amount_total), "1.0")
        [anew] = self._remind_at("2026-11-17 15:00:00")
        self.assertEqual(anew.res_id, changed.id)
        self.assertEqual(both.mapped("delivery_state"), ["queued", "delivered"])

    def test_notice_that_waited_too_long_is_for_the_officer(self):
        """Its term is over, or nobody has replied for as long as the dashboard says."""
        renewal = self._create_renewal(self._create_yearly(email=False))
        renewal.action_send()
        self._find_addresses(renewal.partner_id)
        for moment, told in (
            ("2027-05-16 15:00:00", "November 15, 2026"),
            ("2031-01-15 15:00:00", "would already be over"),
        ):
            with self.subTest(moment=moment):
                self.assertFalse(self._remind_at(moment))
                self.assertIn(told, renewal.delivery_note)
                self.assertTrue(self._is_in_queue(renewal, "unreachable"))
        self.assertEqual(len(self._remind_at("2027-05-14 15:00:00")), 1)

    def test_invoice_that_waited_too_long_is_for_the_officer(self):
        """As a notice: its term is over, or it has waited for as long as the dashboard says. No
        reminder of it leaves in its place."""
        self._create_step("after_due", 7)
        renewal = self._renew_automatically(email=False)
        joins = self._create_member("Joe Joins", email=False)._membri_enrol(self.yearly)
        self._find_addresses(renewal.partner_id | joins.partner_id)
        invoice = renewal.invoice_id.sudo()
        for moment, told in (
            ("2027-05-16 15:00:00", "November 15, 2026"),
            ("2031-01-15 15:00:00", "ended on December 31, 2027"),
        ):
            with self.subTest(moment=moment):
                self.assertFalse(self._remind_at(moment))
                for record in (renewal, invoice):
                    name = "delivery_note" if record == renewal else "membri_delivery_note"
                    self.assertIn(told, record[name])
                self.assertEqual(invoice.membri_delivery_state, "unreachable")
                self.assertEqual(joins.invoice_id.sudo().membri_delivery_state, "unreachable")
                self.assertTrue(self._is_in_queue(renewal, "unreachable"))
                self.assertFalse(renewal.leaves_once_reachable)
                self.assertFalse(renewal.reminder_count)
        self._remind_at("2027-05-14 15:00:00")
        self.assertEqual(renewal.delivery_state, "queued")
        self.assertEqual(joins.invoice_id.sudo().membri_delivery_state, "queued")

    def test_invoice_whose_address_was_lost_late_waits_from_then_on(self):
        renewal = self._renew_automatically()
        self._run_sending()
        renewal.partner_id.email = False
        with freeze_time("2027-07-01 15:00:00"):
            renewal.invoice_id.sudo()._membri_deliver()
            self.assertEqual(renewal.delivery_state, "unreachable")
            self.assertTrue(renewal.leaves_once_reachable)
        self._find_addresses(renewal.partner_id)
        self._remind_at("2027-07-02 15:00:00")
        self.assertEqual(renewal.delivery_state, "queued")

    def test_who_is_told_that_it_leaves_by_itself(self):
        """Only where an address is all that is missing."""
        lost = self._create_renewal(self._create_yearly(email=False))
        lost.action_send()
        self.assertTrue(lost.leaves_once_reachable)
        self.assertIn("nightly run", str(lost.message_ids.mapped("body")))
        with freeze_time("2027-06-16 15:00:00"):
            lost.invalidate_recordset(["leaves_once_reachable"])
            self.assertFalse(lost.leaves_once_reachable)
        owing = self._renew_automatically(email=False)
        self.assertTrue(owing.leaves_once_reachable)
        owing.partner_id.active = False
        self.assertEqual(owing.delivery_state, "unreachable")
        self.assertFalse(owing.leaves_once_reachable)

    def test_notice_that_is_not_ready_to_leave_waits_on(self):
        renewal = self._create_renewal(self._create_yearly(email=False))
        renewal.action_send()
        self._find_addresses(renewal.partner_id)
        Company = self.registry["res.company"]
        with patch.object(Company, "_membri_get_no_sender_reason", lambda *_args: "No sender."):
            self.assertFalse(self._remind_at("2026-11-16 15:00:00"))
        self.assertRecordValues(
            renewal, [{"delivery_state": "unreachable", "delivery_note": "No sender."}]
        )
        self.assertEqual(len(self._remind_at("2026-11-17 15:00:00")), 1)
        self.assertRecordValues(renewal, [{"delivery_state": "queued", "delivery_note": False}])

    def test_invoice_that_fails_stops_no_other(self):
        renewals = self._renew_automatically(email=False) | self._renew_automatically(email=False)
        bad, _good = renewals
        self._find_addresses(renewals.partner_id)
        Move = self.registry["account.move"]
        deliver = Move._membri_deliver

        def fail(moves, *args, **kwargs):
            deliver(moves, *args, **kwargs)
            if bad.invoice_id.id in moves.ids:
                raise ValueError("no such file")

        with patch.object(Move, "_membri_deliver", fail):
            self.assertFalse(self._remind_at("2026-11-16 15:00:00"))
        self.assertEqual(renewals.mapped("delivery_state"), ["failed", "queued"])
        self.assertIn("no such file", bad.delivery_note)
        bad.action_retry_sending()
        self.assertEqual(len(self._run_sending()), 2)
        self.assertEqual(renewals.mapped("delivery_state"), ["delivered"] * 2)

    def test_what_became_of_the_invoice_is_told_of_who_owes_it(self):
        """Whom an email of the renewal itself did not reach: as is known of the invoice; one of
        which nothing is known leaves."""
        renewals = self._renewal_in("approved")
        for _number in range(3):
            renewals |= self._renewal_in("approved")
        _sent, failed, unknown, by_post = renewals
        self._run_sending()
        renewals._internal_write({"delivery_state": "unreachable", "delivery_note": "None."})
        failed.invoice_id.sudo().write(
            {"membri_delivery_state": "failed", "membri_delivery_note": "Refused."}
        )
        (unknown | by_post).invoice_id.sudo().write(
            {"membri_delivery_state": False, "membri_date_sent": False}
        )
        by_post.partner_id.sudo().invoice_sending_method = "manual"
        self.assertFalse(self._remind_at("2026-11-16 15:00:00"))
        self.assertRecordValues(
            renewals,
            [
                {"delivery_state": "delivered", "delivery_note": False},
                {"delivery_state": "failed", "delivery_note": "Refused."},
                {"delivery_state": "queued", "delivery_note": False},
                {"delivery_state": "letter", "delivery_note": False},
            ],
        )
        logs = [str(move.message_ids.mapped("body")) for move in renewals.invoice_id.sudo()]
        self.assertEqual(["valid address now" in log for log in logs], [False, False, True, False])
        self.assertEqual(len(self._run_sending()), 1)

    def test_payer_who_wants_no_email_is_reminded_by_letter(self):
        renewal = self._renewal_in("sent")
        renewal.partner_id.sudo().invoice_sending_method = "manual"
        renewal.action_approve()
        count = len(self._get_mails(renewal))
        renewal.sudo()._internal_write({"letter_state": "printed"})
        self.assertTrue(renewal.action_send_reminder())
        self.assertEqual(len(self._get_mails(renewal)), count)
        self.assertEqual(self._get_log(renewal).result, "to_print")
        self.assertRecordValues(
            renewal, [{"letter_state": "to_print", "letter_content": "reminder"}]
        )

    def test_letter_that_was_mailed_stands_for_the_step(self):
        self._create_step("after_sent", 7)
        with freeze_time("2026-11-05 15:00:00"):
            renewal = self._create_renewal(
                self._create_yearly(email=False, country_id=self.env.ref("base.ca").id, **STREET)
            )
            renewal.action_send()
        self._remind_at("2026-11-14 15:00:00")
        with freeze_time("2026-11-15 15:00:00"):
            renewal.action_print_letter()
        self.assertFalse(renewal.date_next_reminder)
        self.assertFalse(self._is_in_queue(renewal, "to_remind"))
        renewal.partner_id.email = "found@example.com"
        self.assertFalse(self._remind_at("2026-11-20 15:00:00"))

    def test_reminder_that_came_back_uses_up_no_step(self):
        step = self._create_step("after_sent", 7)
        with freeze_time("2026-11-05 15:00:00"):
            renewal = self._renewal_in("sent")
        mail = self._remind_at("2026-11-14 15:00:00")
        self.assertEqual(renewal.reminder_count, 1)
        self._bounce(mail, renewal.partner_id.email)
        self.assertRecordValues(
            renewal.sudo().reminder_log_ids,
            [{"step_id": step.id, "result": "failed", "uses_step": False}],
        )
        self.assertEqual(renewal.reminder_count, 0)
        self.assertFalse(self._remind_at("2026-11-15 15:00:00"))
        renewal.partner_id.email = "other@example.com"
        self.assertEqual(len(self._remind_at("2026-11-16 15:00:00")), 1)
        self.assertEqual(renewal.reminder_count, 1)

    def test_alone_without_an_address(self):
        renewal = self._renewal_in("sent")
        renewal.partner_id.email = False
        action = renewal.action_send_reminder()
        self.assertIn("skipped, no valid address", action["params"]["message"])
        self.assertEqual(renewal.reminder_count, 0)

    def test_what_is_billed_without_an_address_is_told(self):
        renewal = self._renewal_in("sent")
        renewal.partner_id.email = False
        action = renewal.action_bulk("approve")
        self.assertEqual(action["params"]["type"], "warning")

    def test_failed_reminder_uses_up_no_step(self):
        step = self.env_root["membri.reminder.step"].create(
            {"option_set_id": self.yearly.id, "trigger": "after_sent", "days": 5}
        )
        renewal = self._renewal_in("sent")
        with freeze_time("2026-11-20 15:00:00"):
            self._run_cron("ir_cron_send_reminders")
            self.assertEqual(self._get_log(renewal).result, "sent")
            count = len(self._get_mails(renewal))
            self._run_sending([renewal.partner_id.email])
            self.assertRecordValues(
                self._get_log(renewal), [{"result": "failed", "uses_step": False}]
            )
            self.assertRecordValues(renewal, [{"reminder_count": 0, "date_last_reminder": False}])
        with freeze_time("2026-11-21 15:00:00"):
            self._run_cron("ir_cron_send_reminders")
            self._run_sending()
        self.assertEqual(len(self._get_mails(renewal)), count, "the same email")
        self.assertRecordValues(
            self._get_log(renewal), [{"result": "sent", "uses_step": True, "step_id": step.id}]
        )
        self.assertRecordValues(renewal, [{"reminder_count": 1, "delivery_state": "delivered"}])
        with freeze_time("2026-11-22 15:00:00"):
            self._run_cron("ir_cron_send_reminders")
        self.assertEqual(len(self._get_mails(renewal)), count)

    def test_try_again_with_another_sender(self):
        """Officer, reply address, recipient and text are those of today."""
        renewal = self._renewal_in("sent")
        mail = self._get_last_mail(renewal)
        mail.write({"state": "exception", "failure_type": "mail_from_missing", "email_from": False})
        mail._postprocess_sent_message([], [], failure_type="mail_from_missing")
        self.assertEqual(renewal.delivery_state, "failed")
        renewal.user_id = self.manager
        self.manager.sudo().email = "manager@example.com"
        renewal.partner_id.membri_responsible_id = self._create_member("Percy in Charge")
        renewal.action_retry_sending()
        self.assertEqual(self._get_last_mail(renewal), mail, "the same email")
        self.assertRecordValues(
            mail,
            [
                {
                    "state": "outgoing",
                    "email_from": self.manager.email_formatted,
                    "reply_to": self.manager.email_formatted,
                    "failure_type": False,
                }
            ],
        )
        self.assertEqual(mail.recipient_ids.name, "Percy in Charge")
        self.assertIn("Hello Percy in Charge", mail.body_html)
        receivers = [message["To"] for message in self._run_sending()]
        self.assertIn("percy.in.charge@example.com", " ".join(receivers))
        self.assertEqual(renewal.delivery_state, "delivered")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestSharedReminder(SharedInvoiceCommon, OneDeliveryCase):
    """Issue 12 A1: the reminder to who pays for several speaks of the rest."""

    def test_the_rest(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self._run_sending()
        self._pay(invoice, 690.0)
        renewals.action_send_reminder()
        self.assertEqual(renewals.mapped("reminder_count"), [1, 1, 1])
        [message] = self._run_sending()
        self.assertIn("reminder", message["Subject"])
        body = message.get_body(("html",)).get_content()
        self.assertIn("345.00", body)
        self.assertNotIn("1,035.00", body)
        self.assertEqual(renewals.mapped("delivery_state"), ["delivered"] * 3)

    def test_paid_before_it_left(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self._run_sending()
        renewals.action_send_reminder()
        self._pay(invoice)
        self.assertFalse(self._run_sending())
        self.assertFalse(invoice.sending_data)
        self.assertEqual(renewals.mapped("reminder_count"), [0, 0, 0])
        self.assertEqual(
            [renewal.sudo().reminder_log_ids.result for renewal in renewals], ["skipped"] * 3
        )

    def test_retried_reminder_reminds(self):
        """It is no copy of the invoice, and it counts once it leaves."""
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self._run_sending()
        renewals.action_send_reminder()
        self._run_sending([self.payer.email])
        self.assertEqual(renewals.mapped("delivery_state"), ["failed"] * 3)
        self.assertEqual(renewals.mapped("reminder_count"), [0, 0, 0])
        renewals[0].action_retry_sending()
        self.assertEqual(len(self._run_sending()), 1)
        self.assertEqual(self._get_invoice_mails(invoice)[-1].membri_kind, "reminder")
        self.assertEqual(renewals.mapped("reminder_count"), [1, 1, 1])
        self.assertEqual(
            [renewal.sudo().reminder_log_ids.result for renewal in renewals], ["sent"] * 3
        )

    def test_invoice_that_is_printed_is_printed_for_all_whom_it_serves(self):
        self.payer.write({"email": False, **STREET})
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals).sudo()
        self.assertEqual(renewals.mapped("delivery_state"), ["unreachable"] * 3)
        renewals[1].action_print_letter()
        self.assertRecordValues(
            renewals, [{"delivery_state": "letter", "letter_state": "printed"}] * 3
        )
        self.assertEqual(invoice.membri_delivery_state, "letter")
        self.assertFalse(renewals.activity_ids)
        self.payer.email = "found@example.com"
        with freeze_time("2026-11-16 15:00:00"):
            self._run_cron("ir_cron_send_reminders")
        self.assertFalse(invoice.sending_data)
        self.assertEqual(renewals.mapped("delivery_state"), ["letter"] * 3)

    def test_reminder_that_came_back_reminds_at_another_address(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self._run_sending()
        renewals.action_send_reminder()
        self._run_sending()
        self.payer.membri_responsible_id = self._create_member("Percy in Charge")
        self._bounce(self._get_invoice_mails(invoice)[-1], self.payer.email)
        self._run_sending()
        mail = self._get_invoice_mails(invoice)[-1]
        self.assertEqual(mail.recipient_ids, self.payer.membri_responsible_id)
        self.assertEqual(mail.membri_kind, "reminder")
        # Odoo would delete what was sent, and nobody could say what came back
        self.assertFalse(any(self._get_invoice_mails(invoice).mapped("auto_delete")))
        self._bounce(mail, self.payer.membri_responsible_id.email)
        self.assertEqual(renewals.mapped("delivery_state"), ["unreachable"] * 3)
        self.assertEqual(renewals.mapped("reminder_count"), [0, 0, 0])
