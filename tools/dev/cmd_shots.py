"""Take the screenshots that tools/shots.json lists, into docs/screenshots/.

Serves a throw-away copy of the demo database, so neither a running ./dev run nor its
data is disturbed. Each entry has a name, a login and a url, and optionally lang, width,
height, wait (a CSS selector to appear), click (selectors to click first,
or pairs of a selector and a text to write) and full
(false: only the first screenful). Braces in a url stand for a record's id:
/my/renewals/{membri_renewal.demo_renewal_1}.

Instead of a url, an entry may have an email or a pdf: the external id of a renewal, whose
notice (or another template) is rendered as members get it. A pdf gives a file for each page.

Entries that are "prepared" are taken after prepare_shots.py has added what the demo does not have.

Fails when a page does not appear, logs an error, or shows an error dialog.
"""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from . import browser, cache, cmd_readme, demo, documents, node, odoo, postgres, template
from .report import Failure, say

HELP = "take the screenshots of the documentation"
LIST = cache.TOOLS / "shots.json"
PREPARATION = Path(__file__).with_name("prepare_shots.py")
XMLID = re.compile(r"\{(\w+)\.(\w+)\}")


def add_arguments(parser):
    parser.add_argument("names", nargs="*", metavar="NAME", help="take only these")
    default = cmd_readme.SCREENSHOTS
    parser.add_argument("--out", type=Path, default=default, help="the folder to write to")
    parser.add_argument(
        "--list", type=Path, default=LIST, help="another list than tools/shots.json"
    )


def main(options):
    shots = _read(options.list, options.names)
    chromium, packages = browser.ensure_languages(), node.ensure()
    source = demo.ensure()
    options.out.mkdir(parents=True, exist_ok=True)
    with template.clone("shots", source) as database, tempfile.TemporaryDirectory() as folder:
        with odoo.server(database) as server:
            rendered = [shot for shot in shots if "url" not in shot]
            if rendered:
                documents.render(database, rendered, folder)
            exit_code = 0
            for group in _prepare(shots, database):
                _name_records(group, database)
                exit_code |= _photograph(group, server.url, chromium, packages, options.out, folder)
    names = {shot["name"] for shot in shots}
    documents.shrink(
        [path for path in options.out.glob("*.png") if re.sub(r"-\d+$", "", path.stem) in names]
    )
    if options.out == cmd_readme.SCREENSHOTS:
        exit_code = cmd_readme.write() or exit_code  # those that the add-ons' pages show as well
    say(f"  {len(shots)} screenshots in {options.out}" if not exit_code else "  not all taken")
    return exit_code


def _prepare(shots, database):
    """Those of the demo as it is, then those of what was added to it."""
    yield [shot for shot in shots if not shot.get("prepared")]
    prepared = [shot for shot in shots if shot.get("prepared")]
    if prepared and odoo.script(database, PREPARATION):
        raise Failure("what the screenshots need could not be prepared")
    yield prepared


def _name_records(shots, database):
    for shot in shots:
        if "url" in shot:
            shot["url"] = XMLID.sub(
                lambda match: _record_id(database, *match.groups()), shot["url"]
            )


def _photograph(shots, url, chromium, packages, out, folder):
    """Pages by the browser, documents page by page; returns an exit code."""
    if not shots:
        return 0
    pages = []
    for shot in shots:
        if "pdf" in shot:
            documents.photograph(f"{folder}/{shot['name']}.pdf", out / shot["name"])
            say(f"  {shot['name']}")
        elif "email" in shot:
            file = Path(folder, f"{shot['name']}.html").as_uri()
            pages.append({**shot, "file": file, "login": None, "full": True})
        else:
            pages.append(shot)
    job = {"url": url, "chromium": chromium, "out": str(out), "shots": pages}
    script = Path(__file__).with_name("shots.mjs")
    env = {**os.environ, "NODE_FOLDER": str(packages)}
    return subprocess.run(
        ["node", script], input=json.dumps(job), text=True, env=env, check=False
    ).returncode


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
