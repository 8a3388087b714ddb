"""The accountant books what the members pay: by payment, by bank statement, in two parts."""

import random


class Accountant:
    def __init__(self, world):
        self.world = world

    def work(self, week):
        with self.world.acting_as("accountant") as env:
            invoices = env["account.move"].search(
                [
                    ("membri_invoice_type", "!=", False),
                    ("move_type", "=", "out_invoice"),
                    ("state", "=", "posted"),
                    ("payment_state", "in", ("not_paid", "partial")),
                    ("company_id", "=", env.company.id),
                ]
            )
            mishaps = self.world.mishaps
            for invoice in invoices:
                if (
                    mishaps.holds(invoice)
                    or self.world.cast.holds(invoice.partner_id)
                    or invoice.sudo()._membri_get_charge_planned_reason()
                ):
                    continue
                if invoice.payment_state == "partial":
                    self._pay_the_rest(env, invoice, week)
                    continue
                dice = random.Random(invoice.id)
                delay, way = dice.randint(0, 7), dice.random()
                if way < 0.07 or week - self.world.ledger.first_seen(invoice, week) < delay:
                    continue  # a few never pay
                if way < 0.5:
                    self._register(env, invoice)
                elif way < 0.85:
                    self.pay_from_statement(env, invoice, invoice.amount_residual)
                else:
                    part = invoice.currency_id.round(invoice.amount_residual * 0.6)
                    self.pay_from_statement(env, invoice, part)
                    # every third never pays the rest
                    mishaps.part_paid[invoice.id] = week, invoice.id % 3 != 0
                    self.world.ledger.note("paid a part")
                    continue
                self.world.ledger.note("paid")

    def _pay_the_rest(self, env, invoice, week):
        """When reminders have spoken of it for a while."""
        since, pays = self.world.mishaps.part_paid.get(invoice.id, (0, True))
        if pays and week - since >= 10:
            self.pay_from_statement(env, invoice, invoice.amount_residual)
            self.world.ledger.note("paid the rest")

    def _register(self, env, invoice):
        env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({})._create_payments()

    def enter_line(self, env, invoice, amount):
        """:return: a line of the bank statement that names ``invoice``; nobody has matched it"""
        journal = env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1
        )
        return env["account.bank.statement.line"].create(
            {
                "journal_id": journal.id,
                "date": invoice.company_id._membri_today(),
                "payment_ref": invoice.payment_reference or invoice.name,
                "partner_id": invoice.commercial_partner_id.id,
                "amount": amount,
            }
        )

    def pay_from_statement(self, env, invoices, amount):
        """A line of the bank statement, matched with invoices of one payer."""
        line = self.enter_line(env, invoices[0], amount)
        receivable = get_receivable(invoices)
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = receivable.account_id
        (suspense + receivable).reconcile()


def get_receivable(moves):
    """:return: what is open of these entries: of an invoice, each part of its payment terms"""
    return moves.line_ids.filtered(
        lambda item: item.account_id.account_type == "asset_receivable" and not item.reconciled
    )
