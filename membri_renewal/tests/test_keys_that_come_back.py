import io
import json
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import make_msgid
from urllib.parse import quote_plus
from uuid import uuid4

from odoo.modules.module import load_script
from odoo.tests import tagged
from odoo.tools import SQL, file_path
from odoo.tools.pdf import PdfFileReader

from .common_key import OWN_COLUMN, KeyCase, get_pdf_text


@tagged("post_install", "-at_install")
class TestKeysThatComeBack(KeyCase):
    """What a reply quotes, a member types or a colleague pastes, and the files that come in, may
    hold the key: it is kept no more than in what we send."""

    def _get_quotes(self, kind, document):
        """:return: ``{how the link comes back: HTML}``"""
        token = document.access_token
        path = f"/my/{kind}/{document.id}"
        base, asked = document.get_base_url(), f"{path}?access_token={token}"
        checked = "https://safe.example.com/?data=05&amp;url="
        return {
            "as it was": f'<a href="{base}{asked}">x</a>',
            "escaped": f'<a href="{checked}{quote_plus(base + asked)}">x</a>',
            "escaped twice": f'<a href="{checked}{quote_plus(quote_plus(asked))}">x</a>',
            "hyphens, too": f'<a href="{checked}{quote_plus(asked).replace("-", "%2D")}">x</a>',
            "by another sign": f'<a href="{checked}{asked.replace("-", "-2D")}">x</a>',
            "in words": f"<p>{base}{path}<br/>?access_token={token.upper()}</p>",
            "broken off": f"<p>&gt; {asked.replace('-', '-<br/>&gt; ', 2)}</p>",
        }

    def _receive(self, message, author, body, **files):
        """An email comes in, as the answer to ``message``."""
        reply = EmailMessage()
        reply["From"], reply["To"] = author.email, "team@example.com"
        reply["Subject"], reply["Message-Id"] = "Re: Renewal", make_msgid()
        reply["In-Reply-To"] = reply["References"] = message.message_id
        reply.set_content(f"Thank you {body}", subtype="html")
        for name, (content, kind, subtype) in files.items():
            reply.add_attachment(content, maintype=kind, subtype=subtype, filename=name)
        number = self.env_root["mail.thread"].message_process(None, reply.as_bytes())
        self.assertEqual(number, message.res_id)
        answer = self.env[message.model].browse(number).sudo().message_ids[0]
        self.assertIn("Thank you", answer.body)
        self.assertEqual(answer.message_type, "email")
        return answer

    def test_in_texts(self):
        self.renewals.action_send()
        self.approved.action_approve()
        invoice = self.approved.invoice_id
        # with another address, for which there is another token
        payer = self._create_portal_user("payer_user", invoice.partner_id)
        token = invoice.sudo()._portal_ensure_token()
        self.keys = self.renewals.sudo().mapped("access_token")
        sent = [
            self.renewal.sudo().message_ids[-1],
            self.member.message_post(body="Hello", partner_ids=self.member.ids),
            invoice.sudo().message_post(body="Hello", partner_ids=invoice.partner_id.ids),
        ]
        quotes = self._get_quotes("renewals", self.renewal.sudo())
        quotes_of_invoice = self._get_quotes("invoices", invoice.sudo())
        for message in sent:
            for how, quote in quotes.items():
                with self.subTest(about=message.model, how=how):
                    body = self._receive(message, self.member, quote + quotes_of_invoice[how]).body
                    for part in (self.renewal.access_token, token):
                        self.assertNotIn(part[-12:], body.lower())
        link = f"my link {self.renewal._get_answer_url()}, {invoice.sudo().get_portal_url()}"
        checked = f"and https://safe.example.com/?url={quote_plus(link)}"
        self.assertFalse(self.renewal.sudo()._portal_request_change(self.member, link))
        self.assertFalse(self.renewal.sudo()._portal_ask_call(self.member, "morning", "5", checked))
        self.member.activity_schedule("mail.mail_activity_data_todo", note=checked, summary=link)
        told = {"method": "cash", "date": str(self.company._membri_today()), "message": checked}
        self.assertFalse(invoice.sudo()._membri_report_payment(self.stranger, told))
        self.member.message_notify(
            body="x", subject=quotes["escaped"], partner_ids=self.auditor.partner_id.ids
        )
        posted = invoice.with_user(payer).sudo().message_post(body=link + checked)
        self.assertIn("my link", posted.body)
        self.assertEqual(self._find_columns(self.keys), {OWN_COLUMN})
        # Odoo's emails to the payer have it in their button: they are the administrators' to read
        kept = {("account_move", "access_token"), ("mail_mail", "body_html")}
        self.assertEqual(self._find_columns([token]), kept)

    def test_in_files(self):
        self.renewals.action_send()
        self.keys = self.renewals.sudo().mapped("access_token")
        mail = self._get_mails(self.renewal)[-1]
        [email] = mail._prepare_outgoing_list()
        [(_name, pdf, _kind)] = email["attachments"]
        self.assertIn(self.renewal.access_token, get_pdf_text(pdf))
        self.assertIn(self.renewal.access_token, email["body"])
        page, whole = str(email["body"]), EmailMessage()
        whole["Message-Id"], whole["From"] = make_msgid(), "a@example.com"
        whole.set_content(f"see {self.renewal._get_answer_url()}", cte="base64")
        whole.add_alternative(page, subtype="html", cte="quoted-printable")
        whole.add_attachment(pdf, maintype="application", subtype="pdf", filename="in.pdf")
        answer = self._receive(
            mail.mail_message_id,
            self.member,
            "",
            **{
                "signed.pdf": (pdf, "application", "pdf"),
                "page.html": (page.encode(), "text", "html"),
                "whole.eml": (whole.as_bytes(), "application", "octet-stream"),
                "broken.pdf": (b"%PDF" + page.encode(), "application", "pdf"),
                "other.bin": (b"\0" + pdf[:9], "application", "octet-stream"),
            },
        )
        files = {file.name: file.raw for file in answer.attachment_ids}
        self.assertEqual(len(files), 5)
        text = get_pdf_text(files["signed.pdf"])
        self._assert_no_key(text)
        self.assertIn(f"/my/renewals/{self.renewal.id}", text)
        self.assertNotIn(b"MembriKey", b"".join(self._get_operators(files["signed.pdf"])))
        self.assertIn(b"MembriKey", b"".join(self._get_operators(pdf)), "which are found")
        self._assert_no_key(files["page.html"].decode())
        self.assertIn(b"/my/renewals/", files["page.html"])
        parts = [
            part.get_payload(decode=True)
            for part in message_from_bytes(files["whole.eml"]).walk()
            if not part.is_multipart()
        ]
        self.assertEqual(len(parts), 3)
        for part in parts:
            self._assert_no_key(get_pdf_text(part) if part[:4] == b"%PDF" else part.decode())
        self.assertEqual(files["other.bin"], b"\0" + pdf[:9])
        self._assert_no_key(str(answer.attachment_ids.mapped("index_content")))

    def _get_operators(self, content):
        """:return: what draws the first page of a PDF, stream by stream"""
        drawn = PdfFileReader(io.BytesIO(content)).pages[0]["/Contents"].get_object()
        drawn = drawn if isinstance(drawn, list) else [drawn]
        return [stream.get_object().get_data() for stream in drawn]

    def test_what_is_no_key_stays(self):
        """Other numbers of this form, former keys, and what the staff sends to a payer."""
        self.renewals.action_send()
        self.approved.action_approve()
        invoice = self.approved.invoice_id.sudo()
        other = str(uuid4())
        note = self.member._message_log(body=f"Order {other}")
        self.assertIn(other, note.body)
        link = f"{invoice.get_base_url()}{invoice.get_portal_url()}"
        self.assertIn("access_token=", link)
        message = self.approved.partner_id.message_post(body=link)
        self.assertIn(link.partition("access_token=")[2], message.body)
        file = self.env["ir.attachment"].create({"name": "x.txt", "raw": f"token {other}"})
        self.assertEqual(file.raw, f"token {other}".encode())

    def test_texts_without_end(self):
        """Anybody may send an email: what is looked for in it takes no longer than it is long
        (where it did, these took minutes, or ended in an error)."""
        self.renewals.action_send()
        self.keys = self.renewals.sudo().mapped("access_token")
        path, key = f"/my/renewals/{self.renewal.id}", self.renewal.sudo().access_token
        asked, many = f"access_token={key}", 20_000
        for how, body in {
            "keys in an address": f"{path}?" + f"{asked}&" * many,
            "addresses in an address": f"{path * many}?{asked}",
            "a number": f"{path}{'1' * many} {path}?{asked}",
            "what breaks a key": f"{'<aaaaaaaa->' * many}{path}?{asked}",
        }.items():
            with self.subTest(how):
                [kept] = self.member._without_keys([{"comment": body}])
                self.assertIn(path, kept["comment"])
                self.assertNotIn("access_token", kept["comment"])
                self._assert_no_key(kept["comment"])
        nested = b"Received: x\n\n" * 600 + f"see {path}?{asked}".encode()
        file = self.env["ir.attachment"].create({"name": "x.eml", "raw": nested})
        self.assertIn(path.encode(), file.raw)
        self._assert_no_key(file.raw.decode())

    def test_pictures_are_not_read(self):
        given = {"name": "Ada", "image_1920": "R0lGODlhAQAB", "comment": "<p>x</p>", "color": 3}
        read = self.member._get_given_texts(given)
        self.assertEqual([name for name, _text in read], ["name", "comment"])

    def test_what_was_kept_before(self):
        """The upgrade cleans the texts and the files that came in."""
        self.renewals.action_send()
        self.approved.action_approve()
        invoice = self.approved.invoice_id.sudo()
        token = invoice._portal_ensure_token()
        self.keys = self.renewals.sudo().mapped("access_token")
        answer = self._receive(
            self.renewal.sudo().message_ids[-1],
            self.member,
            "",
            **{"a.txt": (b"x", "text", "plain"), "b.txt": (b"y", "text", "plain")},
        )
        note = self.member._message_log(body="x")
        activity = self.member.activity_schedule("mail.mail_activity_data_todo", note="x")
        self.env.flush_all()
        quoted = self._get_quotes("renewals", self.renewal.sudo())["escaped"]
        quoted += self._get_quotes("invoices", invoice)["as it was"]
        for table, name, record, kind in (
            ("mail_message", "body", answer, "text"),
            ("mail_message", "subject", answer, "text"),
            ("mail_message", "body", note, "text"),
            ("mail_activity", "summary", activity, "text"),
            ("membri_renewal", "intervention_reason", self.renewal, "text"),
            ("res_partner", "membri_intervention_reason", self.member, "jsonb"),
        ):
            value = json.dumps({self.company.id: quoted}) if kind == "jsonb" else quoted
            self.env.execute_query(
                SQL(
                    "UPDATE %s SET %s = %s::%s WHERE id = %s",
                    SQL.identifier(table),
                    SQL.identifier(name),
                    value,
                    SQL(kind),
                    record.id,
                )
            )
        self.env.invalidate_all()
        files = answer.attachment_ids.sorted("name")
        files[0].raw = quoted.encode()
        self.assertIn(self.keys[0].encode(), files[0].raw, "as it was kept")
        path = file_path("membri_renewal/migrations/19.0.1.2.11/post-keys.py")
        load_script(path, "membri_post_keys_back").migrate(self.env.cr, "19.0.1.2.10")
        self.assertEqual(self._find_columns(self.keys), {OWN_COLUMN})
        # what the staff noted may link to an invoice, as ever
        kept = {("account_move", "access_token"), ("mail_message", "body")}
        self.assertEqual(self._find_columns([token]), kept)
        self.assertIn(token, note.body)
        self.assertNotIn(token, answer.body)
        self.assertIn("safe.example.com", self.member.membri_intervention_reason)
        self.assertNotIn(self.keys[0].encode(), files[0].raw)
        self.assertEqual(files[1].raw, b"y")
