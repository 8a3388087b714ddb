from odoo import fields, models

from odoo.addons.membri_renewal.models.renewal.renewal import STAFF

MANDATE = "account.banking.mandate"


class MembriRenewal(models.Model):
    """What will be debited, by which mandate and from which account: fixed when the payer is told,
    as for cards. Another account is told anew."""

    _inherit = "membri.renewal"

    charge_mandate_id = fields.Many2one(
        MANDATE,
        string="Announced Mandate",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        groups=STAFF,
    )
    charge_account = fields.Char(
        string="Announced Bank Account",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="Number of the account to be debited, as announced to the payer.",
    )

    def _has_field_access(self, field, operation):
        # EXTENDS membri_renewal: officers, whose buttons announce it, see the last digits
        return not (
            field.name == "charge_account"
            and operation == "read"
            and not self.env.su
            and not self.env.user.has_group("account.group_account_readonly")
        ) and super()._has_field_access(field, operation)

    def _get_charge_card(self):
        # EXTENDS membri_renewal: what was announced for a mandate that is not valid any more is
        # told as such
        card_sudo, reason = super()._get_charge_card()
        mandate_sudo = self.sudo().charge_mandate_id  # sudo: members read no facts of the charge
        if (
            not card_sudo
            and mandate_sudo
            and self.sudo().charge_state in ("announced", "failed")
            and self._offers_charge()
        ):
            lost = mandate_sudo._membri_get_unusable_reason(
                self._get_charge_payer(), self.company_id
            )
            return (mandate_sudo, lost) if lost else (card_sudo, reason)
        return card_sudo, reason

    def _get_announced_card(self):
        # EXTENDS membri_renewal
        card_sudo, renewal_sudo = super()._get_announced_card(), self.sudo()
        if card_sudo or not renewal_sudo.charge_account:
            return card_sudo
        return renewal_sudo.charge_mandate_id.filtered(
            lambda mandate: (
                mandate.partner_bank_id.sanitized_acc_number == renewal_sudo.charge_account
            )
        )

    def _prepare_announced_card_vals(self, card_sudo):
        # EXTENDS membri_renewal
        is_mandate = card_sudo._name == MANDATE
        return {
            **super()._prepare_announced_card_vals(card_sudo),
            "charge_mandate_id": card_sudo.id if is_mandate else False,
            "charge_account": is_mandate and card_sudo.partner_bank_id.sanitized_acc_number,
        }

    def _get_charge_label(self):
        # EXTENDS membri_renewal: in the language of who reads it
        card_sudo = self._get_announced_card()
        if card_sudo and card_sudo._name == MANDATE:
            return card_sudo.with_env(self.env)._membri_get_label()
        return super()._get_charge_label()

    def _get_charge_sentence(self, to_payer=False):
        # EXTENDS membri_renewal
        renewal_sudo = self.sudo()
        other_sudo = not to_payer and self._get_other_card_owner()
        if (
            not renewal_sudo.charge_account
            or not other_sudo
            or renewal_sudo.is_paid
            or renewal_sudo.charge_state != "announced"
            or not self._is_charge_coming()
        ):
            return super()._get_charge_sentence(to_payer)
        return self.env._(
            "We will debit %(amount)s from the bank account of %(payer)s on %(date)s.",
            payer=other_sudo._membri_get_names(),
            amount=self._format_amount(renewal_sudo.amount_charge),
            date=self._format_day(renewal_sudo.date_charge),
        )

    # ------------------------------------------------------------------
    # Stop
    # ------------------------------------------------------------------

    def _get_cannot_stop_charge_reason(self):
        # EXTENDS membri_renewal: as long as its order is a draft, a debit can be taken off it
        if self.sudo().charge_state == "pending" and self._get_withdrawable_debits():
            return False
        return super()._get_cannot_stop_charge_reason()

    def _do_stop_charge(self):
        # EXTENDS membri_renewal: one debit collects for all of an invoice; the next night collects
        # what the others were told, without what was stopped
        charged_sudo = self._get_invoice_sudo()._membri_get_charged_renewals() - self.sudo()
        collected_sudo = charged_sudo.filtered(lambda r: r._get_withdrawable_debits())
        result = super()._do_stop_charge()
        collected_sudo.filtered(
            lambda r: r.charge_state == "pending" and not r._get_withdrawable_debits()
        )._internal_write({"charge_state": "announced"})
        return result

    def _withdraw_charge(self):
        # EXTENDS membri_renewal
        result = super()._withdraw_charge()
        self._get_withdrawable_debits()._membri_withdraw()
        return result
