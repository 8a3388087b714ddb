import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# in their order: what each step asks, in a word (``_is_done``), and where it is done
STEPS = {
    "organization": "_is_organization_done",
    "letterhead": "_is_letterhead_done",
    "plan": "_is_plan_done",
    "go_live": "_is_go_live_done",
    "members": "_is_members_done",
    "test_notice": "_is_test_notice_done",
    "campaign": "_is_campaign_done",
}


class MembriSetupStep(models.Model):
    """One of the first steps of a new company. None is ticked by hand: each asks the facts."""

    _name = "membri.setup.step"
    _description = "First Step"
    _inherit = "membri.fields.mixin"
    _written_by_clients = False
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Selection(
        [
            ("organization", "Organization"),
            ("letterhead", "Letterhead"),
            ("plan", "Membership Plan"),
            ("go_live", "Go-Live Date"),
            ("members", "Members"),
            ("test_notice", "Test Notice"),
            ("campaign", "First Campaign"),
        ],
        string="Step",
        required=True,
    )
    description = fields.Char(translate=True)
    sequence = fields.Integer(default=10)
    is_done = fields.Boolean(
        string="Complete", compute="_compute_is_done", search="_search_is_done"
    )
    missing = fields.Char(
        string="Still Missing",
        compute="_compute_is_done",
        help="What keeps it from being complete.",
    )

    _once = models.UniqueIndex("(code)", "Each step is listed once.")

    @api.depends_context("company")
    def _compute_is_done(self):
        # sudo: the facts, whoever looks
        company_sudo = self.env.company.sudo()
        for step in self:
            missing = getattr(self, STEPS[step.code])(company_sudo)
            step.missing = missing
            step.is_done = not missing

    def _search_is_done(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = self.search(Domain.TRUE).filtered(lambda step: step.is_done in value)
        return [("id", "in", found.ids)]

    # ------------------------------------------------------------------
    # Facts: what is missing (a sentence), or ``False``
    # ------------------------------------------------------------------

    @api.model
    def _is_organization_done(self, company):
        missing = (
            self._get_missing_of_company(company)
            + self._get_missing_of_settings(company)
            + self._get_missing_of_accounts(company)
        )
        return ", ".join(missing)

    @api.model
    def _get_missing_of_company(self, company):
        """:return: list of what is missing on the form of the company"""
        facts = {
            self.env._("country"): company.country_id,
            self.env._("email"): company._membri_get_sender(),
            self.env._("address"): company.street and company.city,
        }
        return [label for label, is_there in facts.items() if not is_there]

    @api.model
    def _get_missing_of_settings(self, company):
        """:return: list of what is missing in the settings of memberships"""
        # UTC is what a new company has, and the time of no country all year round but for a few
        is_utc = company.membri_tz == "UTC" and company.country_id.code in pytz.country_timezones
        facts = {
            self.env._("membership officer"): company.membri_officer_id,
            self.env._("time zone"): not is_utc,
        }
        return [label for label, is_there in facts.items() if not is_there]

    @api.model
    def _get_missing_of_accounts(self, company):
        """:return: list of what is missing in the settings of invoicing"""
        if self._has_foreign_chart(company):
            return [self.env._("chart of accounts of your country")]
        if company._membri_has_chart() and company._membri_get_no_journal_reason():
            return [self.env._("sales journal")]
        return []

    @api.model
    def _has_foreign_chart(self, company):
        """Return whether the chart of accounts, with its taxes, is that of another country; it can
        be chosen until something is booked."""
        root = company.root_id
        if not root.chart_template or root._existing_accounting():
            return False
        charts = self.env["account.chart.template"]._get_chart_template_mapping(get_all=True)
        country_id = charts.get(root.chart_template, {}).get("country_id")
        own_id = root.country_id.id
        is_there_own = own_id in [chart["country_id"] for chart in charts.values()]
        return bool(country_id) and country_id != own_id and is_there_own

    @api.model
    def _is_letterhead_done(self, company):
        if company.external_report_layout_id or not company.uses_default_logo:
            return False
        return self.env._("logo and layout of documents")

    @api.model
    def _is_plan_done(self, company):
        plans = self._get_plans(company)
        if not plans:
            return self.env._("a membership plan")
        _code, reason = self._get_plan_reason(plans)
        return reason

    @api.model
    def _get_plans(self, company):
        # sudo: of this company, whichever are ticked
        Plan_sudo = self.env["membri.option.set"].sudo().with_company(company)
        return Plan_sudo.search([("company_id", "parent_of", company.id)])

    @api.model
    def _get_plan_reason(self, plans):
        """Return ``(code, sentence)``: what the first of these plans lacks that lacks something;
        both ``False`` where none does."""
        reasons = (reason for plan in plans for reason in plan._get_unready_reasons())
        return next(reasons, (False, False))

    @api.model
    def _is_go_live_done(self, company):
        return False if company.membri_go_live else self.env._("the day from which renewals start")

    @api.model
    def _is_members_done(self, company):
        # sudo: a yes or no
        has_terms = (
            self.env["membri.cotisation"].sudo().search([("company_id", "=", company.id)], limit=1)
        )
        return False if has_terms else self.env._("the first member")

    @api.model
    def _is_test_notice_done(self, company):
        if company.membri_test_notice_date:
            return False
        return self.env._("a notice in your own mailbox")

    @api.model
    def _is_campaign_done(self, company):
        # sudo: a yes or no
        was_sent = (
            self.env["membri.renewal"]
            .sudo()
            .search([("company_id", "=", company.id), ("state", "!=", "draft")], limit=1)
        )
        return False if was_sent else self.env._("the first notice")

    def action_open(self):
        """:return: where this step is done"""
        self.ensure_one()
        if self.code == "letterhead":
            return self.env["ir.actions.actions"]._for_xml_id(
                "web.action_base_document_layout_configurator"
            )
        # sudo: settings are the staff's; what is missing is told
        company_sudo = self.env.company.sudo()
        if self.code == "organization" and (
            self._get_missing_of_company(company_sudo)
            or not self._is_organization_done(company_sudo)
        ):
            return self.env.company._get_records_action()
        if self.code == "organization" and not self._get_missing_of_settings(company_sudo):
            if not self._has_foreign_chart(company_sudo):
                if not self.env.user.has_group("account.group_account_manager"):
                    raise UserError(company_sudo._membri_get_no_journal_reason())
                xmlid, _label = self.env.company._membri_get_remedy("journal")
                return self.env["ir.actions.actions"]._for_xml_id(xmlid)
            if not self.env.user.has_group("base.group_system"):
                raise UserError(
                    self.env._(
                        "The chart of accounts is for another country. Ask an administrator to "
                        "choose another one in the settings of Invoicing."
                    )
                )
            xmlid, _label = self.env.company._membri_get_remedy("chart")
            return self.env["ir.actions.actions"]._for_xml_id(xmlid)
        if self.code == "plan":
            code, _reason = self._get_plan_reason(self._get_plans(company_sudo))
            if code:  # what the plans lack, and not another plan
                xmlid, _label = self.env.company._membri_get_remedy(code)
                return self.env["ir.actions.actions"]._for_xml_id(xmlid)
        xmlid = {
            "organization": "action_membri_settings",
            "plan": "action_membri_option_set_start",
            "go_live": "action_membri_settings",
            "members": "action_membri_import",
            "test_notice": "action_membri_test_notice",
            "campaign": "action_membri_campaign",
        }[self.code]
        return self.env["ir.actions.actions"]._for_xml_id(f"membri_renewal.{xmlid}")
