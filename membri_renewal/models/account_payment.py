from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        # EXTENDS account: payments without journal entry change the payment state of
        # their invoices by their own state alone
        result = super().write(vals)
        if "state" in vals:
            self.invoice_ids._membri_sync()
        return result

    def unlink(self):
        # EXTENDS account
        invoices = self.invoice_ids
        result = super().unlink()
        invoices._membri_sync()
        return result
