from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_list

from .reading import MEGABYTE, check_size

# The states in which each step may be taken.
ALLOWED_FROM = {
    "preview": ("draft", "previewed", "done", "undone"),
    "run": ("draft", "previewed", "done", "undone"),
    "stop": ("running",),
    "resume": ("stopped",),
    "undo": ("done", "stopped"),
}
# up to about this many rows are previewed, or worked on, while the user waits …
FOREGROUND_PREVIEW, FOREGROUND_LIMIT = 2000, 300
# … and of files of up to so many bytes, unpacked, it is counted how many rows they have
FOREGROUND_BYTES = 5 * MEGABYTE
# what the reading of a list goes by
SOURCE_FIELDS = frozenset(
    {
        "profile",
        "file",
        "second_file",
        "date_order",
        "second_membership",
        "balance_mode",
        "balance_account_id",
    }
)


class MembriImport(models.Model):
    """A list of members from another system: looked at row by row, then taken over, and taken
    back as long as nothing has followed from it.

    What the rows say is read in ``row.py``, what becomes of them is decided in ``decision.py``,
    for the preview as for the run.
    """

    _name = "membri.import"
    _description = "Import of Members"
    _inherit = ["membri.runner.mixin", "membri.state.mixin"]
    _work_cron = "membri_renewal.ir_cron_process_imports"
    _order = "id desc"
    _locked_fields = frozenset({"state", "company_id"})
    _creation_fields = frozenset({"company_id"})
    _check_company_auto = True

    name = fields.Char(compute="_compute_name", store=True, readonly=False)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users",
        string="Imported By",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env.user,
    )
    profile = fields.Selection(
        [
            ("membri365", "Membri365"),
            ("civicrm", "CiviCRM"),
            ("wild_apricot", "Wild Apricot"),
            ("dolibarr", "Dolibarr"),
            ("galette", "Galette"),
            ("hitobito", "hitobito"),
            ("odoo", "Odoo Members (This Database)"),
            ("free", "Any Other List"),
        ],
        string="List From",
        required=True,
        default="free",
        help="The system that wrote the list: its column names and dates are known.",
    )
    file = fields.Binary(string="List", copy=False, help="CSV, XLSX or ODS.")
    filename = fields.Char(string="File Name", copy=False)
    second_file = fields.Binary(
        string="List of Memberships",
        copy=False,
        help="CiviCRM exports contacts and memberships separately: contacts above, memberships "
        "here.",
    )
    second_filename = fields.Char(string="File Name of the Memberships", copy=False)
    date_order = fields.Selection(
        [("dmy", "Day First"), ("mdy", "Month First")],
        string="Order of Dates",
        help="How dates such as 01/02/2027 are read. Leave empty to decide from the other dates "
        "in the list.",
    )
    second_membership = fields.Selection(
        [("skip", "Leave Out and Report"), ("option", "Add as an Option")],
        string="Two Memberships of One Member",
        default="skip",
        required=True,
        help="A member has one term at a time. A second membership for the same days can be "
        "added to the first one as an option.",
    )
    state = fields.Selection(
        [
            ("draft", "Selection"),
            ("previewed", "Preview"),
            ("running", "Running"),
            ("stopped", "Stopped"),
            ("done", "Finished"),
            ("undone", "Undone"),
        ],
        string="Status",
        default="draft",
        required=True,
        index=True,
        copy=False,
    )
    task = fields.Selection(
        [("preview", "Preview"), ("run", "Import"), ("undo", "Undo")], readonly=True, copy=False
    )
    problem = fields.Text(string="What Stopped It", readonly=True, copy=False)
    is_run_next = fields.Boolean(string="Import After the Preview", readonly=True, copy=False)
    header = fields.Json(string="Column Names", readonly=True, copy=False)
    # as they were read: ``[ID of an attachment, how many rows]`` of each batch
    parts = fields.Json(string="Rows That Were Read", readonly=True, copy=False)
    # what concerns all rows, and how many of them have been looked at
    overview = fields.Json(string="Findings on All Rows", readonly=True, copy=False)
    previewed_count = fields.Integer(string="Rows Previewed", readonly=True, copy=False)
    date_reading = fields.Text(string="How Dates Are Read", readonly=True, copy=False)
    sheet_remark = fields.Char(string="What Is Not Read", compute="_compute_sheet_remark")
    is_date_order_asked = fields.Boolean(
        string="Order of Dates Is Missing", readonly=True, copy=False
    )
    level_ids = fields.One2many("membri.import.level", "import_id", string="Plans in the List")
    option_set_map = fields.Json(
        string="Plans by Name",
        compute="_compute_option_set_map",
        inverse="_inverse_option_set_map",
        help="Membership plan (ID) for each name of a plan in the list.",
    )
    column_ids = fields.One2many("membri.import.column", "import_id", string="Columns")
    line_ids = fields.One2many("membri.import.line", "import_id", string="Rows", readonly=True)
    date_done = fields.Datetime(string="Imported On", readonly=True, copy=False)
    result_file = fields.Binary(string="Rows to Correct", readonly=True, copy=False)
    result_filename = fields.Char(string="File of Rows to Correct", readonly=True, copy=False)
    total_count = fields.Integer(string="Rows in the List", compute="_compute_counts")
    todo_count = fields.Integer(string="Left to Process", compute="_compute_counts")
    new_count = fields.Integer(string="New", compute="_compute_counts")
    same_count = fields.Integer(string="Unchanged", compute="_compute_counts")
    differs_count = fields.Integer(string="Changed", compute="_compute_counts")
    skipped_count = fields.Integer(string="Left Out", compute="_compute_counts")
    error_count = fields.Integer(string="To Correct", compute="_compute_counts")
    progress = fields.Integer(compute="_compute_counts")
    step_display = fields.Char(string="Current Step", compute="_compute_step_display")
    unmapped_count = fields.Integer(string="Plans to Choose", compute="_compute_unmapped_count")
    totals = fields.Html(compute="_compute_totals", string="Totals by Plan and Year")

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends("filename", "profile")
    def _compute_name(self):
        labels = dict(self._fields["profile"]._description_selection(self.env))
        for record in self:
            parts = (labels.get(record.profile, ""), record.filename)
            record.name = " · ".join(filter(None, parts))

    @api.depends("level_ids.option_set_id")
    def _compute_option_set_map(self):
        for record in self:
            record.option_set_map = {
                level.name or "": level.option_set_id.id
                for level in record.level_ids
                if level.option_set_id
            }

    def _inverse_option_set_map(self):
        for record in self:
            record._set_option_set_map(record.option_set_map or {})

    @api.depends("line_ids.result", "line_ids.todo", "overview", "task", "state")
    def _compute_counts(self):
        Line = self.env["membri.import.line"]
        domain = [("import_id", "in", self.ids)]
        counts = {
            (record, result): count
            for record, result, count in Line._read_group(
                domain, ["import_id", "result"], ["__count"]
            )
        }
        todo = dict(Line._read_group([*domain, ("todo", "!=", False)], ["import_id"], ["__count"]))
        for record in self:
            for result in ("new", "same", "differs", "skipped", "error"):
                record[f"{result}_count"] = counts.get((record, result), 0)
            total = sum(count for (owner, _result), count in counts.items() if owner == record)
            record.total_count = total
            record.todo_count = todo.get(record, 0)
            if record.task == "preview" and record.overview:
                rows = record.overview["rows"]
                record.progress = 100 * record.previewed_count // rows if rows else 100
            else:
                record.progress = 100 * (total - record.todo_count) // total if total else 0

    @api.depends("state", "task", "parts", "overview", "previewed_count", "todo_count")
    @api.depends_context("lang")
    def _compute_step_display(self):
        for record in self:
            step = False
            if record.state in ("running", "stopped"):
                if record.task == "run":
                    step = self.env._("Importing. Left: %(count)s", count=record.todo_count)
                elif record.task == "undo":
                    step = self.env._("Undoing. Left: %(count)s", count=record.todo_count)
                elif record.overview:
                    step = self.env._(
                        "Looking at each row: %(count)s of %(rows)s",
                        count=record.previewed_count,
                        rows=record.overview["rows"],
                    )
                else:
                    step = self.env._(
                        "Reading the list. Rows so far: %(count)s", count=record._count_read()
                    )
            record.step_display = step

    @api.depends("overview")
    @api.depends_context("lang")
    def _compute_sheet_remark(self):
        for record in self:
            overview, remarks = record.overview or {}, []
            if row := overview.get("header_row"):
                remarks.append(
                    self.env._(
                        "Row %(row)s has the names of the columns. The rows above it are not read.",
                        row=row,
                    )
                )
            if sheets := overview.get("sheets"):
                remarks.append(
                    self.env._(
                        "Only the first sheet of the file is read, not %(sheets)s. Save each of "
                        "the others as a file of its own to import it.",
                        sheets=format_list(self.env, sheets),
                    )
                )
            record.sheet_remark = " ".join(remarks) or False

    @api.depends("level_ids.option_set_id")
    def _compute_unmapped_count(self):
        for record in self:
            record.unmapped_count = len(record.level_ids.filtered(lambda li: not li.option_set_id))

    @api.depends("line_ids.result")
    @api.depends_context("lang")
    def _compute_totals(self):
        for record in self:
            record.totals = self.env["ir.qweb"]._render(
                "membri_renewal.import_totals",
                {"totals": record._get_totals(), "currency": record.company_id.currency_id},
            )

    def _get_totals(self):
        """Return a list of ``(plan, year of the first day, rows, members, amount)`` of the rows
        that tell of a term, to hold against the other system."""
        self.ensure_one()
        return self.env["membri.import.line"]._read_group(
            [
                ("import_id", "=", self.id),
                ("option_set_id", "!=", False),
                ("date_start", "!=", False),
                ("result", "in", ("new", "same", "differs")),
            ],
            ["option_set_id", "date_start:year"],
            ["__count", "key:count_distinct", "amount:sum"],
            order="date_start:year, option_set_id",
        )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.constrains("file", "second_file")
    def _check_files(self):
        for record in self:
            for name in ("file", "second_file"):
                if data := record[name]:
                    label = record.filename or record._fields[name]._description_string(self.env)
                    check_size(self.env, len(data) * 3 // 4, label)

    def write(self, vals):
        if not SOURCE_FIELDS.isdisjoint(vals):
            self._check_source_may_change()
        result = super().write(vals)
        if not SOURCE_FIELDS.isdisjoint(vals):
            self._forget_stopped_preview()
        return result

    def _check_source_may_change(self):
        """What is being worked on was read in one way, and is worked off as it was read.

        :raises UserError: naming the first import that is at work"""
        for record in self:
            if record.state == "running" or (
                record.state == "stopped" and record.task != "preview"
            ):
                raise UserError(
                    self.env._(
                        "“%(name)s” is “%(state)s”, so the list and how it is read cannot be "
                        "changed now.",
                        name=record.name,
                        state=record._get_state_label(),
                    )
                )

    def _forget_stopped_preview(self):
        """Another list, or another way to read it: the preview begins again when it is resumed."""
        for record in self.filtered(lambda r: r.state == "stopped" and r.task == "preview"):
            record._forget_preview()
            record._internal_write({"is_run_next": False})

    @api.ondelete(at_uninstall=False)
    def _unlink_except_run(self):
        for record in self.filtered(
            lambda r: (
                r.state in ("running", "stopped", "done")
                and not (r.state == "stopped" and r.task == "preview")
            )
        ):
            raise UserError(
                self.env._(
                    "“%(name)s” was imported and is kept, so that it can be undone. Undo it first.",
                    name=record.name,
                )
            )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_preview(self):
        """Read the list and say of each row what would become of it; of a long list in the
        background. Nothing is created."""
        self._check_can("preview")
        for record in self:
            record._do_preview()
        return True

    def action_run(self):
        """Take over the rows of the preview that can be taken over; the others come back in a
        file with the reason."""
        self._check_can("run")
        for record in self:
            if record.state in ("draft", "undone"):
                record._do_preview()
            if record.state == "running":  # the preview of a long list
                record._internal_write({"is_run_next": True})
            elif record.state != "draft":  # a column must be chosen first
                record._do_run()
        return True

    def action_stop(self):
        """Stop after the batch that is being worked on; nothing done is undone."""
        self._check_can("stop")
        self._set_state("stopped")
        return True

    def action_resume(self):
        self._check_can("resume")
        self._set_state("running", user_id=self.env.uid, problem=False)
        self._trigger_work()
        return True

    def action_undo(self):
        """Take back what was imported, as long as nothing has followed from it; of a long list in
        the background."""
        self._check_can("undo")
        for record in self:
            record._do_undo()
        return True

    def action_view_lines(self):
        """Show the rows, or those of one result (``membri_result`` of the context)."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_import_line"
        )
        domain = [("import_id", "=", self.id)]
        if result := self.env.context.get("membri_result"):
            domain.append(("result", "=", result))
        return {**action, "domain": domain, "context": {}}

    # ------------------------------------------------------------------
    # Guards
    # ------------------------------------------------------------------

    def _get_cannot_reason(self, step):
        # EXTENDS state_mixin
        self.ensure_one()
        is_begun_again = step == "preview" and self.state == "stopped" and self.task == "preview"
        if self.state not in ALLOWED_FROM[step] and not is_begun_again:
            return self.env._(
                "“%(name)s” is “%(state)s”, so this step is not available now.",
                name=self.name,
                state=self._get_state_label(),
            )
        if step == "undo":
            return self._get_cannot_undo_reason()
        if step in ("preview", "run") and self.profile != "odoo" and not self.file:
            return self.env._("Choose the list to import first.")
        return False

    def _get_of_earlier_domain(self):
        """Return what was said of the lists from this system that were imported before: domain of
        their columns or levels."""
        self.ensure_one()
        return (
            Domain("import_id.company_id", "=", self.company_id.id)
            & Domain("import_id.profile", "=", self.profile)
            & Domain("import_id.state", "=", "done")
            & Domain("import_id", "!=", self.id)
        )

    def _get_staff_lang(self):
        # EXTENDS state_mixin: one person reads it
        return self.user_id.lang
