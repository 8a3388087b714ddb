from odoo import fields, models
from odoo.tools import SQL

from .reconciliation_query import OF_ALL, get_reconciliation_query

REASONS = [
    ("none", "No difference"),
    ("not_approved", "Renewal not approved yet"),
    ("fee_notice", "Fee notice not paid yet"),
    ("draft", "Invoice not posted"),
    ("draft_settlement", "Settled by a draft"),
    ("voided", "Invoice cancelled"),
    ("no_invoice", "Recorded without an invoice (import)"),
    ("credited", "Credited"),
    ("cancelled", "Term void, invoice kept"),
    ("price_changed", "Price changed after approval"),
    ("currency", "Currency difference"),
    ("rounding", "Tax rounding"),
    ("other_line", "Invoice line without a membership term"),
]
# how each reason is said; the others need no sentence
EXPLANATIONS = {
    "not_approved": "_explain_not_approved",
    "fee_notice": "_explain_fee_notice",
    "draft": "_explain_draft",
    "draft_settlement": "_explain_draft_settlement",
    "voided": "_explain_voided",
    "no_invoice": "_explain_no_invoice",
    "credited": "_explain_credited",
    "cancelled": "_explain_cancelled",
    "price_changed": "_explain_price_changed",
    "currency": "_explain_currency",
    "rounding": "_explain_rounding",
    "other_line": "_explain_other_line",
}


class MembriReconciliation(models.Model):
    """What the memberships should bring in, against what was invoiced, paid and is open in the
    accounts, in the currency of the company.

    One row per cotisation, per renewal that is not decided yet, and per membership invoice with
    lines that no cotisation is behind. ``invoiced`` and ``open`` add up to Odoo's own journal
    items of all membership invoices, to the cent.
    """

    _name = "membri.reconciliation"
    _inherit = "membri.report.mixin"
    _description = "Reconciliation of Memberships and Accounts"
    _auto = False
    _rec_name = "partner_id"
    _order = "date_start desc, id desc"
    _depends = {
        "membri.cotisation": [
            "amount_total",
            "amount_untaxed",
            "company_id",
            "currency_id",
            "date_end",
            "date_start",
            "invoice_id",
            "option_set_id",
            "partner_id",
            "renewal_id",
            "state",
        ],
        "membri.renewal": [
            "amount_total",
            "amount_untaxed",
            "company_id",
            "currency_id",
            "date_end",
            "date_start",
            "option_set_id",
            "partner_id",
            "state",
        ],
        "account.move": [
            "amount_residual_signed",
            "amount_total",
            "amount_total_signed",
            "company_id",
            "currency_id",
            "invoice_date",
            "membri_amount_received",
            "membri_amount_written_off",
            "membri_fee_notice_state",
            "membri_invoice_type",
            "move_type",
            "partner_id",
            "reversed_entry_id",
            "state",
        ],
        "account.move.line": [
            "amount_residual",
            "date_maturity",
            "display_type",
            "membri_cotisation_id",
            "move_id",
            "parent_state",
            "price_subtotal",
            "price_total",
        ],
        "account.partial.reconcile": ["credit_move_id", "debit_move_id"],
        "res.company": ["currency_id", "parent_path"],
        "res.currency": ["decimal_places"],
        "res.currency.rate": ["company_id", "currency_id", "name", "rate"],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Member", readonly=True)
    payer_id = fields.Many2one("res.partner", readonly=True)
    option_set_id = fields.Many2one("membri.option.set", string="Membership Plan", readonly=True)
    cotisation_id = fields.Many2one("membri.cotisation", string="Membership Term", readonly=True)
    renewal_id = fields.Many2one("membri.renewal", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    date_start = fields.Date(string="First Day", readonly=True)
    date_end = fields.Date(string="Last Day", readonly=True)
    invoice_date = fields.Date(readonly=True)
    expected = fields.Monetary(
        readonly=True, help="Price of the term, or of the renewal if it is still undecided."
    )
    invoiced = fields.Monetary(
        readonly=True, help="Posted invoices less posted credit notes, taxes included."
    )
    credited = fields.Monetary(readonly=True, help="Amount of posted credit notes.")
    paid = fields.Monetary(
        string="Settled",
        readonly=True,
        help="Invoiced and no longer due: received, written off or settled by a credit note.",
    )
    received = fields.Monetary(readonly=True, help="Payments and bank lines, less refunds.")
    written_off = fields.Monetary(
        readonly=True,
        help="Settled without a payment, on any account that is neither a bank or cash account "
        "nor another balance of a contact.",
    )
    row_type = fields.Selection(
        [
            ("term", "Membership Terms"),
            ("renewal", "Undecided Renewals"),
            ("line", "Other Invoice Lines"),
        ],
        readonly=True,
    )
    open = fields.Monetary(string="Amount Due", readonly=True, help="Invoiced and not paid yet.")
    overdue = fields.Monetary(
        readonly=True,
        help="Part of the amount due that was due before today, installment by installment.",
    )
    difference = fields.Monetary(readonly=True, help="Expected minus invoiced.")
    reason = fields.Selection(REASONS, string="Reason for Difference", readonly=True)
    explanation = fields.Char(compute="_compute_explanation")

    @property
    def _table_query(self):
        days = self.env["res.company"]._membri_get_days_sql()
        return SQL(get_reconciliation_query(OF_ALL), today=days)

    def _compute_explanation(self):
        for row_sudo in self.sudo():  # what the row is about may be read with it
            name = EXPLANATIONS.get(row_sudo.reason)
            row_sudo.explanation = name and getattr(row_sudo, name)()

    # ------------------------------------------------------------------
    # The difference, in a sentence
    # ------------------------------------------------------------------

    def _format(self, amount, currency=None):
        return (currency or self.currency_id).format(amount)

    def _explain_not_approved(self):
        return self.env._(
            "%(renewal)s has the status “%(state)s”. It is invoiced when it is approved.",
            renewal=self.renewal_id.name,
            state=self.renewal_id._get_state_label(),
        )

    def _explain_fee_notice(self):
        return self.env._(
            "%(notice)s is not paid yet. The invoice is created when the payment is received.",
            notice=self.move_id._membri_get_document_label(),
        )

    def _explain_draft(self):
        return self.env._("The invoice was reset to draft. Post it again, or cancel it.")

    def _explain_draft_settlement(self):
        # what the officer is told
        drafts = self.move_id._membri_get_settling_moves().filtered(lambda m: m.state == "draft")
        return " ".join(
            self.move_id._membri_get_draft_sentence(draft, self.move_id) for draft in drafts
        )

    def _explain_voided(self):
        return self.env._(
            "%(invoice)s was cancelled, but its membership term is still valid. Cancel "
            "the term, or invoice it again.",
            invoice=self.move_id.display_name,
        )

    def _explain_no_invoice(self):
        return self.env._(
            "%(cotisation)s was imported or entered manually. It has no invoice in Odoo.",
            cotisation=self.cotisation_id.name,
        )

    def _explain_credited(self):
        return self.env._(
            "Credit notes of %(amount)s on %(invoice)s.",
            amount=self._format(-self.credited),
            invoice=self.move_id.name or self.cotisation_id.name,
        )

    def _explain_cancelled(self):
        cotisation = self.cotisation_id.name
        if self.currency_id.compare_amounts(self.invoiced, 0.0) < 0:
            return self.env._(
                "%(cotisation)s is void, and %(amount)s more was credited than invoiced. Cancel a "
                "credit note and credit less.",
                cotisation=cotisation,
                amount=self._format(-self.invoiced),
            )
        if self.currency_id.is_zero(self.written_off):
            return self.env._(
                "%(cotisation)s is void, but its invoice was kept. Credit it, or keep it as "
                "income.",
                cotisation=cotisation,
            )
        # what was written off is no income that is left
        names = {"cotisation": cotisation, "written_off": self._format(self.written_off)}
        rest = self.invoiced - self.written_off
        if self.currency_id.is_zero(rest):
            return self.env._(
                "%(cotisation)s is void, and its invoice was written off (%(written_off)s). "
                "There is nothing left to credit.",
                **names,
            )
        return self.env._(
            "%(cotisation)s is void, and %(written_off)s of its invoice was written off. Credit "
            "the rest (%(rest)s), or keep it as income.",
            rest=self._format(rest),
            **names,
        )

    def _explain_price_changed(self):
        # what the officer was told when the invoice was posted
        return self.cotisation_id._get_difference_sentence()

    def _explain_currency(self):
        names = {"invoice": self.move_id.name, "currency": self.move_id.currency_id.name}
        if self.cotisation_id.state == "cancelled":
            return self.env._(
                "%(invoice)s is in %(currency)s, and was credited at another rate.", **names
            )
        return self.env._(
            "%(invoice)s is in %(currency)s, at a rate other than that day's.", **names
        )

    def _explain_rounding(self):
        return self.env._("Taxes are rounded on the whole invoice, not term by term.")

    def _explain_other_line(self):
        return self.env._(
            "%(invoice)s has lines that were added manually or that belong to no membership term.",
            invoice=self.move_id.name,
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_open_source(self):
        """Open what the row is about: the renewal that waits, else the invoice, else the
        cotisation. Whoever may not see invoices is shown the cotisation."""
        self.ensure_one()
        if self.reason == "not_approved":
            return self.renewal_id._get_records_action()
        if self.move_id and self.env["account.move"].has_access("read"):
            return self.move_id._get_records_action()
        return self.cotisation_id._get_records_action()

    def _get_balances(self, company):
        """:return: ``{name: (amount of the report, amount of the journal items)}``"""
        [report] = self.env[self._name]._read_group(
            [("company_id", "=", company.id)], [], ["invoiced:sum", "open:sum"]
        )
        # sudo: two sums, and no entry of anybody
        [journal] = (
            self.env["account.move.line"]
            .sudo()
            ._read_group(
                [
                    ("company_id", "=", company.id),
                    ("parent_state", "=", "posted"),
                    ("move_id.membri_invoice_type", "!=", False),
                    ("move_id.move_type", "in", ("out_invoice", "out_refund")),
                    ("display_type", "=", "payment_term"),
                ],
                [],
                ["balance:sum", "amount_residual:sum"],
            )
        )
        return {
            name: (in_report or 0.0, in_journal or 0.0)
            for name, in_report, in_journal in zip(
                ("invoiced", "open"), report, journal, strict=True
            )
        }

    def action_check_balance(self):
        """Tell whether the report and the journal items agree, for the current company."""
        self.browse().check_access("read")
        company = self.env.company
        balances = self._get_balances(company)
        currency = company.currency_id
        balanced = all(
            currency.is_zero(in_report - in_journal) for in_report, in_journal in balances.values()
        )
        amounts = {
            f"{name}_{side}": currency.format(amount)
            for name, pair in balances.items()
            for side, amount in zip(("report", "journal"), pair, strict=True)
        }
        if balanced:
            message = self.env._(
                "Totals match: %(invoiced_journal)s invoiced and %(open_journal)s open, "
                "here and in the journal items of the membership invoices.",
                **amounts,
            )
        else:
            message = self.env._(
                "Totals do not match. Invoiced: %(invoiced_report)s here, "
                "%(invoiced_journal)s in the journal items. Open: %(open_report)s here, "
                "%(open_journal)s in the journal items.",
                **amounts,
            )
        return self._get_verified_notification(balanced, message)
