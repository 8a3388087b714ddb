from odoo import api, fields, models
from odoo.exceptions import UserError

# what a line may be called after its product
PRODUCT_NAMES = (
    lambda product: product.get_product_multiline_description_sale(),
    lambda product: product.display_name,
)


class MembriTermLineMixin(models.AbstractModel):
    """A product of a term, with its price and taxes.

    Shared by the lines of cotisations (what a member has) and of renewals (what is
    proposed). Concrete models name their parent in ``_term_field``.
    """

    _name = "membri.term.line.mixin"
    _description = "Option of a term or proposed term"
    _inherit = "membri.fields.mixin"
    _order = "sequence, id"
    _term_field = None

    sequence = fields.Integer(default=10)
    product_id = fields.Many2one(
        "product.product", required=True, ondelete="restrict", string="Option"
    )
    name = fields.Char(string="Description", compute="_compute_name", store=True, readonly=False)
    name_display = fields.Char(
        string="Option Description",
        compute="_compute_name_display",
        inverse="_inverse_name_display",
        help="Shown in the reader's language, unless it was edited manually.",
    )
    quantity = fields.Float(digits="Product Unit", default=1.0, required=True)
    price_unit = fields.Float(string="Unit Price", digits="Product Price", required=True)
    is_price_agreed = fields.Boolean(
        string="Agreed Price",
        help="The price was agreed manually: it is kept when dates change and used again for "
        "the next renewal.",
    )
    full_quantity = fields.Float(
        string="Quantity Before Proration",
        digits="Product Unit",
        help="Quantity before proration, if it had to change; used again for the next term.",
    )
    full_price_unit = fields.Float(
        string="Full Unit Price",
        digits="Product Price",
        help="Agreed price before proration, used again for the next term.",
    )
    tax_ids = fields.Many2many(
        "account.tax",
        string="Taxes",
        domain=[("type_tax_use", "=", "sale")],
        context={"active_test": False},  # one that was archived since is still what was agreed
    )
    price_subtotal = fields.Monetary(
        string="Subtotal", compute="_compute_price_subtotal", store=True
    )
    # redefined by each concrete model as a related field
    currency_id = fields.Many2one("res.currency")

    _quantity_positive = models.Constraint(
        "CHECK (quantity > 0)", "The quantity of an option must be more than zero."
    )

    def write(self, vals):
        """A line stays with its term: what is frozen there cannot be got round by a move."""
        term_id = vals.get(self._term_field)
        if term_id and any(line[self._term_field].id != term_id for line in self):
            raise UserError(
                self.env._("An option cannot be moved. Delete it here and add it there.")
            )
        return super().write(vals)

    @api.depends("product_id")
    def _compute_name(self):
        for line in self:
            line.name = line.name or line.product_id.display_name

    @api.depends("name", "product_id")
    @api.depends_context("lang")
    def _compute_name_display(self):
        for line in self:
            line.name_display = line._translate_name()

    def _inverse_name_display(self):
        for line in self:
            if line.name_display and line.name_display != line._translate_name():
                line.name = line.name_display

    def _translate_name(self):
        """Return the kept name, which is in one language, in that of the reader: where it is
        still what the product is called in some language; what was worded by hand stays."""
        self.ensure_one()
        name = self.name or ""
        installed = self.env["res.lang"].get_installed()
        if len(installed) < 2 or not name:
            return name
        # an amount that is no multiple of the quantity names the quantity (_prorate_lines)
        prefix, sep, rest = name.rpartition(" × ")
        if not sep or not prefix.replace(".", "", 1).isdecimal():
            prefix, sep, rest = "", "", name
        # sudo: members may not read products, but what they are called
        product_sudo = self.product_id.sudo()
        reader = product_sudo.with_context(lang=self.env.lang or "en_US")
        for lang, _label in installed:
            for get_name in PRODUCT_NAMES:
                if get_name(product_sudo.with_context(lang=lang)) == rest:
                    return f"{prefix}{sep}{get_name(reader)}"
        return name

    @api.depends("quantity", "price_unit", "tax_ids", "currency_id")
    def _compute_price_subtotal(self):
        AccountTax = self.env["account.tax"]
        for line in self:
            term = line[self._term_field]
            company = term.company_id or self.env.company
            # most taxes are added to the price: the engine would only say what the price is
            if not line._has_taxes_in_price():
                currency = term.currency_id or company.currency_id
                line.price_subtotal = currency.round(line.quantity * line.price_unit)
                continue
            base_line = line._prepare_base_line_for_taxes_computation()
            AccountTax._add_tax_details_in_base_line(base_line, company)
            AccountTax._round_base_lines_tax_details([base_line], company)
            line.price_subtotal = base_line["tax_details"]["total_excluded_currency"]

    def _has_taxes_in_price(self):
        """:return: whether the price of this line includes one of its taxes"""
        self.ensure_one()
        return any((self.tax_ids | self.tax_ids.children_tax_ids).mapped("price_include"))

    @api.onchange("product_id")
    def _onchange_product_id(self):
        """A product that is added by hand gets the member's price on the first day."""
        term = self[self._term_field]
        if self.product_id and term.option_set_id and term.partner_id and term.date_start:
            vals = term._get_option_set()._prepare_term_line(
                term.partner_id, term.date_start, product=self.product_id
            )
            vals.pop("sequence")
            self.update(vals)

    @api.model
    def _fill_prices(self, vals_list):
        """A product added without a price gets the member's, on the first day of the term."""
        for vals in vals_list:
            term = self[self._term_field].browse(vals.get(self._term_field))
            product = self.env["product.product"].browse(vals.get("product_id"))
            if not term or not product or "price_unit" in vals:
                continue
            priced = term._get_option_set()._prepare_term_line(
                term.partner_id, term.date_start, product=product
            )
            priced.pop("sequence")
            for name, value in priced.items():
                vals.setdefault(name, value)

    def _prepare_base_line_for_taxes_computation(self):
        """:return: this line in the shape that the tax engine of ``account.tax`` takes"""
        self.ensure_one()
        term = self[self._term_field]
        return self.env["account.tax"]._prepare_base_line_for_taxes_computation(
            self,
            tax_ids=self.tax_ids,
            quantity=self.quantity,
            partner_id=term.partner_id,
            currency_id=term.currency_id or term.company_id.currency_id,
            name=self.name,
        )

    def _prepare_copy_vals(self):
        """:return: values for the same line on another term (renewal → cotisation)"""
        self.ensure_one()
        return {
            "sequence": self.sequence,
            "product_id": self.product_id.id,
            "name": self.name,
            "quantity": self.quantity,
            "price_unit": self.price_unit,
            "is_price_agreed": self.is_price_agreed,
            "full_quantity": self.full_quantity,
            "full_price_unit": self.full_price_unit,
            "tax_ids": [fields.Command.set(self.tax_ids.ids)],
        }
