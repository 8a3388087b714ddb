import base64
import io

from freezegun import freeze_time
from PIL import Image

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import MembriCommon
from .common_payments import MembriPaymentCommon
from .common_shared_invoice import SharedInvoiceCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestMoneyHostile(MembriPaymentCommon):
    """What accountants do that nobody planned for."""

    # ------------------------------------------------------------------
    # Payments without journal entry
    # ------------------------------------------------------------------

    def test_part_that_the_bank_has_confirmed_counts_once(self):
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            first = self._pay(self.invoice, 100.0)
            self._pay_by_bank(self.invoice, 100.0)
            self.assertEqual(first.state, "paid")
            self.assertEqual(self.invoice.payment_state, "partial")
            second = self._pay(self.invoice, 150.0)
            self.assertEqual(self.invoice.payment_state, "in_payment")
            self.assertEqual(self.cotisation.state, "pending", "94.93 $ are still missing")
            self.assertFalse(self.renewal.is_paid)
            third = self._pay(self.invoice, 94.93)
            self.assertEqual(self.cotisation.state, "scheduled")
            third.action_cancel()
            self.assertEqual(self.invoice.payment_state, "in_payment")
            self.assertEqual(self.cotisation.state, "pending", "taken back")
            second.action_cancel()
            self.assertEqual(self.cotisation.state, "pending")

    def test_member_is_not_told_that_a_part_is_all(self):
        self._set_payment_account("none")
        invoice_sudo = self.invoice.sudo()
        with self._patch_bank_synchronisation():
            self._pay(self.invoice, 100.0)
            self.assertEqual(
                invoice_sudo._membri_get_portal_status(), ("warning", "Partially paid")
            )
            self.assertFalse(invoice_sudo._membri_has_receipt())
            self._pay(self.invoice, 244.93)
            self.assertEqual(invoice_sudo._membri_get_portal_status(), ("success", "Paid in full"))
            self.assertTrue(invoice_sudo._membri_has_receipt())

    # ------------------------------------------------------------------
    # Reset of what was paid already (guide §2): the money stays, as the payer's credit
    # ------------------------------------------------------------------

    def _get_credits(self, invoice):
        widget = invoice.invoice_outstanding_credits_debits_widget or {"content": []}
        return [(line["amount"], line["id"]) for line in widget["content"]]

    def _reset_with_price(self, price):
        """Take the payment off the invoice, reset, change the price, approve again.

        :return: the new invoice"""
        self.assertIn("has a payment", self._assert_refused(self.renewal.action_reset))
        self.invoice.line_ids.remove_move_reconcile()
        self.assertEqual(self.cotisation.state, "pending")
        self.renewal.action_reset()
        self.assertEqual(self.invoice.state, "cancel")
        self.renewal.line_ids.price_unit = price
        self.renewal.action_approve()
        self._follow(self.renewal)
        return self.invoice

    def test_money_comes_along_to_a_dearer_invoice(self):
        self._pay(self.invoice)
        invoice = self._reset_with_price(400.0)
        ((amount, line_id),) = self._get_credits(invoice)
        self.assertEqual(amount, 344.93)
        invoice.js_assign_outstanding_line(line_id)
        self._assert_unpaid("partial")
        self.assertAlmostEqual(invoice.amount_residual, 459.9 - 344.93)
        self._pay(invoice, invoice.amount_residual)
        self._assert_paid()

    def test_money_comes_along_to_a_cheaper_invoice(self):
        payment = self._pay(self.invoice)
        invoice = self._reset_with_price(200.0)
        ((_amount, line_id),) = self._get_credits(invoice)
        invoice.js_assign_outstanding_line(line_id)
        self._assert_paid()
        left = payment.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        ).amount_residual
        self.assertAlmostEqual(left, -(344.93 - invoice.amount_total))

    # ------------------------------------------------------------------
    # By hand
    # ------------------------------------------------------------------

    def test_draft_and_posted_again_by_hand(self):
        self._pay(self.invoice)
        self.invoice.button_draft()
        self._assert_unpaid(self.invoice.payment_state)
        self.invoice.action_post()
        self.assertEqual(self.renewal.invoice_id.id, self.invoice.id)
        self.assertIn(self.cotisation.state, ("pending", "scheduled"))

    def test_options_swapped_at_the_same_price(self):
        other = self._create_option("Membership, on paper", 300.0)
        self.assertFalse(self.cotisation.invoice_remark)
        with Form(self.cotisation) as form, form.line_ids.edit(0) as line:
            line.product_id = other
        self.assertEqual(self.cotisation.line_ids.product_id, other)
        remark = self.cotisation.invoice_remark
        self.assertIn(self.invoice.name, remark)
        self.assertIn("Membership.", remark)
        self.assertIn("“Reset”", remark)
        self.assertEqual(self.invoice.invoice_line_ids.product_id.id, self.product.id)
        self.renewal.action_reset()
        self.assertFalse(self.cotisation.invoice_remark, "it is cancelled")
        self.renewal.line_ids.product_id = other
        self.renewal.line_ids.name = other.name
        self.renewal.action_approve()
        self._follow(self.renewal)
        self.assertFalse(self.cotisation.invoice_remark)
        self.assertIn("on paper", self.invoice.invoice_line_ids.name)

    # ------------------------------------------------------------------
    # Odd amounts
    # ------------------------------------------------------------------

    def test_discount_as_large_as_the_price(self):
        renewal = self._renewal_in("change_requested")
        self._add_discount(renewal, 300.0)
        renewal.action_approve()
        self.assertEqual(renewal.amount_total, 0.0)
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")

    def test_discount_larger_than_the_price(self):
        renewal = self._renewal_in("change_requested")
        self._add_discount(renewal, 350.0)
        sentence = self._assert_refused_and_rolled_back(renewal.action_approve)
        self.assertIn(renewal.name, sentence)
        self.assertEqual(renewal.state, "change_requested")

    def _add_discount(self, renewal, amount):
        """A line of minus ``amount``, with the taxes of the option."""
        renewal.line_ids = [
            fields.Command.create(
                {
                    "product_id": self.extra.id,
                    "price_unit": -amount,
                    "tax_ids": [fields.Command.set(renewal.line_ids.tax_ids.ids)],
                }
            )
        ]

    def _assert_refused_and_rolled_back(self, call):
        try:
            with self.env.cr.savepoint():
                call()
        except UserError as error:
            return str(error)
        return self.fail("a UserError was expected")

    # ------------------------------------------------------------------
    # Books that are not in order
    # ------------------------------------------------------------------

    def test_sales_journals_archived(self):
        renewal = self._renewal_in("sent")
        journals = self.env_root["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        )
        journals.active = False
        sentence = self._assert_refused_and_rolled_back(renewal.action_approve)
        self.assertIn("has no sales journal", sentence)
        self.assertIn(renewal.partner_id.name, sentence)
        self.assertEqual(renewal.state, "sent")

    def test_archived_member_pays(self):
        self.renewal.partner_id.sudo().active = False
        self._pay(self.invoice)
        self._assert_paid()

    def test_deleted_draft_of_nobody(self):
        self.renewal.action_reset()
        self.assertEqual(self.invoice.state, "cancel")
        self.invoice.button_draft()
        self.assertFalse(self.renewal.invoice_id)
        self.assertEqual(self.cotisation.state, "cancelled")
        self.invoice.action_post()
        self.assertEqual(self.cotisation.state, "cancelled")
        self.assertEqual(self.renewal.state, "draft")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestSharedInvoiceReversed(SharedInvoiceCommon):
    """*Reverse* on an invoice that one of its members has left."""

    def test_who_was_credited_is_not_credited_again(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        renewals[0].action_reset()
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        credit_note = self.env_account["account.move"].browse(wizard.reverse_moves()["res_id"])
        self.assertEqual(credit_note.amount_total, 690.0)
        self.assertEqual(
            credit_note.invoice_line_ids.sudo().membri_cotisation_id.ids,
            renewals[1:].new_cotisation_id.ids,
        )
        credit_note.action_post()
        self.assertEqual(invoice.amount_residual, 0.0)
        self.assertEqual(credit_note.amount_residual, 0.0)
        self.assertEqual(set(renewals[1:].mapped("state")), {"intervention"})
        self.assertEqual(renewals[0].state, "draft")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestBranchPayment(MembriCommon):
    """A branch has no journals of its own: it sells and is paid on those of its parent."""

    def test_branch_without_a_logo_shows_its_parents(self):
        """On pages, in emails and on paper; its own where it has one."""

        def draw(color):
            content = io.BytesIO()
            Image.new("RGB", (60, 20), color).save(content, "PNG")
            return base64.b64encode(content.getvalue())

        company = self.company.with_env(self.env_root)
        company.logo = draw("red")
        Company = self.env_root["res.company"]
        plain = Company.create({"name": "Plain Branch", "parent_id": company.id})
        below = Company.create({"name": "Below It", "parent_id": plain.id})
        own = Company.create({"name": "Own Branch", "parent_id": company.id, "logo": draw("green")})
        branches = plain | below
        self.assertEqual(branches.mapped("logo"), [company.logo] * 2)
        self.assertEqual(branches.mapped("logo_web"), [company.logo_web] * 2)
        self.assertEqual(branches.mapped("uses_default_logo"), [False, False])
        company.partner_id.image_1920 = draw("blue")
        self.assertEqual(branches.mapped("logo"), [company.logo] * 2)
        self.assertNotIn(own.logo, (company.logo, Company._get_logo()))
        branches.write({"logo": Company._get_logo()})
        Company._membri_share_logos()
        self.assertEqual(branches.mapped("logo"), [company.logo] * 2, "those of before")

    def test_branch_is_paid_on_a_journal_of_its_parent(self):
        branch = self.env_root["res.company"].create(
            {
                "name": "Northern branch",
                "parent_id": self.company.id,
                "country_id": self.company.account_fiscal_country_id.id,
                "membri_fee_notice": True,
            }
        )
        self.env_root.cr.precommit.run()  # the accounts of its parent
        (self.officer | self.env_account.user).sudo().company_ids += branch
        env = self.env(context={"allowed_company_ids": [branch.id, self.company.id]})
        option_set = self.yearly.sudo().copy({"company_id": branch.id}).with_env(env)
        cotisation = env["membri.cotisation"].create(
            {
                "partner_id": self.member.id,
                "company_id": branch.id,
                "option_set_id": option_set.id,
                "date_start": "2026-01-01",
                "state": "active",
            }
        )
        renewal = env["membri.renewal"].create({"cotisation_id": cotisation.id})
        renewal.action_approve()
        notice = renewal.invoice_id.with_env(
            self.env_account(context={"allowed_company_ids": branch.ids})
        )
        self.assertEqual(notice.membri_fee_notice_state, "open")
        action = notice.action_membri_register_fee_notice_payment()
        wizard = notice.env[action["res_model"]].browse(action["res_id"])
        bank = self.company_data["default_journal_bank"]
        self.assertEqual(wizard.journal_id.company_id, self.company)
        with Form(wizard) as form:
            form.journal_id = bank.with_env(notice.env)
        wizard.action_confirm()
        self.assertEqual(notice.matched_payment_ids.journal_id.id, bank.id)
        self.assertTrue(renewal.is_paid)
