"""The cases of ``./dev bench`` that one Odoo process measures. Each is committed, on a clone that
is thrown away; work is done as an officer, so record rules are on.

A case is a function that takes a ``Bench`` and returns ``{n, ours_s, reference, reference_s, ratio,
queries}``; seconds are CPU seconds of all ``n``. Its limits are in ``limits.py``.
"""

import logging
import time
from datetime import timedelta
from pathlib import Path

import clock
from bench import Bench, compare

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
    bench.rounds, rounds = 3, bench.rounds
    try:
        return approve_many(bench, 1000)
    finally:
        bench.rounds = rounds


@case
def peers(bench):
    """The same beside OCA's ``contract`` and ``membership``, which are installed here besides.

    :return: list of (name, result)"""
    count = 100
    Contract = bench.env["contract.contract"]
    product = bench.admin["product.product"].create(
        {
            "name": "Bench membership of OCA",
            "type": "service",
            "list_price": 300,
            "membership": True,
            "membership_date_from": bench.today,
            "membership_date_to": bench.today + timedelta(days=364),
        }
    )
    # what OCA's own officers have
    bench.env.user.sudo().group_ids += bench.admin.ref("account.group_account_manager")
    bench.env.user.sudo().group_ids += bench.admin.ref("base.group_partner_manager")

    def ours(_number):
        return bench.measure(bench.create_renewals(count).action_approve)

    def contract(_number):
        contracts = Contract.create(
            [
                {
                    "name": partner.name,
                    "partner_id": partner.id,
                    "contract_line_ids": [
                        Command.create(
                            {
                                "product_id": bench.product.id,
                                "name": bench.product.name,
                                "quantity": 1,
                                "price_unit": 300,
                                "recurring_rule_type": "yearly",
                                "recurring_interval": 1,
                                "date_start": bench.today,
                            }
                        )
                    ],
                }
                for partner in bench.create_members(count).with_env(bench.env)
            ]
        )
        return bench.measure(lambda: contracts._recurring_create_invoice().action_post())

    def membership(_number):
        partners = bench.create_members(count).with_env(bench.env)
        return bench.measure(lambda: partners.create_membership_invoice(product, 300).action_post())

    summary, ratios = clock.in_turn(
        bench.rounds, ours=ours, contract=contract, membership=membership
    )
    seconds, spread, queries = summary["ours"]
    return [
        (
            f"approve_{peer}",
            {
                "n": count,
                "ours_s": seconds,
                "spread": spread,
                "reference": f"OCA {peer}",
                "reference_s": summary[peer][0],
                "ratio": ratios[peer],
                "queries": queries,
            },
        )
        for peer in ("contract", "membership")
    ]


@case
def notice(bench):
    """Fifty notices with their PDF, and what wkhtmltopdf takes for as many pages."""
    count = 50
    bench.rounds, rounds = 2 if bench.quick else 3, bench.rounds
    pages = "".join(
        f'<h1 style="page-break-after: always">Page {number}</h1>' for number in range(count)
    )
    Report = bench.admin["ir.actions.report"]

    def ours(_number):
        renewals = bench.create_renewals(count)
        result = bench.measure(renewals.action_send)
        assert set(renewals.mapped("state")) == {"sent"}
        return result

    def theirs(_number):
        return bench.measure(
            lambda: Report._run_wkhtmltopdf([f"<html><body>{pages}</body></html>"])
        )

    try:
        return compare(bench, count, "wkhtmltopdf, as many pages", ours, theirs)
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
    count = 200 if bench.quick else 1000  # of the members of night_idle
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
def options(bench):
    """A set of 200 options: enrolling, accepting, and the form on which a member asks for
    changes. Told is the dearest; the others are its parts."""
    count = 200
    products = bench.admin["product.product"].create(
        [{"name": f"Option {i}", "type": "service", "list_price": 10 + i} for i in range(count)]
    )
    option_set = bench.create_set(
        line_ids=[Command.create({"product_id": product.id}) for product in products],
        portal_offer="all",
    )

    def enrol(_number):
        member = bench.create_members(1).with_env(bench.env)
        return bench.measure(lambda: member._membri_enrol(option_set.with_env(bench.env)))

    def create_sent():
        renewal = bench.create_renewals(1, option_set).sudo()
        renewal.action_send()
        bench.admin.cr.commit()
        return renewal

    def accept(_number):
        renewal = create_sent()
        result = bench.measure(
            lambda: renewal._portal_accept(renewal.partner_id, renewal._get_proposal_key())
        )
        assert renewal.state == "approved"
        return result

    def change(_number):
        renewal = create_sent()
        path = f"/my/renewals/{renewal.id}/change?access_token={renewal._portal_ensure_token()}"
        bench.admin.cr.commit()
        assert bench.get(path).count('name="option_') >= count
        return bench.measure_pages([path])

    def invoice(_number):
        partner = bench.create_members(1).with_env(bench.env)
        return bench.measure(lambda: bench.invoice(partner, products.with_env(bench.env)))

    bench.rounds, rounds = 3, bench.rounds
    ways = {"enrol": enrol, "accept": accept, "change": change}
    summary, _ratios = clock.in_turn(bench.rounds, **ways, invoice=invoice)
    bench.rounds = rounds
    dearest = max(ways, key=lambda name: summary[name][0])
    seconds, spread, _queries = summary[dearest]
    return {
        "n": count,
        "ours_s": seconds,
        "spread": spread,
        "reference": "Odoo's invoice of as many lines",
        "reference_s": summary["invoice"][0],
        "ratio": seconds / summary["invoice"][0],
        "queries": max(summary[name][2] for name in ways),
        "parts": {name: summary[name][0] for name in ways},
    }


@case
def dashboards(bench):
    """The cards of all queues, as the officer's page reads them, and the search for a member."""
    env = bench.env

    def read():
        return (
            env["membri.dashboard"]
            .search([])
            .read(["record_count", "date_oldest", "amount_at_stake", "recent_count"])
        )

    def search():
        domain = [("search_text", "ilike", "Night 777")]
        return env["membri.renewal"].web_search_read(
            domain, {"name": {}}, limit=80, count_limit=10_001
        )

    summary, _ratios = clock.in_turn(
        5, cards=lambda _n: bench.measure(read), search=lambda _n: bench.measure(search)
    )
    seconds, spread, queries = summary["cards"]
    return {
        "n": bench.admin["membri.renewal"].search_count([]),
        "ours_s": seconds,
        "spread": spread,
        "queries": queries,
        "parts": {"search": summary["search"][0]},
    }


@case
def portal(bench):
    """The page of a renewal for fifty members at once, and Odoo's page of as many invoices."""
    count = 50
    renewals = bench.create_renewals(count)
    renewals.write({"mode": "notice"})
    renewals.action_send()
    moves = bench.invoice(renewals.partner_id)
    bench.admin.cr.commit()
    ours = [renewal.sudo().get_portal_url() for renewal in renewals]
    theirs = [move.sudo().get_portal_url() for move in moves]
    bench.admin.cr.commit()
    assert renewals[0].name in bench.get(ours[0])
    assert moves[0].name in bench.get(theirs[0])
    return compare(
        bench,
        count,
        "Odoo's page of an invoice",
        lambda _number: bench.measure_pages(ours),
        lambda _number: bench.measure_pages(theirs),
    )


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
    """What the process holds after many approvals and notices in the background, in MB."""
    sizes = {"approve": 400, "send": 100} if bench.quick else {"approve": 10_000, "send": 2_000}
    for action, count in sizes.items():
        for start in range(0, count, 400):
            bench.create_renewals(min(400, count - start)).action_bulk(action)
            bench.env.cr.commit()
            bench.admin["membri.bulk.job"]._cron_process_bulk()
            bench.env.invalidate_all()
    rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return {
        "n": sum(sizes.values()),
        "mb": int(rows["VmRSS"].split()[0]) / 1024,
        "queries": 0,
    }


def run(env, names, quick, tell, server=None):
    """:param tell: function(name, result), called after each case"""
    for logger in ("odoo.addons.base.models.ir_actions_report", "py.warnings"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    bench = Bench(env, quick, server)
    bench.analyze()
    for name, function in CASES.items():
        if name not in names:
            continue
        started = time.perf_counter()
        found = function(bench)
        wall = time.perf_counter() - started
        for row, result in found if isinstance(found, list) else [(name, found)]:
            tell(row, {**result, "wall_s": wall})
