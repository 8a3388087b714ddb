from odoo import models


class MembriRenewal(models.Model):
    """The plan of who pays in several parts, before there is an invoice: as the payment terms of
    the payer would give it today."""

    _inherit = "membri.renewal"

    def _get_payment_plan(self):
        """Return a list of ``(day, amount)``, one for each part, the earliest first, of what
        accepting today would ask for; nothing where it is to be paid at once."""
        self.ensure_one()
        # sudo: members see no payment terms
        payer_sudo = self._get_payer().sudo().with_company(self.company_id)
        terms_sudo = payer_sudo.property_payment_term_id
        if len(terms_sudo.line_ids) < 2:
            return []
        proposal = self._get_proposal()
        currency, company_sudo = proposal.currency_id, self.company_id.sudo()
        day = proposal._get_invoice_date()
        untaxed, total = proposal.amount_untaxed, proposal.amount_total
        rate = currency._get_conversion_rate(currency, company_sudo.currency_id, company_sudo, day)
        parts = terms_sudo._compute_terms(
            date_ref=day,
            currency=currency,
            company=company_sudo,
            tax_amount=company_sudo.currency_id.round((total - untaxed) * rate),
            tax_amount_currency=total - untaxed,
            sign=1,
            untaxed_amount=company_sudo.currency_id.round(untaxed * rate),
            untaxed_amount_currency=untaxed,
        )["line_ids"]
        plan = {}
        for part in parts:
            plan[part["date"]] = plan.get(part["date"], 0.0) + part["foreign_amount"]
        plan = [
            (part_day, currency.round(amount))
            for part_day, amount in sorted(plan.items())
            if not currency.is_zero(amount)
        ]
        return plan if len(plan) > 1 else []

    def _get_payment_plan_rows(self):
        """Return a list of ``(label, amount, standing)`` in words, one for each part: of the
        invoice, where there is one, else of what accepting today would ask for; nothing where it
        is paid at once, or on an invoice of others too."""
        self.ensure_one()
        if self._is_invoice_of_others_too():
            return []
        if self.invoice_id:
            return self._get_invoice_sudo()._membri_get_plan_rows()
        plan = self._get_payment_plan()
        # an invoice of several has another total
        if not plan or self._get_grouping_payer():
            return []
        return [
            (
                self.env._("By %(date)s", date=self._format_day(day)),
                self._format_amount(amount, self._get_proposal()),
                "",
            )
            for day, amount in plan
        ]

    def _get_payment_plan_title(self):
        """:return: what stands above the rows of the plan"""
        self.ensure_one()
        if self.invoice_id:
            return self.env._("Payment in installments")
        return self.env._("Payment in installments, if you accept today")
