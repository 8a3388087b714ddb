from collections import defaultdict
from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..cotisation.cotisation import LIVING_STATES
from .undone import ACTIVITY_UNDONE, REVERSED

LOOK_LATER = "membri_renewal.look_later"
BY_BUTTON = ("button",)  # in the context: a tuple, as no client can send it
# what Odoo keeps of booked invoices
BOOKED = frozenset(
    {
        "currency_id",
        "date",
        "fiscal_position_id",
        "invoice_cash_rounding_id",
        "invoice_date",
        "invoice_line_ids",
        "invoice_payment_term_id",
        "line_ids",
        "partner_id",
    }
)


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "membri.fields.mixin"]
    _tells_of_memberships = True
    _odoo_facts = frozenset(
        {
            "access_token",
            "amount_residual",
            "amount_residual_signed",
            "amount_tax",
            "amount_total",
            "amount_total_signed",
            "amount_untaxed",
            "move_type",
            "payment_state",
            "posted_before",
            "reversed_entry_id",
            "state",
            "transaction_ids",
        }
    )

    membri_invoice_type = fields.Selection(
        [("enrolment", "Enrollment"), ("renewal", "Renewal")],
        string="Invoice Type",
        copy=False,
        index="btree_not_null",
        readonly=True,
        help="Empty for invoices that are not for memberships.",
    )
    membri_renewal_id = fields.Many2one(
        "membri.renewal",
        string="Renewal",
        copy=False,
        index="btree_not_null",
        readonly=True,
        ondelete="restrict",
    )
    membri_cotisation_ids = fields.One2many(
        "membri.cotisation",
        "invoice_id",
        string="Membership Terms",
        readonly=True,
        # who reads no terms would not read the invoice as a whole (RPC without names of fields)
        groups="membri_renewal.group_membri_readonly",
    )
    # nobody reads it: what follows the payment state of an invoice (`membri.renewal.payment_state`
    # and more) is found through it in the cache, else by a search at each write on any entry
    membri_awaiting_renewal_ids = fields.One2many(
        "membri.renewal",
        "invoice_id",
        string="Renewals Awaiting Payment",
        readonly=True,
        groups="membri_renewal.group_membri_readonly",
    )
    # the hourly run looks for terms whose invoice is no longer posted
    _membri_not_posted = models.Index(
        "(id) WHERE membri_invoice_type IS NOT NULL AND state != 'posted'"
    )
    membri_date_sent = fields.Datetime(
        string="Last Sent",
        copy=False,
        readonly=True,
        help="Date on which the invoice was last emailed.",
    )

    # ------------------------------------------------------------------
    # Hooks: each of them only says "look again"; what follows is decided from the
    # facts by membri.cotisation._sync_with_invoice
    # ------------------------------------------------------------------

    def _membri_sync(self):
        """Bring the cotisations that these moves (invoices or credit notes) are about in
        line with them."""
        # Odoo calls the hooks of nothing at each write on a journal item
        if not self or self._membri_looks_later("_membri_sync"):
            return
        cotisations_sudo = self._membri_get_cotisations_sudo()
        deferred = self.env.context.get("membri_deferred_cotisations")
        if isinstance(deferred, frozenset):  # as no client can send it
            cotisations_sudo = cotisations_sudo.filtered(lambda c: c.id not in deferred)
        cotisations_sudo._sync_with_invoice()
        (self | self.reversed_entry_id)._membri_follow_orphans(cotisations_sudo)
        (self | self.reversed_entry_id)._membri_ask_about_write_offs()
        self._membri_follow_receipts()

    @contextmanager
    def _membri_look_once(self):
        """Many invoices are paid at once, in several steps each: what follows from it is decided
        when all is done, for all of them together."""
        waiting = self.env.cr.precommit.data
        if LOOK_LATER in waiting:
            yield
            return
        waiting[LOOK_LATER] = defaultdict(set)
        try:
            yield
            looked = dict(waiting[LOOK_LATER])
        finally:
            waiting.pop(LOOK_LATER, None)
        self.browse(looked.get("_membri_sync", ()))._membri_sync()
        self.browse(looked.get("_membri_after_part_money", ()))._membri_after_part_money()

    def _membri_looks_later(self, method):
        """Return whether ``method`` is called for these moves at the end of
        :meth:`_membri_look_once`."""
        if LOOK_LATER not in self.env.cr.precommit.data:
            return False
        self.env.cr.precommit.data[LOOK_LATER][method].update(self.ids)
        return True

    def _membri_defer_sync(self):
        """Return ``self``, with the cotisations of these moves left as they are, for what
        takes several steps; those of other moves (a payment's invoices) are followed."""
        return self.with_context(
            membri_deferred_cotisations=frozenset(self._membri_get_cotisations_sudo().ids),
            membri_deferred_moves=frozenset(self.ids),
        )

    def _membri_issue(self):
        """Post new membership invoices; where the company works with fee notices, make fee
        notices of those that cost something (what is free is paid at once)."""
        notices = self.filtered(
            lambda move: (
                move.company_id.membri_fee_notice
                and not move.currency_id.is_zero(move.amount_total)
            )
        )
        notices._membri_make_fee_notices()
        (self - notices)._membri_post_many()

    def _post(self, soft=True):
        # EXTENDS account
        notices = self.filtered(lambda m: m.membri_fee_notice_state == "open")
        plans = {move: move._membri_get_plan_days() for move in notices}
        for move in notices:
            move._membri_date_as_invoice()
        unsent = self.filtered(lambda move: move._membri_is_posted_unsent())
        before = unsent.filtered("posted_before")
        posted = super(AccountMove, self._membri_by_button())._post(soft=soft).with_env(self.env)
        for move, days in plans.items():
            move._membri_keep_plan(days)
        posted._membri_ensure_tokens()
        posted._membri_sync()
        posted._membri_compare_with_terms()
        posted._membri_update_reminders()
        (posted & unsent)._membri_tell_unsent(before)
        posted._membri_follow_version()
        posted._membri_claim_again()
        posted._membri_tell_released()
        return posted

    def _membri_fill_due_date(self):
        """Without payment terms Odoo makes an invoice due on the day it is made, as the server
        counts days: one that is dated ahead would be due before its own date, and one of the
        evening a day after it."""
        other = self.filtered(
            lambda move: (
                not move.invoice_payment_term_id and move.invoice_date_due != move.invoice_date
            )
        )
        for day, moves in other.grouped("invoice_date").items():
            moves.invoice_date_due = day

    def _membri_ensure_tokens(self):
        """Members pay by a link that holds a token: it is there from the posting on, so that
        no page has to make one."""
        # sudo: tokens are the system's
        for move_sudo in self.sudo().filtered("membri_invoice_type"):
            move_sudo._portal_ensure_token()

    def _invoice_paid_hook(self):
        # EXTENDS account
        result = super()._invoice_paid_hook()
        self._membri_sync()
        self._membri_settle_payment_reports()
        return result

    def write(self, vals):
        # EXTENDS account
        formers = {
            move: move.partner_id
            for move in (self if "partner_id" in vals else ())
            if move.membri_invoice_type and move.partner_id.id != vals["partner_id"]
        }
        result = super(AccountMove, self._membri_for_write(vals)).write(vals)
        if formers:
            self.browse(move.id for move in formers)._membri_after_new_payer(formers)
        if "matched_payment_ids" in vals:  # payments without journal entry
            self._membri_sync()
            reported = self.filtered(lambda move: move._membri_has_reported_money())
            reported._membri_settle_payment_reports()
        if "invoice_date_due" in vals:
            self._membri_update_reminders()
        return result

    def _filter_about_memberships(self):
        # EXTENDS fields_mixin
        return self.filtered("membri_invoice_type")

    def _get_odoo_facts(self, vals):
        # EXTENDS fields_mixin
        names = super()._get_odoo_facts(vals)
        if "payment_state" in names and self._membri_is_block_button(vals):
            names -= {"payment_state"}
        if self.env.context.get("membri_by_button") == BY_BUTTON:
            names -= {"posted_before", "state"}
        # Odoo keeps these of booked invoices too, but for a key that any client may send
        if self.env.context.get("skip_readonly_check") and "posted" in self.mapped("state"):
            names |= BOOKED & vals.keys()
        return names

    @api.constrains("partner_bank_id")
    def _membri_check_bank_account(self):
        """The page and the statement say where members transfer money to: Odoo lets whoever works
        on invoices name any account there, of booked invoices as well.

        :raises ValidationError: where it is not one of the company, or of one above it"""
        for move in self.filtered(lambda m: m.membri_invoice_type and m.move_type == "out_invoice"):
            # sudo: of whom the account is
            company_sudo, bank_sudo = move.sudo().company_id, move.sudo().partner_bank_id
            if bank_sudo and bank_sudo.partner_id not in company_sudo.parent_ids.partner_id:
                raise ValidationError(
                    self.env._(
                        "Members cannot pay “%(invoice)s” to the account %(account)s: it is not an "
                        "account of %(company)s.",
                        invoice=move.display_name,
                        account=bank_sudo.acc_number,
                        company=company_sudo.name,
                    )
                )

    @api.constrains("sending_data")
    def _membri_check_sending(self):
        """Odoo's scheduler sends what was selected, of all companies, and in whose name the invoice
        says: it failed for all on a number that somebody wrote there.

        :raises UserError: where it is not what Odoo's button writes"""
        user, field = self.env.user, self._fields["sending_data"]
        if user._is_superuser():
            return
        by_button = {"author_user_id": user.id, "author_partner_id": user.partner_id.id}
        for move in self:
            data = move.sending_data or {}
            if not isinstance(data, dict) or any(
                data.get(name, number) != number for name, number in by_button.items()
            ):
                raise self._get_refusal(field, move)

    def _membri_is_block_button(self, vals):
        """Return whether ``vals`` are what a button of Odoo's writes, which blocks payments and
        releases them; what is paid stays paid."""
        states = set(self.mapped("payment_state"))
        if vals.get("payment_state") == "blocked":
            return not states & {"paid", "in_payment"}
        return vals.get("payment_state") == "not_paid" and states <= {"blocked", "not_paid"}

    def _membri_by_button(self):
        """Return ``self``, whose status the methods of Odoo's buttons write; a client that writes
        it would pass over all that follows from it."""
        return self.with_context(membri_by_button=BY_BUTTON)

    def _membri_update_reminders(self):
        """Payment reminders count from the due date."""
        # sudo: reminders follow the due date, whoever changes it
        renewals_sudo = self.sudo().membri_cotisation_ids.renewal_id
        renewals_sudo.filtered("invoice_id")._update_next_reminder()

    def _membri_is_payable(self):
        """:return: whether a payer can be asked for money on this document now"""
        self.ensure_one()
        return self.state == "posted" or (
            self.membri_fee_notice_state == "open" and self._membri_is_awaited()
        )

    @api.model
    def _membri_get_payable_domain(self):
        """:return: what is shown to a payer: booked documents, and open fee notices"""
        return Domain("state", "=", "posted") | Domain("membri_fee_notice_state", "=", "open")

    def _membri_is_awaited(self):
        """Return whether a cotisation waits for the payment of this document, or is active
        before it."""
        self.ensure_one()
        move_sudo = self.sudo()  # accountants need not read terms
        return any(
            term_sudo.state == "pending"
            or (term_sudo.state in LIVING_STATES and not move_sudo._membri_is_paid())
            for term_sudo in move_sudo.membri_cotisation_ids
        )

    def button_draft(self):
        # EXTENDS account
        if not self:
            return super().button_draft()
        self._membri_check_not_void()
        deferred = self.env.context.get("membri_deferred_moves")
        if not isinstance(deferred, frozenset):  # as no client can send it
            deferred = frozenset()
        waiting = self.filtered(lambda move: move.sending_data and move.id not in deferred)
        self._membri_keep_version()
        # it takes them out of Odoo's sending queue
        result = super(AccountMove, self._membri_by_button()).button_draft()
        self._membri_sync()
        self.reversed_entry_id._membri_ask_what_differs()
        waiting._membri_drop_unsent()
        return result

    def button_cancel(self):
        # EXTENDS account
        if not self:
            return super().button_cancel()
        # it drafts a posted invoice first: what it becomes counts, not the way there
        waiting = self.filtered("sending_data")
        source = self._membri_defer_sync()._membri_by_button()
        result = super(AccountMove, source).button_cancel()
        self._membri_sync()
        waiting._membri_drop_unsent()
        # sudo: the question whether it is to be paid is the officer's
        self.sudo().filtered("membri_invoice_type").activity_unlink([ACTIVITY_UNDONE])
        self._membri_tell_money_of_void()
        return result

    def _reverse_moves(self, default_values_list=None, cancel=False):
        # EXTENDS account: credit notes are membership documents too; who was credited before is
        # not credited again with the others
        default_values_list = default_values_list or [{} for _move in self]
        for move, values in zip(self, default_values_list, strict=True):
            if move.membri_invoice_type:
                values.setdefault("membri_invoice_type", move.membri_invoice_type)
                values.setdefault("membri_renewal_id", move.membri_renewal_id.id)
                if seller := move.invoice_user_id.filtered("active"):  # payers write to them
                    values.setdefault("invoice_user_id", seller.id)
        # internal: they are copies of facts
        if not cancel:
            credited = [move._membri_get_credited_terms() for move in self]
            reverses = super(AccountMove, self._as_internal())._reverse_moves(
                default_values_list, cancel=cancel
            )
            reverses = reverses.with_env(self.env)
            for reverse, terms in zip(reverses, credited, strict=True):
                # sudo: accountants need not read terms
                reverse.invoice_line_ids.filtered(
                    lambda line, terms=terms: line.sudo().membri_cotisation_id in terms
                ).unlink()
            return reverses
        # of an invoice: what it becomes counts. Of a payment: that it was reversed is the cause
        source = self._membri_defer_sync().with_context(membri_undone_how=REVERSED)
        reverses = super(AccountMove, source._as_internal())._reverse_moves(
            default_values_list, cancel=cancel
        )
        reverses = reverses.with_env(self.env)
        (self | reverses)._membri_sync()
        return reverses

    @api.ondelete(at_uninstall=False)
    def _unlink_except_membri(self):
        self._membri_check_can_unlink()

    def _membri_check_can_unlink(self):
        """A draft that a cotisation waits for is cancelled, not deleted: its number and its
        history stay."""
        # sudo: accountants need not read terms; names are told
        for move_sudo in self.sudo().filtered("membri_cotisation_ids"):
            living = move_sudo.membri_cotisation_ids.filtered(lambda c: c.state in LIVING_STATES)
            if living:
                raise UserError(
                    self.env._(
                        "%(invoice)s is the invoice of %(cotisation)s (%(member)s). "
                        "Cancel it instead of deleting it: the membership term follows.",
                        invoice=move_sudo.display_name,
                        cotisation=living[0].name,
                        member=living[0].partner_id._membri_get_names(),
                    )
                )

    def _membri_replace_by(self, replacement):
        """Make ``replacement`` the living invoice of the terms of this one."""
        # sudo: terms follow, whoever replaces their invoice
        cotisations_sudo = self.sudo().membri_cotisation_ids
        if not cotisations_sudo:
            return
        self.ensure_one()
        replacement.sudo().write(
            {
                "membri_invoice_type": self.membri_invoice_type,
                "membri_renewal_id": self.membri_renewal_id.id,
                # whom payers write to, and not the accountant who replaces it
                "invoice_user_id": (
                    self.invoice_user_id.filtered("active") or replacement.invoice_user_id
                ).id,
            }
        )
        replacement._membri_ensure_tokens()
        cotisations_sudo._internal_write({"invoice_id": replacement.id})
        # nobody has been sent the new one yet
        self.env["membri.renewal"].sudo().search([("invoice_id", "=", self.id)])._internal_write(
            {"invoice_id": replacement.id, "delivery_state": False, "delivery_note": False}
        )
        replacement._membri_ask_to_send(self)
        self._membri_hand_over_payment_report(replacement)
        replacement._membri_update_reminders()
        cotisations_sudo._sync_with_invoice()

    def _membri_take_off(self, cotisations):
        """Take what is unpaid of ``cotisations`` off this invoice, for good."""
        self.ensure_one()
        if not self.invoice_line_ids.membri_cotisation_id - cotisations:
            self._membri_void()
        elif self.state == "draft":
            self._membri_remove_lines(cotisations)
        elif self.state == "posted":
            self._membri_credit_lines(cotisations)
