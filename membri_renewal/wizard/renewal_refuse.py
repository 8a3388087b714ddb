from odoo import api, fields, models
from odoo.fields import Command

from ..models.bulk_job.bulk_job import FOREGROUND_LIMIT


class MembriRenewalRefuse(models.TransientModel):
    """*Refus de renouvellement*: one reason for one renewal or for thousands, or, for as many
    as fit on a screen, a reason for each."""

    _name = "membri.renewal.refuse"
    _inherit = "membri.bulk.selection"
    _description = "Decline Renewals"

    renewal_ids = fields.Many2many(required=True)
    renewal_count = fields.Integer(compute="_compute_renewal_count")
    can_differ = fields.Boolean(
        string="Can Have Different Reasons", compute="_compute_renewal_count"
    )
    reason_id = fields.Many2one("membri.refusal.reason")
    note = fields.Text(string="Comment")
    is_per_line = fields.Boolean(
        string="Different Reasons",
        help="Give each renewal its own reason, starting from the one above.",
    )
    # the reason that the lines were filled with last: another one is the officer's own
    filled_reason_id = fields.Many2one("membri.refusal.reason", string="Reason Copied From")
    line_ids = fields.One2many(
        "membri.renewal.refuse.line",
        "wizard_id",
        string="Reasons",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )

    @api.depends("renewal_ids")
    def _compute_renewal_count(self):
        for wizard in self:
            wizard.renewal_count = len(wizard.renewal_ids)
            wizard.can_differ = 1 < wizard.renewal_count <= FOREGROUND_LIMIT

    def _get_bulk_action(self):
        # EXTENDS membri_renewal
        return "refuse"

    @api.depends("renewal_ids", "is_per_line")
    def _compute_line_ids(self):
        for wizard in self:
            renewals = wizard.renewal_ids if wizard.is_per_line else wizard.renewal_ids.browse()
            wizard.line_ids = [
                Command.clear(),
                *(
                    Command.create({"renewal_id": id_, "reason_id": wizard.reason_id.id})
                    for id_ in renewals._origin.ids
                ),
            ]

    @api.onchange("reason_id")
    def _onchange_reason_id(self):
        for line in self.line_ids:
            if not line.reason_id or line.reason_id == self.filled_reason_id:
                line.reason_id = self.reason_id
        self.filled_reason_id = self.reason_id

    @api.model_create_multi
    def create(self, vals_list):
        Reason = self.env["membri.refusal.reason"]
        Reason.browse(
            vals["reason_id"] for vals in vals_list if vals.get("reason_id")
        )._check_exists()
        return super().create(vals_list)

    @api.model
    def _get_wizard_action(self, renewals):
        renewals = self.env["membri.bulk.job"]._get_selection(renewals)
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Decline the Renewal")
            if len(renewals) == 1
            else self.env._("Decline Selected Renewals"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
        }
        if len(renewals) <= FOREGROUND_LIMIT:
            return {**action, "context": {"default_renewal_ids": renewals.ids}}
        # the browser would take seconds to receive thousands of ids and to send them back
        return {**action, "res_id": self.create({"renewal_ids": renewals.ids}).id}

    def action_confirm(self):
        """Refuse: one renewal directly, several as a bulk job that isolates each."""
        self.ensure_one()
        self.renewal_ids._check_has_reason(self.reason_id)
        if len(self.renewal_ids) == 1:
            self.renewal_ids._check_can("refuse")
            self.renewal_ids._do_refuse(self.reason_id, self.note)
            return {"type": "ir.actions.act_window_close"}
        lines = self.line_ids if self.is_per_line else self.line_ids.browse()
        return self.env["membri.bulk.job"]._start(
            "refuse",
            self.renewal_ids,
            lines_vals={line.renewal_id: line._prepare_job_line_vals() for line in lines},
            refusal_reason_id=self.reason_id.id,
            refusal_note=self.note,
        )


class MembriRenewalRefuseLine(models.TransientModel):
    _name = "membri.renewal.refuse.line"
    _inherit = "membri.wizard.mixin"
    _description = "Decline Reason for One Renewal"

    wizard_id = fields.Many2one("membri.renewal.refuse", required=True, ondelete="cascade")
    renewal_id = fields.Many2one("membri.renewal", required=True)
    partner_id = fields.Many2one(related="renewal_id.partner_id")
    current_date_end = fields.Date(related="renewal_id.current_date_end")
    currency_id = fields.Many2one(related="renewal_id.currency_id")
    amount_total = fields.Monetary(related="renewal_id.amount_total")
    reason_id = fields.Many2one("membri.refusal.reason", required=True)
    note = fields.Char(string="Comment")

    def _prepare_job_line_vals(self):
        self.ensure_one()
        return {"refusal_reason_id": self.reason_id.id, "refusal_note": self.note or False}
