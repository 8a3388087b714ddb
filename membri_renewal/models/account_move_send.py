from odoo import api, fields, models


class AccountMoveSend(models.AbstractModel):
    _inherit = "account.move.send"

    @api.model
    def _send_mail(self, move, mail_template, **kwargs):
        # EXTENDS account: the queue of unpaid renewals shows when the invoice went out last
        if not move.membri_invoice_type:
            return super()._send_mail(move, mail_template, **kwargs)
        own = self.env.ref("membri_renewal.mail_template_invoice", raise_if_not_found=False)
        if own and mail_template == own:
            # its texts stand in the frame of all emails to members
            self = self.with_context(membri_mail_frame=True)
        result = super()._send_mail(move, mail_template, **kwargs)
        move.sudo().membri_date_sent = fields.Datetime.now()
        return result

    @api.model
    def _get_mail_layout(self):
        # EXTENDS account
        if self.env.context.get("membri_mail_frame"):
            return "membri_renewal.mail_frame"
        return super()._get_mail_layout()
