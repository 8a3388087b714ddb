from odoo import api, fields, models
from odoo.exceptions import UserError

FEE_NOTICE_STATES = [
    ("open", "To Pay"),
    ("invoiced", "Invoiced"),
    ("void", "Withdrawn"),
]


class AccountMove(models.Model):
    """Fee notices (*avis de cotisation*): what a member pays before there is an invoice.

    A fee notice is an invoice that stays a draft, so without an invoice number, and has a
    number of its own. It is posted by its first payment: no invoice number is ever used for
    somebody who does not pay.
    """

    _inherit = "account.move"

    membri_fee_notice_name = fields.Char(
        string="Fee Notice",
        readonly=True,
        copy=False,
        help="Number that members quote when they pay.",
    )
    membri_fee_notice_date = fields.Date(string="Fee Notice Date", readonly=True, copy=False)
    membri_fee_notice_state = fields.Selection(
        FEE_NOTICE_STATES,
        compute="_compute_membri_fee_notice_state",
        string="Fee Notice Status",
        store=True,
        index="btree_not_null",
    )

    _membri_fee_notice_unique = models.UniqueIndex(
        "(company_id, membri_fee_notice_name) WHERE membri_fee_notice_name IS NOT NULL",
        "This number is already used by another fee notice of the company.",
    )

    @api.depends("membri_fee_notice_name", "state", "posted_before")
    def _compute_membri_fee_notice_state(self):
        for move in self:
            if not move.membri_fee_notice_name:
                move.membri_fee_notice_state = False
            elif move.posted_before or move.state == "posted":
                move.membri_fee_notice_state = "invoiced"
            else:
                move.membri_fee_notice_state = "void" if move.state == "cancel" else "open"

    @api.depends("membri_fee_notice_state")
    def _compute_access_url(self):
        # EXTENDS account
        result = super()._compute_access_url()
        for move in self.filtered(lambda m: m.membri_fee_notice_state in ("open", "void")):
            move.access_url = f"/my/fee-notices/{move.id}"
        return result

    @api.depends("membri_fee_notice_state")
    @api.depends_context("lang")
    def _compute_display_name(self):
        # EXTENDS account
        return super()._compute_display_name()

    def _get_move_display_name(self, show_ref=False):
        # EXTENDS account
        if self.membri_fee_notice_state in ("open", "void"):
            return self._membri_get_document_label()
        return super()._get_move_display_name(show_ref)

    # ------------------------------------------------------------------
    # From approval to fee notice
    # ------------------------------------------------------------------

    def _membri_make_fee_notices(self):
        for company, moves in self.grouped("company_id").items():
            # sudo: sequences are the administrators'
            sequence_sudo = company.sudo()._membri_get_fee_notice_sequence()
            today = company._membri_today()
            for move in moves:
                number = sequence_sudo.next_by_id(sequence_date=today)
                move.write(
                    {
                        "membri_fee_notice_name": number,
                        "membri_fee_notice_date": today,
                        # the due date counts from here until the payment dates the invoice
                        "invoice_date": today,
                        "payment_reference": number,
                    }
                )
        self._membri_ensure_tokens()
        self._membri_update_reminders()
        # members of sets that ask for no payment are active by the approval
        terms_sudo = self.sudo().membri_cotisation_ids
        terms_sudo.filtered(lambda c: c.activation == "approved")._sync_with_invoice()

    # ------------------------------------------------------------------
    # From fee notice to invoice
    # ------------------------------------------------------------------

    def _membri_date_as_invoice(self):
        """A fee notice is about to become an invoice, which is dated the day of its number."""
        self.ensure_one()
        vals = {"invoice_date": self.company_id._membri_today(), "membri_fee_notice_to_send": False}
        installments = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        if len(installments) == 1 and not self.invoice_payment_term_id.early_discount:
            # what is left after a part payment stays due when the fee notice said
            vals |= {"invoice_payment_term_id": False, "invoice_date_due": self.invoice_date_due}
        self._internal_write(vals)

    def _membri_get_plan_days(self):
        """:return: the days of the parts of this fee notice; none of what is paid at once"""
        self.ensure_one()
        days = [day for day, _amount, _left in self._membri_get_plan()]
        return days if len(days) > 1 else []

    def _membri_keep_plan(self, days):
        """The parts of what was a fee notice stay due when it said, whenever the first is paid.

        :param days: as of ``_membri_get_plan_days``, before it was posted"""
        self.ensure_one()
        lines = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        if not days or len(lines) != len(days):
            return
        lines = lines.sorted("date_maturity").with_context(skip_invoice_sync=True)
        for line, day in zip(lines, days, strict=True):
            line.date_maturity = day

    def action_validate_moves_with_confirmation(self):
        # EXTENDS account: "Post" on a selection would number invoices that nobody has paid
        notices = self.filtered(lambda m: m.membri_fee_notice_state == "open")
        if notices and notices == self:
            raise UserError(self._membri_get_fee_notice_hint())
        return super(AccountMove, self - notices).action_validate_moves_with_confirmation()

    @api.model
    def _membri_get_fee_notice_hint(self):
        return self.env._(
            "Fee notices become invoices when they are paid: use “Register Payment”. To "
            "invoice one before it is paid, open it and confirm it."
        )

    def _membri_check_not_void(self):
        """:raises UserError: naming the first fee notice that is not to be used again"""
        for move in self.filtered(lambda m: m.membri_fee_notice_state == "void"):
            raise UserError(
                self.env._(
                    "%(notice)s was withdrawn and cannot be used again. Approve the "
                    "renewal or enroll the member again to create a new one.",
                    notice=move._membri_get_document_label(),
                )
            )

    # ------------------------------------------------------------------
    # Money
    # ------------------------------------------------------------------

    def _has_to_be_paid(self):
        # EXTENDS account_payment: a fee notice takes money before it is an invoice, and an invoice
        # of void terms takes none, while the officer is asked what becomes of it; who may only look
        # at its page has no form there
        if self.env.context.get("membri_only_looks"):
            return False
        if self.membri_fee_notice_state == "open":
            return not self._membri_get_cannot_pay_online_reason()
        return super()._has_to_be_paid() and not self._membri_is_orphan()

    def _membri_get_cannot_pay_online_reason(self):
        """Return why this fee notice takes no online payment now (a sentence for the
        payer), or ``False``."""
        self.ensure_one()
        move_sudo = self.sudo()  # payers see neither transactions nor parameters
        if move_sudo.membri_fee_notice_state == "invoiced":
            return self.env._("This fee notice is now an invoice. Please pay the invoice.")
        if not move_sudo._membri_is_payable():
            return self.env._(
                "This fee notice is no longer valid. Please do not pay it. Contact us if "
                "you have any questions."
            )
        if move_sudo._membri_get_binding_transactions():
            return self.env._("Your payment is in progress.")
        enabled = (
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("account_payment.enable_portal_payment")
        )
        if not enabled or enabled.lower() in ("false", "0"):
            return self.env._("Please pay by bank transfer.")
        return False
