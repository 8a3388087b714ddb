from odoo import fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

# of providers whose payments are promises: a transfer that somebody may make
PROMISED = ("none", "custom")
MAX_AMOUNT = 1e12  # beyond any invoice; rounding fails on the largest numbers there are
PAYING_MINUTES = 15  # that who is signed in may take, while others hold the link


class AccountMove(models.Model):
    """Online payments of membership documents: one at a time, and never more than is due."""

    _inherit = "account.move"

    def _membri_get_binding_transactions(self):
        """The online payments that are under way: all but promised transfers, which do
        not keep the payer from paying by card"""
        return self._membri_get_unbooked_transactions().filtered(
            lambda tx: tx.state == "done" or tx.provider_code not in PROMISED
        )

    def _membri_get_amount_to_pay(self):
        """What is left to pay online: not what is under way already"""
        self.ensure_one()
        move_sudo = self.sudo()  # payers see neither transactions nor payments
        transactions_sudo = move_sudo._membri_get_binding_transactions()
        # such payments leave the residual as it is
        payments_sudo = move_sudo.matched_payment_ids.filtered(
            lambda payment: payment.state == "in_process" and not payment.move_id
        )
        day = move_sudo.company_id._membri_today()
        under_way = sum(
            money.currency_id._convert(money.amount, self.currency_id, self.company_id, day)
            for money in [*transactions_sudo, *(payments_sudo - transactions_sudo.payment_id)]
        )
        posted = move_sudo.state == "posted"
        due = move_sudo.amount_residual if posted else move_sudo.amount_total
        return self.currency_id.round(max(due - under_way, 0.0))

    def _membri_takes_no_payment(self):
        """:return: whether nothing is to be paid now: a payment is under way, its term is void"""
        self.ensure_one()
        return self._membri_is_orphan() or self.currency_id.is_zero(
            self._membri_get_amount_to_pay()
        )

    def _membri_begin_payment(self, amount, by_link=False):
        """Called before an online payment of ``self`` (in sudo) begins. Of several at the same
        moment, from three tabs or two browsers, the first goes on.

        :param amount: what the payer is about to pay, as the browser says
        :param by_link: whether the visitor comes by a link alone, which may have been forwarded:
            each payment that is begun ends the one before it, and is noted on the invoice
        :raises ValidationError: a sentence for the payer
        """
        memberships = self.filtered("membri_invoice_type")
        if not memberships:
            return
        memberships._membri_take_turns()
        for move in memberships:
            if move._membri_takes_no_payment():
                raise ValidationError(move._membri_get_nothing_to_pay_sentence())
        due = sum(move._membri_get_amount_to_pay() for move in self)
        if self[:1].currency_id.compare_amounts(self._membri_read_paid_amount(amount), due) > 0:
            raise ValidationError(
                self.env._(
                    "The amount due is %(amount)s. Please open the page again and pay this amount.",
                    amount=self[:1].currency_id.format(due),
                )
            )
        if by_link and not all(
            self.env["membri.portal.request"]._admit(move, "payment") for move in memberships
        ):
            raise ValidationError(
                self.env._(
                    "Too many payments were started from this link. Please sign in to pay, or try "
                    "again in an hour."
                )
            )
        # begun in another window and left: nothing more can come of them; of an automatic payment
        # whose answer was lost, it can
        begun = memberships.transaction_ids.filtered(
            lambda tx: tx.state == "draft" and not tx._membri_is_under_way()
        )
        if by_link and memberships._membri_is_payer_paying(begun):
            raise ValidationError(
                self.env._(
                    "A payment was started a few minutes ago. Please sign in to pay, or try again "
                    "in %(minutes)s minutes.",
                    minutes=PAYING_MINUTES,
                )
            )
        begun._set_canceled(state_message=self.env._("Another payment was started instead."))

    def _membri_is_payer_paying(self, begun):
        """:param begun: online payments of ``self`` (in sudo) of which nothing is known yet
        :return: whether somebody whose document it is began one of them just now, signed in"""
        since = fields.Datetime.subtract(fields.Datetime.now(), minutes=PAYING_MINUTES)
        return any(
            self.filtered_domain(
                transaction.create_uid.partner_id._membri_get_whose_invoice_domain()
            )
            for transaction in begun
            if transaction.last_state_change > since
        )

    def _membri_check_offered(self, form):
        """Odoo takes whatever provider and way to pay a browser names: those that are not
        published, of a test, and of other companies. What it takes is what its page offers.

        :param form: what is known of the payment of ``self`` (in sudo) that begins
        :raises ValidationError: for the payer, when the page offers none of that"""
        memberships = self.filtered("membri_invoice_type")
        if not memberships:
            return
        amount = self._membri_read_paid_amount(form.get("amount"))
        currency_id, partner_id = memberships.currency_id[:1].id, form.get("partner_id")
        # sudo: providers are the administrators'
        providers_sudo = (
            self.env["payment.provider"]
            .sudo()
            ._get_compatible_providers(
                memberships.company_id[:1].id, partner_id, amount, currency_id=currency_id
            )
            .filtered(lambda provider: provider.id == form.get("provider_id"))
        )
        if form.get("flow") == "token":
            token_id = form.get("token_id")
            offered_sudo = (
                self.env["payment.token"]
                .sudo()
                .search([("id", "=", token_id), ("provider_id", "in", providers_sudo.ids)])
                if isinstance(token_id, int)
                else False
            )
        else:
            offered_sudo = (
                self.env["payment.method"]
                .sudo()
                ._get_compatible_payment_methods(
                    providers_sudo.ids, partner_id, currency_id=currency_id
                )
                .filtered(lambda method: method.id == form.get("payment_method_id"))
            )
        if not (providers_sudo and offered_sudo):
            raise ValidationError(self.env._("Please open the page again and pay from there."))

    def _membri_take_turns(self):
        """Of requests about these documents at the same moment one goes on: the others wait, fail
        on the new version of the rows, and are run again by Odoo on what it left."""
        if not self:
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL("UPDATE account_move SET id = id WHERE id IN %s", tuple(self.ids)),
            log_exceptions=False,
        )
        self.invalidate_recordset()

    def _membri_read_paid_amount(self, amount):
        """Read what the browser sent. Of less than the smallest coin Odoo would book a payment of
        nothing.

        :raises ValidationError: where it is no amount, or so little"""
        try:
            paid = float(amount)
        except (TypeError, ValueError):
            paid = 0.0
        if not 0.0 < paid < MAX_AMOUNT or self.currency_id[:1].is_zero(paid):
            raise ValidationError(self.env._("Please open the page again and pay from there."))
        return paid

    def _membri_get_nothing_to_pay_sentence(self):
        self.ensure_one()
        if self._membri_get_binding_transactions():
            return self.env._("Your payment is in progress.")
        if self._membri_is_orphan():
            return self._membri_get_orphan_sentences()[-1]
        return self.env._("There is nothing left to pay.")
