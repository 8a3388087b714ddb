from freezegun import freeze_time

from odoo.fields import Command

from odoo.addons.mail.tests.common import MockEmail

from .common import MembriCommon


class ReminderCommon(MembriCommon, MockEmail):
    """Ada's term ends on 31 December 2026; her notice goes out on 5 November, 10:00 local."""

    def setUp(self):
        super().setUp()
        self.cotisation = self._create_cotisation(self.member, "2026-01-01")

    def _step(self, trigger, days, option_set=None, **vals):
        return self.env_root["membri.reminder.step"].create(
            {
                "option_set_id": (option_set or self.yearly).id,
                "trigger": trigger,
                "days": days,
                **vals,
            }
        )

    def _notify(self, cotisation=None, moment="2026-11-05 15:00:00"):
        with freeze_time(moment):
            renewal = self._create_renewal(cotisation or self.cotisation)
            renewal.action_send()
        return renewal

    def _approve(self, renewal, moment="2026-11-10 15:00:00"):
        with freeze_time(moment):
            renewal.action_approve()

    def _remind(self, moment):
        """Run the night; returns the emails that it made."""
        with freeze_time(moment), self.mock_mail_gateway():
            self._run_cron("ir_cron_send_reminders")
            self.env_root.flush_all()
            return self._get_notices(self._new_mails)

    def _logs(self, renewal):
        return [(log.step_id, log.result) for log in renewal.sudo().reminder_log_ids.sorted("id")]

    def _transaction(self, invoice, state):
        provider = self.env_root["payment.provider"].create(
            {"name": "Bank", "code": "none", "company_id": self.company.id}
        )
        return self.env_root["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": self.env_root.ref("payment.payment_method_unknown").id,
                "reference": f"tx of {invoice.id}",
                "amount": invoice.amount_total,
                "currency_id": invoice.currency_id.id,
                "partner_id": invoice.partner_id.id,
                "invoice_ids": [Command.set(invoice.ids)],
                "state": state,
            }
        )
