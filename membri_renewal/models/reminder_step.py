from datetime import timedelta

from odoo import api, fields, models


class MembriReminderStep(models.Model):
    _name = "membri.reminder.step"
    _description = "Reminder Step"
    _order = "option_set_id, sequence, days, id"

    option_set_id = fields.Many2one(
        "membri.option.set", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    trigger = fields.Selection(
        [
            ("after_sent", "Days after the notice"),
            ("before_end", "Days before the end of the term"),
            ("after_end", "Days after the end of the term"),
            ("after_due", "Days after the due date of the invoice"),
        ],
        default="after_sent",
        required=True,
    )
    days = fields.Integer(default=14, required=True)
    automatic = fields.Boolean(
        default=True,
        help="Otherwise the reminder is only suggested, in the queue of renewals to remind.",
    )
    mail_template_id = fields.Many2one(
        "mail.template",
        string="Email",
        domain=[("model", "=", "membri.renewal")],
        ondelete="restrict",
        help="Empty: the standard reminder.",
    )

    _days_not_negative = models.Constraint("CHECK (days >= 0)", "A delay cannot be negative.")

    @api.depends("trigger", "days")
    def _compute_display_name(self):
        labels = dict(self._fields["trigger"]._description_selection(self.env))
        for step in self:
            step.display_name = f"{step.days} · {labels.get(step.trigger, '')}"

    def _get_due_date(self, renewal):
        """:return: the civil day on which this step falls for ``renewal``, or ``None`` when
        the day it counts from is not known (not sent yet, lifetime, no invoice)"""
        self.ensure_one()
        delay = timedelta(days=self.days)
        if self.trigger == "after_due":
            due = renewal.invoice_id.invoice_date_due
            return due and due + delay
        if self.trigger == "after_sent":
            sent = renewal.date_sent
            return sent and renewal.company_id._membri_local_date(sent) + delay
        end = renewal.cotisation_id.date_end
        if not end:
            return None
        return end - delay if self.trigger == "before_end" else end + delay
