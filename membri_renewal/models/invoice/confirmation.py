from odoo import api, fields, models
from odoo.fields import Domain

from ..mixins.state import run_isolated

BATCH = 50
DAYS_BACK = 31
RECEIPT = "membri_renewal.report_membership_receipt"


class AccountMove(models.Model):
    """The email to who has paid: a confirmation, with the receipt."""

    _inherit = "account.move"

    membri_receipt_to_send = fields.Boolean(string="Receipt to Send", readonly=True, copy=False)
    membri_date_receipt_sent = fields.Datetime(string="Receipt Sent On", readonly=True, copy=False)

    # the night: receipts that wait, mostly none
    _membri_receipt_queue = models.Index("(id) WHERE membri_receipt_to_send")

    def _membri_follow_receipts(self):
        """Number the receipts of what is paid, and confirm the payment to who has paid, once;
        again when the money went away and came back."""
        self._membri_ensure_receipts()
        waiting = self.filtered("membri_receipt_name")
        undone = waiting.filtered(
            lambda move: (
                not move._membri_may_have_receipt()
                and (move.membri_receipt_to_send or move.membri_date_receipt_sent)
            )
        )
        if undone:
            # sudo: facts follow the money, whoever books it
            undone.sudo().write(
                {"membri_receipt_to_send": False, "membri_date_receipt_sent": False}
            )
        to_confirm = (self - undone).filtered(lambda move: move._membri_is_to_confirm())
        if to_confirm:
            to_confirm.sudo().membri_receipt_to_send = True
            self.env.ref("membri_renewal.ir_cron_send_receipts")._trigger()

    def _membri_is_to_confirm(self):
        """Return whether the payer has to be told that the money came, or, of a check that is dated
        ahead, comes: not when it came long ago, as that of an accountant who catches up."""
        self.ensure_one()
        # sudo: settings are the staff's
        if (
            self.membri_receipt_to_send
            or self.membri_date_receipt_sent
            or not self._membri_may_have_receipt()
            or not self.company_id.sudo().membri_payment_confirmation
            or not (self._membri_has_receipt() or self._membri_is_dated_ahead())
            or not self._membri_is_paid()
        ):
            return False
        last = max(entry["date"] for entry in self._membri_get_settlements())
        return (self.company_id._membri_today() - last).days <= DAYS_BACK

    @api.model
    def _membri_cron_send_receipts(self):
        """Send the confirmations that wait, a batch at a time; one that fails is taken out of
        the queue, with its reason on the invoice."""
        self.env["ir.cron"]._membri_work_off(
            self,
            Domain("membri_receipt_to_send", "=", True),
            type(self)._membri_send_receipts,
            limit=BATCH,
        )

    def _membri_send_receipts(self):
        """Email the receipts of ``self``. What is no longer paid is dropped; money that is dated
        ahead is certified, and its receipt numbered, on its day."""
        ahead = self.filtered(lambda m: m._membri_is_paid() and m._membri_is_dated_ahead())
        due = self - ahead
        due.membri_receipt_to_send = False
        due._membri_ensure_receipts()
        for move in due.filtered(lambda m: m._membri_has_receipt() and m._membri_is_paid()):
            told = move._membri_as_staff()  # not in the language of the scheduler
            if reason := told._membri_get_no_receipt_email_reason():
                told._message_log(body=reason)
                continue
            for error in run_isolated(move, type(self)._membri_email_receipt).values():
                sentence = told.env._(
                    "The receipt was not sent: %(error)s",
                    error=told.env["membri.renewal"]._get_error_sentence(error),
                )
                told._message_log(body=sentence)
                told._membri_schedule_delivery(sentence)
        self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    def _membri_get_no_receipt_email_reason(self):
        """:return: why the payer gets no confirmation by email (a sentence), or ``False``"""
        self.ensure_one()
        if self._membri_get_unreachable_reason():
            # sudo: a name only
            return self.env._(
                "The receipt was not emailed because %(payer)s has no valid email "
                "address. Print it if needed.",
                payer=self.partner_id.sudo().display_name,
            )
        return False

    def _membri_email_receipt(self):
        """:return: the email, in Odoo's queue: looked at once more when it leaves"""
        self.ensure_one()
        template = self.env.ref("membri_renewal.mail_template_receipt")
        document = self._membri_attach_receipt()
        address = self._membri_get_receiver_address()  # it goes where the invoice goes

        def get_values(move):
            return {
                "partner_ids": [] if address else move._membri_get_receiver().ids,
                "outgoing_email_to": address,
                "attachments": [document],
                "force_email_lang": move._membri_get_payer_lang(),
            }

        messages = template._membri_post(self, "receipt", get_values)
        self.write(
            {
                "membri_date_receipt_sent": fields.Datetime.now(),
                "membri_delivery_email": self._membri_get_delivery_email(),
            }
        )
        return messages[self].sudo().mail_ids  # sudo: the queue of emails is the administrator's

    def _membri_handle_receipt_bounce(self):
        """The receipt has come back: another address, else the officer prints it."""
        self.ensure_one()
        self.membri_date_receipt_sent = False
        if reason := self._membri_get_no_receipt_email_reason():
            self._message_log(body=reason)
            self._membri_schedule_delivery(reason)
        elif self._membri_has_receipt():
            self.membri_receipt_to_send = True
            self.env.ref("membri_renewal.ir_cron_send_receipts")._trigger()

    def _membri_attach_receipt(self):
        """:return: ``(file name, content)`` of the receipt in the payer's language"""
        self.ensure_one()
        # sudo: the receipt of this invoice, whoever has it printed
        Report_sudo = self.env["ir.actions.report"].sudo().with_company(self.company_id)
        content, _type = Report_sudo.with_context(
            membri_print_lang=self._membri_get_payer_lang()
        )._render_qweb_pdf(RECEIPT, self.ids)
        name = self._membri_get_receipt_name().replace("/", "-")
        label = self.with_context(lang=self._membri_get_payer_lang()).env._(
            "Receipt %(number)s", number=name
        )
        return f"{label}.pdf", content

    def _membri_get_receipt_rows(self):
        """:return: ``(label, value)`` pairs of the email: what came, when and how"""
        self.ensure_one()
        rows = [
            (self.env._("Receipt"), self.membri_receipt_name or ""),
            (self.env._("Invoice"), self.name or ""),
        ]
        for line in self._membri_get_receipt_lines():
            label = self.env._(
                "%(date)s, %(method)s",
                date=self._membri_format_day(line["date"]),
                method=line["label"],
            )
            rows.append((label, self.currency_id.format(line["amount"])))
        received = self.currency_id.format(self._membri_get_received())
        return [*rows, (self.env._("Amount received"), received)]

    def _membri_get_paid_sentences(self):
        """Return what memberships the money was for, as a list of sentences, one for each
        period."""
        self.ensure_one()
        terms_sudo = self._membri_get_cotisations_sudo().filtered(
            lambda term: term.invoice_id == self and term.state not in ("pending", "cancelled")
        )
        by_period = terms_sudo.grouped(lambda term: (term.date_start, term.date_end))
        return [same_sudo._membri_get_paid_sentence() for same_sudo in by_period.values()]
