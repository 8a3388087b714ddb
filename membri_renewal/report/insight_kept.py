"""How the figures are kept, so that a screen of 100,000 members with their years opens at once and
is yet never old.

- ``membri_insight_kept`` has the rows of ``INSIGHT_QUERY`` as they were when they were computed.
- ``membri_insight_stale`` names the members about whom something was recorded since. The database
  writes it itself, by the triggers below, in the very transaction of the change, whoever makes it
  (Odoo's merge of contacts writes SQL); it is only ever added to, so that no two transactions wait
  for each other.
- What is read is the kept rows of all others, and the rows of these members, computed at once.
- The scheduled action computes the rows of these members, and takes them off the list: those of
  its own snapshot, so that a change that is under way stays on it.
"""

# Whose kept rows are not to be read: what was recorded since, and what the calendar turned.
STALE_QUERY = """
    SELECT partner_id, company_id
      FROM membri_insight_stale
     UNION
    SELECT turned.partner_id, turned.company_id
      FROM membri_insight_kept turned
      JOIN (VALUES %(today)s) today (company_id, day) ON today.company_id = turned.company_id
     WHERE turned.valid_until < today.day
"""

FRESH_QUERY = """
SELECT kept.*
  FROM membri_insight_kept kept
 WHERE NOT EXISTS (
           SELECT 1
             FROM (%(stale)s) stale
            WHERE stale.partner_id = kept.partner_id AND stale.company_id = kept.company_id
       )
 UNION ALL
SELECT computed.*
  FROM (%(computed)s) computed
"""

# What the rows are made of: when one of these columns is set (of all rows that come and go where
# none is named), whose figures it may change. ``fact`` is the row, as it was and as it is.
WATCHED = {
    "membri_cotisation": (
        "partner_id, company_id, option_set_id, currency_id, date_start, date_end, amount_total,"
        " date_terminated, termination_reason, termination_reason_id, invoice_id, payment_state,"
        " origin, state",
        "SELECT fact.partner_id, fact.company_id",
    ),
    "membri_renewal": (
        "cotisation_id, state, mode, date_sent, date_answer, date_approved, date_refused,"
        " refusal_reason_id, reminder_count, is_answered_online",
        "SELECT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.id = fact.cotisation_id",
    ),
    "account_partial_reconcile": (
        "",
        "SELECT term.partner_id, term.company_id FROM account_move_line line"
        " JOIN membri_cotisation term ON term.invoice_id = line.move_id"
        " WHERE line.id = fact.debit_move_id",
    ),
    "account_move__account_payment": (
        "",
        "SELECT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.invoice_id = fact.invoice_id",
    ),
    "account_payment": (
        "date, state, move_id",
        "SELECT term.partner_id, term.company_id FROM account_move__account_payment link"
        " JOIN membri_cotisation term ON term.invoice_id = link.invoice_id"
        " WHERE link.payment_id = fact.id",
    ),
    "account_move": (
        "membri_invoice_type",
        "SELECT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.invoice_id = fact.id",
    ),
    "account_move_line": (
        "date",
        "SELECT term.partner_id, term.company_id FROM account_partial_reconcile partial"
        " JOIN account_move_line line ON line.id = partial.debit_move_id"
        " JOIN membri_cotisation term ON term.invoice_id = line.move_id"
        " WHERE partial.credit_move_id = fact.id",
    ),
    "res_partner": (
        "membri_member_since",
        "SELECT DISTINCT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.partner_id = fact.id",
    ),
    "membri_option_set": (
        "grace_days, type_id",
        "SELECT DISTINCT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.option_set_id = fact.id",
    ),
    "membri_refusal_reason": (
        "is_death",
        "SELECT term.partner_id, term.company_id FROM membri_cotisation term"
        " LEFT JOIN membri_renewal renewal ON renewal.cotisation_id = term.id"
        " WHERE term.termination_reason_id = fact.id OR renewal.refusal_reason_id = fact.id"
        " OR term.date_terminated IS NOT NULL AND term.termination_reason_id IS NULL",
    ),
    "res_company": (
        "membri_tz, currency_id",
        "SELECT DISTINCT term.partner_id, term.company_id FROM membri_cotisation term"
        " WHERE term.company_id = fact.id",
    ),
    "res_currency_rate": (
        "",
        "SELECT kept.partner_id, kept.company_id FROM membri_insight_kept kept"
        " WHERE kept.is_foreign",
    ),
}
# rows that hold one fact each come and go; of the others, those that a term hangs on
COME_AND_GO = {"membri_cotisation", "membri_renewal"}


def get_trigger_statements():
    """:return: the SQL statements that make the database note whose figures a change may have
    changed"""
    for table, (columns, question) in WATCHED.items():
        function = f"membri_insight_note_{table}"
        notes = [
            f"INSERT INTO membri_insight_stale {question.replace('fact.', f'{row}.')};"
            for row in ("OLD", "NEW")
        ]
        names = columns.split(", ") if columns else []
        yield f"""
            CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' AND {get_same(names)} THEN RETURN NULL; END IF;
                IF TG_OP != 'INSERT' THEN {notes[0]} END IF;
                IF TG_OP != 'DELETE' THEN {notes[1]} END IF;
                RETURN NULL;
            END $$
        """
        events = [f"UPDATE OF {columns}"] if columns else ["UPDATE"]
        if not columns or table in COME_AND_GO:
            events += ["INSERT", "DELETE"]
        yield f"DROP TRIGGER IF EXISTS membri_insight_note ON {table}"
        yield (
            f"CREATE TRIGGER membri_insight_note AFTER {' OR '.join(events)} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {function}()"
        )


def get_same(names):
    """:return: SQL that says whether an update left all of the columns as they were"""
    if not names:
        return "FALSE"
    old, new = (", ".join(f"{row}.{name}" for name in names) for row in ("OLD", "NEW"))
    return f"ROW({old}) IS NOT DISTINCT FROM ROW({new})"


def get_drop_statements():
    """:return: the SQL statements that take away what the rest of this file makes"""
    for table in WATCHED:
        yield f"DROP FUNCTION IF EXISTS membri_insight_note_{table}() CASCADE"
    yield "DROP TABLE IF EXISTS membri_insight_kept, membri_insight_stale"
