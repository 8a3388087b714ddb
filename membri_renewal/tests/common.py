from odoo import fields
from odoo.tests import new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon


class MembriCommon(AccountTestInvoicingCommon):
    """A company with a chart of accounts, three option sets, members and one user per group.

    Tests run as the membership officer; ``cls.env`` of the accountant is ``cls.env_account``.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.company.membri_tz = "America/Toronto"
        groups = "membri_renewal.group_membri_"
        company = {"company_ids": [fields.Command.set(cls.company.ids)], "company_id": cls.company.id}
        cls.officer = new_test_user(
            cls.env, "officer", f"{groups}user", email="officer@example.com", **company
        )
        cls.manager = new_test_user(cls.env, "manager", f"{groups}manager", **company)
        cls.auditor = new_test_user(cls.env, "auditor", f"{groups}readonly", **company)
        cls.employee = new_test_user(cls.env, "employee", "base.group_user", **company)
        cls.company.membri_officer_id = cls.officer
        cls.env_account = cls.env
        cls.env = cls.env(user=cls.officer)
        cls.env_root = cls.env(user=cls.env.ref("base.user_root"), su=True)

        cls.tax = cls.company_data["default_tax_sale"]
        cls.product = cls._create_option("Membership", 300.0)
        cls.extra = cls._create_option("Directory listing", 50.0)
        cls.yearly = cls._create_option_set("Yearly", notice_lead_days=60)
        cls.fixed = cls._create_option_set(
            "Calendar year", date_mode="fixed", fixed_month="1", fixed_day=1, proration="daily"
        )
        cls.monthly = cls._create_option_set(
            "Monthly", period_unit="month", renewal_mode="invoice", notice_lead_days=7
        )
        cls.for_life = cls._create_option_set("For life", lifetime=True)
        cls.reason = cls.env["membri.refusal.reason"].create({"name": "Moved to the Moon"})
        cls.member = cls._create_member("Ada Boulanger")

    @classmethod
    def _create_option(cls, name, price):
        return cls.env_root["product.product"].create(
            {
                "name": name,
                "type": "service",
                "list_price": price,
                "taxes_id": [fields.Command.set(cls.tax.ids)],
            }
        )

    @classmethod
    def _create_option_set(cls, name, products=None, **vals):
        return cls.env_root["membri.option.set"].create(
            {
                "name": name,
                "company_id": cls.company.id,
                "line_ids": [
                    fields.Command.create({"product_id": product.id})
                    for product in products or cls.product
                ],
                **vals,
            }
        ).with_env(cls.env)

    @classmethod
    def _create_member(cls, name, **vals):
        email = f"{name.lower().replace(' ', '.')}@example.com"
        return cls.env["res.partner"].create({"name": name, "email": email, **vals})

    @classmethod
    def _create_cotisation(cls, member, date_start, option_set=None, state="active", **vals):
        """An imported cotisation: a fact, without invoice."""
        return cls.env["membri.cotisation"].create(
            {
                "partner_id": member.id,
                "option_set_id": (option_set or cls.yearly).id,
                "date_start": date_start,
                "state": state,
                **vals,
            }
        )

    @classmethod
    def _create_renewal(cls, cotisation, **vals):
        return cls.env["membri.renewal"].create({"cotisation_id": cotisation.id, **vals})

    def _pay(self, invoice, amount=None):
        """Register a payment as the accountant does; returns the ``account.payment``."""
        return self._register_payment(
            invoice.with_env(self.env_account),
            **({"amount": amount} if amount is not None else {}),
        )

    def _run_cron(self, xmlid):
        """Run a scheduled action as the scheduler does, commits included."""
        with self.enter_registry_test_mode():
            self.env_root.ref(f"membri_renewal.{xmlid}").method_direct_trigger()
        self.env.invalidate_all()


