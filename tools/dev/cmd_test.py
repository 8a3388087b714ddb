"""Install the add-on on a fresh clone of the template database and run its tests, then those of
its bridges (``odoo.BRIDGES``), installed together with what they stand on, and those that ask for
other applications of Odoo's (``odoo.APPLICATIONS``), installed last.

  ./dev test                                        everything: unit, access, portal, tours
  ./dev test membri_renewal/tests/test_renewal.py   one or more files
  ./dev test --tags /membri_renewal:TestRenewal.test_send

The run fails when a test fails, when fewer tests ran than the source holds, when a
tour was skipped, or when the log has a warning or an error of ours. The last line is
"N passed, N failed"; what is wrong beside the tests counts as failed, too.
"""

import itertools
import os
import time
from pathlib import Path

from . import odoo, packages, ready, template, test_plan, test_run
from .report import Failure, say

HELP = "run all tests, or a selection of them"


def add_arguments(parser):
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="test files to run")
    parser.add_argument(
        "--tags", help="an Odoo test selection, such as /membri_renewal:TestClass.test_method"
    )
    parser.add_argument("--jobs", type=int, help="how many runs share the tests (without --tags)")
    parser.add_argument("--keep", action="store_true", help="keep the database and say its name")
    parser.add_argument("--verbose", action="store_true", help="show Odoo's log while it runs")


def main(options):
    tags = _tags(options, odoo.MODULE)
    expected = _select(odoo.MODULE, tags)
    bridge_tags = {bridge: _tags(options, bridge) for bridge in odoo.BRIDGES}
    bridge_tests = {bridge: _select(bridge, bridge_tags[bridge]) for bridge in odoo.BRIDGES}
    applications_tags = _applications_tags(tags)
    applications = _select(odoo.MODULE, applications_tags)
    source = ready.ensure()
    bridges = [bridge for bridge, tests in bridge_tests.items() if tests]
    if set(bridges) - set(odoo.OWN_BRIDGES) and not packages.peers():
        bridges = [bridge for bridge in bridges if bridge in odoo.OWN_BRIDGES]
    more = applications.union(*(bridge_tests[bridge] for bridge in bridges))
    with template.clone("test", source, keep=options.keep) as database:
        started = time.monotonic()
        say(f"  running {len(expected | more)} tests on {database} …")
        runner = test_run.Runner(options.verbose)
        jobs = _jobs(options, expected)
        if jobs > 1:
            runner.shared(database, test_plan.split(expected, tags, jobs), jobs)
        elif expected or not bridges:
            runner.alone(database, tags)
        if bridges:
            tags = ",".join(bridge_tags[bridge] for bridge in bridges)
            runner.with_bridges(database, bridges, tags)
        if applications:
            runner.with_applications(database, bridges, applications_tags)
        elapsed = time.monotonic() - started
    if options.keep:
        say(f"  The database is kept as {template.keep(database)}.")
    return _report(runner, expected | more, elapsed)


def _tags(options, module):
    """:return: the selection of one add-on's tests; empty when only the other's are asked for"""
    specs = [options.tags] if options.tags else []
    for file in options.files:
        path = (file if file.exists() else odoo.addons_path() / file).absolute()
        name = path.parent.parent.name
        modules = (odoo.MODULE, *odoo.BRIDGES)
        if not path.is_file() or path.parent.name != "tests" or name not in modules:
            raise Failure(f"{file} is not a test file of the add-on")
        if name == module:
            specs.append(f"/{module}/tests/{path.name}")
    return ",".join(specs) or ("" if options.files else f"/{module}")


def _applications_tags(tags):
    """:param tags: the selection of the add-on's tests
    :return: the same, of those that ask for other applications"""
    return ",".join(odoo.APPLICATIONS_TAG + spec for spec in tags.split(",") if spec[:1] == "/")


def _select(module, tags):
    addon = odoo.addons_path() / module
    if not tags or not addon.is_dir():
        return set()
    try:
        return test_plan.select(test_plan.collect(addon), tags, module)
    except ValueError as error:
        raise Failure(f"{error} is not a test selection") from error


def _jobs(options, expected):
    """How many runs to share the tests among; a few tests do not pay for a second one."""
    if options.tags:
        return 1
    return options.jobs or (min(4, os.cpu_count() or 1) if len(expected) >= 40 else 1)


def _report(runner, expected, elapsed):
    """Print what is wrong in full, then the closing line; returns the exit code."""
    outcome, exit_code = runner.outcome, runner.exit_code
    by_name = {(test.logger, test.name): test for test in expected}
    failed = set(outcome.failed) | _of_classes(expected, outcome.failed_classes)
    skipped = (set(outcome.skipped) | _of_classes(expected, outcome.skipped_classes)) - failed
    passed = outcome.started - failed - skipped
    problems = outcome.problems_beside_failures()

    missing = sorted(name for logger, name in set(by_name) - outcome.started - failed - skipped)
    if missing:
        shown = ", ".join(missing[:10]) + (" …" if len(missing) > 10 else "")
        problems.append(f"{len(missing)} of {len(expected)} expected tests did not run: {shown}")
    if not outcome.started and not missing:
        problems.append("no test matches this selection")
    unlisted = [name for name in outcome.failed_classes if not _of_classes(expected, [name])]
    if exit_code and not failed and not problems and not unlisted:
        problems.append(f"Odoo ended with exit code {exit_code}")

    for message in [*itertools.chain(*outcome.failed.values()), *outcome.failed_classes.values()]:
        say(f"\n{message}")
    for (_, name), reason in sorted(outcome.skipped.items()):
        say(f"  skipped: {name}: {reason}")
    for name, reason in sorted(outcome.skipped_classes.items()):
        say(f"  skipped: {name}: {reason}")
    for problem in problems:
        say(f"\n  PROBLEM: {problem}")

    failures = len(failed) + len(unlisted) + len(problems)
    if failures:
        say(f"\n  Odoo's logs: {' '.join(map(str, test_run.logs()))}")
        say(f"  Screenshots of failed tours: {test_run.screenshots()}")
    say(f"  {len(outcome.started)} tests ran in {elapsed:.0f} s; {len(expected)} were expected.")
    closing = f"{len(passed)} passed, {failures} failed"
    say(closing + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if failures else 0


def _of_classes(expected, classes):
    """The expected tests of classes whose set-up or tear-down failed or skipped them all."""
    return {(test.logger, test.name) for test in expected if test.class_path in classes}
