"""Run Odoo's own test suites without the add-on and with it, and compare them test by test.

  ./dev upstream                          the suites of account, account_payment and portal
  ./dev upstream --modules portal         one suite, or several with commas between them
  ./dev upstream --tags /account:TestAccountMove     an Odoo test selection
  ./dev upstream --jobs 4                 how many Odoo processes share the tests of a side

Tests that Odoo runs while their module installs (at_install) are left out: modules that
depend on it, like this one, are not loaded then, so they cannot meet.

Both sides are clones of the template database; one gets the add-on installed. A test that
passes without the add-on and fails, is skipped or does not run with it is tried once more,
alone, on fresh clones of both. What is different then is printed, and the command fails. It
also fails when fewer tests ran than the source of the suites holds. A run of everything
writes its result into docs/upstream.md.

What the side without the add-on came to is kept in the cache for as long as the template
database is the same; --fresh runs it again.
"""

import json
import os
import time
from contextlib import contextmanager
from datetime import date

from . import cache, odoo, odoo_tree, postgres, ready, template, test_plan, test_run
from .report import Failure, say, step

HELP = "run Odoo's own suites without the add-on and with it, and compare"
MODULES = ["account", "account_payment", "portal"]
REPORT = cache.REPO / "docs" / "upstream.md"
PASSED, FAILED, SKIPPED, MISSING = "passed", "failed", "skipped", "did not run"
SIDES = ("without", "with")


def add_arguments(parser):
    parser.add_argument(
        "--modules",
        default=",".join(MODULES),
        help=f"the suites to run, with commas (default: {','.join(MODULES)})",
    )
    parser.add_argument("--tags", help="an Odoo test selection instead of whole suites")
    parser.add_argument(
        "--jobs", type=int, default=min(4, os.cpu_count() or 1), help="processes for each side"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="run the side without the add-on again, too"
    )
    parser.add_argument("--verbose", action="store_true", help="show Odoo's log while it runs")


def main(options):
    tree = odoo_tree.ensure()
    expected, specs = _select(tree, options)
    source = ready.ensure()
    started = time.monotonic()
    results = {side: _run_side(side, source, expected, specs, options) for side in SIDES}
    if suspects := _broken(results):
        _try_again(source, results, suspects, options)
    minutes = (time.monotonic() - started) / 60
    summary = _summary(expected, results)
    say("\n" + "\n".join(summary))
    say(f"\n  {minutes:.0f} minutes.")
    if not options.tags and options.modules == ",".join(MODULES):
        _write_report(summary)
    lost = {side: _count_missing(results[side]) for side in SIDES}
    for side, count in lost.items():
        if count:
            say(f"  PROBLEM: {count} of {len(expected)} tests did not run {side} the add-on")
    return 1 if any(lost.values()) or _broken(results) else 0


def _count_missing(results):
    return list(results.values()).count(MISSING)


def _select(tree, options):
    """:return: the tests that must run, and the selection that makes Odoo run them"""
    modules = options.modules.split(",")
    wanted = options.tags or ",".join(f"/{module}" for module in modules)
    specs = f"{wanted},-at_install"
    expected = set()
    for module in modules:
        addon = tree / "odoo" / "addons" / module
        if not (addon / "tests").is_dir():
            raise Failure(f"Odoo has no module {module} with tests")
        try:
            expected |= test_plan.select(test_plan.collect(addon), specs, module)
        except ValueError as error:
            raise Failure(f"{error} is not a test selection") from error
    if not expected:
        raise Failure("no test matches this selection")
    return expected, specs


def _run_side(side, source, expected, specs, options):
    """Run one side on a clone of its own, or take what is known of the one without the add-on."""
    key = cache.digest(source, specs, *sorted(f"{test.logger}.{test.name}" for test in expected))
    known = cache.root() / f"upstream-{key}.json"
    if side == "without" and known.exists() and not options.fresh:
        say(f"  without the add-on: as on {date.fromtimestamp(known.stat().st_mtime)}")
        return _results_from(json.loads(known.read_text()), expected)
    with _side(side, source) as database:
        selections = test_plan.split(expected, specs, options.jobs)
        results = _run(database, expected, selections, side, options)
    if side == "without" and not _count_missing(results):
        known.write_text(
            json.dumps([[test.logger, test.name, result] for test, result in results.items()])
        )
    return results


@contextmanager
def _side(side, source):
    """A throw-away database without the add-on or with it."""
    with template.clone(f"upstream-{side}", source) as database:
        if side == "with":
            with step("installing the add-on"):
                odoo.install(database, [odoo.MODULE], log="upstream-install")
        yield database


def _run(database, expected, selections, side, options):
    """:return: ``{test: result}`` of all that ran, and of all that should have"""
    say(f"  {side} the add-on: running {len(expected)} tests on {database} …")
    _keep_statistics(database)
    runner = test_run.Runner(options.verbose)
    runner.side_by_side(database, selections, options.jobs)
    return _results(runner.outcome, expected)


def _keep_statistics(database):
    """Tests roll back, so a vacuum between two of them counts no row, and Odoo's larger queries
    then take minutes instead of a moment: on either side, whenever the vacuum happens to come."""
    postgres.query(
        "DO $$ DECLARE name text; BEGIN"
        " FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP"
        " EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = false)', name);"
        " END LOOP; END $$",
        database,
    )


def _results(outcome, expected):
    """:return: ``{test: result}`` of what the log tells, and of what it should have told"""
    found = []
    for logger, name in outcome.started:
        class_path = f"{logger}.{name.partition('.')[0]}"
        if (logger, name) in outcome.failed or class_path in outcome.failed_classes:
            found.append((logger, name, FAILED))
        elif (logger, name) in outcome.skipped or class_path in outcome.skipped_classes:
            found.append((logger, name, SKIPPED))
        else:
            found.append((logger, name, PASSED))
    results = _results_from(found, expected)
    for test in expected:  # a class whose set-up fails or skips starts none of its tests
        if results[test] == MISSING and test.class_path in outcome.failed_classes:
            results[test] = FAILED
        elif results[test] == MISSING and test.class_path in outcome.skipped_classes:
            results[test] = SKIPPED
    return results


def _results_from(found, expected):
    by_key = {(test.logger, test.name): test for test in expected}
    results = dict.fromkeys(expected, MISSING)
    for logger, name, result in found:
        # a test that only Odoo finds (made by a loop, say) counts like any other
        test = by_key.get((logger, name)) or test_plan.Test(
            logger, name, file="", tags=frozenset(), in_browser=False
        )
        results[test] = result
    return results


def _broken(results):
    """The tests that pass without the add-on and do not pass with it."""
    return sorted(
        (
            test
            for test, result in results["without"].items()
            if result == PASSED and results["with"].get(test, MISSING) != PASSED
        ),
        key=lambda test: (test.logger, test.name),
    )


def _try_again(source, results, suspects, options):
    """A browser that was slow once is no difference: ask both sides again, in peace."""
    say(f"  {len(suspects)} differ; trying them again …")
    tags = ",".join(
        f"/{test.logger.split('.')[2]}:{test.name.partition('.')[0]}.{test.name.partition('.')[2]}"
        for test in suspects
    )
    for side in SIDES:
        with _side(side, source) as database:
            again = _run(database, set(suspects), [tags], side, options)
        results[side].update({test: again[test] for test in suspects})


def _summary(expected, results):
    """The counts of both sides and every difference, as lines of a Markdown page."""
    lines = ["| | tests | passed | failed | skipped | did not run |", "|---|---|---|---|---|---|"]
    for side in SIDES:
        values = list(results[side].values())
        counts = [values.count(result) for result in (PASSED, FAILED, SKIPPED, MISSING)]
        lines.append(f"| {side} membri_renewal | {len(values)} | " + " | ".join(map(str, counts)))
        lines[-1] += " |"
    both = results["without"].keys() | results["with"].keys()
    different = sorted(
        (test.logger, test.name, *(results[side].get(test, MISSING) for side in SIDES))
        for test in both
        if results["without"].get(test, MISSING) != results["with"].get(test, MISSING)
    )
    lines.append("")
    if different:
        lines += [
            f"- `{logger.removeprefix('odoo.addons.')}` {name}: {plain} without, {ours} with"
            for logger, name, plain, ours in different
        ]
    else:
        lines.append("No difference: each test ends the same way on both sides.")
    return [*lines, *_common_failures(results)]


def _common_failures(results):
    """What fails on both sides has another reason: the machine, or Odoo's package."""
    common = sorted(
        f"- `{test.logger.removeprefix('odoo.addons.')}` {test.name}"
        for test, result in results["without"].items()
        if result == FAILED and results["with"].get(test) == FAILED
    )
    return ["", "Failing on both sides:", "", *common] if common else []


def _write_report(summary):
    text = [
        "# Odoo's own test suites, without the add-on and with it",
        "",
        f"Written by `./dev upstream` on {date.today().isoformat()}, with {odoo_tree.source()}.",
        f"Suites: {', '.join(MODULES)}.",
        "A test that differs is tried again on fresh databases before it is listed here.",
        "Tests that Odoo runs while their module installs (`at_install`) are left out:",
        "modules that depend on it are not loaded then.",
        "",
        *summary,
    ]
    REPORT.write_text("\n".join(text) + "\n", encoding="utf-8")
    say(f"  Written to {REPORT.relative_to(cache.REPO)}.")
