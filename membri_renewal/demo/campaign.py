from datetime import datetime, time, timedelta
from itertools import cycle

from odoo import models

from .change_requests import CHANGE_REQUESTS
from .texts import FAILURES, INTERVENTIONS, REFUSALS

# what becomes of members whose calendar year is up for renewal when the demo is loaded
SEASON_FATES = [
    "sent",
    "approved_paid",
    "sent",
    "sent",
    "approved_unpaid",
    "sent",
    "change_requested",
    "approved_paid",
    "sent",
    "sent",
]


class MembriDemo(models.AbstractModel):
    """The season that is under way: a renewal in every state, each queue with work in it."""

    _inherit = "membri.demo"

    def _play_campaign(self, stories, draw):
        renewed = [story for story in stories if story.fate not in ("regular", "pending")]
        renewed += self._get_due_stories(stories)
        renewals = self.env["membri.renewal"].create(
            [{"cotisation_id": story.cotisation.id} for story in renewed]
        )
        texts = {
            "change_requested": cycle(CHANGE_REQUESTS),
            "intervention": cycle(INTERVENTIONS),
            "refused": cycle(REFUSALS),
            "failed": cycle(FAILURES),
        }
        plays = {
            "draft": self._play_draft,
            "sent": self._play_sent,
            "failed": self._play_failed,
            "change_requested": self._play_change_requested,
            "intervention": self._play_intervention,
            "refused": self._play_refused,
            "cancelled": self._play_cancelled,
            "approved_unpaid": self._play_approved_unpaid,
            "approved_paid": self._play_approved_paid,
        }
        by_fate = {}
        for story, renewal in zip(renewed, renewals, strict=True):
            by_fate.setdefault(self._get_outcome(story.fate), []).append(renewal.id)
        for outcome, ids in by_fate.items():
            self._name_record(f"renewal_{outcome}", self.env["membri.renewal"].browse(ids[0]))
            play = plays[outcome]
            play(self.env["membri.renewal"].browse(ids), texts.get(outcome), draw)
        self._enrol_newcomers(stories)

    def _get_due_stories(self, stories):
        """Regular members whose term happens to be up for renewal now: the night would
        propose it, so the demo has done it already."""
        due = self.env["membri.cotisation"].search(
            self.env["membri.renewal"]._get_company_to_renew_domain(self.env.company)
        )
        by_cotisation = {story.cotisation: story for story in stories if story.fate == "regular"}
        fates = cycle(SEASON_FATES)
        for cotisation in due & self.env["membri.cotisation"].union(*by_cotisation):
            story = by_cotisation[cotisation]
            if story.option_set.renewal_mode == "invoice":
                story.fate = "approved_unpaid" if cotisation.id % 3 else "approved_paid"
            else:
                story.fate = next(fates)
            yield story

    def _get_outcome(self, fate):
        return {
            "unreachable": "sent",
            "silent": "sent",
            "lagging_silent": "sent",
            "lagging_unpaid": "approved_unpaid",
            "left": "refused",
            "lagging_left": "refused",
        }.get(fate, fate)

    # ------------------------------------------------------------------
    # One method per outcome
    # ------------------------------------------------------------------

    def _play_draft(self, renewals, _texts, _draw):
        """Prepared, not sent: that is how they were created."""

    def _play_sent(self, renewals, _texts, draw):
        for renewal in renewals:
            self._send_in_the_past(renewal, draw)
            self._catch_up_reminders(renewal)

    def _play_failed(self, renewals, texts, draw):
        for renewal in renewals:
            moment = self._send_in_the_past(renewal, draw)
            with self._dated(moment):
                renewal._mark_failed(next(texts))

    def _play_change_requested(self, renewals, texts, draw):
        for renewal in renewals:
            self._send_in_the_past(renewal, draw)
            moment = self._draw_answer(renewal, draw)
            with self._dated(moment):
                self._ask_for_changes(renewal, next(texts))
            renewal._internal_write({"date_answer": moment})

    def _play_intervention(self, renewals, texts, draw):
        for renewal in renewals:
            with self._dated(self._moment(self._get_notice_day(renewal), draw)):
                renewal._do_require_intervention(next(texts))

    def _play_refused(self, renewals, texts, draw):
        for renewal in renewals:
            self._send_in_the_past(renewal, draw)
            moment = self._draw_answer(renewal, draw)
            reason, note = next(texts)
            with self._dated(moment):
                renewal._do_refuse(self.env.ref(f"membri_renewal.{reason}"), note)
            renewal._internal_write({"date_refused": moment, "date_answer": moment})

    def _play_cancelled(self, renewals, _texts, draw):
        renewals._do_cancel()

    def _play_approved_unpaid(self, renewals, _texts, draw):
        self._approve_season(renewals, draw)
        for renewal in renewals:
            self._catch_up_reminders(renewal)
        self._name_record("invoice_unpaid", renewals[:1].invoice_id)
        self._announce_payment(renewals[1:2])

    def _announce_payment(self, renewal):
        """A member who says to have paid: the accountant has to look for the money."""
        self._name_record("renewal_announced", renewal)
        told = {
            "method": "cheque",
            "date": str(self.env.company._membri_today() - timedelta(days=3)),
            "reference": "0187",
            "message": "Chèque posté lundi, merci de confirmer sa réception.",
        }
        renewal.invoice_id._membri_report_payment(renewal.recipient_id, told)

    def _play_approved_paid(self, renewals, _texts, draw):
        days = self._approve_season(renewals, draw)
        self._pay_in_the_past(
            {
                renewal.invoice_id: days[renewal][1] + timedelta(days=draw.randrange(1, 12))
                for renewal in renewals
            }
        )

    def _enrol_newcomers(self, stories):
        """New members of this week, who have their invoice and have not paid yet."""
        for story in stories:
            if story.fate == "pending":
                story.partner._membri_enrol(story.option_set, prorate=True)

    # ------------------------------------------------------------------
    # Steps of an outcome
    # ------------------------------------------------------------------

    def _get_notice_day(self, renewal):
        lead = timedelta(days=renewal.option_set_id.notice_lead_days)
        return renewal.cotisation_id.date_end - lead

    def _draw_answer(self, renewal, draw):
        """:return: a moment after the notice, within six weeks"""
        day = renewal.date_sent.date() + timedelta(days=draw.randrange(1, 40))
        return max(renewal.date_sent, self._moment(day, draw))

    def _approve_season(self, renewals, draw):
        """:return: ``{renewal: (day sent, day approved)}``"""
        today = self.env.company._membri_today()
        days = {}
        for renewal in renewals:
            sent = min(self._get_notice_day(renewal), today)
            delay = 0 if renewal.mode == "invoice" else draw.randrange(1, 40)
            days[renewal] = sent, min(sent + timedelta(days=delay), today)
        self._approve_in_the_past(renewals, days, draw)
        return days

    def _send_in_the_past(self, renewal, draw):
        """Send the notice, dated from its day, without handing it to a mail server.

        :return: the moment of the sending
        """
        moment = self._moment(self._get_notice_day(renewal), draw)
        with self._dated(moment):
            renewal._set_state("sent", date_sent=moment)
            renewal._portal_ensure_token()
            if renewal._get_unreachable_reason():
                renewal._mark_unreachable()
            else:
                renewal._post_notices(renewal._get_notice_template(), {})
        renewal._update_next_reminder()
        renewal._refresh_members()
        return moment

    def _catch_up_reminders(self, renewal):
        """The automatic reminders that the nights since then have sent."""
        if renewal._get_unreachable_reason():
            return
        today = self.env.company._membri_today()
        for day, step, part in renewal._get_open_steps():
            if not step.automatic or day >= today:
                continue
            moment = datetime.combine(day, time(12))
            last = self._last_id("membri.reminder.log")
            with self._dated(moment):
                messages = renewal._post_notices(renewal._get_reminder_template(step), {})
                vals = renewal._prepare_reminder_log_vals(
                    step, part, "sent", message=messages[renewal]
                )
                self.env["membri.reminder.log"].create(vals)
            self.env["membri.reminder.log"].search([("id", ">", last)]).date = moment
            renewal._internal_write(
                {
                    "date_last_reminder": moment,
                    "reminder_count": renewal.reminder_count + 1,
                }
            )
        renewal._update_next_reminder()
