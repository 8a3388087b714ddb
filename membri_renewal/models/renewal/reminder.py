from odoo import api, fields, models
from odoo.fields import Domain

from ..cotisation.cotisation import LIVING_STATES, TRANSFER
from ..mixins.fields import get_flag_domain

BATCH = 50


class MembriRenewal(models.Model):
    """Reminders that never annoy (specification §5.2): each step once, none after an answer or a
    payment, none while a payment is under way."""

    _inherit = "membri.renewal"

    can_be_reminded = fields.Boolean(
        string="Reminder Possible",
        compute="_compute_can_be_reminded",
        search="_search_can_be_reminded",
        groups="base.group_user",
        help="The renewal is unpaid, no payment is in progress, and its document can be paid.",
    )

    @api.depends("state", "is_paid", "delivery_state", "date_auto_invoice", "payment_state")
    @api.depends_context("uid")
    def _compute_can_be_reminded(self):
        for renewal in self:
            renewal.can_be_reminded = (
                renewal.state in ("sent", "approved")
                and renewal.delivery_state != "unreachable"
                and not renewal._get_no_reminder_reason()
            )

    @api.model
    def _search_can_be_reminded(self, operator, value):
        if operator != "in":
            return NotImplemented
        waiting, unpaid = self._get_can_be_reminded_domains()
        # sudo: payments are the accountants', that there is one under way is a fact
        found = waiting | Domain("id", "in", self.sudo()._search(unpaid))
        return get_flag_domain(found, value)

    @api.model
    def _get_can_be_reminded_domains(self):
        """What :meth:`_get_no_reminder_reason` asks, as domains; who cannot be reached waits in the
        queue for that, where an address or a letter is found.

        :return: the members whose answer is awaited, asked without a look at invoices since these
            are the most, and those who have not paid"""
        payable = (
            Domain("invoice_id.state", "=", "posted")
            & Domain("invoice_id.amount_residual", "!=", 0.0)
        ) | (
            Domain("invoice_id.membri_fee_notice_state", "=", "open")
            & Domain("invoice_id.membri_cotisation_ids.state", "in", LIVING_STATES)
        )
        # any!: a fact, whoever asks
        reachable = Domain("delivery_state", "!=", "unreachable") & Domain(
            "cotisation_id", "any!", [("state", "!=", "cancelled")]
        )
        # what is announced needs no answer
        to_answer = (
            Domain("state", "=", "sent")
            & Domain("date_auto_invoice", "=", False)
            & ~self._get_paid_before_reply_domain()
        )
        return to_answer & reachable, (
            Domain("state", "=", "approved")
            & Domain("is_paid", "=", False)
            & reachable
            & Domain("invoice_id.partner_id.active", "=", True)
            # a large write-off: the officer decides, and nothing is left to pay
            & Domain("invoice_id.membri_write_off_state", "!=", "to_decide")
            & payable
            & ~self._get_payment_under_way_domain()
        )

    @api.model
    def _get_payment_under_way_domain(self):
        """:return: what :meth:`_is_payment_under_way` asks, as a domain"""
        return (
            Domain("invoice_id.transaction_ids.state", "=", "authorized")
            | Domain(
                "invoice_id.transaction_ids",
                "any",
                [("state", "=", "pending"), ("provider_id.code", "!=", TRANSFER)],
            )
            | Domain(
                "invoice_id.transaction_ids",
                "any",
                [("state", "=", "done"), ("is_post_processed", "=", False)],
            )
            | Domain(
                "invoice_id.matched_payment_ids",
                "any",
                Domain("state", "in", ("draft", "in_process"))
                & (Domain("move_id", "=", False) | Domain("move_id.state", "!=", "posted")),
            )
            | (
                Domain(
                    "invoice_id.matched_payment_ids",
                    "any",
                    [("state", "=", "paid"), ("move_id", "=", False)],
                )
                & ~Domain("invoice_id.line_ids.matched_credit_ids", "!=", False)
            )
            | self._get_reported_domain()
            | self._get_seen_in_bank_domain()
            | self._get_charge_planned_domain()
        )

    # ------------------------------------------------------------------
    # By hand: "Renvoyer l'avis de renouvellement"
    # ------------------------------------------------------------------

    def action_send_reminder(self):
        """Send a reminder now. Uses up no automatic step, and keeps the first sending date.

        :return: a client action that tells what was not sent and why, or ``True``
        """
        self._check_can("send_reminder")
        skipped = self._do_send_reminder()
        return self._get_skipped_notification(skipped) if skipped else True

    def _get_skipped_notification(self, reasons):
        """:param reasons: ``{renewal: why no reminder goes to it}``"""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "title": self.env._("Not sent: %(count)s", count=len(reasons)),
                "message": "\n".join(list(reasons.values())[:10]),
                "sticky": True,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _get_cannot_send_reminder_reason(self):
        """A payment that was announced, or that a line of the bank names, holds what goes out by
        itself; whoever has looked for the money and not found it may remind by hand."""
        self.ensure_one()
        return self._get_no_reminder_reason(by_hand=True)

    def _get_no_reminder_reason(self, by_hand=False, is_document=False):
        """:param by_hand: a payment that was announced, or seen in the bank, does not count
        :param is_document: it is no reminder: the notice, announcement or invoice itself
        :return: why this renewal must not be reminded now (a sentence), or ``False``"""
        self.ensure_one()
        if self.is_paid:
            return self.env._(
                "%(renewal)s is paid. No reminder is needed.", renewal=self.display_name
            )
        if (
            self.state == "sent"
            and self.date_auto_invoice
            and not (is_document and self._is_announced())
        ):
            return self.env._(
                "%(renewal)s renews automatically on %(date)s, so no reply is expected. To send "
                "the announcement again, use “Resend”.",
                renewal=self.display_name,
                date=self._format_day(self.date_auto_invoice),
            )
        if reason := (
            self._get_invoice_not_payable_reason()
            if self.state == "approved"
            else self._get_archived_reason()
        ):
            return reason
        if self._is_money_under_way() or (not by_hand and self._is_payment_reported()):
            return self.env._(
                "A payment for %(renewal)s is in progress. Wait for the result before you "
                "send a reminder.",
                renewal=self.display_name,
            )
        if not by_hand and (
            reason := self._get_seen_in_bank_reason() or self._get_before_reply_reason()
        ):
            return reason
        if not is_document and (reason := self._get_charge_planned_reason()):
            return reason
        if self.cotisation_id.state == "cancelled":
            return self.env._(
                "The membership term that %(renewal)s renews is void, so no reminder is needed.",
                renewal=self.display_name,
            )
        return False

    def _get_invoice_not_payable_reason(self):
        """:return: why nobody is asked to pay the invoice now (a sentence), or ``False``"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        if not invoice_sudo.partner_id.active:
            return self._get_archived_invoice_sentence()
        if not invoice_sudo._membri_is_payable():
            return self.env._(
                "The invoice for %(renewal)s is not posted, so it cannot be paid yet.",
                renewal=self.display_name,
            )
        if invoice_sudo._membri_is_write_off_open():
            return self.env._(
                "Nothing is left to pay on %(document)s of %(renewal)s: part of it was written "
                "off. Open the invoice and choose “Keep Membership” or “End Membership”.",
                document=invoice_sudo._membri_get_document_label(),
                renewal=self.display_name,
            )
        return False

    def _is_payment_under_way(self):
        """Return whether a payment is on its way that is not booked yet, was announced, or stands
        on a bank statement. A part that is booked is none: the reminders speak of the rest."""
        self.ensure_one()
        return (
            self._is_money_under_way()
            or self._is_payment_reported()
            or bool(self._get_seen_in_bank_reason())
            or bool(self._get_charge_planned_reason())
        )

    def _is_money_under_way(self):
        """:return: the same, but for what was only announced, or seen"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        return bool(invoice_sudo) and invoice_sudo._membri_is_money_under_way()

    def _get_due_days(self):
        """:return: a list of the days on which the open parts of the invoice are due"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        return invoice_sudo._membri_get_due_days() if invoice_sudo else []

    def _get_due_day(self):
        """:return: the day on which the earliest open part of the invoice is due, or ``False``"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        return invoice_sudo._membri_get_due_day() if invoice_sudo else False

    def _do_send_reminder(self):
        """By hand: no step is used up.

        :return: ``{renewal: why no reminder goes to it}``"""
        messages, skipped = self._send_reminders(dict.fromkeys(self, (None, None)))
        self._leave_soon(messages)
        return skipped

    def _send_reminders(self, steps):
        """Remind ``self``, all in one batch, so that the PDFs are printed at once: by email, by
        letter to who gets paper, and to who pays for several once for all of them.

        :param steps: ``{renewal: (membri.reminder.step or None, part)}``, see
            :meth:`_get_open_steps`
        :return: ``({renewal: mail.message}, {renewal: why no reminder goes to it})``
        """
        renewals = self.union()  # a client may name a record twice
        if not renewals:
            return {}, {}
        shared = renewals.filtered(
            lambda r: r.state == "approved" and r._get_invoice_sudo()._membri_is_shared()
        )
        by_hand = renewals.filtered(
            lambda r: r.state == "approved" and r._get_invoice_sudo()._membri_is_sent_by_hand()
        )
        messages = (renewals - shared - by_hand)._send_notice(
            lambda renewal: renewal._get_reminder_template(steps[renewal][0]), "reminder"
        )
        shared._remind_payers()
        on_paper = renewals.filtered(lambda r: r._is_on_paper())
        on_paper._queue_letters(is_reminder=True)
        skipped, waiting, logs_vals = {}, self.browse(), []
        for renewal in renewals:
            result = "sent"
            emailed = renewal in messages or (
                renewal in shared and renewal.delivery_state == "queued"
            )
            reason = False if emailed else renewal._get_unreachable_reason()
            if renewal in on_paper:
                reason = self.env._("By mail: a letter is ready to print.")
                if not emailed:
                    result = "to_print"
                    waiting |= renewal
            elif not emailed:
                result = "skipped"
                skipped[renewal] = renewal._get_no_address_sentence()
            vals = renewal._prepare_reminder_log_vals(
                *steps[renewal], result, reason, messages.get(renewal)
            )
            # nobody was reminded: the step goes out once there is an address
            logs_vals.append({**vals, "uses_step": result != "skipped"})
        # sudo: the log is written by the system only
        self.env["membri.reminder.log"].sudo().create(logs_vals)
        # a letter counts once it is printed
        (renewals - waiting - self.browse().union(*skipped))._count_reminder()
        renewals._update_next_reminder()
        return messages, skipped

    def _get_no_address_sentence(self):
        """Return that nobody gets a reminder of this renewal, by email or by post, or
        ``False``."""
        self.ensure_one()
        reason = self._get_unreachable_reason()
        if not reason or self._is_on_paper():
            return False
        return self.env._(
            "%(renewal)s: skipped, no valid address. %(reason)s",
            renewal=self.display_name,
            reason=reason,
        )

    def _remind_payers(self):
        """Remind the payers of invoices that serve several, each once, of what is left to pay."""
        self._get_invoice_sudo()._membri_deliver(is_reminder=True)
        queued = self.filtered(lambda r: r.delivery_state == "queued")
        queued._log_on_contacts(
            {
                renewal: self.env._(
                    "%(renewal)s: the reminder for %(document)s goes to %(payer)s.",
                    renewal=renewal.name,
                    document=renewal._get_invoice_sudo()._membri_get_document_label(),
                    payer=renewal._get_invoice_sudo().partner_id._membri_get_names(),
                )
                for renewal in queued
            }
        )

    def _get_reminder_template(self, step=None):
        self.ensure_one()
        if step and step.mail_template_id:
            return step.mail_template_id
        if self.state == "approved":
            return self.env.ref("membri_renewal.mail_template_payment_reminder")
        return self.env.ref("membri_renewal.mail_template_reminder")

    # ------------------------------------------------------------------
    # Which step is due on which day
    # ------------------------------------------------------------------

    def _get_reminder_triggers(self):
        """Hook: which kinds of steps may fall in the state that this renewal is in"""
        self.ensure_one()
        if self.state == "sent":
            return ("after_sent", "before_end", "after_end")
        # paid or not: money that goes away again must find its reminders (the queue and the
        # night ask for unpaid ones only)
        return ("after_due",) if self.state == "approved" else ()

    def _get_open_steps(self):
        """Return a list of ``(day, step, part)``, the earliest first: the steps that may still
        fall, of the right kind for the state, not used up, each once for each open part of the
        invoice (the day it is due); a suggested one is done with any reminder from its day on."""
        self.ensure_one()
        if self.state == "sent" and self.date_auto_invoice:
            return []  # announced: nobody has to answer
        triggers = self._get_reminder_triggers()
        steps = self.option_set_id.reminder_ids.filtered(lambda s: s.trigger in triggers)
        if not steps:
            return []
        # sudo: members read no log
        used_sudo = self.sudo().reminder_log_ids.filtered("uses_step")
        last = self.date_last_reminder and self.company_id._membri_local_date(
            self.date_last_reminder
        )
        found = []
        for step in steps:
            used = {log.date_due for log in used_sudo if log.step_id == step}
            for day, part in step._get_due_dates(self):
                is_used = False in used or part in used
                if day and not is_used and (step.automatic or not last or last < day):
                    found.append((day, step, part))
        return sorted(found, key=lambda entry: entry[0])

    def _skip_overtaken_steps(self, reason=None):
        """The notice that goes out now stands for the reminders that were due before: the
        member is not reminded tomorrow of what came today.

        :param reason: what stands for them (a sentence); default: the notice"""
        reason = reason or self.env._("The notice was sent on that day or later.")
        for renewal in self:
            today = renewal.company_id._membri_today()
            for day, step, part in renewal._get_open_steps():
                if day < today or (day == today and step.trigger != "after_sent"):
                    renewal._log_reminder(step, part, "skipped", reason)

    def _update_next_reminder(self):
        """Store the day on which the next step falls: the queue and the night ask for it."""
        for renewal in self:
            next_date = next((day for day, *_others in renewal._get_open_steps()), False)
            if renewal.date_next_reminder != next_date:
                renewal._internal_write({"date_next_reminder": next_date})

    # ------------------------------------------------------------------
    # Nightly run
    # ------------------------------------------------------------------

    @api.model
    def _cron_send_reminders(self):
        """Send what waited for an address, then the automatic reminders that are due. May be run
        at any time, twice, by two workers, after days of silence: of several steps that are late,
        the last one goes out and the others are recorded as skipped."""
        self.env["account.move"]._membri_tell_unused_payments()
        self._send_waiting()
        domain = self._get_reminder_domain()

        def remind(due):
            errors = due._run_isolated_for_staff(type(self)._remind_by_steps)
            for renewal, error in errors.items():
                sentence = renewal._get_error_sentence(error)
                renewal._mark_failed(sentence)
                renewal._log_failed_reminder(sentence)

        def join(batch):  # one reminder to who pays for several
            return batch | self.search(domain & Domain("invoice_id", "in", batch.invoice_id.ids))

        self.env["ir.cron"]._membri_work_off(
            self, domain, remind, order="date_next_reminder, id", limit=BATCH, join=join
        )

    @api.model
    def _get_reminder_domain(self):
        """:return: renewals with a step that is due today or was before"""
        return Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("date_next_reminder", "<=", company._membri_today())
            for company in self.env["res.company"]._membri_get_all()
        ) & (
            Domain("state", "=", "sent")
            | (Domain("state", "=", "approved") & Domain("is_paid", "=", False))
        )

    def _remind_by_steps(self):
        """Send the last of the automatic steps that are due; held, without using them up,
        while a payment is under way, while no address works, and while what they would be about
        has not been sent."""
        steps = {}
        again = self.browse()
        for renewal in self:
            today = renewal.company_id._membri_today()
            due = [
                (step, part)
                for day, step, part in renewal._get_open_steps()
                if step.automatic and day <= today
            ]
            if not due or renewal._get_no_reminder_reason() or renewal._is_document_held():
                continue
            *overtaken, last = due
            if renewal._has_skipped_reminder(*last) and renewal._get_no_address_sentence():
                continue  # told once, and in the queue for that
            for entry in overtaken:
                reason = self.env._("A later reminder was also due.")
                renewal._log_reminder(*entry, "skipped", reason)
            if renewal._has_failed_reminder(*last):
                again |= renewal
            else:
                steps[renewal] = last
        # the same email once more: the mail server refused it, nobody got it
        again._do_retry_sending()
        messages, _skipped = self.browse(renewal.id for renewal in steps)._send_reminders(steps)
        if messages:
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()
