from functools import partial
from unittest.mock import patch

from odoo import SUPERUSER_ID, http
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from .common_portal import SECRET, ThreadCase


@tagged("post_install", "-at_install")
class TestThreadDoors(ThreadCase):
    """11 A 2: a link opens the page and its answers, and nothing of the thread: by no route of
    Odoo's chatter, with the key, the signature of an email, or signed in as another member."""

    def test_page_shows_the_thread_to_its_readers_only(self):
        """Odoo renders the page as its superuser: who came by the link would see an error there."""
        url = self.invoice.sudo().get_portal_url()
        self.authenticate(None, None)
        self.assertNotIn("invoice_communication", self.url_open(url).text)
        shown = self.invoice.with_user(SUPERUSER_ID)._membri_shows_thread
        self.assertFalse(shown(self.env_root.ref("base.public_user")))
        self.assertTrue(shown(self.env_account.user))

    def _get_proofs(self, record):
        record_sudo = record.sudo()
        partner = record_sudo._mail_get_partners()[record.id][:1]
        return (
            {"token": record_sudo.access_token},
            {"pid": partner.id, "hash": record_sudo._sign_token(partner.id)},
        )

    def _call(self, route, params):
        try:
            return self.make_jsonrpc_request(route, params)
        except JsonRpcException as error:
            return f"refused: {error}"

    def _count(self):
        self.env.flush_all()
        self.env.invalidate_all()
        return [
            self.env_root[model].search_count([])
            for model in (
                "mail.message",
                "ir.attachment",
                "mail.message.reaction",
                "mail.followers",
            )
        ]

    def _get_answers(self, record, proof):
        thread = {"thread_model": record._name, "thread_id": record.id}
        message = record.sudo().message_ids.filtered(lambda m: "Dear member" in m.body)
        yield self._call(
            "/mail/data",
            {
                "fetch_params": [
                    [
                        "mail.thread",
                        {
                            **thread,
                            "access_params": proof,
                            "request_list": [
                                "activities",
                                "attachments",
                                "followers",
                                "suggestedRecipients",
                                "scheduledMessages",
                                "display_name",
                                "contact_fields",
                            ],
                        },
                    ]
                ]
            },
        )
        yield self._call("/mail/message/post", {**thread, "post_data": {"body": "in"}, **proof})
        yield self._call("/mail/chatter_fetch", {**thread, **proof})
        yield self._call("/portal/chatter_init", {**thread, **proof})
        yield self._call("/mail/thread/messages", thread)
        yield self._call("/mail/thread/recipients", thread)
        yield self._call(
            "/mail/message/reaction",
            {"message_id": message.id, "content": "x", "action": "add", **proof},
        )
        yield self._call(
            "/mail/message/update_content",
            {"message_id": message.id, "update_data": {"body": "in"}, **proof},
        )
        response = self.url_open(
            "/mail/attachment/upload",
            data={
                **{key: str(value) for key, value in {**thread, **proof}.items()},
                "csrf_token": http.Request.csrf_token(self),
            },
            files={"ufile": ("in.txt", b"in")},
        )
        yield "refused" if response.status_code >= 400 else response.text

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_a_link_opens_no_thread(self):
        for record in (self.renewal, self.invoice):
            for proof in self._get_proofs(record):
                for login in (None, "stranger_user", "employee"):
                    self._sign_in(login)
                    before = self._count()
                    for number, answer in enumerate(self._get_answers(record, proof)):
                        with self.subTest(record=record, login=login, number=number, proof=proof):
                            self.assertNotIn(SECRET, str(answer))
                            self.assertNotIn("Dear member", str(answer))
                            if not number:
                                self.assertNotIn("officer@example.com", str(answer))
                                self.assertNotIn("raw_access_token", str(answer))
                            self.assertEqual(self._count(), before)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_members_have_the_page_instead(self):
        """Signed in, with their own renewal, or a colleague's."""
        for login in ("member_user", "colleague_user"):
            self._sign_in(login)
            before = self._count()
            for proof in ({}, *self._get_proofs(self.renewal)):
                for number, answer in enumerate(self._get_answers(self.renewal, proof)):
                    with self.subTest(login=login, number=number):
                        self.assertNotIn(SECRET, str(answer))
                        self.assertNotIn("Dear member", str(answer))
                        self.assertEqual(self._count(), before)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_members_read_no_message_or_file_over_rpc(self):
        messages = self.renewal.sudo().message_ids
        attachments = self.env_root["ir.attachment"].search(
            [("res_model", "=", "membri.renewal"), ("res_id", "=", self.renewal.id)]
        )
        self.assertGreater(len(attachments), 1)
        self.env.invalidate_all()
        for user in (self.colleague_user, self.stranger_user):
            self.assertFalse(messages.with_user(user)._filtered_access("read"))
        for user in (self.member_user, self.colleague_user, self.stranger_user):
            for attachment in attachments:
                self.assertFalse(attachment.with_user(user).has_access("read"))
            found = (
                self.env["ir.attachment"].with_user(user).search([("id", "in", attachments.ids)])
            )
            self.assertFalse(found)
        own = messages.with_user(self.member_user)._filtered_access("read")
        for message in own.sudo():
            self.assertIn(self.member, message.notified_partner_ids | message.partner_ids)

    def test_what_contacts_show_of_renewals_is_the_staffs(self):
        """The trace on a contact is a note: the contact's portal users do not read it."""
        trace = self.member.message_ids.filtered(lambda m: self.renewal.name in m.body)
        self.assertTrue(trace)
        for user in (self.member_user, self.colleague_user):
            self.assertTrue(self.member.with_user(user).has_access("read"))
            self.assertFalse(trace.with_user(user)._filtered_access("read"))
        self.assertEqual(trace.with_user(self.employee)._filtered_access("read"), trace)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_what_is_said_of_a_contact_is_not_the_colleagues(self):
        """They see each other as contacts: Odoo shows them what was sent, and opens logs to routes
        that are given their number."""
        self.renewal.cotisation_id.action_terminate(date="2026-12-31", reason=SECRET)
        log = self.member.message_ids.filtered(
            lambda m: SECRET in m.body and m.message_type == "notification"
        )
        self.assertTrue(log)
        sent = self.member.message_post(
            body="Your statement",
            partner_ids=self.member.ids,
            subtype_xmlid="mail.mt_comment",
        )
        self.env.flush_all()
        self.env.invalidate_all()
        for user, reads in (
            (self.colleague_user, self.env["mail.message"]),
            (self.stranger_user, self.env["mail.message"]),
            (self.member_user, sent),
            (self.employee, log | sent),
        ):
            with self.subTest(user=user.login):
                messages = self.env["mail.message"].with_user(user)
                readable = messages.browse((log | sent).ids)._filtered_access("read")
                self.assertEqual(set(readable.ids), set(reads.ids))
                found = messages.search([("id", "in", (log | sent).ids)])
                self.assertEqual(set(found.ids), set(reads.ids))

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_logs_of_an_invoice_are_the_staffs(self):
        """Odoo keeps them from the searches of the payer alone."""
        payer = self._create_portal_user("payer_user", self.invoice.partner_id)
        log = self.invoice._message_log(body=SECRET)
        told = self.invoice.message_ids.filtered(lambda m: "Dear member" in m.body)
        self.env.flush_all()
        self.env.invalidate_all()
        messages = self.env["mail.message"].with_user(payer)
        self.assertFalse(messages.browse(log.ids).has_access("read"))
        self.assertTrue(messages.browse(told.ids).has_access("read"))
        self.assertTrue(log.with_user(self._create_accounting_reader()).has_access("read"))

    def test_staff_keeps_the_chatter(self):
        self._sign_in("officer")
        for record in (self.renewal, self.invoice):
            answer = self._call(
                "/mail/thread/messages", {"thread_model": record._name, "thread_id": record.id}
            )
            self.assertIn(SECRET, str(answer))
            self._call(
                "/mail/message/post",
                {
                    "thread_model": record._name,
                    "thread_id": record.id,
                    "post_data": {"body": "From the officer"},
                },
            )
            self.env.invalidate_all()
            self.assertIn("From the officer", str(record.message_ids.mapped("body")))

    def test_the_email_of_the_chatter_opens_the_page(self):
        """Its button leads to the page, with the key for the member as it leaves."""
        self.renewal.message_post(
            body="Hello", partner_ids=self.member.ids, subtype_xmlid="mail.mt_comment"
        )
        mail = self.env_root["mail.mail"].search(
            [("model", "=", "membri.renewal")], order="id desc", limit=1
        )
        self.assertNotIn("hash=", mail.body_html)
        [email] = mail._prepare_outgoing_list()
        self.assertIn(self.renewal._get_answer_url(), email["body"])

    @mute_logger("odoo.http")
    def test_old_links_of_chatter_emails_open_the_page(self):
        proof = self._get_proofs(self.renewal)[1]
        key = self.renewal.access_token
        self.authenticate(None, None)
        for given, status in ((key, 200), ("0" * 36, 303)):
            response = self.url_open(
                f"/mail/view?model=membri.renewal&res_id={self.renewal.id}&access_token={given}"
                f"&pid={proof['pid']}&hash={proof['hash']}",
                allow_redirects=False,
            )
            self.assertEqual(
                f"/my/renewals/{self.renewal.id}?" in response.headers["Location"], status == 200
            )
        self._sign_in("member_user")
        response = self.url_open(f"/mail/view?model=membri.renewal&res_id={self.renewal.id}")
        self.assertEqual(response.status_code, 200)
        self.assertTrue(response.url.split("?")[0].endswith(f"/my/renewals/{self.renewal.id}"))
        self.assertNotIn(key, response.url)

    def _create_accounting_reader(self):
        return new_test_user(
            self.env_root,
            "accounting_reader",
            "account.group_account_readonly",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )

    def test_who_may_not_write_sends_no_email(self):
        """Odoo lets whoever reads a record send emails about it, by a template or a composer. Ours
        leave in the organization's name, and what becomes of them is recorded."""
        template = self.env.ref("membri_renewal.mail_template_notice")
        of_invoice = self.env.ref("membri_renewal.mail_template_invoice")
        self.renewal._internal_write({"delivery_state": "failed"})
        fields = {
            self.renewal: ("delivery_state", "delivery_note", "date_sent"),
            self.invoice: ("membri_date_sent", "membri_delivery_state"),
        }
        before = {record: record.sudo().read(fields[record]) for record in fields}
        mails = self.env["mail.mail"].sudo().search_count([])
        subtype = self.env.ref("membri_renewal.mt_notice")
        values = {"email_to": "x@example.com", "subtype_id": subtype.id, "membri_kind": "notice"}
        for login in ("auditor", "accounting_reader"):
            user = self.auditor if login == "auditor" else self._create_accounting_reader()
            for sent, record in ((template, self.renewal), (of_invoice, self.invoice)):
                composer = {
                    "model": record._name,
                    "res_ids": str(record.ids),
                    "composition_mode": "mass_mail",
                    "subject": "Pay here",
                    "body": "<p>x</p>",
                    "subtype_id": subtype.id,
                }
                with self.subTest(user=login, model=record._name):
                    with self.assertRaises(AccessError):
                        sent.with_user(user).send_mail(record.id, True, email_values=values)
                    with self.assertRaises(AccessError):
                        sent.with_user(user).send_mail_batch(record.ids, email_values=values)
                    with self.assertRaises(AccessError):
                        wizard = self.env["mail.compose.message"].with_user(user).create(composer)
                        wizard.action_send_mail()
        with self.assertRaises(AccessError):
            self.invoice.with_user(self.auditor).message_post(body="x")
        # on a contact, rendered for the renewal, or the invoice, of the same number
        window = self.env["mail.compose.message"].with_user(self.auditor)
        window = window.create({"model": "res.partner", "res_ids": str(self.member.ids)})
        self.env.flush_all()
        for sent, record in ((template, self.renewal), (of_invoice, self.invoice)):
            chosen = sent.with_user(self.auditor)
            for send in (window._action_send_mail_comment, window._action_send_mail_mass_mail):
                with (
                    self.subTest(sent=sent.name, send=send.__name__),
                    patch.object(type(window), "template_id", chosen),
                    self.assertRaises(AccessError),
                ):
                    send(record.ids)
        for record in (self.renewal, self.renewal.cotisation_id, self.invoice):
            told = {"partner_ids": self.stranger.ids, "body": "x", "subject": "x"}
            with self.subTest(record=record), self.assertRaises(AccessError):
                record.with_user(self.auditor).message_notify(**told)
            named = {"model": record._name, "res_id": record.id, **told}
            with self.subTest(named=record), self.assertRaises(AccessError):
                self.env["mail.thread"].with_user(self.auditor).message_notify(**named)
        self.env.invalidate_all()
        self.assertEqual({record: record.sudo().read(fields[record]) for record in fields}, before)
        self.assertEqual(self.env["mail.mail"].sudo().search_count([]), mails)
        self.assertTrue(template.with_user(self.officer).send_mail(self.renewal.id))

    def test_statements_are_sent_by_who_writes_invoices(self):
        statement = self.env.ref("membri_renewal.mail_template_statement")
        receipt = (
            self.env["membri.annual.receipt"]
            .sudo()
            .create(
                {
                    "name": "R1",
                    "company_id": self.company.id,
                    "partner_id": self.member.id,
                    "year": 2025,
                }
            )
        )
        of_receipt = self.env.ref("membri_renewal.mail_template_annual_receipt")
        own = statement.sudo().copy({"name": "An own template", "user_id": self.auditor.id})
        values = {"email_to": "x@example.com"}
        for user in (self.auditor, self._create_accounting_reader()):
            for template, record in (
                (statement, self.member),
                (own, self.member),
                (of_receipt, receipt),
            ):
                with self.subTest(template=template.name, user=user.login):
                    self.assertTrue(record.with_user(user).has_access("read"))
                    with self.assertRaises(AccessError):
                        template.with_user(user).send_mail(record.id, email_values=values)
        self.assertTrue(statement.with_user(self.officer).send_mail(self.member.id))
        window = {
            "model": "res.partner",
            "res_ids": str(self.member.ids),
            "template_id": own.id,
        }
        for mode in ("comment", "mass_mail"):
            composer = self.env["mail.compose.message"].with_user(self.auditor)
            composer = composer.create({**window, "composition_mode": mode})
            with self.subTest(mode=mode), self.assertRaises(AccessError):
                composer._action_send_mail()

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_emails_that_are_handed_in(self):
        """Odoo lets any employee do it by RPC, from whomever, for any record, in sudo."""
        forged = (
            f"From: {self.officer.email}\nTo: x@example.com\nMessage-Id: <%s@x>\n"
            f"Subject: {SECRET}\n\n{SECRET} by email"
        )
        term = {
            "partner_id": self.stranger.id,
            "company_id": self.company.id,
            "option_set_id": self.yearly.id,
            "date_start": "2027-01-01",
            "state": "active",
        }
        calls = [
            {"model": "membri.renewal", "thread_id": self.renewal.id},
            {"model": "membri.renewal", "thread_id": str(self.renewal.id)},
            {"model": "account.move", "thread_id": self.invoice.id},
            {"model": "membri.cotisation", "custom_values": term},
            {"model": "res.partner", "custom_values": {"membri_status": "active"}},
            {"model": "account.move", "custom_values": {"membri_invoice_type": "renewal"}},
        ]
        terms = self.env["membri.cotisation"].sudo().search_count([])
        for user in (self.employee, self.auditor):
            for number, call in enumerate(calls):
                with self.subTest(user=user.login, call=call):
                    before = self._count()
                    with self.assertRaises(UserError):
                        message = forged % f"{user.login}{number}"
                        threads = self.env(user=user, context={})["mail.thread"]
                        kwargs = {"message": message, **call}
                        call_kw(threads, "message_process", [], kwargs)
                    self.assertEqual(self._count(), before)
        self.assertEqual(self.env["membri.cotisation"].sudo().search_count([]), terms)
        # nor do officers, for models of Odoo's either: what is made in sudo writes others
        for number, (model, values) in enumerate(
            (
                ("res.partner", {"membri_status": "active"}),
                ("res.partner", {"child_ids": [Command.update(self.stranger.id, {"email": "x"})]}),
                ("product.template", {"name": "x"}),
                ("membri.cotisation", term),
            )
        ):
            with self.subTest(model=model, values=values), self.assertRaises(AccessError):
                self.env["mail.thread"].message_process(
                    model, forged % f"officer{number}", custom_values=values
                )
        made = (
            self.env["mail.thread"]
            .with_context(default_comment="y")
            .message_process("res.partner", forged % "officer_x")
        )
        self.assertFalse(self.env["res.partner"].browse(made).comment)
        self.env["mail.thread"].message_process(
            "membri.renewal", forged % "officer2", thread_id=self.renewal.id
        )
        self.assertIn("by email", str(self.renewal.message_ids.mapped("body")))

    def test_who_may_not_write_schedules_no_message(self):
        """Odoo asks for the right to read an invoice, also to take back what others scheduled."""
        scheduled = self.env["mail.scheduled.message"]
        values = {"body": "x", "scheduled_date": "2030-01-01 00:00:00"}
        for record in (self.renewal, self.invoice):
            of_record = {**values, "model": record._name, "res_id": record.id}
            author = {"author_id": self.officer.partner_id.id}
            waiting = scheduled.with_user(self.officer).create({**of_record, **author})
            for user in (self.employee, self.auditor, self.stranger_user):
                with self.subTest(user=user.login, model=record._name):
                    author = {"author_id": user.partner_id.id}
                    with self.assertRaises(AccessError):
                        scheduled.with_user(user).create({**of_record, **author})
                    for change in ("unlink", "post_message"):
                        with self.assertRaises(UserError):
                            getattr(waiting.with_user(user), change)()
                    with self.assertRaises(AccessError):
                        waiting.with_user(user).write({"body": "y"})
            self.assertTrue(waiting.exists())
            waiting.with_user(self.officer).unlink()
            self.assertFalse(waiting.exists())

    def test_who_posts_does_not_say_that_it_is_the_invoice(self):
        """What is *sent* is known by a mark that no client can put into the context."""
        reader = self._create_accounting_reader()
        self.invoice.sudo().write({"membri_date_sent": False, "membri_delivery_state": False})
        self.env.flush_all()
        for user in (reader, self.officer):
            for mark in ("invoice", ["invoice", False], {"0": "invoice"}):
                call_kw(
                    self.env(user=user, context={})["account.move"],
                    "message_post",
                    [self.invoice.ids],
                    {
                        "body": "x",
                        "outgoing_email_to": "x@example.com",
                        "subtype_xmlid": "mail.mt_comment",
                        "context": {"membri_mail_kind": mark},
                    },
                )
        mails = self.env["mail.mail"].sudo().search([("email_to", "=", "x@example.com")])
        self.assertEqual(len(mails), 6)
        self.assertEqual(set(mails.mapped("membri_kind")), {False})

    def test_notifications_of_renewals(self):
        """Odoo lets every employee read all notifications, with subjects and recipients."""
        west = self._create_other_company("West", "America/Vancouver")
        west_manager = self._create_manager_of(west, "west_manager")
        domain = [("mail_message_id", "in", self.renewal.sudo().message_ids.ids)]
        notifications = self.env["mail.notification"].sudo().search(domain)
        self.assertTrue(notifications)
        other = self.member.sudo().message_post(body="x", partner_ids=self.stranger.ids)
        for user, sees in (
            (self.employee, False),
            (west_manager, False),
            (self.auditor, True),
            (self.officer, True),
        ):
            with self.subTest(user=user.login):
                own = self.env["mail.notification"].with_user(user)
                found = own.with_context(allowed_company_ids=user.company_ids.ids).search(domain)
                self.assertEqual(found.ids, notifications.ids if sees else [])
                self.assertTrue(own.search([("mail_message_id", "=", other.id)]), "as in Odoo")

    def test_notifications_of_notes_on_contacts(self):
        """Their subjects name the organization that a contact is a member of."""
        west = self._create_other_company("West", "America/Vancouver")
        west_manager = self._create_manager_of(west, "west_manager")
        noted = self.member.sudo()._membri_noted_for(self.company)
        message = noted.message_post(body="x", subject="Yours", partner_ids=self.stranger.ids)
        self.assertEqual(message.membri_company_id, self.company)
        of_invoice = self.invoice.sudo().message_post(
            body="x", subject="Pay", partner_ids=self.stranger.ids
        )
        for user, sees_note, sees_invoice in (
            (self.employee, True, False),
            (west_manager, False, False),
            (self.auditor, True, True),
            (self.officer, True, True),
        ):
            with self.subTest(user=user.login):
                own = self.env["mail.notification"].with_user(user)
                own = own.with_context(
                    allowed_company_ids=west.ids if user == west_manager else self.company.ids
                )
                for mail, sees in ((message, sees_note), (of_invoice, sees_invoice)):
                    found = own.search([("mail_message_id", "=", mail.id)])
                    self.assertEqual(bool(found), sees)
                    groups = own.formatted_read_group(
                        [("res_partner_id", "=", self.stranger.id)], ["mail_message_id"], []
                    )
                    told = {group["mail_message_id"][0] for group in groups}
                    self.assertEqual(mail.id in told, sees)

    def test_followers_of_renewals(self):
        """Nor who follows them; readers see those of their own companies."""
        west = self._create_other_company("West", "America/Vancouver")
        west_manager = self._create_manager_of(west, "west_manager")
        self.renewal.message_subscribe(self.member.ids)
        self.member.message_subscribe(self.stranger.ids)
        for user, sees in (
            (self.employee, False),
            (west_manager, False),
            (self.auditor, True),
            (self.officer, True),
        ):
            with self.subTest(user=user.login):
                own = self.env["mail.followers"].with_user(user)
                own = own.with_context(allowed_company_ids=user.company_ids.ids)
                found = own.search([("partner_id", "in", (self.member | self.stranger).ids)])
                names = {"res.partner", "membri.renewal"} if sees else {"res.partner"}
                self.assertEqual(set(found.mapped("res_model")), names)
        followers = self.renewal.with_user(self.auditor).message_follower_ids
        self.assertIn(self.member, followers.partner_id)

    def test_members_follow_nothing_of_the_staffs(self):
        """Followers get what the staff posts by email, whoever it is written to."""
        for record in (self.renewal, self.member, self.colleague, self.corporation):
            for user in (self.member_user, self.colleague_user):
                own = record.with_user(user)
                own.message_subscribe(user.partner_id.ids)
                own.message_subscribe(user.partner_id.ids, self.env.ref("mail.mt_note").ids)
            self.assertFalse(
                record.sudo().message_partner_ids & (self.member | self.colleague), record
            )
        self.renewal.message_subscribe(self.member.ids)
        self.assertIn(self.member, self.renewal.message_partner_ids, "the staff decides")
        self.renewal.with_user(self.auditor).message_subscribe(self.auditor.partner_id.ids)
        self.assertIn(self.auditor.partner_id, self.renewal.message_partner_ids)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_members_search_in_no_messages(self):
        """By the messages of a contact, or of an invoice, Odoo filters without asking for the
        rights to them."""
        self.colleague.sudo()._message_log(body=SECRET)
        payer = self._create_portal_user("payer_user", self.invoice.partner_id)
        self.assertTrue(self.invoice.with_user(payer).has_access("read"))
        self.assertTrue(self.colleague.with_user(self.member_user).has_access("read"))
        for user, model, path in (
            (self.member_user, "res.partner", "message_ids.body"),
            (self.member_user, "res.partner", "website_message_ids.body"),
            (self.member_user, "res.partner", "child_ids.message_ids.body"),
            (payer, "account.move", "message_ids.body"),
            (payer, "account.move", "message_ids.attachment_ids.name"),
            (payer, "account.move.line", "move_id.message_ids.body"),
        ):
            with self.subTest(model=model, path=path), self.assertRaises(AccessError):
                domain = [(path, "ilike", SECRET)]
                call_kw(self.env[model].with_user(user), "search_count", [domain], {})
        domain = [("id", "=", self.colleague.id), ("message_ids.body", "ilike", SECRET)]
        self.assertTrue(self.env["res.partner"].with_user(self.employee).search(domain))

    def _get_messages_about(self, user, record):
        """:return: ``{way: function}`` by which ``user`` makes a message about ``record``"""
        env, own = self.env(user=user.id, context={}), user.partner_id
        about = {"model": record._name, "res_id": record.id, "body": "x"}
        # sent by the user to themselves, about themselves
        parent = env["mail.message"].create(
            {
                "model": own._name,
                "res_id": own.id,
                "message_type": "user_notification",
                "partner_ids": [Command.set(own.ids)],
            }
        )
        ways = {
            "for somebody": {"message_type": "user_notification"},
            "as an answer": {
                "message_type": "comment",
                "parent_id": parent.id,
                "subtype_id": env.ref("mail.mt_comment").id,
            },
        }
        messages = env["mail.message"]
        made = {name: partial(messages.create, {**about, **way}) for name, way in ways.items()}
        if user._is_internal():
            notify = env["mail.thread"].message_notify
            named = {"model": record._name, "res_id": record.id, "body": "x"}
            made["notify"] = partial(notify, partner_ids=own.ids, **named)
        return made

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_messages_are_about_what_their_maker_reads(self):
        """Whoever signed in made a message about any record, read its name (the subject, of
        another message), and posted on any record as the answer to a message of their own."""
        message = self.renewal.message_post(body="x", subject=SECRET)
        email_sudo = self.env["mail.mail"].sudo().create({"subject": SECRET})
        others = self.renewal, self.renewal.cotisation_id, self.invoice, message, email_sudo
        foreigner = self._create_manager_of(
            self._create_other_company("West", "America/Vancouver"), "foreigner"
        )
        for user in (self.employee, foreigner, self.stranger_user):
            for record in (*others, self.renewal.activity_ids[0], self.invoice.line_ids[0]):
                for name, attempt in self._get_messages_about(user, record).items():
                    with self.subTest(user=user.login, record=record, attempt=name):
                        with self.assertRaises(AccessError) as caught:
                            attempt()
                        self.assertNotIn(SECRET, str(caught.exception))

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_who_reads_posts_nothing(self):
        """A message for somebody does not become one of the thread, in a member's name."""
        for user, record in (
            (self.auditor, self.renewal),
            (self.auditor, self.invoice),
            (self.employee, self.member),
        ):
            before = record.sudo().message_ids
            with self.subTest(user=user.login, record=record):
                ways = self._get_messages_about(user, record)
                with self.assertRaises(AccessError):
                    ways["as an answer"]()
                message = ways["for somebody"]()
                self.assertEqual(message.record_name, record.display_name)
                with self.assertRaises(AccessError):
                    message.write({"message_type": "comment"})
                with self.assertRaises(AccessError):  # an answer to one's own message
                    message.copy({"message_type": "comment", "parent_id": message.id})
                self.assertEqual(record.sudo().message_ids, before)
        for record in (self.renewal, self.invoice):  # whoever reads them may follow them
            followed = record.with_user(self.auditor)
            followed.message_subscribe(self.auditor.partner_id.ids)
            with self.subTest(record=record), self.assertRaises(AccessError):
                followed.message_post(body="x")
        # who may post there, as in Odoo; who was asked there answers, and followers
        message = self.renewal.with_user(self.officer).message_post(
            body="Do you know them?", partner_ids=self.auditor.partner_id.ids
        )
        answer = {
            "model": self.renewal._name,
            "res_id": self.renewal.id,
            "message_type": "comment",
            "parent_id": message.id,
        }
        messages = self.env["mail.message"].with_user(self.auditor)
        messages.create(answer)
        with self.assertRaises(AccessError):  # somewhere else
            messages.create({**answer, "model": "account.move", "res_id": self.invoice.id})
        messages = messages.with_user(self.employee)
        self.member.with_user(self.employee).message_subscribe(self.employee.partner_id.ids)
        on_contact = {**answer, "model": "res.partner", "res_id": self.member.id}
        messages.create({**on_contact, "parent_id": False})

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_who_received_a_message_does_not_rewrite_it(self):
        readers = self.employee | self.auditor | self.stranger_user
        for record in (self.renewal, self.invoice, self.member):
            message = record.with_user(self.officer).message_post(
                body="As it was",
                partner_ids=readers.partner_id.ids,
                subtype_xmlid="mail.mt_comment",
            )
            for user in readers:
                for vals in ({"body": "Paid"}, {"date": "2020-01-01"}, {"subject": "Paid"}):
                    with self.subTest(record=record, user=user.login, vals=vals):
                        with self.assertRaises(AccessError):
                            message.with_user(user).write(vals)
                self.assertTrue(message.with_user(user).has_access("read"))
                message.with_user(user).toggle_message_starred()
            message.with_user(self.officer).write({"body": "Still ours"})
            self.assertIn("Still ours", message.sudo().body)
            message.sudo().author_id = self.employee.partner_id
            message.with_user(self.employee).write({"body": "Mine"})

    def test_ratings_post_nothing(self):
        """Any employee makes a rating of any record (where Odoo's are installed), by anybody; a
        page without login posts it in sudo, or rewrites the message that the rating names."""
        own = self.employee.partner_id
        public_user = self.env_root.ref("base.public_user")
        for record in (self.renewal, self.invoice, self.member):
            message = record.message_post(body="As it was", subtype_xmlid="mail.mt_comment")
            before = message.body
            for user in (self.employee, public_user, self.auditor):
                rated_sudo = record.with_user(user).sudo()
                with self.subTest(record=record, user=user.login):
                    with self.assertRaises(AccessError):
                        rated_sudo.message_post(body="x", author_id=self.member.id, rating_id=1)
                    # of this record, and of another one that the user may write
                    for thread_sudo in (rated_sudo, own.with_user(user).sudo()):
                        with self.assertRaises(AccessError):
                            thread_sudo._message_update_content(message, body="x", strict=False)
                    self.assertEqual(message.body, before)
        # what is one's own, and what the staff may write
        message.sudo().author_id = own
        self.member.with_user(self.employee).sudo()._message_update_content(
            message.sudo(), body="Mine", strict=False
        )
        self.assertIn("Mine", message.body)
        message = self.renewal.message_post(body="As it was", subtype_xmlid="mail.mt_comment")
        self.renewal.with_user(self.officer).sudo()._message_update_content(
            message.sudo(), body="Ours", strict=False
        )
        self.assertIn("Ours", message.body)

    def test_text_messages_to_many(self):
        """Odoo's window logs them on what its user may read."""
        if "sms.composer" not in self.env:
            self.skipTest("Text messages are not installed.")
        self.member.sudo().phone = "+1 450-555-0177"
        values = {
            "res_model": "membri.renewal",
            "res_ids": str(self.renewal.ids),
            "composition_mode": "mass",
            "body": "Hello",
            "mass_keep_log": True,
        }
        before = self._count()
        composer = self.env["sms.composer"].with_user(self.auditor).create(values)
        with self.assertRaises(AccessError):
            composer._action_send_sms()
        self.assertEqual(self._count(), before)
