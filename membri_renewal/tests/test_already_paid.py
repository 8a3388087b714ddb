import base64
import struct
import zlib
from datetime import timedelta
from io import BytesIO
from unittest.mock import patch

from freezegun import freeze_time
from lxml import html
from PIL import Image

from odoo import fields, http
from odoo.tests import tagged

from ..models.invoice.payment_report import _is_image
from .common import MembriCommon
from .common_membership import MembershipCase

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="
)
ACTIVITY = "membri_renewal.activity_payment_reported"


def _make_png(width, height):
    """:return: an image in black and white, of few bytes for many pixels"""

    def pack(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    rows = zlib.compress(bytes(1 + (width + 7) // 8) * 9)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + pack(b"IHDR", head) + pack(b"IDAT", rows) + pack(b"IEND", b"")


def _make_turned_jpeg(width, height):
    """:return: a photo taken upright, whose head alone says how large it is"""
    turned = Image.Exif()
    turned[0x112] = 6
    made = BytesIO()
    Image.new("L", (8, 8)).save(made, "JPEG", exif=turned)
    content = bytearray(made.getvalue())
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(content)


@tagged("post_install", "-at_install")
class TestAlreadyPaid(MembershipCase):
    """*I have already paid*: tells the staff where to look, and changes nothing else."""

    def setUp(self):
        super().setUp()
        self.renewal = self._renewal_of_corporation("approved")
        self.invoice = self.renewal.invoice_id
        self.path = f"/my/membership/invoices/{self.invoice.id}"

    def _tell(self, token=None, files=None, **data):
        data = {"method": "cheque", "date": str(self.today), **data}
        if token:
            data["access_token"] = token
        if files is None:
            return self._post(f"{self.path}/announce", **data)
        data["csrf_token"] = http.Request.csrf_token(self)
        self.env.flush_all()
        response = self.url_open(
            f"{self.path}/announce", data=data, files=files, allow_redirects=False
        )
        self.env.invalidate_all()
        return response

    def _get_money(self):
        """What a member must never change by telling."""
        self.env.invalidate_all()
        return (
            self.invoice.payment_state,
            self.invoice.amount_residual,
            self.invoice.state,
            self.renewal.state,
            self.renewal.is_paid,
            self.renewal.new_cotisation_id.state,
        )

    def test_told(self):
        before = self._get_money()
        self._sign_in("member_user")
        response = self._tell(
            amount="345,00", reference="CHQ <b>12</b>", message="<script>x</script>\r\nSorry"
        )
        self.assertIn("done=1", response.headers["Location"])
        self.assertIn("membri_done", self.url_open(response.headers["Location"]).text)
        self.assertEqual(self._get_money(), before)
        self.assertTrue(self.invoice.membri_date_reported)
        self.assertEqual(self.renewal.date_payment_reported, self.invoice.membri_date_reported)
        for record in self.invoice, self.renewal:
            message = record.message_ids[0]
            self.assertIn("345.00", message.body)
            self.assertIn("CHQ &lt;b&gt;12", message.body)
            self.assertIn("&lt;script&gt;", message.body)
            self.assertNotIn("<script>", message.body)
            self.assertEqual(message.author_id, self.member)
            self.assertTrue(message.is_internal, "not shown on the portal")
        activity = self.invoice.activity_ids
        self.assertEqual(activity.activity_type_id, self.env.ref(ACTIVITY))
        self.assertEqual(activity.user_id, self.officer)
        self.assertFalse(self.renewal.activity_ids, "one to-do for one person")
        announced = self.env["membri.renewal"].search(
            [("date_payment_reported", "!=", False), ("is_paid", "=", False)]
        )
        self.assertIn(self.renewal, announced)

    def test_another_person_checks_payments(self):
        self.company.sudo().membri_payment_user_id = self.manager
        self._sign_in(None)
        self._tell(self.invoice.access_token)
        self.assertEqual(self.invoice.activity_ids.user_id, self.manager)
        self.assertEqual(self.renewal.activity_ids.user_id, self.officer)
        self.assertEqual(self.invoice.message_ids[0].author_id, self.invoice.partner_id)
        self._pay(self.invoice)
        self.assertFalse(self.invoice.activity_ids + self.renewal.activity_ids, "it was found")

    def test_once_a_day(self):
        self._sign_in("member_user")
        self._tell()
        messages = self.invoice.message_ids
        first = self.invoice.membri_date_reported
        self.assertIn("error=told_today", self._tell().headers["Location"])
        self.assertEqual(self.invoice.message_ids, messages)
        self.assertEqual(self.invoice.membri_date_reported, first)
        self.invoice.sudo().membri_date_reported = fields.Datetime.subtract(first, days=1)
        self.env.flush_all()
        self.assertIn("done=1", self._tell().headers["Location"])
        self.assertEqual(len(self.invoice.activity_ids), 1)

    def test_what_is_refused(self):
        self._sign_in("member_user")
        before = self._get_stored(self.invoice), self._get_stored(self.renewal)
        tomorrow = fields.Date.add(self.today, days=1)
        for data, error in (
            ({"method": ""}, "no_method"),
            ({"method": "barter"}, "no_method"),
            ({"date": ""}, "bad_date"),
            ({"date": "yesterday"}, "bad_date"),
            ({"date": "2026-02-31"}, "bad_date"),
            ({"date": str(tomorrow)}, "bad_date"),
            ({"date": "1999-01-01"}, "bad_date"),
            ({"amount": "-5"}, "bad_amount"),
            ({"amount": "0"}, "bad_amount"),
            ({"amount": "1e3"}, "bad_amount"),
            ({"amount": "nan"}, "bad_amount"),
            ({"amount": "9" * 400}, "bad_amount"),
            ({"amount": "٣"}, "bad_amount"),
            ({"reference": "x" * 101}, "long_reference"),
            ({"message": "x" * 2001}, "too_long"),
        ):
            with self.subTest(**data):
                response = self._tell(**data)
                self.assertIn(f"error={error}", response.headers["Location"])
                page = self.url_open(response.headers["Location"]).text
                self.assertIn("membri_error", page)
                self.assertIn("membri_already_paid", page, "it can be tried again")
        after = self._get_stored(self.invoice), self._get_stored(self.renewal)
        self.assertEqual(after, before)

    def test_what_was_typed_is_kept(self):
        """A photo that is too large emptied the form: on a telephone, a minute of typing."""
        self._sign_in("member_user")
        typed = {"method": "transfer", "date": "2026-11-01", "amount": "100,5x"}
        typed |= {"reference": 'VIR "778"', "message": "<b>Two</b>\nlines"}
        url = self._tell(**typed).headers["Location"]
        form = html.fromstring(self.url_open(url).content).xpath(
            "//form[@id='membri_already_paid']"
        )
        shown = dict(form[0].fields)
        for name, text in typed.items():
            self.assertEqual(shown[name], text)
        page = html.fromstring(self.url_open(url).content)
        [form] = page.xpath("//form[@id='membri_already_paid']")
        shown = dict(form.fields)
        self.assertFalse(shown["reference"], "once")
        self.assertEqual(
            shown["message"], "", "a text that is missing does not take the field away"
        )

    def test_photos_are_measured_before_they_are_turned(self):
        """Odoo turned one of 177 million pixels upright, in 1.4 GB, and then refused it."""
        with patch("odoo.tools.image.image_fix_orientation") as turn:
            self.assertFalse(_is_image(_make_turned_jpeg(9000, 9000)))
        turn.assert_not_called()
        self.assertTrue(_is_image(_make_turned_jpeg(8, 8)))

    def test_files(self):
        self._sign_in("member_user")
        too_big = b"%PDF-1.4" + b"0" * (5 * 1024 * 1024)
        for name, content, error in (
            ("proof.pdf", b"<html><script>alert(1)</script></html>", "bad_file"),
            ("proof.pdf", b"MZ\x90\x00", "bad_file"),
            ("image.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "bad_file"),
            ("big.pdf", too_big, "big_file"),
            # Odoo makes images smaller, and failed on these
            ("bomb.png", _make_png(40000, 40000), "bad_image"),
            ("pixels.png", _make_png(8000, 8000), "bad_image"),
            ("no.jpg", b"\xff\xd8\xff\xe0" + b"0" * 100, "bad_image"),
        ):
            with self.subTest(name=name, error=error):
                response = self._tell(files={"document": (name, content)})
                self.assertIn(f"error={error}", response.headers["Location"])
                page = html.fromstring(self.url_open(response.headers["Location"]).content)
                self.assertTrue(page.xpath("//div[@id='membri_error']"))
        self.assertFalse(self.invoice.membri_date_reported)
        main = self.invoice.message_main_attachment_id
        self._tell(files={"document": ("../../evil.html", PNG, "text/html")})
        proof = self.invoice.message_ids[0].attachment_ids
        self.assertEqual(proof.name, f"Proof of payment, Invoice {self.invoice.name}.png")
        self.assertEqual(proof.mimetype, "image/png")
        self.assertEqual(proof.raw, PNG)
        self.assertFalse(proof.public or proof.access_token)
        self.assertEqual(self.invoice.message_main_attachment_id, main)

    def test_who(self):
        token = self.invoice.access_token
        for login, given, told in (
            (None, None, False),
            (None, "wrong", False),
            (None, "é", False),
            ("stranger_user", None, False),
            ("employee", None, False),
            ("auditor", None, False),
            ("colleague_user", None, False),
            ("officer", None, True),
            ("stranger_user", token, True),
            (None, token, True),
        ):
            with self.subTest(login=login, token=given):
                self.invoice.sudo().membri_date_reported = False
                self._sign_in(login)
                self._tell(given)
                self.assertEqual(bool(self.invoice.membri_date_reported), told)

    def test_which_invoices(self):
        """Nothing is told about what is paid, void or no membership invoice."""
        self._pay(self.invoice)
        ordinary = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.member.id,
                "invoice_date": self.today,
                "invoice_line_ids": [fields.Command.create({"name": "A table", "price_unit": 5})],
            }
        )
        ordinary.action_post()
        self._sign_in("member_user")
        self.assertIn("error=not_now", self._tell().headers["Location"])
        self.path = f"/my/membership/invoices/{ordinary.id}"
        self.assertTrue(self._tell().headers["Location"].endswith("/my"))
        self.path = "/my/membership/invoices/99999999999999999999"
        self.assertTrue(self._tell().headers["Location"].endswith("/my"))
        self.assertFalse(self.invoice.membri_date_reported or ordinary.membri_date_reported)

    def test_fee_notice(self):
        """What is paid before there is an invoice can be announced as well."""
        self.company.sudo().membri_fee_notice = True
        notice = self._renewal_of_corporation("approved").invoice_id
        self.assertEqual(notice.membri_fee_notice_state, "open")
        self.path = f"/my/membership/invoices/{notice.id}"
        self._sign_in(None)
        self.assertIn("done=1", self._tell(notice.access_token).headers["Location"])
        self.assertIn(notice.membri_fee_notice_name, notice.message_ids[0].body)
        self.assertEqual(notice.state, "draft")
        self._sign_in("member_user")
        self.assertIn(notice.membri_fee_notice_name, self._get_membership().text)

    def test_offered_where_one_pays(self):
        self._sign_in(None)
        token = self.renewal.sudo().access_token
        self.assertIn(f"{self.path}/paid", self._open(self.renewal, token).text)
        invoice_page = self.url_open(self.invoice.get_portal_url()).text
        self.assertIn(f"{self.path}/paid", invoice_page)
        self._tell(self.invoice.access_token)
        page = self._open(self.renewal, token).text
        self.assertNotIn(f"{self.path}/paid", page)
        self.assertIn("membri_payment_reported", page)

    def test_invoice_says_that_it_was_reported(self):
        """Issue 12, B4: on the page that the email leads to, too; not for ever."""
        self._sign_in(None)
        url = self.invoice.get_portal_url()
        self.assertNotIn("membri_reported", self.url_open(url).text)
        self._tell(self.invoice.access_token, amount="100")
        self.assertIn("membri_reported", self.url_open(url).text)
        self.assertIn("100.00", self.invoice._membri_get_reported_sentence())
        later = self.today + timedelta(days=self.company.membri_report_hold_days)
        with freeze_time(f"{later} 15:00:00"):
            self.assertFalse(self.invoice._membri_get_reported_sentence())


@tagged("post_install", "-at_install")
class TestAnnouncedPaymentHoldsReminders(MembriCommon):
    def test_hold(self):
        """Automatic reminders wait for some days, then go out; by hand is by hand."""
        self.env_root["membri.reminder.step"].create(
            {"option_set_id": self.yearly.id, "trigger": "after_due", "days": 5}
        )
        with freeze_time("2026-01-05 15:00:00"):
            renewal = self._create_renewal(self._create_yearly())
            renewal.action_approve()
            invoice = renewal.invoice_id
            invoice.sudo().invoice_date_due = "2026-01-06"
        told = {"method": "transfer", "date": "2026-01-08"}
        with freeze_time("2026-01-09 15:00:00"):
            self.assertFalse(invoice._membri_report_payment(self.env["res.partner"], told))
        with freeze_time("2026-01-12 15:00:00"):
            self._run_cron("ir_cron_send_reminders")
            self.assertEqual(renewal.reminder_count, 0)
            renewal.action_send_reminder()
            self.assertEqual(renewal.reminder_count, 1)
        with freeze_time("2026-01-19 15:00:00"):
            self._run_cron("ir_cron_send_reminders")
            self.assertEqual(renewal.reminder_count, 2, "ten days have passed")
