"""Issue 11: companies share contacts, and not what is noted there about the memberships of one."""

import re
from datetime import date
from pathlib import Path

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.modules.module import load_script
from odoo.service.model import call_kw
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import file_path, mute_logger

from .common_portal import PortalCase

MUTED = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule", "odoo.http")
ODOO_NOTES = ("Contact created",)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCompanyNotes(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        west = cls.env_root["res.company"].create({"name": "Chapter West"})
        company = {"company_id": west.id, "company_ids": [Command.set(west.ids)]}
        groups = "membri_renewal.group_membri_manager,base.group_partner_manager"
        cls.foreigner = new_test_user(cls.env_root, "foreigner", groups, **company)
        cls.renewal = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-01"))
        cls.renewal.action_send()
        cls.renewal.action_approve()
        cls.invoice = cls.renewal.invoice_id

    def _get_notes(self, partners=None):
        partners = partners or self.member | self.corporation
        return (
            self.env["mail.message"]
            .sudo()
            .search([("model", "=", "res.partner"), ("res_id", "in", partners.ids)])
        )

    def _get_ours(self, user, notes, model="mail.message"):
        """What a client reads, by a search and by number."""
        self.env.flush_all()
        self.env.invalidate_all()
        records = self.env(user=user, context={})[model]
        found = call_kw(records, "search", [[("id", "in", notes.ids)]], {})
        readable = []
        for note in notes:
            with mute_logger(*MUTED):
                try:
                    call_kw(records, "read", [note.ids, ["display_name"]], {})
                except AccessError:
                    continue
                readable.append(note.id)
        self.assertEqual(set(found), set(readable))
        return set(found)

    def test_notes_of_one_company(self):
        """All that we note on contacts, from the notice to the end of the membership."""
        self._pay(self.invoice)
        self.renewal.cotisation_id._do_terminate(date(2026, 12, 1), "Moved")
        self.renewal.cotisation_id._ask_officer("In confidence")
        notes = self._get_notes()
        told = notes.filtered(lambda note: self.renewal.name in (note.body or ""))
        self.assertTrue(told.attachment_ids, "the notice")
        ours = notes.filtered(
            lambda note: not any(text in (note.body or "") for text in ODOO_NOTES)
        )
        self.assertGreater(len(ours), 2)
        self.assertEqual(ours.membri_company_id, self.company)
        self.assertFalse(ours.filtered(lambda note: not note.membri_company_id).mapped("body"))
        self.assertEqual(self._get_ours(self.officer, notes), set(notes.ids))
        # of one company, the chatter is for all who read the contact
        self.assertEqual(self._get_ours(self.employee, notes), set(notes.ids))
        self.assertEqual(self._get_ours(self.foreigner, notes), set((notes - ours).ids))

    def test_chatter_of_a_contact(self):
        """The route that gives the files of what is read, too."""
        for user, sees in ((self.employee, True), (self.foreigner, False)):
            self._sign_in(user.login)
            with self.subTest(user=user.login):
                found = self.make_jsonrpc_request(
                    "/mail/thread/messages",
                    {"thread_model": "res.partner", "thread_id": self.member.id},
                )
                self.assertEqual(self.renewal.name in str(found), sees)
                self.assertEqual("raw_access_token" in str(found), sees)

    def test_no_detour(self):
        """Contacts are not found by what is noted for others, nor is it read with them."""
        self.renewal.cotisation_id._ask_officer("In confidence")
        self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("res.partner"),
                "res_id": self.member.id,
                "summary": "Plain",
                "user_id": self.officer.id,
            }
        )
        self.renewal._log_on_contacts({self.renewal: "In confidence"})
        noted = self.member._membri_noted_for(self.company)
        noted.activity_schedule("mail.mail_activity_data_todo", summary="Confidential")
        domains = (
            [("message_ids.body", "ilike", self.renewal.name)],
            [("message_ids", "any", [("body", "ilike", self.renewal.name)])],
            [("activity_ids.summary", "ilike", "Confidential")],
            [("activity_summary", "ilike", "Confidential")],
        )
        for user, sees in ((self.officer, True), (self.foreigner, False)):
            partners = self.env(user=user, context={})["res.partner"]
            for domain in domains:
                with self.subTest(user=user.login, domain=domain):
                    found = call_kw(partners, "search", [domain], {})
                    self.assertEqual(self.member.id in found, sees)
            self.env.invalidate_all()
            fields = ["message_ids", "activity_ids", "activity_summary"]
            [values] = call_kw(partners, "read", [self.member.ids, fields], {})
            notes = self.env["mail.message"].sudo().browse(values["message_ids"])
            self.assertEqual(self.company in notes.membri_company_id, sees)
            activities = self.env["mail.activity"].sudo().browse(values["activity_ids"])
            self.assertEqual("Confidential" in activities.mapped("summary"), sees)
            self.assertIn("Plain", activities.mapped("summary"))

    def test_both_companies(self):
        """A contact that is a member of both: each sees its own."""
        self.foreigner.sudo().company_ids += self.company
        self.assertEqual(
            self._get_ours(self.foreigner, self._get_notes()), set(self._get_notes().ids)
        )

    def test_nobody_takes_a_member_of_another_company(self):
        """Neither by the company of the contact nor by that of a contact above it, whose refusal
        by Odoo named the invoices of the other company."""
        partners = self.env["res.partner"].with_user(self.foreigner)
        above = partners.create({"name": "Above", "company_id": self.foreigner.company_id.id})
        for record, vals in (
            (self.member, {"company_id": above.company_id.id}),
            (self.member, {"parent_id": above.id}),
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError) as caught:
                record.with_user(self.foreigner).write(vals)
            self.assertNotIn(self.invoice.name, str(caught.exception))
            self.assertFalse(self.member.company_id)
        # a contact of all companies is above it as before
        everybody = partners.create({"name": "Everybody", "is_company": True})
        self.member.with_user(self.foreigner).parent_id = everybody
        self.assertEqual(self.member.parent_id, everybody)

    def test_activity(self):
        self.company.with_env(self.env_root).membri_officer_id = self.officer
        member = self._create_member("Nora")
        term = self._create_cotisation(member, "2026-01-01")
        term._ask_officer("In confidence")
        activity = self.env["mail.activity"].sudo().search([("res_id", "=", member.id)])
        self.assertEqual(activity.membri_company_id, self.company)
        self.assertEqual(self._get_ours(self.officer, activity, "mail.activity"), set(activity.ids))
        self.assertFalse(self._get_ours(self.foreigner, activity, "mail.activity"))
        activity.with_user(self.officer).action_feedback(feedback="Also in confidence")
        done = self._get_notes(member).filtered(lambda note: "in confidence" in note.body)
        self.assertEqual(done.membri_company_id, self.company)
        self.assertFalse(self._get_ours(self.foreigner, done))
        # what somebody plans on a contact is Odoo's
        plain = member.activity_schedule("mail.mail_activity_data_todo", user_id=self.officer.id)
        self.assertFalse(plain.sudo().membri_company_id)

    def test_activity_of_others(self):
        """By its number neither changed, nor deleted, nor answered."""
        term = self._create_cotisation(self._create_member("Nora"), "2026-01-01")
        term._ask_officer("In confidence")
        activity = term.partner_id.sudo().activity_ids.filtered("membri_company_id")
        self.assertTrue(activity)
        note = self._get_notes(term.partner_id).filtered("membri_company_id")[:1] or (
            term.partner_id.sudo()._membri_noted_for(self.company)._message_log(body="Confidential")
        )
        activities = self.env(user=self.foreigner, context={})["mail.activity"]
        for method, args in (("write", [{"summary": "x"}]), ("unlink", [])):
            with self.subTest(method=method), mute_logger(*MUTED):
                with self.assertRaises(AccessError):
                    call_kw(activities, method, [activity.ids, *args], {})
        self.assertIn("In confidence", activity.summary)
        for user, sees in ((self.officer, True), (self.foreigner, False)):
            with self.subTest(user=user.login):
                messages = self.env(user=user, context={})["mail.message"]
                self.assertEqual(bool(messages._get_with_access(note.id)), sees)

    def test_each_company_asks(self):
        """What one company has asked about a contact does not silence the others."""
        member = self._create_member("Nora")
        self._create_cotisation(member, "2026-01-01")
        archived = "membri_renewal.activity_archived"
        west = self.foreigner.sudo().company_id
        theirs = (
            member.sudo()
            ._membri_noted_for(west)
            .activity_schedule(archived, summary="Theirs", user_id=self.foreigner.id)
        )
        self.assertEqual(theirs.membri_company_id, west)
        member.with_env(self.env_root).action_archive()
        asked = member.sudo().activity_search([archived])
        self.assertEqual(asked.membri_company_id, west | self.company)
        member.with_env(self.env_root).action_unarchive()
        self.assertEqual(member.sudo().activity_search([archived]), theirs)

    def test_reply_to_a_statement(self):
        """It quotes the statement, so it is read where the statement is."""
        member = self.member.sudo()
        for is_internal, company in ((False, self.company), (True, self.company.browse())):
            told = member._membri_noted_for(self.company)._message_log(body="Due: 345")
            told.is_internal = is_internal
            reply = member.message_post(
                body="Why 345?", message_type="email", parent_id=told.id, email_from="a@b.example"
            )
            with self.subTest(is_internal=is_internal):
                self.assertEqual(reply.membri_company_id, company)

    def test_statement(self):
        """It lists what is due to one company; its file goes with its message."""
        self.officer.sudo().group_ids += self.env.ref("account.group_account_invoice")
        payer = self.invoice.partner_id
        action = payer.action_membri_send_statement()
        followers = self.foreigner.partner_id | self.auditor.partner_id
        payer.sudo().message_subscribe(followers.ids)
        composer = Form(self.env["mail.compose.message"].with_context(**action["context"])).save()
        composer.action_send_mail()
        message = self._get_notes(payer)[0]
        self.assertIn("tatement", message.attachment_ids.name)
        self.assertEqual(message.membri_company_id, self.company)
        self.assertIn(self.auditor.partner_id, message.notified_partner_ids)
        self.assertIn(payer, message.notified_partner_ids)
        self.assertNotIn(self.foreigner.partner_id, message.notified_partner_ids)
        files = message.attachment_ids
        self.assertEqual(self._get_ours(self.officer, files, "ir.attachment"), set(files.ids))
        self.assertFalse(self._get_ours(self.foreigner, files, "ir.attachment"))
        self.assertFalse(self._get_ours(self.foreigner, message))

    def test_older_notes(self):
        """What was noted before says whose it is by the renewal, the term, the card or the
        subject that it names; their files go with them. The rest stays as it was."""
        payer = self.invoice.partner_id
        provider = self.env_root["payment.provider"].search([], limit=1)
        west = self.foreigner.company_id
        providers = [provider.copy({"company_id": c.id}) for c in (self.company, west)]
        method = self.env_root["payment.method"].with_context(active_test=False).search([], limit=1)
        for provider, digits in zip(
            [*providers, *providers], ("1111", "2222", "3333", "3333"), strict=True
        ):
            self.env_root["payment.token"].create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": method.id,
                    "partner_id": payer.id,
                    "payment_details": digits,
                    "provider_ref": digits,
                }
            )
        ours, theirs, both = (
            payer.sudo()._message_log(body=f"Visa ••{digits} was saved for automatic payments.")
            for digits in ("1111", "2222", "3333")
        )
        template = self.env.ref("membri_renewal.mail_template_statement").sudo()
        subject = template.subject.partition("{{")[0]
        file = self.env["ir.attachment"].sudo().create({"name": "statement.pdf", "raw": b"x"})
        file.write({"res_model": payer._name, "res_id": payer.id})
        shared_file = file.copy({"res_model": payer._name, "res_id": payer.id})
        statement = payer.sudo().message_post(
            subject=subject + self.company.name, body="x", attachment_ids=(file | shared_file).ids
        )
        reply = payer.sudo().message_post(body="Why?", message_type="email")
        reply.parent_id = statement
        plain = payer.sudo().message_post(subject=subject, body="x")
        plain.attachment_ids = shared_file
        older = self._get_notes().filtered("membri_company_id")
        self.assertEqual(older.membri_company_id, self.company)
        self.env.flush_all()
        self.env.cr.execute("UPDATE mail_message SET membri_company_id = NULL")
        self.env.invalidate_all()
        path = "membri_renewal/migrations/19.0.1.2.2/post-company_notes.py"
        script = load_script(file_path(path), "membri_post_company_notes")
        for _time in range(2):
            script.migrate(self.env.cr, "19.0.1.2.1")
            self.env.invalidate_all()
            self.assertEqual((ours | statement | reply).membri_company_id, self.company)
            self.assertEqual(theirs.membri_company_id, west)
            self.assertFalse((both | plain).membri_company_id)
            self.assertEqual((file.res_model, file.res_id), ("mail.message", statement.id))
            self.assertEqual((shared_file.res_model, shared_file.res_id), (payer._name, payer.id))
        named = older.filtered(lambda note: self.renewal.name in note.body)
        self.assertTrue(named)
        self.assertEqual(named.filtered("is_internal").membri_company_id, self.company)

    def test_tracked_states_of_older_versions(self):
        """The status of a renewal was tracked on its contact, which all companies read."""
        field = self.env_root["ir.model.fields"]._get("res.partner", "membri_renewal_state")
        name = self.env_root["ir.model.fields"]._get("res.partner", "name")
        notes = self.env_root["mail.message"].create(
            [
                {"model": "res.partner", "res_id": contact.id, "message_type": "notification"}
                for contact in (self.member, self.member, self.stranger)
            ]
        )
        alone, with_others, of_nobody = notes
        values = [(alone, field), (with_others, field), (with_others, name), (of_nobody, field)]
        tracked = self.env_root["mail.tracking.value"].create(
            [
                {"mail_message_id": note.id, "field_id": of_field.id, "new_value_char": "x"}
                for note, of_field in values
            ]
        )
        self.env.flush_all()
        path = "membri_renewal/migrations/19.0.1.2.5/post-tracked_states.py"
        script = load_script(file_path(path), "membri_post_tracked_states")
        for _time in range(2):
            script.migrate(self.env.cr, "19.0.1.2.4")
            self.env.invalidate_all()
            self.assertEqual(notes.mapped("membri_company_id"), self.company)
            self.assertEqual(alone.membri_company_id, self.company)
            self.assertEqual(tracked.exists(), tracked[0] | tracked[2])

    def test_every_note_is_for_a_company(self):
        """What is written on a contact says whose it is, where it is written."""
        models = Path(__file__).parents[1] / "models"
        plain = re.compile(r"partner(?:_id)?\.(?:_message_log|activity_schedule)")
        found = [path.name for path in models.rglob("*.py") if plain.search(path.read_text())]
        self.assertEqual(found, [])

    def test_not_by_the_context(self):
        """Clients mark nothing."""
        for value in ([self.company.id], self.company.id):
            context = {"membri_notes_of": value}
            note_id = call_kw(
                self.env(user=self.foreigner, context=context)["res.partner"],
                "message_post",
                [self.member.ids],
                {"body": "x"},
            )
            note = self.env["mail.message"].sudo().browse(note_id)
            self.assertFalse(note.membri_company_id)


@tagged("post_install", "-at_install")
class TestSettings(PortalCase):
    def test_settings_of_odoo(self):
        """Odoo's ``set_values`` asks for no right, and writes on no record all the same."""
        parameters = self.env_root["ir.config_parameter"]
        parameters.set_param("account.use_invoice_terms", "True")
        before = parameters.search_count([])
        for user in (self.employee, self.auditor, self.officer, self.manager, self.member_user):
            settings = self.env(user=user, context={})["res.config.settings"]
            with self.subTest(user=user.login), mute_logger(*MUTED):
                with self.assertRaises(AccessError):
                    call_kw(settings, "set_values", [[]], {})
        self.assertEqual(parameters.search_count([]), before)
        self.assertEqual(parameters.get_param("account.use_invoice_terms"), "True")
