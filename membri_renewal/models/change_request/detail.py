from odoo import api, fields, models
from odoo.tools import email_normalize

# whose details members may ask to change, and which: names of fields of res.partner
DETAIL_FIELDS = {
    "contact": ("email", "phone", "street", "street2", "city", "zip", "state_id", "country_id"),
    "billing": ("name", "email", "street", "street2", "city", "zip", "state_id", "country_id"),
    "responsible": ("name", "function", "email", "phone"),
}
ADDRESS_FIELDS = {"street", "street2", "city", "zip", "state_id", "country_id"}


class MembriChangeRequestDetail(models.Model):
    """A contact detail that a member asks to change: applied by the staff, never by the
    portal itself."""

    _name = "membri.change.request.detail"
    _description = "Contact Detail in a Change Request"
    _inherit = "membri.fields.mixin"
    _written_by_clients = False
    _order = "id"

    request_id = fields.Many2one(
        "membri.change.request", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="request_id.company_id", store=True, index=True)
    subject = fields.Selection(
        [
            ("contact", "Contact details"),
            ("billing", "Billing address"),
            ("responsible", "Membership contact"),
        ],
        required=True,
    )
    field_name = fields.Char(required=True)
    label = fields.Char(string="Detail", compute="_compute_label")
    old_value = fields.Char(string="Current")
    new_value = fields.Char(string="Requested", required=True)
    value_id = fields.Integer(help="Record that the requested value refers to, e.g. a country.")

    @api.depends("field_name")
    @api.depends_context("lang")
    def _compute_label(self):
        labels = self._get_labels()
        for detail in self:
            detail.label = labels.get(detail.field_name)

    def _get_labels(self):
        """:return: the names of the details, as members and staff read them"""
        return {
            "name": self.env._("Name"),
            "function": self.env._("Position"),
            "email": self.env._("Email"),
            "phone": self.env._("Phone"),
            "street": self.env._("Street and number"),
            "street2": self.env._("Suite, floor"),
            "city": self.env._("City"),
            "zip": self.env._("Postal code"),
            "state_id": self.env._("Province or state"),
            "country_id": self.env._("Country"),
        }

    def _get_subject_label(self):
        self.ensure_one()
        return dict(self._fields["subject"]._description_selection(self.env))[self.subject]

    def _get_sentence(self):
        self.ensure_one()
        values = {
            "subject": self._get_subject_label(),
            "label": self.label,
            "new": self.new_value,
            "old": self.old_value,
        }
        if self.old_value and self.old_value != self.new_value:
            return self.env._("%(subject)s, %(label)s: %(new)s (was %(old)s).", **values)
        return self.env._("%(subject)s, %(label)s: %(new)s.", **values)

    # ------------------------------------------------------------------
    # Apply
    # ------------------------------------------------------------------

    def _apply(self):
        """Write the details on the contacts that they are about.

        :return: whether an address has changed, on which taxes may depend
        """
        effects = {
            "contact": self._apply_contact,
            "billing": self._apply_billing,
            "responsible": self._apply_responsible,
        }
        for (request, subject), details in self.grouped(
            lambda detail: (detail.request_id, detail.subject)
        ).items():
            vals = {detail.field_name: detail.value_id or detail.new_value for detail in details}
            member = request.partner_id.with_company(request.renewal_id.company_id)
            effects[subject](member, vals)
        return bool(ADDRESS_FIELDS & set(self.mapped("field_name")))

    def _apply_contact(self, member, vals):
        member.write(vals)

    def _apply_billing(self, member, vals):
        address = member._membri_get_own_billing_address()
        if address:
            address.write(vals)
        else:
            address.create({"parent_id": member.id, "type": "invoice", **vals})

    def _apply_responsible(self, member, vals):
        """Another name is another person: one who is known already, or a new contact."""
        person = member.membri_responsible_id
        if not person or vals.get("name", person.name) != person.name:
            person = member._membri_find_colleague(vals.get("name"), vals.get("email"))
        if person:
            person.write(vals)
        else:
            # who is in charge of a person's membership is no contact of the employer for it
            parent = member if member.commercial_partner_id == member else person
            person = person.create({"parent_id": parent.id, "type": "contact", **vals})
        member.membri_responsible_id = person


class ResPartner(models.Model):
    """The contacts that a change request is about."""

    _inherit = "res.partner"

    def _membri_get_own_billing_address(self):
        """Odoo's invoice address of this very member, if it has one: that of a parent
        company serves others too, and is left alone"""
        self.ensure_one()
        return self.child_ids.filtered(lambda contact: contact.type == "invoice")[:1]

    def _membri_find_colleague(self, name, email):
        """The contact of the member's company with this name and this address, if
        there is one. The address alone is not enough: many share ``info@``."""
        self.ensure_one()
        name, email = (name or "").casefold(), email_normalize(email)
        if not name or not email:
            return self.browse()
        return self.search(
            [
                ("id", "child_of", self.commercial_partner_id.id),
                ("email_normalized", "=", email),
            ]
        ).filtered(lambda contact: contact.name and contact.name.casefold() == name)[:1]

    def _membri_get_detail_target(self, subject):
        """:param subject: of a ``membri.change.request.detail``
        :return: the contact whose details these are, if there is one yet"""
        self.ensure_one()
        if subject == "contact":
            return self
        if subject == "billing":
            return self._membri_get_own_billing_address()
        return self.membri_responsible_id
