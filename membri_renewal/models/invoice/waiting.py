from odoo import api, models
from odoo.fields import Domain

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
            and self.posted_before
            and not self.membri_date_sent
            and self.membri_delivery_state in ("failed", "withdrawn")
        )

    def _membri_tell_unsent(self):
        """What kept these documents from leaving is over: somebody sends them."""
        # sudo: the status of emails is kept by the system, whoever posts
        for move in self.sudo().filtered(lambda move: move._membri_is_worth_sending()):
            told = move._membri_as_staff()
            told._membri_mark_failed(
                told.env._(
                    "%(document)s was confirmed again, and has not been sent. Send it.",
                    document=told._membri_get_document_label(),
                )
            )

    @api.model
    def _membri_get_waiting_domain(self):
        """:return: documents that no email reached, and that are in a queue for that; those that
        were printed and mailed, or that the officer has dealt with, are in none"""
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
        return self._membri_is_payable() and not (self._membri_is_paid() or self._membri_is_void())

    def _membri_do_send_waiting(self):
        """Where an address was found, the document goes to it, and stands for the reminders that
        were due before."""
        found = self.filtered(
            lambda move: (
                move._membri_is_worth_sending() and not move._membri_get_unreachable_reason()
            )
        )
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
