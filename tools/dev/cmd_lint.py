"""Check the sources: ruff, pylint with Odoo's checks, OCA's checks of modules and translations,
bandit, prettier (XML, JavaScript, SCSS, YAML), eslint, shellcheck, how docstrings are written,
whether the readme files are up to date (./dev readme), the files for Docker, hosted CI and
pre-commit, and Odoo's own test_lint, which wants a database (--quick leaves it out).  --fix repairs
what can be repaired.
"""

import os
import re
import subprocess
import sys

from . import cache, node, odoo, odoo_tree, packages, ready, template, test_log, venv
from .report import say, step

HELP = "run the linters; --fix repairs what they can repair"
ODOO_SUITE = "odoo test_lint"
YAML = ["compose.yaml", ".pre-commit-config.yaml", ".github/**/*.yml"]
SCHEMAS = {"compose-spec": "compose.yaml", "github-workflows": ".github/workflows/ci.yml"}
ODOO_OPTIONS = "import sys; from odoo.tools import config; config.parse_config(sys.argv[1:])"
# How many tests Odoo's suite has at least; fewer mean that it did not run.
ODOO_TESTS = 20
# What bandit must not complain of outside of the add-on itself.
TOOLS_MAY = {
    "B101": "assert is how tests and benchmarks speak",
    "B102": "the examples of the books are run by their test",
    "B105": "passwords of tests are invented",
    "B106": "passwords of tests are invented",
    "B310": "urls are those of the servers that the tools have started",
    "B311": "members of the season and of benchmarks must draw the same each time",
    "B314": "XML is read of what docutils wrote a moment ago",
    "B404": "to run programs is the tools' work",
    "B405": "XML is read of what docutils wrote a moment ago",
    "B411": "XML-RPC is asked of the server under test",
    "B603": "to run programs is the tools' work, and no shell stands between",
    "B606": "to run programs is the tools' work, and no shell stands between",
    "B607": "programs are where PATH has them",
    "B608": "SQL is put together of the tools' own names",
}
# Which models R8180 may find in more than one class, and why; any other is to be merged. (No
# method or field of one is defined twice: tests/test_house.py.)
SPLIT_MODELS = {
    "account.move": "each room says what it does with invoices",
    "account.move.line": "a batch of lines, their money, and what is unused, one file each",
    "account.move.send": "printing is every room's, sending is that of invoice/",
    "ir.actions.report": "what is printed, many at once, and the direction of its texts",
    "ir.attachment": "who reads a file, and what comes in with one, one file each of doors/",
    "mail.activity": "which names a form shows is a matter of doors/, who hands over everybody's",
    "mail.blacklist": "who may close an address is a matter of doors/, who receives everybody's",
    "mail.message": "what a form shows, and what a thread shows, one file each of doors/",
    "mail.template": "who may email is a matter of doors/, how emails are made everybody's",
    "mail.thread": "who may hand in emails is a matter of doors/, batches are everybody's",
    "membri.bulk.job": "members of one payer are worked on together (group_invoice/)",
    "membri.campaign": "what it is, its work, and its counts",
    "membri.cotisation": "a term's states, edits, payer, invoices and page, one file each",
    "membri.demo": "each file makes one part of the demonstration data",
    "membri.import": "reading, deciding, writing and undoing, one file each",
    "membri.option.set": "periods, prices and reminders, one file each",
    "membri.option.set.line": "what is missing of it is asked with the other first steps",
    "membri.renewal": "each step of its way has a file, and each feature a room",
    "membri.term.mixin": "payer and invoice of a term belong to the room cotisation/",
    "payment.transaction": "its key is a matter of doors/",
    "res.company": "automatic payments have settings of their own",
    "res.partner": "each room says what it asks of a contact",
}


def add_arguments(parser):
    parser.add_argument(
        "--fix", action="store_true", help="repair formatting, and what else can be"
    )
    parser.add_argument("--quick", action="store_true", help=f"leave out {ODOO_SUITE}")


def main(options):
    commands = linters(options.fix, options.quick)
    failed = [name for name, command in commands if not _passes(name, command)]
    if not options.quick and not _passes_odoo_suite():
        failed.append(ODOO_SUITE)
    if failed:
        say(f"\n  Linters that complain: {', '.join(failed)}.")
    return 1 if failed else 0


def _bin_folder():
    return venv.environment("venv-lint", "requirements-lint.txt", "linters").parent


def linters(fix, quick):
    """(name, command) of each; with ``fix`` they repair what they can, with ``quick`` none needs
    Odoo."""
    bin_folder = _bin_folder()
    node_modules = node.ensure() / "node_modules"
    addon, addons = odoo.addons_path() / odoo.MODULE, odoo.addons()
    tools = cache.TOOLS

    ruff = [bin_folder / "ruff"]
    yield "ruff", [*ruff, "check", "--output-format=concise", *(["--fix"] if fix else [])]
    yield "ruff format", [*ruff, "format", *([] if fix else ["--check"])]

    yield "pylint", [bin_folder / "pylint", f"--rcfile={cache.REPO}/.pylintrc", addon]

    bandit = [bin_folder / "bandit", "--quiet", "--recursive"]
    yield "bandit", [*bandit, f"--exclude={addon}/tests", addon]
    others = [addon / "tests", tools, cache.REPO / "benchmarks", cache.REPO / "dev"]
    yield "bandit on tests and tools", [*bandit, f"--skip={','.join(TOOLS_MAY)}", *others]

    oca = [f"--config={cache.REPO}/.oca_hooks.cfg", *(["--fix"] if fix else [])]
    yield "oca-checks-odoo-module", [bin_folder / "oca-checks-odoo-module", *oca, *addons]
    if translations := [path for each in addons for path in sorted(each.glob("i18n/*.po*"))]:
        yield "oca-checks-po", [bin_folder / "oca-checks-po", *oca, *translations]

    formatted = [
        *(f"{each}/**/*.{{xml,js,scss}}" for each in addons),
        f"{tools}/**/*.{{js,mjs,json}}",
        f"{cache.REPO}/.prettierrc.json",
        *YAML,
    ]
    xml = node_modules / "@prettier/plugin-xml/src/plugin.js"
    prettier = [node_modules / ".bin/prettier", f"--plugin={xml}", "--log-level=warn"]
    yield "prettier", [*prettier, "--write" if fix else "--check", *formatted]

    eslint = [
        node_modules / ".bin/eslint",
        f"--config={tools}/eslint.config.mjs",
        "--no-error-on-unmatched-pattern",
    ]
    yield "eslint", [*eslint, *(["--fix"] if fix else []), tools, *addons]

    sources = [*addons, tools, cache.REPO / "benchmarks"]
    yield "docstrings", [sys.executable, addon / "tests" / "docstrings.py", *sources]

    fix_readme = [] if fix else ["--check"]
    yield "readme", [sys.executable, cache.REPO / "dev", "readme", *fix_readme]

    for schema, file in SCHEMAS.items():
        check = [packages.python().with_name("check-jsonschema"), "--builtin-schema"]
        check += [f"vendor.{schema}"]
        yield f"schema of {file}", [*check, cache.REPO / file]
    ask_odoo = [] if quick else _ask_odoo_options()
    yield "hosting", [bin_folder / "python", tools / "lint" / "hosting.py", *ask_odoo]

    scripts = [cache.REPO / ".ci/run", *sorted(tools.rglob("*.sh"))]
    yield "shellcheck", [bin_folder / "shellcheck", *scripts]


def _ask_odoo_options():
    """:return: a command that fails when Odoo does not know the options that are added to it"""
    environment = ["env", f"PYTHONPATH={odoo_tree.ensure()}"]
    return [*environment, venv.odoo_python(), "-c", ODOO_OPTIONS]


def _passes(name, command):
    process = subprocess.run(
        command,
        cwd=cache.REPO,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    output = process.stdout + process.stderr or f"it ended with {process.returncode}"
    if name == "pylint":
        output = _without_split_models(output)
    return _report(name, output if process.returncode else "")


def _without_split_models(output):
    """Return what is left of pylint's output without the models that ``SPLIT_MODELS`` allows; a
    name there that pylint does not complain of any more is a complaint."""
    found = re.findall(r'.*: R8180: .* inherited to "(.+?)" from .*\n?', output)
    for model in found:
        if model in SPLIT_MODELS:
            output = re.sub(
                rf'.*: R8180: .* inherited to "{re.escape(model)}" from .*\n?', "", output
            )
    unused = SPLIT_MODELS.keys() - set(found)
    output += "".join(f"SPLIT_MODELS: {model} is one class now\n" for model in sorted(unused))
    # the headings of modules that are well
    return output if re.search(r"^(?!\*{5}).*\S", output, re.MULTILINE) else ""


def _passes_odoo_suite():
    """Odoo's tests of all add-ons' sources, on ours: what they say of Odoo's own is left out."""
    bin_folder, node_folder = _bin_folder(), node.program("eslint").parent
    site_packages = next(bin_folder.parent.glob("lib/python3*/site-packages"))
    source = ready.ensure(with_browser=False)
    with template.clone("lint", source) as database, step(f"running {ODOO_SUITE}"):
        odoo.install(database, [odoo.MODULE], log="lint-install")
        path = odoo.environment()["PATH"]
        odoo.shell(
            database,
            cache.TOOLS / "lint" / "odoo_suite.py",
            f"run {ODOO_SUITE}",
            log="lint-odoo",
            env={
                "PATH": os.pathsep.join([str(node_folder), str(bin_folder), path]),
                "LINT_PACKAGES": str(site_packages),
                "ESLINT_USE_FLAT_CONFIG": "false",
            },
        )
    reader = test_log.Reader()
    with cache.log("lint-odoo").open(encoding="utf-8", errors="replace") as log:
        for line in log:
            reader.feed(line)
    reader.close()
    outcome = reader.outcome
    problems = [
        message
        for messages in outcome.failed.values()
        for message in messages
        if "Subtest" not in message.splitlines()[0] or odoo.MODULE in message.splitlines()[0]
    ]
    problems += [*outcome.failed_classes.values(), *outcome.problems_beside_failures()]
    problems += [f"{name} was skipped: {why}" for (_, name), why in outcome.skipped.items()]
    if len(outcome.started) < ODOO_TESTS:
        problems.append(f"only {len(outcome.started)} of its tests ran")
    return _report(ODOO_SUITE, "\n".join(problems))


def _report(name, complaints):
    """Print what a linter says; :return: whether it is content"""
    say(f"  {name}: {'FAILED' if complaints else 'ok'}")
    if complaints:
        say("\n".join(f"    {line}" for line in complaints.splitlines() if line.strip()))
    return not complaints
