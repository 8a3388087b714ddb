"""The words of 19.0.1.1.0 reach what updates leave alone, where nobody has edited it.

Other languages follow: the new translations are loaded after the update.
"""

from odoo.tools import SQL

REASONS = {
    "refusal_reason_unused": ("Does not use the services", "Doesn't use the services"),
    "refusal_reason_no_answer": ("No answer", "No Reply"),
    "refusal_reason_rejoined": ("Enrolled again", "Rejoined"),
    "refusal_reason_terminated": ("Membership terminated", "Membership ended early"),
}
JOBS = {
    "ir_cron_update_states": (
        "Membership: activate and expire cotisations",
        "Membership: update membership terms",
    ),
    "ir_cron_process_bulk": (
        "Membership: work on many renewals",
        "Membership: process background jobs",
    ),
    "ir_cron_process_campaigns": (
        "Membership: work on campaigns",
        "Membership: process campaigns",
    ),
    # in French only
    "ir_cron_send_fee_notices": ("Membership: send fee notices", "Membership: send fee notices"),
}


def migrate(cr, version):
    for name, (old, new) in REASONS.items():
        rename(cr, name, "membri.refusal.reason", "membri_refusal_reason", old, new)
    cr.execute(
        """UPDATE ir_sequence AS sequence SET name = 'Membership Term'
             FROM ir_model_data AS data
            WHERE data.module = 'membri_renewal' AND data.name = 'sequence_cotisation'
              AND data.res_id = sequence.id AND sequence.name = 'Cotisation'"""
    )
    for name, (old, new) in JOBS.items():
        cr.execute(
            """UPDATE ir_cron AS job SET cron_name = %s
                 FROM ir_model_data AS data
                WHERE data.module = 'membri_renewal' AND data.name = %s
                  AND data.model = 'ir.cron' AND data.res_id = job.id AND job.cron_name = %s""",
            (new, name, old),
        )
        rename(
            cr,
            f"{name}_ir_actions_server",
            "ir.actions.server",
            "ir_act_server",
            old,
            new,
        )


def rename(cr, name, model, table, old, new):
    cr.execute(
        SQL(
            """UPDATE %(table)s AS record
                  SET name = jsonb_build_object('en_US', %(new)s::text)
                 FROM ir_model_data AS data
                WHERE data.module = 'membri_renewal' AND data.name = %(name)s
                  AND data.model = %(model)s AND data.res_id = record.id
                  AND record.name->>'en_US' = %(old)s""",
            table=SQL.identifier(table),
            new=new,
            name=name,
            model=model,
            old=old,
        )
    )
