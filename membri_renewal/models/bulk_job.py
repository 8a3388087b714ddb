from odoo import api, fields, models
from odoo.exceptions import UserError

BATCH = 50
# up to about a screenful is done while the user waits
FOREGROUND_LIMIT = 80


class MembriBulkJob(models.Model):
    """One action on many renewals: done, skipped and failed line by line, with reasons.

    Small ones run at once, large ones in the background; both by :meth:`_process_batch`.
    """

    _name = "membri.bulk.job"
    _description = "Work on Many Renewals"
    _order = "id desc"

    name = fields.Char(compute="_compute_name")
    action = fields.Selection(
        [
            ("send", "Send"),
            ("send_reminder", "Remind"),
            ("approve", "Approve"),
            ("refuse", "Refuse"),
        ],
        required=True,
        readonly=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, default=lambda self: self.env.user
    )
    refusal_reason_id = fields.Many2one("membri.refusal.reason", readonly=True)
    refusal_note = fields.Text(readonly=True)
    is_stopped = fields.Boolean(readonly=True)
    line_ids = fields.One2many("membri.bulk.job.line", "job_id", readonly=True)
    problem_line_ids = fields.One2many(
        "membri.bulk.job.line",
        "job_id",
        string="Not Done",
        domain=[("result", "in", ("skipped", "failed"))],
        readonly=True,
    )
    state = fields.Selection(
        [("running", "Running"), ("stopped", "Stopped"), ("finished", "Finished")],
        compute="_compute_counts",
    )
    todo_count = fields.Integer(compute="_compute_counts")
    done_count = fields.Integer(compute="_compute_counts")
    skipped_count = fields.Integer(compute="_compute_counts")
    failed_count = fields.Integer(compute="_compute_counts")
    progress = fields.Integer(compute="_compute_counts")

    @api.depends("action", "create_date")
    def _compute_name(self):
        labels = dict(self._fields["action"]._description_selection(self.env))
        for job in self:
            job.name = f"{labels.get(job.action, '')} #{job.id}"

    @api.depends("line_ids.result", "is_stopped")
    def _compute_counts(self):
        counts = {
            (job, result): count
            for job, result, count in self.env["membri.bulk.job.line"]._read_group(
                [("job_id", "in", self.ids)], ["job_id", "result"], ["__count"]
            )
        }
        for job in self:
            job.todo_count = counts.get((job, "todo"), 0)
            job.done_count = counts.get((job, "done"), 0)
            job.skipped_count = counts.get((job, "skipped"), 0)
            job.failed_count = counts.get((job, "failed"), 0)
            total = job.todo_count + job.done_count + job.skipped_count + job.failed_count
            job.progress = 100 * (total - job.todo_count) // total if total else 100
            job.state = (
                "finished" if not job.todo_count else "stopped" if job.is_stopped else "running"
            )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    @api.model
    def _start(self, action, renewals, **vals):
        """Do ``action`` on ``renewals``, now or in the background.

        :param vals: reason and note of a refusal
        :return: a client action that tells what happened, or shows the progress
        """
        renewals.check_access("write")
        renewals = renewals.union()  # a client may name a record twice
        job_sudo = self.sudo().create(
            {
                "action": action,
                "user_id": self.env.uid,
                "company_id": self.env.company.id,
                "line_ids": [
                    fields.Command.create({"renewal_id": renewal.id}) for renewal in renewals
                ],
                **vals,
            }
        )
        if len(renewals) <= FOREGROUND_LIMIT:
            while job_sudo._process_batch():
                pass
            if job_sudo.done_count == len(renewals):
                return job_sudo._get_success_notification()
        else:
            self.env.ref("membri_renewal.ir_cron_process_bulk").sudo()._trigger()
        return job_sudo._get_records_action(target="current")

    def _get_success_notification(self):
        self.ensure_one()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("Renewals done: %(count)s.", count=self.done_count),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_view_lines(self):
        """Show the renewals of this job that had one result."""
        self.ensure_one()
        result = self.env.context.get("membri_result")
        lines = self.env["membri.bulk.job.line"].search(
            [("job_id", "=", self.id), ("result", "=", result)]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_renewal"
        )
        return {
            **action,
            "name": self.name,
            "domain": [("id", "in", lines.renewal_id.ids)],
            "context": {},
        }

    def action_stop(self):
        """Stop after the batch that is being worked on; nothing done is undone."""
        self._check_owner()
        self.sudo().is_stopped = True

    def action_resume(self):
        self._check_owner()
        self.sudo().is_stopped = False
        self.env.ref("membri_renewal.ir_cron_process_bulk").sudo()._trigger()

    def action_retry(self):
        """Put the failed lines back to do."""
        self._check_owner()
        self.sudo().line_ids.filtered(lambda line: line.result == "failed").write(
            {"result": "todo", "message": False}
        )
        self.action_resume()

    def _check_owner(self):
        self.check_access("read")
        is_manager = self.env.user.has_group("membri_renewal.group_membri_manager")
        for job in self:
            if job.user_id != self.env.user and not is_manager:
                raise UserError(
                    self.env._(
                        "%(job)s was started by %(user)s: ask them, or a membership manager, to "
                        "stop or resume it.",
                        job=job.name,
                        user=job.user_id.name,
                    )
                )

    # ------------------------------------------------------------------
    # Work
    # ------------------------------------------------------------------

    @api.model
    def _cron_process_bulk(self):
        """Work off what was asked for, a batch at a time, committed as it goes."""
        cron = self.env["ir.cron"]
        domain = [("result", "=", "todo"), ("job_id.is_stopped", "=", False)]
        Line = self.env["membri.bulk.job.line"]
        cron._commit_progress(remaining=Line.search_count(domain))
        while line := Line.search(domain, limit=1, order="id"):  # first come, first served
            processed = line.job_id._process_batch()
            if not processed or not cron._commit_progress(processed):
                return
        cron._commit_progress(remaining=0)

    def _process_batch(self):
        """Work off up to ``BATCH`` lines as the user who asked for it.

        :return: how many lines got their result; 0 when none is left, or another worker
            has them
        """
        self.ensure_one()
        lines = self.env["membri.bulk.job.line"].search(
            [("job_id", "=", self.id), ("result", "=", "todo")], limit=BATCH, order="id"
        )
        lines = lines.try_lock_for_update().filtered(lambda line: line.result == "todo")
        by_renewal = {line.renewal_id.id: line for line in lines}
        renewals = (
            self.env["membri.renewal"]
            .with_user(self.user_id)
            .with_company(self.company_id)
            .browse(by_renewal)
        )
        reasons = {}

        def ask_for_reasons(records):
            for renewal in records:
                reasons[renewal] = renewal._get_cannot_reason(self.action)

        # isolated as well: the user may have lost the right to see them
        errors = renewals._run_isolated(ask_for_reasons)
        ready = renewals.filtered(lambda r: r not in errors and not reasons[r])
        errors |= ready._run_isolated(self._apply)
        for renewal in renewals:
            line = by_renewal[renewal.id]
            if renewal in errors:
                line.write({"result": "failed", "message": str(errors[renewal])})
            elif reasons[renewal]:
                line.write({"result": "skipped", "message": reasons[renewal]})
            else:
                line.write({"result": "done"})
        return len(lines)

    def _apply(self, renewals):
        if self.action == "refuse":
            renewals._check_can("refuse")
            renewals._do_refuse(self.refusal_reason_id, self.refusal_note)
        else:
            getattr(renewals, f"action_{self.action}")()


class MembriBulkJobLine(models.Model):
    _name = "membri.bulk.job.line"
    _description = "Renewal of a Bulk Job"
    _order = "id"

    job_id = fields.Many2one("membri.bulk.job", required=True, index=True, ondelete="cascade")
    renewal_id = fields.Many2one("membri.renewal", required=True, index=True, ondelete="cascade")
    result = fields.Selection(
        [("todo", "To Do"), ("done", "Done"), ("skipped", "Skipped"), ("failed", "Failed")],
        default="todo",
        required=True,
    )
    message = fields.Char()

    _todo = models.Index("(job_id, id) WHERE result = 'todo'")
    _once = models.UniqueIndex("(job_id, renewal_id)", "A renewal is listed once in a job.")

    def action_open_renewal(self):
        self.ensure_one()
        return self.renewal_id._get_records_action()
