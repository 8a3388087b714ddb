from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.account_banking_sepa_direct_debit.models.account_banking_mandate import (
    NUMBER_OF_UNUSED_MONTHS_BEFORE_EXPIRY,
)
from odoo.addons.membri_renewal.models.mixins.formats import format_day

SEPA = "sepa_direct_debit"


class AccountBankingMandate(models.Model):
    """A valid mandate is a way to pay, as a saved card is, and answers what a card answers: see
    ``_membri_get_own_card`` of the contact. Who stops it revokes no mandate: other invoices may
    be collected by it, and only its payer can revoke it."""

    _name = "account.banking.mandate"
    _inherit = ["account.banking.mandate", "membri.fields.mixin"]

    membri_stopped_on = fields.Date(
        string="Not Used for Renewals Since",
        readonly=True,
        copy=False,
        tracking=True,
        groups="membri_renewal.group_membri_readonly,account_payment_order.group_account_payment",
        help="Day on which the payer, or the team, stopped automatic payments. The mandate stays "
        "valid for other invoices.",
    )

    # ------------------------------------------------------------------
    # What a card answers, too
    # ------------------------------------------------------------------

    def _membri_get_label(self):
        """:return: which account it is, as “IBAN ••1234 (mandate BM0012)”"""
        self.ensure_one()
        mandate_sudo = self.sudo()  # sudo: the last digits, not the account
        bank_sudo = mandate_sudo.partner_bank_id
        names = {
            "digits": (bank_sudo.sanitized_acc_number or "")[-4:],
            "reference": mandate_sudo.unique_mandate_reference,
        }
        if bank_sudo.acc_type == "iban":
            return self.env._("IBAN ••%(digits)s (mandate %(reference)s)", **names)
        return self.env._("bank account ••%(digits)s (mandate %(reference)s)", **names)

    def _membri_get_saved_label(self, _holder):
        """:return: which account it is, and since when its payer has agreed to it"""
        self.ensure_one()
        # sudo: the day only
        return self.env._(
            "%(account)s, signed on %(date)s",
            account=self._membri_get_label(),
            date=format_day(self.env, self.sudo().signature_date),
        )

    def _membri_is_bank_debit(self):
        """:return: whether it debits a bank account"""
        return True

    def _membri_get_currency_reason(self, currency):
        """:return: why it cannot be charged in ``currency`` (a sentence), or ``False``"""
        self.ensure_one()
        mode_sudo = self._membri_get_debit_mode()
        if mode_sudo.payment_method_code == SEPA and currency.name != "EUR":
            return self.env._(
                "%(mode)s does not accept payments in %(currency)s, so %(account)s cannot be "
                "debited. Ask for another payment.",
                mode=mode_sudo.name,
                currency=currency.name,
                account=self._membri_get_label(),
            )
        return False

    def _membri_get_unusable_reason(self, payer, company):
        """:param payer: the contact that pays
        :param company: whose invoices are paid
        :return: why this mandate cannot be used (a sentence), or ``False``"""
        self.ensure_one()
        mandate_sudo = self.sudo()  # sudo: mandates are the accountants'; a sentence is told
        names = {
            "account": self._membri_get_label(),
            "payer": payer._membri_get_names(),
            "company": company.name,
        }
        if mandate_sudo.partner_id not in payer._membri_get_card_holders():
            return self.env._(
                "%(account)s is not an account of %(payer)s. Only the payer's own account can be "
                "debited.",
                **names,
            )
        if mandate_sudo.company_id != company:
            return self.env._(
                "The mandate of %(account)s was given to another company. %(payer)s has to sign "
                "one for %(company)s.",
                **names,
            )
        if mandate_sudo.state != "valid" or mandate_sudo._membri_is_expired():
            return self.env._(
                "The mandate of %(account)s is no longer valid. %(payer)s has to sign a new one.",
                **names,
            )
        if mandate_sudo.membri_stopped_on:
            return self.env._(
                "%(payer)s stopped automatic payments from %(account)s on %(date)s.",
                date=format_day(self.env, mandate_sudo.membri_stopped_on),
                **names,
            )
        if not mandate_sudo.partner_bank_id.active:
            return self.env._(
                "%(account)s was archived. %(payer)s has to provide another one.", **names
            )
        if not self._membri_get_debit_mode():
            return self.env._(
                "%(company)s has no incoming payment mode that asks for mandates, so %(account)s "
                "cannot be debited. Create one in Invoicing.",
                **names,
            )
        return False

    def _membri_is_expired(self):
        """Return whether it may be used no more, although nobody has marked it yet: a one-off
        that was used, a SEPA mandate that was not used for three years."""
        self.ensure_one()
        if self.type == "oneoff" and self.last_debit_date:
            return True
        used = self.last_debit_date or self.signature_date
        limit = relativedelta(months=NUMBER_OF_UNUSED_MONTHS_BEFORE_EXPIRY)
        return self.format == "sepa" and used + limit <= self.company_id._membri_today()

    def _membri_get_debit_mode(self):
        """Return in sudo, the payment mode by which it is collected: the payer's, where that one
        asks for mandates, else the company's first that does."""
        self.ensure_one()
        # sudo: payment modes are the accountants'
        mandate_sudo = self.sudo().with_company(self.sudo().company_id)
        own_sudo = mandate_sudo.partner_id.customer_payment_mode_id
        modes_sudo = own_sudo | mandate_sudo.company_id.membri_payment_mode_ids
        return modes_sudo.filtered(
            lambda mode: (
                mode.active
                and mode.company_id == mandate_sudo.company_id
                and mode.payment_type == "inbound"
                and mode.payment_order_ok
                and mode.payment_method_id.mandate_required
            )
        )[:1]

    # ------------------------------------------------------------------
    # Stopped, and used again
    # ------------------------------------------------------------------

    def _membri_stop(self):
        """These mandates pay no memberships any more, and nothing that was to be debited is. What
        was sent to the bank already comes to its own end."""
        for mandate in self:
            # kept for the staff, whoever stops it on the portal
            lang = mandate.company_id._membri_get_staff_lang() or self.env.lang
            mandate = mandate.with_context(lang=lang)
            mandate.membri_stopped_on = mandate.company_id._membri_today()
            mandate.partner_id._membri_noted_for(mandate.company_id)._message_log(
                body=mandate.env._(
                    "Automatic payment was stopped: %(account)s is no longer debited for "
                    "memberships.",
                    account=mandate._membri_get_label(),
                )
            )
            # sudo: renewals follow their mandate, whoever stops it
            renewals_sudo = mandate.env["membri.renewal"].sudo()
            renewals_sudo.search(
                [
                    ("charge_mandate_id", "=", mandate.id),
                    ("charge_state", "in", ("announced", "pending", "failed")),
                ]
            )._do_stop_charge()

    def action_membri_use_again(self):
        """The payer has agreed again: these mandates pay memberships as before.

        :raises UserError: for one that was not stopped"""
        self.env["membri.cotisation"].check_access("write")
        self.check_access("read")
        for mandate in self.filtered(lambda m: not m.membri_stopped_on):
            raise UserError(
                self.env._(
                    "%(account)s was not stopped, so there is nothing to change.",
                    account=mandate._membri_get_label(),
                )
            )
        self._membri_use_again()
        return True

    def _membri_use_again(self):
        # sudo: who may was asked
        for mandate_sudo in self.sudo():
            mandate_sudo.membri_stopped_on = False
            payer_sudo = mandate_sudo.partner_id._membri_noted_for(mandate_sudo.company_id)
            payer_sudo._message_log(
                body=self.env._(
                    "%(account)s is used for automatic payments of memberships again.",
                    account=mandate_sudo._membri_get_label(),
                )
            )
