import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from .state import run_isolated

_logger = logging.getLogger(__name__)

CONCURRENCY_TRIES = 5
# how soon to look again at what somebody else has locked
BUSY_DELAY = timedelta(minutes=1)
# other workers may have the first lines: batches that are looked at to find one
LOOK_AHEAD = 10


class IrCron(models.Model):
    """The loop of our scheduled work on single records."""

    _inherit = "ir.cron"

    @api.model
    def _membri_work_off(
        self, Model, domain, work, *, order="id", limit=50, join=None, search=None
    ):
        """Work off what is due, batch by batch, committed as it goes: a server that is killed
        loses nothing, and what stays due is met once in a run. What somebody else has locked
        is looked at again a minute later.

        :param Model: an empty recordset of what is worked on
        :param domain: what is due; asked of each record again once it is locked
        :param work: function of a recordset; what fails is told on its records by itself
        :param join: function of a batch that returns it with what must not be parted from it
        :param search: function that returns the ids of what is due, where indexes find it more
            quickly than by ``domain``
        """
        search = search or (lambda: Model.search(domain, order=order).ids)
        seen, busy = set(), Model.browse()
        # what becomes due meanwhile is worked off last
        while found := [record_id for record_id in search() if record_id not in seen]:
            self._commit_progress(remaining=len(found))
            for start in range(0, len(found), limit):
                batch = Model.browse(i for i in found[start : start + limit] if i not in seen)
                if not batch:
                    continue  # taken along with others
                if join:
                    batch = join(batch).filtered(lambda record: record.id not in seen)
                seen.update(batch.ids)
                free = batch.try_lock_for_update()
                busy |= batch - free
                if due := free.filtered_domain(domain):
                    work(due)
                if not self._commit_progress(len(batch)):
                    return
        if busy and (cron_id := self.env.context.get("cron_id")):
            self.browse(cron_id)._trigger(fields.Datetime.now() + BUSY_DELAY)
        self._commit_progress(remaining=0)


class MembriRunnerMixin(models.AbstractModel):
    """Work on many that a user has asked for, at once or in the background: a batch at a time,
    as that user. What a batch did is committed together with the results of its lines, so a
    server that is killed loses nothing and repeats nothing."""

    _name = "membri.runner.mixin"
    _description = "Work on many, in batches"
    _work_cron = None  # the external identifier of the background run
    # further scheduled actions that do the same: one of them is run by one worker at a time, and
    # batches are shared out by their locks
    _work_helpers = 3

    def _work_or_queue(self, count, limit):
        """Do it while the user waits, or hand it to the background run.

        :param count: how many lines there are to work on
        :param limit: how many of them the user waits for
        :return: whether it was done, but for lines that somebody else has locked"""
        self.ensure_one()
        if count > limit:
            self._trigger_work()
            return False
        while self._process_batch():
            pass
        return True

    def _trigger_work(self, at=None):
        """Have the background run look at it, on as many workers as there are."""
        names = [f"{self._work_cron}_{number}" for number in range(2, 2 + self._work_helpers)]
        self.env.ref(self._work_cron)._trigger(at)
        for name in names:  # who has taken some of them away has fewer workers
            if helper := self.env.ref(name, raise_if_not_found=False):
                helper._trigger(at)

    def _lock_batch(self, Line, domain, limit):
        """Return the first ``limit`` of the lines that ``domain`` finds and nobody else works
        on; other workers may have the ones before. Who finds others at work begins with half a
        batch: workers that are woken together would all arrive at the invoice number together,
        and wait there for one another."""
        lines = Line.search(domain, limit=LOOK_AHEAD * limit, order="id")
        if self.env.context.get("membri_first_batch") and not lines[:1].try_lock_for_update():
            limit = -(-limit // 2)
        return lines.try_lock_for_update(limit=limit)

    @api.model
    def _work_off(self, domain, todo):
        """The background run: first come, first served, a batch at a time.

        :param domain: the records of this model that are at work
        :param todo: how many lines they still have to do"""
        cron = self.env["ir.cron"]
        # its time is up: the scheduler has called it again in one run, for which all together the
        # limits of a worker hold
        if not cron._commit_progress(remaining=max(todo, 1)):
            return
        waiting = self.browse()  # somebody else has locked their lines
        is_first = True
        while piece := self.search(
            domain & Domain("id", "not in", waiting.ids), order="id", limit=1
        ):
            piece = piece.with_context(membri_first_batch=is_first)
            processed = piece._process_batch_with_retries()
            is_first = False
            if processed:
                piece._notify_progress()
            else:
                waiting |= piece.with_env(self.env)
            # there is some as long as it was not looked for in vain, whatever was counted: a run
            # that ends with nothing left is called again an hour later
            todo -= processed
            if not cron._commit_progress(processed, remaining=max(todo, 1)):
                # the scheduler would go on when it next wakes up, a minute later: it is woken, but
                # for what others have locked, which it would ask for without a rest
                if processed and (cron_id := self.env.context.get("cron_id")):
                    cron.browse(cron_id)._trigger()
                return
        if waiting.filtered_domain(domain):
            self._trigger_work(fields.Datetime.now() + BUSY_DELAY)
        cron._commit_progress(remaining=0)

    def _process_batch_with_retries(self):
        """As Odoo does for requests: a batch that collides with another transaction is
        rolled back and done again."""
        tries = 1
        while True:
            try:
                return self._process_batch_isolated()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                self.env.cr.rollback()
                self.env.transaction.reset()
                if tries == CONCURRENCY_TRIES:
                    raise
            tries += 1
            _logger.info("%s collided with another transaction: try %s", self, tries)

    def _process_batch_isolated(self):
        """Work off one batch in the background, where one that cannot go on, e.g. because its user
        has left, stops, and never the others.

        :return: as :meth:`_process_batch`"""
        counts = []

        def process(record):
            counts.append(record._process_batch())

        for record, error in run_isolated(self, process).items():
            record._stop_work(error)
        return sum(counts)

    # ------------------------------------------------------------------
    # Hooks
    # ------------------------------------------------------------------

    def _process_batch(self):
        """Work off one batch, as the user who asked for it.

        :return: how many lines got their result; 0 when none is left, or others have them
            locked"""
        raise NotImplementedError

    def _count_batches(self):
        """:return: how many batches are left: as many workers can help"""
        return 1

    def _stop_work(self, error):
        """This one cannot go on: take it out of what is at work, and say why."""
        raise error

    def _get_stopped_sentence(self, error):
        """:param error: a sentence
        :return: that the work was stopped, why, and how it goes on (sentences)"""
        return self.env._(
            "The work was stopped: %(error)s Whoever resumes it continues with "
            "their own access rights.",
            error=error,
        )

    def _notify_progress(self):
        """A batch was done: tell who waits for it."""
