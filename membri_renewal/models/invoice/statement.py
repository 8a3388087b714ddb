from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .unused import MONEY_JOURNALS


class ResPartner(models.Model):
    """The statement of a payer: every membership invoice, what came for it, and what is due."""

    _inherit = "res.partner"

    def _membri_get_payer_addresses(self):
        """These payers and their invoice addresses; not their contacts, whose
        memberships are their own."""
        # sudo: which addresses they are is no secret to who may print the statement
        addresses_sudo = self.sudo().child_ids.filtered(lambda child: child.type != "contact")
        return self | addresses_sudo.sudo(False)

    def _membri_get_statement_moves(self):
        """In sudo, the membership invoices and credit notes of this payer and of its
        invoice addresses, in the current company and its branches, in order; and the fee notices
        that are to be paid."""
        self.ensure_one()
        # whoever may read the payer can have Odoo render the report: staff who read invoices get
        # all of it, members what is theirs. Not in sudo, as Odoo's window of emails prints it
        user = self.env.user
        AccountMove = self.env["account.move"].with_user(user)
        AccountMove.check_access("read")
        # sudo: a statement without the invoices of a branch would be wrong
        moves_sudo = (
            (AccountMove if user.share else AccountMove.sudo())
            .search(
                Domain("company_id", "child_of", self.env.company.id)
                & Domain("partner_id", "in", self._membri_get_payer_addresses().ids)
                & Domain("membri_invoice_type", "!=", False)
                & Domain("move_type", "in", ("out_invoice", "out_refund"))
                & AccountMove._membri_get_payable_domain(),
                order="invoice_date, id",
            )
            .sudo()
            .filtered(lambda move: move._membri_is_payable())
        )
        # sales people and who approves expenses read invoices, and not these
        here_sudo = moves_sudo.filtered(lambda move: move.company_id == self.env.company)
        here_sudo.with_user(user).check_access("read")
        return moves_sudo

    def _membri_had_invoice(self):
        """Return whether a membership invoice of this payer was cancelled, or is a draft again:
        what was paid on it is told, though no invoice is left."""
        # not in sudo, as above
        AccountMove = self.env["account.move"].with_user(self.env.user)
        return bool(
            AccountMove.search(
                Domain("company_id", "child_of", self.env.company.id)
                & Domain("partner_id", "in", self._membri_get_payer_addresses().ids)
                & Domain("membri_invoice_type", "!=", False)
                & (
                    Domain("state", "=", "cancel")
                    | (Domain("state", "=", "draft") & Domain("posted_before", "=", True))
                ),
                limit=1,
            )
        )

    def _membri_get_statement(self, date_from=None):
        """:param date_from: what is older is summed up as the balance brought forward; default:
            the first day of last year
        :return: one dict per currency: ``currency``, ``opening``, ``entries`` (``date``,
            ``label``, ``amount``, ``balance``), ``balance``, ``due`` (``move``, ``date``,
            ``days_late``, ``amount``, ``label``), ``total``, ``checked`` (open invoices that are
            orphans: nobody is asked for them), ``credits`` (``date``, ``label``, ``amount``: what
            no invoice has used yet) and ``unused``, their total"""
        self.ensure_one()
        today = self.env.company._membri_today()
        date_from = date_from or today.replace(year=today.year - 1, month=1, day=1)
        moves = self._membri_get_statement_moves()
        by_currency = moves.grouped("currency_id")
        is_payer = moves or self._membri_had_invoice()
        credits_by_currency = self._membri_get_unused_credits(moves) if is_payer else {}
        none = self.env["account.move"]
        return [
            self._membri_get_statement_of(
                currency,
                by_currency.get(currency, none),
                credits_by_currency.get(currency, []),
                date_from,
            )
            for currency in [*by_currency, *(set(credits_by_currency) - set(by_currency))]
        ]

    def _membri_get_own_items_domain(self):
        """Return journal items of this payer, and those of payments in their name: of a contact
        below a company, these may be booked as the company's. They stand in one statement: that of
        who paid, where there is one, which is who was sent an invoice."""
        addresses = self._membri_get_payer_addresses()
        billed = Domain("membri_invoice_type", "!=", False) & Domain("state", "=", "posted")
        told_elsewhere = Domain(
            "move_id.origin_payment_id.partner_id",
            "any",
            Domain("id", "not in", addresses.ids) & Domain("invoice_ids", "any", billed),
        )
        return (Domain("partner_id", "in", addresses.ids) & ~told_elsewhere) | Domain(
            "move_id.origin_payment_id.partner_id", "in", addresses.ids
        )

    def _membri_get_money_domain(self):
        """:return: journal items of money that came from this payer, or went back"""
        return (
            Domain("company_id", "child_of", self.env.company.id)
            & self._membri_get_own_items_domain()
            & Domain("account_type", "=", "asset_receivable")
            & Domain("parent_state", "=", "posted")
            & Domain("journal_id.type", "in", MONEY_JOURNALS)
        )

    def _membri_get_returned_entries(self, currency):
        """Return of what came and went back, as a double payment that was refunded, both movements:
        no invoice tells of them.

        :return: list of dicts of ``date``, ``label`` and ``amount``"""
        if self.env.user.share:  # payments are the accountants'
            return []
        money = self._membri_get_money_domain() & Domain("currency_id", "=", currency.id)
        # sudo: whoever may read the invoices; without these, the statement would not be whole
        partials_sudo = self.env["account.partial.reconcile"].sudo()
        entries = []
        for partial in partials_sudo.search(
            Domain("credit_move_id", "any", money) & Domain("debit_move_id", "any", money)
        ):
            for line, amount in (
                (partial.credit_move_id, -partial.credit_amount_currency),
                (partial.debit_move_id, partial.debit_amount_currency),
            ):
                entries.append(
                    {
                        "date": line.date,
                        "label": self._membri_get_money_label(line, is_returned=amount > 0),
                        "amount": amount,
                    }
                )
        return entries

    def _membri_get_money_label(self, line, payment=None, is_returned=False):
        """:param line: the journal item of money, or nothing, of a payment without one"""
        # sudo: no entry, as those that there are
        move = line.move_id if line else self.env["account.move"].sudo()
        payment = payment or move.origin_payment_id
        entry = {"kind": "money", "payment": payment, "move": move}
        number = move._membri_get_payment_number(entry) or payment.name or move.name
        label = " ".join(filter(None, [move._membri_get_method_label(entry), number]))
        return self.env._("Returned (%(payment)s)", payment=label) if is_returned else label

    def _membri_get_open_returns(self, moves):
        """Return what went back to this payer, and that no journal item stands against yet; what
        the invoices tell of is theirs.

        :param moves: the documents of the statement
        :return: ``{currency: [dict of "date", "label", "amount" (negative), "is_money"]}``"""
        # sudo: as above
        lines_sudo = self.env["account.move.line"].sudo()
        lines_sudo = lines_sudo.search(
            self._membri_get_money_domain() & lines_sudo._membri_get_open_in_books_domain(">")
        )
        told = defaultdict(float)
        for move in moves.filtered(lambda m: m.move_type == "out_invoice") if lines_sudo else ():
            for entry in move._membri_get_settlements():
                if entry["kind"] == "given_back":
                    told[entry["move"]] -= entry["amount"]
        result = {}
        for line in lines_sudo:
            left = line._membri_get_left_in_books() - told[line.move_id]
            if line.currency_id.compare_amounts(left, 0.0) > 0:
                item = {
                    "date": line.date,
                    "label": self._membri_get_money_label(line, is_returned=True),
                    "amount": -left,
                    "is_money": True,
                }
                result.setdefault(line.currency_id, []).append(item)
        return result

    def _membri_get_unused_credits(self, moves):
        """What this payer has paid, or was credited for a membership, and no invoice has used yet;
        less what went back of it.

        :param moves: the documents of the statement
        :return: ``{currency: [dict of "date", "label", "amount", "is_money"]}``"""
        if self.env.user.share:  # payments are the accountants'
            return {}
        addresses = self._membri_get_payer_addresses()
        in_company = Domain("company_id", "child_of", self.env.company.id)
        # sudo: whoever may read the invoices; without these, the statement would be wrong
        lines_sudo = self.env["account.move.line"].sudo()
        # a journal item of an invoice is the commercial entity's
        credit_notes = (
            Domain("move_id.membri_invoice_type", "!=", False)
            & Domain("move_id.partner_id", "in", addresses.ids)
            & lines_sudo._membri_get_open_in_books_domain("<")
            # of an invoice that is checked, both are open: the staff reconciles the two
            & Domain("move_id", "not in", moves._membri_filter_checked().reversal_move_ids.ids)
        )
        money = (
            self._membri_get_own_items_domain()
            & lines_sudo._membri_get_open_in_books_domain("<")
            & Domain("journal_id.type", "in", MONEY_JOURNALS)
        )
        lines_sudo = lines_sudo.search(in_company & (credit_notes | money))
        result = {}
        for line in lines_sudo:
            left = -line._membri_get_left_in_books()
            result.setdefault(line.currency_id, []).append(
                self._membri_prepare_unused_credit(
                    line.date, left, line.move_id.origin_payment_id, line
                )
            )
        # payments without journal entry are for no invoice until the bank has them
        payments_sudo = self.env["account.payment"].sudo()
        for payment in payments_sudo.search(
            in_company
            & Domain("partner_id", "in", addresses.ids)
            & Domain("payment_type", "=", "inbound")
            & Domain("state", "=", "in_process")
            & Domain("move_id", "=", False)
            & Domain("invoice_ids", "=", False)
        ):
            result.setdefault(payment.currency_id, []).append(
                self._membri_prepare_unused_credit(payment.date, payment.amount, payment)
            )
        for currency, items in self._membri_get_open_returns(moves).items():
            result.setdefault(currency, []).extend(items)
        for items in result.values():
            items.sort(key=lambda item: item["date"])
        return result

    def _membri_prepare_unused_credit(self, date, amount, payment, line=None):
        """:param line: the journal item, if there is one"""
        # sudo: no entry, as those that there are
        move = line.move_id if line else self.env["account.move"].sudo()
        if move.is_invoice():
            return {
                "date": date,
                "label": self.env._("Credit note %(name)s", name=move.name),
                "amount": amount,
                "is_money": False,
            }
        return {
            "date": date,
            "label": self._membri_get_money_label(line, payment),
            "amount": amount,
            "is_money": True,
        }

    def _membri_get_statement_of(self, currency, moves, unused, date_from):
        entries = [
            entry
            for move in moves
            if move.state == "posted"  # a fee notice is not in the accounts
            for entry in self._membri_get_statement_entries(move, moves)
        ]
        # a credit note is listed itself
        entries += [
            {
                "date": item["date"],
                "label": self.env._("%(payment)s (not used yet)", payment=item["label"])
                if item["amount"] > 0.0
                else item["label"],
                "amount": -item["amount"],
            }
            for item in unused
            if item["is_money"]
        ]
        entries += self._membri_get_returned_entries(currency)
        entries.sort(key=lambda entry: entry["date"])
        checked = moves._membri_filter_checked() | moves.filtered(
            lambda move: move.state == "posted" and move._membri_is_in_doubt()
        )
        opening = sum(entry["amount"] for entry in entries if entry["date"] < date_from)
        balance = opening = currency.round(opening)
        shown = [entry for entry in entries if entry["date"] >= date_from]
        for entry in shown:
            balance = currency.round(balance + entry["amount"])
            entry["balance"] = balance
        due = self._membri_get_due_entries(moves - checked)
        return {
            "currency": currency,
            "opening": opening,
            "entries": shown,
            "balance": balance,
            "due": due,
            "total": currency.round(sum(item["amount"] for item in due)),
            "checked": checked,
            # sudo: where money goes, as the invoices say; each account once
            "accounts": list(
                dict.fromkeys(
                    item["move"].sudo().partner_bank_id.acc_number
                    for item in due
                    if item["move"].sudo().partner_bank_id
                )
            ),
            "credits": unused,
            "unused": currency.round(sum(item["amount"] for item in unused)),
        }

    @api.model
    def _membri_get_due_entries(self, moves):
        """:return: what is left to pay of these documents, as a list of dicts, one for each part"""
        return [
            {
                "move": move,
                "label": move.name if move.state == "posted" else move._membri_get_document_label(),
                "date": day,
                "days_late": max(0, (move.company_id._membri_today() - day).days)
                if move._membri_counts_days()
                else 0,
                "amount": amount,
            }
            for move in moves
            if move.move_type == "out_invoice" and not move._membri_is_settled()
            for day, amount in move._membri_get_parts_left()
        ]

    def _membri_get_statement_entries(self, move, moves):
        """:return: the document itself, and what settled it beside documents that are listed"""
        sign = -1.0 if move.move_type == "out_refund" else 1.0
        label = move._membri_get_document_label()
        entries = [{"date": move.invoice_date, "label": label, "amount": sign * move.amount_total}]
        if sign < 0:
            return entries + self._membri_get_credit_note_uses(move, moves)
        for entry in move._membri_get_settlements():
            if entry["kind"] == "credit" and entry["move"] in moves:
                continue
            if entry["move"].state == "draft":  # not in the books any more
                continue
            entries.append(
                {
                    "date": entry["date"],
                    "label": self._membri_get_statement_label(move, entry),
                    "amount": -entry["amount"],
                }
            )
        return entries

    def _membri_get_credit_note_uses(self, note, moves):
        """:return: what used this credit note, beside what other documents of the statement tell"""
        entries = []
        for partial in note._membri_get_receivable_lines().matched_debit_ids:
            line = partial.debit_move_id
            is_money = line.journal_id.type in MONEY_JOURNALS
            if line.parent_state != "posted":  # not in the books any more
                continue
            if line.move_id in moves or (is_money and note.reversed_entry_id in moves):
                continue
            entries.append(
                {
                    "date": line.date,
                    "label": self._membri_get_money_label(line, is_returned=True)
                    if is_money
                    else self.env._(
                        "Settled with another balance (%(invoice)s)", invoice=note.name
                    ),
                    "amount": partial.credit_amount_currency,
                }
            )
        return entries

    def _membri_get_statement_label(self, move, entry):
        kind = entry["kind"]
        if kind in ("money", "given_back"):
            number = move._membri_get_payment_number(entry)
            method = move._membri_get_receipt_label(entry)
            if number:
                return self.env._(
                    "%(method)s %(number)s (%(invoice)s)",
                    method=method,
                    number=number,
                    invoice=move.name,
                )
            return self.env._("%(method)s (%(invoice)s)", method=method, invoice=move.name)
        if kind == "write_off" and move._membri_get_discount_granted():
            return self.env._("Early-payment discount (%(invoice)s)", invoice=move.name)
        if kind == "write_off":
            return self.env._("Written off (%(invoice)s)", invoice=move.name)
        return self.env._("Settled with another balance (%(invoice)s)", invoice=move.name)

    def _membri_get_statement_filename(self):
        self.ensure_one()
        return self.env._("Membership statement %(payer)s", payer=self.display_name)

    def action_membri_send_statement(self):
        """Open Odoo's own composer with the statement attached, for one payer or for many.

        :raises AccessError: for those who may not write invoices
        :raises UserError: when one of them has no membership invoice, and no credit of one"""
        self.env["account.move"]._membri_check_works_on_invoices()
        without = self.filtered(
            lambda payer: (
                not payer._membri_get_statement_moves() and not payer._membri_get_statement()
            )
        )
        if without:
            raise UserError(
                self.env._(
                    "No membership invoices for %(payers)s. Choose contacts who pay for "
                    "memberships.",
                    payers=without._membri_get_names(),
                )
            )
        template = self.env.ref("membri_renewal.mail_template_statement")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send the Statement"),
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_model": "res.partner",
                "default_res_ids": self.ids,
                "default_template_id": template.id,
                "default_composition_mode": "comment" if len(self) == 1 else "mass_mail",
                "default_email_layout_xmlid": template.email_layout_xmlid,
                "force_email": True,
            },
        }


class AccountMoveLine(models.Model):
    """Odoo keeps what is matched with a document that is a draft again: in the books, that is in
    no total, and what it settles is open."""

    _inherit = "account.move.line"

    @api.model
    def _membri_get_open_in_books_domain(self, operator):
        """:param operator: as of ``_membri_get_open_domain``"""
        drafts = {
            "<": Domain("matched_debit_ids.debit_move_id.parent_state", "=", "draft"),
            ">": Domain("matched_credit_ids.credit_move_id.parent_state", "=", "draft"),
        }
        return self._membri_get_open_domain(operator) | (
            Domain("account_type", "=", "asset_receivable")
            & Domain("parent_state", "=", "posted")
            & drafts[operator]
        )

    def _membri_get_left_in_books(self):
        """:return: what no booked document settles of this journal item, in its currency"""
        self.ensure_one()
        left = self.amount_residual_currency
        for partial in self.matched_debit_ids:
            if partial.debit_move_id.parent_state == "draft":
                left -= partial.credit_amount_currency
        for partial in self.matched_credit_ids:
            if partial.credit_move_id.parent_state == "draft":
                left += partial.debit_amount_currency
        return self.currency_id.round(left)
