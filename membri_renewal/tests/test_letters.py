import io
from functools import partial
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger
from odoo.tools.pdf import PdfFileReader

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestLetters(MembriCommon, HttpCase):
    """Members whom no email reaches, or who want paper: printed by wkhtmltopdf, in one file."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "force_report_rendering": True})
        cls.queue = cls.env.ref("membri_renewal.dashboard_letters")

    def _create_letter(self, name, zip_code, **vals):
        vals = {
            "email": False,
            "street": "1 Main Street",
            "city": "Town",
            "zip": zip_code,
            "country_id": self.env.ref("base.ca").id,
            **vals,
        }
        member = self._create_member(name, **vals)
        return self._create_renewal(self._create_cotisation(member, "2026-01-01"))

    def _is_queued(self, renewal):
        return bool(renewal.filtered_domain(self.queue._get_domain()))

    def _get_pages(self, action):
        self.assertEqual(action["type"], "ir.actions.act_url")
        self.authenticate("officer", "officer")
        response = self.url_open(action["url"])
        self.assertEqual(response.status_code, 200)
        pages = PdfFileReader(io.BytesIO(response.content)).pages
        return [" ".join(page.extract_text().split()) for page in pages]

    def test_unreachable_members_are_worked_off(self):
        renewal = self._create_letter("Bo", "J4H 2X3")
        renewal.action_send()
        self.assertTrue(self._is_queued(renewal))
        self.assertEqual(renewal.delivery_state, "unreachable")
        with freeze_time("2026-11-06 15:00:00"):
            [text] = self._get_pages(renewal.action_print_letter())
        self.assertIn("Bo 1 Main Street", text)
        self.assertIn(renewal.access_token, text, "the way to answer")
        self.assertFalse(self._is_queued(renewal))
        self.assertRecordValues(
            renewal,
            [{"letter_state": "printed", "delivery_state": "letter", "state": "sent"}],
        )
        self.assertEqual(str(renewal.date_printed), "2026-11-06 15:00:00")
        self.assertFalse(renewal.activity_ids, "nobody has to look for an address now")
        unreachable = self.env.ref("membri_renewal.dashboard_unreachable")
        self.assertFalse(renewal.filtered_domain(unreachable._get_domain()))

    def test_letter_says_how_to_reply_without_a_screen(self):
        by_post = "reply by phone or by mail"
        self.officer.sudo().partner_id.phone = "+1 450 555 0100"
        by_mail, by_email = self._create_letter("Bo", "J4H 2X3"), self._renewal_in("sent")
        by_mail.action_send()
        self.assertIn(by_post, " ".join(by_mail._get_next_steps()))
        self.assertNotIn(by_post, " ".join(by_email._get_next_steps()))
        self.officer.sudo().partner_id.phone = False
        self.assertNotIn(by_post, " ".join(by_mail._get_next_steps()), "nobody to call")

    def test_the_screen_says_what_left_the_queue(self):
        """From the form, and from the queue (seen: nothing was said there)."""
        letters = self.env["membri.renewal"].union(
            *(self._create_letter(f"Bo {number}", "J4H 2X3") for number in range(3))
        )
        letters.action_send()
        for call, count in (
            (letters[0].action_print_letter, 1),
            (partial(letters[1:].action_bulk, "print_letter"), 2),
        ):
            with patch.object(self.registry["res.users"], "_bus_send", autospec=True) as told:
                call()
            [(user, _kind, word)] = [
                mocked.args
                for mocked in told.call_args_list
                if mocked.args[1] == "simple_notification"
            ]
            self.assertEqual(user, self.officer)
            # the file opens in another tab: the word waits
            self.assertTrue(word["sticky"])
            self.assertIn(f": {count}.", word["message"])
        self.assertFalse(self._is_queued(letters))

    def test_sorted_as_the_post_likes_it(self):
        renewals = (
            self._create_letter("Third", "K1A 0B1")
            + self._create_letter("First", "g1r4s9")
            + self._create_letter("Second", "J4H 2X3")
        )
        renewals.action_send()
        pages = self._get_pages((renewals + renewals).action_bulk("print_letter"))
        self.assertEqual(len(pages), 3)
        for name, text in zip(("First", "Second", "Third"), pages, strict=True):
            self.assertIn(f"{name} 1 Main Street", text)
        self.assertEqual(set(renewals.mapped("letter_state")), {"printed"})

    def test_without_a_postal_address(self):
        homeless = self._create_letter("Bo", False, street=False)
        renewal = self._create_letter("Cy", "J4H 2X3")
        (homeless + renewal).action_send()
        with self.assertRaisesRegex(UserError, "Bo has no mailing address"):
            (homeless + renewal).action_print_letter()
        self.assertEqual(set((homeless + renewal).mapped("letter_state")), {"to_print"})
        job = self.env["membri.bulk.job"].browse(
            (homeless + renewal).action_bulk("print_letter")["res_id"]
        )
        self.assertIn("Bo has no mailing address", job.problem_line_ids.message)
        self.assertEqual(homeless.letter_state, "to_print")
        self.assertEqual(renewal.letter_state, "printed")
        [text] = self._get_pages(job.action_download_letters())
        self.assertIn("Cy", text)

    def test_address_of_the_company(self):
        """The notice of a person goes to the address of who pays, to that of no employer."""
        parent = self._create_member("Parent Ltd", is_company=True, street="9 Church Street")
        renewal = self._create_letter("Bo", False, street=False, parent_id=parent.id)
        parent.email = False
        renewal.partner_id.street = False
        renewal.action_send()
        with self.assertRaises(UserError):
            renewal.action_print_letter()
        parent.membri_group_invoices = True
        [text] = self._get_pages(renewal.action_print_letter())
        self.assertIn("Parent Ltd 9 Church Street", text)
        self.assertIn("Attn. Bo", text)

    def test_members_who_want_paper(self):
        """Beside the email where one works; nobody is asked to look for an address."""
        both = self._create_letter("Bo", "J4H 2X3", email="bo@example.com")
        paper = self._create_letter("Cy", "J4H 2X3")
        (both + paper).partner_id.membri_notice_on_paper = True
        (both + paper).action_send()
        self.assertRecordValues(
            both + paper,
            [
                {"delivery_state": "queued", "letter_state": "to_print"},
                {"delivery_state": "letter", "letter_state": "to_print"},
            ],
        )
        self.assertFalse((both + paper).activity_ids)

    def test_a_notice_that_is_sent_again_is_another_letter(self):
        renewal = self._create_letter("Bo", "J4H 2X3")
        renewal.action_send()
        renewal.action_print_letter()
        renewal.action_send_reminder()
        self.assertEqual(renewal.letter_state, "printed", "a reminder is none")
        renewal.action_request_change("Call me")
        renewal.action_send()
        self.assertEqual(renewal.letter_state, "to_print")
        renewal.action_approve()
        self.assertTrue(self._is_queued(renewal), "now it is the invoice that goes by post")
        self.assertEqual(renewal.letter_content, "document")

    def test_the_invoice_of_who_accepted_and_cannot_be_reached(self):
        """A reminder that came back: the letter is the invoice, to its payer, until it is paid."""
        renewal = self._create_letter("Bo", "J4H 2X3", email="bo@example.com")
        renewal.action_send()
        renewal.action_print_letter()
        renewal.action_approve()
        self.assertFalse(self._is_queued(renewal), "the notice is answered")
        renewal.action_send_reminder()
        renewal.partner_id.message_bounce = 1
        renewal._message_receive_bounce("bo@example.com", renewal.partner_id)
        self.assertRecordValues(
            renewal,
            [{"delivery_state": "unreachable", "letter_state": "to_print", "state": "approved"}],
        )
        self.assertTrue(self._is_queued(renewal))
        [text] = self._get_pages(renewal.with_user(self.officer).action_print_letter())
        self.assertIn(renewal.invoice_id.name, text)
        self.assertIn("1 Main Street", text)
        self.assertRecordValues(
            renewal,
            [{"delivery_state": "letter", "letter_state": "printed", "state": "approved"}],
        )
        self.assertFalse(self._is_queued(renewal))
        self._pay(renewal.invoice_id)
        with self.assertRaisesRegex(UserError, "is paid"):
            renewal.action_print_letter()

    def test_who_may_print(self):
        renewal = self._create_letter("Bo", "J4H 2X3")
        with self.assertRaisesRegex(UserError, "To Send"):
            renewal.action_print_letter()
        renewal.action_send()
        for user in (self.auditor, self.employee):
            with self.assertRaises(AccessError):
                renewal.with_user(user).action_print_letter()
        self.assertEqual(renewal.letter_state, "to_print")

    def test_addresses_without_letters(self):
        """What is no letter, is nobody's, or is not the user's looks the same, and is no error."""
        vals = {"action": "print_letter", "company_id": self.company.id, "user_id": self.officer.id}
        job = self.env_root["membri.bulk.job"].create(vals)
        Attachment_sudo = self.env_root["ir.attachment"]
        pdf = {"name": "x.pdf", "mimetype": "application/pdf", "raw": b"%PDF-1.4"}
        of_job = {"res_model": job._name, "res_id": job.id}
        made = Attachment_sudo.create(
            [
                {**pdf, **of_job, "res_field": "message_ids"},
                {**pdf, **of_job, "raw": b""},
                {**pdf, **of_job, "res_id": 0},
                {**pdf, **of_job, "res_id": 2**30},
                {**pdf, "raw": False, "type": "url", "url": "https://example.com/x.pdf"},
                {"name": "x.txt", "raw": b"x"},
            ]
        )
        self.authenticate("officer", "officer")
        for number in (*made.ids, 0, 2**30, 2**40):
            with self.subTest(number=number), mute_logger("odoo.http"):
                response = self.url_open(f"/membri_renewal/letters/{number}")
                self.assertEqual(response.status_code, 404)
        letter = Attachment_sudo.create(pdf)  # of whoever made it
        self.authenticate("auditor", "auditor")
        with mute_logger("odoo.http"):
            response = self.url_open(f"/membri_renewal/letters/{letter.id}")
        self.assertEqual(response.status_code, 404)

    def test_looking_at_the_notice_records_nothing(self):
        renewal = self._create_letter("Bo", "J4H 2X3")
        renewal.action_send()
        self.authenticate("officer", "officer")
        response = self.url_open(f"/report/pdf/membri_renewal.report_renewal_notice/{renewal.id}")
        self.assertEqual(response.status_code, 200)
        self.assertRecordValues(renewal, [{"letter_state": "to_print", "date_printed": False}])
