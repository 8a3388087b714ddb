from odoo import fields, models


class MembriReminderLog(models.Model):
    """What became of each reminder step of each renewal: sent, skipped or failed, and why."""

    _name = "membri.reminder.log"
    _description = "Reminder Log"
    _inherit = "membri.fields.mixin"
    _written_by_clients = False
    _order = "date desc, id desc"

    renewal_id = fields.Many2one("membri.renewal", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="renewal_id.company_id", store=True, index=True)
    step_id = fields.Many2one(
        "membri.reminder.step", ondelete="set null", help="Empty if sent manually."
    )
    date = fields.Datetime(required=True, default=fields.Datetime.now)
    date_due = fields.Date(
        string="Due Installment",
        help="Due date of the installment concerned: each installment has its own reminders. "
        "Empty for a notice, or where installments were not recorded.",
    )
    message_id = fields.Many2one(
        "mail.message",
        ondelete="set null",
        index="btree_not_null",
        help="Email used to detect a failed delivery.",
    )
    uses_step = fields.Boolean(
        string="Counts for Step",
        default=True,
        help="If disabled, nothing could be sent and the nightly run tries again.",
    )
    result = fields.Selection(
        [
            ("sent", "Sent"),
            ("to_print", "Letter to Print"),
            ("skipped", "Skipped"),
            ("failed", "Failed"),
        ],
        required=True,
    )
    reason = fields.Char()

    _once = models.UniqueIndex(
        "(renewal_id, step_id, COALESCE(date_due, '-infinity'::date))"
        " WHERE step_id IS NOT NULL AND uses_step",
        "Each reminder is recorded once per renewal and installment.",
    )
