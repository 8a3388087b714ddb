import hashlib
import logging

from markupsafe import Markup
from psycopg2 import OperationalError
from psycopg2.errors import LockNotAvailable

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL, format_date, formatLang

_logger = logging.getLogger(__name__)

MESSAGE_MAX_LENGTH = 2000
LOCK_TIMEOUT = "5s"
HIDDEN_STATES = ("draft", "cancelled")
# where an answer leads that can be given only once
STATE_OF_ANSWER = {"accept": "approved", "decline": "refused"}
ANSWERABLE_STATES = ("sent", "change_requested")
STAFF = "base.group_user"


class MembriRenewal(models.Model):
    """The member's side: what the portal shows of a renewal, which answers it takes, and
    what they do. Controllers only check the access and call :meth:`_portal_answer`."""

    _inherit = "membri.renewal"

    # A token holder answers in the member's name: no business of those who may only look.
    access_token = fields.Char(groups="membri_renewal.group_membri_user")
    # Portal users may read their own renewals over RPC. These are the staff's.
    recipient_email = fields.Char(groups=STAFF)
    recipient_phone = fields.Char(groups=STAFF)
    date_follow_up = fields.Date(groups=STAFF)
    date_last_reminder = fields.Datetime(groups=STAFF)
    date_next_reminder = fields.Date(groups=STAFF)
    reminder_count = fields.Integer(groups=STAFF)
    reminder_log_ids = fields.One2many(groups=STAFF)
    delivery_state = fields.Selection(groups=STAFF)
    delivery_note = fields.Char(groups=STAFF)
    change_request = fields.Text(groups=STAFF)
    intervention_reason = fields.Text(groups=STAFF)
    state_before_intervention = fields.Char(groups=STAFF)
    refusal_reason_id = fields.Many2one(groups=STAFF)
    refusal_note = fields.Text(groups=STAFF)
    # computed from activities, which portal users may not read
    activity_exception_decoration = fields.Selection(groups=STAFF)
    activity_exception_icon = fields.Char(groups=STAFF)

    def _portal_ensure_token(self):
        # EXTENDS portal: whoever got here was given the link by the caller
        return super(MembriRenewal, self.sudo())._portal_ensure_token()

    # ------------------------------------------------------------------
    # What is shown
    # ------------------------------------------------------------------

    @api.model
    def _get_portal_domain(self, partner):
        """:return: the renewals that ``partner`` finds on the portal: those of its company,
        or its own; what was not sent yet is the staff's own business"""
        return (
            Domain("partner_id", "child_of", partner.commercial_partner_id.id)
            & Domain("date_sent", "!=", False)
            & Domain("state", "not in", HIDDEN_STATES)
        )

    def _is_on_portal(self):
        self.ensure_one()
        return bool(self.date_sent) and self.state not in HIDDEN_STATES

    def _get_answer_url(self):
        """:return: the full address of the page where the member answers, or ``False`` when
        there is nothing to answer. Makes no token: sending does."""
        self.ensure_one()
        renewal_sudo = self.sudo()
        if not renewal_sudo.access_token or self.state not in ANSWERABLE_STATES:
            return False
        return self._get_localized_url(renewal_sudo.get_portal_url())

    def _get_invoice_path(self):
        """:return: the path of the invoice on the portal, always with its token (a page
        opened without it breaks at payment), or ``False``. Makes no token: posting does."""
        self.ensure_one()
        invoice_sudo = self.invoice_id.sudo()
        return bool(invoice_sudo.access_token) and invoice_sudo.get_portal_url()

    def _get_invoice_url(self):
        """:return: the full address of the invoice on the portal, or ``False``"""
        path = self._get_invoice_path()
        return path and self._get_localized_url(path)

    def _get_localized_url(self, path):
        """:return: the full address of a portal page, in the language of the recipient and
        not in that of the browser which opens it"""
        lang = self.env["res.lang"]._get_data(code=self._get_lang())
        if lang and len(self.env["res.lang"].get_installed()) > 1:
            path = f"/{lang.url_code}{path}"
        return self.sudo().get_base_url() + path

    def _get_portal_contact(self):
        """:return: the partner who answers questions: the officer, else the company"""
        self.ensure_one()
        renewal_sudo = self.sudo()  # members may see whom to ask
        return renewal_sudo.user_id.partner_id or renewal_sudo.company_id.partner_id

    def _get_proposal(self):
        """What the member would get by accepting now. Mostly ``self``; a member who is so
        late that the set starts afresh gets other dates and prices, shown before they are
        accepted and written when they are (:meth:`_apply_late_policy`).

        :return: ``membri.renewal``, not in the database when it differs from ``self``
        """
        self.ensure_one()
        if self.state not in ANSWERABLE_STATES or not self._must_restart():
            return self
        option_set = self.option_set_id
        first, last = option_set._get_period(self.company_id._membri_today())
        lines_vals = option_set._prepare_term_lines(
            self.partner_id, first, last, self.cotisation_id
        )
        return self.new(
            {
                "name": self.name,
                "state": self.state,
                "partner_id": self.partner_id.id,
                "company_id": self.company_id.id,
                "currency_id": option_set._get_currency(self.partner_id).id,
                "cotisation_id": self.cotisation_id.id,
                "option_set_id": option_set.id,
                "date_start": first,
                "date_end": last,
                "line_ids": [Command.create(vals) for vals in lines_vals],
            }
        )

    def _get_proposal_key(self):
        """:return: a short key of what is proposed: an answer from a page that showed
        something else is asked again instead of taken"""
        self.ensure_one()
        proposal = self._get_proposal()
        facts = [
            proposal.option_set_id.id,
            proposal.date_start,
            proposal.date_end,
            proposal.currency_id.id,
            proposal.amount_total,
            [
                (line.product_id.id, line.quantity, line.price_subtotal)
                for line in proposal.line_ids
            ],
        ]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]

    def _get_changes(self):
        """:return: sentences on how what is proposed differs from the current term"""
        self.ensure_one()
        current, proposal = self.cotisation_id.sudo(), self._get_proposal()
        changes = []
        if proposal.option_set_id != current.option_set_id:
            changes.append(
                self.env._(
                    "Subscription: %(new)s, instead of %(old)s.",
                    new=proposal.option_set_id.name,
                    old=current.option_set_id.name,
                )
            )
        if not current.line_ids:
            return changes  # an imported term without detail
        old = current.line_ids.grouped("product_id")
        new = proposal.line_ids.grouped("product_id")
        for product, lines in new.items():
            name = product.display_name
            amount = self._format_amount(sum(lines.mapped("price_subtotal")), proposal)
            if product not in old:
                changes.append(
                    self.env._("%(option)s: new, %(amount)s.", option=name, amount=amount)
                )
                continue
            old_amount = self._format_amount(sum(old[product].mapped("price_subtotal")), current)
            if old_amount != amount:
                changes.append(
                    self.env._(
                        "%(option)s: %(amount)s, instead of %(old_amount)s.",
                        option=name,
                        amount=amount,
                        old_amount=old_amount,
                    )
                )
        changes += [
            self.env._("%(option)s: no longer included.", option=product.display_name)
            for product in old
            if product not in new
        ]
        return changes

    def _format_amount(self, amount, term=None):
        return formatLang(self.env, amount, currency_obj=(term or self).currency_id)

    def _format_day(self, day):
        return format_date(self.env, day)

    def _get_membership_sentence(self):
        """:return: what the member has today, in a sentence"""
        self.ensure_one()
        last = self.current_date_end
        if last >= self.company_id._membri_today():
            return self.env._(
                "You are a member of %(company)s until %(date)s.",
                company=self.company_id.name,
                date=self._format_day(last),
            )
        return self.env._(
            "Your membership of %(company)s ended on %(date)s.",
            company=self.company_id.name,
            date=self._format_day(last),
        )

    def _get_deadline_sentence(self):
        """:return: until when an answer is expected, in a sentence"""
        self.ensure_one()
        last = self.current_date_end
        if last >= self.company_id._membri_today():
            return self.env._("Please answer by %(date)s.", date=self._format_day(last))
        return self.env._("You can still renew: please answer as soon as you can.")

    # ------------------------------------------------------------------
    # Where it stands, in the member's words
    # ------------------------------------------------------------------

    def _get_portal_status(self):
        """:return: ``(level, label)`` of a badge"""
        self.ensure_one()
        if self.state in ANSWERABLE_STATES and self._get_cannot_answer_reason("accept"):
            return "secondary", self.env._("Please contact us")
        if self.state == "approved":
            return self._get_portal_payment_status()
        return {
            "sent": ("warning", self.env._("Waiting for your answer")),
            "change_requested": ("info", self.env._("Change requested")),
            "intervention": ("info", self.env._("Our staff will contact you")),
            "refused": ("secondary", self.env._("Not renewed")),
        }[self.state]

    def _get_portal_payment_status(self):
        if self.is_paid:
            return "success", self.env._("Paid")
        if self._is_payment_under_way() and self.invoice_id.sudo().payment_state != "partial":
            return "info", self.env._("Payment under way")
        return "warning", self.env._("Accepted, to be paid")

    def _get_portal_sentences(self):
        """:return: where the renewal stands and what comes next, as a list of sentences"""
        self.ensure_one()
        describe = getattr(self, f"_get_portal_sentences_{self.state}")
        return describe()

    def _get_portal_sentences_sent(self):
        if reason := self._get_cannot_answer_reason("accept"):
            return [reason]
        return [self._get_deadline_sentence()]

    def _get_portal_sentences_change_requested(self):
        sentences = [
            self.env._("You have asked for changes. We will contact you about them."),
        ]
        if reason := self._get_cannot_answer_reason("accept"):
            return [*sentences, reason]
        return [
            *sentences,
            self.env._("You can still accept what is proposed below, or add to your request."),
        ]

    def _get_portal_sentences_intervention(self):
        return [
            self.env._("Our staff is looking after this renewal and will contact you."),
            self.env._("There is nothing you need to do now."),
        ]

    def _get_portal_sentences_approved(self):
        term = self.new_cotisation_id.sudo() or self
        if self.is_paid:
            return [
                self.env._("Thank you: your renewal is accepted and paid."),
                self.env._("Your next term: %(term)s.", term=term.term_display),
            ]
        sentences = [
            self.env._(
                "Thank you: your renewal is accepted (%(term)s).", term=term.term_display
            )
        ]
        invoice_sudo = self.invoice_id.sudo()
        if self._is_payment_under_way() and invoice_sudo.payment_state != "partial":
            return [*sentences, self.env._("Your payment is under way.")]
        return [
            *sentences,
            self.env._(
                "It takes effect once the invoice %(invoice)s is paid: %(amount)s, due on "
                "%(date)s.",
                invoice=invoice_sudo.name,
                amount=self._format_amount(invoice_sudo.amount_residual),
                date=self._format_day(invoice_sudo.invoice_date_due),
            ),
        ]

    def _get_portal_sentences_refused(self):
        return [
            self.env._("This renewal was declined: your membership is not renewed."),
            self.env._("If you change your mind, please contact us."),
        ]

    def _get_payment_instructions(self):
        """:return: what a bank transfer needs: ``(label, value)`` pairs"""
        self.ensure_one()
        invoice_sudo = self.invoice_id.sudo()
        pairs = []
        if invoice_sudo.partner_bank_id:
            pairs.append((self.env._("Bank account"), invoice_sudo.partner_bank_id.acc_number))
        if invoice_sudo.payment_reference:
            pairs.append((self.env._("Payment reference"), invoice_sudo.payment_reference))
        return pairs

    def _can_pay_online(self):
        """:return: whether the page of the invoice offers a payment"""
        self.ensure_one()
        invoice_sudo = self.invoice_id.sudo()
        if not invoice_sudo or not invoice_sudo._has_to_be_paid():
            return False
        # sudo: providers are the accountants'
        return bool(
            self.env["payment.provider"]
            .sudo()
            ._get_compatible_providers(
                invoice_sudo.company_id.id,
                invoice_sudo.partner_id.id,
                invoice_sudo.amount_residual,
                currency_id=invoice_sudo.currency_id.id,
            )
        )

    # ------------------------------------------------------------------
    # Answer
    # ------------------------------------------------------------------

    def _get_cannot_answer_reason(self, answer):
        """:param answer: ``accept``, ``request_change`` or ``decline``
        :return: why the member may not give this answer now (a sentence for the member), or
            ``False``"""
        self.ensure_one()
        if self.state not in ANSWERABLE_STATES:
            return self.env._("This renewal waits for no answer any more.")
        if answer == "decline" and not self.company_id.membri_portal_decline:
            return self.env._("Please contact us if you do not wish to renew.")
        if answer == "accept" and self._get_cannot_reason("approve"):
            # the reason itself speaks to the staff
            return self.env._(
                "What was proposed can no longer be accepted as it is. Please contact us, or "
                "write to us below: we will find the right term for you."
            )
        return False

    @api.model
    def _get_decline_reasons(self):
        """:return: the refusal reasons that members choose from: not those of the staff"""
        reasons_sudo = self.env["membri.refusal.reason"].sudo().search([])
        for xmlid in ("no_answer", "rejoined", "terminated"):
            xmlid = f"membri_renewal.refusal_reason_{xmlid}"
            if reason := self.env.ref(xmlid, raise_if_not_found=False):
                reasons_sudo -= reason
        return reasons_sudo

    @api.model
    def _clean_member_text(self, text):
        """:return: ``(text, error code)``: plain text as members mean it (browsers send
        other line ends than they count)"""
        text = (text or "").replace("\r\n", "\n").replace("\x00", "").strip()
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

    def _portal_request_change(self, author, message):
        """The member asks for changes, in plain text.

        :return: an error code, or ``False``"""
        message, error = self._clean_member_text(message)
        if error or not message:
            return error or "empty"
        return self._portal_answer(
            "request_change", author, lambda renewal: renewal._do_request_change(message), message
        )

    def _portal_decline(self, author, reason_id, comment=None):
        """The member will not renew, where the company lets members say so here.

        :return: an error code, or ``False``"""
        comment, error = self._clean_member_text(comment)
        if error:
            return error
        reason = self._get_decline_reasons().filtered(lambda r: str(r.id) == str(reason_id or ""))
        if not reason:
            return "no_reason"
        return self._portal_answer(
            "decline", author, lambda renewal: renewal._do_refuse(reason, comment), comment
        )

    def _portal_answer(self, answer, author, effect, text=None):
        """Carry out an answer, all of it or nothing. Whoever answers twice, in a second tab
        or by a double click, changes nothing the second time.

        :param effect: function of the renewal
        :param text: what the member wrote
        :return: an error code, or ``False``
        """
        self.ensure_one()
        # sudo: the member may do this one thing, which the caller has checked the access to
        # and the guard below allows; the superuser does what follows from it, in the
        # language of the staff
        renewal_sudo = self.sudo().with_context(
            lang=self._get_staff_lang()
        ).with_company(self.company_id)
        if not renewal_sudo._wait_for_lock():
            return "busy"
        renewal_sudo.invalidate_recordset()
        if renewal_sudo.state == STATE_OF_ANSWER.get(answer):
            return False  # answered already: the page tells
        if renewal_sudo._get_cannot_answer_reason(answer):
            return "not_now"
        try:
            with self.env.cr.savepoint():
                effect(renewal_sudo)
                renewal_sudo._log_answer(answer, author, text)
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
        renewal_sudo = self.sudo()
        return renewal_sudo.user_id.lang or renewal_sudo.company_id.partner_id.lang or None

    def _get_answer_label(self, answer, author):
        """:return: who answered what, for the staff"""
        if author:
            label = {
                "accept": self.env._("%(author)s accepted the renewal on the portal."),
                "request_change": self.env._("%(author)s asked for changes on the portal."),
                "decline": self.env._("%(author)s declined the renewal on the portal."),
            }[answer]
            return label % {"author": author.display_name}
        label = {
            "accept": self.env._(
                "Accepted on the portal, by the link that was sent to %(recipient)s."
            ),
            "request_change": self.env._(
                "Changes requested on the portal, by the link that was sent to %(recipient)s."
            ),
            "decline": self.env._(
                "Declined on the portal, by the link that was sent to %(recipient)s."
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
            body += Markup("<blockquote>%s</blockquote>") % lines
        officer = self.user_id or self.company_id.membri_officer_id
        notify = answer != "accept" and officer
        self.with_context(mail_post_autofollow_author_skip=True).message_post(
            author_id=(author or self.recipient_id).id,
            body=body,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
            partner_ids=officer.partner_id.ids if notify else [],
        )
        if answer == "accept":
            self._log_on_contacts(self.env._("%(renewal)s:", renewal=self.name) + " " + label)

    def _report_answer_failure(self, answer, author, error):
        """The answer could not be carried out: the staff must know what was answered, and
        what is in the way."""
        self.ensure_one()
        reason = str(error) if isinstance(error, UserError) else repr(error)
        label = self._get_answer_label(answer, author)
        self._mark_failed(f"{label} {reason}")
        self._schedule_once("membri_renewal.activity_intervention", f"{label} {reason}")
