from collections import defaultdict

from odoo import api, fields, models

from ..cotisation.cotisation import LIVING_STATES
from .renewal import UNDECIDED_STATES

ACTIVITY = "membri_renewal.activity_archived"


class ResPartner(models.Model):
    """Contacts are archived: by an officer, or by a member who deletes the login on the portal.
    Nothing is sent or invoiced to them; what they still have is held for the staff, in a queue
    and with an activity, until the contact is restored, somebody else pays, or it is decided."""

    _inherit = "res.partner"

    def _membri_get_archived_reason(self):
        """Why nothing goes out for this member (a sentence), or ``False``: when it is
        in use, or somebody else pays who is"""
        self.ensure_one()
        if self.sudo().active:  # whether a contact is in use is no secret
            return False
        if self._membri_get_payer() != self:
            return False
        return self.env._(
            "The contact %(member)s is archived: nothing is sent or invoiced. Unarchive "
            "the contact, or choose another invoice address.",
            member=self.sudo().display_name,
        )

    def _membri_follow_archiving(self):
        """Called when these contacts were archived or restored."""
        if not self:
            return
        # Odoo keeps the addresses of a contact as they were read before
        self.parent_id.invalidate_recordset(["child_ids"])
        for company in self.env["res.company"]._membri_get_all():
            lang = company._membri_get_staff_lang()
            # sudo: whoever archives contacts, or deletes the own login, need not see memberships
            partners_sudo = self.sudo().with_company(company).with_context(lang=lang)
            archived = partners_sudo.filtered(lambda partner: not partner.active)
            archived._membri_hold_archived()
            (partners_sudo - archived)._membri_release_restored()

    def _membri_get_open_renewals(self):
        """:return: the open renewals of these members, and those whose open invoice they pay"""
        Renewal = self.env["membri.renewal"]
        company_domain = [("company_id", "=", self.env.company.id), ("is_open", "=", True)]
        return Renewal.search([*company_domain, ("partner_id", "in", self.ids)]) | Renewal.search(
            [*company_domain, ("state", "=", "approved"), ("invoice_id.partner_id", "in", self.ids)]
        )

    def _membri_get_open_enrolment_invoices(self):
        """:return: what these contacts have to pay for terms that no renewal is about"""
        return (
            self.env["membri.cotisation"]
            .search(
                [
                    ("company_id", "=", self.env.company.id),
                    ("state", "=", "pending"),
                    ("renewal_id", "=", False),
                    ("invoice_id.partner_id", "in", self.ids),
                ]
            )
            .invoice_id
        )

    def _membri_hold_archived(self):
        if not self:
            return
        renewals = self._membri_get_open_renewals()
        renewals.filtered(lambda r: r.state in UNDECIDED_STATES)._hold_archived()
        for renewal in renewals.filtered(lambda r: r.state == "approved"):
            sentence = renewal._get_archived_invoice_sentence()
            renewal._schedule_once(ACTIVITY, sentence)
            renewal._mark_payer_archived(sentence)
        for invoice in self._membri_get_open_enrolment_invoices():
            invoice._membri_ask_officer(
                self.env._(
                    "%(contact)s is archived and %(document)s is not paid. Unarchive the contact, "
                    "or cancel the invoice.",
                    contact=invoice.partner_id._membri_get_names(),
                    document=invoice._membri_get_document_label(),
                ),
                ACTIVITY,
            )
        self._membri_ask_about_living_terms(renewals.partner_id)

    def _membri_ask_about_living_terms(self, known):
        """:param known: those of these archived contacts that stand in a queue already"""
        terms = self.env["membri.cotisation"].search(
            [
                ("company_id", "=", self.env.company.id),
                ("partner_id", "in", self.ids),
                ("state", "in", LIVING_STATES),
                ("date_terminated", "=", False),  # else it is ended already
            ]
        )
        assignee = self.env.company._membri_get_assignee()
        for partner, members_terms in (terms.grouped("partner_id")).items():
            member = partner._membri_noted_for(self.env.company)
            if partner in known or member.activity_search([ACTIVITY]):
                continue
            member.activity_schedule(
                ACTIVITY,
                summary=self.env._(
                    "%(member)s is archived but has the term %(cotisation)s (%(term)s). "
                    "Unarchive the contact, or end the membership.",
                    member=partner._membri_get_names(),
                    cotisation=members_terms[0].name,
                    term=members_terms[0].term_display,
                ),
                user_id=assignee.id,
            )

    def _membri_end_archived_activities(self):
        """Called when the terms of these members have changed: an archived contact without a
        living term is nobody's task any more."""
        # sudo: the activity may be somebody else's
        archived_sudo = self.sudo().filtered(lambda partner: not partner.active)
        if not archived_sudo:
            return
        living = (
            self.env["membri.cotisation"]
            .sudo()
            ._read_group(
                [
                    ("partner_id", "in", archived_sudo.ids),
                    ("state", "in", LIVING_STATES),
                    ("date_terminated", "=", False),
                ],
                ["partner_id", "company_id"],
            )
        )
        living_in = defaultdict(set)
        for partner, company in living:
            living_in[partner.id].add(company.id)
        archived_sudo.activity_search([ACTIVITY]).filtered(
            lambda activity: (
                activity.membri_company_id.id not in living_in[activity.res_id]
                if activity.membri_company_id
                else not living_in[activity.res_id]
            )
        ).unlink()

    def _membri_tell_archived_terms(self, company):
        """Called when terms of these members in ``company`` have changed: a contact may have been
        archived before its term was recorded, imported, or came back."""
        lang = company._membri_get_staff_lang()
        # sudo: the question is the officer's, whoever changes terms
        archived_sudo = (
            self.sudo()
            .filtered(lambda partner: not partner.active)
            .with_company(company)
            .with_context(lang=lang)
            .filtered(lambda partner: partner._membri_get_archived_reason())
        )
        if archived_sudo:
            known_sudo = archived_sudo._membri_get_open_renewals().partner_id
            archived_sudo._membri_ask_about_living_terms(known_sudo)

    def _membri_release_restored(self):
        if not self:
            return
        renewals = self._membri_get_open_renewals()
        invoices = self._membri_get_open_enrolment_invoices()
        for records in (self._membri_noted_for(self.env.company), renewals, invoices):
            records.activity_search([ACTIVITY], only_automated=False).unlink()
        renewals._release_restored()


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    is_held_archived = fields.Boolean(
        string="On Hold: Contact Archived",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="On hold because the contact is archived. Unarchive the contact to continue.",
    )

    is_contact_archived = fields.Boolean(
        string="Contact or Payer Archived",
        compute="_compute_is_contact_archived",
        groups="base.group_user",
        help="Nothing is sent or invoiced: the contact and its payer are archived.",
    )

    @api.depends("partner_id.active", "state")
    def _compute_is_contact_archived(self):
        for renewal in self:
            renewal.is_contact_archived = bool(
                renewal.state in UNDECIDED_STATES and renewal._get_archived_reason()
            )

    def _mark_payer_archived(self, sentence):
        """No email reaches an archived payer: the renewal stands in that queue, with the reason."""
        self.ensure_one()
        if not self._get_invoice_sudo().partner_id.active:
            self._internal_write(
                {
                    "delivery_state": "unreachable",
                    "delivery_note": sentence,
                    "letter_state": False,
                }
            )
            self._drop_waiting_reminders(sentence)

    def _get_archived_invoice_sentence(self):
        self.ensure_one()
        payer_sudo = self._get_invoice_sudo().partner_id
        member_sudo = self.partner_id.sudo()  # sudo: a name only
        if payer_sudo.active:
            return self.env._(
                "%(contact)s is archived and %(document)s is not paid: reminders go to "
                "%(payer)s. Unarchive the contact, or reset the renewal.",
                contact=member_sudo._membri_get_names(),
                document=self._get_invoice_sudo()._membri_get_document_label(),
                payer=payer_sudo._membri_get_names(),
            )
        return self.env._(
            "%(contact)s is archived and %(document)s is not paid, so no reminder is "
            "sent. Unarchive the contact, or reset the renewal.",
            contact=payer_sudo._membri_get_names(),
            document=self._get_invoice_sudo()._membri_get_document_label(),
        )

    def _hold_archived(self):
        """Hold undecided renewals for the staff; one that is held already keeps its reason."""
        held = self.filtered(lambda r: r.state != "intervention" and r._get_archived_reason())
        for renewal in held:
            # the term's own activity is done: the renewal has one now
            # sudo: the activity may be somebody else's
            member_sudo = renewal.partner_id.sudo()._membri_noted_for(renewal.company_id)
            member_sudo.activity_unlink([ACTIVITY])
            renewal._do_require_intervention(renewal._get_archived_reason())
        held._internal_write({"is_held_archived": True})
        return held

    def _release_restored(self):
        """The contact is in use again, or somebody else pays: go on from where it was."""
        reached = self.filtered(
            lambda r: (
                r.state == "approved"
                and r.delivery_state == "unreachable"
                and not r._get_unreachable_reason()
            )
        )
        for renewal in reached:
            invoice_sudo = renewal._get_invoice_sudo()
            if invoice_sudo.membri_date_sent:
                renewal._internal_write({"delivery_state": "delivered", "delivery_note": False})
                continue
            invoice_sudo._membri_mark_failed(
                renewal.env._(
                    "%(contact)s is no longer archived, and %(document)s was not sent. "
                    "Use “Retry”.",
                    contact=invoice_sudo.partner_id._membri_get_names(),
                    document=invoice_sudo._membri_get_document_label(),
                )
            )
        reached.filtered(lambda r: r._is_on_paper())._queue_letters()
        held = self.filtered(lambda r: r.is_held_archived and not r._get_archived_reason())
        held._clear_intervention()
        for renewal in held.filtered(lambda r: r.state == "draft"):
            renewal._schedule_once(
                ACTIVITY,
                renewal.env._(
                    "%(member)s is no longer archived. Send the notice, or approve the renewal.",
                    member=renewal.partner_id._membri_get_names(),
                ),
            )
