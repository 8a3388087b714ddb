from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        # EXTENDS web: work that goes on in the background shows from the first page on
        result = super().session_info()
        if self.env.user.has_group("membri_renewal.group_membri_user"):
            result["membri_bulk_jobs"] = self.env["membri.bulk.job"]._get_running_progress()
        return result
