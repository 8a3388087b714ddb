from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import email_normalize, ormcache

from .mixins.fields import get_flag_domain
from .mixins.one2many import ReadOne2many
from .renewal.renewal import UNDECIDED_STATES
from .res_partner_recipient import RECIPIENT_FIELDS

STATUSES = [
    ("non_member", "Non-Member"),
    ("pending", "Pending"),
    ("active", "Active Member"),
    ("in_renewal", "Renewal in Progress"),
    ("inactive", "Inactive"),
]
READERS = "membri_renewal.group_membri_readonly"
OFFICERS = "membri_renewal.group_membri_user"
# choices that another field follows
FOLLOWED_FIELDS = {"membri_member_since", "membri_renewal_email"}


def _get_links_definition(name):
    """:param name: of a many2one that differs by company
    :return: definition of the index by which records are found that lead to some others"""
    return f"USING gin ({name}) WITH (fastupdate = off) WHERE {name} IS NOT NULL"


class ResPartner(models.Model):
    """The tab *Abonnement*: choices that the staff makes for a contact, and the facts that
    its cotisations give. Both per company. The facts are kept in ``res_partner_status.py``.
    """

    _name = "res.partner"
    _inherit = ["res.partner", "membri.fields.mixin"]
    # nobody is a member yet, whatever a duplicate or an import brings
    _passes_over_given_facts = True

    # Whose link leads to a term, a renewal or a contact, which Odoo asks whenever one is deleted.
    # Without a list of what is still to be added: it would be read whole.
    _membri_cotisation_links = models.Index(_get_links_definition("membri_cotisation_id"))
    _membri_renewal_links = models.Index(_get_links_definition("membri_renewal_id"))
    _membri_responsible_links = models.Index(_get_links_definition("membri_responsible_id"))

    membri_status = fields.Selection(
        STATUSES,
        string="Membership Status",
        company_dependent=True,
        groups=READERS,
        copy=False,
        readonly=True,
    )
    membri_cotisation_id = fields.Many2one(
        "membri.cotisation",
        string="Current Term",
        company_dependent=True,
        groups=READERS,
        copy=False,
        readonly=True,
    )
    membri_renewal_id = fields.Many2one(
        "membri.renewal",
        string="Open Renewal",
        company_dependent=True,
        groups=READERS,
        copy=False,
        readonly=True,
    )
    membri_option_set_id = fields.Many2one(
        "membri.option.set",
        string="Membership Plan",
        company_dependent=True,
        check_company=True,
        groups=READERS,
        copy=False,
        readonly=True,
    )
    membri_member_since = fields.Date(
        string="Member Since",
        company_dependent=True,
        groups=READERS,
        copy=False,
        help="Date of first joining. Enter or import it if it is earlier than the first term. "
        "If empty, the first term counts.",
    )
    membri_is_since_typed = fields.Boolean(
        string="Member Since Was Entered",
        readonly=True,
        company_dependent=True,
        groups=READERS,
        copy=False,
        help="Member Since was entered or imported, so terms do not change it.",
    )
    membri_date_end = fields.Date(
        string="Membership Ends", company_dependent=True, groups=READERS, copy=False, readonly=True
    )
    membri_is_member = fields.Boolean(
        string="Is a Member",
        compute="_compute_membri_is_member",
        search="_search_membri_is_member",
        groups=READERS,
    )
    membri_cotisation_ids = ReadOne2many(
        "membri.cotisation", "partner_id", string="Membership Terms", groups=READERS
    )
    membri_renewal_ids = ReadOne2many(
        "membri.renewal", "partner_id", string="Renewals", groups=READERS
    )
    membri_invoice_ids = fields.Many2many(
        "account.move",
        string="Membership Invoices",
        compute="_compute_membri_invoice_ids",
        groups=READERS,
    )

    membri_auto_renew = fields.Boolean(
        string="Automatic Renewal",
        compute="_compute_membri_auto_renew",
        inverse="_inverse_membri_auto_renew",
        search="_search_membri_auto_renew",
        groups=READERS,
        help="Yes: an invoice is sent right away. No: a notice is sent, and the member replies.",
    )
    membri_auto_renew_choice = fields.Selection(
        [("yes", "Yes"), ("no", "No")],
        string="Automatic Renewal Set Manually",
        company_dependent=True,
        groups=READERS,
        copy=False,
        help="Leave empty to use the plan's setting.",
    )
    membri_next_option_set_id = fields.Many2one(
        "membri.option.set",
        string="Next Plan",
        company_dependent=True,
        check_company=True,
        groups=READERS,
        copy=False,
        help="Plan to propose at the next renewal. Leave empty to keep the current one.",
    )
    membri_intervention_required = fields.Boolean(
        string="Intervention Required", company_dependent=True, groups=READERS, copy=False
    )
    membri_intervention_reason = fields.Text(
        string="Reason for Intervention", company_dependent=True, groups=READERS, copy=False
    )
    membri_responsible_id = fields.Many2one(
        "res.partner",
        string="Membership Contact",
        company_dependent=True,
        index="btree_not_null",
        groups=READERS,
        copy=False,
        help="Receives this member's renewal notices.",
    )
    membri_renewal_email = fields.Char(
        string="Renewal Email",
        company_dependent=True,
        groups=READERS,
        copy=False,
        help="Email address for renewal notices, if different from the contact's.",
    )

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends("membri_status", "membri_date_end", "membri_option_set_id")
    @api.depends_context("company")
    def _compute_membri_is_member(self):
        today = self.env.company._membri_today()
        for partner in self:
            end = partner.membri_date_end
            grace = partner.membri_option_set_id.grace_days
            partner.membri_is_member = partner.membri_status == "active" or bool(
                partner.membri_status == "in_renewal"
                and end
                and fields.Date.add(end, days=grace) >= today
            )

    def _search_membri_is_member(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = self.env.company._membri_today()
        domains = [Domain("membri_status", "=", "active")]
        # sudo: plans are for numbers of days only
        for grace_days, sets in (
            self.env["membri.option.set"]
            .sudo()
            .with_context(active_test=False)
            ._read_group(
                [("company_id", "parent_of", self.env.company.id)], ["grace_days"], ["id:recordset"]
            )
        ):
            domains.append(
                Domain("membri_status", "=", "in_renewal")
                & Domain("membri_option_set_id", "in", sets.ids)
                & Domain("membri_date_end", ">=", fields.Date.subtract(today, days=grace_days))
            )
        members = Domain.OR(domains)
        return get_flag_domain(members, value)

    @api.depends("membri_auto_renew_choice", "membri_next_option_set_id", "membri_option_set_id")
    @api.depends_context("company")
    def _compute_membri_auto_renew(self):
        for partner in self:
            choice = partner.membri_auto_renew_choice
            option_set = partner.membri_next_option_set_id or partner.membri_option_set_id
            partner.membri_auto_renew = (
                choice == "yes" if choice else option_set.renewal_mode == "invoice"
            )

    def _inverse_membri_auto_renew(self):
        for partner in self:
            partner.membri_auto_renew_choice = "yes" if partner.membri_auto_renew else "no"

    def _search_membri_auto_renew(self, operator, value):
        if operator != "in":
            return NotImplemented
        by_set = Domain("membri_auto_renew_choice", "=", False) & (
            Domain("membri_next_option_set_id.renewal_mode", "=", "invoice")
            | (
                Domain("membri_next_option_set_id", "=", False)
                & Domain("membri_option_set_id.renewal_mode", "=", "invoice")
            )
        )
        automatic = Domain("membri_auto_renew_choice", "=", "yes") | by_set
        return get_flag_domain(automatic, value)

    @api.depends("membri_cotisation_ids.invoice_id")
    @api.depends_context("company")
    def _compute_membri_invoice_ids(self):
        """The member's invoices, whoever pays them, by type."""
        # sudo: journal items are the accountants'; invoices are read as the user
        lines_sudo = (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("membri_cotisation_id.partner_id", "in", self.ids),
                    ("company_id", "=", self.env.company.id),
                ]
            )
        )
        by_member = lines_sudo.grouped(lambda line: line.membri_cotisation_id.partner_id.id)
        for partner in self:
            lines = by_member.get(partner._origin.id, lines_sudo.browse())
            partner.membri_invoice_ids = lines.move_id.sorted("date", reverse=True).ids

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model
    def default_get(self, fields):
        # EXTENDS base: whom an officer adds reads the language of the desk, until somebody chooses
        # another one; Odoo gives all of them the language that it was installed in
        values = super().default_get(fields)
        if (
            "lang" in values
            and self.env.lang
            and "default_lang" not in self.env.context
            and not self.env.su
            and self.env.user.has_group(OFFICERS)
            and not self._membri_is_default_lang_chosen()
        ):
            values["lang"] = self.env.lang
        return values

    @api.model
    @ormcache("self.env.uid", "self.env.company.id")
    def _membri_is_default_lang_chosen(self):
        """:return: whether somebody chose the language of new contacts"""
        field = self.env["ir.model.fields"]._get("res.partner", "lang")
        # sudo: settings of Odoo, which officers do not read
        defaults_sudo = self.env["ir.default"].sudo()
        return bool(
            defaults_sudo.search_count(
                [
                    ("field_id", "=", field.id),
                    ("user_id", "in", (False, self.env.uid)),
                    ("company_id", "in", (False, self.env.company.id)),
                    # what the installation left is for all, and nobody's choice
                    "|",
                    "|",
                    ("user_id", "!=", False),
                    ("company_id", "!=", False),
                    ("write_uid", "!=", SUPERUSER_ID),
                ],
                limit=1,
            )
        )

    def _membri_check_may_take(self, vals):
        """A contact of one company is read by the others no more, also where it is their member.
        Below a contact of one company Odoo does not take it where it was invoiced, and names the
        invoices of the others.

        :raises AccessError: when it would be taken from a company that is not the user's, or
            given to one"""
        if self.env.su:
            return
        company_id, parent_id = vals.get("company_id"), vals.get("parent_id")
        self._get_given_numbers([company_id])  # a text would be the company of that number
        if not company_id and parent_id and isinstance(parent_id, int):
            # sudo: of which company the contact is, which Odoo asks as well
            company_id = self.browse(parent_id).sudo().exists().company_id.id
        if not company_id:
            return
        # as Odoo does, but before a sentence tells whose membership there is
        self.check_access("write")
        own_ids = self.env.user.company_ids.ids
        # sudo: in all companies; which ones is not told
        terms_sudo = (
            self.env["membri.cotisation"]
            .sudo()
            .search(
                Domain("partner_id", "in", self.ids)
                & Domain("state", "!=", "cancelled")
                & Domain("company_id", "not in", own_ids if company_id in own_ids else [])
                & ~Domain("company_id", "child_of", company_id),
                limit=1,
            )
        )
        if terms_sudo:
            raise AccessError(
                self.env._(
                    "%(contact)s is used by another company. Leave “Company” empty.",
                    contact=terms_sudo.partner_id.name,
                )
            )

    def write(self, vals):
        kept, rest = self._membri_filter_kept(vals)
        if kept:
            (self - kept).write(vals)
            return kept.write(rest)
        if {"membri_auto_renew", "membri_next_option_set_id"} <= vals.keys():
            return self._membri_write_plan_first(dict(vals))
        self._membri_check_may_take(vals)
        self._membri_forget_bounces(vals)
        active = vals.get("active")
        moved = self.filtered(lambda p: p.active != bool(active)) if "active" in vals else self[:0]
        parents = self.browse(vals.get("parent_id") or ())
        held = self._membri_get_held_keys(vals.keys(), parents)
        several = held and self._membri_get_several_addresses(vals.keys())
        emailed = self._membri_get_held_tokens(vals)
        payers = self._membri_get_payers_of_open(self._membri_get_changed_ties(vals), parents)
        cards = self._membri_get_cards_before(vals)
        receiving = self.browse()
        if receives := RECIPIENT_FIELDS & vals.keys():
            receiving = self | self._membri_get_address_parents()
        logos = {}
        if "image_1920" in vals:
            logos = self.env["res.company"]._membri_get_logo_followers(self)
        replanned = self if "membri_next_option_set_id" in vals else self.browse()
        undecided = replanned._membri_get_undecided_renewals()
        plans = undecided._get_plans_of_contacts()
        result = super().write(vals)
        undecided._follow_next_plan(plans)
        for partner, branches in logos.items():
            branches.image_1920 = partner.image_1920
        self._membri_follow_cards(cards, vals)
        held._renew_lost_keys(self._membri_find_with_fewer(several or {}))
        self.env["account.move"]._membri_renew_lost_tokens(emailed)
        self._membri_follow_payers(payers)
        if receives:
            receiving |= self._membri_get_address_parents()
            receiving._membri_follow_recipients()
        if FOLLOWED_FIELDS & vals.keys():
            self._internal_write(self._membri_get_followers(vals))
        moved._membri_follow_archiving()
        is_emptied = "membri_member_since" in vals and not vals["membri_member_since"]
        if is_emptied and not self._is_internal_write():
            self._membri_refresh_status(self.env.company)
        if {"membri_intervention_required", "membri_intervention_reason"} & vals.keys():
            # whoever may set the flag sets the renewals' state with it
            self._membri_get_undecided_renewals()._follow_intervention_flag()
        if "membri_auto_renew_choice" in vals:
            self._membri_follow_auto_renew(vals["membri_auto_renew_choice"])
        return result

    def _membri_follow_auto_renew(self, choice):
        """Automatic renewal was switched: what was not sent yet, or announced, follows.

        :param choice: as it is written to ``membri_auto_renew_choice``"""
        if choice == "no":
            self._membri_forget_consent()
        # sudo: whoever may switch it decides what becomes of the drafts
        self.env["membri.renewal"].sudo().search(
            Domain("partner_id", "in", self.ids)
            & Domain("company_id", "=", self.env.company.id)
            & (
                Domain("state", "=", "draft")
                | (Domain("state", "=", "sent") & Domain("date_auto_invoice", "!=", False))
            )
        )._follow_contact_mode()

    def _membri_write_plan_first(self, vals):
        """The form sends the toggle with a plan that is chosen there: what the plan says is a
        choice only where one was made before."""
        is_on = bool(vals.pop("membri_auto_renew"))
        self.write(vals)
        return self.filtered(
            lambda p: p.membri_auto_renew_choice or p.membri_auto_renew != is_on
        ).write({"membri_auto_renew": is_on})

    def _membri_get_undecided_renewals(self):
        """:return: those of these members in this company, in sudo: they follow the contact"""
        # sudo: whoever may change the contact need not read renewals
        renewals_sudo = self.env["membri.renewal"].sudo()
        return renewals_sudo.search(
            [
                ("partner_id", "in", self.ids),
                ("company_id", "=", self.env.company.id),
                ("state", "in", UNDECIDED_STATES),
            ]
        )

    @api.model_create_multi
    def create(self, vals_list):
        # a new billing address is another payer
        default_type = self.env.context.get("default_type")
        parents = self.browse(
            {
                vals.get("parent_id") or self.env.context.get("default_parent_id")
                for vals in vals_list
                if vals.get("type", default_type) == "invoice"
            }
            - {None, False}
        )
        ties = {"type"} if parents else set()
        held = self._membri_get_held_keys(ties, parents)
        payers = parents._membri_get_payers_of_open(ties)
        partners = super(ResPartner, self._membri_as_typist()).create(vals_list)
        partners = partners.with_env(self.env)
        held._renew_lost_keys()
        partners._membri_follow_payers(payers)
        parents._membri_follow_recipients()
        by_default = {name for name in FOLLOWED_FIELDS if f"default_{name}" in self.env.context}
        followers = {}
        for partner, vals in zip(partners, vals_list, strict=True):
            if typed := FOLLOWED_FIELDS & (vals.keys() | by_default):
                # sudo: facts, which follow
                values = {name: partner.sudo()[name] for name in typed}
                followers[partner] = self._membri_get_followers(values)
        partners._internal_write_alike(followers)
        return partners

    def unlink(self):
        held = self._membri_get_held_keys({"parent_id"})
        payers = self._membri_get_payers_of_open({"parent_id"})
        parents = self._membri_get_address_parents()
        result = super().unlink()
        held.exists()._renew_lost_keys()
        self._membri_follow_payers(payers)
        parents.exists()._membri_follow_recipients()
        return result

    @api.model
    def _membri_get_followers(self, vals):
        """What follows from ``vals`` of a contact: that the day of joining was typed,
        and the form in which the address for renewals is searched for"""
        followers = {}
        # the terms, or a merge, which copies what there was: nobody typed it
        if "membri_member_since" in vals and not self._is_internal_write():
            followers["membri_is_since_typed"] = bool(vals["membri_member_since"])
        if "membri_renewal_email" in vals:
            followers["membri_renewal_email_normalized"] = email_normalize(
                vals["membri_renewal_email"], strict=False
            )
        return followers

    @api.model
    def _may_give(self, field):
        # EXTENDS fields_mixin: choices are the officers'; facts, which `readonly` declares, are
        # written by _membri_refresh_status only
        return super()._may_give(field) and (
            not self._is_our_field(field) or self.env.user.has_group(OFFICERS)
        )

    def _filter_changed(self, name, value):
        # EXTENDS fields_mixin: whoever may not write it need not be told what it is
        return self

    def _get_refusal(self, field, record):
        # EXTENDS fields_mixin
        if field.name.startswith("membri_payment_"):
            if not record:
                return AccessError(
                    self.env._("Only payers can save a card, when they pay on the portal.")
                )
            return AccessError(
                self.env._(
                    "Only payers can save a card, when they pay on the portal (%(member)s). You "
                    "can stop automatic payment.",
                    member=record._membri_get_names(),
                )
            )
        if self._is_fact(field):
            label = field._description_string(self.env)
            if not record:
                return AccessError(
                    self.env._(
                        "“%(field)s” comes from the terms of a member and cannot be given for a "
                        "new contact.",
                        field=label,
                    )
                )
            return AccessError(
                self.env._(
                    "“%(field)s” of %(member)s comes from the member's terms and cannot be edited.",
                    field=label,
                    member=record._membri_get_names(),
                )
            )
        return AccessError(
            self.env._("Only membership officers can change the membership of a contact.")
        )

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _membri_get_next_option_set(self, cotisation):
        """:return: the option set to propose after ``cotisation``"""
        self.ensure_one()
        return self.membri_next_option_set_id or cotisation.option_set_id

    def _membri_enrol(self, option_set, date_start=None, prorate=False):
        """Make a member of a contact: a pending cotisation and its posted invoice.

        An open renewal is refused in the same transaction (specification §5.7).

        :param option_set: ``membri.option.set``
        :param date_start: first day; default: today, for the company of the set
        :param prorate: scale the price of a term that begins inside its fixed period
        :return: the ``membri.cotisation``
        :raises UserError: when the set has no option
        :raises ValidationError: when the term overlaps a living one
        """
        self.ensure_one()
        if not option_set:
            raise UserError(
                self.env._(
                    "Choose a plan to enroll %(member)s.",
                    member=self._membri_get_names(),
                )
            )
        enrolment = self.env["membri.enrolment"].create(
            {
                "partner_id": self.id,
                "option_set_id": option_set.id,
                "date_start": date_start or option_set._get_term_company()._membri_today(),
                "prorate": prorate,
            }
        )
        return enrolment._do_enrol()

    def action_membri_enrol(self):
        """Open the enrolment of this contact."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Enroll %(name)s", name=self.display_name),
            "res_model": "membri.enrolment",
            "view_mode": "form",
            "target": "new",
            "context": {"default_partner_id": self.id},
        }

    def action_membri_view_renewals(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_renewal"
        )
        return {**action, "domain": [("partner_id", "=", self.id)], "context": {}}

    def action_membri_view_cotisations(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_cotisation"
        )
        return {**action, "domain": [("partner_id", "=", self.id)], "context": {}}
