from odoo import api, fields, models
from odoo.tools import SQL

# so many days later than the last time, and not a day or two, tells something
LATER_DAYS = 7

AT_RISK_QUERY = """
SELECT renewal.id, renewal.id AS renewal_id, renewal.partner_id, renewal.company_id,
       renewal.option_set_id, renewal.state, renewal.date_sent, renewal.amount_total,
       renewal.currency_id, term.date_end,
       waited.days AS days_waited, last.days AS days_last_time,
       sign.later AS is_later, sign.first AS is_first_year, sign.bounced AS is_unreachable,
       sign.credited AS has_credit, sign.smaller AS is_smaller, sign.reminded AS is_reminded,
       sign.later::integer + sign.first::integer + sign.bounced::integer
       + sign.credited::integer + sign.smaller::integer + sign.reminded::integer AS sign_count
  FROM membri_renewal renewal
  JOIN membri_cotisation term ON term.id = renewal.cotisation_id
  JOIN res_company company ON company.id = renewal.company_id
  JOIN res_partner partner ON partner.id = renewal.partner_id
  JOIN (VALUES %(today)s) today (company_id, day) ON today.company_id = renewal.company_id
LEFT JOIN membri_renewal previous ON previous.id = term.renewal_id
LEFT JOIN membri_cotisation previous_term ON previous_term.id = term.previous_id
LEFT JOIN (
    SELECT DISTINCT line.membri_cotisation_id AS id
      FROM account_move_line line
      JOIN account_move move ON move.id = line.move_id
     WHERE line.membri_cotisation_id IS NOT NULL
       AND line.parent_state = 'posted'
       AND move.move_type = 'out_refund'
) credited ON credited.id = term.id
CROSS JOIN LATERAL (
    SELECT today.day - (renewal.date_sent AT TIME ZONE 'UTC'
                        AT TIME ZONE company.membri_tz)::date AS days
) waited
CROSS JOIN LATERAL (
    SELECT (previous.date_answer AT TIME ZONE 'UTC' AT TIME ZONE company.membri_tz)::date
           - (previous.date_sent AT TIME ZONE 'UTC' AT TIME ZONE company.membri_tz)::date AS days
) last
-- a shorter term costs less, and is no sign: what a day costs has to be less, too (days of the term
-- as it was agreed; prices in two currencies are not compared)
CROSS JOIN LATERAL (
    SELECT CASE WHEN previous_term.currency_id = term.currency_id
                THEN previous_term.amount_untaxed
                     / NULLIF(COALESCE(previous_term.date_end_agreed, previous_term.date_end)
                              - previous_term.date_start + 1, 0) END AS before,
           term.amount_untaxed
           / NULLIF(COALESCE(term.date_end_agreed, term.date_end) - term.date_start + 1, 0) AS now,
           CASE WHEN renewal.currency_id = term.currency_id
                THEN renewal.amount_untaxed
                     / NULLIF(renewal.date_end - renewal.date_start + 1, 0) END AS next
) daily
CROSS JOIN LATERAL (
    SELECT COALESCE(renewal.state = 'sent' AND waited.days > last.days + %(later)s, FALSE)
               AS later,
           (term.previous_id IS NULL
            AND COALESCE(partner.membri_member_since->>(renewal.company_id::text), '9')
                >= term.date_start::text) AS first,
           COALESCE(renewal.delivery_state IN ('failed', 'unreachable'), FALSE) AS bounced,
           (credited.id IS NOT NULL) AS credited,
           COALESCE(daily.now < daily.before * 0.995, FALSE)
                   AND term.amount_untaxed < previous_term.amount_untaxed
               OR COALESCE(daily.next < daily.now * 0.995, FALSE)
                   AND renewal.amount_untaxed < term.amount_untaxed AS smaller,
           COALESCE(renewal.reminder_count >= 2, FALSE) AS reminded
) sign
 WHERE renewal.state IN ('sent', 'change_requested', 'intervention')
   AND (sign.later OR sign.first OR sign.bounced OR sign.credited OR sign.smaller
        OR sign.reminded)
"""


class MembriAtRisk(models.Model):
    """The members who have not decided yet, and whose own history says that they may leave, each
    with the reasons in words."""

    _name = "membri.at.risk"
    _inherit = "membri.report.mixin"
    _description = "Member at Risk"
    _auto = False
    _rec_name = "partner_id"
    _order = "sign_count desc, date_end, id"
    _depends = {
        "membri.cotisation": [
            "amount_untaxed",
            "currency_id",
            "date_end",
            "date_end_agreed",
            "date_start",
            "previous_id",
            "renewal_id",
        ],
        "membri.renewal": [
            "amount_total",
            "amount_untaxed",
            "cotisation_id",
            "currency_id",
            "date_answer",
            "date_end",
            "date_sent",
            "date_start",
            "delivery_state",
            "option_set_id",
            "partner_id",
            "reminder_count",
            "state",
        ],
        "account.move": ["move_type"],
        "account.move.line": ["membri_cotisation_id", "move_id", "parent_state"],
        "res.company": ["membri_tz"],
        "res.partner": ["membri_member_since"],
    }

    partner_id = fields.Many2one("res.partner", string="Member", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    renewal_id = fields.Many2one("membri.renewal", readonly=True)
    option_set_id = fields.Many2one("membri.option.set", string="Membership Plan", readonly=True)
    state = fields.Selection(
        [
            ("sent", "Sent"),
            ("change_requested", "Change Requested"),
            ("intervention", "Intervention Required"),
        ],
        string="Status",
        readonly=True,
    )
    date_sent = fields.Datetime(string="Sent On", readonly=True)
    date_end = fields.Date(string="Last Day of Current Term", readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True)
    days_waited = fields.Integer(string="Days Without a Reply", readonly=True, aggregator="avg")
    days_last_time = fields.Integer(string="Days Taken Last Time", readonly=True, aggregator="avg")
    is_later = fields.Boolean(string="Later Than Last Time", readonly=True)
    is_first_year = fields.Boolean(string="First Year", readonly=True)
    is_unreachable = fields.Boolean(string="Email Not Delivered", readonly=True)
    has_credit = fields.Boolean(string="Credited", readonly=True)
    is_smaller = fields.Boolean(string="Pays Less Than Before", readonly=True)
    is_reminded = fields.Boolean(string="Reminded Twice", readonly=True)
    sign_count = fields.Integer(string="Signs", readonly=True, aggregator="avg")
    reasons = fields.Char(compute="_compute_reasons", string="Why")

    @property
    def _table_query(self):
        return SQL(
            AT_RISK_QUERY,
            later=LATER_DAYS,
            today=self.env["res.company"]._membri_get_days_sql(),
        )

    @api.depends_context("lang")
    def _compute_reasons(self):
        for row in self:
            row.reasons = " ".join(filter(None, row._get_reasons()))

    def _get_reasons(self):
        """:return: list of sentences, empty ones among them"""
        self.ensure_one()
        return [
            self.is_later
            and self.env._(
                "No reply for %(days)s days; last time it took %(before)s.",
                days=self.days_waited,
                before=self.days_last_time,
            ),
            self.is_first_year and self.env._("First renewal."),
            self.is_unreachable and self.env._("The last email was not delivered."),
            self.has_credit and self.env._("The current term was credited, in part or in full."),
            self.is_smaller and self.env._("Pays less than before."),
            self.is_reminded and self.env._("Has been reminded at least twice."),
        ]

    def action_open_renewal(self):
        """Open the renewal that a row is about."""
        self.ensure_one()
        return self.renewal_id._get_records_action()
