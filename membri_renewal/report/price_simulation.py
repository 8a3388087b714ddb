from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL


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
        help="Drop in the renewal rate at the new prices, in percentage points.",
    )

    def action_open(self):
        """:return: the action that shows what each plan would bring"""
        self.ensure_one()
        if self.method == "pricelist" and not self.pricelist_id:
            raise UserError(self.env._("Choose the pricelist to simulate."))
        # sudo: the user's own lines, which only this method makes
        lines_sudo = (
            self.env["membri.price.simulation.line"]
            .sudo()
            .create([{"simulation_id": self.id, **vals} for vals in self._get_lines()])
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_price_simulation_line"
        )
        return {**action, "domain": [("id", "in", lines_sudo.ids)]}

    def _get_rows_domain(self):
        """:return: the domain of the rows of ``membri.insight`` about terms to be renewed"""
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
        return domain

    def _get_lines(self):
        """Return a list of values of ``membri.price.simulation.line``: the members of one plan
        who pay the same now and would pay the same, before taxes."""
        company = self.env.company
        day = company._membri_today()
        past = self.env["membri.forecast"]._get_past(company, day)
        groups, memo = {}, {}
        for option_set, currency, items, term_ids in self._get_priced_terms():
            key = (option_set, currency, *self._get_prices(items, currency, memo))
            groups.setdefault(key, []).extend(term_ids)
        lines = []
        for (option_set, currency, now, then), term_ids in groups.items():
            count = len(term_ids)
            rate = self.env["membri.forecast"]._get_rate(past, option_set.id, 0)[0]
            lower = max(0.0, rate - self.rate_drop / 100)
            lines.append(
                {
                    "option_set_id": option_set.id,
                    "currency_id": currency.id,
                    "term_ids": term_ids,
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

    def _get_priced_terms(self):
        """The terms to be renewed, those of the same plan and the same lines together: what some
        thousands pay is computed once.

        :return: list of ``(plan, currency, [(product id, quantity, price, is agreed)], [term id])``
        """
        query = self.env["membri.insight"]._search(self._get_rows_domain())
        self.env["membri.cotisation"].flush_model()
        self.env["membri.cotisation.line"].flush_model()
        groups = self.env.execute_query(
            SQL(
                """
                SELECT option_set_id, currency_id, ARRAY_AGG(id), items
                  FROM (
                           SELECT term.id, term.option_set_id, term.currency_id,
                                  STRING_AGG(
                                      CONCAT_WS(
                                          ' ', COALESCE(line.product_id, 0),
                                          COALESCE(NULLIF(line.full_quantity, 0), line.quantity, 0),
                                          COALESCE(NULLIF(line.full_price_unit, 0), line.price_unit,
                                                   0),
                                          COALESCE(line.is_price_agreed, FALSE)::integer
                                      ),
                                      ',' ORDER BY line.id
                                  ) COLLATE "C" AS items
                             FROM membri_cotisation term
                        LEFT JOIN membri_cotisation_line line ON line.cotisation_id = term.id
                            WHERE term.id IN %s
                         GROUP BY term.id
                       ) priced
              GROUP BY option_set_id, currency_id, items
              ORDER BY option_set_id, items
                """,
                query.subselect("cotisation_id"),
            )
        )
        OptionSet, Currency = self.env["membri.option.set"], self.env["res.currency"]
        return [
            (
                OptionSet.browse(option_set),
                Currency.browse(currency),
                [
                    (int(product), float(quantity), float(price), agreed == "1")
                    for product, quantity, price, agreed in map(str.split, items.split(","))
                ],
                term_ids,
            )
            for option_set, currency, term_ids, items in groups
        ]

    def _get_prices(self, items, currency, memo):
        """Return ``(price now, price then)`` of one term, before taxes; a price that was agreed
        with the member stays."""
        now = then = 0.0
        for product_id, quantity, price, is_agreed in items:
            now += quantity * price
            then += quantity * (
                price
                if is_agreed or not product_id
                else self._get_price(product_id, quantity, price, currency, memo)
            )
        return currency.round(now), currency.round(then)

    def _get_price(self, product_id, quantity, price, currency, memo):
        if self.method == "percentage":
            return price * (1 + self.percentage / 100)
        key = (product_id, quantity, currency)
        if key not in memo:
            company = self.env.company
            memo[key] = self.pricelist_id.with_company(company)._get_product_price(
                self.env["product.product"].with_company(company).browse(product_id),
                quantity,
                currency=currency,
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
    # tens of thousands of them, of a window that is closed in a minute: no relation
    term_ids = fields.Json(string="Terms (IDs)", readonly=True)
    cotisation_ids = fields.Many2many(
        "membri.cotisation", string="Membership Terms", compute="_compute_cotisation_ids"
    )
    members = fields.Integer(readonly=True)
    # no mean of lines, which stand for one member or for thousands
    price_now = fields.Float(string="Current Price", digits=(16, 2), aggregator=None, readonly=True)
    price_then = fields.Float(string="New Price", digits=(16, 2), aggregator=None, readonly=True)
    increase = fields.Float(
        string="Increase per Member", digits=(16, 2), aggregator=None, readonly=True
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

    @api.depends("term_ids")
    def _compute_cotisation_ids(self):
        for line in self:
            line.cotisation_ids = line.term_ids

    def action_open_members(self):
        """Open the members who would pay this price."""
        self.ensure_one()
        return self.env["membri.insight"]._get_members_action(self.cotisation_ids.partner_id)
