from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_amount

from ..cotisation.cotisation import LIVING_STATES
from ..mixins.formats import end_once, is_said_in

ACTIVITY_UNDONE = "membri_renewal.activity_payment_undone"
REVERSED = ("reversed",)  # in the context: a tuple, as no client can send it


class AccountMove(models.Model):
    """Money that came and went again (a bounced check, a debit that was sent back, a payment
    that was booked on the wrong invoice): the officer is told, with the cause, be it all of the
    money or a part, and whatever the term is by then."""

    _inherit = "account.move"

    def _membri_tell_undone(self, undone):
        """Ask the officer about what no longer settles membership invoices.

        :param undone: ``[(invoice, source)]``: the source is an ``account.payment``, or the entry
            (``account.move``: a payment, a line of the bank, a credit note) that had settled it
        """
        # what is cancelled or reversed itself is no money that has gone
        deferred = self.env.context.get("membri_deferred_moves")
        deferred = deferred if isinstance(deferred, frozenset) else frozenset()
        for invoice, source in undone:
            # sudo: the officer is told, whoever takes the money back
            invoice_sudo, source_sudo = invoice.sudo().exists(), source.sudo().exists()
            if (
                source_sudo
                and invoice_sudo.id not in deferred
                and invoice_sudo._membri_is_awaited_again()
            ):
                staff_sudo = invoice_sudo._membri_as_staff()
                staff_sudo._membri_end_rejected(source_sudo)
                staff_sudo._membri_ask_officer(
                    staff_sudo._membri_get_undone_sentence(source_sudo), ACTIVITY_UNDONE
                )

    def _membri_is_awaited_again(self):
        """:return: whether something is to be paid on this invoice for a term that is not void"""
        return (
            bool(self.membri_invoice_type)
            and self.move_type == "out_invoice"
            and self.state == "posted"
            and not self._membri_is_void()
            and not self.currency_id.is_zero(self._membri_get_amount_due())
            and any(
                term.state in (*LIVING_STATES, "expired") for term in self.membri_cotisation_ids
            )
        )

    def _membri_get_undone_sentence(self, source_sudo):
        """:param source_sudo: as of ``_membri_tell_undone``
        :return: which money has gone, why, and what it means (two sentences)"""
        self.ensure_one()
        move_sudo, payment_sudo = self.browse(), source_sudo
        if source_sudo._name == self._name:
            move_sudo, payment_sudo = source_sudo, source_sudo.origin_payment_id
        names = {
            "payment": self._membri_get_undone_label(move_sudo, payment_sudo),
            "invoice": self._membri_get_document_label(),
        }
        if self.env.context.get("membri_undone_how") == REVERSED:
            cause = self.env._("%(payment)s for %(invoice)s was reversed.", **names)
        elif payment_sudo.state == "rejected":
            cause = self.env._("%(payment)s for %(invoice)s was rejected.", **names)
        elif payment_sudo.state == "canceled":
            cause = self.env._("%(payment)s for %(invoice)s was cancelled.", **names)
        else:
            cause = self.env._("%(payment)s was removed from %(invoice)s.", **names)
        return f"{cause} {self._membri_get_left_sentence()}"

    def _membri_get_left_sentence(self):
        """:return: what is to be paid after money has gone (a sentence)"""
        left = self._membri_get_amount_due()
        members = self._membri_get_members()._membri_get_names()
        if self.currency_id.compare_amounts(left, self.amount_total) >= 0:
            return self.env._("The invoice is unpaid again (%(members)s).", members=members)
        return self.env._(
            "Amount due: %(left)s of %(total)s (%(members)s).",
            left=self.currency_id.format(left),
            total=self.currency_id.format(self.amount_total),
            members=members,
        )

    def _membri_get_undone_label(self, move, payment):
        """:return: the payment as people know it: number, method, reference, amount"""
        amount = payment.amount if payment else move.amount_total
        currency = payment.currency_id if payment else move.currency_id
        memo = payment.memo if payment else move.ref
        method = payment and self._membri_get_method_label({"payment": payment, "move": move})
        # the money may come in the language of who pays, or of a cron
        details = [method, memo, format_amount(self.env, amount, currency)]
        # a payment without entry has no number
        name = payment.name or move.name or self.env._("Payment")
        return f"{name} ({', '.join(filter(None, details))})"

    def _membri_get_money_entries(self):
        """Return the entries of money that settle this invoice, and its payments without
        entry, as a list of records."""
        self.ensure_one()
        moves = self._membri_get_settling_moves().filtered(lambda move: not move.is_invoice())
        return [*moves, *self._membri_get_unbooked_payments()]

    def _membri_tell_replaced(self, replacement, sources):
        """“Reverse and Create Invoice” leaves two things to somebody: money that had paid the old
        invoice, and the old invoice itself where its credit note is dated ahead.

        :param sources: what settled this invoice before, as of ``_membri_get_money_entries``
        """
        self.ensure_one()
        if not self.membri_invoice_type:
            return
        self, replacement = self._membri_as_staff(), replacement._membri_as_staff()
        left = self._membri_get_settling_moves()
        freed = [source for source in sources if source not in left]
        names = {
            "invoice": self._membri_get_document_label(),
            "replacement": replacement._membri_get_document_label(),
        }
        for source in freed:
            is_entry = source._name == self._name
            payment = source.origin_payment_id if is_entry else source
            replacement._membri_ask_officer(
                self.env._(
                    "%(payment)s had paid %(invoice)s, which %(replacement)s replaces. Use the "
                    "payment for the new invoice, or refund it.",
                    payment=self._membri_get_undone_label(
                        source if is_entry else self.browse(), payment
                    ),
                    **names,
                ),
                ACTIVITY_UNDONE,
            )
        notes = self.reversal_move_ids.filtered(lambda move: move.state == "draft")
        if notes and self._membri_is_open():
            self._membri_ask_officer(
                self.env._(
                    "%(invoice)s stays open until its credit note is posted (%(date)s), although "
                    "%(replacement)s replaces it: it can still be paid. Post the credit note now, "
                    "or ask the payer to wait for the new invoice.",
                    date=self._membri_format_day(max(notes.mapped("date"))),
                    **names,
                ),
                ACTIVITY_UNDONE,
            )

    def _membri_tell_rejected(self, payment):
        """The bank has rejected a payment whose entry still stands: to Odoo, these invoices are
        paid as long as it does.

        :param payment: the ``account.payment``"""
        for invoice in self.filtered(
            lambda move: move.membri_invoice_type and move.state == "posted"
        ):
            invoice = invoice._membri_as_staff()
            invoice._membri_ask_officer(
                invoice._membri_get_rejected_sentence(payment), ACTIVITY_UNDONE
            )

    def _membri_get_rejected_sentence(self, payment):
        self.ensure_one()
        return self.env._(
            "%(payment)s for %(invoice)s was rejected, but its journal entry still settles the "
            "invoice, and the membership counts as paid (%(members)s). Cancel the payment in "
            "Invoicing, or reverse its entry where the period is locked: the invoice is then due "
            "again.",
            payment=self._membri_get_undone_label(self.browse(), payment),
            invoice=self._membri_get_document_label(),
            members=self._membri_get_members()._membri_get_names(),
        )

    @api.model
    def _membri_get_draft_settlements_domain(self):
        """Return reconciliations of membership invoices with entries that are drafts again, and
        of such credit notes with what they were refunded by: to Odoo, these still hold."""
        return (
            Domain("credit_move_id.parent_state", "=", "draft")
            & Domain("debit_move_id.parent_state", "=", "posted")
            & (
                (
                    Domain("debit_move_id.move_id.membri_invoice_type", "!=", False)
                    & Domain("debit_move_id.move_id.move_type", "=", "out_invoice")
                )
                | Domain(
                    "credit_move_id.move_id.reversed_entry_id.membri_invoice_type", "!=", False
                )
            )
        )

    @api.model
    def _membri_tell_draft_settlements(self):
        """Payments and credit notes that were reset to draft settle their invoices, and are in no
        total of the accounts.

        :return: what was asked, as of ``_membri_ask_about_money``, a set"""
        asked = set()
        # sudo: for the whole company, at night
        partials_sudo = self.env["account.partial.reconcile"].sudo()
        for partial in partials_sudo.search(self._membri_get_draft_settlements_domain()):
            draft, settled = partial.credit_move_id.move_id, partial.debit_move_id.move_id
            invoice = settled if settled.membri_invoice_type else draft.reversed_entry_id
            note = invoice._membri_as_staff()._membri_get_draft_sentence(draft, settled)
            asked.add(invoice._membri_ask_about_money(note))
        return asked

    def _membri_get_draft_sentence(self, draft, settled):
        """:param draft: the entry (``account.move``) that is a draft again
        :param settled: what it still settles: this invoice, or the entry of a refund"""
        self.ensure_one()
        return self.env._(
            "%(payment)s is a draft again, but still settles %(document)s. Post it, or cancel it, "
            "in Invoicing.",
            payment=self._membri_get_undone_label(draft, draft.origin_payment_id),
            document=(
                self._membri_get_document_label()
                if settled == self
                else self._membri_get_undone_label(settled, settled.origin_payment_id)
            ),
        )

    def _membri_end_rejected(self, source):
        """The entry of a rejected payment settles this invoice no more: nobody has to cancel it,
        in whatever words that was asked.

        :param source: as of ``_membri_tell_undone``"""
        payment = source.origin_payment_id if source._name == self._name else source
        if payment:
            said = payment.name or end_once(self._membri_get_rejected_sentence(payment))
            self.activity_search([ACTIVITY_UNDONE]).filtered(
                lambda question: is_said_in(question.summary, said)
            ).unlink()
