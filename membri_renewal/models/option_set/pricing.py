from collections import defaultdict
from itertools import accumulate, pairwise

from odoo import fields, models


class MembriOptionSet(models.Model):
    """Prices of a term: pricelists on its first day, taxes, proration (specification §4). They
    are those of the company of the term, which may be a branch: whoever asks says it by
    ``with_company`` (``membri.term.mixin`` ``_get_option_set``)."""

    _inherit = "membri.option.set"

    def _get_currency(self, partner):
        """Return the currency in which ``partner`` is charged: its pricelist's, else the
        company's."""
        self.ensure_one()
        partner = partner.with_company(self._get_term_company())
        return partner.property_product_pricelist.currency_id or self.currency_id

    def _get_list_price(self):
        """:return: price before taxes of the proposed options, without any pricelist"""
        self.ensure_one()
        return sum(
            line.quantity * (line.price_unit if line.has_own_price else line.product_id.lst_price)
            for line in self.line_ids.filtered(lambda line: line.is_required or line.is_default)
        )

    def _get_free_remark(self):
        """Said of a proposal without any price: right for some, a mistake for most."""
        self.ensure_one()
        return self.env._(
            "The renewal costs nothing. If this is not intended, set prices for the "
            "options of “%(option_set)s”.",
            option_set=self.name,
        )

    def _prepare_term_lines(
        self, partner, date_start, date_end, cotisation=None, memo=None, prorate=True
    ):
        """The lines of a term of this option set, priced.

        :param partner: the member
        :param date_start: first day of the term: prices are those of that day
        :param date_end: last day, included (``False`` for life)
        :param cotisation: the member's current term, if any: when it is of this option
            set, its options, quantities and agreed prices are proposed again
        :param memo: a dict shared by the calls of one batch, so that each price and each
            tax mapping is looked up once
        :param prorate: scale the amounts of a term that is shorter than its period
        :return: list of values for ``membri.cotisation.line`` or ``membri.renewal.line``
        """
        self.ensure_one()
        lines_vals = self._prepare_lines_of(
            self._get_chosen_options(cotisation), partner, date_start, memo
        )
        if not prorate:
            return lines_vals
        return self._prorate_lines(lines_vals, self._get_currency(partner), date_start, date_end)

    def _prepare_lines_of(self, choices, partner, date_start, memo=None):
        """The lines of what was chosen, at full prices: those of the pricelist are looked up
        for all of them at once.

        :param choices: list of keyword arguments of :meth:`_prepare_term_line`
        :param memo: a dict shared by the calls of one batch
        :return: list of values, one for each choice"""
        self.ensure_one()
        memo = {} if memo is None else memo
        self._fill_pricelist_prices(choices, partner, date_start, memo)
        return [
            self._prepare_term_line(partner, date_start, memo=memo, **choice) for choice in choices
        ]

    def _get_chosen_options(self, cotisation=None):
        """:return: what a term is made of, as keyword arguments of :meth:`_prepare_term_line`"""
        self.ensure_one()
        kept = self.env["membri.cotisation.line"]
        if cotisation and cotisation.option_set_id == self:
            kept = cotisation.line_ids.filtered("product_id.active")
        choices, left = [], kept
        kept_by_product = {
            product: list(lines) for product, lines in kept.grouped("product_id").items()
        }
        for line in self.line_ids.filtered("product_id.active"):
            same = kept_by_product.get(line.product_id)
            previous = same.pop(0) if same else kept.browse()
            left -= previous
            if previous or line.is_required or (line.is_default and not kept):
                choices.append({"option_line": line, "previous": previous})
        # beside the set, and of an option of the set a second line, at another price
        option_lines = {line.product_id: line for line in reversed(self.line_ids)}
        choices += [
            {"option_line": option_lines.get(line.product_id), "previous": line} for line in left
        ]
        return choices

    def _prepare_term_line(
        self,
        partner,
        date_start,
        option_line=None,
        previous=None,
        product=None,
        quantity=None,
        memo=None,
    ):
        """Return the values of one line, at the full price of ``date_start``; the quantity is
        the one given, else that of the member's current term, else the set's."""
        memo = {} if memo is None else memo
        company = self._get_term_company()
        source = option_line or previous
        product = product or source.product_id
        if quantity is None:
            quantity = self._get_usual_quantity(option_line, previous)
        agreed = bool(previous and previous.is_price_agreed)
        if agreed:
            price = previous.full_price_unit or previous.price_unit
        elif option_line and option_line.has_own_price:
            price = self.currency_id._convert(
                option_line.price_unit, self._get_currency(partner), company, date_start
            )
        else:
            price = self._get_pricelist_price(partner, product, quantity, date_start, memo)
        taxes = self._get_taxes(partner, product, memo)
        if not agreed:
            # a price that includes a tax which this member does not pay
            price = product._get_tax_included_unit_price_from_price(
                price,
                product.taxes_id._filter_taxes_by_company(company),
                product_taxes_after_fp=taxes,
            )
        return {
            "sequence": source.sequence if source else 10,
            "product_id": product.id,
            "name": product.with_context(
                lang=partner.lang
            ).get_product_multiline_description_sale(),
            "quantity": quantity,
            "price_unit": price,
            "is_price_agreed": agreed,
            "tax_ids": [fields.Command.set(taxes.ids)],
        }

    def _get_usual_quantity(self, option_line=None, previous=None):
        if previous:
            return previous.full_quantity or previous.quantity
        return option_line.quantity if option_line else 1.0

    def _get_pricelist_price(self, partner, product, quantity, date_start, memo):
        """Return the unit price on ``date_start``. Pricelist rules are dated by moments, so
        the company's local midnight is passed: a rule from 1 January holds from the
        first minute of that day, here."""
        company = self._get_term_company()
        pricelist = partner.with_company(company).property_product_pricelist
        key = ("price", company, pricelist, product, quantity, date_start)
        if key not in memo:
            self._look_up_prices(pricelist, partner, product, quantity, date_start, memo)
        return memo[key]

    def _fill_pricelist_prices(self, choices, partner, date_start, memo):
        """Look up what :meth:`_get_pricelist_price` will be asked for, all at once."""
        company = self._get_term_company()
        pricelist = partner.with_company(company).property_product_pricelist
        wanted = defaultdict(list)
        for choice in choices:
            option_line, previous = choice.get("option_line"), choice.get("previous")
            product = choice.get("product") or (option_line or previous).product_id
            quantity = choice.get("quantity")
            if quantity is None:
                quantity = self._get_usual_quantity(option_line, previous)
            if ("price", company, pricelist, product, quantity, date_start) not in memo:
                wanted[quantity].append(product.id)
        for quantity, product_ids in wanted.items():
            products = self.env["product.product"].browse(product_ids)
            self._look_up_prices(pricelist, partner, products, quantity, date_start, memo)

    def _look_up_prices(self, pricelist, partner, products, quantity, date_start, memo):
        company = self._get_term_company()
        prices = pricelist.with_company(company)._get_products_price(
            products.with_company(company),
            quantity,
            currency=self._get_currency(partner),
            date=company._membri_midnight(date_start),
        )
        for product in products:
            memo["price", company, pricelist, product, quantity, date_start] = prices[product.id]

    def _get_taxes(self, partner, product, memo, with_archived=False):
        """Return the product's sales taxes, mapped by the fiscal position that the
        invoice will have.

        :param with_archived: as if none of these taxes had been archived"""
        company = self._get_term_company()
        position = self._get_fiscal_position(partner, memo)
        taxes = product.taxes_id
        if with_archived:  # the template's: what a variant has of it is read once for all contexts
            taxes = product.product_tmpl_id.with_context(active_test=False).taxes_id
        key = ("taxes", taxes, position, company, with_archived)
        if key not in memo:
            taxes = taxes._filter_taxes_by_company(company)
            mapped = position._membri_map_archived if with_archived else position.map_tax
            memo[key] = mapped(taxes)
        return memo[key]

    def _get_fiscal_position(self, partner, memo):
        """Return the fiscal position that the invoice of ``partner`` will have; members whose
        addresses are alike in what it depends on share it."""
        company = self._get_term_company()
        of_partner = ("fiscal position", partner, company)
        if of_partner not in memo:
            payer = partner.with_company(company)._membri_get_payer()
            delivery = partner.browse(partner.address_get(["delivery"])["delivery"])
            key = (
                "fiscal position",
                company,
                payer.with_company(company).property_account_position_id,
                *(
                    (address.country_id, address.state_id, address.zip, address.vat)
                    for address in (payer, delivery)
                ),
            )
            if key not in memo:
                memo[key] = (
                    self.env["account.fiscal.position"]
                    .with_company(company)
                    ._get_fiscal_position(payer, delivery=delivery)
                )
            memo[of_partner] = memo[key]
        return memo[of_partner]

    def _prorate_lines(self, lines_vals, currency, date_start, date_end):
        """Scale the *amount* of each line, rounded in the currency: never a two-decimal
        quantity. A line whose amount is no whole multiple of its quantity becomes one
        piece of that amount; what it was is kept for the next term."""
        self.ensure_one()
        if (
            self._is_whole_period(date_start, date_end)
            or self.proration == "none"
            or not lines_vals
        ):
            return lines_vals
        full = [vals["quantity"] * vals["price_unit"] for vals in lines_vals]
        if self.proration == "amount":
            target = self.currency_id._convert(
                self.proration_value, currency, self._get_term_company(), date_start
            )
            amounts = self._share_out(target, full, currency)
        else:
            share = self._get_proration(date_start, date_end)
            least = currency.rounding if share else 0.0
            amounts = [
                currency.round(amount * share) or (least if amount > 0 else 0.0) for amount in full
            ]
        for vals, amount in zip(lines_vals, amounts, strict=True):
            if vals["is_price_agreed"]:
                vals["full_price_unit"] = vals["price_unit"]
            unit = currency.round(amount / vals["quantity"])
            if currency.compare_amounts(unit * vals["quantity"], amount):
                vals["name"] = f"{vals['quantity']:g} × {vals['name']}"
                vals["full_quantity"] = vals["quantity"]
                vals["quantity"], unit = 1.0, amount
            vals["price_unit"] = unit
        return lines_vals

    def _share_out(self, target, weights, currency):
        """Return the amounts in proportion to ``weights`` that sum up to ``target`` exactly;
        none is negative, and what is free stays free. Without any price, the first pays."""
        if not sum(weights):
            return [target] + [0.0] * (len(weights) - 1)
        total = currency.round(target)
        bounds = [
            currency.round(total * part / sum(weights)) for part in accumulate(weights, initial=0.0)
        ]
        return [currency.round(end - start) for start, end in pairwise(bounds)]


class AccountFiscalPosition(models.Model):
    _inherit = "account.fiscal.position"

    def _membri_map_archived(self, taxes):
        """:return: as ``map_tax``, as if none of these taxes had been archived"""
        replacing = self.with_context(active_test=False).tax_ids
        if self and not replacing:
            return taxes.browse()  # as Odoo reads it: no taxes at all
        mapped = taxes.browse()
        for tax in taxes:
            mapped |= replacing.filtered(lambda new, tax=tax: tax in new.original_tax_ids) or tax
        return mapped
