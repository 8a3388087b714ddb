from freezegun import freeze_time
from lxml import html

from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from .common_fee_notice import TODAY, FeeNoticePortalCase


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestFeeNoticePortal(FeeNoticePortalCase):
    """The member's page of a fee notice: who sees it, and that it takes money exactly as
    long as it is due."""

    def test_who_sees_the_page(self):
        right = self.notice.access_token
        for login, token, may_see in (
            (None, None, False),
            (None, "wrong", False),
            (None, right, True),
            ("member_user", None, True),
            ("stranger_user", None, False),
            ("stranger_user", "wrong", False),
            ("stranger_user", right, True),
            ("employee", None, False),
            ("officer", None, True),
        ):
            with self.subTest(login=login, token=token):
                self._sign_in(login)
                response = self._open(token)
                if may_see:
                    self.assertEqual(response.status_code, 200)
                    self.assertIn(self.notice.membri_fee_notice_name, response.text)
                else:
                    by_link = token and not login
                    self.assertEqual(response.status_code, 200 if by_link else 303)
                    self.assertEqual('id="membri_old_link"' in response.text, bool(by_link))
                    self.assertNotIn(self.notice.membri_fee_notice_name, response.text)
        self._assert_waiting()

    def test_other_invoices_have_no_such_page(self):
        self.company.membri_fee_notice = False
        invoice = self._renewal_in("approved").invoice_id.sudo()
        response = self.url_open(
            self._url(invoice.access_token, notice=invoice), allow_redirects=False
        )
        self.assertIn('id="membri_old_link"', response.text)
        self.assertNotIn(invoice.name, response.text)

    def test_list_and_home(self):
        other = self._renewal_in("approved").invoice_id.sudo()
        self._sign_in("member_user")
        page = self.url_open("/my/fee-notices").text
        self.assertIn(self.notice.membri_fee_notice_name, page)
        self.assertNotIn(other.membri_fee_notice_name, page)
        counters = self.make_jsonrpc_request("/my/counters", {"counters": ["fee_notice_count"]})
        self.assertEqual(counters["fee_notice_count"], 1)

    def test_the_page_offers_to_pay(self):
        page = self._open(self.notice.access_token).text
        self.assertIn('id="o_payment_form"', page)
        self.assertIn(f"/my/fee-notices/{self.notice.id}/transaction", page)
        self.assertIn("Amount due", page)

    def test_the_page_says_how_else_to_pay(self):
        page = html.fromstring(self._open(self.notice.access_token).content)
        told = page.xpath("//*[@id='membri_pay_otherwise']/dd/text()")
        self.assertEqual(told, [value for _label, value in self.notice._membri_get_ways_to_pay()])
        self.assertIn(self.company.name, told, "the payee of a check")
        [link] = page.xpath("//a[@id='membri_already_paid_link']/@href")
        form = html.fromstring(self.url_open(link).content)
        self.assertTrue(form.xpath("//form[@id='membri_already_paid']"))
        back = form.xpath("//a[contains(@href, '/my/fee-notices/')]")
        self.assertEqual([link.text_content().strip() for link in back], ["View the Fee Notice"])

    def test_invoice_page_leads_here(self):
        response = self.url_open(
            f"/my/invoices/{self.notice.id}?access_token={self.notice.access_token}",
            allow_redirects=False,
        )
        self.assertEqual(response.status_code, 303)
        self.assertIn(f"/my/fee-notices/{self.notice.id}", response.headers["Location"])

    def test_pdf(self):
        response = self.url_open(self._url(self.notice.access_token) + "&report_type=pdf")
        self.assertEqual(response.status_code, 200)
        self.assertIn("Fee_notice_AVIS_2026", response.headers["Content-Disposition"])

    # ------------------------------------------------------------------
    # Paying
    # ------------------------------------------------------------------

    def test_paid(self):
        transaction = self._start_transaction()
        self.assertEqual(transaction.amount, 345.0)
        self.assertTrue(transaction.reference.startswith("AVIS"))
        self._assert_waiting()
        self._finish(transaction, "done")
        self.assertEqual(self.notice.state, "posted")
        self.assertTrue(self.notice.name)
        self.assertEqual(self.notice.invoice_date.isoformat(), "2026-11-15")
        self.assertEqual(self.notice.amount_residual, 0.0)
        self.assertEqual(self.cotisation.state, "active")
        self.assertEqual(self.member.membri_status, "active")
        self.assertTrue(self.notice.sending_data)
        page = self._open(self.notice.access_token).text
        self.assertIn("Thank you", page)
        path = f"/my/invoices/{self.notice.id}?access_token={self.notice.access_token}"
        self.assertIn(path, page)
        self.assertNotIn('id="o_payment_form"', page)
        self.assertNotIn("o_portal_submenu", self.url_open(path).text, "it leads to the login")

    def test_the_amount_is_ours(self):
        transaction = self._start_transaction(amount=1.0)
        self.assertEqual(transaction.amount, 345.0)

    def test_failed_and_abandoned_payments_change_nothing(self):
        self._start_transaction()  # abandoned: the page was closed
        for state in ("canceled", "error"):
            transaction = self._start_transaction()
            if state == "error":
                transaction._set_error("No money")
                transaction._post_process()
            else:
                self._finish(transaction, state)
            self._assert_waiting()
        page = self._open(self.notice.access_token).text
        self.assertIn("did not go through", page)
        self.assertIn('id="o_payment_form"', page)
        self.assertIn('id="membri_already_paid_link"', page)
        self.assertNotIn("o_portal_submenu", page, "it leads to the login")
        self._finish(self._start_transaction(), "done")
        self.assertEqual(self.cotisation.state, "active")

    def test_pending_holds(self):
        transaction = self._start_transaction()
        self._finish(transaction, "pending")
        self._assert_waiting()
        page = self._open(self.notice.access_token).text
        self.assertIn("Your payment is in progress", page)
        self.assertNotIn('id="o_payment_form"', page)
        self.assertNotIn('id="membri_already_paid_link"', page, "we know it")
        self.assertEqual(self.notice._membri_get_cannot_report(), "under_way")
        with mute_logger("odoo.http"), self.assertRaises(JsonRpcException):
            self._start_transaction()
        self._finish(transaction, "done")
        self.assertEqual(self.cotisation.state, "active")

    def test_wrong_token(self):
        with mute_logger("odoo.http"), self.assertRaises(JsonRpcException):
            self._start_transaction(token="wrong")

    def test_void_takes_no_money(self):
        self.cotisation.action_cancel()
        page = self._open(self.notice.access_token).text
        self.assertIn("no longer valid", page)
        self.assertNotIn('id="o_payment_form"', page)
        for route in (None, f"/invoice/transaction/{self.notice.id}"):
            with mute_logger("odoo.http"), self.assertRaises(JsonRpcException):
                self._start_transaction(route=route)
        self.assertFalse(self.notice.transaction_ids)

    def test_invoiced_is_paid_as_an_invoice(self):
        self.notice.action_post()
        with mute_logger("odoo.http"), self.assertRaises(JsonRpcException):
            self._start_transaction()
        page = self._open(self.notice.access_token).text
        self.assertIn("is now the invoice", page)

    def test_paid_after_it_became_void(self):
        """The payer was on the page of the provider meanwhile: no money is lost, and the
        staff is told."""
        transaction = self._start_transaction()
        self.cotisation.action_cancel()
        self._finish(transaction, "done")
        self.assertEqual(self.notice.state, "cancel")
        self.assertEqual(self.cotisation.state, "cancelled")
        self.assertEqual(transaction.payment_id.amount, 345.0)
        self.assertFalse(transaction.payment_id.is_reconciled)
        self.assertIn("is cancelled", self.notice.activity_ids.summary)
        self.assertEqual(self.notice.activity_ids.user_id, self.officer)

    # ------------------------------------------------------------------
    # The page of the renewal
    # ------------------------------------------------------------------

    def test_renewal_page_leads_to_the_fee_notice(self):
        renewal = self._renewal_in("sent")
        renewal.action_approve()
        page = self.url_open(renewal.sudo().get_portal_url()).text
        self.assertIn(renewal.sudo().invoice_id.membri_fee_notice_name, page)
        self.assertIn(f"/my/fee-notices/{renewal.invoice_id.id}?access_token=", page)
        self.assertIn("Pay Now", page)
        self.assertNotIn("/my/invoices/", page)


@tagged("post_install", "-at_install")
class TestFeeNoticeTour(FeeNoticePortalCase):
    browser_size = "375x667"
    touch_enabled = True

    def test_pay_on_the_phone(self):
        self.start_tour(self._url(self.notice.access_token), "membri_fee_notice_pay")
        self.env.invalidate_all()
        self.assertEqual(self.notice.state, "posted")
        self.assertEqual(self.notice.amount_residual, 0.0)
        self.assertEqual(self.cotisation.state, "active")
