"""Issue 11 A5: a printer that prints nothing."""

from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_actions_report import IrActionsReport

from .common import MembriCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestPrinter(MembriCommon):
    """wkhtmltopdf that ends with 1 and no output: nothing is sent, and nothing is *done*."""

    def setUp(self):
        super().setUp()
        self.broken = set()
        self.output = b""
        Report = self.registry["ir.actions.report"]
        original = Report._get_splitted_report

        def _get_splitted_report(report, report_ref, content, report_type):
            contents = original(report, report_ref, content, report_type)
            names = {(report._get_report(report_ref).model, id_) for id_ in contents}
            if names & self.broken:
                report._membri_check_pdf(self.output)
            return contents

        self.patch(Report, "_get_splitted_report", _get_splitted_report)

    def _run_without_output(self, call):
        with (
            patch.object(IrActionsReport, "_run_wkhtmltopdf", lambda *args, **kwargs: self.output),
            mute_logger("odoo.addons.membri_renewal.models.mixins.state"),
        ):
            return call()

    def test_no_pdf(self):
        Report = self.env["ir.actions.report"]
        for output in (b"", None, False, b"<html/>", b"%PD"):
            with self.subTest(output=output), self.assertRaises(UserError):
                Report._membri_check_pdf(output)
        self.assertEqual(Report._membri_check_pdf(b"%PDF-1.4 x"), b"%PDF-1.4 x")

    def test_sending(self):
        renewal = self._renewal_in("draft").with_context(force_report_rendering=True)
        before = self._snapshot(renewal)
        for output in (b"", b"oops"):
            self.output = output
            with self.subTest(output=output), self.assertRaises(UserError):
                with self.env.cr.savepoint():
                    self._run_without_output(renewal.action_send)
            self.assertEqual(self._snapshot(renewal), before)

    def test_letters_and_cards(self):
        sent = self._renewal_in("sent").with_context(force_report_rendering=True)
        sent.partner_id.street = "1 Main Street"
        accepted = self._renewal_in("approved").with_context(force_report_rendering=True)
        accepted.partner_id.street = "2 Main Street"
        for renewal in (sent, accepted):
            with self.subTest(state=renewal.state), self.assertRaises(UserError):
                with self.env.cr.savepoint():
                    self._run_without_output(renewal.action_print_letter)
            self.assertFalse(renewal.date_printed)

    def test_one_of_many_fails_alone(self):
        good, bad, other = (self._renewal_in("draft") for _time in range(3))
        self.broken = {("membri.renewal", bad.id)}
        with mute_logger("odoo.addons.membri_renewal.models.mixins.state"):
            action = (good | bad | other).action_bulk("send")
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual((good | other).mapped("state"), ["sent", "sent"])
        self.assertEqual(job.problem_line_ids.renewal_id, bad)
        self.assertEqual((bad.state, bad.delivery_state, bad.date_sent), ("draft", "failed", False))
        queue = self.env["membri.dashboard"].search([("code", "=", "send_failed")])
        self.assertIn(bad, bad.search(queue._get_domain()))

    def test_night(self):
        good = self._create_yearly()
        bad = self._create_yearly()
        Renewal = self.registry["membri.renewal"]
        original = Renewal._render_notices

        def _render_notices(renewals):
            if bad in renewals.cotisation_id:
                renewals.env["ir.actions.report"]._membri_check_pdf(b"")
            return original(renewals)

        with (
            patch.object(Renewal, "_render_notices", _render_notices),
            mute_logger("odoo.addons.membri_renewal.models.mixins.state"),
        ):
            (good | bad)._generate_isolated()
        self.assertEqual(good.renewal_ids.state, "sent")
        self.assertEqual(
            (bad.renewal_ids.state, bad.renewal_ids.delivery_state), ("draft", "failed")
        )
        self.assertFalse(bad.renewal_ids.date_sent)

    def test_invoice(self):
        """Odoo's own sending of our invoices: the one that is not printed is not sent."""
        renewals = self._renewal_in("approved") | self._renewal_in("approved")
        good, bad = renewals
        invoices = renewals.invoice_id
        self.broken = {("account.move", bad.invoice_id.id)}
        self.env_root["account.move.send"]._generate_and_send_invoices(
            invoices.with_env(self.env_root), from_cron=True, sending_methods=["email"]
        )
        self.assertTrue(good.invoice_id.is_move_sent)
        self.assertFalse(bad.invoice_id.is_move_sent)
        self.assertFalse(bad.invoice_id.membri_date_sent)
        self.assertEqual(bad.delivery_state, "failed")
