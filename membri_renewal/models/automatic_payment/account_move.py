from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..mixins.formats import format_day
from ..res_partner import READERS
from .charge import PAYER_HOURS


class ResPartner(models.Model):
    """What is charged next, on the contact."""

    _inherit = "res.partner"

    membri_next_charge = fields.Char(
        string="Next Automatic Payment",
        compute="_compute_membri_next_charge",
        groups=READERS,
        help="Amount and day of the next payment that was announced for this member or payer.",
    )

    @api.depends("membri_renewal_ids.charge_state")
    @api.depends_context("company", "lang")
    def _compute_membri_next_charge(self):
        # sudo: what is charged to whom, staff may see
        planned_sudo = (
            self.env["membri.renewal"]
            .sudo()
            .search(
                Domain("company_id", "=", self.env.company.id)
                & Domain("is_open", "=", True)
                & (
                    Domain("charge_state", "=", "announced")
                    | (
                        Domain("charge_state", "=", "failed")
                        & Domain("date_charge_retry", "!=", False)
                    )
                )
                & (
                    Domain("partner_id", "in", self.ids)
                    | Domain("invoice_id.partner_id", "in", self.ids)
                )
            )
            .sorted(lambda renewal: (renewal._get_charge_day(), renewal.id))
        )
        for partner in self:
            own_sudo = planned_sudo.filtered(
                lambda renewal, partner=partner: (
                    partner._origin in renewal.partner_id | renewal.invoice_id.partner_id
                )
            )
            first_sudo = own_sudo[:1]
            partner.membri_next_charge = bool(first_sudo) and self.env._(
                "%(amount)s on %(date)s (%(renewal)s)",
                amount=first_sudo.currency_id.format(first_sudo.amount_charge),
                date=format_day(self.env, first_sudo._get_charge_day()),
                renewal=first_sudo.name,
            )


class AccountMove(models.Model):
    """Membership invoices that are paid by a saved card."""

    _inherit = "account.move"

    def _membri_get_charged_renewals(self):
        """The accepted renewals on these invoices, in sudo, that an automatic payment was announced
        for."""
        return self._membri_get_renewals().filtered("charge_state").sorted("id")

    def _membri_is_being_paid(self):
        """:return: whether the payer has begun another payment, or a payment is not booked yet"""
        self.ensure_one()
        since = fields.Datetime.now() - timedelta(hours=PAYER_HOURS)
        begun = self.transaction_ids.filtered(
            lambda tx: tx.state == "draft" and tx.last_state_change >= since
        )
        return bool(begun) or self._membri_is_money_under_way()

    def _membri_get_charge_sentence(self):
        """:return: what is charged for this invoice, and when (a sentence), or ``False``"""
        self.ensure_one()
        sentences = [
            renewal_sudo._get_charge_sentence(to_payer=True)
            for renewal_sudo in self._membri_get_charged_renewals()
        ]
        return " ".join(filter(None, sentences)) or False

    def _membri_get_charge_planned_reason(self):
        """:return: that no reminder is needed, since the invoice is paid automatically, or
        ``False``"""
        self.ensure_one()
        reasons = (
            renewal_sudo._get_charge_planned_reason()
            for renewal_sudo in self._membri_get_charged_renewals()
        )
        return next(filter(None, reasons), False)
