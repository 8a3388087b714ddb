from urllib.parse import urlencode

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.mail import email_normalize_all
from odoo.tools.safe_eval import safe_eval

from ..renewal.renewal import UNDECIDED_STATES

# what says where a member's notices go …
TIES = {"membri_responsible_id", "membri_renewal_email", "email", "parent_id"}
# … and who pays for whom
PAYER_TIES = {
    "parent_id",
    "type",
    "active",
    "is_company",
    "membri_group_invoices",
    "membri_address_unconfirmed",
}


def _get_path(path, suffix, report_type, download, query_string, anchor):
    """:return: what ``get_portal_url`` of Odoo returns, without a key"""
    query = urlencode(
        {
            **({"report_type": report_type} if report_type else {}),
            **({"download": "true"} if download else {}),
        }
    )
    query += query_string or ""
    query = f"?{query.removeprefix('&')}" if query else ""
    return f"{path}{suffix or ''}{query}{f'#{anchor}' if anchor else ''}"


def split_addresses(*emails):
    """:param emails: addresses as they are typed: one field may hold several
    :return: the set of them, normalized"""
    return {address for email in emails for address in email_normalize_all(email or "")}


class MembriRenewal(models.Model):
    """The key of a renewal (its ``access_token``) answers in the member's name. Who may answer
    may hold it; everybody else gets the same addresses without it. It leaves in the copies that
    go to the member (``outgoing_key.py``) and is in nothing that is kept."""

    _inherit = "membri.renewal"

    def _may_hold_key(self):
        """Return whether the user may answer this renewal by its key. What runs in sudo for
        somebody is still theirs: a template, a report or a page must not show them more."""
        self.ensure_one()
        user = self.env.user
        # in the companies of the user: a page is drawn in that of the renewal
        asked = self.with_user(user).with_context(allowed_company_ids=[])
        return user._is_superuser() or asked.has_access("write")

    def get_portal_url(
        self, suffix=None, report_type=None, download=None, query_string=None, anchor=None
    ):
        # EXTENDS portal: any client may call it; it makes no key, and gives one to those who
        # may hold it
        self.ensure_one()
        self.check_access("read")
        # sudo: whether there is a key; who holds it was asked
        if self._may_hold_key() and self.sudo().access_token:
            return super().get_portal_url(suffix, report_type, download, query_string, anchor)
        return _get_path(self.access_url, suffix, report_type, download, query_string, anchor)

    def _is_key_in_right_hands(self):
        """Return whether the membership is that of the contact who received the key, at an
        address that the key may go to. Who is archived has left, but for the member, whose
        membership it is."""
        self.ensure_one()
        recipient, address = self.recipient_id, self.delivery_email
        if not recipient or (address and address not in self._membri_get_key_addresses()):
            return False
        return recipient == self.partner_id or bool(
            recipient.active and self.filtered_domain(recipient._membri_get_whose_domain())
        )

    def _renew_lost_keys(self, fewer=()):
        """Those in whose hands the key was right (:meth:`_is_key_in_right_hands`) when it was sent
        to them, and is not any more, do not answer by what they received: there is another key.

        :param fewer: contacts who had several addresses, and lost one of them"""
        lost = self.filtered(
            lambda renewal: (
                any(contact in fewer for contact in renewal.recipient_id | renewal.partner_id)
                or not renewal._is_key_in_right_hands()
            )
        )
        for renewals in lost._split_by_staff_lang():
            for renewal in renewals:
                former, address = renewal.recipient_id, renewal.delivery_email
                renewal._renew_key()
                recipient = renewal.recipient_id
                names = {
                    "former": former._membri_get_names() if former - recipient else address,
                    "recipient": renewal._get_document_address() or recipient.display_name,
                }
                if renewal._is_still_here():
                    note = renewal.env._(
                        "The email to %(former)s is still queued: it goes to %(recipient)s.",
                        **names,
                    )
                else:
                    note = renewal.env._(
                        "The link that was sent to %(former)s no longer opens this renewal. Resend "
                        "the notice: it goes to %(recipient)s.",
                        **names,
                    )
                renewal._message_log(body=note)

    def _renew_key(self):
        """What was sent until now opens this renewal no more, whoever has it."""
        self.ensure_one()
        self.update({"access_token": False})  # nosec B105: no secret
        self._portal_ensure_token()
        self._as_internal()._compute_recipient_id()

    def _get_share_url(self, redirect=False, signup_partner=False, pid=None, share_token=True):
        # EXTENDS portal: its callers write it into messages that are kept, or give it to
        # whoever may read
        return super()._get_share_url(redirect=redirect, share_token=False)

    def _get_access_action(self, access_uid=None, force_website=False):
        # EXTENDS portal
        action = super()._get_access_action(access_uid=access_uid, force_website=force_website)
        if force_website and self.env.su and action["type"] == "ir.actions.act_url":
            # the visitor of /mail/view brought this very key, and takes it along
            action["url"] = f"{self.access_url}?access_token={self.access_token}"
        return action


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _membri_get_several_addresses(self, names):
        """:param names: of the fields that are about to be written
        :return: ``{(contact, name of the field): addresses}`` where one field holds several"""
        return {
            (partner, name): addresses
            for name in ("email", "membri_renewal_email")
            if name in names
            for partner in self
            # sudo: addresses are compared, not shown
            if len(addresses := split_addresses(partner.sudo()[name])) > 1
        }

    def _membri_find_with_fewer(self, several):
        """:param several: as of :meth:`_membri_get_several_addresses`, before
        :return: the contacts that have lost one of these addresses"""
        return [
            partner
            for (partner, name), addresses in several.items()
            # sudo: as there
            if addresses - split_addresses(partner.sudo()[name])
        ]

    def _membri_get_held_keys(self, names, parents=None):
        """:param names: of the fields that are about to be written
        :param parents: the contacts that ``self``, or a new contact, is put below
        :return: the undecided renewals, in sudo, whose key that may leave in the wrong hands:
            somebody else is in charge or pays, leaves a company, or has another address"""
        # sudo: who belongs together is no question of what the user may read
        Renewal_sudo = self.env["membri.renewal"].sudo()
        contacts_sudo, domain = self.sudo(), Domain.FALSE
        if TIES & names:
            domain |= Domain("partner_id", "in", self.ids) | Domain("recipient_id", "in", self.ids)
        if PAYER_TIES & names:
            contacts_sudo |= (parents or self).sudo()
            tops = {contact._membri_get_top_parent().id for contact in contacts_sudo}
            # members, who are most of them, keep their own
            domain |= Domain("recipient_id", "child_of", list(tops)) & Domain.custom(
                to_sql=lambda model, alias, query: SQL(
                    "%s != %s",
                    model._field_to_sql(alias, "recipient_id", query),
                    model._field_to_sql(alias, "partner_id", query),
                )
            )
        if domain.is_false():
            return Renewal_sudo
        return Renewal_sudo.search(
            domain
            & Domain("state", "in", UNDECIDED_STATES)
            & Domain("access_token", "!=", False)
            & Domain("recipient_id", "!=", False)
        ).filtered(lambda renewal: renewal._is_key_in_right_hands())

    def _membri_get_held_tokens(self, vals):
        """:param vals: that are about to be written
        :return: ``{move: addresses}``, in sudo: the unpaid documents whose link went to addresses
            of these contacts, which are corrected now"""
        fields = []
        for name in {"email", "membri_renewal_email"} & vals.keys():
            kept = split_addresses(vals[name])
            # sudo: addresses are compared, not shown
            former = (split_addresses(partner[name]) for partner in self.sudo())
            fields += [field for field in former if field - kept]
        addresses = list(set().union(*fields))
        # sudo: as above
        moves_sudo = self.env["account.move"].sudo()
        if addresses:
            # sudo: as above; apart, as each of the two is found by an index
            renewals_sudo = self.env["membri.renewal"].sudo()
            renewals_sudo = renewals_sudo.search(
                Domain("delivery_email", "in", addresses)
                & Domain("state", "=", "approved")
                & Domain("invoice_id", "!=", False)
            )
            moves_sudo = moves_sudo.search(
                Domain("membri_invoice_type", "!=", False)
                & Domain("move_type", "=", "out_invoice")
                & Domain("state", "in", ("draft", "posted"))
                & Domain("payment_state", "in", ("not_paid", "partial", "blocked"))
                & Domain("access_token", "!=", False)
                & (
                    Domain("membri_delivery_email", "in", addresses)
                    | Domain("id", "in", renewals_sudo.invoice_id.ids)
                )
            )
        held = {}
        for move_sudo in moves_sudo:
            sent = move_sudo._membri_get_emailed_addresses()
            went_to = set().union(*(field for field in fields if field & sent))
            if went_to := went_to & move_sudo._membri_get_link_addresses():
                held[move_sudo] = went_to
        return held


class MailScheduledMessage(models.Model):
    _name = "mail.scheduled.message"
    _inherit = ["mail.scheduled.message", "membri.keyless.body.mixin"]


class AccountMove(models.Model):
    """The tokens of membership invoices are Odoo's business, but for readers of memberships, who
    see these invoices by our rights alone: a token would let them pay or announce a payment."""

    _inherit = "account.move"

    def _membri_reads_as_reader(self):
        """Return whether the user sees one of these invoices (of none: any that there are) as a
        reader of memberships only."""
        if not self:
            return not self._membri_get_read_otherwise().is_true()
        return bool(self._membri_filter_as_reader())

    def _membri_filter_as_reader(self):
        """:return: those of these invoices that the user sees as a reader of memberships only"""
        # sudo: compared with what the user reads otherwise
        return self - self.sudo().filtered_domain(self._membri_get_read_otherwise())

    @api.model
    def _membri_get_read_otherwise(self):
        """Other applications show invoices of their own (of orders, of expenses, vendor bills):
        whoever has these sees those of memberships by our rights all the same.

        :return: the domain of what the user reads by other rights than ours: all, for whoever is
            no reader of memberships"""
        user = self.env.user
        if not user._is_internal() or user._is_superuser():
            return Domain.TRUE
        if not user.has_group("membri_renewal.group_membri_readonly"):
            return Domain.TRUE
        if user.has_group("account.group_account_invoice"):
            return Domain.TRUE
        # sudo: which other rights the user has
        access_sudo = self.env["ir.model.access"].sudo()
        if not access_sudo.search_count(
            Domain("model_id.model", "=", self._name)
            & Domain("perm_read", "=", True)
            & Domain("group_id", "in", user.all_group_ids.ids)
            & Domain("id", "!=", self.env.ref("membri_renewal.access_account_move_membri").id),
            limit=1,
        ):
            return Domain.FALSE
        # in the companies of the user: a page is drawn in that of the invoice
        rules = self.env["ir.rule"].with_user(user).with_context(allowed_company_ids=[])
        ours = self.env.ref("membri_renewal.rule_move_membership", raise_if_not_found=False)
        # sudo: what they say
        others_sudo = rules._get_rules(self._name).sudo().filtered("groups")
        others_sudo -= ours or others_sudo.browse()
        names = rules._eval_context()
        domains = [Domain(safe_eval(rule.domain_force or "[]", names)) for rule in others_sudo]
        otherwise = Domain.OR(domains) if domains else Domain.TRUE
        return otherwise & user._membri_get_salesperson_rule()

    @api.model
    def _membri_check_works_on_invoices(self):
        """Vendor bills are written by who purchases, too.

        :raises AccessError: for whoever writes no invoices of memberships"""
        self.check_access("write")
        user = self.env.user
        if not user._is_superuser() and not user.has_group("account.group_account_invoice"):
            raise self.env["ir.model.access"]._make_access_error(self._name, "write")

    def _has_field_access(self, field, operation):
        # EXTENDS base
        if field.name == "access_token" and not self.env.su and self._membri_reads_as_reader():
            return False
        return super()._has_field_access(field, operation)

    def _membri_get_emailed_addresses(self):
        """:return: the addresses that emails about this document (in sudo) went to"""
        self.ensure_one()
        renewals = self._membri_get_renewals()
        return split_addresses(self.membri_delivery_email, *renewals.mapped("delivery_email"))

    def _membri_get_link_addresses(self):
        """Return the addresses that the link of this document (in sudo) may go to: the payer's, and
        of one member's those of its renewal, whose page leads here."""
        self.ensure_one()
        addresses = self._membri_get_key_addresses()
        for renewal in () if self._membri_is_shared() else self._membri_get_renewals():
            addresses |= renewal._membri_get_key_addresses()
        return addresses

    @api.model
    def _membri_renew_lost_tokens(self, held):
        """An address was corrected: who reads what went to the former one opens neither this
        document nor its renewal any more.

        :param held: as ``_membri_get_held_tokens`` of the contacts found them before"""
        for move_sudo, went_to in held.items():
            if not (lost := went_to - move_sudo._membri_get_link_addresses()):
                continue
            move_sudo.access_token = False  # nosec B105: no secret
            move_sudo._membri_ensure_tokens()
            # in sudo, as these are: keys are the system's
            for renewal_sudo in move_sudo._membri_get_renewals():
                if renewal_sudo.access_token and renewal_sudo.delivery_email in lost:
                    renewal_sudo._renew_key()
            told_sudo = move_sudo._membri_as_staff()
            former = ", ".join(sorted(lost))
            if told_sudo._membri_is_still_here():
                note = told_sudo.env._(
                    "The email to %(former)s is still queued: it goes to %(recipient)s.",
                    former=former,
                    recipient=told_sudo._membri_get_receiver_address()
                    or told_sudo._membri_get_receiver().display_name,
                )
            else:
                note = told_sudo.env._(
                    "The link that was sent to %(former)s no longer opens this document. Resend "
                    "it, so that the payer has the new one.",
                    former=former,
                )
            told_sudo._message_log(body=note)

    def _membri_get_shown_token(self):
        """:return: the token, for a page of ours; empty for those who may not have it"""
        self.ensure_one()
        # sudo: asked just before
        return "" if self._membri_reads_as_reader() else self.sudo().access_token

    def get_portal_url(
        self, suffix=None, report_type=None, download=None, query_string=None, anchor=None
    ):
        # EXTENDS portal
        if self._membri_reads_as_reader():
            self.ensure_one()
            self.check_access("read")
            return _get_path(self.access_url, suffix, report_type, download, query_string, anchor)
        return super().get_portal_url(suffix, report_type, download, query_string, anchor)

    def _get_share_url(self, redirect=False, signup_partner=False, pid=None, share_token=True):
        # EXTENDS portal
        if self._membri_reads_as_reader():
            signup_partner, pid, share_token = False, None, False
        return super()._get_share_url(
            redirect=redirect, signup_partner=signup_partner, pid=pid, share_token=share_token
        )


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _has_field_access(self, field, operation):
        # EXTENDS base: where the payer comes back to, with the token of the invoice
        is_route = field.name == "landing_route" and not self.env.su
        if is_route and self.env["account.move"]._membri_reads_as_reader():
            return False
        return super()._has_field_access(field, operation)
