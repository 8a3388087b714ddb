from odoo import models


class BasePartnerMerge(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        # EXTENDS base: the merge rewrites foreign keys in SQL; two histories that overlap
        # are reconciled first, while the rules of the models can still be applied
        partners = self.env["res.partner"].browse(partner_ids).exists()
        # sudo: whoever may merge contacts merges their memberships with them
        self.env["membri.cotisation"].sudo()._merge_histories(partners)
        # sudo: as above; a merge knows no unique index
        self.env["membri.annual.receipt"].sudo()._merge_payers(partners)
        held = partners._membri_get_held_keys({"parent_id"})
        emailed = partners._membri_get_held_tokens(dict.fromkeys(("email", "membri_renewal_email")))
        payers = partners._membri_get_payers_of_open({"parent_id"})
        paid_by = self.env["account.move"]._membri_find_open_of(partners)
        had_archived = not all(partners.mapped("active"))
        # sudo: as above
        reasons_sudo = {
            renewal: renewal.intervention_reason
            for renewal in self.env["membri.renewal"]
            .sudo()
            .search([("partner_id", "in", partners.ids), ("is_held_archived", "=", True)])
        }
        # of two days of joining that were typed, the first one is right
        joined = {
            company: min(typed_sudo.mapped("membri_member_since"))
            for company in self.env["res.company"]._membri_get_all()
            if (
                typed_sudo := partners.sudo()
                .with_company(company)
                .filtered(lambda p: p.membri_is_since_typed and p.membri_member_since)
            )
        }
        # internal: the merge copies all fields of the contacts, the facts among them
        internal = self.with_env(self.env["membri.cotisation"]._as_internal().env)
        result = super(BasePartnerMerge, internal)._merge(
            partner_ids,
            dst_partner=dst_partner and dst_partner.with_env(internal.env),
            extra_checks=extra_checks,
        )
        self.env.invalidate_all()
        survivor = partners.exists()
        held.exists()._renew_lost_keys()
        survivor._membri_follow_payers(payers)
        self.env["account.move"]._membri_follow_merged_payers(paid_by)
        self.env["account.move"]._membri_renew_lost_tokens(emailed)
        if had_archived:  # what was held for the contact that is gone goes on, or is held now
            for renewal, reason in reasons_sudo.items():
                if renewal.intervention_reason == reason:  # not one of the survivor's own
                    renewal._internal_write({"is_held_archived": True})
            survivor._membri_follow_archiving()
        for company in self.env["res.company"]._membri_get_all():
            if company in joined:
                survivor.sudo().with_company(company).membri_member_since = joined[company]
            survivor._membri_refresh_status(company)
        return result
