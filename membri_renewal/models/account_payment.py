from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        # EXTENDS account: payments without journal entry change the payment state of
        # their invoices by their own state alone
        result = super().write(vals)
        if "state" in vals:
            # ids: contexts are compared
            undone = tuple(
                (invoice.id, payment._name, payment.id)
                for payment in self
                for invoice in payment.invoice_ids
            )
            self.invoice_ids.with_context(membri_undone=undone)._membri_sync()
        return result

    def unlink(self):
        # EXTENDS account
        invoices = self.invoice_ids
        result = super().unlink()
        invoices._membri_sync()
        return result
