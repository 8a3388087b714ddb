"""What goes wrong in a season, or is taken back: a handful of each, every one by the way that
people take (the accountant's windows, the mail gateway, the archive button)."""

from pathlib import Path

from accountant import get_receivable

ADDON = Path(__file__).resolve().parents[2] / "membri_renewal"
HANDFUL = 3
WRITE_OFFS = (0.04, 0.4, 0.4, 0.06)  # shares, around the 5 % that pass without a question
FIRST_WEEK = 4  # the demo's own season has settled
BOUNCE = (ADDON / "tests" / "bounce.eml").read_text()


class Mishaps:
    """Remembers by id what happened to whom: the officer and the accountant leave these alone
    where a story goes on, and the checks ask the database what has become of them."""

    def __init__(self, world):
        self.world = world
        self.part_paid = {}  # invoice → (week, whether the rest is ever paid)
        self.archived = {}  # contact → week
        self.restored = set()
        self.bounced = set()  # invoices
        self.seen_bounced = set()  # those of them that were put where somebody sees them
        self.credited = {}  # invoice → credit note that will be taken back
        self.taken_back = set()  # invoices
        self.written_off = {}  # invoice → share that was written off
        self._used = set()  # contacts: one mishap each

    def work(self, week):
        if week < FIRST_WEEK:
            return
        self._archive(week)
        self._restore(week)
        self._bounce_invoices()
        self._take_credit_notes_back()
        self._credit_by_mistake()
        self._write_off()
        self._decide_write_offs()

    def holds(self, invoice):
        """:return: whether the accountant leaves this invoice alone: its own story goes on"""
        if invoice.id in self.taken_back:
            terms = invoice.sudo().membri_cotisation_ids
            return not terms.filtered(lambda c: c.state != "cancelled" and c.invoice_id == invoice)
        return invoice.id in self.credited

    def _take(self, records, count):
        """:return: up to ``count`` of ``records``, of members who had no mishap yet"""
        taken = records.browse()
        for record in records:
            partner = record.partner_id.id
            if len(taken) < count and partner not in self._used:
                self._used.add(partner)
                taken |= record
        return taken

    def open_invoices(self, env, count, *domain):
        """:return: unpaid membership invoices of one member each, who pays"""
        if count <= 0:
            return env["account.move"]
        # sudo: whose they are is looked up for the story; the accountant does the rest
        renewals = (
            env["membri.renewal"]
            .sudo()
            .search(
                [
                    ("company_id", "=", env.company.id),
                    ("state", "=", "approved"),
                    ("invoice_id.state", "=", "posted"),
                    ("invoice_id.payment_state", "=", "not_paid"),
                    ("invoice_id.amount_total", ">", 50),
                    *domain,
                ],
                order="id",
            )
        )
        own = renewals.filtered(
            lambda r: (
                r.invoice_id.partner_id == r.partner_id
                and len(r.invoice_id.sudo().membri_cotisation_ids) == 1
                and not self.holds(r.invoice_id)
                and not r.invoice_id.matched_payment_ids
            )
        )
        return self._take(own, count).invoice_id.sudo(False)

    # ------------------------------------------------------------------
    # Contacts
    # ------------------------------------------------------------------

    def _archive(self, week):
        """The officer archives members whose notice waits for an answer, and such with a living
        term far from its end."""
        if len(self.archived) >= 2 * HANDFUL or week % 4:
            return
        with self.world.acting_as("officer") as env:
            sent = env["membri.renewal"].search(
                [
                    ("state", "=", "sent"),
                    ("company_id", "=", env.company.id),
                    ("partner_id.user_ids", "=", False),
                ],
                order="id",
            )
            terms = env["membri.cotisation"].search(
                [
                    ("state", "=", "active"),
                    ("company_id", "=", env.company.id),
                    ("renewal_ids", "=", False),
                    ("next_ids", "=", False),
                    ("date_end", "!=", False),
                    ("partner_id.user_ids", "=", False),
                ],
                order="id",
            )
            for records, name in ((sent, "archived while asked"), (terms, "archived as members")):
                alone = records.filtered(
                    lambda record: (
                        not record.partner_id.child_ids
                        and not record.partner_id.parent_id
                        and record.partner_id._membri_get_payer() == record.partner_id
                    )
                )
                partners = self._take(alone, 1).partner_id
                partners.action_archive()
                self.archived.update(dict.fromkeys(partners.ids, week))
                self.world.ledger.note(name, len(partners))

    def _restore(self, week):
        """Every other one comes back after two months."""
        with self.world.acting_as("officer") as env:
            back = [
                partner_id
                for number, (partner_id, since) in enumerate(self.archived.items())
                if number % 4 < 2 and week - since >= 8 and partner_id not in self.restored
            ]
            env["res.partner"].browse(back).action_unarchive()
            self.restored.update(back)
            self.world.ledger.note("restored", len(back))

    # ------------------------------------------------------------------
    # Emails
    # ------------------------------------------------------------------

    def _bounce_invoices(self):
        with self.world.acting_as(None) as env:
            invoices = self.open_invoices(
                env,
                HANDFUL - len(self.bounced),
                ("invoice_id.membri_delivery_state", "=", "delivered"),
                ("invoice_id.membri_delivery_email", "!=", False),
            )
            for invoice in invoices:
                mail = env["mail.mail"].search(
                    [
                        ("model", "=", "account.move"),
                        ("res_id", "=", invoice.id),
                        ("membri_kind", "!=", False),
                        ("state", "=", "sent"),
                    ],
                    order="id desc",
                    limit=1,
                )
                if not mail:
                    continue
                raw = BOUNCE.format(
                    bounce=env.company.bounce_email or "bounce@example.com",
                    number=mail.id,
                    address=invoice.membri_delivery_email,
                    message_id=mail.message_id,
                )
                env["mail.thread"].message_process(None, raw)
                self.bounced.add(invoice.id)
                if invoice.membri_delivery_state in ("queued", "letter", "unreachable"):
                    self.seen_bounced.add(invoice.id)
                self.world.ledger.note("bounced invoices")

    # ------------------------------------------------------------------
    # The accountant's
    # ------------------------------------------------------------------

    def _credit_by_mistake(self):
        """On the wrong line; it is taken back at the next visit, when the officer has approved
        again, or (every other one) at once."""
        done = len(self.credited) + len(self.taken_back)
        with self.world.acting_as("accountant") as env:
            for invoice in self.open_invoices(env, HANDFUL - done):
                wizard = (
                    env["account.move.reversal"]
                    .with_context(active_model="account.move", active_ids=invoice.ids)
                    .create({"journal_id": invoice.journal_id.id, "reason": "Mauvaise ligne"})
                )
                wizard.refund_moves()
                credit_note = wizard.new_move_ids
                credit_note.action_post()
                get_receivable(invoice | credit_note).reconcile()
                self.credited[invoice.id] = credit_note.id
                self.world.ledger.note("credited by mistake")
        for number, invoice_id in enumerate(list(self.credited)):
            if (done + number) % 2 == 0:
                self._take_back(invoice_id)

    def _take_credit_notes_back(self):
        for invoice_id in list(self.credited):
            self._take_back(invoice_id)

    def _take_back(self, invoice_id):
        with self.world.acting_as("accountant") as env:
            credit_note = env["account.move"].browse(self.credited.pop(invoice_id))
            credit_note.button_draft()
            credit_note.button_cancel()
            invoice = env["account.move"].browse(invoice_id)
            assert invoice.payment_state == "not_paid", "the invoice asks for money again"
            self.taken_back.add(invoice_id)
            self.world.ledger.note("credit notes taken back")

    def _write_off(self):
        """A part comes, the rest is written off: a few dollars, or most of it."""
        done = len(self.written_off)
        with self.world.acting_as("accountant") as env:
            expense = env["account.account"].search(
                [
                    *env["account.account"]._check_company_domain(env.company),
                    ("account_type", "=", "expense"),
                ],
                limit=1,
            )
            invoices = self.open_invoices(env, len(WRITE_OFFS) - done)
            for share, invoice in zip(WRITE_OFFS[done:], invoices, strict=False):
                wizard = (
                    env["account.payment.register"]
                    .with_context(active_model="account.move", active_ids=invoice.ids)
                    .create(
                        {
                            "amount": invoice.currency_id.round(
                                invoice.amount_residual * (1 - share)
                            ),
                            "payment_difference_handling": "reconcile",
                            "writeoff_account_id": expense.id,
                        }
                    )
                )
                wizard._create_payments()
                self.written_off[invoice.id] = share
                self.world.ledger.note("written off")

    def _decide_write_offs(self):
        """One membership stands, one does not, one question waits."""
        with self.world.acting_as("officer") as env:
            for number, invoice_id in enumerate(self.written_off):
                invoice = env["account.move"].browse(invoice_id)
                if invoice.membri_write_off_state != "to_decide":
                    continue
                if number == 1:
                    invoice.action_membri_keep_membership()
                    self.world.ledger.note("written off and kept")
                elif number == 2:
                    invoice.action_membri_end_membership()
                    self.world.ledger.note("written off and ended")
