from odoo import api, fields, models
from odoo.exceptions import UserError


class MembriRefusalReason(models.Model):
    _name = "membri.refusal.reason"
    _description = "Refusal Reason"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used_by_system(self):
        rejoined = self.env.ref("membri_renewal.refusal_reason_rejoined", raise_if_not_found=False)
        if rejoined and rejoined in self:
            raise UserError(
                self.env._(
                    "The reason “%(reason)s” is used when a former member enrols again. "
                    "Archive it or rename it instead of deleting it.",
                    reason=rejoined.name,
                )
            )
