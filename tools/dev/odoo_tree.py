"""Odoo 19 Community itself: Debian's package, unpacked into the cache instead of installed.

PyPI has no Odoo; Debian sid has, signed. An existing source folder can be used
instead: set ODOO.
"""

import os
import re
import subprocess
from pathlib import Path

from . import cache, debian
from .report import Failure, run, say

SERIES = "19.0"
# What everything here was tested with; a later 19.0 upload is used as well, but said out loud.
KNOWN_DEB = "odoo-19_19.0.0+dfsg-1_all.deb"
# Files that the package only links to, in packages that a slim unpacking has to bring along.
COMPANIONS = ["libjs-jquery", "fonts-font-awesome", "fonts-roboto-unhinted"]
# Every .po file but fr.po and fr_CA.po, as shell patterns of the file name.
OTHER_LANGUAGES = ["[!f]*", "f[!r]*", "fr[!_]*", "fr_[!C]*"]
# Counted in the folder's key: change it when the unpacking below changes.
RECIPE = "2"

PACKAGES = Path("usr/lib/python3/dist-packages")


def ensure():
    """The folder to put on PYTHONPATH: the one that holds the Python package ``odoo``."""
    if existing := os.environ.get("ODOO"):
        return _existing(Path(existing).expanduser().absolute())
    debs = _debs()
    odoo_deb = next(deb for deb in debs if deb.name.startswith("odoo-19_"))
    key = cache.digest(RECIPE, *sorted(deb.name for deb in debs))
    return (
        cache.folder(
            "odoo", key, f"unpacking {odoo_deb.name}", lambda folder: _unpack(debs, folder)
        )
        / PACKAGES
    )


def source():
    """What is used, for a report: the name of the package, or the folder that ODOO names."""
    return os.environ.get("ODOO") or next(
        deb.name for deb in _debs() if deb.name.startswith("odoo-19_")
    )


def _existing(folder):
    """The Odoo that ODOO names: a folder, the odoo-bin or the package ``odoo`` in it."""
    for candidate in (folder, folder.parent):
        release = candidate / "odoo" / "release.py"
        if release.exists():
            break
    else:
        raise Failure(f"ODOO={folder} holds neither an odoo package nor an odoo-bin")
    numbers = re.search(r"^version_info = \((.+?), (\d+)", release.read_text(), re.MULTILINE)
    version = f"{numbers[1]}.{numbers[2]}" if numbers else "unknown"
    if version != SERIES:
        raise Failure(f"ODOO={folder} is Odoo {version}; this add-on is written for Odoo {SERIES}")
    return candidate


def _debs():
    """The .deb files, kept so that a later upload or a day without network changes nothing."""
    folder = cache.root() / "deb"
    wanted = ["odoo-19", *COMPANIONS]

    def present():
        return [deb for name in wanted for deb in sorted(folder.glob(f"{name}_*.deb"))[:1]]

    if len(present()) < len(wanted):
        cache.folder(
            "debs",
            cache.digest(*wanted),
            "downloading Odoo 19 from Debian",
            lambda _: _download(wanted),
        )
    debs = present()
    if len(debs) < len(wanted):
        raise Failure(
            f"{folder} is incomplete; delete it and {cache.root()}/debs-* and start again"
        )
    if debs[0].name != KNOWN_DEB:
        say(f"  NOTE: Debian now has {debs[0].name}; the add-on was tested with {KNOWN_DEB}.")
    return debs


def _download(wanted):
    # Into a folder of its own first: a broken download must never look like a package.
    incoming = cache.root() / "deb.incoming"
    subprocess.run(["rm", "-rf", incoming], check=True)
    debian.download(wanted, incoming)
    odoo_deb = next(incoming.glob("odoo-19_*.deb"))
    if not odoo_deb.name.startswith(f"odoo-19_{SERIES}."):
        raise Failure(
            f"Debian has {odoo_deb.name}, but this add-on is written for Odoo {SERIES}; "
            "set ODOO to an Odoo 19 folder"
        )
    incoming.replace(cache.root() / "deb")


def _unpack(debs, folder):
    languages = [f"--exclude=*/i18n*/{name}.po" for name in OTHER_LANGUAGES]
    excluded = [f"--exclude=./{PACKAGES}/{name}" for name in ("addons", "doc", "setup")]
    for deb in debs:
        # Without the package's second copy of the add-ons and the languages we do not ship:
        # 320 MB instead of 1.2 GB.
        script = 'set -o pipefail; dpkg --fsys-tarfile "$0" | tar -x -C "$1" "${@:2}"'
        command = [
            "bash",
            "-c",
            script,
            str(deb),
            str(folder),
            "--wildcards",
            *excluded,
            *languages,
        ]
        run(command, f"unpack {deb.name}", cache.log("odoo-unpack"))
    _repair(folder)


def _repair(folder):
    """Mend what Debian's package leaves broken for the browser."""
    addons = folder / PACKAGES / "odoo" / "addons"
    # Stripped from the package; without it every backend page logs an error, which fails tours.
    selfie = addons / "mail/static/lib/selfie_segmentation/selfie_segmentation.js"
    if selfie.is_symlink() or not selfie.exists():
        selfie.unlink(missing_ok=True)
        selfie.parent.mkdir(parents=True, exist_ok=True)
        selfie.write_text("/* left out of Debian's package: background blur in video calls */\n")
    # Odoo skips a tour when the browser has not started within ten seconds, as on a busy machine.
    tests = folder / PACKAGES / "odoo" / "tests" / "common.py"
    patience = "CHECK_BROWSER_ITERATIONS = {}\n"
    source = tests.read_text(encoding="utf-8")
    tests.write_text(source.replace(patience.format(100), patience.format(600)), encoding="utf-8")
    # Dangling links make the asset bundles fail where a missing file does not.
    for path in (folder / "usr").rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()
    if not (addons / "web/static/lib/jquery/jquery.js").exists():
        raise Failure("jquery.js is missing from the unpacked Odoo: Debian's packages have changed")
