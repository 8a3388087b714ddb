"""Break things on purpose, on real servers and a throw-away database, and look what is left.

1. Killed: hundreds of approvals are queued, a real Odoo server with its scheduler works on them
   and is killed (kill -9) in the middle of a batch, several times.
2. Two at once: two Odoo processes prepare the renewals of the same members and work on the same
   queue, while an officer approves some of them by hand.

Then PostgreSQL is asked: one renewal, one posted invoice, one cotisation, one notice and one
result each, and no gap in the invoice numbers. Fails when it does not hold. Takes about four
minutes.
"""

import os
import signal
import subprocess
import time

from stress import checks

from . import cache, odoo, postgres, ready, template
from .report import Failure, say, step

HELP = "kill the server in mid-batch, run two at once, and check that nothing is lost or repeated"
SCRIPTS = cache.TOOLS / "stress"
PATIENCE = 120  # seconds


def add_arguments(parser):
    parser.add_argument(
        "--renewals", type=int, default=1000, help="how many to approve (default: 1000)"
    )
    parser.add_argument("--kills", type=int, default=3, help="how often to kill (default: 3)")
    parser.add_argument("--keep", action="store_true", help="keep the database and say its name")


def main(options):
    source = ready.ensure(with_browser=False)
    with template.clone("stress", source, keep=options.keep) as database:
        with step("installing the add-on"):
            odoo.install(database, [odoo.MODULE], log="stress-install")
        _prepare(database, options.renewals)
        results = _killed(database, options.kills)
        results += _two_at_once(database)
    if options.keep:
        say(f"  The database is kept as {template.keep(database)}.")
    say()
    for holds, sentence in results:
        say(f"  {'ok   ' if holds else 'WRONG'} {sentence}")
    if not all(holds for holds, _sentence in results):
        raise Failure("something was lost or repeated")


def _prepare(database, renewals):
    with step(f"{renewals} renewals in the queue, as many members to renew"):
        odoo.shell(
            database,
            SCRIPTS / "prepare.py",
            "prepare the stress",
            log="stress-prepare",
            env={"STRESS_RENEWALS": str(renewals)},
        )


# ----------------------------------------------------------------------
# Killed in the middle
# ----------------------------------------------------------------------


def _killed(database, kills):
    todo = checks.count_todo(database, "killed")
    in_mid_batch = 0
    for number in range(kills):
        goal = todo * (kills - number) // (kills + 1)
        with step(f"kill -9 in mid-batch, number {number + 1}"):
            in_mid_batch += _work_until_killed(database, goal)
    with step("what is left is done by the next start"), odoo.server(database, crons=True):
        _wake_scheduler(database)
        _wait_until(lambda: not checks.count_todo(database, "killed"), "the queue is empty")
    return [
        (in_mid_batch == kills, f"{kills} kills hit a batch that was not committed yet"),
        *checks.approved_once(database, "killed"),
    ]


def _work_until_killed(database, goal):
    """Serve until no more than ``goal`` are left, then kill inside a batch.

    :return: whether there was uncommitted work when the server died
    """
    with odoo.server(database, crons=True) as server:
        _wake_scheduler(database)
        _wait_until(
            lambda: checks.count_todo(database, "killed") <= goal and checks.is_in_batch(database),
            "a batch is in work",
        )
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
        left = checks.count_todo(database, "killed")
    _wait_until(lambda: not checks.is_in_batch(database), "PostgreSQL has noticed the kill")
    # nothing of the batch was committed after all
    return checks.count_todo(database, "killed") == left > 0


def _wake_scheduler(database):
    """It would look into the queue within a minute by itself."""
    postgres.query(f"NOTIFY cron_trigger, {postgres.quoted(database)}")


def _wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"waited {PATIENCE} seconds in vain until {what}")
        time.sleep(0.05)


# ----------------------------------------------------------------------
# Two at once
# ----------------------------------------------------------------------


def _two_at_once(database):
    # a server without scheduler, for the style sheets of the notices
    with step("two workers and an officer at once"), odoo.server(database):
        start = str(time.time() + 8)  # when all have loaded their registry
        processes = {
            name: _start_script(database, script, name, start)
            for name, script in {
                "worker-1": "worker.py",
                "worker-2": "worker.py",
                "officer": "officer.py",
            }.items()
        }
        for name, process in processes.items():
            if process.wait():
                raise Failure(f"{name} stopped with an error (see {_log(name)})")
        # what was locked at the end waits for the next run
        if _start_script(database, "worker.py", "worker-3", start).wait():
            raise Failure(f"the last worker stopped with an error (see {_log('worker-3')})")
    shares = [checks.read_share(_log(name)) for name in ("worker-1", "worker-2", "officer")]
    return [
        (all(shares), f"all three had their share: {shares[0]}, {shares[1]} and {shares[2]}"),
        *checks.approved_once(database, "together"),
        *checks.renewed_once(database),
    ]


def _log(name):
    return cache.log(f"stress-{name}")


def _start_script(database, script, name, start):
    arguments = ["shell", "-d", database, "--no-http", "--log-level=warn"]
    with (SCRIPTS / script).open() as source, _log(name).open("w") as output:
        return subprocess.Popen(
            odoo.command(*arguments),
            env=odoo.environment(STRESS_START=start),
            stdin=source,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
