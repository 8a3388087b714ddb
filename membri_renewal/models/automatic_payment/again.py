from odoo import api, fields, models

from ..renewal.renewal import STAFF


class MembriRenewal(models.Model):
    """What failed for good, or came back from the bank, is charged again once the staff says so:
    announced with a new day, as what was never announced."""

    _inherit = "membri.renewal"

    can_charge_again = fields.Boolean(
        string="Can Be Charged Again", compute="_compute_can_charge_again", groups=STAFF
    )

    @api.depends("charge_state", "date_charge_retry", "is_paid", "state")
    def _compute_can_charge_again(self):
        for renewal in self:
            # what else the guard asks is told by a click
            renewal.can_charge_again = (
                renewal.state == "approved"
                and renewal.charge_state == "failed"
                and not renewal.date_charge_retry
                and not renewal.is_paid
            )

    def action_charge_again(self):
        """Announce automatic payments that failed, or came back, with a new day, on which they are
        charged.

        :raises UserError: when none has failed, or nothing can be charged or told by now"""
        self._check_can("charge_again")
        self._do_charge_again()
        return True

    def _get_cannot_charge_again_reason(self):
        """:return: why it is not announced again (a sentence), or ``False``"""
        self.ensure_one()
        renewal_sudo = self.sudo()  # facts of the charge, and payments
        names = {"renewal": self.display_name}
        if renewal_sudo.is_paid:
            return self.env._("%(renewal)s is paid.", **names)
        if renewal_sudo.charge_state != "failed":
            return self.env._(
                "No automatic payment of %(renewal)s has failed, so there is nothing to charge "
                "again.",
                **names,
            )
        if renewal_sudo.date_charge_retry:
            return self.env._(
                "%(renewal)s is charged again automatically on %(date)s.",
                date=self._format_day(renewal_sudo.date_charge_retry),
                **names,
            )
        if not self._offers_charge():
            return self.env._(
                "%(renewal)s: the plan %(plan)s does not offer automatic payment.",
                plan=self.option_set_id.name,
                **names,
            )
        card_sudo, reason = renewal_sudo._get_charge_card()
        if reason:
            return reason
        if not card_sudo:
            return self.env._(
                "%(payer)s has not saved a way to pay. Ask for another payment.",
                payer=renewal_sudo._get_charge_payer()._membri_get_names(),
            )
        if reason := renewal_sudo._get_seen_in_bank_reason():  # what to do about it
            return reason
        if renewal_sudo.invoice_id._membri_is_being_paid():
            return self.env._(
                "%(renewal)s: another payment is in progress. Wait for the result.", **names
            )
        if not self._is_on_paper() and (reason := self._get_unreachable_reason()):
            return self.env._(
                "%(renewal)s: %(reason)s Correct the address first: the payment has to be "
                "announced.",
                reason=reason,
                **names,
            )
        return False

    def _do_charge_again(self):
        """One charge for the invoice of several: all of them are announced again."""
        # sudo: facts of the charge; the guard was asked
        failed_sudo = self._get_invoice_sudo()._membri_get_charged_renewals() | self.sudo()
        failed_sudo = failed_sudo.filtered(lambda r: r.charge_state == "failed")
        failed_sudo._internal_write(
            {
                "charge_state": False,
                "charge_note": False,
                "date_charge_retry": False,
                "date_charge_announced": False,
            }
        )
        for renewal in self:
            renewal._message_log(
                body=self.env._("The automatic payment is announced again, at the team's request.")
            )
        failed_sudo._announce_charges()
        failed_sudo._update_next_reminder()
