from odoo.tests import HttpCase, new_test_user

from .common import MembriCommon

TODAY = "2026-11-15 15:00:00"


class FeeNoticeCommon(MembriCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.membri_fee_notice = True

    def setUp(self):
        super().setUp()
        self.renewal = self._renewal_in("approved")
        self.cotisation = self.renewal.new_cotisation_id
        self.notice = self.renewal.invoice_id.with_env(self.env_account)

    def _register(self, notices, **vals):
        """By the guided step, as the staff does."""
        action = notices.action_membri_register_fee_notice_payment()
        wizard = notices.env[action["res_model"]].browse(action["res_id"])
        wizard.write(vals)
        wizard.action_confirm()

    def _assert_open(self, notice=None):
        notice = notice or self.notice
        self.assertRecordValues(
            notice,
            [{"state": "draft", "name": False, "membri_fee_notice_state": "open"}],
        )

    def _assert_waiting(self):
        self._assert_open()
        self.assertEqual(self.cotisation.state, "pending")
        self.assertFalse(self.renewal.is_paid)
        self.assertTrue(self.renewal.is_open)


class FeeNoticePortalCase(MembriCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.membri_fee_notice = True
        cls._publish_demo_provider()
        cls.cotisation = cls.member._membri_enrol(cls.yearly)
        cls.notice = cls.cotisation.invoice_id.sudo()
        cls.corporation = cls._create_member("Boulanger Ltd", is_company=True)
        cls.stranger = cls._create_member("Sam Stranger")
        for login, partner in (("member_user", cls.member), ("stranger_user", cls.stranger)):
            new_test_user(
                cls.env_root,
                login,
                "base.group_portal",
                partner_id=partner.id,
                company_id=cls.company.id,
                company_ids=cls.company.ids,
            )

    @classmethod
    def _publish_demo_provider(cls):
        """Odoo's demo provider, which asks for a result instead of a card."""
        Provider = cls.env_root["payment.provider"]
        cls.provider = Provider.search(
            [("code", "=", "demo"), ("company_id", "=", cls.company.id)], limit=1
        ) or Provider.search([("code", "=", "demo")], limit=1).copy({"company_id": cls.company.id})
        cls.provider.write({"state": "test", "is_published": True})
        method = cls.env_root.ref("payment_demo.payment_method_demo", False) or cls.env_root[
            "payment.method"
        ].with_context(active_test=False).search([("code", "=", "demo")], limit=1)
        method.active = True
        cls.method = method
        cls.env_root["ir.config_parameter"].set_param(
            "account_payment.enable_portal_payment", "True"
        )

    def _url(self, token=None, suffix="", notice=None):
        notice = notice or self.notice
        return f"/my/fee-notices/{notice.id}{suffix}" + (f"?access_token={token}" if token else "")

    def _open(self, token=None, suffix=""):
        response = self.url_open(self._url(token, suffix), allow_redirects=False)
        self.env.invalidate_all()
        self.assertLess(response.status_code, 500)
        return response

    def _sign_in(self, login):
        self.authenticate(login, login and login + "x" * (8 - len(login)))

    def _start_transaction(self, token=None, route=None, **params):
        """What the payment form posts; returns the new transaction."""
        known = self.env_root["payment.transaction"].search([])
        self.make_jsonrpc_request(
            route or f"/my/fee-notices/{self.notice.id}/transaction",
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.method.id,
                "token_id": None,
                "flow": "direct",
                "tokenization_requested": False,
                "landing_route": self._url(self.notice.access_token),
                "access_token": token or self.notice.access_token,
                "amount": 345.0,
                **params,
            },
        )
        self.env.invalidate_all()
        return self.env_root["payment.transaction"].search([]) - known

    def _finish(self, transaction, state):
        getattr(transaction, f"_set_{state}")()
        transaction._post_process()
        self.env.invalidate_all()

    def _assert_waiting(self):
        self.assertEqual((self.notice.state, self.cotisation.state), ("draft", "pending"))
        self.assertFalse(self.notice.name)
