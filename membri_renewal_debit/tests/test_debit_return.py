"""What the bank gives back."""

from datetime import date, timedelta

from freezegun import freeze_time

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import DebitCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestDebitReturn(DebitCommon):
    def test_returns_of_another_company(self):
        """OCA keeps a return to its company, and forgets its lines."""
        renewal = self._collected()
        self._upload(renewal)
        self._return(renewal, self._after(renewal, 5))
        lines = self.env_root["payment.return.line"].search(
            [("partner_id", "=", renewal.partner_id.id)]
        )
        self.assertTrue(lines)
        west = self._create_other_company("West", "America/Vancouver")
        foreigner = new_test_user(
            self.env_root,
            "accountant_west",
            "account.group_account_manager,account_payment_order.group_account_payment",
            company_id=west.id,
            company_ids=west.ids,
        )
        for user, sees in ((foreigner, False), (self.accountant, True)):
            own = lines.with_user(user).with_context(allowed_company_ids=None)
            own = own.with_company(user.company_id)
            with self.subTest(user=user.login), mute_logger("odoo.addons.base.models.ir_rule"):
                self.assertEqual(bool(own.search([("id", "in", lines.ids)])), sees)
                for operation in ("read", "write", "unlink"):
                    self.assertEqual(own.has_access(operation), sees, operation)

    def test_receipt_once_the_bank_has_collected(self):
        """That the bank was asked is no money: nothing is certified until its statement says so,
        or it would have sent the debit back."""
        renewal = self._collected()
        self._upload(renewal)
        invoice = renewal.invoice_id.with_env(self.env_account)
        day = self._get_debits(renewal).payment_ids.date
        for days, certified in ((0, False), (5, False), (7, True)):
            with self.subTest(days=days), self._on(day + timedelta(days=days)):
                self.assertTrue(invoice._membri_is_paid())
                self.assertEqual(invoice._membri_has_receipt(), certified)
                self.assertEqual(bool(invoice._membri_get_lines_of_year(day.year)), certified)
        with self._on(day + timedelta(days=2)):
            payment = self._get_debits(renewal).payment_ids.with_env(self.env_account)
            line = self.env_account["account.bank.statement.line"].create(
                {
                    "payment_ref": "Debits",
                    "journal_id": payment.journal_id.id,
                    "amount": payment.amount,
                    "date": day,
                }
            )
            line = line.with_context(skip_account_move_synchronization=True)
            liquidity, suspense = payment._seek_for_lines()[0], line._seek_for_lines()[1]
            suspense.account_id = liquidity.account_id
            (suspense + liquidity).reconcile()
            self.assertTrue(payment.is_matched)
            self.assertTrue(invoice._membri_has_receipt())

    def test_part_is_confirmed_once_the_bank_has_collected(self):
        renewal = self._announced_in_parts(self._give_mandate)
        invoice = renewal.invoice_id.with_env(self.env_root)
        self._charge(renewal.date_charge)
        self._upload(renewal)
        day = self._get_debits(renewal).payment_ids.date
        for days, told in ((0, False), (5, False), (7, True), (8, True)):
            with self.subTest(days=days), self._on(day + timedelta(days=days)):
                invoice.filtered("membri_part_to_confirm")._membri_send_parts()
                self.assertEqual(bool(invoice.membri_amount_confirmed), told)
                self.assertEqual(invoice.membri_part_to_confirm, not told)

    def test_returned(self):
        """A reason that may pass: by the schedule of declined cards, told, and once."""
        renewal = self._collected()
        self._upload(renewal)
        day = self._after(renewal, 5)
        self._return(renewal, day)
        with self._on(day):
            self.assertFalse(renewal.is_paid)
            self.assertEqual(renewal.new_cotisation_id.state, "pending")
            self.assertEqual(renewal.charge_state, "failed")
            self.assertIn("[AM04] Insufficient funds", renewal.charge_note)
            self.assertEqual(renewal.date_charge_retry, day + timedelta(days=3))
            self.assertTrue(self._is_in_queue(renewal))
            self.assertTrue(renewal.in_arrears)
            self.assertFalse(renewal.can_be_reminded, "another attempt is to come")
            told = renewal.message_ids.filtered(lambda m: "did not go through" in (m.subject or ""))
            self.assertIn(renewal._format_day(renewal.date_charge_retry), told.body)
            self.assertIn("automatically", self._assert_refused(renewal.action_charge_again))
        self._charge(day + timedelta(days=2))
        self.assertEqual(len(self._get_debits(renewal)), 1)
        for night in (3, 3, 4):
            self._charge(day + timedelta(days=night))
            self.assertEqual(len(self._get_debits(renewal)), 2)
        self.assertEqual(renewal.charge_state, "pending")
        self._upload(renewal)
        self.assertTrue(renewal.is_paid)
        self.assertEqual(renewal.charge_state, "done")
        self.assertEqual(
            set(self._get_debits(renewal).mapped("amount_currency")),
            {renewal.invoice_id.amount_total},
        )
        self.assertFalse(self._is_in_queue(renewal))
        self._charge(day + timedelta(days=60))
        self.assertEqual(len(self._get_debits(renewal)), 2)

    def test_returned_each_time(self):
        renewal = self._collected()
        self._upload(renewal)
        day = self._after(renewal, 2)
        for attempt, wait in enumerate((3, 2, 2), start=1):
            self._return(renewal, day)
            self.assertEqual(renewal.date_charge_retry, day + timedelta(days=wait))
            self._charge(renewal.date_charge_retry)
            self.assertEqual(len(self._get_debits(renewal)), attempt + 1)
            self._upload(renewal)
            self.assertTrue(renewal.is_paid)
            day = self._after(renewal, 2)
        self._return(renewal, day)
        self.assertEqual((renewal.charge_state, renewal.date_charge_retry), ("failed", False))
        self.assertTrue(renewal.can_charge_again)
        self._charge(day + timedelta(days=30))
        self.assertEqual(len(self._get_debits(renewal)), 4)

    def test_returned_for_good(self):
        """Presented again once the officer says so, and the payer was told."""
        renewal = self._collected()
        self._upload(renewal)
        day = self._after(renewal, 5)
        self._return(renewal, day, "AC04", "Closed account")
        self.assertEqual((renewal.charge_state, renewal.date_charge_retry), ("failed", False))
        self._charge(day + timedelta(days=20))
        self.assertEqual(len(self._get_debits(renewal)), 1)
        with self._on(day + timedelta(days=21)):
            renewal.action_charge_again()
            self._let_leave()
        self.assertRecordValues(
            renewal,
            [
                {
                    "charge_state": "announced",
                    "date_charge": day + timedelta(days=31),
                    "charge_note": False,
                }
            ],
        )
        self._charge(renewal.date_charge - timedelta(days=1))
        self.assertEqual(len(self._get_debits(renewal)), 1)
        self._charge(renewal.date_charge)
        last = self._get_debits(renewal).sorted("id")[-1:]
        self.assertEqual(last.amount_currency, renewal.invoice_id.amount_total)
        self._upload(renewal)
        self.assertTrue(renewal.is_paid)
        self.assertFalse(self._is_in_queue(renewal))

    def test_returned_and_not_by_itself(self):
        """Who may not, or cannot, be debited or told."""

        def stop(renewal):
            renewal.charge_mandate_id.with_env(self.env_root)._membri_stop()

        def change_account(renewal):
            renewal.charge_mandate_id.with_env(self.env_root).partner_bank_id = self.env_root[
                "res.partner.bank"
            ].create({"acc_number": self.ibans.pop(), "partner_id": renewal.partner_id.id})

        def lose_address(renewal):
            renewal.partner_id.email = False

        cases = [
            (lambda renewal: None, {"code": False}),  # a reason that nobody knows
            (lambda renewal: None, {"code": "MD06", "name": "Refund request of the debtor"}),
            (stop, {}),
            (change_account, {}),
            (lose_address, {}),
        ]
        renewals = [self._announced_debit() for _case in cases]
        self._charge(renewals[0].date_charge)
        self._upload(renewals[0])
        for renewal, (change, reason) in zip(renewals, cases, strict=True):
            with self.subTest(change=change.__name__, **reason):
                change(renewal)
                day = self._after(renewal, 3)
                self._return(renewal, day, **reason)
                self.assertEqual(
                    (renewal.charge_state, renewal.date_charge_retry), ("failed", False)
                )
                self.assertIn("was rejected", renewal.charge_note)
                self.assertTrue(self._is_in_queue(renewal))
        self._charge(day + timedelta(days=8))
        for renewal in renewals:
            self.assertEqual(len(self._get_debits(renewal)), 1)

    def test_returned_then_settled_otherwise(self):
        paid, stopped, ended = (self._announced_debit() for _ in range(3))
        self._charge(paid.date_charge)
        self._upload(paid)
        day = self._after(paid, 3)
        for renewal in (paid, stopped, ended):
            self._return(renewal, day)
            self.assertEqual(renewal.date_charge_retry, day + timedelta(days=3))
        with self._on(day + timedelta(days=1)):
            self._pay(paid.invoice_id)
            stopped.action_stop_charge()
            ended.charge_mandate_id.with_env(self.env_root).cancel()
        self._charge(day + timedelta(days=3))
        self.assertEqual(
            [(r.charge_state, len(self._get_debits(r))) for r in (paid, stopped, ended)],
            [("stopped", 1), ("stopped", 1), ("failed", 1)],
        )
        self.assertIn("no longer valid", ended.charge_note)

    def test_first_part_returned(self):
        """What was announced to follow it follows it still."""
        renewal = self._announced_in_parts(self._give_mandate)
        self._charge(renewal.date_charge)
        self._upload(renewal)
        part, second = renewal.amount_charge, date(2027, 2, 13)
        self.assertEqual((renewal.charge_state, renewal.date_charge), ("announced", second))
        day = date(2026, 12, 1)
        self._return(renewal, day)
        again = day + timedelta(days=3)
        self.assertEqual((renewal.charge_state, renewal.date_charge_retry), ("failed", again))
        self._charge(again)
        self._upload(renewal)
        self.assertEqual((renewal.charge_state, renewal.date_charge), ("announced", second))
        self._charge(second)
        self._upload(renewal)
        self.assertTrue(renewal.is_paid)
        self.assertEqual(
            [(line.membri_charge_day, line.amount_currency) for line in self._get_debits(renewal)],
            [(date(2026, 11, 25), part), (again, part), (second, part)],
        )

    def test_first_part_returned_for_good(self):
        """The payer is told what came back, and nothing of what was to follow."""
        renewal = self._announced_in_parts(self._give_mandate, first=30)
        part = renewal.amount_charge
        self._charge(renewal.date_charge)
        self._upload(renewal)
        self.assertGreater(renewal.amount_charge, part)
        self._return(renewal, date(2026, 12, 1), "AC04", "Closed account")
        self.assertEqual((renewal.charge_state, renewal.amount_charge), ("failed", part))
        self._assert_told_rest(renewal, part)
        self.assertTrue(self._is_in_queue(renewal))
        self._charge(date(2027, 2, 13))
        self.assertEqual(len(self._get_debits(renewal)), 1)

    def test_return_of_a_mandate_that_was_revoked(self):
        renewal = self._collected()
        self._upload(renewal)
        with self._on(renewal.date_charge):
            self._get_order(renewal).action_uploaded_cancel()
        self.env.invalidate_all()
        renewal.charge_mandate_id.with_env(self.env_root).cancel()
        self.assertIn("no longer valid", self._assert_refused(renewal.action_charge_again))
