from odoo import api, fields, models


class MembriRenewalExplanation(models.TransientModel):
    """*Why did, or didn't, this member get a notice?* A page that only tells."""

    _name = "membri.renewal.explanation"
    _inherit = "membri.wizard.mixin"
    _description = "Notice Explanation"

    partner_id = fields.Many2one("res.partner", string="Member", required=True)
    cotisation_id = fields.Many2one(
        "membri.cotisation", string="Membership Term", compute="_compute_explanation"
    )
    renewal_id = fields.Many2one("membri.renewal", compute="_compute_explanation")
    answer = fields.Char(compute="_compute_explanation")
    details = fields.Html(compute="_compute_explanation", sanitize=False)

    @api.depends("partner_id")
    @api.depends_context("company", "lang")
    def _compute_explanation(self):
        empty = self.filtered(lambda wizard: not wizard.partner_id)  # opened by no button
        empty.cotisation_id = empty.renewal_id = empty.answer = empty.details = False
        for wizard in self - empty:
            explanation = wizard.partner_id._membri_explain_renewal()
            wizard.answer = explanation["answer"]
            wizard.cotisation_id = explanation["term"].with_env(self.env)
            wizard.renewal_id = wizard.cotisation_id._get_living_renewal()
            wizard.details = self.env["ir.qweb"]._render(
                "membri_renewal.renewal_explanation", explanation
            )

    @api.model
    def _get_wizard_action(self, partner):
        partner.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Explain Renewal (%(member)s)", member=partner._membri_get_names()),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {"default_partner_id": partner.id},
        }

    def action_open_cotisation(self):
        self.ensure_one()
        return self.cotisation_id._get_records_action()

    def action_open_renewal(self):
        self.ensure_one()
        return self.renewal_id._get_records_action()


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_membri_explain(self):
        """Tell why this member did, or did not, get a notice."""
        self.ensure_one()
        self.check_access("read")
        return self.env["membri.renewal.explanation"]._get_wizard_action(self)
