import re

from odoo import fields, models

# answers after which the same card will not work: providers say them in their own words
FINAL_DECLINE = re.compile(
    r"expired|lost|stolen|fraud|pick.?up|restricted|revo(?:cation|ked)|closed|invalid|incorrect"
    r"|not.?supported|no.?such|unknown card|blocked",
    re.IGNORECASE,
)
# Odoo's own words for a provider that does not answer
PROVIDER_DOWN = re.compile(r"connection|timed? ?out|unavailable|could not reach", re.IGNORECASE)
# whose payments are made once for a reference, however often they are asked for it
IDEMPOTENT_PROVIDERS = ("demo", "stripe", "adyen", "worldline", "mercado_pago")


class PaymentTransaction(models.Model):
    """Automatic payments: the database lets one of them live for an invoice, and one of them
    succeed for each announced day."""

    _inherit = "payment.transaction"

    membri_charge_invoice_id = fields.Many2one(
        "account.move",
        string="Charged Automatically For",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    membri_charge_day = fields.Date(string="Announced Day", readonly=True, copy=False)
    membri_consent_wording = fields.Text(
        string="Consent to Automatic Payments",
        readonly=True,
        copy=False,
        help="What the payer agreed to when saving the card.",
    )

    _membri_one_living_charge = models.UniqueIndex(
        "(membri_charge_invoice_id) WHERE membri_charge_invoice_id IS NOT NULL"
        " AND state IN ('draft', 'pending', 'authorized')",
        "This invoice is already being charged automatically.",
    )
    _membri_one_charge_per_day = models.UniqueIndex(
        "(membri_charge_invoice_id, membri_charge_day)"
        " WHERE membri_charge_invoice_id IS NOT NULL AND state = 'done'",
        "This invoice was already charged automatically.",
    )

    def _membri_is_under_way(self):
        """Return whether the money of this online payment may come, or has come and is not
        booked yet."""
        self.ensure_one()
        return (
            self.state in ("pending", "authorized")
            or (self.state == "done" and not self.is_post_processed)
            # an automatic payment was asked for
            or (self.state == "draft" and bool(self.membri_charge_invoice_id))
        )

    def _membri_follow_charges(self):
        """Record on the renewals what became of automatic payments."""
        for transaction in self.filtered("membri_charge_invoice_id"):
            # what is kept is the staff's, whoever comes back from the provider's page
            invoice = transaction.membri_charge_invoice_id._membri_as_staff()
            invoice._membri_get_charged_renewals()._follow_charge(transaction)

    def _membri_get_decline(self):
        """:return: ``down``, ``final`` or ``passing``: what kind of no this transaction got"""
        self.ensure_one()
        said = self.state_message or ""
        if self.state == "error" and PROVIDER_DOWN.search(said):
            return "down"
        if self.state == "cancel" or FINAL_DECLINE.search(said):
            return "final"
        return "passing"

    def _membri_save_cards(self):
        """The payers of these, who agreed to it on the payment form, have saved their cards."""
        for transaction in self:
            wording = transaction.membri_consent_wording
            invoice = transaction.invoice_ids.filtered("membri_invoice_type")[:1]
            if not (wording and transaction.token_id and invoice):
                continue
            payer = invoice.partner_id.with_company(invoice.company_id)
            holder = payer._membri_get_card_holders()[-1:]
            token = transaction.token_id.with_env(invoice._membri_as_staff().env)
            if reason := token._membri_get_unusable_reason(holder, invoice.company_id):
                invoice._message_log(body=reason)
            else:
                holder._membri_save_card(transaction.token_id, wording, "payment")
            transaction._internal_write({"membri_consent_wording": False})
