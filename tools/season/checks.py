"""Does the season add up? Each check yields ``(holds, sentence)``."""

from collections import Counter
from datetime import timedelta

from ledger import MEMBERS

PAID = ("paid", "in_payment")
CATCH_UP = timedelta(days=60)  # as far back as the night looks for terms that were lost
# a member's term runs today and its invoice, if it has one, is paid, unless its plan gives credit:
# by dates and money alone
ENTITLED = """
    SELECT DISTINCT c.partner_id
      FROM membri_cotisation c
      JOIN membri_option_set s ON s.id = c.option_set_id
 LEFT JOIN account_move m ON m.id = c.invoice_id
     WHERE c.company_id = %(company)s
       AND c.state != 'cancelled'
       AND c.date_start <= %(today)s
       AND (c.date_end IS NULL OR c.date_end >= %(today)s)
       AND (m.id IS NULL OR s.activation = 'approved'
            OR (m.state = 'posted' AND m.payment_state IN ('paid', 'in_payment')
            AND COALESCE(m.membri_write_off_state, 'kept') = 'kept'))
"""
RECEIVABLE = """
    SELECT COALESCE(SUM(item.balance), 0),
           COALESCE(SUM(item.amount_residual), 0),
           COALESCE(SUM((SELECT SUM(part.amount) FROM account_partial_reconcile part
                          WHERE part.debit_move_id = item.id)), 0),
           COALESCE(SUM(item.amount_residual) FILTER (
               WHERE move.payment_state IN ('paid', 'in_payment')), 0)
      FROM account_move_line item
      JOIN account_move move ON move.id = item.move_id
      JOIN account_account account ON account.id = item.account_id
     WHERE move.company_id = %s AND move.state = 'posted'
       AND move.move_type = 'out_invoice' AND move.membri_invoice_type IS NOT NULL
       AND account.account_type = 'asset_receivable'
"""
# sentence: a query that counts offenders
NEVER = {
    "no member has two active terms": """
        SELECT partner_id FROM membri_cotisation
         WHERE state = 'active' AND company_id = %(company)s
      GROUP BY partner_id HAVING count(*) > 1""",
    "no term has two renewals": """
        SELECT cotisation_id FROM membri_renewal
         WHERE state != 'cancelled' AND company_id = %(company)s
      GROUP BY cotisation_id HAVING count(*) > 1""",
    "no member has two renewals for one period": """
        SELECT a.id FROM membri_renewal a
          JOIN membri_renewal b ON b.partner_id = a.partner_id AND b.id > a.id
           AND b.company_id = a.company_id AND b.state NOT IN ('cancelled', 'refused')
           AND daterange(a.date_start, a.date_end, '[]')
            && daterange(b.date_start, b.date_end, '[]')
         WHERE a.company_id = %(company)s AND a.state NOT IN ('cancelled', 'refused')
           AND NOT (a.state = 'approved' AND b.state = 'approved'
                    AND a.partner_id = ANY(%(merged)s))""",
    "no day of a member is in two terms": """
        SELECT a.id FROM membri_cotisation a
          JOIN membri_cotisation b ON b.partner_id = a.partner_id AND b.id > a.id
           AND b.company_id = a.company_id AND b.state != 'cancelled'
           AND daterange(a.date_start, a.date_end, '[]')
            && daterange(b.date_start, b.date_end, '[]')
         WHERE a.company_id = %(company)s AND a.state != 'cancelled'""",
    "no member has two living invoices for one period": """
        SELECT c.id FROM membri_cotisation c
          JOIN account_move_line item ON item.membri_cotisation_id = c.id
          JOIN account_move m ON m.id = item.move_id
         WHERE m.state = 'posted' AND m.move_type = 'out_invoice' AND c.company_id = %(company)s
           AND m.payment_state != 'reversed'
      GROUP BY c.id HAVING count(DISTINCT m.id) > 1""",
    "every renewal's state and facts agree": """
        SELECT r.id FROM membri_renewal r
     LEFT JOIN membri_cotisation c ON c.renewal_id = r.id AND c.state != 'cancelled'
         WHERE r.company_id = %(company)s AND NOT (CASE r.state
               WHEN 'approved' THEN c.id IS NOT NULL AND c.invoice_id = r.invoice_id
               WHEN 'refused' THEN r.refusal_reason_id IS NOT NULL AND r.date_refused IS NOT NULL
                    AND c.id IS NULL
               WHEN 'sent' THEN r.date_sent IS NOT NULL AND c.id IS NULL
               ELSE c.id IS NULL END)""",
    "nobody was reminded after an answer": """
        SELECT log.id FROM membri_reminder_log log
          JOIN membri_renewal r ON r.id = log.renewal_id
          JOIN membri_reminder_step step ON step.id = log.step_id
         WHERE log.result = 'sent' AND step.trigger != 'after_due'
           AND r.company_id = %(company)s AND r.date_answer < log.date""",
    "nobody was reminded after the last payment": """
        SELECT log.id FROM membri_reminder_log log
          JOIN membri_reminder_step step ON step.id = log.step_id
          JOIN membri_renewal r ON r.id = log.renewal_id
          JOIN account_move m ON m.id = r.invoice_id
          JOIN account_move_line item ON item.move_id = m.id
          JOIN account_partial_reconcile part ON part.debit_move_id = item.id
         WHERE log.result = 'sent' AND step.trigger = 'after_due'
           AND r.company_id = %(company)s AND m.payment_state IN ('paid', 'in_payment')
      GROUP BY log.id HAVING max(part.max_date) < log.date::date""",
    "no reminder step was used twice": """
        SELECT renewal_id FROM membri_reminder_log WHERE step_id IS NOT NULL AND uses_step
      GROUP BY renewal_id, step_id, date_due HAVING count(*) > 1""",
    "no term was prepared in vain": """
        SELECT id FROM membri_cotisation
         WHERE company_id = %(company)s AND renewal_error IS NOT NULL""",
    "no mail is stuck in the queue": """
        SELECT id FROM mail_mail
         WHERE state IN ('outgoing', 'exception') AND id > %(last_mail_before)s""",
    "nothing was charged twice to a saved card": """
        SELECT membri_charge_invoice_id FROM payment_transaction
         WHERE state = 'done' AND membri_charge_invoice_id IS NOT NULL
      GROUP BY membri_charge_invoice_id, membri_charge_day HAVING count(*) > 1""",
    "no more was charged to a saved card than is on the invoice": """
        SELECT m.id FROM payment_transaction tx
          JOIN account_move m ON m.id = tx.membri_charge_invoice_id
         WHERE tx.state = 'done' AND m.company_id = %(company)s
      GROUP BY m.id HAVING SUM(tx.amount) > m.amount_total + 0.005""",
    "nothing was charged that was not told ten days before": """
        SELECT r.id FROM payment_transaction tx
          JOIN membri_renewal r ON r.invoice_id = tx.membri_charge_invoice_id
         WHERE tx.state = 'done' AND r.charge_state = 'done' AND r.company_id = %(company)s
           AND (r.date_charge_announced IS NULL
                OR r.date_charge_announced::date > tx.last_state_change::date - 10)""",
    "no invoice waits to be sent": """
        SELECT id FROM account_move
         WHERE company_id = %(company)s AND sending_data IS NOT NULL""",
}


def run(env, ledger, inbox):
    yield from check_members(env, ledger)
    yield from check_money(env)
    states = env["membri.renewal"]._read_group(
        [("company_id", "=", env.company.id)], ["state"], ["__count"]
    )
    total = env["membri.renewal"].search_count([("company_id", "=", env.company.id)])
    listed = ", ".join(f"{count} {state}" for state, count in states)
    yield sum(count for _state, count in states) == total, f"{total} renewals: {listed}"
    yield from check_never(env, ledger)
    yield bool(inbox.links), f"{len(inbox)} mails were delivered, {inbox.pdfs} with a PDF"


def check_never(env, ledger):
    for sentence, query in NEVER.items():
        values = {
            "company": env.company.id,
            "last_mail_before": ledger.last_mail_before,
            "merged": list(ledger.merged),  # both had a history: its terms are what is asked of
        }
        env.cr.execute(query, values)
        offenders = [row[0] for row in env.cr.fetchall()]
        yield not offenders, sentence + (f" (but {offenders[:5]})" if offenders else "")


def check_members(env, ledger):
    """Members at the start, and why each one came or went."""
    before, after = ledger.members_before, ledger.ids(env, MEMBERS)
    partners = env["res.partner"]
    came = Counter(why_came(partner, ledger) for partner in partners.browse(after - before))
    left = Counter(why_left(partner) for partner in partners.browse(before - after))
    sum_came, sum_left = (
        sum(count for reason, count in counts.items() if reason) for counts in (came, left)
    )
    yield (
        len(before) + sum_came - sum_left == len(after),
        f"members: {len(before)} at the start {_list(came, '+')} {_list(left, '−')}"
        f" = {len(after)} at the end",
    )
    env.cr.execute(ENTITLED, {"company": env.company.id, "today": env.company._membri_today()})
    entitled = {row[0] for row in env.cr.fetchall()}
    yield entitled == after, f"by dates and payments alone, {len(entitled)} are members, too"
    wrong = (
        partners.browse(after | before)
        .exists()
        .filtered(lambda partner: (partner.id in after) != (partner.membri_status == "active"))
    )
    yield not wrong, "contacts and cotisations say the same of who is a member"


def _list(reasons, sign):
    return " ".join(
        f"{sign} {count} {reason or 'WITHOUT A REASON'}" for reason, count in reasons.items()
    )


def why_came(partner, ledger):
    term = partner.membri_cotisation_id
    if term.origin == "enrolment":
        return "enrolled"
    if term.renewal_id and term.invoice_id.payment_state in PAID:
        return "renewed late"
    return None


def why_left(partner):
    if not partner.exists():
        return "merged"
    # some are members of the second company, too
    terms, renewals = (
        records.filtered(lambda record: record.company_id == partner.env.company)
        for records in (partner.membri_cotisation_ids, partner.membri_renewal_ids)
    )
    if terms.filtered("date_terminated"):
        return "resigned"
    last = renewals.sorted("id")[-1:]
    if last.state == "refused":
        return "refused"
    if last.state == "approved" and not last.is_paid:
        return "not paid yet"
    if last.is_open:
        return "without an answer yet"
    if last.state == "cancelled":
        return "renewal cancelled by the officer"
    term = terms.sorted("date_start")[-1:]
    paid_on = max(term.invoice_id.line_ids.matched_credit_ids.mapped("max_date"), default=None)
    if paid_on and paid_on > term.date_end + CATCH_UP:
        return "paid long after the end, to be asked again the next night"
    return None


def check_money(env):
    env.cr.execute(RECEIVABLE, [env.company.id])
    invoiced, still_open, settled, open_though_paid = map(float, env.cr.fetchone())
    yield (
        round(invoiced - still_open - settled, 2) == 0,
        f"invoiced {invoiced:,.2f} = paid {settled:,.2f} + open {still_open:,.2f}",
    )
    yield round(open_though_paid, 2) == 0, "nothing is open on invoices that count as paid"
    terms = env["membri.cotisation"].search(
        [("company_id", "=", env.company.id), ("invoice_id", "!=", False)]
    )
    paid = terms.filtered(lambda term: term.invoice_id._membri_is_paid())
    yield (
        not paid.filtered(lambda term: term.state == "pending"),
        f"none of {len(paid)} paid terms still waits for its payment",
    )
    yield (
        not (terms - paid).filtered(
            lambda term: term.state in ("scheduled", "active") and term.activation != "approved"
        ),
        "no term runs unpaid, but on credit",
    )
