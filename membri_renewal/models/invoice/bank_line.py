import re
from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# shorter references would be found in any label
SHORTEST = 4
SHORTEST_NUMBER = 6
OPEN_STATES = ("not_paid", "partial", "blocked")
PART = re.compile(r"\d+|[^\W\d_]+")
GAP = r"[\W_]*"  # banks drop the signs between the parts of a number, or put spaces there


class AccountMove(models.Model):
    """Money that visibly came: a line of the bank statement names an open invoice, and nobody has
    reconciled it yet. For some days nobody is reminded of that invoice; the officer is told. Where
    it names one that is paid or void, or was booked on something else than the open invoice that
    it names, the officer is told as well."""

    _inherit = "account.move"

    membri_bank_line_id = fields.Many2one(
        "account.bank.statement.line",
        string="Named by Bank Line",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="Bank statement line that names this invoice and was not reconciled when found.",
    )
    membri_date_bank_line = fields.Datetime(
        string="Bank Line Found On",
        copy=False,
        readonly=True,
        help="Date on which this bank statement line was found. Automatic reminders are paused "
        "for as many days as after a reported payment. Empty if the amount is too small.",
    )

    @api.model
    def _membri_match_bank_lines(self, lines=None):
        """Look for open invoices that are named by lines of the bank statement which are not
        reconciled. May be run at any time, twice.

        :param lines: the ``account.bank.statement.line`` that are looked at; default: all
        :return: ``{move: lines}``, in sudo: what is named, be it by too little money
        """
        lines_sudo = self.env["account.bank.statement.line"]._membri_find_unreconciled(lines)
        # sudo: the bank is the accountants'; that money has come is a fact
        moves_sudo = self.sudo()
        named = moves_sudo._membri_find_named_by(lines_sudo) if lines_sudo else {}
        if lines is not None:
            known = moves_sudo.search([("membri_bank_line_id", "in", lines.ids)])
        elif lines_sudo:
            known = moves_sudo.search([("membri_bank_line_id", "!=", False)])
        else:
            known = moves_sudo  # what they are marked with is reconciled: it holds nothing
        for move in known | moves_sudo.union(*named):
            marked = move.membri_bank_line_id
            found = named.get(move, lines_sudo.browse())
            fitting = found.filtered(move._membri_fits)
            line = (fitting or found)[:1]
            is_open = lines is not None and marked - lines and not marked.is_reconciled
            if is_open and (not fitting or move._membri_get_seen_bank_line()):
                continue  # it holds, whatever else comes; the nightly run looks at all
            if not line and marked.is_reconciled:
                continue  # it holds nothing; booked on something else, it is asked about
            holds = bool(move.membri_date_bank_line)
            if marked not in (fitting or found) or holds != bool(fitting):
                moment = fields.Datetime.now() if fitting else False
                move.write({"membri_bank_line_id": line.id, "membri_date_bank_line": moment})
        return named

    @api.model
    def _membri_find_settled_named(self, lines_sudo, named):
        """Find documents that take no money any more (paid, cancelled, credited) and that a line
        of the bank names which is not reconciled: money that came twice, or too late.

        :param lines_sudo: whose money came, and that nobody has reconciled
        :param named: what :meth:`_membri_match_bank_lines` has found: what names an open document
            as well is asked about there
        :return: ``{move: lines}``, in sudo: each line once, with the newest of its documents; none
            of what is the money of a recorded payment"""
        lines_sudo -= lines_sudo.browse().union(*named.values())
        if not lines_sudo:
            return {}
        # sudo: the bank is the accountants'; that money has come is a fact
        moves_sudo = self.sudo()
        settled = moves_sudo._membri_find_named_by(
            lines_sudo, self._membri_get_settled_domain(), with_reported=False
        )
        by_line = defaultdict(moves_sudo.browse)
        for move, lines in settled.items():
            for line in lines:
                by_line[line] |= move
        recorded_sudo = moves_sudo.union(*settled)._membri_get_payments_to_match()
        found = defaultdict(lines_sudo.browse)
        for line in lines_sudo.filtered(by_line.__contains__):  # the first comes first
            own = by_line[line]._membri_get_payments_to_match() & recorded_sudo
            if same := own.filtered(line._membri_is_money_of)[:1]:
                recorded_sudo -= same  # a second line is money that came twice
            else:
                found[by_line[line].sorted("id")[-1]] |= line
        return found

    @api.model
    def _membri_find_booked_elsewhere(self):
        """Find open documents that a line of the bank names which was booked on something else:
        another invoice, another payer, an account.

        :return: ``{move: line}``, in sudo"""
        # sudo: the bank is the accountants'; that money has come is a fact
        marked_sudo = self.sudo().search(self._membri_get_booked_domain())
        return {
            move: move.membri_bank_line_id for move in marked_sudo._membri_filter_booked_elsewhere()
        }

    @api.model
    def _membri_get_booked_domain(self):
        """:return: open documents that a line of the bank named which is reconciled by now"""
        return (
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & self._membri_get_unsettled_domain()
            & Domain("membri_bank_line_id", "any", [("is_reconciled", "=", True)])
        )

    def _membri_filter_booked_elsewhere(self):
        """Return those that are open, although a line of the bank that still names them was booked;
        none whose payer has it as money that no invoice uses, which is asked about as such."""
        booked = self.filtered(
            lambda move: (
                move.membri_bank_line_id.is_reconciled and move.payment_state in OPEN_STATES
            )
        )
        lines = booked.membri_bank_line_id
        named = booked._membri_find_named_by(lines, Domain("id", "in", booked.ids)) if lines else {}
        return booked.filtered(
            lambda move: (
                move.membri_bank_line_id in named.get(move, ())
                and not move._membri_is_settled_by(move.membri_bank_line_id)
                and not move.membri_bank_line_id._membri_has_gone_again()
                and not move.membri_bank_line_id.line_ids.filtered(
                    lambda item: (
                        item.account_type == "asset_receivable"
                        and not item.reconciled
                        and item.partner_id in move._membri_get_paying_contacts()
                    )
                )
            )
        )

    def _membri_is_settled_by(self, line):
        """Return whether the money of this line of the bank is used for this document, be it by a
        recorded payment, which stood on an outstanding account until the bank had it."""
        self.ensure_one()
        own = self._membri_get_settling_moves() | self.matched_payment_ids.move_id
        return bool(own & (line.move_id | line._membri_get_matched_moves()))

    def _membri_get_payments_to_match(self):
        """Return the payments recorded for these documents whose line of the bank is to come; what
        was paid online comes from the provider, many at a time."""
        return (
            self.matched_payment_ids | self._membri_get_settling_moves().origin_payment_id
        ).filtered(
            lambda payment: (
                payment.state in ("in_process", "paid")
                and not payment.is_matched
                and not payment.payment_transaction_id
            )
        )

    @api.model
    def _membri_get_settled_domain(self):
        """:return: documents that take no money any more"""
        return Domain("state", "=", "cancel") | (
            Domain("state", "=", "posted") & Domain("payment_state", "not in", OPEN_STATES)
        )

    @api.model
    def _membri_get_unsettled_domain(self):
        """:return: documents that somebody is asked to pay"""
        return Domain("payment_state", "in", OPEN_STATES) & self._membri_get_payable_domain()

    def _membri_find_named_by(self, lines, domain=None, with_reported=True):
        """:param lines: of the bank statement
        :param domain: of the documents; default: those that are open
        :param with_reported: whether what payers reported counts as a name
        :return: ``{move: lines}`` of the membership documents that ``lines`` name"""
        by_number = get_lines_by_number(lines)
        moves = self._membri_find_with_numbers(lines.company_id, by_number, domain)
        named = {}
        for move, references in moves._membri_get_references().items():
            found = lines.browse().union(
                *(find_named(by_number, move, reference) for reference in references)
            )
            if with_reported and (reported := move.membri_reported_reference):
                # whatever somebody typed may stand in the labels of others
                found |= find_named(by_number, move, reported).filtered(move._membri_is_as_reported)
            if found:
                named[move] = found.sorted(lambda line: (line.date, line.id))
        return named

    def _membri_find_with_numbers(self, companies, numbers, domain=None):
        """Find membership documents one of whose references has one of these numbers, in one
        query that rules out most: a year in a label is such a number, too.

        :param companies: of the lines of the bank
        :param numbers: which their labels have, as text without leading zeros
        :param domain: of the documents; default: those that are open
        :return: ``account.move`` records"""
        if not numbers:
            return self.browse()
        query = self._search(
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & Domain("company_id", "in", companies.ids)
            & (self._membri_get_unsettled_domain() if domain is None else domain)
        )
        renewals = self.env["membri.renewal"]
        renewals.flush_model(["invoice_id", "name"])
        self.flush_model(["name", "payment_reference", "membri_fee_notice_name"])
        self.flush_model(["membri_reported_reference"])
        # each number by itself, and all of them without what stands between, as _read_reference
        query.add_where(
            SQL(
                """EXISTS (
                    SELECT FROM (
                        VALUES (%(name)s), (%(payment)s), (%(notice)s), (%(reported)s)
                         UNION ALL
                        SELECT r.name FROM membri_renewal r WHERE r.invoice_id = %(id)s
                    ) AS references_of(reference)
                    CROSS JOIN LATERAL (
                        SELECT regexp_split_to_table(' ' || reference, '\\D+0*')
                         UNION ALL
                        SELECT regexp_replace(' ' || reference, '\\D+0*', '', 'g')
                         UNION ALL
                        SELECT ltrim(regexp_replace(reference, '\\D', '', 'g'), '0')
                    ) AS numbers_of(number)
                     WHERE number = ANY(%(numbers)s)
                )""",
                name=self._field_to_sql(self._table, "name", query),
                payment=self._field_to_sql(self._table, "payment_reference", query),
                notice=self._field_to_sql(self._table, "membri_fee_notice_name", query),
                reported=self._field_to_sql(self._table, "membri_reported_reference", query),
                id=SQL.identifier(self._table, "id"),
                numbers=list(numbers),
            )
        )
        return self.browse(query)

    def _membri_get_references(self):
        """Return ``{move: set of texts}`` by which payers name these documents: their own number
        and reference, and those of the renewals."""
        references = {
            move: {move.name, move.payment_reference, move.membri_fee_notice_name} for move in self
        }
        for renewal in self.env["membri.renewal"].search([("invoice_id", "in", self.ids)]):
            references[renewal.invoice_id].add(renewal.name)
        return {move: texts - {False, None, "/"} for move, texts in references.items()}

    def _membri_fits(self, line):
        """:param line: of the bank statement, which names this document
        :return: whether it brings as much as the payer is asked for now, but for what passes
            without a question when it is written off, or as much as was reported"""
        self.ensure_one()
        amount = self._membri_convert_bank_amount(line)
        return self._membri_is_enough(amount) or self._membri_is_as_reported(line)

    def _membri_is_enough(self, amount):
        """:param amount: of money for this document, in its currency
        :return: whether it is as much as the payer is asked for now, but for what passes without a
            question when it is written off"""
        self.ensure_one()
        asked = next(
            (left for _day, _all, left in self._membri_get_plan() if self.currency_id.round(left)),
            self.amount_total,
        )
        share = self.company_id.membri_write_off_share
        enough = self.currency_id.round(asked * (1 - share / 100.0))
        return self.currency_id.compare_amounts(amount, enough) >= 0

    def _membri_is_as_reported(self, line):
        """:param line: of the bank statement
        :return: whether it brings what the payer reported for this document"""
        amount = self._membri_convert_bank_amount(line)
        return bool(self.membri_date_reported) and not self.currency_id.compare_amounts(
            amount, self.membri_reported_amount
        )

    def _membri_convert_bank_amount(self, line):
        """:return: what is left of a line of the bank, in the currency of this document"""
        return line._membri_get_currency()._convert(
            abs(line.amount_residual), self.currency_id, line.company_id, line.date
        )

    def _membri_get_seen_bank_line(self):
        """Return the line of the bank statement (in sudo) that names this document, as long as it
        holds reminders: it is not reconciled, and was found a few days ago."""
        self.ensure_one()
        # sudo: the bank is the accountants'; that money has come is a fact
        move_sudo = self.sudo()
        line_sudo = move_sudo.membri_bank_line_id
        if not line_sudo or line_sudo.is_reconciled or not move_sudo.membri_date_bank_line:
            return line_sudo.browse()
        until = self._membri_get_bank_line_until()
        return line_sudo if self.company_id._membri_today() < until else line_sudo.browse()

    def _membri_get_bank_line_until(self):
        """:return: the day from which on reminders leave again, reconciled or not"""
        # sudo: a day only
        return self.company_id._membri_get_held_until(self.sudo().membri_date_bank_line)

    def _membri_ask_about_bank_lines(self, lines):
        """:param lines: of the bank statement, which name this document
        :return: what was asked, as of :meth:`_membri_ask_about_money`, a set"""
        self.ensure_one()
        asked = set()
        staff = self._membri_as_staff()
        for line in lines:
            names = {
                "invoice": staff._membri_get_document_label(),
                "line": line.payment_ref,
                "amount": line.with_context(lang=staff.env.lang)._membri_format_left(),
                "date": staff._membri_format_day(line.date),
            }
            if self._membri_is_void():
                note = staff.env._(
                    "A bank statement line names %(invoice)s, which is cancelled or credited: "
                    "“%(line)s” (%(amount)s, %(date)s). Use it for another invoice in Invoicing, "
                    "or refund it.",
                    **names,
                )
            elif self.payment_state not in OPEN_STATES:
                note = staff.env._(
                    "A bank statement line names %(invoice)s, which has nothing left to pay: "
                    "“%(line)s” (%(amount)s, %(date)s). If its payment is already recorded, "
                    "reconcile them in Invoicing; else refund it, or keep it for the next invoice.",
                    **names,
                )
            elif line == self.membri_bank_line_id and self.membri_date_bank_line:
                note = staff.env._(
                    "A bank statement line names %(invoice)s and is not reconciled: “%(line)s” "
                    "(%(amount)s, %(date)s). Reconcile it in Invoicing. Automatic reminders are "
                    "paused until %(until)s.",
                    until=staff._membri_format_day(self._membri_get_bank_line_until()),
                    **names,
                )
            else:
                note = staff.env._(
                    "A bank statement line names %(invoice)s and is not reconciled: “%(line)s” "
                    "(%(amount)s, %(date)s). Reconcile it in Invoicing: reminders continue.",
                    **names,
                )
            asked.add(staff._membri_ask_about_money(note))
        return asked

    def _membri_ask_about_booked_elsewhere(self, line):
        """:param line: of the bank statement, which names this document and settles none of it
        :return: what was asked, as of :meth:`_membri_ask_about_money`"""
        self.ensure_one()
        staff = self._membri_as_staff()
        return staff._membri_ask_about_money(
            staff.env._(
                "A bank statement line names %(invoice)s, which is open, and was booked on "
                "%(other)s: “%(line)s” (%(amount)s, %(date)s). If the money is for %(invoice)s, "
                "undo its reconciliation in Invoicing and use it there. Reminders continue.",
                invoice=staff._membri_get_document_label(),
                other=line.with_env(staff.env)._membri_get_booked_on(),
                line=line.payment_ref,
                amount=line.with_context(lang=staff.env.lang)._membri_format_amount(),
                date=staff._membri_format_day(line.date),
            )
        )


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS account
        lines = super().create(vals_list)
        self.env["account.move"]._membri_match_bank_lines(lines)
        return lines

    def write(self, vals):
        # EXTENDS account
        result = super().write(vals)
        if {"payment_ref", "amount", "amount_currency"} & vals.keys():
            self.env["account.move"]._membri_match_bank_lines(self)
        return result

    @api.model
    def _membri_find_unreconciled(self, lines=None, operator=">"):
        """:param lines: default: all
        :param operator: ``>`` for money that came, ``!=`` for what went back, too
        :return: those of them (in sudo) that nobody has reconciled"""
        # sudo: the bank is the accountants'; that money has come is a fact
        return self.sudo().search(
            Domain("is_reconciled", "=", False)
            & Domain("amount", operator, 0.0)
            & Domain("payment_ref", "!=", False)
            & Domain("state", "!=", "cancel")
            & (Domain.TRUE if lines is None else Domain("id", "in", lines.ids)),
            order="date, id",
        )

    def _membri_is_money_of(self, payment):
        """:return: whether this line is what the bank says of a payment that was recorded"""
        self.ensure_one()
        currency = self._membri_get_currency()
        return (
            payment.journal_id == self.journal_id
            and payment.currency_id == currency
            and not currency.compare_amounts(payment.amount, abs(self.amount_residual))
        )

    def _membri_get_currency(self):
        """:return: the currency of what is left of this line"""
        self.ensure_one()
        return self.foreign_currency_id or self.currency_id

    def _membri_has_gone_again(self):
        """Return whether what came by this line went back, as a check that bounced; not where it is
        matched with a recorded payment, which stands in the same journal until the bank has it."""
        self.ensure_one()
        back = self.line_ids.matched_debit_ids.debit_move_id
        return bool(back) and all(
            item.journal_id == self.journal_id
            and item.move_id.origin_payment_id.payment_type != "inbound"
            for item in back
        )

    def _membri_format_amount(self):
        """:return: what came by this line (text)"""
        amount = self.amount_currency if self.foreign_currency_id else self.amount
        return self._membri_get_currency().format(abs(amount))

    def _membri_get_used_items(self):
        """:return: the journal items that say what the money of this line was used for"""
        _liquidity, suspense, others = self._seek_for_lines()
        return suspense + others

    def _membri_get_matched_moves(self):
        """:return: the documents and payments that this line is reconciled with"""
        items = self._membri_get_used_items()
        return (
            items.matched_debit_ids.debit_move_id | items.matched_credit_ids.credit_move_id
        ).move_id

    def _membri_get_booked_on(self):
        """Return what the money of this line was used for: documents and their payers, else
        accounts (text)."""
        self.ensure_one()
        used_for = self._membri_get_matched_moves()
        if used_for:
            return ", ".join(
                f"{move.name} ({move.partner_id._membri_get_names()})"
                if move.partner_id
                else move.name
                for move in used_for
            )
        return ", ".join(
            " ".join(filter(None, [item.account_id.display_name, item.partner_id.display_name]))
            for item in self._membri_get_used_items()
        )

    def _membri_format_left(self):
        """:return: what is left of this line (text)"""
        return self._membri_get_currency().format(abs(self.amount_residual))


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    bank_line_note = fields.Char(
        string="Bank Line",
        compute="_compute_bank_line_note",
        groups="base.group_user",
        help="Bank statement line that names the invoice and is not reconciled, or payment of the "
        "payer that no invoice uses.",
    )

    @api.depends("invoice_id", "is_paid", "state")
    def _compute_bank_line_note(self):
        for renewal in self:
            renewal.bank_line_note = renewal.state == "approved" and (
                renewal._get_seen_in_bank_reason()
            )

    def _get_seen_in_bank_reason(self):
        """:return: that money has come which nobody has reconciled (a sentence), or ``False``"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        if self.is_paid or not invoice_sudo:
            return False
        line_sudo = invoice_sudo._membri_get_seen_bank_line()
        if not line_sudo:
            return self._get_unused_money_reason()
        return self.env._(
            "A bank statement line of %(date)s names %(document)s of %(renewal)s and is not "
            "reconciled yet (%(amount)s). No reminder is sent automatically until %(until)s.",
            date=self._format_day(line_sudo.date),
            document=invoice_sudo._membri_get_document_label(),
            renewal=self.display_name,
            amount=line_sudo._membri_format_left(),
            until=self._format_day(invoice_sudo._membri_get_bank_line_until()),
        )

    @api.model
    def _get_seen_in_bank_domain(self):
        """:return: the same as a domain, in the companies of the reader"""

        def get_held(company):
            since = company._membri_get_held_since()
            return (
                Domain("membri_date_bank_line", ">=", since)
                & Domain("membri_bank_line_id", "any!", [("is_reconciled", "=", False)])
            ) | Domain("membri_date_unused", ">=", since)

        return Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("invoice_id", "any!", get_held(company))  # a fact, whoever asks
            for company in self.env.companies
        )


def get_lines_by_number(lines):
    """Return ``{number: lines}`` of the bank statement, by the numbers in their labels, without
    leading zeros."""
    by_number = defaultdict(lines.browse)
    for line in lines:
        for number in re.findall(r"\d+", line.payment_ref):
            by_number[number.lstrip("0")] |= line
    by_number.pop("", None)  # zeros alone name nothing
    return by_number


def find_named(by_number, record, reference):
    """:param by_number: as of :func:`get_lines_by_number`; not empty
    :param record: an invoice or a renewal, of the company of the lines
    :return: the lines that name it by this reference"""
    parts, numbers = _read_reference(reference)
    found = by_number.default_factory().union(
        *(by_number[number] for number in numbers if number in by_number)
    )
    if not found:  # most are ruled out without reading labels
        return found
    pattern = _get_pattern(parts)
    return found.filtered(
        lambda line: line.company_id == record.company_id and pattern.search(line.payment_ref)
    )


def _read_reference(text):
    """Return ``(parts, numbers)`` of a reference: words and numbers, and the numbers, without
    leading zeros, one of which a label has that names it; none of what names nothing, as it is
    too short or has no digit."""
    parts = PART.findall(text)
    digits = [part for part in parts if part.isdigit()]
    letters = "".join(part for part in parts if not part.isdigit())
    length = sum(map(len, parts))
    if not digits or length < SHORTEST or (not letters and length < SHORTEST_NUMBER):
        return [], set()
    numbers = {
        "".join(digits),
        "".join(part.lstrip("0") for part in digits),
        *(digits[-1:] if parts[-1].isdigit() else digits),
    }
    return parts, {number.lstrip("0") for number in numbers}


def _get_pattern(parts):
    """:param parts: as of :func:`_read_reference`
    :return: the pattern by which a label of a bank line is searched for them"""
    letters = "".join(part for part in parts if not part.isdigit())
    # what has a name of its own is typed without its zeros
    is_named = len(letters) > 1
    shown = [
        f"0*{part.lstrip('0')}"
        if is_named and part.isdigit() and part.strip("0")
        else re.escape(part)
        for part in parts
    ]
    before = r"(?<!\d)" if parts[0].isdigit() else r"(?<![^\W\d_])"
    after = r"(?!\d)" if parts[-1].isdigit() else r"(?![^\W\d_])"
    return re.compile(before + GAP.join(shown) + after, re.IGNORECASE)
