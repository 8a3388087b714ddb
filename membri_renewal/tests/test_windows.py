"""Issue 11 A5: what a window is given."""

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common_fields import FieldsCase


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestWindows(FieldsCase):
    """Every window, given a record that its user may not read, tells nothing of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        west = cls._create_other_company("West", "America/Vancouver")
        cls.west = west
        cls.foreigner = cls._create_manager_of(west, "foreigner")
        cls.foreign = {
            "membri.renewal": cls.renewal,
            "membri.cotisation": cls.renewal.cotisation_id,
            "membri.option.set": cls.yearly,
            "account.move": cls.accepted.invoice_id,
            "res.company": cls.company,
            "account.journal": cls.company_data["default_journal_bank"],
        }

    def _get_windows(self):
        return {
            name: self.env[name]
            for name, model in self.registry.items()
            if name.startswith("membri.") and model._transient and not model._abstract
        }

    def test_foreign_ids(self):
        tried = set()
        for name, model in self._get_windows().items():
            for field in model._fields.values():
                record = self.foreign.get(field.comodel_name)
                if not record or not field.store or field.readonly or name == "membri.settings":
                    continue
                tried.add((name, field.name))
                plain, *others = self._get_givens(field, record.id)
                self._assert_told_nothing(name, field, plain, AccessError)
                for given in others:
                    # of a default, what is no number is nothing
                    refusals = (UserError, TypeError, ValueError, type(None))
                    self._assert_told_nothing(name, field, given, refusals)
        self.assertIn(("membri.renewal.reset", "renewal_id"), tried)
        self.assertGreater(len(tried), 8)

    def test_opened_by_no_button(self):
        """A form without anything is empty, or says what is missing."""
        for user in (self.manager, self.auditor):
            for name, window in self._get_windows().items():
                if not window.with_user(user).has_access("create"):
                    continue
                spec = {field: {} for field in window._fields}
                for given in ({}, {"renewal_ids": [Command.set(self.renewal.ids)]}):
                    given = {key: value for key, value in given.items() if key in spec}
                    with self.subTest(user=user.login, window=name, given=given):
                        args = [[], given, list(given), spec]
                        self.assertIn("value", self._call(user, name, "onchange", args))

    def _get_givens(self, field, id_):
        """:return: the ways to name a record that JSON has, and the database understands"""
        if field.type == "many2one":
            return [id_, str(id_), float(id_), {"id": id_}, [id_, "x"]]
        return [
            [Command.set([id_])],
            [Command.set([str(id_)])],
            [Command.set([float(id_)])],
            [Command.link(id_)],
            [Command.link(float(id_))],
            [Command.update(float(id_), {})],
            [id_],
            [str(id_)],
            [{"id": id_}],
        ]

    def _assert_told_nothing(self, name, field, given, refusals):
        read = {field.name: {"fields": {"display_name": {}}}}
        default = {"context": {f"default_{field.name}": given}}
        calls = {
            "create": ("create", [{field.name: given}], {}),
            "web_save": ("web_save", [[], {field.name: given}, read], {}),
            "default_get": ("default_get", [[field.name]], default),
            "onchange": ("onchange", [[], {field.name: given}, [field.name], read], {}),
            "onchange of defaults": ("onchange", [[], {}, [], read], default),
        }
        for what, (method, args, kwargs) in calls.items():
            with self.subTest(field=str(field), what=what, given=given):
                refused = told = None
                try:
                    told = self._call(self.foreigner, name, method, args, **kwargs)
                except Exception as error:
                    refused = error
                self.assertIsInstance(refused, refusals)
                for secret in (self.renewal.name, self.member.name, self.yearly.name):
                    self.assertNotIn(secret, f"{told} {refused}")
                if what in ("create", "web_save"):
                    self.assertTrue(refused, "a window would hold it")

    def test_terms_of_another_company_in_the_way(self):
        """That a member has a term there, and which, is told to nobody here."""
        theirs = self.renewal.cotisation_id
        plan = self.env["membri.option.set"].with_user(self.foreigner).create({"name": "Ours"})
        dates = {"date_start": "2026-03-01", "date_end": "2027-02-28"}
        vals = {"partner_id": self.member.id, "option_set_id": plan.id, **dates}
        [own_id] = self._call(self.foreigner, "membri.cotisation", "create", [[vals]])
        there = {"company_id": self.company.id}
        for method, args in (
            ("create", [{**vals, **there}]),
            ("create", [{**vals, "company_id": float(self.company.id)}]),
            ("web_save", [[], {**vals, **there}, {}]),
            ("write", [[own_id], {**there, "date_end": "2027-02-27"}]),
            ("write", [[own_id], {**there, "partner_id": self.member.id}]),
        ):
            with self.subTest(method=method, args=args), self.assertRaises(UserError) as caught:
                self._call(self.foreigner, "membri.cotisation", method, args)
            self.assertNotIn(theirs.name, str(caught.exception))
            self.assertNotIn("2026", str(caught.exception))

    def test_invoices_name_foreign_terms(self):
        """Neither by a new invoice nor by its form: whose they are is told in sudo."""
        bookkeeper = new_test_user(
            self.env_root,
            "bookkeeper_west",
            "account.group_account_manager",
            company_id=self.west.id,
            company_ids=self.west.ids,
        )
        self.env_root["account.journal"].create(
            {"name": "West", "code": "WST", "type": "sale", "company_id": self.west.id}
        )
        invoice = self.accepted.invoice_id
        line = invoice.invoice_line_ids
        spec = {"membri_member_count": {}, "membri_cotisation_count": {}}
        for term_id in (line.membri_cotisation_id.id, str(line.membri_cotisation_id.id)):
            lines = [Command.create({"name": "x", "membri_cotisation_id": term_id})]
            vals = {"move_type": "out_invoice", "partner_id": self.west.partner_id.id}
            with self.subTest(term_id=term_id), self.assertRaises(AccessError):
                self._call(
                    bookkeeper, "account.move", "create", [{**vals, "invoice_line_ids": lines}]
                )
            with self.subTest(term_id=term_id), self.assertRaises(AccessError):
                values = {**vals, "invoice_line_ids": lines}
                self._call(
                    bookkeeper, "account.move", "onchange", [[], values, ["invoice_line_ids"], spec]
                )
        for name, given in (
            ("invoice_line_ids", [Command.link(line.id)]),
            ("invoice_line_ids", [Command.set([float(line.id)])]),
            ("line_ids", [Command.link(line.id)]),
            ("reversed_entry_id", invoice.id),
        ):
            with self.subTest(field=name, given=given), self.assertRaises(AccessError):
                args = [[], {name: given}, [name], spec]
                self._call(bookkeeper, "account.move", "onchange", args)

    def test_forms_on_foreign_ids(self):
        """A form of any model of ours shows what is computed, in sudo, of the records that it
        names: of those only that its user may read."""
        request = self.renewal.sudo()._do_submit_change_request(
            self.renewal.sudo()._prepare_change_request_vals(message="In confidence"),
            self.member.sudo(),
        )
        self.foreign["membri.change.request"] = request
        self.foreign["membri.campaign"] = self.campaign
        tried = set()
        for name, model in self._get_models().items():
            for field in model._fields.values():
                record = self.foreign.get(field.comodel_name)
                if not record or not model._is_our_field(field):
                    continue
                tried.add(str(field))
                given = record.id if field.type == "many2one" else [Command.link(record.id)]
                values = {field.name: given}
                with self.subTest(field=str(field)), self.assertRaises(AccessError):
                    spec = {field.name: {"fields": {"display_name": {}}}}
                    self._call(self.foreigner, name, "onchange", [[], values, [field.name], spec])
        self.assertLessEqual(
            {
                "membri.renewal.cotisation_id",
                "membri.renewal.change_request_id",
                "membri.renewal.invoice_id",
                "membri.cotisation.invoice_id",
                "membri.settings.company_id",
                "res.partner.membri_renewal_id",
                "account.move.membri_renewal_id",
            },
            tried,
        )

    def test_forms_of_a_record_and_its_lines(self):
        own = self.env["membri.option.set"].with_user(self.foreigner).create({"name": "Ours"})
        line = [Command.create({"option_set_id": self.yearly.id})]
        for values in (
            {"line_ids": line},
            {"line_ids": [Command.link(self.yearly.line_ids[0].id)]},
        ):
            with self.subTest(values=values), self.assertRaises(AccessError):
                self._call(
                    self.foreigner,
                    "membri.option.set",
                    "onchange",
                    [own.ids, values, ["line_ids"], {"line_ids": {"fields": {"price_unit": {}}}}],
                )

    def test_forms_keep_what_they_hold(self):
        """Who works on an invoice need not be able to read the renewal that it shows."""
        invoice = self.accepted.invoice_id
        bookkeeper = new_test_user(
            self.env_root,
            "bookkeeper",
            "account.group_account_user",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        values = {"membri_renewal_id": invoice.membri_renewal_id.id, "ref": "x"}
        spec = {"membri_renewal_id": {"fields": {"display_name": {}}}, "ref": {}}
        self._call(bookkeeper, "account.move", "onchange", [invoice.ids, values, ["ref"], spec])
        values["membri_renewal_id"] = self.renewal.id
        with self.assertRaises(AccessError):
            self._call(bookkeeper, "account.move", "onchange", [invoice.ids, values, ["ref"], spec])

    def test_active_ids(self):
        for name in self._get_windows():
            if name == "membri.settings":
                continue
            with self.subTest(window=name):
                context = {"active_model": "membri.renewal", "active_ids": self.renewal.ids}
                fields = list(self.env[name]._fields)
                try:
                    values = self._call(
                        self.foreigner, name, "default_get", [fields], context=context
                    )
                except AccessError:
                    continue
                self.assertNotIn(self.renewal.id, values.get("renewal_ids", []))

    def test_file_that_somebody_else_imports(self):
        """Odoo's own import keeps the file, and shows it to every employee."""
        imported = (
            self.env["base_import.import"]
            .with_user(self.officer)
            .create({"res_model": "res.partner", "file": b"Name", "file_name": "members.csv"})
        )
        self.assertTrue(imported.read(["file"]))
        for user in (self.foreigner, self.employee, self.manager):
            own = imported.with_user(user)
            with self.subTest(user=user.login):
                self.assertFalse(own.search([("id", "=", imported.id)]))
                for method, args in (
                    ("read", [imported.ids, ["file"]]),
                    ("parse_preview", [imported.ids, {}]),
                    ("execute_import", [imported.ids, ["name"], ["name"], {}, True]),
                ):
                    with self.assertRaises(AccessError):
                        self._call(user, "base_import.import", method, args)

    def test_logins_of_foreign_contacts(self):
        """Odoo's window makes logins, and takes them away, of whomever its lines name."""
        bound = self._create_member("Bound", company_id=self.company.id)
        login = self._create_portal_user("bound_user", bound)
        window = self._call(self.foreigner, "portal.wizard", "create", [[{}]])
        for vals in ({"email": bound.email}, {"email": "evil@example.com"}, {}):
            vals = {"wizard_id": window[0], "partner_id": bound.id, **vals}
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                self._call(self.foreigner, "portal.wizard.user", "create", [[vals]])
        own = self._call(self.foreigner, "res.partner", "create", [[{"name": "Theirs"}]])
        vals = {"wizard_id": window[0], "partner_id": own[0]}
        line = self._call(self.foreigner, "portal.wizard.user", "create", [[vals]])
        with self.assertRaises(AccessError):
            self._call(
                self.foreigner, "portal.wizard.user", "write", [line, {"partner_id": bound.id}]
            )
        self.assertTrue(login.active)

    def test_window_of_somebody_else(self):
        reset = (
            self.env["membri.renewal.reset"]
            .with_user(self.officer)
            .create({"renewal_id": self.accepted.id})
        )
        self.assertEqual(reset.invoice_id, self.accepted.invoice_id)
        for user in (self.foreigner, self.manager, self.auditor, self.employee, self.member_user):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._call(
                    user,
                    "membri.renewal.reset",
                    "web_read",
                    [reset.ids, {"renewal_id": {"fields": {"display_name": {}}}, "obstacle": {}}],
                )
