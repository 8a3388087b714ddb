from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_delivery import STREET, OneDeliveryCase

LETTER = "odoo.addons.membri_renewal.models.renewal.letter"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestInvoiceDelivery(OneDeliveryCase):
    """Issue 12 A2: invoices have the delivery of notices."""

    def test_without_an_address(self):
        renewal = self._renew_automatically(email=False, **STREET)
        self.assertRecordValues(
            renewal, [{"delivery_state": "unreachable", "letter_state": "to_print"}]
        )
        self.assertTrue(self._is_in_queue(renewal, "unreachable"))
        self.assertTrue(self._is_in_queue(renewal, "letters"))
        self.assertEqual(renewal.activity_ids.user_id, self.officer)
        self.assertEqual(renewal.invoice_id.sudo().membri_delivery_state, "unreachable")
        self.assertFalse(renewal.invoice_id.membri_date_sent)

    def test_by_post(self):
        cotisation = self._create_yearly(**STREET)
        cotisation.partner_id.write({"membri_auto_renew": True, "membri_notice_on_paper": True})
        renewal = self._create_renewal(cotisation)
        renewal.action_send()
        self.assertRecordValues(renewal, [{"delivery_state": "queued", "letter_state": "to_print"}])
        self.assertTrue(self._is_in_queue(renewal, "letters"))
        self.assertFalse(renewal.activity_ids)

    def test_what_left_is_marked(self):
        renewal = self._renew_automatically()
        self.assertEqual(renewal.delivery_state, "queued")
        self.assertFalse(renewal.invoice_id.membri_date_sent)
        [message] = self._run_sending()
        self.assertIn(renewal.partner_id.email, message["To"])
        # the part in plain text reads like a letter as well, and its link opens the page
        text = message.get_body(("plain",)).get_content()
        self.assertIn(f"access_token={renewal.invoice_id.sudo().access_token}", text)
        self.assertNotIn("\N{COMBINING GRAPHEME JOINER}", text)
        self.assertEqual(renewal.delivery_state, "delivered")
        self.assertEqual(renewal.invoice_id.sudo().membri_delivery_state, "delivered")
        self.assertTrue(renewal.invoice_id.membri_date_sent)

    def test_mail_server_that_is_down(self):
        renewals = self._renew_automatically() + self._renew_automatically()
        with (
            self.mock_mail_gateway(),
            patch.object(
                self.registry["ir.mail_server"], "_connect__", side_effect=OSError("refused")
            ),
            self.enter_registry_test_mode(),
        ):
            self.env_root.ref("account.ir_cron_account_move_send").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(renewals.mapped("delivery_state"), ["failed", "failed"])
        self.assertEqual(renewals.invoice_id.mapped("membri_date_sent"), [False, False])
        self.assertEqual(renewals.invoice_id.mapped("is_move_sent"), [False, False])
        for renewal in renewals:
            self.assertTrue(self._is_in_queue(renewal, "send_failed"))
            self.assertIn("could not be reached", renewal.delivery_note)
        renewals.action_retry_sending()
        self.assertEqual(renewals.mapped("delivery_state"), ["queued", "queued"])
        self.assertEqual(len(self._run_sending()), 2)
        self.assertEqual(renewals.mapped("delivery_state"), ["delivered", "delivered"])
        self.assertTrue(all(renewals.invoice_id.mapped("membri_date_sent")))

    def test_one_address_is_refused(self):
        good, bad = self._renew_automatically(), self._renew_automatically()
        left = self._run_sending([bad.partner_id.email])
        self.assertEqual(len(left), 1)
        self.assertRecordValues(
            good + bad, [{"delivery_state": "delivered"}, {"delivery_state": "failed"}]
        )
        self.assertTrue(good.invoice_id.membri_date_sent)
        self.assertFalse(bad.invoice_id.membri_date_sent)

    def test_one_that_cannot_be_made_stops_nobody(self):
        bad, good = self._renew_automatically(), self._renew_automatically()
        Send = self.registry["account.move.send"]
        origin = Send._get_mail_params

        def fail(model, move, move_data):
            if move == bad.invoice_id:
                raise ValueError("no such thing")
            return origin(model, move, move_data)

        logger = "odoo.addons.membri_renewal.models.invoice.send"
        with patch.object(Send, "_get_mail_params", fail), mute_logger(logger):
            self._run_sending()
        self.assertRecordValues(
            good + bad, [{"delivery_state": "delivered"}, {"delivery_state": "failed"}]
        )
        self.assertIn("no such thing", bad.delivery_note)
        self.assertFalse(bad.invoice_id.sudo().sending_data)
        bad.action_retry_sending()
        self.assertEqual(len(self._run_sending()), 1)

    def test_bounce(self):
        renewal = self._renew_automatically(**STREET)
        with patch.object(self.registry["mail.mail"], "unlink", lambda mails: True):
            self._run_sending()
        mail = self._get_invoice_mails(renewal.invoice_id)
        self._bounce(mail, renewal.partner_id.email)
        self.assertRecordValues(
            renewal, [{"delivery_state": "unreachable", "letter_state": "to_print"}]
        )
        self.assertTrue(self._is_in_queue(renewal, "unreachable"))
        self.assertEqual(renewal.activity_ids.user_id, self.officer)

    def test_bounce_with_another_address(self):
        renewal = self._renew_automatically()
        member = renewal.partner_id
        other = self._create_member("Percy in Charge")
        member.membri_responsible_id = other
        with patch.object(self.registry["mail.mail"], "unlink", lambda mails: True):
            [message] = self._run_sending()
        self.assertIn(member.email, message["To"], "the payer, not the person in charge")
        self._bounce(self._get_invoice_mails(renewal.invoice_id), member.email)
        self.assertEqual(renewal.delivery_state, "queued")
        [message] = self._run_sending()
        self.assertIn(other.email, message["To"])

    def _fail(self, renewal):
        self._run_sending([renewal.partner_id.email])
        self.assertEqual(renewal.delivery_state, "failed")

    def _credit(self, renewal):
        invoice = renewal.invoice_id.with_env(self.env_account)
        reversal = self.env_account["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        notes = reversal.create({"journal_id": invoice.journal_id.id})
        notes.refund_moves()
        notes.new_move_ids.action_post()

    def test_void_invoice_waits_for_nothing(self):
        """It is in no queue of emails any more, whatever had become of its own."""
        for email in ("somebody@example.com", False):
            for fails in (False, True) if email else (False,):
                for end in (
                    lambda r: r.invoice_id.with_env(self.env_account).button_cancel(),
                    self._credit,
                    lambda r: r.action_reset(),
                ):
                    renewal = self._renew_automatically(email=email)
                    if fails:
                        self._fail(renewal)
                    before = renewal.delivery_state
                    with self.subTest(before=before):
                        end(renewal)
                        self.assertIn(renewal.state, ("intervention", "draft"))
                        self.assertEqual(renewal.delivery_state, "withdrawn")
                        self.assertIn("no longer accepted", renewal.delivery_note)
                        for code in ("unreachable", "send_failed"):
                            self.assertFalse(self._is_in_queue(renewal, code))
                        self.assertFalse(self._run_sending())
                        self.assertEqual(renewal.delivery_state, "withdrawn")

    def test_invoice_that_is_confirmed_again_is_to_be_sent(self):
        renewal = self._renew_automatically()
        invoice = renewal.invoice_id.with_env(self.env_account)
        invoice.button_draft()
        self._run_sending()
        invoice.action_post()
        self.assertRecordValues(renewal, [{"state": "approved", "delivery_state": "failed"}])
        self.assertIn("confirmed again", renewal.delivery_note)
        self.assertTrue(self._is_in_queue(renewal, "send_failed"))
        renewal.action_retry_sending()
        self.assertEqual(len(self._run_sending()), 1)
        self.assertEqual(renewal.delivery_state, "delivered")
        invoice.button_draft()
        invoice.action_post()
        self.assertEqual(renewal.delivery_state, "delivered", "it has left before")

    def test_invoice_that_is_changed_is_to_be_sent_again(self):
        """The payer has the one before: what left is not the current document."""

        def raise_price(invoice):
            invoice.invoice_line_ids[0].price_unit += 10.0

        changes = {
            "amount": raise_price,
            "date": lambda invoice: invoice.write({"invoice_date": "2026-11-14"}),
            "text": lambda invoice: invoice.invoice_line_ids[0].write({"name": "Other words"}),
            "due": lambda invoice: invoice.write({"invoice_date_due": "2027-03-31"}),
        }
        for name, change in changes.items():
            with self.subTest(change=name):
                renewal = self._renew_automatically()
                invoice = renewal.invoice_id.with_env(self.env_account)
                self._run_sending()
                self.assertTrue(invoice.is_move_sent)
                invoice.button_draft()
                change(invoice)
                invoice.action_post()
                self.assertRecordValues(
                    invoice, [{"membri_delivery_state": "failed", "is_move_sent": False}]
                )
                self.assertIn("has the previous version", renewal.delivery_note)
                self.assertTrue(self._is_in_queue(renewal, "send_failed"))
                invoice.button_draft()
                invoice.action_post()
                self.assertEqual(renewal.delivery_state, "failed", "they have the first one still")
                renewal.action_retry_sending()
                self.assertEqual(len(self._run_sending()), 1)
                self.assertRecordValues(
                    invoice,
                    [
                        {
                            "membri_delivery_state": "delivered",
                            "is_move_sent": True,
                            "membri_version_sent": False,
                        }
                    ],
                )
                self.assertFalse(self._is_in_queue(renewal, "send_failed"))

    def test_reminder_brings_the_invoice_that_was_changed(self):
        """It carries the current document, so that is sent; where it comes back, it is not."""
        renewal = self._renew_automatically()
        invoice = renewal.invoice_id.with_env(self.env_account)
        self._run_sending()
        first = invoice.membri_date_sent
        invoice.button_draft()
        invoice.invoice_line_ids[0].name = "Other words"
        invoice.action_post()
        with freeze_time("2026-11-20 15:00:00"):
            renewal.action_send_reminder()
            self.assertEqual(len(self._run_sending()), 1)
            current = {
                "membri_delivery_state": "delivered",
                "is_move_sent": True,
                "membri_version_sent": False,
            }
            self.assertRecordValues(invoice, [current])
            self.assertGreater(invoice.membri_date_sent, first)
            self.assertFalse(self._is_in_queue(renewal, "send_failed"))
            self._bounce(self._get_last_mail(renewal), renewal.partner_id.email)
            self.assertRecordValues(
                invoice, [{"membri_delivery_state": "unreachable", "membri_date_sent": first}]
            )
            self.assertTrue(self._is_in_queue(renewal, "unreachable"))
        with freeze_time("2026-11-21 15:00:00"):
            renewal.partner_id.email = "new@example.com"
            self._run_cron("ir_cron_send_reminders")
            self.assertEqual(len(self._run_sending()), 1)
            self.assertEqual(invoice.membri_delivery_state, "delivered")
            self.assertFalse(self._is_in_queue(renewal, "unreachable"))

    def test_reminder_that_comes_back_leaves_the_invoice_as_sent(self):
        renewal = self._renew_automatically()
        invoice = renewal.invoice_id.with_env(self.env_account)
        self._run_sending()
        first = invoice.membri_date_sent
        with freeze_time("2026-11-20 15:00:00"):
            renewal.action_send_reminder()
            self._run_sending()
            self._bounce(self._get_last_mail(renewal), renewal.partner_id.email)
            self.assertRecordValues(
                invoice, [{"membri_delivery_state": "delivered", "membri_date_sent": first}]
            )

    def test_invoice_that_is_changed_back_asks_nobody(self):
        renewal = self._renew_automatically()
        invoice = renewal.invoice_id.with_env(self.env_account)
        self._run_sending()
        price = invoice.invoice_line_ids[0].price_unit
        for amount, state in ((price + 10.0, "failed"), (price, "delivered")):
            invoice.button_draft()
            invoice.invoice_line_ids[0].price_unit = amount
            invoice.action_post()
            self.assertEqual(renewal.delivery_state, state)
        self.assertTrue(invoice.is_move_sent)

    def test_invoice_on_paper_that_is_changed_is_to_be_mailed_again(self):
        renewal = self._renew_automatically(email=False, **STREET)
        invoice = renewal.invoice_id.with_env(self.env_account)
        with patch(f"{LETTER}.merge_pdf", b"".join):  # in tests documents are HTML
            renewal.action_print_letter()
        self.assertEqual(renewal.letter_state, "printed")
        invoice.button_draft()
        invoice.invoice_line_ids[0].price_unit += 10.0
        invoice.action_post()
        self.assertIn("has the previous version", renewal.delivery_note)
        self.assertTrue(self._is_in_queue(renewal, "send_failed"))
        with patch(f"{LETTER}.merge_pdf", b"".join):  # in tests documents are HTML
            renewal.action_print_letter()
        self.assertFalse(invoice.membri_version_sent)

    def test_second_try_is_of_the_invoice_once_it_is_accepted(self):
        """The mail server was down for the notice as well: nobody is asked any more."""
        for is_fee_notice in (False, True):
            with self.subTest(is_fee_notice=is_fee_notice):
                self.company.with_env(self.env_root).membri_fee_notice = is_fee_notice
                renewal = self._renewal_in("sent")
                self._fail(renewal)
                renewal.action_approve()
                self._fail(renewal)
                renewal.action_retry_sending()
                [message] = self._run_sending()
                document = renewal.invoice_id
                self.assertIn(document.membri_fee_notice_name or document.name, message["Subject"])
                self.assertEqual(renewal.delivery_state, "delivered")
                self.assertEqual(document.membri_delivery_state, "delivered")

    def test_sent_at_the_second_try_is_sent(self):
        renewal = self._renew_automatically()
        self._fail(renewal)
        self.assertFalse(renewal.invoice_id.is_move_sent)
        renewal.action_retry_sending()
        self._run_sending()
        self.assertTrue(renewal.invoice_id.is_move_sent)
        self.assertTrue(renewal.invoice_id.membri_date_sent)

    def _send_receipt(self, invoice):
        with self.enter_registry_test_mode():
            self.env_root.ref("membri_renewal.ir_cron_send_receipts").method_direct_trigger()
        with patch.object(self.registry["mail.mail"], "unlink", lambda mails: True):
            left = self._run_sending()
        mails = self._get_invoice_mails(invoice)
        return left, mails.filtered(lambda mail: mail.membri_kind == "receipt")[-1:]

    def test_receipt_goes_where_the_invoice_goes_and_comes_back(self):
        """A2: a receipt, too, reaches somebody or stands in front of a person."""
        cotisation = self._create_member("Nora", email=False)._membri_enrol(self.yearly)
        invoice, payer = cotisation.invoice_id, cotisation.partner_id
        payer.membri_responsible_id = self._create_member("Percy in Charge")
        self._pay(invoice)
        [message], mail = self._send_receipt(invoice)
        self.assertIn("percy", message["To"])
        self._bounce(mail, payer.membri_responsible_id.email)
        self.assertFalse(invoice.membri_date_receipt_sent)
        activity = invoice.sudo().activity_ids
        self.assertEqual(activity.user_id, self.officer)
        self.assertIn("eceipt", activity.summary)

    def test_receipt_that_comes_back_goes_to_another_address(self):
        renewal = self._renewal_in("approved")
        invoice, payer = renewal.invoice_id, renewal.partner_id
        payer.membri_responsible_id = self._create_member("Percy in Charge")
        self._run_sending()
        self._pay(invoice)
        [message], mail = self._send_receipt(invoice)
        self.assertIn(payer.email, message["To"])
        self._bounce(mail, payer.email)
        [message], _mail = self._send_receipt(invoice)
        self.assertIn("percy", message["To"])
        self.assertTrue(invoice.membri_date_receipt_sent)

    def test_copy_of_a_follower_says_nothing_of_the_receipt(self):
        """Who approved follows the invoice: what becomes of that copy is not what becomes of the
        receipt."""
        copy, member = self.officer.email, self.member.email
        for refused, is_sent in (((copy,), True), ((member,), False), ((copy, member), False)):
            with self.subTest(refused=refused):
                renewal = self._create_renewal(
                    self._create_cotisation(
                        self._create_member("Payer", email=member), "2026-01-01"
                    )
                )
                renewal.action_approve()
                invoice = renewal.invoice_id.with_env(self.env_account)
                invoice.message_subscribe(self.officer.partner_id.ids)
                self._run_sending()
                self._pay(invoice)
                with self.enter_registry_test_mode():
                    self.env_root.ref(
                        "membri_renewal.ir_cron_send_receipts"
                    ).method_direct_trigger()
                receipts = self._get_invoice_mails(invoice).filtered(
                    lambda mail: mail.membri_kind == "receipt"
                )
                self.assertEqual(len(receipts), 2)
                self._run_sending(refuse=refused)
                self.assertEqual(bool(invoice.membri_date_receipt_sent), is_sent)
                summaries = " ".join(invoice.sudo().activity_ids.mapped("summary"))
                self.assertNotIn(copy, summaries)
                self.assertEqual(member in summaries, not is_sent)

    def test_receipt_that_the_server_refuses_once(self):
        invoice = self._renewal_in("approved").invoice_id
        self._run_sending()
        self._pay(invoice)
        with self.enter_registry_test_mode():
            self.env_root.ref("membri_renewal.ir_cron_send_receipts").method_direct_trigger()
        self.assertFalse(self._run_sending(refuse=[invoice.partner_id.email]))
        self.assertFalse(invoice.membri_date_receipt_sent)
        self.assertEqual(invoice.sudo().activity_ids.user_id, self.officer)
        mails = self._get_invoice_mails(invoice).filtered(lambda m: m.membri_kind == "receipt")
        mails.mark_outgoing()
        self.assertEqual(len(self._run_sending()), 1)
        self.assertTrue(invoice.membri_date_receipt_sent, "else it would go out twice")
        self.assertFalse(invoice.sudo().activity_ids)

    def test_credit_note_that_comes_back(self):
        """Settled with its invoice, and its payer does not know of it."""
        renewal = self._renewal_in("approved")
        invoice = renewal.invoice_id.sudo()
        with patch.object(type(invoice), "_membri_can_cancel", lambda move: False):
            invoice._membri_void()
        note = invoice.reversal_move_ids
        with patch.object(self.registry["mail.mail"], "unlink", lambda mails: True):
            self._run_sending()
        self._bounce(self._get_invoice_mails(note), invoice.partner_id.email)
        self.assertEqual(note.membri_delivery_state, "unreachable")
        self.assertEqual(note.activity_ids.user_id, self.officer)

    def test_enrolment_without_an_address(self):
        """No renewal tells of it: the officer has an activity, and the list a filter."""
        invoice = self._create_member("Nora", email=False)._membri_enrol(self.yearly).invoice_id
        invoice = invoice.sudo()
        self.assertEqual(invoice.membri_delivery_state, "unreachable")
        self.assertEqual(invoice.activity_ids.user_id, self.officer)
        self.assertIn("no email address", invoice.activity_ids.summary)
        invoice.partner_id.email = "nora@example.com"
        invoice._membri_deliver()
        self._run_sending()
        self.assertEqual(invoice.membri_delivery_state, "delivered")
        self.assertFalse(invoice.activity_ids)

    def test_enrolment_of_a_paper_member(self):
        """By email and on paper, as of a renewal."""
        member = self._create_member("Nora")
        member.membri_notice_on_paper = True
        invoice = member._membri_enrol(self.yearly).invoice_id
        self.assertEqual(len(self._run_sending()), 1)
        self.assertEqual(invoice.membri_delivery_state, "delivered")
        activity = invoice.sudo().activity_ids
        self.assertEqual(activity.user_id, self.officer)
        self.assertIn(invoice.name, activity.summary)
        self._pay(invoice)
        self.assertFalse(invoice.sudo().activity_ids)

    def test_enrolment_that_fails(self):
        member = self._create_member("Nora")
        invoice = member._membri_enrol(self.yearly).invoice_id.sudo()
        self._run_sending([member.email])
        self.assertEqual(invoice.membri_delivery_state, "failed")
        self.assertEqual(invoice.activity_ids.user_id, self.officer)
        self.assertFalse(invoice.membri_date_sent)

    def test_fee_notice(self):
        self.company.sudo().membri_fee_notice = True
        renewal = self._renewal_in("approved")
        self.assertEqual(renewal.delivery_state, "queued")
        self._run_sending([renewal.partner_id.email])
        self.assertEqual(renewal.delivery_state, "failed")
        self.assertFalse(renewal.invoice_id.membri_date_sent)
        renewal.action_retry_sending()
        self.assertEqual(len(self._run_sending()), 1)
        self.assertEqual(renewal.delivery_state, "delivered")
        self.assertTrue(renewal.invoice_id.membri_date_sent)
