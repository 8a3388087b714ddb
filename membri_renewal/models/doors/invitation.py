from odoo import api, models
from odoo.tools import hmac

INVITATION_SCOPE = "membri_renewal.invitation"
SIGNATURE_LENGTH = 32


class PortalWizardUser(models.TransientModel):
    """Odoo gives whoever edits contacts the window that makes logins and takes them away, for any
    contact that its lines name."""

    _inherit = "portal.wizard.user"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS portal
        lines = super().create(vals_list)
        lines.partner_id.check_access("write")
        return lines

    def write(self, vals):
        # EXTENDS portal
        result = super().write(vals)
        self.partner_id.check_access("write")
        return result


class ResPartner(models.Model):
    """What is sent to make a login, or another password, is good for the address that it went to:
    an invitation to a wrong one made a login that answered for the member, for six days, after the
    address was corrected, and after the key of the renewal was another one."""

    _inherit = "res.partner"

    def _get_login_date(self):
        # EXTENDS auth_signup: a part of what is signed, which is compared as it is used
        date = super()._get_login_date()
        # sudo: the secret is the database's; the address is compared, not shown
        contact_sudo = self.sudo()
        address = hmac(contact_sudo.env, INVITATION_SCOPE, contact_sudo.email or "")
        return f"{date}-{address[:SIGNATURE_LENGTH]}"
