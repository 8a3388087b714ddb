"""Check what a machine without Docker, GitHub or pre-commit can of the files for them; run by
``./dev lint`` in the environment of the linters.

Prints a sentence for each thing that is wrong. Its arguments, if any, are a command that fails when
Odoo does not know the options that are added to it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tools"))

from dev import main, packages  # noqa: E402 - the path above must be set first

COMPOSE = REPO / "compose.yaml"
WORKFLOWS = REPO / ".github" / "workflows"
PRE_COMMIT = REPO / ".pre-commit-config.yaml"
IMAGES = {"odoo": "odoo:19", "db": r"postgres:1[3-9]"}
PROJECT = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+")


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def check_compose():
    document = load(COMPOSE)
    services = document["services"]
    for name, pattern in IMAGES.items():
        if not re.fullmatch(pattern, services[name]["image"]):
            yield f"{name} is not of the image {pattern}"
    for name, service in services.items():
        if "healthcheck" not in service:
            yield f"{name} has no healthcheck"
        for other, wish in service.get("depends_on", {}).items():
            if wish["condition"] == "service_healthy" and "healthcheck" not in services[other]:
                yield f"{name} waits for {other}, which has no healthcheck"
        for volume in service.get("volumes", []):
            yield from check_volume(name, volume, document["volumes"])
    mounted = {Path(volume.split(":")[0]).name for volume in services["odoo"]["volumes"]}
    if "membri_renewal" not in mounted:
        yield "odoo has no membri_renewal"
    yield from check_odoo_command(services["odoo"]["command"])
    if shutil.which("docker"):
        compose = ["docker", "compose", "--file", COMPOSE]
        if not subprocess.run([*compose, "version"], capture_output=True).returncode:
            done = subprocess.run([*compose, "config", "--quiet"], capture_output=True, text=True)
            yield from done.stderr.splitlines() if done.returncode else ()


def check_volume(service, volume, volumes):
    """A folder of the clone must be there, and an add-on under its own name; others are named."""
    source, target, *mode = volume.split(":")
    if not source.startswith("."):
        if source not in volumes:
            yield f"{service} has a volume {source} that is not declared"
        return
    folder = (REPO / source).resolve()
    if not (folder / "__manifest__.py").is_file():
        yield f"{service} mounts {source}, which is no add-on"
    if target != f"/mnt/extra-addons/{folder.name}" or mode != ["ro"]:
        yield f"{service} mounts {source} as {target}, and not as an add-on to read"


def check_odoo_command(command):
    options = [word.replace("$$", "$") for word in command]
    if options.pop(0) != "odoo":
        yield "the command of odoo must begin with odoo: its image then waits for the database"
    [modules] = [word.partition("=")[2] for word in options if word.startswith("--init=")]
    for module in modules.split(","):
        if not (REPO / module / "__manifest__.py").is_file():
            yield f"odoo is to install {module}, which is not here"
    if ask_odoo := sys.argv[1:]:
        done = subprocess.run([*ask_odoo, *options], capture_output=True, text=True)
        if done.returncode:
            yield f"Odoo does not take the options of compose.yaml: {done.stderr.strip()[-300:]}"


def check_commands():
    """Hooks and workflows call programs of ours that exist, with options that they know."""
    hooks = [hook for source in load(PRE_COMMIT)["repos"] for hook in source["hooks"]]
    commands = [(PRE_COMMIT, hook["entry"]) for hook in hooks]
    for path in sorted(WORKFLOWS.glob("*.yml")):
        steps = [step for job in load(path)["jobs"].values() for step in job["steps"]]
        runs = [step["run"] for step in steps if "run" in step]
        commands += [(path, line) for text in runs for line in text.splitlines()]
        if not any(text.strip() == ".ci/run" for text in runs):
            yield f"{path.name} does not call .ci/run"
    parser = main.build_parser()
    for path, command in commands:
        program, *arguments = shlex.split(command)
        if program.startswith("."):
            if not os.access(REPO / program, os.X_OK):
                yield f"{path.name} calls {program}, which is no program"
            elif program == "./dev":
                try:
                    parser.parse_args(arguments)
                except SystemExit:
                    yield f"{path.name} calls “{command}”, which ./dev does not know"


def check_project_page():
    """One address everywhere: that of the manifests."""
    addons = sorted(path.parent for path in REPO.glob("membri_renewal*/__manifest__.py"))
    pages = {packages.manifest(addon).get("website") for addon in addons}
    if len(pages) != 1:
        yield f"the manifests have several websites: {', '.join(sorted(map(str, pages)))}"
    texts = [*REPO.glob("*.md"), *REPO.glob("*.rst"), *REPO.glob("docs/**/*.md"), COMPOSE]
    for path in texts:
        for found in set(PROJECT.findall(path.read_text(encoding="utf-8"))) - pages:
            yield f"{path.name} names {found}, the manifests {', '.join(sorted(map(str, pages)))}"


problems = [*check_compose(), *check_commands(), *check_project_page()]
print("\n".join(problems))
sys.exit(1 if problems else 0)
