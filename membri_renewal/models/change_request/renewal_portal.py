from odoo import models

from ..portal.renewal_answer import ANSWERABLE_STATES


class MembriRenewal(models.Model):
    """The answer *Ask for changes* of the portal: in words, or by the form of
    ``change_request/form.py``."""

    _inherit = "membri.renewal"

    def _portal_request_change(self, author, message):
        """The member asks for changes in plain words.

        :return: an error code, or ``False``"""
        message, error = self._clean_member_text(message)
        if error or not message:
            return error or "empty"
        return self._portal_submit_change(author, {"message": message})

    def _portal_submit_change(self, author, ask, proposal_key=None):
        """The member asks for changes.

        :param ask: keyword arguments of :meth:`_prepare_change_request_vals`, as
            :meth:`_read_change_form` gives them
        :param proposal_key: of what the request was compared with, if the member saw that
        :return: an error code, or ``False``
        """
        self.ensure_one()
        if self.state in ANSWERABLE_STATES:
            if proposal_key and proposal_key != self._get_proposal_key():
                return "changed"
            if self._is_asked_already(ask):
                return False

        def submit(renewal):
            vals = renewal._prepare_change_request_vals(**ask)
            return renewal._do_submit_change_request(vals, author)._get_summary()

        return self._portal_answer("request_change", author, submit)

    def _is_asked_already(self, ask):
        """:return: whether this is word for word the request that waits already: a second
        click"""
        self.ensure_one()
        last_sudo = self.sudo().change_request_id
        if last_sudo.state != "pending" or last_sudo.origin != "form":
            return False
        vals = self._prepare_change_request_vals(**ask)
        again = last_sudo.new({**vals, "version": last_sudo.version})
        return again._get_summary() == last_sudo._get_summary()
