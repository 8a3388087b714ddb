from dateutil.relativedelta import relativedelta

from odoo import models

from .texts import INTERVENTIONS

BOUNCING, EXCLUDED = 3, 2


class MembriDemo(models.AbstractModel):
    """The campaign that the officer is preparing: previewed, with a member of each kind."""

    _inherit = "membri.demo"

    def _prepare_next_campaign(self):
        today = self.env.company._membri_today()
        campaign = self.env["membri.campaign"].create(
            {"date_from": today, "date_to": today + relativedelta(months=12)}
        )
        self._name_record("campaign", campaign)
        campaign.action_preview()
        asked = campaign.line_ids.filtered(lambda line: line.outcome == "notice").sorted("id")
        members = iter(asked.partner_id)
        for reason in INTERVENTIONS[:3]:
            next(members).write(
                {"membri_intervention_required": True, "membri_intervention_reason": reason}
            )
        for _number in range(BOUNCING):
            for contact in next(members)._membri_get_candidates():
                contact.message_bounce = 4
        for contact in next(members)._membri_get_candidates():
            contact.email = False
        campaign.action_preview()
        asked.filtered("is_ready")[-EXCLUDED:].action_exclude()
