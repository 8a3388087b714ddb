from odoo import models

from .mixins.state import get_redirect


class ResCompany(models.Model):
    """What a company must have before anything can leave: asked by the first steps, by
    campaigns, and of each notice that is sent (``renewal/readiness.py``)."""

    _inherit = "res.company"

    def _membri_get_sender(self, officer=None):
        """:param officer: ``res.users`` who sends; default: the membership officer
        :return: the address that notices are sent from, or ``""``"""
        self.ensure_one()
        company_sudo = self.sudo()  # sudo: settings are the staff's; the address is on each email
        officer_sudo = (officer or self._membri_get_officer()).sudo()
        return (
            officer_sudo.email_normalized or company_sudo.email or company_sudo.catchall_email or ""
        )

    def _membri_get_no_sender_reason(self, officer=None):
        """:param officer: as of :meth:`_membri_get_sender`
        :return: that an email would have no sender (a sentence), or ``False``"""
        self.ensure_one()
        return not self._membri_get_sender(officer) and self.env._(
            "%(company)s has no email address to send from. Enter one for the membership officer "
            "or for the company.",
            company=self.name,
        )

    def _membri_get_unready(self, option_sets, members=None):
        """:param option_sets: the plans that are about to be used
        :param members: the contacts that are about to be written to
        :return: iterator of ``(code, sentence)`` of what would keep notices or invoices from
            leaving, or make them wrong; empty when all is well"""
        self.ensure_one()
        if reason := self._membri_get_no_sender_reason():
            yield "sender", reason
        for option_set in option_sets:
            yield from option_set.with_company(self)._get_unready_reasons()
        if reason := self._membri_get_no_journal_reason():
            yield "journal", reason
        if members and (reason := self._membri_get_no_language_reason(members)):
            yield "language", reason

    def _membri_get_remedy(self, code):
        """Where what is missing is entered: the action's external identifier, and the name of its
        button."""
        is_administrator = self.env.user.has_group("base.group_system")
        if code == "sender":
            return "membri_renewal.action_membri_settings", self.env._("Open Settings")
        if code == "chart" and is_administrator:
            return "account.action_account_config", self.env._("Open Settings of Invoicing")
        if code == "journal" and self.env.user.has_group("account.group_account_manager"):
            return "account.action_account_journal_form", self.env._("Open Journals")
        if code == "rate" and self.env.user.has_group("account.group_account_manager"):
            return "base.action_currency_form", self.env._("Open Currencies")
        if code != "language":
            return "membri_renewal.action_membri_option_set", self.env._("Open Plans")
        if is_administrator:
            return "base.res_lang_act_window", self.env._("Open Languages")
        return "membri_renewal.action_membri_member", self.env._("Open Members")

    def _membri_get_no_language_reason(self, members):
        """A sentence: somebody would be written to in a language that is not installed; or
        ``False``"""
        installed = {code for code, _name in self.env["res.lang"].get_installed()}
        unread = members.filtered(lambda member: member.lang and member.lang not in installed)
        if not unread:
            return False
        lang = unread[0].lang
        language = (
            self.env["res.lang"].with_context(active_test=False).search([("code", "=", lang)])
        )
        return self.env._(
            "The language “%(language)s” is not installed, but %(member)s reads it (contacts "
            "concerned: %(count)s). Install it, or choose another language on the contact.",
            language=language.name or lang,
            count=len(unread.filtered(lambda member: member.lang == lang)),
            member=unread[0].display_name,
        )

    def _membri_get_no_rate_reason(self, currencies):
        """A sentence: a member would be charged in a currency that has no exchange rate, which
        Odoo takes for a rate of 1; or ``False``"""
        self.ensure_one()
        foreign = currencies - self.currency_id
        if not foreign:
            return False
        # sudo: whether there is a rate is no secret
        own_sudo = self.sudo().currency_id
        currencies_sudo = own_sudo.search([("active", "=", True)]) | foreign.sudo()
        rates_sudo = (
            self.env["res.currency.rate"]
            .sudo()
            ._read_group(
                [
                    ("currency_id", "in", currencies_sudo.ids),
                    ("company_id", "in", [False, self.sudo().root_id.id]),
                ],
                ["currency_id"],
            )
        )
        unrated_sudo = currencies_sudo - own_sudo.union(*(currency for [currency] in rates_sudo))
        own_rate = own_sudo._get_rates(self.sudo(), self._membri_today())[own_sudo.id]
        if own_rate != 1.0 and len(unrated_sudo) == 1:
            return False  # the one that the rates are measured by, that of the company among them
        without = foreign & unrated_sudo
        return bool(without) and self.env._(
            "There is no exchange rate for %(currency)s, so 1 %(currency)s would be taken for 1 "
            "%(own)s. Enter one in Invoicing (Configuration, Currencies).",
            currency=without[0].name,
            own=self.currency_id.name,
        )

    def _membri_get_no_journal_reason(self):
        """:return: that there is no journal to invoice on (a sentence), or ``False``"""
        self.ensure_one()
        if self._membri_get_sale_journals_sudo():
            return False
        return self.env._(
            "%(company)s has no sales journal, so nothing can be invoiced. Ask the accountant to "
            "add one or to unarchive it.",
            company=self.name,
        )

    def _membri_has_chart(self):
        """Whether there is a chart of accounts. In sudo: it is the accountants'; whether
        there is one is no secret"""
        self.ensure_one()
        return bool(self.sudo().root_id.chart_template)

    def _membri_check_ready(self, option_sets, members=None):
        """:raises RedirectWarning: as :meth:`_membri_raise_unready`"""
        for company in self:
            company._membri_raise_unready(company._membri_get_unready(option_sets, members))

    def _membri_raise_unready(self, unready):
        """:param unready: as :meth:`_membri_get_unready` returns it
        :raises RedirectWarning: with the first thing that is missing, and where to mend it"""
        for code, sentence in unready:
            xmlid, label = self._membri_get_remedy(code)
            raise get_redirect(sentence, self.env.ref(xmlid).id, label)


class MembriOptionSet(models.Model):
    """What a plan must have before its members are asked."""

    _inherit = "membri.option.set"

    def _get_unready_reasons(self):
        """:return: list of ``(code, sentence)``"""
        self.ensure_one()
        usual = self.line_ids.filtered(lambda line: line.is_required or line.is_default)
        if not usual:
            return [
                (
                    "options",
                    self.env._(
                        "The plan “%(plan)s” has no option that is required or included by "
                        "default, so it has no price. Add one.",
                        plan=self.name,
                    ),
                )
            ]
        reasons = []
        archived = usual.filtered(lambda line: not line.product_id.active)
        # one that members may do without is left out: it is no longer offered
        if broken := archived.filtered("is_required") or (archived == usual and archived):
            reasons.append(
                (
                    "archived",
                    self.env._(
                        "“%(product)s” of the plan “%(plan)s” is archived, so renewals would leave "
                        "it out. Unarchive it, or replace it on the plan.",
                        product=broken[0].product_id.display_name,
                        plan=self.name,
                    ),
                )
            )
        if not any(line._has_price() for line in usual):
            reasons.append(
                (
                    "price",
                    self.env._(
                        "The plan “%(plan)s” has no price. Enter the price of its options; for a "
                        "free membership, turn on “Custom Price” and leave it at zero.",
                        plan=self.name,
                    ),
                )
            )
        without = usual.filtered(lambda line: not line._get_income_account_sudo())
        company = self._get_term_company()
        if without and not company._membri_has_chart():
            reasons.append(
                (
                    "chart",
                    self.env._(
                        "%(company)s has no chart of accounts, so “%(plan)s” cannot be invoiced. "
                        "An administrator chooses one in the settings of Invoicing (Fiscal "
                        "Localization).",
                        company=company.name,
                        plan=self.name,
                    ),
                )
            )
        elif without:
            reasons.append(
                (
                    "account",
                    self.env._(
                        "“%(product)s” of the plan “%(plan)s” has no income account, so it cannot "
                        "be invoiced. Choose one on the product, on its category, or on the sales "
                        "journal.",
                        product=without[0].product_id.display_name,
                        plan=self.name,
                    ),
                )
            )
        return reasons


class MembriOptionSetLine(models.Model):
    _inherit = "membri.option.set.line"

    def _has_price(self):
        """Return whether somebody has said what this option costs: on the plan, on the product,
        or on a pricelist."""
        self.ensure_one()
        if self.has_own_price or self.product_id.lst_price:
            return True
        rules_sudo = self.env["product.pricelist.item"].sudo()  # the accountants' to read
        return bool(
            rules_sudo.search_count(
                [
                    "|",
                    ("product_id", "=", self.product_id.id),
                    ("product_tmpl_id", "=", self.product_id.product_tmpl_id.id),
                ],
                limit=1,
            )
        )

    def _get_income_account_sudo(self):
        """Return where the income of this option is booked. In sudo: accounts are the
        accountants'; whether there is one is no secret."""
        self.ensure_one()
        company = self.option_set_id._get_term_company()
        product_sudo = self.product_id.sudo().with_company(company)
        return (
            product_sudo.product_tmpl_id.get_product_accounts()["income"]
            or company._membri_get_sale_journals_sudo().default_account_id[:1]
        )
