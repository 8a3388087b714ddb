from odoo import api, models


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
        with moves._membri_look_once():
            return super()._create_payments()

    def _compute_amount(self):
        # EXTENDS account: what the payer announced is what is looked for
        result = super()._compute_amount()
        for wizard in self.filtered(lambda w: not w.custom_user_amount):
            move = wizard._membri_get_announced_move()
            amount = move.membri_announced_amount
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
            move = wizard._membri_get_announced_move()
            if move.membri_announced_reference:
                wizard.communication = (
                    f"{wizard.communication or ''} {move.membri_announced_reference}".strip()
                )
        return result

    def _membri_get_announced_move(self):
        """:return: the one invoice that is paid here, if its payer announced the payment"""
        self.ensure_one()
        moves = self.line_ids.move_id
        return moves.filtered("membri_date_announced") if len(moves) == 1 else moves.browse()
