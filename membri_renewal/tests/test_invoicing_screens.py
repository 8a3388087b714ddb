import ast

from freezegun import freeze_time
from lxml import etree

from odoo import fields
from odoo.tests import Form, HttpCase, new_test_user, tagged

from odoo.addons.mail.tests.common import MockEmail

from .common import MembriCommon


class MembriInvoicingCommon(MembriCommon):
    """Two renewal invoices, one of an enrolment and an ordinary one; an accountant who also
    sees memberships, and one who has nothing to do with them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = {
            "company_ids": [fields.Command.set(cls.company.ids)],
            "company_id": cls.company.id,
        }
        cls.accountant = new_test_user(
            cls.env_root,
            "accountant",
            "account.group_account_manager,membri_renewal.group_membri_readonly",
            email="accountant@example.com",
            **company,
        )
        cls.bookkeeper = new_test_user(
            cls.env_root, "bookkeeper", "account.group_account_invoice", **company
        )
        cls.renewals = cls.env["membri.renewal"].union(
            *(
                cls._create_renewal(cls._create_cotisation(cls._create_member(name), "2026-01-01"))
                for name in ("Alpha Bakery", "Beta Clinic")
            )
        )
        cls.renewals.action_approve()
        cls.enrolled = cls._create_member("Gamma Garage")._membri_enrol(cls.yearly)
        cls.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": cls._create_member("Ordinary Customer").id,
                "invoice_date": "2026-11-15",
                "invoice_line_ids": [fields.Command.create({"product_id": cls.extra.id})],
            }
        ).action_post()

    def _send(self, invoices):
        """Odoo's own sending, as its dialog or its queue does it."""
        invoices.with_user(self.accountant).env["account.move.send"].with_user(
            self.accountant
        )._generate_and_send_invoices(
            invoices.with_user(self.accountant).sudo(), sending_methods=["email"]
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestInvoicingScreens(MembriInvoicingCommon, MockEmail):
    """What accountants find in Odoo's own Invoicing (guide §3)."""

    def _get_arch(self, user, xmlid, view_type):
        view = self.env.ref(xmlid)
        arch = self.env["account.move"].with_user(user).get_view(view.id, view_type)["arch"]
        return etree.fromstring(arch)

    def test_filter_group_and_column_in_odoos_own_list(self):
        """Also for who has no right to see memberships: the type is an invoice's matter."""
        for user in (self.accountant, self.bookkeeper, self.officer):
            with self.subTest(user=user.login):
                search = self._get_arch(user, "account.view_account_invoice_filter", "search")
                names = {node.get("name") for node in search.iter("filter")}
                self.assertLessEqual(
                    {"membri_renewal", "membri_enrolment", "group_by_membri_type"}, names
                )
                found = {
                    name: self.env["account.move"]
                    .with_user(user)
                    .search([("membri_invoice_type", "=", kind)])
                    for name, kind in (("membri_renewal", "renewal"), ("ordinary", False))
                }
                self.assertEqual(found["membri_renewal"], self.renewals.invoice_id)
                self.assertIn("Ordinary Customer", found["ordinary"].partner_id.mapped("name"))
                columns = self._get_arch(user, "account.view_out_invoice_tree", "list")
                for name in ("membri_invoice_type", "membri_date_sent"):
                    self.assertTrue(columns.xpath(f"//field[@name='{name}']"))

    def test_form_without_rights_to_memberships(self):
        invoice = self.renewals[0].invoice_id.with_user(self.bookkeeper)
        with Form(invoice) as form:
            self.assertEqual(form.membri_invoice_type, "renewal")
        arch = self._get_arch(self.bookkeeper, "account.view_move_form", "form")
        self.assertFalse(arch.xpath("//button[@name='action_membri_view_renewal']"))
        self.assertTrue(arch.xpath("//button[@name='action_membri_send_again']"))

    def test_bills_are_left_alone(self):
        search = self._get_arch(self.accountant, "account.view_account_bill_filter", "search")
        ours = [node for node in search.iter("filter") if "membri" in (node.get("name") or "")]
        self.assertTrue(ours)
        for node in ours:
            self.assertIn("in_invoice", node.get("invisible"))

    def test_search_by_member_finds_what_another_pays(self):
        payer = self.env["res.partner"].create(
            {"name": "Holding", "type": "invoice", "parent_id": self.member.id, "email": "h@x.test"}
        )
        cotisation = self.member._membri_enrol(self.yearly)
        invoice = cotisation.invoice_id.with_user(self.accountant)
        self.assertEqual(invoice.partner_id, payer)
        field = self._get_arch(
            self.accountant, "account.view_account_invoice_filter", "search"
        ).xpath("//field[@name='membri_member_ids']")[0]
        self.assertEqual(field.get("operator"), "child_of")
        found = invoice.search([("membri_member_ids", "child_of", self.member.name)])
        self.assertEqual(found, invoice)

    def test_from_invoice_to_membership_and_back(self):
        renewal = self.renewals[0].with_user(self.accountant)
        invoice = renewal.invoice_id
        cotisation = renewal.new_cotisation_id
        for action, target in (
            (invoice.action_membri_view_renewal(), renewal),
            (invoice.action_membri_view_cotisations(), cotisation),
            (invoice.action_membri_view_members(), renewal.partner_id),
            (renewal.action_view_invoice(), invoice),
            (cotisation.action_view_invoice(), invoice),
        ):
            self.assertEqual(
                (action.get("res_model"), action.get("res_id")), (target._name, target.id)
            )
        self.assertIn(invoice, renewal.partner_id.membri_invoice_ids)
        self.assertEqual((invoice.membri_cotisation_count, invoice.membri_member_count), (1, 1))

    def test_credit_note_and_voided_invoice_lead_back_too(self):
        renewal = self.renewals[0]
        invoice, cotisation = renewal.invoice_id, renewal.new_cotisation_id
        renewal.action_reset()
        invoice = invoice.with_user(self.accountant)
        self.assertEqual(invoice.state, "cancel")
        self.assertEqual(invoice.action_membri_view_cotisations()["res_id"], cotisation.id)
        self.assertEqual(invoice.action_membri_view_renewal()["res_id"], renewal.id)

    def test_send_again_one_or_many(self):
        """Officer and accountant alike, by Odoo's own dialogs."""
        for user in (self.accountant, self.bookkeeper, self.officer):
            invoices = self.renewals.invoice_id.with_user(user)
            many = invoices.action_membri_send_again()
            self.assertEqual(many["res_model"], "account.move.send.batch.wizard")
            self.assertEqual(many["context"]["active_ids"], invoices.ids)
        action = self.env_root.ref("membri_renewal.action_server_move_send_again")
        self.assertEqual(action.group_ids, self.env_root.ref("account.group_account_invoice"))

    def test_date_of_the_last_email(self):
        invoice = self.renewals[0].invoice_id
        self.assertFalse(invoice.membri_date_sent)
        with self.mock_mail_gateway():
            self._send(invoice)
        self.assertEqual(fields.Datetime.to_string(invoice.membri_date_sent), "2026-11-15 15:00:00")
        with freeze_time("2026-12-01 09:30:00"), self.mock_mail_gateway():
            self._send(invoice | self.renewals[1].invoice_id)
            self.assertEqual(len(self._new_mails), 2)
        self.assertEqual(
            [fields.Datetime.to_string(day) for day in self.renewals.mapped("invoice_date_sent")],
            ["2026-12-01 09:30:00"] * 2,
        )
        ordinary = self.env_account["account.move"].search(
            [("partner_id.name", "=", "Ordinary Customer")]
        )
        with self.mock_mail_gateway():
            self._send(ordinary)
        self.assertFalse(ordinary.membri_date_sent)

    def test_open_invoices(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_open_invoice"
        )
        Move = self.env["account.move"].with_user(self.accountant)
        domain = ast.literal_eval(action["domain"])
        self.assertEqual(Move.search(domain), self.renewals.invoice_id | self.enrolled.invoice_id)
        self._pay(self.renewals[0].invoice_id)
        self.assertEqual(
            Move.search(domain), self.renewals[1].invoice_id | self.enrolled.invoice_id
        )


@tagged("post_install", "-at_install")
class TestAccountantTours(MembriInvoicingCommon, HttpCase):
    """The clicks of an accountant, in a browser."""

    def test_from_invoice_to_membership_and_back(self):
        invoice = self.renewals[0].invoice_id
        invoice.sudo().write({"is_move_sent": True, "membri_date_sent": "2026-11-15 15:00:00"})
        self.start_tour(
            "/odoo/action-account.action_move_out_invoice_type",
            "membri_accountant",
            login="accountant",
            timeout=240,
        )

    def test_send_many(self):
        self.start_tour(
            "/odoo/action-membri_renewal.action_membri_open_invoice",
            "membri_accountant_send_many",
            login="accountant",
            timeout=240,
        )
        self.env.invalidate_all()
        for invoice in self.renewals.invoice_id | self.enrolled.invoice_id:
            author = invoice.sudo().sending_data["author_user_id"]
            self.assertEqual(author, self.accountant.id)
