from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tools import format_amount, formatLang

from ..models.renewal.renewal import UNDECIDED_STATES
from .explanation import as_list


class MembriEnrolment(models.TransientModel):
    """A new, or a returning, member: choose the option set; dates and proration come by
    themselves (guide §2, *Faire le suivi des contacts inactifs*)."""

    _name = "membri.enrolment"
    _description = "Enrollment"
    _inherit = ["membri.term.mixin", "membri.wizard.mixin"]
    _check_company_auto = True

    partner_id = fields.Many2one(string="Contact", ondelete="cascade", index=False)
    partner_lang = fields.Selection(
        related="partner_id.lang", string="Language", readonly=False, related_sudo=False
    )
    partner_lang_count = fields.Integer(
        related="partner_id.active_lang_count", string="Language Count"
    )
    option_set_id = fields.Many2one(
        string="Membership Plan",
        domain="[('company_id', 'parent_of', company_id)]",
        compute="_compute_option_set_id",
        store=True,
        readonly=False,
        ondelete="cascade",
        index=False,
    )
    currency_id = fields.Many2one(compute="_compute_currency_id", required=False)
    date_start = fields.Date(
        default=lambda self: self.env.company._membri_today(),
        index=False,
    )
    date_end = fields.Date(
        compute="_compute_date_end",
        store=True,
        readonly=False,
        index=False,
        help="Included. Leave empty for a lifetime membership.",
    )
    prorate = fields.Boolean(
        help="Prorates the price of a term that begins mid-period, as set on the plan.",
    )
    can_prorate = fields.Boolean(string="Proration Possible", compute="_compute_can_prorate")
    line_ids = fields.One2many(
        "membri.enrolment.line",
        "enrolment_id",
        string="Options",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    open_renewal_id = fields.Many2one(
        "membri.renewal", compute="_compute_open_renewal_id", string="Renewal to Decline"
    )
    obstacle = fields.Text(compute="_compute_explanation")
    is_over = fields.Boolean(string="Already Ended", compute="_compute_explanation")
    consequences = fields.Html(compute="_compute_explanation", string="What Happens")

    @api.depends("partner_id")
    def _compute_display_name(self):
        """Sentences of what cannot be invoiced name it."""
        for enrolment in self:
            member = enrolment.partner_id.display_name
            enrolment.display_name = f"{self.env._('Enrollment')} · {member or ''}"

    @api.depends("partner_id", "company_id")
    def _compute_option_set_id(self):
        """Somebody who comes back is offered the plan that they had, if it still exists."""
        for enrolment in self.filtered(lambda e: not e.option_set_id):
            enrolment.option_set_id = enrolment._get_last_term().option_set_id.filtered("active")

    @api.depends("option_set_id", "partner_id")
    def _compute_currency_id(self):
        for enrolment in self:
            enrolment.currency_id = (
                enrolment._get_option_set()._get_currency(enrolment.partner_id)
                if enrolment.option_set_id
                else enrolment.company_id.currency_id
            )

    @api.depends("option_set_id", "date_start")
    def _compute_date_end(self):
        for enrolment in self:
            enrolment.date_end = (
                enrolment.option_set_id._get_period(enrolment.date_start)[1]
                if enrolment.option_set_id and enrolment.date_start
                else False
            )

    @api.depends("option_set_id", "date_start", "date_end")
    def _compute_can_prorate(self):
        for enrolment in self:
            option_set = enrolment.option_set_id
            enrolment.can_prorate = bool(
                option_set
                and option_set.proration != "none"
                and enrolment.date_start
                and not option_set._is_whole_period(enrolment.date_start, enrolment.date_end)
            )

    @api.depends("option_set_id", "partner_id", "date_start", "date_end", "prorate")
    def _compute_line_ids(self):
        """Always from the full prices: choosing again replaces, it never adds up."""
        for enrolment in self:
            commands = [Command.clear()]
            if enrolment.option_set_id and enrolment.partner_id and enrolment.date_start:
                lines_vals = enrolment._get_option_set()._prepare_term_lines(
                    enrolment.partner_id._origin or enrolment.partner_id,
                    enrolment.date_start,
                    enrolment.date_end,
                    prorate=enrolment.prorate,
                )
                commands += [Command.create(vals) for vals in lines_vals]
            enrolment.line_ids = commands

    @api.depends("partner_id", "company_id")
    def _compute_open_renewal_id(self):
        for enrolment in self:
            enrolment.open_renewal_id = self.env["membri.renewal"].search(
                [
                    ("partner_id", "=", enrolment.partner_id.id),
                    ("company_id", "=", enrolment.company_id.id),
                    ("state", "in", UNDECIDED_STATES),
                ],
                limit=1,
            )

    @api.depends(
        "partner_id", "option_set_id", "date_start", "date_end", "prorate", "line_ids.price_unit"
    )
    def _compute_explanation(self):
        for enrolment in self:
            is_ready = enrolment.partner_id and enrolment.option_set_id and enrolment.date_start
            enrolment.obstacle = enrolment._get_cannot_enrol_reason() if is_ready else False
            explains = is_ready and not enrolment.obstacle
            enrolment.is_over = bool(explains and enrolment._get_term_over_sentence())
            enrolment.consequences = as_list(
                filter(None, enrolment._get_consequences() if explains else [])
            )

    def _get_cannot_enrol_reason(self):
        """:return: why nobody can be enrolled like this (a sentence), or ``False``"""
        self.ensure_one()
        if not self.option_set_id:
            return self.env._(
                "Choose a plan to enroll %(member)s.",
                member=self.partner_id._membri_get_names(),
            )
        if not self.line_ids:
            return self.env._(
                "The plan “%(name)s” has no option to invoice. Add at least one product "
                "to the plan, or here.",
                name=self.option_set_id.name,
            )
        if self.date_end and self.date_end < self.date_start:
            return self.env._("The last day is before the first day. Correct the dates.")
        return (
            self._get_archived_reason()
            or self._get_overlap_reason()
            or self._get_cannot_invoice_reason()
        )

    def _get_overlap_reason(self):
        try:
            self.env["membri.cotisation"]._check_no_overlap(
                [
                    (
                        self.partner_id._origin.id,
                        self.company_id._origin.id,
                        self.date_start,
                        self.date_end or None,
                        self.env["membri.cotisation"],
                    )
                ]
            )
        except ValidationError as error:
            return str(error)
        return False

    def _get_consequences(self):
        """:return: list of sentences, empty ones among them"""
        self.ensure_one()
        over = self._get_term_over_sentence()
        return [
            over,
            self._get_return_sentence(),
            self._get_proration_sentence(),
            self._get_invoice_sentence(),
            not over
            and self.env._(
                "The membership term (%(term)s) is pending. Once it is paid, the "
                "membership begins on its first day.",
                term=self._format_period(self.date_start, self.date_end),
            ),
        ]

    def _get_term_over_sentence(self):
        """A year that is over can be billed: the membership is past as soon as it is paid."""
        today = self.company_id._membri_today()
        if not self.date_end or self.date_end >= today:
            return False
        return self.env._(
            "This term is already over (%(term)s). Once paid, it expires right away: "
            "%(member)s does not become a member today. To enroll from now on, choose a "
            "later first day.",
            term=self._format_period(self.date_start, self.date_end),
            member=self.partner_id._membri_get_names(),
        )

    def _get_last_term(self):
        """:return: the member's last term with an end, in this company"""
        return self.env["membri.cotisation"].search(
            [
                ("partner_id", "=", self.partner_id._origin.id),
                ("company_id", "=", self.company_id._origin.id),
                ("state", "!=", "cancelled"),
                ("date_end", "!=", False),
            ],
            order="date_end desc",
            limit=1,
        )

    def _get_return_sentence(self):
        """The gap since the last term stays visible."""
        last = self._get_last_term()
        if not last:
            return self.env._(
                "%(member)s is a new member.", member=self.partner_id._membri_get_names()
            )
        return self.env._(
            "%(member)s is rejoining. The last term (%(cotisation)s, until %(date)s) is "
            "not changed.",
            member=self.partner_id._membri_get_names(),
            cotisation=last.name,
            date=self._format_day(last.date_end),
        )

    def _get_proration_sentence(self):
        if not self.can_prorate:
            return False
        if not self.prorate:
            return self.env._(
                "The term is shorter than its period and costs the full price. To charge "
                "only for the remaining time, turn on proration."
            )
        share = self.option_set_id._get_proration(self.date_start, self.date_end)
        return self.env._(
            "The price is prorated: %(share)s%% of the full price.",
            share=formatLang(self.env, 100 * share, digits=1),
        )

    def _get_invoice_sentence(self):
        partner = self.partner_id._origin or self.partner_id
        payer = partner.with_company(self.company_id)._membri_get_payer()
        amount = format_amount(self.env, self.amount_total, self.currency_id)
        email = self._get_payer_address(payer)
        if not email and not payer.email:
            return self.env._(
                "An invoice for %(amount)s is created for %(payer)s, who has no email "
                "address. Print it and mail it.",
                amount=amount,
                payer=payer._membri_get_names(),
            )
        if not email:
            return self.env._(
                "An invoice for %(amount)s is created for %(payer)s. %(reason)s Print it "
                "and mail it.",
                amount=amount,
                payer=payer._membri_get_names(),
                reason=payer._membri_get_address_problem(),
            )
        if self.company_id.membri_fee_notice:
            return self.env._(
                "A fee notice for %(amount)s is emailed to %(payer)s (%(email)s). The "
                "invoice follows once it is paid.",
                amount=amount,
                payer=payer._membri_get_names(),
                email=email,
            )
        return self.env._(
            "An invoice for %(amount)s is created and emailed to %(payer)s (%(email)s).",
            amount=amount,
            payer=payer._membri_get_names(),
            email=email,
        )

    def _get_payer_address(self, payer):
        """:return: the address that the invoice goes to, as its sending finds it, or ``False``"""
        payer_sudo = payer.sudo()  # as the sending: the person in charge may be nobody to see
        for contact_sudo in (payer_sudo, *payer_sudo._membri_get_candidates()):
            if not contact_sudo._membri_get_address_problem():
                return contact_sudo.email
        usable = payer_sudo._membri_get_renewal_email_problem() is False
        return usable and payer_sudo.membri_renewal_email

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_given_records(vals)
            option_set = self.env["membri.option.set"].browse(vals.get("option_set_id"))
            if option_set:
                vals.setdefault("company_id", option_set._get_term_company().id)
        return super().create(vals_list)

    def action_confirm(self):
        """Enrol, then show the new cotisation."""
        self.ensure_one()
        return self._do_enrol()._get_records_action()

    def _do_enrol(self):
        """:return: the pending cotisation, invoiced
        :raises ValidationError: when the term overlaps a living one of the member, or cannot
            be invoiced"""
        self.ensure_one()
        self.env["membri.cotisation"].check_access("create")
        if reason := self._get_cannot_enrol_reason():
            raise ValidationError(reason)
        # looked up before the new term exists, refused after: an overlap changes nothing
        renewal = self.open_renewal_id
        renewal._check_can("refuse")
        over = self._get_term_over_sentence()
        cotisation = self.env["membri.cotisation"].create(self._prepare_cotisation_vals())
        if over:  # whoever enrolls without this window is told, too
            cotisation._message_log(body=over)
        renewal._do_refuse(
            self.env.ref("membri_renewal.refusal_reason_rejoined"),
            self.env._("The member rejoined."),
        )
        cotisation._create_invoices("enrolment")
        cotisation._queue_invoices()
        return cotisation

    def _prepare_cotisation_vals(self):
        return {**self._prepare_same_term_vals(), "origin": "enrolment"}


class MembriEnrolmentLine(models.TransientModel):
    _name = "membri.enrolment.line"
    _description = "Enrollment Option"
    _inherit = ["membri.term.line.mixin", "membri.wizard.mixin"]
    _term_field = "enrolment_id"

    enrolment_id = fields.Many2one(
        "membri.enrolment", string="Enrollment", required=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="enrolment_id.currency_id")
