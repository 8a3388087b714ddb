from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import formatLang

from ..models.bulk_job.bulk_job import FOREGROUND_LIMIT
from ..models.renewal.actions import ALLOWED_FROM
from .explanation import as_list

MOST_REASONS = 10
# of what ends memberships, more are looked at one by one
LOOK_LIMITS = {"end_unpaid": 1000}


class MembriBulkSelection(models.AbstractModel):
    """A selection of renewals that one action is about to be done on: what it can be done on,
    and what is left out and why.

    Of a screenful, every guard is asked. Of thousands, their states tell: what else stands in
    the way of one is found when its turn comes, and listed in the result.
    """

    _name = "membri.bulk.selection"
    _inherit = "membri.wizard.mixin"
    _description = "Renewal Selection"

    renewal_ids = fields.Many2many("membri.renewal", string="Renewals")
    ready_count = fields.Integer(string="Ready to Process", compute="_compute_explanation")
    explanation = fields.Html(compute="_compute_explanation")

    @api.depends("renewal_ids")
    def _compute_explanation(self):
        empty = self.filtered(lambda wizard: not wizard._get_bulk_action())  # opened by no button
        empty.ready_count, empty.explanation = 0, False
        for wizard in self - empty:
            ready, wizard.ready_count, left_out = wizard._split_selection()
            sentences = wizard._get_sentences(ready, left_out)
            wizard.explanation = sentences and as_list(sentences)

    def _get_sentences(self, ready, left_out):
        """:param ready: domain of the renewals that are done
        :param left_out: sentences on those that are not
        :return: the sentences of the window"""
        return left_out

    def _get_bulk_action(self):
        """:return: the key of the action in ``ALLOWED_FROM``"""
        raise NotImplementedError

    def _split_selection(self):
        """:return: ``(domain of the renewals that are done, how many, sentences on the others)``"""
        self.ensure_one()
        renewals, allowed = self.renewal_ids._origin, ALLOWED_FROM[self._get_bulk_action()]
        if not self._is_looked_at():
            selected = Domain("id", "in", renewals.ids)
            counts = dict(renewals._read_group(selected, ["state"], ["__count"]))
            ready_count = sum(counts.pop(state, 0) for state in allowed)
            sentences = self._get_left_out_sentences(counts)
            ready = selected & Domain("state", "in", allowed)
            return self._split_off_money(ready, ready_count, sentences)
        reasons = {
            renewal: reason
            for renewal in renewals
            if (reason := self._get_left_out_reason(renewal))
        }
        left_out = renewals.browse().union(*reasons)
        ready = renewals - left_out
        alike = {
            state: others
            for state, others in left_out.grouped("state").items()
            if state not in allowed and len(others) > 1
        }
        sentences = [reasons[r] for r in left_out if r.state not in alike]
        sentences += self._get_left_out_sentences(
            {state: len(others) for state, others in alike.items()}
        )
        return Domain("id", "in", ready.ids), len(ready), self._shorten(sentences)

    def _is_screenful(self):
        """:return: whether each of the selected renewals is looked at"""
        return len(self.renewal_ids) <= FOREGROUND_LIMIT

    def _is_looked_at(self):
        """:return: whether every guard is asked of each of the selected renewals"""
        limit = LOOK_LIMITS.get(self._get_bulk_action(), 0)
        return self._is_screenful() or len(self.renewal_ids) <= limit

    def _split_off_money(self, ready, ready_count, sentences):
        """Of thousands that are to be ended, those that something was paid for are found by one
        search."""
        if self._get_bulk_action() != "end_unpaid":
            return ready, ready_count, sentences
        # sudo: payments are the accountants', that there is one is a fact
        Renewal_sudo = self.env["membri.renewal"].sudo()
        found_sudo = Renewal_sudo.search(ready & Renewal_sudo._get_can_end_unpaid_domain())
        if paid := ready_count - len(found_sudo):
            sentences = [
                *sentences,
                self.env._(
                    "Renewals skipped because they are paid, partly paid or credited, or a payment "
                    "is in progress: %(count)s.",
                    count=self._format_count(paid),
                ),
            ]
        return Domain("id", "in", found_sudo.ids), len(found_sudo), sentences

    def _get_left_out_reason(self, renewal):
        """:return: why the action does nothing for ``renewal`` (a sentence), or ``False``"""
        action = self._get_bulk_action()
        reason = renewal._get_cannot_reason(action)
        if not reason and action == "send_reminder":
            reason = renewal._get_no_address_sentence()
        return reason

    def _shorten(self, sentences):
        more = len(sentences) - MOST_REASONS
        if more <= 0:
            return sentences
        return [
            *sentences[:MOST_REASONS],
            self.env._("Skipped for similar reasons: %(count)s more.", count=more),
        ]

    def _get_left_out_sentences(self, counts):
        """:param counts: ``{state: how many have it}``"""
        labels = dict(self.env["membri.renewal"]._fields["state"]._description_selection(self.env))
        return [
            self.env._(
                "Renewals skipped because their status is “%(state)s”: %(count)s.",
                count=self._format_count(count),
                state=labels[state],
            )
            for state, count in counts.items()
        ]

    def _format_count(self, count):
        return formatLang(self.env, count, digits=0)

    def _get_background_sentences(self):
        if self._is_screenful():
            return []
        return [
            self.env._(
                "This selection runs in the background. You can leave the page; the "
                "result lists what could not be processed and why."
            )
        ]
