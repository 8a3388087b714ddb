"""The add-ons as wheels, and an Odoo that has them from pip instead of from this clone."""

import ast
import email
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import NamedTuple

from . import cache, odoo_tree, venv
from .report import Failure, run, say

# What runs in our own databases only, and weighs as much as all the rest.
LEFT_OUT = ("tests", "static/tests")
SITE_PACKAGES = "import sysconfig; print(sysconfig.get_path('purelib'))"


class Wheel(NamedTuple):
    """A wheel that was built of an add-on."""

    addon: Path
    file: Path
    version: str


def python():
    """The environment of what builds wheels and readme files, and knows schemas."""
    return venv.environment("venv-package", "requirements-package.txt", "tools for packages")


def manifest(addon):
    return ast.literal_eval((addon / "__manifest__.py").read_text(encoding="utf-8"))


def sources(addon):
    """The files of an add-on that belong into its wheel, relative to it: what git knows, or would
    add, without the tests."""
    command = ["git", "-C", addon, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        files = {Path(name) for name in listed.split("\0") if name}
    except (OSError, subprocess.CalledProcessError):
        # a clone that came as an archive
        files = {path.relative_to(addon) for path in addon.rglob("*") if path.is_file()}
    return sorted(
        path
        for path in files
        if (addon / path).is_file()
        and "__pycache__" not in path.parts
        and not any(path.is_relative_to(folder) for folder in LEFT_OUT)
    )


def build(addon, folder, target):
    """Build the wheel of one add-on into ``target``, from a copy in ``folder``.

    whool takes what git knows of a folder, and all of a folder that git does not know: the copy,
    without the tests, is such a one.
    """
    copy = folder / addon.name
    files = sources(addon)
    for path in files:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(addon / path, copy / path)
    incoming = folder / f"{addon.name}.wheel"
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    # Git must not find a clone around the copy, wherever temporary files lie.
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder)}
    env["WHOOL_POST_VERSION_STRATEGY_OVERRIDE"] = "none"
    command = [python(), "-m", "pip", "wheel", *options, "--wheel-dir", incoming, copy]
    run(command, f"build the wheel of {addon.name}", cache.log(f"wheel-{addon.name}"), env=env)
    [wheel] = incoming.glob("*.whl")
    built = Wheel(addon, Path(shutil.move(wheel, target / wheel.name)), manifest(addon)["version"])
    if problems := list(check(built, files)):
        raise Failure(f"the wheel of {addon.name} is not what it should be: {'; '.join(problems)}")
    say(f"  {built.file.name}: {built.file.stat().st_size / 1024:.0f} KB, {len(files)} files")
    return built


def check(wheel, files):
    """:return: what is wrong with a wheel, sentence by sentence"""
    name = wheel.addon.name
    root = f"odoo/addons/{name}/"
    with zipfile.ZipFile(wheel.file) as archive:
        names = {entry for entry in archive.namelist() if not entry.endswith("/")}
        [metadata] = [entry for entry in names if entry.endswith(".dist-info/METADATA")]
        headers = email.message_from_bytes(archive.read(metadata))
    wanted = {root + path.as_posix() for path in files if path.name != "pyproject.toml"}
    yield from (f"{entry} is missing" for entry in sorted(wanted - names))
    yield from (
        f"{entry} does not belong there"
        for entry in sorted(names - wanted)
        if ".dist-info/" not in entry
    )
    data = manifest(wheel.addon)
    expected = {
        "Name": f"odoo-addon-{name}",
        "Version": data["version"],
        "Summary": data["summary"],
        "Home-page": data["website"],
    }
    for header, value in expected.items():
        if _plain(headers[header]) != _plain(value):
            yield f"its {header} is {headers[header]} instead of {value}"
    if f"Development Status :: {_status(data)}" not in headers.get_all("Classifier", []):
        yield "it does not tell its development status"
    if data["name"] not in headers.get_payload():
        yield "it has no description"


def _plain(value):
    return (value or "").replace("_", "-")


def _status(data):
    numbers = {"Alpha": 3, "Beta": 4, "Production/Stable": 5, "Mature": 6}
    return f"{numbers[data['development_status']]} - {data['development_status']}"


def peers():
    """The folder of add-ons of others that ours stand on; a package index that lacks one stops
    nothing else.

    :return: a list of one folder, or of none
    """
    try:
        return [venv.bridge_packages()]
    except Failure as missing:
        say(f"  LEFT OUT, what stands on add-ons of others is not tried: {missing}")
        return []


def installable(wheels, folders):
    """:return: the wheels whose add-ons find all they depend on, in Odoo, ``folders`` or here"""
    tree = odoo_tree.ensure()
    places = [tree / "addons", tree / "odoo/addons", *(path / "odoo/addons" for path in folders)]
    known = {path.parent.name for place in places for path in place.glob("*/__manifest__.py")}
    known |= {wheel.addon.name for wheel in wheels}
    return [wheel for wheel in wheels if known.issuperset(manifest(wheel.addon)["depends"])]


def environment(folder, wheels, folders):
    """A Python of its own that finds Odoo, what Odoo needs and ``folders`` by a ``.pth`` file, and
    has the wheels installed by pip.

    :return: the interpreter and the folder that the add-ons are in
    """
    log = cache.log("package-environment")
    base = venv.odoo_python()
    run([base, "-m", "venv", "--without-pip", folder], "make a Python environment", log)
    interpreter = folder / "bin/python"
    site = Path(_output(interpreter, SITE_PACKAGES))
    paths = _output(base, "import sys; print(*sys.path, sep='\\n')").splitlines()
    found = [path for path in paths if path.endswith(("site-packages", "dist-packages"))]
    found += map(str, [odoo_tree.ensure(), *folders])
    (site / "odoo-tree.pth").write_text("\n".join(found) + "\n")
    pip = [python(), "-m", "pip", "--python", interpreter, "install", "--no-deps", "--no-index"]
    files = [wheel.file for wheel in wheels]
    run([*pip, "--disable-pip-version-check", *files], "install the wheels", log)
    return interpreter, site / "odoo" / "addons"


def _output(interpreter, script):
    # Without PYTHONPATH, which would say more than the environment itself.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([interpreter, "-c", script], env=env, capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"{interpreter} does not run: {done.stderr.strip()}")
    return done.stdout.strip()
