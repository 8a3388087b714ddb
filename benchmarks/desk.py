"""What the officer's screens cost with 100,000 renewals: queues, lists, kanban, side panel.

Run by ``./dev bench desk`` inside an Odoo shell (``env`` is given); everything is rolled back.
Fills the tables by SQL, prints the seconds of each screen's calls as the officer makes them,
and how the database finds what people, nightly runs, portal and campaigns look for. Fails when a
screen takes a second or more, or when a table that grows is read from end to end.
"""

import re
import time
from datetime import timedelta

from lxml import etree

from odoo.fields import Command, Domain
from odoo.tools import SQL

COUNT = 100_000
LIMIT = 1.0
# open renewals are few beside the history: a season of 20,000 in five years of them
FILL = """
INSERT INTO res_partner (name, complete_name, email, active, type, create_date, autopost_bills,
                         membri_status)
     SELECT 'Bench ' || i, 'Bench ' || i, 'bench' || i || '@example.com', true, 'contact', now(),
            'ask', jsonb_build_object(%(company)s::text, 'active')
       FROM generate_series(1, %(count)s) i;
INSERT INTO membri_cotisation (name, partner_id, company_id, currency_id, option_set_id, date_start,
                               date_end, state, origin, amount_untaxed, amount_total, create_date)
     SELECT 'BC/' || p.id, p.id, %(company)s, %(currency)s,
            (%(sets)s)[1 + p.id %% array_length(%(sets)s, 1)],
            %(today)s::date - 365 - p.id %% 1800, %(today)s::date - p.id %% 1800 + 30, 'expired',
            'import', 300, 345, now()
       FROM res_partner p WHERE p.name LIKE 'Bench %%';
INSERT INTO membri_renewal (name, partner_id, recipient_id, company_id, currency_id, cotisation_id,
                            option_set_id, date_start, date_end, current_date_end, mode, state,
                            is_open, is_paid, amount_untaxed, amount_total, date_sent, date_state,
                            date_next_reminder, reminder_count, create_date, user_id)
     SELECT 'BR/' || c.id, c.partner_id, c.partner_id, c.company_id, c.currency_id, c.id,
            c.option_set_id, c.date_end + 1, c.date_end + 365, c.date_end, 'notice', s.state,
            s.state NOT IN ('refused', 'cancelled'), false, 300, 345,
            now() - (c.id %% 400) * interval '1 day', now() - (c.id %% 400) * interval '1 day',
            CASE WHEN s.state = 'sent' THEN %(today)s::date + c.id %% 30 - 15 END, c.id %% 4,
            now(), %(user)s
       FROM membri_cotisation c,
    LATERAL (SELECT CASE WHEN c.id %% 5 > 0 THEN CASE c.id %% 3 WHEN 0 THEN 'refused'
                                                              ELSE 'cancelled' END
                         WHEN c.id %% 50 = 0 THEN 'change_requested'
                         WHEN c.id %% 70 = 0 THEN 'intervention'
                         WHEN c.id %% 20 = 0 THEN 'approved' ELSE 'sent' END AS state) s
      WHERE c.name LIKE 'BC/%%';
ANALYZE membri_renewal; ANALYZE membri_cotisation; ANALYZE res_partner
"""


def prepare(env):
    product = env["product.product"].create({"name": "Bench", "type": "service"})
    option_sets = env["membri.option.set"].create(
        [
            {"name": f"Bench {i}", "line_ids": [Command.create({"product_id": product.id})]}
            for i in range(8)
        ]
    )
    env.flush_all()
    values = {
        "count": COUNT,
        "company": env.company.id,
        "currency": env.company.currency_id.id,
        "sets": option_sets.ids,
        "today": env.company._membri_today(),
        "user": env.uid,
    }
    for statement in FILL.split(";"):
        env.cr.execute(statement, values)
    env.invalidate_all()
    groups = env.ref("membri_renewal.group_membri_user")
    return env["res.users"].create(
        {"name": "Bench officer", "login": "bench", "group_ids": [Command.set(groups.ids)]}
    )


def get_specification(env, view_xmlid):
    """The fields that the view reads, as the web client asks for them."""
    view = env.ref(f"membri_renewal.{view_xmlid}").sudo()
    model = env[view.model]
    arch = etree.fromstring(model.get_view(view.id, view.type)["arch"])
    shown = {node.get("name") for node in arch.iter("field")} & set(model._fields)
    many2one = {"fields": {"display_name": {}}}
    return {name: many2one if model._fields[name].type == "many2one" else {} for name in shown}


def screens(env):
    """:return: {name of the screen: function of one call or more}"""
    Renewal = env["membri.renewal"]
    row = get_specification(env, "membri_renewal_view_list")
    card = get_specification(env, "membri_renewal_view_kanban")
    contact = get_specification(env, "res_partner_view_list_members")
    is_open = [("is_open", "=", True)]
    soon = env.company._membri_today() + timedelta(days=15)

    def search(text):
        """As the search box asks: by number or by member."""
        return read([("search_text", "ilike", text)])

    def read(domain, order=""):
        return Renewal.web_search_read(domain, row, limit=80, order=order, count_limit=10_001)

    found = {
        "dashboard page, 9 cards": lambda: (
            env["membri.dashboard"]
            .search([])
            .read(["record_count", "date_oldest", "amount_at_stake", "recent_count"])
        ),
        "all renewals, first page": lambda: read([]),
        "open renewals, first page": lambda: read(is_open),
        "open renewals by member": lambda: read(is_open, "partner_id"),
        "open renewals by end": lambda: read(is_open, "current_date_end desc"),
        "search a member by name": lambda: search("Bench 777"),
        "end within 15 days": lambda: read([("current_date_end", "<=", soon), *is_open]),
        "kanban by state": lambda: Renewal.web_read_group(
            is_open,
            ["state"],
            ["__count", "amount_total:sum"],
            auto_unfold=True,
            unfold_read_specification=card,
        ),
        "group by option set": lambda: Renewal.web_read_group(
            is_open, ["option_set_id"], ["__count", "amount_total:sum"]
        ),
        "side panel, states": lambda: Renewal.search_panel_select_range(
            "state", enable_counters=True, search_domain=is_open
        ),
        "side panel, option sets": lambda: Renewal.search_panel_select_multi_range(
            "option_set_id", enable_counters=True, search_domain=is_open
        ),
        "members, first page": lambda: env["res.partner"].web_search_read(
            [("membri_status", "=", "active")], contact, limit=80, count_limit=10_001
        ),
    }
    for dashboard in env["membri.dashboard"].search([]):
        domain = dashboard.action_open()["domain"]
        found[f"queue {dashboard.code}"] = lambda domain=domain: read(domain)
    return found


def measure(env, work):
    env.invalidate_all()
    queries, started = env.cr.sql_log_count, time.perf_counter()
    work()
    return time.perf_counter() - started, env.cr.sql_log_count - queries


def get_queries(env, admin):
    """Return {name: query} of all that grows with the years: what people, the nightly runs, the
    portal and a campaign look for."""
    Renewal, Cotisation = env["membri.renewal"], admin["membri.cotisation"]
    found = {
        f"queue {dashboard.code}": Renewal._search(dashboard.action_open()["domain"], limit=80)
        for dashboard in env["membri.dashboard"].search([])
    }
    found["search a member by name"] = Renewal._search(
        [("search_text", "ilike", "Bench 777")], limit=80
    )
    found["members of a company"] = env["res.partner"]._search(
        [("membri_status", "=", "active"), ("complete_name", "ilike", "Bench 777")], limit=80
    )
    member = admin["res.partner"].search([("name", "=", "Bench 777")], limit=1)
    found["what a member finds on the portal"] = admin["membri.renewal"]._search(
        admin["membri.renewal"]._get_portal_domain(member), limit=80
    )
    for number, domain in enumerate(Cotisation._get_update_states_domains(), start=1):
        found[f"night, states, case {number}"] = Cotisation._search(domain)
    for company, first in admin["membri.renewal"]._get_first_domains().items():
        found[f"night, generation, {company.name}"] = Cotisation._search(
            first & Domain("state", "in", ("active", "scheduled"))
        )
    found["night, reminders"] = admin["membri.renewal"]._search(
        admin["membri.renewal"]._get_reminder_domain()
    )
    today = env.company._membri_today()
    campaign = admin["membri.campaign"].new(
        {
            "company_id": env.company.id,
            "date_from": today,
            "date_to": today + timedelta(days=30),
            "option_set_ids": admin["membri.option.set"].search([("name", "=like", "Bench %")]).ids,
        }
    )
    found["campaign of a month"] = Cotisation._search(campaign._get_window_domain())
    return found


def explain(env, query):
    plan = env.execute_query(SQL("EXPLAIN (ANALYZE, COSTS OFF) %s", query.select()))
    return [line for (line,) in plan]


def is_scan(plan):
    """Return whether a table that grows is read from end to end, most of it in vain; a page of
    what most of it answers is read from its beginning."""
    return any(
        re.search(r"Seq Scan on (membri_renewal|membri_cotisation|res_partner)\b", line)
        and re.search(r"Rows Removed by Filter: \d{5,}", " ".join(plan[number : number + 4]))
        for number, line in enumerate(plan)
    )


def main(env):
    user, admin = prepare(env), env
    env = env(user=user.id, context={"lang": "en_US", "tz": "America/Toronto"})
    print(f"  {COUNT:,} renewals, as the officer; seconds of the best of two, queries")
    slow = []
    for name, work in screens(env).items():
        measure(env, work)
        seconds, queries = min(measure(env, work) for _ in range(2))
        print(f"  {name:28s} {seconds:7.3f} s {queries:5d}")
        if seconds >= LIMIT:
            slow.append(name)
    print("  how the database finds them")
    scanned = []
    for name, query in get_queries(env, admin).items():
        plan = explain(env, query)
        print(f"  {name:40s} {plan[-1].strip()}")
        if is_scan(plan):
            scanned.append(name)
            print("\n".join(f"      {line}" for line in plan))
    env.cr.rollback()
    problems = []
    if slow:
        problems.append(f"a second or more: {', '.join(slow)}")
    if scanned:
        problems.append(f"a table that grows is read from end to end: {', '.join(scanned)}")
    if problems:
        raise SystemExit("; ".join(problems))


main(env)  # noqa: F821 - given by the shell
