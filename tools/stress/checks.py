"""What must hold after the stress: asked in SQL, past the code that is under suspicion."""

import ast
import re

from dev import postgres


def _job(database, name):
    value = postgres.query(
        "SELECT value FROM ir_config_parameter WHERE key = 'stress.jobs'", database
    )
    return ast.literal_eval(value)[name]


def count_todo(database, name):
    return int(
        postgres.query(
            "SELECT count(*) FROM membri_bulk_job_line"
            f" WHERE job_id = {_job(database, name)} AND result = 'todo'",
            database,
        )
    )


def is_in_batch(database):
    """Whether a transaction that has written cotisations is not committed yet."""
    return (
        postgres.query(
            "SELECT count(*) > 0 FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
            " WHERE relname = 'membri_cotisation' AND mode = 'RowExclusiveLock'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            database,
        )
        == "t"
    )


def read_share(log):
    found = re.search(r"SHARE (\d+)", log.read_text(encoding="utf-8", errors="replace"))
    return int(found.group(1)) if found else 0


def _count(database, sql):
    return int(postgres.query(f"SELECT count(*) FROM ({sql}) AS found", database))


def _none(database, sentence, sql):
    """:return: ``(whether sql finds nothing, sentence)``"""
    found = _count(database, sql)
    return not found, sentence if not found else f"{sentence}: {found} are not"


def approved_once(database, name):
    """Every renewal of a job was approved once, whole, by whoever it was."""
    job = _job(database, name)
    lines = f"(SELECT * FROM membri_bulk_job_line WHERE job_id = {job}) AS line"
    total = _count(database, f"SELECT 1 FROM {lines}")
    yield _none(
        database,
        f"{name}: each of {total} renewals has one result: done, or skipped with its reason",
        f"SELECT 1 FROM {lines} WHERE NOT (result = 'done' OR result = 'skipped'"
        " AND message <> '')",
    )
    yield _none(
        database,
        f"{name}: each has exactly one invoice, which is posted",
        f"SELECT 1 FROM {lines} LEFT JOIN account_move AS move"
        " ON move.membri_renewal_id = line.renewal_id"
        " GROUP BY line.id HAVING count(move.id) <> 1 OR NOT bool_and(move.state = 'posted')",
    )
    yield _none(
        database,
        f"{name}: each has exactly one cotisation, pending, of that invoice",
        f"SELECT 1 FROM {lines}"
        " JOIN membri_renewal AS renewal ON renewal.id = line.renewal_id"
        " LEFT JOIN membri_cotisation AS term ON term.renewal_id = renewal.id"
        " GROUP BY renewal.id HAVING count(term.id) <> 1"
        " OR NOT bool_and(term.state = 'pending' AND term.invoice_id = renewal.invoice_id"
        " AND term.id = renewal.new_cotisation_id AND renewal.state = 'approved')",
    )
    yield _none(
        database,
        f"{name}: each invoice is in the sending queue once, and each member was told once",
        f"SELECT 1 FROM {lines}"
        " JOIN membri_renewal AS renewal ON renewal.id = line.renewal_id"
        " JOIN account_move AS move ON move.id = renewal.invoice_id"
        " LEFT JOIN mail_message AS message ON message.model = 'res.partner'"
        " AND message.res_id = renewal.partner_id AND message.body LIKE '%was approved%'"
        " GROUP BY move.id HAVING count(message.id) <> 1 OR move.sending_data IS NULL",
    )
    yield _none(
        database,
        f"{name}: the invoice numbers have no gap and no double",
        "SELECT 1 FROM account_move WHERE membri_invoice_type = 'renewal'"
        " GROUP BY journal_id, sequence_prefix"
        " HAVING max(sequence_number) - min(sequence_number) + 1 <> count(*)"
        " OR count(DISTINCT name) <> count(*)",
    )


def renewed_once(database):
    """Two workers prepared the same renewals."""
    due = (
        "(SELECT term.id, partner.name FROM membri_cotisation AS term"
        " JOIN res_partner AS partner ON partner.id = term.partner_id"
        " WHERE partner.name LIKE 'due-%' AND term.origin = 'import') AS due"
    )
    total = _count(database, f"SELECT 1 FROM {due}")
    yield _none(
        database,
        f"generated: each of {total} terms has exactly one renewal",
        f"SELECT 1 FROM {due} LEFT JOIN membri_renewal AS renewal"
        " ON renewal.cotisation_id = due.id GROUP BY due.id HAVING count(renewal.id) <> 1",
    )
    yield _none(
        database,
        "generated: each notice went out once, with one email",
        f"SELECT 1 FROM {due} JOIN membri_renewal AS renewal ON renewal.cotisation_id = due.id"
        " LEFT JOIN mail_message AS message ON message.model = 'membri.renewal'"
        " AND message.res_id = renewal.id AND message.subtype_id = (SELECT res_id"
        " FROM ir_model_data WHERE module = 'membri_renewal' AND name = 'mt_notice')"
        " LEFT JOIN mail_mail AS mail ON mail.mail_message_id = message.id"
        " WHERE due.name LIKE 'due-notice%' GROUP BY renewal.id"
        " HAVING count(DISTINCT message.id) <> 1 OR count(DISTINCT mail.id) <> 1"
        " OR NOT bool_and(renewal.state = 'sent')",
    )
    yield _none(
        database,
        "generated: each invoice at once was made once",
        f"SELECT 1 FROM {due} JOIN membri_renewal AS renewal ON renewal.cotisation_id = due.id"
        " LEFT JOIN account_move AS move ON move.membri_renewal_id = renewal.id"
        " WHERE due.name LIKE 'due-invoice%' GROUP BY renewal.id"
        " HAVING count(move.id) <> 1 OR NOT bool_and(renewal.state = 'approved')",
    )
