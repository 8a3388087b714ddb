from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import MembriCommon

CRON = "ir_cron_process_bulk"
WORK = "odoo.addons.membri_renewal.models.bulk_job.runner"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestBulkSelection(MembriCommon):
    """What is selected is what is worked on: by one reason or many, all pages included, and
    whoever else is at work."""

    def _create_drafts(self, count):
        renewals = self.env["membri.renewal"]
        for _number in range(count):
            renewals |= self._create_renewal(self._create_yearly())
        return renewals

    def _in_background(self):
        return patch(f"{WORK}.FOREGROUND_LIMIT", 0)

    def _get_job(self, action):
        self.assertEqual(action["res_model"], "membri.bulk.job")
        return self.env["membri.bulk.job"].browse(action["res_id"])

    # ------------------------------------------------------------------
    # One reason for all, or one for each
    # ------------------------------------------------------------------

    def test_reason_for_each(self):
        """Filled with the common reason, changed where another holds; a later change of the
        common one leaves the officer's own alone."""
        renewals = self._create_drafts(3)
        dear, closed = (
            self.env.ref(f"membri_renewal.refusal_reason_{name}") for name in ("price", "closed")
        )
        action = renewals.browse(renewals.ids).action_refuse()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        form.reason_id = dear
        form.note = "Called in November"
        form.is_per_line = True
        self.assertEqual(len(form.line_ids), 3)
        with form.line_ids.edit(1) as line:
            self.assertEqual(line.reason_id, dear)
            line.reason_id = closed
            line.note = "Sold to a competitor"
        form.reason_id = self.reason
        form.save().action_confirm()
        self.assertEqual(renewals.mapped("state"), ["refused"] * 3)
        self.assertEqual(
            [(renewal.refusal_reason_id, renewal.refusal_note) for renewal in renewals],
            [
                (self.reason, "Called in November"),
                (closed, "Sold to a competitor"),
                (self.reason, "Called in November"),
            ],
        )

    def test_one_reason_for_all_makes_no_lines(self):
        renewals = self._create_drafts(2)
        action = renewals.action_refuse()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        form.reason_id = self.reason
        wizard = form.save()
        self.assertTrue(wizard.can_differ)
        self.assertFalse(wizard.line_ids)
        wizard.action_confirm()
        self.assertEqual(renewals.refusal_reason_id, self.reason)

    def test_a_reason_for_each_of_a_screenful_only(self):
        renewals = self._create_drafts(3)
        wizard = self.env["membri.renewal.refuse"].create(
            {"renewal_ids": renewals.ids, "reason_id": self.reason.id}
        )
        self.assertTrue(wizard.can_differ)
        with patch("odoo.addons.membri_renewal.wizard.renewal_refuse.FOREGROUND_LIMIT", 2):
            wizard.invalidate_recordset()
            self.assertFalse(wizard.can_differ)
        wizard.renewal_ids = renewals[0]
        self.assertFalse(wizard.can_differ)

    def test_thousands_are_refused_from_a_saved_window(self):
        """Their ids do not travel to the browser and back; a reason is needed all the same."""
        renewals = self._create_drafts(3)
        with patch("odoo.addons.membri_renewal.wizard.renewal_refuse.FOREGROUND_LIMIT", 2):
            action = renewals.browse(renewals.ids).action_refuse()
        self.assertNotIn("context", action)
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(wizard.renewal_ids, renewals)
        with self.assertRaisesRegex(UserError, "Choose a decline reason"):
            wizard.action_confirm()
        self.assertEqual(renewals.mapped("state"), ["draft"] * 3)
        form = Form(wizard)
        form.reason_id = self.reason
        form.save().action_confirm()
        self.assertEqual(renewals.refusal_reason_id, self.reason)

    # ------------------------------------------------------------------
    # "Select all 12,000"
    # ------------------------------------------------------------------

    def test_more_than_the_web_client_names(self):
        """It stops at ``web.active_ids_limit``: the domain of the list says the rest."""
        renewals = self._create_drafts(5)
        self.env_root["ir.config_parameter"].set_param("web.active_ids_limit", 3)
        named = renewals[:3].with_context(active_domain=[("id", "in", renewals.ids)])
        named.action_bulk("approve")
        self.assertEqual(renewals.mapped("state"), ["approved"] * 5)

    def test_a_selection_is_not_widened(self):
        renewals = self._create_drafts(5)
        self.env_root["ir.config_parameter"].set_param("web.active_ids_limit", 4)
        named = renewals[:3].with_context(active_domain=[("id", "in", renewals.ids)])
        named.action_bulk("approve")
        self.assertEqual(renewals.mapped("state"), ["approved"] * 3 + ["draft"] * 2)

    def test_refuse_more_than_the_web_client_names(self):
        renewals = self._create_drafts(4)
        self.env_root["ir.config_parameter"].set_param("web.active_ids_limit", 2)
        action = (
            self.env.ref("membri_renewal.action_server_renewal_refuse")
            .with_context(
                active_model="membri.renewal",
                active_ids=renewals[:2].ids,
                active_domain=[("id", "in", renewals.ids)],
            )
            .run()
        )
        self._open_wizard(action, reason_id=self.reason.id).action_confirm()
        self.assertEqual(renewals.mapped("state"), ["refused"] * 4)

    def test_queries_do_not_grow_with_the_selection(self):
        """Queueing costs the same number of statements for few and for many."""
        counts = []
        for size in (10, 40):
            renewals = self._create_drafts(size)
            self.env.flush_all()
            self.env.invalidate_all()
            with self._in_background():
                before = self.env.cr.sql_log_count
                renewals.action_bulk("approve")
                self.env.flush_all()
                counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1] - counts[0], 2, counts)

    # ------------------------------------------------------------------
    # Others at work
    # ------------------------------------------------------------------

    def _lock(self, *locked):
        """Some renewals are locked by somebody else."""
        original = type(self.env["membri.renewal"]).try_lock_for_update

        def try_lock_for_update(records, **kwargs):
            free = records.filtered(lambda record: record.id not in [r.id for r in locked])
            return original(free, **kwargs)

        return patch.object(
            self.registry["membri.renewal"], "try_lock_for_update", try_lock_for_update
        )

    def test_locked_waits_in_the_background(self):
        """The others go on; what is locked is done by a later run, not given up."""
        renewals = self._create_drafts(3)
        with self._in_background():
            job = self._get_job(renewals.action_bulk("approve"))
        with self._lock(renewals[0]):
            self._run_cron(CRON)
        self.assertEqual((job.done_count, job.todo_count, job.failed_count), (2, 1, 0))
        self.assertEqual(renewals[0].state, "draft")
        cron = self.env_root.ref(f"membri_renewal.{CRON}")
        again = self.env_root["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertIn("2026-11-15 15:01:00", again.mapped(lambda t: str(t.call_at)))
        self._run_cron(CRON)
        self.assertEqual((job.done_count, job.todo_count), (3, 0))

    def test_second_worker_begins_with_half_a_batch(self):
        """Else both arrive at the invoice number together, and one waits for the other."""
        renewals = self._create_drafts(7)
        with self._in_background():
            job = self._get_job(renewals.action_bulk("approve"))
        theirs = job.line_ids[0]
        Line = self.registry["membri.bulk.job.line"]
        lock, taken = Line.try_lock_for_update, []

        def try_lock_for_update(lines, **kwargs):
            locked = lock(lines - theirs, **kwargs)
            taken.append(len(locked))
            return locked

        with (
            patch(f"{WORK}.BATCH", 4),
            patch.object(Line, "try_lock_for_update", try_lock_for_update),
        ):
            self._run_cron(CRON)
        self.assertEqual(taken[:3], [0, 2, 4])  # is the first one free?, half a batch, a whole one
        self.assertEqual((job.done_count, job.todo_count), (6, 1))
        self._run_cron(CRON)
        self.assertEqual(job.done_count, 7)

    def test_locked_is_said_at_once_in_the_foreground(self):
        renewals = self._create_drafts(2)
        with self._lock(renewals[1]):
            job = self._get_job(renewals.action_bulk("approve"))
        self.assertEqual((job.done_count, job.failed_count), (1, 1))
        self.assertIn("Another user is working on it", job.problem_line_ids.message)
        job.action_retry()
        self.assertEqual((job.done_count, job.failed_count), (2, 0))

    def test_collision_is_tried_again(self):
        """The database refuses one of two transactions: that batch is simply done again."""
        renewals = self._create_drafts(2)
        with self._in_background():
            job = self._get_job(renewals.action_bulk("approve"))
        self.env.flush_all()
        tries = []
        original = type(job)._apply

        def _apply(batch_job, records, lines):
            tries.append(len(records))
            if len(tries) == 1:
                raise SerializationFailure("could not serialize access")
            return original(batch_job, records, lines)

        with patch.object(self.registry["membri.bulk.job"], "_apply", _apply), mute_logger(WORK):
            self._run_cron(CRON)
        self.assertEqual(tries, [2, 2])
        self.assertEqual((job.done_count, job.todo_count), (2, 0))
        self.assertEqual(len(renewals.invoice_ids), 2)

    # ------------------------------------------------------------------
    # Progress on every page
    # ------------------------------------------------------------------

    def test_progress_is_told_to_who_asked(self):
        renewals = self._create_drafts(3)
        with self._in_background():
            job = self._get_job(renewals.action_bulk("approve"))
        [known] = self.env["membri.bulk.job"]._get_running_progress()
        self.assertEqual((known["id"], known["progress"], known["state"]), (job.id, 0, "running"))
        Job = self.env["membri.bulk.job"].with_user(self.manager)
        self.assertFalse(Job._get_running_progress(), "nothing of the colleagues")
        sent = []
        with patch.object(
            self.registry["res.users"],
            "_bus_send",
            lambda users, kind, message, **_kw: sent.append((users.login, kind, message)),
        ):
            self._run_cron(CRON)
        self.assertEqual(
            {(login, kind) for login, kind, _m in sent}, {("officer", "membri_bulk_job")}
        )
        self.assertEqual((sent[-1][2]["state"], sent[-1][2]["done_count"]), ("finished", 3))
        self.assertFalse(self.env["membri.bulk.job"]._get_running_progress())
        self.assertEqual(job.get_progress()[0]["state"], "finished")

    def test_another_action_by_the_hooks(self):
        """An extension adds an action: here, one that leaves a note."""
        renewals = self._create_drafts(2)
        Job = self.registry["membri.bulk.job"]
        with (
            patch.object(Job, "_get_cannot_reason", lambda _job, record: False),
            patch.object(
                Job,
                "_apply",
                lambda _job, records, lines: [
                    record._message_log(body=f"line {line.id}")
                    for record, line in zip(records, lines, strict=True)
                ],
            ),
        ):
            self.env["membri.bulk.job"]._start("send", renewals)
        line = self.env["membri.bulk.job.line"].search([("renewal_id", "=", renewals[1].id)])
        self.assertIn(f"line {line.id}", renewals[1].message_ids[0].body)
        self.assertEqual(renewals.mapped("state"), ["draft", "draft"])
