from unittest.mock import patch

from lxml import html

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server, MailDeliveryException

from .common_delivery import DeliveryCase


@tagged("post_install", "-at_install")
class TestMailServer(DeliveryCase):
    """specification §5 and issue 3: a mail server that refuses one address, or all."""

    def _deliver(self, renewals, refuse=()):
        mails = self._get_mails(renewals)

        def send_email(server, message, *args, **kwargs):
            if any(address in message["To"] for address in refuse):
                raise MailDeliveryException("Delivery failed", "550 5.1.1 no such user")
            return message["Message-Id"]

        with (
            self.mock_mail_gateway(),
            patch.object(IrMail_Server, "send_email", send_email),
            mute_logger("odoo.addons.mail.models.mail_mail"),
        ):
            mails.send()
        self.env.invalidate_all()

    def test_one_address_is_refused(self):
        good, bad = self._renewal_in("sent"), self._renewal_in("sent")
        self._deliver(good + bad, [bad.partner_id.email])
        self.assertEqual(good.delivery_state, "delivered")
        self.assertFalse(good.delivery_note)
        self.assertEqual(bad.delivery_state, "failed")
        self.assertIn("550 5.1.1 no such user", bad.delivery_note)
        self.assertIn(bad.partner_id.email, bad.delivery_note)
        queue = self.env.ref("membri_renewal.dashboard_send_failed")
        self.assertEqual((good + bad).filtered_domain(queue._get_domain()), bad)
        self.assertEqual((good + bad).mapped("can_retry_sending"), [False, True])
        self._get_mails(bad).unlink()
        bad.invalidate_recordset(["can_retry_sending"])
        self.assertEqual((bad.delivery_state, bad.can_retry_sending), ("failed", False))
        with self.assertRaises(UserError):
            bad.action_retry_sending()

    def test_reminder_does_not_claim_a_notice_that_failed(self):
        """The night reminded of a notice that a full mailbox had refused: “We sent you …”."""
        good, bad = self._renewal_in("sent"), self._renewal_in("sent")
        self._deliver(good + bad, [bad.partner_id.email])
        day = good._format_day(good._get_notice_day())
        bodies = []
        for renewal in good + bad:
            before = self._get_mails(renewal)
            renewal.action_send_reminder()
            bodies.append((self._get_mails(renewal) - before).body_html)
        self.assertEqual([day in body for body in bodies], [True, False])

    def test_retry_uses_the_address_of_today(self):
        bad = self._renewal_in("sent")
        wrong = bad.partner_id.email
        self._deliver(bad, [wrong])
        bad.partner_id.email = "right@example.com"
        before = self._get_mails(bad)
        bad.action_retry_sending()
        self.assertEqual(self._get_mails(bad), before, "the same email, not another one")
        self.assertEqual(bad.delivery_state, "queued")
        self._deliver(bad, [wrong])
        self.assertRecordValues(
            bad,
            [
                {
                    "delivery_state": "delivered",
                    "delivery_note": False,
                    "delivery_email": "right@example.com",
                    "state": "sent",
                }
            ],
        )

    def test_server_that_is_down(self):
        renewals = self._renewal_in("sent") + self._renewal_in("sent")
        with (
            self.mock_mail_gateway(),
            patch.object(
                self.registry["ir.mail_server"],
                "_connect__",
                side_effect=OSError("connection refused"),
            ),
        ):
            self._get_mails(renewals).send()
        self.env.invalidate_all()
        self.assertEqual(renewals.mapped("delivery_state"), ["failed", "failed"])
        for renewal in renewals:
            self.assertIn("could not be reached. connection refused", renewal.delivery_note)
        job = renewals.action_bulk("retry_sending")
        self.assertEqual(job["params"]["type"], "success")
        self._deliver(renewals)
        self.assertEqual(renewals.mapped("delivery_state"), ["delivered", "delivered"])

    def test_reminder_that_is_refused_is_logged(self):
        renewal = self._renewal_in("sent")
        renewal.action_send_reminder()
        self._deliver(renewal, [renewal.partner_id.email])
        log = renewal.sudo().reminder_log_ids
        self.assertEqual(log.result, "failed")
        self.assertIn("550", log.reason)
        renewal.action_retry_sending()
        self._deliver(renewal)
        self.assertRecordValues(log, [{"result": "sent", "reason": False}])

    def test_nothing_to_try_again(self):
        renewal = self._renewal_in("sent")
        with self.assertRaisesRegex(UserError, "no email failed"):
            renewal.action_retry_sending()
        renewal.sudo()._mark_failed("The account is missing.")
        with self.assertRaisesRegex(UserError, "The account is missing"):
            renewal.action_retry_sending()
        self.assertEqual(len(self._get_mails(renewal)), 1)

    def test_sending_fails_without_a_template(self):
        option_set = self._create_option_set("Broken")
        option_set.sudo().notice_template_id = self.env_root.ref(
            "membri_renewal.mail_template_notice"
        ).copy({"name": "Broken one", "body_html": '<p t-out="object.no_such_field"/>'})
        renewal = self._create_renewal(
            self._create_cotisation(self.member, "2026-01-01", option_set)
        )
        other = self._create_renewal(self._create_yearly())
        action = (renewal + other).action_bulk("send")
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual(other.state, "sent")
        self.assertEqual(renewal.state, "draft", "nothing half done")
        self.assertIn("“Broken one” cannot be filled in", job.problem_line_ids.message)
        self.assertIn("no_such_field", job.problem_line_ids.message)


@tagged("post_install", "-at_install")
class TestBounces(DeliveryCase):
    """An email that comes back later: another contact, else a letter, and the officer is told."""

    def test_another_contact_gets_it(self):
        in_charge = self._create_member("Percy in Charge")
        renewal = self._create_renewal(self._create_yearly())
        renewal.partner_id.membri_responsible_id = in_charge
        renewal.action_send()
        self._bounce(self._get_last_mail(renewal), in_charge.email)
        self.assertEqual(in_charge.message_bounce, 1)
        mail = self._get_last_mail(renewal)
        self.assertEqual(mail.recipient_ids, renewal.partner_id)
        self.assertIn(renewal.access_token, mail._prepare_outgoing_list()[0]["body"])
        self.assertRecordValues(
            renewal,
            [
                {
                    "delivery_state": "queued",
                    "delivery_email": renewal.partner_id.email,
                    "recipient_id": renewal.partner_id.id,
                    "letter_state": False,
                    "state": "sent",
                }
            ],
        )
        self.assertIn("bounced", "".join(renewal.message_ids.mapped("body")))
        # the same bounce again, or one of an older email: not another notice
        count = len(self._get_mails(renewal))
        self._bounce(mail, in_charge.email)
        self.assertEqual(len(self._get_mails(renewal)), count)

    def test_address_that_it_did_not_go_to(self):
        """Who has received an email of ours knows its number, and says what they like."""
        own = self._create_renewal(self._create_yearly())
        own.action_send()
        victim = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        victim.action_send()
        victim.partner_id.membri_renewal_email = "renewals@example.org"
        mail = self._get_last_mail(own)
        for address in (victim.partner_id.email, "renewals@example.org"):
            with self.subTest(address=address):
                self._bounce(mail, address)
                self.assertFalse(victim.partner_id.message_bounce)
                self.assertFalse(victim.partner_id.membri_renewal_email_bounced)
                self.assertEqual(victim.delivery_state, "queued")

    def test_nobody_else_is_there(self):
        renewal = self._renewal_in("sent")
        self._bounce(self._get_last_mail(renewal), renewal.partner_id.email)
        self.assertRecordValues(
            renewal,
            [{"delivery_state": "unreachable", "letter_state": "to_print", "state": "sent"}],
        )
        self.assertIn("bounce", renewal.delivery_note)
        self.assertEqual(renewal.activity_ids.user_id, self.officer)
        self.assertEqual(
            renewal.activity_ids.activity_type_id,
            self.env.ref("membri_renewal.activity_unreachable"),
        )
        for code in ("unreachable", "letters"):
            queue = self.env.ref(f"membri_renewal.dashboard_{code}")
            self.assertTrue(renewal.filtered_domain(queue._get_domain()), code)
        self.assertEqual(len(self._get_mails(renewal)), 1)

    def test_address_for_renewals(self):
        """It is no contact's own: marked on the member, until another one is typed."""
        renewal = self._create_renewal(self._create_yearly())
        renewal.partner_id.membri_renewal_email = "Renewals <renewals@example.org>"
        renewal.action_send()
        self.assertEqual(renewal.delivery_email, "renewals@example.org")
        self._bounce(self._get_last_mail(renewal), "renewals@example.org")
        self.assertTrue(renewal.partner_id.membri_renewal_email_bounced)
        self.assertEqual(self._get_last_mail(renewal).recipient_ids, renewal.partner_id)
        self.assertFalse(renewal.partner_id.message_bounce)

    def test_address_that_is_corrected_in_time(self):
        """The activity and the letter go once an email goes out."""
        renewal = self._renewal_in("sent")
        self._bounce(self._get_last_mail(renewal), renewal.partner_id.email)
        renewal.partner_id.email = "right@example.com"
        renewal.action_send()
        self.assertRecordValues(renewal, [{"delivery_state": "queued", "letter_state": False}])
        self.assertFalse(renewal.activity_ids)

    def test_answered_members_are_left_alone(self):
        renewal = self._renewal_in("sent")
        mail = self._get_last_mail(renewal)
        self._refuse(renewal)
        self._bounce(mail, renewal.partner_id.email)
        self.assertRecordValues(renewal, [{"delivery_state": "queued", "letter_state": False}])
        self.assertFalse(renewal.activity_ids)

    def test_bounce_of_an_email_to_the_staff(self):
        renewal = self._renewal_in("sent")
        self._bounce(self._get_last_mail(renewal), self.officer.email)
        self.assertEqual(renewal.delivery_state, "queued")


@tagged("post_install", "-at_install")
class TestMailContent(DeliveryCase):
    def _prepare(self, renewal):
        return self._get_last_mail(renewal)._prepare_outgoing_list()[0]

    def test_plain_text(self):
        renewal = self._renewal_in("sent")
        text = self._prepare(renewal)["body_alternative"]
        start = f"{self.company.name}\n\nHello {renewal.partner_id.name},\nYour membership with"
        self.assertTrue(text.startswith(start), text[:200])
        self.assertIn(f"View and Respond: {renewal._get_answer_url()}", text)
        self.assertIn("January 1, 2027 to December 31, 2027", text)
        self.assertIn("345.00", text)
        for unwanted in ("\u034f", "\u200b", "logo", "[1]", "\n\n\n", "<", "&nbsp;"):
            self.assertNotIn(unwanted, text)

    def test_html(self):
        """One button, a hidden preheader, no width that a telephone has not."""
        renewal = self._renewal_in("sent")
        root = html.fromstring(self._prepare(renewal)["body"])
        [link] = root.xpath("//a[@href]")
        self.assertEqual(link.get("href"), renewal._get_answer_url())
        [preheader] = root.xpath("//div[@class='o_membri_preheader']")
        self.assertIn("display: none", preheader.get("style"))
        self.assertIn("345.00. Please reply by December 31, 2026.", preheader.text_content())
        self.assertTrue(root.xpath("//body/table[@role='presentation']"))
        self.assertFalse(root.xpath("//*[contains(@style, 'min-width')]"))
        for image in root.xpath("//img"):
            self.assertTrue(image.get("alt"))

    def test_each_template_renders_in_both_languages(self):
        french = self._create_member("Zoé", lang="fr_FR")
        renewals = self._renewal_in("sent") + self._renewal_in("sent")
        renewals[1].partner_id.lang = "fr_FR"
        french_approved = self._create_renewal(self._create_cotisation(french, "2026-01-01"))
        approved = self._renewal_in("approved") + french_approved
        french_approved.action_approve()
        for name, records in (
            ("notice", renewals),
            ("reminder", renewals),
            ("reminder_firm", renewals),
            ("reminder_last", renewals),
            ("payment_reminder", approved),
            ("payment_reminder_last", approved),
        ):
            template = self.env_root.ref(f"membri_renewal.mail_template_{name}")
            records.sudo()._post_notices(template, {})
            for renewal in records:
                with self.subTest(template=name, lang=renewal._get_lang()):
                    values = self._prepare(renewal)
                    self.assertTrue(values["subject"])
                    self.assertNotIn("object.", values["body"])
                    links = html.fromstring(values["body"]).xpath("//a/@href")
                    self.assertEqual(len(links), 1)
                    page = "invoices" if renewal.state == "approved" else "renewals"
                    self.assertIn(f"/my/{page}/", links[0])
                    self.assertIn("access_token=", links[0])

    def test_named_twice(self):
        """A client may name a record twice: one notice, one reminder."""
        renewal = self._create_renewal(self._create_yearly())
        twice = renewal.browse([renewal.id, renewal.id])
        twice.action_send()
        self.assertEqual(len(self._get_mails(renewal)), 1)
        twice.action_send_reminder()
        self.assertEqual(len(self._get_mails(renewal)), 2)
        self.assertEqual(renewal.reminder_count, 1)
        self.assertEqual(len(renewal.sudo().reminder_log_ids), 1)
