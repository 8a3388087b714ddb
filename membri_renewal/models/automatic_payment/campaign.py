from datetime import timedelta

from odoo import models
from odoo.fields import Domain
from odoo.tools import format_amount

from ..mixins.formats import format_day


class MembriCampaign(models.Model):
    _inherit = "membri.campaign"

    def _get_charge_summary(self):
        """Return how many of the members to include pay automatically, how much, and from when
        on (a sentence), or ``False`` when nobody does."""
        self.ensure_one()
        # sudo: which card is saved is its owner's; how many there are is told
        Partner_sudo = self.env["res.partner"].sudo().with_company(self.company_id)
        holders_sudo = Partner_sudo._membri_search_card_holders()
        if not holders_sudo:
            return False
        lines_sudo = self.line_ids.sudo().filtered_domain(
            Domain("outcome", "in", ("notice", "invoice"))
            & Domain("option_set_id.automatic_payment", "!=", "none")
            & Domain("partner_id", "child_of", holders_sudo.ids)
        )
        payers = Partner_sudo.browse(lines_sudo.partner_id.ids)._membri_get_payers()
        cards = {
            member: token
            for member, payer in payers.items()
            if (token := payer._membri_get_saved_card())
            and not token._membri_get_unusable_reason(payer, self.company_id)
        }
        charged_sudo = lines_sudo.filtered(lambda line: line.partner_id in cards)
        if not charged_sudo:
            return False
        today = self.company_id._membri_today()
        first = min(
            max(
                line.date_start,
                today
                + timedelta(
                    days=self.company_id._membri_get_charge_lead_days(cards[line.partner_id])
                ),
            )
            for line in charged_sudo
        )
        return self.env._(
            "Charged automatically: %(count)s, %(amount)s in all, from %(date)s on.",
            count=len(charged_sudo),
            amount=format_amount(
                self.env,
                sum(charged_sudo.mapped("amount_company")),
                self.company_id.currency_id,
            ),
            date=format_day(self.env, first),
        )
