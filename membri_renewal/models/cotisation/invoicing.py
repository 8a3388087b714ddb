import uuid

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_amount

from .cotisation import LIVING_STATES


class MembriCotisation(models.Model):
    """Invoices that follow the membership, and the membership that follows the money."""

    _inherit = "membri.cotisation"

    # ------------------------------------------------------------------
    # From cotisations to invoices
    # ------------------------------------------------------------------

    def _create_invoices(self, invoice_type):
        """Create and post the invoices, in one batch: one per cotisation, or one for those
        whose payer wants it (``cotisation/payer.py``).

        :param invoice_type: ``enrolment`` or ``renewal``
        :return: the posted ``account.move`` records, in sudo
        :raises UserError: when a product has no account, or the company no sales journal
        """
        # sudo: the invoice is a consequence of the membership; who may approve or enrol need not
        # be allowed to write invoices of any other kind
        invoices_sudo = self.env["account.move"].sudo()
        for company, cotisations in self.grouped("company_id").items():
            cotisations._check_can_book(company)
            groups = cotisations._group_for_invoices()
            created_sudo = invoices_sudo.with_company(company)._membri_create_many(
                [group._prepare_shared_invoice_vals(invoice_type) for group in groups]
            )
            for group, invoice_sudo in zip(groups, created_sudo, strict=True):
                group._internal_write({"invoice_id": invoice_sudo.id})
            invoices_sudo |= created_sudo
        # linked before they are posted: an invoice of zero is paid at once
        invoices_sudo._membri_issue()
        invoices_sudo._membri_log_created()
        return invoices_sudo

    def _check_can_book(self, company):
        """Odoo's own messages name no product, and no way out.

        :raises UserError: when an account or the sales journal is missing, or a contact belongs
            to another company"""
        products = self.line_ids.product_id
        if problem := (
            self[0]._get_no_journal_reason() or products._membri_get_missing_account_reason(company)
        ):
            raise UserError(problem)
        for cotisation in self:
            if problem := cotisation._get_other_company_reason():
                raise UserError(problem)

    def _prepare_invoice_vals(self, invoice_type):
        """:return: values of the invoice of this cotisation; dates and accounts are Odoo's own"""
        self.ensure_one()
        partner = self.partner_id
        return {
            "move_type": "out_invoice",
            "partner_id": self._get_payer().id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "invoice_date": self._get_invoice_date(),
            "invoice_origin": self.renewal_id.name or self.name,
            "invoice_user_id": (
                partner.user_id.filtered("active") or self.company_id._membri_get_officer()
            ).id,
            "membri_invoice_type": invoice_type,
            "membri_renewal_id": self.renewal_id.id,
            # what `_membri_ensure_tokens` would write on each once it is posted, which is slow
            "access_token": str(uuid.uuid4()),
            "invoice_line_ids": [
                Command.create(vals) for vals in self.line_ids._prepare_invoice_lines_vals()
            ],
        }

    def _queue_invoices(self):
        """Bring the invoices, or fee notices, of these terms on their way to their payers."""
        self.invoice_id._membri_deliver()

    def _queue_invoices_of_fee_notices(self):
        """Email the invoices that payments have made of fee notices, once."""
        self.filtered(
            lambda c: (
                c.invoice_id.membri_fee_notice_state == "invoiced"
                and c.invoice_id.state == "posted"
                and not c.invoice_id.is_move_sent
                and not c.invoice_id.sending_data
            )
        )._queue_invoices()

    def _void_invoices(self, brought=(), is_final=True):
        """Take these cotisations, which are cancelled, off their unpaid invoices. What was
        written off is left as it is: nothing is asked for any more.

        :param brought: invoices whose payers have them: they are told of those that are void now
        :param is_final: whether they get nothing in their place; else that is decided later
        """
        # sudo: the invoice follows its term
        for invoice_sudo, cotisations in self.sudo().grouped("invoice_id").items():
            if (
                invoice_sudo
                and invoice_sudo.state != "cancel"
                and not invoice_sudo._membri_is_only_written_off()
            ):
                invoice_sudo._membri_take_off(cotisations)
                if invoice_sudo in brought and is_final:
                    invoice_sudo._membri_tell_void_payer()
                elif invoice_sudo in brought:
                    invoice_sudo._membri_tell_void_payer_later()

    def _get_brought_invoices(self):
        """:return: the invoices (in sudo) of these cotisations that their payers have"""
        return self._get_invoice_sudo().filtered(
            lambda move: move._membri_was_brought_to(move.partner_id)
        )

    # ------------------------------------------------------------------
    # From invoices to cotisations
    # ------------------------------------------------------------------

    def _get_invoice_lines(self, invoice=None):
        """Return the lines of the living invoice, or of ``invoice``, that are about this
        cotisation."""
        self.ensure_one()
        invoice_sudo = invoice.sudo() if invoice else self._get_invoice_sudo()  # as said there
        return invoice_sudo.invoice_line_ids.filtered(
            lambda line: line.membri_cotisation_id == self and line.display_type == "product"
        )

    def _get_credit_lines(self, invoice=None):
        """:return: the lines of posted credit notes that take back what was invoiced"""
        self.ensure_one()
        invoice_sudo = invoice.sudo() if invoice else self._get_invoice_sudo()  # as said there
        credit_notes_sudo = invoice_sudo.reversal_move_ids.filtered(lambda m: m.state == "posted")
        return credit_notes_sudo.invoice_line_ids.filtered(
            lambda line: line.membri_cotisation_id == self
        )

    def _is_credited(self, invoice=None):
        """Return whether posted credit notes take back all that was invoiced for this
        cotisation; a credit note of another member's lines on the same invoice does not."""
        self.ensure_one()
        invoice = invoice or self.invoice_id
        if not invoice:
            return False
        credit_lines = self._get_credit_lines(invoice)
        invoiced = sum(self._get_invoice_lines(invoice).mapped("price_subtotal"))
        credited = sum(credit_lines.mapped("price_subtotal"))
        return bool(credit_lines) and self.currency_id.compare_amounts(credited, invoiced) >= 0

    def _get_invoice_verdict(self):
        """Return what the invoice says of this cotisation: ``paid`` (as far as its option set
        asks), ``unpaid`` or ``void``."""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        if invoice_sudo._membri_is_void() or self._is_credited():
            return "void"
        asked = {self.option_set_id.activation, self.activated_by} - {False}
        is_paid = any(invoice_sudo._membri_is_paid_as_asked(activation) for activation in asked)
        return "paid" if is_paid else "unpaid"

    def _waits_for_first_part(self):
        """:return: whether this term becomes active with the first of several parts"""
        self.ensure_one()
        return (
            self.state == "pending"
            and self.option_set_id.activation == "first_part"
            and self._get_invoice_sudo()._membri_is_in_parts()
        )

    def _sync_with_invoice(self):
        """Bring living cotisations in line with their invoices, and tell the members'
        chatter. Looks at facts only, so it may be called at any time by any hook."""
        # sudo: terms follow their invoices, whoever books the money
        cotisations_sudo = self.sudo().filtered(lambda c: c.state in LIVING_STATES and c.invoice_id)
        if not cotisations_sudo:
            return
        before = {cotisation: cotisation.state for cotisation in cotisations_sudo}
        verdicts = cotisations_sudo.grouped(lambda c: c._get_invoice_verdict())
        verdicts.get("void", self.browse())._do_void()
        verdicts.get("unpaid", self.browse())._do_unpaid()
        verdicts.get("paid", self.browse())._do_paid()
        changed = cotisations_sudo.filtered(lambda c: c.state != before[c])
        changed._log_on_members()

    def _log_on_members(self):
        """Tell in the chatter of each member what the money did to the membership."""
        for cotisations in self._split_by_member():
            for company, terms in cotisations.grouped("company_id").items():
                terms.partner_id._membri_noted_for(company)._message_log_batch(
                    {
                        cotisation.partner_id.id: self.env._(
                            "The status of membership term %(cotisation)s (%(term)s, %(amount)s) "
                            "is now “%(state)s”.",
                            cotisation=cotisation.name,
                            term=cotisation.term_display,
                            amount=format_amount(
                                self.env, cotisation.amount_total, cotisation.currency_id
                            ),
                            state=cotisation._get_state_label(),
                        )
                        for cotisation in terms
                    }
                )

    def _split_by_member(self):
        """:return: list of recordsets, in none of which a member is twice"""
        rounds = []
        for terms in self.grouped("partner_id").values():
            for number, term in enumerate(terms):
                if number == len(rounds):
                    rounds.append(self.browse())
                rounds[number] |= term
        return rounds

    def action_view_invoice(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        return {
            **action,
            "views": [(False, "form")],
            "res_id": self.invoice_id.id,
            "context": {"create": False},
        }
