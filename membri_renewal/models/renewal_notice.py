from odoo import fields, models

PDF_BATCH = 50


class MembriRenewal(models.Model):
    """The notice: who receives it, the PDF, the email, and its trace in every chatter."""

    _inherit = "membri.renewal"

    # ------------------------------------------------------------------
    # Send
    # ------------------------------------------------------------------

    def _get_cannot_send_reason(self):
        self.ensure_one()
        if not self.line_ids:
            return self.env._(
                "%(renewal)s proposes no option: there is nothing to send. Add at least one.",
                renewal=self.display_name,
            )
        return False

    def _do_send(self):
        """Send the notice with its PDF. Prices are frozen from now on.

        A member without a usable address is not lost: the renewal is `sent` all the same,
        marked as unreachable for the queue of letters to post, and the officer is told.
        """
        if not self:
            return
        now = fields.Datetime.now()
        for renewal in self:
            renewal._set_state(
                "sent",
                date_sent=renewal.date_sent or now,
                state_before_intervention=False,
                intervention_reason=False,
            )
            renewal._portal_ensure_token()  # the answer link; pages and reports make none
        self._clear_intervention()
        self._end_activities()
        self._send_notice(lambda renewal: renewal._get_notice_template())
        self._skip_overtaken_steps()
        self._update_next_reminder()
        self._refresh_members()

    def _get_notice_template(self):
        self.ensure_one()
        return self.option_set_id.notice_template_id or self.env.ref(
            "membri_renewal.mail_template_notice"
        )

    def _send_notice(self, get_template):
        """Email ``self`` in batches, each with its PDF.

        :param get_template: function from a renewal to its ``mail.template``
        """
        self._compute_recipient_id()  # the person in charge may have changed since
        unreachable = self.filtered(lambda r: r._get_unreachable_reason())
        unreachable._mark_unreachable()
        for template, renewals in (self - unreachable).grouped(get_template).items():
            for start in range(0, len(renewals), PDF_BATCH):
                renewals[start : start + PDF_BATCH]._email_with_notice(template)

    def _email_with_notice(self, template):
        """:param template: ``mail.template`` on renewals; its subject and body are rendered
        in the language of each recipient"""
        self._post_notices(template, self._attach_documents())

    def _post_notices(self, template, attachments):
        """:param attachments: ``{renewal: ir.attachment}``, the document of each email"""
        template_sudo = template.sudo()  # an answer of the portal may send too
        bodies = template_sudo._render_field(
            "body_html", self.ids, compute_lang=True, options={"post_process": True}
        )
        subjects = template_sudo._render_field("subject", self.ids, compute_lang=True)
        senders = template_sudo._render_field("email_from", self.ids)
        replies = template_sudo._render_field("reply_to", self.ids)
        for renewal in self:
            attachment = attachments.get(renewal, self.env["ir.attachment"])
            other_address = renewal.partner_id._membri_get_renewal_address()
            renewal.with_context(
                mail_post_autofollow_author_skip=True, mail_notify_author=True
            ).sudo().message_post(
                body=bodies[renewal.id],
                subject=subjects[renewal.id],
                message_type="comment",
                subtype_xmlid="membri_renewal.mt_notice",
                partner_ids=[] if other_address else renewal.recipient_id.ids,
                outgoing_email_to=other_address or False,
                email_from=senders[renewal.id] or None,
                reply_to=replies[renewal.id] or None,
                attachment_ids=attachment.ids,
                email_layout_xmlid=template_sudo.email_layout_xmlid or "membri_renewal.mail_layout",
                force_email_lang=renewal._get_lang(),
                force_send=False,
                mail_auto_delete=False,
            )
        self._log_on_contacts(
            {
                renewal: renewal.env._(
                    "%(renewal)s: “%(subject)s” was sent to %(recipient)s.",
                    renewal=renewal.name,
                    subject=subjects[renewal.id],
                    recipient=renewal.partner_id._membri_get_renewal_address()
                    or renewal.recipient_id.display_name,
                )
                for renewal in self
            },
            attachments,
        )
        # delivered once the mail server has taken it: see mail.mail
        self._internal_write({"delivery_state": "queued", "delivery_note": False})

    def _attach_documents(self):
        """:return: ``{renewal: ir.attachment}``: the invoice of renewals that are accepted,
        the notice of all others"""
        invoiced = self.filtered(lambda r: r.state == "approved" and r.invoice_id)
        return (self - invoiced)._attach_notices() | invoiced._attach_invoices()

    def _attach_invoices(self):
        documents = {}
        for renewal in self:
            document = renewal.invoice_id.sudo()._get_invoice_legal_documents(
                "pdf", allow_fallback=True
            )
            documents[renewal] = (
                self.env["ir.attachment"]
                .sudo()
                .create(
                    {
                        "name": document["filename"],
                        "raw": document["content"],
                        "mimetype": "application/pdf",
                        "res_model": renewal._name,
                        "res_id": renewal.id,
                    }
                )
            )
        return documents

    def _attach_notices(self):
        """Render the PDF of many notices in one call of wkhtmltopdf.

        :return: ``{renewal: ir.attachment}``
        """
        if not self:
            return {}
        report_name = "membri_renewal.report_renewal_notice"
        Report_sudo = self.env["ir.actions.report"].sudo()
        content, report_type = Report_sudo._pre_render_qweb_pdf(report_name, res_ids=self.ids)
        content_by_id = Report_sudo._get_splitted_report(report_name, content, report_type)
        attachments_sudo = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": renewal._get_notice_filename(),
                        "raw": content_by_id[renewal.id],
                        "mimetype": "application/pdf",
                        "res_model": renewal._name,
                        "res_id": renewal.id,
                    }
                    for renewal in self
                ]
            )
        )
        return dict(zip(self, attachments_sudo, strict=True))

    def _get_notice_filename(self):
        return self.with_context(lang=self._get_lang())._get_report_base_filename() + ".pdf"

    # ------------------------------------------------------------------
    # Reach
    # ------------------------------------------------------------------

    def _get_unreachable_reason(self):
        """:return: why no email can reach the member (a sentence), or ``False``"""
        self.ensure_one()
        return self.partner_id._membri_get_unreachable_reason()

    def _mark_unreachable(self):
        for renewal in self:
            reason = renewal._get_unreachable_reason()
            renewal._internal_write({"delivery_state": "unreachable", "delivery_note": reason})
            renewal._message_log(
                body=self.env._(
                    "Not emailed: %(reason)s Correct the address and send again, or print the "
                    "notice and post it.",
                    reason=reason,
                )
            )
            renewal._schedule_once("membri_renewal.activity_unreachable", reason)

    def _mark_failed(self, error):
        """Record why something could not be done; the queue of failed sendings shows it."""
        for renewal in self:
            renewal._internal_write({"delivery_state": "failed", "delivery_note": str(error)})
            renewal._message_log(body=self.env._("Not done: %(error)s", error=error))
