from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_change_request import ChangeRequestCommon
from .common_delivery import OneDeliveryCase
from .common_payments import MembriPaymentCommon, PortalPaymentCase
from .common_shared_invoice import SharedInvoiceCommon
from .common_write_off import WriteOffCase

UNUSED = "membri_renewal.activity_unused_payment"
UNDONE = "membri_renewal.activity_payment_undone"
STREET = {"street": "1 Main Street", "city": "Town", "zip": "J4H 2X3"}
MERGE_PDF = "odoo.addons.membri_renewal.models.renewal.letter.merge_pdf"
STATE_LOGGER = "odoo.addons.membri_renewal.models.mixins.state"


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestA4MoneyOfNoInvoice(MembriPaymentCommon):
    """Issue 12, A4 and B5: money that no invoice uses stands in a queue by itself, with or without
    another invoice of the same payer."""

    def _get_asked(self, invoice=None):
        return (invoice or self.invoice).sudo().activity_search([UNUSED]).mapped("summary")

    def _list(self):
        self.env.flush_all()
        return self.env_account["account.move.line"].search([("membri_is_unused", "=", True)])

    def _night(self):
        self._run_cron("ir_cron_send_reminders")

    def test_a4_money_of_a_cancelled_invoice(self):
        payment = self._pay(self.invoice)
        payment.memo = "Check 12"
        self.assertFalse(self._list())
        self.invoice.button_draft()
        self.invoice.button_cancel()
        for _night in range(3):
            [asked] = self._get_asked()
            for part in ("Check 12", "344.93", self.invoice.name):
                self.assertIn(part, asked)
            self.assertEqual(self._list().move_id, payment.move_id)
            self._night()

    def test_a4_money_of_the_bank_on_a_cancelled_invoice(self):
        """A line of the bank keeps no link to what it had paid."""
        line = self._pay_by_bank(self.invoice, 344.93)
        self.assertTrue(self.renewal.is_paid)
        self.invoice.button_draft()
        line.move_id.line_ids.partner_id = self.invoice.partner_id  # as Odoo's matching does
        self.invoice.button_cancel()
        self.assertEqual(len(self._get_asked()), 1)
        self.assertEqual(len(self._list()), 1)

    def test_a4_payment_without_entry_on_a_cancelled_invoice(self):
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            payment = self._pay(self.invoice)
            self.assertFalse(payment.move_id)
            self.invoice.button_draft()
            self.invoice.button_cancel()
            self.assertEqual(len(self._get_asked()), 1)
            self._night()
            [asked] = self._get_asked()
            self.assertIn("344.93", asked)
            payment.action_cancel()
            self._night()
            self.assertFalse(self._get_asked())

    def test_a4_the_question_ends_with_the_refund(self):
        payment = self._pay(self.invoice)
        self.invoice.button_draft()
        self.invoice.button_cancel()
        payment.action_draft()
        payment.action_cancel()
        self._night()
        self.assertFalse(self._get_asked())
        self.assertFalse(self._list())

    def test_a4_another_invoice_takes_the_question(self):
        """Approved again: the payment is told where it can be used."""
        self._pay(self.invoice)
        self.invoice.button_draft()
        self.invoice.button_cancel()
        self.renewal.action_approve()
        second = self.renewal.invoice_id
        self.assertNotEqual(second, self.invoice)
        self._night()
        self.assertFalse(self._get_asked())
        self.assertEqual(len(self._get_asked(second)), 1)

    def test_a4_money_of_a_credited_invoice_that_was_freed(self):
        payment = self._pay(self.invoice)
        payment.move_id.line_ids.remove_move_reconcile()
        self._credit(self.invoice)
        self.assertEqual(self.invoice.payment_state, "reversed")
        self._night()
        self.assertEqual(len(self._get_asked()), 1)

    def test_b5_more_than_was_due(self):
        payment = self._register_payment(self.invoice, amount=400.0)
        self.assertTrue(self.renewal.is_paid)
        self._night()
        [asked] = self._get_asked()
        self.assertIn("55.07", asked)
        self.assertEqual(self._list().move_id, payment.move_id)

    def test_b5_more_than_was_due_by_bank(self):
        """With the name of the payer on the line of the statement, and without."""
        for named in (True, False):
            with self.subTest(named=named):
                line = self._pay_by_bank(self.invoice, 400.0)
                if named:
                    line.move_id.line_ids.partner_id = self.invoice.partner_id
                self.assertTrue(self.renewal.is_paid)
                self._night()
                [asked] = self._get_asked()
                self.assertIn("55.07", asked)
                self.assertIn(self.invoice.partner_id.display_name, asked)
                self.assertEqual(self._list().move_id, line.move_id)
                line.action_undo_reconciliation()
                line.unlink()
                self._night()
                self.assertFalse(self._get_asked())
                self.assertFalse(self._list())

    def test_b5_paid_ahead_of_any_invoice_is_listed(self):
        payer = self.invoice.partner_id
        self._pay(self.invoice)
        payment = self.env_account["account.payment"].create(
            {
                "amount": 50.0,
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": payer.id,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        self.assertEqual(self._list().move_id, payment.move_id)
        self._night()
        self.assertFalse(self._get_asked(), "nothing says that it is for a membership")

    def test_b5_credited_after_the_payment_is_listed(self):
        self._pay(self.invoice)
        note = self._credit(self.invoice)
        self.assertEqual(self._list().move_id, note)
        self.assertTrue(self._list().membri_is_unused)
        self._night()
        self.assertFalse(self._get_asked(), "the renewal waits for the staff, and says why")

    def test_b5_money_of_other_customers_is_not_listed(self):
        payment = self.env_account["account.payment"].create(
            {
                "amount": 50.0,
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self._create_member("Customer").id,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        self.assertFalse(self._list())
        self._night()
        self.assertFalse(payment.move_id.activity_ids)

    def test_b5_money_booked_by_hand_in_the_bank_journal_is_listed(self):
        receivable = self.invoice.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        entry = self._book(receivable, 344.93)
        self.assertEqual(self._list().move_id, entry)
        self._night()
        self.assertEqual(len(self._get_asked()), 1, "the invoice is open")

    def _book(self, receivable, amount, date=None, partner=None):
        """An entry of the bank, by hand: money that came, or went back where negative."""
        journal = self.company_data["default_journal_bank"]
        entry = self.env_account["account.move"].create(
            {
                "journal_id": journal.id,
                "date": date or fields.Date.today(),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": (partner or receivable.partner_id).id,
                            "balance": balance,
                        }
                    )
                    for account, balance in (
                        (journal.default_account_id, amount),
                        (receivable.account_id, -amount),
                    )
                ],
            }
        )
        entry.action_post()
        return entry

    def test_b5_check_that_the_bank_booked_back_and_nobody_took_off(self):
        self._pay(self.invoice)
        receivable = self.invoice.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        back = self._book(receivable, -344.93)
        for _night in range(2):
            self._night()
            [asked] = self._get_asked()
            for part in ("344.93", "still counts as paid", self.invoice.name):
                self.assertIn(part, asked)
        # it is taken off, and what went back is matched with what had come
        payment_lines = receivable.matched_credit_ids.credit_move_id
        receivable.remove_move_reconcile()
        (payment_lines | back.line_ids.filtered(lambda line: line.balance > 0)).reconcile()
        self._night()
        self.assertFalse(self._get_asked())
        self.assertFalse(self.renewal.is_paid)

    def test_b5_what_was_paid_twice_and_went_back_asks_of_no_check(self):
        self._pay(self.invoice)
        receivable = self.invoice.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        self._book(receivable, 344.93)
        self._book(receivable, -344.93)
        self._night()
        self.assertFalse([asked for asked in self._get_asked() if "counts as paid" in asked])

    def test_b5_what_went_back_is_listed_and_told_whatever_it_is(self):
        """A return that is as much as no payment (with the fee of the bank), and one of somebody
        whose invoice is open: matched with nothing, they tell somebody."""
        receivable = self.invoice.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        for paid, amount in ((False, 20.0), (True, 351.93)):
            with self.subTest(paid=paid):
                if paid:
                    self._pay(self.invoice)
                back = self._book(receivable, -amount)
                line = back.line_ids.filtered(lambda line: line.balance > 0)
                for _night in range(2):
                    self._night()
                    [asked] = self._get_asked()
                    self.assertIn(f"{amount:.2f}", asked)
                    self.assertNotIn("counts as paid", asked)
                self.assertIn(line, self._list())
                self.assertAlmostEqual(line.membri_amount_unused, -amount, 2)
                back.button_draft()
                back.button_cancel()
                self._night()
                self.assertFalse(self._get_asked())

    def _get_receivable(self, invoice=None):
        lines = (invoice or self.invoice).line_ids
        return lines.filtered(lambda line: line.account_type == "asset_receivable")

    def test_b5_what_went_back_is_not_asked_again_with_the_next_invoice(self):
        self._pay(self.invoice)
        self._book(self._get_receivable(), -20.0)
        self._night()
        self.invoice.sudo().activity_search([UNUSED]).action_feedback()
        with freeze_time("2027-02-10 15:00:00"):
            colleague = self._create_member("Colleague", parent_id=self.invoice.partner_id.id)
            second = colleague._membri_enrol(self.yearly).invoice_id
            self.assertEqual(second.commercial_partner_id, self.invoice.commercial_partner_id)
            # made on that day as well: the database's clock is not frozen
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE account_move SET create_date = '2027-02-10 15:00:00' WHERE id = %s",
                [second.id],
            )
            second.invalidate_recordset(["create_date"])
            for _night in range(2):
                self._night()
                self.assertFalse(self._get_asked(second))
                self.assertFalse(self._get_asked())

    def test_b5_what_went_back_before_there_was_an_invoice(self):
        """The books of the years before the add-on: asked on the first invoice, once."""
        self._book(self._get_receivable(), -20.0, "2019-05-01")
        self._night()
        [asked] = [asked for asked in self._get_asked() if "was returned" in asked]
        self.assertIn("20.00", asked)

    def test_b5_what_went_back_is_as_much_as_several_payments(self):
        """To the cent, whatever the sum of floats is; and what is covered once covers no more."""
        self._pay(self.invoice)
        for amount in (0.7, 0.1, -0.8):
            self._book(self._get_receivable(), amount)
        self._night()
        self.assertFalse([asked for asked in self._get_asked() if "was returned" in asked])
        self._book(self._get_receivable(), -0.6)
        self._night()
        [asked] = [asked for asked in self._get_asked() if "was returned" in asked]
        self.assertIn("0.60", asked)

    def test_b5_check_that_came_back_is_not_to_be_used(self):
        """Taken off its invoice and booked back, but the two were not matched: the payer is to pay
        again, and nobody is asked to use the check."""
        self._pay(self.invoice)
        receivable = self.invoice.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        receivable.remove_move_reconcile()
        self._night()
        self.assertEqual(len(self._get_asked()), 1)
        self.assertTrue(self.invoice._membri_get_unused_until())
        self._book(receivable, -344.93)
        self._night()
        self.assertFalse(self._get_asked())
        self.assertFalse(self.invoice._membri_get_unused_until())
        self.assertEqual(len(self._list()), 2, "somebody has to match them")

    def test_b5_paid_by_a_contact_and_sent_back_to_the_company(self):
        """The two are one payer, be they as much as each other or not: nobody is asked to use or
        to match them, and both stand in the list."""
        company = self._create_member("Company", is_company=True)
        contact = self._create_member("Contact", parent_id=company.id)
        invoice = contact._membri_enrol(self.yearly).invoice_id.with_env(self.env_account)
        for amounts in ((50.0, -50.0), (0.7, 0.1, -0.8)):
            with self.subTest(amounts=amounts):
                entries = invoice.browse().union(
                    *(
                        self._book(
                            self._get_receivable(invoice),
                            amount,
                            partner=contact if amount > 0 else company,
                        )
                        for amount in amounts
                    )
                )
                self._night()
                gone = [asked for asked in self._get_asked(invoice) if "was returned" in asked]
                self.assertFalse(gone)
                self.assertEqual(len(self._get_asked(invoice)), 0 if len(amounts) == 2 else 2)
                self.assertEqual(self._list().move_id, entries)
                entries.button_draft()
                entries.button_cancel()

    def test_b5_the_bank_books_the_check_of_a_contact_back_on_the_company(self):
        company = self._create_member("Company", is_company=True)
        contact = self._create_member("Contact", parent_id=company.id)
        invoice = contact._membri_enrol(self.yearly).invoice_id.with_env(self.env_account)
        self._pay(invoice)
        self._book(self._get_receivable(invoice), -344.93, partner=company)
        self._night()
        [asked] = self._get_asked(invoice)
        self.assertIn("still counts as paid", asked)

    def test_b5_a_discount_that_was_granted_is_no_money_that_is_left(self):
        """The payment has it in its entry: what is left to be sent back is what came."""
        self._register_payment(
            self.invoice,
            amount=338.03,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.company_data["default_account_expense"].id,
        )
        self._get_receivable().remove_move_reconcile()
        self._credit(self.invoice)
        self.assertEqual(self.invoice.payment_state, "reversed")
        self._night()
        [asked] = self._get_asked()
        self.assertEqual(asked.count("338.03"), 2, "what was paid, and what is left of it")
        self.assertNotIn("344.93", asked)

    def test_b5_what_is_a_draft_again_and_settles_is_told(self):
        """Odoo keeps the reconciliation of what is reset to draft: the invoice looks paid."""
        credit_note = self._credit(self.invoice, 100.0)
        payment = self._pay(self.invoice)
        for entry in (credit_note, payment.move_id):
            with self.subTest(entry=entry.move_type):
                entry.button_draft()
                for _night in range(2):
                    self._night()
                    [asked] = self._get_asked()
                    self.assertIn(entry.name, asked)
                    self.assertIn("draft again", asked)
                self.env["membri.reconciliation"].invalidate_model()
                row = self.env["membri.reconciliation"].search(
                    [("cotisation_id", "=", self.cotisation.id)]
                )
                self.assertEqual(row.reason, "draft_settlement")
                self.assertEqual(f"{row.explanation}", f"{asked.rstrip('.')}.")
                entry.action_post()
                self._night()
                self.assertFalse(self._get_asked())

    def test_b5_credit_note_that_is_a_draft_again_after_its_refund(self):
        """The credit note holds what was paid back: nothing is left of that on its own."""
        self._pay(self.invoice)
        credit_note = self._credit(self.invoice)
        refund = self._register_payment(credit_note)
        credit_note.button_draft()
        self._night()
        self.assertTrue([asked for asked in self._get_asked() if credit_note.name in asked])
        credit_note.button_cancel()
        self._night()
        [asked] = self._get_asked()
        self.assertIn("counts as paid", asked)
        self.assertIn(refund.move_id, self._list().move_id)

    def test_b5_rejected_payment_is_told_until_it_is_cancelled(self):
        self._set_payment_account("outstanding")
        with self._patch_bank_synchronisation():
            payment = self._pay(self.invoice)
            payment.action_reject()
            told = self.invoice.sudo().activity_search([UNDONE])
            self.assertIn("counts as paid", told.summary)
            self.assertTrue(self.renewal.is_paid)
            payment.action_cancel()
            self.assertFalse(self.renewal.is_paid)
            told = self.invoice.sudo().activity_search([UNDONE])
            self.assertEqual(len(told), 1)
            self.assertNotIn("counts as paid", told.summary)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestA2LettersThatAreNotPrinted(OneDeliveryCase):
    """Issue 12, A2: *Letter to Print* is said of letters that somebody has to print."""

    def _create_letter(self, **vals):
        vals = {"email": False, "country_id": self.env.ref("base.ca").id, **STREET, **vals}
        renewal = self._create_renewal(self._create_yearly(**vals))
        renewal.partner_id.membri_notice_on_paper = True
        renewal.action_send()
        return renewal

    def _print(self, renewal):
        with patch(MERGE_PDF, b"".join):  # in tests, documents are printed as HTML
            renewal.action_print_letter()

    def _assert_dropped(self, renewal):
        log = renewal.sudo().reminder_log_ids
        self.assertRecordValues(log, [{"result": "skipped", "uses_step": False}])
        self.assertTrue(log.reason)
        self.assertEqual(renewal.reminder_count, 0)
        self.assertFalse(self._is_in_queue(renewal, "letters"))

    def test_a2_paid_before_the_reminder_is_printed(self):
        step = self.env_root["membri.reminder.step"].create(
            {"option_set_id": self.yearly.id, "trigger": "after_due", "days": 2}
        )
        renewal = self._create_letter()
        renewal.action_approve()
        self._print(renewal)
        with freeze_time("2027-03-01 15:00:00"):
            self._run_cron("ir_cron_send_reminders")
            log = renewal.sudo().reminder_log_ids
            self.assertRecordValues(log, [{"result": "to_print", "step_id": step.id}])
            self.assertTrue(self._is_in_queue(renewal, "letters"))
            payment = self._pay(renewal.invoice_id)
            self._assert_dropped(renewal)
            self.assertIn("is paid", log.reason)
            self.assertEqual(renewal.delivery_state, "letter", "the invoice was printed")
            payment.action_cancel()
            self._run_cron("ir_cron_send_reminders")
            self.assertEqual(
                renewal.sudo().reminder_log_ids.mapped("result"),
                ["to_print", "skipped"],
                "its step is free again",
            )

    def test_a2_the_first_letter_is_no_reminder(self):
        """The invoice was still to be printed when a reminder fell due: who gets it only now was
        not reminded, and is not reminded by the same step tomorrow."""
        self.env_root["membri.reminder.step"].create(
            {"option_set_id": self.yearly.id, "trigger": "after_due", "days": 2}
        )
        renewal = self._create_letter()
        self._print(renewal)
        renewal.action_approve()
        with freeze_time("2027-03-01 15:00:00"):
            self._run_cron("ir_cron_send_reminders")
            log = renewal.sudo().reminder_log_ids
            self.assertEqual((log.result, renewal.letter_content), ("to_print", "document"))
            self._print(renewal)
            self.assertRecordValues(log, [{"result": "skipped", "uses_step": True}])
            self.assertTrue(log.reason)
            self.assertRecordValues(renewal, [{"reminder_count": 0, "date_last_reminder": False}])
            self._run_cron("ir_cron_send_reminders")
            self.assertEqual(renewal.sudo().reminder_log_ids, log)

    def test_a2_paid_before_the_invoice_is_printed(self):
        renewal = self._create_letter()
        renewal.action_approve()
        self.assertRecordValues(renewal, [{"letter_state": "to_print", "delivery_state": "letter"}])
        self._pay(renewal.invoice_id)
        self.assertRecordValues(
            renewal, [{"letter_state": False, "delivery_state": "withdrawn", "date_printed": False}]
        )
        self.assertIn("is paid", renewal.delivery_note)

    def test_a2_answered_before_it_is_printed(self):
        for name, answer in (
            ("declined", self._refuse),
            ("cancelled", lambda renewal: renewal.action_cancel()),
            ("change", lambda renewal: renewal.action_request_change("Please call me")),
            ("approved", lambda renewal: renewal.action_approve()),
        ):
            with self.subTest(name):
                renewal = self._create_letter()
                self._print(renewal)
                renewal.action_send_reminder()
                self.assertTrue(self._is_in_queue(renewal, "letters"))
                answer(renewal)
                log = renewal.sudo().reminder_log_ids
                self.assertRecordValues(log, [{"result": "skipped", "uses_step": False}])
                self.assertIn(renewal._get_state_label(), log.reason)
                # of who accepted, the invoice is the letter now
                expected = ("to_print", "document") if name == "approved" else (False, "reminder")
                self.assertEqual((renewal.letter_state, renewal.letter_content), expected)

    def test_a2_reset_before_the_invoice_is_printed(self):
        renewal = self._create_letter()
        renewal.action_approve()
        renewal.action_reset()
        self.assertRecordValues(renewal, [{"letter_state": False, "delivery_state": "withdrawn"}])

    def test_a2_what_is_held_is_printed_later(self):
        renewal = self._create_letter()
        renewal.action_require_intervention("Call")
        self.assertEqual(renewal.letter_state, "to_print")
        renewal.partner_id.membri_intervention_required = False
        self.assertEqual(renewal.state, "sent")
        self.assertTrue(self._is_in_queue(renewal, "letters"))

    def test_a2_sent_again_instead(self):
        renewal = self._create_letter()
        self._print(renewal)
        renewal.action_send_reminder()
        renewal.action_send()
        log = renewal.sudo().reminder_log_ids
        self.assertEqual(log.mapped("result"), ["skipped"])
        self.assertEqual((renewal.letter_state, renewal.letter_content), ("to_print", "document"))
        self._print(renewal)
        self.assertEqual(renewal.reminder_count, 0, "the notice is no reminder")

    def test_a2_cancelled_while_it_waits_is_not_queued(self):
        """Odoo takes what is reset or cancelled out of its sending queue, and tells nobody."""
        renewal = self._renewal_in("approved")
        invoice = renewal.invoice_id.with_env(self.env_account)
        self.assertTrue(invoice.sending_data)
        self.assertEqual(invoice.sudo().membri_delivery_state, "queued")
        invoice.button_draft()
        self.assertEqual(invoice.sudo().membri_delivery_state, "failed")
        self.assertTrue(self._is_in_queue(renewal, "send_failed"), "it is awaited still")
        enrolled = self._create_member("Nora")._membri_enrol(self.yearly).invoice_id
        enrolled.with_env(self.env_account).button_draft()
        self.assertIn(enrolled.name, enrolled.sudo().activity_ids.summary, "no renewal tells of it")
        other = self._renewal_in("approved").invoice_id.with_env(self.env_account)
        other.button_cancel()
        self.assertEqual(other.sudo().membri_delivery_state, "withdrawn")
        self.assertIn(other.name, other.sudo().membri_delivery_note)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestA1SharedReminderNamesEachPart(SharedInvoiceCommon):
    """Issue 12, A1: who pays for several is told of each part that is due, with its day."""

    def setUp(self):
        super().setUp()
        term = self.env_account["account.payment.term"].create(
            {
                "name": "Two halves",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": days})
                    for days in (0, 60)
                ],
            }
        )
        self.payer.with_env(self.env_account).property_payment_term_id = term
        self.renewals = self._prepare()
        self.renewals.action_approve()
        self.invoice = self._get_invoice(self.renewals)

    def _get_reminder(self):
        template = self.env_root.ref("membri_renewal.mail_template_invoice_reminder")
        return template._render_field("body_html", self.invoice.ids)[self.invoice.id]

    def _get_reminders(self):
        letter = " ".join(self.renewals[0]._get_reminder_letter_sentences())
        return self._get_reminder(), letter

    def test_a1_email_and_letter(self):
        self.assertEqual(
            self.invoice._membri_get_parts_left(),
            [(date(2026, 11, 15), 517.5), (date(2027, 1, 14), 517.5)],
        )
        self._pay(self.invoice, 100.0)
        letter = " ".join(self.renewals[0]._get_reminder_letter_sentences())
        for text in (self._get_reminder(), letter):
            for part in ("417.50", "November 15, 2026", "517.50", "January 14, 2027", "935.00"):
                self.assertIn(part, text)
        for name in self.renewals.partner_id.mapped("name"):
            self.assertIn(name, letter)

    def test_b4_reminder_of_memberships_in_effect_or_over(self):
        """None takes effect by the payment: they are in effect, or over."""
        soon = "take effect"
        for text in self._get_reminders():
            self.assertIn(soon, text)
        with freeze_time("2028-01-15 15:00:00"):
            for text in self._get_reminders():
                self.assertNotIn(soon, text)
                self.assertIn("is over", text)
                self.assertIn("late by", text)
        self.renewals.option_set_id.sudo().activation = "approved"
        with freeze_time("2027-01-15 15:00:00"):
            self._run_cron("ir_cron_update_states")
            self.assertEqual(set(self.renewals.new_cotisation_id.mapped("state")), {"active"})
            for text in self._get_reminders():
                self.assertNotIn(soon, text)

    def test_b4_members_are_not_told_what_the_payer_owes(self):
        self._create_transaction(self.invoice.sudo(), "pending").amount = 100.0
        renewal = self.renewals[0].sudo()
        self.assertTrue(renewal._is_money_under_way())
        self.assertNotIn("935.00", " ".join(renewal._get_portal_sentences()))
        self.assertFalse(renewal._get_last_try())

    def test_b4_paid_for_all_in_one_sentence(self):
        self._pay(self.invoice, self.invoice.amount_total)
        [sentence] = self.invoice._membri_get_paid_sentences()
        for name in self.renewals.partner_id.mapped("name"):
            self.assertIn(name, sentence)

    def test_a1_it_leads_to_the_page(self):
        reminder = self._get_reminder()
        self.assertEqual(reminder.count(self.invoice.access_url), 1, "one button")
        self.assertIn(self.invoice.payment_reference, reminder)


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestB7VoidAndWrittenOff(WriteOffCase):
    """Issue 12, B7: nobody is told to keep as income what was written off."""

    def _explain(self):
        self.env.flush_all()
        self.env["membri.reconciliation"].invalidate_model()
        row = self.env["membri.reconciliation"].search([("cotisation_id", "=", self.cotisation.id)])
        self.assertEqual(row.reason, "cancelled")
        return row.explanation

    def test_b7_written_off_in_full(self):
        self._settle_by_entry(self.company_data["default_account_expense"], 344.93)
        self.invoice.with_env(self.env).action_membri_end_membership()
        explanation = self._explain()
        self.assertIn("344.93", explanation)
        self.assertIn("nothing left", explanation)
        self.assertNotIn("income", explanation)

    def test_b7_written_off_in_part(self):
        self._pay_and_write_off(100.0)
        self.invoice.with_env(self.env).action_membri_end_membership()
        explanation = self._explain()
        for part in ("244.93", "100.00", "income"):
            self.assertIn(part, explanation)


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestB8AnnualReceiptsOfMany(WriteOffCase):
    """Issue 12, B8: annual receipts cost the same few queries for few and for many."""

    def _count(self, moves):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        payers = self.env["membri.annual.receipt"]._find_payers(
            self.company, 2027, moves.partner_id
        )
        self.assertEqual(set(payers.values()), {344.93})
        self.assertEqual(len(payers), len(moves))
        return self.env.cr.sql_log_count - before

    def test_b8_queries(self):
        renewals = self.renewal
        for _number in range(4):
            renewals |= self._renewal_in("approved")
        moves = renewals.invoice_id
        for move in moves:
            self._pay(move)
        self._count(moves)  # what is read once
        few, many = self._count(moves[:2]), self._count(moves)
        self.assertLessEqual(many - few, 3 * 3, "it was a dozen for each of the three others")

    def test_b8_a_worker_has_the_time_for_a_batch(self):
        """Each prints a PDF of its own: 50 took more than the two minutes after which Odoo stops
        a worker, which then began with the same 50."""
        Receipt_sudo = self.env["membri.annual.receipt"].sudo()
        receipts = Receipt_sudo.create(
            [
                {
                    "name": f"A{number}",
                    "partner_id": self._create_member(f"Payer {number}").id,
                    "year": 2026,
                    "amount": 1.0,
                    "company_id": self.company.id,
                }
                for number in range(12)
            ]
        )
        sizes = []

        def send(batch):
            sizes.append(len(batch))
            batch.state = "skipped"

        with patch.object(self.registry["membri.annual.receipt"], "_send", send):
            self._run_cron("ir_cron_send_annual_receipts")
        self.assertEqual(set(receipts.mapped("state")), {"skipped"})
        self.assertEqual(sum(sizes), 12)
        self.assertLessEqual(max(sizes), 10)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestA6ProratedProposalKeepsItsPrice(ChangeRequestCommon):
    """Issue 12, A6: what the member was told holds, also of a term that is shorter."""

    def setUp(self):
        super().setUp()
        self.full.sudo().write(
            {"date_mode": "fixed", "fixed_month": "1", "fixed_day": 1, "proration": "daily"}
        )
        cotisation = self._create_cotisation(
            self._create_member("Short"), "2026-01-01", self.full, date_end="2026-06-30"
        )
        self.short = self._create_renewal(cotisation)
        self.assertEqual(
            (str(self.short.date_start), str(self.short.date_end)), ("2026-07-01", "2026-12-31")
        )
        self.short.action_send()
        self.told = {line.product_id: line.price_subtotal for line in self.short.line_ids}
        self.assertEqual(self.told[self.product], 151.23)  # 300 × 184 ÷ 365
        self.product.sudo().list_price = 600.0
        self.extra.sudo().list_price = 100.0

    def test_a6_what_stays_keeps_its_price(self):
        request = self._ask(
            self.short, quantities={self.membership_line: 1.0, self.extra_line: 2.0}
        )
        prices = {line.product_id: line.price_subtotal for line in request.line_ids}
        self.assertEqual(prices[self.product], 151.23)
        self.assertEqual(prices[self.extra], 100.82)  # 2 × 100 × 184 ÷ 365: new is new
        self.short.action_apply_change_request()
        self.assertEqual(self.short.amount_untaxed, 252.05)

    def test_a6_what_is_left_out_changes_nothing_else(self):
        request = self._ask(self.short, quantities={self.membership_line: 1.0})
        kept = request.line_ids.filtered("quantity")
        self.assertEqual(kept.price_subtotal, 151.23)
        self.assertEqual(request.amount_difference, -self.told[self.extra] * 1.15 // 0.01 / 100)


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestB4PageInEveryState(PortalPaymentCase):
    """Issue 12, B4: the page of an invoice says what is due, whatever was booked."""

    def _assert_page(self, says, badge, can_pay):
        page = self._get_page(self.invoice)
        start = page.index('id="membri_invoice_standing"')
        standing = page[start : page.index("</section>", start)]
        for text in says:
            self.assertIn(text, standing)
        self.assertIn('id="membri_invoice_status"', page)
        self.assertEqual(self.invoice._membri_get_portal_status()[1], badge)
        self.assertEqual('data-bs-target="#pay_with"' in page, can_pay)
        self.assertNotIn('name="invoice_paid_badge"', page)
        # nobody is told to pay by other ways what is not to be paid
        self.assertEqual(bool(self.invoice._membri_get_ways_to_pay()), can_pay)
        return standing

    def test_b4_open(self):
        self._assert_page(["344.93"], "Amount due", True)

    def test_b4_partial(self):
        self._pay(self.invoice, 100.0)
        self._assert_page(["244.93", "100.00"], "Partially paid", True)

    def test_b4_payment_under_way(self):
        self._answer(self._begin_payment(), "pending")
        standing = self._assert_page(["being processed"], "Payment in progress", False)
        self.assertNotIn("Amount due", standing)

    def test_b4_failed_payment_is_told_where_its_payer_comes_back_to(self):
        renewal = self._renewal_in("sent")
        renewal.action_approve()
        self._follow(renewal)
        renewal = renewal.sudo()
        url = f"/my/renewals/{renewal.id}?access_token={renewal.access_token}"
        page = self.url_open(url).text
        self.assertIn('id="membri_status"', page)
        self.assertNotIn('id="membri_last_try"', page)
        with mute_logger("odoo.addons.payment.models.payment_transaction"):
            self._answer(self._begin_payment(), "error")
        page = self.url_open(url).text
        self.assertIn('id="membri_last_try"', page)
        self.assertIn("You were not charged", page)

    def test_b4_part_without_entry(self):
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            self._pay(self.invoice, 100.0)
            self.assertEqual(self.invoice.payment_state, "in_payment")
            self._assert_page(["244.93", "100.00"], "Partially paid", True)

    def test_b4_in_payment(self):
        self._set_payment_account("outstanding")
        with self._patch_bank_synchronisation():
            self._pay(self.invoice)
            self.assertEqual(self.invoice.payment_state, "in_payment")
            self._assert_page(["This invoice is paid"], "Paid in full", False)

    def test_b4_credited(self):
        self._credit(self.invoice)
        self._assert_page(["credited in full"], "Credited", False)

    def test_b4_cancelled(self):
        self.invoice.button_cancel()
        self._assert_page(["do not pay"], "Cancelled", False)

    def test_b4_posted_is_no_proforma(self):
        """The page of an invoice that was not emailed yet shows it, and so does its PDF."""
        self.assertFalse(self.invoice.invoice_pdf_report_id)
        html, _type = self.env_root["ir.actions.report"]._render_qweb_html(
            "account.account_invoices", self.invoice.ids, data={"proforma": True}
        )
        self.assertIn(self.invoice.name, html.decode())
        self.assertNotIn("proforma", html.decode().lower())
        name = self.invoice._get_invoice_proforma_pdf_report_filename()
        self.assertNotIn("proforma", name.lower())

    def test_b4_due_on_its_own_day(self):
        """In the evening the server is a day ahead."""
        self.company.membri_tz = "America/Toronto"
        with freeze_time("2027-01-16 03:00:00"):
            invoice = self._renewal_in("approved").invoice_id
            self.assertEqual(str(invoice.invoice_date), "2027-01-15")
            self.assertEqual(invoice.invoice_date_due, invoice.invoice_date)

    def test_b4_draft_again(self):
        self.invoice.button_draft()
        self._assert_page(["being revised"], "Being revised", False)


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestMendedBefore(MembriPaymentCommon):
    """What was mended once, and had no test of its own."""

    def test_a4_reverse_and_create_of_many_pairs_by_terms(self):
        """Each member gets the new invoice of its own, whatever the order; the credit note in
        the selection is nobody's."""
        other = self._renewal_in("approved")
        invoices = other.invoice_id.with_env(self.env_account) | self.invoice
        self._reverse_and_create(invoices)
        for renewal in (self.renewal, other):
            living = renewal.new_cotisation_id.invoice_id
            self.assertEqual(renewal.invoice_id, living)
            self.assertNotIn(living, invoices)
            self.assertEqual(living.partner_id, renewal.partner_id)
            self.assertEqual(
                living.sudo().invoice_line_ids.membri_cotisation_id, renewal.new_cotisation_id
            )

    def test_b4_a_receipt_that_cannot_be_made(self):
        """Told to the officer, and the others get theirs."""
        other = self._renewal_in("approved")
        self._pay(self.invoice)
        self._pay(other.invoice_id)
        Move = self.registry["account.move"]
        origin, bad = Move._membri_attach_receipt, self.invoice.id

        def attach(move):
            if move.id == bad:
                raise ValueError("no such thing")
            return origin(move)

        with patch.object(Move, "_membri_attach_receipt", attach):
            self._run_cron("ir_cron_send_receipts")
        self.env.invalidate_all()
        self.assertFalse(self.invoice.membri_date_receipt_sent)
        self.assertIn("no such thing", " ".join(self.invoice.sudo().activity_ids.mapped("summary")))
        self.assertTrue(other.invoice_id.membri_date_receipt_sent)
        self.assertFalse(other.invoice_id.sudo().activity_ids)

    def test_a2_an_update_that_fails_every_hour_is_told_once(self):
        with freeze_time("2028-02-01 15:00:00"):
            Cotisation = self.registry["membri.cotisation"]
            self._pay(self.invoice)
            self.cotisation.sudo()._internal_write({"state": "active"})

            def fail(_cotisations):
                raise ValueError("no such thing")

            messages = len(self.cotisation.message_ids)
            with patch.object(Cotisation, "_update_states", fail), mute_logger(STATE_LOGGER):
                for _hour in range(3):
                    self._run_cron("ir_cron_update_states")
            self.env.invalidate_all()
            told = self.invoice.sudo().activity_ids.filtered(
                lambda activity: "no such thing" in (activity.summary or "")
            )
            self.assertEqual(len(told), 1)
            self.assertEqual(len(self.cotisation.message_ids), messages + 1)

    def test_a_very_long_card_number(self):
        Cotisation = self.env["membri.cotisation"]
        signature = self.cotisation._get_card_signature()
        for number in ("9" * 10, "9" * 40, "9" * 5000, "²"):
            self.assertFalse(Cotisation._get_verified_sudo(f"{number}-{signature}"))


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestA1PromisedTransfer(PortalPaymentCase):
    """Issue 12, A1 and B4: who chose to pay by bank transfer has not paid. It holds the automatic
    reminders for some days, and nothing else; it is told as what it is."""

    def setUp(self):
        super().setUp()
        # Odoo's provider for transfers is in an add-on of its own: any provider, called as it is
        self.transaction = self._create_transaction(self.invoice, "pending")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE payment_provider SET code = 'custom' WHERE id = %s",
            [self.transaction.provider_id.id],
        )
        self.env.invalidate_all()
        self.transaction.last_state_change = "2027-01-15 15:00:00"

    def test_a1_reminders_wait_for_some_days_only(self):
        self.assertTrue(self.renewal._get_no_reminder_reason())
        self.assertFalse(self.renewal._get_no_reminder_reason(by_hand=True))
        self.assertFalse(self.renewal.can_be_reminded)
        self.env.flush_all()
        self.assertNotIn(self.renewal, self._search_can_be_reminded())
        with freeze_time("2027-02-15 15:00:00"):
            self.env.invalidate_all()
            self.assertFalse(self.renewal._get_no_reminder_reason())
            self.assertTrue(self.renewal.can_be_reminded)
            self.assertIn(self.renewal, self._search_can_be_reminded())

    def _search_can_be_reminded(self):
        return self.env["membri.renewal"].search([("can_be_reminded", "=", True)])

    def test_a1_nothing_is_blocked(self):
        self.assertFalse(self.invoice._membri_has_money())
        self.renewal.action_reset()
        self.assertEqual(self.renewal.state, "draft")

    def test_b4_the_pages_say_what_to_do(self):
        level, sentence = self.invoice._membri_get_last_try()
        self.assertEqual(level, "info")
        self.assertIn(self.invoice.payment_reference, sentence)
        self.assertEqual(self.invoice._membri_get_portal_status()[0], "warning")
        self.assertEqual(self.renewal._get_portal_payment_status()[0], "warning")
        self.assertTrue(self.renewal._get_payment_instructions())
        self.assertEqual(self.renewal._get_last_try(), (level, sentence))

    def test_b4_part_that_is_under_way_leaves_the_rest(self):
        self.transaction.unlink()
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            self._pay(self.invoice, 100.0)
            sentences = " ".join(self.renewal.sudo()._get_portal_sentences())
            self.assertIn("244.93", sentences)
