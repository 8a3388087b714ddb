from odoo import api, models


class PaymentToken(models.Model):
    """Odoo lets whoever comes with the link of an invoice pay by the saved cards of its payer, and
    each person of a company by the cards of all others. What pays memberships is its holder's."""

    _inherit = "payment.token"

    def _membri_filter_own(self, documents):
        """:param documents: the ``account.move`` that are about to be paid, if known
        :return: the cards in ``self`` that the visitor may pay them by: membership documents
            by their own, others by any that pays no memberships"""
        user = self.env.user
        own_sudo = self.env["res.partner"].sudo()
        if not user._is_public():
            _acting_sudo, own_sudo = user.partner_id._membri_get_represented()
        others = self.filtered(lambda token: token.sudo().partner_id not in own_sudo)
        if others and not documents.sudo().filtered("membri_invoice_type"):
            others = others._membri_filter_membership_cards()
        return self - others

    def _membri_filter_membership_cards(self):
        """:return: those that are saved for memberships, or have paid for one"""
        # sudo: of whomever
        cards = self.filtered(
            lambda token: token.sudo().transaction_ids.invoice_ids.filtered("membri_invoice_type")
        )
        Partner_sudo = self.env["res.partner"].sudo().with_context(active_test=False)
        for company in self.env["res.company"]._membri_get_all():
            holders_sudo = Partner_sudo.with_company(company).search(
                [("membri_payment_token_id", "in", self.ids)]
            )
            cards |= self.browse(holders_sudo.membri_payment_token_id.ids)
        return self & cards

    @api.model
    def _get_available_tokens(self, providers_ids, partner_id, is_validation=False, **kwargs):
        # EXTENDS payment: asked for what the page of a payment offers
        tokens = super()._get_available_tokens(
            providers_ids, partner_id, is_validation=is_validation, **kwargs
        )
        return tokens._membri_filter_own(self.env["account.move"])
