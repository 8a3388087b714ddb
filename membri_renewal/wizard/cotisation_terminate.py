from odoo import api, fields, models


class MembriCotisationTerminate(models.TransientModel):
    """A member leaves before the end: resignation, death, exclusion."""

    _name = "membri.cotisation.terminate"
    _description = "Terminate a Cotisation"

    cotisation_ids = fields.Many2many("membri.cotisation", string="Cotisations", required=True)
    date = fields.Date(
        string="Last Day",
        required=True,
        default=lambda self: self.env.company._membri_today(),
        help="The last day of membership, included.",
    )
    reason = fields.Char(required=True)

    @api.model
    def _get_wizard_action(self, cotisations):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Terminate the Membership"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {"default_cotisation_ids": cotisations.ids},
        }

    def action_confirm(self):
        self.ensure_one()
        self.cotisation_ids.action_terminate(self.date, self.reason)
        return {"type": "ir.actions.act_window_close"}
