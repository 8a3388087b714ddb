from odoo import api, fields, models

UNDONE_STATES = ("draft", "canceled", "rejected")
BY_PROVIDER = ("provider",)  # in the context: a tuple, as no client can send it
# what Odoo's own methods write of what the provider said, whoever calls them
BOOKED = {"is_post_processed", "payment_id", "state"}


class AccountPayment(models.Model):
    _name = "account.payment"
    _inherit = ["account.payment", "membri.fields.mixin"]

    # asked for several times while one payment is followed: found in the cache
    membri_refund_ids = fields.One2many(
        "account.payment",
        "source_payment_id",
        string="Refunds of This Payment",
        readonly=True,
        groups="account.group_account_readonly",
    )

    def write(self, vals):
        # EXTENDS account: payments without journal entry change the payment state of
        # their invoices by their own state alone
        counted = self.browse()
        if "state" in vals:
            counted = self.filtered(lambda p: p.state in ("in_process", "paid"))
        result = super().write(vals)
        if "state" in vals:
            self.invoice_ids._membri_sync()
            self._membri_get_unbooked_came()._membri_settle_reported()
            undone = counted.filtered(lambda p: p.state in UNDONE_STATES)
            self.env["account.move"]._membri_tell_undone(
                [
                    (invoice, payment)
                    for payment in undone.filtered(lambda p: not p.move_id)
                    for invoice in payment.invoice_ids
                ]
            )
            for payment in undone.filtered(lambda p: p.state == "rejected" and p.move_id):
                payment.reconciled_invoice_ids._membri_tell_rejected(payment)
        return result

    def unlink(self):
        # EXTENDS account
        if not self:
            return super().unlink()
        invoices = self.invoice_ids
        # what was counted is cancelled first, and told; an entry tells of itself
        self._membri_get_unbooked_came().action_cancel()
        result = super().unlink()
        invoices._membri_sync()
        return result

    def _filter_about_memberships(self):
        # EXTENDS fields_mixin
        # sudo: which invoices these pay
        return self.filtered(
            lambda payment: (
                payment.sudo().invoice_ids | payment.sudo().reconciled_invoice_ids
            ).filtered("membri_invoice_type")
        )

    def _membri_get_unbooked_came(self):
        """:return: the payments of membership invoices that count without a journal entry"""
        return self.filtered(
            lambda payment: (
                not payment.move_id
                and payment.state in ("in_process", "paid")
                and payment.invoice_ids.filtered("membri_invoice_type")
            )
        )

    def _membri_settle_reported(self):
        """What was announced has come, although no entry says so yet."""
        self.invoice_ids.filtered(
            lambda move: move._membri_has_reported_money()
        )._membri_settle_payment_reports()

    def _membri_get_refunds(self):
        """Return ``{payment: [(refund, amount)]}`` of what was sent back of these payments by
        refunds of their own, beyond what they had brought too much."""
        result = {}
        # sudo: journal items are the accountants'; amounts are told
        for payment_sudo in self.sudo():
            own = payment_sudo.membri_refund_ids.filtered(
                lambda refund: refund.state not in ("draft", "canceled")
            )
            if not own:
                continue
            lines = payment_sudo.move_id.line_ids.filtered(
                lambda line, p=payment_sudo: line.account_id == p.destination_account_id
            )
            used = sum(
                partial.credit_amount_currency
                for partial in lines.matched_debit_ids
                if partial.debit_move_id.move_id.is_invoice(include_receipts=True)
            )
            surplus = max(0.0, payment_sudo.amount - used) if lines else 0.0
            result[payment_sudo] = []
            for refund in own.sorted("date"):
                taken = min(surplus, refund.amount)
                surplus -= taken
                if refund.currency_id.compare_amounts(refund.amount, taken) > 0:
                    result[payment_sudo].append((refund, refund.amount - taken))
        return result


class PaymentTransaction(models.Model):
    _name = "payment.transaction"
    _inherit = ["payment.transaction", "membri.fields.mixin"]
    # what the provider says, of whose money, and for what: Odoo lets whoever works on invoices
    # write it, and books what is done
    _odoo_facts = frozenset(
        {
            "amount",
            "currency_id",
            "invoice_ids",
            "is_post_processed",
            "operation",
            "partner_id",
            "payment_id",
            "provider_id",
            "source_transaction_id",
            "state",
        }
    )

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS payment
        transactions = super().create(vals_list)
        transactions._membri_check_begun_online()
        return transactions

    def write(self, vals):
        # EXTENDS payment
        known = self
        if not vals.keys().isdisjoint(("invoice_ids", "source_transaction_id")):
            known = self._filter_about_memberships()
        result = super().write(vals)
        (self - known)._membri_check_begun_online()
        return result

    def _filter_about_memberships(self):
        # EXTENDS fields_mixin
        def get_invoices(transaction_sudo):  # Odoo books a part of another one on its invoices
            return transaction_sudo.invoice_ids | transaction_sudo.source_transaction_id.invoice_ids

        # sudo: which invoices these pay
        return self.filtered(lambda tx: get_invoices(tx.sudo()).filtered("membri_invoice_type"))

    def _get_odoo_facts(self, vals):
        # EXTENDS fields_mixin
        names = super()._get_odoo_facts(vals)
        by_provider = self.env.context.get("membri_by_provider") == BY_PROVIDER
        return names - BOOKED if by_provider else names

    def _membri_check_begun_online(self):
        """Raise a ``UserError`` when a client says that one of these pays a membership document:
        that begins on the page of the document, or by our own methods."""
        if self.env.su or self._is_internal_write():
            return
        if begun := self._filter_about_memberships():
            raise self._get_refusal(self._fields["invoice_ids"], begun[0])

    def _update_state(self, allowed_states, target_state, state_message):
        # EXTENDS payment: Odoo takes no money for a transaction that was cancelled, here because
        # another one was begun; if the provider did take it, somebody has to give it back
        if target_state in ("authorized", "done") and "cancel" not in allowed_states:
            refused = self.filtered(lambda tx: tx.state == "cancel")
            # providers report several at the same moment, and each is to be told
            refused.invoice_ids.filtered("membri_invoice_type")._membri_take_turns()
            for transaction in refused:
                transaction.invoice_ids._membri_tell_refused_money(transaction)
        source = self.with_context(membri_by_provider=BY_PROVIDER)
        updated = super(PaymentTransaction, source)._update_state(
            allowed_states, target_state, state_message
        )
        return updated.with_env(self.env)

    def _post_process(self):
        # EXTENDS account_payment: money that came in, or went back, beside the documents that
        # the membership follows needs somebody who decides
        booked = self.with_context(membri_by_provider=BY_PROVIDER)
        result = super(PaymentTransaction, booked)._post_process()
        done = self.filtered(lambda tx: tx.state == "done")
        for transaction in done:
            if transaction.operation == "refund":
                transaction.source_transaction_id.invoice_ids._membri_tell_refund(transaction)
            else:
                transaction.invoice_ids._membri_tell_late_money(transaction)
                transaction.invoice_ids._membri_tell_surplus(transaction)
        # a fee notice that is paid in part is an invoice, which says what is left
        # sudo: whoever follows up payments may not see memberships
        done.sudo().invoice_ids.membri_cotisation_ids._queue_invoices_of_fee_notices()
        done._membri_save_cards()
        self._membri_follow_charges()
        return result
