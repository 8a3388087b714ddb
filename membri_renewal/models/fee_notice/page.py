from odoo import models


class AccountMove(models.Model):
    """What the payer is shown of a fee notice: on the page, in the PDF and in the email."""

    _inherit = "account.move"

    def _membri_get_payment_url(self):
        """Return the page of this fee notice: templates that were edited, or copied, ask for it."""
        return self._membri_get_page_url()

    def _membri_get_contact(self):
        """:return: the partner who answers questions: the officer, else the company"""
        self.ensure_one()
        company_sudo = self.company_id.sudo()  # payers may see whom to ask
        return company_sudo._membri_get_officer().partner_id or company_sudo.partner_id

    def _membri_get_page_status(self):
        """:return: ``(level, label)`` of a badge"""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: payers read no drafts; the page was asked who looks
        if move_sudo.membri_fee_notice_state == "invoiced":
            if move_sudo._membri_is_paid():
                return "success", self.env._("Paid")
            return "warning", self.env._("Invoiced")
        if not move_sudo._membri_is_payable():
            return "secondary", self.env._("Withdrawn")
        if move_sudo._membri_get_unbooked_transactions():
            return "info", self.env._("Payment in progress")
        return "warning", self.env._("Amount due")

    def _membri_get_page_sentences(self):
        """:return: where the fee notice stands and what comes next, as a list of sentences"""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: payers read no drafts; the page was asked who looks
        if move_sudo.membri_fee_notice_state == "invoiced":
            return move_sudo._membri_get_page_sentences_invoiced()
        reason = move_sudo._membri_get_cannot_pay_online_reason()
        if not move_sudo._membri_is_payable():
            return [reason]
        more = [
            move_sudo._membri_get_rest_sentence(),
            move_sudo._membri_get_on_account_sentence(),
            self.env._("We will send you the invoice as soon as we receive your payment."),
            move_sudo._membri_get_reported_sentence(),
            reason,
        ]
        return [*move_sudo._membri_get_next_parts_sentences(), *filter(None, more)]

    def _membri_get_page_sentences_invoiced(self):
        if self._membri_is_paid():
            return [
                self.env._("Thank you! This fee notice is paid."),
                self.env._("Your invoice is %(invoice)s.", invoice=self.name),
            ]
        if self.state == "posted" and not self._membri_is_void():
            if self._membri_is_settled():
                return [
                    self._membri_get_settled_sentence(),
                    self.env._("Your invoice is %(invoice)s.", invoice=self.name),
                ]
            return [
                self.env._(
                    "This fee notice is now the invoice %(invoice)s. Amount due: %(amount)s.",
                    invoice=self.name,
                    amount=self.currency_id.format(self._membri_get_amount_due()),
                )
            ]
        return [self.env._("This fee notice is no longer valid. Please do not pay it.")]

    def _membri_get_page_invoice_url(self):
        """:return: the path of the invoice that this fee notice has become, or ``False``"""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: payers read no drafts; the page was asked who looks
        invoiced = move_sudo.membri_fee_notice_state == "invoiced" and move_sudo.state == "posted"
        return invoiced and bool(move_sudo.access_token) and move_sudo.get_portal_url()
