from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount
from odoo.tools.sql import column_exists, create_column

from ..cotisation.cotisation import LIVING_STATES, PAID_STATES

ACTIVITY_WRITE_OFF = "membri_renewal.activity_write_off"
CASH_TYPES = ("asset_cash", "liability_credit_card")
BALANCE_TYPES = ("asset_receivable", "liability_payable")
# the outstanding accounts that a chart of accounts brings, and Odoo takes without another one
OUTSTANDING_REFS = (
    "account_journal_payment_debit_account_id",
    "account_journal_payment_credit_account_id",
)


class AccountMove(models.Model):
    """What settled a membership invoice: money, or something that is none. Receipt,
    reconciliation, statement and activation all ask ``_membri_get_settlements``."""

    _inherit = "account.move"

    membri_write_off_state = fields.Selection(
        [
            ("to_decide", "To Decide"),
            ("kept", "Membership Kept"),
            ("ended", "Membership Ended"),
        ],
        string="Write-Off",
        copy=False,
        readonly=True,
        index="btree_not_null",
        help="Decision made when a large part of the invoice was written off.",
    )

    membri_amount_received = fields.Monetary(
        string="Amount Received",
        compute="_compute_membri_amounts",
        store=True,
        currency_field="company_currency_id",
        help="Payments and bank lines on this membership invoice, less refunds.",
    )
    membri_amount_written_off = fields.Monetary(
        string="Written Off",
        compute="_compute_membri_amounts",
        store=True,
        currency_field="company_currency_id",
        help="Amount settled without a payment, on any account that is neither a bank or cash "
        "account nor another balance of a contact.",
    )

    def _auto_init(self):
        # an accounting database has many entries, and membership invoices come later: nothing
        # to compute for those that are there
        for name, kind in (
            ("membri_amount_received", "numeric"),
            ("membri_amount_written_off", "numeric"),
            ("membri_is_first_part_paid", "boolean"),
        ):
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, kind)
        return super()._auto_init()

    @api.depends(
        "membri_invoice_type",
        "state",
        "payment_state",
        "amount_residual",
        "matched_payment_ids.state",
        "reversal_move_ids.state",
        "reversal_move_ids.amount_residual",
    )
    def _compute_membri_amounts(self):
        for move in self:
            received = written_off = 0.0
            if (
                move.membri_invoice_type
                and move.move_type == "out_invoice"
                and move.state == "posted"
                and move.payment_state != "not_paid"
                and move.amount_total
            ):
                entries = move._membri_get_settlements()
                rate = move.amount_total_signed / move.amount_total
                received = rate * sum(
                    e["amount"] for e in entries if e["kind"] in ("money", "given_back")
                )
                written_off = rate * sum(e["amount"] for e in entries if e["kind"] == "write_off")
            move.membri_amount_received = move.company_currency_id.round(received)
            move.membri_amount_written_off = move.company_currency_id.round(written_off)

    # ------------------------------------------------------------------
    # Money received, credits and write-offs
    # ------------------------------------------------------------------

    def _membri_get_settlements(self):
        """Return what this posted invoice is reconciled with, in order of dates, as a list of
        dicts: ``kind``, ``date``, ``amount`` (in its own currency), ``company_amount`` (what it is
        in the company's, by the rate of its own day), ``payment`` (``account.payment``) and
        ``move``, both possibly empty. The kinds are

        - ``money``: what stands on a bank, cash or outstanding account
        - ``given_back``: money that was refunded since, negative,
        - ``credit``: a credit note, of this invoice or of another one,
        - ``offset``: another balance, as that of a bill or of another contact
        - ``write_off``: everything else: a loss, a doubtful debt, a suspense account
        """
        self.ensure_one()
        move_sudo = self.sudo()  # how a payment is booked is the accountants' business
        entries = []
        for partial in move_sudo._membri_get_receivable_lines().matched_credit_ids:
            entries += move_sudo._membri_split_settlement(
                partial.credit_move_id, partial.debit_amount_currency, partial
            )
        entries += move_sudo._membri_get_unbooked_settlements()
        entries += move_sudo._membri_get_given_back(entries)
        for entry in entries:
            if "company_amount" not in entry:
                entry["company_amount"] = move_sudo.currency_id._convert(
                    entry["amount"],
                    move_sudo.company_currency_id,
                    move_sudo.company_id,
                    entry["date"],
                )
        return sorted(entries, key=lambda entry: entry["date"])

    def _membri_read_settlements(self):
        """Read what ``_membri_get_settlements`` asks of these invoices for all of them at once,
        however many they are."""
        moves_sudo = self.sudo()  # sudo: into the cache, where only the methods here look
        documents = moves_sudo | moves_sudo.reversal_move_ids
        lines = documents.line_ids
        partials = lines.matched_credit_ids | lines.matched_debit_ids
        entries = (partials.credit_move_id | partials.debit_move_id).move_id
        (lines | entries.line_ids).account_id.mapped("account_type")
        entries.statement_line_id.mapped("payment_ref")
        payments = entries.origin_payment_id | moves_sudo.matched_payment_ids
        payments.membri_refund_ids.mapped("state")
        payments.payment_transaction_id.payment_method_id.mapped("name")
        payments.payment_method_line_id.payment_method_id.mapped("name")
        (payments.journal_id | entries.journal_id).mapped("type")

    def _membri_split_written_off(self, payments):
        """Return what Odoo's PDF says that a document was paid by, with names of what is no
        payment: what was written off, and what a credit note was used for.

        :param payments: list of dict, of ``invoice_payments_widget``"""
        self.ensure_one()
        if self.move_type == "out_refund":
            moves_sudo = self.sudo().browse(vals["move_id"] for vals in payments)  # names only
            used = {
                move.id: self.env._("Used for %(invoice)s", invoice=move.name)
                for move in moves_sudo.filtered(lambda move: move.is_invoice())
            }
            return [
                {**vals, "membri_label": used[vals["move_id"]], "membri_undated": True}
                if vals["move_id"] in used
                else vals
                for vals in payments
            ]
        if self.move_type != "out_invoice" or not payments:
            return payments
        written_off = defaultdict(float)
        for entry in self._membri_get_settlements():
            if entry["kind"] == "write_off":
                written_off[entry["move"].id] += entry["amount"]
        label = (
            self.env._("Discount granted on")
            if written_off and self._membri_get_discount_granted()
            else self.env._("Written off on")
        )
        result = []
        for vals in payments:
            if vals["amount"] < 0.0:  # what came back, as OCA's account_payment_return tells it
                result.append({**vals, "membri_label": self.env._("Returned on")})
                continue
            part = min(written_off.pop(vals["move_id"], 0.0), vals["amount"])
            paid = self.currency_id.round(vals["amount"] - part)
            if not self.currency_id.is_zero(paid):
                result.append({**vals, "amount": paid})
            if not self.currency_id.is_zero(part):
                result.append({**vals, "amount": part, "membri_label": label})
        return result

    def _membri_get_received(self):
        """:return: the money that came for this invoice and is still there"""
        return self._membri_sum_settlements("money", "given_back")

    def _membri_get_written_off(self):
        return self._membri_sum_settlements("write_off")

    def _membri_sum_settlements(self, *kinds):
        self.ensure_one()
        entries = self._membri_get_settlements()
        return self.currency_id.round(
            sum(entry["amount"] for entry in entries if entry["kind"] in kinds)
        )

    def _membri_get_receivable_lines(self):
        return self.line_ids.filtered(lambda line: line.account_type in BALANCE_TYPES)

    def _membri_split_settlement(self, line, amount, partial):
        """:param line: the journal item on the other side
        :param amount: what it settles, in the currency of this document
        :param partial: the reconciliation of the two
        :return: list of dicts as of ``_membri_get_settlements``"""
        currency = self.currency_id
        if currency.is_zero(amount):  # an exchange difference
            return []
        entries = []
        left = amount
        worth = partial._membri_get_worth(line)
        shares = line.move_id._membri_get_settlement_shares(line)
        for number, (kind, share) in enumerate(shares.items(), start=1):
            part = left if number == len(shares) else currency.round(amount * share)
            left -= part
            if not currency.is_zero(part):
                entries.append(
                    {
                        "kind": kind,
                        "date": line.date,
                        "amount": part,
                        "company_amount": worth * part / amount,
                        "payment": line.move_id.origin_payment_id,
                        "move": line.move_id,
                    }
                )
        return entries

    def _membri_get_settlement_shares(self, settling):
        """:param settling: the journal item of this entry (a payment, a statement line, a credit
            note or any other) that settles a document
        :return: ``{kind: share}`` of what it settles it with"""
        self.ensure_one()
        if self.is_invoice(include_receipts=True):
            return {"credit": 1.0}
        # a payment out settles a credit note: then all signs are the other way round
        sign = -1.0 if (settling.balance or settling.amount_currency) > 0.0 else 1.0
        others = (self.line_ids - settling).filtered(
            lambda line: (
                line.account_type not in BALANCE_TYPES
                # on the same side: it settles something itself
                or self.company_currency_id.compare_amounts(sign * line.balance, 0.0) > 0
            )
        )
        cash = self._membri_get_cash_lines(others)
        balances = (others - cash).filtered(lambda line: line._membri_is_other_balance(settling))
        parts = {
            "write_off": others - cash - balances,
            "offset": balances,
            "money": cash,
        }
        amounts = {
            kind: amount
            for kind, lines in parts.items()
            if not self.company_currency_id.is_zero(
                amount := max(0.0, sign * sum(lines.mapped("balance")))
            )
        }
        total = sum(amounts.values())
        return {kind: value / total for kind, value in amounts.items()} or {"offset": 1.0}

    def _membri_get_cash_lines(self, lines):
        """Return those of ``lines`` by which money came or went: on bank and cash accounts, or
        on the outstanding accounts of payments."""
        if self.origin_payment_id:
            return self.origin_payment_id._seek_for_lines()[0] & lines
        cash = lines.filtered(lambda line: line.account_type in CASH_TYPES)
        if self.statement_line_id:
            return cash | lines.filtered(
                lambda line: line.account_id == self.statement_line_id.journal_id.default_account_id
            )
        # a payment that was booked by hand
        rest = lines - cash
        outstanding = self.company_id._membri_filter_outstanding(rest.account_id)
        return cash | rest.filtered(lambda line: line.account_id in outstanding)

    def _membri_get_unbooked_settlements(self):
        """Payments without journal entry are not reconciled: they count for what is open, until
        the line of the bank statement takes their place."""
        currency = self.currency_id
        left = self.amount_residual
        entries = []
        for payment in self._membri_get_unbooked_payments():
            invoices = payment.invoice_ids
            day = self.company_id._membri_today()
            due = sum(
                move.currency_id._convert(
                    move.amount_residual, payment.currency_id, self.company_id, day
                )
                for move in invoices
            )
            share = min(1.0, payment.amount / due) if due else 0.0
            amount = min(left, currency.round(self.amount_residual * share))
            if invoices <= self:
                amount = min(
                    left,
                    payment.currency_id._convert(payment.amount, currency, self.company_id, day),
                )
            if currency.compare_amounts(amount, 0.0) > 0:
                left -= amount
                entries.append(
                    {
                        "kind": "money",
                        "date": payment.date,
                        "amount": amount,
                        "payment": payment,
                        "move": self.browse(),
                    }
                )
        return entries

    def _membri_get_given_back(self, entries):
        """:param entries: what came
        :return: what of it went back: on credit notes of this invoice, or by a refund of the
            payment itself, of which what was paid too much goes first"""
        result = []
        for credit_note in self.reversal_move_ids.filtered(lambda move: move.state == "posted"):
            result += [
                {
                    **entry,
                    "kind": "given_back",
                    "amount": -entry["amount"],
                    "company_amount": -entry["company_amount"],
                }
                for entry in credit_note._membri_get_paid_out()
            ]
        booked = {entry["move"] for entry in result}
        payments = self.env["account.payment"].union(
            *(entry["payment"] for entry in entries if entry["kind"] == "money")
        )
        refunds = payments._membri_get_refunds() if payments else {}
        for payment in payments:
            came = sum(e["amount"] for e in entries if e["payment"] == payment)
            for refund, amount in refunds.get(payment, []):
                amount = min(
                    came,
                    payment.currency_id._convert(
                        amount, self.currency_id, self.company_id, refund.date
                    ),
                )
                if refund.move_id not in booked and amount > 0.0:
                    came -= amount
                    result.append(
                        {
                            "kind": "given_back",
                            "date": refund.date,
                            "amount": -amount,
                            "payment": refund,
                            "move": refund.move_id,
                        }
                    )
        return result

    # ------------------------------------------------------------------
    # Write-offs: whether the membership stands
    # ------------------------------------------------------------------

    def _membri_is_written_off(self):
        """:return: whether more of this invoice was written off than the company lets pass"""
        self.ensure_one()
        if not self.membri_invoice_type or self.currency_id.is_zero(self.amount_total):
            return False
        entries = self._membri_get_settlements()
        written_off = sum(e["amount"] for e in entries if e["kind"] == "write_off")
        if self.currency_id.compare_amounts(written_off, 0.0) <= 0:
            return False
        own_credit = sum(
            e["amount"]
            for e in entries
            if e["kind"] == "credit" and e["move"].reversed_entry_id == self
        )
        # sudo: settings and payment terms, for a yes or no
        share = self.company_id.sudo().membri_write_off_share
        term_sudo = self.sudo().invoice_payment_term_id
        if term_sudo.early_discount:  # agreed with the payer
            share = max(share, term_sudo.discount_percentage)
        allowed = self.currency_id.round((self.amount_total - own_credit) * share / 100.0)
        return self.currency_id.compare_amounts(written_off, allowed) > 0

    def _membri_is_write_off_open(self):
        """:return: whether the officer has to say if the membership stands"""
        self.ensure_one()
        return (
            bool(self.membri_invoice_type)
            and self.state == "posted"
            and self.payment_state in PAID_STATES
            and self.membri_write_off_state != "kept"
            and any(
                term.state in LIVING_STATES and term.invoice_id == self
                for term in self._membri_get_cotisations_sudo()
            )
            and self._membri_is_written_off()
        )

    def _membri_ask_about_write_offs(self):
        """Ask the officer of each invoice that was written off, once; take the question and its
        answer back where the write-off is gone."""
        for move in self.filtered(
            lambda m: m.membri_invoice_type and m.move_type == "out_invoice" and m.id
        ):
            if move._membri_is_write_off_open():
                if move.membri_write_off_state != "to_decide":
                    # sudo: facts follow the money, whoever books it
                    move.sudo().membri_write_off_state = "to_decide"
                    move._membri_ask_about_write_off()
            elif move.membri_write_off_state == "to_decide" or (
                move.membri_write_off_state
                and (move.state != "posted" or move.payment_state not in PAID_STATES)
            ):
                move.sudo().membri_write_off_state = False
                move.sudo().activity_unlink([ACTIVITY_WRITE_OFF])

    def _membri_ask_about_write_off(self):
        self.ensure_one()
        user = self.company_id._membri_get_assignee() or self.invoice_user_id
        # sudo: the question is the officer's, whoever wrote it off
        move_sudo = self.sudo().with_context(lang=user.lang or self.env.lang)
        note = move_sudo.env._(
            "%(written_off)s of %(invoice)s (%(payer)s) was written off; received: "
            "%(received)s. Is the membership still valid? Open the invoice and choose "
            "“Keep Membership” or “End Membership”.",
            written_off=format_amount(
                move_sudo.env, self._membri_get_written_off(), self.currency_id
            ),
            invoice=self.name,
            payer=self.partner_id._membri_get_names(),
            received=format_amount(move_sudo.env, self._membri_get_received(), self.currency_id),
        )
        if user.active:
            move_sudo.activity_schedule(ACTIVITY_WRITE_OFF, note=note, user_id=user.id)
        else:
            move_sudo._message_log(body=note)

    def _membri_check_write_off(self):
        self.env["membri.cotisation"].check_access("write")
        for move in self:
            if move.membri_write_off_state != "to_decide":
                raise UserError(
                    self.env._(
                        "There is nothing to decide for %(invoice)s: it has no large "
                        "write-off pending.",
                        invoice=move.display_name,
                    )
                )

    def action_membri_keep_membership(self):
        """The membership stands: what was written off counts as paid.

        :raises UserError: when no write-off is to be decided"""
        self._membri_check_write_off()
        self._membri_decide_write_off(
            "kept",
            self.env._("The membership is kept, although part of this invoice was written off."),
        )
        self._membri_sync()
        return True

    def action_membri_end_membership(self):
        """The membership does not stand: its terms are void, the invoice stays as it is, and
        its renewals go back to the staff.

        :raises UserError: when no write-off is to be decided"""
        self._membri_check_write_off()
        self._membri_decide_write_off(
            "ended", self.env._("The membership is not kept: this invoice was written off.")
        )
        terms_sudo = self._membri_get_cotisations_sudo()
        terms_sudo = terms_sudo.filtered(
            lambda term: term.state in LIVING_STATES and term.invoice_id in self
        )
        renewals = terms_sudo.renewal_id.filtered(lambda r: r.state == "approved").sudo(False)
        by_invoice = renewals.grouped("invoice_id")
        terms_sudo._do_cancel()
        for move, waiting in by_invoice.items():
            for told in waiting._split_by_staff_lang():
                told._do_reopen_for_staff(move.with_env(told.env)._membri_get_ended_reason())
        self._membri_follow_receipts()
        return True

    def _membri_get_ended_reason(self):
        """:return: why the renewals of this invoice wait for the staff, with the money that came"""
        self.ensure_one()
        received = self._membri_get_received()
        if self.currency_id.compare_amounts(received, 0.0) <= 0:
            return self.env._("The invoice was written off.")
        return self.env._(
            "%(invoice)s was written off; received: %(received)s. Credit and refund what was "
            "received, or keep it as income.",
            invoice=self._membri_get_document_label(),
            received=format_amount(self.env, received, self.currency_id),
        )

    def _membri_decide_write_off(self, decision, note):
        # sudo: officers decide on memberships, whatever they may do with invoices
        for move_sudo in self.sudo():
            move_sudo.membri_write_off_state = decision
            move_sudo._message_log(body=note)
            move_sudo.activity_unlink([ACTIVITY_WRITE_OFF])


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def _membri_get_worth(self, line):
        """:param line: the journal item that settles a document
        :return: what it settles it with, in the currency of the company: by the rate of its own
            day, of which the difference to that of the document is booked beside it"""
        self.ensure_one()
        difference = self.exchange_move_id
        if not difference:
            return self.amount
        beside = (line.matched_debit_ids | line.matched_credit_ids).filtered(
            lambda other: difference in (other.debit_move_id | other.credit_move_id).move_id
        )
        return self.amount + sum(beside.mapped("amount"))


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _membri_is_other_balance(self, settling):
        """:param settling: the journal item that settles a document
        :return: whether this one, of the same entry, is another balance between people: a bill, a
            credit of the payer, the debt of another contact; not the same debt on another account,
            as one of doubtful debts"""
        self.ensure_one()
        return (
            self.account_type == "liability_payable"
            or self.account_id == settling.account_id
            or (
                self.account_type == "asset_receivable"
                and bool(self.partner_id)
                and self.partner_id.commercial_partner_id
                != settling.partner_id.commercial_partner_id
            )
        )


class ResCompany(models.Model):
    _inherit = "res.company"

    def _membri_filter_outstanding(self, accounts):
        """Those of ``accounts`` on which money waits for the bank: the outstanding
        accounts of payment methods, those of the chart of accounts, and that of transfers
        between banks"""
        self.ensure_one()
        if not accounts:
            return accounts
        root_sudo = self.sudo().root_id  # sudo: charts and payment methods are the accountants'
        chart_sudo = self.env["account.chart.template"].sudo()
        chart_sudo = chart_sudo.with_context(allowed_company_ids=root_sudo.ids)
        own = accounts.browse(
            account.id
            for name in OUTSTANDING_REFS
            if (account := chart_sudo.ref(name, raise_if_not_found=False))
        )
        methods_sudo = self.env["account.payment.method.line"].sudo()
        groups = methods_sudo._read_group(
            [("payment_account_id", "in", accounts.ids)], ["payment_account_id"]
        )
        used = accounts.browse(account.id for (account,) in groups)
        return accounts & (
            own | used | root_sudo.transfer_account_id | self.sudo().transfer_account_id
        )
