from odoo import fields, models
from odoo.tools import SQL

from .deferred import OF_SPREAD, MembriDeferred, get_earned
from .kept_mixin import NOT_THE_RATE, RATE_OF_COMPANY, Watch
from .reconciliation import MembriReconciliation
from .reconciliation_query import OF_ASKED, get_reconciliation_query

# what both are made of
DEPENDS = {
    model: sorted(
        {*MembriDeferred._depends.get(model, ()), *MembriReconciliation._depends.get(model, ())}
    )
    for model in MembriDeferred._depends | MembriReconciliation._depends
}
# The revenue of a line is one row; what of it is deferred is said when it is read, by the day.
OF_RECONCILIATION = """
SELECT part.id::bigint * 2 AS id, part.company_id, part.currency_id, part.partner_id,
       part.option_set_id, part.cotisation_id, part.renewal_id, part.move_id,
       COALESCE(part.date_start, part.invoice_date) AS date,
       part.expected, part.invoiced, part.received, part.written_off, part.open,
       0 AS revenue, 1 AS row_count,
       NULL::numeric AS amount, NULL::date AS booked, NULL::date AS first_earned,
       NULL::date AS last_earned, NULL::date AS agreed_end,
       NULL::integer AS digits, part.is_foreign
  FROM ("""
OF_ITEMS = f""") part
 UNION ALL
SELECT item.id::bigint * 2 + 1, item.company_id, company.currency_id, term.partner_id,
       term.option_set_id, term.id, NULL, item.move_id,
       term.date_start,
       0, 0, 0, 0, 0,
       -item.balance, 1,
       -item.balance, item.date, spread.first_earned, spread.last_earned, spread.agreed_end,
       COALESCE(currency.decimal_places, 2), FALSE
  FROM (%(asked)s) asked
  JOIN membri_cotisation term ON term.partner_id = asked.partner_id
  JOIN account_move_line item ON item.membri_cotisation_id = term.id
  JOIN account_move move ON move.id = item.move_id
{OF_SPREAD}
  JOIN res_company company ON company.id = item.company_id
  JOIN res_currency currency ON currency.id = company.currency_id
 WHERE item.display_type = 'product'
   AND item.parent_state = 'posted'
   AND item.balance != 0
   AND move.membri_invoice_type IS NOT NULL
   AND move.move_type IN ('out_invoice', 'out_refund')
"""  # nosec B608: no values
MONEY_QUERY = OF_RECONCILIATION + get_reconciliation_query(OF_ASKED) + OF_ITEMS
# As in the deferred revenue, whose fiscal years add up to this: the part of the days after.
DEFERRED_QUERY = f"""
SELECT part.*,
       CASE
           WHEN part.booked <= %(as_of)s
           THEN part.revenue - part.row_count * {get_earned("%(as_of)s", "part", "date")}
           ELSE 0
       END AS deferred
  FROM (%(rows)s) part
"""  # nosec B608: no values
# Whose rows are old: those that are named, and those of a document that is: all who have a part of
# it, or of one that it reverses.
STALE_QUERY = """
WITH RECURSIVE document AS (
    SELECT move_id AS id
      FROM membri_money_stale
     WHERE move_id IS NOT NULL
     UNION
    SELECT move.reversed_entry_id
      FROM document
      JOIN account_move move ON move.id = document.id
     WHERE move.reversed_entry_id IS NOT NULL
)
SELECT partner_id
  FROM membri_money_stale
 WHERE partner_id IS NOT NULL
 UNION
SELECT part.partner_id
  FROM document
CROSS JOIN LATERAL (
               SELECT move.partner_id
                 FROM account_move move
                WHERE move.id = document.id
                UNION ALL
               SELECT term.partner_id
                 FROM account_move_line line
                 JOIN membri_cotisation term ON term.id = line.membri_cotisation_id
                WHERE line.move_id = document.id
                UNION ALL
               SELECT term.partner_id
                 FROM membri_cotisation term
                WHERE term.invoice_id = document.id
               OFFSET 0  -- document by document: of few, the database would read all tables
           ) part
 WHERE part.partner_id IS NOT NULL
"""
# A document is named and not who has a part of it: a thousand lines of one invoice, each of which
# is written, are not a million notes.
WATCHED = {
    "membri_cotisation": Watch(
        "partner_id, company_id, option_set_id, currency_id, renewal_id, date_start, date_end,"
        " date_end_agreed, date_terminated, date_termination_recorded,"
        " amount_total, amount_untaxed, invoice_id, state",
        "SELECT fact.partner_id, NULL::integer",
        comes_and_goes=True,
    ),
    # the last day of terms that were ended early
    "membri_option_set": Watch(
        "lifetime",
        "SELECT DISTINCT kept.partner_id, NULL::integer FROM membri_money_kept kept"
        " WHERE kept.option_set_id = fact.id",
    ),
    "membri_renewal": Watch(
        "partner_id, company_id, option_set_id, currency_id, date_start, amount_total, state",
        "SELECT fact.partner_id, NULL::integer",
        comes_and_goes=True,
    ),
    "account_move": Watch(
        "state, move_type, company_id, partner_id, currency_id, invoice_date, reversed_entry_id,"
        " amount_total_signed, amount_residual_signed, membri_amount_received,"
        " membri_amount_written_off, membri_invoice_type",
        "SELECT fact.partner_id, fact.id"
        " UNION ALL SELECT NULL, fact.reversed_entry_id WHERE fact.reversed_entry_id IS NOT NULL",
        only="fact.membri_invoice_type IS NOT NULL"
        " OR EXISTS (SELECT 1 FROM membri_cotisation WHERE invoice_id = fact.id)",
        comes_and_goes=True,
    ),
    "account_move_line": Watch(
        "membri_cotisation_id, move_id, company_id, date, display_type, parent_state, balance,"
        " price_subtotal, price_total",
        "SELECT (SELECT partner_id FROM membri_cotisation WHERE id = fact.membri_cotisation_id),"
        " fact.move_id",
        only="fact.membri_cotisation_id IS NOT NULL",
        comes_and_goes=True,
    ),
    "res_company": Watch(
        "currency_id, parent_path",
        "SELECT DISTINCT kept.partner_id, NULL::integer FROM membri_money_kept kept"
        " WHERE kept.company_id = fact.id",
    ),
    "res_currency": Watch(
        "decimal_places",
        "SELECT DISTINCT kept.partner_id, NULL::integer FROM membri_money_kept kept"
        " WHERE kept.currency_id = fact.id OR kept.is_foreign",
    ),
    # those of the day of the invoice, or of the first day of the term
    "res_currency_rate": Watch(
        "currency_id, company_id, name, rate",
        "SELECT DISTINCT kept.partner_id, NULL::integer FROM membri_money_kept kept"  # nosec B608: no values
        " JOIN res_company company ON company.id = kept.company_id"
        " LEFT JOIN membri_cotisation term ON term.id = kept.cotisation_id"
        " LEFT JOIN membri_renewal renewal ON renewal.id = kept.renewal_id"
        " LEFT JOIN account_move move ON move.id = kept.move_id"
        " CROSS JOIN LATERAL (SELECT COALESCE(move.invoice_date, term.date_start,"
        " renewal.date_start) AS day) valued"
        " WHERE kept.is_foreign"
        f" AND {RATE_OF_COMPANY}"
        " AND fact.currency_id IN (company.currency_id,"
        " COALESCE(term.currency_id, renewal.currency_id, move.currency_id))"
        f" AND NOT {NOT_THE_RATE.format(day='valued.day')}",
        comes_and_goes=True,
    ),
}


class MembriMoney(models.Model):
    """The money of memberships by the month in which their terms begin, and by plan: what the
    reconciliation and the deferred revenue say, beside each other. It adds nothing of its own, so
    that it equals both, and the journal items, to the cent."""

    _name = "membri.money"
    _inherit = "membri.kept.mixin"
    _description = "Membership Money by Month"
    _auto = False
    _rec_name = "partner_id"
    _order = "date desc, id desc"
    _depends = DEPENDS
    # invoices are shared: companies are not told apart
    _kept_by = ("partner_id",)
    _stale_columns = ("partner_id", "move_id")
    _kept_everybody = """
        SELECT partner_id, NULL::integer FROM membri_cotisation
         UNION SELECT partner_id, NULL FROM membri_renewal
         UNION SELECT partner_id, NULL FROM account_move WHERE membri_invoice_type IS NOT NULL
    """
    _kept_watched = WATCHED
    _kept_indexes = ("(date, id)", "(id) WHERE is_foreign")
    _total_by = (
        "company_id",
        "currency_id",
        "option_set_id",
        "date",
        "amount",
        "booked",
        "first_earned",
        "last_earned",
        "agreed_end",
        "digits",
    )
    _total_count = "row_count"
    _total_sums = ("expected", "invoiced", "received", "written_off", "open", "revenue")

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Member", readonly=True)
    option_set_id = fields.Many2one("membri.option.set", string="Membership Plan", readonly=True)
    cotisation_id = fields.Many2one("membri.cotisation", string="Membership Term", readonly=True)
    renewal_id = fields.Many2one("membri.renewal", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    date = fields.Date(
        string="First Day",
        readonly=True,
        help="First day of the term or, for other lines, the invoice date.",
    )
    expected = fields.Monetary(
        readonly=True, help="Price of the term, or of the renewal if it is still undecided."
    )
    invoiced = fields.Monetary(
        readonly=True, help="Posted invoices less posted credit notes, taxes included."
    )
    received = fields.Monetary(readonly=True, help="Payments and bank lines, less refunds.")
    written_off = fields.Monetary(readonly=True)
    open = fields.Monetary(string="Amount Due", readonly=True, help="Invoiced and not paid yet.")
    revenue = fields.Monetary(
        readonly=True, help="Invoiced for membership terms, before taxes, less credit notes."
    )
    deferred = fields.Monetary(
        readonly=True, help="Part of the revenue that is not earned yet: the days to come."
    )

    @property
    def _table_query(self):
        # EXTENDS kept_mixin
        as_of = self.env["membri.deferred"]._get_as_of()
        days = SQL(" ").join(SQL("WHEN %s THEN %s::date", *pair) for pair in as_of.items())
        return SQL(
            DEFERRED_QUERY,
            rows=self._get_fresh_query(),
            as_of=SQL("CASE part.company_id %s END", days) if as_of else SQL("CURRENT_DATE"),
        )

    def _get_computed_query(self, asked, values):
        return SQL(MONEY_QUERY, asked=asked, **values)

    def _get_stale_query(self):
        return SQL(STALE_QUERY)

    def _get_sums(self):
        return super()._get_sums() | {"deferred"}

    def _get_stale(self):
        # EXTENDS kept_mixin: of documents, whoever has a part of them is named instead, so that
        # one after the other can be taken off the list
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "INSERT INTO membri_money_stale (partner_id)"
                " SELECT partner_id FROM (%s) stale"
                " WHERE EXISTS (SELECT 1 FROM membri_money_stale WHERE move_id IS NOT NULL)",
                SQL(STALE_QUERY),
            )
        )
        self.env.cr.execute("DELETE FROM membri_money_stale WHERE move_id IS NOT NULL")
        return super()._get_stale()

    def action_open_member(self):
        """Open the member that a row is about."""
        self.ensure_one()
        return self.partner_id._get_records_action()

    def _get_totals(self, company):
        """:return: ``{name: (amount here, amount in the reports and in the journal items)}``"""
        mine = [("company_id", "=", company.id)]
        names = ("expected", "invoiced", "received", "written_off", "open", "revenue", "deferred")
        [here] = self.env[self._name]._read_group(mine, [], [f"{name}:sum" for name in names])
        Reconciliation = self.env["membri.reconciliation"]
        [reconciled] = Reconciliation._read_group(
            mine, [], ["expected:sum", "received:sum", "written_off:sum"]
        )
        [(deferred,)] = self.env["membri.deferred"]._read_group(mine, [], ["unearned:sum"])
        journal = {name: pair[1] for name, pair in Reconciliation._get_balances(company).items()}
        # sudo: a sum, and no entry of anybody
        [(balance,)] = (
            self.env["account.move.line"]
            .sudo()
            ._read_group(
                [
                    *mine,
                    ("parent_state", "=", "posted"),
                    ("display_type", "=", "product"),
                    ("membri_cotisation_id", "!=", False),
                    ("move_id.membri_invoice_type", "!=", False),
                    ("move_id.move_type", "in", ("out_invoice", "out_refund")),
                ],
                [],
                ["balance:sum"],
            )
        )
        there = {
            **dict(zip(("expected", "received", "written_off"), reconciled, strict=True)),
            "invoiced": journal["invoiced"],
            "open": journal["open"],
            "revenue": -(balance or 0.0),
            "deferred": deferred,
        }
        return {
            name: (amount or 0.0, there[name] or 0.0)
            for name, amount in zip(names, here, strict=True)
        }

    def action_check_totals(self):
        """Tell whether these figures, the other reports and the journal items agree, for the
        current company."""
        self.browse().check_access("read")
        currency = self.env.company.currency_id
        labels = {name: field["string"] for name, field in self.fields_get().items()}
        wrong = [
            self.env._(
                "%(name)s: %(here)s here, %(there)s in the accounts.",
                name=labels[name],
                here=currency.format(here),
                there=currency.format(there),
            )
            for name, (here, there) in self._get_totals(self.env.company).items()
            if not currency.is_zero(here - there)
        ]
        message = (
            " ".join([self.env._("Totals do not match."), *wrong])
            if wrong
            else self.env._(
                "Totals match, here, in the reconciliation and in the journal items of the "
                "membership invoices."
            )
        )
        return self._get_verified_notification(not wrong, message)
