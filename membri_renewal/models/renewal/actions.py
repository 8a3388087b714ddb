from odoo import api, fields, models
from odoo.exceptions import LockError, UserError

from .renewal import UNDECIDED_STATES

# The table of specification §2: from which states each action may be taken.
ALLOWED_FROM = {
    "send": UNDECIDED_STATES,
    "request_change": ("sent", "change_requested"),
    "require_intervention": UNDECIDED_STATES,
    "approve": UNDECIDED_STATES,
    "refuse": UNDECIDED_STATES,
    "reset": ("approved", "refused"),
    "cancel": UNDECIDED_STATES,
    "send_reminder": ("sent", "approved"),
    # where the proposal can be edited, and a member may have asked for something
    "apply_change_request": ("change_requested", "intervention"),
    "apply_and_approve": ("change_requested", "intervention"),
    "retry_sending": (*UNDECIDED_STATES, "approved"),
    "take_off": ("approved",),
    "print_letter": ("sent", "change_requested", "intervention", "approved"),
}
BULK_ACTIONS = (
    "send",
    "send_reminder",
    "approve",
    "apply_and_approve",
    "print_letter",
    "retry_sending",
)


class MembriRenewal(models.Model):
    """What may be done to a renewal, when, and by which button. Effects that need more
    than a few lines live in the files of their domain (approval, notice, reminder …)."""

    _inherit = "membri.renewal"

    # ------------------------------------------------------------------
    # Actions: buttons and RPC. All of the selection, or none of it.
    # ------------------------------------------------------------------

    def action_send(self):
        """Send the notice, for the first time or again; a renewal in invoice mode that was
        not sent yet is approved instead."""
        self._check_can("send")
        self._follow_contact_mode()
        to_invoice = self.filtered(lambda r: r.state == "draft" and r.mode == "invoice")
        if to_invoice:
            to_invoice._do_approve()
        (self - to_invoice)._do_send()
        return True

    def action_request_change(self, change_request=None):
        """Record that the member wants changes, or complete what was recorded.

        :param change_request: plain text of what the member asks for
        """
        self._check_can("request_change")
        self._do_request_change(change_request)
        return True

    def action_require_intervention(self, reason=None):
        """Set the contacts' flag: the renewals follow it (specification §2).

        :param reason: what the staff has to do, in plain words
        """
        self._check_can("require_intervention")
        self._do_require_intervention(reason)
        return True

    def action_approve(self):
        """Post and send the invoices, and make the pending cotisations."""
        self._check_can("approve")
        self._do_approve()
        return True

    def action_refuse(self):
        """Ask for the reason; the wizard calls :meth:`_do_refuse`."""
        self._check_can("refuse")
        return self.env["membri.renewal.refuse"]._get_wizard_action(self)

    def action_reset(self):
        """Take a decision back (specification §5.5): the renewal can be edited again."""
        self._check_can("reset")
        self._do_reset()
        return True

    def action_ask_reset(self):
        """Say what a reset would do, or what is in its way; the wizard resets."""
        self.ensure_one()
        self.check_access("write")
        return self.env["membri.renewal.reset"]._get_wizard_action(self)

    def action_cancel(self):
        """Void renewals that were made by mistake."""
        self._check_can("cancel")
        self._do_cancel()
        return True

    # ------------------------------------------------------------------
    # Guards
    # ------------------------------------------------------------------

    def _check_can(self, transition):
        """Lock the renewals, then ask each whether it may take this transition.

        :raises AccessError: when the user may not change renewals
        :raises UserError: naming the first renewal that may not, and why
        """
        self.check_access("write")
        self._lock()
        for renewal in self:
            reason = renewal._get_cannot_reason(transition)
            if reason:
                raise UserError(reason)

    def _check_has_reason(self, reason):
        """:raises UserError: without a reason of the refusal, or when it was deleted meanwhile"""
        if not reason:
            raise UserError(self.env._("Choose a decline reason, or enter a new one."))
        reason._check_exists()

    def _lock(self):
        """Two people on one renewal: the second sees what the first has done."""
        try:
            self.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._(
                    "Another user or the nightly run is processing one of these renewals. "
                    "Try again in a moment."
                )
            ) from error
        self.invalidate_recordset(["state"])

    def _get_cannot_reason(self, transition):
        """:return: why this renewal may not take ``transition`` (a sentence), or ``False``"""
        self.ensure_one()
        if self.state not in ALLOWED_FROM[transition]:
            return self.env._(
                "%(renewal)s cannot be %(transition)s because its status is “%(state)s”. "
                "%(remedy)s",
                renewal=self.display_name,
                state=self._get_state_label(),
                transition=self._get_transition_label(transition),
                remedy=self._get_transition_remedy(),
            )
        specific = getattr(self, f"_get_cannot_{transition}_reason", None)
        return specific() if specific else False

    def _get_transition_label(self, transition):
        return {
            "send": self.env._("sent"),
            "request_change": self.env._("marked as a change request"),
            "require_intervention": self.env._("flagged for intervention"),
            "approve": self.env._("approved"),
            "refuse": self.env._("declined"),
            "reset": self.env._("reset"),
            "cancel": self.env._("cancelled"),
            "send_reminder": self.env._("reminded"),
            "apply_change_request": self.env._("updated with the member's request"),
            "apply_and_approve": self.env._("approved with the requested changes"),
            "retry_sending": self.env._("resent"),
            "take_off": self.env._("removed from its invoice"),
            "print_letter": self.env._("printed as a letter"),
        }[transition]

    def _get_transition_remedy(self):
        self.ensure_one()
        if self.state in ("approved", "refused"):
            return self.env._("Reset it first.")
        if self.state == "cancelled":
            return self.env._("Prepare a new renewal for this member.")
        if self.state == "draft":
            return self.env._("Send it or approve it first.")
        return self.env._("Its buttons show what you can do now.")

    # ------------------------------------------------------------------
    # Effects
    # ------------------------------------------------------------------

    def _do_request_change(self, change_request=None):
        for renewal in self:
            requests = [renewal.change_request or "", (change_request or "").strip()]
            renewal._set_state(
                "change_requested",
                change_request="\n\n".join(filter(None, requests)) or False,
                date_answer=renewal.date_answer or fields.Datetime.now(),
                date_next_reminder=False,
            )
        self._log_on_contacts(
            {
                renewal: self.env._(
                    "%(renewal)s: the member requested changes. %(request)s",
                    renewal=renewal.name,
                    request=change_request or "",
                )
                for renewal in self
            }
        )

    def _do_refuse(self, reason, note=None):
        """The member will not renew: member until the current term ends, then inactive.

        :param reason: ``membri.refusal.reason``, required
        :param note: plain text
        :raises UserError: without a reason
        """
        if not self:
            return
        self._check_has_reason(reason)
        self._set_state(
            "refused",
            refusal_reason_id=reason.id,
            refusal_note=note or False,
            date_refused=fields.Datetime.now(),
            date_next_reminder=False,
        )
        self._clear_intervention()
        self._end_activities()
        self._refresh_members()
        self._log_on_contacts(
            {
                renewal: self.env._(
                    "%(renewal)s was declined. Reason: %(reason)s. %(note)s",
                    renewal=renewal.name,
                    reason=reason.name,
                    note=note or "",
                )
                for renewal in self
            }
        )

    def _do_cancel(self):
        self._set_state("cancelled", date_next_reminder=False)
        self._clear_intervention()
        self._end_activities()
        self._refresh_members()

    def _end_activities(self):
        """Nobody has to follow up on what is decided."""
        # sudo: the activity may be somebody else's
        self.sudo().activity_unlink(
            [
                "membri_renewal.activity_intervention",
                "membri_renewal.activity_unreachable",
                "membri_renewal.activity_archived",
            ]
        )

    # ------------------------------------------------------------------
    # Work on many (guide §2, *Approuver ou refuser plusieurs renouvellements à la fois*)
    # ------------------------------------------------------------------

    @api.model
    def _cron_process_bulk(self):
        """Work off the background jobs on many renewals."""
        self.env["membri.bulk.job"]._cron_process_bulk()

    def action_ask_bulk(self, action):
        """Say what :meth:`action_bulk` would do with the selection; the wizard does it."""
        return self.env["membri.bulk.start"]._get_wizard_action(action, self)

    def action_bulk(self, action):
        """Do one action on many renewals: what can be done is done, the rest is listed with
        its reason. Beyond a screenful it goes to the background.

        :param action: one of ``BULK_ACTIONS``
        :return: a client action with the result
        """
        if action not in BULK_ACTIONS:
            raise UserError(
                self.env._(
                    "“%(action)s” is not available for several renewals at once.", action=action
                )
            )
        Job = self.env["membri.bulk.job"]
        return Job._start(action, Job._get_selection(self))
