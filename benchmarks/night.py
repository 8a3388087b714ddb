"""What memory the night takes to send N notices, then N reminders, and whether it grows with N.

Run by ``./dev bench night`` inside an Odoo shell (``env`` is given), on a clone that is thrown
away: the work is committed batch by batch, as at night. Each has its PDF, printed by wkhtmltopdf
without style sheets, since no server runs. Prints the memory of the Odoo process (resident;
``peak`` as the kernel counts it since the work began) at each quarter. Fails when the second half
raises the peak by more than ``ALLOWED_MB`` for each 1,000. ``NIGHT_NOTICES`` is the number, 2,000
when it is not set; some hundreds are too few, they only show a process that warms up.
"""

import logging
import os
import time
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from odoo.fields import Command

COUNT = int(os.environ.get("NIGHT_NOTICES", "2000"))
CREATED_AT_ONCE = 500
ALLOWED_MB = 5.0


def read_memory():
    """:return: (resident, peak) of this process in MB"""
    rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return tuple(int(rows[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def prepare(env):
    """:return: ids of the renewals in draft, each with its member"""
    product = env["product.product"].create({"name": "Night", "type": "service", "list_price": 300})
    option_set = env["membri.option.set"].create(
        {
            "name": "Night",
            "line_ids": [Command.create({"product_id": product.id})],
            "reminder_ids": [Command.create({"trigger": "after_sent", "days": 0})],
        }
    )
    start = env.company._membri_today() - timedelta(days=350)
    renewal_ids = []
    for first in range(0, COUNT, CREATED_AT_ONCE):
        partners = env["res.partner"].create(
            [
                {"name": f"Night {i}", "email": f"night{i}@example.com"}
                for i in range(first, min(first + CREATED_AT_ONCE, COUNT))
            ]
        )
        cotisations = env["membri.cotisation"].create(
            [
                {
                    "partner_id": partner.id,
                    "option_set_id": option_set.id,
                    "date_start": start,
                    "state": "active",
                }
                for partner in partners
            ]
        )
        renewals = env["membri.renewal"].create([{"cotisation_id": c.id} for c in cotisations])
        renewal_ids += renewals.ids
        env.cr.commit()
    return renewal_ids


def watch(env, title, work):
    """Run ``work``, print the memory at each quarter of it.

    :return: by how many MB the peak rose in the second half, for each 1,000
    """
    Cron = env.registry["ir.cron"]
    origin, done, peaks = Cron._commit_progress, [0], {}

    def commit(cron, processed=0, **values):
        result = origin(cron, processed, **values)
        done[0] += processed
        quarter = 4 * done[0] // COUNT
        if processed and quarter not in peaks:
            resident, peaks[quarter] = read_memory()
            seconds = time.perf_counter() - started
            row = f"{done[0]:7,} {seconds:7.0f} s {resident:9.1f} {peaks[quarter]:9.1f}"
            print(f"    {row}", flush=True)
        return result

    print(f"  {title}\n    {'done':>7} {'':9} {'resident':>9} {'peak':>9}  MB", flush=True)
    forget_peak()
    started = time.perf_counter()
    with patch.object(Cron, "_commit_progress", commit):
        work()
    growth = (peaks[4] - peaks[2]) * 1000 / (COUNT / 2)
    print(f"    the second half raised the peak by {growth:.1f} MB for each 1,000")
    return growth


def main(env):
    # without a server each print warns of style sheets; Odoo's own libraries are deprecated
    for logger in ("odoo.addons.base.models.ir_actions_report", "py.warnings"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    renewal_ids = prepare(env)
    env["membri.renewal"].browse(renewal_ids).action_bulk("send")
    env.cr.commit()
    print(f"  before: {read_memory()[0]:.1f} MB resident")
    growing = []
    works = {
        "notices": env["membri.bulk.job"]._cron_process_bulk,
        "reminders": env["membri.renewal"]._cron_send_reminders,
    }
    for title, work in works.items():
        if watch(env, title, work) > ALLOWED_MB:
            growing.append(title)
    mails = env["mail.mail"].search_count(
        [("model", "=", "membri.renewal"), ("res_id", "in", renewal_ids)]
    )
    print(f"  {mails:,} emails in the queue")
    if mails < 2 * COUNT:
        raise SystemExit("some were not sent: the figures say nothing")
    if growing:
        raise SystemExit(f"memory grows with the number of {', '.join(growing)}")


main(env)  # noqa: F821 - given by the shell
