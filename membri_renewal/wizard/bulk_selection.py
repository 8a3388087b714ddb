from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import formatLang

from ..models.bulk_job import FOREGROUND_LIMIT
from ..models.renewal_transitions import ALLOWED_FROM

MOST_REASONS = 10


class MembriBulkSelection(models.AbstractModel):
    """A selection of renewals that one action is about to be done on: what it can be done on,
    and what is left out and why.

    Of a screenful, every guard is asked. Of thousands, their states tell: what else stands in
    the way of one is found when its turn comes, and listed in the result.
    """

    _name = "membri.bulk.selection"
    _description = "Selection of Renewals"

    renewal_ids = fields.Many2many("membri.renewal", string="Renewals")
    ready_count = fields.Integer(compute="_compute_ready_count")

    @api.depends("renewal_ids")
    def _compute_ready_count(self):
        for wizard in self:
            ready, _left_out = wizard._split_selection()
            wizard.ready_count = self.env["membri.renewal"].search_count(ready)

    def _get_bulk_action(self):
        """:return: the key of the action in ``ALLOWED_FROM``"""
        raise NotImplementedError

    def _split_selection(self):
        """:return: ``(domain of the renewals that are done, sentences on those that are not)``"""
        self.ensure_one()
        action, renewals = self._get_bulk_action(), self.renewal_ids._origin
        if len(renewals) > FOREGROUND_LIMIT:
            selected = Domain("id", "in", renewals.ids)
            allowed = Domain("state", "in", ALLOWED_FROM[action])
            return selected & allowed, self._get_left_out_sentences(selected & ~allowed)
        reasons = {renewal: renewal._get_cannot_reason(action) for renewal in renewals}
        ready = renewals.filtered(lambda renewal: not reasons[renewal])
        sentences = self._get_reasons(
            {renewal: reason for renewal, reason in reasons.items() if reason}, action
        )
        return Domain("id", "in", ready.ids), sentences

    def _get_reasons(self, reasons, action):
        """:param reasons: ``{renewal: sentence}``
        :return: the sentences; of several with the same wrong status, how many they are"""
        left_out = self.env["membri.renewal"].union(*reasons)
        alike = left_out.browse().union(
            *(
                renewals
                for state, renewals in left_out.grouped("state").items()
                if state not in ALLOWED_FROM[action] and len(renewals) > 1
            )
        )
        sentences = [reasons[renewal] for renewal in left_out - alike]
        sentences += self._get_left_out_sentences(Domain("id", "in", alike.ids))
        more = len(sentences) - MOST_REASONS
        if more <= 0:
            return sentences
        return [
            *sentences[:MOST_REASONS],
            self.env._("Left out for such reasons: %(count)s more.", count=more),
        ]

    def _get_left_out_sentences(self, domain):
        labels = dict(self.env["membri.renewal"]._fields["state"]._description_selection(self.env))
        counts = self.env["membri.renewal"]._read_group(domain, ["state"], ["__count"])
        return [
            self.env._(
                "Renewals left out because their status is “%(state)s”: %(count)s.",
                count=self._format_count(count),
                state=labels[state],
            )
            for state, count in counts
        ]

    def _format_count(self, count):
        return formatLang(self.env, count, digits=0)

    def _get_background_sentences(self):
        if len(self.renewal_ids) <= FOREGROUND_LIMIT:
            return []
        return [
            self.env._(
                "So many are done in the background: you will see the progress, and can leave the "
                "page. What cannot be done is listed at the end, with the reason of each."
            )
        ]
