"""Fill the queue; run in an Odoo shell by ``./dev stress``."""

import os
from datetime import timedelta

from odoo.fields import Command


def create_terms(env, name, option_set, count):
    partners = env["res.partner"].create(
        [
            {"name": f"{name} {number}", "email": f"{name}-{number}@example.com".lower()}
            for number in range(count)
        ]
    )
    today = env.company._membri_today()
    return env["membri.cotisation"].create(
        [
            {
                "partner_id": partner.id,
                "option_set_id": option_set.id,
                "date_start": today - timedelta(days=350),
                "state": "active",
            }
            for partner in partners
        ]
    )


def queue_approvals(env, cotisations):
    """A job in the background over the renewals of ``cotisations``."""
    renewals = env["membri.renewal"].create(
        [{"cotisation_id": cotisation.id} for cotisation in cotisations]
    )
    return renewals.action_bulk("approve")["res_id"]


def main(env):
    product = env["product.product"].create(
        {"name": "Membership", "type": "service", "list_price": 300}
    )
    option_sets = {
        mode: env["membri.option.set"].create(
            {
                "name": f"Stress {mode}",
                "renewal_mode": mode,
                "notice_lead_days": 60,
                "line_ids": [Command.create({"product_id": product.id})],
            }
        )
        for mode in ("notice", "invoice")
    }
    size = int(os.environ["STRESS_RENEWALS"])
    jobs = {
        name: queue_approvals(env, create_terms(env, name, option_sets["notice"], count))
        for name, count in {"killed": size, "together": size // 2}.items()
    }
    # the second waits until the first has been killed often enough
    env["membri.bulk.job"].browse(jobs["together"]).is_stopped = True
    for mode, option_set in option_sets.items():
        create_terms(env, f"due-{mode}", option_set, max(8, size // 32))
    env["ir.config_parameter"].set_param("stress.jobs", str(jobs))
    # only what is looked at is run by the scheduler
    bulk = env.ref("membri_renewal.ir_cron_process_bulk")
    (env["ir.cron"].search([]) - bulk).active = False
    env.cr.commit()


main(env)  # noqa: F821 - given by the shell
