"""Issue 11 A5: which records a record may name."""

from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tests import tagged

from .common_fields import FieldsCase


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestNamedRecords(FieldsCase):
    """A record of ours, and what we add to contacts, names what its writer may read: the name of
    what it names is shown with it, in sudo, and notices go to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        west = cls._create_other_company("West", "America/Vancouver")
        env = cls.env_root(context={"allowed_company_ids": west.ids})
        contact = env["res.partner"].create({"name": "Westerner", "company_id": west.id})
        product = env["product.product"].create({"name": "Western fee", "company_id": west.id})
        kind = env["membri.subscription.type"].create({"name": "Western", "company_id": west.id})
        option_set = env["membri.option.set"].create(
            {
                "name": "Western plan",
                "type_id": kind.id,
                "company_id": west.id,
                "line_ids": [Command.create({"product_id": product.id})],
            }
        )
        cls.foreign = {
            record._name: record for record in (contact, product, kind, option_set, west)
        } | {"membri.option.set.line": option_set.line_ids}
        cls.writers = cls.accountant | cls.manager
        cls.writers.with_env(cls.env_root).company_ids = cls.company

    def _get_named(self, model):
        return [
            (field, self.foreign[field.comodel_name])
            for field in model._fields.values()
            if field.store
            and field.comodel_name in self.foreign
            and model._is_our_field(field)
            and model._may_give(field)
        ]

    def test_written(self):
        tried = set()
        for name, record in self.samples.items():
            for field, foreign in self._get_named(self.env[name]):
                tried.add((name, field.name))
                value = foreign.id
                if field.type != "many2one":
                    value = [Command.link(foreign.id)]
                for user in self.writers:
                    with self.subTest(field=str(field), user=user.login):
                        # of what is frozen as well, the reason comes first
                        with self.assertRaises(UserError) as refused:
                            self._call(user, name, "write", [record[:1].ids, {field.name: value}])
                        self.assertNotIn("West", str(refused.exception))
                        self.assertTrue(
                            isinstance(refused.exception, AccessError)
                            or name == "membri.cotisation"
                        )
        self.assertLess(
            {
                ("res.partner", "membri_responsible_id"),
                ("res.partner", "membri_next_option_set_id"),
                ("membri.renewal", "option_set_id"),
                ("membri.renewal.line", "product_id"),
                ("membri.option.set", "type_id"),
                ("membri.campaign", "option_set_ids"),
            },
            tried,
        )

    def test_given(self):
        product = self.foreign["product.product"].id
        line = {"product_id": product, "price_unit": 5.0}
        cases = (
            ("res.partner", {"name": "x", "membri_responsible_id": self.foreign["res.partner"].id}),
            ("membri.renewal.line", {"renewal_id": self.draft.id, **line}),
            ("membri.option.set.line", {"option_set_id": self.yearly.id, "product_id": product}),
            ("membri.cotisation", {"partner_id": self.foreign["res.partner"].id}),
        )
        for name, vals in cases:
            for user in self.writers:
                with self.subTest(model=name, user=user.login), self.assertRaises(AccessError):
                    self._call(user, name, "create", [[vals]])

    def test_lines_of_a_parent(self):
        """A renewal whose line names a foreign product opened for nobody any more."""
        product = self.foreign["product.product"].id
        line = self.draft.line_ids[:1]
        for command in (
            Command.create({"product_id": product, "price_unit": 5.0}),
            Command.update(line.id, {"product_id": product}),
        ):
            for user in self.writers:
                with self.subTest(command=command, user=user.login):
                    with self.assertRaises(AccessError):
                        self._call(
                            user,
                            "membri.renewal",
                            "web_save",
                            [self.draft.ids, {"line_ids": [command]}, {"line_ids": {}}],
                        )

    def test_what_is_held_is_written_again(self):
        """Forms and imports send it back as it is."""
        contact = self.foreign["res.partner"]
        self.member.sudo().membri_responsible_id = contact
        self._call(
            self.manager,
            "res.partner",
            "write",
            [self.member.ids, {"membri_responsible_id": contact.id, "ref": "A1"}],
        )
        self.assertEqual(self.member.ref, "A1")

    def test_reported_payments_are_handled_in_the_company(self):
        outsider = self._create_manager_of(self.foreign["res.company"], "outsider")
        with self.assertRaises(ValidationError):
            self._call(
                self.manager,
                "membri.settings",
                "create",
                [[{"membri_payment_user_id": outsider.id}]],
            )
        self.assertFalse(self.company.sudo().membri_payment_user_id)

    def test_schedule_of_activities(self):
        """Odoo's window says of what company the records are that it is given."""
        for user in (self.employee, self.foreign_manager()):
            for record in (self.draft, self.draft.cotisation_id, self.campaign):
                values = {"res_model": record._name, "res_ids": str(record.ids)}
                with self.subTest(user=user.login, model=record._name):
                    with self.assertRaises(AccessError):
                        self._call(
                            user,
                            "mail.activity.schedule",
                            "web_save",
                            [[], values, {"company_id": {"fields": {"display_name": {}}}}],
                        )

    def test_whether_there_is_any(self):
        """Odoo looks for numbers, and for any at all, among the records of all companies: who is
        a member elsewhere."""
        member = self._create_member("Olga")
        renewal = self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        term = renewal.cotisation_id
        kind = self.yearly.sudo().type_id or self.env_root["membri.subscription.type"].create(
            {"name": "Of all"}
        )
        kind.sudo().company_id = False
        self.yearly.sudo().type_id = kind
        self.yearly.sudo().flush_recordset()
        cases = (
            (member, "membri_renewal_ids", renewal),
            (member, "membri_cotisation_ids", term),
            (kind, "option_set_ids", self.yearly),
        )
        foreigner = self.foreign_manager()
        for record, name, line in cases:
            own = Domain("id", "=", record.id)
            for user, is_seen in ((self.manager, True), (foreigner, False)):
                for condition in (
                    (name, "!=", False),
                    (name, "in", line.ids),
                    (name, "=", line.id),
                    (name, "ilike", ""),
                    (f"{name}.id", "=", line.id),
                    (f"{name}.company_id", "=", self.company.id),
                ):
                    with self.subTest(condition=condition, user=user.login):
                        for domain, found in (
                            (own & Domain(*condition), is_seen),
                            (own & ~Domain(*condition), not is_seen),
                        ):
                            count = self._call(user, record._name, "search_count", [list(domain)])
                            self.assertEqual(bool(count), found)

    def test_tabs_that_call_methods(self):
        """Odoo lets every employee put one on the screens of all; whoever opens it calls it."""
        action = self.env.ref("membri_renewal.action_membri_renewal")
        of_contacts = self.env.ref("base.action_partner_form")
        plain = {"name": "Tab", "parent_action_id": action.id, "parent_res_model": "membri.renewal"}
        method = {"python_method": "action_approve"}
        runs = {"action_id": self.env.ref("membri_renewal.action_server_renewal_approve").id}
        for user in (self.employee, self.auditor, self.officer):
            [own] = self._call(
                user, "ir.embedded.actions", "create", [[{**plain, "action_id": action.id}]]
            )
            calls = (
                ("create", [[{**plain, **method}]]),
                ("create", [[{**plain, **method, "parent_res_model": "res.users.log"}]]),
                ("create", [[{**plain, **method, "parent_action_id": of_contacts.id}]]),
                ("write", [[own], {**method, "action_id": False}]),
                ("create", [[{**plain, **runs}]]),
                ("create", [[{**plain, **runs, "parent_res_model": "res.lang"}]]),
                ("write", [[own], runs]),
            )
            for name, args in calls:
                with self.subTest(user=user.login, name=name), self.assertRaises(AccessError):
                    self._call(user, "ir.embedded.actions", name, args)
            # as in Odoo where it shows nothing of ours
            languages = self.env.ref("base.res_lang_act_window").id
            of_odoo = {"parent_action_id": languages, "parent_res_model": "res.lang"}
            self._call(user, "ir.embedded.actions", "create", [[{**plain, **method, **of_odoo}]])
        self.assertTrue(
            self._call(self.admin, "ir.embedded.actions", "create", [[{**plain, **method}]])
        )

    def test_contact_that_is_taken_from_a_company(self):
        """Its members would be read there no more."""
        west = self.foreign["res.company"]
        taker = self._create_manager_of(west, "taker")
        values = {"company_id": west.id}
        for contact in (self.member, self._create_member("Anybody")):
            if contact == self.member:
                with self.assertRaises(AccessError):
                    self._call(taker, "res.partner", "write", [contact.ids, values])
            else:
                self._call(taker, "res.partner", "write", [contact.ids, values])
        self.assertFalse(self.member.company_id)
        # by lines of the contact above it, or as the company of that one
        firm = self._create_member("Firm", company_id=west.id)
        shared = self._create_member("Shared Firm")
        number = self.member.id
        # lines of contacts are written as who called the server, which a test is not
        transaction = self.env.transaction
        called_by_taker = patch.object(transaction, "default_env", self.env(user=taker))
        self.enterContext(called_by_taker)
        for above, vals in (
            (firm, {"child_ids": [Command.link(number)]}),
            (firm, {"child_ids": [Command.set([number])]}),
            (firm, {"child_ids": [Command.update(number, {"parent_id": firm.id})]}),
            (shared, {"child_ids": [Command.link(number)], **values}),
            (self.member, {"company_id": str(west.id)}),
            (self.member, {"company_id": float(west.id)}),
        ):
            for attempt in ("write", "web_save"):
                args = [above.ids, vals, {}] if attempt == "web_save" else [above.ids, vals]
                with self.subTest(attempt=attempt, vals=vals), self.assertRaises(AccessError):
                    self._call(taker, "res.partner", attempt, args)
                self.assertFalse(self.member.company_id | self.member.parent_id.company_id)
        # nor does it go to a company that one does not work in, where its own reads it no more
        with self.assertRaises(AccessError):
            self._call(self.manager, "res.partner", "write", [self.member.ids, values])
        # its own company may keep it to itself, and who works in both decides
        self._call(
            self.manager, "res.partner", "write", [self.member.ids, {"company_id": self.company.id}]
        )
        self.assertEqual(self.member.company_id, self.company)

    def test_contacts_track_nothing_of_ours(self):
        """People of all companies read the track of a contact."""
        tracked = [
            name
            for name, field in self.env["res.partner"]._fields.items()
            if name.startswith("membri_") and getattr(field, "tracking", None)
        ]
        self.assertEqual(tracked, [])

    def foreign_manager(self):
        return self._create_manager_of(self.foreign["res.company"], "foreign_manager")

    def test_numbers(self):
        """Odoo gives every employee the next number of any sequence."""
        company = self.company.with_env(self.env_root)
        sequences = (
            company._membri_get_receipt_sequence()
            | company._membri_get_fee_notice_sequence()
            | self.env_root.ref("membri_renewal.sequence_renewal")
        )
        users = self.employee | self.auditor | self.officer | self.manager | self.accountant
        for sequence in sequences:
            for user in users:
                with self.subTest(sequence=sequence.code, user=user.login):
                    for method, args in (
                        ("next_by_id", [sequence.ids]),
                        ("next_by_code", [sequence.code]),
                    ):
                        with self.assertRaises(AccessError):
                            self._call(user, "ir.sequence", method, args)
        # of either kind, what is made gets its number
        self.env_root.ref("membri_renewal.sequence_renewal").implementation = "no_gap"
        renewal = self._create_renewal(
            self._create_cotisation(self._create_member("Nora"), "2026-01-01")
        )
        self.assertRegex(renewal.name, r"\d{5}$")
