import re

from odoo import api, models
from odoo.fields import Command, Domain

from .cells import Option
from .decision import Refused
from .reading import normalize

# how Odoo shows a product that has an internal reference
CODED_NAME = re.compile(r"\[(?P<code>[^\]]+)\]\s*(?P<name>.*)")

# of an option, what is no difference
ROUNDING = 0.02


class MembriImport(models.Model):
    """What a term consists of, option by option: as we write it, and as a list tells it."""

    _inherit = "membri.import"

    @api.model
    def _format_options(self, term):
        """:return: the text of a cell that tells the options of ``term``"""
        return "\n".join(
            Option(
                line.product_id.with_context(lang="en_US").display_name,
                line.quantity,
                line.price_unit,
                line.is_price_agreed,
                line.full_quantity,
                line.full_price_unit,
            ).write_out()
            for line in term.line_ids
        )

    def _get_products_by_words(self, values_list):
        """:param values_list: of rows
        :return: ``{key of a code or name: products}`` that their options may be; see
            :meth:`_get_option_keys`"""
        texts = [text for values in values_list for text in values.get("options", ())]
        if not texts:
            return {}
        names = set()
        for text in texts:
            name = Option.parse(text).name
            coded = CODED_NAME.match(name)
            names |= set(coded.groups()) if coded else {name}
            names.add(name.rpartition(" (")[0])  # of a variant
        names.discard("")
        Product = self.env["product.product"].with_context(active_test=False)
        products = self._get_option_sets().line_ids.product_id
        languages = {"en_US", *(code for code, _label in self.env["res.lang"].get_installed())}
        called = Domain("default_code", "in", list(names))
        called |= Domain("product_tmpl_id.name", "in", list(names))
        ours = Domain(Product._check_company_domain(self.company_id))
        for lang in sorted(languages):
            products |= Product.with_context(lang=lang).search(ours & called)
        by_words = {}
        for product in products.with_context(active_test=False):
            spellings = {product.default_code or ""}
            for lang in languages:
                told = product.with_context(lang=lang)
                spellings.add(told.display_name)
                spellings.add(told.with_context(display_default_code=False).display_name)
            keys = {key for spelling in spellings for key in self._get_option_keys(spelling)}
            for key in keys - set(self._get_option_keys("")):
                by_words[key] = by_words.get(key, Product) | product
        return by_words

    @staticmethod
    def _get_option_keys(name):
        """What ``name`` is found by: as it is spelled, and by its words, which “Adult” and
        “Adult +” share."""
        return ("spelled", name.casefold().strip()), ("words", normalize(name))

    def _match_options(self, decision, products):
        """:param products: as of :meth:`_get_products_by_words`
        :return: list of ``(product, option)`` that a row tells, those of the plan first of all
            that are called so
        :raises Refused: when one is unknown, or may be several"""
        options = []
        own = decision.option_set.line_ids.product_id
        for text in decision.row_values.get("options", ()):
            option = Option.parse(text)
            coded = CODED_NAME.match(option.name)
            found = self._find_products(option.name, products)
            if not found and coded:  # which has another code, or none, here
                found = self._find_products(coded["name"], products)
            found = (found & own) or found
            found = found.filtered("active") or found
            if not found:
                raise Refused(
                    "error",
                    self.env._(
                        "There is no product “%(option)s” here. Create it as an option of the "
                        "plan, or keep the column of the options aside.",
                        option=option.name,
                    ),
                )
            if len(found) > 1:
                raise Refused(
                    "error",
                    self.env._(
                        "“%(option)s” is the name of several products. Give the one that is "
                        "meant an internal reference, and write it in the list.",
                        option=option.name,
                    ),
                )
            options.append((found, option))
        return options

    def _find_products(self, name, products):
        """:param products: as of :meth:`_get_products_by_words`
        :return: those that ``name`` may mean, as it is spelled first"""
        found = filter(None, map(products.get, self._get_option_keys(name)))
        return next(found, self.env["product.product"])

    def _price_options(self, decision):
        """:return: list of ``(product, option, unit price)``: the plan's where none is told"""
        priced = []
        usual = {line.product_id: line for line in reversed(decision.option_set.line_ids)}
        for product, option in decision.options:
            price = option.price
            if price is None:
                line = usual.get(product)
                has_own = line and line.has_own_price
                price = line.price_unit if has_own else product.lst_price
            priced.append((product, option, price))
        return priced

    def _get_option_totals(self, priced):
        """:param priced: as of :meth:`_price_options`
        :return: their total without taxes, and with those of the products"""
        company = self.company_id
        bare = taxed = 0.0
        for product, option, price in priced:
            product_sudo = product.sudo()  # taxes are the accountants'
            taxes_sudo = product_sudo.taxes_id._filter_taxes_by_company(company)
            bare += option.quantity * price
            taxed += taxes_sudo.compute_all(
                price, company.currency_id, option.quantity, product_sudo
            )["total_included"]
        return bare, taxed

    def _are_options_taxed(self, priced, amount):
        """:param priced: as of :meth:`_price_options`
        :param amount: what was paid, taxes included, or ``None``
        :return: whether the taxes of the products make the amount, rather than none"""
        if amount is None:
            return True
        bare, taxed = self._get_option_totals(priced)
        return abs(taxed - amount) <= abs(bare - amount)

    def _get_options_remark(self, decision, values):
        """Return that the amount of a row is not that of its options (a sentence), or ``False``:
        the term is what its options make."""
        amount = values["amount"]
        if not decision.options or not decision.term_vals or amount is None:
            return False
        totals = self._get_option_totals(self._price_options(decision))
        total = min(totals, key=lambda total: abs(total - amount))
        if abs(total - amount) < ROUNDING * len(decision.options):
            return False
        currency = self.company_id.currency_id
        return self.env._(
            "The options in the list add up to %(total)s here, not %(amount)s.",
            total=currency.format(total),
            amount=currency.format(amount),
        )

    def _prepare_option_lines(self, decision):
        """Return commands: the options of a term as the row tells them; empty when it tells
        none."""
        priced = self._price_options(decision)
        is_taxed = self._are_options_taxed(priced, decision.row_values["amount"])
        company = self.company_id
        return [
            Command.create(
                {
                    "sequence": 10 + place,
                    "product_id": product.id,
                    "name": product.display_name,
                    "quantity": option.quantity,
                    "price_unit": price,
                    "is_price_agreed": option.is_agreed,
                    "full_quantity": option.full_quantity,
                    "full_price_unit": option.full_price,
                    "tax_ids": [
                        Command.set(
                            product.taxes_id._filter_taxes_by_company(company).ids
                            if is_taxed
                            else []
                        )
                    ],
                }
            )
            for place, (product, option, price) in enumerate(priced)
        ]
