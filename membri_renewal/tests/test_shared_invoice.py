from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from odoo.addons.mail.tests.common import MailCase

from .common_shared_invoice import SharedInvoiceCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestSharedInvoice(SharedInvoiceCommon, MailCase):
    """Issue 5.6: one invoice for several members who share a payer, when the payer wants it."""

    # ------------------------------------------------------------------
    # Who shares
    # ------------------------------------------------------------------

    def test_approved_together(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self.assertEqual(invoice.partner_id.id, self.payer.id)
        self.assertEqual(invoice.amount_total, 3 * 345.0)
        self.assertFalse(invoice.membri_renewal_id)
        self.assertEqual(invoice.sudo().membri_renewal_ids.ids, renewals.ids)
        self.assertIn("The memberships", invoice._membri_get_next_sentence(), "of all of them")
        self.assertEqual(invoice.sudo().membri_cotisation_ids, renewals.new_cotisation_id)
        for renewal in renewals:
            self.assertEqual(renewal.invoice_ids, renewal.invoice_id)
            line = renewal.new_cotisation_id._get_invoice_lines()
            self.assertEqual(line.price_total, 345.0)
            self.assertIn(renewal.partner_id.name, line.name)
        found = self.env["membri.renewal"].search([("invoice_ids", "in", invoice.ids)])
        self.assertEqual(found, renewals)

    def test_only_when_wanted(self):
        self.payer.membri_group_invoices = False
        renewals = self._prepare()
        renewals.action_approve()
        self.assertEqual(len(renewals.invoice_id), 3)
        for renewal in renewals:
            self.assertEqual(renewal.invoice_id.partner_id, renewal.partner_id)
            self.assertEqual(renewal.invoice_id.membri_renewal_id, renewal)

    def test_invoice_address_pays(self):
        """A family: the wish stands on the address that is invoiced."""
        family = self._create_member("The Roys")
        billing = self._create_member("Roy accounts", parent_id=family.id, type="invoice")
        billing.membri_group_invoices = True
        ana = self._create_member("Ana Roy", parent_id=family.id)
        renewals = self._prepare(family | ana)
        renewals.action_approve()
        self.assertEqual(self._get_invoice(renewals).partner_id.id, billing.id)

    def test_payer_who_is_a_member_too(self):
        renewals = self._prepare(self.payer | self.members[0])
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        texts = invoice.invoice_line_ids.mapped("name")
        self.assertEqual([text.count("Chain Ltd") for text in texts], [1, 1])

    def test_per_company(self):
        other = self._create_other_company("Other chapter", "UTC")
        self.assertFalse(self.payer.with_company(other).membri_group_invoices)

    def test_other_payers_and_currencies_apart(self):
        self.env_root.ref("base.EUR").active = True
        self.env_root["res.currency.rate"].create(
            {
                "currency_id": self.env_root.ref("base.EUR").id,
                "company_id": self.company.id,
                "name": "2026-01-01",
                "rate": 2.0,
            }
        )
        pricelist = self.env_root["product.pricelist"].create(
            {"name": "Euro", "currency_id": self.env_root.ref("base.EUR").id}
        )
        self.members[2].is_company = True  # with terms of its own
        self.members[2].sudo().property_product_pricelist = pricelist
        renewals = self._prepare(self.members | self.member)
        renewals.action_approve()
        self.assertEqual(len(renewals.invoice_id), 3)
        self.assertEqual(renewals[0].invoice_id, renewals[1].invoice_id)

    def test_one_more_later(self):
        """What is posted is not touched: the one who comes later gets another invoice."""
        renewals = self._prepare()
        renewals[:2].action_approve()
        first = self._get_invoice(renewals[:2])
        renewals[2].action_approve()
        self.assertNotEqual(renewals[2].invoice_id.id, first.id)
        self.assertEqual(first.amount_total, 690.0)
        self.assertEqual(renewals[2].invoice_id.membri_renewal_id, renewals[2])

    def test_enrolled_members_pay_at_the_payers(self):
        cotisation = self.members[0]._membri_enrol(self.yearly)
        self.assertEqual(cotisation.invoice_id.partner_id.id, self.payer.id)

    def test_sent_once(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self.assertTrue(invoice.sending_data)
        with self.mock_mail_gateway():
            self.env["account.move.send"].sudo()._generate_and_send_invoices(
                invoice.sudo(), from_cron=True
            )
        self.assertEqual(len(self._new_mails), 1)

    # ------------------------------------------------------------------
    # Batches
    # ------------------------------------------------------------------

    def test_bulk_batches_keep_payers_together(self):
        others = self._renewal_in("sent") | self._renewal_in("sent")
        mixed = self._prepare()
        selection = mixed[0] | others[0] | mixed[1] | others[1] | mixed[2]
        with patch("odoo.addons.membri_renewal.models.bulk_job.runner.BATCH", 3):
            selection.action_bulk("approve")
        self.assertEqual(set(selection.mapped("state")), {"approved"})
        self.assertEqual(self._get_invoice(mixed).amount_total, 1035.0)

    def test_the_night_keeps_payers_together(self):
        self._create_terms_that_end()
        with patch("odoo.addons.membri_renewal.models.renewal.generation.BATCH", 1):
            self._run_cron("ir_cron_generate")
        renewals = self.members.membri_renewal_ids
        self.assertEqual(len(renewals), 3)
        self.assertEqual(len(renewals.invoice_id), 1)

    # ------------------------------------------------------------------
    # One of them leaves
    # ------------------------------------------------------------------

    def test_reset_one_credits_its_lines(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        others = renewals[1:]
        renewals[0].action_reset()
        self.assertEqual(renewals[0].state, "draft")
        self.assertEqual(invoice.state, "posted")
        self.assertEqual(invoice.amount_residual, 690.0)
        credit_note = invoice.reversal_move_ids
        self.assertRecordValues(
            credit_note,
            [
                {
                    "state": "posted",
                    "amount_total": 345.0,
                    "amount_residual": 0.0,
                    "membri_invoice_type": "renewal",
                    "membri_renewal_id": renewals[0].id,
                }
            ],
        )
        self.assertEqual(set(renewals[0].invoice_ids.ids), {invoice.id, credit_note.id})
        self.assertEqual(others.new_cotisation_id.mapped("state"), ["pending"] * 2)
        self.assertEqual(set(others.mapped("state")), {"approved"})
        self._pay(invoice)
        self.assertEqual(others.new_cotisation_id.mapped("state"), ["scheduled"] * 2)
        self.assertEqual(set(others.mapped("is_paid")), {True})
        self.assertFalse(renewals[0].is_paid)

    def test_reset_one_after_the_other(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        for renewal in renewals:
            renewal.action_reset()
        self.assertEqual(invoice.amount_residual, 0.0)
        self.assertEqual(len(invoice.reversal_move_ids), 3)
        self.assertEqual(sum(invoice.reversal_move_ids.mapped("amount_total")), 1035.0)
        self.assertEqual(set(renewals.mapped("state")), {"draft"})
        renewals.action_approve()
        self.assertEqual(self._get_invoice(renewals).amount_residual, 1035.0)

    def test_reset_all_together_voids_the_invoice(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        renewals.action_reset()
        self.assertEqual(invoice.state, "cancel")
        self.assertFalse(invoice.reversal_move_ids)

    def test_reset_says_what_it_does(self):
        renewals = self._prepare()
        renewals.action_approve()
        wizard = self.env["membri.renewal.reset"].create({"renewal_id": renewals[0].id})
        self.assertIn("covers several members", wizard.consequences)
        self.assertFalse(wizard.obstacle)

    def test_cotisation_cancelled(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        renewals[0].new_cotisation_id.action_cancel()
        self.assertEqual(renewals[0].state, "intervention")
        self.assertEqual(invoice.amount_residual, 690.0)
        self.assertEqual(renewals[1:].new_cotisation_id.mapped("state"), ["pending"] * 2)

    def test_credited_in_invoicing(self):
        """The accountant credits one member's line: the others go on."""
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self._pay(invoice)
        self.assertEqual(renewals.new_cotisation_id.mapped("state"), ["scheduled"] * 3)
        credit_note = invoice._reverse_moves([{"invoice_date": "2026-11-15"}])
        gone = renewals[0].new_cotisation_id
        credit_note.invoice_line_ids.filtered(
            lambda line: line.membri_cotisation_id != gone
        ).unlink()
        credit_note.action_post()
        self.assertEqual(gone.state, "cancelled")
        self.assertEqual(renewals[1:].new_cotisation_id.mapped("state"), ["scheduled"] * 2)

    # ------------------------------------------------------------------
    # Money
    # ------------------------------------------------------------------

    def test_full_payment_activates_all(self):
        renewals = self._prepare()
        renewals.action_approve()
        self._pay(self._get_invoice(renewals))
        self.assertEqual(renewals.new_cotisation_id.mapped("state"), ["scheduled"] * 3)

    def test_members_in_one_sentence(self):
        """Issue 12, B4: a comma between names, none in a name."""
        renewals = self._prepare()
        renewals.action_approve()
        sentence = renewals.new_cotisation_id._membri_get_paid_sentence()
        self.assertIn("(Branch 1, Branch 2, Branch 3)", sentence)
        self.assertEqual(
            self._get_invoice(renewals)._membri_get_members()._membri_get_names(),
            "Branch 1, Branch 2, Branch 3",
        )

    def test_part_payment_activates_none(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self._pay(invoice, 345.0)
        self.assertEqual(renewals.new_cotisation_id.mapped("state"), ["pending"] * 3)
        self.assertIn("has a payment", self._assert_refused(renewals[0].action_reset))
        self.assertEqual(invoice.amount_residual, 690.0)
        self._pay(invoice, 690.0)
        self.assertEqual(renewals.new_cotisation_id.mapped("state"), ["scheduled"] * 3)

    # ------------------------------------------------------------------
    # Fee notices
    # ------------------------------------------------------------------

    def test_shared_fee_notice(self):
        self.company.membri_fee_notice = True
        renewals = self._prepare()
        renewals.action_approve()
        notice = self._get_invoice(renewals)
        self.assertEqual(notice.membri_fee_notice_state, "open")
        renewals[0].action_reset()
        self.assertEqual(notice.membri_fee_notice_state, "open")
        self.assertEqual(notice.amount_total, 690.0)
        self.assertTrue(notice.membri_fee_notice_to_send, "what is left is asked for anew")
        renewals[1].action_reset()
        renewals[2].action_reset()
        self.assertEqual(notice.membri_fee_notice_state, "void")

    # ------------------------------------------------------------------
    # What members see of each other, and reminders
    # ------------------------------------------------------------------

    def test_members_do_not_see_each_other(self):
        renewals = self._prepare()
        renewals.action_approve()
        renewal = renewals[0]
        self.assertFalse(renewal._get_invoice_path())
        self.assertFalse(renewal._can_pay_online())
        sentences = " ".join(renewal._get_portal_sentences())
        self.assertIn("Chain Ltd", sentences)
        self.assertIn("345", sentences)
        self.assertNotIn("1,035", sentences)
        self.assertNotIn("Branch 2", sentences)

    def test_reminder_goes_to_the_payer_once(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        invoice.sudo().sending_data = False
        with self.mock_mail_gateway():
            renewals.action_send_reminder()
        self.assertFalse(self._get_notices(self._new_mails), "members get nothing")
        self.assertTrue(invoice.sending_data)
        self.assertEqual(renewals.mapped("reminder_count"), [1, 1, 1])
