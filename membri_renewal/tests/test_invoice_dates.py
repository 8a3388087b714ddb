from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.membri_renewal.models.cotisation import invoice_dates as dates

from .common_payments import MembriPaymentCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-12-10 15:00:00")
class TestInvoiceDates(MembriPaymentCommon):
    """The dates of the term on its invoice: the text of the lines, the day that the invoice
    bears, and what revenue is deferred by."""

    def _get_notes(self, invoice):
        return " ".join(invoice.message_ids.mapped("body"))

    # ------------------------------------------------------------------
    # The text of the lines
    # ------------------------------------------------------------------

    def test_text_follows_a_change_without_price_effect(self):
        line = self.invoice.invoice_line_ids
        self.assertEqual(line.name, "Membership\nJanuary 1, 2027 to December 31, 2027")
        amounts = self.invoice.line_ids.mapped("balance")
        self.cotisation.write({"date_start": "2027-02-01", "date_end": "2028-01-31"})
        self.assertEqual(line.name, "Membership\nFebruary 1, 2027 to January 31, 2028")
        self.assertEqual(self.invoice.state, "posted")
        self.assertEqual(self.invoice.line_ids.mapped("balance"), amounts)
        self.assertIn("February 1, 2027 to January 31, 2028", self._get_notes(self.invoice))
        self._pay(self.invoice)
        self.assertEqual(self.cotisation.state, "scheduled")

    def test_text_in_the_language_of_the_member(self):
        self.env_root["res.lang"]._activate_lang("fr_FR")
        renewal = self._create_renewal(self._create_yearly(lang="fr_FR"))
        renewal.action_approve()
        line = renewal.invoice_id.invoice_line_ids
        self.assertIn("du 1er janvier 2027 au 31 décembre 2027", line.name)
        renewal.new_cotisation_id.write({"date_end": "2027-11-30"})
        self.assertIn("du 1er janvier 2027 au 30 novembre 2027", line.name)

    def test_text_that_an_accountant_reworded(self):
        """What is not found is not replaced; the rest of the text stays as it is."""
        line = self.invoice.invoice_line_ids
        line.name = "By letter: January 1, 2027 to December 31, 2027 (board)"
        self.cotisation.write({"date_end": "2027-12-30"})
        self.assertEqual(line.name, "By letter: January 1, 2027 to December 30, 2027 (board)")
        line.name = "Reworded"
        self.cotisation.write({"date_end": "2027-12-29"})
        self.assertEqual(line.name, "Reworded")

    def test_document_is_printed_anew(self):
        """The PDF of the first sending stays in the chatter, the next email has another."""
        attachment = self.env_root["ir.attachment"].create(
            {
                "name": "INV.pdf",
                "raw": b"%PDF",
                "res_model": "account.move",
                "res_id": self.invoice.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        self.invoice.invalidate_recordset()
        self.cotisation.write({"date_end": "2027-12-30"})
        self.assertFalse(attachment.res_field)
        self.assertTrue(attachment.exists())

    def test_what_else_changes_leaves_the_text_alone(self):
        before = self._get_stored(self.invoice.invoice_line_ids)
        self.cotisation.write({"option_set_id": self.fixed.id, "date_end": "2027-12-31"})
        self.assertEqual(self._get_stored(self.invoice.invoice_line_ids), before)

    def test_sealed_invoice_keeps_its_text_and_says_so(self):
        journal = self.company_data["default_journal_sale"].with_env(self.env_root)
        journal.restrict_mode_hash_table = True
        renewal = self._renewal_in("approved")
        line = renewal.invoice_id.invoice_line_ids
        before = line.name
        renewal.new_cotisation_id.write({"date_end": "2027-11-30"})
        self.assertEqual(line.name, before)
        self.assertIn("the journal locks posted entries", self._get_notes(renewal.invoice_id))

    # ------------------------------------------------------------------
    # Deferral
    # ------------------------------------------------------------------

    def test_names_of_the_deferral_fields(self):
        """Those of OCA account_invoice_start_end_dates and of Odoo Enterprise."""
        self.assertEqual(
            dates.DEFERRAL_FIELDS,
            (("start_date", "end_date"), ("deferred_start_date", "deferred_end_date")),
        )
        self.assertEqual(
            self.cotisation._get_deferral_fields(),
            [names for names in dates.DEFERRAL_FIELDS if names[0] in self.invoice.line_ids._fields],
        )

    def test_deferral_fields(self):
        """With fields as such a module brings them: on the invoice, after a change of dates,
        on the credit note and on the invoice that replaces it; none for life."""
        model = self.env_root["ir.model"]._get("account.move.line")
        names = ("x_start_date", "x_end_date")
        self.env_root["ir.model.fields"].create(
            [{"name": name, "model_id": model.id, "ttype": "date"} for name in names]
        )
        with patch.object(dates, "DEFERRAL_FIELDS", (("no_start", "no_end"), names)):
            renewal = self._renewal_in("approved")
            line = renewal.invoice_id.invoice_line_ids
            self._assert_deferred(line, "2027-01-01", "2027-12-31")
            self.assertFalse((renewal.invoice_id.line_ids - line).filtered("x_start_date"))
            renewal.new_cotisation_id.write({"date_start": "2027-02-01", "date_end": "2028-01-31"})
            self._assert_deferred(line, "2027-02-01", "2028-01-31")
            wizard = (
                self.env_account["account.move.reversal"]
                .with_context(active_model="account.move", active_ids=renewal.invoice_id.ids)
                .create({"journal_id": renewal.invoice_id.journal_id.id})
            )
            wizard.reverse_moves(is_modify=True)
            credit_note = renewal.invoice_ids.filtered(lambda move: move.move_type == "out_refund")
            self.assertNotEqual(renewal.invoice_id, line.move_id)
            for move in credit_note | renewal.invoice_id:
                self._assert_deferred(move.invoice_line_ids, "2027-02-01", "2028-01-31")
            duplicate = line.move_id.with_env(self.env_account).copy()
            self.assertFalse(duplicate.invoice_line_ids.membri_cotisation_id)
            for_life = self.member._membri_enrol(self.for_life)
            self.assertFalse(for_life.invoice_id.invoice_line_ids.x_start_date)

    def _assert_deferred(self, line, first, last):
        self.assertEqual(len(line), 1)
        self.assertEqual(
            (line.x_start_date.isoformat(), line.x_end_date.isoformat()), (first, last)
        )

    # ------------------------------------------------------------------
    # The day that the invoice bears
    # ------------------------------------------------------------------

    def _assert_dated(self, renewal, day):
        invoice = renewal.invoice_id
        self.assertEqual(invoice.state, "posted")
        self.assertEqual((invoice.invoice_date.isoformat(), invoice.date.isoformat()), (day, day))
        self.assertIn(f"/{day[:4]}/", invoice.name, "in the sequence of its year")

    def test_december_approval_for_january(self):
        self._assert_dated(self._renewal_in("approved"), "2026-12-10")
        self.company.with_env(self.env_root).membri_invoice_dating = "term"
        self._assert_dated(self._renewal_in("approved"), "2027-01-01")
        with freeze_time("2027-01-20 15:00:00"):
            self._assert_dated(self._renewal_in("approved"), "2027-01-20")

    def test_dated_ahead_is_paid_today(self):
        self.company.with_env(self.env_root).membri_invoice_dating = "term"
        renewal = self._renewal_in("approved")
        self.assertEqual(renewal.invoice_id.invoice_date_due.isoformat(), "2027-01-01")
        self._pay(renewal.invoice_id)
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")

    def test_dated_ahead_is_credited_ahead(self):
        """Where it cannot be cancelled: not before the invoice itself."""
        self.company.with_env(self.env_root).membri_invoice_dating = "term"
        journal = self.company_data["default_journal_sale"].with_env(self.env_root)
        journal.restrict_mode_hash_table = True
        renewal = self._renewal_in("approved")
        invoice = renewal.invoice_id
        renewal.action_reset()
        self.assertEqual(invoice.payment_state, "reversed")
        self.assertEqual(invoice.reversal_move_ids.date.isoformat(), "2027-01-01")

    def test_closed_year(self):
        """Until the books of 2026 are closed on 15 January, either side; then 2027 only."""
        company = self.company.with_env(self.env_root)
        with freeze_time("2027-01-15 15:00:00"):
            company.fiscalyear_lock_date = "2026-12-31"
            for dating in ("approval", "term"):
                company.membri_invoice_dating = dating
                self._assert_dated(self._renewal_in("approved"), "2027-01-15")

    def test_approval_in_a_locked_period(self):
        """Closed ahead of time: by the term's date it works, by the day of approval Odoo says
        why not, and nothing is half done."""
        company = self.company.with_env(self.env_root)
        renewal = self._create_renewal(self._create_yearly())
        for lock in ("tax_lock_date", "fiscalyear_lock_date"):
            company[lock] = "2026-12-31"
            self.assertIn("Lock Date", renewal._get_cannot_reason("approve"), lock)
            with self.assertRaisesRegex(UserError, "Lock"), self.env.cr.savepoint():
                renewal.action_approve()
            self.assertEqual(renewal.state, "draft")
            self.assertFalse(renewal.invoice_ids)
        company.membri_invoice_dating = "term"
        renewal.action_approve()
        self._assert_dated(renewal, "2027-01-01")

    def test_manager_sets_it(self):
        settings = self.env["membri.settings"].with_user(self.manager)
        settings.create({"membri_invoice_dating": "term"}).execute()
        self.assertEqual(self.company.membri_invoice_dating, "term")
