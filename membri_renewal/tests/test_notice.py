import io
from unittest.mock import patch
from urllib.parse import parse_qs, urlparse

from lxml import html

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfFileReader

from .common_delivery import NoticeCase

REPORT = "membri_renewal.report_renewal_notice"


@tagged("post_install", "-at_install")
class TestNoticeEmail(NoticeCase):
    def test_language_of_the_recipient(self):
        french = self._create_renewal(self._create_yearly(lang="fr_FR"))
        english = self._create_renewal(self._create_yearly(lang="en_US"))
        (french + english).action_send()
        mail = self._get_mails(french)
        self.assertEqual(mail.subject, f"Votre adhésion à {self.company.name}")
        self.assertIn("Bonjour", mail.body_html)
        self.assertIn("31 déc. 2027", mail.body_html)
        self.assertIn("/fr/my/renewals/", mail.body_html)
        mail = self._get_mails(english)
        self.assertIn("renew your membership", mail.subject)
        self.assertIn("Hello", mail.body_html)
        self.assertIn("January 1, 2027 to December 31, 2027, $", mail.body_html)

    def test_one_button_with_the_token(self):
        renewal = self._renewal_in("sent")
        links = html.fromstring(self._get_leaving(self._get_mails(renewal))).xpath("//a/@href")
        answers = [link for link in links if "/my/" in link or "/mail/" in link]
        self.assertEqual(len(answers), 1, answers)
        self.assertTrue(answers[0].startswith(renewal.get_base_url()))
        query = parse_qs(urlparse(answers[0]).query)
        self.assertEqual(query, {"access_token": [renewal.access_token]})

    def test_sender_and_attachment(self):
        renewal = self._renewal_in("sent")
        mail = self._get_mails(renewal)
        self.assertEqual(mail.email_from, self.officer.email_formatted)
        self.assertEqual(mail.reply_to, self.officer.email_formatted)
        self.assertEqual(mail.attachment_ids.mapped("mimetype"), ["application/pdf"])
        self.assertIn(renewal.name.replace("/", "-"), mail.attachment_ids.name)

    def test_who_receives(self):
        """The address for notices, else the person in charge, the contact, the parent that
        pays."""
        parent = self._create_member("Parent Ltd", is_company=True, membri_group_invoices=True)
        in_charge = self._create_member("Percy in Charge")
        cotisation = self._create_yearly(parent_id=parent.id)
        member = cotisation.partner_id
        member.membri_responsible_id = in_charge
        member.membri_renewal_email = "renewals@example.com"
        renewal = self._create_renewal(cotisation)
        renewal.action_send()
        self.assertIn("renewals@example.com", self._get_mails(renewal).email_to or "")
        self.assertFalse(self._get_mails(renewal).recipient_ids)
        for clear, expected in (
            (lambda: member.write({"membri_renewal_email": False}), in_charge),
            (lambda: in_charge.write({"email": False}), member),
            (lambda: member.write({"email": False}), parent),
        ):
            clear()
            before = self._get_mails(renewal)
            renewal.action_send()
            self.assertEqual((self._get_mails(renewal) - before).recipient_ids, expected)

    def test_trace(self):
        """Every notice shows on the contact, the parent that pays and the recipient, with the
        PDF; on an employer that does not pay, nothing."""
        parent = self._create_member("Parent Ltd", is_company=True, membri_group_invoices=True)
        employer = self._create_member("Employer Ltd", is_company=True)
        self._create_renewal(self._create_yearly(parent_id=employer.id)).action_send()
        self.assertNotIn("membri.renewal", "".join(employer.message_ids.mapped("body")))
        in_charge = self._create_member("Percy in Charge")
        renewal = self._create_renewal(self._create_yearly(parent_id=parent.id))
        renewal.partner_id.membri_responsible_id = in_charge
        renewal.action_send()
        attachment = self._get_notice_messages(renewal).attachment_ids
        self.assertEqual(len(attachment), 1)
        for contact in renewal.partner_id, parent, in_charge:
            logged = contact.message_ids.filtered(lambda m: renewal.name in m.body)
            self.assertEqual(len(logged), 1)
            self.assertEqual(logged.attachment_ids, attachment)
            self.assertIn("goes to Percy in Charge", logged.body)

    def test_delivery(self):
        """Delivered is what the mail server has taken, not what waits for it."""
        renewal, refused = self._renewal_in("sent"), self._renewal_in("sent")
        self.assertEqual(renewal.delivery_state, "queued")
        self._get_mails(renewal)._postprocess_sent_message(renewal.recipient_id.ids, [])
        self.assertEqual(renewal.delivery_state, "delivered")
        self._get_mails(refused)._postprocess_sent_message(
            [], [], failure_reason="550 no such user", failure_type="mail_smtp"
        )
        self.assertEqual(refused.delivery_state, "failed")
        # what the mail server says is a sentence among ours
        self.assertIn("550 no such user. ", refused.delivery_note)

    def test_other_emails_are_not_notices(self):
        renewal = self._renewal_in("sent")
        mail = self.env_root["mail.mail"].create(
            {"model": renewal._name, "res_id": renewal.id, "subject": "Something else"}
        )
        mail._postprocess_sent_message([], [], failure_reason="550", failure_type="mail_smtp")
        self.assertEqual(renewal.delivery_state, "queued")

    def test_reminders(self):
        renewal = self._renewal_in("sent")
        renewal.action_send_reminder()
        reminder = self._get_mails(renewal).sorted("id")[-1]
        self.assertIn("Reminder", reminder.subject)
        self.assertIn(renewal.access_token, self._get_leaving(reminder))
        renewal.action_approve()
        invoice = renewal.invoice_id
        pdf = {"filename": "INV.pdf", "filetype": "pdf", "content": b"%PDF-"}
        with patch.object(type(invoice), "_get_invoice_legal_documents", return_value=pdf):
            renewal.action_send_reminder()
        reminder = self._get_mails(renewal).sorted("id")[-1]
        self.assertIn(invoice.name, reminder.subject)
        self.assertIn(
            f"/my/invoices/{invoice.id}?access_token={invoice.access_token}",
            self._get_leaving(reminder).replace("&amp;", "&"),
        )
        self.assertEqual(reminder.attachment_ids.mapped("name"), ["INV.pdf"])

    def test_what_changes(self):
        cotisation = self._create_cotisation(
            self.member,
            "2026-01-01",
            line_ids=[
                fields.Command.create({"product_id": self.product.id, "price_unit": 280.0}),
                fields.Command.create({"product_id": self.extra.id, "price_unit": 50.0}),
            ],
        )
        renewal = self._create_renewal(cotisation)
        renewal.line_ids.filtered(lambda line: line.product_id == self.extra).unlink()
        changes = [change.replace("\xa0", " ") for change in renewal._get_changes()]
        self.assertEqual(
            changes,
            [
                "Membership: $ 300.00 (was $ 280.00).",
                "Directory listing: no longer included.",
            ],
        )


@tagged("post_install", "-at_install")
class TestNoticePdf(NoticeCase, HttpCase):
    """Printed by wkhtmltopdf, as members get it."""

    def _print(self, renewal):
        """:return: the text of each page"""
        report = self.env["ir.actions.report"].sudo().with_context(force_report_rendering=True)
        content, kind = report._render_qweb_pdf(REPORT, renewal.ids)
        self.assertEqual(kind, "pdf")
        pages = PdfFileReader(io.BytesIO(content)).pages
        return [" ".join(page.extract_text().split()) for page in pages]

    def test_member_by_their_own_name(self):
        """Odoo puts the employer before the name: a personal membership is not the employer's."""
        employer = self._create_member("Employer & Sons", is_company=True)
        member = self._create_member("Manon Personal", parent_id=employer.id)
        renewal = self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        content, _type = self.env["ir.actions.report"]._render_qweb_html(REPORT, renewal.ids)
        [told] = html.fromstring(content).xpath("//*[@name='informations_member']/div")
        self.assertEqual(told.text_content().strip(), "Manon Personal")

    def test_french(self):
        renewal = self._create_renewal(self._create_yearly(lang="fr_FR"))
        renewal.action_send()
        [text] = self._print(renewal)
        for expected in (
            "Avis de renouvellement",
            renewal.name,
            renewal.partner_id.name,
            "31 décembre 2026",
            "1er janvier 2027",
            "345,00",
            f"/my/renewals/{renewal.id}",
        ):
            self.assertIn(expected, text)
        self.assertNotIn("Renewal notice", text)

    def test_forty_lines(self):
        products = self.product.browse()
        for number in range(40):
            products |= self._create_option(f"Option {number:02}", 10.0)
        option_set = self._create_option_set("Forty", products)
        cotisation = self._create_cotisation(self.member, "2026-01-01", option_set)
        renewal = self._create_renewal(cotisation)
        renewal.action_send()
        pages = self._print(renewal)
        self.assertGreater(len(pages), 1)
        for number, text in enumerate(pages, 1):
            self.assertIn(f"{number} / {len(pages)}", text)
            if "Option 3" in text or "Option 1" in text:
                self.assertIn("Option Taxes Amount", text, "the head of the table is repeated")
        text = "\n".join(pages)
        for product in products:
            self.assertEqual(text.count(product.name), 1)

    def test_printing_makes_no_link(self):
        """A draft that the staff prints holds no link; looking at it makes none."""
        renewal = self._renewal_in("draft")
        [text] = self._print(renewal)
        self.assertNotIn("access_token", text)
        self.assertFalse(renewal.access_token)
