from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server, MailDeliveryException

from .common_delivery import MAIL_LOGGER, DeliveryCase
from .common_generation import GenerationCommon
from .common_membership import MembershipCase


@tagged("post_install", "-at_install")
class TestAnnouncedRenewal(GenerationCommon):
    """Issue 15, 5: a word before an automatic renewal. The term ends on 19 November and is
    invoiced 7 days before, on the 12th; it is announced 5 days before that, on the 7th."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.monthly.sudo().announce_days = 5

    def setUp(self):
        super().setUp()
        with freeze_time("2026-10-25 15:00:00"):
            self.term = self._create_cotisation(
                self.member, "2026-10-20", self.monthly, date_end="2026-11-19"
            )

    def _generate(self, moment="2026-11-15 15:00:00"):
        """The night, and its emails, which leave."""
        mails = super()._generate(moment)
        with freeze_time(moment), self.mock_mail_gateway():
            mails.send()
        self.env.invalidate_all()
        return mails

    def _announce(self):
        [mail] = self._generate("2026-11-07 15:00:00")
        return self._renewals(), mail

    def test_announced_then_invoiced(self):
        self.assertFalse(self._generate("2026-11-06 15:00:00"), "too early")
        self.assertFalse(self._renewals())
        renewal, mail = self._announce()
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "sent",
                    "mode": "invoice",
                    "date_auto_invoice": date(2026, 11, 12),
                    "amount_auto_invoice": 345.0,
                    "invoice_id": False,
                    "date_next_reminder": False,
                }
            ],
        )
        self.assertIn("November 12, 2026", mail.body_html)
        self.assertIn("345.00", mail.body_html)
        self.assertIn(f"/my/renewals/{renewal.id}", mail.body_html)
        self.assertFalse(self._generate("2026-11-11 15:00:00"))
        self.assertEqual(renewal.state, "sent")
        self._generate("2026-11-12 15:00:00")
        self.assertEqual(renewal.state, "approved")
        self.assertEqual(renewal.invoice_id.amount_total, 345.0)
        self.assertTrue(renewal.invoice_id.sudo().sending_data)
        self._generate("2026-11-12 18:00:00")
        self.assertEqual(len(renewal.invoice_ids), 1)

    def test_a_late_night_keeps_the_lead(self):
        [_mail] = self._generate("2026-11-15 15:00:00")
        renewal = self._renewals()
        self.assertEqual(renewal.date_auto_invoice, date(2026, 11, 20))
        self._generate("2026-11-19 15:00:00")
        self.assertEqual(renewal.state, "sent")
        self._generate("2026-11-20 15:00:00")
        self.assertEqual(renewal.state, "approved")

    def test_by_hand_too(self):
        with freeze_time("2026-11-01 15:00:00"):
            renewal = self._create_renewal(self.term)
            renewal.action_send()
            self.assertRecordValues(
                renewal, [{"state": "sent", "date_auto_invoice": date(2026, 11, 12)}]
            )
            self.assertIn("renews automatically", renewal._get_no_reminder_reason())
            self.assertFalse(renewal.can_be_reminded)
            renewal.action_approve()
        self.assertRecordValues(renewal, [{"state": "approved", "date_auto_invoice": False}])

    def test_without_announcement_as_before(self):
        self.monthly.sudo().announce_days = 0
        self._generate("2026-11-07 15:00:00")
        self.assertFalse(self._renewals())
        self._generate("2026-11-12 15:00:00")
        self.assertEqual(self._renewals().state, "approved")

    def test_by_notice_is_not_announced(self):
        self.member.membri_auto_renew = False
        self._generate("2026-11-07 15:00:00")
        self.assertFalse(self._renewals())
        self._generate("2026-11-12 15:00:00")
        self.assertRecordValues(
            self._renewals(), [{"state": "sent", "mode": "notice", "date_auto_invoice": False}]
        )

    def test_the_explanation_says_the_same_day(self):
        with freeze_time("2026-11-06 15:00:00"):
            self.assertEqual(self.term._get_preparation_day(), date(2026, 11, 7))
            self.assertIn("November 7, 2026", self.term._get_rule_due_sentence())

    # ------------------------------------------------------------------
    # Unless they answered
    # ------------------------------------------------------------------

    def test_stopped(self):
        """Where leaving on the portal is not allowed, what renews by itself is stopped."""
        renewal, _mail = self._announce()
        self.assertFalse(self.company.membri_portal_decline)
        with freeze_time("2026-11-08 15:00:00"):
            self.assertFalse(renewal._get_cannot_answer_reason("decline"))
            self.assertTrue(renewal._get_cannot_answer_reason("call"))
            error = renewal._portal_decline(self.member, self.reason.id, "No, thank you")
        self.assertFalse(error)
        self.assertRecordValues(
            renewal, [{"state": "refused", "refusal_reason_id": self.reason.id}]
        )
        self._generate("2026-11-12 15:00:00")
        self.assertEqual(renewal.state, "refused")
        self.assertFalse(renewal.invoice_ids)
        self.assertNotIn(
            self.env.ref("membri_renewal.refusal_reason_not_paid"), renewal._get_decline_reasons()
        )

    def test_a_notice_is_not_stopped_so(self):
        renewal = self._renewal_in("sent")
        self.assertTrue(renewal._get_cannot_answer_reason("decline"))

    def test_changed(self):
        renewal, _mail = self._announce()
        with freeze_time("2026-11-08 15:00:00"):
            renewal.action_request_change("A smaller plan, please")
        self._generate("2026-11-12 15:00:00")
        self.assertRecordValues(renewal, [{"state": "change_requested", "invoice_id": False}])
        with freeze_time("2026-11-13 15:00:00"):
            renewal.line_ids.price_unit = 200.0
            renewal.action_send()
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "sent",
                    "date_auto_invoice": date(2026, 11, 18),
                    "amount_auto_invoice": 230.0,
                }
            ],
        )
        self._generate("2026-11-18 15:00:00")
        self.assertEqual(renewal.invoice_id.amount_total, 230.0)

    def test_another_amount_is_announced_again(self):
        renewal, _mail = self._announce()
        self.tax.with_env(self.env_root).amount = 20.0
        [mail] = self._generate("2026-11-12 15:00:00")
        self.assertIn("360.00", mail.body_html)
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "sent",
                    "date_auto_invoice": date(2026, 11, 17),
                    "amount_auto_invoice": 360.0,
                }
            ],
        )
        self._generate("2026-11-17 15:00:00")
        self.assertEqual(renewal.invoice_id.amount_total, 360.0)

    def test_switched_off_goes_by_notice(self):
        renewal, _mail = self._announce()
        with freeze_time("2026-11-08 15:00:00"):
            self.member.membri_auto_renew = False
        self.assertEqual(renewal.mode, "notice")
        [mail] = self._generate("2026-11-12 15:00:00")
        self.assertNotIn("renews automatically", mail.body_html)
        self.assertRecordValues(
            renewal, [{"state": "sent", "date_auto_invoice": False, "invoice_id": False}]
        )
        self._generate("2026-11-20 15:00:00")
        self.assertEqual(renewal.state, "sent")

    def test_whom_nobody_reached_is_not_invoiced(self):
        self.member.email = False
        self.member.write({"street": "1 Main Street", "city": "Longueuil", "zip": "J4H 2X3"})
        self._generate("2026-11-07 15:00:00")
        renewal = self._renewals()
        self.assertRecordValues(renewal, [{"state": "sent", "delivery_state": "unreachable"}])
        self._generate("2026-11-12 15:00:00")
        self.assertEqual(renewal.state, "sent")
        self.assertIn(
            renewal,
            self.env["membri.renewal"].search(
                self.env.ref("membri_renewal.dashboard_unreachable")._get_domain()
            ),
        )
        with freeze_time("2026-11-13 15:00:00"):
            renewal.action_print_letter()
        self.assertEqual(renewal.date_auto_invoice, date(2026, 11, 18))
        self._generate("2026-11-17 15:00:00")
        self.assertEqual(renewal.state, "sent")
        self._generate("2026-11-18 15:00:00")
        self.assertEqual(renewal.state, "approved")

    def test_whom_an_address_was_found_for_is_told_then_invoiced(self):
        self.member.email = False
        self._generate("2026-11-07 15:00:00")
        renewal = self._renewals()
        with freeze_time("2026-11-10 15:00:00"), self.mock_mail_gateway():
            self.member.email = "found@example.com"
            self._run_cron("ir_cron_send_reminders")
            self.env_root.flush_all()
            [mail] = self._get_notices(self._new_mails)
            mail.send()
        self.env.invalidate_all()
        self.assertIn("November 15, 2026", mail.body_html)
        self.assertEqual(renewal.date_auto_invoice, date(2026, 11, 15))
        self._generate("2026-11-14 15:00:00")
        self.assertEqual(renewal.state, "sent")
        self._generate("2026-11-15 15:00:00")
        self.assertEqual(renewal.state, "approved")

    def test_one_that_cannot_be_invoiced_stops_nobody(self):
        other = self._create_member("Zoe")
        with freeze_time("2026-10-25 15:00:00"):
            self._create_cotisation(other, "2026-10-20", self.monthly, date_end="2026-11-19")
        self._generate("2026-11-07 15:00:00")
        bad, good = self._renewals(), self._renewals(other)
        bad._internal_write({"date_start": "2025-01-01", "date_end": "2025-01-31"})
        self._generate("2026-11-12 15:00:00")
        self.assertEqual((bad | good).mapped("state"), ["intervention", "approved"])


@tagged("post_install", "-at_install")
class TestInvoiceTold(GenerationCommon, DeliveryCase):
    """Issue 15, 5: told is what has left. The announcement of 7 November says the 12th; what
    leaves later says a later day, and the invoice follows only then."""

    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(IrMail_Server, "_disable_send", return_value=False))
        self.startPatcher(patch.object(IrMail_Server, "_connect__", return_value=None))
        # nothing leaves by itself
        Mail = self.registry["mail.mail"]
        self.startPatcher(patch.object(Mail, "send_after_commit", lambda mails: None))
        self.monthly.sudo().announce_days = 5
        with freeze_time("2026-10-25 15:00:00"):
            self._create_cotisation(self.member, "2026-10-20", self.monthly, date_end="2026-11-19")
        self._night("2026-11-07")
        self.renewal = self._renewals()
        self.assertEqual(self.renewal.date_auto_invoice, date(2026, 11, 12))
        self.assertFalse(self.renewal.date_auto_invoice_told)

    def _night(self, day):
        """Without the queue of emails."""
        with freeze_time(f"{day} 15:00:00"):
            self._run_cron("ir_cron_generate")
            self.env.invalidate_all()

    def _let_leave(self, day, error=None):
        """The queue of emails; returns what left."""
        left = []

        def send_email(_server, message, *args, **kwargs):
            if error:
                raise error
            left.append(message.get_body(("html",)).get_content())
            return message["Message-Id"]

        with (
            freeze_time(f"{day} 15:00:00"),
            patch.object(IrMail_Server, "send_email", send_email),
            mute_logger(MAIL_LOGGER),
        ):
            self._get_mails(self.renewal).filtered(lambda m: m.state == "outgoing").send()
        self.env.invalidate_all()
        return left

    def _is_in_queue(self, code):
        queue = self.env.ref(f"membri_renewal.dashboard_{code}")
        self.env.flush_all()
        return self.renewal in self.env["membri.renewal"].search(queue._get_domain())

    def _assert_waits(self, day, queue):
        self._night(day)
        self.assertRecordValues(self.renewal, [{"state": "sent", "invoice_id": False}])
        self.assertTrue(self.renewal.delivery_note)
        with freeze_time(f"{day} 15:00:00"):
            self.assertTrue(self._is_in_queue(queue))

    def _assert_invoiced_on(self, day):
        self.assertEqual(self.renewal.date_auto_invoice, day)
        self._night(date.fromordinal(day.toordinal() - 1))
        self.assertEqual(self.renewal.state, "sent")
        self._night(day)
        self.assertEqual(self.renewal.state, "approved")
        self.assertEqual(len(self.renewal.invoice_ids), 1)

    def test_what_left_in_time_keeps_its_day(self):
        [body] = self._let_leave("2026-11-07")
        self.assertIn("November 12, 2026", body)
        self.assertEqual(self.renewal.delivery_state, "delivered")
        self.assertTrue(self.renewal.date_auto_invoice_told)
        with freeze_time("2026-11-09 15:00:00"):
            self.renewal.action_send()  # again, as it is
        self._let_leave("2026-11-09")
        self._assert_invoiced_on(date(2026, 11, 12))

    def test_what_waits_was_not_told(self):
        for day in ("2026-11-12", "2026-11-30"):
            self._assert_waits(day, "send_failed")
        self.assertIn("has not been sent yet", self.renewal.delivery_note)
        [body] = self._let_leave("2026-11-30")
        self.assertIn("December 5, 2026", body, "written anew, with the lead")
        self.assertFalse(self.renewal.delivery_note)
        self.assertFalse(self._is_in_queue("send_failed"))
        self._assert_invoiced_on(date(2026, 12, 5))

    def test_what_failed_was_not_told(self):
        error = MailDeliveryException("Delivery failed", "550 5.1.1 no such user")
        self._let_leave("2026-11-07", error)
        self._assert_waits("2026-11-12", "send_failed")
        with freeze_time("2026-11-13 15:00:00"):
            self.renewal.action_retry_sending()
        self._assert_waits("2026-11-18", "send_failed")
        self._let_leave("2026-11-18")
        self._assert_invoiced_on(date(2026, 11, 23))

    def test_what_came_back_was_not_told(self):
        self._let_leave("2026-11-07")
        with freeze_time("2026-11-08 15:00:00"):
            self._bounce(self._get_last_mail(self.renewal), self.member.email)
        self.assertFalse(self.renewal.date_auto_invoice_told)
        self._assert_waits("2026-11-12", "unreachable")

    def test_taken_out_of_the_queue_of_emails(self):
        self._get_mails(self.renewal).unlink()
        self._assert_waits("2026-11-12", "send_failed")

    def test_letter_that_waits(self):
        self.member.write({"email": False, "street": "1 Main Street"})
        self.member.membri_notice_on_paper = True
        self._let_leave("2026-11-07")
        self.assertEqual(self.renewal.letter_state, "to_print")
        self._assert_waits("2026-11-12", "letters")
        with (
            freeze_time("2026-11-20 15:00:00"),
            patch("odoo.addons.membri_renewal.models.renewal.letter.merge_pdf", b"".join),
        ):
            self.renewal.action_print_letter()
        self._assert_invoiced_on(date(2026, 11, 25))

    def test_failed_and_mailed_as_a_letter(self):
        self.member.street = "1 Main Street"
        self._let_leave("2026-11-07", MailDeliveryException("Delivery failed", "550 no such user"))
        self._assert_waits("2026-11-12", "send_failed")
        with (
            freeze_time("2026-11-20 15:00:00"),
            patch("odoo.addons.membri_renewal.models.renewal.letter.merge_pdf", b"".join),
        ):
            self.renewal.action_print_letter()
        self.assertEqual(self.renewal.delivery_state, "letter")
        self._assert_invoiced_on(date(2026, 11, 25))

    def test_switched_off_goes_by_notice(self):
        """Although nobody was told of the invoice."""
        with freeze_time("2026-11-08 15:00:00"):
            self.member.membri_auto_renew = False
        self._night("2026-11-12")
        [body] = self._let_leave("2026-11-12")
        self.assertNotIn("renews automatically", body)
        self.assertRecordValues(
            self.renewal, [{"state": "sent", "date_auto_invoice": False, "invoice_id": False}]
        )


@tagged("post_install", "-at_install")
class TestConsent(MembershipCase):
    """Issue 15, 5: automatic renewal, on and off on *My membership*."""

    def _choose(self, is_on):
        member = self.member.with_company(self.company)
        return member._membri_portal_set_auto_renew(self.member, is_on)

    def test_on_and_off(self):
        self.assertFalse(self.member.membri_auto_renew)
        self.assertFalse(self._choose(True))
        self.assertTrue(self.member.membri_auto_renew)
        self.assertEqual(self.member.membri_auto_renew_consent_date, self.today)
        self.assertIn("renews automatically", self.member.membri_auto_renew_consent_text)
        self.assertIn(self.member.name, self.member.membri_auto_renew_consent_source)
        self.assertFalse(self._choose(True), "a second click changes nothing")
        self.assertFalse(self._choose(False))
        self.assertFalse(self.member.membri_auto_renew)
        self.assertFalse(self.member.membri_auto_renew_consent_date)
        told = " ".join(self.member.message_ids.mapped("body"))
        self.assertIn("switched automatic renewal on", told)
        self.assertIn("switched automatic renewal off", told)

    def test_staff_writes_no_consent(self):
        self._choose(True)
        self.member.membri_auto_renew = False
        self.assertFalse(self.member.membri_auto_renew_consent_date)
        with self.assertRaises(AccessError):
            self.member.with_user(self.officer).membri_auto_renew_consent_date = self.today

    def test_not_for_life_and_not_for_strangers(self):
        newcomer = self._create_member("Nobody Yet").with_company(self.company)
        self.assertEqual(newcomer._membri_portal_set_auto_renew(newcomer, True), "not_now")
        self.assertFalse(newcomer.membri_auto_renew)
        self._sign_in("stranger_user")
        path = f"/my/membership/{self.term.id}/auto_renew"
        self.assertNotIn(path, self._get_membership().text)
        self._post(path, is_on="1")
        self.assertFalse(self.member.membri_auto_renew, "whose membership it is not")

    def test_the_page_offers_it(self):
        self._sign_in("member_user")
        path = f"/my/membership/{self.term.id}/auto_renew"
        page = self._get_membership().text
        self.assertIn(path, page)
        self.assertIn("Agree and Enable", page)
        self.url_open(path)  # a scanner follows links
        self._post(path, is_on="maybe")
        self.assertFalse(self.member.membri_auto_renew)
        self._post(path, is_on="1")
        self.assertTrue(self.member.membri_auto_renew)
        self.assertEqual(self.member.membri_auto_renew_consent_date, self.today)
        self.assertIn("Switch Off", self._get_membership().text)
