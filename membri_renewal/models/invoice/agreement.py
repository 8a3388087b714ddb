from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..cotisation.cotisation import LIVING_STATES
from ..mixins.formats import end_once, is_said_in

ACTIVITY_AGREEMENT = "membri_renewal.activity_agreement"


class AccountMove(models.Model):
    """The one rule that holds an invoice against its terms, whenever it is posted: the term
    follows what is billed, or the officer is asked."""

    _inherit = "account.move"

    def _membri_compare_with_terms(self):
        """These documents were posted: their terms follow, or the officer is asked."""
        # sudo: the officer is told, whoever changes the invoice
        moves_sudo = self.sudo().filtered("membri_invoice_type")
        invoices_sudo = moves_sudo.filtered(lambda move: move.move_type == "out_invoice")
        notes_sudo = moves_sudo.filtered(lambda move: move.move_type == "out_refund")
        (invoices_sudo | notes_sudo.reversed_entry_id)._membri_ask_what_differs(moves_sudo)

    def _membri_ask_again_of_credits(self):
        """What these documents are matched with has changed (a refund, a write-off that was taken
        back): so may what was asked of credit notes."""
        documents = self.filtered("membri_invoice_type")
        invoices = documents | documents.reversed_entry_id
        invoices.filtered("reversal_move_ids")._membri_ask_what_differs()

    def _membri_ask_what_differs(self, posted=None):
        """Ask the officer where these invoices, their terms and their credit notes differ: of what
        has just been posted, and of what was asked before, with the numbers of now. What is no
        longer so is no question any more.

        :param posted: the documents (``account.move``) that were posted"""
        # sudo: the questions are the officer's, whoever changes what they are about
        invoices_sudo = self.sudo().filtered("membri_invoice_type")
        posted = posted or invoices_sudo.browse()
        # those marked as done, too: as long as all stays as it is, they are not asked again
        all_sudo = invoices_sudo.with_context(active_test=False).activity_search(
            [ACTIVITY_AGREEMENT]
        )
        by_invoice = all_sudo.grouped("res_id")
        for invoice_sudo in invoices_sudo:
            known_sudo = by_invoice.get(invoice_sudo.id, all_sudo.browse())
            open_sudo = known_sudo.filtered("active")
            done = set((known_sudo - open_sudo).mapped("summary"))
            done -= set(open_sudo.mapped("summary"))
            questions = invoice_sudo._membri_get_questions(posted, open_sudo)
            asked = {
                invoice_sudo._membri_ask_officer(question, ACTIVITY_AGREEMENT)
                for question, is_new in questions.items()
                if question and (is_new or end_once(question) not in done)
            }
            open_sudo.filtered(lambda q, asked=asked: q.summary not in asked).unlink()

    def _membri_get_questions(self, posted, open_questions):
        """:param posted: as of ``_membri_ask_what_differs``
        :param open_questions: what is asked about this invoice (activities)
        :return: ``{question or False: whether it is about what was posted}``"""
        self.ensure_one()
        questions = {}
        of_notes = {
            note: open_questions.filtered(lambda q, note=note: note._membri_is_asked_about(q))
            for note in self.reversal_move_ids
        }
        is_posted = self in posted
        if is_posted or open_questions - open_questions.browse().union(*of_notes.values()):
            for term in self.membri_cotisation_ids:
                questions[term._agree_with_invoice(may_follow=is_posted)] = is_posted
            questions[self._membri_get_other_lines_question()] = is_posted
        notes = self.reversal_move_ids.filtered(
            lambda note: note.state == "posted" and (of_notes[note] or note in posted)
        )
        for note in notes:
            questions |= dict.fromkeys(note._membri_get_credit_questions(), note in posted)
        # of several, it is the last one by which it is too much
        last = (notes & posted or notes).sorted("id")[-1:]
        questions[self._membri_get_excess_question(last)] = last in posted
        return questions

    def _membri_is_asked_about(self, question):
        """:return: whether this activity is about this credit note"""
        self.ensure_one()
        return (
            self.move_type == "out_refund"
            and bool(self.name)
            and is_said_in(question.summary, self.name)
        )

    def _membri_get_other_lines_question(self):
        """What is billed beside the terms is on no renewal and no member's page: the officer is
        asked, unless the terms were asked about already.

        :return: the question, or ``False``"""
        self.ensure_one()
        others = self.invoice_line_ids.filtered(
            lambda line: (
                line.display_type == "product"
                and not line.membri_cotisation_id
                and not line.currency_id.is_zero(line.price_total)
            )
        )
        terms = self.membri_cotisation_ids.filtered(lambda c: c.state in LIVING_STATES)
        if not others or not terms or not all(term._agrees_with_invoice() for term in terms):
            return False
        invoice = self._membri_as_staff()
        return invoice.env._(
            "%(invoice)s bills %(amount)s that belongs to no membership term: %(lines)s. Add "
            "it to the options of %(members)s if it belongs there.",
            invoice=invoice._membri_get_document_label(),
            amount=invoice.currency_id.format(sum(others.mapped("price_total"))),
            lines=", ".join(line.name or line.product_id.display_name for line in others),
            members=terms.partner_id._membri_get_names(),
        )

    def _membri_get_credit_questions(self):
        """Of what was credited for a part only the term stays: what it was for, the officer is
        told.

        :return: the questions about this credit note, a list"""
        self.ensure_one()
        self = self._membri_as_staff()  # not in the language of who books
        terms = self.invoice_line_ids.membri_cotisation_id.filtered(
            lambda c: (
                c.state in LIVING_STATES
                and c.invoice_id == self.reversed_entry_id
                and not c._is_credited()
                and not c._agrees_in_amounts(c._get_credit_lines())
            )
        )
        return [
            self.env._(
                "%(credit_note)s credits part of the membership of %(member)s. "
                "%(sentence)s The membership term does not change. End it early if "
                "needed.",
                credit_note=f"{self.name} ({self.ref})" if self.ref else self.name,
                member=term.partner_id._membri_get_names(),
                sentence=term._get_difference_sentence(),
            )
            for term in terms
        ]

    def _membri_get_excess(self):
        """:return: by how much the credit notes of this invoice are more than it was for"""
        notes = self.reversal_move_ids.filtered(lambda note: note.state == "posted")
        return self.currency_id.round(sum(notes.mapped("amount_total")) - self.amount_total)

    def _membri_get_excess_question(self, note):
        """Odoo proposes to credit the whole invoice, whatever was credited or written off before:
        of what is too much, its payer has a credit that nobody meant to give.

        :param note: the credit note of it by which it is too much, or none
        :return: the question, or ``False``"""
        if self.state != "posted" or not note:
            return False
        self = self._membri_as_staff()  # not in the language of who books
        excess = self._membri_get_excess()
        unpaid = min(excess + self._membri_get_written_off(), note.amount_residual)
        # taxes are rounded on each of several credit notes
        cents = self.currency_id.rounding * len(self.reversal_move_ids)
        names = {
            "credit_note": note.name,
            "amount": self.currency_id.format(excess if excess > cents else unpaid),
            "invoice": self._membri_get_document_label(),
        }
        if self.currency_id.compare_amounts(excess, cents) > 0:
            return self.env._(
                "%(credit_note)s credits %(amount)s more than %(invoice)s was for. Cancel the "
                "credit note and credit less.",
                **names,
            )
        if self.currency_id.compare_amounts(unpaid, cents) > 0:
            return self.env._(
                "%(credit_note)s credits %(amount)s of %(invoice)s that was written off, not paid. "
                "Cancel the credit note and credit less, or reverse the write-off.",
                **names,
            )
        return False


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    def _get_billed_amount(self):
        """Return what the invoice bills for this term, less what was credited of it, taxes
        included."""
        self.ensure_one()
        credited = self._get_total_of_lines(self._get_credit_lines())
        return self._get_total_of_lines(self._get_invoice_lines()) - credited

    def _get_total_of_lines(self, lines):
        """Return what these lines of documents come to, taxes included: the total of a document
        that bills nothing else, to the cent of its rounding."""
        total = 0.0
        for document, own in lines.grouped("move_id").items():
            products = document.invoice_line_ids.filtered(lambda li: li.display_type == "product")
            total += sum(own.mapped("price_total")) if products - own else document.amount_total
        return total

    def _get_difference_sentence(self, amount=None):
        """What the officer is told here and the accountant in the reconciliation.

        :param amount: what the term cost before it was changed; default: what it costs
        :return: how the invoice and the term differ (a sentence)
        """
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        invoiced = invoice_sudo.currency_id.format(self._get_billed_amount())
        expected = self.currency_id.format(self.amount_total if amount is None else amount)
        if invoiced == expected:
            return self.env._(
                "%(invoice)s is for %(billed)s; the membership term has %(options)s.",
                invoice=invoice_sudo._membri_get_document_label(),
                billed=self._list_options(self._get_invoice_lines()),
                options=self._list_options(self.line_ids),
            )
        return self.env._(
            "%(invoice)s is for %(invoiced)s; the membership term costs %(expected)s.",
            invoice=invoice_sudo._membri_get_document_label(),
            invoiced=invoiced,
            expected=expected,
        )

    def _list_options(self, lines):
        """:return: what these lines of an invoice or of a term are for, with the quantities"""
        return ", ".join(
            name if line.quantity == 1 else f"{line.quantity:g} × {name}"
            for line in lines
            if (name := line.product_id.display_name or (line.name or "").split("\n")[0])
        )

    def _agree_with_invoice(self, may_follow):
        """Bring this term, in sudo, in line with the invoice that has just been posted, where
        each of its lines is tied to a term.

        :param may_follow: whether the term may be changed
        :return: what the officer is to be asked where it is not, or ``False``"""
        self.ensure_one()
        [self] = self._split_by_staff_lang()
        if self.state not in (*LIVING_STATES, "expired") or self._agrees_with_invoice():
            return False
        invoice, sentence = self.invoice_id, self._get_difference_sentence()
        changes = may_follow and self._can_follow_invoice() and self._follow_invoice()
        if not changes:
            return self.env._(
                "%(sentence)s Correct the invoice of %(member)s or the options of the "
                "membership term so that they match.",
                sentence=sentence,
                member=self.partner_id._membri_get_names(),
            )
        invoice._membri_ask_officer(
            self.env._(
                "%(sentence)s The membership term of %(member)s now matches the invoice: "
                "%(changes)s.",
                sentence=sentence,
                member=self.partner_id._membri_get_names(),
                changes=changes,
            )
        )
        return False

    def _agrees_with_invoice(self):
        """Return whether the same options are billed as the term has, and cost the same, tax by
        tax: as they were billed, or since what was too much was credited."""
        credited = self._get_credit_lines()
        return (self._agrees_in_amounts() and self._agrees_in_options(self.invoice_id)) or (
            self._agrees_in_amounts(credited) and self._agrees_in_options(self.invoice_id, credited)
        )

    def _agrees_in_amounts(self, credit_lines=()):
        """:param credit_lines: what of the invoice was credited, and is taken off it"""
        self.ensure_one()
        if self._get_invoice_sudo().currency_id != self.currency_id:
            return False
        amounts = []
        for lines, credited in ((self._get_invoice_lines(), credit_lines), (self.line_ids, ())):
            by_taxes = defaultdict(float)
            for line in lines:
                by_taxes[line.tax_ids] += self._get_price_of_line(line)
            for line in credited:
                by_taxes[line.tax_ids] -= self._get_price_of_line(line)
            amounts.append({t: self.currency_id.round(amount) for t, amount in by_taxes.items()})
        return amounts[0] == amounts[1]

    def _agrees_in_options(self, invoice, credit_lines=()):
        """Return whether ``invoice`` bills the products of this term, as many of each; text
        without a product (an opening balance) says nothing of them.

        :param credit_lines: what of it was credited: some of the price, or as many"""
        self.ensure_one()
        billed = self._get_invoice_lines(invoice)
        if not all(line.product_id for line in billed):
            return True
        left = defaultdict(float)
        for sign, lines in ((1, billed), (-1, self.line_ids)):
            for line in lines:
                left[line.product_id] += sign * line.quantity
        credited = defaultdict(float)
        for line in credit_lines:
            credited[line.product_id] += line.quantity
        return all(
            not round(more, 6) or not round(more - credited[product], 6)
            for product, more in left.items()
        )

    def _get_price_of_line(self, line):
        """Return what a line of an invoice or of a term says, before any rounding of taxes:
        that is the engine's, and no difference."""
        discount = line.discount if "discount" in line._fields else 0.0
        return line.quantity * line.price_unit * (1 - discount / 100)

    def _can_follow_invoice(self):
        """Return whether the invoice was made to replace another one of this term, and what
        was changed is plainly about it. An invoice that is changed in place may be a slip."""
        self.ensure_one()
        replaced = (self.invoice_line_ids.move_id - self.invoice_id).filtered(
            lambda move: move.move_type == "out_invoice"
        )
        products = self.invoice_id.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        )
        billed = self._get_invoice_lines()
        return (
            self.state in LIVING_STATES
            and self.invoice_id.currency_id == self.currency_id
            and bool(replaced and billed)
            and all(line.product_id for line in billed)
            and all(line.quantity > 0 for line in billed)
            and all(line.membri_cotisation_id for line in products)
            # else the staff has chosen other options at the same price since the first invoice
            and (
                not self._agrees_in_amounts() or self._agrees_in_options(replaced.sorted("id")[-1])
            )
        )

    def _follow_invoice(self):
        """Make the options of this term, and of its renewal, those that are billed.

        :return: what has changed, in words; empty when it cannot be said in options
        """
        self.ensure_one()
        left, commands, changes = self.line_ids, [], []
        for billed in self._get_invoice_lines():
            line = left.filtered(lambda li, b=billed: li.product_id == b.product_id)[:1]
            left -= line
            vals = {
                "quantity": billed.quantity,
                "price_unit": billed.price_unit * (1 - billed.discount / 100),
                "tax_ids": [Command.set(billed.tax_ids.ids)],
            }
            if not line:
                vals |= {
                    "product_id": billed.product_id.id,
                    "name": (billed.name or billed.product_id.display_name).split("\n")[0],
                }
                commands.append(Command.create(vals))
            elif (
                self.currency_id.compare_amounts(
                    self._get_price_of_line(line), self._get_price_of_line(billed)
                )
                or line.tax_ids != billed.tax_ids
                or line.quantity != billed.quantity
            ):
                vals |= {"full_quantity": 0.0, "full_price_unit": 0.0}
                commands.append(Command.update(line.id, vals))
            else:
                continue
            changes.append(self._describe_change(billed.product_id, line, billed))
        for line in left:
            commands.append(Command.delete(line.id))
            changes.append(self._describe_change(line.product_id, line, None))
        try:
            with self.env.cr.savepoint():
                self._internal_write({"line_ids": commands})
        except UserError:  # e.g. a rounding that options cannot tell
            self.invalidate_recordset()
            return ""
        self._show_on_renewal()
        return ", ".join(changes)

    def _describe_change(self, product, line, billed):
        """:return: one option before and after: a dash where there is none"""
        shown = [
            self.currency_id.format(item.price_subtotal) if item else "–" for item in (line, billed)
        ]
        if shown[0] == shown[1] and line.tax_ids != billed.tax_ids:
            shown = [", ".join(item.tax_ids.mapped("name")) or "–" for item in (line, billed)]
        elif shown[0] == shown[1]:
            shown = [f"{item.quantity:g}" for item in (line, billed)]
        return self.env._(
            "%(option)s: %(before)s → %(after)s",
            option=product.display_name,
            before=shown[0],
            after=shown[1],
        )

    def _show_on_renewal(self):
        """The renewal shows what was billed: queues and pages add it up."""
        self.ensure_one()
        renewal = self.renewal_id.filtered(lambda r: r.new_cotisation_id == self)
        if renewal:
            renewal._internal_write(
                {
                    "line_ids": [
                        Command.clear(),
                        *(Command.create(line._prepare_copy_vals()) for line in self.line_ids),
                    ]
                }
            )
