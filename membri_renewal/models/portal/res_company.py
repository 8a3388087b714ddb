from odoo import fields, models


class ResCompany(models.Model):
    """What the organisation decides of the portal's *My membership*."""

    _inherit = "res.company"

    membri_announced_hold_days = fields.Integer(
        string="Pause Reminders After a Reported Payment (days)",
        default=10,
        help="Number of days without automatic reminders after a member reports a payment.",
    )
    membri_payment_user_id = fields.Many2one(
        "res.users",
        string="Reported Payments Handled By",
        domain=[("share", "=", False)],
        help="Leave empty to use the membership officer.",
    )
    membri_signatory = fields.Char(
        string="Certificates Signed By",
        translate=True,
        help="Name and title below a membership certificate. Leave empty to use the membership "
        "officer.",
    )
    membri_signature = fields.Image(
        string="Signature",
        max_width=600,
        max_height=200,
        help="Printed above the name. Leave empty to sign by hand.",
    )

    _membri_hold_positive = models.Constraint(
        "CHECK (membri_announced_hold_days >= 0)",
        "The pause cannot be negative.",
    )

    def _membri_get_payment_user(self):
        """:return: the ``res.users`` who checks payments that members announce"""
        self.ensure_one()
        return self.membri_payment_user_id.filtered("active") or self._membri_get_assignee()

    def _membri_get_signatory(self):
        """:return: the name below an attestation"""
        self.ensure_one()
        return self.membri_signatory or self._membri_get_officer().name or self.name


class MembriSettingsMixin(models.AbstractModel):
    _inherit = "membri.settings.mixin"

    membri_announced_hold_days = fields.Integer(
        related="company_id.membri_announced_hold_days", readonly=False
    )
    membri_payment_user_id = fields.Many2one(
        related="company_id.membri_payment_user_id", readonly=False
    )
    membri_signatory = fields.Char(related="company_id.membri_signatory", readonly=False)
    membri_signature = fields.Image(related="company_id.membri_signature", readonly=False)
