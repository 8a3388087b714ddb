from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..cotisation.cotisation import LIVING_STATES
from ..mixins.fields import get_flag_domain

# terms that money may be owed for: who is a member before all is paid may owe what is over
OWING_STATES = (*LIVING_STATES, "expired")


class AccountMove(models.Model):
    """Invoices that are paid in several parts, by payment terms: the plan, what of it is paid, and
    what is late. A part is what falls due on one day; an invoice without payment terms has one."""

    _inherit = "account.move"

    membri_is_first_part_paid = fields.Boolean(
        string="First Part Paid",
        compute="_compute_membri_is_first_part_paid",
        store=True,
        help="The first part of the payment terms is paid. The nightly run compares the "
        "membership terms with it.",
    )

    @api.depends(
        "membri_invoice_type",
        "state",
        "payment_state",
        "amount_residual",
        "matched_payment_ids.state",
    )
    def _compute_membri_is_first_part_paid(self):
        for move in self:
            move.membri_is_first_part_paid = bool(
                move.membri_invoice_type
                and move.move_type == "out_invoice"
                and move.state == "posted"
                and move.payment_state != "not_paid"
                and move._membri_is_first_part_settled()
            )

    def _membri_get_plan(self):
        """Return a list of ``(day, amount, left)``, one for each part of the payment terms, the
        earliest first: what is due on that day, and what of it is still to be paid. Payments
        without journal entry are taken off. Of fee notices, too."""
        self.ensure_one()
        move_sudo = self.sudo()  # payers see no journal items
        currency = move_sudo.currency_id
        lines = move_sudo.line_ids.filtered(lambda line: line.display_type == "payment_term")
        if move_sudo.state == "posted":
            covered = move_sudo.amount_residual - move_sudo._membri_get_amount_due()
        else:
            covered = 0.0
        plan = {}
        for line in lines.sorted(lambda line: (line.date_maturity or fields.Date.today(), line.id)):
            open_amount = line.amount_residual_currency if move_sudo.state != "cancel" else 0.0
            taken = min(covered, max(0.0, open_amount))
            covered -= taken
            day = line.date_maturity or move_sudo.invoice_date_due
            amount, left = plan.get(day, (0.0, 0.0))
            plan[day] = (amount + line.amount_currency, left + open_amount - taken)
        return [
            (day, currency.round(amount), currency.round(left))
            for day, (amount, left) in plan.items()
        ]

    def _membri_is_in_parts(self):
        """:return: whether this document is to be paid in more than one part"""
        return len(self._membri_get_plan()) > 1

    def _membri_get_plan_rows(self):
        """Return a list of ``(label, amount, standing)`` in words, one for each part of the plan;
        nothing of what is paid at once."""
        self.ensure_one()
        plan = self._membri_get_plan()
        if len(plan) < 2 or self._membri_is_void():
            return []
        today = self.company_id._membri_today()
        rows = []
        for day, amount, left in plan:
            standing = ""
            if self.currency_id.is_zero(left):
                standing = self.env._("Settled")
            elif self.currency_id.compare_amounts(left, amount) < 0:
                standing = self.env._("Left: %(left)s", left=self.currency_id.format(left))
            if not self.currency_id.is_zero(left) and day < today:
                late = self.env._("Overdue")
                standing = f"{late} · {standing}" if standing else late
            label = self.env._("By %(date)s", date=self._membri_format_day(day))
            rows.append((label, self.currency_id.format(amount), standing))
        return rows

    def _membri_has_broken_part(self):
        """:return: whether a part is paid by half: the payer meant something else than a plan"""
        self.ensure_one()
        return any(
            not self.currency_id.is_zero(left)
            and self.currency_id.compare_amounts(left, amount) < 0
            for _day, amount, left in self._membri_get_plan()
        )

    def _reconcile_reversed_moves(self, reverse_moves, move_reverse_cancel):
        # EXTENDS account: what is paid in parts, and credited by a note in as many, is credited
        # part by part: else a member who leaves a shared invoice pays the next part of the others
        if not move_reverse_cancel:
            for move, reverse_move in zip(self, reverse_moves, strict=False):
                if move.membri_invoice_type:
                    move._membri_settle_parts(reverse_move)
        return super()._reconcile_reversed_moves(reverse_moves, move_reverse_cancel)

    def _membri_settle_parts(self, credit_note):
        self.ensure_one()

        def get_parts(move):
            lines = move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
            return lines.sorted(lambda line: (line.date_maturity, line.id))

        mine, theirs = get_parts(self), get_parts(credit_note)
        if 1 < len(mine) == len(theirs):
            for line, credit in zip(mine, theirs, strict=True):
                if not line.reconciled and not credit.reconciled:
                    (line | credit).reconcile()

    def _membri_is_first_part_settled(self):
        """Return whether nothing is left of the first part, and some of it is money: a credit
        note for another member on the invoice has paid nothing."""
        self.ensure_one()
        plan = self._membri_get_plan()
        if not plan or not self.currency_id.is_zero(plan[0][2]):
            return False
        received = sum(
            entry["amount"]
            for entry in self._membri_get_settlements()
            if entry["kind"] in ("money", "offset")
            or (entry["kind"] == "credit" and entry["move"].reversed_entry_id != self)
        )
        return self.currency_id.compare_amounts(received, 0.0) > 0

    def _membri_is_paid_as_asked(self, activation):
        """:param activation: of the option set: ``paid``, ``first_part`` or ``approved``
        :return: whether as much is paid of this document as makes the member active"""
        self.ensure_one()
        if activation == "approved":
            return not self._membri_is_void()
        if self._membri_is_paid():
            return True
        return (
            activation == "first_part"
            and self.state == "posted"
            and not self._membri_is_write_off_open()
            and self._membri_is_first_part_settled()
        )

    def _membri_get_overdue_amount(self):
        """:return: what should have been paid before today, in its own currency"""
        self.ensure_one()
        today = self.company_id._membri_today()
        return self.currency_id.round(
            sum(left for day, _amount, left in self._membri_get_plan() if day and day < today)
        )

    @api.model
    def _membri_get_due_domain(self, before):
        """:param before: a day
        :return: the documents that a part of should have been paid before that day, as a domain.
            Payments without journal entry are not taken off"""
        part = (
            Domain("display_type", "=", "payment_term")
            & Domain("date_maturity", "<", before)
            & Domain("amount_residual_currency", "!=", 0.0)
        )
        return (
            Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & self._membri_get_payable_domain()
            & Domain("line_ids", "any", part)
        )


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    in_arrears = fields.Boolean(
        compute="_compute_in_arrears",
        search="_search_in_arrears",
        groups="base.group_user",
        help="A part of the invoice was due before today and is not paid.",
    )

    @api.depends("state", "invoice_id.payment_state", "invoice_id.amount_residual")
    def _compute_in_arrears(self):
        late = self._filter_in_arrears()
        for cotisation in self:
            cotisation.in_arrears = cotisation._origin in late

    @api.model
    def _search_in_arrears(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = Domain("id", "in", self._find_in_arrears(Domain.TRUE).ids)
        return get_flag_domain(found, value)

    def _filter_in_arrears(self):
        """:return: those of ``self`` that are in arrears"""
        owing = self._origin.filtered(lambda c: c.state in OWING_STATES and c.invoice_id)
        return owing._find_in_arrears(Domain("id", "in", owing.ids)) if owing else owing

    @api.model
    def _find_in_arrears(self, domain):
        """Return the terms in ``domain`` that wait, run or are over, and that a part of is late;
        found by one search, of which those are asked that have a payment without journal entry."""
        Move = self.env["account.move"]
        late = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("invoice_id", "any", Move._membri_get_due_domain(company._membri_today()))
            for company in self.env["res.company"]._membri_get_all()
        )
        # sudo: payments are the accountants', that one is late is a fact
        found_sudo = self.sudo().search(domain & Domain("state", "in", OWING_STATES) & late)
        covered_sudo = found_sudo.filtered(
            lambda c: (
                c.invoice_id.matched_payment_ids
                and c.currency_id.is_zero(c.invoice_id._membri_get_overdue_amount())
            )
        )
        return (found_sudo - covered_sudo).sudo(False)

    @api.model
    def _membri_get_long_due_domain(self, company, months):
        """:return: the terms of ``company`` that an open part of was due ``months`` ago"""
        day = fields.Date.subtract(company._membri_today(), months=months) + timedelta(days=1)
        return Domain("company_id", "=", company.id) & Domain(
            "invoice_id", "any", self.env["account.move"]._membri_get_due_domain(day)
        )
