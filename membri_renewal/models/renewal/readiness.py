from odoo import models


class MembriRenewal(models.Model):
    """What is asked again of each notice that is about to leave, whoever sends it."""

    _inherit = "membri.renewal"

    def _check_ready_to_leave(self, at_night=False):
        """:param at_night: nobody looks at what leaves
        :raises RedirectWarning: when a sender is missing, the language of a recipient, or, at
            night, a price or an account"""
        for (company, officer), renewals in self.grouped(
            lambda r: (r.company_id, r._get_officer())
        ).items():
            company._membri_raise_unready(renewals._get_unready(company, officer, at_night))

    def _get_unready_reason(self, at_night=False):
        """:return: the same as a sentence, or ``False``"""
        self.ensure_one()
        unready = self._get_unready(self.company_id, self._get_officer(), at_night)
        return next((sentence for _code, sentence in unready), False)

    def _get_unready(self, company, officer, at_night):
        """Return what :meth:`_membri_get_unready` does; what the staff has entered on the renewals
        themselves needs no plan."""
        user = self.env.user
        # what a person sends may come from that person; on paper no sender is needed
        is_asked = at_night or not (user._is_superuser() or user.email_normalized)
        reason = is_asked and company._membri_get_no_sender_reason(officer)
        if reason and any(not r._get_unreachable_reason() for r in self):
            yield "sender", reason
        # a person sees the price, and sends it as it is; at night nobody does
        if at_night:
            unpriced = self.filtered(lambda r: r._is_price_missing()).option_set_id
            # of those invoiced now the approval asks for the accounts, option by option; where
            # there is no chart of accounts at all, it does so once the members have answered
            has_chart = company._membri_has_chart()
            noticed = self.filtered(
                lambda r: (
                    has_chart
                    and (r.state != "draft" or r.mode == "notice" or r._is_to_be_announced())
                )
            ).option_set_id
            # what was sent stays as it was
            drafts = self.filtered(lambda r: r.state == "draft").option_set_id
            concerned = {"account": noticed, "chart": noticed, "archived": drafts}
            for option_set in self.option_set_id.with_company(company):
                for code, sentence in option_set._get_unready_reasons():
                    if option_set in concerned.get(code, unpriced):
                        yield code, sentence
            if reason := company._membri_get_no_rate_reason(self.currency_id):
                yield "rate", reason
        # sudo: the languages, whoever sends
        recipients_sudo = (self.recipient_id | self.partner_id).sudo()
        if reason := company._membri_get_no_language_reason(recipients_sudo):
            yield "language", reason

    def _is_price_missing(self):
        """:return: whether it costs nothing, and nobody has said so on its lines"""
        self.ensure_one()
        return self.currency_id.is_zero(self.amount_untaxed) and not any(
            self.line_ids.mapped("is_price_agreed")
        )
