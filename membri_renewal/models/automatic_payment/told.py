from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

LOST_STATES = ("failed", "unreachable")


class MembriRenewal(models.Model):
    """What the payer was told counts once it has left: the email was taken by the mail server, or
    the letter was printed. What leaves late says a later day; what failed or came back was not
    told."""

    _inherit = "membri.renewal"

    def _is_announcement_untold(self):
        """:return: whether a payment was announced to nobody yet"""
        self.ensure_one()
        return (
            self.charge_state == "announced"
            and not self.date_charge_announced
            and not self.charge_attempts
        )

    def _is_announcement_waiting(self):
        """:return: whether an email or a letter that may tell the payer is still to leave"""
        self.ensure_one()
        return self.delivery_state == "queued" or self.letter_state == "to_print"

    def _is_announcement_lost(self):
        """:return: whether what told the payer did not leave, or came back"""
        self.ensure_one()
        if self.charge_state != "announced" or self.charge_attempts:
            return False
        if self._is_announcement_waiting():
            return False
        return not self.date_charge_announced or self.delivery_state in LOST_STATES

    def _get_told_facts(self):
        # EXTENDS term_mixin: another day, amount or card is another announcement
        self.ensure_one()
        renewal_sudo = self.sudo()  # facts of the charge are the staff's
        if renewal_sudo.charge_state != "announced":
            return super()._get_told_facts()
        if not self._get_document_sudo() and self._get_other_card_owner():
            return super()._get_told_facts()  # who reads the notice is not who pays
        card_sudo = self._get_announced_card()
        return (
            f"charge {self.id} {renewal_sudo.date_charge} {renewal_sudo.amount_charge:.2f} "
            f"{card_sudo._name} {card_sudo.id}"
        )

    def _before_leaving(self):
        # EXTENDS term_mixin: the days count from now on
        for renewal_sudo in self.sudo().filtered(lambda r: r._is_announcement_untold()):
            if vals := renewal_sudo._prepare_lead_vals():
                renewal_sudo._internal_write(vals)
        return super()._before_leaving()

    def _prepare_lead_vals(self):
        """:return: the values of a later day, when less than the lead is left until the announced
        one"""
        self.ensure_one()
        company = self.company_id
        days = company._membri_get_charge_lead_days(self._get_announced_card())
        day = company._membri_today() + timedelta(days=days)
        if self.date_charge >= day:
            return {}
        later = [(fields.Date.to_date(due), amount) for due, amount in self.charge_plan or []]
        return {
            "date_charge": day,
            "charge_plan": self._plan_later_parts([(day, self.amount_charge), *later]),
        }

    def _after_leaving(self, facts):
        # EXTENDS term_mixin
        for renewal in self:
            told = renewal._get_told_facts()
            renewal_sudo = renewal.sudo()
            if told and told in facts and renewal_sudo._is_announcement_untold():
                renewal_sudo._internal_write(
                    {
                        "date_charge_announced": fields.Datetime.now(),
                        "charge_note": False,
                        **renewal_sudo._prepare_lead_vals(),
                    }
                )
        return super()._after_leaving(facts)

    def _after_undelivered(self, reason):
        # EXTENDS term_mixin
        for renewal_sudo in self.sudo():
            if renewal_sudo.charge_state != "announced" or renewal_sudo.charge_attempts:
                continue
            renewal_sudo._internal_write({"date_charge_announced": False})
            if renewal_sudo.state == "approved":
                renewal_sudo._hold_charge(
                    renewal_sudo.env._(
                        "The announcement did not reach the payer, so nothing is charged. %(why)s",
                        why=reason or "",
                    ).strip()
                )
        return super()._after_undelivered(reason)

    def _get_untold_reason(self):
        """:return: why nothing is charged for these renewals yet (a sentence): their payer was not
        told, or ``False``"""
        if any(renewal._is_announcement_lost() for renewal in self):
            return self.env._(
                "The announcement did not reach the payer. Nothing was charged: correct the "
                "address and resend the invoice, or ask for another payment."
            )
        untold = self.filtered(lambda renewal: renewal._is_announcement_untold())
        if not untold:
            return False
        first = untold[:1]
        days = first.company_id._membri_get_charge_lead_days(first._get_announced_card())
        if any(renewal.letter_state == "to_print" for renewal in untold):
            return self.env._(
                "The letter that announces the payment was not printed yet, so nothing was "
                "charged. Print it: the payment follows %(days)s days later.",
                days=days,
            )
        return self.env._(
            "The email that announces the payment has not left yet, so nothing was charged. The "
            "payment follows %(days)s days after it leaves.",
            days=days,
        )

    def _get_charge_cover_sentence(self):
        # EXTENDS term_mixin: the invoice and the fee notice on paper say nothing of saved cards
        self.ensure_one()
        if self.state == "approved" and self.sudo().charge_state == "announced":
            return self.invoice_id.sudo()._membri_get_charge_sentence()
        return super()._get_charge_cover_sentence()

    # ------------------------------------------------------------------
    # Who has no card, where the plan requires one
    # ------------------------------------------------------------------

    def _get_without_card_domain(self):
        """:return: accepted and unpaid renewals of plans that require a saved card, which nothing
        is planned or known about"""
        return (
            Domain("option_set_id.automatic_payment", "=", "required")
            & Domain("state", "=", "approved")
            & Domain("is_paid", "=", False)
            & Domain("charge_state", "=", False)
            & Domain("charge_note", "=", False)
        )
