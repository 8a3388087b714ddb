from odoo import models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _post_process(self):
        # EXTENDS account_payment: money that came in, or went back, beside the documents that
        # the membership follows needs somebody who decides
        result = super()._post_process()
        for transaction in self.filtered(lambda tx: tx.state == "done"):
            if transaction.operation == "refund":
                transaction.source_transaction_id.invoice_ids._membri_tell_refund(transaction)
            else:
                transaction.invoice_ids._membri_tell_late_money(transaction)
                transaction.invoice_ids._membri_tell_surplus(transaction)
        return result
