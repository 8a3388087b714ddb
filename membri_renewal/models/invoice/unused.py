from odoo import api, models
from odoo.fields import Domain

ACTIVITY_UNUSED = "membri_renewal.activity_unused_payment"


class AccountMove(models.Model):
    """Money that was paid and that no invoice uses (a payment before the approval, one on a
    cancelled invoice, a second one): while an invoice of the same payer is open, somebody has to
    bring the two together, before that payer is reminded."""

    _inherit = "account.move"

    @api.model
    def _membri_tell_unused_payments(self):
        """Ask the officer, once, about each open membership invoice whose payer has money that
        no invoice uses; end the questions that are answered. May be run at any time, twice."""
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


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

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
