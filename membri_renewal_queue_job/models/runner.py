from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain

from .ir_cron import BUSY_DELAY, Batch


class MembriRunnerMixin(models.AbstractModel):
    """What a user asks for on thousands goes by jobs, one batch each. Stopping, going on, the
    progress and the results are those of the background job or campaign; a job that finds it
    stopped does nothing."""

    _inherit = "membri.runner.mixin"

    def _trigger_work(self, at=None):
        # EXTENDS membri_renewal: jobs instead of scheduled actions
        for piece in self:
            for number in range(piece._count_batches()):
                piece._enqueue_batch(number, at)

    def _enqueue_batch(self, number, at=None):
        """Add a job for one batch, unless the job of this number waits already."""
        self.ensure_one()
        piece = self.with_env(self.env(user=SUPERUSER_ID, context={}))
        piece.with_delay(
            channel=self._get_job_channel(),
            eta=at,
            description=self.display_name,
            identity_key=f"{self._name},{self.id},{number}",
        )._run_batch_as_job()

    def _get_job_channel(self):
        """Return the name of the channel, of which ``ODOO_QUEUE_JOB_CHANNELS`` says how many
        jobs it runs at a time."""
        return "root.membri"

    def _run_batch_as_job(self):
        """Membership: one batch of a background job."""
        cron = self.env.ref(self._work_cron).ir_actions_server_id
        cron.with_context(membri_batch=Batch(tuple(self.ids))).run()

    @api.model
    def _work_off(self, domain, todo):
        # EXTENDS membri_renewal
        batch = self.env.context.get("membri_batch")
        if isinstance(batch, Batch):
            return self._work_off_batch(domain & Domain("id", "in", batch.ids))
        if not self.env.context.get("cron_id"):
            return super()._work_off(domain, todo)
        # those of jobs that failed, or were removed
        self.search(domain)._trigger_work()
        self.env["ir.cron"]._commit_progress(todo, remaining=0)
        return None

    @api.model
    def _work_off_batch(self, domain):
        """As the scheduled action does it, but for what ``queue_job`` does: a batch that collides
        with another transaction is done again by its job, which also commits."""
        piece = self.search(domain)
        if not piece:
            return  # stopped, or done
        processed = piece._process_batch_isolated()
        if processed:
            piece._notify_progress()
        if self.search_count(domain):
            # the next one; a minute later where others have locked it
            at = None if processed else fields.Datetime.now() + BUSY_DELAY
            piece._enqueue_batch("rest", at)


class MembriBulkJob(models.Model):
    _inherit = "membri.bulk.job"

    def _get_job_channel(self):
        # EXTENDS runner_mixin
        if self.action == "print_letter":
            return "root.membri.letters"
        if self.action in ("approve", "apply_and_approve"):
            return "root.membri.approval"
        return "root.membri.sending"


class MembriCampaign(models.Model):
    _inherit = "membri.campaign"

    def _get_job_channel(self):
        # EXTENDS runner_mixin
        return "root.membri.campaign"


class MembriImport(models.Model):
    _inherit = "membri.import"

    def _get_job_channel(self):
        # EXTENDS runner_mixin
        return "root.membri.import"
