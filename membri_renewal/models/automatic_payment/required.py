from odoo import models


class AccountMove(models.Model):
    """What plans with required automatic payment ask of who pays online: the card of the payment is
    saved, by the consent that stands on the form. Nobody else's card would be of use, so others pay
    as they like; so does who has a way to pay that is no card."""

    _inherit = "account.move"

    def _membri_requires_card(self, partner):
        """:param partner: the contact who pays these documents
        :return: whether the card of this payment has to be saved"""
        # sudo: a yes or no, whoever pays
        return any(
            partner._membri_may_hold_card_of(move_sudo.partner_id)
            and not move_sudo._membri_is_paid_without_card()
            for move_sudo in self.sudo()
            if "required"
            in move_sudo._membri_get_cotisations_sudo().option_set_id.mapped("automatic_payment")
        )

    def _membri_is_paid_without_card(self):
        """Return whether its payer has a valid way to pay memberships that is no card, such as
        a mandate."""
        self.ensure_one()
        payer = self.partner_id.with_company(self.company_id)
        way_sudo = payer._membri_get_saved_card()
        return (
            bool(way_sudo)
            and way_sudo._name != "payment.token"
            and not way_sudo._membri_get_unusable_reason(payer, self.company_id)
            and not way_sudo._membri_get_currency_reason(self.currency_id)
        )

    def _membri_get_cannot_pay_so_reason(self, partner, method, provider, token, is_agreed):
        """:param partner: the contact who pays these documents online
        :param method: the ``payment.method``, or none for a saved card
        :param token: the saved card, or none
        :param is_agreed: whether the box of the form is ticked
        :return: why they cannot be paid in this way, and what to do (a sentence), or ``False``"""
        if not self._membri_requires_card(partner):
            return False
        if token:
            return token._membri_get_unusable_reason(partner, self.company_id[:1])
        if not (method.support_tokenization and provider._membri_saves_cards()):
            return self.env._(
                "Your membership plan requires automatic payment, and %(method)s cannot be saved "
                "for it. Choose another way to pay on this page, or contact %(company)s.",
                method=method.name or provider.name,
                company=self.company_id[:1].name,
            )
        if not is_agreed:
            return self.env._(
                "Your membership plan requires automatic payment. Check “Use this card for my "
                "next renewals” on the page of the payment, then pay again, or contact "
                "%(company)s.",
                company=self.company_id[:1].name,
            )
        return False

    def _membri_prepare_card_form(self, form):
        """:param form: the values of Odoo's payment form for these documents
        :return: those that say what becomes of the card"""
        wording = self._membri_get_consent_wording()
        partner = self.env["res.partner"].browse(form.get("partner_id"))
        if not wording or not self._membri_requires_card(partner):
            return {"membri_consent": wording}
        methods_sudo = form["payment_methods_sudo"].filtered("support_tokenization")
        providers_sudo = form["providers_sudo"].filtered(lambda p: p._membri_saves_cards())
        methods_sudo = methods_sudo.filtered(lambda method: method.provider_ids & providers_sudo)
        company = self.company_id[:1]
        sentence = (
            self.env._(
                "Your membership plan requires automatic payment: the card that you pay with is "
                "saved for your next renewals."
            )
            if methods_sudo
            else self.env._(
                "Your membership plan requires automatic payment, and no card can be saved here at "
                "the moment. Please contact %(company)s.",
                company=company.name,
            )
        )
        return {
            "membri_consent": wording,
            "membri_card_required": f"{sentence} {wording}"
            if form.get("tokens_sudo")
            else sentence,
            "payment_methods_sudo": methods_sudo,
            "providers_sudo": providers_sudo,
            "show_tokenize_input_mapping": dict.fromkeys(providers_sudo.ids, True),
        }
