from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import html2plaintext

from .common_shared_invoice import SharedInvoiceCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestB6SharedBefore(SharedInvoiceCommon):
    """Issue 12, B6: that it will be one invoice, to whom, for how much, is said before."""

    def _say(self, renewals):
        opened = renewals.action_ask_bulk("approve")
        wizard = self.env[opened["res_model"]].browse(opened["res_id"])
        return " ".join(html2plaintext(wizard.explanation).replace("\xa0", " ").split())

    def test_b6_the_window_says_one_invoice_to_whom_and_how_much(self):
        """10.03 plus 15 % is 11.53 each and 34.60 in all where taxes are rounded on the whole."""
        self.company.with_env(self.env_root).tax_calculation_rounding_method = "round_globally"
        self.product.lst_price = 10.03
        alone = self._create_renewal(self._create_yearly())
        renewals = self._prepare()
        said = self._say(renewals | alone)
        self.assertIn("Chain Ltd will receive one invoice for 3 members: $ 34.60.", said)
        renewals.action_approve()
        self.assertEqual(self._get_invoice(renewals).amount_total, 34.60)

    def test_b6_fee_notices_too(self):
        self.company.with_env(self.env_root).membri_fee_notice = True
        said = self._say(self._prepare())
        self.assertIn("Chain Ltd will receive one fee notice for 3 members: $ 1,035.00.", said)

    def test_b6_names_read_as_one_name_each(self):
        """“Chain inc., Ada” reads as two members, and “inc..” as a slip."""
        self.payer.name = "Chain inc."
        renewals = self._prepare()
        self.assertEqual(
            set(renewals.mapped(lambda renewal: renewal._get_invoice_sentence())),
            {"Once you accept, we will send an invoice to Chain inc."},
        )
        renewals.action_approve()
        told = [name for name, _term in self._get_invoice(renewals)._membri_get_terms_in_words()]
        self.assertCountEqual(told, ["Branch 1", "Branch 2", "Branch 3"])
        renewals[0].action_take_off()
        self.assertEqual(renewals[0].state, "intervention")
        self.assertTrue(renewals[0].intervention_reason.startswith("Branch 1 was removed"))

    def test_b6_many_members_leave_what_is_due_on_the_screen(self):
        """Seventy rows of members stood above the amount, on a telephone."""
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self.assertFalse(invoice._membri_get_many_members_label())
        labels = [label for label, _value in invoice._membri_get_mail_rows()]
        self.assertEqual(labels[1:4], ["Branch 1", "Branch 2", "Branch 3"])
        with patch("odoo.addons.membri_renewal.models.invoice.page.MOST_MEMBERS", 2):
            self.assertIn("3", invoice._membri_get_many_members_label())
            rows = invoice._membri_get_mail_rows()
            self.assertEqual(rows[1], ("Members", "3"))
            self.assertEqual([label for label, _value in rows[2:4]], ["Membership", "Total"])

    def test_b6_resetting_one_says_who_has_the_invoice(self):
        """The payer, and not the member, was sent it, and is to be told."""
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        invoice.sudo().membri_date_sent = "2026-11-15 12:00:00"
        wizard = self.env["membri.renewal.reset"].create({"renewal_id": renewals[0].id})
        said = html2plaintext(wizard.consequences)
        self.assertIn("(Chain Ltd)", said)
        self.assertNotIn("sent to the member", said)

    def test_b6_nothing_is_said_of_those_who_are_billed_alone(self):
        self.payer.membri_group_invoices = False
        self.assertNotIn("Chain Ltd", self._say(self._prepare()))

    def test_b6_the_form_says_who_is_billed(self):
        renewal = self._prepare(self.members[0])
        self.assertIn("Chain Ltd will be invoiced", renewal.approval_remark)
        renewal.action_approve()
        self.assertFalse(renewal.approval_remark)

    def test_b6_the_page_and_the_notice_say_who_is_billed(self):
        """Before accepting: who pays is told that it is sent to them, the others to whom."""
        for renewal in self._prepare():
            told_to_payer = renewal.recipient_id == self.payer
            for sentence in (
                renewal._get_acceptance_sentence(),
                renewal._get_invoice_sentence(),
            ):
                self.assertEqual("Chain Ltd" in sentence, not told_to_payer, sentence)
            renewal.with_env(self.env_root)._as_internal().recipient_id = renewal.partner_id
            self.assertIn("Chain Ltd", renewal._get_acceptance_sentence())
        alone = self._create_renewal(self._create_yearly())
        self.assertNotIn(alone.partner_id.name, alone._get_acceptance_sentence())

    def test_b6_members_page_says_that_the_payer_was_sent_it(self):
        renewals = self._prepare()
        renewals.action_approve()
        for renewal in renewals:
            said = " ".join(renewal._get_portal_sentences())
            self.assertIn("addressed to Chain Ltd", said)
            page = str(
                self.env["ir.qweb"]._render(
                    "membri_renewal.portal_renewal_payment", {"renewal": renewal.sudo()}
                )
            )
            self.assertNotIn("sent to you", page)
