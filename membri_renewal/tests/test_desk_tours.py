from datetime import timedelta

from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestDeskTours(MembriCommon, HttpCase):
    """The desk in a browser, in French."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env_root["res.lang"]._activate_lang("fr_FR")
        (cls.officer | cls.manager).with_env(cls.env_root).lang = "fr_FR"
        cls.env.invalidate_all()
        start = cls.company._membri_today() - timedelta(days=330)
        cotisation = cls._create_cotisation(
            cls._create_member("Alpha Bakery"),
            start,
            line_ids=[
                Command.create(
                    {
                        "product_id": cls.product.id,
                        "price_unit": 300.0,
                        "tax_ids": [Command.set(cls.tax.ids)],
                    }
                )
            ],
        )
        cls.renewal = cls._create_renewal(cotisation)
        cls.renewal.action_send()

    def test_desk_in_french(self):
        self.start_tour("/odoo", "membri_desk_in_french", login="officer", timeout=240)
        self.env.invalidate_all()
        self.assertEqual(self.renewal.state, "approved")
        self.assertEqual(self.renewal.invoice_id.state, "posted")

    def test_settings_of_the_manager(self):
        self.start_tour(
            "/odoo/membership-settings", "membri_desk_of_the_manager", login="manager", timeout=180
        )
        self.env.invalidate_all()
        self.assertEqual(self.company.membri_no_answer_days, 9)
