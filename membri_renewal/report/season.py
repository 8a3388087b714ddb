from collections import Counter, defaultdict
from typing import NamedTuple

from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.mixins.formats import format_day, format_percentage

SEASONS = 4
COHORTS = 12
# what is counted day by day, and the field that says since when
PROGRESS = {"asked": "date_notice", "replied": "date_answer", "paid": "date_paid"}


class Cell(NamedTuple):
    """Of a table: its text; the share, from 0 to 1, that colors it; the figure that it opens."""

    text: str
    share: float | None = None
    figure: str | None = None


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    @api.model
    def _get_members_on_domain(self, company, day):
        """Who was a member on ``day``: whose term has that day in it. Terms that ended early
        count until their last day; those that were credited, or unpaid again, until the day on
        which they were.

        :return: the domain of these terms"""
        paid = Domain("state", "in", ("scheduled", "active", "expired"))
        undone = (
            Domain("state", "in", ("pending", "cancelled"))
            & Domain("date_deactivated", ">", day)
            & (Domain("date_activated", "=", False) | Domain("date_activated", "<=", day))
        )
        return (
            Domain("company_id", "=", company.id)
            & Domain("date_start", "<=", day)
            & (Domain("date_end", "=", False) | Domain("date_end", ">=", day))
            & (paid | undone)
        )


class MembriSeason(models.TransientModel):
    """A season on one day: beside the seasons before it on the same day of their years, how many
    stay of those who joined in the same year, and who was a member. Nothing is changed."""

    _name = "membri.season"
    _inherit = "membri.wizard.mixin"
    _description = "Season to Date"

    date = fields.Date(
        string="As Of", required=True, default=lambda self: self.env.company._membri_today()
    )
    member_total = fields.Integer(string="Members on This Date", compute="_compute_member_total")
    progress = fields.Html(string="Season to Date", compute="_compute_progress", sanitize=False)
    cohorts = fields.Html(string="Retention", compute="_compute_cohorts", sanitize=False)

    @api.depends("date")
    @api.depends_context("company")
    def _compute_member_total(self):
        Partner = self.env["res.partner"].with_context(active_test=False)
        for window in self:
            window.member_total = window.date and Partner.search_count(
                Domain("membri_cotisation_ids", "any", window._get_terms_domain())
            )

    def _get_terms_domain(self):
        """:return: the domain of the terms that have the chosen day in them"""
        return self.env["membri.cotisation"]._get_members_on_domain(
            self.env.company, fields.Date.to_string(self.date)
        )

    def action_open_members(self):
        """Open those who were members on the chosen day: the list for a general meeting."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_member"
        )
        name = self.env._("Members on %(date)s", date=format_day(self.env, self.date))
        return {
            **action,
            # the screen is called by the second of them
            "name": name,
            "display_name": name,
            "domain": [("membri_cotisation_ids", "any", list(self._get_terms_domain()))],
            "context": {"active_test": False},
        }

    def action_print_board_pack(self):
        """Print the figures of this day for the board, as a PDF."""
        self.ensure_one()
        self.check_access("read")
        return self.env.ref("membri_renewal.action_report_board_pack").report_action(self)

    # ------------------------------------------------------------------
    # On this day last year
    # ------------------------------------------------------------------

    @api.depends("date")
    @api.depends_context("company", "lang")
    def _compute_progress(self):
        for window in self:
            rows = window._get_progress() if window.date else []
            heads = [
                self.env._("Season"),
                self.env._("On"),
                self.env._("Ending Terms"),
                self.env._("Notified"),
                self.env._("Replied"),
                self.env._("Paid"),
            ]
            window.progress = self._render_table(
                heads,
                [
                    [
                        Cell(row["season"]),
                        Cell(format_day(self.env, row["day"])),
                        Cell(row["members"], figure=f"members-{row['season']}"),
                        *(
                            Cell(self._tell_share(row, name), figure=f"{name}-{row['season']}")
                            for name in PROGRESS
                        ),
                    ]
                    for row in rows
                ],
            )

    def _tell_share(self, row, name):
        share = 100 * row[name] / row["members"] if row["members"] else 0
        return f"{row[name]} ({format_percentage(self.env, share)})"

    def _get_progress(self):
        """Return ``[{"season", "day", "members", "asked", "replied", "paid"}]``, the running
        season first; each counted up to the same day of its year."""
        self.ensure_one()
        Insight = self.env["membri.insight"]
        years = [self.date.year - back for back in range(SEASONS)]
        days = {str(year): self.date - relativedelta(years=years[0] - year) for year in years}
        query = Insight._search(
            Domain("company_id", "=", self.env.company.id) & Domain("season", "in", list(days))
        )
        column = {
            name: Insight._field_to_sql(Insight._table, name, query)
            for name in ("season", *PROGRESS.values())
        }
        until = SQL(
            "CASE %s %s END",
            column["season"],
            SQL(" ").join(SQL("WHEN %s THEN %s::date", *pair) for pair in days.items()),
        )
        query.groupby = column["season"]
        counted = self.env.execute_query(
            query.select(
                column["season"],
                SQL("COUNT(*)"),
                *(
                    SQL("COUNT(*) FILTER (WHERE %s <= %s)", column[field], until)
                    for field in PROGRESS.values()
                ),
            )
        )
        names = ("members", *PROGRESS)
        found = {season: dict(zip(names, counts, strict=True)) for season, *counts in counted}
        return [
            {"season": season, "day": day, **found[season]}
            for season, day in days.items()
            if season in found
        ]

    # ------------------------------------------------------------------
    # Cohorts
    # ------------------------------------------------------------------

    @api.depends("date")
    @api.depends_context("company", "lang")
    def _compute_cohorts(self):
        for window in self:
            table = window._get_cohorts() if window.date else {}
            years = sorted({year for _size, kept in table.values() for year in kept})
            heads = [
                self.env._("Year of Joining"),
                self.env._("Members"),
                *(self.env._("Year %(number)s", number=year) for year in years),
            ]
            window.cohorts = self._render_table(
                heads,
                [
                    [
                        Cell(cohort),
                        Cell(size, figure=f"joined-{cohort}"),
                        *(
                            Cell(
                                format_percentage(self.env, 100 * kept[year] / size),
                                kept[year] / size,
                                f"joined-{cohort}-{cohort + year}",
                            )
                            if year in kept
                            else Cell("")
                            for year in years
                        ),
                    ]
                    for cohort, (size, kept) in sorted(table.items(), reverse=True)[:COHORTS]
                ],
            )

    def _get_cohorts(self):
        """Return ``{year of joining: (members, {years since: those who are still there})}``.
        Still there, so many years since, is who has a term with a day in that year."""
        self.ensure_one()
        today = self.date.year
        groups = self.env["membri.insight"]._read_group(
            Domain("company_id", "=", self.env.company.id) & self._get_joined_domain(),
            ["cohort_year", "counted_from", "season", "life_from"],
            ["__count", "joined_count:sum"],
        )
        sizes, table = Counter(), defaultdict(Counter)
        for year, counted_from, season, life_from, count, joined in groups:
            sizes[year] += joined
            years = set(range(max(year, counted_from), min(int(season), today) + 1))
            if life_from:
                years.update(range(life_from, today + 1))
            for there in years:
                table[year][there - year] += count
        return {year: (sizes[year], dict(sorted(kept.items()))) for year, kept in table.items()}

    def _get_joined_domain(self):
        """:return: the domain of the rows of ``membri.insight`` that began by the chosen year"""
        return Domain("counted_from", "<=", self.date.year)

    # ------------------------------------------------------------------
    # Tables, of which each figure opens its members
    # ------------------------------------------------------------------

    def _render_table(self, heads, rows):
        """:param rows: lists of ``Cell``: a name, and its numbers
        :return: the table, as ``Markup``"""
        head = Markup().join(
            Markup('<th class="%s">%s</th>') % (self._get_alignment(column), text)
            for column, text in enumerate(heads)
        )
        body = Markup().join(
            Markup("<tr>%s</tr>")
            % Markup().join(self._render_cell(column, cell) for column, cell in enumerate(row))
            for row in rows
        )
        return Markup(
            '<table class="table table-sm table-bordered"><thead><tr>%s</tr></thead>'
            "<tbody>%s</tbody></table>"
        ) % (head, body)

    def _get_alignment(self, column):
        """:return: the class of a column: names on the side where reading begins, then numbers"""
        return "text-end" if column else "text-start"

    def _render_cell(self, column, cell):
        color = (
            Markup(' style="background-color: rgba(40, 167, 69, %s)"') % f"{0.7 * cell.share:.2f}"
            if cell.share is not None
            else ""
        )
        text = (
            Markup('<a href="#" data-figure="%s">%s</a>') % (cell.figure, cell.text)
            if cell.figure
            else cell.text
        )
        return Markup('<td class="%s"%s>%s</td>') % (self._get_alignment(column), color, text)

    def action_open_figure(self):
        """Open the terms, each with its member, that a figure of the tables counts. Which one is
        in the context: ``members-2026``, ``replied-2026``, ``joined-2020``, ``joined-2020-2026``.
        """
        self.ensure_one()
        self.check_access("read")
        figure = str(self.env.context.get("membri_figure"))
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_insight"
        )
        list_view = self.env.ref("membri_renewal.membri_insight_view_list")
        once = figure.startswith("joined") and figure.count("-") == 1
        return {
            **action,
            "domain": list(self._get_figure_domain(figure)),
            "views": [(list_view.id, "list"), (False, "pivot"), (False, "graph")],
            # who joined in a year has a row for each season since
            "context": {"group_by": ["partner_id"]} if once else {},
        }

    def _get_figure_domain(self, figure):
        """:return: the domain of the rows of ``membri.insight`` that the figure counts"""
        kind, *years = figure.split("-")
        if kind not in ("joined", "members", *PROGRESS) or not all(map(str.isdecimal, years)):
            raise UserError(self.env._("Open this from one of the figures of the table."))
        domain = Domain("company_id", "=", self.env.company.id)
        if kind == "joined":
            domain &= Domain("cohort_year", "=", int(years[0])) & self._get_joined_domain()
            if not years[1:]:
                return domain
            year = int(years[1])
            there = Domain("counted_from", "<=", year) & Domain("season", ">=", years[1])
            # greater than 0: no year at all is none before this one
            return domain & (there | Domain("life_from", ">", 0) & Domain("life_from", "<=", year))
        domain &= Domain("season", "=", years[0])
        if kind == "members":
            return domain
        day = self.date - relativedelta(years=self.date.year - int(years[0]))
        return domain & Domain(PROGRESS[kind], "<=", fields.Date.to_string(day))
