from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import format_amount

from .bulk_selection import MOST_REASONS

# of so many it is found out, in a second or two, what is billed today
TOTALS_LIMIT = 1000


class MembriBulkStart(models.TransientModel):
    """What work on several renewals is about to do, said before it is done (guide §2, *Approuver
    ou refuser plusieurs renouvellements à la fois*)."""

    _name = "membri.bulk.start"
    _inherit = "membri.bulk.selection"
    _description = "Process Selected Renewals"

    action = fields.Selection(selection="_get_actions", required=True)

    @api.model
    def _get_actions(self):
        labels = {
            "approve": self.env._("Approve Selected Renewals"),
            "apply_and_approve": self.env._("Apply and Approve Selected Change Requests"),
            "send": self.env._("Send Selected Renewals"),
            "send_reminder": self.env._("Resend the Renewal Notice"),
            "end_unpaid": self.env._("End Unpaid Renewals"),
        }
        return list(labels.items())

    @api.model
    def _get_wizard_action(self, action, renewals):
        """:return: the action that opens this wizard on what the user has selected"""
        titles = dict(self._get_actions())
        if action not in titles:
            raise UserError(
                self.env._(
                    "“%(action)s” is not available for several renewals at once.", action=action
                )
            )
        renewals.check_access("write")
        renewals = self.env["membri.bulk.job"]._get_selection(renewals)
        # made here: a client would be sent thousands of ids, and send them back
        wizard = self.create({"action": action, "renewal_ids": [Command.set(renewals.ids)]})
        return {
            "type": "ir.actions.act_window",
            "name": titles[action],
            "res_model": self._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_confirm(self):
        """:return: a client action that tells what was done, or shows the progress"""
        self.ensure_one()
        return self.env["membri.bulk.job"]._start(self.action, self.renewal_ids)

    # ------------------------------------------------------------------
    # What will happen
    # ------------------------------------------------------------------

    def _get_bulk_action(self):
        # EXTENDS membri_renewal
        return self.action

    def _get_sentences(self, ready, left_out):
        # EXTENDS membri_renewal
        return [
            *self._get_effect_sentences(self._get_groups(ready)),
            *self._get_billing_sentences(ready),
            *self._get_remarks(ready),
            *left_out,
            *self._get_background_sentences(),
        ]

    def _get_groups(self, ready):
        """:return: ``(state, mode, currency, count, amount)`` of what is done"""
        return self.env["membri.renewal"]._read_group(
            ready, ["state", "mode", "currency_id"], ["__count", "amount_total:sum"]
        )

    def _get_effect_sentences(self, groups):
        if not groups:
            return [
                self.env._(
                    "This selection contains nothing to process. Close this window and "
                    "select other renewals."
                )
            ]
        return {
            "approve": self._get_approve_sentences,
            "apply_and_approve": self._get_apply_and_approve_sentences,
            "send": self._get_send_sentences,
            "send_reminder": self._get_send_reminder_sentences,
            "end_unpaid": self._get_end_unpaid_sentences,
        }[self.action](groups)

    def _get_end_unpaid_sentences(self, groups):
        count, amount = self._sum_up(groups)
        return [
            self.env._(
                "Renewals to end as unpaid: %(count)s (%(amount)s). Nothing more is owed. Members "
                "whose current term is not over stay members until it ends, then become inactive.",
                count=count,
                amount=amount,
            )
        ]

    def _get_approve_sentences(self, groups):
        count, amount = self._sum_up(groups)
        return [
            self.env._(
                "To approve and invoice: %(count)s (%(amount)s).",
                count=count,
                amount=amount,
            )
        ]

    def _get_apply_and_approve_sentences(self, groups):
        count, _amount = self._sum_up(groups)
        return [
            self.env._(
                "Change requests to apply as requested, then approve and invoice: %(count)s.",
                count=count,
            )
        ]

    def _get_send_sentences(self, groups):
        billed = [group for group in groups if group[0] == "draft" and group[1] == "invoice"]
        noticed = [group for group in groups if group not in billed]
        sentences = []
        if noticed:
            count, amount = self._sum_up(noticed)
            sentences.append(
                self.env._(
                    "Notices to send: %(count)s (proposed total: %(amount)s).",
                    count=count,
                    amount=amount,
                )
            )
        if billed:
            count, amount = self._sum_up(billed)
            sentences.append(
                self.env._(
                    "To invoice right away, without a notice: %(count)s (%(amount)s).",
                    count=count,
                    amount=amount,
                )
            )
        return sentences

    def _get_send_reminder_sentences(self, groups):
        to_pay = [group for group in groups if group[0] == "approved"]
        to_answer = [group for group in groups if group not in to_pay]
        sentences = []
        if to_answer:
            count, _amount = self._sum_up(to_answer)
            sentences.append(
                self.env._(
                    "Members who get their notice again, with a request to reply: %(count)s.",
                    count=count,
                )
            )
        if to_pay:
            count, _amount = self._sum_up(to_pay)
            sentences.append(
                self.env._("Members to remind of what they owe: %(count)s.", count=count)
            )
        return sentences

    def _sum_up(self, groups):
        """:return: ``(count, amount in words)``, the amount for each currency"""
        amounts = {}
        for _state, _mode, currency, _count, amount in groups:
            amounts[currency] = amounts.get(currency, 0.0) + amount
        words = " + ".join(
            format_amount(self.env, amount, currency) for currency, amount in amounts.items()
        )
        return self._format_count(sum(group[3] for group in groups)), words

    def _get_billing_sentences(self, ready):
        """Return what is billed otherwise than the renewals show, and who gets one invoice; what
        becomes of the invoices that are ended."""
        if self.action == "end_unpaid":
            return self._get_voided_sentences(ready)
        if self.action not in ("approve", "apply_and_approve", "send"):
            return []
        billed = ready
        if self.action == "send":
            billed &= Domain("state", "=", "draft") & Domain("mode", "=", "invoice")
        sentences = self._get_no_journal_sentences(billed)
        if self.action == "apply_and_approve":
            return sentences
        if len(self.renewal_ids) <= TOTALS_LIMIT:
            renewals = self.env["membri.renewal"].search(billed)
            sentences += filter(None, [renewals._get_totals_remark()])
        elif self.action == "approve":
            sentences.append(
                self.env._(
                    "The total is what the renewals show. Invoices may differ, because of today's "
                    "taxes or of late members who start a new period."
                )
            )
        announced = billed & Domain("option_set_id.announce_days", ">", 0)
        if self.action == "send" and (count := self.env["membri.renewal"].search_count(announced)):
            sentences.append(
                self.env._(
                    "Automatic invoices to announce first: %(count)s. Each one is sent after the "
                    "number of days set on the plan.",
                    count=self._format_count(count),
                )
            )
        shared = self.env["membri.renewal"]._get_shared_proposals(billed)
        return [*sentences, *self._shorten([group._get_shared_remark() for group in shared])]

    def _get_no_journal_sentences(self, billed):
        """Asked once for each company: the approval finds it out at its end."""
        groups = self.env["membri.renewal"]._read_group(billed, ["company_id"])
        reasons = (company._membri_get_no_journal_reason() for [company] in groups)
        return [reason for reason in reasons if reason]

    def _get_voided_sentences(self, ready):
        """:return: which documents are cancelled, credited or withdrawn when these renewals end"""
        if not self._is_looked_at():
            return [
                self.env._(
                    "Their invoices are cancelled, or credited where they can no longer be "
                    "cancelled."
                )
            ]
        # sudo: whoever may end a renewal is told what becomes of its invoice
        terms_sudo = self.env["membri.renewal"].search(ready).new_cotisation_id.sudo()
        fates = {}
        for invoice_sudo, own_sudo in terms_sudo.grouped("invoice_id").items():
            fates.setdefault(invoice_sudo._membri_get_fate_without(own_sudo), []).append(
                invoice_sudo.display_name
            )
        return [
            self._get_voided_sentence(
                fate,
                count=self._format_count(len(fates[fate])),
                documents=", ".join(
                    [*fates[fate][:MOST_REASONS], *["…"][: len(fates[fate]) > MOST_REASONS]]
                ),
            )
            for fate in ("withdraw", "cancel", "credit", "shared")
            if fate in fates
        ]

    def _get_voided_sentence(self, fate, **names):
        return {
            "withdraw": self.env._("Fee notices to withdraw: %(count)s (%(documents)s).", **names),
            "cancel": self.env._("Invoices to cancel: %(count)s (%(documents)s).", **names),
            "credit": self.env._(
                "Invoices to credit, as they can no longer be cancelled: %(count)s "
                "(%(documents)s).",
                **names,
            ),
            "shared": self.env._(
                "Shared invoices on which only these members are removed: %(count)s "
                "(%(documents)s).",
                **names,
            ),
        }[fate]

    def _get_remarks(self, ready):
        """:return: sentences on what an officer would want to look at first"""
        if self.action == "send_reminder":
            return self._get_not_late_remarks(ready)
        if self.action not in ("approve", "send"):
            return []
        Renewal = self.env["membri.renewal"]
        asked = Renewal.search_count(ready & Domain("change_request_id.state", "=", "pending"))
        held = Renewal.search_count(ready & Domain("state", "=", "intervention"))
        remarks = []
        if asked:
            remarks.append(
                self.env._(
                    "Change requests that will not be applied: %(count)s. To apply them, "
                    "use “Apply and Approve Selected Renewals”.",
                    count=self._format_count(asked),
                )
            )
        if held:
            remarks.append(
                self.env._(
                    "Interventions required: %(count)s. Make sure they are completed.",
                    count=self._format_count(held),
                )
            )
        return remarks

    def _get_not_late_remarks(self, ready):
        """Some may have been invoiced a minute ago.

        :return: sentences, how many would be reminded of a payment that is not late"""
        not_late = ready & Domain("state", "=", "approved") & Domain("in_arrears", "=", False)
        count = self.env["membri.renewal"].search_count(not_late)
        if not count:
            return []
        return [
            self.env._(
                "Payments not yet late, among these: %(count)s.",
                count=self._format_count(count),
            )
        ]
