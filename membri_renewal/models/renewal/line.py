from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import float_compare


class MembriRenewalLine(models.Model):
    _name = "membri.renewal.line"
    _description = "Renewal Option"
    _inherit = "membri.term.line.mixin"
    _term_field = "renewal_id"

    renewal_id = fields.Many2one("membri.renewal", required=True, index=True, ondelete="cascade")
    currency_id = fields.Many2one(related="renewal_id.currency_id")
    company_id = fields.Many2one(related="renewal_id.company_id", store=True, index=True)

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")  # before anything is looked up for it
        self._fill_prices(vals_list)
        lines = super().create(vals_list)
        lines._check_edit()
        return lines

    def _is_frozen(self):
        # EXTENDS membri.term.line.mixin
        return bool(self.renewal_id.date_sent)

    def write(self, vals):
        self._check_edit()
        if "price_unit" not in vals or "is_price_agreed" in vals or self._is_internal_edit():
            return super().write(vals)
        # a price that somebody types is agreed by hand: it is kept when dates move
        typed = self.filtered(lambda line: line._is_other_price(vals["price_unit"]))
        super(MembriRenewalLine, self - typed).write(vals)
        return super(MembriRenewalLine, typed).write({**vals, "is_price_agreed": True})

    @api.onchange("price_unit")
    def _onchange_price_unit(self):
        """Shown as it will be saved (see :meth:`write`)."""
        if self._origin and self._origin._is_other_price(self.price_unit):
            self.update({"is_price_agreed": True})

    def _is_other_price(self, price):
        self.ensure_one()
        digits = self.env["decimal.precision"].precision_get("Product Price")
        return bool(float_compare(price, self.price_unit, precision_digits=digits))

    def _is_internal_edit(self):
        return self.renewal_id._is_internal_write()

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_frozen(self):
        self._check_edit()

    def _check_edit(self):
        """What is frozen on the renewal is frozen for whoever writes on its lines directly."""
        if not self._is_internal_edit():
            self.renewal_id._check_can_edit()

    # ------------------------------------------------------------------
    # On the day on which it is accepted
    # ------------------------------------------------------------------

    def _get_vals_of_current_taxes(self, memo):
        """The taxes are those of payer, fiscal position and day; the untaxed price is frozen.

        :param memo: see ``membri.option.set._prepare_term_lines``
        :return: values to write, empty when nothing changes
        """
        self.ensure_one()
        renewal, frozen = self.renewal_id, self.tax_ids
        # sudo: the member who answers on the portal may not read products and taxes
        option_set_sudo = renewal._get_option_set().sudo()
        of_line = (renewal.partner_id.sudo(), self.product_id.sudo(), memo)
        taxes = option_set_sudo._get_taxes(*of_line).sudo(False)
        if taxes == frozen or self._keeps_taxes(taxes):
            return {}
        if option_set_sudo._get_taxes(*of_line, with_archived=True) == frozen:
            return {}  # one of them was archived, or one that its fiscal position replaces
        return {
            "tax_ids": [Command.set(taxes.ids)],
            "price_unit": self._get_price_with_taxes(frozen.sudo(), taxes.sudo()),
        }

    def _keeps_taxes(self, current):
        """:param current: the taxes of today
        :return: whether what is missing in them was archived, not taken away or replaced: then
            those that were shown hold"""
        shown_sudo = self.tax_ids.sudo()  # sudo: members read no taxes
        missing_sudo = shown_sudo - current
        if not current:
            return not all(shown_sudo.mapped("active"))
        return (
            bool(missing_sudo)
            and current.sudo() <= shown_sudo
            and not any(missing_sudo.mapped("active"))
        )

    def _get_price_with_taxes(self, old_taxes, new_taxes):
        """:return: the unit price that keeps the untaxed one, where prices include taxes"""
        if not any((old_taxes | new_taxes).mapped("price_include")):
            return self.price_unit
        # sudo: members read no products
        options = {"rounding_method": "round_globally", "product": self.product_id.sudo()}
        untaxed = old_taxes._get_tax_details(self.price_unit, 1.0, **options)["total_excluded"]
        details = new_taxes._get_tax_details(untaxed, 1.0, special_mode="total_excluded", **options)
        return untaxed + sum(
            data["tax_amount"] for data in details["taxes_data"] if data["tax"].price_include
        )

    def _get_full_name(self):
        """:return: the text of this line, before a proration has put the quantity before it"""
        self.ensure_one()
        prefix = f"{self.full_quantity:g} × "
        return self.name.removeprefix(prefix) if self.full_quantity else self.name
