from odoo import api, fields, models

from ..mail_mail import was_just_now
from .document import PDF_BATCH
from .renewal import STAFF


class MembriRenewal(models.Model):
    """The notice goes out: by email with its PDF, and its trace in every chatter."""

    _inherit = "membri.renewal"

    date_notice = fields.Datetime(
        string="Current Notice Sent On",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="Date on which the notice was last sent, whether or not it reached the member.",
    )
    is_just_sent = fields.Boolean(
        string="Sent a Moment Ago",
        compute="_compute_is_just_sent",
        groups=STAFF,
        help="The form asks for confirmation before sending it again.",
    )

    @api.depends("state", "date_sent", "date_last_reminder", "delivery_state")
    def _compute_is_just_sent(self):
        Mail = self.env["mail.mail"]
        own = Mail._membri_get_just_sent_ids(self._origin)
        invoices = Mail._membri_get_just_sent_ids(self.invoice_id)
        for renewal in self:
            renewal.is_just_sent = (
                renewal._origin.id in own
                or renewal.invoice_id.id in invoices
                # of several members together: the email is made a minute later
                or was_just_now(renewal.date_last_reminder)
            )

    # ------------------------------------------------------------------
    # Send
    # ------------------------------------------------------------------

    def _get_cannot_send_reason(self):
        self.ensure_one()
        if not self.line_ids:
            return self.env._(
                "%(renewal)s has no options, so there is nothing to send. Add at least one.",
                renewal=self.display_name,
            )
        return (
            self._get_archived_reason()
            or self.line_ids._get_archived_product_reason()
            or self._get_term_over_reason()  # nobody could accept it
        )

    def _do_send(self):
        """Send the notice with its PDF. Prices are frozen from now on.

        A member without a usable address is not lost: the renewal is `sent` all the same,
        marked as unreachable for the queue of letters to post, and the officer is told.
        """
        renewals = self.union()  # a client may name a record twice: one notice for each
        if not renewals:
            return
        now = fields.Datetime.now()
        renewals._plan_auto_invoice()
        for date_sent, together in renewals.grouped(type(self)._get_asked_since).items():
            together._set_state(
                "sent",
                date_sent=date_sent or now,
                date_notice=now,
                state_before_intervention=False,
                intervention_reason=False,
            )
        for renewal in renewals:
            renewal._portal_ensure_token()  # the answer link; pages and reports make none
        renewals._follow_taxes()
        renewals._before_document()
        renewals._clear_intervention()
        renewals._end_activities()
        renewals._renew_letters()
        messages = renewals._send_notice(lambda renewal: renewal._get_notice_template())
        renewals._leave_soon(messages)
        renewals._skip_overtaken_steps()
        renewals._update_next_reminder()
        renewals._refresh_members()

    def _get_asked_since(self):
        """Return since when the reply is awaited, or ``False`` for from now on: a notice that is
        sent again waits no less long; after a reset it is another question."""
        self.ensure_one()
        return self.state != "draft" and self.date_sent

    def _get_notice_template(self):
        self.ensure_one()
        if self._is_announced():
            return self.env.ref("membri_renewal.mail_template_auto_invoice")
        return self.option_set_id.notice_template_id or self.env.ref(
            "membri_renewal.mail_template_notice"
        )

    def _send_notice(self, get_template, kind="notice"):
        """Email ``self`` in batches, each with its PDF.

        :param get_template: function from a renewal to its ``mail.template``
        :param kind: ``notice`` or ``reminder``
        :return: ``{renewal: mail.message}`` of those that an email goes to
        """
        self._as_internal()._compute_recipient_id()  # the person in charge may have changed since
        unreachable = self.filtered(lambda r: r._get_unreachable_reason())
        unreachable._mark_unreachable()
        messages = {}
        for template, renewals in (self - unreachable).grouped(get_template).items():
            for start in range(0, len(renewals), PDF_BATCH):
                batch = renewals[start : start + PDF_BATCH]
                messages |= batch._post_notices(template, batch._attach_documents(), kind)
                if len(self) > PDF_BATCH:  # thousands in one go must not fill the memory
                    self.env.flush_all()
                    self.env.invalidate_all()
        return messages

    def _leave_soon(self, messages):
        """Let these emails leave now, not with the hourly queue.

        :param messages: as :meth:`_send_notice` returns them"""
        ids = [message.id for message in messages.values()]
        # sudo: the queue of emails is the administrator's
        Mail_sudo = self.env["mail.mail"].sudo()
        Mail_sudo.search([("mail_message_id", "in", ids)])._membri_leave_soon()

    def _post_notices(self, template, attachments, kind="notice"):
        """:param template: ``mail.template`` on renewals; its subject and body are rendered
            in the language of each recipient
        :param attachments: ``{renewal: ir.attachment}``, the document of each email
        :return: ``{renewal: mail.message}``
        """
        no_file = self.env["ir.attachment"]

        def get_values(renewal):
            address = renewal._get_document_address()
            return {
                "subtype_xmlid": "membri_renewal.mt_notice",
                "partner_ids": [] if address else renewal.recipient_id.ids,
                "outgoing_email_to": address or False,
                "attachment_ids": attachments.get(renewal, no_file).ids,
                "force_email_lang": renewal._get_lang(),
                "mail_auto_delete": False,
            }

        # sudo: members who accept send what follows
        messages = template._membri_post(self.sudo(), kind, get_values)
        self._log_on_contacts(
            {
                renewal: renewal.env._(
                    "%(renewal)s: “%(subject)s” goes to %(recipient)s.",
                    renewal=renewal.name,
                    subject=messages[renewal].subject,
                    recipient=renewal._get_document_address() or renewal.recipient_id.display_name,
                )
                for renewal in self
            },
            attachments,
        )
        self._mark_queued()
        return messages
