from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.modules.db import FunctionStatus

from .res_partner import READERS


def _get_name_trigram(registry):
    """The search for a member by a part of the name looks into all contacts; Odoo's own index of
    names answers beginnings and the order only."""
    usable = registry.has_unaccent in (FunctionStatus.MISSING, FunctionStatus.INDEXABLE)
    if not (registry.has_trigram and usable):
        return ""
    return f"USING gin ({registry.unaccent('complete_name')} gin_trgm_ops)"


class ResPartner(models.Model):
    """What the tabs *Abonnement* and *Facturation* show beside the facts."""

    _inherit = "res.partner"

    # the search for a part of a member's name
    _membri_name_trigram = models.Index(_get_name_trigram)

    def _membri_get_names(self):
        """Return the names in one sentence, for readers: without the company that Odoo puts
        before them, whose comma reads as one more name."""
        return ", ".join(partner._membri_get_name() for partner in self)

    def _membri_get_name(self):
        """Return one name without a comma: an address without a name is whose it is, and one with
        a name, as “Accounting”, says whose."""
        self.ensure_one()
        if not self.name:
            return self._membri_get_greeting() or self.display_name
        whose = self.type not in (False, "contact") and self.parent_name
        return f"{self.name} ({whose})" if whose and whose != self.name else self.name

    def _membri_get_greeting(self):
        """Return who is spoken to in an email: an address without a name is whose it is, where Odoo
        would say “Ada Boulanger, Invoice”; nobody, of no contact."""
        # sudo: whose address it is, which the email goes to anyway
        contact_sudo = self.sudo()
        while contact_sudo and not contact_sudo.name:
            contact_sudo = contact_sudo.parent_id
        return contact_sudo.name or ""

    membri_can_edit = fields.Boolean(
        string="Can Edit Membership", compute="_compute_membri_can_edit", groups=READERS
    )
    membri_company_status = fields.Selection(
        related="commercial_partner_id.membri_status",
        string="Company Membership",
        groups=READERS,
    )
    membri_company_date_end = fields.Date(
        related="commercial_partner_id.membri_date_end",
        string="Company Membership Ends",
        groups=READERS,
    )
    # no One2many with a domain on the status: Odoo evaluates that whenever anybody changes the
    # parent of a contact, also somebody who may not read the status
    membri_member_child_ids = fields.Many2many(
        "res.partner",
        compute="_compute_membri_member_child_ids",
        string="Members in This Company",
        groups=READERS,
        help="People at this company who are, or were, members themselves.",
    )
    membri_renewal_count = fields.Integer(
        string="Renewal Count", compute="_compute_membri_counts", groups=READERS
    )
    membri_cotisation_count = fields.Integer(
        string="Membership Term Count", compute="_compute_membri_counts", groups=READERS
    )
    membri_invoice_count = fields.Integer(
        string="Membership Invoice Count", compute="_compute_membri_invoice_count", groups=READERS
    )
    # not tracked, as the field of the renewal is: the contact is that of other companies as well
    membri_renewal_state = fields.Selection(
        related="membri_renewal_id.state", string="Renewal Status", tracking=False, groups=READERS
    )
    membri_renewal_term = fields.Char(
        related="membri_renewal_id.term_display", string="Proposed Period", groups=READERS
    )
    membri_renewal_currency_id = fields.Many2one(
        related="membri_renewal_id.currency_id", string="Renewal Currency", groups=READERS
    )
    membri_renewal_amount = fields.Monetary(
        related="membri_renewal_id.amount_total",
        string="Proposed Total",
        currency_field="membri_renewal_currency_id",
        groups=READERS,
    )
    membri_renewal_date_sent = fields.Datetime(
        related="membri_renewal_id.date_sent", string="Notice Sent On", groups=READERS
    )
    membri_can_renew = fields.Boolean(
        related="membri_cotisation_id.can_prepare_renewal", string="Can Be Renewed", groups=READERS
    )

    @api.depends("child_ids.membri_status")
    @api.depends_context("company")
    def _compute_membri_member_child_ids(self):
        for partner in self:
            partner.membri_member_child_ids = partner.child_ids.filtered(
                lambda child: child.membri_status and child.membri_status != "non_member"
            )

    @api.depends_context("uid")
    def _compute_membri_can_edit(self):
        self.membri_can_edit = self.env.user.has_group("membri_renewal.group_membri_user")

    @api.depends_context("allowed_company_ids")
    def _compute_membri_counts(self):
        counts = {}
        for model in ("membri.renewal", "membri.cotisation"):
            counts[model] = dict(
                self.env[model]._read_group(
                    [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
                )
            )
        for partner in self:
            origin = partner._origin
            partner.membri_renewal_count = counts["membri.renewal"].get(origin, 0)
            partner.membri_cotisation_count = counts["membri.cotisation"].get(origin, 0)

    @api.depends("membri_invoice_ids")
    @api.depends_context("company")
    def _compute_membri_invoice_count(self):
        for partner in self:
            partner.membri_invoice_count = len(partner.membri_invoice_ids)

    def action_membri_prepare_renewal(self):
        """Prepare the renewal of the current term by hand."""
        self.ensure_one()
        if not self.membri_cotisation_id:
            raise UserError(
                self.env._(
                    "%(member)s has no membership term to renew. Use “Enroll” instead.",
                    member=self._membri_get_names(),
                )
            )
        return self.membri_cotisation_id.action_prepare_renewal()

    def action_membri_follow_option_set(self):
        """Drop the Automatic Renewal that was chosen by hand: the option set decides again."""
        self.write({"membri_auto_renew_choice": False})
        return True

    def action_membri_view_invoices(self):
        """All membership invoices of this member, whoever pays them."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_invoice"
        )
        return {**action, "domain": [("id", "in", self.membri_invoice_ids.ids)]}
