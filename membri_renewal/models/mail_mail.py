import re
from datetime import timedelta

from lxml import html
from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import email_normalize, html2plaintext

from .mail_together import Together
from .mixins.formats import end_sentence
from .mixins.keyless import strip_keys

# so long somebody who sends the same again is asked whether that is meant
JUST_SENT = timedelta(minutes=5)
# of their documents, an email replaces those of its kind that were made before
SUPERSEDING_MODELS = ("membri.renewal", "account.move")


def was_just_now(moment):
    """:return: whether somebody who sends again what was sent at ``moment`` is asked first"""
    return bool(moment) and moment >= fields.Datetime.now() - JUST_SENT


class MailMail(models.Model):
    """Emails about memberships: looked at when they leave, and told to their document, which is a
    renewal, an invoice or an annual receipt. They answer the same questions
    (``_membri_get_mail_obstacle``, ``_membri_get_mail_unreachable_reason``,
    ``_membri_get_mail_facts``, ``_membri_rewrite_mail``) and hear the same news
    (``_membri_mail_leaves``, ``_membri_mail_left``, ``_membri_mail_failed``,
    ``_membri_mail_dropped``, ``_membri_mail_unreachable``)."""

    _name = "mail.mail"
    _inherit = ["mail.mail", "membri.fields.mixin"]

    membri_kind = fields.Selection(
        [
            ("notice", "Renewal Notice"),
            ("reminder", "Reminder"),
            ("fee_notice", "Fee Notice"),
            ("invoice", "Invoice"),
            ("receipt", "Receipt"),
            ("part", "Part Payment"),
            ("charge", "Automatic Payment"),
            ("released", "Not to Be Paid Any More"),
        ],
        string="Membership Email",
        readonly=True,
        copy=False,
        help="Checked when the email leaves: it is dropped if it is no longer true, and "
        "written again if its content has changed.",
    )
    membri_facts = fields.Char(
        string="Facts When Sent", readonly=True, copy=False, help="Summary of this email."
    )
    membri_template_id = fields.Many2one(
        "mail.template",
        string="Membership Email Template",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Template used to write this email again.",
    )
    membri_date_before = fields.Datetime(
        string="Previous Sent Date",
        readonly=True,
        copy=False,
        help="Date on which the document was sent before this email.",
    )

    @api.model
    def _membri_get_last_of(self, document, domain):
        """:param domain: of emails
        :return: the last of these emails of one document (in sudo), if there is one"""
        document.ensure_one()
        own = Domain("model", "=", document._name) & Domain("res_id", "=", document.id)
        # sudo: the queue of emails is the administrator's
        return self.sudo().search(own & domain, order="id desc", limit=1)

    @api.model
    def _membri_is_still_here(self, document, domain=Domain.TRUE):
        """Return whether no email about ``document`` (of those that ``domain`` finds) has left yet:
        what waits is written anew, so that no link of it is with anybody. Where Odoo sends none at
        all, as in its tests, what is handed over counts as sent."""
        left = Domain("state", "in", ("sent", "received")) & domain
        is_sending = not self.env["ir.mail_server"]._disable_send()
        return is_sending and not self._membri_get_last_of(document, left)

    @api.model
    def _membri_get_kind_of_context(self):
        """Return ``(kind, template id)`` of the email that a method of ours is posting; what is
        *sent* is known by it, so it is a tuple, as no client can put into the context."""
        kind = self.env.context.get("membri_mail_kind")
        return kind if isinstance(kind, tuple) else (False, False)

    # ------------------------------------------------------------------
    # When it leaves
    # ------------------------------------------------------------------

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        # EXTENDS mail: what has waited is looked at before it leaves; by the system, hence any
        # client's right to call this is asked first
        self.check_access("write")
        return super(MailMail, self._membri_review()).send(
            auto_commit=auto_commit,
            raise_exception=raise_exception,
            post_send_callback=post_send_callback,
        )

    def _membri_review(self):
        """Drop what is paid, void, decided or out of reach by now, and write anew what says
        something else than what holds now.

        :return: the emails that leave: ``self`` without what was dropped, with what replaces it
        """
        self = self.exists()  # an email of what was undone is nobody's
        documents = self._get_membri_documents()
        waiting = {mail: doc for mail, doc in documents.items() if mail.state == "outgoing"}
        # what has left, or was withdrawn, does not fail when the mail server is down
        settled = {mail.id for mail in documents if mail not in waiting}
        leaving = self.filtered(lambda mail: mail.id not in settled)
        newest = self._membri_get_newest(waiting)
        rewritten = set()  # a message has an email for each kind of recipient
        for mail, document in waiting.items():
            try:
                document._membri_mail_leaves(mail)
                verdict, reason = mail._membri_get_verdict(document, newest)
                if verdict == "leaves":
                    continue
                if verdict == "changed" and mail.mail_message_id.id in rewritten:
                    verdict, reason = (
                        "superseded",
                        self.env._("A more recent email says the same thing."),
                    )
                elif verdict == "changed":
                    rewritten.add(mail.mail_message_id.id)
                with self.env.cr.savepoint():
                    instead = mail._membri_apply_verdict(document, verdict, reason)
            except OperationalError:  # somebody is at work on it: it waits for the next run
                instead = mail.browse()
            except Exception as error:  # never out unseen: it waits where somebody looks
                instead = mail.browse()
                mail._membri_fail_review(document, error)
            leaving = (leaving - mail.with_env(self.env)) | instead.with_env(self.env)
        return leaving

    def _membri_get_newest(self, waiting):
        """:param waiting: ``{mail: document}``
        :return: ``{(model, id, kind): the id of the last email that was not cancelled}``"""
        if not waiting:
            return {}
        newest = {}
        for model in SUPERSEDING_MODELS:
            ids = [document.id for document in waiting.values() if document._name == model]
            # sudo: the queue of emails is worked off by anybody's request
            others_sudo = ids and self.sudo().search(
                [
                    ("model", "=", model),
                    ("res_id", "in", ids),
                    ("membri_kind", "!=", False),
                    ("state", "!=", "cancel"),
                ],
                order="id",
            )
            for mail in others_sudo or []:
                newest[model, mail.res_id, mail.membri_kind] = mail.mail_message_id.id
        return newest

    def _membri_get_verdict(self, document, newest):
        """:return: ``(what is to be done, why)``"""
        self.ensure_one()
        key = (self.model, self.res_id, self.membri_kind)
        if newest.get(key, 0) > self.mail_message_id.id:
            return "superseded", self.env._("A more recent email says the same thing.")
        kind = self.membri_kind or document._membri_guess_mail_kind(self)
        # sudo: what the email says of facts
        if reason := document._membri_get_mail_obstacle(kind, self.sudo()):
            return "dropped", reason
        if document._membri_get_mail_unreachable_reason(kind):
            return "unreachable", False
        if self.membri_facts and self.membri_facts != document._membri_get_mail_facts(kind):
            return "changed", False
        # an invoice is written as it leaves Odoo's queue of invoices, with the sender of that day
        if self.model == "membri.renewal" and self._membri_has_sender_left(document):
            return "changed", False
        return "leaves", False

    def _membri_has_sender_left(self, renewal):
        """Return whether the officer whose name and reply address it bears was archived, and
        another address would stand there today."""
        self.ensure_one()
        today = renewal._get_officer().email_formatted or renewal.company_id.email_formatted
        if email_normalize(self.email_from) == email_normalize(today):
            return False
        # sudo: who has left is not for everyone to read
        users_sudo = self.sudo().author_id.with_context(active_test=False).user_ids
        return bool(users_sudo) and not any(users_sudo.mapped("active"))

    def _membri_apply_verdict(self, document, verdict, reason):
        """:return: the emails that leave instead of this one"""
        if verdict == "changed":
            return document._membri_rewrite_mail(self)
        self._membri_cancel(
            reason or document._membri_get_mail_unreachable_reason(self.membri_kind)
        )
        if verdict == "dropped":
            document._membri_mail_dropped(self, reason)
        elif verdict == "unreachable":
            document._membri_mail_unreachable(self)
        return self.browse()

    def _membri_fail_review(self, document, error):
        sentence = self.env["membri.renewal"]._get_error_sentence(error)
        self.write({"state": "exception", "failure_type": "unknown", "failure_reason": sentence})
        document._membri_mail_failed(self, sentence)

    def _membri_cancel(self, reason):
        """:param reason: why these emails do not leave, kept with them"""
        self.write({"state": "cancel", "failure_reason": reason})
        # sudo: notifications follow their emails
        notifications_sudo = self.env["mail.notification"].sudo()
        notifications_sudo.search(
            [("mail_mail_id", "in", self.ids)]
        ).notification_status = "canceled"

    def cancel(self):
        # EXTENDS mail: by an administrator, in the queue of emails
        self.check_access("write")
        self._membri_tell_taken_out()
        return super().cancel()

    def unlink(self):
        # EXTENDS mail
        self.check_access("unlink")
        self._membri_tell_taken_out()
        return super().unlink()

    def _membri_tell_taken_out(self):
        """What is taken out of the queue before it left is not on its way: its document says so,
        unless a later email is."""
        waiting = self.filtered(
            lambda mail: mail.state == "outgoing" and not mail._membri_is_follower_copy()
        )
        documents = waiting._get_membri_documents()
        newest = self._membri_get_newest(documents)
        told = set()
        for mail, document in documents.items():
            last = newest.get((mail.model, mail.res_id, mail.membri_kind), 0)
            if document not in told and last <= mail.mail_message_id.id:
                told.add(document)
                document._membri_mail_failed(
                    mail,
                    document.env._(
                        "The email was removed from the outgoing emails before it was sent. Send "
                        "it again if needed."
                    ),
                )

    @api.model
    def _membri_get_just_sent_ids(self, documents):
        """:return: the ids of those ``documents`` that an email was made for a moment ago"""
        # sudo: the queue of emails is the administrator's
        found = self.sudo()._read_group(
            [
                ("model", "=", documents._name),
                ("res_id", "in", documents.ids),
                # who paid before is not who is sent this one
                ("membri_kind", "not in", (False, "released")),
                ("state", "in", ("outgoing", "sent")),
                ("date", ">=", fields.Datetime.now() - JUST_SENT),
            ],
            ["res_id"],
        )
        return {res_id for (res_id,) in found}

    def _membri_leave_soon(self):
        """One answer or decision leaves at once; many, and what the night decides, leave by the
        queue, which starts now."""
        if len(self) == 1 and not self.env.context.get("ir_cron_progress_id"):
            self.send_after_commit()
        elif self:
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    # ------------------------------------------------------------------
    # What became of it
    # ------------------------------------------------------------------

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        # EXTENDS mail: what became of a notice or an invoice; one that the mail server refuses
        # goes to the queue of failed sendings, with the reason
        for mail, document in self._get_membri_documents().items():
            if mail._membri_is_follower_copy():
                continue
            if failure_reason or failure_type:
                # the reason is kept: in the language of the staff, whoever sends
                told = mail.with_context(lang=document.env.lang)
                document._membri_mail_failed(
                    mail, told._membri_get_failure(failure_type, failure_reason)
                )
            else:
                document._membri_mail_left(mail)
        return super()._postprocess_sent_message(
            success_pids, success_emails, failure_reason=failure_reason, failure_type=failure_type
        )

    def _membri_is_follower_copy(self):
        """What becomes of the copy of who follows a document says nothing of the document.

        :return: whether this email is one, and does not go to the receiver"""
        self.ensure_one()
        # sudo: the queue of emails is worked off by anybody's request
        mail_sudo = self.sudo()
        named = mail_sudo.mail_message_id.partner_ids
        return bool(
            mail_sudo.recipient_ids
            and not mail_sudo.email_to
            and not mail_sudo.recipient_ids & named
        )

    def _membri_get_failure(self, failure_type, reason):
        """:return: what went wrong and what to do, in two sentences"""
        self.ensure_one()
        said = end_sentence(reason or self.failure_reason)
        if failure_type == "mail_smtp":
            return self.env._(
                "The mail server could not be reached. %(said)s Once it works again, use “Retry”.",
                said=said,
            )
        if failure_type in ("mail_from_missing", "mail_from_invalid"):
            return self.env._(
                "The sender's address is missing or invalid. %(said)s Correct the address "
                "of the membership officer or of the company, then use “Retry”.",
                said=said,
            )
        return self.env._(
            "The mail server rejected the email to %(address)s. %(said)s Correct the "
            "address, then use “Retry”.",
            address=self.email_to or ", ".join(filter(None, self.recipient_ids.mapped("email"))),
            said=said,
        )

    def _get_membri_documents(self):
        """:return: ``{mail: renewal, invoice or annual receipt}`` (in sudo) of those of ours"""
        documents = dict(self._get_membri_renewals())
        # sudo: the queue of emails is worked off by anybody's request
        ours_sudo = self.sudo().filtered(
            lambda mail: mail.membri_kind and mail.model == "account.move"
        )
        Move_sudo = self.env["account.move"].sudo()
        moves = Move_sudo.browse(ours_sudo.mapped("res_id")).exists()
        documents.update(
            # what becomes of them is told to the staff
            (mail, moves.browse(mail.res_id).with_prefetch(moves._ids)._membri_as_staff())
            for mail in ours_sudo
            if mail.res_id in moves._ids
        )
        documents.update(self._get_membri_annual_receipts())
        return documents

    def _get_membri_annual_receipts(self):
        """:return: ``{mail: annual receipt}`` of those emails that have one"""
        # sudo: the queue of emails is worked off by anybody's request
        mails_sudo = self.sudo().filtered(lambda mail: mail.model == "membri.annual.receipt")
        if not mails_sudo:
            return {}
        receipts_sudo = mails_sudo.env["membri.annual.receipt"].search(
            [("mail_id", "in", mails_sudo.ids)]
        )
        return {
            receipt.mail_id: receipt.with_context(lang=receipt.company_id._membri_get_staff_lang())
            for receipt in receipts_sudo
        }

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
            mail: Renewal_sudo.browse(mail.res_id)
            .with_prefetch(renewals._ids)
            ._split_by_staff_lang()[0]
            for mail in notices_sudo
            if mail.res_id in renewals._ids
        }

    # ------------------------------------------------------------------
    # What stands in it
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS mail: keys are put in as the email leaves
        for vals in vals_list:
            if vals.get("body_html"):
                vals["body_html"] = strip_keys(vals["body_html"])
        if together := Together.get(self.env):
            return together.add_mails(self, vals_list)
        return super().create(vals_list)

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        # EXTENDS mail: a text part that reads like a letter
        emails = super()._prepare_outgoing_list(
            mail_server=mail_server, doc_to_followers=doc_to_followers
        )
        self._membri_insert_keys(emails)
        is_test_notice = self.env.context.get("membri_sample")  # whose renewal is gone
        if is_test_notice or self._get_membri_documents():
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
