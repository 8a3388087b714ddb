from contextlib import suppress

from odoo import api, models
from odoo.tools import clean_context


class Prepared(Exception):
    """Stops ``message_post`` where the message is to be inserted."""


class Together:
    """What a batch of messages inserts at once. In the context, where no client can put one."""

    def __init__(self):
        self.values = {}  # of the messages, by model and id of their document
        self.messages = None  # once they are made: those that ``message_post`` has not got yet
        self.mails = {}  # what stands for an email until it is made: its values
        self.notifications = []

    @classmethod
    def get(cls, env):
        """:return: the batch that is being posted, or ``None``"""
        together = env.context.get("membri_together")
        return together if isinstance(together, cls) else None

    def add_mails(self, Mail, vals_list):
        """:return: what stands for these emails, ``mail.mail`` that is in no database yet"""
        mails = Mail.browse()
        for vals in vals_list:
            mail = Mail.new(ref=f"membri_{len(self.mails)}")
            self.mails[mail.id] = vals
            mails += mail
        return mails


class MailThread(models.AbstractModel):
    """Odoo inserts each message, each email and each notification by itself, which is a third of
    what a notice costs. Here ``message_post`` is called twice: the first time as far as the insert;
    then all messages are made, and the second time it gets its own and notifies as ever. The emails
    and notifications that this makes are inserted at the end. So whatever Odoo, or another add-on,
    does with a message is done to each of them."""

    _inherit = "mail.thread"

    def _membri_post_together(self, values):
        """:param values: ``{record: keyword arguments of message_post}``; no email leaves by it,
            they wait in the queue
        :return: ``{record: mail.message}``"""
        together = Together()
        posting = self.with_context(membri_together=together, mail_notify_force_send=False)
        for record, kwargs in values.items():
            with suppress(Prepared):
                record.with_env(posting.env).message_post(**kwargs)
        made = self._message_create(list(together.values.values()))
        together.messages = dict(zip(together.values, made, strict=True))
        messages = {
            record: record.with_env(posting.env).message_post(**kwargs).with_env(self.env)
            for record, kwargs in values.items()
        }
        self._membri_insert_emails(together)
        return messages

    @api.model
    def _membri_insert_emails(self, together):
        # sudo: as Odoo makes them
        env_sudo = self.sudo().with_context(clean_context(self.env.context)).env
        mails = env_sudo["mail.mail"].create(list(together.mails.values()))
        ids = dict(zip(together.mails, mails.ids, strict=True))
        env_sudo["mail.notification"].create(
            [{**vals, "mail_mail_id": ids[vals["mail_mail_id"]]} for vals in together.notifications]
        )

    def _message_compute_parent_id(self, parent_id):
        # EXTENDS mail: the second time, a message would be found as its own parent
        together = Together.get(self.env)
        document = (self._name, self.id)
        if together and together.messages is not None and document in together.values:
            return together.values[document].get("parent_id")
        return super()._message_compute_parent_id(parent_id)

    def _message_create(self, values_list):
        # EXTENDS mail: of a batch, see above
        together = Together.get(self.env)
        if not together or len(values_list) != 1:
            return super()._message_create(values_list)
        document = tuple(values_list[0].get(name) for name in ("model", "res_id"))
        if together.messages is None:
            together.values[document] = values_list[0]
            raise Prepared
        if document in together.messages:
            return together.messages.pop(document)
        return super()._message_create(values_list)


class MailNotification(models.Model):
    _inherit = "mail.notification"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS mail: those of emails that are not made yet
        together = Together.get(self.env)
        if not together or not together.mails:
            return super().create(vals_list)
        now = []
        for vals in vals_list:
            is_later = vals.get("mail_mail_id") in together.mails
            (together.notifications if is_later else now).append(vals)
        return super().create(now)
