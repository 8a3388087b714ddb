from odoo import api, fields, models
from odoo.fields import Command, Domain

from ..doors.key import PAYER_TIES
from ..res_partner import READERS
from .cotisation import LIVING_STATES


class ResPartner(models.Model):
    """Who pays for a member, and whether one invoice for all of their members is wanted."""

    _inherit = "res.partner"

    membri_group_invoices = fields.Boolean(
        string="Single Invoice for All Members",
        company_dependent=True,
        groups=READERS,
        copy=False,
        index="btree_not_null",
        help="Issue one invoice for all members this contact pays for (a family, a company's "
        "branches or employees), when they are approved together.",
    )

    membri_address_unconfirmed = fields.Boolean(
        string="Address to Confirm",
        compute="_compute_membri_address_unconfirmed",
        store=True,
        readonly=False,
        groups=READERS,
        copy=False,
        help="Added on the portal. This address is not used to invoice other members until it "
        "is confirmed.",
    )

    @api.depends("type")
    def _compute_membri_address_unconfirmed(self):
        """Kept, since who made the address may be deleted later."""
        for partner in self:
            is_address = partner.type == "invoice"
            partner.membri_address_unconfirmed = is_address and partner.create_uid.share

    def _membri_get_payer(self):
        """Who is invoiced for this member: its invoice address as Odoo resolves it;
        without one, that of the nearest parent who wants one invoice for all"""
        self.ensure_one()
        payer = self._membri_get_invoice_address()
        parent_sudo = self.sudo().parent_id  # the flag is the officers', the payer a fact
        while payer == self and parent_sudo:
            if parent_sudo.active and parent_sudo.membri_group_invoices:
                payer = self.browse(parent_sudo._membri_get_invoice_address().id)
            parent_sudo = parent_sudo.parent_id
        return payer

    def _membri_get_invoice_address(self):
        """The invoice address as Odoo resolves it, or this contact where it is not in
        use. Odoo lets each portal user of a company add one: those are passed over"""
        self.ensure_one()
        addresses = self.address_get(["invoice"])
        if addresses["invoice"] == self.id:
            # mostly so: its fields are read together with those of the others
            return self
        # sudo: which addresses there are, in use or confirmed, is no secret
        address_sudo = self.sudo().browse(addresses["invoice"])
        if address_sudo.type == "invoice" and not self._membri_trusts_address(address_sudo):
            address_sudo = self.sudo()._membri_find_trusted_address() or address_sudo.browse(
                addresses["contact"]
            )
        return self.browse(address_sudo.id) if address_sudo.active else self

    def _membri_trusts_address(self, address_sudo):
        """Whether this contact is invoiced at an address: one of the staff's, one that an
        officer has confirmed, or one that the contact added to itself."""
        return not address_sudo.membri_address_unconfirmed or (
            address_sudo.parent_id == self and address_sudo.create_uid.partner_id == self
        )

    def _membri_find_trusted_address(self):
        """The order of Odoo's ``address_get``: what is below this contact, then below those
        above it, up to the company.

        :return: the first invoice address that this contact trusts, or nothing"""
        start, visited = self, self.browse()
        while start:
            to_scan = [start]
            while to_scan:
                contact = to_scan.pop(0)
                visited += contact
                if contact.type == "invoice" and self._membri_trusts_address(contact):
                    return contact
                to_scan[:0] = (contact.child_ids - visited).filtered(lambda c: not c.is_company)
            start = self.browse() if start.is_company else start.parent_id
        return self.browse()

    def _membri_get_grouping_payer(self):
        """The payer of this member, if its invoices are to be grouped, else nothing.
        The wish stands on the payer's address or on a contact that it belongs to."""
        payer = self._membri_get_payer()
        contact_sudo = payer.sudo()  # sudo: who pays for whom is no question of rights
        while contact_sudo:
            if contact_sudo.membri_group_invoices:
                return payer
            contact_sudo = contact_sudo.parent_id
        return self.browse()

    def _membri_get_changed_ties(self, vals):
        """An import writes all of its columns, most of them as they are.

        :param vals: that are about to be written
        :return: the names among them that may change who pays for whom"""

        def is_changing(name):
            field = self._fields[name]
            value = field.convert_to_cache(vals[name], self, validate=False)
            # of an address that somebody added on the portal it is asked again who made it
            return (name, value) == ("type", "invoice") or any(
                field.convert_to_cache(contact[name], contact, validate=False) != value
                for contact in self.sudo()  # sudo: who pays for whom is no secret
            )

        return set(filter(is_changing, PAYER_TIES & vals.keys()))

    def _membri_get_payers_of_open(self, names, parents=None):
        """:param names: of the fields that are about to be written
        :param parents: the contacts that ``self``, or a new contact, is put below
        :return: ``{membri.cotisation: res.partner}``, in sudo: the terms whose invoice is open and
            whose payer that may change, with who pays for them now"""
        if not PAYER_TIES & names:
            return {}
        # sudo: who pays for whom is no question of what the user may read
        contacts_sudo = (self | (parents or self.browse())).sudo()
        tops = {contact._membri_get_top_parent().id for contact in contacts_sudo}
        # sudo: as above
        terms_sudo = (
            self.env["membri.cotisation"]
            .sudo()
            .search(
                Domain("partner_id", "child_of", list(tops))
                & Domain("state", "in", LIVING_STATES)
                & Domain("invoice_id.state", "in", ("draft", "posted"))
                & Domain("invoice_id.payment_state", "in", ("not_paid", "partial"))
                & Domain("invoice_id.amount_total", ">", 0.0)
            )
        )
        return {term: term._get_payer() for term in terms_sudo}

    def _membri_follow_payers(self, payers):
        """Called when these contacts, or those above them, have changed.

        :param payers: as :meth:`_membri_get_payers_of_open` found them before"""
        if payers:
            # Odoo keeps the addresses of a contact as they were read before
            self.env["res.partner"].invalidate_model(["child_ids"])
            self.env["account.move"]._membri_follow_payers_of_open(payers)

    def _membri_get_top_parent(self):
        self.ensure_one()
        top = self
        while top.parent_id:
            top = top.parent_id
        return top


class MembriTermMixin(models.AbstractModel):
    """Whose invoices are one: asked of terms, and of proposals before they are approved."""

    _inherit = "membri.term.mixin"

    def _get_payer(self):
        self.ensure_one()
        partner = self.partner_id.with_company(self.company_id)
        # sudo: who pays is a fact, also where the contact was given to another company since
        return partner.sudo()._membri_get_payer().with_env(partner.env)

    def _get_grouping_payer(self):
        self.ensure_one()
        partner = self.partner_id.with_company(self.company_id)
        # sudo: as above
        return partner.sudo()._membri_get_grouping_payer().with_env(partner.env)

    def _group_for_invoices(self):
        """Return a list of recordsets, each to be invoiced together: of one payer, company,
        currency and day; the payment terms are the payer's."""

        def get_key(term):
            payer = term._get_grouping_payer()
            if not payer:
                return term.id
            return (
                payer,
                term.company_id,
                term.currency_id,
                term._get_invoice_date(),
            )

        return list(self.grouped(get_key).values())

    def _split_for_isolation(self, effect):
        # EXTENDS state_mixin: a bad record does not split the invoice of the others
        groups = list(self.grouped(lambda term: term.sudo()._get_grouping_payer() or term).values())
        return groups if len(groups) > 1 else self._split_off_failing(effect)


class MembriCotisation(models.Model):
    """One invoice for several cotisations, where their payer wants it."""

    _inherit = "membri.cotisation"

    def _prepare_shared_invoice_vals(self, invoice_type):
        """:return: values of the one invoice of ``self``, which may be a single cotisation"""
        all_vals = [cotisation._prepare_invoice_vals(invoice_type) for cotisation in self]
        vals = all_vals[0]
        if len(self) == 1:
            return vals
        users = {other["invoice_user_id"] for other in all_vals}
        return {
            **vals,
            "membri_renewal_id": False,  # several: see membri_renewal_ids
            "invoice_origin": ", ".join(other["invoice_origin"] for other in all_vals),
            "invoice_user_id": (
                users.pop() if len(users) == 1 else self.company_id._membri_get_officer().id
            ),
            "invoice_line_ids": [
                command
                for cotisation, other in zip(self, all_vals, strict=True)
                for command in cotisation._name_member_in_lines(other["invoice_line_ids"])
            ],
        }

    def _name_member_in_lines(self, commands):
        """The lines of a member whom somebody else pays for carry the name already; those of
        a payer who is a member too need it beside the others'."""
        self.ensure_one()
        if self._get_payer() != self.partner_id:
            return commands
        return [
            Command.create({**vals, "name": f"{vals['name']}\n{self.partner_id.display_name}"})
            for _operation, _id, vals in commands
        ]

    def _with_invoice_group(self, domain):
        """:param domain: the cotisations that are due
        :return: ``self``, with all due cotisations that go on the same invoices"""
        # sudo: who pays for whom is no question of rights
        Partner_sudo = self.env["res.partner"].sudo()
        found = self
        for company, terms in self.grouped("company_id").items():
            flagged = Partner_sudo.with_company(company).search_count(
                [("membri_group_invoices", "=", True)], limit=1
            )
            if not flagged:
                continue
            payers = {payer for term in terms if (payer := term._get_grouping_payer())}
            tops_sudo = Partner_sudo.union(
                *(payer.sudo()._membri_get_top_parent() for payer in payers)
            )
            candidates = self.search(
                domain
                & Domain("company_id", "=", company.id)
                & Domain("partner_id", "child_of", tops_sudo.ids)
                & Domain("id", "not in", found.ids)
            )
            found |= candidates.filtered(lambda c, p=payers: c._get_grouping_payer() in p)
        return found
