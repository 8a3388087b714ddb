from odoo import fields, models
from odoo.tools import SQL

from .reconciliation_query import SHARES

BUCKETS = [
    ("not_due", "Not Yet Due"),
    ("late_30", "1 to 30 Days"),
    ("late_60", "31 to 60 Days"),
    ("late_90", "61 to 90 Days"),
    ("late_more", "Over 90 Days"),
]

AGED_QUERY = (
    SHARES  # nosec B608: two constants
    + """
, part_due AS (
    SELECT line.move_id, line.date_maturity,
           SUM(line.amount_residual) OVER up_to_here AS up_to,
           line.amount_residual AS part,
           SUM(line.amount_residual) OVER (PARTITION BY line.move_id) AS whole
      FROM (
               SELECT move_id, COALESCE(date_maturity, date) AS date_maturity,
                      SUM(amount_residual) AS amount_residual
                 FROM account_move_line
                WHERE display_type = 'payment_term'
                  AND parent_state = 'posted'
                  AND move_id IN (SELECT id FROM document)
             GROUP BY move_id, COALESCE(date_maturity, date)
           ) line
    WINDOW up_to_here AS (PARTITION BY line.move_id ORDER BY line.date_maturity)
), due AS (
    SELECT opened.move_id, opened.cotisation_id, opened.company_id, part_due.date_maturity,
           ROUND(opened.open * part_due.up_to / part_due.whole, opened.digits)
           - ROUND(opened.open * (part_due.up_to - part_due.part) / part_due.whole, opened.digits)
               AS residual
      FROM opened
      JOIN part_due ON part_due.move_id = opened.move_id AND part_due.whole != 0
)
SELECT ROW_NUMBER() OVER (ORDER BY due.date_maturity, due.move_id, due.cotisation_id) AS id,
       due.company_id, company.currency_id,
       move.partner_id AS payer_id, COALESCE(term.partner_id, move.partner_id) AS partner_id,
       term.option_set_id, term.id AS cotisation_id, move.id AS move_id,
       move.invoice_date, due.date_maturity AS date_due, due.residual,
       GREATEST(0, today.day - due.date_maturity) AS days_late,
       bucket.code AS bucket,
       CASE WHEN bucket.code = 'not_due' THEN due.residual ELSE 0 END AS not_due,
       CASE WHEN bucket.code = 'late_30' THEN due.residual ELSE 0 END AS late_30,
       CASE WHEN bucket.code = 'late_60' THEN due.residual ELSE 0 END AS late_60,
       CASE WHEN bucket.code = 'late_90' THEN due.residual ELSE 0 END AS late_90,
       CASE WHEN bucket.code = 'late_more' THEN due.residual ELSE 0 END AS late_more
  FROM due
  JOIN account_move move ON move.id = due.move_id
  JOIN res_company company ON company.id = due.company_id
  JOIN (VALUES %(today)s) today (company_id, day) ON today.company_id = due.company_id
LEFT JOIN membri_cotisation term ON term.id = due.cotisation_id
CROSS JOIN LATERAL (
    SELECT CASE
               WHEN today.day <= due.date_maturity THEN 'not_due'
               WHEN today.day - due.date_maturity <= 30 THEN 'late_30'
               WHEN today.day - due.date_maturity <= 60 THEN 'late_60'
               WHEN today.day - due.date_maturity <= 90 THEN 'late_90'
               ELSE 'late_more'
           END AS code
) bucket
 WHERE due.residual != 0
"""
)


class MembriAged(models.Model):
    """What is still due for memberships, by how late it is: one row per term and due date, in
    the currency of the company. All rows add up to what is open in the accounts."""

    _name = "membri.aged"
    _inherit = "membri.report.mixin"
    _description = "Aged Memberships"
    _auto = False
    _rec_name = "partner_id"
    _order = "date_due, id"
    _depends = {
        "membri.cotisation": ["option_set_id", "partner_id"],
        "account.move": [
            "amount_residual_signed",
            "amount_total_signed",
            "company_id",
            "invoice_date",
            "membri_amount_received",
            "membri_amount_written_off",
            "membri_invoice_type",
            "move_type",
            "partner_id",
            "reversed_entry_id",
            "state",
        ],
        "account.move.line": [
            "amount_residual",
            "date",
            "date_maturity",
            "display_type",
            "membri_cotisation_id",
            "move_id",
            "parent_state",
            "price_subtotal",
            "price_total",
        ],
        "res.company": ["currency_id", "membri_tz"],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Member", readonly=True)
    payer_id = fields.Many2one("res.partner", readonly=True)
    option_set_id = fields.Many2one("membri.option.set", string="Membership Plan", readonly=True)
    cotisation_id = fields.Many2one("membri.cotisation", string="Membership Term", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    invoice_date = fields.Date(readonly=True)
    date_due = fields.Date(string="Due By", readonly=True)
    days_late = fields.Integer(readonly=True, aggregator="max")
    bucket = fields.Selection(BUCKETS, string="Age", readonly=True)
    residual = fields.Monetary(string="Amount Due", readonly=True)
    not_due = fields.Monetary(string="Not Yet Due", readonly=True)
    late_30 = fields.Monetary(string="1 to 30 Days", readonly=True)
    late_60 = fields.Monetary(string="31 to 60 Days", readonly=True)
    late_90 = fields.Monetary(string="61 to 90 Days", readonly=True)
    late_more = fields.Monetary(string="Over 90 Days", readonly=True)

    @property
    def _table_query(self):
        return SQL(AGED_QUERY, today=self.env["res.company"]._membri_get_days_sql())

    def action_open_source(self):
        """Open the invoice; whoever may not see invoices is shown the term."""
        self.ensure_one()
        if self.env["account.move"].has_access("read"):
            return self.move_id._get_records_action()
        return self.cotisation_id._get_records_action()
