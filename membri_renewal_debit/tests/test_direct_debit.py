"""Issue 15, point 7: a valid mandate is a way to pay, announced and due as a card, collected by the
night into a draft payment order, once, and stopped by one click."""

import base64
import html
from datetime import date, timedelta

from freezegun import freeze_time
from lxml import etree
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import file_open, mute_logger

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


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCollected(DebitCommon):
    def test_page_of_what_is_collected(self):
        """The payer who was told that nothing is to be done is not late, sees that it is being
        collected, and is offered no second payment; and why it came to nothing."""
        renewal = self._announced_debit()
        invoice = renewal.invoice_id.sudo()
        digits = invoice._membri_get_charged_renewals().charge_account[-4:]
        day = renewal.date_charge
        self.assertGreater(day, invoice.invoice_date_due)

        def get_days():
            [section] = invoice.partner_id._membri_get_statement()
            return [due["days_late"] for due in section["due"]]

        with self._on(day - timedelta(days=1)):
            self.assertEqual(invoice._membri_get_days_late(), 0)
            self.assertFalse(invoice._membri_counts_days())
            self.assertNotIn("late", " ".join(invoice._membri_get_standing_sentences()))
            self.assertTrue(invoice._has_to_be_paid(), "another way")
            self.assertEqual(get_days(), [0])
        self._charge(day)
        with self._on(day):
            level, sentence = invoice._membri_get_last_try()
            self.assertEqual(level, "info")
            self.assertIn(digits, sentence)
            self.assertFalse(invoice._has_to_be_paid())
            self.assertEqual(invoice._membri_get_portal_status()[0], "info")
            self.assertEqual(invoice._membri_get_days_late(), 0)
            self._get_order(renewal).with_env(self.env_account).action_cancel()
            self._charge()
            self.assertEqual(renewal.charge_state, "failed")
            level, sentence = invoice._membri_get_last_try()
            self.assertEqual(level, "danger")
            self.assertIn(digits, sentence)
            self.assertTrue(invoice._has_to_be_paid())
            self.assertGreater(invoice._membri_get_days_late(), 0)
            self.assertEqual(get_days(), [invoice._membri_get_days_late()])

    def test_announced_is_a_fact(self):
        """Accountants of payments write mandates and orders: not what the payer was told, nor that
        it was stopped."""
        renewal = self._collected()
        line = self._get_debits(renewal)
        order, mandate = line.order_id, line.mandate_id
        mandate.membri_stopped_on = date(2026, 11, 15)
        for record, name, value in (
            (line, "membri_charge_amount", 1000.0),
            (line, "membri_charge_invoice_id", False),
            (line, "membri_charge_day", "2026-12-24"),
            (line, "membri_charge_rank", 7),
            (line, "state", "uploaded"),
            (order, "membri_charge_day", False),
            (mandate, "membri_stopped_on", False),
        ):
            before = record[name]
            with self.subTest(field=name), self.assertRaises(UserError):
                record.with_env(self.env_account).write({name: value})
            self.assertEqual(record[name], before)
        vals = {
            "order_id": order.id,
            "partner_id": line.partner_id.id,
            "membri_charge_invoice_id": renewal.invoice_id.id,
        }
        with self.assertRaises(UserError):
            self.env_account["account.payment.line"].create(vals)
        # what is the accountant's stays so
        line.with_env(self.env_account).amount_currency = 1.0
        mandate.with_env(self.env_account).signature_date = "2026-01-31"

    def test_who_sees_what_of_an_account(self):
        renewal = self._announced_debit()
        mandate = renewal.sudo().charge_mandate_id
        for user, number, stopped in (
            (self.employee, False, False),
            (self.auditor, False, True),
            (self.officer, False, True),
            (self.accountant, True, True),
        ):
            with self.subTest(user=user.login):
                field = renewal._fields["charge_account"]
                self.assertEqual(renewal.with_user(user)._has_field_access(field, "read"), number)
                field = mandate._fields["membri_stopped_on"]
                self.assertEqual(mandate.with_user(user)._has_field_access(field, "read"), stopped)

    def test_mandates_are_their_companys(self):
        """OCA's rule of companies leaves out writing."""
        mandate = self._give_mandate(self.member)
        west = self.env_root["res.company"].create({"name": "West"})
        foreign = new_test_user(
            self.env_root,
            "west_accountant",
            "account_payment_order.group_account_payment,account.group_account_user",
            company_id=west.id,
            company_ids=west.ids,
        )
        with self.assertRaises(AccessError):
            mandate.with_user(foreign).with_company(west).write({"state": "cancel"})
        self.assertEqual(mandate.state, "valid")

    def test_one_order_for_the_day(self):
        renewals = self._announced_debit() | self._announced_debit()
        day = renewals[0].date_charge
        self._charge(day - timedelta(days=1))
        self.assertFalse(self._get_debits(renewals[0]))
        self._charge(day)
        self._charge(day)
        order = self._get_order(renewals)
        self.assertRecordValues(
            order,
            [
                {
                    "state": "draft",
                    "payment_mode_id": self.mode.id,
                    "journal_id": self.mode.fixed_journal_id.id,
                    "date_prefered": "fixed",
                    "date_scheduled": day,
                    "company_id": self.company.id,
                }
            ],
        )
        self.assertEqual(len(order.payment_line_ids), 2)
        for renewal in renewals:
            line = self._get_debits(renewal)
            self.assertEqual(renewal.charge_state, "pending")
            self.assertEqual(line.amount_currency, renewal.invoice_id.amount_total)
            self.assertEqual(line.mandate_id, renewal.charge_mandate_id.sudo())
            self.assertIn(renewal.invoice_id.name, line.communication)
            invoice = renewal.sudo().invoice_id
            self.assertEqual(invoice._membri_get_amount_to_pay(), 0.0)
            self.assertTrue(invoice._membri_is_money_under_way())
        self._assert_refused(renewals.action_reset)
        with self.assertRaises(AccessError):
            order.with_env(self.env).read(["name"])

    def test_sepa_file_and_money(self):
        renewal = self._collected()
        mandate = renewal.charge_mandate_id.sudo()
        self._upload(renewal)
        order = self._get_order(renewal)
        attachment = self.env_root["ir.attachment"].search(
            [("res_model", "=", order._name), ("res_id", "=", order.id), ("name", "like", ".xml")]
        )
        document = etree.fromstring(base64.b64decode(attachment.datas))
        path = "account_banking_sepa_direct_debit/data/pain.008.001.02.xsd"
        with file_open(path, "rb") as schema:
            etree.XMLSchema(etree.parse(schema)).assertValid(document)
        found = {
            name: document.findtext(f".//{{*}}{name}")
            for name in ("InstdAmt", "MndtId", "ReqdColltnDt", "CtrlSum", "SeqTp")
        }
        amount = f"{renewal.invoice_id.amount_total:.2f}"
        self.assertEqual(
            found,
            {
                "InstdAmt": amount,
                "MndtId": mandate.unique_mandate_reference,
                "ReqdColltnDt": str(renewal.date_charge),
                "CtrlSum": amount,
                "SeqTp": "FRST",
            },
        )
        self.assertEqual(
            document.findtext(".//{*}DbtrAcct/{*}Id/{*}IBAN"),
            mandate.partner_bank_id.sanitized_acc_number,
        )
        self.assertEqual(renewal.charge_state, "done")
        self.assertTrue(renewal.is_paid)
        self.assertEqual(renewal.date_charge, renewal.date_start)
        self.assertEqual(renewal.new_cotisation_id.state, "active")
        self.assertFalse(self._is_in_queue(renewal))
        self._charge(self._after(renewal, 30))
        self.assertEqual(len(self._get_debits(renewal)), 1)

    def test_paid_by_hand_meanwhile(self):
        renewal = self._collected()
        with self._on(renewal.date_charge):
            self._pay(renewal.invoice_id)
        sentence = self._refused_to_confirm(renewal)
        self.assertIn(renewal.invoice_id.name, sentence)
        order = self._get_order(renewal)
        self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "stopped")
        self.assertFalse(self._get_debits(renewal))
        self.assertFalse(order.exists())

    def test_what_is_not_confirmed(self):
        renewal = self._collected()
        line = self._get_debits(renewal)
        line.amount_currency += 1
        self.assertIn("debits more than", self._refused_to_confirm(renewal))
        line.amount_currency -= 1
        bank = line.partner_bank_id
        number = bank.acc_number
        bank.acc_number = self.ibans.pop()
        self.assertIn("The bank account announced to", self._refused_to_confirm(renewal))
        bank.acc_number = number
        renewal._internal_write({"charge_state": "stopped"})
        self.assertIn("no longer planned", self._refused_to_confirm(renewal))

    def test_mandate_revoked_in_the_draft_order(self):
        renewal = self._collected()
        renewal.charge_mandate_id.with_env(self.env_root).cancel()
        self.assertTrue(self._refused_to_confirm(renewal))  # by OCA, for SEPA
        self.assertIn("no longer valid", self._get_debits(renewal)._membri_get_reasons()[0])
        self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "failed")
        self.assertIn("no longer valid", renewal.charge_note)
        self.assertFalse(self._get_debits(renewal))

    def test_mandate_deleted_in_the_draft_order(self):
        renewal = self._collected()
        renewal.charge_mandate_id.with_env(self.env_root).unlink()
        self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "failed")
        self.assertFalse(self._get_debits(renewal))

    def _confirmed(self):
        """:return: a renewal, and its confirmed order as the accountant has it"""
        renewal = self._collected()
        order = self._get_order(renewal).with_env(self.env_account)
        with self._on(renewal.date_charge):
            order.draft2open()
        return renewal, order

    def _refused_to_generate(self, renewal, order):
        with self._on(renewal.date_charge):
            sentence = self._assert_refused(order.open2generated)
        self.assertEqual(order.state, "open")
        return sentence

    def test_payment_changed_in_the_confirmed_order(self):
        """OCA lets accountants edit the payments of a confirmed order, which are what the file
        asks for."""
        renewal, order = self._confirmed()
        payment, amount = order.payment_ids, order.payment_ids.amount
        for changed in (amount + 1, amount - 1):
            payment.amount = changed
            self.assertIn("not what was announced", self._refused_to_generate(renewal, order))
        payment.amount = amount
        with self._on(renewal.date_charge):
            order.open2generated()
            # the file is made: what is booked is what it asks for
            payment.amount = amount + 1
            self.assertIn("not what was announced", self._assert_refused(order.generated2uploaded))
            payment.amount = amount
            order.generated2uploaded()
        self.env.invalidate_all()
        self.assertEqual((renewal.charge_state, renewal.is_paid), ("done", True))

    def test_confirmed_and_then_settled_otherwise(self):
        """Between the confirmation and the file: paid by hand, stopped, revoked."""
        renewal, order = self._confirmed()
        with self._on(renewal.date_charge):
            self._pay(renewal.invoice_id)
        sentence = self._refused_to_generate(renewal, order)
        self.assertIn("left to pay", sentence)
        self.assertIn("delete its payment", sentence)
        other, second = self._confirmed()
        other.sudo().charge_mandate_id._membri_stop()
        self.assertIn("stopped automatic payments", self._refused_to_generate(other, second))
        third, last = self._confirmed()
        third.charge_mandate_id.with_env(self.env_root).cancel()
        self.assertIn("no longer valid", self._refused_to_generate(third, last))

    def test_all_payments_deleted_in_the_confirmed_order(self):
        renewal, order = self._confirmed()
        order.payment_ids.unlink()
        self.assertIn("Cancel the order", self._refused_to_generate(renewal, order))

    def test_account_of_the_mandate_changed_in_the_confirmed_order(self):
        renewal, order = self._confirmed()
        mandate = renewal.charge_mandate_id.with_env(self.env_root)
        account = mandate.partner_bank_id.copy({"acc_number": "FR7630006000011234567890189"})
        mandate.partner_bank_id = account
        self.assertIn("The bank account announced to", self._refused_to_generate(renewal, order))

    def test_payment_deleted_in_the_confirmed_order(self):
        """The others go to the bank; who paid by hand is asked for nothing, who did not is told."""
        paid, unpaid, other = (self._announced_debit() for _index in range(3))
        day = paid.date_charge
        self._charge(day)
        order = self._get_order(paid).with_env(self.env_account)
        with self._on(day):
            order.draft2open()
            self._pay(paid.invoice_id)
            (self._get_debits(paid) | self._get_debits(unpaid)).payment_ids.with_env(
                self.env_account
            ).unlink()
            order.open2generated()
            order.generated2uploaded()
        self.env.invalidate_all()
        self.assertEqual(order.payment_line_ids, self._get_debits(other))
        self.assertEqual(other.charge_state, "done")
        self._charge(day)
        self.assertEqual((paid.charge_state, paid.charge_note), ("stopped", False))
        self.assertEqual(unpaid.charge_state, "failed")
        self.assertIn("was taken off", unpaid.charge_note)

    def test_payment_deleted_after_the_file(self):
        renewal, order = self._confirmed()
        with self._on(renewal.date_charge):
            order.open2generated()
            order.payment_ids.unlink()
            self.assertIn("no longer has a payment", self._assert_refused(order.generated2uploaded))
        self.assertEqual(renewal.charge_state, "pending")

    def test_line_of_what_was_paid_is_taken_off(self):
        renewal = self._collected()
        with self._on(renewal.date_charge):
            self._pay(renewal.invoice_id)
        self._get_debits(renewal).with_env(self.env_account).unlink()
        mails = self.env_root["mail.mail"].search_count([])
        self._charge(renewal.date_charge)
        self.assertEqual((renewal.charge_state, renewal.charge_note), ("stopped", False))
        self.assertEqual(
            self.env_root["mail.mail"].search_count([]), mails, "nobody is asked to pay"
        )

    def test_stopped_in_the_draft_order(self):
        renewal, other = self._announced_debit(), self._announced_debit()
        self._charge(renewal.date_charge)
        order = self._get_order(renewal)
        self.assertTrue(renewal.can_stop_charge)
        renewal.action_stop_charge()
        self.assertEqual(renewal.charge_state, "stopped")
        self.assertEqual(order.payment_line_ids, self._get_debits(other))
        # the mandate pays again, next time
        self.assertFalse(renewal.charge_mandate_id.membri_stopped_on)
        with self._on(other.date_charge):
            order.draft2open()
            self._assert_refused(other.action_stop_charge)
        self.assertEqual(other.charge_state, "pending")

    def test_plan_that_ends_while_the_order_is_a_draft(self):
        renewal = self._collected()
        self.yearly.sudo().automatic_payment = "none"
        self.assertIn("no longer planned", self._refused_to_confirm(renewal))
        self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "failed")
        self.assertIn("no longer offers", renewal.charge_note)
        self.assertFalse(self._get_debits(renewal))

    def test_payer_archived_while_the_order_is_a_draft(self):
        """A member who died: the bank is not asked until somebody decides."""
        renewal, other = self._announced_debit(), self._announced_debit()
        day = renewal.date_charge
        self._charge(day)
        order = self._get_order(renewal)
        renewal.partner_id.action_archive()
        with self._on(day):
            sentence = self._assert_refused(order.with_env(self.env_account).draft2open)
        self.assertIn(renewal.partner_id.name, sentence)
        self._charge(day)
        self.assertEqual(order.payment_line_ids, self._get_debits(other))
        self.assertEqual((renewal.charge_state, renewal.date_charge), ("announced", day))
        self.assertIn("is archived", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))
        self._charge(self._after(renewal, 1))
        self.assertFalse(self._get_debits(renewal))
        renewal.partner_id.action_unarchive()
        self._charge(day + timedelta(days=2))
        self.assertEqual(renewal.charge_state, "pending")
        self.assertEqual(self._get_debits(renewal).amount_currency, renewal.invoice_id.amount_total)

    def test_order_cancelled(self):
        renewal = self._collected()
        self._get_order(renewal).with_env(self.env_account).action_cancel()
        self.env.invalidate_all()
        self.assertEqual(renewal.charge_state, "failed")
        self.assertIn("was cancelled", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))
        # the payer was told that nothing is debited
        self._get_order(renewal).cancel2draft()
        self.assertIn("no longer planned", self._refused_to_confirm(renewal))

    def test_line_taken_off(self):
        renewal = self._collected()
        self._get_debits(renewal).with_env(self.env_account).unlink()
        self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "failed")
        self.assertIn("was taken off", renewal.charge_note)

    def test_waited_too_long(self):
        renewal = self._collected()
        day = renewal.date_charge
        self._charge(day + timedelta(days=10))
        self.assertEqual(len(self._get_debits(renewal)), 1)
        self._charge(day + timedelta(days=11))
        self.assertFalse(self._get_debits(renewal))
        self._charge(day + timedelta(days=12))
        self.assertEqual(
            (renewal.charge_state, renewal.date_charge), ("announced", day + timedelta(days=22))
        )

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

    def test_returns_of_another_company(self):
        """OCA keeps a return to its company, and forgets its lines."""
        renewal = self._collected()
        self._upload(renewal)
        self._return(renewal, self._after(renewal, 5))
        lines = self.env_root["payment.return.line"].search(
            [("partner_id", "=", renewal.partner_id.id)]
        )
        self.assertTrue(lines)
        west = self._create_other_company("West", "America/Vancouver")
        foreigner = new_test_user(
            self.env_root,
            "accountant_west",
            "account.group_account_manager,account_payment_order.group_account_payment",
            company_id=west.id,
            company_ids=west.ids,
        )
        for user, sees in ((foreigner, False), (self.accountant, True)):
            own = lines.with_user(user).with_context(allowed_company_ids=None)
            own = own.with_company(user.company_id)
            with self.subTest(user=user.login), mute_logger("odoo.addons.base.models.ir_rule"):
                self.assertEqual(bool(own.search([("id", "in", lines.ids)])), sees)
                for operation in ("read", "write", "unlink"):
                    self.assertEqual(own.has_access(operation), sees, operation)

    def test_returned(self):
        """A reason that may pass: by the schedule of declined cards, told, and once."""
        renewal = self._collected()
        self._upload(renewal)
        day = self._after(renewal, 5)
        self._return(renewal, day)
        with self._on(day):
            self.assertFalse(renewal.is_paid)
            self.assertEqual(renewal.new_cotisation_id.state, "pending")
            self.assertEqual(renewal.charge_state, "failed")
            self.assertIn("[AM04] Insufficient funds", renewal.charge_note)
            self.assertEqual(renewal.date_charge_retry, day + timedelta(days=3))
            self.assertTrue(self._is_in_queue(renewal))
            self.assertTrue(renewal.in_arrears)
            self.assertFalse(renewal.can_be_reminded, "another attempt is to come")
            told = renewal.message_ids.filtered(lambda m: "did not go through" in (m.subject or ""))
            self.assertIn(renewal._format_day(renewal.date_charge_retry), told.body)
            self.assertIn("automatically", self._assert_refused(renewal.action_charge_again))
        self._charge(day + timedelta(days=2))
        self.assertEqual(len(self._get_debits(renewal)), 1)
        for night in (3, 3, 4):
            self._charge(day + timedelta(days=night))
            self.assertEqual(len(self._get_debits(renewal)), 2)
        self.assertEqual(renewal.charge_state, "pending")
        self._upload(renewal)
        self.assertTrue(renewal.is_paid)
        self.assertEqual(renewal.charge_state, "done")
        self.assertEqual(
            set(self._get_debits(renewal).mapped("amount_currency")),
            {renewal.invoice_id.amount_total},
        )
        self.assertFalse(self._is_in_queue(renewal))
        self._charge(day + timedelta(days=60))
        self.assertEqual(len(self._get_debits(renewal)), 2)

    def test_returned_each_time(self):
        renewal = self._collected()
        self._upload(renewal)
        day = self._after(renewal, 2)
        for attempt, wait in enumerate((3, 2, 2), start=1):
            self._return(renewal, day)
            self.assertEqual(renewal.date_charge_retry, day + timedelta(days=wait))
            self._charge(renewal.date_charge_retry)
            self.assertEqual(len(self._get_debits(renewal)), attempt + 1)
            self._upload(renewal)
            self.assertTrue(renewal.is_paid)
            day = self._after(renewal, 2)
        self._return(renewal, day)
        self.assertEqual((renewal.charge_state, renewal.date_charge_retry), ("failed", False))
        self.assertTrue(renewal.can_charge_again)
        self._charge(day + timedelta(days=30))
        self.assertEqual(len(self._get_debits(renewal)), 4)

    def test_returned_for_good(self):
        """Presented again once the officer says so, and the payer was told."""
        renewal = self._collected()
        self._upload(renewal)
        day = self._after(renewal, 5)
        self._return(renewal, day, "AC04", "Closed account")
        self.assertEqual((renewal.charge_state, renewal.date_charge_retry), ("failed", False))
        self._charge(day + timedelta(days=20))
        self.assertEqual(len(self._get_debits(renewal)), 1)
        with self._on(day + timedelta(days=21)):
            renewal.action_charge_again()
            self._let_leave()
        self.assertRecordValues(
            renewal,
            [
                {
                    "charge_state": "announced",
                    "date_charge": day + timedelta(days=31),
                    "charge_note": False,
                }
            ],
        )
        self._charge(renewal.date_charge - timedelta(days=1))
        self.assertEqual(len(self._get_debits(renewal)), 1)
        self._charge(renewal.date_charge)
        last = self._get_debits(renewal).sorted("id")[-1:]
        self.assertEqual(last.amount_currency, renewal.invoice_id.amount_total)
        self._upload(renewal)
        self.assertTrue(renewal.is_paid)
        self.assertFalse(self._is_in_queue(renewal))

    def test_returned_and_not_by_itself(self):
        """Who may not, or cannot, be debited or told."""

        def stop(renewal):
            renewal.charge_mandate_id.with_env(self.env_root)._membri_stop()

        def change_account(renewal):
            renewal.charge_mandate_id.with_env(self.env_root).partner_bank_id = self.env_root[
                "res.partner.bank"
            ].create({"acc_number": self.ibans.pop(), "partner_id": renewal.partner_id.id})

        def lose_address(renewal):
            renewal.partner_id.email = False

        cases = [
            (lambda renewal: None, {"code": False}),  # a reason that nobody knows
            (lambda renewal: None, {"code": "MD06", "name": "Refund request of the debtor"}),
            (stop, {}),
            (change_account, {}),
            (lose_address, {}),
        ]
        renewals = [self._announced_debit() for _case in cases]
        self._charge(renewals[0].date_charge)
        self._upload(renewals[0])
        for renewal, (change, reason) in zip(renewals, cases, strict=True):
            with self.subTest(change=change.__name__, **reason):
                change(renewal)
                day = self._after(renewal, 3)
                self._return(renewal, day, **reason)
                self.assertEqual(
                    (renewal.charge_state, renewal.date_charge_retry), ("failed", False)
                )
                self.assertIn("was rejected", renewal.charge_note)
                self.assertTrue(self._is_in_queue(renewal))
        self._charge(day + timedelta(days=8))
        for renewal in renewals:
            self.assertEqual(len(self._get_debits(renewal)), 1)

    def test_returned_then_settled_otherwise(self):
        paid, stopped, ended = (self._announced_debit() for _ in range(3))
        self._charge(paid.date_charge)
        self._upload(paid)
        day = self._after(paid, 3)
        for renewal in (paid, stopped, ended):
            self._return(renewal, day)
            self.assertEqual(renewal.date_charge_retry, day + timedelta(days=3))
        with self._on(day + timedelta(days=1)):
            self._pay(paid.invoice_id)
            stopped.action_stop_charge()
            ended.charge_mandate_id.with_env(self.env_root).cancel()
        self._charge(day + timedelta(days=3))
        self.assertEqual(
            [(r.charge_state, len(self._get_debits(r))) for r in (paid, stopped, ended)],
            [("stopped", 1), ("stopped", 1), ("failed", 1)],
        )
        self.assertIn("no longer valid", ended.charge_note)

    def test_first_part_returned(self):
        """What was announced to follow it follows it still."""
        renewal = self._announced_in_parts(self._give_mandate)
        self._charge(renewal.date_charge)
        self._upload(renewal)
        part, second = renewal.amount_charge, date(2027, 2, 13)
        self.assertEqual((renewal.charge_state, renewal.date_charge), ("announced", second))
        day = date(2026, 12, 1)
        self._return(renewal, day)
        again = day + timedelta(days=3)
        self.assertEqual((renewal.charge_state, renewal.date_charge_retry), ("failed", again))
        self._charge(again)
        self._upload(renewal)
        self.assertEqual((renewal.charge_state, renewal.date_charge), ("announced", second))
        self._charge(second)
        self._upload(renewal)
        self.assertTrue(renewal.is_paid)
        self.assertEqual(
            [(line.membri_charge_day, line.amount_currency) for line in self._get_debits(renewal)],
            [(date(2026, 11, 25), part), (again, part), (second, part)],
        )

    def test_first_part_returned_for_good(self):
        """The payer is told what came back, and nothing of what was to follow."""
        renewal = self._announced_in_parts(self._give_mandate, first=30)
        part = renewal.amount_charge
        self._charge(renewal.date_charge)
        self._upload(renewal)
        self.assertGreater(renewal.amount_charge, part)
        self._return(renewal, date(2026, 12, 1), "AC04", "Closed account")
        self.assertEqual((renewal.charge_state, renewal.amount_charge), ("failed", part))
        self._assert_told_rest(renewal, part)
        self.assertTrue(self._is_in_queue(renewal))
        self._charge(date(2027, 2, 13))
        self.assertEqual(len(self._get_debits(renewal)), 1)

    def test_return_of_a_mandate_that_was_revoked(self):
        renewal = self._collected()
        self._upload(renewal)
        with self._on(renewal.date_charge):
            self._get_order(renewal).action_uploaded_cancel()
        self.env.invalidate_all()
        renewal.charge_mandate_id.with_env(self.env_root).cancel()
        self.assertIn("no longer valid", self._assert_refused(renewal.action_charge_again))

    def test_order_cancelled_after_the_upload(self):
        renewal = self._collected()
        self._upload(renewal)
        with self._on(renewal.date_charge):
            self._get_order(renewal).action_uploaded_cancel()
        self.env.invalidate_all()
        self.assertFalse(renewal.is_paid)
        self.assertEqual(renewal.charge_state, "failed")
        self.assertIn("was rejected", renewal.charge_note)

    def test_database_allows_one(self):
        renewal = self._collected()
        line = self._get_debits(renewal)
        vals = {
            "order_id": line.order_id.copy({"membri_charge_day": False}).id,
            "partner_id": line.partner_id.id,
            "membri_charge_invoice_id": renewal.invoice_id.id,
            "membri_charge_day": renewal.date_charge,
        }
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.env_root["account.payment.line"].create(vals).flush_recordset()
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            line.order_id.copy({"membri_charge_day": line.order_id.membri_charge_day})
            self.env.flush_all()

    def test_in_an_order_of_the_accountant(self):
        renewal = self._announced_debit()
        invoice = renewal.sudo().invoice_id
        order = self.env_root["account.payment.order"].create({"payment_mode_id": self.mode.id})
        invoice._membri_get_open_parts().create_payment_line_from_move_line(order)
        self._charge(renewal.date_charge)
        self.assertFalse(self._get_debits(renewal))
        self.assertIn("in progress", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))

    def test_fee_notice_gets_its_number_with_the_money(self):
        self.company.with_env(self.env_root).membri_fee_notice = True
        renewal = self._collected()
        invoice = renewal.sudo().invoice_id
        self.assertEqual((invoice.state, invoice.membri_fee_notice_state), ("draft", "open"))
        self.assertEqual(self._get_debits(renewal).amount_currency, invoice.amount_total)
        self._upload(renewal)
        self.assertEqual((invoice.state, renewal.charge_state), ("posted", "done"))
        self.assertEqual(invoice.amount_residual, 0.0)
        self.assertTrue(renewal.is_paid)
        # what comes back is presented again, as what was an invoice from the start
        day = self._after(renewal, 2)
        for attempt, wait in enumerate((3, 2), start=1):
            self._return(renewal, day)
            self.assertEqual(
                (renewal.charge_state, renewal.date_charge_retry),
                ("failed", day + timedelta(days=wait)),
            )
            self._charge(renewal.date_charge_retry)
            self.assertEqual(len(self._get_debits(renewal)), attempt + 1)
            self._upload(renewal)
            self.assertTrue(renewal.is_paid)
            day = self._after(renewal, 2)

    def test_part_by_part(self):
        renewal = self._announced_in_parts(self._give_mandate)
        invoice = renewal.invoice_id
        first, second = renewal.date_charge, date(2027, 2, 13)
        self._charge(first)
        self.assertEqual(self._get_debits(renewal).amount_currency, renewal.amount_charge)
        self._upload(renewal)
        self.assertEqual((renewal.charge_state, renewal.date_charge), ("announced", second))
        self._charge(second)
        lines = self._get_debits(renewal).sorted("id")
        self.assertAlmostEqual(sum(lines.mapped("amount_currency")), invoice.amount_total)
        self.assertEqual(len(lines.order_id), 2)
        self.assertEqual(len(lines.move_line_id), 2)

    def _announced_together(self, in_parts=False):
        """:return: two renewals of one invoice, whose debit was announced"""
        payer = self._create_member("Family", is_company=True)
        payer.membri_group_invoices = True
        if in_parts:
            self._give_two_parts(payer)
        self._give_mandate(payer)
        members = [self._create_member(name, parent_id=payer.id) for name in ("Son", "Daughter")]
        renewals = self.env["membri.renewal"].union(
            *(
                self._create_renewal(self._create_cotisation(member, "2026-01-01"))
                for member in members
            )
        )
        renewals.action_approve()
        self._let_leave()
        return renewals

    def test_shared_invoice_is_collected_once(self):
        renewals = self._announced_together()
        invoice = renewals.invoice_id
        self._charge(renewals[0].date_charge)
        line = self._get_debits(renewals[0])
        self.assertEqual(len(line), 1)
        self.assertAlmostEqual(line.amount_currency, invoice.amount_total)
        self._upload(renewals[0])
        self.assertEqual(set(renewals.mapped("charge_state")), {"done"})

    def test_less_of_a_shared_invoice_was_sent(self):
        """The accountant lowers the line: the rest stands in the queue, and the payer is told."""
        renewals = self._announced_together()
        invoice = renewals.invoice_id
        self._charge(renewals[0].date_charge)
        line = self._get_debits(renewals[0])
        line.with_env(self.env_account).amount_currency -= 10
        mails = self.env_root["mail.mail"].search_count([])
        self._upload(renewals[0])
        self.assertAlmostEqual(invoice.amount_residual, 10)
        self.assertEqual(renewals.mapped("charge_state"), ["failed", "failed"])
        self.assertIn("The rest has to be paid another way", renewals[0].charge_note)
        self.assertFalse(any(renewals.mapped("date_charge_retry")))
        self.assertEqual(self.env_root["mail.mail"].search_count([]), mails + 1)
        self._assert_told_rest(renewals, 10.0)

    def _collect_in_two_debits(self, renewals):
        """Both parts of the invoice are due on one day: what was announced has a debit for each.

        :return: the confirmed order, as the accountant has it"""
        self.mode.group_lines = False
        invoice = renewals.invoice_id.sudo()
        self.env.flush_all()
        self.env.cr.execute(  # behind the guards: a booked part stays as it is
            "UPDATE account_move_line SET date_maturity = %s WHERE move_id = %s"
            " AND display_type = 'payment_term'",
            [invoice.invoice_date_due, invoice.id],
        )
        self.env.invalidate_all()
        self._charge()  # the whole amount is told
        day = renewals[0].date_charge
        self.assertAlmostEqual(sum(renewals.mapped("amount_charge")), invoice.amount_total)
        self._charge(day)
        self.assertEqual(self._get_debits(renewals).mapped("membri_charge_rank"), [0, 1])
        order = self._get_order(renewals).with_env(self.env_account)
        with self._on(day):
            order.draft2open()
        return order

    def _send_without_last_debit(self, renewals, order):
        """:return: the amount of the debit whose payment the accountant has deleted"""
        dropped = self._get_debits(renewals)[-1:]
        amount = dropped.amount_currency
        with self._on(renewals[0].date_charge):
            dropped.payment_ids.with_env(self.env_account).unlink()
            order.open2generated()
            order.generated2uploaded()
        self.env.invalidate_all()
        self.assertEqual(len(order.payment_line_ids), 1)
        self.assertAlmostEqual(renewals.invoice_id.amount_residual, amount)
        return amount

    def _assert_told_rest(self, renewals, amount):
        """The payer is asked for nothing that the bank was asked for."""
        [told] = renewals.message_ids.filtered(lambda m: "did not go" in (m.subject or ""))
        amount = renewals[0]._format_amount(amount)
        self.assertIn(f"Your payment of {amount} with", html.unescape(str(told.body)))

    def test_one_of_several_debits_is_deleted(self):
        """What was not sent to the bank is announced anew, and debited once."""
        renewal = self._announced_in_parts(self._give_mandate)
        order = self._collect_in_two_debits(renewal)
        amount = self._send_without_last_debit(renewal, order)
        self.assertFalse(renewal.charge_state)
        day = renewal.date_charge
        told = len(renewal.message_ids)
        self._charge(day)
        self.assertEqual(
            (renewal.charge_state, renewal.date_charge, renewal.amount_charge),
            ("announced", day + timedelta(days=10), amount),
        )
        self.assertGreater(len(renewal.message_ids), told)
        self._charge(renewal.date_charge)
        self._upload(renewal)
        self.assertTrue(renewal.is_paid)
        self.assertAlmostEqual(
            sum(self._get_debits(renewal).mapped("amount_currency")),
            renewal.invoice_id.amount_total,
        )

    def test_one_of_several_debits_of_a_shared_invoice_is_deleted(self):
        """The rest is in the queue, the payer is told, and it can be charged again."""
        renewals = self._announced_together(in_parts=True)
        order = self._collect_in_two_debits(renewals)
        mails = self.env_root["mail.mail"].search_count([])
        amount = self._send_without_last_debit(renewals, order)
        self.assertEqual(renewals.mapped("charge_state"), ["failed", "failed"])
        for renewal in renewals:
            self.assertIn("The rest has to be paid another way", renewal.charge_note)
            self.assertTrue(self._is_in_queue(renewal))
        self.assertEqual(self.env_root["mail.mail"].search_count([]), mails + 1)
        self._assert_told_rest(renewals, amount)
        day = renewals[0].date_charge + timedelta(days=20)
        self._charge(day)
        self.assertEqual(len(self._get_debits(renewals)), 1, "not by itself")
        with self._on(day):
            renewals[0].action_charge_again()
            self._let_leave()
        self.assertAlmostEqual(sum(renewals.mapped("amount_charge")), amount)
        self._charge(renewals[0].date_charge)
        self._upload(renewals[0])
        self.assertEqual(renewals.mapped("is_paid"), [True, True])
        self.assertEqual(len(self._get_debits(renewals)), 2)

    def _confirmed_in_one_payment(self):
        """:return: two renewals that one payer pays by invoices of their own, that of somebody
        else, and the confirmed order, in which one payment is for the two"""
        payer = self._create_member("Family", is_company=True)
        payer.membri_group_invoices = True
        self._give_mandate(payer)
        members = [self._create_member(name, parent_id=payer.id) for name in ("Son", "Daughter")]
        renewals = self.env["membri.renewal"].union(
            *(
                self._create_renewal(self._create_cotisation(member, "2026-01-01"), mode="invoice")
                for member in members
            )
        )
        stranger = self._create_yearly()
        self._give_mandate(stranger.partner_id)
        other = self._create_renewal(stranger, mode="invoice")
        for renewal in renewals | other:
            renewal.action_approve()
        self._let_leave()
        day = other.date_charge
        self._charge(day)
        self.assertEqual(len(renewals.invoice_id), 2)
        self.assertEqual(set((renewals | other).mapped("charge_state")), {"pending"})
        order = self._get_order(other).with_env(self.env_account)
        with self._on(day):
            order.draft2open()
        self.assertEqual(len(order.payment_line_ids), 3)
        self.assertEqual(len(self._get_debits(renewals).payment_ids), 1)
        return renewals, other, order

    def _assert_told_and_queued(self, renewals, words):
        self.assertEqual(set(renewals.mapped("charge_state")), {"failed"})
        for renewal in renewals:
            self.assertIn(words, renewal.charge_note)
            self.assertTrue(self._is_in_queue(renewal))
            self.assertFalse(renewal.is_paid)
            self.assertFalse(renewal.date_charge_retry)
            self.assertEqual(
                len(renewal.message_ids.filtered(lambda m: "did not go" in (m.subject or ""))), 1
            )

    def test_payment_of_several_debits_is_deleted(self):
        """Before the file: the others go to the bank, both are told, and can be charged again."""
        renewals, other, order = self._confirmed_in_one_payment()
        day = other.date_charge
        with self._on(day):
            self._get_debits(renewals).payment_ids.with_env(self.env_account).unlink()
            order.open2generated()
            order.generated2uploaded()
        self.env.invalidate_all()
        self.assertEqual(order.payment_line_ids, self._get_debits(other))
        self.assertEqual((other.charge_state, other.is_paid), ("done", True))
        self._charge(day)
        self._assert_told_and_queued(renewals, "was taken off")
        with self._on(day + timedelta(days=1)):
            renewals.action_charge_again()
            self._let_leave()
        self._charge(renewals[0].date_charge)
        self._upload(renewals[0])
        self.assertEqual(renewals.mapped("is_paid"), [True, True])
        self.assertEqual([len(self._get_debits(renewal)) for renewal in renewals], [1, 1])

    def test_payment_of_several_debits_is_cancelled_or_deleted_after_the_file(self):
        """The bank may have the file: nothing is booked but what it asks for. Once the order is
        cancelled, everybody in it is told."""
        for how in ("unlink", "action_cancel"):
            with self.subTest(how):
                self.ibans = list(IBANS)
                renewals, other, order = self._confirmed_in_one_payment()
                day = other.date_charge
                with self._on(day):
                    order.open2generated()
                    getattr(
                        self._get_debits(renewals).payment_ids.with_env(self.env_account), how
                    )()
                    self.env.invalidate_all()
                    sentence = self._assert_refused(order.generated2uploaded)
                    self.assertIn("Family", sentence)
                    self.assertEqual(order.state, "generated")
                    self.assertEqual(set((renewals | other).mapped("charge_state")), {"pending"})
                    order.action_cancel()
                self.env.invalidate_all()
                self._charge(day)
                self._assert_told_and_queued(renewals | other, "was cancelled")
                self._charge(day + timedelta(days=30))
                self.assertEqual(len(self._get_debits(renewals | other)), 3, "not by itself")

    def test_payment_of_several_debits_comes_back(self):
        """By the bank, which may try it again, and as the accountant cancels it."""
        renewals, other, order = self._confirmed_in_one_payment()
        day = other.date_charge
        with self._on(day):
            order.open2generated()
            order.generated2uploaded()
        self.env.invalidate_all()
        self.assertEqual((renewals | other).mapped("is_paid"), [True, True, True])
        self._return(renewals[0], day + timedelta(days=3))
        self.assertEqual(set(renewals.mapped("charge_state")), {"failed"})
        self.assertEqual(set(renewals.mapped("date_charge_retry")), {day + timedelta(days=6)})
        self.assertEqual((other.charge_state, other.is_paid), ("done", True))
        for renewal in renewals:
            amount = renewal.currency_id.format(renewal.amount_charge)
            self.assertIn(f"The debit of {amount} from", renewal.charge_note)
            self.assertTrue(self._is_in_queue(renewal))
        self._charge(day + timedelta(days=6))
        self.assertEqual(len(self._get_debits(renewals)), 4)
        again = self._get_debits(renewals).order_id.filtered(lambda o: o.state == "draft")
        again = again.with_env(self.env_account)
        with self._on(day + timedelta(days=6)):
            again.draft2open()
            again.open2generated()
            again.generated2uploaded()
            self.env.invalidate_all()
            self.assertEqual(renewals.mapped("is_paid"), [True, True])
            payment = again.payment_ids
            payment.action_draft()
            payment.action_cancel()
        self.env.invalidate_all()
        self.assertEqual(renewals.mapped("is_paid"), [False, False])
        self.assertEqual(set(renewals.mapped("charge_state")), {"failed"})
        for renewal in renewals:
            self.assertIn("was rejected", renewal.charge_note)
            self.assertTrue(self._is_in_queue(renewal))

    def test_one_of_a_shared_invoice_is_stopped(self):
        """One debit collects for all of it: the others are collected without what was stopped."""
        renewals = self._announced_together()
        invoice = renewals.invoice_id
        self._charge(renewals[0].date_charge)
        stopped, other = renewals
        amount = other.amount_charge
        stopped.action_stop_charge()
        self.assertEqual(renewals.mapped("charge_state"), ["stopped", "announced"])
        self._charge(other.date_charge)
        self.assertEqual(renewals.mapped("charge_state"), ["stopped", "pending"])
        self.assertAlmostEqual(self._get_debits(other).amount_currency, amount)
        self._upload(other)
        self._charge(self._after(other, 1))
        self.assertEqual(renewals.mapped("charge_state"), ["stopped", "done"])
        self.assertAlmostEqual(invoice.amount_residual, invoice.amount_total - amount)

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
        return self.env_root["account.payment.mode"].create(
            {
                "name": "Pre-authorized debits",
                "company_id": self.company.id,
                "payment_method_id": method.id,
                "bank_account_link": "fixed",
                "fixed_journal_id": journal.id,
            }
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCostOfDebits(DebitCommon):
    def test_reasons_cost_one_more_nothing(self):
        """Thousands are in one order."""
        renewals = self.env["membri.renewal"].union(*(self._announced_debit() for _i in range(6)))
        day = renewals[0].date_charge
        self._charge(day)
        order = self._get_order(renewals).with_env(self.env_account)
        lines = order.payment_line_ids
        with self._on(day):
            order.draft2open()
            self.assertEqual(lines._membri_get_reasons(), [])  # what is asked once
            self.env.flush_all()
            counts = []
            for some in (lines[:2], lines):
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                self.assertEqual(some._membri_get_reasons(), [])
                counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])
