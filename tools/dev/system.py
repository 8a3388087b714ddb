"""What only the machine's package manager can bring: libraries, fonts, a compiler, a browser."""

import os
import shutil
import subprocess
from pathlib import Path

from . import cache
from .report import Failure, run, step


def _libraries():
    output = subprocess.run(
        ["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False
    ).stdout
    return {line.split()[0] for line in output.splitlines() if line.startswith("\t")}


def missing_libraries(packages):
    """The packages of those libraries (soname -> package) that the dynamic linker does not find."""
    known = _libraries()
    return [package for soname, package in packages.items() if soname not in known]


def missing_programs(packages):
    return [package for program, package in packages.items() if not shutil.which(program)]


def install(packages, purpose):
    """Install system packages as root; otherwise say in one sentence what to type."""
    if not packages:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        raise Failure(f"{purpose} needs these system packages: {' '.join(packages)}")
    prefix = _as_root()
    if prefix is None:
        raise Failure(
            f"{purpose} needs system packages; type: "
            f"sudo apt-get update && sudo {' '.join(command)}"
        )
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    with cache.lock("apt"), step(f"system packages {' '.join(packages)}"):
        wait = ["-oDPkg::Lock::Timeout=300"]
        run(
            [*prefix, "apt-get", *wait, "update"],
            "refresh the package lists",
            cache.log("apt-update"),
            env=env,
        )
        run(
            [*prefix, *command, *wait],
            f"install {' '.join(packages)}",
            cache.log("apt-install"),
            env=env,
        )


def _as_root():
    """The prefix that makes a command run as root, or None when we may not."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def has_fonts():
    return any(Path("/usr/share/fonts").rglob("*.ttf"))
