from odoo.fields import Command
from odoo.tools import SQL

from odoo.addons.membri_renewal.report.insight_query import INSIGHT_QUERY

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
        """What is read, with what was kept before, is what would be computed now; and it is when
        all is kept."""
        computed = self._get_computed()
        self.assertEqual(self._get_read(), computed)
        InsightModel = self.env["membri.insight"]
        InsightModel._keep(InsightModel._get_stale() or [(0, 0)])
        self.assertFalse(InsightModel._get_stale())
        self.assertEqual(self._get_read(), computed)

    def _get_computed(self):
        """:return: all rows, none of them kept"""
        self.env.flush_all()
        everybody = SQL("SELECT DISTINCT partner_id, company_id FROM membri_cotisation")
        values = self.env["membri.insight"]._get_query_values()
        query = SQL(INSIGHT_QUERY, asked=everybody, **values)
        return self.env.execute_query(SQL("SELECT * FROM (%s) computed ORDER BY id", query))

    def _get_read(self):
        query = self.env["membri.insight"]._table_query
        return self.env.execute_query(SQL("SELECT * FROM (%s) fresh ORDER BY id", query))

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
