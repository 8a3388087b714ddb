from odoo import models
from odoo.fields import Command

BATCH = 20


class MembriDemo(models.AbstractModel):
    """The PDF of the notices. While a module is being installed no web server can hand
    their style sheets to wkhtmltopdf, so they are printed by the first run of the crons."""

    _inherit = "membri.demo"

    def _schedule_printing(self):
        cron = self.env["ir.cron"].create(
            {
                "name": "Membership demo: print the notices",
                "model_id": self.env["ir.model"]._get(self._name).id,
                "state": "code",
                "code": "model._cron_print()",
                "user_id": self.env.ref("base.user_root").id,
                "interval_number": 1200,  # once
                "interval_type": "months",
                "priority": 20,
            }
        )
        self._name_record("cron_print", cron)

    def _cron_print(self):
        if self.env["ir.actions.report"].get_wkhtmltopdf_state() not in ("ok", "upgrade"):
            return
        domain = [
            ("model", "=", "membri.renewal"),
            ("subtype_id", "=", self.env.ref("membri_renewal.mt_notice").id),
            ("attachment_ids", "=", False),
        ]
        cron, Message = self.env["ir.cron"], self.env["mail.message"]
        waiting = Message.search(domain).grouped("res_id")
        cron._commit_progress(remaining=len(waiting))
        ids = list(waiting)
        for start in range(0, len(ids), BATCH):
            renewals = self.env["membri.renewal"].browse(ids[start : start + BATCH])
            for renewal, document in renewals._attach_documents().items():
                for message in waiting[renewal.id]:
                    self._attach(message, renewal, document)
            if not cron._commit_progress(len(renewals)):
                return

    def _attach(self, message, renewal, document):
        """Show ``document`` with the notice, and in the chatters of the contacts."""
        contacts = renewal._get_informed_contacts()[renewal]
        message |= message.search(
            [
                ("model", "=", "res.partner"),
                ("res_id", "in", contacts.ids),
                ("date", "=", message.date),
                ("body", "like", renewal.name),
            ]
        )
        message.attachment_ids = [Command.link(document.id)]
