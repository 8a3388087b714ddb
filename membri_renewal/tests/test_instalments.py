from datetime import date

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common_instalments import InstalmentCommon
from .common_shared_invoice import SharedInvoiceCommon

NOVEMBER = "2026-11-15 15:00:00"
JANUARY = "2027-01-01 15:00:00"


@tagged("post_install", "-at_install")
@freeze_time(NOVEMBER)
class TestActivation(InstalmentCommon):
    """Issue 15, 4: the option set says when a member becomes active."""

    def test_fully_paid_is_the_default(self):
        self.assertEqual(self.yearly.activation, "paid")
        renewal = self._approve_in_parts(activation="paid")
        term = renewal.new_cotisation_id
        self._pay(renewal.invoice_id, 172.5)
        self.assertEqual(term.state, "pending")
        self._pay(renewal.invoice_id, 172.5)
        self.assertEqual(term.state, "scheduled")

    def test_first_part(self):
        renewal = self._approve_in_parts()
        invoice, term, member = renewal.invoice_id, renewal.new_cotisation_id, renewal.partner_id
        self.assertEqual(term.state, "pending")
        self._pay(invoice, 172.49)
        self.assertEqual(term.state, "pending", "a cent less is not the first part")
        self._pay(invoice, 0.01)
        self.assertEqual(term.state, "scheduled")
        self.assertRecordValues(renewal, [{"state": "approved", "is_paid": False, "is_open": True}])
        self._run_states()
        with freeze_time(JANUARY):
            self._run_states()
            self.assertEqual(term.state, "active")
            self.assertEqual(member.membri_status, "active")
            self.assertEqual(member.membri_cotisation_id, term)
            self._pay(invoice, 172.5)
            self.assertEqual(term.state, "active")
            self.assertRecordValues(renewal, [{"is_paid": True, "is_open": False}])
            self._run_states()

    def test_money_taken_back(self):
        """The same rule in the other direction, and the night agrees."""
        renewal = self._approve_in_parts()
        invoice, term = renewal.invoice_id, renewal.new_cotisation_id
        with freeze_time(JANUARY):
            self._run_states()
            self._pay(invoice, 172.5)
            second = self._pay(invoice, 172.5)
            self.assertEqual(term.state, "active")
            second.action_draft()
            second.action_cancel()
            self.assertEqual(term.state, "active", "the first part is still paid")
            self._unreconcile(invoice)
            self.assertEqual(term.state, "pending")
            self.assertEqual(renewal.partner_id.membri_status, "in_renewal")
            self._run_states()
            self._pay(invoice, 172.5)
            self.assertEqual(term.state, "active")

    def test_parts_of_cents(self):
        """Three thirds of 115.00 are 38.33, 38.33 and 38.34."""
        thirds = self._create_terms((33.33, 0), (33.33, 30), (33.34, 60))
        self.yearly.sudo().line_ids.price_unit = 100.0
        self.yearly.sudo().line_ids.has_own_price = True
        renewal = self._approve_in_parts(thirds)
        invoice = renewal.invoice_id
        self.assertEqual(invoice.amount_total, 115.0)
        first = invoice.sudo()._membri_get_plan()[0][1]
        self._pay(invoice, first - 0.01)
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self._pay(invoice, 0.01)
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
        self.assertTrue(invoice.sudo().membri_is_first_part_paid)
        self._pay(invoice, invoice.amount_residual)
        self.assertEqual(sum(part for _day, part, _left in invoice.sudo()._membri_get_plan()), 115)
        self.assertTrue(renewal.is_paid)

    def test_early_discount_is_one_part(self):
        terms = self._create_terms(
            (100, 30), early_discount=True, discount_percentage=2, discount_days=10
        )
        renewal = self._approve_in_parts(terms)
        invoice = renewal.invoice_id
        self._pay(invoice, 300.0)
        self.assertEqual(renewal.new_cotisation_id.state, "pending", "a part of the one part")
        self._unreconcile(invoice)
        self._pay(invoice)
        self.assertEqual(invoice.payment_state, "paid")
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")

    def test_a_credit_is_no_money(self):
        """A gesture that settles the first part makes nobody active; the rest of it does."""
        renewal = self._approve_in_parts()
        invoice = renewal.invoice_id.with_env(self.env_account)
        credit_note = invoice._reverse_moves([{"invoice_date": fields.Date.today()}])
        credit_note.invoice_payment_term_id = False
        credit_note.invoice_line_ids.price_unit = 150.0
        credit_note.action_post()
        (invoice | credit_note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        self.assertEqual(invoice.sudo()._membri_get_plan()[0][2], 0.0)
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self._pay(invoice, 100.0)
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")

    def test_payments_without_entry(self):
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            renewal = self._approve_in_parts()
            payment = self._pay(renewal.invoice_id, 172.5)
            self.assertFalse(payment.move_id)
            self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
            payment.action_cancel()
            self.assertEqual(renewal.new_cotisation_id.state, "pending")

    def test_approved(self):
        """Members stay members until they resign, paid or not."""
        renewal = self._approve_in_parts(activation="approved")
        invoice, term = renewal.invoice_id, renewal.new_cotisation_id
        self.assertEqual(term.state, "scheduled")
        self.assertTrue(invoice.sudo().sending_data, "the invoice is sent all the same")
        with freeze_time(JANUARY):
            self._run_states()
            self.assertEqual(term.state, "active")
            self.assertTrue(renewal.is_open)
            payment = self._pay(invoice, 345.0)
            self.assertTrue(renewal.is_paid)
            payment.action_draft()
            self.assertEqual(term.state, "active")
            invoice.with_env(self.env_account).button_draft()
            self.assertEqual(term.state, "active")
            self._run_states()
            self.assertEqual(term.state, "active")
            invoice.with_env(self.env_account).action_post()
            invoice.with_env(self.env_account).button_cancel()
            self.assertEqual(term.state, "cancelled")
            self.assertEqual(renewal.state, "intervention")

    def test_approved_can_be_ended(self):
        """Issue 15, 6: inactive as of the end of the old term, although the new one ran."""
        renewal = self._approve_in_parts(activation="approved")
        with freeze_time("2027-06-01 15:00:00"):
            self._run_states()
            self.assertEqual(renewal.partner_id.membri_status, "active")
            renewal.action_end_unpaid()
            self.assertRecordValues(
                renewal.partner_id,
                [{"membri_status": "inactive", "membri_date_end": date(2026, 12, 31)}],
            )
        self.assertEqual(renewal.state, "refused")

    def test_first_part_paid_is_not_ended(self):
        renewal = self._approve_in_parts()
        self._pay(renewal.invoice_id, 172.5)
        self.assertIn("partly paid", self._assert_refused(renewal.action_end_unpaid))
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")

    def test_fee_notice_of_who_is_active_by_approval(self):
        self.company.membri_fee_notice = True
        renewal = self._approve_in_parts(activation="approved")
        notice = renewal.invoice_id.sudo()
        self.assertEqual(notice.membri_fee_notice_state, "open")
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
        self.assertTrue(notice._membri_is_payable())
        self._run_states()
        with freeze_time("2026-11-20 15:00:00"):
            self._register(notice, 345.0)
        self.assertEqual(notice.state, "posted")
        self.assertTrue(renewal.is_paid)

    def test_fee_notice_keeps_its_plan(self):
        self.company.membri_fee_notice = True
        renewal = self._approve_in_parts()
        notice = renewal.invoice_id.sudo()
        days = [day for day, _amount, _left in notice._membri_get_plan()]
        self.assertEqual(days, [date(2026, 11, 15), date(2027, 1, 14)])
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self.assertEqual([day for day, _amount in notice._membri_get_parts_left()], days)
        self.assertEqual((notice.membri_date_due, renewal.invoice_part_due), (days[0], days[0]))
        with freeze_time("2026-12-10 15:00:00"):
            self.assertTrue(renewal.in_arrears)
            self._register(notice, 172.5)
            self.assertEqual(notice.state, "posted")
            self.assertEqual(renewal.new_cotisation_id.state, "scheduled")
            self.assertEqual([day for day, _amount, _left in notice._membri_get_plan()], days)
            self.assertEqual(notice._membri_get_due_day(), days[1])
            self.assertEqual(notice.membri_date_due, days[1])

    def test_a_stricter_plan_takes_nothing_away(self):
        renewal = self._approve_in_parts()
        term = renewal.new_cotisation_id
        self._pay(renewal.invoice_id, 172.5)
        self.yearly.sudo().activation = "paid"
        self._run_states()
        self.assertEqual(term.state, "scheduled")
        self._unreconcile(renewal.invoice_id)
        self.assertEqual(term.state, "pending")
        self._run_states()

    def test_an_easier_plan_reaches_who_waits(self):
        renewal = self._approve_in_parts(activation="paid")
        self._pay(renewal.invoice_id, 172.5)
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        self.yearly.sudo().activation = "first_part"
        self._run_states()
        self.assertEqual(renewal.new_cotisation_id.state, "scheduled")

    def test_enrolment(self):
        self.yearly.sudo().activation = "approved"
        member = self._create_member("Zoe Newcomer")
        term = member._membri_enrol(self.yearly)
        self.assertEqual(term.state, "active")
        self.assertEqual(member.membri_status, "active")


@tagged("post_install", "-at_install")
@freeze_time(NOVEMBER)
class TestArrears(InstalmentCommon):
    """Issue 15, 4: in arrears is a fact that is found, shown, and ends nothing."""

    def test_years_that_are_over_are_owed_still(self):
        """Who is a member before all is paid owes the year that is over as well."""
        renewal = self._approve_in_parts()
        self._pay(renewal.invoice_id, 172.5)  # the first part makes the member
        term = renewal.new_cotisation_id
        with freeze_time("2028-01-15 15:00:00"):
            self._run_states()
            self.assertEqual(term.state, "expired")
            self.assertEqual(self._find(), renewal)
            self.assertTrue(renewal.in_arrears)
            self.assertTrue(term.in_arrears)
            self.assertTrue(renewal.partner_id.membri_in_arrears)
            self._pay(renewal.invoice_id)
            self.assertFalse(self._find())
            self.assertFalse(term.in_arrears)

    def _find(self):
        queue = self.env.ref("membri_renewal.dashboard_in_arrears")
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["membri.renewal"].search(queue._get_domain())

    def test_part_by_part(self):
        renewal = self._approve_in_parts()
        term = renewal.new_cotisation_id
        other = self._renewal_in("sent")
        for moment, late in (
            (NOVEMBER, False),  # due today
            ("2026-11-16 15:00:00", True),
        ):
            with freeze_time(moment):
                self.assertEqual(self._find(), renewal if late else renewal.browse(), moment)
                self.assertEqual((renewal | other).mapped("in_arrears"), [late, False])
                self.assertEqual(term.in_arrears, late)
                self.assertEqual(renewal.partner_id.membri_in_arrears, late)
        with freeze_time("2026-11-16 15:00:00"):
            self._pay(renewal.invoice_id, 172.5)
            self.assertFalse(self._find())
        with freeze_time("2027-01-15 15:00:00"):
            self._run_states()
            self.assertEqual(self._find(), renewal)
            self.assertEqual(term.state, "active", "late, and a member")
            found = self.env["res.partner"].search([("membri_in_arrears", "=", True)])
            self.assertEqual(found, renewal.partner_id)
            row = self.env["membri.reconciliation"].search([("cotisation_id", "=", term.id)])
            self.assertRecordValues(row, [{"open": 172.5, "overdue": 172.5, "received": 172.5}])
            self._pay(renewal.invoice_id)
            self.assertFalse(self._find())
        self.assertFalse(self.env["membri.renewal"].search([("in_arrears", "in", [True])]))
        self.assertIn(renewal, self.env["membri.renewal"].search([("in_arrears", "=", False)]))

    def test_a_payment_without_entry_is_no_arrears(self):
        self._set_payment_account("none")
        with self._patch_bank_synchronisation():
            renewal = self._approve_in_parts()
            self._pay(renewal.invoice_id, 172.5)
            with freeze_time("2026-11-20 15:00:00"):
                self.assertFalse(self._find())
            with freeze_time("2027-01-20 15:00:00"):
                self.assertEqual(self._find(), renewal)
                self.assertTrue(renewal.in_arrears)

    def test_void_is_no_arrears(self):
        renewal = self._approve_in_parts()
        with freeze_time("2026-12-20 15:00:00"):
            self.assertEqual(self._find(), renewal)
            renewal.action_reset()
            self.assertFalse(self._find())

    def test_who_may_know(self):
        renewal = self._approve_in_parts()
        portal = new_test_user(self.env_root, "late_portal", "base.group_portal")
        with freeze_time("2026-12-20 15:00:00"):
            self.assertTrue(renewal.with_user(self.auditor).in_arrears)
            with self.assertRaises(AccessError):
                renewal.with_user(portal).read(["in_arrears"])
            with self.assertRaises(AccessError):
                self.env["membri.renewal"].with_user(portal).search([("in_arrears", "=", True)])

    def test_cost(self):
        renewals = self._approve_in_parts()
        renewals |= self._approve_in_parts() | self._approve_in_parts()
        with freeze_time("2026-12-20 15:00:00"):
            self.env.flush_all()
            self.env.invalidate_all()
            renewals[:1].mapped("in_arrears")  # what is asked once
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            renewals[:1].mapped("in_arrears")
            one = self.env.cr.sql_log_count - before
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(renewals.mapped("in_arrears"), [True] * 3)
            self.assertEqual(self.env.cr.sql_log_count - before, one)


@tagged("post_install", "-at_install")
@freeze_time(NOVEMBER)
class TestPlan(InstalmentCommon):
    """Issue 15, 4: notice, page, mail and invoice show the plan."""

    def test_before_and_after_accepting(self):
        renewal = self._create_renewal(self._create_yearly())
        self.assertEqual(renewal._get_payment_plan_rows(), [])
        renewal.partner_id.sudo().property_payment_term_id = self.halves
        plan = [(date(2026, 11, 15), 172.5), (date(2027, 1, 14), 172.5)]
        self.assertEqual(renewal._get_payment_plan(), plan)
        renewal.action_send()
        body = renewal.message_ids.mapped("body")[0]
        self.assertIn("if you accept today", body)
        self.assertIn("172.50", body)
        renewal.action_approve()
        shown = [(day, part) for day, part, _left in renewal.invoice_id.sudo()._membri_get_plan()]
        self.assertEqual(shown, plan, "what was shown is what is asked for")
        self._pay(renewal.invoice_id, 200.0)
        with freeze_time("2027-01-20 15:00:00"):
            rows = renewal._get_payment_plan_rows()
        self.assertEqual([row[2] for row in rows], ["Settled", rows[1][2]])
        self.assertIn("Overdue", rows[1][2])
        self.assertIn("145.00", rows[1][2])

    def test_sentences_of_who_is_active(self):
        renewal = self._approve_in_parts()
        invoice = renewal.invoice_id.sudo()
        self.assertIn("first part", renewal._get_payment_sentence())
        self.assertIn("first part", invoice._membri_get_next_sentence())
        self._pay(invoice, 172.5)
        self.assertIn("in effect", renewal._get_payment_sentence())
        self.assertIn("in effect", renewal._get_payment_reminder_sentence())
        self.assertEqual(invoice._membri_get_next_sentence(), "")


@tagged("post_install", "-at_install")
@freeze_time(NOVEMBER)
class TestSharedInstalments(SharedInvoiceCommon, InstalmentCommon):
    """Issue 15, 4: ten members on one invoice that is paid in parts."""

    def setUp(self):
        super().setUp()
        self.yearly.sudo().activation = "first_part"
        self.payer.sudo().property_payment_term_id = self.halves

    def _invoice(self, count):
        members = self.members | self.env["res.partner"].union(
            *(self._create_member(f"Site {n}", parent_id=self.payer.id) for n in range(count - 3))
        )
        renewals = self._prepare(members[:count])
        renewals.action_approve()
        return renewals, self._get_invoice(renewals)

    def test_ten_members(self):
        renewals, invoice = self._invoice(10)
        terms = renewals.new_cotisation_id
        self._pay(invoice, 1724.99)
        self.assertEqual(set(terms.mapped("state")), {"pending"})
        self._pay(invoice, 0.01)
        self.assertEqual(set(terms.mapped("state")), {"scheduled"})
        kind = self.env_root.ref("membri_renewal.activity_part_paid")
        asked = invoice.sudo().activity_ids.filtered(lambda a: a.activity_type_id == kind)
        self.assertFalse(asked, "paid as planned: nobody is asked")
        self._run_states()
        self._unreconcile(invoice)
        self.assertEqual(set(terms.mapped("state")), {"pending"})

    def test_who_leaves_pays_no_part_of_the_others(self):
        renewals, invoice = self._invoice(3)
        off, others = renewals[0], renewals[1:]
        off.action_end_unpaid()
        left = [left for _day, _amount, left in invoice.sudo()._membri_get_plan()]
        self.assertEqual(left, [345.0, 345.0])
        self.assertEqual(set(others.new_cotisation_id.mapped("state")), {"pending"})
        self._pay(invoice, 345.0)
        self.assertEqual(set(others.new_cotisation_id.mapped("state")), {"scheduled"})
