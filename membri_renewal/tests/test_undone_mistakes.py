from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import MembriCommon
from .common_delivery import OneDeliveryCase


class CreditCase(MembriCommon):
    def _credit(self, invoice):
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, "reason": "Typed on the wrong line"})
        )
        wizard.refund_moves()
        note = wizard.new_move_ids
        note.action_post()
        (invoice | note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        return note


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestA4UndoneMistakes(CreditCase):
    """Issue 12, A4: what an accountant or an officer takes back leaves nobody billed twice, and
    no money that reaches nobody."""

    def _approved(self):
        renewal = self._renewal_in("approved")
        return renewal, renewal.invoice_id.with_env(self.env_account)

    def _open_invoices(self, member):
        return self.env_account["account.move"].search(
            [
                ("partner_id", "=", member.id),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("payment_state", "in", ("not_paid", "partial")),
            ]
        )

    def _assert_asked(self, invoice, *parts):
        summaries = " ".join(invoice.sudo().activity_ids.mapped("summary"))
        for part in parts:
            self.assertIn(part, summaries)
        self.assertEqual(invoice.sudo().activity_ids.user_id, self.officer)

    # ------------------------------------------------------------------
    # Orphans that link again
    # ------------------------------------------------------------------

    def _assert_linked_again(self, renewal, invoice, void):
        term = renewal.new_cotisation_id
        self.assertEqual(void.state, "cancelled", "void never changes again")
        self.assertRecordValues(renewal, [{"state": "approved", "invoice_id": invoice.id}])
        self.assertRecordValues(
            term,
            [
                {
                    "state": "pending",
                    "invoice_id": invoice.id,
                    "amount_total": void.amount_total,
                    "date_start": void.date_start,
                    "date_end": void.date_end,
                    "renewal_id": renewal.id,
                }
            ],
        )
        self.assertNotEqual(term, void)
        self.assertEqual(invoice.invoice_line_ids.sudo().membri_cotisation_id, term)
        self.assertFalse(renewal.partner_id.membri_intervention_required)
        self._assert_asked(invoice, void.name)
        with self.assertRaises(UserError):
            renewal.action_approve()
        self.assertEqual(self._open_invoices(renewal.partner_id), invoice)
        self._pay(invoice)
        self.assertEqual(term.state, "scheduled")

    def test_a4_credit_note_reset_to_draft(self):
        """To Odoo the invoice stays credited until the draft is cancelled or taken off."""
        renewal, invoice = self._approved()
        void = renewal.new_cotisation_id
        note = self._credit(invoice)
        self.assertEqual((void.state, renewal.state), ("cancelled", "intervention"))
        note.button_draft()
        with self.assertRaises(UserError) as raised:
            renewal.action_approve()
        self.assertIn(invoice.name, str(raised.exception))
        note.line_ids.remove_move_reconcile()
        self._assert_linked_again(renewal, invoice, void)

    def test_a4_credit_note_cancelled(self):
        renewal, invoice = self._approved()
        void = renewal.new_cotisation_id
        note = self._credit(invoice)
        note.button_draft()
        note.button_cancel()
        self._assert_linked_again(renewal, invoice, void)

    def test_a4_credit_note_posted_after_all(self):
        renewal, invoice = self._approved()
        note = self._credit(invoice)
        void = invoice.invoice_line_ids.sudo().membri_cotisation_id
        note.button_draft()
        note.action_post()
        self.assertRecordValues(void, [{"state": "cancelled"}])
        self.assertEqual(renewal.state, "intervention")
        renewal.action_approve()
        self.assertNotEqual(renewal.invoice_id, invoice)

    def test_a4_invoice_cancelled_drafted_and_posted_again(self):
        renewal, invoice = self._approved()
        void = renewal.new_cotisation_id
        invoice.button_cancel()
        self.assertEqual(void.state, "cancelled")
        invoice.button_draft()
        invoice.action_post()
        self._assert_asked(invoice, invoice.name, "is open")
        self.assertRecordValues(renewal, [{"state": "intervention", "invoice_id": False}])
        with self.assertRaises(UserError) as raised:
            renewal.action_approve()
        self.assertIn(invoice.name, str(raised.exception))
        self._pay(invoice)
        self._assert_asked(invoice, "has a payment")

    def test_a4_orphan_is_to_be_cancelled_and_not_sent(self):
        """One activity says to cancel it: no other one asks to send it to the payer."""
        to_send = ["membri_renewal.activity_undelivered"]
        renewal, invoice = self._approved()
        renewal.new_cotisation_id.action_cancel()
        invoice.button_draft()
        invoice.action_post()
        self._assert_asked(invoice, "Cancel or credit the invoice")
        self.assertFalse(invoice.activity_search(to_send))
        self.assertNotEqual(invoice.membri_delivery_state, "failed")
        other, invoice = self._approved()
        other.action_reset()
        invoice.button_draft()
        invoice.action_post()
        self.assertFalse(invoice.activity_search(to_send))

    def test_a4_enrolment_links_again(self):
        void = self.member._membri_enrol(self.yearly)
        invoice = void.invoice_id.with_env(self.env_account)
        note = self._credit(invoice)
        self._assert_asked(invoice, self.member.name, note.name, "Typed on the wrong line")
        note.button_draft()
        note.button_cancel()
        term = invoice.invoice_line_ids.sudo().membri_cotisation_id
        self.assertRecordValues(term, [{"state": "pending", "origin": "enrolment"}])
        with self.assertRaises(ValidationError):
            self.member._membri_enrol(self.yearly)
        self.assertEqual(self._open_invoices(self.member), invoice)

    # ------------------------------------------------------------------
    # Orphans that do not
    # ------------------------------------------------------------------

    def test_a4_approving_refuses_while_the_old_invoice_is_open(self):
        """The officer has reset it to change something; then the accountant revives it."""
        renewal, invoice = self._approved()
        renewal.action_reset()
        invoice.button_draft()
        invoice.action_post()
        self._assert_asked(invoice, invoice.name, renewal.partner_id.name)
        with self.assertRaises(UserError) as raised:
            renewal.action_approve()
        self.assertIn(invoice.name, str(raised.exception))
        self.assertEqual(renewal.state, "draft")
        renewal.action_send()
        self.assertTrue(renewal._get_cannot_answer_reason("accept"), "nor on the portal")
        invoice.button_cancel()
        renewal.action_approve()
        self.assertEqual(self._open_invoices(renewal.partner_id), renewal.invoice_id)

    def test_a4_enrolling_refuses_while_the_old_invoice_is_open(self):
        term = self.member._membri_enrol(self.yearly)
        invoice = term.invoice_id.with_env(self.env_account)
        term.action_cancel()
        invoice.button_draft()
        invoice.action_post()
        with self.assertRaises(ValidationError) as raised:
            self.member._membri_enrol(self.yearly)
        self.assertIn(invoice.name, str(raised.exception))
        self.member._membri_enrol(self.yearly, date_start="2028-01-01")

    def test_a4_money_on_an_orphan_is_told(self):
        renewal, invoice = self._approved()
        renewal.action_reset()
        invoice.button_draft()
        invoice.action_post()
        self._pay(invoice)
        self._assert_asked(invoice, "has a payment")

    def test_b4_payer_of_an_orphan_is_not_asked_for_money(self):
        """Neither on the page nor in the confirmation of a part that came: the officer has the
        question what becomes of the invoice."""
        renewal, invoice = self._approved()
        self.assertTrue(invoice._membri_get_ways_to_pay())
        renewal.action_reset()
        invoice.button_draft()
        invoice.action_post()
        told = ["Our team is checking this invoice. There is nothing to pay for now."]
        self.assertEqual(invoice._membri_get_standing_sentences(), told)
        self._pay(invoice, 100.0)
        self.assertEqual(invoice._membri_get_part_sentences(), told)
        self.assertEqual(len(invoice._membri_get_standing_sentences()), 2)
        self.assertFalse(invoice._membri_get_ways_to_pay())
        self.assertFalse(invoice._has_to_be_paid())
        with self.assertRaises(ValidationError) as raised:  # from a page that stood open
            invoice.sudo()._membri_begin_payment(100.0)
        self.assertEqual([str(raised.exception)], told)
        self.assertEqual(invoice._membri_get_button_label(), "View the Invoice")
        self.assertNotEqual(invoice._membri_get_portal_status()[0], "warning")

    def test_a4_replaced_meanwhile(self):
        """Credited, approved again, and then the credit note is taken back."""
        renewal, invoice = self._approved()
        note = self._credit(invoice)
        renewal.action_approve()
        second = renewal.invoice_id
        self.assertNotEqual(second, invoice)
        note.button_draft()
        note.button_cancel()
        self._assert_asked(invoice, invoice.name, second.name)
        self.assertRecordValues(renewal, [{"state": "approved", "invoice_id": second.id}])
        self.assertEqual(renewal.new_cotisation_id.invoice_id, second)

    def _unreconcile(self, note):
        note.line_ids.remove_move_reconcile()

    def test_a4_credit_note_taken_off_but_still_posted(self):
        """*Unreconcile*: both are open, the invoice can be paid, and nobody may bill again."""
        renewal, invoice = self._approved()
        void = renewal.new_cotisation_id
        note = self._credit(invoice)
        self._unreconcile(note)
        self.assertEqual(invoice.payment_state, "not_paid")
        self._assert_asked(invoice, invoice.name, note.name, renewal.partner_id.name)
        self.assertEqual(renewal.state, "intervention")
        with self.assertRaises(UserError) as raised:
            renewal.action_approve()
        self.assertIn(note.name, str(raised.exception))
        # used for it again
        (invoice | note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        ).reconcile()
        self.assertEqual(invoice.payment_state, "reversed")
        asked = invoice.sudo().activity_search(["membri_renewal.activity_payment_undone"])
        self.assertFalse(asked)
        renewal.action_approve()
        self.assertEqual(self._open_invoices(renewal.partner_id), renewal.invoice_id)
        self.assertEqual(void.state, "cancelled")

    def test_a4_credit_note_taken_off_and_cancelled(self):
        renewal, invoice = self._approved()
        void = renewal.new_cotisation_id
        note = self._credit(invoice)
        self._unreconcile(note)
        note.button_draft()
        note.button_cancel()
        self._assert_linked_again(renewal, invoice, void)

    def test_a4_credit_note_taken_off_after_a_new_approval(self):
        renewal, invoice = self._approved()
        note = self._credit(invoice)
        renewal.action_approve()
        second = renewal.invoice_id
        self._unreconcile(note)
        self._assert_asked(invoice, invoice.name, note.name)
        self.assertRecordValues(renewal, [{"state": "approved", "invoice_id": second.id}])
        self.assertEqual(second.invoice_line_ids.sudo().membri_cotisation_id.state, "pending")
        # the payer has both, and pays the wrong one
        self._pay(invoice)
        self._assert_asked(invoice, "has a payment")
        self.assertEqual(second.payment_state, "not_paid")

    def test_a4_payment_of_a_credited_invoice_goes_away(self):
        """Paid, credited in full, and then the check bounces: the credit note is not used for
        the invoice, which asks for money again."""
        renewal, invoice = self._approved()
        payment = self._pay(invoice)
        note = self._credit(invoice)
        self.assertEqual(renewal.state, "intervention")
        self._unreconcile(payment.move_id)
        self.assertEqual(invoice.payment_state, "not_paid")
        self._assert_asked(invoice, invoice.name, note.name)

    def test_a4_orphan_holds_what_is_invoiced_by_sending(self):
        """Of who renews automatically, *Send* is an approval, and asks what that asks."""
        renewal, invoice = self._approved()
        invoice.button_cancel()
        invoice.button_draft()
        invoice.action_post()
        renewal.partner_id.membri_auto_renew = True
        renewal.partner_id.membri_intervention_required = False
        self.assertEqual(renewal.state, "draft")
        with self.assertRaises(UserError) as raised:
            renewal.action_send()
        self.assertIn(invoice.name, str(raised.exception))
        self.assertEqual(self._open_invoices(renewal.partner_id), invoice)

    def test_a4_our_own_reset_leaves_no_orphan(self):
        renewal, invoice = self._approved()
        renewal.action_reset()
        self.assertFalse(invoice.sudo().activity_ids)
        renewal.action_approve()
        self.assertEqual(self._open_invoices(renewal.partner_id), renewal.invoice_id)

    # ------------------------------------------------------------------
    # Terminations
    # ------------------------------------------------------------------

    def _term(self):
        return self._create_cotisation(self._create_member("Eve Roy"), "2026-01-01")

    def test_a4_termination_of_today_is_taken_back(self):
        term = self._term()
        renewal = self._create_renewal(term)
        renewal.action_send()
        term.action_terminate("2026-11-30", "Wrong member")
        self.assertEqual(renewal.state, "refused")
        term.action_undo_termination()
        self.assertRecordValues(
            term,
            [
                {
                    "state": "active",
                    "date_end": date(2026, 12, 31),
                    "date_terminated": False,
                    "termination_reason": False,
                }
            ],
        )
        self.assertEqual(renewal.state, "intervention", "a draft would be in no queue")
        self.assertIn("undone", renewal.intervention_reason)
        activity = renewal.sudo().activity_search(["membri_renewal.activity_intervention"])
        self.assertEqual(activity.user_id, self.officer)
        self.assertTrue(term.partner_id.membri_is_member)
        renewal.action_send()
        self.assertEqual(renewal.state, "sent")
        self.assertFalse(term.partner_id.membri_intervention_required)

    def test_a4_termination_in_the_past_gives_the_days_back(self):
        term = self._term()
        term.action_terminate("2026-10-31", "Resigned")
        self.assertEqual(term.state, "expired")
        self.assertEqual(term.partner_id.membri_status, "inactive")
        term.action_undo_termination()
        self.assertRecordValues(
            term, [{"state": "active", "date_end": date(2026, 12, 31), "date_expired": False}]
        )
        self.assertEqual(term.partner_id.membri_status, "active")

    def test_a4_termination_taken_back_after_the_end(self):
        term = self._term()
        term.action_terminate("2026-10-31", "Resigned")
        with freeze_time("2027-02-01 15:00:00"):
            term.action_undo_termination()
            self.assertRecordValues(term, [{"state": "expired", "date_end": date(2026, 12, 31)}])

    def test_a4_termination_stays_when_its_days_are_taken(self):
        term = self._term()
        term.action_terminate("2026-10-31", "Resigned")
        term.partner_id._membri_enrol(self.yearly, date_start="2026-11-15")
        with self.assertRaises(UserError):
            term.action_undo_termination()
        self.assertEqual(term.date_end, date(2026, 10, 31))

    def test_a4_nothing_to_take_back(self):
        term = self._term()
        with self.assertRaises(UserError):
            term.action_undo_termination()

    # ------------------------------------------------------------------
    # Money of terms that are cancelled or merged
    # ------------------------------------------------------------------

    def test_a4_cancelling_a_paid_term_asks_the_officer(self):
        renewal, invoice = self._approved()
        self._pay(invoice)
        renewal.new_cotisation_id.action_cancel()
        self._assert_asked(invoice, renewal.partner_id.name, "345.00")

    def test_a4_merging_two_who_both_paid_tells_the_officer(self):
        one, other = (self._create_member(f"Bob {n}") for n in "12")
        terms = one._membri_enrol(self.yearly) | other._membri_enrol(self.yearly)
        for term in terms:
            self._pay(term.invoice_id)
        wizard = self.env_root["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((one | other).ids, one.with_env(self.env_root), extra_checks=False)
        activities = terms.sudo().invoice_id.activity_ids
        self.assertEqual(len(activities), 1)
        self.assertEqual(activities.user_id, self.officer)
        self.assertIn("345.00", activities.summary)
        self.assertIn(activities.res_name or "", terms.sudo().invoice_id.mapped("display_name"))

    def test_a4_merging_two_who_both_paid_for_years_asks_once(self):
        one, other = (self._create_member(f"Bob {n}") for n in "12")
        starts = ("2024-01-01", "2025-01-01", "2026-01-01")
        terms = self.env["membri.cotisation"].union(
            *(who._membri_enrol(self.yearly, start) for start in starts for who in (one, other))
        )
        for term in terms:
            self._pay(term.invoice_id)
        wizard = self.env_root["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((one | other).ids, one.with_env(self.env_root), extra_checks=False)
        activity = terms.sudo().invoice_id.activity_ids
        self.assertEqual(len(activity), 1)
        void = terms.filtered(lambda term: term.state == "cancelled")
        self.assertEqual(len(void), 3)
        for term in void:
            self.assertIn(term.invoice_id.name, activity.summary)
        self.assertEqual(activity.res_id, void.sorted("date_start")[-1].invoice_id.id)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestA4EmailsOfWhatIsUndone(CreditCase, OneDeliveryCase):
    """What an undone mistake makes of the invoice that waits in the queue."""

    def setUp(self):
        super().setUp()
        self.renewal = self._renewal_in("approved")
        self.invoice = self.renewal.invoice_id.with_env(self.env_account)

    def test_a4_invoice_whose_credit_note_is_taken_back_is_sent(self):
        """Its email was withdrawn meanwhile: it stands in the queue, until somebody sends it."""
        note = self._credit(self.invoice)
        self._run_sending()
        self.assertFalse(self.invoice.sudo().membri_date_sent)
        note.button_draft()
        note.button_cancel()
        self.assertEqual(self.renewal.state, "approved")
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))
        self.renewal.action_retry_sending()
        self._run_sending()
        self.assertEqual(self.invoice.sudo().membri_delivery_state, "delivered")
        self.assertFalse(self._is_in_queue(self.renewal, "send_failed"))

    def test_a4_invoice_of_a_void_term_does_not_leave(self):
        self._pay(self.invoice, 100.0)
        self.renewal.new_cotisation_id._do_cancel()  # as a merge does
        self.assertTrue(self.invoice._membri_is_orphan())
        for message in self._run_sending():
            self.assertNotIn(f"Invoice {self.invoice.name}", message["Subject"])
        self.assertFalse(self.invoice.sudo().membri_date_sent)
