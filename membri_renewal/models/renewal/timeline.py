from datetime import datetime

from odoo import api, fields, models
from odoo.tools import format_date

from .renewal import STAFF


class MembriRenewal(models.Model):
    """What has happened to a renewal and what comes next, in the order of time."""

    _inherit = "membri.renewal"

    timeline_html = fields.Html(
        string="Timeline", compute="_compute_timeline_html", sanitize=False, groups=STAFF
    )

    @api.depends(
        "state",
        "date_sent",
        "date_answer",
        "date_approved",
        "date_refused",
        "date_last_reminder",
        "date_next_reminder",
        "date_follow_up",
        "current_date_end",
        "invoice_date_sent",
        "is_paid",
    )
    @api.depends_context("lang", "tz")
    def _compute_timeline_html(self):
        for renewal in self:
            renewal.timeline_html = self.env["ir.qweb"]._render(
                "membri_renewal.renewal_timeline", {"steps": renewal._get_timeline()}
            )

    def _get_timeline(self):
        """:return: list of dicts ``label``, ``date`` (text), ``icon``, ``is_done``, in the
        order of time: what is done first, then what is to come"""
        self.ensure_one()
        company = self.company_id or self.env.company
        today = company._membri_today()
        steps = []
        for label, icon, moment in self._get_timeline_steps():
            if moment:
                is_day = not isinstance(moment, datetime)
                day = moment if is_day else company._membri_local_date(moment)
                steps.append(
                    {
                        "label": label,
                        "icon": icon,
                        "day": day,
                        "date": format_date(self.env, day, date_format="d MMM y"),
                        # a day of today is still to come, a moment of today is over
                        "is_done": day < today or (day == today and not is_day),
                    }
                )
        # what was imported or backdated was prepared before all else happened, too
        return steps[:1] + sorted(steps[1:], key=lambda step: step["day"])

    def _get_timeline_steps(self):
        """:return: (label, icon, datetime of what happened or date of what is planned)"""
        is_open = self.is_open
        steps = [
            (self.env._("Prepared"), "fa-file-o", self.create_date),
            (self.env._("Sent"), "fa-envelope-o", self.date_sent),
            (
                self.env._("Reminded (%(count)s)", count=self.reminder_count),
                "fa-bell-o",
                self.date_last_reminder,
            ),
            (self.env._("Answered"), "fa-comment-o", self.date_answer),
            (self.env._("Approved"), "fa-check", self.date_approved),
            (self.env._("Refused"), "fa-times", self.date_refused),
            (self.env._("Invoice sent"), "fa-file-text-o", self.invoice_date_sent),
            (self.env._("Current term ends"), "fa-calendar-times-o", self.current_date_end),
        ]
        if is_open:
            steps += [
                (self.env._("Next reminder"), "fa-bell", self.date_next_reminder),
                (self.env._("Call back"), "fa-phone", self.date_follow_up),
            ]
            if self.state == "approved":
                steps.append((self.env._("Payment due"), "fa-money", self.invoice_date_due))
        return steps
