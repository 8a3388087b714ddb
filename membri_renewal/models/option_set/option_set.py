from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..mixins.delays import check_delays
from ..mixins.one2many import ReadOne2many

MONTHS = [
    ("1", "January"),
    ("2", "February"),
    ("3", "March"),
    ("4", "April"),
    ("5", "May"),
    ("6", "June"),
    ("7", "July"),
    ("8", "August"),
    ("9", "September"),
    ("10", "October"),
    ("11", "November"),
    ("12", "December"),
]


class MembriSubscriptionType(models.Model):
    _name = "membri.subscription.type"
    _description = "Membership Type"
    _inherit = "membri.fields.mixin"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char()
    sequence = fields.Integer(default=10)
    active = fields.Boolean(string="Available", default=True)
    company_id = fields.Many2one("res.company", index=True)
    option_set_ids = ReadOne2many("membri.option.set", "type_id", string="Membership Plans")


class MembriOptionSet(models.Model):
    """What a member subscribes to: priced options, the length of a term, and how the
    next one is proposed. Date arithmetic is in ``option_set/period.py``, prices are in
    ``option_set/pricing.py``.
    """

    _name = "membri.option.set"
    _description = "Membership Plan"
    _inherit = "membri.fields.mixin"
    _order = "sequence, name, id"
    _check_company_auto = True
    # what was sold by one company does not become another one's
    _locked_fields = _creation_fields = frozenset({"company_id"})
    # a branch works with the option sets of its parent companies, too
    _check_company_domain = models.check_company_domain_parent_of

    name = fields.Char(required=True, translate=True)
    code = fields.Char(copy=False)
    type_id = fields.Many2one(
        "membri.subscription.type",
        string="Membership Type",
        check_company=True,
        index="btree_not_null",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(string="Available", default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id", string="Currency")
    description = fields.Html(translate=True, help="Shown to the member with the renewal.")

    renewal_mode = fields.Selection(
        [("notice", "Notice"), ("invoice", "Invoice")],
        required=True,
        default="notice",
        help="Notice: the member replies, then is invoiced. Invoice: the member is invoiced "
        "right away. A member's own Automatic Renewal choice takes precedence.",
    )
    lifetime = fields.Boolean(
        help="The term has no last day: it never expires and is never renewed."
    )
    period_count = fields.Integer(string="Length", default=1, required=True)
    period_unit = fields.Selection(
        [("month", "Months"), ("year", "Years")], default="year", required=True
    )
    date_mode = fields.Selection(
        [("anniversary", "Anniversary Date"), ("fixed", "Fixed Date")],
        string="Term Dates",
        default="anniversary",
        required=True,
    )
    fixed_month = fields.Selection(MONTHS, string="Period Start Month", default="1")
    fixed_day = fields.Integer(string="Period Start Day", default=1)
    proration = fields.Selection(
        [
            ("none", "No proration"),
            ("daily", "By remaining days"),
            ("monthly", "By remaining months"),
            ("percent", "Percentage of the price"),
            ("amount", "Fixed amount"),
        ],
        default="none",
        required=True,
        help="How the price of a first term that begins mid-period is set.",
    )
    proration_value = fields.Float(help="Percentage, or amount before taxes.")
    late_policy = fields.Selection(
        [
            ("keep", "Continue from the previous term"),
            ("restart", "Restart after the grace period"),
        ],
        default="keep",
        required=True,
        string="Late Renewals",
    )
    notice_lead_days = fields.Integer(string="Notice Lead Time (days)", default=60)
    grace_days = fields.Integer(string="Grace Period (days after the end)", default=30)
    activation = fields.Selection(
        [
            ("paid", "Fully Paid"),
            ("first_part", "First Part Paid"),
            ("approved", "Approved"),
        ],
        string="Active Once",
        default="paid",
        required=True,
        help="What makes a new term active once the one before it is over. Approved: members "
        "stay members until they resign, paid or not.",
    )
    announce_days = fields.Integer(
        string="Announcement (days before the invoice)",
        help="Members who are invoiced right away are notified this many days before, and can "
        "change or stop the renewal until then. 0: no announcement.",
    )
    unpaid_end_months = fields.Integer(
        string="Propose to End After (months)",
        help="Renewals that are still unpaid this many months after their due date are proposed "
        "in the dashboard “Unpaid for Too Long”. 0: never.",
    )
    unpaid_end_automatic = fields.Boolean(
        string="End Automatically",
        help="The nightly run ends these renewals. If disabled, they are only proposed.",
    )
    notice_template_id = fields.Many2one(
        "mail.template",
        string="Notice Email",
        domain=[("model", "=", "membri.renewal")],
        ondelete="restrict",
        help="Leave empty to use the standard notice.",
    )
    line_ids = fields.One2many(
        "membri.option.set.line", "option_set_id", string="Options", copy=True
    )
    reminder_ids = fields.One2many(
        "membri.reminder.step", "option_set_id", string="Reminders", copy=True
    )
    active_member_count = fields.Integer(compute="_compute_active_member_count")

    _code_unique = models.UniqueIndex(
        "(company_id, code) WHERE code IS NOT NULL",
        "This code is already used by another plan of this company. Choose another one.",
    )
    _period_positive = models.Constraint(
        "CHECK (period_count > 0)", "A membership term lasts at least one month or one year."
    )
    _delays_not_negative = models.Constraint(
        "CHECK (notice_lead_days >= 0 AND grace_days >= 0)",
        "The notice lead time and the grace period cannot be negative.",
    )
    _money_delays_not_negative = models.Constraint(
        "CHECK (COALESCE(announce_days, 0) >= 0 AND COALESCE(unpaid_end_months, 0) >= 0)",
        "The days of the announcement and the months before an unpaid renewal is ended cannot be "
        "negative.",
    )
    _proration_value_range = models.Constraint(
        "CHECK (proration_value >= 0 AND (proration != 'percent' OR proration_value <= 100))",
        "The proration must be an amount of zero or more, or a percentage from 0 to 100.",
    )

    def _get_term_company(self):
        """Return the company of a term of this option set: the current one, where it is a
        branch that works with the sets of its parent."""
        self.ensure_one()
        current = self.env.company
        # sudo: a branch need not see its parent to know that it is one
        return current if self.company_id in current.sudo().parent_ids else self.company_id

    @api.depends_context("allowed_company_ids")
    def _compute_active_member_count(self):
        counts = dict(
            self.env["membri.cotisation"]._read_group(
                [("option_set_id", "in", self.ids), ("state", "=", "active")],
                ["option_set_id"],
                ["__count"],
            )
        )
        for option_set in self:
            option_set.active_member_count = counts.get(option_set, 0)

    @api.constrains("notice_lead_days", "grace_days", "announce_days", "unpaid_end_months")
    def _check_delays(self):
        check_delays(self, "notice_lead_days", "grace_days", "announce_days", "unpaid_end_months")

    @api.constrains("date_mode", "period_unit", "fixed_month", "fixed_day", "lifetime")
    def _check_fixed_period(self):
        for option_set in self.filtered(lambda o: o.date_mode == "fixed" and not o.lifetime):
            if option_set.period_unit != "year":
                raise ValidationError(
                    self.env._(
                        "The fixed-date periods of “%(name)s” must be whole years. Choose "
                        "years as the unit, or anniversary dates.",
                        name=option_set.name,
                    )
                )
            if not option_set.fixed_month or not 1 <= option_set.fixed_day <= 31:
                raise ValidationError(
                    self.env._(
                        "Enter the month and the day (1 to 31) on which the periods of "
                        "“%(name)s” begin.",
                        name=option_set.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: of all companies; one is named
        used_sudo = self.env["membri.cotisation"].sudo().search(
            [("option_set_id", "in", self.ids)], limit=1
        ) or self.env["membri.renewal"].sudo().search([("option_set_id", "in", self.ids)], limit=1)
        if used_sudo:
            raise UserError(
                self.env._(
                    "“%(name)s” is used by %(record)s. Archive the plan instead: its "
                    "members keep their terms.",
                    name=used_sudo.option_set_id.name,
                    record=used_sudo.display_name,
                )
            )

    def _check_usable(self):
        """:raises UserError: when nothing can be proposed or invoiced from this option set"""
        for option_set in self:
            if not option_set.line_ids:
                raise UserError(
                    self.env._(
                        "The plan “%(name)s” has no option to invoice. Add at least one "
                        "product to it.",
                        name=option_set.name,
                    )
                )

    def action_view_members(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Active Members of %(name)s", name=self.name),
            "res_model": "membri.cotisation",
            "view_mode": "list,form",
            "domain": [("option_set_id", "=", self.id), ("state", "=", "active")],
        }
