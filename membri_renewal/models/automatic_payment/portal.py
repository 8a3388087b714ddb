from odoo import models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    """*My membership*: which card pays, another one, and the end of it. Called ``with_company``."""

    _inherit = "res.partner"

    def _membri_get_portal_card(self, visitor):
        """:param visitor: the contact who looks
        :return: what the page shows of the card that pays for this member, or ``False`` where the
            member's plan charges none, or somebody else pays"""
        self.ensure_one()
        # sudo: cards are shown to those whom the payer's represent, below
        payer_sudo = self.sudo()._membri_get_payer()
        holders_sudo = payer_sudo._membri_get_card_holders()
        acting_sudo, _payers = visitor._membri_get_represented()
        holder_sudo = (holders_sudo & acting_sudo)[-1:]
        if not holder_sudo:
            return False
        holder_sudo = holder_sudo.with_company(self.env.company)
        token_sudo = payer_sudo._membri_get_saved_card()
        offered = self.sudo().membri_option_set_id.automatic_payment not in (False, "none")
        if not (token_sudo or offered):
            return False
        return {
            "holder": holder_sudo,
            "token": token_sudo,
            "problem": token_sudo
            and token_sudo._membri_get_unusable_reason(holder_sudo, self.env.company),
            "since": holder_sudo.membri_payment_consent_date,
            "wording": self.env.company._membri_get_consent_wording(),
            "failed": self._membri_get_failed_charges(),
            "others": holder_sudo._membri_get_other_cards(visitor) if offered else False,
        }

    def _membri_get_failed_charges(self):
        """Return in sudo, the accepted renewals of this member whose automatic payment failed, and
        that are still to be paid, another way or by another card."""
        self.ensure_one()
        # sudo: facts of the charge; shown to who acts for the payer
        return self.sudo().membri_renewal_ids.filtered(
            lambda renewal: (
                renewal.company_id == self.env.company
                and renewal.state == "approved"
                and renewal.charge_state == "failed"
                and not renewal.is_paid
                and not renewal._is_money_under_way()
            )
        )

    def _membri_get_other_cards(self, visitor):
        """:return: in sudo, the usable cards of the visitor that could pay instead"""
        self.ensure_one()
        # sudo: the holder's and the visitor's own
        tokens_sudo = (
            self.env["payment.token"].sudo().search([("partner_id", "in", (self | visitor).ids)])
        )
        return tokens_sudo.filtered(
            lambda token: (
                token != self.membri_payment_token_id
                and not token._membri_get_unusable_reason(self, self.env.company)
            )
        )

    def _membri_portal_use_card(self, visitor, token_id):
        """The visitor agrees that one of their cards pays the renewals of this member.

        :return: an error code, or ``False``"""
        self.ensure_one()
        card = self._membri_get_portal_card(visitor)
        token_sudo = ((card and card["others"]) or self.env["payment.token"]).filtered(
            lambda token: str(token.id) == token_id
        )
        if not token_sudo:
            return "no_card"
        # taking it back is not counted
        if not self.env["membri.portal.request"]._admit(self, "card"):
            return "too_often"
        card["holder"]._membri_save_card(token_sudo, card["wording"], "membership")
        return False

    def _membri_portal_stop_card(self, visitor):
        """:return: an error code, or ``False``: the card pays nothing more"""
        self.ensure_one()
        card = self._membri_get_portal_card(visitor)
        if not card or not card["token"]:
            return "no_card"
        # sudo: the visitor's right was asked above
        holders = self.sudo()._membri_get_payer()._membri_get_card_holders()
        holders.with_company(self.env.company)._membri_stop_card()
        return False


class AccountMove(models.Model):
    _inherit = "account.move"

    def _membri_get_consent_wording(self):
        """Return what the payer of these invoices agrees to by ticking the box of the payment
        form, or ``False`` where their plans charge no card."""
        plans_sudo = self._membri_get_cotisations_sudo().option_set_id
        if all(plan.automatic_payment == "none" for plan in plans_sudo):
            return False
        return self.company_id[:1]._membri_get_consent_wording()

    def _membri_keep_consent(self, values, form):
        """The payer ticked the box: the card becomes the saved one once it has paid.

        :param values: of the online payment that was begun, as Odoo's form gets them
        :param form: what the payer sent"""
        wording = form.get("tokenization_requested") and self._membri_get_consent_wording()
        if wording:
            # sudo: a fact of the transaction that was just begun
            transactions_sudo = self.sudo().transaction_ids
            transactions_sudo.filtered(
                lambda tx: tx.reference == values.get("reference") and tx.tokenize
            ).membri_consent_wording = wording

    def _membri_can_stop_charge(self):
        """:return: whether an automatic payment of this invoice can be stopped"""
        self.ensure_one()
        return any(self._membri_get_charged_renewals().mapped("can_stop_charge"))

    def _membri_portal_stop_charge(self, author):
        """:return: an error code, or ``False``"""
        self.ensure_one()
        renewals_sudo = self._membri_get_charged_renewals().filtered("can_stop_charge")
        # the link of the invoice is the payer's; signed in, others see it, too: the member, or
        # who is in charge of one
        holders_sudo = self.partner_id.sudo()._membri_get_card_holders()
        is_payer = not author or bool(author._membri_get_represented()[0] & holders_sudo)
        return renewals_sudo._portal_stop_charge(author, is_payer=is_payer)


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    def _portal_stop_charge(self, author, is_payer=False):
        """The member stops what was announced, and with it the card: by the link of a notice, by
        that of an invoice, or signed in.

        :param author: the contact who is signed in, or nobody
        :param is_payer: whether it is the payer, who came by the invoice
        :return: an error code, or ``False``"""
        try:
            self._check_can("stop_charge")
        except UserError:
            return "not_now"
        if not self:
            return "not_now"
        # what is kept is in the language of the staff
        for renewal in (r for renewals in self._split_by_staff_lang() for r in renewals):
            holders_sudo = renewal._get_charge_payer()._membri_get_card_holders()
            # who reads the notice stops their own card, or what it pays this time
            if is_payer or not renewal._get_other_card_owner():
                holders_sudo.with_company(renewal.company_id)._membri_stop_card()
            if not renewal._get_cannot_stop_charge_reason():
                renewal._do_stop_charge()
            note = renewal.env._("The payer stopped the automatic payment on the portal.")
            renewal._message_log(body=note, author_id=author.id or None)
        return False
