from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.renewal.eligibility import CATCH_UP_DAYS
from ..models.res_partner import READERS
from .insight_kept import STALE_QUERY, WATCHED
from .insight_past import PAST_RENEWALS, PAST_TERMS
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
# what the figures are made of: as it is now
TABLES = {"terms": SQL("membri_cotisation"), "renewals": SQL("membri_renewal")}
# the reports that are kept
KEPT = ("membri.insight", "membri.money")


class MembriInsight(models.Model):
    """The year in figures: one row per member and season, about the term that ended, or ends, in
    it. A season is the calendar year of the last day; whoever has several terms that end in it
    (monthly ones) is counted once, by the last. What each figure means is in docs/figures.md."""

    _name = "membri.insight"
    _inherit = "membri.kept.mixin"
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
            "date_end_agreed",
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
    _kept_watched = WATCHED
    _kept_indexes = (
        "(valid_until) WHERE valid_until IS NOT NULL",
        "(id) WHERE is_foreign",
        "(date_end, id)",
        "(season, date_end)",
    )
    _total_by = (
        "company_id",
        "currency_id",
        "season",
        "option_set_id",
        "type_id",
        "cohort_year",
        "counted_from",
        "life_from",
        "tenure_years",
        "is_first_year",
        "is_notified",
        "outcome",
        "reason_id",
        "channel",
        "set_change",
    )
    _total_count = "member_count"
    _total_sums = (
        "renewed_count",
        "lost_count",
        "open_count",
        "joined_count",
        "amount_before",
        "amount_after",
        "amount_change",
    )
    _total_means = (
        "tenure_years",
        "renewal_rate",
        "reminder_count",
        "days_to_answer",
        "days_to_pay",
    )

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
    counted_from = fields.Integer(
        string="Member From Year",
        readonly=True,
        aggregator=None,
        help="First year for which this term counts the member in the retention by year of "
        "joining. The last year is the season.",
    )
    life_from = fields.Integer(
        string="Member for Life From Year",
        readonly=True,
        aggregator=None,
        help="The next term has no end: the retention by year of joining counts the member from "
        "this year on.",
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
    reminder_count = fields.Float(
        string="Reminders", readonly=True, aggregator="avg", digits=(16, 1)
    )
    is_notified = fields.Boolean(string="Notified", readonly=True)
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
    joined_count = fields.Integer(
        string="Members Who Joined",
        readonly=True,
        help="Each member is counted once, in the first season with this year of joining.",
    )
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

    @api.model
    def _cron_keep(self):
        """Compute and keep the rows of the members about whom something was recorded since. What
        is read is the same before and after."""
        for name in KEPT:
            if not self.env[name]._keep_stale(BATCH):
                break

    def _get_computed_query(self, asked, values):
        return SQL(INSIGHT_QUERY, asked=asked, **values)

    def _get_stale_query(self):
        return SQL(STALE_QUERY, today=self.env["res.company"]._membri_get_days_sql())

    def _get_no_values(self):
        return {
            **super()._get_no_values(),
            **TABLES,
            "rates": SQL("(0, 0, 1.0)"),
            "catch_up": CATCH_UP_DAYS,
            "terminated": 0,
            "rejoined": 0,
            "unpaid": [0],
            "by_program": [0],
        }

    def _get_query_values(self):
        # each company's day and rates, and the reasons that the program gives
        # sudo: of all companies, the rules say which rows are shown
        companies_sudo = self.env["res.company"].sudo().search(Domain.TRUE)
        currencies_sudo = self.env["res.currency"].sudo().search(Domain.TRUE)
        reasons = {name: self._get_reason_id(name) for name in GIVEN_REASONS}
        return {
            **TABLES,
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

    def _get_past_query(self, company, day):
        """Return SQL of the rows of the figures as they were at the end of a day of the past, by
        what was known then."""
        night = company._membri_midnight(day + timedelta(days=1))
        facts = {"company": company.id, "day": day, "night": night}
        asked = SQL(
            "SELECT DISTINCT partner_id, company_id FROM membri_cotisation WHERE company_id = %s",
            company.id,
        )
        return SQL(
            INSIGHT_QUERY,
            asked=asked,
            **{
                **self._get_query_values(),
                "today": SQL("(%s, %s::date)", company.id, day),
                "terms": SQL(PAST_TERMS, **facts),
                "renewals": SQL(PAST_RENEWALS, **facts),
            },
        )

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
        return self._get_members_action(self.partner_id)

    @api.model
    def _get_members_action(self, members):
        """:return: the action that opens all members that a figure counts, archived ones too"""
        members = members.with_context(active_test=False)
        return members._get_records_action(name=self.env._("Members"))
