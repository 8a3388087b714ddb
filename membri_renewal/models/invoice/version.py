from hashlib import sha256

from odoo import fields, models

from .delivery import ACTIVITY


class AccountMove(models.Model):
    """A document that its payer has, and that is reset, changed and confirmed again: the payer
    holds another one, so the current one counts as not sent, and somebody sends it. What is
    confirmed again as it was asks nobody."""

    _inherit = "account.move"

    membri_version_sent = fields.Char(
        string="Version Sent",
        copy=False,
        readonly=True,
        help="Summary of what the payer has, since the document was reset to draft.",
    )

    def _membri_get_version(self):
        """:return: what the document shows of numbers, days, lines and parts, in short"""
        self.ensure_one()
        lines = [
            (
                line.display_type,
                line.name or "",
                line.quantity,
                line.price_unit,
                line.discount,
                line.price_total,
            )
            for line in self.invoice_line_ids
        ]
        parts = [
            (str(line.date_maturity), line.amount_currency)
            for line in self.line_ids
            if line.display_type == "payment_term"
        ]
        shown = [
            self.name,
            str(self.invoice_date),
            self.currency_id.name,
            self.payment_reference or "",
            self.amount_total,
            str(self.narration or ""),
            lines,
            sorted(parts),
        ]
        return sha256(repr(shown).encode()).hexdigest()

    def _membri_keep_version(self):
        """These documents are about to be reset: what their payers have is known by it."""
        # sudo: what was sent is kept by the system, whoever resets it
        for move_sudo in self.sudo():
            if (
                move_sudo.membri_invoice_type
                and move_sudo.state == "posted"
                and not move_sudo.membri_version_sent
                and move_sudo._membri_was_brought()
            ):
                move_sudo.membri_version_sent = move_sudo._membri_get_version()

    def _membri_follow_version(self):
        """These documents are confirmed: those that were changed are to be sent again."""
        # sudo: the status of emails is kept by the system, whoever posts
        for move_sudo in self.sudo().filtered("membri_version_sent"):
            if not move_sudo._membri_is_worth_sending():
                continue
            told_sudo = move_sudo._membri_as_staff()
            if move_sudo.membri_version_sent == move_sudo._membri_get_version():
                told_sudo._membri_restore_delivered()
                continue
            told_sudo.is_move_sent = False
            told_sudo._membri_mark_failed(
                told_sudo.env._(
                    "%(document)s was changed and confirmed again, and the payer has the previous "
                    "version. Send it.",
                    document=told_sudo._membri_get_document_label(),
                )
            )

    def _membri_restore_delivered(self):
        """The document is again as its payer has it: nobody has to send it, where it was by email
        that they got it."""
        self.ensure_one()
        if self.is_move_sent or not self.membri_date_sent:
            return
        vals = {"membri_delivery_state": "delivered", "membri_delivery_note": False}
        self.write({"is_move_sent": True, **vals})
        self._membri_get_renewals()._internal_write(
            {"delivery_state": "delivered", "delivery_note": False}
        )
        self.activity_unlink([ACTIVITY])

    def _membri_forget_version(self):
        """The payer has the current document."""
        # sudo: as above
        self.sudo().filtered("membri_version_sent").membri_version_sent = False
