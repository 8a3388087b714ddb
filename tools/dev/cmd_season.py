"""Play a whole renewal season on the demo association, without a browser.

On a throw-away clone of the demo database, week by week: the real crons prepare, send and remind;
members answer by the link in the mail they got, over HTTP; the officer approves, refuses,
intervenes; invoices are paid, some in parts; saved cards are charged, declined and tried again;
what is never paid is ended; terms begin and lapse, on the last days of months and on leap days
too. A handful of contacts are archived or merged, invoices bounce, are changed after they were
sent, become void, are paid twice or at a discount; credit notes are taken back, rests are written
off, some owe for years; there is a campaign, and a second company. Then the counts are read again
from the database and must add up, and nobody may be lost. Mails and their PDFs are left in a folder
to look at.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from . import cache, demo, odoo, template
from .report import Failure, say

HELP = "play a season on the demo association and check that it adds up"
SCRIPT = Path(__file__).resolve().parents[1] / "season" / "play.py"


def add_arguments(parser):
    parser.add_argument("--weeks", type=int, help="how long (default: 60 weeks)")
    parser.add_argument(
        "--quick", action="store_true", help="16 weeks with every event, and blank pages for PDFs"
    )
    parser.add_argument("--out", type=Path, help="the folder for mails and PDFs")
    parser.add_argument("--keep", action="store_true", help="keep the database and say its name")


def main(options):
    source = demo.ensure()
    folder = (options.out or cache.root() / "mail" / "season").absolute()
    if not options.out:
        shutil.rmtree(folder, ignore_errors=True)
    with (
        template.clone("season", source, keep=options.keep) as database,
        demo.mail_catcher(folder) as (smtp_port, mails),
    ):
        port = odoo.free_port()
        odoo.set_base_url(database, f"http://{odoo.HOST}:{port}")
        log = cache.log("season")
        say(f"  Mails and PDFs: {mails}\n  Odoo's log:     {log}\n")
        process = subprocess.run(
            [
                odoo.command()[0],
                SCRIPT,
                database,
                str(mails),
                str(options.weeks or (16 if options.quick else 60)),
                "blank" if options.quick else "printed",
                f"--http-port={port}",
                f"--http-interface={odoo.HOST}",
                f"--smtp={odoo.HOST}",
                f"--smtp-port={smtp_port}",
                f"--logfile={log}",
            ],
            env=odoo.environment(),
            stdin=subprocess.DEVNULL,
            stdout=sys.stdout,
            check=False,
        )
    if options.keep:
        say(f"  The database is kept as {template.keep(database)}.")
    if process.returncode:
        raise Failure(f"the season does not add up, or could not be played (see {log})")
