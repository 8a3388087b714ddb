from datetime import timedelta

from odoo import fields, models

from .renewal import UNDECIDED_STATES


class MembriRenewal(models.Model):
    """Approval and its undoing: one posted invoice and one pending cotisation per renewal,
    in batches (specification §5.4, §5.5)."""

    _inherit = "membri.renewal"

    # ------------------------------------------------------------------
    # Approve
    # ------------------------------------------------------------------

    def _get_cannot_approve_reason(self):
        self.ensure_one()
        if not self.line_ids:
            return self.env._(
                "%(renewal)s has no options, so there is nothing to invoice. Add at least "
                "one, or choose another plan.",
                renewal=self.display_name,
            )
        return (
            self._get_archived_reason()
            or self._get_term_over_reason()
            or self._get_cannot_invoice_reason()
        )

    def _get_term_over_reason(self):
        """:return: that the proposed term would already be over (a sentence), or ``False``"""
        self.ensure_one()
        today = self.company_id._membri_today()
        if self.date_end and self.date_end < today and not self._get_restart_period():
            return self.env._(
                "The period that %(renewal)s proposes (%(term)s) would already be over. "
                "Choose one that ends in the future, or decline the renewal and enroll "
                "the member again.",
                renewal=self.display_name,
                term=self.term_display,
            )
        return False

    def _do_approve(self):
        """Invoice the renewals and make their next cotisations, all in one batch."""
        # union: a client may name a record twice
        renewals = self.union().with_context(mail_create_nosubscribe=True)
        renewals._bring_up_to_date()
        # sudo: approving is the right; the cotisation is its consequence
        cotisations_sudo = (
            self.env["membri.cotisation"]
            .sudo()
            .create([renewal._prepare_cotisation_vals() for renewal in renewals])
        )
        for renewal, cotisation in zip(renewals, cotisations_sudo, strict=True):
            renewal._internal_write({"new_cotisation_id": cotisation.id})
        now = fields.Datetime.now()
        for answered, alike in renewals.grouped("date_answer").items():
            alike._set_state("approved", date_approved=now, date_answer=answered or now)
        cotisations_sudo._create_invoices("renewal")
        for cotisation in cotisations_sudo:
            cotisation.renewal_id._internal_write({"invoice_id": cotisation.invoice_id.id})
        renewals._clear_intervention()
        renewals._end_activities()
        renewals._update_next_reminder()
        renewals._refresh_members()
        renewals._log_on_contacts(
            {
                renewal: self.env._(
                    "%(renewal)s was approved for %(term)s. %(document)s.",
                    renewal=renewal.name,
                    term=renewal.term_display,
                    document=renewal._get_invoice_sudo()._membri_get_document_label(),
                )
                for renewal in renewals
            }
        )
        renewals._before_document()
        cotisations_sudo._queue_invoices()
        renewals._tell_void_payers()  # who had the one before a reset, where another one pays now

    def _prepare_cotisation_vals(self):
        """:return: values of the pending cotisation that this renewal makes"""
        self.ensure_one()
        return {
            **self._prepare_same_term_vals(),
            "date_anchor": self._get_anchor(),
            "origin": "renewal",
            "renewal_id": self.id,
            "previous_id": self.cotisation_id.id,
        }

    def _get_anchor(self):
        """:return: the member's anchor as long as the term follows the last one"""
        self.ensure_one()
        if self.date_start == self.cotisation_id.date_end + timedelta(days=1):
            return self.option_set_id._get_next_anchor(self.cotisation_id)
        return self.date_start

    # ------------------------------------------------------------------
    # Reset
    # ------------------------------------------------------------------

    def _get_cannot_reset_reason(self):
        self.ensure_one()
        if self.state == "refused":
            return self._get_cannot_reopen_reason()
        invoice_sudo = self._get_invoice_sudo()
        if invoice_sudo and invoice_sudo._membri_has_money():
            return self.env._(
                "%(renewal)s: %(invoice)s has a payment, received or in progress. Cancel "
                "or refund it and reset again, or keep the renewal and credit the "
                "difference in Invoicing. Nothing was changed.",
                renewal=self.display_name,
                invoice=invoice_sudo.display_name,
            )
        if invoice_sudo and (obstacle := invoice_sudo._membri_get_written_off_obstacle()):
            return self.env._(
                "%(renewal)s: %(obstacle)s", renewal=self.display_name, obstacle=obstacle
            )
        credit_lines = self.new_cotisation_id._get_credit_lines()
        if credit_lines:
            return self.env._(
                "%(renewal)s: %(invoice)s was partly credited (%(credit_note)s). Credit "
                "the rest in Invoicing first, then edit the renewal. Nothing was changed.",
                renewal=self.display_name,
                invoice=invoice_sudo.display_name,
                credit_note=credit_lines.move_id[0].display_name,
            )
        if self.new_cotisation_id.state in ("active", "expired"):
            return self.env._(
                "The term created by %(renewal)s has already begun (%(cotisation)s). End "
                "the membership instead of resetting its renewal.",
                renewal=self.display_name,
                cotisation=self.new_cotisation_id.name,
            )
        return False

    def _get_cannot_reopen_reason(self):
        """:return: why a refused renewal cannot be opened again, or ``False``"""
        living = self.cotisation_id.next_ids.filtered(lambda c: c.state != "cancelled")
        if living:
            return self.env._(
                "%(member)s has rejoined since then (%(cotisation)s), so this renewal "
                "stays declined.",
                member=self.partner_id._membri_get_names(),
                cotisation=living[0].name,
            )
        other = self.search(
            [
                ("partner_id", "=", self.partner_id.id),
                ("company_id", "=", self.company_id.id),
                ("state", "in", UNDECIDED_STATES),
            ],
            limit=1,
        )
        if other:
            return self.env._(
                "%(member)s already has an open renewal: %(other)s.",
                member=self.partner_id._membri_get_names(),
                other=other.name,
            )
        return False

    def _do_reset(self):
        """Void the unpaid invoice and the pending cotisation; edit again.

        The renewal lets go of both first, so that the voided invoice no longer speaks for it.
        """
        approved = self.filtered(lambda r: r.state == "approved")
        # sudo: the pending term follows its renewal
        cotisations_sudo = approved.new_cotisation_id.sudo()
        brought_sudo = cotisations_sudo._get_brought_invoices()
        self._set_state(
            "draft",
            invoice_id=False,
            new_cotisation_id=False,
            date_approved=False,
            date_refused=False,
            date_answer=False,
            is_answered_online=False,
            refusal_reason_id=False,
            refusal_note=False,
            date_next_reminder=False,
        )
        cotisations_sudo._do_cancel()
        cotisations_sudo._void_invoices(brought_sudo, is_final=False)
        self._end_activities()  # of the invoice that is void now
        self._hold_archived()
        self._refresh_members()
        self._log_on_contacts(
            {
                renewal: self.env._(
                    "%(renewal)s was reset and can be edited again.", renewal=renewal.name
                )
                for renewal in self
            }
        )
