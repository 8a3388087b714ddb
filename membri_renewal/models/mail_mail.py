from odoo import models


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        # EXTENDS mail: a notice that the mail server refuses goes to the queue of failed
        # sendings, with the reason
        if failure_reason or failure_type:
            renewal_ids = self.filtered(lambda mail: mail.model == "membri.renewal").mapped("res_id")
            self.env["membri.renewal"].sudo().browse(renewal_ids).exists()._mark_failed(
                failure_reason or failure_type
            )
        return super()._postprocess_sent_message(
            success_pids, success_emails, failure_reason=failure_reason, failure_type=failure_type
        )
