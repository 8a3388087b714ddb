from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from lxml import etree

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common_archived import ArchivedCommon
from .common_delivery import OneDeliveryCase
from .common_payments import MembriPaymentCommon
from .common_shared_invoice import SharedInvoiceCommon

UNDONE = "membri_renewal.activity_payment_undone"
UNUSED = "membri_renewal.activity_unused_payment"
MERGE_PDF = "odoo.addons.membri_renewal.models.renewal.letter.merge_pdf"
STREET = {"street": "1 Main Street", "city": "Town", "zip": "J4H 2X3"}


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestB5AnyMoneyThatGoes(MembriPaymentCommon):
    """Issue 12, B5: whatever money goes away again, all of it or a part, from a term in
    whatever state: the officer is told, with the cause and with what is left to pay."""

    def _get_told_undone(self, invoice=None):
        activities = (invoice or self.invoice).sudo().activity_search([UNDONE])
        return activities.sorted("id").mapped("summary")

    def _assert_told(self, *parts, invoice=None):
        told = self._get_told_undone(invoice)
        self.assertEqual(len(told), 1)
        for part in parts:
            self.assertIn(part, told[0])

    def test_b5_part_of_a_pending_term(self):
        payment = self._pay(self.invoice, 100.0)
        self._pay(self.invoice, 50.0)
        payment.memo = "Check 12"
        payment.action_cancel()
        self.assertEqual(self.cotisation.state, "pending")
        self._assert_told("Check 12", "100.00", "cancelled", "294.93", "344.93")
        # what Odoo calls the method, in English only, says nothing
        self.assertNotIn("Manual", self._get_told_undone()[0])

    def test_b5_only_part_of_a_pending_term(self):
        payment = self._pay(self.invoice, 100.0)
        payment.action_cancel()
        self._assert_told("100.00", "unpaid again")

    def test_b5_second_part_of_an_active_term(self):
        self._pay(self.invoice, 300.0)
        payment = self._pay(self.invoice)
        self.assertEqual(self.cotisation.state, "active")
        payment.action_cancel()
        self.assertEqual(self.cotisation.state, "pending")
        self._assert_told("44.93", "cancelled", "44.93 $ of 344.93 $".replace(" $", "\xa0$"))

    def test_b5_payment_of_an_expired_term(self):
        payment = self._pay(self.invoice)
        with freeze_time("2028-02-01 15:00:00"):
            self._run_cron("ir_cron_update_states")
            self.assertEqual(self.cotisation.state, "expired")
            payment.action_cancel()
            self.assertEqual(self.cotisation.state, "expired")
            self._assert_told("344.93", "cancelled", "unpaid again")

    def test_b5_line_of_the_bank_that_is_taken_off(self):
        line = self._pay_by_bank(self.invoice, 100.0)
        self.assertEqual(self.invoice.payment_state, "partial")
        line.action_undo_reconciliation()
        self._assert_told("100.00", "removed")

    def test_b5_credit_note_of_a_part_that_is_taken_back(self):
        note = self._credit(self.invoice, price=100.0)
        self._pay(self.invoice)
        self.assertEqual(self.cotisation.state, "active")
        note.button_draft()
        note.button_cancel()
        self.assertEqual(self.cotisation.state, "pending")
        self._assert_told(note.name, "114.98", "344.93")

    def test_b5_part_without_journal_entry(self):
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            payment = self._pay(self.invoice, 100.0)
            self.assertFalse(payment.move_id)
            payment.action_reject()
            self._assert_told("100.00", "rejected", "unpaid again")
            self.invoice.sudo().activity_ids.unlink()
            self._pay(self.invoice, 120.0).unlink()
            self._assert_told("120.00", "cancelled", "unpaid again")

    def test_b5_rejected_while_its_entry_stands(self):
        """To Odoo the invoice is paid as long as the entry stands: told, not left to chance."""
        self._set_payment_account("outstanding")
        with self._patch_bank_synchronisation():
            payment = self._pay(self.invoice)
            self.assertEqual(self.invoice.payment_state, "in_payment")
            self.assertTrue(self.invoice._membri_has_receipt())
            payment.action_reject()
            self._assert_told("344.93", "rejected", "journal entry")

    def test_b5_question_of_before_about_a_rejected_payment_ends(self):
        """Asked in the words of another version, or language: the payment is the same."""
        self._set_payment_account("outstanding")
        with self._patch_bank_synchronisation():
            payment = self._pay(self.invoice)
            payment.sudo().name = "PAY/2027/7"
            payment.action_reject()
            [question] = self.invoice.sudo().activity_search([UNDONE])
            question.summary = f"Paiement {payment.name}, rejeté."
            other = self.invoice.sudo().activity_schedule(
                UNDONE, summary=f"Paiement {payment.name}0, rejeté.", user_id=question.user_id.id
            )
            payment.action_cancel()
            self.assertFalse(question.exists())
            self.assertTrue(other.exists(), "of another payment")

    def test_b1_who_has_a_receipt_is_told_that_it_is_void(self):
        """Who is asked to pay again, after a confirmation: a check that bounced, a line of the bank
        that was another payer's."""
        self.assertFalse(self.invoice._membri_get_void_receipt_sentence())
        payment = self._pay(self.invoice)
        name = self.invoice.membri_receipt_name
        self.assertTrue(name)
        self.assertFalse(self.invoice._membri_get_void_receipt_sentence())
        payment.action_cancel()
        sentence = self.invoice._membri_get_void_receipt_sentence()
        self.assertIn(name, sentence)
        self.assertIn(sentence, self.invoice._membri_get_standing_sentences())
        self.assertIn(sentence, dict(self.renewal._get_mail_invoice_rows()).values())
        self._pay(self.invoice)
        self.assertFalse(self.invoice._membri_get_void_receipt_sentence())

    def test_b2_what_came_back_is_not_called_written_off(self):
        """OCA's account_payment_return adds what the bank has returned to Odoo's own list."""
        payments = [{"move_id": 1, "amount": 344.93}, {"move_id": 2, "amount": -344.93}]
        came, back = self.invoice._membri_split_written_off(payments)
        self.assertEqual(came, payments[0])
        self.assertEqual((back["amount"], back["membri_label"]), (-344.93, "Returned on"))

    def test_b2_nothing_is_certified_of_money_in_doubt(self):
        """A payment that was rejected, or is a draft again, while its entry still settles the
        invoice: no receipt, and no email that thanks for it."""
        self._set_payment_account("outstanding")
        with self._patch_bank_synchronisation():
            payment = self._pay(self.invoice)
            year = fields.Date.today().year
            for take_back, take_again in (
                (payment.action_reject, payment.action_validate),
                (payment.action_draft, payment.action_post),
            ):
                with self.subTest(take_back=take_back.__name__):
                    self.assertTrue(self.invoice._membri_has_receipt())
                    self.assertTrue(self.invoice._membri_get_lines_of_year(year))
                    take_back()
                    self.assertFalse(self.invoice._membri_has_receipt())
                    self.assertFalse(self.invoice._membri_is_to_confirm())
                    self.assertFalse(self.invoice._membri_get_lines_of_year(year))
                    sentence = self.invoice._membri_get_doubt_sentence()
                    self.assertEqual(self.invoice._membri_get_mail_obstacle("receipt"), sentence)
                    self.assertEqual(
                        self.invoice._membri_get_standing_sentences(),
                        self.invoice._membri_get_checked_sentences(),
                    )
                    self.assertEqual(self.invoice._membri_get_portal_status()[0], "secondary")
                    take_again()
            self.assertTrue(self.invoice._membri_has_receipt())

    def test_b5_paid_again_ends_the_question(self):
        self._pay(self.invoice, 100.0).action_cancel()
        self.assertEqual(len(self._get_told_undone()), 1)
        self._pay(self.invoice, 50.0)
        self.assertEqual(len(self._get_told_undone()), 1)
        self._pay(self.invoice)
        self.assertFalse(self._get_told_undone())

    def test_b5_paid_again_after_the_end_ends_the_question(self):
        payment = self._pay(self.invoice)
        with freeze_time("2028-02-01 15:00:00"):
            self._run_cron("ir_cron_update_states")
            payment.action_cancel()
            self._pay(self.invoice)
            self.assertFalse(self._get_told_undone())

    def test_b5_who_decides_is_not_asked(self):
        """Cancelled, credited, reset to draft: the accountant means it, and it is told as that."""
        self._pay(self.invoice, 100.0)
        self.invoice.button_cancel()
        self.assertFalse(self._get_told_undone())
        self._follow(self._renewal_in("approved"))
        self._credit(self.invoice)
        self.assertFalse(self._get_told_undone())

    def test_b5_difference_of_an_exchange_rate_is_no_payment(self):
        euro = self.env_root.ref("base.EUR")
        euro.active = True
        self.env_root["res.currency.rate"].create(
            [
                {"name": day, "rate": rate, "currency_id": euro.id, "company_id": self.company.id}
                for day, rate in (("2026-01-01", 0.5), ("2027-01-20", 0.6))
            ]
        )
        self.invoice.button_draft()
        self.invoice.currency_id = euro
        self.invoice.action_post()
        with freeze_time("2027-01-21 15:00:00"):
            payment = self._pay(self.invoice)
            self.assertEqual(self.cotisation.state, "active")
            payment.action_cancel()
            self.assertEqual(self.cotisation.state, "pending")
            self._assert_told("cancelled", "unpaid again")

    def test_b5_ordinary_invoices_ask_nobody(self):
        invoice = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.renewal.partner_id.id,
                "invoice_line_ids": [Command.create({"name": "Coffee", "price_unit": 10.0})],
            }
        )
        invoice.action_post()
        self._pay(invoice).action_cancel()
        self.assertFalse(invoice.activity_ids)


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestB1WhatIsLeft(MembriPaymentCommon):
    """Issue 12, A1 and B1: what is due, by when, and what came: to the cent."""

    def _approve_in_parts(self):
        """30 % now, 30 % in 30 days, 40 % in 60 days."""
        term = self.env_account["account.payment.term"].create(
            {
                "name": "Three parts",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": share, "nb_days": days})
                    for share, days in ((30, 0), (30, 30), (40, 60))
                ],
            }
        )
        cotisation = self._create_yearly()
        partner = cotisation.partner_id.with_env(self.env_account)
        partner.property_payment_term_id = term
        renewal = self._create_renewal(cotisation)
        renewal.action_approve()
        self._follow(renewal)

    def _money(self, amount):
        return self.invoice.currency_id.format(amount)

    def test_a1_each_part_has_its_day_and_amount(self):
        self._approve_in_parts()
        rows = dict(self.invoice._membri_get_mail_rows())
        self.assertEqual(rows["Amount due"], self._money(344.93))
        self.assertEqual(rows["Due by January 15, 2027"], self._money(103.48))
        self.assertEqual(rows["Due by February 14, 2027"], self._money(103.48))
        self.assertEqual(rows["Due by March 16, 2027"], self._money(137.97))
        page = " ".join(self.invoice._membri_get_standing_sentences())
        self.assertIn(self._money(103.48), page)
        self.assertIn(self._money(344.93), page)
        self.assertIn(self._money(103.48), self.renewal._get_mail_preheader())
        self.assertNotIn(self._money(344.93), self.renewal._get_mail_preheader())
        self.assertIn(self._money(103.48), self.renewal._get_payment_sentence())

    def test_a1_first_part_paid_second_late(self):
        self._approve_in_parts()
        self._pay(self.invoice, 103.48)
        with freeze_time("2027-03-01 15:00:00"):
            self.assertEqual(self.invoice._membri_get_next_part()[1], 103.48)
            rows = dict(self.renewal._get_mail_invoice_rows())
            self.assertEqual(rows["Due by"], "February 14, 2027, late by 15 days")
            self.assertEqual(rows["Due on that date"], self._money(103.48))
            self.assertEqual(rows["Received so far"], self._money(103.48))
            self.assertEqual(rows["Amount due"], self._money(241.45))
            [section] = self.invoice.partner_id.with_company(self.company)._membri_get_statement()
            self.assertEqual(
                [(due["amount"], due["days_late"]) for due in section["due"]],
                [(103.48, 15), (137.97, 0)],
            )
        with freeze_time("2027-03-20 15:00:00"):
            self.assertEqual(
                self.invoice._membri_get_next_part()[1], 241.45, "both parts are late by now"
            )

    def test_a1_late_parts_have_their_own_days(self):
        self._approve_in_parts()
        self._pay(self.invoice, 103.48)
        with freeze_time("2027-03-20 15:00:00"):
            rows = dict(self.renewal._get_mail_invoice_rows())
            self.assertNotIn("Due by", rows)
            self.assertEqual(rows["Due by February 14, 2027, late by 34 days"], self._money(103.48))
            self.assertEqual(rows["Due by March 16, 2027, late by 4 days"], self._money(137.97))
            self.assertEqual(rows["Amount due"], self._money(241.45))
            page = self.invoice._membri_get_standing_sentences()
            self.assertEqual(
                [(self._money(103.48) in text, "34 days" in text) for text in page[:2]],
                [(True, True), (False, False)],
            )
            self.assertIn(self._money(137.97), page[1])
            self.assertIn("late by 4 days", page[1])
            self.assertIn(self._money(241.45), " ".join(page[2:]))
            self.assertIn("earliest part", self.renewal._get_mail_preheader())
            for left in (
                dict(self.invoice._membri_get_mail_rows()),
                " ".join(self.renewal._get_parts_sentences()),
            ):
                self.assertIn("February 14, 2027, late by 34 days", str(left))
            sentence = self.renewal._get_payment_sentence()
            self.assertIn("late by 34 days", sentence)
            self.assertIn(self._money(103.48), sentence)
            self.assertIn(self._money(241.45), sentence)

    def test_a1_part_that_is_due_today_is_not_late(self):
        self._approve_in_parts()
        with freeze_time("2027-02-14 15:00:00"):
            page = self.invoice._membri_get_standing_sentences()
            self.assertIn("late by 30 days", page[0])
            self.assertNotIn("late", page[1])

    def test_b4_one_part_is_not_enough(self):
        """Who pays the first part of three is no member yet."""
        self._approve_in_parts()
        whole = "the whole amount"
        self.assertIn(whole, self.invoice._membri_get_next_sentence())
        self.assertIn(whole, self.renewal._get_payment_reminder_sentence())
        self._pay(self.invoice, 103.48)
        self.assertIn(whole, self.invoice._membri_get_next_sentence())
        self._pay(self.invoice, 103.48)
        self.assertEqual(self.cotisation.state, "pending")
        self.assertIn("the rest", self.invoice._membri_get_next_sentence())

    def test_b1_payment_of_a_period_that_is_over(self):
        """Who was invoiced for a year and pays after it settles it, and is no member by that."""
        last = self.cotisation.date_end
        for day, is_over in ((last, False), (last + timedelta(days=1), True)):
            with self.subTest(day=day), freeze_time(f"{day} 15:00:00"):
                self.env.invalidate_all()
                for sentence in (
                    self.invoice._membri_get_next_sentence(),
                    self.renewal._get_payment_reminder_sentence(),
                    " ".join(self.renewal._get_portal_sentences()),
                ):
                    self.assertEqual("takes effect" in sentence, not is_over, sentence)
                    self.assertEqual("is over" in sentence, is_over, sentence)
        with freeze_time(f"{last + timedelta(days=1)} 15:00:00"):
            self._pay(self.invoice)
            self.assertEqual(self.cotisation.state, "expired")
            told = self.renewal._get_portal_sentences()
            self.assertEqual(told[1:], [self.cotisation._membri_get_paid_sentence()])

    def test_b4_paid_page_speaks_of_the_next_membership_until_it_begins(self):
        self._pay(self.invoice)
        first = self.cotisation.date_start
        for day, is_next in ((first - timedelta(days=1), True), (first, False)):
            with self.subTest(day=day), freeze_time(f"{day} 15:00:00"):
                self.env.invalidate_all()
                told = self.renewal._get_portal_sentences()[1]
                self.assertEqual("next membership" in told, is_next, told)

    def test_a1_payment_without_entry_covers_the_earliest_part(self):
        self._approve_in_parts()
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            self._pay(self.invoice, 110.0)
            parts = [amount for _day, amount in self.invoice._membri_get_parts_left()]
            self.assertEqual(parts, [96.96, 137.97])

    def test_b2_credit_is_not_called_received(self):
        self._credit(self.invoice, price=100.0)
        sentence = self.renewal._get_payment_reminder_sentence()
        self.assertNotIn("received 1", sentence.replace("We have received", "received"))
        self.assertIn(self._money(229.95), sentence)
        rows = dict(self.renewal._get_mail_invoice_rows())
        self.assertNotIn("Received so far", rows)
        self.assertEqual(rows["Credited"], self._money(114.98))
        page = " ".join(self.invoice._membri_get_standing_sentences())
        self.assertNotIn("received", page)
        self.assertIn(self._money(114.98), page)
        self._pay(self.invoice, 29.95)
        page = " ".join(self.invoice._membri_get_standing_sentences())
        self.assertIn("received " + self._money(29.95), page)
        rows = dict(self.renewal._get_mail_invoice_rows())
        self.assertEqual(rows["Received so far"], self._money(29.95))
        self.assertEqual(rows["Credited"], self._money(114.98))
        self.assertEqual(rows["Amount due"], self._money(200.0))

    def test_b2_undecided_write_off_is_not_reminded(self):
        self._register_payment(
            self.invoice,
            amount=200.0,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.company_data["default_account_expense"].id,
        )
        self.assertEqual(self.invoice.membri_write_off_state, "to_decide")
        self.assertFalse(self.renewal.can_be_reminded)
        self.assertNotIn(
            self.renewal, self.env["membri.renewal"].search([("can_be_reminded", "=", True)])
        )
        self._assert_refused(self.renewal.action_send_reminder)
        self.assertTrue(self.invoice.sudo()._membri_get_mail_obstacle("reminder"))

    def test_b5_paid_by_the_credit_of_another_invoice_is_paid(self):
        other = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.invoice.partner_id.id,
                "invoice_line_ids": [
                    Command.create({"name": "Gala", "price_unit": 344.93, "tax_ids": False})
                ],
            }
        )
        other.action_post()
        note = self._credit(other)
        note.line_ids.remove_move_reconcile()
        lines = (note | self.invoice).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.assertEqual(self.invoice.payment_state, "reversed")
        self.assertEqual(self.cotisation.state, "active")
        self.assertEqual(self.invoice._membri_get_portal_status(), ("success", "Paid in full"))

    def test_b5_credited_is_credited(self):
        self._credit(self.invoice)
        self.assertEqual(self.invoice._membri_get_portal_status()[1], "Credited")


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestB8UnusedPayments(MembriPaymentCommon):
    """Issue 12, B8: the statement shows also what no invoice has used yet."""

    def _get_section(self):
        [section] = self.invoice.partner_id.with_company(self.company)._membri_get_statement()
        return section

    def _prepay(self, amount, payer=None):
        payment = self.env_account["account.payment"].create(
            {
                "amount": amount,
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": (payer or self.invoice.partner_id).id,
                "journal_id": self.company_data["default_journal_bank"].id,
                "memo": "Check 77",
            }
        )
        payment.action_post()
        return payment

    def test_b8_payment_of_no_invoice(self):
        self._prepay(100.0)
        section = self._get_section()
        self.assertEqual((section["total"], section["unused"]), (344.93, 100.0))
        self.assertIn("Check 77", section["credits"][0]["label"])
        self.assertAlmostEqual(section["balance"], 244.93)

    def test_b8_paid_twice(self):
        self._pay(self.invoice)
        self._prepay(344.93)
        section = self._get_section()
        self.assertFalse(section["due"])
        self.assertEqual((section["unused"], section["balance"]), (344.93, -344.93))

    def test_b8_the_night_tells_of_money_that_waits(self):
        """Paid before the approval, or a second time: with an open invoice of the same payer,
        the officer brings the two together before the payer is reminded."""
        payment = self._prepay(100.0)
        for _night in range(2):
            self._run_cron("ir_cron_send_reminders")
            told = self.invoice.sudo().activity_search([UNUSED]).mapped("summary")
            self.assertEqual(len(told), 1, "once")
        for part in ("Check 77", "100.00", self.invoice.name):
            self.assertIn(part, told[0])
        self.invoice.sudo().activity_search([UNUSED]).action_done()
        self._run_cron("ir_cron_send_reminders")
        self.assertFalse(self.invoice.sudo().activity_search([UNUSED]), "the officer knows")
        lines = (payment.move_id | self.invoice).line_ids
        lines = lines.filtered(lambda line: line.account_type == "asset_receivable")
        lines.reconcile()
        self._run_cron("ir_cron_send_reminders")
        self.assertFalse(self.invoice.sudo().activity_search([UNUSED]))
        lines.remove_move_reconcile()
        self._run_cron("ir_cron_send_reminders")
        self.assertEqual(len(self.invoice.sudo().activity_search([UNUSED])), 1, "it is back")

    def test_b4_the_page_says_what_is_on_account(self):
        """Who has paid is not asked for the whole amount without a word, but told whom to ask; not
        how much it is, as links are forwarded; once it is used, or is sent back, no more."""
        sentence = self.invoice._membri_get_on_account_sentence
        self.assertFalse(sentence())
        self._prepay(50.0, self._create_member("Somebody Else"))
        self.assertFalse(sentence())
        payment = self._prepay(100.0)
        self.assertIn(self.officer.email, sentence())
        self.assertNotIn("100.00", sentence())
        self.assertIn(sentence(), self.invoice._membri_get_standing_sentences())
        for rows in (self.invoice._membri_get_mail_rows(), self.renewal._get_mail_invoice_rows()):
            self.assertEqual(dict(rows)["Money on account"], sentence())
        lines = (payment.move_id | self.invoice).line_ids
        lines = lines.filtered(lambda line: line.account_type == "asset_receivable")
        lines.reconcile()
        self.assertFalse(sentence())
        lines.remove_move_reconcile()
        self.assertTrue(sentence())
        back = self._prepay(100.0)
        back.action_draft()
        back.payment_type = "outbound"
        back.action_post()
        self.assertFalse(sentence())

    def test_b8_money_of_others_is_theirs(self):
        self._prepay(100.0, self._create_member("Somebody Else"))
        self._run_cron("ir_cron_send_reminders")
        self.assertFalse(self.invoice.sudo().activity_search([UNUSED]))

    def test_b8_paid_too_much(self):
        self._register_payment(self.invoice, amount=400.0)
        section = self._get_section()
        self.assertEqual(section["unused"], 55.07)
        self.assertAlmostEqual(section["balance"], -55.07)

    def test_b5_amounts_in_the_language_of_the_staff(self):
        """The night is English, the officer reads French: the amounts as well."""
        self.env_root["res.lang"]._activate_lang("fr_FR")
        self.officer.with_env(self.env_root).lang = "fr_FR"
        self._register_payment(self.invoice, amount=400.0)
        self._run_cron("ir_cron_send_reminders")
        [asked] = self.invoice.sudo().activity_search([UNUSED])
        for amount in ("400,00", "55,07"):
            self.assertIn(amount, asked.summary)
        self.assertNotIn("55.07", asked.summary)

    def test_b8_credit_note_after_the_payment(self):
        self._pay(self.invoice)
        note = self._credit(self.invoice, price=100.0)
        section = self._get_section()
        self.assertEqual((section["unused"], section["balance"]), (114.98, -114.98))
        self._pay(note)
        section = self._get_section()
        self.assertEqual((section["unused"], section["balance"]), (0.0, 0.0))

    def test_b8_printed(self):
        self._prepay(100.0)
        report = self.env_root["ir.actions.report"].with_company(self.company)
        html, _type = report._render_qweb_html(
            "membri_renewal.report_statement", self.invoice.partner_id.ids
        )
        self.assertIn("Check 77", html.decode())


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestB3ReversedAndCreated(MembriPaymentCommon):
    """Issue 12, A4 and B3: *Reverse and Create Invoice* loses neither money nor lines."""

    def _get_asked(self, invoice):
        return " ".join(invoice.sudo().activity_ids.filtered("summary").mapped("summary"))

    def test_a4_money_of_the_replaced_invoice_is_told(self):
        payment = self._pay(self.invoice)
        payment.memo = "Check 12"
        replacement = self._reverse_and_create(self.invoice)
        replacement.action_post()
        self.assertEqual(self.cotisation.state, "pending")
        self.assertEqual(self.renewal.delivery_state, "failed", "the new one is to be sent")
        asked = self._get_asked(replacement)
        for part in ("Check 12", "344.93", self.invoice.name):
            self.assertIn(part, asked)
        lines = (payment.move_id | replacement).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.assertEqual(self.cotisation.state, "active")
        self.assertFalse(replacement.sudo().activity_search([UNDONE]))

    def test_a4_unpaid_and_replaced_tells_nothing_of_money(self):
        replacement = self._reverse_and_create(self.invoice)
        replacement.action_post()
        self.assertFalse((self.invoice | replacement).sudo().activity_search([UNDONE]))

    def test_a4_credit_note_that_is_dated_ahead(self):
        replacement = self._reverse_and_create(self.invoice, date="2027-02-15")
        self.assertEqual(self.invoice.payment_state, "not_paid")
        asked = self._get_asked(self.invoice)
        self.assertIn(self.invoice.name, asked)
        self.assertIn("2027", asked)
        self.assertEqual(self.cotisation.invoice_id, replacement.with_env(self.env))
        note = self.invoice.reversal_move_ids
        note.auto_post = "no"
        note.invoice_date = note.date = "2027-01-15"
        note.action_post()
        self.assertEqual(self.invoice.payment_state, "reversed")
        self.assertFalse(self.invoice.sudo().activity_search([UNDONE]))

    def test_b5_credited_in_part_and_then_in_full(self):
        """Odoo proposes the whole invoice again: its payer has a credit that nobody meant."""
        self._credit(self.invoice, price=100.0)
        self.assertEqual(self.invoice._membri_get_excess(), -229.95)
        note = self._credit(self.invoice)
        self.assertEqual(self.invoice._membri_get_excess(), 114.98)
        asked = self._get_asked(self.invoice)
        for part in (note.name, "114.98", self.invoice.name):
            self.assertIn(part, asked)
        self.env.flush_all()
        row = self.env["membri.reconciliation"].search([("cotisation_id", "=", self.cotisation.id)])
        self.assertEqual((row.reason, row.invoiced), ("cancelled", -114.98))
        self.assertIn("114.98", row.explanation)

    def test_b5_question_about_what_was_written_off_ends_with_it(self):
        """Its credit note is a draft again, or cancelled, or nothing is written off any more."""
        for step in ("draft", "cancel", "write-off"):
            with self.subTest(step=step):
                invoice = self._renewal_in("approved").invoice_id.with_env(self.env_account)
                entry = self._settle_by_entry(
                    self.company_data["default_account_expense"], invoice.amount_total, invoice
                )
                note = self._credit(invoice)
                self.assertIn("written off, not paid", self._get_asked(invoice))
                if step == "draft":
                    note.button_draft()
                elif step == "cancel":
                    note.button_cancel()
                else:
                    entry._reverse_moves([{"date": fields.Date.today()}], cancel=True)
                self.assertNotIn("written off, not paid", self._get_asked(invoice))

    def test_a4_replaced_once_only(self):
        self._reverse_and_create(self.invoice).action_post()
        self._assert_refused(lambda: self._reverse_and_create(self.invoice))

    def test_b3_line_that_is_added_asks_the_officer(self):
        replacement = self._reverse_and_create(self.invoice)
        replacement.invoice_line_ids = [
            Command.create({"name": "Printed directory", "price_unit": 20.0, "tax_ids": False})
        ]
        replacement.action_post()
        asked = self._get_asked(replacement)
        self.assertIn("Printed directory", asked)
        self.assertIn("20.00", asked)

    def test_b3_note_and_section_ask_nobody(self):
        replacement = self._reverse_and_create(self.invoice)
        replacement.invoice_line_ids = [
            Command.create({"display_type": "line_note", "name": "With our thanks"})
        ]
        replacement.action_post()
        self.assertFalse(replacement.sudo().activity_ids)

    def test_a4_orphan_that_is_cancelled_asks_nobody_any_more(self):
        self.invoice.button_cancel()
        self.invoice.button_draft()
        self.invoice.action_post()
        self.assertIn("is open", self._get_asked(self.invoice))
        self.invoice.button_cancel()
        self.assertNotIn("is open", self._get_asked(self.invoice))


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestA3ArchivedPayer(ArchivedCommon):
    """Issue 12, A3: an archived payer stands in a queue, with the reason; a held renewal offers
    no button that only answers with a sentence."""

    def _bill_books(self):
        term = self._create_yearly()
        payer = self._create_member("Books", parent_id=term.partner_id.id, type="invoice")
        renewal = self._create_renewal(term)
        renewal.action_approve()
        return renewal, payer

    def _get_buttons(self, renewal):
        """:return: the names of the buttons that the header shows"""
        view = self.env.ref("membri_renewal.membri_renewal_view_form").id
        header = etree.fromstring(renewal.get_view(view)["arch"]).find("header")
        fields_read = [name for name, field in renewal._fields.items() if field.type != "binary"]
        values = renewal.read(fields_read, load=None)[0]
        return [
            button.get("name")
            for button in header.iter("button")
            if not safe_eval(button.get("invisible") or "False", values)
        ]

    def test_a3_unpaid_invoice_of_an_archived_payer(self):
        renewal, payer = self._bill_books()
        payer.active = False
        self.assertIn(renewal, self._get_queue("unreachable"))
        self.assertIn("Books", renewal.delivery_note)
        self.assertNotIn(renewal, self._get_queue("letters"))
        payer.active = True
        self.assertNotIn(renewal, self._get_queue("unreachable"))
        # it had left the queue of what is sent, and says so
        self.assertIn(renewal, self._get_queue("send_failed"))

    def test_b4_nothing_says_that_it_is_not_paid_once_it_is(self):
        renewal, payer = self._bill_books()
        payer.active = False
        self._pay(renewal.invoice_id.sudo())
        self.assertRecordValues(renewal, [{"delivery_state": False, "delivery_note": False}])
        self.assertFalse(self._get_activities(renewal))

    def test_a3_payer_in_use_is_reminded_of_an_archived_member(self):
        renewal, payer = self._bill_books()
        renewal.partner_id.active = False
        self.assertNotIn(renewal, self._get_queue("unreachable"))
        told = self._get_activities(renewal).mapped("summary")
        self.assertIn(payer._membri_get_names(), " ".join(told))
        self.assertFalse(renewal._get_no_reminder_reason())

    def test_a3_unpaid_enrolment_of_an_archived_payer(self):
        member = self._create_member("New Member")
        payer = self._create_member("Books", parent_id=member.id, type="invoice")
        invoice = member._membri_enrol(self.yearly).invoice_id.sudo()
        self.assertEqual(invoice.partner_id, payer)
        payer.active = False
        self.assertEqual(len(self._get_activities(invoice)), 1)
        payer.active = True
        self.assertFalse(self._get_activities(invoice))
        payer.active = False
        self.assertEqual(len(self._get_activities(invoice)), 1)
        self._pay(invoice)
        self.assertFalse(self._get_activities(invoice))

    def test_a3_held_renewal_offers_neither_approve_nor_send(self):
        renewal = self._renewal_in("sent")
        self.assertIn("action_approve", self._get_buttons(renewal))
        renewal.partner_id.active = False
        self.assertTrue(renewal.is_contact_archived)
        names = self._get_buttons(renewal)
        self.assertNotIn("action_approve", names)
        self.assertNotIn("action_send", names)
        self.assertIn("action_refuse", names)
        renewal.partner_id.active = True
        self.assertFalse(renewal.is_contact_archived)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestA2QueuedAndToPrint(OneDeliveryCase):
    """Issue 12, A2: *sent* and *done* are said of what left, *queued* and *to print* before."""

    def test_a2_letter_counts_once_it_is_printed(self):
        renewal = self._create_renewal(
            self._create_yearly(email=False, country_id=self.env.ref("base.ca").id, **STREET)
        )
        renewal.partner_id.membri_notice_on_paper = True
        renewal.action_send()
        renewal.action_print_letter()
        action = renewal.action_bulk("send_reminder")
        line = self.env["membri.bulk.job"].search([], limit=1).sudo().line_ids
        self.assertIn("letter", line.message)
        self.assertIn("0", action["params"]["message"], "no email is queued")
        self.assertFalse(renewal.date_last_reminder)
        self.assertEqual(renewal.sudo().reminder_log_ids.mapped("result"), ["to_print"])
        icons = [step["icon"] for step in renewal._get_timeline()]
        self.assertNotIn("fa-bell-o", icons, "nobody was reminded yet")
        with patch(MERGE_PDF, b"".join):  # in tests, documents are printed as HTML
            renewal.action_print_letter()
        self.assertEqual(renewal.sudo().reminder_log_ids.mapped("result"), ["sent"])
        self.assertTrue(renewal.date_last_reminder)
        with patch(MERGE_PDF, b"".join):
            renewal.action_print_letter()
        self.assertEqual(renewal.reminder_count, 1, "printed twice, one reminder")

    def test_a2_tried_again_is_queued(self):
        renewal = self._renewal_in("sent")
        renewal._mark_failed("refused")
        mail = self.env_root["mail.mail"].search([("model", "=", renewal._name)], limit=1)
        mail.write({"state": "exception", "auto_delete": False})
        action = renewal.action_bulk("retry_sending")
        line = self.env["membri.bulk.job"].search([], limit=1).sudo().line_ids
        self.assertEqual(line.result, "done", action)
        self.assertEqual(renewal.delivery_state, "queued")
        self.assertFalse(line.message, "that it is queued is no remark")
        self.assertEqual(action["params"]["type"], "success")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestA1SharedIsSaidAsShared(SharedInvoiceCommon):
    """Issue 12, A1 and B6: the payer of several is told of all that are left, and of no other."""

    def test_a1_who_was_taken_off_is_named_no_more(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        left = renewals[-1]
        rest = sum(line.price_total for line in left.new_cotisation_id.sudo()._get_invoice_lines())
        self._pay(invoice, invoice.amount_total - rest)
        sentence = renewals[0]._get_payment_reminder_sentence()
        for member in renewals.partner_id:
            self.assertIn(member.name, sentence)
        left.action_take_off()
        self.assertEqual(invoice.sudo()._membri_get_members(), (renewals - left).partner_id)
        told = left.sudo().activity_ids.mapped("summary")
        self.assertEqual(told, [left.intervention_reason])
        self.assertNotIn("fully credited", told[0])
