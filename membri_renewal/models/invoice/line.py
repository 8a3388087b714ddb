from odoo import fields, models

from ..cotisation.cotisation import PAID_STATES


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

    def _reconcile_post_hook(self, data):
        # EXTENDS account: its own hook is for “paid”, not for “reversed”
        result = super()._reconcile_post_hook(data)
        moves = self.move_id
        moves.filtered(lambda move: move.payment_state not in PAID_STATES)._membri_sync()
        if not all(move.is_invoice() for move in moves):  # else a credit note: no money
            moves.filtered(
                lambda move: move._membri_has_announced_money()
            )._membri_settle_announcements()
        moves.filtered("membri_invoice_type")._membri_after_part_money()
        return result


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

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
        return result
