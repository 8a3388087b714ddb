from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import email_normalize

from ..mixins.formats import end_once
from ..renewal.archived import ACTIVITY as ACTIVITY_ARCHIVED
from ..renewal.renewal import DELIVERY_STATES
from ..res_partner_recipient import find_reachable
from .agreement import ACTIVITY_AGREEMENT
from .payer import ACTIVITY_CONTACT, ACTIVITY_PAYER
from .released import KIND as RELEASED
from .undone import ACTIVITY_UNDONE

ACTIVITY = "membri_renewal.activity_undelivered"


class AccountMove(models.Model):
    """What becomes of a membership invoice, or a fee notice: on its way, gone, printed, come back,
    or in front of a person. The renewals that it serves say the same; one without a renewal (an
    enrolment) is an activity of the officer."""

    _inherit = "account.move"

    membri_delivery_state = fields.Selection(
        DELIVERY_STATES,
        string="Email Status",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Status of the last email for this document.",
    )
    membri_delivery_note = fields.Char(
        string="Email Error",
        readonly=True,
        copy=False,
        help="Why the last email was not sent.",
    )
    membri_date_unreachable = fields.Datetime(
        string="No Valid Address Since",
        readonly=True,
        copy=False,
        help="Date since which no address of the payer works.",
    )
    membri_delivery_email = fields.Char(
        string="Sent To",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Address to which the last email was sent.",
    )

    # ------------------------------------------------------------------
    # The address: the payer's invoice address, as in Odoo's own sending
    # ------------------------------------------------------------------

    def _membri_get_candidates(self):
        """Yield the contacts (in sudo) that may receive this document, the first choice first: the
        payer, then who receives for the payer."""
        self.ensure_one()
        # sudo: payers may be beyond the rules of who works here
        payer_sudo = self.partner_id.sudo().with_company(self.company_id)
        yield payer_sudo
        if payer_sudo.active:  # of an archived one nothing goes to anybody else either
            yield from payer_sudo._membri_get_candidates()

    def _membri_is_still_here(self):
        """:return: whether it is in a queue, and no email of it, or with it, has left yet"""
        self.ensure_one()
        Mail = self.env["mail.mail"]
        carried = Domain("membri_facts", "=like", f"approved {self.id} %")
        return (
            self.membri_delivery_state == "queued"
            and Mail._membri_is_still_here(self)
            and all(
                Mail._membri_is_still_here(renewal, carried)
                for renewal in self._membri_get_renewals()
            )
        )

    def _membri_find_receiver(self):
        """:return: the first candidate whose address works (in sudo), or ``None``"""
        return find_reachable(self._membri_get_candidates())

    def _membri_get_receiver(self):
        """Return the contact (in sudo) that this document goes to; when no address works, the
        payer."""
        # sudo: payers may be beyond the rules of who works here
        return self._membri_find_receiver() or self.partner_id.sudo()

    def _membri_get_receiver_address(self):
        """Return an address that this document goes to instead of a contact's own, or
        ``False``: the payer's address for renewals, where the payer has no other."""
        self.ensure_one()
        # sudo: payers may be beyond the rules of who works here
        payer_sudo = self.partner_id.sudo().with_company(self.company_id)
        if not payer_sudo._membri_get_address_problem():
            return False
        usable = payer_sudo._membri_get_renewal_email_problem() is False
        return usable and payer_sudo.membri_renewal_email

    def _membri_get_mail_recipient_vals(self):
        """Return what ``message_post`` gets of whom an email about this document goes to: where
        the document goes, in the language of its payer."""
        self.ensure_one()
        address = self._membri_get_receiver_address()
        return {
            "partner_ids": [] if address else self._membri_get_receiver().ids,
            "outgoing_email_to": address,
            "force_email_lang": self._membri_get_payer_lang(),
        }

    def _membri_get_delivery_email(self):
        """:return: the normalized address that this document goes to now, or ``False``"""
        address = self._membri_get_receiver_address() or self._membri_get_receiver().email
        return email_normalize(address, strict=False)

    def _membri_get_unreachable_reason(self):
        """:return: why no email reaches the payer and what to do (a sentence), or ``False``"""
        self.ensure_one()
        if self._membri_find_receiver() or self._membri_get_receiver_address():
            return False
        # sudo: payers may be beyond the rules of who works here
        payer_sudo = self.partner_id.sudo()
        names = {
            "notice": self._membri_get_document_label(),
            "payer": payer_sudo._membri_get_names(),
        }
        if not payer_sudo.active:
            return self.env._(
                "%(notice)s was not emailed because the contact %(payer)s is archived. "
                "Unarchive the contact and resend it, or print it and mail it.",
                **names,
            )
        if not payer_sudo.email_normalized:
            return self.env._(
                "%(notice)s was not emailed because %(payer)s has no email address. Add "
                "one and resend it, or print it and mail it.",
                **names,
            )
        return self.env._(
            "%(notice)s was not emailed because emails to %(payer)s bounce or are not "
            "wanted. Print it and mail it.",
            **names,
        )

    def _membri_is_on_paper(self):
        """:return: whether a letter goes to this payer, beside an email where one works"""
        self.ensure_one()
        # sudo: payers may be beyond the rules of who works here
        payer_sudo = self.partner_id.sudo()
        contacts_sudo = payer_sudo
        if payer_sudo.parent_id:  # the invoice address of a member
            contacts_sudo |= payer_sudo.parent_id & self.sudo().membri_cotisation_ids.partner_id
        wanted = contacts_sudo.with_company(self.company_id).mapped("membri_notice_on_paper")
        return any(wanted) or self._membri_is_sent_by_hand()

    def _membri_is_sent_by_hand(self):
        """:return: whether Odoo's own setting of the payer says that no email is wanted"""
        return self.env["account.move.send"]._get_default_sending_methods(self) == {"manual"}

    def _membri_as_staff(self):
        """:return: this document in the language of whoever reads what becomes of it"""
        self.ensure_one()
        lang = self.company_id._membri_get_staff_lang()
        return self.with_context(lang=lang or self.env.lang)

    # ------------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------------

    def _membri_deliver(self, is_reminder=False):
        """Bring these documents to their payers: by email through Odoo's own sending queue (fee
        notices through theirs), as a letter to who gets paper, and in front of a person where
        neither is possible.

        :param is_reminder: the email reminds of what is left to pay
        """
        # sudo: the email is a consequence of what was decided
        moves_sudo = self.sudo()
        unreachable = moves_sudo.filtered(lambda move: move._membri_get_unreachable_reason())
        unreachable._membri_mark_unreachable()
        by_hand = (moves_sudo - unreachable).filtered(lambda move: move._membri_is_sent_by_hand())
        by_hand._membri_mark_by_post()
        emailed = moves_sudo - unreachable - by_hand
        notices = emailed.filtered(lambda move: move.membri_fee_notice_state == "open")
        vals = {"membri_delivery_state": "queued", "membri_delivery_note": False}
        if notices:
            notices.write({"membri_fee_notice_to_send": True, **vals})
            self.env.ref("membri_renewal.ir_cron_send_fee_notices")._trigger()
        if invoices := emailed - notices:
            author = self.env.user
            sending = {"author_user_id": author.id, "author_partner_id": author.partner_id.id}
            if is_reminder:
                sending["membri_reminder"] = True
            invoices.write({"sending_data": sending, **vals})
            self.env.ref("account.ir_cron_account_move_send")._trigger()
        renewals = emailed._membri_get_renewals()
        renewals._mark_queued()
        renewals.filtered(lambda r: r._is_on_paper())._queue_letters(is_reminder)
        for move in emailed:
            if not move._membri_get_renewals() and move._membri_is_on_paper():
                move._membri_ask_for_letter()

    def _membri_make_documents(self):
        """Make the PDF of posted invoices that have none yet, as Odoo's own sending does, without
        sending them: the invoice, never a “proforma”.

        :return: ``{move: ir.attachment}`` of fee notices, which are no invoices yet"""
        Send = self.env["account.move.send"]
        for company, moves in (
            self.filtered(lambda move: move.state == "posted" and not move.invoice_pdf_report_id)
            .grouped("company_id")
            .items()
        ):
            marked = {move: move.is_move_sent for move in moves}
            data = {
                move: Send._get_default_sending_settings(move, sending_methods=[]) for move in moves
            }
            Send.with_company(company)._generate_invoice_documents(data)
            for move_data in data.values():
                if error := move_data.get("error"):
                    raise UserError(Send._format_error_text(error))
            for move, is_sent in marked.items():
                move.is_move_sent = is_sent  # made is not sent
        notices = self.filtered(lambda move: move.membri_fee_notice_state == "open")
        return notices._membri_attach_fee_notices() if notices else {}

    def _membri_is_reminder_queued(self):
        """:return: whether what waits in Odoo's sending queue reminds of what is left to pay"""
        self.ensure_one()
        # sudo: Odoo's sending queue is the administrator's
        return bool((self.sudo().sending_data or {}).get("membri_reminder"))

    def _membri_drop_queued(self):
        """What waits in Odoo's sending queue is looked at when it leaves.

        :return: the documents that must not leave now; why is recorded"""
        dropped = self.browse()
        for move_sudo in self.sudo().filtered("membri_invoice_type"):  # what is recorded is ours
            is_reminder = move_sudo._membri_is_reminder_queued()
            kind = "reminder" if is_reminder else "invoice"
            move_sudo = move_sudo._membri_as_staff()  # not in the language of the scheduler
            reason = move_sudo._membri_get_mail_obstacle(kind)
            if reason:
                move_sudo._membri_record_dropped(reason)
            elif move_sudo._membri_get_unreachable_reason():
                move_sudo._membri_mark_unreachable()
            else:
                move_sudo._membri_get_renewals()._before_leaving()
                continue
            move_sudo._membri_record_reminders("skipped", reason or move_sudo.membri_delivery_note)
            move_sudo.sending_data = False
            dropped |= self.browse(move_sudo.id)
        return dropped

    def _membri_drop_unsent(self):
        """These documents have left Odoo's sending queue without being sent: reset or cancelled
        before. Nobody is told that they are on their way."""
        # sudo: what was said follows, whoever resets the invoice
        for move in self.sudo().filtered(
            lambda move: move.membri_invoice_type and move.membri_delivery_state == "queued"
        ):
            told = move._membri_as_staff()
            if reason := told._membri_get_mail_obstacle("invoice"):
                told._membri_record_dropped(reason)
                told._membri_record_reminders("skipped", reason)

    # ------------------------------------------------------------------
    # Whether it was delivered
    # ------------------------------------------------------------------

    def _membri_get_renewals(self):
        """:return: in sudo, the accepted renewals that these documents are to be paid for"""
        # sudo: accountants need not read renewals
        renewals_sudo = self.sudo().membri_cotisation_ids.renewal_id
        return renewals_sudo.filtered(lambda r: r.state == "approved" and r.invoice_id in self)

    def _membri_mark_unreachable(self):
        for move in self:
            move = move._membri_as_staff()  # not in the language of who accepts
            reason = move._membri_get_unreachable_reason()
            by_post = move._membri_is_on_paper()
            if move.membri_delivery_state != "unreachable":
                move.membri_date_unreachable = fields.Datetime.now()
            move.write(
                {
                    "membri_delivery_state": "letter" if by_post else "unreachable",
                    "membri_delivery_note": reason,
                    "membri_delivery_email": False,
                }
            )
            move._message_log(body=reason)
            renewals = move._membri_get_renewals()
            if renewals:
                renewals._mark_unreachable()
            else:
                move._membri_schedule_delivery(reason)

    def _membri_mark_by_post(self):
        """The payer's sending method says that these are handed over on paper."""
        for move in self:
            move = move._membri_as_staff()
            move.write({"membri_delivery_state": "letter", "membri_delivery_note": False})
            renewals = move._membri_get_renewals()
            renewals._internal_write({"delivery_state": "letter", "delivery_note": False})
            renewals._queue_letters()
            if not renewals:
                move._membri_ask_for_letter()

    def _membri_ask_for_letter(self):
        """The queue of letters is one of renewals: what has none is a task of the officer."""
        self.ensure_one()
        told = self._membri_as_staff()
        self._membri_schedule_delivery(
            told.env._(
                "%(document)s is sent to %(payer)s by mail. Print it and mail it.",
                document=told._membri_get_document_label(),
                payer=self.partner_id._membri_get_names(),
            )
        )

    def _membri_mark_failed(self, sentence):
        """:param sentence: what went wrong and what to do"""
        sentence = end_once(sentence)
        for move in self:
            move = move._membri_as_staff()
            move.write({"membri_delivery_state": "failed", "membri_delivery_note": sentence})
            move._message_log(body=move.env._("Not sent: %(error)s", error=sentence))
            renewals = move._membri_get_renewals().filtered("is_open")
            if renewals:
                renewals._mark_failed(sentence)
            else:
                move._membri_schedule_delivery(sentence)

    def _membri_ask_to_send(self, replaced):
        """The payer has the invoice that this one replaces, or was to get it: somebody sends this
        one, when it is as they want it.

        :param replaced: the invoice that this one replaces"""
        self.ensure_one()
        # sudo: the status of emails is kept by the system, whoever replaces the invoice
        told = self.sudo()._membri_as_staff()
        if not told._membri_is_awaited():
            return
        names = {
            "document": told._membri_get_named_label(),
            "replaced": replaced.sudo()._membri_as_staff()._membri_get_named_label(),
        }
        if told._membri_is_payable():
            note = told.env._(
                "%(document)s replaces %(replaced)s, and has not been sent. Send it.", **names
            )
        else:
            note = told.env._(
                "%(document)s replaces %(replaced)s, and has not been sent. Confirm it, then "
                "send it.",
                **names,
            )
        told._membri_mark_failed(note)

    def _membri_retry_sending(self):
        """Send these documents, whose sending failed, from what holds today."""
        # sudo: the queue of emails is the administrator's
        mails_sudo = self.env["mail.mail"].sudo()
        failed_sudo = mails_sudo.search(
            [
                ("model", "=", self._name),
                ("res_id", "in", self.ids),
                ("membri_kind", "not in", (False, RELEASED)),
                ("state", "=", "exception"),
            ]
        )
        failed_sudo._membri_cancel(self.env._("Resent."))
        reminded = self.browse()
        for mail_sudo in failed_sudo.filtered(lambda mail: mail.membri_kind == "reminder"):
            move = self.browse(mail_sudo.res_id)
            move._membri_get_renewals()._retry_reminder(mail_sudo.mail_message_id)
            reminded |= move
        reminded._membri_deliver(is_reminder=True)
        (self - reminded)._membri_deliver()

    def _membri_schedule_delivery(self, note):
        """Put a document that has no open renewal in front of the officer, once."""
        self.ensure_one()
        note = end_once(note)
        user = self.company_id._membri_get_assignee()
        if user and not self.activity_search([ACTIVITY]):
            self.activity_schedule(ACTIVITY, summary=note, user_id=user.id)

    def _membri_end_delivery(self):
        """These documents are paid or void: nobody has to bring them to their payers, in use or
        not, or to tell a former one, or to ask for money that had gone. What is void and its term
        need not say the same any more."""
        # sudo: the activities are the officer's, payments are others'
        self.sudo().activity_unlink(
            [ACTIVITY, ACTIVITY_ARCHIVED, ACTIVITY_PAYER, ACTIVITY_CONTACT, ACTIVITY_UNDONE]
        )
        void_sudo = self.sudo().filtered(lambda move: move._membri_is_void())
        void_sudo.activity_unlink([ACTIVITY_AGREEMENT])

    def _membri_record_reminders(self, result, reason, message=None):
        """:param message: of the email that failed; default: what never got as far as that"""
        for renewal in self._membri_get_renewals():
            renewal._record_reminder(message or self.env["mail.message"], result, reason)

    def _membri_record_dropped(self, reason):
        """Nothing left, and nobody has to do anything, unless the document is to be paid still."""
        self.ensure_one()
        if self.state == "draft" and self._membri_is_awaited():
            self._membri_mark_failed(reason)
            return
        self.write({"membri_delivery_state": "withdrawn", "membri_delivery_note": reason})
        self._message_log(body=self.env._("Not sent: %(error)s", error=reason))
        self._membri_get_renewals()._internal_write(
            {"delivery_state": "withdrawn", "delivery_note": reason}
        )
