from odoo import api, fields, models

RESULTS = [
    ("sent", "Sent"),
    ("to_print", "Letter to Print"),
    ("skipped", "Skipped"),
    ("failed", "Failed"),
]


class MembriReminderLog(models.Model):
    """What became of each reminder step of each renewal: sent, skipped or failed, and why."""

    _name = "membri.reminder.log"
    _description = "Reminder Log"
    _inherit = "membri.fields.mixin"
    _written_by_clients = False
    _order = "date desc, id desc"

    renewal_id = fields.Many2one("membri.renewal", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="renewal_id.company_id", store=True, index=True)
    step_id = fields.Many2one(
        "membri.reminder.step", ondelete="set null", help="Empty if sent manually."
    )
    date = fields.Datetime(required=True, default=fields.Datetime.now)
    date_due = fields.Date(
        string="Due Installment",
        help="Due date of the installment concerned: each installment has its own reminders. "
        "Empty for a notice, or where installments were not recorded.",
    )
    message_id = fields.Many2one(
        "mail.message",
        ondelete="set null",
        index="btree_not_null",
        help="Email used to detect a failed delivery.",
    )
    uses_step = fields.Boolean(
        string="Counts for Step",
        default=True,
        help="If disabled, nothing could be sent and the nightly run tries again.",
    )
    result = fields.Selection(RESULTS, required=True)
    shown_result = fields.Selection(
        [("queued", "Queued"), *RESULTS],
        string="Reminder Status",
        compute="_compute_shown_result",
        help="Queued until the mail server has taken the email.",
    )
    reason = fields.Char()

    @api.depends("result", "message_id")
    def _compute_shown_result(self):
        # sudo: the queue of emails is the administrator's
        waiting_sudo = (
            self.env["mail.mail"]
            .sudo()
            .search(
                [("mail_message_id", "in", self.message_id.ids), ("state", "=", "outgoing")],
            )
        )
        for log in self:
            is_queued = log.result == "sent" and log.message_id in waiting_sudo.mail_message_id
            log.shown_result = "queued" if is_queued else log.result

    _once = models.UniqueIndex(
        "(renewal_id, step_id, COALESCE(date_due, '-infinity'::date))"
        " WHERE step_id IS NOT NULL AND uses_step",
        "Each reminder is recorded once per renewal and installment.",
    )


class MembriRenewal(models.Model):
    """What became of the reminders of a renewal: kept step by step, counted, and corrected when an
    email fails afterwards or a letter is printed."""

    _inherit = "membri.renewal"

    def _count_reminder(self):
        now = fields.Datetime.now()
        for renewal in self:
            renewal._internal_write(
                {"date_last_reminder": now, "reminder_count": renewal.reminder_count + 1}
            )

    def _record_printed_reminders(self):
        """The letters of these renewals were printed: the reminders that waited for it are out.
        Where the document itself was printed only now, it stands for them: who reads of it for
        the first time was not reminded."""
        for renewal in self:
            logs_sudo = renewal.sudo().reminder_log_ids  # the log is written by the system only
            waiting_sudo = logs_sudo.filtered(lambda log: log.result == "to_print")
            if waiting_sudo and renewal.letter_content == "document":
                [told] = renewal._split_by_staff_lang()
                waiting_sudo.write(
                    {
                        "result": "skipped",
                        "reason": told.env._("A letter was mailed on that day or later."),
                    }
                )
            elif waiting_sudo:
                waiting_sudo.write(
                    {"result": "sent", "reason": False, "date": fields.Datetime.now()}
                )
                renewal._count_reminder()

    def _drop_waiting_reminders(self, reason):
        """The letters that these reminders waited for are not printed: nobody was reminded, and
        no step is used up.

        :param reason: why (a sentence)"""
        for renewal in self:
            logs_sudo = renewal.sudo().reminder_log_ids  # the log is written by the system only
            waiting_sudo = logs_sudo.filtered(lambda log: log.result == "to_print")
            if waiting_sudo:
                waiting_sudo.write({"result": "skipped", "reason": reason, "uses_step": False})
                renewal._update_next_reminder()

    def _record_reminder(self, message, result, reason=False):
        """What became of a reminder afterwards: one that did not leave uses up no step, and does
        not count.

        :param message: its ``mail.message``; empty for what never got as far as an email
        :param result: of ``membri.reminder.log``
        """
        self.ensure_one()
        logs_sudo = self.sudo().reminder_log_ids  # the log is written by the system only
        mine = logs_sudo.filtered(lambda log: log.message_id == message and log.result != result)
        if not message:  # the last one that waits for its email
            mine = mine.filtered(lambda log: log.result == "sent" and not log.reason)[:1]
        for log in mine:
            had_left = log.result == "sent"
            taken = logs_sudo.filtered(
                lambda other, log=log: (
                    other != log
                    and other.uses_step
                    and (other.step_id, other.date_due) == (log.step_id, log.date_due)
                )
            )
            log.write(
                {
                    "result": result,
                    "reason": reason,
                    "uses_step": result == "sent" and not (log.step_id and taken),
                }
            )
            if result == "sent":
                self._count_reminder()
            elif had_left:
                left = logs_sudo.filtered(lambda other: other.result == "sent")
                self._internal_write(
                    {
                        "date_last_reminder": max(left.mapped("date"), default=False),
                        "reminder_count": max(self.reminder_count - 1, 0),
                    }
                )
        if mine:
            self._update_next_reminder()

    def _retry_reminder(self, message, instead=None):
        """Another email goes out instead of ``message``, which failed or has come back.

        :param instead: its ``mail.message``; default: the next one that is made"""
        if not message:
            return
        for renewal in self:
            # sudo: the log is the system's
            logs_sudo = renewal.sudo().reminder_log_ids.filtered(
                lambda log: log.message_id == message
            )
            renewal._record_reminder(message, "sent")
            logs_sudo.message_id = instead or False

    def _link_reminder(self, message):
        """:param message: the email that the last reminders of ``self`` went out with"""
        for renewal in self:
            # sudo: the log is the system's
            logs_sudo = renewal.sudo().reminder_log_ids.filtered(
                lambda log: log.result == "sent" and not log.message_id and not log.reason
            )
            logs_sudo[:1].message_id = message

    def _prepare_reminder_log_vals(self, step, part, result, reason=None, message=None):
        """:param step: the ``membri.reminder.step`` that is used up; by hand, none is
        :param part: the day on which the part of the invoice is due; default: the earliest
        :param message: the email that went out, if any"""
        self.ensure_one()
        return {
            "renewal_id": self.id,
            "step_id": step.id if step else False,
            "date_due": self.state == "approved" and (part or self._get_due_day()),
            "message_id": message.id if message else False,
            "result": result,
            "reason": reason,
        }

    def _log_reminder(self, step, part, result, reason=None):
        # sudo: the log is written by the system only
        self.env["membri.reminder.log"].sudo().create(
            [renewal._prepare_reminder_log_vals(step, part, result, reason) for renewal in self]
        )

    def _log_failed_reminder(self, error):
        """Nothing went out: the step is not used up, tomorrow's night tries again. The log
        tells it once, with the last day."""
        self.ensure_one()
        today = self.company_id._membri_today()
        step, part = self.env["membri.reminder.step"], None
        for day, open_step, open_part in self._get_open_steps():
            if open_step.automatic and day <= today:
                step, part = open_step, open_part
        failed = self._prepare_reminder_log_vals(step, part, "failed")
        logs_sudo = self.sudo().reminder_log_ids  # the log is written by the system only
        log_sudo = logs_sudo.filtered(
            lambda log: (
                log.step_id == step and log.date_due == failed["date_due"] and not log.uses_step
            )
        )
        vals = {"date": fields.Datetime.now(), "reason": str(error)}
        if log_sudo:
            log_sudo.write(vals)
            return
        logs_sudo.create({**failed, "uses_step": False, **vals})

    def _has_skipped_reminder(self, step, part):
        """:return: whether it is told already that this step could not go out"""
        self.ensure_one()
        logs_sudo = self.sudo().reminder_log_ids  # sudo: members read no log
        return any(
            log.step_id == step
            and log.result == "skipped"
            and not log.uses_step
            and log.date_due == part
            for log in logs_sudo
        )

    def _has_failed_reminder(self, step, part):
        """:return: whether the email of this step is there, and did not leave"""
        self.ensure_one()
        # sudo: members read no log
        logs_sudo = self.sudo().reminder_log_ids.filtered(
            lambda log: (
                (log.step_id, log.date_due, log.result) == (step, part, "failed") and log.message_id
            )
        )
        return bool(logs_sudo) and self._get_failed_mails().mail_message_id in logs_sudo.message_id
