import re
from unittest.mock import patch
from urllib.parse import parse_qs, urlparse

from lxml import html

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common_key import OWN_COLUMN, KeyCase, get_pdf_text

# reports of requests in tests are HTML otherwise
RENDERED = "?context=%7B%22force_report_rendering%22%3Atrue%7D"


@tagged("post_install", "-at_install")
class TestAnsweringKeyIsKeptNowhere(KeyCase):
    """11 A 3: who may not answer obtains no key that answers, by any read or rendering."""

    def test_no_row_holds_it(self):
        """Every text column of every table, whoever may read it."""
        self._go_through_everything()
        holding = self._find_columns(self.keys)
        self.assertEqual(holding, {OWN_COLUMN})

    def test_no_file_holds_it(self):
        """Not in its bytes, nor in what a reader of a PDF shows."""
        self._go_through_everything()
        attachments = self.env_root["ir.attachment"].search(
            [("create_date", ">=", self.renewal.create_date), ("mimetype", "=", "application/pdf")]
        )
        ours = 0
        for attachment in attachments:
            raw = attachment.raw
            self._assert_no_key(raw.decode("latin-1"), attachment.name)
            text = get_pdf_text(raw)
            self._assert_no_key(text, attachment.name)
            ours += f"/my/renewals/{self.renewal.id}" in text
        self.assertGreater(ours, 3, "notices, reminders and letters are among them")

    def test_no_group_reads_it(self):
        """All that each group may read of what is about renewals, field by field."""
        self._go_through_everything()
        names = [name for name in self.registry if name.startswith("membri.")]
        names += ["mail.message", "mail.mail", "mail.notification", "mail.activity"]
        names += ["ir.attachment", "account.move", "payment.transaction", "res.partner"]
        read = 0
        for user in self.users:
            for name in names:
                model = self.env[name].with_user(user)
                if model._abstract or model._transient or not model.has_access("read"):
                    continue
                for record in model.search([], order="id desc", limit=40):
                    read += self._read_everything(record)
        self.assertGreater(read, 1000, "the search itself works")

    def _read_everything(self, record):
        count = 0
        for name, field in record._fields.items():
            if field.type not in ("char", "text", "html", "binary", "json", "reference"):
                continue
            if not record._has_field_access(field, "read"):
                continue
            record.invalidate_recordset()
            try:
                value = record[name]
            except (AccessError, UserError):
                continue
            if value and field.type == "binary":
                value = value if isinstance(value, bytes) else str(value).encode()
                value = value.decode("latin-1")
            self._assert_no_key(value or "", f"{record.env.user.login}: {record}.{name}")
            count += 1
        return count

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_no_rendering_shows_it(self):
        """Templates, previews, composers and reports, as each user, with and without sudo."""
        self._go_through_everything()
        templates = self.env_root["mail.template"].search([("model", "=", "membri.renewal")])
        self.assertGreater(len(templates), 4)
        shown = 0
        for user in self.users:
            for renewal in self.renewals:
                for call in (
                    *(
                        lambda template=template, sudo=sudo, renewal=renewal, user=user: (
                            template.with_user(user)
                            .sudo(sudo)
                            ._render_field("body_html", renewal.ids, compute_lang=True)
                        )
                        for template in templates
                        for sudo in (True, False)
                    ),
                    lambda renewal=renewal, user=user: (
                        self.env["mail.compose.message"]
                        .with_user(user)
                        .create(
                            {
                                "model": "membri.renewal",
                                "res_ids": str(renewal.ids),
                                "template_id": templates[0].id,
                                "composition_mode": "comment",
                            }
                        )
                        .body
                    ),
                    lambda renewal=renewal, user=user: (
                        self.env["mail.template.preview"]
                        .with_user(user)
                        .create(
                            {
                                "mail_template_id": templates[0].id,
                                "resource_ref": f"membri.renewal,{renewal.id}",
                            }
                        )
                        .body_html
                    ),
                    lambda renewal=renewal, user=user: (
                        self.env["portal.share"]
                        .with_user(user)
                        .create(
                            {
                                "res_model": "membri.renewal",
                                "res_id": renewal.id,
                                "partner_ids": user.partner_id.ids,
                            }
                        )
                        .share_link
                    ),
                    lambda renewal=renewal, user=user: (
                        self.env["ir.actions.report"]
                        .with_user(user)
                        ._render_qweb_html("membri_renewal.report_renewal_notice", renewal.ids)[0]
                    ),
                    lambda renewal=renewal, user=user: (
                        self.env["ir.actions.report"]
                        .with_user(user)
                        .sudo()
                        ._render_qweb_html("membri_renewal.report_renewal_notice", renewal.ids)[0]
                    ),
                    lambda renewal=renewal, user=user: (
                        renewal.with_user(user).sudo()._get_answer_url()
                    ),
                    lambda renewal=renewal, user=user: (
                        renewal.with_user(user).sudo().get_portal_url()
                    ),
                    lambda renewal=renewal, user=user: (
                        renewal.with_user(user).sudo()._get_share_url(redirect=True, pid=1)
                    ),
                    lambda renewal=renewal, user=user: (
                        renewal.with_user(user).sudo()._get_payment_path()
                    ),
                ):
                    self.env.invalidate_all()
                    try:
                        with self.env.cr.savepoint():
                            found = call()
                    except (AccessError, UserError, ValueError):
                        continue
                    shown += bool(found)
                    self._assert_no_key(found, user.login)
        self.assertGreater(shown, 50, "the renderings themselves work")

    def test_pages_and_downloads_of_those_who_may_read(self):
        """The page of the renewal, the invoice's, the reports: signed in, without the key."""
        self._go_through_everything()
        invoice = self.approved.invoice_id
        paths = [
            *(f"/my/renewals/{renewal.id}" for renewal in self.renewals),
            *(f"/my/renewals/{renewal.id}?report_type=pdf" for renewal in self.renewals),
            *(
                f"/report/{kind}/membri_renewal.report_renewal_notice/{renewal.id}{RENDERED}"
                for kind in ("pdf", "html")
                for renewal in self.renewals
            ),
            f"/my/invoices/{invoice.id}",
            f"/my/membership/invoices/{invoice.id}/paid",
            f"/mail/view?model=membri.renewal&res_id={self.renewal.id}",
            self.letter["url"],
            self.job_letters["url"],
        ]
        token = invoice.sudo().access_token
        with mute_logger("odoo.http"):
            for login in ("auditor", "accountant", "employee", "stranger_user", "colleague_user"):
                self._sign_in(login)
                for path in paths:
                    response = self.url_open(path)
                    with self.subTest(login=login, path=path):
                        content = response.content
                        text = content.decode("latin-1")
                        if content.startswith(b"%PDF"):
                            text += get_pdf_text(content)
                        self._assert_no_key(text)
                        self._assert_no_key(response.url)
                        if login == "auditor":
                            self.assertNotIn(token, text, "nor the token of an invoice")

    def test_invoice_tokens_of_readers(self):
        """Readers of memberships see invoices by our rights, and get no token by them."""
        self._go_through_everything()
        invoice = self.approved.invoice_id.with_user(self.auditor)
        token = invoice.sudo().access_token
        self.assertTrue(token)
        self.assertEqual(invoice.read(["name"])[0]["name"], invoice.name)
        with self.assertRaises(AccessError):
            invoice.read(["access_token"])
        self.assertEqual(invoice.get_portal_url(), f"/my/invoices/{invoice.id}")
        self.assertEqual(
            self.approved.invoice_id.with_user(self.accountant).get_portal_url(),
            f"/my/invoices/{invoice.id}?access_token={token}",
            "Invoicing has what Odoo gives it",
        )
        both = new_test_user(
            self.env_root,
            "both",
            "membri_renewal.group_membri_readonly,account.group_account_readonly",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.assertIn(token, invoice.with_user(both).get_portal_url())

    def test_readers_who_read_invoices_of_another_application(self):
        """Vendor bills, invoices of expenses, of orders, their own: of membership invoices these
        read no more than other readers."""
        self._go_through_everything()
        group = self._create_group_of_sellers()
        self.auditor.sudo().group_ids += group
        invoice = self.approved.invoice_id.with_user(self.auditor)
        page, token = f"/my/invoices/{invoice.id}", invoice.sudo().access_token
        with self.assertRaises(AccessError):
            invoice.read(["access_token"])
        self.assertEqual(invoice.get_portal_url(), page)
        self.assertFalse(invoice._membri_filter_tokens(invoice.ids))
        with self.assertRaises(AccessError):
            invoice.message_post(body="x")
        with self.assertRaises(AccessError):
            invoice.message_notify(body="x", partner_ids=self.member.ids)
        # one of their own, as Odoo has it
        invoice.sudo().invoice_user_id = self.auditor
        self.assertEqual(invoice.get_portal_url(), f"{page}?access_token={token}")
        self.assertTrue(invoice.message_post(body="x"))
        # all of them
        invoice.sudo().invoice_user_id = self.officer
        group.rule_groups.domain_force = "[(1, '=', 1)]"
        self.assertEqual(invoice.get_portal_url(), f"{page}?access_token={token}")
        self.assertEqual(invoice.read(["access_token"])[0]["access_token"], token)

    def test_links_to_the_invoices_before_and_after(self):
        """Odoo's page of an invoice links to those that the list had before and after it, with
        tokens that it makes in sudo: by the list, a reader had those of all."""
        payers = [self._create_member(f"Payer {number}") for number in range(3)]
        renewals = self.env["membri.renewal"].union(
            *(self._create_renewal(self._create_cotisation(m, "2026-01-01")) for m in payers)
        )
        renewals.action_approve()
        invoices = renewals.invoice_id.sudo()
        self._pay(invoices[1])  # whose page links to its receipt
        tokens = invoices.mapped("access_token")
        self.env.flush_all()
        for login in ("auditor", "accountant"):
            self._sign_in(login)
            self.assertEqual(self.url_open("/my/invoices").status_code, 200)
            for invoice in invoices:
                page = self.url_open(f"/my/invoices/{invoice.id}").text
                with self.subTest(login=login, invoice=invoice.name):
                    self.assertIn(invoice.name, page)
                    for other, token in zip(invoices, tokens, strict=True):
                        if login == "auditor" or other != invoice:
                            self.assertNotIn(token, page)
        beside = re.findall(r'href="/my/invoices/(\d+)"', page)
        self.assertTrue(set(beside) & {str(i.id) for i in invoices}, "the links are there")


@tagged("post_install", "-at_install")
class TestPublicAddress(KeyCase):
    """11 A 1: ``get_portal_url`` is public: it gives no key to those who may not answer, and
    makes none for anybody."""

    def test_get_portal_url(self):
        self.renewal.action_send()
        key, page = self.renewal.access_token, f"/my/renewals/{self.renewal.id}"
        for user in (self.officer, self.manager):
            self.assertEqual(
                self.renewal.with_user(user).get_portal_url(), f"{page}?access_token={key}"
            )
        self.assertIn(key, self.renewal.with_env(self.env_root).get_portal_url())
        for user in (self.auditor, self.member_user):
            renewal = self.renewal.with_user(user)
            self.assertEqual(renewal.get_portal_url(), page)
            self.assertEqual(renewal.sudo().get_portal_url(), page, "sudo lifts nothing")
            self.assertEqual(
                renewal.get_portal_url(
                    suffix="/change",
                    report_type="pdf",
                    download=True,
                    query_string="&a=b",
                    anchor="c",
                ),
                f"{page}/change?report_type=pdf&download=true&a=b#c",
            )
        for user in (self.employee, self.stranger_user, self.accountant):
            with self.assertRaises(AccessError):
                self.renewal.with_user(user).get_portal_url()

    def test_it_makes_no_key(self):
        for user in (self.officer, self.auditor, self.manager):
            self.assertEqual(
                self.renewal.with_user(user).get_portal_url(), f"/my/renewals/{self.renewal.id}"
            )
        self.assertFalse(self.renewal.access_token)

    def test_the_key_is_the_officers(self):
        self.renewal.action_send()
        for user in (self.auditor, self.accountant, self.employee, self.member_user):
            renewal = self.renewal.with_user(user)
            self.env.invalidate_all()
            with self.assertRaises(AccessError):
                renewal.read(["access_token"])
            with self.assertRaises(AccessError):
                renewal._portal_ensure_token()
            with self.assertRaises(AccessError):
                renewal.search([("access_token", "like", "a")])


@tagged("post_install", "-at_install")
class TestKeyLeaves(KeyCase):
    """11 A 3: the email that leaves, and the letter that is posted, open the page by one click
    or one scan; copies to others do not."""

    def _get_links(self, body):
        return [
            link for link in html.fromstring(body).xpath("//a/@href") if "/my/renewals/" in link
        ]

    def test_the_member_gets_it_and_a_follower_does_not(self):
        self.renewal.message_subscribe(
            self.auditor.partner_id.ids,
            subtype_ids=self.env.ref("membri_renewal.mt_notice").ids,
        )
        self.auditor.partner_id.sudo().email = "auditor@example.com"
        self.renewal.action_send()
        key = self.renewal.access_token
        emails = [
            email
            for mail in self._get_mails(self.renewal)
            for email in mail._prepare_outgoing_list()
        ]
        by_address = {email["email_to_normalized"][0]: email for email in emails}
        self.assertEqual(set(by_address), {self.member.email, "auditor@example.com"})
        self.assertNotIn(key, str(by_address["auditor@example.com"]))
        email = by_address[self.member.email]
        [link] = self._get_links(email["body"])
        self.assertEqual(link, self.renewal._get_answer_url())
        self.assertIn(link, email["body_alternative"])
        [(_name, content, _kind)] = email["attachments"]
        text = get_pdf_text(content)
        self.assertEqual(text.count(key), 4, "three links, and in words")
        self.assertEqual(self._open_path(link).status_code, 200)

    def test_a_contact_with_several_addresses_gets_it_at_each(self):
        """One field may hold several; who has an address that is taken away does not answer."""
        self.member.email = "ada@example.com; Office <office@example.com>"
        self.renewal.action_send()
        key = self.renewal.access_token
        [email] = self._get_mails(self.renewal)._prepare_outgoing_list()
        self.assertEqual(email["email_to_normalized"], ["ada@example.com", "office@example.com"])
        [link] = self._get_links(email["body"])
        self.assertIn(key, link)
        self.member.phone = "555-0100"
        self.member.email = "ada@example.com, office@example.com, third@example.com"
        self.assertEqual(self.renewal.access_token, key)
        self.member.email = "ada@example.com"
        self.assertTrue(self.renewal.access_token)
        self.assertNotEqual(self.renewal.access_token, key)
        self.member.membri_renewal_email = "ada@example.com, books@example.com"
        self.renewal.action_send()
        key = self.renewal.access_token
        [email] = self._get_mails(self.renewal).sorted("id")[-1]._prepare_outgoing_list()
        self.assertIn(key, email["body"])
        self.member.membri_renewal_email = "ada@example.com"
        self.assertNotEqual(self.renewal.access_token, key)

    def _open_path(self, link):
        return self.url_open(urlparse(link)._replace(scheme="", netloc="").geturl())

    def test_not_to_whoever_else_is_written_to(self):
        self.renewal.action_send()
        page = self.renewal._get_answer_page_url()
        mail = self.env_root["mail.mail"].create(
            {
                "model": "membri.renewal",
                "res_id": self.renewal.id,
                "body_html": f'<a href="{page}">x</a>',
                "email_to": self.member.email,
                "email_cc": "auditor@example.com",
            }
        )
        key = self.renewal.access_token
        self.assertNotIn(key, str(mail._prepare_outgoing_list()))
        mail.email_cc = False
        self.assertIn(key, str(mail._prepare_outgoing_list()))
        for address in (
            f"https://evil.example/my/renewals/{self.renewal.id}",
            f"https://evil.example/?next={page}",
            f"{page.replace('http://', 'http://x@')}",
            f"{self.renewal.get_base_url()}.evil.example/my/renewals/{self.renewal.id}",
            page + "0",
        ):
            with self.subTest(address=address):
                mail.body_html = f'<a href="{address}">x</a> {page}'
                self.assertNotIn(key, str(mail._prepare_outgoing_list()))

    def test_a_keyed_text_is_kept_without_it(self):
        """A template, or somebody, puts the key into a message: it goes out, and is not kept."""
        self.renewal.action_send()
        url = self.renewal._get_answer_url()
        self.assertIn(self.renewal.access_token, url)
        message = self.renewal.message_post(
            body=f"{url} x", partner_ids=self.member.ids, subtype_xmlid="mail.mt_comment"
        )
        self.assertNotIn(self.renewal.access_token, message.body)
        self.assertNotIn(
            self.renewal.access_token, str(self._get_mails(self.renewal).mapped("body_html"))
        )
        message.write({"body": f'<a href="{url}">x</a>'})
        self.assertNotIn(self.renewal.access_token, message.body)
        scheduled = self.env["mail.scheduled.message"].create(
            {
                "model": "membri.renewal",
                "res_id": self.renewal.id,
                "body": f'<a href="{url}">x</a>',
                "author_id": self.officer.partner_id.id,
                "scheduled_date": "2030-01-01",
            }
        )
        self.assertNotIn(self.renewal.access_token, scheduled.body)
        note = self.member._message_log(body=url)
        self.assertNotIn(self.renewal.access_token, note.body)

    def test_the_payer_gets_the_link_of_the_invoice(self):
        self.approved.action_send()
        self.approved.action_approve()
        self.approved.action_send_reminder()
        mail = self._get_mails(self.approved)[-1]
        token = self.approved.invoice_id.access_token
        self.assertNotIn(token, mail.body_html)
        self.assertNotIn(token, self.approved.message_ids[0].body)
        [email] = mail._prepare_outgoing_list()
        self.assertIn(
            f"/my/invoices/{self.approved.invoice_id.id}?access_token={token}", email["body"]
        )

    def test_letters_have_it_as_they_are_downloaded(self):
        self._go_through_everything()
        files = self.env_root["ir.attachment"].search_count([])
        self._sign_in("officer")
        for url, count in ((self.letter["url"], 1), (self.job_letters["url"], 2)):
            response = self.url_open(url)
            self.assertEqual(response.status_code, 200)
            text = get_pdf_text(response.content)
            self.assertEqual(sum(key in text for key in self.keys), count)
            self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")
        response = self.url_open(
            f"/report/pdf/membri_renewal.report_renewal_notice/{self.renewal.id}{RENDERED}"
        )
        self.assertEqual(response.content[:4], b"%PDF")
        self.assertIn(self.keys[0], get_pdf_text(response.content), "what the officer prints")
        self.assertEqual(self.env_root["ir.attachment"].search_count([]), files, "none is kept")

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model")
    def test_letters_are_the_officers(self):
        """Nobody else downloads them, and asking changes no file."""
        self._go_through_everything()
        kept = self.env_root["ir.attachment"].search([]).mapped("checksum")
        for user in self.users:
            with self.assertRaises(AccessError):
                self.job.with_user(user).action_download_letters()
            self._sign_in(user.login)
            for action in (self.letter, self.job_letters):
                response = self.url_open(action["url"])
                self.assertNotEqual(response.status_code, 200)
        self.assertEqual(self.env_root["ir.attachment"].search([]).mapped("checksum"), kept)

    def test_the_way_to_pay_and_back(self):
        """The payment leads back to the renewal by the visitor's session: the key is not kept
        with the payment."""
        self._go_through_everything()
        key = self.keys[1]
        with patch.object(
            self.registry["membri.renewal"], "_can_pay_online", lambda _renewal: True
        ):
            page = self.url_open(f"/my/renewals/{self.approved.id}?access_token={key}").text
            [link] = html.fromstring(page).xpath("//a[@id='membri_pay']/@href")
            self.assertEqual(parse_qs(urlparse(link).query)["renewal_token"], [key])
            back = f"/my/renewals/{self.approved.id}/back"
            response = self.url_open(back, allow_redirects=False)
            self._assert_no_key(response.headers["Location"])
            self.url_open(link)
            response = self.url_open(back, allow_redirects=False)
            self.assertIn(f"?access_token={key}", response.headers["Location"])
            self._sign_in("auditor")
            page = self.url_open(f"/my/renewals/{self.approved.id}").text
            self._assert_no_key(page)
            self.assertNotIn(self.approved.invoice_id.sudo().access_token, page)
        response = self.url_open(back, allow_redirects=False)
        self._assert_no_key(response.headers["Location"], "another session")

    def test_who_was_replaced_does_not_answer_any_more(self):
        """Another person in charge, or somebody who left the company: the link that they received
        opens nothing, and the next email brings another one, to others."""
        former, other = self._create_member("Fay Former"), self._create_member("Olga Other")
        other.email = "olga@example.com"
        self.member.membri_responsible_id = former
        self.renewal.action_send()
        corporate = self._create_renewal(self._create_cotisation(self.corporation, "2026-01-01"))
        self.corporation.email = False
        assistant = self._create_member("Abe Assistant", parent_id=self.corporation.id)
        self.corporation.membri_responsible_id = False
        corporate.action_send()
        corporate._as_internal().recipient_id = assistant
        self._sign_in(None)
        for renewal, change in (
            (self.renewal, lambda: self.member.write({"membri_responsible_id": other.id})),
            (corporate, lambda: assistant.write({"parent_id": self.stranger.id})),
        ):
            with self.subTest(renewal=renewal.partner_id.name):
                old = renewal.access_token
                self.assertEqual(self._open(renewal, old).status_code, 200)
                change()
                self.assertTrue(renewal.access_token)
                self.assertNotEqual(renewal.access_token, old)
                self._assert_turned_away(self._open(renewal, old))
                self._assert_turned_away(self._answer(renewal, "accept", old))
                self.assertEqual(renewal.state, "sent")
                self.assertNotIn(renewal.recipient_id, former + assistant)
        self.assertEqual(self.renewal.recipient_id, other)
        self.renewal.action_send()
        mail = self._get_mails(self.renewal)[-1]
        [email] = [e for e in mail._prepare_outgoing_list() if self.renewal.access_token in str(e)]
        self.assertEqual(email["email_to_normalized"], ["olga@example.com"])

    def test_who_is_archived_does_not_answer_any_more(self):
        """The person in charge, the assistant or the payer who has left; a member who is archived
        is no less the member."""
        self._sign_in(None)
        former = self._create_member("Fay Former", email="fay@example.com")
        self.member.membri_responsible_id = former
        self.renewal.action_send()
        self.assertEqual(self.renewal.recipient_id, former)
        self._assert_renewed(self.renewal, former.action_archive)
        self.assertEqual(self.renewal.recipient_id, self.member)
        former.action_unarchive()
        self.renewal.action_send()
        # who deletes the own login, or is archived by the import of a list
        self._assert_renewed(self.renewal, lambda: former.write({"active": False}))
        self.renewal.action_send()
        self._assert_renewed(self.renewal, former.action_unarchive, renewed=False)
        self.member.membri_responsible_id = False
        self.renewal.action_send()
        self.member.sudo().user_ids.action_archive()
        self._assert_renewed(self.renewal, self.member.action_archive, renewed=False)

    def test_who_received_it_and_may_answer_keeps_it(self):
        self.renewal.action_send()
        key = self.renewal.access_token
        self.member.membri_responsible_id = self.stranger
        self.assertEqual(self.renewal.access_token, key, "the member's own link")
        self.member.parent_id = False
        self.assertEqual(self.renewal.access_token, key)
        self.assertEqual(self._open(self.renewal, key).status_code, 200)

    def _assert_renewed(self, renewal, change, renewed=True):
        """``change`` takes the key out of the hands of who received it, or leaves it there."""
        old, answer_state = renewal.access_token, renewal.state
        change()
        self.env.flush_all()
        self.assertTrue(renewal.access_token)
        self.assertEqual(renewal.access_token != old, renewed)
        if renewed:
            self._assert_turned_away(self._open(renewal, old))
            self.assertEqual(renewal.state, answer_state)

    def _send_to_payer(self, **flags):
        """A member without an address, whose employer pays: the notice goes there."""
        self.member.email = False
        self.corporation.write({"email": "office@example.com", **flags})
        self.renewal.action_send()
        self.assertEqual(self.renewal.recipient_id, self.corporation)

    def test_who_does_not_pay_any_more_does_not_answer(self):
        """Each way in which the employer stops paying: the key that it received is void."""
        self._sign_in(None)
        billing = self._create_member("Billing", parent_id=self.corporation.id, type="invoice")
        self._send_to_payer()
        own = {"name": "Ada at Home", "parent_id": self.member.id, "type": "invoice"}

        def delete_own():
            self.member.child_ids.unlink()

        for change, undo in (
            (
                lambda: billing.write({"type": "other"}),
                lambda: billing.write({"type": "invoice"}),
            ),
            (billing.action_archive, billing.action_unarchive),
            (lambda: self.env["res.partner"].create(own), delete_own),
            (
                lambda: self.member.write({"child_ids": [(0, 0, {**own, "parent_id": False})]}),
                delete_own,
            ),
            (
                lambda: billing.write({"parent_id": self.stranger.id}),
                lambda: billing.write({"parent_id": self.corporation.id}),
            ),
            (billing.unlink, lambda: None),
        ):
            self._assert_renewed(self.renewal, change)
            self.assertEqual(self.renewal.recipient_id, self.member)
            undo()
            self.renewal.action_send()
        self.assertFalse(billing.exists())

    def test_who_wants_no_common_invoice_any_more_does_not_answer(self):
        self._sign_in(None)
        self._send_to_payer(membri_group_invoices=True)
        self._assert_renewed(
            self.renewal, lambda: self.corporation.write({"name": "Boulanger Inc."}), renewed=False
        )
        self._assert_renewed(
            self.renewal, lambda: self.corporation.write({"membri_group_invoices": False})
        )

    def test_who_is_not_written_to_any_more_does_not_answer(self):
        """The address for renewals, or the contact's own, is another one now."""
        self._sign_in(None)
        self.member.membri_renewal_email = "assistant@example.com"
        self.renewal.action_send()
        self.assertEqual(self.renewal.delivery_email, "assistant@example.com")
        for change, renewed in (
            (lambda: self.member.write({"membri_renewal_email": "Assistant@example.com "}), False),
            (lambda: self.member.write({"phone": "+1 450-555-0177"}), False),
            (lambda: self.member.write({"membri_renewal_email": "other@example.com"}), True),
            # the one who lost it loses nothing more
            (lambda: self.member.write({"membri_renewal_email": "third@example.com"}), False),
            (self.renewal.action_send, False),
            (lambda: self.member.write({"membri_renewal_email": False}), True),
            (self.renewal.action_send, False),
            (lambda: self.member.write({"email": "typed.wrong@example.com"}), True),
        ):
            self._assert_renewed(self.renewal, change, renewed)
        self.renewal.action_approve()  # its invoice goes there: the link leads on to it
        change = {"email": "ada@example.com"}
        self._assert_renewed(self.renewal, lambda: self.member.write(change))
        self._pay(self.renewal.invoice_id)
        change = {"email": "typed.wrong@example.com"}
        self._assert_renewed(self.renewal, lambda: self.member.write(change), renewed=False)

    def test_what_is_reopened_is_answered_by_who_may(self):
        """What was decided is asked again, by a reset, or since the invoice was cancelled: by the
        notice that is sent again, and not by the link of before. Who has that may have been
        replaced, and a reminder to the payer hides who it was."""
        self._sign_in(None)
        former, other = self._create_member("Fay Former"), self._create_member("Olga Other")

        def cancel_invoice():
            self.renewal.invoice_id.button_cancel()

        for decide, reopen, state in (
            (self.renewal.action_approve, self.renewal.action_reset, "draft"),
            (lambda: self._refuse(self.renewal), self.renewal.action_reset, "draft"),
            (self.renewal.action_approve, cancel_invoice, "intervention"),
        ):
            for replaced in (False, True):
                with self.subTest(state=state, replaced=replaced):
                    self.member.membri_responsible_id = former
                    self.renewal.action_send()
                    self.assertEqual(self.renewal.recipient_id, former)
                    old = self.renewal.access_token
                    decide()
                    if self.renewal.state == "approved":
                        self.renewal.action_send_reminder()
                    if replaced:
                        self.member.membri_responsible_id = other
                        self.assertEqual(self.renewal.access_token, old, "it is decided")
                    reopen()
                    self.assertEqual(self.renewal.state, state)
                    self.assertNotIn(self.renewal.access_token, (old, False))
                    self.renewal.action_send()
                    self._assert_turned_away(self._open(self.renewal, old))
                    self._assert_turned_away(self._answer(self.renewal, "accept", old))
                    key = self.renewal.sudo().access_token
                    self.assertEqual(self._open(self.renewal, key).status_code, 200)
                    self.assertEqual(self.renewal.state, "sent")

    def test_a_login_is_no_employees_to_make(self):
        """Where everybody may sign up, Odoo gives any employee the token that makes the login of a
        contact, who answers as the member."""
        self.env_root["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2c")
        member, other = self.approved.partner_id, self._create_member("Nora Nobody")
        for user, may in (
            (self.employee, False),
            (self.auditor, False),
            (self.accountant, False),
            (self.clerk, True),
            (self.officer, True),
        ):
            with self.subTest(user=user.login):
                given = (member | other).with_user(user).signup_get_auth_param()
                self.assertEqual("auth_signup_token" in given[member.id], may)
                self.assertIn("auth_signup_token", given[other.id], "as in Odoo")
        given = member.with_user(self.employee).sudo().signup_get_auth_param()
        self.assertIn("auth_signup_token", given[member.id], "for an email to the contact")

    def test_who_is_deleted_does_not_answer(self):
        self._sign_in(None)
        former = self._create_member("Fay Former")
        self.member.membri_responsible_id = former
        self.renewal.action_send()
        self.member._internal_write({"membri_responsible_id": former})
        self._assert_renewed(self.renewal, former.unlink)
        self.assertEqual(self.renewal.recipient_id, self.member)
