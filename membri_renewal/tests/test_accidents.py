from freezegun import freeze_time

from odoo import fields
from odoo.fields import Domain
from odoo.tests import tagged

from .common_delivery import OneDeliveryCase


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestAccidentsOfAccountants(OneDeliveryCase):
    """Issue 12: what happens to the books during a season."""

    def setUp(self):
        super().setUp()
        self.renewal = self._renew_automatically()
        self.invoice = self.renewal.invoice_id.with_env(self.env_account)
        self.term = self.renewal.new_cotisation_id
        self._run_sending()

    def _get_asked(self, record=None):
        self.env.flush_all()
        return (record or self.invoice).sudo().activity_ids.mapped("summary")

    def _assert_seen(self):
        """Accepted, unpaid again, and in the queue for that, with a question of why."""
        self.assertEqual(self.term.state, "pending")
        self.assertTrue(self._is_in_queue(self.renewal, "accepted_unpaid"))

    def test_payment_that_is_deleted(self):
        payment = self._pay(self.invoice)
        self.assertEqual(self.term.state, "scheduled")
        payment.action_draft()
        payment.unlink()
        self._assert_seen()
        self.assertTrue(self._get_asked())

    def test_bank_line_that_is_deleted(self):
        line = self._pay_by_bank(self.invoice, self.invoice.amount_total)
        self.assertEqual(self.term.state, "scheduled")
        line.unlink()
        self._assert_seen()
        self.assertTrue(self._get_asked())

    def test_bank_line_that_is_undone(self):
        line = self._pay_by_bank(self.invoice, self.invoice.amount_total)
        line.action_undo_reconciliation()
        self._assert_seen()
        self.assertTrue(self._get_asked())

    def test_credit_note_that_is_deleted(self):
        """What was voided is open again, and the renewal has another term of it."""
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=self.invoice.ids)
            .create({"journal_id": self.invoice.journal_id.id})
        )
        wizard.refund_moves()
        note = wizard.new_move_ids
        note.action_post()
        self.assertEqual(self.term.state, "cancelled")
        self.assertEqual(self.renewal.state, "intervention")
        note.button_draft()
        note.unlink()
        self.assertEqual(self.invoice.payment_state, "not_paid")
        self.assertEqual(self.renewal.state, "approved")
        self.assertEqual(self.renewal.new_cotisation_id.state, "pending")
        self.assertEqual(self.renewal.new_cotisation_id.invoice_id.id, self.invoice.id)
        self.assertTrue(self._is_in_queue(self.renewal, "accepted_unpaid"))
        self.assertTrue(self._get_asked())

    def test_payment_whose_amount_is_lowered(self):
        payment = self._pay(self.invoice)
        payment.action_draft()
        payment.amount = 10.0
        payment.action_post()
        self._assert_seen()
        self.assertTrue(self._get_asked())

    def _renew_at_night(self):
        """:return: a renewal of somebody who is invoiced by itself, after the night"""
        term = self._create_yearly()
        term.partner_id.membri_auto_renew = True
        self._run_cron("ir_cron_generate")
        return self.env["membri.renewal"].search([("cotisation_id", "=", term.id)])

    def _assert_told(self, renewal, reason):
        self.assertEqual(renewal.state, "draft")
        self.assertTrue(self._is_in_queue(renewal, "send_failed"))
        self.assertIn(reason, renewal.delivery_note)

    def test_journal_that_is_archived(self):
        self.env_root["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        ).active = False
        self._assert_told(self._renew_at_night(), "no sales journal")
        other = self._create_renewal(self._create_yearly(), mode="notice")
        other.action_send()
        self.assertIn("no sales journal", self._assert_refused(other.action_approve))
        # of many it is said before, once, and in the first steps
        others = other | self._create_renewal(self._create_yearly(), mode="invoice")
        for action in ("approve", "apply_and_approve", "send"):
            window = self.env["membri.bulk.start"].create({"action": action})
            window.renewal_ids = others
            with self.subTest(action=action):
                said = window._get_billing_sentences(Domain("id", "in", others.ids))
                self.assertEqual(sum("no sales journal" in sentence for sentence in said), 1)
        unready = self.company.with_env(self.env)._membri_get_unready(self.yearly)
        self.assertIn("journal", [code for code, _sentence in unready])
        missing = self.env["membri.setup.step"]._get_missing_of_accounts(self.company.sudo())
        self.assertEqual(len(missing), 1)

    def test_option_without_an_account(self):
        self.env_root["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        ).default_account_id = False
        self.env_root["ir.default"].search([]).unlink()
        self.product.sudo().categ_id.property_account_income_categ_id = False
        self.product.sudo().property_account_income_id = False
        self.company.sudo().income_account_id = False
        self._assert_told(self._renew_at_night(), "no income account")

    def _assert_alone_refused(self, renewal, words):
        """Our sentence, approved alone; among several the others go on."""
        others = (
            self._create_renewal(self._create_yearly()),
            self._create_renewal(self._create_yearly()),
        )
        reason = self._assert_refused(renewal.action_approve)
        for word in (*words, renewal.partner_id.name):
            self.assertIn(word, reason)
        renewals = others[0] | renewal | others[1]
        renewals.action_bulk("approve")
        self.assertEqual(renewals.mapped("state"), ["approved", "draft", "approved"])
        self.assertFalse(renewal.invoice_ids)
        self.assertFalse(renewal.new_cotisation_id)

    def _copy_account(self, name, code):
        account = self.company_data[name].with_env(self.env_root).with_company(self.company)
        return account.copy({"code": code})

    def test_income_account_that_is_archived(self):
        account = self._copy_account("default_account_revenue", "999123")
        Product = self.env_root["product.product"].with_company(self.company)
        product = Product.create({"name": "Other option", "property_account_income_id": account.id})
        renewal = self._create_renewal(self._create_yearly())
        renewal.line_ids[0].product_id = product
        account.active = False
        self._assert_alone_refused(renewal, ("Other option", "999123", "unarchive"))

    def test_receivable_account_that_is_archived(self):
        account = self._copy_account("default_account_receivable", "119123")
        renewal = self._create_renewal(self._create_yearly())
        renewal.partner_id.sudo().property_account_receivable_id = account
        account.active = False
        self._assert_alone_refused(renewal, ("119123", "unarchive"))
        account.active = True
        renewal.action_approve()
        self.assertEqual(renewal.state, "approved")

    def test_currency_that_is_archived(self):
        euro = self.env_root.ref("base.EUR")
        euro.active = True
        renewal = self._create_renewal(self._create_yearly(), currency_id=euro.id)
        self.env.flush_all()
        euro.active = False
        self._assert_alone_refused(renewal, ("EUR", "activate"))

    def test_day_that_is_locked_for_good(self):
        renewals = self._create_renewal(self._create_yearly()) | self._create_renewal(
            self._create_yearly()
        )
        self.company.with_env(self.env_root).hard_lock_date = "2026-12-31"
        for renewal in renewals:
            refused = self._assert_refused(renewal.action_approve)
            self.assertIn("locked", refused)
            self.assertNotIn("accountant", refused, "nobody can unlock it")
        renewals.action_bulk("approve")
        self.assertEqual(renewals.mapped("state"), ["draft", "draft"])
        self.assertFalse(renewals.invoice_ids)

    def test_contact_that_was_given_to_another_company(self):
        other = self._create_other_company("Other", "America/Toronto")
        term = self._create_yearly()
        term.partner_id.membri_auto_renew = True
        term.partner_id.sudo().company_id = other
        self._run_cron("ir_cron_generate")
        renewal = self.env["membri.renewal"].sudo().search([("cotisation_id", "=", term.id)])
        self.assertEqual((renewal.state, renewal.delivery_state), ("draft", "failed"))
        self.assertIn("belongs to Other", renewal.delivery_note)
        term.partner_id.sudo().company_id = False
        renewal.with_env(self.env).action_send()
        self.assertEqual(renewal.state, "approved")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestAccidentsOfOfficers(OneDeliveryCase):
    """Issue 12: what happens to contacts and settings during a season."""

    def test_reminder_step_that_is_deleted(self):
        """What was sent stays sent, and is not sent again by the next step."""
        renewal = self._renew_automatically()
        step = self.env_root["membri.reminder.step"].create(
            {"option_set_id": self.yearly.id, "trigger": "after_due", "days": 1}
        )
        renewal._update_next_reminder()
        with freeze_time("2027-01-10 15:00:00"), self.mock_mail_gateway():
            self._run_cron("ir_cron_send_reminders")
            self.assertEqual(renewal.reminder_count, 1)
            step.unlink()
            self.assertEqual(renewal.sudo().reminder_log_ids.mapped("result"), ["sent"])
            self._run_cron("ir_cron_send_reminders")
        self.assertEqual(renewal.reminder_count, 1)

    def test_person_in_charge_who_is_deleted_while_the_notice_waits(self):
        boss = self._create_member("Boss")
        term = self._create_yearly()
        term.partner_id.membri_responsible_id = boss
        renewal = self._create_renewal(term, mode="notice")
        renewal.action_send()
        self.assertEqual(renewal.recipient_id, boss)
        boss.sudo().unlink()
        [message] = self._run_sending()
        self.assertIn(term.partner_id.email, message["To"])
        self.assertEqual(renewal.recipient_id, term.partner_id)
        self.assertEqual(renewal.delivery_state, "delivered")

    def test_nobody_has_an_address_to_send_from(self):
        for record in (self.officer, self.company):
            record.sudo().partner_id.email = False
            record.sudo().email = False
        term = self._create_yearly()
        term.partner_id.membri_auto_renew = True
        self._run_cron("ir_cron_generate")
        held = self.env["membri.renewal"].search([("cotisation_id", "=", term.id)])
        self.assertEqual((held.state, held.delivery_state), ("draft", "failed"))
        self.assertIn("no email address to send from", held.delivery_note)

    def test_company_that_becomes_a_person(self):
        company = self._create_member("Firm", is_company=True)
        self._create_member("Employee", parent_id=company.id)
        renewal = self._create_renewal(
            self._create_cotisation(company, "2026-01-01"), mode="notice"
        )
        renewal.action_send()
        [message] = self._run_sending()
        self.assertIn(company.email, message["To"])
        company.is_company = False
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.partner_id, company)
        [message] = self._run_sending()
        self.assertIn(company.email, message["To"])
        self.assertEqual(renewal.delivery_state, "delivered")

    def test_second_click(self):
        """Nothing is made twice, and the sentence says why."""
        renewal = self._create_renewal(self._create_yearly(), mode="notice")
        renewal.action_send()
        renewal.action_approve()
        invoice = renewal.invoice_id
        self.assertIn("Approved", self._assert_refused(renewal.action_approve))
        self.assertEqual(renewal.invoice_ids, invoice)
        member = self._create_member("Twice")
        wizard = self.env["membri.enrolment"].create(
            {"partner_id": member.id, "option_set_id": self.yearly.id}
        )
        wizard.action_confirm()
        self.assertIn("overlaps", self._assert_refused(wizard.action_confirm))
        self.assertEqual(len(member.membri_cotisation_ids), 1)

    def test_payment_term_that_is_archived(self):
        """It was agreed with the payer: the due day stays."""
        days = fields.Command.create({"value": "percent", "value_amount": 100, "nb_days": 10})
        payment_term = self.env_root["account.payment.term"].create(
            {"name": "Ten days", "line_ids": [days]}
        )
        term = self._create_yearly()
        term.partner_id.sudo().property_payment_term_id = payment_term
        renewal = self._create_renewal(term, mode="notice")
        renewal.action_send()
        payment_term.active = False
        renewal.action_approve()
        due = renewal.invoice_id.invoice_date_due
        self.assertEqual(due, fields.Date.to_date("2026-11-25"))
