from datetime import timedelta

from odoo import http

from .common_portal import PortalCase


class MembershipCase(PortalCase):
    """A member since years, who works for a corporation, and a colleague there who is none."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        today = cls.company._membri_today()
        cls.today = today
        cls.old_term = cls._create_cotisation(
            cls.member, today - timedelta(days=500), state="expired"
        )
        cls.term = cls._create_cotisation(cls.member, today - timedelta(days=100))
        cls.foreign_term = cls._create_cotisation(cls.stranger, today - timedelta(days=100))

    def _get_membership(self, **query):
        query_string = "&".join(f"{key}={value}" for key, value in query.items())
        response = self.url_open(f"/my/membership?{query_string}", allow_redirects=False)
        self.env.invalidate_all()
        return response

    def _post(self, path, **data):
        data.setdefault("csrf_token", http.Request.csrf_token(self))
        self.env.flush_all()
        response = self.url_open(path, data=data, allow_redirects=False)
        self.env.invalidate_all()
        return response
