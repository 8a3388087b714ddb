from odoo import models
from odoo.tools import format_amount

from ..cotisation.cotisation import PAID_STATES, TRANSFER
from ..mixins.formats import end_once
from ..mixins.thread import log_once


class AccountMove(models.Model):
    """What a membership invoice has come to: paid, void, or with some money on it."""

    _inherit = "account.move"

    def _membri_get_settling_moves(self):
        """Return the payments, statement lines and credit notes that this invoice is
        reconciled with."""
        return self.line_ids.matched_credit_ids.credit_move_id.move_id

    def _membri_is_settled_by_credit(self):
        """Odoo calls an invoice “reversed” also when the credit note of *another* invoice
        settles it: then the member's credit has paid it."""
        self.ensure_one()
        return self.payment_state == "reversed" and any(
            move.reversed_entry_id not in (self.browse(), self)
            for move in self._membri_get_settling_moves()
        )

    def _membri_is_reversed_but_for_free(self):
        """Odoo calls a shared invoice “reversed” when the credit notes of some members settle
        it, although others, whose part costs nothing, are still on it."""
        self.ensure_one()
        if self.payment_state != "reversed":
            return False
        move_sudo = self.sudo()  # the terms of others are no business of the reader's
        credit_notes_sudo = move_sudo.reversal_move_ids.filtered(lambda m: m.state == "posted")
        credited_sudo = credit_notes_sudo.invoice_line_ids.membri_cotisation_id
        kept_sudo = move_sudo.invoice_line_ids.filtered(
            lambda line: (
                line.membri_cotisation_id and line.membri_cotisation_id not in credited_sudo
            )
        )
        return bool(credited_sudo and kept_sudo) and self.currency_id.is_zero(
            sum(kept_sudo.mapped("price_total"))
        )

    def _membri_is_paid(self):
        """Return whether nothing is left to pay, nothing was taken back, and no more was
        written off than passes without asking. A paid invoice that is reset to draft keeps
        its payment state: its own state counts too."""
        return self.state == "posted" and (
            (
                self.payment_state in PAID_STATES
                and self._membri_is_covered()
                and (self.membri_write_off_state == "kept" or not self._membri_is_written_off())
            )
            or self._membri_is_settled_by_credit()
            or self._membri_is_reversed_but_for_free()
        )

    def _membri_is_covered(self):
        """Payments without journal entry leave the residual of the invoice as it is, and Odoo
        calls it in payment with the first of them, be it for a part only.

        :return: whether such payments, where there are any, are enough together"""
        self.ensure_one()
        if self.currency_id.is_zero(self.amount_residual):
            return True
        # sudo: payments are the accountants'; a yes or no
        payments = self.sudo()._membri_get_unbooked_payments()
        if not payments:
            return True
        # one payment may be for several invoices
        invoices_sudo = self.sudo() | payments.invoice_ids
        day = self.company_id._membri_today()
        due = sum(
            invoice.currency_id._convert(
                invoice.amount_residual, self.currency_id, self.company_id, day
            )
            for invoice in invoices_sudo
        )
        paid = sum(
            payment.currency_id._convert(payment.amount, self.currency_id, self.company_id, day)
            for payment in payments
        )
        return self.currency_id.compare_amounts(paid, due) >= 0

    def _membri_get_unbooked_payments(self):
        """Return the payments without journal entry that count for what is open: as in Odoo's
        own reading, what the bank has confirmed counts until it is reconciled, from then on
        it is missing in the residual."""
        reconciled = bool(self._membri_get_settling_moves())
        return self.matched_payment_ids.filtered(
            lambda payment: (
                not payment.move_id
                and (payment.state == "in_process" or (payment.state == "paid" and not reconciled))
            )
        )

    def _membri_is_void(self):
        """:return: whether the whole invoice was cancelled or credited: it takes no money"""
        return self.state == "cancel" or (
            self.payment_state == "reversed"
            and not self._membri_is_settled_by_credit()
            and not self._membri_is_reversed_but_for_free()
        )

    def _membri_has_money(self):
        """Return whether anything was paid, or is being paid, on this invoice; what was written
        off is none, and nobody can refund it."""
        self.ensure_one()
        if self.currency_id.is_zero(self.amount_total):
            return False
        if self._membri_get_unbooked_transactions() or self._membri_is_settled_by_credit():
            return True
        if self.payment_state in PAID_STATES:
            return not self._membri_is_only_written_off()
        # a gesture on the invoice itself is no money
        return (
            self.payment_state == "partial"
            and any(move.reversed_entry_id != self for move in self._membri_get_settling_moves())
            and not self._membri_is_only_written_off()
        )

    def _membri_is_only_written_off(self):
        """:return: whether something of this invoice was written off, and nothing came for it"""
        self.ensure_one()
        return not self.company_currency_id.is_zero(self.membri_amount_written_off) and not any(
            entry["kind"] in ("money", "offset")
            or (entry["kind"] == "credit" and entry["move"].reversed_entry_id != self)
            for entry in self._membri_get_settlements()
        )

    def _membri_get_written_off_obstacle(self):
        """Return why this invoice cannot be voided (a sentence): it was written off, and the
        entry of that would be left over; or ``False``."""
        self.ensure_one()
        if not self._membri_is_only_written_off():
            return False
        names = {
            "amount": self.currency_id.format(self._membri_get_written_off()),
            "invoice": self._membri_get_document_label(),
        }
        if self.membri_write_off_state == "to_decide":
            return self.env._(
                "%(amount)s of %(invoice)s was written off. Open the invoice and choose “Keep "
                "Membership” or “End Membership”.",
                **names,
            )
        return self.env._(
            "%(amount)s of %(invoice)s was written off. Reverse the write-off in Invoicing first.",
            **names,
        )

    def _membri_get_unbooked_transactions(self):
        """Return online payments that are under way, or done and not booked yet; not the
        transfers that somebody may make, for which nobody would wait for ever."""
        under_way = self.transaction_ids.filtered(lambda tx: tx._membri_is_under_way())
        return under_way - self._membri_get_promised_transfers()

    def _membri_get_promised_transfers(self):
        """:return: transactions of who chose to pay by bank transfer: no money, but a word"""
        # sudo: providers are the administrators'
        return self.transaction_ids.filtered(
            lambda tx: tx.state == "pending" and tx.sudo().provider_id.code == TRANSFER
        )

    def _membri_get_payments_under_way(self):
        """Return payments of this invoice that no journal entry has settled it with yet, drafts
        among them: their money is on its way. What is booked, be it a part, is not among them.
        More than those that count (``_membri_get_unbooked_payments``)."""
        self.ensure_one()
        reconciled = bool(self._membri_get_settling_moves())
        return self.matched_payment_ids.filtered(
            lambda payment: (
                (payment.state in ("draft", "in_process") and payment.move_id.state != "posted")
                or (payment.state == "paid" and not payment.move_id and not reconciled)
            )
        )

    def _membri_is_money_under_way(self):
        """Return whether a payment was begun that is not booked: an online one, or one that
        waits for the bank. Booked money is not under way: what is left is to be paid."""
        self.ensure_one()
        return bool(
            self._membri_get_unbooked_transactions() or self._membri_get_payments_under_way()
        )

    def _membri_get_open_parts(self):
        """Return the receivable lines that are not settled; one for each due day of the payment
        terms."""
        self.ensure_one()
        parts = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        return parts.filtered(
            lambda line: not line.currency_id.is_zero(line.amount_residual_currency)
        ).sorted("date_maturity")

    def _membri_get_due_days(self):
        """Return the days on which the parts that are open are due, the earliest first; of what is
        paid, the day on which the first was."""
        self.ensure_one()
        days = {day for day in self._membri_get_open_parts().mapped("date_maturity") if day}
        if days:
            return sorted(days)
        parts = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        days = [day for day in parts.mapped("date_maturity") if day]
        return [min(days, default=self.invoice_date_due)]

    def _membri_get_due_day(self):
        """:return: the first of these days"""
        return self._membri_get_due_days()[0]

    def _membri_void(self):
        """Cancel invoices, or credit them where cancelling is not allowed. The caller has seen
        to it that there is no money on them."""
        for invoice in self.filtered(lambda move: move.state != "cancel"):
            if invoice.state == "draft" or invoice._membri_can_cancel():
                invoice.button_cancel()
            else:
                # an invoice dated by its term may lie ahead
                today = max(invoice.company_id._membri_today(), invoice.invoice_date)
                credit_note = invoice._reverse_moves(
                    [
                        {
                            "date": today,
                            "invoice_date": today,
                            "ref": self.env._("Reversal of %(name)s", name=invoice.name),
                        }
                    ],
                    cancel=True,
                )
                credit_note._membri_queue_credit_notes()
        self._membri_end_delivery()

    def _membri_get_fate_without(self, cotisations):
        """:param cotisations: terms that are to leave this document, for good
        :return: what becomes of it: ``withdraw``, ``cancel``, ``credit``, or ``shared`` where
            others stay on it"""
        self.ensure_one()
        if self.invoice_line_ids.membri_cotisation_id - cotisations:
            return "shared"
        if self.membri_fee_notice_state == "open":
            return "withdraw"
        return "cancel" if self.state == "draft" or self._membri_can_cancel() else "credit"

    def _membri_queue_credit_notes(self):
        """The credit notes that we make by ourselves go to the payers, who have the invoices."""
        self._membri_deliver()

    def _membri_can_cancel(self):
        """Return whether Odoo lets this posted invoice be cancelled: not sealed by a hash,
        not in a period that is locked (also for taxes only), not known to a government."""
        self.ensure_one()
        locks = self._get_violated_lock_dates(self.date, self._affect_tax_report())
        return not locks and not self.need_cancel_request and self._can_be_unlinked()

    # ------------------------------------------------------------------
    # Money on other documents than those that the membership follows
    # ------------------------------------------------------------------

    def _membri_tell_late_money(self, transaction):
        """An online payment that began before its invoice became void went through: the money
        is there, as the payer's credit, and somebody decides."""
        for invoice in self.filtered(lambda m: m.membri_invoice_type and m._membri_is_void()):
            invoice = invoice._membri_as_staff()  # not in the language of who pays
            invoice._membri_ask_officer(
                invoice.env._(
                    "%(amount)s was received online for %(invoice)s, which is cancelled. "
                    "Refund the payment, or use it for the member's next invoice.",
                    amount=format_amount(invoice.env, transaction.amount, transaction.currency_id),
                    invoice=invoice.display_name,
                )
            )

    def _membri_tell_refused_money(self, transaction):
        """The provider reports a payment of a transaction that was cancelled for another one."""
        for invoice in self.filtered("membri_invoice_type"):
            invoice = invoice._membri_as_staff()  # not in the language of who pays
            invoice._membri_ask_officer(
                invoice.env._(
                    "%(provider)s reports a payment of %(amount)s for %(invoice)s "
                    "(%(reference)s) that was cancelled because the payer started another "
                    "one. Nothing was posted. Check with the provider, and refund it if "
                    "it was paid twice.",
                    provider=transaction.provider_id.name,
                    amount=format_amount(invoice.env, transaction.amount, transaction.currency_id),
                    invoice=invoice._membri_get_document_label(),
                    reference=transaction.reference,
                )
            )

    def _membri_tell_surplus(self, transaction):
        """An online payment, or a part of it, found nothing left to pay: two browsers, or a
        document that became smaller while its payer was paying."""
        payment = transaction.payment_id
        surplus = -sum(
            payment.move_id.line_ids.filtered(
                lambda line: line.account_id == payment.destination_account_id
            ).mapped("amount_residual_currency")
        )
        if transaction.currency_id.compare_amounts(surplus, 0.0) <= 0:
            return
        for invoice in self.filtered(lambda m: m.membri_invoice_type and m._membri_is_paid()):
            invoice = invoice._membri_as_staff()  # not in the language of who pays
            invoice._membri_ask_officer(
                invoice.env._(
                    "%(amount)s was received online for %(invoice)s, more than the amount "
                    "due. Refund it, or use it for the member's next invoice.",
                    amount=format_amount(invoice.env, surplus, transaction.currency_id),
                    invoice=invoice.display_name,
                )
            )

    def _membri_tell_refund(self, transaction):
        """Money sent back without a credit note: to Odoo the invoice is still paid. What was
        paid twice and goes back is no business of the membership."""
        # sudo: payments are the accountants'; the officer is told
        payment_sudo = transaction.sudo().source_transaction_id.payment_id
        refunded = abs(transaction.amount)
        for invoice in self.filtered(lambda m: m.membri_invoice_type and not m._membri_is_void()):
            invoice = invoice._membri_as_staff()  # not in the language of who pays
            if invoice._membri_stays_covered(payment_sudo, refunded):
                invoice._message_log(
                    body=invoice.env._(
                        "%(amount)s of a duplicate payment was refunded online. %(invoice)s is "
                        "still paid.",
                        amount=format_amount(invoice.env, refunded, transaction.currency_id),
                        invoice=invoice._membri_get_document_label(),
                    )
                )
                continue
            invoice._membri_ask_officer(
                invoice.env._(
                    "%(amount)s of %(invoice)s was refunded online. If the membership "
                    "ends, credit the invoice: the membership term follows the credit "
                    "note.",
                    amount=format_amount(invoice.env, refunded, transaction.currency_id),
                    invoice=invoice.name,
                )
            )

    def _membri_stays_covered(self, payment_sudo, refunded):
        """Return whether this invoice has its money although ``refunded`` of a payment went
        back: it was paid twice, or too much was paid."""
        self.ensure_one()
        if not payment_sudo.move_id:
            return False
        settled = sum(
            partial.debit_amount_currency
            for partial in payment_sudo.move_id.line_ids.matched_debit_ids
            if partial.debit_move_id.move_id == self
        )
        # sudo: payments are the accountants'; a yes or no
        others_sudo = self.sudo().transaction_ids.payment_id - payment_sudo
        surplus = -sum(
            others_sudo.filtered(lambda p: p.payment_type == "inbound")
            .move_id.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
            .mapped("amount_residual_currency")
        )
        kept = payment_sudo.amount - refunded + surplus
        return self.currency_id.compare_amounts(kept, settled) >= 0

    def _membri_ask_officer(self, note, activity_type="mail.mail_activity_data_todo"):
        """Plan an activity on the invoice; without an officer the chatter has to do.

        :return: the note, as it stands there"""
        self.ensure_one()
        note = end_once(note)
        # sudo: whatever asks, a payer's payment among them, asks in the name of the system
        move_sudo = self.sudo()
        user = move_sudo.company_id._membri_get_assignee() or move_sudo.invoice_user_id
        if not user.active:  # nobody, or somebody who has left
            log_once(move_sudo, note)
        elif note not in move_sudo.activity_ids.mapped("summary"):  # asked once
            move_sudo.activity_schedule(activity_type, summary=note, user_id=user.id)
        return note

    def _membri_get_credit_purpose(self):
        """:return: what these credit notes are for, where somebody has said so (a sentence)"""
        labels = [
            f"{move.name} ({move.ref})"
            for move in self.filtered("ref")
            # “Reversal of: …” alone says nothing
            if not move.ref.endswith(move.reversed_entry_id.name or "")
        ]
        if not labels:
            return ""
        return self.env._("Credit note: %(credit_notes)s.", credit_notes=", ".join(labels))
