from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools.misc import clean_context


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    @api.model
    def default_get(self, fields):
        # EXTENDS account
        result = super().default_get(fields)
        for command in result.get("line_ids") or ():
            lines = self.env["account.move.line"].browse(command[2])
            lines.move_id._membri_check_can_register_payment()
        return result

    def _create_payments(self):
        # EXTENDS account
        moves = self.line_ids.move_id
        moves._membri_check_can_register_payment()
        for wizard in self:
            wizard._membri_check_card()
        with moves._membri_look_once():
            return super()._create_payments()

    def _reconcile_payments(self, to_process, edit_mode=False):
        # EXTENDS account, which reconciles one payment after the other, and computes after each
        # what follows: of membership invoices that are paid each by its own, all in one plan
        if not self._membri_can_reconcile_together(to_process):
            super()._reconcile_payments(to_process, edit_mode=edit_mode)
            return
        types = self.env["account.payment"]._get_valid_payment_account_types()
        plan = []
        for vals in to_process:
            payment_lines = vals["payment"].move_id.line_ids.filtered(
                lambda line: (
                    line.parent_state == "posted"
                    and line.account_type in types
                    and not line.reconciled
                )
            )
            lines = (payment_lines | vals["to_reconcile"]).filtered(lambda ln: not ln.reconciled)
            by_account = lines.grouped("account_id")
            plan += [by_account[account] for account in payment_lines.account_id]
        # as Odoo's lines have it: without the defaults of this window
        env = self.env(context=clean_context(self.env.context))
        env["account.move.line"]._reconcile_plan([lines.with_env(env) for lines in plan])
        for vals in to_process:
            # no line of the invoice changes: nothing to synchronize, or to balance again
            moves = vals["to_reconcile"].move_id.with_context(
                skip_invoice_sync=True, check_move_validity=False
            )
            moves.matched_payment_ids += vals["payment"]

    def _membri_can_reconcile_together(self, to_process):
        """:param to_process: as Odoo's ``_reconcile_payments`` takes it
        :return: whether these are booked payments of membership invoices, without differences of
            exchange rates, which Odoo books one by one"""
        lines = self.env["account.move.line"].union(*(v["to_reconcile"] for v in to_process))
        payments = self.env["account.payment"].union(*(v["payment"] for v in to_process))
        currencies = lines.currency_id | payments.currency_id | lines.company_currency_id
        return (
            len(to_process) > 1
            and len(currencies) == 1
            and all(payment.move_id for payment in payments)
            and all(move.membri_invoice_type for move in lines.move_id)
        )

    def _compute_payment_token_id(self):
        # EXTENDS account_payment, which charges the first saved card: that of a member is charged
        # as reported, or by who chooses it here
        memberships = self.filtered(
            lambda w: any(move.membri_invoice_type for move in w.line_ids.move_id)
        )
        result = super(AccountPaymentRegister, self - memberships)._compute_payment_token_id()
        for wizard in memberships:
            wizard.payment_token_id &= wizard.suitable_payment_token_ids
        return result

    def _membri_check_card(self):
        """Raise a ``UserError`` when a membership invoice would be booked as paid by a card that
        nobody has chosen, so that nothing would be charged."""
        self.ensure_one()
        memberships = self.line_ids.move_id.filtered("membri_invoice_type")
        if memberships and self.suitable_payment_token_ids and not self.payment_token_id:
            raise UserError(
                self.env._(
                    "%(invoice)s would be marked as paid and no card charged. Choose a saved card, "
                    "or another payment method.",
                    invoice=memberships[0].display_name,
                )
            )

    def _compute_amount(self):
        # EXTENDS account: what the payer reported is what is looked for
        result = super()._compute_amount()
        for wizard in self.filtered(lambda w: not w.custom_user_amount):
            move = wizard._membri_get_reported_move()
            amount = move.membri_reported_amount
            if (
                move.currency_id == wizard.currency_id
                and amount > 0
                and wizard.currency_id.compare_amounts(amount, move.amount_residual) <= 0
            ):
                wizard.amount = amount
        return result

    def _compute_communication(self):
        # EXTENDS account
        result = super()._compute_communication()
        for wizard in self:
            move = wizard._membri_get_reported_move()
            if move.membri_reported_reference:
                wizard.communication = (
                    f"{wizard.communication or ''} {move.membri_reported_reference}".strip()
                )
        return result

    def _membri_get_reported_move(self):
        """:return: the one invoice that is paid here, if its payer reported the payment"""
        self.ensure_one()
        moves = self.line_ids.move_id
        return moves.filtered("membri_date_reported") if len(moves) == 1 else moves.browse()
