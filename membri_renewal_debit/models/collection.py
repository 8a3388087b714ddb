import re
from datetime import timedelta

from odoo import fields, models

from .renewal import MANDATE

# Reasons of a bank after which the same account may pay some days later: no money there (SEPA
# AM04, MS03 where the bank may not say it, ACH R01 and R09, PAD 901 and 908), a bank that failed.
PASSING_RETURN = re.compile(
    r"\b(?:AM04|MS03|ED05|TM01|R01|R09|NSF)\b|\[90[18]\]"
    r"|(?:insufficient|non.?sufficient|not sufficient|uncollected) funds|funds not cleared"
    r"|provision insuffisante|fonds insuffisants|insuffisance de (?:fonds|provision)",
    re.IGNORECASE,
)
# whatever else is said, these do not pass
FINAL_RETURN = re.compile(
    r"\b(?:AC0[1-6]|AC13|AG01|AG02|AM05|BE05|MD0[1267]|MS02|SL01|RC01|R0[2-8]|R10)\b"
    r"|closed|deceased|revoked|no mandate|disputed|refused by",
    re.IGNORECASE,
)


class MembriRenewal(models.Model):
    """The night that collects what was announced: instead of asking a provider, it writes the debit
    into the draft payment order of the day. What becomes of the order is followed at once, and
    looked at again every night."""

    _inherit = "membri.renewal"

    def _get_debits(self):
        """:return: in sudo, what was collected by itself for the invoice of this renewal"""
        self.ensure_one()
        return self._get_invoice_sudo().membri_debit_ids.sorted("id")

    def _get_withdrawable_debits(self):
        """Return in sudo, its debits that no order was confirmed with; none when one is under
        way."""
        living_sudo = self._get_debits()._membri_filter_living()
        is_draft = all(line.state == "draft" for line in living_sudo)
        return living_sudo if is_draft else living_sudo.browse()

    # ------------------------------------------------------------------
    # Collect
    # ------------------------------------------------------------------

    def _start_charge(self, amount):
        # EXTENDS membri_renewal
        mandate_sudo = self._get_announced_card()
        if mandate_sudo._name != MANDATE:
            return super()._start_charge(amount)
        day = self.company_id._membri_today()
        # sudo: payment orders are the accountants'; the guard was asked
        order_sudo = (
            self.env["account.payment.order"]
            .sudo()
            ._membri_get_order_of(mandate_sudo._membri_get_debit_mode(), day)
        )
        lines_sudo = self.env["account.payment.line"].sudo()
        return lines_sudo.create(self._prepare_debit_vals_list(mandate_sudo, order_sudo, amount))

    def _prepare_debit_vals_list(self, mandate_sudo, order_sudo, amount):
        """Return the values of the payment lines that collect ``amount``: one for each receivable
        line of the invoice that it settles; of a fee notice, which has none yet, one."""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        parts, left = [], amount
        posted_sudo = invoice_sudo.filtered(lambda move: move.state == "posted")
        for line_sudo in posted_sudo and posted_sudo._membri_get_open_parts():
            part = min(line_sudo.amount_residual_currency, left)
            if self.currency_id.compare_amounts(part, 0) > 0:
                parts.append((line_sudo._prepare_payment_line_vals(order_sudo), part))
                left -= part
        own = {
            "order_id": order_sudo.id,
            "partner_id": invoice_sudo.commercial_partner_id.id,
            "communication": invoice_sudo._membri_get_document_label(),
        }
        common = {
            "mandate_id": mandate_sudo.id,
            "partner_bank_id": mandate_sudo.partner_bank_id.id,
            "currency_id": invoice_sudo.currency_id.id,
            "membri_charge_invoice_id": invoice_sudo.id,
            "membri_charge_day": self.date_charge,
        }
        return [
            {
                **vals,
                **common,
                "amount_currency": part,
                "membri_charge_amount": part,
                "membri_charge_rank": rank,
            }
            for rank, (vals, part) in enumerate(parts or [(own, amount)])
        ]

    # ------------------------------------------------------------------
    # Follow
    # ------------------------------------------------------------------

    def _begin_charge(self):
        # EXTENDS membri_renewal
        self.ensure_one()
        # sudo: facts of the charge
        if self.charge_state != "pending" or not self.sudo().charge_account:
            return super()._begin_charge()
        return (self.invoice_id._membri_get_charged_renewals() or self)._follow_debits()

    def _follow_debits(self):
        """Record on ``self``, renewals of one invoice, in sudo, what became of what was collected
        for it."""
        pending = self.filtered(lambda r: r.charge_state == "pending" and r.charge_account)
        if not pending:
            return
        first = pending[0]
        debits = first._get_debits()
        if debits._membri_filter_living():
            pending._follow_living_debits()
            return
        last = debits[-1:]
        if last.state == "uploaded" and last.membri_charge_day == first.date_charge:
            debits = debits.filtered(lambda line: line.order_id == last.order_id)
            pending._finish_debits(debits)
            return
        if first._is_charge_over():
            pending._end_charge()  # paid otherwise: nobody is asked for it
            return
        names = {"account": first._get_charge_label(), "order": last.order_id.name or ""}
        if last.state == "cancel":
            reason = self.env._(
                "The payment order %(order)s was cancelled, so %(account)s was not debited.",
                **names,
            )
        else:
            reason = self.env._(
                "The debit of %(account)s was taken off its payment order, so nothing was debited.",
                **names,
            )
        pending._fail_charge(reason)

    def _follow_living_debits(self):
        """As long as the order is a draft, what was paid otherwise is taken off it, and what an
        archived payer was told waits outside of it; what waited there for longer than an
        announcement takes is announced anew."""
        first = self[0]
        if not first._get_withdrawable_debits():
            return
        lead = first.company_id._membri_get_charge_lead_days(first._get_announced_card())
        if first._is_charge_over():
            first._withdraw_charge()
            self._end_charge()
        elif not any(renewal._offers_charge() for renewal in self):
            first._withdraw_charge()
            self._fail_charge(self.env._("The plan no longer offers automatic payment."))
        elif reason := first._get_lost_mandate_reason():
            first._withdraw_charge()
            self._fail_charge(reason)
        elif reason := first._get_archived_payer_reason():
            first._withdraw_charge()
            self._internal_write({"charge_state": "announced"})
            self._hold_charge(reason)
        elif first.date_charge + timedelta(days=lead) < first.company_id._membri_today():
            first._withdraw_charge()
            self._internal_write({"charge_state": "announced", "charge_attempts": 0})

    def _get_lost_mandate_reason(self):
        """Return why a mandate of what is collected can be used no more (a sentence), or
        ``False``."""
        debits = self._get_withdrawable_debits()
        return next(filter(None, (line._membri_get_mandate_reason() for line in debits)), False)

    def _finish_debits(self, debits):
        """Record on ``self`` that these payment lines went to the bank. Where the accountant had
        lowered or deleted a part of an invoice for several, nobody's share is announced anew: the
        payer is told what is left, and the queue says it."""
        amount = sum(debits.mapped("amount_currency"))
        announced = sum(self.mapped("amount_charge"))
        for renewal in self:
            account = renewal._get_charge_label()
            renewal._internal_write(renewal._prepare_next_part_vals())
            renewal._message_log(
                body=self.env._(
                    "%(amount)s was sent to the bank to be debited from %(account)s (payment order "
                    "%(order)s).",
                    amount=debits.currency_id.format(amount),
                    account=account,
                    order=debits.order_id.name,
                )
            )
        ended = self.filtered(lambda renewal: renewal.charge_state == "done")
        is_less = debits.currency_id.compare_amounts(amount, announced) < 0
        if is_less and ended and not ended[0]._is_charge_over():
            ended._lower_charge_to_rest(announced - amount, announced)
            ended._fail_charge(
                self.env._(
                    "Only %(amount)s of %(announced)s was sent to the bank (payment order "
                    "%(order)s). The rest has to be paid another way.",
                    amount=debits.currency_id.format(amount),
                    announced=debits.currency_id.format(announced),
                    order=debits.order_id.name,
                )
            )

    def _lower_charge_to_rest(self, rest, announced):
        """What did not go through is what was not sent to the bank: each one's share of it.

        :param rest: of all that was announced for the invoice
        :param announced: all of it"""
        for renewal in self:
            told = renewal.amount_charge
            share = renewal.currency_id.round(rest * told / announced)
            renewal._internal_write({"amount_charge": share})
            rest, announced = rest - share, announced - told

    def _lose_debits(self, debits, said):
        """Money that was collected for the invoice of ``self`` has come back: the queue says why,
        and the payer is told.

        :param debits: the payment lines
        :param said: the reason of the bank, if any"""
        renewals = self.filtered("charge_account")
        reason = self.env._(
            "The debit of %(amount)s from %(account)s was rejected (order %(order)s). %(said)s",
            amount=debits.currency_id.format(sum(debits.mapped("amount_currency"))),
            account=debits.mandate_id[:1]._membri_get_label(),
            order=debits.order_id[:1].name,
            said=said,
        ).strip()
        collected = renewals.filtered(lambda r: r.charge_state in ("done", "announced", False))
        day = collected and collected._get_presented_again_day(debits, said)
        if day:
            collected._plan_again(debits, day)
        else:
            collected._name_lost(debits)
        collected._fail_charge(reason, day)
        (renewals - collected)._hold_charge(reason)

    def _name_lost(self, debits):
        """What did not go through is what came back, not the part that was to follow it."""
        amount = sum(debits.mapped("amount_currency"))
        for renewal in self:
            share = renewal._get_charge_share(debits.membri_charge_invoice_id, amount)
            renewal._internal_write({"amount_charge": share})

    def _get_presented_again_day(self, debits, said):
        """:param debits: the payment lines that came back
        :param said: the reason of the bank
        :return: the day on which they are presented again, by the schedule of declined cards, or
            ``False``: only for a reason that may pass, and from the account that was debited"""
        is_passing = bool(PASSING_RETURN.search(said)) and not FINAL_RETURN.search(said)
        if not is_passing or not all(renewal._is_debited_by(debits) for renewal in self):
            return False
        first = self[0]
        presented = first._get_debits().filtered(
            lambda line: line.state == "uploaded" and line.move_line_id in debits.move_line_id
        )
        return first._get_next_attempt_day(len(presented.order_id))

    def _is_debited_by(self, debits):
        """:return: whether the account of these payment lines is still that of its payer"""
        self.ensure_one()
        return (
            self._is_charge_coming()
            and debits.mandate_id == self._get_announced_card()
            and set(debits.partner_bank_id.mapped("sanitized_acc_number")) == {self.charge_account}
        )

    def _plan_again(self, debits, day):
        """What came back is debited again on ``day``; what was announced to follow it, after it."""
        amount = sum(debits.mapped("amount_currency"))
        invoice = debits.membri_charge_invoice_id
        for renewal in self:
            share = renewal._get_charge_share(invoice, amount)
            later = []
            if renewal.charge_state == "announced":
                later = [
                    (renewal.date_charge, renewal.amount_charge),
                    *((fields.Date.to_date(due), part) for due, part in renewal.charge_plan or []),
                ]
            renewal._internal_write(
                {
                    "date_charge": day,
                    "amount_charge": share,
                    "charge_plan": renewal._plan_later_parts([(day, share), *later]),
                }
            )
