from odoo import models


class AccountMove(models.Model):
    """Money that came and went again (a bounced check, a debit that was sent back, a payment
    that was booked on the wrong invoice): the officer is told, with the cause."""

    _inherit = "account.move"

    def _membri_tell_undone_payment(self):
        """Ask the officer about each of these invoices whose payment has just gone: the hooks
        leave in the context which payments these were."""
        undone = self.env.context.get("membri_undone")
        if not isinstance(undone, tuple):  # as no client can send it
            return
        for invoice in self.sudo().filtered(lambda move: move.state == "posted"):
            sources = [
                self.env[model].browse(res_id)
                for invoice_id, model, res_id in undone
                if invoice_id == invoice.id
            ]
            for source in sources:
                if sentence := invoice._membri_as_staff()._membri_get_undone_sentence(source):
                    invoice._membri_ask_officer(sentence)

    def _membri_get_undone_sentence(self, source):
        """:param source: an ``account.payment``, or the entry (``account.move``) that had paid
        :return: which money has gone, why, and what it means (a sentence)"""
        self.ensure_one()
        source_sudo = source.sudo().exists()
        if source._name == self._name:
            move, payment = source_sudo, source_sudo.origin_payment_id
        else:
            move, payment = self.browse(), source_sudo
        if not move and not payment:
            return False
        names = {
            "payment": self._membri_get_undone_label(move, payment),
            "invoice": self._membri_get_document_label(),
            "members": ", ".join(self._membri_get_members().mapped("display_name")),
        }
        if self.env.context.get("membri_undone_how") == "reversed":
            return self.env._(
                "%(payment)s for %(invoice)s was reversed. The invoice is unpaid again "
                "(%(members)s).",
                **names,
            )
        if payment.state == "rejected":
            return self.env._(
                "%(payment)s for %(invoice)s was rejected. The invoice is unpaid again "
                "(%(members)s).",
                **names,
            )
        if payment.state == "canceled":
            return self.env._(
                "%(payment)s for %(invoice)s was cancelled. The invoice is unpaid again "
                "(%(members)s).",
                **names,
            )
        return self.env._(
            "%(payment)s was removed from %(invoice)s. The invoice is unpaid again (%(members)s).",
            **names,
        )

    def _membri_get_undone_label(self, move, payment):
        """:return: the payment as people know it: number, method, reference, amount"""
        amount = payment.amount if payment else move.amount_total
        currency = payment.currency_id if payment else move.currency_id
        memo = payment.memo if payment else move.ref
        details = [payment.payment_method_line_id.name, memo, currency.format(amount)]
        # a payment without entry has no number
        name = payment.name or move.name or self.env._("Payment")
        return f"{name} ({', '.join(filter(None, details))})"
