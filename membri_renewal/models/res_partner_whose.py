from odoo import models


class ResPartner(models.Model):
    """Whose a membership is: a person's is that person's, their person in charge's and their
    payer's; a company's is its contacts'."""

    _inherit = "res.partner"

    def _membri_get_concerned_parents(self):
        """Above a company, its parents are told of its membership. Above a person is mostly an
        employer, who has to do with a personal membership only by paying for it.

        :return: the contacts above ``self`` who may read its notices, in sudo, the nearest first
        """
        self.ensure_one()
        member_sudo = self.sudo()
        parents_sudo = (member_sudo.parent_id | member_sudo.commercial_partner_id) - member_sudo
        if member_sudo.is_company or not parents_sudo:
            return parents_sudo
        owners_sudo = member_sudo._membri_get_payer()._membri_get_address_owners()
        return parents_sudo & owners_sudo

    def _membri_get_address_owners(self):
        """This contact and, where it is a mere address, the contacts that it is an
        address of"""
        self.ensure_one()
        owners = self
        while owners[-1:].type != "contact" and (parent := owners[-1:].parent_id - owners):
            owners += parent
        return owners
