from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from .common_fee_notice import TODAY, FeeNoticePortalCase

SAVED = 'data-payment-option-type="token"'


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestWhoseCard(FeeNoticePortalCase):
    """Odoo lets whoever comes with the link of an invoice pay by the saved cards of its payer, and
    each person of a company by those of all others: what pays memberships is its holder's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.card = cls.env_root["payment.token"].create(
            {
                "provider_id": cls.provider.id,
                "payment_method_id": cls.method.id,
                "partner_id": cls.member.id,
                "payment_details": "1234",
                "provider_ref": "demo reference",
                "demo_simulated_state": "done",
            }
        )
        (cls.member | cls.stranger).parent_id = cls.corporation
        cls.colleague_invoice = cls.stranger._membri_enrol(cls.yearly).invoice_id.sudo()
        cls.ordinary = cls.notice.create(
            {
                "move_type": "out_invoice",
                "partner_id": cls.member.id,
                "invoice_date": "2026-11-15",
                "invoice_line_ids": [Command.create({"name": "x", "price_unit": 345.0})],
            }
        )
        cls.ordinary.action_post()
        cls.ordinary._portal_ensure_token()

    def _pay_by_card(self, move):
        is_notice = move.membri_fee_notice_state == "open"
        route = f"/my/fee-notices/{move.id}" if is_notice else f"/invoice/transaction/{move.id}"
        return self._start_transaction(
            token=move.access_token,
            route=f"{route}/transaction" if is_notice else route,
            flow="token",
            token_id=self.card.id,
            amount=move.amount_total,
        )

    def _assert_card_refused(self, move):
        with mute_logger("odoo.http"), self.assertRaises(JsonRpcException):
            self._pay_by_card(move)
        self.env.invalidate_all()
        self.assertFalse(move.transaction_ids)

    def _offers_card(self, move):
        page = "fee-notices" if move.membri_fee_notice_state == "open" else "invoices"
        return SAVED in self.url_open(f"/my/{page}/{move.id}?access_token={move.access_token}").text

    def test_properties_name_no_card(self):
        """Whoever sets up properties names any card by one: Odoo showed its last digits."""
        employee = new_test_user(self.env_root, "names_cards", "base.group_user")
        self.env.invalidate_all()
        self.assertFalse(self.card.with_user(employee).display_name)
        self.assertIn("1234", self.card.with_user(employee).sudo().display_name)

    def test_a_link_charges_no_card(self):
        for login in (None, "stranger_user"):
            self._sign_in(login)
            self.assertFalse(self._offers_card(self.notice))
            self._assert_card_refused(self.notice)
        self.notice.action_post()
        for login in (None, "stranger_user"):
            self._sign_in(login)
            self.assertFalse(self._offers_card(self.notice))
            self._assert_card_refused(self.notice)

    def test_a_colleague_pays_by_another_card(self):
        self._sign_in("stranger_user")
        self._assert_card_refused(self.colleague_invoice)

    def test_the_holder_pays_by_it(self):
        self.notice.action_post()
        self._sign_in("member_user")
        self.assertTrue(self._offers_card(self.notice))
        self.assertEqual(self._pay_by_card(self.notice).state, "done")

    def test_ordinary_invoices(self):
        """As in Odoo, but for the cards that pay memberships."""
        self._sign_in(None)
        self.assertTrue(self._offers_card(self.ordinary))
        self.member.with_env(self.env_root).with_company(self.company)._membri_save_card(
            self.card, "Use this card for my next renewals", "payment"
        )
        self.assertFalse(self._offers_card(self.ordinary))
        self._assert_card_refused(self.ordinary)
        self._sign_in("member_user")
        self.assertTrue(self._offers_card(self.ordinary))
        self.assertEqual(self._pay_by_card(self.ordinary).state, "done")

    def test_who_acts_for_the_holder_takes_the_card_back(self):
        """Odoo lets all people below a company do it."""
        assistant = self._create_member("Amy Assistant", parent_id=self.stranger.id)
        new_test_user(
            self.env_root,
            "assistant_user",
            "base.group_portal",
            partner_id=assistant.id,
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.card.partner_id = self.corporation
        self.corporation.with_env(self.env_root).with_company(self.company)._membri_save_card(
            self.card, "Use this card for my next renewals", "payment"
        )
        for login, is_kept in (("assistant_user", True), ("stranger_user", False)):
            self._sign_in(login)
            self.make_jsonrpc_request("/payment/archive_token", {"token_id": self.card.id})
            self.env.invalidate_all()
            self.assertEqual(self.card.active, is_kept)
