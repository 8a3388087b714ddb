from odoo import models


def get_account_label(account, company):
    """Return its number and name in ``company``; Odoo tells the number to accountants only."""
    account = account.with_company(company)
    return " ".join(filter(None, (account.code, account.name)))


class MembriTermMixin(models.AbstractModel):
    """Whether a term, or a proposed one, can be invoiced, asked before anything is made."""

    _inherit = "membri.term.mixin"

    def _get_invoice_date(self):
        """Return the day of approval or, where the company dates invoices by the term, its
        first day; never a day that is over."""
        self.ensure_one()
        today = self.company_id._membri_today()
        if self.company_id.membri_invoice_dating == "term":
            return max(today, self.date_start)
        return today

    def _get_cannot_invoice_reason(self):
        """Return why this term cannot be invoiced (a sentence that says what to do), or
        ``False``."""
        self.ensure_one()
        return (
            self.line_ids._get_cannot_invoice_reason()
            or self._get_other_company_reason()
            or self._get_archived_currency_reason()
            or self._get_archived_receivable_reason()
            or self._get_negative_reason()
            or self._get_locked_period_reason()
            or self._get_orphan_reason()
        )

    def _get_no_journal_reason(self):
        """Without a sales journal there is no invoice, and mostly no income account either."""
        if self.company_id._membri_get_sale_journals_sudo():
            return False
        return self.env._(
            "%(company)s has no sales journal, so %(member)s cannot be invoiced. "
            "Ask the accountant to add one or to unarchive it.",
            company=self.company_id.display_name,
            member=self.partner_id._membri_get_names(),
        )

    def _get_other_company_reason(self):
        """A contact that was given to another company gets no invoice of this one; Odoo's own
        message speaks of fields."""
        # sudo: contacts of other companies are beyond the rules of who approves
        # of all payers at once, and nothing else of them: pages ask this, too
        payer_sudo = self._get_payer().sudo().with_context(prefetch_fields=False)
        other_sudo = payer_sudo.company_id
        # sudo: so are the companies above this one
        if not other_sudo or other_sudo in self.company_id.sudo().parent_ids:
            return False
        return self.env._(
            "%(contact)s belongs to %(other)s, so it gets no invoice of %(company)s. "
            "Remove the company from the contact, or choose another payer.",
            contact=payer_sudo._membri_get_names(),
            other=other_sudo.name,
            company=self.company_id.name,
        )

    def _get_archived_currency_reason(self):
        """Odoo confirms no invoice in a currency that was archived; it names no record."""
        if self.currency_id.active:
            return False
        return self.env._(
            "Cannot invoice %(member)s: the currency %(currency)s of %(record)s is archived. Ask "
            "the accountant to activate it in Invoicing, or change the currency.",
            member=self.partner_id._membri_get_names(),
            currency=self.currency_id.name,
            record=self.display_name,
        )

    def _get_archived_receivable_reason(self):
        """Odoo confirms no invoice on an account that was archived; it names none."""
        # sudo: accounts are the accountants', and payers may be beyond the rules of who approves
        payer_sudo = self._get_payer().sudo().with_context(prefetch_fields=False)
        account_sudo = payer_sudo.with_company(self.company_id).property_account_receivable_id
        if not account_sudo or account_sudo.active:
            return False
        return self.env._(
            "Cannot invoice %(member)s: the receivable account %(account)s of %(payer)s is "
            "archived. Ask the accountant to unarchive it, or to set another one on the contact.",
            member=self.partner_id._membri_get_names(),
            account=get_account_label(account_sudo, self.company_id),
            payer=payer_sudo._membri_get_names(),
        )

    def _get_negative_reason(self):
        if self.currency_id.compare_amounts(self.amount_total, 0.0) >= 0:
            return False
        return self.env._(
            "The discounts of %(member)s exceed the price (total: %(amount)s), so there "
            "is nothing to invoice. Reduce them on %(record)s until the total is at least "
            "zero.",
            member=self.partner_id._membri_get_names(),
            amount=self.currency_id.format(self.amount_total),
            record=self.display_name,
        )

    def _get_locked_period_reason(self):
        """Odoo moves an invoice of a locked period to the first open day, but never past today."""
        today = self.company_id._membri_today()
        day = max(self._get_invoice_date(), today)
        # sudo: lock dates are the accountants'; that a period is closed is no secret
        locks = self.company_id.sudo()._get_lock_date_violations(
            day,
            fiscalyear=True,
            sale=True,
            purchase=False,
            tax=bool(self.line_ids.tax_ids),
            hard=True,
        )
        if not locks:
            return False
        names = {
            "member": self.partner_id._membri_get_names(),
            "company": self.company_id.display_name,
            "locks": self.company_id._format_lock_dates(locks),
        }
        if any(field == "hard_lock_date" for _day, field in locks):
            return self.env._(
                "Cannot invoice %(member)s: the accounting period is locked for good (%(locks)s, "
                "%(company)s), and nobody can unlock it. An invoice can only bear a later date: "
                "wait until the date has passed.",
                **names,
            )
        return self.env._(
            "Cannot invoice %(member)s: the accounting period is locked (%(locks)s, "
            "%(company)s). Ask the accountant to unlock it, or wait until the date has "
            "passed.",
            **names,
        )


class MembriTermLineMixin(models.AbstractModel):
    _inherit = "membri.term.line.mixin"

    def _get_cannot_invoice_reason(self):
        """:return: why one of these lines cannot be invoiced, or ``False``"""
        if reason := self._get_archived_product_reason():
            return reason
        for line in self:
            if not line._get_income_account_sudo():
                # sudo: a name only
                return self.env._(
                    "The option “%(option)s” cannot be invoiced to %(member)s because it "
                    "has no income account. Ask your accountant to set one on the "
                    "product, on its category, or in the settings of Invoicing.",
                    option=line.product_id.sudo().display_name,
                    member=line[self._term_field].partner_id._membri_get_names(),
                )
            if reason := line._get_archived_account_reason():
                return reason
        return False

    def _get_archived_account_reason(self):
        """:return: that the income account of this option is archived (a sentence), or ``False``"""
        company = self[self._term_field].company_id
        account_sudo = self._get_income_account_sudo()
        if account_sudo.active:
            return False
        # sudo: a name only
        return self.env._(
            "The option “%(option)s” cannot be invoiced to %(member)s because its income account "
            "%(account)s is archived. Ask the accountant to unarchive it, or to set another one "
            "on the product, on its category, or in the settings of Invoicing.",
            option=self.product_id.sudo().display_name,
            member=self[self._term_field].partner_id._membri_get_names(),
            account=get_account_label(account_sudo, company),
        )

    def _get_archived_product_reason(self):
        """Return that one of these options is archived, which the member was not told of yet
        (a sentence), or ``False``."""
        for line in self:
            # sudo: the member who accepts on the portal may not read products
            product_sudo = line.product_id.sudo()
            if not product_sudo.active and not line._is_frozen():
                return self.env._(
                    "The option “%(option)s” of %(member)s is archived and can no longer "
                    "be invoiced. Choose another option, or unarchive the product.",
                    option=product_sudo.display_name,
                    member=line[self._term_field].partner_id._membri_get_names(),
                )
        return False

    def _is_frozen(self):
        """Return whether the member was told of this line: archiving the product later
        changes nothing of it."""
        self.ensure_one()
        return False

    def _get_income_account_sudo(self):
        """Return, in sudo, the account that Odoo books this option on: accounts are the
        accountants'."""
        self.ensure_one()
        company = self[self._term_field].company_id
        product_sudo = self.product_id.sudo().with_company(company)  # sudo: as said above
        return (
            product_sudo._get_product_accounts()["income"]
            or company._membri_get_sale_journals_sudo().default_account_id[:1]
        )


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _membri_get_missing_account_reason(self, company):
        """Odoo takes the income account from the product, its category, the company, or the
        sales journal; where there is none, its own message names no product.

        :return: which of these products cannot be invoiced by ``company`` (a sentence), or
            ``False``
        """
        # sudo: members answer on the portal, officers need not see the accounts
        for product_sudo in self.sudo().with_company(company):
            if product_sudo._get_product_accounts()["income"]:
                continue
            journal_sudo = company._membri_get_sale_journals_sudo()[:1]
            if not journal_sudo.default_account_id:
                return self.env._(
                    "“%(product)s” cannot be invoiced because it has no income account in "
                    "%(company)s. Ask the accountant to set one on the product, its "
                    "category or the sales journal.",
                    product=product_sudo.display_name,
                    company=company.name,
                )
        return False
