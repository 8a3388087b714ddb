import lxml.html
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_write_off import WriteOffCase


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestWriteOff(WriteOffCase):
    """Issue 12 B2: a write-off above the company's share asks whether the membership stands."""

    def test_credit_of_what_was_written_off(self):
        """Credited in full, its payer would get back what never came: 3.93."""
        self._pay_and_write_off(341.0)
        note = self._credit(self.invoice)
        kind = ["membri_renewal.activity_agreement"]
        [question] = self.invoice.sudo().activity_search(kind)
        for text in (note.name, "3.93"):
            self.assertIn(text, question.summary)
        note.button_draft()
        self.assertFalse(self.invoice.sudo().activity_search(kind))
        note.invoice_line_ids.price_unit = 200.0
        note.action_post()
        for question in self.invoice.sudo().activity_search(kind):
            self.assertNotIn("3.93", question.summary)

    def test_up_to_the_share_passes(self):
        self._pay_and_write_off(327.68)  # 17.25 $ are missing: 5 %
        self._assert_follows("active")
        self.assertFalse(self._get_questions())
        self.assertFalse(self.invoice.membri_write_off_state)
        self.assertEqual(self._kinds(), [("write_off", 17.25), ("money", 327.68)])

    def test_above_the_share_asks_once(self):
        payment = self._pay_and_write_off(327.67)  # a cent more
        self.assertEqual(self.invoice.payment_state, "paid")
        self._assert_follows("pending")
        self._assert_follows("pending")
        question = self._get_questions()
        self.assertEqual((len(question), question.user_id), (1, self.officer))
        self.assertIn("17.26", question.note)
        self.assertEqual(self.invoice.membri_write_off_state, "to_decide")
        payment.action_cancel()
        self._assert_follows("pending")
        self.assertFalse(self._get_questions(), "the write-off is gone")
        self.assertFalse(self.invoice.membri_write_off_state)
        self._pay(self.invoice)
        self._assert_follows("active")

    def test_bad_debt_to_a_loss_account_makes_no_member(self):
        self._settle_by_entry(self.company_data["default_account_expense"], 344.93)
        self.assertEqual(self.invoice.payment_state, "paid")
        self._assert_follows("pending")
        self.assertEqual(self._kinds(), [("write_off", 344.93)])
        self.assertEqual(self.invoice._membri_get_received(), 0.0)
        self.assertEqual(len(self._get_questions()), 1)

    def test_nobody_is_asked_for_what_was_written_off(self):
        self.assertTrue(self.renewal.can_be_reminded)
        self._pay_and_write_off(200.0)
        self.assertFalse(self.renewal.is_paid)
        self.renewal.invalidate_recordset(["can_be_reminded"])
        self.assertFalse(self.renewal.can_be_reminded)
        self.assertFalse(
            self.renewal.search([("id", "in", self.renewal.ids), ("can_be_reminded", "=", True)])
        )
        self.assertTrue(self.invoice._membri_get_mail_obstacle("reminder"))
        with self.assertRaises(UserError):
            self.renewal.action_send_reminder()
        self.assertFalse(self.renewal.date_last_reminder)

    def test_rest_written_off_by_hand(self):
        self._pay(self.invoice, 300.0)
        self._settle_by_entry(self.company_data["default_account_expense"], 44.93)
        self._assert_follows("pending")
        self.assertEqual(self.invoice._membri_get_received(), 300.0)
        self.assertEqual(self.invoice._membri_get_written_off(), 44.93)

    def test_line_of_the_bank_with_a_write_off(self):
        self._pay_by_bank_and_write_off(200.0)
        self.assertEqual(self.invoice.payment_state, "paid")
        self.assertEqual(dict(self._kinds()), {"money": 200.0, "write_off": 144.93})
        self._assert_follows("pending")

    def _pay_by_bank_and_write_off(self, amount):
        line = self.env_account["account.bank.statement.line"].create(
            {
                "payment_ref": self.invoice.payment_reference,
                "journal_id": self.company_data["default_journal_bank"].id,
                "amount": amount,
                "date": fields.Date.today(),
            }
        )
        receivable = self.invoice.line_ids.filtered(
            lambda move_line: move_line.account_type == "asset_receivable"
        )
        liquidity, suspense, _other = line._seek_for_lines()
        line.move_id.with_context(
            force_delete=True, skip_account_move_synchronization=True, skip_readonly_check=True
        ).write(
            {
                "line_ids": [
                    fields.Command.delete(suspense.id),
                    fields.Command.create(
                        {
                            "account_id": receivable.account_id.id,
                            "partner_id": receivable.partner_id.id,
                            "credit": receivable.balance,
                        }
                    ),
                    fields.Command.create(
                        {
                            "account_id": self.company_data["default_account_expense"].id,
                            "debit": receivable.balance - liquidity.balance,
                        }
                    ),
                ]
            }
        )
        (
            receivable
            | line.move_id.line_ids.filtered(lambda li: li.account_id == receivable.account_id)
        ).reconcile()

    def test_keep_and_end(self):
        self._pay_and_write_off(100.0)
        self._assert_follows("pending")
        invoice = self.invoice.with_user(self.officer)
        invoice.action_membri_keep_membership()
        self._assert_follows("active")
        self.assertEqual(invoice.membri_write_off_state, "kept")
        self.assertFalse(self._get_questions())
        with self.assertRaises(UserError):
            invoice.action_membri_end_membership()

    def test_end(self):
        self._pay_and_write_off(100.0)
        invoice = self.invoice.with_user(self.officer)
        invoice.action_membri_end_membership()
        self.assertEqual(self.cotisation.state, "cancelled")
        self.assertEqual(self.renewal.state, "intervention")
        self.assertEqual((invoice.state, invoice.payment_state), ("posted", "paid"))
        self.assertEqual(invoice.membri_write_off_state, "ended")
        self.assertFalse(self._get_questions())
        self._run_cron("ir_cron_update_states")
        self.assertEqual(invoice.membri_write_off_state, "ended", "asked once")

    def test_end_tells_of_the_money_that_came(self):
        """100.00 came and stays: the officer is told to credit or keep it, the payer has their
        receipt of it, which says nothing of a membership."""
        self._pay_and_write_off(100.0)
        self.assertFalse(self.invoice.membri_receipt_to_send, "the officer decides first")
        self.invoice.with_user(self.officer).action_membri_end_membership()
        for text in (self.invoice.name, "100.00"):
            self.assertIn(text, self.renewal.intervention_reason)
        self.assertTrue(self.invoice.membri_receipt_to_send)
        self.invoice.sudo()._membri_send_receipts()
        mails = self.invoice.sudo().message_ids.mail_ids
        payer = self.invoice.partner_id
        [mail] = mails.filtered(
            lambda m: m.membri_kind == "receipt" and payer in m.sudo().recipient_ids
        )
        self.assertFalse(self.invoice._membri_get_mail_obstacle("receipt"))
        self.assertIn("100.00", mail.body_html)
        self.assertNotIn("344.93", mail.body_html)
        self.assertFalse(self.invoice._membri_get_paid_sentences())

    def _get_paid_rows(self, move):
        """:return: ``(label, amount)`` of what the PDF says that a document was paid by"""
        html, _type = self.env["ir.actions.report"]._render_qweb_html(
            "account.report_invoice_with_payments", move.ids
        )
        rows = []
        root = lxml.html.fromstring(html)
        for row in root.xpath("//tr[.//i[contains(@class, 'oe_payment_label')]]"):
            label, amount = (" ".join(cell.text_content().split()) for cell in row.xpath("td"))
            rows.append((label, amount))
        return rows

    def test_pdf_of_the_invoice_calls_no_write_off_a_payment(self):
        self._pay_and_write_off(100.0)
        paid, written_off = self._get_paid_rows(self.invoice)
        self.assertIn("Paid on", paid[0])
        self.assertIn("100.00", paid[1])
        self.assertIn("Written off on", written_off[0])
        self.assertIn("244.93", written_off[1])

    def test_pdf_of_a_credit_note_names_what_it_was_used_for(self):
        credit_note = self._credit(self.invoice)
        [used] = self._get_paid_rows(credit_note)
        self.assertIn(f"Used for {self.invoice.name}", used[0])
        self.assertNotIn("Paid", used[0])
        [reversed_on] = self._get_paid_rows(self.invoice)
        self.assertIn("Reversed on", reversed_on[0])

    def test_end_of_what_was_only_written_off_certifies_nothing(self):
        self._settle_by_entry(self.company_data["default_account_expense"], 344.93)
        self.invoice.with_user(self.officer).action_membri_end_membership()
        self.assertFalse(self.invoice.membri_receipt_to_send)
        self.assertEqual(self.renewal.state, "intervention")

    def test_only_officers_decide(self):
        self._pay_and_write_off(100.0)
        for user in (self.auditor, self.employee):
            with self.assertRaises(AccessError):
                self.invoice.with_user(user).action_membri_keep_membership()
        self.assertEqual(self.cotisation.state, "pending")

    def test_share_is_a_setting(self):
        self.company.with_env(self.env_root).membri_write_off_share = 50.0
        self._pay_and_write_off(200.0)
        self._assert_follows("active")
        self.company.with_env(self.env_root).membri_write_off_share = 0.0
        self._follow(self._renewal_in("approved"))
        self._pay_and_write_off(344.92)
        self.assertEqual(self.cotisation.state, "pending")

    def test_other_balances_are_no_write_off(self):
        """Settled with what the association owes to the member: paid, and no money."""
        payable = self.company_data["default_account_payable"]
        self._settle_by_entry(payable, 344.93)
        self._assert_follows("active")
        self.assertEqual(self._kinds(), [("offset", 344.93)])

    def test_payment_booked_by_hand_is_money(self):
        account = self.company_data["default_journal_bank"].default_account_id
        self._settle_by_entry(account, 344.93)
        self._assert_follows("active")
        self.assertEqual(self._kinds(), [("money", 344.93)])

    def _create_account(self, account_type):
        return self.env_root["account.account"].create(
            {
                "name": f"Test {account_type}",
                "code": f"99{self.env_root['account.account'].search_count([]):06}",
                "account_type": account_type,
                "reconcile": True,
                "company_ids": [fields.Command.set(self.company.ids)],
            }
        )

    def test_no_account_but_those_of_money_certifies_money(self):
        """Doubtful debts, a suspense account, deposits: no money, wherever they stand in the
        balance sheet."""
        suspense = self.company_data["default_journal_bank"].suspense_account_id
        for account in (
            self._create_account("asset_receivable"),
            suspense,
            self._create_account("liability_current"),
            self._create_account("asset_non_current"),
            self._create_account("asset_prepayments"),
        ):
            with self.subTest(account=account.account_type):
                self._follow(self._renewal_in("approved"))
                self._settle_by_entry(account, 344.93, partner=self.invoice.partner_id)
                self.assertEqual(self._kinds(), [("write_off", 344.93)])
                self.assertEqual(self.cotisation.state, "pending")
                self.assertEqual(self.invoice.membri_write_off_state, "to_decide")
                self.assertEqual(len(self._get_questions()), 1)
                self.assertFalse(self.invoice.membri_receipt_name)
                self.assertEqual(self.invoice.membri_amount_written_off, 344.93)

    def test_payment_with_its_difference_on_doubtful_debts(self):
        self._register_payment(
            self.invoice,
            amount=100.0,
            payment_difference_handling="reconcile",
            writeoff_account_id=self._create_account("asset_receivable").id,
        )
        self.assertEqual(dict(self._kinds()), {"money": 100.0, "write_off": 244.93})
        self._assert_follows("pending")

    def test_the_debt_of_somebody_else_is_another_balance(self):
        other = self._create_member("Who takes the debt over")
        account = self.company_data["default_account_receivable"]
        self._settle_by_entry(account, 344.93, partner=other)
        self.assertEqual(self._kinds(), [("offset", 344.93)])
        self._assert_follows("active")

    def test_outstanding_accounts_of_the_chart_are_money(self):
        chart = self.env_root["account.chart.template"].with_company(self.company)
        account = chart.ref("account_journal_payment_debit_account_id")
        self._settle_by_entry(account, 344.93)
        self.assertEqual(self._kinds(), [("money", 344.93)])
        self._assert_follows("active")

    def _get_todos(self):
        todo = self.env.ref("mail.mail_activity_data_todo")
        undone = self.env.ref("membri_renewal.activity_payment_undone")
        return self.invoice.sudo().activity_ids.filtered(
            lambda activity: activity.activity_type_id in todo | undone
        )

    def test_what_was_written_off_is_no_payment_to_refund(self):
        self._settle_by_entry(self.company_data["default_account_expense"], 344.93)
        for blocked in (self.renewal.action_reset, self.cotisation.action_cancel):
            with self.assertRaises(UserError) as caught:
                blocked()
            self.assertIn("written off", str(caught.exception))
        self.invoice.with_user(self.officer).action_membri_end_membership()
        self._run_cron("ir_cron_update_states")
        self.invoice._membri_sync()
        self.assertFalse(self._get_todos(), "neither open nor paid")
        self.assertEqual((self.invoice.state, self.invoice.payment_state), ("posted", "paid"))
        # the member comes back, and pays
        self.renewal.action_approve()
        self._follow(self.renewal)
        self._pay(self.invoice)
        self._assert_follows("active")
