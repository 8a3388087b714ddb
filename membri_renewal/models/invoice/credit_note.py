from odoo import models


class AccountMove(models.Model):
    """What payers are told of credit notes: of which invoice, how much, and what becomes of it."""

    _inherit = "account.move"

    def _membri_get_credit_rows(self):
        """Return ``(label, value)`` pairs of a credit note: of which invoice and member, how much,
        what is left to pay on that invoice, and what of the credit is not used."""
        self.ensure_one()
        invoice = self.reversed_entry_id
        rows = [(self.env._("Credit note"), self.name or "")]
        if invoice:
            rows.append((self.env._("Invoice"), invoice.name))
        # sudo: payers read no terms; who was taken off is the one it is about
        members_sudo = self.sudo().invoice_line_ids.membri_cotisation_id.partner_id
        if members_sudo:
            rows.append((self.env._("Member"), members_sudo._membri_get_names()))
        rows.append((self.env._("Amount credited"), self.currency_id.format(self.amount_total)))
        if invoice.state == "posted":
            left = invoice._membri_get_amount_due()
            rows.append((self.env._("Left to pay on the invoice"), self.currency_id.format(left)))
        left = self._membri_get_amount_due()
        if not self.currency_id.is_zero(left):
            rows.append((self.env._("Credit not used yet"), self.currency_id.format(left)))
        return rows

    def _membri_get_credited_sentences(self, credited=None):
        """:param credited: default: the sum of its credit notes, whatever they were used for
        :return: what was taken off this invoice, as a list of sentences"""
        if credited is None:
            # sudo: payers may not read all of them; the sum is told
            notes_sudo = self.sudo().reversal_move_ids.filtered(
                lambda note: note.state == "posted" and note.currency_id == self.currency_id
            )
            credited = sum(notes_sudo.mapped("amount_total"))
        if self.currency_id.is_zero(credited):
            return []
        return [self.env._("%(amount)s was credited.", amount=self.currency_id.format(credited))]

    def _membri_get_credit_sentences(self):
        """Return what becomes of these credit notes, as a list of sentences: what was paid out, and
        what nothing uses yet."""
        # sudo: payers may not read all of them; the sums are told
        notes_sudo = self.sudo().filtered(
            lambda note: note.state == "posted" and note.move_type == "out_refund"
        )
        sentences = []
        for currency, same_sudo in notes_sudo.grouped("currency_id").items():
            paid_out = sum(e["amount"] for note in same_sudo for e in note._membri_get_paid_out())
            left = sum(note._membri_get_amount_due() for note in same_sudo)
            if currency.compare_amounts(paid_out, 0.0) > 0:
                sentences.append(
                    self.env._("%(amount)s was refunded.", amount=currency.format(paid_out))
                )
            if currency.compare_amounts(left, 0.0) > 0:
                sentences.append(
                    self.env._(
                        "%(amount)s of the credit is not used yet. We will refund it, or use it "
                        "for your next invoice.",
                        amount=currency.format(left),
                    )
                )
        return sentences

    def _membri_get_paid_out(self):
        """:return: how this credit note was paid out, as of ``_membri_get_settlements``"""
        self.ensure_one()
        return [
            entry
            for partial in self._membri_get_receivable_lines().matched_debit_ids
            if not partial.debit_move_id.move_id.is_invoice()
            for entry in self._membri_split_settlement(
                partial.debit_move_id, partial.credit_amount_currency, partial
            )
            if entry["kind"] == "money"
        ]
