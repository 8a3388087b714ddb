from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.renewal.eligibility import CATCH_UP_DAYS
from ..models.res_partner import READERS
from .insight_query import INSIGHT_QUERY

OUTCOMES = [
    ("renewed", "Renewed"),
    ("returned", "Returned Later"),
    ("left", "Left"),
    ("unpaid", "Unpaid"),
    ("terminated", "Ended Early"),
    ("deceased", "Deceased"),
    ("open", "Open"),
]
# reasons that the program gives by itself: of these, no answer of a member
GIVEN_REASONS = ("no_answer", "rejoined", "terminated", "not_paid")


class MembriInsight(models.Model):
    """The year in figures: one row per member and season, about the term that ended, or ends, in
    it. A season is the calendar year of the last day; whoever has several terms that end in it
    (monthly ones) is counted once, by the last. What each figure means is in docs/figures.md."""

    _name = "membri.insight"
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
        "account.move": ["membri_invoice_type", "payment_state"],
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

    @api.depends("partner_id")
    def _compute_display_name(self):
        # OVERRIDE: all are read before one is set, for what reading has to write first empties
        # the cache of reports
        names = [row.partner_id.display_name for row in self]
        for row, name in zip(self, names, strict=True):
            row.display_name = name

    @property
    def _table_query(self):
        return SQL(INSIGHT_QUERY, **self._get_query_values())

    @api.model
    def _search(self, domain, *args, **kwargs):
        # EXTENDS base: what was read before may be something else by now, and nobody writes here
        self.invalidate_model(flush=False)
        return super()._search(domain, *args, **kwargs)

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
