from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

BATCH = 50


class MembriRenewal(models.Model):
    """What met no address leaves by itself on the first night that finds one: the notice and the
    announcement here, invoices and fee notices as ``invoice/waiting.py`` says. A reminder waits
    with its step (``renewal/reminder.py``), the announcement of a charge with its charge."""

    _inherit = "membri.renewal"

    leaves_once_reachable = fields.Boolean(
        string="Sent Once There Is an Address",
        compute="_compute_leaves_once_reachable",
        groups="base.group_user",
        help="The nightly run sends the document as soon as it finds a valid address.",
    )

    @api.model
    def _send_waiting(self):
        """Send what has reached nobody for want of an address, where there is one by now. May be
        run at any time, twice."""

        def send(due):
            errors = due._run_isolated_for_staff(type(self)._do_send_waiting)
            for renewal, error in errors.items():
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
        """Return renewals that no email reached, and whose answer or payment is awaited; an
        invoice that reached nobody waits by itself, once for all whom it serves."""
        return (
            Domain("delivery_state", "=", "unreachable")
            & self._get_awaiting_domain()
            & (
                Domain("state", "=", "sent")
                | Domain("invoice_id.membri_delivery_state", "!=", "unreachable")
            )
        )

    def _do_send_waiting(self):
        """Where an address was found: who has not got the document gets it; who had it before, and
        could not be reached with what came later, is reminded as planned."""
        found = self.filtered(lambda r: not r._get_unreachable_reason())
        found = found._let_wait(type(self)._get_held_reason)
        told = found._get_told_states()
        for renewal, (state, note) in told.items():
            renewal._internal_write({"delivery_state": state, "delivery_note": note})
        reached = self.browse().union(*told)
        reached._unqueue_letters()
        # sudo: the activity may be somebody else's
        reached.sudo().activity_unlink(["membri_renewal.activity_unreachable"])
        missed = found - reached
        to_pay = missed.filtered(lambda r: r.state == "approved")
        to_pay._get_invoice_sudo()._membri_do_send_waiting()
        asked = (missed - to_pay)._let_wait(type(self)._get_not_nightly_reason)
        asked._do_send()
        # nothing had reached them: the reply is awaited from today on
        now = fields.Datetime.now()
        asked._internal_write({"date_sent": now, "date_state": now})
        asked._update_next_reminder()
        for renewal in asked.filtered(lambda r: r.delivery_state == "queued"):
            renewal._message_log(
                body=renewal.env._(
                    "There is a valid address now (%(address)s): the nightly run is emailing it.",
                    address=renewal.delivery_email,
                )
            )

    @api.depends("delivery_state", "delivery_note", "state")
    def _compute_leaves_once_reachable(self):
        for renewal in self:
            renewal.leaves_once_reachable = renewal._leaves_once_reachable()

    def _leaves_once_reachable(self):
        """:return: whether the document waits for nothing but an address"""
        self.ensure_one()
        if self.state not in ("sent", "approved") or not self._get_unreachable_reason():
            return False
        if self._get_held_reason():
            return False
        if invoice_sudo := self._get_document_sudo():
            return not invoice_sudo._membri_get_not_nightly_reason()
        return not self._get_not_nightly_reason()

    def _is_document_held(self):
        """Return whether nobody was reached with what a reminder would be about, and it does not
        leave by itself although there is an address by now."""
        self.ensure_one()
        return self.delivery_state == "unreachable" and not self._get_unreachable_reason()

    def _let_wait(self, get_reason):
        """:param get_reason: function from a renewal to why it is not sent, or ``False``
        :return: those without a reason; the others wait on, and say theirs"""
        held = {renewal: reason for renewal in self if (reason := get_reason(renewal))}
        for renewal, reason in held.items():
            if renewal.delivery_note != reason:  # that there is no address is true no more
                renewal._internal_write({"delivery_note": reason})
        return self - self.browse().union(*held)

    def _get_held_reason(self):
        """:return: why it is not sent, although there is an address (a sentence), or ``False``"""
        self.ensure_one()
        reason = self.state == "sent" and self._get_cannot_reason("send")
        return reason or self._get_no_reminder_reason(is_document=True)

    def _get_not_nightly_reason(self):
        """Return why a notice that has waited does not leave by itself (a sentence): nobody
        looks at it before the member does."""
        self.ensure_one()
        company = self.company_id
        if reason := self._get_term_over_reason():
            return reason
        lost_before = company.membri_no_answer_months and company._membri_get_lost_before()
        if lost_before and self.date_sent and self.date_sent < lost_before:
            return self.env._(
                "%(renewal)s has been waiting since %(date)s, so it is no longer sent "
                "automatically. Check it, then use “Resend”, or decline it.",
                renewal=self.display_name,
                date=self._format_day(company._membri_local_date(self.date_sent)),
            )
        return self._get_unready_reason(at_night=True)

    def _get_told_states(self):
        """Return ``{renewal: (delivery state, note)}`` of those whose document is on its way, or
        has arrived, by email or by post, or has failed where somebody looks."""
        told = {}
        for renewal in self.filtered(lambda r: r.state == "approved"):
            invoice_sudo = renewal._get_invoice_sudo()
            sent = "delivered" if invoice_sudo.membri_date_sent else False
            if state := invoice_sudo.membri_delivery_state or sent:
                told[renewal] = (state, invoice_sudo.membri_delivery_note)
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
        last = {mail_sudo.res_id: mail_sudo for mail_sudo in notices_sudo}
        for renewal in self.filtered(lambda r: r.state == "sent"):
            mail_sudo = last.get(renewal.id, mails_sudo)
            if mail_sudo.state == "outgoing":  # says what holds as it leaves
                told[renewal] = ("queued", False)
            elif renewal._is_invoice_untold():
                continue
            elif mail_sudo and renewal._is_current_notice(mail_sudo):
                told[renewal] = ("delivered", False)
            elif renewal.letter_state == "printed":
                told[renewal] = ("letter", False)
        return told

    def _is_current_notice(self, mail_sudo):
        """Return whether this email is the notice as it was last sent: not one from before a
        change, or before the renewal was decided and opened again."""
        self.ensure_one()
        # what was sent before that day was kept is known by what it says
        since = self.date_notice or mail_sudo.date
        facts = mail_sudo.membri_facts or self._get_notice_facts("notice")
        return mail_sudo.date >= since and f"{facts} ".startswith(
            f"{self._get_notice_facts('notice')} "
        )
