"""Build the wheel of each add-on (odoo-addon-membri-renewal …, by whool), install them with pip
into an Odoo environment of their own, and try them there.

A wheel has everything of the add-on that git knows, but the tests. The environment is a virtual one
that finds Odoo and its packages by a .pth file; the clone is on no path of it. On a copy of the
template database it must find each add-on in site-packages, its French, its pictures, scripts and
styles by HTTP, and take a member from the enrollment by a notice on paper to a renewed membership.

The wheels stay in --out. A plain `pip wheel ./membri_renewal` works as well, but packs the tests.
"""

import json
import tempfile
from pathlib import Path

from . import cache, odoo, packages, ready, template
from .report import run, say, step

HELP = "build the wheels, install them with pip, and try them"
SMOKE = cache.TOOLS / "package" / "smoke.py"


def add_arguments(parser):
    parser.add_argument(
        "--out", type=Path, help="the folder for the wheels (default: in the cache)"
    )
    parser.add_argument("--build-only", action="store_true", help="do not install and try them")


def main(options):
    target = (options.out or cache.root() / "wheels").absolute()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="membri-package-") as folder:
        wheels = [packages.build(addon, Path(folder), target) for addon in odoo.addons()]
        say(f"  The wheels are in {target}.")
        if options.build_only:
            return 0
        source = ready.ensure(with_browser=False)
        peers = packages.peers()
        wheels = packages.installable(wheels, peers)
        with step("installing them with pip"):
            python, site = packages.environment(Path(folder) / "venv", wheels, peers)
        with template.clone("package", source) as database:
            _try(database, wheels, python, site, folder)
    return 0


def _try(database, wheels, python, site, folder):
    """Install the add-ons into a database and let smoke.py look at them while they are served."""
    env = odoo.environment(with_addon=False, PYTHONPATH="")
    names = ",".join(wheel.addon.name for wheel in wheels)
    with step(f"installing {names}"):
        options = ["-d", database, "-i", names, "--stop-after-init", "--no-http"]
        command = odoo.command(*options, python=python)
        run(command, "install the wheels", cache.log("package-install"), env=env, cwd=folder)
    job = {
        "site": str(site),
        "versions": {wheel.addon.name: wheel.version for wheel in wheels},
        "static": {
            wheel.addon.name: [
                str(path) for path in packages.sources(wheel.addon) if path.parts[0] == "static"
            ]
            for wheel in wheels
        },
    }
    served = odoo.server(database, env={"PYTHONPATH": ""}, python=python, with_addon=False)
    with served as server, step("trying them"):
        log = cache.log("package-smoke")
        env["SMOKE"] = json.dumps({**job, "url": server.url})
        command = odoo.command("shell", "-d", database, "--no-http", python=python)
        with SMOKE.open(encoding="utf-8") as script:
            run(command, "use the wheels", log, env=env, cwd=folder, stdin=script)
    for line in log.read_text("utf-8", "replace").splitlines():
        if line.startswith("smoke: "):
            say(f"  {line.removeprefix('smoke: ')}")
