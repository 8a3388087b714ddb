from odoo import api, fields, models

from ..cotisation.cotisation import PAID_STATES
from ..doors.base import check_own_documents

# of an item of a booked invoice, what Odoo's own screens do not let anybody change either
BOOKED = frozenset(
    {
        "amount_currency",
        "balance",
        "credit",
        "currency_id",
        "debit",
        "display_type",
        "move_id",
        "partner_id",
    }
)
RECONCILING = ("reconciling",)  # in the context: a tuple, as no client can send it


def is_reconciling(env):
    """Return whether Odoo matches journal items, or our own methods do. A client that makes such
    records itself would say that an invoice is paid."""
    return env.su or env.context.get("membri_reconciling") == RECONCILING


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "membri.fields.mixin"]
    # who makes an invoice says which term a line is about; nobody says otherwise later
    _creation_fields = frozenset({"membri_cotisation_id"})
    _tells_of_memberships = True
    _odoo_facts = frozenset(
        {
            "amount_residual",
            "amount_residual_currency",
            "parent_state",
            "price_subtotal",
            "price_total",
            "reconciled",
        }
    )

    membri_cotisation_id = fields.Many2one(
        "membri.cotisation",
        string="Membership Term",
        copy=False,
        index="btree_not_null",
        readonly=True,
        ondelete="restrict",
        help="The membership term that this line invoices. One invoice can cover several members.",
    )

    def _filter_about_memberships(self):
        # EXTENDS fields_mixin
        return self.filtered("move_id.membri_invoice_type")

    def _get_odoo_facts(self, vals):
        # EXTENDS fields_mixin: what a booked invoice bills, to whom, stays what and where it is.
        # Changed, moved, or made another kind of line, less is left to pay
        names = super()._get_odoo_facts(vals)
        booked = BOOKED & vals.keys()
        return names | booked if booked and "posted" in self.mapped("parent_state") else names

    def _copy_data_extend_business_fields(self, values):
        # EXTENDS account: a credit note, and the invoice that replaces a reversed one,
        # are about the same term; an ordinary duplicate is not
        result = super()._copy_data_extend_business_fields(values)
        if self._is_internal_write():  # reversing: any client may copy with such a context
            values["membri_cotisation_id"] = self.membri_cotisation_id.id
        if self.membri_cotisation_id:
            # deferred revenue is taken back over the same term
            for names in self.membri_cotisation_id._get_deferral_fields():
                values.update({name: self[name] for name in names})
        return result

    def _reconcile_plan_with_sync(self, plan_list, all_amls):
        # EXTENDS account: all that is matched comes here
        reconciling = self.with_context(membri_reconciling=RECONCILING)
        return super(AccountMoveLine, reconciling)._reconcile_plan_with_sync(plan_list, all_amls)

    def _reconcile_post_hook(self, data):
        # EXTENDS account: its own hook is for “paid”, not for “reversed”
        result = super()._reconcile_post_hook(data)
        moves = self.move_id
        moves.filtered(lambda move: move.payment_state not in PAID_STATES)._membri_sync()
        if not all(move.is_invoice() for move in moves):  # else a credit note: no money
            moves.filtered(
                lambda move: move._membri_has_reported_money()
            )._membri_settle_payment_reports()
        moves.filtered("membri_invoice_type")._membri_after_part_money()
        moves._membri_ask_again_of_credits()
        return result


class AccountPartialReconcile(models.Model):
    """Odoo has no rule for what is matched: whoever works on invoices, in any company, made and
    changed it for any journal items, and the invoice was paid."""

    _name = "account.partial.reconcile"
    _inherit = ["account.partial.reconcile", "membri.fields.mixin"]
    _odoo_facts = frozenset(
        {
            "amount",
            "company_id",
            "credit_amount_currency",
            "credit_currency_id",
            "credit_move_id",
            "debit_amount_currency",
            "debit_currency_id",
            "debit_move_id",
        }
    )

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS account
        partials = super().create(vals_list)
        partials._membri_check_reconciled()
        return partials

    def write(self, vals):
        # EXTENDS account
        known = self
        if not vals.keys().isdisjoint(("credit_move_id", "debit_move_id")):
            known = self._filter_about_memberships()
        result = super().write(vals)
        (self - known)._membri_check_reconciled()
        return result

    def _filter_about_memberships(self):
        # EXTENDS fields_mixin
        def get_moves(partial_sudo):
            return (partial_sudo.debit_move_id | partial_sudo.credit_move_id).move_id

        # sudo: which invoices these pay
        return self.filtered(
            lambda partial: get_moves(partial.sudo()).filtered("membri_invoice_type")
        )

    def _get_odoo_facts(self, vals):
        # EXTENDS fields_mixin
        return frozenset() if is_reconciling(self.env) else super()._get_odoo_facts(vals)

    def _membri_check_reconciled(self):
        """Refuse that a client says that one of these pays a membership invoice: Odoo's buttons
        match its items with those of a payment.

        :raises UserError: naming one"""
        if is_reconciling(self.env):
            return
        if forged := self._filter_about_memberships():
            raise self._get_refusal(self._fields["debit_move_id"], forged[0])

    def unlink(self):
        # EXTENDS account: money that goes away again has no hook of its own
        if not self:
            return super().unlink()
        moves = (self.debit_move_id | self.credit_move_id).move_id
        undone = [
            (partial.debit_move_id.move_id, partial.credit_move_id.move_id)
            for partial in self
            if partial.debit_move_id.account_type == "asset_receivable"
            and partial.debit_move_id.move_id.sudo().membri_invoice_type
            # what was void, and is open again, is an orphan: told as such
            and not partial.debit_move_id.move_id._membri_is_void()
            # else the difference of an exchange rate
            and not partial.debit_currency_id.is_zero(partial.debit_amount_currency)
        ]
        result = super().unlink()
        moves = moves.exists()
        moves._membri_sync()
        moves._membri_tell_undone(undone)
        moves.filtered("membri_invoice_type")._membri_after_part_money()
        moves._membri_ask_again_of_credits()
        return result


class AccountFullReconcile(models.Model):
    """So it is for what is matched to the cent, which Odoo writes on journal items in SQL."""

    _inherit = "account.full.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS account
        fulls = super().create(vals_list)
        if is_reconciling(self.env):
            return fulls
        # sudo: what these match, which was the client's to say
        fulls_sudo = fulls.sudo()
        partials_sudo = fulls_sudo.partial_reconcile_ids
        lines_sudo = fulls_sudo.reconciled_line_ids
        lines_sudo |= partials_sudo.debit_move_id | partials_sudo.credit_move_id
        check_own_documents(lines_sudo.sudo(False))
        if about := lines_sudo._filter_about_memberships():
            Line = self.env["account.move.line"]
            raise Line._get_refusal(Line._fields["full_reconcile_id"], about[0])
        return fulls
