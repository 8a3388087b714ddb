from freezegun import freeze_time

from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import Form, tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestFirstRun(MembriCommon):
    """Issue 16, 1: the first steps tick themselves, and what cannot work is stopped."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(user=cls.manager)
        cls.steps = {step.code: step for step in cls.env["membri.setup.step"].search([])}

    def _is_done(self, code, company=None):
        step = self.steps[code]
        step.invalidate_recordset()
        if company:
            step = step.with_context(allowed_company_ids=company.ids)
        return step.is_done

    def _start(self, **vals):
        return self.env["membri.option.set.start"].create({"name": "Regular", **vals})

    def test_empty_company(self):
        company = self._create_other_company("New", "America/Toronto")
        self.manager.with_env(self.env_root).company_ids += company
        company.email = False
        for code in self.steps:
            with self.subTest(step=code):
                self.assertFalse(self._is_done(code, company))
                self.assertTrue(
                    self.steps[code].with_context(allowed_company_ids=company.ids).missing
                )
        dashboards = self.env["membri.dashboard"].with_context(allowed_company_ids=company.ids)
        self.assertTrue(all(dashboards.search([]).mapped("is_unused")))

    def test_steps_follow_the_facts(self):
        self.company.write({"country_id": self.env.ref("base.ca").id, "street": "1 x", "city": "y"})
        self.assertTrue(self._is_done("organization"))
        self.company.membri_officer_id = False
        self.assertFalse(self._is_done("organization"))
        self.assertFalse(self._is_done("go_live"))
        self.company.membri_go_live = "2026-12-01"
        self.assertTrue(self._is_done("go_live"))
        self.assertFalse(self._is_done("members"))
        term = self._create_cotisation(self.member, "2026-01-01")
        self.assertTrue(self._is_done("members"))
        self.assertFalse(self._is_done("campaign"))
        self._create_renewal(term).action_send()
        self.assertTrue(self._is_done("campaign"))
        self.assertFalse(self.env["membri.dashboard"].search([]).filtered("is_unused"))

    def test_every_step_opens(self):
        for code, step in self.steps.items():
            with self.subTest(step=code):
                self.assertTrue(step.action_open()["type"].startswith("ir.actions."))

    def test_new_plan(self):
        """A price is asked; nobody gets a membership of $1.00."""
        with self.assertRaises(UserError):
            self._start().action_confirm()
        self.assertFalse(self.env["product.product"].search([("name", "=", "Regular")]))
        for kind, expected in {
            "calendar_year": {"date_mode": "fixed", "proration": "daily", "lifetime": False},
            "anniversary": {"date_mode": "anniversary", "period_unit": "year"},
            "monthly": {"period_unit": "month", "renewal_mode": "invoice"},
            "lifetime": {"lifetime": True},
        }.items():
            with self.subTest(kind=kind):
                action = self._start(kind=kind, price=120.0).action_confirm()
                plan = self.env["membri.option.set"].browse(action["res_id"])
                self.assertRecordValues(plan, [expected])
                self.assertEqual(plan._get_list_price(), 120.0)
                self.assertEqual(plan.line_ids.product_id.type, "service")
                self.assertFalse(plan._get_unready_reasons())
        free = self._start(is_free=True)._do_create()
        self.assertEqual(free._get_list_price(), 0.0)
        self.assertFalse(free._get_unready_reasons())

    def test_option_from_the_plan(self):
        """The manager makes products in the form of the plan."""
        context = {"default_type": "service", "default_list_price": 0.0}
        view = "membri_renewal.product_option_view_form"
        with Form(self.env["product.product"].with_context(**context), view=view) as form:
            form.name = "Directory"
            self.assertEqual(form.list_price, 0.0)
            form.list_price = 25.0
        self.assertEqual(form.record.type, "service")

    def _get_campaign(self):
        campaign = self.env["membri.campaign"].create({"option_set_ids": self.yearly.ids})
        campaign.action_preview()
        return campaign

    def _assert_stopped(self, campaign, *words):
        with self.assertRaises(RedirectWarning) as caught, self.cr.savepoint():
            campaign.action_send()
        for word in words:
            self.assertIn(word, caught.exception.args[0])
        self.assertEqual(campaign.state, "previewed")
        self.assertFalse(campaign.line_ids.renewal_id)

    def test_campaign_without_price(self):
        self._create_cotisation(self.member, "2026-01-01")
        self.product.list_price = 0.0
        self._assert_stopped(self._get_campaign(), "Yearly")
        self.product.list_price = 10.0
        campaign = self._get_campaign()
        campaign.action_send()
        self.assertEqual(campaign.line_ids.renewal_id.state, "sent")

    def test_campaign_without_sender(self):
        self._create_cotisation(self.member, "2026-01-01")
        self.company.membri_officer_id = False
        self.company.email = False
        self.company.alias_domain_id = False
        self._assert_stopped(self._get_campaign(), self.company.name)

    def test_campaign_without_account(self):
        self._create_cotisation(self.member, "2026-01-01")
        root = self.env_root
        self.product.categ_id.with_company(self.company).property_account_income_categ_id = False
        self.product.with_company(self.company).property_account_income_id = False
        if "income_account_id" in self.company._fields:
            self.company.income_account_id = False
        root["account.journal"].search(
            [("company_id", "=", self.company.id), ("type", "=", "sale")]
        ).default_account_id = False
        self._assert_stopped(self._get_campaign(), "Membership", "Yearly")

    def test_night_without_sender(self):
        """The draft waits, with the reason, where somebody sees it; nothing is said to be sent."""
        term = self._create_cotisation(self.member, "2026-01-01")
        self.company.membri_officer_id = False
        self.company.email = False
        self.company.alias_domain_id = False
        mails = self.env_root["mail.mail"].search_count([])
        self._run_cron("ir_cron_generate")
        renewal = term.renewal_ids
        self.assertEqual((renewal.state, renewal.delivery_state), ("draft", "failed"))
        self.assertFalse(renewal.date_sent)
        self.assertEqual(self.env_root["mail.mail"].search_count([]), mails)
