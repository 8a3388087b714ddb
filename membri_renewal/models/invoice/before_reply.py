from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount

from ..mixins.formats import end_once, is_said_in
from ..mixins.thread import log_once
from ..renewal.renewal import UNDECIDED_STATES
from .bank_line import find_named, get_lines_by_number

ACTIVITY = "membri_renewal.activity_payment_before_reply"
# money that comes for a renewal that was declined, or cancelled, this long ago is told on it
CLOSED_DAYS = 365


class MembriRenewal(models.Model):
    """Money that came before the answer: members who were asked pay what the notice says, and
    there is no invoice yet that could use it. The officer is told, once, on the renewal, to
    approve it, and nobody is reminded automatically for some days; the night finds it. So is
    money that comes once the renewal was declined, or cancelled."""

    _inherit = "membri.renewal"

    @api.model
    def _tell_payments_before_reply(self):
        """Ask the officer about money of members whose answer is awaited, and about lines of the
        bank that name their renewal; end the questions that are answered. May be run at any time,
        twice."""
        # sudo: the bank is the accountants'; that money has come is a fact
        renewals_sudo = self.sudo()
        told_sudo = renewals_sudo._find_payments_before_reply()
        for renewal, lines in renewals_sudo._find_bank_lines_before_reply().items():
            told_sudo[renewal] |= lines.move_id
        notes = {
            renewal.id: [renewal._ask_about_payment_before_reply(entry) for entry in entries]
            for renewal, entries in told_sudo.items()
        }
        # none of what somebody has planned by hand, nor has added to the question
        activities_sudo = self.env["mail.activity"].sudo().with_context(active_test=False)
        activities_sudo.search(
            self._get_asked_before_reply_domain() & Domain("automated", "=", True)
        ).filtered(
            lambda question: (
                not any(
                    is_said_in(question.summary, note) for note in notes.get(question.res_id, ())
                )
            )
        ).unlink()

    @api.model
    def _get_before_reply_queries(self):
        """:return: what there is to ask about, or to end, as queries: mostly nothing"""
        # sudo: for the whole company, at night
        return [
            self.env["account.move.line"].sudo()._search(self._get_money_before_reply_domain()),
            self.env["account.bank.statement.line"]
            .sudo()
            ._search(Domain("is_reconciled", "=", False) & Domain("amount", ">", 0.0)),
            self.env["mail.activity"]
            .sudo()
            .with_context(active_test=False)
            ._search(self._get_asked_before_reply_domain()),
        ]

    @api.model
    def _get_awaited_domain(self):
        """:return: renewals that a member was asked about, and that are not decided"""
        return Domain("state", "in", UNDECIDED_STATES) & Domain("date_sent", "!=", False)

    @api.model
    def _get_closed_domain(self, *states):
        """Return renewals that a member was asked about, and that have ended without an invoice,
        not long ago."""
        since = fields.Datetime.now() - timedelta(days=CLOSED_DAYS)
        return (
            Domain("state", "in", states)
            & Domain("date_sent", "!=", False)
            & Domain("date_state", ">=", since)
            & Domain("invoice_id", "=", False)
        )

    @api.model
    def _get_payable_before_reply_domain(self):
        """Return the renewals that a payment of their member, without a word of what it is for, may
        be meant for: also those that were declined, of who has not joined again."""
        living = Domain("state", "!=", "cancelled")
        return self._get_awaited_domain() | (
            self._get_closed_domain("refused")
            & ~Domain("cotisation_id", "any", [("next_ids", "any", living)])
        )

    @api.model
    def _get_asked_before_reply_domain(self):
        """:return: the activities of this question"""
        activity_type_id = self.env["ir.model.data"]._xmlid_to_res_id(ACTIVITY)
        return Domain("res_model", "=", self._name) & Domain(
            "activity_type_id", "=", activity_type_id
        )

    @api.model
    def _get_held_before_reply_domain(self, company):
        """Return the activities of this question that hold reminders: for as many days as a
        reported payment."""
        return self._get_asked_before_reply_domain() & Domain(
            "create_date", ">=", company._membri_get_held_since()
        )

    def _get_before_reply_reason(self):
        """:return: that money has come before the reply (a sentence), or ``False``"""
        self.ensure_one()
        held = self._get_held_before_reply_domain(self.company_id)
        # sudo: members read no activities, and reminders ask of them
        if self.state != "sent" or not self.sudo().activity_ids.filtered_domain(held):
            return False
        return self.env._(
            "Money was received before the reply to %(renewal)s: see its activities. Approve the "
            "renewal, or refund the money. No reminder is sent automatically for some days.",
            renewal=self.display_name,
        )

    @api.model
    def _get_paid_before_reply_domain(self):
        """:return: the same as a domain, in the companies of the reader"""
        return Domain.OR(
            Domain("company_id", "=", company.id)
            # any!: a fact, whoever asks
            & Domain("activity_ids", "any!", self._get_held_before_reply_domain(company))
            for company in self.env.companies
        )

    @api.model
    def _get_money_before_reply_domain(self):
        """Return journal items of money that no invoice uses, of who is awaited or pays for them;
        where an invoice of theirs is open, it is told there."""
        awaited = self._get_payable_before_reply_domain()
        to_pay = self.env["account.move"]._membri_get_to_pay_domain()
        return self.env["account.move.line"]._membri_get_unused_domain() & Domain(
            "partner_id",
            "any",
            (
                Domain("membri_renewal_ids", "any", awaited)
                | Domain("child_ids.membri_renewal_ids", "any", awaited)
                | Domain("parent_id.membri_renewal_ids", "any", awaited)
            )
            & ~Domain("invoice_ids", "any", to_pay),
        )

    @api.model
    def _find_payments_before_reply(self):
        """Return ``{renewal: account.move}``: entries of payers' money that no invoice uses, and
        that came since the notice was sent."""
        found = defaultdict(self.env["account.move"].browse)
        items = self.env["account.move.line"].search(self._get_money_before_reply_domain())
        if not items:
            return found
        contacts = items.partner_id
        renewals = self.search(
            self._get_payable_before_reply_domain()
            & (
                Domain("partner_id", "in", contacts.ids)
                | Domain("partner_id.parent_id", "in", contacts.ids)
                | Domain("partner_id.child_ids", "in", contacts.ids)
            ),
            order="date_start, id",
        ).sorted(lambda renewal: renewal.state == "refused")
        payers = {renewal: renewal._get_paying_contacts() for renewal in renewals}
        for item in items:
            for renewal, of_renewal in payers.items():
                if (
                    item.company_id == renewal.company_id
                    and item.partner_id in of_renewal
                    and item.date >= renewal.company_id._membri_local_date(renewal.date_sent)
                ):
                    found[renewal] |= item.move_id
                    break
        return found

    def _get_paying_contacts(self):
        """:return: as ``_membri_get_paying_contacts`` of invoices: by whose name money comes"""
        return (self.partner_id | self._get_payer())._membri_with_addressed()

    @api.model
    def _find_bank_lines_before_reply(self):
        """:return: ``{renewal: lines}`` of the bank statement that name it, not reconciled"""
        lines = self.env["account.bank.statement.line"]._membri_find_unreconciled()
        if not lines:
            return {}
        by_number = get_lines_by_number(lines)
        renewals = self.search_fetch(
            (self._get_awaited_domain() | self._get_closed_domain("refused", "cancelled"))
            & Domain("company_id", "in", lines.company_id.ids),
            ["name", "company_id"],
        )
        found = {renewal: find_named(by_number, renewal, renewal.name) for renewal in renewals}
        return {renewal: named for renewal, named in found.items() if named}

    def _ask_about_payment_before_reply(self, entry):
        """:param entry: the ``account.move`` of the money: a payment's, or a line of the bank's
        :return: what was asked"""
        self.ensure_one()
        [staff] = self._split_by_staff_lang()
        payment = entry.origin_payment_id
        line = entry.statement_line_id
        money = payment or line
        names = {
            "renewal": staff.name,
            "payment": line.payment_ref or payment.memo or entry.name,
            "amount": format_amount(
                staff.env,
                money.amount if money else entry.amount_total,
                (money or entry).currency_id,
            ),
            "date": staff._format_day(entry.date),
        }
        if staff.state in UNDECIDED_STATES:
            note = staff.env._(
                "Money was received before the reply to %(renewal)s: “%(payment)s” (%(amount)s, "
                "%(date)s). Approve the renewal, then reconcile the money with its invoice in "
                "Invoicing; or refund it.",
                **names,
            )
        else:
            note = staff.env._(
                "Money was received for %(renewal)s, which has the status “%(state)s”: "
                "“%(payment)s” (%(amount)s, %(date)s). If the member stays after all, reset and "
                "approve the renewal, or enroll the member; otherwise, refund the money.",
                state=staff._get_state_label(),
                **names,
            )
        note = end_once(note)
        # what was marked as done is not asked again
        questions = staff.with_context(active_test=False).activity_ids
        if not any(is_said_in(question.summary, note) for question in questions):
            assignee = staff._get_officer() or staff.company_id._membri_get_assignee()
            if assignee:
                staff.activity_schedule(ACTIVITY, summary=note, user_id=assignee.id)
            else:
                log_once(staff, note)
        return note
