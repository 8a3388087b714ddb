from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..renewal.eligibility import HAND


class MembriCotisation(models.Model):
    """What the screens show beside the facts, and the renewal prepared by hand."""

    _inherit = "membri.cotisation"

    renewal_count = fields.Integer(compute="_compute_renewal_count")
    can_prepare_renewal = fields.Boolean(
        compute="_compute_can_prepare_renewal",
        string="Can Be Renewed",
        help="False for terms that are for life, ended early or already renewed.",
    )

    invoice_remark = fields.Char(
        compute="_compute_invoice_remark",
        help="What the posted invoice still shows after the options were changed at the same "
        "price.",
    )

    @api.depends("state", "line_ids.product_id", "invoice_id", "renewal_id")
    @api.depends_context("lang")
    def _compute_invoice_remark(self):
        """What was sent is a document: it keeps its options, and the officer is told so."""
        for cotisation in self:
            cotisation.invoice_remark = cotisation._get_invoice_remark()

    def _get_invoice_remark(self):
        """Return that the invoice names other options than this pending term, and what to do
        when that matters (a sentence), or ``False``."""
        self.ensure_one()
        if self.state != "pending" or not self.invoice_id:
            return False
        lines_sudo = self._get_invoice_lines()
        # sudo: whoever sees the term may know what it was invoiced as
        if not lines_sudo or lines_sudo.product_id == self.sudo().line_ids.product_id:
            return False
        values = {
            "invoice": self._get_invoice_sudo()._membri_get_document_label(),
            "options": ", ".join(lines_sudo.product_id.mapped("display_name")),
        }
        if self.renewal_id:
            return self.env._(
                "%(invoice)s still lists: %(options)s. The price is the same, so it can "
                "stay. If the wording matters to the payer, use “Reset” on the renewal "
                "and approve it again: a new invoice replaces this one.",
                **values,
            )
        return self.env._(
            "%(invoice)s still lists: %(options)s. The price is the same, so it can stay. "
            "If the wording matters to the payer, cancel the membership term and enroll "
            "the member again.",
            **values,
        )

    @api.depends("renewal_ids")
    def _compute_renewal_count(self):
        for cotisation in self:
            cotisation.renewal_count = len(cotisation.renewal_ids)

    @api.depends("state", "date_end", "date_terminated", "renewal_ids.state", "next_ids.state")
    def _compute_can_prepare_renewal(self):
        reasons = self._get_not_renewed_reasons(HAND)
        for cotisation in self:
            cotisation.can_prepare_renewal = not reasons[cotisation]

    @api.onchange("partner_id", "option_set_id", "date_start")
    def _onchange_term(self):
        """A term recorded by hand starts from what its option set gives."""
        option_set, partner = self._get_option_set(), self.partner_id
        if self._origin or not (option_set and partner and self.date_start):
            return
        date_end = option_set._get_period(self.date_start)[1]
        lines_vals = option_set._prepare_term_lines(partner, self.date_start, date_end)
        self.update(
            {
                "date_end": date_end,
                "currency_id": option_set._get_currency(partner).id,
                "line_ids": [
                    Command.clear(),
                    *(Command.create(vals) for vals in lines_vals),
                ],
            }
        )

    def action_prepare_renewal(self):
        """Prepare the renewals of these terms by hand, and show them.

        :raises UserError: naming the first term that cannot be renewed, and why
        """
        Renewal = self.env["membri.renewal"]
        Renewal.check_access("create")
        for sentences in self._get_not_renewed_reasons(HAND).values():
            for sentence in sentences.values():
                raise UserError(sentence)
        renewals = Renewal.create([{"cotisation_id": cotisation.id} for cotisation in self])
        return renewals._get_records_action(name=self.env._("Prepared Renewals"))

    def action_view_member(self):
        self.ensure_one()
        return self.partner_id._get_records_action()

    def action_view_renewals(self):
        self.ensure_one()
        return self.renewal_ids._get_records_action(name=self.env._("Renewals"))
