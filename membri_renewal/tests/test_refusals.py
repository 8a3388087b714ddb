from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_whose import WhoseCase

QUOTED = ("Failing row", "quoted@x.example", "Quoted note", "pbkdf2")


@tagged("post_install", "-at_install")
class TestRefusals(WhoseCase):
    """What is refused is not told by the error that says so."""

    def _call(self, records, method, *args):
        """:return: the error that the client gets, and all of the answer as text"""
        self.env.flush_all()
        params = {
            "model": records._name,
            "method": method,
            "args": [*args] if method == "create" else [records.ids, *args],
            "kwargs": {},
        }
        with mute_logger("odoo.http", "odoo.sql_db", "odoo.addons.base.models.ir_rule"):
            response = self.opener.post(
                f"{self.base_url()}/web/dataset/call_kw",
                json={"jsonrpc": "2.0", "method": "call", "params": params},
            )
        return response.json()["error"]["data"], response.text

    def test_the_database_quotes_no_row(self):
        """Whoever edits contacts read all columns of a member, of all companies, in the traceback
        of the error; members read what the staff notes of them."""
        self.member.membri_renewal_email = "quoted@x.example"
        self.member.comment = "Quoted note"
        self.employee.group_ids += self.env.ref("base.group_partner_manager")
        for login, record, name in (
            ("employee", self.member, "name"),
            ("member_user", self.member_user, "name"),
            ("member_user", self.member_user, "notification_type"),
        ):
            self._sign_in(login)
            with self.subTest(login=login, name=name):
                error, text = self._call(record, "write", {name: False})
                self.assertEqual(error["name"], "odoo.exceptions.ValidationError")
                self.assertIn("Violation", error["debug"])
                for quoted in QUOTED:
                    self.assertNotIn(quoted, text)

    def test_who_may_create_none_hears_of_none(self):
        """Any employee was told the number and the days of the term of any member, as the reason
        why there could not be another one; each try took a number."""
        numbers = self.env_root["ir.sequence"].search([("code", "like", "membri.")])
        before = numbers.mapped("number_next_actual")
        term = self.personal.cotisation_id
        member = self.personal.partner_id
        vals = {"partner_id": member.id, "company_id": self.company.id}
        period = {"date_start": "2026-01-01", "date_end": "2026-12-31"}
        for login in ("employee", "member_user", "stranger_user"):
            self._sign_in(login)
            for model, given in (
                ("membri.cotisation", {**vals, **period}),
                ("membri.cotisation", {**vals, "date_start": "2036-01-01"}),
                ("membri.renewal", vals),
                ("membri.renewal", {"cotisation_id": term.id}),
                ("membri.renewal.line", {"renewal_id": self.personal.id, "product_id": 1}),
            ):
                with self.subTest(login=login, model=model, given=given):
                    error, text = self._call(self.env[model], "create", [given])
                    self.assertEqual(error["name"], "odoo.exceptions.AccessError")
                    self.assertIn(f"({model})", error["message"])
                    self.assertNotIn(term.name, text)
        numbers.invalidate_recordset()
        self.assertEqual(numbers.mapped("number_next_actual"), before)

    def test_who_may_write_no_contact_hears_of_no_member(self):
        """Whoever had signed up read the names of all members, by their numbers, as those of
        contacts that are not given to another company."""
        elsewhere = self.env_root["res.company"].create({"name": "Elsewhere"})
        for login in ("employee", "member_user", "stranger_user"):
            self._sign_in(login)
            for vals in (
                {"company_id": elsewhere.id},
                {"company_id": self.company.id},
                {"parent_id": elsewhere.partner_id.id},
            ):
                with self.subTest(login=login, vals=vals):
                    error, text = self._call(self.corporation, "write", vals)
                    self.assertEqual(error["name"], "odoo.exceptions.AccessError")
                    self.assertNotIn(self.corporation.name, text)
                    self.assertIn("(res.partner)", error["message"])

    def test_debug_mode_names_nothing(self):
        """Any employee read subjects, summaries, names of files, and who was sent which notice."""
        message = self.personal.message_post(
            body="Quoted body",
            subject="Quoted subject",
            attachments=[("quoted.txt", b"Quoted")],
            partner_ids=self.stranger.ids,
        )
        activity = self.personal.activity_schedule(
            "mail.mail_activity_data_todo", summary="Quoted summary", user_id=self.officer.id
        )
        elsewhere = self.env_root["res.company"].create({"name": "Elsewhere"})
        foreign = self._create_member("Quoted Foreigner")
        foreign.company_id = elsewhere
        refused = [
            (message, "Quoted subject"),
            (activity, "Quoted summary"),
            (message.attachment_ids, "quoted.txt"),
            (message.sudo().notification_ids, self.stranger.name),
            (foreign, "Quoted Foreigner"),
        ]
        self._sign_in("employee")
        self.url_open("/odoo?debug=1")
        for records, name in refused:
            self.assertIn(name, records.sudo()[:1].display_name)
            for method, args in (
                ("read", [["display_name"]]),
                ("web_read", [{"display_name": {}}]),
            ):
                with self.subTest(model=records._name, method=method):
                    error, text = self._call(records, method, *args)
                    self.assertEqual(error["name"], "odoo.exceptions.AccessError")
                    self.assertIn(f"({records._name}: {records[:1].id}", error["message"])
                    self.assertNotIn(name, text)
