from odoo import fields, models


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

    _todo = models.Index("(job_id, id) WHERE result = 'todo'")
    _once = models.UniqueIndex(
        "(job_id, renewal_id)", "A renewal can only appear once in a background job."
    )

    def action_open_renewal(self):
        self.ensure_one()
        return self.renewal_id._get_records_action()
