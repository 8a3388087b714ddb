from lxml import etree

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestSettings(MembriCommon):
    """Membership settings are the membership manager's, without rights over the company."""

    def _as_manager(self):
        return self.env["membri.settings"].with_user(self.manager)

    def test_manager_changes_the_settings(self):
        other_values = self.company.read(["name", "email", "currency_id", "membri_tz"])
        with Form(self._as_manager()) as form:
            self.assertEqual(form.membri_no_answer_days, 7)
            form.membri_no_answer_days = 10
            form.membri_portal_decline = True
            form.membri_officer_id = self.manager
        self.assertRecordValues(
            self.company,
            [
                {
                    "membri_no_answer_days": 10,
                    "membri_portal_decline": True,
                    "membri_officer_id": self.manager.id,
                }
            ],
        )
        self.assertEqual(
            self.company.read(["name", "email", "currency_id", "membri_tz"]), other_values
        )

    def _get_settings(self, model, user):
        arch = etree.fromstring(model.with_user(user).get_view(view_type="form")["arch"])
        return {field.get("name") for field in arch.xpath("//app[@name='membri_renewal']//field")}

    def test_everything_of_the_general_settings_is_there(self):
        """A setting that lacks in the mixin would lack on the manager's page."""
        admin = self.env.ref("base.user_admin")
        general = self._get_settings(self.env["res.config.settings"], admin)
        self.assertIn("membri_portal_decline", general)
        self.assertEqual(self._get_settings(self.env["membri.settings"], self.manager), general)

    def test_settings_of_others_stay_the_administrators(self):
        self.env_root["ir.ui.view"].create(
            {
                "name": "another add-on",
                "model": "res.config.settings",
                "inherit_id": self.env.ref("membri_renewal.res_config_settings_view_form").id,
                "arch": """<block name="membri_renewals" position="inside">
                    <setting id="other"><field name="company_name"/></setting></block>""",
            }
        )
        found = self._get_settings(self.env["membri.settings"], self.manager)
        self.assertNotIn("company_name", found)
        self.assertIn("membri_portal_decline", found)

    def test_a_bad_setting_is_refused(self):
        west = self._create_other_company("Chapter West", "UTC")
        stranger = self.employee
        self.assertNotIn(west, stranger.company_ids)
        manager = self.manager.with_env(self.env_root)
        manager.write({"company_ids": [(4, west.id)], "company_id": west.id})
        with self.assertRaisesRegex(ValidationError, "Give this user access"):
            self._as_manager().with_context(allowed_company_ids=west.ids).create(
                {"membri_officer_id": stranger.id}
            )

    def test_only_the_current_company(self):
        west = self._create_other_company("Chapter West", "UTC")
        self._as_manager().create({"company_id": west.id, "membri_no_answer_days": 99})
        self._as_manager().with_context(default_company_id=west.id).create(
            {"membri_no_answer_days": 98}
        )
        self.assertEqual((self.company.membri_no_answer_days, west.membri_no_answer_days), (98, 7))
        settings = self._as_manager().create({})
        settings.write({"company_id": west.id, "membri_no_answer_days": 97})
        self.assertEqual((self.company.membri_no_answer_days, west.membri_no_answer_days), (97, 7))
        with self.assertRaises(AccessError):
            self._as_manager().with_context(allowed_company_ids=west.ids).create(
                {"membri_no_answer_days": 96}
            )
        self.assertEqual(west.membri_no_answer_days, 7)

    def test_not_for_others(self):
        for user in (self.officer, self.auditor, self.employee):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["membri.settings"].with_user(user).create({"membri_no_answer_days": 1})
        settings = self._as_manager().create({})
        with self.assertRaises(AccessError):
            settings.with_user(self.officer).write({"membri_no_answer_days": 1})
        with self.assertRaises(AccessError):
            self.company.with_user(self.manager).write({"membri_no_answer_days": 1})
        self.assertEqual(self.company.membri_no_answer_days, 7)

    def test_save_and_discard(self):
        settings = self._as_manager().create({"membri_no_answer_days": 12})
        self.assertEqual(settings.execute()["tag"], "reload")
        self.assertEqual(settings.cancel()["res_model"], "membri.settings")
