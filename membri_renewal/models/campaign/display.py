from odoo import api, fields, models

ASKED = ["notice", "invoice", "intervention", "unreachable"]
COUNTED = [*ASKED, "problem", "excluded", "left_out"]
RESULTS = ["done", "skipped", "changed", "failed"]


class MembriCampaign(models.Model):
    """What the screen of a campaign shows: counts, totals per option set and outcome,
    progress, and the ways to the members and the renewals behind them."""

    _inherit = "membri.campaign"

    line_count = fields.Integer(string="Members in Preview", compute="_compute_counts")
    notice_count = fields.Integer(compute="_compute_counts")
    invoice_count = fields.Integer(compute="_compute_counts")
    announced_count = fields.Integer(string="Announced First", compute="_compute_announced_count")
    intervention_count = fields.Integer(string="On Hold", compute="_compute_counts")
    unreachable_count = fields.Integer(compute="_compute_counts")
    problem_count = fields.Integer(compute="_compute_counts")
    excluded_count = fields.Integer(string="Excluded", compute="_compute_counts")
    left_out_count = fields.Integer(string="Not Due", compute="_compute_counts")
    amount_company = fields.Monetary(
        string="Total",
        compute="_compute_counts",
        help="Total for the members to include, taxes included, in the company's currency.",
    )
    todo_count = fields.Integer(string="Left to Process", compute="_compute_results")
    done_count = fields.Integer(string="Total Processed", compute="_compute_results")
    skipped_count = fields.Integer(compute="_compute_results")
    changed_count = fields.Integer(string="Changed", compute="_compute_results")
    failed_count = fields.Integer(string="Failed", compute="_compute_results")
    draft_count = fields.Integer(string="To Send", compute="_compute_draft_count")
    progress = fields.Integer(compute="_compute_results")
    summary = fields.Html(compute="_compute_summary", sanitize=False)

    @api.depends("line_ids.outcome", "line_ids.amount_company")
    def _compute_counts(self):
        facts = {
            (campaign, outcome): (count, amount)
            for campaign, outcome, count, amount in self.env["membri.campaign.line"]._read_group(
                [("campaign_id", "in", self.ids)],
                ["campaign_id", "outcome"],
                ["__count", "amount_company:sum"],
            )
        }
        for campaign in self:
            for outcome in COUNTED:
                campaign[f"{outcome}_count"] = facts.get((campaign, outcome), (0, 0.0))[0]
            campaign.line_count = sum(
                count for (owner, _outcome), (count, _amount) in facts.items() if owner == campaign
            )
            campaign.amount_company = sum(
                facts.get((campaign, outcome), (0, 0.0))[1] for outcome in ASKED
            )

    @api.depends("line_ids.outcome", "line_ids.option_set_id.announce_days")
    def _compute_announced_count(self):
        """Of those who get an invoice: to whom it is announced now, and sent days later."""
        counts = dict(
            self.env["membri.campaign.line"]._read_group(
                [
                    ("campaign_id", "in", self.ids),
                    ("outcome", "=", "invoice"),
                    ("option_set_id.announce_days", ">", 0),
                ],
                ["campaign_id"],
                ["__count"],
            )
        )
        for campaign in self:
            campaign.announced_count = counts.get(campaign, 0)

    @api.depends("line_ids.result", "line_ids.is_todo", "state")
    def _compute_results(self):
        counts = {
            (campaign, result, is_todo): count
            for campaign, result, is_todo, count in self.env["membri.campaign.line"]._read_group(
                [("campaign_id", "in", self.ids)],
                ["campaign_id", "result", "is_todo"],
                ["__count"],
            )
        }
        for campaign in self:
            for result in RESULTS:
                campaign[f"{result}_count"] = counts.get((campaign, result, False), 0)
            campaign.todo_count = counts.get((campaign, False, True), 0)
            worked = (
                counts.get((campaign, False, False), 0)
                if campaign.task == "preview"
                else sum(campaign[f"{result}_count"] for result in RESULTS)
            )
            total = worked + campaign.todo_count
            campaign.progress = 100 * worked // total if total else 100

    @api.depends("line_ids.renewal_id.state")
    def _compute_draft_count(self):
        drafts = dict(
            self.env["membri.campaign.line"]._read_group(
                [("campaign_id", "in", self.ids), ("renewal_id.state", "=", "draft")],
                ["campaign_id"],
                ["__count"],
            )
        )
        for campaign in self:
            campaign.draft_count = drafts.get(campaign, 0)

    @api.depends("line_ids.outcome", "line_ids.amount_company", "line_ids.option_set_id")
    @api.depends_context("lang")
    def _compute_summary(self):
        """A table: option sets down, outcomes across; how many, and how much."""
        for campaign in self:
            campaign.summary = self.env["ir.qweb"]._render(
                "membri_renewal.campaign_summary", campaign._get_summary()
            )

    def _get_summary(self):
        """Return what the table needs: the outcomes that occur, one row per option set, and
        the totals of both."""
        self.ensure_one()
        groups = self.env["membri.campaign.line"]._read_group(
            [("campaign_id", "in", self.ids), ("outcome", "!=", False)],
            ["option_set_id", "outcome"],
            ["__count", "amount_company:sum"],
        )
        labels = dict(
            self.env["membri.campaign.line"]._fields["outcome"]._description_selection(self.env)
        )
        cells = {
            (option_set, outcome): (count, amount) for option_set, outcome, count, amount in groups
        }
        totals = {
            outcome: self._sum_cells(cells, lambda key, outcome=outcome: key[1] == outcome)
            for _option_set, outcome in cells
        }
        rows = {}
        for option_set, _outcome in cells:
            members = self._sum_cells(cells, lambda key, owner=option_set: key[0] == owner)
            # those who are left out are counted, and add nothing to the money
            asked = self._sum_cells(
                cells, lambda key, owner=option_set: key[0] == owner and key[1] in ASKED
            )
            rows[option_set] = members[0], asked[1]
        return {
            "outcomes": [(name, labels[name]) for name in COUNTED if name in totals],
            "option_sets": sorted(
                rows, key=lambda option_set: (option_set.sequence, option_set.id)
            ),
            "cells": cells,
            "rows": rows,
            "totals": totals,
            "grand_total": (
                sum(count for count, _amount in rows.values()),
                sum(amount for _count, amount in rows.values()),
            ),
            "currency": self.currency_id,
            "charges": self._get_charge_summary(),
        }

    def _sum_cells(self, cells, wanted):
        """:return: how many, and how much, in the cells whose key is ``wanted``"""
        chosen = [cell for key, cell in cells.items() if wanted(key)]
        return sum(count for count, _amount in chosen), sum(amount for _count, amount in chosen)

    # ------------------------------------------------------------------
    # Ways
    # ------------------------------------------------------------------

    def action_view_lines(self):
        """The members of this campaign; of one outcome or result, if the button says so."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_campaign_line"
        )
        context = {
            f"search_default_{name}": 1
            for key in ("membri_outcome", "membri_result")
            if (name := self.env.context.get(key)) in COUNTED + RESULTS
        } or {"search_default_group_outcome": 1}
        return {
            **action,
            "name": self.name,
            "display_name": self.name,
            "domain": [("campaign_id", "=", self.id)],
            "context": {**context, "membri_worked": self.state == "done" or self.task != "preview"},
        }

    def action_view_renewals(self):
        """The renewals that this campaign has made."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_renewal"
        )
        lines = self.env["membri.campaign.line"].search([("campaign_id", "=", self.id)])
        return {
            **action,
            "name": self.name,
            "display_name": self.name,
            "domain": [("id", "in", lines.renewal_id.ids)],
            "context": {},
        }

    def action_send_drafts(self):
        """Send the drafts that this campaign has made, as any selection is sent."""
        self.ensure_one()
        lines = self.env["membri.campaign.line"].search([("campaign_id", "=", self.id)])
        return lines.renewal_id.filtered(lambda r: r.state == "draft").action_bulk("send")
