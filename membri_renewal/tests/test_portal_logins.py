from contextlib import suppress

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from odoo.addons.mail.tests.common import MockEmail

from .common_whose import WhoseCase

# how Odoo is built, which tells of nobody
NAMED_FOR_ALL = ("res.groups", "account.report.expression")
TOLD = ("name", "email", "phone", "complete_name", "commercial_company_name", "country_code")


@tagged("post_install", "-at_install")
class TestPortalLogins(WhoseCase, MockEmail):
    """What a login gets by the form of itself, and by what its owner typed there."""

    def _ask(self, user, record, values):
        self.env.invalidate_all()
        spec = {name: {} for name in (*TOLD, *values)}
        return record.with_user(user).onchange(values, list(values), spec)["value"]

    def test_the_form_of_a_login_tells_of_no_other_contact(self):
        """Anybody who signed up read the name, the email and the phone of all contacts."""
        contact = self.in_charge
        contact.write({"email": "percy@x.example", "phone": "555-0100"})
        line = {"partner_id": contact.id}
        for user in (self.stranger_user, self.logins["assistant"], self.member_user):
            for values in (
                line,
                {"partner_id": {"id": contact.id}},
                {"partner_id": str(contact.id)},
                {"partner_id": float(contact.id)},
                {"parent_id": contact.id},
                {"child_ids": [[4, contact.id]]},
                {"child_ids": [[6, 0, [contact.id]]]},
                {"child_ids": [contact.id]},
                {"child_ids": [[1, contact.id, {"name": "x"}]]},
                {"child_ids": [[0, 0, {"parent_id": contact.id}]]},
                {"user_ids": [[1, user.id, line]]},
                {"partner_id": {"id": user.partner_id.id, "parent_id": contact.id}},
            ):
                with self.subTest(user=user.login, values=values), self.assertRaises(AccessError):
                    self._ask(user, user, values)
        # themselves, and what is theirs already
        own = self.stranger_user
        self.assertNotIn("email", self._ask(own, own, {"partner_id": own.partner_id.id}))
        told = self._ask(own, own, {"name": "Sam", "child_ids": [[5], [5, 0, 0], [6, 0, []]]})
        self.assertEqual(told["complete_name"], "Sam")

    def test_no_form_tells_of_another_login(self):
        """Whatever visitors may make has an author."""
        other = self.member_user.id
        spec = {"create_uid": {"fields": {"display_name": {}}}}
        for model in ("res.users.identitycheck", "res.users.apikeys.description", "ir.filters"):
            for name in ("create_uid", "write_uid"):
                record = self.env[model].with_user(self.stranger_user)
                with self.subTest(model=model, name=name):
                    for values in ({name: other}, {name: {"id": other}}, {name: str(other)}):
                        with self.assertRaises(AccessError):
                            record.onchange(values, [], spec)
                    with self.assertRaises(AccessError):
                        record.with_env(record.env(context={f"default_{name}": other})).onchange(
                            {}, [], spec
                        )
                    self.assertIn("value", record.onchange({}, [], spec))

    def test_no_name_of_what_one_does_not_read(self):
        """Odoo shows the name of the record that an address of its own names, and asks for no right
        to it: whoever had just signed up read the names of all logins."""
        users = (self.stranger_user, self.logins["assistant"], new_test_user(self.env_root, "emp"))
        named = []
        for model in self.env.registry:
            records = self.env[model].with_context(active_test=False)
            if records._abstract or not records._auto or model in NAMED_FOR_ALL:
                continue
            for record in records.sudo().search([], order="id desc", limit=8).sudo(False):
                if model == "res.users" and not record.sudo().share:
                    continue  # employees are named on Odoo's pages
                for user in users:
                    self.env.invalidate_all()
                    asked = record.with_user(user)
                    try:
                        asked.check_access("read")
                    except AccessError:
                        with suppress(AccessError):
                            if asked.display_name not in (False, "", f"{model},{record.id}"):
                                named.append((user.login, record, asked.display_name))
        self.assertFalse(named)

    def test_an_address_names_no_login(self):
        self.authenticate("stranger_user", "stranger_user")
        for user in (self.member_user, self.officer, self.stranger_user):
            name = user != self.member_user and user.name
            told = self.make_jsonrpc_request(
                "/html_editor/link_preview_internal",
                {"preview_url": f"{self.base_url()}/odoo/res.users/{user.id}"},
            )
            self.assertEqual(told["display_name"], name, user.login)
            [told] = self.make_jsonrpc_request(
                "/web/action/load_breadcrumbs",
                {"actions": [{"model": "res.users", "resId": user.id}]},
            )
            self.assertEqual(told["display_name"], name, user.login)

    def test_an_employee_gives_themselves_no_contact_of_another_company(self):
        foreign = self._create_member("Foreign", email="f@foreign.example")
        foreign.company_id = self.env_root["res.company"].create({"name": "Elsewhere"})
        employee = self.officer
        with self.assertRaises(AccessError):
            self._ask(employee, employee, {"partner_id": foreign.id})
        told = self._ask(employee, employee, {"partner_id": self.stranger.id})
        self.assertEqual(told["name"], self.stranger.name)

    def test_a_name_of_several_lines_stops_no_email(self):
        """A form of the portal, a sign-up and RPC take them, and Odoo then fails on each email to
        or from that contact."""
        self.stranger.write({"name": "Eve\r\nBcc: evil@evil.example", "email": "eve@x.example"})
        for vals in (
            {"email_to": self.stranger.email_formatted, "email_from": "a@x.example"},
            {"recipient_ids": [(4, self.stranger.id)], "email_from": "a@x.example"},
            {"email_to": "a@x.example", "email_from": self.stranger.email_formatted},
            {"email_to": "a@x.example", "reply_to": self.stranger.email_formatted},
            {"email_to": "a@x.example", "email_cc": self.stranger.email_formatted},
            {"email_to": "a@x.example", "subject": f"From {self.stranger.name}"},
            {"email_to": "a@x.example", "headers": repr({"X-Member": self.stranger.name})},
        ):
            with self.subTest(vals=vals), self.mock_mail_gateway():
                mail = self.env["mail.mail"].sudo().create({"body_html": "<p>x</p>", **vals})
                mail.auto_delete = False
                mail.send()
                self.assertEqual((mail.state, mail.failure_reason), ("sent", False))
        message = self.env["ir.mail_server"]._build_email__(
            "Eve\r\nBcc: x <eve@x.example>",
            ["a@x.example", "B\nC <b@x.example>"],
            "One\r\nBcc: evil@evil.example",
            "x",
            reply_to="R\rS <r@x.example>",
            headers={"X-Member": "Eve\nBcc: evil@evil.example"},
        )
        self.assertEqual(message["Subject"], "One Bcc: evil@evil.example")
        self.assertEqual(message["X-Member"], "Eve Bcc: evil@evil.example")
        self.assertFalse(message["Bcc"])
        self.assertEqual(len(message["To"].addresses), 2)

    def test_a_language_that_there_is_not(self):
        """One such login, and no letters of several members were printed any more."""
        for user in (self.stranger_user, self.member_user):
            own = user.with_user(user)
            for lang in ("xx_XX", "{{7*7}}", "fr_ZZ"):
                with self.subTest(user=user.login, lang=lang), self.assertRaises(ValidationError):
                    own.write({"lang": lang})
            own.write({"lang": "en_US"})
        self.member.sudo().lang = "xx_XX"  # an import of Odoo's; First Steps tells it

    def test_what_makes_a_login_is_good_for_the_address_that_it_went_to(self):
        """An invitation to a wrong address made a login that answered for the member, after the
        address was corrected."""
        Partner, Users = self.env_root["res.partner"], self.env_root["res.users"]
        invited = self._create_member("Nora Invited", email="wrong@x.example")
        for contact, kind in ((invited, "signup"), (self.member, "reset")):
            with self.subTest(kind=kind):
                contact.email = "wrong@x.example"
                contact.sudo().signup_prepare(signup_type=kind)
                wrong = contact.sudo()._generate_signup_token()
                self.assertEqual(Partner._get_partner_from_token(wrong), contact)
                contact.email = "right@x.example"
                self.assertFalse(Partner._get_partner_from_token(wrong))
                self.env.flush_all()
                page = self.url_open(f"/web/signup?token={wrong}").text
                self.assertNotIn("right@x.example", page)
                with self.assertRaises(UserError):
                    Users.signup({"password": "Nora-Nora-1"}, wrong)
                right = contact.sudo()._generate_signup_token()
                login, _password = Users.signup(
                    {"login": "right@x.example", "name": contact.name, "password": "Nora-Nora-1"},
                    right,
                )
                self.assertIn(login, contact.user_ids.mapped("login"))

    def test_addresses_without_what_they_need(self):
        response = self.url_open("/payment/confirmation", allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertEqual(self.url_open("/payment/confirmation?tx_id=1").status_code, 404)

    def test_documents_are_not_kept_by_caches(self):
        self._sign_in("member_user")
        self.env.flush_all()
        term = self.personal.cotisation_id
        response = self.url_open(f"/my/membership/{term.id}/card")
        self.assertEqual(response.headers["Cache-Control"], "no-store, private")
        self.personal.action_approve()
        invoice_url = self.personal.invoice_id.sudo().get_portal_url()
        self.env.flush_all()
        for login in ("member_user", None):
            self._sign_in(login)
            response = self.url_open(invoice_url)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.headers["Cache-Control"], "no-store, private")
            self.assertIn("noindex", response.headers["X-Robots-Tag"])
        # nor are the lists, Odoo's of invoices among them, whose links hold tokens
        self._sign_in("member_user")
        for path in ("/my/renewals", "/my/fee-notices", "/my/invoices", "/my/invoices/page/2"):
            response = self.url_open(path)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.headers["Cache-Control"], "no-store, private", path)
