from odoo import api, fields, models


class MembriBulkJob(models.Model):
    """Letters for any selection, and failed sendings tried again: each batch of letters is a
    file of the job, in the order of the post; downloaded as one."""

    _inherit = "membri.bulk.job"

    action = fields.Selection(
        selection_add=[("print_letter", "Print Letters"), ("retry_sending", "Try Again")],
        ondelete={"print_letter": "cascade", "retry_sending": "cascade"},
    )

    @api.model
    def _start(self, action, renewals, lines_vals=None, **vals):
        # EXTENDS membri_renewal
        if action == "print_letter":
            renewals.check_access("read")
            renewals = renewals._sorted_for_post()
        return super()._start(action, renewals, lines_vals, **vals)

    def _apply(self, records, lines):
        # EXTENDS membri_renewal
        if self.action != "print_letter":
            return super()._apply(records, lines)
        records._check_can("print_letter")
        # sudo: the file belongs to the job, which its user may read and not write
        records._do_print_letters().sudo().write({"res_model": self._name, "res_id": self.id})
        return {}

    def _get_success_notification(self):
        # EXTENDS membri_renewal
        if self.action == "print_letter":
            return self.action_download_letters()
        return super()._get_success_notification()

    def action_download_letters(self):
        """:return: a client action that downloads the letters of this job as one file"""
        self.ensure_one()
        return self.env["membri.renewal"]._get_letters_action(self._get_letters_sudo()[:1])

    def _get_letters_sudo(self):
        """:return: the files of this job, in the order of the post. Letters answer in the name of
        members: they are for those who may answer."""
        self.ensure_one()
        self.check_access("read")
        self.line_ids.renewal_id.check_access("write")
        # sudo: as above
        return (
            self.env["ir.attachment"]
            .sudo()
            .search([("res_model", "=", self._name), ("res_id", "=", self.id)], order="id")
        )
