import logging

from psycopg2 import IntegrityError, OperationalError

from odoo import models
from odoo.exceptions import LockError, RedirectWarning, UserError

_logger = logging.getLogger(__name__)


def get_redirect(sentence, action, label):
    """:param action: the id of an action, or its values
    :param label: of the button that leads there
    :return: the exception that refuses with ``sentence`` and leads to the way out"""
    warning = RedirectWarning(sentence, action, label)
    warning.loglevel = logging.INFO  # a slip, which Odoo would log as a failure
    return warning


def run_isolated(records, effect, split=list):
    """Run ``effect(records)`` as one batch; when that fails, on the parts of it, so that a bad
    record never stops the others.

    :param effect: function of a recordset; what a failing call did is rolled back
    :param split: function from a recordset to the smaller ones that are tried one by one
    :return: ``{record: exception}`` of the records that failed
    :raises OperationalError: the database's own trouble (a concurrent update, a lost
        connection), which is for the caller's whole transaction to retry
    """
    if not records:
        return {}
    try:
        with records.env.cr.savepoint():
            effect(records)
        return {}
    except OperationalError:
        raise
    except Exception as error:
        _logger.info("%s failed on %s", effect.__name__, records, exc_info=True)
        if len(records) == 1:
            return {records: error}
    errors = {}
    for part in split(records):
        errors |= run_isolated(part, effect, split)
    return errors


class MembriStateMixin(models.AbstractModel):
    """The one place where ``state`` is written.

    A drag in a kanban, an import or an RPC ``write`` that would change the state is
    refused; the methods of the state machines go through :meth:`_set_state`.
    """

    _name = "membri.state.mixin"
    _description = "Record with a Status"
    _inherit = "membri.fields.mixin"
    _locked_fields = frozenset({"state"})

    def _set_state(self, state, **vals):
        """Move ``self`` to ``state``, with the other values that go with the move."""
        result = self._internal_write({"state": state, **vals})
        self._after_state(state)
        return result

    def _after_state(self, state):
        """Hook: ``self`` was moved to ``state``, or stayed in it with other values."""

    def write(self, vals):
        if self and "state" in vals and not self._is_internal_write():
            self.check_access("write")  # the sentence names the record
            if moved := self._filter_changed("state", vals["state"]):
                # in sudo too: no other method of ours, or of another add-on, has a reason to
                raise UserError(
                    self.env._(
                        "Use the buttons to change the status of %(record)s.",
                        record=moved[0].display_name,
                    )
                )
        return super().write(vals)

    def _get_state_label(self):
        self.ensure_one()
        return dict(self._fields["state"]._description_selection(self.env))[self.state]

    # ------------------------------------------------------------------
    # Guards
    # ------------------------------------------------------------------

    def _check_can(self, step):
        """Lock the records, then ask each whether it may take this step.

        :raises AccessError: when the user may not change them
        :raises UserError: naming the first record that may not, and why
        """
        self.check_access("write")
        self._lock()
        for record in self:
            if reason := record._get_cannot_reason(step):
                raise UserError(reason)

    def _lock(self):
        """Two people on one record: the second sees what the first has done."""
        try:
            self.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._(
                    "Another user or a background job is processing one of these records. "
                    "Try again in a moment."
                )
            ) from error
        self.invalidate_recordset(["state"])

    def _get_cannot_reason(self, step):
        """Hook: why this record may not take ``step`` (a sentence), or ``False``"""
        self.ensure_one()
        return False

    # ------------------------------------------------------------------
    # Isolation: one bad record never stops the others
    # ------------------------------------------------------------------

    def _get_staff_lang(self):
        """:return: the language of what is kept about this record for the staff"""
        self.ensure_one()
        return self.company_id._membri_get_staff_lang()

    def _split_by_staff_lang(self):
        """The scheduler has no language: what it keeps (reasons, logs, activities) is read by
        the staff.

        :return: list of recordsets that make up ``self``, each in the language of its staff"""
        return [
            records.with_context(lang=lang or self.env.lang)
            for lang, records in self.grouped(lambda record: record._get_staff_lang()).items()
        ]

    def _run_isolated(self, effect):
        """Return the same as :func:`run_isolated`; records that belong together are first tried
        together."""
        return run_isolated(self, effect, lambda records: records._split_for_isolation(effect))

    def _run_isolated_for_staff(self, effect):
        """:return: as :meth:`_run_isolated`, of records in the language of their staff"""
        errors = {}
        for records in self._split_by_staff_lang():
            errors |= records._run_isolated(effect)
        return errors

    def _split_for_isolation(self, effect):
        """:return: list of recordsets, each smaller than ``self``, to be tried one by one"""
        return list(self)

    def _split_off_failing(self, effect):
        """Return what :meth:`_split_for_isolation` does, of records that belong together: those
        that are well stay together, without those that fail."""
        failing = self._get_failing_alone(effect)
        well = self - failing
        return [well, *failing] if failing and well else list(self)

    def _get_failing_alone(self, effect):
        """:return: the records on which ``effect`` fails by themselves, tried and undone"""
        failing = self.browse()
        for record in self:
            try:
                with self.env.cr.savepoint() as savepoint:
                    effect(record)
                    savepoint.rollback()
            except OperationalError:
                raise
            except Exception:
                _logger.info("%s fails on %s", effect.__name__, record, exc_info=True)
                failing |= record
        return failing

    def _get_error_sentence(self, error):
        """:return: what a person reads of an ``error`` that :meth:`_run_isolated` caught"""
        if isinstance(error, UserError | RedirectWarning):
            return error.args[0]
        if isinstance(error, IntegrityError):
            tables = {model._table: name for name, model in self.env.registry.items()}
            name = tables.get(error.diag.table_name, self._name)
            return self.env[name]._sql_error_to_message(error)
        return self.env._(
            "Unexpected error: %(error)s. Try again. If it happens again, send this "
            "message to your administrator; the server log has the details.",
            error=str(error) or repr(error),
        )
