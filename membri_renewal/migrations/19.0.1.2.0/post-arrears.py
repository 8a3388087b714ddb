from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Whether the first part is paid, of the membership invoices that are paid in part. (Of what
    is paid or unpaid, nobody asks.)"""
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    moves = env["account.move"].search(
        [("membri_invoice_type", "!=", False), ("payment_state", "=", "partial")]
    )
    env.add_to_compute(moves._fields["membri_is_first_part_paid"], moves)
    moves.flush_recordset(["membri_is_first_part_paid"])
