"""Who was archived before there was a rule: contacts are held for the staff, officers hand over."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    env["res.users"].search([("active", "=", False)])._membri_hand_over()
    env["res.partner"].search(
        [
            ("active", "=", False),
            "|",
            ("membri_cotisation_ids.state", "in", ("pending", "scheduled", "active")),
            ("membri_renewal_ids.is_open", "=", True),
        ]
    )._membri_follow_archiving()
