from collections import defaultdict

from markupsafe import Markup

from odoo import models

from ..mixins.formats import end_once
from ..mixins.keyless import KEY_OF_ANY, strip_keys


class MembriRenewal(models.Model):
    """The trace of a renewal in the chatter of its contacts (guide: *Chronologie*)."""

    _inherit = "membri.renewal"

    def _get_officer(self):
        """Return the ``res.users`` in charge: of who has left, the company's officer. Nobody
        when there is none either."""
        self.ensure_one()
        renewal_sudo = self.sudo()  # sudo: members read neither users nor settings
        officer_sudo = renewal_sudo.user_id.filtered("active")
        return (officer_sudo or renewal_sudo.company_id._membri_get_officer()).with_env(self.env)

    def message_post(self, **kwargs):
        """Odoo lets whoever was notified post by RPC, with any author and any attachment.
        Members write by the forms of the portal, and by replying to emails."""
        self.check_access("write")
        if kwargs.get("body"):
            kwargs["body"] = strip_keys(kwargs["body"], KEY_OF_ANY)
        return super().message_post(**kwargs)

    def _log_on_contacts(self, bodies, attachments=None):
        """Show an event of each renewal in the chatter of its contact, of the recipient and of
        the parent company (above a person: if it pays), with a link to the renewal. One insert
        for all of a company; its people read it, those of other companies do not.

        :param bodies: ``{renewal: plain text}``, escaped here
        :param attachments: ``{renewal: ir.attachment}``, the PDF that goes with the event
        """
        renewals_sudo = self.sudo()  # the trace is the system's, whoever acts
        informed = renewals_sudo._get_informed_contacts()
        for company, renewals in renewals_sudo.grouped("company_id").items():
            texts, files = defaultdict(list), defaultdict(self.env["ir.attachment"].browse)
            for renewal in renewals:
                body = Markup("<br/>").join(end_once(bodies[renewal]).split("\n"))
                text = Markup("%s %s") % (body, renewal._get_html_link(title=renewal.name))
                for contact in informed[renewal]:
                    texts[contact].append(text)
                    files[contact] |= (attachments or {}).get(renewal, files[contact])
            contacts = renewals_sudo.env["res.partner"].union(*texts)
            messages = contacts._membri_noted_for(company)._message_log_batch(
                {contact.id: Markup("<br/>").join(texts[contact]) for contact in contacts},
                # as a note that somebody typed: Odoo shows notifications to the contact's portal
                # users
                message_type="comment",
            )
            for contact, message in zip(contacts, messages, strict=True):
                if files[contact]:
                    message.attachment_ids = files[contact]

    def _get_informed_contacts(self):
        """:return: ``{renewal: contacts}`` in whose chatter it shows"""
        informed = {}
        for company, renewals in self.grouped("company_id").items():
            members = renewals.partner_id.with_company(company)
            parents = members._membri_get_concerned_parents()
            for renewal in renewals:
                member = renewal.partner_id
                informed[renewal] = member | parents[member] | renewal.recipient_id
        return informed
