from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_generation import GenerationCommon

LOGGER = "odoo.addons.membri_renewal.models.mixins.state"


@tagged("post_install", "-at_install")
class TestBadInput(GenerationCommon):
    """What is wrong is told on the record that suffers, and stops no other."""

    def _generate(self, moment="2026-11-15 15:00:00"):
        with mute_logger(LOGGER):
            return super()._generate(moment)

    def _create_good(self):
        return self._create_cotisation(self._create_member("Zoe Good"), "2026-01-01").partner_id

    def test_three_bad_ones_among_sixty(self):
        """In two batches, the bad ones in both."""
        empty = self._create_option_set("Empty")
        bad_places = {0, 30, 59}
        members = self.env["res.partner"].create(
            [{"name": f"Bo {n:02}", "email": f"bo{n}@example.com"} for n in range(60)]
        )
        self.env["membri.cotisation"].create(
            [
                {
                    "partner_id": member.id,
                    "option_set_id": (empty if number in bad_places else self.yearly).id,
                    "date_start": "2026-01-01",
                    "state": "active",
                }
                for number, member in enumerate(members)
            ]
        )
        empty.sudo().line_ids.unlink()
        mails = self._generate()
        bad = self.env["res.partner"].browse(members[number].id for number in bad_places)
        self.assertEqual(mails.recipient_ids, members - bad)
        self.assertEqual(len(mails), 57)
        self.assertFalse(self._renewals(*bad))
        for error in bad.membri_cotisation_ids.mapped("renewal_error"):
            self.assertRegex(error, "The plan “Empty” has no option")

    def test_set_without_account(self):
        """Only who is invoiced at once suffers; the draft names the product and the remedy."""
        lost = self._create_option("Lost", 100.0).with_company(self.company)
        account = self.company_data["default_account_revenue"]
        for product in self.product + self.extra:
            product.sudo().with_company(self.company).property_account_income_id = account
        lost.categ_id.property_account_income_categ_id = False
        self.company.sudo().income_account_id = False
        self.company_data["default_journal_sale"].sudo().default_account_id = False
        bad = self._create_member("Bo Bad")
        good = self._create_member("Cy Good", membri_auto_renew=True)
        self._create_cotisation(bad, "2026-01-01", self._create_option_set("Lost", lost))
        self._create_cotisation(good, "2026-01-01")
        bad.membri_auto_renew = True
        self._generate()
        self.assertEqual(self._renewals(good).state, "approved")
        self.assertRecordValues(
            self._renewals(bad),
            [{"state": "draft", "delivery_state": "failed", "invoice_id": False}],
        )
        self.assertRegex(
            self._renewals(bad).delivery_note, "“Lost” cannot be invoiced .*accountant"
        )
        lost.property_account_income_id = account
        with freeze_time("2026-11-16 15:00:00"):
            self._renewals(bad).action_approve()
        self.assertEqual(self._renewals(bad).invoice_id.state, "posted")

    def test_set_without_template_sends_the_standard_notice(self):
        self.assertFalse(self.yearly.notice_template_id)
        good = self._create_good()
        self.assertEqual(self._generate().recipient_ids, good)

    def test_set_without_price_waits(self):
        """Nobody has said that it is free: the draft waits with the sentence. Once the plan says
        so, it goes out with a remark."""
        gift = self._create_option("Gift", 0.0)
        honorary, good = self._create_member("Bo Honorary"), self._create_good()
        plan = self._create_option_set("Honorary", gift)
        self._create_cotisation(honorary, "2026-01-01", plan)
        self.assertEqual(self._generate().recipient_ids, good)
        renewal = self._renewals(honorary)
        self.assertRecordValues(renewal, [{"state": "draft", "delivery_state": "failed"}])
        self.assertIn("Honorary", renewal.delivery_note)
        plan.sudo().line_ids.has_own_price = True
        renewal.action_send()
        self.assertRecordValues(renewal, [{"state": "sent", "amount_total": 0.0}])
        remarks = renewal.message_ids.filtered(lambda m: "costs nothing" in m.body)
        self.assertRegex(str(remarks.body), "set prices for the options of “Honorary”")
        others = self._renewals(good).message_ids
        self.assertFalse(others.filtered(lambda m: "costs nothing" in m.body))

    @mute_logger("odoo.sql_db")
    def test_set_without_duration_cannot_be_saved(self):
        for vals in ({"period_count": 0}, {"period_count": -1}, {"period_unit": False}):
            with self.subTest(vals=vals), self.assertRaises(IntegrityError), self.cr.savepoint():
                self.yearly.sudo().write(vals)
                self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaisesRegex(ValidationError, "the month and the day"):
            self.fixed.sudo().fixed_month = False

    def test_member_without_language_country_or_currency(self):
        """No language, no country, no pricelist: the company's stand in."""
        self.env_root["product.pricelist"].search([]).active = False
        bare = self._create_member("Bo Bare", lang=False, country_id=False)
        self._create_cotisation(bare, "2026-01-01")
        good = self._create_good()
        mails = self._generate()
        self.assertEqual(mails.recipient_ids, bare + good)
        self.assertRecordValues(
            self._renewals(bare),
            [
                {
                    "state": "sent",
                    "currency_id": self.company.currency_id.id,
                    "amount_untaxed": 300.0,
                    "amount_total": 345.0,
                }
            ],
        )
        self.assertEqual(self._renewals(bare)._get_lang(), self.company.partner_id.lang)

    def test_member_without_language_who_is_invoiced_at_once(self):
        bare = self._create_member("Bo Bare", lang=False, country_id=False)
        self._create_cotisation(bare, "2026-01-01")
        bare.membri_auto_renew = True
        self._generate()
        self.assertEqual(self._renewals(bare).invoice_id.state, "posted")
