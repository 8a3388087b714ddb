from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import email_normalize

from ..mixins.keyless import KEY_OF_ANY, strip_keys
from .renewal import STAFF


class MembriRenewal(models.Model):
    """What became of an email: delivered, refused by the mail server, come back, or never
    sent because no address works. Nobody is lost: each failure has its queue and its way out
    (an address of another contact, a letter, another try)."""

    _inherit = "membri.renewal"

    delivery_email = fields.Char(
        string="Sent To",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        help="Address to which the last notice or reminder was sent.",
    )
    can_retry_sending = fields.Boolean(
        string="Sending Can Be Retried", compute="_compute_can_retry_sending", groups=STAFF
    )

    # ------------------------------------------------------------------
    # The address: follows the document that is on its way now. The invoice of who accepted goes to
    # its payer, all else to the member's recipient.
    # ------------------------------------------------------------------

    def _get_document_sudo(self):
        """Return the invoice (in sudo) that is the document now, or nothing: then it is the
        notice."""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        return invoice_sudo if self.state == "approved" else invoice_sudo.browse()

    def _get_document_recipient(self):
        """:return: the contact that the current document goes to"""
        if invoice_sudo := self._get_document_sudo():
            return invoice_sudo._membri_get_receiver().with_env(self.env)
        return self._get_member()._membri_get_recipient()

    def _get_document_address(self):
        """:return: an address that it goes to instead of the contact's own, or ``False``"""
        if invoice_sudo := self._get_document_sudo():
            return invoice_sudo._membri_get_receiver_address()
        return self._get_member()._membri_get_renewal_address()

    def _get_unreachable_reason(self):
        """:return: why no email can reach whoever gets the document (a sentence), or ``False``"""
        self.ensure_one()
        if invoice_sudo := self._get_document_sudo():
            return invoice_sudo._membri_get_unreachable_reason()
        return self._get_member()._membri_get_unreachable_reason()

    def _is_notice_undelivered(self):
        """Return whether the notice has reached nobody yet, by email or by post: it must not be
        called sent."""
        self.ensure_one()
        if self.state != "sent" or self.reminder_count or self.letter_state == "printed":
            return False
        if self.delivery_state == "failed":  # it may have been a reminder
            notice = Domain("membri_kind", "=", "notice")
            notice_sudo = self.env["mail.mail"]._membri_get_last_of(self, notice)
            return notice_sudo.state not in ("sent", "received")
        return self.delivery_state in ("unreachable", "letter")

    def _is_on_paper(self):
        """:return: whether letters go to whoever gets the document"""
        self.ensure_one()
        if invoice_sudo := self._get_document_sudo():
            return invoice_sudo._membri_is_on_paper()
        # sudo: the flag is the officers', the portal causes notices too
        return self._get_member().sudo().membri_notice_on_paper

    def _get_delivery_email(self):
        """:return: the normalized address that emails go to now, or ``False``"""
        self.ensure_one()
        # who it is now: the one that is stored was asked at the last sending
        address = self._get_document_address() or self._get_document_recipient().sudo().email
        return email_normalize(address, strict=False)

    def _mark_unreachable(self):
        """No email goes out: a letter is queued for printing instead, and the officer is
        told, unless the member gets letters anyway."""
        on_paper = self.filtered(lambda r: r._is_on_paper())
        for renewal in self:
            reason = renewal._get_unreachable_reason()
            by_letter = renewal in on_paper
            renewal._internal_write(
                {
                    "delivery_state": "letter" if by_letter else "unreachable",
                    "delivery_note": reason,
                    "delivery_email": False,
                }
            )
            if by_letter:
                continue
            renewal._record_undelivered(reason)
            if renewal._leaves_once_reachable():
                told = self.env._(
                    "Not emailed: %(reason)s Once there is a valid address, the nightly run "
                    "sends it. Or print the letter and mail it.",
                    reason=reason,
                )
            else:
                told = self.env._("Not sent: %(error)s", error=reason)
            renewal._message_log(body=told)
            renewal._schedule_once("membri_renewal.activity_unreachable", reason)
        self._queue_letters()

    def _is_still_here(self):
        """:return: whether it is in the queue of emails, and nothing of it has left yet"""
        self.ensure_one()
        return (
            self.delivery_state == "queued"
            and self.letter_state != "printed"
            and self.env["mail.mail"]._membri_is_still_here(self)
        )

    # ------------------------------------------------------------------
    # What the mail server reports
    # ------------------------------------------------------------------

    def _mark_queued(self):
        """Delivered once the mail server has taken it: see ``mail_mail.py``."""
        searched = self.filtered(lambda r: r.delivery_state in ("unreachable", "failed", "letter"))
        for renewal in self:
            renewal._internal_write(
                {
                    "delivery_state": "queued",
                    "delivery_note": False,
                    "delivery_email": renewal._get_delivery_email(),
                }
            )
        for renewal in self.filtered(lambda r: r._is_invoice_untold() and r._get_told_at_once()):
            renewal._delay_auto_invoice()
            renewal._record_auto_invoice_told(renewal._get_auto_invoice_facts())
        # an address was found: nobody has to look for one
        searched.sudo().activity_unlink(["membri_renewal.activity_unreachable"])
        self._unqueue_letters()

    # ------------------------------------------------------------------
    # Called by ``mail_mail.py`` as the email leaves
    # ------------------------------------------------------------------

    def _notify_by_email_get_base_mail_values(
        self, message, recipients_data, additional_values=None
    ):
        # EXTENDS mail: what the email says is kept with it
        values = super()._notify_by_email_get_base_mail_values(
            message, recipients_data, additional_values=additional_values
        )
        kind, template_id = self.env["mail.mail"]._membri_get_kind_of_context()
        if kind:
            values.update(
                {
                    "membri_kind": kind,
                    "membri_facts": self._membri_get_mail_facts(kind),
                    "membri_template_id": template_id,
                    # should it come back, it has not brought the invoice
                    "membri_date_before": self._get_document_sudo().membri_date_sent,
                }
            )
        return values

    def _membri_get_mail_facts(self, kind):
        """:return: what an email of this ``kind`` says, in short, and to whom"""
        self.ensure_one()
        if invoice_sudo := self._get_document_sudo():
            facts = f"approved {invoice_sudo.id} {invoice_sudo._membri_get_mail_facts(kind)}"
        else:
            facts = " ".join(
                filter(None, [self._get_notice_facts(kind), self._get_announced_facts()])
            )
        return f"{facts} {self._get_delivery_email()}"

    def _get_notice_facts(self, kind):
        """Return what is proposed to the member, in short: the beginning of the facts of an
        email that asks for an answer."""
        self.ensure_one()
        return f"{kind} {self.date_start} {self.date_end} {self.amount_total}"

    def _membri_guess_mail_kind(self, mail_sudo):
        """:return: the kind of an email that was queued before kinds were told apart"""
        asked = self.state == "sent" or mail_sudo.create_date < (
            self.date_approved or mail_sudo.create_date
        )
        return "notice" if asked else "reminder"

    def _membri_get_mail_obstacle(self, kind, mail_sudo=None):
        """:param kind: of an email that is about to leave: ``notice`` or ``reminder``
        :return: why it must not leave (a sentence), or ``False``"""
        self.ensure_one()
        # sudo: none: nothing has been written
        mail_sudo = mail_sudo or self.env["mail.mail"].sudo()
        facts = mail_sudo.membri_facts or ""
        asks_for_payment = facts.startswith("approved") if facts else kind == "reminder"
        if self.state not in ("sent", "approved") or (
            self.state == "approved" and not asks_for_payment
        ):
            return self.env._(
                "%(renewal)s now has the status “%(state)s”.",
                renewal=self.display_name,
                state=self._get_state_label(),
            )
        if self.state == "sent" and facts.startswith("approved"):
            return self.env._("%(renewal)s is no longer accepted.", renewal=self.display_name)
        if kind == "charge":  # it says itself what is charged
            return self._get_charge_mail_obstacle()
        # who reminded by hand had looked: only what was announced, or came, since counts
        invoice_sudo = self._get_invoice_sudo()
        seen = [invoice_sudo.membri_date_bank_line, invoice_sudo.membri_date_unused]
        told = max(filter(None, [self.date_payment_reported, *seen]), default=False)
        by_hand = not told or (mail_sudo.create_date and told <= mail_sudo.create_date)
        return self._get_no_reminder_reason(by_hand=by_hand, is_document=kind == "notice")

    def _membri_get_mail_unreachable_reason(self, _kind=None):
        return self._get_unreachable_reason()

    def _membri_rewrite_mail(self, mail_sudo):
        """Write an email that has not left anew, from what holds today: the document, its
        recipient, the sender. It stays the same email, so its trace and its log stay true.

        :return: the email"""
        self.ensure_one()
        renewal_sudo = self.sudo()  # sudo: the queue is worked off by anybody's request
        renewal_sudo._compute_recipient_id()
        template = mail_sudo.membri_template_id
        if not template or template.model != self._name:
            is_notice = (mail_sudo.membri_kind or "notice") == "notice"
            template = (
                self._get_notice_template()
                if is_notice and self.state != "approved"
                else self._get_reminder_template()
            )
        texts = template._membri_render(renewal_sudo)
        address = self._get_document_address()
        recipient = self.env["res.partner"] if address else self.recipient_id
        attachment = renewal_sudo._attach_documents().get(renewal_sudo)
        author_id, email_from = renewal_sudo._membri_compute_sender(texts["email_from"][self.id])
        message_sudo = mail_sudo.mail_message_id
        message_sudo.write(
            {
                "subject": texts["subject"][self.id],
                "body": strip_keys(texts["body_html"][self.id], KEY_OF_ANY),
                "author_id": author_id,
                "email_from": email_from,
                "reply_to": texts["reply_to"][self.id] or email_from,
                "mail_server_id": False,
                "partner_ids": [fields.Command.set(recipient.ids)],
                "outgoing_email_to": address,
                "attachment_ids": [fields.Command.set(attachment.ids if attachment else [])],
            }
        )
        mail_sudo.write(
            {
                "state": "outgoing",
                "failure_type": False,
                "failure_reason": False,
                "body_html": strip_keys(renewal_sudo._render_mail_layout(message_sudo), KEY_OF_ANY),
                "email_to": address,
                "recipient_ids": [fields.Command.set(recipient.ids)],
                "membri_template_id": template.id,
                "membri_facts": self._membri_get_mail_facts(mail_sudo.membri_kind or "notice"),
            }
        )
        notifications_sudo = self.env["mail.notification"].sudo()
        notifications_sudo.search([("mail_mail_id", "=", mail_sudo.id)])[:1].write(
            {
                "notification_status": "ready",
                "res_partner_id": recipient.id,
                "mail_email_address": address,
            }
        )
        renewal_sudo._internal_write({"delivery_email": self._get_delivery_email()})
        return mail_sudo

    def _render_mail_layout(self, message_sudo):
        """:return: the HTML of the email of this message, in the recipient's language"""
        renewal = self.with_context(mail_notify_author=True)
        recipients = renewal._notify_get_recipients(message_sudo, notify_skip_followers=True)
        _lang, values, group = next(
            iter(
                renewal._notify_get_classified_recipients_iterator(
                    message_sudo, recipients, force_email_lang=renewal._get_lang()
                )
            )
        )
        return renewal._notify_by_email_render_layout(message_sudo, group, render_values=values)

    def _membri_mail_leaves(self, _mail_sudo):
        self._prepare_leaving()

    def _membri_mail_left(self, mail_sudo):
        self.ensure_one()
        if self.delivery_state in ("queued", "failed"):
            self._internal_write({"delivery_state": "delivered", "delivery_note": False})
        if carried_sudo := self._get_carried_sudo(mail_sudo):
            carried_sudo._membri_record_carried()
        self._record_reminder(mail_sudo.mail_message_id, "sent")
        self._record_left(mail_sudo.membri_facts or "")

    def _get_carried_sudo(self, mail_sudo):
        """:return: in sudo, the current invoice or fee notice, where this email carried it"""
        self.ensure_one()
        document_sudo = self._get_document_sudo()
        carries = document_sudo and (mail_sudo.membri_facts or "").startswith(
            f"approved {document_sudo.id} "
        )
        return document_sudo if carries else document_sudo.browse()

    def _membri_mail_failed(self, mail_sudo, sentence):
        """:param sentence: what went wrong and what to do"""
        self._mark_failed(sentence)
        self._record_reminder(mail_sudo.mail_message_id, "failed", sentence)

    def _membri_mail_dropped(self, mail_sudo, reason):
        self._message_log(body=self.env._("Not sent: %(error)s", error=reason))
        if self.delivery_state in ("queued", "failed") and self._is_told_by(mail_sudo):
            self._internal_write({"delivery_state": "withdrawn", "delivery_note": reason})
        self._record_reminder(mail_sudo.mail_message_id, "skipped", reason)

    def _is_told_by(self, mail_sudo):
        """The document as it is now has the status of its last email: not that of a notice once the
        invoice is on its way, nor that of an email before.

        :return: whether ``mail_sudo`` is that email"""
        self.ensure_one()
        facts = mail_sudo.membri_facts
        is_to_pay = facts.startswith("approved") if facts else self.state == "approved"
        is_last = self._get_last_mail().mail_message_id == mail_sudo.mail_message_id
        return is_last and is_to_pay == bool(self._get_document_sudo())

    def _membri_mail_unreachable(self, mail_sudo):
        self._mark_unreachable()
        self._record_reminder(mail_sudo.mail_message_id, "skipped", self.delivery_note)

    def _withdraw_undelivered(self):
        """The invoice is void, or no longer theirs: nobody has to bring it to its payer."""
        undelivered = self.filtered(
            lambda r: r.delivery_state in ("queued", "failed", "unreachable")
        )
        for renewals in undelivered._split_by_staff_lang():
            for renewal in renewals:
                note = renewal.env._(
                    "%(renewal)s is no longer accepted.", renewal=renewal.display_name
                )
                renewal._internal_write({"delivery_state": "withdrawn", "delivery_note": note})

    def _mark_withdrawn_while_held(self):
        """What is awaited again as sent did not leave, because it was held then: somebody has to
        send it. A reminder that was withdrawn comes by itself."""
        unsent = self.filtered(
            lambda r: (
                r.state == "sent"
                and r.delivery_state == "withdrawn"
                and r.letter_state != "printed"
                and r._get_last_mail().membri_kind != "reminder"
            )
        )
        for renewals in unsent._split_by_staff_lang():
            renewals._mark_failed(
                renewals.env._(
                    "The email was withdrawn while the renewal was on hold, and has not been sent "
                    "since. Use “Resend”."
                )
            )

    def _mark_failed(self, error):
        """Record why something could not be done; the queue of failed sendings shows it."""
        for renewal in self:
            renewal._internal_write({"delivery_state": "failed", "delivery_note": str(error)})
            renewal._message_log(body=self.env._("Failed: %(error)s", error=error))
            renewal._record_undelivered(str(error))

    # ------------------------------------------------------------------
    # Announcements count once they have left
    # ------------------------------------------------------------------

    def _get_told_at_once(self):
        """Return now, where Odoo sends no email at all, as in its tests: what is handed over
        counts, since nothing will ever leave; ``False`` where emails leave, and on paper."""
        self.ensure_one()
        if self._is_on_paper() or not self.env["ir.mail_server"]._disable_send():
            return False
        return fields.Datetime.now()

    def _get_announced_facts(self):
        """:return: what the document announces, in short: an invoice, a payment"""
        self.ensure_one()
        return " ".join(filter(None, [self._get_auto_invoice_facts(), self._get_told_facts()]))

    def _prepare_leaving(self):
        """An email is handed to the mail server, or a letter is printed, now."""
        self._delay_auto_invoice()
        self._before_leaving()

    def _record_left(self, facts):
        """The mail server took the email, or the letter was printed.

        :param facts: what it said, as of :meth:`_get_announced_facts`, and more"""
        self._record_auto_invoice_told(facts)
        self._after_leaving(facts)

    def _record_undelivered(self, reason):
        """:param reason: why what was to leave did not, or came back (a sentence)"""
        self._forget_auto_invoice_told()
        self._after_undelivered(reason)

    # ------------------------------------------------------------------
    # Retrying what failed
    # ------------------------------------------------------------------

    @api.depends("state", "delivery_state")
    def _compute_can_retry_sending(self):
        """Where an email that was deleted, or an answer that could not be carried out, is what has
        failed, there is nothing to try again: the other buttons go on."""
        for renewal in self:
            renewal.can_retry_sending = renewal.delivery_state == "failed" and bool(
                renewal.state == "draft"
                or renewal._get_failed_mails()
                or renewal._has_failed_invoice()
            )

    def action_retry_sending(self):
        """Hand the emails that failed to the mail server again, at the addresses of today; a
        draft whose sending failed is sent."""
        self._check_can("retry_sending")
        self.filtered(lambda r: r.state == "draft")._check_ready_to_leave()
        self._do_retry_sending()
        return True

    def _get_cannot_retry_sending_reason(self):
        self.ensure_one()
        if self.delivery_state != "failed":
            return self.env._(
                "%(renewal)s: no email failed. There is nothing to retry.",
                renewal=self.display_name,
            )
        if self.state == "draft":
            return self._get_cannot_reason("send")
        if not self._get_failed_mails() and not self._has_failed_invoice():
            return self.env._(
                "%(renewal)s: no email failed, so there is none to retry. %(reason)s Fix the "
                "cause, then continue with the other buttons.",
                renewal=self.display_name,
                reason=self.delivery_note or "",
            )
        if reason := self._get_unreachable_reason():
            return self.env._(
                "%(renewal)s: %(reason)s Correct the address first.",
                renewal=self.display_name,
                reason=reason,
            )
        return False

    def _do_retry_sending(self):
        """Each from its current document: to whom it goes, from whom, and what it says."""
        drafts = self.filtered(lambda r: r.state == "draft")
        drafts._do_send_or_approve()
        self._delay_auto_invoice()
        # sudo: the queue of emails is the administrator's
        mails_sudo = self.env["mail.mail"].sudo()
        invoices_sudo = self.env["account.move"].sudo()
        for renewal in self - drafts:
            mail_sudo = renewal._get_failed_mails()
            if mail_sudo:
                mails_sudo |= renewal._membri_rewrite_mail(mail_sudo)
                renewal._record_reminder(mail_sudo.mail_message_id, "sent")
                renewal._mark_queued()
            else:
                invoices_sudo |= renewal._get_invoice_sudo()
        mails_sudo._membri_leave_soon()
        invoices_sudo._membri_retry_sending()

    def _has_failed_invoice(self):
        """:return: whether it is the sending of the invoice that failed"""
        invoice_sudo = self._get_document_sudo()
        return bool(invoice_sudo) and invoice_sudo.membri_delivery_state == "failed"

    def _get_failed_mails(self):
        """Return the last notice or reminder in the queue of emails, if it failed and is about
        what the document is now: no notice once it is accepted."""
        return self._get_last_mail().filtered(
            lambda mail: mail.state == "exception" and self._is_told_by(mail)
        )

    def _get_last_mail(self):
        """:return: the last notice or reminder in the queue of emails (in sudo)"""
        notice = self.env.ref("membri_renewal.mt_notice")
        return self.env["mail.mail"]._membri_get_last_of(self, Domain("subtype_id", "=", notice.id))

    # ------------------------------------------------------------------
    # Bounced emails
    # ------------------------------------------------------------------

    def _message_receive_bounce(self, email, partner):
        # EXTENDS mail: called after the contacts with this address were marked as bouncing
        result = super()._message_receive_bounce(email, partner)
        address = email_normalize(email, strict=False)
        self.env["res.partner"]._membri_mark_renewal_email_bounced(address)
        # sudo: the mail gateway works for everybody
        bounced_sudo = self.sudo().filtered(lambda r: address and r.delivery_email == address)
        errors = bounced_sudo._run_isolated_for_staff(type(self)._handle_bounce)
        for renewal, error in errors.items():
            renewal._mark_failed(renewal._get_error_sentence(error))
        return result

    def _handle_bounce(self):
        """The last email has come back. While the member's answer or payment is awaited,
        write to another contact if there is one, else post a letter."""
        awaiting = self.filtered_domain(self._get_awaiting_domain())
        for renewal in awaiting:
            note = self.env._("The email to %(address)s bounced.", address=renewal.delivery_email)
            renewal._message_log(body=note)
            renewal._record_undelivered(note)
            mail_sudo = renewal._get_last_mail()
            if carried_sudo := renewal._get_carried_sudo(mail_sudo):
                carried_sudo._membri_record_carried_back(mail_sudo)
        unreachable = awaiting.filtered(lambda r: r._get_unreachable_reason())
        unreachable._mark_unreachable()
        # what had not come by itself waits for an address, as an invoice
        invoices_sudo = unreachable.filtered(lambda r: r.state == "approved")._get_invoice_sudo()
        invoices_sudo.filtered(
            lambda m: m.membri_delivery_state == "failed"
        )._membri_mark_unreachable()
        came_back = {renewal: renewal._get_last_mail().mail_message_id for renewal in awaiting}
        for renewal in unreachable.filtered(came_back.get):  # it has reminded nobody
            renewal._record_reminder(came_back[renewal], "failed", renewal.delivery_note)
        reached = awaiting - unreachable
        to_pay = reached.filtered(lambda r: r.state == "approved")
        # once to who pays for several
        shared = to_pay.filtered(lambda r: r._get_invoice_sudo()._membri_is_shared())
        shared._remind_payers()
        messages = (to_pay - shared)._send_notice(lambda r: r._get_reminder_template(), "reminder")
        messages |= (reached - to_pay)._send_notice(lambda r: r._get_notice_template())
        for renewal, message in messages.items():
            renewal._retry_reminder(came_back[renewal], message)
        if messages:
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    @api.model
    def _get_awaiting_domain(self):
        """:return: renewals whose member has to answer or to pay"""
        return Domain("state", "=", "sent") | (
            Domain("state", "=", "approved") & Domain("is_paid", "=", False)
        )
