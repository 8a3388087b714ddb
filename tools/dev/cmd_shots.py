"""Take the screenshots that tools/shots.json lists, into docs/screenshots/.

Serves a throw-away copy of the demo database, so neither a running ./dev run nor its
data is disturbed. Each entry has a name, a login and a url, and optionally lang, width,
height, wait (a CSS selector to appear), click (selectors to click first) and full
(false: only the first screenful). Braces in a url stand for a record's id:
/my/renewals/{membri_renewal.demo_renewal_1}.

Fails when a page does not appear, logs an error, or shows an error dialog.
"""

import json
import os
import re
import subprocess
from pathlib import Path

from . import browser, cache, demo, node, odoo, postgres, template
from .report import Failure, say

HELP = "take the screenshots of the documentation"
LIST = cache.TOOLS / "shots.json"
XMLID = re.compile(r"\{(\w+)\.(\w+)\}")


def add_arguments(parser):
    parser.add_argument("names", nargs="*", metavar="NAME", help="take only these")
    default = cache.REPO / "docs" / "screenshots"
    parser.add_argument("--out", type=Path, default=default, help="the folder to write to")
    parser.add_argument(
        "--list", type=Path, default=LIST, help="another list than tools/shots.json"
    )


def main(options):
    shots = _read(options.list, options.names)
    chromium, packages = browser.ensure(), node.ensure()
    source = demo.ensure()
    options.out.mkdir(parents=True, exist_ok=True)
    with template.clone("shots", source) as database:
        for shot in shots:
            shot["url"] = XMLID.sub(
                lambda match: _record_id(database, *match.groups()), shot["url"]
            )
        with odoo.server(database) as server:
            job = {"url": server.url, "chromium": chromium, "out": str(options.out), "shots": shots}
            script = Path(__file__).with_name("shots.mjs")
            env = {**os.environ, "NODE_FOLDER": str(packages)}
            process = subprocess.run(
                ["node", script], input=json.dumps(job), text=True, env=env, check=False
            )
    say(
        f"  {len(shots)} screenshots in {options.out}"
        if not process.returncode
        else "  not all taken"
    )
    return process.returncode


def _read(path, names):
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(f"cannot read {path}: {error}") from error
    shots = [{**document.get("defaults", {}), **shot} for shot in document["shots"]]
    if unknown := set(names) - {shot["name"] for shot in shots}:
        raise Failure(f"{path.name} has no screenshot named {', '.join(sorted(unknown))}")
    return [shot for shot in shots if not names or shot["name"] in names]


def _record_id(database, module, name):
    found = postgres.query(
        "SELECT res_id FROM ir_model_data"
        f" WHERE module = {postgres.quoted(module)} AND name = {postgres.quoted(name)}",
        database,
    )
    if not found:
        raise Failure(f"the demo database has no record {module}.{name}")
    return found
