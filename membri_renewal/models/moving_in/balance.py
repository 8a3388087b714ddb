import uuid
from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .cells import parse_amount
from .reading import normalize

OPENING_CODE = "OPMEM"  # of the journal of opening balances


class MembriImport(models.Model):
    """What members owe when they move in: a note, or an opening entry in Invoicing; and the
    invoices that are in this database already."""

    _inherit = "membri.import"

    balance_mode = fields.Selection(
        [("note", "Note on the Contact"), ("entry", "Opening Entry in Invoicing")],
        string="Open Balances",
        default="note",
        required=True,
        help="What to do with the column “Open Balance”. An opening entry is a posted invoice in "
        "a separate journal, without taxes and without an email. The membership term is pending "
        "until it is paid.",
    )
    balance_account_id = fields.Many2one(
        "account.account",
        string="Counterpart of Open Balances",
        check_company=True,
        help="Account of the opening entries. Leave empty to use the undistributed earnings of the "
        "chart of accounts.",
    )

    def _get_owed(self, values):
        """:return: what a row says is still to be paid and is to be booked; 0.0 for nothing
        :raises ValueError: when it is no amount"""
        if self.balance_mode != "entry" or not values["balance"]:
            return 0.0
        owed = parse_amount(values["balance"])
        return self.company_id.currency_id.round(owed) if owed > 0 else 0.0

    def _is_balance_noted(self, values):
        """:return: whether the balance of a row is only told: as chosen, or since it is a credit"""
        if self.balance_mode == "entry" and parse_amount(values["balance"] or "0") >= 0:
            return False
        return bool(normalize(values["balance"]).replace(" ", "").strip("0"))

    # ------------------------------------------------------------------
    # Opening entries
    # ------------------------------------------------------------------

    def _import_balances(self, lines):
        """Post what the members of these rows owe, once for each.

        :return: ``{line: what was done}``"""
        owed = self._get_owed_by_line(lines)
        if not owed:
            return {}
        terms = {
            line: line.cotisation_id.filtered(lambda term: term.state != "cancelled")
            for line in owed
        }
        states = {line: term.state for line, term in terms.items()}
        journal_sudo = self._get_opening_journal_sudo(self.company_id)
        # sudo: the company has chosen that an import books; the manager writes no other invoice
        moves_sudo = self.env["account.move"].sudo().with_company(self.company_id)
        moves_sudo = moves_sudo.create(
            [
                self._prepare_opening_vals(line, terms[line], amount, journal_sudo)
                for line, amount in owed.items()
            ]
        )
        moves = dict(zip(owed, moves_sudo, strict=True))
        for line, move_sudo in moves.items():
            terms[line]._internal_write({"invoice_id": move_sudo.id})
        moves_sudo._membri_post_many()
        # afterwards: the rest of a fee that was paid in part is no difference to ask about
        for line, move_sudo in moves.items():
            if term := terms[line]:
                self._set_invoice_type(move_sudo, term)
        return {
            line: {"created_move": move.id, "state_before": states[line]}
            for line, move in moves.items()
        }

    def _get_owed_by_line(self, lines):
        """Return ``{line: amount}``; the balance of a member that stands on all of their rows is
        owed once, with the last term."""
        owed = {line: self._get_owed(line.trace["values"]) for line in lines}
        owed = {line: amount for line, amount in owed.items() if amount}
        if not owed:
            return {}
        rows = self.env["membri.import.line"].search(
            [
                ("import_id", "=", self.id),
                ("is_done", "=", True),
                ("key", "in", [line.key for line in owed]),
            ]
        )
        alike = {}
        for row in rows:
            if amount := self._get_owed(row.trace["values"]):
                alike.setdefault(row.key, {})[row] = amount
        journal_sudo = self._get_opening_journal_sudo(self.company_id, create=False)
        # sudo: entries are the accountants'; only whether there are some
        opened = self.env["account.move"].sudo()
        if journal_sudo:
            opened = opened.search(
                [
                    ("journal_id", "=", journal_sudo.id),
                    ("state", "!=", "cancel"),
                    ("partner_id", "in", [line.partner_id.id for line in owed]),
                ]
            )
        result, seen = {}, set()
        for line, amount in owed.items():
            rows = alike.get(line.key, {line: amount})
            last = max(rows, key=lambda row: (row.date_start or date.min, row.id))
            is_repeated = len(rows) > 1 and len(set(rows.values())) == 1
            if is_repeated and line != last and not self._is_whole_fee_owed(line, amount):
                continue
            term = line.cotisation_id.filtered(lambda t: t.state != "cancelled")
            if term._get_invoice_sudo() or (term and term in seen):
                continue
            if not term and line.partner_id in opened.partner_id:
                continue
            seen.add(term)
            result[line] = amount
        return result

    def _is_whole_fee_owed(self, line, amount):
        """Return whether a row says that its own fee is unpaid: what stands on all rows of a
        member may be owed once, or for each of their terms."""
        values = line.trace["values"]
        currency = self.company_id.currency_id
        fee = values["agreed"] if values["amount"] is None else values["amount"]
        return values["status"] == "pending" and not currency.compare_amounts(fee or 0.0, amount)

    @api.model
    def _get_opening_journal_sudo(self, company, create=True):
        """Return the journal of the opening entries of ``company``. In sudo: it is the
        accountants'."""
        Journal_sudo = self.env["account.journal"].sudo().with_company(company)
        journal_sudo = Journal_sudo.search(
            [("code", "=", OPENING_CODE), ("company_id", "=", company.id)], limit=1
        )
        if journal_sudo or not create:
            return journal_sudo
        return Journal_sudo.create(
            {
                "name": self.env._("Opening Balances of Members"),
                "code": OPENING_CODE,
                "type": "sale",
                "company_id": company.id,
                "sequence": 100,  # never the one that is proposed for invoices
                "show_on_dashboard": False,
            }
        )

    def _prepare_opening_vals(self, line, term, amount, journal_sudo):
        company_sudo = self.company_id.sudo()  # sudo: accounts are the accountants'
        account_sudo = (
            self.balance_account_id.sudo() or company_sudo.get_unaffected_earnings_account()
        )
        today = self.company_id._membri_today()
        day = min(self.company_id.membri_go_live or today, today)
        return {
            "move_type": "out_invoice",
            "journal_id": journal_sudo.id,
            "company_id": self.company_id.id,
            "currency_id": company_sudo.currency_id.id,
            "partner_id": (term._get_payer() if term else line.partner_id).id,
            "invoice_date": day,
            "date": day,
            "invoice_payment_term_id": False,
            "invoice_date_due": day,
            "invoice_origin": term.name or False,
            "access_token": str(uuid.uuid4()),
            "invoice_line_ids": [
                Command.create(
                    {
                        "name": self.env._(
                            "Opening balance of %(member)s",
                            member=line.partner_id._membri_get_names(),
                        ),
                        "quantity": 1.0,
                        "price_unit": amount,
                        "account_id": account_sudo.id,
                        "tax_ids": [Command.clear()],
                        "membri_cotisation_id": term.id,
                    }
                )
            ],
        }

    # ------------------------------------------------------------------
    # Invoices that are here already
    # ------------------------------------------------------------------

    def _get_invoice_lines_sudo(self, todo):
        """:param todo: ``{line: decision}``
        :return: ``{line: account.move.line}`` of the rows that name one of this company that
            is posted and no other term's. In sudo: invoices are the accountants'"""
        ids = {
            line: int(decision.row_values["invoice_line"])
            for line, decision in todo.items()
            if decision.row_values.get("invoice_line")
        }
        if not ids:
            return {}
        found_sudo = (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("id", "in", list(ids.values())),
                    ("company_id", "=", self.company_id.id),
                    ("move_id.move_type", "=", "out_invoice"),
                    ("parent_state", "=", "posted"),
                    ("membri_cotisation_id", "=", False),
                ]
            )
        )
        by_id = {item.id: item for item in found_sudo}
        return {line: by_id[id_] for line, id_ in ids.items() if id_ in by_id}

    def _link_invoices(self, items_sudo, todo):
        """:param items_sudo: as of :meth:`_get_invoice_lines_sudo`
        :param todo: ``{line: decision}``, with their terms"""
        linked = self.env["membri.cotisation"]
        for line, item_sudo in items_sudo.items():
            decision, move_sudo = todo[line], item_sudo.move_id
            term = decision.term
            if not term or term.state == "cancelled" or term._get_invoice_sudo():
                continue
            linked |= term
            decision.done.update(
                {
                    "linked_item": item_sudo.id,
                    "type_before": move_sudo.membri_invoice_type or False,
                    "state_before": term.state,
                }
            )
            item_sudo._internal_write({"membri_cotisation_id": term.id})
            if not move_sudo.membri_invoice_type:
                self._set_invoice_type(move_sudo, term)
            term._internal_write({"invoice_id": move_sudo.id})
        linked._sync_with_invoice()

    @staticmethod
    def _set_invoice_type(move_sudo, term):
        kind = "renewal" if term.previous_id else "enrolment"
        move_sudo._internal_write({"membri_invoice_type": kind})

    @staticmethod
    def _prepare_invoiced_lines(item_sudo):
        """:return: commands: the option of a term, as it was invoiced"""
        if not item_sudo.product_id:
            return []
        return [
            Command.create(
                {
                    "product_id": item_sudo.product_id.id,
                    "name": (item_sudo.name or item_sudo.product_id.display_name).split("\n")[0],
                    "quantity": item_sudo.quantity,
                    "price_unit": item_sudo.price_unit * (1 - item_sudo.discount / 100),
                    "tax_ids": [Command.set(item_sudo.tax_ids.ids)],
                }
            )
        ]

    # ------------------------------------------------------------------
    # Taken back
    # ------------------------------------------------------------------

    @staticmethod
    def _get_own_moves(done):
        """:param done: what was done with rows
        :return: ids of the opening entries that were made"""
        return {trace["created_move"] for trace in done if "created_move" in trace}

    def _get_money_followed_reason(self, done):
        """:return: that an opening entry was paid or changed (a sentence), or ``False``"""
        # sudo: entries are the accountants'; what the import made
        moves_sudo = self.env["account.move"].sudo().browse(self._get_own_moves(done)).exists()
        for move_sudo in moves_sudo:
            if move_sudo.state != "posted" or move_sudo.payment_state != "not_paid":
                return self.env._(
                    "%(document)s, the opening balance of %(member)s, has been paid or changed "
                    "since it was imported. The import can no longer be undone.",
                    document=move_sudo.name,
                    member=move_sudo.partner_id._membri_get_names(),
                )
        return False

    def _undo_money(self, done):
        """:param done: list of ``(line, what was done)``
        :return: the contacts of opening entries that must be kept, cancelled"""
        Term = self.env["membri.cotisation"]
        # sudo: entries are the accountants'; what the import made
        Item_sudo, Move_sudo = (
            self.env["account.move.line"].sudo(),
            self.env["account.move"].sudo(),
        )
        freed = Term.browse()
        for line, trace in done:
            if "linked_item" not in trace and "created_move" not in trace:
                continue
            if item_sudo := Item_sudo.browse(trace.get("linked_item")).exists():
                item_sudo._internal_write({"membri_cotisation_id": False})
                item_sudo.move_id._internal_write({"membri_invoice_type": trace["type_before"]})
            if move_sudo := Move_sudo.browse(trace.get("created_move")).exists():
                move_sudo._internal_write({"membri_invoice_type": False})
                move_sudo.invoice_line_ids._internal_write({"membri_cotisation_id": False})
            if term := line.cotisation_id:
                term._internal_write({"invoice_id": False})
                if term.state == "pending" and trace["state_before"] not in ("pending", False):
                    term._set_state(trace["state_before"])
                    freed |= term
        freed._refresh_members()
        moves_sudo = Move_sudo.browse(self._get_own_moves(trace for _line, trace in done)).exists()
        moves_sudo.button_draft()
        try:
            with self.env.cr.savepoint():
                moves_sudo.unlink()
        except UserError:
            # the books forbid it, or later ones have been numbered: their numbers stay
            moves_sudo.button_cancel()
            return moves_sudo.partner_id.sudo(False)
        return self.env["res.partner"]
