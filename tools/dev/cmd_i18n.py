"""Export the add-on's terms to membri_renewal.pot and merge them into fr.po.

Translations whose source has gone stay in the file, as obsolete entries. With --check
nothing is written, and the command fails when the template is stale, when fr.po lacks
terms or has empty or fuzzy ones, or when its typography is not that of Québec.
"""

import subprocess
import tempfile
from pathlib import Path

from . import cache, odoo, ready, template, venv
from .report import run, step

HELP = "update the translation files, or --check them"
LANGUAGES = ["fr"]


def add_arguments(parser):
    parser.add_argument("--check", action="store_true", help="only tell whether they are complete")


def main(options):
    source = ready.ensure(with_browser=False)
    folder = odoo.addons_path() / odoo.MODULE / "i18n"
    files = [folder / f"{odoo.MODULE}.pot", *(folder / f"{language}.po" for language in LANGUAGES)]
    with template.clone("i18n", source) as database, tempfile.TemporaryDirectory() as scratch:
        exported = Path(scratch) / "exported.pot"
        with step("exporting the add-on's terms"):
            odoo.install(database, [odoo.MODULE], log="i18n-install")
            arguments = ["i18n", "export", "-d", database, "-l", "pot", "-o", exported, odoo.MODULE]
            log = cache.log("i18n-export")
            run(odoo.command(*arguments), "export the terms", log, env=odoo.environment())
        script = Path(__file__).with_name("po_files.py")
        mode = "check" if options.check else "write"
        command = [venv.tools_python(), script, mode, exported, *files]
        return subprocess.run(command, check=False).returncode
