"""Check that our pages can be used by everybody: axe-core in Chromium.

Serves a throw-away copy of the demo database, and opens every page that tools/axe.json lists at
the width of a telephone and of a desk, or at its own. Braces in a url stand for a record's id, or
for its token:
/my/renewals/{membri_renewal.demo_renewal_sent}?access_token={….demo_renewal_sent.access_token}.
Of the staff's screens, only the part that is ours (include) is looked at, not Odoo's own.

Fails on every finding that axe calls serious or critical, when a page is not the one that was
meant (its selector does not appear), when axe did not run, and when it does not find the faults
of a page that is made of faults.
"""

import json
import os
import re
import subprocess
from pathlib import Path

from . import browser, cache, demo, node, odoo, postgres, template
from .report import Failure, say

HELP = "check the accessibility of the members' pages and of the desk"
LIST = cache.TOOLS / "axe.json"
PLACEHOLDER = re.compile(r"\{(\w+)\.(\w+?)(?:\.(access_token))?\}")


def add_arguments(parser):
    parser.add_argument("names", nargs="*", metavar="NAME", help="check only these pages")


def main(options):
    document = json.loads(LIST.read_text(encoding="utf-8"))
    pages = document["pages"]
    if options.names:
        pages = [page for page in pages if page["name"] in options.names]
    if unknown := set(options.names) - {page["name"] for page in pages}:
        raise Failure(f"{LIST.name} has no page named {', '.join(sorted(unknown))}")
    chromium, packages = browser.ensure(), node.ensure()
    source = demo.ensure()
    with template.clone("axe", source) as database:
        for page in pages:
            page["url"] = PLACEHOLDER.sub(
                lambda match: _value(database, *match.groups()), page["url"]
            )
        with odoo.server(database) as server:
            job = {
                "url": server.url,
                "chromium": chromium,
                "axe": str(packages / "node_modules" / "axe-core" / "axe.min.js"),
                "widths": document["widths"],
                "exclude": document["exclude"],
                "pages": pages,
            }
            script = Path(__file__).with_name("axe.mjs")
            env = {**os.environ, "NODE_FOLDER": str(packages)}
            process = subprocess.run(
                ["node", script],
                input=json.dumps(job),
                text=True,
                env=env,
                stdout=subprocess.PIPE,
                check=False,
            )
    expected = sum(len(page.get("widths", document["widths"])) for page in pages)
    return _report(process, expected)


def _report(process, expected):
    """Say what was found; a run that checked less than it should is none."""
    *lines, last = process.stdout.splitlines() or [""]
    say("\n".join(lines))
    checked = json.loads(last)["checked"] if last.startswith("{") else 0
    say(f"  {checked} of {expected} views checked with axe-core")
    return 1 if process.returncode or checked != expected else 0


def _value(database, module, name, field):
    """The id, or the token, of the record that has this external id."""
    found = postgres.query(
        "SELECT model, res_id FROM ir_model_data"
        f" WHERE module = {postgres.quoted(module)} AND name = {postgres.quoted(name)}",
        database,
    )
    if not found:
        raise Failure(f"the demo database has no record {module}.{name}")
    model, record_id = found.split("|")
    if not field:
        return record_id
    table = model.replace(".", "_")
    return postgres.query(f"SELECT {field} FROM {table} WHERE id = {int(record_id)}", database)
