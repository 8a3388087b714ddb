from odoo import models


class AccountMoveReversal(models.TransientModel):
    _inherit = "account.move.reversal"

    def reverse_moves(self, is_modify=False):
        # EXTENDS account: "Reverse and Create Invoice" replaces the invoice of a term;
        # the credit note alone would void it
        if not is_modify:
            return super().reverse_moves(is_modify=is_modify)
        origins = self.move_ids
        origins._membri_check_can_replace()
        settled = {origin: origin._membri_get_money_entries() for origin in origins}
        # internal: the invoice is copied with the facts of the one that it replaces
        deferred = self.with_env(origins._membri_defer_sync()._as_internal().env)
        action = super(AccountMoveReversal, deferred).reverse_moves(is_modify=is_modify)
        for replacement in self.new_move_ids.filtered(lambda move: move.move_type == "out_invoice"):
            terms_sudo = replacement._membri_get_cotisations_sudo()
            # told by what they are about: a selection may hold credit notes, too
            origin = origins.filtered(
                lambda move, terms=terms_sudo: move.sudo().membri_cotisation_ids & terms
            )[:1]
            if origin:
                origin._membri_replace_by(replacement)
                origin._membri_tell_replaced(replacement, settled[origin])
        return action
