"""Issue 15, point 2: what only waits to leave was not announced. The payment follows when its
email has left, or its letter was printed, as many days ago as the settings say."""

import html
from datetime import date, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server, MailDeliveryException

from .common_automatic_payment import AutomaticPaymentCommon
from .common_campaign import CampaignCommon
from .common_delivery import MAIL_LOGGER, DeliveryCase

LETTER = "odoo.addons.membri_renewal.models.renewal.letter"
LEAD = timedelta(days=10)
LATE = date(2026, 12, 28)  # when less than the lead is left until the announced day


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestTold(AutomaticPaymentCommon, DeliveryCase):
    def _invoiced(self, **vals):
        """:return: a renewal by invoice, whose email waits in Odoo's sending queue"""
        cotisation = self._create_yearly(**vals)
        self._save_card(cotisation.partner_id)
        renewal = self._create_renewal(cotisation, mode="invoice")
        renewal.action_approve()
        self.assertEqual(renewal.charge_state, "announced")
        self.assertFalse(renewal.date_charge_announced)
        return renewal

    def _refuse_emails(self):
        error = MailDeliveryException("Delivery failed", "550 5.1.1 no such user")
        with patch.object(IrMail_Server, "send_email", side_effect=error), mute_logger(MAIL_LOGGER):
            self._let_leave()

    def _run_night(self, day):
        """Without the queue of emails."""
        with self._on(day):
            self._run_cron("ir_cron_charge")

    def _assert_waits(self, renewal, words):
        self._assert_nothing_charged(renewal, "announced")
        self.assertIn(words, renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))

    def _assert_charged_from(self, renewal, day):
        self.assertEqual(renewal.date_charge, day)
        self.assertFalse(renewal.charge_note)
        self._run_night(day - timedelta(days=1))
        self._assert_nothing_charged(renewal, "announced")
        self._run_night(day)
        self.assertEqual(renewal.charge_state, "done")
        self.assertEqual(self._get_charged(renewal.invoice_id), renewal.amount_charge)

    def _get_told_day(self, renewal):
        """:return: whether the last email of the invoice says the day of the payment"""
        told = renewal.invoice_id.sudo().message_ids.filtered(
            lambda message: "We will charge" in str(message.body)
        )
        day = renewal._format_day(renewal.date_charge)
        return day in str(told.sorted("id")[-1:].body).replace("\xa0", " ")

    def _print_letter(self, renewal):
        # in tests documents are HTML
        with patch(f"{LETTER}.merge_pdf", b"".join):
            renewal.action_print_letter()

    def test_invoice_that_waits(self):
        renewal = self._invoiced()
        for days in (0, 1, 30):
            self._run_night(self._after(renewal, days))
            self._assert_waits(renewal, "has not been sent yet")
        with self._on(date(2027, 1, 20)):
            self._let_leave()
            self.assertTrue(self._get_told_day(renewal))
        self._assert_charged_from(renewal, date(2027, 1, 30))

    def test_email_that_waits_is_written_anew(self):
        """It is in the queue of emails, with a day that has become too early."""
        renewal = self._invoiced()
        with (
            patch.object(self.registry["mail.mail"], "send_after_commit", lambda mails: None),
            self.enter_registry_test_mode(),
        ):
            self.env_root.ref("account.ir_cron_account_move_send").method_direct_trigger()
        self.env.invalidate_all()
        self.assertFalse(renewal.date_charge_announced)
        with self._on(renewal.date_charge):
            self._let_leave()
        self.assertTrue(self._get_told_day(renewal))
        self._assert_charged_from(renewal, date(2026, 12, 5))

    def test_email_of_its_own_that_waits(self):
        renewal = self._renewal_in("approved")
        self._save_card(renewal.partner_id)
        self._run_night(date(2026, 11, 16))
        self.assertEqual(renewal.date_charge, date(2026, 11, 26))
        self._run_night(date(2026, 11, 26))
        self._assert_waits(renewal, "has not been sent yet")
        with self._on(date(2026, 11, 27)):
            self._let_leave()
        self._assert_charged_from(renewal, date(2026, 12, 7))

    def test_fee_notice_that_waits(self):
        self.company.with_env(self.env_root).membri_fee_notice = True
        renewal = self._invoiced()
        self._run_night(renewal.date_charge)
        self._assert_waits(renewal, "has not been sent yet")
        with self._on(date(2026, 11, 27)):
            self._let_leave()
        self._assert_charged_from(renewal, date(2026, 12, 7))

    def test_what_left_in_time_keeps_its_day(self):
        renewal = self._announced()
        self.assertTrue(renewal.date_charge_announced)
        with self._on(LATE):  # the invoice leaves late, and tells what the notice has told
            self._let_leave()
        self.assertTrue(self._get_told_day(renewal))
        self._assert_charged_from(renewal, date(2027, 1, 1))

    def test_email_that_failed(self):
        renewal = self._invoiced()
        self._refuse_emails()
        self._assert_waits(renewal, "did not reach the payer")
        self.assertFalse(renewal.date_charge_announced)
        day = self._after(renewal, 5)
        self._run_night(day)  # another try
        self._assert_waits(renewal, "did not reach the payer")
        with self._on(day):
            self._let_leave()
        self._assert_charged_from(renewal, day + LEAD)

    def test_notice_that_failed(self):
        cotisation = self._create_yearly()
        self._save_card(cotisation.partner_id)
        renewal = self._create_renewal(cotisation)
        error = MailDeliveryException("Delivery failed", "550 5.1.1 no such user")
        with patch.object(IrMail_Server, "send_email", side_effect=error), mute_logger(MAIL_LOGGER):
            renewal.action_send()
        self.assertEqual(renewal.delivery_state, "failed")
        with self._on(LATE):
            renewal.action_approve()
            self._let_leave()
        self._assert_charged_from(renewal, LATE + LEAD)

    def test_email_that_bounced(self):
        renewal = self._announced()
        self._let_leave()
        self.assertTrue(renewal.date_charge_announced)
        self._bounce(self._get_last_mail(renewal), renewal.partner_id.email)
        self._assert_waits(renewal, "did not reach the payer")
        self._run_night(renewal.date_charge)
        self._assert_nothing_charged(renewal, renewal.charge_state)
        self.assertIn(renewal.charge_state, (False, "announced"))
        self.assertTrue(self._is_in_queue(renewal))

    def test_next_attempt_that_is_told_to_nobody(self):
        """Declined: the next attempt counts once its email has left; without, there is none."""
        waiting, failed, nowhere = (self._announced("error") for _ in range(3))
        day = waiting.date_charge
        self._let_leave()
        nowhere.partner_id.email = False
        self._run_night(day)
        self.assertEqual((nowhere.charge_state, nowhere.date_charge_retry), ("failed", False))
        self.assertIn("was declined", nowhere.charge_note)
        self.assertTrue(nowhere.can_charge_again)
        self.assertEqual(waiting.date_charge_retry, day + timedelta(days=3))
        error = MailDeliveryException("Delivery failed", "550 5.1.1 no such user")
        with (
            self._on(day),
            patch.object(IrMail_Server, "send_email", side_effect=error),
            mute_logger(MAIL_LOGGER),
        ):
            self._get_last_mail(failed).send()
        self.assertEqual((failed.charge_state, failed.date_charge_retry), ("failed", False))
        self.assertIn("could not be notified", failed.charge_note)
        waiting.sudo().charge_token_id.demo_simulated_state = "done"
        self._run_night(day + timedelta(days=3))
        self._assert_nothing_charged(waiting, "failed")
        self.assertIn("has not been sent yet", waiting.charge_note)
        with self._on(day + timedelta(days=6)):  # it says a day that is still to come
            self._let_leave()
        self.assertEqual(waiting.date_charge_retry, day + timedelta(days=7))
        told = waiting.message_ids.filtered(lambda m: "did not go through" in (m.subject or ""))
        told = str(told.body).replace("\xa0", " ")
        self.assertIn(waiting._format_day(waiting.date_charge_retry), told)
        self._run_night(day + timedelta(days=7))
        self.assertEqual(waiting.charge_state, "done")
        self.assertEqual(self._get_charged(waiting.invoice_id), waiting.amount_charge)
        self._run_night(day + timedelta(days=30))
        for renewal in (failed, nowhere):
            self.assertEqual(len(self._get_charges(renewal.invoice_id)), 1)

    def test_next_attempt_of_a_shared_invoice(self):
        """One email tells it for all: nobody is charged before the day that it says."""
        payer = self._create_member("Family", is_company=True)
        payer.membri_group_invoices = True
        self._save_card(payer, "error")
        renewals = self.env["membri.renewal"].union(
            *(
                self._create_renewal(
                    self._create_cotisation(
                        self._create_member(name, parent_id=payer.id), "2026-01-01"
                    )
                )
                for name in ("Son", "Daughter")
            )
        )
        renewals.action_approve()
        self._let_leave()
        [day] = set(renewals.mapped("date_charge"))
        self._run_night(day)
        self.assertEqual(
            renewals.mapped(lambda r: (r.charge_state, r.date_charge_retry)),
            [("failed", day + timedelta(days=3))] * 2,
        )
        [told] = renewals.message_ids.filtered(lambda m: "did not go" in (m.subject or ""))
        amount = renewals[0]._format_amount(renewals.invoice_id.amount_total)
        self.assertIn(f"Your payment of {amount} with", html.unescape(str(told.body)))
        renewals[:1].sudo().charge_token_id.demo_simulated_state = "done"
        late = day + timedelta(days=20)  # the queue of emails stood still
        self._run_night(late)
        with self._on(late):
            self._let_leave()
        self.assertEqual(set(renewals.mapped("date_charge_retry")), {late + timedelta(days=1)})
        self._run_night(late)
        self.assertEqual(len(self._get_charges(renewals.invoice_id)), 1)
        self._run_night(late + timedelta(days=1))
        self.assertEqual(set(renewals.mapped("charge_state")), {"done"})
        self.assertAlmostEqual(
            self._get_charged(renewals.invoice_id), renewals.invoice_id.amount_total
        )

    def test_letter(self):
        """Of who has no email, by the printing of the letter, which says the day."""
        renewal = self._invoiced(email=False, street="1 Main Street")
        renewal.partner_id.membri_notice_on_paper = True
        self._run_night(renewal.date_charge)
        self._assert_waits(renewal, "not printed yet")
        day = date(2026, 12, 1)
        with self._on(day):
            self._print_letter(renewal)
            [sentence] = renewal._get_cover_sentences()
        self.assertIn("December 11, 2026", sentence.replace("\xa0", " "))
        self._assert_charged_from(renewal, day + LEAD)

    def test_changed_card_by_letter(self):
        renewal = self._invoiced(email=False, street="1 Main Street")
        renewal.partner_id.membri_notice_on_paper = True
        self._print_letter(renewal)
        self._save_card(renewal.partner_id)
        day = renewal.date_charge
        self._run_night(day)
        self.assertEqual((renewal.letter_state, renewal.charge_state), ("to_print", "announced"))
        with self._on(day):
            self._print_letter(renewal)
        self._assert_charged_from(renewal, day + LEAD)

    def test_notice_tells_only_who_pays(self):
        """An employer pays: the notice of the member tells the employer nothing."""
        employer = self._create_member("Employer", is_company=True)
        employer.membri_group_invoices = True
        self._save_card(employer)
        member = self._create_member("Employee", parent_id=employer.id)
        renewal = self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        renewal.action_send()
        self.assertEqual((renewal.delivery_state, renewal.charge_state), ("delivered", "announced"))
        self.assertFalse(renewal.date_charge_announced)
        with self._on(LATE):
            renewal.action_approve()
            self._let_leave()
        self._assert_charged_from(renewal, LATE + LEAD)

    def test_required_afterwards(self):
        """The plan requires a card since the renewal was accepted: the queue says who has none."""
        renewal = self._renewal_in("approved")
        self.yearly.sudo().automatic_payment = "required"
        self._charge()
        self.assertIn("requires automatic payment", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))
        self._save_card(renewal.partner_id)
        self._charge()
        self.assertRecordValues(renewal, [{"charge_state": "announced", "charge_note": False}])

    def test_contact_tells_what_is_next(self):
        renewal = self._announced()
        self.assertIn(renewal.name, renewal.partner_id.membri_next_charge)
        self.assertIn("January 1, 2027", renewal.partner_id.membri_next_charge)
        renewal.action_stop_charge()
        self.assertFalse(renewal.partner_id.membri_next_charge)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestToldToTheOfficer(AutomaticPaymentCommon, CampaignCommon):
    """The preview of a campaign: how many are charged by themselves, how much, and when."""

    def test_campaign_says_how_many_and_when(self):
        charged, removed, without = (self._create_term(name) for name in ("A", "B", "C"))
        self._create_term("D", self.monthly, date_start="2026-12-01")
        for term in (charged, removed):
            self._save_card(term.partner_id)
        card = removed.partner_id.sudo().with_company(self.company).membri_payment_token_id
        card.active = False
        campaign = self._preview(self.yearly)
        lines = self._get_lines(campaign)
        self.assertEqual(len(lines), 3)
        amount = lines[charged.partner_id].amount_company
        self.assertGreater(amount, 0.0)
        self.assertEqual(
            campaign._get_charge_summary(),
            f"Charged automatically: 1, {self.company.currency_id.format(amount)} in all, "
            "from January 1, 2027 on.",
        )
        self.assertNotIn(
            without.partner_id, campaign.line_ids.partner_id.filtered("membri_payment_card")
        )
        self.yearly.sudo().automatic_payment = "none"
        self.env.invalidate_all()
        self.assertFalse(campaign._get_charge_summary())
