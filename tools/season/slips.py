"""What else happens in a season: an invoice that somebody else pays, one that is reversed and
written anew, a transfer that is too high, an officer who leaves, weeks in which nothing runs."""

from lost import Queues, verdict

FIRST_WEEK = 6  # the mishaps have had their members
STILL_WEEKS = (8, 28, 48)  # the scheduled actions stand still for a month around these
HANDFUL = 3
TOO_MUCH = 25


class Slips:
    """As ``Mishaps``: by the way that people take, remembered by id."""

    def __init__(self, world):
        self.world = world
        self.readdressed = {}  # invoice → former payer
        self.replaced = {}  # invoice → the one that replaces it
        self.overpaid = set()  # invoices
        self.colleague = None  # the user who left
        self.renewals_left = set()  # whose officer she was

    def work(self, week):
        if week < FIRST_WEEK:
            return
        self._readdress()
        self._reverse_and_create()
        self._overpay()
        self._hire_and_leave(week)

    def _get_invoices(self, env, count):
        delivered = ("invoice_id.membri_delivery_state", "=", "delivered")
        return self.world.mishaps.open_invoices(env, count, delivered)

    def _readdress(self):
        """*Reset to Draft*, the employer as customer, *Confirm*."""
        with self.world.acting_as(None) as env:
            employer = env["res.partner"].create(
                {
                    "name": f"Employeur {len(self.readdressed) + 1} inc.",
                    "is_company": True,
                    "email": f"employeur{len(self.readdressed) + 1}@paie.example",
                    "lang": "fr_CA",
                    "company_id": env.company.id,
                }
            )
        with self.world.acting_as("accountant") as env:
            count = min(1, HANDFUL - len(self.readdressed))  # one at each visit
            for invoice in self._get_invoices(env, count):
                self.readdressed[invoice.id] = invoice.partner_id.id
                invoice.button_draft()
                invoice.partner_id = employer.id
                invoice.action_post()
                self.world.ledger.note("addressed to another payer")

    def _reverse_and_create(self):
        with self.world.acting_as("accountant") as env:
            count = min(1, HANDFUL - len(self.replaced))
            for invoice in self._get_invoices(env, count):
                wizard = (
                    env["account.move.reversal"]
                    .with_context(active_model="account.move", active_ids=invoice.ids)
                    .create({"journal_id": invoice.journal_id.id, "reason": "Mauvais libellé"})
                )
                wizard.modify_moves()
                [new] = wizard.new_move_ids.filtered(lambda move: move.move_type == "out_invoice")
                new.action_post()
                self.replaced[invoice.id] = new.id
                self.world.ledger.note("reversed and created")

    def _overpay(self):
        with self.world.acting_as("accountant") as env:
            count = min(1, HANDFUL - len(self.overpaid))
            for invoice in self._get_invoices(env, count):
                amount = invoice.amount_residual + TOO_MUCH
                self.world.accountant.pay_from_statement(env, invoice, amount)
                self.overpaid.add(invoice.id)
                self.world.ledger.note("paid too much")

    def _hire_and_leave(self, week):
        """A second officer gets a part of the open renewals, and is archived a month later."""
        with self.world.acting_as(None) as env:
            if not self.colleague:
                officer = env.ref("membri_renewal.demo_user_officer")
                user = officer.copy({"name": "Suppléante", "login": "deputy"})
                user.email = "deputy@cc-riviere-claire.example"
                renewals = env["membri.renewal"].search(
                    [("is_open", "=", True), ("company_id", "=", env.company.id)], limit=20
                )
                renewals.user_id = user
                env["mail.activity"].search(
                    [("res_model", "=", "membri.renewal"), ("res_id", "in", renewals.ids)]
                ).user_id = user
                self.colleague, self.hired = user.id, week
                self.renewals_left = set(renewals.ids)
            elif week == self.hired + 4:
                env["res.users"].browse(self.colleague).action_archive()
                self.world.ledger.note("officer who left")


def run(env, slips):
    """Each check yields ``(holds, sentence)``."""
    yield from check_readdressed(env, slips)
    yield from check_replaced(env, slips)
    yield from check_overpaid(env, slips)
    yield from check_left(env, slips)


def check_readdressed(env, slips):
    wrong = []
    for invoice in env["account.move"].browse(slips.readdressed):
        former = env["res.partner"].browse(slips.readdressed[invoice.id])
        told = env["mail.mail"].search_count(
            [
                ("model", "=", "account.move"),
                ("res_id", "=", invoice.id),
                ("membri_kind", "=", "released"),
                ("state", "=", "sent"),
            ]
        )
        asked = bool(invoice.activity_ids) or invoice._membri_is_paid()
        if not told and not (asked and invoice.membri_released_state == "by_hand"):
            wrong.append((invoice.name, former.name, invoice.membri_released_state))
    yield verdict(
        wrong,
        f"{len(slips.readdressed)} invoices went to another payer: each former one was told",
    )
    invoices = env["account.move"].browse(slips.readdressed)
    unsent = [invoice.name for invoice in invoices if not is_brought(env, invoice)]
    yield verdict(unsent, "and each new one has received it, or it waits in Failed Emails")


def is_brought(env, invoice):
    """:return: whether it was sent, needs no sending any more, or stands in the queue for that"""
    settled = invoice._membri_is_paid() or invoice._membri_is_void()
    waiting = invoice.membri_cotisation_ids.renewal_id <= Queues(env).renewals["send_failed"]
    return bool(invoice.membri_date_sent) or settled or waiting


def check_replaced(env, slips):
    wrong = []
    for old_id, new_id in slips.replaced.items():
        old, new = env["account.move"].browse((old_id, new_id))
        terms = new.membri_cotisation_ids.filtered(lambda term: term.state != "cancelled")
        agrees = terms.invoice_id <= new and terms.renewal_id.invoice_id <= new
        ended = new._membri_is_void()  # given up since
        if not old._membri_is_void() or not ((terms and agrees) or ended):
            wrong.append((old.name, new.name, terms.mapped("state"), new.payment_state))
        elif not is_brought(env, new):
            wrong.append((old.name, new.name, new.membri_delivery_state))
    yield verdict(
        wrong,
        f"{len(slips.replaced)} invoices were reversed and created: the term follows the new "
        "one, which was sent or waits in Failed Emails",
    )


def check_overpaid(env, slips):
    invoices = env["account.move"].browse(slips.overpaid)
    listed = env["account.move.line"].search([("membri_is_unused", "=", True)])
    credits = {
        partner.commercial_partner_id.id
        for partner in listed.partner_id
        if sum(-line.amount_residual for line in listed if line.partner_id == partner) >= TOO_MUCH
    }
    wrong = [
        invoice.name
        for invoice in invoices
        if not invoice._membri_is_paid() or invoice.commercial_partner_id.id not in credits
    ]
    yield verdict(
        wrong, f"{len(invoices)} paid too much: members, and the rest is in Payments to Allocate"
    )


def check_left(env, slips):
    """Nothing waits for an officer who left, and what left since is the other one's."""
    if not slips.colleague:
        return
    user = env["res.users"].browse(slips.colleague)
    waiting = env["mail.activity"].search([("user_id", "=", user.id)])
    renewals = env["membri.renewal"].browse(slips.renewals_left)
    hers = renewals.filtered(lambda r: r.is_open and r._get_officer() == user)
    yield verdict(
        [*waiting.ids, *hers.mapped("name")] if not user.active else [],
        f"an officer left {len(renewals)} renewals behind: nothing waits for her",
    )
