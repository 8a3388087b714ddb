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
