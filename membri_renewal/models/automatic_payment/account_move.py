from datetime import timedelta

from odoo import fields, models

from .charge import PAYER_HOURS


class AccountMove(models.Model):
    """Membership invoices that are paid by a saved card."""

    _inherit = "account.move"

    def _membri_get_charged_renewals(self):
        """The accepted renewals on these invoices, in sudo, that an automatic payment was announced
        for."""
        return self._membri_get_renewals().filtered("charge_state").sorted("id")

    def _membri_is_being_paid(self):
        """Return whether the payer has begun another payment, or a payment is not booked yet, or
        not reconciled."""
        self.ensure_one()
        since = fields.Datetime.now() - timedelta(hours=PAYER_HOURS)
        begun = self.transaction_ids.filtered(
            lambda tx: tx.state == "draft" and tx.last_state_change >= since
        )
        return (
            bool(begun)
            or self._membri_is_money_under_way()
            or bool(self._membri_get_seen_bank_line())
            or bool(self._membri_get_unused_until())
        )

    def _membri_get_charge_sentence(self):
        """:return: what is charged for this invoice, and when (a sentence), or ``False``"""
        self.ensure_one()
        sentences = [
            renewal_sudo._get_charge_sentence(to_payer=True)
            for renewal_sudo in self._membri_get_charged_renewals()
        ]
        return " ".join(filter(None, sentences)) or False

    def _membri_is_charge_awaited(self):
        """Return whether this document is paid automatically on a day that we have chosen: until
        then its payer, who has nothing to do, is not late."""
        self.ensure_one()
        return any(
            renewal_sudo.charge_state in ("announced", "pending")
            and renewal_sudo._get_charge_planned_reason()
            for renewal_sudo in self._membri_get_charged_renewals()
        )

    def _membri_get_charge_planned_reason(self):
        """Return that no reminder is needed, since the invoice is paid automatically, or
        ``False``."""
        self.ensure_one()
        reasons = (
            renewal_sudo._get_charge_planned_reason()
            for renewal_sudo in self._membri_get_charged_renewals()
        )
        return next(filter(None, reasons), False)
