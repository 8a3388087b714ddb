from odoo import models

from .renewal import ACTIVITY_ASK, UNDECIDED_STATES


class MembriRenewal(models.Model):
    """The contact's flag *Intervention requise* and the state of the same name go
    together (specification §2)."""

    _inherit = "membri.renewal"

    def _do_require_intervention(self, reason=None):
        """Set the flag and its reason on the contacts; the state follows from there."""
        for company, renewals in self.grouped("company_id").items():
            vals = {"membri_intervention_required": True}
            if reason:
                vals["membri_intervention_reason"] = reason
            # sudo: the flag is the renewal's business; an officer need not be allowed to
            # edit contacts
            renewals.partner_id.sudo().with_company(company).write(vals)

    def _follow_intervention_flag(self):
        """Called when the flag or the reason of the contacts has changed."""
        for renewal in self:
            partner = renewal.partner_id.with_company(renewal.company_id)
            if not partner.membri_intervention_required:
                if renewal.state == "intervention":
                    renewal._set_state(
                        renewal.state_before_intervention or "draft",
                        state_before_intervention=False,
                        intervention_reason=False,
                    )
                    renewal._update_next_reminder()
                    renewal._end_activities(besides=renewal._get_proposal_questions())
                    renewal._mark_withdrawn_while_held()
            elif renewal.state == "intervention":
                renewal._internal_write(
                    {
                        "intervention_reason": partner.membri_intervention_reason,
                        "is_held_archived": False,
                    }
                )
                renewal._retell_intervention()
            elif renewal.state in UNDECIDED_STATES:
                renewal._set_state(
                    "intervention",
                    state_before_intervention=renewal.state,
                    intervention_reason=partner.membri_intervention_reason,
                    date_next_reminder=False,
                )
                renewal._schedule_intervention()

    def _clear_intervention(self):
        """Take the flag off the contacts of renewals that have just been decided or sent."""
        for company, renewals in self.grouped("company_id").items():
            flagged = renewals.partner_id.with_company(company).filtered(
                "membri_intervention_required"
            )
            if flagged:
                # sudo: the flag follows the renewal, also by a member's answer
                flagged.sudo().write(
                    {"membri_intervention_required": False, "membri_intervention_reason": False}
                )

    def _do_reopen_for_staff(self, reason):
        """An approved renewal lost its invoice or its cotisation outside of a reset: the
        staff must act (specification §2, system transition)."""
        for renewal in self:
            renewal._set_state(
                "intervention",
                state_before_intervention="draft",
                intervention_reason=reason,
                invoice_id=False,
                new_cotisation_id=False,
                date_approved=False,
                date_next_reminder=False,
            )
        self._do_require_intervention(reason)
        self._schedule_intervention()
        self._refresh_members()

    def _schedule_intervention(self):
        """One activity for the officer of each renewal, not one more at each call."""
        for renewal in self:
            summary = renewal.intervention_reason or renewal.env._("Intervention required")
            renewal._schedule_once(ACTIVITY_ASK, summary)

    def _retell_intervention(self):
        """The reason has changed: the activity that is there says the new one."""
        self.ensure_one()
        if self.intervention_reason:
            # sudo: the activity may be somebody else's
            asked_sudo = self.sudo().activity_search([ACTIVITY_ASK])
            (asked_sudo - self._get_proposal_questions()).summary = self.intervention_reason

    def _schedule_once(self, activity_type, summary):
        self.ensure_one()
        renewal_sudo = self.sudo()  # an answer of the portal plans work for the staff
        asked_sudo = renewal_sudo.activity_search([activity_type])
        if asked_sudo and asked_sudo - self._get_proposal_questions():
            return
        assignee = self._get_officer() or self.company_id._membri_get_assignee()
        renewal_sudo.activity_schedule(
            activity_type, summary=summary, user_id=(assignee or self.env.user).id
        )
