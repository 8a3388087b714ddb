"""What becomes of papers that somebody holds: an invoice that is changed after it was sent, one
that is void, credited in part, or paid twice; and a bank that names what asks for no money."""

from datetime import date

from accountant import get_receivable
from lost import Queues, verdict
from slips import is_brought

FIRST_WEEK = 6
EACH = 2
CREDIT = 10
BEFORE_ALL = date(2000, 1, 1)  # a statement sums up what is older than last year
TOLD = ("told", "by_hand", "queued")


class Papers:
    """As ``Mishaps``: by the way that people take, remembered by id."""

    def __init__(self, world):
        self.world = world
        self.changed = set()  # invoices
        self.unseen = set()  # those of them that nobody was asked to send again
        self.void = {}  # how → invoices whose payers have them, and owe nothing
        self.reset = {}  # renewal → invoice; declined at the next visit
        self.merged = {}  # contact that is gone → the one that stays
        self.credited = {}  # invoice → credit note
        self.twice = {}  # invoice → (payment that came again, week)
        self.refunded = {}  # invoice → payer
        self.named = {}  # line of the bank → invoice that it names
        self.named_lately = set()  # since the last night

    def work(self, week):
        if week < FIRST_WEEK:
            return
        self._decline()
        self._change()
        self._void_terms()
        self._end_unpaid()
        self._reset()
        self._merge()
        self._credit_a_part()
        self._pay_twice(week)
        self._refund(week)
        self._name_in_the_bank()

    def _get_invoices(self, env, done):
        """:return: one invoice that its payer has, until there are enough"""
        delivered = ("invoice_id.membri_delivery_state", "=", "delivered")
        unpaid = ("invoice_id.membri_date_sent", "!=", False)
        return self.world.mishaps.open_invoices(env, min(1, EACH - done), delivered, unpaid)

    def _note(self, event):
        self.world.ledger.note(event)

    # ------------------------------------------------------------------
    # Changed after it was sent
    # ------------------------------------------------------------------

    def _change(self):
        """*Reset to Draft*, another text, *Confirm*: it counts as not sent."""
        with self.world.acting_as("accountant") as env:
            for invoice in self._get_invoices(env, len(self.changed)):
                invoice.button_draft()
                invoice.invoice_line_ids[:1].name += " (corrigé)"
                invoice.action_post()
                self.changed.add(invoice.id)
                self._note("changed after it was sent")
                if not is_asked_for(env, invoice):
                    self.unseen.add(invoice.id)

    # ------------------------------------------------------------------
    # Void
    # ------------------------------------------------------------------

    def _remember_void(self, how, invoice):
        self.void.setdefault(how, set()).add(invoice.id)
        self._note(how)

    def _void_terms(self):
        with self.world.acting_as("officer") as env:
            for invoice in self._get_invoices(env, len(self.void.get("term voided", ()))):
                terms = invoice.sudo().membri_cotisation_ids.sudo(False)
                renewals = terms.renewal_id
                terms.action_cancel()
                self.world.officer.refuse(env, renewals, "membri_renewal.refusal_reason_price")
                self._remember_void("term voided", invoice)

    def _end_unpaid(self):
        with self.world.acting_as("officer") as env:
            for invoice in self._get_invoices(env, len(self.void.get("ended unpaid", ()))):
                invoice.sudo().membri_cotisation_ids.renewal_id.sudo(False).action_end_unpaid()
                self._remember_void("ended unpaid", invoice)

    def _reset(self):
        with self.world.acting_as("officer") as env:
            done = len(self.reset) + len(self.void.get("reset then declined", ()))
            for invoice in self._get_invoices(env, done):
                renewal = invoice.sudo().membri_cotisation_ids.renewal_id.sudo(False)
                renewal.action_reset()
                self.reset[renewal.id] = invoice.id
                self._note("reset to be declined")

    def _decline(self):
        with self.world.acting_as("officer") as env:
            for renewal in env["membri.renewal"].browse(list(self.reset)):
                invoice = env["account.move"].browse(self.reset.pop(renewal.id))
                if renewal.state in ("approved", "refused", "cancelled"):
                    continue  # the officer was faster
                self.world.officer.refuse(env, renewal, "membri_renewal.refusal_reason_price")
                self._remember_void("reset then declined", invoice)

    def _merge(self):
        """Two contacts that are one person, each with an invoice for the same days."""
        if self.merged:
            return
        with self.world.acting_as("officer") as env:
            invoices = self.world.mishaps.open_invoices(
                env, 2, ("invoice_id.membri_date_sent", "!=", False)
            )
            if len(invoices) < 2:
                return
            kept, gone = invoices.partner_id
            env["base.partner.merge.automatic.wizard"].create({})._merge(
                (kept | gone).ids, kept, extra_checks=False
            )
            self.merged[gone.id] = kept.id
            self.world.ledger.merged.add(kept.id)
            env.invalidate_all()
            for invoice in invoices.filtered(lambda move: move.state == "cancel"):
                self._remember_void("void by a merge", invoice)

    # ------------------------------------------------------------------
    # Credited, paid twice
    # ------------------------------------------------------------------

    def _credit_a_part(self):
        """A gesture, sent by Odoo's own window."""
        with self.world.acting_as("accountant") as env:
            for invoice in self._get_invoices(env, len(self.credited)):
                wizard = (
                    env["account.move.reversal"]
                    .with_context(active_model="account.move", active_ids=invoice.ids)
                    .create({"journal_id": invoice.journal_id.id, "reason": "Geste"})
                )
                wizard.refund_moves()
                note = wizard.new_move_ids
                (note.invoice_line_ids[1:]).unlink()
                note.invoice_line_ids.write({"quantity": 1, "price_unit": CREDIT})
                note.action_post()
                (get_receivable(invoice) | get_receivable(note)).reconcile()
                action = note.action_send_and_print()
                env[action["res_model"]].with_context(**action["context"]).create(
                    {}
                ).action_send_and_print()
                self.credited[invoice.id] = note.id
                self._note("credited a part")

    def _pay_twice(self, week):
        """By a transfer, and again: the accountant finds no invoice for the second one."""
        with self.world.acting_as("accountant") as env:
            done = len(self.twice) + len(self.refunded)
            for invoice in self._get_invoices(env, done):
                amount = invoice.amount_residual
                self.world.accountant.pay_from_statement(env, invoice, amount)
                payment = self._move_money(env, invoice.partner_id, amount, "inbound")
                self.twice[invoice.id] = payment.id, week
                self._note("paid twice")

    def _refund(self, week):
        """A month later, at their wish."""
        with self.world.acting_as("accountant") as env:
            for invoice_id, (payment_id, since) in list(self.twice.items()):
                if week - since < 4:
                    continue
                payment = env["account.payment"].browse(payment_id)
                refund = self._move_money(env, payment.partner_id, payment.amount, "outbound")
                (get_receivable(payment.move_id) | get_receivable(refund.move_id)).reconcile()
                self.refunded[invoice_id] = payment.partner_id.id
                del self.twice[invoice_id]
                self._note("refunded")

    def _move_money(self, env, partner, amount, kind):
        journal = env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1
        )
        payment = env["account.payment"].create(
            {
                "partner_id": partner.id,
                "partner_type": "customer",
                "payment_type": kind,
                "amount": amount,
                "journal_id": journal.id,
                "date": env.company._membri_today(),
            }
        )
        payment.action_post()
        if not payment.move_id:
            payment._generate_journal_entry()
            payment.move_id.action_post()
        return payment

    def _name_in_the_bank(self):
        """A transfer that names what is paid, and one that names what is void."""
        self.named_lately = set()
        with self.world.acting_as("accountant") as env:
            paid = env["account.move"].search(
                [
                    ("membri_invoice_type", "!=", False),
                    ("move_type", "=", "out_invoice"),
                    ("payment_state", "=", "paid"),
                    ("company_id", "=", env.company.id),
                    ("id", "not in", list(self.named.values())),
                ],
                order="id desc",
                limit=EACH,
            )
            void = env["account.move"].browse(
                [
                    invoice_id
                    for invoices in self.void.values()
                    for invoice_id in sorted(invoices)
                    if invoice_id not in self.named.values()
                ]
            )
            done = len(self.named)
            chosen = paid[: max(0, EACH - done)] | void[: max(0, 2 * EACH - done)][:1]
            for invoice in chosen:
                line = self.world.accountant.enter_line(env, invoice, invoice.amount_total)
                self.named[line.id] = invoice.id
                self.named_lately.add(line.id)
                self._note("transfers that name a settled invoice")


def is_asked_for(env, invoice):
    """:return: whether the queue of failed emails shows an invoice that is to be sent again"""
    return (
        invoice.sudo().membri_cotisation_ids.renewal_id
        <= Queues(env(su=True)).renewals["send_failed"]
    )


def run(env, papers):
    """Each check yields ``(holds, sentence)``."""
    yield from check_changed(env, papers)
    yield from check_void(env, papers)
    yield from check_credited(env, papers)
    yield from check_twice(env, papers)
    yield from check_named(env, papers)


def check_changed(env, papers):
    invoices = env["account.move"].browse(papers.changed)
    unsent = [invoice.name for invoice in invoices if not is_brought(env, invoice)]
    old = invoices.filtered(  # what is void since keeps what its payer has
        lambda move: move.state == "posted" and move.is_move_sent and move.membri_version_sent
    )
    yield verdict(
        [*papers.unseen, *unsent, *old.mapped("name")],
        f"{len(invoices)} invoices were changed after they were sent: each stood in Failed Emails "
        "and was sent again",
    )


def check_void(env, papers):
    wrong = []
    for how, ids in papers.void.items():
        for invoice in env["account.move"].browse(ids):
            sent = env["mail.mail"].search_count(
                [
                    ("model", "=", "account.move"),
                    ("res_id", "=", invoice.id),
                    ("membri_kind", "=", "released"),
                    ("state", "=", "sent"),
                ]
            )
            by_hand = invoice.membri_released_state == "by_hand"
            if invoice.state != "cancel" or not (sent or (by_hand and invoice.activity_ids)):
                wrong.append((how, invoice.name, invoice.state, invoice.membri_released_state))
    listed = ", ".join(f"{len(ids)} {how}" for how, ids in sorted(papers.void.items()))
    yield verdict(wrong, f"void ({listed}): each payer was told that there is nothing to pay")


def check_credited(env, papers):
    wrong = []
    for invoice_id, note_id in papers.credited.items():
        invoice, note = env["account.move"].browse((invoice_id, note_id))
        mails = env["mail.mail"].search(
            [("model", "=", "account.move"), ("res_id", "=", note.id), ("state", "=", "sent")]
        )
        own = [mail for mail in mails if invoice.name in (mail.body_html or "")]
        if not own:
            wrong.append((note.name, "nobody was told", note.membri_delivery_state))
        unsettled = not invoice._membri_is_paid() and not invoice._membri_is_void()
        if unsettled and not any(r.amount_due for r in invoice.membri_cotisation_ids.renewal_id):
            wrong.append((invoice.name, "nothing is due"))
    yield verdict(
        wrong, f"{len(papers.credited)} credit notes of a part: each email names its invoice"
    )


def check_twice(env, papers):
    wrong = []
    for invoice_id, partner_id in papers.refunded.items():
        invoice = env["account.move"].browse(invoice_id)
        partner = env["res.partner"].browse(partner_id)
        amount = invoice.amount_total
        for section in partner._membri_get_statement(date_from=BEFORE_ALL):
            amounts = [round(entry["amount"], 2) for entry in section["entries"]]
            whole = section["opening"] + sum(amounts) - section["balance"]
            owed = section["total"] - section["unused"] - section["balance"]
            shown = amounts.count(round(-amount, 2)) >= 2 and amounts.count(round(amount, 2)) >= 2
            if not shown or round(whole, 2) or round(owed, 2):
                wrong.append((partner.name, amounts, section["balance"]))
        if not invoice._membri_is_paid():
            wrong.append((invoice.name, invoice.payment_state))
    yield verdict(
        wrong,
        f"{len(papers.refunded)} paid twice and refunded: members, and the statement shows both",
    )
    listed = env["account.move.line"].search([("membri_is_unused", "=", True)]).move_id
    payments = env["account.payment"].browse(payment for payment, _week in papers.twice.values())
    yield verdict(
        (payments.move_id - listed).mapped("name"),
        f"{len(payments)} paid twice lately: in Payments to Allocate",
    )


def check_named(env, papers):
    question = env.ref("membri_renewal.activity_unused_payment")
    lines = env["account.bank.statement.line"].browse(papers.named.keys() - papers.named_lately)
    wrong = [
        (line.payment_ref, papers.named[line.id])
        for line in lines
        if question
        not in env["account.move"].browse(papers.named[line.id]).activity_ids.activity_type_id
    ]
    yield verdict(
        wrong, f"{len(lines)} bank lines name a paid or void invoice: the officer is asked"
    )
