"""What is due is collected by the night into a draft payment order, once."""

import base64
from datetime import date, timedelta

from freezegun import freeze_time
from lxml import etree
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import file_open, mute_logger

from .common import DebitCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestDebitOrder(DebitCommon):
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
