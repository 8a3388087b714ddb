from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.sql import column_exists, create_column, table_exists

from ..cotisation.cotisation import LIVING_STATES, PAID_STATES
from ..mixins.fields import get_flag_domain
from .renewal import STAFF

BATCH = 50


class MembriRenewal(models.Model):
    """Accepted and never paid: who is late, and the end of it. In arrears is a fact that ends
    nothing; *End unpaid* voids the invoice and refuses the renewal, in one transaction for each
    member (one for those of one payer)."""

    _inherit = "membri.renewal"

    amount_due = fields.Monetary(
        compute="_compute_amount_due",
        store=True,
        groups=STAFF,
        help="What is left to pay for this member. If the invoice covers several members, this "
        "member's share only. Draft invoices are included.",
    )
    in_arrears = fields.Boolean(
        compute="_compute_in_arrears",
        search="_search_in_arrears",
        groups=STAFF,
        help="A part of the invoice was due before today and is not paid.",
    )
    is_unpaid_too_long = fields.Boolean(
        string="Unpaid for Too Long",
        compute="_compute_is_unpaid_too_long",
        search="_search_is_unpaid_too_long",
        groups=STAFF,
        help="Nothing was paid within the months that the plan allows after the due date.",
    )

    def _auto_init(self):
        # an upgrade: most renewals are paid, or not accepted, and nothing is left to pay
        cr, table = self.env.cr, self._table
        if table_exists(cr, table) and not column_exists(cr, table, "amount_due"):
            create_column(cr, table, "amount_due", "numeric")
        return super()._auto_init()

    # ------------------------------------------------------------------
    # What is left to pay
    # ------------------------------------------------------------------

    @api.depends(
        "state",
        "is_paid",
        "new_cotisation_id",
        "currency_id",
        "invoice_id.state",
        "invoice_id.payment_state",
        "invoice_id.amount_residual",
        "invoice_id.membri_fee_notice_state",
        "invoice_id.matched_payment_ids.state",
        "invoice_id.matched_payment_ids.amount",
        "invoice_id.reversal_move_ids.state",
        "invoice_id.reversal_move_ids.amount_residual",
    )
    def _compute_amount_due(self):
        """Kept, so that lists and queues add it up in the database."""
        awaited = self.filtered(lambda r: r.state == "approved" and not r.is_paid)
        (self - awaited).amount_due = 0.0
        for invoice_sudo, renewals in awaited.grouped(lambda r: r._get_invoice_sudo()).items():
            parts = invoice_sudo._membri_split_amount_due() if invoice_sudo else {}
            for renewal in renewals:
                # sudo: the key of its part
                part = parts.get(renewal.new_cotisation_id.sudo(), 0.0)
                renewal.amount_due = (
                    invoice_sudo.currency_id._convert(
                        part,
                        renewal.currency_id,
                        renewal.company_id,
                        invoice_sudo.invoice_date or renewal.company_id._membri_today(),
                    )
                    if part
                    else 0.0
                )

    # ------------------------------------------------------------------
    # Which renewals are in arrears
    # ------------------------------------------------------------------

    @api.depends("state", "new_cotisation_id", "is_paid", "invoice_id.amount_residual")
    def _compute_in_arrears(self):
        approved = self.filtered(lambda r: r.state == "approved")
        late = approved.new_cotisation_id._filter_in_arrears()
        for renewal in self:
            renewal.in_arrears = renewal in approved and renewal.new_cotisation_id in late

    @api.model
    def _search_in_arrears(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = self.env["membri.cotisation"]._find_in_arrears(Domain("renewal_id", "!=", False))
        found = Domain("state", "=", "approved") & Domain("new_cotisation_id", "in", late.ids)
        return get_flag_domain(found, value)

    @api.depends("state", "is_paid", "invoice_id.amount_residual", "option_set_id")
    def _compute_is_unpaid_too_long(self):
        domain = self._get_unpaid_too_long_domain() & Domain("id", "in", self._origin.ids)
        found_sudo = self.sudo().search(domain)  # sudo: a fact, as above
        for renewal in self:
            renewal.is_unpaid_too_long = renewal._origin in found_sudo

    @api.model
    def _search_is_unpaid_too_long(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: payments are the accountants', that there is none is a fact
        query = self.sudo()._search(self._get_unpaid_too_long_domain())
        found = Domain.FALSE if query.is_empty() else Domain("id", "in", query)
        return get_flag_domain(found, value)

    @api.model
    def _get_unpaid_too_long_domain(self):
        """:return: the renewals that can be ended, and whose plan proposes it by now"""
        Cotisation = self.env["membri.cotisation"]
        # sudo: of every plan, whoever asks
        groups = (
            self.env["membri.option.set"]
            .sudo()
            .with_context(active_test=False)
            ._read_group([("unpaid_end_months", ">", 0)], ["unpaid_end_months"])
        )
        if not groups:
            return Domain.FALSE
        late = Domain.OR(
            Domain("option_set_id.unpaid_end_months", "=", months)
            & Domain(
                "new_cotisation_id", "any", Cotisation._membri_get_long_due_domain(company, months)
            )
            for (months,) in groups
            for company in self.env["res.company"]._membri_get_all()
        )
        return late & self._get_can_end_unpaid_domain()

    # ------------------------------------------------------------------
    # Ending as unpaid
    # ------------------------------------------------------------------

    def action_end_unpaid(self):
        """End renewals that were accepted and never paid: the invoice is void, the renewal is
        declined with the reason *Not paid*, and the member is inactive as of the end of the old
        term. Undone by a reset, as any refusal."""
        self._check_can("end_unpaid")
        self._do_end_unpaid()
        return True

    def _get_cannot_end_unpaid_reason(self):
        """:return: why this renewal cannot be ended (a sentence), or ``False``: money, first"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        # sudo: what of the term and the invoice is told
        cotisation_sudo = self.new_cotisation_id.sudo()
        names = {
            "renewal": self.display_name,
            "document": invoice_sudo._membri_get_document_label(),
        }
        if self.is_paid:
            return self.env._("%(renewal)s is paid (%(document)s).", **names)
        if reason := self._get_seen_in_bank_reason():  # what to do about it
            return reason
        if self._is_payment_under_way():
            return self.env._(
                "%(renewal)s: a payment for %(document)s is in progress or was reported. Wait for "
                "the result.",
                **names,
            )
        if invoice_sudo._membri_has_money():
            return self.env._(
                "%(renewal)s: %(document)s is partly paid. Refund the payment first, or write off "
                "the rest.",
                **names,
            )
        if obstacle := invoice_sudo._membri_get_written_off_obstacle():
            return self.env._(
                "%(renewal)s: %(obstacle)s", renewal=self.display_name, obstacle=obstacle
            )
        if cotisation_sudo._get_credit_lines():
            return self.env._(
                "%(renewal)s: %(document)s was partly credited. Credit the rest in Invoicing: the "
                "membership term follows.",
                **names,
            )
        if cotisation_sudo.state not in LIVING_STATES:
            return self.env._(
                "%(renewal)s: the term %(cotisation)s has ended, so it can no longer be voided. "
                "Credit %(document)s or write it off.",
                cotisation=cotisation_sudo.name,
                **names,
            )
        following = cotisation_sudo.next_ids.filtered(lambda c: c.state in LIVING_STATES)
        if following:
            return self.env._(
                "%(renewal)s: %(member)s already has the next term %(next)s. Reset its renewal "
                "first.",
                member=self.partner_id._membri_get_names(),
                next=following[0].name,
                **names,
            )
        return False

    @api.model
    def _get_can_end_unpaid_domain(self):
        """Return what :meth:`_get_cannot_end_unpaid_reason` asks, as a domain; of money, booked
        or under way, there is none."""
        return (
            Domain("state", "=", "approved")
            & Domain("is_paid", "=", False)
            & Domain("invoice_id", "!=", False)
            & Domain("payment_state", "not in", (*PAID_STATES, "partial", "reversed"))
            & Domain("new_cotisation_id.state", "in", LIVING_STATES)
            & ~Domain("new_cotisation_id.next_ids", "any", [("state", "in", LIVING_STATES)])
            & ~self._get_payment_under_way_domain()
        )

    def _do_end_unpaid(self, note=None):
        """Void what is not paid, and refuse. The renewal lets go of the invoice first, so that
        the voided one no longer speaks for it.

        :param note: plain text, kept with the refusal"""
        if not self:
            return
        # sudo: the invoice and the term are consequences of the decision
        cotisations_sudo = self.new_cotisation_id.sudo()
        brought_sudo = cotisations_sudo._get_brought_invoices()
        self._internal_write({"invoice_id": False, "new_cotisation_id": False})
        self._do_refuse(self.env.ref("membri_renewal.refusal_reason_not_paid"), note)
        cotisations_sudo._do_cancel()
        cotisations_sudo._void_invoices(brought_sudo)
        self._tell_void_payers()  # of an earlier one, where this one had not reached them

    # ------------------------------------------------------------------
    # Ended by the nightly run, where the plan says so
    # ------------------------------------------------------------------

    @api.model
    def _cron_end_unpaid(self):
        """Nightly: end what is unpaid for too long, where the plan says that it ends by itself.
        May be run at any time, twice, by two workers; one that fails is told on it."""
        domain = self._get_unpaid_too_long_domain() & Domain(
            "option_set_id.unpaid_end_automatic", "=", True
        )

        def end(due):
            errors = due._run_isolated_for_staff(type(self)._do_end_by_itself)
            for renewal, error in errors.items():
                sentence = renewal.env._(
                    "This unpaid renewal could not be ended: %(error)s",
                    error=renewal._get_error_sentence(error),
                )
                renewal._message_log(body=sentence)

        self.env["ir.cron"]._membri_work_off(self, domain, end, limit=BATCH)

    def _do_end_by_itself(self):
        free = self.filtered(lambda r: not r._get_cannot_end_unpaid_reason())
        for months, renewals in free.grouped(lambda r: r.option_set_id.unpaid_end_months).items():
            renewals._do_end_unpaid(
                renewals.env._(
                    "Ended automatically: unpaid %(months)s months after the due date.",
                    months=months,
                )
            )
