from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import MembriCommon


class MoneyCommon(MembriCommon):
    def _approved(self):
        renewal = self._renewal_in("approved")
        return renewal, renewal.invoice_id.with_env(self.env_account)

    def _asked(self, record):
        return " ".join(record.sudo().activity_ids.mapped("summary"))


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestB5UndoingMoney(MoneyCommon):
    """Issue 12, B5: what goes back is told with its cause, and what comes settles what was
    announced."""

    def test_b5_payment_that_is_cancelled_names_its_cause(self):
        renewal, invoice = self._approved()
        payment = self._pay(invoice)
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
        payment.memo = "Check 4711"
        payment.action_cancel()
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        asked = self._asked(invoice)
        for part in ("Check 4711", "345.00", invoice.name, "cancelled"):
            self.assertIn(part, asked)
        self.assertEqual(invoice.sudo().activity_ids.user_id, self.officer)

    def test_b5_payment_entry_that_is_reversed_names_its_cause(self):
        renewal, invoice = self._approved()
        payment = self._pay(invoice)
        if not payment.move_id:
            self.skipTest("this journal books no entry of a payment")
        payment.move_id._reverse_moves(cancel=True)
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self.assertIn("reversed", self._asked(invoice))

    def test_b5_invoice_that_is_corrected_asks_nobody(self):
        renewal, invoice = self._approved()
        self._pay(invoice)
        invoice.button_draft()
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self.assertFalse(invoice.sudo().activity_ids)

    def test_b5_what_a_credit_note_was_for_reaches_the_officer(self):
        renewal, invoice = self._approved()
        note = invoice._reverse_moves(
            [{"ref": "Left the profession", "invoice_date": fields.Date.today()}], cancel=True
        )
        self.assertEqual(renewal.state, "intervention")
        self.assertIn("Left the profession", renewal.intervention_reason)
        self.assertIn(note.name, renewal.intervention_reason)
        self.assertIn("Left the profession", self._asked(renewal))

    def test_b5_partial_credit_note_reaches_the_officer(self):
        renewal, invoice = self._approved()
        note = invoice._reverse_moves([{"ref": "Jubilee", "invoice_date": fields.Date.today()}])
        note.invoice_line_ids.price_unit = 100.0
        note.action_post()
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        asked = self._asked(invoice)
        for part in ("Jubilee", note.name, "230.00", "345.00"):
            self.assertIn(part, asked)
        note.button_draft()
        self.assertNotIn("Jubilee", self._asked(invoice), "it credits nothing")
        note.action_post()
        self.assertIn("Jubilee", self._asked(invoice))
        invoice._reverse_moves([{"invoice_date": fields.Date.today()}], cancel=True)
        self.assertEqual(renewal.state, "intervention")
        self.assertNotIn("does not change", self._asked(invoice), "the term is void")

    def test_b5_credit_note_of_a_reset_is_sent(self):
        renewal, invoice = self._approved()
        with patch.object(type(invoice), "_membri_can_cancel", lambda move: False):
            renewal.action_reset()
        note = invoice.sudo().reversal_move_ids
        self.assertEqual((len(note), note.state), (1, "posted"))
        self.assertTrue(note.sending_data, "on its way to the payer")
        self.assertEqual(note.membri_delivery_state, "queued")
        self.assertFalse(invoice.sudo().activity_ids, "ours: nobody is asked")

    def test_b5_credit_note_that_reaches_nobody_is_somebodys_task(self):
        """As an invoice does: no address, and one that bounces or is archived."""
        for vals in ({"email": False}, {"message_bounce": 1}, {"active": False}):
            with self.subTest(vals):
                _renewal, invoice = self._approved()
                invoice.partner_id.sudo().write(vals)
                with patch.object(type(invoice), "_membri_can_cancel", lambda move: False):
                    invoice.sudo()._membri_void()
                note = invoice.sudo().reversal_move_ids
                self.assertRecordValues(
                    note, [{"sending_data": False, "membri_delivery_state": "unreachable"}]
                )
                activity = note.activity_ids.filtered(
                    lambda a: (
                        a.activity_type_id == self.env.ref("membri_renewal.activity_undelivered")
                    )
                )
                self.assertEqual(activity.user_id, self.officer)
                self.assertIn(note.name, activity.summary)
                self.assertNotIn("nvoice", activity.summary, "a credit note is called one")

    # ------------------------------------------------------------------
    # Announced payments
    # ------------------------------------------------------------------

    def _announce(self, invoice, **told):
        self.assertFalse(
            invoice._membri_report_payment(
                invoice.partner_id,
                {"method": "cheque", "date": "2026-11-10", "amount": "", **told},
            )
        )

    def test_b5_pay_proposes_what_was_announced(self):
        _renewal, invoice = self._approved()
        self._announce(invoice, amount="200", reference="Chq 88")
        wizard = (
            self.env_account["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({})
        )
        self.assertEqual(wizard.amount, 200.0)
        self.assertIn("Chq 88", wizard.communication)
        payment = wizard._create_payments()
        self.assertIn("Chq 88", payment.memo)
        self.assertFalse(invoice.membri_date_reported, "the money has come")
        self.assertFalse(
            invoice.sudo().activity_search(["membri_renewal.activity_payment_reported"])
        )
        self.assertEqual(invoice.amount_residual, 145.0)

    def test_b5_announced_for_an_invoice_that_is_replaced(self):
        """Reverse and create: the payment is looked for on the new invoice."""
        renewal, invoice = self._approved()
        self._announce(invoice, reference="Chq 88")
        self._reverse_and_create(invoice)
        replacement = renewal.invoice_id.with_env(self.env_account)
        replacement.action_post()
        announced = "membri_renewal.activity_payment_reported"
        self.assertFalse(invoice.sudo().activity_search([announced]))
        self.assertEqual(len(replacement.sudo().activity_search([announced])), 1)
        self.assertEqual(replacement.membri_reported_amount, 345.0)
        self.assertTrue(renewal.date_payment_reported, "no reminder meanwhile")
        self._pay(replacement)
        self.assertFalse(replacement.membri_date_reported)
        self.assertFalse(replacement.sudo().activity_search([announced]))

    def test_b5_announced_and_paid_in_full(self):
        renewal, invoice = self._approved()
        self._announce(invoice)
        self.assertEqual(invoice.membri_reported_amount, 345.0)
        self._pay(invoice)
        self.assertRecordValues(
            invoice, [{"membri_date_reported": False, "membri_reported_amount": 0.0}]
        )
        self.assertFalse(
            (invoice.sudo() | renewal.sudo().invoice_id).activity_search(
                ["membri_renewal.activity_payment_reported"]
            )
        )

    def test_b5_announced_and_paid_without_a_journal_entry(self):
        """The bank says so, and no entry does yet: nobody has to look for the money."""
        self._set_payment_account("none")
        for amount in (200.0, None):
            with self.subTest(amount), self._patch_bank_synchronisation():
                _renewal, invoice = self._approved()
                self._announce(invoice, amount=str(amount or ""))
                self.assertFalse(self._pay(invoice, amount).move_id)
                self.assertFalse(invoice.membri_date_reported)
                self.assertFalse(
                    invoice.sudo().activity_search(["membri_renewal.activity_payment_reported"])
                )

    def test_b5_less_than_announced_keeps_the_announcement(self):
        _renewal, invoice = self._approved()
        self._announce(invoice, amount="200")
        self._pay(invoice, 50.0)
        self.assertTrue(invoice.membri_date_reported)

    def test_b5_the_members_own_words_are_not_folded_away(self):
        renewal, invoice = self._approved()
        self._announce(invoice, message="I paid at the counter")
        note = invoice.message_ids.filtered(lambda m: "counter" in (m.body or ""))
        self.assertTrue(note)
        self.assertNotIn("blockquote", note[0].body)
        other = self._renewal_in("sent")
        other._portal_answer("request_change", other.partner_id, lambda r: "Two seats please")
        note = other.message_ids.filtered(lambda m: "Two seats" in (m.body or ""))
        self.assertTrue(note)
        self.assertNotIn("blockquote", note[0].body)
        self.assertTrue(renewal)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestB3InvoiceAndTermAgree(MoneyCommon):
    """Issue 12, B3: one rule holds an invoice against its term whenever it is posted."""

    def _two_options(self):
        both = self._create_option_set("Both", products=self.product | self.extra)
        cotisation = self._create_cotisation(
            self._create_member("Zoe Roy"), "2026-01-01", option_set=both
        )
        renewal = self._create_renewal(cotisation)
        renewal.action_approve()
        return renewal, renewal.invoice_id.with_env(self.env_account)

    def _assert_all_say(self, renewal, total):
        term = renewal.new_cotisation_id
        self.assertEqual(
            (renewal.amount_total, term.amount_total, renewal.invoice_id.amount_total),
            (total, total, total),
        )

    def test_b3_reverse_and_create_with_an_option_less_at_a_lower_price(self):
        renewal, invoice = self._two_options()
        self._assert_all_say(renewal, 402.5)
        self._reverse_and_create(invoice, reason="No listing")
        replacement = renewal.invoice_id.with_env(self.env_account)
        self.assertNotEqual(replacement, invoice)
        lines = replacement.invoice_line_ids
        lines.filtered(lambda line: line.product_id == self.extra).unlink()
        replacement.invoice_line_ids.price_unit = 200.0
        replacement.action_post()
        self._assert_all_say(renewal, 230.0)
        self.assertEqual(renewal.new_cotisation_id.line_ids.product_id, self.product)
        asked = self._asked(replacement)
        for part in (replacement.name, "230.00", "402.50", self.extra.name):
            self.assertIn(part, asked)
        self._pay(replacement)
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")

    def test_b3_the_payer_is_told_which_invoice_replaces_which(self):
        """Who has both is told which one is to be paid, and writes to the same person."""
        renewal, invoice = self._two_options()
        invoice.sudo().write({"is_move_sent": True, "invoice_user_id": self.officer.id})
        self.assertFalse(invoice._membri_get_replaced())
        replacement = self._reverse_and_create(invoice, reason="Typing error")
        self.assertEqual(replacement.invoice_user_id, self.officer)
        self.assertEqual(invoice.reversal_move_ids.invoice_user_id, self.officer)
        void = invoice._membri_get_standing_sentences()
        self.assertEqual(len(void), 1, "not before it is confirmed")
        replacement.action_post()
        self.assertEqual(renewal.invoice_id, replacement.with_env(renewal.env))
        values = [value for _label, value in replacement._membri_get_mail_rows()]
        self.assertIn(invoice.name, values)
        [told] = invoice._membri_get_standing_sentences()[1:]
        self.assertIn(replacement.name, told)

    def test_b3_the_payer_is_told_which_invoice_a_reset_replaces(self):
        """A reset makes another term: its invoice stood beside the first, as a second debt."""
        renewal, invoice = self._two_options()
        invoice.sudo().is_move_sent = True
        renewal.action_reset()
        void = invoice._membri_get_standing_sentences()
        self.assertEqual(len(void), 1, "nothing replaces it yet")
        renewal.action_approve()
        replacement = renewal.invoice_id.with_env(self.env_account)
        self.assertEqual(replacement._membri_get_replaced(), invoice.sudo())
        self.assertEqual(dict(replacement._membri_get_mail_rows())["Replaces"], invoice.name)
        [told] = invoice._membri_get_standing_sentences()[1:]
        self.assertIn(replacement.name, told)

    def test_b3_replaced_after_a_receipt(self):
        """Who has a receipt for an invoice knows of it, though it was not emailed."""
        _renewal, invoice = self._two_options()
        invoice.sudo().is_move_sent = False
        self._pay(invoice)
        invoice._membri_ensure_receipts()
        replacement = self._reverse_and_create(invoice)
        replacement.action_post()
        self.assertEqual(replacement._membri_get_replaced(), invoice.sudo())

    def test_b3_what_the_payer_never_had_is_not_told(self):
        _renewal, invoice = self._two_options()
        invoice.sudo().is_move_sent = False
        replacement = self._reverse_and_create(invoice, reason="Typing error")
        replacement.action_post()
        self.assertFalse(replacement._membri_get_replaced())

    def test_b3_invoice_that_was_drafted_and_changed(self):
        renewal, invoice = self._two_options()
        invoice.button_draft()
        invoice.invoice_line_ids.filtered(lambda line: line.product_id == self.product).quantity = 2
        invoice.action_post()
        term = renewal.new_cotisation_id
        self.assertEqual(term.amount_total, 402.5, "perhaps a slip: the officer is asked")
        asked = self._asked(invoice)
        self.assertIn("402.50", asked)
        self.assertIn("747.50", asked)
        line = term.line_ids.filtered(lambda li: li.product_id == self.product)
        term.write({"line_ids": [Command.update(line.id, {"quantity": 2})]})
        self.assertEqual(term.amount_total, 747.5)
        self.assertFalse(self._asked(invoice), "they agree, whichever was changed")
        line.quantity = 2  # as it was
        invoice.button_draft()
        invoice.action_post()
        self.assertFalse(self._asked(invoice), "they agree")

    def test_b3_option_that_is_written_by_itself(self):
        """As a client does, beside the form."""
        renewal, invoice = self._two_options()
        invoice.button_draft()
        invoice.invoice_line_ids.filtered(lambda line: line.product_id == self.product).quantity = 2
        invoice.action_post()
        term = renewal.new_cotisation_id
        self.assertTrue(self._asked(invoice))
        term.line_ids.filtered(lambda li: li.product_id == self.product).quantity = 2
        self.assertFalse(self._asked(invoice))

    def test_b3_what_was_too_much_is_credited(self):
        """They agree again by a credit note of the difference: nothing is left to correct."""
        _renewal, invoice = self._two_options()
        invoice.button_draft()
        line = invoice.invoice_line_ids.filtered(lambda li: li.product_id == self.product)
        line.price_unit = 320.0
        invoice.action_post()
        self.assertIn("425.50", self._asked(invoice))
        note = invoice._reverse_moves([{"invoice_date": fields.Date.today()}])
        note.invoice_line_ids.filtered(lambda li: li.product_id == self.product).price_unit = 20.0
        note.invoice_line_ids.filtered(lambda li: li.product_id != self.product).unlink()
        note.action_post()
        self.assertFalse(self._asked(invoice))
        note.button_draft()
        self.assertFalse(self._asked(invoice), "what is no longer asked is not asked again")

    def test_b3_option_too_many_is_credited(self):
        """Nor where it is an option that the term does not have, or one more of them."""
        other = self._create_option("Directory", 40.0)
        for vals in ({"product_id": other.id}, {"product_id": self.extra.id}):
            renewal, invoice = self._two_options()
            term = renewal.new_cotisation_id
            invoice.button_draft()
            added = {"price_unit": 40.0, "tax_ids": [Command.set(term.line_ids.tax_ids.ids)]}
            added["membri_cotisation_id"] = term.id
            invoice.sudo()._as_internal().write(
                {"invoice_line_ids": [Command.create(vals | added)]}
            )
            invoice.action_post()
            self.assertTrue(self._asked(invoice))
            note = invoice._reverse_moves([{"invoice_date": fields.Date.today()}])
            note.invoice_line_ids[:-1].unlink()
            note.action_post()
            self.assertFalse(self._asked(invoice))

    def test_b3_replacement_that_was_asked_about_and_is_corrected(self):
        """It could not be followed at first: the question ends, and nothing fails."""
        renewal, invoice = self._two_options()
        self._reverse_and_create(invoice)
        replacement = renewal.invoice_id.with_env(self.env_account)
        line = replacement.invoice_line_ids.filtered(lambda li: li.product_id == self.product)
        line.quantity = 0
        replacement.action_post()
        kind = ["membri_renewal.activity_agreement"]
        self.assertTrue(replacement.sudo().activity_search(kind))
        replacement.button_draft()
        line.quantity = 2
        replacement.action_post()
        self.assertFalse(replacement.sudo().activity_search(kind))
        self.assertEqual(renewal.new_cotisation_id.amount_total, 747.5)

    def test_b3_question_of_another_member_that_was_done(self):
        """Of two on one invoice: what was marked as done is not asked again with the other's."""
        invoice, terms = self._shared()
        invoice.button_draft()
        invoice.invoice_line_ids.quantity = 2
        invoice.action_post()
        first, second = terms
        questions = invoice.sudo().activity_ids
        self.assertEqual(len(questions), 2)
        questions.filtered(lambda q: first.partner_id.name in q.summary).action_done()
        second.line_ids.quantity = 2
        self.assertFalse(self._asked(invoice))
        invoice.button_draft()
        invoice.action_post()
        self.assertIn(first.partner_id.name, self._asked(invoice), "posted again")
        second.line_ids.quantity = 2  # as it was
        self.assertIn(first.partner_id.name, self._asked(invoice), "it still differs")

    def _shared(self):
        payer = self._create_member("Chain Ltd", is_company=True)
        payer.membri_group_invoices = True
        members = self.env["res.partner"].union(
            *(self._create_member(name, parent_id=payer.id) for name in ("Ada Roy", "Bob Roy"))
        )
        renewals = self.env["membri.renewal"].union(
            *(self._create_renewal(self._create_cotisation(m, "2026-01-01")) for m in members)
        )
        renewals.action_approve()
        [invoice] = renewals.invoice_id
        return invoice.with_env(self.env_account), renewals.new_cotisation_id

    def test_b5_credit_notes_that_are_posted_the_other_way_round(self):
        """The one that was made first is the one by which it is too much."""
        _renewal, invoice = self._approved()
        today = [{"invoice_date": fields.Date.today()}]
        first, second = invoice._reverse_moves(today), invoice._reverse_moves(today)
        second.action_post()
        self.assertNotIn("more than", self._asked(invoice))
        first.action_post()
        asked = self._asked(invoice)
        for text in (first.name, "345.00", "more than"):
            self.assertIn(text, asked)

    def test_b5_question_about_a_credit_note_after_a_second_one(self):
        """Each says what is billed by now; of one that was done, nothing is asked again."""
        _renewal, invoice = self._approved()
        notes = []
        for ref, price in (("Jubilee", 100.0), ("Strike", 20.0)):
            note = invoice._reverse_moves([{"ref": ref, "invoice_date": fields.Date.today()}])
            note.invoice_line_ids.price_unit = price
            note.action_post()
            notes.append(note)
        asked = invoice.sudo().activity_ids.mapped("summary")
        self.assertEqual(len(asked), 2)
        for question in asked:
            self.assertIn("207.00", question)
        notes[1].button_draft()
        [question] = invoice.sudo().activity_ids
        self.assertIn("Jubilee", question.summary)
        self.assertIn("230.00", question.summary)
        question.action_done()
        notes[1].action_post()
        [question] = invoice.sudo().activity_ids
        self.assertIn("Strike", question.summary)

    def test_b3_option_replaced_at_the_same_price(self):
        """The totals agree, what is billed does not."""
        other = self._create_option("Membership, on paper", 300.0)
        renewal, invoice = self._two_options()
        term = renewal.new_cotisation_id
        invoice.button_draft()
        line = invoice.invoice_line_ids.filtered(lambda li: li.product_id == self.product)
        price = line.price_unit
        line.product_id = other
        line.price_unit = price
        line.tax_ids = term.line_ids.tax_ids
        invoice.action_post()
        self._assert_all_say(renewal, 402.5)
        asked = self._asked(invoice)
        self.assertIn(other.name, asked)
        self.assertIn(self.product.name, asked)
        self.assertEqual(term.line_ids.product_id, self.product | self.extra, "perhaps a slip")

    def test_b3_option_replaced_at_the_same_price_by_reverse_and_create(self):
        other = self._create_option("Membership, on paper", 300.0)
        renewal, invoice = self._two_options()
        self._reverse_and_create(invoice)
        replacement = renewal.invoice_id.with_env(self.env_account)
        line = replacement.invoice_line_ids.filtered(lambda li: li.product_id == self.product)
        line.product_id = other
        line.price_unit = 300.0
        line.tax_ids = renewal.new_cotisation_id.line_ids.tax_ids
        replacement.action_post()
        self._assert_all_say(renewal, 402.5)
        self.assertEqual(renewal.new_cotisation_id.line_ids.product_id, other | self.extra)
        self.assertEqual(renewal.line_ids.product_id, other | self.extra)
        self.assertIn(other.name, self._asked(replacement))

    def test_b3_line_without_its_option(self):
        """Text cannot be an option: the term is left alone, and the officer asked of the price."""
        renewal, invoice = self._two_options()
        self._reverse_and_create(invoice)
        replacement = renewal.invoice_id.with_env(self.env_account)
        line = replacement.invoice_line_ids.filtered(lambda li: li.product_id == self.product)
        line.write({"product_id": False, "price_unit": 200.0})
        line.tax_ids = renewal.new_cotisation_id.line_ids.tax_ids
        replacement.action_post()
        self.assertEqual(renewal.new_cotisation_id.amount_total, 402.5)
        self.assertIn("287.50", self._asked(replacement))

    def test_b3_lines_of_no_term_ask_the_officer(self):
        renewal, invoice = self._two_options()
        invoice.button_draft()
        invoice.write(
            {
                "invoice_line_ids": [
                    Command.delete(invoice.invoice_line_ids[1].id),
                    Command.create({"name": "Listing, half price", "price_unit": 25.0}),
                ]
            }
        )
        invoice.action_post()
        self.assertEqual(renewal.new_cotisation_id.amount_total, 402.5, "nobody decided yet")
        asked = self._asked(invoice)
        self.assertIn("402.50", asked)
        self.assertIn("345.00", asked)

    def test_b3_the_same_numbers_in_another_currency(self):
        renewal, invoice = self._two_options()
        invoice.button_draft()
        invoice.currency_id = self.env_root.ref("base.CHF").sudo()
        invoice.currency_id.sudo().active = True
        invoice.action_post()
        self.assertEqual(invoice.amount_total, 402.5)
        asked = self._asked(invoice)
        self.assertIn("CHF", asked)
        self.assertEqual(renewal.new_cotisation_id.amount_total, 402.5)

    def test_b3_posted_again_unchanged_asks_nobody(self):
        renewal, invoice = self._two_options()
        invoice.button_draft()
        invoice.action_post()
        self.assertFalse(invoice.sudo().activity_ids)
        self._assert_all_say(renewal, 402.5)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestA6FeeNoticeAndEnrolment(MoneyCommon):
    """Issue 12, A6: Odoo's own *Pay* on a fee notice, and a year that is over."""

    def _notice(self):
        self.company.with_env(self.env_root).membri_fee_notice = True
        return self._approved()

    def test_a6_pay_on_a_fee_notice_opens_its_own_window(self):
        renewal, notice = self._notice()
        for button in ("action_register_payment", "action_force_register_payment"):
            action = getattr(notice, button)()
            self.assertEqual(action["res_model"], "membri.fee.notice.payment")
        self.env_account[action["res_model"]].browse(action["res_id"]).action_confirm()
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
        self.assertTrue(renewal.is_paid)

    def test_a6_odoo_own_window_takes_no_money_on_a_fee_notice(self):
        renewal, notice = self._notice()
        Register = self.env_account["account.payment.register"]
        with self.assertRaises(UserError) as raised:
            Register.with_context(active_model="account.move", active_ids=notice.ids).create({})
        self.assertIn(notice.membri_fee_notice_name, str(raised.exception))
        with self.assertRaises(UserError):
            Register.with_context(
                active_model="account.move.line", active_ids=notice.line_ids.ids
            ).create({})
        receivable = notice.line_ids.filtered(lambda li: li.account_type == "asset_receivable")
        with self.assertRaises(UserError):
            Register.create({"line_ids": [Command.set(receivable.ids)]})._create_payments()
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self.assertFalse(notice.matched_payment_ids)

    def test_a6_fee_notices_and_invoices_are_not_paid_in_one_go(self):
        _renewal, invoice = self._approved()
        _other, notice = self._notice()
        with self.assertRaises(UserError):
            (invoice | notice).action_force_register_payment()

    def test_a6_enrolling_into_a_year_that_is_over_says_so(self):
        def open_wizard(day):
            return self.env["membri.enrolment"].create(
                {
                    "partner_id": self.member.id,
                    "option_set_id": self.yearly.id,
                    "date_start": day,
                }
            )

        over = open_wizard("2025-01-01")
        self.assertTrue(over.is_over)
        self.assertIn("is already over", over.consequences)
        self.assertNotIn("the membership begins", over.consequences)
        running = open_wizard("2026-01-01")
        self.assertFalse(running.is_over)
        self.assertIn("the membership begins", running.consequences)

    def test_a2_enrolling_says_how_the_invoice_goes(self):
        def get_consequences():
            return (
                self.env["membri.enrolment"]
                .create(
                    {
                        "partner_id": self.member.id,
                        "option_set_id": self.yearly.id,
                        "date_start": "2026-01-01",
                    }
                )
                .consequences
            )

        self.assertIn(f"emailed to {self.member.name} ({self.member.email})", get_consequences())
        self.member.sudo().message_bounce = 1
        self.assertIn(f"({self.member.email}) bounce. Print it", get_consequences())
        self.member.membri_renewal_email = "renewals@example.com"
        self.assertIn("(renewals@example.com)", get_consequences())
