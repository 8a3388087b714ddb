"""What an update must reach is no longer marked as the database's own.

Until 19.0.1.0.0 every rule, email and dashboard was; what people edited stays theirs.
"""

from odoo.tools import SQL

# what was shipped, and what is
QUEUES = {
    "dashboard_letters": (
        "[('state', '=', 'sent'), ('letter_state', '=', 'to_print')]",
        "[('is_open', '=', True), ('state', 'in', ('sent', 'approved')),"
        " ('letter_state', '=', 'to_print')]",
    ),
    "dashboard_to_remind": (
        "[('is_open', '=', True), ('state', 'in', ('sent', 'approved')),"
        " ('date_next_reminder', '!=', False), ('date_next_reminder', '<=', today)]",
        "[('is_open', '=', True), ('state', 'in', ('sent', 'approved')),"
        " ('date_next_reminder', '!=', False), ('date_next_reminder', '<=', today),"
        " ('can_be_reminded', '=', True)]",
    ),
}


def migrate(cr, version):
    cr.execute(
        """UPDATE ir_model_data SET noupdate = FALSE
            WHERE module = 'membri_renewal'
              AND noupdate
              AND model IN ('ir.rule', 'mail.activity.type', 'mail.message.subtype')"""
    )
    # an update only adds groups: one that a menu no longer names would hide it for ever
    cr.execute(
        """DELETE FROM ir_ui_menu_group_rel
            WHERE menu_id IN (
                    SELECT res_id FROM ir_model_data
                     WHERE module = 'membri_renewal' AND model = 'ir.ui.menu'
                  )"""
    )
    # every edit, also of a translation, moves the date of writing; loading languages does not
    for model in ("mail.template", "membri.dashboard"):
        cr.execute(
            SQL(
                """UPDATE ir_model_data AS data SET noupdate = FALSE
                     FROM %(table)s AS record
                    WHERE data.module = 'membri_renewal'
                      AND data.noupdate
                      AND data.model = %(model)s
                      AND data.res_id = record.id
                      AND data.name NOT LIKE 'demo%%'
                      AND record.write_date = record.create_date""",
                table=SQL.identifier(model.replace(".", "_")),
                model=model,
            )
        )
    # a dashboard that was only moved or painted counts as edited: these queues had become wrong
    for name, (old, new) in QUEUES.items():
        cr.execute(
            """UPDATE membri_dashboard AS dashboard
                  SET domain = %s
                 FROM ir_model_data AS data
                WHERE data.module = 'membri_renewal'
                  AND data.name = %s
                  AND data.model = 'membri.dashboard'
                  AND data.res_id = dashboard.id
                  AND dashboard.domain = %s""",
            (new, name, old),
        )
