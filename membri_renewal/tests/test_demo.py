from itertools import pairwise

from odoo.fields import Domain
from odoo.tests import TransactionCase, tagged

from ..models.renewal.renewal import STATES

LOGINS = ("officer", "manager", "accountant", "member")


@tagged("post_install", "-at_install")
class TestDemo(TransactionCase):
    """The demo is a season under way: something to do in each queue, and books that balance."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.outgoing = Domain("state", "in", ("outgoing", "exception"))
        cls.outgoing_before = cls.env["mail.mail"].search_count(cls.outgoing)
        cls.env["membri.demo"]._load()
        cls.company = cls.env.ref("membri_renewal.demo_company")
        cls.env = cls.env(context={"allowed_company_ids": cls.company.ids})
        cls.in_company = Domain("company_id", "=", cls.company.id)
        cls.officer = cls.env.ref("membri_renewal.demo_user_officer")

    def _count(self, model, *domain):
        return self.env[model].search_count(self.in_company & Domain.AND(domain))

    def test_loading_again_changes_nothing(self):
        before = self._count("membri.renewal"), self._count("membri.cotisation")
        self.env["membri.demo"]._load()
        self.assertEqual((self._count("membri.renewal"), self._count("membri.cotisation")), before)

    def test_two_hundred_members(self):
        partners = self.env["res.partner"]
        members = partners.search_count([("membri_is_member", "=", True)])
        self.assertGreaterEqual(members, 200)
        for status in ("non_member", "pending", "active", "in_renewal", "inactive"):
            with self.subTest(status=status):
                self.assertTrue(partners.search_count([("membri_status", "=", status)]))

    def test_every_state_is_there(self):
        for state, _label in STATES:
            with self.subTest(state=state):
                self.assertTrue(self._count("membri.renewal", [("state", "=", state)]))
        for state in ("pending", "scheduled", "active", "expired"):
            with self.subTest(cotisation=state):
                self.assertTrue(self._count("membri.cotisation", [("state", "=", state)]))
        self.assertTrue(self._count("membri.renewal", [("is_paid", "=", True)]))

    def test_every_dashboard_has_work(self):
        dashboards = self.env["membri.dashboard"].with_user(self.officer).search([])
        self.assertGreaterEqual(len(dashboards), 9)
        for dashboard in dashboards.filtered("code"):
            with self.subTest(dashboard=dashboard.code):
                self.assertTrue(dashboard.record_count)

    def test_a_member_of_each_kind_of_payment(self):
        today = self.company._membri_today()
        for kind, domain in (
            ("announced", [("charge_state", "=", "announced"), ("date_charge", ">", today)]),
            ("charged", [("charge_state", "=", "done"), ("is_paid", "=", True)]),
            ("declined", [("charge_state", "=", "failed"), ("date_charge_retry", ">", today)]),
            ("refused", [("charge_state", "=", "failed"), ("date_charge_retry", "=", False)]),
            ("without a card", [("charge_state", "=", False), ("charge_note", "!=", False)]),
            ("announced renewal", [("state", "=", "sent"), ("date_auto_invoice", ">", today)]),
            ("in parts", [("in_arrears", "=", True), ("payment_state", "=", "partial")]),
            ("too long", [("is_unpaid_too_long", "=", True)]),
        ):
            with self.subTest(kind):
                self.assertTrue(self._count("membri.renewal", domain))
        announced = self.env["membri.renewal"].search([("charge_state", "=", "announced")])
        self.assertTrue(all(announced.mapped("date_charge_announced")), "all of it has left")
        campaign = self.env.ref("membri_renewal.demo_campaign")
        self.assertTrue(campaign._get_charge_summary())

    def test_the_night_has_nothing_left_to_prepare(self):
        domain = self.env["membri.renewal"]._get_company_to_renew_domain(self.company)
        self.assertFalse(self.env["membri.cotisation"].search(domain))

    def test_plans_are_ready(self):
        """Each has a price, zero on purpose for honorary members."""
        plans = self.env["membri.option.set"].search(self.in_company)
        self.assertIn("HON", plans.mapped("code"))
        for plan in plans:
            with self.subTest(plan=plan.code):
                self.assertEqual(plan._get_unready_reasons(), [])
                self.assertEqual(plan._get_list_price() == 0.0, plan.code == "HON")

    def test_logins(self):
        users = self.env["res.users"].search([("login", "in", LOGINS)])
        self.assertEqual(set(users.mapped("login")), set(LOGINS))
        self.assertEqual(set(users.mapped("lang")), {"fr_CA"})
        member = users.filtered(lambda user: user.login == "member")
        self.assertTrue(member.share)
        renewals = self.env["membri.renewal"].with_user(member).search([("state", "=", "sent")])
        self.assertEqual(len(renewals), 1)

    def test_no_mail_leaves(self):
        self.assertEqual(self.env["mail.mail"].search_count(self.outgoing), self.outgoing_before)
        self.assertFalse(self._count("account.move", [("sending_data", "!=", False)]))
        self.assertFalse(self._count("membri.renewal", [("delivery_state", "=", "queued")]))

    def test_terms_are_sound(self):
        cotisations = self.env["membri.cotisation"].search(
            self.in_company & Domain("state", "!=", "cancelled"), order="partner_id, date_start"
        )
        self.assertGreater(len(cotisations), 100)
        today = self.company._membri_today()
        for partner, terms in cotisations.grouped("partner_id").items():
            with self.subTest(member=partner.name):
                self.assertLessEqual(len(terms.filtered(lambda t: t.state == "active")), 1)
                for earlier, later in pairwise(terms):
                    self.assertLess(earlier.date_end, later.date_start)
                for term in terms.filtered(lambda t: t.state == "active"):
                    self.assertLessEqual(term.date_start, today)
                    self.assertTrue(not term.date_end or term.date_end >= today)

    def test_books_balance(self):
        invoices = self.env["account.move"].search(
            self.in_company & Domain("membri_invoice_type", "!=", False)
        )
        self.assertGreaterEqual(len(invoices), 200)
        notices = invoices.filtered(lambda move: move.membri_fee_notice_state == "open")
        self.assertEqual(len(notices), 1)
        invoices -= notices
        self.assertEqual(set(invoices.mapped("state")), {"posted"})
        for invoice in invoices:
            terms = invoice.membri_cotisation_ids
            # taxes of an invoice for several members are rounded once
            self.assertAlmostEqual(
                invoice.amount_total,
                sum(terms.mapped("amount_total")),
                delta=0.01 * (len(terms) - 1) + 0.001,
                msg=invoice.name,
            )
        receivable = self.env["account.move.line"].search(
            self.in_company
            & Domain("account_id.account_type", "=", "asset_receivable")
            & Domain("parent_state", "=", "posted")
        )
        self.assertAlmostEqual(
            sum(receivable.mapped("amount_residual")), sum(invoices.mapped("amount_residual")), 2
        )
