from odoo import api, fields, models
from odoo.exceptions import UserError


class MembriCotisationLine(models.Model):
    _name = "membri.cotisation.line"
    _description = "Membership Term Option"
    _inherit = "membri.term.line.mixin"
    _term_field = "cotisation_id"

    cotisation_id = fields.Many2one(
        "membri.cotisation", string="Membership Term", required=True, index=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="cotisation_id.currency_id")
    company_id = fields.Many2one(related="cotisation_id.company_id", store=True, index=True)

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_edit()
        return lines

    def write(self, vals):
        result = super().write(vals)
        self._check_edit()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_invoiced(self):
        if not self.cotisation_id._is_internal_write():
            self.cotisation_id._check_can_edit({"line_ids": True})
            if self.cotisation_id.filtered("invoice_id"):
                raise UserError(
                    self.env._(
                        "To change the options of an invoiced term, edit the term itself "
                        "or reset its renewal."
                    )
                )

    def _is_edit(self, vals):
        """:return: whether ``vals`` differ from what this line has"""
        self.ensure_one()
        return any(
            set(self[name].ids) != set(field.convert_to_cache(value, self))
            if (field := self._fields[name]).type == "many2many"
            else field.convert_to_cache(value, self) != field.convert_to_cache(self[name], self)
            for name, value in vals.items()
        )

    def _check_edit(self):
        """The rules of the cotisation hold for whoever writes on its lines directly."""
        if not self.cotisation_id._is_internal_write():
            self.cotisation_id._check_can_edit({"line_ids": True})
            self.cotisation_id._check_invoiced_amount()

    def _prepare_invoice_line_vals(self):
        """:return: values of the invoice line; its text carries the dates of the term"""
        self.ensure_one()
        cotisation = self.cotisation_id
        name = self.with_context(lang=cotisation.partner_id.lang)._translate_name()
        vals = {
            "product_id": self.product_id.id,
            "name": f"{name}\n{cotisation._get_invoice_period()}",
            "quantity": self.quantity,
            "price_unit": self.price_unit,
            "tax_ids": [fields.Command.set(self.tax_ids.ids)],
            "membri_cotisation_id": cotisation.id,
            **cotisation._prepare_deferral_vals(),
        }
        option_line = cotisation.option_set_id.line_ids.filtered(
            lambda line: line.product_id == self.product_id
        )[:1]
        if option_line.analytic_distribution:  # else what Odoo's distribution models say
            vals["analytic_distribution"] = option_line.analytic_distribution
        if cotisation._get_payer() != cotisation.partner_id:
            vals["name"] += f"\n{cotisation.partner_id.display_name}"
        return vals
