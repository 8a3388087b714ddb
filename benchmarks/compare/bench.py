"""The database, the officer and the sizes of one run of ``./dev bench``."""

import itertools
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import clock

from odoo.fields import Command


class Bench:
    """The database, the officer, and the sizes of this run."""

    def __init__(self, env, quick, server=None):
        """:param server: ``{url, pid}`` of an Odoo server on the same database, if there is one"""
        self.admin = env
        self.quick = quick
        self.server = server
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

    def invoice(self, partners, products=None):
        """What Odoo alone does: as many posted invoices, of one line or of ``products``."""
        moves = self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": partner.id,
                    "invoice_date": self.today,
                    "invoice_line_ids": [
                        Command.create({"product_id": product.id, "quantity": 1, "price_unit": 300})
                        for product in products or self.product
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

    def get(self, path):
        """:return: the text of a page of the server, as somebody without a session sees it"""
        with urllib.request.urlopen(self.server["url"] + path, timeout=60) as answer:
            return answer.read().decode()

    def measure_pages(self, paths):
        """As many visitors at once, one page each.

        :return: (CPU seconds of the server and of its backends, 0 queries)"""
        self.admin.cr.commit()
        started = clock.read_server(self.admin, self.server["pid"])
        with ThreadPoolExecutor(len(paths)) as pool:
            list(pool.map(self.get, paths))
        return clock.read_server(self.admin, self.server["pid"]) - started, 0

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
