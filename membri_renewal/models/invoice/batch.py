from collections import defaultdict

from markupsafe import Markup

from odoo import api, models

# What the invoices of a kind have each for themselves; nothing of it bears upon their lines.
# A field of the invoice that is not named here tells kinds apart.
OWN_FIELDS = frozenset(
    {
        *models.MAGIC_COLUMNS,
        "access_token",
        "commercial_partner_id",
        "invoice_origin",
        "invoice_partner_display_name",
        "invoice_user_id",
        "membri_renewal_id",
        "partner_id",
        "partner_shipping_id",
    }
)
# … and what follows from lines, of which there are none yet: Odoo finds it once, when they are made
COMPUTES_OF_LINES = frozenset(
    {
        "_compute_amount",
        "_compute_membri_amounts",
        "_compute_membri_is_first_part_paid",
        "_compute_payment_state",
    }
)
# … and their lines: given to each, or taken from its own invoice
OWN_LINE_FIELDS = frozenset({"name", "membri_cotisation_id"})
# not copied from line to line: debit and credit are the two faces of the balance, and of whether
# it is followed up, given to a line, Odoo writes its invoice
UNCOPIED_LINE_FIELDS = frozenset(
    {
        *models.MAGIC_COLUMNS,
        "credit",
        "debit",
        "membri_cotisation_id",
        "move_id",
        "no_followup",
        "partner_id",
    }
)
LAST_NUMBERS = "membri_renewal.last_numbers"
RANKS = "membri_renewal.customer_ranks"
# in the context, where no client can put it: that no analytic distribution model exists
NO_MODELS = object()


class Totals:
    """The totals of lines that are about to be made; in the context, where no client can put
    them."""

    def __init__(self):
        self.found = {}


class Copies:
    """What Odoo has computed of lines, for others like them that are about to be made; in the
    context, where no client can put it."""

    def __init__(self, precomputed):
        """:param precomputed: list of ``{name: value}``, in the order of the lines to be made"""
        self.precomputed = precomputed


class AccountMove(models.Model):
    """Many invoices at once, in half the time that Odoo's own ``create`` and ``_post`` take, with
    the same result (``tests/test_same_invoices.py`` compares every stored field). The tricks, each
    with its reason, are told in docs/performance.md.
    """

    _inherit = "account.move"

    # ------------------------------------------------------------------
    # Creation
    # ------------------------------------------------------------------

    @api.model
    def _membri_create_many(self, vals_list):
        """Create drafts of one company. Odoo completes their headers; the lines it completes (tax,
        account, due parts …) of one invoice of each kind, and the others of that kind get the same.

        :param vals_list: as ``create`` takes them, with new ``invoice_line_ids`` only
        :return: ``account.move``, in the order of ``vals_list``
        """
        headers, lines = self._membri_split_headers(vals_list)
        moves = self._membri_without_log(self.env["res.company"].browse(headers[0]["company_id"]))
        # completing a draft is no change of it by hand
        moves = moves.with_context(skip_is_manually_modified=True).create(headers)
        moves._membri_fill_due_date()
        # an analytic model may look at anything: then each is a kind by itself
        models_domain = [("company_id", "in", (False, headers[0]["company_id"]))]
        has_models = self.env["account.analytic.distribution.model"].search_count(
            models_domain, limit=1
        )
        kinds = defaultdict(list)
        names = self._membri_get_kind_names()
        for move, move_lines in zip(moves, lines, strict=True):
            kind = move.id if has_models else move._membri_get_kind(move_lines, names)
            kinds[kind].append((move, move_lines))
        moves._membri_create_lines_of_kinds(kinds.values(), has_models)
        moves._membri_copy_due_dates(kinds.values())
        return moves.with_env(self.env)

    @api.model
    def _membri_split_headers(self, vals_list):
        """Return the values of the headers, with the journal that Odoo would choose for each, and
        those of the lines of each, as two lists."""
        journals = {}
        headers, lines = [], []
        for vals in vals_list:
            header = dict(vals)
            lines.append([line_vals for _create, _id, line_vals in header.pop("invoice_line_ids")])
            key = (header["move_type"], header["company_id"], header["currency_id"])
            if key not in journals:  # one search for each, instead of one for each invoice
                names = ("move_type", "company_id", "currency_id")
                journals[key] = self.new({name: header[name] for name in names}).journal_id.id
            headers.append({**header, "journal_id": journals[key]})
        return headers, lines

    def _membri_create_lines_of_kinds(self, kinds, has_models):
        """Let Odoo complete the lines of the first of each kind, and give the same to the others.

        :param kinds: lists of ``(draft, values of its lines)`` that are alike
        :param has_models: whether analytic models are to be searched for each line"""
        Line = self.env["account.move.line"]
        totals = Totals()
        firsts = [
            line
            for (move, move_lines), *_others in kinds
            for line in move._membri_prepare_lines_with_amounts(move_lines, totals)
        ]
        # else the models are searched for each line, and its totals computed again
        Line.with_context(
            membri_line_totals=totals, membri_analytic=False if has_models else NO_MODELS
        ).create(firsts)
        copies, precomputed = [], []
        for (first, _lines), *others in kinds:
            if others:
                complete = first._membri_read_lines()
                computed = first._membri_read_precomputed()
                for move, own_lines in others:
                    copies += move._membri_prepare_lines_like(complete, own_lines)
                    precomputed += computed
        if copies:
            # nothing is left to complete; Odoo checks that they are balanced all the same
            Line.with_context(
                skip_invoice_sync=True,
                skip_invoice_line_sync=True,
                membri_copies=Copies(precomputed),
            ).create(copies)

    def _membri_copy_due_dates(self, kinds):
        """Give the others of each kind the due date of the first: else each asks for its due parts
        again, to find the same day.

        :param kinds: as of :meth:`_membri_create_lines_of_kinds`"""
        due = self._fields["invoice_date_due"]
        others_of = {
            first: self.browse(move.id for move, _lines in others)
            for (first, _lines), *others in kinds
        }
        for others in others_of.values():
            self.env.remove_to_compute(due, others)
        for first, others in others_of.items():
            others.with_context(skip_invoice_sync=True).write(
                {"invoice_date_due": first.invoice_date_due}
            )

    @api.model
    def _membri_get_kind_names(self):
        """:return: list of the header's fields that tell kinds apart: ``(name, is a record)``"""
        return [
            (name, field.type == "many2one")
            for name, field in self._fields.items()
            if field.store
            and field.column_type
            and name not in OWN_FIELDS
            and field.compute not in COMPUTES_OF_LINES
            and field.type not in ("json", "binary", "properties")
        ]

    def _membri_get_kind(self, lines, names):
        """:param lines: list of values of the lines to be made
        :param names: as :meth:`_membri_get_kind_names` finds them
        :return: what this draft without lines shares with all whose lines Odoo would complete in
            the same way: all that they can depend on
        """
        self.ensure_one()
        products = self.env["product.product"].browse([line.get("product_id") for line in lines])
        if not all(
            product and product.with_company(self.company_id)._get_product_accounts()["income"]
            for product in products
        ):
            return self.id
        payer = self.commercial_partner_id.with_company(self.company_id)
        return (
            payer.property_account_receivable_id.id,
            payer.lang,
            self.partner_id.lang,
            *(self[name].id if is_record else self[name] for name, is_record in names),
            *(
                tuple(sorted((k, repr(v)) for k, v in line.items() if k not in OWN_LINE_FIELDS))
                for line in lines
            ),
        )

    def _membri_prepare_lines_with_amounts(self, lines, totals):
        """The amounts of each line, from Odoo's own tax engine: the balance over all of them, the
        totals of each for itself. Else Odoo, which finds the same, computes the totals once more
        and writes the balance line by line once they are made. Where it finds another balance, as
        with cash rounding, it corrects it.

        :param lines: list of values of the lines to be made of this draft
        :param totals: ``Totals``, to which those of these lines are added
        :return: list of their values, complete"""
        self.ensure_one()
        Tax = self.env["account.tax"]
        products = self.env["product.product"].browse([line.get("product_id") for line in lines])
        base_lines = [
            Tax._prepare_base_line_for_taxes_computation(
                {},
                product_id=product,
                product_uom_id=product.uom_id,
                tax_ids=Tax.browse(line["tax_ids"][0][2]),
                price_unit=line["price_unit"],
                quantity=line["quantity"],
                currency_id=self.currency_id,
                rate=self.invoice_currency_rate,
                partner_id=self.commercial_partner_id,
                sign=self.direction_sign,
            )
            for product, line in zip(products, lines, strict=True)
        ]
        Tax._add_tax_details_in_base_lines(base_lines, self.company_id)
        for base_line in base_lines:
            Tax._round_base_lines_tax_details([base_line], self.company_id)
            details = base_line["tax_details"]
            totals.found[_get_totals_key(self, base_line)] = (
                details["total_excluded_currency"],
                details["total_included_currency"],
            )
        Tax._round_base_lines_tax_details(base_lines, self.company_id)
        Tax._add_accounting_data_in_base_lines_tax_details(
            base_lines, self.company_id, include_caba_tags=self.always_tax_exigible
        )
        amounts = Tax._prepare_tax_lines(base_lines, self.company_id)["base_lines_to_update"]
        return [
            {**line, **found, "move_id": self.id}
            for line, (_base_line, found) in zip(lines, amounts, strict=True)
        ]

    def _membri_read_lines(self):
        """Return a list of values of the lines of this draft, in the order in which Odoo made them,
        as another draft of the same kind is given them."""
        self.ensure_one()
        names = [
            name
            for name, field in self.line_ids._fields.items()
            if field.store
            and (field.column_type or field.type == "many2many")
            and name not in UNCOPIED_LINE_FIELDS
        ]
        return [
            {name: line._fields[name].convert_to_write(line[name], line) for name in names}
            for line in self.line_ids.sorted("id")
        ]

    def _membri_read_precomputed(self):
        """Return a list of values that Odoo computes before a line is made, in the same order; in
        each, currencies before amounts, which are rounded by them: else they are read again."""
        self.ensure_one()
        fields = [field for field in self.line_ids._fields.values() if field.precompute]
        names = [field.name for field in sorted(fields, key=lambda field: not field.relational)]
        return [
            {name: line._fields[name].convert_to_write(line[name], line) for name in names}
            for line in self.line_ids.sorted("id")
        ]

    def _membri_prepare_lines_like(self, complete, own_lines):
        """:param complete: values of all lines of the first of this kind
        :param own_lines: values of the product lines of this draft
        :return: list of values of all its lines"""
        own_lines = iter(own_lines)
        return [
            {
                **vals,
                **(next(own_lines) if vals["display_type"] == "product" else {}),
                "move_id": self.id,
                "partner_id": self.commercial_partner_id.id,
            }
            for vals in complete
        ]

    # ------------------------------------------------------------------
    # Messages
    # ------------------------------------------------------------------

    def _membri_without_log(self, company):
        """Return ``self``, without the creation message and the tracking of ``create``: the
        first is made for all in one go by ``_membri_log_created``, and Odoo itself keeps no
        changes of the transaction that makes a record. Where the law wants an audit trail it is
        left as it is."""
        if company.restrictive_audit_trail:
            return self
        return self.with_context(mail_create_nolog=True, mail_notrack=True)

    def _membri_log_created(self):
        """The message “Invoice Created”, as Odoo posts it, in one insert for all. Nobody can follow
        the invoice with this subtype yet, so nobody is notified of it."""
        moves = self.filtered(lambda move: not move.company_id.restrictive_audit_trail)
        silent = ("tracking_disable", "mail_create_nolog")
        if not moves or any(self.env.context.get(key) for key in silent):
            return
        body = Markup('<div summary="o_mail_notification"><p>%s</p></div>')
        messages = moves._message_log_batch(
            {move.id: body % move._creation_message() for move in moves}
        )
        subtype = moves[0]._creation_subtype()
        messages.write({"subtype_id": subtype.id, "is_internal": subtype.internal})

    # ------------------------------------------------------------------
    # Posting
    # ------------------------------------------------------------------

    def _membri_post_many(self):
        """Post drafts that were just made, all at once."""
        # the rank of each payer is written, which asks for its users: here, for all
        self.partner_id.mapped("user_ids")
        # from the first number on, other workers wait for the commit: what can be written is
        self.env.flush_all()
        asked = self.env.cr.precommit.data
        asked[LAST_NUMBERS] = {}
        ranks = asked[RANKS] = defaultdict(int)  # kept here too: a savepoint may empty the other
        try:
            self._post(soft=False)
        finally:
            asked.pop(LAST_NUMBERS, None)
            asked.pop(RANKS, None)
        self.env["res.partner"]._membri_increase_ranks(ranks)

    def _get_last_sequence(self, relaxed=False, with_prefix=None):
        # EXTENDS account: asked once for each journal and day while many are posted. The numbers
        # themselves are counted by Odoo (`_locked_increment`), which has the lock by then
        asked = self.env.cr.precommit.data.get(LAST_NUMBERS)
        if asked is None or with_prefix is not None or self.move_type != "out_invoice":
            return super()._get_last_sequence(relaxed=relaxed, with_prefix=with_prefix)
        key = (self.journal_id.id, self.date, relaxed)
        if key not in asked:
            asked[key] = super()._get_last_sequence(relaxed=relaxed)
        return asked[key]

    def _membri_for_write(self, vals):
        """Return ``self``, as ``write`` goes on with it: what we note on an invoice is no change
        of it by hand, and none of its lines; and a draft that was just made is complete when it
        is posted."""
        if all(name.startswith("membri_") or name == "sending_data" for name in vals):
            return self.with_context(
                skip_is_manually_modified=True, skip_invoice_sync=True, check_move_validity=False
            )
        if LAST_NUMBERS in self.env.cr.precommit.data and vals.keys() == {"state", "posted_before"}:
            return self.with_context(skip_invoice_sync=True)
        return self


def _get_totals_key(move, line):
    """:param line: ``account.move.line``, or the base line of the tax engine that is made of it"""
    return (
        move.id,
        line["product_id"].id,
        line["product_uom_id"].id,
        tuple(line["tax_ids"].ids),
        line["quantity"],
        line["price_unit"],
        line["discount"],
    )


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _add_precomputed_values(self, vals_list):
        # EXTENDS base, which makes a line in memory for each, to find what the first has
        copies = self.env.context.get("membri_copies")
        if not isinstance(copies, Copies) or len(copies.precomputed) != len(vals_list):
            return super()._add_precomputed_values(vals_list)
        for vals, found in zip(vals_list, copies.precomputed, strict=True):
            given = dict(vals)
            vals.clear()
            vals.update({**found, **given})
            vals["__precomputed__"] = {self._fields[name] for name in found.keys() - given.keys()}
        return None

    def _check_company(self, fnames=None):
        # EXTENDS base, which asks for each line of each of its accounts, taxes and products: here,
        # once for all that lines of one company name; where one is another's, Odoo says which
        together = ("membri_copies", "membri_line_totals")
        if fnames is None and any(self.env.context.get(key) for key in together):
            company = self.company_id
            named = [
                self.sudo()[field.name].with_context(active_test=False)  # sudo: as Odoo asks
                for field in self._fields.values()
                if field.relational and field.check_company and not field.company_dependent
            ]
            if len(company) == 1 and all(
                records == records.filtered_domain(records._check_company_domain(company))
                for records in named
            ):
                return None
        return super()._check_company(fnames)

    def _compute_totals(self):
        # EXTENDS account: what was found with the amounts of these lines
        totals = self.env.context.get("membri_line_totals")
        if not isinstance(totals, Totals):
            return super()._compute_totals()
        others = self.browse()
        for line in self:
            found = line.display_type == "product" and totals.found.get(
                _get_totals_key(line.move_id, line)
            )
            if found:
                line.price_subtotal, line.price_total = found
            else:
                others += line
        return super(AccountMoveLine, others)._compute_totals()


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _increase_rank(self, field, n=1):
        # EXTENDS account, which writes one payer after the other: noted while many are posted
        ranks = self.env.cr.precommit.data.get(RANKS)
        if ranks is None or field != "customer_rank":
            return super()._increase_rank(field, n)
        for partner in self:
            ranks[partner.id] += n
        return None

    @api.model
    def _membri_increase_ranks(self, ranks):
        """Those who become customers are written together; the others Odoo counts after the commit.

        :param ranks: ``{id of a payer: number of invoices}``"""
        # sudo: as Odoo counts; the rank follows from the invoices
        partners_sudo = self.sudo().browse(ranks)
        for count, payers_sudo in partners_sudo.grouped(lambda p: ranks[p.id]).items():
            new_sudo = payers_sudo.filtered(lambda p: not p.customer_rank)
            if new_sudo:
                new_sudo.write({"customer_rank": count})
            (payers_sudo - new_sudo)._increase_rank("customer_rank", count)


class AccountAnalyticDistributionModel(models.Model):
    _inherit = "account.analytic.distribution.model"

    @api.model
    def _get_applicable_models(self, vals):
        # EXTENDS account: where there is none, it is not searched for each line
        if self.env.context.get("membri_analytic") is NO_MODELS:
            return self.browse()
        return super()._get_applicable_models(vals)
