from odoo import api, models
from odoo.exceptions import AccessError

from ..mixins.fields import MembriFieldsMixin


class IrEmbeddedActions(models.Model):
    """Odoo lets every employee put a tab on a screen, for everybody, that calls a method of what is
    shown there, or runs an action of the server on it, as whoever opens it."""

    _inherit = "ir.embedded.actions"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS base
        tabs = super().create(vals_list)
        tabs._membri_check_methods()
        return tabs

    def write(self, vals):
        # EXTENDS base
        result = super().write(vals)
        self._membri_check_methods()
        return result

    def _membri_check_methods(self):
        """Called in ``create`` and ``write``.

        :raises AccessError: where somebody else than an administrator has a tab call a method
            or run an action on contacts, invoices or records of ours"""
        if self.env.su or self.env.user._is_system():
            return
        # sudo: actions are the administrators'; what they show is asked
        for tab_sudo in self.sudo():
            action_sudo = tab_sudo.action_id
            names = {tab_sudo.parent_res_model, tab_sudo.parent_action_id.res_model}
            if action_sudo.type == "ir.actions.server":
                names.add(action_sudo.env[action_sudo.type].browse(action_sudo.id).model_name)
            elif not tab_sudo.python_method:
                continue
            if any(isinstance(self.env.get(name), MembriFieldsMixin) for name in names):
                raise AccessError(
                    self.env._("Only an administrator can add a tab that runs an action.")
                )
