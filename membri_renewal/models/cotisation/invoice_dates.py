from odoo import models

# where accountants look for the dates that revenue is spread over; whichever module is there
DEFERRAL_FIELDS = (
    ("start_date", "end_date"),  # OCA account_invoice_start_end_dates
    ("deferred_start_date", "deferred_end_date"),  # Odoo Enterprise
)


class MembriCotisation(models.Model):
    """The dates of a term on its invoice: what its lines say, and what revenue is deferred by."""

    _inherit = "membri.cotisation"

    def _get_invoice_period(self):
        """:return: the term as its invoice lines tell it, in the member's language"""
        self.ensure_one()
        lang = self.partner_id.lang
        return self.with_context(lang=lang)._format_period(
            self.date_start, self.date_end, lang=lang, date_format="long"
        )

    def _prepare_deferral_vals(self):
        """Return the term, in the fields of the invoice line that deferral modules read;
        nothing for life, which cannot be spread."""
        self.ensure_one()
        if not self.date_end:
            return {}
        return {
            name: day
            for names in self._get_deferral_fields()
            for name, day in zip(names, (self.date_start, self.date_end), strict=True)
        }

    def _get_deferral_fields(self):
        """:return: pairs of field names of the invoice line, those that exist"""
        line_fields = self.env["account.move.line"]._fields
        return [names for names in DEFERRAL_FIELDS if set(names) <= line_fields.keys()]

    def _get_invoiced_periods(self):
        """Return ``{cotisation: the period in words}`` of pending terms, as their invoices
        tell it."""
        return {
            cotisation: cotisation._get_invoice_period()
            for cotisation in self
            if cotisation.state == "pending" and cotisation.invoice_id
        }

    def _follow_invoiced_periods(self, before):
        """Pending terms were moved without price effect: their invoices follow.

        :param before: what :meth:`_get_invoiced_periods` said"""
        for cotisation, period in before.items():
            if cotisation._get_invoice_period() != period:
                cotisation._update_invoice_period(period)

    def _update_invoice_period(self, old_period):
        """Write the new dates where the invoice tells the old ones: texts and deferral only,
        which Odoo allows on a posted invoice, unless a hash seals it."""
        self.ensure_one()
        # sudo: the text follows the cotisation, which the user has been allowed to change
        invoice_sudo = self._get_invoice_sudo()
        names = {"member": self.partner_id._membri_get_names(), "term": self._get_invoice_period()}
        if invoice_sudo.inalterable_hash:
            invoice_sudo._message_log(
                body=self.env._(
                    "The period for %(member)s is now %(term)s. The lines still show the "
                    "old dates because the journal locks posted entries.",
                    **names,
                )
            )
            return
        deferral_vals = self._prepare_deferral_vals()
        for line in self._get_invoice_lines():
            line.write(
                {"name": line.name.replace(old_period, names["term"]), **deferral_vals},
            )
        # the document is printed anew when it is sent again; the old one stays in the chatter
        invoice_sudo._detach_attachments()
        invoice_sudo._message_log(
            body=self.env._(
                "The period for %(member)s is now %(term)s. Resend the invoice if the "
                "payer needs it with these dates.",
                **names,
            )
        )
