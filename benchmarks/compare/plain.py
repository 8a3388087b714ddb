"""An ordinary invoice and its payment, one by one, in a database with or without the add-on:
medians of CPU seconds and queries. Everything is rolled back."""

import statistics

import clock

from odoo import fields
from odoo.fields import Command


def run(env, count=12):
    product = env["product.product"].create({"name": "Chair", "type": "service", "list_price": 300})
    taken = {"plain_invoice": [], "plain_payment": []}
    for number in range(count):
        partner = env["res.partner"].create({"name": f"Stranger {number}"})

        def invoice(partner=partner):
            move = env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": partner.id,
                    "invoice_date": fields.Date.today(),
                    "invoice_line_ids": [Command.create({"product_id": product.id})],
                }
            )
            move.action_post()
            return move

        def pay(move):
            context = {"active_model": "account.move", "active_ids": move.ids}
            return env["account.payment.register"].with_context(**context).create({})

        seconds, queries, move = clock.measure(env, invoice)
        taken["plain_invoice"].append((seconds, queries))
        seconds, queries, _payment = clock.measure(
            env, lambda move=move, pay=pay: pay(move)._create_payments()
        )
        taken["plain_payment"].append((seconds, queries))
    return {
        name: [statistics.median(column) for column in zip(*values[count // 2 :], strict=True)]
        for name, values in taken.items()
    }
