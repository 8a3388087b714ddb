"""Issue 15, points 1 to 3: what is announced is charged, once; the member can stop it; bad input
is charged nothing, or once, with a sentence."""

from datetime import date, timedelta
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_automatic_payment import AutomaticPaymentCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestSavedCard(AutomaticPaymentCommon):
    def test_consent_is_dated(self):
        token = self._save_card(self.member)
        self.assertRecordValues(
            self.member,
            [
                {
                    "membri_payment_consent_date": date(2026, 11, 15),
                    "membri_payment_consent_wording": "Use this card for my next renewals",
                    "membri_payment_consent_source": "payment",
                }
            ],
        )
        self.assertEqual(self.member.sudo().membri_payment_token_id, token)
        self.assertIn("Demo ••1234", self.member.membri_payment_card)

    def test_staff_enter_no_card(self):
        token = self._create_token(self.member)
        with self.assertRaises(AccessError):
            self.member.membri_payment_token_id = token
        self.assertFalse(self.member.sudo().membri_payment_token_id)

    def test_staff_stop_it(self):
        self._save_card(self.member)
        self.member.action_membri_stop_automatic_payment()
        self.assertFalse(self.member.sudo().membri_payment_token_id)
        self.assertIs(self.member.membri_payment_card, False)
        self.assertFalse(self.member.membri_payment_consent_date)
        with self.assertRaises(UserError):
            self.member.action_membri_stop_automatic_payment()
        with self.assertRaises(AccessError):
            self.member.with_user(self.auditor).action_membri_stop_automatic_payment()

    def test_per_company(self):
        other = self._create_other_company("Chapter", "America/Toronto")
        self._save_card(self.member)
        self.assertFalse(self.member.with_company(other).sudo().membri_payment_token_id)

    def _assert_card_refused(self, token, words, partner=None):
        member_sudo = (partner or self.member).with_env(self.env_root).with_company(self.company)
        with self.assertRaises(ValidationError) as caught, self.env.cr.savepoint():
            member_sudo.membri_payment_token_id = token
        self.assertIn(words, str(caught.exception))
        member_sudo.invalidate_recordset()
        self.assertFalse(member_sudo.membri_payment_token_id)

    def test_card_of_another_payer(self):
        other = self._create_member("Bruno Tremblay")
        self._assert_card_refused(self._create_token(other), "is not a card of")

    def test_card_of_a_colleague(self):
        firm = self._create_member("Firm", is_company=True)
        one, two = (self._create_member(name, parent_id=firm.id) for name in ("One", "Two"))
        self._assert_card_refused(self._create_token(one), "is not a card of", partner=two)
        firm.with_env(self.env_root).with_company(
            self.company
        ).membri_payment_token_id = self._create_token(one)

    def test_card_of_another_company(self):
        other = self._create_other_company("Chapter", "America/Toronto")
        token = self._create_token(self.member, provider=self._create_provider(other))
        self._assert_card_refused(token, "another company")

    def test_archived_card(self):
        token = self._create_token(self.member)
        token.active = False
        self._assert_card_refused(token, "was removed")

    def test_provider_without_saved_cards(self):
        token = self._create_token(self.member)
        self.provider.allow_tokenization = False
        self._assert_card_refused(token, "does not allow saved cards")

    def test_disabled_provider(self):
        token = self._create_token(self.member)
        self.provider.state = "disabled"
        self._assert_card_refused(token, "is disabled")

    def test_settings(self):
        company = self.company.with_env(self.env_root)
        self.assertEqual(company.membri_charge_lead_days, 10)
        self.assertEqual(company._membri_get_retry_days(), [3, 5, 7])
        company.membri_charge_retry_days = ""
        self.assertEqual(company._membri_get_retry_days(), [])
        for wrong in ("3,x", "5,3", "0", "3,3", "-1"):
            with self.subTest(wrong), self.assertRaises(ValidationError):
                company.membri_charge_retry_days = wrong


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestAnnounced(AutomaticPaymentCommon):
    def test_off_by_default(self):
        self.yearly.sudo().automatic_payment = "none"
        self._save_card(self.member)
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        renewal.action_send()
        renewal.action_approve()
        self._charge(date(2027, 2, 1))
        self._assert_nothing_charged(renewal, False)

    def test_notice_announces(self):
        self._save_card(self.member)
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        renewal.action_send()
        self.assertRecordValues(
            renewal,
            [
                {
                    "charge_state": "announced",
                    "date_charge": date(2027, 1, 1),
                    "amount_charge": renewal.amount_total,
                }
            ],
        )
        body = renewal.message_ids.filtered(lambda m: "Time to renew" in (m.subject or "")).body
        self.assertIn("Demo ••1234 on January 1, 2027", body.replace("\xa0", " "))
        # sent is not accepted: nothing is charged
        self._charge(date(2027, 1, 1))
        self.assertEqual(renewal.charge_state, "announced")
        self.assertFalse(renewal.invoice_id)

    def test_acceptance_keeps_what_was_announced(self):
        renewal = self._announced()
        self.assertEqual(renewal.date_charge, date(2027, 1, 1))
        self.assertEqual(renewal.amount_charge, renewal.invoice_id.amount_total)

    def test_invoice_mode_announces_with_the_invoice(self):
        cotisation = self._create_yearly()
        self._save_card(cotisation.partner_id)
        renewal = self._create_renewal(cotisation, mode="invoice")
        renewal.action_approve()
        self.assertEqual(renewal.charge_state, "announced")
        self.assertGreaterEqual(renewal.date_charge, date(2026, 11, 25))
        self.assertIn(
            "We will charge", renewal.invoice_id._membri_get_next_sentence(), "in its email"
        )

    def test_word_before_an_automatic_renewal(self):
        """The announcement of the invoice tells the charge, too."""
        self.yearly.sudo().announce_days = 14
        cotisation = self._create_yearly()
        cotisation.partner_id.membri_auto_renew = True
        self._save_card(cotisation.partner_id)
        renewal = self._create_renewal(cotisation)
        renewal.action_send()
        self.assertEqual((renewal.state, renewal.charge_state), ("sent", "announced"))
        sentence = renewal._get_deadline_sentence().replace("\xa0", " ")
        self.assertIn("renews automatically", sentence)
        self.assertIn("to your Demo ••1234 on January 1, 2027", sentence)

    def test_late_acceptance_is_announced_again(self):
        self._save_card(self.member)
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        renewal.action_send()
        with self._on(date(2027, 1, 8)):
            renewal.action_approve()
        self.assertEqual(renewal.date_charge, date(2027, 1, 18))

    def test_changed_price_is_announced_again(self):
        renewal = self._announced()
        with self._on(date(2026, 12, 28)):
            renewal.action_reset()
            renewal.line_ids.price_unit = 400.0
            renewal.action_approve()
            self._let_leave()
        self.assertEqual(renewal.amount_charge, renewal.invoice_id.amount_total)
        self.assertEqual(renewal.date_charge, date(2027, 1, 7))
        self._charge(date(2027, 1, 6))
        self._assert_nothing_charged(renewal, "announced")
        self._charge(date(2027, 1, 7))
        self.assertEqual(self._get_charged(renewal.invoice_id), renewal.amount_charge)

    def test_changed_card_is_announced_again(self):
        renewal = self._announced()
        with self._on(date(2026, 12, 30)):
            new = self._save_card(renewal.partner_id)
            before = len(renewal.message_ids)
            self._charge()
        self.assertEqual(renewal.sudo().charge_token_id, new)
        self.assertEqual(renewal.date_charge, date(2027, 1, 9))
        self.assertGreater(len(renewal.message_ids), before, "by an email of its own")
        self._charge(date(2027, 1, 1))
        self._assert_nothing_charged(renewal, "announced")
        self._charge(date(2027, 1, 9))
        self.assertEqual(self._get_charges(renewal.invoice_id).token_id, new)

    def test_card_saved_after_the_invoice(self):
        renewal = self._renewal_in("approved")
        self.assertFalse(renewal.charge_state)
        self._save_card(renewal.partner_id)
        self._charge()
        self._assert_nothing_charged(renewal, "announced")
        self.assertEqual(renewal.date_charge, date(2026, 11, 25))

    def test_not_announced_without_address(self):
        renewal = self._renewal_in("approved")
        renewal.partner_id.email = False
        self._save_card(renewal.partner_id)
        self._charge(date(2026, 11, 20))
        self._charge(date(2027, 2, 1))
        self._assert_nothing_charged(renewal, False)
        self.assertIn("was not announced", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))

    def test_announcement_that_did_not_leave(self):
        renewal = self._announced()
        renewal._internal_write({"delivery_state": "failed", "delivery_note": "No route."})
        day = renewal.date_charge
        self._charge(day)
        self._assert_nothing_charged(renewal, "announced")
        self.assertEqual(renewal.date_charge, day + timedelta(days=10), "told anew")
        self.assertEqual(renewal.delivery_state, "delivered")

    def test_required_without_card(self):
        self.yearly.sudo().automatic_payment = "required"
        renewal = self._renewal_in("approved")
        self.assertFalse(renewal.charge_state)
        self.assertIn("requires automatic payment", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))
        self._pay(renewal.invoice_id)
        self.assertFalse(self._is_in_queue(renewal))

    def test_reason_is_in_the_language_of_the_staff(self):
        """Whoever accepted, and in whatever language."""
        self.env_root["res.lang"]._activate_lang("fr_FR")
        self.yearly.sudo().automatic_payment = "required"
        renewal = self._create_renewal(self._create_yearly())
        renewal.with_context(lang="fr_FR").action_approve()
        self.assertIn("requires automatic payment", renewal.charge_note)

    def test_reminders_do_not_ask_for_it(self):
        renewal = self._announced()
        with self._on(date(2026, 12, 20)):
            self.assertFalse(renewal.can_be_reminded)
            self.assertNotIn(
                renewal, renewal.search([("can_be_reminded", "=", True)]), "nor does the queue"
            )
            with self.assertRaises(UserError) as caught:
                renewal.action_send_reminder()
        self.assertIn("paid automatically", str(caught.exception))
        renewal.action_stop_charge()
        self.assertTrue(renewal.can_be_reminded)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCharged(AutomaticPaymentCommon):
    def test_charged_on_the_day_once(self):
        renewal = self._announced()
        self._charge(self._after(renewal, -1))
        self._assert_nothing_charged(renewal, "announced")
        for _night in range(3):
            self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "done")
        self.assertTrue(renewal.is_paid)
        charge = self._get_charges(renewal.invoice_id)
        self.assertRecordValues(
            charge, [{"state": "done", "operation": "offline", "amount": renewal.amount_charge}]
        )
        self.assertEqual(charge.payment_id.amount, renewal.amount_charge)
        self.assertFalse(self._is_in_queue(renewal))
        with self.assertRaises(UserError):
            renewal.action_stop_charge()

    def test_clock_set_back(self):
        renewal = self._announced()
        self._charge(renewal.date_charge)
        self._charge(self._after(renewal, -5))
        self._charge(self._after(renewal, 1))
        self.assertEqual(len(self._get_charges(renewal.invoice_id)), 1)
        self.assertEqual(self._get_charged(renewal.invoice_id), renewal.amount_charge)
        self.assertEqual(renewal.charge_state, "done")
        early = self._announced()  # told on a day that has not come again
        self._charge(date(2026, 11, 1))
        self._assert_nothing_charged(early, "announced")
        self.assertEqual(early.date_charge, date(2027, 1, 1))

    def test_money_that_no_invoice_uses(self):
        """Nobody is charged for what they have paid: the two are brought together first, and the
        queue says so."""
        renewal = self._announced()
        with self._on(self._after(renewal, -1)):
            renewal.invoice_id.sudo().membri_date_unused = fields.Datetime.now()
        self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "announced")
        self.assertIn("no invoice uses", renewal.charge_note)
        self._charge(self._after(renewal, self.company.membri_report_hold_days))
        self.assertEqual(renewal.charge_state, "done")

    def test_missed_night(self):
        renewal = self._announced()
        self._charge(self._after(renewal, 3))
        self.assertEqual(renewal.charge_state, "done")

    def test_long_silence_is_announced_again(self):
        renewal = self._announced()
        day = self._after(renewal, 40)
        self._charge(day)
        self._assert_nothing_charged(renewal, "announced")
        self.assertEqual(renewal.date_charge, day + timedelta(days=10))

    def test_price_of_zero(self):
        cotisation = self._create_yearly()
        self._save_card(cotisation.partner_id)
        renewal = self._create_renewal(cotisation)
        renewal.line_ids.price_unit = 0.0
        renewal.action_send()
        renewal.action_approve()
        self.assertFalse(renewal.charge_state)
        self.assertFalse(renewal._get_charge_sentence())
        self._charge(date(2027, 2, 1))
        self._assert_nothing_charged(renewal, False)
        self.assertTrue(renewal.is_paid)
        self.assertFalse(self._is_in_queue(renewal))

    def test_another_currency(self):
        renewal = self._announced()
        self.provider.available_currency_ids = self.env_root.ref("base.JPY")
        self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "failed")
        self.assertIn("does not accept payments in", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))

    def test_document_in_another_currency(self):
        self.company.with_env(self.env_root).membri_fee_notice = True
        renewal = self._announced()
        euro = self.env_root.ref("base.EUR")
        euro.active = True
        renewal.sudo().invoice_id.currency_id = euro
        self.assertFalse(renewal._get_charge_sentence())
        self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "failed")
        self.assertIn("in EUR, and the renewal in", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))

    def test_pending_then_declined(self):
        renewal = self._announced("pending")
        self._charge(renewal.date_charge)
        charge = self._get_charges(renewal.invoice_id)
        with self._on(self._after(renewal, 2)):
            charge.action_demo_set_canceled()
            self._run_cron("ir_cron_charge")
        self._assert_nothing_charged(renewal, "failed")
        self.assertIn("permanently declined", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))
        self._charge(self._after(renewal, 30))
        self.assertEqual(self._get_charges(renewal.invoice_id), charge)

    def test_card_deleted_or_archived(self):
        for how in ("unlink", "archive"):
            with self.subTest(how):
                renewal = self._announced()
                token = renewal.sudo().charge_token_id
                token.unlink() if how == "unlink" else token.write({"active": False})
                self.env.invalidate_all()
                self._charge(renewal.date_charge)
                self._assert_nothing_charged(renewal, "failed")
                self.assertIn("was removed", renewal.charge_note)
                self.assertFalse(renewal.date_charge_retry)
                self.assertTrue(self._is_in_queue(renewal))
                self.assertTrue(
                    renewal.message_ids.filtered(
                        lambda m: "did not go through" in (m.subject or "")
                    )
                )

    def test_card_that_is_none_of_the_payer_any_more(self):
        """Between the announcement and the charge, behind the back of every guard."""
        stranger = self._create_member("Bruno Tremblay")
        other = self._create_other_company("Chapter", "America/Toronto")
        foreign = self._create_provider(other)
        without = self.provider.copy({"allow_tokenization": False})
        without.with_context(active_test=False).state = "test"
        for words, column, value in (
            ("is not a card of", "partner_id", stranger.id),
            ("another company", "provider_id", foreign.id),
            ("does not allow saved cards", "provider_id", without.id),
        ):
            with self.subTest(words):
                renewal = self._announced()
                self.env.flush_all()
                self.env.cr.execute(
                    f"UPDATE payment_token SET {column} = %s WHERE id = %s",
                    [value, renewal.sudo().charge_token_id.id],
                )
                self.env.invalidate_all()
                self._charge(renewal.date_charge)
                self._assert_nothing_charged(renewal, "failed")
                self.assertIn(words, renewal.charge_note)
                self.assertTrue(self._is_in_queue(renewal))

    def test_pending_waits(self):
        renewal = self._announced("pending")
        for days in (0, 1, 30):
            self._charge(self._after(renewal, days))
        charge = self._get_charges(renewal.invoice_id)
        self.assertEqual(charge.mapped("state"), ["pending"])
        self.assertEqual(renewal.charge_state, "pending")
        self.assertFalse(renewal.is_paid)
        self.assertFalse(renewal.can_be_reminded)
        with self.assertRaises(UserError):
            renewal.action_stop_charge()
        charge.action_demo_set_done()
        self._charge(self._after(renewal, 31))
        self.assertEqual(renewal.charge_state, "done")
        self.assertTrue(renewal.is_paid)
        self.assertEqual(len(self._get_charges(renewal.invoice_id)), 1)

    def test_paid_by_hand_the_day_before(self):
        renewal = self._announced()
        self._pay(renewal.invoice_id)
        self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "stopped")
        notes = " ".join(renewal.message_ids.mapped("body"))
        self.assertIn("nothing was charged automatically", notes)

    def _register(self, invoice):
        """:return: Odoo's window *Pay*, with the way to pay of the saved card"""
        method = self.provider.journal_id.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_provider_id == self.provider
        )
        wizard = (
            self.env_root["account.payment.register"]
            .with_company(self.company)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"payment_method_line_id": method.id})
        )
        self.assertTrue(wizard.suitable_payment_token_ids)
        return wizard

    def test_pay_of_the_accountant_charges_no_card_by_itself(self):
        """Odoo proposes the first card of the payer, which was announced for another day."""
        renewal = self._announced()
        wizard = self._register(renewal.invoice_id)
        self.assertFalse(wizard.payment_token_id)
        with self.assertRaises(UserError):  # it would count as paid, and nothing be charged
            wizard._create_payments()
        self.assertFalse(renewal.is_paid)
        self._pay(renewal.invoice_id)
        self._charge(renewal.date_charge)
        self.assertFalse(self._get_charges(renewal.invoice_id))

    def test_card_that_the_accountant_chooses(self):
        renewal = self._announced()
        invoice = renewal.invoice_id
        wizard = self._register(invoice)
        wizard.payment_token_id = wizard.suitable_payment_token_ids
        wizard._create_payments()
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_charged(invoice), invoice.amount_total)
        self.assertEqual(len(self._get_charges(invoice)), 1)

    def test_part_paid_by_hand(self):
        renewal = self._announced()
        total = renewal.invoice_id.amount_total
        self._pay(renewal.invoice_id, 100.0)
        self._charge(renewal.date_charge)
        self.assertAlmostEqual(self._get_charged(renewal.invoice_id), total - 100.0)
        self.assertTrue(renewal.is_paid)

    def test_credited_the_day_before(self):
        renewal = self._announced()
        invoice = renewal.invoice_id
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        self.env_account["account.move"].browse(wizard.reverse_moves()["res_id"]).action_post()
        self.assertEqual(renewal.state, "intervention")
        self.assertIn("fully credited", renewal.intervention_reason)
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_charged(invoice), 0.0)
        self.assertFalse(renewal.invoice_id)

    def test_stopped(self):
        renewal = self._announced()
        renewal.action_stop_charge()
        self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "stopped")
        with self.assertRaises(UserError):
            renewal.action_stop_charge()

    def test_what_the_payer_stops_is_kept_for_the_staff(self):
        """In their language, not in that of the portal."""
        self.env_root["res.lang"]._activate_lang("fr_FR")
        renewal = self._announced()
        french = renewal.sudo().with_context(lang="fr_FR")
        self.assertFalse(french._portal_stop_charge(renewal.partner_id, is_payer=True))
        self.assertEqual(renewal.charge_state, "stopped")
        for record, count in ((renewal, 2), (renewal.partner_id, 2)):
            told = [body for body in record.message_ids.mapped("body") if "stopped" in body]
            self.assertEqual(len(told), count)
            self.assertNotIn("paiement", " ".join(record.message_ids.mapped("body")))

    def test_card_taken_back_stops_everything(self):
        renewal = self._announced()
        renewal.partner_id.action_membri_stop_automatic_payment()
        self.assertEqual(renewal.charge_state, "stopped")
        self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "stopped")

    def test_decline_is_tried_again(self):
        renewal = self._announced("error")
        first = renewal.date_charge
        for attempt, days in enumerate((0, 3, 5, 7), start=1):
            self._charge(first + timedelta(days=days - 1))
            self.assertEqual(len(self._get_charges(renewal.invoice_id)), attempt - 1)
            self._charge(first + timedelta(days=days))
            self.assertEqual(len(self._get_charges(renewal.invoice_id)), attempt)
            self._assert_nothing_charged(renewal, "failed")
            self.assertIn("was declined", renewal.charge_note)
            self.assertTrue(self._is_in_queue(renewal))
        self.assertFalse(renewal.date_charge_retry)
        self._charge(first + timedelta(days=30))
        self.assertEqual(len(self._get_charges(renewal.invoice_id)), 4)
        mails = renewal.message_ids.filtered(lambda m: "did not go through" in (m.subject or ""))
        self.assertEqual(len(mails), 4)

    def test_decline_is_told_once(self):
        """Odoo's own job looks again at what we have followed: it must not stumble on it."""
        for state in ("error", "cancel"):
            with self.subTest(state):
                renewal = self._announced(state)
                self._charge(renewal.date_charge)
                charge, note = self._get_charges(renewal.invoice_id), renewal.charge_note
                messages = renewal.message_ids
                charge._post_process()
                self.assertTrue(charge.is_post_processed)
                self.assertEqual(renewal.charge_note, note)
                self.assertEqual(renewal.message_ids, messages)

    def test_retry_succeeds(self):
        renewal = self._announced("error")
        self._charge(renewal.date_charge)
        self.assertFalse(renewal.can_be_reminded, "another attempt is to come")
        renewal.sudo().charge_token_id.demo_simulated_state = "done"
        self._charge(self._after(renewal, 3))
        self.assertEqual(renewal.charge_state, "done")
        self.assertEqual(self._get_charged(renewal.invoice_id), renewal.amount_charge)
        self.assertFalse(renewal.charge_note)

    def test_hard_decline(self):
        renewal = self._announced("cancel")
        self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "failed")
        self.assertIn("permanently declined", renewal.charge_note)
        self.assertFalse(renewal.date_charge_retry)
        self._charge(self._after(renewal, 3))
        self.assertEqual(len(self._get_charges(renewal.invoice_id)), 1)

    def test_provider_down(self):
        renewal = self._announced()
        error = ValidationError("Could not establish the connection to the API.")
        with patch.object(
            self.registry["payment.transaction"], "_send_payment_request", side_effect=error
        ):
            self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "failed")
        self.assertIn("could not be reached", renewal.charge_note)
        self._charge(self._after(renewal, 3))
        self.assertEqual(renewal.charge_state, "done")

    def test_provider_disabled(self):
        renewal = self._announced()
        self.provider.state = "disabled"
        self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "failed")
        self.assertIn("is disabled", renewal.charge_note)

    @mute_logger("odoo.addons.membri_renewal.models.mixins.state")
    def test_crash_after_the_request(self):
        """The provider has taken the money; the server stops before it has written so."""
        renewal = self._announced()
        taken = []

        def crash(transaction):
            taken.append(transaction.reference)
            raise RuntimeError("killed")

        with patch.object(self.registry["payment.transaction"], "_send_payment_request", crash):
            self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "pending")
        self.assertFalse(renewal.can_be_reminded)
        self.assertIn("It is not known", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))
        charge = self._get_charges(renewal.invoice_id)
        self.assertEqual(charge.mapped("state"), ["draft"])
        # the same reference again, for the provider remembers it
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_charges(renewal.invoice_id), charge)
        self.assertEqual(charge.mapped("reference"), taken)
        self.assertEqual(renewal.charge_state, "done")

    @mute_logger("odoo.addons.membri_renewal.models.mixins.state")
    def test_crash_found_late(self):
        """Nobody remembers the reference any more: a person looks, and says that nothing came."""
        renewal = self._announced()
        with patch.object(
            self.registry["payment.transaction"], "_send_payment_request", side_effect=RuntimeError
        ):
            self._charge(renewal.date_charge)
        self._charge(self._after(renewal, 2))
        self._assert_nothing_charged(renewal, "pending")
        renewal.action_stop_charge()
        self._assert_nothing_charged(renewal, "stopped")
        self.assertEqual(self._get_charges(renewal.invoice_id).state, "cancel")

    def test_two_workers(self):
        """The other one comes in between: after the transaction is committed, before the provider
        is asked."""
        renewal = self._announced()
        cron = self.registry["ir.cron"]
        original, others, asked = cron._commit_progress, [], []
        send = self.registry["payment.transaction"]._send_payment_request

        def commit(model, *args, **kwargs):
            result = original(model, *args, **kwargs)
            mine = model.env["membri.renewal"].sudo().browse(renewal.id)
            if mine.charge_state == "pending" and not others:
                others.append(mine)
                mine._charge_isolated()
            return result

        def ask(transaction):
            asked.append(transaction.reference)
            return send(transaction)

        with (
            patch.object(cron, "_commit_progress", commit),
            patch.object(self.registry["payment.transaction"], "_send_payment_request", ask),
        ):
            self._charge(renewal.date_charge)
        self.assertEqual(len(others), 1)
        self.assertEqual(len(asked), 1)
        self.assertEqual(renewal.charge_state, "done")
        self.assertEqual(self._get_charged(renewal.invoice_id), renewal.amount_charge)

    def test_two_workers_book_once(self):
        """The other one comes after the provider's answer is committed, and books it."""
        renewal = self._announced()
        cron = self.registry["ir.cron"]
        original, others = cron._commit_progress, []

        def commit(model, *args, **kwargs):
            result = original(model, *args, **kwargs)
            mine = model.env["membri.renewal"].sudo().browse(renewal.id)
            if mine._get_last_charge().state == "done" and not others:
                others.append(mine)
                mine._charge_isolated()
            return result

        with (
            patch.object(cron, "_commit_progress", commit),
            patch.object(
                self.registry["membri.renewal"], "_book_charge", side_effect=AssertionError
            ) as book,
        ):
            self._charge(renewal.date_charge)
        self.assertEqual((len(others), book.call_count), (1, 0))
        self.assertEqual(renewal.charge_state, "done")
        self.assertEqual(self._get_charged(renewal.invoice_id), renewal.amount_charge)
        self.assertEqual(len(renewal.invoice_id.sudo().transaction_ids.payment_id), 1)

    @mute_logger("odoo.sql_db")
    def test_database_allows_one(self):
        renewal = self._announced("pending")
        self._charge(renewal.date_charge)
        charge = self._get_charges(renewal.invoice_id)
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            charge.copy(
                {
                    "reference": "another",
                    "membri_charge_invoice_id": renewal.invoice_id.id,
                    "membri_charge_day": renewal.date_charge,
                }
            )
            self.env.flush_all()

    def test_member_is_paying(self):
        renewal = self._announced()
        with self._on(renewal.date_charge):
            transaction = self._create_transaction(renewal.invoice_id, "pending")
            self._run_cron("ir_cron_charge")
        self._assert_nothing_charged(renewal, "announced")
        self.assertEqual(self._get_charges(renewal.invoice_id), transaction)
        self.assertIn("in progress", renewal.charge_note)

    def test_fee_notice_gets_its_number_with_the_money(self):
        self.company.with_env(self.env_root).membri_fee_notice = True
        renewal = self._announced()
        invoice = renewal.invoice_id.sudo()
        self.assertEqual((invoice.state, invoice.membri_fee_notice_state), ("draft", "open"))
        self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "done")
        self.assertEqual(invoice.state, "posted")
        self.assertTrue(renewal.is_paid)

    def test_part_by_part_as_planned(self):
        renewal = self._announced_in_parts()
        invoice = renewal.invoice_id
        half = renewal.amount_charge
        self.assertAlmostEqual(half, invoice.amount_total / 2, places=1)
        first, second = renewal.date_charge, date(2027, 2, 13)
        self.assertEqual(first, date(2026, 11, 25))
        self.assertIn("February 13, 2027", renewal._get_charge_sentence())
        self._charge(first)
        self._charge(first)
        self.assertEqual(self._get_charged(invoice), half)
        self.assertEqual((renewal.charge_state, renewal.date_charge), ("announced", second))
        self.assertFalse(renewal.is_paid)
        self._charge(second - timedelta(days=1))
        self.assertEqual(self._get_charged(invoice), half)
        self._charge(second)
        self._charge(second + timedelta(days=1))
        self.assertAlmostEqual(self._get_charged(invoice), invoice.amount_total)
        self.assertEqual(renewal.charge_state, "done")
        self.assertTrue(renewal.is_paid)
        self.assertEqual(len(self._get_charges(invoice)), 2)

    def test_one_bad_record_stops_nobody(self):
        good, bad = self._announced(), self._announced()
        broken = patch.object(
            self.registry["membri.renewal"],
            "_prepare_charge_transaction_vals",
            autospec=True,
        )
        original = self.registry["membri.renewal"]._prepare_charge_transaction_vals
        with broken as prepare, mute_logger("odoo.addons.membri_renewal.models.mixins.state"):
            prepare.side_effect = lambda renewal, amount: (
                self._raise() if renewal.id == bad.id else original(renewal, amount)
            )
            self._charge(good.date_charge)
        self.assertEqual(good.charge_state, "done")
        self._assert_nothing_charged(bad, "announced")
        self.assertTrue(self._is_in_queue(bad))

    def _raise(self):
        words = "No luck"
        raise UserError(words)

    def test_shared_invoice_of_which_one_is_stopped(self):
        renewals = self._announced_together()
        stopped, other = renewals
        stopped.action_stop_charge()
        for days in (0, 1, 15):
            self._charge(self._after(other, days))
        self.assertEqual(renewals.mapped("charge_state"), ["stopped", "done"])
        self.assertEqual(len(self._get_charges(renewals.invoice_id)), 1)
        self.assertAlmostEqual(self._get_charged(renewals.invoice_id), other.amount_charge)
        self.assertAlmostEqual(renewals.invoice_id.amount_residual, stopped.amount_charge)

    def test_shared_invoice_is_charged_on_the_last_day(self):
        """Each was told a day of its own: nobody is charged before it."""
        renewals = self._announced_together()
        first, last = renewals
        last.sudo()._internal_write({"date_charge": self._after(first, 4)})
        day = last.date_charge
        for night in range(4):
            self._charge(self._after(first, night))
            self._assert_nothing_charged(first, "announced")
        self._charge(day)
        self.assertEqual(renewals.mapped("charge_state"), ["done", "done"])
        self.assertEqual(len(self._get_charges(renewals.invoice_id)), 1)
        self.assertTrue(all(renewal.is_paid for renewal in renewals))

    def test_shared_invoice_is_charged_once(self):
        renewals = self._announced_together()
        invoice = renewals.invoice_id
        self.assertAlmostEqual(sum(renewals.mapped("amount_charge")), invoice.amount_total)
        self._charge(renewals[0].date_charge)
        self.assertEqual(set(renewals.mapped("charge_state")), {"done"})
        self.assertEqual(len(self._get_charges(invoice)), 1)
        self.assertAlmostEqual(self._get_charged(invoice), invoice.amount_total)
        self.assertTrue(all(renewal.is_paid for renewal in renewals))
