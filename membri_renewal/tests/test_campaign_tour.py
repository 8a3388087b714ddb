from datetime import timedelta

from odoo.tests import HttpCase, tagged

from .common_campaign import CampaignCommon


@tagged("post_install", "-at_install")
class TestCampaignTour(CampaignCommon, HttpCase):
    """*Préparer la campagne*, in a browser, by an officer who reads French."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env_root["res.lang"]._activate_lang("fr_FR")
        cls.env_root["ir.module.module"].search(
            [("name", "=", "membri_renewal")]
        )._update_translations(["fr_FR"])
        cls.officer.with_env(cls.env_root).lang = "fr_FR"

    def test_prepare_the_campaign(self):
        start = self.company._membri_today() - timedelta(days=330)
        terms = {
            name: self._create_term(name, date_start=start, **vals)
            for name, vals in {
                "Alpha Bakery": {},
                "Beta Clinic": {},
                "Gamma Garage": {"auto_renew": True},
                "Delta Studio": {"email": False},
                "Epsilon Farm": {},
            }.items()
        }
        terms["Epsilon Farm"].partner_id.membri_intervention_required = True
        self.start_tour("/odoo", "membri_campaign_fr", login="officer", timeout=240)
        self.env.invalidate_all()
        states = {name: term.renewal_ids.mapped("state") for name, term in terms.items()}
        self.assertEqual(
            states,
            {
                "Alpha Bakery": ["sent"],
                "Beta Clinic": [],
                "Gamma Garage": ["approved"],
                "Delta Studio": ["sent"],
                "Epsilon Farm": ["intervention"],
            },
        )
