from freezegun import freeze_time
from lxml import html

from odoo.fields import Command
from odoo.tests import JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.payment import utils as payment_utils

from .common_payments import PortalPaymentCase

FORM = 'id="o_payment_form"'


@tagged("post_install", "-at_install")
@freeze_time("2027-01-15 15:00:00")
class TestPortalPayment(PortalPaymentCase):
    """Online payment of a membership invoice by the real routes, with Odoo's demo provider;
    and the links of a voided invoice, which take no money (specification §5.5, cases)."""

    # ------------------------------------------------------------------
    # Paying
    # ------------------------------------------------------------------

    def test_paid_on_the_portal(self):
        self.assertIn(FORM, self._get_page(self.invoice))
        transaction = self._begin_payment()
        self._assert_follows("pending")
        self._answer(transaction, "done")
        self.assertEqual(transaction.payment_id.amount, 344.93)
        self._assert_follows("active")
        self.assertNotIn(FORM, self._get_page(self.invoice))

    def test_failed_then_paid(self):
        """Case: a failed or cancelled payment extends nothing; a new try is possible."""
        for state in ("cancel", "error"):
            with mute_logger("odoo.addons.payment.models.payment_transaction"):
                self._answer(self._begin_payment(), state)
            self._assert_follows("pending")
            self.assertIn(FORM, self._get_page(self.invoice))
        self._answer(self._begin_payment(), "done")
        self._assert_follows("active")

    def _sign_in(self):
        payer = self.renewal.partner_id
        new_test_user(
            self.env_root,
            "payer",
            "base.group_portal",
            partner_id=payer.id,
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.authenticate("payer", "payer")

    def _get_asked_overdue(self):
        """:return: the amount that Odoo's page of all that is late asks for, or ``None``"""
        form = html.fromstring(self.url_open("/my/invoices/overdue").text).xpath(
            "//form[@id='o_payment_form']"
        )
        return float(form[0].get("data-amount")) if form else None

    def test_b4_all_that_is_late_asks_for_what_is_left(self):
        """Odoo's page asked for the whole of an invoice that is paid in part, and was refused; each
        time that it was opened again."""
        with freeze_time("2027-03-01 15:00:00"):
            self._sign_in()
            self.assertEqual(self._get_asked_overdue(), 344.93)
            self._pay(self.invoice, 100.0)
            self.assertEqual(self._get_asked_overdue(), 244.93)
            reference = self.make_jsonrpc_request(
                "/invoice/transaction/overdue",
                {
                    "payment_reference": self.invoice.name,
                    "provider_id": self.provider.id,
                    "payment_method_id": self.payment_method.id,
                    "token_id": None,
                    "amount": 244.93,
                    "flow": "direct",
                    "tokenization_requested": False,
                    "landing_route": "/my/invoices/",
                },
            )["reference"]
            transaction = self.env_root["payment.transaction"].search(
                [("reference", "=", reference)]
            )
            self._answer(transaction, "pending")
            self.assertIsNone(self._get_asked_overdue(), "it is under way")

    def test_b4_one_payment_is_in_one_currency(self):
        """Odoo's page refused two: first what is due first."""
        other = self.invoice.sudo().copy({"invoice_date": "2027-02-01"})
        other.currency_id = self.env_root.ref("base.CHF")
        other.currency_id.active = True
        other.action_post()
        with freeze_time("2027-03-01 15:00:00"):
            self._sign_in()
            self.assertEqual(self._get_asked_overdue(), 344.93)
            self._pay(self.invoice)
            self.assertEqual(self._get_asked_overdue(), other.amount_total)

    def test_slow_provider(self):
        """Pending: no reset meanwhile; then done."""
        transaction = self._begin_payment()
        self._answer(transaction, "pending")
        self._assert_follows("pending")
        self.assertIn("Nothing was changed", self._assert_refused(self.renewal.action_reset))
        transaction.action_demo_set_done()
        transaction._post_process()
        self._assert_follows("active")

    def test_refunded_online(self):
        """Without a credit note Odoo's invoice stays paid: the officer is asked."""
        transaction = self._begin_payment()
        self._answer(transaction, "done")
        self._assert_follows("active")
        refund = transaction._refund()
        refund._post_process()
        self.assertEqual(refund.state, "done")
        self._assert_follows("active")
        activity = self.invoice.activity_ids
        self.assertEqual(activity.user_id, self.officer)
        self.assertIn("was refunded online", activity.summary)
        self._credit(self.invoice)
        self._assert_follows("cancelled")

    def test_b5_double_payment_refunded_online(self):
        """Issue 12, B5: two browsers paid; one payment goes back: nobody's membership ends."""
        first = self._begin_payment()
        second = first.create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.payment_method.id,
                "reference": f"{first.reference}-again",
                "amount": first.amount,
                "currency_id": first.currency_id.id,
                "partner_id": first.partner_id.id,
                "operation": "online_direct",
                "invoice_ids": [Command.set(first.invoice_ids.ids)],
            }
        )
        self._answer(first, "done")
        second._set_done()
        for transaction in first, second:
            if not transaction.is_post_processed:
                transaction._post_process()
        self._assert_follows("active")
        asked = self.invoice.activity_ids
        self.assertEqual(len(asked), 1, "what came in twice")
        refund = second._refund()
        refund._post_process()
        self.assertEqual(refund.state, "done")
        self.assertEqual(self.invoice.activity_ids, asked, "nothing more is asked")
        self._assert_follows("active")

    # ------------------------------------------------------------------
    # Voided
    # ------------------------------------------------------------------

    def _assert_takes_no_money(self, invoice, link):
        """None of the links that went out before works any more."""
        self.assertNotIn(FORM, self._get_page(invoice))
        pay_route = (
            f"/payment/pay?invoice_id={invoice.id}&amount=344.93&access_token="
            + payment_utils.generate_access_token(
                invoice.partner_id.id, 344.93, invoice.currency_id.id, env=self.env_root
            )
        )
        for url in (pay_route, link):
            page = self.url_open(url).text
            self.assertNotIn(FORM, page)
            self.assertNotIn("Internal Server Error", page)
        self.assertIn("There is nothing to pay", self.url_open(pay_route).text)
        with (
            self.assertRaisesRegex(JsonRpcException, "ValidationError"),
            mute_logger("odoo.http"),
        ):
            self._begin_payment()
        self.assertFalse(invoice.transaction_ids)

    def _get_link(self, invoice):
        """The link that an accountant makes with *Generate a Payment Link*."""
        wizard = (
            self.env_root["payment.link.wizard"]
            .with_context(active_model="account.move", active_id=invoice.id)
            .create({})
        )
        return wizard.link

    def test_links_work_before(self):
        for url in (self.invoice.get_portal_url(), self._get_link(self.invoice)):
            self.assertIn(FORM, self.url_open(url).text)

    def test_cancelled_by_reset(self):
        link = self._get_link(self.invoice)
        self.renewal.action_reset()
        self.assertEqual(self.invoice.state, "cancel")
        self._assert_takes_no_money(self.invoice, link)

    def test_credited_by_reset(self):
        journal = self.company_data["default_journal_sale"].with_env(self.env_root)
        journal.restrict_mode_hash_table = True
        self._follow(self._renewal_in("approved"))
        link = self._get_link(self.invoice)
        self.renewal.action_reset()
        self.assertEqual((self.invoice.state, self.invoice.payment_state), ("posted", "reversed"))
        self._assert_takes_no_money(self.invoice, link)

    def test_new_invoice_after_reset_is_payable(self):
        self.renewal.action_reset()
        self.renewal.action_approve()
        self._follow(self.renewal)
        self._run_cron("ir_cron_update_states")
        self._answer(self._begin_payment(), "done")
        self._assert_follows("active")

    def test_who_may_only_look_pays_by_the_link_alone(self):
        """Odoo takes the right to read for the key: an auditor paid, and ended what the payer had
        just begun."""
        begun = self._begin_payment()
        invoice = self.renewal.invoice_id.sudo()
        signed = payment_utils.generate_access_token(
            invoice.partner_id.id, 344.93, invoice.currency_id.id, env=self.env_root
        )
        self.auditor.sudo().password = "auditor-22"
        self.authenticate(self.auditor.login, "auditor-22")
        form = {
            "provider_id": self.provider.id,
            "payment_method_id": self.payment_method.id,
            "token_id": None,
            "amount": 344.93,
            "flow": "direct",
            "tokenization_requested": False,
            "landing_route": "/my",
        }
        for key in (None, "", "guess"):
            with (
                self.subTest(key),
                self.assertRaisesRegex(JsonRpcException, "ValidationError"),
                mute_logger("odoo.http"),
            ):
                self.make_jsonrpc_request(
                    f"/invoice/transaction/{invoice.id}", {**form, "access_token": key}
                )
        self.assertEqual(invoice.transaction_ids, begun)
        self.assertEqual(begun.state, "draft")
        page = self.url_open(
            f"/payment/pay?amount=344.93&invoice_id={invoice.id}&access_token={signed}"
        )
        self.assertEqual(page.status_code, 404)
        self.assertNotIn(invoice.access_token, page.text)
        route = f"/invoice/transaction/{invoice.id}"
        own = self.url_open(f"/my/invoices/{invoice.id}").text
        self.assertIn(invoice.name, own)
        for text in (route, "#pay_with", invoice.access_token):
            self.assertNotIn(text, own, "no form, and nothing that opens one")
        # with the link, as anybody who holds it: counted
        counted = [("res_id", "=", invoice.id), ("kind", "=", "payment")]
        before = self.env_root["membri.portal.request"].search_count(counted)
        self.make_jsonrpc_request(
            f"/invoice/transaction/{invoice.id}", {**form, "access_token": invoice.access_token}
        )
        self.assertEqual(begun.state, "cancel")
        count = self.env_root["membri.portal.request"].search_count(counted)
        self.assertEqual(count, before + 1)
        self.authenticate(None, None)
        page = self.url_open(f"/my/invoices/{invoice.id}?access_token={invoice.access_token}").text
        self.assertIn("#pay_with", page, "there is for the payer")

    def test_wrong_token_is_refused_as_by_odoo(self):
        self.renewal.action_reset()
        with (
            self.assertRaisesRegex(JsonRpcException, "ValidationError"),
            mute_logger("odoo.http"),
        ):
            self.make_jsonrpc_request(
                f"/invoice/transaction/{self.invoice.id}", {"access_token": "guess"}
            )

    def test_money_that_was_on_its_way(self):
        """The member had the card form open while the officer reset the renewal: the money is
        kept as the payer's credit, and the officer is told."""
        transaction = self._begin_payment()
        invoice, cotisation = self.invoice, self.cotisation
        self.renewal.action_reset()
        self._answer(transaction, "done")
        self.assertEqual(invoice.state, "cancel")
        self.assertEqual(cotisation.state, "cancelled")
        self.assertEqual(self.renewal.state, "draft")
        receivable = transaction.payment_id.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        self.assertEqual(receivable.amount_residual, -344.93)
        self.assertEqual(invoice.activity_ids.user_id, self.officer)
        self.assertIn("which is cancelled", invoice.activity_ids.summary)
