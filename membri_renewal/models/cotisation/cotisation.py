from collections import defaultdict
from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

STATES = [
    ("pending", "Pending"),
    ("scheduled", "Upcoming"),
    ("active", "Active"),
    ("expired", "Expired"),
    ("cancelled", "Void"),
]
LIVING_STATES = ("pending", "scheduled", "active")
PAID_FOR_STATES = ("scheduled", "active")
# of an invoice whose money has come, be it booked at the bank or not yet
PAID_STATES = ("paid", "in_payment")
# what an option set may ask for other than full payment (`membri.option.set.activation`)
EARLY_ACTIVATIONS = ("first_part", "approved")
# Odoo's provider for bank transfers, of an add-on that need not be installed
TRANSFER = "custom"


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _membri_chain_terms(self, company):
        """A term was given to another of these members: each of their terms follows the one
        before it again."""
        # sudo: the chain is a fact, whoever corrects a term
        terms_sudo = (
            self.env["membri.cotisation"]
            .sudo()
            .search(
                Domain("partner_id", "in", self.ids)
                & Domain("company_id", "=", company.id)
                & Domain("state", "!=", "cancelled")
            )
        )
        terms_sudo._internal_write({"previous_id": False})
        terms_sudo._link_previous()


class MembriCotisation(models.Model):
    """One dated, priced period of one member. Only cotisations define what a contact is.

    Their states are in ``cotisation/states.py``, their invoices in
    ``cotisation/invoicing.py``.
    """

    _name = "membri.cotisation"
    _description = "Membership Term"
    _inherit = ["membri.thread.mixin", "membri.term.mixin", "membri.state.mixin"]
    _order = "date_start desc, id desc"
    _check_company_auto = True
    _locked_fields = frozenset({"state", "company_id"})
    _creation_fields = _locked_fields | {"origin"}

    name = fields.Char(required=True, readonly=True, default="/", copy=False)
    state = fields.Selection(
        STATES,
        string="Status",
        default="pending",
        required=True,
        index=True,
        tracking=True,
        copy=False,
    )
    line_ids = fields.One2many(
        "membri.cotisation.line", "cotisation_id", string="Options", copy=True
    )
    date_anchor = fields.Date(
        string="Anchor Date",
        copy=False,
        help="Start date used to compute all of the member's terms (keeps end-of-month dates "
        "stable).",
    )
    invoice_id = fields.Many2one("account.move", readonly=True, copy=False, index="btree_not_null")
    payment_state = fields.Selection(related="invoice_id.payment_state", store=True)
    activation = fields.Selection(related="option_set_id.activation", string="Active Once")
    activated_by = fields.Selection(
        [
            ("paid", "Fully Paid"),
            ("first_part", "First Part Paid"),
            ("approved", "Approved"),
        ],
        string="Activated Once",
        readonly=True,
        copy=False,
        help="What the plan required when this term became active. A stricter setting later does "
        "not change it.",
    )
    renewal_id = fields.Many2one(
        "membri.renewal",
        string="Created by Renewal",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    renewal_ids = fields.One2many(
        "membri.renewal", "cotisation_id", string="Renewals", readonly=True
    )
    previous_id = fields.Many2one(
        "membri.cotisation",
        string="Previous Term",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    next_ids = fields.One2many(
        "membri.cotisation", "previous_id", string="Following Terms", readonly=True
    )
    origin = fields.Selection(
        [("enrolment", "Enrollment"), ("renewal", "Renewal"), ("import", "Import")],
        default="import",
        required=True,
        readonly=True,
        copy=False,
    )
    date_terminated = fields.Date(
        string="Ended Early On",
        readonly=True,
        copy=False,
        help="The member left before the last day, so this term is not proposed for renewal.",
    )
    date_termination_recorded = fields.Date(
        string="Early End Recorded On",
        readonly=True,
        copy=False,
        help="Revenue of earlier days is not changed by the early end.",
    )
    termination_reason = fields.Char(string="Reason for Ending", readonly=True, copy=False)
    termination_reason_id = fields.Many2one(
        "membri.refusal.reason",
        string="Kind of Reason for Ending",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
    )
    date_activated = fields.Date(
        string="Active Since",
        readonly=True,
        copy=False,
        help="Date on which the term became the member's current one.",
    )
    date_deactivated = fields.Date(
        string="No Longer Active Since",
        readonly=True,
        copy=False,
        help="Date on which an active term became void or unpaid again.",
    )
    date_end_agreed = fields.Date(
        string="Original Last Day",
        readonly=True,
        copy=False,
        help="Undoing the early end restores this date.",
    )
    is_voided_by_credit = fields.Boolean(
        string="Voided by Credit Note",
        readonly=True,
        copy=False,
        help="The invoice was fully credited. If this is undone, the invoice gets a new "
        "membership term.",
    )
    date_expired = fields.Date(
        string="Expired On",
        readonly=True,
        copy=False,
        help="Date on which the term expired: the day after its last day, or later if it was "
        "paid later.",
    )
    is_history = fields.Boolean(
        string="Already Over When Recorded",
        readonly=True,
        copy=False,
        help="This term had already ended when it was created or imported, so it is not renewed.",
    )
    renewal_error = fields.Char(
        readonly=True, copy=False, help="Why the last nightly run could not prepare the renewal."
    )
    renewal_error_date = fields.Date(readonly=True, copy=False)

    _one_active = models.UniqueIndex(
        "(partner_id, company_id) WHERE state = 'active'",
        "A member can only have one active term per company.",
    )
    _one_living_per_renewal = models.UniqueIndex(
        "(renewal_id) WHERE renewal_id IS NOT NULL AND state != 'cancelled'",
        "This renewal has already created a membership term.",
    )
    _no_overlap = models.Constraint(
        "EXCLUDE USING gist (partner_id WITH =, company_id WITH =,"
        " daterange(date_start, date_end, '[]') WITH &&) WHERE (state <> 'cancelled')",
        "Two membership terms of one member cannot overlap.",
    )
    _dates_ordered = models.Constraint(
        "CHECK (date_end IS NULL OR date_end >= date_start)",
        "The last day of a membership term cannot be before its first day. Change one of them.",
    )
    # the night: terms that are over, near their end, or ended lately
    _living_end = models.Index("(company_id, state, date_end)")
    # the figures: each member's paid terms, in order
    _timeline = models.Index(
        "(partner_id, company_id, date_start) WHERE state IN ('scheduled', 'active', 'expired')"
    )
    # the night: what expired lately (a late payer is caught up with), and where the money
    # contradicts the state; of the last two there are none most of the time
    _expired_lately = models.Index("(company_id, date_expired) WHERE state = 'expired'")
    _settled_pending = models.Index(
        "(id) WHERE state = 'pending' AND payment_state IN ('paid', 'in_payment', 'reversed')"
    )
    _unpaid_active = models.Index(
        "(id) WHERE state IN ('scheduled', 'active') AND invoice_id IS NOT NULL"
        " AND (payment_state NOT IN ('paid', 'in_payment') OR payment_state IS NULL)"
    )

    @api.model
    def _check_no_overlap(self, periods):
        """The database refuses overlaps (``_no_overlap``); asked here first, they get a
        sentence.

        :param periods: list of ``(partner_id, company_id, first day, last day, cotisation)``;
            the cotisation is empty when it is still to be created
        :raises ValidationError: naming the member and the term that is in the way
        """
        # sudo: the database looks at all terms, too
        others_sudo = self.sudo().search(
            Domain("partner_id", "in", [period[0] for period in periods])
            & Domain("company_id", "in", [period[1] for period in periods])
            & Domain("state", "!=", "cancelled")
            & (
                Domain("date_end", "=", False)
                | Domain("date_end", ">=", min(period[2] for period in periods))
            )
        )
        changed_ids = {period[4].id for period in periods}
        taken = defaultdict(list)
        for other in others_sudo.filtered(lambda c: c.id not in changed_ids):
            taken[other.partner_id.id, other.company_id.id].append(
                (other.date_start, other.date_end, other)
            )
        for partner_id, company_id, first, last, cotisation in periods:
            for other_first, other_last, other in taken[partner_id, company_id]:
                if first <= (other_last or date.max) and other_first <= (last or date.max):
                    raise ValidationError(
                        self.env._(
                            "%(member)s already has the membership term %(other)s "
                            "(%(other_term)s), which overlaps %(term)s. Choose other "
                            "dates, or cancel the incorrect term.",
                            member=self.env["res.partner"].browse(partner_id).display_name,
                            other=other.name or "",
                            other_term=self._format_period(other_first, other_last),
                            term=self._format_period(first, last),
                        )
                    )
            taken[partner_id, company_id].append((first, last, cotisation))

    @api.constrains("date_end", "option_set_id")
    def _check_date_end(self):
        # 9999-12-31, as other systems write it: no day follows
        for cotisation in self.filtered(lambda c: c.date_end in (False, date.max)):
            if not cotisation.option_set_id.lifetime:
                raise ValidationError(
                    self.env._(
                        "The membership term of %(member)s has no last day. Enter one, or "
                        "choose a lifetime plan.",
                        member=cotisation.partner_id._membri_get_names(),
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = self._check_client_create(vals_list)
        for vals in vals_list:
            self._fill_create_vals(vals)
        self.env["ir.sequence"]._membri_fill_numbers("membri.cotisation", vals_list)
        periods = [
            (
                vals["partner_id"],
                vals["company_id"],
                fields.Date.to_date(vals["date_start"]),
                fields.Date.to_date(vals.get("date_end")) or None,
                self.browse(),
            )
            for vals in vals_list
            if vals.get("partner_id")
            and vals.get("date_start")
            and vals.get("state") != "cancelled"
        ]
        if periods:
            self._check_no_overlap(periods)
        # internal: an import may bring terms that are over, with their lines
        created = super(MembriCotisation, self._as_internal()).create(vals_list)
        cotisations = created.with_env(self.env)
        cotisations._link_previous()
        cotisations._refresh_members()
        return cotisations

    def _fill_create_vals(self, vals):
        """Complete ``vals`` in place: company, currency, and the dates that the
        option set gives. Only an import may bring a state of its own: it records facts
        that no invoice of ours can tell."""
        option_set = self.env["membri.option.set"].browse(vals.get("option_set_id"))
        partner = self.env["res.partner"].browse(vals.get("partner_id"))
        company = option_set._get_term_company() if option_set else self.env.company
        vals.setdefault("company_id", company.id)
        option_set = option_set.with_company(vals["company_id"])
        if vals.get("state", "pending") != "pending" and vals.get("origin", "import") != "import":
            raise UserError(
                self.env._(
                    "A new membership term (%(member)s) starts as pending payment. Only "
                    "an imported term can be created with another status.",
                    member=partner._membri_get_names(),
                )
            )
        if option_set and partner and not vals.get("currency_id"):
            vals["currency_id"] = option_set._get_currency(partner).id
        date_start = fields.Date.to_date(vals.get("date_start"))
        if option_set and date_start and "date_end" not in vals:
            vals["date_end"] = option_set._get_period(date_start, vals.get("date_anchor"))[1]
        if option_set and date_start and not vals.get("date_anchor"):
            vals["date_anchor"] = self._guess_anchor(
                option_set, date_start, fields.Date.to_date(vals.get("date_end"))
            )
        date_end = fields.Date.to_date(vals.get("date_end"))
        vals["is_history"] = self._is_over(date_end, vals["company_id"])

    @api.model
    def _is_over(self, date_end, company_id):
        """:return: whether ``date_end`` is a day that is over for this company"""
        return bool(date_end) and date_end < (
            self.env["res.company"].browse(company_id)._membri_today()
        )

    @api.model
    def _guess_anchor(self, option_set, date_start, date_end):
        """A whole term is counted from its first day. One that was shortened at its start
        (or clamped: 28 February to 30 March) is counted from the day that follows it."""
        if date_end in (False, None, date.max):  # the last of them is refused below
            return date_start
        if option_set._get_period(date_start)[1] == date_end:
            return date_start
        return fields.Date.add(date_end, days=1)

    def _link_previous(self):
        """Chain each new term to the last one of the member that ends before it."""
        orphans = self.filtered(lambda c: not c.previous_id)
        if not orphans:
            return
        # sudo: the history is whole, whoever adds to it
        history_sudo = self.sudo().search(
            Domain("partner_id", "in", orphans.partner_id.ids)
            & Domain("company_id", "in", orphans.company_id.ids)
            & Domain("state", "!=", "cancelled")
            & Domain("date_end", "!=", False),
            order="date_end desc",
        )
        by_member = history_sudo.grouped(lambda c: (c.partner_id, c.company_id))
        for cotisation in orphans:
            earlier = by_member.get(
                (cotisation.partner_id, cotisation.company_id), history_sudo[:0]
            )
            previous = next((c for c in earlier if c.date_end < cotisation.date_start), None)
            if previous:
                cotisation._internal_write({"previous_id": previous.id})

    def write(self, vals):
        if not self._is_internal_write():
            self._check_can_edit(vals)
            self._check_no_overlap_after(vals)
            if "line_ids" in vals:
                self._check_own_lines(vals["line_ids"])
                # the lines as one change, so that an option can be swapped for another
                # of the same price; anything else keeps its guards
                vals = dict(vals)
                commands = self._check_line_commands("line_ids", vals.pop("line_ids"))
                self._internal_write({"line_ids": commands})
                self._get_invoice_sudo()._membri_ask_what_differs()
        periods = self._get_invoiced_periods() if {"date_start", "date_end"} & vals.keys() else {}
        members_before = self._get_members_by_company() if "partner_id" in vals else {}
        is_moved = "date_end" in vals and "date_terminated" not in vals  # which is told otherwise
        ends = {cotisation: cotisation.date_end for cotisation in self if is_moved}
        # sudo: whoever may write the term decides what is proposed next
        replanned = (self if "option_set_id" in vals else self[:0]).sudo()._get_living_renewal()
        plans = replanned._get_plans_of_contacts()
        result = super().write(vals)
        replanned._follow_next_plan(plans)
        if "date_end" in vals:
            # corrected to a day to come: no longer history, and asked for its renewal
            self.filtered(
                lambda c: c.is_history and not c._is_over(c.date_end, c.company_id.id)
            )._internal_write({"is_history": False})
            # sudo: the dates of reminders are kept by the system
            self.sudo().renewal_ids._update_next_reminder()
        for cotisation, last_day in ends.items():
            if last_day and cotisation.date_end and cotisation.date_end != last_day:
                # sudo: whoever may write the term decides when the next one begins
                cotisation.sudo()._get_living_renewal()._follow_last_day(last_day)
        self._follow_invoiced_periods(periods)
        if {"date_start", "date_end", "option_set_id", "partner_id"} & vals.keys():
            self._refresh_members()
        for company, partners in members_before.items():  # who had the term before
            (partners | self.partner_id)._membri_chain_terms(company)
        self._refresh_members(members_before)
        return result

    def unlink(self):
        members = self._get_members_by_company()
        result = super().unlink()
        self._refresh_members(members)
        return result

    def _check_no_overlap_after(self, vals):
        """Check the periods that ``vals`` would give these cotisations."""
        if not {"partner_id", "date_start", "date_end"} & vals.keys():
            return
        periods = [
            (
                vals.get("partner_id", cotisation.partner_id.id),
                cotisation.company_id.id,  # which stays
                fields.Date.to_date(vals.get("date_start", cotisation.date_start)),
                fields.Date.to_date(vals.get("date_end", cotisation.date_end)) or None,
                cotisation,
            )
            for cotisation in self
            if cotisation.state != "cancelled"
        ]
        # without a first day or a member the fields themselves refuse it
        if periods and all(period[0] and period[2] for period in periods):
            self._check_no_overlap(periods)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        for cotisation in self:
            if cotisation.invoice_id or cotisation.state not in ("pending", "cancelled"):
                raise UserError(
                    self.env._(
                        "%(cotisation)s is part of the history of %(member)s and cannot be "
                        "deleted. Cancel it instead.",
                        cotisation=cotisation.name,
                        member=cotisation.partner_id._membri_get_names(),
                    )
                )

    def _get_members_by_company(self):
        return {
            company: cotisations.partner_id
            for company, cotisations in self.grouped("company_id").items()
        }

    def _refresh_members(self, members=None):
        """:param members: ``{company: contacts}``; default: those of ``self``"""
        members = self._get_members_by_company() if members is None else members
        for company, partners in members.items():
            partners._membri_refresh_status(company)
            partners._membri_end_archived_activities()
            partners._membri_tell_archived_terms(company)
