from odoo import api, fields, models
from odoo.tools import SQL

PER_HOUR = 5
# counted apart: a payer tries again, and pays whatever else was asked
PAYMENT = "payment"
PAYMENTS_PER_HOUR = 20


class MembriPortalRequest(models.Model):
    """What was asked of the staff on the portal, counted: so many times an hour for each
    document, whoever asks and by which way. Forgotten after a day."""

    _name = "membri.portal.request"
    _description = "Portal Request"
    _inherit = "membri.fields.mixin"
    _written_by_clients = False

    res_model = fields.Char(string="Record Model", required=True)
    res_id = fields.Many2oneReference(string="Record ID", model_field="res_model", required=True)
    kind = fields.Char(string="Type", required=True)
    date = fields.Datetime(required=True, default=fields.Datetime.now)

    # how often somebody has asked about a document of late
    _per_document = models.Index("(res_model, res_id, date)")

    @api.model
    def _admit(self, record, kind):
        """Count one more request in, if there were not too many in the last hour. Requests at
        the same moment wait for each other.

        :param record: the renewal, invoice or member that it is about
        :param kind: what is asked, for the record
        :return: whether the request may be carried out
        """
        self.env.flush_all()
        # a new version of the row: who comes meanwhile fails on it, is run again, and counts this
        self.env.cr.execute(
            SQL("UPDATE %s SET id = id WHERE id = %s", SQL.identifier(record._table), record.id),
            log_exceptions=False,
        )
        Request_sudo = self.sudo()  # members ask without reading what was asked
        since = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        domain = [
            ("res_model", "=", record._name),
            ("res_id", "=", record.id),
            ("date", ">", since),
            ("kind", "=" if kind == PAYMENT else "!=", PAYMENT),
        ]
        most = PAYMENTS_PER_HOUR if kind == PAYMENT else PER_HOUR
        if Request_sudo.search_count(domain) >= most:
            return False
        Request_sudo.create({"res_model": record._name, "res_id": record.id, "kind": kind})
        return True

    @api.autovacuum
    def _gc_requests(self):
        yesterday = fields.Datetime.subtract(fields.Datetime.now(), days=1)
        self.search([("date", "<", yesterday)])._as_internal().unlink()
