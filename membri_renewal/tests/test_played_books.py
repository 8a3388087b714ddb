from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common_insight import check_money
from .common_write_off import WriteOffCase


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestPlayedBooks(WriteOffCase):
    """Issue 12 B: settings and bookings of accountants that the season does not play; after each
    of them page, receipt, reconciliation and journal items say the same."""

    def _get_receivable(self, entry=None):
        return (entry or self.invoice).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )

    def _assert_row(self, *amounts, terms=None):
        """``expected``, ``invoiced``, ``received``, ``written_off``, ``open``; and all reports
        equal the journal items."""
        self.env.flush_all()
        self.env["membri.reconciliation"].invalidate_model()
        rows = self.env["membri.reconciliation"].search(
            [("cotisation_id", "in", (terms or self.cotisation).ids)]
        )
        names = ("expected", "invoiced", "received", "written_off", "open")
        self.assertEqual(tuple(round(sum(rows.mapped(name)), 2) for name in names), amounts)
        for name, (here, there) in self.env["membri.money"]._get_totals(self.company).items():
            self.assertAlmostEqual(here, there, 2, name)
        check_money(self)

    def _assert_page(self, *words):
        page = " ".join(self.invoice._membri_get_standing_sentences()).replace("\xa0", " ")
        for word in words:
            self.assertIn(word, page)

    def _get_receipt(self):
        """:return: whether there is one, the money on it, and the taxes in that"""
        return (
            self.invoice._membri_has_receipt(),
            [line["amount"] for line in self.invoice._membri_get_receipt_lines()],
            [amount for _label, amount in self.invoice._membri_get_receipt_taxes()],
        )

    def _bill_on_cash_basis(self):
        company = self.company.with_env(self.env_root)
        company.tax_exigibility = True
        company.tax_cash_basis_journal_id = self.company_data["default_journal_misc"]
        transition, base = self.env_root["account.account"].create(
            [
                {
                    "name": name,
                    "code": code,
                    "account_type": "liability_current",
                    "reconcile": reconcile,
                    "company_ids": [Command.set(company.ids)],
                }
                for name, code, reconcile in (
                    ("Taxes to come", "230901", True),
                    ("Base of taxes", "230902", False),
                )
            ]
        )
        company.account_cash_basis_base_account_id = base
        self.invoice.line_ids.tax_line_id.with_env(self.env_root).write(
            {
                "tax_exigibility": "on_payment",
                "cash_basis_transition_account_id": transition.id,
            }
        )
        self._follow(self._renewal_in("approved"))

    def test_b2_cash_basis_paid_in_parts_and_credited(self):
        self._bill_on_cash_basis()
        self._pay(self.invoice, 120.0)
        self.assertEqual(self.invoice.tax_cash_basis_created_move_ids.mapped("amount_total"), [120])
        self.assertEqual(self._kinds(), [("money", 120.0)])
        self._assert_page("Amount due: 224.93", "received 120.00")
        self._assert_row(344.93, 344.93, 120.0, 0.0, 224.93)
        second = self._pay(self.invoice)
        self.assertEqual(self._get_receipt(), (True, [120.0, 224.93], [300.0, 15.0, 29.93]))
        self.assertEqual(self.cotisation.state, "active")
        self._assert_row(344.93, 344.93, 344.93, 0.0, 0.0)
        second.action_draft()
        second.action_cancel()
        self.assertEqual(self.cotisation.state, "pending")
        self._assert_row(344.93, 344.93, 120.0, 0.0, 224.93)
        self._credit(self.invoice, price=50.0)
        self._assert_page("Amount due: 167.44", "received 120.00", "57.49 $ was credited")
        self._assert_row(344.93, 287.44, 120.0, 0.0, 167.44)
        self._pay(self.invoice)
        self.assertEqual(self._get_receipt(), (True, [120.0, 167.44], [250.0, 12.5, 24.94]))
        note = self._credit(self.invoice, price=250.0)
        self.assertEqual(self.cotisation.state, "cancelled")
        self._assert_row(0.0, 0.0, 287.44, 0.0, -287.44)
        self._register_payment(note)
        self.assertFalse(self.invoice._membri_has_receipt())
        self._assert_row(0.0, 0.0, 0.0, 0.0, 0.0)

    def test_b2_cash_basis_credited_in_full(self):
        self._bill_on_cash_basis()
        self._credit(self.invoice)
        self.assertEqual(self.invoice.payment_state, "reversed")
        self.assertEqual(self.cotisation.state, "cancelled")
        self._assert_page("credited in full")
        self._assert_row(0.0, 0.0, 0.0, 0.0, 0.0)

    def _propose(self, lines, payer):
        """:param lines: ``(quantity, price)`` of each of two options
        :return: a renewal of a new member"""
        plan = self._create_option_set("Two options", self.product | self.extra)
        member = self._create_member("Branch", parent_id=payer.id)
        renewal = self._create_renewal(self._create_cotisation(member, "2026-01-01", plan))
        for line, (quantity, price) in zip(renewal.line_ids, lines, strict=True):
            line.write({"quantity": quantity, "price_unit": price})
        return renewal

    def test_b6_quantities_and_either_rounding_on_a_shared_invoice(self):
        for method, last, total, gst in (
            ("round_globally", 230.81, 363.79, 15.82),
            ("round_per_line", 230.82, 363.80, 15.83),
        ):
            with self.subTest(method=method):
                self.company.with_env(self.env_root).tax_calculation_rounding_method = method
                payer = self._create_member("Chain", is_company=True, membri_group_invoices=True)
                renewals = self.env["membri.renewal"].union(
                    *(
                        self._propose(lines, payer)
                        for lines in (
                            [(3, 33.33), (7, 0.33)],
                            [(1, 10.03), (3, 1.11)],
                            [(11, 0.07), (2, 99.99)],
                        )
                    )
                )
                renewals.action_send()
                shares = [117.62, 15.36, last]
                self.assertEqual(renewals.mapped("amount_total"), shares)
                opened = renewals.action_ask_bulk("approve")
                wizard = self.env[opened["res_model"]].browse(opened["res_id"])
                self.assertEqual(str(wizard.explanation).count(f"{total:.2f}"), 2)
                renewals.action_approve()
                terms = renewals.new_cotisation_id
                self._follow(renewals[0])
                self.assertEqual(self.invoice.amount_total, total)
                self.assertEqual(renewals.mapped("amount_due"), shares)
                self.assertEqual(terms.mapped("amount_total"), shares)
                self._assert_page(f"{total:.2f}")
                self._assert_row(total, total, 0.0, 0.0, total, terms=terms)
                self._pay(self.invoice)
                self.assertEqual(self._get_receipt(), (True, [total], [316.41, gst, 31.56]))
                self._assert_row(total, total, total, 0.0, 0.0, terms=terms)

    def test_b2_annual_receipt_of_several_refunded_and_written_off(self):
        """Of three on one invoice one is refunded; of the fourth 200.00 came, and no more will."""
        payer = self._create_member("Family", is_company=True, membri_group_invoices=True)
        renewals = self.env["membri.renewal"].union(
            *(
                self._create_renewal(
                    self._create_cotisation(
                        self._create_member(f"Child {number}", parent_id=payer.id), "2026-01-01"
                    )
                )
                for number in range(4)
            )
        )
        renewals[:3].action_approve()
        renewals[3].action_approve()
        self._follow(renewals[0])
        terms, off = renewals.new_cotisation_id, renewals[0].new_cotisation_id
        self._pay(self.invoice)
        self._pay_and_write_off(200.0, renewals[3].invoice_id.with_env(self.env_account))
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=self.invoice.ids)
            .create({"journal_id": self.invoice.journal_id.id})
        )
        note = self.env_account["account.move"].browse(wizard.reverse_moves()["res_id"])
        note.invoice_line_ids.filtered(
            lambda line: line.display_type == "product" and line.membri_cotisation_id != off
        ).unlink()
        note.action_post()
        self._register_payment(note)
        self.assertEqual(terms.mapped("state"), ["cancelled", "active", "active", "pending"])
        self._assert_page("344.93 $ was credited", "Child 1, Child 2")
        self._assert_row(1034.78, 1034.78, 889.85, 144.93, 0.0, terms=terms - off)
        action = (
            self.env["membri.annual.receipt.start"]
            .create({"year": 2027, "partner_ids": [Command.set(payer.ids)]})
            .action_confirm()
        )
        receipt = self.env["membri.annual.receipt"].search(action["domain"])
        self.assertEqual(receipt.amount, 889.85)
        self.assertEqual(
            sorted(line["amount"] for line in receipt._get_lines()), [-344.93, 200.0, 1034.78]
        )
        self.assertEqual(
            [amount for _label, amount in receipt._get_taxes()], [773.95, 38.70, 77.20]
        )

    def test_b2_billed_in_euros_and_paid_in_dollars_at_another_rate(self):
        """431.16 euros were 344.93 dollars, and are as many dollars when they are paid."""
        member = self._create_member("Euro")
        self._bill_in_euros(member, {"2026-01-01": 1.25, "2027-01-20": 1.0})
        renewal = self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        renewal.action_approve()
        self._follow(renewal)
        dollar = self.company.currency_id
        self.assertEqual(
            (self.invoice.amount_total, self.invoice.amount_total_signed), (431.16, 344.93)
        )
        with freeze_time("2027-01-21 15:00:00"):
            self._register_payment(self.invoice, currency_id=dollar.id, amount=200.0)
            self._assert_page("231.16", "received 200.00")
            self._assert_row(344.93, 344.93, 160.0, 0.0, 184.93)
            self._register_payment(self.invoice, currency_id=dollar.id)
            self.assertEqual(self._get_receipt(), (True, [200.0, 231.16], [375.0, 18.75, 37.41]))
            self.assertEqual(self.cotisation.state, "active")
            self._assert_row(344.93, 344.93, 344.93, 0.0, 0.0)

    def test_b5_one_of_two_payments_is_taken_off_and_used_again(self):
        first = self._pay(self.invoice, 100.0)
        self._pay(self.invoice)
        self.assertTrue(self.invoice._membri_has_receipt())
        number = self.invoice.membri_receipt_name
        line = self._get_receivable(first.move_id)
        line.remove_move_reconcile()
        self.assertEqual(self.cotisation.state, "pending")
        self._assert_page("Amount due: 100.00", "received 244.93", "unused credit", number)
        self._assert_row(344.93, 344.93, 244.93, 0.0, 100.0)
        self._run_cron("ir_cron_send_reminders")
        self.assertEqual(len(self.invoice.sudo().activity_ids), 2, "that it was, and where it is")
        self.assertTrue(self.renewal._get_no_reminder_reason())
        (line | self._get_receivable()).reconcile()
        self._run_cron("ir_cron_send_reminders")
        self.assertEqual(self._get_receipt(), (True, [244.93, 100.0], [300.0, 15.0, 29.93]))
        self.assertEqual(self.invoice.membri_receipt_name, number)
        self.assertEqual(self.cotisation.state, "active")
        self.assertFalse(self.invoice.sudo().activity_ids)
        self._assert_row(344.93, 344.93, 344.93, 0.0, 0.0)

    def test_b5_bank_line_whose_reconciliation_is_undone(self):
        line = self._pay_by_bank(self.invoice, 344.93)
        self.assertEqual(self.cotisation.state, "active")
        line.action_undo_reconciliation()
        self._run_cron("ir_cron_send_reminders")
        self.assertEqual(self.cotisation.state, "pending")
        self.assertEqual(self._get_receipt()[:2], (False, []))
        self._assert_page("Amount due: 344.93", "no longer valid")
        self.assertEqual(len(self.invoice.sudo().activity_ids), 2, "that it was, and the line")
        self._assert_row(344.93, 344.93, 0.0, 0.0, 344.93)

    def test_b3_locked_periods(self):
        """What is booked after February is locked bears a day of March, and changes nothing of
        what was earned by then."""
        company = self.company.with_env(self.env_root)
        self._pay(self.invoice)
        unpaid = self._renewal_in("approved")
        days = ("2027-01-31", "2027-02-28")
        with freeze_time("2027-03-05 15:00:00"):
            earned = [self._get_earned(day) for day in days]
            self.assertEqual(earned, [(25.48, 274.52), (48.49, 251.51)])
            for name in ("fiscalyear_lock_date", "sale_lock_date", "tax_lock_date"):
                company[name] = "2027-02-28"
            approved = self._renewal_in("approved").invoice_id.sudo()
            self.assertEqual(str(approved.date), "2027-03-05")
            note = self._credit(self.invoice, price=30.0)
            self.assertEqual(str(note.date), "2027-03-05")
            self.cotisation.action_terminate("2027-02-20", "Moved")
            self.assertEqual([self._get_earned(day) for day in days], earned)
            self.assertEqual(self._get_earned("2027-03-05"), (270.0, 0.0))
            invoice = unpaid.invoice_id.sudo()
            unpaid.action_reset()
            self.assertEqual(invoice.payment_state, "reversed")
            self.assertEqual(str(invoice.reversal_move_ids.date), "2027-03-05")
            for name in ("fiscalyear_lock_date", "sale_lock_date", "tax_lock_date"):
                company[name] = "2027-03-31"
                self.assertIn("03/31/2027", self._assert_refused(unpaid.action_approve))
                company[name] = "2027-02-28"

    def test_a2_automatic_renewal_of_a_locked_period(self):
        """At night as by hand: the sentence names the member, and what to do."""
        member = self._create_member("Automatic")
        term = self._create_cotisation(member, "2026-02-01")
        member.membri_auto_renew = True
        self.company.with_env(self.env_root).tax_lock_date = "2027-12-31"
        self._run_cron("ir_cron_generate")
        renewal = term.renewal_ids
        self.assertRecordValues(renewal, [{"state": "draft", "delivery_state": "failed"}])
        self.assertIn(member.name, renewal.delivery_note)
        self.company.with_env(self.env_root).tax_lock_date = "2026-12-31"
        renewal.action_send()
        self.assertEqual(renewal.state, "approved")

    def _get_earned(self, day):
        self.env.flush_all()
        self.env["membri.deferred"].invalidate_model()
        rows = (
            self.env["membri.deferred"]
            .with_context(membri_as_of=day)
            .search([("cotisation_id", "=", self.cotisation.id)])
        )
        return round(sum(rows.mapped("earned")), 2), round(sum(rows.mapped("unearned")), 2)

    def test_b3_question_about_a_credit_note_outlives_a_correction(self):
        """The invoice was reset and confirmed again, and its credit note stayed posted."""
        asked = "membri_renewal.activity_agreement"
        note = self._credit(self.invoice, price=100.0)
        self.assertIn(note.name, self.invoice.sudo().activity_search([asked]).summary)
        self.invoice.button_draft()
        self.invoice.ref = "Corrected"
        self.invoice.action_post()
        self.assertEqual((note.state, self.invoice.state), ("posted", "posted"))
        [question] = self.invoice.sudo().activity_search([asked])
        self.assertIn(note.name, question.summary)
        note.button_draft()
        self.assertFalse(self.invoice.sudo().activity_search([asked]))

    def test_b3_question_about_one_credit_note_is_not_that_of_another(self):
        """Drafting “R1” ended the question about “R10”."""
        asked = "membri_renewal.activity_agreement"
        first, tenth = (self._credit(self.invoice, price=price) for price in (10.0, 20.0))
        first.name, tenth.name = "R1", "R10"
        for question, name in zip(
            self.invoice.sudo().activity_search([asked]), ("R1", "R10"), strict=True
        ):
            question.summary = f"{name} credits part of it."
        first.button_draft()
        [question] = self.invoice.sudo().activity_search([asked])
        self.assertIn("R10", question.summary)
