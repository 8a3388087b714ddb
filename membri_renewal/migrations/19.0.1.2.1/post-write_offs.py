"""What was settled on other accounts than those of money counts as written off: known of old
invoices as well, and no membership that stands is asked about."""

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, split_every


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    # settled by something that was neither money nor written off
    rows = env.execute_query(
        SQL(
            """SELECT id FROM account_move
                WHERE membri_invoice_type IS NOT NULL AND move_type = 'out_invoice'
                  AND state = 'posted' AND payment_state != 'not_paid'
                  AND amount_total_signed - amount_residual_signed
                      - COALESCE(membri_amount_received, 0)
                      - COALESCE(membri_amount_written_off, 0) > 0.005"""
        )
    )
    for ids in split_every(1000, [id_ for (id_,) in rows]):
        part = env["account.move"].browse(ids)
        for name in ("membri_amount_received", "membri_amount_written_off"):
            env.add_to_compute(part._fields[name], part)
        env.flush_all()
        env.execute_query(
            SQL(
                """UPDATE account_move SET membri_write_off_state = 'kept'
                    WHERE id = ANY(%s) AND membri_amount_written_off != 0
                      AND payment_state IN ('paid', 'in_payment')
                      AND membri_write_off_state IS NULL""",
                list(ids),
            )
        )
        env.invalidate_all()
