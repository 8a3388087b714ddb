from lxml import etree

from odoo import models
from odoo.exceptions import UserError

from .renewal.proposal import PageMemo


class Compiled:
    """Texts that were compiled for a batch; in the context, where no client can put one."""

    def __init__(self):
        self.found = {}


class IrQweb(models.AbstractModel):
    _inherit = "ir.qweb"

    def _generate_code_uncached(self, template):
        # EXTENDS base: the text of a template is compiled anew for each record that it is filled
        # in for; of a batch of ours, once
        compiled = self.env.context.get("membri_compiled")
        if not isinstance(compiled, Compiled) or not isinstance(template, etree._Element):
            return super()._generate_code_uncached(template)
        names = (*self._get_template_cache_keys(), "raise_on_forbidden_code_for_model")
        key = (etree.tostring(template), *(self.env.context.get(name) for name in names))
        if key not in compiled.found:
            compiled.found[key] = super()._generate_code_uncached(template)
        return compiled.found[key]


class MailTemplate(models.Model):
    """The one way from a template to the emails of many records: notices, reminders, fee notices
    and receipts. Their PDFs are made by ``printing.py``."""

    _inherit = "mail.template"

    def _membri_render(self, records):
        """:return: ``{field of mail.template: {record id: text}}``; subject and body in the
            language of each recipient
        :raises UserError: naming the template, when it cannot be filled in"""
        # an answer of the portal may send too
        template_sudo = self.sudo().with_context(membri_page=PageMemo(), membri_compiled=Compiled())
        try:
            return {
                "body_html": template_sudo._render_field(
                    "body_html", records.ids, compute_lang=True, options={"post_process": True}
                ),
                "subject": template_sudo._render_field("subject", records.ids, compute_lang=True),
                "email_from": template_sudo._render_field("email_from", records.ids),
                "reply_to": template_sudo._render_field("reply_to", records.ids),
            }
        except (UserError, ValueError, SyntaxError) as error:
            cause = error
            while cause.__cause__:  # what Odoo raises shows the whole template
                cause = cause.__cause__
            raise UserError(
                self.env._(
                    "The email template “%(template)s” cannot be filled in for "
                    "%(document)s: %(cause)s. Fix the template or choose another one, "
                    "then resend.",
                    template=template_sudo.name,
                    document=", ".join(records[:3].mapped("display_name")),
                    cause=str(cause).strip().splitlines()[0],
                )
            ) from error

    def _membri_post(self, records, kind, get_values):
        """Post a message of this template on each of ``records``; the emails wait in Odoo's queue.

        :param kind: of the emails, one of ``mail.mail.membri_kind``
        :param get_values: function from a record to what its ``message_post`` gets beside the
            texts: to whom it goes, in which language, with which files
        :return: ``{record: mail.message}``
        """
        texts = self._membri_render(records)
        # sudo: which officers may use, and need not read
        layout = self.sudo().email_layout_xmlid or "membri_renewal.mail_frame"
        posting = records.with_context(
            mail_post_autofollow_author_skip=True,
            mail_notify_author=True,
            membri_mail_kind=(kind, self.id),
        )
        authors = {}  # one officer writes to hundreds: looked up once, not for each of them

        def get_author(record):
            key = record.company_id, texts["email_from"][record.id] or None
            if key not in authors:
                authors[key] = record._membri_compute_sender(key[1])
            return dict(zip(("author_id", "email_from"), authors[key], strict=True))

        values = {
            record: {
                "body": texts["body_html"][record.id],
                "subject": texts["subject"][record.id],
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
                **get_author(record),
                "reply_to": texts["reply_to"][record.id] or None,
                "email_layout_xmlid": layout,
                "force_send": False,
                **get_values(record),
            }
            for record in posting
        }
        # files that are made with the message would be made twice
        if len(values) > 1 and not any("attachments" in kwargs for kwargs in values.values()):
            return posting._membri_post_together(values)
        return {record: record.message_post(**kwargs) for record, kwargs in values.items()}
