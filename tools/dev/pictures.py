"""Icons and banners of the add-ons, drawn in Chromium from SVG."""

import base64
import html
import subprocess
import tempfile
import textwrap
from pathlib import Path

from . import browser, cache, documents, packages, venv
from .report import run, say

BANNER = cache.TOOLS / "package" / "banner.svg"
ICON_SIZE = (140, 140)
BANNER_SIZE = (1120, 560)
LINE = 36  # characters of the summary in one line of the banner
WINDOW = (1200, 800)  # Chromium makes small windows larger, and takes of the height for itself
CROP = """\
import sys
from PIL import Image

path, width, height = sys.argv[1:]
Image.open(path).crop((0, 0, int(width), int(height))).save(path, optimize=True)
"""
CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
CHROMIUM += ["--hide-scrollbars", "--default-background-color=00000000", "--no-first-run"]
CHROMIUM += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


def draw(addons):
    main = addons[0] / "static/description/icon.svg"
    banners = []
    for addon in addons:
        folder = addon / "static" / "description"
        folder.mkdir(parents=True, exist_ok=True)
        own = folder / "icon.svg"
        icon = (own if own.exists() else main).read_text(encoding="utf-8")
        _photograph(icon, ICON_SIZE, folder / "icon.png")
        _photograph(_banner(addon, icon), BANNER_SIZE, folder / "banner.png")
        banners.append(folder / "banner.png")
        say(f"  {addon.name}: icon.png, banner.png")
    documents.shrink(banners)


def _banner(addon, icon):
    manifest = packages.manifest(addon)
    languages = " · English, français" if (addon / "i18n/fr.po").exists() else ""
    title, _, subtitle = manifest["name"].partition(": ")
    lines = textwrap.wrap(manifest["summary"], LINE, max_lines=3)
    values = {
        "TITLE": title,
        "SUBTITLE": subtitle,
        "SERIES": f"Odoo {manifest['version'].split('.')[0]} Community{languages}",
        **{f"LINE{number + 1}": "".join(lines[number : number + 1]) for number in range(3)},
    }
    source = BANNER.read_text(encoding="utf-8")
    for name, value in values.items():
        source = source.replace(f"{{{name}}}", html.escape(value))
    encoded = base64.b64encode(icon.encode()).decode()
    return source.replace("{ICON}", f"data:image/svg+xml;base64,{encoded}")


def _photograph(svg, size, target):
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(
            f"<style>body {{margin: 0}} svg {{display: block; width: {size[0]}px}}</style>{svg}",
            encoding="utf-8",
        )
        command = [browser.ensure(), *CHROMIUM, "--window-size={},{}".format(*WINDOW)]
        command += [f"--user-data-dir={folder}/profile", f"--screenshot={target}", page.as_uri()]
        run(command, f"draw {target.name}", cache.log("pictures"))
    subprocess.run([venv.odoo_python(), "-c", CROP, target, *map(str, size)], check=True)
