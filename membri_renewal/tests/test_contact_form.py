from datetime import date

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestContactForm(MembriCommon):
    """The tabs *Abonnement* and *Facturation*, for whom they are and for whom they are not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.firm = cls._create_member("Harbour Works", is_company=True)
        cls.person = cls._create_member("Rosa Quay", parent_id=cls.firm.id, function="Director")
        cls.view = cls.env.ref("base.view_partner_form")
        cls.cotisation = cls._create_cotisation(cls.member, "2026-01-01")

    def _get_arch(self, user):
        view = self.env["res.partner"].with_user(user).get_view(self.view.id)
        return etree.fromstring(view["arch"])

    # ------------------------------------------------------------------
    # Everybody else
    # ------------------------------------------------------------------

    def _read_as_client(self, partner, user, arch):
        """Read the contact as the form does; returns the queries."""
        names = {node.get("name") for node in arch.iter("field")} & set(partner._fields)
        queries = []
        self.env.flush_all()
        self.env.invalidate_all()
        partner = partner.with_user(user)
        for _queries in self._patchExecute(queries):
            partner.web_read({name: {} for name in names})
        return queries

    def test_unchanged_for_those_without_membership_rights(self):
        arch = self._get_arch(self.employee)
        views = (
            self.env["res.partner"]
            .with_user(self.employee)
            .get_views([(False, "list"), (False, "kanban"), (False, "search")])["views"]
        )
        for found in [arch, *(etree.fromstring(view["arch"]) for view in views.values())]:
            names = {
                node.get("name") or "" for node in found.iter("field", "button", "page", "filter")
            }
            self.assertFalse([name for name in names if "membri" in name or "membership" in name])
        stranger = self._create_member("No Member")
        for partner in (self.member, stranger):  # warm up
            self._read_as_client(partner, self.employee, arch)
        queries = self._read_as_client(self.member, self.employee, arch)
        self.assertFalse([query for query in queries if 'FROM "membri_' in query])
        self.assertEqual(len(queries), len(self._read_as_client(stranger, self.employee, arch)))

    # ------------------------------------------------------------------
    # Facturation
    # ------------------------------------------------------------------

    def _get_invoicing_pages(self, user, partner):
        """The visible tabs called *Invoicing*, as names, and whether they list our invoices."""
        values = {"is_company": partner.is_company, "parent_id": partner.parent_id.id}
        values["membri_invoice_ids"] = partner.membri_invoice_ids.ids
        found = {}
        for page in self._get_arch(user).iter("page"):
            hidden = safe_eval(page.get("invisible") or "False", values)
            if page.get("string") == "Invoicing" and not hidden:
                found[page.get("name")] = bool(page.xpath(".//field[@name='membri_invoice_ids']"))
        return found

    def test_one_invoicing_tab_for_everybody(self):
        for partner in (self.firm, self.person, self.member):
            partner._membri_enrol(
                self.yearly, date_start=date(2027, 1, 1) if partner == self.member else None
            )
        for user, partner, page in (
            (self.officer, self.firm, "accounting"),
            (self.officer, self.member, "accounting"),
            (self.officer, self.person, "accounting_disabled"),
            (self.auditor, self.firm, "membership_billing"),
            (self.auditor, self.person, "membership_billing"),
        ):
            with self.subTest(user=user.login, partner=partner.name):
                self.assertEqual(self._get_invoicing_pages(user, partner), {page: True})

    def test_invoices_by_type(self):
        renewal = self._create_renewal(self.cotisation)
        renewal.action_approve()
        enrolment = self.member._membri_enrol(self.yearly, date_start=date(2029, 1, 1))
        self.member.invalidate_recordset()
        invoices = self.member.membri_invoice_ids
        self.assertEqual(invoices, renewal.invoice_id | enrolment.invoice_id)
        self.assertEqual(self.member.membri_invoice_count, 2)
        action = self.member.action_membri_view_invoices()
        self.assertEqual(self.env["account.move"].search(action["domain"]), invoices)

    def _create_invoice_of_another_kind(self, move_type="out_invoice"):
        invoice = self.env_account["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": self.member.id,
                "invoice_date": "2026-06-01",
                "invoice_line_ids": [
                    fields.Command.create({"name": "Hall hire", "price_unit": 80.0})
                ],
            }
        )
        invoice.action_post()
        return invoice

    def test_auditor_sees_membership_invoices_and_no_other(self):
        ours = self.member._membri_enrol(self.yearly, date_start=date(2027, 1, 1)).invoice_id
        others = self._create_invoice_of_another_kind()
        others |= self._create_invoice_of_another_kind("in_invoice")
        moves = self.env["account.move"].with_user(self.auditor)
        self.assertEqual(moves.search([]), ours)
        self.assertEqual(moves.env["account.move.line"].search([]).move_id, ours)
        with self.assertRaises(AccessError):
            others[0].with_user(self.auditor).read(["name"])
        with self.assertRaises(AccessError):
            ours.with_user(self.auditor).write({"ref": "changed"})
        with self.assertRaises(AccessError):
            ours.with_user(self.auditor).action_membri_send_again()
        Form(ours.with_user(self.auditor))
        # Odoo's Invoicing group is not narrowed by our rule
        self.assertLessEqual(
            others | ours, self.env["account.move"].with_user(self.officer).search([])
        )

    def test_auditor_sees_payments_of_membership_invoices_and_no_other(self):
        ours = self._pay(
            self.member._membri_enrol(self.yearly, date_start=date(2027, 1, 1)).invoice_id
        )
        other = self._pay(self._create_invoice_of_another_kind())
        for user, expected in ((self.auditor, ours), (self.officer, ours | other)):
            with self.subTest(user=user.login):
                self.assertEqual(
                    (ours | other).with_user(user).search([("id", "in", (ours | other).ids)]),
                    expected,
                )
        Form(ours.invoice_ids.with_user(self.auditor))

    # ------------------------------------------------------------------
    # Companies and persons
    # ------------------------------------------------------------------

    def test_person_of_a_member_company(self):
        self._create_cotisation(self.firm, "2026-01-01")
        self.assertEqual(self.person.membri_company_status, "active")
        self.assertEqual(self.person.membri_company_date_end, self.firm.membri_date_end)
        self.assertIn(self.person.membri_status, (False, "non_member"))
        self.assertFalse(self.firm.membri_member_child_ids)

    def test_company_shows_its_persons_who_are_members(self):
        self._create_cotisation(self.person, "2026-01-01")
        self._create_member("Secretary", parent_id=self.firm.id)
        self.assertEqual(self.firm.membri_member_child_ids, self.person)
        self.assertIn(self.firm.membri_status, (False, "non_member"))

    # ------------------------------------------------------------------
    # Finding
    # ------------------------------------------------------------------

    def test_search_and_group(self):
        self._create_cotisation(self.firm, "2026-03-01", self.fixed)
        Partner = self.env["res.partner"].with_context(lang="en_US")
        mine = [("id", "in", (self.member | self.firm | self.person).ids)]
        search = etree.fromstring(
            self.env["res.partner"].get_view(
                self.env.ref("base.view_res_partner_filter").id, "search"
            )["arch"]
        )
        names = {node.get("name") for node in search.iter("filter")}
        self.assertLessEqual(
            {"membri_members", "membri_inactive", "membri_date_end", "group_membri_status"}, names
        )
        counts = {
            group["membri_status"]: group["__count"]
            for group in Partner.formatted_read_group(mine, ["membri_status"], ["__count"])
        }
        self.assertEqual(counts["active"], 2)
        by_set = Partner.formatted_read_group(mine, ["membri_option_set_id"], ["__count"])
        self.assertIn(
            (self.fixed.id, 1),
            [
                (
                    group["membri_option_set_id"] and group["membri_option_set_id"][0],
                    group["__count"],
                )
                for group in by_set
            ],
        )
        by_end = Partner.formatted_read_group(mine, ["membri_date_end:year"], ["__count"])
        self.assertIn(2, [group["__count"] for group in by_end])
        self.assertEqual(
            Partner.search(
                [
                    *mine,
                    ("membri_date_end", ">=", "2026-12-01"),
                    ("membri_date_end", "<=", "2026-12-31"),
                ]
            ),
            self.member | self.firm,
        )
        self.assertEqual(
            Partner.search([*mine, ("membri_option_set_id", "=", self.fixed.id)]), self.firm
        )
