import ast
import re
from datetime import timedelta

from psycopg2 import DatabaseError

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_amount
from odoo.tools.safe_eval import safe_eval

# two spans of this length are compared
TREND_DAYS = 7
# queues whose name tells a threshold: the setting, and the number in the name that we ship
THRESHOLDS = {
    "no_answer_7d": ("membri_no_answer_days", 7),
    "no_answer_6m": ("membri_no_answer_months", 6),
}
# queues of who accepted: what counts of them is what is left to pay
DUE_QUEUES = ("accepted_unpaid", "in_arrears", "unpaid_too_long", "charge_failed")
# what the domain of a queue is made of: values, and the names of `_get_eval_context`; nothing
# that computes, which could keep the server busy for every reader
DOMAIN_NODES = (
    ast.Expression,
    ast.List,
    ast.Tuple,
    ast.Constant,
    ast.Name,
    ast.Load,
    ast.UnaryOp,
    ast.USub,
    ast.BinOp,
    ast.Add,
    ast.Sub,
)
DOMAIN_MAX_LENGTH = 10_000
# what comes of a domain that asks what cannot be asked
SEARCH_ERRORS = (
    UserError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,  # a date beyond the calendar
    RecursionError,
)


class MembriDashboard(models.Model):
    """A work queue: a name, a domain on renewals, and what to do there. An empty queue is
    a good queue (guide §2)."""

    _name = "membri.dashboard"
    _description = "Renewal Dashboard"
    _inherit = ["membri.shipped.mixin", "membri.fields.mixin"]
    _order = "sequence, id"
    _local_fields = frozenset({"sequence", "active", "color"})

    name = fields.Char(required=True, translate=True)
    code = fields.Char(copy=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(string="Available", default=True)
    color = fields.Integer()
    domain = fields.Char(
        required=True,
        default="[('is_open', '=', True)]",
        help="Renewals to show. You can use: today, no_answer_before, inactive_before, uid.",
    )
    help = fields.Text(translate=True, string="Instructions")
    record_count = fields.Integer(compute="_compute_queue", string="Renewals")
    date_oldest = fields.Date(
        compute="_compute_queue",
        string="Oldest",
        help="Date since which the oldest renewal shown here has had its current status.",
    )
    oldest_days = fields.Integer(compute="_compute_queue", string="Age of Oldest (days)")
    amount_at_stake = fields.Char(
        compute="_compute_queue",
        string="Total Amount",
        help="Total of the renewals in this dashboard, in each currency; of accepted renewals, "
        "what is left to pay.",
    )
    recent_count = fields.Integer(
        compute="_compute_queue",
        string="New in 7 Days",
        help="Renewals shown here that arrived in the last 7 days.",
    )
    previous_count = fields.Integer(
        compute="_compute_queue",
        string="New in the 7 Days Before",
        help="Renewals shown here that arrived in the previous 7 days.",
    )
    problem = fields.Char(
        compute="_compute_queue", help="Why this dashboard cannot be shown to the user."
    )
    is_unused = fields.Boolean(
        string="Not Used Yet",
        compute="_compute_is_unused",
        help="There has been no renewal in this company so far.",
    )
    has_dynamic_domain = fields.Boolean(
        string="Has Relative Dates",
        compute="_compute_has_dynamic_domain",
        help="Depends on the date, on the thresholds in the settings or on the user, so the "
        "domain editor cannot show it.",
    )

    _code_unique = models.UniqueIndex(
        "(code) WHERE code IS NOT NULL",
        "This code is already used by another dashboard. Choose another one.",
    )

    @api.depends("name", "code")
    @api.depends_context("allowed_company_ids", "lang")
    def _compute_display_name(self):
        for dashboard in self:
            dashboard.display_name = dashboard._get_title()

    def _get_title(self):
        """:return: the name, with the threshold that the company has set: “Over 10 Days”"""
        self.ensure_one()
        setting, shipped = THRESHOLDS.get(self.code, (False, 0))
        number = self.env.company[setting] if setting else shipped
        if number == shipped:
            return self.name
        title = re.sub(rf"\b{shipped}\b", str(number), self.name or "")
        if number == 1:
            title = re.sub(r"\b1(\s(?!mois\b)\w+)s\b", r"1\1", title)
        return title

    @api.depends("domain")
    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_queue(self):
        """All that a card shows of a queue comes from one grouped query, which asks what the
        reader may see in the companies that the reader works in."""
        company = self.env.company
        today = company._membri_today()
        names = self._get_eval_context()
        found = {}
        try:
            with self.env.cr.savepoint(flush=False):
                for dashboard in self:
                    found[dashboard] = dashboard._find_queue(names, company, today)
        except DatabaseError:
            # what only the database finds wrong, as it meets what somebody wrote since: whose
            # domain it is, is found one by one
            for dashboard in self:
                try:
                    with self.env.cr.savepoint(flush=False):
                        found[dashboard] = dashboard._find_queue(names, company, today)
                except DatabaseError as error:
                    found[dashboard] = [], str(dashboard._get_domain_error(error))
        for dashboard, (groups, problem) in found.items():
            dashboard.update({**self._get_queue_facts(groups, company, today), "problem": problem})

    def _find_queue(self, names, company, today):
        """:return: what :meth:`_get_queue_groups` finds, and why it finds nothing, or ``False``
        :raises DatabaseError: after which the transaction is to be rolled back"""
        try:
            return self._get_queue_groups(self._read_domain(names), company, today), False
        except ValidationError as error:
            return [], str(error)
        except SEARCH_ERRORS as error:
            return [], str(self._get_domain_error(error))

    @api.model
    def _get_queue_groups(self, domain, company, today):
        """The database compares moments with the midnights of ``company``: to find the day of each
        of 20,000 renewals, as ``_read_group`` does, takes most of the time of a card.

        :return: list of ``(currency, count, amount, first moment, arrived lately, arrived in the
            span before)``"""
        Renewal = self.env["membri.renewal"]
        Renewal.check_access("read")
        query = Renewal._search(domain)
        if query.is_empty():
            return []
        currency, total, due, moment, state, paid = (
            Renewal._field_to_sql(query.table, name, query)
            for name in (
                "currency_id",
                "amount_total",
                "amount_due",
                "date_state",
                "state",
                "is_paid",
            )
        )
        # what was accepted, and is awaited: as far as it has not come
        amount = SQL(
            "CASE WHEN %s = 'approved' AND %s IS NOT TRUE THEN %s ELSE %s END",
            state,
            paid,
            due,
            total,
        )
        names = {
            "moment": moment,
            "recent": company._membri_midnight(today - timedelta(days=TREND_DAYS - 1)),
            "previous": company._membri_midnight(today - timedelta(days=2 * TREND_DAYS - 1)),
        }
        query.groupby = currency
        rows = self.env.execute_query(
            query.select(
                currency,
                SQL("COUNT(*)"),
                SQL("SUM(%s)", amount),
                SQL("MIN(%s)", moment),
                SQL("COUNT(*) FILTER (WHERE %(moment)s >= %(recent)s)", **names),
                SQL(
                    "COUNT(*) FILTER (WHERE %(moment)s >= %(previous)s"
                    " AND %(moment)s < %(recent)s)",
                    **names,
                ),
            )
        )
        found = {currency_id: facts for currency_id, *facts in rows}
        currencies = self.env["res.currency"].browse(found).sorted()
        return [(currency, *found[currency.id]) for currency in currencies]

    def _get_queue_facts(self, groups, company, today):
        """:param groups: as :meth:`_get_queue_groups` finds them
        :return: values of the computed fields of one card"""
        moments = [first for _currency, _count, _amount, first, *_trend in groups if first]
        oldest = company._membri_local_date(min(moments)) if moments else False
        return {
            "record_count": sum(count for _currency, count, *_others in groups),
            "date_oldest": oldest,
            "oldest_days": (today - oldest).days if oldest else 0,
            "amount_at_stake": " + ".join(
                format_amount(self.env, amount or 0.0, currency)
                for currency, _count, amount, *_others in groups
            ),
            "recent_count": sum(group[4] for group in groups),
            "previous_count": sum(group[5] for group in groups),
        }

    @api.depends("record_count")
    @api.depends_context("company")
    def _compute_is_unused(self):
        """An empty queue is a good one, but in a company that has not begun."""
        company = self.env.company
        # sudo: a yes or no
        self.is_unused = not any(self.mapped("record_count")) and not self.env[
            "membri.renewal"
        ].sudo().search([("company_id", "=", company.id)], limit=1)

    @api.depends("domain")
    def _compute_has_dynamic_domain(self):
        for dashboard in self:
            try:
                ast.literal_eval(dashboard.domain or "[]")
                dashboard.has_dynamic_domain = False
            except (ValueError, SyntaxError):
                dashboard.has_dynamic_domain = True

    @api.constrains("domain")
    def _check_domain(self):
        for dashboard in self:
            domain = dashboard._get_domain()
            try:
                with self.env.cr.savepoint():
                    self.env["membri.renewal"].search_count(domain)
            except Exception as error:
                raise dashboard._get_domain_error(error) from error

    def _get_domain(self):
        """:return: the domain, with the days of the current company filled in
        :raises ValidationError: when it does not work, or no longer does"""
        domain = self._read_domain()
        try:
            domain.validate(self.env["membri.renewal"])
        except Exception as error:
            raise self._get_domain_error(error) from error
        return domain

    def _read_domain(self, names=None):
        """:param names: what the domain can use, where it was asked for several already
        :return: the same, not tried yet: whoever searches by it tries it anyway
        :raises ValidationError: when it is none, or asks for fields that the user may not read"""
        self.ensure_one()
        Renewal = self.env["membri.renewal"]
        try:
            domain = Domain(self._eval_domain(names or self._get_eval_context()))
            for condition in domain.iter_conditions():
                name = condition.field_expr.split(".", 1)[0]
                if name not in Renewal._fields:
                    raise ValueError(f"Invalid field {Renewal._name}.{name}")
                Renewal._check_field_access(Renewal._fields[name], "read")
        except Exception as error:
            raise self._get_domain_error(error) from error
        return domain

    def _eval_domain(self, names):
        """:param names: as :meth:`_get_eval_context` tells them
        :return: the list that the domain is written as
        :raises ValidationError: when it is more than values and the names that are offered"""
        text = self.domain or "[]"
        if len(text) > DOMAIN_MAX_LENGTH:
            raise ValidationError(self.env._("it is too long."))
        for node in ast.walk(ast.parse(text.strip(), mode="eval")):
            if not isinstance(node, DOMAIN_NODES) or (
                isinstance(node, ast.Name) and node.id not in names
            ):
                raise ValidationError(
                    self.env._(
                        "it can only contain values and these names: %(names)s.",
                        names=", ".join(sorted(names)),
                    )
                )
        return safe_eval(text, names)

    def _get_domain_error(self, error):
        if isinstance(error, AccessError):
            return ValidationError(
                self.env._(
                    "The dashboard “%(name)s” uses data that you cannot access. Its "
                    "author can change its domain.",
                    name=self.name,
                )
            )
        return ValidationError(
            self.env._(
                "The domain of “%(name)s” does not work: %(error)s", name=self.name, error=error
            )
        )

    @api.model
    def _get_eval_context(self):
        company = self.env.company
        today = company._membri_today()
        # whole days: a notice of seven days ago, at whatever hour, waits for seven days
        return {
            "uid": self.env.uid,
            "today": fields.Date.to_string(today),
            "no_answer_before": fields.Datetime.to_string(
                company._membri_midnight(today - timedelta(days=company.membri_no_answer_days - 1))
            ),
            "inactive_before": fields.Datetime.to_string(company._membri_get_lost_before()),
        }

    def action_open(self):
        """Open the renewals of this queue as a list."""
        return self._get_open_action("list")

    def action_open_kanban(self):
        """Open the renewals of this queue as cards."""
        return self._get_open_action("kanban")

    def _get_open_action(self, first_view):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_renewal"
        )
        views = action["views"]
        if self.code in DUE_QUEUES:  # columns of cards add up what is left to pay
            due = self.env.ref("membri_renewal.membri_renewal_view_kanban_due").id
            views = [(due if kind == "kanban" else view, kind) for view, kind in views]
        return {
            **action,
            "views": sorted(views, key=lambda view: view[1] != first_view),
            "name": self.display_name,
            "display_name": self.display_name,
            "domain": list(self._get_domain()),
            "context": {"membri_dashboard": self.code or "own"},
            "help": self.env["ir.qweb"]._render(
                "membri_renewal.dashboard_empty", {"dashboard": self}
            ),
        }
