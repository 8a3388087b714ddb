from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .renewal import STAFF


class MembriRenewal(models.Model):
    """What the screens show beside the facts: the current term next to the proposed one,
    and the ways to the records around a renewal."""

    _inherit = "membri.renewal"

    member_name = fields.Char(
        related="partner_id.complete_name", string="Name of the Member", groups=STAFF
    )
    current_option_set_id = fields.Many2one(
        related="cotisation_id.option_set_id", string="Current Plan", groups=STAFF
    )
    current_date_start = fields.Date(
        related="cotisation_id.date_start", string="First Day of Current Term", groups=STAFF
    )
    current_line_ids = fields.One2many(
        related="cotisation_id.line_ids", string="Current Options", groups=STAFF
    )
    current_currency_id = fields.Many2one(
        related="cotisation_id.currency_id", string="Currency of Current Term", groups=STAFF
    )
    current_amount_total = fields.Monetary(
        related="cotisation_id.amount_total",
        string="Current Term Total",
        currency_field="current_currency_id",
        groups=STAFF,
    )
    current_state = fields.Selection(
        related="cotisation_id.state", string="Current Term Status", groups=STAFF
    )
    new_cotisation_state = fields.Selection(
        related="new_cotisation_id.state", string="Next Term Status", groups=STAFF
    )
    invoice_date_sent = fields.Datetime(
        related="invoice_id.membri_date_sent", string="Invoice Sent On", groups=STAFF
    )
    invoice_date_due = fields.Date(
        related="invoice_id.invoice_date_due", string="Invoice Due Date", groups=STAFF
    )
    invoice_part_due = fields.Date(
        related="invoice_id.membri_date_due", string="Next Part Due", groups=STAFF
    )

    search_text = fields.Char(
        string="Renewal or Member",
        compute="_compute_search_text",
        search="_search_search_text",
        groups=STAFF,
        exportable=False,
    )

    @api.depends("name", "partner_id.complete_name")
    def _compute_search_text(self):
        for renewal in self:
            renewal.search_text = f"{renewal.name} {renewal.partner_id.complete_name or ''}"

    @api.model
    def _search_search_text(self, operator, value):
        """By number or by member: each has its trigram index, which the database does not look
        into for both of them in one condition."""
        if not operator.endswith("like") or operator.startswith("not"):
            return NotImplemented
        members = self.env["res.partner"].with_context(active_test=False)
        found = (
            self._search(Domain("name", operator, value)),
            self._search(
                Domain("partner_id", "in", members._search([("complete_name", operator, value)]))
            ),
        )
        return Domain("id", "any!", SQL("(%s UNION %s)", *(query.select() for query in found)))

    def action_preview(self):
        """Show the page that the member sees. Its link answers in the member's name, so it
        is not for those who may only look."""
        self.ensure_one()
        self.check_access("write")
        return {"type": "ir.actions.act_url", "target": "self", "url": self.access_url}

    def action_view_member(self):
        self.ensure_one()
        return self.partner_id._get_records_action()

    def action_view_cotisation(self):
        self.ensure_one()
        return self.cotisation_id._get_records_action()

    def action_view_new_cotisation(self):
        self.ensure_one()
        return self.new_cotisation_id._get_records_action()

    def action_view_invoice(self):
        self.ensure_one()
        return self.invoice_id._get_records_action()

    def action_send_invoice_again(self):
        """Odoo's own send dialog for one invoice, its sending queue for many."""
        self.check_access("write")
        if not self.invoice_id:
            raise UserError(self.env._("These renewals have no invoice yet. Approve them first."))
        return self.invoice_id.action_membri_send_again()
