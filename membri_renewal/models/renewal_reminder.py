from odoo import api, fields, models
from odoo.fields import Domain

BATCH = 50


class MembriRenewal(models.Model):
    """Reminders that never annoy (DESIGN §5.2): each step once, none after an answer or a
    payment, none while a payment is under way."""

    _inherit = "membri.renewal"

    # ------------------------------------------------------------------
    # By hand: "Renvoyer l'avis de renouvellement"
    # ------------------------------------------------------------------

    def action_send_reminder(self):
        """Send a reminder now. Uses up no automatic step, and keeps the first sending date."""
        self._check_can("send_reminder")
        self._do_send_reminder()
        return True

    def _get_cannot_send_reminder_reason(self):
        self.ensure_one()
        return self._get_no_reminder_reason()

    def _get_no_reminder_reason(self):
        """:return: why this renewal must not be reminded now (a sentence), or ``False``"""
        self.ensure_one()
        if self.is_paid:
            return self.env._(
                "%(renewal)s is paid: there is nothing to remind.", renewal=self.display_name
            )
        if self.state == "approved" and not self.invoice_id.sudo().partner_id.active:
            return self._get_archived_invoice_sentence()
        if self.state != "approved" and (reason := self._get_archived_reason()):
            return reason
        if self.state == "approved" and not self.invoice_id.sudo()._membri_is_payable():
            return self.env._(
                "The invoice of %(renewal)s is not posted: it cannot be paid now.",
                renewal=self.display_name,
            )
        if self._is_payment_under_way():
            return self.env._(
                "A payment of %(renewal)s is under way: wait for it before you remind.",
                renewal=self.display_name,
            )
        if self.cotisation_id.state == "cancelled":
            return self.env._(
                "The cotisation that %(renewal)s renews is cancelled: there is nothing to remind.",
                renewal=self.display_name,
            )
        return False

    def _is_payment_under_way(self):
        self.ensure_one()
        invoice = self.invoice_id.sudo()
        # a credit note of a part, or of another member's lines, is no payment
        return bool(invoice) and (
            invoice.payment_state in ("in_payment", "paid") or invoice._membri_has_money()
        )

    def _do_send_reminder(self, step=None):
        """:param step: the ``membri.reminder.step`` that is used up; by hand, none is"""
        self._send_reminders(dict.fromkeys(self, step))

    def _send_reminders(self, steps):
        """Remind ``self``, all in one batch, so that the PDFs are printed at once.

        :param steps: ``{renewal: membri.reminder.step or None}``
        """
        if not self:
            return
        now = fields.Datetime.now()
        renewals = self.union()  # a client may name a record twice
        messages = renewals._send_notice(
            lambda renewal: renewal._get_reminder_template(steps[renewal])
        )
        logs_vals = []
        for renewal in renewals:
            message = messages.get(renewal)
            if message:
                renewal._internal_write(
                    {"date_last_reminder": now, "reminder_count": renewal.reminder_count + 1}
                )
            reason = False if message else renewal._get_unreachable_reason()
            logs_vals.append(
                renewal._prepare_reminder_log_vals(
                    steps[renewal], "sent" if message else "skipped", reason, message
                )
            )
        # sudo: the log is written by the system only
        self.env["membri.reminder.log"].sudo().create(logs_vals)
        renewals._update_next_reminder()

    def _get_reminder_template(self, step=None):
        self.ensure_one()
        if step and step.mail_template_id:
            return step.mail_template_id
        if self.state == "approved":
            return self.env.ref("membri_renewal.mail_template_payment_reminder")
        return self.env.ref("membri_renewal.mail_template_reminder")

    def _prepare_reminder_log_vals(self, step, result, reason=None, message=None):
        """:param step: the ``membri.reminder.step`` that is used up; by hand, none is
        :param message: the email that went out, if any"""
        self.ensure_one()
        return {
            "renewal_id": self.id,
            "step_id": step.id if step else False,
            "message_id": message.id if message else False,
            "result": result,
            "reason": reason,
        }

    def _log_reminder(self, step, result, reason=None):
        # sudo: the log is written by the system only
        self.env["membri.reminder.log"].sudo().create(
            [renewal._prepare_reminder_log_vals(step, result, reason) for renewal in self]
        )

    def _log_failed_reminder(self, error):
        """Nothing went out: the step is not used up, tomorrow's night tries again. The log
        tells it once, with the last day."""
        self.ensure_one()
        today = self.company_id._membri_today()
        due = {step: step._get_due_date(self) for step in self._get_open_steps()}
        late = [step for step in due if step.automatic and due[step] <= today]
        step = max(late, key=due.get, default=self.env["membri.reminder.step"])
        logs_sudo = self.sudo().reminder_log_ids  # the log is written by the system only
        log_sudo = logs_sudo.filtered(lambda log: log.step_id == step and not log.uses_step)
        vals = {"date": fields.Datetime.now(), "reason": str(error)}
        if log_sudo:
            log_sudo.write(vals)
            return
        logs_sudo.create(
            {
                "renewal_id": self.id,
                "step_id": step.id,
                "uses_step": False,
                "result": "failed",
                **vals,
            }
        )

    # ------------------------------------------------------------------
    # What falls when
    # ------------------------------------------------------------------

    def _get_open_steps(self):
        """:return: the steps that may still fall: of the right kind for the state, not used
        up; a suggested one is done with any reminder from its day on"""
        self.ensure_one()
        if self.state == "sent":
            triggers = ("after_sent", "before_end", "after_end")
        elif self.state == "approved":
            # paid or not: money that goes away again must find its reminders (the queue and
            # the night ask for unpaid ones only)
            triggers = ("after_due",)
        else:
            return self.env["membri.reminder.step"]
        steps = self.option_set_id.reminder_ids.filtered(lambda s: s.trigger in triggers)
        steps -= self.sudo().reminder_log_ids.filtered("uses_step").step_id
        last = self.date_last_reminder and self.company_id._membri_local_date(
            self.date_last_reminder
        )

        def is_open(step):
            due = step._get_due_date(self)
            return due and (step.automatic or not last or last < due)

        return steps.filtered(is_open)

    def _skip_overtaken_steps(self):
        """The notice that goes out now stands for the reminders that were due before: the
        member is not reminded tomorrow of what came today."""
        for renewal in self:
            today = renewal.company_id._membri_today()
            for step in renewal._get_open_steps():
                due = step._get_due_date(renewal)
                if due < today or (due == today and step.trigger != "after_sent"):
                    renewal._log_reminder(
                        step, "skipped", self.env._("The notice was sent on that day or later.")
                    )

    def _update_next_reminder(self):
        """Store the day on which the next step falls: the queue and the night ask for it."""
        for renewal in self:
            dates = [step._get_due_date(renewal) for step in renewal._get_open_steps()]
            next_date = min(dates, default=False)
            if renewal.date_next_reminder != next_date:
                renewal._internal_write({"date_next_reminder": next_date})

    # ------------------------------------------------------------------
    # The night
    # ------------------------------------------------------------------

    @api.model
    def _cron_send_reminders(self):
        """Send the automatic reminders that are due. May be run at any time, twice, by two
        workers, after days of silence: of several steps that are late, the last one goes out
        and the others are recorded as skipped."""
        cron = self.env["ir.cron"]
        domain = self._get_reminder_domain()
        cron._commit_progress(remaining=self.search_count(domain))
        seen = self.browse()
        while batch := self.search(
            domain & Domain("id", "not in", seen.ids), limit=BATCH, order="date_next_reminder, id"
        ):
            seen |= batch
            locked = batch.try_lock_for_update().filtered_domain(domain)
            for renewals in locked._split_by_staff_lang():
                for renewal, error in renewals._run_isolated(type(self)._remind_by_steps).items():
                    sentence = renewal._get_error_sentence(error)
                    renewal._mark_failed(sentence)
                    renewal._log_failed_reminder(sentence)
            if not cron._commit_progress(len(batch)):
                return
        cron._commit_progress(remaining=0)

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
        while a payment is under way."""
        steps = {}
        for renewal in self:
            today = renewal.company_id._membri_today()
            due = {
                step: renewal_due
                for step in renewal._get_open_steps().filtered("automatic")
                if (renewal_due := step._get_due_date(renewal)) <= today
            }
            held = renewal._is_payment_announced()
            if not due or held or renewal._get_no_reminder_reason():
                continue
            *overtaken, last = sorted(due, key=due.get)
            for step in overtaken:
                renewal._log_reminder(
                    step, "skipped", self.env._("A later reminder was due as well.")
                )
            steps[renewal] = last
        self.browse(renewal.id for renewal in steps)._send_reminders(steps)


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    def write(self, vals):
        # EXTENDS membri_renewal: reminders that count from the end of the term
        result = super().write(vals)
        if "date_end" in vals:
            # sudo: the dates of reminders are kept by the system
            self.sudo().renewal_ids._update_next_reminder()
        return result
