from datetime import timedelta

from markupsafe import escape

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..mixins.thread import log_once
from ..renewal.renewal import UNDECIDED_STATES
from .cotisation import EARLY_ACTIVATIONS, LIVING_STATES, PAID_FOR_STATES, PAID_STATES

BATCH = 500


class MembriCotisation(models.Model):
    """The states of a cotisation (specification §2) and what moves them: money, the calendar,
    and the staff."""

    _inherit = "membri.cotisation"

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_cancel(self):
        """Void cotisations that are not active yet, and what is still unpaid of them.

        A paid invoice stays as it is: the staff refunds it, or keeps it as a credit.

        :raises UserError: when one is active or over, or a payment is under way
        """
        self._check_can("cancel")
        renewals = self.renewal_id.filtered(lambda r: r.state == "approved")
        brought_sudo = self._get_brought_invoices()
        self._do_cancel()
        # sudo: the money of an invoice, for a yes or no
        paid_sudo = self.sudo().filtered(
            lambda c: c.invoice_id and c.invoice_id._membri_has_money()
        )
        for cotisation in paid_sudo:
            cotisation._ask_about_money()
        (self - paid_sudo)._void_invoices(brought_sudo)
        for reopened in renewals._split_by_staff_lang():
            reopened._do_reopen_for_staff(reopened.env._("The next term is void."))
        return True

    def _ask_about_money(self):
        """A term was cancelled that money was paid for: somebody decides what becomes of it."""
        self.ensure_one()
        [self] = self._split_by_staff_lang()
        self._ask_officer(
            self.env._(
                "The membership term of %(member)s (%(term)s, %(amount)s) is void, but "
                "%(invoice)s has a payment. Refund the payment, or keep it as a credit "
                "for the payer.",
                member=self.partner_id._membri_get_names(),
                term=self.term_display,
                invoice=self._get_invoice_sudo()._membri_get_document_label(),
                amount=self.currency_id.format(self.amount_total),
            )
        )

    def _get_cannot_reason(self, step):
        # EXTENDS state_mixin
        return {
            "cancel": self._get_cannot_cancel_reason,
            "terminate": self._get_cannot_terminate_reason,
            "undo_termination": self._get_cannot_undo_termination_reason,
        }[step]()

    def _get_cannot_cancel_reason(self):
        self.ensure_one()
        member = self.partner_id._membri_get_names()
        if self.state not in ("pending", "scheduled"):
            return self.env._(
                "%(cotisation)s (%(member)s) has the status “%(state)s”. Only a pending "
                "or upcoming term can be cancelled. To end an active one, use “End "
                "Membership”.",
                cotisation=self.name,
                member=member,
                state=self._get_state_label(),
            )
        invoice_sudo = self._get_invoice_sudo()
        if self.state == "pending" and invoice_sudo and invoice_sudo._membri_has_money():
            return self.env._(
                "%(invoice)s has a payment, received or in progress, so %(cotisation)s "
                "(%(member)s) was not changed. Cancel or refund the payment first.",
                cotisation=self.name,
                member=member,
                invoice=invoice_sudo.display_name,
            )
        if self.state == "pending" and invoice_sudo:
            return invoice_sudo._membri_get_written_off_obstacle()
        return False

    def _do_cancel(self):
        self._set_state("cancelled")
        # the renewal of a void term is void, too
        self.renewal_ids.filtered(lambda r: r.state in UNDECIDED_STATES)._do_cancel()
        self.env.flush_all()
        self._refresh_members()

    def action_terminate(self, date=None, reason=None):
        """End active cotisations before their last day: resignation, death, exclusion.

        :param date: the last day of membership, included
        :param reason: a text, or a ``membri.refusal.reason`` (a client names it by its id); kept on
            the cotisation and in the member's chatter. A text that the list of reasons has, or that
            tells of a death, is counted as that one

        Called without a date (the button), opens the wizard that asks for both.
        """
        self.check_access("write")
        if not date:
            return self.env["membri.cotisation.terminate"]._get_wizard_action(self)
        date = fields.Date.to_date(date)
        self._check_can("terminate")
        for cotisation in self:
            if obstacle := cotisation._get_cannot_end_on_reason(date):
                raise ValidationError(obstacle)
        self._do_terminate(date, reason)
        return True

    def _set_state(self, state, **vals):
        # EXTENDS state_mixin: from when on, and until when, it made somebody a member
        for company, cotisations in self.grouped("company_id").items():
            dated, dates = cotisations.browse(), {}
            if state == "active":
                dated = cotisations.filtered(
                    lambda c: c.state != "active" and (not c.date_activated or c.date_deactivated)
                )
                dates = {"date_activated": company._membri_today(), "date_deactivated": False}
            elif state in ("pending", "cancelled"):
                dated = cotisations.filtered(lambda c: c.state == "active")
                dates = {"date_deactivated": company._membri_today()}
            if dated:
                super(MembriCotisation, dated)._set_state(state, **dates, **vals)
            if rest := cotisations - dated:
                super(MembriCotisation, rest)._set_state(state, **vals)
        return True

    def _get_cannot_terminate_reason(self):
        self.ensure_one()
        member = self.partner_id._membri_get_names()
        if self.state != "active":
            return self.env._(
                "%(cotisation)s (%(member)s) has the status “%(state)s”. Only an "
                "active term can be ended early.",
                cotisation=self.name,
                member=member,
                state=self._get_state_label(),
            )
        following = self.next_ids.filtered(lambda c: c.state in LIVING_STATES)
        if following:
            return self.env._(
                "%(member)s already has the next term %(next)s. Reset its renewal or "
                "credit its invoice first, then end the current membership.",
                member=member,
                next=following[0].name,
            )
        return False

    def _get_cannot_end_on_reason(self, date):
        """:return: why ``date`` cannot be the last day (a sentence), or ``False``"""
        self.ensure_one()
        if self.date_start <= date and not (self.date_end and date > self.date_end):
            return False
        return self.env._(
            "The period of %(cotisation)s (%(member)s) is %(term)s. Choose a last day within it.",
            cotisation=self.name,
            member=self.partner_id._membri_get_names(),
            term=self.term_display,
        )

    def _do_terminate(self, date, reason=None):
        kind, reason = self.env["membri.refusal.reason"]._get_kind_and_text(reason)
        for cotisation in self:
            recorded = today = cotisation.company_id._membri_today()
            if cotisation.date_terminated and date >= today:
                # ended early twice: what was booked after the first time stays as it counts
                recorded = cotisation.date_termination_recorded or today
            cotisation._internal_write(
                {
                    "date_end": date,
                    "date_terminated": date,
                    "date_termination_recorded": recorded,
                    "termination_reason": reason,
                    "termination_reason_id": kind.id,
                    # ended early twice: the first time, the agreed day was kept
                    "date_end_agreed": (
                        cotisation.date_end_agreed
                        if cotisation.date_terminated
                        else cotisation.date_end
                    ),
                }
            )
            message = self.env._(
                "The membership ends on %(date)s. %(reason)s",
                date=self._format_day(date),
                reason=reason or "",
            )
            cotisation._message_log(body=message)
            member = cotisation.partner_id._membri_noted_for(cotisation.company_id)
            member._message_log(body=message)
        open_renewals = self.renewal_ids.filtered(lambda r: r.state in UNDECIDED_STATES)
        open_renewals._do_refuse(self.env.ref("membri_renewal.refusal_reason_terminated"), reason)
        over = self.filtered(lambda c: c.date_end < c.company_id._membri_today())
        over._do_expire()
        self._refresh_members()

    def action_undo_termination(self):
        """Take a termination back (a wrong member, a resignation withdrawn): the days that were
        paid are the member's again, and the renewal that it refused can be decided."""
        self._check_can("undo_termination")
        self._do_undo_termination()
        return True

    def _get_cannot_undo_termination_reason(self):
        """:return: why this termination cannot be taken back (a sentence), or ``False``"""
        self.ensure_one()
        names = {"cotisation": self.name, "member": self.partner_id._membri_get_names()}
        if not self.date_terminated or self.state == "cancelled":
            return self.env._(
                "%(cotisation)s (%(member)s) was not ended early. There is nothing to undo.",
                **names,
            )
        try:
            self._check_no_overlap(
                [
                    (
                        self.partner_id.id,
                        self.company_id.id,
                        self.date_start,
                        self._get_agreed_end() or None,
                        self,
                    )
                ]
            )
        except ValidationError as error:
            return str(error)
        return False

    def _get_agreed_end(self):
        """Return the last day before the termination; of those that were terminated before it
        was kept, as their option set gives it."""
        self.ensure_one()
        if self.date_end_agreed or self.option_set_id.lifetime:
            return self.date_end_agreed
        return self.option_set_id._get_period(self.date_start, self.date_anchor)[1]

    def _do_undo_termination(self):
        """The one exception to “expired never changes again”: it was the termination that ended
        the term, and the paid days come back with its taking back."""
        refused = self.renewal_ids.filtered(
            lambda r: (
                r.state == "refused"
                and r.refusal_reason_id
                == self.env.ref("membri_renewal.refusal_reason_terminated", False)
                and not r._get_cannot_reopen_reason()
            )
        )
        for cotisation in self:
            last = cotisation._get_agreed_end()
            cotisation._internal_write(
                {
                    "date_end": last,
                    "date_terminated": False,
                    "date_termination_recorded": False,
                    "termination_reason": False,
                    "termination_reason_id": False,
                    "date_end_agreed": False,
                }
            )
            message = self.env._(
                "The early end was undone. Membership term: %(term)s.",
                term=cotisation.term_display,
            )
            cotisation._message_log(body=message)
            member = cotisation.partner_id._membri_noted_for(cotisation.company_id)
            member._message_log(body=message)
        running = self.filtered(
            lambda c: (
                c.state == "expired"
                and (not c.date_end or c.date_end >= c.company_id._membri_today())
            )
        )
        if running:
            running._set_state("scheduled", date_expired=False)
            running._sync_with_invoice()
            running._do_start_or_end()
        refused._do_reset()
        for told in refused._split_by_staff_lang():  # a draft would be in no queue
            told._do_require_intervention(
                told.env._(
                    "The early end of the membership was undone. Send the notice again, approve "
                    "the renewal, or decline it."
                )
            )
        self._refresh_members()

    # ------------------------------------------------------------------
    # Business: money
    # ------------------------------------------------------------------

    def _do_paid(self):
        """Paid as far as their option sets ask: pending cotisations take their place in time, now
        or later."""
        pending = self.filtered(lambda c: c.state == "pending")
        for activation, terms in pending.grouped("activation").items():
            terms._set_state("scheduled", activated_by=activation)
        pending._do_start_or_end()
        # paid in full: nothing has to be delivered any more; terms that were active before, too
        settled = self.filtered(
            lambda c: (
                (c in pending or c.activated_by in EARLY_ACTIVATIONS)
                and c._get_invoice_sudo()._membri_is_paid()
            )
        )
        if settled:  # by post neither
            settled.renewal_id._end_activities()
            settled.renewal_id.filtered(
                lambda r: r.delivery_state == "unreachable"
            )._internal_write({"delivery_state": False, "delivery_note": False})
            for renewal in settled.renewal_id.filtered(lambda r: r.letter_state == "to_print"):
                document = renewal._get_invoice_sudo()._membri_as_staff()
                renewal._withdraw_letters(
                    document.env._(
                        "%(document)s is paid.", document=document._membri_get_document_label()
                    )
                )
            settled.invoice_id._membri_end_delivery()
        if not pending:
            return
        pending._refresh_members()
        pending._queue_invoices_of_fee_notices()

    def _do_unpaid(self):
        """The money went away again: the cotisation waits for its payment."""
        undone = self.filtered(lambda c: c.state in PAID_FOR_STATES)
        if undone:
            undone._set_state("pending", activated_by=False)
            undone._refresh_members()

    def _do_void(self):
        """The invoice was cancelled or fully credited outside of a reset."""
        if not self:
            return
        renewals = self.renewal_id.filtered(lambda r: r.state == "approved")
        credited = self.filtered(lambda c: c._get_invoice_sudo().state == "posted")
        credited._internal_write({"is_voided_by_credit": True})
        self._do_cancel()
        void_sudo = self._get_invoice_sudo().filtered(lambda move: move._membri_is_void())
        void_sudo._membri_end_delivery()
        for terms in self._split_by_staff_lang():
            for term in terms:
                invoice_sudo = term._get_invoice_sudo()
                names = {
                    "invoice": invoice_sudo._membri_get_named_label(),
                    "date": term._format_day(term.company_id._membri_today()),
                }
                if invoice_sudo not in void_sudo and invoice_sudo._membri_is_shared():
                    reason = term.env._("Removed from %(invoice)s on %(date)s.", **names)
                else:
                    reason = term.env._(
                        "%(invoice)s was cancelled or fully credited on %(date)s.", **names
                    )
                if purpose := term._get_credit_lines().move_id._membri_get_credit_purpose():
                    reason = f"{reason} {purpose}"
                if renewal := term.renewal_id & renewals:
                    renewal._do_reopen_for_staff(reason)
                else:
                    names = {"member": term.partner_id._membri_get_names(), "reason": reason}
                    term._ask_officer(term.env._("%(member)s: %(reason)s", **names))

    def _ask_officer(self, note):
        """Plan an activity for the officer about this term: on its invoice, else on the
        member."""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        if invoice_sudo:
            invoice_sudo._membri_ask_officer(note)
            return
        company = self.company_id
        # sudo: the question is the officer's, whoever caused it
        partner_sudo = self.sudo().partner_id._membri_noted_for(company).with_company(company)
        officer = company._membri_get_assignee()
        if not officer:
            log_once(partner_sudo, note)
        elif note not in partner_sudo.activity_ids.mapped("summary"):  # asked once
            partner_sudo.activity_schedule(
                "mail.mail_activity_data_todo", summary=note, user_id=officer.id
            )

    # ------------------------------------------------------------------
    # Business: the calendar
    # ------------------------------------------------------------------

    def _is_followed(self, day):
        """Return whether a membership that goes on from ``day`` goes on without interruption:
        the days of grace of this term are none."""
        self.ensure_one()
        grace = timedelta(days=self.option_set_id.grace_days)
        return day <= self.date_end + timedelta(days=1) + grace

    def _do_expire(self):
        """The day is kept: a member who paid after the end is asked to go on from then."""
        for company, cotisations in self.grouped("company_id").items():
            cotisations._set_state("expired", date_expired=company._membri_today())

    def _do_start_or_end(self):
        """Expire what is over, then start what is paid and due; each member keeps at most
        one active cotisation."""
        # the previous term may be over although no nightly run has expired it yet
        over = (self | self.previous_id).filtered(
            lambda c: (
                c.state in PAID_FOR_STATES
                and c.date_end
                and c.date_end < c.company_id._membri_today()
            )
        )
        if over:
            over._do_expire()
            # before another one becomes active: the database looks at each row
            over.flush_recordset(["state"])
            (over - self)._refresh_members()
        due = self.filtered(
            lambda c: c.state == "scheduled" and c.date_start <= c.company_id._membri_today()
        )
        if not due:
            return
        # sudo: the database looks at all terms, too
        busy = {
            (partner.id, company.id)
            for partner, company in self.sudo()._read_group(
                Domain("partner_id", "in", due.partner_id.ids) & Domain("state", "=", "active"),
                ["partner_id", "company_id"],
            )
        }
        started = self.browse()
        for cotisation in due.sorted("date_start"):
            member = (cotisation.partner_id.id, cotisation.company_id.id)
            if member not in busy:
                busy.add(member)
                started |= cotisation
        if started:
            started._set_state("active")

    @api.model
    def _cron_update_states(self):
        """Hourly: follow the calendar, correct what no payment hook saw, refresh contacts.

        May be run at any time, twice, by two workers, after days of silence. Costs a
        constant number of queries when nothing is due.
        """

        def update(due):
            errors = due._run_isolated_for_staff(type(self)._update_states)
            for cotisation, error in errors.items():
                sentence = cotisation.env._(
                    "The automatic update failed: %(error)s",
                    error=cotisation._get_error_sentence(error),
                )
                # the run is hourly: the same failure is logged once
                if escape(sentence) not in (cotisation.message_ids[:1].body or ""):
                    cotisation._message_log(body=sentence)
                names = {"term": cotisation.name, "reason": sentence}
                cotisation._ask_officer(cotisation.env._("%(term)s: %(reason)s", **names))

        cases = self._get_update_states_domains()
        self.env["ir.cron"]._membri_work_off(
            self,
            Domain.OR(cases),
            update,
            limit=BATCH,
            search=lambda: self._search_cases(cases),
        )

    @api.model
    def _search_cases(self, domains):
        """One search for each case: each has its index, while all of them in one domain would be
        looked for in every term there ever was.

        :return: list of ids, in the order of the cases, then of time"""
        ids = {}
        for domain in domains:
            ids.update(dict.fromkeys(self.search(domain, order="date_start, id").ids))
        return list(ids)

    @api.model
    def _get_update_states_domain(self):
        """:return: cotisations whose state the calendar or their invoice contradicts"""
        return Domain.OR(self._get_update_states_domains())

    @api.model
    def _get_update_states_domains(self):
        """Return a list of the cases in which the calendar or their invoice contradicts the state
        of terms. Each has an index of its own (``cotisation.py``, ``invoice/account_move.py``)
        """
        return self._get_contradicting_invoice_domains() + self._get_contradicting_day_domains()

    @api.model
    def _get_contradicting_invoice_domains(self):
        membership = Domain("membri_invoice_type", "!=", False)
        first_part_paid = Domain("invoice_id.membri_is_first_part_paid", "=", True)
        by_approval = self._get_asks_domain("approved")
        by_first_part = self._get_asks_domain("first_part")
        return [
            # reset to draft keeps its payment state, so the invoice's own state is asked too
            Domain("state", "=", "pending")
            & Domain("payment_state", "in", (*PAID_STATES, "reversed"))
            & (
                Domain("payment_state", "=", "reversed") | Domain("invoice_id.state", "=", "posted")
            ),
            # those that are active before all of it is paid
            Domain("state", "=", "pending")
            & Domain("invoice_id", "!=", False)
            & (
                (
                    Domain("option_set_id.activation", "=", "approved")
                    & Domain("invoice_id.state", "!=", "cancel")
                )
                | (Domain("option_set_id.activation", "=", "first_part") & first_part_paid)
            ),
            Domain("state", "in", PAID_FOR_STATES)
            & Domain("invoice_id", "!=", False)
            & Domain("payment_state", "not in", PAID_STATES)
            & ~by_approval
            & ~(by_first_part & first_part_paid),
            Domain("state", "in", LIVING_STATES)
            & Domain("invoice_id", "any", membership & Domain("state", "!=", "posted"))
            & (
                (Domain("state", "in", PAID_FOR_STATES) & ~by_approval)
                | Domain("invoice_id.state", "=", "cancel")
            ),
            # a credit note of all of it voids also what was paid and not refunded yet
            Domain("state", "in", LIVING_STATES)
            & Domain("invoice_id.reversal_move_ids", "any", [("state", "=", "posted")]),
        ]

    @api.model
    def _get_contradicting_day_domains(self):
        domains = []
        for company in self.env["res.company"]._membri_get_all():
            today = company._membri_today()
            ours = Domain("company_id", "=", company.id)
            going_on = (
                ours
                & Domain("state", "=", "active")
                & (Domain("date_end", "=", False) | Domain("date_end", ">=", today))
            )
            over = Domain("state", "in", PAID_FOR_STATES) & Domain("date_end", "<", today)
            due = (
                Domain("state", "=", "scheduled")
                & Domain("date_start", "<=", today)
                & Domain("partner_id", "not any", [("membri_cotisation_ids", "any", going_on)])
            )
            domains += [ours & over, ours & due]
        return domains

    @api.model
    def _get_asks_domain(self, activation):
        """:return: the terms whose option set asks for as much, now or when they became active"""
        return Domain("activated_by", "=", activation) | Domain(
            "option_set_id.activation", "=", activation
        )

    def _update_states(self):
        self._sync_with_invoice()
        self._do_start_or_end()
        # the next term of a member may start only now that the one before it is over
        (self.next_ids - self)._do_start_or_end()
        (self | self.next_ids)._refresh_members()
