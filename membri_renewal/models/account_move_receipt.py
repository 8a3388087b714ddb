from odoo import models


class AccountMove(models.Model):
    """The receipt of a membership invoice: when what was paid, whichever way the money came."""

    _inherit = "account.move"

    def _membri_has_receipt(self):
        """:return: whether this is a membership invoice that is paid, by something"""
        self.ensure_one()
        return (
            bool(self.membri_invoice_type)
            and self.move_type == "out_invoice"
            and self.state == "posted"
            and self._membri_is_paid()
            and self.payment_state in ("paid", "in_payment")
            and bool(self._membri_get_receipt_lines())
        )

    def _membri_get_receipt_lines(self):
        """:return: ``[{"date", "label", "amount", "currency"}]`` of what settled the invoice, in
        order: payments with and without journal entry, statement lines, credit notes"""
        self.ensure_one()
        move_sudo = self.sudo()  # how a payment is booked is the accountants' business
        lines = [
            {
                "date": entry["date"],
                "label": self._membri_get_receipt_label(entry),
                "amount": entry["amount"],
                "currency": self.env["res.currency"].browse(entry["currency_id"]),
            }
            for entry in (move_sudo.invoice_payments_widget or {}).get("content", [])
            if not entry["is_exchange"]
        ]
        without_entry = move_sudo.matched_payment_ids.filtered(
            lambda payment: not payment.move_id and payment.state in ("in_process", "paid")
        )
        lines += [
            {
                "date": payment.date,
                "label": payment.payment_method_line_id.name or self.env._("Payment"),
                "amount": payment.amount,
                "currency": payment.currency_id,
            }
            for payment in without_entry
        ]
        return sorted(lines, key=lambda line: line["date"])

    def _membri_get_receipt_label(self, entry):
        if entry["is_refund"]:
            return self.env._("Credit note %(name)s", name=entry["ref"])
        return entry["payment_method_name"] or self.env._("Payment")

    def _membri_get_print_lang(self):
        self.ensure_one()
        return self.partner_id._membri_get_print_lang(self.company_id)

    def _membri_get_portal_status(self):
        """:return: ``(level, label)`` of a badge, in the member's words"""
        self.ensure_one()
        if self.move_type == "out_refund":
            return "secondary", self.env._("Credit note")
        if self.payment_state in ("paid", "in_payment"):
            if not self._membri_is_covered():
                return "warning", self.env._("Partly paid")
            return "success", self.env._("Paid")
        if self.payment_state == "reversed":
            return "secondary", self.env._("Credited")
        if any(tx.state in ("pending", "authorized") for tx in self.transaction_ids):
            return "info", self.env._("Payment under way")
        if self.payment_state == "partial":
            return "warning", self.env._("Partly paid")
        return "warning", self.env._("To be paid")
