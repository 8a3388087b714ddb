from odoo import api, fields, models
from odoo.exceptions import UserError

# up to about a screenful is done while the user waits
FOREGROUND_LIMIT = 80


class MembriBulkJob(models.Model):
    """One action on many renewals: done, skipped and failed line by line, with reasons.

    Small ones run at once, large ones in the background, see ``bulk_job/runner.py``. Another
    action is added by ``selection_add``; what it works on, when it may, and what it does are
    the hooks ``_get_records``, ``_get_cannot_reason`` and ``_apply`` there.
    """

    _name = "membri.bulk.job"
    _description = "Background Job"
    _inherit = ["membri.runner.mixin", "membri.fields.mixin"]
    _written_by_clients = False
    _work_cron = "membri_renewal.ir_cron_process_bulk"
    _order = "id desc"

    name = fields.Char(compute="_compute_name")
    action = fields.Selection(
        [
            ("send", "Send"),
            ("send_reminder", "Send a Reminder"),
            ("approve", "Approve"),
            ("apply_and_approve", "Apply and Approve"),
            ("refuse", "Decline"),
            ("print_letter", "Print Letters"),
            ("retry_sending", "Retry Sending"),
            ("end_unpaid", "End Unpaid Renewals"),
        ],
        required=True,
        readonly=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users",
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.user,
    )
    refusal_reason_id = fields.Many2one(
        "membri.refusal.reason", string="Decline Reason", readonly=True, ondelete="restrict"
    )
    refusal_note = fields.Text(string="Decline Note", readonly=True)
    is_stopped = fields.Boolean(string="Stopped", readonly=True)
    line_ids = fields.One2many("membri.bulk.job.line", "job_id", string="Lines", readonly=True)
    # one that serves several members may be asked for by several batches
    printed_invoice_ids = fields.Many2many(
        "account.move", "membri_bulk_job_printed_rel", string="Printed Invoices", readonly=True
    )
    problem_line_ids = fields.One2many(
        "membri.bulk.job.line",
        "job_id",
        string="Not Processed",
        domain=[("result", "in", ("skipped", "failed"))],
        readonly=True,
    )
    remark_line_ids = fields.One2many(
        "membri.bulk.job.line",
        "job_id",
        string="Processed, With a Remark",
        domain=[("result", "=", "done"), ("message", "!=", False)],
        readonly=True,
    )
    state = fields.Selection(
        [("running", "Running"), ("stopped", "Stopped"), ("finished", "Finished")],
        string="Status",
        compute="_compute_counts",
    )
    total_count = fields.Integer(string="Selected", compute="_compute_counts")
    todo_count = fields.Integer(string="Left to Process", compute="_compute_counts")
    done_count = fields.Integer(string="Processed", compute="_compute_counts")
    skipped_count = fields.Integer(string="Skipped", compute="_compute_counts")
    failed_count = fields.Integer(string="Failed", compute="_compute_counts")
    progress = fields.Integer(compute="_compute_counts")
    is_mine = fields.Boolean(string="My Job", compute="_compute_is_mine")

    @api.depends("action", "create_date")
    @api.depends_context("lang")
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
            job.total_count = total
            job.progress = 100 * (total - job.todo_count) // total if total else 100
            job.state = (
                "finished" if not job.todo_count else "stopped" if job.is_stopped else "running"
            )

    @api.depends("user_id")
    @api.depends_context("uid")
    def _compute_is_mine(self):
        for job in self:
            job.is_mine = job.user_id == self.env.user

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

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
            "display_name": self.name,
            "domain": [("id", "in", lines.renewal_id.ids)],
            "context": {},
        }

    def action_stop(self):
        """Stop after the batch that is being worked on; nothing done is undone."""
        self._check_owner()
        self.sudo().is_stopped = True  # sudo: jobs are the system's; the owner was checked
        self._notify_progress()

    def action_resume(self):
        """Go on with what is still to do, in the background, with the rights of whoever resumes
        it."""
        self._check_owner()
        # sudo: jobs are the system's; the owner was checked
        self.sudo().write({"is_stopped": False, "user_id": self.env.uid})
        self._find_left_behind().unlink()
        self._trigger_work()
        self._notify_progress()

    def action_retry(self):
        """Put the failed lines back to do: a screenful is done at once."""
        self._check_owner()
        # sudo: jobs are the system's; the owner was checked
        for job_sudo in self.sudo():
            failed = job_sudo.line_ids.filtered(lambda line: line.result == "failed")
            failed.write({"result": "todo", "message": False})
            job_sudo.write({"is_stopped": False, "user_id": self.env.uid})
            job_sudo._find_left_behind().unlink()
            job_sudo._work_now_or_later()

    def _check_owner(self):
        self.check_access("read")
        is_manager = self.env.user.has_group("membri_renewal.group_membri_manager")
        may_work = self.env["membri.renewal"].has_access("write")
        for job in self:
            # whoever may do the same goes on with the work of one who may not any more
            is_left = may_work and not (
                job.user_id.active and job._as_requester([]).has_access("write")
            )
            if job.user_id != self.env.user and not is_manager and not is_left:
                raise UserError(
                    self.env._(
                        "%(job)s was started by %(user)s. Only this user or a membership "
                        "manager can stop or resume it.",
                        job=job.name,
                        user=job.user_id.name,
                    )
                )

    # ------------------------------------------------------------------
    # Letters: each batch is a file of the job, in the order of the post; downloaded as one
    # ------------------------------------------------------------------

    def action_download_letters(self):
        """:return: a client action that downloads the letters of this job as one file"""
        self.ensure_one()
        return self.env["membri.renewal"]._get_letters_action(self._get_letters_sudo()[:1])

    def _get_letters_sudo(self):
        """Return the files of this job, in the order of the post. Letters answer in the name of
        members: they are for those who may answer."""
        self.ensure_one()
        self.check_access("read")
        self.line_ids.renewal_id.check_access("write")
        # sudo: the files belong to the job, which its user may read and not write
        return (
            self.env["ir.attachment"]
            .sudo()
            .search([("res_model", "=", self._name), ("res_id", "=", self.id)], order="id")
        )

    # ------------------------------------------------------------------
    # Progress, wherever the user is
    # ------------------------------------------------------------------

    @api.model
    def _get_running_progress(self):
        """:return: the user's own jobs that are at work, for the tray of the web client"""
        return self.search(
            [
                ("user_id", "=", self.env.uid),
                ("is_stopped", "=", False),
                ("line_ids.result", "=", "todo"),
            ]
        ).get_progress()

    @api.readonly
    def get_progress(self):
        """Asked for by the web client where no live message comes.

        :return: list of dicts, as :meth:`_get_progress`
        """
        return [job._get_progress() for job in self.exists()]

    def _get_progress(self):
        self.ensure_one()
        names = ("id", "name", "state", "progress", "done_count", "skipped_count", "failed_count")
        return {name: self[name] for name in names}

    def _notify_progress(self):
        # EXTENDS runner_mixin: tell the browsers of the users who asked for these jobs
        for job in self:
            in_their_words = job.with_context(lang=job.user_id.lang)
            job.user_id._bus_send("membri_bulk_job", in_their_words._get_progress())


class MembriBulkJobLine(models.Model):
    _name = "membri.bulk.job.line"
    _description = "Renewal in a Background Job"
    _inherit = "membri.fields.mixin"
    _written_by_clients = False
    _order = "id"

    job_id = fields.Many2one("membri.bulk.job", required=True, index=True, ondelete="cascade")
    # not required: an action of an extension may work on something else
    renewal_id = fields.Many2one("membri.renewal", index=True, ondelete="cascade")
    result = fields.Selection(
        [
            ("todo", "Left to Process"),
            ("done", "Processed"),
            ("skipped", "Skipped"),
            ("failed", "Failed"),
        ],
        default="todo",
        required=True,
    )
    message = fields.Text(help="Why the renewal was not processed.")
    refusal_reason_id = fields.Many2one(
        "membri.refusal.reason",
        string="Decline Reason",
        ondelete="restrict",
        help="Reason for this renewal, if it differs from the job's.",
    )
    refusal_note = fields.Text(string="Decline Note")

    # the work: the next lines of a job
    _todo = models.Index("(job_id, id) WHERE result = 'todo'")
    _once = models.UniqueIndex(
        "(job_id, renewal_id)", "A renewal can only appear once in a background job."
    )

    def action_open_renewal(self):
        self.ensure_one()
        return self.renewal_id._get_records_action()
