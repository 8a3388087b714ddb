from odoo import fields
from odoo.tests import HttpCase

from .common import MembriCommon


class MembriPaymentCommon(MembriCommon):
    """An approved renewal, its pending cotisation and its unpaid invoice (as the accountant
    sees it), and what to expect of the three. In Québec, with Canada's chart of accounts:
    300 $, 5 % GST and 9.975 % QST make 344.93 $."""

    chart_template = "ca_2023"
    country_code = "CA"
    state = None
    told = ()

    @classmethod
    def _create_company(cls, **vals):
        # EXTENDS account: the province chooses the taxes
        return super()._create_company(**{"state_id": cls.env.ref("base.state_ca_qc").id, **vals})

    def setUp(self):
        super().setUp()
        self._follow(self._renewal_in("approved"))

    def _create_early_discount(self):
        """:return: payment terms: 2 % less within 10 days, else all within 30"""
        return self.env_root["account.payment.term"].create(
            {
                "name": "2/10 net 30",
                "early_discount": True,
                "discount_percentage": 2.0,
                "discount_days": 10,
                "early_pay_discount_computation": "included",
                "line_ids": [
                    fields.Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )

    def _follow(self, renewal):
        """Make ``renewal`` the one that the assertions are about."""
        self.renewal = renewal
        self.cotisation = renewal.new_cotisation_id
        self.invoice = renewal.invoice_id.with_env(self.env_account)
        self.state = self.cotisation.state
        self.told = self._get_told()

    def _get_told(self):
        """Return the states that the member's chatter has told of this cotisation, the last
        one first."""
        text = f"The status of membership term {self.cotisation.name} "
        return [
            message.body.striptags().rpartition("is now “")[2].rstrip("”.")
            for message in self.renewal.partner_id.message_ids
            if text in message.body
        ]

    def _assert_follows(self, state):
        """Cotisation, renewal, contact and the contact's chatter agree, and the night has
        nothing to correct. For a member whose last term is over."""
        paid = state == "active"
        void = state == "cancelled"
        self.assertEqual(self.cotisation.state, state)
        self.assertRecordValues(
            self.renewal,
            [
                {
                    "state": "intervention" if void else "approved",
                    "is_paid": paid,
                    "is_open": not paid,
                }
            ],
        )
        current = self.cotisation if paid else self.renewal.cotisation_id
        self.assertRecordValues(
            self.renewal.partner_id,
            [
                {
                    "membri_status": "active" if paid else "in_renewal",
                    "membri_cotisation_id": current.id,
                    "membri_date_end": current.date_end,
                }
            ],
        )
        told = self._get_told()
        if state != self.state:
            self.assertEqual(told[0], self.cotisation._get_state_label())
        self.assertEqual(len(told), len(self.told) + (state != self.state))
        self.state, self.told = state, told
        self._run_cron("ir_cron_update_states")
        self.assertEqual(self.cotisation.state, state)
        self.assertEqual(self._get_told(), told)

    def _assert_paid(self, cotisation_state="scheduled"):
        self.assertEqual(self.cotisation.state, cotisation_state)
        self.assertEqual(self.cotisation.payment_state, "paid")
        self.assertTrue(self.renewal.is_paid)
        self.assertFalse(self.renewal.is_open)
        self.assertEqual(self.renewal.state, "approved")

    def _assert_unpaid(self, payment_state="not_paid"):
        self.assertEqual(self.cotisation.state, "pending")
        self.assertEqual(self.cotisation.payment_state, payment_state)
        self.assertFalse(self.renewal.is_paid)
        self.assertTrue(self.renewal.is_open)
        self.assertEqual(self.renewal.state, "approved")

    def _assert_void(self):
        """The system transition of specification §2: cancelled, and back to the staff."""
        self.assertEqual(self.cotisation.state, "cancelled")
        self.assertRecordValues(
            self.renewal,
            [
                {
                    "state": "intervention",
                    "invoice_id": False,
                    "new_cotisation_id": False,
                    "is_paid": False,
                    "is_open": True,
                }
            ],
        )
        self.assertIn(f"Invoice {self.invoice.name}", self.renewal.intervention_reason)
        self.assertTrue(self.renewal.partner_id.membri_intervention_required)

    def _credit(self, invoice, price=None):
        """Post a credit note from Odoo's own dialog, of all, or of ``price`` before taxes."""
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        credit_note = self.env_account["account.move"].browse(wizard.reverse_moves()["res_id"])
        if price:
            credit_note.invoice_line_ids.price_unit = price
        credit_note.action_post()
        return credit_note

    def _settle_by_entry(self, account, amount, invoice=None, partner=None):
        """Reconcile the invoice by hand with an entry: ``account``, of ``partner``, to its
        receivable."""
        receivable = (invoice or self.invoice).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        entry = self.env_account["account.move"].create(
            {
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    fields.Command.create(
                        {
                            "account_id": receivable.account_id.id,
                            "partner_id": receivable.partner_id.id,
                            "credit": amount,
                        }
                    ),
                    fields.Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": partner.id if partner else False,
                            "debit": amount,
                        }
                    ),
                ],
            }
        )
        entry.action_post()
        (entry.line_ids.filtered("credit") | receivable).reconcile()
        return entry


class PortalPaymentCase(MembriPaymentCommon, HttpCase):
    """Online payment of a membership invoice by the real routes, with Odoo's demo provider."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        demo = cls.env_root.ref("payment.payment_provider_demo")
        cls.provider = cls.env_root["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", cls.company.id)], limit=1
        ) or demo.copy({"company_id": cls.company.id})
        cls.provider.write({"state": "test", "is_published": True})
        cls.provider.journal_id = cls.company_data["default_journal_bank"]
        cls.payment_method = cls.env_root.ref("payment_demo.payment_method_demo")

    def setUp(self):
        super().setUp()
        self._run_cron("ir_cron_update_states")
        self.authenticate(None, None)

    def _begin_payment(self):
        """What the page does when the member presses *Pay*; returns the transaction."""
        invoice = self.renewal.invoice_id.sudo() or self.invoice.sudo()
        reference = self.make_jsonrpc_request(
            f"/invoice/transaction/{invoice.id}",
            {
                "access_token": invoice._portal_ensure_token(),
                "provider_id": self.provider.id,
                "payment_method_id": self.payment_method.id,
                "token_id": None,
                "amount": invoice.amount_residual,
                "flow": "direct",
                "tokenization_requested": False,
                "landing_route": invoice.get_portal_url(),
            },
        )["reference"]
        return self.env_root["payment.transaction"].search([("reference", "=", reference)])

    def _answer(self, transaction, state):
        """What the provider answers, and the page that waits for it."""
        self.make_jsonrpc_request(
            "/payment/demo/simulate_payment",
            {
                "reference": transaction.reference,
                "payment_details": "1234",
                "simulated_state": state,
            },
        )
        self.make_jsonrpc_request("/payment/status/poll", {})
        self.env.invalidate_all()

    def _get_page(self, invoice):
        return self.url_open(invoice.get_portal_url()).text
