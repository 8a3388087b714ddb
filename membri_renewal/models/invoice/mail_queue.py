from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import email_normalize

from .confirmation import CONFIRMATIONS, PART
from .delivery import ACTIVITY
from .released import KIND as RELEASED

NOT_SENT = ("failed", "unreachable", "withdrawn")  # of ``membri_delivery_state``


class AccountMove(models.Model):
    """The emails of a membership document in Odoo's queue: what they say is looked at as they leave
    (called by ``mail_mail.py``), and what becomes of them is kept. Here also what comes back."""

    _inherit = "account.move"

    def _notify_by_email_get_base_mail_values(
        self, message, recipients_data, additional_values=None
    ):
        # EXTENDS mail: what the email says of the money is kept with it
        values = super()._notify_by_email_get_base_mail_values(
            message, recipients_data, additional_values=additional_values
        )
        kind, _template_id = self.env["mail.mail"]._membri_get_kind_of_context()
        if kind and self.membri_invoice_type:
            values.update(
                {
                    "membri_kind": kind,
                    "membri_facts": self._membri_get_mail_facts(kind),
                    "membri_date_before": self.sudo().membri_date_sent,
                    # should it come back, what it was is asked
                    "auto_delete": False,
                }
            )
        return values

    def _membri_get_mail_facts(self, kind):
        """Return what an email of this ``kind`` says, in short: when it differs on leaving, it
        is written anew."""
        self.ensure_one()
        if kind == RELEASED:
            return f"{kind} {self._membri_get_released_facts()}"
        facts = [self.amount_total, self.amount_residual, self._membri_get_delivery_email()]
        if kind in CONFIRMATIONS:  # which money: it may go back, or be replaced, meanwhile
            facts += [
                f"{entry['payment'].id or entry['move'].id}:{entry['amount']:.2f}"
                for entry in self._membri_get_settlements()
                if entry["kind"] in ("money", "given_back")
            ]
            facts += self._membri_get_parts_left() if kind == PART else ()
        else:
            facts += [self.state, self.payment_state, *self._membri_get_parts_left()]
            facts.append(self.sudo().invoice_pdf_report_id.id)  # what is attached is what holds
            facts += self._membri_get_asked_facts()
            told = (renewal._get_told_facts() for renewal in self._membri_get_renewals())
            facts += filter(None, told)
        return " ".join([kind, *map(str, facts)])

    def _membri_get_asked_facts(self):
        """Return what keeps an email from simply asking for the money, in short: it is under way,
        or lies on the payer's account."""
        if not self._membri_is_to_pay_now():
            return ["settled"]
        return ["account"] if self._membri_has_money_on_account() else []

    def _membri_get_mail_obstacle(self, kind, mail_sudo=None):
        """:param kind: of an email that is about to leave: one of ``mail.mail.membri_kind``
        :param mail_sudo: the email, once there is one
        :return: why it must not leave (a sentence), or ``False``"""
        self.ensure_one()
        if kind == RELEASED:
            return self._membri_get_released_obstacle()
        document = self._membri_get_document_label()
        if kind == PART:
            if self._membri_is_dated_ahead():
                return self.env._("The payment of %(document)s is dated ahead.", document=document)
            return self._membri_get_part_obstacle()
        if kind == "receipt":
            if not self._membri_is_to_thank_for():
                return self.env._("%(document)s is no longer paid.", document=document)
            if self._membri_is_in_doubt():
                return self._membri_get_doubt_sentence()
            if not self._membri_has_receipt():
                return self.env._("The payment of %(document)s was refunded.", document=document)
            return False
        if kind == "fee_notice":
            if self.membri_fee_notice_state == "open" and self._membri_is_payable():
                return False
            return self.env._(
                "%(document)s no longer needs to be paid: it was paid, or is no longer valid.",
                document=document,
            )
        if self.move_type == "out_invoice" and (self._membri_is_void() or self._membri_is_orphan()):
            return self.env._("%(document)s is no longer valid.", document=document)
        if self.state != "posted":
            return self.env._(
                "%(document)s was still a draft when it was due to be sent. Confirm it, then send "
                "it.",
                document=document,
            )
        return kind == "reminder" and self._membri_get_reminder_obstacle(document)

    def _membri_get_reminder_obstacle(self, document):
        """:param document: the label of this one
        :return: why nobody is to be reminded of it (a sentence), or ``False``"""
        if self._membri_is_paid():
            return self.env._("%(document)s is paid.", document=document)
        if self._membri_is_settled():
            return self.env._("Nothing is left to pay on %(document)s.", document=document)
        if self._membri_is_money_under_way():
            return self.env._("A payment for %(document)s is in progress.", document=document)
        return self._membri_get_charge_planned_reason()

    def _membri_get_mail_unreachable_reason(self, kind=None):
        # whom no email reaches any more, as the former payer, is asked with the obstacles
        return kind != RELEASED and self._membri_get_unreachable_reason()

    def _membri_rewrite_mail(self, mail_sudo):
        """Send what holds now instead of an email that has waited.

        :return: the emails to be sent in its place now; Odoo's own sending sends by itself"""
        self.ensure_one()
        mail_sudo._membri_cancel(self.env._("Rewritten because its content has changed."))
        if mail_sudo.membri_kind == "fee_notice":
            return self._membri_email_fee_notices()
        if mail_sudo.membri_kind == "receipt":
            return self._membri_email_receipt()
        if mail_sudo.membri_kind == PART:
            return self._membri_email_part()
        if mail_sudo.membri_kind == RELEASED:
            return self._membri_email_released()
        reminder = {"membri_reminder": True} if mail_sudo.membri_kind == "reminder" else False
        self.write({"sending_data": reminder})
        # sudo: the queue is worked off by anybody's request
        self.env["account.move.send"].sudo()._generate_and_send_invoices(
            self, sending_methods=["email"]
        )
        return self.env["mail.mail"].sudo()

    def _membri_mail_leaves(self, mail_sudo):
        if mail_sudo.membri_kind not in (*CONFIRMATIONS, RELEASED):
            self._membri_get_renewals()._before_leaving()

    def _membri_mail_left(self, mail_sudo):
        if mail_sudo.membri_kind == RELEASED:
            self._membri_released_left()
            return
        if mail_sudo.membri_kind == PART:
            return
        if mail_sudo.membri_kind == "receipt":  # perhaps at the second try
            self.write({"membri_date_receipt_sent": fields.Datetime.now()})
            self.activity_unlink([ACTIVITY])
            return
        self._membri_record_sent()
        renewals = self._membri_get_renewals()
        if renewals or not self._membri_is_on_paper():  # else the letter is still to be mailed
            self.activity_unlink([ACTIVITY])
        for renewal in renewals:
            renewal._membri_mail_left(mail_sudo)

    def _membri_record_sent(self):
        """The mail server has taken an email with this document."""
        self.write(
            {
                "membri_delivery_state": "delivered",
                "membri_delivery_note": False,
                "membri_date_sent": fields.Datetime.now(),
                # at a second try the file is there, and Odoo would not say it again
                "is_move_sent": self.state == "posted",
            }
        )
        self._membri_forget_version()

    def _membri_record_carried(self):
        """An email of a renewal (a reminder, the announcement of a payment) has left, and carried
        this document: where it had not left by itself, its payer has it now."""
        if self.membri_delivery_state in NOT_SENT:
            self._membri_record_sent()

    def _membri_record_carried_back(self, mail_sudo):
        """Such an email has come back: this document is as sent as it was before.

        :param mail_sudo: the email of the renewal"""
        if (
            self.membri_delivery_state == "delivered"
            and self.membri_date_sent
            and self.membri_date_sent >= mail_sudo.date
            and self.membri_date_sent != mail_sudo.membri_date_before
            and self._membri_get_last_mail().id < mail_sudo.id
        ):
            self._membri_restore_date_sent(mail_sudo)
            told = self._membri_as_staff()
            note = told.env._("The email to %(address)s bounced.", address=mail_sudo.email_to)
            self.write({"membri_delivery_state": "failed", "membri_delivery_note": note})

    def _membri_mail_failed(self, mail_sudo, sentence):
        if mail_sudo.membri_kind == RELEASED:
            self._membri_released_failed(sentence)
            return
        if mail_sudo.membri_kind == PART:
            self._membri_schedule_delivery(sentence)
            return
        if mail_sudo.membri_kind == "receipt":
            self.write({"membri_date_receipt_sent": False})
            self._membri_schedule_delivery(sentence)
            return
        self._membri_restore_date_sent(mail_sudo)
        self._membri_mark_failed(sentence)
        self._membri_record_reminders("failed", sentence, mail_sudo.mail_message_id)

    def _membri_mail_dropped(self, mail_sudo, reason):
        if mail_sudo.membri_kind == RELEASED:
            self._membri_released_failed(reason)
            return
        if mail_sudo.membri_kind == PART:
            self._message_log(body=self.env._("Not sent: %(error)s", error=reason))
            return
        if mail_sudo.membri_kind == "receipt":
            self.write({"membri_date_receipt_sent": False})
            self._message_log(body=self.env._("Not sent: %(error)s", error=reason))
            return
        self._membri_restore_date_sent(mail_sudo)
        self._membri_record_dropped(reason)
        self._membri_record_reminders("skipped", reason, mail_sudo.mail_message_id)

    def _membri_mail_unreachable(self, mail_sudo):
        if mail_sudo.membri_kind in CONFIRMATIONS:
            self._membri_mail_failed(mail_sudo, self._membri_get_unreachable_reason())
            return
        self._membri_restore_date_sent(mail_sudo)
        self._membri_mark_unreachable()
        self._membri_record_reminders(
            "skipped", self.membri_delivery_note, mail_sudo.mail_message_id
        )

    def _membri_restore_date_sent(self, mail_sudo):
        """Nothing left: the document is as sent as it was before."""
        before = mail_sudo.membri_date_before
        self.write({"membri_date_sent": before, "is_move_sent": bool(before)})

    def _message_receive_bounce(self, email, partner):
        # EXTENDS mail: called after the contacts with this address were marked as bouncing
        result = super()._message_receive_bounce(email, partner)
        address = email_normalize(email, strict=False)
        # sudo: the mail gateway works for everybody
        for move_sudo in self.sudo():
            if address and move_sudo.membri_delivery_email == address:
                move_sudo._membri_handle_bounce()
            elif address and move_sudo._membri_is_released_address(address):
                told_sudo = move_sudo._membri_as_staff()
                told_sudo._membri_released_failed(
                    told_sudo.env._("The email to %(address)s bounced.", address=address)
                )
        return result

    def _membri_handle_bounce(self):
        """The email has come back. While the document is to be paid, and of a credit note or a
        receipt in any case, another address, else a letter and the officer."""
        self.ensure_one()
        self = self._membri_as_staff()
        note = self.env._("The email to %(address)s bounced.", address=self.membri_delivery_email)
        self._message_log(body=note)
        self._membri_get_renewals()._after_undelivered(note)
        self.env["res.partner"]._membri_mark_renewal_email_bounced(self.membri_delivery_email)
        if self._membri_is_worth_sending():
            mail_sudo = self._membri_get_last_mail()
            is_reminder = mail_sudo.membri_kind == "reminder"
            if is_reminder and self._membri_get_unreachable_reason():
                # what has come back has reminded nobody
                self._membri_record_reminders("failed", note, mail_sudo.mail_message_id)
            elif is_reminder:
                self._membri_get_renewals()._retry_reminder(mail_sudo.mail_message_id)
            self._membri_deliver(is_reminder=is_reminder)
        elif self.membri_date_receipt_sent:
            self._membri_handle_receipt_bounce()

    def _membri_get_last_mail(self):
        """:return: the last email of this document itself that left (in sudo), no receipt"""
        return self.env["mail.mail"]._membri_get_last_of(
            self,
            Domain("membri_kind", "not in", (False, *CONFIRMATIONS, RELEASED))
            & Domain("state", "=", "sent"),
        )
