from odoo import api, fields, models
from odoo.exceptions import UserError

STATES = [
    ("draft", "To Send"),
    ("sent", "Sent"),
    ("change_requested", "Change Requested"),
    ("intervention", "Intervention Required"),
    ("approved", "Approved"),
    ("refused", "Declined"),
    ("cancelled", "Cancelled"),
]
# waiting for an answer or for the staff: nothing is decided yet
UNDECIDED_STATES = ("draft", "sent", "change_requested", "intervention")
# what became of the last email, of a notice as of an invoice
DELIVERY_STATES = [
    ("queued", "Queued"),
    ("delivered", "Sent to Mail Server"),
    ("letter", "By Mail"),
    ("unreachable", "No Valid Address"),
    ("failed", "Failed"),
    ("withdrawn", "Withdrawn Before Sending"),
]
# the date that the transition into a state records
DATE_OF_STATE = {
    "sent": "date_sent",
    "change_requested": "date_answer",
    "approved": "date_approved",
    "refused": "date_refused",
}
EDITABLE_STATES = ("draft", "change_requested", "intervention")
# what the officer is asked about a renewal, but for what has a type of its own
ACTIVITY_ASK = "membri_renewal.activity_intervention"
FROZEN_FIELDS = {
    "partner_id",
    "company_id",
    "currency_id",
    "cotisation_id",
    "option_set_id",
    "line_ids",
    "date_start",
    "date_end",
    "mode",
}


# portal users may read their own renewals over RPC: fields with these groups are not theirs
STAFF = "base.group_user"


class MembriRenewal(models.Model):
    """The case that asks a member whether, and as what, to go on.

    It proposes the next cotisation and is never the membership itself. This file holds
    what a renewal is; what happens to it is in the ``renewal_*.py`` files beside it.
    """

    _name = "membri.renewal"
    _description = "Renewal"
    _inherit = [
        "portal.mixin",
        "membri.thread.mixin",
        "mail.activity.mixin",
        "membri.term.mixin",
        "membri.state.mixin",
    ]
    _order = "date_start, id"
    _check_company_auto = True
    _locked_fields = frozenset({"state", "partner_id", "company_id", "cotisation_id"})
    _creation_fields = _locked_fields

    # trigrams: the search box asks for a part of it
    name = fields.Char(required=True, readonly=True, default="/", copy=False, index="trigram")
    state = fields.Selection(
        STATES,
        string="Status",
        default="draft",
        required=True,
        index=True,
        tracking=True,
        copy=False,
        group_expand="_group_expand_state",
    )
    date_state = fields.Datetime(
        string="Status Since",
        readonly=True,
        copy=False,
        default=fields.Datetime.now,
        help="Shows how long a renewal has had this status. Dashboards use it to count new "
        "renewals.",
    )
    mode = fields.Selection(
        [("notice", "Notice"), ("invoice", "Invoice")],
        string="Renewal Mode",
        required=True,
        default="notice",
        help="Set from the member's Automatic Renewal when the renewal is prepared.",
    )
    cotisation_id = fields.Many2one(
        "membri.cotisation",
        string="Current Term",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        help="The membership term being renewed.",
    )
    current_date_end = fields.Date(
        related="cotisation_id.date_end", string="Last Day of Current Term", store=True
    )
    line_ids = fields.One2many("membri.renewal.line", "renewal_id", string="Options", copy=True)
    recipient_id = fields.Many2one(
        "res.partner",
        compute="_compute_recipient_id",
        store=True,
        index="btree_not_null",
        help="Person who receives the notice, determined at each sending.",
    )
    recipient_email = fields.Char(compute="_compute_recipient_email", groups=STAFF)
    recipient_phone = fields.Char(compute="_compute_recipient_phone", groups=STAFF)
    user_id = fields.Many2one(
        "res.users",
        string="Membership Officer",
        default=lambda self: self.env.company._membri_get_officer(),
        domain=[("share", "=", False)],
    )
    date_follow_up = fields.Date(string="Call On", groups=STAFF)

    date_sent = fields.Datetime(
        string="Sent On",
        readonly=True,
        copy=False,
        index=True,
        help="Date on which the notice was first sent.",
    )
    date_answer = fields.Datetime(string="Replied On", readonly=True, copy=False)
    is_answered_online = fields.Boolean(
        string="Replied on the Portal", readonly=True, copy=False, groups=STAFF
    )
    date_approved = fields.Datetime(string="Approved On", readonly=True, copy=False)
    date_refused = fields.Datetime(string="Declined On", readonly=True, copy=False)
    date_last_reminder = fields.Datetime(
        string="Last Reminder On", readonly=True, copy=False, groups=STAFF
    )
    date_next_reminder = fields.Date(
        string="Next Reminder On", readonly=True, copy=False, index=True, groups=STAFF
    )
    reminder_count = fields.Integer(readonly=True, copy=False, groups=STAFF)
    reminder_log_ids = fields.One2many(
        "membri.reminder.log", "renewal_id", string="Reminders", readonly=True, groups=STAFF
    )

    delivery_state = fields.Selection(
        DELIVERY_STATES,
        string="Email Status",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups=STAFF,
    )
    delivery_note = fields.Char(
        string="Email Error",
        readonly=True,
        copy=False,
        help="Why the last email was not sent.",
        groups=STAFF,
    )

    change_request = fields.Text(copy=False, tracking=True, groups=STAFF)
    intervention_reason = fields.Text(
        string="Reason for Intervention", readonly=True, copy=False, groups=STAFF
    )
    state_before_intervention = fields.Char(
        string="Status Before Intervention", readonly=True, copy=False, groups=STAFF
    )
    refusal_reason_id = fields.Many2one(
        "membri.refusal.reason",
        string="Decline Reason",
        readonly=True,
        copy=False,
        ondelete="restrict",
        tracking=True,
        groups=STAFF,
    )
    refusal_note = fields.Text(string="Decline Note", readonly=True, copy=False, groups=STAFF)

    invoice_id = fields.Many2one("account.move", readonly=True, copy=False, index="btree_not_null")
    invoice_ids = fields.Many2many(
        "account.move",
        string="All Invoices",
        compute="_compute_invoice_ids",
        search="_search_invoice_ids",
        compute_sudo=True,
        help="Includes invoices cancelled by a reset, invoices shared with other members, and "
        "credit notes.",
    )
    new_cotisation_id = fields.Many2one(
        "membri.cotisation",
        string="Next Term",
        readonly=True,
        copy=False,
        index="btree_not_null",
    )
    payment_state = fields.Selection(related="invoice_id.payment_state", store=True)
    is_paid = fields.Boolean(string="Paid Renewal", compute="_compute_is_paid", store=True)
    is_open = fields.Boolean(
        string="Open Renewal", compute="_compute_is_open", store=True, index=True
    )

    _one_living_per_cotisation = models.UniqueIndex(
        "(cotisation_id) WHERE state != 'cancelled'",
        "This membership term already has a renewal.",
    )
    _one_undecided_per_member = models.UniqueIndex(
        "(partner_id, company_id)"
        " WHERE state IN ('draft', 'sent', 'change_requested', 'intervention')",
        "This member already has a renewal that is not decided yet.",
    )
    _dates_ordered = models.Constraint(
        "CHECK (date_end IS NULL OR date_end >= date_start)",
        "The last day of a renewal cannot be before its first day. Change one of them.",
    )
    # the queues ask for a company's undecided renewals by the day of their notice
    _queue = models.Index("(company_id, state, date_sent)")
    # accepted and unpaid: few, beside all that were approved in other years
    _unpaid = models.Index("(company_id) WHERE state = 'approved' AND is_paid IS NOT TRUE")

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends(
        "invoice_id.state",
        "invoice_id.payment_state",
        "invoice_id.membri_write_off_state",
        "state",
    )
    def _compute_is_paid(self):
        for renewal in self:
            renewal.is_paid = (
                renewal.state == "approved" and renewal._get_invoice_sudo()._membri_is_paid()
            )

    @api.depends("state", "is_paid")
    def _compute_is_open(self):
        for renewal in self:
            renewal.is_open = renewal.state in UNDECIDED_STATES or (
                renewal.state == "approved" and not renewal.is_paid
            )

    @api.depends("partner_id")
    def _compute_recipient_id(self):
        for renewal in self:
            renewal.recipient_id = renewal._get_document_recipient()

    @api.depends("recipient_id.email", "partner_id.membri_renewal_email")
    def _compute_recipient_email(self):
        for renewal in self:
            renewal.recipient_email = renewal._get_document_address() or renewal.recipient_id.email

    @api.depends("recipient_id.phone", "partner_id.phone")
    def _compute_recipient_phone(self):
        for renewal in self:
            renewal.recipient_phone = renewal.recipient_id.phone or renewal.partner_id.phone

    @api.depends("name", "partner_id.display_name")
    def _compute_display_name(self):
        for renewal in self:
            name = renewal.name  # first, with the rights of the user
            # sudo: it names its member, also one who was given to another company since
            member = renewal.sudo().partner_id.display_name
            renewal.display_name = f"{name} · {member or ''}"

    @api.model
    def _group_expand_state(self, states, _domain):
        """Every state is a column of the kanban; a queue shows those that it holds."""
        if self.env.context.get("membri_dashboard"):
            return states
        return [state for state, _label in STATES]

    def _compute_access_url(self):
        # EXTENDS portal
        result = super()._compute_access_url()
        for renewal in self:
            renewal.access_url = f"/my/renewals/{renewal.id}"
        return result

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = self._check_client_create(vals_list)
        memo = {"prefetch": [vals.get("cotisation_id") for vals in vals_list]}
        for vals in vals_list:
            self._fill_create_vals(vals, memo)
        self.env["ir.sequence"]._membri_fill_numbers("membri.renewal", vals_list)
        # what has just been decided makes room for a new one in the unique indexes
        self.flush_model(["state"])
        # internal: completed by us with what no client may give
        created = super(MembriRenewal, self._as_internal()).create(vals_list)
        renewals = created.with_env(self.env)
        renewals._refresh_members()
        return renewals

    def write(self, vals):
        if self._is_internal_write():
            return super().write(vals)
        if FROZEN_FIELDS & vals.keys():
            self._check_can_edit()
        result = super().write(vals)
        if "option_set_id" in vals and not {"date_start", "date_end"} & vals.keys():
            self._propose_dates()
        if {"option_set_id", "date_start", "date_end"} & vals.keys():
            if "line_ids" not in vals:
                self._propose_lines()
            elif "option_set_id" in vals:
                self._propose_currency()
        return result

    def _set_state(self, state, **vals):
        # EXTENDS state_mixin: since when it waits there, as the transition dates it
        moved = self.filtered(lambda renewal: renewal.state != state)
        # what is held, or sent again, may be printed still; all else is answered
        answered = moved.filtered(
            lambda renewal: (
                renewal.letter_state == "to_print"
                and (renewal.state == "approved" or state not in ("sent", "intervention"))
            )
        )
        reopened = moved.filtered(lambda renewal: renewal.state not in UNDECIDED_STATES)
        let_go = moved.filtered(lambda renewal: renewal.state == "approved")
        vals = {"is_held_archived": False, **vals}
        if state not in ("sent", "change_requested", "intervention"):
            vals = {"date_auto_invoice": False, "date_auto_invoice_told": False, **vals}
        if state == "approved":  # what is posted from now on is the invoice, not the notice
            vals = {"letter_state": False, **vals}
        date_state = vals.get(DATE_OF_STATE.get(state)) or fields.Datetime.now()
        super(MembriRenewal, self - moved)._set_state(state, **vals)
        result = super(MembriRenewal, moved)._set_state(state, date_state=date_state, **vals)
        answered._withdraw_letters()
        if state in UNDECIDED_STATES:
            # who received the key may have been replaced since, and reminders that followed went
            # to others: what is asked again is answered by what is sent again
            # sudo: keys are the system's
            for renewal_sudo in reopened.sudo():
                if renewal_sudo.access_token:
                    renewal_sudo._renew_key()
                else:
                    renewal_sudo._as_internal()._compute_recipient_id()
        let_go._withdraw_undelivered()
        return result

    def _check_can_edit(self):
        """What was sent is frozen (specification §2)."""
        self.check_access("write")
        for renewal in self:
            if renewal.state not in EDITABLE_STATES:
                raise UserError(
                    self.env._(
                        "%(renewal)s has the status “%(state)s”, so what was proposed to "
                        "the member cannot be changed. %(remedy)s",
                        renewal=renewal.display_name,
                        state=renewal._get_state_label(),
                        remedy=renewal._get_edit_remedy(),
                    )
                )

    def _get_edit_remedy(self):
        if self.state == "sent":
            return self.env._(
                "Use “Log a Change Request”, edit the renewal, then send or approve it."
            )
        if self.state in ("approved", "refused"):
            return self.env._("Use “Reset” first.")
        return self.env._("Prepare a new renewal for this member.")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        for renewal in self:
            if renewal.invoice_ids or renewal.state not in ("draft", "cancelled"):
                raise UserError(
                    self.env._(
                        "%(renewal)s is part of the member's history and cannot be deleted. "
                        "Cancel it instead.",
                        renewal=renewal.display_name,
                    )
                )

    def unlink(self):
        partners_by_company = {
            company: renewals.partner_id for company, renewals in self.grouped("company_id").items()
        }
        result = super().unlink()
        for company, partners in partners_by_company.items():
            partners._membri_refresh_status(company)
        return result

    def _refresh_members(self):
        for company, renewals in self.grouped("company_id").items():
            renewals.partner_id._membri_refresh_status(company)

    # ------------------------------------------------------------------
    # Mail and portal plumbing
    # ------------------------------------------------------------------

    def _mail_get_partner_fields(self, introspect_fields=False):
        # EXTENDS mail: the customer of this document; one only, the portal signs links for it
        return ["recipient_id"]

    def _get_lang(self):
        """:return: the language that the recipient reads, for notices and emails"""
        self.ensure_one()
        return (
            self.recipient_id.lang
            or self.partner_id.lang
            or self.company_id.partner_id.lang
            or self.env.lang
        )

    def _get_report_base_filename(self):
        self.ensure_one()
        return self.env._("Renewal notice %(name)s", name=self.name.replace("/", "-"))
