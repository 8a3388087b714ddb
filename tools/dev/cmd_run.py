"""Serve the add-on with demo data on a real Odoo 19; installs what is missing first.

The first start takes a few minutes, later ones seconds: the demo database is reused,
and brought up to date when the add-on's files have changed. Mails go nowhere but into
a folder. Ctrl-C stops everything but PostgreSQL, which the next command wants again
(./dev stop stops that, too).
"""

from . import demo, odoo
from .report import say

HELP = "serve the add-on with demo data in the browser"


def add_arguments(parser):
    parser.add_argument(
        "--port", type=int, default=8069, help="the port to serve on (default: 8069)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="throw the demo database away and make it anew"
    )
    parser.add_argument(
        "--no-crons", action="store_true", help="do not run scheduled actions by themselves"
    )


def main(options):
    odoo.require_port(options.port)
    with demo.served(options.port, options.fresh, crons=not options.no_crons) as (server, mails):
        say(f"\n  Odoo:   {server.url}")
        say("  Logins: " + ", ".join(f"{login}/{login}" for login in demo.LOGINS))
        say(f"  Mails:  {mails}")
        say(f"  Log:    {server.log}")
        say("\n  Ctrl-C stops it.")
        server.wait()
