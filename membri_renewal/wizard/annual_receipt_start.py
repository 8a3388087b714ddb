from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class MembriAnnualReceiptStart(models.TransientModel):
    """Annual receipts by email, for the contacts that were chosen or for everybody who paid."""

    _name = "membri.annual.receipt.start"
    _inherit = "membri.wizard.mixin"
    _description = "Send Annual Membership Receipts"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    year = fields.Integer(
        required=True,
        default=lambda self: self.env.company._membri_today().year - 1,
        aggregator=None,
    )
    partner_ids = fields.Many2many(
        "res.partner", string="Payers", help="Leave empty for everyone who paid in the year."
    )
    is_year_unfinished = fields.Boolean(
        string="Year in Progress", compute="_compute_is_year_unfinished"
    )
    payer_count = fields.Integer(string="Receipts to Send", compute="_compute_payer_count")

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if self.env.context.get("active_model") == "res.partner":
            values["partner_ids"] = [Command.set(self.env.context.get("active_ids") or [])]
            self._check_given_records(values)
        return values

    @api.depends("year", "partner_ids", "company_id")
    def _compute_payer_count(self):
        Receipt = self.env["membri.annual.receipt"]
        for wizard in self:
            wizard.payer_count = (
                len(Receipt._find_payers(wizard.company_id, wizard.year, wizard.partner_ids))
                if 1900 < wizard.year < 3000
                else 0
            )

    @api.depends("year", "company_id")
    def _compute_is_year_unfinished(self):
        for wizard in self:
            wizard.is_year_unfinished = wizard.year >= wizard.company_id._membri_today().year

    def action_confirm(self):
        """Make the receipts and queue their emails.

        :return: the action that shows them, with what became of each
        :raises AccessError: for those who may not write invoices"""
        self.ensure_one()
        self.env["account.move"]._membri_check_works_on_invoices()
        if not 1900 < self.year < 3000:
            raise UserError(
                self.env._("%(year)s is not a valid year. Enter four digits.", year=self.year)
            )
        receipts = self.env["membri.annual.receipt"]._make(
            self.company_id, self.year, self.partner_ids
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_annual_receipt"
        )
        return {**action, "domain": [("id", "in", receipts.ids)]}
