from odoo import api, models
from odoo.fields import Domain

RETURNED = "payment.return.line"


class IrRule(models.Model):
    """OCA's ``account_payment_return``, which is no dependency, keeps returns to their company and
    forgets their lines: accountants of any company read who could not pay, and take lines away."""

    _inherit = "ir.rule"

    @api.model
    def _compute_domain(self, model_name, mode="read"):
        # EXTENDS base
        domain = super()._compute_domain(model_name, mode)
        if model_name != RETURNED or self.env.su:
            return domain
        return domain & Domain("return_id.company_id", "in", [False, *self.env.companies.ids])
