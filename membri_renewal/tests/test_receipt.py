import base64

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import fields
from odoo.tests import tagged
from odoo.tools import file_open, mute_logger

from .common_paper import LAYOUTS
from .common_write_off import WriteOffCase


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestReceipt(WriteOffCase):
    """Issue 12 B2: a receipt certifies money that came, and nothing else."""

    def _get_lines(self, invoice=None):
        return [
            (fields.Date.to_string(line["date"]), line["label"], line["number"], line["amount"])
            for line in (invoice or self.invoice)._membri_get_receipt_lines()
        ]

    def _render(self, invoice=None):
        report = self.env_root["ir.actions.report"]._render_qweb_html(
            "membri_renewal.report_membership_receipt", (invoice or self.invoice).ids
        )[0]
        return report.decode()

    def _refund(self, credit_note, **vals):
        return self._register_payment(credit_note, **vals)

    # ------------------------------------------------------------------
    # What it certifies
    # ------------------------------------------------------------------

    def test_day_method_and_number_of_several_payments(self):
        line = self.company_data["default_journal_bank"].inbound_payment_method_line_ids[0]
        line.name = "Check"
        with freeze_time("2027-01-16 15:00:00"):
            first = self._pay(self.invoice, 100.0)
            first.payment_reference = "1234"
        with freeze_time("2027-01-20 15:00:00"):
            self._pay(self.invoice, 244.93)
        self.assertEqual(
            self._get_lines(),
            [
                ("2027-01-16", "Check", "1234", 100.0),
                ("2027-01-20", "Check", "", 244.93),
            ],
        )
        with freeze_time("2027-01-20 15:00:00"):
            page = self._render()
        for text in ("1234", "Check", "100.00", "244.93", "REC/2027/00001"):
            self.assertIn(text, page)

    def test_number_written_into_the_memo(self):
        self._register_payment(self.invoice, communication="Check no. 77")
        self.assertEqual(self._get_lines()[0][2], "Check no. 77")

    def test_taxes_split(self):
        self._pay(self.invoice)
        taxes = self.invoice._membri_get_receipt_taxes()
        self.assertEqual([amount for _label, amount in taxes], [300.0, 15.0, 29.93])

    def test_taxes_of_what_was_received(self):
        """200.00 of 344.93: the taxes in it, to the cent."""
        self._pay_and_write_off(200.0)
        taxes = [amount for _label, amount in self.invoice._membri_get_receipt_taxes()]
        self.assertEqual(taxes[1:], [8.70, 17.35])
        self.assertAlmostEqual(sum(taxes), 200.0, 2)
        summary = [amount for _label, amount in self.invoice._membri_get_receipt_summary()]
        self.assertEqual(summary, [344.93, -144.93])
        self.assertNotIn("PAID", self._render())

    def test_bad_debt_has_none(self):
        """Seen: a bad debt of $844.07 was certified as paid."""
        self._settle_by_entry(self.company_data["default_account_expense"], 344.93)
        self.assertEqual(self.invoice.payment_state, "paid")
        self.assertFalse(self.invoice._membri_has_receipt())
        self.assertFalse(self.invoice.membri_receipt_name)
        self.invoice.with_user(self.officer).action_membri_keep_membership()
        self.assertFalse(self.invoice._membri_has_receipt(), "still no money")
        self.assertNotIn("REC/", self._render())

    def test_money_without_what_was_written_off(self):
        self._pay_and_write_off(340.0)
        self.assertEqual([line[3] for line in self._get_lines()], [340.0])
        self.assertTrue(self.invoice._membri_has_receipt())

    def test_credit_note_is_no_payment(self):
        credit_note = self._credit(self.invoice, price=100.0)
        (self.invoice | credit_note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        rest = self.invoice.amount_residual
        self._pay(self.invoice)
        self.assertEqual([line[3] for line in self._get_lines()], [rest])
        taxes = [amount for _label, amount in self.invoice._membri_get_receipt_taxes()]
        self.assertEqual(taxes[0], 200.0)
        self.assertAlmostEqual(sum(taxes), rest, 2)

    def test_credit_of_another_invoice_is_no_payment(self):
        other = self._renewal_in("approved").invoice_id.with_env(self.env_account)
        self._pay(other)
        credit_note = self._credit(other)
        (self.invoice | credit_note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        self.assertEqual(self._kinds(), [("credit", 344.93)])
        self.assertFalse(self.invoice._membri_has_receipt())

    def test_summary_adds_up_with_what_was_given_back(self):
        """Credited in part before it was paid, and once more after: from the total of the invoice
        to what is kept of the money."""
        self._credit(self.invoice, 100.0)
        self._pay(self.invoice)
        self._register_payment(self._credit(self.invoice, 20.0))
        amounts = [amount for _label, amount in self.invoice._membri_get_receipt_summary()]
        self.assertEqual(len(amounts), 3)
        self.assertAlmostEqual(sum(amounts), self.invoice._membri_get_received(), 2)
        credited = sum(self.invoice.reversal_move_ids.mapped("amount_total"))
        [sentence] = self.invoice._membri_get_credited_sentences()
        self.assertIn(self.invoice.currency_id.format(credited), sentence)
        self.assertIn(sentence, self.invoice._membri_get_standing_sentences())

    def test_given_back_with_a_credit_note(self):
        self._pay(self.invoice)
        name = self.invoice.membri_receipt_name
        credit_note = self._credit(self.invoice)
        self.assertTrue(self.invoice._membri_has_receipt(), "the money is still here")
        self._refund(credit_note)
        self.assertEqual([line[3] for line in self._get_lines()], [344.93, -344.93])
        self.assertEqual(self.invoice._membri_get_received(), 0.0)
        self.assertFalse(self.invoice._membri_has_receipt())
        self.assertEqual(self.invoice.membri_receipt_name, name, "kept")

    def test_given_back_in_part(self):
        self._pay(self.invoice)
        credit_note = self._credit(self.invoice, price=100.0)
        self._refund(credit_note)
        self.assertEqual(
            [line[3] for line in self._get_lines()], [344.93, -credit_note.amount_total]
        )
        received = self.invoice._membri_get_received()
        self.assertAlmostEqual(received, 344.93 - credit_note.amount_total, 2)
        taxes = [amount for _label, amount in self.invoice._membri_get_receipt_taxes()]
        self.assertEqual(taxes[0], 200.0)
        self.assertAlmostEqual(sum(taxes), received, 2)

    def test_bank_line_and_surplus(self):
        """More than was due: only what was due is received for this invoice."""
        self._pay_by_bank(self.invoice, 400.0)
        self.assertEqual([line[3] for line in self._get_lines()], [344.93])

    def test_one_payment_for_several_invoices(self):
        other = self._renewal_in("approved").invoice_id.with_env(self.env_account)
        payments = self._register_payment(self.invoice | other, group_payment=True)
        self.assertTrue(payments)
        for invoice in (self.invoice, other):
            self.assertEqual([line[3] for line in self._get_lines(invoice)], [344.93])

    def test_part_payment_has_none_yet(self):
        self._pay(self.invoice, 100.0)
        self.assertFalse(self.invoice._membri_has_receipt())
        self.assertFalse(self.invoice.membri_receipt_name)

    def test_free_membership_has_none(self):
        renewal = self._create_renewal(self._create_yearly())
        renewal.line_ids.price_unit = 0.0
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.payment_state, "paid")
        self.assertFalse(renewal.invoice_id._membri_has_receipt())

    def test_shared_invoice_without_those_who_left(self):
        payer = self._create_member("Chain Ltd", is_company=True)
        payer.membri_group_invoices = True
        renewals = self.env["membri.renewal"]
        for number in range(3):
            member = self._create_member(f"Branch {number}", parent_id=payer.id)
            renewals |= self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        renewals.action_approve()
        invoice = renewals.invoice_id.with_env(self.env_account)
        self._pay(invoice, invoice.amount_total - 344.93)
        credit_note = invoice._reverse_moves([{"invoice_date": "2027-01-15"}])
        gone = renewals[0].new_cotisation_id
        credit_note.invoice_line_ids.filtered(
            lambda line: line.membri_cotisation_id != gone
        ).unlink()
        credit_note.action_post()
        (invoice | credit_note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        self.assertEqual(invoice.payment_state, "paid")
        self.assertEqual(
            invoice._membri_get_receipt_invoice_lines().membri_cotisation_id,
            renewals[1:].new_cotisation_id,
        )
        taxes = [amount for _label, amount in invoice._membri_get_receipt_taxes()]
        self.assertEqual(taxes[0], 600.0)
        self.assertAlmostEqual(sum(taxes), invoice._membri_get_received(), 2)

    def test_early_payment_discount_leaves_the_taxes_that_were_booked(self):
        """300.00 and 44.93 of taxes, less 2 %: of both, of the price only, or taxes that were less
        from the start."""
        term = self._create_early_discount()
        for computation, paid in (("included", 338.03), ("excluded", 338.93), ("mixed", 338.03)):
            with self.subTest(computation=computation):
                term.early_pay_discount_computation = computation
                renewal = self._create_renewal(
                    self._create_yearly(property_payment_term_id=term.id)
                )
                renewal.action_approve()
                invoice = renewal.invoice_id.with_env(self.env_account)
                payment = self._pay(invoice)
                self.assertAlmostEqual(payment.amount, paid, 2)
                taxes = (invoice | payment.move_id).line_ids.filtered("tax_line_id")
                booked = -sum(taxes.mapped("balance"))
                untaxed, *shown = [amount for _name, amount in invoice._membri_get_receipt_taxes()]
                self.assertAlmostEqual(sum(shown), booked, 2)
                self.assertAlmostEqual(untaxed, 294.0, 2)
                labels = dict(invoice._membri_get_receipt_summary())
                self.assertIn("Early-payment discount", labels)
                self.assertNotIn("Written off, not paid", labels)
                [section] = invoice.partner_id.with_company(self.company)._membri_get_statement()
                told = " ".join(entry["label"] for entry in section["entries"])
                self.assertIn("discount", told)
                self.assertNotIn("Written off", told)
                half = invoice._membri_get_receipt_taxes(paid / 2)
                self.assertAlmostEqual(sum(amount for _name, amount in half), paid / 2, 2)
                self.assertAlmostEqual(half[0][1], 147.0, delta=0.02)

    # ------------------------------------------------------------------
    # Its number
    # ------------------------------------------------------------------

    def test_number_is_given_once_and_kept(self):
        payment = self._pay(self.invoice)
        self.assertEqual(self.invoice.membri_receipt_name, "REC/2027/00001")
        payment.action_cancel()
        self.assertFalse(self.invoice._membri_has_receipt())
        self.assertEqual(self.invoice.membri_receipt_name, "REC/2027/00001")
        other = self._renewal_in("approved").invoice_id.with_env(self.env_account)
        self._pay(other)
        self.assertEqual(other.membri_receipt_name, "REC/2027/00002")
        self._pay(self.invoice)
        self.assertEqual(self.invoice.membri_receipt_name, "REC/2027/00001")
        self.assertFalse(self.invoice.copy().membri_receipt_name)

    def test_each_company_counts_for_itself(self):
        self._pay(self.invoice)
        other = self._create_other_company("Other chapter", "UTC")
        sequences = self.company.sudo()._membri_get_receipt_sequence()
        self.assertNotEqual(sequences, other.sudo()._membri_get_receipt_sequence())
        self.assertEqual(sequences, self.company.sudo()._membri_get_receipt_sequence())
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self._renewal_in("approved").invoice_id.sudo().membri_receipt_name = "REC/2027/00001"
            self.env.flush_all()

    def test_company_without_a_logo_prints_none(self):
        """Not Odoo's placeholder, “Your logo”, in any layout, and one of its own in each."""
        self._pay(self.invoice)
        company = self.company.with_env(self.env_root)
        own = file_open("membri_renewal/demo/logo.png", "rb").read()
        for logo, is_shown in ((company._get_logo(), False), (base64.b64encode(own), True)):
            company.logo = logo
            self.assertEqual(company.uses_default_logo, not is_shown)
            for layout in LAYOUTS:
                company.external_report_layout_id = self.env.ref(f"web.external_layout_{layout}")
                with self.subTest(layout=layout, is_shown=is_shown):
                    self.assertEqual('alt="Logo"' in self._render(), is_shown)

    def test_window_of_the_layout(self):
        """Odoo draws there, as the company, the window itself."""
        windows = self.env_root["base.document.layout"].with_company(self.company)
        for layout in LAYOUTS:
            with self.subTest(layout=layout):
                view = self.env_root.ref(f"web.external_layout_{layout}")
                chosen = self.env_root["report.layout"].search([("view_id", "=", view.id)], limit=1)
                window = windows.create({"report_layout_id": chosen.id})
                window.external_report_layout_id = view
                self.assertIn('alt="Logo"', window.preview)

    def test_ordinary_invoices_have_none(self):
        invoice = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.member.id,
                "invoice_date": "2027-01-15",
                "invoice_line_ids": [fields.Command.create({"name": "Room", "price_unit": 10.0})],
            }
        )
        invoice.action_post()
        self._pay(invoice)
        self.assertFalse(invoice.membri_receipt_name)
        self.assertFalse(invoice._membri_has_receipt())
