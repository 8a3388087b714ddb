from datetime import date
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import html2plaintext, mute_logger

from .common import MembriCommon
from .common_shared_invoice import SharedInvoiceCommon

NOVEMBER = "2026-11-15 15:00:00"


@tagged("post_install", "-at_install")
@freeze_time(NOVEMBER)
class TestEndUnpaid(MembriCommon):
    """Issue 15, 6: what is never paid is ended, one or many, and taken back by a reset."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.not_paid = cls.env.ref("membri_renewal.refusal_reason_not_paid")

    def _get_queue(self):
        queue = self.env.ref("membri_renewal.dashboard_unpaid_too_long")
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["membri.renewal"].search(queue._get_domain())

    def test_invoice_void_refused_and_inactive_at_the_end(self):
        renewal = self._renewal_in("approved")
        invoice, term, member = renewal.invoice_id, renewal.new_cotisation_id, renewal.partner_id
        renewal.action_end_unpaid()
        self.assertEqual((invoice.state, term.state), ("cancel", "cancelled"))
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "refused",
                    "refusal_reason_id": self.not_paid.id,
                    "invoice_id": False,
                    "new_cotisation_id": False,
                    "is_open": False,
                }
            ],
        )
        self.assertEqual(renewal.invoice_ids, invoice)
        self.assertFalse(invoice.sudo().sending_data, "a void invoice is not emailed")
        self.assertEqual(member.credit, 0.0)
        self.assertEqual(member.membri_status, "active", "until the old term ends")
        with freeze_time("2027-01-01 12:00:00"):
            self._run_cron("ir_cron_update_states")
        self.assertEqual(member.membri_status, "inactive")
        self.assertEqual(member.membri_date_end, date(2026, 12, 31))

    def test_reset_takes_it_back(self):
        renewal = self._renewal_in("approved")
        renewal.action_end_unpaid()
        renewal.action_reset()
        self.assertRecordValues(renewal, [{"state": "draft", "refusal_reason_id": False}])
        renewal.action_approve()
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self.assertEqual(renewal.invoice_id.state, "posted")

    def test_credited_where_it_cannot_be_cancelled(self):
        renewal = self._renewal_in("approved")
        invoice = renewal.invoice_id
        self.company.sudo().fiscalyear_lock_date = "2026-11-30"
        with freeze_time("2026-12-20 15:00:00"):
            wizard = self._ask(renewal)
            self.assertIn(
                f"Invoices to credit, as they can no longer be cancelled: 1 ({invoice.name})",
                self._say(wizard),
            )
            renewal.action_end_unpaid()
        self.assertRecordValues(invoice, [{"state": "posted", "payment_state": "reversed"}])
        self.assertEqual(renewal.state, "refused")
        self.assertEqual(renewal.partner_id.credit, 0.0)
        with freeze_time("2026-12-21 15:00:00"):
            renewal.action_reset()
            self.assertEqual(renewal.state, "draft")
            renewal.action_approve()
        self.assertEqual(renewal.invoice_id.state, "posted")
        self.assertNotEqual(renewal.invoice_id, invoice)
        self.assertEqual(invoice.payment_state, "reversed", "what is void stays void")

    def test_money_leaves_it_alone(self):
        part, paid, on_its_way = (self._renewal_in("approved") for _number in range(3))
        self._pay(part.invoice_id, 100.0)
        self._pay(paid.invoice_id)
        self._create_transaction(on_its_way.invoice_id, "pending")
        for renewal, word in ((part, "partly paid"), (paid, "is paid"), (on_its_way, "progress")):
            before = self._get_stored(renewal)
            self.assertIn(word, self._assert_refused(renewal.action_end_unpaid))
            self.assertEqual(self._get_stored(renewal), before)
            self.assertEqual(renewal.invoice_id.state, "posted")

    def test_only_what_is_accepted(self):
        for state in ("draft", "sent", "change_requested", "intervention", "refused", "cancelled"):
            renewal = self._renewal_in(state)
            self.assertIn("ended as unpaid", self._assert_refused(renewal.action_end_unpaid))
            self.assertEqual(renewal.state, state)

    def test_partly_credited(self):
        renewal = self._renewal_in("approved")
        invoice = renewal.invoice_id.with_env(self.env_account)
        credit_note = invoice._reverse_moves([{"invoice_date": fields.Date.today()}])
        credit_note.invoice_line_ids.price_unit = 50.0
        credit_note.action_post()
        (invoice | credit_note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        ).reconcile()
        self.assertIn("partly credited", self._assert_refused(renewal.action_end_unpaid))
        self.assertEqual(renewal.state, "approved")

    def test_whom_it_is_forbidden(self):
        renewal = self._renewal_in("approved")
        portal = new_test_user(self.env_root, "member_portal", "base.group_portal")
        portal.partner_id = renewal.partner_id
        for user in (self.auditor, self.employee, portal):
            with self.assertRaises(AccessError):
                renewal.with_user(user).action_end_unpaid()
            with self.assertRaises(AccessError):
                renewal.with_user(user).action_ask_end_unpaid()
        self.assertEqual(renewal.state, "approved")
        self.assertTrue(renewal.with_user(self.auditor).search([("id", "=", renewal.id)]).is_open)
        renewal.with_user(self.auditor).read(["in_arrears", "is_unpaid_too_long"])

    # ------------------------------------------------------------------
    # Many: said before, then each for itself
    # ------------------------------------------------------------------

    def _ask(self, renewals):
        opened = renewals.action_ask_end_unpaid()
        return self.env[opened["res_model"]].browse(opened["res_id"])

    def _say(self, wizard):
        wizard.invalidate_recordset()
        return " ".join(html2plaintext(wizard.explanation).replace("\xa0", " ").split())

    def test_said_before_and_done_each_for_itself(self):
        good = self._renewal_in("approved") | self._renewal_in("approved")
        part, open_one = self._renewal_in("approved"), self._renewal_in("sent")
        self._pay(part.invoice_id, 100.0)
        invoices = good.invoice_id
        wizard = self._ask(good | part | open_one)
        said = self._say(wizard)
        self.assertIn("Renewals to end as unpaid: 2 ($ 690.00)", said)
        self.assertIn("Invoices to cancel: 2", said)
        self.assertIn(invoices[0].name, said)
        self.assertIn(f"{part.display_name}: Invoice {part.invoice_id.name} is partly paid", said)
        self.assertIn(f"{open_one.display_name} cannot be", said)
        self.assertEqual(wizard.ready_count, 2)
        self.assertEqual(good.mapped("state"), ["approved"] * 2, "nothing is done yet")
        action = wizard.action_confirm()
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual((job.done_count, job.skipped_count), (2, 2))
        self.assertEqual(good.mapped("state"), ["refused"] * 2)
        self.assertEqual(good.refusal_reason_id, self.not_paid)
        self.assertEqual(invoices.mapped("state"), ["cancel"] * 2)
        self.assertEqual(part.state, "approved")
        skipped = job.line_ids.filtered(lambda line: line.result == "skipped")
        self.assertEqual(set(skipped.renewal_id), set(part | open_one))
        self.assertTrue(all(skipped.mapped("message")), "who is left out, and why")
        good.action_reset()
        self.assertEqual(good.mapped("state"), ["draft"] * 2)
        self.assertEqual(invoices.mapped("state"), ["cancel"] * 2)
        self.assertEqual(part.invoice_id.state, "posted")

    def test_thousands(self):
        """What is said of thousands is found by searches: the same figures."""
        good, part = self._renewal_in("approved"), self._renewal_in("approved")
        open_one = self._renewal_in("sent")
        self._pay(part.invoice_id, 100.0)
        wizard = self._ask(good | part | open_one)
        path = "odoo.addons.membri_renewal.wizard.bulk_selection."
        with (
            patch(f"{path}FOREGROUND_LIMIT", 1),
            patch(f"{path}LOOK_LIMITS", {}),
        ):
            said = self._say(wizard)
            self.assertEqual(wizard.ready_count, 1)
        self.assertIn("Renewals to end as unpaid: 1 ($ 345.00)", said)
        self.assertIn("partly paid or credited, or a payment is in progress: 1", said)
        self.assertIn("skipped because their status is “Sent”: 1", said)

    def test_one_that_fails_stops_nobody(self):
        good, bad = self._renewal_in("approved"), self._renewal_in("approved")
        Move = self.registry["account.move"]
        cancel = Move.button_cancel
        broken = bad.invoice_id

        def fail(moves):
            if broken.id in moves.ids:
                raise ValueError("The journal is being audited.")
            return cancel(moves)

        self.patch(Move, "button_cancel", fail)
        job = self.env["membri.bulk.job"].browse((good | bad).action_bulk("end_unpaid")["res_id"])
        self.assertEqual((job.done_count, job.failed_count), (1, 1))
        self.assertIn("audited", job.problem_line_ids.message)
        self.assertEqual((good | bad).mapped("state"), ["refused", "approved"])
        self.assertEqual(bad.new_cotisation_id.state, "pending")
        self.assertEqual(broken.state, "posted")

    def test_cost_of_one_more(self):
        few = self._renewal_in("approved") | self._renewal_in("approved")
        many = self._renewal_in("approved") | self._renewal_in("approved")
        many |= self._renewal_in("approved") | self._renewal_in("approved")
        self._renewal_in("approved").action_end_unpaid()  # what is asked once
        self.env.flush_all()
        self.env.invalidate_all()
        counts = []
        for renewals in (few, many):
            before = self.env.cr.sql_log_count
            renewals.action_end_unpaid()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual((counts[1] - counts[0]) / 2, 60, counts)

    # ------------------------------------------------------------------
    # After so many months
    # ------------------------------------------------------------------

    def test_proposed_after_the_months_of_the_plan(self):
        self.yearly.sudo().unpaid_end_months = 3
        renewal, part = self._renewal_in("approved"), self._renewal_in("approved")
        other = self._create_renewal(
            self._create_cotisation(
                self._create_member("Zoe"), "2026-01-01", self.fixed, state="active"
            )
        )
        other.action_approve()
        self._pay(part.invoice_id, 10.0)
        self.assertEqual(renewal.invoice_id.invoice_date_due, date(2026, 11, 15))
        for moment, expected in (
            (NOVEMBER, renewal.browse()),
            ("2027-02-14 15:00:00", renewal.browse()),
            ("2027-02-15 15:00:00", renewal),
        ):
            with freeze_time(moment):
                self.assertEqual(self._get_queue(), expected, moment)
                self.assertEqual(renewal.is_unpaid_too_long, renewal in expected, moment)
                self._run_cron("ir_cron_end_unpaid")
                self.assertEqual(renewal.state, "approved", "only proposed")
        with freeze_time("2027-02-15 15:00:00"):
            self.yearly.sudo().unpaid_end_automatic = True
            self._run_cron("ir_cron_end_unpaid")
            self.assertEqual(renewal.state, "refused")
            self.assertEqual(renewal.refusal_reason_id, self.not_paid)
            self.assertIn("3 months", renewal.refusal_note)
            self.assertEqual((part | other).mapped("state"), ["approved"] * 2)
            self._run_cron("ir_cron_end_unpaid")

    def test_the_night_leaves_money_that_comes_alone(self):
        self.yearly.sudo().write({"unpaid_end_months": 1, "unpaid_end_automatic": True})
        renewal, reported = self._renewal_in("approved"), self._renewal_in("approved")
        self._create_transaction(renewal.invoice_id, "authorized")
        with freeze_time("2027-03-01 15:00:00"):
            reported.invoice_id.sudo()._membri_report_payment(
                self.env["res.partner"], {"method": "transfer", "date": "2027-02-28"}
            )
            self._run_cron("ir_cron_end_unpaid")
            self.assertFalse(self._get_queue())
        self.assertEqual((renewal | reported).mapped("state"), ["approved"] * 2)

    def test_months_are_not_negative(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.yearly.sudo().unpaid_end_months = -1
            self.env.flush_all()


@tagged("post_install", "-at_install")
@freeze_time(NOVEMBER)
class TestEndUnpaidShared(SharedInvoiceCommon):
    """Issue 15, 6: of an invoice that serves several, only that member's part."""

    def test_only_the_part_of_that_member(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        off, others = renewals[0], renewals[1:]
        off.action_end_unpaid()
        self.assertEqual(off.state, "refused")
        self.assertRecordValues(
            invoice, [{"state": "posted", "amount_total": 1035.0, "amount_residual": 690.0}]
        )
        self.assertEqual(others.mapped("state"), ["approved"] * 2)
        self.assertEqual(others.new_cotisation_id.mapped("state"), ["pending"] * 2)
        self.assertEqual(others.invoice_id, invoice)
        self._pay(invoice, 690.0)
        self.assertEqual(others.new_cotisation_id.mapped("state"), ["scheduled"] * 2)

    def test_all_of_them(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        renewals.action_end_unpaid()
        self.assertEqual(invoice.state, "cancel")
        self.assertEqual(renewals.mapped("state"), ["refused"] * 3)
