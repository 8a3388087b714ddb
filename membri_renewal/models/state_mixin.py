import logging

from psycopg2 import OperationalError

from odoo import models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)

# Clients can put anything into the context but this very object, so nobody outside
# the server-side methods below can claim to be one of them.
_INTERNAL_WRITE = object()


class MembriStateMixin(models.AbstractModel):
    """The one place where ``state`` is written.

    A drag in a kanban, an import or an RPC ``write`` that would change the state is
    refused; the methods of the state machines go through :meth:`_set_state`.
    """

    _name = "membri.state.mixin"
    _description = "State written in one place only"

    def _internal_write(self, vals):
        """Write ``vals`` on behalf of the state machine: not subject to its own guards."""
        return self._as_internal().write(vals)

    def _as_internal(self):
        """Never hand the result to a caller from outside: it would carry the privilege."""
        return self.with_context(membri_internal_write=_INTERNAL_WRITE)

    def _is_internal_write(self):
        return self.env.context.get("membri_internal_write") is _INTERNAL_WRITE

    def _set_state(self, state, **vals):
        """Move ``self`` to ``state``, with the other values that go with the move."""
        return self._internal_write({"state": state, **vals})

    def write(self, vals):
        if "state" in vals and not self._is_internal_write():
            moved = self.filtered(lambda record: record.state != vals["state"])
            if moved:
                raise UserError(
                    self.env._(
                        "The state of %(record)s cannot be written directly. "
                        "Use its buttons: they also do what goes with the change.",
                        record=moved[0].display_name,
                    )
                )
        return super().write(vals)

    def _run_isolated(self, effect):
        """Run ``effect(records)`` on ``self`` as one batch; when that fails, on one record
        after the other, so that a bad one never stops the others.

        :param effect: function of a recordset; what a failing call did is rolled back
        :return: ``{record: exception}`` of the records that failed
        :raises OperationalError: the database's own trouble (a concurrent update, a lost
            connection), which is for the caller's whole transaction to retry
        """
        if not self:
            return {}
        try:
            with self.env.cr.savepoint():
                effect(self)
            return {}
        except OperationalError:
            raise
        except Exception as error:
            _logger.info("%s failed on %s", effect.__name__, self, exc_info=True)
            if len(self) == 1:
                return {self: error}
        errors = {}
        for record in self:
            errors |= record._run_isolated(effect)
        return errors
