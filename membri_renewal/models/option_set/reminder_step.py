from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..mixins.delays import check_delays

# What most associations do: a friendly reminder, a firmer one before the end, the last one
# afterwards, which the staff looks at first. Trigger, days, automatic, template.
NOTICE_STEPS = [
    ("after_sent", 14, True, "mail_template_reminder"),
    ("before_end", 7, True, "mail_template_reminder_firm"),
    ("after_end", 15, False, "mail_template_reminder_last"),
]
PAYMENT_STEPS = [
    ("after_due", 7, True, "mail_template_payment_reminder"),
    ("after_due", 30, False, "mail_template_payment_reminder_last"),
]


class MembriReminderStep(models.Model):
    _name = "membri.reminder.step"
    _description = "Reminder Step"
    _inherit = "membri.fields.mixin"
    _order = "option_set_id, sequence, days, id"

    option_set_id = fields.Many2one(
        "membri.option.set", string="Membership Plan", required=True, index=True, ondelete="cascade"
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
        help="If disabled, the reminder is only suggested, in “Renewals Due for a Reminder”.",
    )
    mail_template_id = fields.Many2one(
        "mail.template",
        string="Email",
        domain=[("model", "=", "membri.renewal")],
        ondelete="restrict",
        help="Leave empty to use the standard reminder.",
    )

    _days_not_negative = models.Constraint(
        "CHECK (days >= 0)", "The number of days cannot be negative."
    )

    @api.constrains("days")
    def _check_days(self):
        check_delays(self, "days")

    @api.depends("trigger", "days")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["trigger"]._description_selection(self.env))
        for step in self:
            step.display_name = f"{step.days} · {labels.get(step.trigger, '')}"

    @api.model_create_multi
    def create(self, vals_list):
        steps = super().create(vals_list)
        steps.option_set_id._update_open_reminders()
        return steps

    def write(self, vals):
        option_sets = self.option_set_id
        result = super().write(vals)
        (option_sets | self.option_set_id)._update_open_reminders()
        return result

    def unlink(self):
        option_sets = self.option_set_id
        result = super().unlink()
        option_sets._update_open_reminders()
        return result

    def _get_due_dates(self, renewal):
        """Return a list of ``(day, part)``: the civil days on which this step falls for ``renewal``
        (or ``None``), and the days on which the parts of its invoice are due that it is about: what
        counts from these falls once for each part that is open."""
        self.ensure_one()
        if self.trigger == "after_due":
            delay = timedelta(days=self.days)
            return [(part + delay, part) for part in renewal._get_due_days() if part]
        part = renewal.state == "approved" and renewal._get_due_day()
        return [(self._get_due_date(renewal), part)]

    def _get_due_date(self, renewal):
        """Return the civil day on which this step falls for ``renewal``, or ``None`` when
        the day it counts from is not known (not sent yet, lifetime, no invoice). Of an invoice
        in parts, the earliest open one counts."""
        self.ensure_one()
        delay = timedelta(days=self.days)
        if self.trigger == "after_due":
            return min((day for day, _part in self._get_due_dates(renewal)), default=None)
        if self.trigger == "after_sent":
            sent = renewal.date_sent
            return sent and renewal.company_id._membri_local_date(sent) + delay
        end = renewal.cotisation_id.date_end
        if not end:
            return None
        return end - delay if self.trigger == "before_end" else end + delay


class MembriOptionSet(models.Model):
    _inherit = "membri.option.set"

    def action_propose_reminders(self):
        """Fill in the usual reminders where there are none, to be changed at will."""
        self.ensure_one()
        if self.reminder_ids:
            raise UserError(
                self.env._(
                    "%(set)s already has reminders. Change them in the list.",
                    set=self.display_name,
                )
            )
        steps = PAYMENT_STEPS if self.renewal_mode == "invoice" else NOTICE_STEPS + PAYMENT_STEPS
        self.reminder_ids.create(
            [
                {
                    "option_set_id": self.id,
                    "sequence": number,
                    "trigger": trigger,
                    "days": days,
                    "automatic": automatic,
                    "mail_template_id": self.env.ref(f"membri_renewal.{template}").id,
                }
                for number, (trigger, days, automatic, template) in enumerate(steps, 1)
            ]
        )
        return True

    def _update_open_reminders(self):
        """The steps have changed: so has the day of the next reminder of what is under way."""
        # sudo: whoever sets up the steps need not be allowed to edit renewals
        self.env["membri.renewal"].sudo().search(
            [
                ("option_set_id", "in", self.ids),
                ("state", "in", ("sent", "approved")),
                ("is_paid", "=", False),
            ]
        )._update_next_reminder()
