from odoo import api, fields, models

from ..cotisation.cotisation import PAID_STATES


class AccountMove(models.Model):
    """What is left to pay of a membership invoice or a fee notice, of which membership, and by
    which day: one answer for whatever tells it."""

    _inherit = "account.move"

    membri_amount_due = fields.Monetary(
        string="Membership Amount Due",
        compute="_compute_membri_amount_due",
        compute_sudo=True,  # members read it, and not what it follows from
        help="Includes fee notices, which are not in the accounts yet.",
    )

    membri_date_due = fields.Date(
        string="Due By",
        compute="_compute_membri_date_due",
        compute_sudo=True,  # members read it, and not what it follows from
        help="If paid in installments, the date of the earliest one that is still open.",
    )

    @api.depends("amount_residual", "invoice_date_due", "state")
    def _compute_membri_date_due(self):
        for move in self:
            move.membri_date_due = move._membri_get_due_day()

    @api.depends(
        "amount_total",
        "amount_residual",
        "state",
        "payment_state",
        "membri_fee_notice_state",
        "matched_payment_ids.state",
        "matched_payment_ids.amount",
    )
    def _compute_membri_amount_due(self):
        for move in self:
            open_notice = move.membri_fee_notice_state == "open"
            due = open_notice or (move.state == "posted" and not move._membri_is_settled())
            move.membri_amount_due = move._membri_get_amount_due() if due else 0.0

    def _membri_is_settled(self):
        """:return: whether nothing is left to pay, as far as the payer is concerned"""
        self.ensure_one()
        return self._membri_is_paid() or (
            self.payment_state in (*PAID_STATES, "reversed") and self._membri_is_covered()
        )

    def _membri_get_amount_due(self):
        """:return: what is left to pay, payments without journal entry taken off"""
        self.ensure_one()
        # sudo: payments are the accountants'; the sum is told
        unbooked = sum(entry["amount"] for entry in self.sudo()._membri_get_unbooked_settlements())
        return max(0.0, self.currency_id.round(self.amount_residual - unbooked))

    def _membri_split_amount_due(self):
        """Return ``{term: amount}`` of what is left to pay for each membership: its part of the
        lines, less what of it was credited already; of a draft, what it will ask for. The parts add
        up to the cent, and what is for no membership has its own, under no term."""
        self.ensure_one()
        move_sudo = self.sudo()  # the terms of others are no business of the reader's
        is_draft = move_sudo.state == "draft"
        left = move_sudo._membri_get_amount_due() if is_draft else move_sudo.membri_amount_due
        if self.currency_id.is_zero(left):
            return {}
        lines = move_sudo.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        terms = lines.grouped("membri_cotisation_id")
        if len(terms) < 2:
            return dict.fromkeys(terms, left)
        invoiced = {term: sum(own.mapped("price_total")) for term, own in terms.items()}
        owed = dict(invoiced)
        notes_sudo = move_sudo.reversal_move_ids.filtered(lambda note: note.state == "posted")
        for note in notes_sudo.filtered("amount_total"):
            used = 1.0 - note.amount_residual / note.amount_total
            for line in note.invoice_line_ids:
                if line.display_type == "product" and line.membri_cotisation_id in owed:
                    owed[line.membri_cotisation_id] -= used * line.price_total
        whole = sum(owed.values())
        if self.currency_id.is_zero(whole):
            owed, whole = invoiced, sum(invoiced.values())
        result, up_to, told = {}, 0.0, 0.0
        for term in sorted(owed, key=lambda term: term.id):
            up_to += owed[term]
            so_far = self.currency_id.round(left * up_to / whole) if whole else left
            result[term] = self.currency_id.round(so_far - told)
            told = so_far
        return result

    def _membri_get_parts_left(self):
        """Return a list of ``(day, amount)`` of what is left to pay, one for each part of the
        payment terms, the earliest first; payments without journal entry are taken off it."""
        self.ensure_one()
        move_sudo = self.sudo()  # payers see no journal items
        left = move_sudo._membri_get_amount_due()
        covered = move_sudo.amount_residual - left
        parts = []
        is_asked = move_sudo.state == "posted" or move_sudo.membri_fee_notice_state == "open"
        for line in move_sudo._membri_get_open_parts() if is_asked else ():
            taken = min(covered, line.amount_residual_currency)
            covered -= taken
            amount = self.currency_id.round(line.amount_residual_currency - taken)
            if not self.currency_id.is_zero(amount):
                parts.append((line.date_maturity or move_sudo.invoice_date_due, amount))
        return parts or [(move_sudo._membri_get_due_day(), left)]

    def _membri_get_next_parts(self):
        """Return ``(day, amount)`` of each part that is to be paid next: the earliest one that is
        open, and all that are late by now."""
        self.ensure_one()
        parts = self._membri_get_parts_left()
        until = max(parts[0][0], self.company_id._membri_today())
        return [(day, amount) for day, amount in parts if day <= until]

    def _membri_get_discount_granted(self):
        """Return the early-payment discount that was granted: all that was written off is what the
        payment terms let the payer keep; or ``0.0``."""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: payment terms, and how a discount is booked
        if not move_sudo.invoice_payment_term_id.early_discount:
            return 0.0
        parts = move_sudo.line_ids.filtered(lambda line: line.display_type == "payment_term")
        discount = self.amount_total - sum(parts.mapped("discount_amount_currency"))
        written_off = self._membri_get_written_off()
        return written_off if self.currency_id.is_zero(written_off - discount) else 0.0

    def _membri_get_early_payment(self):
        """Return ``(day, amount)`` of the early-payment discount that the payment terms grant: the
        last day, and what is enough until then, as Odoo's PDF says; ``False`` where there is none,
        or none any more."""
        self.ensure_one()
        move_sudo = self.sudo()  # payers see no journal items
        today = self.company_id._membri_today()
        if (
            move_sudo.state != "posted"
            or self.currency_id.compare_amounts(self._membri_get_amount_due(), self.amount_total)
            or not move_sudo._is_eligible_for_early_payment_discount(self.currency_id, today)
        ):
            return False
        part = move_sudo._membri_get_open_parts()[:1]
        return part.discount_date, part.discount_amount_currency

    def _membri_get_next_part(self):
        """Return ``(day, amount)`` of what is to be paid next: the first of these days, and what
        they are in all. Who tells the day of several parts tells each of them."""
        parts = self._membri_get_next_parts()
        return parts[0][0], self.currency_id.round(sum(amount for _day, amount in parts))

    def _membri_is_more_left(self):
        """:return: whether more is left to pay than what is to be paid next"""
        self.ensure_one()
        left = self._membri_get_amount_due()
        return self.currency_id.compare_amounts(self._membri_get_next_part()[1], left) < 0

    def _membri_get_amounts_settled(self):
        """Return ``(received, credited)`` of this invoice: money that came, and what is settled
        without any; nothing of a fee notice, which is no invoice yet."""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: payments are the accountants'; the sums are told
        if move_sudo.state != "posted":
            return 0.0, 0.0
        settled = self.currency_id.round(
            move_sudo.amount_total - move_sudo._membri_get_amount_due()
        )
        received = min(settled, max(0.0, move_sudo._membri_get_received()))
        return received, self.currency_id.round(settled - received)

    def _membri_get_days_late(self):
        self.ensure_one()
        due = self.sudo()._membri_get_due_day()  # sudo: journal items are the accountants'
        if not due or self._membri_is_settled() or self._membri_is_charge_awaited():
            return 0
        return max(0, (self.company_id._membri_today() - due).days)
