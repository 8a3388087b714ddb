from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """What is left to pay of accepted renewals that are not paid. (Of all others, nothing is.)"""
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    renewals = env["membri.renewal"].search([("state", "=", "approved"), ("is_paid", "=", False)])
    env.add_to_compute(renewals._fields["amount_due"], renewals)
    renewals.flush_recordset(["amount_due"])
