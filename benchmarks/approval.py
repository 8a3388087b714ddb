"""What approving N renewals costs beside N plain Odoo invoices and N of OCA's contracts.

Each way ends with N posted invoices of one line. Ours makes N next terms and queues N emails
besides; a contract moves its next date. Run by ``./dev bench`` inside an Odoo shell (``env`` is
given); everything is rolled back. Prints seconds, queries and their ratios to plain Odoo,
measured one after the other in one process.
"""

import time
from datetime import timedelta

from odoo.fields import Command

SIZES = (10, 100, 300)


def measure(env, work):
    env.flush_all()
    env.invalidate_all()
    queries, started = env.cr.sql_log_count, time.perf_counter()
    result = work()
    env.flush_all()
    return time.perf_counter() - started, env.cr.sql_log_count - queries, result


def prepare(env, count, suffix):
    today = env.company._membri_today()
    product = env["product.product"].create(
        {"name": "Benchmark membership", "type": "service", "list_price": 300}
    )
    option_set = env["membri.option.set"].create(
        {
            "name": f"Benchmark {suffix}",
            "line_ids": [Command.create({"product_id": product.id})],
        }
    )
    partners = env["res.partner"].create(
        [
            {"name": f"Member {suffix} {i}", "email": f"m{i}-{suffix}@example.com"}
            for i in range(count)
        ]
    )
    cotisations = env["membri.cotisation"].create(
        [
            {
                "partner_id": partner.id,
                "option_set_id": option_set.id,
                "date_start": today - timedelta(days=350),
                "state": "active",
            }
            for partner in partners
        ]
    )
    return product, partners, cotisations


def plain_invoices(env, product, partners):
    moves = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": env.company._membri_today(),
                "invoice_line_ids": [
                    Command.create({"product_id": product.id, "quantity": 1, "price_unit": 300})
                ],
            }
            for partner in partners
        ]
    )
    moves.action_post()
    return moves


def prepare_contracts(env, product, partners):
    return env["contract.contract"].create(
        [
            {
                "name": partner.name,
                "partner_id": partner.id,
                "contract_line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "name": product.name,
                            "quantity": 1,
                            "price_unit": 300,
                            "recurring_rule_type": "yearly",
                            "recurring_interval": 1,
                            "date_start": env.company._membri_today(),
                        }
                    )
                ],
            }
            for partner in partners
        ]
    )


def contract_invoices(contracts):
    moves = contracts._recurring_create_invoice()
    moves.action_post()
    return moves


def main(env):
    row = "{:>5}  {:>7} {:>11} {:>11}  {:>7} {:>13} {:>13}"
    print(row.format("", "seconds", "", "", "queries", "", ""))
    print(row.format("N", "Odoo", "contract", "ours", "Odoo", "contract", "ours"))
    # one of each first, so that none pays for cold caches
    for count in (1, *SIZES):
        product, partners, cotisations = prepare(env, count, str(count))
        contracts = prepare_contracts(env, product, partners)
        renewals = env["membri.renewal"].create(
            [{"cotisation_id": cotisation.id} for cotisation in cotisations]
        )
        ways = [
            measure(env, lambda p=product, m=partners: plain_invoices(env, p, m)),
            measure(env, lambda c=contracts: contract_invoices(c)),
            measure(env, lambda r=renewals: r.action_approve() and r.invoice_ids),
        ]
        for _seconds, _queries, moves in ways:
            assert len(moves) == count and set(moves.mapped("state")) == {"posted"}
        if count in SIZES:
            (plain_s, plain_q, _moves), *others = ways
            print(
                row.format(
                    count,
                    f"{plain_s:.2f}",
                    *(f"{seconds:.2f} ×{seconds / plain_s:.2f}" for seconds, _q, _m in others),
                    plain_q,
                    *(f"{queries} ×{queries / plain_q:.2f}" for _s, queries, _m in others),
                )
            )
    env.cr.rollback()


main(env)  # noqa: F821 - given by the shell
