from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common_delivery import OneDeliveryCase
from .common_payments import MembriPaymentCommon
from .common_shared_invoice import SharedInvoiceCommon


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestAccountantMonth(MembriPaymentCommon):
    """Issue 12: what an accountant met who booked a month and took things back."""

    def test_a1_draft_payment_is_no_money(self):
        """Odoo says *in payment* after the first payment without entry, be it for a part; one
        that is a draft does not make it whole."""
        self._run_cron("ir_cron_update_states")
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            part = self._pay(self.invoice, 100.0)
            draft = self.env_account["account.payment"].create(
                {
                    "amount": 244.93,
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": self.invoice.partner_id.id,
                    "journal_id": part.journal_id.id,
                    "invoice_ids": [Command.set(self.invoice.ids)],
                }
            )
            self.assertEqual((part.state, draft.state), ("in_process", "draft"))
            self.assertEqual(self.invoice.payment_state, "in_payment")
            self.assertFalse(self.invoice._membri_is_paid())
            self.assertFalse(self.invoice._membri_has_receipt())
            self.assertEqual(self.invoice._membri_get_received(), 100.0)
            self.assertTrue(self.invoice._membri_is_money_under_way())
            self._assert_follows("pending")
            draft.action_post()
            self._assert_follows("active")
            self.assertEqual(self.invoice._membri_get_received(), 344.93)

    def test_b5_announced_rest_after_a_part(self):
        """What came before is not what was announced."""
        self._pay(self.invoice, 300.0)
        told = {"method": "cheque", "date": "2027-01-14", "amount": "44.93", "reference": "12"}
        move = self.invoice.sudo()
        self.assertFalse(move._membri_report_payment(self.env["res.partner"], told))
        self.assertFalse(move._membri_has_reported_money())
        self._pay(self.invoice, 10.0)
        self.assertTrue(move.membri_date_reported)
        self._pay(self.invoice)
        self.assertFalse(move.membri_date_reported)

    def test_b5_announced_more_than_the_fee_notice(self):
        """As on invoices, more than is due is not proposed."""
        self.company.with_env(self.env_root).membri_fee_notice = True
        for told, proposed in (("1000", 344.93), ("100", 100.0)):
            self._follow(self._renewal_in("approved"))
            self.invoice.sudo()._membri_report_payment(
                self.env["res.partner"],
                {"method": "cheque", "date": "2027-01-14", "amount": told},
            )
            action = self.invoice.action_membri_register_fee_notice_payment()
            wizard = self.env_account[action["res_model"]].browse(action["res_id"])
            self.assertEqual(wizard.amount, proposed)

    def test_b2_write_off_of_a_term_that_is_void_asks_nothing(self):
        """Credited before the officer has answered: the question goes away with the term."""
        self._run_cron("ir_cron_update_states")
        self._register_payment(
            self.invoice,
            amount=200.0,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.company_data["default_account_expense"].id,
        )
        self.assertEqual(self.invoice.membri_write_off_state, "to_decide")
        self._credit(self.invoice)
        self.assertEqual(self.cotisation.state, "cancelled")
        self.assertFalse(self.invoice.membri_write_off_state)
        activity_type = self.env.ref("membri_renewal.activity_write_off")
        self.assertNotIn(activity_type, self.invoice.sudo().activity_ids.activity_type_id)


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestReceiptThatWaited(MembriPaymentCommon, OneDeliveryCase):
    def test_b1_given_back_before_the_receipt_leaves(self):
        """The invoice is still paid, but part of the money is not there any more."""
        self._run_cron("ir_cron_update_states")
        self._run_sending()
        payment = self._pay(self.invoice)
        self._run_cron("ir_cron_send_receipts")
        mails = self._get_invoice_mails(self.invoice).filtered(lambda m: m.membri_kind == "receipt")
        credit_note = self._credit(self.invoice, price=100.0)
        self._pay(credit_note)
        self.assertEqual(self.invoice.payment_state, "paid", payment.name)
        [message] = self._run_sending()
        body = message.get_body(("html",)).get_content()
        self.assertEqual(set(mails.mapped("state")), {"cancel"})
        self.assertIn("229.95", body)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestTakeOffSeveral(SharedInvoiceCommon):
    def test_a1_two_at_once_when_one_is_left(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self._pay(invoice, 690.0)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            renewals[1:].action_take_off()
        self.assertFalse(invoice.reversal_move_ids)
        renewals[2].action_take_off()
        self.assertEqual(invoice.payment_state, "paid")
