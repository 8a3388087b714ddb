"""Serve the add-on with demo data on a real Odoo 19; installs what is missing first.

The first start takes a few minutes, later ones seconds: the demo database is reused,
and brought up to date when the add-on's files have changed. With --empty, a database of its
own has the add-on, an administrator and nothing else, as for an organization that moves in:
begin with Memberships / Configuration / First Steps. Mails go nowhere but into a folder.
Ctrl-C stops everything but PostgreSQL, which the next command wants again (./dev stop stops
that, too).
"""

from . import demo, odoo
from .report import say

HELP = "serve the add-on with demo data in the browser"


def add_arguments(parser):
    parser.add_argument(
        "--port", type=int, default=8069, help="the port to serve on (default: 8069)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="throw the database away and make it anew"
    )
    parser.add_argument(
        "--empty",
        action="store_true",
        help="no demo data: another database, kept as well, that holds nobody yet",
    )
    parser.add_argument(
        "--no-crons", action="store_true", help="do not run scheduled actions by themselves"
    )


def main(options):
    odoo.require_port(options.port)
    logins = demo.LOGINS[:1] if options.empty else demo.LOGINS
    crons = not options.no_crons
    with demo.served(options.port, options.fresh, crons, empty=options.empty) as (server, mails):
        say(f"\n  Odoo:   {server.url}")
        say("  Logins: " + ", ".join(f"{login}/{login}" for login in logins))
        say(f"  Mails:  {mails}")
        say(f"  Log:    {server.log}")
        say("\n  Ctrl-C stops it.")
        server.wait()
