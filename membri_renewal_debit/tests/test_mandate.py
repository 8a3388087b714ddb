"""A valid mandate is a way to pay, announced and due as a card, and stopped by one click."""

from datetime import date, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import DebitCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestMandate(DebitCommon):
    def test_announced_as_a_card(self):
        self.company.with_env(self.env_root).membri_charge_lead_days = 3
        cotisation = self._create_yearly()
        mandate = self._give_mandate(cotisation.partner_id, unique_mandate_reference="BM1")
        digits = mandate.partner_bank_id.sanitized_acc_number[-4:]
        self.assertIn(f"••{digits} (mandate BM1)", cotisation.partner_id.membri_payment_card)
        renewal = self._create_renewal(cotisation, mode="invoice")
        renewal.action_approve()
        # rule H1 of Payments Canada, whatever the setting
        self.assertEqual(
            (renewal.charge_state, renewal.date_charge), ("announced", date(2026, 11, 25))
        )
        self.assertEqual(renewal.amount_charge, renewal.invoice_id.amount_total)
        self.assertEqual(renewal.charge_mandate_id, mandate)
        self.assertFalse(renewal.sudo().charge_token_id)
        sentence = renewal._get_charge_sentence()
        self.assertIn(f"IBAN ••{digits} (mandate BM1) on November 25, 2026", sentence)

    def test_what_is_no_way_to_pay(self):
        other = self._create_other_company("Chapter", "America/Toronto")
        cases = [
            {"state": "draft"},
            {"state": "expired"},
            {"state": "cancel"},
            {"company_id": other.id},
            {"type": "oneoff", "last_debit_date": "2026-06-01"},
            {"signature_date": "2023-11-15"},  # not used for three years
            {"membri_stopped_on": "2026-10-01"},
        ]
        payer = self._create_yearly().partner_id
        mandate = self._give_mandate(payer)
        usual = {name: mandate[name] for vals in cases for name in vals} | {
            "company_id": self.company.id
        }
        payer_sudo = payer.sudo().with_company(self.company)
        for vals in cases:
            with self.subTest(vals):
                mandate.write(vals)
                self.assertFalse(payer_sudo._membri_get_saved_card())
                self.assertIs(payer.membri_payment_card, False)
                self.assertTrue(mandate._membri_get_unusable_reason(payer, self.company))
                mandate.write(usual)
                self.assertEqual(payer_sudo._membri_get_saved_card(), mandate)
        mandate.partner_bank_id.active = False
        self.assertFalse(payer_sudo._membri_get_saved_card())

    def test_account_of_somebody_else(self):
        firm = self._create_member("Firm", is_company=True)
        person = self._create_member("Person", parent_id=firm.id)
        mandate = self._give_mandate(firm)
        self.assertFalse(person.sudo()._membri_get_saved_card())
        self.assertIn(
            "not an account of", mandate._membri_get_unusable_reason(person, self.company)
        )
        self.assertEqual(firm.sudo()._membri_get_saved_card(), mandate)

    def test_card_goes_first(self):
        cotisation = self._create_yearly()
        self._give_mandate(cotisation.partner_id)
        token = self._save_card(cotisation.partner_id)
        renewal = self._create_renewal(cotisation, mode="invoice")
        renewal.action_approve()
        self._let_leave()
        self.assertEqual(renewal.sudo().charge_token_id, token)
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_charged(renewal.invoice_id), renewal.invoice_id.amount_total)
        self.assertFalse(self._get_debits(renewal))

    def test_no_payment_mode(self):
        self.mode.active = False
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        self._give_mandate(self.member)
        renewal.action_approve()
        self.assertFalse(renewal.charge_state)
        self.assertIn("no incoming payment mode", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))

    def test_mode_of_the_payer(self):
        own = self.mode.copy({"name": "Debits of firms", "sequence": 99})
        mandate = self._give_mandate(self.member)
        self.assertEqual(mandate._membri_get_debit_mode(), self.mode)
        self.member.with_env(self.env_root).with_company(
            self.company
        ).customer_payment_mode_id = own
        self.assertEqual(mandate._membri_get_debit_mode(), own)

    def test_required_plan(self):
        """A valid mandate is a saved way to pay: nobody has to save a card besides."""
        self.yearly.sudo().automatic_payment = "required"
        renewal = self._renewal_in("approved")
        payer, invoice = renewal.partner_id, renewal.invoice_id.sudo()
        self.assertIn("requires automatic payment", renewal.charge_note)
        self.assertTrue(invoice._membri_requires_card(payer))
        mandate = self._give_mandate(payer)
        self.assertFalse(invoice._membri_requires_card(payer))
        self._charge()
        self.assertRecordValues(renewal, [{"charge_state": "announced", "charge_note": False}])
        for vals in ({"state": "expired"}, {"state": "valid", "membri_stopped_on": "2026-11-01"}):
            mandate.write(vals)
            self.assertTrue(invoice._membri_requires_card(payer), vals)

    def test_plan_without_automatic_payment(self):
        renewal = self._announced_debit()
        self._let_leave()
        self.yearly.sudo().automatic_payment = "none"
        self.assertFalse(renewal._get_charge_sentence())
        self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "failed")
        self.assertIn("no longer offers", renewal.charge_note)
        self.assertFalse(self._get_debits(renewal))

    def test_sepa_is_in_euros(self):
        mandate = self._give_mandate(self.member)
        self.assertFalse(mandate._membri_get_currency_reason(self.env.ref("base.EUR")))
        reason = mandate._membri_get_currency_reason(self.env.ref("base.CAD"))
        self.assertIn("does not accept payments in CAD", reason)

    def test_another_account_is_announced_again(self):
        renewal = self._announced_debit()
        mandate = renewal.charge_mandate_id.with_env(self.env_root)
        mandate.partner_bank_id = self.env_root["res.partner.bank"].create(
            {"acc_number": self.ibans.pop(), "partner_id": renewal.partner_id.id}
        )
        first = renewal.date_charge
        self._charge(first)
        self.assertFalse(self._get_debits(renewal))
        self.assertEqual(renewal.date_charge, first + timedelta(days=10))
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_debits(renewal).partner_bank_id, mandate.partner_bank_id)

    def test_mandate_revoked_after_the_announcement(self):
        renewal = self._announced_debit()
        renewal.charge_mandate_id.with_env(self.env_root).cancel()
        self._charge(renewal.date_charge)
        self.assertFalse(self._get_debits(renewal))
        self.assertEqual(renewal.charge_state, "failed")
        self.assertIn("no longer valid", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))

    def test_stopped_by_the_member(self):
        renewal = self._announced_debit()
        mandate = renewal.charge_mandate_id
        payer = renewal.partner_id
        self.assertFalse(
            renewal.sudo()._portal_stop_charge(payer.sudo()), "the link of a notice stops it"
        )
        self.assertEqual(renewal.charge_state, "stopped")
        # other invoices may be collected by it
        self.assertEqual((mandate.state, mandate.membri_stopped_on), ("valid", date(2026, 11, 15)))
        self._charge(date(2027, 2, 1))
        self.assertEqual(renewal.charge_state, "stopped")
        self.assertFalse(self._get_debits(renewal))
        # My membership
        member = payer.sudo().with_company(self.company)
        card = member._membri_get_portal_card(payer.sudo())
        self.assertEqual((bool(card["token"]), card["mandate"]), (False, mandate.sudo()))
        self.assertFalse(member._membri_portal_use_card(payer.sudo(), "mandate"))
        self.assertFalse(mandate.membri_stopped_on)
        self.assertEqual(member._membri_portal_use_card(payer.sudo(), "mandate"), "no_card")
        self.assertFalse(member._membri_portal_stop_card(payer.sudo()))
        self.assertTrue(mandate.membri_stopped_on)
        # to and fro, each time with notes: five times an hour, as another card
        for _again in range(4):
            self.assertFalse(member._membri_portal_use_card(payer.sudo(), "mandate"))
            self.assertFalse(member._membri_portal_stop_card(payer.sudo()))
        self.assertEqual(member._membri_portal_use_card(payer.sudo(), "mandate"), "too_often")
        self.assertTrue(mandate.membri_stopped_on)

    def test_stopped_by_the_staff(self):
        mandate = self._give_mandate(self.member).with_env(self.env)
        self.member.action_membri_stop_automatic_payment()
        self.assertEqual(mandate.membri_stopped_on, date(2026, 11, 15))
        with self.assertRaises(UserError):
            self.member.action_membri_stop_automatic_payment()
        with self.assertRaises(AccessError):
            mandate.with_user(self.employee).action_membri_use_again()
        with self.assertRaises(AccessError):
            mandate.membri_stopped_on = False
        mandate.action_membri_use_again()
        self.assertFalse(mandate.membri_stopped_on)
        with self.assertRaises(UserError):
            mandate.action_membri_use_again()

    def test_pad_without_file(self):
        """Pre-authorized debits of Canada: any incoming method that asks for mandates, the same
        order, ten days ahead."""
        method = self.env_root["account.payment.method"].search(
            [("code", "=", "manual"), ("payment_type", "=", "inbound")], limit=1
        )
        method.mandate_required = True
        self.mode.active = False
        mode = self._create_pad_mode(method)
        self.company.with_env(self.env_root).membri_charge_lead_days = 2
        cotisation = self._create_yearly()
        self._give_mandate(cotisation.partner_id, number="00012-003-1234567", format="basic")
        renewal = self._create_renewal(cotisation, mode="invoice")
        renewal.action_approve()
        self._let_leave()
        self.assertEqual(renewal.date_charge, date(2026, 11, 25))
        self.assertIn("bank account ••4567", renewal._get_charge_sentence())
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_order(renewal).payment_mode_id, mode)
        self._upload(renewal)
        self.assertTrue(renewal.is_paid)

    def _create_pad_mode(self, method):
        journal = self.mode.fixed_journal_id
        line = journal.inbound_payment_method_line_ids.filtered(
            lambda found: found.payment_method_id == method
        )
        if not line:
            journal.inbound_payment_method_line_ids = [
                Command.create({"payment_method_id": method.id})
            ]
        return self._create_mode_of(journal, method)
