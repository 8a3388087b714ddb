from odoo import api, fields, models


class MembriRenewalIntervention(models.TransientModel):
    """*Intervention requise*, with the reason that the guide calls good practice."""

    _name = "membri.renewal.intervention"
    _inherit = "membri.wizard.mixin"
    _description = "Flag for Intervention"

    renewal_ids = fields.Many2many("membri.renewal", string="Renewals", required=True)
    renewal_count = fields.Integer(compute="_compute_renewal_count")
    reason = fields.Text(required=True, string="Reason for Intervention")

    @api.depends("renewal_ids")
    def _compute_renewal_count(self):
        for wizard in self:
            wizard.renewal_count = len(wizard.renewal_ids)

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if self.env.context.get("active_model") == "membri.renewal":
            values.setdefault("renewal_ids", self.env.context.get("active_ids", []))
            self._check_given_records(values)
        return values

    def action_confirm(self):
        self.ensure_one()
        self.renewal_ids.action_require_intervention(self.reason)
        return {"type": "ir.actions.act_window_close"}
