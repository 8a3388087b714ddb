from odoo import api, fields, models
from odoo.tools.pdf import merge_pdf

from .document import PDF_BATCH

REMINDER_REPORT = "membri_renewal.report_reminder_letter"


class ResPartner(models.Model):
    _inherit = "res.partner"

    membri_notice_on_paper = fields.Boolean(
        string="Notices by Mail",
        company_dependent=True,
        copy=False,
        groups="membri_renewal.group_membri_readonly",
        help="A letter to print is prepared with each notice, in addition to the email if the "
        "address works.",
    )


class MembriRenewal(models.Model):
    """Notices on paper: the queue of letters to print, and what was printed when."""

    _inherit = "membri.renewal"

    letter_state = fields.Selection(
        [("to_print", "To Print"), ("printed", "Printed")],
        string="Letter",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        help="Queued when no email reaches the member, or when the member asked for paper.",
    )
    letter_content = fields.Selection(
        [("document", "Notice or Invoice"), ("reminder", "Reminder")],
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="Content of the letter to print, or of the last one printed.",
    )
    date_printed = fields.Datetime(
        string="Letter Printed On", readonly=True, copy=False, groups="base.group_user"
    )

    def _queue_letters(self, is_reminder=False):
        """One letter for each document: what is printed already is not queued again by a
        second bounce; sending the notice again is another letter.

        :param is_reminder: a letter with the wording of a reminder, to who gets paper; not while
            the document itself waits to be printed
        """
        missing = self.filtered(
            lambda r: not r.letter_state or (is_reminder and r.letter_state == "printed")
        )
        missing._internal_write(
            {
                "letter_state": "to_print",
                "letter_content": "reminder" if is_reminder else "document",
            }
        )

    def _unqueue_letters(self):
        """An email goes out: no letter is needed, but for members who asked for one."""
        unneeded = self.filtered(lambda r: r.letter_state == "to_print" and not r._is_on_paper())
        unneeded._internal_write({"letter_state": False})
        unneeded._drop_waiting_reminders(self.env._("An email was sent instead of the letter."))

    def _withdraw_letters(self, reason=None):
        """Letters that wait to be printed are not true any more: they leave their queue, and
        nobody says that they were mailed.

        :param reason: why (a sentence, as of an email that is withdrawn); default: the status
        """
        for renewals in self._split_by_staff_lang():
            for renewal in renewals:
                why = reason or renewal.env._(
                    "%(renewal)s now has the status “%(state)s”.",
                    renewal=renewal.display_name,
                    state=renewal._get_state_label(),
                )
                vals = {"letter_state": False}
                if renewal.delivery_state == "letter" and renewal.letter_content == "document":
                    vals.update(delivery_state="withdrawn", delivery_note=why)
                renewal._internal_write(vals)
                renewal._drop_waiting_reminders(why)
                renewal._message_log(
                    body=renewal.env._("The letter was not printed. %(reason)s", reason=why)
                )

    def _renew_letters(self):
        """The notice goes out, for the first time or changed."""
        waiting = self.filtered(lambda r: r.letter_state == "to_print")
        waiting._drop_waiting_reminders(self.env._("The notice was sent again."))
        on_paper = self.filtered(lambda r: r._is_on_paper())
        on_paper._internal_write({"letter_state": "to_print", "letter_content": "document"})
        (self - on_paper).filtered("letter_state")._internal_write({"letter_state": False})

    # ------------------------------------------------------------------
    # Print
    # ------------------------------------------------------------------

    def action_print_letter(self):
        """Print the notices as letters (of who accepted and has not paid, the invoice), and
        record that they were: one PDF, sorted as the post likes it.

        :return: a client action that downloads the file
        """
        self._check_can("print_letter")
        attachment = self._do_print_letters()
        self._tell_letters_printed(len(self.union()))
        return self._get_letters_action(attachment)

    @api.model
    def _tell_letters_printed(self, count):
        """Say on the user's screen that ``count`` letters left the queue: their file opens in
        another tab, so the word stays until it is closed."""
        self.env.user._bus_send(
            "simple_notification",
            {
                "type": "success",
                "sticky": True,
                "message": self.env._(
                    "Letters printed: %(count)s. They are no longer on the dashboard.", count=count
                ),
            },
        )

    @api.model
    def _get_letters_filename(self, count):
        return self.env._(
            "Letters %(date)s (%(count)s).pdf",
            date=fields.Date.to_string(self.env.company._membri_today()),
            count=count,
        )

    @api.model
    def _get_letters_action(self, attachment):
        """Return a client action that downloads the letters by ``controllers/keyed_copy.py``,
        which puts in the keys: what is kept has none."""
        return {
            "type": "ir.actions.act_url",
            "url": f"/membri_renewal/letters/{attachment.id}",
            "target": "new",  # which loads the queue again, where “download” does not
        }

    def _get_cannot_print_letter_reason(self):
        self.ensure_one()
        if self.state == "approved" and (
            reason := self._get_no_reminder_reason(
                by_hand=True, is_document=self.letter_content != "reminder"
            )
        ):
            return reason
        # whoever prints many has not looked
        if self.letter_content == "reminder" and (reason := self._get_seen_in_bank_reason()):
            return reason
        if self.state != "approved" and (reason := self._get_archived_reason()):
            return reason
        contact = self._get_letter_contact()
        if not contact.street:
            return self.env._(
                "%(member)s has no mailing address. Add it to the contact, then print again.",
                member=(contact if self.state == "approved" else self.partner_id).display_name,
            )
        return False

    def _get_letter_contact(self):
        """:return: the contact whose address stands on the letter: the payer's on an invoice"""
        self.ensure_one()
        if self.state == "approved":
            return self._get_invoice_sudo().partner_id
        return self._get_postal_contact()

    def _get_letter_lang(self):
        """:return: the language of the page before the document: that of the document"""
        self.ensure_one()
        if self.state == "approved":
            return self._get_invoice_sudo()._membri_get_payer_lang()
        return self._get_lang()

    def _render_letters(self):
        """Return the PDFs of the letters, in the order of ``self``: an invoice that serves
        several members is one letter, a reminder, or what else is to be said, lies before its
        document."""
        accepted = self.filtered(lambda r: r.state == "approved")
        by_invoice = {renewal.invoice_id: renewal for renewal in reversed(accepted)}
        firsts = self.browse().concat(*by_invoice.values())
        contents = (self - accepted)._render_notices()
        for renewal, attachment in firsts._attach_invoices().items():
            contents[renewal] = attachment.raw
        printed = self.filtered(lambda r: r in contents)
        covered = printed.filtered(lambda r: r._get_cover_sentences())
        covers = covered._render_notices(REMINDER_REPORT) if covered else {}
        return [
            part for renewal in printed for part in (covers.get(renewal), contents[renewal]) if part
        ]

    def _get_cover_sentences(self):
        """Return what the page says that lies before the document, as a list of sentences;
        without any there is no such page."""
        self.ensure_one()
        if self.letter_content == "reminder":
            return self._get_reminder_letter_sentences()
        return list(filter(None, [self._get_charge_cover_sentence()]))

    def _get_reminder_letter_sentences(self):
        """:return: what a reminder on paper says, as a list of sentences"""
        self.ensure_one()
        if self.state == "approved":
            return [
                self._get_payment_reminder_sentence(),
                *self._get_parts_sentences(),
                self.env._(
                    "The invoice is attached. If you have just paid, please ignore this letter."
                ),
            ]
        return [
            self._get_notice_day_sentence(),
            self._get_membership_sentence(),
            self._get_deadline_sentence(),
            self.env._(
                "The notice is attached and explains how to reply. If you have just "
                "replied, please ignore this letter."
            ),
        ]

    def _sorted_for_post(self):
        """:return: ``self``, each once, by country, postal code and street"""

        def key(renewal):
            contact = renewal._get_letter_contact()
            return (
                contact.country_id.code or "",
                (contact.zip or "").replace(" ", "").upper(),
                contact.city or "",
                contact.street or "",
                renewal.partner_id.display_name or "",
                renewal.id,
            )

        return self.union().sorted(key)

    def _get_printed_invoices_sudo(self):
        """:return: the invoices (in sudo) that the letters of ``self`` bring"""
        return self.filtered(lambda r: r.state == "approved")._get_invoice_sudo()

    def _get_printed_along(self):
        """Return whom the invoices of ``self`` serve as well, and who wait for the same letter
        or an address; a reminder on paper stays to be printed unless one is printed now."""
        reminded = self.filtered(lambda r: r.letter_content == "reminder").invoice_id
        served = self._get_printed_invoices_sudo()._membri_get_renewals().with_env(self.env)
        return (served - self).filtered(
            lambda r: (
                (r.invoice_id in reminded or r.letter_content != "reminder")
                if r.letter_state == "to_print"
                else r.delivery_state == "unreachable"
            )
        )

    def _do_print_letters(self):
        """:return: the ``ir.attachment`` with all letters, of no record"""
        renewals = self._sorted_for_post()
        printed = renewals | renewals._get_printed_along()
        printed._prepare_leaving()
        parts = []
        for start in range(0, len(renewals), PDF_BATCH):
            parts += renewals[start : start + PDF_BATCH]._render_letters()
        printed._record_printed()
        return self.env["ir.attachment"].create(
            {
                "name": self._get_letters_filename(len(renewals)),
                "raw": merge_pdf(parts) if len(parts) > 1 else parts[0],
                "mimetype": "application/pdf",
            }
        )

    def _record_printed_before(self):
        """The letter that these renewals share with others is printed already, by the same work:
        it is theirs, too."""
        unrecorded = self.filtered(
            lambda r: (
                r.letter_state != "printed"
                or r.date_printed
                != max(filter(None, r.invoice_id._membri_get_renewals().mapped("date_printed")))
            )
        )
        unrecorded._prepare_leaving()
        unrecorded._record_printed()

    def _record_printed(self):
        """The letters of ``self`` are printed."""
        self._internal_write({"letter_state": "printed", "date_printed": fields.Datetime.now()})
        self._get_invoice_sudo()._membri_forget_version()
        self._record_printed_reminders()
        by_letter = self.filtered(lambda r: r._get_no_address_sentence())
        by_letter._skip_overtaken_steps(self.env._("A letter was mailed on that day or later."))
        by_letter._update_next_reminder()
        for renewal in self:
            renewal._record_left(renewal._get_announced_facts())
        self.filtered(
            lambda r: (
                r.delivery_state == "unreachable"
                or (r.delivery_state == "failed" and r.state == "sent")
            )
        )._internal_write({"delivery_state": "letter"})
        self._get_printed_invoices_sudo().filtered(
            lambda move: move.membri_delivery_state == "unreachable"
        ).membri_delivery_state = "letter"
        self._message_log_batch(
            {renewal.id: self.env._("Printed as a letter.") for renewal in self}
        )
        # the letter is posted: nobody has to look for an address now
        self.sudo().activity_unlink(["membri_renewal.activity_unreachable"])
