from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import email_normalize

from .doors.key import PAYER_TIES
from .renewal.renewal import UNDECIDED_STATES

# what decides who receives a notice; above a person, who pays does
RECIPIENT_FIELDS = PAYER_TIES | {
    "membri_responsible_id",
    "membri_renewal_email",
    "email",
    "active",
    "parent_id",
    "message_bounce",
    "membri_renewal_email_bounced",
}


def find_reachable(contacts):
    """:param contacts: an iterable, read as far as needed
    :return: the first one whose address works, or ``None``"""
    return next((c for c in contacts if not c._membri_get_address_problem()), None)


class ResPartner(models.Model):
    """Who receives a member's notices, and whether an email reaches anybody at all.

    Asked by the sending, the reminders and the preview of the campaign alike. The order is the
    guide's: the address for renewals, the person in charge, the contact, its parent company
    (above a person: if it pays); the first whose address works.
    """

    _inherit = "res.partner"

    membri_renewal_email_normalized = fields.Char(
        string="Normalized Renewal Email",
        company_dependent=True,
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="membri_renewal.group_membri_readonly",
        help="Used to find whose renewal address bounces.",
    )
    membri_renewal_email_bounced = fields.Boolean(
        string="Renewal Email Bounced",
        company_dependent=True,
        readonly=True,
        groups="membri_renewal.group_membri_readonly",
        copy=False,
        help="An email to this address bounced. Entering another address clears this mark.",
    )
    membri_renewal_email_opted_out = fields.Boolean(
        string="Renewal Email Opted Out",
        compute="_compute_membri_renewal_email_opted_out",
        groups="membri_renewal.group_membri_readonly",
    )

    @api.depends("membri_renewal_email_normalized")
    @api.depends_context("company")
    def _compute_membri_renewal_email_opted_out(self):
        addresses = [email for email in self.mapped("membri_renewal_email_normalized") if email]
        # sudo: the list of opted-out addresses is not for everyone to read
        closed_sudo = self.env["mail.blacklist"].sudo().search([("email", "in", addresses)])
        closed = set(closed_sudo.mapped("email"))
        for partner in self:
            partner.membri_renewal_email_opted_out = (
                partner.membri_renewal_email_normalized in closed
            )

    def _membri_forget_bounces(self, vals):
        """Another address is another try.

        :param vals: what is about to be written"""
        if "membri_renewal_email" in vals:
            # sudo: a fact, which follows
            bounced_sudo = self.sudo().filtered("membri_renewal_email_bounced")
            bounced_sudo.membri_renewal_email_bounced = False
        if vals.get("email") and "message_bounce" not in vals:
            address = email_normalize(vals["email"], strict=False)
            bouncing_sudo = self.sudo().filtered("message_bounce")
            bouncing_sudo.filtered(lambda p: p.email_normalized != address).message_bounce = 0

    @api.model
    def _membri_mark_renewal_email_bounced(self, address):
        """An email to this address has come back.

        :param address: normalized; ``False`` of mails that do not say to whom they went"""
        if not address:
            return
        # sudo: the mail gateway works for everybody
        Partner_sudo = self.sudo().with_context(active_test=False)
        for company in self.env["res.company"]._membri_get_all():
            Partner_sudo.with_company(company).search(
                [("membri_renewal_email_normalized", "=", address)]
            ).membri_renewal_email_bounced = True

    # ------------------------------------------------------------------
    # Who receives
    # ------------------------------------------------------------------

    def _membri_get_recipient(self):
        """Who receives the notices: the person in charge, the contact, or the parent company
        that :meth:`_membri_get_candidates` allows; the first whose address works.

        :return: one contact; when no address works, the first that has one, else the member
        """
        self.ensure_one()
        recipient_sudo = self._membri_find_recipient() or next(
            (contact for contact in self._membri_get_candidates() if contact.email_normalized),
            self,
        )
        return recipient_sudo.with_env(self.env)

    def _membri_get_renewal_address(self):
        """The email address that notices go to instead of the recipient's own, or
        ``False``: one that does not work gives way to the contacts, while one of theirs does
        """
        self.ensure_one()
        member_sudo = self.sudo()  # the portal asks too
        if not member_sudo.active or not member_sudo.membri_renewal_email:
            return False
        if member_sudo._membri_get_renewal_email_problem() and self._membri_find_recipient():
            return False
        return member_sudo.membri_renewal_email

    def _membri_get_unreachable_reason(self):
        """Why no email reaches this member. Costs no query of its own for each member of a
        recordset that is read in one go.

        :return: a sentence, or ``False`` when an address works
        """
        self.ensure_one()
        member_sudo = self.sudo()  # the list of opted-out addresses is not for everyone to read
        own_problem = member_sudo._membri_get_renewal_email_problem()
        if own_problem is False or self._membri_find_recipient():
            return False
        return own_problem or self._membri_get_recipient()._membri_get_address_problem()

    def _membri_get_candidates(self):
        """Yield the contacts who may receive the notices, the first choice first: one by one,
        so that each is read together with those of the other members, and who pays is looked
        up only for members whom no address of their own reaches. Above a person only who pays
        for the membership is a choice: an employer knows nothing of it otherwise."""
        member_sudo = self.sudo()  # the person in charge may be nobody that the reader may see
        if member_sudo.membri_responsible_id.active:
            yield member_sudo.membri_responsible_id
        yield member_sudo
        yield from member_sudo._membri_get_concerned_parents()[member_sudo].filtered("active")
        if not member_sudo.active:  # who pays for an archived contact hears of it
            yield member_sudo._membri_get_payer()

    def _membri_find_recipient(self):
        """:return: the first candidate whose address works (in sudo), or ``None``"""
        return find_reachable(self._membri_get_candidates())

    def _membri_get_address_parents(self):
        """:return: the contacts, in sudo, that some of ``self`` are addresses of"""
        # sudo: who belongs together is no question of rights
        return self.sudo().filtered(lambda contact: contact.type != "contact").parent_id

    def _membri_follow_recipients(self):
        """What has not left yet shows who would receive it now: of ``self``, of the members whom
        they are in charge of, and of those right below them, whom one of them may receive for.
        Once somebody holds the key of a renewal, it shows who that is (``doors/key.py``)."""
        # sudo: who receives is a fact, in all companies
        # as ever: whoever archives or restores may ask for archived ones as well
        Renewal_sudo = self.env["membri.renewal"].sudo().with_context(active_test=True)
        all_sudo = Renewal_sudo.with_context(active_test=False)
        unsent = Domain("state", "in", UNDECIDED_STATES) & (
            Domain("state", "=", "draft") | Domain("access_token", "=", False)
        )
        if not self or not all_sudo.search_count(unsent, limit=1):
            return
        concerned = Domain.OR(
            Domain(name, "in", self.ids)
            for name in (
                "partner_id",
                "partner_id.parent_id",
                "partner_id.commercial_partner_id",
                "recipient_id",
            )
        )
        for company_sudo in self.env["res.company"]._membri_get_all():
            members_sudo = all_sudo.partner_id.with_company(company_sudo).search(
                [("membri_responsible_id", "in", self.ids)]
            )
            concerned |= Domain("company_id", "=", company_sudo.id) & Domain(
                "partner_id", "in", members_sudo.ids
            )
        drafts_sudo = all_sudo.search(unsent & concerned).with_env(Renewal_sudo.env)
        drafts_sudo._as_internal()._compute_recipient_id()

    # ------------------------------------------------------------------
    # What is wrong with an address
    # ------------------------------------------------------------------

    def _membri_get_address_problem(self):
        """:return: why no email reaches this very contact (a sentence), or ``False``"""
        self.ensure_one()
        contact_sudo = self.sudo()  # sudo: recipients may be beyond the rules of who works here
        if not contact_sudo.active:
            return self.env._(
                "The contact %(recipient)s is archived.", recipient=contact_sudo._membri_get_names()
            )
        if not contact_sudo.email_normalized:
            return self.env._(
                "%(recipient)s has no valid email address.",
                recipient=contact_sudo._membri_get_names(),
            )
        if contact_sudo.is_blacklisted:
            return self.env._(
                "%(recipient)s (%(email)s) has opted out of emails.",
                recipient=contact_sudo._membri_get_names(),
                email=contact_sudo.email,
            )
        if contact_sudo.message_bounce:
            return self.env._(
                "Emails to %(recipient)s (%(email)s) bounce.",
                recipient=contact_sudo._membri_get_names(),
                email=contact_sudo.email,
            )
        return False

    def _membri_get_renewal_email_problem(self):
        """Why the address for renewals cannot be used (a sentence), ``False`` when it
        can, ``None`` when there is none: an archived contact's is not used any more"""
        self.ensure_one()
        address = self.active and self.membri_renewal_email
        if not address:
            return None
        if not self.membri_renewal_email_normalized:
            return self.env._("“%(email)s” is not a valid email address.", email=address)
        if self.membri_renewal_email_opted_out:
            return self.env._("%(email)s has opted out of emails.", email=address)
        if self.membri_renewal_email_bounced:
            return self.env._("Emails to %(email)s bounce.", email=address)
        return False


class MailBlacklist(models.Model):
    _inherit = "mail.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS mail
        closed = super().create(vals_list)
        closed._membri_follow_opt_outs(set(closed.mapped("email")))
        return closed

    def write(self, vals):
        # EXTENDS mail
        emails = set(self.mapped("email"))
        result = super().write(vals)
        self._membri_follow_opt_outs(emails | set(self.mapped("email")))
        return result

    def unlink(self):
        # EXTENDS mail
        emails = set(self.mapped("email"))
        result = super().unlink()
        self._membri_follow_opt_outs(emails)
        return result

    @api.model
    def _membri_follow_opt_outs(self, emails):
        """Other contacts may receive, once an address is closed or opened.

        :param emails: normalized"""
        # sudo: whoever opts out need not see the contacts
        Partner_sudo = self.env["res.partner"].sudo().with_context(active_test=False)
        names = ["is_blacklisted", "membri_renewal_email_opted_out"]
        Partner_sudo.invalidate_model(names, flush=False)
        contacts_sudo = Partner_sudo.search([("email_normalized", "in", list(emails))])
        contacts_sudo._membri_follow_recipients()
