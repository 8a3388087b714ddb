from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

STATES = [
    ("pending", "Pending"),
    ("scheduled", "Paid, Upcoming"),
    ("active", "Active"),
    ("expired", "Expired"),
    ("cancelled", "Cancelled"),
]
LIVING_STATES = ("pending", "scheduled", "active")


class MembriCotisation(models.Model):
    """One dated, priced period of one member. Only cotisations define what a contact is.

    Their states are in ``cotisation_lifecycle.py``, their invoices in
    ``cotisation_invoicing.py``.
    """

    _name = "membri.cotisation"
    _description = "Cotisation"
    _inherit = ["mail.thread", "membri.state.mixin", "membri.term.mixin"]
    _order = "date_start desc, id desc"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True, default="/", copy=False)
    state = fields.Selection(
        STATES, default="pending", required=True, index=True, tracking=True, copy=False
    )
    line_ids = fields.One2many(
        "membri.cotisation.line", "cotisation_id", string="Options", copy=True
    )
    date_anchor = fields.Date(
        string="Anchor",
        copy=False,
        help="A first day that all terms of the member are counted from, so that a month's "
        "end stays a month's end.",
    )
    invoice_id = fields.Many2one(
        "account.move", readonly=True, copy=False, index="btree_not_null", string="Invoice"
    )
    payment_state = fields.Selection(related="invoice_id.payment_state", store=True)
    renewal_id = fields.Many2one(
        "membri.renewal",
        string="Made by Renewal",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    renewal_ids = fields.One2many("membri.renewal", "cotisation_id", string="Renewals")
    previous_id = fields.Many2one(
        "membri.cotisation",
        string="Previous Term",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    next_ids = fields.One2many("membri.cotisation", "previous_id", string="Next Terms")
    origin = fields.Selection(
        [("enrolment", "Enrolment"), ("renewal", "Renewal"), ("import", "Import")],
        default="import",
        required=True,
        readonly=True,
        copy=False,
    )
    date_terminated = fields.Date(
        string="Terminated On",
        readonly=True,
        copy=False,
        help="The member left before the end: this term is not proposed for renewal.",
    )
    termination_reason = fields.Char(readonly=True, copy=False)
    renewal_error = fields.Char(
        readonly=True, copy=False, help="Why the renewal could not be prepared last night."
    )
    renewal_error_date = fields.Date(readonly=True, copy=False)

    _one_active = models.UniqueIndex(
        "(partner_id, company_id) WHERE state = 'active'",
        "A member has at most one active cotisation in a company.",
    )
    _one_living_per_renewal = models.UniqueIndex(
        "(renewal_id) WHERE renewal_id IS NOT NULL AND state != 'cancelled'",
        "This renewal has made a cotisation already.",
    )
    _no_overlap = models.Constraint(
        "EXCLUDE USING gist (partner_id WITH =, company_id WITH =,"
        " daterange(date_start, date_end, '[]') WITH &&) WHERE (state <> 'cancelled')",
        "Two cotisations of one member cannot overlap.",
    )
    _dates_ordered = models.Constraint(
        "CHECK (date_end IS NULL OR date_end >= date_start)",
        "A cotisation cannot end before it begins.",
    )
    _living_end = models.Index("(company_id, state, date_end)")

    @api.constrains("partner_id", "company_id", "date_start", "date_end", "state")
    def _check_overlap(self):
        """The database refuses overlaps too (``_no_overlap``); here they get a sentence."""
        living = self.filtered(lambda c: c.state != "cancelled")
        if not living:
            return
        self.flush_model(["partner_id", "company_id", "date_start", "date_end", "state"])
        overlap = self.env.execute_query(
            SQL(
                """
                SELECT a.id, b.id
                  FROM membri_cotisation a
                  JOIN membri_cotisation b
                    ON b.partner_id = a.partner_id
                   AND b.company_id = a.company_id
                   AND b.id != a.id
                   AND b.state != 'cancelled'
                   AND daterange(a.date_start, a.date_end, '[]')
                    && daterange(b.date_start, b.date_end, '[]')
                 WHERE a.id IN %s
                 LIMIT 1
                """,
                tuple(living.ids),
            )
        )
        if overlap:
            first, second = (self.sudo().browse(id_) for id_ in overlap[0])
            raise ValidationError(
                self.env._(
                    "%(member)s already has the cotisation %(other)s (%(other_term)s), which "
                    "overlaps %(term)s. Choose other dates, or cancel the one that is wrong.",
                    member=first.partner_id.display_name,
                    other=second.name,
                    other_term=second.term_display,
                    term=first.term_display,
                )
            )

    @api.constrains("date_end", "option_set_id")
    def _check_date_end(self):
        for cotisation in self.filtered(lambda c: not c.date_end):
            if not cotisation.option_set_id.lifetime:
                raise ValidationError(
                    self.env._(
                        "The cotisation of %(member)s has no last day. Give one, or choose a "
                        "lifetime option set.",
                        member=cotisation.partner_id.display_name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._fill_create_vals(vals)
        # internal: an import may bring terms that are over, with their lines
        created = super(MembriCotisation, self._as_internal()).create(vals_list)
        cotisations = created.with_env(self.env)
        cotisations._link_previous()
        cotisations._refresh_members()
        return cotisations

    def _fill_create_vals(self, vals):
        """Complete ``vals`` in place: number, company, currency, and the dates that the
        option set gives. Only an import may bring a state of its own: it records facts
        that no invoice of ours can tell."""
        option_set = self.env["membri.option.set"].browse(vals.get("option_set_id"))
        partner = self.env["res.partner"].browse(vals.get("partner_id"))
        company = option_set.company_id or self.env.company
        vals.setdefault("company_id", company.id)
        if vals.get("state", "pending") != "pending" and vals.get("origin", "import") != "import":
            raise UserError(
                self.env._(
                    "A new cotisation of %(member)s waits for its payment. Only an imported "
                    "one can be created in another state.",
                    member=partner.display_name,
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
        if vals.get("name", "/") == "/":
            vals["name"] = (
                self.env["ir.sequence"].with_company(company).next_by_code("membri.cotisation")
            )

    @api.model
    def _guess_anchor(self, option_set, date_start, date_end):
        """A whole term is counted from its first day. One that was shortened at its start
        (or clamped: 28 February to 30 March) is counted from the day that follows it."""
        if not date_end or option_set._get_period(date_start)[1] == date_end:
            return date_start
        return fields.Date.add(date_end, days=1)

    def _link_previous(self):
        """Chain each new term to the last one of the member that ends before it."""
        orphans = self.filtered(lambda c: not c.previous_id)
        if not orphans:
            return
        history = self.sudo().search(
            Domain("partner_id", "in", orphans.partner_id.ids)
            & Domain("company_id", "in", orphans.company_id.ids)
            & Domain("state", "!=", "cancelled")
            & Domain("date_end", "!=", False),
            order="date_end desc",
        )
        by_member = history.grouped(lambda c: (c.partner_id, c.company_id))
        for cotisation in orphans:
            earlier = by_member.get((cotisation.partner_id, cotisation.company_id), history[:0])
            previous = next((c for c in earlier if c.date_end < cotisation.date_start), None)
            if previous:
                cotisation.previous_id = previous

    def write(self, vals):
        if not self._is_internal_write():
            self._check_can_edit(vals)
            if "line_ids" in vals:
                # the lines as one change, so that an option can be swapped for another
                # of the same price; anything else keeps its guards
                vals = dict(vals)
                self._internal_write({"line_ids": vals.pop("line_ids")})
        result = super().write(vals)
        if {"date_start", "date_end", "option_set_id", "partner_id"} & vals.keys():
            self._refresh_members()
        return result

    def _check_can_edit(self, vals):
        """What was invoiced cannot be edited away from its invoice; what is past is past.

        :raises UserError: with the way out (seed §2, *Faire des modifications à un
            renouvellement accepté*)
        """
        final = self.filtered(lambda c: c.state in ("expired", "cancelled"))
        if final and self._get_term_fields() & vals.keys():
            raise UserError(
                self.env._(
                    "%(cotisation)s of %(member)s is over: it cannot be changed any more.",
                    cotisation=final[0].name,
                    member=final[0].partner_id.display_name,
                )
            )
        invoiced = self.filtered("invoice_id")
        if invoiced and {"partner_id", "company_id", "currency_id"} & vals.keys():
            raise UserError(
                self.env._(
                    "%(cotisation)s is invoiced to %(member)s: its member, company and currency "
                    "cannot be changed. Reset the renewal instead.",
                    cotisation=invoiced[0].name,
                    member=invoiced[0].partner_id.display_name,
                )
            )

    @api.model
    def _get_term_fields(self):
        return {"partner_id", "company_id", "option_set_id", "date_start", "date_end", "line_ids"}

    @api.constrains("line_ids")
    def _check_invoiced_amount(self):
        """A change without price effect is made on the pending cotisation; one that alters
        a total needs a new invoice (seed §2)."""
        for cotisation in self.filtered("invoice_id"):
            invoiced = cotisation._get_amount_by_taxes(cotisation._get_invoice_lines())
            if cotisation._get_amount_by_taxes(cotisation.line_ids) != invoiced:
                raise UserError(
                    self.env._(
                        "This change would alter the price of %(cotisation)s of %(member)s, which "
                        "is invoiced already (%(invoice)s). Use “Reset” on its renewal, make the "
                        "change there and approve it again: a new invoice replaces the old one.",
                        cotisation=cotisation.name,
                        member=cotisation.partner_id.display_name,
                        invoice=cotisation.invoice_id.display_name,
                    )
                )

    def _get_amount_by_taxes(self, lines):
        """:return: ``{taxes: untaxed amount}``: equal for two sets of lines that cost the same"""
        self.ensure_one()
        amounts = defaultdict(float)
        for line in lines:
            amounts[line.tax_ids] += line.price_subtotal
        return {taxes: self.currency_id.round(amount) for taxes, amount in amounts.items()}

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        for cotisation in self:
            if cotisation.invoice_id or cotisation.state not in ("pending", "cancelled"):
                raise UserError(
                    self.env._(
                        "%(cotisation)s is part of the history of %(member)s and cannot be "
                        "deleted. Cancel it instead.",
                        cotisation=cotisation.name,
                        member=cotisation.partner_id.display_name,
                    )
                )

    def _refresh_members(self):
        for company, cotisations in self.grouped("company_id").items():
            cotisations.partner_id._membri_refresh_status(company)
