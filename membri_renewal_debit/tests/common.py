"""Members with mandates, and the orders that collect from them."""

import html

from odoo.fields import Command

from odoo.addons.membri_renewal.tests.common_automatic_payment import AutomaticPaymentCommon

IBANS = (
    "FR1420041010050500013M02606",
    "DE89370400440532013000",
    "BE68539007547034",
    "ES9121000418450200051332",
    "NL91ABNA0417164300",
    "IT60X0542811101000000123456",
)


class DebitCommon(AutomaticPaymentCommon):
    """A company that collects SEPA debits in euros, and members with mandates."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.with_env(cls.env_root).write(
            {
                "currency_id": cls.env_root.ref("base.EUR").id,
                "sepa_creditor_identifier": "FR78ZZZ424242",
            }
        )
        cls.accountant = cls.env_account.user
        cls.accountant.sudo().group_ids += cls.env_root.ref(
            "account_payment_order.group_account_payment"
        )
        cls.method = cls.env_root.ref("account_banking_sepa_direct_debit.sepa_direct_debit")
        cls.mode = cls._create_mode(cls.method)

    def setUp(self):
        super().setUp()
        self.ibans = list(IBANS)

    @classmethod
    def _create_mode(cls, method):
        """A payment mode with a bank journal of its own."""
        account = cls.env_root["res.partner.bank"].create(
            {
                "acc_number": "ES5201822782568838821868",
                "partner_id": cls.company.partner_id.id,
                "company_id": cls.company.id,
            }
        )
        journal = cls.env_root["account.journal"].create(
            {
                "name": "Debits",
                "type": "bank",
                "code": "DEBIT",
                "company_id": cls.company.id,
                "bank_account_id": account.id,
                "inbound_payment_method_line_ids": [
                    Command.create({"payment_method_id": method.id})
                ],
            }
        )
        return cls._create_mode_of(journal, method)

    @classmethod
    def _create_mode_of(cls, journal, method):
        return cls.env_root["account.payment.mode"].create(
            {
                "name": "Debits of members",
                "company_id": cls.company.id,
                "payment_method_id": method.id,
                "bank_account_link": "fixed",
                "fixed_journal_id": journal.id,
            }
        )

    def _give_mandate(self, partner, number=None, **vals):
        bank = self.env_root["res.partner.bank"].create(
            {"acc_number": number or self.ibans.pop(), "partner_id": partner.id}
        )
        return self.env_root["account.banking.mandate"].create(
            {
                "partner_bank_id": bank.id,
                "company_id": self.company.id,
                "signature_date": "2026-02-01",
                "state": "valid",
                **vals,
            }
        )

    def _announced_debit(self, **vals):
        """:return: an approved renewal whose debit was announced"""
        cotisation = self._create_yearly()
        self._give_mandate(cotisation.partner_id)
        renewal = self._create_renewal(cotisation, **vals)
        renewal.action_send()
        renewal.action_approve()
        self.assertEqual(renewal.charge_state, "announced")
        return renewal

    def _collected(self):
        renewal = self._announced_debit()
        self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "pending")
        return renewal

    def _get_debits(self, renewal):
        return renewal.sudo().invoice_id.membri_debit_ids

    def _get_order(self, renewal):
        return self._get_debits(renewal).order_id

    def _upload(self, renewal):
        """As the accountant does, who knows nothing of memberships."""
        order = self._get_order(renewal).filtered(lambda o: o.state == "draft")
        order = order.with_env(self.env_account)
        with self._on(renewal.date_charge):
            order.draft2open()
            order.open2generated()
            order.generated2uploaded()
        self.env.invalidate_all()

    def _refused_to_confirm(self, renewal):
        order = self._get_order(renewal).with_env(self.env_account)
        with self._on(renewal.date_charge):
            return self._assert_refused(order.draft2open)

    def _return(self, renewal, day, code="AM04", name="Insufficient funds"):
        """The bank gives the last debit of the renewal back."""
        payment = self._get_debits(renewal).sorted("id")[-1:].payment_ids
        line = payment.move_id.line_ids.filtered(lambda aml: aml.account_type == "asset_receivable")
        reasons = self.env_root["payment.return.reason"]
        reason = code and (
            reasons.search([("code", "=", code)], limit=1)
            or reasons.create({"code": code, "name": name})
        )
        with self._on(day):
            self.env_root["payment.return"].create(
                {
                    "journal_id": self.mode.fixed_journal_id.id,
                    "company_id": self.company.id,
                    "line_ids": [
                        Command.create(
                            {
                                "partner_id": line.partner_id.id,
                                "move_line_ids": [Command.set(line.ids)],
                                "amount": line.credit,
                                "reason_id": reason and reason.id,
                            }
                        )
                    ],
                }
            ).with_company(self.company).action_confirm()
            self._let_leave()

    def _assert_told_rest(self, renewals, amount):
        """The payer is asked for nothing that the bank was asked for."""
        [told] = renewals.message_ids.filtered(lambda m: "did not go" in (m.subject or ""))
        amount = renewals[0]._format_amount(amount)
        self.assertIn(f"Your payment of {amount} with", html.unescape(str(told.body)))
