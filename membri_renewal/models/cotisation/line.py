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
        self.check_access("create")  # before anything is looked up for it
        self._fill_prices(vals_list)
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
            self.cotisation_id._get_invoice_sudo()._membri_ask_what_differs()

    def _prepare_invoice_lines_vals(self):
        """:return: list of values of the invoice lines of one term; their texts carry its dates"""
        cotisation = self.cotisation_id
        suffix = f"\n{cotisation._get_invoice_period()}"
        if cotisation._get_payer() != cotisation.partner_id:
            suffix += f"\n{cotisation.partner_id.display_name}"
        common = {"membri_cotisation_id": cotisation.id, **cotisation._prepare_deferral_vals()}
        options = {
            option.product_id: option for option in reversed(cotisation.option_set_id.line_ids)
        }
        lines_vals = []
        for line in self.with_context(lang=cotisation.partner_id.lang):
            vals = {
                "product_id": line.product_id.id,
                "name": f"{line._translate_name()}{suffix}",
                "quantity": line.quantity,
                "price_unit": line.price_unit,
                "tax_ids": [fields.Command.set(line.tax_ids.ids)],
                **common,
            }
            option = options.get(line.product_id)
            # else what Odoo's distribution models say
            if option and option.analytic_distribution:
                vals["analytic_distribution"] = option.analytic_distribution
            lines_vals.append(vals)
        return lines_vals
