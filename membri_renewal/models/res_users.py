from odoo import models
from odoo.fields import Domain

# records of Odoo's own models on which the officer is asked (``_membri_ask_officer``)
ASKED_ON = {
    "account.move": ("membri_invoice_type", "!=", False),
    "res.partner": ("membri_cotisation_ids", "!=", False),
}


class ResUsers(models.Model):
    """An officer who leaves hands over: nothing waits for somebody who does not come back."""

    _inherit = "res.users"

    def write(self, vals):
        # EXTENDS base: an officer who is archived
        leaving = self.filtered("active") if not vals.get("active", True) else self.browse()
        result = super().write(vals)
        leaving._membri_hand_over()
        return result

    def action_archive(self):
        # EXTENDS mail: which deletes the activities of who is archived
        self.check_access("write")
        self.filtered("active")._membri_hand_over()
        return super().action_archive()

    def _membri_hand_over(self):
        """Open renewals and our activities go to whom the company names; what is sent from now
        on asks ``membri.renewal._get_officer`` anyway."""
        leaving = self.filtered(lambda user: not user.share)
        if not leaving:
            return
        # sudo: who archives users need not be allowed to edit renewals; in every company
        renewals_sudo = (
            self.env["membri.renewal"]
            .sudo()
            .search([("user_id", "in", leaving.ids), ("is_open", "=", True)])
        )
        for company, renewals in renewals_sudo.grouped("company_id").items():
            officer = company._membri_get_officer() - leaving
            renewals._internal_write({"user_id": officer.id})
        activities_sudo = (
            self.env["mail.activity"]
            .sudo()
            .search(Domain("user_id", "in", leaving.ids) & leaving._membri_get_activity_domain())
        )
        for company, activities in activities_sudo.grouped(
            lambda activity: activity._membri_get_company()
        ).items():
            if assignee := company._membri_get_assignee(but=leaving):
                activities.write({"user_id": assignee.id})

    def _membri_get_activity_domain(self):
        """What is about memberships: activities of our types, on our records, and what the officer
        is asked on an invoice or a member.

        :return: the domain of those of these users"""
        # sudo: external identifiers are the administrator's
        types_sudo = (
            self.env["ir.model.data"]
            .sudo()
            .search([("module", "=", "membri_renewal"), ("model", "=", "mail.activity.type")])
        )
        domain = Domain("res_model", "=like", "membri.%") | Domain(
            "activity_type_id", "in", types_sudo.mapped("res_id")
        )
        for model, condition in ASKED_ON.items():
            # sudo: activities are handed over, whoever may see what they are about
            on_model_sudo = (
                self.env["mail.activity"]
                .sudo()
                .search([("user_id", "in", self.ids), ("res_model", "=", model)])
            )
            records_sudo = (
                self.env[model]
                .sudo()
                .with_context(active_test=False)
                .search([("id", "in", on_model_sudo.mapped("res_id")), condition])
            )
            domain |= Domain("res_model", "=", model) & Domain("res_id", "in", records_sudo.ids)
        return domain


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _membri_get_company(self):
        """:return: the company that the record of this activity belongs to, else that of the
        user who has it"""
        self.ensure_one()
        record = self.env[self.res_model].browse(self.res_id)
        company = record.company_id if "company_id" in record._fields else None
        return company or self.user_id.company_id
