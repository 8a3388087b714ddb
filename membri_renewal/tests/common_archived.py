from odoo.tests import new_test_user

from odoo.addons.mail.tests.common import MockEmail

from .common import MembriCommon


class ArchivedCommon(MembriCommon, MockEmail):
    def _run_night(self, *crons):
        """:return: the emails about renewals that the night made"""
        with self.mock_mail_gateway():
            for cron in crons or ("ir_cron_generate", "ir_cron_send_reminders"):
                self._run_cron(cron)
            self.env_root.flush_all()
            return self._get_notices(self._new_mails)

    def _get_activities(self, *records):
        """:return: the open activities on ``records``, whoever has them"""
        Activity = self.env_root["mail.activity"]
        return Activity.union(
            *(
                Activity.search([("res_model", "=", r._name), ("res_id", "=", r.id)])
                for r in records
            )
        )

    def _get_queue(self, code):
        dashboard = self.env["membri.dashboard"].search([("code", "=", code)])
        return self.env["membri.renewal"].search(dashboard._get_domain())

    def _archive_login(self, renewal):
        """The member deletes the login on the portal, as its controller does."""
        user = new_test_user(
            self.env_root, "leaver", "base.group_portal", partner_id=renewal.partner_id.id
        )
        user.with_user(user).sudo()._deactivate_portal_user()
        self.assertFalse(renewal.partner_id.active)
