from datetime import timedelta

from dateutil.relativedelta import relativedelta
from lxml import etree

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, HttpCase, tagged
from odoo.tools.safe_eval import datetime, safe_eval

from .common import MembriCommon

MENU_ROOT = "membri_renewal.menu_membri_root"
# what each group finds in the app, by external id
MENUS = {
    "auditor": {
        "menu_membri_dashboard",
        "menu_membri_renewal_all",
        "menu_membri_renewal_draft",
        "menu_membri_renewal_sent",
        "menu_membri_renewal_change_requested",
        "menu_membri_renewal_intervention",
        "menu_membri_renewal_approved",
        "menu_membri_renewal_refused",
        "menu_membri_bulk_job",
        "menu_membri_cotisation",
        "menu_membri_member",
        "menu_membri_invoice_open",
        "menu_membri_fee_notice",
        "menu_membri_invoice_all",
        "menu_membri_reconciliation",
        "menu_membri_reconciliation_differences",
        "menu_membri_annual_receipt",
        "menu_membri_aged",
        "menu_membri_deferred",
        "menu_membri_insight",
        "menu_membri_insight_cohort",
        "menu_membri_insight_reason",
        "menu_membri_insight_time",
        "menu_membri_season",
        "menu_membri_money",
        "menu_membri_forecast",
        "menu_membri_price_simulation",
        "menu_membri_at_risk",
    },
}
MENUS["officer"] = MENUS["auditor"] | {"menu_membri_campaign", "menu_membri_unused_payment"}
MENUS["manager"] = MENUS["officer"] | {
    "menu_membri_setup_step",
    "menu_membri_settings",
    "menu_membri_import",
    "menu_membri_option_set",
    "menu_membri_subscription_type",
    "menu_membri_refusal_reason",
    "menu_membri_dashboard_config",
}


@tagged("post_install", "-at_install")
class TestViews(MembriCommon):
    """Everybody sees what they may work with, and everything that is seen opens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._membri_today()
        cls.cotisation = cls._create_cotisation(cls.member, cls.today - timedelta(days=330))

    # ------------------------------------------------------------------
    # Menus, actions and views
    # ------------------------------------------------------------------

    def _get_menus(self, user):
        """The entries of the app that ``user`` sees and that open something."""
        Menu = self.env["ir.ui.menu"].with_user(user)
        visible = Menu._visible_menu_ids()
        root = self.env.ref(MENU_ROOT)

        def is_seen(menu):
            """A menu is seen when all that it hangs on are."""
            path = [int(id_) for id_ in menu.parent_path.split("/") if id_]
            return root.id in path and visible.issuperset(path)

        return Menu.browse(visible).sudo().filtered(lambda menu: menu.action and is_seen(menu))

    def test_menus_of_each_group(self):
        for login, expected in MENUS.items():
            with self.subTest(user=login):
                xmlids = self._get_menus(getattr(self, login)).get_external_id().values()
                self.assertEqual({xmlid.split(".")[1] for xmlid in xmlids}, expected)

    def test_employee_does_not_see_the_app(self):
        Menu = self.env["ir.ui.menu"].with_user(self.employee)
        self.assertNotIn(self.env.ref(MENU_ROOT).id, Menu._visible_menu_ids())

    def test_every_action_opens_for_each_group(self):
        for login in MENUS:
            user = getattr(self, login)
            for menu in self._get_menus(user):
                with self.subTest(user=login, menu=menu.name):
                    self._open_action(user, menu.action)

    def test_every_measure_adds_up(self):
        """A pivot or a graph whose measure has no aggregate is an error in the browser."""
        views = self.env_root["ir.ui.view"].search(
            [("model", "like", "membri.%"), ("type", "in", ("pivot", "graph"))]
        )
        self.assertIn("membri.forecast.line", views.mapped("model"))
        for view in views:
            nodes = etree.fromstring(view.arch).iterfind("field[@type='measure']")
            names = [node.get("name") for node in nodes]
            found = self.env[view.model].fields_get(names, ["aggregator"])
            for name in names:
                with self.subTest(view=view.name, measure=name):
                    self.assertTrue(found[name].get("aggregator"))

    def test_every_filter_for_each_group(self):
        """Nobody meets a filter, or a grouping, of a field that they may not read."""
        for login in MENUS:
            user = getattr(self, login)
            searches = {
                (menu.action.res_model, menu.action.search_view_id)
                for menu in self._get_menus(user)
            }
            for model, view in searches:
                Model = self.env[model].with_user(user)
                filters = etree.fromstring(Model.get_view(view.id, "search")["arch"]).iter("filter")
                for node in filters:
                    with self.subTest(user=login, model=model, filter=node.get("name")):
                        self._apply_filter(Model, node)

    def _apply_filter(self, Model, node):
        values = {
            "uid": Model.env.uid,
            "context_today": lambda: self.today,
            "relativedelta": relativedelta,
            "datetime": datetime,
        }
        if domain := node.get("domain"):
            Model.search_count(safe_eval(domain, values))
        groups = safe_eval(node.get("context") or "{}", values).get("group_by") or []
        groups = [groups] if isinstance(groups, str) else list(groups)
        for group in filter(None, [*groups, node.get("date")]):
            kind = Model._fields[group.split(":")[0]].type
            if kind in ("date", "datetime") and ":" not in group:
                group += ":month"  # as the client asks
            if kind != "properties":  # grouped by those that are defined, one by one
                Model.formatted_read_group([], [group], ["__count"])

    def _open_action(self, user, action):
        """Load the views as the web client does, and read what each of them shows."""
        Model = self.env[action.res_model].with_user(user)
        views = Model.get_views([*action.views, (action.search_view_id.id, "search")])
        self.assertEqual(set(views["views"]), {mode for _view, mode in action.views} | {"search"})
        for mode in ("list", "kanban"):
            if mode in views["views"]:
                arch = etree.fromstring(views["views"][mode]["arch"])
                names = {
                    node.get("name")
                    for node in arch.iter("field")
                    if node.get("name") in Model._fields
                }
                Model.search([], limit=3).read(list(names))

    def test_forms_open_with_records(self):
        """Every field that a form shows can be read by whoever sees it."""
        renewal = self._create_renewal(self.cotisation)
        renewal.action_approve()
        for login in MENUS:
            user = getattr(self, login)
            for record in (
                renewal,
                self.cotisation,
                renewal.new_cotisation_id,
                self.member,
                self.yearly,
            ):
                with self.subTest(user=login, record=record._name):
                    as_user = record.with_user(user)
                    Form(as_user)

    def test_contact_unchanged_for_others(self):
        view = self.env.ref("base.view_partner_form")
        arch = self.env["res.partner"].with_user(self.employee).get_view(view.id)["arch"]
        self.assertNotIn("membri_", arch)
        arch = self.env["res.partner"].with_user(self.auditor).get_view(view.id)["arch"]
        self.assertIn("membri_status", arch)
        self.assertNotIn("action_membri_enrol", arch)

    def test_buttons_are_the_officers(self):
        Renewal = self.env["membri.renewal"]
        view = self.env.ref("membri_renewal.membri_renewal_view_form").id
        for user, expected in ((self.auditor, False), (self.officer, True)):
            arch = etree.fromstring(Renewal.with_user(user).get_view(view)["arch"])
            header = arch.find("header")
            self.assertEqual(bool(header.findall("button")), expected)

    def test_queue_of_what_is_to_send_offers_it(self):
        """The one queue that is named after the button did not show it."""
        arch = etree.fromstring(self.env["membri.renewal"].get_view(view_type="list")["arch"])
        [send] = arch.findall("header/button[@string='Send']")
        for code, is_hidden in (("not_sent", False), ("all_open", False), ("letters", True)):
            context = {"membri_dashboard": code}
            with self.subTest(code=code):
                self.assertEqual(safe_eval(send.get("invisible"), {"context": context}), is_hidden)

    # ------------------------------------------------------------------
    # Behaviour of the screens
    # ------------------------------------------------------------------

    def test_days_of_a_list_are_written_one_way(self):
        """Not “2026-12-31” beside “Oct 16”: where the year of one is always there, of all."""
        data = self.env_root["ir.model.data"].search(
            [("module", "=", "membri_renewal"), ("model", "=", "ir.ui.view")]
        )
        views = self.env_root["ir.ui.view"].browse(data.mapped("res_id"))
        looked_at = 0
        for view in views.filtered(lambda view: view.type == "list" and view.mode == "primary"):
            fields_of_model = self.env[view.model]._fields
            written = {
                node.get("name"): bool(safe_eval(node.get("options", "{}")).get("numeric"))
                for node in etree.fromstring(view.arch).iter("field")
                if fields_of_model[node.get("name")].type in ("date", "datetime")
                and not (node.get("widget") or node.get("column_invisible") in ("1", "True"))
            }
            looked_at += any(written.values())
            with self.subTest(view.xml_id):
                self.assertLessEqual(len(set(written.values())), 1, written)
        self.assertTrue(looked_at)

    def test_new_contact_has_no_choice_by_hand(self):
        """The toggle shows what the option set says; it must not become an override."""
        with Form(self.env["res.partner"]) as form:
            form.name = "New Contact"
        contact = form.save()
        self.assertFalse(contact.membri_auto_renew_choice)
        self._create_cotisation(contact, self.today, self.monthly)
        self.assertTrue(contact.membri_auto_renew)

    def test_next_plan_is_no_choice_by_hand(self):
        """The form sent the toggle with the plan, and who had chosen nothing was pinned."""
        with Form(self.member) as form:
            form.membri_next_option_set_id = self.monthly
            self.assertTrue(form.membri_auto_renew)
        self.assertFalse(self.member.membri_auto_renew_choice)
        self.assertTrue(self.member.membri_auto_renew)
        with Form(self.member) as form:
            form.membri_next_option_set_id = self.yearly
        self.assertFalse(self.member.membri_auto_renew)
        with Form(self.member) as form:
            form.membri_next_option_set_id = self.monthly
            form.membri_auto_renew = False
        self.assertEqual(self.member.membri_auto_renew_choice, "no")
        imported = self._create_member("Imported")
        imported.membri_auto_renew = False  # as its plan says today
        self.assertEqual(imported.membri_auto_renew_choice, "no")

    def test_auto_renew_by_hand_and_back(self):
        with Form(self.member) as form:
            form.membri_auto_renew = True
        self.assertEqual(self.member.membri_auto_renew_choice, "yes")
        self.member.action_membri_follow_option_set()
        self.assertFalse(self.member.membri_auto_renew)

    def test_sent_proposal_is_read_only(self):
        renewal = self._create_renewal(self.cotisation)
        renewal.action_send()
        form = Form(renewal)
        with self.assertRaises(AssertionError):
            form.option_set_id = self.fixed
        renewal.action_request_change("Something else")
        with Form(renewal) as form:
            form.option_set_id = self.monthly
        self.assertEqual(renewal.line_ids.product_id, self.product)
        self.assertEqual(renewal.option_set_id, self.monthly)

    def test_enrolment_prorates_in_one_click(self):
        form = Form(
            self.env["membri.enrolment"].with_context(
                default_partner_id=self._create_member("Returning").id
            )
        )
        form.option_set_id = self.fixed
        form.date_start = fields.Date.from_string(f"{self.today.year}-07-01")
        self.assertEqual(form.amount_untaxed, 300.0)
        form.prorate = True
        self.assertLess(form.amount_untaxed, 160.0)
        self.assertGreater(form.amount_untaxed, 140.0)

    def test_cotisation_by_hand(self):
        """A term recorded by hand comes with dates and options, and without an invoice."""
        with Form(self.env["membri.cotisation"]) as form:
            form.partner_id = self._create_member("Paid Elsewhere")
            form.option_set_id = self.yearly
            form.date_start = self.today
            form.state = "active"
        cotisation = form.save()
        self.assertRecordValues(
            cotisation,
            [{"state": "active", "amount_untaxed": 300.0, "invoice_id": False, "origin": "import"}],
        )
        self.assertEqual(cotisation.date_end, self.yearly._get_period(self.today)[1])

    def test_prepare_renewal(self):
        action = self.cotisation.action_prepare_renewal()
        renewal = self.env["membri.renewal"].browse(action["res_id"])
        self.assertEqual(renewal.cotisation_id, self.cotisation)
        self.assertEqual(renewal.state, "draft")
        with self.assertRaisesRegex(UserError, renewal.name):
            self.cotisation.action_prepare_renewal()

    def test_prepare_renewal_refused_with_a_reason(self):
        life = self._create_cotisation(self._create_member("Honorary"), self.today, self.for_life)
        with self.assertRaisesRegex(UserError, "for life"):
            life.action_prepare_renewal()
        pending = self._create_member("Pending")._membri_enrol(self.yearly)
        with self.assertRaisesRegex(UserError, "Only a paid term"):
            pending.action_prepare_renewal()
        self.assertFalse(pending.can_prepare_renewal)
        nobody = self._create_member("Nobody")
        with self.assertRaisesRegex(UserError, "Enroll"):
            nobody.action_membri_prepare_renewal()

    def test_send_again(self):
        invoices = self.env["account.move"]
        for name in ("One", "Two"):
            invoices |= self._create_member(name)._membri_enrol(self.yearly).invoice_id
        self.assertEqual(
            invoices[0].action_membri_send_again()["res_model"], "account.move.send.wizard"
        )
        self.assertEqual(
            invoices.action_membri_send_again()["res_model"], "account.move.send.batch.wizard"
        )

    def test_sending_an_invoice_is_dated(self):
        invoice = self.member._membri_enrol(
            self.yearly, date_start=self.cotisation.date_end + timedelta(days=1)
        ).invoice_id
        self.assertFalse(invoice.membri_date_sent)
        self.env["account.move.send"]._generate_and_send_invoices(
            invoice, sending_methods=["email"]
        )
        self.assertTrue(invoice.membri_date_sent)

    def test_bulk_refusal_skips_what_cannot(self):
        """One that is refused already does not stop the others."""
        renewal = self._create_renewal(self.cotisation)
        other = self._renewal_in("refused")
        action = (
            self.env.ref("membri_renewal.action_server_renewal_refuse")
            .with_context(active_model="membri.renewal", active_ids=(renewal | other).ids)
            .run()
        )
        self._open_wizard(action, reason_id=self.reason.id).action_confirm()
        self.assertEqual(renewal.state, "refused")

    def test_dashboard_domain_editor(self):
        dashboards = self.env["membri.dashboard"].search([])
        dynamic = dashboards.filtered("has_dynamic_domain").mapped("code")
        self.assertIn("no_answer_7d", dynamic)
        self.assertNotIn("all_open", dynamic)

    def test_preview_is_not_for_those_who_only_look(self):
        renewal = self._create_renewal(self.cotisation)
        renewal.action_send()
        self.assertIn("/my/renewals/", renewal.action_preview()["url"])
        with self.assertRaises(UserError):
            renewal.with_user(self.auditor).action_preview()


@tagged("post_install", "-at_install")
class TestBackendTours(MembriCommon, HttpCase):
    """The work of an officer, in a browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        start = cls.company._membri_today() - timedelta(days=330)
        cls.renewals = cls.env["membri.renewal"]
        for name in ("Alpha Bakery", "Beta Clinic", "Gamma Garage"):
            cotisation = cls._create_cotisation(cls._create_member(name), start)
            cls.renewals |= cls._create_renewal(cotisation)
        cls.renewals.action_send()

    def test_decide(self):
        self.start_tour("/odoo", "membri_backend_decide", login="officer", timeout=180)
        self.env.invalidate_all()
        alpha, beta, _gamma = self.renewals
        self.assertEqual((alpha | beta).mapped("state"), ["draft", "draft"])
        self.assertEqual(alpha.invoice_ids.state, "cancel")
        self.assertTrue(self.env["membri.refusal.reason"].search([("name", "=", "Went abroad")]))

    def test_bulk(self):
        self.renewals[2].action_approve()
        self.start_tour("/odoo", "membri_backend_bulk", login="officer", timeout=180)
        self.env.invalidate_all()
        self.assertEqual(set(self.renewals.mapped("state")), {"approved"})

    def test_enrol(self):
        member = self._create_member("Delta Studio")
        today = self.company._membri_today()
        # a period that is never whole on the day of the test
        first = today + timedelta(days=40)
        self.fixed.with_env(self.env_root).write(
            {"fixed_month": str(first.month), "fixed_day": min(first.day, 28)}
        )
        self.start_tour("/odoo", "membri_backend_enrol", login="officer", timeout=180)
        self.env.invalidate_all()
        self.assertEqual(member.membri_status, "pending")
        self.assertEqual(member.membri_cotisation_ids.invoice_id.state, "posted")
