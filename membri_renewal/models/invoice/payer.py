from odoo import api, fields, models
from odoo.fields import Domain

from ..cotisation.cotisation import LIVING_STATES
from ..res_partner import READERS

ACTIVITY_PAYER = "membri_renewal.activity_other_payer"
ACTIVITY_CONTACT = "membri_renewal.activity_payer_of_contact"


class AccountMove(models.Model):
    """Another payer takes over after the approval: the accountant writes another customer on the
    invoice, or the contacts of the member change. The officer is told; what the new payer has not
    been sent yet stands in the queue for that."""

    _inherit = "account.move"

    membri_former_payer_id = fields.Many2one(
        "res.partner",
        string="Former Payer",
        copy=False,
        readonly=True,
        index="btree_not_null",
        help="Contact who was sent this invoice before it was addressed to somebody else.",
    )

    def _membri_after_new_payer(self, formers):
        """Somebody else pays: it was not sent to them yet, and the links that the first one got,
        to it and to the renewal, open nothing any more.

        :param formers: ``{move: res.partner}`` to whom each was addressed until now"""
        # sudo: what follows from the change is the system's
        sent_sudo = self.sudo().filtered(lambda move: move._membri_was_brought_to(formers[move]))
        self.sudo().write(
            {
                "access_token": False,  # nosec B105: no secret
                "is_move_sent": False,
                "membri_date_sent": False,
                "membri_version_sent": False,
                "membri_delivery_state": False,
                "membri_delivery_note": False,
                "membri_delivery_email": False,
            }
        )
        self._membri_ensure_tokens()
        renewals = self._membri_get_renewals()
        # the page of the renewal leads on to the document: whoever was sent either has neither
        # sudo: keys are the system's
        for renewal_sudo in renewals.sudo().filtered("access_token"):
            renewal_sudo._renew_key()
        renewals._internal_write({"delivery_state": False, "delivery_note": False})
        # the letter was mailed to the former one
        renewals.filtered(lambda r: r.letter_state == "printed")._internal_write(
            {"letter_state": False}
        )
        # what was announced to the former one is not taken from their card
        self._membri_get_charged_renewals()._do_stop_charge()
        # sudo: the question is the officer's
        for move_sudo in self.sudo():
            had_it, payer = move_sudo.membri_former_payer_id, move_sudo.partner_id
            if not had_it and move_sudo in sent_sudo:
                had_it = formers[move_sudo]
            move_sudo.membri_former_payer_id = had_it - payer
            untold_sudo = move_sudo._membri_get_untold_payers()  # before the question is over
            move_sudo.activity_unlink([ACTIVITY_PAYER, ACTIVITY_CONTACT])
            was_brought = formers[move_sudo] if move_sudo in sent_sudo else None
            move_sudo._membri_release(was_brought, untold_sudo)
            if payer and move_sudo._membri_is_awaited():
                told_sudo = move_sudo._membri_as_staff()
                told_sudo._membri_let_send_to_new_payer()
                if had_it != payer:
                    told_sudo._membri_tell_new_payer(formers[move_sudo])

    def _membri_was_brought_to(self, payer):
        """:param payer: to whom it was addressed until now
        :return: whether they have this document, or the one that it replaces, by email or by
            post"""
        self.ensure_one()
        return self._membri_was_brought() or bool(self._membri_get_replaced_of(payer))

    def _membri_was_brought(self):
        """:return: whether this document itself has left, by email or by post"""
        self.ensure_one()
        return bool(self.membri_date_sent) or any(
            renewal.letter_state == "printed" for renewal in self._membri_get_renewals()
        )

    def _membri_get_replaced_of(self, payer):
        """:return: the invoices that this one replaces, and that this payer was sent (in sudo)"""
        self.ensure_one()
        # sudo: what follows from the change is the system's
        lines_sudo = self.env["account.move.line"].sudo()
        return lines_sudo.search(
            Domain("membri_cotisation_id", "in", self.sudo().membri_cotisation_ids.ids)
            & Domain("move_id", "!=", self.id)
            & Domain("move_id.move_type", "=", "out_invoice")
            & Domain("move_id.membri_date_sent", "!=", False)
            & Domain("move_id.partner_id", "=", payer.id)
        ).move_id.sorted("id")

    def _membri_get_named_label(self):
        """Return the label of this document; of a draft that has no number yet, as Odoo calls
        it."""
        self.ensure_one()
        is_named = self.name or self.membri_fee_notice_state == "open"
        return self._membri_get_document_label() if is_named else self.display_name

    def _membri_let_send_to_new_payer(self):
        """Whoever works off *Failed Emails* sends it; the reminders that were due by now were about
        what the former payer had received."""
        self.ensure_one()
        names = {
            "document": self._membri_get_named_label(),
            "payer": self.partner_id._membri_get_names(),
        }
        if self._membri_is_payable():
            note = self.env._(
                "%(document)s is now addressed to %(payer)s, and has not been sent to them. "
                "Send it.",
                **names,
            )
        else:
            note = self.env._(
                "%(document)s is now addressed to %(payer)s. Confirm it, then send it.", **names
            )
        self._membri_mark_failed(note)
        renewals = self._membri_get_renewals()
        reason = self.env._(
            "Invoiced to %(payer)s since.", payer=self.partner_id._membri_get_names()
        )
        renewals.filtered(
            lambda r: r.letter_state == "to_print" and r.letter_content == "reminder"
        )._withdraw_letters(reason)
        renewals._skip_overtaken_steps(reason)
        renewals._update_next_reminder()

    def _membri_tell_new_payer(self, before):
        """:param before: to whom this document was addressed until now"""
        self.ensure_one()
        had_it = self.membri_former_payer_id
        terms = self.membri_cotisation_ids.filtered(lambda term: term.state in LIVING_STATES)
        names = {
            "document": self._membri_get_named_label(),
            "members": terms.partner_id._membri_get_names(),
            "former": (had_it or before)._membri_get_names(),
            "payer": self.partner_id._membri_get_names(),
        }
        sentences = [
            self.env._(
                "%(document)s (%(members)s) was addressed to %(former)s and is now addressed to "
                "%(payer)s.",
                **names,
            )
        ]
        if had_it:
            # of several payers, the last one is told now
            names["former"] = (self.membri_released_id or had_it)._membri_get_names()
            is_by_hand = self.membri_released_state == "by_hand"
            if is_by_hand or self._membri_get_released_by_hand_reason():
                sentence = self.env._(
                    "%(former)s had received it: tell them that they no longer have to pay it.",
                    **names,
                )
            else:
                sentence = self.env._(
                    "%(former)s had received it: an email tells them that they no longer have to "
                    "pay it.",
                    **names,
                )
            sentences.append(sentence)
        follows_contacts = all(term._get_payer() == self.partner_id for term in terms)
        if follows_contacts and not had_it:
            return  # nobody knew of anything else
        if not follows_contacts:
            sentences.append(
                self.env._(
                    "The next invoices still follow the contact: if %(payer)s is to pay them, "
                    "change its invoice address as well.",
                    **names,
                )
            )
        self._membri_ask_officer(" ".join(sentences), ACTIVITY_PAYER)

    def _membri_ask_about_payer(self, term_sudo, payer):
        """Ask the officer, in sudo: invoices of a member go to somebody else from now on.

        :param term_sudo: the term of the member on this open document
        :param payer: who pays for the member now"""
        self.ensure_one()
        told = self._membri_as_staff()
        told._membri_ask_officer(
            told.env._(
                "Invoices for %(member)s now go to %(payer)s. %(document)s is not paid and "
                "stays addressed to %(former)s, who gets the reminders. To have %(payer)s "
                "pay it, reset the renewal and approve it again, or change the customer on "
                "the invoice.",
                member=term_sudo.partner_id._membri_get_names(),
                payer=payer._membri_get_names(),
                document=told._membri_get_named_label(),
                former=told.partner_id._membri_get_names(),
            ),
            ACTIVITY_CONTACT,
        )

    @api.model
    def _membri_follow_payers_of_open(self, payers):
        """The contacts have changed: an open invoice stays addressed to whom it was sent, and the
        officer is asked whether it should.

        :param payers: as ``_membri_get_payers_of_open`` of the contacts found them before"""
        by_invoice = {}
        for term_sudo, former in payers.items():
            # sudo: who pays for whom is no question of what the user may read
            payer_sudo = term_sudo._get_payer().sudo()
            if payer_sudo != former and payer_sudo.active:
                move_sudo = term_sudo.invoice_id
                by_invoice[move_sudo] = by_invoice.get(move_sudo, term_sudo.browse()) | term_sudo
        for move_sudo, terms_sudo in by_invoice.items():
            over = [ACTIVITY_CONTACT]
            if not move_sudo.membri_former_payer_id:
                over.append(ACTIVITY_PAYER)  # nobody has to be told
            asked_sudo = move_sudo.activity_search(over)
            if asked_sudo:  # about the other members on it as well
                terms_sudo |= move_sudo.membri_cotisation_ids.filtered(
                    lambda term: term.state in LIVING_STATES
                )
            asked_sudo.unlink()
            # of an archived one the officer is asked already
            if not move_sudo.partner_id.active or not move_sudo._membri_is_awaited():
                continue
            for term_sudo in terms_sudo:
                # sudo: as above
                payer_sudo = term_sudo._get_payer().sudo()
                # of the former payer, who still pays the next ones, it was told when that changed
                known = move_sudo.partner_id | move_sudo.membri_former_payer_id
                if payer_sudo not in known and payer_sudo.active:
                    move_sudo._membri_ask_about_payer(term_sudo, payer_sudo)

    @api.model
    def _membri_find_open_of(self, partners):
        """Return ``{move: res.partner}``, in sudo: the open documents that these contacts pay, or
        were to pay before, with their payer."""
        # sudo: what somebody has to pay is a fact, whoever merges contacts
        return {
            move_sudo: move_sudo.partner_id
            for move_sudo in self.sudo().search(
                Domain("membri_invoice_type", "!=", False)
                & Domain("move_type", "=", "out_invoice")
                & Domain("state", "in", ("draft", "posted"))
                & Domain("payment_state", "in", ("not_paid", "partial"))
                & (
                    Domain("partner_id", "in", partners.ids)
                    | Domain("membri_former_payer_id", "in", partners.ids)
                )
            )
        }

    @api.model
    def _membri_follow_merged_payers(self, payers):
        """Contacts were merged: it is the same payer under another name, who has what was sent.

        :param payers: as :meth:`_membri_find_open_of` found them before"""
        for move_sudo, before in payers.items():
            told_sudo = move_sudo._membri_as_staff()
            if move_sudo.partner_id != before:
                told_sudo._message_log(
                    body=told_sudo.env._(
                        "The payer was merged with another contact: %(payer)s pays now.",
                        payer=move_sudo.partner_id._membri_get_names(),
                    )
                )
            if move_sudo.membri_former_payer_id == move_sudo.partner_id:
                move_sudo.membri_former_payer_id = False
                move_sudo.activity_unlink([ACTIVITY_PAYER, ACTIVITY_CONTACT])


class ResPartner(models.Model):
    _inherit = "res.partner"

    membri_former_invoice_ids = fields.One2many(
        "account.move",
        "membri_former_payer_id",
        string="Invoices Now Paid by Others",
        readonly=True,
        groups=READERS,
    )

    def _membri_with_addressed(self):
        """:return: these payers, and whom those of them that are addresses are addresses of"""
        return self | self.filtered(lambda payer: payer.type != "contact").parent_id
