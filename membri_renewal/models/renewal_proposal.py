from odoo import fields, models
from odoo.exceptions import UserError


class MembriRenewal(models.Model):
    """What a renewal proposes when it is made, and again when its option set changes."""

    _inherit = "membri.renewal"

    def _fill_create_vals(self, vals, memo):
        """Complete ``vals`` in place with what the renewed cotisation and the member's
        choices give: set, dates, lines, currency, mode, officer.

        :param memo: what the renewals of one batch share: the cotisations to ``prefetch``
            together, prices and taxes
        :raises UserError: in another state than “To Send”, or where nothing is to be renewed"""
        if vals.get("state", "draft") != "draft":
            raise UserError(
                self.env._("A new renewal is “To Send”. Use its buttons to take it further.")
            )
        cotisation = self._get_cotisation_to_renew(vals, memo)
        partner = cotisation.partner_id.with_company(cotisation.company_id)
        vals.update(
            # said explicitly, for the context may carry other defaults
            state="draft",
            invoice_id=False,
            new_cotisation_id=False,
            change_request_id=False,
            state_before_intervention=False,
            cotisation_id=cotisation.id,
            partner_id=partner.id,
            company_id=cotisation.company_id.id,
        )
        if not vals.get("option_set_id"):
            vals["option_set_id"] = partner._membri_get_next_option_set(cotisation).id
        if not vals.get("mode"):
            vals["mode"] = "invoice" if partner.membri_auto_renew else "notice"
        vals.setdefault("user_id", cotisation.company_id._membri_get_officer().id)
        self._fill_proposed_term(vals, cotisation, partner, memo)
        if vals.get("name", "/") == "/":
            vals["name"] = self.env["ir.sequence"]._membri_get_next(
                "membri.renewal", cotisation.company_id
            )

    def _get_cotisation_to_renew(self, vals, memo):
        """:return: the cotisation that ``vals`` name, else the current one of their member
        :raises UserError: when there is none, or it never ends"""
        cotisation = (
            self.env["membri.cotisation"]
            .browse(vals.get("cotisation_id"))
            .with_prefetch(filter(None, memo["prefetch"]))
        )
        if not cotisation:
            partner = self.env["res.partner"].browse(vals.get("partner_id"))
            cotisation = partner.membri_cotisation_id
            if not cotisation:
                raise UserError(
                    self.env._(
                        "%(member)s has no cotisation to renew. Use “Enrol” instead.",
                        member=partner.display_name or self.env._("This contact"),
                    )
                )
        if not cotisation.date_end:
            raise UserError(
                self.env._(
                    "%(member)s is a member for life: there is nothing to renew.",
                    member=cotisation.partner_id.display_name,
                )
            )
        return cotisation

    def _fill_proposed_term(self, vals, cotisation, partner, memo):
        """Complete ``vals`` with the dates, the currency and the lines of their option set."""
        option_set = self.env["membri.option.set"].browse(vals["option_set_id"])
        if not vals.get("date_start"):
            vals["date_start"], vals["date_end"] = option_set._get_next_period(cotisation)
        elif "date_end" not in vals:
            vals["date_end"] = option_set._get_period(fields.Date.to_date(vals["date_start"]))[1]
        vals.setdefault("currency_id", option_set._get_currency(partner).id)
        if "line_ids" not in vals:
            option_set._check_usable()
            vals["line_ids"] = [
                fields.Command.create(line_vals)
                for line_vals in option_set._prepare_term_lines(
                    partner,
                    fields.Date.to_date(vals["date_start"]),
                    fields.Date.to_date(vals["date_end"]),
                    cotisation,
                    memo,
                )
            ]

    def _propose_dates(self):
        """Take the dates of the chosen option set, right after the current term."""
        for renewal in self:
            first, last = renewal.option_set_id._get_next_period(renewal.cotisation_id)
            renewal._internal_write({"date_start": first, "date_end": last})

    def _propose_lines(self):
        """Replace the lines by those of the option set, at the prices of the first day."""
        memo = {}
        for renewal in self:
            lines_vals = renewal.option_set_id._prepare_term_lines(
                renewal.partner_id,
                renewal.date_start,
                renewal.date_end,
                renewal.cotisation_id,
                memo,
            )
            renewal._internal_write(
                {
                    "currency_id": renewal.option_set_id._get_currency(renewal.partner_id).id,
                    "line_ids": [
                        fields.Command.clear(),
                        *(fields.Command.create(vals) for vals in lines_vals),
                    ],
                }
            )
