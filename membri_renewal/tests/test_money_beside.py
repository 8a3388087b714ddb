from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MailCase

from ..models.campaign import runner
from .common_fee_notice import FeeNoticeCommon
from .common_shared_invoice import SharedInvoiceCommon

LOGGER = "odoo.addons.membri_renewal.models.mixins.state"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestSharedInvoiceOthers(SharedInvoiceCommon, MailCase):
    """What happens beside the members of a shared invoice leaves them together."""

    def _approve_with_free_member(self):
        """:return: the renewal that costs something, and the one that is free"""
        renewals = self._prepare(self.members[:2])
        renewals.action_request_change("Free for the second")
        renewals[1].line_ids.price_unit = 0.0
        renewals.action_approve()
        return renewals[0], renewals[1]

    def test_free_member_stays_when_the_other_is_reset(self):
        """The credit note settles the whole invoice; the free member's part was not credited."""
        paying, free = self._approve_with_free_member()
        invoice = self._get_invoice(paying | free)
        self.assertEqual(free.new_cotisation_id.state, "pending")
        paying.action_reset()
        self.assertEqual(invoice.payment_state, "reversed")
        self.assertEqual((free.state, free.new_cotisation_id.state), ("approved", "scheduled"))
        self.assertTrue(free.is_paid)
        self._run_cron("ir_cron_update_states")
        self.assertEqual(free.new_cotisation_id.state, "scheduled")

    def test_free_member_is_reset_after_the_other(self):
        paying, free = self._approve_with_free_member()
        invoice = self._get_invoice(paying | free)
        paying.action_reset()
        free.action_reset()
        self.assertEqual((paying.state, free.state), ("draft", "draft"))
        self.assertEqual(invoice.amount_residual, 0.0)

    def test_free_member_is_reset_before_the_other(self):
        paying, free = self._approve_with_free_member()
        invoice = self._get_invoice(paying | free)
        free.action_reset()
        self.assertEqual((paying.state, free.state), ("approved", "draft"))
        self.assertEqual(invoice.amount_residual, 345.0)
        self._pay(invoice)
        self.assertEqual(paying.new_cotisation_id.state, "scheduled")

    def test_free_member_is_void_with_the_whole_invoice(self):
        paying, free = self._approve_with_free_member()
        credit_note = self._get_invoice(paying | free)._reverse_moves(
            [{"invoice_date": "2026-11-15"}], cancel=True
        )
        self.assertEqual(credit_note.state, "posted")
        for renewal in (paying, free):
            self.assertEqual(renewal.state, "intervention")

    def test_free_member_of_a_fee_notice(self):
        """What is left costs nothing: nobody is asked to pay it."""
        self.company.membri_fee_notice = True
        paying, free = self._approve_with_free_member()
        notice = self._get_invoice(paying | free)
        paying.action_reset()
        self.assertEqual(notice.membri_fee_notice_state, "invoiced")
        self.assertFalse(notice.membri_fee_notice_to_send)
        self.assertEqual(free.new_cotisation_id.state, "scheduled")

    def test_a_bad_record_does_not_split_the_invoice(self):
        """A member of somebody else fails in the same batch: these still get one invoice."""
        bad = self._renewal_in("sent")
        renewals = self._prepare()
        do_approve = type(bad)._do_approve

        def fail_on_bad(records):
            if bad in records:
                raise ValueError("Broken")
            return do_approve(records)

        with patch.object(type(bad), "_do_approve", fail_on_bad), mute_logger(LOGGER):
            (bad | renewals).action_bulk("approve")
        self.assertEqual(bad.state, "sent")
        self.assertEqual(set(renewals.mapped("state")), {"approved"})
        self.assertEqual(len(renewals.invoice_id), 1)

    def test_a_bad_record_of_the_night_does_not_split_the_invoice(self):
        empty = self._create_option_set("Empty", renewal_mode="invoice")
        for number, member in enumerate(self.members):
            self._create_cotisation(
                member,
                "2026-10-20",
                self.monthly,
                state="active",
                date_end=f"2026-11-{18 + number}",
            )
        self._create_cotisation(
            self.member, "2026-10-20", empty, state="active", date_end="2026-11-18"
        )
        empty.sudo().line_ids.unlink()
        with mute_logger(LOGGER):
            self._run_cron("ir_cron_generate")
        self.assertEqual(len(self.members.membri_renewal_ids.invoice_id), 1)

    def test_the_campaign_keeps_payers_together(self):
        self.members.membri_auto_renew = True
        others = self.env["res.partner"]
        for number, member in enumerate(self.members):
            self._create_cotisation(member, "2026-01-01")
            other = self._create_member(f"Neighbour {number}")
            self._create_cotisation(other, "2026-01-01")
            others |= other
        campaign = self.env["membri.campaign"].create(
            {
                "option_set_ids": self.yearly.ids,
                "date_from": "2026-11-15",
                "date_to": "2027-01-31",
            }
        )
        campaign.action_preview()
        sizes = dict.fromkeys(runner.BATCH_SIZES, 2)
        with patch.object(runner, "BATCH_SIZES", sizes):
            campaign.action_send()
        self.assertEqual(campaign.state, "done")
        self.assertEqual(len(self.members.membri_renewal_ids), 3)
        self.assertEqual(len(self.members.membri_renewal_ids.invoice_id), 1)
        self.assertEqual(others.membri_renewal_ids.mapped("state"), ["sent"] * 3)

    def test_a_credit_note_is_no_payment_under_way(self):
        """One member left the invoice, or was granted something: the rest is still reminded."""
        renewals = self._prepare()
        renewals.action_approve()
        renewals[0].action_reset()
        self.assertEqual(self._get_invoice(renewals[1:]).payment_state, "partial")
        self.assertFalse(renewals[1]._get_no_reminder_reason())
        # nor is money that is booked: a part of it leaves the rest to be reminded
        self._pay(self._get_invoice(renewals[1:]), 100.0)
        self.assertFalse(renewals[1]._get_no_reminder_reason())

    def test_no_reminder_to_a_payer_whose_address_does_not_work(self):
        """specification §5.2: skipped, recorded and shown."""
        renewals = self._prepare()
        renewals.action_approve()
        invoice = self._get_invoice(renewals)
        invoice.sudo().sending_data = False
        for vals in ({"email": False}, {"email": "a@example.com", "message_bounce": 3}):
            self.payer.sudo().write(vals)
            renewals.action_send_reminder()
            self.assertFalse(invoice.sending_data)
        self.assertEqual(renewals.mapped("reminder_count"), [0, 0, 0])
        logs = renewals.sudo().reminder_log_ids
        self.assertEqual(set(logs.mapped("result")), {"skipped"})
        self.assertIn("Chain Ltd", logs[0].reason)

    def test_enrolment_names_who_pays(self):
        wizard = self.env["membri.enrolment"].create(
            {"partner_id": self.members[0].id, "option_set_id": self.yearly.id}
        )
        self.assertIn("Chain Ltd (chain.ltd@example.com)", wizard.consequences)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestFeeNoticeMoney(FeeNoticeCommon):
    """Amounts of fee notices, whichever way they are paid."""

    def _finish(self, transaction):
        transaction._post_process()
        self.env.invalidate_all()

    def test_bank_account_in_another_currency(self):
        """The amount that was typed is in the currency of the fee notice."""
        currency = self.env_root.ref("base.EUR")
        currency.active = True
        self.env_root["res.currency.rate"].create(
            {
                "currency_id": currency.id,
                "company_id": self.company.id,
                "name": "2026-01-01",
                "rate": 2.0,
            }
        )
        journal = self.company_data["default_journal_bank"].copy({"currency_id": currency.id})
        self._register(self.notice, journal_id=journal.id)
        self.assertEqual(self.notice.amount_residual, 0.0)
        self.assertEqual(self.cotisation.state, "scheduled")

    def _pay_in_two(self, member):
        term = self.env_root["account.payment.term"].create(
            {
                "name": "Half now, half in a month",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": days})
                    for days in (0, 30)
                ],
            }
        )
        member.sudo().property_payment_term_id = term
        return member._membri_enrol(self.yearly).invoice_id.with_env(self.env_account)

    def test_installments(self):
        first = self._pay_in_two(self.member)
        self._register(first)
        self.assertEqual(first.amount_residual, 0.0)
        second = self._pay_in_two(self._create_member("Bo"))
        third = self._pay_in_two(self._create_member("Cy"))
        self._register(second | third)
        self.assertEqual((second | third).mapped("amount_residual"), [0.0, 0.0])

    def test_done_and_not_booked_is_not_registered_again(self):
        self._create_transaction(self.notice, "done")
        with self.assertRaises(UserError):
            self._register(self.notice)
        self._assert_open()

    def test_done_and_not_booked_is_not_reminded(self):
        """A member who has paid gets no reminder, also when the booking failed."""
        self._create_transaction(self.notice, "done")
        self.assertTrue(self.renewal._get_no_reminder_reason())
        self.company.membri_fee_notice = False
        invoiced = self._renewal_in("approved")
        self._create_transaction(invoiced.invoice_id.sudo(), "done")
        self.assertTrue(invoiced._get_no_reminder_reason())
        self.assertIn("has a payment", self._assert_refused(invoiced.action_reset))
        self.assertEqual(invoiced.new_cotisation_id.state, "pending")

    def test_paid_twice_online(self):
        """Two browsers: the second payment is the payer's credit, and the staff is told."""
        first = self._create_transaction(self.notice, "done")
        second = first.copy(
            {"reference": "TX-again", "invoice_ids": [Command.set(self.notice.ids)]}
        )
        with self.mocked_get_payment_method_information():
            self.env_root["account.payment.method"].create(
                {"name": "Card", "code": "none", "payment_type": "inbound"}
            )
            first.provider_id.journal_id = self.company_data["default_journal_bank"].id
            self._finish(first)
            self.assertEqual(self.cotisation.state, "scheduled")
            self.assertFalse(self.notice.activity_ids)
            self.env.cr.execute(
                "UPDATE payment_transaction SET state = 'done' WHERE id = %s", [second.id]
            )
            second.invalidate_recordset()
            self._finish(second)
        self.assertEqual(self.cotisation.state, "scheduled")
        self.assertEqual(second.payment_id.amount, 345.0)
        self.assertIn("345.00", self.notice.activity_ids.summary)
