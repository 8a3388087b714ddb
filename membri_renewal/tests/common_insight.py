from odoo.fields import Command

from .common import MembriCommon


class InsightCase(MembriCommon):
    """Members with terms of the past, recorded as an import does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.with_env(cls.env_root).taxes_id = False

    @classmethod
    def _prepare_term(cls, member, option_set, price, date_start, state="expired", **vals):
        """:return: values of a recorded term with one line, without taxes"""
        line = {"product_id": cls.product.id, "name": "Fee", "quantity": 1, "price_unit": price}
        return {
            "partner_id": member.id,
            "option_set_id": option_set.id,
            "date_start": date_start,
            "state": state,
            "line_ids": [Command.create({**line, "tax_ids": []})],
            **vals,
        }

    def _get_rows(self, terms=None, user=None, **fields):
        """The rows of the figures about ``terms`` (default: about all)."""
        self.env.flush_all()
        Insight = self.env["membri.insight"].with_user(user or self.auditor)
        Insight.invalidate_model()
        domain = [(name, "=", value) for name, value in fields.items()]
        if terms is not None:
            domain.append(("cotisation_id", "in", terms.ids))
        return Insight.search(domain)

    def _get_outcome(self, term):
        return self._get_rows(term).outcome
