"""Measure the add-on beside plain Odoo and OCA's contract, in one run, and print ratios.

Runs the scripts of benchmarks/ on a fresh clone of the template database; nothing is kept.
"""

import subprocess
from pathlib import Path

from . import odoo, ready, template, venv
from .report import Failure, say, step

HELP = "measure the add-on beside plain Odoo and OCA's contract"
PEER = "contract"  # of OCA: recurring invoices
SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"


def add_arguments(parser):
    names = sorted(path.stem for path in SCRIPTS.glob("*.py"))
    parser.add_argument(
        "names", nargs="*", choices=[*names, []], metavar="NAME", help=", ".join(names)
    )


def main(options):
    source = ready.ensure(with_browser=False)
    peers = [venv.peer_addons()]
    with template.clone("bench", source) as database:
        with step("installing the add-on and its peer"):
            odoo.install(database, [odoo.MODULE, PEER], log="bench-install", peers=peers)
        for script in sorted(SCRIPTS.glob("*.py")):
            if options.names and script.stem not in options.names:
                continue
            say(f"\n{script.stem}")
            with script.open() as source_code:
                process = subprocess.run(
                    odoo.command("shell", "-d", database, "--no-http", "--log-level=warn"),
                    env=odoo.environment(peers=peers),
                    stdin=source_code,
                    check=False,
                )
            if process.returncode:
                raise Failure(f"the benchmark {script.stem} stopped with an error")
