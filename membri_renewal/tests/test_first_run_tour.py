from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.mail.tests.common import MockEmail

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestFirstRunTour(MembriCommon, MockEmail, HttpCase):
    """Issue 16, 1: from an empty company to a notice in one's own mailbox, in a browser. It prints
    clicks and seconds."""

    browser_size = "1366,768"

    def _walk(self, tour, lang, **company):
        """:return: the terms of the new company, after the walk of its only user"""
        self.env_root["res.lang"]._activate_lang(lang)
        empty = self._create_other_company("First", "UTC", **company)
        empty.write({"email": False, "country_id": False, "street": False, "city": False})
        new_test_user(
            self.env_root,
            "starter",
            "membri_renewal.group_membri_manager,base.group_system,base.group_partner_manager",
            name="Starter",
            email="starter@first.example",
            lang=lang,
            company_id=empty.id,
            company_ids=[Command.set(empty.ids)],
        )
        # a mail server that takes it
        with self.mock_mail_gateway(mail_unlink_sent=False):
            self.start_tour("/odoo", tour, login="starter", timeout=300)
        self.env.invalidate_all()
        mail = self.env_root["mail.mail"].search([("email_to", "ilike", "starter@first.example")])
        self.assertEqual((len(mail), mail.state), (1, "sent"))
        self.assertIn("Regular Member", mail.body_html)
        self.assertEqual(mail.attachment_ids.mapped("mimetype"), ["application/pdf"])
        self.assertFalse(self.env_root["membri.renewal"].search([("company_id", "=", empty.id)]))
        return self.env_root["membri.cotisation"].search([("company_id", "=", empty.id)])

    def test_first_run_in_french(self):
        terms = self._walk("membri_first_run", "fr_FR", with_accounting=True)
        self.assertEqual(terms.partner_id.mapped("name"), ["Ada First"])

    def test_first_run_without_accounts(self):
        self.assertFalse(self._walk("membri_first_run_without_accounts", "en_US"))
