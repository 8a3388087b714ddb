from odoo import api, fields, models


class AccountMoveSend(models.AbstractModel):
    _inherit = "account.move.send"

    @api.model
    def _send_mail(self, move, mail_template, **kwargs):
        # EXTENDS account: the queue of unpaid renewals shows when the invoice went out last
        result = super()._send_mail(move, mail_template, **kwargs)
        if move.membri_invoice_type:
            move.sudo().membri_date_sent = fields.Datetime.now()
        return result
