from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from .common_whose import WhoseCase


@tagged("post_install", "-at_install")
class TestRulesFirst(WhoseCase):
    """The database asks cheap conditions before the record rules. A cheap one on the rows of
    others, then one that takes long: a stranger's login read the tokens of all invoices by the
    clock, 31 milliseconds for a letter that no token begins with, 61 for one that any does."""

    def _trap(self, record):
        """:return: a condition that the database fails on, as soon as it asks it of ``record``"""

        def to_sql(_model, alias, _query):
            number = SQL.identifier(alias, "id")
            return SQL("1 / (CASE WHEN %s = %s THEN 0 ELSE 1 END) = 1", number, record.id)

        return Domain.custom(to_sql=to_sql)

    def test_no_condition_is_asked_of_the_rows_of_others(self):
        self.personal.action_approve()
        invoice = self.personal.invoice_id
        for login in ("stranger", "colleague", "assistant", "corporation"):
            user = self.logins[login]
            for record in (
                self.personal,
                self.personal.line_ids[:1],
                invoice,
                invoice.invoice_line_ids[:1],
                self.in_charge,
                self.logins["in_charge"],
            ):
                with self.subTest(login=login, model=record._name):
                    model = self.env[record._name].with_user(user)
                    trap = self._trap(record)
                    self.assertNotIn(record, model.search(trap))
                    self.assertNotIn(record, model.search(Domain("id", "any", trap)))
                    model.search_count(Domain("id", "=", 0) | trap)
                    model.formatted_read_group(trap, ["id"], ["__count"])

    def test_what_is_theirs_is_found(self):
        self.personal.action_approve()
        own = self.personal.with_user(self.member_user)
        invoice = self.personal.invoice_id.with_user(self.member_user)
        name = self.member.name
        self.assertEqual(own.search([("partner_id.name", "=", name)]), own)
        self.assertFalse(own.search([("partner_id.name", "=", "Nobody")]))
        self.assertIn(invoice, invoice.search([("partner_id.name", "ilike", name)]))
        self.assertEqual(invoice.search_count([("partner_id.name", "ilike", "Nobody")]), 0)
        self.assertIn(self.member_user, self.member_user.search([("login", "!=", "x")]))

    def test_nobody_looks_for_records_by_what_opens_them(self):
        """The staff of one company neither, among the documents of another."""
        condition = ["access_token", "=like", "a%"]
        domains = {
            "membri.renewal": [condition],
            "membri.renewal.line": [["renewal_id.access_token", "=like", "a%"]],
            "account.move": [condition],
            "account.move.line": [["move_id", "any", [condition]]],
            "payment.transaction": [["landing_route", "like", "access_token=a"]],
            "ir.attachment": [condition],
            "res.partner": [["invoice_ids.access_token", "=like", "a%"]],
        }
        users = (self.stranger_user, self.member_user, self.officer, self.env_account.user)
        for user in users:
            for model, domain in domains.items():
                for asked in (domain, ["!", *domain], ["|", ["id", "=", 0], *domain]):
                    for method, args in (
                        ("search_count", [asked]),
                        ("search_read", [asked, ["id"]]),
                        ("formatted_read_group", [asked, ["id"], ["__count"]]),
                    ):
                        self.env.invalidate_all()
                        with (
                            self.subTest(user=user.login, model=model, domain=asked),
                            self.assertRaises(AccessError),
                        ):
                            call_kw(self.env[model].with_user(user), method, args, {})

    def test_files_are_looked_for_with_the_rights_of_the_user(self):
        """Odoo looks for them in sudo: by a file of their own, any employee asked about everything
        that its company or its maker leads to."""
        self._create_renewal(self._create_cotisation(self.officer.partner_id, "2026-01-01"))
        employee = new_test_user(self.env_root, "employee_of_files", "base.group_user")
        own = self.env["ir.attachment"].with_user(employee).create({"name": "own", "raw": b"x"})
        company = own.sudo().company_id
        to_renewals = "user_ids.partner_id.membri_renewal_ids"
        for path in (
            f"company_id.{to_renewals}.name",
            f"company_id.{to_renewals}.access_token",
            f"create_uid.company_id.{to_renewals}.state",
            "create_uid.partner_id.membri_member_since",
            "create_uid.company_id.user_ids.partner_id.invoice_ids.name",
        ):
            first, _dot, rest = path.partition(".")
            for domain in (
                [(path, "!=", False)],
                ["!", (path, "=", False)],
                [("id", "=", own.id), "|", ("id", "=", 0), (path, "!=", False)],
                [(first, "any", [(rest, "!=", False)])],
                [(first, "not any", [(rest, "!=", False)])],
            ):
                for method in ("search", "search_count"):
                    with self.subTest(domain=domain), self.assertRaises(AccessError):
                        call_kw(own, method, [[("id", "!=", 0), *domain]], {})
        # what they may ask is found as ever
        for domain, is_found in (
            ([("company_id", "=", company.id)], True),
            ([("company_id", "ilike", company.name)], True),
            ([("company_id", "not ilike", company.name)], False),
            ([("company_id", "=", company.name)], True),
            ([("company_id.name", "=", company.name)], True),
            ([("company_id.name", "!=", company.name)], False),
            ([("create_uid.login", "=", employee.login)], True),
            ([("create_uid", "not any", [("login", "=", employee.login)])], False),
            (["|", ("name", "=", "x"), ("create_uid", "in", employee.ids)], True),
        ):
            with self.subTest(domain=domain):
                found = own.search([("id", "=", own.id), *domain])
                self.assertEqual(bool(found), is_found)

    def test_visitors_look_for_no_files(self):
        """Odoo looks for them in sudo also where the login may read none."""
        file = self.env_root["ir.attachment"].create(
            {"name": "secret", "raw": b"x", "res_model": "membri.renewal", "res_id": 1}
        )
        trap = self._trap(file)
        for login in ("stranger", "member", "colleague"):
            Attachment = file.with_user(self.logins[login])
            with self.subTest(login=login):
                self.assertFalse(Attachment.search(trap))
                self.assertFalse(Attachment.search(trap, limit=1, order="id desc"))
                self.assertEqual(Attachment.search_count(Domain("id", "=", file.id) & trap), 0)
                self.assertEqual(Attachment.search_count(trap, limit=1), 0)

    def test_employees_ask_no_words_of_the_rows_of_others(self):
        """Who may read some of them: messages, activities and files are about anything."""
        employee = new_test_user(self.env_root, "employee_of_words", "base.group_user")
        self.personal.action_approve()
        for record in (self.personal, self.personal.invoice_id):
            message = record.sudo().message_post(body="Secret", subtype_xmlid="mail.mt_comment")
            activity = record.sudo().activity_schedule(
                "mail.mail_activity_data_todo", user_id=self.officer.id, summary="Secret"
            )
            file = self.env_root["ir.attachment"].create(
                {"name": "Secret", "raw": b"x", "res_model": record._name, "res_id": record.id}
            )
            for hidden, word in ((message, "body"), (activity, "summary"), (file, "name")):
                model = self.env[hidden._name].with_user(employee)
                trap = self._trap(hidden)
                for asked in (
                    Domain(word, "ilike", "secret") & trap,
                    Domain("id", "=", hidden.id) & Domain(word, "!=", "x") & trap,
                    Domain("create_uid.name", "!=", "x") & trap,
                    (Domain("id", "=", 0) | Domain(word, "=like", "S%")) & trap,
                ):
                    with self.subTest(model=hidden._name, about=record._name, domain=asked):
                        self.assertNotIn(hidden, model.search(asked))
                        self.assertNotIn(hidden, model.search(asked, limit=1, order="id"))
                        model.search_count(asked)
                # whoever reads the record finds them by the same words
                found = self.env[hidden._name].with_user(self.manager)
                words = Domain(word, "ilike", "secret")
                self.assertIn(hidden, found.search(words))
                self.assertIn(hidden, found.search(Domain("id", "=", hidden.id) & words))
        own = file.with_user(employee).create({"name": "Secret of mine", "raw": b"x"})
        self.assertEqual(own.search([("name", "ilike", "secret")]), own)

    def test_a_limit_tells_of_no_other_message(self):
        """Odoo picks the messages that one may read from so many as were asked for: behind another
        one that says so, one's own was not found."""
        employee = new_test_user(self.env_root, "employee_of_notes", "base.group_user")
        self.personal.action_approve()
        note = "The secret of the others"
        records = (self.personal, self.personal.invoice_id, self.member)
        hidden = self.env_root["mail.message"]
        for record in records:
            hidden |= record.sudo().message_post(body=note, subtype_xmlid="mail.mt_comment")
        for user in (self.logins["clerk"], self.logins["colleague"], employee):
            own = self.env_root["mail.message"].create(
                {
                    "body": "Mine",
                    "author_id": user.partner_id.id,
                    "message_type": "comment",
                    "subtype_id": self.env.ref("mail.mt_comment").id,
                }
            )
            Message = self.env["mail.message"].with_user(user)
            for message in hidden:
                if not user.share and message.model == "res.partner":
                    continue  # an employee reads contacts
                for said in (note, "What nobody said"):
                    domain = [
                        *("|", ("id", "=", own.id)),
                        *("&", ("id", "=", message.id), ("body", "ilike", said)),
                    ]
                    with self.subTest(user=user.login, model=message.model, said=said):
                        self.assertEqual(Message.search(domain, limit=1, order="id"), own)
                        self.assertEqual(Message.search_count(domain, limit=1), 1)
        # those whom it concerns read them
        self.assertIn(hidden[1], hidden.with_user(self.member_user).search([]))
        self.assertEqual(hidden.with_user(self.officer).search([("id", "in", hidden.ids)]), hidden)

    def test_a_limit_tells_of_no_other_activity(self):
        employee = new_test_user(self.env_root, "employee_of_todos", "base.group_user")
        self.personal.action_approve()
        mine = employee.partner_id.sudo().activity_schedule(
            "mail.mail_activity_data_todo", user_id=employee.id, summary="Mine"
        )
        for record in (self.personal, self.personal.invoice_id):
            activity = record.sudo().activity_schedule(
                "mail.mail_activity_data_todo", user_id=self.officer.id, summary="Secret"
            )
            for said in ("Secret", "Nothing"):
                domain = [
                    *("|", ("id", "=", mine.id)),
                    *("&", ("id", "=", activity.id), ("summary", "=", said)),
                ]
                found = mine.with_user(employee).search(domain, limit=1, order="id desc")
                with self.subTest(model=record._name, said=said):
                    self.assertEqual(found, mine)
            self.assertTrue(activity.with_user(self.officer).has_access("read"))
