from odoo.tests import tagged

from .common_membership import MembershipCase


@tagged("post_install", "-at_install")
class TestMembershipTours(MembershipCase):
    """On a telephone, in French, signed in."""

    browser_size = "375x667"
    touch_enabled = True

    def setUp(self):
        super().setUp()
        self.member_user.sudo().lang = "fr_CA"
        self.invoice = self._renewal_of_corporation("approved").invoice_id

    def test_my_membership(self):
        self.start_tour("/fr_CA/my/membership", "membri_my_membership", login="member_user")
        self.env.invalidate_all()
        self.assertIn("Paula Nouvelle", self.member.message_ids[0].body)

    def test_already_paid(self):
        self.start_tour("/fr_CA/my/membership", "membri_already_paid", login="member_user")
        self.env.invalidate_all()
        self.assertTrue(self.invoice.membri_date_announced)
        self.assertEqual(self.invoice.payment_state, "not_paid")
        self.assertIn("0187", self.invoice.message_ids[0].body)
