"""Write README.rst and static/description/index.html of each add-on from readme/*.rst and the
manifest, and bring the screenshots that they show from docs/screenshots/.

The fragments in readme/ are those of OCA (DESCRIPTION, INSTALL, CONFIGURE, USAGE, CONTRIBUTORS …).
--check writes nothing and fails on what is not up to date or missing; ./dev lint asks it.
--pictures draws icon.png and banner.png anew, in Chromium: from the add-on's icon.svg (else the
main add-on's), and from tools/package/banner.svg with the name and summary of the manifest.
"""

import subprocess

from . import cache, odoo, packages, pictures

HELP = "write the readme and the page of each add-on; --check compares"
SCREENSHOTS = cache.REPO / "docs" / "screenshots"


def add_arguments(parser):
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--check", action="store_true", help="only compare")
    group.add_argument("--pictures", action="store_true", help="draw icons and banners as well")


def main(options):
    if options.pictures:
        pictures.draw(odoo.addons())
    return write(["--check"] if options.check else [])


def write(arguments=()):
    """Write what is not up to date; :return: an exit code"""
    script = cache.TOOLS / "package" / "readme.py"
    command = [packages.python(), script, *arguments, f"--screenshots={SCREENSHOTS}"]
    return subprocess.run([*command, *odoo.addons()], check=False).returncode
