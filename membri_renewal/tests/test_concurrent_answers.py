"""Issue 11 A5: answers and payments of one link at the same moment, by real connections."""

import threading
import time
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

from ..models.portal.request import PER_HOUR

MUTED = ("odoo.sql_db", "odoo.addons.membri_renewal")


@tagged("post_install", "-at_install")
class TestConcurrentAnswers(BaseCase):
    """Each request is a thread with a connection of its own, run again as Odoo does it where it
    collides. What the tests commit is deleted afterwards."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = self._get_env(cr)
            product = env["product.product"].create({"name": "Concurrent", "type": "service"})
            option_set = env["membri.option.set"].create(
                {
                    "name": "Concurrent",
                    "line_ids": [Command.create({"product_id": product.id, "price_unit": 100.0})],
                }
            )
            member = env["res.partner"].create(
                {"name": "Concurrent Member", "email": "concurrent@example.com"}
            )
            today = option_set.company_id._membri_today()
            cotisation = env["membri.cotisation"].create(
                {
                    "partner_id": member.id,
                    "option_set_id": option_set.id,
                    "date_start": today - timedelta(days=350),
                    "date_end": today + timedelta(days=14),
                    "state": "active",
                }
            )
            self.provider_before = None
            self.decline_before = option_set.company_id.membri_portal_decline
            option_set.company_id.membri_portal_decline = True
            renewal = env["membri.renewal"].create({"cotisation_id": cotisation.id})
            renewal.action_send()
            self.renewal_id, self.member_id = renewal.id, member.id
            self.option_set_id, self.product_id = option_set.id, product.id
        self.addCleanup(self._delete_all)

    def _get_env(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})

    def _race(self, *requests):
        """:param requests: functions of the renewal
        :return: what they returned, or the exception that they ended with"""
        start = threading.Barrier(len(requests))
        results = [None] * len(requests)

        def work(number, env):
            renewal = env["membri.renewal"].browse(self.renewal_id)
            start.wait(timeout=30)
            for _attempt in range(10):
                try:
                    result = requests[number](renewal)
                    env.flush_all()
                    # emails leave by the registry, whose lock the tests hold
                    env.cr.postcommit.clear()
                    env.cr.commit()
                except OperationalError:
                    env.cr.rollback()
                    env.invalidate_all()
                    time.sleep(0.05)
                    continue
                except Exception as error:  # looked at by the test
                    env.cr.rollback()
                    result = error
                results[number] = result
                return

        # environments are made here: the tests' own thread holds the lock of the registry
        cursors = [self.registry.cursor() for _request in requests]
        threads = [
            threading.Thread(target=work, args=(number, self._get_env(cr)))
            for number, cr in enumerate(cursors)
        ]
        with mute_logger(*MUTED):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(timeout=60)
            for cr in cursors:
                cr.close()
        return results

    def _accept(self, renewal):
        return renewal._portal_accept(renewal.env["res.partner"])

    def _decline(self, renewal):
        reason = renewal._get_decline_reasons()[:1]
        return renewal._portal_decline(renewal.env["res.partner"], reason.id)

    def _get_facts(self, env):
        """:return: ``(state, posted invoices, terms that were made)``"""
        renewal = env["membri.renewal"].browse(self.renewal_id)
        posted = renewal.invoice_ids.filtered(lambda move: move.state == "posted")
        terms = env["membri.cotisation"].search([("renewal_id", "=", renewal.id)])
        return renewal.state, len(posted), len(terms)

    def test_accepted_three_times(self):
        results = self._race(self._accept, self._accept, self._accept)
        self.assertEqual(results, [False, False, False], "each finds it accepted")
        with self.registry.cursor() as cr:
            self.assertEqual(self._get_facts(self._get_env(cr)), ("approved", 1, 1))

    def test_accepted_and_declined(self):
        results = self._race(self._accept, self._decline)
        self.assertEqual(results.count(False), 1, "one of the two")
        self.assertLessEqual(set(results), {False, "not_now", "busy"})
        with self.registry.cursor() as cr:
            expected = ("approved", 1, 1) if results[0] is False else ("refused", 0, 0)
            self.assertEqual(self._get_facts(self._get_env(cr)), expected)

    def test_asked_more_often_than_allowed(self):
        """The last ones that are let in come at the same moment as the first that is not."""

        def ask(number):
            return lambda renewal: renewal._portal_request_change(
                renewal.env["res.partner"], f"Call me at {number}"
            )

        with self.registry.cursor() as cr:
            renewal = self._get_env(cr)["membri.renewal"].browse(self.renewal_id)
            asked = [ask(number)(renewal) for number in range(PER_HOUR - 1)]
            self.assertEqual(asked, [False] * (PER_HOUR - 1))
        results = self._race(ask(7), ask(8), ask(9))
        self.assertEqual(results.count(False), 1, results)
        self.assertLessEqual(set(results), {False, "too_often", "busy"})

    # ------------------------------------------------------------------
    # Money
    # ------------------------------------------------------------------

    def _begin(self, renewal, state="pending"):
        """What the route of a payment does."""
        env, invoice = renewal.env, renewal.invoice_id
        invoice._membri_begin_payment(invoice.amount_residual)
        provider = env["payment.provider"].search([("code", "=", "demo")], limit=1)
        return (
            env["payment.transaction"]
            .create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": env["payment.method"].search([], limit=1).id,
                    "amount": invoice.amount_residual,
                    "currency_id": invoice.currency_id.id,
                    "partner_id": invoice.partner_id.id,
                    "reference": f"CONCURRENT-{env['payment.transaction'].search_count([])}",
                    "invoice_ids": [Command.set(invoice.ids)],
                    "state": state,
                }
            )
            .id
        )

    def _approve(self):
        with self.registry.cursor() as cr:
            renewal = self._get_env(cr)["membri.renewal"].browse(self.renewal_id)
            renewal.action_approve()
            return renewal.invoice_id.amount_residual

    def _read_transactions(self, env):
        invoice = env["membri.renewal"].browse(self.renewal_id).invoice_id
        return invoice.transaction_ids

    def test_paid_from_three_tabs(self):
        due = self._approve()
        results = self._race(self._begin, self._begin, self._begin)
        refused = [result for result in results if isinstance(result, ValidationError)]
        self.assertEqual(len(refused), 2, results)
        with self.registry.cursor() as cr:
            transactions = self._read_transactions(self._get_env(cr))
            self.assertRecordValues(transactions, [{"state": "pending", "amount": due}])

    def test_begun_in_three_tabs(self):
        """Begun and not finished: one remains."""
        self._approve()
        self._race(*[lambda renewal: self._begin(renewal, "draft")] * 3)
        with self.registry.cursor() as cr:
            states = self._read_transactions(self._get_env(cr)).mapped("state")
            self.assertEqual(states.count("draft"), 1, states)
            self.assertLessEqual(set(states), {"draft", "cancel"})

    def test_money_of_cancelled_payments_at_the_same_moment(self):
        """What a provider took all the same is told, each of it."""
        self._approve()
        ids = []
        with self.registry.cursor() as cr:
            renewal = self._get_env(cr)["membri.renewal"].browse(self.renewal_id)
            ids += [self._begin(renewal, "draft") for _number in range(2)]
            transactions = renewal.env["payment.transaction"].browse(ids)
            transactions.filtered(lambda tx: tx.state == "draft")._set_canceled()

        def report(transaction_id):
            return lambda renewal: bool(
                renewal.env["payment.transaction"].browse(transaction_id)._set_done()
            )

        results = self._race(*[report(transaction_id) for transaction_id in ids])
        self.assertEqual(results, [False, False])
        with self.registry.cursor() as cr:
            transactions = self._get_env(cr)["payment.transaction"].browse(ids)
            told = " ".join(
                map(str, transactions.invoice_ids.activity_ids.mapped("summary"))
            ) + " ".join(transactions.invoice_ids.message_ids.mapped("body"))
            for transaction in transactions:
                self.assertIn(transaction.reference, told)

    def _announce(self):
        """The payment of the accepted renewal was announced, and is due today."""
        with self.registry.cursor() as cr:
            env = self._get_env(cr)
            renewal = env["membri.renewal"].browse(self.renewal_id)
            company, member = renewal.company_id, renewal.partner_id
            provider = env["payment.provider"].search(
                [("code", "=", "demo"), ("company_id", "=", company.id)], limit=1
            )
            self.provider_before = (provider.state, provider.allow_tokenization, provider.id)
            self._set_provider(env, "test", True, provider.id)
            renewal.option_set_id.automatic_payment = "offered"
            token = env["payment.token"].create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": env.ref("payment_demo.payment_method_demo").id,
                    "partner_id": member.id,
                    "payment_details": "1234",
                    "provider_ref": "concurrent",
                    "demo_simulated_state": "pending",
                }
            )
            member.with_company(company)._membri_save_card(token, "Yes", "payment")
            renewal.action_approve()
            renewal._internal_write(
                {
                    "date_charge": company._membri_today(),
                    "date_charge_announced": fields.Datetime.now() - timedelta(days=20),
                }
            )
            return renewal.amount_charge

    def _set_provider(self, env, state, allow_tokenization, provider_id):
        """Nothing else follows from it, so nothing else is to be undone."""
        env.cr.execute(
            "UPDATE payment_provider SET state = %s, allow_tokenization = %s WHERE id = %s",
            [state, allow_tokenization, provider_id],
        )
        env.invalidate_all()

    def test_charged_by_three_nights_at_once(self):
        """The provider is asked once, whoever else is at work at the same moment."""
        due = self._announce()
        model = self.registry["payment.transaction"]
        original, asked = model._send_payment_request, []

        def send(transaction):
            asked.append(transaction.reference)
            time.sleep(0.3)  # while the others look for something to do
            return original(transaction)

        def charge(renewal):
            renewal.env["membri.renewal"]._cron_charge()

        with patch.object(model, "_send_payment_request", send):
            self.assertEqual(self._race(charge, charge, charge), [None] * 3)
            self.assertEqual(self._race(charge, charge), [None] * 2)  # the answer is pending
        self.assertEqual(len(asked), 1, asked)
        with self.registry.cursor() as cr:
            env = self._get_env(cr)
            self.assertRecordValues(
                self._read_transactions(env),
                [{"state": "pending", "amount": due, "reference": asked[0]}],
            )
            renewal = env["membri.renewal"].browse(self.renewal_id)
            self.assertRecordValues(renewal, [{"charge_state": "pending", "charge_attempts": 1}])

    # ------------------------------------------------------------------
    # Afterwards
    # ------------------------------------------------------------------

    def assertRecordValues(self, records, expected):
        found = [
            {name: record[name] for name in vals}
            for record, vals in zip(records, expected, strict=False)
        ]
        self.assertEqual((len(records), found), (len(expected), expected))

    def _delete_all(self):
        with self.registry.cursor() as cr:
            env = self._get_env(cr)
            renewal = env["membri.renewal"].browse(self.renewal_id)
            moves = env["account.move"].search([("partner_id", "=", self.member_id)])
            terms = env["membri.cotisation"].search([("partner_id", "=", self.member_id)])
            documents = {
                "membri.renewal": renewal.ids,
                "membri.cotisation": terms.ids,
                "account.move": moves.ids,
                "res.partner": [self.member_id],
            }
            for model, ids in documents.items():
                domain = [("res_model", "=", model), ("res_id", "in", ids)]
                env["mail.activity"].search(domain).unlink()
                env["ir.attachment"].search(domain).unlink()
                cr.execute(
                    "DELETE FROM mail_message WHERE model = %s AND res_id = ANY(%s)", [model, ids]
                )
            moves.transaction_ids.unlink()
            cr.execute("DELETE FROM membri_portal_request WHERE res_id = %s", [renewal.id])
            cr.execute("DELETE FROM membri_change_request WHERE renewal_id = %s", [renewal.id])
            for query, ids in (
                ("UPDATE account_move_line SET membri_cotisation_id = NULL", moves.line_ids.ids),
                ("UPDATE account_move SET membri_renewal_id = NULL", moves.ids),
                ("UPDATE membri_cotisation SET renewal_id = NULL, invoice_id = NULL", terms.ids),
                ("DELETE FROM membri_renewal", renewal.ids),
                ("DELETE FROM membri_cotisation", terms.ids),
                ("DELETE FROM account_move", moves.ids),
            ):
                cr.execute(f"{query} WHERE id = ANY(%s)", [ids])
            cr.execute("DELETE FROM payment_token WHERE partner_id = %s", [self.member_id])
            if self.provider_before:
                self._set_provider(env, *self.provider_before)
            env.invalidate_all()
            option_set = env["membri.option.set"].browse(self.option_set_id)
            option_set.company_id.membri_portal_decline = self.decline_before
            option_set.unlink()
            env["product.product"].browse(self.product_id).product_tmpl_id.unlink()
            env["res.partner"].browse(self.member_id).unlink()
