"""An officer who clicks *Approve* on what the workers are working on; run in an Odoo shell by
``./dev stress``. Begins at the end of the queue."""

import os
import time

from odoo.exceptions import UserError
from odoo.service.model import retrying

CLICKS = 40


def main(env):
    jobs = env["membri.bulk.job"].search([], order="id desc", limit=1)
    renewals = jobs.line_ids.renewal_id.sorted("id", reverse=True)[:CLICKS]
    env.cr.commit()
    time.sleep(max(0, float(os.environ["STRESS_START"]) - time.time()))
    clicked = 0
    for renewal in renewals:
        try:
            retrying(renewal.action_approve, env)  # as a request is, and commits
            clicked += 1
        except UserError as error:
            env.cr.rollback()
            print(error)
    print(f"SHARE {clicked}")


main(env)  # noqa: F821 - given by the shell
