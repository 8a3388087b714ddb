"""Open Odoo's Python shell on the demo database; ``env`` is defined.

./dev shell < script.py  runs a script. Nothing is saved without env.cr.commit().
"""

import os

from . import demo, odoo, ready

HELP = "open Odoo's Python shell on the demo database"


def add_arguments(parser):
    parser.add_argument("--database", help="another database than the demo's")


def main(options):
    ready.ensure(with_browser=False)
    database = options.database or demo.require()
    command = [
        str(part) for part in odoo.command("shell", "-d", database, "--no-http", "--log-level=warn")
    ]
    os.execve(command[0], command, odoo.environment())
