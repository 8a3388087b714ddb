from odoo import api, fields, models
from odoo.tools import float_compare, format_amount

from ..mixins.formats import format_percentage
from .renewal import STAFF


class MembriRenewal(models.Model):
    """What the proposed term changes, against the current one: said in a few words, so that
    the officer need not compare two lists."""

    _inherit = "membri.renewal"

    comparison_html = fields.Html(
        string="What Changes", compute="_compute_comparison_html", sanitize=False, groups=STAFF
    )

    @api.depends(
        "option_set_id",
        "date_start",
        "date_end",
        "amount_total",
        "line_ids.product_id",
        "line_ids.quantity",
        "line_ids.price_unit",
        "cotisation_id",
    )
    @api.depends_context("lang")
    def _compute_comparison_html(self):
        for renewal in self:
            renewal.comparison_html = self.env["ir.qweb"]._render(
                "membri_renewal.renewal_comparison", {"changes": renewal._get_comparison()}
            )

    def _get_comparison(self):
        """Return a dict of texts for the reader: ``total`` (before, after, difference,
        direction), ``options`` (added, removed and changed ones), ``option_set`` and
        ``dates`` (``False`` when they just follow on), ``is_same``, ``is_known`` (an
        imported term may come without its options: there is nothing to compare)."""
        self.ensure_one()
        current = self.cotisation_id
        is_known = bool(current.line_ids)
        comparison = {
            "is_known": is_known,
            "total": self._get_total_change() if is_known else {"direction": ""},
            "options": self._get_option_changes() if is_known else [],
            "option_set": self.option_set_id != current.option_set_id
            and (current.option_set_id.name, self.option_set_id.name),
            "dates": self._get_date_change(),
        }
        comparison["is_same"] = is_known and not (
            comparison["total"]["direction"]
            or comparison["options"]
            or comparison["option_set"]
            or comparison["dates"]
        )
        return comparison

    def _get_total_change(self):
        """Before, after, and the difference where both are in one currency."""
        before, after = self.cotisation_id.amount_total, self.amount_total
        before_currency = self.cotisation_id.currency_id
        currency = self.currency_id or before_currency
        total = {
            "before": format_amount(self.env, before, before_currency or currency),
            "after": format_amount(self.env, after, currency),
            "difference": "",
            "direction": "",
        }
        if before_currency and currency != before_currency:
            return {**total, "direction": "other"}
        direction = currency.compare_amounts(after, before) if currency else 0
        if not direction:
            return total
        sign = "+" if direction > 0 else "\N{MINUS SIGN}"
        difference = sign + format_amount(self.env, abs(after - before), currency)
        if before:
            percent = round(100 * abs(after - before) / before, 1)
            words = format_percentage(self.env, percent, 0 if percent.is_integer() else 1)
            difference += f" ({sign}{words})"
        return {**total, "difference": difference, "direction": "up" if direction > 0 else "down"}

    def _get_option_changes(self):
        """Return a list of (kind, option, detail): what is added, removed, or has another
        quantity or price, in the order of the proposal."""
        changes = []
        for product, old, new in self._compare_options(self.cotisation_id.line_ids, self.line_ids):
            if not old:
                changes.append(("added", product, self._format_option(new)))
            elif not new:
                changes.append(("removed", product, self._format_option(old)))
            elif self._differs(old, new):
                detail = f"{self._format_option(old)} → {self._format_option(new)}"
                changes.append(("changed", product, detail))
        changes.sort(key=lambda change: (change[0], change[1].display_name or ""))
        return [(kind, product.display_name, detail) for kind, product, detail in changes]

    def _compare_options(self, before, after):
        """What both the staff and the member are told of is found here.

        :param before: lines of a term, ``after`` those that take their place
        :return: list of (product, option before, option after): options as
            :meth:`_sum_options` gives them, ``None`` where there is none"""
        old, new = self._sum_options(before), self._sum_options(after)
        products = [*new, *(product for product in old if product not in new)]
        return [(product, old.get(product), new.get(product)) for product in products]

    def _differs(self, old, new):
        """Another quantity, or another amount in cents."""
        return any(
            float_compare(before, after, precision_digits=2)
            for before, after in zip(old, new, strict=True)
        )

    def _sum_options(self, lines):
        """:return: ``{product: (quantity, amount without taxes)}``"""
        options = {}
        for line in lines:
            quantity, amount = options.get(line.product_id, (0.0, 0.0))
            options[line.product_id] = (quantity + line.quantity, amount + line.price_subtotal)
        return options

    def _format_option(self, option):
        quantity, amount = option
        text = format_amount(self.env, amount, self.currency_id or self.company_id.currency_id)
        return text if quantity == 1 else f"{quantity:g} × · {text}"

    def _get_date_change(self):
        """A term that begins the day after the last one is no news; a gap, or a term that
        begins before, is."""
        last_day = self.cotisation_id.date_end
        if not (last_day and self.date_start):
            return False
        days = (self.date_start - last_day).days - 1
        if not days:
            return False
        names = {"date": self._format_day(self.date_start), "days": abs(days)}
        if days > 0:
            sentence = self.env._(
                "First day: %(date)s. Days without membership before it: %(days)s.", **names
            )
        else:
            sentence = self.env._(
                "First day: %(date)s. Days of the current term left on that day: %(days)s.",
                **names,
            )
        return {"kind": "gap" if days > 0 else "overlap", "days": abs(days), "sentence": sentence}
