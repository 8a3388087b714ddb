from datetime import timedelta
from itertools import count

from odoo import models
from odoo.fields import Command

ONE_DAY = timedelta(days=1)
# how many days back terms have renewals and invoices; older ones are imports
MONTHLY_DAYS, ONE_TERM, TWO_TERMS = 100, 400, 760


class MembriDemo(models.AbstractModel):
    """The years before: old terms as they were imported, the last two with their renewals,
    invoices and payments."""

    _inherit = "membri.demo"

    def _play_history(self, stories, draw):
        first_message = self._last_id("mail.message")
        members = [story for story in stories if story.fate != "pending"]
        self._import_old_terms(members)
        for _wave in count():
            batch = [story for story in members if story.played]
            if not batch:
                break
            self._play_terms(batch, draw)
        # said today about years ago: nobody wants to read it
        self.env["mail.message"].sudo().search(
            [("id", ">", first_message), ("message_type", "=", "notification")]
        ).unlink()

    def _get_terms(self, story):
        """:return: all terms of a story, as first and last days"""
        terms, first = [], story.since
        while True:
            terms.append(story.option_set._get_period(first, story.since))
            last = terms[-1][1]
            if not last or last >= story.until:
                return terms
            first = last + ONE_DAY

    def _import_old_terms(self, stories):
        today = self.env.company._membri_today()
        vals_list, owners, memo = [], [], {}
        for number, story in enumerate(stories):
            days = TWO_TERMS if number % 2 else ONE_TERM
            if story.option_set.period_unit == "month":
                days = MONTHLY_DAYS
            for first, last in self._get_terms(story):
                if last and first >= today - timedelta(days=days):
                    story.played.append((first, last))
                    continue
                owners.append(story)
                vals_list.append(
                    {
                        **self._prepare_term(story, first, last, memo),
                        "origin": "import",
                        "state": "expired" if last and last < today else "active",
                    }
                )
        cotisations = self.env["membri.cotisation"].create(vals_list)
        for story, cotisation in zip(owners, cotisations, strict=True):
            story.cotisation = cotisation

    def _prepare_term(self, story, first, last, memo):
        lines_vals = story.option_set._prepare_term_lines(story.partner, first, last, memo=memo)
        return {
            "partner_id": story.partner.id,
            "option_set_id": story.option_set.id,
            "date_start": first,
            "date_end": last,
            "date_anchor": story.since,
            "line_ids": [Command.create(vals) for vals in lines_vals],
        }

    def _play_terms(self, stories, draw):
        """The next term of each story: enrolled or renewed, invoiced and paid."""
        stories = sorted(stories, key=lambda story: story.played[0])
        new = [story for story in stories if not story.cotisation]
        old = [story for story in stories if story.cotisation]
        if new:
            self._play_enrolments(new, draw)
        if old:
            renewals = self.env["membri.renewal"].create(
                [{"cotisation_id": story.cotisation.id} for story in old]
            )
            days = {renewal: self._draw_days(renewal, draw) for renewal in renewals}
            self._approve_in_the_past(renewals, days, draw)
            for story, renewal in zip(old, renewals, strict=True):
                story.cotisation = renewal.new_cotisation_id
            self._pay_in_the_past(
                {renewal.invoice_id: paid for renewal, (_sent, _approved, paid) in days.items()}
            )
        for story in stories:
            story.played.pop(0)

    def _play_enrolments(self, stories, draw):
        memo = {}
        cotisations = self.env["membri.cotisation"].create(
            [
                {**self._prepare_term(story, *story.played[0], memo), "origin": "enrolment"}
                for story in stories
            ]
        )
        for story, cotisation in zip(stories, cotisations, strict=True):
            story.cotisation = cotisation
        self._bill(cotisations, [cotisation.date_start for cotisation in cotisations], "enrolment")
        self._pay_in_the_past(
            {c.invoice_id: c.date_start + timedelta(days=draw.randrange(20)) for c in cotisations}
        )

    def _draw_days(self, renewal, draw):
        """:return: the days of the notice, of the approval and of the payment"""
        option_set = renewal.option_set_id
        sent = renewal.date_start - timedelta(days=option_set.notice_lead_days)
        if renewal.mode == "invoice":
            return sent, sent, sent + timedelta(days=draw.randrange(option_set.notice_lead_days))
        approved = sent + timedelta(days=draw.randrange(1, 45))
        return sent, approved, approved + timedelta(days=draw.randrange(2, 35))

    def _approve_in_the_past(self, renewals, days, draw):
        """What approving does, under the dates of then and without emails.

        :param days: ``{renewal: (day sent, day approved, …)}``
        """
        cotisations = self.env["membri.cotisation"].create(
            [renewal._prepare_cotisation_vals() for renewal in renewals]
        )
        for renewal, cotisation in zip(renewals, cotisations, strict=True):
            sent, approved = (self._moment(day, draw) for day in days[renewal][:2])
            sent = min(sent, approved)
            renewal._set_state(
                "approved",
                new_cotisation_id=cotisation.id,
                date_sent=sent if renewal.mode == "notice" else False,
                date_answer=approved,
                date_approved=approved,
                date_next_reminder=False,
            )
        self._bill(cotisations, [days[renewal][1] for renewal in renewals], "renewal")
        for renewal in renewals:
            invoice = renewal.new_cotisation_id.invoice_id
            invoice.membri_date_sent = renewal.date_approved
            renewal._internal_write({"invoice_id": invoice.id})
        renewals._update_next_reminder()
        renewals._refresh_members()

    def _bill(self, cotisations, days, invoice_type):
        """Post one invoice per cotisation, dated ``days``."""
        invoices = self.env["account.move"].create(
            [
                {**cotisation._prepare_invoice_vals(invoice_type), "invoice_date": day, "date": day}
                for cotisation, day in zip(cotisations, days, strict=True)
            ]
        )
        for cotisation, invoice in zip(cotisations, invoices, strict=True):
            cotisation._internal_write({"invoice_id": invoice.id})
        self._update_statistics()
        invoices._post(soft=False)

    def _pay_in_the_past(self, days, parts=None):
        """Transfers on the bank account, matched with their invoices.

        :param days: ``{invoice: day of the payment}``
        :param parts: ``{invoice: amount}`` of those that are not paid in full
        """
        company = self.env.company
        today = company._membri_today()
        journal = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", company.id)], limit=1
        )
        receivables = {
            invoice: invoice.line_ids.filtered(
                lambda line: line.account_id.account_type == "asset_receivable"
            )
            for invoice in days
            if invoice.amount_residual
        }
        transfers = self.env["account.bank.statement.line"].create(
            [
                {
                    "journal_id": journal.id,
                    "date": min(days[invoice], today),
                    "payment_ref": invoice.name,
                    "partner_id": invoice.commercial_partner_id.id,
                    "amount": (parts or {}).get(invoice, invoice.amount_residual),
                    "counterpart_account_id": lines.account_id.id,
                }
                for invoice, lines in receivables.items()
            ]
        )
        self._update_statistics()
        self.env["account.move.line"]._reconcile_plan(
            [
                lines
                | transfer.line_ids.filtered(lambda item, a=lines.account_id: item.account_id == a)
                for transfer, lines in zip(transfers, receivables.values(), strict=True)
            ]
        )
