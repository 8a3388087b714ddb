from contextlib import nullcontext
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from .common_payments import MembriPaymentCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestPayments(MembriPaymentCommon):
    """specification §5.6, cases “Invoices and payments”: the membership follows the money, both
    ways, at once where a hook sees it and at night where none does."""

    # ------------------------------------------------------------------
    # Paid, and unpaid again
    # ------------------------------------------------------------------

    def test_register_payment(self):
        """Booked in each of the ways that Odoo knows, also without journal entry."""
        for kind in ("outstanding", "bank", "none"):
            synchronised = kind == "none"
            with (
                self.subTest(payment_account=kind),
                self._patch_bank_synchronisation() if synchronised else nullcontext(),
            ):
                self._set_payment_account(kind)
                renewal = self._renewal_in("approved")
                payment = self._pay(renewal.invoice_id)
                self.assertEqual(bool(payment.move_id), kind != "none")
                self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
                self.assertTrue(renewal.is_paid)
                payment.action_draft()
                payment.action_cancel()
                self.assertEqual(renewal.new_cotisation_id.state, "pending")
                self.assertFalse(renewal.is_paid)
                self._pay(renewal.invoice_id)
                self.assertEqual(renewal.new_cotisation_id.state, "scheduled")

    def test_payment_cancelled_or_rejected_directly(self):
        for kind, undo in (
            ("outstanding", "action_cancel"),
            ("none", "action_cancel"),
            ("none", "action_reject"),
        ):
            synchronised = kind == "none"
            with (
                self.subTest(payment_account=kind, undo=undo),
                self._patch_bank_synchronisation() if synchronised else nullcontext(),
            ):
                self._set_payment_account(kind)
                renewal = self._renewal_in("approved")
                payment = self._pay(renewal.invoice_id)
                self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
                getattr(payment, undo)()
                self.assertEqual(renewal.new_cotisation_id.state, "pending")

    def test_payment_deleted(self):
        for kind in ("outstanding", "none"):
            synchronised = kind == "none"
            with (
                self.subTest(payment_account=kind),
                self._patch_bank_synchronisation() if synchronised else nullcontext(),
            ):
                self._set_payment_account(kind)
                renewal = self._renewal_in("approved")
                payment = self._pay(renewal.invoice_id)
                self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
                payment.unlink()
                self.assertEqual(renewal.new_cotisation_id.state, "pending")

    def test_bank_statement(self):
        line = self._pay_by_bank(self.invoice, 344.93)
        self._assert_paid()
        line.action_undo_reconciliation()
        self._assert_unpaid()

    def test_two_parts(self):
        """Case: two part payments activate once, at full."""
        self._pay(self.invoice, 100.0)
        self._assert_unpaid("partial")
        self._pay(self.invoice, 244.93)
        self._assert_paid()
        told = [
            message
            for message in self.renewal.partner_id.message_ids
            if "is now “Upcoming”" in message.body
        ]
        self.assertEqual(len(told), 1)

    def test_unreconciled_again(self):
        self._pay(self.invoice)
        self._assert_paid()
        self.invoice.line_ids.remove_move_reconcile()
        self._assert_unpaid()

    def test_active_member_whose_payment_bounces(self):
        """Active → pending, and active again with the new payment; nothing is lost."""
        payment = self._pay(self.invoice)
        with freeze_time("2027-01-05 12:00:00"):
            self._run_cron("ir_cron_update_states")
            self._assert_paid("active")
            payment.action_draft()
            payment.action_cancel()
            self._assert_unpaid()
            self.assertEqual(self.renewal.partner_id.membri_status, "in_renewal")
            self._pay(self.invoice)
            self._assert_paid("active")
            self.assertEqual(self.renewal.partner_id.membri_status, "active")
        self.assertEqual(self.cotisation.date_end.isoformat(), "2027-12-31")

    def test_draft_and_posted_again(self):
        self._pay(self.invoice)
        self.invoice.button_draft()
        self.assertEqual(self.cotisation.state, "pending")
        self.assertFalse(self.renewal.is_paid, "whatever the payment state of a draft says")
        self.assertEqual(self.renewal.state, "approved")
        self.invoice.action_post()
        if self.invoice.payment_state == "not_paid":
            self._pay(self.invoice)
        self._assert_paid()

    def test_pay_later_leaves_an_active_member_active(self):
        """Case: an unpaid next term changes nothing about the current one."""
        self.assertEqual(self.renewal.partner_id.membri_status, "active")
        self.assertTrue(self.renewal.partner_id.membri_is_member)
        self.assertEqual(self.renewal.cotisation_id.state, "active")

    def test_paid_in_the_night_shifts_no_date(self):
        """Case: a payment at 00:30 local time shifts no date."""
        with freeze_time("2027-01-01 05:30:00"):  # 00:30 in Toronto
            self._pay(self.invoice)
            self._assert_paid("active")
        self.assertEqual(self.cotisation.date_start.isoformat(), "2027-01-01")
        self.assertEqual(self.cotisation.date_end.isoformat(), "2027-12-31")

    def test_abandoned_online_payment_extends_nothing(self):
        """Case: failed, abandoned or cancelled: a new try is possible."""
        for state in ("pending", "cancel", "error"):
            self._create_transaction(self.invoice, state)
            self._run_cron("ir_cron_update_states")
            self._assert_unpaid()
        self._pay(self.invoice)
        self._assert_paid()

    def test_online_payment(self):
        """The page of the provider says “done”: Odoo makes the payment, we follow it."""
        transaction = self._create_transaction(self.invoice, "done")
        journal = self.company_data["default_journal_bank"].with_env(self.env_root)
        with self.mocked_get_payment_method_information():
            self.env_root["account.payment.method"].create(
                {"name": "Card", "code": "none", "payment_type": "inbound"}
            )
            transaction.provider_id.journal_id = journal
            transaction._post_process()
        self.assertEqual(transaction.payment_id.amount, 344.93)
        self._assert_paid()

    def test_company_currency_is_not_the_only_one(self):
        euro = self.env_root.ref("base.EUR")
        euro.active = True
        euro.rate_ids.unlink()
        self.env_root["res.currency.rate"].create(
            {
                "currency_id": euro.id,
                "company_id": self.company.id,
                "name": "2020-01-01",
                "company_rate": 2.0,
            }
        )
        pricelist = self.env_root["product.pricelist"].create(
            {"name": "Europe", "currency_id": euro.id, "company_id": self.company.id}
        )
        member = self._create_member("Emmy Noether", property_product_pricelist=pricelist.id)
        renewal = self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        renewal.action_approve()
        self.assertRecordValues(
            renewal.invoice_id,
            [{"currency_id": euro.id, "amount_untaxed": 600.0, "amount_total_signed": 344.93}],
        )
        self._pay(renewal.invoice_id, 300.0)
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self._pay(renewal.invoice_id)
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")

    # ------------------------------------------------------------------
    # One invoice for several members
    # ------------------------------------------------------------------

    def test_one_invoice_for_two_members(self):
        """The invoice line is the truth: crediting one member's line voids one term."""
        cotisations = self.env["membri.cotisation"].union(
            *(
                self._create_cotisation(
                    self._create_member(name),
                    "2027-01-01",
                    state="pending",
                    line_ids=[
                        fields.Command.create({"product_id": self.product.id, "price_unit": price})
                    ],
                )
                for name, price in (("Ann", 100.0), ("Bob", 200.0))
            )
        )
        invoice = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.member.id,
                "invoice_date": "2026-11-15",
                "invoice_line_ids": [
                    fields.Command.create(
                        {
                            "product_id": self.product.id,
                            "price_unit": cotisation.amount_untaxed,
                            "tax_ids": False,
                            "membri_cotisation_id": cotisation.id,
                        }
                    )
                    for cotisation in cotisations
                ],
            }
        )
        cotisations.with_env(self.env_root).write({"invoice_id": invoice.id})
        invoice.action_post()
        self._pay(invoice)
        self.assertEqual(cotisations.mapped("state"), ["scheduled", "scheduled"])
        credit_note = invoice._reverse_moves([{"date": "2026-11-15", "invoice_date": "2026-11-15"}])
        credit_note.invoice_line_ids[1:].unlink()
        credit_note.action_post()
        self.assertEqual(cotisations.mapped("state"), ["cancelled", "scheduled"])

    # ------------------------------------------------------------------
    # What no hook sees
    # ------------------------------------------------------------------

    def _set_payment_state(self, value):
        self.env.flush_all()
        for table in ("account_move", "membri_cotisation", "membri_renewal"):
            column = "id" if table == "account_move" else "invoice_id"
            self.env.cr.execute(
                f"UPDATE {table} SET payment_state = %s WHERE {column} = %s",
                [value, self.invoice.id],
            )
        self.env.invalidate_all()

    def test_the_night_corrects_what_no_hook_saw(self):
        self._set_payment_state("paid")
        self.assertEqual(self.cotisation.state, "pending")
        self._run_cron("ir_cron_update_states")
        self.assertEqual(self.cotisation.state, "scheduled")
        self._set_payment_state("not_paid")
        self._run_cron("ir_cron_update_states")
        self.assertEqual(self.cotisation.state, "pending")
        self._set_payment_state("reversed")
        self._run_cron("ir_cron_update_states")
        self._assert_void()

    def test_the_night_corrects_what_a_failing_hook_left(self):
        with patch.object(type(self.invoice), "_membri_sync", lambda moves: None):
            self._pay(self.invoice)
            self.assertEqual(self.cotisation.state, "pending")
        self._run_cron("ir_cron_update_states")
        self._assert_paid()
        with patch.object(type(self.invoice), "_membri_sync", lambda moves: None):
            self._credit(self.invoice)
            self.assertEqual(self.cotisation.state, "scheduled")
        self._run_cron("ir_cron_update_states")
        self._assert_void()

    def test_the_night_touches_no_invoice_line(self):
        """Case: a status run touches no invoice line."""
        self._set_payment_state("paid")
        lines = self.invoice.line_ids.sudo()
        before = lines.read()
        with freeze_time("2027-01-02 12:00:00"):
            self._run_cron("ir_cron_update_states")
        self.assertEqual(lines.read(), before)
        self.assertEqual(self.cotisation.state, "active")

    def test_chatter_tells_what_the_money_did(self):
        member = self.renewal.partner_id
        self._pay(self.invoice)
        self.assertIn("is now “Upcoming”", member.message_ids[0].body)
        self.assertIn(self.cotisation.name, member.message_ids[0].body)
        self.assertIn("344.93", member.message_ids[0].body)
        self.invoice.line_ids.remove_move_reconcile()
        self.assertIn("is now “Pending”", member.message_ids[0].body)
