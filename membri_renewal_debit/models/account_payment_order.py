from odoo import api, fields, models
from odoo.exceptions import UserError


class AccountPaymentOrder(models.Model):
    """The debits of one payment mode that the night of one day has collected. The accountant
    confirms, generates and uploads it as any other."""

    _name = "account.payment.order"
    _inherit = ["account.payment.order", "membri.fields.mixin"]

    membri_charge_day = fields.Date(
        string="Memberships Collected On",
        readonly=True,
        copy=False,
        help="Nightly run that collected the debits of memberships.",
    )

    _membri_one_draft = models.UniqueIndex(
        "(payment_mode_id, membri_charge_day)"
        " WHERE state = 'draft' AND membri_charge_day IS NOT NULL",
        "This payment mode already has a draft payment order for memberships on that day.",
    )

    @api.model
    def _membri_get_order_of(self, mode, day):
        """:return: the draft order that collects by ``mode`` on ``day``, made if need be"""
        found = self.search(
            [
                ("payment_mode_id", "=", mode.id),
                ("membri_charge_day", "=", day),
                ("state", "=", "draft"),
            ],
            limit=1,
        )
        # OCA asks that the day is not over where the user is
        company = mode.company_id
        return found or self.with_company(company).with_context(tz=company.membri_tz).create(
            self._membri_prepare_order_vals(mode, day)
        )

    def _membri_prepare_order_vals(self, mode, day):
        journals = mode.fixed_journal_id or mode.variable_journal_ids
        return {
            "payment_mode_id": mode.id,
            # several: the accountant chooses
            "journal_id": journals.id if len(journals) == 1 else False,
            "membri_charge_day": day,
            "date_prefered": "fixed",
            "date_scheduled": day,
            "description": self.env._("Memberships"),
        }

    def write(self, vals):
        # EXTENDS account_payment_order
        result = super().write(vals)
        if "state" in vals:
            self.payment_line_ids._membri_follow()
        return result

    def _membri_check_reasons(self, reasons):
        """Refuse to go on with this order.

        :param reasons: why (sentences)
        :raises UserError: with all of them, if there are any"""
        if reasons:
            raise UserError("\n".join(reasons))

    def open2generated(self):
        # EXTENDS account_payment_order: the last moment before the bank is asked
        self.payment_line_ids._membri_drop_deleted_payments()
        if emptied := self.filtered(lambda order: not order.payment_line_ids):
            raise UserError(
                self.env._(
                    "%(order)s has no payment left. Cancel the order.",
                    order=", ".join(emptied.mapped("name")),
                )
            )
        if reasons := self.payment_line_ids._membri_get_reasons():
            reasons.append(
                self.env._(
                    "This order is confirmed: to remove a line, delete its payment, or cancel the "
                    "order."
                )
            )
        self._membri_check_reasons(reasons)
        return super().open2generated()

    def generated2uploaded(self):
        # EXTENDS account_payment_order: what is booked is what the bank was asked for; and a fee
        # notice becomes an invoice with its money
        self._membri_check_reasons(self.payment_line_ids._membri_get_payment_reasons())
        self.payment_line_ids._membri_invoice_fee_notices()
        return super().generated2uploaded()
