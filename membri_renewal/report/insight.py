from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.renewal.eligibility import CATCH_UP_DAYS
from ..models.res_partner import READERS
from .insight_kept import FRESH_QUERY, STALE_QUERY, get_drop_statements, get_trigger_statements
from .insight_query import INSIGHT_QUERY

OUTCOMES = [
    ("renewed", "Renewed"),
    ("returned", "Returned Later"),
    ("left", "Left"),
    ("unpaid", "Unpaid"),
    ("terminated", "Ended Early"),
    ("deceased", "Deceased"),
    ("open", "Undecided"),
]
# reasons that the program gives by itself: of these, no answer of a member
GIVEN_REASONS = ("no_answer", "rejoined", "terminated", "not_paid")
# so many members at a time are computed and kept
BATCH = 5_000


class MembriInsight(models.Model):
    """The year in figures: one row per member and season, about the term that ended, or ends, in
    it. A season is the calendar year of the last day; whoever has several terms that end in it
    (monthly ones) is counted once, by the last. What each figure means is in docs/figures.md."""

    _name = "membri.insight"
    _inherit = "membri.report.mixin"
    _description = "Membership Figures"
    _auto = False
    _rec_name = "partner_id"
    _order = "date_end desc, id desc"
    _depends = {
        "membri.cotisation": [
            "amount_total",
            "company_id",
            "currency_id",
            "date_end",
            "date_start",
            "date_terminated",
            "invoice_id",
            "option_set_id",
            "origin",
            "partner_id",
            "payment_state",
            "state",
            "termination_reason",
            "termination_reason_id",
        ],
        "membri.option.set": ["grace_days", "type_id"],
        "membri.refusal.reason": ["is_death"],
        "membri.renewal": [
            "cotisation_id",
            "date_answer",
            "date_approved",
            "date_refused",
            "date_sent",
            "is_answered_online",
            "mode",
            "refusal_reason_id",
            "reminder_count",
            "state",
        ],
        "account.move": ["membri_invoice_type", "move_type", "payment_state"],
        "account.move.line": ["date", "move_id"],
        "account.payment": ["date", "invoice_ids", "move_id", "state"],
        "res.company": ["currency_id", "membri_tz"],
        "res.partner": ["membri_member_since"],
    }

    partner_id = fields.Many2one("res.partner", string="Member", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    cotisation_id = fields.Many2one("membri.cotisation", string="Membership Term", readonly=True)
    renewal_id = fields.Many2one("membri.renewal", readonly=True)
    next_cotisation_id = fields.Many2one("membri.cotisation", string="Next Term", readonly=True)
    option_set_id = fields.Many2one("membri.option.set", string="Membership Plan", readonly=True)
    next_option_set_id = fields.Many2one("membri.option.set", string="Next Plan", readonly=True)
    type_id = fields.Many2one("membri.subscription.type", string="Membership Type", readonly=True)
    season = fields.Char(readonly=True, help="Year in which the term ends.")
    date_start = fields.Date(string="First Day", readonly=True)
    date_end = fields.Date(string="Last Day", readonly=True)
    member_since = fields.Date(string="Joined On", readonly=True)
    cohort_year = fields.Integer(
        string="Year of Joining", readonly=True, aggregator=None, help="Year of first joining."
    )
    tenure_years = fields.Integer(
        string="Tenure (years)",
        readonly=True,
        aggregator="avg",
        help="Year of membership in which the term ends, counted from the date of joining: 1 in "
        "the first year.",
    )
    is_first_year = fields.Boolean(
        string="First Year",
        readonly=True,
        help="The member's first term, or one that ends in the first year of membership.",
    )
    outcome = fields.Selection(OUTCOMES, readonly=True)
    reason_id = fields.Many2one("membri.refusal.reason", string="Reason for Leaving", readonly=True)
    # an officer's own words: not for who sees the figures for the sake of their money
    reason_note = fields.Char(string="Reason as Entered", readonly=True, groups=READERS)
    channel = fields.Selection(
        [("portal", "Portal"), ("staff", "Our Team"), ("automatic", "Automatic Renewal")],
        string="Replied Through",
        readonly=True,
    )
    reminder_count = fields.Integer(string="Reminders", readonly=True, aggregator="avg")
    date_notice = fields.Date(
        string="Notice Sent On",
        readonly=True,
        help="For an automatic renewal, the date of approval.",
    )
    date_answer = fields.Date(string="Replied On", readonly=True)
    date_paid = fields.Date(string="Paid On", readonly=True)
    days_to_answer = fields.Integer(
        string="Days to Reply", readonly=True, aggregator="avg", help="From notice to reply."
    )
    days_to_pay = fields.Integer(
        string="Days to Pay", readonly=True, aggregator="avg", help="From notice to payment."
    )
    amount_before = fields.Monetary(
        readonly=True, string="Term Amount", help="Total of the term, taxes included."
    )
    amount_after = fields.Monetary(
        readonly=True,
        string="Next Term Amount",
        help="Total of the next paid term, taxes included. Zero if there is none.",
    )
    amount_change = fields.Monetary(readonly=True, string="Change in Amount")
    set_change = fields.Selection(
        [("up", "Larger Plan"), ("same", "Same Plan or Price"), ("down", "Smaller Plan")],
        string="Change of Plan",
        readonly=True,
        help="Compares the price of a day of both terms, if the plan is another one.",
    )
    member_count = fields.Integer(string="Members", readonly=True)
    renewed_count = fields.Integer(string="Renewed Members", readonly=True)
    lost_count = fields.Integer(string="Lapsed Members", readonly=True)
    open_count = fields.Integer(string="Undecided Members", readonly=True)
    renewal_rate = fields.Float(
        string="Renewal Rate (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Renewed members out of all whose outcome is known.",
    )

    def init(self):
        # EXTENDS base: when the tables that are watched are there
        self.pool.post_init(self._init_kept)

    def _init_kept(self):
        """Make the tables of the kept rows, and what notes whose rows are old by now: all are."""
        nothing = {
            "today": SQL("(0, DATE '2000-01-01')"),
            "rates": SQL("(0, 0, 1.0)"),
            "catch_up": CATCH_UP_DAYS,
            "terminated": 0,
            "rejoined": 0,
            "unpaid": [0],
            "by_program": [0],
        }
        statements = [
            *map(SQL, get_drop_statements()),
            SQL("CREATE TABLE membri_insight_stale (partner_id integer, company_id integer)"),
            SQL(
                "CREATE TABLE membri_insight_kept AS %s WITH NO DATA",
                SQL(INSIGHT_QUERY, asked=SQL("SELECT 0 AS partner_id, 0 AS company_id"), **nothing),
            ),
            SQL("ALTER TABLE membri_insight_kept ADD PRIMARY KEY (id)"),
            SQL("CREATE INDEX ON membri_insight_kept (partner_id, company_id)"),
            SQL("CREATE INDEX ON membri_insight_kept (valid_until) WHERE valid_until IS NOT NULL"),
            SQL("CREATE INDEX ON membri_insight_kept (id) WHERE is_foreign"),
            *map(SQL, get_trigger_statements()),
            SQL(
                "INSERT INTO membri_insight_stale"
                " SELECT DISTINCT partner_id, company_id FROM membri_cotisation"
            ),
        ]
        for statement in statements:
            self.env.cr.execute(statement)

    @property
    def _table_query(self):
        values = self._get_query_values()
        stale = SQL(STALE_QUERY, today=values["today"])
        return SQL(FRESH_QUERY, stale=stale, computed=SQL(INSIGHT_QUERY, asked=stale, **values))

    @api.model
    def _cron_keep(self):
        """Compute and keep the rows of the members about whom something was recorded since. What
        is read is the same before and after."""
        cron = self.env["ir.cron"]
        while left := self._get_stale():
            self._keep(left[:BATCH])
            if not cron._commit_progress(
                min(BATCH, len(left)), remaining=max(0, len(left) - BATCH)
            ):
                break

    def _get_stale(self):
        """:return: ``[(partner id, company id)]`` whose kept rows are old"""
        self.env.flush_all()
        days = self.env["res.company"]._membri_get_days_sql()
        return self.env.execute_query(SQL(STALE_QUERY, today=days))

    def _keep(self, members):
        """:param members: ``[(partner id, company id)]``"""
        asked = SQL(
            "SELECT * FROM unnest(%s::integer[], %s::integer[]) AS member (partner_id, company_id)",
            *map(list, zip(*members, strict=True)),
        )
        computed = SQL(INSIGHT_QUERY, asked=asked, **self._get_query_values())
        mine = SQL(
            "(partner_id, company_id) IN (SELECT partner_id, company_id FROM (%s) asked)", asked
        )
        for statement in (
            SQL("DELETE FROM membri_insight_kept WHERE %s", mine),
            SQL("INSERT INTO membri_insight_kept %s", computed),
            SQL("DELETE FROM membri_insight_stale WHERE %s", mine),
        ):
            self.env.cr.execute(statement)

    def _get_query_values(self):
        """:return: what the query cannot know: each company's day and rates, and the reasons that
        the program gives"""
        # sudo: of all companies, the rules say which rows are shown
        companies_sudo = self.env["res.company"].sudo().search(Domain.TRUE)
        currencies_sudo = self.env["res.currency"].sudo().search(Domain.TRUE)
        reasons = {name: self._get_reason_id(name) for name in GIVEN_REASONS}
        return {
            "today": companies_sudo._membri_get_days_sql(),
            "rates": SQL(", ").join(
                SQL(
                    "(%s, %s, %s)",
                    company.id,
                    currency.id,
                    currency._get_conversion_rate(
                        currency, company.currency_id, company, company._membri_today()
                    ),
                )
                for company in companies_sudo
                for currency in currencies_sudo | company.currency_id
            ),
            "catch_up": CATCH_UP_DAYS,
            "terminated": reasons["terminated"],
            "rejoined": reasons["rejoined"],
            "unpaid": [reasons["not_paid"]],
            "by_program": list(reasons.values()),
        }

    def _get_reason_id(self, name):
        reason = self.env.ref(f"membri_renewal.refusal_reason_{name}", raise_if_not_found=False)
        return reason.id if reason else 0

    def action_open_member(self):
        """Open the member that a row is about."""
        self.ensure_one()
        return self.partner_id._get_records_action()

    def action_open_members(self):
        """Open the members that the selected rows are about."""
        self.check_access("read")
        return self.partner_id._get_records_action(name=self.env._("Members"))
