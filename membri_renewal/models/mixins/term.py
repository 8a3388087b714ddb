from odoo import api, fields, models
from odoo.fields import Command, Domain

from .formats import format_day

# what the totals of a term are computed from
MONEY_FIELDS = (
    "line_ids.quantity",
    "line_ids.price_unit",
    "line_ids.tax_ids",
    "currency_id",
    "company_id",
)


class MembriTermMixin(models.AbstractModel):
    """What a term and a proposed term have in common: member, dates, money."""

    _name = "membri.term.mixin"
    _description = "Period and price of a member"
    _inherit = "membri.fields.mixin"

    partner_id = fields.Many2one(
        "res.partner", string="Member", required=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one("res.currency", required=True)
    option_set_id = fields.Many2one(
        "membri.option.set",
        string="Membership Plan",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    date_start = fields.Date(string="First Day", required=True, index=True)
    date_end = fields.Date(
        string="Last Day", index=True, help="Included. Empty for a lifetime membership."
    )
    term_display = fields.Char(string="Period", compute="_compute_term_display")
    amount_untaxed = fields.Monetary(
        string="Amount Before Taxes", compute="_compute_amounts", store=True
    )
    amount_total = fields.Monetary(string="Total", compute="_compute_amounts", store=True)
    # portal users may read their own renewals over RPC: this is for the staff's screens
    tax_totals = fields.Binary(
        compute="_compute_tax_totals", exportable=False, groups="base.group_user"
    )

    def _get_member(self):
        """:return: the member, with what it chose and has in the company of this term"""
        self.ensure_one()
        return self.partner_id.with_company(self.company_id)

    def _get_invoice_sudo(self):
        """Return the invoices of ``self``, terms or renewals. Sudo: whoever works with them, or
        answers, is told of the invoice, which is the accountants'; the callers choose what."""
        return self.sudo().invoice_id

    def _prepare_same_term_vals(self):
        """:return: values of a term of the same member, plan, days and options"""
        self.ensure_one()
        return {
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "option_set_id": self.option_set_id.id,
            "date_start": self.date_start,
            "date_end": self.date_end,
            "line_ids": [Command.create(line._prepare_copy_vals()) for line in self.line_ids],
        }

    def _get_option_set(self):
        """Return the option set, as the company of this term sells it: a branch that works
        with a set of its parent has pricelists, fiscal positions, taxes and a today of its own."""
        self.ensure_one()
        return self.option_set_id.with_company(self.company_id)

    def _get_archived_reason(self):
        """:return: why nothing goes out for the member (a sentence), or ``False``"""
        self.ensure_one()
        return self._get_member()._membri_get_archived_reason()

    @api.depends(*MONEY_FIELDS)
    def _compute_amounts(self):
        """Computed by the tax engine over all lines at once, as the invoice will be."""
        for term in self:
            if (price := term._get_untaxed_price()) is not None:
                term.amount_untaxed = term.amount_total = price
                continue
            summary = term._get_tax_totals_summary()
            term.amount_untaxed = summary["base_amount_currency"]
            term.amount_total = summary["total_amount_currency"]

    def _get_untaxed_price(self):
        """Return the price where the tax engine has nothing to compute: no line is taxed, nor to
        be rounded; else ``None``."""
        currency = self.currency_id
        amounts = [line.quantity * line.price_unit for line in self.line_ids]
        if not currency or self.line_ids.tax_ids:
            return None
        if any(abs(amount - currency.round(amount)) > 1e-6 for amount in amounts):
            return None
        return currency.round(sum(amounts))

    @api.depends(*MONEY_FIELDS)
    @api.depends_context("lang")
    def _compute_tax_totals(self):
        for term in self:
            term.tax_totals = term._get_tax_totals_summary()

    def _get_tax_totals_summary(self):
        """Return the totals of ``account.tax``, in the shape of Odoo's tax totals widget; of
        several terms (of one company and currency) those of their one invoice, to the cent."""
        AccountTax = self.env["account.tax"]
        company = self.company_id or self.env.company
        base_lines = [line._prepare_base_line_for_taxes_computation() for line in self.line_ids]
        AccountTax._add_tax_details_in_base_lines(base_lines, company)
        AccountTax._round_base_lines_tax_details(base_lines, company)
        return AccountTax._get_tax_totals_summary(
            base_lines=base_lines,
            currency=self.currency_id or company.currency_id,
            company=company,
        )

    @api.depends("date_start", "date_end")
    @api.depends_context("lang")
    def _compute_term_display(self):
        for term in self:
            term.term_display = term._format_period(term.date_start, term.date_end)

    def _get_period_in_words(self):
        """:return: the days of this term written out, as members read them"""
        self.ensure_one()
        return self._format_period(self.date_start, self.date_end, date_format="long")

    def _format_day(self, day):
        return format_day(self.env, day)

    def _format_period(self, date_start, date_end, lang=None, date_format="medium"):
        """:return: both days, included, in the words of ``lang`` (default: the reader's)"""
        if not date_start:
            return ""
        first = format_day(self.env, date_start, lang, date_format)
        if not date_end:
            return self.env._("from %(first)s, for life", first=first)
        last = format_day(self.env, date_end, lang, date_format)
        return self.env._("%(first)s to %(last)s", first=first, last=last)

    # ------------------------------------------------------------------
    # Hooks
    # ------------------------------------------------------------------

    def _before_document(self):
        """Hook: the notice, or the invoice, of ``self`` is about to go out."""

    def _before_leaving(self):
        """Hook: an email about ``self`` is handed to the mail server, or a letter is printed,
        now: what it says of days is to hold from now on."""

    def _after_leaving(self, facts):
        """Hook: an email was taken by the mail server, or a letter was printed.

        :param facts: what it said, as of :meth:`_get_told_facts`, and more"""

    def _after_undelivered(self, reason):
        """Hook: what was to leave did not, or came back.

        :param reason: a sentence"""

    def _get_told_facts(self):
        """Hook: what documents about ``self`` announce, in short, or an empty text. An email that
        has not left is written anew when it differs"""
        return ""

    def _get_charge_sentence(self, to_payer=False):
        """Hook: what is charged automatically, and when (a sentence to the member, or to the
        payer), or ``False``"""
        return False

    def _get_charge_cover_sentence(self):
        """Hook: what is charged automatically, to be said on a page before a document that does
        not say it, or ``False``"""
        return False

    def _get_charge_day(self):
        """Hook: the day of the next automatic payment, or ``False``"""
        return False

    def _get_charge_planned_reason(self):
        """Hook: that no reminder is needed, since it is paid automatically, or ``False``"""
        return False

    def _get_charge_mail_obstacle(self):
        """Hook: why an email about an automatic payment must not leave any more, or ``False``"""
        return False

    @api.model
    def _get_charge_planned_domain(self):
        """Hook: the same, as a domain"""
        return Domain.FALSE
