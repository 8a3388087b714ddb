from odoo import api, fields, models
from odoo.exceptions import ValidationError


class MembriOptionSet(models.Model):
    """What members may choose for themselves when they ask for changes, and what is offered
    to them before they leave."""

    _inherit = "membri.option.set"

    portal_offer = fields.Selection(
        [
            ("none", "No One"),
            ("type", "Members of the Same Membership Type"),
            ("all", "All Members"),
        ],
        string="Available on Portal To",
        default="none",
        required=True,
        help="Members who ask for changes can choose this plan; your team has the last word.",
    )
    counter_offer_id = fields.Many2one(
        "membri.option.set",
        string="Counter-Offer",
        check_company=True,
        domain="[('id', '!=', id), ('company_id', 'parent_of', company_id)]",
        help="Smaller plan offered on the portal to members who are about to decline. A member "
        "who chooses it can accept it right away.",
    )

    @api.constrains("counter_offer_id")
    def _check_counter_offer_id(self):
        for option_set in self:
            if option_set.counter_offer_id == option_set:
                raise ValidationError(
                    self.env._(
                        "“%(name)s” cannot be its own counter-offer. Choose a smaller plan.",
                        name=option_set.name,
                    )
                )

    def _is_sellable(self):
        """:return: whether a term can still be made of this option set"""
        self.ensure_one()
        return self.active and bool(self.line_ids.filtered("product_id.active"))

    def _get_offered_lines(self, proposal):
        """:param proposal: the ``membri.renewal`` that the member was sent
        :return: the options that the member chooses from: what was archived since stays where
            it was proposed"""
        self.ensure_one()
        kept = proposal.line_ids.product_id if proposal.option_set_id == self else ()
        return self.line_ids.filtered(lambda o: o.product_id.active or o.product_id in kept)


class MembriOptionSetLine(models.Model):
    _inherit = "membri.option.set.line"

    quantity_max = fields.Integer(
        string="Maximum Quantity",
        help="Highest quantity that members can request on the portal. Zero: members cannot "
        "change the quantity.",
    )

    _quantity_max_not_negative = models.Constraint(
        "CHECK (quantity_max >= 0)", "The maximum quantity cannot be negative."
    )
