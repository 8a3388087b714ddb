from odoo import api, models

from ..renewal.links import ANSWERABLE_STATES

PHONE_MAX_LENGTH = 32


class MembriRenewal(models.Model):
    """Leaving on the portal, where the organisation allows it, and what is offered before: a
    smaller option set, or a call."""

    _inherit = "membri.renewal"

    @api.model
    def _get_decline_reasons(self):
        """:return: the refusal reasons that members choose from: not those of the staff"""
        staff_reasons = [
            self.env.ref(f"membri_renewal.refusal_reason_{name}", raise_if_not_found=False)
            for name in ("no_answer", "rejoined", "terminated", "not_paid", "deceased")
        ]
        # sudo: members choose from the reasons without reading the staff's list
        return (
            self.env["membri.refusal.reason"]
            .sudo()
            .search([("id", "not in", [reason.id for reason in staff_reasons if reason])])
        )

    @api.model
    def _get_call_times(self):
        """:return: ``{code: words}``: when members may wish to be called"""
        return {
            "any": self.env._("At any time"),
            "morning": self.env._("In the morning"),
            "noon": self.env._("Around noon"),
            "afternoon": self.env._("In the afternoon"),
        }

    # ------------------------------------------------------------------
    # The counter-offer
    # ------------------------------------------------------------------

    def _get_counter_offer(self):
        """:return: the smaller option set that is offered to who is about to leave, if any"""
        self.ensure_one()
        # sudo: members are offered it without reading the staff's lists
        option_set_sudo = self.option_set_id.sudo()
        offer = option_set_sudo.counter_offer_id
        return offer if offer and offer._is_sellable() else option_set_sudo.browse()

    def _get_counter_offer_request(self):
        """Return what taking the counter-offer gives, next to the proposal: a
        ``membri.change.request`` that is in no database; empty without counter-offer."""
        self.ensure_one()
        Request = self.env["membri.change.request"]
        offer = self._get_counter_offer()
        return Request.new(self._prepare_change_request_vals(offer)) if offer else Request

    def _portal_take_counter_offer(self, author, option_set_id, proposal_key):
        """The member would rather take the smaller option set. The organisation offered it, so
        it becomes the proposal at once; accepting it is the member's next click.

        :param option_set_id: of the offer that the member saw
        :return: an error code, or ``False``
        """
        self.ensure_one()
        if self.state in ANSWERABLE_STATES and proposal_key != self._get_proposal_key():
            if str(self.option_set_id.id) == str(option_set_id):
                return False  # a second click, on an offer that was taken
            if not self._get_cannot_answer_reason("counter_offer"):
                return "changed"

        def take(renewal):
            vals = renewal._prepare_change_request_vals(renewal._get_counter_offer())
            request = renewal._do_submit_change_request({**vals, "origin": "counter_offer"}, author)
            renewal._do_apply_change_request()
            return request._get_summary()

        return self._portal_answer("counter_offer", author, take)

    # ------------------------------------------------------------------
    # The call, and the end
    # ------------------------------------------------------------------

    def _portal_ask_call(self, author, time=None, phone=None, comment=None):
        """The member wishes to talk first: the renewal is the staff's to act on.

        :param time: one of :meth:`_get_call_times`
        :return: an error code, or ``False``
        """
        self.ensure_one()
        comment, error = self._clean_member_text(comment)
        phone, _phone_error = self._clean_member_text(phone)
        if error or len(phone) > PHONE_MAX_LENGTH:
            return "too_long"

        def ask(renewal):
            times = renewal._get_call_times()
            reason = renewal._get_call_reason(times.get(time, times["any"]), phone, comment)
            renewal._do_require_intervention(reason)
            return reason

        return self._portal_answer("call", author, ask)

    def _get_call_reason(self, time, phone, comment):
        """:return: what the officer has to do, in a line for the queue and the activity"""
        parts = [
            self.env._(
                "Call this member before they decide to leave: %(time)s.", time=time.lower()
            ),
            phone and self.env._("Phone: %(phone)s.", phone=phone),
            comment,
        ]
        return " ".join(part for part in parts if part)

    def _portal_decline(self, author, reason_id, comment=None):
        """The member will not renew, where the company lets members say so here.

        :return: an error code, or ``False``"""
        comment, error = self._clean_member_text(comment)
        if error:
            return error
        reason = self._get_decline_reasons().filtered(lambda r: str(r.id) == str(reason_id or ""))
        if not reason:
            return "no_reason"
        return self._portal_answer(
            "decline", author, lambda renewal: renewal._do_refuse(reason, comment), comment
        )
