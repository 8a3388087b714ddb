from pathlib import Path
from unittest.mock import patch

from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server, MailDeliveryException
from odoo.addons.mail.tests.common import MockEmail

from .common import MembriCommon

# also what bounces in ``./dev season``
BOUNCE = Path(__file__).with_name("bounce.eml").read_text()
MAIL_LOGGER = "odoo.addons.mail.models.mail_mail"
STREET = {"street": "1 Main Street", "city": "Town", "zip": "J4H 2X3"}


class NoticeCase(MembriCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env_root["res.lang"]._activate_lang("fr_FR")
        french = cls.env_root.ref("membri_renewal.mail_template_notice").with_context(lang="fr_FR")
        french.subject = "Votre adhésion à {{ object.company_id.name }}"
        french.body_html = """
            <p>Bonjour, <a t-att-href="object._get_answer_url()">répondre</a>
            <t t-out="object.term_display"/></p>"""

    def _get_notice_messages(self, renewal):
        notice = self.env.ref("membri_renewal.mt_notice")
        return renewal.message_ids.filtered(lambda m: m.subtype_id == notice).sorted("id")

    def _get_leaving(self, mail):
        """The HTML of the first email, as it leaves."""
        return mail._prepare_outgoing_list()[0]["body"]

    def _get_mails(self, renewal):
        return self.env_root["mail.mail"].search(
            [("mail_message_id", "in", self._get_notice_messages(renewal).ids)]
        )


class DeliveryCase(NoticeCase, MockEmail):
    def setUp(self):
        super().setUp()
        self.number = 0

    def _bounce(self, mail, address):
        """The email comes back from ``address``, as the mail gateway hears of it."""
        self.number += 1
        raw = BOUNCE.format(
            bounce=self.company.bounce_email or "bounce@example.com",
            number=self.number,
            address=address,
            message_id=mail.message_id,
        )
        self.env_root["mail.thread"].message_process(None, raw)
        self.env.invalidate_all()

    def _get_last_mail(self, renewal):
        return self._get_mails(renewal).sorted("id")[-1:]


class OneDeliveryCase(DeliveryCase):
    def _is_in_queue(self, renewal, code):
        dashboard = self.env.ref(f"membri_renewal.dashboard_{code}")
        self.env.flush_all()
        return renewal in self.env["membri.renewal"].search(dashboard._get_domain())

    def _run_sending(self, refuse=()):
        """Odoo's sending queue, with a mail server that takes what is not to be refused; returns
        the messages that left."""
        left = []

        def send_email(server, message, *args, **kwargs):
            if any(address in message["To"] for address in refuse):
                raise MailDeliveryException("Delivery failed", "550 5.1.1 no such user")
            if self.officer.email not in message["To"]:  # who is told of an activity
                left.append(message)
            return message["Message-Id"]

        with (
            self.mock_mail_gateway(),
            patch.object(IrMail_Server, "send_email", send_email),
            mute_logger(MAIL_LOGGER),
            self.enter_registry_test_mode(),
        ):
            self.env_root.ref("membri_renewal.ir_cron_send_fee_notices").method_direct_trigger()
            self.env_root.ref("account.ir_cron_account_move_send").method_direct_trigger()
            self.env_root["mail.mail"].search([("state", "=", "outgoing")]).send()
        self.env.invalidate_all()
        return left

    def _get_invoice_mails(self, invoice):
        return self.env_root["mail.mail"].search(
            [("model", "=", "account.move"), ("res_id", "=", invoice.id)], order="id"
        )

    def _renew_automatically(self, **vals):
        cotisation = self._create_yearly(**vals)
        cotisation.partner_id.membri_auto_renew = True
        renewal = self._create_renewal(cotisation)
        renewal.action_send()
        self.assertEqual(renewal.state, "approved")
        return renewal
