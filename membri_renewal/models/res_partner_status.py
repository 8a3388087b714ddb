from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from .cotisation.cotisation import LIVING_STATES
from .mixins.fields import get_flag_domain
from .res_partner import READERS

HISTORY_ORDER = "date_start, id"


class ResPartner(models.Model):
    """What a contact is, read off its cotisations and its open renewal (specification §2)."""

    _inherit = "res.partner"

    membri_continuous_since = fields.Date(
        string="Uninterrupted Member Since",
        compute="_compute_membri_continuous_since",
        groups=READERS,
        help="First day of the current unbroken membership, not counting grace periods. It is "
        "stated on the certificate.",
    )
    membri_in_arrears = fields.Boolean(
        string="In Arrears",
        compute="_compute_membri_in_arrears",
        search="_search_membri_in_arrears",
        groups=READERS,
        help="A part of an invoice of this member was due before today and is not paid.",
    )

    @api.depends("membri_cotisation_ids.state", "membri_cotisation_ids.date_end")
    @api.depends_context("company")
    def _compute_membri_continuous_since(self):
        company = self.env.company
        # sudo: facts do not depend on who looks
        terms_sudo = (
            self.env["membri.cotisation"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", self.ids),
                    ("company_id", "=", company.id),
                    ("state", "in", ("active", "expired")),
                ],
                order="date_start desc, id desc",
            )
        )
        by_member = terms_sudo.grouped("partner_id")
        tomorrow = company._membri_today() + timedelta(days=1)
        for partner in self:
            since = False
            for term in by_member.get(partner._origin, terms_sudo[:0]):
                if term.date_end and not term._is_followed(since or tomorrow):
                    break
                since = term.date_start
            partner.membri_continuous_since = since

    @api.depends("membri_cotisation_ids.state")
    @api.depends_context("company")
    def _compute_membri_in_arrears(self):
        late = self._membri_find_in_arrears(Domain("partner_id", "in", self._origin.ids))
        for partner in self:
            partner.membri_in_arrears = partner._origin in late

    def _search_membri_in_arrears(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = Domain("id", "in", self._membri_find_in_arrears(Domain.TRUE).ids)
        return get_flag_domain(found, value)

    @api.model
    def _membri_find_in_arrears(self, domain):
        """:param domain: of terms
        :return: their members, where a part is late in the current company"""
        ours = Domain("company_id", "=", self.env.company.id)
        # sudo: which contacts; they are read as the user
        return self.env["membri.cotisation"]._find_in_arrears(domain & ours).sudo().partner_id

    def _membri_refresh_status(self, company):
        """Write the membership facts of ``self`` in ``company``, where they changed.

        The one writer of these fields: called whenever a cotisation or a renewal changes.
        """
        if not self:
            return
        # sudo: facts do not depend on who looks; read together: those of terms that were deleted
        # have nothing else in common
        partners_sudo = self.sudo().with_company(company).with_prefetch()
        cotisations_sudo = (
            self.env["membri.cotisation"]
            .sudo()
            .search(
                [("partner_id", "in", self.ids), ("company_id", "=", company.id)],
                order=HISTORY_ORDER,
            )
        )
        renewals_sudo = (
            self.env["membri.renewal"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", self.ids),
                    ("company_id", "=", company.id),
                    ("is_open", "=", True),
                ],
                order=HISTORY_ORDER,
            )
        )
        cotisations_by_partner = cotisations_sudo.grouped("partner_id")
        renewals_by_partner = renewals_sudo.grouped("partner_id")
        changes = {}
        for partner in partners_sudo:
            facts = partner._membri_get_facts(
                cotisations_by_partner.get(partner, cotisations_sudo[:0]),
                renewals_by_partner.get(partner, renewals_sudo[:0]),
            )
            changes[partner] = {
                name: value
                for name, value in facts.items()
                if partner._fields[name].convert_to_write(partner[name], partner) != value
            }
        partners_sudo._internal_write_alike(changes)

    def _membri_get_facts(self, cotisations, renewals):
        """:param cotisations: all of this member in one company, in time order
        :param renewals: the open ones
        :return: values of the fact fields"""
        valid = cotisations.filtered(lambda c: c.state != "cancelled")
        active = valid.filtered(lambda c: c.state == "active")
        expired = valid.filtered(lambda c: c.state == "expired")
        waiting = valid.filtered(lambda c: c.state in LIVING_STATES) - active
        current = active or expired[-1:] or waiting[:1]
        # the undecided one goes before one that is approved and waits for its payment
        renewal = renewals.filtered(lambda r: r.state != "approved")[:1] or renewals[-1:]
        if active:
            status = "active"
        elif expired and renewals.filtered(lambda r: r.cotisation_id == expired[-1]):
            status = "in_renewal"
        elif waiting:
            status = "pending"
        elif expired:
            status = "inactive"
        else:
            status = "non_member"
        started = valid.filtered(lambda c: c.state in ("active", "expired"))
        since = (
            self.membri_member_since
            if self.membri_is_since_typed
            else started[:1].date_start or False
        )
        return {
            "membri_status": status,
            "membri_cotisation_id": current.id,
            "membri_renewal_id": renewal.id,
            "membri_option_set_id": current.option_set_id.id,
            "membri_member_since": since,
            "membri_date_end": current.date_end or False,
        }
