"""What anybody types, on the website or in an email, and Odoo writes as the system."""

from odoo import SUPERUSER_ID, api, models
from odoo.http import request

# in the context of an email that comes in, or of what a visitor writes: a tuple, which no client
# can send
IS_TYPED = "membri_is_typed"
TYPED = frozenset({"email", "name", "phone"})


def get_typist(env):
    """What somebody gives is worked on by the system.

    :return: the visitor whose form it is, or the public user where it is an email; or none"""
    if isinstance(env.context.get(IS_TYPED), tuple) and env.su:
        return env.user if env.user.share else env.ref("base.public_user")
    if env.uid == SUPERUSER_ID and request and request.env and request.env.user.share:
        return request.env.user
    return env["res.users"]


def as_typed(records):
    """A lead that is assigned to a visitor (a reseller) is written in sudo, and writes its email on
    the customer.

    :return: ``records``, which write on no contact of ours"""
    if records._name == "crm.lead" and records.env.su and records.env.user.share:
        return records.with_context(**{IS_TYPED: (True,)})
    return records


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _membri_as_typist(self):
        """A contact that a visitor typed (applies for a job, fills in a form of the website) is one
        of the visitor's, which an import takes for nobody.

        :return: ``self``, which makes contacts as the visitor, with the rights of the system"""
        typist = get_typist(self.env)
        return self.with_user(typist).sudo() if typist else self  # sudo: as it was

    def _membri_filter_kept(self, vals):
        """Who applied for a job by the email of a member renamed the member, and changed their
        phone.

        :param vals: as for ``write``
        :return: those of ``self`` whose name and address are kept, and what is written on these"""
        if not TYPED & vals.keys() or not get_typist(self.env):
            return self.browse(), vals
        kept = self.filtered(lambda contact: contact._membri_is_known())
        return kept, {name: value for name, value in vals.items() if name not in TYPED}

    @api.model
    def _load_pos_self_data_read(self, records, config):
        # EXTENDS pos_self_order, no dependency of ours: whoever orders by themselves names one
        # by its number, and read the name, address, phone and email of anybody
        if self.env.user.share:
            records = records.filtered(lambda contact: not contact._membri_is_known())
        return super()._load_pos_self_data_read(records, config)

    def _membri_is_known(self):
        """Tell those whose name and address are theirs, or the staff's, to change.

        :return: whether this contact signs in, is one of our organizations, or serves memberships
        """
        contact_sudo = self.sudo()  # sudo: whoever may read these
        users_sudo = contact_sudo.with_context(active_test=False).user_ids
        is_ours = bool(users_sudo or contact_sudo.ref_company_ids)
        return is_ours or self._membri_serves_memberships()
