from datetime import timedelta

from odoo import fields, models

from ..cotisation.cotisation import PAID_STATES


class AccountMove(models.Model):
    """The receipt of a membership invoice: the money that came for it, whichever way it came,
    and nothing else."""

    _inherit = "account.move"

    membri_receipt_name = fields.Char(
        string="Receipt",
        readonly=True,
        copy=False,
        help="Receipt number, assigned once when the invoice is paid.",
    )

    _membri_receipt_unique = models.UniqueIndex(
        "(company_id, membri_receipt_name) WHERE membri_receipt_name IS NOT NULL",
        "This number is already used by another receipt of the company.",
    )

    def _membri_has_receipt(self):
        """Return whether nothing is left to pay on this membership invoice, and money came
        for it that is still there."""
        self.ensure_one()
        return (
            self._membri_may_have_receipt()
            and self._membri_is_covered()
            and self.currency_id.compare_amounts(self._membri_get_received(), 0.0) > 0
            and not self._membri_is_dated_ahead()
            and not self._membri_is_in_doubt()
        )

    def _membri_get_void_receipt_sentence(self):
        """Return that a receipt which the payer may have certifies nothing any more: its money
        went back, or was taken off this invoice, which is to be paid again; or ``False``."""
        self.ensure_one()
        if (
            not self.membri_receipt_name
            or self.state != "posted"
            or self._membri_is_settled()
            or self._membri_is_void()
        ):
            return False
        return self.env._(
            "Receipt %(number)s is no longer valid, as this invoice is no longer paid in full. A "
            "payment may have been returned, or recorded on this invoice by mistake.",
            number=self.membri_receipt_name,
        )

    def _membri_is_in_doubt(self):
        """Return whether some of the money was rejected, or what settles the invoice is a draft
        again: to Odoo it is paid as long as the entry settles it, and what has come is not known.
        """
        return any(
            entry["move"].state == "draft" or (entry["kind"] == "money" and _is_in_doubt(entry))
            for entry in self._membri_get_settlements()
        )

    def _membri_is_all_given_back(self):
        """:return: whether the money came for this invoice, and all of it went back"""
        kinds = {entry["kind"] for entry in self._membri_get_settlements()}
        return (
            "given_back" in kinds
            and self.currency_id.compare_amounts(self._membri_get_received(), 0.0) <= 0
        )

    def _membri_get_doubt_sentence(self):
        """:return: why nothing is certified although Odoo calls this invoice paid (a sentence)"""
        return self.env._(
            "The payment of %(document)s was rejected, or is a draft again.",
            document=self._membri_get_document_label(),
        )

    def _membri_is_dated_ahead(self):
        """Return whether some of the money bears a day that is still to come, as a check that is
        dated ahead: Odoo calls the invoice paid, and nothing has come that could be certified."""
        last = self._membri_get_last_certified_day()
        return any(
            entry["kind"] == "money" and self._membri_get_arrival(entry) > last
            for entry in self._membri_get_settlements()
        )

    def _membri_get_arrival(self, entry):
        """:param entry: of ``_membri_get_settlements``
        :return: the day from which its money is certified: its own, where nothing else is known"""
        return entry["date"]

    def _membri_get_last_certified_day(self):
        """Return the last day whose money is certified: tomorrow, for Odoo dates what is paid
        online by the day in UTC, which begins in the evening here."""
        return self.company_id._membri_today() + timedelta(days=1)

    def _membri_may_have_receipt(self):
        """:return: whether Odoo calls this membership invoice paid"""
        return (
            bool(self.membri_invoice_type)
            and self.move_type == "out_invoice"
            and self.state == "posted"
            and self.payment_state in PAID_STATES
            and not self.currency_id.is_zero(self.amount_total)
        )

    def _membri_ensure_receipts(self):
        """Give the receipts of those of ``self`` that are paid their numbers.

        :return: the invoices that got one now"""
        numbered = self.browse()
        for company, moves in (
            self.filtered(
                lambda move: not move.membri_receipt_name and move._membri_may_have_receipt()
            )
            .grouped("company_id")
            .items()
        ):
            paid = moves.filtered(lambda move: move._membri_has_receipt())
            if not paid:
                continue
            # sudo: sequences are the administrators', the receipt follows the payment
            sequence_sudo = company.sudo()._membri_get_receipt_sequence()
            names = sequence_sudo._membri_take(len(paid), company._membri_today())
            for move, name in zip(paid, names, strict=True):
                move.sudo().membri_receipt_name = name
            numbered |= paid
        return numbered

    def _membri_get_receipt_name(self):
        """Return the number of the receipt; invoices that were paid before receipts had
        numbers get theirs with the first print."""
        self.ensure_one()
        self._membri_ensure_receipts()
        return self.membri_receipt_name

    # ------------------------------------------------------------------
    # What a receipt shows
    # ------------------------------------------------------------------

    def _membri_get_receipt_lines(self):
        """Return ``[{"date", "arrival", "label", "number", "amount", "currency",
        "company_amount"}]`` of the money that came, and of what was given back (negative), in
        order."""
        self.ensure_one()
        return [
            {
                "date": entry["date"],
                "arrival": self._membri_get_arrival(entry),
                "label": self._membri_get_receipt_label(entry),
                "number": self._membri_get_payment_number(entry),
                "amount": entry["amount"],
                "currency": self.currency_id,
                "company_amount": entry["company_amount"],
            }
            for entry in self._membri_get_settlements()
            if entry["kind"] in ("money", "given_back") and not _is_in_doubt(entry)
        ]

    def _membri_get_receipt_label(self, entry):
        """:return: how the money of ``entry`` came or went, in the payer's words"""
        method = self._membri_get_method_label(entry)
        payment = entry["payment"]
        # what was paid, beside what it settles in the currency of the invoice
        is_foreign = payment and payment.currency_id != self.currency_id
        if is_foreign and payment.reconciled_invoice_ids == self:
            method = f"{method}, {payment.currency_id.format(payment.amount)}"
        if entry["kind"] == "given_back":
            return self.env._("Refund (%(method)s)", method=method)
        return method

    def _membri_get_method_label(self, entry):
        payment = entry["payment"]
        journal = payment.journal_id or entry["move"].journal_id
        if payment.payment_transaction_id:
            return payment.payment_transaction_id.payment_method_id.name
        if journal.type == "cash":
            return self.env._("Cash")
        if not payment:
            return self.env._("Bank payment")
        line = payment.payment_method_line_id
        # what Odoo calls manual, in any language, says nothing to who has paid
        method = line.payment_method_id
        named = line.name and line.name not in (
            method.name,
            method.with_context(lang="en_US").name,
        )
        return line.name if named or line.code != "manual" else self.env._("Payment")

    def _membri_get_payment_number(self, entry):
        """Return by which the payer recognizes the payment: the number of the check, the
        reference of the online payment, the text of the bank line; or ``""``."""
        payment, move = entry["payment"], entry["move"]
        if payment.payment_transaction_id:
            transaction = payment.payment_transaction_id
            return transaction.provider_reference or transaction.reference
        candidates = (
            (
                "check_number" in payment._fields and payment["check_number"],
                payment.payment_reference,
                payment.memo,
            )
            if payment
            else (move.statement_line_id.ref, move.statement_line_id.payment_ref, move.ref)
        )
        own = {self.name, self.payment_reference, self.membri_fee_notice_name}
        return next((text for text in candidates if text and text not in own), "")

    def _membri_get_receipt_summary(self):
        """:return: ``(label, amount)`` pairs that lead from the invoice to the money received"""
        self.ensure_one()
        entries = self._membri_get_settlements()

        def total(*kinds):
            return self.currency_id.round(sum(e["amount"] for e in entries if e["kind"] in kinds))

        pairs = [
            (self.env._("Credit notes"), -total("credit")),
            (
                self.env._("Early-payment discount")
                if self._membri_get_discount_granted()
                else self.env._("Written off, not paid"),
                -total("write_off"),
            ),
            (self.env._("Settled with other balances"), -total("offset")),
            (self.env._("Refunds"), total("given_back")),
        ]
        pairs = [pair for pair in pairs if not self.currency_id.is_zero(pair[1])]
        if pairs:
            pairs.insert(0, (self.env._("Total of the invoice"), self.amount_total))
        return pairs

    def _membri_get_receipt_taxes(self, received=None):
        """:param received: default: all that came for this invoice
        :return: ``(label, amount)`` pairs: what was received before taxes, and each tax in it.
            Of an invoice that was paid in part only, the taxes are taken in proportion."""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: journal items are the accountants'; the sums are told
        received = self._membri_get_received() if received is None else received
        credit_notes = move_sudo.reversal_move_ids.filtered(lambda m: m.state == "posted")
        whole = self.amount_total - self._membri_get_discount_before_taxes()
        net = whole - sum(credit_notes.mapped("amount_total"))
        if self.currency_id.compare_amounts(received, net) > 0:
            credit_notes, net = credit_notes.browse(), whole
        lines = (move_sudo | credit_notes).line_ids.filtered("tax_line_id")
        share = received / net if net else 0.0
        groups = lines.sorted(lambda line: (line.tax_group_id.sequence, line.tax_group_id.id))
        taxes = [
            (group.name, self.currency_id.round(-sum(items.mapped("amount_currency")) * share))
            for group, items in groups.grouped("tax_group_id").items()
        ]
        untaxed = self.currency_id.round(received - sum(amount for _label, amount in taxes))
        return [(self.env._("Before taxes"), untaxed), *taxes]

    def _membri_get_discount_before_taxes(self):
        """Return the early-payment discount that was granted, where it leaves the taxes as they
        were billed: by the payment terms they are on the whole price, or were less from the start.
        """
        # sudo: payment terms are the accountants'
        term_sudo = self.sudo().invoice_payment_term_id
        is_before = term_sudo.early_pay_discount_computation != "included"
        return self._membri_get_discount_granted() if is_before else 0.0

    def _membri_get_receipt_invoice_lines(self):
        """:return: what the money was for: not what members had who were taken off again"""
        self.ensure_one()
        # sudo: the receipt is its reader's, and shows them
        credited_sudo = self.sudo()._membri_get_credited_terms()
        return self.sudo().invoice_line_ids.filtered(
            lambda line: (
                line.display_type == "product" and line.membri_cotisation_id not in credited_sudo
            )
        )

    def _membri_get_print_lang(self):
        self.ensure_one()
        return self.partner_id._membri_get_print_lang(self.company_id)

    def _membri_get_portal_status(self):
        """:return: ``(level, label)`` of a badge, in the member's words"""
        self.ensure_one()
        if self.state == "cancel":
            return "secondary", self.env._("Cancelled")
        if self.move_type == "out_refund":
            return "secondary", self.env._("Credit note")
        if self.state == "draft" and self.membri_fee_notice_state != "open":
            return "secondary", self.env._("Being revised")
        if self.payment_state in PAID_STATES:
            return self._membri_get_paid_status()
        if self.payment_state == "reversed":
            # with the credit note of another invoice it was paid
            if self._membri_is_paid():
                return "success", self.env._("Paid in full")
            return "secondary", self.env._("Credited")
        under_way = self.transaction_ids - self._membri_get_promised_transfers()
        is_pending = any(tx.state in ("pending", "authorized") for tx in under_way)
        if is_pending or self._membri_is_all_under_way():
            return "info", self.env._("Payment in progress")
        if self._membri_is_orphan():
            return "secondary", self.env._("Being revised")
        if self.payment_state == "partial":
            return "warning", self.env._("Partially paid")
        return "warning", self.env._("Amount due")

    def _membri_get_paid_status(self):
        """:return: the badge of an invoice that Odoo calls paid"""
        if not self._membri_is_covered():
            return "warning", self.env._("Partially paid")
        if self._membri_is_in_doubt():
            return "secondary", self.env._("Being revised")
        if self.membri_write_off_state in ("to_decide", "ended"):
            return "secondary", self.env._("Nothing due")
        if self._membri_is_all_given_back():
            return "secondary", self.env._("Refunded")
        return "success", self.env._("Paid in full")


def _is_in_doubt(entry):
    """:param entry: of ``_membri_get_settlements``
    :return: whether its payment was rejected, or is being revised"""
    return entry["payment"].state in ("draft", "rejected", "canceled")
