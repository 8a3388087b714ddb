"""Issue 11 A5: what a client may write, and what it may learn by a detour, found by looking at
all fields of all models, so that a new one is tested before anybody thinks of it."""

import warnings
from base64 import b64decode

from freezegun import freeze_time

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common_fields import FieldsCase

OUTSIDE = ("res.company", "res.partner", "account.move", "account.move.line")
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGA"
    "hKmMIQAAAABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestFactsAreNotWritten(FieldsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        membership_import = cls.env["membri.import"].with_user(cls.manager).create({})
        vals = {"import_id": membership_import.id}
        provider = cls.env_root["payment.provider"].create(
            {"name": "Bank", "company_id": cls.company.id}
        )
        method = cls.env_root["payment.method"].search([], limit=1)
        cls.samples |= {
            "membri.import": membership_import,
            "membri.import.level": membership_import.level_ids.create({**vals, "name": "Gold"}),
            "membri.import.column": membership_import.column_ids._as_internal()
            .create({**vals, "name": "Level"})
            .with_env(membership_import.env),
            "membri.subscription.type": cls.env_root["membri.subscription.type"].create(
                {"name": "Kind", "company_id": cls.company.id}
            ),
            "membri.dashboard": cls.env["membri.dashboard"].search([], limit=1),
            # what of ours Odoo's payments and emails hold
            "payment.transaction": cls.env_root["payment.transaction"].create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": method.id,
                    "reference": "TX-1",
                    "amount": 1.0,
                    "currency_id": cls.company.currency_id.id,
                    "partner_id": cls.member.id,
                    "invoice_ids": cls.accepted.invoice_id.ids,
                }
            ),
            "mail.mail": cls.env_root["mail.mail"].search(
                [("model", "=", "membri.renewal"), ("res_id", "=", cls.renewal.id)], limit=1
            ),
        }

    def test_every_model_has_the_mechanism(self):
        models = self._get_models()
        for name, model in self.registry.items():
            if name.startswith("membri.") and not model._abstract and model._auto:
                self.assertIn(name, models)
        for name in OUTSIDE:
            self.assertIn(name, models)
        for name, model in self.registry.items():
            ours = [
                field
                for field in model._fields.values()
                if field.name.startswith("membri_") and field.store and not field.inherited
            ]
            if ours and not model._abstract and not model._transient:
                self.assertIn(name, models)
        names = {field.name for field in self._get_facts(self.env["membri.renewal"])}
        for name in (
            "name",
            "state",
            "is_paid",
            "is_open",
            "payment_state",
            "amount_total",
            "access_token",
            "invoice_id",
            "company_id",
        ):
            self.assertIn(name, names)

    def test_write(self):
        """Officer, and administrator with every right: by ``write`` and ``web_save``."""
        for user in (self.officer, self.admin):
            for name, record in self.samples.items():
                before = self._get_stored(record)
                for field in self._get_facts(record):
                    forged = self._forge(record, field)
                    if field.type == "many2one" and not forged:
                        continue  # there is no other record
                    with self.subTest(user=user.login, field=str(field)):
                        with self.assertRaises(UserError) as caught:
                            self._call(user, name, "write", [record.ids, {field.name: forged}])
                        if not isinstance(caught.exception, AccessError):
                            self.assertIn(record.display_name, str(caught.exception))
                        with self.assertRaises(UserError):
                            self._call(
                                user, name, "web_save", [record.ids, {field.name: forged}, {}]
                            )
                self.assertEqual(self._get_stored(record), before)

    def test_create(self):
        """Neither in the values, nor by a default of the context or of the user."""
        vals = {
            "membri.renewal": lambda: {"cotisation_id": self._create_yearly().id},
            "membri.cotisation": lambda: {
                "partner_id": self._create_member("Someone New").id,
                "option_set_id": self.yearly.id,
                "date_start": "2026-01-01",
            },
            "membri.campaign": lambda: {"option_set_ids": self.yearly.ids},
        }
        for name, get_vals in vals.items():
            model = self.env[name]
            usual = model.create(get_vals())
            for field in self._get_facts(model):
                if field.name in model._creation_fields:
                    continue
                forged = self._forge(usual, field)
                if field.type == "many2one" and not forged:
                    continue
                given = get_vals()
                with self.subTest(field=str(field)):
                    # forms send empty values along, which are left out
                    if forged and not model._passes_over_given_facts:
                        with self.assertRaises(UserError):
                            self._call(
                                self.officer, name, "create", [{**given, field.name: forged}]
                            )
                    if field.type in ("one2many", "many2many") or not field.store:
                        continue
                    id_ = self._call(
                        self.officer,
                        name,
                        "create",
                        [given],
                        context={f"default_{field.name}": forged},
                    )
                    created = model.sudo().browse(id_)
                    value = created[field.name]
                    self.assertNotEqual(value.id if field.type == "many2one" else value, forged)
                    created.unlink()

    def test_default_of_a_user(self):
        self.env["ir.default"].set("membri.renewal", "delivery_note", "forged", user_id=True)
        self.env["ir.default"].set(
            "membri.cotisation", "termination_reason", "forged", user_id=True
        )
        renewal = self._create_renewal(self._create_yearly())
        self.assertFalse(renewal.delivery_note)
        self.assertFalse(renewal.cotisation_id.termination_reason)

    def test_default_under_an_action(self):
        """A button makes records, too: the context of its call gives them no facts."""
        context = {
            "default_state": "active",
            "default_date_terminated": "2026-12-31",
            "default_termination_reason": "forged",
            "default_membri_fee_notice_name": "forged",
            "default_membri_date_sent": "2020-01-01 10:00:00",
            "default_membri_cotisation_id": self.renewal.cotisation_id.id,
        }
        self._call(
            self.officer, "membri.renewal", "action_approve", [self.draft.ids], context=context
        )
        term = self.draft.new_cotisation_id
        self.assertEqual(
            (term.state, term.date_terminated, term.termination_reason), ("pending", False, False)
        )
        self.assertFalse(self.draft.invoice_id.membri_fee_notice_name)
        self.assertFalse(self.draft.invoice_id.membri_date_sent)
        self.assertEqual(self.draft.invoice_id.line_ids.membri_cotisation_id, term)

    def test_copies_bring_no_facts(self):
        for name, model in self._get_models().items():
            if not model._written_by_clients or model._transient or name in OUTSIDE:
                continue
            for field in self._get_facts(model):
                if field.name in model._creation_fields:
                    continue
                with self.subTest(field=str(field)):
                    self.assertFalse(field.copy and field.store)
        (copied,) = self._call(
            self.officer,
            "membri.campaign",
            "copy",
            [self.campaign.ids, {"date_previewed": "2020-01-01 10:00:00"}],
        )
        self.assertFalse(self.campaign.browse(copied).date_previewed)

    def test_by_a_parent(self):
        """One2many commands of a contact, of a new term: facts of the lines, lines of others."""
        other = self.samples["membri.cotisation"]
        term = {
            "partner_id": self.stranger.id,
            "option_set_id": self.yearly.id,
            "date_start": "2027-06-01",
        }
        line = {"product_id": self.extra.id, "price_unit": 50.0}
        before = self._get_stored(other), self._get_stored(other.line_ids)
        for commands in (
            [Command.create({**term, "invoice_id": self.accepted.invoice_id.id})],
            [Command.create({**term, "payment_state": "paid"})],
            [Command.update(other.id, {"payment_state": "paid"})],
            [Command.update(other.id, {"company_id": self.company.id + 1})],
        ):
            with self.subTest(commands=commands), self.assertRaises(UserError):
                self._call(
                    self.officer,
                    "res.partner",
                    "write",
                    [self.colleague.ids, {"membri_cotisation_ids": commands}],
                )
        for commands in (
            [Command.create({**line, "price_subtotal": 1.0})],
            [Command.update(other.line_ids.id, {"price_unit": 1.0})],
            [Command.link(other.line_ids.id)],
            [Command.set(other.line_ids.ids)],
            [Command.delete(other.line_ids.id)],
        ):
            with self.subTest(commands=commands), self.assertRaises(UserError):
                self._call(
                    self.officer, "membri.cotisation", "create", [{**term, "line_ids": commands}]
                )
        self.assertEqual((self._get_stored(other), self._get_stored(other.line_ids)), before)

    def test_by_a_parent_that_exists(self):
        """Its own lines: facts of old ones, and of new ones."""
        pending = self.accepted.new_cotisation_id
        imported = self.renewal.cotisation_id
        imported.line_ids = [Command.create({"product_id": self.extra.id, "price_unit": 50.0})]
        for term in (pending, imported, self.draft):
            line = term.line_ids
            before = self._get_stored(line), len(line)
            new = {"product_id": self.extra.id, "price_unit": 50.0}
            for field in self._get_facts(line):
                forged = self._forge(line, field)
                if field.type == "many2one" and not forged:
                    continue
                for command in (
                    Command.update(line.id, {field.name: forged}),
                    Command.create({**new, field.name: forged}),
                ):
                    vals = {"line_ids": [command]}
                    with self.subTest(term=term._name, command=command):
                        with self.assertRaises(UserError):
                            self._call(self.officer, term._name, "write", [term.ids, vals])
                        with self.assertRaises(UserError):
                            self._call(self.admin, term._name, "web_save", [term.ids, vals, {}])
            self.assertEqual((self._get_stored(line), len(term.line_ids)), before)
        # what stays as it is may be sent along, by forms and imports
        line = imported.line_ids
        vals = {"price_subtotal": line.price_subtotal, "price_unit": line.price_unit + 1}
        self._call(
            self.officer,
            "membri.cotisation",
            "write",
            [imported.ids, {"line_ids": [Command.update(line.id, vals)]}],
        )
        self.assertEqual(line.price_subtotal, line.quantity * vals["price_unit"])

    def test_by_a_file(self):
        """A file is the value of the field that it names."""
        record = self.env["membri.import"].with_user(self.manager).create({})
        of_field = {"name": "x", "raw": b"x", "res_model": record._name, "res_id": record.id}
        created = self._call(
            self.manager, "ir.attachment", "create", [[{**of_field, "res_field": "file"}]]
        )
        self.assertTrue(created)
        with self.assertRaises(AccessError):
            self._call(
                self.manager,
                "ir.attachment",
                "create",
                [[{**of_field, "res_field": "result_file"}]],
            )
        with self.assertRaises(AccessError):
            self._call(
                self.manager, "ir.attachment", "write", [created, {"res_field": "result_file"}]
            )
        self.assertFalse(record.result_file)

    def test_what_has_ended_keeps_its_currency(self):
        term = self._create_cotisation(self._create_member("Past"), "2020-01-01", state="expired")
        other = self.env_root["res.currency"].search(
            [("id", "!=", term.currency_id.id), ("active", "=", True)], limit=1
        ) or self.env_root.ref("base.GBP")
        with self.assertRaises(UserError):
            self._call(
                self.officer, "membri.cotisation", "write", [term.ids, {"currency_id": other.id}]
            )

    def test_invoice_of_somebody_else(self):
        """No invoice of the accountant's becomes a member's: not by a copy, not by a line."""
        line = self.accepted.invoice_id.invoice_line_ids
        copied = self._call(
            self.accountant,
            "account.move",
            "copy",
            [self.accepted.invoice_id.ids],
            context={"include_business_fields": True},
        )
        copy = self.env_root["account.move"].browse(copied)
        self.assertFalse(copy.invoice_line_ids.membri_cotisation_id)
        self.assertFalse(copy.membri_invoice_type)
        with self.assertRaises(UserError):
            self._call(
                self.accountant,
                "account.move",
                "write",
                [
                    copy.ids,
                    {
                        "invoice_line_ids": [
                            Command.update(
                                copy.invoice_line_ids.id,
                                {"membri_cotisation_id": line.membri_cotisation_id.id},
                            )
                        ]
                    },
                ],
            )

    def test_what_was_paid_stays(self):
        term = self.accepted.new_cotisation_id
        self._pay(self.accepted.invoice_id)
        self.assertEqual(term.state, "scheduled")
        before = self._get_stored(term)
        for error, vals in (
            (UserError, {"option_set_id": self.fixed.id}),
            (UserError, {"date_start": "2026-12-31"}),
            (UserError, {"date_end": "2027-12-01"}),
            (RedirectWarning, {"line_ids": [Command.clear()]}),
        ):
            with self.subTest(vals=vals):
                with self.assertRaises(error) as caught:
                    self._call(self.manager, "membri.cotisation", "write", [term.ids, vals])
                self.assertIn(term.name, str(caught.exception))
        self.assertEqual(self._get_stored(term), before)

    def test_refusals_tell_nothing(self):
        """Of a record that somebody may not write they read no name in the sentence, also where
        Odoo has just read it to track its changes."""
        west = self._create_other_company("West", "America/Vancouver")
        foreigner = self._create_manager_of(west, "foreigner")
        for model, record in self.samples.items():
            if model == "res.partner" or not record:
                continue  # contacts are everybody's
            facts = [name for name, field in record._fields.items() if record._is_fact(field)]
            for name in {*record._locked_fields, *record._odoo_facts, *facts[:2]}:
                forged = self._forge(record, record._fields[name])
                for user in (self.employee, foreigner):
                    shared = model in ("membri.refusal.reason", "membri.dashboard")
                    if shared and user == foreigner:
                        continue
                    with self.subTest(model=model, field=name, user=user.login):
                        with self.assertRaises(AccessError):
                            self._call(user, model, "write", [record.ids, {name: forged}])

    def test_fields_that_are_shown_can_be_read(self):
        """Clients that name no fields read all that they are shown."""
        invoicer = new_test_user(
            self.env_root,
            "invoicer",
            "account.group_account_invoice",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        invoice = self.accepted.invoice_id
        records = (invoice, invoice.line_ids, self.member, self.company)
        for user in (invoicer, self.employee, self.auditor, self.officer):
            for record in records:
                if not record.with_user(user).has_access("read"):
                    continue
                shown = self._call(user, record._name, "fields_get", [], attributes=["type"])
                names = [name for name in shown if name.startswith("membri_")]
                with self.subTest(user=user.login, model=record._name):
                    if names:
                        self.assertTrue(self._call(user, record._name, "read", [record.ids, names]))

    def test_what_is_sent_by_the_scheduler(self):
        """It failed for all companies on one value, and sent in whose name the invoice said."""
        invoice = self.accepted.invoice_id
        user, before = self.officer, invoice.sending_data
        sent = {"author_user_id": user.id, "author_partner_id": user.partner_id.id}
        for forged in (1, "x", [1], {"author_user_id": 1}, {**sent, "author_partner_id": 1}):
            with self.subTest(forged=forged), self.assertRaises(UserError):
                self._call(user, "account.move", "write", [invoice.ids, {"sending_data": forged}])
            with self.subTest(default=forged), self.assertRaises(UserError):
                self._call(
                    user,
                    "account.move",
                    "create",
                    [[{"move_type": "out_invoice"}]],
                    context={"default_sending_data": forged},
                )
        self.assertEqual(invoice.sending_data, before)
        self._call(user, "account.move", "write", [invoice.ids, {"sending_data": sent}])
        self.assertTrue(invoice.is_being_sent)

    def test_what_odoo_computes_of_an_invoice(self):
        """Odoo lets clients write it; on a membership invoice it says whether somebody paid."""
        invoice, term = self.accepted.invoice_id, self.accepted.new_cotisation_id
        receivable = invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
        before = self._get_stored(invoice), self._get_stored(receivable), term.state
        for user in (self.officer, self.admin):
            for record in (invoice, receivable, invoice.invoice_line_ids):
                for name in record._odoo_facts:
                    forged = self._forge(record, record._fields[name])
                    if name == "payment_state":
                        forged = "paid"
                    with self.subTest(user=user.login, field=name), self.assertRaises(UserError):
                        self._call(user, record._name, "write", [record.ids, {name: forged}])
            lines = [Command.update(receivable.id, {"amount_residual": 0.0})]
            with self.subTest(user=user.login), self.assertRaises(UserError):
                self._call(user, "account.move", "write", [invoice.ids, {"line_ids": lines}])
        self.assertEqual(
            (self._get_stored(invoice), self._get_stored(receivable), term.state), before
        )
        self._call(self.admin, "account.move", "action_toggle_block_payment", [invoice.ids])
        self.assertEqual(invoice.payment_state, "blocked")
        self._call(self.admin, "account.move", "action_toggle_block_payment", [invoice.ids])
        self.assertEqual(invoice.payment_state, "not_paid")
        # what is paid is neither blocked nor unpaid by a word; the buttons do what they do
        self._pay(invoice)
        self.assertEqual(term.state, "scheduled")
        for vals in (
            {"payment_state": "not_paid"},
            {"payment_state": "blocked"},
            {"state": "draft"},
            {"state": "cancel"},
        ):
            for context in ({}, {"membri_by_button": ["button"]}):
                with self.subTest(vals=vals), self.assertRaises(UserError):
                    self._call(
                        self.officer, "account.move", "write", [invoice.ids, vals], context=context
                    )
        self._call(self.officer, "account.move", "button_draft", [invoice.ids])
        self.assertEqual((invoice.state, term.state), ("draft", "pending"))
        self._call(self.officer, "account.move", "action_post", [invoice.ids])
        self.assertEqual(invoice.state, "posted")
        self._call(self.officer, "account.move", "button_cancel", [invoice.ids])
        self.assertEqual((invoice.state, term.state), ("cancel", "cancelled"))

    def test_online_payments_are_the_providers(self):
        """Odoo lets whoever works on invoices make and write online payments, and books those that
        are done: of membership invoices nobody says so but the provider."""
        transaction = self.samples["payment.transaction"]
        paid = self.accepted.invoice_id
        ordinary = transaction.copy({"reference": "TX-2"})
        vals = {
            "provider_id": transaction.provider_id.id,
            "payment_method_id": transaction.payment_method_id.id,
            "amount": 345.0,
            "currency_id": paid.currency_id.id,
            "partner_id": paid.partner_id.id,
            "state": "done",
        }
        link = [Command.link(paid.id)]
        child = {"source_transaction_id": transaction.id, "operation": transaction.operation}
        names = ["reference", *(name for name in vals), "invoice_ids"]

        def get_facts():
            self.env.invalidate_all()
            return (
                transaction.read(["state", "amount", "invoice_ids"]),
                ordinary.read(["state", "invoice_ids"]),
                paid.read(["payment_state", "transaction_ids"]),
            )

        before = get_facts()
        for user in (self.officer, self.accountant):
            for method, args, context in (
                ("write", [transaction.ids, {"state": "done"}], {}),
                (
                    "write",
                    [transaction.ids, {"state": "done"}],
                    {"membri_by_provider": ["provider"]},
                ),
                ("write", [transaction.ids, {"amount": 345.0}], {}),
                ("write", [transaction.ids, {"invoice_ids": [Command.clear()]}], {}),
                ("write", [ordinary.ids, {"invoice_ids": link}], {}),
                ("write", [ordinary.ids, {"source_transaction_id": transaction.id}], {}),
                ("create", [{**vals, "reference": "TX-3", **child}], {}),
                ("web_save", [[], {**vals, "reference": "TX-3", "invoice_ids": link}, {}], {}),
                ("create", [{**vals, "reference": "TX-3"}], {"default_invoice_ids": link}),
            ):
                with self.subTest(user=user.login, args=args), self.assertRaises(UserError):
                    self._call(user, "payment.transaction", method, args, context=context)
            row = ["TX-4", *map(str, vals.values()), str(paid.id)]
            names = [f"{n}/.id" if n.endswith(("_id", "_ids")) else n for n in names]
            result = self._call(user, "payment.transaction", "load", [names, [row]])
            self.assertFalse(result["ids"])
            names = [n.removesuffix("/.id") for n in names]
            with self.subTest(user=user.login, by="the invoice"), self.assertRaises(UserError):
                values = {"transaction_ids": [Command.link(ordinary.id)]}
                self._call(user, "account.move", "write", [paid.ids, values])
        self.assertEqual(get_facts(), before)
        # ordinary ones as in Odoo
        self._call(self.officer, "payment.transaction", "write", [ordinary.ids, {"amount": 2.0}])
        self.assertEqual(ordinary.amount, 2.0)
        transaction.with_user(self.admin)._set_pending()
        self.assertEqual(transaction.state, "pending", "what the provider says")
        # Odoo's buttons, of what the page has processed, and of what is to be booked: the second is
        # for those who read providers, in Odoo too
        transaction._post_process()
        self.assertTrue(transaction.is_post_processed)
        transaction.with_user(self.accountant)._set_done()
        self.assertEqual((transaction.state, transaction.is_post_processed), ("done", False))
        demo = self.env_root.ref("payment.payment_provider_demo").copy(
            {"company_id": self.company.id}
        )
        demo.state = "test"
        demo.journal_id = self.company_data["default_journal_bank"]
        transaction.provider_id = demo
        self.env.invalidate_all()
        transaction.with_user(self.admin)._post_process()
        self.assertTrue(transaction.is_post_processed)
        self.assertEqual(transaction.payment_id.amount, 1.0)

    def test_imports_go_on(self):
        """README: contact, option set, first and last day, state; by officer and manager, twice."""
        for user in (self.officer, self.manager):
            member = self._create_member(f"Imported by {user.login}")
            names = ["id", "partner_id/.id", "option_set_id/.id", "date_start", "date_end", "state"]
            row = [
                f"__import__.term_{user.login}",
                str(member.id),
                str(self.yearly.id),
                "2026-01-01",
                "2026-12-31",
                "active",
            ]
            for _time in range(2):
                with self.subTest(user=user.login):
                    result = self._call(user, "membri.cotisation", "load", [names, [row]])
                    self.assertFalse(result["messages"])
                    term = self.env["membri.cotisation"].browse(result["ids"])
                    self.assertEqual((term.state, term.origin), ("active", "import"))
                    self.assertEqual(member.membri_status, "active")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestNoDetour(FieldsCase):
    """What ``read`` refuses is not filtered, ordered, grouped, summed up or exported by either."""

    def _get_detours(self, model, name, field):
        """:param name: of ``field``, or a path that leads to it
        :return: ``{what: (method, args, kwargs)}``"""
        value = {"boolean": True, "selection": "x", "char": "a", "text": "a", "html": "a"}.get(
            field.type, False
        )
        operator = "ilike" if field.type in ("char", "text", "html") else "!="
        domain = [(name, operator, value)]
        group = f"{name}:month" if field.type in ("date", "datetime") else name
        return {
            "search": ("search", [domain], {}),
            "search_count": ("search_count", [domain], {}),
            "search by itself": ("search", [[("id", "any", domain)]], {}),
            "search by not itself": ("search", [[("id", "not any", domain)]], {}),
            "search_read": ("search_read", [domain, ["id"]], {}),
            "web_search_read": ("web_search_read", [domain, {"id": {}}], {}),
            "name_search": ("name_search", ["", domain], {}),
            "order": ("search", [[]], {"order": f"{name} desc"}),
            "formatted_read_group": ("formatted_read_group", [[], [group], ["__count"]], {}),
            "read_group": ("read_group", [[], ["id:count"], [group]], {"lazy": False}),
            "web_read_group": ("web_read_group", [[], [group]], {}),
            "aggregate": ("formatted_read_group", [[], [], [f"{name}:count_distinct"]], {}),
            "array": ("formatted_read_group", [[], [], [f"{name}:array_agg"]], {}),
            "order of groups": (
                "formatted_read_group",
                [[], ["id"], ["__count"]],
                {"order": f"{name}:max"},
            ),
            "progress": (
                "read_progress_bar",
                [[], group, {"field": "id", "colors": {"1": "success"}}],
                {},
            ),
            "panel": ("search_panel_select_range", [name], {}),
            "export": ("export_data", [model.ids, [name.replace(".", "/")]], {}),
            "read": ("read", [model.ids, [name]], {}),
            "web_read": ("web_read", [model.ids, {name: {}}], {}),
        }

    def _assert_no_detour(self, user, records, name, field):
        for what, (method, args, kwargs) in self._get_detours(records, name, field).items():
            with self.subTest(user=user.login, field=f"{records._name}.{name}", what=what):
                try:
                    with warnings.catch_warnings():
                        # clients still find the old way to group
                        warnings.simplefilter("ignore", DeprecationWarning)
                        result = self._call(user, records._name, method, args, **kwargs)
                except (UserError, ValueError, KeyError, NotImplementedError):
                    continue  # denied, or no such question
                self.fail(f"answered: {str(result)[:200]}")

    def test_portal(self):
        """A member's own renewal, and its lines: every field that is not named as a member's."""
        for records in (self.renewal, self.renewal.line_ids):
            own = records.with_user(self.member_user)
            self.assertEqual(own.search([]) & records, records)
            for field in records._fields.values():
                if field.name in records._portal_fields:
                    self.assertTrue(own._has_field_access(field, "read"))
                    continue
                self._assert_no_detour(self.member_user, records, field.name, field)

    def test_portal_by_a_path(self):
        line = self.renewal.line_ids
        for field in self.renewal._fields.values():
            if field.name not in self.renewal._portal_fields and field.name != "id":
                self._assert_no_detour(self.member_user, line, f"renewal_id.{field.name}", field)
        for path in ("cotisation_id.termination_reason", "new_cotisation_id.origin"):
            field = self.env["membri.cotisation"]._fields[path.split(".")[1]]
            self._assert_no_detour(self.member_user, self.renewal, path, field)

    def test_portal_of_models_of_odoo(self):
        """Their own invoice, contact and company: our fields on it are the staff's, but for those
        that are named as members'."""
        invoice = self.accepted.invoice_id
        self.company.membri_signature = PIXEL
        for records in (invoice, invoice.invoice_line_ids, self.colleague, self.company):
            own = records.with_user(self.colleague_user)
            self.assertEqual(own.search([("id", "in", records.ids)]), records)
            self.assertTrue(own.read(["display_name"]))
            ours = {name for name in records._fields if name.startswith("membri_")}
            self.assertLessEqual(records._portal_fields, ours)
            for name in ours:
                if name in records._portal_fields:
                    self.assertTrue(own.read([name]))
                else:
                    self._assert_no_detour(
                        self.colleague_user, records, name, records._fields[name]
                    )
        self.assertEqual(invoice.with_user(self.colleague_user).membri_invoice_type, "renewal")
        # from a journal item to its entry, whose rights Odoo does not ask for
        for name in ("membri_delivery_note", "membri_date_reported", "membri_renewal_ids"):
            self._assert_no_detour(
                self.colleague_user,
                invoice.invoice_line_ids,
                f"move_id.{name}",
                invoice._fields[name],
            )

    @mute_logger("odoo.addons.base.models.ir_binary", "odoo.models")
    def test_portal_images(self):
        """The signature of the certificates is on them, and nowhere else."""
        self.company.membri_signature = PIXEL
        path = f"/web/image/res.company/{self.company.id}/membri_signature"
        for login in (None, "member_user"):
            self._sign_in(login)
            self.assertNotIn(b64decode(PIXEL), self.url_open(path).content)
            self.assertNotEqual(self.url_open(path.replace("image", "content")).status_code, 200)
        self._sign_in("officer")
        self.assertEqual(self.url_open(path.replace("image", "content")).status_code, 200)

    def test_portal_reads_and_groups_what_is_the_members(self):
        own = self.renewal.with_user(self.member_user)
        groups = own.formatted_read_group([], ["state"], ["amount_total:sum"])
        self.assertTrue(groups)
        self.assertTrue(own.search([("is_open", "=", True)], order="date_end desc"))

    def test_by_models_that_lead_to_contacts(self):
        """Odoo filters users by their contacts, and all records by their followers, without asking
        for the rights to these."""
        refused = [
            field
            for field in self.member._fields.values()
            if field.name.startswith("membri_")
            and not self.member.with_user(self.employee)._has_field_access(field, "read")
        ]
        self.assertGreater(len(refused), 10)
        users = self.member_user
        for field in refused:
            for name, domain in (
                ("res.users", [(field.name, "!=", False)]),
                ("res.users", [(f"partner_id.{field.name}", "!=", False)]),
                ("mail.message", [(f"author_id.{field.name}", "!=", False)]),
                ("product.template", [(f"message_partner_ids.{field.name}", "!=", False)]),
                ("product.template", [("message_partner_ids", "any", [(field.name, "=", 1)])]),
                ("res.partner", [("message_partner_ids", "not any", [(field.name, "=", 1)])]),
            ):
                with self.subTest(model=name, domain=domain), self.assertRaises(AccessError):
                    self._call(self.employee, name, "search_count", [domain])
        found = users.with_user(self.officer).search([("partner_id.membri_is_member", "=", True)])
        self.assertIn(self.member_user, found)

    def test_staff(self):
        """Employees and auditors: the fields of contacts and renewals that are others'."""
        portal_like = {self.employee: self.member, self.auditor: self.renewal}
        for user, records in portal_like.items():
            refused = [
                field
                for field in records._fields.values()
                if field.name.startswith("membri_") or records._name.startswith("membri.")
                if not records.with_user(user)._has_field_access(field, "read")
            ]
            self.assertTrue(refused)
            for field in refused:
                self._assert_no_detour(user, records, field.name, field)
