"""Is anybody lost, or was somebody told what is not true? Each check yields ``(holds,
sentence)``, and asks the database, not the diary."""

from datetime import timedelta

TWO_INVOICES = """
    WITH living AS (
        SELECT DISTINCT m.id, c.partner_id, daterange(c.date_start, c.date_end, '[]') AS days
          FROM account_move m
          JOIN account_move_line item ON item.move_id = m.id
          JOIN membri_cotisation c ON c.id = item.membri_cotisation_id
         WHERE m.company_id = %s AND m.state = 'posted' AND m.move_type = 'out_invoice'
           AND m.payment_state != 'reversed'
           AND COALESCE(m.membri_write_off_state, '') != 'ended')
    SELECT a.id, b.id FROM living a
      JOIN living b ON b.partner_id = a.partner_id AND b.id > a.id AND b.days && a.days
"""
# receipts that were given out while no money is there for them
RECEIPTS = """
    SELECT id FROM account_move
     WHERE company_id = %s AND membri_date_receipt_sent IS NOT NULL
       AND (state != 'posted' OR payment_state NOT IN ('paid', 'in_payment')
            OR membri_amount_received <= 0 OR membri_write_off_state = 'to_decide')
"""
LOOSE_MONEY = """
    SELECT item.id FROM account_move_line item
      JOIN account_move move ON move.id = item.move_id
      JOIN account_account account ON account.id = item.account_id
     WHERE move.company_id = %s AND move.state = 'posted' AND move.date >= %s
       AND account.account_type = 'asset_receivable'
       AND item.credit > 0 AND item.amount_residual != 0
"""


def run(env, ledger, inbox, mishaps):
    queues = Queues(env)
    yield from check_terms(env, ledger, queues)
    yield from check_documents(env, queues)
    yield from check_payments(env, ledger)
    yield from check_mails(inbox)
    yield from check_archived(env, mishaps, queues)
    yield from check_bounced(env, mishaps, queues)
    yield from check_taken_back(env, mishaps)
    yield from check_written_off(env, mishaps)
    yield from check_part_paid(env, mishaps, inbox, queues)


class Queues:
    """What stands in a queue that the officer sees, or waits as an activity of somebody."""

    def __init__(self, env):
        self.env = env
        self.renewals = {
            dashboard.code: env["membri.renewal"].search(dashboard._get_domain())
            # everything that is open stands in this one: it proves nothing
            for dashboard in env["membri.dashboard"].search(
                [("code", "not in", ("all_open", False))]
            )
        }
        self.seen = env["membri.renewal"].union(*self.renewals.values())
        today = env.company._membri_today()
        # the member's turn: the next reminder, or the first week, has its day
        self.scheduled = env["membri.renewal"].search(
            [
                ("company_id", "=", env.company.id),
                ("state", "in", ("sent", "approved")),
                ("delivery_state", "=", "delivered"),
                "|",
                ("date_next_reminder", ">", today),
                ("date_sent", ">=", today - timedelta(days=7)),
            ]
        )

    def has_activity(self, records):
        return bool(
            self.env["mail.activity"].search_count(
                [("res_model", "=", records._name), ("res_id", "in", records.ids)], limit=1
            )
        )

    def shows(self, renewal):
        return renewal in self.seen | self.scheduled or self.has_activity(renewal)


def verdict(offenders, sentence):
    return not offenders, sentence + (f" (but {list(offenders)[:5]})" if offenders else "")


def check_terms(env, ledger, queues):
    """Every member whose term ended since the first day."""
    terms = env["membri.cotisation"].search(
        [
            ("company_id", "=", env.company.id),
            ("state", "=", "expired"),
            ("date_end", ">=", ledger.first_day),
        ]
    )
    lost = [term.name for term in terms if not is_settled(term, queues)]
    yield verdict(lost, f"{len(terms)} terms ended, and each member is settled or in a queue")
    held = env["membri.renewal"].search(
        [("company_id", "=", env.company.id), ("state", "=", "intervention")]
    )
    yield verdict(
        held.filtered(lambda r: not r.intervention_reason).mapped("name"),
        f"{len(held)} renewals wait for the staff, each with its reason",
    )


def is_settled(term, queues):
    renewals = term.renewal_ids.filtered(lambda r: r.state != "cancelled")
    later = term.partner_id.membri_cotisation_ids.filtered(
        lambda c: c.date_start > term.date_start and c.state in ("scheduled", "active", "expired")
    )
    if later or term.date_terminated or "refused" in renewals.mapped("state"):
        return True
    if not renewals and term.renewal_ids:  # the officer's decision: nobody is asked again
        return True
    return any(queues.shows(renewal) for renewal in renewals)


def check_documents(env, queues):
    """Every membership invoice that is open."""
    invoices = env["account.move"].search(
        [
            ("company_id", "=", env.company.id),
            ("membri_invoice_type", "!=", False),
            ("move_type", "=", "out_invoice"),
            ("state", "=", "posted"),
        ]
    )
    unpaid = invoices.filtered(
        lambda m: (
            not m._membri_is_paid()
            and not m._membri_is_void()
            and m.membri_write_off_state != "ended"  # written off, and the membership with it
        )
    )
    env.flush_all()
    aged = env["membri.aged"].search([("move_id", "in", unpaid.ids)]).move_id
    lost = []
    for invoice in unpaid:
        renewals = invoice.membri_cotisation_ids.renewal_id
        seen = any(queues.shows(renewal) for renewal in renewals if renewal.is_open)
        # an enrolment has no renewal: it stands in the accountant's list
        if not (seen or queues.has_activity(invoice) or (not renewals and invoice in aged)):
            lost.append(invoice.name)
    yield verdict(lost, f"{len(unpaid)} open invoices, each in a queue or on somebody's list")
    undelivered = [
        invoice.name
        for invoice in unpaid
        if invoice.membri_delivery_state in ("failed", "unreachable", "letter")
        and not queues.has_activity(invoice)
        and not any(
            renewal in queues.seen or queues.has_activity(renewal)
            for renewal in invoice.membri_cotisation_ids.renewal_id
        )
    ]
    yield verdict(undelivered, "no open invoice that did not arrive is out of sight")
    env.cr.execute(TWO_INVOICES, [env.company.id])
    twice = [
        pair
        for pair in env.cr.fetchall()
        if not queues.has_activity(env["account.move"].browse(pair))
    ]
    yield verdict(twice, "no two living invoices bill one member for the same days unseen")


def check_payments(env, ledger):
    env.cr.execute(LOOSE_MONEY, [env.company.id, ledger.first_day])
    loose = {row[0] for row in env.cr.fetchall()}
    listed = env["account.move.line"].search([("membri_is_unused", "=", True)])
    yield verdict(loose - set(listed.ids), "no payment lies about out of sight")
    env.cr.execute(RECEIPTS, [env.company.id])
    yield verdict([row[0] for row in env.cr.fetchall()], "every receipt certifies money that came")


def check_mails(inbox):
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(inbox.kinds.items()))
    for sentence, offenders in inbox.untrue.items():
        yield verdict(offenders, sentence)
    yield bool(inbox.kinds), f"the mails, by what they are: {counts}"


def check_archived(env, mishaps, queues):
    if not mishaps.archived:
        return
    partners = env["res.partner"].with_context(active_test=False).browse(mishaps.archived)
    gone = partners.filtered(lambda partner: not partner.active)
    lost = [partner.name for partner in gone if not is_held(partner, queues)]
    yield verdict(
        lost,
        f"{len(gone)} of {len(partners)} archived members are held, each in front of the officer",
    )


def is_held(partner, queues):
    """:return: whether what an archived contact still has is in front of the officer"""
    renewals = queues.env["membri.renewal"].search(
        [("company_id", "=", queues.env.company.id), ("partner_id", "=", partner.id)]
    )
    if waiting := renewals.filtered("is_open"):
        held = waiting.filtered(lambda r: r.state == "intervention" and r.is_held_archived)
        return queues.has_activity(waiting) and waiting <= (
            held | queues.renewals["accepted_unpaid"]
        )
    living = partner.membri_cotisation_ids.filtered(
        lambda c: c.state in ("pending", "scheduled", "active")
    )
    return not living or "refused" in renewals.mapped("state") or queues.has_activity(partner)


def check_bounced(env, mishaps, queues):
    invoices = env["account.move"].browse(mishaps.bounced)
    unpaid = invoices.filtered(lambda m: not m._membri_is_paid() and not m._membri_is_void())
    lost = [
        invoice.name
        for invoice in unpaid
        if not any(queues.shows(r) for r in invoice.membri_cotisation_ids.renewal_id)
        and not queues.has_activity(invoice)
    ]
    missed = set(mishaps.bounced) - mishaps.seen_bounced
    yield verdict(
        [*lost, *missed],
        f"{len(invoices)} invoices bounced: each went to another address, or to its queue",
    )


def check_taken_back(env, mishaps):
    invoices = env["account.move"].browse(mishaps.taken_back)
    wrong = []
    for invoice in invoices:
        terms = invoice.invoice_line_ids.membri_cotisation_id
        linked = terms.filtered(
            lambda c, invoice=invoice: c.state != "cancelled" and c.invoice_id == invoice
        )
        if not linked and not invoice._membri_is_void() and not invoice.activity_ids:
            wrong.append(invoice.name)
    yield verdict(
        wrong,
        f"{len(invoices)} credit notes taken back: one living invoice each, or a question",
    )


def check_written_off(env, mishaps):
    wrong = []
    question = env.ref("membri_renewal.activity_write_off")
    for invoice in env["account.move"].browse(mishaps.written_off):
        large = mishaps.written_off[invoice.id] > env.company.membri_write_off_share / 100
        asked = question in invoice.activity_ids.activity_type_id
        runs = invoice.membri_cotisation_ids.filtered(
            lambda c, invoice=invoice: (
                c.invoice_id == invoice and c.state in ("scheduled", "active", "expired")
            )
        )
        holds = {
            "to_decide": large and asked and not runs,
            "kept": large and not asked and runs,
            "ended": large and not asked and not runs,
            False: not large and runs and not asked,
        }[invoice.membri_write_off_state]
        if not holds:
            wrong.append((invoice.name, invoice.membri_write_off_state))
    yield verdict(
        wrong, f"{len(mishaps.written_off)} write-offs: above the share the officer is asked"
    )


def check_part_paid(env, mishaps, inbox, queues):
    rests = (
        env["account.move"]
        .browse(mishaps.part_paid)
        .filtered(lambda m: m.payment_state == "partial")
    )
    lost = [
        invoice.name
        for invoice in rests
        if not any(
            renewal in queues.renewals["accepted_unpaid"]
            for renewal in invoice.membri_cotisation_ids.renewal_id
        )
        and invoice.membri_cotisation_ids.renewal_id
    ]
    yield verdict(
        lost,
        f"{len(mishaps.part_paid)} paid a part, {len(rests)} still owe the rest and stand in a "
        f"queue; {len(inbox.rests)} reminders spoke of the rest",
    )
    due = rests.filtered(
        lambda m: (
            m.membri_cotisation_ids.renewal_id.option_set_id.reminder_ids.filtered(
                lambda step: step.trigger == "after_due" and step.automatic
            )
            and m._membri_get_due_day() < env.company._membri_today() - timedelta(days=45)
            and not m._membri_get_unreachable_reason()
        )
    )
    # who is sent the invoice itself after that day (a new payer) reads there that it is late
    silent = due.filtered(
        lambda m: (
            "sent" not in m.membri_cotisation_ids.renewal_id.reminder_log_ids.mapped("result")
            and not (m.membri_date_sent and m.membri_date_sent.date() > m._membri_get_due_day())
        )
    )
    yield verdict(silent.mapped("name"), f"{len(due)} rests are long due, and were reminded of")
