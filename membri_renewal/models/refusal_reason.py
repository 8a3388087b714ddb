from odoo import api, fields, models
from odoo.exceptions import UserError


class MembriRefusalReason(models.Model):
    _name = "membri.refusal.reason"
    _description = "Decline Reason"
    _inherit = ["membri.needed.mixin", "membri.fields.mixin"]
    # given by the code: who enrolls again, who is terminated, who never paid
    _needed_names = (
        "refusal_reason_rejoined",
        "refusal_reason_terminated",
        "refusal_reason_not_paid",
    )
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(string="Available", default=True)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_given(self):
        # also those of other companies
        counts = (
            self.env["membri.renewal"]
            .sudo()
            ._read_group(
                [("refusal_reason_id", "in", self.ids)], ["refusal_reason_id"], ["__count"], limit=1
            )
        )
        for reason, count in counts:
            raise UserError(
                self.env._(
                    "“%(reason)s” is the reason for %(count)s declined renewals. Archive "
                    "it instead of deleting it: it is no longer proposed, and the history "
                    "is kept.",
                    reason=reason.name,
                    count=count,
                )
            )

    def _check_exists(self):
        """:raises UserError: when somebody has deleted one since it was chosen"""
        if self.exists() != self:
            raise UserError(self.env._("The selected reason has been deleted. Choose another one."))
