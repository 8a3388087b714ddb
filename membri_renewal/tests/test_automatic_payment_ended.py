"""Issue 15, points 2 and 7: what becomes of a charge that ends, by the plan or the card, and of one
that failed and is announced again."""

from datetime import date, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_automatic_payment import AutomaticPaymentCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestNoLongerOffered(AutomaticPaymentCommon):
    """Nobody is told of a charge that will not come, and no queue says what holds no more."""

    def _switch(self, choice):
        self.yearly.sudo().automatic_payment = choice
        self.env.invalidate_all()

    def _get_failed_mails(self, renewal):
        return renewal.message_ids.filtered(lambda m: "did not go through" in (m.subject or ""))

    def test_accepted_and_told(self):
        renewal = self._announced()
        self._let_leave()
        self.assertTrue(renewal._get_charge_sentence())
        self._switch("none")
        for said in (
            renewal._get_charge_sentence(to_payer=True),
            renewal.invoice_id.sudo()._membri_get_charge_sentence(),
            renewal._get_charge_cover_sentence(),
            renewal.partner_id.membri_next_charge,
        ):
            self.assertFalse(said)
        self._charge(date(2026, 11, 16))
        self._assert_nothing_charged(renewal, "failed")
        self.assertIn("no longer offers", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))
        self.assertTrue(renewal.can_be_reminded)
        self.assertIn("We will not charge", self._get_failed_mails(renewal).body)
        for days in (0, 1, 60):
            self._charge(self._after(renewal, days))
        self._assert_nothing_charged(renewal, "failed")
        self.assertEqual(len(self._get_failed_mails(renewal)), 1)

    def test_accepted_and_not_told_yet(self):
        cotisation = self._create_yearly()
        self._save_card(cotisation.partner_id)
        renewal = self._create_renewal(cotisation, mode="invoice")
        renewal.action_approve()
        self._switch("none")
        self.assertRecordValues(renewal, [{"charge_state": False, "charge_note": False}])
        self._let_leave()
        self._charge(date(2027, 2, 1))
        self._assert_nothing_charged(renewal, False)
        self.assertFalse(self._get_failed_mails(renewal))
        told = renewal.invoice_id.sudo().message_ids.mapped("body")
        self.assertFalse([body for body in told if "We will charge" in body])

    def test_card_that_cannot_be_charged_for_now(self):
        """The queue says so before the day; nobody is told of a failure that may pass."""
        renewal = self._announced()
        self._let_leave()
        provider = self.member.with_company(self.company).env["payment.provider"].sudo()
        provider = provider.browse(renewal.sudo()._get_announced_card().provider_id.id)
        provider.allow_tokenization = False
        self._charge(date(2026, 11, 16))
        self.assertEqual(renewal.charge_state, "announced")
        note = renewal.charge_note
        self.assertTrue(note)
        self.assertTrue(self._is_in_queue(renewal))
        self._charge(date(2026, 11, 17))
        logged = [body for body in renewal.message_ids.mapped("body") if note in body]
        self.assertEqual(len(logged), 1)
        self.assertFalse(self._get_failed_mails(renewal))
        provider.allow_tokenization = True
        self._charge(date(2026, 11, 18))
        self.assertRecordValues(renewal, [{"charge_state": "announced", "charge_note": False}])
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_charged(renewal.invoice_id), renewal.amount_charge)

    def test_the_same_choice_again(self):
        """Nothing has changed, so the queue goes on saying why."""
        renewal = self._announced()
        renewal._internal_write({"charge_state": False, "charge_note": "Why not."})
        self._switch("offered")
        self.assertEqual(renewal.charge_note, "Why not.")

    def test_only_asked(self):
        """The notice has told it; who accepts pays the invoice."""
        self._save_card(self.member)
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        renewal.action_send()
        self._switch("none")
        self.assertFalse(renewal._get_charge_sentence())
        self.assertFalse(renewal.charge_state)
        renewal.action_approve()
        self._charge(date(2027, 2, 1))
        self._assert_nothing_charged(renewal, False)

    def test_to_be_tried_again(self):
        renewal = self._announced("error")
        self._charge(renewal.date_charge)
        self.assertTrue(renewal.date_charge_retry)
        self._switch("none")
        self.assertFalse(renewal._get_charge_sentence())
        self._charge(self._after(renewal, 1))
        self.assertFalse(renewal.date_charge_retry)
        self._charge(self._after(renewal, 3))
        self.assertEqual(len(self._get_charges(renewal.invoice_id)), 1)

    def test_one_of_two_plans_of_an_invoice(self):
        other = self.yearly.sudo().copy()
        self.assertEqual(other.automatic_payment, "offered")
        payer = self._create_member("Family", is_company=True)
        payer.membri_group_invoices = True
        self._save_card(payer)
        son, daughter = (
            self._create_renewal(
                self._create_cotisation(
                    self._create_member(name, parent_id=payer.id), "2026-01-01", option_set
                )
            )
            for name, option_set in (("Son", self.yearly), ("Daughter", other))
        )
        (son | daughter).action_approve()
        self._let_leave()
        invoice = son.invoice_id
        self.assertEqual(daughter.invoice_id, invoice)
        other.automatic_payment = "none"
        self._charge(date(2026, 11, 16))
        self.assertEqual((son | daughter).mapped("charge_state"), ["announced", "failed"])
        amount = son.amount_charge
        self._charge(son.date_charge)
        for days in (1, 15):  # what is left is the daughter's
            self._charge(self._after(son, days))
        self.assertEqual(self._get_charged(invoice), amount)
        self.assertEqual((son | daughter).mapped("charge_state"), ["done", "failed"])
        self.assertAlmostEqual(invoice.amount_residual, daughter.amount_charge)

    def test_note_of_who_has_no_card(self):
        for choice in ("none", "offered"):
            with self.subTest(choice):
                self._switch("required")
                renewal = self._renewal_in("approved")
                self.assertTrue(self._is_in_queue(renewal))
                self._switch(choice)
                self.assertFalse(renewal.charge_note)
                self.assertFalse(self._is_in_queue(renewal))
                self._charge()
                self.assertFalse(renewal.charge_note)

    def test_card_taken_back(self):
        """What was said of it, where nothing was announced."""
        self.provider.state = "disabled"
        renewal = self._renewal_in("approved")
        self.provider.state = "test"
        token = self._save_card(renewal.partner_id)
        self.provider.state = "disabled"
        self._charge()
        self.assertIn("is disabled", renewal.charge_note)
        renewal.partner_id.action_membri_stop_automatic_payment()
        self.assertTrue(token.exists())
        self._charge()
        self.assertRecordValues(renewal, [{"charge_state": False, "charge_note": False}])

    def test_plan_of_the_renewal_changed(self):
        self._switch("required")
        renewal = self._renewal_in("sent")
        renewal._internal_write({"charge_note": "No card."})
        renewal.action_request_change("A cheaper one")
        renewal.option_set_id = self.fixed
        renewal.action_send()
        self.assertFalse(renewal.charge_note)

    def test_card_replaced_or_removed(self):
        """The page is silent until the night has announced the new card."""
        renewal = self._announced()
        self._save_card(renewal.partner_id)
        self.assertFalse(renewal._get_charge_sentence())
        self._charge()
        self.assertTrue(renewal._get_charge_sentence())
        renewal.sudo().charge_token_id.active = False
        self.assertFalse(renewal._get_charge_sentence())


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestChargedAgain(AutomaticPaymentCommon):
    def _refused(self):
        renewal = self._announced("cancel")
        self._charge(renewal.date_charge)
        self.assertTrue(renewal.can_charge_again)
        return renewal

    def test_announced_and_charged_once_more(self):
        renewal = self._refused()
        renewal.sudo().charge_token_id.demo_simulated_state = "done"
        day = self._after(renewal, 4)
        with self._on(day):
            renewal.action_charge_again()
            self._let_leave()
        self.assertRecordValues(
            renewal,
            [
                {
                    "charge_state": "announced",
                    "date_charge": day + timedelta(days=10),
                    "charge_note": False,
                    "can_charge_again": False,
                }
            ],
        )
        self.assertTrue(renewal.date_charge_announced)
        self._charge(self._after(renewal, -1))
        self._assert_nothing_charged(renewal, "announced")
        for _night in range(2):
            self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "done")
        self.assertEqual(self._get_charged(renewal.invoice_id), renewal.amount_charge)

    def test_refused(self):
        announced = self._announced()
        self.assertIn("has failed", self._assert_refused(announced.action_charge_again))
        announced.action_stop_charge()
        self.assertIn("has failed", self._assert_refused(announced.action_charge_again))
        self.assertIn(
            "status is", self._assert_refused(self._renewal_in("sent").action_charge_again)
        )
        waiting = self._announced("error")
        self._charge(waiting.date_charge)
        self.assertIn("automatically", self._assert_refused(waiting.action_charge_again))
        paid = self._refused()
        self._pay(paid.invoice_id)
        self.assertIn("is paid", self._assert_refused(paid.action_charge_again))
        removed = self._refused()
        removed.sudo().charge_token_id.active = False
        self.assertIn("was removed", self._assert_refused(removed.action_charge_again))
        nowhere = self._refused()
        nowhere.partner_id.email = False
        self.assertIn("the address", self._assert_refused(nowhere.action_charge_again))
        paying = self._refused()
        self._create_transaction(paying.invoice_id, "pending")
        self.assertIn("in progress", self._assert_refused(paying.action_charge_again))
        ended = self._refused()
        self.yearly.sudo().automatic_payment = "none"
        self._assert_refused(ended.action_charge_again)
        with self.assertRaises(AccessError):
            removed.with_user(self.auditor).action_charge_again()
