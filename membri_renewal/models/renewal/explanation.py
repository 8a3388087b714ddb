from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..cotisation.cotisation import PAID_FOR_STATES
from ..mixins.formats import format_moment
from .eligibility import NIGHTLY


class ResPartner(models.Model):
    """*Why did, or didn't, this member get a notice?* Told from the rules that the night
    searches by, the preview that the campaign shows, and what is recorded on the renewal."""

    _inherit = "res.partner"

    def _membri_explain_renewal(self):
        """Explain the renewal of this member, in the current company.

        :return: a dict: ``term``, the cotisation that is spoken of, if any; ``is_due``,
            whether the next night prepares its renewal; ``answer``, one sentence; ``facts``,
            pairs of a kind (``good``, ``bad`` or ``info``) and a sentence; ``coming``,
            sentences about what happens next
        """
        self.ensure_one()
        company = self.env.company
        # sudo: the history of a term may touch contacts that the reader does not see
        partner_sudo = self.sudo().with_company(company)
        terms = partner_sudo.membri_cotisation_ids.filtered(
            lambda c: c.company_id == company
        ).sorted("date_start")
        reasons = terms._get_not_renewed_reasons(NIGHTLY)
        due = terms.filtered(lambda c: not reasons[c])
        valid = terms.filtered(lambda c: c.state != "cancelled")
        paid = valid.filtered(lambda c: c.state != "pending")
        term = (due or paid or valid or terms)[-1:]
        if not term:
            return {
                "term": term,
                "is_due": False,
                "answer": self.env._(
                    "No: %(member)s has no membership term, so there is nothing to renew.",
                    member=self._membri_get_names(),
                ),
                "facts": [],
                "coming": [self.env._("Use “Enroll” to make this contact a member.")],
            }
        renewal = term._get_living_renewal()
        why_not = list(reasons[term].values())
        if renewal:  # it speaks for itself
            answer, more, coming = renewal._explain_answer(), [], renewal._explain_coming()
        else:
            answer, more = term._explain_answer(reasons[term]), why_not[1:]
            coming = term._explain_coming(reasons[term])
        return {
            "term": term,
            "is_due": bool(due),
            "answer": answer,
            "facts": [
                *(("bad", sentence) for sentence in more),
                *term._explain_facts(),
                *term.renewal_ids.sorted("id")._explain_facts(),
                *partner_sudo._membri_explain_choices(),
                partner_sudo._membri_explain_delivery(renewal),
            ],
            "coming": coming,
        }

    def _membri_explain_choices(self):
        """:return: what the staff chose for this contact"""
        self.ensure_one()
        facts = []
        if self.membri_intervention_required:
            facts.append(
                (
                    "bad",
                    self.env._(
                        "The contact is marked “Intervention Required”: nothing is sent "
                        "automatically. %(reason)s",
                        reason=self.membri_intervention_reason or "",
                    ),
                )
            )
        if reason := self._membri_get_archived_reason():
            facts.append(("bad", reason))
        if self.membri_auto_renew:
            sentence = self.env._(
                "Automatic Renewal is Yes: an invoice is sent without a notice first."
            )
        else:
            sentence = self.env._("Automatic Renewal is No: a notice is sent first.")
        facts.append(("info", sentence))
        return facts

    def _membri_explain_delivery(self, renewal):
        """:param renewal: the open one, whose document may be an invoice, which goes to its payer
        :return: whether emails arrive, and where (a pair)"""
        self.ensure_one()
        if renewal.invoice_id and not renewal.is_paid:
            reason, recipient, address = (
                renewal._get_unreachable_reason(),
                renewal._get_document_recipient(),
                renewal._get_document_address(),
            )
        else:
            reason, recipient, address = (
                self._membri_get_unreachable_reason(),
                self._membri_get_recipient(),
                self._membri_get_renewal_address(),
            )
        if reason:
            return "bad", reason
        return "good", self.env._(
            "Emails go to %(recipient)s (%(email)s).",
            recipient=recipient.display_name,
            email=address or recipient.email,
        )


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    def _explain_answer(self, reasons):
        """:param reasons: ``{rule: sentence}`` that this term fails"""
        self.ensure_one()
        if not reasons:
            return self.env._("Not yet: the next nightly run will prepare the renewal.")
        reason = next(iter(reasons.values()))
        if set(reasons) == {"due"}:
            return self.env._("Not yet. %(reason)s", reason=reason)
        return self.env._("No. %(reason)s", reason=reason)

    def _explain_facts(self):
        """:return: what this term is, and what went wrong with its renewal last"""
        self.ensure_one()
        facts = [
            (
                "info",
                self.env._(
                    "%(cotisation)s (%(option_set)s, %(term)s) is “%(state)s”.",
                    cotisation=self.name,
                    option_set=self.option_set_id.name,
                    term=self._get_period_in_words(),
                    state=self._get_state_label(),
                ),
            )
        ]
        if self.renewal_error:
            facts.append(
                (
                    "bad",
                    self.env._(
                        "On %(date)s the renewal could not be prepared: %(error)s",
                        date=self._format_day(self.renewal_error_date),
                        error=self.renewal_error,
                    ),
                )
            )
        return facts

    def _explain_coming(self, reasons):
        """:param reasons: ``{rule: sentence}`` that this term fails
        :return: sentences: what the night will do, and when"""
        self.ensure_one()
        if not reasons:
            return [self._explain_night(), *self._explain_proposal()]
        if set(reasons) == {"not_tried_today"}:
            return [self._explain_night()]
        if set(reasons) == {"due"} and not self.option_set_id.lifetime:
            return [
                self.env._(
                    "The renewal will be prepared on %(date)s.",
                    date=self._format_day(self._get_preparation_day()),
                ),
                *self._explain_proposal(),
            ]
        if set(reasons) <= {"paid", "due"} and self.state == "pending" and self.date_end:
            return [
                self.env._(
                    "Once it is paid, its renewal will be prepared from %(date)s.",
                    date=self._format_day(self._get_preparation_day()),
                )
            ]
        return [self.env._("Nothing happens automatically.")]

    def _explain_night(self):
        # sudo: scheduled actions are the administrator's
        cron_sudo = self.env.ref("membri_renewal.ir_cron_generate").sudo()
        if not cron_sudo.active:
            return self.env._(
                "The nightly run is turned off. Ask the administrator to turn on the "
                "scheduled action “%(name)s”.",
                name=cron_sudo.name,
            )
        return self.env._(
            "The next nightly run is planned for %(moment)s.",
            moment=format_moment(self.env, cron_sudo.nextcall, self.company_id.membri_tz),
        )

    def _explain_proposal(self):
        """:return: what would be proposed, and what would become of it, as of today"""
        self.ensure_one()
        try:
            preview = self._preview_renewals()[self]
        except UserError as error:
            return [
                self.env._("If it were prepared now, this would fail: %(error)s", error=str(error))
            ]
        names = {
            "recipient": preview["recipient_email"],
            "term": self._format_period(
                preview["date_start"], preview["date_end"], date_format="long"
            ),
            "amount": format_amount(
                self.env,
                preview["amount_total"],
                self.env["res.currency"].browse(preview["currency_id"]),
            ),
        }
        sentence = {
            "notice": self.env._(
                "If it were prepared now, a notice for %(term)s, %(amount)s, would be sent to "
                "%(recipient)s.",
                **names,
            ),
            "invoice": self.env._(
                "If it were prepared now, an invoice for %(term)s, %(amount)s, would be sent to "
                "%(recipient)s.",
                **names,
            ),
            "intervention": self.env._(
                "If it were prepared now, for %(term)s, %(amount)s, it would be put on hold, and "
                "nothing would be sent.",
                **names,
            ),
            "unreachable": self.env._(
                "If it were prepared now, for %(term)s, %(amount)s, no email could be sent.",
                **names,
            ),
        }[preview["outcome"]]
        return [sentence, preview["reason"]] if preview["reason"] else [sentence]


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    def _explain_answer(self):
        self.ensure_one()
        names = {"renewal": self.name, "recipient": self.recipient_id.display_name}
        if self.date_sent:
            names["date"] = self._format_moment(self.date_sent)
            if self.delivery_state in ("unreachable", "failed"):
                return self.env._(
                    "No: the notice %(renewal)s was due on %(date)s, but no email was "
                    "sent. %(reason)s",
                    reason=self.delivery_note or "",
                    **names,
                )
            if self._is_still_here():
                return self.env._(
                    "Yes: the notice %(renewal)s has been queued since %(date)s. Recipient: "
                    "%(recipient)s.",
                    **names,
                )
            return self.env._(
                "Yes: the notice %(renewal)s was first sent on %(date)s. Recipient: %(recipient)s.",
                **names,
            )
        if self.state == "approved":
            return self.env._(
                "No notice, but an invoice: %(renewal)s was approved on %(date)s.",
                **(names | {"date": self._format_moment(self.date_approved)}),
            )
        return self.env._(
            "No: %(renewal)s is prepared but has not been sent. Its status is “%(state)s”.",
            state=self._get_state_label(),
            **names,
        )

    def _format_moment(self, moment):
        """:return: the civil day of ``moment`` for the company, in words"""
        return self._format_day(self.company_id._membri_local_date(moment))

    def _explain_facts(self):
        """:return: what happened to these renewals so far, in the order of time"""
        facts = []
        for renewal in self:
            facts.append(
                (
                    "info",
                    self.env._(
                        "%(renewal)s was prepared on %(date)s and has the status “%(state)s”.",
                        renewal=renewal.name,
                        date=renewal._format_moment(renewal.create_date or fields.Datetime.now()),
                        state=renewal._get_state_label(),
                    ),
                )
            )
            facts += renewal._explain_delivery()
            facts += renewal._explain_reminders()
            facts += renewal._explain_decision()
        return facts

    def _explain_delivery(self):
        self.ensure_one()
        if not self.delivery_state:
            return []
        label = dict(self._fields["delivery_state"]._description_selection(self.env))
        good = self.delivery_state in ("queued", "delivered")
        return [
            (
                "good" if good else "bad",
                self.env._(
                    "Last email: %(state)s. %(reason)s",
                    state=label[self.delivery_state],
                    reason=self.delivery_note or "",
                ),
            )
        ]

    def _explain_reminders(self):
        self.ensure_one()
        result_field = self.env["membri.reminder.log"]._fields["shown_result"]
        labels = dict(result_field._description_selection(self.env))
        return [
            (
                "good" if log.result == "sent" else "bad",
                self._explain_reminder(log, labels[log.shown_result]),
            )
            for log in self.reminder_log_ids.sorted("date")
        ]

    def _explain_reminder(self, log, result):
        """:return: what became of one reminder (a sentence)"""
        names = {
            "date": self._format_moment(log.date),
            "result": result,
            "reason": log.reason or "",
        }
        if not log.step_id:
            return self.env._("Manual reminder, %(date)s: %(result)s. %(reason)s", **names)
        return self.env._(
            "Reminder “%(step)s”, %(date)s: %(result)s. %(reason)s",
            step=log.step_id.display_name,
            **names,
        )

    def _explain_decision(self):
        """:return: the answer of the member, or what the staff did"""
        self.ensure_one()
        if self.state == "change_requested":
            return [
                (
                    "info",
                    self.env._(
                        "The member requests changes: %(request)s",
                        request=self.change_request or "",
                    ),
                )
            ]
        if self.state == "intervention":
            return [
                (
                    "bad",
                    self.env._(
                        "On hold: intervention required. %(reason)s",
                        reason=self.intervention_reason or "",
                    ),
                )
            ]
        if self.state == "refused":
            return [
                (
                    "info",
                    self.env._(
                        "It was declined on %(date)s. Reason: %(reason)s.",
                        date=self._format_moment(self.date_refused),
                        reason=self.refusal_reason_id.name,
                    ),
                )
            ]
        if self.state == "approved" and self.invoice_id:
            name = self.invoice_id.display_name
            if self.is_paid:
                return [("good", self.env._("Its invoice %(invoice)s is paid.", invoice=name))]
            if self.payment_state == "partial":
                sentence = self.env._("Its invoice %(invoice)s is paid in part.", invoice=name)
            else:
                sentence = self.env._("Its invoice %(invoice)s is not paid.", invoice=name)
            return [("info", sentence)]
        return []

    def _explain_coming(self):
        """:return: sentences: what happens to this renewal next, and who has to act"""
        self.ensure_one()
        last_day = self.cotisation_id.date_end
        end = self.cotisation_id._format_day(last_day)
        sentence = {
            "draft": self.env._("Ready to send. It must be sent manually."),
            "sent": self.env._("Awaiting the member's reply. The current term ends on %(end)s."),
            "change_requested": self.env._(
                "The team calls the member, makes the changes, then sends or approves the renewal."
            ),
            "intervention": self.env._(
                "The team looks into it, then sends or approves the renewal."
            ),
            "refused": self.env._(
                "The contact stays a member until %(end)s, then becomes inactive."
            ),
            "approved": self.env._("The next term begins once it is paid, after %(end)s."),
        }[self.state] % {"end": end}
        if self.state == "refused" and last_day and last_day < self.company_id._membri_today():
            sentence = self.env._("The term that it was to renew ended on %(end)s.", end=end)
        if self._is_invoice_untold():
            return [
                self.env._(
                    "The announcement has not been sent yet. The invoice is created %(days)s days "
                    "after it is sent, unless the member changes or stops the renewal.",
                    days=self.option_set_id.announce_days,
                )
            ]
        if self._is_announced():
            return [
                self.env._(
                    "Announced: the invoice is made on %(date)s, unless the member changes or "
                    "stops the renewal.",
                    date=self._format_day(self.date_auto_invoice),
                )
            ]
        if self.is_paid:
            following = self.new_cotisation_id
            return [
                self.env._(
                    "The next term (%(term)s) is paid.",
                    term=following._get_period_in_words() if following else "",
                )
            ]
        if self.new_cotisation_id.state in PAID_FOR_STATES:
            sentence = self.env._(
                "The plan does not require full payment: the next term is upcoming or active."
            )
        if self.state not in ("sent", "approved"):
            return [sentence]
        return [sentence, self._explain_next_reminder()]

    def _explain_next_reminder(self):
        self.ensure_one()
        day = self.date_next_reminder
        if not day:
            return self.env._("No further reminder is planned.")
        if day <= self.company_id._membri_today() and self._get_unreachable_reason():
            return self.env._(
                "The reminder of %(date)s is sent once there is a valid address.",
                date=self._format_day(day),
            )
        return self.env._("The next reminder is due on %(date)s.", date=self._format_day(day))
