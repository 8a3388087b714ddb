"""How long it takes to import N members with three years of terms, and what memory.

Run by ``./dev bench import`` inside an Odoo shell (``env`` is given), on a clone that is thrown
away: reading, preview, run, the same list again, and undo, each committed batch by batch as in the
background. Prints minutes, rows a second and the memory of the process at each quarter. Fails when
a row is not as expected, when the second half of a step takes more than ``ALLOWED_SLOWER`` times
the first (it grows faster than the list), or raises the peak of memory by more than ``ALLOWED_MB``
for each 10,000 rows. ``IMPORT_MEMBERS`` is the number, 100,000 when it is not set.
"""

import base64
import csv
import io
import logging
import os
import time
from pathlib import Path
from unittest.mock import patch

from odoo.fields import Command

from odoo.addons.membri_renewal.models.moving_in import preview

COUNT = int(os.environ.get("IMPORT_MEMBERS", "100000"))
YEARS = (2024, 2025, 2026)
ROWS = COUNT * len(YEARS)
ALLOWED_MB = 15.0
ALLOWED_SLOWER = 1.6


def read_memory():
    """:return: (resident, peak) of this process in MB"""
    rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return tuple(int(rows[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def make_list():
    """:return: the bytes of the list"""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(
        ["Record ID", "Name", "Email", "Street", "City", "Plan", "Start", "End", "Amount", "Color"]
    )
    for year in YEARS:
        for number in range(COUNT):
            writer.writerow(
                [
                    number,
                    f"Member {number}",
                    f"member{number}@import.example",
                    f"{number} Main Street",
                    "Montréal",
                    "Bench",
                    f"{year}-01-01",
                    f"{year}-12-31",
                    "120.00",
                    "blue",
                ]
            )
    return buffer.getvalue().encode()


def make_plan(env):
    product = env["product.product"].create({"name": "Bench", "type": "service", "list_price": 120})
    return env["membri.option.set"].create(
        {
            "name": "Bench",
            "date_mode": "fixed",
            "fixed_month": "1",
            "fixed_day": 1,
            "line_ids": [Command.create({"product_id": product.id, "is_required": True})],
        }
    )


def watch(env, title, record, total, until=lambda: False):
    """Work ``record`` off as the background does, and print each quarter.

    :param total: how many rows are worked on
    :param until: function that says that this step is over, before all of the work is
    :return: what is wrong, as a list of sentences"""
    print(f"  {title}\n    {'rows':>8} {'':9} {'resident':>9} {'peak':>9}  MB", flush=True)
    forget_peak()
    started, busy = time.perf_counter(), time.process_time()
    done, marks = 0, {0: (0.0, read_memory()[1])}
    while processed := record._process_batch_with_retries():
        env.cr.commit()
        done += processed
        quarter = 4 * done // total
        if quarter not in marks:
            seconds = time.perf_counter() - started
            resident, peak = read_memory()
            marks[quarter] = seconds, peak
            print(f"    {done:8,} {seconds:7.0f} s {resident:9.1f} {peak:9.1f}", flush=True)
        if until():
            break
    seconds = time.perf_counter() - started
    busy = time.process_time() - busy  # without PostgreSQL's, and whatever else the machine does
    print(
        f"    {seconds / 60:.1f} minutes, {done / seconds:.0f} rows a second "
        f"({busy:.0f} s of processor)",
        flush=True,
    )
    problems = []
    if 2 in marks and 4 in marks:
        slower = (marks[4][0] - marks[2][0]) / marks[2][0]
        growth = (marks[4][1] - marks[2][1]) * 10_000 / (total / 2)
        print(f"    second half: {slower:.2f} times the first, {growth:.1f} MB for each 10,000")
        if slower > ALLOWED_SLOWER:
            problems.append(f"{title}: the second half took {slower:.2f} times the first")
        if growth > ALLOWED_MB:
            problems.append(f"{title}: memory grew by {growth:.1f} MB for each 10,000 rows")
    return problems


def main(env):
    preview.READ_SECONDS = 2  # else a quarter of the reading passes unseen within one step
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    plan = make_plan(env)
    content = base64.b64encode(make_list())
    print(f"  {COUNT:,} members, {ROWS:,} rows, {len(content) * 3 // 4 / 1024**2:.1f} MB")
    Import = env["membri.import"]
    triggered = patch.object(type(Import), "_work_or_queue", lambda *_args: False)
    problems = []

    def start(values=None, record=None, task="preview"):
        record = record or Import.create(values)
        began = time.perf_counter()
        with triggered:
            getattr(record, f"action_{task}")()
        env.cr.commit()
        print(f"  {task} begins after {time.perf_counter() - began:.1f} s")
        return record

    def check(record, result, state):
        counts = dict(
            env["membri.import.line"]._read_group(
                [("import_id", "=", record.id)], ["result"], ["__count"]
            )
        )
        if counts != {result: ROWS} or record.state != state:
            problems.append(f"{record.state}, {counts}, expected {state}, {ROWS:,} {result}")

    values = {"profile": "free", "file": content, "filename": "bench.csv"}
    values["option_set_map"] = {"Bench": plan.id}
    record = start(values)
    problems += watch(env, "reading", record, ROWS, until=lambda: record.overview)
    problems += watch(env, "preview", record, ROWS)
    check(record, "new", "previewed")
    start(record=record, task="run")
    problems += watch(env, "import", record, ROWS)
    check(record, "new", "done")
    terms = env["membri.cotisation"].search_count([("option_set_id", "=", plan.id)])
    if terms != ROWS:
        problems.append(f"{terms:,} terms")
    again = start(values)
    problems += watch(env, "reading the same list", again, ROWS, until=lambda: again.overview)
    problems += watch(env, "preview of the same list", again, ROWS)
    check(again, "same", "previewed")
    again.unlink()
    start(record=record, task="undo")
    problems += watch(env, "undo", record, 2 * ROWS)
    if env["membri.cotisation"].search_count([("option_set_id", "=", plan.id)]):
        problems.append("terms are left after the undo")
    if env["res.partner"].search_count([("email", "=like", "%@import.example")]):
        problems.append("contacts are left after the undo")
    if problems:
        raise SystemExit("; ".join(problems))


main(env)  # noqa: F821 - given by the shell
