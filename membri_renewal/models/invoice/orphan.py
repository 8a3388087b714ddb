from odoo import models

from ..cotisation.cotisation import LIVING_STATES
from .undone import ACTIVITY_UNDONE


class AccountMove(models.Model):
    """Orphans: open invoices of terms that are void, or that another invoice serves. They come
    from what an accountant takes back: a credit note, a cancellation, a reset.

    Where nothing has replaced the term, the invoice gets it again; else the officer is asked.
    """

    _inherit = "account.move"

    def _membri_get_orphan_terms(self):
        """Return in sudo, the terms that this posted invoice still bills, although they are
        void or on another invoice."""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: accountants need not read terms
        terms_sudo = move_sudo.invoice_line_ids.membri_cotisation_id
        if (
            move_sudo.move_type != "out_invoice"
            or move_sudo.state != "posted"
            or move_sudo._membri_is_void()
        ):
            return terms_sudo.browse()
        return terms_sudo.filtered(
            lambda c: (
                (c.state == "cancelled" or c.invoice_id != move_sudo)
                and (not c._is_credited(move_sudo) or move_sudo._membri_get_unused_credit_notes())
            )
        )

    def _membri_get_unused_credit_notes(self):
        """Return the posted credit notes of this open invoice that are not, or no longer, used for
        it (*Unreconcile*; the payment that had settled it has gone): both are open, and the
        invoice can be paid."""
        self.ensure_one()
        if not self._membri_is_open():
            return self.browse()
        return self.reversal_move_ids.filtered(
            lambda note: (
                note.state == "posted" and not note.currency_id.is_zero(note.amount_residual)
            )
        )

    def _membri_is_orphan(self):
        """:return: whether this posted invoice bills none but such terms: nobody is to pay it"""
        # sudo: accountants need not read terms
        terms_sudo = self.sudo().invoice_line_ids.membri_cotisation_id
        return bool(terms_sudo) and terms_sudo == self._membri_get_orphan_terms()

    def _membri_filter_checked(self):
        """Return those invoices of ``self`` that are open and whose payers are asked for nothing,
        as the officer is asked what becomes of them."""
        return self.filtered(lambda move: move._membri_is_open() and move._membri_is_orphan())

    def _membri_is_open(self):
        """:return: whether something is left to pay on this posted invoice"""
        self.ensure_one()
        return self.state == "posted" and not (self._membri_is_void() or self._membri_is_settled())

    def _membri_follow_orphans(self, terms_sudo):
        """Give open invoices their terms again, or ask the officer about them.

        :param terms_sudo: the terms that are looked at now; others wait for their own call
        """
        # sudo: terms follow, whoever changes the invoice
        for move_sudo in self.sudo().filtered("membri_invoice_type"):
            for term_sudo in move_sudo._membri_get_orphan_terms() & terms_sudo:
                if term_sudo._can_be_linked_again(move_sudo):
                    term_sudo._link_again()
                elif move_sudo._membri_is_open() or move_sudo._membri_has_money():
                    move_sudo._membri_tell_orphan(term_sudo)
            for term_sudo in move_sudo._membri_get_paid_beside_credit(terms_sudo):
                move_sudo._membri_tell_orphan(term_sudo)

    def _membri_get_paid_beside_credit(self, terms_sudo):
        """Return those void terms of this invoice that was paid while the officer was asked about
        its unused credit note: that question ends with the payment, whose money is too much."""
        self.ensure_one()
        beside_sudo = terms_sudo.filtered(
            lambda c: c.state == "cancelled" and c.invoice_id == self and c._is_credited()
        )
        if (
            beside_sudo
            and not self._membri_is_open()
            and self._membri_has_money()
            and self.activity_search([ACTIVITY_UNDONE])
        ):
            return beside_sudo
        return terms_sudo.browse()

    def _membri_tell_orphan(self, term_sudo):
        """An invoice that nothing waits for asks for money, or has got it."""
        self = self._membri_as_staff()
        term_sudo = term_sudo.with_env(self.env)
        names = {
            "invoice": self._membri_get_document_label(),
            "member": term_sudo.partner_id._membri_get_names(),
            "term": term_sudo.term_display,
        }
        if self._membri_has_money():
            self._membri_ask_officer(
                self.env._(
                    "%(invoice)s for %(member)s has a payment, but its membership term (%(term)s) "
                    "is void. Refund the payment, or use it for another invoice.",
                    **names,
                )
            )
            return
        if notes := self._membri_get_unused_credit_notes():
            self._membri_ask_officer(
                self.env._(
                    "%(invoice)s for %(member)s (%(term)s) is open again, because its credit note "
                    "%(credit_note)s is not used for it. Reconcile the two in Invoicing, or cancel "
                    "the credit note.",
                    credit_note=", ".join(notes.mapped("name")),
                    **names,
                ),
                ACTIVITY_UNDONE,
            )
            return
        living = term_sudo._get_living_successor()
        if living.invoice_id:
            self._membri_ask_officer(
                self.env._(
                    "%(invoice)s for %(member)s (%(term)s) is open again, but %(other)s "
                    "replaced it. Cancel or credit one of the two.",
                    other=living.invoice_id._membri_get_document_label(),
                    **names,
                ),
                ACTIVITY_UNDONE,
            )
            return
        self._membri_ask_officer(
            self.env._(
                "%(invoice)s for %(member)s is open, but its membership term (%(term)s) "
                "is void. Cancel or credit the invoice. Until then, this member cannot be "
                "approved or enrolled for this period.",
                **names,
            ),
            ACTIVITY_UNDONE,
        )


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    def _get_living_successor(self):
        """:return: the living term of the same member that has taken the days of this one"""
        self.ensure_one()
        others = self.partner_id.membri_cotisation_ids.filtered(
            lambda c: (
                c.company_id == self.company_id
                and c.state in (*LIVING_STATES, "expired")
                and c._overlaps(self)
            )
        )
        return others[:1]

    def _can_be_linked_again(self, invoice_sudo):
        """Return whether this void term, in sudo, can be the one of its invoice again: it was
        the invoice that voided it, and nothing was decided or billed in its place."""
        self.ensure_one()
        renewal = self.renewal_id
        return bool(
            self.state == "cancelled"
            and self.is_voided_by_credit
            and self.invoice_id == invoice_sudo
            and not self._is_credited()
            and not self._get_living_successor()
            and (not renewal or (renewal.state == "intervention" and not renewal.invoice_id))
        )

    def _link_again(self):
        """A term that is void never changes again: the invoice gets a new one like it, and the
        renewal that waited for the staff is approved as it was."""
        self.ensure_one()
        [self] = self._split_by_staff_lang()  # not in the language of who books
        invoice = self.invoice_id
        renewal = self.renewal_id
        term = self._as_internal().create(self._prepare_linked_vals()).with_env(self.env)
        documents = invoice | invoice.reversal_move_ids
        documents.invoice_line_ids.filtered(
            lambda line: line.membri_cotisation_id == self
        ).membri_cotisation_id = term
        # after its lines, which it is compared with; over by now is not over when it was recorded
        term._internal_write({"invoice_id": invoice.id, "is_history": self.is_history})
        if renewal:
            renewal._set_state(
                "approved",
                new_cotisation_id=term.id,
                invoice_id=invoice.id,
                date_approved=self.create_date,
                state_before_intervention=False,
                intervention_reason=False,
                # what became of it before
                delivery_state=invoice.membri_delivery_state,
                delivery_note=invoice.membri_delivery_note,
            )
            renewal._clear_intervention()
            renewal._end_activities()
            renewal._update_next_reminder()
        note = self.env._(
            "%(invoice)s for %(member)s is open again. The new membership term %(term)s "
            "(%(days)s) replaces %(void)s.",
            invoice=invoice._membri_get_document_label(),
            term=term.name,
            member=term.partner_id._membri_get_names(),
            days=term.term_display,
            void=self.name,
        )
        invoice._membri_ask_officer(note)
        term.partner_id._membri_noted_for(term.company_id)._message_log(body=note)
        term._refresh_members()
        term._sync_with_invoice()
        if invoice._membri_is_posted_unsent():  # withdrawn from the queue, as it was void
            invoice._membri_tell_unsent(invoice)

    def _prepare_linked_vals(self):
        """:return: values of the term that takes the place of this void one on its invoice"""
        self.ensure_one()
        return {
            **self._prepare_same_term_vals(),
            "date_anchor": self.date_anchor,
            "origin": self.origin,
            "renewal_id": self.renewal_id.id,
            "previous_id": self.previous_id.id,
        }


class MembriTermMixin(models.AbstractModel):
    _inherit = "membri.term.mixin"

    def _get_orphan_reason(self):
        """Return that an open invoice of a void term bills these days already (a sentence), or
        ``False``."""
        self.ensure_one()
        # sudo: that something is owed is told to whoever bills; read for the batch at once
        terms_sudo = self.partner_id._origin.sudo().membri_cotisation_ids.filtered(
            lambda c: (
                c.state == "cancelled"
                and c.invoice_id
                and c.company_id.id == self.company_id.id
                and (not self.date_end or c.date_start <= self.date_end)
                and (not c.date_end or c.date_end >= self.date_start)
            )
        )
        for term_sudo in terms_sudo:
            invoice_sudo = term_sudo.invoice_id
            drafts_sudo = invoice_sudo.reversal_move_ids.filtered(lambda m: m.state == "draft")
            if drafts_sudo and invoice_sudo.payment_state == "reversed":
                return self.env._(
                    "%(credit_note)s, the credit note of %(invoice)s for %(member)s, is a "
                    "draft. Post it or cancel it in Invoicing first: this period "
                    "(%(term)s) may already be invoiced.",
                    credit_note=drafts_sudo[0].display_name,
                    invoice=invoice_sudo._membri_get_document_label(),
                    member=self.partner_id._membri_get_names(),
                    term=term_sudo.term_display,
                )
            if term_sudo not in invoice_sudo._membri_get_orphan_terms() or (
                not invoice_sudo._membri_is_open()
            ):
                continue
            if notes_sudo := invoice_sudo._membri_get_unused_credit_notes():
                return self.env._(
                    "%(invoice)s for %(member)s (%(term)s) is open, because its credit note "
                    "%(credit_note)s is not used for it. Reconcile the two in Invoicing first, or "
                    "cancel the credit note.",
                    credit_note=", ".join(notes_sudo.mapped("name")),
                    invoice=invoice_sudo._membri_get_document_label(),
                    member=self.partner_id._membri_get_names(),
                    term=term_sudo.term_display,
                )
            return self.env._(
                "%(invoice)s for %(member)s already covers this period (%(term)s), "
                "but its membership term is void. Cancel or credit the invoice in "
                "Invoicing first.",
                invoice=invoice_sudo._membri_get_document_label(),
                member=self.partner_id._membri_get_names(),
                term=term_sudo.term_display,
            )
        return False
