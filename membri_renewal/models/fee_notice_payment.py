from odoo import models


class PaymentTransaction(models.Model):
    """Online payments of fee notices. That a confirmed payment posts the draft and is
    reconciled with it is Odoo's own doing."""

    _inherit = "payment.transaction"

    def _post_process(self):
        # EXTENDS account_payment
        result = super()._post_process()
        for tx in self.filtered(lambda t: t.state == "done"):
            void = tx.invoice_ids.filtered(lambda m: m.membri_fee_notice_state == "void")
            void._membri_report_late_payment(tx)
            # paid in part: the invoice goes out all the same, for it says what is left
            tx.invoice_ids.membri_cotisation_ids._queue_invoices_of_fee_notices()
        return result


class AccountMove(models.Model):
    _inherit = "account.move"

    def _membri_report_late_payment(self, transaction):
        """The payer was on the payment page when the fee notice became void: the money is
        there, unallocated, and somebody must decide what becomes of it."""
        for move in self:
            note = self.env._(
                "%(payer)s has paid %(amount)s (%(reference)s) on %(notice)s, which is void. The "
                "payment is not allocated: use it for the member's new invoice, or refund it.",
                payer=move.partner_id.display_name,
                amount=transaction.currency_id.format(transaction.amount),
                reference=transaction.reference,
                notice=move._membri_get_document_label(),
            )
            officer = move.company_id.membri_officer_id
            move.activity_schedule(
                "mail.mail_activity_data_todo",
                note=note,
                user_id=officer.id or move.invoice_user_id.id or self.env.uid,
            )
            for member in move.invoice_line_ids.membri_cotisation_id.partner_id:
                member._message_log(body=note)
