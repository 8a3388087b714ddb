"""Issue 17, points 2 to 5: what is read from the figures; each number was computed by hand."""

from datetime import date

from freezegun import freeze_time
from lxml.html import fromstring

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.membri_renewal.report.forecast import get_wilson

from .common_insight import InsightCase, SeasonCase, check_money
from .common_write_off import WriteOffCase


@tagged("post_install", "-at_install")
@freeze_time("2027-06-15 15:00:00")
class TestSeasonScreens(SeasonCase):
    def _count_members(self, day):
        window = self.env["membri.season"].with_user(self.auditor).create({"date": day})
        action = window.action_open_members()
        members = self.env["res.partner"].with_context(active_test=False).search(action["domain"])
        self.assertEqual(len(members), window.member_total)
        self.assertEqual(action["display_name"], action["name"])
        return window.member_total

    def test_members_as_of_a_day(self):
        """All but the one who died in May; in March the 28 who had gone on; then two more."""
        self.assertEqual(self._count_members("2025-12-31"), 0)
        self.assertEqual(self._count_members("2026-05-10"), 40)
        self.assertEqual(self._count_members("2026-05-11"), 39)
        self.assertEqual(self._count_members("2026-10-01"), 38)
        self.assertEqual(self._count_members("2027-03-31"), 28)
        self.assertEqual(self._count_members("2027-04-01"), 29)
        self.assertEqual(self._count_members("2027-06-15"), 30)

    def test_season_by_day(self):
        """Four were asked on November 1, three of them replied on the 21st."""
        for day, replied in (("2026-11-20", 0), ("2026-11-21", 3)):
            window = self.env["membri.season"].create({"date": day})
            with self.subTest(day=day):
                self.assertEqual(
                    window._get_progress(),
                    [
                        {
                            "season": "2026",
                            "day": fields.Date.to_date(day),
                            "members": 40,
                            "asked": 4,
                            "replied": replied,
                            "paid": 0,
                        }
                    ],
                )
        following = self.env["membri.season"].create({"date": "2027-11-21"})._get_progress()
        self.assertEqual([row["season"] for row in following], ["2027", "2026"])
        self.assertEqual([row["replied"] for row in following], [0, 3])
        self.assertIn("3 (8%)", window.progress)

    def test_cohorts(self):
        window = self.env["membri.season"].create({"date": "2027-06-15"})
        self.assertEqual(
            window._get_cohorts(),
            {
                2018: (1, {8: 1}),
                2020: (22, {6: 22, 7: 18}),
                2022: (2, {4: 2, 5: 2}),
                2024: (8, {2: 8, 3: 5}),
                2026: (7, {0: 7, 1: 5}),
            },
        )
        self.assertIn("82%", window.cohorts)
        self.assertIn("background-color", window.cohorts)

    def test_each_figure_opens_what_it_counts(self):
        """What is written in a cell is how many rows, or members of a year of joining, it opens."""
        window = self.env["membri.season"].with_user(self.auditor).create({"date": "2026-11-21"})
        found = {}
        for table in (window.progress, window.cohorts):
            for link in fromstring(table).iter("a"):
                found[link.get("data-figure")] = link.text
        self.assertEqual(
            {name: text for name, text in found.items() if not name.startswith("joined")},
            {
                "members-2026": "40",
                "asked-2026": "4 (10%)",
                "replied-2026": "3 (8%)",
                "paid-2026": "0 (0%)",
            },
        )
        self.assertIn("joined-2020-2026", found)
        rows = {}
        for name in found:
            action = window.with_context(membri_figure=name).action_open_figure()
            Model = self.env[action["res_model"]].with_user(self.auditor)
            rows[name] = Model.search(action["domain"])
        for name, text in found.items():
            if name.startswith("joined-20") and name.count("-") == 2:
                size, part = rows[name[:-5]].partner_id, rows[name].partner_id
                self.assertEqual(text, f"{round(100 * len(part) / len(size))}%")
            else:
                self.assertEqual(text.split()[0], str(len(rows[name].partner_id)))
        for wrong in ("", "joined-x", "name-2026"):
            with self.subTest(wrong=wrong), self.assertRaises(UserError):
                window.with_context(membri_figure=wrong).action_open_figure()

    def test_each_group_opens_its_members(self):
        """However pivots are grouped: a cell opens as many rows as it counts, of as many members;
        read from totals or row by row. One of them is archived."""
        self.terms[0].partner_id.action_archive()
        for kept in (False, True):
            for name in ("membri.insight", "membri.money"):
                Report = self.env[name].with_user(self.auditor)
                if kept:
                    self.env[name]._keep(self.env[name]._get_stale())
                measure = "member_count" if name == "membri.insight" else "expected"
                groups = [*Report._total_by, "date_end", "partner_id", "renewal_id"]
                names = [group for group in groups if group in Report._fields]
                for group in names:
                    spec = f"{group}:month" if Report._fields[group].type == "date" else group
                    found = Report.formatted_read_group([], [spec], ["__count", f"{measure}:sum"])
                    with self.subTest(model=name, group=group, kept=kept):
                        self.assertEqual(
                            sum(cell["__count"] for cell in found), Report.search_count([])
                        )
                        for cell in found:
                            rows = Report.search(cell["__extra_domain"])
                            self.assertEqual(len(rows), cell["__count"])
                            self.assertAlmostEqual(
                                sum(rows.mapped(measure)), cell[f"{measure}:sum"], 2
                            )
        rows = self._get_rows(self.terms[:3])
        action = rows.action_open_members()
        members = self.env["res.partner"].with_context(**action["context"])
        self.assertEqual(members.search_count(action["domain"]), 3)

    def test_a_month_that_the_forecast_cuts(self):
        """Eighteen months end in the middle of one: who ends afterwards is in no figure."""
        window = self.env["membri.forecast"].with_user(self.auditor)
        Line = self.env["membri.forecast.line"].with_user(self.auditor)
        for months, counts in ((6, []), (7, [14])):
            forecast = window.create({"date": "2027-06-15", "months": months})
            lines = Line.search(forecast.action_open()["domain"])
            line = lines.filtered(
                lambda row: row.option_set_id == self.plans["basic"] and row.tenure_years == 8
            )
            self.assertEqual(line.mapped("terms"), counts)
        other = self._create_member("Ends in mid-month")
        term = self.env["membri.cotisation"].create(
            self._prepare_term(
                other, self.plans["basic"], 110, "2027-01-10", state="active", date_end="2027-12-09"
            )
        )
        other.membri_member_since = "2020-01-10"
        forecast = window.create({"date": "2027-06-15", "months": 6})
        line = Line.search(forecast.action_open()["domain"])
        self.assertEqual(line.mapped("terms"), [1])
        self.assertEqual(line.action_open_members()["res_id"], term.partner_id.id)

    def test_board_pack(self):
        """The same figures on paper."""
        window = self.env["membri.season"].with_user(self.auditor).create({"date": "2026-12-31"})
        action = window.action_print_board_pack()
        html, _kind = (
            self.env["ir.actions.report"]
            .with_user(self.auditor)
            ._render_qweb_html(action["report_name"], window.ids)
        )
        rows = [
            [cell.text_content().strip() for cell in row.iter("td")]
            for row in fromstring(html).iter("tr")
        ]
        self.assertIn(["2026", "40", "29", "10", "1", "74.4%"], rows)
        self.assertIn([self.deceased.name, "2"], rows)
        self.assertTrue(any("4 (10%)" in row for row in rows))
        sides = {
            tuple(cell.get("class") for cell in row)
            for row in fromstring(html).xpath("//table[contains(@class, 'table-bordered')]//tr")
        }
        self.assertEqual({(row[0], *set(row[1:])) for row in sides}, {("text-start", "text-end")})

    def test_export(self):
        """Each list can be exported by an officer, with all of its columns."""
        lines = self._get_forecast_lines()
        for rows in (
            self.env["membri.insight"].search([], limit=3),
            self.env["membri.money"].search([], limit=3),
            self.env["membri.forecast.line"].with_user(self.officer).browse(lines.ids[:3]).sudo(),
        ):
            with self.subTest(model=rows._name):
                self.assertTrue(rows)
                view = rows.get_view(view_type="list")
                names = [node.get("name") for node in fromstring(view["arch"]).iter("field")]
                data = rows.export_data(names)["datas"]
                self.assertEqual([len(row) for row in data], [len(names)] * len(rows))

    # ------------------------------------------------------------------
    # What comes
    # ------------------------------------------------------------------

    def test_wilson(self):
        for renewed, count, low, high in ((15, 18, 0.6078, 0.9416), (0, 10, 0.0, 0.2775)):
            with self.subTest(renewed=renewed, count=count):
                found = get_wilson(renewed, count)
                self.assertAlmostEqual(found[0], low, 4)
                self.assertAlmostEqual(found[1], high, 4)
        self.assertEqual(get_wilson(0, 0), (0.0, 1.0))

    def _get_forecast_lines(self):
        window = self.env["membri.forecast"].with_user(self.auditor).create({})
        action = window.action_open()
        return self.env[action["res_model"]].with_user(self.auditor).search(action["domain"])

    def test_forecast(self):
        """30 terms end within 18 months. Of Basic, 15 of 18 renewed from the fifth year on."""
        lines = self._get_forecast_lines()
        self.assertEqual(sum(lines.mapped("terms")), 30)
        line = lines.filtered(
            lambda row: row.option_set_id == self.plans["basic"] and row.tenure_years == 8
        )
        self.assertEqual((line.terms, line.month), (14, date(2027, 12, 1)))
        self.assertAlmostEqual(line.rate, 83.3, 1)
        self.assertAlmostEqual(line.expected, 14 * 15 / 18, 1)
        self.assertAlmostEqual(line.low, 14 * 0.6078, 1)
        self.assertAlmostEqual(line.high, 14 * 0.9416, 1)
        self.assertEqual((line.amount, line.amount_expected), (1540.0, 1283.33))
        action = line.action_open_members()
        self.assertEqual(len(self.env["res.partner"].search(action["domain"])), 14)

    def test_too_few_of_the_same_year(self):
        """Nobody of Basic was in the fourth year: the rate of the plan, 23 of 30."""
        lines = self._get_forecast_lines()
        line = lines.filtered(
            lambda row: row.option_set_id == self.plans["basic"] and row.tenure_years == 4
        )
        self.assertEqual(line.terms, 2)
        self.assertAlmostEqual(line.rate, 76.7, 1)

    def test_back_test(self):
        """On June 15, 2026 one term had ended, by a death: nothing was to be expected."""
        test = self.env["membri.forecast"]._get_back_test(self.company, date(2026, 6, 15), 12)
        self.assertEqual((test["terms"], test["actual"], test["expected"]), (38, 29, 0.0))
        self.assertAlmostEqual(test["error"], -76.316, 3)

    # ------------------------------------------------------------------
    # Prices
    # ------------------------------------------------------------------

    def _simulate(self, **vals):
        window = self.env["membri.price.simulation"].with_user(self.auditor).create(vals)
        action = window.action_open()
        lines = self.env[action["res_model"]].with_user(self.auditor).search(action["domain"])
        return {line.option_set_id: line for line in lines}

    def test_percentage(self):
        """23 pay 110 for Basic, 7 pay 260 for Plus; of Plus there are too few for a rate."""
        lines = self._simulate(percentage=10, rate_drop=5)
        basic, plus = (lines[self.plans[name]] for name in ("basic", "plus"))
        self.assertRecordValues(
            basic + plus,
            [
                {
                    "members": 23,
                    "price_now": 110.0,
                    "price_then": 121.0,
                    "increase": 11.0,
                    "revenue_now": 1939.67,
                    "revenue_then": 2133.63,
                    "revenue_lower": 1994.48,
                },
                {
                    "members": 7,
                    "price_now": 260.0,
                    "price_then": 286.0,
                    "increase": 26.0,
                    "revenue_now": 1353.33,
                    "revenue_then": 1488.67,
                    "revenue_lower": 1388.57,
                },
            ],
        )
        action = basic.action_open_members()
        self.assertEqual(len(self.env["res.partner"].search(action["domain"])), 23)

    def test_pricelist_and_nothing_changes(self):
        pricelist = self.env_root["product.pricelist"].create(
            {
                "name": "Draft for the board",
                "company_id": self.company.id,
                "item_ids": [
                    fields.Command.create(
                        {
                            "applied_on": "3_global",
                            "compute_price": "fixed",
                            "fixed_price": 150.0,
                        }
                    )
                ],
            }
        )
        agreed = self.terms[0].next_ids
        agreed.line_ids._internal_write({"is_price_agreed": True})
        before = self._snapshot(self.terms.next_ids)
        renewals = self.env["membri.renewal"].search_count([])
        window = self.env["membri.price.simulation"].create(
            {"method": "pricelist", "pricelist_id": pricelist.id}
        )
        found = {
            (vals["price_now"], vals["price_then"], vals["members"]) for vals in window._get_lines()
        }
        self.assertEqual(found, {(110.0, 110.0, 1), (110.0, 150.0, 22), (260.0, 150.0, 7)})
        self.assertEqual(self._snapshot(self.terms.next_ids), before)
        self.assertEqual(self.env["membri.renewal"].search_count([]), renewals)

    def test_pricelist_is_needed(self):
        window = self.env["membri.price.simulation"].create({"method": "pricelist"})
        with self.assertRaises(UserError):
            window.action_open()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestRetention(InsightCase):
    """Four who joined in 2020, and one before the year that is typed, computed on paper."""

    LIVES = {
        # there in 2020, 2021 and 2022
        "Joined in June": [("2020-06-01", "2021-05-31"), ("2021-06-01", "2022-05-31")],
        # there from 2020 to 2023
        "Two years at a time": [("2020-01-01", "2021-12-31"), ("2022-01-01", "2023-12-31")],
        # there ever since
        "For life": [("2020-01-01", "2020-12-31"), ("2021-01-01", None)],
        # there in 2020 and 2023
        "Came back": [("2020-01-01", "2020-12-31"), ("2023-01-01", "2023-12-31")],
        "Typed": [("2017-12-01", "2018-11-30")],
        # there in 2014 and 2015: two terms end in one year
        "To calendar years": [("2014-10-01", "2015-06-30"), ("2015-07-01", "2015-12-31")],
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, terms in cls.LIVES.items():
            member = cls._create_member(name)
            if name == "Typed":
                member.membri_member_since = "2018-01-01"
            for first, last in terms:
                option_set = cls.yearly if last else cls.for_life
                vals = {"date_end": last} if last else {"state": "active"}
                cls.env["membri.cotisation"].create(
                    cls._prepare_term(member, option_set, 100, first, **vals)
                )

    def test_there_in_a_year(self):
        for day, table in (
            (
                "2026-11-15",
                {
                    2014: (1, {0: 1, 1: 1}),
                    2018: (1, {0: 1}),
                    2020: (4, {0: 4, 1: 3, 2: 3, 3: 3, 4: 1, 5: 1, 6: 1}),
                },
            ),
            (
                "2022-11-15",
                {2014: (1, {0: 1, 1: 1}), 2018: (1, {0: 1}), 2020: (4, {0: 4, 1: 3, 2: 3})},
            ),
            ("2020-11-15", {2014: (1, {0: 1, 1: 1}), 2018: (1, {0: 1}), 2020: (4, {0: 4})}),
        ):
            self._check_kept()
            window = self.env["membri.season"].with_user(self.auditor).create({"date": day})
            with self.subTest(day=day):
                self.assertEqual(window._get_cohorts(), table)

    def test_each_figure_opens_its_members(self):
        window = self.env["membri.season"].with_user(self.auditor).create({"date": "2026-11-15"})
        table = window._get_cohorts()
        self.assertTrue(table)
        for cohort, (size, kept) in table.items():
            for figure, count in {
                f"joined-{cohort}": size,
                **{f"joined-{cohort}-{cohort + years}": count for years, count in kept.items()},
            }.items():
                action = window.with_context(membri_figure=figure).action_open_figure()
                rows = self.env[action["res_model"]].search(action["domain"])
                with self.subTest(figure=figure):
                    self.assertEqual(len(rows.partner_id), count)

    def test_two_plans_in_a_season(self):
        """Who has two plans that end in the same season, one after the other, is one member, and
        counts for the last of them."""
        member = self._create_member("Has two plans")
        for option_set, first, last in (
            (self.fixed, "2024-01-01", "2024-06-30"),
            (self.yearly, "2024-07-01", "2024-12-31"),
        ):
            self.env["membri.cotisation"].create(
                self._prepare_term(member, option_set, 100, first, date_end=last)
            )
        self._create_cotisation(member, "2025-01-01", state="expired")
        rows = self._get_rows(partner_id=member.id)
        self.assertEqual(rows.mapped("season"), ["2025", "2024"])
        self.assertEqual(rows.mapped("outcome"), ["left", "renewed"])
        self.assertEqual(rows[-1].option_set_id, self.yearly)

    def test_renewed_long_before_the_end(self):
        """Renewed and paid in February, for a term that ends in December: known at once, and at
        risk no longer."""
        with freeze_time("2026-02-01 15:00:00"):
            term = self._create_yearly()
            renewal = self._create_renewal(term)
            renewal.action_send()
            renewal.action_approve()
            self._pay(renewal.invoice_id)
            self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
            self.assertRecordValues(
                self._get_rows(term), [{"outcome": "renewed", "season": "2026", "life_from": 0}]
            )

    def test_unpaid_is_a_reason(self):
        """Who did not pay gave no reason, and is not without one; a reason of their own stays."""
        renewal = self._renewal_in("approved")
        row = self._get_rows(renewal.cotisation_id)
        not_paid = self.env.ref("membri_renewal.refusal_reason_not_paid")
        self.assertRecordValues(row, [{"outcome": "unpaid", "reason_id": not_paid.id}])


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestBackTest(InsightCase):
    def _renew(self, renewal, approved, paid):
        with freeze_time(f"{approved} 15:00:00"):
            renewal.action_approve()
        with freeze_time(f"{paid} 15:00:00"):
            self._register_payment(renewal.invoice_id.with_env(self.env_account), payment_date=paid)

    def test_what_was_known_that_day(self):
        """On December 15 one had been ended early and one had renewed. Of three whose answer was
        to come, one renewed; of one who had accepted, the money came in February."""
        forecast, before = self.env["membri.forecast"], self._create_yearly()
        before.action_terminate("2026-11-30", "Resigned")
        stays, early, refused, late = (self._renewal_in("sent") for _number in range(4))
        ended = self._create_yearly()
        self._renew(early, "2026-12-01", "2026-12-10")
        self._renew(late, "2026-12-01", "2027-02-01")
        self._renew(stays, "2026-12-18", "2026-12-20")
        with freeze_time("2026-12-20 15:00:00"):
            refused._do_refuse(self.reason)
            ended.action_terminate("2026-12-20", "Resigned")
        for day, past in (
            ("2026-12-15", (1, 0)),
            ("2027-01-05", (6, 2)),
            ("2027-03-01", (6, 3)),
        ):
            for today in ("2027-04-15", "2028-04-15"):
                with self.subTest(day=day, today=today), freeze_time(f"{today} 15:00:00"):
                    found = forecast._get_past(self.company, fields.Date.to_date(day))
                    self.assertEqual(found[None, None], past)
        with freeze_time("2027-04-15 15:00:00"):
            test = forecast._get_back_test(self.company, date(2026, 12, 15), 12)
            self.assertEqual((test["terms"], test["actual"], test["expected"]), (3, 1, 0.0))
            self.assertAlmostEqual(test["error"], -33.333, 3)
            window = forecast.create({"date": "2027-12-15"})
            told = window.action_back_test()["params"]["message"]
            self.assertIn("-33.3", told)
            self.assertEqual(told, window._tell_back_test(1))
            # void since: a member on that day, who was lost
            stays.new_cotisation_id._do_cancel()
            again = forecast._get_back_test(self.company, date(2026, 12, 15), 12)
            self.assertEqual((again["terms"], again["actual"]), (3, 0))


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestMembersOnADay(InsightCase):
    def _is_member_on(self, term, day):
        terms = self.env["membri.cotisation"]
        found = terms.search(
            terms._get_members_on_domain(self.company, fields.Date.to_date(day))
        ).partner_id
        return term.partner_id in found

    def test_credited_later(self):
        """A member until the day of the credit note, although the term is void by now."""
        term = self._create_yearly()
        with freeze_time("2026-12-01 15:00:00"):
            term._do_cancel()
        self.assertTrue(self._is_member_on(term, "2026-11-30"))
        self.assertFalse(self._is_member_on(term, "2026-12-01"))
        self.assertFalse(self._is_member_on(term, "2025-12-31"))

    def test_never_paid(self):
        pending = self._renewal_in("approved").new_cotisation_id
        pending.action_cancel()
        self.assertFalse(self._is_member_on(pending, "2027-02-01"))

    def test_payment_undone(self):
        term = self._create_yearly()
        with freeze_time("2026-12-01 15:00:00"):
            term._do_unpaid()
        self.assertEqual(term.state, "pending")
        self.assertTrue(self._is_member_on(term, "2026-11-30"))
        self.assertFalse(self._is_member_on(term, "2026-12-01"))
        with freeze_time("2026-12-05 15:00:00"):
            term._do_paid()
        self.assertEqual((term.state, term.date_activated), ("active", date(2026, 12, 5)))
        self.assertTrue(self._is_member_on(term, "2026-12-06"))

    def test_terminated_and_for_life(self):
        term = self._create_yearly()
        life = self._create_cotisation(self.member, "2020-01-01", self.for_life)
        term.action_terminate("2026-11-30", "Resigned")
        self.assertTrue(self._is_member_on(term, "2026-11-30"))
        self.assertFalse(self._is_member_on(term, "2026-12-01"))
        self.assertTrue(self._is_member_on(life, "2040-01-01"))


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestAtRisk(InsightCase):
    def _get_row(self, renewal):
        self.env.flush_all()
        AtRisk = self.env["membri.at.risk"].with_user(self.auditor)
        AtRisk.invalidate_model()
        return AtRisk.search([("renewal_id", "=", renewal.id)])

    def _create_history(self):
        """Last year notified on November 1 and answered on the 3rd; this year not yet."""
        old = self._create_cotisation(self.member, "2025-01-01", state="expired")
        renewal = self._create_renewal(old)
        term = self._create_cotisation(self.member, "2026-01-01")
        term._internal_write({"renewal_id": renewal.id})
        renewal._set_state(
            "approved",
            new_cotisation_id=term.id,
            date_sent="2025-11-01 15:00:00",
            date_answer="2025-11-03 15:00:00",
        )
        renewal = self._create_renewal(term)
        renewal._set_state("sent", date_sent="2026-11-07 15:00:00")
        return renewal

    def test_later_than_last_time(self):
        renewal = self._create_history()
        self.assertFalse(self._get_row(renewal))
        with freeze_time("2026-11-16 15:00:00"):
            self.assertFalse(self._get_row(renewal))
        with freeze_time("2026-11-17 15:00:00"):
            row = self._get_row(renewal)
            self.assertRecordValues(
                row,
                [
                    {
                        "is_later": True,
                        "is_first_year": False,
                        "days_waited": 10,
                        "days_last_time": 2,
                    }
                ],
            )
            self.assertIn("10", row.reasons)

    def test_each_sign(self):
        first = self._renewal_in("sent")
        self.assertRecordValues(self._get_row(first), [{"is_first_year": True, "sign_count": 1}])
        renewal = self._create_history()
        renewal._internal_write({"delivery_state": "failed", "reminder_count": 2})
        row = self._get_row(renewal)
        self.assertRecordValues(
            row, [{"is_unreachable": True, "is_reminded": True, "is_first_year": False}]
        )
        self.assertEqual(row.sign_count, 2)
        self.assertEqual(row.action_open_renewal()["res_id"], renewal.id)
        renewal._do_refuse(self.reason)
        self.assertFalse(self._get_row(renewal))

    def test_smaller(self):
        """A lower price is a sign; a lower amount for a shorter term is none."""
        renewal = self._create_history()
        term = renewal.cotisation_id
        old = term.search([("partner_id", "=", self.member.id), ("id", "!=", term.id)])
        term._internal_write({"previous_id": old.id})
        self.env.flush_all()
        old._internal_write({"amount_untaxed": 120.0})
        self.env.flush_all()
        self.assertRecordValues(old, [{"amount_untaxed": 120.0}])
        self.assertEqual(term.previous_id, old)
        for date_end, now, following, found in (
            ("2026-12-31", 120.0, 120.0, False),
            ("2026-12-31", 100.0, 100.0, True),  # less than before
            ("2026-12-31", 120.0, 100.0, True),  # less next time
            ("2026-06-30", 60.0, 120.0, False),  # half a year
            ("2026-06-30", 50.0, 120.0, True),  # less than half
            ("2026-06-30", 70.0, 120.0, False),  # whole months, prorated: a day costs more
        ):
            with self.subTest(date_end=date_end, now=now, following=following):
                term._internal_write({"amount_untaxed": now, "date_end": date_end})
                renewal._internal_write({"amount_untaxed": following})
                self.assertEqual(self._get_row(renewal).is_smaller, found)


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestMoney(WriteOffCase):
    def _check(self):
        check_money(self)
        self.env.invalidate_all()
        Money = self.env["membri.money"].with_user(self.auditor)
        totals = Money._get_totals(self.company)
        for name, (here, there) in totals.items():
            with self.subTest(name=name):
                self.assertAlmostEqual(here, there, 2)
        params = Money.action_check_totals()["params"]
        self.assertEqual(params["type"], "success")
        return {name: round(here, 2) for name, (here, _there) in totals.items()}

    def test_to_the_cent(self):
        """344.93 with taxes, 300.00 before; 15 of 365 days are over."""
        totals = self._check()
        self.assertEqual((totals["invoiced"], totals["open"]), (344.93, 344.93))
        self.assertEqual((totals["revenue"], totals["deferred"]), (300.0, 287.67))
        self._register_payment(self.invoice, amount=100.0)
        totals = self._check()
        self.assertEqual((totals["received"], totals["open"]), (100.0, 244.93))
        self._credit(self.invoice, price=100.0)
        totals = self._check()
        self.assertEqual(totals["revenue"], 200.0)

    def test_by_month_and_plan(self):
        [(month, option_set, invoiced, deferred)] = self.env["membri.money"]._read_group(
            [("cotisation_id", "=", self.cotisation.id)],
            ["date:month", "option_set_id"],
            ["invoiced:sum", "deferred:sum"],
        )
        self.assertEqual(month, date(2027, 1, 1))
        self.assertEqual(option_set, self.cotisation.option_set_id)
        self.assertEqual((round(invoiced, 2), round(deferred, 2)), (344.93, 287.67))

    def test_a_difference_is_told(self):
        Money = type(self.env["membri.money"])
        self.patch(Money, "_get_totals", lambda _self, _company: {"open": (1.0, 2.0)})
        params = self.env["membri.money"].action_check_totals()["params"]
        self.assertEqual((params["type"], params["sticky"]), ("danger", True))
