"""Who was archived before there was a rule: contacts are held for the staff, officers hand over."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    env["res.users"].search([("active", "=", False)])._membri_hand_over()
    payers = env["membri.renewal"].search([("is_open", "=", True)]).invoice_id.partner_id
    members = env["res.partner"].search(
        [
            ("active", "=", False),
            "|",
            ("membri_cotisation_ids.state", "in", ("pending", "scheduled", "active")),
            ("membri_renewal_ids.is_open", "=", True),
        ]
    )
    (members | payers.filtered(lambda payer: not payer.active))._membri_follow_archiving()
