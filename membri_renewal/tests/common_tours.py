from datetime import timedelta

from odoo.tests import HttpCase

from .common_change_request import ChangeRequestCommon


class DeskTourCase(ChangeRequestCommon, HttpCase):
    """Members with a renewal, and users who read French."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env_root["res.lang"]._activate_lang("fr_FR")
        (cls.officer | cls.manager | cls.auditor).with_env(cls.env_root).lang = "fr_FR"
        cls.env.invalidate_all()
        cls.today = cls.company._membri_today()

    @classmethod
    def _renewal_of(cls, name, option_set=None, state="sent"):
        start = cls.today - timedelta(days=330)
        renewal = cls._create_renewal(
            cls._create_cotisation(cls._create_member(name), start, option_set)
        )
        if state != "draft":
            renewal.action_send()
        return renewal

    def _walk(self, tour, login="officer"):
        self.start_tour("/odoo", tour, login=login, timeout=300)
        self.env.invalidate_all()
