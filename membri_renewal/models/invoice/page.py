from odoo import models

from ..mixins.formats import format_day, localize_path

# what Odoo's own sending says of documents of memberships
OWN_TEMPLATES = {
    "out_invoice": "membri_renewal.mail_template_invoice",
    "out_refund": "membri_renewal.mail_template_credit_note",
}

# of more members, the attached invoice names each: what is due has to be on the screen
MOST_MEMBERS = 12


class AccountMove(models.Model):
    """What the payer of a membership invoice is told: in the email, in the PDF and on the page
    where it is paid. The three say the same, in the payer's language."""

    _inherit = "account.move"

    def _get_mail_template(self):
        # EXTENDS account: membership invoices, and their credit notes, have emails of their own
        kinds = {move.membri_invoice_type and move.move_type for move in self}
        own = len(kinds) == 1 and OWN_TEMPLATES.get(kinds.pop())
        template = own and self.env.ref(own, raise_if_not_found=False)
        return template or super()._get_mail_template()

    def _get_invoice_proforma_pdf_report_filename(self):
        # EXTENDS account: posted is posted, sent or not (see report_invoice_document_membership)
        if self.membri_invoice_type and self.state == "posted":
            return self._get_invoice_report_filename()
        return super()._get_invoice_proforma_pdf_report_filename()

    def _membri_render_mail_block(self, name, **values):
        """:param name: of one of the templates ``mail_block_…``
        :return: its HTML, in the language of the email that is being written"""
        self.ensure_one()
        # sudo: members read no settings
        return self.env["ir.qweb"]._render(
            f"membri_renewal.mail_block_{name}",
            {"object": self, "company": self.company_id.sudo(), **values},
        )

    def _membri_render_mail_button(self):
        """:return: the HTML of the one button of the email: the page of the invoice"""
        self.ensure_one()
        pages = "/my/fee-notices" if self.membri_fee_notice_state == "open" else "/my/invoices"
        return self._membri_render_mail_block(
            "button",
            url=self._membri_get_page_url() or self.get_base_url() + pages,
            label=self._membri_get_button_label(),
        )

    def _membri_get_button_label(self):
        if self.move_type == "out_refund":
            return self.env._("View the Credit Note")
        if self._membri_is_settled() or self._membri_is_orphan() or self._membri_is_all_under_way():
            return self.env._("View the Invoice")
        return self.env._("View and Pay")

    def _membri_get_payer_lang(self):
        """:return: the language that the payer reads, for this document and what is said of it"""
        self.ensure_one()
        return self.partner_id.lang or self.company_id.partner_id.lang or self.env.lang

    def _membri_get_page_url(self):
        """Return the full address of the page of this invoice, in the language of its payer,
        or ``False``. It holds no token, and may be kept: the copies that leave get it."""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: whether there is a token, which is not told
        if not move_sudo.access_token:
            return False
        path = localize_path(self.env, move_sudo.access_url, self._membri_get_payer_lang())
        return move_sudo.get_base_url() + path

    # ------------------------------------------------------------------
    # What it is for
    # ------------------------------------------------------------------

    def _membri_format_day(self, day):
        return format_day(self.env, day)

    def _membri_get_early_payment_rows(self):
        """:return: ``(label, value)`` pairs of the early-payment discount that still stands"""
        self.ensure_one()
        early = self._membri_get_early_payment()
        if not early:
            return []
        label = self.env._(
            "With the early-payment discount, by %(date)s", date=self._membri_format_day(early[0])
        )
        return [(label, self.currency_id.format(early[1]))]

    def _membri_format_due_day(self, day):
        """:return: a day on which a part is due, and by how many days that is late, if it is"""
        self.ensure_one()
        days = (self.company_id._membri_today() - day).days
        due = self._membri_format_day(day)
        if days <= 0 or not self._membri_get_days_late():
            return due
        if days == 1:
            return self.env._("%(date)s, late by 1 day", date=due)
        return self.env._("%(date)s, late by %(days)s days", date=due, days=days)

    def _membri_counts_days(self):
        """Return whether the page counts the days until, or since, the due day: not of what is
        cancelled, of what we owe, and of what is paid by itself or being paid."""
        self.ensure_one()
        return (
            self.state != "cancel"
            and self.move_type != "out_refund"
            and not self._membri_is_orphan()
            and not self._membri_is_charge_awaited()
            and not self._membri_is_all_under_way()
        )

    def _membri_get_terms_in_words(self):
        """:return: ``(member, term)`` of whom this invoice is about, as text, by name"""
        self.ensure_one()
        return sorted(
            (term_sudo.partner_id._membri_get_names(), term_sudo._get_period_in_words())
            for term_sudo in self._membri_get_cotisations_sudo()
            if term_sudo.invoice_id == self and term_sudo.state != "cancelled"
        )

    def _membri_get_many_members_label(self):
        """Return how many members this invoice is about, where they would push what is due off
        the page, or ``False``."""
        self.ensure_one()
        count = len(self._membri_get_terms_in_words())
        return count > MOST_MEMBERS and self.env._("Members: %(count)s", count=count)

    def _membri_get_members_in_words(self):
        """:return: whose memberships this invoice is about: their names, or how many they are"""
        names = (name for name, _term in self._membri_get_terms_in_words())
        return self._membri_get_many_members_label() or ", ".join(names)

    def _membri_is_for_past(self):
        """Return whether the terms on this document are over: who pays it by now settles what is
        due, and is no member by that."""
        self.ensure_one()
        terms_sudo = self._membri_get_cotisations_sudo().filtered(
            lambda term: term.invoice_id == self and term.state != "cancelled"
        )
        return bool(terms_sudo) and all(
            term._is_over(term.date_end, term.company_id.id) for term in terms_sudo
        )

    def _membri_get_mail_rows(self):
        """:return: ``(label, value)`` pairs: whose membership, until when, and what is due"""
        self.ensure_one()
        rows = [(self.env._("Invoice"), self.name or "")]
        if self.membri_fee_notice_state == "open":
            rows = [(self.env._("Fee notice"), self.membri_fee_notice_name)]
        if replaced := self._membri_get_replaced():
            rows.append((self.env._("Replaces"), ", ".join(replaced.mapped("name"))))
        terms = self._membri_get_terms_in_words()
        if len(terms) == 1:
            rows += [(self.env._("Member"), terms[0][0]), (self.env._("Membership"), terms[0][1])]
        elif len(terms) > MOST_MEMBERS:  # the attached invoice names each
            rows.append((self.env._("Members"), str(len(terms))))
            if len(periods := {period for _name, period in terms}) == 1:
                rows.append((self.env._("Membership"), periods.pop()))
        else:
            rows += terms
        total = (self.env._("Total"), self.currency_id.format(self.amount_total))
        due = self._membri_get_amount_due()
        if self._membri_is_settled():
            return [*rows, total]
        if self.currency_id.compare_amounts(due, self.amount_total) == 0:
            rows.append(total)
        elif len(terms) == 1:  # who pays for several is told of the rest only
            settled = self.currency_id.format(self.amount_total - due)
            rows += [total, (self.env._("Already paid or credited"), settled)]
        if self._membri_is_all_under_way():  # nothing is asked for twice
            return [*rows, (self.env._("Payment in progress"), self.currency_id.format(due))]
        rows.append((self.env._("Amount due"), self.currency_id.format(due)))
        parts = self._membri_get_parts_left()
        if len(parts) == 1:
            rows.append((self.env._("Due by"), self._membri_format_due_day(parts[0][0])))
            rows += self._membri_get_early_payment_rows()
        else:
            rows += [
                (
                    self.env._("Due by %(date)s", date=self._membri_format_due_day(day)),
                    self.currency_id.format(amount),
                )
                for day, amount in parts
            ]
        return rows + self._membri_get_on_account_rows()

    def _membri_get_replaced(self):
        """Return the invoices (in sudo) that the payer was sent, and need not pay any more: this
        one is for the same terms, or for what the same renewals became after a reset."""
        self.ensure_one()
        terms_sudo = self._membri_get_cotisations_sudo()
        # sudo: what the payer was sent is told to them; a reset makes another term
        others_sudo = terms_sudo.invoice_line_ids.move_id | terms_sudo.renewal_id.invoice_ids
        others_sudo -= self.sudo()  # sudo: compared only
        return others_sudo.filtered(
            lambda move: (
                move.move_type == "out_invoice"
                and move.name
                and (move.is_move_sent or move.membri_receipt_name)
                and move.commercial_partner_id == self.commercial_partner_id
                and move._membri_is_void()
            )
        ).sorted("id")

    def _membri_get_replacements(self):
        """:return: the invoices (in sudo) that stand for this one, which is void: none, or one"""
        self.ensure_one()
        # sudo: the same payer has it, or gets it
        terms_sudo = self.sudo().invoice_line_ids.membri_cotisation_id
        others_sudo = (terms_sudo.invoice_id | terms_sudo.renewal_id.invoice_id) - self.sudo()
        return others_sudo.filtered(
            lambda move: (
                move.state == "posted"
                and move.commercial_partner_id == self.commercial_partner_id
                and not move._membri_is_void()
            )
        ).sorted("id")

    def _membri_get_after_void_sentences(self):
        """:return: what a payer is told of an invoice that is void, as a list of sentences"""
        replacements_sudo = self._membri_get_replacements()
        sentences = [
            self.env._("%(invoice)s replaces this invoice.", invoice=move.name)
            for move in replacements_sudo
        ]
        # sudo: payers may not read all of them; the sums are told
        notes_sudo = self.browse().sudo() if sentences else self.sudo().reversal_move_ids
        sentences += notes_sudo._membri_get_credit_sentences()
        if any(move._membri_is_to_pay_now() for move in replacements_sudo):
            money = self._membri_get_on_account_sentence()
        else:
            money = self._membri_get_money_back_sentence(told=notes_sudo)
        return [*sentences, *filter(None, [money])]

    def _membri_is_to_pay_now(self):
        """Return whether a payer is asked for money now: not when it is settled, void, revised or
        checked by the officer, nor while its payment is under way."""
        self.ensure_one()
        return not (
            self._membri_is_settled()
            or self._membri_is_void()
            or not self._membri_is_payable()
            or self._membri_is_all_under_way()
            or self._membri_is_orphan()
        )

    def _membri_get_on_account_rows(self):
        """Return ``(label, value)`` pairs, none or one, of money of the payer that no document uses
        yet."""
        sentence = self._membri_is_to_pay_now() and self._membri_get_on_account_sentence()
        return [(self.env._("Money on account"), sentence)] if sentence else []

    def _membri_get_under_way_sentence(self):
        """:return: why nothing is asked for on paper, in a sentence, or ``False``"""
        return self._membri_is_all_under_way() and self.env._("Your payment is in progress.")

    def _membri_get_ways_to_pay(self):
        """Return ``(label, value)`` pairs of what a transfer or a check needs; nothing when
        nothing is to be paid now."""
        self.ensure_one()
        return self._membri_get_account_rows() if self._membri_is_to_pay_now() else []

    def _membri_get_list_sentences(self):
        """Return how much is to be paid, and until when, as a list of sentences beside this invoice
        in the list of a member. On a telephone, Odoo's own list shows numbers and days only."""
        self.ensure_one()
        if self.move_type != "out_invoice" or not self._membri_is_to_pay_now():
            return []
        return self._membri_get_next_parts_sentences()

    def _membri_get_account_rows(self):
        """Return ``(label, value)`` pairs of where a transfer or a check goes, whether one is
        expected now or not."""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: what any payer needs to know
        company_sudo = move_sudo.company_id
        rows = []
        if move_sudo.payment_reference:
            rows.append((self.env._("Payment reference"), move_sudo.payment_reference))
        if move_sudo.partner_bank_id:
            rows.append((self.env._("Bank account"), move_sudo.partner_bank_id.acc_number))
        return [*rows, *company_sudo._membri_get_check_rows()]

    # ------------------------------------------------------------------
    # Sentences
    # ------------------------------------------------------------------

    def _membri_get_next_sentence(self):
        """:return: what happens next to the membership, in a sentence"""
        self.ensure_one()
        if self._membri_is_settled():
            return self._membri_get_settled_sentence()
        if sentence := self._membri_get_charge_sentence():
            return sentence
        pending_sudo = self._membri_get_cotisations_sudo().filtered(lambda c: c.state == "pending")
        if not pending_sudo:
            return ""
        if self._membri_is_for_past():
            return self.env._(
                "The period of this membership is over. Your payment settles what is due for it."
            )
        if all(term._waits_for_first_part() for term in pending_sudo):
            return self.env._(
                "The membership takes effect once we receive the first part of your payment."
            )
        if len(pending_sudo) > 1:  # whose part a part is, is not known
            return self.env._("The memberships take effect once the whole amount is paid.")
        if self._membri_is_more_left():  # one payment of the plan is not enough
            return self.env._("The membership takes effect once the whole amount is paid.")
        if self._membri_get_amounts_settled()[0]:  # a payment came: which one makes it?
            return self.env._("The membership takes effect once the rest is paid.")
        return self.env._("The membership takes effect once we receive your payment.")

    def _membri_get_settled_sentence(self):
        if self._membri_is_paid() and self._membri_has_receipt():
            return self.env._("Thank you! This invoice is paid.")
        return self.env._("Nothing is left to pay on this invoice.")

    def _membri_get_late_sentence(self, day=None):
        """:param day: when a part of the payment was due; default: the earliest that is open
        :return: that it is late, and by how much, or ``False``"""
        self.ensure_one()
        days = self._membri_get_days_late()
        if not days:
            return False
        # sudo: journal items are the accountants'
        earliest = self.sudo()._membri_get_due_day()
        day = day or earliest
        days -= (day - earliest).days
        if days <= 0:  # another part is late, this one is due today
            return False
        due = self._membri_format_day(day)
        if days == 1:
            return self.env._("Due by %(date)s: late by 1 day.", date=due)
        return self.env._("Due by %(date)s: late by %(days)s days.", date=due, days=days)

    def _membri_get_last_try(self):
        """Return ``(level, sentence)`` of what became of the last online payment that came to
        nothing yet, or ``False``."""
        self.ensure_one()
        if self._membri_is_settled():
            return False
        # sudo: transactions are the administrators'; a sentence is told
        tries_sudo = self.sudo().transaction_ids.sorted(lambda tx: (tx.create_date, tx.id))
        if not tries_sudo:
            return False
        transaction_sudo = tries_sudo[-1]
        moment = transaction_sudo.last_state_change or transaction_sudo.create_date
        values = {
            "amount": transaction_sudo.currency_id.format(transaction_sudo.amount),
            "date": self._membri_format_day(self.company_id._membri_local_date(moment)),
        }
        if transaction_sudo & self.sudo()._membri_get_promised_transfers():
            return "info", self.env._(
                "You chose to pay %(amount)s by bank transfer (%(date)s). Please make the "
                "transfer with the reference %(reference)s.",
                reference=self.payment_reference or self.name,
                **values,
            )
        return {
            "pending": (
                "info",
                self.env._(
                    "Your payment of %(amount)s (%(date)s) is being processed. You don't "
                    "need to do anything for now.",
                    **values,
                ),
            ),
            "authorized": (
                "info",
                self.env._(
                    "Your payment of %(amount)s (%(date)s) is authorized and will be "
                    "collected. You don't need to do anything for now.",
                    **values,
                ),
            ),
            "error": (
                "danger",
                self.env._(
                    "Your payment of %(amount)s (%(date)s) failed. You were not charged; "
                    "you can try again.",
                    **values,
                ),
            ),
            "cancel": (
                "warning",
                self.env._(
                    "Your payment of %(amount)s (%(date)s) was cancelled. You were not "
                    "charged; you can try again.",
                    **values,
                ),
            ),
        }.get(transaction_sudo.state, False)

    def _membri_is_all_under_way(self):
        """:return: whether payments that are not booked yet cover what is left"""
        self.ensure_one()
        move_sudo = self.sudo()  # payments are the accountants'
        return move_sudo._membri_is_money_under_way() and self.currency_id.is_zero(
            move_sudo._membri_get_amount_to_pay()
        )

    def _membri_get_standing_sentences(self):
        """:return: where this invoice and the memberships on it stand, as a list of sentences"""
        self.ensure_one()
        if self.state == "posted" and self._membri_is_void():
            void = self.env._("This invoice was credited in full. There is nothing to pay.")
            return [void, *self._membri_get_after_void_sentences()]
        if self._membri_is_void():
            void = self.env._("This invoice was cancelled. Please do not pay it.")
            return [void, *self._membri_get_after_void_sentences()]
        if self.state == "draft":
            return [
                self.env._(
                    "This invoice is being revised. Please wait for the new version before you pay."
                )
            ]
        if self._membri_is_settled() and self._membri_is_in_doubt():
            return self._membri_get_checked_sentences()
        if self._membri_is_settled():
            return [
                self._membri_get_settled_sentence(),
                *self._membri_get_credited_sentences(),
                # sudo: payers may not read all of them; the sums are told
                *self.sudo().reversal_move_ids._membri_get_credit_sentences(),
                *self._membri_get_paid_sentences(),
            ]
        if self._membri_is_all_under_way():  # what became of it stands below
            return list(filter(None, [self._membri_get_next_sentence()]))
        if self._membri_is_orphan():
            return self._membri_get_orphan_sentences()
        sentences = self._membri_get_next_parts_sentences()
        if early := self._membri_get_early_payment():
            sentences.append(
                self.env._(
                    "With the early-payment discount: %(amount)s, by %(date)s.",
                    amount=self.currency_id.format(early[1]),
                    date=self._membri_format_day(early[0]),
                )
            )
        sentences += self._membri_get_received_sentences()
        more = [
            self._membri_get_on_account_sentence(),
            self._membri_get_rest_sentence(),
            self._membri_get_next_sentence(),
            self._membri_get_void_receipt_sentence(),
        ]
        return [*sentences, *filter(None, more)]

    def _membri_get_received_sentences(self):
        """:return: what was paid and credited of an invoice that is open, as a list of sentences"""
        received, credited = self._membri_get_amounts_settled()
        sentences = []
        if received:
            sentences.append(
                self.env._(
                    "We have received %(amount)s, thank you!",
                    amount=self.currency_id.format(received),
                )
            )
        return sentences + self._membri_get_credited_sentences(credited)

    def _membri_get_orphan_sentences(self):
        """Return what a payer is told while the officer is asked what becomes of this invoice, as
        a list of sentences."""
        self.ensure_one()
        sentences = []
        if received := self._membri_get_amounts_settled()[0]:
            sentences.append(
                self.env._(
                    "We have received %(amount)s, thank you!",
                    amount=self.currency_id.format(received),
                )
            )
        return [*sentences, *self._membri_get_checked_sentences()]

    def _membri_get_checked_sentences(self):
        """:return: what a payer is told while the staff looks into it, as a list of sentences"""
        return [self.env._("Our team is checking this invoice. There is nothing to pay for now.")]

    def _membri_get_next_parts_sentences(self):
        """:return: what is to be paid next, a sentence for each day"""
        self.ensure_one()
        return [
            self._membri_get_part_sentence(day, amount)
            for day, amount in self._membri_get_next_parts()
        ]

    def _membri_get_rest_sentence(self):
        """Return what is left in all, where that is not the one part which is to be paid next,
        or ``False``."""
        self.ensure_one()
        if len(self._membri_get_next_parts()) == 1 and not self._membri_is_more_left():
            return False
        left = self.currency_id.format(self._membri_get_amount_due())
        return self.env._("In all, %(amount)s is left to pay.", amount=left)

    def _membri_get_part_sentence(self, day, amount):
        """:return: what is to be paid, until when, and whether that is late (a sentence)"""
        self.ensure_one()
        if late := self._membri_get_late_sentence(day):
            return self.env._(
                "Amount due: %(amount)s. %(late)s",
                amount=self.currency_id.format(amount),
                late=late,
            )
        return self.env._(
            "Amount due: %(amount)s, by %(date)s.",
            amount=self.currency_id.format(amount),
            date=self._membri_format_day(day),
        )


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    def _membri_get_paid_sentence(self):
        """Return what was paid for, and until when, in a sentence to the payer; ``self`` are
        terms of one period."""
        first = self[0]
        if len(self) > 1:
            names = {"members": self.partner_id._membri_get_names()}
            if not first.date_end:
                return self.env._("The memberships are paid for life (%(members)s).", **names)
            return self.env._(
                "The memberships are paid from %(start)s to %(end)s (%(members)s).",
                start=first._format_day(first.date_start),
                end=first._format_day(first.date_end),
                **names,
            )
        if not self.date_end:
            return self.env._(
                "The membership is paid for life (%(member)s).",
                member=self.partner_id._membri_get_names(),
            )
        return self.env._(
            "The membership is paid from %(start)s to %(end)s (%(member)s).",
            start=self._format_day(self.date_start),
            end=self._format_day(self.date_end),
            member=self.partner_id._membri_get_names(),
        )
