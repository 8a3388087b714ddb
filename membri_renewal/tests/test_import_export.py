import base64
import csv
import io

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import file_open

from .common_automatic_payment import AutomaticPaymentCommon
from .common_import import ImportCase


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestImportExport(ImportCase):
    """Issue 16, 2: what is exported from one company is the same in an empty one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls._create_other_company(
            "Elsewhere", "America/Toronto", with_accounting=True
        )
        cls.manager.with_env(cls.env_root).company_ids += cls.elsewhere
        cls.yearly.with_env(cls.env_root).copy({"company_id": cls.elsewhere.id, "name": "Yearly"})
        cls.for_life.with_env(cls.env_root).copy(
            {"company_id": cls.elsewhere.id, "name": "For life"}
        )

    def _get_facts(self, company):
        terms = (
            self.env["membri.cotisation"]
            .with_company(company)
            .search([("company_id", "=", company.id)])
        )
        return sorted(
            (
                term.partner_id.name,
                term.option_set_id.name,
                str(term.date_start),
                str(term.date_end),
                term.state,
                term.amount_total,
                term.partner_id.with_company(company).membri_status,
                str(term.partner_id.with_company(company).membri_member_since),
                str(term.date_terminated),
                term.renewal_ids.mapped("state"),
            )
            for term in terms
        )

    def test_round_trip(self):
        firm = self._create_member("=Firm & Sons", is_company=True, ref="F-1")
        person = self._create_member("Person One", membri_member_since="2001-02-03")
        lines = [(0, 0, {"product_id": self.product.id, "price_unit": 80.0, "quantity": 2})]
        self._create_cotisation(firm, "2025-01-01", state="expired", line_ids=lines)
        current = self._create_cotisation(firm, "2026-01-01", line_ids=lines)
        self._create_cotisation(firm, "2027-01-01", state="cancelled")
        self._create_cotisation(firm, "2027-01-01", state="cancelled")
        self._create_cotisation(firm, "2027-01-01", state="pending")
        self._create_cotisation(person, "2026-03-01", self.for_life)
        leaver = self._create_cotisation(self._create_member("Leaver"), "2026-02-01")
        leaver.action_terminate("2026-12-01", "Moved")
        asked = self._create_cotisation(self._create_member("Asked"), "2026-01-01")
        self._create_renewal(asked).action_send()
        self.assertTrue(current.amount_total)
        expected = self._get_facts(self.company)
        before = self._count()

        content = self.Import._get_export(self.company)
        there = self.env(context={"allowed_company_ids": self.elsewhere.ids})["membri.import"]
        record = there.create(
            {"profile": "free", "file": base64.b64encode(content), "filename": "export.csv"}
        )
        record.action_run()
        self.assertEqual(set(record.line_ids.mapped("result")), {"new"})
        self.assertEqual(self._get_facts(self.elsewhere), expected)
        after = self._count()
        self.assertEqual(after["res.partner"], before["res.partner"])
        self.assertEqual(after["mail.mail"], before["mail.mail"])
        self.assertEqual(self._get_facts(self.company), expected)
        # once more: nothing
        again = there.create(
            {"profile": "free", "file": base64.b64encode(content), "filename": "export.csv"}
        )
        again.action_run()
        self.assertEqual(set(again.line_ids.mapped("result")), {"same"})
        self.assertEqual(self._count(), after)

    def _get_contacts(self, partners, company):
        return sorted(
            (
                partner.name,
                partner.is_company,
                partner.parent_id.name or "",
                partner.membri_responsible_id.name or "",
                partner.membri_status,
            )
            for partner in partners.with_company(company)
        )

    def _get_debts(self, company):
        """:return: ``[(member, first day of the term, what is left to pay)]``"""
        moves = self.env_root["account.move"].search(
            [("journal_id.code", "=", "OPMEM"), ("company_id", "=", company.id)]
        )
        return sorted(
            (
                move.partner_id.name,
                str(move.invoice_line_ids.membri_cotisation_id.date_start),
                move.amount_residual,
            )
            for move in moves
        )

    def test_round_trip_of_what_goes_with_terms(self):
        """Into a company that sees none of the contacts: open renewals, what is owed (a term
        each, and without one), agreed prices, zero among them, and the people of a member."""
        own = {"company_id": self.company.id}
        firm = self._create_member("Firm", is_company=True, **own)
        clerk = self._create_member("Clerk", parent_id=firm.id, **own)
        boss = self._create_member("Boss", parent_id=firm.id, **own)
        self._create_member("Books", parent_id=firm.id, type="invoice", **own)
        firm.membri_responsible_id = boss
        self._create_cotisation(firm, "2026-01-01")
        for name, price in (("Agreed", 80.0), ("Friend", 0.0)):
            line = {"product_id": self.product.id, "price_unit": price, "is_price_agreed": True}
            member = self._create_member(name, **own)
            self._create_cotisation(member, "2026-01-01", line_ids=[Command.create(line)])
        states = ("draft", "sent", "change_requested", "intervention")
        for state in states:
            self._renewal_in(state).partner_id.write({"name": f"Asked {state}", **own})
        owing = self._import(
            "Name;Email;Plan;Start;End;Status;Amount;Open Balance\n"
            "Owing;owing@x.example;Yearly;2025-01-01;2025-12-31;pending;300;300\n"
            "Owing;owing@x.example;Yearly;2026-01-01;2026-12-31;pending;300;300\n"
            "Partly;partly@x.example;Yearly;2026-01-01;2026-12-31;pending;300;45.50\n"
            "Alone;alone@x.example;;;;;;75\n"
            # of a term that is void, the money is owed all the same
            "Former;former@x.example;Yearly;2024-01-01;2024-12-31;cancelled;300;20\n",
            balance_mode="entry",
        )
        owing.action_run()
        owing.line_ids.partner_id.company_id = self.company
        debts = [
            ("Alone", "False", 75.0),
            ("Former", "False", 20.0),
            ("Owing", "2025-01-01", 300.0),
            ("Owing", "2026-01-01", 300.0),
            ("Partly", "2026-01-01", 45.5),
        ]
        self.assertEqual(self._get_debts(self.company), debts)
        expected = self._get_facts(self.company)

        content = self.Import._get_export(self.company)
        there = self.env(context={"allowed_company_ids": self.elsewhere.ids})["membri.import"]
        vals = {"profile": "free", "file": base64.b64encode(content), "filename": "export.csv"}
        record = there.create({**vals, "balance_mode": "entry"})
        record.action_run()
        rows = record.line_ids.grouped("result")
        self.assertEqual(set(rows), {"new", "same"})
        self.assertEqual(rows["same"].partner_id.mapped("name"), ["Former"], "what is owed alone")
        self.assertEqual(self._get_facts(self.elsewhere), expected)
        self.assertEqual(self._get_debts(self.elsewhere), debts)
        partners = record.line_ids.partner_id
        before = firm + clerk + boss + owing.line_ids.partner_id
        before += self.env["res.partner"].search([("name", "=like", "Asked %")]) - partners
        before += self.env["res.partner"].search([("name", "in", ("Agreed", "Friend"))]) - partners
        self.assertFalse(partners & before)
        self.assertEqual(
            self._get_contacts(partners, self.elsewhere), self._get_contacts(before, self.company)
        )
        prices = {
            term.partner_id.name: self._create_renewal(term).amount_untaxed
            for term in record.line_ids.cotisation_id
            if term.partner_id.name in ("Agreed", "Friend", "Firm")
        }
        self.assertEqual(prices, {"Agreed": 80.0, "Friend": 0.0, "Firm": 300.0})
        again = there.create({**vals, "balance_mode": "entry"})
        again.action_run()
        self.assertEqual(set(again.line_ids.mapped("result")), {"same"})
        self.assertEqual(self._get_debts(self.elsewhere), debts)

    def _get_options(self, terms):
        """:return: ``{member: options of the term, and what the next renewal proposes}``"""
        names = ("quantity", "price_unit", "is_price_agreed", "full_quantity", "full_price_unit")
        return {
            term.partner_id.name: (
                [
                    (line.product_id, line.tax_ids.mapped("amount"), *(line[n] for n in names))
                    for line in term.line_ids
                ],
                [
                    (line.product_id, line.quantity, line.price_unit, line.is_price_agreed)
                    for line in self._create_renewal(term).line_ids
                ],
            )
            for term in terms
        }

    def test_round_trip_of_options(self):
        """Which ones, how many, at what price, which prices were agreed, and what they were
        before proration: the next renewal proposes the same there as here."""
        own = {"company_id": self.company.id}
        beside = self._create_option("Board | Room; \nLarge", 25.0)
        beside.default_code = "ROOM"
        options = {
            "Several": [
                {"product_id": self.product.id, "price_unit": 300.0},
                {"product_id": self.extra.id, "price_unit": 40.0, "quantity": 3.0},
            ],
            "Partly agreed": [
                {"product_id": self.product.id, "price_unit": 280.5, "is_price_agreed": True},
                {"product_id": beside.id, "price_unit": 25.0, "quantity": 2.5},
            ],
            "Prorated": [
                {
                    "product_id": self.product.id,
                    "price_unit": 70.0,
                    "is_price_agreed": True,
                    "full_price_unit": 140.0,
                },
                {"product_id": self.extra.id, "price_unit": 12.34, "full_quantity": 2.0},
            ],
        }
        terms = self.env["membri.cotisation"]
        for name, lines in options.items():
            lines = [Command.create(vals) for vals in lines]
            terms += self._create_cotisation(
                self._create_member(name, **own), "2026-01-01", line_ids=lines
            )
        content = self.Import._get_export(self.company)
        expected, amounts = self._get_options(terms), terms.mapped("amount_total")
        there = self.env(context={"allowed_company_ids": self.elsewhere.ids})["membri.import"]
        vals = {"profile": "free", "file": base64.b64encode(content), "filename": "export.csv"}
        record = there.create(vals)
        record.action_run()
        moved = record.line_ids.sorted("row").cotisation_id
        self.assertEqual(moved.mapped("amount_total"), amounts)
        self.assertEqual(self._get_options(moved), expected)
        again = there.create(vals)
        again.action_run()
        self.assertEqual(set(again.line_ids.mapped("result")), {"same"})

    def test_options_of_a_list(self):
        """By name, in the plan first; with taxes, if these make the amount; what is unknown, or
        may be several, comes back with a sentence."""
        tax = self.env_root["account.tax"].create(
            {"name": "Ten", "amount": 10.0, "company_id": self.company.id}
        )
        self.extra.with_env(self.env_root).taxes_id = tax
        self._create_option("Twin", 1.0)
        self._create_option("Twin", 2.0)
        cells = (
            "membership; Directory Listing | 2",
            "Directory listing | 2 | 50 | agreed",
            "Directory listing | 2 | 50",
            "Nowhere",
            "Twin",
            "Membership | many",
            "Membership | 0",
            "Membership | 1 | 5 | perhaps",
        )
        amounts = ("400", "110", "90", "", "", "", "", "")
        text = "Name,Plan,Start,End,Amount,Options and Prices\n" + "".join(
            f"Member {place},Yearly,2026-01-01,2026-12-31,{amount},{cell}\n"
            for place, (cell, amount) in enumerate(zip(cells, amounts, strict=True))
        )
        record = self._import(text)
        self.assertEqual(self._get_results(record), ["new"] * 3 + ["error"] * 5)
        messages = record.line_ids.sorted("row").mapped("message")
        self.assertNotIn("110.00", messages[1])
        self.assertIn("90.00", messages[2], "the options make another amount")
        for message, word in zip(
            messages[3:], ("Nowhere", "Twin", "many", "0", "perhaps"), strict=True
        ):
            self.assertIn(word, message)
        record.action_run()
        terms = record.line_ids.sorted("row").cotisation_id
        self.assertEqual(
            [
                [
                    (line.product_id, line.quantity, line.price_unit, line.is_price_agreed)
                    for line in term.line_ids
                ]
                for term in terms
            ],
            [
                [(self.product, 1.0, 300.0, False), (self.extra, 2.0, 50.0, False)],
                [(self.extra, 2.0, 50.0, True)],
                [(self.extra, 2.0, 50.0, False)],
            ],
        )
        self.assertEqual(terms.mapped("amount_total"), [400.0, 110.0, 100.0])
        again = self._import(text.replace("Directory Listing | 2", "Not Sold Any More"))
        self.assertEqual(self._get_results(again)[:3], ["same"] * 3)
        before = len(terms)
        record.action_undo()
        self.assertEqual((len(terms.exists()), before), (0, 3))

    def test_options_that_signs_tell_apart(self):
        options = [self._create_option(name, 1.0) for name in ("Adult", "Adult +")]
        record = self._import(
            "Name,Plan,Start,End,Options and Prices\n"
            "Ada Roy,Yearly,2026-01-01,2026-12-31,Adult\n"
            "Bea Roy,Yearly,2026-01-01,2026-12-31,Adult +\n"
            "Cyr Roy,Yearly,2026-01-01,2026-12-31,Adult -\n"
        )
        self.assertEqual(self._get_results(record), ["new", "new", "error"])
        record.action_run()
        terms = record.line_ids.sorted("row").cotisation_id
        self.assertEqual([term.line_ids.product_id for term in terms], options)

    def _get_exported(self, *names):
        """:return: rows of the export, of these columns, as texts"""
        text = self.Import._get_export(self.company).decode("utf-8-sig")
        return sorted(
            tuple(row[name] for name in names) for row in csv.DictReader(io.StringIO(text))
        )

    def test_branch_with_the_plans_of_its_parent(self):
        """In and out: the terms are the branch's."""
        branch = self.company.with_env(self.env_root).create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.manager.with_env(self.env_root).company_ids += branch
        there = self.env(context={"allowed_company_ids": branch.ids})["membri.import"]
        text = "Name;Plan;Start;End;Amount\nAda Roy;Yearly;2026-01-01;2026-12-31;80\n"
        record = there.create({"file": base64.b64encode(text.encode()), "filename": "list.csv"})
        record.action_run()
        term = record.line_ids.cotisation_id
        self.assertEqual(record.line_ids.mapped("result"), ["new"])
        self.assertEqual((term.company_id, term.state, term.amount_total), (branch, "active", 80.0))
        member = term.partner_id
        self.assertEqual(member.with_company(branch).membri_status, "active")
        self.assertFalse(member.with_company(self.company).membri_cotisation_id)
        self.assertFalse(self._get_exported("Name"))
        rows = csv.DictReader(io.StringIO(there._get_export(branch).decode("utf-8-sig")))
        self.assertEqual([(r["Name"], r["Membership Plan"]) for r in rows], [("Ada Roy", "Yearly")])

    def test_one_invoice_for_several_members(self):
        """Each owes its part of what is left of it."""
        payer = self._create_member("Chain", is_company=True)
        payer.membri_group_invoices = True
        terms = self.env["membri.cotisation"]
        for name, price in (("North", 200.0), ("South", 100.0)):
            member = self._create_member(name, parent_id=payer.id)
            lines = [Command.create({"product_id": self.product.id, "price_unit": price})]
            terms += self._create_cotisation(member, "2026-01-01", state="pending", line_ids=lines)
        invoice = terms._create_invoices("enrolment")
        self.assertEqual(len(invoice), 1)
        self._pay(invoice, 30.0)
        self.assertEqual(
            self._get_exported("Name", "Open Balance"),
            [("North", "180.0"), ("South", "90.0")],
        )

    def test_who_died(self):
        """Is counted as deceased in the figures, there as here."""
        for name, reason in (("Gone", "Moved"), ("Late", "Deceased")):
            term = self._create_cotisation(self._create_member(name), "2026-01-01")
            term.action_terminate("2026-10-01", reason)
        self.assertEqual(
            self._get_exported("Name", "Left On", "Deceased On"),
            [("Gone", "2026-10-01", ""), ("Late", "", "2026-10-01")],
        )
        content = self.Import._get_export(self.company)
        there = self.env(context={"allowed_company_ids": self.elsewhere.ids})["membri.import"]
        record = there.create(
            {"profile": "free", "file": base64.b64encode(content), "filename": "export.csv"}
        )
        record.action_run()
        terms = record.line_ids.cotisation_id.sorted(lambda term: term.partner_id.name)
        self.assertEqual(terms.mapped("termination_reason_id.is_death"), [True])
        self.assertEqual([str(term.date_terminated) for term in terms], ["2026-10-01"] * 2)
        outcomes = self.env["membri.insight"].search(
            [
                ("partner_id", "in", terms.partner_id.ids),
                ("company_id", "=", self.elsewhere.id),
            ]
        )
        self.assertEqual(
            {(row.partner_id.name, row.outcome) for row in outcomes},
            {("Gone", "terminated"), ("Late", "deceased")},
        )

    def test_download(self):
        action = self.Import.action_export()
        self.assertEqual(action["type"], "ir.actions.act_url")
        for user in (self.officer, self.auditor):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.Import.with_user(user).action_export()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestImportExportOfPayments(AutomaticPaymentCommon, ImportCase):
    """Issue 16, 2: what must not travel."""

    def test_saved_cards_consents_and_charges(self):
        elsewhere = self._create_other_company("Elsewhere", "America/Toronto", with_accounting=True)
        self.manager.with_env(self.env_root).company_ids += elsewhere
        self.yearly.with_env(self.env_root).copy({"company_id": elsewhere.id, "name": "Yearly"})
        renewal = self._announced()
        member = renewal.partner_id
        member.write({"membri_auto_renew_choice": "yes", "company_id": self.company.id})
        self.assertTrue(member.sudo().membri_payment_token_id)
        content = self.Import._get_export(self.company)
        there = self.env(context={"allowed_company_ids": elsewhere.ids})["membri.import"]
        vals = {"file": base64.b64encode(content), "filename": "x.csv", "balance_mode": "entry"}
        record = there.create(vals)
        record.action_run()
        moved = record.line_ids.partner_id.with_company(elsewhere)
        self.assertEqual((len(moved), moved & member), (1, member.browse()))
        terms = moved.membri_cotisation_ids.sorted("date_start")
        self.assertEqual(terms.mapped("state"), ["active", "pending"])
        owed = renewal.invoice_id.amount_residual
        self.assertEqual(terms[1].sudo().invoice_id.amount_residual, owed)
        self.assertEqual(moved.membri_auto_renew_choice, "yes")
        moved_sudo = moved.sudo()
        self.assertFalse(moved_sudo.membri_payment_token_id or moved_sudo.payment_token_ids)
        self.assertFalse(moved_sudo.membri_payment_consent_date)
        self.assertFalse(moved_sudo.membri_auto_renew_consent_date)
        self.assertFalse(terms.renewal_ids.filtered("charge_state"))
        self.assertEqual(renewal.charge_state, "announced", "here nothing is stopped by it")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestImportTemplates(ImportCase):
    """Issue 16, 2: the templates of Odoo's own import, loaded in their order."""

    def test_templates(self):
        # the product that the template names: the one of the tests
        self.assertEqual(self.product.name, "Membership")
        for model in ("res.partner", "membri.option.set", "membri.cotisation"):
            template = self.env[model].get_import_templates()[-1]
            with file_open(template["template"].lstrip("/"), "r") as file:
                header, *rows = csv.reader(file)
            result = self.env(su=True)[model].load(header, rows)
            self.assertFalse(result["messages"], model)
            self.assertEqual(len(result["ids"]), len(rows))
        member = self.env.ref("my_list.member_1001")
        self.assertEqual(member.membri_status, "active")
