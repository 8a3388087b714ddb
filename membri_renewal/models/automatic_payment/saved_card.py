from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..mixins.formats import format_day
from ..res_partner import READERS
from .settings import DEBIT_METHODS

SOURCES = [
    ("payment", "Payment Form"),
    ("membership", "My Membership"),
    ("system", "Recorded by the System"),
]


class ResPartner(models.Model):
    """The card that pays a contact's memberships: one per company, given by the payer alone, who
    takes it back by one click. Staff see it and can stop it, and never enter one."""

    _inherit = "res.partner"

    membri_payment_token_id = fields.Many2one(
        "payment.token",
        string="Saved Card",
        company_dependent=True,
        groups=READERS,
        copy=False,
        readonly=True,
        help="Charged for renewals of plans with automatic payment, on the day announced to the "
        "payer. Only the payer can save a card.",
    )
    membri_payment_consent_date = fields.Date(
        string="Card Saved On",
        company_dependent=True,
        groups=READERS,
        copy=False,
        readonly=True,
        help="Day on which the payer agreed to automatic payments.",
    )
    membri_payment_consent_wording = fields.Text(
        string="Wording of the Consent",
        company_dependent=True,
        groups=READERS,
        copy=False,
        readonly=True,
        help="What the payer read and agreed to.",
    )
    membri_payment_consent_source = fields.Selection(
        SOURCES,
        string="Source of the Consent",
        company_dependent=True,
        groups=READERS,
        copy=False,
        readonly=True,
    )
    membri_payment_card = fields.Char(
        string="Automatic Payment",
        compute="_compute_membri_payment_card",
        groups=READERS,
        help="Saved card of this payer, and why it cannot be charged, if so.",
    )
    membri_next_charge = fields.Char(
        string="Next Automatic Payment",
        compute="_compute_membri_next_charge",
        groups=READERS,
        help="Amount and day of the next payment that was announced for this member or payer.",
    )

    @api.depends("membri_payment_token_id")
    @api.depends_context("company", "lang")
    def _compute_membri_payment_card(self):
        # sudo: tokens are their owners'; which card it is, staff may see
        for partner, partner_sudo in zip(self, self.sudo(), strict=True):
            card_sudo = partner_sudo._membri_get_own_card()
            partner.membri_payment_card = False
            if card_sudo:
                partner.membri_payment_card = card_sudo._membri_get_unusable_reason(
                    partner_sudo, self.env.company
                ) or card_sudo._membri_get_saved_label(partner_sudo)

    @api.depends("membri_renewal_ids.charge_state")
    @api.depends_context("company", "lang")
    def _compute_membri_next_charge(self):
        # sudo: what is charged to whom, staff may see
        planned_sudo = (
            self.env["membri.renewal"]
            .sudo()
            .search(
                Domain("company_id", "=", self.env.company.id)
                & Domain("is_open", "=", True)
                & (
                    Domain("charge_state", "=", "announced")
                    | (
                        Domain("charge_state", "=", "failed")
                        & Domain("date_charge_retry", "!=", False)
                    )
                )
                & (
                    Domain("partner_id", "in", self.ids)
                    | Domain("invoice_id.partner_id", "in", self.ids)
                )
            )
            .filtered(lambda renewal: renewal._is_charge_coming())
            .sorted(lambda renewal: (renewal._get_charge_day(), renewal.id))
        )
        for partner in self:
            own_sudo = planned_sudo.filtered(
                lambda renewal, partner=partner: (
                    partner._origin in renewal.partner_id | renewal.invoice_id.partner_id
                )
            )
            first_sudo = own_sudo[:1]
            partner.membri_next_charge = bool(first_sudo) and self.env._(
                "%(amount)s on %(date)s (%(renewal)s)",
                amount=first_sudo.currency_id.format(first_sudo.amount_charge),
                date=format_day(self.env, first_sudo._get_charge_day()),
                renewal=first_sudo.name,
            )

    @api.constrains("membri_payment_token_id")
    def _check_membri_payment_token_id(self):
        # sudo: the field is the system's
        for partner_sudo in self.sudo():
            token_sudo = partner_sudo.membri_payment_token_id
            if token_sudo and (
                reason := token_sudo._membri_get_unusable_reason(partner_sudo, self.env.company)
            ):
                raise ValidationError(reason)

    # ------------------------------------------------------------------
    # Whose card pays
    # ------------------------------------------------------------------

    def _membri_get_card_holders(self):
        """The contacts whose saved card pays what is invoiced to this one: itself, or who it is a
        mere address of."""
        self.ensure_one()
        # sudo: who belongs together is no question of rights
        return self.sudo()._membri_get_address_owners()

    def _membri_may_hold_card_of(self, payer):
        """Whether a card of this contact is one of the payer's: its own, of its address, or,
        of a company, that of a contact who pays for it."""
        owners_sudo = self._membri_get_card_holders()
        payers_sudo = payer._membri_get_card_holders()
        if owners_sudo & payers_sudo:
            return True
        company_sudo = payers_sudo.filtered("is_company")
        # sudo: who belongs together is no question of rights
        return bool(self.sudo().commercial_partner_id & company_sudo)

    def _membri_get_saved_card(self):
        """What pays what is invoiced to this contact in the current company (in sudo), usable or
        not; empty without. See :meth:`_membri_get_own_card`."""
        self.ensure_one()
        cards = (
            holder._membri_get_own_card()
            for holder in self._membri_get_card_holders().with_company(self.env.company)
        )
        # sudo: none, as those that are found
        return next(filter(None, cards), self.env["payment.token"].sudo())

    def _membri_get_own_card(self):
        """What this contact pays memberships by in the current company, in sudo: a
        ``payment.token``, or another way to pay that an extension knows and that answers the
        same questions (``_membri_get_label`` and those that follow it there)."""
        self.ensure_one()
        return self.sudo().membri_payment_token_id

    @api.model
    def _membri_search_card_holders(self):
        """The contacts who have a card, or another way to pay, in the current company."""
        return self.search([("membri_payment_token_id", "!=", False)])

    # ------------------------------------------------------------------
    # Consent
    # ------------------------------------------------------------------

    def _membri_save_card(self, token, wording, source):
        """The payer agrees to automatic payments by ``token``.

        :param wording: the sentence that the payer read
        :param source: of ``SOURCES``
        :raises ValidationError: when the card cannot be used
        """
        self.ensure_one()
        # sudo: the payer decides, on the portal
        self.sudo().write(
            {
                "membri_payment_token_id": token.id,
                "membri_payment_consent_date": self.env.company._membri_today(),
                "membri_payment_consent_wording": wording,
                "membri_payment_consent_source": source,
            }
        )

    def _membri_get_cards_before(self, vals):
        """:return: ``{contact: its saved card}`` before ``vals`` are written, if they change it"""
        if "membri_payment_token_id" not in vals:
            return {}
        # sudo: compared only
        return {partner: partner.membri_payment_token_id for partner in self.sudo()}

    def _membri_follow_cards(self, before, vals):
        """A card was saved, replaced or taken back: date the consent, tell the contact's chatter,
        and stop what was to be charged to a card that was taken back. What was announced for
        another card is announced anew by the nightly run.

        :param before: as of :meth:`_membri_get_cards_before`
        """
        if not before:
            return
        # kept for the staff, whoever decides on the portal
        lang = self.env.company._membri_get_staff_lang() or self.env.lang
        for partner_sudo, old in before.items():
            partner_sudo = partner_sudo.with_context(lang=lang)
            new = partner_sudo.membri_payment_token_id
            if new == old:
                continue
            facts = {}
            if not new:
                facts = {
                    "membri_payment_consent_date": False,
                    "membri_payment_consent_wording": False,
                    "membri_payment_consent_source": False,
                }
                note = partner_sudo.env._(
                    "Automatic payment was stopped: %(card)s is no longer charged.",
                    card=old._membri_get_label(),
                )
            else:
                if "membri_payment_consent_date" not in vals:
                    facts = {
                        "membri_payment_consent_date": self.env.company._membri_today(),
                        "membri_payment_consent_source": "system",
                    }
                note = partner_sudo.env._(
                    "%(card)s was saved for automatic payments. %(wording)s",
                    card=new._membri_get_label(),
                    wording=partner_sudo.membri_payment_consent_wording or "",
                )
            if facts:
                partner_sudo._internal_write(facts)
            partner_sudo._membri_noted_for(self.env.company)._message_log(body=note)
            if not new:
                partner_sudo._membri_get_charged_renewals(old)._do_stop_charge()

    def _membri_get_charged_renewals(self, token):
        """The renewals, in sudo and in the current company, that ``token`` is to be charged for, of
        what is invoiced to this contact."""
        # sudo: facts of the charge, whoever stops the card
        renewals_sudo = (
            self.env["membri.renewal"]
            .sudo()
            .search(
                Domain("charge_token_id", "in", token.ids)
                & Domain("charge_state", "in", ("announced", "failed"))
                & Domain("company_id", "=", self.env.company.id)
            )
        )
        return renewals_sudo.filtered(
            lambda renewal: self in renewal._get_charge_payer()._membri_get_card_holders()
        )

    # ------------------------------------------------------------------
    # The end of it
    # ------------------------------------------------------------------

    def action_membri_stop_automatic_payment(self):
        """Nothing is charged to the saved card of this contact any more.

        :raises UserError: without a saved card, or while it is being charged"""
        self.ensure_one()
        self.env["membri.cotisation"].check_access("write")
        self.check_access("write")
        self._membri_check_can_stop_card()
        self._membri_stop_card()
        return True

    def _membri_check_can_stop_card(self):
        if not self._membri_get_own_card():
            raise UserError(
                self.env._(
                    "%(payer)s has not saved a way to pay, so there is nothing to stop.",
                    payer=self._membri_get_names(),
                )
            )

    def _membri_stop_card(self):
        """Take the saved card back, in the current company, with all that was to be charged to
        it. What is being charged already comes to its own end."""
        # sudo: who may stop was asked
        self.sudo().filtered("membri_payment_token_id").membri_payment_token_id = False


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _create_payment_transaction(self, **extra_create_values):
        # EXTENDS account_payment, in sudo: it charges whatever card a client names, to whomever,
        # for whatever invoices
        paid = self._membri_get_paid_together()
        if paid:
            paid.with_user(self.env.user).check_access("write")
        for payment in self.filtered("payment_token_id"):
            if not payment._membri_offers_card(paid):
                raise UserError(
                    self.env._(
                        "This card cannot be charged here. Choose one of the saved cards of "
                        "%(payer)s that the payment offers.",
                        payer=payment.partner_id._membri_get_names(),
                    )
                )
        return super()._create_payment_transaction(**extra_create_values)

    @api.model
    def _membri_get_paid_together(self):
        """Return the entries that Odoo pays by the payments that are about to be made: its window
        says so in the context."""
        model, ids = self.env.context.get("active_model"), self.env.context.get("active_ids") or []
        if model not in ("account.move", "account.move.line"):
            return self.env["account.move"]
        records = self.env[model].browse(ids)
        return records if model == "account.move" else records.move_id

    def _membri_offers_card(self, paid):
        """Return whether the saved card is one that Odoo's form, or its window, offers: of the
        payer, with the provider that is chosen, in this company.

        :param paid: the entries that this payment is for, if known"""
        self.ensure_one()
        # sudo: cards and providers are the administrators'
        card_sudo = self.payment_token_id.sudo()
        holders = self.partner_id
        paid = paid.filtered("amount_residual")  # as Odoo's window: what is still open
        if len(paid.partner_id) == 1 and (
            paid.partner_id.commercial_partner_id == holders.commercial_partner_id
        ):
            holders |= paid.partner_id
        return (
            card_sudo.active
            and card_sudo.partner_id in holders
            and card_sudo.provider_id == self.payment_method_line_id.payment_provider_id
            and card_sudo.company_id in self.company_id.sudo().parent_ids
        )


class PaymentProvider(models.Model):
    _inherit = "payment.provider"

    def _membri_saves_cards(self):
        self.ensure_one()
        return self.allow_tokenization and self.support_tokenization


class PaymentToken(models.Model):
    """Odoo lets whoever comes with the link of an invoice pay by the saved cards of its payer, and
    each person of a company by the cards of all others. What pays memberships is its holder's."""

    _inherit = "payment.token"

    @api.depends_context("uid")
    def _compute_display_name(self):
        # EXTENDS payment: a property that names a card showed its last digits to everybody, since
        # what is computed first fetches it in sudo
        readable = self if self.env.su else self._filtered_access("read")
        (self - readable).display_name = False
        return super(PaymentToken, readable)._compute_display_name()

    def _membri_get_label(self):
        """:return: which card it is, as “Visa ••1234”"""
        self.ensure_one()
        token_sudo = self.sudo()  # sudo: the name of a card, not the card
        digits = "".join(filter(str.isalnum, token_sudo.payment_details or ""))[-4:]
        name = token_sudo.payment_method_id.name or token_sudo.provider_id.name
        return f"{name} ••{digits}" if digits else name

    def _membri_get_saved_label(self, holder):
        """:return: which card it is, and since when ``holder`` has agreed to it"""
        self.ensure_one()
        since = holder.sudo().membri_payment_consent_date  # sudo: the day only
        return self.env._(
            "%(card)s, saved on %(date)s",
            card=self._membri_get_label(),
            date=format_day(self.env, since) if since else "–",
        )

    def _membri_is_bank_debit(self):
        """:return: whether it debits a bank account"""
        return self.payment_method_id.code in DEBIT_METHODS

    def _membri_get_currency_reason(self, currency):
        """:return: why it cannot be charged in ``currency`` (a sentence), or ``False``"""
        self.ensure_one()
        provider_sudo = self.sudo().provider_id  # sudo: providers are the administrators'
        allowed = provider_sudo.available_currency_ids
        if allowed and currency not in allowed:
            return self.env._(
                "%(provider)s does not accept payments in %(currency)s, so %(card)s cannot be "
                "charged. Ask for another payment.",
                provider=provider_sudo.name,
                currency=currency.name,
                card=self._membri_get_label(),
            )
        return False

    def _membri_get_unusable_reason(self, payer, company):
        """:param payer: the contact that pays
        :param company: whose invoices are paid
        :return: why this card cannot be charged (a sentence), or ``False``"""
        self.ensure_one()
        # sudo: cards and providers are the administrators'; a sentence is told
        token_sudo = self.sudo()
        provider_sudo = token_sudo.provider_id
        names = {
            "card": token_sudo._membri_get_label(),
            "payer": payer._membri_get_names(),
            "company": company.name,
            "provider": provider_sudo.name,
        }
        if not token_sudo.partner_id._membri_may_hold_card_of(payer):
            return self.env._(
                "%(card)s is not a card of %(payer)s. Only the payer's own card can be charged.",
                **names,
            )
        if provider_sudo.company_id not in company.sudo().parent_ids:
            return self.env._(
                "%(card)s was saved with another company. The payer has to save it on an invoice "
                "of %(company)s.",
                **names,
            )
        if provider_sudo.state == "disabled":
            return self.env._(
                "%(provider)s is disabled, so %(card)s cannot be charged. Enable it, or ask for "
                "another payment.",
                **names,
            )
        if not token_sudo.active:
            return self.env._(
                "%(card)s was removed. %(payer)s can save another card on the portal.", **names
            )
        if not provider_sudo._membri_saves_cards():
            return self.env._(
                "%(provider)s does not allow saved cards, so %(card)s cannot be charged. Allow "
                "it on the provider, or ask for another payment.",
                **names,
            )
        return False

    def _membri_filter_own(self, documents):
        """:param documents: the ``account.move`` that are about to be paid, if known
        :return: the cards in ``self`` that the visitor may pay them by: membership documents
            by their own, others by any that pays no memberships"""
        user = self.env.user
        # sudo: whose cards are whose, to leave out those of others
        own_sudo = self.env["res.partner"].sudo()
        if not user._is_public():
            _acting_sudo, own_sudo = user.partner_id._membri_get_represented()
        others = self.filtered(lambda token: token.sudo().partner_id not in own_sudo)
        if others and not documents.sudo().filtered("membri_invoice_type"):
            others = others._membri_filter_membership_cards()
        return self - others

    def _membri_filter_membership_cards(self):
        """:return: those that are saved for memberships, or have paid for one"""
        # sudo: of whomever
        cards = self.filtered(
            lambda token: token.sudo().transaction_ids.invoice_ids.filtered("membri_invoice_type")
        )
        Partner_sudo = self.env["res.partner"].sudo().with_context(active_test=False)
        for company in self.env["res.company"]._membri_get_all():
            holders_sudo = Partner_sudo.with_company(company).search(
                [("membri_payment_token_id", "in", self.ids)]
            )
            cards |= self.browse(holders_sudo.membri_payment_token_id.ids)
        return self & cards

    @api.model
    def _get_available_tokens(self, providers_ids, partner_id, is_validation=False, **kwargs):
        # EXTENDS payment: asked for what the page of a payment offers
        tokens = super()._get_available_tokens(
            providers_ids, partner_id, is_validation=is_validation, **kwargs
        )
        return tokens._membri_filter_own(self.env["account.move"])
