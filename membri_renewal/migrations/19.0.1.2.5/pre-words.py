"""A payment that its payer told us of is *reported*, in the code as on the screens; what people
made with the earlier names (queues, filters, exports) keeps working."""

from odoo.tools import SQL
from odoo.tools.sql import column_exists, rename_column

FIELDS = {
    "account.move": {
        "membri_date_announced": "membri_date_reported",
        "membri_announced_amount": "membri_reported_amount",
        "membri_announced_reference": "membri_reported_reference",
        "membri_announced_due": "membri_reported_due",
    },
    "membri.renewal": {"date_payment_announced": "date_payment_reported"},
    "res.company": {"membri_announced_hold_days": "membri_report_hold_days"},
    "res.config.settings": {"membri_announced_hold_days": "membri_report_hold_days"},
}
ACTIVITY = ("activity_payment_announced", "activity_payment_reported")
# where people keep names of fields
TEXTS = {
    "membri_dashboard": ["domain"],
    "ir_filters": ["domain", "context", "sort"],
    "ir_exports_line": ["name"],
    "ir_act_server": ["code"],
}
TRANSLATED = {"ir_ui_view": ["arch_db"], "mail_template": ["subject", "body_html"]}


def migrate(cr, version):
    for model, names in FIELDS.items():
        for old, new in names.items():
            _rename_field(cr, model, old, new)
    cr.execute(
        """UPDATE ir_model_data SET name = %s
            WHERE module = 'membri_renewal' AND model = 'mail.activity.type' AND name = %s""",
        ACTIVITY[::-1],
    )


def _rename_field(cr, model, old, new):
    table = model.replace(".", "_")
    if column_exists(cr, table, old):
        rename_column(cr, table, old, new)
    cr.execute(
        "UPDATE ir_model_fields SET name = %s WHERE model = %s AND name = %s", (new, model, old)
    )
    cr.execute(
        """UPDATE ir_model_data SET name = %s
            WHERE module = 'membri_renewal' AND model = 'ir.model.fields' AND name = %s""",
        (f"field_{table}__{new}", f"field_{table}__{old}"),
    )
    for places, kind in ((TEXTS, "text"), (TRANSLATED, "jsonb")):
        for kept, columns in places.items():
            for column in columns:
                _replace_word(cr, kept, column, kind, old, new)


def _replace_word(cr, table, column, kind, old, new):
    cr.execute(
        SQL(
            """UPDATE %(table)s
                  SET %(column)s = regexp_replace(%(column)s::text, %(old)s, %(new)s, 'g')::%(kind)s
                WHERE %(column)s::text ~ %(old)s""",
            table=SQL.identifier(table),
            column=SQL.identifier(column),
            kind=SQL(kind),
            old=rf"\m{old}\M",
            new=new,
        )
    )
