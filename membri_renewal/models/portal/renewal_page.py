import hashlib
from urllib.parse import urlencode

from odoo import api, models
from odoo.fields import Domain

from ..renewal.links import ANSWERABLE_STATES

HIDDEN_STATES = ("draft", "cancelled")
BADGE_LEVELS = {
    "sent": "warning",
    "change_requested": "info",
    "intervention": "info",
    "refused": "secondary",
}
PAGE_COMPANY_FIELDS = (
    "active",
    "name",
    "currency_id",
    "parent_id",
    "parent_path",
    "partner_id",
    "account_price_include",
    "tax_calculation_rounding_method",
    "income_account_id",
    "expense_account_id",
    "fiscalyear_lock_date",
    "sale_lock_date",
    "tax_lock_date",
    "hard_lock_date",
    "membri_fee_notice",
    "membri_invoice_dating",
    "membri_portal_call",
    "membri_portal_decline",
    "membri_tz",
)
PAGE_MEMBER_FIELDS = (
    "active",
    "name",
    "complete_name",
    "is_company",
    "type",
    "parent_id",
    "commercial_partner_id",
    "company_name",
    "lang",
    "country_id",
    "state_id",
    "zip",
    "vat",
    # of whom is shown as the one who answers questions
    "email",
    "phone",
)
PAGE_PLAN_FIELDS = (
    "name",
    "company_id",
    "description",
    "grace_days",
    "late_policy",
    "announce_days",
    "automatic_payment",
    # whether the term is a whole one
    "lifetime",
    "period_count",
    "period_unit",
    "date_mode",
    "fixed_month",
    "fixed_day",
    "proration",
)
PAGE_TERM_FIELDS = ("state", "company_id", "invoice_id", "option_set_id", "date_start", "date_end")
PAGE_PRODUCT_FIELDS = ("active", "product_tmpl_id", "default_code")
PAGE_TEMPLATE_FIELDS = (
    "name",
    "company_id",
    "categ_id",
    "description_sale",
    "property_account_income_id",
    "property_account_expense_id",
)
PAGE_TAX_FIELDS = (
    "active",
    "company_id",
    "amount",
    "amount_type",
    "include_base_amount",
    "is_base_affected",
    "price_include_override",
    "tax_group_id",
)


class MembriRenewal(models.Model):
    """What the member is shown of a renewal, in plain words: the proposal, what changed, where
    it stands, how to pay."""

    _inherit = "membri.renewal"

    # ------------------------------------------------------------------
    # What is shown
    # ------------------------------------------------------------------

    @api.model
    def _get_portal_domain(self, partner):
        """Return the renewals that ``partner`` finds on the portal: those of its own
        memberships (``res_partner_whose.py``); what was not sent yet is the staff's business."""
        return (
            partner._membri_get_whose_domain()
            & Domain("date_sent", "!=", False)
            & Domain("state", "not in", HIDDEN_STATES)
        )

    def _is_on_portal(self):
        self.ensure_one()
        return bool(self.date_sent) and self.state not in HIDDEN_STATES

    def _get_payment_path(self, renewal_token=None):
        """The one place that says where the member pays.

        :param renewal_token: the key that the visitor came with, who goes back by it
        :return: the path of the invoice with Odoo's payment form open, or of the invoice alone
            where nobody can pay online; ``False`` when there is none. The payment leads back
            to this renewal (``controllers/portal_payment.py``).
        """
        path = self._get_invoice_path()
        if not path or not self._can_pay_online():
            return path
        query = urlencode({"payment": "True", "renewal_token": renewal_token or ""})
        return self._get_invoice_sudo().get_portal_url(
            query_string=f"&{query}", anchor="portal_pay"
        )

    def _read_for_page(self):
        """Read by name what the page, and whether it takes an answer, ask of others. Asked for one
        of them, the ORM reads all columns of a contact or company, and looks up what each of its
        properties names; a name that is missing here only costs that."""
        self.ensure_one()
        renewal_sudo = self.sudo()  # as the page is
        company_sudo, member_sudo = renewal_sudo.company_id, renewal_sudo.partner_id
        company_sudo.fetch(PAGE_COMPANY_FIELDS)
        renewal_sudo.user_id.fetch(["active", "partner_id"])
        (member_sudo | company_sudo.partner_id | renewal_sudo._get_portal_contact()).fetch(
            PAGE_MEMBER_FIELDS
        )
        payer_sudo = renewal_sudo._get_payer().with_company(company_sudo)
        payer_sudo.fetch(
            [*PAGE_MEMBER_FIELDS, "property_account_position_id", "property_payment_term_id"]
        )
        renewal_sudo.option_set_id.fetch(PAGE_PLAN_FIELDS)
        if renewal_sudo.state in ANSWERABLE_STATES:
            # whether it can be accepted looks at all terms, what it costs at products and taxes
            member_sudo.membri_cotisation_ids.fetch(PAGE_TERM_FIELDS)
            products_sudo = renewal_sudo.line_ids.product_id
            products_sudo.fetch(PAGE_PRODUCT_FIELDS)
            products_sudo.product_tmpl_id.fetch(PAGE_TEMPLATE_FIELDS)
            renewal_sudo.line_ids.tax_ids.fetch(PAGE_TAX_FIELDS)

    def _get_portal_contact(self):
        """:return: the partner who answers questions: the officer, else the company"""
        self.ensure_one()
        renewal_sudo = self.sudo()  # members may see whom to ask
        return renewal_sudo._get_officer().partner_id or renewal_sudo.company_id.partner_id

    def _get_proposal_key(self):
        """Return a short key of what is proposed: an answer from a page that showed
        something else is asked again instead of taken."""
        self.ensure_one()
        proposal = self._get_proposal()
        facts = [
            proposal.option_set_id.id,
            proposal.date_start,
            proposal.date_end,
            proposal.currency_id.id,
            proposal.amount_total,
            [
                (line.product_id.id, line.quantity, line.price_subtotal)
                for line in proposal.line_ids
            ],
        ]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]

    def _get_changes(self):
        """:return: sentences on how what is proposed differs from the current term"""
        self.ensure_one()
        # sudo: members read no terms; the sentences are about their own
        current, proposal = self.cotisation_id.sudo(), self._get_proposal()
        changes = []
        if proposal.option_set_id != current.option_set_id:
            changes.append(
                self.env._(
                    "Plan: %(new)s (was %(old)s).",
                    new=proposal.option_set_id.name,
                    old=current.option_set_id.name,
                )
            )
        if not current.line_ids:
            return changes  # an imported term without detail
        for product, old, new in self._compare_options(current.line_ids, proposal.line_ids):
            name = product.display_name
            if not new:
                changes.append(self.env._("%(option)s: no longer included.", option=name))
                continue
            amount = self._format_amount(new[1], proposal)
            if not old:
                changes.append(
                    self.env._("%(option)s: %(amount)s (new).", option=name, amount=amount)
                )
                continue
            old_amount = self._format_amount(old[1], current)
            if old_amount != amount:
                changes.append(
                    self.env._(
                        "%(option)s: %(amount)s (was %(old_amount)s).",
                        option=name,
                        amount=amount,
                        old_amount=old_amount,
                    )
                )
        return changes

    def _get_change_reasons(self):
        """:return: sentences on why the amount differs from that of the current term"""
        self.ensure_one()
        # sudo: members read no terms; the sentences are about their own
        current, proposal = self.cotisation_id.sudo(), self._get_proposal()
        reasons = []
        if self._is_partial(current):
            reasons.append(self.env._("Your current membership was prorated, so it cost less."))
        if self._is_partial(proposal):
            reasons.append(
                self.env._("Your next membership is prorated: you pay only for the time it covers.")
            )
        old_prices = {line.product_id: line.price_unit for line in current.line_ids}
        repriced = any(
            line.product_id in old_prices and line.price_unit != old_prices[line.product_id]
            for line in proposal.line_ids
        )
        if repriced and not reasons:
            reasons.append(
                self.env._(
                    "Our prices have changed. These apply from %(date)s, when your next "
                    "membership begins.",
                    date=self._format_day(proposal.date_start),
                )
            )
        return reasons

    def _is_partial(self, term):
        """:return: whether ``term`` is shorter than its period, and priced accordingly"""
        option_set = term.option_set_id
        whole = option_set._is_whole_period(term.date_start, term.date_end)
        return not whole and option_set.proration != "none"

    def _get_since_notice_sentence(self):
        """Return what accepting means today, to who may and was told something else by the
        notice (a sentence), or ``False``."""
        self.ensure_one()
        proposal = self._get_proposal()
        if proposal == self or self._get_cannot_answer_reason("accept"):
            return False
        names = {
            "shown": self._format_amount(self.amount_total),
            "total": self._format_amount(proposal.amount_total, proposal),
        }
        if proposal.date_start != self.date_start:
            return self.env._(
                "The notice said: %(shown_term)s, %(shown)s. Since then, a new period has "
                "started: %(term)s, %(total)s.",
                shown_term=self._get_period_in_words(),
                term=proposal._get_period_in_words(),
                **names,
            )
        if self.currency_id.compare_amounts(proposal.amount_total, self.amount_total):
            return self.env._(
                "The notice said %(shown)s. With today's taxes, the total is %(total)s.", **names
            )
        return False

    def _get_acceptance_sentence(self):
        """:return: who receives what by accepting, and for how much, in a sentence"""
        self.ensure_one()
        if sentence := self._get_charge_sentence():
            return sentence
        proposal = self._get_proposal()
        amount = self._format_amount(proposal.amount_total, proposal)
        payer_sudo = self._get_other_payer()
        if payer_sudo and self.company_id.membri_fee_notice:
            return self.env._(
                "%(payer)s will receive a fee notice for %(amount)s.",
                payer=payer_sudo._membri_get_names(),
                amount=amount,
            )
        if payer_sudo:
            return self.env._(
                "%(payer)s will receive an invoice for %(amount)s.",
                payer=payer_sudo._membri_get_names(),
                amount=amount,
            )
        if self.company_id.membri_fee_notice:
            return self.env._("You will receive a fee notice for %(amount)s.", amount=amount)
        return self.env._("You will receive an invoice for %(amount)s.", amount=amount)

    # ------------------------------------------------------------------
    # Where it stands, in the member's words
    # ------------------------------------------------------------------

    def _get_portal_status(self):
        """:return: ``(level, label)`` of a badge"""
        self.ensure_one()
        if self.state in ANSWERABLE_STATES and self._get_cannot_answer_reason("accept"):
            return "secondary", self.env._("Please contact us")
        if self.state == "approved":
            return self._get_portal_payment_status()
        if self._is_announced():
            return "info", self.env._(
                "Renews on %(date)s", date=self._format_day(self.date_auto_invoice)
            )
        label = {
            "sent": self.env._("Awaiting your reply"),
            "change_requested": self.env._("Changes requested"),
            "intervention": self.env._("We will contact you"),
            "refused": self.env._("Not renewed"),
        }[self.state]
        return BADGE_LEVELS[self.state], label

    def _get_portal_payment_status(self):
        if self.is_paid:
            return "success", self.env._("Paid")
        if self._is_money_under_way():
            return "info", self.env._("Payment in progress")
        return "warning", self.env._("Accepted, payment due")

    def _get_portal_sentences(self):
        """:return: where the renewal stands and what comes next, as a list of sentences"""
        self.ensure_one()
        return {
            "sent": self._get_portal_sentences_sent,
            "change_requested": self._get_portal_sentences_change_requested,
            "intervention": self._get_portal_sentences_intervention,
            "approved": self._get_portal_sentences_approved,
            "refused": self._get_portal_sentences_refused,
        }[self.state]()

    def _get_portal_sentences_sent(self):
        if reason := self._get_cannot_answer_reason("accept"):
            return [reason]
        return [self._get_deadline_sentence()]

    def _get_portal_sentences_change_requested(self):
        # sudo: members read no requests; this is theirs
        request_sudo = self.sudo().change_request_id
        sentences = [
            self.env._("We received your request and will contact you."),
        ]
        if request_sudo.state == "applied":
            sentences = [self.env._("We updated your renewal as you asked.")]
        if reason := self._get_cannot_answer_reason("accept"):
            return [*sentences, reason]
        if request_sudo.state == "applied":
            return [*sentences, self.env._("Accept it below to renew your membership.")]
        return [
            *sentences,
            self.env._("You can still accept the renewal below, or edit your request."),
        ]

    def _get_portal_sentences_intervention(self):
        return [
            self.env._("Our team is handling this renewal and will contact you."),
            self.env._("You don't need to do anything for now."),
        ]

    def _get_portal_sentences_approved(self):
        term_sudo = (
            self.new_cotisation_id.sudo() or self
        )  # sudo: members read no terms; this is theirs
        if self.is_paid:
            thanks = self.env._("Thank you! Your renewal is accepted and paid.")
            today = self.company_id._membri_today()
            if self.new_cotisation_id and term_sudo.date_start <= today:  # no next one any more
                return [thanks, term_sudo._membri_get_paid_sentence()]
            return [
                thanks,
                self.env._(
                    "Your next membership: %(term)s.", term=term_sudo._get_period_in_words()
                ),
            ]
        sentences = [
            self.env._(
                "Thank you! Your renewal is accepted (%(term)s).",
                term=term_sudo._get_period_in_words(),
            )
        ]
        if not self._is_invoice_of_others_too():  # of which it is its payer's business
            sentences += self._get_invoice_sudo()._membri_get_received_sentences()
        if self._is_money_under_way():
            sentences.append(self.env._("Your payment is in progress."))
            left = self._get_invoice_sudo()._membri_get_amount_to_pay()
            # of an invoice for others too it is its payer's business
            if left > 0.0 and not self._is_invoice_of_others_too():
                sentences.append(
                    self.env._(
                        "After that, %(amount)s is left to pay.",
                        amount=self._format_amount(left, self._get_invoice_sudo()),
                    )
                )
            return sentences
        if sentence := self._get_charge_sentence():
            return [*sentences, sentence]
        return [*sentences, self._get_payment_sentence()]

    def _get_last_try(self):
        """Return ``(level, sentence)`` of what became of the last online payment, where its payer
        comes back to, or ``False``."""
        self.ensure_one()
        if self.state != "approved" or self.is_paid or not self.invoice_id:
            return False
        if self._is_money_under_way():
            return False
        # what is tried on an invoice for others too is its payer's business
        return (
            not self._is_invoice_of_others_too() and self._get_invoice_sudo()._membri_get_last_try()
        )

    def _get_portal_sentences_refused(self):
        return [
            self.env._("Your membership will not be renewed."),
            self.env._("If you change your mind, please contact us."),
        ]

    def _get_payment_instructions(self):
        """:return: what a transfer or a check needs: ``(label, value)`` pairs"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        if not invoice_sudo or self._is_invoice_of_others_too():
            return []
        return invoice_sudo._membri_get_account_rows()

    def _can_pay_online(self):
        """:return: whether the page of the invoice offers a payment"""
        self.ensure_one()
        invoice_sudo = self._get_invoice_sudo()
        if self._is_invoice_of_others_too() or not invoice_sudo:
            return False
        if not invoice_sudo._has_to_be_paid():
            return False
        # sudo: providers are the accountants'
        return bool(
            self.env["payment.provider"]
            .sudo()
            ._get_compatible_providers(
                invoice_sudo.company_id.id,
                invoice_sudo.partner_id.id,
                invoice_sudo.amount_residual,
                currency_id=invoice_sudo.currency_id.id,
            )
        )
