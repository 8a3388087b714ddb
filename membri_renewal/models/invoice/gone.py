from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_amount

from ..cotisation.cotisation import PAID_STATES
from .unused import MONEY_JOURNALS


class AccountMove(models.Model):
    """Money that went back to a payer, and that is matched with nothing."""

    _inherit = "account.move"

    @api.model
    def _membri_tell_gone(self, gone_sudo, unused_sudo):
        """Money that went back to a payer (a check that the bank booked back, a transfer that came
        back) and that is matched with nothing: it is told on the invoice that still counts as paid
        by as much, else on the last one of that payer before it, or on the first one.

        :param gone_sudo: the journal items of it
        :param unused_sudo: the payers' money that no invoice uses: what goes back may be that
        :return: what was asked, as of :meth:`_membri_ask_about_money`, a set"""
        asked, told_sudo = set(), self.sudo().browse()  # sudo: whoever books it
        gone_sudo = gone_sudo._membri_without_covered(unused_sudo)
        by_payer = told_sudo._membri_get_invoices_by_payer(gone_sudo)
        for line in gone_sudo:
            payer = (line.company_id, line.partner_id.commercial_partner_id)
            moves = by_payer.get(payer, told_sudo.browse())
            bounced = (moves - told_sudo).filtered(
                lambda move, line=line: move._membri_is_paid_by_as_much(line)
            )[:1]
            told_sudo |= bounced
            if bounced:
                asked.add(bounced._membri_ask_about_gone(line))
            elif moves:
                # no later one: what was answered would be asked again with each new invoice
                known = moves.filtered(
                    lambda move, line=line: move._membri_get_known_day() <= line.date
                )
                last = known[:1] or moves[-1:]
                asked.add(last._membri_ask_about_gone(line, is_paid=False))
        return asked

    @api.model
    def _membri_find_returned_named(self, lines_sudo):
        """Find documents that a line of the bank names by which money went back, and that nobody
        has reconciled: a check that the bank sent back, a refund that was not recorded.

        :param lines_sudo: by which money went back, and that nobody has reconciled
        :return: ``{move: lines}``, in sudo: each line once, with the newest of its documents; none
            of what is the money of a recorded refund"""
        if not lines_sudo:
            return {}
        # sudo: the bank is the accountants'; that money has gone is a fact
        named = self.sudo()._membri_find_named_by(
            lines_sudo, Domain("state", "!=", "draft"), with_reported=False
        )
        payers = self.sudo().union(*named).commercial_partner_id
        recorded_sudo = self.env["account.payment"].sudo()
        recorded_sudo = recorded_sudo.search(
            Domain("payment_type", "=", "outbound")
            & Domain("state", "in", ("in_process", "paid"))
            & Domain("is_matched", "=", False)
            & Domain("partner_id", "child_of", payers.ids)
        )
        found = defaultdict(lines_sudo.browse)
        for line in lines_sudo:  # the first comes first
            moves = self.sudo().union(*(move for move, lines in named.items() if line in lines))
            same = recorded_sudo.filtered(
                lambda payment, line=line, payers=moves.commercial_partner_id: (
                    payment.partner_id.commercial_partner_id in payers
                    and line._membri_is_money_of(payment)
                )
            )[:1]
            if same:
                recorded_sudo -= same
            elif moves:
                found[moves.sorted("id")[-1]] |= line
        return found

    @api.model
    def _membri_get_invoices_by_payer(self, lines):
        """:param lines: journal items of payers, in sudo
        :return: ``{(company, commercial entity): their membership invoices}``, the last one first
        """
        invoices = self.search(
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & Domain("state", "!=", "draft")
            & Domain("company_id", "in", lines.company_id.ids)
            & Domain("commercial_partner_id", "in", lines.partner_id.commercial_partner_id.ids),
            order="id desc",
        )
        invoices.filtered(lambda move: move.payment_state in PAID_STATES)._membri_read_settlements()
        return invoices.grouped(lambda move: (move.company_id, move.commercial_partner_id))

    def _membri_is_paid_by_as_much(self, line):
        """Return whether this invoice counts as paid by as much money as went back."""
        self.ensure_one()
        return (
            self.state == "posted"
            and self.payment_state in PAID_STATES
            and self.currency_id == line.currency_id
            and any(
                entry["kind"] == "money"
                and line.currency_id.is_zero(entry["amount"] - line.amount_residual_currency)
                for entry in self._membri_get_settlements()
            )
        )

    def _membri_get_known_day(self):
        """:return: the day from which somebody may have paid this invoice, also one dated ahead"""
        self.ensure_one()
        created = self.company_id._membri_local_date(self.create_date)
        return min(self.invoice_date or created, created)

    def _membri_ask_about_gone(self, line, is_paid=True):
        """:param line: the journal item of money that went back
        :param is_paid: whether this invoice still counts as paid by what went back"""
        staff = self._membri_as_staff()
        return self._membri_ask_about_returned(
            is_paid,
            amount=format_amount(staff.env, line.amount_residual_currency, line.currency_id),
            payer=line.partner_id._membri_get_names(),
            date=staff._membri_format_day(line.date),
            payment=staff._membri_get_undone_label(line.move_id, line.move_id.origin_payment_id),
        )

    def _membri_ask_about_returned_line(self, line):
        """:param line: of the bank statement, by which money went back, and which names this"""
        staff = self._membri_as_staff()
        notes = self.reversal_move_ids.filtered(lambda note: note.state == "posted")
        credited = not self.currency_id.is_zero(sum(notes.mapped("amount_residual")))
        is_paid = self.state == "posted" and self.payment_state in PAID_STATES
        return self._membri_ask_about_returned(
            is_paid and not credited and not self._membri_is_all_given_back(),
            amount=line.with_context(lang=staff.env.lang)._membri_format_left(),
            payer=(line.partner_id or self.partner_id)._membri_get_names(),
            date=staff._membri_format_day(line.date),
            payment=line.payment_ref,
        )

    def _membri_ask_about_returned(self, is_paid, **names):
        """:param is_paid: whether this invoice still counts as paid by what went back
        :param names: of what went back
        :return: what was asked, as of :meth:`_membri_ask_about_money`"""
        self.ensure_one()
        staff = self._membri_as_staff()
        if is_paid:
            note = staff.env._(
                "%(amount)s was returned to %(payer)s on %(date)s (%(payment)s), and %(invoice)s "
                "still counts as paid. If its payment bounced, unreconcile it in Invoicing: the "
                "invoice is then due again. If it was refunded, credit the invoice.",
                invoice=staff._membri_get_document_label(),
                **names,
            )
        else:
            note = staff.env._(
                "%(amount)s was returned to %(payer)s on %(date)s (%(payment)s) and is not "
                "matched with anything. Reconcile it in Invoicing with the payment that bounced, "
                "or with a credit note.",
                **names,
            )
        return staff._membri_ask_about_money(note)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.model
    def _membri_get_gone_domain(self):
        """Return journal items of money that went to who was sent an invoice for a membership,
        and that nothing was said of."""
        return (
            self._membri_get_open_domain(">")
            & Domain("journal_id.type", "in", MONEY_JOURNALS)
            & self._membri_get_payers_domain()
        )

    def _membri_get_payer_key(self):
        """Return whose money this is: what a contact paid may go back to its company."""
        return self.company_id, self.partner_id.commercial_partner_id, self.currency_id

    def _membri_without_returned(self, gone):
        """Money that came and went back, be the two matched or not, is neither to be used nor to
        be sent back.

        :param gone: journal items of money that went back
        :return: what is left of ``self`` and of ``gone``"""
        by_payer = self.grouped(lambda line: line._membri_get_payer_key())
        returned = self.browse()
        for back in gone:
            payer = back._membri_get_payer_key()
            unused = by_payer.get(payer, returned.browse())
            came = unused.filtered(
                lambda line, back=back: (
                    line.date <= back.date
                    and line.currency_id.is_zero(
                        line.amount_residual_currency + back.amount_residual_currency
                    )
                )
            ).sorted(lambda line, back=back: line.partner_id == back.partner_id)[-1:]
            if came:
                by_payer[payer] = unused - came
                returned |= came | back
        return self - returned, gone - returned

    def _membri_without_covered(self, unused):
        """Return those of these journal items of money that went back, the first one first, which
        are no part of what their payers have, and no refund online, which is told by itself.

        :param unused: journal items of money that no invoice uses"""
        has = defaultdict(float)
        for line in unused:
            has[line._membri_get_payer_key()[:2]] -= line.amount_residual
        left = self.browse()
        for line in self.sorted(lambda line: (line.date, line.id)):
            payer, amount = line._membri_get_payer_key()[:2], line.amount_residual
            if line.company_currency_id.compare_amounts(amount, has[payer]) <= 0:
                has[payer] -= amount
            elif not line.move_id.origin_payment_id.source_payment_id:
                left |= line
        return left
