from odoo import models
from odoo.exceptions import UserError

# what becomes of a term that is renewed; a campaign shows more (see campaign/line.py)
OUTCOMES = [
    ("notice", "Receives a notice"),
    ("invoice", "Receives an invoice"),
    ("intervention", "Intervention Required"),
    ("unreachable", "Cannot be reached"),
]


class MembriCotisation(models.Model):
    """What the renewal of a term would be, before there is one: proposed by the very methods
    that will create it."""

    _inherit = "membri.cotisation"

    def _preview_renewals(self):
        """Who would get what, and how much. Creates nothing.

        Prices, taxes and totals are looked up once for all members who share them.

        :return: ``{cotisation: values}``, values of ``membri.campaign.line``: ``outcome`` and
            its ``reason``, ``option_set_id``, dates, ``mode``, currency, amounts, recipient
        :raises UserError: when a renewal could not be prepared
        """
        memo = {"prefetch": self.ids}
        previews = {}
        for cotisation in self:
            vals = {"cotisation_id": cotisation.id}
            self.env["membri.renewal"]._fill_create_vals(vals, memo)
            previews[cotisation] = {
                **{
                    name: vals[name]
                    for name in ("option_set_id", "date_start", "date_end", "mode", "currency_id")
                },
                **cotisation._preview_amounts(vals, memo),
                **cotisation._preview_outcome(vals),
            }
            if previews[cotisation]["is_free"] and not previews[cotisation]["reason"]:
                option_set = self.env["membri.option.set"].browse(vals["option_set_id"])
                previews[cotisation]["reason"] = option_set._get_free_remark()
        return previews

    def _preview_amounts(self, vals, memo):
        """:param vals: of the renewal, complete
        :param memo: shared by the batch: members with the same lines have the same totals"""
        self.ensure_one()
        lines = [command[2] for command in vals["line_ids"]]
        key = (
            "totals",
            self.company_id.id,
            vals["currency_id"],
            vals["date_start"],
            vals["mode"],
            *(
                (line["product_id"], line["quantity"], line["price_unit"], *line["tax_ids"][0][2])
                for line in lines
            ),
        )
        if key not in memo:
            renewal = self.env["membri.renewal"].new(vals)
            if not lines:
                raise UserError(renewal._get_cannot_send_reason())
            if vals["mode"] == "invoice" and (
                problem := renewal.line_ids.product_id._origin._membri_get_missing_account_reason(
                    self.company_id
                )
            ):
                raise UserError(problem)
            summary = renewal._get_tax_totals_summary()
            currency = self.env["res.currency"].browse(vals["currency_id"])
            memo[key] = {
                "amount_untaxed": summary["base_amount_currency"],
                "amount_total": summary["total_amount_currency"],
                "is_free": currency.is_zero(summary["total_amount_currency"]),
                "amount_company": currency._convert(
                    summary["total_amount_currency"],
                    self.company_id.currency_id,
                    self.company_id,
                    self.company_id._membri_today(),
                ),
            }
        return memo[key]

    def _preview_outcome(self, vals):
        """Return ``outcome``, the ``reason`` for it where there is something to tell, and who
        receives the notice or the invoice."""
        self.ensure_one()
        partner = self.partner_id.with_company(self.company_id)
        recipient = partner._membri_get_recipient()
        address = partner._membri_get_renewal_address() or recipient.email
        outcome, reason = vals["mode"], False
        if vals["mode"] == "invoice":
            recipient = partner._membri_get_payer()
            address = recipient.email
        if partner.membri_intervention_required:
            outcome = "intervention"
            reason = partner.membri_intervention_reason or self.env._(
                "The contact is marked “Intervention Required”."
            )
        elif archived := partner._membri_get_archived_reason():
            outcome, reason = "intervention", archived
        elif over := self._preview_term_over(vals):
            outcome, reason = "intervention", over
        elif unreachable := self._preview_unreachable(vals, recipient):
            outcome, reason = "unreachable", unreachable
        return {
            "outcome": outcome,
            "reason": reason,
            "recipient_id": recipient.id,
            "recipient_email": address,
        }

    def _preview_term_over(self, vals):
        if not vals["date_end"] or vals["date_end"] >= self.company_id._membri_today():
            return False
        return self.env["membri.renewal"].new(vals)._get_term_over_reason()

    def _preview_unreachable(self, vals, recipient):
        """Return why no email arrives (a sentence), or ``False``. The notice of such a member
        is printed, its invoice posted all the same."""
        if vals["mode"] == "notice":
            return self._get_member()._membri_get_unreachable_reason()
        problem = recipient._membri_get_address_problem()
        return problem and self.env._(
            "The invoice is created, but will not be received: %(reason)s", reason=problem
        )
