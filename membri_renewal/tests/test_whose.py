from odoo import http
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common_whose import WhoseCase


@tagged("post_install", "-at_install")
class TestA4Whose(WhoseCase):
    """A person's membership is that person's, their person in charge's and their payer's; a
    company's is its contacts'."""

    def test_a4_person(self):
        self._assert_owners(self.personal, {"member"})

    def test_a4_company(self):
        self._assert_owners(self.corporate, {"corporation", "member", "colleague", "accounts"})

    def test_a4_branch(self):
        """A company below another one is its own."""
        self._assert_owners(self._send_renewal(self.branch), {"clerk"})

    def test_a4_person_in_charge(self):
        self.member.membri_responsible_id = self.in_charge
        self._assert_owners(self.personal, {"member", "in_charge"})
        self.corporation.membri_responsible_id = self.in_charge
        self._assert_owners(
            self.corporate, {"corporation", "member", "colleague", "accounts", "in_charge"}
        )
        self.member.membri_responsible_id = self.colleague
        self._assert_owners(self.personal, {"member", "colleague"})
        self.member.membri_responsible_id = False
        self._assert_owners(self.personal, {"member"})

    def test_a4_employer_pays(self):
        """Whoever handles its invoices, not all of its people, where somebody is named."""
        self.accounts.type = "invoice"
        self.assertEqual(self.member._membri_get_payer(), self.accounts)
        self._assert_owners(self.personal, {"member", "accounts", "corporation"})
        self.accounts.type = "contact"
        self.corporation.membri_group_invoices = True
        self.assertEqual(self.member._membri_get_payer(), self.corporation)
        self._assert_owners(self.personal, {"member", "colleague", "accounts", "corporation"})
        self.corporation.membri_group_invoices = False
        self._assert_owners(self.personal, {"member"})

    def test_a4_archived_addresses_pay_nothing(self):
        accounts = self._create_member("Old Accounts", parent_id=self.corporation.id)
        accounts.write({"type": "invoice", "active": False})
        self.corporation.membri_group_invoices = True
        self._assert_owners(self.personal, {"member", "colleague", "accounts", "corporation"})

    def test_a4_own_billing_address(self):
        home = self._create_member("Ada at Home", parent_id=self.member.id, type="invoice")
        self.logins["home"] = self._create_portal_user("home_user", home)
        self.accounts.type = "invoice"
        self._assert_owners(self.personal, {"member", "home"})

    def test_a4_family(self):
        parent = self._create_member("Pat Parent", membri_group_invoices=True)
        child = self._create_member("Kim Kid", parent_id=parent.id)
        self.logins["parent"] = self._create_portal_user("parent_user", parent)
        self.logins["child"] = self._create_portal_user("child_user", child)
        self._assert_owners(self._send_renewal(child), {"parent", "child"})
        self._assert_owners(self._send_renewal(parent), {"parent"})

    def test_a4_another_employer(self):
        """Asked anew at each query: nothing is kept of who worked where."""
        self.colleague.parent_id = self._create_member("Next Ltd", is_company=True)
        self._assert_owners(self.corporate, {"corporation", "member", "accounts"})
        self.stranger.parent_id = self.corporation
        self._assert_owners(self.corporate, {"corporation", "member", "accounts", "stranger"})
        self._assert_owners(self.personal, {"member"})

    def test_a4_per_organisation(self):
        """Who pays in one organisation sees nothing of another one."""
        other = self._create_other_company("Second Chapter", "UTC")
        option_set = self._create_option_set("Elsewhere", company_id=other.id)
        there = self._create_cotisation(self.member, "2026-01-01", option_set)
        self.corporation.with_company(other).membri_group_invoices = True
        own = self.colleague._membri_get_whose_domain()
        self.assertEqual((there + self.personal.cotisation_id).filtered_domain(own), there)

    def test_a4_siblings_share_a_look_up(self):
        """The people of a large employer cost no query each."""
        self.corporation.membri_group_invoices = True
        people = self.env["res.partner"].create(
            [{"name": f"Bo {n}", "parent_id": self.corporation.id} for n in range(40)]
        )
        for person in people:
            self._create_cotisation(person, "2026-01-01")
        for some in (people[:5], people):
            (people - some).parent_id = False
            self.env.flush_all()
            self.env.invalidate_all()
            with self.assertQueryCount(24):
                domain = self.colleague._membri_get_whose_domain()
            own = self.env["membri.cotisation"].search(domain).partner_id
            self.assertLessEqual(some, own)
            people.parent_id = self.corporation


@tagged("post_install", "-at_install")
class TestA4Invoices(WhoseCase):
    """Odoo shows all invoices of a commercial entity to each of its portal users: those of
    personal memberships it does not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.personal + cls.corporate).action_approve()
        cls.invoice = cls.personal.invoice_id
        cls.ordinary = cls.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": cls.member.id,
                "invoice_line_ids": [Command.create({"name": "Chair", "price_unit": 10.0})],
            }
        )
        cls.ordinary.action_post()

    def _assert_payers(self, invoice, names):
        self.env.flush_all()
        for name, user in self.logins.items():
            with self.subTest(login=name):
                own = name in names
                as_user = invoice.with_user(user).with_context(allowed_company_ids=self.company.ids)
                self.assertEqual(as_user.has_access("read"), own)
                self.assertEqual(bool(as_user.search([("id", "=", invoice.id)])), own)
                self.assertEqual(
                    bool(as_user.invoice_line_ids.search([("move_id", "=", invoice.id)])), own
                )
                domain = user.partner_id._membri_get_portal_invoice_domain()
                self.assertEqual(bool(invoice.sudo().filtered_domain(domain)), own)

    def test_a4_invoice_of_a_person(self):
        self.assertEqual(self.invoice.commercial_partner_id, self.corporation)
        self._assert_payers(self.invoice, {"member"})
        self.member.membri_responsible_id = self.in_charge
        self._assert_payers(self.invoice, {"member", "in_charge"})

    def test_a4_invoice_of_a_company(self):
        self._assert_payers(
            self.corporate.invoice_id, {"corporation", "member", "colleague", "accounts"}
        )

    def test_a4_ordinary_invoices_are_as_in_odoo(self):
        for name, user in self.logins.items():
            own = name not in ("stranger", "in_charge", "clerk")
            with self.subTest(login=name):
                self.assertEqual(self.ordinary.with_user(user).has_access("read"), own)

    def test_a4_invoice_of_several(self):
        """Who is one of several on an invoice reads nothing of the others there; who pays, does."""
        parent = self._create_member("Pat Parent", membri_group_invoices=True)
        children = self.env["res.partner"].create(
            [{"name": name, "parent_id": parent.id} for name in ("Kim Kid", "Lou Kid")]
        )
        self.logins["parent"] = self._create_portal_user("parent_user", parent)
        self.logins["child"] = self._create_portal_user("child_user", children[0])
        renewals = self._send_renewal(children[0]) + self._send_renewal(children[1])
        renewals.action_approve()
        self.assertEqual(len(renewals.invoice_id), 1)
        self._assert_payers(renewals.invoice_id, {"parent"})
        self._assert_owners(renewals[0], {"parent", "child"})

    def test_a4_paid_by_the_employer_once(self):
        """Who paid an invoice sees it; the membership is theirs only as long as they pay."""
        self.corporation.membri_group_invoices = True
        renewal = self._send_renewal(self.colleague)
        renewal.action_approve()
        self.corporation.membri_group_invoices = False
        self._assert_payers(renewal.invoice_id, {"corporation", "colleague", "member", "accounts"})
        self._assert_owners(renewal, {"colleague"})

    def test_a4_pages_of_odoo(self):
        for login, own in (("member_user", True), ("colleague_user", False)):
            self._sign_in(login)
            page = self.url_open("/my/invoices").text
            self.assertEqual(f"/my/invoices/{self.invoice.id}" in page, own)
            self.assertIn(f"/my/invoices/{self.ordinary.id}", page)
            response = self.url_open(f"/my/invoices/{self.invoice.id}", allow_redirects=False)
            self.assertEqual(response.status_code, 200 if own else 303)

    def test_a4_rpc(self):
        self._sign_in("colleague_user")
        found = self.make_jsonrpc_request(
            "/web/dataset/call_kw",
            {
                "model": "account.move",
                "method": "search_read",
                "args": [[("membri_invoice_type", "!=", False)], ["partner_id"]],
                "kwargs": {},
            },
        )
        self.assertEqual({row["id"] for row in found}, set(self.corporate.invoice_id.ids))
        with self.assertRaises(AccessError):
            self.invoice.line_ids.with_user(self.colleague_user).read(["name"])


@tagged("post_install", "-at_install")
class TestA4Portal(WhoseCase):
    """The pages and the answers ask the same."""

    def test_a4_answers(self):
        for answer in ("accept", "request_change", "decline", "call"):
            for login in ("colleague_user", "assistant_user", "clerk_user", "stranger_user"):
                with self.subTest(answer=answer, login=login):
                    self._sign_in(login)
                    before = self._snapshot(self.personal)
                    self._assert_turned_away(self._answer(self.personal, answer))
                    self.assertEqual(self._snapshot(self.personal), before)
        self.member.membri_responsible_id = self.in_charge
        self._sign_in("in_charge_user")
        self.assertFalse(self._get_error(self._answer(self.personal, "request_change")))
        self._sign_in("colleague_user")
        self.assertFalse(self._get_error(self._answer(self.corporate, "accept")))
        self.assertEqual(
            (self.personal.state, self.corporate.state), ("change_requested", "approved")
        )

    def test_a4_lists_and_counters(self):
        self.accounts.type = "invoice"
        for login, renewals in (
            ("member_user", self.personal + self.corporate),
            ("colleague_user", self.corporate),
            ("accounts_user", self.personal + self.corporate),
            ("stranger_user", self.personal.browse()),
        ):
            with self.subTest(login=login):
                self._sign_in(login)
                counters = self.make_jsonrpc_request(
                    "/my/counters",
                    {
                        "counters": [
                            "renewal_count",
                            "renewal_to_answer_count",
                            "membership_count",
                        ]
                    },
                )
                self.assertEqual(set(counters.values()), {len(renewals)})
                for path in ("/my/renewals", "/my/membership"):
                    page = self.url_open(path).text
                    for renewal in self.personal + self.corporate:
                        shown = f"/my/renewals/{renewal.id}" in page
                        self.assertEqual(shown, renewal in renewals, path)

    def test_a4_my_membership(self):
        """Card, attestation, and the request for another person in charge."""
        today = self.company._membri_today()
        term = self.personal.cotisation_id
        self.assertTrue(term.date_start <= today <= term.date_end)
        self._sign_in("colleague_user")
        for document in ("card", "attestation"):
            path = f"/my/membership/{term.id}/{document}"
            response = self.url_open(path, allow_redirects=False)
            self.assertEqual(response.status_code, 303)
        before = self._get_stored(self.member)
        self._post_person(term)
        self.assertEqual(self._get_stored(self.member), before)
        self.assertFalse(self.member.activity_ids)
        self.member.membri_responsible_id = self.in_charge
        self._sign_in("in_charge_user")
        response = self.url_open(f"/my/membership/{term.id}/card", allow_redirects=False)
        self.assertEqual(response.headers["Content-Type"], "application/pdf")
        self._post_person(term)
        self.assertTrue(self.member.activity_ids)

    def _post_person(self, term):
        data = {"name": "Paula", "csrf_token": http.Request.csrf_token(self)}
        self.url_open(f"/my/membership/{term.id}/person", data=data, allow_redirects=False)
        self.env.invalidate_all()

    def test_a4_fee_notices(self):
        self.company.membri_fee_notice = True
        self.personal.action_approve()
        notice = self.personal.invoice_id
        self.assertEqual(notice.membri_fee_notice_state, "open")
        for login, own in (("member_user", True), ("colleague_user", False)):
            self._sign_in(login)
            counters = self.make_jsonrpc_request("/my/counters", {"counters": ["fee_notice_count"]})
            self.assertEqual(counters["fee_notice_count"], int(own))
            self.assertEqual(
                notice.membri_fee_notice_name in self.url_open("/my/fee-notices").text, own
            )
            response = self.url_open(f"/my/fee-notices/{notice.id}", allow_redirects=False)
            self.assertEqual(response.status_code, 200 if own else 303)

    def test_a4_mails_and_chatter(self):
        """The new employer of a member reads nothing of what the member is sent."""
        self.member.email = False
        self.personal.action_send()
        mails = self.env["mail.mail"].sudo().search([("model", "=", "membri.renewal")])
        mails = mails.filtered(lambda mail: mail.res_id == self.personal.id)
        self.assertTrue(mails)
        self.assertNotIn(self.corporation, mails.recipient_ids)
        for message in self.corporation.message_ids:
            self.assertNotIn(self.personal.name, message.body)
            self.assertFalse(
                message.attachment_ids.filtered(lambda a: a.res_id == self.personal.id)
            )
        self.assertIn(self.corporate.name, "".join(self.corporation.message_ids.mapped("body")))
