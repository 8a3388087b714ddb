from odoo import models
from odoo.tools import email_normalize


class ResPartner(models.Model):
    """The contacts that a change request is about."""

    _inherit = "res.partner"

    def _membri_get_own_billing_address(self):
        """Odoo's invoice address of this very member, if it has one: that of a parent
        company serves others too, and is left alone"""
        self.ensure_one()
        return self.child_ids.filtered(lambda contact: contact.type == "invoice")[:1]

    def _membri_find_colleague(self, name, email):
        """The contact of the member's company with this name and this address, if
        there is one. The address alone is not enough: many share ``info@``."""
        self.ensure_one()
        name, email = (name or "").casefold(), email_normalize(email)
        if not name or not email:
            return self.browse()
        return self.search(
            [
                ("id", "child_of", self.commercial_partner_id.id),
                ("email_normalized", "=", email),
            ]
        ).filtered(lambda contact: contact.name and contact.name.casefold() == name)[:1]

    def _membri_get_detail_target(self, subject):
        """:param subject: of a ``membri.change.request.detail``
        :return: the contact whose details these are, if there is one yet"""
        self.ensure_one()
        if subject == "contact":
            return self
        if subject == "billing":
            return self._membri_get_own_billing_address()
        return self.membri_responsible_id
