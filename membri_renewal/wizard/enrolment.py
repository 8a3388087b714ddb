from odoo import api, fields, models
from odoo.fields import Command

from ..models.renewal import UNDECIDED_STATES


class MembriEnrolment(models.TransientModel):
    """A new, or a returning, member: choose the option set; dates and proration come by
    themselves (seed §2, *Faire le suivi des contacts inactifs*)."""

    _name = "membri.enrolment"
    _description = "Enrolment"
    _check_company_auto = True

    partner_id = fields.Many2one("res.partner", string="Contact", required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    option_set_id = fields.Many2one(
        "membri.option.set",
        required=True,
        domain="[('company_id', '=', company_id)]",
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    date_start = fields.Date(
        string="First Day",
        required=True,
        default=lambda self: self.env.company._membri_today(),
    )
    date_end = fields.Date(
        string="Last Day",
        compute="_compute_date_end",
        store=True,
        readonly=False,
        help="Included. Empty for life.",
    )
    prorate = fields.Boolean(
        help="Scale the price of a term that begins inside its period, as the option set says.",
    )
    can_prorate = fields.Boolean(compute="_compute_can_prorate")
    line_ids = fields.One2many(
        "membri.enrolment.line",
        "enrolment_id",
        string="Options",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    amount_untaxed = fields.Monetary(compute="_compute_amount_untaxed", string="Untaxed Amount")
    open_renewal_id = fields.Many2one(
        "membri.renewal", compute="_compute_open_renewal_id", string="Renewal to Refuse"
    )

    @api.depends("option_set_id", "partner_id")
    def _compute_currency_id(self):
        for enrolment in self:
            enrolment.currency_id = (
                enrolment.option_set_id._get_currency(enrolment.partner_id)
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
                lines_vals = enrolment.option_set_id._prepare_term_lines(
                    enrolment.partner_id._origin or enrolment.partner_id,
                    enrolment.date_start,
                    enrolment.date_end,
                    prorate=enrolment.prorate,
                )
                commands += [Command.create(vals) for vals in lines_vals]
            enrolment.line_ids = commands

    @api.depends("line_ids.quantity", "line_ids.price_unit", "line_ids.tax_ids")
    def _compute_amount_untaxed(self):
        for enrolment in self:
            enrolment.amount_untaxed = sum(enrolment.line_ids.mapped("price_subtotal"))

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

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            option_set = self.env["membri.option.set"].browse(vals.get("option_set_id"))
            if option_set:
                vals.setdefault("company_id", option_set.company_id.id)
        return super().create(vals_list)

    def action_confirm(self):
        """Enrol, then show the new cotisation."""
        self.ensure_one()
        return self._do_enrol()._get_records_action()

    def _do_enrol(self):
        """:return: the pending cotisation, invoiced
        :raises ValidationError: when the term overlaps a living one of the member"""
        self.ensure_one()
        self.env["membri.cotisation"].check_access("create")
        self.option_set_id._check_usable()
        # looked up before the new term exists, refused after: an overlap changes nothing
        renewal = self.open_renewal_id
        renewal._check_can("refuse")
        cotisation = self.env["membri.cotisation"].create(self._prepare_cotisation_vals())
        renewal._do_refuse(
            self.env.ref("membri_renewal.refusal_reason_rejoined"),
            self.env._("The member enrolled again."),
        )
        cotisation._create_invoices("enrolment")
        cotisation._queue_invoices()
        return cotisation

    def _prepare_cotisation_vals(self):
        self.ensure_one()
        return {
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "option_set_id": self.option_set_id.id,
            "date_start": self.date_start,
            "date_end": self.date_end,
            "origin": "enrolment",
            "line_ids": [Command.create(line._prepare_copy_vals()) for line in self.line_ids],
        }


class MembriEnrolmentLine(models.TransientModel):
    _name = "membri.enrolment.line"
    _description = "Option of an Enrolment"
    _inherit = "membri.term.line.mixin"
    _term_field = "enrolment_id"

    enrolment_id = fields.Many2one("membri.enrolment", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="enrolment_id.currency_id")

    @api.onchange("product_id")
    def _onchange_product_id(self):
        """A product that is added by hand gets the member's price on the first day."""
        enrolment = self.enrolment_id
        if self.product_id and enrolment.option_set_id and enrolment.partner_id:
            vals = enrolment.option_set_id._prepare_term_line(
                enrolment.partner_id, enrolment.date_start, product=self.product_id
            )
            vals.pop("sequence")
            self.update(vals)
