import re
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MailCase

from .common_payments import PortalPaymentCase
from .common_write_off import WriteOffCase

STANDING = 'id="membri_invoice_standing"'
CREDIT = 'id="membri_credit_standing"'
LAST_TRY = 'id="membri_last_try"'


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestInvoiceMail(WriteOffCase, MailCase):
    """Issue 12 B4: the email of a membership invoice is ours, and who pays gets a
    confirmation with the receipt."""

    def _send_invoice(self, invoice=None):
        with self.mock_mail_gateway():
            (invoice or self.invoice)._generate_and_send()
        return self._new_mails[-1:]

    def test_own_template_for_memberships_only(self):
        own = self.env.ref("membri_renewal.mail_template_invoice")
        self.assertEqual(self.invoice._get_mail_template(), own)
        ordinary = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.member.id,
                "invoice_date": "2027-01-15",
                "invoice_line_ids": [fields.Command.create({"name": "Room", "price_unit": 10.0})],
            }
        )
        standard = self.env.ref("account.email_template_edi_invoice")
        self.assertEqual(ordinary._get_mail_template(), standard)
        self.assertEqual((ordinary | self.invoice)._get_mail_template(), standard)
        own_credit_note = self.env.ref("membri_renewal.mail_template_credit_note")
        self.assertEqual(self._credit(self.invoice)._get_mail_template(), own_credit_note)

    def test_credit_note_says_of_what_and_what_is_left(self):
        """Odoo's text named neither the invoice nor the member: a credit of a part read as
        money that one gets back."""
        note = self._credit(self.invoice)
        mail = self._send_invoice(note)
        self.assertIn(note.name, mail.subject)
        rows = dict(note._membri_get_credit_rows())
        self.assertEqual(rows["Invoice"], self.invoice.name)
        self.assertEqual(rows["Left to pay on the invoice"], self.invoice.currency_id.format(0))
        self.assertNotIn("Credit not used yet", rows)
        body = mail.body_html.replace("&nbsp;", "\xa0")
        for text in (*rows.values(), self.company.name, note.access_url):
            self.assertIn(text, body)
        self.assertNotIn("odoo.com", mail.body_html)
        self.assertEqual(mail.email_from, self.officer.email_formatted)
        self.assertTrue(mail.attachment_ids)

    def test_credit_of_what_was_paid_says_what_comes_back(self):
        """Not used, used in part, refunded: email of the credit note, its page, the invoice's."""
        self._pay(self.invoice)
        note = self._credit(self.invoice)
        whole = self.invoice.currency_id.format(344.93)
        [sentence] = note._membri_get_credit_sentences()
        self.assertIn(whole, sentence)
        self.assertIn(sentence, self.invoice._membri_get_standing_sentences())
        body = self._send_invoice(note).body_html.replace("&nbsp;", "\xa0")
        self.assertIn(sentence, body)
        self._register_payment(note, amount=100.0)
        refunded, left = note._membri_get_credit_sentences()
        self.assertIn(self.invoice.currency_id.format(100.0), refunded)
        self.assertIn(self.invoice.currency_id.format(244.93), left)
        self._register_payment(note)
        [refunded] = note._membri_get_credit_sentences()
        self.assertIn(whole, refunded)
        self.assertEqual(self.invoice._membri_get_standing_sentences()[-1:], [refunded])
        self.assertEqual(self.invoice._membri_get_received(), 0.0)
        self.assertEqual(self.invoice._membri_get_portal_status()[0], "secondary", "not paid")

    def test_second_credit_note_of_a_void_invoice_is_told_once(self):
        """What nothing uses is told by its credit note, not as money on account once more."""
        self._credit(self.invoice)
        note = self._credit(self.invoice)
        _void, left = self.invoice._membri_get_standing_sentences()
        self.assertEqual([left], note._membri_get_credit_sentences())
        payment = self.env_account["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.invoice.partner_id.id,
                "amount": 100.0,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        told = self.invoice._membri_get_standing_sentences()
        if payment.move_id:
            self.assertEqual(len(told), 3, "and money of another kind")

    def test_money_of_an_invoice_that_is_void_comes_back(self):
        """The payment was taken off, or came for what was cancelled."""
        payment = self._pay(self.invoice)
        self.invoice.line_ids.remove_move_reconcile()
        self.invoice.button_cancel()
        [void, back] = self.invoice._membri_get_standing_sentences()
        self.assertIn("do not pay", void)
        payment.action_cancel()
        self.assertEqual(self.invoice._membri_get_standing_sentences(), [void])
        self.assertNotEqual(void, back)

    def test_what_it_says(self):
        self.company.with_env(self.env_root).write(
            {"membri_check_payee": "The Chamber", "membri_check_address": "1 Main St\nMontréal"}
        )
        mail = self._send_invoice()
        body = mail.body_html
        for text in (
            self.renewal.partner_id.name,
            "344.93",
            self.cotisation._get_period_in_words(),
            self.invoice.payment_reference,
            "The Chamber",
            "1 Main St, Montréal",
            self.invoice.access_url,
        ):
            self.assertIn(text, body)
        links = re.findall(r'href="([^"]+)"', body)
        self.assertEqual(len([url for url in links if self.invoice.access_url in url]), 1, links)
        self.assertIn(self.company.name, body)
        self.assertTrue(mail.attachment_ids)

    def test_reminder_and_renewal_page_say_how_to_pay_as_well(self):
        """They knew of transfers only: who pays by check found neither payee nor address."""
        ways = self.invoice._membri_get_ways_to_pay()
        self.assertIn(("Check payable to", self.company.name), ways)
        self.assertEqual(self.renewal._get_payment_instructions(), ways)
        template = self.env_root.ref("membri_renewal.mail_template_payment_reminder")
        body = template._render_field("body_html", self.renewal.ids)[self.renewal.id]
        for _label, value in ways:
            self.assertIn(value, body)

    def test_what_is_left_when_part_was_paid(self):
        self._pay(self.invoice, 100.0)
        rows = [value for _label, value in self.invoice._membri_get_mail_rows()]
        self.assertTrue(any("244.93" in value for value in rows))
        self.assertTrue(any("100.00" in value for value in rows))

    def test_b1_renewal_page_says_what_was_paid(self):
        """The page of the invoice said it, that of the renewal only the rest."""
        self._pay(self.invoice, 100.0)
        sentences = self.renewal._get_portal_sentences()
        self.assertIn(self.invoice._membri_get_received_sentences()[0], sentences)
        self.assertIn("100.00", " ".join(sentences))
        self.assertIn("244.93", " ".join(sentences))

    def test_paid_one_asks_for_nothing(self):
        self._pay(self.invoice)
        self.assertFalse(self.invoice._membri_get_ways_to_pay())
        self.assertFalse(any("By" in label for label, _v in self.invoice._membri_get_mail_rows()))

    def test_pdf_says_how_to_pay(self):
        def render():
            return (
                self.env_root["ir.actions.report"]
                ._render_qweb_html("account.report_invoice", self.invoice.ids)[0]
                .decode()
            )

        page = render()
        self.assertIn('name="membri_how_to_pay"', page)
        self.assertNotIn('name="membri_under_way"', page)
        for box in ("code", "key"):
            self.assertIn(f"{self.invoice._membri_get_page_url()}#{box}", page)
        self.assertNotIn(self.invoice.access_token, page, "what is kept holds no token")
        self._pay(self.invoice)
        self.assertNotIn('name="membri_how_to_pay"', render())

    def _send_receipts(self):
        """:return: the confirmations to the payer; colleagues who follow the invoice get a copy"""
        with self.mock_mail_gateway():
            self._run_cron("ir_cron_send_receipts")
        return self._new_mails.filtered(
            lambda m: (
                m.model == "account.move"
                and m.res_id == self.invoice.id
                and self.invoice.partner_id in m.recipient_ids
            )
        )

    def test_confirmation_with_the_receipt(self):
        self._pay(self.invoice)
        self.assertTrue(self.invoice.membri_receipt_to_send)
        mail = self._send_receipts()
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.recipient_ids, self.invoice.partner_id)
        self.assertEqual(len(mail.attachment_ids), 1)
        for text in ("344.93", self.invoice.membri_receipt_name):
            self.assertIn(text, mail.body_html)
        self.assertIn("2027", mail.body_html)
        self.assertFalse(self.invoice.membri_receipt_to_send)
        self.assertFalse(self._send_receipts(), "once")

    def test_confirmation_of_too_much(self):
        """Who has paid more than the invoice asks for is told of the rest, too."""
        self.assertFalse(self.invoice._membri_get_surplus())
        self._pay(self.invoice, 400.0)
        self.assertEqual(round(self.invoice._membri_get_surplus(), 2), 55.07)
        mail = self._send_receipts()
        for text in ("344.93", "55.07"):
            self.assertIn(text, mail.body_html)

    def test_confirmation_of_a_part(self):
        """Issue 12, B4: what came, what is left, and until when; once for each part."""
        self._pay(self.invoice, 100.0)
        self.assertRecordValues(
            self.invoice, [{"membri_part_to_confirm": True, "membri_receipt_to_send": False}]
        )
        mail = self._send_receipts()
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.membri_kind, "part")
        self.assertEqual(mail.recipient_ids, self.invoice.partner_id)
        due = self.invoice._membri_format_day(self.invoice.membri_date_due)
        for text in ("100.00", "244.93", due, self.invoice.name):
            self.assertIn(text, mail.body_html)
        self.assertFalse(mail.attachment_ids, "no receipt yet")
        self.assertFalse(self.invoice.membri_receipt_name)
        self.assertFalse(self._send_receipts(), "once")
        self._pay(self.invoice, 44.93)
        mail = self._send_receipts()
        self.assertEqual(len(mail), 1)
        for text in ("100.00", "44.93", "144.93", "200.00"):
            self.assertIn(text, mail.body_html)
        self._pay(self.invoice)
        mail = self._send_receipts()
        self.assertEqual(mail.mapped("membri_kind"), ["receipt"], "the last part: the receipt")
        self.assertEqual(self.invoice.membri_amount_confirmed, 344.93)

    def test_confirmation_of_a_part_follows_the_money(self):
        self._pay(self.invoice, 244.93)
        payment = self._pay(self.invoice)
        self.assertEqual(self._send_receipts().mapped("membri_kind"), ["receipt"], "paid by then")
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(self.invoice.amount_residual, 100.0)
        self.assertFalse(self._send_receipts(), "money that goes is not confirmed")
        self.assertEqual(self.invoice.membri_amount_confirmed, 244.93)
        self._pay(self.invoice, 50.0)
        mail = self._send_receipts()
        self.assertEqual(mail.membri_kind, "part")
        self.assertIn("294.93", mail.body_html)

    def test_confirmation_of_a_part_is_looked_at_when_it_leaves(self):
        payment = self._pay(self.invoice, 100.0)
        with self.mock_mail_gateway():
            self.invoice.sudo()._membri_send_parts()
        mail = self.env_root["mail.mail"].search(
            [("model", "=", "account.move"), ("membri_kind", "=", "part")]
        )
        self.assertEqual(len(mail), 1)
        payment.action_draft()
        payment.action_cancel()
        with self.mock_mail_gateway():
            mail.send()
        self.assertEqual(mail.state, "cancel")
        self.assertEqual(self.invoice.membri_amount_confirmed, 0.0)

    def test_address_without_a_name_is_greeted_as_whose_it_is(self):
        member = self._create_member("Ada Boulanger")
        address = member.sudo().create(
            {"parent_id": member.id, "type": "invoice", "email": "bills@example.com"}
        )
        self.assertIn(",", address.display_name)
        self.assertEqual(address._membri_get_greeting(), "Ada Boulanger")
        self.assertEqual(address.browse()._membri_get_greeting(), "")
        # in sentences, without the comma that reads as one more name
        self.assertEqual(address._membri_get_names(), "Ada Boulanger")
        address.name = "Accounting"
        self.assertEqual(address._membri_get_names(), "Accounting (Ada Boulanger)")
        address.type = "contact"
        self.assertEqual(address._membri_get_names(), "Accounting")
        address.write({"name": False, "type": "invoice"})
        renewal = self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        renewal.action_approve()
        invoice = renewal.invoice_id
        self.assertEqual(invoice.partner_id, address)
        for name in ("invoice", "receipt", "part_received", "invoice_reminder"):
            template = self.env_root.ref(f"membri_renewal.mail_template_{name}")
            body = template._render_field("body_html", invoice.ids)[invoice.id]
            self.assertIn("Ada Boulanger", body)
            self.assertNotIn(f"{address.display_name}", body)

    def test_confirmation_that_cannot_be_made_is_told_by_its_name(self):
        """The officer reads what was not sent: the receipt, or the confirmation of a part."""
        words = "No printer"

        def fail(_move):
            raise UserError(words)

        for amount, method, told in (
            (100.0, "_membri_email_part", "confirmation of a part payment"),
            (244.93, "_membri_email_receipt", "receipt"),
        ):
            with self.subTest(method=method):
                self._pay(self.invoice, amount)
                with (
                    patch.object(type(self.invoice), method, fail),
                    mute_logger("odoo.addons.membri_renewal.models.mixins.state"),
                ):
                    self.assertFalse(self._send_receipts())
                activity = self.invoice.activity_ids.sorted("id")[-1:]
                self.assertIn(f"{told} was not sent: No printer", activity.summary)
                self.invoice.activity_ids.unlink()

    def test_no_confirmation_of_a_part(self):
        """Nor of a credit note, a write-off, or where no payment is confirmed."""
        credit_note = self._credit(self.invoice, price=100.0)
        (self.invoice | credit_note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        self.assertFalse(self.invoice.membri_part_to_confirm)
        self._settle_by_entry(self.company_data["default_account_expense"], 10.0)
        self.assertFalse(self.invoice.membri_part_to_confirm)
        self.company.with_env(self.env_root).membri_payment_confirmation = False
        self._pay(self.invoice, 20.0)
        self.assertFalse(self.invoice.membri_part_to_confirm)
        self.company.with_env(self.env_root).membri_payment_confirmation = True
        with freeze_time("2028-06-15 15:00:00"):
            self.invoice._membri_follow_receipts()
        self.assertFalse(self.invoice.membri_part_to_confirm, "booked long ago")

    def test_no_confirmation_of_what_is_no_payment(self):
        self._settle_by_entry(self.company_data["default_account_expense"], 344.93)
        self.assertFalse(self.invoice.membri_receipt_to_send)
        self._follow(self._renewal_in("approved"))
        self._pay_and_write_off(100.0)
        self.assertFalse(self.invoice.membri_receipt_to_send, "the officer decides first")
        self.invoice.with_user(self.officer).action_membri_keep_membership()
        self.assertTrue(self.invoice.membri_receipt_to_send)

    def test_confirmation_is_looked_at_when_it_leaves(self):
        payment = self._pay(self.invoice)
        payment.action_cancel()
        self.assertFalse(self._send_receipts())
        self._pay(self.invoice)
        self.assertEqual(len(self._send_receipts()), 1, "paid again")

    def test_confirmation_of_money_that_went_back(self):
        """Issue 12 B2: to Odoo the invoice is still paid; nothing is left to certify."""
        payment = self._pay(self.invoice)
        self.invoice.sudo()._membri_send_receipts()
        [mail] = self.invoice.sudo().message_ids.mail_ids.filtered(
            lambda mail: mail.membri_kind == "receipt"
        )
        refund = self.env_account["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": payment.partner_id.id,
                "amount": payment.amount,
                "journal_id": payment.journal_id.id,
                "date": "2027-01-15",
            }
        )
        refund.sudo().source_payment_id = payment
        refund.action_post()
        self.assertFalse(self.invoice._membri_has_receipt())
        with self.mock_mail_gateway():
            mail.send()
        self.assertEqual(mail.state, "cancel")
        self.assertFalse(self._mails)
        self.assertFalse(self.invoice.membri_date_receipt_sent)

    def test_setting_and_catching_up(self):
        self.company.with_env(self.env_root).membri_payment_confirmation = False
        self._pay(self.invoice)
        self.assertFalse(self.invoice.membri_receipt_to_send)
        self.company.with_env(self.env_root).membri_payment_confirmation = True
        self._follow(self._renewal_in("approved"))
        self._register_payment(self.invoice, payment_date="2026-11-01")
        self.assertFalse(self.invoice.membri_receipt_to_send, "booked months later")

    def test_check_that_is_dated_ahead(self):
        """It counts as paid, as Odoo has it; that it came is certified and told on its day."""
        day = self.company._membri_today() + timedelta(days=40)
        self._register_payment(self.invoice, payment_date=day)
        self.assertTrue(self.invoice._membri_is_paid())
        self.assertFalse(self.invoice._membri_has_receipt())
        self.assertFalse(self._send_receipts())
        self.assertFalse(self.invoice.membri_receipt_name)
        self.assertTrue(self.invoice.membri_receipt_to_send)
        with freeze_time(f"{day} 15:00:00"):
            self.assertEqual(len(self._send_receipts()), 1)
            self.assertTrue(self.invoice.membri_receipt_name)
            self.assertFalse(self.invoice.membri_receipt_to_send)

    def test_check_that_is_dated_ahead_and_comes_back(self):
        day = self.company._membri_today() + timedelta(days=40)
        payments = self._register_payment(self.invoice, payment_date=day)
        payments.action_draft()
        payments.unlink()
        self.assertFalse(self.invoice._membri_is_paid())
        with freeze_time(f"{day} 15:00:00"):
            self.assertFalse(self._send_receipts())
        self.assertRecordValues(
            self.invoice, [{"membri_receipt_name": False, "membri_receipt_to_send": False}]
        )

    def test_payer_without_email_leaves_a_note(self):
        self.invoice.partner_id.email = False
        self._pay(self.invoice)
        self.assertFalse(self._send_receipts())
        self.assertFalse(self.invoice.membri_receipt_to_send)
        self.assertIn(self.invoice.partner_id.name, self.invoice.message_ids[0].body)

    def test_member_column(self):
        """Issue 12 B8: members in the list of invoices, searched and grouped by."""
        member = self.renewal.partner_id
        payer = self._create_member("Payer Ltd", is_company=True)
        self.assertEqual(self.invoice.membri_member_ids, member)
        credit_note = self._credit(self.invoice)
        self.assertEqual(credit_note.membri_member_ids, member)
        found = self.env_account["account.move"].search([("membri_member_ids", "=", member.id)])
        self.assertEqual(found, self.invoice | credit_note)
        groups = dict(
            self.env_account["account.move"]._read_group(
                [("id", "in", found.ids)], ["membri_member_ids"], ["__count"]
            )
        )
        self.assertEqual(groups, {member: 2})
        self.assertFalse(
            self.env_account["account.move"].search([("membri_member_ids", "=", payer.id)])
        )

    def test_members_of_many_invoices_cost_one_query(self):
        invoices = self.invoice
        for _number in range(3):
            invoices |= self._renewal_in("approved").invoice_id.with_env(self.env_account)
        self.env.flush_all()
        with patch("odoo.addons.membri_renewal.models.invoice.display.MANY", 0):
            few = self._count_queries(invoices[:1])
            many = self._count_queries(invoices)
        self.assertLessEqual(many, few)

    def _count_queries(self, moves):
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        moves._compute_membri_member_ids()
        return self.env.cr.sql_log_count - before

    def test_fee_notice_tells_its_amount_due(self):
        self.company.membri_fee_notice = True
        notice = self._renewal_in("approved").invoice_id.with_env(self.env_account)
        self.assertRecordValues(
            notice, [{"membri_fee_notice_state": "open", "membri_amount_due": 344.93}]
        )
        self.assertTrue(notice.membri_fee_notice_name)


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestInvoicePage(PortalPaymentCase):
    """Issue 12 B4: the page of a membership invoice."""

    def test_page_of_a_credit_note(self):
        self._pay(self.invoice)
        note = self._credit(self.invoice)
        page = self._get_page(note)
        self.assertIn(CREDIT, page)
        self.assertNotIn(STANDING, page)
        for text in (self.invoice.name, *note._membri_get_credit_sentences()):
            self.assertIn(text, page.replace("&nbsp;", "\xa0"))

    def test_b4_failed_try_says_nothing_once_paid(self):
        """Odoo's message of the last transaction stood above our thanks. One that is pending is
        shown, and looked at again, by Odoo's."""
        odoo_says = "o_account_payment_tx_status"
        with mute_logger("odoo.addons.payment.models.payment_transaction"):
            self._answer(self._begin_payment(), "error")
        self._pay(self.invoice, 100.0)
        self.assertNotIn(odoo_says, self._get_page(self.invoice))
        self._answer(self._begin_payment(), "pending")
        self.assertIn(odoo_says, self._get_page(self.invoice))

    def test_last_try_is_told(self):
        self.assertNotIn(LAST_TRY, self._get_page(self.invoice))
        for state, level in (("error", "danger"), ("cancel", "warning"), ("pending", "info")):
            with (
                self.subTest(state=state),
                mute_logger("odoo.addons.payment.models.payment_transaction"),
            ):
                self._answer(self._begin_payment(), state)
                self.assertEqual(self.invoice._membri_get_last_try()[0], level)
                self.assertIn(LAST_TRY, self._get_page(self.invoice))

    def test_email_asks_for_nothing_while_a_payment_is_under_way(self):
        """Who had just paid, and waited for the provider, was mailed an amount due and a day."""
        due = self.invoice.currency_id.format(self.invoice.amount_total)
        self.assertEqual(dict(self.invoice._membri_get_mail_rows())["Amount due"], due)
        self.assertEqual(self.invoice._membri_get_button_label(), "View and Pay")
        self._answer(self._begin_payment(), "pending")
        rows = dict(self.invoice._membri_get_mail_rows())
        self.assertEqual(rows["Payment in progress"], due)
        self.assertFalse({"Amount due", "Due by"} & set(rows))
        self.assertEqual(self.invoice._membri_get_button_label(), "View the Invoice")
        pdf = self.env_root["ir.actions.report"]._render_qweb_html(
            "account.report_invoice", self.invoice.ids
        )[0]
        self.assertIn(b'name="membri_under_way"', pdf)
        self.assertNotIn(b'name="membri_how_to_pay"', pdf)

    def test_link_to_the_thread_leads_somewhere(self):
        """The thread is for those who log in; others had a link to a place that is not there."""
        officer = self.invoice.invoice_user_id.email_normalized
        page = self._get_page(self.invoice)
        self.assertNotIn("#discussion", page)
        self.assertIn(f"mailto:{officer}", page)
        self.authenticate(self.officer.login, self.officer.login)
        page = self._get_page(self.invoice)
        self.assertIn("#discussion", page)
        self.assertIn('id="invoice_communication"', page)

    def test_paid_page_speaks_of_the_year_paid(self):
        self._answer(self._begin_payment(), "done")
        page = self._get_page(self.invoice)
        self.assertIn(self.cotisation._membri_get_paid_sentence(), page)
        self.assertIn('id="membri_receipt_link"', page)
        self.assertNotIn(LAST_TRY, page)
        self.assertTrue(self.invoice.membri_receipt_to_send)

    def test_late_by_so_many_days(self):
        due = self.invoice.invoice_date_due
        for days, text in ((0, None), (1, "late by 1 day."), (323, "late by 323 days.")):
            with self.subTest(days=days), freeze_time(f"{due + timedelta(days=days)} 15:00:00"):
                self.assertEqual(self.invoice._membri_get_days_late(), days)
                sentence = self.invoice._membri_get_late_sentence()
                self.assertEqual(bool(sentence), bool(text))
                if text:
                    self.assertIn(text, sentence)
        self._pay(self.invoice)
        with freeze_time(f"{due + timedelta(days=323)} 15:00:00"):
            self.assertEqual(self.invoice._membri_get_days_late(), 0)

    def test_page_of_the_association(self):
        """Two companies: name and logo are those of the invoice, on every page."""
        other = self._create_other_company("Other chapter", "UTC")
        self.env_root.ref("base.public_user").write(
            {"company_ids": [fields.Command.link(other.id)], "company_id": other.id}
        )
        logo = f"/logo.png?company={self.company.id}"
        page = self._get_page(self.invoice)
        self.assertIn(STANDING, page)
        self.assertIn(logo, page)
        self.assertIn(self.company.name, page)
        self._begin_payment()
        status = self.url_open("/payment/status").text
        self.assertIn(logo, status)
        self.assertIn(self.company.name, status)

    def test_cancelled_one_is_not_to_be_paid(self):
        self.renewal.action_reset()
        self.assertIn("do not pay", self.invoice._membri_get_standing_sentences()[0])

    def test_what_is_void_is_not_late(self):
        """Cancelled, or a credit note of ours: neither is due."""
        due_in = "o_portal_sidebar_timeago"
        self.assertIn(due_in, self._get_page(self.invoice))
        credit_note = self._credit(self.invoice, price=100.0)
        credit_note.button_draft()
        credit_note.button_cancel()
        self.assertNotIn(due_in, self._get_page(credit_note))
        self.assertEqual(credit_note._membri_get_portal_status()[1], "Cancelled")
        self.renewal.action_reset()
        self.assertEqual(self.invoice.state, "cancel")
        self.assertNotIn(due_in, self._get_page(self.invoice))
