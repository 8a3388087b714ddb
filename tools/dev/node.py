"""Node programs from npm: the formatters of XML and JavaScript, and the driver of the browser."""

from pathlib import Path

from . import cache, system
from .report import run


def ensure():
    """The folder that holds node_modules."""
    system.install(
        system.missing_programs({"node": "nodejs", "npm": "npm"}), "checking XML and JavaScript"
    )
    manifest = cache.TOOLS / "package.json"

    def build(folder):
        (folder / "package.json").write_bytes(manifest.read_bytes())
        options = [
            "--ignore-scripts",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        run(["npm", "install", *options], "install the node packages", cache.log("npm"), cwd=folder)

    return cache.folder("node", cache.digest(manifest), "node packages", build)


def program(name) -> Path:
    return ensure() / "node_modules" / ".bin" / name
