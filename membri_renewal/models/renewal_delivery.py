from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import email_normalize


class MembriRenewal(models.Model):
    """What became of an email: delivered, refused by the mail server, come back, or never
    sent because no address works. Nobody is lost: each failure has its queue and its way out
    (an address of another contact, a letter, another try)."""

    _inherit = "membri.renewal"

    delivery_email = fields.Char(
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="The address that the last notice or reminder went to.",
    )

    # ------------------------------------------------------------------
    # Reach
    # ------------------------------------------------------------------

    def _get_unreachable_reason(self):
        """:return: why no email can reach the member (a sentence), or ``False``"""
        self.ensure_one()
        return self._get_member()._membri_get_unreachable_reason()

    def _get_delivery_email(self):
        """:return: the normalized address that notices go to now, or ``False``"""
        self.ensure_one()
        address = self._get_member()._membri_get_renewal_address() or self.recipient_id.sudo().email
        return email_normalize(address, strict=False)

    def _mark_unreachable(self):
        """No email goes out: a letter is queued for printing instead, and the officer is
        told, unless the member gets letters anyway."""
        on_paper = self.filtered(lambda r: r._get_member().sudo().membri_notice_on_paper)
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
            renewal._message_log(
                body=self.env._(
                    "Not emailed: %(reason)s Correct the address and send again, or print the "
                    "letter and post it.",
                    reason=reason,
                )
            )
            renewal._schedule_once("membri_renewal.activity_unreachable", reason)
        self._queue_letters()

    # ------------------------------------------------------------------
    # The mail server's word
    # ------------------------------------------------------------------

    def _mark_queued(self):
        """Delivered once the mail server has taken it: see ``mail_mail.py``."""
        for renewal in self:
            renewal._internal_write(
                {
                    "delivery_state": "queued",
                    "delivery_note": False,
                    "delivery_email": renewal._get_delivery_email(),
                }
            )
        # an address was found: nobody has to look for one
        self.sudo().activity_unlink(["membri_renewal.activity_unreachable"])
        self._unqueue_letters()

    def _mark_delivered(self, message):
        self.ensure_one()
        if self.delivery_state in ("queued", "failed"):
            self._internal_write({"delivery_state": "delivered", "delivery_note": False})
            self._get_reminder_logs(message, "failed").write({"result": "sent", "reason": False})

    def _mark_sending_failed(self, message, failure_type, reason):
        """:param message: the ``mail.message`` that could not be delivered
        :param failure_type: of ``mail.notification``
        :param reason: what the mail server said, if anything"""
        self.ensure_one()
        sentence = self._get_sending_failure(failure_type, reason)
        self._mark_failed(sentence)
        self._get_reminder_logs(message, "sent").write({"result": "failed", "reason": sentence})

    def _get_reminder_logs(self, message, result):
        # sudo: the log is written by the system only
        return self.sudo().reminder_log_ids.filtered(
            lambda log: log.message_id == message and log.result == result
        )

    def _get_sending_failure(self, failure_type, reason):
        """:return: what went wrong and what to do, in two sentences"""
        self.ensure_one()
        address = self.delivery_email or self.recipient_email or ""
        said = " ".join((reason or "").split())
        if failure_type == "mail_smtp":
            return self.env._(
                "The mail server could not be reached. %(said)s When it works again, use “Try "
                "again”.",
                said=said,
            )
        if failure_type in ("mail_from_missing", "mail_from_invalid"):
            return self.env._(
                "The sender's address is missing or wrong. %(said)s Correct the address of the "
                "officer or of the company, then use “Try again”.",
                said=said,
            )
        return self.env._(
            "The mail server did not take the email to %(address)s. %(said)s Correct the "
            "address, then use “Try again”.",
            address=address,
            said=said,
        )

    def _mark_failed(self, error):
        """Record why something could not be done; the queue of failed sendings shows it."""
        for renewal in self:
            renewal._internal_write({"delivery_state": "failed", "delivery_note": str(error)})
            renewal._message_log(body=self.env._("Not done: %(error)s", error=error))

    # ------------------------------------------------------------------
    # Try again
    # ------------------------------------------------------------------

    def action_retry_sending(self):
        """Hand the emails that failed to the mail server again, at the addresses of today; a
        draft whose sending failed is sent."""
        self._check_can("retry_sending")
        self._do_retry_sending()
        return True

    def _get_cannot_retry_sending_reason(self):
        self.ensure_one()
        if self.delivery_state != "failed":
            return self.env._(
                "%(renewal)s: no sending has failed, there is nothing to try again.",
                renewal=self.display_name,
            )
        if self.state == "draft":
            return self._get_cannot_reason("send")
        if not self._get_failed_mails():
            return self.env._(
                "%(renewal)s: it is not an email that failed. %(reason)s Mend the cause, then "
                "use the button of what you want to do.",
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
        drafts = self.filtered(lambda r: r.state == "draft")
        if drafts:
            drafts.action_send()
        others = self - drafts
        others._as_internal()._compute_recipient_id()
        for renewal in others:
            mail_sudo = renewal._get_failed_mails()
            address = renewal._get_member()._membri_get_renewal_address()
            mail_sudo.write(
                {
                    "state": "outgoing",
                    "email_to": address,
                    "recipient_ids": [
                        fields.Command.set([] if address else renewal.recipient_id.ids)
                    ],
                }
            )
        others._mark_queued()

    def _get_failed_mails(self):
        """:return: the last notice or reminder in the queue of emails, if it failed"""
        self.ensure_one()
        # sudo: the queue of emails is the administrator's
        last_sudo = (
            self.env["mail.mail"]
            .sudo()
            .search(
                [
                    ("model", "=", self._name),
                    ("res_id", "=", self.id),
                    ("subtype_id", "=", self.env.ref("membri_renewal.mt_notice").id),
                ],
                order="id desc",
                limit=1,
            )
        )
        return last_sudo.filtered(lambda mail: mail.state == "exception")

    # ------------------------------------------------------------------
    # Emails that come back
    # ------------------------------------------------------------------

    def _message_receive_bounce(self, email, partner):
        # EXTENDS mail: called after the contacts with this address were marked as bouncing
        result = super()._message_receive_bounce(email, partner)
        address = email_normalize(email, strict=False)
        # sudo: the mail gateway works for everybody
        for company in self.env["res.company"]._membri_get_all():
            self.env["res.partner"].sudo().with_context(active_test=False).with_company(
                company
            ).search(
                [("membri_renewal_email_normalized", "=", address)]
            ).membri_renewal_email_bounced = True
        bounced = self.sudo().filtered(lambda r: address and r.delivery_email == address)
        for renewals in bounced._split_by_staff_lang():
            for renewal, error in renewals._run_isolated(type(self)._handle_bounce).items():
                renewal._mark_failed(renewal._get_error_sentence(error))
        return result

    def _handle_bounce(self):
        """The last email has come back. While the member's answer or payment is awaited,
        write to another contact if there is one, else post a letter."""
        awaiting = self.filtered_domain(self._get_awaiting_domain())
        for renewal in awaiting:
            renewal._message_log(
                body=self.env._(
                    "The email to %(address)s came back.", address=renewal.delivery_email
                )
            )
        unreachable = awaiting.filtered(lambda r: r._get_unreachable_reason())
        unreachable._mark_unreachable()
        (awaiting - unreachable)._send_notice(
            lambda renewal: (
                renewal._get_reminder_template()
                if renewal.state == "approved"
                else renewal._get_notice_template()
            )
        )

    @api.model
    def _get_awaiting_domain(self):
        """:return: renewals whose member has to answer or to pay"""
        return Domain("state", "=", "sent") | (
            Domain("state", "=", "approved") & Domain("is_paid", "=", False)
        )
