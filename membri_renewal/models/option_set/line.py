from odoo import api, fields, models


class MembriOptionSetLine(models.Model):
    _name = "membri.option.set.line"
    _description = "Membership Plan Option"
    _inherit = ["analytic.mixin", "membri.fields.mixin"]
    _order = "sequence, id"
    _check_company_auto = True

    option_set_id = fields.Many2one(
        "membri.option.set", string="Membership Plan", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="option_set_id.company_id")
    currency_id = fields.Many2one(related="option_set_id.currency_id")
    sequence = fields.Integer(default=10)
    product_id = fields.Many2one(
        "product.product",
        required=True,
        ondelete="restrict",
        check_company=True,
        domain=[("sale_ok", "=", True)],
        string="Option",
    )
    quantity = fields.Float(digits="Product Unit", default=1.0, required=True)
    price_unit = fields.Float(
        string="Custom Price",
        digits="Product Price",
        help="Replaces the price of the member's pricelist.",
    )
    product_price = fields.Float(
        related="product_id.lst_price",
        string="Regular Price",
        digits="Product Price",
        help="Sales price of the option, before the member's pricelist.",
    )
    has_own_price = fields.Boolean(
        string="Use a Custom Price",
        compute="_compute_has_own_price",
        store=True,
        readonly=False,
        precompute=True,
        help="Turn on and set the price to zero to offer the option for free.",
    )
    is_required = fields.Boolean(string="Required", help="Members cannot remove this option.")
    is_default = fields.Boolean(
        string="Included by Default",
        default=True,
        help="Included in new memberships unless it is removed.",
    )

    _quantity_positive = models.Constraint(
        "CHECK (quantity > 0)", "The quantity of an option must be more than zero."
    )

    @api.depends("price_unit")
    def _compute_has_own_price(self):
        for line in self:
            line.has_own_price = bool(line.price_unit)
