import re
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from ..models.invoice.bank_line import _get_pattern, _read_reference
from .common_reminders import ReminderCommon

UNUSED = "membri_renewal.activity_unused_payment"
EARLY = "membri_renewal.activity_payment_before_reply"


@tagged("post_install", "-at_install")
class TestBankLine(ReminderCommon):
    """Issue 12: a line of the bank statement that names an invoice, and is not reconciled yet."""

    def setUp(self):
        super().setUp()
        self.step = self._step("after_due", 5)
        self.renewal = self._notify()
        self._approve(self.renewal)
        self.invoice = self.renewal.invoice_id.with_env(self.env_account)
        self.due = self.invoice.invoice_date_due
        self.day = fields.Date.add(self.due, days=6)

    def _line(self, label, amount=None, moment=None, **vals):
        with freeze_time(moment or f"{self.day} 08:00:00"):
            line = self.env_account["account.bank.statement.line"].create(
                {
                    "payment_ref": label,
                    "journal_id": self.company_data["default_journal_bank"].id,
                    "amount": self.invoice.amount_total if amount is None else amount,
                    "date": fields.Date.today(),
                    **vals,
                }
            )
            self.env.flush_all()
        return line

    def _report(self, reference):
        with freeze_time("2026-11-12 15:00:00"):
            told = {
                "method": "transfer",
                "date": "2026-11-12",
                "amount": "200",
                "reference": reference,
            }
            self.assertFalse(
                self.invoice.sudo()._membri_report_payment(self.env["res.partner"], told)
            )

    def _night(self, days=0):
        return self._remind(f"{fields.Date.add(self.day, days=days)} 15:00:00")

    def _get_asked(self):
        return self.invoice.sudo().activity_search([UNUSED]).mapped("summary")

    def test_money_back_that_names_an_invoice_is_told(self):
        """A check that the bank sent back, of an invoice that is paid, or a refund of one that was
        credited; once, until somebody books it."""
        self._pay(self.invoice)
        line = self._line(f"NSF CHK {self.invoice.name}", amount=-self.invoice.amount_total)
        self._night()
        self._night()
        [asked] = self._get_asked()
        self.assertIn(line.payment_ref, asked)
        self.assertIn("still counts as paid", asked)
        self.assertIn(line._membri_format_left(), asked)
        _liquidity, suspense, _others = line._seek_for_lines()
        suspense.with_context(
            skip_account_move_synchronization=True
        ).account_id = self.company_data["default_account_expense"]
        self._night()
        self.assertFalse(self._get_asked())

    def test_it_is_held_and_told(self):
        line = self._line(f"VIR TREMBLAY {self.invoice.name}")
        self.assertFalse(self._night())
        [asked] = self._get_asked()
        self.assertIn(line.payment_ref, asked)
        self.assertIn("paused until", asked)
        with freeze_time(f"{self.day} 16:00:00"):
            self.assertFalse(self.renewal.can_be_reminded)
            self.assertNotIn(
                self.renewal,
                self.env["membri.renewal"].search([("can_be_reminded", "=", True)]),
            )
            self.assertIn("names", self.renewal.bank_line_note)
            self.assertIn("names", self.renewal._get_no_reminder_reason())
            self.assertEqual(
                self.renewal._get_cannot_end_unpaid_reason(), self.renewal.bank_line_note
            )
        self.assertFalse(self.renewal.sudo().reminder_log_ids)
        self._night(days=1)
        self.assertEqual(len(self._get_asked()), 1)

    def test_without_a_line(self):
        self.assertEqual(len(self._night()), 1)

    def test_what_the_officer_writes_stays(self):
        """Words that were added to a question, and an activity that was planned by hand."""
        line = self._line(self.invoice.name)
        self._night()
        invoice = self.invoice.sudo()
        asked = invoice.activity_search([UNUSED])
        asked.summary += " Called the bank."
        mine = asked.create(
            {
                "res_model_id": asked.res_model_id.id,
                "res_id": invoice.id,
                "activity_type_id": asked.activity_type_id.id,
                "user_id": asked.user_id.id,
                "summary": "Mine",
            }
        )
        self._night(days=1)
        self.assertEqual(invoice.activity_ids & (asked | mine), asked | mine)
        self.assertEqual(self._get_asked(), asked.mapped("summary"))
        line.payment_ref = "Rent of the hall"
        self._night(days=2)
        self.assertFalse(self._get_asked())
        self.assertTrue(mine.exists())

    def test_for_a_limited_time(self):
        self._line(self.invoice.name)
        self.assertFalse(self._night(days=self.company.membri_report_hold_days - 1))
        self.assertEqual(len(self._night(days=self.company.membri_report_hold_days)), 1)

    def test_by_hand(self):
        """Whoever has looked may remind."""
        self._line(self.invoice.name)
        with freeze_time(f"{self.day} 16:00:00"), self.mock_mail_gateway():
            self.assertIs(self.renewal.action_send_reminder(), True)

    def test_reminder_on_paper(self):
        """It stays to be printed; the invoice itself may be."""
        self.renewal.partner_id.write({"street": "1 Main Street", "city": "Town"})
        self._line(self.invoice.name)
        with freeze_time(f"{self.day} 16:00:00"):
            self.renewal._internal_write({"letter_state": "to_print", "letter_content": "reminder"})
            self.assertIn("names", self.renewal._get_cannot_print_letter_reason())
            self.renewal._internal_write({"letter_content": "document"})
            self.assertFalse(self.renewal._get_cannot_print_letter_reason())

    def test_until_it_is_dealt_with(self):
        line = self._line(self.invoice.name)
        self.assertFalse(self._night())
        with freeze_time(f"{self.day} 16:00:00"):
            line.payment_ref = "Rent of the hall"
            self.assertFalse(self.invoice.membri_bank_line_id)
        self.assertEqual(len(self._night(days=1)), 1)
        self.assertFalse(self._get_asked())

    def test_booked_elsewhere(self):
        line = self._line(self.invoice.name)
        self.assertFalse(self._night())
        _liquidity, suspense, _other = line.with_context(
            skip_account_move_synchronization=True
        )._seek_for_lines()
        suspense.account_id = self.company_data["default_account_revenue"]
        self.assertTrue(line.is_reconciled)
        self.assertEqual(len(self._night(days=1)), 1)
        [asked] = self._get_asked()
        self.assertIn("was booked on", asked)
        self.assertIn(self.company_data["default_account_revenue"].name, asked)
        self._night(days=2)
        self.assertEqual(self._get_asked(), [asked])
        with freeze_time(f"{fields.Date.add(self.day, days=2)} 16:00:00"):
            self._pay(self.invoice)
        self._night(days=3)
        self.assertFalse(self._get_asked())

    def _book_on(self, line, invoice, amount=None):
        """As the accountant does: the line is matched with an invoice, or a part of it."""
        _liquidity, suspense, _other = line._seek_for_lines()
        receivable = invoice.line_ids.filtered(lambda i: i.account_type == "asset_receivable")
        vals = {"account_id": receivable.account_id.id, "partner_id": invoice.partner_id.id}
        suspense.with_context(skip_account_move_synchronization=True).write(vals)
        self.assertTrue(line.is_reconciled)
        (suspense | receivable).reconcile()

    def test_booked_on_another_invoice(self):
        """The payer of this one is reminded, and only the label of the line knows that it came."""
        cotisation = self._create_cotisation(self._create_member("Second"), "2026-01-01")
        other = self._notify(cotisation)
        self._approve(other)
        other = other.invoice_id.with_env(self.env_account)
        line = self._line(f"VIR TREMBLAY {self.invoice.name}")
        self._night()
        with freeze_time(f"{self.day} 16:00:00"):
            self._book_on(line, other)
        self.assertIn(other.payment_state, ("paid", "in_payment"))
        self._night(days=1)
        [asked] = self._get_asked()
        self.assertIn(other.name, asked)
        self.assertIn("VIR TREMBLAY", asked)
        # marked as done: looked into, and not asked again
        self.invoice.sudo().activity_search([UNUSED]).action_done()
        self._night(days=2)
        self.assertFalse(self._get_asked())
        # taken off: what the line names is open again, and it holds
        with freeze_time(f"{fields.Date.add(self.day, days=2)} 16:00:00"):
            line.action_undo_reconciliation()
        self._night(days=3)
        [asked] = self._get_asked()
        self.assertIn("is not reconciled", asked)
        with freeze_time(f"{fields.Date.add(self.day, days=3)} 16:00:00"):
            self._book_on(line, self.invoice)
        self._night(days=4)
        self.assertFalse(self._get_asked())

    def _match_with(self, line, payment):
        """As the accountant does, where payments stand on an outstanding account until the bank
        has them."""
        _liquidity, suspense, _other = line._seek_for_lines()
        waiting = payment.move_id.line_ids.filtered("debit")
        vals = {"account_id": waiting.account_id.id, "partner_id": payment.partner_id.id}
        suspense.with_context(skip_account_move_synchronization=True).write(vals)
        (suspense | waiting).reconcile()
        self.assertTrue(line.is_reconciled)

    def test_matched_with_the_payment_of_a_part(self):
        """It is this invoice that has the money, which is open for the rest."""
        self._set_payment_account("outstanding")
        self._report("")
        line = self._line(self.invoice.name, 200.0)
        self._night()
        self.assertEqual(self.invoice.membri_bank_line_id, line)
        with freeze_time(f"{self.day} 16:00:00"):
            self._match_with(line, self._pay(self.invoice, 200.0))
        self.assertEqual(self.invoice.payment_state, "partial")
        self._night(days=1)
        self.assertFalse(self._get_asked())

    def test_matched_with_the_payment_of_another_invoice(self):
        """What a line is matched with stands in its own journal, and is no money that went back."""
        self._set_payment_account("outstanding")
        other = self._notify(self._create_cotisation(self._create_member("Second"), "2026-01-01"))
        self._approve(other)
        line = self._line(self.invoice.name)
        self._night()
        with freeze_time(f"{self.day} 16:00:00"):
            payment = self._pay(other.invoice_id)
            self._match_with(line, payment)
        self._night(days=1)
        [asked] = self._get_asked()
        self.assertIn("was booked on", asked)
        self.assertIn(payment.name, asked)

    def test_booked_on_nothing_of_its_payer(self):
        """Money that no invoice uses is asked about once, as such."""
        line = self._line(self.invoice.name)
        with freeze_time(f"{self.day} 16:00:00"):
            _liquidity, suspense, _other = line._seek_for_lines()
            suspense.with_context(skip_account_move_synchronization=True).write(
                {
                    "account_id": self.company_data["default_account_receivable"].id,
                    "partner_id": self.invoice.partner_id.id,
                }
            )
        self.assertFalse(self._night(days=1))
        [asked] = self._get_asked()
        self.assertIn("no invoice uses", asked)

    def test_who_has_money_here_is_not_reminded(self):
        """Issue 12, B1: as much as is asked for, that no invoice uses, holds reminders as a line
        of the bank does: for some days, and not by hand."""
        receivable = self.company_data["default_account_receivable"]
        with freeze_time(f"{self.day} 08:00:00"):
            lines = [
                self._line("VIR TREMBLAY", amount) for amount in (20.0, self.invoice.amount_total)
            ]
        self.assertEqual(len(lines), 2)

        def book(line):
            _liquidity, suspense, _other = line._seek_for_lines()
            suspense.with_context(skip_account_move_synchronization=True).write(
                {"account_id": receivable.id, "partner_id": self.invoice.partner_id.id}
            )

        book(lines[0])
        self.assertEqual(len(self._night()), 1, "too little")
        self.assertFalse(self.invoice.membri_date_unused)
        self._step("after_due", 7)
        book(lines[1])
        self.assertFalse(self._night(days=1))
        day = fields.Date.add(self.day, days=1)
        with freeze_time(f"{day} 16:00:00"):
            self.assertFalse(self.renewal.can_be_reminded)
            self.assertNotIn(
                self.renewal,
                self.env["membri.renewal"].search([("can_be_reminded", "=", True)]),
            )
            self.assertIn("no invoice uses", self.renewal.bank_line_note)
            self.assertFalse(self.renewal._get_cannot_send_reminder_reason())
            self.assertTrue(self.invoice.sudo()._membri_is_being_paid())
            self.assertEqual(
                self.renewal._get_cannot_end_unpaid_reason(), self.renewal.bank_line_note
            )
        days = self.company.membri_report_hold_days
        self.assertFalse(self._night(days=days))
        self.assertEqual(len(self._night(days=days + 1)), 1)

    def test_a1_who_pays_once_more_is_held_again(self):
        """Some days after the first unused payment there is a second one, of all that is due."""
        receivable = self.company_data["default_account_receivable"]

        def pay(amount, day):
            line = self._line("VIR TREMBLAY", amount, moment=f"{day} 08:00:00")
            with freeze_time(f"{day} 09:00:00"):
                _liquidity, suspense, _other = line._seek_for_lines()
                suspense.with_context(skip_account_move_synchronization=True).write(
                    {"account_id": receivable.id, "partner_id": self.invoice.partner_id.id}
                )

        days = self.company.membri_report_hold_days
        pay(self.invoice.amount_total, self.day)
        self.assertFalse(self._night())
        found = self.invoice.membri_date_unused
        pay(20.0, fields.Date.add(self.day, days=1))
        self.assertFalse(self._night(days=2))
        self.assertEqual(self.invoice.membri_date_unused, found, "a small one holds no longer")
        pay(self.invoice.amount_total, fields.Date.add(self.day, days=days - 1))
        self.assertFalse(self._night(days=days - 1))
        self.assertFalse(self._night(days=days))
        self.assertFalse(self._night(days=2 * days - 2))
        self.assertEqual(len(self._night(days=2 * days - 1)), 1)

    def test_used_money_holds_nothing(self):
        line = self._line("VIR TREMBLAY")
        with freeze_time(f"{self.day} 09:00:00"):
            _liquidity, suspense, _other = line._seek_for_lines()
            suspense.with_context(skip_account_move_synchronization=True).write(
                {
                    "account_id": self.company_data["default_account_receivable"].id,
                    "partner_id": self.invoice.partner_id.id,
                }
            )
        self.assertFalse(self._night())
        self.assertTrue(self.invoice.membri_date_unused)
        with freeze_time(f"{self.day} 16:00:00"):
            line.action_undo_reconciliation()
            line.payment_ref = "Rent of the hall"
        self.assertEqual(len(self._night(days=1)), 1)
        self.assertFalse(self.invoice.membri_date_unused)

    def test_too_little_money_is_told_and_holds_nothing(self):
        self._line(self.invoice.name, 20.0)
        self.assertEqual(len(self._night()), 1)
        [asked] = self._get_asked()
        self.assertIn("reminders continue", asked)

    def test_a1_too_little_money_booked_elsewhere(self):
        other = self._notify(self._create_cotisation(self._create_member("Second"), "2026-01-01"))
        self._approve(other)
        other = other.invoice_id.with_env(self.env_account)
        line = self._line(f"VIR {self.invoice.name}", 20.0)
        with freeze_time(f"{self.day} 08:00:00"):
            self._book_on(line, other)
        self.assertIn(self.invoice.name, "".join(self._night().mapped("body_html")))
        [asked] = self._get_asked()
        self.assertIn("was booked on", asked)
        self.assertIn(other.name, asked)
        with freeze_time(f"{self.day} 16:00:00"):
            line.action_undo_reconciliation()
            self._book_on(line, self.invoice)
        self._night(days=1)
        self.assertFalse(self._get_asked())

    def test_a1_enough_after_too_little(self):
        small = self._line(self.invoice.name, 20.0)
        self.assertEqual(self.invoice.membri_bank_line_id, small)
        self.assertFalse(self.invoice.membri_date_bank_line)
        line = self._line(self.invoice.name)
        self.assertEqual(self.invoice.membri_bank_line_id, line)
        self.assertFalse(self._night())
        self._line(self.invoice.name, 30.0)
        self.assertFalse(self._night(days=1))
        self.assertEqual(self.invoice.membri_bank_line_id, line)

    def test_a1_nobody_to_ask_is_told_once(self):
        company = self.invoice.company_id.sudo()
        company.membri_officer_id = False
        self.invoice.sudo().invoice_user_id = False
        nobody = self.env["res.users"]
        self.patch(type(company), "_membri_get_assignee", lambda *args, **kwargs: nobody)
        self._line(f"VIR   SEPA  {self.invoice.name}", 20.0)  # as banks write

        def count():
            bodies = self.invoice.sudo().message_ids.mapped("body")
            return len([body for body in bodies if "reminders continue" in body])

        for days in range(3):
            self._night(days=days)
        self.assertEqual(count(), 1)
        self.assertFalse(self._get_asked())

    def test_what_a_bank_keeps_for_itself(self):
        self._line(self.invoice.name, self.invoice.amount_total * 0.97)
        self.assertFalse(self._night())

    def test_money_that_goes_out(self):
        self._line(self.invoice.name, -self.invoice.amount_total)
        self.assertEqual(len(self._night()), 1)

    def test_other_company(self):
        other = self._create_other_company("Other", "America/Toronto", with_accounting=True)
        journal = self.env_root["account.journal"].search(
            [("company_id", "=", other.id), ("type", "=", "bank")], limit=1
        )
        with freeze_time(f"{self.day} 08:00:00"):
            self.env_root["account.bank.statement.line"].with_company(other).create(
                {
                    "payment_ref": self.invoice.name,
                    "journal_id": journal.id,
                    "amount": self.invoice.amount_total,
                    "date": fields.Date.today(),
                }
            )
        self.assertEqual(len(self._night()), 1)

    def test_number_of_the_renewal(self):
        self._line(f"abonnement {self.renewal.name.lower().replace('/', ' ')}")
        self.assertFalse(self._night())

    def test_reported_reference(self):
        """After the pause of what was reported, the money itself holds the reminder."""
        self._report("Interac CA7h4Wq9")
        self._line("VIREMENT INTERAC CA7H4WQ9", 200.0)
        self.assertFalse(self._night(days=8))
        self.assertEqual(len(self._get_asked()), 1)

    def test_reported_reference_of_others(self):
        """Whatever somebody typed stands in the labels of others, too."""
        self._report("Virement")
        self._line("VIREMENT DUPONT 17", 200.0)
        self.assertFalse(self.invoice.membri_bank_line_id)
        self.invoice.sudo().membri_reported_reference = "Virement 17"
        self._line("VIREMENT 17", 205.0)
        self.assertFalse(self.invoice.membri_bank_line_id)
        self.assertEqual(len(self._night(days=8)), 1)
        self.assertFalse(self._get_asked())

    def test_second_line(self):
        """What holds is neither forgotten nor prolonged by another line."""
        line = self._line(self.invoice.name)
        found = self.invoice.membri_date_bank_line
        self._line(self.invoice.name, 20.0, f"{self.day} 09:00:00")
        self.assertEqual(self.invoice.membri_bank_line_id, line)
        self._line(self.invoice.name, moment=f"{self.day} 10:00:00")
        self.assertFalse(self._night())
        self.assertEqual(self.invoice.membri_bank_line_id, line)
        self.assertEqual(self.invoice.membri_date_bank_line, found)
        days = self.company.membri_report_hold_days
        over = f"{fields.Date.add(self.day, days=days)} 08:00:00"
        self._line(self.invoice.name, 20.0, over)
        self.assertEqual(self.invoice.membri_bank_line_id, line)
        later = self._line(self.invoice.name, moment=over)
        self.assertEqual(self.invoice.membri_bank_line_id, later, "once that is over")
        self.assertFalse(self._night(days=days))

    def test_line_before_the_invoice(self):
        """Imported first: the night finds what the import could not."""
        line = self._line("to come", moment="2026-11-12 15:00:00")
        self.env.cr.execute(
            "UPDATE account_bank_statement_line SET payment_ref = %s WHERE id = %s",
            [self.invoice.name, line.id],
        )
        line.invalidate_recordset()
        self.assertFalse(self.invoice.membri_bank_line_id)
        self.assertFalse(self._night())
        self.assertEqual(self.invoice.membri_bank_line_id, line)

    def _pay_online(self):
        payment = self._pay(self.invoice)
        payment.sudo().payment_transaction_id = self._transaction(self.invoice, "done")

    def test_paid_online_and_again_by_transfer(self):
        """Money that came twice stands in the journal of the bank alone."""
        with freeze_time(f"{self.day} 07:00:00"):
            self._pay_online()
        self.assertTrue(self.renewal.is_paid)
        self._line(f"VIR TREMBLAY {self.invoice.name}")
        self._night()
        [asked] = self._get_asked()
        self.assertIn("nothing left to pay", asked)
        self.assertIn("VIR TREMBLAY", asked)
        self._night(days=1)
        self.assertEqual(self._get_asked(), [asked])

    def test_line_of_a_recorded_payment(self):
        """The same money is no second payment; another line of it is."""
        with freeze_time(f"{self.day} 07:00:00"):
            payment = self._pay(self.invoice)
        self.assertFalse(payment.is_matched)
        line = self._line(self.invoice.name)
        self._night()
        self.assertFalse(self._get_asked())
        self._line(f"again {self.invoice.name}")
        self._night(days=1)
        [asked] = self._get_asked()
        self.assertIn("again", asked)
        line.unlink()
        self._night(days=2)
        self.assertFalse(self._get_asked())

    def test_void_document(self):
        with freeze_time(f"{self.day} 07:00:00"):
            self.renewal.action_reset()
        self.assertEqual(self.invoice.state, "cancel")
        self._line(self.invoice.name)
        self._night()
        [asked] = self._get_asked()
        self.assertIn("cancelled or credited", asked)

    def test_amount_is_written_as_the_officer_writes_it(self):
        """The scheduler has no language."""
        self.env_root["res.lang"]._activate_lang("fr_FR")
        self.officer.with_env(self.env_root).lang = "fr_FR"
        self._line(self.invoice.name)
        self._night()
        [asked] = self._get_asked()
        currency = self.invoice.currency_id.with_context(lang="fr_FR")
        self.assertIn(currency.format(self.invoice.amount_total), asked)

    def test_open_document_is_asked_first(self):
        """One reference for all invoices of a payer: the open one is what the money is for."""
        other = self._notify(self._create_cotisation(self._create_member("Second"), "2026-01-01"))
        self._approve(other)
        references = self.invoice | other.invoice_id.with_env(self.env_account)
        references.payment_reference = "CUST 5501"
        with freeze_time(f"{self.day} 07:00:00"):
            self._pay_online()
        self._line("CUST 5501")
        self._night()
        self.assertFalse(self._get_asked())
        self.assertTrue(other.invoice_id.sudo().activity_search([UNUSED]))

    def test_queued_email_is_looked_at(self):
        [mail] = self._night()
        mail.create_date = f"{self.day} 15:00:00"
        self._line(self.invoice.name, moment=f"{self.day} 16:00:00")
        with freeze_time(f"{self.day} 16:30:00"):
            self.assertIn("names", self.renewal._membri_get_mail_obstacle("reminder", mail))

    def test_nothing_is_asked_of_the_invoices_without_lines(self):
        self.env_account["account.bank.statement.line"].search([]).unlink()
        with patch.object(
            self.registry["account.move"], "_membri_find_named_by", side_effect=AssertionError
        ):
            self.assertEqual(self.env["account.move"]._membri_match_bank_lines(), {})

    def test_many_lines_are_one_search(self):
        """However many lines a bank sends and documents are open, they are looked for at once."""
        others = self._notify(self._create_cotisation(self._create_member("Second"), "2026-01-01"))
        others |= self._notify(self._create_cotisation(self._create_member("Third"), "2026-01-01"))
        self._approve(others)
        lines = self._line(self.invoice.name)
        for number in range(20):
            lines |= self._line(f"VIR {7700 + number}")
        lines |= self._line(others[0].invoice_id.name)
        Move = self.env["account.move"].sudo()
        self.env.flush_all()
        self.env.invalidate_all()
        lines.mapped("payment_ref"), lines.mapped("company_id.name")
        with self.assertQueryCount(8):
            named = Move._membri_find_named_by(lines.sudo())
        self.assertEqual(set(named), {Move.browse(self.invoice.id), others[0].invoice_id.sudo()})
        self.env.invalidate_all()
        lines[1:-1].mapped("payment_ref"), lines.mapped("company_id.name")
        with self.assertQueryCount(1):
            self.assertFalse(Move._membri_find_named_by(lines[1:-1].sudo()))

    def test_documents_are_ruled_out_by_their_numbers(self):
        """The search in the database rules out none that a label names."""
        for reference, label in (
            ("INV/2026/00012", "payment inv 2026 12 thanks"),
            ("INV/2026/00012", "INV202600012"),
            ("INV/2026/00012", "INV-2026-00012/x"),
            ("+++000/0000/00097+++", "000000000097"),
            ("Tremblay 7", "VIR TREMBLAY 007"),
            ("2026-0012-B", "2026 0012 B"),
            ("00012345", "12345"),
            ("CA7h4Wq9", "VIREMENT INTERAC CA7H4WQ9"),
        ):
            with self.subTest(reference=reference, label=label):
                self.invoice.payment_reference = reference
                named = self.env["account.move"].sudo()
                numbers = {number.lstrip("0") for number in re.findall(r"\d+", label)}
                found = named._membri_find_with_numbers(self.company, numbers)
                self.assertIn(self.invoice, found)
        self.assertFalse(
            self.env["account.move"].sudo()._membri_find_with_numbers(self.company, {"987654"})
        )

    def test_how_numbers_are_found(self):
        for reference, label, is_found in (
            ("INV/2026/00012", "INV/2026/00012", True),
            ("INV/2026/00012", "payment inv 2026 12 thanks", True),
            ("INV/2026/00012", "INV202600012", True),
            ("INV/2026/00012", "INV-2026-00012/x", True),
            ("INV/2026/00012", "INV/2026/000123", False),
            ("INV/2026/00012", "INV/2026/00011", False),
            ("INV/2026/00012", "XINV/2026/00012", False),
            ("+++000/0000/00097+++", "000000000097", True),
            ("+++000/0000/00097+++", "Room 97", False),
            ("12", "12", False),
            ("1234", "1234", False),
            ("Tremblay 7", "VIR TREMBLAY 007", True),
            ("Tremblay 7", "VIR TREMBLAYVILLE 7", False),
            ("Tremblay", "VIR TREMBLAY", False),
        ):
            with self.subTest(reference=reference, label=label):
                parts, numbers = _read_reference(reference)
                found = bool(parts and _get_pattern(parts).search(label))
                if found:  # what is ruled out first is not among them
                    self.assertTrue(
                        numbers & {number.lstrip("0") for number in re.findall(r"\d+", label)}
                    )
                self.assertEqual(found, is_found)


@tagged("post_install", "-at_install")
class TestA2PaymentBeforeTheReply(ReminderCommon):
    """Issue 12: who pays what the notice says, without a reply, has no invoice yet: the officer is
    told on the renewal, once."""

    def setUp(self):
        super().setUp()
        self.renewal = self._notify()
        self.bank = self.company_data["default_journal_bank"]

    def _line(self, label, amount=345.0, moment="2026-11-06 15:00:00", **vals):
        with freeze_time(moment):
            return self.env_account["account.bank.statement.line"].create(
                {
                    "payment_ref": label,
                    "journal_id": self.bank.id,
                    "amount": amount,
                    "date": fields.Date.today(),
                    **vals,
                }
            )

    def _get_asked(self, moment="2026-11-07 15:00:00"):
        self._remind(moment)
        return self.renewal.sudo().activity_search([EARLY]).mapped("summary")

    def _pay_on_account(self, day="2026-11-06", partner=None):
        self.bank.inbound_payment_method_line_ids.payment_account_id = self.company_data[
            "default_account_assets"
        ]
        payment = self.env_account["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": (partner or self.member).id,
                "amount": 345.0,
                "date": day,
                "memo": "Check 17",
                "journal_id": self.bank.id,
            }
        )
        payment.action_post()
        self.assertTrue(payment.move_id)
        return payment

    def test_a2_line_of_the_bank(self):
        self.assertFalse(self._get_asked())
        line = self._line(f"VIR {self.renewal.name} Ada")
        [told] = self._get_asked()
        for part in (self.renewal.name, "VIR", "345.00", "November 6", "Approve"):
            self.assertIn(part, told)
        self.assertEqual(len(self._get_asked("2026-11-08 15:00:00")), 1, "once")
        self._approve(self.renewal)
        self.assertFalse(self._get_asked("2026-11-11 15:00:00"))
        self.assertEqual(self.renewal.sudo().invoice_id.membri_bank_line_id, line)

    def test_a2_nobody_who_paid_is_reminded(self):
        """Nor counted as due for it; for some days, or by hand."""
        self._step("after_sent", 1)
        renewal = self.renewal
        self.assertTrue(renewal.can_be_reminded)
        self._line(f"VIR {renewal.name}")
        self.assertFalse(self._remind("2026-11-07 15:00:00"))
        days = self.company.membri_report_hold_days
        over = fields.Date.add(fields.Date.to_date("2026-11-07"), days=days)
        for day, is_held in (("2026-11-07", True), (over, False)):
            with freeze_time(f"{day} 14:00:00"):
                self.env.invalidate_all()
                found = self.env["membri.renewal"].search([("can_be_reminded", "=", True)])
                self.assertEqual(renewal in found, not is_held)
                self.assertEqual(renewal.can_be_reminded, not is_held)
                self.assertFalse(renewal._get_no_reminder_reason(by_hand=True))
        self.assertEqual(len(self._remind(f"{over} 15:00:00")), 1)

    def test_a2_done_is_not_asked_again(self):
        self._line(f"VIR {self.renewal.name}")
        self.assertTrue(self._get_asked())
        self.renewal.sudo().activity_search([EARLY]).action_done()
        self.assertFalse(self._get_asked("2026-11-08 15:00:00"))

    def test_a2_other_lines(self):
        self._line("VIR 1234567")
        self._line(f"VIR {self.renewal.name}9")
        self._line(f"FRAIS {self.renewal.name}", -345.0)
        self.assertFalse(self._get_asked())

    def test_a1_line_names_what_was_declined(self):
        """Money that comes once the officer has given up, or the renewal is void, is told on it."""
        self._line(f"VIR {self.renewal.name}")
        self.assertIn("before the reply", self._get_asked()[0])
        with freeze_time("2026-11-08 10:00:00"):
            self._refuse(self.renewal)
        [told] = self._get_asked("2026-11-08 15:00:00")
        self.assertIn("“Declined”", told)
        self.assertEqual(self._get_asked("2026-11-09 15:00:00"), [told], "once")
        with freeze_time("2026-11-10 10:00:00"):
            self.renewal.action_reset()
            self.renewal.action_cancel()
        self.assertIn("“Cancelled”", self._get_asked("2026-11-10 15:00:00")[0])
        self.assertFalse(self._get_asked("2027-11-20 15:00:00"), "long ago")

    def test_a1_payment_of_who_was_declined(self):
        with freeze_time("2026-11-06 10:00:00"):
            self._refuse(self.renewal)
        payment = self._pay_on_account()
        [told] = self._get_asked()
        self.assertIn("“Declined”", told)
        with freeze_time("2026-11-08 10:00:00"):
            term = self.member._membri_enrol(self.yearly, date_start="2027-01-01")
        self.assertFalse(self._get_asked("2026-11-08 15:00:00"), "its new invoice tells it")
        self.assertTrue(term.invoice_id.sudo().activity_search([UNUSED]))
        (payment.move_id.line_ids | term.invoice_id.sudo().line_ids).filtered(
            lambda line: line.account_type == "asset_receivable"
        ).reconcile()
        self.assertFalse(self._get_asked("2026-11-09 15:00:00"))

    def test_a2_payment_on_account(self):
        """Also of who was never invoiced here before."""
        payment = self._pay_on_account()
        [told] = self._get_asked()
        for part in (self.renewal.name, "Check 17", "345.00"):
            self.assertIn(part, told)
        payment.action_draft()
        payment.action_cancel()
        self.assertFalse(self._get_asked("2026-11-08 15:00:00"))

    def test_a2_money_of_before(self):
        self._pay_on_account("2026-10-01")
        self._pay_on_account(partner=self._create_member("Somebody else"))
        self.assertFalse(self._get_asked())

    def test_a2_payer_of_the_member(self):
        payer = self._create_member("Ada's bookkeeper", type="invoice", parent_id=self.member.id)
        self._pay_on_account(partner=payer)
        self.assertEqual(len(self._get_asked()), 1)

    def test_a2_open_credit_note_asks_for_nothing(self):
        """What we owe the payer is no invoice that the money could be for."""
        eve = self._create_member("Eve")
        with freeze_time("2026-11-02 15:00:00"):
            term = eve._membri_enrol(self.yearly, date_start="2024-01-01")
            invoice = term.invoice_id.with_env(self.env_account)
            self._pay_by_bank(invoice, invoice.amount_total)
            wizard = (
                self.env_account["account.move.reversal"]
                .with_context(active_model="account.move", active_ids=invoice.ids)
                .create({"journal_id": invoice.journal_id.id})
            )
            note = self.env_account["account.move"].browse(wizard.reverse_moves()["res_id"])
            note.action_post()
        self.assertEqual((note.move_type, note.payment_state), ("out_refund", "not_paid"))
        self.assertEqual(invoice.payment_state, "paid")
        self.renewal = self._notify(self._create_cotisation(eve, "2026-01-01"))
        self._pay_on_account(partner=eve)
        self.assertEqual(len(self._get_asked()), 1)
