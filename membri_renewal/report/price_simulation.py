from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class MembriPriceSimulation(models.TransientModel):
    """What other prices would bring, before the board votes: the members of today at the prices
    of a pricelist, or some percent more, at the renewal rate of the past and at a lower one.
    Nothing is changed: no price, no renewal, no pricelist."""

    _name = "membri.price.simulation"
    _inherit = "membri.wizard.mixin"
    _description = "Price Simulation"

    option_set_ids = fields.Many2many(
        "membri.option.set",
        "membri_price_simulation_set_rel",
        string="Membership Plans",
        help="Leave empty for all.",
    )
    method = fields.Selection(
        [("percentage", "Percentage"), ("pricelist", "Pricelist")],
        required=True,
        default="percentage",
    )
    percentage = fields.Float(string="Increase (%)", default=5.0)
    pricelist_id = fields.Many2one("product.pricelist")
    months = fields.Integer(string="Terms Ending Within (months)", required=True, default=12)
    rate_drop = fields.Float(
        string="Renewal Rate Lower By (points)",
        default=5.0,
        help="How many percentage points fewer would renew at the new prices.",
    )

    def action_open(self):
        """:return: the action that shows what each plan would bring"""
        self.ensure_one()
        if self.method == "pricelist" and not self.pricelist_id:
            raise UserError(self.env._("Choose the pricelist to simulate."))
        # sudo: the user's own lines, which only this method makes
        lines = (
            self.env["membri.price.simulation.line"]
            .sudo()
            .create([{"simulation_id": self.id, **vals} for vals in self._get_lines()])
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_price_simulation_line"
        )
        return {**action, "domain": [("id", "in", lines.ids)]}

    def _get_rows(self):
        """:return: of each member the term to be renewed, ``membri.insight``"""
        company = self.env.company
        today = company._membri_today()
        domain = (
            Domain("company_id", "=", company.id)
            & Domain("outcome", "=", "open")
            & Domain("date_end", ">=", today)
            & Domain("date_end", "<", today + relativedelta(months=self.months))
        )
        if self.option_set_ids:
            domain &= Domain("option_set_id", "in", self.option_set_ids.ids)
        return self.env["membri.insight"].search(domain)

    def _get_lines(self):
        """:return: list of values of ``membri.price.simulation.line``: the members of one plan
        who pay the same now and would pay the same, before taxes"""
        company = self.env.company
        day = company._membri_today()
        past = self.env["membri.forecast"]._get_past(company, day)
        groups, memo = {}, {}
        for term in self._get_rows().cotisation_id:
            now, then = self._get_prices(term, memo)
            key = (term.option_set_id, term.currency_id, now, then)
            groups.setdefault(key, []).append(term.id)
        lines = []
        for (option_set, currency, now, then), term_ids in groups.items():
            count = len(term_ids)
            rate = self.env["membri.forecast"]._get_rate(past, option_set.id, 0)[0]
            lower = max(0.0, rate - self.rate_drop / 100)
            lines.append(
                {
                    "option_set_id": option_set.id,
                    "currency_id": currency.id,
                    "cotisation_ids": [fields.Command.set(term_ids)],
                    "members": count,
                    "price_now": now,
                    "price_then": then,
                    "increase": then - now,
                    "revenue_now": currency.round(now * count * rate),
                    "revenue_then": currency.round(then * count * rate),
                    "revenue_lower": currency.round(then * count * lower),
                    "rate": 100 * rate,
                    "rate_lower": 100 * lower,
                }
            )
        return lines

    def _get_prices(self, term, memo):
        """:return: ``(price now, price then)`` of one term, before taxes; a price that was agreed
        with the member stays"""
        now = then = 0.0
        for line in term.line_ids:
            quantity = line.full_quantity or line.quantity
            price = line.full_price_unit or line.price_unit
            now += quantity * price
            then += quantity * (
                price if line.is_price_agreed else self._get_price(line, price, memo)
            )
        currency = term.currency_id
        return currency.round(now), currency.round(then)

    def _get_price(self, line, price, memo):
        if self.method == "percentage":
            return price * (1 + self.percentage / 100)
        key = (line.product_id, line.quantity, line.cotisation_id.currency_id)
        if key not in memo:
            company = self.env.company
            memo[key] = self.pricelist_id.with_company(company)._get_product_price(
                line.product_id.with_company(company),
                line.quantity,
                currency=line.cotisation_id.currency_id,
                date=company._membri_midnight(
                    company._membri_today() + relativedelta(months=self.months)
                ),
            )
        return memo[key]


class MembriPriceSimulationLine(models.TransientModel):
    _name = "membri.price.simulation.line"
    _inherit = "membri.wizard.mixin"
    _description = "Price Simulation by Plan and Price"
    _written_by_clients = False
    _order = "option_set_id, price_now, id"

    simulation_id = fields.Many2one(
        "membri.price.simulation", required=True, ondelete="cascade", readonly=True
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    option_set_id = fields.Many2one("membri.option.set", string="Membership Plan", readonly=True)
    cotisation_ids = fields.Many2many(
        "membri.cotisation",
        "membri_price_simulation_line_term_rel",
        string="Membership Terms",
        readonly=True,
    )
    members = fields.Integer(readonly=True)
    price_now = fields.Float(
        string="Current Price", digits=(16, 2), aggregator="avg", readonly=True
    )
    price_then = fields.Float(string="New Price", digits=(16, 2), aggregator="avg", readonly=True)
    increase = fields.Float(
        string="Increase per Member", digits=(16, 2), aggregator="avg", readonly=True
    )
    rate = fields.Float(
        string="Past Renewal Rate (%)", digits=(16, 1), aggregator="avg", readonly=True
    )
    rate_lower = fields.Float(
        string="Lower Renewal Rate (%)", digits=(16, 1), aggregator="avg", readonly=True
    )
    revenue_now = fields.Monetary(string="Revenue at Current Prices", readonly=True)
    revenue_then = fields.Monetary(string="Revenue at New Prices", readonly=True)
    revenue_lower = fields.Monetary(string="Revenue at the Lower Rate", readonly=True)

    def action_open_members(self):
        """Open the members who would pay this price."""
        self.ensure_one()
        return self.cotisation_ids.partner_id._get_records_action(name=self.env._("Members"))
