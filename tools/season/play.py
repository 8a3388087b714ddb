"""A season in one process: Odoo's registry, its HTTP server in a thread, and a clock that jumps.

Started by ``./dev season`` with Odoo's Python::

    python play.py DATABASE MAIL_FOLDER WEEKS printed|blank [options of Odoo]
"""

import io
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import campaign
import cards
import cast
import checks
import freezegun.api
import lost
import money
import papers
import second
import slips
from accountant import Accountant
from inbox import Inbox
from ledger import Ledger
from members import Members
from mishaps import Mishaps
from officer import Officer
from reportlab.pdfgen.canvas import Canvas

import odoo.http
from odoo import api
from odoo.modules.registry import Registry
from odoo.service import server
from odoo.tools import config

from odoo.addons.base.models.ir_actions_report import IrActionsReport

NIGHT = [
    "membri_renewal.ir_cron_update_states",
    "membri_renewal.ir_cron_generate",
    "membri_renewal.ir_cron_charge",
    "membri_renewal.ir_cron_send_reminders",
    "membri_renewal.ir_cron_end_unpaid",
]
QUEUES = [
    "membri_renewal.ir_cron_process_bulk",
    "membri_renewal.ir_cron_send_fee_notices",
    "account.ir_cron_account_move_send",
    "membri_renewal.ir_cron_send_receipts",
    "mail.ir_cron_mail_scheduler_action",
]


STEP = 2  # weeks between two working days


class World:
    """What the people of the season share: the database, the clock's day, a diary."""

    def __init__(self, database, inbox):
        self.registry = Registry(database)
        self.inbox = inbox
        self.ledger = Ledger()
        self.mishaps = Mishaps(self)
        self.slips = slips.Slips(self)
        self.papers = papers.Papers(self)
        self.money = money.Money(self)
        self.campaign = campaign.Campaign(self)
        self.cast = cast.Cast(self)
        self.second = second.Second(self)
        self.members = Members(self)
        self.officer = Officer(self)
        self.accountant = Accountant(self)

    @contextmanager
    def acting_as(self, login, company_id=None):
        """A transaction of its own for a user, in the demo company or another one; committed at
        the end."""
        with self.registry.cursor() as cr:
            root = api.Environment(cr, odoo.SUPERUSER_ID, {})
            company = root.ref("membri_renewal.demo_company")
            company = company.browse(company_id) if company_id else company
            user = root["res.users"].search([("login", "=", login)]) if login else root.user
            yield api.Environment(
                cr, user.id, {"allowed_company_ids": company.ids, "lang": user.lang}
            )

    def run_crons(self, xmlids):
        for xmlid in xmlids:
            with self.registry.cursor() as cr:
                api.Environment(cr, odoo.SUPERUSER_ID, {}).ref(xmlid).method_direct_trigger()

    def collect_mails(self):
        with self.acting_as(None) as env:
            self.inbox.collect(env)


def serve():
    """Odoo's own threaded HTTP server, in this process: it lives by the same clock."""
    server.load_server_wide_modules()
    server.server = server.ThreadedServer(odoo.http.root)
    server.server.http_spawn()


def print_blank(report, bodies, *args, **kwargs):
    """wkhtmltopdf takes most of a season's time: an empty page for each document instead."""
    content = io.BytesIO()
    canvas = Canvas(content)
    for _body in bodies:
        canvas.showPage()
    canvas.save()
    return content.getvalue()


def jump(clock, moment):
    """Go on ticking from ``moment`` (the pinned freezegun moves only clocks that stand)."""
    # by its full name: freezegun replaces every other reference to the real clock
    clock.time_to_freeze, clock.start = moment, freezegun.api.real_datetime.now()


def play(world, start, weeks):
    people = [
        world.campaign,
        world.members,
        world.officer,
        cards.Cards(world),
        world.money,
        world.mishaps,
        world.slips,
        world.papers,
        world.cast,
        world.second,
        world.accountant,
    ]
    with freezegun.api.freeze_time(start, tick=True) as clock:
        for week in range(0, weeks + 1, STEP):
            jump(clock, start + timedelta(weeks=week))
            scheduled = [] if week in slips.STILL_WEEKS else NIGHT + QUEUES
            world.run_crons(scheduled)
            world.collect_mails()
            for person in people:
                person.work(week)
                world.collect_mails()
            world.run_crons(scheduled)  # twice a day: each thing happens once
            world.collect_mails()
            with world.acting_as(None) as env:
                world.ledger.look(env)
            print(f"\r  week {week} of {weeks}: {len(world.inbox)} mails", end="", flush=True)
        with world.acting_as(None) as env:
            return conclude(env, world)


def conclude(env, world):
    """Print the season and its checks; :return: the exit code"""
    world.ledger.print_months(env)
    results = list(checks.run(env, world.ledger, world.inbox))
    results += lost.run(env, world.ledger, world.inbox, world.mishaps)
    results += slips.run(env, world.slips)
    results += papers.run(env, world.papers)
    results += money.run(env, world.mishaps, world.money)
    results += campaign.run(env, world.campaign)
    results += cast.run(env, world.cast)
    results += cards.check(env)
    with world.acting_as(None, world.second.company_id) as beside:
        results += second.run(beside, world.second, world.ledger)
    print()
    for holds, sentence in results:
        print(f"  {'ok   ' if holds else 'WRONG'} {sentence}")
    if not (adds_up := all(holds for holds, _sentence in results)):
        print("\n  The season does not add up.")
    else:
        print("\n  A season that adds up.")
    return 0 if adds_up else 1


def main():
    database, folder, weeks, documents, *options = sys.argv[1:]
    if documents == "blank":
        IrActionsReport._run_wkhtmltopdf = print_blank
    config.parse_config(["-d", database, f"--db-filter=^{database}$", *options], setup_logging=True)
    start = datetime.now().replace(hour=15, minute=0, second=0, microsecond=0)
    serve()
    world = World(database, Inbox(Path(folder)))
    with world.acting_as(None) as env:
        # Odoo gives the scripts of each page a second: our documents have none
        env["ir.config_parameter"].set_param("report.print_delay", "1")
        world.second.enter(env)
        world.cast.enter(env)
        world.ledger.open(env)
    return play(world, start, int(weeks))


if __name__ == "__main__":
    sys.exit(main())
