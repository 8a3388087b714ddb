from odoo import models

from ..mixins.formats import localize_path

ANSWERABLE_STATES = ("sent", "change_requested")


class MembriRenewal(models.Model):
    """Where the member answers and pays: the addresses that mails, letters and pages show, and
    to whom that of the invoice is shown."""

    _inherit = "membri.renewal"

    def _get_answer_page_url(self):
        """Return the full address of the page where the member answers, or ``False`` when
        there is nothing to answer. It holds no key, and may be kept: texts and reports show
        this one."""
        self.ensure_one()
        # sudo: whether there is a key, which is not told
        if not self.sudo().access_token or self.state not in ANSWERABLE_STATES:
            return False
        return self._get_localized_url(self.access_url)

    def _get_answer_url(self):
        """Return the same address, with the key for users who may hold it. Makes no key:
        sending does."""
        page_url = self._get_answer_page_url()
        # sudo: get_portal_url asks who may hold the key
        return page_url and self._get_localized_url(self.sudo().get_portal_url())

    def _get_invoice_path(self):
        """Return the path of the invoice on the portal, with its token (a page opened without
        it breaks at payment) but for readers of memberships, or ``False``. Makes no token:
        posting does."""
        self.ensure_one()
        if self._is_invoice_of_others_too():
            return False
        invoice_sudo = self._get_invoice_sudo()
        return bool(invoice_sudo.access_token) and invoice_sudo.get_portal_url()

    def _get_invoice_page_url(self):
        """Return the full address of the invoice on the portal, without its token, or
        ``False``."""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        return bool(self._get_invoice_path()) and self._get_localized_url(invoice_sudo.access_url)

    def _get_localized_url(self, path):
        """Return the full address of a portal page, in the language of the recipient and
        not in that of the browser which opens it."""
        # sudo: the address of the server is a parameter
        return self.sudo().get_base_url() + localize_path(self.env, path, self._get_lang())

    def _is_invoice_of_others_too(self):
        """Asked of the recipient, or of who is signed in (``_as_shown_to``).

        :return: whether the invoice shows what is not theirs to see: other members, paid for
            by somebody else"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        if not invoice_sudo._membri_is_shared():
            return False
        visitor = self.env.context.get("membri_visitor")
        # a tuple, as no client can send it
        visitor_ids = visitor if isinstance(visitor, tuple) else ()
        # sudo: the domain says which invoices are theirs
        visitor_sudo = self.recipient_id.sudo().browse(visitor_ids)
        if visitor_sudo:
            domain = visitor_sudo._membri_get_whose_invoice_domain()
            return not invoice_sudo.filtered_domain(domain)
        return self.recipient_id != invoice_sudo.partner_id

    def _as_shown_to(self, visitor):
        """:return: ``self``, whose texts and links are those for ``visitor``, a contact"""
        return self.with_context(membri_visitor=tuple(visitor.ids))
