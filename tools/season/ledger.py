"""What happened, read again from the database, and whether it adds up."""

from collections import Counter, defaultdict

COLUMNS = (
    "prepared",
    "sent",
    "reminders",
    "approved",
    "changes",
    "refused",
    "invoiced",
    "paid",
    "activated",
    "lapsed",
    "inactive",
)
# what the records themselves date; the other columns come from what Ledger.look has seen
DATED = {
    "sent": "SELECT date_sent::date FROM membri_renewal WHERE company_id = %(company)s",
    "reminders": (
        "SELECT date::date FROM membri_reminder_log"
        " WHERE company_id = %(company)s AND result = 'sent'"
    ),
    "approved": "SELECT date_approved::date FROM membri_renewal WHERE company_id = %(company)s",
    "changes": (
        "SELECT date_answer::date FROM membri_renewal"
        " WHERE company_id = %(company)s AND change_request IS NOT NULL"
    ),
    "refused": (
        "SELECT date_refused::date FROM membri_renewal"
        " WHERE company_id = %(company)s AND state = 'refused'"
    ),
    "invoiced": (
        "SELECT invoice_date FROM account_move WHERE company_id = %(company)s"
        " AND membri_invoice_type IS NOT NULL AND move_type = 'out_invoice' AND state = 'posted'"
    ),
    "paid": (
        "SELECT MAX(part.max_date) FROM account_move move"
        " JOIN account_move_line item ON item.move_id = move.id"
        " JOIN account_partial_reconcile part ON part.debit_move_id = item.id"
        " WHERE move.company_id = %(company)s AND move.membri_invoice_type IS NOT NULL"
        " AND move.move_type = 'out_invoice' AND move.payment_state IN ('paid', 'in_payment')"
        " GROUP BY move.id"
    ),
}
SEEN = {
    "prepared": "SELECT id FROM membri_renewal WHERE company_id = %s",
    "activated": "SELECT id FROM membri_cotisation WHERE company_id = %s AND state = 'active'",
    "lapsed": "SELECT id FROM membri_cotisation WHERE company_id = %s AND state = 'expired'",
    "inactive": ("SELECT id FROM res_partner WHERE membri_status ->> %s::text = 'inactive'"),
}
MEMBERS = "SELECT partner_id FROM membri_cotisation WHERE company_id = %s AND state = 'active'"


class Ledger:
    """The diary of the season. ``note`` keeps what the people did; everything that is
    printed and checked is read from the database."""

    def __init__(self):
        self.notes = Counter()
        self.merged = set()  # contacts that took another one's history
        self._first_seen = {}
        self._known = {}
        self._months = defaultdict(Counter)

    def note(self, event, count=1):
        if count:
            self.notes[event] += count

    def first_seen(self, record, week):
        return self._first_seen.setdefault((record._name, record.id), week)

    def open(self, env):
        """Remember how things stood before the first day."""
        self.first_day = env.company._membri_today()
        self.members_before = self.ids(env, MEMBERS)
        self.last_mail_before = env["mail.mail"].search([], order="id desc", limit=1).id or 0
        self._known = {column: self.ids(env, query) for column, query in SEEN.items()}

    def look(self, env):
        """At the end of a day: what is there now that was not there before?"""
        month = env.company._membri_today().strftime("%Y-%m")
        for column, query in SEEN.items():
            ids = self.ids(env, query)
            self._months[month][column] += len(ids - self._known[column])
            # who is inactive may return, and be inactive again
            self._known[column] = ids if column == "inactive" else ids | self._known[column]

    def ids(self, env, query):
        env.cr.execute(query, [env.company.id])
        return {row[0] for row in env.cr.fetchall()}

    def print_months(self, env):
        today = env.company._membri_today()
        for column, query in DATED.items():
            env.cr.execute(query, {"company": env.company.id})
            for (day,) in env.cr.fetchall():
                if day and self.first_day <= day <= today:
                    self._months[day.strftime("%Y-%m")][column] += 1
        row = "  {:<8}" + "{:>10}" * len(COLUMNS)
        print("\n" + row.format("month", *COLUMNS))
        for month in sorted(self._months):
            counts = self._months[month]
            print(row.format(month, *(counts[column] or "" for column in COLUMNS)))
        self.total = sum(self._months.values(), Counter())
        print(row.format("total", *(self.total[column] for column in COLUMNS)))
        print("\n  Done by people: " + ", ".join(f"{n} {event}" for event, n in self.notes.items()))
