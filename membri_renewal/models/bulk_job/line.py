from odoo import fields, models


class MembriBulkJobLine(models.Model):
    _name = "membri.bulk.job.line"
    _description = "Renewal of a Bulk Job"
    _inherit = "membri.fields.mixin"
    _written_by_clients = False
    _order = "id"

    job_id = fields.Many2one("membri.bulk.job", required=True, index=True, ondelete="cascade")
    # not required: an action of an extension may work on something else
    renewal_id = fields.Many2one("membri.renewal", index=True, ondelete="cascade")
    result = fields.Selection(
        [("todo", "To Do"), ("done", "Done"), ("skipped", "Skipped"), ("failed", "Failed")],
        default="todo",
        required=True,
    )
    message = fields.Text(help="Why it was not done.")
    refusal_reason_id = fields.Many2one(
        "membri.refusal.reason",
        ondelete="restrict",
        help="The reason of this renewal, where it is not that of the job.",
    )
    refusal_note = fields.Text()

    _todo = models.Index("(job_id, id) WHERE result = 'todo'")
    _once = models.UniqueIndex("(job_id, renewal_id)", "A renewal is listed once in a job.")

    def action_open_renewal(self):
        self.ensure_one()
        return self.renewal_id._get_records_action()
