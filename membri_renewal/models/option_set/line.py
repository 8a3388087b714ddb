from odoo import api, fields, models


class MembriOptionSetLine(models.Model):
    _name = "membri.option.set.line"
    _description = "Option of an Option Set"
    _inherit = ["analytic.mixin", "membri.fields.mixin"]
    _order = "sequence, id"
    _check_company_auto = True

    option_set_id = fields.Many2one(
        "membri.option.set", required=True, index=True, ondelete="cascade"
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
        string="Own Price",
        digits="Product Price",
        help="Used instead of the member's pricelist.",
    )
    has_own_price = fields.Boolean(
        compute="_compute_has_own_price",
        store=True,
        readonly=False,
        precompute=True,
        help="Tick it to give an option for free.",
    )
    is_required = fields.Boolean(string="Required", help="Members cannot leave this option out.")
    is_default = fields.Boolean(
        string="Proposed", default=True, help="Part of a new membership unless it is taken out."
    )

    _quantity_positive = models.Constraint(
        "CHECK (quantity > 0)", "The quantity of an option must be more than zero."
    )

    @api.depends("price_unit")
    def _compute_has_own_price(self):
        for line in self:
            line.has_own_price = bool(line.price_unit)
