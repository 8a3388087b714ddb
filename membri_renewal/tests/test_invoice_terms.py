from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from .common_payments import MembriPaymentCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestInvoiceTerms(MembriPaymentCommon):
    """A membership invoice is an invoice like any other of Odoo: analytics, pricelist,
    payment terms, fiscal position, reference, QR codes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plan = cls.env_root["account.analytic.plan"].create({"name": "Activities"})
        cls.services, cls.congress = cls.env_root["account.analytic.account"].create(
            [
                {"name": name, "plan_id": plan.id, "company_id": cls.company.id}
                for name in ("Member services", "Congress")
            ]
        )

    def _approve(self, member=None, option_set=None):
        member = member or self._create_member(f"Member {self.id()}")
        cotisation = self._create_cotisation(member, "2026-01-01", option_set=option_set)
        renewal = self._create_renewal(cotisation)
        renewal.action_approve()
        return renewal.invoice_id

    def test_analytic_distribution_of_the_option(self):
        both = self._create_option_set("Both", products=self.product | self.extra)
        shares = {str(self.services.id): 60.0, str(self.congress.id): 40.0}
        both.with_env(self.env_root).line_ids[0].analytic_distribution = shares
        invoice = self._approve(option_set=both)
        by_product = {
            line.product_id: line.analytic_distribution for line in invoice.invoice_line_ids
        }
        self.assertEqual(by_product, {self.product: shares, self.extra: False})
        analytic = self.env_root["account.analytic.line"].search(
            [("move_line_id", "in", invoice.sudo().invoice_line_ids.ids)]
        )
        self.assertEqual(sorted(analytic.mapped("amount")), [120.0, 180.0])

    def test_analytic_distribution_model(self):
        """Without a distribution of its own: what Odoo's models say of the product."""
        shares = {str(self.services.id): 100.0}
        self.env_root["account.analytic.distribution.model"].create(
            {
                "product_id": self.product.id,
                "analytic_distribution": shares,
                "company_id": self.company.id,
            }
        )
        self.assertEqual(self._approve().invoice_line_ids.analytic_distribution, shares)

    def test_fiscal_position_of_another_province(self):
        ontario = self.env_root.ref("base.state_ca_on")
        hst = self.env_root["account.tax"].search(
            [
                ("company_id", "=", self.company.id),
                ("type_tax_use", "=", "sale"),
                ("name", "=", "13% HST"),
            ]
        )
        position = self.env_root["account.fiscal.position"].create(
            {
                "name": "Members in Ontario",
                "auto_apply": True,
                "country_id": self.env_root.ref("base.ca").id,
                "state_ids": [fields.Command.set(ontario.ids)],
                "company_id": self.company.id,
                "sequence": 1,
            }
        )
        hst.write(
            {
                "fiscal_position_ids": [fields.Command.set(position.ids)],
                "original_tax_ids": [fields.Command.set(self.tax.ids)],
            }
        )
        member = self._create_member(
            "From Ottawa", country_id=ontario.country_id.id, state_id=ontario.id
        )
        invoice = self._approve(member)
        self.assertEqual(invoice.invoice_line_ids.tax_ids, hst)
        self.assertRecordValues(
            invoice, [{"fiscal_position_id": position.id, "amount_total": 339.0}]
        )

    def test_pricelist_of_the_first_day(self):
        pricelist = self.env_root["product.pricelist"].create(
            {
                "name": "Partners",
                "company_id": self.company.id,
                "item_ids": [
                    fields.Command.create(
                        {
                            "compute_price": "percentage",
                            "percent_price": 10.0,
                            "date_start": "2027-01-01 05:00:00",
                        }
                    )
                ],
            }
        )
        member = self._create_member("Partner", property_product_pricelist=pricelist.id)
        self.assertEqual(self._approve(member).amount_untaxed, 270.0)

    def test_payment_terms_salesperson_and_reference(self):
        member = self._create_member(
            "In parts",
            user_id=self.manager.id,
            property_payment_term_id=self.pay_terms_b.id,
        )
        invoice = self._approve(member)
        self.assertRecordValues(
            invoice,
            [
                {
                    "invoice_payment_term_id": self.pay_terms_b.id,
                    "invoice_user_id": self.manager.id,
                    "payment_reference": invoice.name,
                    "journal_id": self.company_data["default_journal_sale"].id,
                }
            ],
        )
        parts = invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
        self.assertEqual(sorted(parts.mapped("debit")), [103.48, 241.45])
        self.assertEqual(
            parts.sorted("date_maturity").mapped(lambda line: line.date_maturity.isoformat()),
            ["2026-11-15", "2026-12-31"],
        )
        self._pay(invoice, 103.48)
        cotisation = invoice.membri_cotisation_ids
        self.assertEqual(cotisation.state, "pending", "the first part is not all")
        self._pay(invoice, 241.45)
        self.assertEqual(cotisation.state, "scheduled")

    def test_payment_reference_of_the_journal(self):
        journal = self.company_data["default_journal_sale"].with_env(self.env_root)
        journal.invoice_reference_model = "euro"
        self.assertTrue(self._approve().payment_reference.startswith("RF"))

    def test_qr_codes(self):
        """By bank transfer, where the currency and the account allow it, and to the portal."""
        euro = self.env_root.ref("base.EUR")
        euro.active = True
        self.company.with_env(self.env_root).write({"qr_code": True, "link_qr_code": True})
        bank_account = self.env_root["res.partner.bank"].create(
            {
                "acc_number": "FR7630001007941234567890185",
                "partner_id": self.company.partner_id.id,
                "allow_out_payment": True,
            }
        )
        pricelist = self.env_root["product.pricelist"].create(
            {"name": "Europe", "currency_id": euro.id, "company_id": self.company.id}
        )
        member = self._create_member(
            "From Paris",
            country_id=self.env_root.ref("base.fr").id,
            property_product_pricelist=pricelist.id,
        )
        invoice = self._approve(member).with_env(self.env_account)
        self.assertEqual(invoice.currency_id, euro)
        self.assertEqual(invoice.partner_bank_id.id, bank_account.id)
        self.assertTrue(invoice.display_qr_code)
        self.assertTrue(invoice.display_link_qr_code)
        self.assertTrue(invoice._generate_qr_code().startswith("data:image/png;base64,"))
