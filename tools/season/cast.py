"""Members of their own, whom the draw does not touch: terms that begin on the last days of a
month and on leap days, paid at once; and members who are served on credit, and owe years."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

from lost import Queues, verdict

MONTHLY, YEARLY = 1, 12
SETTLES = {MONTHLY: 12, YEARLY: 56}  # week in which all that is owed is paid at once


def get_first_day(anchor, months):
    """Return the anchor's day, so many months later, in the month's length (by hand: the
    add-on's own calendar is what is checked)"""
    month = anchor.month - 1 + months
    year, month = anchor.year + month // 12, month % 12 + 1
    return date(year, month, min(anchor.day, monthrange(year, month)[1]))


def get_term(anchor, step, day):
    """:return: the first days of the term that runs on ``day``, and of the next one"""
    number = 0
    while get_first_day(anchor, (number + 1) * step) <= day:
        number += 1
    return get_first_day(anchor, number * step), get_first_day(anchor, (number + 1) * step)


class Cast:
    def __init__(self, world):
        self.world = world
        self.anchors = {}  # member → (anchor, months of a term)
        self.debtors = {}  # member → months of a term
        self.owed = {}  # member → most that was owed at once: invoices
        self.settled = set()

    def holds(self, partner):
        """:return: whether the accountant and the officer leave this payer alone"""
        return partner.id in self.debtors or partner.id in self.anchors

    def enter(self, env):
        """Before the first day."""
        today = env.company._membri_today()
        leap = max(y for y in range(today.year - 4, today.year + 1) if monthrange(y, 2)[1] == 29)
        if date(leap, 2, 29) > today:
            leap -= 4
        for name, step, anchors in (
            ("mois", MONTHLY, [date(today.year - 1, 8, day) for day in (28, 29, 30, 31)]),
            ("année", YEARLY, [date(leap, 2, 29)] * 2 + [date(leap - 4, 2, 29)]),
        ):
            option_set = self._create_set(env, f"Saison, {name}", step)
            for anchor in anchors:
                member = self._create_member(env, f"Membre du {anchor:%d-%m-%Y}, {name}")
                self._create_term(env, member, option_set, anchor, step, today)
                self.anchors[member.id] = anchor, step
        for name, step, begins in (
            ("mois", MONTHLY, today - timedelta(days=20)),
            ("année", YEARLY, get_first_day(today + timedelta(days=20), -12)),
        ):
            option_set = self._create_set(
                env, f"Saison à crédit, {name}", step, activation="approved"
            )
            for number in (1, 2):
                member = self._create_member(env, f"Membre à crédit {number}, {name}")
                self._create_term(env, member, option_set, begins, step, today)
                self.debtors[member.id] = step

    def _create_set(self, env, name, step, **vals):
        product = env.ref("membri_renewal.demo_set_mens").line_ids.product_id[:1]
        return env["membri.option.set"].create(
            {
                "name": name,
                "company_id": env.company.id,
                "renewal_mode": "invoice",
                "period_unit": "month" if step == MONTHLY else "year",
                "notice_lead_days": 15 if step == MONTHLY else 45,
                "line_ids": [(0, 0, {"product_id": product.id, "is_required": True})],
                "reminder_ids": [
                    (
                        0,
                        0,
                        {
                            "trigger": "after_due",
                            "days": 10,
                            "automatic": True,
                            "mail_template_id": env.ref(
                                "membri_renewal.mail_template_payment_reminder"
                            ).id,
                        },
                    )
                ],
                **vals,
            }
        )

    def _create_member(self, env, name):
        email = "".join(c for c in name.lower() if c.isascii() and c.isalnum())
        return env["res.partner"].create(
            {"name": name, "email": f"{email}@saison.example", "lang": "fr_CA"}
        )

    def _create_term(self, env, member, option_set, anchor, step, today):
        start, following = get_term(anchor, step, today)
        env["membri.cotisation"].create(
            {
                "partner_id": member.id,
                "option_set_id": option_set.id,
                "date_start": start,
                "date_end": following - timedelta(days=1),
                "date_anchor": anchor,
                "state": "active",
                "origin": "import",
            }
        )

    def work(self, week):
        with self.world.acting_as("accountant") as env:
            for member_id in self.anchors:
                for invoice in self._get_open_invoices(env, member_id):
                    amount = invoice.amount_residual
                    self.world.accountant.pay_from_statement(env, invoice, amount)
                    self.world.ledger.note("paid on a day of the calendar")
            for member_id, step in self.debtors.items():
                invoices = self._get_open_invoices(env, member_id)
                self.owed[member_id] = max(self.owed.get(member_id, 0), len(invoices))
                if week == SETTLES[step] and invoices:
                    amount = sum(invoices.mapped("amount_residual"))
                    self.world.accountant.pay_from_statement(env, invoices, amount)
                    self.settled.add(member_id)
                    self.world.ledger.note("paid all that was owed")

    def _get_open_invoices(self, env, member_id):
        return env["account.move"].search(
            [
                ("partner_id", "=", member_id),
                ("move_type", "=", "out_invoice"),
                ("membri_invoice_type", "!=", False),
                ("state", "=", "posted"),
                ("payment_state", "in", ("not_paid", "partial")),
            ],
            order="id",
        )


def run(env, cast):
    """Each check yields ``(holds, sentence)``."""
    yield from check_calendar(env, cast)
    yield from check_debtors(env, cast)


def check_calendar(env, cast):
    today = env.company._membri_today()
    wrong, count, days = [], 0, set()
    for member_id, (anchor, step) in cast.anchors.items():
        member = env["res.partner"].browse(member_id)
        terms = member.membri_cotisation_ids.sorted("date_start")
        for term in terms:
            start, following = get_term(anchor, step, term.date_start)
            if (term.date_start, term.date_end) != (start, following - timedelta(days=1)):
                wrong.append((member.name, str(term.date_start), str(term.date_end)))
            if term.invoice_id and not term.invoice_id._membri_is_paid():
                wrong.append((member.name, term.invoice_id.name, term.invoice_id.payment_state))
            states = (
                ("expired",)
                if term.date_end < today
                else ("scheduled",)
                if term.date_start > today
                else ("active",)
            )
            if term.state not in states:
                wrong.append((member.name, str(term.date_start), term.state))
            if term.invoice_id:
                count += 1
                days.add(term.date_start.day)
        for before, after in pairwise(terms):
            if after.date_start - before.date_end != timedelta(days=1):
                wrong.append((member.name, str(before.date_end), str(after.date_start)))
    listed = ", ".join(map(str, sorted(days)))
    yield verdict(
        wrong, f"{count} terms that begin on the {listed}: no gap, no overlap, each one paid"
    )


def check_debtors(env, cast):
    wrong = []
    late = Queues(env).renewals["in_arrears"]
    for member_id in cast.debtors:
        member = env["res.partner"].browse(member_id)
        if member.membri_status != "active":
            wrong.append((member.name, member.membri_status))
        for renewal in member.membri_renewal_ids.filtered(lambda r: r.state == "approved"):
            due_day = renewal.invoice_id._membri_get_due_day()
            is_late = bool(due_day) and due_day < env.company._membri_today()
            if not renewal.is_paid and is_late != (renewal in late):
                wrong.append((member.name, renewal.name, "not in arrears"))
    most = ", ".join(f"{count} invoices" for count in cast.owed.values())
    yield verdict(
        wrong,
        f"{len(cast.debtors)} members on credit owed at most {most}, {len(cast.settled)} paid all "
        "of it at once: members throughout, and what is late is in In Arrears",
    )
