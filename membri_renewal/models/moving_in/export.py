import base64
import csv
import io

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import split_every

from .reading import escape_formula

BATCH = 1000
# the columns of the documented format (docs/moving-in.md), by what they are read as
COLUMNS = (
    "external_id",
    "ref",
    "name",
    "is_company",
    "company",
    "email",
    "phone",
    "street",
    "street2",
    "city",
    "state",
    "zip",
    "country",
    "lang",
    "website",
    "function",
    "responsible",
    "responsible_email",
    "renewal_email",
    "auto_renew",
    "member_since",
    "term_id",
    "level",
    "date_start",
    "date_end",
    "status",
    "amount",
    "agreed_price",
    "options",
    "date_left",
    "date_deceased",
    "renewal_state",
    "notice_date",
    "balance",
    "archived",
    "owner",
)


class MembriImport(models.Model):
    """Moving out: all members and their terms, in the format that the profile *Any Other List*
    reads back."""

    _inherit = "membri.import"

    def action_export(self):
        """Return an action that downloads the members of the current company, one row for
        each term."""
        self.check_access("create")
        content = self._get_export(self.env.company)
        name = self.env._("Members of %(company)s", company=self.env.company.name) + ".csv"
        Attachment = self.env["ir.attachment"]
        Attachment.search(
            [("res_model", "=", self._name), ("res_id", "=", 0), ("create_uid", "=", self.env.uid)]
        ).unlink()
        attachment = Attachment.create(
            {
                "name": name,
                "datas": base64.b64encode(content),
                "mimetype": "text/csv",
                "res_model": self._name,
                "res_id": 0,
            }
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{attachment.id}?download=true",
            "target": "download",
        }

    @api.model
    def _get_export(self, company):
        """Return the bytes of a CSV file, one row for each term of ``company``, and for each
        contact without one who belongs to a member."""
        labels = dict(
            self.env["membri.import.column"]._fields["target"]._description_selection(self.env)
        )
        Term = self.env["membri.cotisation"].with_context(active_test=False).with_company(company)
        ids = Term.search([("company_id", "=", company.id)], order="date_start, id").ids
        balances = self._get_open_balances(company)
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow([labels[target] for target in COLUMNS])
        for batch in split_every(BATCH, ids, list):
            terms = Term.browse(batch)
            for term in terms:
                row = self._prepare_export_row(term, balances.get(term.id))
                writer.writerow([self._format_export_cell(row.get(c)) for c in COLUMNS])
            self.env.invalidate_all()  # a long list does not fill the memory
        for row in self._prepare_export_others(company):
            writer.writerow([self._format_export_cell(row.get(c)) for c in COLUMNS])
        return buffer.getvalue().encode("utf-8-sig")

    @staticmethod
    def _format_export_cell(value):
        """:return: the text of a cell; zero is an amount like any other"""
        return "" if value is None or value is False else escape_formula(str(value))

    @api.model
    def _prepare_export_others(self, company):
        """Return an iterator of ``{target: value}`` of the contacts without a term of their own who
        belong to a member: the people of companies that are members, who is in charge of several
        members; and of whoever owes an opening balance that is of no term."""
        Partner = self.env["res.partner"].with_context(active_test=False).with_company(company)
        terms = self.env["membri.cotisation"].with_context(active_test=False)
        groups = terms._read_group([("company_id", "=", company.id)], ["partner_id"])
        members = Partner.union(*(partner for (partner,) in groups))
        firms = members.filtered("is_company")
        owed = self._get_opening_debts(company)
        own = Domain("company_id", "in", (False, company.id))
        people = Domain("parent_id", "child_of", firms.ids) & Domain(
            "type", "in", ("contact", "other")
        )
        in_charge = Domain("id", "in", members.membri_responsible_id.ids)
        without_term = Domain("id", "not in", members.ids) & (people | in_charge)
        others = Partner.search(own & (without_term | Domain("id", "in", list(owed))), order="id")
        member_ids, firm_ids = set(members.ids), set(firms.ids)
        for ids in split_every(BATCH, others.ids, list):
            for partner in Partner.browse(ids):
                firm = self._get_including_firm(partner, firm_ids)
                yield {
                    **self._prepare_export_contact(partner),
                    "owner": partner.id not in member_ids and firm.id,
                    "balance": owed.get(partner.id),
                }
            self.env.invalidate_all()

    @staticmethod
    def _get_including_firm(partner, firm_ids):
        """:return: the nearest company above ``partner`` that is a member, or none"""
        firm = partner.parent_id
        while firm and firm.id not in firm_ids:
            firm = firm.parent_id
        return firm

    @api.model
    def _get_open_balances(self, company):
        """Return ``{id of a term: what is left to pay for it}``, in the company's currency; of an
        invoice for several members, the part of each."""
        # sudo: what is owed, not the invoice
        Aged_sudo = self.env["membri.aged"].sudo()
        groups = Aged_sudo._read_group(
            [("company_id", "=", company.id), ("cotisation_id", "!=", False)],
            ["cotisation_id"],
            ["residual:sum"],
        )
        return {term.id: amount for term, amount in groups if amount}

    @api.model
    def _get_opening_debts(self, company):
        """Return ``{id of a contact: what is left of its opening entry}``, of those that belong
        to no term."""
        journal_sudo = self._get_opening_journal_sudo(company, create=False)
        if not journal_sudo:
            return {}
        # sudo: entries are the accountants'; the sums are exported
        groups = (
            self.env["account.move"]
            .sudo()
            ._read_group(
                [
                    ("journal_id", "=", journal_sudo.id),
                    ("state", "=", "posted"),
                    ("membri_invoice_type", "=", False),
                ],
                ["partner_id"],
                ["amount_residual:sum"],
            )
        )
        return {partner.id: amount for partner, amount in groups if amount}

    @api.model
    def _prepare_export_row(self, term, balance):
        """:param balance: what is left to pay for it
        :return: ``{target: value}`` of one term and its member"""
        partner = term.partner_id.with_company(term.company_id)
        return {
            **self._prepare_export_contact(partner),
            "term_id": term.name,
            "level": term.option_set_id.with_context(lang="en_US").name,
            "date_start": term.date_start,
            "date_end": term.date_end,
            "status": term.state,
            "amount": term.amount_total if term.line_ids else "",
            "agreed_price": self._get_agreed_price(term),
            "options": self._format_options(term),
            "date_deceased" if term.termination_reason_id.is_death else "date_left": (
                term.date_terminated
            ),
            "balance": balance,
            **self._prepare_export_renewal(term),
        }

    @api.model
    def _prepare_export_contact(self, partner):
        responsible = partner.membri_responsible_id
        return {
            "external_id": partner.id,
            "ref": partner.ref,
            "name": partner.name,
            "is_company": "yes" if partner.is_company else "no",
            "company": not partner.is_company and (partner.parent_id.name or partner.company_name),
            "email": partner.email,
            "phone": partner.phone,
            "street": partner.street,
            "street2": partner.street2,
            "city": partner.city,
            "state": partner.state_id.code,
            "zip": partner.zip,
            "country": partner.country_id.code,
            "lang": partner.lang,
            "website": partner.website,
            "function": partner.function,
            "responsible": responsible.name,
            "responsible_email": responsible.email,
            "renewal_email": partner.membri_renewal_email,
            "auto_renew": partner.membri_auto_renew_choice,
            "member_since": partner.membri_is_since_typed and partner.membri_member_since,
            "archived": not partner.active and "yes",
        }

    @api.model
    def _get_agreed_price(self, term):
        lines = term.line_ids
        return term.amount_untaxed if lines and all(lines.mapped("is_price_agreed")) else ""

    @api.model
    def _prepare_export_renewal(self, term):
        renewal = term.renewal_ids.filtered(
            lambda r: r.state in ("draft", "sent", "change_requested", "intervention")
        )[:1]
        return {
            "renewal_state": renewal.state,
            "notice_date": renewal.date_sent
            and fields.Date.to_string(term.company_id._membri_local_date(renewal.date_sent)),
        }
