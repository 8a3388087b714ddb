"""Started by ``./dev bench`` in an Odoo shell (``env`` is given), with what to do in BENCH_TASK.
Results are written to BENCH_OUT, one JSON object a line, as soon as they are known."""

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, os.environ["BENCH_HOME"])
task = json.loads(os.environ["BENCH_TASK"])


def tell(name, result):
    with Path(os.environ["BENCH_OUT"]).open("a") as out:
        out.write(json.dumps({"name": name, **result}) + "\n")


if task["do"] == "cases":
    import cases

    cases.run(env, task["names"], task["quick"], tell, task.get("server"))  # noqa: F821 - given by the shell
elif task["do"] == "chart":
    if not env.company.chart_template:  # noqa: F821
        env["account.chart.template"].try_loading("generic_coa", env.company, install_demo=False)  # noqa: F821
    env.cr.commit()  # noqa: F821
elif task["do"] == "plain":
    import plain

    tell("plain", plain.run(env))  # noqa: F821
elif task["do"] == "queue":
    import cases

    bench = cases.Bench(env, quick=True)  # noqa: F821
    bench.create_renewals(task["count"]).action_bulk("approve")
    env.cr.commit()  # noqa: F821
    bench.analyze()
elif task["do"] == "work":
    # all that start together wait for the last one
    Path(task["ready"]).touch()
    while not Path(task["go"]).exists():
        time.sleep(0.01)
    started = time.time()
    env["membri.bulk.job"]._cron_process_bulk()  # noqa: F821
    tell("work", {"from": started, "to": time.time()})
