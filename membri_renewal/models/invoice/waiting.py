from odoo import api, models
from odoo.fields import Domain

from ..cotisation.cotisation import LIVING_STATES
from ..mixins.state import run_isolated
from .delivery import ACTIVITY

BATCH = 50


class AccountMove(models.Model):
    """Invoices, fee notices and credit notes that met no address leave by themselves on the first
    night that finds one (see ``renewal/waiting.py``)."""

    _inherit = "account.move"

    @api.model
    def _membri_send_waiting(self):
        """Send the documents that have reached nobody for want of an address, where there is one
        by now. May be run at any time, twice."""

        def send(due):
            for told in (move._membri_as_staff() for move in due):
                errors = run_isolated(told, type(self)._membri_do_send_waiting)
                for move, error in errors.items():
                    move._membri_mark_failed(move.env["membri.renewal"]._get_error_sentence(error))

        domain = self._membri_get_waiting_domain()
        self.env["ir.cron"]._membri_work_off(self, domain, send, limit=BATCH)

    def _membri_is_posted_unsent(self):
        """:return: whether this document is posted again, and its email did not leave before"""
        self.ensure_one()
        return (
            bool(self.membri_invoice_type)
            # a fee notice that becomes an invoice is none
            and (self.posted_before or not self.membri_fee_notice_name)
            and not self.membri_date_sent
            and self.membri_delivery_state in ("failed", "withdrawn")
        )

    def _membri_tell_unsent(self, before):
        """What kept these documents from leaving is over: somebody sends them.

        :param before: those of them that had been confirmed before"""
        # sudo: the status of emails is kept by the system, whoever posts
        for move in self.sudo().filtered(lambda move: move._membri_is_worth_sending()):
            told = move._membri_as_staff()
            document = told._membri_get_document_label()
            if move in before:
                note = told.env._(
                    "%(document)s was confirmed again, and has not been sent. Send it.",
                    document=document,
                )
            else:
                note = told.env._(
                    "%(document)s is confirmed, and has not been sent. Send it.",
                    document=document,
                )
            told._membri_mark_failed(note)

    @api.model
    def _membri_get_waiting_domain(self):
        """Return documents that no email reached, and that are in a queue for that; those that
        were printed and mailed, or that the officer has dealt with, are in none."""
        activity_type_id = self.env["ir.model.data"]._xmlid_to_res_id(ACTIVITY)
        return (
            Domain("membri_invoice_type", "!=", False)
            & Domain("membri_delivery_state", "=", "unreachable")
            & (
                Domain("membri_cotisation_ids.renewal_id.delivery_state", "=", "unreachable")
                | Domain("activity_ids.activity_type_id", "=", activity_type_id)
            )
        )

    def _membri_is_worth_sending(self):
        """:return: whether its payer needs this document: to pay, or as a credit note"""
        self.ensure_one()
        if self.move_type == "out_refund":
            return self.state == "posted"
        return self._membri_is_payable() and not (
            self._membri_is_paid() or self._membri_is_void() or self._membri_is_orphan()
        )

    def _membri_let_wait(self):
        """:return: those that do not leave by themselves, although there is an address"""
        waiting = self.browse()
        for move in self:
            told = move._membri_as_staff()
            if reason := told._membri_get_not_nightly_reason():
                waiting |= move
                if move.membri_delivery_note != reason:  # that there is no address is true no more
                    told.membri_delivery_note = reason
                    told._membri_get_renewals()._internal_write({"delivery_note": reason})
                    told._message_log(body=reason)
        return waiting

    def _membri_get_not_nightly_reason(self):
        """Return why an invoice or fee notice that has waited does not leave by itself (a
        sentence), as ``_get_not_nightly_reason`` of notices: nobody looks at it before the payer
        does. A credit note asks for nothing."""
        self.ensure_one()
        if self.move_type != "out_invoice":
            return False
        company = self.company_id
        document = self._membri_get_document_label()
        # sudo: facts of the terms, for a sentence
        terms_sudo = self.sudo().membri_cotisation_ids.filtered(lambda c: c.state in LIVING_STATES)
        ends = terms_sudo.mapped("date_end")
        if ends and all(end and end < company._membri_today() for end in ends):
            return self.env._(
                "%(document)s has not been sent, and is for a term that ended on %(date)s, so it "
                "is no longer sent automatically. Check it, then send it, or cancel it.",
                document=document,
                date=self._membri_format_day(max(ends)),
            )
        since = self._membri_get_waiting_since()
        months = company.membri_no_answer_months
        lost_before = months and company._membri_local_date(company._membri_get_lost_before())
        if lost_before and since < lost_before:
            return self.env._(
                "%(document)s has been waiting for an address since %(date)s, so it is no longer "
                "sent automatically. Check it, then send it, or cancel it.",
                document=document,
                date=self._membri_format_day(since),
            )
        return False

    def _membri_get_waiting_since(self):
        """:return: the day since which no address works; of before that was kept, its own day"""
        self.ensure_one()
        moment = self.membri_date_unreachable or self.create_date
        since = self.company_id._membri_local_date(moment)
        if not self.membri_date_unreachable and self.invoice_date:
            since = min(since, self.invoice_date)
        return since

    def _membri_do_send_waiting(self):
        """Where an address was found, the document goes to it, and stands for the reminders that
        were due before; what has waited too long waits on, and says so."""
        found = self.filtered(
            lambda move: (
                move._membri_is_worth_sending() and not move._membri_get_unreachable_reason()
            )
        )
        found -= found._membri_let_wait()
        found._membri_deliver()
        # not those that go by mail only
        for move in found.filtered(lambda move: move.membri_delivery_state == "queued"):
            told = move._membri_as_staff()
            told._message_log(
                body=told.env._(
                    "There is a valid address now (%(address)s): the nightly run is emailing it.",
                    address=move._membri_get_delivery_email(),
                )
            )
            renewals = told._membri_get_renewals()
            renewals._skip_overtaken_steps(told.env._("The invoice was sent on that day or later."))
            renewals._update_next_reminder()
