from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server, MailDeliveryException
from odoo.addons.mail.tests.common import MailCase

from .common_write_off import WriteOffCase


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestAnnualReceipt(WriteOffCase, MailCase):
    """Issue 12 B8: annual receipts by email to many."""

    def _start(self, year=2027, partners=None):
        action = (
            self.env["membri.annual.receipt.start"]
            .create(
                {
                    "year": year,
                    "partner_ids": [fields.Command.set(partners.ids if partners else [])],
                }
            )
            .action_confirm()
        )
        return self.env["membri.annual.receipt"].search(action["domain"], order="id")

    def test_what_came_in_the_year(self):
        payer = self.invoice.partner_id
        with freeze_time("2026-12-20 15:00:00"):
            self._pay(self.invoice, 100.0)
        self._pay(self.invoice)
        [old] = self._start(2026, payer)
        [new] = self._start(2027, payer)
        self.assertEqual((old.amount, new.amount), (100.0, 244.93))
        self.assertEqual([line["amount"] for line in new._get_lines()], [244.93])
        self.assertAlmostEqual(sum(amount for _label, amount in old._get_taxes()), 100.0, 2)
        self.assertNotEqual(old.name, new.name)

    def test_letter_of_a_year_that_is_not_over(self):
        """Email and letter say until which day they count, and the total is that of their lines."""
        payer = self.invoice.partner_id
        self._pay(self.invoice, 100.0)
        [receipt] = self._start(2027, payer)
        with self.mock_mail_gateway():
            self._run_cron("ir_cron_send_annual_receipts")
        self.assertIn("January 15, 2027", self._new_mails.body_html)
        self.assertIn("January 15, 2027", self._print(receipt))
        with freeze_time("2027-03-02 15:00:00"):
            self._pay(self.invoice, 50.0)
            html = self._print(receipt)
            for text in ("March 2, 2027", "150.00"):
                self.assertIn(text, html)
        with freeze_time("2028-01-02 15:00:00"):
            self.assertFalse(receipt._get_last_day())
            self.assertNotIn("2028", self._print(receipt))

    def _print(self, receipt):
        return (
            self.env["ir.actions.report"]
            ._render_qweb_html("membri_renewal.report_annual_receipt", receipt.ids)[0]
            .decode()
        )

    def test_taxes_of_another_currency_add_up(self):
        """Each converted by itself made a cent too many of 50 dollars: 59.58 + 2.97 + 5.95."""
        dollar = self.env_root.ref("base.USD")
        dollar.active = True
        self.env_root["res.currency.rate"].create(
            {
                "currency_id": dollar.id,
                "company_id": self.company.id,
                "name": "2026-01-01",
                "rate": 0.73,
            }
        )
        self.invoice.button_draft()
        self.invoice.currency_id = dollar
        self.invoice.action_post()
        self._register_payment(self.invoice, amount=50.0, currency_id=dollar.id)
        [receipt] = self._start(2027, self.invoice.partner_id)
        taxes = receipt._get_taxes()
        self.assertEqual(len(taxes), 3)
        self.assertEqual(receipt.amount, 68.49)
        self.assertAlmostEqual(sum(amount for _label, amount in taxes), 68.49, 2)

    def test_money_in_another_currency_than_the_invoice(self):
        """What came is certified, and not what the invoice was worth on its own day: 224.20 euros
        were 320.29 dollars then, 344.92 when they were paid. The taxes are those billed."""
        payer = self._create_member("Euro payer")
        self._bill_in_euros(payer, {"2026-01-01": 0.5, "2027-01-15": 0.7, "2027-02-01": 0.65})
        invoice = payer._membri_enrol(self.yearly, "2027-02-01").invoice_id.sudo()
        dollar = self.company.currency_id
        with freeze_time("2027-02-02 15:00:00"):
            self._register_payment(invoice, currency_id=dollar.id, amount=100.0)
            self._register_payment(invoice, currency_id=dollar.id)
            self.assertEqual(invoice.payment_state, "paid")
            [receipt] = self._start(2027, payer)
            lines, taxes = receipt._get_lines(), receipt._get_taxes()
        self.assertEqual([line["amount"] for line in lines], [65.0, 159.2])
        self.assertEqual([round(line["company_amount"], 2) for line in lines], [100.0, 244.92])
        self.assertEqual(receipt.amount, 344.92)
        self.assertEqual(taxes, [("Before taxes", 303.2), ("GST", 13.93), ("QST", 27.79)])
        # the books: what was invoiced
        self.assertEqual(invoice.membri_amount_received, 320.29)

    def test_refund_after_the_end_of_the_year(self):
        """Each year certifies what came and went in it; money that went back of another year is
        taken off, and alone there is nothing to certify."""
        payer = self.invoice.partner_id
        with freeze_time("2027-12-20 15:00:00"):
            self._pay(self.invoice)
        with freeze_time("2028-01-10 15:00:00"):
            self._register_payment(self._credit(self.invoice, price=100.0))
            [old] = self._start(2027, payer)
            self.assertEqual(old.amount, 344.93)
            with self.assertRaises(UserError):
                self._start(2028, payer)
            renewal = self._create_renewal(self.cotisation)
            renewal.action_approve()
            self._pay(renewal.invoice_id)
            [new] = self._start(2028, payer)
            taxes = new._get_taxes()
        self.assertEqual(new.amount, 229.95)
        self.assertEqual(taxes, [("Before taxes", 200.0), ("GST", 10.0), ("QST", 19.95)])

    def test_check_that_is_dated_ahead(self):
        """It is certified once its day has come."""
        payer = self.invoice.partner_id
        self._pay(self.invoice, 100.0)
        self._register_payment(self.invoice, payment_date="2027-03-01")
        self.assertEqual(self._start(2027, payer).amount, 100.0)
        with freeze_time("2027-03-01 15:00:00"):
            self.assertEqual(self._start(2027, payer).amount, 344.93)

    def test_installments_that_are_not_all_paid(self):
        """What came in the year is certified, whatever comes later, or never."""
        self._pay(self.invoice, 100.0)
        self.assertFalse(self.invoice.membri_receipt_name)
        [receipt] = self._start(2027, self.invoice.partner_id)
        self.assertEqual(receipt.amount, 100.0)
        self.assertAlmostEqual(sum(amount for _label, amount in receipt._get_taxes()), 100.0, 2)
        html = self.env["ir.actions.report"]._render_qweb_html(
            "membri_renewal.report_annual_receipt", receipt.ids
        )[0]
        self.assertIn("100.00", html.decode())
        head, payment = html.decode().split("<tr")[1:3]
        cells = head.count("<th"), payment.count("<td")
        self.assertEqual(cells, (5, 5), "without a receipt of its own, each stands in its column")

    def test_many_by_email(self):
        others = self.env["membri.renewal"]
        for _number in range(3):
            others |= self._renewal_in("approved")
        invoices = self.invoice | others.invoice_id.with_env(self.env_account)
        for invoice in invoices:
            self._pay(invoice)
        nobody = others[0].partner_id
        nobody.email = False
        payers = invoices.partner_id
        receipts = self._start(2027, payers)
        self.assertEqual(receipts.partner_id, payers)
        self.assertEqual(set(receipts.mapped("state")), {"queued"})
        with self.mock_mail_gateway():
            self._run_cron("ir_cron_send_annual_receipts")
            waiting = receipts.filtered(lambda r: r.partner_id != nobody)
            self.assertEqual(set(waiting.mapped("state")), {"queued"}, "nothing has left yet")
            self._run_cron("ir_cron_send_annual_receipts")
            self.assertEqual(len(self._new_mails), 3)
            waiting.sudo().mail_id.send()
        states = {receipt.partner_id: receipt.state for receipt in receipts}
        self.assertEqual(states.pop(nobody), "skipped")
        self.assertEqual(set(states.values()), {"sent"})
        mails = self._new_mails.filtered(lambda m: m.model == "membri.annual.receipt")
        self.assertEqual(len(mails), 3)
        self.assertEqual({len(mail.attachment_ids) for mail in mails}, {1})

    def test_sent_is_what_left(self):
        """The mail server is down: nobody is told that it was sent; resent, it leaves once."""
        self._pay(self.invoice)
        [receipt] = self._start(2027, self.invoice.partner_id)

        def fail(*_args, **_kwargs):
            raise MailDeliveryException("The mail server is down")

        with self.mock_mail_gateway():
            self._run_cron("ir_cron_send_annual_receipts")
            failed = receipt.sudo().mail_id
            with (
                patch.object(IrMail_Server, "send_email", fail),
                mute_logger("odoo.addons.mail.models.mail_mail"),
            ):
                failed.send()
            self.assertEqual((receipt.state, receipt.date_sent), ("failed", False))
            self.assertTrue(receipt.reason)
            receipt.action_send_again()
            self.assertEqual(failed.state, "cancel")
            self._run_cron("ir_cron_send_annual_receipts")
            receipt.sudo().mail_id.send()
        self.assertEqual(receipt.state, "sent")
        self.assertTrue(receipt.date_sent)
        partner = receipt.partner_id
        receipt.sudo()._message_receive_bounce(partner.email, partner)
        self.assertEqual(receipt.state, "failed", "it has come back")
        self.assertIn(partner.email, receipt.reason)

    def test_looked_at_when_it_leaves(self):
        """Issue 12 B1: what it certifies is what is there on that moment."""
        first, rest = self._pay(self.invoice, 100.0), self._pay(self.invoice)
        [receipt] = self._start(2027, self.invoice.partner_id)
        with self.mock_mail_gateway():
            self._run_cron("ir_cron_send_annual_receipts")
            stale = receipt.sudo().mail_id
            first.action_cancel()
            stale.send()
            self.assertEqual(stale.state, "cancel")
            self.assertEqual((receipt.state, receipt.amount), ("sent", 244.93))
            receipt.action_send_again()
            self._run_cron("ir_cron_send_annual_receipts")
            rest.action_cancel()
            waiting = receipt.sudo().mail_id
            waiting.send()
        self.assertEqual(waiting.state, "cancel")
        self.assertEqual(receipt.state, "skipped")
        self.assertIn("2027", receipt.reason)

    def test_once_for_each_payer_and_year(self):
        self._pay(self.invoice)
        [receipt] = self._start(2027, self.invoice.partner_id)
        name = receipt.name
        [again] = self._start(2027, self.invoice.partner_id)
        self.assertEqual((again, again.name), (receipt, name))

    def test_year_that_is_not_over(self):
        """What comes later is on no receipt of it that was sent by now."""
        wizards = self.env["membri.annual.receipt.start"].create(
            [{"year": year} for year in (2026, 2027, 2028)]
        )
        self.assertEqual(wizards.mapped("is_year_unfinished"), [False, True, True])

    def test_payers_that_are_merged(self):
        """Two contacts of one payer had a receipt each: they have one, to be sent again."""
        other = self._renewal_in("approved").invoice_id.with_env(self.env_account)
        self._pay(self.invoice)
        self._pay(other)
        payers = self.invoice.partner_id | other.partner_id
        first, second = self._start(2027, payers)
        (first | second).sudo().state = "sent"
        total, names = first.amount + second.amount, (first.name, second.name)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge(payers.ids, second.partner_id, extra_checks=False)
        self.env.invalidate_all()
        [receipt] = (first | second).exists()
        self.assertEqual((receipt.name, receipt.partner_id), (names[0], payers.exists()))
        self.assertEqual((receipt.amount, receipt.state), (total, "failed"))
        self.assertEqual(sum(line["amount"] for line in receipt._get_lines()), total)
        self.assertIn(names[1], receipt.reason)
        self.assertEqual(self._start(2027, payers.exists()), receipt)
        self.assertEqual((receipt.amount, receipt.state), (total, "queued"))

    def test_without_money_there_is_none(self):
        self._settle_by_entry(self.company_data["default_account_expense"], 344.93)
        with self.assertRaises(UserError):
            self._start(2027, self.invoice.partner_id)

    def test_access(self):
        self._pay(self.invoice)
        [receipt] = self._start(2027, self.invoice.partner_id)
        self.assertEqual(receipt.with_user(self.auditor).amount, 344.93)
        with self.assertRaises(AccessError):
            receipt.with_user(self.auditor).action_send_again()
        with self.assertRaises(AccessError):
            receipt.with_user(self.employee).read(["amount"])
        with self.assertRaises(AccessError):
            receipt.amount = 1.0


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestStatement(WriteOffCase, MailCase):
    """Issue 12 B8: the statement of a payer."""

    def _get_section(self):
        [section] = self.invoice.partner_id.with_company(self.company)._membri_get_statement()
        return section

    def test_open_invoice(self):
        with freeze_time(f"{self.invoice.invoice_date_due} 15:00:00"):
            section = self._get_section()
        self.assertEqual([entry["amount"] for entry in section["entries"]], [344.93])
        self.assertEqual(section["total"], 344.93)
        self.assertEqual(section["due"][0]["days_late"], 0)
        self.assertEqual(section["accounts"], [])
        bank = self.env_root["res.partner.bank"].create(
            {"acc_number": "815-30001-1234567", "partner_id": self.company.partner_id.id}
        )
        self.invoice.sudo().partner_bank_id = bank
        self.assertEqual(self._get_section()["accounts"], ["815-30001-1234567"])

    def test_what_is_a_draft_again_is_checked(self):
        """The balance is that of the books: neither the payment nor the credit note is in them."""
        credit_note = self._credit(self.invoice, 100.0)
        payment = self._pay(self.invoice)
        self.assertFalse(self._get_section()["checked"])
        for entry, balance in ((payment.move_id, 229.95), (credit_note, 114.98)):
            with self.subTest(entry=entry.move_type):
                entry.button_draft()
                section = self._get_section()
                self.assertEqual(section["checked"], self.invoice)
                self.assertEqual(section["total"], 0.0)
                self.assertAlmostEqual(section["balance"], balance, 2)
                entry.action_post()
                self.assertFalse(self._get_section()["checked"])

    def _assert_balance_of_the_books(self, expected):
        """What the payer is told is what the journal items come to."""
        items = self.env_account["account.move.line"].search(
            [
                ("partner_id", "=", self.invoice.partner_id.id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ]
        )
        self.assertAlmostEqual(sum(items.mapped("balance")), expected, 2)
        section = self._get_section()
        self.assertAlmostEqual(section["balance"], expected, 2)
        self.assertAlmostEqual(section["total"] - section["unused"], expected, 2)

    def test_what_a_draft_holds_is_open_in_the_books(self):
        """A credit note, or the invoice itself, is a draft again, and Odoo keeps what it is matched
        with: money that went back, or came, is there."""
        self._pay(self.invoice)
        credit_note = self._credit(self.invoice)
        self._assert_balance_of_the_books(-344.93)
        self._register_payment(credit_note, amount=100.0)
        self._assert_balance_of_the_books(-244.93)
        self._register_payment(credit_note)
        self._assert_balance_of_the_books(0.0)
        credit_note.button_draft()
        self._assert_balance_of_the_books(344.93)
        credit_note.action_post()
        self._assert_balance_of_the_books(0.0)

    def test_what_an_invoice_that_is_a_draft_again_holds(self):
        self._pay(self.invoice)
        self.invoice.button_draft()
        self._assert_balance_of_the_books(-344.93)
        self.invoice.action_post()
        self._assert_balance_of_the_books(-sum(self.invoice.mapped("amount_residual")))

    def test_what_contacts_pay_themselves_is_theirs(self):
        """The statement of an employer shows no membership that an employee pays."""
        payer = self.invoice.partner_id
        employer = self._create_member("Employer Ltd", is_company=True)
        payer.sudo().parent_id = employer
        self.assertFalse(employer.with_company(self.company)._membri_get_statement())
        payer.sudo().type = "invoice"
        self.assertTrue(employer.with_company(self.company)._membri_get_statement())

    def _get_orphan(self):
        """An invoice that was credited and replaced, whose credit note was unreconciled: its term
        is void, and both are open; returns the credit note, too."""
        orphan = self.invoice
        note = self._credit(orphan)
        self.renewal.action_approve()
        self._follow(self.renewal)
        self._get_receivable_of(note).remove_move_reconcile()
        self.assertTrue(orphan._membri_is_orphan())
        return orphan, note

    def _get_receivable_of(self, move):
        return move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def test_orphan_is_in_the_books_and_asked_of_nobody(self):
        """As its page and the emails say. Nor is its credit note a credit of the payer's."""
        orphan, note = self._get_orphan()
        section = self._get_section()
        self.assertEqual(section["checked"], orphan.sudo())
        self.assertEqual([item["move"] for item in section["due"]], [self.invoice.sudo()])
        self.assertEqual((section["total"], section["unused"]), (344.93, 0.0))
        self.assertAlmostEqual(section["balance"], self._get_ledger())
        note.button_draft()
        note.button_cancel()
        self.assertTrue(orphan._membri_is_orphan())
        section = self._get_section()
        self.assertEqual(section["total"], 344.93)
        self.assertEqual(section["balance"], 689.86)
        told = orphan._membri_get_standing_sentences()
        report = self.env["ir.actions.report"].with_company(self.company)
        page = report._render_qweb_html(
            "membri_renewal.report_statement", self.invoice.partner_id.ids
        )[0].decode()
        for sentence in (orphan.name, *told):
            self.assertIn(sentence, page)

    def test_money_of_an_invoice_that_was_cancelled(self):
        """No invoice is left, and 150.00 is the payer's."""
        payer = self.invoice.partner_id.with_company(self.company)
        self._pay(self.invoice, 100.0)
        self._pay(self.invoice, 50.0)
        self.invoice.button_cancel()
        section = self._get_section()
        self.assertEqual((section["total"], section["unused"]), (0.0, 150.0))
        self.assertAlmostEqual(section["balance"], self._get_ledger())
        accountant = payer.with_user(self.env_account.user)
        self.assertTrue(accountant.action_membri_send_statement())

    def test_late_by_323_days(self):
        due = self.invoice.invoice_date_due
        with freeze_time(f"{fields.Date.add(due, days=323)} 15:00:00"):
            self.assertEqual(self._get_section()["due"][0]["days_late"], 323)

    def test_payment_credit_note_and_write_off(self):
        self._pay(self.invoice, 100.0)
        credit_note = self._credit(self.invoice, price=100.0)
        (self.invoice | credit_note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        rest = self.invoice.amount_residual
        self._settle_by_entry(self.company_data["default_account_expense"], rest)
        section = self._get_section()
        self.assertEqual(
            sorted(round(entry["amount"], 2) for entry in section["entries"]),
            sorted([344.93, -100.0, -credit_note.amount_total, -rest]),
        )
        self.assertEqual(section["balance"], 0.0)
        self.assertFalse(section["due"])

    def _get_ledger(self):
        """:return: what the books say that the payer owes"""
        [(balance,)] = self.env_account["account.move.line"]._read_group(
            [
                ("partner_id", "=", self.invoice.partner_id.id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ],
            aggregates=["amount_residual:sum"],
        )
        return balance

    def _move_money(self, amount, kind="inbound", payer=None):
        payer = payer or self.invoice.partner_id
        payment = self.env_account["account.payment"].create(
            {
                "partner_id": payer.id,
                "partner_type": "customer",
                "payment_type": kind,
                "amount": amount,
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": fields.Date.today(),
            }
        )
        payment.action_post()
        return payment

    def _get_receivable(self, payment):
        return payment.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )

    def _assert_adds_up(self, amounts, balance):
        section = self._get_section()
        self.assertEqual(sorted(round(e["amount"], 2) for e in section["entries"]), sorted(amounts))
        self.assertAlmostEqual(section["balance"], balance)
        self.assertAlmostEqual(section["balance"], self._get_ledger())
        self.assertAlmostEqual(
            section["opening"] + sum(e["amount"] for e in section["entries"]), section["balance"]
        )
        self.assertAlmostEqual(section["total"] - section["unused"], section["balance"])
        return section

    def test_double_payment_and_its_refund(self):
        """Issue 12, B8: both movements, before the refund is reconciled and after it."""
        self._pay(self.invoice)
        double = self._move_money(344.93)
        section = self._assert_adds_up([344.93, -344.93, -344.93], -344.93)
        self.assertEqual(section["unused"], 344.93)
        refund = self._move_money(344.93, "outbound")
        section = self._assert_adds_up([344.93, -344.93, -344.93, 344.93], 0.0)
        self.assertTrue([e for e in section["entries"] if "Returned" in e["label"]])
        (self._get_receivable(double) | self._get_receivable(refund)).reconcile()
        section = self._assert_adds_up([344.93, -344.93, -344.93, 344.93], 0.0)
        self.assertTrue([e for e in section["entries"] if "Returned" in e["label"]])
        self.assertFalse(section["credits"])
        report = self.env["ir.actions.report"]._render_qweb_html(
            "membri_renewal.report_statement", self.invoice.partner_id.ids
        )[0]
        self.assertIn("Returned", report.decode())

    def test_money_of_a_contact_below_a_company(self):
        """Booked as theirs, or as the company's, it is in the statement of who paid it, and in no
        other one."""
        company = self._create_member("Roy Ltd", is_company=True)
        company._membri_enrol(self.yearly)
        ada = self._create_member("Ada Below", parent_id=company.id)
        invoice = ada._membri_enrol(self.yearly).invoice_id.sudo()
        self.assertEqual(invoice.partner_id, ada)
        self._pay(invoice)
        double = self._move_money(344.93, payer=ada)
        for booked_as in (ada, company):
            with self.subTest(booked_as=booked_as.name):
                self._get_receivable(double).partner_id = booked_as
                [section] = ada._membri_get_statement()
                self.assertEqual((section["unused"], section["balance"]), (344.93, -344.93))
                [section] = company._membri_get_statement()
                self.assertEqual((section["unused"], section["balance"]), (0.0, 344.93))
        refund = self._move_money(344.93, "outbound", payer=ada)
        self._get_receivable(refund).partner_id = company
        (self._get_receivable(double) | self._get_receivable(refund)).reconcile()
        [section] = ada._membri_get_statement()
        self.assertEqual((section["unused"], section["balance"]), (0.0, 0.0))
        self.assertEqual(
            sorted(round(entry["amount"], 2) for entry in section["entries"]),
            [-344.93, -344.93, 344.93, 344.93],
        )
        [section] = company._membri_get_statement()
        self.assertEqual([entry["amount"] for entry in section["entries"]], [344.93])

    def test_money_of_a_contact_without_a_statement(self):
        """It is in the statement of the company that it is booked on."""
        company = self._create_member("Roy Ltd", is_company=True)
        company._membri_enrol(self.yearly)
        clerk = self._create_member("Clerk", parent_id=company.id)
        double = self._move_money(100.0, payer=clerk)
        self._get_receivable(double).partner_id = company
        [section] = company._membri_get_statement()
        self.assertEqual((section["unused"], section["balance"]), (100.0, 244.93))

    def test_part_of_a_double_payment_is_kept(self):
        self._pay(self.invoice, 100.0)
        double = self._move_money(200.0)
        refund = self._move_money(50.0, "outbound")
        (self._get_receivable(double) | self._get_receivable(refund)).reconcile()
        section = self._assert_adds_up([344.93, -100.0, -150.0, -50.0, 50.0], 94.93)
        self.assertEqual((section["total"], section["unused"]), (244.93, 150.0))

    def test_refund_of_a_credit_note(self):
        """Money that goes back for a credit note is told once."""
        self._pay(self.invoice)
        credit_note = self._credit(self.invoice)
        refund = self._move_money(344.93, "outbound")
        (
            credit_note.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
            | self._get_receivable(refund)
        ).reconcile()
        self._assert_adds_up([344.93, -344.93, -344.93, 344.93], 0.0)

    def test_fee_notice_is_due(self):
        self.company.with_env(self.env_root).membri_fee_notice = True
        self._follow(self._renewal_in("approved"))
        section = self._get_section()
        self.assertEqual((section["entries"], section["balance"]), ([], 0.0))
        self.assertEqual(section["total"], 344.93)
        [due] = section["due"]
        self.assertIn(self.invoice.membri_fee_notice_name, due["label"])
        self.assertTrue(self.invoice.partner_id.action_membri_send_statement())
        self.renewal.action_reset()
        self.assertFalse(self.invoice.partner_id.with_company(self.company)._membri_get_statement())

    def test_brought_forward(self):
        with freeze_time("2029-01-15 15:00:00"):
            section = self._get_section()
        self.assertEqual((section["opening"], section["entries"]), (344.93, []))
        self.assertEqual(section["total"], 344.93)

    def test_printed_and_sent(self):
        payer = self.invoice.partner_id
        report = self.env["ir.actions.report"]._render_qweb_html(
            "membri_renewal.report_statement", payer.ids
        )[0]
        self.assertIn("344.93", report.decode())
        for env in (self.env_account, self.env):
            action = payer.with_env(env).action_membri_send_statement()
            composer = env["mail.compose.message"].with_context(**action["context"]).create({})
            self.assertEqual(composer.model, "res.partner")
            self.assertTrue(composer.attachment_ids)
            with self.mock_mail_gateway():
                composer.action_send_mail()
                env["mail.mail"].sudo().process_email_queue()
            # whoever wrote to the payer before follows the contact, and gets it as well
            [mail] = (sent for sent in self._mails if payer.email in str(sent["email_to"]))
            self.assertEqual(len(mail["attachments"]), 1)

    def test_who_may(self):
        with self.assertRaises(UserError):
            self._create_member("Nobody's Payer").action_membri_send_statement()
        with self.assertRaises(AccessError):
            self.invoice.partner_id.with_user(self.employee).action_membri_send_statement()
