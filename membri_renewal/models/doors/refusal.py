"""What is refused is not told by the refusal."""

from psycopg2.errors import CheckViolation, NotNullViolation

from odoo import models


def forget_refused_row(error):
    """The database quotes the row that it refuses, with all of its columns, and Odoo sends whoever
    called the traceback: who wrote a contact without a name read its memberships in all companies,
    and members what the staff notes of them.

    :param error: of the database, whose words are changed"""
    row = isinstance(error, CheckViolation | NotNullViolation) and error.diag.message_detail
    if row:
        error.args = tuple(
            words.replace(row, "…") if isinstance(words, str) else words for words in error.args
        )


class IrRule(models.Model):
    """In debug mode, which every employee may turn on, Odoo names the records that it refuses, in
    sudo: by their numbers, anybody of the staff read what was sent to which member."""

    _inherit = "ir.rule"

    def _make_access_error(self, operation, records):
        # EXTENDS base: of no model; messages, logins and whatever names a member are many
        error = super()._make_access_error(operation, records)
        [words] = error.args
        if f"({records._name}: " not in words:  # not in debug mode
            return error
        for record_sudo in records[:6].sudo():  # sudo: as Odoo names them
            number = f"({records._name}: {record_sudo.id}"
            words = words.replace(f", {record_sudo.display_name} {number}", f" {number}")
        records.invalidate_recordset()  # as Odoo does, of what was read in sudo
        error.args = (words,)
        return error
