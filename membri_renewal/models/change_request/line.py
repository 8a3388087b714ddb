from odoo import api, fields, models


class MembriChangeRequestLine(models.Model):
    """One option of a change request, next to what was proposed. A quantity of zero: the
    member does not want it any more."""

    _name = "membri.change.request.line"
    _description = "Change Request Option"
    _inherit = "membri.term.line.mixin"
    _written_by_clients = False
    _term_field = "request_id"

    request_id = fields.Many2one(
        "membri.change.request", required=True, index=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="request_id.currency_id")
    company_id = fields.Many2one(related="request_id.company_id", store=True, index=True)
    old_quantity = fields.Float(string="Proposed Quantity", digits="Product Unit")
    old_subtotal = fields.Monetary(string="Proposed Amount")
    asked_quantity = fields.Float(
        string="Requested Quantity", digits="Product Unit", compute="_compute_asked_quantity"
    )
    difference = fields.Monetary(compute="_compute_difference", store=True)

    # a mixin's rule, loosened: zero is what is taken out
    _quantity_positive = models.Constraint(
        "CHECK (quantity >= 0)", "The quantity cannot be negative."
    )

    @api.depends("quantity", "full_quantity")
    def _compute_asked_quantity(self):
        for line in self:
            line.asked_quantity = line.full_quantity or line.quantity

    @api.depends("price_subtotal", "old_subtotal")
    def _compute_difference(self):
        for line in self:
            line.difference = line.price_subtotal - line.old_subtotal

    def _is_frozen(self):
        # EXTENDS term lines: the member was told of what was proposed already; more of an
        # option that is archived is something new
        self.ensure_one()
        return self.asked_quantity <= self.old_quantity

    def _get_sentence(self):
        """:return: what changes, or ``False``"""
        self.ensure_one()
        name = self.product_id.display_name
        if not self.quantity:
            return self.env._("%(option)s: remove.", option=name)
        if not self.old_quantity:
            return self.env._(
                "%(option)s: add, %(amount)s.",
                option=name,
                amount=self.request_id.renewal_id._format_amount(self.price_subtotal, self),
            )
        if self.asked_quantity != self.old_quantity:
            return self.env._(
                "%(option)s: %(new)s (was %(old)s).",
                option=name,
                new=f"{self.asked_quantity:g}",
                old=f"{self.old_quantity:g}",
            )
        return False
