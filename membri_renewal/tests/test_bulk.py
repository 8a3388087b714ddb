from contextlib import suppress
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MembriCommon

LOGGER = "odoo.addons.membri_renewal.models.mixins.state"
CRON = "ir_cron_process_bulk"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestBulk(MembriCommon):
    """specification §6: *Approuver*, *Refuser plusieurs renouvellements*, *Renvoyer l'avis* on any
    selection; each record by itself, long work in the background."""

    def _create_drafts(self, count):
        members = self.env["res.partner"].create(
            [
                {"name": f"Bulk {number}", "email": f"bulk{number}@example.com"}
                for number in range(count)
            ]
        )
        cotisations = self.env["membri.cotisation"].create(
            [
                {
                    "partner_id": member.id,
                    "option_set_id": self.yearly.id,
                    "date_start": "2026-01-01",
                    "state": "active",
                }
                for member in members
            ]
        )
        return self.env["membri.renewal"].create(
            [{"cotisation_id": cotisation.id} for cotisation in cotisations]
        )

    def _get_job(self):
        return self.env["membri.bulk.job"].search([], limit=1)

    def _get_results(self, job):
        return {line.renewal_id: (line.result, line.message or "") for line in job.sudo().line_ids}

    def _break_approval_of(self, *bad):
        """Make the approval of some renewals fail in its very middle."""
        original = type(self.env["membri.renewal"])._do_approve

        def _do_approve(renewals):
            original(renewals)
            if broken := renewals.filtered(lambda r: r.id in [b.id for b in bad]):
                raise ValueError(f"no account for {broken[0].name}")

        return patch.object(self.registry["membri.renewal"], "_do_approve", _do_approve)

    # ------------------------------------------------------------------
    # In the foreground
    # ------------------------------------------------------------------

    def test_all_done_is_a_notification(self):
        renewals = self._create_drafts(3)
        action = renewals.action_bulk("approve")
        self.assertEqual(action["tag"], "display_notification")
        self.assertIn("3", action["params"]["message"])
        self.assertEqual(renewals.mapped("state"), ["approved"] * 3)
        self.assertEqual(len(renewals.invoice_id), 3)

    def test_skipped_with_its_reason(self):
        """What may not be done is listed with the sentence of the single action."""
        renewals = self._create_drafts(3)
        self._refuse(renewals[1])
        action = renewals.action_bulk("approve")
        self.assertEqual(action["res_model"], "membri.bulk.job")
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual(
            (job.done_count, job.skipped_count, job.failed_count, job.progress), (2, 1, 0, 100)
        )
        result, message = self._get_results(job)[renewals[1]]
        self.assertEqual(result, "skipped")
        self.assertEqual(message, self._assert_refused(renewals[1].action_approve))
        self.assertEqual(renewals.mapped("state"), ["approved", "refused", "approved"])
        self.assertFalse(job.remark_line_ids)

    def test_a2_done_and_not_emailed_is_listed(self):
        """The page of the result names whom no invoice went to, beside those that were skipped."""
        renewals = self._create_drafts(3)
        renewals[0].partner_id.email = False
        self._refuse(renewals[1])
        action = renewals.action_bulk("approve")
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual(job.done_count, 2)
        self.assertEqual(job.remark_line_ids.renewal_id, renewals[0])
        self.assertIn(renewals[0].delivery_note, job.remark_line_ids.message)
        self.assertEqual(job.problem_line_ids.renewal_id, renewals[1])

    def test_a2_contact_given_to_another_company(self):
        """Whose contact the officer may not read any more is told, and stops nobody else."""
        renewals = self._create_drafts(3)
        other = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        renewals[1].partner_id.sudo().company_id = other
        self.env.invalidate_all()
        self.assertIn("Bulk 1", renewals[1].display_name)
        self.env["membri.bulk.job"]._start("approve", renewals)
        results = self._get_results(self._get_job())
        self.assertEqual([results[r][0] for r in renewals], ["done", "skipped", "done"])
        self.assertIn("Elsewhere", results[renewals[1]][1])

    def test_failed_is_isolated(self):
        """specification §7: one bad record never stops the others, and leaves nothing behind."""
        renewals = self._create_drafts(4)
        with self._break_approval_of(renewals[2]), mute_logger(LOGGER):
            action = renewals.action_bulk("approve")
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual((job.done_count, job.skipped_count, job.failed_count), (3, 0, 1))
        self.assertEqual(
            self._get_results(job)[renewals[2]],
            (
                "failed",
                f"Unexpected error: no account for {renewals[2].name}. Try again. If it happens "
                "again, send this message to your administrator; the server log has the details.",
            ),
        )
        self.assertEqual(renewals.mapped("state"), ["approved", "approved", "draft", "approved"])
        self.assertFalse(renewals[2].invoice_ids)
        self.assertEqual(len(renewals.invoice_ids), 3)
        job.action_retry()
        self.assertEqual((job.done_count, job.failed_count), (4, 0))
        self.assertEqual(len(renewals.invoice_ids), 4)

    def test_bulk_gives_what_the_single_action_gives(self):
        """Case: one action in bulk gives what the single action gives."""
        one, many = self._create_drafts(1), self._create_drafts(2)
        one.action_approve()
        many.action_bulk("approve")
        fields_ = ["state", "date_start", "date_end", "amount_total", "is_open", "payment_state"]
        expected = one.read(fields_)[0]
        for values in many.read(fields_):
            self.assertEqual({**values, "id": one.id}, expected)

    def test_send_and_remind(self):
        renewals = self._create_drafts(2)
        renewals.action_bulk("send")
        self.assertEqual(renewals.mapped("state"), ["sent", "sent"])
        renewals.action_bulk("send_reminder")
        self.assertEqual(renewals.mapped("reminder_count"), [1, 1])

    def test_refuse_many_by_the_wizard(self):
        renewals = self._create_drafts(3)
        renewals[0].action_approve()
        undecided = renewals[1:]
        wizard = self.env["membri.renewal.refuse"].create(
            {"renewal_ids": renewals.ids, "reason_id": self.reason.id, "note": "No answer"}
        )
        self.assertEqual(wizard.renewal_count, 3)
        action = wizard.action_confirm()
        self.assertEqual(undecided.mapped("state"), ["refused", "refused"])
        self.assertEqual(undecided.refusal_reason_id, self.reason)
        self.assertEqual(undecided.mapped("refusal_note"), ["No answer", "No answer"])
        self.assertEqual(renewals[0].state, "approved")
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual((job.done_count, job.skipped_count), (2, 1))

    def test_only_known_actions(self):
        renewals = self._create_drafts(1)
        for action in ("unlink", "refuse", "_do_approve", "reset", ""):
            with self.assertRaisesRegex(UserError, "not available for several renewals"):
                renewals.action_bulk(action)

    def test_same_record_twice(self):
        renewal = self._create_drafts(1)
        renewal.browse([renewal.id, renewal.id]).action_bulk("approve")
        self.assertEqual(renewal.state, "approved")
        self.assertEqual(len(renewal.invoice_ids), 1)

    def test_rights_of_the_one_who_asks(self):
        renewals = self._create_drafts(1)
        with self.assertRaises(AccessError):
            renewals.with_user(self.auditor).action_bulk("approve")
        with self.assertRaises(AccessError):
            renewals.with_user(self.employee).action_bulk("approve")
        self.assertEqual(renewals.state, "draft")

    # ------------------------------------------------------------------
    # In the background
    # ------------------------------------------------------------------

    def _start_in_background(self, renewals, action="approve"):
        with patch("odoo.addons.membri_renewal.models.bulk_job.runner.FOREGROUND_LIMIT", 0):
            result = renewals.action_bulk(action)
        self.assertEqual(result["res_model"], "membri.bulk.job")
        return self.env["membri.bulk.job"].browse(result["res_id"])

    def test_more_than_eighty_go_to_the_background(self):
        renewals = self._create_drafts(81)
        action = renewals.action_bulk("approve")
        job = self.env["membri.bulk.job"].browse(action["res_id"])
        self.assertEqual(set(renewals.mapped("state")), {"draft"})
        self.assertEqual((job.todo_count, job.progress), (81, 0))
        self._run_cron(CRON)
        self.assertEqual((job.done_count, job.progress), (81, 100))
        self.assertEqual(set(renewals.mapped("state")), {"approved"})
        self.assertEqual(len(renewals.invoice_ids), 81)

    def test_runs_as_the_requesting_user(self):
        renewals = self._create_drafts(2)
        job = self._start_in_background(renewals)
        self._run_cron(CRON)
        self.assertEqual(job.user_id, self.officer)
        self.assertEqual(renewals.invoice_id.create_uid, self.officer)
        self.assertEqual(
            renewals.invoice_id.sudo()[0].sending_data["author_user_id"], self.officer.id
        )

    def test_killed_in_the_middle_repeats_nothing(self):
        """What was committed stays done; what was not is done by the next run, once."""
        renewals = self._create_drafts(6)
        job = self._start_in_background(renewals)
        batches = []
        original = type(job)._process_batch

        def _process_batch(batch_job):
            if len(batches) == 2:
                raise SystemExit("killed")
            batches.append(batch_job)
            return original(batch_job)

        with (
            patch("odoo.addons.membri_renewal.models.bulk_job.runner.BATCH", 2),
            patch.object(self.registry["membri.bulk.job"], "_process_batch", _process_batch),
            self.enter_registry_test_mode(),
            suppress(SystemExit),  # assertRaises would roll back what was committed
        ):
            self.env_root.ref(f"membri_renewal.{CRON}").method_direct_trigger()
        self.assertEqual(len(batches), 2)
        self.env.invalidate_all()
        self.assertEqual((job.done_count, job.todo_count), (4, 2))
        invoices = renewals.invoice_ids
        self.assertEqual(len(invoices), 4)
        self._run_cron(CRON)
        self._run_cron(CRON)
        self.assertEqual((job.done_count, job.todo_count), (6, 0))
        self.assertEqual(len(renewals.invoice_ids), 6)
        self.assertLess(set(invoices), set(renewals.invoice_ids))

    def test_stop_resume(self):
        renewals = self._create_drafts(4)
        job = self._start_in_background(renewals)
        with patch("odoo.addons.membri_renewal.models.bulk_job.runner.BATCH", 2):
            job.sudo()._process_batch()
            job.action_stop()
            self._run_cron(CRON)
            self.assertEqual((job.done_count, job.todo_count, job.state), (2, 2, "stopped"))
            job.action_resume()
            self._run_cron(CRON)
        self.assertEqual((job.done_count, job.todo_count, job.state), (4, 0, "finished"))

    def test_stopping_is_for_its_owner_or_a_manager(self):
        job = self._start_in_background(self._create_drafts(1))
        colleague = self.officer.with_env(self.env_root).copy({"login": "colleague"})
        for method in ("action_stop", "action_resume", "action_retry"):
            with self.assertRaises(UserError):
                getattr(job.with_user(colleague), method)()
            with self.assertRaises(UserError):
                getattr(job.with_user(self.auditor), method)()
        job.with_user(self.manager).action_stop()
        self.assertTrue(job.is_stopped)

    def test_jobs_cannot_be_written(self):
        job = self._start_in_background(self._create_drafts(1))
        for user in (self.officer, self.manager):
            with self.assertRaises(AccessError):
                job.with_user(user).write({"user_id": self.manager.id})
            with self.assertRaises(AccessError):
                job.line_ids.with_user(user).write({"result": "todo"})
            with self.assertRaises(AccessError):
                self.env["membri.bulk.job"].with_user(user).create({"action": "approve"})

    def test_answered_meanwhile_is_skipped(self):
        renewals = self._create_drafts(2)
        job = self._start_in_background(renewals)
        self._refuse(renewals[0])
        self._run_cron(CRON)
        self.assertEqual((job.done_count, job.skipped_count), (1, 1))
        self.assertEqual(renewals[0].state, "refused")

    def test_deleted_meanwhile_is_gone(self):
        renewals = self._create_drafts(2)
        job = self._start_in_background(renewals)
        renewals[0].unlink()
        self._run_cron(CRON)
        self.assertEqual((job.done_count, job.todo_count), (1, 0))

    def test_user_who_lost_the_right_stops_nobody_else(self):
        """Their lines fail with the reason; the jobs of others go on, also those after."""
        leaver = self.officer.with_env(self.env_root).copy({"login": "leaver"})
        theirs, mine = self._create_drafts(2), self._create_drafts(2)
        their_job = self._start_in_background(theirs.with_user(leaver))
        my_job = self._start_in_background(mine)
        theirs[0]._schedule_once("membri_renewal.activity_intervention", "Something else")
        other = theirs.sudo().activity_ids
        leaver.group_ids = self.env_root.ref("base.group_user")
        self._run_cron(CRON)
        self.assertEqual((my_job.done_count, my_job.todo_count), (2, 0))
        self.assertEqual((their_job.failed_count, their_job.todo_count), (2, 0))
        self.assertEqual(theirs.mapped("state"), ["draft", "draft"])
        [asked] = theirs.sudo().activity_ids - other
        self.assertEqual(asked.user_id, self.officer)
        self.assertIn(their_job.with_env(asked.env).name, asked.summary)
        their_job.action_retry()  # an officer, who is no manager
        self.assertEqual((their_job.done_count, their_job.user_id), (2, self.officer))
        self.assertEqual(theirs.mapped("state"), ["approved", "approved"])
        self.assertFalse(theirs.sudo().activity_ids)

    def test_officer_goes_on_for_one_who_was_archived(self):
        leaver = self.officer.with_env(self.env_root).copy({"login": "leaver"})
        job = self._start_in_background(self._create_drafts(2).with_user(leaver))
        job.with_user(leaver).action_stop()
        with self.assertRaises(UserError):
            job.action_resume()
        leaver.active = False
        job.action_resume()
        self._run_cron(CRON)
        self.assertEqual((job.done_count, job.user_id), (2, self.officer))

    def test_first_come_first_served(self):
        first = self._start_in_background(self._create_drafts(1))
        second = self._start_in_background(self._create_drafts(1))
        order = []
        original = type(first)._process_batch

        def _process_batch(job):
            order.append(job.id)
            return original(job)

        with patch.object(self.registry["membri.bulk.job"], "_process_batch", _process_batch):
            self._run_cron(CRON)
        self.assertEqual(order, [first.id, second.id])
