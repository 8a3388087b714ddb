from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.mixins.formats import format_day

# Of an invoice line (``item``, of ``move``) of a term: the last day that was agreed, by which its
# days are counted; the first day on which any of it is earned, and the day by which all of it is.
# What was earned before its document was booked, or before somebody ended the term early, stays:
# the months before may be closed. So a late document catches up on its own date, and what is left
# of a term that was ended early is earned when it ends, or when it was ended if that is later. A
# credit note from then on gives back the days that are left, and takes nothing of those before.
OF_SPREAD = """      JOIN membri_option_set plan ON plan.id = term.option_set_id
CROSS JOIN LATERAL (
               SELECT CASE
                          WHEN term.date_terminated IS NULL
                          THEN COALESCE(term.date_end, term.date_start)
                          WHEN plan.lifetime THEN term.date_start
                          ELSE COALESCE(term.date_end_agreed, term.date_end)
                      END AS day,
                      move.move_type = 'out_refund'
                      AND item.date >= term.date_termination_recorded AS is_rest
           ) agreed
CROSS JOIN LATERAL (
               SELECT CASE
                          WHEN term.date_terminated IS NULL THEN agreed.day
                          ELSE LEAST(
                              agreed.day, GREATEST(term.date_end, term.date_termination_recorded)
                          )
                      END AS day
           ) ended
CROSS JOIN LATERAL (
               SELECT agreed.day AS agreed_end,
                      GREATEST(
                          item.date,
                          CASE WHEN agreed.is_rest THEN ended.day ELSE term.date_start END
                      ) AS first_earned,
                      GREATEST(item.date, ended.day) AS last_earned
           ) spread"""


def get_earned(day, line, start="date_start"):
    """Return SQL of how much of an invoice line is earned by a day, that one included.

    :param line: the SQL name of what has its ``amount``, its ``digits`` and the days of
        ``OF_SPREAD``; ``start`` is its first day of the term"""
    return f"""CASE
               WHEN {day} < {line}.first_earned THEN 0
               WHEN {day} >= {line}.last_earned THEN {line}.amount
               ELSE ROUND(
                   {line}.amount * ({day} - {line}.{start} + 1)
                   / ({line}.agreed_end - {line}.{start} + 1),
                   {line}.digits
               )
           END"""


def last_of(year):
    """Return SQL of the last day of the fiscal year that ends in the calendar year ``year``:
    the company's day, or the last of the month."""
    month = f"make_date({year}, line.last_month, 1)"
    return (
        f"({month} + LEAST(line.last_day, EXTRACT(DAY FROM {month} + INTERVAL '1 month'"
        " - INTERVAL '1 day')::integer) - 1)"
    )


# Shares are differences of rounded running sums, so that the years of a line add up to it.
QUERY = f"""
WITH line AS (
    SELECT item.id, item.move_id, item.company_id, -item.balance AS amount,
           move.partner_id AS payer_id, term.partner_id, term.option_set_id,
           term.id AS cotisation_id, term.date_start,
           COALESCE(term.date_end, term.date_start) AS date_end,
           spread.agreed_end, spread.first_earned, spread.last_earned,
           company.currency_id, company.fiscalyear_last_day AS last_day,
           company.fiscalyear_last_month::integer AS last_month,
           COALESCE(currency.decimal_places, 2) AS digits, as_of.day AS as_of
      FROM account_move_line item
      JOIN account_move move ON move.id = item.move_id
      JOIN membri_cotisation term ON term.id = item.membri_cotisation_id
{OF_SPREAD}
      JOIN res_company company ON company.id = item.company_id
      JOIN res_currency currency ON currency.id = company.currency_id
      JOIN (VALUES %(as_of)s) as_of (company_id, day) ON as_of.company_id = item.company_id
     WHERE item.display_type = 'product'
       AND item.parent_state = 'posted'
       AND item.balance != 0
       AND item.date <= as_of.day
       AND move.membri_invoice_type IS NOT NULL
       AND move.move_type IN ('out_invoice', 'out_refund')
), fiscal_year AS (
    SELECT line.*, calendar.year, bounds.first_day, bounds.last_day AS year_end
      FROM line
CROSS JOIN LATERAL generate_series(
               EXTRACT(YEAR FROM line.date_start)::integer,
               EXTRACT(YEAR FROM line.last_earned)::integer + 1
           ) calendar (year)
CROSS JOIN LATERAL (
               SELECT {last_of("calendar.year - 1")} + 1 AS first_day,
                      {last_of("calendar.year")} AS last_day
           ) bounds
     WHERE bounds.first_day <= line.last_earned AND bounds.last_day >= line.first_earned
)
SELECT fiscal_year.id::bigint * 256 + fiscal_year.year
           - EXTRACT(YEAR FROM fiscal_year.date_start)::integer AS id,
       fiscal_year.company_id, fiscal_year.currency_id, fiscal_year.payer_id,
       fiscal_year.partner_id, fiscal_year.option_set_id, fiscal_year.cotisation_id,
       fiscal_year.move_id, fiscal_year.id AS move_line_id, fiscal_year.date_start,
       fiscal_year.date_end, fiscal_year.first_day AS year_start, fiscal_year.year_end,
       fiscal_year.as_of,
       CASE
           WHEN EXTRACT(YEAR FROM fiscal_year.first_day) = fiscal_year.year
           THEN fiscal_year.year::varchar
           ELSE (fiscal_year.year - 1)::varchar || '-' || fiscal_year.year::varchar
       END AS fiscal_year,
       GREATEST(
           0, LEAST(year_end, date_end, agreed_end) - GREATEST(first_day, date_start) + 1
       ) AS days,
       share.until - share.before AS amount,
       share.now - share.before AS earned,
       share.until - share.now AS unearned
  FROM fiscal_year
CROSS JOIN LATERAL (
    SELECT {get_earned("(first_day - 1)", "fiscal_year")} AS before,
           {get_earned("GREATEST(first_day - 1, LEAST(as_of, year_end))", "fiscal_year")} AS now,
           {get_earned("year_end", "fiscal_year")} AS until
) share
"""  # nosec B608: no values


class MembriDeferred(models.Model):
    """What was invoiced for memberships, by the fiscal years that their terms lie in: one row
    per invoice line and fiscal year of its company, before taxes, in the company's currency.
    ``unearned`` is the part after the day that is asked about (``membri_as_of`` of the context,
    default today); what was booked after that day was not in the accounts on it, and is not here.
    A membership for life is earned on its first day; what is left of a term that was ended early,
    when it ended. No document changes what was earned before it was booked."""

    _name = "membri.deferred"
    _inherit = "membri.report.mixin"
    _description = "Deferred Membership Revenue"
    _auto = False
    _rec_name = "move_line_id"
    _order = "year_start, move_id, id"
    _depends = {
        "membri.cotisation": [
            "date_end",
            "date_end_agreed",
            "date_start",
            "date_terminated",
            "date_termination_recorded",
            "option_set_id",
            "partner_id",
        ],
        "membri.option.set": ["lifetime"],
        "account.move": ["membri_invoice_type", "move_type", "partner_id"],
        "account.move.line": [
            "balance",
            "company_id",
            "date",
            "display_type",
            "membri_cotisation_id",
            "move_id",
            "parent_state",
        ],
        "res.company": ["currency_id", "fiscalyear_last_day", "fiscalyear_last_month"],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Member", readonly=True)
    payer_id = fields.Many2one("res.partner", readonly=True)
    option_set_id = fields.Many2one("membri.option.set", string="Membership Plan", readonly=True)
    cotisation_id = fields.Many2one("membri.cotisation", string="Membership Term", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    move_line_id = fields.Many2one("account.move.line", string="Invoice Line", readonly=True)
    date_start = fields.Date(string="First Day", readonly=True)
    date_end = fields.Date(string="Last Day", readonly=True)
    fiscal_year = fields.Char(readonly=True)
    year_start = fields.Date(string="First Day of the Fiscal Year", readonly=True)
    year_end = fields.Date(string="Last Day of the Fiscal Year", readonly=True)
    as_of = fields.Date(readonly=True)
    days = fields.Integer(readonly=True, help="Days of the term that fall in this fiscal year.")
    amount = fields.Monetary(
        string="Revenue", readonly=True, help="Share of the line in this fiscal year, before taxes."
    )
    earned = fields.Monetary(readonly=True, help="Part earned up to the selected date, included.")
    unearned = fields.Monetary(readonly=True, help="Part not yet earned on the selected date.")

    @property
    def _table_query(self):
        days = self._get_as_of().items()
        as_of = SQL(", ").join(SQL("(%s, %s::date)", company, day) for company, day in days)
        return SQL(QUERY, as_of=as_of)

    def _get_as_of(self):
        """:return: ``{company id: the day that is asked about}``, of all companies"""
        try:
            chosen = fields.Date.to_date(self.env.context.get("membri_as_of"))
        except (TypeError, ValueError):  # from a client
            chosen = None
        # sudo: of all companies, the rules say which rows are shown
        companies_sudo = self.env["res.company"].sudo().search(Domain.TRUE)
        return {company.id: chosen or company._membri_today() for company in companies_sudo}

    def action_open_source(self):
        """Open the invoice; whoever may not see invoices is shown the term."""
        self.ensure_one()
        if self.env["account.move"].has_access("read"):
            return self.move_id._get_records_action()
        return self.cotisation_id._get_records_action()


class MembriDeferredStart(models.TransientModel):
    """Of which day the unearned part is asked."""

    _name = "membri.deferred.start"
    _inherit = "membri.wizard.mixin"
    _description = "Deferred Membership Revenue Date"

    date = fields.Date(
        string="As Of", required=True, default=lambda self: self.env.company._membri_today()
    )

    def action_open(self):
        """:return: the action that shows the deferred revenue as of the day that was chosen"""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_deferred"
        )
        name = self.env._(
            "Deferred Membership Revenue as of %(date)s", date=format_day(self.env, self.date)
        )
        return {
            **action,
            # the screen is called by the second of them
            "name": name,
            "display_name": name,
            "context": {"membri_as_of": fields.Date.to_string(self.date)},
        }
