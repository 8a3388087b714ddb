from odoo import api, fields, models


class MembriRenewalRefuse(models.TransientModel):
    """*Refus de renouvellement*: one reason for one renewal or for thousands."""

    _name = "membri.renewal.refuse"
    _description = "Refuse Renewals"

    renewal_ids = fields.Many2many("membri.renewal", string="Renewals", required=True)
    renewal_count = fields.Integer(compute="_compute_renewal_count")
    reason_id = fields.Many2one("membri.refusal.reason", required=True)
    note = fields.Text(string="Comment")

    @api.depends("renewal_ids")
    def _compute_renewal_count(self):
        for wizard in self:
            wizard.renewal_count = len(wizard.renewal_ids)

    @api.model
    def _get_wizard_action(self, renewals):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Refuse the Renewal")
            if len(renewals) == 1
            else self.env._("Refuse Several Renewals"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {"default_renewal_ids": renewals.ids},
        }

    def action_confirm(self):
        """Refuse: one renewal directly, several as a bulk job that isolates each."""
        self.ensure_one()
        if len(self.renewal_ids) == 1:
            self.renewal_ids._check_can("refuse")
            self.renewal_ids._do_refuse(self.reason_id, self.note)
            return {"type": "ir.actions.act_window_close"}
        return self.env["membri.bulk.job"]._start(
            "refuse",
            self.renewal_ids,
            refusal_reason_id=self.reason_id.id,
            refusal_note=self.note,
        )
