from odoo import api, models


class MembriReportMixin(models.AbstractModel):
    """What is only read: rows that a query computes from what others record."""

    _name = "membri.report.mixin"
    _description = "Report that is computed when it is read"

    @api.model
    @api.private
    @api.readonly
    def search_fetch(self, domain, field_names=None, offset=0, limit=None, order=None):
        # EXTENDS base: nobody writes here, so that nothing else empties the cache of rows that
        # were read before a change. Not in _search(): reading a field of rows calls that, too,
        # and would lose what was just computed of them.
        self.invalidate_model(flush=False)
        return super().search_fetch(domain, field_names, offset, limit, order)

    @api.model
    def _get_verified_notification(self, is_right, message):
        """:return: the action that says whether totals match; that they do not stays to be read"""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if is_right else "danger",
                "message": message,
                "sticky": not is_right,
            },
        }
