from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    # a list is matched by email, which Odoo has no index for
    _membri_email = models.Index("(email_normalized) WHERE email_normalized IS NOT NULL")
