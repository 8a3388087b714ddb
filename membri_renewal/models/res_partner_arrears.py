from odoo import api, fields, models
from odoo.fields import Domain

from .mixins.fields import get_flag_domain
from .res_partner import READERS


class ResPartner(models.Model):
    """Whether a part of a member's fees is late, in the current company."""

    _inherit = "res.partner"

    membri_in_arrears = fields.Boolean(
        string="In Arrears",
        compute="_compute_membri_in_arrears",
        search="_search_membri_in_arrears",
        groups=READERS,
        help="A part of an invoice of this member was due before today and is not paid.",
    )

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
