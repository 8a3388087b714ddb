from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestFirstRunTour(MembriCommon, HttpCase):
    """Issue 16, 1: from an empty company to a notice in one's own mailbox, in a browser. It prints
    clicks and seconds."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.empty = cls._create_other_company("First", "America/Toronto", with_accounting=True)
        cls.empty.write({"email": False, "country_id": False, "street": False, "city": False})
        cls.starter = new_test_user(
            cls.env_root,
            "starter",
            "membri_renewal.group_membri_manager,base.group_system,base.group_partner_manager",
            name="Starter",
            email="starter@first.example",
            company_id=cls.empty.id,
            company_ids=[Command.set(cls.empty.ids)],
        )

    def _walk(self):
        self.start_tour("/odoo", "membri_first_run", login="starter", timeout=300)
        self.env.invalidate_all()
        mail = self.env_root["mail.mail"].search([("email_to", "ilike", "starter@first.example")])
        self.assertEqual((len(mail), mail.state), (1, "sent"))
        self.assertIn("Regular Member", mail.body_html)
        self.assertEqual(mail.attachment_ids.mapped("mimetype"), ["application/pdf"])
        terms = self.env_root["membri.cotisation"].search([("company_id", "=", self.empty.id)])
        self.assertEqual(terms.partner_id.mapped("name"), ["Ada First"])
        self.assertFalse(
            self.env_root["membri.renewal"].search([("company_id", "=", self.empty.id)])
        )

    def test_first_run_in_french(self):
        self.env_root["res.lang"]._activate_lang("fr_FR")
        self.starter.lang = "fr_FR"
        self._walk()
