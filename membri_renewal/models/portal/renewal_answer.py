import logging

from markupsafe import Markup
from psycopg2 import OperationalError
from psycopg2.errors import LockNotAvailable

from odoo import api, fields, models
from odoo.tools import SQL

from ..renewal.links import ANSWERABLE_STATES
from ..renewal.proposal import PageMemo
from ..renewal.renewal import ACTIVITY_ASK, STAFF

_logger = logging.getLogger(__name__)

MESSAGE_MAX_LENGTH = 2000
LOCK_TIMEOUT = "5s"
# after which nobody looks at what was asked before
LAST_ANSWERS = ("accept", "decline")
# where an answer leads that can be given only once
STATE_OF_ANSWER = {"accept": "approved", "decline": "refused", "call": "intervention"}
# what can be asked again and again: so many times an hour (portal/request.py)
COUNTED_ANSWERS = ("request_change", "counter_offer", "call")


class MembriRenewal(models.Model):
    """The member's side: what the portal shows of a renewal, which answers it takes, and
    what they do. Controllers only check the access and call :meth:`_portal_answer`."""

    _inherit = "membri.renewal"

    # A token holder answers in the member's name: no business of those who may only look.
    access_token = fields.Char(groups="membri_renewal.group_membri_user", readonly=True)
    # computed from activities, which portal users may not read
    activity_exception_decoration = fields.Selection(groups=STAFF)
    activity_exception_icon = fields.Char(groups=STAFF)

    # ------------------------------------------------------------------
    # Answer
    # ------------------------------------------------------------------

    def _get_cannot_answer_reason(self, answer):
        """:param answer: ``accept``, ``request_change``, ``decline``, or what is offered before
            a member declines: ``counter_offer``, ``call``
        :return: why the member may not give this answer now (a sentence for the member), or
            ``False``"""
        self.ensure_one()
        if self.state not in ANSWERABLE_STATES:
            return self.env._("This renewal no longer needs a reply.")
        leaving = answer in ("decline", "counter_offer", "call")
        # what renews by itself can always be stopped by the member
        stops = answer == "decline" and self._is_announced()
        if leaving and not stops and not self.company_id.membri_portal_decline:
            return self.env._("Please contact us if you do not wish to renew.")
        if answer == "call" and not self.company_id.membri_portal_call:
            return self.env._("Contact us: we would be glad to talk with you.")
        if answer == "counter_offer" and not self._get_counter_offer():
            return self.env._("We have no other offer for you here.")
        if answer == "accept" and PageMemo.ask(
            self, "cannot approve", lambda: self._get_cannot_reason("approve")
        ):
            # the reason itself speaks to the staff
            return self.env._(
                "This renewal can no longer be accepted as it is. Contact us, or write to "
                "us below: we will find the right dates for you."
            )
        return False

    @api.model
    def _clean_member_text(self, text):
        """Return ``(text, error code)``: plain text as members mean it (browsers send
        other line ends than they count), without the key of a link that they quote."""
        text = text if isinstance(text, str) else ""  # anything can be posted, files too
        text = text.replace("\r\n", "\n").replace("\x00", "").strip()
        text = self._without_keys([{"text": text}])[0]["text"]
        return text, "too_long" if len(text) > MESSAGE_MAX_LENGTH else False

    def _portal_accept(self, author, proposal_key=None):
        """The member accepts what is proposed.

        :param author: the ``res.partner`` who answers; empty when it is whoever holds the link
        :param proposal_key: of the page on which the member accepted, if known
        :return: an error code, or ``False``
        """
        if (
            proposal_key
            and self.state in ANSWERABLE_STATES
            and proposal_key != self._get_proposal_key()
        ):
            return "changed"
        return self._portal_answer("accept", author, lambda renewal: renewal._do_approve())

    def _portal_answer(self, answer, author, effect, text=None):
        """Carry out an answer, all of it or nothing. Whoever answers twice, in a second tab
        or by a double click, changes nothing the second time.

        :param effect: function of the renewal; may return what the staff has to read
        :param text: what the member wrote, where ``effect`` returns nothing
        :return: an error code, or ``False``
        """
        self.ensure_one()
        # sudo: the member may do this one thing, which the caller has checked the access to
        # and the guard below allows; the superuser does what follows from it, in the
        # language of the staff
        renewal_sudo = (
            self.sudo().with_context(lang=self._get_staff_lang()).with_company(self.company_id)
        )
        if not renewal_sudo._wait_for_lock():
            return "busy"
        renewal_sudo.invalidate_recordset()
        if renewal_sudo.state == STATE_OF_ANSWER.get(answer):
            return False  # answered already: the page tells
        if renewal_sudo._get_cannot_answer_reason(answer):
            return "not_now"
        if answer in COUNTED_ANSWERS and not self.env["membri.portal.request"]._admit(
            renewal_sudo, answer
        ):
            return "too_often"
        try:
            with self.env.cr.savepoint():
                left = answer in LAST_ANSWERS and renewal_sudo._get_words_left()
                told = effect(renewal_sudo)
                renewal_sudo._internal_write({"is_answered_online": True})
                renewal_sudo._log_answer(answer, author, told or text)
                if left:
                    renewal_sudo._ask_about_words_left(answer, author, left)
        except OperationalError:
            raise  # a concurrent update: Odoo runs the request again
        except Exception as error:
            _logger.warning("%s: the answer “%s” failed", renewal_sudo, answer, exc_info=True)
            renewal_sudo._report_answer_failure(answer, author, error)
            return "failed"
        return False

    def _wait_for_lock(self):
        """Let whoever is at work on this renewal finish first: of a double click, the second
        request fails on what the first has changed, and Odoo runs it again, to find the
        renewal accepted.

        :return: whether it is ours; not when somebody keeps it for long
        """
        self.ensure_one()
        self.flush_recordset()
        cr = self.env.cr
        try:
            with cr.savepoint(flush=False):
                cr.execute(SQL("SET LOCAL lock_timeout = %s", LOCK_TIMEOUT))
                cr.execute(
                    SQL("SELECT 1 FROM membri_renewal WHERE id = %s FOR UPDATE", self.id),
                    log_exceptions=False,
                )
                cr.execute(SQL("SET LOCAL lock_timeout TO DEFAULT"))
        except LockNotAvailable:
            return False
        return True

    def _get_staff_lang(self):
        self.ensure_one()
        renewal_sudo = self.sudo()  # sudo: members read neither users nor settings
        return renewal_sudo._get_officer().lang or renewal_sudo.company_id.partner_id.lang or None

    def _get_answer_label(self, answer, author):
        """:return: who answered what, for the staff"""
        if author:
            label = {
                "accept": self.env._("%(author)s accepted the renewal on the portal."),
                "request_change": self.env._("%(author)s requested changes on the portal."),
                "counter_offer": self.env._("%(author)s accepted the counter-offer on the portal."),
                "call": self.env._("%(author)s asked for a call on the portal."),
                "decline": self.env._("%(author)s declined the renewal on the portal."),
            }[answer]
            return label % {"author": author.display_name}
        label = {
            "accept": self.env._("Accepted on the portal, through the link sent to %(recipient)s."),
            "request_change": self.env._(
                "Changes requested on the portal, through the link sent to %(recipient)s."
            ),
            "counter_offer": self.env._(
                "Counter-offer accepted on the portal, through the link sent to %(recipient)s."
            ),
            "call": self.env._(
                "Call requested on the portal, through the link sent to %(recipient)s."
            ),
            "decline": self.env._(
                "Declined on the portal, through the link sent to %(recipient)s."
            ),
        }[answer]
        return label % {"recipient": self.recipient_email or self.recipient_id.display_name}

    def _log_answer(self, answer, author, text=None):
        """Tell the staff who answered. What has to be followed up is sent to the officer."""
        self.ensure_one()
        label = self._get_answer_label(answer, author)
        body = Markup("<p>%s</p>") % label
        if text:
            lines = Markup("<br/>").join(text.split("\n"))
            body += (
                Markup(
                    # no <blockquote>: Odoo folds it away
                    '<div class="border-start ps-3">%s</div>'
                )
                % lines
            )
        officer = self._get_officer()
        notify = answer != "accept" and officer
        self.with_context(mail_post_autofollow_author_skip=True).message_post(
            author_id=(author or self.recipient_id).id,
            body=body,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
            partner_ids=officer.partner_id.ids if notify else [],
        )
        if answer == "accept":
            self._log_on_contacts({self: label})

    def _ask_about_words_left(self, answer, author, left):
        """Who accepts, or leaves, gives up the other plan or options that they had asked for, but
        neither the correction of an address nor a question: these stay with the officer.

        :param left: as :meth:`_get_words_left` found it before"""
        self.ensure_one()
        self._schedule_once(
            ACTIVITY_ASK,
            self.env._(
                "%(answer)s Still unanswered from an earlier request: %(request)s",
                answer=self._get_answer_label(answer, author),
                request=left,
            ),
        )

    def _report_answer_failure(self, answer, author, error):
        """The answer could not be carried out: the staff must know what was answered, and
        what is in the way."""
        self.ensure_one()
        reason = self._get_error_sentence(error)
        label = self._get_answer_label(answer, author)
        told = f"{label} {reason}"
        # who tries again and again tells nothing new
        if (self.delivery_state, self.delivery_note) != ("failed", told):
            self._mark_failed(told)
        self._schedule_once(ACTIVITY_ASK, told)
