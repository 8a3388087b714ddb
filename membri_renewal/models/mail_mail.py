from odoo import models


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        # EXTENDS mail: what became of a notice; one that the mail server refuses goes to the
        # queue of failed sendings, with the reason
        renewals_sudo = self._get_membri_renewals()
        if failure_reason or failure_type:
            renewals_sudo._mark_failed(failure_reason or failure_type)
        else:
            renewals_sudo.filtered(lambda r: r.delivery_state == "queued")._internal_write(
                {"delivery_state": "delivered"}
            )
        return super()._postprocess_sent_message(
            success_pids, success_emails, failure_reason=failure_reason, failure_type=failure_type
        )

    def _get_membri_renewals(self):
        """:return: the renewals whose notices or reminders these emails are"""
        subtype = self.env.ref("membri_renewal.mt_notice", raise_if_not_found=False)
        # sudo: the queue of emails is worked off by anybody's request
        notices_sudo = self.sudo().filtered(
            lambda mail: (
                mail.model == "membri.renewal"
                and subtype
                and mail.mail_message_id.subtype_id == subtype
            )
        )
        return self.env["membri.renewal"].sudo().browse(notices_sudo.mapped("res_id")).exists()
