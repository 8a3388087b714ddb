from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..invoice.undone import ACTIVITY_UNDONE
from ..invoice.unused import ACTIVITY_UNUSED

# one payer's members beyond this many are worked on, and invoiced, in several batches
MOST_OF_A_GROUP = 500
PART_PAID_ACTIVITY = "membri_renewal.activity_part_paid"


class AccountMove(models.Model):
    """Invoices that serve several members: each line is its own cotisation's, and what happens
    to one member leaves the lines of the others alone."""

    _inherit = "account.move"

    membri_renewal_ids = fields.Many2many(
        "membri.renewal",
        string="Renewals",
        compute="_compute_membri_renewal_ids",
        groups="membri_renewal.group_membri_readonly",
        help="Renewals covered by this invoice.",
    )

    @api.depends("membri_renewal_id", "invoice_line_ids.membri_cotisation_id.renewal_id")
    def _compute_membri_renewal_ids(self):
        for move in self:
            move.membri_renewal_ids = (
                move.membri_renewal_id | move.invoice_line_ids.membri_cotisation_id.renewal_id
            )

    def _membri_check_can_replace(self):
        """Raise a ``UserError`` when members were taken off this invoice: they would be credited
        and billed again."""
        # sudo: accountants need not read terms; names are told
        for move_sudo in self.sudo():
            terms = move_sudo.invoice_line_ids.membri_cotisation_id
            if terms and not move_sudo.membri_cotisation_ids:
                raise UserError(
                    self.env._(
                        "%(invoice)s was already replaced by %(living)s. Replace that one instead.",
                        invoice=move_sudo.display_name,
                        living=", ".join(terms.invoice_id.mapped("display_name")),
                    )
                )
            gone = terms.filtered(lambda term: term.state == "cancelled")
            if gone and gone != terms:
                raise UserError(
                    self.env._(
                        "Already credited on %(invoice)s: %(members)s. Resetting would "
                        "invoice them again. Reset the renewals of the other members "
                        "instead and approve them together: the rest is credited, and a "
                        "new invoice is created.",
                        members=gone.partner_id._membri_get_names(),
                        invoice=move_sudo.display_name,
                    )
                )

    def _membri_get_credited_terms(self):
        """Return in sudo, the terms on this shared invoice that were credited in full; none
        when these are all of them, which is for the accountant to know."""
        self.ensure_one()
        terms_sudo = self._membri_get_cotisations_sudo()
        if self.move_type != "out_invoice" or len(terms_sudo) < 2:
            return terms_sudo.browse()
        credited_sudo = terms_sudo.filtered(lambda c: c.invoice_id == self and c._is_credited())
        return credited_sudo if credited_sudo != terms_sudo else terms_sudo.browse()

    def _membri_after_part_money(self):
        """Money came for a part of these invoices, or went away again: the day of the next
        reminder moves, and of an invoice for several the officer has to decide."""
        if not self or self._membri_looks_later("_membri_after_part_money"):
            return
        self._membri_update_reminders()
        part_paid_sudo = self.sudo().filtered(
            lambda move: (
                move._membri_is_open()
                and move.state == "posted"
                and move.payment_state == "partial"
                and not move.currency_id.is_zero(move.amount_residual)
                and move._membri_has_money()
                # an installment that was paid as planned asks nobody anything
                and move._membri_has_broken_part()
            )
        )
        others_sudo = self.sudo() - part_paid_sudo
        others_sudo.activity_unlink([PART_PAID_ACTIVITY])
        others_sudo.filtered(lambda move: not move._membri_is_open()).activity_unlink(
            [ACTIVITY_UNDONE, ACTIVITY_UNUSED]  # what is left of the money, the nightly run asks
        )
        for move in part_paid_sudo.filtered(lambda move: move._membri_is_shared()):
            move._membri_tell_part_money()

    def _membri_tell_part_money(self):
        self.ensure_one()
        self = self._membri_as_staff()
        user = self.company_id._membri_get_assignee()
        names = {
            "payer": self.partner_id._membri_get_names(),
            "document": self._membri_get_document_label(),
            "rest": self.currency_id.format(self.amount_residual),
            "total": self.currency_id.format(self.amount_total),
        }
        sentences = [
            self.env._(
                "%(payer)s paid part of %(document)s: %(rest)s of %(total)s is still due.", **names
            )
        ]
        if set(self.membri_cotisation_ids.option_set_id.mapped("activation")) <= {"paid"}:
            sentences.append(self.env._("No member on it is active until it is paid in full."))
        renewals = self._membri_get_renewals()
        if any(not renewal._get_cannot_reason("take_off") for renewal in renewals):
            sentences.append(
                self.env._(
                    "Wait for the rest, or open the renewal of a member it was not paid for and "
                    "use “Remove from Invoice”."
                )
            )
        else:
            sentences.append(
                self.env._("Wait for the rest, or credit in Invoicing what will not be paid.")
            )
        note = " ".join(sentences)
        if told := self.activity_search([PART_PAID_ACTIVITY]):  # once, with what is left by now
            told.summary = note
        elif user:
            self.activity_schedule(PART_PAID_ACTIVITY, summary=note, user_id=user.id)
        else:
            self._message_log(body=note)

    def _membri_remove_lines(self, cotisations):
        """A draft, so a fee notice that is still open: the rest is asked for anew."""
        self.ensure_one()
        lines = self.invoice_line_ids.filtered(lambda li: li.membri_cotisation_id in cotisations)
        lines.unlink()
        self._message_log(
            body=self.env._(
                "No longer on this document: %(members)s.",
                members=cotisations.partner_id._membri_get_names(),
            )
        )
        if self.currency_id.is_zero(self.amount_total):
            self._post(soft=False)  # what is left is free: nobody is asked to pay it
        elif self.membri_fee_notice_state == "open":
            self._membri_deliver()

    def _membri_credit_lines(self, cotisations):
        """Credit the lines of some members, and settle the credit note with the invoice, so
        that what is left to pay is the others'.

        :return: the posted credit note"""
        self.ensure_one()
        today = max(self.company_id._membri_today(), self.invoice_date)
        renewal = cotisations.renewal_id
        credit_note = self._reverse_moves(
            [
                {
                    "date": today,
                    "invoice_date": today,
                    "ref": self.env._(
                        "Reversal of %(invoice)s for %(members)s",
                        invoice=self.name,
                        members=cotisations.partner_id._membri_get_names(),
                    ),
                    "membri_renewal_id": renewal.id if len(renewal) == 1 else False,
                }
            ]
        )
        credit_note.invoice_line_ids.filtered(
            lambda line: line.membri_cotisation_id not in cotisations
        ).unlink()
        credit_note._post(soft=False)
        (self | credit_note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        credit_note._membri_queue_credit_notes()
        return credit_note


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    invoice_line_ids = fields.One2many(
        "account.move.line",
        "membri_cotisation_id",
        string="Invoice Lines",
        readonly=True,
        groups="account.group_account_readonly,account.group_account_invoice",
    )

    def _get_shared_consequence(self):
        """Return what a reset does to an invoice that serves others too (a sentence), or
        ``False``."""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        if not invoice_sudo._membri_is_shared():
            return False
        names = {
            "document": invoice_sudo._membri_get_document_label(),
            "member": self.partner_id._membri_get_names(),
            "payer": invoice_sudo.partner_id._membri_get_names(),
        }
        if invoice_sudo.state == "draft":
            return self.env._(
                "%(document)s (%(payer)s) covers several members. %(member)s is removed "
                "from it, and the rest is sent again.",
                **names,
            )
        return self.env._(
            "%(document)s (%(payer)s) covers several members. A credit note is created "
            "for %(member)s only; the other members are not affected.",
            **names,
        )


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    can_take_off = fields.Boolean(
        string="Can Be Removed From Invoice",
        compute="_compute_can_take_off",
        groups="base.group_user",
        help="The renewal is on a shared invoice whose amount due covers this member's share.",
    )
    own_invoice_ids = fields.One2many(
        "account.move", "membri_renewal_id", string="Dedicated Invoice", readonly=True
    )
    made_cotisation_ids = fields.One2many(
        "membri.cotisation", "renewal_id", string="Created Term", readonly=True
    )

    @api.depends("own_invoice_ids", "made_cotisation_ids.invoice_line_ids.move_id")
    def _compute_invoice_ids(self):
        for renewal in self:
            renewal.invoice_ids = (
                renewal.own_invoice_ids | renewal.made_cotisation_ids.invoice_line_ids.move_id
            )

    def _search_invoice_ids(self, operator, value):
        return [
            "|",
            ("own_invoice_ids", operator, value),
            ("made_cotisation_ids.invoice_line_ids.move_id", operator, value),
        ]

    def _get_payment_sentence(self):
        """:return: what is to be paid for the renewal to take effect, in the member's words"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        term_sudo = self.new_cotisation_id.sudo()  # sudo: members read no terms
        is_past = invoice_sudo._membri_is_for_past()
        document = invoice_sudo._membri_get_document_label()
        if self._is_invoice_of_others_too():
            names = {
                "document": document,
                "payer": invoice_sudo.partner_id._membri_get_names(),
                "amount": self._format_amount(term_sudo.amount_total),
            }
            if is_past:
                return self.env._(
                    "This period is over. %(document)s is addressed to %(payer)s; your share is "
                    "%(amount)s.",
                    **names,
                )
            if term_sudo.state != "pending":
                return self.env._(
                    "It is in effect. %(document)s is addressed to %(payer)s; your share is "
                    "%(amount)s.",
                    **names,
                )
            return self.env._(
                "It takes effect once it is paid. %(document)s is addressed to %(payer)s; your "
                "share is %(amount)s.",
                **names,
            )
        left = invoice_sudo._membri_get_amount_due()
        if is_past:
            return self.env._(
                "This period is over. Your payment settles what is due for it: %(amount)s "
                "(%(document)s).",
                amount=self._format_amount(left),
                document=document,
            )
        day, amount = invoice_sudo._membri_get_next_parts()[0]  # of late parts, the earliest
        names = {
            "document": document,
            "amount": self._format_amount(amount),
            "date": invoice_sudo._membri_format_due_day(day),
        }
        if term_sudo.state != "pending":  # active before all of it is paid
            return self.env._(
                "It is in effect. Next payment: %(amount)s by %(date)s (%(document)s).", **names
            )
        if term_sudo._waits_for_first_part():
            return self.env._(
                "It takes effect once we receive the first part: %(amount)s by %(date)s, of "
                "%(left)s in all (%(document)s).",
                left=self._format_amount(left),
                **names,
            )
        if invoice_sudo.currency_id.compare_amounts(amount, left) < 0:
            return self.env._(
                "It takes effect once we receive your payment: %(left)s in all, of which "
                "%(amount)s by %(date)s (%(document)s).",
                left=self._format_amount(left),
                **names,
            )
        return self.env._(
            "It takes effect once we receive your payment: %(amount)s by %(date)s (%(document)s).",
            **names,
        )

    # ------------------------------------------------------------------
    # Before approving
    # ------------------------------------------------------------------

    @api.model
    def _get_shared_proposals(self, domain):
        """:param domain: renewals that are about to be approved together
        :return: list of recordsets, each of which gets one invoice for several members"""
        # sudo: who pays for whom is no question of rights
        Partner_sudo = self.env["res.partner"].sudo()
        groups = []
        for company in self.env.companies:
            flagged_sudo = Partner_sudo.with_company(company).search(
                [("membri_group_invoices", "=", True)]
            )
            if flagged_sudo:
                # whoever is billed together belongs to one tree of contacts
                tops = Partner_sudo.union(*(p._membri_get_top_parent() for p in flagged_sudo))
                groups += self.search(
                    domain
                    & Domain("company_id", "=", company.id)
                    & Domain("partner_id", "child_of", tops.ids)
                )._group_for_invoices()
        return [group for group in groups if len(group.partner_id) > 1]

    def _get_shared_remark(self):
        """Return that these renewals get one invoice, for how much and to whom (a sentence).
        The total is that of the invoice: taxes are rounded on all of it."""
        payer_sudo = self[0]._get_payer().sudo()  # sudo: a name only
        proposals = self.browse().union(*(renewal._get_proposal() for renewal in self))
        names = {
            "payer": payer_sudo._membri_get_names(),
            "count": len(self.partner_id),
            "amount": self[0].currency_id.format(
                proposals._get_tax_totals_summary()["total_amount_currency"]
            ),
        }
        if self[0].company_id.membri_fee_notice:
            return self.env._(
                "%(payer)s will receive one fee notice for %(count)s members: %(amount)s.", **names
            )
        return self.env._(
            "%(payer)s will receive one invoice for %(count)s members: %(amount)s.", **names
        )

    # ------------------------------------------------------------------
    # Off the invoice
    # ------------------------------------------------------------------

    @api.depends("state", "is_paid", "invoice_id.amount_residual")
    def _compute_can_take_off(self):
        for renewal in self:
            renewal.can_take_off = not renewal._get_cannot_reason("take_off")

    def action_take_off(self):
        """Take this member off the invoice that serves others too: the part is credited, the
        others are members once nothing else is left to pay, and this renewal waits for the
        staff."""
        self._check_can("take_off")
        self._do_take_off()
        return True

    def _get_cannot_take_off_reason(self):
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        names = {
            "renewal": self.display_name,
            "document": invoice_sudo._membri_get_document_label() if invoice_sudo else "",
        }
        if not invoice_sudo or not invoice_sudo._membri_is_shared():
            return self.env._(
                "%(renewal)s: its invoice covers no other member. Use “Reset” instead.", **names
            )
        if self.is_paid:
            return self.env._("%(renewal)s is paid, so %(document)s is not changed.", **names)
        if self._is_money_under_way():
            return self.env._(
                "A payment for %(document)s is in progress. Wait for the result before "
                "you remove %(renewal)s.",
                **names,
            )
        if self.new_cotisation_id.state != "pending":
            return self.env._("%(renewal)s: its term is no longer awaiting payment.", **names)
        # sudo: amounts of the invoice
        part = sum(self.new_cotisation_id.sudo()._get_invoice_lines().mapped("price_total"))
        # taxes that are rounded on the whole invoice leave cents between its members
        cents = invoice_sudo.currency_id.rounding * len(invoice_sudo.membri_cotisation_ids)
        if part > invoice_sudo.amount_residual + cents:
            return self.env._(
                "%(renewal)s: this member's share is %(part)s, but only %(rest)s of "
                "%(document)s is still due, so it is partly paid. Refund the payment "
                "first, or credit the difference in Invoicing.",
                part=invoice_sudo.currency_id.format(part),
                rest=invoice_sudo.currency_id.format(invoice_sudo.amount_residual),
                **names,
            )
        return False

    def _do_take_off(self):
        """The credit note makes the term void, which hands the renewal to the staff (specification
        §2, system transition)."""
        for renewal in self:
            # the one before it took its part of what was left
            renewal._check_can("take_off")
            # sudo: the credit note is a consequence of the officer's decision
            cotisation_sudo = renewal.new_cotisation_id.sudo()
            invoice_sudo = renewal._get_invoice_sudo()
            if invoice_sudo.state == "draft":
                cotisation_sudo._do_void()
            invoice_sudo._membri_take_off(cotisation_sudo)
            invoice_sudo._membri_after_part_money()
            renewal._do_require_intervention(renewal._get_taken_off_sentence(invoice_sudo))

    def _get_taken_off_sentence(self, invoice_sudo):
        """:param invoice_sudo: what is left of the invoice serves the others"""
        self.ensure_one()
        names = {
            "member": self.partner_id._membri_get_names(),
            "document": invoice_sudo._membri_get_document_label(),
        }
        if invoice_sudo._membri_is_paid():
            return self.env._(
                "%(member)s was removed from %(document)s, which the other members have "
                "paid. Approve again to invoice this member alone, or decline.",
                **names,
            )
        return self.env._(
            "%(member)s was removed from %(document)s. Approve again to invoice this "
            "member alone, or decline.",
            **names,
        )


class MembriBulkJob(models.Model):
    """Members of one payer, who get one invoice together, are worked on together."""

    _inherit = "membri.bulk.job"

    def _order_for_batches(self, renewals):
        """:return: ``renewals``, those of one grouping payer side by side"""
        payers = {renewal: renewal._get_grouping_payer() for renewal in renewals}
        return renewals.sorted(lambda renewal: payers[renewal].id or 0)

    def _with_invoice_group(self, lines):
        """:return: the lines of a batch, with those that follow and go on the last invoice"""
        last = lines[-1:]
        payer = last.renewal_id and last.renewal_id._get_grouping_payer()
        if not payer:
            return lines
        following = self.env["membri.bulk.job.line"].search(
            [("job_id", "=", self.id), ("result", "=", "todo"), ("id", ">", last.id)],
            limit=MOST_OF_A_GROUP,
            order="id",
        )
        others = following.filtered(
            lambda line: line.renewal_id and line.renewal_id._get_grouping_payer() == payer
        )
        return lines | others.try_lock_for_update()
