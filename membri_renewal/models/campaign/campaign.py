from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..mixins.formats import format_day

CRITERIA = {"option_set_ids", "date_from", "date_to", "company_id"}

# The states in which each step may be taken.
ALLOWED_FROM = {
    "preview": ("draft", "previewed"),
    "change": ("previewed",),
    "create_drafts": ("previewed",),
    "send": ("previewed",),
    "retry": ("done", "stopped"),
    "stop": ("running",),
    "resume": ("stopped",),
}


class MembriCampaign(models.Model):
    """*Prepare the campaign* (specification §5.1): who would get a notice or an invoice, who is
    held, cannot be reached or is left out, and why; seen before anything is created.

    One line per term that ends in the chosen window. The work on the lines, in the foreground
    or the background, is in ``campaign/runner.py``.
    """

    _name = "membri.campaign"
    _description = "Renewal Campaign"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "membri.runner.mixin",
        "membri.state.mixin",
    ]
    _work_cron = "membri_renewal.ir_cron_process_campaigns"
    _passes_over_given_facts = True
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(required=True, default=lambda self: self._get_default_name())
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(
        "res.users",
        string="Membership Officer",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env.user,
        help="User who last started the work, which runs with this user's access rights.",
    )
    option_set_ids = fields.Many2many(
        "membri.option.set",
        string="Membership Plans",
        check_company=True,
        domain=[("lifetime", "=", False)],
        context={"active_test": False},
        default=lambda self: self._get_default_option_sets(),
        help="Members whose current term uses one of these plans.",
    )
    date_from = fields.Date(
        string="Terms Ending From",
        required=True,
        default=lambda self: self.env.company._membri_today(),
    )
    date_to = fields.Date(
        string="Terms Ending Through",
        required=True,
        default=lambda self: self.env.company._membri_today() + relativedelta(months=3),
    )
    state = fields.Selection(
        [
            ("draft", "Selection"),
            ("previewed", "Preview"),
            ("running", "Running"),
            ("stopped", "Stopped"),
            ("done", "Finished"),
        ],
        string="Status",
        default="draft",
        required=True,
        index=True,
        copy=False,
        tracking=True,
    )
    task = fields.Selection(
        [
            ("preview", "Preview"),
            ("create_drafts", "Create Without Sending"),
            ("send", "Create and Send"),
        ],
        readonly=True,
        copy=False,
    )
    date_previewed = fields.Datetime(string="Previewed On", readonly=True, copy=False)
    line_ids = fields.One2many("membri.campaign.line", "campaign_id", string="Lines", readonly=True)

    _window_ordered = models.Constraint(
        "CHECK (date_to >= date_from)", "The last day cannot be before the first day."
    )

    @api.model
    def _get_default_name(self):
        month = format_day(self.env, self.env.company._membri_today(), date_format="MMMM y")
        return self.env._("Campaign: %(month)s", month=month)

    @api.model
    def _get_default_option_sets(self):
        return self.env["membri.option.set"].search(
            [("company_id", "parent_of", self.env.company.id), ("lifetime", "=", False)]
        )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    def write(self, vals):
        if CRITERIA & vals.keys() and not self._is_internal_write():
            self.check_access("write")  # the sentence names the record
            for campaign in self.filtered(lambda c: c.state != "draft"):
                raise UserError(
                    self.env._(
                        "“%(campaign)s” has already been previewed with this selection. "
                        "Use “Edit Selection” first.",
                        campaign=campaign.name,
                    )
                )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        for campaign in self:
            if campaign.state == "running" or campaign.line_ids.renewal_id:
                raise UserError(
                    self.env._(
                        "“%(campaign)s” has created renewals, or is being processed. It "
                        "is kept as a record of who was included, and when.",
                        campaign=campaign.name,
                    )
                )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_preview(self):
        """Look at every term that ends in the window, or look again."""
        self._check_can("preview")
        self._do_preview()
        return True

    def action_change(self):
        """Go back to the selection. Members left out by hand stay left out."""
        self._check_can("change")
        self._set_state("draft")
        return True

    def action_create_drafts(self):
        """Create the renewals of the preview; nothing goes out yet."""
        self._check_can("create_drafts")
        self._do_run("create_drafts")
        return True

    def action_ask_send(self):
        """:return: the window that says how many notices and invoices go out, and for how much"""
        self.ensure_one()
        self._check_can("send")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Create and Send"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(self.env.ref("membri_renewal.membri_campaign_view_form_send").id, "form")],
            "target": "new",
        }

    def action_send(self):
        """Create the renewals of the preview and take them to where they lead: notices and
        invoices go out, flagged ones are held."""
        self.check_access("write")
        for campaign in self.filtered(lambda c: c.state == "previewed"):
            # before the guards: whose language is missing has no preview
            campaign.company_id._membri_check_ready(
                campaign._get_ready_option_sets(), members=campaign.line_ids.partner_id
            )
        self._check_can("send")
        self._do_run("send")
        return True

    def action_stop(self):
        """Stop after the batch that is being worked on; nothing done is undone."""
        self._check_can("stop")
        self._set_state("stopped")
        return True

    def action_resume(self):
        self._check_can("resume")
        self._set_state("running", user_id=self.env.uid)
        self._end_stopped()
        self._trigger_work()
        return True

    def action_retry(self):
        """Take the failed and changed ones up again, with what they are now."""
        self._check_can("retry")
        self._do_retry()
        return True

    # ------------------------------------------------------------------
    # Guards
    # ------------------------------------------------------------------

    def _check_can(self, step):
        # EXTENDS state_mixin: whoever may change renewals may run a campaign, nobody else
        self.env["membri.renewal"].check_access("create")
        return super()._check_can(step)

    def _get_cannot_reason(self, step):
        # EXTENDS state_mixin
        self.ensure_one()
        if self.state not in ALLOWED_FROM[step]:
            return self.env._(
                "“%(campaign)s” is “%(state)s”, so this step is not available now. %(remedy)s",
                campaign=self.name,
                state=self._get_state_label(),
                remedy=self._get_remedy(),
            )
        if step in ("create_drafts", "send") and not self._get_ready_lines():
            return self.env._(
                "“%(campaign)s” includes no members: all are excluded. Choose other plans "
                "or another period.",
                campaign=self.name,
            )
        return False

    def _get_remedy(self):
        return {
            "draft": self.env._("Preview the campaign first."),
            "previewed": self.env._("Create the renewals, or edit the selection."),
            "running": self.env._("Wait until it is done, or stop it."),
            "stopped": self.env._("Resume it first."),
            "done": self.env._("Start another campaign."),
        }[self.state]

    def _get_ready_option_sets(self):
        """:return: the plans of the members who are asked"""
        self.ensure_one()
        return self._get_ready_lines().option_set_id.with_env(self.env)

    @api.constrains("option_set_ids", "company_id")
    def _check_option_sets(self):
        for campaign in self.filtered(lambda c: not c.option_set_ids):
            raise ValidationError(
                self.env._("Choose at least one plan for “%(campaign)s”.", campaign=campaign.name)
            )
