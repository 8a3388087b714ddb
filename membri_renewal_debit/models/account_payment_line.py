from odoo import fields, models
from odoo.exceptions import UserError

LIVING_STATES = ("draft", "open", "generated")


class AccountPaymentLine(models.Model):
    """Debits of memberships: the database lets one of them live for an invoice, and one of them be
    uploaded for each announced day."""

    _name = "account.payment.line"
    _inherit = ["account.payment.line", "membri.fields.mixin"]
    _tells_of_memberships = True
    # it follows its order
    _odoo_facts = frozenset({"state"})

    membri_charge_invoice_id = fields.Many2one(
        "account.move",
        string="Collected Automatically For",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    membri_charge_day = fields.Date(string="Announced Day", readonly=True, copy=False)
    membri_charge_amount = fields.Monetary(
        string="Announced Amount", currency_field="currency_id", readonly=True, copy=False
    )
    membri_charge_rank = fields.Integer(
        string="Part of the Invoice",
        default=0,  # no index compares what is empty
        readonly=True,
        copy=False,
        help="An announced amount that settles several lines of its invoice has a debit for each.",
    )

    _membri_one_living_debit = models.UniqueIndex(
        "(membri_charge_invoice_id, membri_charge_rank)"
        " WHERE membri_charge_invoice_id IS NOT NULL AND state IN ('draft', 'open', 'generated')",
        "This invoice is already being collected automatically.",
    )
    _membri_one_debit_per_day = models.UniqueIndex(
        "(membri_charge_invoice_id, membri_charge_day, membri_charge_rank)"
        " WHERE membri_charge_invoice_id IS NOT NULL AND state = 'uploaded'",
        "This invoice was already collected automatically.",
    )

    def _filter_about_memberships(self):
        # EXTENDS fields_mixin
        return self.filtered("membri_charge_invoice_id")

    def _membri_filter_living(self):
        """:return: those that may still bring money and are not booked"""
        return self.filtered(lambda line: line.state in LIVING_STATES)

    def _membri_withdraw(self):
        """Take these off their draft orders, which go with the last of their lines."""
        orders = self.order_id
        self.unlink()
        orders.filtered(
            lambda order: order.membri_charge_day and not order.payment_line_ids
        ).unlink()

    def _membri_follow(self):
        """Record on the renewals what became of these."""
        # sudo: who works on payment orders need not see memberships
        for invoice_sudo in self.sudo().membri_charge_invoice_id:
            invoice_sudo._membri_get_charged_renewals()._follow_debits()

    # ------------------------------------------------------------------
    # Before the bank is asked
    # ------------------------------------------------------------------

    def draft2open_payment_line_check(self):
        # EXTENDS account_payment_order
        result = super().draft2open_payment_line_check()
        if self.membri_charge_invoice_id and (reason := self._membri_get_cannot_debit_reason()):
            raise UserError(reason)
        return result

    def _membri_drop_deleted_payments(self):
        """The accountant has deleted the payment of some of these from a confirmed order: the bank
        is not asked for them, so they are no part of the order."""
        dropped = self.filtered(lambda line: line.membri_charge_invoice_id and not line.payment_ids)
        # sudo: deleting the payment was allowed
        dropped.sudo().unlink()

    def _membri_get_reasons(self):
        """Return why these must not go to the bank (sentences)."""
        ours = self.exists().filtered("membri_charge_invoice_id")
        reasons = filter(None, (line._membri_get_cannot_debit_reason() for line in ours))
        return [*reasons, *ours._membri_get_payment_reasons()]

    def _membri_get_payment_reasons(self):
        """Return sentences: which payments of these are not as their lines, whose amount was
        announced, and which lines have none."""
        ours = self.exists().filtered("membri_charge_invoice_id")
        reasons = [
            self.env._(
                "The line %(line)s (%(payer)s) no longer has a payment, so it would be settled "
                "without one. Cancel the order, and do not send its file to the bank.",
                line=line.name,
                payer=line.partner_id._membri_get_names(),
            )
            for line in ours
            if not line.payment_ids
        ]
        for payment in ours.payment_ids:
            lines, currency = payment.payment_line_ids, payment.currency_id
            amount = sum(lines.mapped("amount_currency"))
            if (
                payment.state == "canceled"
                or currency != lines.currency_id
                or currency.compare_amounts(payment.amount, amount)
                or payment.partner_bank_id != lines.partner_bank_id
            ):
                reasons.append(
                    self.env._(
                        "The payment of %(payer)s is not what was announced: %(announced)s from "
                        "%(account)s. Correct the payment.",
                        payer=payment.partner_id._membri_get_names(),
                        announced=lines.currency_id[:1].format(amount),
                        account=", ".join(lines.partner_bank_id.mapped("acc_number")),
                    )
                )
        return reasons

    def _membri_get_cannot_debit_reason(self):
        """Return why this line must not go to the bank (a sentence), or ``False``: what was
        stopped or paid since the night, and more than was announced."""
        self.ensure_one()
        line_sudo = self.sudo()  # sudo: accountants need not read renewals; a sentence is told
        invoice_sudo = line_sudo.membri_charge_invoice_id
        names = {
            "line": line_sudo.name,
            "document": invoice_sudo._membri_get_document_label(),
            "payer": line_sudo.partner_id._membri_get_names(),
        }
        pending_sudo = invoice_sudo._membri_get_charged_renewals().filtered(
            lambda renewal: renewal.charge_state == "pending" and renewal.charge_account
        )
        if not any(renewal._offers_charge() for renewal in pending_sudo):
            return self.env._(
                "The automatic payment of %(document)s (%(payer)s) is no longer planned. Remove "
                "the line %(line)s.",
                **names,
            )
        if not invoice_sudo.partner_id.active:
            return self.env._(
                "%(contact)s is archived. Remove the line %(line)s, or unarchive the contact.",
                contact=invoice_sudo.partner_id._membri_get_names(),
                **names,
            )
        if lost := line_sudo._membri_get_mandate_reason():
            return self.env._("%(reason)s Remove the line %(line)s.", reason=lost, **names)
        told = pending_sudo[0].charge_account
        accounts = line_sudo.partner_bank_id | line_sudo.mandate_id.partner_bank_id
        if set(accounts.mapped("sanitized_acc_number")) != {told}:
            return self.env._(
                "The bank account announced to %(payer)s is not that of the line %(line)s. Remove "
                "the line: the new account is then announced.",
                **names,
            )
        currency = line_sudo.currency_id
        if currency.compare_amounts(line_sudo.amount_currency, line_sudo.membri_charge_amount) > 0:
            return self.env._(
                "The line %(line)s debits more than the %(amount)s announced to %(payer)s. Lower "
                "its amount.",
                amount=currency.format(line_sudo.membri_charge_amount),
                **names,
            )
        if currency.compare_amounts(line_sudo.amount_currency, line_sudo._membri_get_due()) > 0:
            return self.env._(
                "Only %(amount)s is left to pay on %(document)s (%(payer)s). Remove the line "
                "%(line)s, or lower its amount.",
                amount=currency.format(line_sudo._membri_get_due()),
                **names,
            )
        return False

    def _membri_get_mandate_reason(self):
        """Return why the mandate of this line can be used no more (a sentence), or ``False``."""
        invoice = self.membri_charge_invoice_id
        if not self.mandate_id:
            return self.env._(
                "The mandate of %(payer)s was deleted. A new one has to be signed.",
                payer=self.partner_id._membri_get_names(),
            )
        return self.mandate_id._membri_get_unusable_reason(
            invoice.partner_id.with_company(invoice.company_id), invoice.company_id
        )

    def _membri_get_due(self):
        """:return: what is left to pay of what this line collects"""
        self.ensure_one()
        if self.move_line_id:
            return self.move_line_id.amount_residual_currency
        invoice = self.membri_charge_invoice_id
        return 0.0 if invoice._membri_is_void() else invoice._membri_get_amount_due()

    def _membri_invoice_fee_notices(self):
        """The fee notices that these collect become invoices, whose receivable lines they
        settle."""
        # sudo: who uploads orders may not be who posts invoices
        for line_sudo in self.sudo():
            invoice_sudo = line_sudo.membri_charge_invoice_id
            if line_sudo.move_line_id or not invoice_sudo:
                continue
            if invoice_sudo.state == "draft":
                invoice_sudo.action_post()
                invoice_sudo.membri_cotisation_ids._queue_invoices_of_fee_notices()
            line_sudo.move_line_id = invoice_sudo._membri_get_open_parts()[:1]
