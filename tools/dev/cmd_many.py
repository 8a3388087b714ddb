"""Work on 12,000 renewals in a real browser, as the officer does, and tell how long it takes.

On a throw-away copy of the demo association with that many members more: *Select all* in the list,
the windows of *Approve*, *Resend* and *Refuse several renewals*, then the refusal itself: its
progress on every page, in another browser, too, stopped, resumed, and its result. The database is
asked at the end. Leaves a screenshot of each step in a folder; takes about five minutes.

Fails when a step does not do what it should; the seconds are told, not judged.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from . import browser, cache, demo, node, odoo, postgres, template
from .report import Failure, say, step

HELP = "work on 12,000 renewals at once in a real browser"
PREPARE = cache.TOOLS / "many" / "prepare.py"
NEW = "partner_id IN (SELECT id FROM res_partner WHERE name LIKE 'Grand nombre %')"


def add_arguments(parser):
    parser.add_argument(
        "--renewals", type=int, default=12000, help="how many to make (default: 12000)"
    )
    parser.add_argument("--lang", default="fr_CA", help="the officer's language (default: fr_CA)")


def main(options):
    chromium, packages = browser.ensure(), node.ensure()
    source = demo.ensure()
    pictures = Path(tempfile.mkdtemp(prefix="membri-many-"))
    with template.clone("many", source) as database:
        with step(f"{options.renewals} members with a notice"):
            odoo.shell(
                database,
                PREPARE,
                "prepare the members",
                log="many-prepare",
                env={"MANY_RENEWALS": str(options.renewals)},
            )
        open_before = _count(database, "membri_renewal WHERE is_open")
        with odoo.server(database, crons=True) as server:
            job = {
                "url": server.url,
                "chromium": str(chromium),
                "out": str(pictures),
                "lang": options.lang,
                "made": options.renewals,
            }
            exit_code = subprocess.run(
                ["node", Path(__file__).with_name("many.mjs")],
                input=json.dumps(job),
                text=True,
                env={**os.environ, "NODE_FOLDER": str(packages)},
                check=False,
            ).returncode
        results = [
            (not exit_code, "every step in the browser did what it should"),
            *_ask_database(database, options.renewals, open_before),
        ]
    say()
    for holds, sentence in results:
        say(f"  {'ok   ' if holds else 'WRONG'} {sentence}")
    say(f"  Screenshots: {pictures}")
    if not all(holds for holds, _sentence in results):
        raise Failure("work on many did not do what it should")


def _ask_database(database, renewals, open_before):
    refused = _count(database, f"membri_renewal WHERE state = 'refused' AND {NEW}")
    yield refused == renewals, f"{refused} of {renewals} were refused"
    without = _count(
        database, f"membri_renewal WHERE state = 'refused' AND refusal_reason_id IS NULL AND {NEW}"
    )
    yield not without, f"{without} of them without a reason"
    lines = _count(database, "membri_bulk_job_line")
    yield lines == open_before, f"{lines} results for {open_before} selected"
    unexplained = _count(
        database,
        "membri_bulk_job_line WHERE result <> 'done' AND (result = 'todo' OR message IS NULL)",
    )
    yield not unexplained, f"{unexplained} not done without a reason"


def _count(database, what):
    return int(postgres.query(f"SELECT count(*) FROM {what}", database))
