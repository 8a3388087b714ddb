from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain

from ..cotisation.cotisation import PAID_FOR_STATES
from .renewal import UNDECIDED_STATES

# a term that ended, or was paid after its end, this long ago without a renewal is caught up
# with: neither a long outage of the nightly run nor a late payment loses a member
CATCH_UP_DAYS = 60

# Who asks whether a term may be renewed. Each asks all that the one before it asks: what the
# staff may do by hand, the campaign does for many, and the nightly run does by itself.
HAND, CAMPAIGN, NIGHTLY = 1, 2, 3

# The rules in the order in which they are told: who is the first to ask, the terms of a company
# that pass, and what is said of one that does not.
RULES = {
    "ends": (HAND, "_get_rule_ends_domain", "_get_rule_ends_sentence"),
    "paid": (HAND, "_get_rule_paid_domain", "_get_rule_paid_sentence"),
    "not_terminated": (
        HAND,
        "_get_rule_not_terminated_domain",
        "_get_rule_not_terminated_sentence",
    ),
    "not_renewed": (HAND, "_get_rule_not_renewed_domain", "_get_rule_not_renewed_sentence"),
    "no_next_term": (HAND, "_get_rule_no_next_term_domain", "_get_rule_no_next_term_sentence"),
    "no_other_renewal": (
        HAND,
        "_get_rule_no_other_renewal_domain",
        "_get_rule_no_other_renewal_sentence",
    ),
    "not_history": (CAMPAIGN, "_get_rule_not_history_domain", "_get_rule_not_history_sentence"),
    "after_go_live": (
        CAMPAIGN,
        "_get_rule_after_go_live_domain",
        "_get_rule_after_go_live_sentence",
    ),
    "not_cancelled": (
        NIGHTLY,
        "_get_rule_not_cancelled_domain",
        "_get_rule_not_cancelled_sentence",
    ),
    "not_too_late": (NIGHTLY, "_get_rule_not_too_late_domain", "_get_rule_not_too_late_sentence"),
    "due": (NIGHTLY, "_get_rule_due_domain", "_get_rule_due_sentence"),
    "not_tried_today": (
        NIGHTLY,
        "_get_rule_not_tried_today_domain",
        "_get_rule_not_tried_today_sentence",
    ),
}


class MembriCotisation(models.Model):
    """Which terms are to be renewed, and why the others are not (specification §5.1).

    The one implementation: the nightly run searches by the conjunction of the rules' domains, and
    what is explained to the staff are the sentences of the rules whose domain a term fails.
    """

    _inherit = "membri.cotisation"

    @api.model
    def _get_rules(self, asker):
        """:param asker: ``HAND``, ``CAMPAIGN`` or ``NIGHTLY``
        :return: the names of the rules that hold, in the order in which they are told"""
        return [name for name, (first_asker, *_methods) in RULES.items() if first_asker <= asker]

    @api.model
    def _get_to_renew_domain(self, company, asker, but=()):
        """:param but: names of rules that are asked later
        :return: the terms of ``company`` that ``asker`` may renew, as a domain"""
        return Domain("company_id", "=", company.id) & Domain.AND(
            self._get_rule_domain(name, company)
            for name in self._get_rules(asker)
            if name not in but
        )

    @api.model
    def _get_rule_domain(self, name, company):
        _asker, domain, _sentence = RULES[name]
        return getattr(self, domain)(company)

    def _get_not_renewed_reasons(self, asker):
        """Why ``asker`` renews these terms, or not: the very domains, evaluated on them.

        :return: ``{cotisation: {rule: sentence}}`` of the rules that it fails, in the order
            of telling; empty for a term that is to be renewed
        """
        reasons = {cotisation: {} for cotisation in self}
        for company, cotisations in self.grouped("company_id").items():
            for name in self._get_rules(asker):
                domain = self._get_rule_domain(name, company)
                # sudo: the rules are about facts, whoever looks
                passing = cotisations.sudo().filtered_domain(domain).with_env(self.env)
                for cotisation in cotisations - passing:
                    _asker, _domain, sentence = RULES[name]
                    reasons[cotisation][name] = getattr(cotisation.sudo(), sentence)()
        return reasons

    # ------------------------------------------------------------------
    # Rules that hold for everybody
    # ------------------------------------------------------------------

    @api.model
    def _get_rule_ends_domain(self, _company):
        return Domain("date_end", "!=", False)

    def _get_rule_ends_sentence(self):
        return self.env._(
            "%(member)s is a member for life. There is nothing to renew.",
            member=self.partner_id._membri_get_names(),
        )

    @api.model
    def _get_rule_paid_domain(self, _company):
        return Domain("state", "in", (*PAID_FOR_STATES, "expired"))

    def _get_rule_paid_sentence(self):
        return self.env._(
            "%(cotisation)s (%(member)s) has the status “%(state)s”. Only a paid term can "
            "be renewed.",
            cotisation=self.name,
            member=self.partner_id._membri_get_names(),
            state=self._get_state_label(),
        )

    @api.model
    def _get_rule_not_terminated_domain(self, _company):
        return Domain("date_terminated", "=", False)

    def _get_rule_not_terminated_sentence(self):
        return self.env._(
            "%(cotisation)s (%(member)s) was ended early on %(date)s. Use “Enroll” if the "
            "member comes back.",
            cotisation=self.name,
            member=self.partner_id._membri_get_names(),
            date=self._format_day(self.date_terminated),
        )

    @api.model
    def _get_rule_not_renewed_domain(self, _company):
        return Domain("renewal_ids", "not any", [("state", "!=", "cancelled")])

    def _get_rule_not_renewed_sentence(self):
        renewal = self.renewal_ids.filtered(lambda r: r.state != "cancelled")[:1]
        return self.env._(
            "%(cotisation)s (%(member)s) already has the renewal %(renewal)s, with the "
            "status “%(state)s”.",
            cotisation=self.name,
            member=self.partner_id._membri_get_names(),
            renewal=renewal.name,
            state=renewal._get_state_label(),
        )

    @api.model
    def _get_rule_no_next_term_domain(self, _company):
        return Domain("next_ids", "not any", [("state", "!=", "cancelled")])

    def _get_rule_no_next_term_sentence(self):
        following = self.next_ids.filtered(lambda c: c.state != "cancelled")[:1]
        return self.env._(
            "%(member)s already has the next term %(next)s, after %(cotisation)s.",
            member=self.partner_id._membri_get_names(),
            next=following.name,
            cotisation=self.name,
        )

    @api.model
    def _get_rule_no_other_renewal_domain(self, company):
        """A member answers one renewal at a time; a term's own one is another rule's."""
        open_elsewhere = Domain("company_id", "=", company.id) & Domain(
            "state", "in", UNDECIDED_STATES
        )
        return Domain("partner_id", "not any", [("membri_renewal_ids", "any", open_elsewhere)]) | (
            Domain("renewal_ids", "any", [("state", "in", UNDECIDED_STATES)])
        )

    def _get_rule_no_other_renewal_sentence(self):
        other = self.partner_id.membri_renewal_ids.filtered(
            lambda r: r.company_id == self.company_id and r.state in UNDECIDED_STATES
        )[:1]
        return self.env._(
            "%(member)s already has an open renewal: %(renewal)s.",
            member=self.partner_id._membri_get_names(),
            renewal=other.name,
        )

    # ------------------------------------------------------------------
    # Rules of the campaign and of the nightly run
    # ------------------------------------------------------------------

    @api.model
    def _get_rule_not_history_domain(self, _company):
        return Domain("is_history", "=", False)

    def _get_rule_not_history_sentence(self):
        return self.env._(
            "%(cotisation)s had already ended (%(date_end)s) when it was recorded, so it "
            "is not renewed. Use “Enroll” if the member comes back.",
            cotisation=self.name,
            date_end=self._format_day(self.date_end),
        )

    @api.model
    def _get_rule_after_go_live_domain(self, company):
        if not company.membri_go_live:
            return Domain.TRUE
        return Domain("origin", "!=", "import") | Domain("date_end", ">=", company.membri_go_live)

    def _get_rule_after_go_live_sentence(self):
        return self.env._(
            "%(cotisation)s was imported and ended on %(date_end)s, before the go-live "
            "date (%(go_live)s), so it is not renewed. Use “Enroll” if the member comes "
            "back.",
            cotisation=self.name,
            date_end=self._format_day(self.date_end),
            go_live=self._format_day(self.company_id.membri_go_live),
        )

    # ------------------------------------------------------------------
    # Rules of the nightly run
    # ------------------------------------------------------------------

    @api.model
    def _get_rule_not_cancelled_domain(self, _company):
        return Domain("renewal_ids", "not any", [("state", "=", "cancelled")])

    def _get_rule_not_cancelled_sentence(self):
        renewal = self.renewal_ids.filtered(lambda r: r.state == "cancelled")[:1]
        return self.env._(
            "The renewal %(renewal)s for this term was cancelled, so no other one is "
            "created automatically. Use “Prepare a Renewal” or a campaign to create one.",
            renewal=renewal.name,
        )

    @api.model
    def _get_rule_not_too_late_domain(self, company):
        since = company._membri_today() - timedelta(days=CATCH_UP_DAYS)
        return (
            Domain("state", "!=", "expired")
            | Domain("date_end", ">=", since)
            | Domain("date_expired", ">=", since)
        )

    def _get_rule_not_too_late_sentence(self):
        return self.env._(
            "%(cotisation)s ended on %(date_end)s, more than %(days)s days ago. Renewals "
            "are no longer created automatically. Prepare one manually, or use “Enroll” "
            "if the member comes back.",
            cotisation=self.name,
            date_end=self._format_day(self.date_end),
            days=CATCH_UP_DAYS,
        )

    @api.model
    def _get_rule_due_domain(self, company):
        # sudo: the rules are about facts, whoever looks
        groups = (
            self.env["membri.option.set"]
            .sudo()
            .with_context(active_test=False)
            ._read_group(
                [("company_id", "parent_of", company.id), ("lifetime", "=", False)],
                ["notice_lead_days"],
                ["id:array_agg", "announce_days:max"],
            )
        )
        today = company._membri_today()
        # the last of these days said once more: by it an index finds them
        longest = max((lead_days for lead_days, _set_ids, _days in groups), default=0)
        announce_days = max((days or 0 for _lead, _set_ids, days in groups), default=0)
        due = Domain("date_end", "<=", today + timedelta(days=longest)) & Domain.OR(
            Domain("option_set_id", "in", set_ids)
            & Domain("date_end", "<=", today + timedelta(days=lead_days))
            for lead_days, set_ids, _days in groups
        )
        return due | self._get_to_announce_domain(company, longest, announce_days)

    def _get_rule_due_sentence(self):
        if self.option_set_id.lifetime:
            return self.env._(
                "“%(option_set)s” is for life, so no renewal is created automatically. "
                "Prepare one manually, with another plan.",
                option_set=self.option_set_id.name,
            )
        if not self.date_end:
            return self._get_rule_ends_sentence()
        return self.env._(
            "It is too early. The renewal will be prepared on %(date)s, %(days)s days "
            "before %(cotisation)s ends (%(date_end)s).",
            date=self._format_day(self._get_preparation_day()),
            days=(self.date_end - self._get_preparation_day()).days,
            cotisation=self.name,
            date_end=self._format_day(self.date_end),
        )

    def _get_renewal_day(self):
        """:return: the day on which the notice of the renewal, or its invoice, is due"""
        self.ensure_one()
        return self.date_end - timedelta(days=self.option_set_id.notice_lead_days)

    @api.model
    def _get_rule_not_tried_today_domain(self, company):
        return Domain("renewal_error_date", "=", False) | Domain(
            "renewal_error_date", "<", company._membri_today()
        )

    def _get_rule_not_tried_today_sentence(self):
        return self.env._(
            "The renewal could not be prepared today: %(error)s The nightly run will try "
            "again tomorrow.",
            error=self.renewal_error,
        )
