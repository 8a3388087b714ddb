"""One of two workers; run in an Odoo shell by ``./dev stress``, twice at the same time.

Calls what the scheduler calls, which would never run the same scheduled action twice at once: here
nothing but the code itself keeps the two apart.
"""

import os
import time

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY


def run(env, model, method):
    """As the scheduler does: what collides is rolled back and called again."""
    for _try in range(20):
        try:
            getattr(env[model], method)()
            env.cr.commit()
            return
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            env.cr.rollback()
            env.transaction.reset()
    raise RuntimeError(f"{method} collided twenty times")


def count_batches(env, done):
    """Note what this worker has done, beside doing it."""
    original = env.registry["membri.bulk.job"]._process_batch

    def _process_batch(job):
        processed = original(job)
        done.append(processed)
        return processed

    env.registry["membri.bulk.job"]._process_batch = _process_batch


def main(env):
    done = []
    count_batches(env, done)
    env["membri.bulk.job"].search([("is_stopped", "=", True)]).is_stopped = False
    env.cr.commit()
    time.sleep(max(0, float(os.environ["STRESS_START"]) - time.time()))
    run(env, "membri.renewal", "_cron_process_bulk")
    run(env, "membri.renewal", "_cron_generate")
    print(f"SHARE {sum(done)}")


main(env)  # noqa: F821 - given by the shell
