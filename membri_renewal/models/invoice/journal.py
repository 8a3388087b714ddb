from odoo import models

# of the dashboard of journals, where Odoo counts and adds up all that is in them, for whoever reads
# a journal: the balance of the bank, vendor bills, what is to be done on any entry
OF_ALL_ENTRIES = frozenset(
    {
        "current_statement_balance",
        "entries_count",
        "has_entries",
        "has_posted_entries",
        "has_sequence_holes",
        "has_statement_lines",
        "has_unhashed_entries",
        "json_activity_data",
        "kanban_dashboard",
        "kanban_dashboard_graph",
        "last_statement_id",
    }
)


class AccountJournal(models.Model):
    """Readers of memberships read the names of journals, for the invoices that they read."""

    _inherit = "account.journal"

    def _has_field_access(self, field, operation):
        # EXTENDS base
        if (
            field.name in OF_ALL_ENTRIES
            and not self.env.su
            and self.env["account.move"]._membri_reads_as_reader()
        ):
            return False
        return super()._has_field_access(field, operation)
