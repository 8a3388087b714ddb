from odoo import api, fields, models
from odoo.fields import Domain

from ..mixins.state import run_isolated

# each prints a PDF of its own, and Odoo stops a worker after two minutes: of 50, all was lost
BATCH = 10
DAYS_BACK = 31
RECEIPT = "membri_renewal.report_membership_receipt"
PART = "part"  # kind of the emails about a part
CONFIRMATIONS = ("receipt", PART)  # kinds of the emails to who has paid


class AccountMove(models.Model):
    """The email to who has paid: a confirmation, with the receipt; of a part, with what is left."""

    _inherit = "account.move"

    membri_receipt_to_send = fields.Boolean(string="Receipt to Send", readonly=True, copy=False)
    membri_date_receipt_sent = fields.Datetime(string="Receipt Sent On", readonly=True, copy=False)

    membri_part_to_confirm = fields.Boolean(
        string="Part Payment to Confirm", readonly=True, copy=False
    )
    membri_amount_confirmed = fields.Monetary(
        string="Amount Confirmed",
        readonly=True,
        copy=False,
        help="Part of the money received that the payer has been told about.",
    )

    # the sending queue: receipts that wait, mostly none
    _membri_receipt_queue = models.Index("(id) WHERE membri_receipt_to_send IS TRUE")
    _membri_part_queue = models.Index("(id) WHERE membri_part_to_confirm IS TRUE")

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
        self._membri_follow_parts()

    def _membri_follow_parts(self):
        """Confirm the money for a part to who has paid it, once; again when it went away and came
        back."""
        # sudo: facts follow the money, whoever books it
        for move_sudo in self.sudo().filtered("membri_amount_confirmed"):
            left = max(0.0, move_sudo._membri_get_received())
            if move_sudo.currency_id.compare_amounts(left, move_sudo.membri_amount_confirmed) < 0:
                move_sudo.membri_amount_confirmed = left
        to_confirm = self.filtered(lambda move: move._membri_is_part_to_confirm())
        if to_confirm:
            to_confirm.sudo().membri_part_to_confirm = True
            self.env.ref("membri_renewal.ir_cron_send_receipts")._trigger()

    def _membri_is_part_to_confirm(self):
        """Return whether the payer has to be told that money came for a part of this invoice: not
        when it came long ago. What is dated ahead waits for its day."""
        self.ensure_one()
        # sudo: settings are the staff's
        if (
            self.membri_part_to_confirm
            or self._membri_get_part_obstacle()
            or not self.company_id.sudo().membri_payment_confirmation
        ):
            return False
        money = [
            entry
            for entry in self._membri_get_settlements()
            if entry["kind"] in ("money", "given_back")
        ]
        came = sum(entry["amount"] for entry in money)
        if self.currency_id.compare_amounts(came, self.membri_amount_confirmed) <= 0:
            return False
        last = max(entry["date"] for entry in money)
        return (self.company_id._membri_today() - last).days <= DAYS_BACK

    def _membri_get_part_obstacle(self):
        """:return: why nobody is told of a part that came (a sentence), or ``False``"""
        self.ensure_one()
        names = {"document": self._membri_get_document_label()}
        if (
            not self.membri_invoice_type
            or self.move_type != "out_invoice"
            or self.state != "posted"
            or self._membri_is_void()
        ):
            return self.env._("%(document)s is no longer valid.", **names)
        if self.payment_state == "paid" or self._membri_is_settled():  # the receipt tells
            return self.env._("%(document)s is paid.", **names)
        if self.payment_state == "not_paid" or (
            self.currency_id.compare_amounts(self._membri_get_received(), 0.0) <= 0
        ):
            return self.env._("The payment of %(document)s was refunded.", **names)
        if self._membri_is_in_doubt():
            return self._membri_get_doubt_sentence()
        return False

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
            or not self._membri_is_to_thank_for()
        ):
            return False
        last = max(entry["date"] for entry in self._membri_get_settlements())
        return (self.company_id._membri_today() - last).days <= DAYS_BACK

    def _membri_is_to_thank_for(self):
        """Return whether it is known what the money did: it paid the memberships, or the rest
        was written off and the officer has ended them."""
        self.ensure_one()
        return self._membri_is_paid() or self.membri_write_off_state == "ended"

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
        self.env["ir.cron"]._membri_work_off(
            self,
            Domain("membri_part_to_confirm", "=", True),
            type(self)._membri_send_parts,
            limit=BATCH,
        )

    def _membri_send_receipts(self):
        """Email the receipts of ``self``. What is no longer paid is dropped; money that is dated
        ahead is certified, and its receipt numbered, on its day."""
        ahead = self.filtered(lambda m: m._membri_is_to_thank_for() and m._membri_is_dated_ahead())
        due = self - ahead
        due.membri_receipt_to_send = False
        due._membri_ensure_receipts()
        for move in due.filtered(lambda m: m._membri_has_receipt() and m._membri_is_to_thank_for()):
            move._membri_send_confirmation(
                "receipt", move._membri_as_staff()._membri_get_no_receipt_email_reason()
            )
        self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    def _membri_send_parts(self):
        """Email who has paid a part what came, and what is left. What is paid by now has a receipt,
        and what went away again is not confirmed."""
        due = self.filtered(
            lambda m: m._membri_get_part_obstacle() or not m._membri_is_dated_ahead()
        )
        due.membri_part_to_confirm = False
        for move in due.filtered(lambda m: m._membri_is_part_to_confirm()):
            move._membri_send_confirmation(
                PART, move._membri_as_staff()._membri_get_no_part_email_reason()
            )
        self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    def _membri_send_confirmation(self, kind, reason):
        """:param kind: of the email, one of ``CONFIRMATIONS``
        :param reason: why the payer gets none by email (a sentence), or ``False``"""
        self.ensure_one()
        told = self._membri_as_staff()  # not in the language of the scheduler
        if reason:
            told._message_log(body=reason)
            return
        Move = type(self)
        send = Move._membri_email_part if kind == PART else Move._membri_email_receipt
        for error in run_isolated(self, send).values():
            names = {"error": told.env["membri.renewal"]._get_error_sentence(error)}
            if kind == PART:
                sentence = told.env._(
                    "The confirmation of a part payment was not sent: %(error)s", **names
                )
            else:
                sentence = told.env._("The receipt was not sent: %(error)s", **names)
            told._message_log(body=sentence)
            told._membri_schedule_delivery(sentence)

    def _membri_get_no_receipt_email_reason(self):
        """:return: why the payer gets no confirmation by email (a sentence), or ``False``"""
        self.ensure_one()
        if self._membri_get_unreachable_reason():
            # sudo: a name only
            return self.env._(
                "The receipt was not emailed because %(payer)s has no valid email "
                "address. Print it if needed.",
                payer=self.partner_id.sudo()._membri_get_names(),
            )
        return False

    def _membri_get_no_part_email_reason(self):
        """:return: why the payer is not told of a part by email (a sentence), or ``False``"""
        self.ensure_one()
        if self._membri_get_unreachable_reason():
            # sudo: a name only
            return self.env._(
                "The confirmation of a part payment was not emailed because %(payer)s has no valid "
                "email address.",
                payer=self.partner_id.sudo()._membri_get_names(),
            )
        return False

    def _membri_email_part(self):
        """:return: the email, in Odoo's queue: looked at once more when it leaves"""
        self.ensure_one()
        template = self.env.ref("membri_renewal.mail_template_part_received")
        messages = template._membri_post(self, PART, type(self)._membri_get_mail_recipient_vals)
        self.write(
            {
                "membri_amount_confirmed": self._membri_get_received(),
                "membri_delivery_email": self._membri_get_delivery_email(),
            }
        )
        return messages[self].sudo().mail_ids  # sudo: the queue of emails is the administrator's

    def _membri_get_part_rows(self):
        """:return: ``(label, value)`` pairs of the email about a part: what came, what is left"""
        self.ensure_one()
        rows = [(self.env._("Invoice"), self.name or ""), *self._membri_get_money_rows()]
        if self._membri_is_orphan():  # the staff decide what becomes of it
            return rows
        left = self.currency_id.format(self._membri_get_amount_due())
        return [*rows, (self.env._("Amount due"), left)]

    def _membri_get_part_sentences(self):
        """:return: what is to be paid next, and when, as a list of sentences"""
        self.ensure_one()
        if self._membri_is_all_under_way():
            return list(filter(None, [self._membri_get_next_sentence()]))
        if self._membri_is_orphan():
            return self._membri_get_orphan_sentences()[-1:]  # what came stands above
        more = [self._membri_get_rest_sentence(), self._membri_get_next_sentence()]
        return [*self._membri_get_next_parts_sentences(), *filter(None, more)]

    def _membri_email_receipt(self):
        """:return: the email, in Odoo's queue: looked at once more when it leaves"""
        self.ensure_one()
        template = self.env.ref("membri_renewal.mail_template_receipt")
        document = self._membri_attach_receipt()

        def get_values(move):
            return {**move._membri_get_mail_recipient_vals(), "attachments": [document]}

        messages = template._membri_post(self, "receipt", get_values)
        self.write(
            {
                "membri_date_receipt_sent": fields.Datetime.now(),
                "membri_amount_confirmed": self._membri_get_received(),
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
        return [
            (self.env._("Receipt"), self.membri_receipt_name or ""),
            (self.env._("Invoice"), self.name or ""),
            *self._membri_get_money_rows(),
        ]

    def _membri_get_money_rows(self):
        """:return: ``(label, value)`` pairs of the money that came, one by one and in all"""
        self.ensure_one()
        rows = []
        for line in self._membri_get_receipt_lines():
            label = self.env._(
                "%(date)s, %(method)s",
                date=self._membri_format_day(line["date"]),
                method=line["label"],
            )
            rows.append((label, self.currency_id.format(line["amount"])))
        received = self.currency_id.format(self._membri_get_received())
        rows.append((self.env._("Amount received"), received))
        surplus = self._membri_get_surplus()
        if self.currency_id.compare_amounts(surplus, 0.0) > 0:
            rows.append((self.env._("Credit not used yet"), self.currency_id.format(surplus)))
        return rows

    def _membri_get_surplus(self):
        """Return what is left of the payments of this invoice: its payer has paid more than it
        asked for, and nothing uses the rest yet."""
        self.ensure_one()
        move_sudo = self.sudo()  # payments are the accountants'
        entries_sudo = move_sudo.browse().union(
            *(
                entry["move"].sudo()
                for entry in self._membri_get_settlements()
                if entry["kind"] == "money"
            )
        )
        left_sudo = entries_sudo.line_ids.filtered(
            lambda line: (
                line.account_type == "asset_receivable"
                and line.parent_state == "posted"
                and line.amount_residual < 0.0
                and line.currency_id == move_sudo.currency_id
                and line.partner_id.commercial_partner_id == move_sudo.commercial_partner_id
            )
        )
        return -sum(left_sudo.mapped("amount_residual_currency"))

    def _membri_get_paid_sentences(self):
        """Return what memberships the money was for, as a list of sentences, one for each
        period."""
        self.ensure_one()
        terms_sudo = self._membri_get_cotisations_sudo().filtered(
            lambda term: term.invoice_id == self and term.state not in ("pending", "cancelled")
        )
        by_period = terms_sudo.grouped(lambda term: (term.date_start, term.date_end))
        return [same_sudo._membri_get_paid_sentence() for same_sudo in by_period.values()]
