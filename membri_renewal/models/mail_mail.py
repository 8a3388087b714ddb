import re

from lxml import html

from odoo import api, models
from odoo.tools import html2plaintext

from .portal_key import KEY_OF_ANY, strip_keys


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        # EXTENDS mail: what became of a notice; one that the mail server refuses goes to the
        # queue of failed sendings, with the reason
        for mail, renewal_sudo in self._get_membri_renewals().items():
            if failure_reason or failure_type:
                renewal_sudo._mark_sending_failed(
                    mail.mail_message_id, failure_type, failure_reason or mail.failure_reason
                )
            else:
                renewal_sudo._mark_delivered(mail.mail_message_id)
        return super()._postprocess_sent_message(
            success_pids, success_emails, failure_reason=failure_reason, failure_type=failure_type
        )

    def _get_membri_renewals(self):
        """:return: ``{mail: renewal}`` of those emails that are notices or reminders"""
        subtype = self.env.ref("membri_renewal.mt_notice", raise_if_not_found=False)
        # sudo: the queue of emails is worked off by anybody's request
        notices_sudo = self.sudo().filtered(
            lambda mail: (
                mail.model == "membri.renewal"
                and subtype
                and mail.mail_message_id.subtype_id == subtype
            )
        )
        Renewal_sudo = self.env["membri.renewal"].sudo()
        renewals = Renewal_sudo.browse(notices_sudo.mapped("res_id")).exists()
        return {
            # what becomes of them is told to the staff
            mail: Renewal_sudo.browse(mail.res_id)._split_by_staff_lang()[0]
            for mail in notices_sudo
            if mail.res_id in renewals._ids
        }

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS mail: keys are put in as the email leaves
        for vals in vals_list:
            if vals.get("body_html"):
                vals["body_html"] = strip_keys(vals["body_html"], KEY_OF_ANY)
        return super().create(vals_list)

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        # EXTENDS mail: a text part that reads like a letter
        emails = super()._prepare_outgoing_list(
            mail_server=mail_server, doc_to_followers=doc_to_followers
        )
        self._membri_insert_keys(emails)
        if self._get_membri_renewals():
            for email in emails:
                email["body_alternative"] = self._membri_to_plain_text(email["body"])
        return emails

    def _membri_to_plain_text(self, body):
        """:param body: HTML of an email to a member
        :return: its text, without what is hidden, with the addresses of links beside their
            words, and without the empty lines that layout tables leave"""
        root = html.fromstring(body)
        for unseen in root.xpath("//*[contains(@class, 'o_membri_preheader')] | //head/* | //img"):
            unseen.drop_tree()
        for link in root.iter("a"):
            address, words = link.get("href", ""), (link.text_content() or "").strip()
            link.text = f"{words}: {address}" if address and words not in address else words
            for child in list(link):
                link.remove(child)
        text = html2plaintext(html.tostring(root, encoding="unicode"), include_references=False)
        lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.splitlines())
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
