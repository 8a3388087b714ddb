from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Command, Domain

from ..mixins.formats import end_sentence
from .announcement import ANNOUNCE_BATCH, ENDED_STATES
from .transaction import IDEMPOTENT_PROVIDERS

# how long a provider remembers the reference of a request
REFERENCE_HOURS = 20
# how long a payer may take on the provider's page
PAYER_HOURS = 1


class MembriRenewal(models.Model):
    """The night that charges what was announced. Each invoice for itself: a transaction is
    written and committed, the provider is asked, its answer is committed. Whatever happens in
    between, the transaction is found again by its reference, and lives alone."""

    _inherit = "membri.renewal"

    @api.model
    def _cron_charge(self):
        """Tell payers what is to be charged anew, then charge what is due. May be run at any
        time, twice, by two workers, after days of silence."""
        Renewal = self.sudo()  # payments and cards are the administrators'
        cron = self.env["ir.cron"]
        domain = Renewal._get_to_announce_domain()

        def announce(due):
            errors = due._run_isolated_for_staff(type(self)._announce_charges)
            for renewal, error in errors.items():
                renewal._hold_charge(renewal._get_error_sentence(error))

        def charge(due):
            for renewals in due._split_by_staff_lang():
                renewals._charge_isolated()

        def join(batch):  # one charge for the invoice of several
            return batch | Renewal.search(
                Domain("invoice_id", "in", batch.invoice_id.ids) & due_domain
            )

        cron._membri_work_off(
            Renewal,
            domain,
            announce,
            limit=ANNOUNCE_BATCH,
            search=lambda: Renewal._search_to_announce(domain),
        )
        due_domain = Renewal._get_to_charge_domain()
        cron._membri_work_off(
            Renewal, due_domain, charge, order="date_charge, id", limit=1, join=join
        )

    @api.model
    def _get_to_charge_domain(self):
        """Return what is due by today, what waits for its answer, and what was announced and
        needs no charge any more."""
        due = Domain.OR(
            Domain("company_id", "=", company.id)
            & (
                (Domain("charge_state", "=", "announced") & Domain("date_charge", "<=", today))
                | (Domain("charge_state", "=", "failed") & Domain("date_charge_retry", "<=", today))
            )
            for company in self.env["res.company"]._membri_get_all()
            if (today := company._membri_today())
        )
        over = Domain("charge_state", "in", ("announced", "failed")) & (
            Domain("is_paid", "=", True) | Domain("state", "in", ENDED_STATES)
        )
        # who was told of a charge is told that it does not come
        withdrawn = Domain("option_set_id.automatic_payment", "=", "none") & (
            Domain("charge_state", "=", "announced")
            | (Domain("charge_state", "=", "failed") & Domain("date_charge_retry", "!=", False))
        )
        return (
            (Domain("state", "=", "approved") & (due | withdrawn))
            | Domain("charge_state", "=", "pending")
            | over
        )

    # ------------------------------------------------------------------
    # One invoice
    # ------------------------------------------------------------------

    def _charge_isolated(self):
        """Charge what ``self``, the due renewals of one invoice, which are locked, have
        announced; whatever fails stays on them as a sentence."""
        first = self[:1]
        for renewal, error in first._run_isolated(type(self)._begin_charge).items():
            renewal._hold_charge(renewal._get_error_sentence(error))
        transaction = first._get_unanswered_charge()
        if not transaction or first.charge_note:
            return
        # written before the provider is asked: whatever happens now, it is found again
        self.env["ir.cron"]._commit_progress()
        if not first.try_lock_for_update() or transaction.state != "draft":
            return  # somebody else was quicker
        for renewal, error in first._run_isolated(type(self)._send_charge).items():
            renewal._hold_unknown_charge(renewal._get_error_sentence(error))
            return
        self.env["ir.cron"]._commit_progress()  # the provider's answer
        if not first.try_lock_for_update() or transaction.is_post_processed:
            return  # somebody else books it
        answered = transaction.filtered(lambda tx: tx.state == "done")
        for renewal, error in first._run_isolated(type(self)._book_charge).items():
            answered.is_post_processed = False  # Odoo's own run tries again
            renewal._hold_charge(renewal._get_error_sentence(error))

    def _begin_charge(self):
        """Write the transaction of what is due on the invoice of this renewal, or say why there
        is none."""
        self.ensure_one()
        invoice = self.invoice_id
        renewals = invoice._membri_get_charged_renewals() or self
        answered = self._get_last_charge().filtered(lambda tx: tx.state != "draft")
        if answered and self.charge_state == "pending":
            if answered.state == "done" and not answered.is_post_processed:
                answered._post_process()
            renewals._follow_charge(answered)
            return
        if self._get_unanswered_charge():
            self._find_charge_again()
            return
        if self._is_charge_over():
            renewals.filtered(lambda r: r.charge_state not in ("done", "stopped"))._end_charge()
            return
        if not invoice.try_lock_for_update():
            return
        # what was stopped, or failed for good, of the same invoice is no part of it
        renewals = renewals.filtered(
            lambda renewal: renewal.charge_state == "announced" or renewal._is_retry_planned()
        )
        if ended := renewals.filtered(lambda renewal: not renewal._offers_charge()):
            ended._fail_charge(self.env._("The plan no longer offers automatic payment."))
            return  # what others owe of the same invoice: at the next run
        today = self.company_id._membri_today()
        if not renewals or any(renewal._get_charge_day() > today for renewal in renewals):
            return  # one charge for all of them, on the last of their days
        reason, is_final = renewals._get_cannot_charge_reason()
        if reason and is_final:
            renewals._fail_charge(reason)
        elif reason:
            renewals._hold_charge(reason)
        else:
            renewals._do_begin_charge()

    def _is_charge_over(self):
        """:return: whether nothing is to be charged any more: paid, credited, or given up"""
        return (
            self.state != "approved"
            or not self.invoice_id
            or self.is_paid
            or self.invoice_id._membri_is_void()
            or (
                self.invoice_id.state == "posted"
                and self.currency_id.is_zero(self.invoice_id.amount_residual)
            )
        )

    def _end_charge(self):
        self._internal_write(
            {"charge_state": "stopped", "date_charge_retry": False, "charge_note": False}
        )
        for renewal in self:
            renewal._message_log(
                body=self.env._(
                    "Paid before the announced day, so nothing was charged automatically."
                )
                if renewal.is_paid
                else self.env._("Nothing is left to pay, so nothing was charged automatically.")
            )

    def _get_cannot_charge_reason(self):
        """Return ``(sentence or False, whether the payer has to act)``: why the invoice of these
        renewals is not charged now."""
        first = self[:1]
        invoice = first.invoice_id
        if not first._get_announced_card():
            if label := first._get_charge_label():
                reason = self.env._(
                    "%(card)s was removed after the payment was announced. Nothing was charged.",
                    card=label,
                )
            else:
                reason = self.env._(
                    "The card was removed after the payment was announced. Nothing was charged."
                )
            return reason, True
        token, reason = first._get_charge_card()
        if reason:
            return reason, True
        if token != first._get_announced_card():
            # the nightly run has told it, or could not
            return self.env._("The new card was not announced yet. Nothing was charged."), False
        if not invoice._membri_is_payable():
            return (
                self.env._(
                    "%(document)s is a draft. Confirm it: nothing is charged until then.",
                    document=invoice._membri_get_document_label(),
                ),
                False,
            )
        if reason := first._get_archived_payer_reason():
            return reason, False
        if reason := first._get_seen_in_bank_reason():  # what to do about it
            return self.env._("%(reason)s Nothing was charged.", reason=reason), False
        if invoice._membri_is_being_paid():
            return self.env._("Another payment is in progress. Nothing was charged."), False
        if reason := self._get_untold_reason():
            return reason, False
        told = self.filtered(lambda r: r._get_announced_card() == token)
        if (
            invoice.currency_id.compare_amounts(
                self._get_amount_due(), sum(told.mapped("amount_charge"))
            )
            > 0
        ):
            return (
                self.env._(
                    "More is due on %(document)s than was announced. Nothing was charged.",
                    document=invoice._membri_get_document_label(),
                ),
                False,
            )
        return False, False

    def _get_archived_payer_reason(self):
        """Return that nothing is charged, since the payer of the invoice is archived (a
        sentence), or ``False``."""
        self.ensure_one()
        payer = self.invoice_id.partner_id
        if payer.active:
            return False
        return self.env._(
            "%(payer)s is archived, so nothing was charged. Unarchive the contact, or reset the "
            "renewal.",
            payer=payer._membri_get_names(),
        )

    def _get_amount_due(self):
        """:return: the part that is to be paid next of the invoice of these renewals"""
        return sum(parts[0][1] for renewal in self if (parts := renewal._get_charge_parts()))

    def _do_begin_charge(self):
        first = self[:1]
        # begun on the portal and left: nothing more can come of them
        begun = first.invoice_id.transaction_ids.filtered(lambda tx: tx.state == "draft")
        begun._set_canceled(state_message=self.env._("Another payment was started instead."))
        # the answer is found by its day
        day = max(self.mapped("date_charge"))
        self.filtered(lambda renewal: renewal.date_charge != day)._internal_write(
            {"date_charge": day}
        )
        first._start_charge(min(self._get_amount_due(), sum(self.mapped("amount_charge"))))
        for renewal in self:
            renewal._internal_write(
                {
                    "charge_state": "pending",
                    "charge_attempts": renewal.charge_attempts + 1,
                    "date_charge_retry": False,
                    "charge_note": False,
                }
            )
        self.env.flush_all()  # the unique index has the last word

    def _start_charge(self, amount):
        """Write down that ``amount`` is to be charged to the announced card for this invoice."""
        self.ensure_one()
        self.env["payment.transaction"].create(self._prepare_charge_transaction_vals(amount))

    def _prepare_charge_transaction_vals(self, amount):
        self.ensure_one()
        invoice, token = self.invoice_id, self.charge_token_id
        number = (
            self.env["payment.transaction"].search_count(
                [("membri_charge_invoice_id", "=", invoice.id)]
            )
            + 1
        )
        return {
            "provider_id": token.provider_id.id,
            "payment_method_id": token.payment_method_id.id,
            "token_id": token.id,
            "operation": "offline",
            # the same for whoever charges this invoice for the n-th time: unique in the database
            "reference": f"{self.name}-{invoice.id}-{number}",
            "amount": invoice.currency_id.round(amount),
            "currency_id": invoice.currency_id.id,
            "partner_id": invoice.partner_id.id,
            "invoice_ids": [Command.set(invoice.ids)],
            "membri_charge_invoice_id": invoice.id,
            "membri_charge_day": self.date_charge,
        }

    # ------------------------------------------------------------------
    # The provider
    # ------------------------------------------------------------------

    def _get_charges(self):
        """:return: the automatic payments of the invoice of this renewal, in sudo"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        return invoice_sudo.transaction_ids.filtered(
            lambda tx: tx.membri_charge_invoice_id == invoice_sudo
        ).sorted("id")

    def _get_last_charge(self):
        return self._get_charges()[-1:]

    def _get_unanswered_charge(self):
        """Return the automatic payment that the provider was, or is about to be, asked for and
        has not answered."""
        return self._get_last_charge().filtered(lambda tx: tx.state == "draft")

    def _send_charge(self):
        """Ask the provider for the money."""
        self._get_unanswered_charge()._charge_with_token()

    def _book_charge(self):
        """Book the provider's answer, and record it."""
        transaction = self._get_last_charge()
        if transaction.state == "done":
            transaction._post_process()
        transaction._membri_follow_charges()

    def _find_charge_again(self):
        """The server stopped between the request and its answer. Who takes one payment for a
        reference is asked again with the same one; for the others a person has to look."""
        transaction = self._get_unanswered_charge()
        since = fields.Datetime.now() - timedelta(hours=REFERENCE_HOURS)
        if (
            transaction.provider_code in IDEMPOTENT_PROVIDERS
            and transaction.last_state_change >= since
            and transaction.token_id.active
        ):
            self._internal_write({"charge_note": False})
            return
        self._hold_unknown_charge()

    def _hold_unknown_charge(self, said=""):
        transaction = self._get_unanswered_charge()
        self._hold_charge(
            self.env._(
                "It is not known whether %(provider)s collected the payment %(reference)s. Check "
                "with the provider: if it was not collected, use “Stop Charge”. %(said)s",
                provider=transaction.provider_id.name,
                reference=transaction.reference,
                said=said,
            ).strip()
        )

    # ------------------------------------------------------------------
    # The answer
    # ------------------------------------------------------------------

    def _follow_charge(self, transaction):
        """Record on ``self``, the renewals of its invoice, what became of a transaction."""
        if transaction.state == "done":
            # what was stopped before, beside others of the invoice, was no part of this charge
            part = self.filtered(lambda renewal: renewal.charge_state != "stopped") or self
            charged = part.filtered(
                lambda renewal: (
                    renewal.charge_state != "done"
                    and renewal.date_charge == transaction.membri_charge_day
                    # whose plan ended it was not part of this charge
                    and (renewal.charge_state != "failed" or renewal._offers_charge())
                )
            )
            for renewal in charged:
                renewal._internal_write(renewal._prepare_next_part_vals())
                renewal._message_log(
                    body=self.env._(
                        "%(amount)s was charged to %(card)s (%(reference)s).",
                        amount=transaction.currency_id.format(transaction.amount),
                        card=renewal._get_charge_label(),
                        reference=transaction.reference,
                    )
                )
        elif transaction.state in ("cancel", "error"):
            declined = self.filtered(lambda renewal: renewal.charge_state == "pending")
            if declined:  # Odoo's own job looks again at what was followed already
                declined._fail_charge(
                    declined[:1]._get_decline_sentence(transaction),
                    declined[:1]._get_retry_day(transaction),
                )

    def _get_decline_sentence(self, transaction):
        """:return: what kind of no it was, with the provider's own words"""
        names = {
            "card": self._get_charge_label(),
            "provider": transaction.provider_id.name,
            "said": end_sentence(transaction.state_message),
        }
        kind = transaction._membri_get_decline()
        if kind == "down":
            sentence = self.env._(
                "%(provider)s could not be reached, so nothing was charged. %(said)s", **names
            )
        elif kind == "final":
            sentence = self.env._(
                "%(card)s was permanently declined: the payer has to use another card. %(said)s",
                **names,
            )
        else:
            sentence = self.env._("%(card)s was declined. %(said)s", **names)
        return sentence.strip()

    def _get_retry_day(self, transaction):
        """:return: the day of the next attempt, or ``False`` when there is none"""
        if not self or transaction._membri_get_decline() == "final":
            return False
        return self._get_next_attempt_day(self.charge_attempts)

    def _get_next_attempt_day(self, attempts):
        """:param attempts: how many there were
        :return: the day of the next one by the company's setting, or ``False`` after the last"""
        self.ensure_one()
        days = self.company_id._membri_get_retry_days()
        done = attempts - 1
        if not 0 <= done < len(days):
            return False
        wait = days[done] - (days[done - 1] if done else 0)
        return self.company_id._membri_today() + timedelta(days=wait)

    def _fail_charge(self, reason, retry_day=False):
        """Nothing was charged: record why, and tell the payer with a link to pay or to use
        another card. Who cannot be told of the next attempt gets none.

        :param reason: a sentence
        :param retry_day: of the next attempt, or ``False``"""
        if not self:
            return
        first = self.filtered(lambda renewal: not renewal._get_unreachable_reason())[:1]
        if retry_day and not first:
            retry_day = False
            reason = self._get_untold_retry_reason(reason)
        self._internal_write(
            {"charge_state": "failed", "charge_note": reason, "date_charge_retry": retry_day}
        )
        self._update_next_reminder()
        for renewal in self:
            renewal._message_log(body=reason)
        first._email_charge("membri_renewal.mail_template_charge_failed")

    def _get_untold_retry_reason(self, reason):
        """:param reason: why nothing was charged (a sentence)
        :return: the same, and why there is no other attempt"""
        return self.env._(
            "%(reason)s It will not be tried again because the payer could not be notified. Use "
            "“Charge Again” once an email or a letter can reach the payer.",
            reason=reason,
        )
