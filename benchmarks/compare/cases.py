"""The cases of ``./dev bench`` that one Odoo process measures. Each is committed, on a clone that
is thrown away; work is done as an officer, so record rules are on.

A case is a function that takes a ``Bench`` and returns ``{n, ours_s, reference, reference_s, ratio,
queries}``; seconds are CPU seconds of all ``n``. Its limits are in ``limits.py``.
"""

import itertools
import logging
import time
from datetime import timedelta
from pathlib import Path

import clock

from odoo.fields import Command

CASES = {}
NIGHTLY = ("_cron_update_states", "_cron_generate", "_cron_send_reminders")
# members of three years: the current term active, two expired ones that were renewed; those that
# end within 60 days have a renewal that was sent
FILL = """
INSERT INTO res_partner (name, complete_name, email, active, type, create_date, autopost_bills,
                         membri_status)
     SELECT 'Night ' || i, 'Night ' || i, 'night' || i || '@example.com', true, 'contact', now(),
            'ask', jsonb_build_object(%(company)s::text, 'active')
       FROM generate_series(1, %(count)s) i;
INSERT INTO membri_cotisation (name, partner_id, company_id, currency_id, option_set_id, date_start,
                               date_end, date_expired, state, origin, is_history, amount_untaxed,
                               amount_total, create_date)
     SELECT 'N' || y || '/' || p.id, p.id, %(company)s, %(currency)s, %(set)s,
            d.s - y * interval '364 day', d.s - y * interval '364 day' + interval '363 day',
            CASE WHEN y > 0 THEN (d.s - (y - 1) * interval '364 day')::date END,
            CASE WHEN y = 0 THEN 'active' ELSE 'expired' END, 'renewal', false, 300, 345, now()
       FROM res_partner p, generate_series(0, 2) y,
            LATERAL (SELECT %(today)s::date - p.id %% 363 AS s) d
      WHERE p.name LIKE 'Night %%';
INSERT INTO membri_renewal (name, partner_id, recipient_id, company_id, currency_id, cotisation_id,
                            option_set_id, date_start, date_end, current_date_end, mode, state,
                            is_open, is_paid, amount_untaxed, amount_total, date_sent, date_state,
                            date_next_reminder, reminder_count, create_date, user_id)
     SELECT 'R' || c.id, c.partner_id, c.partner_id, c.company_id, c.currency_id, c.id,
            c.option_set_id, c.date_end + 1, c.date_end + 364, c.date_end, 'notice',
            CASE WHEN c.state = 'active' THEN 'sent' ELSE 'approved' END, c.state = 'active',
            c.state <> 'active', 300, 345, now(), now(),
            CASE WHEN c.state = 'active' THEN %(today)s::date + 5 END, 0, now(), %(user)s
       FROM membri_cotisation c
      WHERE c.name LIKE 'N%%/%%' AND (c.state = 'expired' OR c.date_end <= %(today)s::date + 60);
UPDATE membri_cotisation n SET previous_id = o.id FROM membri_cotisation o
 WHERE o.partner_id = n.partner_id AND o.date_end = n.date_start - 1 AND n.name LIKE 'N%%/%%'
"""


def case(function):
    CASES[function.__name__] = function
    return function


class Bench:
    """The database, the officer, and the sizes of this run."""

    def __init__(self, env, quick):
        self.admin = env
        self.quick = quick
        self.rounds = 3 if quick else 7
        self.numbers = itertools.count(time.time_ns() % 10**9)
        self.today = env.company._membri_today()
        groups = env.ref("membri_renewal.group_membri_user")
        groups += env.ref("account.group_account_invoice")
        user = env["res.users"].create(
            {
                "name": "Bench officer",
                "login": f"bench{time.time_ns()}",
                "email": "bench@example.com",
                "group_ids": [Command.link(group.id) for group in groups],
            }
        )
        env.company.membri_officer_id = user
        env.cr.commit()
        self.env = env(user=user.id, context={"lang": "en_US", "tz": "America/Toronto"})
        self.product = env["product.product"].create(
            {"name": "Bench membership", "type": "service", "list_price": 300}
        )
        self.option_set = self.create_set()

    def create_set(self, **vals):
        return self.admin["membri.option.set"].create(
            {
                "name": f"Bench {next(self.numbers)}",
                "line_ids": [Command.create({"product_id": self.product.id})],
                **vals,
            }
        )

    def create_members(self, count):
        number = next(self.numbers)
        return self.admin["res.partner"].create(
            [
                {"name": f"Bench {number} {i}", "email": f"b{number}-{i}@example.com"}
                for i in range(count)
            ]
        )

    def create_renewals(self, count, option_set=None):
        cotisations = self.admin["membri.cotisation"].create(
            [
                {
                    "partner_id": partner.id,
                    "option_set_id": (option_set or self.option_set).id,
                    "date_start": self.today - timedelta(days=350),
                    "state": "active",
                }
                for partner in self.create_members(count)
            ]
        )
        renewals = self.admin["membri.renewal"].create(
            [{"cotisation_id": c.id} for c in cotisations]
        )
        self.admin.cr.commit()
        return renewals.with_env(self.env)

    def invoice(self, partners):
        """What Odoo alone does: as many posted invoices of one line."""
        moves = self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": partner.id,
                    "invoice_date": self.today,
                    "invoice_line_ids": [
                        Command.create(
                            {"product_id": self.product.id, "quantity": 1, "price_unit": 300}
                        )
                    ],
                }
                for partner in partners
            ]
        )
        moves.action_post()
        return moves

    def pay(self, moves):
        context = {"active_model": "account.move", "active_ids": moves.ids}
        wizard = self.env["account.payment.register"].with_context(**context)
        return wizard.create({"group_payment": False})._create_payments()

    def measure(self, work):
        seconds, queries, _result = clock.measure(self.env, work)
        return seconds, queries

    def analyze(self):
        self.admin.cr.execute("ANALYZE")
        self.admin.cr.commit()


def compare(bench, count, reference, ours, theirs):
    summary, ratios = clock.in_turn(bench.rounds, ours=ours, theirs=theirs)
    seconds, spread, queries = summary["ours"]
    return {
        "n": count,
        "ours_s": seconds,
        "spread": spread,
        "reference": reference,
        "reference_s": summary["theirs"][0],
        "ratio": ratios["theirs"],
        "queries": queries,
    }


def approve_many(bench, count):
    def ours(_number):
        renewals = bench.create_renewals(count)
        result = bench.measure(renewals.action_approve)
        assert set(renewals.sudo().invoice_id.mapped("state")) == {"posted"}
        return result

    def theirs(_number):
        partners = bench.create_members(count).with_env(bench.env)
        return bench.measure(lambda: bench.invoice(partners))

    return compare(bench, count, "as many invoices of Odoo", ours, theirs)


@case
def approve(bench):
    return approve_many(bench, 100)


@case
def approve_1000(bench):
    if bench.quick:
        return None
    bench.rounds, rounds = 3, bench.rounds
    try:
        return approve_many(bench, 1000)
    finally:
        bench.rounds = rounds


@case
def settle(bench):
    """Forty payments at once."""

    def ours(_number):
        renewals = bench.create_renewals(40)
        renewals.action_approve()
        moves = renewals.sudo().invoice_id.with_env(bench.env)
        result = bench.measure(lambda: bench.pay(moves))
        assert set(renewals.mapped("is_paid")) == {True}
        return result

    def theirs(_number):
        moves = bench.invoice(bench.create_members(40).with_env(bench.env))
        return bench.measure(lambda: bench.pay(moves))

    return compare(bench, 40, "payments of Odoo's invoices", ours, theirs)


@case
def night_idle(bench):
    """The three nightly runs when nothing is due."""
    return run_night(bench, 20_000 if bench.quick else 100_000)


def run_night(bench, count):
    env = bench.admin
    option_set = bench.create_set(notice_lead_days=60)
    env.flush_all()
    values = {
        "count": count,
        "company": env.company.id,
        "currency": env.company.currency_id.id,
        "set": option_set.id,
        "today": bench.today,
        "user": env.uid,
    }
    for statement in FILL.split(";"):
        env.cr.execute(statement, values)
    env.cr.commit()
    bench.analyze()
    runs = [work_of(env, name) for name in NIGHTLY]
    for run in runs:  # once, so that what the other cases have left is done
        run()
    seconds, queries = [], 0
    for _number in range(3):
        spent = [clock.measure(env, run) for run in runs]
        seconds.append(sum(s for s, _queries, _result in spent))
        queries = sum(q for _seconds, q, _result in spent)
    return {"n": count, "ours_s": sorted(seconds)[1], "queries": queries}


def work_of(env, name):
    model = "membri.cotisation" if name == "_cron_update_states" else "membri.renewal"
    return getattr(env[model], name)


@case
def night_due(bench):
    """As many terms to be renewed as 1 % of the members: drafts with their notices."""
    count = 50 if bench.quick else 1000
    option_set = bench.create_set(notice_lead_days=30)
    bench.admin["membri.cotisation"].create(
        [
            {
                "partner_id": partner.id,
                "option_set_id": option_set.id,
                "date_start": bench.today - timedelta(days=350),
                "state": "active",
            }
            for partner in bench.create_members(count)
        ]
    )
    bench.analyze()
    seconds, queries, _result = clock.measure(
        bench.admin, bench.admin["membri.renewal"]._cron_generate
    )
    return {"n": count, "ours_s": seconds, "queries": queries}


@case
def dashboards(bench):
    """The cards of all queues, as the officer's page reads them."""

    def read():
        return (
            bench.env["membri.dashboard"]
            .search([])
            .read(["record_count", "date_oldest", "amount_at_stake", "recent_count"])
        )

    spent = [clock.measure(bench.env, read) for _number in range(5)]
    return {
        "n": bench.admin["membri.renewal"].search_count([]),
        "ours_s": sorted(seconds for seconds, _queries, _result in spent)[2],
        "queries": spent[-1][1],
    }


@case
def growth(bench):
    """The cost of one approval among many beside one among few."""
    many = 500 if bench.quick else 5000

    def approve_one_by_one(count):
        renewals = bench.create_renewals(count)
        seconds, queries = bench.measure(
            lambda: [
                renewals[start : start + 200].action_approve() for start in range(0, count, 200)
            ]
        )
        return seconds / count, queries / count

    approve_one_by_one(20)
    few = sorted(approve_one_by_one(20)[0] for _number in range(5))[2]
    seconds, queries = approve_one_by_one(many)
    return {
        "n": many,
        "ours_s": seconds * many,
        "reference": "as many in batches of 20",
        "reference_s": few * many,
        "ratio": seconds / few,
        "queries": round(queries * many),
    }


@case
def memory(bench):
    """What the process holds after many approvals in the background, in MB (as ``ours_s``)."""
    count = 400 if bench.quick else 10_000
    for start in range(0, count, 400):
        bench.create_renewals(min(400, count - start)).action_bulk("approve")
        bench.env.cr.commit()
        bench.admin["membri.bulk.job"]._cron_process_bulk()
        bench.env.invalidate_all()
    rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return {"n": count, "ours_s": int(rows["VmRSS"].split()[0]) / 1024, "queries": 0}


def run(env, names, quick, tell):
    """:param tell: function(name, result), called after each case"""
    for logger in ("odoo.addons.base.models.ir_actions_report", "py.warnings"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    bench = Bench(env, quick)
    bench.analyze()
    for name, function in CASES.items():
        if names and name not in names:
            continue
        started = time.perf_counter()
        result = function(bench)
        if result:
            tell(name, {**result, "wall_s": time.perf_counter() - started})
