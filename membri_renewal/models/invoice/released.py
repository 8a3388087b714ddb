from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import email_normalize

from ..mixins.state import run_isolated
from ..renewal.renewal import UNDECIDED_STATES
from ..res_partner_recipient import find_reachable
from .payer import ACTIVITY_PAYER

KIND = "released"
TEMPLATE = "membri_renewal.mail_template_former_payer"


class AccountMove(models.Model):
    """Who had received a document that somebody else pays now is told that it is not theirs to pay
    any more: by email, as soon as it can be paid by the other one; in front of the officer where no
    email reaches them, or where they get paper."""

    _inherit = "account.move"

    membri_released_id = fields.Many2one(
        "res.partner",
        string="Payer to Notify",
        copy=False,
        readonly=True,
        index="btree_not_null",
        help="Contact who received this document and no longer has to pay it.",
    )
    membri_released_state = fields.Selection(
        [
            ("waiting", "When It Is Confirmed"),
            ("undecided", "When the Renewal Is Decided"),
            ("queued", "Queued"),
            ("told", "Notified by Email"),
            ("by_hand", "To Notify"),
        ],
        string="Former Payer Notified",
        copy=False,
        readonly=True,
        help="Whether the former payer was notified that there is nothing left to pay.",
    )
    membri_untold_ids = fields.Many2many(
        "res.partner",
        "membri_untold_payer_rel",
        "move_id",
        "partner_id",
        string="Earlier Payers to Notify",
        copy=False,
        readonly=True,
        help="Contacts who received this document earlier and have not been notified by email "
        "that there is nothing left to pay.",
    )

    def _membri_release(self, had_it, untold):
        """Another payer stands on this document (in sudo).

        :param had_it: who had received it until now, if anybody
        :param untold: as ``_membri_get_untold_payers`` found them before"""
        self.ensure_one()
        if had_it and had_it != self.partner_id:
            self.write({"membri_released_id": had_it.id, "membri_released_state": "waiting"})
        elif self.membri_released_id and self.membri_released_id == self.partner_id:
            self.write({"membri_released_id": False, "membri_released_state": False})
        self._membri_tell_released()
        if had_it or self.membri_released_state in ("waiting", "queued"):
            untold -= self.membri_released_id  # is told now
        self._membri_let_tell_untold(untold - self.partner_id)

    def _membri_get_untold_payers(self):
        """Find whom nobody has told yet, before the email that waits gives way to a newer one.

        :return: former payers (in sudo) whose email has not left, or whom the officer was asked to
            tell and has not"""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: payers may be beyond the rules of who works here
        asked = bool(move_sudo.activity_search([ACTIVITY_PAYER]))
        untold_sudo = move_sudo.membri_untold_ids if asked else move_sudo.partner_id.browse()
        state = move_sudo.membri_released_state
        if state in ("waiting", "queued") or (state == "by_hand" and asked):
            untold_sudo |= move_sudo.membri_released_id
        return untold_sudo

    def _membri_let_tell_untold(self, untold):
        """:param untold: former payers whom no email tells any more"""
        self.ensure_one()
        self.membri_untold_ids = untold
        told = self._membri_as_staff()
        for former in untold:
            reason = told.env._(
                "%(former)s, an earlier payer, has not been notified by email.",
                former=former._membri_get_names(),
            )
            told._membri_ask_to_tell(reason)

    def _membri_tell_released(self):
        """Tell the former payers of what is addressed to the others for good; of a draft, nobody
        knows yet."""
        # sudo: the email is a consequence of what was decided
        waiting_sudo = self.sudo().filtered(
            lambda move: (
                move.membri_released_state == "waiting"
                and (move.state == "posted" or move.membri_fee_notice_state == "open")
            )
        )
        waiting_sudo._membri_tell_each()

    def _membri_claim_again(self):
        """These documents are confirmed again: their payers have something to pay, and wait for no
        decision any more. Cancelled once more, they do (:meth:`_tell_void_payers`)."""
        # sudo: whom to tell is kept by the system, whoever posts
        revived_sudo = self.sudo().filtered(lambda m: m.membri_released_state == "undecided")
        if revived_sudo:
            revived_sudo.write({"membri_released_id": False, "membri_released_state": False})

    def _membri_tell_void_payer(self):
        """The payer of this document has it, and it was cancelled with nothing in its place. (Where
        Odoo forbids cancelling, the credit note tells.)"""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: the email is a consequence of what was decided
        if move_sudo.state != "cancel":
            return
        untold_sudo = move_sudo._membri_get_untold_payers()
        payer = move_sudo.partner_id
        move_sudo.write({"membri_released_id": payer.id, "membri_released_state": "waiting"})
        move_sudo._membri_tell_each()
        move_sudo._membri_let_tell_untold(untold_sudo - payer)

    def _membri_tell_void_payer_later(self):
        """The payer of this document has it, and it was cancelled by a reset: whether another one
        comes in its place is decided later (:meth:`_tell_void_payers` of the renewal)."""
        self.ensure_one()
        move_sudo = self.sudo()  # sudo: the email is a consequence of what was decided
        if move_sudo.state == "cancel":
            move_sudo.write(
                {
                    "membri_released_id": move_sudo.partner_id.id,
                    "membri_released_state": "undecided",
                }
            )

    def _membri_is_left_alone(self):
        """Return whether the payer of this cancelled document gets no other one for the renewals
        on it: all are decided, and none has a later document that is theirs."""
        self.ensure_one()
        renewals_sudo = self._membri_get_invoiced_renewals()
        return not any(renewal.state in UNDECIDED_STATES for renewal in renewals_sudo) and not any(
            move.id > self.id
            and move.partner_id == self.partner_id
            and (move.state != "cancel" or move.membri_date_sent or move.membri_released_id)
            for move in renewals_sudo.invoice_ids
        )

    def _membri_is_of_refused_renewals(self):
        """:return: whether the renewals that this document was for were declined, or never paid"""
        renewals_sudo = self._membri_get_invoiced_renewals()
        return bool(renewals_sudo) and all(renewal.state == "refused" for renewal in renewals_sudo)

    def _membri_get_invoiced_renewals(self):
        """Return in sudo, the renewals that these documents were made for, whatever became of
        them."""
        # sudo: accountants need not read renewals
        return self.sudo().invoice_line_ids.membri_cotisation_id.renewal_id

    def _membri_is_released(self):
        """:return: whether who had this document has nothing to pay on it any more"""
        former = self.membri_released_id
        return bool(former) and (former != self.partner_id or self._membri_is_void())

    def _membri_tell_each(self):
        for move_sudo, error in run_isolated(self, type(self)._membri_do_tell).items():
            told_sudo = move_sudo._membri_as_staff()
            told_sudo._membri_released_failed(
                told_sudo.env["membri.renewal"]._get_error_sentence(error)
            )

    def _membri_do_tell(self):
        for move_sudo in self:
            told_sudo = move_sudo._membri_as_staff()
            if reason := told_sudo._membri_get_released_by_hand_reason():
                told_sudo._membri_let_tell_released(reason)
            if told_sudo._membri_get_released_email():
                told_sudo._membri_email_released()._membri_leave_soon()

    def _membri_get_released_candidates(self):
        """Yield the contacts (in sudo) who may be told, the first choice first"""
        self.ensure_one()
        # sudo: payers may be beyond the rules of who works here
        former_sudo = self.membri_released_id.sudo().with_company(self.company_id)
        if former_sudo.active:
            yield former_sudo
            yield from former_sudo._membri_get_candidates()

    def _membri_get_released_receiver(self):
        """Return the contact (in sudo) whom an email reaches, if there is one"""
        return find_reachable(self._membri_get_released_candidates())

    def _membri_get_released_email(self):
        """:return: the normalized address of the former payer, or ``False``"""
        receiver_sudo = self._membri_get_released_receiver()
        return email_normalize(receiver_sudo.email, strict=False) if receiver_sudo else False

    def _membri_get_released_by_hand_reason(self):
        """:return: why an email alone does not tell the former payer (a sentence), or ``False``"""
        self.ensure_one()
        # sudo: payers may be beyond the rules of who works here
        former_sudo = self.membri_released_id.sudo().with_company(self.company_id)
        if not self._membri_get_released_email():
            return self.env._(
                "No email reaches %(former)s.", former=former_sudo._membri_get_names()
            )
        if former_sudo.membri_notice_on_paper:
            return self.env._("%(former)s gets letters.", former=former_sudo._membri_get_names())
        return False

    def _membri_let_tell_released(self, reason):
        """:param reason: why the officer has to tell the former payer (a sentence)"""
        self.ensure_one()
        self.membri_released_state = "by_hand"
        self._membri_ask_to_tell(reason)

    def _membri_ask_to_tell(self, reason):
        """:param reason: why the officer has to tell a former payer (a sentence with the name)"""
        self._membri_ask_officer(
            self.env._(
                "%(reason)s Tell them that they no longer have to pay %(document)s, which they "
                "had received.",
                reason=reason,
                document=self._membri_get_named_label(),
            ),
            ACTIVITY_PAYER,
        )

    def _membri_email_released(self):
        """:return: the email, in Odoo's queue: looked at once more when it leaves"""
        self.ensure_one()
        receiver_sudo = self._membri_get_released_receiver()
        if self.membri_released_state == "waiting":
            self.membri_released_state = "queued"

        def get_values(move):
            return {
                "partner_ids": receiver_sudo.ids,
                # who pays now does not read what others were told
                "subtype_xmlid": "mail.mt_note",
                "force_email_lang": move._membri_get_released_lang(),
            }

        template = self.env.ref(TEMPLATE)
        messages = template._membri_post(self, KIND, get_values)
        return messages[self].sudo().mail_ids  # sudo: the queue of emails is the administrator's

    def _membri_get_released_number(self):
        """Return the number of what the former payer has: this document, or the one that it
        replaces, if this one was not sent yet."""
        self.ensure_one()
        own = self.name or self.membri_fee_notice_name or ""
        # sudo: the queue of emails is the administrator's
        sent_sudo = self.env["mail.mail"]._membri_get_last_of(
            self, Domain("membri_kind", "!=", KIND) & Domain("state", "=", "sent")
        )
        if own and sent_sudo:
            return own
        return self._membri_get_replaced_of(self.membri_released_id)[-1:].name or own

    def _membri_get_released_lang(self):
        self.ensure_one()
        return self.membri_released_id._membri_get_print_lang(self.company_id)

    # ------------------------------------------------------------------
    # Called by ``invoice/mail_queue.py``, of emails of this kind
    # ------------------------------------------------------------------

    def _membri_get_released_facts(self):
        return f"{self.membri_released_id.id} {self._membri_get_released_email()}"

    def _membri_get_released_obstacle(self):
        """:return: why the former payer is not told (a sentence), or ``False``"""
        if not self._membri_is_released():
            return self.env._(
                "%(document)s is addressed to %(payer)s again.",
                document=self._membri_get_named_label(),
                payer=self.partner_id._membri_get_names(),
            )
        return not self._membri_get_released_email() and self._membri_get_released_by_hand_reason()

    def _membri_released_left(self):
        if self.membri_released_state == "queued":  # else a letter is due as well
            self.membri_released_state = "told"

    def _membri_released_failed(self, sentence):
        """:param sentence: why the email did not reach the former payer"""
        self._message_log(body=self.env._("Not sent: %(error)s", error=sentence))
        if self._membri_is_released():
            self._membri_let_tell_released(
                self.env._(
                    "The email to %(former)s was not delivered.",
                    former=self.membri_released_id._membri_get_names(),
                )
            )

    def _membri_is_released_address(self, address):
        """:return: whether the last email to the former payer went to this address"""
        self.ensure_one()
        mail_sudo = self.env["mail.mail"]._membri_get_last_of(
            self, Domain("membri_kind", "=", KIND) & Domain("state", "=", "sent")
        )
        return bool(mail_sudo) and (mail_sudo.membri_facts or "").endswith(f" {address}")


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    def _tell_void_payers(self):
        """These renewals are decided: payers of documents that were cancelled before (by a reset,
        by the accountant), and who get no other one in their place, are told."""
        # sudo: the email is a consequence of what was decided
        terms_sudo = self.sudo().made_cotisation_ids.filtered(lambda c: c.state == "cancelled")
        if not terms_sudo:
            return
        moves_sudo = terms_sudo.invoice_line_ids.move_id.filtered(
            lambda move: (
                move.move_type == "out_invoice"
                and move.state == "cancel"
                and (
                    move.membri_released_state == "undecided"
                    or (move.membri_date_sent and not move.membri_released_id)
                )
            )
        )
        for move_sudo in moves_sudo:
            if move_sudo._membri_is_left_alone():
                move_sudo._membri_tell_void_payer()
