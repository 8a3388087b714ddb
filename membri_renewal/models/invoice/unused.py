from odoo import api, fields, models
from odoo.fields import Domain

ACTIVITY_UNUSED = "membri_renewal.activity_unused_payment"


class AccountMove(models.Model):
    """Money that was paid and that no invoice uses (a payment before the approval, one on a
    cancelled invoice, a second one, too much): while an invoice of the same payer is open,
    somebody has to bring the two together, before that payer is reminded; without one, somebody
    has to refund it. All of it stands in the list *Payments to Allocate*."""

    _inherit = "account.move"

    @api.model
    def _membri_tell_unused_payments(self):
        """Ask the officer, once, about each open membership invoice whose payer has money that
        no invoice uses, and about money that is left of an invoice that is void or paid; end the
        questions that are answered. May be run at any time, twice."""
        open_domain = (
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & Domain("state", "=", "posted")
            & Domain("payment_state", "in", ("not_paid", "partial"))
        )
        invoices_sudo = self.sudo().search(open_domain)  # for the whole company, at night
        payers_sudo = {move: move._membri_get_paying_contacts() for move in invoices_sudo}
        lines_sudo = self.env["account.move.line"].sudo()
        contacts_sudo = self.env["res.partner"].sudo().union(*payers_sudo.values())
        unused_sudo = lines_sudo.search(
            Domain("partner_id", "in", contacts_sudo.ids) & lines_sudo._membri_get_unused_domain()
        )
        by_payer = unused_sudo.grouped(lambda line: (line.company_id, line.partner_id))
        told_ids = []
        for move, contacts in payers_sudo.items():
            found = lines_sudo.union(
                *(by_payer.get((move.company_id, contact), lines_sudo) for contact in contacts)
            )
            if found:
                move._membri_tell_unused(found)
                told_ids.append(move.id)
        others_sudo = lines_sudo.search(
            lines_sudo._membri_get_unused_of_payers_domain()
            & Domain("id", "not in", unused_sudo.ids)
        )
        told_ids += others_sudo._membri_tell_left_over().ids
        answered_sudo = self.env["mail.activity"].sudo()
        answered_sudo.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "not in", told_ids),
                ("activity_type_id", "=", self.env.ref(ACTIVITY_UNUSED).id),
            ]
        ).unlink()

    def _membri_get_paying_contacts(self):
        """:return: the contacts by whose name money for this invoice comes: its payer, and whom
        that is an address of"""
        self.ensure_one()
        payer = self.partner_id
        return payer | payer.parent_id if payer.type != "contact" else payer

    def _membri_tell_unused(self, lines):
        """:param lines: the journal items of the money"""
        self.ensure_one()
        staff = self._membri_as_staff()
        for line in lines:
            staff._membri_ask_officer(
                staff.env._(
                    "%(payer)s has a payment that no invoice uses: %(payment)s. %(invoice)s is "
                    "open: use the payment for it in Invoicing, or refund it.",
                    payer=line.partner_id.display_name,
                    payment=staff._membri_get_undone_label(
                        line.move_id, line.move_id.origin_payment_id
                    ),
                    invoice=staff._membri_get_document_label(),
                ),
                ACTIVITY_UNUSED,
            )

    def _membri_tell_money_of_void(self):
        """These invoices were cancelled or credited: what had paid them is told at once."""
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

    def _membri_tell_left(self, line):
        """:param line: the journal item of money that is left of this invoice, which asks for
            none"""
        self.ensure_one()
        staff = self._membri_as_staff()
        names = {
            "payer": line.partner_id.display_name,
            "left": line.currency_id.format(-line.amount_residual_currency),
            "payment": staff._membri_get_undone_label(line.move_id, line.move_id.origin_payment_id),
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
        staff._membri_ask_officer(note, ACTIVITY_UNUSED)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    membri_is_unused = fields.Boolean(
        string="Unused Membership Payment",
        compute="_compute_membri_is_unused",
        search="_search_membri_is_unused",
        help="Money from someone who was invoiced for a membership, which no invoice uses, or "
        "not all of it.",
    )

    def _compute_membri_is_unused(self):
        unused = self.search(self._membri_get_unused_of_payers_domain() & Domain("id", "in", self.ids))
        for line in self:
            line.membri_is_unused = line in unused

    @api.model
    def _search_membri_is_unused(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = self._membri_get_unused_of_payers_domain()
        return domain if True in value else ~domain

    @api.model
    def _membri_get_unused_domain(self):
        """:return: journal items of customers' money that no invoice uses, or not all of it"""
        return (
            Domain("account_type", "=", "asset_receivable")
            & Domain("parent_state", "=", "posted")
            & Domain("reconciled", "=", False)
            & Domain("amount_residual", "<", 0.0)
            & (
                Domain("move_id.origin_payment_id", "!=", False)
                | Domain("move_id.statement_line_id", "!=", False)
            )
        )

    @api.model
    def _membri_get_unused_of_payers_domain(self):
        """:return: the same, of who was sent an invoice for a membership"""
        billed = Domain("membri_invoice_type", "!=", False)
        return self._membri_get_unused_domain() & Domain(
            "partner_id",
            "any",
            Domain("invoice_ids", "any", billed)
            | Domain("child_ids", "any", Domain("invoice_ids", "any", billed)),
        )

    def _membri_tell_left_over(self):
        """Money of payers who have no open invoice: it is told on the invoice that it was for,
        else on their last one that is void. What came before there was one stands in the list
        only.

        :return: the invoices that told of it"""
        told = self.env["account.move"].sudo()
        if not self:
            return told
        contacts = self.partner_id
        invoices = told.search(
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
            own = line.move_id.origin_payment_id.invoice_ids & candidates
            move = (own or candidates.filtered(lambda move: move._membri_is_void()))[:1]
            if move:
                move._membri_tell_left(line)
                told |= move
        return told
