from odoo import models


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
