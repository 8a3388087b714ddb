from freezegun import freeze_time

from odoo.tests import tagged

from .common_delivery import OneDeliveryCase
from .common_shared_invoice import SharedInvoiceCommon

PAYER = "membri_renewal.activity_other_payer"
CONTACT = "membri_renewal.activity_payer_of_contact"


class OtherPayerCase(OneDeliveryCase):
    def setUp(self):
        super().setUp()
        self.renewal = self._renew_automatically()
        self.invoice = self.renewal.invoice_id.with_env(self.env_account)
        self.employer = self._create_member("Employer Ltd", is_company=True)

    def _get_asked(self, invoice=None):
        asked = (invoice or self.invoice).sudo().activity_search([PAYER, CONTACT])
        return asked.mapped("summary")

    def _readdress(self, payer):
        """As the accountant does: *Reset to Draft*, another customer, *Confirm*."""
        self.invoice.button_draft()
        self.invoice.partner_id = payer
        self.invoice.action_post()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestInvoiceOfAnotherPayer(OtherPayerCase):
    """Issue 12: another customer on the invoice, after the approval."""

    def test_the_officer_is_told_and_it_is_to_be_sent(self):
        self._run_sending()
        member = self.renewal.partner_id
        key = self.invoice.access_token
        self._readdress(self.employer)
        [asked] = self._get_asked()
        self.assertIn(f"was addressed to {member.name} and is now addressed to Employer", asked)
        self.assertIn(f"{member.name} had received it", asked)
        self.assertIn("change its invoice address", asked)
        self.assertNotEqual(self.invoice.access_token, key)
        self.assertEqual(self.invoice.membri_former_payer_id, member)
        self.assertRecordValues(self.renewal, [{"state": "approved", "delivery_state": "failed"}])
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))
        self.renewal.action_retry_sending()
        [message] = [m for m in self._run_sending() if self.employer.email in m["To"]]
        self.assertIn("invoice", message["Subject"].lower())
        self.assertEqual(self.renewal.delivery_state, "delivered")
        self._pay(self.invoice)
        self.assertFalse(self._get_asked())

    def test_while_it_is_a_draft(self):
        self._run_sending()
        self.invoice.button_draft()
        self.invoice.partner_id = self.employer
        self.assertEqual(len(self._get_asked()), 1)
        self.assertIn("Confirm it, then send it", self.renewal.delivery_note)
        self.invoice.action_post()
        self.assertNotIn("Confirm it, then", self.renewal.delivery_note)
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))

    def test_a_slip_that_is_taken_back(self):
        member = self.renewal.partner_id
        self._run_sending()
        self.invoice.button_draft()
        self.invoice.partner_id = self.employer
        self.invoice.partner_id = member
        self.invoice.action_post()
        self.assertFalse(self._get_asked())
        self.assertFalse(self.invoice.membri_former_payer_id)
        # the link that the member has is dead: it is sent again
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))

    def test_nothing_was_received(self):
        self._readdress(self.employer)
        [asked] = self._get_asked()
        self.assertNotIn("had received it", asked)
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))
        self.assertFalse(self._run_sending())

    def test_no_reminder_of_what_was_never_sent(self):
        self._run_sending()
        self.env_root["membri.reminder.step"].create(
            {"option_set_id": self.yearly.id, "trigger": "after_due", "days": 1}
        )
        self.renewal._update_next_reminder()
        day = self.invoice.invoice_date_due.replace(day=28)
        with freeze_time(f"{day} 15:00:00"):
            self._readdress(self.employer)
            with self.mock_mail_gateway():
                self._run_cron("ir_cron_send_reminders")
            self.assertEqual(self.renewal.sudo().reminder_log_ids.mapped("result"), ["skipped"])
        self.assertEqual(self.renewal.reminder_count, 0)

    def test_no_reminder_on_paper_either(self):
        self._run_sending()
        self.renewal._internal_write({"letter_state": "to_print", "letter_content": "reminder"})
        log = self.env_root["membri.reminder.log"].create(
            {"renewal_id": self.renewal.id, "result": "to_print"}
        )
        self._readdress(self.employer)
        self.assertFalse(self.renewal.letter_state)
        self.assertEqual(log.result, "skipped")

    def test_invoice_that_replaces_another(self):
        self._run_sending()
        replacement = self._reverse_and_create(self.invoice)
        replacement.partner_id = self.employer
        replacement.action_post()
        [asked] = self._get_asked(replacement)
        self.assertIn("Employer Ltd", asked)
        self.assertEqual(self.renewal.invoice_id, replacement)
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))

    def test_invoice_that_replaces_another_of_the_same_payer(self):
        """The payer has the old one: the new one is to be sent."""
        self._run_sending()
        replacement = self._reverse_and_create(self.invoice)
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))
        self.assertIn("Confirm it, then send it", self.renewal.delivery_note)
        replacement.action_post()
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))
        self.assertNotIn("Confirm it", self.renewal.delivery_note)
        self.renewal.action_retry_sending()
        [message] = self._run_sending()
        self.assertIn(self.renewal.partner_id.email, message["To"])
        self.assertEqual(self.renewal.delivery_state, "delivered")
        self.assertFalse(self._is_in_queue(self.renewal, "send_failed"))

    def test_replacement_of_what_was_never_sent(self):
        replacement = self._reverse_and_create(self.invoice)
        replacement.action_post()
        self.assertFalse(self._run_sending())
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))

    def test_money_of_the_former_payer_is_told(self):
        member = self.renewal.partner_id
        self._run_sending()
        self._readdress(self.employer)
        payment = self.env_account["account.payment"].create(
            {
                "partner_id": member.id,
                "payment_type": "inbound",
                "partner_type": "customer",
                "amount": self.invoice.amount_total,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        self._run_cron("ir_cron_send_reminders")
        asked = self.invoice.sudo().activity_search(["membri_renewal.activity_unused_payment"])
        self.assertEqual(len(asked), 1)
        self.assertIn(member.name, asked.summary)

    def test_charge_that_was_announced_to_the_former_payer(self):
        """It is not taken, and silences no reminder of the new one."""
        self._run_sending()
        self.renewal.sudo()._internal_write(
            {
                "charge_state": "announced",
                "date_charge": "2026-11-20",
                "amount_charge": self.invoice.amount_total,
                "charge_card": "Visa 1234",
            }
        )
        self.assertTrue(self.renewal._get_charge_planned_reason())
        self._readdress(self.employer)
        self.assertEqual(self.renewal.sudo().charge_state, "stopped")
        self.assertFalse(self.renewal._get_charge_planned_reason())

    def test_fee_notice(self):
        self.company.membri_fee_notice = True
        renewal = self._renew_automatically()
        self._run_sending()
        notice = renewal.invoice_id.with_env(self.env_account)
        self.assertEqual(renewal.delivery_state, "delivered")
        notice.partner_id = self.employer
        [asked] = self._get_asked(notice)
        self.assertIn("had received it", asked)
        self.assertTrue(self._is_in_queue(renewal, "send_failed"))
        renewal.action_retry_sending()
        self.assertTrue([m for m in self._run_sending() if self.employer.email in m["To"]])
        notice.action_post()
        self.assertNotEqual(renewal.delivery_state, "failed")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestFormerPayerIsTold(OtherPayerCase):
    """Issue 12: who had received a document, and does not have to pay it any more."""

    def setUp(self):
        super().setUp()
        self._run_sending()
        self.member = self.renewal.partner_id

    def _get_told(self):
        """:return: the emails that leave now to the former payer"""
        return [m for m in self._run_sending() if self.member.email in m["To"]]

    def test_by_email_once_it_is_confirmed(self):
        self.invoice.button_draft()
        self.invoice.partner_id = self.employer
        self.assertEqual(self.invoice.membri_released_state, "waiting")
        self.assertFalse(self._get_told())
        self.invoice.action_post()
        [message] = self._get_told()
        text = message.get_body(("plain",)).get_content()
        self.assertIn(self.invoice.name, text)
        self.assertIn("no longer have to pay it", text)
        self.assertNotIn(self.employer.name, text)
        self.assertNotIn(self.invoice.access_token, message.as_string())
        self.assertEqual(self.invoice.membri_released_state, "told")
        # the document itself has not left
        self.assertFalse(self.invoice.membri_date_sent)
        self.assertTrue(self._is_in_queue(self.renewal, "send_failed"))
        self.invoice.button_draft()
        self.invoice.action_post()
        self.assertFalse(self._get_told(), "once")

    def test_nobody_had_it(self):
        renewal = self._renew_automatically()
        invoice = renewal.invoice_id.with_env(self.env_account)
        invoice.button_draft()
        invoice.partner_id = self.employer
        invoice.action_post()
        self.assertFalse(invoice.membri_released_state)

    def test_of_the_invoice_that_replaces_theirs(self):
        """They are told of the number that they have."""
        replacement = self._reverse_and_create(self.invoice)
        replacement.partner_id = self.employer
        replacement.action_post()
        [message] = self._get_told()
        self.assertIn(self.invoice.name, message["Subject"])
        self.assertNotIn(replacement.name, message.as_string())

    def test_of_the_invoice_that_they_were_sent_last(self):
        replacement = self._reverse_and_create(self.invoice)
        replacement.action_post()
        self.renewal.action_retry_sending()
        self._run_sending()
        self.assertTrue(replacement.membri_date_sent)
        replacement.button_draft()
        replacement.partner_id = self.employer
        replacement.action_post()
        self.assertEqual(replacement.sudo()._membri_get_released_number(), replacement.name)

    def test_a_template_that_cannot_be_rendered_holds_no_invoice(self):
        template = self.env_root.ref("membri_renewal.mail_template_former_payer")
        template.subject = "{{ 1 / (not object.membri_released_id) }}"
        self.invoice.button_draft()
        self.invoice.partner_id = self.employer
        self.invoice.action_post()
        self.assertEqual(self.invoice.state, "posted")
        self.assertEqual(self.invoice.membri_released_state, "by_hand")

    def test_a_slip_tells_nobody(self):
        self.invoice.button_draft()
        self.invoice.partner_id = self.employer
        self.invoice.partner_id = self.member
        self.invoice.action_post()
        self.assertFalse(self.invoice.membri_released_state)
        self.assertFalse(self._get_told())

    def test_it_comes_back_before_the_email_leaves(self):
        self._readdress(self.employer)
        self._readdress(self.member)
        self.assertFalse(self._get_told())
        self.assertFalse(self._get_asked())

    def test_who_gets_paper_or_has_no_address(self):
        for vals, count in (({"membri_notice_on_paper": True}, 1), ({"email": False}, 0)):
            with self.subTest(vals), self.env.cr.savepoint() as savepoint:
                self.member.write(vals)
                address = self.member.email or "nobody@"
                self._readdress(self.employer)
                told = [m for m in self._run_sending() if address in m["To"]]
                self.assertEqual(len(told), count)
                self.assertEqual(self.invoice.membri_released_state, "by_hand")
                self.assertIn("no longer have to pay", " ".join(self._get_asked()))
                savepoint.rollback()
                self.env.invalidate_all()

    def test_an_email_that_comes_back(self):
        self._readdress(self.employer)
        self._get_told()
        self.assertNotIn("was not delivered", " ".join(self._get_asked()))
        self.invoice.sudo()._message_receive_bounce(self.member.email, self.member)
        self.assertIn("was not delivered", " ".join(self._get_asked()))
        self.assertEqual(self.invoice.membri_released_state, "by_hand")

    def test_in_their_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env_root.ref("membri_renewal.mail_template_former_payer").with_context(
            lang="fr_FR"
        ).subject = "Rien"
        self.member.lang = "fr_FR"
        self._readdress(self.employer)
        [message] = self._get_told()
        self.assertEqual(message["Subject"], "Rien")

    def test_each_of_several(self):
        self._readdress(self.employer)
        self._get_told()
        self.renewal.action_retry_sending()
        self._run_sending()
        third = self._create_member("Third")
        self._readdress(third)
        self.assertEqual(self.invoice.membri_released_id, self.employer)
        [message] = [m for m in self._run_sending() if self.employer.email in m["To"]]
        self.assertIn("Nothing to pay", message["Subject"])

    def _go_wrong(self):
        """The email to the former payer meets a mail server that is down."""
        mail = self.env_root["mail.mail"].search(
            [("membri_kind", "=", "released"), ("state", "=", "outgoing")], order="id desc", limit=1
        )
        mail.write({"state": "exception", "failure_type": "mail_smtp"})
        mail._postprocess_sent_message([], [], failure_reason="down", failure_type="mail_smtp")

    def _readdress_in_turn(self, *names):
        """Each one receives the invoice before the next one takes over."""
        for name in names:
            self.renewal.action_retry_sending()
            self._run_sending()
            self._readdress(self._create_member(name))

    def test_mail_server_down_and_another_payer_again(self):
        """A, B, C, D: whom no email told stays in front of the officer, by name."""
        self._readdress(self.employer)
        self._go_wrong()
        self.assertIn(self.member.name, " ".join(self._get_asked()))
        self._readdress_in_turn("Third")
        self._go_wrong()
        asked = " ".join(self._get_asked())
        self.assertIn(self.member.name, asked)
        self.assertIn(self.employer.name, asked)
        self._readdress_in_turn("Fourth")
        self.assertEqual(self.invoice.membri_untold_ids, self.member | self.employer)
        asked = " ".join(self._get_asked())
        self.assertIn(self.member.name, asked)
        self.assertIn(self.employer.name, asked)
        [message] = [m for m in self._run_sending() if m["Subject"].startswith("Nothing to pay")]
        self.assertIn("third", message["To"])

    def test_email_that_waits_while_another_takes_over(self):
        self._readdress(self.employer)
        self.invoice.sudo().membri_date_sent = "2026-11-15 15:00:00"  # by the officer's own window
        self._readdress(self._create_member("Third"))
        self.assertFalse(self._get_told())
        self.assertEqual(self.invoice.membri_untold_ids, self.member)
        self.assertIn(self.member.name, " ".join(self._get_asked()))

    def test_officer_who_has_told_is_not_asked_again(self):
        self._readdress(self.employer)
        self._go_wrong()
        self.invoice.sudo().activity_feedback([PAYER])
        self._readdress_in_turn("Third")
        self.assertFalse(self.invoice.membri_untold_ids)

    def test_next_one_before_anybody_received_it(self):
        """The first one is told by nobody else than the officer, still."""
        self._readdress(self.employer)
        self._go_wrong()
        self._readdress(self._create_member("Third"))
        asked = " ".join(self._get_asked())
        self.assertIn(f"{self.member.name} had received it: tell them", asked)
        self.assertEqual(self.invoice.membri_untold_ids, self.member)
        self._readdress(self.member)
        self.assertFalse(self.invoice.membri_untold_ids)

    def test_fee_notice(self):
        self.company.membri_fee_notice = True
        renewal = self._renew_automatically()
        self._run_sending()
        notice = renewal.invoice_id.with_env(self.env_account)
        notice.partner_id = self.employer
        [message] = [m for m in self._run_sending() if renewal.partner_id.email in m["To"]]
        self.assertIn(notice.membri_fee_notice_name, message["Subject"])


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestPayerOfVoidIsTold(OtherPayerCase):
    """Issue 12, A4: who had received an invoice that is void, with nothing in its place."""

    def setUp(self):
        super().setUp()
        self.member = self.renewal.partner_id
        self.double = self._create_member("Double", email="double@example.com")
        self._create_cotisation(self.double, "2027-01-01", state="scheduled")

    def _merge(self):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.member | self.double).ids, self.member, extra_checks=False)
        self.env.invalidate_all()

    def test_merge(self):
        self._run_sending()
        self._merge()
        self.assertEqual(self.invoice.state, "cancel")
        self.assertEqual(self.renewal.state, "cancelled")
        [message] = self._run_sending()
        self.assertIn(self.member.email, message["To"])
        text = message.get_body(("plain",)).get_content()
        for expected in (self.invoice.name, "It was cancelled"):
            self.assertIn(expected, text)
        self.assertNotIn("someone else", text)
        self.assertEqual(self.invoice.membri_released_state, "told")
        self.assertFalse(self._run_sending(), "once")

    def test_merge_before_it_left(self):
        self._merge()
        self.assertEqual(self.invoice.state, "cancel")
        self.assertFalse(self._run_sending(), "nobody has it")
        self.assertFalse(self.invoice.membri_released_state)

    def test_merge_without_an_address(self):
        """The officer tells them."""
        self._run_sending()
        (self.member | self.double).sudo().email = False
        self._merge()
        self.assertEqual(self.invoice.membri_released_state, "by_hand")
        [asked] = self._get_asked()
        self.assertIn(self.invoice.name, asked)

    def test_merge_with_a_fee_notice(self):
        self.company.membri_fee_notice = True
        self.renewal = self._renew_automatically()
        notice = self.renewal.invoice_id.with_env(self.env_account)
        self.member = self.renewal.partner_id
        self._run_sending()
        self.assertEqual(notice.membri_fee_notice_state, "open")
        self._merge()
        self.assertEqual(notice.membri_fee_notice_state, "void")
        [message] = self._run_sending()
        self.assertIn(notice.membri_fee_notice_name, message["Subject"])
        self.assertEqual(notice.membri_released_state, "told")

    def test_term_that_is_cancelled(self):
        self._run_sending()
        self.renewal.new_cotisation_id.action_cancel()
        self.assertEqual(self.invoice.state, "cancel")
        [message] = self._run_sending()
        self.assertIn(self.invoice.name, message["Subject"])

    def test_reset_that_is_taken_back_waits_for_no_decision(self):
        """The accountant confirms the invoice again; cancelled once more, its payer is told."""
        self._run_sending()
        self.renewal.action_reset()
        self.assertEqual(self.invoice.membri_released_state, "undecided")
        invoice = self.invoice.with_env(self.env_account)
        invoice.button_draft()
        invoice.action_post()
        self.assertRecordValues(
            self.invoice,
            [{"state": "posted", "membri_released_id": False, "membri_released_state": False}],
        )
        invoice.button_cancel()
        self._refuse_renewal()
        self._assert_told()

    def test_reset_tells_by_the_next_one(self):
        """Who is asked again gets another document."""
        self._run_sending()
        self.renewal.action_reset()
        self.assertEqual(self.invoice.state, "cancel")
        self.assertFalse(self._run_sending())
        self.renewal.action_approve()
        [message] = self._run_sending()
        self.assertIn(self.renewal.invoice_id.name, message["Subject"])
        self.assertEqual(self.invoice.membri_released_state, "undecided")

    def _refuse_renewal(self):
        self.renewal._do_refuse(self.env.ref("membri_renewal.refusal_reason_price"))

    def _assert_told(self, invoice=None):
        [message] = self._run_sending()
        invoice = invoice or self.invoice
        self.assertIn(self.member.email, message["To"])
        self.assertIn("Nothing to pay", message["Subject"])
        text = message.get_body(("plain",)).get_content()
        self.assertIn(invoice.name, text)
        self.assertEqual(invoice.membri_released_state, "told")
        self.assertFalse(self._run_sending(), "once")
        return text

    def test_end_unpaid(self):
        self._run_sending()
        self.renewal.action_end_unpaid()
        self.assertEqual(self.invoice.state, "cancel")
        self.assertIn("because the membership was not renewed", self._assert_told())
        self.renewal.action_reset()
        self._refuse_renewal()
        self.assertFalse(self._run_sending(), "they know")

    def test_end_unpaid_before_it_left(self):
        self.renewal.action_end_unpaid()
        self.assertFalse(self._run_sending())

    def test_reset_then_refused(self):
        self._run_sending()
        self.renewal.action_reset()
        self._refuse_renewal()
        self.assertIn("because the membership was not renewed", self._assert_told())

    def test_reset_then_cancelled(self):
        self._run_sending()
        self.renewal.action_reset()
        self.renewal.action_cancel()
        self.assertNotIn("not renewed", self._assert_told())

    def test_reset_then_another_payer(self):
        self._run_sending()
        self.renewal.action_reset()
        self.member.child_ids.create(
            {
                "parent_id": self.member.id,
                "type": "invoice",
                "name": "Books",
                "email": "b@b.example",
            }
        )
        self.renewal.action_approve()
        self.assertNotEqual(self.renewal.invoice_id.partner_id, self.member)
        subjects = {message["To"]: message["Subject"] for message in self._run_sending()}
        [told] = [subject for to, subject in subjects.items() if self.member.email in to]
        self.assertIn(self.invoice.name, told)
        self.assertEqual(len(subjects), 2)

    def test_reset_twice_then_refused(self):
        """Of what they have, the last one."""
        self._run_sending()
        self.renewal.action_reset()
        self.renewal.action_approve()
        second = self.renewal.invoice_id
        self._run_sending()
        self.renewal.action_reset()
        self._refuse_renewal()
        self._assert_told(second)

    def test_cancelled_by_the_accountant_then_refused(self):
        self._run_sending()
        self.invoice.button_cancel()
        self.assertEqual(self.renewal.state, "intervention")
        self.assertFalse(self._run_sending())
        self._refuse_renewal()
        self._assert_told()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestContactsOfAnotherPayer(OtherPayerCase):
    """Issue 12: the contacts change, the open invoice stays addressed to whom it was sent."""

    def setUp(self):
        super().setUp()
        self._run_sending()
        self.member = self.renewal.partner_id

    def _add_address(self, name="Treasurer"):
        return self.env["res.partner"].create(
            {
                "name": name,
                "type": "invoice",
                "parent_id": self.member.id,
                "email": f"{name.lower()}@example.com",
            }
        )

    def test_new_invoice_address(self):
        address = self._add_address()
        [asked] = self._get_asked()
        self.assertIn(
            f"Invoices for {self.member.name} now go to {address._membri_get_names()}", asked
        )
        self.assertIn(f"stays addressed to {self.member._membri_get_names()}", asked)
        self.assertEqual(self.invoice.partner_id, self.member)
        self.assertEqual(self.renewal.delivery_state, "delivered")

    def test_address_that_is_taken_back(self):
        address = self._add_address()
        address.active = False
        self.assertFalse(self._get_asked())

    def test_question_ends_where_there_is_a_former_payer(self):
        """What was received stays to be told, the question about the contacts does not."""
        self._readdress(self.employer)
        address = self._add_address()
        self.assertEqual(len(self.invoice.sudo().activity_search([CONTACT])), 1)
        address.active = False
        self.assertFalse(self.invoice.sudo().activity_search([CONTACT]))
        self.assertEqual(len(self.invoice.sudo().activity_search([PAYER])), 1)

    def test_its_kind_of_question_cannot_be_deleted(self):
        self._assert_refused(self.env_root.ref(CONTACT).unlink)

    def test_address_that_is_deleted(self):
        self._add_address().unlink()
        self.assertFalse(self._get_asked())

    def test_member_becomes_their_own_payer(self):
        address = self._add_address()
        renewal = self._create_renewal(
            self._create_cotisation(
                self._create_member("Child of Nobody", parent_id=address.id), "2026-01-01"
            )
        )
        self.assertEqual(renewal._get_payer(), address)
        renewal.action_approve()
        invoice = renewal.invoice_id
        self.assertEqual(invoice.partner_id, address)
        renewal.partner_id.parent_id = False
        [asked] = self._get_asked(invoice)
        self.assertIn("now go to Child of Nobody", asked)

    def test_customer_is_changed_as_asked(self):
        address = self._add_address()
        self._readdress(address)
        [asked] = self._get_asked()
        self.assertIn(f"is now addressed to {address._membri_get_names()}", asked)
        self.assertNotIn("change its invoice address", asked)

    def test_paid_or_archived_asks_nothing(self):
        self._pay(self.invoice)
        self._add_address()
        self.assertFalse(self._get_asked())

    def test_what_stays_is_not_followed(self):
        address = self._add_address()
        contacts = address | self.employer
        same = {"is_company": False, "active": True, "parent_id": self.member.id, "email": "x"}
        self.assertEqual(address._membri_get_changed_ties(same), set())
        self.assertEqual(self.member._membri_get_changed_ties({"parent_id": False}), set())
        self.assertEqual(contacts._membri_get_changed_ties(same), {"is_company", "parent_id"})
        self.assertEqual(address._membri_get_changed_ties({"parent_id": False}), {"parent_id"})

    def test_merged_payer(self):
        other = self._create_member("Same Again")
        self.env_root["base.partner.merge.automatic.wizard"]._merge(
            [self.member.id, other.id], other, extra_checks=False
        )
        self.assertEqual(self.invoice.partner_id, other)
        self.assertFalse(self._get_asked())
        self.assertIn(
            "Same Again pays now", "".join(map(str, self.invoice.message_ids.mapped("body")))
        )

    def test_new_payer_merged_into_the_former(self):
        self._readdress(self.employer)
        self.assertEqual(len(self._get_asked()), 1)
        self.env_root["base.partner.merge.automatic.wizard"]._merge(
            [self.member.id, self.employer.id], self.member, extra_checks=False
        )
        self.assertFalse(self.invoice.membri_former_payer_id)
        self.assertFalse(self._get_asked())


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestSharedInvoiceOfAnotherPayer(SharedInvoiceCommon):
    def test_one_question_for_all(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self.assertEqual(invoice.partner_id, self.payer)
        other = self._create_member("Head Office", is_company=True)
        invoice.button_draft()
        invoice.partner_id = other
        invoice.action_post()
        asked = invoice.sudo().activity_search([PAYER])
        self.assertEqual(len(asked), 1)
        for member in self.members:
            self.assertIn(member.name, asked.summary)
        self.assertEqual(set(renewals.mapped("delivery_state")), {"failed"})

    def test_a_branch_leaves(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self.members[0].parent_id = False
        [asked] = invoice.sudo().activity_search([CONTACT]).mapped("summary")
        self.assertIn(f"Invoices for {self.members[0].name} now go to", asked)

    def test_two_branches_leave(self):
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        self.members[0].parent_id = False
        self.members[1].parent_id = False
        self.assertEqual(len(invoice.sudo().activity_search([CONTACT])), 2)
        self.members[1].parent_id = self.payer
        [asked] = invoice.sudo().activity_search([CONTACT]).mapped("summary")
        self.assertIn(f"Invoices for {self.members[0].name} now go to", asked)
        self.members[0].parent_id = self.payer
        self.assertFalse(invoice.sudo().activity_search([CONTACT]))


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCorrectedAddress(OtherPayerCase):
    """Issue 11: who received the link of an unpaid invoice at a wrong address opens it no more."""

    def setUp(self):
        super().setUp()
        self._run_sending()
        self.member = self.renewal.partner_id
        self.assertEqual(self.invoice.membri_delivery_email, self.member.email)

    def _assert_another_link(self, expected, change, invoice=None):
        """:param expected: whether ``change`` gives the invoice another link"""
        invoice_sudo = (invoice or self.invoice).sudo()
        token, notes = invoice_sudo.access_token, len(invoice_sudo.message_ids)
        self.assertTrue(token)
        change()
        self.assertTrue(invoice_sudo.access_token)
        self.assertEqual(invoice_sudo.access_token != token, expected)
        self.assertEqual(len(invoice_sudo.message_ids) > notes, expected)

    def test_the_payers_address_is_corrected(self):
        for expected, vals in (
            (False, {"phone": "+1 450-555-0177"}),
            (False, {"email": self.member.email.upper()}),
            (False, {"email": f"{self.member.email}, second@example.com"}),
            (True, {"email": "second@example.com"}),
            # who lost it loses nothing more
            (False, {"email": "third@example.com"}),
        ):
            self._assert_another_link(expected, lambda vals=vals: self.member.write(vals))
        self.renewal.action_send_reminder()
        [message] = self._run_sending()
        self.assertIn("third@example.com", message["To"])
        self._assert_another_link(True, lambda: self.member.write({"email": False}))

    def test_one_of_several_addresses_is_taken_out(self):
        self.member.email = f"{self.member.email}, second@example.com"
        change = {"email": self.member.email.split(",")[0]}
        self._assert_another_link(True, lambda: self.member.write(change))

    def test_the_address_of_nobody_who_pays(self):
        stranger = self._create_member("Stranger", email=self.member.email)
        self._assert_another_link(False, lambda: stranger.write({"email": "other@example.com"}))

    def test_what_nobody_is_to_pay_for_now(self):
        """A payment that is blocked is not made: what waits can still be paid."""
        self.invoice.action_toggle_block_payment()
        self.assertEqual(self.invoice.payment_state, "blocked")
        self._assert_another_link(True, lambda: self.member.write({"email": "a@example.com"}))

    def test_what_is_paid_keeps_it(self):
        self._pay(self.invoice)
        self._assert_another_link(False, lambda: self.member.write({"email": "a@example.com"}))

    def test_its_renewal_that_went_there_as_well(self):
        renewal = self._create_renewal(self._create_yearly())
        renewal.action_send()
        member, key = renewal.partner_id, renewal.access_token
        renewal.action_approve()
        self._run_sending()
        self.assertEqual(renewal.delivery_email, member.email)
        self._assert_another_link(
            True, lambda: member.write({"email": "right@example.com"}), renewal.invoice_id
        )
        self.assertNotEqual(renewal.access_token, key)

    def test_a_fee_notice(self):
        self.company.membri_fee_notice = True
        renewal = self._renew_automatically()
        self._run_sending()
        self._assert_another_link(
            True,
            lambda: renewal.partner_id.write({"email": "right@example.com"}),
            renewal.invoice_id,
        )

    def test_merged_with_a_contact_at_another_address(self):
        other = self._create_member("Other")
        wizard = self.env_root["base.partner.merge.automatic.wizard"]
        ids = (self.member + other).ids
        self._assert_another_link(True, lambda: wizard._merge(ids, dst_partner=other))
        self.assertEqual(self.invoice.partner_id, other)
