from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from .announcement import SETTLED_STATES

LOST_STATES = ("failed", "unreachable")


class MembriRenewal(models.Model):
    """What the payer was told counts once it has left: the email was taken by the mail server, or
    the letter was printed. What leaves late says a later day; what failed or came back was not
    told."""

    _inherit = "membri.renewal"

    def _is_announcement_untold(self):
        """:return: whether a payment was announced to nobody yet"""
        self.ensure_one()
        return (
            self.charge_state == "announced"
            and not self.date_charge_announced
            and not self.charge_attempts
        )

    def _is_announcement_waiting(self):
        """:return: whether an email or a letter that may tell the payer is still to leave"""
        self.ensure_one()
        return self.delivery_state == "queued" or self.letter_state == "to_print"

    def _is_announcement_lost(self):
        """:return: whether what told the payer did not leave, or came back"""
        self.ensure_one()
        if self.charge_state != "announced" or self.charge_attempts:
            return False
        if self._is_announcement_waiting():
            return False
        return not self.date_charge_announced or self.delivery_state in LOST_STATES

    def _is_retry_planned(self):
        """:return: whether what was declined is tried again by itself"""
        self.ensure_one()
        return self.charge_state == "failed" and bool(self.date_charge_retry)

    def _is_retry_untold(self):
        """:return: whether the email that announces the next attempt is still to leave"""
        self.ensure_one()
        if not self._is_retry_planned() or self._get_told_at_once():
            return False
        return "queued" in self._get_tried_together().mapped("delivery_state")

    def _get_tried_together(self):
        """Return in sudo, whose next attempt is one charge, and told by one email: those of the
        invoice of ``self``."""
        # sudo: facts of the charge are the staff's
        planned_sudo = self._get_invoice_sudo()._membri_get_charged_renewals() | self.sudo()
        return planned_sudo.filtered(lambda renewal: renewal._is_retry_planned())

    def _get_told_facts(self):
        # EXTENDS term_mixin: another day, amount or card is another announcement
        self.ensure_one()
        renewal_sudo = self.sudo()  # facts of the charge are the staff's
        if renewal_sudo._is_retry_planned():
            return f"retry {self.id} {renewal_sudo.date_charge_retry}"
        if renewal_sudo.charge_state != "announced" or not self._is_charge_coming():
            return super()._get_told_facts()
        if not self._get_document_sudo() and self._get_other_card_owner():
            return super()._get_told_facts()  # who reads the notice is not who pays
        card_sudo = self._get_announced_card()
        return (
            f"charge {self.id} {renewal_sudo.date_charge} {renewal_sudo.amount_charge:.2f} "
            f"{card_sudo._name} {card_sudo.id}"
        )

    def _before_leaving(self):
        # EXTENDS term_mixin: the days count from now on
        for renewal_sudo in self.sudo().filtered(lambda r: r._is_announcement_untold()):
            if vals := renewal_sudo._prepare_lead_vals():
                renewal_sudo._internal_write(vals)
        for renewal_sudo in self.sudo().filtered(lambda r: r._is_retry_planned()):
            tomorrow = renewal_sudo.company_id._membri_today() + timedelta(days=1)
            if renewal_sudo.date_charge_retry < tomorrow:
                renewal_sudo._get_tried_together()._internal_write({"date_charge_retry": tomorrow})
        return super()._before_leaving()

    def _prepare_lead_vals(self):
        """Return the values of a later day, when less than the lead is left until the announced
        one."""
        self.ensure_one()
        company = self.company_id
        days = company._membri_get_charge_lead_days(self._get_announced_card())
        day = company._membri_today() + timedelta(days=days)
        if self.date_charge >= day:
            return {}
        later = [(fields.Date.to_date(due), amount) for due, amount in self.charge_plan or []]
        return {
            "date_charge": day,
            "charge_plan": self._plan_later_parts([(day, self.amount_charge), *later]),
        }

    def _after_leaving(self, facts):
        # EXTENDS term_mixin
        for renewal in self:
            told = renewal._get_told_facts()
            renewal_sudo = renewal.sudo()  # sudo: facts follow what has left, whoever sent it
            if told and told in facts and renewal_sudo._is_announcement_untold():
                renewal_sudo._internal_write(
                    {
                        "date_charge_announced": fields.Datetime.now(),
                        "charge_note": False,
                        **renewal_sudo._prepare_lead_vals(),
                    }
                )
        return super()._after_leaving(facts)

    def _after_undelivered(self, reason):
        # EXTENDS term_mixin
        for renewal_sudo in self.sudo():
            if renewal_sudo._is_retry_planned():
                renewal_sudo._get_tried_together()._drop_untold_retry()
            if renewal_sudo.charge_state != "announced" or renewal_sudo.charge_attempts:
                continue
            renewal_sudo._internal_write({"date_charge_announced": False})
            if renewal_sudo.state == "approved":
                renewal_sudo._hold_charge(
                    renewal_sudo.env._(
                        "The announcement did not reach the payer, so nothing is charged. %(why)s",
                        why=reason or "",
                    ).strip()
                )
        return super()._after_undelivered(reason)

    def _drop_untold_retry(self):
        """The email that announces the next attempt did not reach the payer: there is none."""
        self._internal_write({"date_charge_retry": False})
        for renewal in self:
            renewal._hold_charge(renewal._get_untold_retry_reason(renewal.charge_note))
        self._update_next_reminder()

    def _is_end_of_charge_to_be_told(self):
        """:return: whether the payer of an accepted renewal awaits that it is charged"""
        self.ensure_one()
        if self.state != "approved" or self.is_paid:
            return False
        return self._is_retry_planned() or (
            self.charge_state == "announced" and not self._is_announcement_untold()
        )

    def _get_untold_reason(self):
        """Return why nothing is charged for these renewals yet (a sentence): their payer was not
        told, or ``False``."""
        if any(renewal._is_announcement_lost() for renewal in self):
            return self.env._(
                "The announcement did not reach the payer. Nothing was charged: correct the "
                "address and resend the invoice, or ask for another payment."
            )
        if any(renewal._is_retry_untold() for renewal in self):
            return self.env._(
                "The email that announces the next attempt has not been sent yet, so nothing was "
                "charged. The payment follows once it is sent."
            )
        untold = self.filtered(lambda renewal: renewal._is_announcement_untold())
        if not untold:
            return False
        first = untold[:1]
        days = first.company_id._membri_get_charge_lead_days(first._get_announced_card())
        if any(renewal.letter_state == "to_print" for renewal in untold):
            return self.env._(
                "The letter that announces the payment was not printed yet, so nothing was "
                "charged. Print it: the payment follows %(days)s days later.",
                days=days,
            )
        return self.env._(
            "The email that announces the payment has not been sent yet, so nothing was charged. "
            "The payment follows %(days)s days after it is sent.",
            days=days,
        )

    def _get_charge_cover_sentence(self):
        # EXTENDS term_mixin: the invoice and the fee notice on paper say nothing of saved cards
        self.ensure_one()
        # sudo: members read no facts of the charge
        if self.state == "approved" and self.sudo().charge_state == "announced":
            return self._get_invoice_sudo()._membri_get_charge_sentence()
        return super()._get_charge_cover_sentence()

    # ------------------------------------------------------------------
    # An announcement of its own, where neither the notice nor the invoice announces the charge
    # ------------------------------------------------------------------

    @api.model
    def _get_to_announce_domain(self):
        """Return accepted and unpaid renewals whose payer has, or had, a saved card, or should
        have one."""
        unsaid = Domain("charge_state", "=", False) & Domain("charge_note", "!=", False)
        cases = [self._get_without_card_domain(), unsaid]
        # sudo: cards are their owners'; only ids go into the domain
        Partner_sudo = self.env["res.partner"].sudo()
        for company in self.env["res.company"]._membri_get_all():
            payers = Partner_sudo.with_company(company)._membri_search_card_holders()
            if payers:
                cases.append(
                    Domain("company_id", "=", company.id)
                    & Domain("invoice_id.partner_id", "child_of", payers.ids)
                )
        return (
            Domain.OR(cases)
            & Domain("state", "=", "approved")
            & Domain("is_paid", "=", False)
            & (Domain("option_set_id.automatic_payment", "!=", "none") | unsaid)
            & (
                Domain("charge_state", "=", False)
                | Domain("charge_state", "not in", SETTLED_STATES)
            )
        )

    @api.model
    def _search_to_announce(self, domain):
        """Return the ids of those whose payers are to be told something else than they were, of
        those that wait without a word why, and of those whose word holds no more."""
        found = []
        for renewal in self.search(domain, order="id"):
            vals = renewal._prepare_charge_vals()
            if (
                "date_charge_announced" in vals
                or renewal._get_unsaid_reason(vals)
                or renewal._is_note_stale(vals)
            ):
                found.append(renewal.id)
        return found

    def _is_note_stale(self, vals):
        """:param vals: as of :meth:`_prepare_charge_vals`
        :return: whether the queue says why nothing was announced, or would be charged, and that
            holds no more"""
        is_quiet = not self.charge_state or (
            self.charge_state == "announced" and bool(self.date_charge_announced)
        )
        return is_quiet and bool(self.charge_note) and not vals.get("charge_note")

    def _get_unsaid_reason(self, vals):
        """:param vals: as of :meth:`_prepare_charge_vals`
        :return: why nothing was ever announced, or what was announced could not be charged by
            now, unless the queue says so already; or ``False``"""
        is_lost = self.charge_state == "announced" and vals.get("charge_state") == "failed"
        if is_lost:
            return vals["charge_note"] != self.charge_note and vals["charge_note"]
        return not self.charge_state and not self.charge_note and vals.get("charge_note")

    def _announce_charges(self):
        """Tell the payers by email, or by letter, what will be charged. Who cannot be told is not
        charged."""
        for renewal in self:
            vals = renewal._prepare_charge_vals()
            if "date_charge_announced" not in vals:
                if reason := renewal._get_unsaid_reason(vals):
                    renewal._hold_charge(reason)
                elif renewal._is_note_stale(vals):
                    renewal._internal_write({**vals, "charge_note": False})
                continue
            reason = renewal._get_unreachable_reason()
            if reason and renewal._is_on_paper():  # a letter tells it, once it is printed
                renewal._internal_write(vals)
                renewal._renew_letters()
                renewal._mark_unreachable()
                continue
            if reason:
                # once the payer can be told, the days count from then
                renewal._internal_write({"charge_state": False, "date_charge_retry": False})
                renewal._hold_charge(
                    self.env._("The automatic payment was not announced. %(why)s", why=reason)
                )
                continue
            renewal._internal_write(vals)
            renewal._email_charge("membri_renewal.mail_template_charge")

    def _email_charge(self, template_xmlid):
        """Tell the payer what will be, or was not, charged."""
        template = self.env.ref(template_xmlid)
        messages = self._send_notice(lambda _renewal: template, kind="charge")
        self._leave_soon(messages)

    def _hold_charge(self, reason):
        """Nothing is charged, and the queue says why.

        :param reason: a sentence"""
        for renewal in self:
            if renewal.charge_note != reason:
                renewal._internal_write({"charge_note": reason})
                renewal._message_log(body=reason)

    # ------------------------------------------------------------------
    # Payers without a card, where the plan requires one
    # ------------------------------------------------------------------

    def _get_without_card_domain(self):
        """Return of the accepted and unpaid renewals, those of plans that require a saved card,
        which nothing is planned or known about."""
        return (
            Domain("option_set_id.automatic_payment", "=", "required")
            & Domain("charge_state", "=", False)
            & Domain("charge_note", "=", False)
        )
