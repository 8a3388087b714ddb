"""What is due in the queues, what is told of a part that came, and the early-payment discount."""

from lost import Queues, verdict
from members import plan

EARLY = 12
DISCOUNT = 2
# of an approved renewal: what is open on its invoice, where that is for one member
DUE = """
    SELECT r.id
      FROM membri_renewal r
      JOIN account_move m ON m.id = r.invoice_id
     WHERE r.company_id = %s AND r.state = 'approved' AND m.state = 'posted'
       AND (SELECT count(DISTINCT item.membri_cotisation_id) FROM account_move_line item
             WHERE item.move_id = m.id AND item.membri_cotisation_id IS NOT NULL) = 1
       AND r.amount_due != CASE WHEN r.is_paid THEN 0 ELSE m.amount_residual END
"""


class Money:
    """Payers with an early-payment discount: some take it, some are reminded by hand."""

    def __init__(self, world):
        self.world = world
        self.terms_id = None
        self.taken = set()  # invoices
        self.asked = set()  # of a part whose payer was told, or of whom nobody is

    def work(self, week):
        if not week:
            self._grant()
        self._take()

    def _grant(self):
        """To some of those who will accept, and pay for themselves."""
        with self.world.acting_as("manager") as env:
            terms = env["account.payment.term"].create(
                {
                    "name": "30 jours, 2 % avant 25 jours",
                    "company_id": env.company.id,
                    "early_discount": True,
                    "discount_percentage": DISCOUNT,
                    "discount_days": 25,
                    "early_pay_discount_computation": "included",
                    "line_ids": [(0, 0, {"value": "percent", "value_amount": 100, "nb_days": 30})],
                }
            )
            self.terms_id = terms.id
            waiting = env["membri.renewal"].search(
                [("state", "=", "sent"), ("company_id", "=", env.company.id)], order="id"
            )
            payers = waiting.filtered(
                lambda r: (
                    plan(r.id)[0] == "accept"
                    and r.partner_id._membri_get_payer() == r.partner_id
                    and r.amount_total > 50
                )
            ).partner_id[-EARLY:]
            payers.property_payment_term_id = terms

    def _take(self):
        with self.world.acting_as("accountant") as env:
            invoices = env["account.move"].search(
                [
                    ("invoice_payment_term_id", "=", self.terms_id),
                    ("membri_invoice_type", "!=", False),
                    ("move_type", "=", "out_invoice"),
                    ("state", "=", "posted"),
                    ("payment_state", "=", "not_paid"),
                ]
            )
            for invoice in invoices:
                if not invoice._membri_get_early_payment() or self.world.mishaps.holds(invoice):
                    continue
                if invoice.id % 3:
                    wizard = (
                        env["account.payment.register"]
                        .with_context(active_model="account.move", active_ids=invoice.ids)
                        .create({})
                    )
                    assert wizard.amount < invoice.amount_total, "the window takes the discount"
                    wizard._create_payments()
                    self.taken.add(invoice.id)
                    self.world.ledger.note("took the discount")
                else:
                    self._remind(invoice.id)

    def _remind(self, invoice_id):
        with self.world.acting_as("officer") as env:
            renewal = env["membri.renewal"].search([("invoice_id", "=", invoice_id)])
            if len(renewal) == 1 and not renewal._get_cannot_reason("send_reminder"):
                renewal.action_send_reminder()
                self.world.ledger.note("reminded of the discount")


def run(env, mishaps, money):
    """Each check yields ``(holds, sentence)``."""
    yield from check_due(env)
    yield from check_parts(env, mishaps)
    yield from check_discounts(env, money)


def check_due(env):
    """The add-on's own column against the books."""
    env.flush_all()
    env.cr.execute(DUE, [env.company.id])
    wrong = [row[0] for row in env.cr.fetchall()]
    yield verdict(wrong, "what is due of each renewal is what is open on its invoice")
    unpaid = Queues(env).renewals["accepted_unpaid"]
    invoices = unpaid.invoice_id.filtered(
        # all whom it serves stand in the queue
        lambda m: m.state == "posted" and m.membri_cotisation_ids.renewal_id <= unpaid
    )
    due = sum(unpaid.filtered(lambda r: r.invoice_id in invoices).mapped("amount_due"))
    is_open = sum(invoices.mapped("amount_residual"))
    yield (
        round(due - is_open, 2) == 0,
        f"due in Accepted but Unpaid: {due:,.2f}, open on these invoices: {is_open:,.2f}",
    )


def check_parts(env, mishaps):
    """Each payer of a part was told, or cannot be."""
    invoices = env["account.move"].browse(mishaps.part_paid)
    untold = [
        move.name
        for move in invoices.filtered(lambda m: m.payment_state == "partial")
        if move.currency_id.compare_amounts(
            move.membri_amount_confirmed, move._membri_get_received()
        )
        and not move._membri_get_unreachable_reason()
    ]
    told = env["mail.mail"].search_count(
        [("membri_kind", "=", "part"), ("res_id", "in", invoices.ids), ("state", "=", "sent")]
    )
    yield verdict(untold, f"{len(invoices)} paid a part, {told} emails told what came and is left")


def check_discounts(env, money):
    wrong = []
    for invoice in env["account.move"].browse(money.taken):
        terms = invoice.membri_cotisation_ids.filtered(lambda c, move=invoice: c.invoice_id == move)
        runs = set(terms.mapped("state")) <= {"scheduled", "active", "expired", "cancelled"}
        if not invoice._membri_is_paid() or invoice.membri_write_off_state or not (terms and runs):
            wrong.append((invoice.name, invoice.payment_state, invoice.membri_write_off_state))
    yield verdict(
        wrong, f"{len(money.taken)} took the early-payment discount: members, without a question"
    )
