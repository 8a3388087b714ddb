from odoo import api, models


class MembriWizardMixin(models.AbstractModel):
    """A window tells about the records that it is given: whoever opens it, by a button, by the
    context or by RPC, is told of those only that they may read."""

    _name = "membri.wizard.mixin"
    _inherit = "membri.fields.mixin"
    _description = "Window on records that its user may read"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_given_records(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_given_records(vals)
        return super().write(vals)
