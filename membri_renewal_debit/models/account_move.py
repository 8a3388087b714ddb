from datetime import timedelta

from odoo import fields, models

# a bank sends back what it cannot debit within five banking days
RETURN_DAYS = 7


class AccountMove(models.Model):
    """Membership invoices that are paid by direct debit."""

    _inherit = "account.move"

    membri_debit_ids = fields.One2many(
        "account.payment.line",
        "membri_charge_invoice_id",
        string="Automatic Debits",
        groups="account.group_account_readonly",
    )

    def _membri_get_living_debits(self):
        """Return in sudo, what is in a payment order and not booked yet: of ours, and of those
        that the accountant has made of this invoice."""
        self.ensure_one()
        invoice_sudo = self.sudo()  # sudo: payment orders are the accountants'
        lines_sudo = invoice_sudo.membri_debit_ids | invoice_sudo.line_ids.payment_line_ids
        return lines_sudo._membri_filter_living()

    def _membri_is_money_under_way(self):
        # EXTENDS membri_renewal
        return super()._membri_is_money_under_way() or bool(self._membri_get_living_debits())

    def _membri_has_money(self):
        # EXTENDS membri_renewal: what the bank is, or is about to be, asked for
        return super()._membri_has_money() or bool(self._membri_get_living_debits())

    def _membri_get_amount_to_pay(self):
        # EXTENDS membri_renewal: nobody pays twice
        amount = super()._membri_get_amount_to_pay()
        under_way = sum(self._membri_get_living_debits().mapped("amount_currency"))
        return self.currency_id.round(max(amount - under_way, 0.0))

    def _membri_get_arrival(self, entry):
        # EXTENDS membri_renewal: that the bank was asked is no money yet; it has come once a line
        # of the bank statement says so, or once the bank would have sent it back
        day = super()._membri_get_arrival(entry)
        payment_sudo = entry["payment"].sudo()  # sudo: payments are the accountants'
        if payment_sudo.payment_line_ids and not payment_sudo.is_matched:
            return day + timedelta(days=RETURN_DAYS)
        return day

    def _has_to_be_paid(self):
        # EXTENDS membri_renewal: the portal takes no second payment
        is_collected = bool(self._membri_get_living_debits())
        if is_collected and self.currency_id.is_zero(self._membri_get_amount_to_pay()):
            return False
        return super()._has_to_be_paid()

    def _membri_get_cannot_pay_online_reason(self):
        # EXTENDS membri_renewal: the same of a fee notice
        reason = super()._membri_get_cannot_pay_online_reason()
        if not reason and self._membri_get_living_debits():
            return self.env._("Your payment is in progress.")
        return reason

    def _membri_get_last_try(self):
        # EXTENDS membri_renewal: what the payer was told is being collected
        debits_sudo = self._membri_get_living_debits().filtered("mandate_id")
        if self._membri_is_settled():
            return super()._membri_get_last_try()
        if not debits_sudo:
            return super()._membri_get_last_try() or self._membri_get_lost_debit()
        return "info", self.env._(
            "%(amount)s is being collected from your %(account)s. You don't need to do anything "
            "for now.",
            amount=self.currency_id.format(sum(debits_sudo.mapped("amount_currency"))),
            account=debits_sudo.mandate_id[:1].with_env(self.env)._membri_get_label(),
        )

    def _membri_get_lost_debit(self):
        """Return ``(level, sentence)`` of a debit that came to nothing and is not tried again; of
        one that is, the day is told with what is due. Or ``False``."""
        failed = self._membri_get_charged_renewals().filtered(
            lambda renewal: (
                renewal.charge_state == "failed"
                and renewal.charge_account
                and not renewal.date_charge_retry
            )
        )
        return bool(failed) and ("danger", failed[0]._get_charge_failed_sentence())

    def _membri_tell_undone(self, undone):
        # EXTENDS membri_renewal: a debit that comes back
        result = super()._membri_tell_undone(undone)
        for invoice, source in undone:
            # sudo: the officer is told, whoever takes the money back
            invoice_sudo, source_sudo = invoice.sudo().exists(), source.sudo().exists()
            payment_sudo = source_sudo
            if source_sudo._name == self._name:
                payment_sudo = source_sudo.origin_payment_id
            debits_sudo = payment_sudo.payment_line_ids & invoice_sudo.membri_debit_ids
            if debits_sudo and invoice_sudo._membri_is_awaited_again():
                invoice_sudo._membri_get_renewals()._lose_debits(
                    debits_sudo, self._membri_get_return_reason(payment_sudo)
                )
        return result

    def _membri_get_return_reason(self, payment_sudo):
        """Return the reason that the bank gave, where OCA's ``account_payment_return`` knows it,
        which is no dependency of ours; else nothing."""
        if "payment.return.line" not in self.env:
            return ""
        # sudo: what the bank said, whoever books it
        found_sudo = self.env["payment.return.line"].sudo()
        found_sudo = found_sudo.search(
            [
                ("move_line_ids", "in", payment_sudo.move_id.line_ids.ids),
                ("return_id.state", "!=", "cancelled"),
            ],
            order="id desc",
            limit=1,
        )
        said = [found_sudo.reason_id.display_name, found_sudo.reason_additional_information]
        return " ".join(filter(None, said))
