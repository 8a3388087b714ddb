from odoo import fields, models


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
    option_set_ids = fields.One2many("membri.option.set", "type_id", string="Membership Plans")
