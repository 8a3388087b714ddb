from freezegun import freeze_time

from odoo.addons.mail.tests.common import MockEmail

from .common import MembriCommon


class GenerationCommon(MembriCommon, MockEmail):
    def _generate(self, moment="2026-11-15 15:00:00"):
        """Run the night; returns the emails about renewals that it made."""
        with freeze_time(moment), self.mock_mail_gateway():
            self._run_cron("ir_cron_generate")
            self.env_root.flush_all()
            return self._get_notices(self._new_mails)

    def _renewals(self, *members):
        return self.env["membri.renewal"].search(
            [("partner_id", "in", [member.id for member in members or [self.member]])]
        )
