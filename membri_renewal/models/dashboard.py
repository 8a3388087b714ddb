from ast import literal_eval
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval


class MembriDashboard(models.Model):
    """A work queue: a name, a domain on renewals, and what to do there. An empty queue is
    a good queue (seed §2)."""

    _name = "membri.dashboard"
    _description = "Renewal Dashboard"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(copy=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    domain = fields.Char(
        required=True,
        default="[('is_open', '=', True)]",
        help="Which renewals wait here. May use: today, no_answer_before, inactive_before, uid.",
    )
    help = fields.Text(translate=True, string="What to do here")
    record_count = fields.Integer(compute="_compute_record_count")
    has_dynamic_domain = fields.Boolean(
        compute="_compute_has_dynamic_domain",
        help="Uses today, the thresholds of the settings or the reader: the domain editor "
        "cannot show it.",
    )

    _code_unique = models.UniqueIndex(
        "(code) WHERE code IS NOT NULL", "Another dashboard has this code already."
    )

    @api.depends("domain")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_record_count(self):
        for dashboard in self:
            try:
                domain = dashboard._get_domain()
            except ValidationError:  # opening it tells why; the other counters are shown
                domain = Domain.FALSE
            dashboard.record_count = self.env["membri.renewal"].search_count(domain)

    @api.depends("domain")
    def _compute_has_dynamic_domain(self):
        for dashboard in self:
            try:
                literal_eval(dashboard.domain or "[]")
                dashboard.has_dynamic_domain = False
            except (ValueError, SyntaxError):
                dashboard.has_dynamic_domain = True

    @api.constrains("domain")
    def _check_domain(self):
        for dashboard in self:
            domain = dashboard._get_domain()
            try:
                self.env["membri.renewal"].search_count(domain)
            except Exception as error:
                raise dashboard._get_domain_error(error) from error

    def _get_domain(self):
        """:return: the domain, with the days of the current company filled in
        :raises ValidationError: when it does not work, or no longer does"""
        self.ensure_one()
        try:
            domain = Domain(safe_eval(self.domain or "[]", self._get_eval_context()))
            domain.validate(self.env["membri.renewal"])
        except Exception as error:
            raise self._get_domain_error(error) from error
        return domain

    def _get_domain_error(self, error):
        return ValidationError(
            self.env._(
                "The domain of “%(name)s” does not work: %(error)s", name=self.name, error=error
            )
        )

    @api.model
    def _get_eval_context(self):
        company = self.env.company
        today = company._membri_today()
        # whole days: a notice of seven days ago, at whatever hour, waits for seven days
        return {
            "uid": self.env.uid,
            "today": fields.Date.to_string(today),
            "no_answer_before": fields.Datetime.to_string(
                company._membri_midnight(today - timedelta(days=company.membri_no_answer_days - 1))
            ),
            "inactive_before": fields.Datetime.to_string(
                company._membri_midnight(
                    today
                    - relativedelta(months=company.membri_no_answer_months)
                    + timedelta(days=1)
                )
            ),
        }

    def action_open(self):
        """Open the renewals of this queue."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_renewal"
        )
        return {
            **action,
            "name": self.name,
            "display_name": self.name,
            "domain": list(self._get_domain()),
            "context": {"membri_dashboard": self.code},
            "help": self.env["ir.qweb"]._render(
                "membri_renewal.dashboard_empty", {"dashboard": self}
            ),
        }
