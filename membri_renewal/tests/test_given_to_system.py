from types import SimpleNamespace
from unittest.mock import patch

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.doors.given import check_given_to_system
from .common_portal import PortalCase

LOGGERS = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
REQUEST = "odoo.addons.membri_renewal.models.doors.typed_contact.request"


@tagged("post_install", "-at_install")
class TestGivenToSystem(PortalCase):
    """Odoo makes records as the system with what somebody else gave: values that are kept for an
    email to come, what a visitor typed in a form, what an email says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.renewal, cls.invoice = cls._send_one_and_accept_one()
        cls.admin = cls.env_root.ref("base.user_admin")

    def _create_alias(self, user, model, defaults):
        # as Odoo does for who manages a project, a team, a job or a journal
        return (
            self.env["mail.alias"]
            .with_user(user)
            .sudo()
            .create(
                {
                    "alias_name": "x",
                    "alias_model_id": self.env["ir.model"].sudo()._get_id(model),
                    "alias_defaults": repr(defaults),
                }
            )
        )

    @mute_logger(*LOGGERS)
    def test_an_address_keeps_no_values_for_other_records(self):
        """By an email to it, who manages a project gave themselves any right, and changed the
        phone of any member."""
        member, login = self.member.id, self.member_user.id
        tag = self.env_root["res.partner.category"].create({"name": "x"})
        refused = (
            ("res.partner", {"child_ids": [(1, member, {"phone": "1"})]}),
            ("res.partner", {"child_ids": [(4, member)]}),
            ("res.partner", {"user_ids": [(1, login, {"password": "x"})]}),
            ("res.partner", {"category_id": [(1, tag.id, {"name": "y"})]}),
            ("res.partner", {"category_id": [(0, 0, {"partner_ids": [(4, member)]})]}),
            ("res.partner", {"message_ids": [(6, 0, self.renewal.sudo().message_ids.ids)]}),
            ("res.partner", {"parent_id": member}),
            ("res.partner", {"parent_id": str(member)}),
            ("account.move", {"reversed_entry_id": self.invoice.id}),
            ("account.move", {"membri_invoice_type": "out_invoice"}),
            ("account.move", {"partner_id": member}),
        )
        for user in (self.employee, self.auditor):
            for model, defaults in refused:
                with self.subTest(user=user.login, defaults=defaults):
                    with self.assertRaises(UserError):
                        self._create_alias(user, model, defaults)
        plain = {"name": "x", "category_id": [(6, 0, tag.ids)], "comment": "<p>x</p>"}
        alias = self._create_alias(self.employee, "res.partner", plain)
        with self.assertRaises(AccessError):
            alias.alias_defaults = repr(refused[0][1])
        alias.unlink()
        # who may write the member names them, and an administrator writes what they like
        self._create_alias(self.admin, "res.partner", refused[0][1]).unlink()
        self.assertTrue(self._create_alias(self.officer, "account.move", {"partner_id": member}))

    @mute_logger(*LOGGERS)
    def test_a_message_of_a_list_holds_own_files(self):
        """Odoo's mailing lists: any employee had any file of the database published there, and
        changed it."""
        file = self.env_root["ir.attachment"].create(
            {"name": "x", "res_model": "membri.renewal", "res_id": self.renewal.id}
        )
        messages = self.env["mail.message"].with_user(self.employee)
        own = self.env["ir.attachment"].with_user(self.employee).create({"name": "x"})
        for command in (
            Command.link(file.id),
            Command.set(file.ids),
            file.id,
            Command.update(own.id, {"public": True}),
            Command.create({"name": "x", "res_model": "membri.renewal", "res_id": 1}),
        ):
            with self.subTest(command=command), self.assertRaises(AccessError):
                check_given_to_system(messages, {"attachment_ids": [command]})
        with self.assertRaises(AccessError):
            check_given_to_system(messages, {"author_id": self.member.id})
        with self.assertRaises(AccessError):
            parent = self.renewal.sudo().message_ids[:1]
            check_given_to_system(messages, {"parent_id": parent.id})
        check_given_to_system(
            messages,
            {
                "attachment_ids": [Command.link(own.id)],
                "author_id": self.employee.partner_id.id,
                "subject": "x",
            },
        )

    def _as_visitor(self, user):
        """Odoo's forms of the website work as the superuser, whoever fills them in."""
        return patch(REQUEST, SimpleNamespace(env=self.env(user=user)))

    def test_a_visitor_renames_nobody(self):
        """Who applied for a job by the email of a member gave the member another name and phone."""
        member, company = self.member.sudo(), self.company.sudo().partner_id
        stranger = self.env_root["res.partner"].create({"name": "Stranger"})
        typed = {"name": "Typed", "phone": "+1 999"}
        known = member | company | self.officer.sudo().partner_id
        before = known.mapped(lambda contact: (contact.name, contact.phone, contact.email))
        contacts = (known | stranger).with_user(SUPERUSER_ID)
        for visitor in (self.env_root.ref("base.public_user"), self.stranger_user):
            with self.subTest(visitor=visitor.login), self._as_visitor(visitor):
                for contact in contacts:
                    contact.write({**typed, "function": "x"})
                    contact.email = "typed@example.com"
                after = known.mapped(lambda contact: (contact.name, contact.phone, contact.email))
                self.assertEqual(after, before)
        self.assertEqual(set(known.mapped("function")), {"x"})
        self.assertEqual((stranger.name, stranger.email), ("Typed", "typed@example.com"))
        # in a request of the staff, and outside of any
        with self._as_visitor(self.officer):
            member.with_user(SUPERUSER_ID).phone = "+1 111"
        self.assertEqual(member.phone, "+1 111")
        member.with_user(SUPERUSER_ID).phone = "+1 222"
        self.assertEqual(member.phone, "+1 222")

    def test_who_was_typed_is_nobody(self):
        """A contact that a form of the website made had the system as its creator: an import took
        it for the member of that name, and the notice went to the address that was typed."""
        contacts = self.env["res.partner"].with_user(SUPERUSER_ID)
        public = self.env_root.ref("base.public_user")
        with self._as_visitor(public):
            made = contacts.create({"name": "Typed", "email": "typed@example.com"})
        self.assertEqual(made.create_uid, public)
        self.assertEqual(made.env.uid, SUPERUSER_ID)
        self.assertEqual(made._membri_filter_self_made(), made)
        self.assertFalse(contacts.create({"name": "x"})._membri_filter_self_made())

    def test_an_email_renames_nobody(self):
        """The same by an email, which says any name and address of whoever sent it."""
        gateway = self.env["mail.thread"].with_user(SUPERUSER_ID)
        email = (
            "From: Typed <{0}>\nTo: x@example.com\nSubject: Typed {0}\n"
            "Message-Id: <{0}@example.com>\nContent-Type: text/plain\n\nx\n"
        )
        number = gateway.message_process("res.partner", email.format("typed@example.com"))
        made = self.env_root["res.partner"].browse(number)
        self.assertEqual(made.create_uid, self.env_root.ref("base.public_user"))
        self.assertEqual(made._membri_filter_self_made(), made)
        before = self.member.sudo().phone
        cls = self.env.registry["res.partner"]

        def message_new(contacts, msg_dict, custom_values=None):
            contacts.browse(self.member.id).write({"phone": "+1 999"})
            return made.with_env(contacts.env)

        with patch.object(cls, "message_new", message_new):
            gateway.message_process("res.partner", email.format("again@example.com"))
        self.assertEqual(self.member.sudo().phone, before)
