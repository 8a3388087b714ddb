"""Issue 15: whatever happens in whatever order, what a provider takes by itself is what was
announced, and at most once for an invoice, or for each of its parts."""

import os
from contextlib import ExitStack
from datetime import date, timedelta
from typing import NamedTuple
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server, MailDeliveryException

from .common_automatic_payment import AutomaticPaymentCommon

try:
    import hypothesis
    from hypothesis import stateful, strategies
except ImportError:  # the test says so
    hypothesis = None

FIRST_DAY = date(2026, 11, 15)
LEAD = timedelta(days=10)
# a longer search, by hand: MEMBRI_EXAMPLES=300 ./dev test --tags …
EXAMPLES = int(os.environ.get("MEMBRI_EXAMPLES", "8"))


class Asked(NamedTuple):
    """What the provider was asked for, and what was left to pay then."""

    invoice: int
    day: date
    amount: float
    left: float


if hypothesis:

    class Member(stateful.RuleBasedStateMachine):
        """One member, whose world is undone after each example."""

        case = None
        in_parts = False

        def __init__(self):
            super().__init__()
            self.day = FIRST_DAY
            self.answer = "done"
            self.asked = {}  # what the provider was asked for: reference → Asked
            self.taken = set()  # the references of what it took
            self.stack = ExitStack()
            self.savepoint = self.case.env.cr.savepoint(flush=False)
            self.stack.enter_context(
                patch.object(
                    self.case.registry["payment.transaction"],
                    "_send_payment_request",
                    self.get_provider(),
                )
            )
            with self.now():
                cotisation = self.case._create_yearly()
                self.partner = cotisation.partner_id
                self.give_parts(self.in_parts)
                self.case._save_card(self.partner)
                self.renewal = self.case._create_renewal(cotisation)
                self.renewal.action_send()
                self.renewal.action_approve()

        def teardown(self):
            self.stack.close()
            self.savepoint.close(rollback=True)
            self.case.env.transaction.clear()

        def get_provider(self):
            """:return: what stands for the provider: it takes one payment for a reference"""
            machine = self
            original = self.case.registry["payment.transaction"]._send_payment_request

            def send(transaction):
                invoice = transaction.invoice_ids
                machine.asked.setdefault(
                    transaction.reference,
                    Asked(
                        invoice.id,
                        transaction.membri_charge_day,
                        transaction.amount,
                        invoice.amount_residual,
                    ),
                )
                answer, machine.answer = machine.answer, machine.answer.replace("crash", "done")
                if answer == "crash before":
                    raise RuntimeError("killed before the request has left")
                if transaction.reference in machine.taken:
                    answer = "done"  # whoever asks again hears the same
                if answer in ("done", "crash"):
                    machine.taken.add(transaction.reference)
                if answer == "crash":
                    raise RuntimeError("killed before the answer was written")
                transaction.token_id.demo_simulated_state = answer
                return original(transaction)

            return send

        def give_parts(self, in_parts):
            payer = self.partner.with_env(self.case.env_root).with_company(self.case.company)
            if in_parts:
                self.case._give_two_parts(self.partner)
            else:
                payer.property_payment_term_id = False

        def now(self):
            return freeze_time(f"{fields.Date.to_string(self.day)} 15:00:00")

        def attempt(self, call):
            """What the guards refuse changes nothing, and is no failure."""
            with self.now():
                try:
                    with self.case.env.cr.savepoint():
                        call()
                except UserError:
                    self.case.env.invalidate_all(flush=False)

        # --------------------------------------------------------------
        # What may happen
        # --------------------------------------------------------------

        @stateful.rule(
            answer=strategies.sampled_from(
                ["done", "error", "cancel", "pending", "crash", "crash before"]
            )
        )
        def provider_will_answer(self, answer):
            self.answer = answer

        @stateful.rule(answer=strategies.sampled_from(["done", "error", "cancel"]))
        def provider_answers_later(self, answer):
            """What was pending comes to an end, days later; and what failed may have come through
            all the same, as some providers say."""
            charge = self.renewal._get_last_charge()
            if charge.state == "pending" or (charge.state == "error" and answer == "done"):
                if answer == "done":
                    self.taken.add(charge.reference)
                with self.now():
                    charge._process(
                        "demo", {"reference": charge.reference, "simulated_state": answer}
                    )

        @stateful.rule()
        def odoo_books_answers(self):
            """Odoo's own run, which may come before or after the night."""
            done = self.renewal._get_charges().filtered(
                lambda tx: tx.state == "done" and not tx.is_post_processed
            )
            with self.now():
                done._post_process()

        @stateful.rule(days=strategies.sampled_from([0, 1, 3, 12, 40, -2]))
        def night(self, days):
            """The clock may be set back."""
            self.day += timedelta(days=days)
            renewal, before = self.renewal, set(self.asked)
            told = renewal.sudo().read(
                [
                    "charge_state",
                    "amount_charge",
                    "charge_plan",
                    "date_charge",
                    "date_charge_announced",
                ]
            )[0]
            with self.now():
                self.case._run_cron("ir_cron_charge")
            if told["charge_state"] == "announced" and not told["date_charge_announced"]:
                self.case.assertEqual(set(self.asked), before, "told to nobody")
            plan = {told["date_charge"]: told["amount_charge"]} | {
                fields.Date.to_date(day): amount for day, amount in told["charge_plan"] or []
            }
            for reference in self.asked.keys() - before:
                asked = self.asked[reference]
                self.case.assertIn(told["charge_state"], ("announced", "failed", "pending"))
                self.case.assertIn(asked.day, plan)
                self.case.assertLessEqual(asked.amount, plan[asked.day] + 0.001)
                self.case.assertLessEqual(asked.amount, asked.left + 0.001)
                self.case.assertGreaterEqual(self.day, asked.day)
                self.case.assertGreaterEqual(self.day - told["date_charge_announced"].date(), LEAD)

        @stateful.rule(are_refused=strategies.booleans())
        def emails_leave(self, are_refused):
            refused = MailDeliveryException("Delivery failed", "550 5.1.1 no such user")
            effect = {"side_effect": refused} if are_refused else {"return_value": "<id>"}
            with self.now(), patch.object(IrMail_Server, "send_email", **effect):
                self.case._let_leave()

        @stateful.rule()
        def due_night(self):
            day = self.renewal.date_charge_retry or self.renewal.date_charge
            self.night((day - self.day).days if day else 1)

        @stateful.rule()
        def another_card(self):
            with self.now():
                self.case._save_card(self.partner)

        @stateful.rule(
            price=strategies.sampled_from([100.0, 300.0, 450.0]), in_parts=strategies.booleans()
        )
        def change_price(self, price, in_parts):
            def change():
                self.renewal.action_reset()
                self.renewal.line_ids.price_unit = price
                self.give_parts(in_parts)
                self.renewal.action_approve()

            self.attempt(change)

        @stateful.rule()
        def stop(self):
            reference = self.renewal._get_unanswered_charge().reference
            if reference not in self.taken:  # who stops what is unknown has looked it up
                self.attempt(self.renewal.action_stop_charge)

        @stateful.rule()
        def charge_again(self):
            """The staff says so, once something failed for good."""
            self.attempt(self.renewal.action_charge_again)

        @stateful.rule(share=strategies.sampled_from([0.3, 1.0]))
        def pay_by_hand(self, share):
            invoice = self.renewal.invoice_id
            if invoice.state == "posted" and invoice.amount_residual:
                self.attempt(
                    lambda: self.case._pay(invoice, round(invoice.amount_residual * share, 2))
                )

        @stateful.rule(share=strategies.sampled_from([0.3, 1.0]))
        def pay_online(self, share):
            """As the portal begins it: what is under way stays so."""
            invoice = self.renewal.invoice_id.sudo()
            if invoice.state != "posted":  # credited, or none any more
                return
            amount = round(invoice._membri_get_amount_to_pay() * share, 2)

            def pay():
                invoice._membri_begin_payment(amount)
                self.case._pay(self.renewal.invoice_id, amount)

            if amount:
                self.attempt(pay)

        @stateful.rule()
        def credit(self):
            invoice = self.renewal.invoice_id.with_env(self.case.env_account)
            if invoice.state == "posted":
                self.attempt(lambda: invoice._reverse_moves(cancel=True))

        # --------------------------------------------------------------
        # What always holds
        # --------------------------------------------------------------

        @stateful.invariant()
        def at_most_once(self):
            """Once for each part that was announced, and never more than the invoice."""
            asked = [self.asked[reference] for reference in self.taken]
            parts = [(one.invoice, one.day) for one in asked]
            self.case.assertEqual(len(parts), len(set(parts)), self.asked)
            for invoice in self.case.env_root["account.move"].browse(
                {one.invoice for one in asked}
            ):
                mine = [one.amount for one in asked if one.invoice == invoice.id]
                self.case.assertLessEqual(sum(mine), invoice.amount_total + 0.001, self.asked)
                days = set(invoice.line_ids.filtered("date_maturity").mapped("date_maturity"))
                self.case.assertLessEqual(len(mine), len(days) or 1, self.asked)

        @stateful.invariant()
        def one_living_transaction(self):
            charges = self.renewal._get_charges()
            living = charges.filtered(lambda tx: tx.state in ("draft", "pending"))
            self.case.assertLessEqual(len(living), 1)
            done = charges.filtered(lambda tx: tx.state == "done")
            self.case.assertEqual(len(done), len(set(done.mapped("membri_charge_day"))))

        @stateful.invariant()
        def what_is_asked_for_is_no_more_planned(self):
            """As long as a request lives or has brought its money, no other one is for its day."""
            state = self.renewal.sudo().charge_state
            last = self.renewal._get_last_charge()
            if last.state in ("draft", "pending"):
                self.case.assertEqual(state, "pending")
            if state == "announced":
                parts = [(one.invoice, one.day) for one in map(self.asked.get, self.taken)]
                self.case.assertNotIn((self.renewal.invoice_id.id, self.renewal.date_charge), parts)

        @stateful.invariant()
        def booked_is_taken(self):
            done = self.renewal._get_charges().filtered(lambda tx: tx.state == "done")
            self.case.assertLessEqual(set(done.mapped("reference")), self.taken)


@tagged("post_install", "-at_install")
class TestAutomaticPaymentProperty(AutomaticPaymentCommon):
    def test_charged_as_announced_and_once(self):
        self._search(in_parts=False)

    def test_each_part_as_announced_and_once(self):
        self._search(in_parts=True)

    @mute_logger(
        "odoo.addons.membri_renewal.models.mixins.state",
        "odoo.addons.payment.models.payment_transaction",
        "odoo.addons.mail.models.mail_mail",
    )
    def _search(self, in_parts):
        """Play example after example with a member who pays at once, or in two parts."""
        if hypothesis is None:
            raise AssertionError("Install hypothesis: see tools/requirements-test.txt.")
        stateful.run_state_machine_as_test(
            type("Member", (Member,), {"case": self, "in_parts": in_parts}),
            settings=hypothesis.settings(
                max_examples=EXAMPLES,
                stateful_step_count=6 if EXAMPLES == 8 else 15,
                derandomize=EXAMPLES == 8,
                deadline=None,
                database=None,
                phases=[hypothesis.Phase.generate],
                suppress_health_check=list(hypothesis.HealthCheck),
            ),
        )
