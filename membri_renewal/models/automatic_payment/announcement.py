from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_list

from ..renewal.renewal import STAFF, UNDECIDED_STATES

CHARGE_STATES = [
    ("announced", "Announced"),
    ("pending", "In Progress"),
    ("done", "Charged"),
    ("failed", "Failed"),
    ("stopped", "Stopped"),
]
# nothing of it is left to be charged, or it is being charged
SETTLED_STATES = ("pending", "done")
ANNOUNCE_BATCH = 20
ENDED_STATES = ("refused", "cancelled")


class MembriRenewal(models.Model):
    """What will be charged, to which card and when: fixed when the payer is told. A higher price,
    another card or a missed day is told anew, and moves the day."""

    _inherit = "membri.renewal"

    date_charge = fields.Date(
        string="Charged On",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups=STAFF,
        help="Day of the automatic payment, as announced to the payer.",
    )
    amount_charge = fields.Monetary(
        string="Amount to Charge",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="Amount of the automatic payment, as announced to the payer. No more than this is "
        "charged.",
    )
    charge_state = fields.Selection(
        CHARGE_STATES,
        string="Automatic Payment",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups=STAFF,
    )
    charge_token_id = fields.Many2one(
        "payment.token",
        string="Announced Card",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        groups=STAFF,
    )
    charge_card = fields.Char(
        string="Card to Charge",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="Card to be charged, as announced to the payer.",
    )
    date_charge_announced = fields.Datetime(
        string="Payment Announced On",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="When the email or letter announcing the payment was sent. Empty until then.",
    )
    date_charge_retry = fields.Date(
        string="Next Attempt On", readonly=True, copy=False, groups=STAFF
    )
    charge_attempts = fields.Integer(
        string="Payment Attempts", readonly=True, copy=False, groups=STAFF
    )
    charge_note = fields.Char(
        string="Automatic Payment Note",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="Why nothing is, or was, charged automatically.",
    )
    charge_plan = fields.Json(
        string="Later Payments",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="Days and amounts of the later installments, as announced to the payer.",
    )
    # the queue of failed charges: few beside all renewals
    _charge_failed = models.Index(
        "(company_id) WHERE charge_note IS NOT NULL OR charge_state = 'failed'"
    )
    can_stop_charge = fields.Boolean(
        string="Charge Can Be Stopped", compute="_compute_can_stop_charge", groups=STAFF
    )

    @api.depends("charge_state")
    def _compute_can_stop_charge(self):
        for renewal in self:
            renewal.can_stop_charge = not renewal._get_cannot_stop_charge_reason()

    # ------------------------------------------------------------------
    # To which card, how much, and when
    # ------------------------------------------------------------------

    def _get_charge_payer(self):
        """:return: who pays this renewal, in sudo, in its company: the payer of its document"""
        self.ensure_one()
        invoice_sudo = self._get_document_sudo()
        payer = invoice_sudo.partner_id or self._get_payer()
        # sudo: payers may be beyond the rules of who works here
        return payer.sudo().with_company(self.company_id)

    def _offers_charge(self):
        """:return: whether its plan offers automatic payment"""
        self.ensure_one()
        return self.option_set_id.sudo().automatic_payment != "none"  # sudo: members read no plans

    def _is_charge_coming(self):
        """Return whether what was announced is still to be charged, as far as status, plan and
        card tell: nobody is told of a charge that will not come."""
        self.ensure_one()
        if self.state in ENDED_STATES:
            return False
        card_sudo, reason = self._get_charge_card()
        return bool(card_sudo) and not reason and card_sudo == self._get_announced_card()

    def _get_charge_card(self):
        """Return ``(token in sudo, reason)``: the saved card of the payer, where the plan
        charges cards, and why it cannot be charged (a sentence), or ``False``."""
        self.ensure_one()
        # sudo: cards are their owners'; what is told of them is in words
        token_sudo = self.env["payment.token"].sudo()
        if not self._offers_charge():
            return token_sudo, False
        payer_sudo = self._get_charge_payer()
        token_sudo = payer_sudo._membri_get_saved_card()
        if token_sudo:
            reason = token_sudo._membri_get_unusable_reason(payer_sudo, self.company_id)
            return token_sudo, reason or self._get_currency_reason(token_sudo)
        if self.option_set_id.sudo().automatic_payment == "required":
            return token_sudo, self.env._(
                "The plan %(plan)s requires automatic payment, and %(payer)s has not saved a way "
                "to pay.",
                plan=self.option_set_id.name,
                payer=payer_sudo._membri_get_names(),
            )
        return token_sudo, False

    def _get_currency_reason(self, token_sudo):
        """:return: why this card cannot be charged in the currency of the document, or ``False``"""
        currency = self._get_document_sudo().currency_id or self.currency_id
        if currency != self.currency_id:
            return self.env._(
                "%(document)s is in %(currency)s, and the renewal in %(proposed)s. Only what was "
                "announced is charged.",
                document=self._get_document_sudo()._membri_get_document_label(),
                currency=currency.name,
                proposed=self.currency_id.name,
            )
        return token_sudo._membri_get_currency_reason(currency)

    def _get_announced_card(self):
        """Return what the payer was told to be charged, in sudo, as long as it is the same; see
        ``_membri_get_own_card`` of the contact."""
        self.ensure_one()
        return self.sudo().charge_token_id  # sudo: members read no facts of the charge

    def _prepare_announced_card_vals(self, card_sudo):
        """:return: the values that keep which card is announced"""
        self.ensure_one()
        return {
            "charge_token_id": card_sudo.id if card_sudo._name == "payment.token" else False,
            "charge_card": card_sudo._membri_get_label(),
        }

    def _get_charge_label(self):
        """:return: the announced card as its payer knows it"""
        self.ensure_one()
        return self.sudo().charge_card or ""  # sudo: members read no facts of the charge

    def _get_charge_parts(self):
        """Return a list of ``(day, amount)`` of what is left to pay for this renewal, one for each
        part of the payment terms; of an invoice for several, its share. As long as there is
        none: what accepting today would ask for, from the first day of the next term on."""
        self.ensure_one()
        invoice_sudo = self._get_document_sudo()
        if not invoice_sudo:
            proposal = self._get_proposal()
            plan = self._get_payment_plan() or [(proposal.date_start, proposal.amount_total)]
            return [
                (max(day, proposal.date_start), amount)
                for day, amount in plan
                if self.currency_id.compare_amounts(amount, 0) > 0
            ]
        left = invoice_sudo._membri_get_amount_to_pay()
        parts = []
        for day, _amount, part in invoice_sudo._membri_get_plan():
            part = min(part, left)
            left -= part
            parts.append((day, part))
        today = self.company_id._membri_today()
        parts.append((parts[-1][0] if parts else today, left))  # what no part says
        shares = [(day or today, self._get_charge_share(invoice_sudo, part)) for day, part in parts]
        return [
            (day, part) for day, part in shares if self.currency_id.compare_amounts(part, 0) > 0
        ]

    def _get_charge_share(self, invoice_sudo, amount):
        """Return what of ``amount`` is due on this invoice for ``self``: the first of its
        renewals takes what is left of the cents."""
        renewals_sudo = invoice_sudo._membri_get_renewals().sorted("id")
        if len(renewals_sudo) < 2 or not invoice_sudo.amount_total:
            return self.currency_id.round(amount)
        shares = {
            renewal_sudo.id: self.currency_id.round(
                amount * renewal_sudo.new_cotisation_id.amount_total / invoice_sudo.amount_total
            )
            for renewal_sudo in renewals_sudo[1:]
        }
        return self.currency_id.round(shares.get(self.id, amount - sum(shares.values())))

    def _is_charge_told(self, token_sudo, amount, is_new_document):
        """:return: whether the payer was told that ``amount`` is charged to this card, and when"""
        if (
            self.charge_state not in ("announced", "failed")
            or self._get_announced_card() != token_sudo
            or self.currency_id.compare_amounts(amount, self.amount_charge) > 0
            or self._is_announcement_lost()
        ):
            return False
        if self.charge_state == "failed" and is_new_document:
            return False
        if self.charge_state == "failed" and not self._is_retry_planned():
            return True  # the member pays another way
        if not is_new_document and (self._is_announcement_untold() or self._is_retry_untold()):
            return True  # it waits, and tells a later day as it leaves
        # a night or two may have been missed
        today = self.company_id._membri_today()
        patience = (
            0 if is_new_document else self.company_id._membri_get_charge_lead_days(token_sudo)
        )
        return self._get_charge_day() + timedelta(days=patience) >= today

    def _prepare_charge_vals(self, is_new_document=False):
        """:param is_new_document: the notice or the invoice is about to go out, and tells it
        :return: the values that follow from card, price and day; with
            ``date_charge_announced`` when the payer is to be told, who counts as told once that
            has left"""
        self.ensure_one()
        if self.charge_state in SETTLED_STATES:
            return {}
        token_sudo, reason = self._get_charge_card()
        parts = self._get_charge_parts() if token_sudo and not reason else []
        if not parts:
            return self._prepare_no_charge_vals(reason)
        if self.charge_state == "stopped" and self._get_announced_card() == token_sudo:
            return {}
        amount = parts[0][1]
        if self._is_charge_told(token_sudo, amount, is_new_document):
            vals = {}
            plan = self._plan_later_parts([(self.date_charge, amount), *parts[1:]])
            if is_new_document and plan != self.charge_plan:
                vals["charge_plan"] = plan
            if self.currency_id.compare_amounts(amount, self.amount_charge) < 0:
                vals["amount_charge"] = amount
            return vals
        today = self.company_id._membri_today()
        lead = self.company_id._membri_get_charge_lead_days(token_sudo)
        days = [today + timedelta(days=lead), parts[0][0]]
        if self.charge_state == "announced":
            days.append(self.date_charge)
        parts[0] = (max(days), amount)
        return {
            "charge_state": "announced",
            "date_charge": parts[0][0],
            "amount_charge": amount,
            "charge_plan": self._plan_later_parts(parts),
            **self._prepare_announced_card_vals(token_sudo),
            "date_charge_announced": self._get_told_at_once(),
            "date_charge_retry": False,
            "charge_attempts": 0,
            # why the last one did not arrive, until this one has
            "charge_note": self.charge_note if self._is_announcement_lost() else False,
        }

    def _plan_later_parts(self, parts):
        """:param parts: as of :meth:`_get_charge_parts`, the first one on the day of its charge
        :return: list of ``[day, amount]`` of the others, each on a day of its own, or ``False``"""
        day, plan = parts[0][0], []
        for due, amount in parts[1:]:
            day = max(due, day + timedelta(days=1))
            plan.append([fields.Date.to_string(day), amount])
        return plan or False

    def _prepare_next_part_vals(self):
        """Return the values once a part was charged: the next part of the plan that was
        announced, or the end."""
        self.ensure_one()
        # what is left of an invoice for several, without a later part, is the others'
        is_others = not self.charge_plan and len(self.invoice_id._membri_get_renewals()) > 1
        parts = [] if self.is_paid or is_others else self._get_charge_parts()
        vals = {
            "charge_state": "done",
            "date_charge_retry": False,
            "charge_note": False,
            "charge_plan": False,
        }
        if not parts:
            return vals
        plan = self.charge_plan or [[False, 0.0]]
        day, planned = plan[0]
        if self.currency_id.compare_amounts(parts[0][1], planned) > 0:
            return {**vals, "charge_state": False}  # the night announces it
        return {
            **vals,
            "charge_state": "announced",
            "date_charge": day,
            "amount_charge": parts[0][1],
            "charge_plan": plan[1:] or False,
            "charge_attempts": 0,
        }

    def _prepare_no_charge_vals(self, reason):
        """:param reason: why a card that is there is not charged, or ``False``"""
        if not (self.charge_state or self.charge_note or reason):
            return {}
        vals = {"charge_note": reason}
        if self.charge_state in ("announced", "failed"):
            # what was announced is not charged: it waits with its reason, or has none any more
            vals |= {
                "charge_state": "failed" if reason else False,
                "date_charge_retry": False,
            }
        return vals

    # ------------------------------------------------------------------
    # Told with the notice or the invoice, or by an email or letter of its own (see ``told.py``)
    # ------------------------------------------------------------------

    def _before_document(self):
        # EXTENDS term_mixin
        result = super()._before_document()
        concerned = self.filtered(lambda r: r.charge_state or r.charge_note or r._offers_charge())
        for renewals in concerned._split_by_staff_lang():  # reasons are kept
            for renewal in renewals:
                if vals := renewal._prepare_charge_vals(is_new_document=True):
                    renewal._internal_write(vals)
        return result

    # ------------------------------------------------------------------
    # What the member reads
    # ------------------------------------------------------------------

    def _get_charge_day(self):
        # EXTENDS term_mixin
        self.ensure_one()
        if self.charge_state == "announced":
            return self.date_charge
        return self.date_charge_retry or super()._get_charge_day()

    def _get_other_card_owner(self):
        """Return whose card pays, in sudo, where that is neither the member's nor, as long as
        there is a notice, the recipient's; else nothing."""
        self.ensure_one()
        if not self._get_document_sudo():
            return self._get_other_payer()
        payer_sudo = self._get_charge_payer()
        own = payer_sudo._membri_get_card_holders() & self.partner_id._membri_get_card_holders()
        return payer_sudo.browse() if own else payer_sudo

    def _get_charge_sentence(self, to_payer=False):
        # EXTENDS term_mixin
        self.ensure_one()
        renewal_sudo = self.sudo()  # facts of the charge are the staff's, the sentence is not
        if (
            renewal_sudo.is_paid
            or renewal_sudo.charge_state not in ("announced", "failed")
            or not self._is_charge_coming()
        ):
            return super()._get_charge_sentence(to_payer)
        names = {
            "amount": self._format_amount(renewal_sudo._get_amount_told()),
            "card": self._get_charge_label(),
            "date": self._format_day(renewal_sudo.date_charge_retry or renewal_sudo.date_charge),
        }
        other_sudo = not to_payer and self._get_other_card_owner()
        if renewal_sudo.charge_state == "failed":
            if not renewal_sudo.date_charge_retry or other_sudo:
                return super()._get_charge_sentence(to_payer)
            return self.env._(
                "Your payment of %(amount)s did not go through. We will try your %(card)s again "
                "on %(date)s. You can also pay another way before then.",
                **names,
            )
        if other_sudo:
            return self.env._(
                "We will charge %(amount)s to the saved card of %(payer)s on %(date)s.",
                payer=other_sudo._membri_get_names(),
                **names,
            )
        if later := renewal_sudo.charge_plan:
            return self._get_charge_plan_sentence(later, names)
        if self.state in UNDECIDED_STATES and self.mode == "invoice":  # it follows by itself
            return self.env._(
                "We will charge %(amount)s to your %(card)s on %(date)s. You can pay another way "
                "or stop this online.",
                **names,
            )
        if self.state in UNDECIDED_STATES:
            return self.env._(
                "We will charge %(amount)s to your %(card)s on %(date)s if you accept. You can "
                "pay another way or stop this online.",
                **names,
            )
        return self.env._(
            "We will charge %(amount)s to your %(card)s on %(date)s. You don't need to do "
            "anything. You can pay another way or stop this online.",
            **names,
        )

    def _get_charge_failed_sentence(self):
        """:return: that the card was not charged, and what happens or is to be done now"""
        self.ensure_one()
        renewal_sudo = self.sudo()  # facts of the charge are the staff's, the sentence is not
        failed_sudo = self._get_failed_together()
        names = {
            "amount": self._format_amount(sum(failed_sudo.mapped("amount_charge"))),
            "card": self._get_charge_label(),
        }
        if not self._offers_charge():
            return self.env._(
                "We will not charge %(amount)s to your %(card)s as announced. Please pay online.",
                **names,
            )
        if renewal_sudo.date_charge_retry:
            return self.env._(
                "Your payment of %(amount)s with your %(card)s did not go through. We will try "
                "again on %(date)s. You can also pay online now, or use another card.",
                date=self._format_day(renewal_sudo.date_charge_retry),
                **names,
            )
        return self.env._(
            "Your payment of %(amount)s with your %(card)s did not go through, and we will not try "
            "again. Please pay online, or use another card.",
            **names,
        )

    def _get_failed_together(self):
        """Renewals of one invoice are one charge, and told by one email.

        :return: in sudo, those whose payment failed with that of ``self``"""
        self.ensure_one()
        # sudo: facts of the charge are the staff's
        charged_sudo = self._get_invoice_sudo()._membri_get_charged_renewals() | self.sudo()
        return charged_sudo.filtered(
            lambda renewal: (
                renewal.charge_state == self.sudo().charge_state
                and renewal.date_charge_retry == self.sudo().date_charge_retry
                and renewal._offers_charge() == self._offers_charge()
            )
        )

    def _get_charge_planned_reason(self):
        # EXTENDS term_mixin: reminders never ask for what is taken by itself
        self.ensure_one()
        renewal_sudo = self.sudo()  # sudo: members read no facts of the charge
        if self.state == "approved" and renewal_sudo.filtered_domain(
            self._get_charge_planned_domain()
        ):
            return self.env._(
                "%(renewal)s is paid automatically (%(card)s, %(date)s). No reminder is needed.",
                renewal=self.display_name,
                card=self._get_charge_label(),
                date=self._format_day(renewal_sudo.date_charge_retry or renewal_sudo.date_charge),
            )
        return super()._get_charge_planned_reason()

    def _get_amount_told(self):
        """Return what is charged, or was: as was announced, less what was paid otherwise since."""
        self.ensure_one()
        if self.charge_state != "announced" or not self.invoice_id:
            return self.amount_charge
        return min(self.amount_charge, self._get_amount_due() or self.amount_charge)

    def _get_charge_plan_sentence(self, plan, names):
        """:param plan: days and amounts of the parts after the first one
        :param names: of the first one
        :return: what is charged, part by part"""
        later = [
            self.env._(
                "%(amount)s on %(date)s",
                amount=self._format_amount(amount),
                date=self._format_day(fields.Date.to_date(day)),
            )
            for day, amount in plan
        ]
        names = {**names, "later": format_list(self.env, later)}
        if self.state in UNDECIDED_STATES and self.mode != "invoice":
            return self.env._(
                "We will charge %(amount)s to your %(card)s on %(date)s, then %(later)s, if you "
                "accept. You can pay another way or stop this online.",
                **names,
            )
        return self.env._(
            "We will charge %(amount)s to your %(card)s on %(date)s, then %(later)s. You don't "
            "need to do anything. You can pay another way or stop this online.",
            **names,
        )

    def _get_charge_mail_obstacle(self):
        # EXTENDS term_mixin
        self.ensure_one()
        if self.is_paid:
            return self.env._(
                "%(renewal)s is paid. No reminder is needed.", renewal=self.display_name
            )
        state = self.sudo().charge_state  # sudo: members read no facts of the charge
        if state not in ("announced", "failed") or (
            state == "announced" and not self._is_charge_coming()
        ):
            return self._get_charge_card()[1] or self.env._(
                "The automatic payment of %(renewal)s was stopped.", renewal=self.display_name
            )
        return super()._get_charge_mail_obstacle()

    @api.model
    def _get_charge_planned_domain(self):
        # EXTENDS term_mixin
        return (
            super()._get_charge_planned_domain()
            | Domain("charge_state", "in", ("announced", "pending"))
            | (Domain("charge_state", "=", "failed") & Domain("date_charge_retry", "!=", False))
        )

    # ------------------------------------------------------------------
    # Stop
    # ------------------------------------------------------------------

    def action_stop_charge(self):
        """Nothing is charged automatically for these renewals; their members pay another way.

        :raises UserError: when nothing was announced, or it is being or was charged"""
        self._check_can("stop_charge")
        self._do_stop_charge()
        return True

    def _get_cannot_stop_charge_reason(self):
        """:return: why there is nothing to stop (a sentence), or ``False``"""
        self.ensure_one()
        state = self.sudo().charge_state  # sudo: members read no facts of the charge
        if state == "pending" and not self._get_unanswered_charge():
            return self.env._(
                "%(renewal)s is being charged right now. Wait for the result: a payment can be "
                "refunded.",
                renewal=self.display_name,
            )
        if state == "done":
            return self.env._(
                "%(renewal)s was charged already. Refund the payment in Invoicing, if necessary.",
                renewal=self.display_name,
            )
        if state not in ("announced", "failed", "pending"):
            return self.env._(
                "No automatic payment is planned for %(renewal)s, so there is nothing to stop.",
                renewal=self.display_name,
            )
        return False

    def _do_stop_charge(self):
        stopped = self.filtered(lambda renewal: not renewal._get_cannot_stop_charge_reason())
        for renewal in stopped:
            renewal._withdraw_charge()
        stopped._internal_write(
            {"charge_state": "stopped", "date_charge_retry": False, "charge_note": False}
        )
        stopped._update_next_reminder()
        for renewal in stopped:
            note = self.env._(
                "The automatic payment of %(renewal)s was stopped. Nothing is charged.",
                renewal=renewal.name,
            )
            renewal._message_log(body=note)
            renewal.partner_id._membri_noted_for(renewal.company_id)._message_log(body=note)

    def _withdraw_charge(self):
        """What was begun for this renewal, and nobody was asked for yet, is not asked for."""
        # sudo: transactions are the administrators'
        self._get_unanswered_charge()._set_canceled(
            state_message=self.env._("The automatic payment was stopped.")
        )
