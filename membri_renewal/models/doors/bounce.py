import logging

from odoo import api, models

from .key import split_addresses

_logger = logging.getLogger(__name__)


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        # EXTENDS mail, which believes what is said of an email of ours that comes back: whoever
        # has received one could say that it came back from the address of anybody, who would be
        # sent nothing any more
        message, address = message_dict["bounced_message"], message_dict["bounced_email"]
        if message and address and not message._membri_may_bounce_from(address):
            _logger.info(
                "Bounce %s: the email %s did not go to %s",
                message_dict.get("message_id"),
                message.message_id,
                address,
            )
            nobody = self.env["res.partner"]
            message_dict = {**message_dict, "bounced_email": False, "bounced_partner": nobody}
        return super()._routing_handle_bounce(email_message, message_dict)


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _membri_may_bounce_from(self, address):
        """:param address: that a mail server, or whoever says so, names
        :return: whether this message, if it is one of ours, was sent to it"""
        # sudo: the mail gateway works for everybody
        message_sudo = self.sudo()[:1]
        model = message_sudo.model or ""
        ours = model.startswith("membri.") and model in self.env
        if model == "account.move":
            ours = message_sudo.env[model].browse(message_sudo.res_id).exists().membri_invoice_type
        return not ours or bool(
            split_addresses(address) & message_sudo._membri_get_mailed_addresses()
        )

    def _membri_get_mailed_addresses(self):
        """:return: the normalized addresses that this message (in sudo) was sent to"""
        self.ensure_one()
        mails = self.mail_ids
        contacts = self.partner_ids | self.notification_ids.res_partner_id | mails.recipient_ids
        texts = [
            *contacts.mapped("email"),
            *self.notification_ids.mapped("mail_email_address"),
            *mails.mapped("email_to"),
            *mails.mapped("email_cc"),
            self.outgoing_email_to,
        ]
        # of before the contact changed it
        document = self.env[self.model].browse(self.res_id).exists()
        names = {"delivery_email", "membri_delivery_email"} & set(document._fields)
        texts += [document[name] for name in names]
        return split_addresses(*texts)
