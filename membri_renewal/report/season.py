from collections import Counter, defaultdict

from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain

from ..models.mixins.formats import format_day, format_percentage

SEASONS = 4
COHORTS = 12


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    @api.model
    def _get_members_on(self, company, day):
        """Who was a member on ``day``: whose term has that day in it. Terms that ended early
        count until their last day; those that were credited, or unpaid again, until the day on
        which they were.

        :return: ``res.partner``, as the user may see them"""
        paid = Domain("state", "in", ("scheduled", "active", "expired"))
        undone = (
            Domain("state", "in", ("pending", "cancelled"))
            & Domain("date_deactivated", ">", day)
            & (Domain("date_activated", "=", False) | Domain("date_activated", "<=", day))
        )
        terms = self.search(
            Domain("company_id", "=", company.id)
            & Domain("date_start", "<=", day)
            & (Domain("date_end", "=", False) | Domain("date_end", ">=", day))
            & (paid | undone)
        )
        return terms.partner_id


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
        for window in self:
            window.member_total = len(window._get_members()) if window.date else 0

    def _get_members(self):
        return self.env["membri.cotisation"]._get_members_on(self.env.company, self.date)

    def action_open_members(self):
        """Open those who were members on the chosen day: the list for a general meeting."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_member"
        )
        return {
            **action,
            "name": self.env._("Members on %(date)s", date=format_day(self.env, self.date)),
            "domain": [("id", "in", self._get_members().ids)],
            "context": {"active_test": False},
        }

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
                        (row["season"], None),
                        (format_day(self.env, row["day"]), None),
                        (row["members"], None),
                        *(
                            (self._tell_share(row, name), None)
                            for name in ("asked", "replied", "paid")
                        ),
                    ]
                    for row in rows
                ],
            )

    def _tell_share(self, row, name):
        share = 100 * row[name] / row["members"] if row["members"] else 0
        return f"{row[name]} ({format_percentage(self.env, share)})"

    def _get_progress(self):
        """:return: ``[{"season", "day", "members", "asked", "replied", "paid"}]``, the running
        season first; each counted up to the same day of its year"""
        self.ensure_one()
        Insight = self.env["membri.insight"]
        years = [self.date.year - back for back in range(SEASONS)]
        domain = Domain("company_id", "=", self.env.company.id) & Domain(
            "season", "in", [str(year) for year in years]
        )
        members = dict(Insight._read_group(domain, ["season"], ["__count"]))
        days = {year: self.date - relativedelta(years=years[0] - year) for year in years}
        counts = Counter()
        names = {"asked": "date_notice", "replied": "date_answer", "paid": "date_paid"}
        for name, field in names.items():
            groups = Insight._read_group(
                domain & Domain(field, "!=", False), ["season", f"{field}:day"], ["__count"]
            )
            for season, day, count in groups:
                if day <= days[int(season)]:
                    counts[season, name] += count
        return [
            {
                "season": str(year),
                "day": days[year],
                "members": members[str(year)],
                **{name: counts[str(year), name] for name in names},
            }
            for year in years
            if str(year) in members
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
                        (cohort, None),
                        (size, None),
                        *(
                            (
                                format_percentage(self.env, 100 * kept[year] / size),
                                kept[year] / size,
                            )
                            if year in kept
                            else ("", None)
                            for year in years
                        ),
                    ]
                    for cohort, (size, kept) in sorted(table.items(), reverse=True)[:COHORTS]
                ],
            )

    def _get_cohorts(self):
        """:return: ``{year of joining: (members, {years since: those who are still there})}``.
        Still there, so many years since, is who has a term that ends in that year."""
        self.ensure_one()
        groups = self.env["membri.insight"]._read_group(
            Domain("company_id", "=", self.env.company.id)
            & Domain("season", "<=", str(self.date.year)),
            ["cohort_year", "season"],
            ["__count"],
        )
        sizes = dict(
            self.env["membri.insight"]._read_group(
                Domain("company_id", "=", self.env.company.id)
                & Domain("season", "<=", str(self.date.year)),
                ["cohort_year"],
                ["partner_id:count_distinct"],
            )
        )
        table = defaultdict(dict)
        for cohort, season, count in groups:
            table[cohort][int(season) - cohort] = count
        return {cohort: (sizes[cohort], kept) for cohort, kept in table.items()}

    def _render_table(self, heads, rows):
        """:param rows: lists of ``(text, share)``; a share, from 0 to 1, colors its cell"""
        head = Markup().join(Markup('<th class="text-end">%s</th>') % text for text in heads)
        body = Markup().join(
            Markup("<tr>%s</tr>") % Markup().join(self._render_cell(*cell) for cell in row)
            for row in rows
        )
        return Markup(
            '<table class="table table-sm table-bordered"><thead><tr>%s</tr></thead>'
            "<tbody>%s</tbody></table>"
        ) % (head, body)

    def _render_cell(self, text, share):
        if share is None:
            return Markup('<td class="text-end">%s</td>') % text
        return Markup(
            '<td class="text-end" style="background-color: rgba(40, 167, 69, %s)">%s</td>'
        ) % (
            f"{0.7 * share:.2f}",
            text,
        )
