from odoo import fields, models


class MembriSettingsMixin(models.AbstractModel):
    """The membership settings of one company: each is said here once, for the general
    settings of the administrator and for the membership manager's own page."""

    _name = "membri.settings.mixin"
    _description = "Membership Settings of a Company"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    membri_tz = fields.Selection(related="company_id.membri_tz", readonly=False)
    membri_go_live = fields.Date(related="company_id.membri_go_live", readonly=False)
    membri_officer_id = fields.Many2one(related="company_id.membri_officer_id", readonly=False)
    membri_no_answer_days = fields.Integer(
        related="company_id.membri_no_answer_days", readonly=False
    )
    membri_no_answer_months = fields.Integer(
        related="company_id.membri_no_answer_months", readonly=False
    )
    membri_invoice_dating = fields.Selection(
        related="company_id.membri_invoice_dating", readonly=False
    )
    membri_check_payee = fields.Char(related="company_id.membri_check_payee", readonly=False)
    membri_check_address = fields.Text(related="company_id.membri_check_address", readonly=False)
    membri_payment_confirmation = fields.Boolean(
        related="company_id.membri_payment_confirmation", readonly=False
    )
    membri_write_off_share = fields.Float(
        related="company_id.membri_write_off_share", readonly=False
    )
    membri_portal_decline = fields.Boolean(
        related="company_id.membri_portal_decline", readonly=False
    )
    membri_portal_call = fields.Boolean(related="company_id.membri_portal_call", readonly=False)
    membri_report_hold_days = fields.Integer(
        related="company_id.membri_report_hold_days", readonly=False
    )
    membri_payment_user_id = fields.Many2one(
        related="company_id.membri_payment_user_id", readonly=False
    )
    membri_signatory = fields.Char(related="company_id.membri_signatory", readonly=False)
    membri_signature = fields.Image(related="company_id.membri_signature", readonly=False)
    membri_charge_lead_days = fields.Integer(
        related="company_id.membri_charge_lead_days", readonly=False
    )
    membri_charge_retry_days = fields.Char(
        related="company_id.membri_charge_retry_days", readonly=False
    )
    membri_fee_notice = fields.Boolean(related="company_id.membri_fee_notice", readonly=False)
