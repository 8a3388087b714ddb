"""Chromium, which runs the tours and takes the screenshots."""

import shutil
from pathlib import Path

from . import system
from .report import Failure

# In the order in which Odoo itself looks for a browser.
NAMES = ["google-chrome", "chromium", "chromium-browser", "google-chrome-stable"]
DEBIAN_WORDS = Path("/usr/lib/chromium/locales")


def ensure():
    """The browser's path; installed when it is missing and we may."""
    if not (found := _find()):
        system.install(["chromium"], "running the browser tours")
        found = _find()
    if not found:
        raise Failure("Chromium is installed, but not on the PATH")
    return found


def ensure_languages():
    """The browser's path; what it draws itself is not in English alone. Debian has that apart."""
    found = ensure()
    if DEBIAN_WORDS.is_dir() and not (DEBIAN_WORDS / "fr.pak").exists():
        system.install(["chromium-l10n"], "taking pictures in French")
    return found


def _find():
    return next(filter(None, map(shutil.which, NAMES)), None)
