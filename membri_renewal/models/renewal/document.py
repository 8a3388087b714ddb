from odoo import fields, models

from ..mixins.formats import end_once

PDF_BATCH = 50
REPORT = "membri_renewal.report_renewal_notice"


class MembriRenewal(models.Model):
    """The notice on paper: its PDF, and what stands in it beside the proposal."""

    _inherit = "membri.renewal"

    # ------------------------------------------------------------------
    # Files
    # ------------------------------------------------------------------

    def _attach_documents(self):
        """Return ``{renewal: ir.attachment}``: the invoice of renewals that are accepted,
        the notice of all others."""
        invoiced = self.filtered(lambda r: r.state == "approved" and r.invoice_id)
        return (self - invoiced)._attach_notices() | invoiced._attach_invoices()

    def _attach_invoices(self):
        """Return ``{renewal: ir.attachment}``, the invoice of each, or its fee notice as long
        as it is one."""
        notices = self._get_invoice_sudo()._membri_make_documents()
        documents = {}
        for renewal in self:
            invoice_sudo = renewal._get_invoice_sudo()
            if invoice_sudo in notices:
                documents[renewal] = notices[invoice_sudo]
                continue
            document = invoice_sudo._get_invoice_legal_documents("pdf", allow_fallback=True)
            documents |= self.env["ir.actions.report"]._membri_attach(
                {renewal: document["content"]}, lambda _renewal, name=document["filename"]: name
            )
        return documents

    def _attach_notices(self):
        """:return: ``{renewal: ir.attachment}``, the notice of each"""
        return self.env["ir.actions.report"]._membri_attach(
            self._render_notices(), lambda renewal: renewal._get_notice_filename()
        )

    def _render_notices(self, report=REPORT):
        """:param report: another report on renewals
        :return: ``{renewal: bytes}``"""
        return self.env["ir.actions.report"]._membri_print(report, self)

    def _get_notice_filename(self):
        return self.with_context(lang=self._get_lang())._get_report_base_filename() + ".pdf"

    # ------------------------------------------------------------------
    # What the notice shows
    # ------------------------------------------------------------------

    def _get_postal_contact(self):
        """Return the contact whose address stands in the window of the envelope: of those
        who may receive the notice the first that has one, else the recipient."""
        self.ensure_one()
        recipient_sudo = self.recipient_id.sudo()  # members get their own address only
        candidates = [recipient_sudo, *self._get_member()._membri_get_candidates()]
        return next((contact for contact in candidates if contact.street), recipient_sudo)

    def _get_notice_day(self):
        """:return: the day that the notice bears: of its first sending, else today"""
        self.ensure_one()
        return self.company_id._membri_local_date(self.date_sent or fields.Datetime.now())

    def _get_other_payer(self):
        """Return who is invoiced, where that is neither the member nor the recipient, nor an
        address of theirs; else nothing."""
        self.ensure_one()
        payer_sudo = self._get_payer().sudo()  # whom it goes to is told to the member
        own = self.partner_id | self.recipient_id
        return payer_sudo.browse() if payer_sudo._membri_get_address_owners() & own else payer_sudo

    def _get_invoice_sentence(self):
        """:return: who receives what by accepting, or what is charged then, in a sentence"""
        self.ensure_one()
        if sentence := self._get_charge_sentence():
            return sentence
        payer_sudo = self._get_other_payer()
        if payer_sudo and self.company_id.membri_fee_notice:
            sentence = self.env._(
                "Once you accept, we will send a fee notice to %(payer)s.",
                payer=payer_sudo._membri_get_names(),
            )
            return end_once(sentence)
        if payer_sudo:
            sentence = self.env._(
                "Once you accept, we will send an invoice to %(payer)s.",
                payer=payer_sudo._membri_get_names(),
            )
            return end_once(sentence)
        if self.company_id.membri_fee_notice:
            return self.env._("Once you accept, we will send you a fee notice.")
        return self.env._("Once you accept, we will send you an invoice.")

    def _get_next_steps(self):
        """:return: what happens next, as a list of sentences"""
        self.ensure_one()
        paid = self.env._(
            "Once it is paid, your membership continues: %(term)s.",
            term=self._get_proposal()._get_period_in_words(),
        )
        # who gets a letter may have neither a phone that scans nor a computer
        renewal_sudo = self.sudo()  # sudo: members read no facts of the delivery, nor whom to call
        is_letter = renewal_sudo.letter_state or self._is_on_paper()
        contact_sudo = renewal_sudo._get_officer().partner_id or renewal_sudo.company_id.partner_id
        otherwise = []
        if is_letter and contact_sudo.phone:
            otherwise = [self.env._("You can also reply by phone or by mail.")]
        if self._is_announced():
            return [
                self._get_announcement_sentence(),
                self.env._(
                    "Scan the code or open the page below to change or stop the renewal. "
                    "Otherwise, you don't need to do anything."
                ),
                *otherwise,
                paid,
            ]
        return [
            self.env._(
                "Scan the code or open the page below to accept or ask for changes. %(deadline)s",
                deadline=self._get_deadline_sentence(),
            ),
            *otherwise,
            self._get_invoice_sentence(),
            paid,
        ]

    def _get_member_since(self):
        """:return: the year since when the contact is a member, or ``False``"""
        self.ensure_one()
        # sudo: the year on the member's own notice
        since = self.partner_id.sudo().with_company(self.company_id).membri_member_since
        return since and since.year
