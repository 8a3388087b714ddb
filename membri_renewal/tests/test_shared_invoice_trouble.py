from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_shared_invoice import SharedInvoiceCommon

LOGGER = "odoo.addons.membri_renewal.models.mixins.state"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestSharedInvoiceTrouble(SharedInvoiceCommon):
    """One bad member of a payer costs the others neither their approval nor their one invoice."""

    def _break_approval_of(self, member):
        original = type(self.env["membri.renewal"])._do_approve

        def _do_approve(renewals):
            original(renewals)
            if member.id in renewals.partner_id.ids:
                raise ValueError(f"no account for {member.name}")

        return patch.object(self.registry["membri.renewal"], "_do_approve", _do_approve)

    @mute_logger(LOGGER)
    def test_bulk(self):
        renewals = self._prepare()
        stranger = self._renewal_in("sent")
        with self._break_approval_of(self.members[1]):
            (renewals | stranger).action_bulk("approve")
        self.assertEqual(renewals.mapped("state"), ["approved", "sent", "approved"])
        invoice = self._get_invoice(renewals)
        self.assertEqual((invoice.state, invoice.amount_total), ("posted", 690.0))
        self.assertEqual(stranger.state, "approved")
        job = self.env["membri.bulk.job"].search([], limit=1)
        self.assertEqual(job.problem_line_ids.renewal_id, renewals[1])
        self.assertIn("no account for Branch 2", job.problem_line_ids.message)
        self.assertEqual(
            self.env_account["account.move"].search_count(
                [("membri_invoice_type", "=", "renewal"), ("partner_id", "=", self.payer.id)]
            ),
            1,
            "what was tried and undone left nothing",
        )

    @mute_logger(LOGGER)
    def test_night(self):
        self._create_terms_that_end()
        with self._break_approval_of(self.members[1]):
            self._run_cron("ir_cron_generate")
        renewals = self.members.membri_renewal_ids.sorted("partner_id")
        self.assertEqual(len(renewals), 3, "the failed one is there, with its reason")
        good = renewals.filtered(lambda r: r.partner_id != self.members[1])
        self.assertEqual(good.mapped("state"), ["approved", "approved"])
        self.assertEqual(len(good.invoice_id), 1)
        self.assertFalse((renewals - good).invoice_id)

    def test_nobody_taken_off_is_billed_again(self):
        """*Reverse and create invoice*: credited once already, it would be credited and billed
        a second time."""
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        renewals[0].action_reset()
        before = self._snapshot(renewals), invoice.amount_residual
        moves = self.env_account["account.move"].search_count([])
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        with self.assertRaisesRegex(
            UserError, "Already credited on .*Branch 1.* Reset the renewals"
        ):
            wizard.reverse_moves(is_modify=True)
        self.assertEqual((self._snapshot(renewals), invoice.amount_residual), before)
        self.assertEqual(self.env_account["account.move"].search_count([]), moves)
        # the way out that the sentence tells
        renewals[1:].action_reset()
        renewals[1:].action_approve()
        again = renewals[1:].invoice_id
        self.assertEqual((len(again), again.amount_total), (1, 690.0))
        self.assertEqual(invoice.payment_state, "reversed")

    def test_replaced_as_a_whole(self):
        renewals = self._prepare()
        renewals.action_approve()
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=renewals.invoice_id.ids)
            .create({"journal_id": renewals.invoice_id.journal_id.id})
        )
        replacement = wizard.reverse_moves(is_modify=True)["res_id"]
        self.assertEqual(renewals.invoice_id.ids, [replacement])
        self.assertEqual(renewals.invoice_id.amount_total, 1035.0)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestPrintedOnce(SharedInvoiceCommon):
    """Issue 12: one job, several batches, one letter for an invoice that serves several."""

    def setUp(self):
        super().setUp()
        self.payer.write({"email": False, "street": "1 Main Street", "city": "Town"})
        self.renewals = self._prepare()
        self.renewals.action_approve()
        self.invoice = self._get_invoice(self.renewals)
        # they stand in several batches, each asked for by name
        self.payer.membri_group_invoices = False
        self.printed = []

    def _print(self, renewals):
        def render(records):
            self.printed += records.invoice_id.ids
            return [b"%PDF"] * len(records.invoice_id)

        work = "odoo.addons.membri_renewal.models.bulk_job.runner"
        with (
            patch(f"{work}.PRINTED_BATCH", 1),
            patch.object(self.registry["membri.renewal"], "_render_letters", render),
            patch(
                "odoo.addons.membri_renewal.models.renewal.letter.merge_pdf", lambda parts: parts[0]
            ),
        ):
            renewals.action_bulk("print_letter")

    def test_once_in_a_job(self):
        self._print(self.renewals)
        self.assertEqual(self.printed, self.invoice.ids)
        self.assertEqual(set(self.renewals.mapped("letter_state")), {"printed"})
        job = self.env["membri.bulk.job"].search([], limit=1)
        self.assertEqual(job.done_count, 3)
        self.assertEqual(len(job.sudo()._get_letters_sudo()), 1)
        for renewal in self.renewals:
            logs = [m for m in renewal.message_ids if "Printed as a letter" in (m.body or "")]
            self.assertEqual(len(logs), 1)

    def test_again_by_another_job(self):
        self._print(self.renewals)
        self._print(self.renewals[0])
        self.assertEqual(self.printed, self.invoice.ids * 2)

    def test_printed_before_and_asked_for_again(self):
        """Those that wait for no letter are recorded as well."""
        self._print(self.renewals)
        with freeze_time("2026-11-20 15:00:00"):
            self._print(self.renewals)
        self.assertEqual(self.printed, self.invoice.ids * 2)
        self.assertEqual(
            {str(day) for day in self.renewals.mapped("date_printed")}, {"2026-11-20 15:00:00"}
        )
