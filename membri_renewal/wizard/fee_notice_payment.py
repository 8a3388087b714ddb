from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class MembriFeeNoticePayment(models.TransientModel):
    """Money that came in for fee notices by bank, cheque or cash: makes the invoices and
    registers the payment, both or neither."""

    _name = "membri.fee.notice.payment"
    _inherit = "membri.wizard.mixin"
    _description = "Register Fee Notice Payment"
    _check_company_auto = True

    move_ids = fields.Many2many("account.move", string="Fee Notices", required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_selection")
    is_single = fields.Boolean(string="Single Fee Notice", compute="_compute_selection")
    amount = fields.Monetary(compute="_compute_amount", store=True, readonly=False)
    amount_left = fields.Monetary(string="Amount Due", compute="_compute_amount_left")
    payment_date = fields.Date(required=True, default=lambda self: self.env.company._membri_today())
    journal_id = fields.Many2one(
        "account.journal",
        required=True,
        domain=[("type", "in", ("bank", "cash", "credit"))],  # of the company or its parents
        default=lambda self: self._default_journal_id(),
        check_company=True,
    )

    @api.model
    def _default_journal_id(self):
        return self.env["account.journal"].search(
            [
                *self.env["account.journal"]._check_company_domain(self.env.company),
                ("type", "in", ("bank", "cash", "credit")),
            ],
            limit=1,
        )

    @api.depends("move_ids")
    def _compute_selection(self):
        for wizard in self:
            wizard.currency_id = wizard.move_ids.currency_id[:1]
            wizard.is_single = len(wizard.move_ids) == 1

    @api.depends("move_ids")
    def _compute_amount(self):
        for wizard in self:
            moves = wizard.move_ids
            total = sum(moves.mapped("amount_total"))
            reported = moves.membri_reported_amount if len(moves) == 1 else 0.0
            # more than is due is a slip of whoever typed it
            wizard.amount = reported if 0.0 < reported <= total else total

    @api.depends("amount", "move_ids")
    def _compute_amount_left(self):
        for wizard in self:
            total = sum(wizard.move_ids.mapped("amount_total"))
            wizard.amount_left = max(total - wizard.amount, 0.0)

    def action_confirm(self):
        """Post the fee notices as invoices, register the payment on them, and send them.

        :return: an action that shows the invoices
        :raises UserError: when one is not open, or is being paid online right now
        """
        self.ensure_one()
        for move in self.move_ids:
            if reason := move._membri_get_cannot_register_payment_reason():
                raise UserError(reason)
        if self.is_single and self.currency_id.compare_amounts(self.amount, 0.0) <= 0:
            raise UserError(self.env._("Enter the amount paid. It must be more than zero."))
        self.move_ids.action_post()
        self._register_payment()
        # what is paid in part goes out too: the invoice says what is left
        self.move_ids.sudo().membri_cotisation_ids._queue_invoices_of_fee_notices()
        return self.move_ids._get_records_action(name=self.env._("Invoices"))

    def _register_payment(self):
        vals = {"payment_date": self.payment_date, "journal_id": self.journal_id.id}
        if self.is_single:
            vals |= {
                # a bank account may be in another currency than the fee notice
                "currency_id": self.currency_id.id,
                "amount": self.amount,
                "communication": " ".join(
                    filter(
                        None,
                        [
                            self.move_ids.payment_reference or self.move_ids.name,
                            self.move_ids.membri_reported_reference,
                        ],
                    )
                ),
                "payment_difference_handling": "open",
            }
        else:
            vals["installments_mode"] = "full"  # each is paid as a whole
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.move_ids.ids
        ).create(vals)._create_payments()


class AccountMove(models.Model):
    _inherit = "account.move"

    def action_membri_register_fee_notice_payment(self):
        """Open the wizard on the fee notices among ``self``."""
        self.check_access("write")
        for move in self:
            if reason := move._membri_get_cannot_register_payment_reason():
                raise UserError(reason)
        if len(self.currency_id) > 1 or len(self.company_id) > 1:
            raise UserError(
                self.env._("Select fee notices in one currency and from one company at a time.")
            )
        wizard = (
            self.env["membri.fee.notice.payment"]
            .with_company(self.company_id)
            .create({"company_id": self.company_id.id, "move_ids": [Command.set(self.ids)]})
        )
        return {**wizard._get_records_action(name=self.env._("Register Payment")), "target": "new"}

    def action_force_register_payment(self):
        # EXTENDS account: *Pay*, on the list and on the form
        notices = self.filtered(lambda move: move.membri_fee_notice_state == "open")
        if notices and notices == self:
            return self.action_membri_register_fee_notice_payment()
        self._membri_check_can_register_payment()
        return super().action_force_register_payment()

    def action_register_payment(self):
        # EXTENDS account
        if any(move.membri_fee_notice_state == "open" for move in self):
            return self.action_force_register_payment()
        return super().action_register_payment()

    def _membri_check_can_register_payment(self):
        """Raise a ``UserError`` when one is a fee notice: Odoo's own payment would take the money,
        and neither make the invoice nor activate anybody."""
        for move in self:
            if move.membri_fee_notice_state == "open":
                raise UserError(
                    self.env._(
                        "%(notice)s is a fee notice: its payment creates the invoice. "
                        "Select only fee notices, then use “Register Payment”.",
                        notice=move._membri_get_document_label(),
                    )
                )

    def _membri_get_cannot_register_payment_reason(self):
        """:return: why no payment can be registered on this fee notice, or ``False``"""
        self.ensure_one()
        if self.membri_fee_notice_state != "open":
            return self.env._(
                "%(document)s is not a fee notice awaiting payment.",
                document=self.display_name,
            )
        if not self._membri_is_awaited():
            return self.env._(
                "No membership term is awaiting the payment of %(notice)s: it was "
                "cancelled. Nothing was changed.",
                notice=self._membri_get_document_label(),
            )
        # a transfer that the payer reported on the portal is what is registered here
        if (
            self.sudo()
            ._membri_get_unbooked_transactions()
            .filtered(lambda tx: tx.state == "done" or tx.provider_code not in ("none", "custom"))
        ):
            return self.env._(
                "%(notice)s is being paid online right now. Wait for the result so that "
                "it is not paid twice.",
                notice=self._membri_get_document_label(),
            )
        return False


class ValidateAccountMove(models.TransientModel):
    _inherit = "validate.account.move"

    @api.model
    def default_get(self, fields):
        # EXTENDS account: posting all drafts of a journal leaves the fee notices alone
        result = super().default_get(fields)
        if "move_ids" in fields and result.get("move_ids"):
            moves = self.env["account.move"].browse(result["move_ids"][0][2])
            others = moves.filtered(lambda m: m.membri_fee_notice_state != "open")
            if not others:
                raise UserError(moves._membri_get_fee_notice_hint())
            result["move_ids"] = [Command.set(others.ids)]
        return result
