from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common_tours import DeskTourCase


@tagged("post_install", "-at_install")
class TestDeskPathsTours(DeskTourCase):
    """The guided paths of the guide, in French, in a browser."""

    def test_queues(self):
        """Seven cards, no dragging, and drafts sent together."""
        names = "Rita Remind, Chloe Change, Sam Seven, Ivan Intervention, Lena Late, Paul Payer"
        waiting = self.env["membri.renewal"].union(
            *(self._renewal_of(name) for name in names.split(", "))
        )
        rita, chloe, sam, ivan, lena, paul = waiting
        now = fields.Datetime.now()
        rita._internal_write({"date_next_reminder": self.today})
        chloe.action_request_change("Appelez-moi")
        sam._internal_write({"date_sent": now - timedelta(days=10)})
        ivan.action_require_intervention("Appeler")
        lena._internal_write({"date_sent": now - timedelta(days=250)})
        paul.action_approve()
        drafts = self._renewal_of("Dora Draft", state="draft")
        drafts |= self._renewal_of("Denis Draft", state="draft")
        before = self._snapshot(waiting)
        self._walk("membri_path_queues_fr")
        self.assertEqual(drafts.mapped("state"), ["sent", "sent"])
        self.assertTrue(all(drafts.mapped("date_sent")))
        self.assertFalse(drafts.invoice_id)
        self.assertEqual(self._snapshot(waiting), before)

    def test_requests(self):
        """Applied and edited by hand; refused with a reason; approved as it was proposed."""
        renewals = self.env["membri.renewal"].union(
            *(
                self._renewal_of(name, self.full)
                for name in ("Alpha Bakery", "Beta Clinic", "Gamma Garage")
            )
        )
        requests = [
            self._ask(renewal, quantities={self.membership_line: 1.0, self.extra_line: 2.0})
            for renewal in renewals
        ]
        alpha, beta, gamma = renewals
        self._walk("membri_path_requests_fr")
        self.assertEqual(renewals.mapped("state"), ["approved", "refused", "approved"])
        self.assertEqual(requests[0].state, "applied")
        self.assertNotIn("applied", [request.state for request in requests[1:]])
        self.assertEqual(alpha.invoice_id.amount_untaxed, 350.0, "250 + 2 × 50")
        self.assertEqual(gamma.invoice_id.amount_untaxed, 350.0, "300 + 50, as proposed")
        self.assertFalse(beta.invoice_id)
        self.assertEqual(
            beta.refusal_reason_id, self.env.ref("membri_renewal.refusal_reason_price")
        )

    def test_flag(self):
        """An intervention: said on the contact, done on the renewal, then over."""
        alpha, beta = self._renewal_of("Alpha Bakery"), self._renewal_of("Beta Clinic")
        beta.partner_id.write(
            {"membri_intervention_required": True, "membri_intervention_reason": "A cessé"}
        )
        self._walk("membri_path_flag_fr")
        self.assertEqual((alpha.state, beta.state), ("approved", "refused"))
        self.assertEqual(alpha.invoice_id.amount_untaxed, 600.0)
        self.assertFalse(beta.invoice_id)
        members = alpha.partner_id | beta.partner_id
        self.assertEqual(members.mapped("membri_intervention_required"), [False, False])
        kind = self.env.ref("membri_renewal.activity_intervention")
        self.assertNotIn(kind, (alpha | beta).activity_ids.activity_type_id)

    def test_contact(self):
        """The contact leads to its renewal and its notice; its invoice is sent again."""
        alpha = self._renewal_of("Alpha Bakery")
        billed = self._renewal_of("Beta Clinic") | self._renewal_of("Gamma Garage")
        billed.action_approve()
        enrolled = self._create_member("Delta Studio")._membri_enrol(self.yearly).invoice_id
        long_ago = fields.Datetime.now() - timedelta(days=30)
        invoices = billed.invoice_id | enrolled
        invoices.sudo().membri_date_sent = long_ago
        totals = invoices.mapped("amount_total")
        before = self._snapshot(alpha)
        self._walk("membri_path_contact_fr")
        self.assertEqual(
            [invoice.membri_date_sent > long_ago for invoice in invoices], [True, True, False]
        )
        self.assertEqual(invoices.mapped("amount_total"), totals)
        self.assertEqual(self._snapshot(alpha), before)

    def test_come_and_go(self):
        """A new contact is enrolled; a member leaves, and is not asked to renew."""
        alpha = self._renewal_of("Alpha Bakery")
        self._walk("membri_path_come_and_go_fr")
        zoe = self.env["res.partner"].search([("name", "=", "Zoe Nouvelle")])
        self.assertEqual(zoe.membri_status, "pending")
        self.assertEqual(zoe.membri_cotisation_ids.invoice_id.state, "posted")
        self.assertEqual(zoe.membri_cotisation_ids.invoice_id.amount_untaxed, 300.0)
        self.assertEqual(alpha.state, "refused")
        self.assertFalse(alpha.invoice_id)
        self.assertEqual(alpha.cotisation_id.date_end, self.today)
        self.assertEqual(alpha.cotisation_id.termination_reason, "Démission")


@tagged("post_install", "-at_install")
class TestDeskGroupsTours(DeskTourCase):
    """What each group does at the desk, and the desk without a mouse."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alpha = cls._renewal_of("Alpha Bakery")

    def test_manager(self):
        self._walk("membri_group_manager_fr", "manager")
        self.assertTrue(
            self.env["membri.refusal.reason"].search([("name", "=", "Fusion de sociétés")])
        )
        option_set = self.env["membri.option.set"].search([("name", "=", "Étudiants")])
        self.assertEqual(option_set.line_ids.product_id, self.extra)
        queue = self.env["membri.dashboard"].search([("name", "=", "À rappeler par Zoé")])
        self.assertEqual(queue.record_count, 1)

    def test_auditor(self):
        before = self._snapshot(self.alpha)
        self._walk("membri_group_auditor_fr", "auditor")
        self.assertEqual(self._snapshot(self.alpha), before)

    def test_keyboard(self):
        self.alpha._internal_write({"date_next_reminder": self.today})
        self._walk("membri_keyboard_fr")
        self.assertEqual(self.alpha.state, "approved")
        self.assertEqual(self.alpha.invoice_id.state, "posted")
