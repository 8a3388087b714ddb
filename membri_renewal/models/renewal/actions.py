from odoo import api, fields, models
from odoo.exceptions import UserError

from .renewal import ACTIVITY_ASK, EDITABLE_STATES, STAFF, UNDECIDED_STATES

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
    "end_unpaid": ("approved",),
    "print_letter": ("sent", "change_requested", "intervention", "approved"),
    # whatever became of the renewal, a member can stop what was announced
    "stop_charge": (*UNDECIDED_STATES, "approved", "refused", "cancelled"),
    "charge_again": ("approved",),
}
# Those that the form shows by the table alone.
BUTTONS = (
    "send",
    "request_change",
    "require_intervention",
    "approve",
    "refuse",
    "reset",
    "cancel",
    "print_letter",
)
# What else each of them asks of a renewal.
GUARDS = {
    "send": "_get_cannot_send_reason",
    "approve": "_get_cannot_approve_reason",
    "reset": "_get_cannot_reset_reason",
    "send_reminder": "_get_cannot_send_reminder_reason",
    "apply_change_request": "_get_cannot_apply_change_request_reason",
    "apply_and_approve": "_get_cannot_apply_and_approve_reason",
    "retry_sending": "_get_cannot_retry_sending_reason",
    "take_off": "_get_cannot_take_off_reason",
    "end_unpaid": "_get_cannot_end_unpaid_reason",
    "print_letter": "_get_cannot_print_letter_reason",
    "stop_charge": "_get_cannot_stop_charge_reason",
    "charge_again": "_get_cannot_charge_again_reason",
}


class MembriRenewal(models.Model):
    """What may be done to a renewal, when, and by which button. Effects that need more
    than a few lines live in the files of their domain (approval, notice, reminder …)."""

    _inherit = "membri.renewal"

    # the buttons that the table shows; what else a guard asks is told by a click
    can_edit = fields.Boolean(string="Can Be Edited", compute="_compute_can", groups=STAFF)
    can_send = fields.Boolean(string="Can Be Sent", compute="_compute_can", groups=STAFF)
    can_request_change = fields.Boolean(
        string="Change Can Be Requested", compute="_compute_can", groups=STAFF
    )
    can_require_intervention = fields.Boolean(
        string="Intervention Can Be Required", compute="_compute_can", groups=STAFF
    )
    can_approve = fields.Boolean(string="Can Be Approved", compute="_compute_can", groups=STAFF)
    can_refuse = fields.Boolean(string="Can Be Declined", compute="_compute_can", groups=STAFF)
    can_reset = fields.Boolean(string="Can Be Reset", compute="_compute_can", groups=STAFF)
    can_cancel = fields.Boolean(string="Can Be Cancelled", compute="_compute_can", groups=STAFF)
    can_print_letter = fields.Boolean(
        string="Letter Can Be Printed", compute="_compute_can", groups=STAFF
    )

    @api.depends("state")
    def _compute_can(self):
        for renewal in self:
            renewal.can_edit = renewal.state in EDITABLE_STATES
            for name in BUTTONS:
                renewal[f"can_{name}"] = renewal.state in ALLOWED_FROM[name]

    # ------------------------------------------------------------------
    # Actions: buttons and RPC. All of the selection, or none of it.
    # ------------------------------------------------------------------

    def action_send(self):
        """Send the notice, for the first time or again; a renewal in invoice mode that was
        not sent yet is approved instead, or announced where its option set asks for that."""
        self._check_can("send")
        self._check_ready_to_leave()
        self._do_send_or_approve()
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

    def _check_has_reason(self, reason):
        """:raises UserError: without a reason of the refusal, or when it was deleted meanwhile"""
        if not reason:
            raise UserError(self.env._("Choose a decline reason, or enter a new one."))
        reason._check_exists()

    def _get_cannot_reason(self, transition):
        # EXTENDS state_mixin: by the table of states, then by what is particular to it
        self.ensure_one()
        if self.state not in ALLOWED_FROM[transition]:
            return self._get_not_now_reason(transition)
        return transition in GUARDS and getattr(self, GUARDS[transition])()

    def _get_not_now_reason(self, transition):
        """:return: that the table does not allow ``transition``, and the way out (a sentence)"""
        self.ensure_one()
        names = {
            "renewal": self.display_name,
            "state": self._get_state_label(),
            "remedy": self._get_transition_remedy(),
        }
        return {
            "send": self.env._(
                "%(renewal)s cannot be sent because its status is “%(state)s”. %(remedy)s",
                **names,
            ),
            "request_change": self.env._(
                "%(renewal)s cannot be marked as a change request because its status is "
                "“%(state)s”. %(remedy)s",
                **names,
            ),
            "require_intervention": self.env._(
                "%(renewal)s cannot be flagged for intervention because its status is "
                "“%(state)s”. %(remedy)s",
                **names,
            ),
            "approve": self.env._(
                "%(renewal)s cannot be approved because its status is “%(state)s”. %(remedy)s",
                **names,
            ),
            "refuse": self.env._(
                "%(renewal)s cannot be declined because its status is “%(state)s”. %(remedy)s",
                **names,
            ),
            "reset": self.env._(
                "%(renewal)s cannot be reset because its status is “%(state)s”. %(remedy)s",
                **names,
            ),
            "cancel": self.env._(
                "%(renewal)s cannot be cancelled because its status is “%(state)s”. %(remedy)s",
                **names,
            ),
            "send_reminder": self.env._(
                "%(renewal)s cannot be reminded because its status is “%(state)s”. %(remedy)s",
                **names,
            ),
            "apply_change_request": self.env._(
                "%(renewal)s cannot be updated with the member's request because its status is "
                "“%(state)s”. %(remedy)s",
                **names,
            ),
            "apply_and_approve": self.env._(
                "%(renewal)s cannot be approved with the requested changes because its status "
                "is “%(state)s”. %(remedy)s",
                **names,
            ),
            "retry_sending": self.env._(
                "%(renewal)s cannot be resent because its status is “%(state)s”. %(remedy)s",
                **names,
            ),
            "take_off": self.env._(
                "%(renewal)s cannot be removed from its invoice because its status is "
                "“%(state)s”. %(remedy)s",
                **names,
            ),
            "end_unpaid": self.env._(
                "%(renewal)s cannot be ended as unpaid because its status is “%(state)s”. "
                "%(remedy)s",
                **names,
            ),
            "print_letter": self.env._(
                "%(renewal)s cannot be printed as a letter because its status is “%(state)s”. "
                "%(remedy)s",
                **names,
            ),
            "stop_charge": self.env._(
                "%(renewal)s cannot be taken off automatic payment because its status is "
                "“%(state)s”. %(remedy)s",
                **names,
            ),
            "charge_again": self.env._(
                "%(renewal)s cannot be charged again because its status is “%(state)s”. %(remedy)s",
                **names,
            ),
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

    def _do_send_or_approve(self):
        """Take these renewals to where the mode of their contacts leads today."""
        self._follow_contact_mode()
        to_invoice = self.filtered(
            lambda r: r.state == "draft" and r.mode == "invoice" and not r._is_to_be_announced()
        )
        if to_invoice:
            to_invoice._check_can("approve")
            to_invoice._do_approve()
        (self - to_invoice)._do_send()

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
        :raises UserError: without a reason, or of what the table of states does not allow:
            extensions call this
        """
        if not self:
            return
        self._check_has_reason(reason)
        for renewal in self:
            # one that lets go of its unpaid invoice (``_do_end_unpaid``) is undecided again
            if renewal.new_cotisation_id or renewal.state in ("refused", "cancelled"):
                raise UserError(renewal._get_not_now_reason("refuse"))
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
        self._tell_void_payers()

    def _do_cancel(self):
        self._set_state("cancelled", date_next_reminder=False)
        self._clear_intervention()
        self._end_activities()
        self._refresh_members()
        self._tell_void_payers()

    def _end_activities(self, besides=()):
        """Nobody has to follow up on what is decided.

        :param besides: the activities that stay"""
        # sudo: the activity may be somebody else's
        asked_sudo = self.sudo().activity_search(
            [
                ACTIVITY_ASK,
                "membri_renewal.activity_unreachable",
                "membri_renewal.activity_archived",
            ]
        )
        asked_sudo.filtered(lambda asked: asked not in besides).unlink()
