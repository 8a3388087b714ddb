from odoo import models
from odoo.fields import Domain


class ResPartner(models.Model):
    """Whose a membership is: a person's is that person's, their person in charge's and their
    payer's; a company's is its contacts', and those of whoever is in charge of it or pays.

    Asked by record rules, pages, answers, documents and mails alike. A contact acts for itself
    and for the company that it is a contact of; a colleague is nobody to a personal membership.
    """

    _inherit = "res.partner"

    # ------------------------------------------------------------------
    # The memberships of a contact
    # ------------------------------------------------------------------

    def _membri_get_whose_domain(self):
        """The terms and renewals (of any model with a member and a company) that are
        this contact's: ``Domain``; ``filtered_domain`` asks it of records"""
        self.ensure_one()
        acting_sudo, payers_sudo = self._membri_get_represented()
        domain = Domain("partner_id", "in", acting_sudo.ids)
        # sudo: of every organisation, whichever the visitor's account was made for
        for company_sudo in self.env["res.company"].sudo().search(Domain.TRUE):
            members = payers_sudo.with_company(company_sudo)._membri_get_paid_members()
            members |= members.search([("membri_responsible_id", "in", acting_sudo.ids)])
            if members:
                domain |= Domain("company_id", "=", company_sudo.id) & Domain(
                    "partner_id", "in", members.ids
                )
        return domain

    def _membri_get_whose_invoice_domain(self):
        """The membership invoices of this contact: those that are addressed to it, and
        those about memberships that are all its own: an invoice that serves others as well
        would tell of them"""
        self.ensure_one()
        _acting_sudo, payers_sudo = self._membri_get_represented()
        own = Domain("membri_cotisation_id", "any", self._membri_get_whose_domain())
        foreign = Domain("membri_cotisation_id", "!=", False) & ~own
        return Domain("membri_invoice_type", "!=", False) & (
            Domain("partner_id", "in", payers_sudo.ids)
            | (Domain("line_ids", "any", own) & Domain("line_ids", "not any", foreign))
        )

    def _membri_serves_memberships(self):
        """:return: whether this contact is a member, is in charge of one, or pays for one"""
        self.ensure_one()
        # sudo: of every organisation, whichever the visitor's account was made for
        contact_sudo = self.sudo()
        if contact_sudo.membri_cotisation_ids:
            return True
        for company in self.env["res.company"]._membri_get_all():
            there = contact_sudo.with_company(company)
            if there.search_count([("membri_responsible_id", "=", self.id)], limit=1):
                return True
            if there._membri_get_paid_members():
                return True
        return False

    def _membri_get_whose_rule(self):
        """The same as :meth:`_membri_get_whose_domain`, for record rules"""
        return self._membri_decide_at_query(lambda contact: contact._membri_get_whose_domain())

    def _membri_get_whose_invoice_rule(self):
        """The same as :meth:`_membri_get_whose_invoice_domain`, for record rules"""
        return self._membri_decide_at_query(
            lambda contact: contact._membri_get_whose_invoice_domain()
        )

    def _membri_decide_at_query(self, get_domain):
        """Odoo keeps the domains of record rules, while people change employers and payers:
        the question is asked anew by each query."""
        contact_id = self.id

        def to_sql(model, alias, query):
            domain = get_domain(model.env["res.partner"].browse(contact_id))
            return domain.optimize_full(model)._to_sql(model, alias, query)

        return Domain.custom(to_sql=to_sql)

    def _membri_get_represented(self):
        """``(acting, payers)``, in sudo: for whom this contact acts, itself and the
        company that it is a contact of (directly or by one of its addresses, not through one
        of its people); and as which payers: the same, and its own billing addresses"""
        self.ensure_one()
        # sudo: which contacts belong together is no question of what the visitor may read
        self_sudo = self.sudo().with_context(active_test=False)
        acting_sudo, contact_sudo = self_sudo, self_sudo
        while not contact_sudo.is_company and (parent_sudo := contact_sudo.parent_id):
            if parent_sudo.is_company:
                acting_sudo |= parent_sudo
            if parent_sudo.type == "contact":
                break
            contact_sudo = parent_sudo
        addresses_sudo = self_sudo.child_ids.filtered(lambda child: child.type == "invoice")
        return acting_sudo, acting_sudo | addresses_sudo

    def _membri_get_paid_members(self):
        """The members, in the company of the environment, that one of ``self`` pays
        for, other than itself"""
        tops = self.browse().union(*(contact._membri_get_top_parent() for contact in self))
        relatives = (
            Domain("id", "child_of", tops.ids)
            & Domain("id", "not in", self.ids)
            & Domain("membri_cotisation_ids.company_id", "=", self.env.company.id)
        )
        if not self._membri_may_pay_for_others():
            # a member that is a mere address gives way to what it is an address of
            relatives &= Domain("type", "!=", "contact")
        payers = self.search(relatives)._membri_get_payers()
        return self.browse().union(*(member for member in payers if payers[member] in self))

    def _membri_may_pay_for_others(self):
        """Whether one of ``self`` may be the payer of somebody else: a cheap look that
        saves reading all people of an employer"""
        if "invoice" in self.mapped("type"):
            return True
        contacts = self
        while contacts:
            if any(contacts.mapped("membri_group_invoices")):
                return True
            contacts = contacts.parent_id
        return False

    def _membri_get_payers(self):
        """``{member: payer}``; siblings without addresses of their own, be they the
        thousands of an employer, cost one look-up"""
        payers, shared = {}, {}
        for member in self.with_context(active_test=True):  # nobody pays by an archived address
            parent = member.parent_id
            if not parent or member.is_company or member.type != "contact" or member.child_ids:
                payers[member] = member._membri_get_payer()
                continue
            if parent not in shared:
                payer = member._membri_get_payer()
                shared[parent] = payer if payer != member else self.browse()
            payers[member] = shared[parent] or member
        return payers

    # ------------------------------------------------------------------
    # Who is told of a membership
    # ------------------------------------------------------------------

    def _membri_get_concerned_parents(self):
        """Above a company, its parents are told of its membership. Above a person is mostly an
        employer, who has to do with a personal membership only by paying for it.

        :return: ``{member: contacts above it who may read its notices, in sudo}``
        """
        # sudo: who belongs together is no question of rights
        parents = {
            member: (member.parent_id | member.commercial_partner_id) - member
            for member in self.sudo()
        }
        persons_sudo = self.sudo().filtered(
            lambda member: parents[member] and not member.is_company
        )
        for person, payer in persons_sudo._membri_get_payers().items():
            parents[person] &= payer._membri_get_address_owners()
        return parents

    def _membri_get_address_owners(self):
        """This contact and, where it is a mere address, the contacts that it is an
        address of"""
        self.ensure_one()
        owners = self
        while owners[-1:].type != "contact" and (parent := owners[-1:].parent_id - owners):
            owners += parent
        return owners
