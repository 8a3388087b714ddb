from collections import defaultdict
from math import sqrt

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from ..models.mixins.formats import format_day

MONTHS = 18
# so many earlier forecasts are compared with what came
YEARS_BACK = 3
# of fewer past terms than this, a rate says little: that of the plan is taken, then that of all
FEWEST = 10
# 95 % of the standard normal distribution
Z = 1.96
# years of membership that are told apart; who is a member for longer is one group
TENURES = 5


def get_wilson(renewed, count):
    """:return: ``(low, high)``: the range in which the true rate lies with 95 %, after Wilson"""
    if not count:
        return 0.0, 1.0
    rate, square = renewed / count, Z * Z
    center = (rate + square / (2 * count)) / (1 + square / count)
    half = Z / (1 + square / count) * sqrt(rate * (1 - rate) / count + square / (4 * count * count))
    return max(0.0, center - half), min(1.0, center + half)


class MembriForecast(models.TransientModel):
    """What the next months bring, if members do as those before them: the terms that end, each at
    the past renewal rate of its plan and year of membership. Nothing is changed."""

    _name = "membri.forecast"
    _inherit = "membri.wizard.mixin"
    _description = "Renewal Forecast"

    date = fields.Date(
        string="From", required=True, default=lambda self: self.env.company._membri_today()
    )
    months = fields.Integer(required=True, default=MONTHS)

    _months_positive = models.Constraint(
        "CHECK (months BETWEEN 1 AND 60)", "Choose from 1 to 60 months."
    )

    def _tell_back_test(self, years):
        """:return: a sentence about the forecast of so many years before, or ``False``"""
        day = self.date - relativedelta(years=years)
        months = min(self.months, 12)
        test = self._get_back_test(self.env.company, day, months)
        if not test["terms"]:
            return False
        return self.env._(
            "The forecast of %(date)s for %(months)s months expected %(expected)s renewals "
            "(%(low)s to %(high)s) out of %(terms)s. There were %(actual)s. The error was "
            "%(error)s points of the renewal rate.",
            date=format_day(self.env, day),
            months=months,
            expected=round(test["expected"]),
            low=round(test["low"]),
            high=round(test["high"]),
            terms=test["terms"],
            actual=test["actual"],
            error=formatLang(self.env, test["error"], digits=1),
        )

    def action_back_test(self):
        """Tell what the forecasts of the last years would have said, and what came. A button: what
        was known on a day of the past is computed anew."""
        self.ensure_one()
        told = filter(None, (self._tell_back_test(years) for years in range(1, YEARS_BACK + 1)))
        nothing = self.env._("There are no earlier seasons to compare with yet.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "info", "message": "\n".join(told) or nothing, "sticky": True},
        }

    def action_open(self):
        """:return: the action that shows the forecast, month by month"""
        self.ensure_one()
        # sudo: the user's own lines, which only this method makes
        lines_sudo = (
            self.env["membri.forecast.line"]
            .sudo()
            .create(
                [
                    {"forecast_id": self.id, **vals}
                    for vals in self._get_forecast(self.env.company, self.date, self.months)
                ]
            )
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_forecast_line"
        )
        return {**action, "domain": [("id", "in", lines_sudo.ids)]}

    # ------------------------------------------------------------------
    # The figures
    # ------------------------------------------------------------------

    @api.model
    def _get_past(self, company, day):
        """Return ``{(plan id, years): (terms, renewed)}`` of what had ended, and was decided,
        before ``day``, by what was known then; the plan alone under ``(plan id, None)``, all under
        ``(None, None)``."""
        past = defaultdict(lambda: (0, 0))
        for option_set_id, years, count, renewed in self._get_decided(company, day):
            for key in (
                (option_set_id, min(years, TENURES)),
                (option_set_id, None),
                (None, None),
            ):
                past[key] = (past[key][0] + count, past[key][1] + renewed)
        return past

    def _get_decided(self, company, day):
        """:return: list of ``(plan id, years, terms, renewed)`` of what had ended before ``day``"""
        if day < company._membri_today():
            counted = SQL(
                """
                SELECT option_set_id, tenure_years, COUNT(*), SUM(renewed_count)::integer
                  FROM (%s) past
                 WHERE date_end < %s AND outcome != 'open'
              GROUP BY option_set_id, tenure_years
                """,
                self._get_past_rows(company, day),
                day,
            )
            return self.env.execute_query(counted)
        # all of the years before, by their totals, and of this year what is over
        decided = Domain("company_id", "=", company.id) & Domain("outcome", "!=", "open")
        year = str(day.year)
        return [
            (option_set.id, *counts)
            for seasons in (
                Domain("season", "<", year),
                Domain("season", "=", year) & Domain("date_end", "<", day),
            )
            for option_set, *counts in self.env["membri.insight"]._read_group(
                decided & seasons,
                ["option_set_id", "tenure_years"],
                ["__count", "renewed_count:sum"],
            )
        ]

    def _get_past_rows(self, company, day):
        """:return: SQL of the figures as they were on ``day``, of a user who may see them"""
        Insight = self.env["membri.insight"]
        Insight.check_access("read")
        self.env.flush_all()
        allowed = self.env.su or company in self.env.companies
        query = Insight._get_past_query(company, day)
        return SQL("SELECT * FROM (%s) past WHERE %s", query, bool(allowed))

    @api.model
    def _get_rate(self, past, option_set_id, years):
        """:return: ``(rate, low, high)`` of the narrowest group that has enough past terms"""
        for key in ((option_set_id, min(years, TENURES)), (option_set_id, None), (None, None)):
            count, renewed = past.get(key, (0, 0))
            if count >= FEWEST or key == (None, None):
                return (renewed / count if count else 0.0, *get_wilson(renewed, count))
        return 0.0, 0.0, 1.0

    @api.model
    def _get_forecast(self, company, day, months):
        """:param day: the first day of what is forecast
        :return: list of values of ``membri.forecast.line``, one for each month, plan and year of
            membership"""
        past = self._get_past(company, day)
        groups = self.env["membri.insight"]._read_group(
            Domain("company_id", "=", company.id)
            & Domain("date_end", ">=", day)
            & Domain("date_end", "<", day + relativedelta(months=months))
            & Domain("outcome", "=", "open"),
            ["date_end:month", "option_set_id", "tenure_years"],
            ["__count", "amount_before:sum"],
        )
        lines = []
        for month, option_set, years, count, amount in groups:
            rate, low, high = self._get_rate(past, option_set.id, years)
            lines.append(
                {
                    "month": month,
                    "option_set_id": option_set.id,
                    "tenure_years": years,
                    "terms": count,
                    "rate": 100 * rate,
                    "expected": count * rate,
                    "low": count * low,
                    "high": count * high,
                    "amount": amount,
                    "amount_expected": company.currency_id.round(amount * rate),
                    "amount_low": company.currency_id.round(amount * low),
                    "amount_high": company.currency_id.round(amount * high),
                }
            )
        return lines

    @api.model
    def _get_back_test(self, company, day, months):
        """The forecast as it would have been on ``day``, by what was known then, beside what came
        of these terms. Those of which nothing is known yet are left out.

        :return: ``{"terms", "expected", "low", "high", "actual", "error"}``; the error in
            percentage points of the renewal rate"""
        past = self._get_past(company, day)
        groups = self.env.execute_query(
            SQL(
                """
                SELECT past.option_set_id, past.tenure_years, COUNT(*),
                       COUNT(*) FILTER (WHERE COALESCE(
                           came.outcome = 'renewed',
                           term.state IN ('scheduled', 'active', 'expired')
                       ))
                  FROM (%s) past
                  JOIN membri_cotisation term ON term.id = past.id
             LEFT JOIN (%s) came ON came.id = past.id
                 WHERE past.outcome = 'open'
                   AND past.date_end >= %s AND past.date_end < %s
                   AND came.outcome IS DISTINCT FROM 'open'
              GROUP BY past.option_set_id, past.tenure_years
                """,
                self._get_past_rows(company, day),
                # a term that has none by now was followed in the same season, or is void
                self.env["membri.insight"]._table_query,
                day,
                day + relativedelta(months=months),
            )
        )
        total = dict.fromkeys(("terms", "expected", "low", "high", "actual"), 0)
        for option_set_id, years, count, renewed in groups:
            rate, low, high = self._get_rate(past, option_set_id, years)
            found = (count, count * rate, count * low, count * high, renewed)
            for name, value in zip(total, found, strict=True):
                total[name] += value
        missed = total["expected"] - total["actual"]
        return {**total, "error": 100 * missed / total["terms"] if groups else 0.0}


class MembriForecastLine(models.TransientModel):
    _name = "membri.forecast.line"
    _inherit = "membri.wizard.mixin"
    _description = "Renewal Forecast by Month and Plan"
    _written_by_clients = False
    _order = "month, option_set_id, tenure_years"

    forecast_id = fields.Many2one(
        "membri.forecast", required=True, ondelete="cascade", readonly=True
    )
    # stored: the amounts of a pivot are added up by their currency
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id, readonly=True
    )
    month = fields.Date(readonly=True)
    option_set_id = fields.Many2one("membri.option.set", string="Membership Plan", readonly=True)
    tenure_years = fields.Integer(string="Tenure (years)", aggregator=None, readonly=True)
    terms = fields.Integer(string="Ending Terms", readonly=True)
    rate = fields.Float(
        string="Past Renewal Rate (%)", digits=(16, 1), aggregator="avg", readonly=True
    )
    expected = fields.Float(string="Expected Renewals", digits=(16, 1), readonly=True)
    low = fields.Float(string="At Least", digits=(16, 1), readonly=True)
    high = fields.Float(string="At Most", digits=(16, 1), readonly=True)
    amount = fields.Monetary(string="Amount of Ending Terms", readonly=True)
    amount_expected = fields.Monetary(string="Expected Amount", readonly=True)
    amount_low = fields.Monetary(string="Amount, at Least", readonly=True)
    amount_high = fields.Monetary(string="Amount, at Most", readonly=True)

    def action_open_members(self):
        """Open the members whose terms a line is about."""
        self.ensure_one()
        forecast = self.forecast_id
        rows = self.env["membri.insight"].search(
            Domain("company_id", "=", self.env.company.id)
            & Domain("outcome", "=", "open")
            & Domain("option_set_id", "=", self.option_set_id.id)
            & Domain("tenure_years", "=", self.tenure_years)
            & Domain("date_end", ">=", max(self.month, forecast.date))
            & Domain(
                "date_end",
                "<",
                min(
                    self.month + relativedelta(months=1),
                    forecast.date + relativedelta(months=forecast.months),
                ),
            )
        )
        return rows._get_members_action(rows.partner_id)
