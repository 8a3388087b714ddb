"""Chromium, which runs the tours and takes the screenshots."""

import shutil

from . import system
from .report import Failure

# In the order in which Odoo itself looks for a browser.
NAMES = ["google-chrome", "chromium", "chromium-browser", "google-chrome-stable"]


def ensure():
    """The browser's path; installed when it is missing and we may."""
    if not (found := _find()):
        system.install(["chromium"], "running the browser tours")
        found = _find()
    if not found:
        raise Failure("Chromium is installed, but not on the PATH")
    return found


def _find():
    return next(filter(None, map(shutil.which, NAMES)), None)
