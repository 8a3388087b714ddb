from odoo import api, fields, models

from ..mixins.state import run_isolated
from .page import OWN_TEMPLATES


class AccountMoveSend(models.AbstractModel):
    """Membership invoices in Odoo's own sending: looked at when they leave, to the address that
    works, and marked as sent only when they left."""

    _inherit = "account.move.send"

    @api.model
    def _generate_and_send_invoices(
        self, moves, from_cron=False, allow_raising=True, allow_fallback_pdf=False, **kwargs
    ):
        # EXTENDS account: what waited may be void by now, or its payer out of reach; and one that
        # fails does not stop the others for ever
        kwargs |= {"allow_raising": allow_raising, "allow_fallback_pdf": allow_fallback_pdf}
        send = super()._generate_and_send_invoices
        if not from_cron or not moves.filtered("membri_invoice_type"):
            return send(moves, from_cron=from_cron, **kwargs)
        moves -= moves._membri_drop_queued()
        if not moves or self._get_all_extra_edis():  # those commit between: Odoo's own way
            return (
                send(moves, from_cron=from_cron, **kwargs) if moves else moves.env["ir.attachment"]
            )
        attachments = []

        def send_together(batch):
            attachments.append(send(batch, from_cron=from_cron, **kwargs))

        for move, error in run_isolated(moves, send_together).items():
            if not move.membri_invoice_type:
                raise error
            move.sending_data = False
            told = move._membri_as_staff()  # not in the language of the scheduler
            told._membri_mark_failed(told.env["membri.renewal"]._get_error_sentence(error))
        return self.env["ir.attachment"].union(*attachments).exists()  # not of what failed

    @api.model
    def _get_default_mail_template_id(self, move):
        # EXTENDS account: who pays for several is reminded of what is left
        if move._membri_is_reminder_queued():
            return self.env.ref("membri_renewal.mail_template_invoice_reminder")
        return super()._get_default_mail_template_id(move)

    @api.model
    def _get_default_mail_partner_ids(self, move, mail_template, mail_lang):
        # EXTENDS account: where the payer's own address does not work, the next one that does
        partners = super()._get_default_mail_partner_ids(move, mail_template, mail_lang)
        if not move.membri_invoice_type or not move.partner_id._membri_get_address_problem():
            return partners
        if address := move._membri_get_receiver_address():
            return move._partner_find_from_emails_single([address], no_create=False)
        receiver_sudo = move._membri_find_receiver()
        return receiver_sudo.with_env(partners.env) if receiver_sudo else partners

    @api.model
    def _get_mail_layout(self):
        # EXTENDS account: our texts stand in the frame of all emails to members
        if self.env.context.get("membri_mail_frame"):
            return "membri_renewal.mail_frame"
        return super()._get_mail_layout()

    @api.model
    def _hook_if_errors(self, moves_data, allow_raising=True):
        # EXTENDS account: a document that could not be made is told where somebody looks
        result = super()._hook_if_errors(moves_data, allow_raising=allow_raising)
        for move, move_data in moves_data.items():
            if move.membri_invoice_type:
                move._membri_mark_failed(self._format_error_text(move_data["error"]))
        return result

    @api.model
    def _send_mail(self, move, mail_template, **kwargs):
        # EXTENDS account: “sent” is what leaves; the email is known as ours before it does
        if not move.membri_invoice_type:
            return super()._send_mail(move, mail_template, **kwargs)
        kind = "reminder" if move._membri_is_reminder_queued() else "invoice"
        tagged = move.with_context(membri_mail_kind=(kind, False), mail_notify_force_send=False)
        own = [
            self.env.ref(xmlid, raise_if_not_found=False)
            for xmlid in (*OWN_TEMPLATES.values(), "membri_renewal.mail_template_invoice_reminder")
        ]
        if mail_template and mail_template in own:
            # our texts stand in the frame of all emails to members
            self = self.with_context(membri_mail_frame=True)
            # from the officer, whoever accepted or approved
            if sender := mail_template.sudo()._render_field("email_from", move.ids)[move.id]:
                kwargs.setdefault("email_from", sender)
        result = super()._send_mail(tagged, mail_template, **kwargs)
        # sudo: the queue of emails is the administrator's
        mails_sudo = (
            self.env["mail.mail"]
            .sudo()
            .search(
                [
                    ("model", "=", move._name),
                    ("res_id", "=", move.id),
                    ("membri_kind", "=", kind),
                    ("state", "=", "outgoing"),
                ]
            )
        )
        move.sudo().write(
            {
                "membri_date_sent": fields.Datetime.now(),
                "membri_delivery_state": "queued",
                "membri_delivery_note": False,
                "membri_delivery_email": move._membri_get_delivery_email(),
            }
        )
        renewals = move._membri_get_renewals()
        renewals._mark_queued()
        if kind == "reminder":
            renewals._link_reminder(mails_sudo.mail_message_id[:1])
        mails_sudo.send_after_commit()
        return result
