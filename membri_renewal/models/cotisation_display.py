from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .renewal import UNDECIDED_STATES


class MembriCotisation(models.Model):
    """What the screens show beside the facts, and the renewal prepared by hand."""

    _inherit = "membri.cotisation"

    renewal_count = fields.Integer(compute="_compute_renewal_count")
    can_prepare_renewal = fields.Boolean(
        compute="_compute_can_prepare_renewal",
        string="Can Be Renewed",
        help="Neither for life, nor terminated, nor renewed already.",
    )

    @api.depends("renewal_ids")
    def _compute_renewal_count(self):
        for cotisation in self:
            cotisation.renewal_count = len(cotisation.renewal_ids)

    @api.depends("state", "date_end", "date_terminated", "renewal_ids.state", "next_ids.state")
    def _compute_can_prepare_renewal(self):
        for cotisation in self:
            cotisation.can_prepare_renewal = not cotisation._get_cannot_prepare_reason()

    @api.onchange("partner_id", "option_set_id", "date_start")
    def _onchange_term(self):
        """A term recorded by hand starts from what its option set gives."""
        option_set, partner = self.option_set_id, self.partner_id
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
        for cotisation in self:
            reason = cotisation._get_cannot_prepare_reason()
            if reason:
                raise UserError(reason)
        renewals = Renewal.create([{"cotisation_id": cotisation.id} for cotisation in self])
        return renewals._get_records_action(name=self.env._("Prepared Renewals"))

    def _get_cannot_prepare_reason(self):
        """:return: why no renewal of this term can be prepared (a sentence), or ``False``"""
        self.ensure_one()
        names = {"cotisation": self.name, "member": self.partner_id.display_name}
        if not self.date_end:
            return self.env._(
                "%(member)s is a member for life: there is nothing to renew.", **names
            )
        if self.state in ("pending", "cancelled"):
            return self.env._(
                "%(cotisation)s of %(member)s is %(state)s: only a paid term can be renewed.",
                state=self._get_state_label(),
                **names,
            )
        if self.date_terminated:
            return self.env._(
                "%(cotisation)s of %(member)s was terminated. Use “Enrol” if this member comes "
                "back.",
                **names,
            )
        renewal = self.renewal_ids.filtered(lambda r: r.state != "cancelled")[:1]
        if renewal:
            return self.env._(
                "%(cotisation)s of %(member)s already has the renewal %(renewal)s “%(state)s”.",
                renewal=renewal.name,
                state=renewal._get_state_label(),
                **names,
            )
        following = self.next_ids.filtered(lambda c: c.state != "cancelled")[:1]
        if following:
            return self.env._(
                "%(member)s already has the next cotisation %(next)s after %(cotisation)s.",
                next=following.name,
                **names,
            )
        other = self.partner_id.membri_renewal_ids.filtered(
            lambda r: r.company_id == self.company_id and r.state in UNDECIDED_STATES
        )[:1]
        if other:
            return self.env._(
                "%(member)s already has the open renewal %(renewal)s.",
                renewal=other.name,
                **names,
            )
        return False

    def action_view_member(self):
        self.ensure_one()
        return self.partner_id._get_records_action()

    def action_view_renewals(self):
        self.ensure_one()
        return self.renewal_ids._get_records_action(name=self.env._("Renewals"))

    def action_view_made_by_renewal(self):
        self.ensure_one()
        return self.renewal_id._get_records_action()
