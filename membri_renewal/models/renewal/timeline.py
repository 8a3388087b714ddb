from datetime import datetime

from odoo import api, fields, models
from odoo.fields import Domain

from ..mixins.formats import format_day
from .renewal import STAFF


class MembriRenewal(models.Model):
    """What has happened to a renewal and what comes next, in the order of time."""

    _inherit = "membri.renewal"

    timeline_html = fields.Html(
        string="Key Dates", compute="_compute_timeline_html", sanitize=False, groups=STAFF
    )

    @api.depends(
        "state",
        "date_sent",
        "date_answer",
        "date_approved",
        "date_refused",
        "date_last_reminder",
        "date_next_reminder",
        "date_auto_invoice",
        "date_follow_up",
        "current_date_end",
        "invoice_date_sent",
        "is_paid",
        "delivery_state",
        "letter_state",
        "date_charge",
        "date_charge_retry",
        "charge_state",
    )
    @api.depends_context("lang", "tz")
    def _compute_timeline_html(self):
        for renewal in self:
            renewal.timeline_html = self.env["ir.qweb"]._render(
                "membri_renewal.renewal_timeline", {"steps": renewal._get_timeline()}
            )

    def _get_timeline(self):
        """Return a list of dicts ``label``, ``date`` (text), ``icon``, ``is_done``, in the
        order of time: what is done first, then what is to come."""
        self.ensure_one()
        company = self.company_id or self.env.company
        today = company._membri_today()
        steps = []
        plans = self._get_timeline_plans()
        undelivered = self._get_undelivered_step()
        sent = undelivered or (self.env._("Sent"), "fa-envelope-o", self.date_sent)
        for label, icon, moment in [*self._get_timeline_steps(sent), *plans]:
            if moment:
                is_day = not isinstance(moment, datetime)
                day = moment if is_day else company._membri_local_date(moment)
                steps.append(
                    {
                        "label": label,
                        "icon": icon,
                        "day": day,
                        "date": format_day(self.env, day, date_format="medium"),
                        # a day of today is still to come, a moment of today is over; what did
                        # not leave, and a reminder or call that is late, are not done
                        "is_done": (day < today or (day == today and not is_day))
                        and (label, icon, moment) not in (undelivered, *plans),
                    }
                )
        # what was imported or backdated was prepared before all else happened, too
        return steps[:1] + sorted(steps[1:], key=lambda step: step["day"])

    def _get_timeline_steps(self, sent):
        """:param sent: what became of the notice, a step
        :return: (label, icon, datetime of what happened or date of what is to happen)"""
        return [
            (self.env._("Prepared"), "fa-file-o", self.create_date),
            sent,
            (
                self.env._("Reminders sent: %(count)s", count=self.reminder_count),
                "fa-bell-o",
                self.date_last_reminder,
            ),
            (self.env._("Reply received"), "fa-comment-o", self._get_reply_moment()),
            (self.env._("Approved"), "fa-check", self.date_approved),
            (self.env._("Declined"), "fa-times", self.date_refused),
            (self.env._("Invoice sent"), "fa-file-text-o", self._get_invoice_moment()),
            (self.env._("End of current term"), "fa-calendar-times-o", self.current_date_end),
        ]

    def _get_invoice_moment(self):
        """:return: when the invoice was sent, or ``False``: also as long as it is queued"""
        invoice_sudo = self._get_invoice_sudo()
        if not invoice_sudo or invoice_sudo._membri_is_still_here():
            return False
        return invoice_sudo.membri_date_sent

    def _get_reply_moment(self):
        """Return when the member replied, or ``False``: approving counts as an answer, and who was
        asked nothing, or renews automatically, gave none."""
        is_automatic = self.mode == "invoice" and self.date_answer == self.date_approved
        return False if is_automatic or not self.date_sent else self.date_answer

    def _get_undelivered_step(self):
        """:return: the step of a notice that has reached nobody yet, or ``False``"""
        still_here = self._get_notice_still_here()
        if not (still_here or self._is_notice_undelivered()):
            return False
        if still_here or self.delivery_state == "withdrawn":
            icon = "fa-clock-o" if still_here == "queued" else "fa-ban"
            field, value = "delivery_state", still_here or self.delivery_state
        elif self.letter_state:
            field, value, icon = "letter_state", self.letter_state, "fa-print"
        else:
            field, value, icon = "delivery_state", self.delivery_state, "fa-exclamation-triangle"
        labels = dict(self._fields[field]._description_selection(self.env))
        return (labels[value], icon, self.date_sent)

    def _get_notice_still_here(self):
        """Return ``queued`` or ``withdrawn`` where nothing has left since the notice was sent, or
        sent anew after a reset, whatever became of the renewal; else ``False``."""
        if self.letter_state == "printed" or (
            self.state != "approved" and self.delivery_state not in ("queued", "withdrawn")
        ):
            return False
        moments = list(filter(None, [self.date_sent, self.date_notice]))
        since = min(moments, default=False)
        if since and self.date_last_reminder and self.date_last_reminder >= since:
            return False
        mails = self.env["mail.mail"]
        domain = Domain("date", ">=", since) if since else Domain.TRUE
        if not mails._membri_is_still_here(self, domain):
            return False
        if self.state != "approved":
            return self.delivery_state
        # of who accepted, the status of the last email is that of the invoice
        mail_sudo = mails._membri_get_last_of(self, domain & Domain("membri_kind", "=", "notice"))
        return {"outgoing": "queued", "cancel": "withdrawn"}.get(mail_sudo.state, False)

    def _get_timeline_plans(self):
        """:return: steps, as above, of what somebody has to do"""
        if not self.is_open:
            return []
        due = self.state == "approved" and self._get_due_day()
        return [
            (self.env._("Payment due"), "fa-money", due),
            (self.env._("Next reminder"), "fa-bell", self.date_next_reminder),
            (self.env._("Automatic payment"), "fa-credit-card", self._get_charge_day()),
            (
                self.env._("Automatic invoice"),
                "fa-file-text-o",
                self._is_announced() and self.date_auto_invoice,
            ),
            (self.env._("Call"), "fa-phone", self.date_follow_up),
        ]
