from datetime import timedelta
from typing import NamedTuple

from odoo import SUPERUSER_ID, api, fields, models

from odoo.addons.queue_job.job import ENQUEUED, PENDING, STARTED, WAIT_DEPENDENCIES

WAITING = (WAIT_DEPENDENCIES, PENDING, ENQUEUED)
# how soon to look again at what somebody else has locked
BUSY_DELAY = timedelta(minutes=1)
# whose work goes by jobs, and by which channel; the others are quick, or charge money, which one
# worker does
CHANNELS = {
    "membri_renewal.ir_cron_generate": "root.membri.generation",
    "membri_renewal.ir_cron_send_reminders": "root.membri.sending",
    "membri_renewal.ir_cron_send_fee_notices": "root.membri.sending",
    "membri_renewal.ir_cron_send_receipts": "root.membri.sending",
    "membri_renewal.ir_cron_send_annual_receipts": "root.membri.sending",
}


class Batch(NamedTuple):
    """What a job is about, in the context of the scheduled action; no client can send one."""

    ids: tuple


class IrCron(models.Model):
    """The nightly runs find what is due, and leave it to jobs, one batch each."""

    _inherit = "ir.cron"

    @api.model
    def _membri_work_off(
        self, Model, domain, work, *, order="id", limit=50, join=None, search=None
    ):
        # EXTENDS membri_renewal
        batch = self.env.context.get("membri_batch")
        if isinstance(batch, Batch):
            return self._membri_work_off_batch(Model.browse(batch.ids), domain, work, join)
        cron = self.browse(self.env.context.get("cron_id"))
        channel = cron and CHANNELS.get(cron.get_external_id()[cron.id])
        if not channel:
            return super()._membri_work_off(
                Model, domain, work, order=order, limit=limit, join=join, search=search
            )
        waiting = cron._membri_get_ids_in_jobs()
        found = search() if search else Model.search(domain, order=order).ids
        found = [record_id for record_id in found if record_id not in waiting]
        for start in range(0, len(found), limit):
            cron._membri_enqueue(found[start : start + limit], channel)
        self._commit_progress(len(found), remaining=0)
        return None

    def _membri_enqueue(self, ids, channel, eta=None):
        """Leave these records to a job: it runs this scheduled action for them alone."""
        cron = self.with_env(self.env(user=SUPERUSER_ID, context={}))
        cron.with_delay(channel=channel, eta=eta, description=self.name)._membri_run_batch(ids)

    def _membri_get_ids_in_jobs(self):
        """:return: set of the ids that jobs of this scheduled action are about to work on"""
        # sudo: jobs are the queue's; only ids are taken
        jobs_sudo = (
            self.env["queue.job"]
            .sudo()
            .search(
                [
                    ("model_name", "=", self._name),
                    ("method_name", "=", "_membri_run_batch"),
                    ("state", "in", (*WAITING, STARTED)),
                ]
            )
        )
        return {
            record_id
            for job in jobs_sudo
            if job.records.ids == self.ids
            for record_id in job.args[0]
        }

    def _membri_run_batch(self, ids):
        """Membership: one batch of a scheduled action."""
        batch = Batch(tuple(ids))
        self.ir_actions_server_id.with_context(membri_batch=batch, membri_cron=self.id).run()

    @api.model
    def _membri_work_off_batch(self, batch, domain, work, join):
        """As the scheduled action does it for each of its batches; the job commits."""
        asked = batch = batch.exists()
        if join:
            batch = join(batch)
        free = batch.try_lock_for_update()
        if due := free.filtered_domain(domain):
            work(due)
        if busy := asked - free:  # by somebody else: a minute later
            cron = self.browse(self.env.context["membri_cron"])
            channel = CHANNELS[cron.get_external_id()[cron.id]]
            cron._membri_enqueue(busy.ids, channel, fields.Datetime.now() + BUSY_DELAY)
