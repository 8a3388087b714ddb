from odoo.tests import tagged

from .common_change_request import ChangeRequestCommon
from .common_portal import PortalCase


@tagged("post_install", "-at_install")
class TestPortalTour(ChangeRequestCommon, PortalCase):
    """On a phone, by the link of the email, without signing in."""

    browser_size = "375x667"
    touch_enabled = True

    def _publish_demo_provider(self):
        demo = self.env_root.ref("payment.payment_provider_demo")
        provider = demo.search([("code", "=", "demo"), ("company_id", "=", self.company.id)])
        provider = provider or demo.copy({"company_id": self.company.id})
        provider.write({"state": "test", "is_published": True})
        provider.journal_id = self.company_data["default_journal_bank"]

    def test_accept(self):
        renewal = self._renewal_of_corporation("sent")
        self.start_tour(self._get_path(renewal), "membri_portal_accept")
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "approved")

    def test_accept_and_pay(self):
        self._publish_demo_provider()
        renewal = self._renewal_of_corporation("sent")
        self.start_tour(self._get_path(renewal), "membri_portal_accept_and_pay", timeout=120)
        self.env.invalidate_all()
        self.assertTrue(renewal.is_paid)
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
        self.assertEqual(len(renewal.invoice_id.transaction_ids), 1)

    def test_change_in_french(self):
        renewal = self._renewal_of_full()
        renewal.partner_id.lang = "fr_CA"
        path = self._get_path(renewal)
        self.assertTrue(path.startswith("/fr_CA/"))
        self.start_tour(path, "membri_portal_change", timeout=120)
        self.env.invalidate_all()
        self.assertRecordValues(
            renewal.change_request_id,
            [{"version": 1, "amount_total": 517.5, "message": "Merci beaucoup!"}],
        )
        self.assertEqual(renewal.change_request_id.detail_ids.new_value, "+1 450 555 0188")
        self.assertEqual(renewal.partner_id.phone, "+1 555 0100")

    def test_counter_offer(self):
        renewal = self._renewal_of_full()
        self.start_tour(self._get_path(renewal), "membri_portal_counter_offer", timeout=120)
        self.env.invalidate_all()
        self.assertEqual((renewal.state, renewal.option_set_id), ("approved", self.small))

    def test_call(self):
        renewal = self._renewal_of_full()
        self.start_tour(self._get_path(renewal), "membri_portal_call")
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "intervention")
        self.assertIn("in the morning", renewal.intervention_reason)

    def test_decline(self):
        renewal = self._renewal_of_full()
        self.start_tour(self._get_path(renewal), "membri_portal_decline")
        self.env.invalidate_all()
        self.assertEqual((renewal.state, renewal.refusal_note), ("refused", "Too far"))


@tagged("post_install", "-at_install")
class TestApplyAndApproveTour(ChangeRequestCommon, PortalCase):
    def test_apply_and_approve(self):
        renewal = self._renewal_of_full()
        quantities = {self.membership_line: 1.0, self.extra_line: 3.0}
        self._ask(renewal, quantities=quantities, message="More, please")
        self.start_tour(
            f"/odoo/action-membri_renewal.action_membri_renewal/{renewal.id}",
            "membri_apply_and_approve",
            login="officer",
            timeout=180,
        )
        self.env.invalidate_all()
        self.assertEqual(renewal.invoice_id.amount_untaxed, 450.0)
