from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    # asked of each line of a payment order: found in the cache
    membri_payment_mode_ids = fields.One2many(
        "account.payment.mode",
        "company_id",
        string="Payment Modes",
        readonly=True,
        context={"active_test": False},
        groups="account.group_account_readonly",
    )
