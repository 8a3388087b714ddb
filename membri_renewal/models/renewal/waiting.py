from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

BATCH = 50


class MembriRenewal(models.Model):
    """What met no address leaves by itself on the first night that finds one: the notice and the
    announcement here, invoices and fee notices as ``invoice/waiting.py`` says. A reminder waits
    with its step (``renewal/reminder.py``), the announcement of a charge with its charge."""

    _inherit = "membri.renewal"

    @api.model
    def _send_waiting(self):
        """Send what has reached nobody for want of an address, where there is one by now. May be
        run at any time, twice."""

        def send(due):
            for renewals in due._split_by_staff_lang():
                found = renewals.filtered(lambda r: not r._get_unreachable_reason())
                for renewal, error in found._run_isolated(type(self)._do_send_waiting).items():
                    renewal._mark_failed(renewal._get_error_sentence(error))

        Move, domain = self.env["account.move"], self._get_waiting_domain()
        queries = [self._search(domain), Move._search(Move._membri_get_waiting_domain())]
        exists = SQL(", ").join(SQL("EXISTS (%s)", query.select()) for query in queries)
        # asked at once, for most nights nobody waits
        [(has_renewals, has_invoices)] = self.env.execute_query(SQL("SELECT %s", exists))
        if has_renewals:
            self.env["ir.cron"]._membri_work_off(self, domain, send, limit=BATCH)
        if has_invoices:
            Move._membri_send_waiting()

    @api.model
    def _get_waiting_domain(self):
        """:return: renewals that no email reached, and whose answer or payment is awaited; an
        invoice that reached nobody waits by itself, once for all whom it serves"""
        return (
            Domain("delivery_state", "=", "unreachable")
            & self._get_awaiting_domain()
            & (
                Domain("state", "=", "sent")
                | Domain("invoice_id.membri_delivery_state", "!=", "unreachable")
            )
        )

    def _do_send_waiting(self):
        """An address was found. Who has not got the notice gets it; who had it before, and could
        not be reached with what came later, is reminded as planned."""
        held = {renewal: reason for renewal in self if (reason := renewal._get_held_reason())}
        for renewal, reason in held.items():
            if renewal.delivery_note != reason:  # that there is no address is true no more
                renewal._internal_write({"delivery_note": reason})
        found = self - self.browse().union(*held)
        told = found._get_told_states()
        for renewal, state in told.items():
            renewal._internal_write({"delivery_state": state, "delivery_note": False})
        reached = self.browse().union(*told)
        reached._unqueue_letters()
        # sudo: the activity may be somebody else's
        reached.sudo().activity_unlink(["membri_renewal.activity_unreachable"])
        missed = found - reached
        missed._check_ready_to_leave(at_night=True)
        missed._do_send()
        for renewal in missed.filtered(lambda r: r.delivery_state == "queued"):
            renewal._message_log(
                body=renewal.env._(
                    "There is a valid address now (%(address)s): emailed by the nightly run.",
                    address=renewal.delivery_email,
                )
            )

    def _get_held_reason(self):
        """:return: why it is not sent, although there is an address (a sentence), or ``False``"""
        self.ensure_one()
        reason = self.state == "sent" and self._get_cannot_reason("send")
        return reason or self._get_no_reminder_reason(is_document=True)

    def _get_told_states(self):
        """:return: ``{renewal: delivery state}`` of those whose document is on its way, or has
        arrived, by email or by post"""
        told = {
            renewal: renewal._get_invoice_sudo().membri_delivery_state or "delivered"
            for renewal in self
            if renewal.state == "approved"
        }
        # sudo: the queue of emails is the administrator's
        mails_sudo = self.env["mail.mail"].sudo()
        notices_sudo = mails_sudo.search(
            [
                ("model", "=", self._name),
                ("res_id", "in", self.ids),
                ("membri_kind", "=", "notice"),
                ("state", "in", ("outgoing", "sent")),
                (
                    "mail_message_id.notification_ids",
                    "not any",
                    [("notification_status", "=", "bounce")],
                ),
            ],
            order="id",
        )
        last = {mail_sudo.res_id: mail_sudo.state for mail_sudo in notices_sudo}
        for renewal in self.filtered(lambda r: r.state == "sent"):
            if renewal.id in last:
                told[renewal] = "delivered" if last[renewal.id] == "sent" else "queued"
            elif renewal.letter_state == "printed":
                told[renewal] = "letter"
        return told
