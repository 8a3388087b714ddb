from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.mail.tests.common import MailCase

from .common_fee_notice import FeeNoticeCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestFeeNotice(FeeNoticeCommon, MailCase):
    """Issue 5.5: approval sends a fee notice with a number of its own; the invoice gets its
    number when it is paid."""

    def _get_last_invoice(self):
        return self.env_account["account.move"].search(
            [("move_type", "=", "out_invoice"), ("state", "=", "posted")],
            order="sequence_number desc",
            limit=1,
        )

    def test_off_by_default(self):
        company = self.env_root["res.company"].create({"name": "Another chamber"})
        self.assertFalse(company.membri_fee_notice)

    def test_approval_makes_a_fee_notice(self):
        self._assert_waiting()
        self.assertRecordValues(
            self.notice,
            [
                {
                    "membri_fee_notice_name": "AVIS/2026/00001",
                    "payment_reference": "AVIS/2026/00001",
                    "display_name": "Fee notice AVIS/2026/00001",
                    "amount_total": 345.0,
                    "amount_residual": 345.0,
                    "membri_invoice_type": "renewal",
                }
            ],
        )
        self.assertEqual(self.notice.membri_fee_notice_date.isoformat(), "2026-11-15")
        self.assertTrue(self.notice.invoice_date_due)
        self.assertEqual(self.renewal.state, "approved")
        self.assertEqual(self.renewal.invoice_ids, self.renewal.invoice_id)
        self.assertIn("Fee notice AVIS/2026/00001", self.renewal.partner_id.message_ids[0].body)

    def test_enrolment_announces_a_fee_notice(self):
        enrolment = self.env["membri.enrolment"].create(
            {"partner_id": self.member.id, "option_set_id": self.yearly.id}
        )
        self.assertIn("A fee notice for", enrolment.consequences)
        self.assertNotIn("An invoice for", enrolment.consequences)

    def test_enrolment_makes_a_fee_notice(self):
        cotisation = self.member._membri_enrol(self.yearly)
        notice = cotisation.invoice_id.with_env(self.env_account)
        self._assert_open(notice)
        self.assertEqual(notice.membri_fee_notice_name, "AVIS/2026/00002")
        self.assertEqual(self.member.membri_status, "pending")
        self._register(notice)
        self.assertEqual(cotisation.state, "active")
        self.assertEqual(self.member.membri_status, "active")

    def test_numbers_are_the_companys_own(self):
        other = self._create_other_company("Other chapter", "UTC", with_accounting=True)
        other.membri_fee_notice = True
        option_set = self.env_root["membri.option.set"].create(
            {
                "name": "Other",
                "company_id": other.id,
                "line_ids": [(0, 0, {"product_id": self.product.id})],
            }
        )
        cotisation = (
            self._create_member("Olga Other")
            .with_company(other)
            ._membri_enrol(
                option_set.with_env(self.env(context={"allowed_company_ids": other.ids}))
            )
        )
        self.assertEqual(cotisation.sudo().invoice_id.membri_fee_notice_name, "AVIS/2026/00001")
        self.assertEqual(
            self._renewal_in("approved").invoice_id.membri_fee_notice_name, "AVIS/2026/00002"
        )

    def test_what_is_free_is_invoiced_and_paid_at_once(self):
        free = self._create_option("Honorary member", 0.0)
        option_set = self._create_option_set("Honorary", free)
        cotisation = self.member._membri_enrol(option_set)
        self.assertEqual(cotisation.invoice_id.state, "posted")
        self.assertFalse(cotisation.invoice_id.membri_fee_notice_name)
        self.assertEqual(cotisation.state, "active")

    # ------------------------------------------------------------------
    # Paid by the staff
    # ------------------------------------------------------------------

    def test_register_payment_makes_the_invoice(self):
        last = self._get_last_invoice()
        with freeze_time("2026-12-03 15:00:00"):
            self._register(self.notice)
        self.assertRecordValues(
            self.notice,
            [
                {
                    "state": "posted",
                    "membri_fee_notice_state": "invoiced",
                    "payment_reference": "AVIS/2026/00001",
                    "amount_residual": 0.0,
                }
            ],
        )
        self.assertEqual(self.notice.invoice_date.isoformat(), "2026-12-03")
        self.assertEqual(self.notice.sequence_number, last.sequence_number + 1)
        self.assertIn(self.notice.payment_state, ("paid", "in_payment"))
        self.assertTrue(self.renewal.is_paid)
        self.assertEqual(self.cotisation.state, "scheduled")
        self.assertEqual(self.notice.display_name, self.notice.name)
        self.assertTrue(self.notice.sending_data, "the invoice follows by email")

    def test_the_invoice_is_sent_once(self):
        self._register(self.notice)
        with self.mock_mail_gateway():
            self.env["account.move.send"].sudo()._generate_and_send_invoices(
                self.notice.sudo(), from_cron=True
            )
        self.assertTrue(self.notice.is_move_sent)
        self.assertFalse(self.notice.sending_data)
        self.cotisation.sudo()._queue_invoices_of_fee_notices()
        self.assertFalse(self.notice.sending_data)

    def test_part_payments(self):
        """The first part makes the invoice, which says what is left; the last completes."""
        due = self.notice.invoice_date_due
        self._register(self.notice, amount=100.0)
        self.assertEqual(self.notice.state, "posted")
        self.assertEqual(self.notice.payment_state, "partial")
        self.assertEqual(self.notice.amount_residual, 245.0)
        self.assertEqual(self.notice.invoice_date_due, due)
        self.assertEqual(self.cotisation.state, "pending")
        self.assertTrue(self.notice.sending_data)
        self._pay(self.notice, 245.0)
        self.assertEqual(self.cotisation.state, "scheduled")
        self.assertTrue(self.renewal.is_paid)

    def test_several_at_once(self):
        second = self._renewal_in("approved")
        notices = self.notice | second.invoice_id.with_env(self.env_account)
        self._register(notices)
        self.assertEqual(set(notices.mapped("state")), {"posted"})
        self.assertEqual(
            (self.cotisation | second.new_cotisation_id).mapped("state"), ["scheduled"] * 2
        )

    def test_amount_of_zero_changes_nothing(self):
        self.assertIn(
            "more than zero", self._assert_refused(lambda: self._register(self.notice, amount=0.0))
        )
        self._assert_waiting()

    def test_bank_statement(self):
        """Found by its number, which the member gives as the payment reference; invoiced,
        then reconciled with the line of the statement."""
        found = self.env_account["account.move"].search(
            [("payment_reference", "=", "AVIS/2026/00001")]
        )
        self.assertEqual(found, self.notice)
        found.action_post()
        self.assertEqual(self.cotisation.state, "pending")
        self._pay_by_bank(found, 345.0)
        self.assertEqual(self.cotisation.state, "scheduled")
        self.assertTrue(self.notice.sending_data)

    def test_payment_undone_leaves_the_invoice(self):
        self._register(self.notice)
        name = self.notice.name
        self.notice.line_ids.remove_move_reconcile()
        self.assertEqual(self.cotisation.state, "pending")
        self.assertEqual((self.notice.state, self.notice.name), ("posted", name))
        self._pay(self.notice)
        self.assertEqual(self.cotisation.state, "scheduled")

    # ------------------------------------------------------------------
    # Never paid: void
    # ------------------------------------------------------------------

    def test_reset_voids_and_uses_no_number(self):
        last = self._get_last_invoice()
        self.renewal.action_reset()
        self.assertEqual(self.notice.membri_fee_notice_state, "void")
        self.assertFalse(self.notice.name)
        self.assertEqual(self.cotisation.state, "cancelled")
        self.assertFalse(self.notice._has_to_be_paid())
        self.renewal.action_approve()
        again = self.renewal.invoice_id.with_env(self.env_account)
        self.assertEqual(again.membri_fee_notice_name, "AVIS/2026/00002")
        self.assertEqual(self.renewal.invoice_ids.ids, [self.notice.id, again.id])
        self._register(again)
        self.assertEqual(again.sequence_number, last.sequence_number + 1)

    def test_void_stays_void(self):
        self.renewal.action_reset()
        self.assertIn("withdrawn", self._assert_refused(self.notice.button_draft))
        self.assertEqual(self.notice.state, "cancel")
        with self.assertRaises(UserError):
            self.notice.action_membri_register_fee_notice_payment()

    def test_cancelled_in_invoicing(self):
        """The system transition of specification §2: back to the staff."""
        self.notice.button_cancel()
        self.assertEqual(self.cotisation.state, "cancelled")
        self.assertEqual(self.renewal.state, "intervention")

    def test_cotisation_cancelled(self):
        self.cotisation.action_cancel()
        self.assertEqual(self.notice.membri_fee_notice_state, "void")

    def test_cannot_be_deleted_while_awaited(self):
        self.assertIn(self.cotisation.name, self._assert_refused(self.notice.unlink))

    def test_pending_transaction_holds_it(self):
        self._create_transaction(self.notice, "pending")
        self.assertIn("has a payment", self._assert_refused(self.renewal.action_reset))
        self.assertTrue(self.renewal._get_no_reminder_reason())
        self._assert_waiting()

    def test_done_and_not_booked_holds_it(self):
        self._create_transaction(self.notice, "done")
        self.assertIn("has a payment", self._assert_refused(self.renewal.action_reset))
        self._assert_waiting()

    def test_failed_transactions_change_nothing(self):
        for state in ("cancel", "error"):
            self._create_transaction(self.notice, state)
        self._assert_waiting()
        self.assertTrue(self.notice._has_to_be_paid())
        self.renewal.action_reset()
        self.assertEqual(self.notice.membri_fee_notice_state, "void")

    # ------------------------------------------------------------------
    # In Invoicing
    # ------------------------------------------------------------------

    def test_confirmed_by_hand(self):
        """A payer who wants the invoice first: the staff confirms that one."""
        self.notice.action_post()
        self.assertEqual(self.notice.membri_fee_notice_state, "invoiced")
        self.assertEqual(self.cotisation.state, "pending")
        self._pay(self.notice)
        self.assertEqual(self.cotisation.state, "scheduled")

    def test_posting_a_selection_leaves_fee_notices_alone(self):
        ordinary = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.member.id,
                "invoice_line_ids": [(0, 0, {"name": "Room", "price_unit": 10.0})],
            }
        )
        (ordinary | self.notice).action_validate_moves_with_confirmation()
        self.assertEqual(ordinary.state, "posted")
        self._assert_waiting()
        hint = self._assert_refused(self.notice.action_validate_moves_with_confirmation)
        self.assertIn("Register Payment", hint)
        wizard = self.env_account["validate.account.move"].with_context(
            active_model="account.journal", active_id=self.notice.journal_id.id
        )
        self.assertIn("Register Payment", self._assert_refused(lambda: wizard.create({})))

    def test_reset_to_draft_of_the_invoice_is_no_fee_notice_again(self):
        self._register(self.notice)
        self.notice.button_draft()
        self.assertEqual(self.notice.membri_fee_notice_state, "invoiced")
        self.assertEqual(self.cotisation.state, "pending")

    def test_mode_switched_off(self):
        """Fee notices that are out stay what they are; new approvals make invoices."""
        self.company.membri_fee_notice = False
        self._assert_waiting()
        self.assertEqual(self._renewal_in("approved").invoice_id.state, "posted")
        self._register(self.notice)
        self.assertEqual(self.cotisation.state, "scheduled")

    def test_named_in_the_readers_language(self):
        """Whoever reads it after somebody else reads it in another language."""
        self.env_root["res.lang"]._activate_lang("fr_FR")
        english, french = (self.notice.with_context(lang=lang) for lang in ("en_US", "fr_FR"))
        self.assertNotEqual(english.display_name, french.display_name)
        for notice in (english, french):
            self.assertEqual(notice.display_name, notice._membri_get_document_label())

    def test_foreign_currency(self):
        """The invoice has the rate of the day that it is dated."""
        currency = self._bill_in_euros(self.member, {"2026-01-01": 2.0, "2026-12-01": 4.0})
        cotisation = self.member._membri_enrol(self.yearly)
        notice = cotisation.invoice_id.with_env(self.env_account)
        self.assertEqual(notice.currency_id, currency)
        with freeze_time("2026-12-03 15:00:00"):
            self._register(notice)
        self.assertEqual(notice.state, "posted")
        self.assertAlmostEqual(abs(notice.amount_total_signed), notice.amount_total / 4.0, 2)
        self.assertEqual(cotisation.state, "active")

    # ------------------------------------------------------------------
    # Who may
    # ------------------------------------------------------------------

    def test_access(self):
        notice = self.notice.with_user(self.officer)
        self._register(notice)
        self.assertEqual(self.cotisation.state, "scheduled")
        other = self._renewal_in("approved").invoice_id
        for user in (self.auditor, self.employee):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._register(other.with_user(user))


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestFeeNoticeSending(FeeNoticeCommon, MailCase):
    """How the fee notice reaches its payer, and how the reminders speak of it."""

    def _send(self):
        with self.mock_mail_gateway(), self.enter_registry_test_mode():
            self.env_root.ref("membri_renewal.ir_cron_send_fee_notices").method_direct_trigger()
        self.env.invalidate_all()

    def _get_mail(self):
        return self._new_mails.filtered(lambda mail: mail.model == "account.move")

    def test_email(self):
        self._send()
        mail = self._get_mail()
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.recipient_ids, self.notice.partner_id)
        self.assertIn("AVIS/2026/00001", mail.subject)
        self.assertIn(
            f"/my/fee-notices/{self.notice.id}?access_token={self.notice.access_token}",
            mail._prepare_outgoing_list()[0]["body"],
        )
        self.assertEqual(mail.attachment_ids.name, "Fee notice AVIS-2026-00001.pdf")
        self.assertTrue(self.notice.membri_date_sent)
        self._assert_waiting()

    def test_sent_once(self):
        self._send()
        self._send()
        self.assertFalse(self._get_mail())

    def test_sent_again(self):
        self._send()
        self.notice.with_user(self.officer).action_membri_send_again()
        self._send()
        self.assertEqual(len(self._get_mail()), 1)

    def test_void_is_not_sent(self):
        self.renewal.action_reset()
        self._send()
        self.assertFalse(self._get_mail())
        self.assertFalse(self.notice.membri_date_sent)

    def test_paid_before_it_left(self):
        self._register(self.notice)
        self._send()
        self.assertFalse(self._get_mail())

    def test_unreachable_payer(self):
        self.member.email = False
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        renewal.action_approve()
        self.assertFalse(renewal.invoice_id.sudo().membri_fee_notice_to_send)
        self.assertIn("has no email address", renewal.sudo().invoice_id.message_ids[0].body)
        self.assertIn("has no email address", renewal.activity_ids.summary)

    def test_a_failure_stops_no_other(self):
        second = self._renewal_in("approved")
        template = self.env.ref("membri_renewal.mail_template_fee_notice").sudo()
        template.subject = f"{{{{ 1 / (object.id - {self.notice.id}) }}}}"
        self._send()
        self.assertTrue(second.invoice_id.membri_date_sent)
        self.assertFalse(self.notice.membri_date_sent)
        self.assertEqual(self.renewal.delivery_state, "failed")
        self._send()
        self.assertFalse(self._get_mail())

    def test_reminder_speaks_of_the_fee_notice(self):
        self.assertFalse(self.renewal._get_no_reminder_reason())
        with self.mock_mail_gateway():
            self.renewal.action_send_reminder()
        mail = self._get_notices(self._new_mails)
        self.assertIn("Fee notice AVIS/2026/00001", mail.subject)
        self.assertIn(f"/my/fee-notices/{self.notice.id}", mail.body_html)
        self.assertIn("AVIS-2026-00001", mail.attachment_ids.name)

    def test_email_names_the_document_and_every_way_to_pay(self):
        self.company.sudo().membri_check_payee = "Le trésorier"
        self._send()
        body = self._get_mail().body_html
        for said in ("Fee notice", "AVIS/2026/00001", "Le trésorier"):
            self.assertIn(said, body)
        self.assertEqual(
            self.notice.sudo()._membri_get_mail_rows()[0], ("Fee notice", "AVIS/2026/00001")
        )
        html, _type = self.env_root["ir.actions.report"]._render_qweb_html(
            "membri_renewal.report_fee_notice", self.notice.ids
        )
        self.assertIn("Le trésorier", html.decode())

    def test_says_when_the_membership_takes_effect(self):
        """Of members who stay members until they resign, nothing waits for the payment."""
        waits = self.notice.sudo()._membri_get_next_sentence()
        self.assertTrue(waits)
        self.yearly.sudo().activation = "approved"
        kept = self._renewal_in("approved").invoice_id.sudo()
        self._send()
        mail = self._get_mail().filtered(lambda mail: mail.res_id == kept.id)
        self.assertTrue(mail)
        self.assertNotIn(waits, mail.body_html)
        html, _type = self.env_root["ir.actions.report"]._render_qweb_html(
            "membri_renewal.report_fee_notice", kept.ids
        )
        self.assertNotIn(waits, html.decode())

    def test_automatic_reminder_after_the_due_date(self):
        self.env_root["membri.reminder.step"].create(
            {"option_set_id": self.yearly.id, "trigger": "after_due", "days": 5, "automatic": True}
        )
        renewal = self._renewal_in("approved")
        due = renewal.invoice_id.invoice_date_due
        self.assertEqual((renewal.date_next_reminder - due).days, 5)
        with freeze_time("2027-02-15 15:00:00"), self.mock_mail_gateway():
            self._run_cron("ir_cron_send_reminders")
            self.assertEqual(renewal.reminder_count, 1)

    def test_queue_of_accepted_and_unpaid(self):
        dashboard = self.env.ref("membri_renewal.dashboard_accepted_unpaid")
        queue = self.env["membri.renewal"].search(dashboard._get_domain())
        self.assertIn(self.renewal, queue)
        self._register(self.notice)
        queue = self.env["membri.renewal"].search(dashboard._get_domain())
        self.assertNotIn(self.renewal, queue)

    def test_language_of_the_payer(self):
        self.env_root["res.lang"]._activate_lang("fr_FR")
        self.notice.partner_id.sudo().lang = "fr_FR"
        self.assertIn("/fr/my/fee-notices/", self.notice._membri_get_page_url())
        html, _type = self.env_root["ir.actions.report"]._render_qweb_html(
            "membri_renewal.report_fee_notice", self.notice.ids
        )
        self.assertIn(b"AVIS/2026/00001", html)
        self.assertIn(b"345", html)
