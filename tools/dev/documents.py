"""Emails and PDF documents of the demo as pictures, for ./dev shots."""

import json
import re
import subprocess
from pathlib import Path

from . import odoo, system, venv
from .report import Failure

SCRIPT = Path(__file__).with_name("render_documents.py")
SHRINK = """\
import sys
from PIL import Image

for path in sys.argv[1:]:
    picture = Image.open(path).convert("RGB")
    picture.quantize(200, method=Image.Quantize.MEDIANCUT).save(path, optimize=True)
"""
RESOLUTION = "80"


def render(database, shots, folder):
    """Write the HTML of each email and the PDF of each document into ``folder``, by a served
    database: wkhtmltopdf fetches the style sheets there."""
    wanted = [
        {
            "name": shot["name"],
            "kind": "email" if "email" in shot else "pdf",
            "record": shot.get("email") or shot["pdf"],
            "template": shot.get("template"),
            "lang": shot["lang"],
        }
        for shot in shots
    ]
    env = {"DOCUMENTS": json.dumps(wanted), "DOCUMENTS_FOLDER": str(folder)}
    if odoo.script(database, SCRIPT, env=env):
        raise Failure("the emails and documents could not be rendered")


def photograph(pdf, target):
    """Turn the pages of a PDF into target-1.png, target-2.png …"""
    system.install(system.missing_programs({"pdftoppm": "poppler-utils"}), "picturing a PDF")
    for old in target.parent.glob(f"{target.name}-*.png"):
        if re.fullmatch(re.escape(target.name) + r"-\d+\.png", old.name):
            old.unlink()
    command = ["pdftoppm", "-r", RESOLUTION, "-png", pdf, target]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"pdftoppm: {done.stderr.strip()}")


def shrink(pictures):
    """A palette of 200 colours: a screen needs no more, and the file is a third."""
    if pictures:
        subprocess.run([venv.odoo_python(), "-c", SHRINK, *pictures], check=True)
