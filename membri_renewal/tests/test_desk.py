import json
from ast import literal_eval
from datetime import date

from freezegun import freeze_time
from lxml import etree

from odoo.tests import Form, HttpCase, tagged
from odoo.tools.safe_eval import safe_eval

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestDesk(MembriCommon, HttpCase):
    """What the officer's screens do by themselves."""

    def _get_home(self, login):
        self.authenticate(login, login)
        info = self.url_open(
            "/web/session/get_session_info",
            data=json.dumps({"params": {}}),
            headers={"Content-Type": "application/json"},
        )
        return info.json()["result"]["home_action_id"]

    def test_officers_land_on_the_dashboards(self):
        dashboards = self.env.ref("membri_renewal.action_membri_dashboard").id
        self.assertEqual(self._get_home("officer"), dashboards)
        # whoever only looks, or administers Odoo, begins where Odoo begins
        self.assertFalse(self._get_home("auditor"))
        self.manager.with_env(self.env_root).group_ids += self.env.ref("base.group_system")
        self.assertFalse(self._get_home("manager"))

    def test_chosen_home_is_kept(self):
        contacts = self.env.ref("contacts.action_contacts").id
        self.officer.with_env(self.env_root).action_id = contacts
        self.assertEqual(self._get_home("officer"), contacts)

    def test_officers_export(self):
        self.assertTrue(self.officer.has_group("base.group_allow_export"))
        self.assertFalse(self.auditor.has_group("base.group_allow_export"))

    def test_calendar_is_titled_with_the_member(self):
        renewal = self._create_renewal(self._create_cotisation(self.member, date(2025, 4, 1)))
        view = self.env["membri.renewal"].get_view(view_type="calendar")
        self.assertIn('create_name_field="member_name"', view["arch"])
        self.assertEqual(renewal.member_name, self.member.complete_name)

    def _get_arch(self, name):
        view = self.env_root.ref(f"membri_renewal.{name}")
        return etree.fromstring(self.env[view.model].get_view(view.id, view.type)["arch"])

    def test_long_names_leave_room(self):
        """Seen at 1366 pixels: one name of 120 characters cut all plans and states to a few
        letters."""
        for name, columns in {
            "res_partner_view_list_members": ("membri_option_set_id", "membri_status"),
            "membri_cotisation_view_list": ("option_set_id", "state"),
        }.items():
            arch = self._get_arch(name)
            for column in columns:
                [field] = arch.xpath(f"/list/field[@name='{column}']")
                self.assertRegex(field.get("width"), r"^[1-3]\d0px$", f"{name}: {column}")

    def test_b7_the_reconciliation_leaves_room_for_names(self):
        """Issue 12, B7: readable at 1366 pixels, without what is shown on demand."""
        arch = self._get_arch("membri_reconciliation_view_list")
        shown = [
            field
            for field in arch.xpath("/list/field")
            if field.get("optional") != "hide" and not field.get("column_invisible")
        ]
        names = [field.get("name") for field in shown]
        self.assertLessEqual({"expected", "invoiced", "received", "written_off", "open"}, {*names})
        widths = [field.get("width") for field in shown if field.get("name") != "partner_id"]
        self.assertTrue(all(widths), names)
        self.assertLessEqual(sum(int(width.removesuffix("px")) for width in widths), 1366 - 300)

    def test_b8_fee_notices_tell_number_amount_due_and_status(self):
        """Issue 12, B8: their own number, what is due and where they stand, without a click."""
        arch = self._get_arch("account_move_view_list_fee_notice")
        shown = [
            field.get("name")
            for field in arch.xpath("/list/field[not(@optional)][not(@column_invisible)]")
        ]
        self.assertEqual(shown[0], "membri_fee_notice_name")
        self.assertLessEqual(
            {"partner_id", "membri_date_due", "membri_amount_due", "membri_fee_notice_state"},
            {*shown},
        )

    def test_names_have_the_room_beside_them(self):
        """Seen at 1366 pixels: names of contacts and plans were cut beside an empty column, of a
        window, of tags and of a list."""
        window = self._get_arch("membri_enrolment_view_form")
        for name in ("partner_id", "option_set_id"):
            self.assertEqual(len(window.xpath(f"/form/group/field[@name='{name}']")), 1, name)
        [tags] = self._get_arch("membri_campaign_view_form").xpath(
            "//field[@name='option_set_ids'][@widget='many2many_tags']"
        )
        self.assertEqual(tags.get("class"), "o_membri_whole_tags")
        [button] = self._get_arch("membri_renewal_view_list").xpath("/list/button")
        self.assertEqual(button.get("width"), "20px")

    def test_letters_are_printed_by_a_button_of_their_queue(self):
        queue = self.env.ref("membri_renewal.dashboard_letters")
        action = self.env.ref("membri_renewal.action_server_renewal_print_letter")
        arch = self._get_arch("membri_renewal_view_list")
        [button] = arch.xpath(f"/list/header/button[@name='{action.id}']")
        for code, expected in ((queue.code, False), ("sent", True)):
            context = {"membri_dashboard": code}
            hidden = safe_eval(button.get("invisible"), {"context": context})
            self.assertEqual(hidden, expected, code)

    def test_members_search_finds_who_left(self):
        """Neither the action nor what it searches by hides the former members."""
        self._create_cotisation(self.member, date(2020, 3, 10), state="expired")
        action = self.env_root.ref("membri_renewal.action_membri_member")
        self.assertEqual(self.member.membri_status, "inactive")
        self.assertNotIn("search_default", action.context)
        found = (
            self.env["res.partner"]
            .with_user(self.officer)
            .search([*literal_eval(action.domain), ("name", "ilike", self.member.name)])
        )
        self.assertEqual(found, self.member)

    @freeze_time("2026-03-10 15:00:00")
    def test_former_plan_is_proposed(self):
        self._create_cotisation(self.member, date(2024, 3, 10), state="expired")
        form = Form(self.env["membri.enrolment"].with_user(self.officer))
        form.partner_id = self.member
        self.assertEqual(form.option_set_id, self.yearly)
        # chosen by hand, it stays when another member is chosen
        other = self._create_option_set("Other")
        form.option_set_id = other
        form.partner_id = self._create_member("Somebody Else")
        self.assertEqual(form.option_set_id, other)

    @freeze_time("2026-03-10 15:00:00")
    def test_archived_plan_is_not_proposed(self):
        self._create_cotisation(self.member, date(2024, 3, 10), state="expired")
        self.yearly.with_env(self.env_root).active = False
        form = Form(self.env["membri.enrolment"].with_user(self.officer))
        form.partner_id = self.member
        self.assertFalse(form.option_set_id)

    @freeze_time("2026-03-10 15:00:00")
    def test_language_is_set_while_enrolling(self):
        self.env_root["res.lang"]._activate_lang("fr_FR")
        self.member.with_env(self.env_root).lang = False
        form = Form(self.env["membri.enrolment"].with_user(self.officer))
        form.partner_id = self.member
        form.option_set_id = self.yearly
        form.partner_lang = "fr_FR"
        form.save()
        self.assertEqual(self.member.lang, "fr_FR")

    def test_contact_of_a_french_desk_reads_french(self):
        """Seen: a contact that a French desk added got English emails."""
        self.env_root["res.lang"]._activate_lang("fr_FR")
        french = self.env["res.partner"].with_context(lang="fr_FR")
        self.assertEqual(Form(french).lang, "fr_FR")
        self.assertEqual(french.create({"name": "Zoé"}).lang, "fr_FR")
        self.assertEqual(self._create_member("Ada Baker").lang, "en_US")
        # what is said explicitly, and of whom they belong to, goes first
        self.assertEqual(french.create({"name": "Ada", "lang": "en_US"}).lang, "en_US")
        self.assertEqual(
            french.with_context(default_lang="en_US").create({"name": "Al"}).lang, "en_US"
        )
        company = self._create_member("Baker Ltd", is_company=True)
        self.assertEqual(french.create({"name": "Bo", "parent_id": company.id}).lang, "en_US")
        # others are not the desk
        other = self.env_root["res.partner"].with_context(lang="fr_FR")
        self.assertEqual(other.create({"name": "Portal"}).lang, "en_US")

    def test_chosen_language_of_contacts_is_kept(self):
        """For all of them, or one's own."""
        self.env_root["res.lang"]._activate_lang("fr_FR")
        admin = self.env.ref("base.user_admin")
        english = self.env["res.partner"]
        self.env_root["ir.default"].with_user(admin).set("res.partner", "lang", "fr_FR")
        self.assertEqual(english.create({"name": "Zoé"}).lang, "fr_FR")
        self.env_root["ir.default"].set("res.partner", "lang", "en_US", user_id=self.env.uid)
        french = english.with_context(lang="fr_FR")
        self.assertEqual(french.create({"name": "Ada"}).lang, "en_US")

    def test_sending_a_campaign_says_how_much(self):
        today = self.company._membri_today()
        self._create_cotisation(self.member, date(today.year, 1, 1))
        campaign = self.env["membri.campaign"].create(
            {
                "name": "Season",
                "option_set_ids": self.yearly.ids,
                "date_from": date(today.year, 12, 1),
                "date_to": date(today.year, 12, 31),
            }
        )
        campaign.action_preview()
        self.assertEqual((campaign.state, campaign.notice_count), ("previewed", 1))
        action = campaign.action_ask_send()
        self.assertEqual((action["res_id"], action["target"]), (campaign.id, "new"))
        self.assertEqual(campaign.state, "previewed")
        form = Form(campaign, view="membri_renewal.membri_campaign_view_form_send")
        self.assertEqual(form.notice_count, 1)
        self.assertEqual(form.amount_company, campaign.amount_company)
