from odoo import api, fields, models
from odoo.fields import Command, Domain

# up to about this many are previewed, or worked on, while the user waits
FOREGROUND_PREVIEW, FOREGROUND_WORK = 500, 80
# previews cost little, sendings print and post
BATCH_SIZES = {"preview": 500, "create_drafts": 100, "send": 50}
ACTIVITY = "membri_renewal.activity_work_stopped"


class MembriCampaign(models.Model):
    """The work of a campaign, on the engine of ``mixins/runner.py``: at once for a few members,
    in the background for thousands."""

    _inherit = "membri.campaign"

    # ------------------------------------------------------------------
    # Start
    # ------------------------------------------------------------------

    def _do_preview(self):
        """List the terms of the window, and have each looked at."""
        for campaign in self:
            campaign._update_lines()
            # sudo: lines are the system's
            campaign._start("preview", campaign.sudo().line_ids.filtered("is_to_preview"))

    def _update_lines(self):
        """One line per term that ends in the window, as of now. Lines of members who were
        left out by hand are kept as they are, those outside the window go."""
        self.ensure_one()
        campaign_sudo = self.sudo()  # lines are written by the campaign only
        cotisations = self.env["membri.cotisation"].search(self._get_window_domain())
        gone = campaign_sudo.line_ids.filtered(lambda line: line.cotisation_id not in cotisations)
        gone.unlink()
        new = cotisations - campaign_sudo.line_ids.cotisation_id
        campaign_sudo.line_ids = [Command.create({"cotisation_id": c.id}) for c in new]

    def _get_window_domain(self):
        self.ensure_one()
        return (
            Domain("company_id", "=", self.company_id.id)
            & Domain("option_set_id", "in", self.option_set_ids.ids)
            & Domain("date_end", ">=", self.date_from)
            & Domain("date_end", "<=", self.date_to)
            & Domain("state", "!=", "cancelled")
        )

    def _do_run(self, task):
        for campaign in self:
            campaign._start(task, campaign._get_ready_lines())

    def _get_ready_lines(self):
        """:return: the lines of members who are asked, in sudo"""
        self.ensure_one()
        return self.sudo().line_ids.filtered("is_ready")  # sudo: lines are the system's

    def _do_retry(self):
        for campaign in self:
            lines_sudo = campaign.sudo().line_ids  # sudo: lines are the system's
            again = lines_sudo.filtered(
                lambda line: line.result in ("changed", "failed") and not line.renewal_id
            )
            campaign._start(campaign.task, again | lines_sudo.filtered("is_todo"))

    def _start(self, task, lines_sudo):
        """Do ``task`` on these lines, now or in the background."""
        self.ensure_one()
        lines_sudo.write({"is_todo": True, "result": False, "message": False})
        self._end_stopped()
        self._set_state("running", task=task, user_id=self.env.uid)
        limit = FOREGROUND_PREVIEW if task == "preview" else FOREGROUND_WORK
        if self._work_or_queue(len(lines_sudo), limit) and self.state == "running":
            self._trigger_work()  # the nightly run has some right now

    # ------------------------------------------------------------------
    # Work
    # ------------------------------------------------------------------

    @api.model
    def _cron_process_campaigns(self):
        """Work off what was asked for. May be run at any time, twice, by two workers."""
        todo = Domain("is_todo", "=", True) & Domain("campaign_id.state", "=", "running")
        self._work_off(
            Domain("state", "=", "running"),
            self.env["membri.campaign.line"].search_count(todo),
        )

    def _stop_work(self, error):
        # EXTENDS runner_mixin
        self._set_state("stopped")
        [told] = self._split_by_staff_lang()
        note = told._get_stopped_sentence(told._get_error_sentence(error))
        told._message_log(body=note)
        # whose rights are gone could not go on
        gone = self.user_id
        if gone.active and self.env["membri.renewal"].with_user(gone).has_access("create"):
            gone = gone.browse()
        if assignee := self.company_id._membri_get_assignee(but=gone):
            # sudo: the company's officer has to know, whoever started it
            told.sudo().activity_schedule(ACTIVITY, summary=note, user_id=assignee.id)

    def _end_stopped(self):
        """Somebody goes on."""
        self.sudo().activity_unlink([ACTIVITY])  # sudo: whoever goes on ends it

    def _process_batch(self):
        # EXTENDS runner_mixin
        self.ensure_one()
        if self.state != "running":
            return 0
        # what is told on the lines is told in the language of that user
        worker = self.with_context(lang=self.user_id.lang)
        # sudo: lines are the system's; what they make is made as the user
        Line_sudo = worker.env["membri.campaign.line"].sudo()
        todo = Domain("campaign_id", "=", self.id) & Domain("is_todo", "=", True)
        lines = self._lock_batch(Line_sudo, todo, BATCH_SIZES[self.task])
        if self.task == "send":
            lines = lines._with_invoice_group(todo)
        lines = lines.try_lock_for_update().filtered("is_todo")
        if self.task == "preview":
            lines._preview()
            done = lines
        else:
            done = lines._make_renewals(only_drafts=self.task == "create_drafts")
        done.is_todo = False
        if not Line_sudo.search_count(todo, limit=1):
            self._finish()
        return len(done)

    def _count_batches(self):
        # EXTENDS runner_mixin
        todo = Domain("campaign_id", "=", self.id) & Domain("is_todo", "=", True)
        count = self.env["membri.campaign.line"].sudo().search_count(todo)  # sudo: a number only
        return max(1, -(-count // BATCH_SIZES[self.task]))

    def _finish(self):
        if self.task == "preview":
            self._set_state("previewed", date_previewed=fields.Datetime.now())
        else:
            self._set_state("done")
