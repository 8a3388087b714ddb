from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from .common import MembriCommon


class AutomaticPaymentCommon(MembriCommon):
    """Members whose card is saved with Odoo's demo provider, and a plan that charges it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = cls._create_provider(cls.company)
        cls.yearly.sudo().automatic_payment = "offered"

    def setUp(self):
        """Emails leave, as far as a mail server of nobody: what was announced has left."""
        super().setUp()
        for method, result in (("_disable_send", False), ("_connect__", None)):
            self.startPatcher(patch.object(IrMail_Server, method, return_value=result))
        self.startPatcher(
            patch.object(
                IrMail_Server, "send_email", lambda _server, message, *a, **k: message["Message-Id"]
            )
        )

    @classmethod
    def _create_provider(cls, company):
        provider = cls.env_root["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", company.id)], limit=1
        ) or cls.env_root.ref("payment.payment_provider_demo")
        if provider.company_id != company:
            provider = provider.copy({"company_id": company.id})
        provider.write({"state": "test", "allow_tokenization": True})
        if company == cls.company:
            provider.journal_id = cls.company_data["default_journal_bank"]
        return provider

    @classmethod
    def _create_token(cls, partner, state="done", provider=None, **vals):
        return cls.env_root["payment.token"].create(
            {
                "provider_id": (provider or cls.provider).id,
                "payment_method_id": cls.env_root.ref("payment_demo.payment_method_demo").id,
                "partner_id": partner.id,
                "payment_details": "1234",
                "provider_ref": "demo reference",
                "demo_simulated_state": state,
                **vals,
            }
        )

    def _give_two_parts(self, partner, first=50):
        """What is invoiced to ``partner`` is due in two parts: at once, and 90 days later.

        :param first: the percentage that is due at once"""
        term = self.env_root["account.payment.term"].create(
            {
                "name": "Two parts",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": first, "nb_days": 0}),
                    Command.create(
                        {"value": "percent", "value_amount": 100 - first, "nb_days": 90}
                    ),
                ],
            }
        )
        payer = partner.with_env(self.env_root).with_company(self.company)
        payer.property_payment_term_id = term

    def _save_card(self, partner, state="done"):
        """:return: the token, which ``partner`` has agreed to be charged"""
        token = self._create_token(partner, state)
        payer = partner.with_env(self.env_root).with_company(self.company)
        payer._membri_save_card(token, "Use this card for my next renewals", "payment")
        return token

    def _announced(self, state="done", **vals):
        """:return: an approved renewal whose payment was announced"""
        cotisation = self._create_yearly()
        self._save_card(cotisation.partner_id, state)
        renewal = self._create_renewal(cotisation, **vals)
        renewal.action_send()
        renewal.action_approve()
        self.assertEqual(renewal.charge_state, "announced")
        return renewal

    def _announced_in_parts(self, save=None, first=50):
        """:param save: function that gives the payer a way to pay; default: a saved card
        :param first: the percentage that is due at once
        :return: an approved renewal that is charged in two parts, as was announced"""
        cotisation = self._create_yearly()
        self._give_two_parts(cotisation.partner_id, first)
        (save or self._save_card)(cotisation.partner_id)
        renewal = self._create_renewal(cotisation, mode="invoice")
        renewal.action_approve()
        self._let_leave()
        return renewal

    def _announced_together(self, save=None, *, in_parts=False):
        """:param save: function that gives the payer a way to pay; default: a saved card
        :return: two renewals of one invoice, whose payment was announced"""
        payer = self._create_member("Family", is_company=True)
        payer.membri_group_invoices = True
        if in_parts:
            self._give_two_parts(payer)
        (save or self._save_card)(payer)
        members = [self._create_member(name, parent_id=payer.id) for name in ("Son", "Daughter")]
        renewals = self.env["membri.renewal"].union(
            *(
                self._create_renewal(self._create_cotisation(member, "2026-01-01"))
                for member in members
            )
        )
        renewals.action_approve()
        self._let_leave()
        self.assertEqual(len(renewals.invoice_id), 1)
        self.assertEqual(set(renewals.mapped("charge_state")), {"announced"})
        return renewals

    @contextmanager
    def _on(self, day, hour=15):
        with freeze_time(f"{fields.Date.to_string(day)} {hour}:00:00"):
            yield

    def _charge(self, day=None):
        """The night of ``day``, and the emails that it made."""
        if day is None:
            self._run_cron("ir_cron_charge")
            self._let_leave()
            return
        with self._on(day):
            self._charge()

    def _let_leave(self):
        """What waits to be emailed leaves."""
        self._run_cron("ir_cron_send_fee_notices")
        with self.enter_registry_test_mode():
            self.env_root.ref("account.ir_cron_account_move_send").method_direct_trigger()
        self.env_root["mail.mail"].search([("state", "=", "outgoing")]).send()
        self.env.invalidate_all()

    def _after(self, renewal, days):
        return renewal.date_charge + timedelta(days=days)

    def _get_charges(self, invoice):
        return invoice.sudo().transaction_ids.sorted("id")

    def _get_charged(self, invoice):
        """:return: what was taken for ``invoice`` by itself"""
        done = self._get_charges(invoice).filtered(lambda tx: tx.state == "done")
        return sum(done.mapped("amount"))

    def _assert_nothing_charged(self, renewal, state, invoice=None):
        invoice = invoice or renewal.invoice_id
        self.assertEqual(self._get_charged(invoice), 0.0)
        self.assertEqual(renewal.charge_state, state)

    def _is_in_queue(self, renewal):
        queue = self.env.ref("membri_renewal.dashboard_charge_failed")
        return bool(renewal.filtered_domain(queue._get_domain()))
