"""What came and what was written off is known of old invoices as well; nobody is thanked now for
what was paid long ago, and no membership that stands is asked about."""

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, split_every

AMOUNTS = ("membri_amount_received", "membri_amount_written_off")


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    invoices = env["account.move"].search(
        [
            ("membri_invoice_type", "!=", False),
            ("move_type", "=", "out_invoice"),
            ("state", "=", "posted"),
            ("payment_state", "!=", "not_paid"),
        ]
    )
    # the columns were made empty (see the model): an accounting database has many entries
    for ids in split_every(1000, invoices.ids):
        part = env["account.move"].browse(ids)
        for name in AMOUNTS:
            env.add_to_compute(part._fields[name], part)
        env.flush_all()
        env.invalidate_all()
    paid = invoices.filtered(lambda move: move.payment_state in ("paid", "in_payment"))
    env.flush_all()
    env.execute_query(
        SQL(
            """UPDATE account_move
                  SET membri_date_receipt_sent = COALESCE(membri_date_receipt_sent, write_date),
                      membri_write_off_state = CASE
                          WHEN membri_amount_written_off <> 0
                          THEN COALESCE(membri_write_off_state, 'kept')
                          ELSE membri_write_off_state
                      END
                WHERE id = ANY(%s)""",
            paid.ids,
        )
    )
    env.invalidate_all()
