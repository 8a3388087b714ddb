"""Issue 15, point 1: the member saves a card, sees it, replaces it and stops it; by the link of a
notice too, without a login, and never by a GET."""

from datetime import date
from unittest.mock import patch

from freezegun import freeze_time
from lxml import html

from odoo import http
from odoo.tests import HttpCase, JsonRpcException, tagged
from odoo.tools import mute_logger

from ..models.portal.request import PER_HOUR
from .common_automatic_payment import AutomaticPaymentCommon
from .common_portal import PortalCase


class CardPortalCase(AutomaticPaymentCommon, PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider.is_published = True
        cls.stranger_term = cls._create_cotisation(cls.stranger, "2026-01-01")

    def _post(self, path, token=None, **data):
        data["csrf_token"] = http.Request.csrf_token(self)
        if token:
            data["access_token"] = token
        self.env.flush_all()
        response = self.url_open(path, data=data, allow_redirects=False)
        self.env.invalidate_all()
        self.assertLess(response.status_code, 500)
        return response

    def _prepare_payment(self, invoice, tokenize=True, flow="direct", token_id=None, amount=None):
        return {
            "access_token": invoice.sudo()._portal_ensure_token(),
            "provider_id": self.provider.id,
            "payment_method_id": self.env_root.ref("payment_demo.payment_method_demo").id,
            "token_id": token_id,
            "amount": amount or invoice.sudo().amount_residual,
            "flow": flow,
            "tokenization_requested": tokenize,
            "landing_route": "/my",
        }

    def _begin_payment(self, invoice, **form):
        reference = self.make_jsonrpc_request(
            f"/invoice/transaction/{invoice.id}", self._prepare_payment(invoice, **form)
        )["reference"]
        return self.env_root["payment.transaction"].search([("reference", "=", reference)])

    def _answer_payment(self, transaction, state="done"):
        self.make_jsonrpc_request(
            "/payment/demo/simulate_payment",
            {
                "reference": transaction.reference,
                "payment_details": "1234",
                "simulated_state": state,
            },
        )
        self.make_jsonrpc_request("/payment/status/poll", {})
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCardOnThePortal(CardPortalCase):
    def _card_of(self, partner):
        return partner.sudo().with_company(self.company).membri_payment_token_id

    def _approved(self):
        self.authenticate(None, None)
        return self._renewal_in("approved")

    def test_saved_with_a_payment(self):
        renewal = self._approved()
        transaction = self._begin_payment(renewal.invoice_id)
        self.assertFalse(self._card_of(renewal.partner_id), "not before it has paid")
        self._answer_payment(transaction)
        partner = renewal.partner_id
        self.assertEqual(self._card_of(partner), transaction.token_id)
        self.assertEqual(partner.membri_payment_consent_source, "payment")
        self.assertIn("for my next renewals", partner.membri_payment_consent_wording)
        self.assertEqual(partner.membri_payment_consent_date, date(2026, 11, 15))

    def test_not_without_the_box(self):
        renewal = self._approved()
        self._answer_payment(self._begin_payment(renewal.invoice_id, tokenize=False))
        self.assertTrue(renewal.is_paid)
        self.assertFalse(self._card_of(renewal.partner_id))

    def test_not_when_declined(self):
        renewal = self._approved()
        self._answer_payment(self._begin_payment(renewal.invoice_id), "error")
        self.assertFalse(self._card_of(renewal.partner_id))

    def test_not_where_it_is_not_offered(self):
        self.yearly.sudo().automatic_payment = "none"
        renewal = self._approved()
        page = self.url_open(renewal.invoice_id.sudo().get_portal_url()).text
        self.assertNotIn("o_membri_consent", page)
        self._answer_payment(self._begin_payment(renewal.invoice_id))
        self.assertFalse(self._card_of(renewal.partner_id))

    def test_the_box_says_what_is_agreed_to(self):
        renewal = self._approved()
        page = self.url_open(renewal.invoice_id.sudo().get_portal_url() + "&payment=True").text
        self.assertIn("Use this card for my next renewals", page)

    def test_stop_by_the_link(self):
        self.authenticate(None, None)
        cotisation = self._create_yearly()
        self._save_card(cotisation.partner_id)
        renewal = self._create_renewal(cotisation)
        renewal.action_send()
        token = renewal.sudo().access_token
        page = self._open(renewal, token)
        self.assertIn("membri_stop_charge", page.text)
        self.assertIn("Demo ••1234", page.text)
        path = f"/my/renewals/{renewal.id}/stop-charge"
        for wrong in (None, "0" * 36, "é"):
            self._post(path, wrong)
        self.assertIn(self.url_open(f"{path}?access_token={token}").status_code, (404, 405))
        self.env.invalidate_all()
        self.assertEqual(renewal.charge_state, "announced")
        self.assertTrue(self._card_of(renewal.partner_id))
        self._post(path, token)
        self.assertEqual(renewal.charge_state, "stopped")
        self.assertFalse(self._card_of(renewal.partner_id))
        self.assertNotIn("membri_stop_charge", self._open(renewal, token).text)

    def test_stop_by_the_link_of_the_invoice(self):
        self.authenticate(None, None)
        renewal = self._announced()
        invoice = renewal.invoice_id.sudo()
        self.assertIn("membri_stop_charge", self.url_open(invoice.get_portal_url()).text)
        path = f"/my/membership/invoices/{invoice.id}/stop-charge"
        self._post(path)
        self.assertEqual(renewal.charge_state, "announced")
        self._post(path, invoice.access_token)
        self.assertEqual(renewal.charge_state, "stopped")
        self.assertFalse(self._card_of(renewal.partner_id))

    def test_card_of_another_payer(self):
        """An employer pays: the member stops this payment, and neither sees nor stops the card."""
        self.authenticate(None, None)
        self.corporation.membri_group_invoices = True
        self._save_card(self.corporation)
        renewal = self._create_renewal(self._create_cotisation(self.colleague, "2026-01-01"))
        renewal.action_send()
        token = renewal.sudo().access_token
        for _state in ("sent", "approved"):
            page = self._open(renewal, token).text
            self.assertIn("to the saved card of Boulanger Ltd", page)
            self.assertNotIn("1234", page)
            if renewal.state == "sent":
                renewal.action_approve()
        self.assertIn("Demo ••1234", renewal.invoice_id._membri_get_next_sentence())
        self._post(f"/my/renewals/{renewal.id}/stop-charge", token)
        self.assertEqual(renewal.charge_state, "stopped")
        self.assertTrue(self._card_of(self.corporation))

    def test_who_sees_the_invoice_of_another_payer(self):
        """Signed in as the person in charge of the member, whose invoice the employer pays."""
        self.corporation.membri_group_invoices = True
        self._save_card(self.corporation)
        renewal = self._create_renewal(self._create_cotisation(self.colleague, "2026-01-01"))
        self.colleague.membri_responsible_id = self.stranger
        renewal.action_send()
        renewal.action_approve()
        path = f"/my/membership/invoices/{renewal.invoice_id.id}/stop-charge"
        self._sign_in("stranger_user")
        self._post(path)
        self.assertEqual(renewal.charge_state, "stopped")
        self.assertTrue(self._card_of(self.corporation))
        renewal._internal_write({"charge_state": "announced"})
        self._sign_in("member_user")  # who acts for the employer
        self._post(path)
        self.assertEqual(renewal.charge_state, "stopped")
        self.assertFalse(self._card_of(self.corporation))

    def test_my_membership(self):
        term = self.stranger_term
        self._sign_in("stranger_user")
        self.assertIn("No card is saved for your renewals", self.url_open("/my/membership").text)
        one, two = self._create_token(self.stranger), self._create_token(self.stranger)
        two.payment_details = "5678"
        self._post(f"/my/membership/{term.id}/card/use", token_id=str(one.id))
        self.assertEqual(self._card_of(self.stranger), one)
        self.assertEqual(self.stranger.membri_payment_consent_source, "membership")
        self.assertIn("Demo ••1234", self.url_open("/my/membership").text)
        self._post(f"/my/membership/{term.id}/card/use", token_id=str(two.id))
        self.assertEqual(self._card_of(self.stranger), two)
        self._post(f"/my/membership/{term.id}/card/stop")
        self.assertFalse(self._card_of(self.stranger))

    def test_my_membership_tells_what_failed(self):
        """That the card was declined, and where to pay; no longer once it is paid."""
        self._save_card(self.stranger, "error")
        renewal = self._create_renewal(self.stranger_term)
        renewal.action_send()
        renewal.action_approve()
        self._sign_in("stranger_user")
        self.assertNotIn("o_membri_charge_failed", self.url_open("/my/membership").text)
        self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "failed")
        page = html.fromstring(self.url_open("/my/membership").text)
        (box,) = page.find_class("o_membri_charge_failed")
        self.assertIn("did not go through", box.text_content())
        (link,) = box.iter("a")
        self.assertEqual(self.url_open(link.get("href")).status_code, 200)
        self.assertIn(f"/{renewal.invoice_id.id}?", link.get("href"))
        self._pay(renewal.invoice_id)
        self.assertNotIn("o_membri_charge_failed", self.url_open("/my/membership").text)

    def test_sentence_does_not_send_to_the_page_it_is_on(self):
        renewal = self._renewal_in("draft")
        self._save_card(renewal.partner_id)
        renewal.action_send()
        path = self._get_path(renewal)
        for accept in (False, True):
            if accept:
                renewal.action_approve()
            page = self.url_open(path).text
            self.assertIn("We will charge", page)
            self.assertNotIn("open the page", page)

    def test_so_many_times_an_hour(self):
        """Each change is told in the member's chatter. Taking the card back is always possible."""
        term = self.stranger_term
        cards = self._create_token(self.stranger) + self._create_token(self.stranger)
        self._sign_in("stranger_user")
        for number in range(PER_HOUR + 1):
            self._post(f"/my/membership/{term.id}/card/use", token_id=str(cards[number % 2].id))
        self.assertEqual(self._card_of(self.stranger), cards[(PER_HOUR - 1) % 2])
        self._post(f"/my/membership/{term.id}/card/stop")
        self.assertFalse(self._card_of(self.stranger))

    def test_cards_of_others(self):
        foreign = self._create_token(self.member)
        term = self.stranger_term
        self._sign_in("stranger_user")
        for wrong in (str(foreign.id), "0", "x", ""):
            self._post(f"/my/membership/{term.id}/card/use", token_id=wrong)
        self.assertFalse(self._card_of(self.stranger))
        self._save_card(self.stranger)
        self._sign_in("colleague_user")
        self._post(f"/my/membership/{term.id}/card/stop")
        self.assertTrue(self._card_of(self.stranger))


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestHostilePayer(CardPortalCase):
    """What a browser sends is anything: charged is what was announced, or nothing."""

    def _card_of(self, partner):
        return partner.sudo().with_company(self.company).membri_payment_token_id

    def test_box_ticked_by_somebody_else(self):
        """Signed in, with the link of another payer's invoice: it is paid, and no card is saved
        for memberships, neither the payer's nor the visitor's."""
        renewal = self._renewal_in("approved")
        invoice = renewal.invoice_id
        self._sign_in("stranger_user")
        transaction = self._begin_payment(invoice)
        self._answer_payment(transaction)
        self.assertTrue(renewal.is_paid)
        self.assertEqual(transaction.token_id.partner_id, self.stranger)
        for partner in (renewal.partner_id, self.stranger):
            self.assertFalse(self._card_of(partner))
            self.assertFalse(partner.membri_payment_consent_wording)
        told = " ".join(invoice.sudo().message_ids.mapped("body"))
        self.assertIn("Only the payer's own card can be charged", told)

    def test_own_card_for_the_membership_of_another(self):
        card = self._create_token(self.stranger)
        others = self._create_cotisation(self.member, "2026-01-01")
        self._sign_in("stranger_user")
        self._post(f"/my/membership/{others.id}/card/use", token_id=str(card.id))
        for partner in (self.member, self.stranger):
            self.assertFalse(self._card_of(partner))
        self._save_card(self.member)
        self._post(f"/my/membership/{others.id}/card/stop")
        self.assertTrue(self._card_of(self.member))

    def test_stop_sent_again(self):
        """Whoever kept the form of a notice stops what it was about, and nothing later."""
        self.authenticate(None, None)
        renewal = self._announced()
        path, token = f"/my/renewals/{renewal.id}/stop-charge", renewal.sudo().access_token
        self._post(path, token)
        self.assertEqual(renewal.charge_state, "stopped")
        new = self._save_card(renewal.partner_id)
        notes = len(renewal.message_ids)
        self._post(path, token)
        self._post(f"/my/membership/invoices/{renewal.invoice_id.id}/stop-charge", token)
        self.assertEqual(self._card_of(renewal.partner_id), new)
        self.assertEqual(len(renewal.message_ids), notes)
        self._charge()
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_charged(renewal.invoice_id), renewal.invoice_id.amount_total)
        # once it was charged
        self._post(path, token)
        self.assertEqual(renewal.charge_state, "done")
        self.assertEqual(self._card_of(renewal.partner_id), new)

    def test_amount_currency_and_invoice_of_the_browser(self):
        """Odoo takes them from the document; what it leaves to the browser is refused."""
        self.authenticate(None, None)
        renewal, other = self._announced(), self._announced()
        invoice = renewal.invoice_id.sudo()
        other_invoice = other.invoice_id.sudo()
        total = invoice.amount_total
        self.env.flush_all()
        for route, changed in (
            (invoice, {"amount": total + 0.01}),
            (invoice, {"amount": -total}),
            (invoice, {"currency_id": self.env.ref("base.JPY").id}),
            (invoice, {"partner_id": self.stranger.id}),
            (invoice, {"invoice_ids": other_invoice.ids}),
            (invoice, {"membri_charge_invoice_id": invoice.id}),
            (invoice, {"custom_create_values": {"amount": 1.0}}),
            (other_invoice, {}),  # with the token of this one
        ):
            with self.subTest(changed), mute_logger("odoo.http"):
                answer = self.url_open(
                    f"/invoice/transaction/{route.id}",
                    json={"params": {**self._prepare_payment(invoice), **changed}},
                ).json()
                self.assertIn("error", answer)
                self.assertNotIn("Traceback", answer["error"]["data"]["message"])
                self.env.invalidate_all()
                self.assertFalse(self._get_charges(invoice) | self._get_charges(other_invoice))
        # a part of it, as Odoo allows, takes nothing off what was announced but itself
        self._answer_payment(self._begin_payment(renewal.invoice_id, tokenize=False, amount=1.0))
        self.assertAlmostEqual(invoice.amount_residual, total - 1)
        day = renewal.date_charge
        self._charge(day)
        self.assertAlmostEqual(self._get_charged(invoice), total)
        self.assertTrue(renewal.is_paid)

    def test_asked_of_the_models(self):
        """As a payer who knows Odoo's own protocol: no card, no charge, no stop of others."""
        renewal = self._announced()
        token = renewal.sudo().charge_token_id
        own = self._create_token(self.stranger)
        self._sign_in("stranger_user")
        name = "membri_payment_token_id"
        for model, method, *args in (
            ("payment.token", "write", own.ids, {"partner_id": renewal.partner_id.id}),
            ("payment.token", "create", [{"partner_id": self.stranger.id}]),
            ("payment.token", "read", token.ids, ["payment_details"]),
            ("res.partner", "write", self.stranger.ids, {name: own.id}),
            ("res.partner", "write", renewal.partner_id.ids, {name: own.id}),
            ("res.partner", "action_membri_stop_automatic_payment", renewal.partner_id.ids),
            ("res.partner", "_membri_save_card", self.stranger.ids, own.id, "x", "payment"),
            ("membri.renewal", "write", renewal.ids, {"charge_state": False}),
            ("membri.renewal", "write", renewal.ids, {"amount_charge": 1.0}),
            ("membri.renewal", "read", renewal.ids, ["amount_charge"]),
            ("membri.renewal", "action_stop_charge", renewal.ids),
            ("membri.renewal", "action_charge_again", renewal.ids),
            ("membri.renewal", "_cron_charge", []),
            ("membri.renewal", "_portal_stop_charge", renewal.ids, self.stranger.id),
            ("payment.transaction", "create", [{"token_id": own.id}]),
        ):
            with (
                self.subTest(model=model, method=method),
                mute_logger("odoo.http", "odoo.addons.base.models.ir_model"),
                mute_logger("odoo.addons.base.models.ir_rule", "odoo.models"),
                self.assertRaises(JsonRpcException),
            ):
                self.make_jsonrpc_request(
                    f"/web/dataset/call_kw/{model}/{method}",
                    {"model": model, "method": method, "args": list(args), "kwargs": {}},
                )
        self.env.invalidate_all()
        self.assertEqual((renewal.charge_state, own.partner_id), ("announced", self.stranger))
        self.assertFalse(self._card_of(self.stranger))
        self.assertEqual(self._card_of(renewal.partner_id), token)

    @mute_logger("odoo.addons.membri_renewal.models.mixins.state")
    def test_rest_is_paid_while_the_answer_for_a_part_is_lost(self):
        """The server stopped when the first part was charged: whoever pays the second one on the
        portal then does not make it forgotten, and pays it once."""
        self.authenticate(None, None)
        renewal = self._announced_in_parts()
        invoice, half = renewal.invoice_id, renewal.amount_charge
        with patch.object(
            self.registry["payment.transaction"], "_send_payment_request", side_effect=RuntimeError
        ):
            self._charge(renewal.date_charge)
        [charge] = self._get_charges(invoice)
        with self._on(renewal.date_charge):
            rest = invoice.sudo()._membri_get_amount_to_pay()
            self.assertAlmostEqual(rest, invoice.amount_total - half)
            transaction = self._begin_payment(invoice, amount=rest)
            self.assertEqual(charge.state, "draft", "its answer is still looked for")
            self._answer_payment(transaction)
            self._charge()
        self.assertEqual((charge.state, len(self._get_charges(invoice))), ("done", 2))
        self.assertTrue(renewal.is_paid)
        self._charge(date(2027, 2, 13))
        self.assertEqual(self._get_charged(invoice), invoice.amount_total)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestRequiredCard(CardPortalCase):
    """The plan requires automatic payment: who pays saves the card of the payment."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.yearly.sudo().automatic_payment = "required"

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)
        self.renewal = self._renewal_in("approved")

    def _get_box(self, url=None):
        """:return: the page of the payment, and the box on it"""
        url = url or self.renewal.invoice_id.sudo().get_portal_url() + "&payment=True"
        page = html.fromstring(self.url_open(url).text)
        return page, page.xpath("//input[@name='o_payment_tokenize_checkbox']")

    def _assert_payment_refused(self, words, **form):
        invoice = self.renewal.invoice_id.sudo()
        before = self._get_charges(invoice)
        self.env.flush_all()
        with mute_logger("odoo.http"):
            answer = self.url_open(
                f"/invoice/transaction/{invoice.id}",
                json={"params": self._prepare_payment(invoice, **form)},
            ).json()
        self.assertIn(words, answer["error"]["data"]["message"])
        self.env.invalidate_all()
        self.assertEqual(self._get_charges(invoice), before)

    def test_box_is_ticked_and_stays(self):
        page, [box] = self._get_box()
        self.assertTrue(box.get("checked") and box.get("disabled"))
        [sentence] = page.xpath("//*[contains(@class, 'o_membri_card_required')]")
        self.assertIn("requires automatic payment", sentence.text_content())
        self.assertTrue(page.xpath("//*[contains(@class, 'o_membri_consent')]"))
        self._answer_payment(self._begin_payment(self.renewal.invoice_id))
        partner = self.renewal.partner_id.sudo().with_company(self.company)
        self.assertTrue(partner.membri_payment_token_id)
        self.assertIn("for my next renewals", partner.membri_payment_consent_wording)

    def test_other_plans_as_before(self):
        for choice in ("offered", "none"):
            self.yearly.sudo().automatic_payment = choice
            page, [box] = self._get_box()
            self.assertIsNone(box.get("checked") or box.get("disabled"), choice)
            self.assertFalse(page.xpath("//*[contains(@class, 'o_membri_card_required')]"))
        self._answer_payment(self._begin_payment(self.renewal.invoice_id, tokenize=False))
        self.assertTrue(self.renewal.is_paid)

    def test_fee_notice(self):
        self.company.with_env(self.env_root).membri_fee_notice = True
        self.renewal = self._renewal_in("approved")
        _page, [box] = self._get_box(self.renewal.invoice_id.sudo().get_portal_url())
        self.assertTrue(box.get("checked") and box.get("disabled"))
        self._assert_payment_refused("Check “Use this card", tokenize=False)

    def test_payment_link(self):
        link = self.env_account["payment.link.wizard"].create(
            {
                "res_model": "account.move",
                "res_id": self.renewal.invoice_id.id,
                "amount": self.renewal.invoice_id.amount_residual,
                "currency_id": self.renewal.invoice_id.currency_id.id,
                "partner_id": self.renewal.partner_id.id,
            }
        )
        _page, [box] = self._get_box(link.link)
        self.assertTrue(box.get("checked") and box.get("disabled"))

    def test_without_the_box(self):
        self._assert_payment_refused("Check “Use this card", tokenize=False)

    def test_provider_that_saves_no_cards(self):
        self.provider.allow_tokenization = False
        page, boxes = self._get_box()
        self.assertFalse(boxes)
        [sentence] = page.xpath("//*[contains(@class, 'o_membri_card_required')]")
        self.assertIn("Please contact", sentence.text_content())
        for tokenize in (True, False):
            self._assert_payment_refused("Choose another way to pay", tokenize=tokenize)

    def test_own_saved_card(self):
        """Signed in, by a card that the payer has already: it is the one from now on."""
        self.renewal = self._create_renewal(self.stranger_term)
        self.renewal.action_approve()
        token = self._create_token(self.stranger)
        self._sign_in("stranger_user")
        transaction = self._begin_payment(
            self.renewal.invoice_id, tokenize=False, flow="token", token_id=token.id
        )
        transaction._post_process()
        self.env.invalidate_all()
        stranger_sudo = self.stranger.sudo().with_company(self.company)
        self.assertEqual(stranger_sudo.membri_payment_token_id, token)
        self.assertIn("for my next renewals", stranger_sudo.membri_payment_consent_wording)

    def test_who_pays_for_somebody_else(self):
        """Their card would be of no use: they pay as they like."""
        self._sign_in("stranger_user")
        _page, [box] = self._get_box()
        self.assertIsNone(box.get("disabled"))
        self._answer_payment(self._begin_payment(self.renewal.invoice_id, tokenize=False))
        self.assertTrue(self.renewal.is_paid)


@tagged("post_install", "-at_install")
class TestCardTour(CardPortalCase, HttpCase):
    """On a phone, by the links of the emails, without signing in."""

    browser_size = "375x667"
    touch_enabled = True

    def test_from_notice_to_saved_card_to_stop(self):
        member = self._create_member("Nora Newcard")
        today = self.company._membri_today()
        renewal = self._create_renewal(
            self._create_cotisation(member, today.replace(month=1, day=1))
        )
        renewal.action_send()
        self.start_tour(self._get_path(renewal), "membri_portal_save_card", timeout=120)
        self.env.invalidate_all()
        self.assertTrue(renewal.is_paid)
        self.assertIn("for my next renewals", member.membri_payment_consent_wording)

        other = self._renewal_in("draft")
        self._save_card(other.partner_id)
        other.action_send()
        self.start_tour(self._get_path(other), "membri_portal_stop_card", timeout=120)
        self.env.invalidate_all()
        self.assertEqual(other.charge_state, "stopped")
