from odoo import models
from odoo.tools import format_amount

from ..mixins.formats import end_once


class MembriRenewal(models.Model):
    """What stands in the emails to members. Their texts are mail templates, which the staff
    edits; the blocks that need tables and colours are filled in here."""

    _inherit = "membri.renewal"

    def _render_mail_block(self, name, **values):
        """:param name: of one of the templates ``mail_block_…``
        :return: its HTML, in the language of the email that is being written"""
        self.ensure_one()
        return self.env["ir.qweb"]._render(
            f"membri_renewal.mail_block_{name}",
            {
                "object": self,
                "proposal": self._get_proposal(),
                "company": self.company_id.sudo(),  # its name and colours
                **values,
            },
        )

    def _render_mail_button(self, label=None):
        """:param label: default: what the member is asked to do
        :return: the HTML of the one button: the page of the renewal, or of its invoice"""
        self.ensure_one()
        if self.state == "approved":
            url = self._get_invoice_page_url() or self._get_localized_url("/my/invoices")
            label = label or self.env._("View and Pay")
        else:
            url = self._get_answer_page_url() or self._get_localized_url("/my/renewals")
            label = label or self.env._("View and Respond")
        return self._render_mail_block("button", url=url, label=label)

    def _get_mail_greeting(self):
        """:return: who is spoken to, in a word or two"""
        self.ensure_one()
        return self.recipient_id._membri_get_greeting() or self.partner_id._membri_get_greeting()

    def _get_mail_subject_sentence(self):
        """:return: whose membership it is, when somebody else receives the email, or ``""``"""
        self.ensure_one()
        if self.recipient_id == self.partner_id:
            return ""
        sentence = self.env._(
            "You are receiving this message for %(member)s.",
            member=self.partner_id._membri_get_names(),
        )
        return end_once(sentence)

    def _get_mail_preheader(self):
        """:return: what the list of a mailbox shows beside the subject"""
        self.ensure_one()
        self = self.with_context(lang=self._get_lang())
        if self.state == "approved":
            invoice_sudo = self._get_invoice_sudo()
            day, amount = invoice_sudo._membri_get_next_part()
            if len(invoice_sudo._membri_get_next_parts()) > 1:
                return self.env._(
                    "Amount due: %(amount)s. The earliest part was due by %(date)s.",
                    amount=self._format_amount(amount, invoice_sudo),
                    date=self._format_day(day),
                )
            return invoice_sudo._membri_get_part_sentence(day, amount)
        proposal = self._get_proposal()
        term = proposal._get_period_in_words()
        return self.env._(
            "%(term)s, %(amount)s. %(deadline)s",
            term=term[:1].upper() + term[1:],
            amount=self._format_amount(proposal.amount_total, proposal),
            deadline=self._get_deadline_sentence(),
        )

    def _get_mail_invoice_rows(self):
        """Return ``(label, value)`` pairs of the invoice that is to be paid; none without one:
        Odoo tries each template that is saved on any record of its model."""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        if not invoice_sudo:
            return []
        parts = invoice_sudo._membri_get_next_parts()
        left = invoice_sudo._membri_get_amount_due()
        rows = [(self.env._("Document"), invoice_sudo._membri_get_document_label())]
        if len(parts) > 1:  # each has its own day
            rows += [
                (
                    self.env._("Due by %(date)s", date=invoice_sudo._membri_format_due_day(day)),
                    self._format_amount(amount, invoice_sudo),
                )
                for day, amount in parts
            ]
        else:
            [(day, part)] = parts
            rows.append((self.env._("Due by"), invoice_sudo._membri_format_due_day(day)))
            if invoice_sudo._membri_is_more_left():
                rows.append(
                    (self.env._("Due on that date"), self._format_amount(part, invoice_sudo))
                )
            rows += invoice_sudo._membri_get_early_payment_rows()
        received, credited = invoice_sudo._membri_get_amounts_settled()
        if received:
            rows.append(
                (self.env._("Received so far"), self._format_amount(received, invoice_sudo))
            )
        if credited:
            rows.append((self.env._("Credited"), self._format_amount(credited, invoice_sudo)))
        rows.append((self.env._("Amount due"), self._format_amount(left, invoice_sudo)))
        if sentence := invoice_sudo._membri_get_void_receipt_sentence():
            rows.append((self.env._("Receipt"), sentence))
        return rows + invoice_sudo._membri_get_on_account_rows()

    def _get_payment_reminder_sentence(self):
        """:return: that the renewal is accepted, and what came of the money"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        term = self._get_period_in_words()
        nothing_yet = self.env._(
            "Your renewal for %(term)s takes effect once we receive your payment.", term=term
        )
        if not invoice_sudo:  # a template that is saved is tried on any renewal
            return nothing_yet
        names = {
            "term": term,
            "document": invoice_sudo._membri_get_document_label(),
            "rest": self._format_amount(invoice_sudo._membri_get_amount_due(), invoice_sudo),
        }
        if invoice_sudo._membri_is_for_past():
            return self.env._(
                "%(document)s is for a period that is over: %(term)s. Your payment settles what "
                "is due for it. Amount due: %(rest)s.",
                **names,
            )
        if invoice_sudo._membri_is_shared():  # its payer has it for all of them
            sentence = self.env._(
                "%(document)s is for the memberships of %(members)s. Amount due: %(rest)s.",
                members=invoice_sudo._membri_get_members()._membri_get_names(),
                **names,
            )
            return " ".join(filter(None, [sentence, invoice_sudo._membri_get_next_sentence()]))
        received, credited = invoice_sudo._membri_get_amounts_settled()
        if self.new_cotisation_id.sudo().state != "pending":  # active before all of it is paid
            return self.env._(
                "Your renewal for %(term)s is in effect. Amount due: %(rest)s.", **names
            )
        if self.new_cotisation_id.sudo()._waits_for_first_part():
            return self.env._(
                "Your renewal for %(term)s takes effect once we receive the first part of "
                "your payment. Amount due: %(rest)s.",
                **names,
            )
        if received:
            return self.env._(
                "Your renewal for %(term)s takes effect once we receive the rest of "
                "your payment. We have received %(paid)s, thank you! Amount due: "
                "%(rest)s.",
                paid=self._format_amount(received, invoice_sudo),
                **names,
            )
        if credited:
            return self.env._(
                "Your renewal for %(term)s takes effect once we receive your payment. "
                "%(credited)s of %(document)s was credited. Amount due: %(rest)s.",
                credited=self._format_amount(credited, invoice_sudo),
                **names,
            )
        if invoice_sudo._membri_is_more_left():
            return self.env._(
                "Your renewal for %(term)s takes effect once the whole amount is paid.",
                **names,
            )
        return nothing_yet

    def _get_parts_sentences(self):
        """:return: what is left to pay and until when, a sentence for each part of the invoice"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        return [
            self.env._(
                "%(amount)s is due by %(date)s.",
                amount=self._format_amount(amount, invoice_sudo),
                date=invoice_sudo._membri_format_due_day(day),
            )
            for day, amount in (invoice_sudo._membri_get_parts_left() if invoice_sudo else ())
        ]

    def _get_notice_day_sentence(self):
        """:return: that a notice was sent, and when; nothing of one that has reached nobody"""
        self.ensure_one()
        if self._is_notice_undelivered() and self.letter_content != "reminder":
            return False
        return self.env._(
            "We sent you a renewal notice on %(date)s and haven't heard from you yet.",
            date=self._format_day(self._get_notice_day()),
        )

    def _is_membership_over(self):
        """:return: whether the term that is to be renewed has ended: it is not current any more"""
        self.ensure_one()
        return self.current_date_end < self.company_id._membri_today()

    def _ends_unpaid(self):
        """Return whether there is a membership today that ends if the invoice is not paid: the
        term that is renewed, or the next one, where it is in effect before it is paid."""
        self.ensure_one()
        # sudo: members read no terms
        return not self._is_membership_over() or self.new_cotisation_id.sudo().state == "active"

    def _get_membership_sentence(self):
        """:return: what the member has today, in a sentence"""
        self.ensure_one()
        last = self.current_date_end
        if not self._is_membership_over():
            return self.env._(
                "Your membership with %(company)s ends on %(date)s.",
                company=self.company_id.name,
                date=self._format_day(last),
            )
        return self.env._(
            "Your membership with %(company)s ended on %(date)s.",
            company=self.company_id.name,
            date=self._format_day(last),
        )

    def _get_deadline_sentence(self):
        """:return: until when an answer is expected, or what follows without one, in a sentence"""
        self.ensure_one()
        if self._is_announced():
            return self._get_announcement_sentence()
        if self._get_term_over_reason():
            return self.env._(
                "The proposed period is over by now. Please contact us to choose another one."
            )
        if not self._is_membership_over():
            last = self.current_date_end
            return self.env._("Please reply by %(date)s.", date=self._format_day(last))
        return self.env._("You can still renew. Please reply as soon as you can.")

    def _format_amount(self, amount, term=None):
        return format_amount(self.env, amount, (term or self).currency_id)
