from contextlib import suppress

from odoo import models
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import consteq, email_normalize

from ..mixins.fields import MembriFieldsMixin


class MailThread(models.AbstractModel):
    """Odoo finds contacts by an address, those with a login first: whoever had typed the address of
    a member there became the author of what that member answered by email, and read it; and by the
    address of the organization, the author of the notices of all."""

    _inherit = "mail.thread"

    def _partner_find_from_emails(
        self,
        records_emails,
        avoid_alias=True,
        ban_emails=None,
        filter_found=None,
        additional_values=None,
        no_create=False,
    ):
        # EXTENDS mail
        documents = [record for record in records_emails if isinstance(record, MembriFieldsMixin)]

        def may_be_found(partner):
            return (filter_found is None or filter_found(partner)) and all(
                partner._membri_may_take_part(document) for document in documents
            )

        return super()._partner_find_from_emails(
            records_emails,
            avoid_alias=avoid_alias,
            ban_emails=ban_emails,
            filter_found=may_be_found if documents else filter_found,
            additional_values=additional_values,
            no_create=no_create,
        )

    def _membri_compute_sender(self, email_from):
        """:param email_from: in whose name emails leave, on this record and others
        :return: ``(ID of the author, address)``, as of ``_message_compute_author``; the author is
            no visitor, nor a contact of theirs, also where one has this address"""
        self.ensure_one()
        if not email_from:
            return self._message_compute_author()
        author = self._partner_find_from_emails_single(
            [email_from],
            filter_found=lambda partner: not partner._membri_is_changed_by_visitors(),
            no_create=True,
        )
        return author.id, email_from


class MailBlacklist(models.Model):
    """Whoever signs in may ask for no more emails, by deleting the login or, where email marketing
    is installed, at ``/mailing/my``, and Odoo closes the address that is typed in the account to
    everybody: who had typed a member's stopped the notices of that member. And opened it again."""

    _inherit = "mail.blacklist"

    def _add(self, email, message=None):
        # EXTENDS mail
        if not self._membri_is_of_others_too(email):
            return super()._add(email, message=message)
        user_sudo = self.env.user.sudo()  # sudo: the own contact; the staff reads the note
        user_sudo.partner_id._membri_noted_for(user_sudo.company_id)._message_log(
            body=self.env._(
                "Emails to %(email)s are not stopped: another contact has this address.",
                email=email,
            )
        )
        return self.browse()

    def _remove(self, email, message=None):
        # EXTENDS mail
        if self._membri_is_of_others_too(email):
            return self.browse()
        return super()._remove(email, message=message)

    def _membri_is_of_others_too(self, email):
        """Return whether a visitor decides by the own account, where any address is typed, about
        one that emails about the membership of somebody else go to."""
        user_sudo = self.env.user.sudo()  # sudo: the own contact
        if not user_sudo.share or user_sudo._is_public():
            return False
        contact_sudo = user_sudo.partner_id
        if contact_sudo.email_normalized != email_normalize(email):
            return False
        return contact_sudo._membri_shares_address() and not self._membri_is_by_mailing(email)

    def _membri_is_by_mailing(self, email):
        """Return whether the visitor holds the link of a mailing that went to this address: who
        has the emails may stop them, signed in or not."""
        params = request.params if request else {}
        names = ("mailing_id", "document_id", "email", "hash_token")
        mailing_id, document_id, address, token = map(params.get, names)
        # as a browser, or anybody else, has sent them
        with suppress(AttributeError, OverflowError, TypeError, ValueError):
            if token and email_normalize(address) == email_normalize(email):
                right = self._membri_get_mailing_token(int(mailing_id), int(document_id), address)
                return bool(right) and consteq(right, token)
        return False

    def _membri_get_mailing_token(self, mailing_id, document_id, address):
        """:return: what is in the links of a mailing that went to ``address``, or ``False``"""
        if "mailing.mailing" not in self.env:
            return False
        # sudo: it is compared, as Odoo's page does, and not shown
        mailing_sudo = self.env["mailing.mailing"].sudo().browse(mailing_id).exists()
        return mailing_sudo and mailing_sudo._generate_mailing_recipient_token(document_id, address)


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _membri_is_visitor(self):
        """:return: whether this contact signs in, or did, and is none of the staff"""
        self.ensure_one()
        # sudo: who has a login is no question of what the user may read
        users_sudo = self.sudo().with_context(active_test=False).user_ids
        return bool(users_sudo) and all(users_sudo.mapped("share"))

    def _membri_is_changed_by_visitors(self):
        """Return whether this contact is a visitor, or one that visitors may have added on the
        portal, or changed there: of the same company, or below the same person."""
        self.ensure_one()
        # sudo: as above
        contact_sudo = self.sudo().with_context(active_test=False)
        if contact_sudo.user_ids or contact_sudo.ref_company_ids:
            return self._membri_is_visitor()
        logins = Domain("share", "=", True) & Domain(
            "partner_id", "child_of", contact_sudo.commercial_partner_id.ids
        )
        return bool(contact_sudo.user_ids.search_count(logins, limit=1))

    def _membri_may_take_part(self, document):
        """:param document: a record of ours, or one that memberships are about, or none
        :return: whether this contact, found by its address, may be the author of messages there,
            or their recipient: a visitor reads these, or says where the answer goes"""
        self.ensure_one()
        if not self._membri_is_changed_by_visitors():
            return True
        document_sudo = document.sudo()  # sudo: whose it is, as the function that decides says
        if document._name == "res.partner":
            _acting_sudo, payers_sudo = self._membri_get_represented()
            return document_sudo in payers_sudo or not (
                document_sudo and document_sudo._membri_serves_memberships()
            )
        if document._name == "account.move":
            own = self._membri_get_whose_invoice_domain()
            return not document_sudo.membri_invoice_type or bool(document_sudo.filtered_domain(own))
        if not document._name.startswith("membri."):
            return True
        if not {"partner_id", "company_id"} <= document._fields.keys():
            return False
        return bool(document_sudo.filtered_domain(self._membri_get_whose_domain()))

    def _membri_shares_address(self):
        """Return whether emails about the membership of somebody else go to the address of this
        contact."""
        self.ensure_one()
        address = self.email_normalized
        if not address:
            return False
        # sudo: of every organization, whichever the visitor's account was made for
        Partner_sudo = self.env["res.partner"].sudo().with_context(active_test=False)
        others = Domain("id", "!=", self.id)
        by_email = Partner_sudo.search(others & Domain("email_normalized", "=", address))
        if any(contact._membri_serves_memberships() for contact in by_email):
            return True
        of_renewals = others & Domain("membri_renewal_email_normalized", "=", address)
        return any(
            Partner_sudo.with_company(company).search_count(of_renewals, limit=1)
            for company in self.env["res.company"]._membri_get_all()
        )
