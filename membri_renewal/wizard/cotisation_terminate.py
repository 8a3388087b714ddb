from odoo import api, fields, models

from ..models.mixins.formats import format_day
from ..models.renewal.renewal import UNDECIDED_STATES
from .explanation import as_list


class MembriCotisationTerminate(models.TransientModel):
    """A member leaves before the end: resignation, death, exclusion."""

    _name = "membri.cotisation.terminate"
    _inherit = "membri.wizard.mixin"
    _description = "End a Membership Term"

    cotisation_ids = fields.Many2many("membri.cotisation", string="Membership Terms", required=True)
    date = fields.Date(
        string="Last Day",
        required=True,
        default=lambda self: self.env.company._membri_today(),
        help="The last day of membership, included.",
    )
    reason_id = fields.Many2one(
        "membri.refusal.reason",
        string="Kind of Reason",
        help="Choose a reason from the list, so that the figures can count it.",
    )
    reason = fields.Char(
        required=True, compute="_compute_reason", store=True, readonly=False, precompute=True
    )
    obstacle = fields.Text(compute="_compute_explanation")
    consequences = fields.Html(compute="_compute_explanation", string="What Happens")

    @api.depends("reason_id")
    def _compute_reason(self):
        for wizard in self:
            wizard.reason = wizard.reason_id.name or wizard.reason

    @api.depends("cotisation_ids", "date")
    def _compute_explanation(self):
        for wizard in self:
            cotisations = wizard.cotisation_ids._origin
            wizard.obstacle = wizard.date and wizard._get_obstacle(cotisations)
            explains = wizard.date and not wizard.obstacle
            wizard.consequences = as_list(
                sentence
                for cotisation in (cotisations if explains else cotisations.browse())
                for sentence in wizard._get_consequences(cotisation)
            )

    def _get_obstacle(self, cotisations):
        """:return: why one of them cannot end on that day, or ``False``"""
        reasons = (
            cotisation._get_cannot_reason("terminate")
            or cotisation._get_cannot_end_on_reason(self.date)
            for cotisation in cotisations
        )
        return next(filter(None, reasons), False)

    def _get_consequences(self, cotisation):
        """:return: list of sentences about one cotisation"""
        sentences = [
            self.env._(
                "%(member)s stays a member through %(date)s. The membership term "
                "%(cotisation)s (%(term)s) ends on that day.",
                member=cotisation.partner_id._membri_get_names(),
                date=format_day(self.env, self.date),
                cotisation=cotisation.name,
                term=cotisation.term_display,
            )
        ]
        sentences.extend(
            self.env._("The open renewal %(renewal)s will be declined.", renewal=renewal.name)
            for renewal in cotisation.renewal_ids
            if renewal.state in UNDECIDED_STATES
        )
        invoice_sudo = cotisation._get_invoice_sudo()
        if invoice_sudo:
            sentences.append(
                self.env._(
                    "Nothing is refunded automatically. If a refund is due, credit "
                    "%(invoice)s in Invoicing.",
                    invoice=invoice_sudo.display_name,
                )
            )
        return sentences

    @api.model
    def _get_wizard_action(self, cotisations):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("End Membership Early"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {"default_cotisation_ids": cotisations.ids},
        }

    def action_confirm(self):
        self.ensure_one()
        self.cotisation_ids.action_terminate(self.date, self.reason)
        return {"type": "ir.actions.act_window_close"}
