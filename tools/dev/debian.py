"""Fetch packages of Debian sid, signature-checked, without root or a change to the machine."""

import os
import shutil
import subprocess
from pathlib import Path

from . import cache
from .report import Failure, run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def mirror():
    """The Debian mirror this machine itself uses, so that no host is named here."""
    if configured := os.environ.get("MEMBRI_DEBIAN_MIRROR"):
        return configured
    if not shutil.which("apt-get"):
        raise Failure(
            "Odoo comes from Debian, and this machine has no apt-get; "
            "set ODOO to an Odoo 19 source folder instead"
        )
    output = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    uris = dict.fromkeys(output.split())
    for uri in uris:
        if uri.rstrip("/").endswith("/debian"):
            return uri
    raise Failure(
        "found no Debian mirror in this machine's apt sources; set MEMBRI_DEBIAN_MIRROR to one"
    )


def _apt(folder):
    """apt-get on a private state: its own sources, lists and archive folder."""
    if not KEYRING.exists():
        raise Failure(f"{KEYRING} is missing: install the package debian-archive-keyring")
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    source = f"[signed-by={KEYRING} arch={architecture},all] {mirror()} sid main"
    (folder / "sources.list").write_text(f"deb {source}\ndeb-src {source}\n")
    return [
        "apt-get",
        f"-oDir::Etc::SourceList={folder}/sources.list",
        "-oDir::Etc::SourceParts=/dev/null",
        f"-oDir::State::Lists={folder}/lists",
        "-oDir::State::status=/dev/null",
        f"-oDir::Cache={folder}",
        "-oAcquire::Languages=none",
        "-oAcquire::Retries=3",
        "-oAPT::Update::Error-Mode=any",
        "-oAPT::Sandbox::User=root",
    ]


def download(packages, into, source=False):
    """Download packages, or the source of one, into a folder."""
    into.mkdir(parents=True, exist_ok=True)
    action = ["source", "--download-only", "--only-source"] if source else ["download"]
    what = f"download {' '.join(packages)} from Debian"
    with cache.lock("debian"):
        apt = _apt(cache.root() / "apt")
        run([*apt, "update"], "read Debian's package lists", cache.log("debian-update"))
        run([*apt, *action, *packages], what, cache.log("debian-download"), cwd=into)
