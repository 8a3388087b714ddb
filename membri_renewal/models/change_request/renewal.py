from odoo import fields, models

from ..renewal.links import ANSWERABLE_STATES
from ..renewal.renewal import STAFF


class MembriRenewal(models.Model):
    """What members ask for in place of the proposal, and the staff's one click that grants it
    (guide §2, *Faire le suivi des changements à apporter à un renouvellement*)."""

    _inherit = "membri.renewal"

    change_request_ids = fields.One2many(
        "membri.change.request", "renewal_id", string="Change Requests", groups=STAFF
    )
    change_request_id = fields.Many2one(
        "membri.change.request",
        string="Last Change Request",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups=STAFF,
    )
    # what the form of the renewal shows of it
    request_state = fields.Selection(
        related="change_request_id.state", string="Request Status", groups=STAFF
    )
    request_changes_term = fields.Boolean(related="change_request_id.changes_term", groups=STAFF)
    request_is_outdated = fields.Boolean(related="change_request_id.is_outdated", groups=STAFF)
    request_line_ids = fields.One2many(
        related="change_request_id.line_ids", string="Requested Options", groups=STAFF
    )
    request_detail_ids = fields.One2many(related="change_request_id.detail_ids", groups=STAFF)
    request_message = fields.Text(
        related="change_request_id.message", string="Member's Message", groups=STAFF
    )
    request_create_date = fields.Datetime(
        related="change_request_id.create_date", string="Requested On", groups=STAFF
    )
    request_author_id = fields.Many2one(related="change_request_id.author_id", groups=STAFF)
    request_currency_id = fields.Many2one(
        related="change_request_id.currency_id", string="Request Currency", groups=STAFF
    )
    request_option_set_id = fields.Many2one(
        related="change_request_id.option_set_id", string="Requested Plan", groups=STAFF
    )
    request_old_option_set_id = fields.Many2one(
        related="change_request_id.old_option_set_id", groups=STAFF
    )
    request_term_display = fields.Char(
        related="change_request_id.term_display", string="Requested Period", groups=STAFF
    )
    request_old_term_display = fields.Char(
        related="change_request_id.old_term_display", groups=STAFF
    )
    request_amount_total = fields.Monetary(
        related="change_request_id.amount_total",
        string="Requested Total",
        currency_field="request_currency_id",
        groups=STAFF,
    )
    request_old_amount_total = fields.Monetary(
        related="change_request_id.old_amount_total",
        currency_field="request_currency_id",
        groups=STAFF,
    )
    request_amount_difference = fields.Monetary(
        related="change_request_id.amount_difference",
        currency_field="request_currency_id",
        groups=STAFF,
    )

    # ------------------------------------------------------------------
    # The answer “Ask for changes” of the portal: in words, or by the form of ``form.py``
    # ------------------------------------------------------------------

    def _portal_request_change(self, author, message):
        """The member asks for changes in plain words.

        :return: an error code, or ``False``"""
        message, error = self._clean_member_text(message)
        if error or not message:
            return error or "empty"
        return self._portal_submit_change(author, {"message": message})

    def _portal_submit_change(self, author, ask, proposal_key=None):
        """The member asks for changes.

        :param ask: keyword arguments of :meth:`_prepare_change_request_vals`, as
            :meth:`_read_change_form` gives them
        :param proposal_key: of what the request was compared with, if the member saw that
        :return: an error code, or ``False``
        """
        self.ensure_one()
        if self.state in ANSWERABLE_STATES:
            if proposal_key and proposal_key != self._get_proposal_key():
                return "changed"
            if self._is_asked_already(ask):
                return False

        def submit(renewal):
            vals = renewal._prepare_change_request_vals(**ask)
            return renewal._do_submit_change_request(vals, author)._get_summary()

        return self._portal_answer("request_change", author, submit)

    def _is_asked_already(self, ask):
        """Return whether this is word for word the request that waits already: a second
        click."""
        self.ensure_one()
        last_sudo = self.sudo().change_request_id  # sudo: compared only
        if last_sudo.state != "pending" or last_sudo.origin != "form":
            return False
        vals = self._prepare_change_request_vals(**ask)
        again = last_sudo.new({**vals, "version": last_sudo.version})
        return again._get_summary() == last_sudo._get_summary()

    # ------------------------------------------------------------------
    # Actions of the staff
    # ------------------------------------------------------------------

    def action_apply_change_request(self):
        """Propose what the members ask for, and correct their contact details. The renewals
        stay where they are: edit, send again, or approve.

        :raises UserError: naming the first renewal that has nothing to apply, and why
        """
        self._check_can("apply_change_request")
        self._do_apply_change_request()
        return True

    def action_apply_and_approve(self):
        """Grant what the members ask for: apply it, then approve. All of it or nothing."""
        with self.env.cr.savepoint():
            self.action_apply_change_request()
            self.action_approve()
        return True

    # ------------------------------------------------------------------
    # Guards
    # ------------------------------------------------------------------

    def _get_cannot_apply_change_request_reason(self):
        self.ensure_one()
        request_sudo = self.change_request_id.sudo()  # sudo: the renewal tells of its own request
        if not request_sudo:
            return self.env._(
                "%(renewal)s has no change request to apply.", renewal=self.display_name
            )
        if request_sudo.state != "pending":
            return self.env._(
                "%(renewal)s has no change request to apply. The last one was already processed.",
                renewal=self.display_name,
            )
        return request_sudo._get_cannot_apply_reason()

    def _get_cannot_apply_and_approve_reason(self):
        # whether the result can be approved is known once it is applied
        return self._get_cannot_apply_change_request_reason()

    # ------------------------------------------------------------------
    # Effects
    # ------------------------------------------------------------------

    def _do_submit_change_request(self, vals, author=None):
        """Record what a member asks for, as a new version; the renewal waits for the staff.

        :param vals: values of a ``membri.change.request``
        :param author: the ``res.partner`` who asks; empty when it is whoever holds the link
        :return: the ``membri.change.request``, in sudo
        """
        self.ensure_one()
        # sudo: requests are the system's record of what was asked; nobody writes them
        Request_sudo = self.env["membri.change.request"].sudo()
        last_sudo = Request_sudo.browse(self.sudo().change_request_id.id)
        if last_sudo.state == "pending":
            last_sudo._set_state("replaced")
        request_sudo = Request_sudo.create(
            {
                **vals,
                "version": last_sudo.version + 1,
                "author_id": author and author.id,
            }
        )
        self._internal_write({"change_request_id": request_sudo.id})
        self._do_request_change(request_sudo._get_summary())
        return request_sudo

    def _do_apply_change_request(self):
        for renewal in self:
            # sudo: see _do_submit_change_request; the contacts are written as the user
            request_sudo = renewal.change_request_id.sudo()
            if request_sudo.detail_ids.with_env(renewal.env)._apply():
                request_sudo._follow_taxes()
            if request_sudo.changes_term:
                renewal._internal_write(request_sudo._prepare_renewal_vals())
            request_sudo._set_state("applied")
        self._as_internal()._compute_recipient_id()  # the person in charge may be another one now
        self._log_on_contacts(
            {
                renewal: self.env._(
                    "%(renewal)s: the requested changes were applied. %(request)s",
                    renewal=renewal.name,
                    request=renewal.sudo().change_request_id._get_summary(),
                )
                for renewal in self
            }
        )

    def _get_words_left(self):
        """Return the corrections and words of a request that nobody has answered (a text), or
        nothing. A counter-offer that was taken since answers none of them."""
        self.ensure_one()
        # sudo: see _do_submit_change_request
        for request_sudo in self.sudo().change_request_ids.sorted("version", reverse=True):
            if request_sudo.origin != "counter_offer":
                is_open = request_sudo.state in ("pending", "replaced")
                return request_sudo._get_words() if is_open else ""
        return ""

    def _after_state(self, state):
        # EXTENDS state_mixin: whatever decides a renewal, or sends it again, answers what was asked
        if state not in ("change_requested", "intervention"):
            # sudo: requests are the system's
            waiting_sudo = self.sudo().change_request_id.filtered(lambda r: r.state == "pending")
            waiting_sudo._set_state("closed")
        return super()._after_state(state)
