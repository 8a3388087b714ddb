"""Of which members the kept figures are old: what was recorded since, and what the calendar turned.
How they are kept is in ``kept_mixin.py``."""

from .kept_mixin import NOT_THE_RATE, RATE_OF_COMPANY, Watch

STALE_QUERY = """
    SELECT partner_id, company_id
      FROM membri_insight_stale
     UNION
    SELECT turned.partner_id, turned.company_id
      FROM membri_insight_kept turned
      JOIN (VALUES %(today)s) today (company_id, day) ON today.company_id = turned.company_id
     WHERE turned.valid_until < today.day
"""

# What the rows are made of, and whose figures a change may change.
WATCHED = {
    "membri_cotisation": Watch(
        "partner_id, company_id, option_set_id, currency_id, date_start, date_end, amount_total,"
        " date_terminated, date_end_agreed, termination_reason, termination_reason_id, invoice_id,"
        " payment_state, origin, state",
        "SELECT fact.partner_id, fact.company_id",
        comes_and_goes=True,
    ),
    "membri_renewal": Watch(
        "cotisation_id, state, mode, date_sent, date_answer, date_approved, date_refused,"
        " refusal_reason_id, reminder_count, is_answered_online",
        "SELECT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.id = fact.cotisation_id",
        comes_and_goes=True,
    ),
    "account_partial_reconcile": Watch(
        "",
        "SELECT term.partner_id, term.company_id FROM account_move_line line"
        " JOIN membri_cotisation term ON term.invoice_id = line.move_id"
        " WHERE line.id = fact.debit_move_id",
    ),
    "account_move__account_payment": Watch(
        "",
        "SELECT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.invoice_id = fact.invoice_id",
    ),
    "account_payment": Watch(
        "date, state, move_id",
        "SELECT term.partner_id, term.company_id FROM account_move__account_payment link"
        " JOIN membri_cotisation term ON term.invoice_id = link.invoice_id"
        " WHERE link.payment_id = fact.id",
    ),
    "account_move": Watch(
        "membri_invoice_type",
        "SELECT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.invoice_id = fact.id",
    ),
    "account_move_line": Watch(
        "date",
        "SELECT term.partner_id, term.company_id FROM account_partial_reconcile partial"
        " JOIN account_move_line line ON line.id = partial.debit_move_id"
        " JOIN membri_cotisation term ON term.invoice_id = line.move_id"
        " WHERE partial.credit_move_id = fact.id",
    ),
    "res_partner": Watch(
        "membri_member_since",
        "SELECT DISTINCT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.partner_id = fact.id",
    ),
    "membri_option_set": Watch(
        "grace_days, type_id",
        "SELECT DISTINCT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.option_set_id = fact.id",
    ),
    "membri_refusal_reason": Watch(
        "is_death",
        "SELECT term.partner_id, term.company_id FROM membri_cotisation term"
        " LEFT JOIN membri_renewal renewal ON renewal.cotisation_id = term.id"
        " WHERE term.termination_reason_id = fact.id OR renewal.refusal_reason_id = fact.id"
        " OR term.date_terminated IS NOT NULL AND term.termination_reason_id IS NULL",
    ),
    "res_company": Watch(
        "membri_tz, currency_id",
        "SELECT DISTINCT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.company_id = fact.id",
    ),
    # those of the day on which the row was kept: it is true no longer
    "res_currency_rate": Watch(
        "currency_id, company_id, name, rate",
        "SELECT kept.partner_id, kept.company_id FROM membri_insight_kept kept"  # nosec B608: no values
        " JOIN res_company company ON company.id = kept.company_id"
        " JOIN membri_cotisation term ON term.id = kept.id"
        " LEFT JOIN membri_cotisation following ON following.id = kept.next_cotisation_id"
        " WHERE kept.is_foreign"
        f" AND {RATE_OF_COMPANY}"
        " AND fact.currency_id IN"
        " (company.currency_id, term.currency_id, following.currency_id)"
        f" AND NOT {NOT_THE_RATE.format(day='kept.valid_until')}",
        comes_and_goes=True,
    ),
}
