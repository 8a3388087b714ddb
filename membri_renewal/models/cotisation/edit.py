from collections import defaultdict
from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..mixins.state import get_redirect
from ..renewal.renewal import UNDECIDED_STATES
from .cotisation import PAID_FOR_STATES


class MembriCotisation(models.Model):
    """What may still be changed on a cotisation: what was invoiced is not edited away from
    its invoice, what is paid is not shortened, what is past is past."""

    _inherit = "membri.cotisation"

    def _check_can_edit(self, vals):
        """What was invoiced cannot be edited away from its invoice; what is past is past.

        :raises UserError: with the way out (guide §2, *Faire des modifications à un
            renouvellement accepté*)
        """
        self.check_access("write")
        final = self.filtered(lambda c: c.state in ("expired", "cancelled"))._filter_edited(
            {name: vals[name] for name in vals.keys() & self._get_term_fields()}
        )
        if final:
            raise UserError(
                self.env._(
                    "%(cotisation)s (%(member)s) has ended and can no longer be changed.",
                    cotisation=final[0].name,
                    member=final[0].partner_id._membri_get_names(),
                )
            )
        self._check_not_shortened(vals)
        self._check_paid_as_invoiced(vals)
        self._check_not_in_renewal(vals)
        invoiced = self.filtered("invoice_id")._filter_edited(
            {name: vals[name] for name in vals.keys() & {"partner_id", "company_id", "currency_id"}}
        )
        if invoiced:
            raise invoiced[0]._get_parties_change_error()

    def _check_not_shortened(self, vals):
        """What was paid is what the member has: only the last day may be put off. Leaving early
        is terminating, with a reason and a trace."""
        first = fields.Date.to_date(vals.get("date_start")) or date.min
        last = fields.Date.to_date(vals.get("date_end")) or date.max
        paid = self.filtered(lambda c: c.state in PAID_FOR_STATES and c.invoice_id)
        for cotisation in paid:
            if first > cotisation.date_start or last < (cotisation.date_end or date.max):
                raise UserError(
                    self.env._(
                        "%(cotisation)s (%(member)s) is paid (%(term)s) and cannot be "
                        "shortened. If the member leaves early, use “End Membership”.",
                        cotisation=cotisation.name,
                        member=cotisation.partner_id._membri_get_names(),
                        term=cotisation.term_display,
                    )
                )

    def _check_paid_as_invoiced(self, vals):
        """:raises UserError: when ``vals`` make something else of a term than was paid for"""
        names = vals.keys() & {"option_set_id", "date_start"}
        paid = self.filtered(lambda c: c.state in PAID_FOR_STATES and c.invoice_id)
        for cotisation in paid._filter_edited({name: vals[name] for name in names}):
            raise UserError(
                self.env._(
                    "%(cotisation)s (%(member)s) is paid (%(invoice)s), so its plan and "
                    "first day cannot be changed. Credit the invoice first, or change the "
                    "renewal or the contact's next plan.",
                    cotisation=cotisation.name,
                    member=cotisation.partner_id._membri_get_names(),
                    invoice=cotisation._get_invoice_sudo().display_name,
                )
            )

    def _check_not_in_renewal(self, vals):
        """Raise a ``UserError`` when ``vals`` give a term to another member, and its renewal asks
        the first one."""
        if "date_end" in vals and not vals["date_end"]:
            self._check_not_for_life_in_renewal()
        if "partner_id" not in vals:
            return
        for cotisation in self._filter_changed("partner_id", vals["partner_id"]):
            # sudo: that there is one is no secret to who may write the term
            if renewal_sudo := cotisation.sudo()._get_living_renewal():
                raise UserError(
                    self.env._(
                        "%(cotisation)s already has the renewal %(renewal)s for %(member)s. "
                        "Cancel the renewal first, then change the member.",
                        cotisation=cotisation.name,
                        renewal=renewal_sudo[0].name,
                        member=cotisation.partner_id._membri_get_names(),
                    )
                )

    def _check_not_for_life_in_renewal(self):
        """:raises UserError: when a term has a renewal that is to follow its last day"""
        for cotisation in self.filtered("date_end"):
            # sudo: that there is one is no secret to who may write the term
            renewal_sudo = cotisation.sudo()._get_living_renewal()
            if renewal_sudo.state in UNDECIDED_STATES:
                raise UserError(
                    self.env._(
                        "%(cotisation)s (%(member)s) has the open renewal %(renewal)s, which "
                        "follows its last day. Cancel the renewal first, then remove the last day.",
                        cotisation=cotisation.name,
                        renewal=renewal_sudo.name,
                        member=cotisation.partner_id._membri_get_names(),
                    )
                )

    def _filter_edited(self, vals):
        """Return the cotisations that ``vals`` would change: an import run twice writes
        the same values again, and may."""
        edited = self.browse()
        for name, value in vals.items():
            if name == "line_ids":
                edited |= self.filtered(lambda c, commands=value: c._is_line_edit(commands))
            else:
                edited |= self._filter_changed(name, value)
        return edited

    def _is_line_edit(self, commands):
        """:return: whether these commands do more than name the lines as they are"""
        if commands is True:  # the lines themselves were written
            return True
        for command in commands:
            line = self.line_ids & self.line_ids.browse(command[1])
            if not line or command[0] not in (Command.LINK, Command.UPDATE):
                return True
            if command[0] == Command.UPDATE and line._is_edit(command[2]):
                return True
        return False

    def _check_own_lines(self, commands):
        """One2many commands can name any line: only those of ``self`` may be changed here."""
        for command in commands:
            named = {
                Command.CREATE: [],
                Command.CLEAR: [],
                Command.SET: command[2] if len(command) > 2 else [],
            }.get(command[0], [command[1]])
            if set(named) - set(self.line_ids.ids):
                raise UserError(
                    self.env._("An option cannot be moved. Delete it here and add it there.")
                )

    @api.model
    def _get_term_fields(self):
        return {
            "partner_id",
            "company_id",
            "currency_id",
            "option_set_id",
            "date_start",
            "date_end",
            "line_ids",
        }

    @api.constrains("line_ids")
    def _check_invoiced_amount(self):
        """A change without price effect is made on the pending cotisation; one that alters
        a total needs a new invoice (guide §2)."""
        for cotisation in self.filtered("invoice_id"):
            invoiced = cotisation._get_amount_by_taxes(cotisation._get_invoice_lines())
            if cotisation._get_amount_by_taxes(cotisation.line_ids) != invoiced:
                raise cotisation._get_price_change_error()

    def _get_parties_change_error(self):
        """:return: the exception that says the way out: reset, or cancel and enrol again"""
        self.ensure_one()
        names = {"cotisation": self.name, "member": self.partner_id._membri_get_names()}
        if not self.renewal_id:
            return UserError(
                self.env._(
                    "%(cotisation)s is invoiced to %(member)s. Its member, company and "
                    "currency cannot be changed. Cancel the term and enroll the member again.",
                    **names,
                )
            )
        return UserError(
            self.env._(
                "%(cotisation)s is invoiced to %(member)s. Its member, company and "
                "currency cannot be changed. Reset the renewal instead.",
                **names,
            )
        )

    def _get_price_change_error(self):
        """:return: the exception that says the way out: reset, or cancel and enrol again"""
        self.ensure_one()
        names = {
            "cotisation": self.name,
            "member": self.partner_id._membri_get_names(),
            "invoice": self.invoice_id.display_name,
        }
        if not self.renewal_id:
            return UserError(
                self.env._(
                    "This would change the price of %(cotisation)s (%(member)s), already "
                    "invoiced (%(invoice)s). Cancel the term and enroll the member again, "
                    "or credit the difference in Invoicing.",
                    **names,
                )
            )
        return get_redirect(
            self.env._(
                "This would change the price of %(cotisation)s (%(member)s), already "
                "invoiced (%(invoice)s). Reset its renewal, change it there and approve "
                "it again: a new invoice replaces the old one.",
                **names,
            ),
            self.renewal_id._get_records_action(),
            self.env._("Reset"),
        )

    def _get_amount_by_taxes(self, lines):
        """:return: ``{taxes: untaxed amount}``: equal for two sets of lines that cost the same"""
        self.ensure_one()
        amounts = defaultdict(float)
        for line in lines:
            amounts[line.tax_ids] += line.price_subtotal
        return {taxes: self.currency_id.round(amount) for taxes, amount in amounts.items()}
