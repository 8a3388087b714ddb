from odoo import models

from .mixins.formats import format_percentages


class AccountTax(models.Model):
    _inherit = "account.tax"

    def _membri_get_labels(self):
        """:return: the labels of these taxes for a document, “5% GST” as the reader's language
        writes it"""
        return ", ".join(
            format_percentages(self.env, tax.tax_label) for tax in self if tax.tax_label
        )
