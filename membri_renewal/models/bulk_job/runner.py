from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..printing import NotPrinted
from ..renewal.renewal import ACTIVITY_ASK
from .bulk_job import FOREGROUND_LIMIT

# two workers wait for one another at the invoice number, for a part of a batch
BATCH = 100
# each with its document, which is held in memory
PRINTED_BATCH = 50
BULK_ACTIONS = (
    "send",
    "send_reminder",
    "approve",
    "apply_and_approve",
    "print_letter",
    "retry_sending",
    "end_unpaid",
)
SENDING_ACTIONS = ("send", "approve", "apply_and_approve", "send_reminder", "retry_sending")
PRINTING_ACTIONS = ("send", "send_reminder", "print_letter", "retry_sending")
NOT_EMAILED = ("unreachable", "letter", "failed")


class MembriBulkJob(models.Model):
    """How a job is worked off, by the engine of ``mixins/runner.py``: what a batch is, and what
    is done with its records."""

    _inherit = "membri.bulk.job"

    # ------------------------------------------------------------------
    # Start
    # ------------------------------------------------------------------

    @api.model
    def _start(self, action, renewals, lines_vals=None, **vals):
        """Do ``action`` on ``renewals``, now or in the background.

        :param action: one of the selection ``action``
        :param lines_vals: ``{renewal: values of its line}``, where they differ
        :param vals: values of the job: reason and note of a refusal
        :return: a client action that tells what happened, or shows the progress
        """
        renewals.check_access("write")
        if action == "print_letter":
            renewals = renewals._sorted_for_post()
        lines_vals = lines_vals or {}
        # sudo: jobs are the system's; the right to the renewals was checked
        job_sudo = self.sudo().create(
            {
                "action": action,
                "user_id": self.env.uid,
                "company_id": self.env.company.id,
                **vals,
            }
        )
        job_sudo.line_ids.create(
            [
                {"job_id": job_sudo.id, "renewal_id": renewal.id, **lines_vals.get(renewal, {})}
                # union: a client may name a record twice
                for renewal in self._order_for_batches(renewals.union())
            ]
        )
        job_sudo._work_now_or_later()
        if job_sudo.done_count == job_sudo.total_count:
            return job_sudo._get_success_notification()
        return job_sudo._get_records_action(target="current")

    @api.model
    def _get_selection(self, records):
        """The web client names at most ``web.active_ids_limit`` records when all of a list are
        selected. Where it had to stop there, its domain says which are meant.

        :param records: what a server action or a button got
        :return: all that the user has selected
        """
        domain = self.env.context.get("active_domain")
        # sudo: parameters are the administrators'
        limit = self.env["ir.config_parameter"].sudo().get_param("web.active_ids_limit", "20000")
        if domain is None or len(records) < int(limit):
            return records
        return records.search(domain)

    def _work_now_or_later(self):
        """Work off up to a screenful while the user waits; hand more to the background run."""
        if not self._work_or_queue(self.todo_count, FOREGROUND_LIMIT):
            self._notify_progress()
            return
        # what somebody else has locked is not waited for
        self.line_ids.filtered(lambda line: line.result == "todo").write(
            {
                "result": "failed",
                "message": self.env._("Another user is working on it. Try again in a moment."),
            }
        )

    def _get_success_notification(self):
        self.ensure_one()
        if self.action == "print_letter":
            self.env["membri.renewal"]._tell_letters_printed(self.done_count)
            return self.action_download_letters()
        remarks = len(self.line_ids.filtered("message"))
        names = {"count": self.done_count, "queued": self.done_count - remarks, "remarks": remarks}
        sends = self.action in ("send_reminder", "retry_sending")
        if sends and remarks:
            message = self.env._(
                "Emails queued: %(queued)s. Not emailed: %(remarks)s; see “Letters to Print”, "
                "“Unreachable by Email” and “Failed Emails”.",
                **names,
            )
        elif sends:
            message = self.env._("Emails queued: %(queued)s.", **names)
        elif remarks:
            message = self.env._(
                "Renewals processed: %(count)s. Not emailed: %(remarks)s; see “Letters to "
                "Print”, “Unreachable by Email” and “Failed Emails”.",
                **names,
            )
        else:
            message = self.env._("Renewals processed: %(count)s.", **names)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if remarks else "success",
                "sticky": bool(remarks),
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # ------------------------------------------------------------------
    # Work
    # ------------------------------------------------------------------

    @api.model
    def _cron_process_bulk(self):
        """Work off what was asked for, a batch at a time, committed as it goes."""
        self._work_off(
            Domain("is_stopped", "=", False) & Domain("line_ids.result", "=", "todo"),
            self.env["membri.bulk.job.line"].search_count(
                Domain("result", "=", "todo") & Domain("job_id.is_stopped", "=", False)
            ),
        )

    def _process_batch(self):
        # EXTENDS runner_mixin
        self.ensure_one()
        lines = self._lock_batch(
            self.env["membri.bulk.job.line"],
            [("job_id", "=", self.id), ("result", "=", "todo")],
            self._get_batch_size(),
        )
        lines = self._with_invoice_group(lines)
        records = self._get_records(lines)
        free = self._as_requester(records.values()).try_lock_for_update()
        lines = lines.filtered(lambda line: records[line] in free)
        for line, vals in self._work_on(lines, records).items():
            line.write(vals)
        if not self._as_requester([]).has_access("write"):  # they have left, or lost the right
            self._tell_left_behind()
        return len(lines)

    def _tell_left_behind(self):
        """Nobody who looks at this job may go on: the officer is told, once, on the first renewal
        that it has not processed, beside whatever else is asked there."""
        left = self.line_ids.filtered(lambda line: line.result == "failed" and line.renewal_id)
        if not left or self._find_left_behind():
            return
        [told] = left[0].renewal_id._split_by_staff_lang()
        job = self.with_env(told.env)
        # of those before, it may be another error
        sentence = job._get_stopped_sentence(left[-1].message)
        assignee = told._get_officer() or told.company_id._membri_get_assignee()
        told.activity_schedule(
            ACTIVITY_ASK,
            summary=f"{job.name}. {sentence}",
            user_id=(assignee or self.env.user).id,
        )

    def _find_left_behind(self):
        """:return: what was asked of :meth:`_tell_left_behind` (activities, in sudo)"""
        # sudo: whoever goes on ends it
        asked_sudo = self.sudo().line_ids.renewal_id.activity_search([ACTIVITY_ASK])
        names = [f" #{job.id}. " for job in self]
        return asked_sudo.filtered(
            lambda asked: any(name in (asked.summary or "") for name in names)
        )

    def _get_batch_size(self):
        return min(BATCH, PRINTED_BATCH) if self.action in PRINTING_ACTIONS else BATCH

    def _count_batches(self):
        # EXTENDS runner_mixin
        return -(-self.todo_count // self._get_batch_size())

    def _work_on(self, lines, records):
        """:return: ``{line: its result and message}``"""
        as_requester = self._as_requester(records[line] for line in lines)
        reasons, not_sent = {}, {}

        def ask_for_reasons(subset):
            for record in subset:
                reasons[record.id] = self._get_cannot_reason(record)

        # isolated as well: the user may have lost the right to see them
        errors = as_requester._run_isolated(ask_for_reasons)
        lines_by_id = {records[line].id: line for line in lines}
        ready = as_requester.filtered(lambda r: r not in errors and not reasons[r.id])

        def apply(subset):
            told = self._apply(
                subset,
                self.env["membri.bulk.job.line"].union(
                    *(lines_by_id[record.id] for record in subset)
                ),
            )
            if isinstance(told, dict):  # actions of extensions may return anything
                not_sent.update({record.id: reason for record, reason in told.items()})

        errors |= ready._run_isolated(apply)
        results = {}
        for record in as_requester:
            line = lines_by_id[record.id]
            if record in errors:
                message = record._get_error_sentence(errors[record])
                if isinstance(errors[record], NotPrinted):
                    record._mark_failed(message)
                results[line] = {"result": "failed", "message": message}
            elif reasons[record.id]:
                results[line] = {"result": "skipped", "message": reasons[record.id]}
            elif record.id in not_sent:
                results[line] = {"result": "skipped", "message": not_sent[record.id]}
            else:
                results[line] = {"result": "done", "message": self._get_remark(record)}
        return results

    def _as_requester(self, records):
        """Return ``records`` (an iterable of one model) as the user who asked for the job,
        in the company and the language they asked in."""
        self.ensure_one()
        return (
            self.env[self._get_record_model()]
            .union(*records)
            .with_user(self.user_id)
            .with_company(self.company_id)
            .with_context(lang=self.user_id.lang)
        )

    # ------------------------------------------------------------------
    # Hooks
    # ------------------------------------------------------------------

    @api.model
    def _get_record_model(self):
        """:return: the model that this job works on; it inherits ``membri.state.mixin``"""
        return "membri.renewal"

    def _get_records(self, lines):
        """:return: ``{line: the record that it is about}``"""
        return {line: line.renewal_id for line in lines}

    def _get_cannot_reason(self, record):
        """:return: why ``record`` is to be skipped (a sentence), or ``False``"""
        return record._get_cannot_reason(self.action)

    def _apply(self, records, lines):
        """Do the action on ``records``, all of them or, by an exception, none.

        :param lines: their lines, for what is particular to each
        :return: ``{record: why nothing was done for it}``, or nothing
        """
        if self.action == "refuse":
            records._check_can("refuse")
            for (reason, note), group in lines.grouped(self._get_reason_of_line).items():
                (records & group.renewal_id.with_env(records.env))._do_refuse(reason, note)
        elif self.action == "send_reminder":
            records._check_can("send_reminder")
            return records._do_send_reminder()
        elif self.action == "print_letter":
            records._check_can("print_letter")
            self._print_letters(records)
        else:
            getattr(records, f"action_{self.action}")()
        return {}

    def _print_letters(self, records):
        """Print the letters of ``records``; an invoice that serves several members once in this
        job, whatever its batches are."""
        job_sudo = self.sudo()  # what a job has done is the system's
        known_ids = set(job_sudo.printed_invoice_ids.ids)
        again = records.filtered(lambda r: r.state == "approved" and r.invoice_id.id in known_ids)
        first = records - again
        # before it takes a while: of two workers, the one that comes second starts anew
        job_sudo.printed_invoice_ids |= first._get_printed_invoices_sudo()
        self.env.flush_all()
        if first:
            # sudo: the file belongs to the job, which its user may read and not write
            first._do_print_letters().sudo().write({"res_model": self._name, "res_id": self.id})
        again._record_printed_before()

    def _get_remark(self, record):
        """Return what to know of a ``record`` that is done, or ``False``: that no email went."""
        if self.action in SENDING_ACTIONS and record.delivery_state in NOT_EMAILED:
            if self.action == "send_reminder" and record.letter_state == "to_print":
                return self.env._("By mail: a letter is ready to print.")
            label = dict(record._fields["delivery_state"]._description_selection(record.env))
            return f"{label[record.delivery_state]}. {record.delivery_note or ''}".strip()
        return False

    def _get_reason_of_line(self, line):
        return (
            line.refusal_reason_id or self.refusal_reason_id,
            line.refusal_note or self.refusal_note,
        )


class MembriRenewal(models.Model):
    """Work on many (guide §2, *Approuver ou refuser plusieurs renouvellements à la fois*)."""

    _inherit = "membri.renewal"

    @api.model
    def _cron_process_bulk(self):
        """Work off the background jobs on many renewals."""
        self.env["membri.bulk.job"]._cron_process_bulk()

    def action_ask_bulk(self, action):
        """Say what :meth:`action_bulk` would do with the selection; the wizard does it."""
        return self.env["membri.bulk.start"]._get_wizard_action(action, self)

    def action_ask_end_unpaid(self):
        """Say what :meth:`action_end_unpaid` would do, to one or to many; the window does it."""
        return self.action_ask_bulk("end_unpaid")

    def action_bulk(self, action):
        """Do one action on many renewals: what can be done is done, the rest is listed with
        its reason. Beyond a screenful it goes to the background.

        :param action: one of ``BULK_ACTIONS``
        :return: a client action with the result
        """
        if action not in BULK_ACTIONS:
            raise UserError(
                self.env._(
                    "“%(action)s” is not available for several renewals at once.", action=action
                )
            )
        Job = self.env["membri.bulk.job"]
        return Job._start(action, Job._get_selection(self))
