from email.message import EmailMessage
from types import SimpleNamespace

from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.mail.tests.common import MockEmail

from ..models.doors import typed_address
from .common_whose import WhoseCase


@tagged("post_install", "-at_install")
class TestTypedAddress(WhoseCase, MockEmail):
    """Whoever has a login types any address there: it proves nothing."""

    def _reply(self, address, message):
        """An email from this address that answers ``message``: what it becomes"""
        reply = EmailMessage()
        reply["From"], reply["To"], reply["Subject"] = address, "catchall@example.com", "Re: Yours"
        reply["Message-Id"] = f"<reply.{message.id}@example.com>"
        reply["In-Reply-To"] = reply["References"] = message.message_id
        reply.set_content("Between us: I will leave.")
        record = self.env_root[message.model].browse(message.res_id)
        before = record.message_ids
        self.env_root["mail.thread"].message_process(False, reply.as_string())
        return record.message_ids - before

    def _assert_is_no_author(self, message, user):
        self.assertTrue(message)
        self.assertNotEqual(message.author_id, user.partner_id)
        self.env.flush_all()
        self.env.invalidate_all()
        own = message.with_user(user)
        with self.assertRaises(AccessError):
            own.read(["body"])
        self.assertNotIn(message, own.search([]))

    def test_what_a_member_answers_is_read_by_nobody_who_typed_the_address(self):
        self.member.email = "ada@example.com"
        self.member.user_ids.sudo().action_archive()
        self.personal.action_approve()
        invoice = self.personal.invoice_id
        invoice.sudo().message_post(body="About your invoice")
        self.member.message_post(body="Your statement")
        self.personal.action_send_reminder()
        for login in ("stranger", "colleague", "assistant", "clerk"):
            user = self.logins[login]
            user.with_user(user).write({"email": "Ada <ADA@example.com>"})
            for record in (self.personal, invoice, self.member):
                with self.subTest(login=login, model=record._name):
                    message = record.sudo().message_ids[:1]
                    self._assert_is_no_author(self._reply("ada@example.com", message), user)

    def test_an_address_that_a_visitor_added_is_no_author(self):
        """Nor is a contact that they may change: the answer to it would go where they say."""
        self.member.email = "ada@example.com"
        self.member.user_ids.sudo().action_archive()
        self.corporation.membri_renewal_email = "office@example.com"
        address = {"name": "Ada", "type": "delivery", "parent_id": self.stranger.id}
        stranger = self.stranger_user
        added = self.env["res.partner"].with_user(stranger).sudo().create(address)
        changed = self.env_root["res.partner"].create(address)
        for contact in (added, changed):
            for record, email in (
                (self.personal, "ada@example.com"),
                (self.corporate, "office@example.com"),
            ):
                (added | changed).email = False
                contact.with_user(stranger).sudo().email = email
                message = self._reply(email, record.sudo().message_ids[:1])
                with self.subTest(contact=contact, email=email):
                    self.assertTrue(message)
                    self.assertNotEqual(message.author_id, contact)
        # where it is theirs they are found
        (added | changed).email = False
        added.parent_id = self.corporation
        added.email = "office@example.com"
        message = self._reply("office@example.com", self.corporate.sudo().message_ids[:1])
        self.assertEqual(message.author_id, added)

    def test_who_is_concerned_is_found(self):
        """The person in charge who has a login, a contact of the company, and who has none."""
        self.member.membri_responsible_id = self.in_charge
        self.in_charge.email = "percy@example.com"
        self.colleague.email = "carl@example.com"
        self.member.email = "ada@example.com"
        for renewal, contact in (
            (self.personal, self.in_charge),
            (self.personal, self.member),
            (self.corporate, self.colleague),
        ):
            with self.subTest(contact=contact.name):
                message = self._reply(contact.email, renewal.sudo().message_ids[:1])
                self.assertEqual(message.author_id, contact)
        own = self.member
        own.message_post(body="Your statement")
        message = self._reply("ada@example.com", own.sudo().message_ids[:1])
        self.assertEqual(message.author_id, own)

    def test_nobody_is_the_author_of_what_leaves(self):
        """Notices leave in the name of the organization, where nobody is its officer: a login of
        its address was their author, and read them all."""
        self.company.sudo().membri_officer_id = False
        self.company.sudo().email = "office@association.example"
        template = self.env.ref("membri_renewal.mail_template_notice").sudo()
        template.email_from = template.reply_to = "{{ object.company_id.email_formatted }}"
        # a member, too, whose own notice leaves first
        for user in (self.stranger_user, self.member_user):
            user.with_user(user).write({"email": "office@association.example"})
        other = self._create_renewal(self._create_cotisation(self.in_charge, "2026-01-01"))
        mine = self._create_renewal(self._create_cotisation(self.stranger, "2026-01-01"))
        (mine | other).action_send()
        for renewal in mine | other:
            message = renewal.sudo().message_ids.filtered("mail_ids")[:1]
            self.assertIn("office@association.example", message.email_from)
            for user in (self.stranger_user, self.member_user):
                if user.partner_id in message.partner_ids:  # their own
                    self.assertNotEqual(message.author_id, user.partner_id)
                else:
                    self._assert_is_no_author(message, user)

    def test_an_address_that_a_visitor_added_is_not_the_author_of_what_leaves(self):
        self.company.sudo().membri_officer_id = False
        template = self.env.ref("membri_renewal.mail_template_notice").sudo()
        template.email_from = template.reply_to = "letters@association.example"
        # of a company that is a member, whose own notice leaves first
        added = self.env["res.partner"].with_user(self.logins["clerk"]).sudo()
        added = added.create({"name": "Letters", "type": "other", "parent_id": self.branch.id})
        added.email = "letters@association.example"
        mine = self._create_renewal(self._create_cotisation(self.branch, "2026-01-01"))
        other = self._create_renewal(self._create_cotisation(self.in_charge, "2026-01-01"))
        (mine | other).action_send()
        for renewal in mine | other:
            message = renewal.sudo().message_ids.filtered("mail_ids")[:1]
            with self.subTest(renewal=renewal):
                self.assertIn("letters@association.example", message.email_from)
                self.assertNotEqual(message.author_id, added)

    def test_nobody_stops_the_emails_of_others(self):
        """Whoever deletes the own login closes the address that is typed there to all emails. A
        member's had been typed by a stranger, and the notices went elsewhere."""
        Blacklist = self.env_root["mail.blacklist"]

        def leave(login, email):
            partner = self._create_member(login, email=f"{login}@example.com")
            user = self._create_portal_user(login, partner)
            user.with_user(user).write({"email": email})
            user.with_user(user).sudo()._deactivate_portal_user(request_blacklist="1")
            self.assertFalse(user.active)
            self.assertFalse(partner.active)
            return partner

        self.member.email = "ada@example.com"
        self.in_charge.email = "percy@example.com"
        self.corporation.membri_renewal_email = "Office@Example.com"
        self.member.membri_responsible_id = self.in_charge
        for number, email in enumerate(
            ("ada@example.com", "Ada <ADA@example.com>", "percy@example.com", "office@example.com")
        ):
            with self.subTest(email=email):
                gone = leave(f"leaver{number}", email)
                self.assertFalse(Blacklist.search([]))
                self.assertIn("not stopped", gone.sudo().message_ids.mapped("body")[0])
        self.assertFalse(self.member._membri_get_unreachable_reason())
        # one's own address is, a member's too
        leave("leaver", "leaver.own@example.com")
        self.stranger.write({"email": "sam@example.com", "membri_renewal_email": "sam@example.com"})
        self._create_cotisation(self.stranger, "2026-01-01")
        sam = self.stranger_user
        sam.with_user(sam).sudo()._deactivate_portal_user(request_blacklist="1")
        self.assertEqual(
            set(Blacklist.search([]).mapped("email")),
            {"leaver.own@example.com", "sam@example.com"},
        )

    def test_nobody_closes_or_opens_the_address_of_others_by_their_account(self):
        """As Odoo's email marketing does it, where it is installed (``/mailing/my``)."""
        self.member.email = "ada@example.com"
        user = self.stranger_user
        user.with_user(user).write({"email": "Ada <ADA@example.com>"})
        Blacklist_sudo = self.env["mail.blacklist"].with_user(user).sudo()
        self.assertFalse(Blacklist_sudo._add("ada@example.com", message="From the portal"))
        self.assertFalse(self.env_root["mail.blacklist"].search([]))
        self.assertFalse(self.member._membri_get_unreachable_reason())
        self.assertIn("not stopped", user.partner_id.sudo().message_ids[0].body)
        # the member does; nobody else opens it again
        public = self.env_root.ref("base.public_user")
        self.env["mail.blacklist"].with_user(public).sudo()._add("ada@example.com")  # by a link
        Blacklist_sudo._remove("ada@example.com")
        self.assertEqual(
            self.env_root["mail.blacklist"].search([]).mapped("email"), ["ada@example.com"]
        )
        own = self.member_user
        own_blacklist_sudo = self.env["mail.blacklist"].with_user(own).sudo()
        user.with_user(user).write({"email": "sam@example.com"})
        own_blacklist_sudo._remove("ada@example.com")
        self.assertFalse(self.env_root["mail.blacklist"].search([]))
        own_blacklist_sudo._add("ada@example.com")
        self.assertTrue(self.env_root["mail.blacklist"].search([]))

    def test_who_has_the_emails_stops_them_signed_in_or_not(self):
        """By the link in a mailing, which proves that one has it: who was signed in was told that
        it is done, and nothing was."""
        email = "ada@example.com"
        self.member.email = email
        user = self.stranger_user
        user.with_user(user).write({"email": email})
        Blacklist_sudo = self.env["mail.blacklist"].with_user(user).sudo()
        mailing_id, number = 1, self.member.id
        if "mailing.mailing" in self.env:
            model = self.env["ir.model"].sudo()._get_id("res.partner")
            mailing = self.env_root["mailing.mailing"].create(
                {"subject": "x", "mailing_model_id": model}
            )
            mailing_id = mailing.id
        else:
            self.patch(
                self.env.registry["mail.blacklist"],
                "_membri_get_mailing_token",
                lambda blacklist, *args: repr(args),
            )
        token = Blacklist_sudo._membri_get_mailing_token(mailing_id, number, email)
        link = {"document_id": str(number), "email": email, "hash_token": token}
        link["mailing_id"] = mailing_id
        request = SimpleNamespace(params={})
        self.patch(typed_address, "request", request)
        for wrong in (
            {"hash_token": None},
            {"hash_token": "x"},
            {"hash_token": [token]},
            {"document_id": number + 1},
            {"document_id": None},
            {"mailing_id": "x"},
            {"email": "sam@example.com"},
            {"email": None},
            {"email": [email]},
        ):
            request.params = {**link, **wrong}
            with self.subTest(wrong=wrong):
                self.assertFalse(Blacklist_sudo._add(email))
        request.params = link
        self.assertTrue(Blacklist_sudo._add(email))
        self.assertEqual(self.env_root["mail.blacklist"].search([]).mapped("email"), [email])
