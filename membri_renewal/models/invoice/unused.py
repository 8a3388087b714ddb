from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount

from ..mixins.fields import get_flag_domain
from ..mixins.formats import end_once, is_said_in

ACTIVITY_UNUSED = "membri_renewal.activity_unused_payment"
MONEY_JOURNALS = ("bank", "cash", "credit")


class AccountMove(models.Model):
    """Money that was paid and that no invoice uses (a payment before the approval, one on a
    cancelled invoice, a second one, too much): while an invoice of the same payer is open,
    somebody has to bring the two together, before that payer is reminded; without one, somebody
    has to refund it. All of it stands in the list *Payments to Allocate*."""

    _inherit = "account.move"

    membri_date_unused = fields.Datetime(
        string="Unused Payment Found On",
        copy=False,
        readonly=True,
        index="btree_not_null",
        help="Date on which a payment of the payer was found that no invoice uses, and that is "
        "sufficient for this one. Automatic reminders are paused for as many days as after a "
        "reported payment.",
    )

    @api.model
    def _membri_tell_unused_payments(self):
        """Ask the officer, once, about each open membership invoice whose payer has money that
        no invoice uses, about money that is left of an invoice that is void or paid, and about
        lines of the bank that name an invoice; end the questions that are answered. May be run at
        any time, twice."""
        named_sudo = self._membri_match_bank_lines()
        lines_sudo = self.env["account.bank.statement.line"]
        lines_sudo = lines_sudo._membri_find_unreconciled(operator="!=")
        came_sudo = lines_sudo.filtered(lambda line: line.amount > 0.0)
        named_sudo |= self._membri_find_settled_named(came_sudo, named_sudo)
        returned_sudo = self._membri_find_returned_named(lines_sudo - came_sudo)
        if not (named_sudo or returned_sudo or self._membri_has_unused_payments()):
            return
        self.env["membri.renewal"]._tell_payments_before_reply()
        # for the whole company, at night
        invoices_sudo = self.sudo().search(self._membri_get_to_pay_domain())
        payers_sudo = {move: move._membri_get_paying_contacts() for move in invoices_sudo}
        lines_sudo = self.env["account.move.line"].sudo()
        unused_sudo = lines_sudo.search(lines_sudo._membri_get_unused_of_payers_domain())
        gone_sudo = lines_sudo.search(lines_sudo._membri_get_gone_domain())
        unused_sudo, gone_sudo = unused_sudo._membri_without_returned(gone_sudo)
        by_payer = unused_sudo.grouped(lambda line: (line.company_id, line.partner_id))
        asked, told_sudo, held_sudo = set(), lines_sudo, self.sudo().browse()
        again_sudo = held_sudo
        for move, contacts in payers_sudo.items():
            found = lines_sudo.union(
                *(by_payer.get((move.company_id, contact), lines_sudo) for contact in contacts)
            )
            if found:
                asked |= move._membri_tell_unused(found)
                told_sudo |= found
                if move._membri_is_enough(move._membri_sum_unused(found)):
                    held_sudo |= move
                if move.membri_date_unused and move._membri_is_enough(
                    move._membri_get_unused_since(found)
                ):
                    again_sudo |= move
        self._membri_hold_for_unused(held_sudo, again_sudo)
        asked |= (unused_sudo - told_sudo)._membri_tell_left_over()
        asked |= self._membri_tell_unbooked_of_void(Domain.TRUE)
        asked |= self._membri_tell_gone(gone_sudo, unused_sudo)
        asked |= self._membri_tell_draft_settlements()
        for move_sudo, found_sudo in named_sudo.items():
            asked |= move_sudo._membri_ask_about_bank_lines(found_sudo)
        for move_sudo, found_sudo in returned_sudo.items():
            for line_sudo in found_sudo:
                asked.add(move_sudo._membri_ask_about_returned_line(line_sudo))
        for move_sudo, line_sudo in self._membri_find_booked_elsewhere().items():
            asked.add(move_sudo._membri_ask_about_booked_elsewhere(line_sudo))
        self._membri_end_answered(asked)

    @api.model
    def _membri_end_answered(self, asked):
        """End the questions about money that are not asked any more, each by itself: one line of
        the bank is reconciled, another is not. Those marked as done, too: what comes again is asked
        again. None of what somebody has planned by hand.

        :param asked: set of ``(id of the invoice, sentence)`` of the others"""
        # sudo: the questions are the officer's
        questions_sudo = self.env["mail.activity"].sudo().with_context(active_test=False)
        notes = defaultdict(list)
        for move_id, note in asked:
            notes[move_id].append(note)
        questions_sudo.search(
            [
                ("res_model", "=", self._name),
                ("activity_type_id", "=", self._membri_get_unused_type_id()),
                ("automated", "=", True),
            ]
        ).filtered(
            lambda question: (
                not any(is_said_in(question.summary, note) for note in notes[question.res_id])
            )
        ).unlink()

    @api.model
    def _membri_has_unused_payments(self):
        """:return: whether there is anything to ask about, or to end; one query in all"""
        # sudo: for the whole company, at night
        queries = [
            self.env["account.move.line"]
            .sudo()
            ._search(self.env["account.move.line"]._membri_get_unused_of_payers_domain()),
            self.env["account.move.line"]
            .sudo()
            ._search(self.env["account.move.line"]._membri_get_gone_domain()),
            self.env["account.payment"].sudo()._search(self._membri_get_unbooked_domain()),
            self.env["account.partial.reconcile"]
            .sudo()
            ._search(self._membri_get_draft_settlements_domain()),
            self.sudo()._search([("membri_date_unused", "!=", False)]),
            self.sudo()._search(self._membri_get_booked_domain()),
            self.env["mail.activity"]
            .sudo()
            .with_context(active_test=False)
            ._search([("activity_type_id", "=", self._membri_get_unused_type_id())]),
            *self.env["membri.renewal"]._get_before_reply_queries(),
        ]
        exists = SQL(" OR ").join(SQL("EXISTS (%s)", query.select()) for query in queries)
        [(found,)] = self.env.execute_query(SQL("SELECT %s", exists))
        return found

    @api.model
    def _membri_get_to_pay_domain(self):
        """Return the open membership invoices that unused money is told on: no credit note, which
        asks for nothing, and no fee notice, which is in no total of the accounts."""
        return (
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & Domain("state", "=", "posted")
            & Domain("payment_state", "in", ("not_paid", "partial"))
        )

    @api.model
    def _membri_get_unused_type_id(self):
        return self.env["ir.model.data"]._xmlid_to_res_id(ACTIVITY_UNUSED, raise_if_not_found=True)

    @api.model
    def _membri_get_unbooked_domain(self):
        """:return: payments without journal entry of membership invoices"""
        return (
            Domain("payment_type", "=", "inbound")
            & Domain("state", "=", "in_process")
            & Domain("move_id", "=", False)
            & Domain("invoice_ids.membri_invoice_type", "!=", False)
        )

    def _membri_get_paying_contacts(self):
        """Return the contacts by whose name money for this invoice comes: its payer, the former
        one, who was sent it first, and whom these are addresses of."""
        self.ensure_one()
        return (self.partner_id | self.membri_former_payer_id)._membri_with_addressed()

    @api.model
    def _membri_hold_for_unused(self, held_sudo, again_sudo):
        """Nobody who has paid is reminded automatically, for some days: somebody has to bring the
        two together first.

        :param held_sudo: the open invoices whose payers have as much as they are asked for
        :param again_sudo: those of them whose payers have paid as much once more since"""
        # sudo: for the whole company, at night
        known_sudo = self.sudo().search([("membri_date_unused", "!=", False)])
        (known_sudo - held_sudo).membri_date_unused = False
        (held_sudo - (known_sudo - again_sudo)).membri_date_unused = fields.Datetime.now()

    def _membri_sum_unused(self, lines):
        """:param lines: journal items of money that no invoice uses
        :return: what is left of it, in the currency of this invoice"""
        self.ensure_one()
        return sum(
            line.currency_id._convert(
                -line.amount_residual_currency, self.currency_id, line.company_id, line.date
            )
            for line in lines
        )

    def _membri_get_unused_since(self, lines):
        """Return how much of the money of these journal items has come since this invoice is held,
        in its currency."""
        self.ensure_one()
        found = self.company_id._membri_local_date(self.membri_date_unused)
        today = self.company_id._membri_today()
        return self._membri_sum_unused(lines.filtered(lambda line: found < line.date <= today))

    def _membri_get_unused_until(self):
        """Return the day until which nobody is reminded of this invoice automatically, as its payer
        has a payment that no invoice uses, or ``False``."""
        self.ensure_one()
        found = self.sudo().membri_date_unused  # sudo: a day only
        until = found and self.company_id._membri_get_held_until(found)
        return until if until and self.company_id._membri_today() < until else False

    def _membri_tell_unused(self, lines):
        """:param lines: the journal items of the money
        :return: what was asked, as of :meth:`_membri_ask_about_money`, a set"""
        self.ensure_one()
        staff = self._membri_as_staff()
        return {
            staff._membri_ask_about_money(
                staff.env._(
                    "%(payer)s has a payment that no invoice uses: %(payment)s. %(invoice)s is "
                    "open: use the payment for it in Invoicing, or refund it.",
                    payer=line.partner_id._membri_get_names(),
                    payment=staff._membri_get_undone_label(
                        line.move_id, line.move_id.origin_payment_id
                    ),
                    invoice=staff._membri_get_document_label(),
                )
            )
            for line in lines
        }

    def _membri_has_money_on_account(self, told=()):
        """Return whether the payer has money in *Payments to Allocate*. How much it is, is not for
        whoever holds a link to one invoice.

        :param told: credit notes that the payer is told of already"""
        self.ensure_one()
        # sudo: payers see no journal items; that there is money of their own is told
        lines_sudo = self.env["account.move.line"].sudo()
        lines_sudo = lines_sudo.search(
            lines_sudo._membri_get_listed_domain()
            & Domain("company_id", "=", self.company_id.id)
            & Domain("partner_id", "in", self.sudo().partner_id._membri_with_addressed().ids)
            & Domain("move_id", "not in", [note.id for note in told])
        )
        return self.currency_id.compare_amounts(self._membri_sum_unused(lines_sudo), 0.0) > 0

    def _membri_get_on_account_sentence(self):
        """Return that there is such money, and whom to ask, in a sentence, or ``False``: who paid
        already does not have to pay again."""
        self.ensure_one()
        contact_sudo = self._membri_get_contact().sudo()  # sudo: whom any payer may ask
        return self._membri_has_money_on_account() and self.env._(
            "You have an unused credit with us. Before you pay, ask us to use it: %(contact)s.",
            contact=", ".join(
                filter(None, [contact_sudo.name, contact_sudo.email, contact_sudo.phone])
            ),
        )

    def _membri_get_money_back_sentence(self, told=()):
        """Return that there is such money, where nothing is to be paid, or ``False``."""
        return self._membri_has_money_on_account(told) and self.env._(
            "You have an unused credit with us. We will refund it, or use it for your next invoice."
        )

    def _membri_ask_about_money(self, note):
        """Ask the officer what every night finds: once, and not again what was marked as done, as
        long as it stays as it is.

        :return: ``(id, summary)`` of the document and the question"""
        self.ensure_one()
        note = end_once(note)
        # sudo: it may have been asked of somebody else
        asked_sudo = self.sudo().with_context(active_test=False).activity_ids
        if not any(is_said_in(question.summary, note) for question in asked_sudo):
            self._membri_ask_officer(note, ACTIVITY_UNUSED)
        return self.id, note

    def _membri_tell_money_of_void(self):
        """These invoices were cancelled or credited: what had paid them is told at once."""
        # sudo: the officer is told, whoever makes it void
        void_sudo = self.sudo().filtered(
            lambda move: (
                move.membri_invoice_type
                and move.move_type == "out_invoice"
                and move._membri_is_void()
            )
        )
        contacts_sudo = void_sudo.partner_id.browse().union(
            *(move._membri_get_paying_contacts() for move in void_sudo)
        )
        if contacts_sudo:
            lines_sudo = self.env["account.move.line"].sudo()
            lines_sudo.search(
                Domain("partner_id", "in", contacts_sudo.ids)
                & Domain("company_id", "in", void_sudo.company_id.ids)
                & lines_sudo._membri_get_unused_domain()
            )._membri_tell_left_over()
            self._membri_tell_unbooked_of_void(Domain("id", "in", void_sudo.ids))

    @api.model
    def _membri_tell_unbooked_of_void(self, domain):
        """Payments without journal entry are on their invoices, whatever becomes of those.

        :param domain: of invoices
        :return: what was asked, as of :meth:`_membri_ask_about_money`, a set"""
        void = (
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & (Domain("state", "=", "cancel") | Domain("payment_state", "=", "reversed"))
        )
        # sudo: the officer is told, whoever makes it void
        payments_sudo = self.env["account.payment"].sudo()
        asked = set()
        for payment in payments_sudo.search(
            self._membri_get_unbooked_domain() & Domain("invoice_ids", "any", void & domain)
        ):
            if all(move._membri_is_void() for move in payment.invoice_ids):
                move = payment.invoice_ids.filtered_domain(void & domain)[:1]
                left = (payment.amount, payment.currency_id)
                entry = move.browse()
                asked.add(move._membri_tell_left(payment.partner_id, entry, payment, *left))
        return asked

    def _membri_tell_left(self, payer, entry, payment, left, currency):
        """This invoice asks for no money, and some is left.

        :param entry: the ``account.move`` of the money, and ``payment`` the ``account.payment``;
            one of them may be empty
        :param left: the amount that no invoice uses, in ``currency``
        :return: what was asked, as of :meth:`_membri_ask_about_money`"""
        self.ensure_one()
        staff = self._membri_as_staff()
        names = {
            "payer": payer._membri_get_names(),
            "left": format_amount(staff.env, left, currency),
            "payment": staff._membri_get_undone_label(entry, payment),
            "invoice": staff._membri_get_document_label(),
        }
        if self._membri_is_void():
            note = staff.env._(
                "%(payer)s has a payment that no invoice uses: %(payment)s, of which %(left)s is "
                "left. %(invoice)s is cancelled or credited: refund the payment, or use it for "
                "another invoice in Invoicing.",
                **names,
            )
        else:
            note = staff.env._(
                "%(payer)s has a payment that no invoice uses: %(payment)s, of which %(left)s is "
                "left. %(invoice)s does not need it: refund it, or keep it for the next invoice.",
                **names,
            )
        return staff._membri_ask_about_money(note)


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    def _get_unused_money_reason(self):
        """:return: that the payer has a payment that no invoice uses (a sentence), or ``False``"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        until = invoice_sudo._membri_get_unused_until()
        return bool(until) and self.env._(
            "%(payer)s has a payment that no invoice uses. Use it for %(document)s of %(renewal)s "
            "in Invoicing, or refund it. No reminder is sent automatically until %(until)s.",
            payer=invoice_sudo.partner_id._membri_get_names(),
            document=invoice_sudo._membri_get_document_label(),
            renewal=self.display_name,
            until=self._format_day(until),
        )


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    membri_is_unused = fields.Boolean(
        string="Unused Membership Payment",
        compute="_compute_membri_is_unused",
        search="_search_membri_is_unused",
        help="Payment from or to someone who was invoiced for a membership, or credit note of such "
        "an invoice, that is not fully matched.",
    )

    membri_amount_unused = fields.Monetary(
        string="Not Used",
        compute="_compute_membri_amount_unused",
        currency_field="company_currency_id",
        help="Part of this payment or credit note that no invoice uses. Money that was returned to "
        "the payer and is not matched with anything is negative.",
    )

    @api.depends("amount_residual")
    def _compute_membri_amount_unused(self):
        for line in self:
            line.membri_amount_unused = -line.amount_residual

    def _compute_membri_is_unused(self):
        # sudo: what a payment settles, officers and auditors need not read
        unused_sudo = self.sudo().search(
            self._membri_get_listed_domain() & Domain("id", "in", self.ids)
        )
        for line in self:
            line.membri_is_unused = line in unused_sudo

    @api.model
    def _search_membri_is_unused(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: what a payment settles, officers and auditors need not read
        listed = Domain("id", "in", self.sudo()._search(self._membri_get_listed_domain()))
        return get_flag_domain(listed, value)

    @api.model
    def _membri_get_unused_domain(self):
        """:return: journal items of customers' money that no invoice uses, or not all of it"""
        return self._membri_get_credit_domain() & Domain("journal_id.type", "in", MONEY_JOURNALS)

    @api.model
    def _membri_get_credit_domain(self):
        """:return: journal items of what customers have to their credit"""
        return self._membri_get_open_domain("<")

    @api.model
    def _membri_get_open_domain(self, operator):
        """:param operator: ``<`` for what customers have to their credit, ``>`` for what they owe
        :return: the journal items of that"""
        return (
            Domain("account_type", "=", "asset_receivable")
            & Domain("parent_state", "=", "posted")
            & Domain("reconciled", "=", False)
            & Domain("amount_residual", operator, 0.0)
        )

    @api.model
    def _membri_get_listed_domain(self):
        """Return what stands in the list: such money, what went back, and credit notes that nobody
        has used or paid out."""
        return (
            self._membri_get_unused_of_payers_domain()
            | self._membri_get_gone_domain()
            | (
                self._membri_get_credit_domain()
                & Domain("move_id.move_type", "=", "out_refund")
                & Domain("move_id.membri_invoice_type", "!=", False)
            )
        )

    @api.model
    def _membri_get_unused_of_payers_domain(self):
        """Return the same, of who was sent an invoice for a membership, and what is left of money
        that has paid one."""
        return self._membri_get_unused_domain() & (
            self._membri_get_payers_domain()
            | Domain("matched_debit_ids.debit_move_id.move_id.membri_invoice_type", "!=", False)
        )

    @api.model
    def _membri_get_payers_domain(self):
        """:return: journal items of who was sent an invoice for a membership"""
        billed = Domain("membri_invoice_type", "!=", False)
        return Domain(
            "partner_id",
            "any",
            Domain("invoice_ids", "any", billed)
            | Domain("membri_former_invoice_ids", "any", billed)
            | Domain("child_ids", "any", Domain("invoice_ids", "any", billed)),
        )

    def _membri_tell_left_over(self):
        """Money of payers who have no open invoice: it is told on the invoice that it was for,
        else on their last one that is void. What came before there was one stands in the list
        only.

        :return: what was asked, as of ``_membri_ask_about_money`` of invoices, a set"""
        asked = set()
        if not self:
            return asked
        contacts = self.partner_id
        # sudo: the officer is told, whoever makes it void
        invoices = self.env["account.move"].sudo()
        invoices = invoices.search(
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & Domain("state", "!=", "draft")
            & Domain("company_id", "in", self.company_id.ids)
            & (
                Domain("partner_id", "in", contacts.ids)
                | (
                    Domain("partner_id.parent_id", "in", contacts.ids)
                    & Domain("partner_id.type", "!=", "contact")
                )
            ),
            order="id desc",
        )
        for line in self:
            candidates = invoices.filtered(
                lambda move, line=line: (
                    move.company_id == line.company_id
                    and line.partner_id in move._membri_get_paying_contacts()
                )
            )
            # a line of the bank statement knows no invoice but the one that it has paid
            own = (line.move_id.origin_payment_id.invoice_ids & candidates) or (
                line.matched_debit_ids.debit_move_id.move_id.filtered("membri_invoice_type")
            )
            move = (own or candidates.filtered(lambda move: move._membri_is_void()))[:1]
            if move:
                entry = line.move_id
                payment = entry.origin_payment_id
                left = -line.amount_residual_currency
                if payment.currency_id == line.currency_id:  # a discount that it granted is none
                    left = min(left, payment.amount)
                payer = line.partner_id or move.partner_id
                asked.add(move._membri_tell_left(payer, entry, payment, left, line.currency_id))
        return asked
