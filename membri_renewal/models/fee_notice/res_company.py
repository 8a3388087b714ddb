from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    membri_fee_notice = fields.Boolean(
        string="Fee Notices",
        help="Approvals and enrollments send a fee notice, which has its own number. The "
        "invoice is created, numbered and sent when the fee notice is paid.",
    )
    membri_fee_notice_sequence_id = fields.Many2one(
        "ir.sequence", string="Fee Notice Numbers", copy=False, readonly=True
    )

    def _membri_get_fee_notice_sequence(self):
        """The numbers of this company's fee notices, made when first needed; the
        caller is in sudo, for sequences are the administrators'"""
        self.ensure_one()
        if not self.membri_fee_notice_sequence_id:
            self.membri_fee_notice_sequence_id = self.env["ir.sequence"].create(
                {
                    "name": self.env._("Fee notices of %(company)s", company=self.name),
                    "code": "membri.fee.notice",
                    "company_id": self.id,
                    "prefix": "AVIS/%(range_year)s/",
                    "padding": 5,
                    "use_date_range": True,
                }
            )
        return self.membri_fee_notice_sequence_id


class MembriSettingsMixin(models.AbstractModel):
    _inherit = "membri.settings.mixin"

    membri_fee_notice = fields.Boolean(related="company_id.membri_fee_notice", readonly=False)
