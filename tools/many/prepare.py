"""Members of one season, whose notice has gone out; run in an Odoo shell by ``./dev many``."""

import os
from datetime import timedelta

BATCH = 2000


def main(env):
    company = env.ref("membri_renewal.demo_company")
    env = env(su=True, context={"allowed_company_ids": company.ids, "tracking_disable": True})
    option_set = env["membri.option.set"].search(
        [
            ("company_id", "in", [company.id, False]),
            ("renewal_mode", "=", "notice"),
            ("date_mode", "=", "anniversary"),
            ("lifetime", "=", False),
        ],
        limit=1,
    )
    first_day = company._membri_today() - timedelta(days=330)
    for start in range(0, int(os.environ["MANY_RENEWALS"]), BATCH):
        partners = env["res.partner"].create(
            [
                {
                    "name": f"Grand nombre {number:05}",
                    "email": f"grand.nombre.{number}@example.com",
                    "is_company": True,
                }
                for number in range(start, min(start + BATCH, int(os.environ["MANY_RENEWALS"])))
            ]
        )
        cotisations = env["membri.cotisation"].create(
            [
                {
                    "partner_id": partner.id,
                    "option_set_id": option_set.id,
                    "date_start": first_day,
                    "state": "active",
                }
                for partner in partners
            ]
        )
        renewals = env["membri.renewal"].create(
            [{"cotisation_id": cotisation.id} for cotisation in cotisations]
        )
        # as if their notices had been sent: thousands of PDFs are not what is looked at here
        renewals._set_state("sent", date_sent=env.cr.now())
        env.cr.commit()
        env.invalidate_all()
    # only what is looked at is run by the scheduler
    bulk = env.ref("membri_renewal.ir_cron_process_bulk")
    (env["ir.cron"].search([]) - bulk).active = False
    env.cr.commit()


main(env)  # noqa: F821 - given by the shell
