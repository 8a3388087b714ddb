from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount

from ..cotisation.cotisation import PAID_STATES
from ..mixins.fields import get_flag_domain

ACTIVITY_UNUSED = "membri_renewal.activity_unused_payment"
MONEY_JOURNALS = ("bank", "cash", "credit")


class AccountMove(models.Model):
    """Money that was paid and that no invoice uses (a payment before the approval, one on a
    cancelled invoice, a second one, too much): while an invoice of the same payer is open,
    somebody has to bring the two together, before that payer is reminded; without one, somebody
    has to refund it. All of it stands in the list *Payments to Allocate*."""

    _inherit = "account.move"

    @api.model
    def _membri_tell_unused_payments(self):
        """Ask the officer, once, about each open membership invoice whose payer has money that
        no invoice uses, about money that is left of an invoice that is void or paid, and about
        lines of the bank that name an invoice; end the questions that are answered. May be run at
        any time, twice."""
        named_sudo = self._membri_match_bank_lines()
        named_sudo |= self._membri_find_settled_named(named_sudo)
        if not named_sudo and not self._membri_has_unused_payments():
            return
        self.env["membri.renewal"]._tell_payments_before_reply()
        open_domain = (
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & Domain("state", "=", "posted")
            & Domain("payment_state", "in", ("not_paid", "partial"))
        )
        invoices_sudo = self.sudo().search(open_domain)  # for the whole company, at night
        payers_sudo = {move: move._membri_get_paying_contacts() for move in invoices_sudo}
        lines_sudo = self.env["account.move.line"].sudo()
        unused_sudo = lines_sudo.search(lines_sudo._membri_get_unused_of_payers_domain())
        by_payer = unused_sudo.grouped(lambda line: (line.company_id, line.partner_id))
        told_ids, told_sudo = [], lines_sudo
        for move, contacts in payers_sudo.items():
            found = lines_sudo.union(
                *(by_payer.get((move.company_id, contact), lines_sudo) for contact in contacts)
            )
            if found:
                move._membri_tell_unused(found)
                told_ids.append(move.id)
                told_sudo |= found
        told_ids += (unused_sudo - told_sudo)._membri_tell_left_over().ids
        told_ids += self._membri_tell_unbooked_of_void(Domain.TRUE).ids
        told_ids += self._membri_tell_gone(unused_sudo).ids
        for move_sudo, found_sudo in named_sudo.items():
            move_sudo._membri_ask_about_bank_lines(found_sudo)
            told_ids.append(move_sudo.id)
        # those marked as done, too: what comes again is asked again
        answered_sudo = self.env["mail.activity"].sudo().with_context(active_test=False)
        answered_sudo.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "not in", told_ids),
                ("activity_type_id", "=", self._membri_get_unused_type_id()),
            ]
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

    def _membri_tell_unused(self, lines):
        """:param lines: the journal items of the money"""
        self.ensure_one()
        staff = self._membri_as_staff()
        for line in lines:
            staff._membri_ask_about_money(
                staff.env._(
                    "%(payer)s has a payment that no invoice uses: %(payment)s. %(invoice)s is "
                    "open: use the payment for it in Invoicing, or refund it.",
                    payer=line.partner_id.display_name,
                    payment=staff._membri_get_undone_label(
                        line.move_id, line.move_id.origin_payment_id
                    ),
                    invoice=staff._membri_get_document_label(),
                )
            )

    def _membri_ask_about_money(self, note):
        """Ask the officer what every night finds: once, and not again what was marked as done, as
        long as it stays as it is."""
        self.ensure_one()
        # sudo: it may have been asked of somebody else
        asked_sudo = self.sudo().with_context(active_test=False).activity_ids
        if note not in asked_sudo.mapped("summary"):
            self._membri_ask_officer(note, ACTIVITY_UNUSED)

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
        :return: the invoices that told of such payments (in sudo)"""
        void = (
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & (Domain("state", "=", "cancel") | Domain("payment_state", "=", "reversed"))
        )
        # sudo: the officer is told, whoever makes it void
        payments_sudo = self.env["account.payment"].sudo()
        told_sudo = self.sudo().browse()
        for payment in payments_sudo.search(
            self._membri_get_unbooked_domain() & Domain("invoice_ids", "any", void & domain)
        ):
            if all(move._membri_is_void() for move in payment.invoice_ids):
                move = payment.invoice_ids.filtered_domain(void & domain)[:1]
                left = (payment.amount, payment.currency_id)
                move._membri_tell_left(payment.partner_id, move.browse(), payment, *left)
                told_sudo |= move
        return told_sudo

    @api.model
    def _membri_tell_gone(self, unused_sudo):
        """Money that went back to a payer (a check that the bank booked back, a transfer that came
        back), as much as had paid an invoice that still counts as paid.

        :param unused_sudo: the payers' money that no invoice uses: what goes back may be that
        :return: the invoices that told of it (in sudo)"""
        told_sudo = self.sudo().browse()  # sudo: the officer is told, whoever books the money
        lines_sudo = self.env["account.move.line"].sudo()
        gone_sudo = lines_sudo.search(lines_sudo._membri_get_gone_domain())
        unused = defaultdict(float)
        for line in unused_sudo:
            unused[line.company_id, line.partner_id] += line.amount_residual
        gone_sudo = gone_sudo.filtered(
            lambda line: (
                line.amount_residual + unused[line.company_id, line.partner_id] > 0.0
                # a refund that was made online is told by itself
                and not line.move_id.origin_payment_id.source_payment_id
            )
        )
        paid_sudo = gone_sudo and told_sudo.search(
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & Domain("state", "=", "posted")
            & Domain("payment_state", "in", PAID_STATES)
            & Domain("company_id", "in", gone_sudo.company_id.ids)
            & Domain("commercial_partner_id", "in", gone_sudo.partner_id.commercial_partner_id.ids),
            order="id desc",
        )
        if not paid_sudo:
            return told_sudo
        paid_sudo._membri_read_settlements()
        paid_by = paid_sudo.grouped(lambda move: (move.company_id, move.commercial_partner_id))
        for line in gone_sudo:
            payer = line.partner_id.commercial_partner_id
            for move in paid_by.get((line.company_id, payer), told_sudo.browse()) - told_sudo:
                if any(
                    entry["kind"] == "money"
                    and line.currency_id == move.currency_id
                    and line.currency_id.is_zero(entry["amount"] - line.amount_residual_currency)
                    for entry in move._membri_get_settlements()
                ):
                    move._membri_ask_about_gone(line)
                    told_sudo |= move
                    break
        return told_sudo

    def _membri_ask_about_gone(self, line):
        self.ensure_one()
        staff = self._membri_as_staff()
        staff._membri_ask_about_money(
            staff.env._(
                "%(amount)s went back to %(payer)s on %(date)s (%(payment)s), and %(invoice)s "
                "still counts as paid. If its payment bounced, unreconcile it in Invoicing: the "
                "invoice is then to be paid again. If it was refunded, credit the invoice.",
                amount=format_amount(staff.env, line.amount_residual_currency, line.currency_id),
                payer=line.partner_id.display_name,
                date=staff._membri_format_day(line.date),
                payment=staff._membri_get_undone_label(
                    line.move_id, line.move_id.origin_payment_id
                ),
                invoice=staff._membri_get_document_label(),
            )
        )

    def _membri_tell_left(self, payer, entry, payment, left, currency):
        """This invoice asks for no money, and some is left.

        :param entry: the ``account.move`` of the money, and ``payment`` the ``account.payment``;
            one of them may be empty
        :param left: the amount that no invoice uses, in ``currency``"""
        self.ensure_one()
        staff = self._membri_as_staff()
        names = {
            "payer": payer.display_name,
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
        staff._membri_ask_about_money(note)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    membri_is_unused = fields.Boolean(
        string="Unused Membership Payment",
        compute="_compute_membri_is_unused",
        search="_search_membri_is_unused",
        help="Payment from someone who was invoiced for a membership, or credit note of such an "
        "invoice, that no invoice uses, or not in full.",
    )

    membri_amount_unused = fields.Monetary(
        string="Not Used",
        compute="_compute_membri_amount_unused",
        currency_field="company_currency_id",
        help="Part of this payment or credit note that no invoice uses.",
    )

    @api.depends("amount_residual")
    def _compute_membri_amount_unused(self):
        for line in self:
            line.membri_amount_unused = max(0.0, -line.amount_residual)

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
    def _membri_get_gone_domain(self):
        """Return journal items of money that went to who was sent an invoice for a membership,
        and that nothing was said of."""
        return (
            self._membri_get_open_domain(">")
            & Domain("journal_id.type", "in", MONEY_JOURNALS)
            & self._membri_get_payers_domain()
        )

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
        """Return what stands in the list: such money, and credit notes that nobody has used or
        paid out."""
        return self._membri_get_unused_of_payers_domain() | (
            self._membri_get_credit_domain()
            & Domain("move_id.move_type", "=", "out_refund")
            & Domain("move_id.membri_invoice_type", "!=", False)
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

        :return: the invoices that told of it"""
        told_sudo = self.env[
            "account.move"
        ].sudo()  # sudo: the officer is told, whoever makes it void
        if not self:
            return told_sudo
        contacts = self.partner_id
        invoices = told_sudo.search(
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
                left = (-line.amount_residual_currency, line.currency_id)
                payer = line.partner_id or move.partner_id
                move._membri_tell_left(payer, entry, entry.origin_payment_id, *left)
                told_sudo |= move
        return told_sudo
