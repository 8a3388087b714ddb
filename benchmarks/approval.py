"""What approving N renewals costs beside creating and posting N plain Odoo invoices.

Run by ``./dev bench`` inside an Odoo shell (``env`` is given); everything is rolled back.
Prints seconds, queries and their ratios, measured one after the other in one process.
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


def main(env):
    row = "{:>5}  {:>9} {:>9} {:>6}  {:>8} {:>8} {:>6}"
    print(row.format("N", "Odoo s", "ours s", "ratio", "Odoo q", "ours q", "ratio"))
    # one of each first, so that neither pays for cold caches
    for count in (1, *SIZES):
        product, partners, cotisations = prepare(env, count, str(count))
        plain_s, plain_q, _moves = measure(
            env, lambda p=product, m=partners: plain_invoices(env, p, m)
        )
        renewals = env["membri.renewal"].create(
            [{"cotisation_id": cotisation.id} for cotisation in cotisations]
        )
        ours_s, ours_q, _done = measure(env, renewals.action_approve)
        if count in SIZES:
            print(
                row.format(
                    count,
                    f"{plain_s:.2f}",
                    f"{ours_s:.2f}",
                    f"{ours_s / plain_s:.2f}",
                    plain_q,
                    ours_q,
                    f"{ours_q / plain_q:.2f}",
                )
            )
    env.cr.rollback()


main(env)  # noqa: F821 - given by the shell
