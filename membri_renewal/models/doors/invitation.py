from odoo import api, models


class PortalWizardUser(models.TransientModel):
    """Odoo gives whoever edits contacts the window that makes logins and takes them away, for any
    contact that its lines name."""

    _inherit = "portal.wizard.user"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS portal
        lines = super().create(vals_list)
        lines.partner_id.check_access("write")
        return lines

    def write(self, vals):
        # EXTENDS portal
        result = super().write(vals)
        self.partner_id.check_access("write")
        return result
