from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

# what a plan of each kind is, beside its name and price
KINDS = {
    "calendar_year": {
        "date_mode": "fixed",
        "fixed_month": "1",
        "fixed_day": 1,
        "proration": "daily",
    },
    "anniversary": {"date_mode": "anniversary"},
    "monthly": {
        "period_unit": "month",
        "renewal_mode": "invoice",
        "notice_lead_days": 7,
        "grace_days": 7,
    },
    "lifetime": {"lifetime": True},
}


class MembriOptionSetStart(models.TransientModel):
    """A first membership plan, from one of the usual kinds: its price is asked."""

    _name = "membri.option.set.start"
    _description = "New Membership Plan"
    _inherit = "membri.wizard.mixin"

    kind = fields.Selection(
        [
            ("calendar_year", "Calendar Year (first term by remaining days)"),
            ("anniversary", "One Year From the Day of Joining"),
            ("monthly", "Monthly"),
            ("lifetime", "Lifetime"),
        ],
        default="calendar_year",
        required=True,
    )
    name = fields.Char(required=True, help="What members subscribe to, such as “Regular member”.")
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    price = fields.Monetary(help="Price of a whole term, before taxes.")
    is_free = fields.Boolean(string="Free Membership")
    tax_ids = fields.Many2many(
        "account.tax",
        string="Taxes",
        domain=[("type_tax_use", "=", "sale")],
        check_company=True,
        default=lambda self: self.env.company.account_sale_tax_id,
    )
    income_account_id = fields.Many2one(
        "account.account",
        check_company=True,
        domain=[("account_type", "in", ("income", "income_other"))],
        help="Leave empty to use the account of the product category.",
    )

    def action_confirm(self):
        """Create the plan and its product.

        :return: an action that shows the plan"""
        self.ensure_one()
        return self._do_create()._get_records_action()

    def _do_create(self):
        """:return: the new ``membri.option.set``"""
        if self.price < 0 or (not self.price and not self.is_free):
            raise UserError(
                self.env._(
                    "Enter the price of “%(name)s”, or turn on “Free Membership”.", name=self.name
                )
            )
        product = self.env["product.product"].create(self._prepare_product_vals())
        return self.env["membri.option.set"].create(
            {
                "name": self.name,
                "company_id": self.company_id.id,
                **KINDS[self.kind],
                "line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "is_required": True,
                            "has_own_price": self.is_free,
                        }
                    )
                ],
            }
        )

    def _prepare_product_vals(self):
        return {
            "name": self.name,
            "type": "service",
            "sale_ok": True,
            "purchase_ok": False,
            "list_price": 0.0 if self.is_free else self.price,
            "company_id": self.company_id.id,
            "taxes_id": [Command.set(self.tax_ids.ids)],
            "property_account_income_id": self.income_account_id.id,
        }

    @api.onchange("is_free")
    def _onchange_is_free(self):
        if self.is_free:
            self.price = 0.0
