from odoo import api, fields, models
from odoo.tools import format_amount

from ..models.mixins.formats import format_day
from .explanation import as_list


class MembriRenewalReset(models.TransientModel):
    """*Réinitialiser*: says what happens to the invoice and to the term before it happens, or
    what has to be done first (specification §5.5)."""

    _name = "membri.renewal.reset"
    _inherit = "membri.wizard.mixin"
    _description = "Reset a Renewal"

    renewal_id = fields.Many2one("membri.renewal", required=True)
    invoice_id = fields.Many2one(related="renewal_id.invoice_id")
    obstacle = fields.Text(compute="_compute_explanation")
    consequences = fields.Html(compute="_compute_explanation", string="What Happens")

    @api.depends("renewal_id")
    def _compute_explanation(self):
        empty = self.filtered(lambda wizard: not wizard.renewal_id)  # opened by no button
        empty.obstacle = empty.consequences = False
        for wizard in self - empty:
            renewal = wizard.renewal_id
            wizard.obstacle = renewal._get_cannot_reason("reset")
            sentences = [] if wizard.obstacle else wizard._get_consequences()
            wizard.consequences = as_list(sentences)

    def _get_consequences(self):
        """:return: list of sentences"""
        self.ensure_one()
        if self.renewal_id.state == "refused":
            return [
                self.env._(
                    "The renewal is no longer declined. Its reason and comment are removed."
                ),
                self.env._("The renewal can be sent, approved or declined again."),
            ]
        return [
            self._get_invoice_consequence(),
            self.env._(
                "The next term %(cotisation)s (%(term)s), which is pending, becomes void. "
                "The current term does not change.",
                cotisation=self.renewal_id.new_cotisation_id.name,
                term=self.renewal_id.new_cotisation_id.term_display,
            ),
            self.env._(
                "You can then edit the renewal and approve it again: a new invoice is "
                "created and sent to the payer."
            ),
        ]

    def _get_invoice_consequence(self):
        invoice_sudo = self.renewal_id._get_invoice_sudo()
        amount = format_amount(self.env, invoice_sudo.amount_total, invoice_sudo.currency_id)
        if shared := self.renewal_id.new_cotisation_id._get_shared_consequence():
            sentence = shared
        elif invoice_sudo.membri_fee_notice_state == "open":
            sentence = self.env._(
                "%(notice)s (%(amount)s) is withdrawn. It can no longer be paid online, "
                "and no invoice number is used.",
                notice=invoice_sudo._membri_get_document_label(),
                amount=amount,
            )
        elif invoice_sudo.state == "draft" or invoice_sudo._membri_can_cancel():
            sentence = self.env._(
                "%(invoice)s (%(amount)s) is cancelled. Nothing more is owed.",
                invoice=invoice_sudo.display_name,
                amount=amount,
            )
        else:
            sentence = self.env._(
                "%(invoice)s (%(amount)s) can no longer be cancelled in accounting. A "
                "credit note for the same amount is created, and nothing more is owed.",
                invoice=invoice_sudo.display_name,
                amount=amount,
            )
        if not invoice_sudo.membri_date_sent:
            return sentence
        return self.env._(
            "%(sentence)s It was sent on %(date)s (%(payer)s). Let the payer know that a new one "
            "will follow.",
            sentence=sentence,
            payer=invoice_sudo.partner_id._membri_get_names(),
            date=format_day(self.env, invoice_sudo.membri_date_sent),
        )

    @api.model
    def _get_wizard_action(self, renewal):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reset %(renewal)s", renewal=renewal.display_name),
            "res_model": self._name,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_renewal_id": renewal.id},
        }

    def action_confirm(self):
        self.ensure_one()
        self.renewal_id.action_reset()
        return {"type": "ir.actions.act_window_close"}

    def action_open_invoice(self):
        """Where the way out begins: its payments, or its credit note."""
        self.ensure_one()
        return self.renewal_id.action_view_invoice()
