from odoo import api, models


class ResPartner(models.Model):
    """The mandates that pay a contact's memberships. A saved card, which the payer chose for
    them, goes first."""

    _inherit = "res.partner"

    @api.depends("bank_ids.mandate_ids.state", "bank_ids.mandate_ids.membri_stopped_on")
    @api.depends_context("company", "lang")
    def _compute_membri_payment_card(self):
        # EXTENDS membri_renewal: mandates count, too
        return super()._compute_membri_payment_card()

    def _membri_get_own_card(self):
        # EXTENDS membri_renewal
        return super()._membri_get_own_card() or self._membri_get_own_mandates()[:1]

    def _membri_get_own_mandates(self, stopped=False):
        """:param stopped: ask for those that pay no memberships since they were stopped
        :return: the valid mandates of this contact in the current company, in sudo, the latest
            first"""
        self.ensure_one()
        # sudo: which account it is, who may see the contact's memberships may see
        mandates_sudo = self.sudo().bank_ids.mandate_ids.filtered(
            lambda mandate: (
                mandate.state == "valid"
                and mandate.company_id == self.env.company
                and bool(mandate.membri_stopped_on) == stopped
                and not mandate._membri_is_expired()
            )
        )
        return mandates_sudo.sorted(
            lambda mandate: (mandate.signature_date, mandate.id), reverse=True
        )

    @api.model
    def _membri_search_card_holders(self):
        # EXTENDS membri_renewal
        mandates_sudo = self.env["account.banking.mandate"].sudo()
        found_sudo = mandates_sudo.search(
            [
                ("company_id", "=", self.env.company.id),
                ("state", "=", "valid"),
                ("membri_stopped_on", "=", False),
            ]
        )
        return super()._membri_search_card_holders() | self.browse(found_sudo.partner_id.ids)

    def _membri_stop_card(self):
        # EXTENDS membri_renewal: automatic payment is over, by card and by debit
        result = super()._membri_stop_card()
        for holder in self:
            holder._membri_get_own_mandates()._membri_stop()
        return result

    # ------------------------------------------------------------------
    # My membership
    # ------------------------------------------------------------------

    def _membri_get_portal_card(self, visitor):
        # EXTENDS membri_renewal
        card = super()._membri_get_portal_card(visitor)
        if not card:
            return card
        # sudo: mandates are shown to whom the card is
        mandate_sudo = self.env["account.banking.mandate"].sudo()
        if card["token"]._name == mandate_sudo._name:
            return {**card, "since": card["token"].signature_date, "mandate": mandate_sudo}
        offered = self.sudo().membri_option_set_id.automatic_payment not in (False, "none")
        if offered and not card["token"]:
            mandate_sudo = card["holder"]._membri_get_own_mandates(stopped=True)[:1]
        return {**card, "mandate": mandate_sudo}

    def _membri_portal_use_card(self, visitor, token_id):
        # EXTENDS membri_renewal
        if token_id != "mandate":
            return super()._membri_portal_use_card(visitor, token_id)
        card = self._membri_get_portal_card(visitor)
        if not card or not card["mandate"]:
            return "no_card"
        # as another card
        if not self.env["membri.portal.request"]._admit(self, "card"):
            return "too_often"
        card["mandate"]._membri_use_again()
        return False
