from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from odoo.addons.membri_renewal.tests.common import MembriCommon
from odoo.addons.queue_job.job import Job

WORK = "odoo.addons.membri_renewal.models.bulk_job.runner"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestQueueJob(MembriCommon):
    """issue 14, point 3: background work goes by jobs of ``queue_job``, one batch each, with the
    same results, isolation, progress, stop and retry."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, value in (("BATCH", 2), ("FOREGROUND_LIMIT", 0)):
            patcher = patch(f"{WORK}.{name}", value)
            patcher.start()
            cls.addClassCleanup(patcher.stop)
        cls.before = cls.env_root["queue.job"].search([])

    def _get_jobs(self, *states):
        jobs = self.env_root["queue.job"].search([], order="id") - self.before
        return jobs.filtered(lambda job: job.state in (states or ("pending",)))

    def _perform(self, record):
        """What the runner does once it has asked for this job."""
        job = Job.load(self.env_root, record.uuid)
        job.perform()
        job.set_done()
        job.store()
        self.env.flush_all()
        self.env.invalidate_all()

    def _perform_all(self):
        while jobs := self._get_jobs():
            self._perform(jobs[0])

    def _start(self, renewals, action="approve"):
        return self.env["membri.bulk.job"].browse(renewals.action_bulk(action)["res_id"])

    def _create_drafts(self, count):
        return self.env["membri.renewal"].union(
            *(self._create_renewal(self._create_yearly()) for _number in range(count))
        )

    def _run_scheduled(self, name, method):
        """As the scheduler calls it."""
        cron = self.env_root.ref(f"membri_renewal.{name}")
        model = self.env_root[cron.model_id.model].with_context(cron_id=cron.id)
        with patch.object(self.registry["ir.cron"], "_commit_progress", lambda *a, **k: 60.0):
            getattr(model, method)()

    def _assert_approved_once(self, renewals):
        self.assertEqual(set(renewals.mapped("state")), {"approved"})
        for renewal in renewals.sudo():
            moves = self.env_root["account.move"].search([("membri_renewal_id", "=", renewal.id)])
            self.assertEqual((len(moves), moves.state), (1, "posted"))
            terms = self.env_root["membri.cotisation"].search([("renewal_id", "=", renewal.id)])
            self.assertEqual((len(terms), terms.state), (1, "pending"))

    # ------------------------------------------------------------------
    # What users ask for
    # ------------------------------------------------------------------

    def test_approve(self):
        renewals = self._create_drafts(5)
        job = self._start(renewals)
        jobs = self._get_jobs()
        self.assertEqual(jobs.mapped("channel"), ["root.membri.approval"] * 3)
        self.assertEqual(job.progress, 0)
        self._perform(jobs[0])
        self.assertEqual((job.done_count, job.todo_count, job.state), (2, 3, "running"))
        self._perform_all()
        self.assertEqual((job.done_count, job.state), (5, "finished"))
        self._assert_approved_once(renewals)
        # as the officer who asked for it
        self.assertEqual(renewals.sudo().invoice_id.membri_cotisation_ids.create_uid, self.officer)

    def test_one_bad_record(self):
        renewals = self._create_drafts(4)
        renewals[1].line_ids.sudo()._as_internal().unlink()
        job = self._start(renewals)
        self._perform_all()
        self.assertEqual((job.done_count, job.skipped_count, job.todo_count), (3, 1, 0))
        self.assertIn(renewals[1].name, job.problem_line_ids.message)
        self._assert_approved_once(renewals - renewals[1])

    def test_stop_and_resume(self):
        renewals = self._create_drafts(5)
        job = self._start(renewals)
        self._perform(self._get_jobs()[0])
        job.action_stop()
        self._perform_all()
        self.assertEqual((job.done_count, job.todo_count, job.state), (2, 3, "stopped"))
        job.action_resume()
        self.assertEqual(len(self._get_jobs()), 2)
        self._perform_all()
        self.assertEqual((job.done_count, job.state), (5, "finished"))
        self._assert_approved_once(renewals)

    def test_worker_killed(self):
        """What a killed worker did is undone with its transaction; another one does it."""
        renewals = self._create_drafts(6)
        job = self._start(renewals)
        jobs = self._get_jobs()
        self._perform(jobs[0])
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            Job.load(self.env_root, jobs[1].uuid).perform()
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual((job.done_count, job.todo_count), (2, 4))
        self._perform_all()
        self.assertEqual((job.done_count, job.todo_count), (6, 0))
        self._assert_approved_once(renewals)

    def test_lost_jobs_are_made_again(self):
        renewals = self._create_drafts(3)
        job = self._start(renewals)
        self._run_scheduled("ir_cron_process_bulk", "_cron_process_bulk")
        self.assertEqual(len(self._get_jobs()), 2)  # waiting: none is doubled
        self._get_jobs().unlink()
        self._run_scheduled("ir_cron_process_bulk", "_cron_process_bulk")
        self.assertEqual(len(self._get_jobs()), 2)
        self._perform_all()
        self.assertEqual(job.state, "finished")
        self._assert_approved_once(renewals)

    def test_channels(self):
        renewals = self._renewal_in("sent")
        self._start(renewals, "send_reminder")
        self._start(renewals, "print_letter")
        self.assertEqual(
            self._get_jobs().mapped("channel"), ["root.membri.sending", "root.membri.letters"]
        )

    # ------------------------------------------------------------------
    # The night
    # ------------------------------------------------------------------

    def test_generation(self):
        terms = self.env["membri.cotisation"].union(*(self._create_yearly() for _ in range(3)))
        with patch("odoo.addons.membri_renewal.models.renewal.generation.BATCH", 2):
            self._run_scheduled("ir_cron_generate", "_cron_generate")
            jobs = self._get_jobs()
            self.assertEqual(jobs.mapped("channel"), ["root.membri.generation"] * 2)
            self.assertFalse(terms.renewal_ids)
            # what jobs wait for is not given to others
            self._run_scheduled("ir_cron_generate", "_cron_generate")
            self.assertEqual(self._get_jobs(), jobs)
            self._perform_all()
        self.assertEqual([len(term.renewal_ids) for term in terms], [1, 1, 1])
        self.assertEqual(set(terms.renewal_ids.mapped("state")), {"sent"})

    def test_called_by_itself_it_works_at_once(self):
        term = self._create_yearly()
        with patch.object(self.registry["ir.cron"], "_commit_progress", lambda *a, **k: 60.0):
            self.env_root["membri.renewal"]._cron_generate()
        self.assertEqual(term.renewal_ids.state, "sent")
        self.assertFalse(self._get_jobs())
