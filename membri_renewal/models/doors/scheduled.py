from odoo import models
from odoo.exceptions import AccessError


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def _can_execute_action_on_records(self, records):
        # EXTENDS base, which asks for the rights on the model in sudo: by RPC every user could
        # run what is scheduled
        self._membri_check_scheduled()
        return super()._can_execute_action_on_records(records)

    def _membri_check_scheduled(self):
        """Called in sudo.

        :raises AccessError: when this is scheduled work of ours, and somebody else than the
            scheduler or an administrator runs it"""
        ours = self.model_id.model.startswith("membri.") or "._membri_cron_" in (self.code or "")
        if self.usage != "ir_cron" or not ours:
            return
        user = self.env.user
        if not user._is_system() and user not in self.ir_cron_ids.user_id:
            raise AccessError(
                self.env._(
                    "“%(action)s” runs automatically. Only an administrator can start it manually.",
                    action=self.name,
                )
            )
