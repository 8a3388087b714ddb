from unittest.mock import patch

from freezegun import freeze_time
from lxml import html

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MockEmail

from .common import MembriCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestFirstRun(MembriCommon, MockEmail):
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
        self.company.email = "office@example.com"
        step = self.steps["organization"]
        self.assertEqual(step.action_open()["res_model"], "res.company")
        for name, value in (("membri_officer_id", False), ("membri_tz", "UTC")):
            with self.subTest(missing=name):
                before = self.company[name]
                self.company[name] = value
                self.assertFalse(self._is_done("organization"))
                self.assertEqual(step.action_open()["res_model"], "membri.settings")
                self.company[name] = before
        self.company.write({"membri_officer_id": False, "street": False})
        self.assertFalse(self._is_done("organization"))
        self.assertEqual(step.action_open()["res_model"], "res.company")
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
        self.assertEqual(len(self.steps), 7)
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

    # ------------------------------------------------------------------
    # A test notice to oneself
    # ------------------------------------------------------------------

    def _count_all(self):
        models = (
            "res.partner",
            "membri.cotisation",
            "membri.renewal",
            "mail.activity",
            "mail.followers",
            "account.move",
            "membri.change.request",
        )
        self.env.flush_all()
        return {
            model: self.env_root[model].with_context(active_test=False).search_count([])
            for model in models
        }

    def _send_test_notice(self, **vals):
        with self.mock_mail_gateway(mail_unlink_sent=False):
            self.env["membri.test.notice"].create(vals).action_confirm()
        return self._new_mails.exists()  # without the one that was rolled back

    def test_test_notice(self):
        """The real notice with its PDF, marked as a test; nothing stays but the email."""
        self.assertFalse(self._is_done("test_notice"))
        before = self._count_all()
        numbers = [
            self.env_root["ir.sequence"].search([("code", "=", code)]).mapped("number_next_actual")
            for code in ("membri.renewal", "membri.cotisation")
        ]
        mail = self._send_test_notice(option_set_id=self.yearly.id)
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.state, "sent")
        self.assertEqual(mail.email_to, self.manager.email_formatted)
        self.assertFalse(mail.model or mail.res_id or mail.recipient_ids)
        self.assertIn("TEST", mail.subject)
        self.assertIn("This is a test", mail.body_html)
        self.assertIn("Yearly", mail.body_html)
        self.assertIn("Sample Member", mail.body_html)
        # it is read as a notice is, and not as the code that makes one
        page = html.fromstring(mail.body_html)
        self.assertTrue(page.xpath("//body//table"))
        self.assertNotIn("<", page.text_content())
        text = self._mails[0]["body_alternative"]
        self.assertIn("Sample Member", text)
        self.assertNotRegex(text, "[<>{}]")
        self.assertEqual(len(mail.attachment_ids), 1)
        self.assertIn("TEST", mail.attachment_ids.name)
        self.assertTrue(mail.attachment_ids.raw)
        self.assertEqual(len(self._mails), 1)
        self.assertEqual(self._count_all(), before)
        self.assertEqual(
            numbers,
            [
                self.env_root["ir.sequence"]
                .search([("code", "=", code)])
                .mapped("number_next_actual")
                for code in ("membri.renewal", "membri.cotisation")
            ],
        )
        self.assertTrue(self._is_done("test_notice"))
        self.assertFalse(self._is_done("members"))
        self.assertFalse(self._is_done("campaign"))

    def test_test_notice_of_each_kind(self):
        """Also of plans that invoice at once; not of those for life."""
        wizard = self.env["membri.test.notice"].create({})
        self.assertFalse(wizard.option_set_id.lifetime)
        for plan in (self.fixed, self.monthly):
            with self.subTest(plan=plan.name):
                self.assertEqual(len(self._send_test_notice(option_set_id=plan.id)), 1)
        wizard.option_set_id = self.for_life
        self._assert_refused(wizard.action_confirm)

    def test_test_notice_is_taxed_as_a_neighbor(self):
        """A member who lives where the organization does: what a fiscal position of its country
        says is what the members read."""
        self.company.country_id = self.env_root.ref("base.ca")
        none = self.tax.copy({"amount": 0.0, "name": "None", "original_tax_ids": self.tax.ids})
        position = self.env_root["account.fiscal.position"].create(
            {
                "name": "Neighbors",
                "auto_apply": True,
                "sequence": -1,
                "country_id": self.company.country_id.id,
                "company_id": self.company.id,
            }
        )
        none.fiscal_position_ids = position
        renewal = self.yearly.with_context(membri_sample=True)._create_sample_renewal(self.company)
        self.assertEqual(renewal.partner_id.country_id, self.company.country_id)
        self.assertEqual(renewal.line_ids.tax_ids, none)

    def test_test_notice_is_refused(self):
        """Not ticked before something has left."""
        wizard = self.env["membri.test.notice"].create({"option_set_id": self.yearly.id})
        self.product.list_price = 0.0
        with self.assertRaises(RedirectWarning):
            wizard.action_confirm()
        self.product.list_price = 10.0
        self.manager.with_env(self.env_root).email = False
        with self.assertRaises(RedirectWarning) as caught:
            wizard.action_confirm()
        self.assertEqual(caught.exception.args[1]["res_id"], self.manager.id)
        self.manager.with_env(self.env_root).email = "manager@example.com"
        before = self._count_all()
        failure = patch.object(
            type(self.env["ir.mail_server"]), "send_email", side_effect=OSError("no server")
        )
        with failure, mute_logger("odoo.addons.mail.models.mail_mail"):
            self.assertIn("manager@example.com", self._assert_refused(wizard.action_confirm))
        self.assertEqual(self._count_all(), before)
        self.assertFalse(self._is_done("test_notice"))
        for user in (self.officer, self.auditor, self.employee):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["membri.test.notice"].with_user(user).create({})

    def test_without_chart_of_accounts(self):
        """The plan waits for one, and says so; the notice can be looked at all the same."""
        company = self._create_other_company("New", "America/Toronto")
        self.manager.with_env(self.env_root).company_ids += company
        env = self.env(context={"allowed_company_ids": company.ids})
        plan = env["membri.option.set.start"].create({"name": "Regular", "price": 9.0})._do_create()
        self.assertEqual([code for code, _sentence in plan._get_unready_reasons()], ["chart"])
        self.assertFalse(self._is_done("plan", company))
        company.email = "office@example.com"
        # what is missing is entered, and not another plan
        step = self.steps["plan"].with_context(allowed_company_ids=company.ids)
        self.assertEqual(step.action_open()["res_model"], "membri.option.set")
        with self.mock_mail_gateway(mail_unlink_sent=False):
            env["membri.test.notice"].create({"option_set_id": plan.id}).action_confirm()
        self.assertEqual(self._new_mails.exists().mapped("state"), ["sent"])
        self.assertTrue(self._is_done("test_notice", company))
        with self.assertRaises(RedirectWarning) as caught, self.cr.savepoint():
            company.with_env(env)._membri_check_ready(plan)
        self.assertIn("New", caught.exception.args[0])

    def test_chart_of_accounts_of_another_country(self):
        """It has the taxes of that country; once something is booked it cannot be changed."""
        company = self._create_other_company("New", "America/Toronto")
        self.manager.with_env(self.env_root).company_ids += company
        company.write(
            {
                "chart_template": "be_comp",
                "country_id": self.env.ref("base.ca").id,
                "email": "new@example.com",
                "street": "1 x",
                "city": "y",
                "membri_officer_id": self.officer.id,
            }
        )
        self.env_root["account.journal"].create(
            {"name": "Sales", "code": "INV", "type": "sale", "company_id": company.id}
        )
        charts = {
            "be_comp": {"country_id": self.env.ref("base.be").id},
            "ca_2023": {"country_id": self.env.ref("base.ca").id},
            "generic_coa": {"country_id": None},
        }
        Chart = type(self.env["account.chart.template"])
        with patch.object(Chart, "_get_chart_template_mapping", lambda *_args, **_kwargs: charts):
            step = self.steps["organization"].with_context(allowed_company_ids=company.ids)
            self.assertFalse(self._is_done("organization", company))
            with self.assertRaises(UserError):  # no settings of Invoicing for the manager
                step.action_open()
            administrator = self.env_root.ref("base.user_admin")
            administrator.company_ids += company
            step = step.with_user(administrator)
            self.assertEqual(step.action_open()["res_model"], "res.config.settings")
            for values in (
                {"country_id": self.env.ref("base.be").id},
                {"country_id": self.env.ref("base.us").id},  # which has none of its own here
                {"country_id": self.env.ref("base.ca").id, "chart_template": "generic_coa"},
            ):
                with self.subTest(**values):
                    company.write(values)
                    self.assertTrue(self._is_done("organization", company))
            company.chart_template = "be_comp"
            self.assertFalse(self._is_done("organization", company))
            with patch.object(type(company), "_existing_accounting", lambda _company: True):
                self.assertTrue(self._is_done("organization", company))
                company.env["account.journal"].search(
                    [("type", "=", "sale"), ("company_id", "=", company.id)]
                ).active = False
                self.assertFalse(self._is_done("organization", company), "no sales journal")
                self.assertEqual(step.action_open()["res_model"], "account.journal")
                step = step.with_user(self.manager)
                self.assertIn("Ask the accountant", self._assert_refused(step.action_open))

    def test_where_what_is_missing_is_entered(self):
        """Of each kind, for the manager and for the administrator."""
        administrator = self.company.with_user(self.env.ref("base.user_admin"))
        for code in ("sender", "options", "price", "account", "chart", "language", "journal"):
            for company in (self.company.with_env(self.env), administrator):
                with self.subTest(code=code, user=company.env.user.name):
                    xmlid, label = company._membri_get_remedy(code)
                    self.assertTrue(label)
                    action = company.env["ir.actions.actions"]._for_xml_id(xmlid)
                    company.env[action["res_model"]].check_access("read")

    def test_nothing_follows_a_test_notice(self):
        """What an automation has planned for after the commit is forgotten."""
        called = []
        create = type(self.env["membri.renewal"]).create

        def plan(model, vals_list):
            model.env.cr.postcommit.add(lambda: called.append(vals_list))
            return create(model, vals_list)

        self.cr.postcommit.clear()
        with patch.object(type(self.env["membri.renewal"]), "create", plan):
            self._send_test_notice(option_set_id=self.yearly.id)
        self.cr.postcommit.run()
        self.assertFalse(called)

    # ------------------------------------------------------------------
    # What is missing stops campaign, night and single notice
    # ------------------------------------------------------------------

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

    def _without_sender(self):
        self.manager.with_env(self.env_root).email = False
        self.company.membri_officer_id = False
        self.company.email = False
        self.company.alias_domain_id = False

    def _without_price(self):
        self.product.list_price = 0.0

    def _without_account(self):
        self.product.categ_id.with_company(self.company).property_account_income_categ_id = False
        self.product.with_company(self.company).property_account_income_id = False
        if "income_account_id" in self.company._fields:
            self.company.income_account_id = False
        self.env_root["account.journal"].search(
            [("company_id", "=", self.company.id), ("type", "=", "sale")]
        ).default_account_id = False

    def _without_language(self, *members):
        """As after the removal of a language by SQL, or by another tool."""
        self.env.flush_all()
        ids = [member.id for member in members]
        self.cr.execute("UPDATE res_partner SET lang = 'pt_BR' WHERE id = ANY(%s)", [ids])
        self.env.invalidate_all()

    def _assert_nothing_leaves(self, *words, by_hand=False):
        """:param words: of the sentence
        :param by_hand: whether a person who sees the renewal may send it nevertheless"""
        mails = self.env_root["mail.mail"].search_count([])
        self._assert_stopped(self._get_campaign(), *words)
        single = self._create_renewal(self.env["membri.cotisation"].search([], limit=1))
        if by_hand:
            single.action_send()
            self.assertEqual(single.state, "sent")
        else:
            with self.assertRaises(RedirectWarning) as caught, self.cr.savepoint():
                single.action_send()
            self.assertEqual(single.state, "draft")
            sentence, action_id = caught.exception.args[:2]
            self.assertTrue(self.env["ir.actions.actions"].browse(action_id).exists())
            for word in words:
                self.assertIn(word, sentence)
        single._do_cancel()
        single.sudo().unlink()
        mails = self.env_root["mail.mail"].search_count([])
        self._run_cron("ir_cron_generate")
        renewal = self.env["membri.renewal"].search([])
        self.assertRecordValues(renewal, [{"state": "draft", "delivery_state": "failed"}])
        for word in words:
            self.assertIn(word, renewal.delivery_note)
        self.assertFalse(renewal.date_sent)
        self.assertEqual(self.env_root["mail.mail"].search_count([]), mails)
        return renewal

    def test_without_price(self):
        self._create_cotisation(self.member, "2026-01-01")
        self._without_price()
        self._assert_nothing_leaves("Yearly", by_hand=True)
        self.product.list_price = 10.0
        term = self._create_cotisation(self._create_member("Bea Roy"), "2026-01-01")
        campaign = self._get_campaign()
        campaign.action_send()
        self.assertEqual(term.renewal_ids.state, "sent")

    def test_price_of_the_renewal(self):
        """What was agreed with one member needs no price of the plan."""
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        self._without_price()
        renewal.line_ids.price_unit = 0.0
        renewal.action_send()
        self.assertEqual(renewal.state, "sent")

    def test_without_sender(self):
        self._create_cotisation(self.member, "2026-01-01")
        self._without_sender()
        self._assert_nothing_leaves(self.company.name)

    def test_letter_without_sender(self):
        """On paper no sender is needed."""
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        self.member.email = False
        renewal.user_id = False
        self._without_sender()
        renewal.action_send()
        self.assertEqual(renewal.state, "sent")

    def test_without_account(self):
        self._create_cotisation(self.member, "2026-01-01")
        self._without_account()
        self._assert_nothing_leaves("Membership", "Yearly", by_hand=True)

    def test_without_language(self):
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        other = self._create_member("Bea Roy")
        term = self._create_cotisation(other, "2026-01-01")
        self._without_language(self.member, other)
        self._assert_stopped(self._get_campaign(), "Portuguese", self.member.name)
        with self.assertRaises(RedirectWarning) as caught, self.cr.savepoint():
            renewal.action_send()
        self.assertIn(self.member.name, caught.exception.args[0])
        self._run_cron("ir_cron_generate")
        self.assertFalse(term.renewal_ids)
        self.assertIn("Portuguese", term.renewal_error)
        self.assertEqual(renewal.state, "draft")
        self.env_root["res.lang"]._activate_lang("pt_BR")
        self.env.invalidate_all()
        renewal.action_send()
        self.assertEqual(renewal.state, "sent")
