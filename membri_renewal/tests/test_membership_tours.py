import html

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
        self.assertTrue(self.invoice.membri_date_reported)
        self.assertEqual(self.invoice.payment_state, "not_paid")
        self.assertIn("0187", self.invoice.message_ids[0].body)

    def test_automatic_renewal(self):
        """The member's own click is the consent: its day, wording and source are kept until it is
        taken back, and the chatter keeps both."""

        def start_tour(name):
            self.start_tour("/fr_CA/my/membership", name, login="member_user")
            self.env.invalidate_all()

        member = self.member.with_company(self.company)
        start_tour("membri_auto_renew")
        wording = member.with_context(lang="fr_CA")._membri_get_auto_renew_wording()
        self.assertRecordValues(
            member,
            [
                {
                    "membri_auto_renew": True,
                    "membri_auto_renew_consent_date": self.today,
                    "membri_auto_renew_consent_text": wording,
                    "membri_auto_renew_consent_source": f"My membership ({member.display_name})",
                }
            ],
        )
        self.assertIn(wording, html.unescape(str(member.message_ids[0].body)))
        start_tour("membri_auto_renew_off")
        self.assertFalse(member.membri_auto_renew)
        self.assertFalse(member.membri_auto_renew_consent_date)
        self.assertEqual(member.message_ids[0].author_id, member)
