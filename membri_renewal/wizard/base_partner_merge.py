from odoo import models


class BasePartnerMerge(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        # EXTENDS base: the merge rewrites foreign keys in SQL; two histories that overlap
        # are reconciled first, while the rules of the models can still be applied
        partners = self.env["res.partner"].browse(partner_ids).exists()
        # sudo: whoever may merge contacts merges their memberships with them
        self.env["membri.cotisation"].sudo()._merge_histories(partners)
        result = super()._merge(partner_ids, dst_partner=dst_partner, extra_checks=extra_checks)
        self.env.invalidate_all()
        survivor = partners.exists()
        for company in self.env["res.company"].sudo().search([]):
            survivor._membri_refresh_status(company)
        return result
