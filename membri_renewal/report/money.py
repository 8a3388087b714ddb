from odoo import fields, models
from odoo.tools import SQL

from .deferred import MembriDeferred
from .reconciliation import MembriReconciliation

# what both are made of
DEPENDS = {
    model: sorted(
        {*MembriDeferred._depends.get(model, ()), *MembriReconciliation._depends.get(model, ())}
    )
    for model in MembriDeferred._depends | MembriReconciliation._depends
}
MONEY_QUERY = """
SELECT part.id::bigint * 2 AS id, part.company_id, part.currency_id, part.partner_id,
       part.option_set_id, part.cotisation_id, part.renewal_id, part.move_id,
       COALESCE(part.date_start, part.invoice_date) AS date,
       part.expected, part.invoiced, part.received, part.written_off, part.open,
       0 AS revenue, 0 AS deferred
  FROM (%(reconciliation)s) part
 UNION ALL
SELECT part.id::bigint * 2 + 1, part.company_id, part.currency_id, part.partner_id,
       part.option_set_id, part.cotisation_id, NULL, part.move_id,
       part.date_start,
       0, 0, 0, 0, 0,
       part.amount, part.unearned
  FROM (%(deferred)s) part
"""


class MembriMoney(models.Model):
    """The money of memberships by the month in which their terms begin, and by plan: what the
    reconciliation and the deferred revenue say, beside each other. It adds nothing of its own, so
    that it equals both, and the journal items, to the cent."""

    _name = "membri.money"
    _inherit = "membri.report.mixin"
    _description = "Membership Money by Month"
    _auto = False
    _rec_name = "partner_id"
    _order = "date desc, id desc"
    _depends = DEPENDS

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Member", readonly=True)
    option_set_id = fields.Many2one("membri.option.set", string="Membership Plan", readonly=True)
    cotisation_id = fields.Many2one("membri.cotisation", string="Membership Term", readonly=True)
    renewal_id = fields.Many2one("membri.renewal", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    date = fields.Date(
        string="First Day", readonly=True, help="Of the term; of other lines, the invoice date."
    )
    expected = fields.Monetary(
        readonly=True, help="Price of the term, or of the renewal if it is still undecided."
    )
    invoiced = fields.Monetary(
        readonly=True, help="Posted invoices less posted credit notes, taxes included."
    )
    received = fields.Monetary(readonly=True, help="Payments and bank lines, less refunds.")
    written_off = fields.Monetary(readonly=True)
    open = fields.Monetary(string="Amount Due", readonly=True, help="Invoiced and not paid yet.")
    revenue = fields.Monetary(
        readonly=True, help="Invoiced for membership terms, before taxes, less credit notes."
    )
    deferred = fields.Monetary(
        readonly=True, help="Part of the revenue that is not earned yet: the days to come."
    )

    @property
    def _table_query(self):
        return SQL(
            MONEY_QUERY,
            reconciliation=self.env["membri.reconciliation"]._table_query,
            deferred=self.env["membri.deferred"]._table_query,
        )

    def action_open_member(self):
        """Open the member that a row is about."""
        self.ensure_one()
        return self.partner_id._get_records_action()

    def _get_totals(self, company):
        """:return: ``{name: (amount here, amount in the reports and in the journal items)}``"""
        mine = [("company_id", "=", company.id)]
        names = ("expected", "invoiced", "received", "written_off", "open", "revenue", "deferred")
        [here] = self.env[self._name]._read_group(mine, [], [f"{name}:sum" for name in names])
        Reconciliation = self.env["membri.reconciliation"]
        [reconciled] = Reconciliation._read_group(
            mine, [], ["expected:sum", "received:sum", "written_off:sum"]
        )
        [(deferred,)] = self.env["membri.deferred"]._read_group(mine, [], ["unearned:sum"])
        journal = {name: pair[1] for name, pair in Reconciliation._get_balances(company).items()}
        # sudo: a sum, and no entry of anybody
        [(balance,)] = (
            self.env["account.move.line"]
            .sudo()
            ._read_group(
                [
                    *mine,
                    ("parent_state", "=", "posted"),
                    ("display_type", "=", "product"),
                    ("membri_cotisation_id", "!=", False),
                    ("move_id.membri_invoice_type", "!=", False),
                    ("move_id.move_type", "in", ("out_invoice", "out_refund")),
                ],
                [],
                ["balance:sum"],
            )
        )
        there = {
            **dict(zip(("expected", "received", "written_off"), reconciled, strict=True)),
            "invoiced": journal["invoiced"],
            "open": journal["open"],
            "revenue": -(balance or 0.0),
            "deferred": deferred,
        }
        return {
            name: (amount or 0.0, there[name] or 0.0)
            for name, amount in zip(names, here, strict=True)
        }

    def action_check_totals(self):
        """Tell whether these figures, the other reports and the journal items agree, for the
        current company."""
        self.browse().check_access("read")
        currency = self.env.company.currency_id
        labels = {name: field["string"] for name, field in self.fields_get().items()}
        wrong = [
            self.env._(
                "%(name)s: %(here)s here, %(there)s in the accounts.",
                name=labels[name],
                here=currency.format(here),
                there=currency.format(there),
            )
            for name, (here, there) in self._get_totals(self.env.company).items()
            if not currency.is_zero(here - there)
        ]
        message = (
            " ".join([self.env._("Totals do not match."), *wrong])
            if wrong
            else self.env._(
                "Totals match, here, in the reconciliation and in the journal items of the "
                "membership invoices."
            )
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if wrong else "success",
                "message": message,
                "sticky": bool(wrong),
            },
        }
