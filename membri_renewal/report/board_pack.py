from odoo import api, models
from odoo.fields import Domain

from ..models.mixins.formats import format_day, format_percentage
from .season import SEASONS, Cell

LOST = ("left", "unpaid", "terminated", "deceased")
MONEY = ("expected", "invoiced", "received", "open", "deferred")


class ReportBoardPack(models.AbstractModel):
    """What the board is handed: the figures of a day on paper, the same as on the screens."""

    _name = "report.membri_renewal.report_board_pack"
    _description = "Board Pack"

    @api.model
    def _get_report_values(self, docids, data=None):
        windows = self.env["membri.season"].browse(docids)
        windows.check_access("read")
        return {
            "docs": windows,
            "company": self.env.company,
            "format_day": format_day,
            "get_tables": self._get_tables,
        }

    def _get_tables(self, window):
        """:return: ``[(title, table)]``, of the company of the user"""
        seasons = [str(window.date.year - back) for back in range(SEASONS)]
        mine = Domain("company_id", "=", self.env.company.id)
        recent = mine & Domain("season", "in", seasons)
        return [
            (self.env._("Members by Season"), self._get_seasons(window, recent)),
            (self.env._("On the Same Day of Earlier Seasons"), window.progress),
            (self.env._("Remaining Members, by Year of Joining"), window.cohorts),
            (
                self.env._("Reasons for Leaving, Season %(season)s", season=seasons[0]),
                self._get_reasons(window, mine & Domain("season", "=", seasons[0])),
            ),
            (self.env._("Money by Plan"), self._get_money(window, mine)),
        ]

    def _get_labels(self, model, names):
        found = self.env[model].fields_get(names, ["string"])
        return [found[name]["string"] for name in names]

    def _get_seasons(self, window, domain):
        names = ("member_count", "renewed_count", "lost_count", "open_count", "renewal_rate")
        groups = self.env["membri.insight"]._read_group(
            domain,
            ["season"],
            [f"{name}:{'avg' if name == 'renewal_rate' else 'sum'}" for name in names],
            order="season desc",
        )
        return window._render_table(
            self._get_labels("membri.insight", ["season", *names]),
            [
                [
                    Cell(season),
                    *map(Cell, counts),
                    Cell("" if rate is None else format_percentage(self.env, rate, 1)),
                ]
                for season, *counts, rate in groups
            ],
        )

    def _get_reasons(self, window, domain):
        groups = self.env["membri.insight"]._read_group(
            domain & Domain("outcome", "in", LOST),
            ["reason_id"],
            ["member_count:sum"],
            order="member_count:sum desc, reason_id",
        )
        return window._render_table(
            self._get_labels("membri.insight", ["reason_id", "member_count"]),
            [
                [Cell(reason.display_name or self.env._("No reason recorded")), Cell(count)]
                for reason, count in groups
            ],
        )

    def _get_money(self, window, domain):
        groups = self.env["membri.money"]._read_group(
            domain, ["option_set_id"], [f"{name}:sum" for name in MONEY]
        )
        currency = self.env.company.currency_id
        return window._render_table(
            self._get_labels("membri.money", ["option_set_id", *MONEY]),
            [
                [
                    Cell(option_set.display_name or self.env._("Other invoice lines")),
                    *(Cell(currency.format(amount or 0.0)) for amount in amounts),
                ]
                for option_set, *amounts in groups
            ],
        )
