from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Each open part of an invoice has its reminders, the later ones as well: the day of the next
    one of what is accepted and not paid."""
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    renewals = env["membri.renewal"].search([("state", "=", "approved"), ("is_paid", "=", False)])
    renewals._update_next_reminder()
