"""Measure the add-on beside plain Odoo, in one run, and print ratios; fail when a row is missed.

Without a name: the cases of benchmarks/compare, each with its limit. With names: the scripts of
benchmarks/, which tell more of one thing. All on fresh clones of the template database; nothing is
kept.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import cache, odoo, postgres, ready, template, venv
from .report import Failure, say, step

HELP = "measure the add-on beside plain Odoo, OCA's contract and OCA's membership"
PEERS = ["contract", "membership"]  # of OCA: recurring invoices, memberships by product
SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"
COMPARE = SCRIPTS / "compare"
WITH_PEERS = ("approve_contract", "approve_membership")
# each in processes of its own; the others share one
APART = ("plain_invoice", "plain_payment", "approve_two_workers", "memory", *WITH_PEERS)
LONG = ("approve_1000",)  # left out by --quick, unless it is asked for
KEYS = ("n", "ours_s", "reference", "reference_s", "ratio", "queries", "mb")


def add_arguments(parser):
    names = sorted(path.stem for path in SCRIPTS.glob("*.py"))
    parser.add_argument(
        "names", nargs="*", choices=[*names, []], metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, under ten minutes")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there")
    parser.add_argument(
        "--case", action="append", default=[], metavar="CASE", help="only this case (repeatable)"
    )


def main(options):
    source = ready.ensure(with_browser=False)
    with template.clone("bench", source) as database:
        with step("installing the add-on"):
            odoo.install(database, [odoo.MODULE], log="bench-install")
        if options.names:
            _run_scripts(options.names, database)
        else:
            _compare(options, database, source)


def _run_scripts(names, database):
    for name in names:
        say(f"\n{name}")
        with (SCRIPTS / f"{name}.py").open() as source_code:
            process = subprocess.run(
                odoo.command("shell", "-d", database, "--no-http", "--log-level=warn"),
                env=odoo.environment(BENCH_HOME=str(COMPARE)),
                stdin=source_code,
                check=False,
            )
        if process.returncode:
            raise Failure(f"the benchmark {name} stopped with an error")


# ----------------------------------------------------------------------
# The table
# ----------------------------------------------------------------------


def _compare(options, database, source):
    sys.path.insert(0, str(COMPARE))
    import limits

    usual = [name for name in limits.LIMITS if not (options.quick and name in LONG)]
    wanted = options.case or usual
    results, missed = {}, []

    def tell(name, result):
        if name not in wanted:
            return
        results[name] = {key: result.get(key) for key in KEYS}
        misses = limits.get_missed(name, result)
        missed.extend(misses)
        _print_row(name, limits.LIMITS.get(name, ({}, name))[1], result, misses)
        if options.json:
            options.json.write_text(json.dumps(results, indent=2) + "\n")

    say(f"{'':48} {'n':>7} {'each ms':>9} {'±%':>4} {'reference':>9} {'ratio':>6} {'queries':>8}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _do(database, home, do="chart")
        if any(name.startswith("plain_") for name in wanted):
            _measure_plain(options, database, source, home, tell)
        if "approve_two_workers" in wanted:
            tell("approve_two_workers", _measure_workers(options, database, home))
        if any(name in WITH_PEERS for name in wanted):
            _measure_peers(options, database, home, tell)
        if "memory" in wanted:  # of a process that did nothing else
            with template.clone("memory", database) as clone:
                _do(clone, home, tell=tell, do="cases", names=["memory"], quick=options.quick)
        inside = [name for name in wanted if name not in APART]
        if inside:
            # pages, and the style sheets of documents, come from a server
            with odoo.server(database) as served:
                server = {"url": served.url, "pid": served.process.pid}
                task = {"names": inside, "quick": options.quick, "server": server}
                _do(database, home, tell=tell, do="cases", **task)
    missed += [f"{name}: not measured" for name in wanted if name not in results]
    if missed:
        raise Failure("missed: " + "; ".join(missed))


def _print_row(name, title, result, misses):
    n = result["n"] or 1
    reference = result.get("reference_s")
    cost = f"{result['mb']:6.0f} MB" if "mb" in result else f"{1000 * result['ours_s'] / n:9.2f}"
    say(
        f"{name + ': ' + title:48.48} {result['n']:7,} {cost}"
        f" {result.get('spread', 0):4.0f} "
        + (f"{1000 * reference / n:9.2f} {result['ratio']:6.2f}" if reference else " " * 16)
        + f" {result['queries']:8.0f}{'  MISSED' if misses else ''}"
    )
    for part, seconds in result.get("parts", {}).items():
        say(f"  of which {part}: {1000 * seconds:.0f} ms")


def _start(database, home, with_addon=True, peers=(), **task):
    """:return: the process, and the file of its results"""
    out = home / f"{time.time_ns()}.json"
    out.touch()
    variables = {
        "BENCH_HOME": str(COMPARE),
        "BENCH_OUT": str(out),
        "BENCH_TASK": json.dumps(task),
    }
    with (COMPARE / "shell.py").open() as code, cache.log(f"bench-{task['do']}").open("w") as log:
        process = subprocess.Popen(
            odoo.command("shell", "-d", database, "--no-http", "--log-level=warn"),
            env=odoo.environment(with_addon=with_addon, peers=peers, **variables),
            stdin=code,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return process, out


def _finish(process, task):
    # a shell that reads its script from a pipe says so by its log, not by its exit code
    log = cache.log(f"bench-{task}")
    if process.wait() or "Traceback (most recent call last)" in log.read_text():
        raise Failure(f"the benchmark stopped with an error (see {log})")


def _do(database, home, with_addon=True, peers=(), tell=None, **task):
    """Run one task in an Odoo shell.

    :param tell: function(name, result), called as soon as a result is there
    :return: list of the results"""
    process, out = _start(database, home, with_addon, peers, **task)
    told = 0
    while True:
        ended = process.poll() is not None
        rows = [json.loads(row) for row in out.read_text().splitlines()]
        for row in rows[told:]:
            if tell:
                tell(row.pop("name"), row)
        told = len(rows)
        if ended:
            break
        time.sleep(0.5)
    _finish(process, task["do"])
    return rows


def _measure_plain(options, database, source, home, tell):
    """Rounds in turn, each in a process of its own, with the add-on and without it."""
    taken = {"plain_invoice": [], "plain_payment": []}
    with template.clone("bare", source) as bare:
        _do(bare, home, with_addon=False, do="chart")
        for _round in range(2 if options.quick else 5):
            (ours,) = _do(database, home, do="plain")
            (theirs,) = _do(bare, home, with_addon=False, do="plain")
            for name, rows in taken.items():
                rows.append((*ours[name], *theirs[name]))
    for name, rows in taken.items():
        tell(
            name,
            {
                "n": 1,
                "ours_s": statistics.median(row[0] for row in rows),
                "reference": "Odoo without the add-on",
                "reference_s": statistics.median(row[2] for row in rows),
                "ratio": statistics.median(row[0] / row[2] for row in rows),
                "queries": min(row[1] for row in rows),
                "reference_queries": min(row[3] for row in rows),
            },
        )


def _measure_peers(options, database, home, tell):
    folders = [venv.peer_addons()]
    with template.clone("peers", database) as clone:
        with step("installing OCA's add-ons beside it"):
            odoo.install(clone, PEERS, log="bench-peers", peers=folders)
        task = {"names": ["peers"], "quick": options.quick}
        _do(clone, home, peers=folders, tell=tell, do="cases", **task)


def _measure_workers(options, database, home):
    """Wall seconds of one process, and of two that start together, for as many approvals. What a
    worker does is the scheduled action itself."""
    count = 1200 if options.quick else 3200  # some batches for each
    walls = {}
    with template.clone("workers", database) as clone:
        for workers in (1, 2):
            _do(clone, home, do="queue", count=count)
            go = home / f"go{workers}"
            started = []
            for number in range(workers):
                flag = home / f"ready{workers}-{number}"
                started.append((*_start(clone, home, do="work", ready=str(flag), go=str(go)), flag))
            while not all(flag.exists() for _process, _out, flag in started):
                if any(process.poll() for process, _out, _flag in started):
                    raise Failure(f"a worker stopped (see {cache.log('bench-work')})")
                time.sleep(0.05)
            go.touch()
            rows = []
            for process, out, _flag in started:
                _finish(process, "work")
                rows += [json.loads(row) for row in out.read_text().splitlines()]
            walls[workers] = max(r["to"] for r in rows) - min(r["from"] for r in rows)
        left = postgres.query(
            "SELECT count(*) FROM membri_bulk_job_line WHERE result <> 'done'", clone
        )
        if int(left):
            raise Failure(f"{left} approvals were not done by the workers")
    return {
        "n": count,
        "ours_s": walls[2],
        "reference": "one worker",
        "reference_s": walls[1],
        "ratio": walls[2] / walls[1],
        "queries": 0,
    }
