from base64 import b64encode

from markupsafe import Markup

from odoo import models
from odoo.fields import Command
from odoo.tools import file_open

LANGUAGES = ("fr_CA", "fr_FR")
USERS = {
    "officer": ("Mélanie Gagnon", ["membri_renewal.group_membri_user"]),
    "manager": (
        "Stéphane Bouchard",
        ["membri_renewal.group_membri_manager", "account.group_account_manager"],
    ),
    "accountant": (
        "Nathalie Fortin",
        [
            "membri_renewal.group_membri_readonly",
            "account.group_account_manager",
            "account.group_account_user",
        ],
    ),
}


class MembriDemo(models.AbstractModel):
    """The company, its chart of accounts and the people who work there."""

    _inherit = "membri.demo"

    def _create_company(self):
        self._install_languages()
        with file_open("membri_renewal/demo/logo.png", "rb") as logo:
            image = b64encode(logo.read())
        # its chart is loaded below, not at the end of the transaction
        Company = self.env["res.company"].with_context(chart_template_load=True)
        company = Company.create(
            {
                "name": "Chambre de commerce de Rivière-Claire",
                "street": "12, place du Marché",
                "city": "Rivière-Claire",
                "zip": "J7K 3B2",
                "state_id": self.env.ref("base.state_ca_qc").id,
                "country_id": self.env.ref("base.ca").id,
                "currency_id": self.env.ref("base.CAD").id,
                "phone": "+1 450-555-0100",
                "logo": image,
                "primary_color": "#1f5c7a",
                "secondary_color": "#2a9d8f",
                "email_primary_color": "#ffffff",
                "email_secondary_color": "#1f5c7a",
                "report_footer": Markup("<p>%s<br/>%s</p>")
                % (
                    "Chambre de commerce de Rivière-Claire · info@cc-riviere-claire.example",
                    "NEQ 1144556677 · TPS 144556677 RT0001 · TVQ 1144556677 TQ0001",
                ),
                "membri_tz": "America/Toronto",
            }
        )
        company = self._name_record("company", company.with_env(self.env))
        # afterwards: given at once, its domain would be looked up on the internet
        company.partner_id.write(
            {
                "lang": "fr_CA",
                "tz": "America/Toronto",
                "email": "info@cc-riviere-claire.example",
                "website": "https://cc-riviere-claire.example",
            }
        )
        self._load_chart(company)
        self._offer_demo_payment(company)
        admin = self.env.ref("base.user_admin")
        admin.write({"company_ids": [Command.link(company.id)], "company_id": company.id})
        return company

    def _install_languages(self):
        missing = (
            self.env["res.lang"]
            .with_context(active_test=False)
            .search([("code", "in", LANGUAGES), ("active", "=", False)])
        )
        if missing:
            self.env["base.language.install"].create(
                {"lang_ids": [Command.set(missing.ids)], "overwrite": False}
            ).lang_install()

    def _load_chart(self, company):
        """The Canadian chart with GST and QST where it is installed, else the generic one."""
        Chart = self.env["account.chart.template"].with_company(company)
        code = "ca_2023" if "ca_2023" in Chart._get_chart_template_mapping() else "generic_coa"
        Chart.try_loading(code, company=company, install_demo=False)
        # payments by hand make journal entries, which the bank statement settles
        receipts = Chart.ref("account_journal_payment_debit_account_id", raise_if_not_found=False)
        journals = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", company.id)]
        )
        journals.inbound_payment_method_line_ids.payment_account_id = receipts

    def _offer_demo_payment(self, company):
        """Let members pay by a test card on the portal, where Odoo's test provider is there."""
        provider = self.env.ref("payment.payment_provider_demo", raise_if_not_found=False)
        if not provider or provider.code != "demo":
            return
        ours = provider.search([("code", "=", "demo"), ("company_id", "=", company.id)], limit=1)
        ours = ours or provider.copy({"company_id": company.id})
        ours.write({"state": "test", "is_published": True})

    def _create_users(self, company):
        """:return: ``{login: user}``; each one's password is the login"""
        users = {}
        for login, (name, groups) in USERS.items():
            users[login] = self.env["res.users"].create(
                {
                    "name": name,
                    "login": login,
                    "password": login,
                    "email": f"{login}@cc-riviere-claire.example",
                    "phone": "+1 450-555-0100",
                    "lang": "fr_CA",
                    "tz": "America/Toronto",
                    "notification_type": "inbox",
                    "company_id": company.id,
                    "company_ids": [Command.set(company.ids)],
                    "group_ids": [Command.set([self.env.ref(group).id for group in groups])],
                }
            )
            self._name_record(f"user_{login}", users[login])
        company.membri_officer_id = users["officer"]
        company.membri_payment_user_id = users["accountant"]
        company.membri_signatory = "Mélanie Gagnon, directrice des adhésions"
        return users

    def _create_member_user(self, company):
        """The portal user: in charge of a member whose renewal waits for an answer."""
        contact = self.env.ref("membri_renewal.demo_member_contact")
        member = self.env.ref("membri_renewal.demo_member")
        self._name_record(
            "renewal_member",
            self.env["membri.renewal"].search(
                [("partner_id", "=", member.id), ("state", "=", "sent")], limit=1
            ),
        )
        self._name_record(
            "user_member",
            self.env["res.users"].create(
                {
                    "partner_id": contact.id,
                    "login": "member",
                    # the demo's logins are public
                    "password": "member",  # nosec B105
                    "tz": "America/Toronto",
                    "lang": "fr_CA",
                    "company_id": company.id,
                    "company_ids": [Command.set(company.ids)],
                    "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
                }
            ),
        )
