"""Check the sources: ruff, pylint with Odoo's checks, OCA's checks of modules and translations,
prettier (XML, JavaScript, SCSS), eslint, shellcheck.  --fix repairs what can be repaired.
"""

import subprocess

from . import cache, node, odoo, venv
from .report import say

HELP = "run the linters; --fix repairs what they can repair"


def add_arguments(parser):
    parser.add_argument(
        "--fix", action="store_true", help="repair formatting, and what else can be"
    )


def main(options):
    failed = [name for name, command in linters(options.fix) if not _passes(name, command)]
    if failed:
        say(f"\n  Linters that complain: {', '.join(failed)}.")
    return 1 if failed else 0


def linters(fix):
    """(name, command) of each; with ``fix`` they repair what they can."""
    bin_folder = venv.environment("venv-lint", "requirements-lint.txt", "linters").parent
    packages = node.ensure() / "node_modules"
    addon = odoo.addons_path() / odoo.MODULE
    tools = cache.TOOLS

    ruff = [bin_folder / "ruff"]
    yield "ruff", [*ruff, "check", "--output-format=concise", *(["--fix"] if fix else [])]
    yield "ruff format", [*ruff, "format", *([] if fix else ["--check"])]

    # A large model is split over several files on purpose, one concern each. (Here and not in
    # .pylintrc, where enabling the group of checks that it belongs to would win.)
    split_models = "--disable=consider-merging-classes-inherited"
    yield "pylint", [bin_folder / "pylint", f"--rcfile={cache.REPO}/.pylintrc", split_models, addon]

    oca = [f"--config={cache.REPO}/.oca_hooks.cfg", *(["--fix"] if fix else [])]
    yield "oca-checks-odoo-module", [bin_folder / "oca-checks-odoo-module", *oca, addon]
    if translations := sorted(addon.glob("i18n/*.po*")):
        yield "oca-checks-po", [bin_folder / "oca-checks-po", *oca, *translations]

    formatted = [
        f"{addon}/**/*.{{xml,js,scss}}",
        f"{tools}/**/*.{{js,mjs,json}}",
        f"{cache.REPO}/.prettierrc.json",
    ]
    xml = packages / "@prettier/plugin-xml/src/plugin.js"
    prettier = [packages / ".bin/prettier", f"--plugin={xml}", "--log-level=warn"]
    yield "prettier", [*prettier, "--write" if fix else "--check", *formatted]

    eslint = [
        packages / ".bin/eslint",
        f"--config={tools}/eslint.config.mjs",
        "--no-error-on-unmatched-pattern",
    ]
    yield "eslint", [*eslint, *(["--fix"] if fix else []), tools, addon]

    scripts = [cache.REPO / ".ci/run", *sorted(tools.rglob("*.sh"))]
    yield "shellcheck", [bin_folder / "shellcheck", *scripts]


def _passes(name, command):
    process = subprocess.run(
        command,
        cwd=cache.REPO,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    say(f"  {name}: {'ok' if process.returncode == 0 else 'FAILED'}")
    if process.returncode:
        say(
            "\n".join(
                "    " + line
                for line in (process.stdout + process.stderr).splitlines()
                if line.strip()
            )
        )
    return process.returncode == 0
