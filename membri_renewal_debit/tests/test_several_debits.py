"""One invoice that is collected by several debits: of its members, or of its parts."""

from datetime import date, timedelta

from freezegun import freeze_time

from odoo.tests import tagged

from .common import IBANS, DebitCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestSeveralDebits(DebitCommon):
    def test_part_by_part(self):
        renewal = self._announced_in_parts(self._give_mandate)
        invoice = renewal.invoice_id
        first, second = renewal.date_charge, date(2027, 2, 13)
        self._charge(first)
        self.assertEqual(self._get_debits(renewal).amount_currency, renewal.amount_charge)
        self._upload(renewal)
        self.assertEqual((renewal.charge_state, renewal.date_charge), ("announced", second))
        self._charge(second)
        lines = self._get_debits(renewal).sorted("id")
        self.assertAlmostEqual(sum(lines.mapped("amount_currency")), invoice.amount_total)
        self.assertEqual(len(lines.order_id), 2)
        self.assertEqual(len(lines.move_line_id), 2)

    def test_shared_invoice_is_collected_once(self):
        renewals = self._announced_together(self._give_mandate)
        invoice = renewals.invoice_id
        self._charge(renewals[0].date_charge)
        line = self._get_debits(renewals[0])
        self.assertEqual(len(line), 1)
        self.assertAlmostEqual(line.amount_currency, invoice.amount_total)
        self._upload(renewals[0])
        self.assertEqual(set(renewals.mapped("charge_state")), {"done"})

    def test_less_of_a_shared_invoice_was_sent(self):
        """The accountant lowers the line: the rest stands in the queue, and the payer is told."""
        renewals = self._announced_together(self._give_mandate)
        invoice = renewals.invoice_id
        self._charge(renewals[0].date_charge)
        line = self._get_debits(renewals[0])
        line.with_env(self.env_account).amount_currency -= 10
        mails = self.env_root["mail.mail"].search_count([])
        self._upload(renewals[0])
        self.assertAlmostEqual(invoice.amount_residual, 10)
        self.assertEqual(renewals.mapped("charge_state"), ["failed", "failed"])
        self.assertIn("The rest has to be paid another way", renewals[0].charge_note)
        self.assertFalse(any(renewals.mapped("date_charge_retry")))
        self.assertEqual(self.env_root["mail.mail"].search_count([]), mails + 1)
        self._assert_told_rest(renewals, 10.0)

    def _collect_in_two_debits(self, renewals):
        """Both parts of the invoice are due on one day: what was announced has a debit for each.

        :return: the confirmed order, as the accountant has it"""
        self.mode.group_lines = False
        invoice = renewals.invoice_id.sudo()
        self.env.flush_all()
        self.env.cr.execute(  # behind the guards: a booked part stays as it is
            "UPDATE account_move_line SET date_maturity = %s WHERE move_id = %s"
            " AND display_type = 'payment_term'",
            [invoice.invoice_date_due, invoice.id],
        )
        self.env.invalidate_all()
        self._charge()  # the whole amount is told
        day = renewals[0].date_charge
        self.assertAlmostEqual(sum(renewals.mapped("amount_charge")), invoice.amount_total)
        self._charge(day)
        self.assertEqual(self._get_debits(renewals).mapped("membri_charge_rank"), [0, 1])
        order = self._get_order(renewals).with_env(self.env_account)
        with self._on(day):
            order.draft2open()
        return order

    def _send_without_last_debit(self, renewals, order):
        """:return: the amount of the debit whose payment the accountant has deleted"""
        dropped = self._get_debits(renewals)[-1:]
        amount = dropped.amount_currency
        with self._on(renewals[0].date_charge):
            dropped.payment_ids.with_env(self.env_account).unlink()
            order.open2generated()
            order.generated2uploaded()
        self.env.invalidate_all()
        self.assertEqual(len(order.payment_line_ids), 1)
        self.assertAlmostEqual(renewals.invoice_id.amount_residual, amount)
        return amount

    def test_one_of_several_debits_is_deleted(self):
        """What was not sent to the bank is announced anew, and debited once."""
        renewal = self._announced_in_parts(self._give_mandate)
        order = self._collect_in_two_debits(renewal)
        amount = self._send_without_last_debit(renewal, order)
        self.assertFalse(renewal.charge_state)
        day = renewal.date_charge
        told = len(renewal.message_ids)
        self._charge(day)
        self.assertEqual(
            (renewal.charge_state, renewal.date_charge, renewal.amount_charge),
            ("announced", day + timedelta(days=10), amount),
        )
        self.assertGreater(len(renewal.message_ids), told)
        self._charge(renewal.date_charge)
        self._upload(renewal)
        self.assertTrue(renewal.is_paid)
        self.assertAlmostEqual(
            sum(self._get_debits(renewal).mapped("amount_currency")),
            renewal.invoice_id.amount_total,
        )

    def test_one_of_several_debits_of_a_shared_invoice_is_deleted(self):
        """The rest is in the queue, the payer is told, and it can be charged again."""
        renewals = self._announced_together(self._give_mandate, in_parts=True)
        order = self._collect_in_two_debits(renewals)
        mails = self.env_root["mail.mail"].search_count([])
        amount = self._send_without_last_debit(renewals, order)
        self.assertEqual(renewals.mapped("charge_state"), ["failed", "failed"])
        for renewal in renewals:
            self.assertIn("The rest has to be paid another way", renewal.charge_note)
            self.assertTrue(self._is_in_queue(renewal))
        self.assertEqual(self.env_root["mail.mail"].search_count([]), mails + 1)
        self._assert_told_rest(renewals, amount)
        day = renewals[0].date_charge + timedelta(days=20)
        self._charge(day)
        self.assertEqual(len(self._get_debits(renewals)), 1, "not by itself")
        with self._on(day):
            renewals[0].action_charge_again()
            self._let_leave()
        self.assertAlmostEqual(sum(renewals.mapped("amount_charge")), amount)
        self._charge(renewals[0].date_charge)
        self._upload(renewals[0])
        self.assertEqual(renewals.mapped("is_paid"), [True, True])
        self.assertEqual(len(self._get_debits(renewals)), 2)

    def _confirmed_in_one_payment(self):
        """Return two renewals that one payer pays by invoices of their own, that of somebody
        else, and the confirmed order, in which one payment is for the two"""
        payer = self._create_member("Family", is_company=True)
        payer.membri_group_invoices = True
        self._give_mandate(payer)
        members = [self._create_member(name, parent_id=payer.id) for name in ("Son", "Daughter")]
        renewals = self.env["membri.renewal"].union(
            *(
                self._create_renewal(self._create_cotisation(member, "2026-01-01"), mode="invoice")
                for member in members
            )
        )
        stranger = self._create_yearly()
        self._give_mandate(stranger.partner_id)
        other = self._create_renewal(stranger, mode="invoice")
        for renewal in renewals | other:
            renewal.action_approve()
        self._let_leave()
        day = other.date_charge
        self._charge(day)
        self.assertEqual(len(renewals.invoice_id), 2)
        self.assertEqual(set((renewals | other).mapped("charge_state")), {"pending"})
        order = self._get_order(other).with_env(self.env_account)
        with self._on(day):
            order.draft2open()
        self.assertEqual(len(order.payment_line_ids), 3)
        self.assertEqual(len(self._get_debits(renewals).payment_ids), 1)
        return renewals, other, order

    def _assert_told_and_queued(self, renewals, words):
        self.assertEqual(set(renewals.mapped("charge_state")), {"failed"})
        for renewal in renewals:
            self.assertIn(words, renewal.charge_note)
            self.assertTrue(self._is_in_queue(renewal))
            self.assertFalse(renewal.is_paid)
            self.assertFalse(renewal.date_charge_retry)
            self.assertEqual(
                len(renewal.message_ids.filtered(lambda m: "did not go" in (m.subject or ""))), 1
            )

    def test_payment_of_several_debits_is_deleted(self):
        """Before the file: the others go to the bank, both are told, and can be charged again."""
        renewals, other, order = self._confirmed_in_one_payment()
        day = other.date_charge
        with self._on(day):
            self._get_debits(renewals).payment_ids.with_env(self.env_account).unlink()
            order.open2generated()
            order.generated2uploaded()
        self.env.invalidate_all()
        self.assertEqual(order.payment_line_ids, self._get_debits(other))
        self.assertEqual((other.charge_state, other.is_paid), ("done", True))
        self._charge(day)
        self._assert_told_and_queued(renewals, "was taken off")
        with self._on(day + timedelta(days=1)):
            renewals.action_charge_again()
            self._let_leave()
        self._charge(renewals[0].date_charge)
        self._upload(renewals[0])
        self.assertEqual(renewals.mapped("is_paid"), [True, True])
        self.assertEqual([len(self._get_debits(renewal)) for renewal in renewals], [1, 1])

    def test_payment_of_several_debits_is_cancelled_or_deleted_after_the_file(self):
        """The bank may have the file: nothing is booked but what it asks for. Once the order is
        cancelled, everybody in it is told."""
        for how in ("unlink", "action_cancel"):
            with self.subTest(how):
                self.ibans = list(IBANS)
                renewals, other, order = self._confirmed_in_one_payment()
                day = other.date_charge
                with self._on(day):
                    order.open2generated()
                    getattr(
                        self._get_debits(renewals).payment_ids.with_env(self.env_account), how
                    )()
                    self.env.invalidate_all()
                    sentence = self._assert_refused(order.generated2uploaded)
                    self.assertIn("Family", sentence)
                    self.assertEqual(order.state, "generated")
                    self.assertEqual(set((renewals | other).mapped("charge_state")), {"pending"})
                    order.action_cancel()
                self.env.invalidate_all()
                self._charge(day)
                self._assert_told_and_queued(renewals | other, "was cancelled")
                self._charge(day + timedelta(days=30))
                self.assertEqual(len(self._get_debits(renewals | other)), 3, "not by itself")

    def test_payment_of_several_debits_comes_back(self):
        """By the bank, which may try it again, and as the accountant cancels it."""
        renewals, other, order = self._confirmed_in_one_payment()
        day = other.date_charge
        with self._on(day):
            order.open2generated()
            order.generated2uploaded()
        self.env.invalidate_all()
        self.assertEqual((renewals | other).mapped("is_paid"), [True, True, True])
        self._return(renewals[0], day + timedelta(days=3))
        self.assertEqual(set(renewals.mapped("charge_state")), {"failed"})
        self.assertEqual(set(renewals.mapped("date_charge_retry")), {day + timedelta(days=6)})
        self.assertEqual((other.charge_state, other.is_paid), ("done", True))
        for renewal in renewals:
            amount = renewal.currency_id.format(renewal.amount_charge)
            self.assertIn(f"The debit of {amount} from", renewal.charge_note)
            self.assertTrue(self._is_in_queue(renewal))
        self._charge(day + timedelta(days=6))
        self.assertEqual(len(self._get_debits(renewals)), 4)
        again = self._get_debits(renewals).order_id.filtered(lambda o: o.state == "draft")
        again = again.with_env(self.env_account)
        with self._on(day + timedelta(days=6)):
            again.draft2open()
            again.open2generated()
            again.generated2uploaded()
            self.env.invalidate_all()
            self.assertEqual(renewals.mapped("is_paid"), [True, True])
            payment = again.payment_ids
            payment.action_draft()
            payment.action_cancel()
        self.env.invalidate_all()
        self.assertEqual(renewals.mapped("is_paid"), [False, False])
        self.assertEqual(set(renewals.mapped("charge_state")), {"failed"})
        for renewal in renewals:
            self.assertIn("was rejected", renewal.charge_note)
            self.assertTrue(self._is_in_queue(renewal))

    def test_one_of_a_shared_invoice_is_stopped(self):
        """One debit collects for all of it: the others are collected without what was stopped."""
        renewals = self._announced_together(self._give_mandate)
        invoice = renewals.invoice_id
        self._charge(renewals[0].date_charge)
        stopped, other = renewals
        amount = other.amount_charge
        stopped.action_stop_charge()
        self.assertEqual(renewals.mapped("charge_state"), ["stopped", "announced"])
        self._charge(other.date_charge)
        self.assertEqual(renewals.mapped("charge_state"), ["stopped", "pending"])
        self.assertAlmostEqual(self._get_debits(other).amount_currency, amount)
        self._upload(other)
        self._charge(self._after(other, 1))
        self.assertEqual(renewals.mapped("charge_state"), ["stopped", "done"])
        self.assertAlmostEqual(invoice.amount_residual, invoice.amount_total - amount)
