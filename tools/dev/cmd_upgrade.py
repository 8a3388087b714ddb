"""Upgrade a database of an earlier version, and compare it with a fresh installation.

The add-on of REV (a commit or tag of this clone) makes a database with the demo; the add-on as
it is here upgrades it. Schema, rules, access, templates, views, jobs, menus and actions must then
be those of a fresh installation, in every language; a notice and an invoice are sent from the
upgraded database and caught. The fresh installation stands beside OCA's ``membership``, in either
order, and is uninstalled again. A difference, or a warning in Odoo's log, fails.
"""

import json
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from . import cache, demo, odoo, postgres, ready, system, template, test_log, venv
from .report import Failure, say, step

HELP = "upgrade a database of an earlier version and compare it with a fresh installation"
RELEASED = "6c5d52f"  # the last released state
NEIGHBOR = "membership"  # of OCA
SCRIPTS = cache.TOOLS / "upgrade"
SHOWN = 60


def add_arguments(parser):
    parser.add_argument(
        "--from",
        dest="revision",
        default=RELEASED,
        metavar="REV",
        help=f"the earlier version: a commit or tag (default: {RELEASED}, the last released one)",
    )
    parser.add_argument("--keep", action="store_true", help="keep the upgraded database")
    parser.add_argument(
        "--if-history",
        action="store_true",
        help="say so and end well where this copy does not hold the earlier version (a download)",
    )
    parser.add_argument(
        "--only-upgrade", action="store_true", help="leave out the neighbor and uninstalling"
    )


def main(options):
    try:
        commit = _commit(options.revision)
    except Failure as missing:
        if not options.if_history:
            raise
        say(f"  LEFT OUT, no upgrade was tried: {missing}")
        return
    source = ready.ensure(with_browser=False)
    earlier = _earlier_demo(commit, source)
    problems = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upgraded = stack.enter_context(template.clone("upgraded", earlier, keep=options.keep))
        with step(f"upgrading from {options.revision}"):
            odoo.upgrade(upgraded, [odoo.MODULE], log="upgrade")
        problems += _complaints("the upgrade", "upgrade")
        fresh = stack.enter_context(template.clone("fresh", source))
        with step("installing anew"):
            odoo.install(fresh, [odoo.MODULE], log="upgrade-fresh")
        problems += _complaints("the installation", "upgrade-fresh")
        with step("comparing the two"):
            facts = [_facts(database, folder / database) for database in (upgraded, fresh)]
        problems += list(_differences(*facts))
        problems += _send(upgraded, folder / "mail")
        if not options.only_upgrade:
            problems += _uninstall(fresh)
            problems += _beside_neighbor(source)
    if options.keep:
        say(f"  The upgraded database is kept as {template.keep(upgraded)}.")
    for problem in problems[:SHOWN]:
        say(f"\n  PROBLEM: {problem}")
    if len(problems) > SHOWN:
        say(f"\n  … and {len(problems) - SHOWN} more.")
    if problems:
        raise Failure(f"{len(problems)} things are not as after a fresh installation")
    say("  The upgraded database is as a fresh one.")


def _commit(revision):
    """The commit of a revision, fetched when this clone was made without its history."""
    if missing := system.missing_programs({"git": "git"}):
        system.install([*missing, "ca-certificates"], "reading the earlier version")
    name = ["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    process = _git(*name)
    if process.returncode and _git("rev-parse", "--is-shallow-repository").stdout == "true\n":
        with step("fetching the history of this clone"):
            _git("fetch", "--quiet", "--unshallow", "--tags")
        process = _git(*name)
    if process.returncode:
        raise Failure(
            f"this clone has no revision {revision}; fetch the whole history"
            " (git fetch --unshallow --tags), or name another one with --from"
            + (f" ({process.stderr.strip()})" if process.stderr.strip() else "")
        )
    return process.stdout.strip()


def _git(*arguments):
    # A clone that was made by somebody else, as on most build machines, is ours to read.
    git = ["git", "-c", f"safe.directory={cache.REPO}", "-C", cache.REPO, *arguments]
    return subprocess.run(
        git, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def _earlier_demo(commit, source):
    """A demo database made by the add-on of a commit; kept, since neither ever changes."""
    database = f"membri_earlier_{odoo.name_key(commit, source)}"
    with cache.lock(database):
        if not odoo.exists(database):
            with (
                tempfile.TemporaryDirectory() as folder,
                step(f"making a demo database with the add-on of {commit[:7]}"),
            ):
                _unpack(commit, Path(folder))
                demo.build(database, source, Path(folder))
    return database


def _unpack(commit, folder):
    archive = folder / "addon.tar"
    process = _git("archive", "--output", archive, commit, odoo.MODULE)
    if process.returncode:
        raise Failure(f"{commit[:7]} holds no {odoo.MODULE} ({process.stderr.strip()})")
    subprocess.run(["tar", "-x", "-f", archive, "-C", folder], check=True)


def _complaints(what, log):
    path = cache.log(log)
    return [f"{what} logged {text} (see {path})" for text in test_log.complaints(path)]


def _facts(database, path):
    """What the add-on has put into a database, as tools/upgrade/describe.py tells it."""
    odoo.shell(
        database,
        SCRIPTS / "describe.py",
        "describe the database",
        log="upgrade-describe",
        env={"UPGRADE_FACTS": str(path)},
    )
    return json.loads(path.read_text(encoding="utf-8"))


def _differences(upgraded, fresh):
    for name in sorted(upgraded.keys() | fresh.keys()):
        before, after = (_shorten(facts.get(name, "(missing)")) for facts in (upgraded, fresh))
        if upgraded.get(name, "(missing)") != fresh.get(name, "(missing)"):
            yield f"{name}\n      upgraded: {before}\n      fresh:    {after}"


def _shorten(value):
    text = " ".join(str(value).split())
    return text if len(text) <= 300 else f"{text[:300]} …"


def _send(database, folder):
    """A notice and an invoice leave the upgraded database, framed and with their PDF."""
    with (
        step("sending a notice and an invoice"),
        demo.mail_catcher(folder) as (smtp_port, mails),
        odoo.server(database) as served,  # PDFs fetch their style sheets from it
    ):
        odoo.shell(
            database,
            SCRIPTS / "send.py",
            "send from the upgraded database",
            log="upgrade-send",
            options=[f"--smtp={odoo.HOST}", f"--smtp-port={smtp_port}"],
            env={"UPGRADE_MAILS": str(mails), "UPGRADE_PROBLEMS": str(folder / "problems")},
        )
    found = (folder / "problems").read_text(encoding="utf-8").splitlines()
    return [
        *found,
        *_complaints("sending", "upgrade-send"),
        *_complaints("the server", served.log.stem),
    ]


def _uninstall(database):
    """Take the add-on out again: no error, and nothing of it left."""
    with step("uninstalling"):
        odoo.uninstall(database, [odoo.MODULE], log="upgrade-uninstall")
    left = postgres.query(
        "SELECT 'the table ' || tablename FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename LIKE 'membri%'"
        " UNION ALL SELECT 'the column ' || table_name || '.' || column_name"
        " FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name LIKE 'membri%'"
        " UNION ALL SELECT 'the record ' || name FROM ir_model_data"
        f" WHERE module = '{odoo.MODULE}'",
        database,
    )
    return [
        *(f"uninstalling leaves {thing}" for thing in left.splitlines()),
        *_complaints("uninstalling", "upgrade-uninstall"),
    ]


def _beside_neighbor(source):
    """Install beside OCA's ``membership``, in either order."""
    peers = [venv.neighbor_addons()]
    problems = []
    for order in ([NEIGHBOR, odoo.MODULE], [odoo.MODULE, NEIGHBOR]):
        title = f"installing {order[0]}, then {order[1]}"
        with template.clone("neighbor", source) as database, step(title):
            for number, module in enumerate(order):
                log = f"upgrade-neighbor{number}"
                odoo.install(database, [module], log=log, peers=peers)
                problems += _complaints(title, log)
            paths = postgres.query(
                "SELECT path FROM ir_actions WHERE path IS NOT NULL GROUP BY path"
                " HAVING count(*) > 1",
                database,
            )
        problems += [f"two actions have the path {path}" for path in paths.splitlines()]
    return problems
