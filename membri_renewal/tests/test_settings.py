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

    def test_everything_of_the_general_settings_is_there(self):
        ours = self._as_manager().get_view(view_type="form")["arch"]
        general = self.env_root["res.config.settings"].get_view(view_type="form")["arch"]
        self.assertIn("membri_portal_decline", ours)
        for name in self.env["membri.settings"]._fields:
            if name.startswith("membri_"):
                with self.subTest(field=name):
                    self.assertEqual(f'name="{name}"' in ours, f'name="{name}"' in general)
        self.assertNotIn("base_setup", ours)

    def test_a_bad_setting_is_refused(self):
        west = self._create_other_company("Chapter West", "UTC")
        stranger = self.employee
        self.assertNotIn(west, stranger.company_ids)
        manager = self.manager.with_env(self.env_root)
        manager.write({"company_ids": [(4, west.id)], "company_id": west.id})
        with self.assertRaisesRegex(ValidationError, "give this user access"):
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
