from odoo import models


class PaymentTransaction(models.Model):
    """Online payments of fee notices. That a confirmed payment posts the draft and is
    reconciled with it is Odoo's own doing."""

    _inherit = "payment.transaction"

    def _post_process(self):
        # EXTENDS account_payment: paid in part, the invoice goes out too: it says what is left
        result = super()._post_process()
        done = self.filtered(lambda tx: tx.state == "done")
        done.invoice_ids.membri_cotisation_ids._queue_invoices_of_fee_notices()
        return result
