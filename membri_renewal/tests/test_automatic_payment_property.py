"""Issue 15: whatever happens in whatever order, what a provider takes by itself is what was
announced, and at most once for an invoice."""

import os
from contextlib import ExitStack
from datetime import date, timedelta
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


if hypothesis:

    class Member(stateful.RuleBasedStateMachine):
        """One member, whose world is undone after each example."""

        case = None

        def __init__(self):
            super().__init__()
            self.day = FIRST_DAY
            self.answer = "done"
            self.taken = {}  # what the provider took: reference → (invoice, amount)
            self.stack = ExitStack()
            self.savepoint = self.case.env.cr.savepoint(flush=False)
            machine = self
            original = self.case.registry["payment.transaction"]._send_payment_request

            def send(transaction):
                if machine.answer in ("done", "crash"):
                    # whoever is asked again with the same reference takes nothing more
                    machine.taken[transaction.reference] = (
                        transaction.invoice_ids.id,
                        transaction.amount,
                    )
                if machine.answer == "crash":
                    machine.answer = "done"
                    raise RuntimeError("killed")
                transaction.token_id.demo_simulated_state = machine.answer
                return original(transaction)

            self.stack.enter_context(
                patch.object(
                    self.case.registry["payment.transaction"], "_send_payment_request", send
                )
            )
            with self.now():
                cotisation = self.case._create_yearly()
                self.partner = cotisation.partner_id
                self.case._save_card(self.partner)
                self.renewal = self.case._create_renewal(cotisation)
                self.renewal.action_send()
                self.renewal.action_approve()

        def teardown(self):
            self.stack.close()
            self.savepoint.close(rollback=True)
            self.case.env.transaction.clear()

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

        @stateful.rule(answer=strategies.sampled_from(["done", "error", "cancel", "crash"]))
        def provider_will_answer(self, answer):
            self.answer = answer

        @stateful.rule(days=strategies.sampled_from([0, 1, 3, 12, 40, -2]))
        def night(self, days):
            """The clock may be set back."""
            self.day += timedelta(days=days)
            renewal, before = self.renewal, dict(self.taken)
            announced = renewal.sudo().read(
                ["charge_state", "amount_charge", "date_charge", "date_charge_announced"]
            )[0]
            with self.now():
                self.case._run_cron("ir_cron_charge")
                if (
                    announced["charge_state"] == "announced"
                    and not announced["date_charge_announced"]
                ):
                    self.case.assertEqual(self.taken, before, "told to nobody")
            for reference in self.taken.keys() - before.keys():
                _invoice, amount = self.taken[reference]
                self.case.assertIn(announced["charge_state"], ("announced", "failed", "pending"))
                self.case.assertLessEqual(amount, announced["amount_charge"] + 0.001)
                self.case.assertGreaterEqual(self.day, announced["date_charge"])
                self.case.assertGreaterEqual(
                    self.day - announced["date_charge_announced"].date(), LEAD
                )

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

        @stateful.rule(price=strategies.sampled_from([100.0, 300.0, 450.0]))
        def change_price(self, price):
            def change():
                self.renewal.action_reset()
                self.renewal.line_ids.price_unit = price
                self.renewal.action_approve()

            self.attempt(change)

        @stateful.rule()
        def stop(self):
            reference = self.renewal._get_unanswered_charge().reference
            if reference not in self.taken:  # who stops what is unknown has looked it up
                self.attempt(self.renewal.action_stop_charge)

        @stateful.rule(share=strategies.sampled_from([0.3, 1.0]))
        def pay_by_hand(self, share):
            invoice = self.renewal.invoice_id
            if invoice.state == "posted" and invoice.amount_residual:
                self.attempt(
                    lambda: self.case._pay(invoice, round(invoice.amount_residual * share, 2))
                )

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
            invoices = [invoice for invoice, _amount in self.taken.values()]
            self.case.assertEqual(len(invoices), len(set(invoices)), self.taken)

        @stateful.invariant()
        def one_living_transaction(self):
            charges = self.renewal._get_charges()
            living = charges.filtered(lambda tx: tx.state in ("draft", "pending", "done"))
            self.case.assertLessEqual(len(living), 1)

        @stateful.invariant()
        def booked_is_taken(self):
            done = self.renewal._get_charges().filtered(lambda tx: tx.state == "done")
            self.case.assertLessEqual(set(done.mapped("reference")), set(self.taken))


@tagged("post_install", "-at_install")
class TestAutomaticPaymentProperty(AutomaticPaymentCommon):
    @mute_logger(
        "odoo.addons.membri_renewal.models.mixins.state",
        "odoo.addons.payment.models.payment_transaction",
        "odoo.addons.mail.models.mail_mail",
    )
    def test_charged_as_announced_and_once(self):
        if hypothesis is None:
            raise AssertionError("Install hypothesis: see tools/requirements-test.txt.")
        stateful.run_state_machine_as_test(
            type("Member", (Member,), {"case": self}),
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
