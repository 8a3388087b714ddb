from odoo import api, models
from odoo.exceptions import UserError

from .mixins.formats import format_percentages


class AccountTax(models.Model):
    _inherit = "account.tax"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_proposed(self):
        """What members were told, and what terms say, keeps its taxes: without a trace, the
        invoice would have none."""
        for model in ("membri.renewal.line", "membri.cotisation.line"):
            # sudo: who deletes taxes need not see memberships
            line_sudo = self.env[model].sudo().search([("tax_ids", "in", self.ids)], limit=1)
            if line_sudo:
                raise UserError(
                    self.env._(
                        "“%(tax)s” is on %(record)s. Archive it instead of deleting it.",
                        tax=(line_sudo.tax_ids & self)[:1].display_name,
                        record=line_sudo[line_sudo._term_field].display_name,
                    )
                )

    def _membri_get_labels(self):
        """Return the labels of these taxes for a document, “5% GST” as the reader's language
        writes it."""
        return ", ".join(
            format_percentages(self.env, tax.tax_label) for tax in self if tax.tax_label
        )
