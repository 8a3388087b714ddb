from odoo import api, fields, models


class MembriRenewalLine(models.Model):
    _name = "membri.renewal.line"
    _description = "Option of a Renewal"
    _inherit = "membri.term.line.mixin"
    _term_field = "renewal_id"

    renewal_id = fields.Many2one("membri.renewal", required=True, index=True, ondelete="cascade")
    currency_id = fields.Many2one(related="renewal_id.currency_id")
    company_id = fields.Many2one(related="renewal_id.company_id", store=True, index=True)

    @api.model_create_multi
    def create(self, vals_list):
        self._fill_prices(vals_list)
        lines = super().create(vals_list)
        lines._check_edit()
        return lines

    def _fill_prices(self, vals_list):
        """A product added without a price gets the member's, on the first day of the term."""
        for vals in vals_list:
            renewal = self.env["membri.renewal"].browse(vals.get("renewal_id"))
            product = self.env["product.product"].browse(vals.get("product_id"))
            if not renewal or not product or "price_unit" in vals:
                continue
            priced = renewal.option_set_id._prepare_term_line(
                renewal.partner_id, renewal.date_start, product=product
            )
            priced.pop("sequence")
            for name, value in priced.items():
                vals.setdefault(name, value)

    def _is_frozen(self):
        # EXTENDS membri.term.line.mixin
        return bool(self.renewal_id.date_sent)

    def write(self, vals):
        self._check_edit()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_frozen(self):
        self._check_edit()

    def _check_edit(self):
        """What is frozen on the renewal is frozen for whoever writes on its lines directly."""
        if not self.renewal_id._is_internal_write():
            self.renewal_id._check_can_edit()
