from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..mixins.delays import check_delays

# rule H1 of Payments Canada: a debit of a bank account is announced ten days before
DEBIT_LEAD_DAYS = 10
DEBIT_METHODS = (
    "acss_debit",
    "ach_direct_debit",
    "bacs_direct_debit",
    "becs_direct_debit",
    "sepa_direct_debit",
)


class MembriOptionSet(models.Model):
    _inherit = "membri.option.set"

    automatic_payment = fields.Selection(
        [("none", "Not Offered"), ("offered", "Offered"), ("required", "Required")],
        default="none",
        required=True,
        help="Offered: renewals of members who saved a way to pay are charged on the announced "
        "day. Required: those of members who did not appear in a dashboard. Not Offered: nothing "
        "is charged automatically.",
    )

    def write(self, vals):
        # EXTENDS option_set
        changed = self.browse()
        if "automatic_payment" in vals:
            changed = self.filtered(lambda s: s.automatic_payment != vals["automatic_payment"])
        result = super().write(vals)
        if changed:
            changed._follow_automatic_payment()
        return result

    def _follow_automatic_payment(self):
        """What was said under the old choice holds no more: why somebody without a card is not
        charged, and, where nothing is offered any more, what is charged. Who was told of it, with
        an invoice, is told otherwise by the night."""
        # sudo: of every renewal of these plans
        renewals_sudo = self.env["membri.renewal"].sudo()
        plans = Domain("option_set_id", "in", self.ids)
        open_sudo = renewals_sudo.search(
            plans
            & (
                Domain("charge_note", "!=", False)
                | Domain("charge_state", "in", ("announced", "failed"))
            )
        )
        open_sudo.filtered(lambda r: not r.charge_state)._internal_write({"charge_note": False})
        ended_sudo = open_sudo.filtered(
            lambda r: (
                r.charge_state in ("announced", "failed")
                and not r._offers_charge()
                and not r._is_end_of_charge_to_be_told()
            )
        )
        ended_sudo._internal_write(
            {"charge_state": False, "date_charge_retry": False, "charge_note": False}
        )
        ended_sudo._update_next_reminder()


class ResCompany(models.Model):
    _inherit = "res.company"

    membri_charge_lead_days = fields.Integer(
        string="Announce Automatic Payments (days before)",
        default=10,
        help="Minimum number of days between the announcement of an automatic payment and the "
        "payment. Debits of bank accounts are always announced at least 10 days before.",
    )
    membri_charge_retry_days = fields.Char(
        string="Retry Declined Payments After (days)",
        default="3,5,7",
        help="Days after the first attempt, separated by commas. Leave empty to never retry. "
        "Only declines that may pass are retried.",
    )

    _membri_charge_lead_positive = models.Constraint(
        "CHECK (membri_charge_lead_days > 0)",
        "Automatic payments are announced at least one day before.",
    )

    @api.constrains("membri_charge_lead_days")
    def _check_membri_charge_lead_days(self):
        check_delays(self, "membri_charge_lead_days")

    @api.constrains("membri_charge_retry_days")
    def _check_membri_charge_retry_days(self):
        for company in self:
            try:
                days = company._membri_get_retry_days()
            except ValueError:
                days = [0]
            if days != sorted(set(days)) or any(not 0 < day <= 60 for day in days):
                raise ValidationError(
                    self.env._(
                        "“%(days)s” is not a list of days. Enter increasing numbers from 1 to 60, "
                        "separated by commas, such as 3,5,7.",
                        days=company.membri_charge_retry_days,
                    )
                )

    def _membri_get_retry_days(self):
        """:return: the days after the first attempt on which a declined payment is tried again"""
        self.ensure_one()
        return [int(day) for day in (self.membri_charge_retry_days or "").split(",") if day.strip()]

    def _membri_get_charge_lead_days(self, card):
        """:return: how many days before a charge to ``card`` the payer is told"""
        self.ensure_one()
        lead = max(1, self.membri_charge_lead_days)
        if card._membri_is_bank_debit():
            return max(lead, DEBIT_LEAD_DAYS)
        return lead

    def _membri_get_consent_wording(self):
        """:return: what payers agree to by saving a card, in their language"""
        self.ensure_one()
        return self.env._(
            "Use this card for my next renewals. I will be told the amount and the day at least "
            "%(days)s days before, and can stop at any time.",
            days=max(1, self.sudo().membri_charge_lead_days),  # sudo: settings are the staff's
        )
