from odoo.fields import Command
from odoo.tools import SQL

from odoo.addons.membri_renewal.report.kept_mixin import TOTALS

from .common import MembriCommon

# The season of 2026, day of the report: June 15, 2027. All terms end on December 31, 2026, but
# for those that end early; a next term counts as renewed until April 1, 2027 (30 days of grace
# and 60 of catching up after the day that follows).
#   members, joined, plan, price, what happened, next plan, next price, its first day
SEASON = [
    (14, 2020, "basic", 100, "next", "basic", 110, "2027-01-01"),
    (4, 2020, "plus", 250, "next", "plus", 260, "2027-01-01"),
    (3, 2024, "basic", 100, "next", "plus", 260, "2027-01-01"),
    (2, 2024, "plus", 250, "next", "basic", 110, "2027-01-01"),
    (5, 2026, "basic", 100, "next", "basic", 110, "2027-01-01"),
    (2, 2026, "basic", 100, "refused", None, 0, None),
    (1, 2022, "basic", 100, "next", "basic", 110, "2027-04-01"),
    (1, 2022, "basic", 100, "next", "basic", 110, "2027-04-02"),
    (2, 2020, "plus", 250, "unpaid", "plus", 260, "2027-01-01"),
    (1, 2020, "basic", 100, "resigned", None, 0, None),
    (1, 2020, "basic", 100, "died", None, 0, None),
    (1, 2018, "plus", 250, "refused for death", None, 0, None),
    (2, 2024, "basic", 100, "silent", None, 0, None),
    (1, 2024, "basic", 100, "asked", None, 0, None),
]


def check_kept(case, name):
    """What is read of a report, with what was kept before, is what would be computed now; and it is
    when all is kept. So it is of its totals."""
    Report = case.env[name]
    everybody = SQL(f"SELECT DISTINCT {', '.join(Report._kept_by)} FROM membri_cotisation")
    if name == "membri.money":
        everybody = SQL("SELECT id AS partner_id FROM res_partner")

    def read(query):
        return case.env.execute_query(SQL("SELECT * FROM (%s) fresh ORDER BY id", query))

    def add_up(query):
        added = SQL(
            ", ".join(f"SUM({part})" for part in (Report._total_count, *Report._total_sums))
        )
        by = SQL(", ".join(Report._total_by))
        return case.env.execute_query(
            SQL("SELECT %s, %s FROM (%s) part GROUP BY %s ORDER BY %s", by, added, query, by, by)
        )

    case.env.flush_all()
    computed = Report._get_computed_query(everybody, Report._get_query_values())
    rows, totals = read(computed), add_up(computed)
    for kept in (False, True):
        if kept:
            Report._keep(Report._get_stale() or [(0,) * len(Report._kept_by)])
            case.assertFalse(Report._get_stale())
        case.assertEqual(read(Report._get_fresh_query()), rows)
        told = Report.with_context(membri_totals=TOTALS)._get_fresh_query()
        case.assertEqual(add_up(told), totals)


def check_money(case):
    """The money by month is kept as it would be computed, of all at once and of a member alone;
    it is the reconciliation, row by row; and its totals are those of the accounts."""
    check_kept(case, "membri.money")
    Money = case.env["membri.money"]

    def compute(asked):
        query = Money._get_computed_query(asked, Money._get_query_values())
        return case.env.execute_query(SQL("SELECT * FROM (%s) part ORDER BY id", query))

    rows = compute(SQL("SELECT id AS partner_id FROM res_partner"))
    members = sorted({row[3] for row in rows})[-2:]
    alone = [row for member in members for row in compute(SQL("SELECT %s AS partner_id", member))]
    mine = [row for row in rows if row[3] in members]
    case.assertEqual(sorted(alone, key=lambda row: row[0]), mine)
    names = SQL("id, company_id, expected, invoiced, received, written_off, open")
    query = SQL("SELECT %s FROM (%s) part", names, case.env["membri.reconciliation"]._table_query)
    found = {(2 * number, *values) for number, *values in case.env.execute_query(query)}
    query = SQL("SELECT %s FROM (%s) part WHERE id %% 2 = 0", names, Money._table_query)
    case.assertEqual(set(case.env.execute_query(query)), found)
    for name, (here, there) in Money._get_totals(case.company).items():
        case.assertAlmostEqual(here, there, 2, name)


class InsightCase(MembriCommon):
    """Members with terms of the past, recorded as an import does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.with_env(cls.env_root).taxes_id = False

    @classmethod
    def _prepare_term(cls, member, option_set, price, date_start, state="expired", **vals):
        """:return: values of a recorded term with one line, without taxes"""
        line = {"product_id": cls.product.id, "name": "Fee", "quantity": 1, "price_unit": price}
        return {
            "partner_id": member.id,
            "option_set_id": option_set.id,
            "date_start": date_start,
            "state": state,
            "line_ids": [Command.create({**line, "tax_ids": []})],
            **vals,
        }

    def _get_rows(self, terms=None, user=None, **fields):
        """The rows of the figures about ``terms`` (default: about all). They are kept before they
        are read: what is recorded afterwards is seen by the next reader, or it was not noted."""
        self._check_kept()
        Insight = self.env["membri.insight"].with_user(user or self.auditor)
        domain = [(name, "=", value) for name, value in fields.items()]
        if terms is not None:
            domain.append(("cotisation_id", "in", terms.ids))
        return Insight.search(domain)

    def _check_kept(self):
        check_kept(self, "membri.insight")

    def _get_outcome(self, term):
        return self._get_rows(term).outcome


class SeasonCase(InsightCase):
    """The forty members of ``SEASON``; time is frozen on June 15, 2027."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plans = {
            "basic": cls._create_option_set("Basic"),
            "plus": cls._create_option_set("Plus"),
        }
        cls.deceased = cls.env.ref("membri_renewal.refusal_reason_deceased")
        stories = [story for story in SEASON for _member in range(story[0])]
        members = cls.env["res.partner"].create(
            [
                {"name": f"Member {number}", "membri_member_since": f"{joined}-01-01"}
                for number, (_count, joined, *_rest) in enumerate(stories)
            ]
        )
        Cotisation = cls.env["membri.cotisation"]
        cls.terms = Cotisation.create(
            [
                cls._prepare_term(member, cls.plans[plan], price, "2026-01-01")
                for member, (_count, _joined, plan, price, *_rest) in zip(
                    members, stories, strict=True
                )
            ]
        )
        Cotisation.create(
            [
                cls._prepare_term(
                    member,
                    cls.plans[plan],
                    price,
                    day,
                    state="active" if what == "next" else "pending",
                )
                for member, (*_now, what, plan, price, day) in zip(members, stories, strict=True)
                if plan
            ]
        )
        cls.asked = cls.env["membri.renewal"]
        for term, (*_now, what, _plan, _price, _day) in zip(cls.terms, stories, strict=True):
            if what in ("resigned", "died"):
                last = "2026-09-30" if what == "resigned" else "2026-05-10"
                term._internal_write({"date_end": last, "date_terminated": last})
                if what == "died":
                    term._internal_write({"termination_reason_id": cls.deceased.id})
            elif what in ("refused", "refused for death", "asked"):
                renewal = cls._create_renewal(term)
                if what == "asked":
                    cls.asked = renewal
                    renewal._set_state("sent", date_sent="2026-11-01 15:00:00")
                    continue
                reason = cls.reason if what == "refused" else cls.deceased
                renewal._set_state(
                    "refused",
                    refusal_reason_id=reason.id,
                    date_sent="2026-11-01 15:00:00",
                    date_refused="2026-11-21 15:00:00",
                )
