from odoo.tests import tagged

from .common_whose import WhoseCase


@tagged("post_install", "-at_install")
class TestSharedInvoiceLinks(WhoseCase):
    """Members of an invoice of several do not get its token: it tells of the others. Their
    payer does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parent = cls._create_member("Pat Parent", membri_group_invoices=True)
        cls.kim = cls._create_member("Kim Kid", parent_id=cls.parent.id)
        cls.lou = cls._create_member("Lou Kid", parent_id=cls.parent.id)
        cls._create_portal_user("parent_user", cls.parent)
        cls._create_portal_user("kim_user", cls.kim)
        cls._create_portal_user("lou_user", cls.lou)
        cls.lou.email = False  # asked by way of the payer
        cls.renewals = cls._send_renewal(cls.kim) + cls._send_renewal(cls.lou)
        cls.renewals.action_approve()
        cls.invoice_sudo = cls.renewals.invoice_id.sudo()
        cls.invoice_sudo.ensure_one()

    def _shows_token(self, renewal, login, token=None):
        self._sign_in(login)
        response = self._open(renewal, token)
        self.assertEqual(response.status_code, 200)
        self.assertIn("membri_status", response.text)
        return self.invoice_sudo.access_token in response.text

    def test_pages(self):
        of_kim, of_lou = self.renewals
        self.assertEqual(of_kim.recipient_id, self.kim)
        self.assertEqual(of_lou.recipient_id, self.parent)
        self.assertTrue(self.invoice_sudo.access_token)
        self.assertFalse(self._shows_token(of_kim, "kim_user"))
        self.assertFalse(self._shows_token(of_kim, None, of_kim.sudo().access_token))
        self.assertFalse(self._shows_token(of_lou, "lou_user"), "received by the payer")
        for renewal in self.renewals:
            self.assertTrue(self._shows_token(renewal, "parent_user"))
        self.assertTrue(self._shows_token(of_lou, None, of_lou.sudo().access_token))

    def test_other_pages(self):
        for login, own in (("kim_user", False), ("lou_user", False), ("parent_user", True)):
            self._sign_in(login)
            for path in ("/my/membership", "/my/renewals", "/my/invoices"):
                page = self.url_open(path).text
                shown = f"invoices/{self.invoice_sudo.id}" in page
                self.assertEqual(shown, own and path != "/my/renewals", (login, path))
                if not own:
                    self.assertNotIn(self.invoice_sudo.access_token, page)

    def test_link_of_a_former_payer(self):
        """The renewal of one member, sent to who paid for it: once the invoice is addressed to
        somebody else, the page of the renewal leads them to it no more."""
        max_kid = self._create_member("Max Kid", parent_id=self.parent.id)
        max_kid.email = False
        renewal = self._send_renewal(max_kid)
        renewal.action_approve()
        self.assertEqual(renewal.recipient_id, self.parent)
        invoice = renewal.invoice_id.with_env(self.env_account)
        key, token = renewal.sudo().access_token, invoice.sudo().access_token
        self._sign_in(None)
        self.assertIn(token, self._open(renewal, key).text)
        invoice.button_draft()
        invoice.partner_id = max_kid
        invoice.action_post()
        renewed = invoice.sudo().access_token
        self.assertNotEqual(renewed, token)
        page = self._open(renewal, key)
        self.assertNotIn("membri_status", page.text)
        self.assertNotIn(renewed, page.text)
        # who is sent it from now on
        self.assertNotEqual(renewal.sudo().access_token, key)
        self.assertIn(renewed, self._open(renewal, renewal.sudo().access_token).text)

    def test_emails(self):
        """Whatever is written about the renewal of one of them."""
        for renewal in self.renewals:
            link = f'<a href="{self.invoice_sudo.get_base_url()}{self.invoice_sudo.access_url}">'
            for partner, own in ((self.kim, False), (self.lou, False), (self.parent, True)):
                partner.email = f"{partner.id}@example.com"
                mail = self.env["mail.mail"].sudo()
                mail = mail.create(
                    {
                        "model": renewal._name,
                        "res_id": renewal.id,
                        "recipient_ids": partner.ids,
                        "body_html": f"<p>{link}See</a></p>",
                    }
                )
                emails = mail._prepare_outgoing_list()
                mail._membri_insert_keys(emails)
                self.assertTrue(emails)
                for email in emails:
                    self.assertEqual(self.invoice_sudo.access_token in email["body"], own)

    def test_an_employer_gets_no_token_of_a_personal_invoice(self):
        self.personal.action_approve()
        invoice_sudo = self.personal.invoice_id.sudo()
        self.assertEqual(invoice_sudo.commercial_partner_id, self.corporation)
        addresses = invoice_sudo._membri_get_key_addresses()
        self.assertIn(self.member.email_normalized, addresses)
        self.assertNotIn(self.corporation.email_normalized, addresses)
