from odoo import models


class MembriRenewal(models.Model):
    """What is asked again of each notice that is about to leave, whoever sends it."""

    _inherit = "membri.renewal"

    def _check_ready_to_leave(self):
        """:raises RedirectWarning: when a sender, a price or an account is missing, or when the
        language of a recipient is not installed"""
        for (company, officer), renewals in self.grouped(
            lambda r: (r.company_id, r._get_officer())
        ).items():
            company._membri_raise_unready(renewals._get_unready(company, officer))

    def _get_unready(self, company, officer):
        """:return: as :meth:`_membri_get_unready`; what the staff has entered on the renewals
        themselves needs no plan"""
        found = []
        reason = company._membri_get_no_sender_reason(officer)
        # what a person sends may come from that person; at night nobody does
        is_own = not self.env.user._is_superuser() and self.env.user.email_normalized
        # on paper no sender is needed
        if reason and not is_own and any(not r._get_unreachable_reason() for r in self):
            found.append(("sender", reason, *company._membri_get_remedy("sender")))
        unpriced = self.filtered(lambda renewal: renewal._is_price_missing()).option_set_id
        # of those that are invoiced now the approval asks for the accounts, option by option
        noticed = self.filtered(
            lambda r: r.state != "draft" or r.mode == "notice" or r._is_to_be_announced()
        ).option_set_id
        for option_set in self.option_set_id:
            for code, sentence in option_set._get_unready_reasons():
                if option_set in (noticed if code == "account" else unpriced):
                    found.append((code, sentence, *company._membri_get_remedy(code)))
        # sudo: the languages, whoever sends
        recipients = (self.recipient_id | self.partner_id).sudo()
        if reason := company._membri_get_no_language_reason(recipients):
            found.append(("language", reason, *company._membri_get_remedy("language")))
        return found

    def _is_price_missing(self):
        """:return: whether it costs nothing, and nobody has said so on its lines"""
        self.ensure_one()
        return self.currency_id.is_zero(self.amount_untaxed) and not any(
            self.line_ids.mapped("is_price_agreed")
        )
