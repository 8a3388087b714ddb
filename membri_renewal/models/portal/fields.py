from odoo import models

PORTAL_FIELDS = frozenset(
    {
        "id",
        "display_name",
        "name",
        "state",
        "mode",
        "partner_id",
        "company_id",
        "currency_id",
        "cotisation_id",
        "current_date_end",
        "option_set_id",
        "date_start",
        "date_end",
        "term_display",
        "amount_untaxed",
        "amount_total",
        "line_ids",
        "date_sent",
        "date_answer",
        "date_approved",
        "date_refused",
        "date_auto_invoice",
        "amount_auto_invoice",
        "invoice_id",
        "payment_state",
        "is_paid",
        "is_open",
        "new_cotisation_id",
        "access_url",
    }
)
PORTAL_LINE_FIELDS = frozenset(
    {
        "id",
        "display_name",
        "renewal_id",
        "name",
        "name_display",
        "sequence",
        "product_id",
        "quantity",
        "price_unit",
        "tax_ids",
        "price_subtotal",
        "currency_id",
        "company_id",
    }
)
# the kind and the numbers of their own documents, and what is due: the pages show no more of ours
PORTAL_INVOICE_FIELDS = frozenset(
    {
        "membri_invoice_type",
        "membri_fee_notice_name",
        "membri_fee_notice_date",
        "membri_fee_notice_state",
        "membri_receipt_name",
        "membri_amount_due",
        "membri_date_due",
    }
)


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"
    _portal_fields = PORTAL_FIELDS


class MembriRenewalLine(models.Model):
    _inherit = "membri.renewal.line"
    _portal_fields = PORTAL_LINE_FIELDS


class AccountMove(models.Model):
    _inherit = "account.move"
    _portal_fields = PORTAL_INVOICE_FIELDS
