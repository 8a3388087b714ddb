import json

from odoo import http
from odoo.tests import Form, JsonRpcException, tagged

from .common_whose import WhoseCase


@tagged("post_install", "-at_install")
class TestA4PortalAddresses(WhoseCase):
    """Odoo lets each portal user of a company add addresses to it, change them and archive them:
    none of that makes them the payer of others, nor the place where others are asked."""

    ADDRESS = {
        "name": "Evil Billing",
        "email": "evil@evil.example",
        "phone": "514 555-0199",
        "street": "1 Evil Street",
        "city": "Montréal",
        "zip": "H2X 1Y4",
    }

    def _submit(self, login, partner=None, **vals):
        self._sign_in(login)
        canada = self.env.ref("base.ca")
        data = {
            **self.ADDRESS,
            "country_id": canada.id,
            "state_id": self.env.ref("base.state_ca_qc").id,
            "address_type": "billing",
            "csrf_token": http.Request.csrf_token(self),
            **vals,
        }
        if partner:
            data["partner_id"] = partner.id
        self.env.flush_all()
        response = self.url_open("/my/address/submit", data=data)
        self.env.invalidate_all()
        return response

    def _add(self, login, **vals):
        response = self._submit(login, **vals)
        self.assertTrue(json.loads(response.text).get("redirectUrl"), response.text)
        return self.env["res.partner"].search([("email", "=", self.ADDRESS["email"])])

    def _get_payers(self):
        members = self.member + self.colleague + self.corporation + self.accounts
        return [member._membri_get_payer() for member in members]

    def test_a4_added_address_pays_for_nobody(self):
        members = [self.member, self.colleague, self.corporation, self.accounts]
        self.assertEqual(self._get_payers(), members)
        address = self._add("colleague_user")
        self.assertEqual((address.parent_id, address.type), (self.corporation, "invoice"))
        self.assertTrue(address.membri_address_unconfirmed)
        self.assertEqual(self._get_payers(), members)
        self._assert_owners(self.personal, {"member"})
        payers = (self.member + self.colleague)._membri_get_payers()
        self.assertEqual(payers, {self.member: self.member, self.colleague: self.colleague})
        self.personal.action_approve()
        self.assertEqual(self.personal.invoice_id.partner_id, self.member)
        # nobody is left whom the address could be traced to
        self.colleague_user.sudo().unlink()
        self.env.invalidate_all()
        self.assertEqual(self._get_payers(), members)

    def test_a4_added_by_the_login_of_the_company(self):
        """Its own affair, and not that of its people."""
        address = self._add("corporation_user")
        self.assertEqual(self.corporation._membri_get_payer(), address)
        self.assertEqual(self.member._membri_get_payer(), self.member)
        self._assert_owners(self.personal, {"member"})

    def test_a4_added_for_oneself(self):
        """Who belongs to nobody is invoiced where they say."""
        address = self._add("stranger_user")
        self.assertEqual(address.parent_id, self.stranger)
        self.assertEqual(self.stranger._membri_get_payer(), address)
        child = self._create_member("Kim Kid", parent_id=self.stranger.id)
        self.assertEqual(child._membri_get_payer(), child)

    def test_a4_named_address_stays(self):
        """An address of the staff's is found behind one of the portal's."""
        self.accounts.type = "invoice"
        address = self._add("colleague_user", name="A First One")
        self.assertEqual(
            self.env["res.partner"].browse(self.member.address_get(["invoice"])["invoice"]),
            address,
        )
        self.assertEqual(self.member._membri_get_payer(), self.accounts)
        self.corporation.membri_group_invoices = True
        self.assertEqual(self.member._membri_get_payer(), self.accounts)
        self.accounts.type = "contact"
        self.assertEqual(self.member._membri_get_payer(), self.corporation)

    def test_a4_officer_confirms(self):
        address = self._add("colleague_user").with_user(self.officer)
        with Form(address) as form:
            form.membri_address_unconfirmed = False
        self.assertEqual(self.member._membri_get_payer(), address)
        address.with_user(self.officer).copy()
        self.assertEqual(self.member._membri_get_payer(), address)
        # and from now on, its maker does not change it
        before = address.sudo().read(["name", "email", "active"])
        response = self._submit("colleague_user", address, email="other@evil.example")
        self.assertEqual(response.status_code, 403)
        self.assertEqual(address.sudo().read(["name", "email", "active"]), before)

    def test_a4_addresses_of_others_are_not_changed(self):
        """Neither who pays, nor who is a member or in charge of one, whatever their type."""
        self.accounts.type = "invoice"
        contacts = self.accounts
        contacts += self._create_member("Otto Other", parent_id=self.corporation.id, type="other")
        self._create_cotisation(contacts[1], "2026-01-01")
        contacts += self._create_member("Dee Livery", parent_id=self.corporation.id, type="other")
        self.stranger.membri_responsible_id = contacts[2]
        idle = self._create_member("Ida Idle", parent_id=self.corporation.id, type="other")
        for contact in contacts:
            with self.subTest(contact=contact.name):
                before = contact.read(["name", "email", "street", "active"])
                response = self._submit("colleague_user", contact)
                self.assertEqual(response.status_code, 403)
                with self.assertRaises(JsonRpcException):
                    self.make_jsonrpc_request("/my/address/archive", {"partner_id": contact.id})
                self.env.invalidate_all()
                self.assertEqual(contact.read(["name", "email", "street", "active"]), before)
        self.assertEqual(self._submit("colleague_user", idle).status_code, 200)
        self.assertEqual(idle.email, self.ADDRESS["email"], "as in Odoo")
        # who handles the invoices changes its own address
        self.assertEqual(self._submit("accounts_user", self.accounts).status_code, 200)
        self.assertEqual(self.accounts.email, self.ADDRESS["email"])

    def test_a4_company_is_renamed_by_its_contacts(self):
        """Odoo gives the company the name that is typed in the form of any contact below it, and
        checks nothing if the browser says so."""
        self.corporation.vat = "BE0477472701"
        before = self.corporation.read(["name", "vat"])
        for partner in (self.assistant, None):
            for more in ({}, {"verify_address_values": ""}):
                with self.subTest(partner=partner, more=more):
                    response = self._submit(
                        "assistant_user", partner, company_name="Evil", vat="BE0202239951", **more
                    )
                    self.assertIn("messages", json.loads(response.text))
                    self.assertEqual(self.corporation.read(["name", "vat"]), before)
                    response = self._submit("assistant_user", partner, vat="BE0202239951", **more)
                    self.assertEqual(self.corporation.read(["name", "vat"]), before)
        # the form sends the name as it is; a contact of the company may change it, as in Odoo
        same = {"company_name": self.corporation.name}
        response = self._submit("assistant_user", self.assistant, **same)
        self.assertIn("redirectUrl", json.loads(response.text))
        response = self._submit("colleague_user", self.colleague, company_name="Better Name")
        self.assertIn("redirectUrl", json.loads(response.text))
        self.assertEqual(self.corporation.name, "Better Name")

    def test_a4_a_login_is_changed_by_nobody_else(self):
        """Whoever changes the email address of a login resets its password, and acts for the
        company: an assistant of one of its people did."""
        office = self._create_member("Olga Office", parent_id=self.corporation.id, type="delivery")
        user = self._create_portal_user("office_user", office)
        self.logins["office"] = user
        self._assert_owners(
            self.corporate,
            {"member", "colleague", "corporation", "accounts", "office"},
        )
        for login in ("assistant_user", "colleague_user", "corporation_user"):
            for active in (True, False):
                user.active = active
                with self.subTest(login=login, active=active):
                    before = office.read(["name", "email", "active"])
                    response = self._submit(login, office)
                    self.assertEqual(response.status_code, 403)
                    with self.assertRaises(JsonRpcException):
                        self.make_jsonrpc_request("/my/address/archive", {"partner_id": office.id})
                    self.env.invalidate_all()
                    self.assertEqual(office.read(["name", "email", "active"]), before)
        user.active = True
        self.assertEqual(self._submit("office_user", office).status_code, 200)
        self.assertEqual(office.email, self.ADDRESS["email"], "its own")
