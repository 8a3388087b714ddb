from odoo import fields, models


class ResCompany(models.Model):
    """What the organisation decides of the portal's *My membership*."""

    _inherit = "res.company"

    membri_announced_hold_days = fields.Integer(
        string="Hold Reminders After an Announced Payment (days)",
        default=10,
        help="How long automatic reminders wait when a member says to have paid.",
    )
    membri_payment_user_id = fields.Many2one(
        "res.users",
        string="Checks Announced Payments",
        domain=[("share", "=", False)],
        help="Who looks for the money when a member says to have paid. Empty: the officer.",
    )
    membri_signatory = fields.Char(
        string="Signs the Attestations",
        translate=True,
        help="Name and title below an attestation of membership. Empty: the officer.",
    )
    membri_signature = fields.Image(
        string="Signature",
        max_width=600,
        max_height=200,
        help="Printed above the name. Empty: room to sign by hand.",
    )

    _membri_hold_positive = models.Constraint(
        "CHECK (membri_announced_hold_days >= 0)",
        "Reminders cannot be held for less than no day.",
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
