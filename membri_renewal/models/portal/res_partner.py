from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import email_normalize

from ..mixins.formats import format_day

STATUS_LEVELS = {
    "active": "success",
    "in_renewal": "warning",
    "pending": "warning",
    "inactive": "secondary",
    "non_member": "secondary",
}
NAME_MAX_LENGTH = 200


class ResPartner(models.Model):
    """*My membership*: what a member is told of its own standing, and what it may ask of the
    staff. Everything here is about one company: call it ``with_company``."""

    _inherit = "res.partner"

    def _membri_get_portal_status(self):
        """:return: ``(level, label)`` of a badge"""
        self.ensure_one()
        status = self.membri_status or "non_member"
        label = {
            "active": self.env._("Member"),
            "in_renewal": self.env._("Member, renewal in progress")
            if self.membri_is_member
            else self.env._("Renewal in progress"),
            "pending": self.env._("Awaiting payment"),
            "inactive": self.env._("Former member"),
            "non_member": self.env._("Not a member"),
        }[status]
        return STATUS_LEVELS[status], label

    def _membri_get_portal_sentences(self):
        """:return: where the membership stands, as a list of sentences"""
        self.ensure_one()
        status = self.membri_status or "non_member"
        end = self._membri_get_paid_until() if status == "active" else self.membri_date_end
        day = format_day(self.env, end) if end else ""
        if status == "active" and not end:
            return [self.env._("%(member)s is a member for life.", member=self.name)]
        if status == "active":
            return [
                self.env._("%(member)s is a member until %(date)s.", member=self.name, date=day)
            ]
        if status == "pending":
            return [
                self.env._(
                    "%(member)s will be a member once the invoice is paid.",
                    member=self.name,
                )
            ]
        if status == "non_member":
            return [self.env._("%(member)s is not currently a member.", member=self.name)]
        sentences = [
            self.env._("%(member)s was a member until %(date)s.", member=self.name, date=day)
        ]
        if status == "inactive":
            return [*sentences, self.env._("We would love to have you back. Contact us.")]
        if self.membri_is_member:
            grace = fields.Date.add(end, days=self.membri_option_set_id.grace_days)
            return [
                *sentences,
                self.env._(
                    "You keep your benefits until %(date)s while you renew.",
                    date=format_day(self.env, grace),
                ),
            ]
        return [*sentences, self.env._("Your renewal is in progress.")]

    def _membri_get_paid_until(self):
        """Return the last day of the current term and of those that follow it without a gap, and
        are paid already; ``False`` for life."""
        # sudo: members read no terms; these are their own
        terms_sudo = self.sudo().membri_cotisation_ids.filtered(
            lambda term: term.company_id == self.env.company and term.state == "scheduled"
        )
        end = self.membri_date_end
        for term in terms_sudo.sorted("date_start"):
            if end and term.date_start == fields.Date.add(end, days=1):
                end = term.date_end
        return end

    def _membri_get_portal_person(self):
        """:return: the person in charge of this membership: who receives the notices"""
        self.ensure_one()
        return self.membri_responsible_id or self._membri_get_recipient()

    def _membri_get_portal_address(self):
        """:return: the address, without the empty lines of what is not known"""
        self.ensure_one()
        lines = self._display_address(without_company=True).split("\n")
        return "\n".join(line for line in lines if line.strip())

    def _membri_get_portal_invoice_domain(self):
        """The membership invoices, fee notices and credit notes that this contact finds on the
        portal"""
        return (
            self._membri_get_whose_invoice_domain()
            & Domain("move_type", "in", ("out_invoice", "out_refund"))
            & self.env["account.move"]._membri_get_payable_domain()
        )

    # ------------------------------------------------------------------
    # Addresses
    # ------------------------------------------------------------------

    def _can_be_edited_by_current_customer(self, **kwargs):
        # EXTENDS portal, which lets each portal user of a company change, or archive, any
        # address of it: an email address there may be where others are invoiced and asked
        return (
            super()._can_be_edited_by_current_customer(**kwargs)
            and not self._membri_is_login_of_another(**kwargs)
            and self._membri_is_open_to_current_customer(**kwargs)
        )

    @api.constrains("lang")
    def _check_membri_portal_lang(self):
        """Odoo takes any text from a login, and then fails on whatever is made in that language:
        the letters and reminders of all who are printed or reminded together.

        :raises ValidationError: when a visitor chose a language that there is not"""
        if not self.env.user.share:  # the staff is told of such languages (First Steps)
            return
        installed = {code for code, _name in self.env["res.lang"].get_installed()}
        if any(contact.lang and contact.lang not in installed for contact in self):
            raise ValidationError(self.env._("Choose one of the languages that are offered."))

    def _membri_is_login_of_another(self, **kwargs):
        """Who changes the email address of a login sets its password as well (*Reset password*),
        and acts for whomever it acts for.

        :return: whether somebody else than the visitor signs in as this contact"""
        # sudo: who has a login is not the visitor's to read; one that is archived may come back
        users_sudo = self.sudo().with_context(active_test=False).user_ids
        return bool(users_sudo) and self != self._get_current_partner(**kwargs)

    def _membri_filter_self_made(self):
        """Visitors make contacts on the portal, by signing up or as an address, by a form of the
        website, or by an email (``doors/typed_contact.py``). Until the staff stands behind
        one, by a membership or a member number, its name and email are what somebody typed, and
        prove nothing.

        :return: those of ``self``"""
        # sudo: users and the memberships of other companies are not everybody's to read
        return self.filtered(
            lambda contact: (
                not contact.ref
                and contact.sudo().create_uid.share
                and not contact.sudo().membri_cotisation_ids
            )
        )

    def _membri_is_open_to_current_customer(self, **kwargs):
        """:return: whether the visitor may change this contact, as far as memberships go"""
        visitor = self._get_current_partner(**kwargs)
        own = visitor and self in visitor._membri_get_represented()[1]
        return bool(own) or not self._membri_serves_memberships()

    def signup_get_auth_param(self):
        # EXTENDS auth_signup: where everybody may sign up, any employee could fetch what makes a
        # login of any contact, which answers as the member; emails to the contact are made in sudo
        known = self
        if not self.env.su:
            others = self - self._filtered_access("write")
            known -= others.filtered(lambda contact: contact._membri_serves_memberships())
        return super(ResPartner, known).signup_get_auth_param()

    # ------------------------------------------------------------------
    # Another person in charge: a request to the staff
    # ------------------------------------------------------------------

    def _membri_portal_request_person(self, author, person):
        """The member names another person in charge. Nothing is changed: the officer checks
        who it is first.

        :param author: the ``res.partner`` who asks
        :param person: ``{"name", "email", "phone", "message"}``, as typed
        :return: an error code, or ``False``
        """
        self.ensure_one()
        Renewal = self.env["membri.renewal"]
        cleaned = {key: Renewal._clean_member_text(person.get(key)) for key in person}
        texts = {key: text for key, (text, _error) in cleaned.items()}
        if not texts["name"]:
            return "no_name"
        if any(error for _text, error in cleaned.values()) or any(
            len(texts[key]) > NAME_MAX_LENGTH for key in ("name", "email", "phone")
        ):
            return "too_long"
        if texts["email"] and not email_normalize(texts["email"]):
            return "bad_email"
        if not self.env["membri.portal.request"]._admit(self, "person"):
            return "too_often"
        company = self.env.company
        # sudo: a request plans work for the staff, in the staff's language
        officer_sudo = company.sudo()._membri_get_assignee()
        member_sudo = (
            self.sudo()
            ._membri_noted_for(company)
            .with_context(lang=officer_sudo.lang or company.sudo().partner_id.lang)
        )
        label = member_sudo.env._(
            "%(author)s requested another membership contact on the portal: %(name)s.",
            author=author.display_name,
            name=texts["name"],
        )
        details = [
            (member_sudo.env._("Email"), texts["email"]),
            (member_sudo.env._("Phone"), texts["phone"]),
            (member_sudo.env._("Message"), texts["message"]),
        ]
        body = Markup("<p>%s</p>") % label
        for title, text in details:
            if text:
                lines = Markup("<br/>").join(text.split("\n"))
                body += Markup("<p>%s: %s</p>") % (title, lines)
        member_sudo._message_log(body=body, author_id=author.id)
        activity_type = "membri_renewal.activity_contact_change"
        if officer_sudo and not member_sudo.activity_search([activity_type]):
            member_sudo.activity_schedule(activity_type, summary=label, user_id=officer_sudo.id)
        return False

    def _membri_get_print_lang(self, company):
        """The language of what is printed for this contact: that of the page on which
        the member asked for it, else the member's own, else that of ``company``"""
        return (
            self.env.context.get("membri_print_lang")
            or self.lang
            or company.partner_id.lang
            or self.env.lang
        )
