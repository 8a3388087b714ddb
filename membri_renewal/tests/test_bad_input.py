from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MembriCommon

LOGGER = "odoo.addons.membri_renewal.models.mixins.state"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestBadInput(MembriCommon):
    """What is wrong gets a sentence that says what to do, and nothing is half done; of many,
    it alone is left out."""

    def _count(self):
        return {
            model: self.env_root[model].search_count([("company_id", "=", self.company.id)])
            for model in ("membri.cotisation", "membri.renewal", "account.move")
        }

    def _assert_untouched_and_isolated(self, bad, sentence, result="skipped"):
        """``bad`` cannot be approved: alone, it stays as it is; among others, they go on.

        :param sentence: a part of what the officer reads
        """
        before, counts = self._snapshot(bad), self._count()
        message = self._assert_refused(bad.action_approve)
        self.assertIn(sentence, message)
        self.assertEqual(self._snapshot(bad), before)
        self.assertEqual(self._count(), counts)
        good = self._renewal_in("sent") | self._renewal_in("sent")
        # the bad one stands in the middle
        action = (good[0] | bad | good[1]).action_bulk("approve")
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual(good.mapped("state"), ["approved", "approved"])
        self.assertEqual(good.invoice_id.mapped("state"), ["posted", "posted"])
        problem = job.problem_line_ids
        self.assertEqual((problem.renewal_id, problem.result), (bad, result))
        self.assertEqual(problem.message, message)
        self.assertEqual(self._snapshot(bad), before)
        self.assertFalse(bad.invoice_ids)

    # ------------------------------------------------------------------
    # Approval
    # ------------------------------------------------------------------

    def test_archived_product(self):
        """Archived before anything was sent: what was sent is invoiced (test_archived.py)."""
        bad = self._create_renewal(self._create_yearly())
        gone = self._create_option("Withdrawn", 80.0)
        bad.line_ids.create({"renewal_id": bad.id, "product_id": gone.id})
        gone.active = False
        self._assert_untouched_and_isolated(bad, "“Withdrawn”")
        gone.active = True
        bad.action_approve()
        self.assertEqual(bad.state, "approved")

    def test_no_account(self):
        """Neither the product, nor its category, nor the company, nor the journal has one."""
        bad = self._create_renewal(self._create_yearly())
        odd = self._create_option("No account", 80.0)
        bad.line_ids.create({"renewal_id": bad.id, "product_id": odd.id})
        bad.action_send()
        Product = self.registry["product.template"]
        original = Product._get_product_accounts

        def _get_product_accounts(product):
            accounts = original(product)
            if product == odd.product_tmpl_id:
                accounts["income"] = self.env["account.account"]
            return accounts

        journals = self.env_root["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_journal SET default_account_id = NULL WHERE id IN %s",
            [tuple(journals.ids)],
        )
        self.env.invalidate_all()
        with patch.object(Product, "_get_product_accounts", _get_product_accounts):
            self._assert_untouched_and_isolated(bad, "no income account")

    def test_term_that_would_be_over(self):
        bad = self._create_renewal(self._create_yearly())
        bad.write({"date_start": "2025-01-01", "date_end": "2025-12-31"})
        self._assert_untouched_and_isolated(bad, "would already be over")

    def test_overlap(self):
        """The next year is taken by a cotisation that somebody has recorded meanwhile."""
        bad = self._renewal_in("sent")
        other = self._create_cotisation(bad.partner_id, "2027-03-01", state="scheduled")
        with mute_logger(LOGGER):
            self._assert_untouched_and_isolated(bad, other.name, result="failed")

    def test_wrong_state(self):
        bad = self._renewal_in("refused")
        self._assert_untouched_and_isolated(bad, "Reset it first")

    def test_no_option(self):
        bad = self._renewal_in("draft")
        bad.line_ids.unlink()
        self._assert_untouched_and_isolated(bad, "has no options")

    def test_database_says_no(self):
        """What only the database refuses is a sentence too, for it alone."""
        bad = self._renewal_in("sent")
        original = self.registry["membri.renewal"]._prepare_cotisation_vals

        def _prepare_cotisation_vals(renewal):
            vals = original(renewal)
            if renewal.id == bad.id:
                # past the check that says it better
                vals["date_end"] = date(2026, 12, 31)
            return vals

        good = self._renewal_in("sent")
        with (
            patch.object(
                self.registry["membri.renewal"],
                "_prepare_cotisation_vals",
                _prepare_cotisation_vals,
            ),
            mute_logger(LOGGER, "odoo.sql_db"),
        ):
            action = (bad | good).action_bulk("approve")
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual(good.state, "approved")
        self.assertRecordValues(
            job.problem_line_ids,
            [
                {
                    "renewal_id": bad.id,
                    "result": "failed",
                    "message": "The last day of a membership term cannot be before its first day. "
                    "Change one of them.",
                }
            ],
        )
        self.assertEqual(bad.state, "sent")

    # ------------------------------------------------------------------
    # A locked period
    # ------------------------------------------------------------------

    def test_locked_through_today(self):
        for lock in ("sale_lock_date", "fiscalyear_lock_date", "hard_lock_date"):
            with self.subTest(lock=lock), freeze_time("2026-11-15 15:00:00"):
                bad = self._renewal_in("sent")
                before, counts = self._snapshot(bad), self._count()
                self.company.sudo()[lock] = date(2026, 11, 30)
                message = self._assert_refused(bad.action_approve)
                self.assertIn("Lock Date (11/30/2026)", message)
                self.assertEqual((self._snapshot(bad), self._count()), (before, counts))
                action = bad.action_bulk("approve")
                job = self.env["membri.bulk.job"].browse(action["res_id"])
                self.assertEqual(job.problem_line_ids.mapped("message"), [message])
                self.assertIn("period is locked", self._enrolment().obstacle)
            with freeze_time("2026-12-01 15:00:00"):
                bad.action_approve()
                self.assertEqual(bad.invoice_id.state, "posted")

    def _enrolment(self, **vals):
        return self.env["membri.enrolment"].create(
            {"partner_id": self.member.id, "option_set_id": self.yearly.id, **vals}
        )

    def test_reset_in_a_locked_period_credits(self):
        """Nothing in the locked period is touched, nothing is owed, and the wizard says it
        before."""
        renewal = self._renewal_in("approved")
        invoice = renewal.invoice_id
        with freeze_time("2026-12-15 15:00:00"):
            self.company.sudo().fiscalyear_lock_date = date(2026, 11, 30)
            wizard = self._open_wizard(renewal.action_ask_reset())
            self.assertIn("credit note for the same amount", wizard.consequences)
            wizard.action_confirm()
        self.assertEqual((invoice.state, invoice.payment_state), ("posted", "reversed"))
        self.assertEqual(invoice.date, date(2026, 11, 15))
        self.assertEqual(invoice.reversal_move_ids.invoice_date, date(2026, 12, 15))
        self.assertEqual(renewal.state, "draft")
        self.assertEqual(renewal.partner_id.credit, 0.0)

    # ------------------------------------------------------------------
    # Refusal
    # ------------------------------------------------------------------

    def test_deleted_reason(self):
        """Somebody deleted it between its choice and the confirmation."""
        renewal = self._renewal_in("sent")
        before = self._snapshot(renewal)
        action = renewal.action_refuse()
        gone = self.env["membri.refusal.reason"].create({"name": "Mistaken"})
        gone_id = gone.id
        wizard = self._open_wizard(action, reason_id=gone_id)
        gone.with_user(self.manager).unlink()
        with self.assertRaisesRegex(UserError, "has been deleted"):
            self._open_wizard(action, reason_id=gone_id)
        with self.assertRaisesRegex(UserError, "has been deleted"):
            renewal._do_refuse(gone, None)
        self.assertFalse(wizard.reason_id)
        with self.assertRaisesRegex(UserError, "Choose a decline reason"):
            wizard.action_confirm()
        self.assertEqual(self._snapshot(renewal), before)

    def test_given_reason_stays(self):
        renewal = self._renewal_in("refused")
        with self.assertRaisesRegex(UserError, "“Moved to the Moon” is the reason for 1 "):
            self.reason.with_user(self.manager).unlink()
        self.reason.with_user(self.manager).active = False
        self.assertEqual(renewal.refusal_reason_id, self.reason)

    # ------------------------------------------------------------------
    # Enrolment
    # ------------------------------------------------------------------

    def _assert_not_enrolled(self, sentence, option_set, **vals):
        counts = self._count()
        wizard = self.env["membri.enrolment"].create(
            {"partner_id": self.member.id, "option_set_id": option_set.id, **vals}
        )
        self.assertIn(sentence, wizard.obstacle)
        self.assertIn(sentence, self._assert_refused(wizard.action_confirm))
        self.assertEqual(self._count(), counts)
        self.assertFalse(self.member.membri_cotisation_ids)

    def test_enrol_without_option_set(self):
        message = self._assert_refused(
            lambda: self.member._membri_enrol(self.env["membri.option.set"])
        )
        self.assertIn("Choose a plan", message)

    def test_enrol_with_archived_product(self):
        gone = self._create_option("Withdrawn", 80.0)
        wizard = self.env["membri.enrolment"].create(
            {"partner_id": self.member.id, "option_set_id": self.yearly.id}
        )
        wizard.line_ids.product_id = gone
        gone.active = False
        self.assertIn("“Withdrawn”", self._assert_refused(wizard.action_confirm))
        self.assertFalse(self.member.membri_cotisation_ids)

    def test_enrol_with_discounts_above_the_price(self):
        """What cannot be invoiced is named as people know it."""
        discounts = self._create_option_set("Less", self._create_option("Discount", -50.0))
        message = self._assert_refused(lambda: self.member._membri_enrol(discounts))
        self.assertIn(self.member.name, message)
        self.assertNotIn("membri.enrolment", message)

    def test_a_last_day_that_means_never(self):
        """9999-12-31, as other systems write it: no day follows it."""
        values = {"date_end": "9999-12-31"}
        for call in (
            lambda: self._create_cotisation(self.member, "2026-01-01", **values),
            lambda: self._create_yearly().write(values),
        ):
            with self.assertRaises(ValidationError) as caught:
                call()
            self.assertIn("lifetime", str(caught.exception))

    def test_delays_that_lead_out_of_the_calendar(self):
        """A typing error of one plan would stop the night of all companies."""
        step = {"option_set_id": self.yearly.id, "trigger": "after_sent"}
        step = self.env_root["membri.reminder.step"].create(step)
        for record, names in (
            (
                self.yearly.sudo(),
                ("notice_lead_days", "grace_days", "announce_days", "unpaid_end_months"),
            ),
            (step, ("days",)),
            (
                self.company.sudo(),
                (
                    "membri_no_answer_days",
                    "membri_no_answer_months",
                    "membri_report_hold_days",
                    "membri_charge_lead_days",
                ),
            ),
        ):
            for name in names:
                with self.subTest(name=name):
                    with self.assertRaises(ValidationError):
                        record[name] = 1000000
                    record[name] = 9999
        self._create_yearly()
        self._run_cron("ir_cron_generate")
        self._run_cron("ir_cron_send_reminders")
        self.assertTrue(self.env["membri.dashboard"].search([]).mapped("record_count"))

    def test_enrol_with_dates_the_wrong_way_round(self):
        self._assert_not_enrolled(
            "before the first", self.yearly, date_start="2026-12-01", date_end="2026-11-01"
        )

    # ------------------------------------------------------------------
    # Somebody else was quicker
    # ------------------------------------------------------------------

    def test_stale_form(self):
        """A page that was opened before somebody else decided: what it sends is refused."""
        renewal = self._renewal_in("change_requested")
        as_seen = renewal.with_user(self.manager)
        line_id = renewal.line_ids.id
        renewal.action_approve()
        before = self._snapshot(renewal)
        for stale in (
            lambda: as_seen.web_save({"line_ids": [(1, line_id, {"price_unit": 1.0})]}, {"id": {}}),
            as_seen.action_approve,
            as_seen.action_send,
            as_seen.action_refuse,
        ):
            self.assertIn(renewal.name, self._assert_refused(stale))
            self.assertEqual(self._snapshot(renewal), before)

    def test_wizard_opened_before_another_decided(self):
        renewal = self._renewal_in("sent")
        refusal = self._open_wizard(renewal.action_refuse(), reason_id=self.reason.id)
        renewal.with_user(self.manager).action_approve()
        before = self._snapshot(renewal)
        self.assertIn("Reset it first", self._assert_refused(refusal.action_confirm))
        reset = self._open_wizard(renewal.action_ask_reset())
        self.assertFalse(reset.obstacle)
        self._pay(renewal.invoice_id)
        paid = self._snapshot(renewal)
        self.assertNotEqual(paid, before)
        self.assertIn("has a payment", self._assert_refused(reset.action_confirm))
        self.assertEqual(self._snapshot(renewal), paid)

    def test_deleted_meanwhile(self):
        """A draft that a colleague has deleted: Odoo's own sentence, no traceback."""
        renewal = self._renewal_in("draft")
        as_seen = renewal.with_user(self.manager)
        renewal.unlink()
        message = self._assert_refused(as_seen.action_approve)
        self.assertTrue(message)
