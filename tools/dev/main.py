"""Dispatch ``./dev COMMAND`` to ``cmd_COMMAND.py``.

A command is a module with ``HELP`` (one line), ``add_arguments(parser)`` and
``main(options)``, which returns an exit code or None. Dropping such a file into
this folder is all it takes to add a command.
"""

import argparse
import importlib
import signal
import sys
from pathlib import Path

from .report import Failure

EPILOG = """\
./dev COMMAND --help tells more. Environment:
  MEMBRI_CACHE          where everything is installed (default: ~/.cache/membri_renewal)
  ODOO, ODOO_PYTHON     an Odoo 19 source folder and its Python, instead of Debian's package
  PGHOST, PGPORT, PGUSER, PGPASSWORD
                        a PostgreSQL server, instead of a private one
  MEMBRI_DEBIAN_MIRROR  the Debian mirror to fetch Odoo from (default: this machine's own)
  MEMBRI_ADDONS         a folder with another copy of the add-on
"""


def commands():
    names = sorted(path.stem[4:] for path in Path(__file__).parent.glob("cmd_*.py"))
    return {name: importlib.import_module(f"dev.cmd_{name}") for name in names}


def build_parser():
    parser = argparse.ArgumentParser(
        prog="./dev",
        description="Runs, tests and shows the membri_renewal add-on on a real Odoo 19.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in commands().items():
        subparser = subparsers.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(subparser)
        subparser.set_defaults(main=module.main)
    return parser


def main(argv):
    # A terminated ./dev must leave through the same `finally` blocks as a Ctrl-C: servers
    # stopped, clones dropped.
    # (SIGINT as well: a shell starts background jobs with it ignored.)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    options = build_parser().parse_args(argv)
    try:
        return options.main(options) or 0
    except Failure as failure:
        sys.stdout.flush()
        print(f"./dev {options.command}: {failure}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except OSError as error:
        # A full disk, a folder without permission: nothing a traceback would explain better.
        reason = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
        print(f"./dev {options.command}: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
