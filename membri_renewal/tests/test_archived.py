from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common_archived import ArchivedCommon

NOW = "2026-11-15 15:00:00"


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestA3ArchivedContact(ArchivedCommon):
    """Issue 12 A3: nobody who is archived vanishes, and nothing is sent to them."""

    def test_a3_login_deleted_on_the_portal_holds_the_renewal(self):
        renewal = self._renewal_in("sent")
        self._archive_login(renewal)
        self.assertRecordValues(
            renewal, [{"state": "intervention", "state_before_intervention": "sent"}]
        )
        self.assertIn("is archived", renewal.intervention_reason)
        activity = self._get_activities(renewal, renewal.partner_id)
        self.assertEqual(activity.user_id, self.officer)
        self.assertEqual(len(activity), 1)
        for code in ("intervention", "all_open"):
            self.assertIn(renewal, self._get_queue(code), code)
        self.assertFalse(self._run_night())
        self.assertEqual(len(self._get_activities(renewal, renewal.partner_id)), 1)

    def test_a3_nothing_is_sent_or_invoiced_until_restored(self):
        renewal = self._renewal_in("sent")
        renewal.partner_id.active = False
        for call in (renewal.action_send, renewal.action_approve):
            self.assertIn("is archived", self._assert_refused(call))
        self.assertFalse(renewal.invoice_id)
        with freeze_time("2026-12-28 15:00:00"):
            self.assertFalse(self._run_night())
        renewal.partner_id.action_unarchive()
        self.assertRecordValues(renewal, [{"state": "sent", "intervention_reason": False}])
        self.assertFalse(self._get_activities(renewal, renewal.partner_id))
        self.assertNotIn(renewal, self._get_queue("intervention"))
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.partner_id, renewal.partner_id)

    def test_a3_refusing_is_allowed(self):
        renewal = self._renewal_in("sent")
        renewal.partner_id.active = False
        self._refuse(renewal)
        self.assertEqual(renewal.state, "refused")
        self.assertFalse(self._get_activities(renewal))
        renewal.partner_id.active = True
        self.assertEqual(renewal.state, "refused", "restoring reopens nothing")

    def test_a3_another_payer_lets_it_go_on(self):
        renewal = self._renewal_in("sent")
        member = renewal.partner_id
        payer = self._create_member("Accounts Payable", parent_id=member.id, type="invoice")
        member.active = False
        self.assertEqual(renewal.state, "sent", "somebody else pays, and hears of it")
        with self.mock_mail_gateway():
            renewal.action_send()
        self.assertEqual(self._get_notices(self._new_mails).recipient_ids, payer)
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.partner_id, payer)

    def test_a3_payer_given_later_lets_the_officer_approve(self):
        renewal = self._renewal_in("sent")
        renewal.partner_id.active = False
        payer = self._create_member("Estate", parent_id=renewal.partner_id.id, type="invoice")
        renewal.action_approve()
        self.assertEqual((renewal.state, renewal.invoice_id.partner_id), ("approved", payer))

    def test_a3_term_of_an_archived_contact_gets_a_held_renewal(self):
        term = self._create_yearly()
        member = term.partner_id
        member.active = False
        self.assertEqual(self._get_activities(member).user_id, self.officer)
        self.assertFalse(self._run_night())
        renewal = term.renewal_ids
        self.assertRecordValues(renewal, [{"state": "intervention", "date_sent": False}])
        self.assertIn("is archived", renewal.intervention_reason)
        self.assertEqual(len(self._get_activities(renewal, member)), 1)
        self.assertIn(renewal, self._get_queue("intervention"))
        member.active = True
        self.assertEqual(renewal.state, "draft")
        activity = self._get_activities(renewal, member)
        self.assertEqual(len(activity), 1)
        self.assertIn("no longer archived", activity.summary)

    def test_a3_automatic_renewal_of_an_archived_contact_makes_no_invoice(self):
        term = self._create_yearly()
        term.partner_id.membri_auto_renew = True
        term.partner_id.active = False
        self._run_night()
        self.assertRecordValues(
            term.renewal_ids, [{"state": "intervention", "mode": "invoice", "invoice_id": False}]
        )

    def test_a3_living_term_far_from_its_end_raises_one_activity(self):
        term = self._create_cotisation(self.member, "2026-10-01")
        self.member.active = False
        self.member.active = True
        self.assertFalse(self._get_activities(self.member))
        self.member.active = False
        activity = self._get_activities(self.member)
        self.assertEqual((len(activity), activity.user_id), (1, self.officer))
        self.assertIn(term.name, activity.summary)
        self._run_night()
        self.assertFalse(term.renewal_ids)

    def test_a3_term_recorded_or_given_back_after_archiving_raises_one_activity(self):
        gone = self._create_member("Gone Before", active=False)
        term = self._create_cotisation(gone, "2026-10-01")
        self.assertIn(term.name, self._get_activities(gone).summary)
        self.member.active = True
        back = self._create_cotisation(self.member, "2026-10-01")
        back.action_terminate("2026-11-14", "Moved")
        self.member.active = False
        self.assertFalse(self._get_activities(self.member))
        back.action_undo_termination()
        self.assertEqual(len(self._get_activities(self.member)), 1)
        back._refresh_members()
        self.assertEqual(len(self._get_activities(self.member)), 1)

    def test_a3_contact_without_membership_raises_nothing(self):
        self.member.active = False
        self.assertFalse(self._get_activities(self.member))
        self.assertFalse(self.member.membri_intervention_required)

    def test_a3_accepted_and_unpaid_stands_in_the_queue(self):
        renewal = self._renewal_in("approved")
        renewal.partner_id.active = False
        self.assertEqual(renewal.state, "approved")
        self.assertEqual(self._get_activities(renewal, renewal.partner_id).user_id, self.officer)
        self.assertIn(renewal, self._get_queue("accepted_unpaid"))
        self.assertIn("archived", self._assert_refused(renewal.action_send_reminder))
        renewal.partner_id.active = True
        self.assertFalse(self._get_activities(renewal))

    def test_a3_held_by_the_staff_keeps_its_reason(self):
        renewal = self._renewal_in("intervention")
        renewal.partner_id.active = False
        self.assertEqual(renewal.intervention_reason, "Call before sending")
        renewal.partner_id.active = True
        self.assertRecordValues(
            renewal, [{"state": "intervention", "intervention_reason": "Call before sending"}]
        )

    def test_a3_reason_typed_meanwhile_survives_restoring(self):
        renewal = self._renewal_in("sent")
        renewal.partner_id.active = False
        renewal.action_require_intervention("Asked for a lawyer")
        renewal.partner_id.active = True
        self.assertRecordValues(
            renewal, [{"state": "intervention", "intervention_reason": "Asked for a lawyer"}]
        )

    def test_a3_every_company_is_told(self):
        other = self._create_other_company("Chapter", "Europe/Paris", with_accounting=True)
        other.membri_officer_id = self.officer
        ours = self._renewal_in("sent")
        theirs_set = self._create_option_set("Theirs", company_id=other.id)
        term = self._create_cotisation(ours.partner_id, "2026-03-01", theirs_set)
        theirs = self._create_renewal(term)
        ours.partner_id.active = False
        self.assertEqual((ours | theirs).mapped("state"), ["intervention"] * 2)
        self.assertEqual(len(self._get_activities(ours, theirs, ours.partner_id)), 2)
        ours.partner_id.active = True
        self.assertEqual((ours.state, theirs.state), ("sent", "draft"))

    def test_a3_archived_payer_falls_to_the_member(self):
        term = self._create_yearly()
        payer = self._create_member("Accounting", parent_id=term.partner_id.id, type="invoice")
        self.assertEqual(term._get_payer(), payer)
        payer.active = False
        self.assertEqual(term._get_payer(), term.partner_id)
        renewal = self._create_renewal(term)
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.partner_id, term.partner_id)

    def test_a3_archived_company_that_paid_for_its_members(self):
        company = self._create_member("Ada SA", is_company=True, membri_group_invoices=True)
        term = self._create_yearly(parent_id=company.id)
        self.assertEqual(term._get_payer(), company)
        company.active = False
        self.assertEqual(term._get_payer(), term.partner_id)

    def test_a3_payer_archived_after_the_invoice_raises_an_activity(self):
        term = self._create_yearly()
        payer = self._create_member("Accounting", parent_id=term.partner_id.id, type="invoice")
        renewal = self._create_renewal(term)
        renewal.action_approve()
        payer.active = False
        self.assertEqual(self._get_activities(renewal).user_id, self.officer)
        self.assertIn(renewal, self._get_queue("accepted_unpaid"))
        self.assertIn("Accounting", self._assert_refused(renewal.action_send_reminder))

    def test_a3_archived_person_in_charge_gives_way(self):
        renewal = self._create_renewal(self._create_yearly())
        member = renewal.partner_id
        member.membri_responsible_id = person = self._create_member("Bo Responsible")
        person.active = False
        with self.mock_mail_gateway():
            renewal.action_send()
        self.assertEqual(self._get_notices(self._new_mails).recipient_ids, member)

    def test_a3_enrolling_an_archived_contact_is_refused(self):
        self.member.active = False
        sentence = self._assert_refused(lambda: self.member._membri_enrol(self.yearly))
        self.assertIn("archived", sentence)
        self.assertFalse(self.member.membri_cotisation_ids)

    def test_a3_mass_actions_tell_who_is_archived(self):
        renewals = self._renewal_in("sent") | self._renewal_in("sent")
        renewals[0].partner_id.active = False
        renewals.action_bulk("approve")
        self.assertEqual(renewals.mapped("state"), ["intervention", "approved"])
        line = self.env_root["membri.bulk.job.line"].search([("renewal_id", "=", renewals[0].id)])
        self.assertEqual(line.result, "skipped")
        self.assertIn("archived", line.message)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestA3ArchivedOfficer(ArchivedCommon):
    """Issue 12 A3: an officer who leaves hands over to the officer of the company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leaver = new_test_user(
            cls.env_root,
            "leaving_officer",
            "membri_renewal.group_membri_user",
            email="leaver@example.com",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    def test_a3_open_renewals_and_activities_move(self):
        renewal = self._renewal_in("intervention", user_id=self.leaver.id)
        done = self._renewal_in("refused", user_id=self.leaver.id)
        self.assertEqual(self._get_activities(renewal).user_id, self.leaver)
        self.leaver.action_archive()
        self.assertEqual(renewal.user_id, self.officer)
        self.assertEqual(self._get_activities(renewal).user_id, self.officer)
        self.assertEqual(done.user_id, self.leaver, "the past stays")

    def test_a3_archived_by_a_write_hands_over_as_well(self):
        renewal = self._renewal_in("intervention", user_id=self.leaver.id)
        self.leaver.active = False
        self.assertEqual(renewal.user_id, self.officer)
        self.assertEqual(self._get_activities(renewal).user_id, self.officer)

    def test_a3_deleted_hands_over_as_well(self):
        """Odoo deletes the activities of a user with the user."""
        renewal = self._renewal_in("intervention", user_id=self.leaver.id)
        invoice = self._renewal_in("approved").invoice_id.sudo()
        invoice.activity_schedule(
            "mail.mail_activity_data_todo", summary="Refund", user_id=self.leaver.id
        )
        self.leaver.unlink()
        self.assertEqual(renewal.user_id, self.officer)
        activities = self._get_activities(renewal, invoice)
        self.assertEqual(len(activities), 2)
        self.assertEqual(activities.user_id, self.officer)

    def test_a3_sent_to_another_company_hands_over_as_well(self):
        """Somebody who may not see the renewals any more is nobody to wait for."""
        other = self.env_root["res.company"].create({"name": "Other Chamber"})
        self.company.sudo().membri_officer_id = self.leaver
        renewal = self._renewal_in("intervention", user_id=self.leaver.id)
        stays = self._create_member("Colleague")
        stays.activity_schedule("mail.mail_activity_data_todo", user_id=self.leaver.id)
        self.leaver.write({"company_ids": [(4, other.id)]})
        self.assertEqual(renewal.user_id, self.leaver, "may work in both")
        self.leaver.write({"company_id": other.id, "company_ids": [(6, 0, other.ids)]})
        self.assertFalse(self.company.membri_officer_id)
        self.assertFalse(renewal.user_id)
        self.assertEqual(self._get_activities(renewal).user_id, self.company._membri_get_assignee())
        self.assertNotEqual(self._get_activities(renewal).user_id, self.leaver)
        self.assertEqual(self._get_activities(stays).user_id, self.leaver)

    def test_a3_who_may_not_look_at_memberships_any_more_hands_over(self):
        """By the form of the user, or by the one of the group."""
        group = self.env_root.ref("membri_renewal.group_membri_user")
        take_outs = (
            lambda user: user.write({"group_ids": [Command.unlink(group.id)]}),
            lambda user: group.write({"user_ids": [Command.unlink(user.id)]}),
            lambda user: user.write(
                {"group_ids": [Command.set(self.env_root.ref("base.group_portal").ids)]}
            ),
        )
        for number, take_out in enumerate(take_outs):
            leaver = new_test_user(
                self.env_root,
                f"leaver_{number}",
                "membri_renewal.group_membri_user",
                company_id=self.company.id,
                company_ids=self.company.ids,
            )
            renewal = self._renewal_in("sent")
            renewal.user_id = leaver
            renewal.sudo().activity_schedule(
                "membri_renewal.activity_unreachable", user_id=leaver.id
            )
            take_out(leaver)
            self.assertEqual(renewal.user_id, self.officer)
            self.assertEqual(self._get_activities(renewal).user_id, self.officer)

    def test_a3_what_the_officer_was_asked_on_invoices_and_members_moves(self):
        """Odoo deletes the to-dos of who is archived: those of ours are somebody else's now."""
        self.company.sudo().membri_officer_id = self.leaver
        renewal = self._renewal_in("approved")
        renewal.invoice_id._membri_ask_officer("Refund the payment")
        imported = self._create_yearly()
        imported._ask_officer("Call the member")
        stranger = self._create_member("No Member")
        stranger.activity_schedule("mail.mail_activity_data_todo", user_id=self.leaver.id)
        self.company.sudo().membri_officer_id = self.officer
        self.leaver.action_archive()
        activities = self._get_activities(renewal.invoice_id, imported.partner_id)
        self.assertEqual(
            sorted(activities.mapped("summary")), ["Call the member", "Refund the payment"]
        )
        self.assertEqual(activities.user_id, self.officer)
        self.assertFalse(self._get_activities(stranger), "Odoo's own business")

    def test_a3_sender_and_reply_address(self):
        renewal = self._renewal_in("draft", user_id=self.leaver.id)
        self.leaver.active = False
        renewal.sudo().user_id = self.leaver  # archived before there was a hook
        with self.mock_mail_gateway():
            renewal.action_send()
        mail = self._get_notices(self._new_mails)
        for value in (mail.email_from, mail.reply_to):
            self.assertIn("officer@example.com", value)
        self.assertEqual(renewal._get_portal_contact(), self.officer.partner_id)

    def test_a3_what_waits_to_leave_is_the_officers(self):
        """It was queued in the name of somebody who is gone when it leaves."""
        renewal = self._renewal_in("draft", user_id=self.leaver.id)
        with self.mock_mail_gateway():
            renewal._send_notice(lambda r: r._get_notice_template())
        mail = self.env_root["mail.mail"].search(
            [("model", "=", renewal._name), ("res_id", "=", renewal.id)]
        )
        renewal.sudo()._set_state("sent")
        self.assertIn("leaver@example.com", mail.email_from)
        self.leaver.sudo().active = False
        leaving = mail._membri_review()
        self.assertEqual(len(leaving), 1)
        self.assertIn(self.officer.email, leaving.email_from)
        self.assertIn(self.officer.email, leaving.reply_to)
        self.assertEqual(leaving._membri_review(), leaving)

    def test_a3_officer_of_the_company_archived_too(self):
        renewal = self._renewal_in("draft", user_id=self.leaver.id)
        self.company.sudo().email = "office@example.com"
        (self.leaver | self.officer).with_user(self.env.ref("base.user_root")).active = False
        env = self.env(user=self.manager)
        self.assertFalse(renewal.user_id)
        renewal = renewal.with_env(env)
        with self.mock_mail_gateway():
            renewal.action_send()
        self.assertIn("office@example.com", self._get_notices(self._new_mails).email_from)
        renewal.action_require_intervention("Call")
        self.assertEqual(self._get_activities(renewal).user_id, self.manager)
        other = self._create_renewal(self._create_yearly())
        self.assertFalse(other.user_id)

    def test_a3_contact_change_and_announced_payments_reach_somebody(self):
        self.company.sudo().membri_payment_user_id = self.leaver
        self.leaver.active = False
        self.assertEqual(self.company._membri_get_payment_user(), self.officer)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestA3ArchivedTaxAndProduct(ArchivedCommon):
    """Issue 12 A3: what is archived later changes nothing that was frozen."""

    def test_a3_archived_tax_stays_on_what_was_sent(self):
        renewal = self._renewal_in("sent")
        self.tax.with_env(self.env_account).active = False
        self.env.invalidate_all()
        self.assertEqual(renewal.line_ids.tax_ids, self.tax)
        self.assertRecordValues(renewal, [{"amount_untaxed": 300.0, "amount_total": 345.0}])

    def test_a3_one_of_two_taxes_archived(self):
        """Of two taxes one is archived: the other one alone is not what the member was told."""
        second = self.tax.with_env(self.env_root).copy({"name": "Second tax", "amount": 10.0})
        self.product.sudo().taxes_id |= second
        renewal = self._renewal_in("sent")
        self.assertEqual(renewal.amount_total, 375.0)
        second.active = False
        self.env.invalidate_all()
        self.assertFalse(renewal.approval_remark)
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.amount_total, 375.0)

    def test_a3_tax_that_was_sent_cannot_be_deleted(self):
        """No invoice has it yet, and a deleted one would leave no trace on what was sent."""
        second, unused = (
            self.tax.with_env(self.env_root).copy({"name": f"Tax {n}", "amount": 10.0})
            for n in range(2)
        )
        self.product.sudo().taxes_id |= second
        renewal = self._renewal_in("sent")
        self.product.sudo().taxes_id -= second
        with self.assertRaisesRegex(UserError, renewal.name), self.env.cr.savepoint():
            second.unlink()
        self.assertEqual(renewal.amount_total, 375.0)
        unused.unlink()
        self.assertFalse(unused.exists())

    def test_a3_one_of_two_taxes_taken_away_or_replaced(self):
        second = self.tax.with_env(self.env_root).copy({"name": "Second tax", "amount": 10.0})
        third = self.tax.with_env(self.env_root).copy({"name": "Third tax", "amount": 20.0})
        self.product.sudo().taxes_id |= second
        taken_away, replaced = self._renewal_in("sent"), self._renewal_in("sent")
        self.product.sudo().taxes_id -= second
        taken_away.action_approve()
        self.assertEqual(taken_away.invoice_id.amount_total, 345.0)
        second.active = False
        self.product.sudo().taxes_id |= third
        replaced.action_approve()
        self.assertEqual(replaced.invoice_id.amount_total, 405.0)

    def test_a3_archived_tax_is_invoiced_as_it_was_sent(self):
        renewal = self._renewal_in("sent")
        self.tax.with_env(self.env_account).active = False
        self.env.invalidate_all()
        renewal.action_approve()
        self.assertRecordValues(
            renewal.invoice_id,
            [{"state": "posted", "amount_untaxed": 300.0, "amount_total": 345.0}],
        )

    def test_a3_archived_option_stays_when_another_one_is_asked_for(self):
        self.yearly.sudo().line_ids.create(
            {"option_set_id": self.yearly.id, "product_id": self.extra.id}
        )
        renewal = self._renewal_in("sent")
        self.product.sudo().active = False
        offer = renewal._get_change_offers()[0]
        self.assertEqual(
            {option["line"].product_id: option["is_chosen"] for option in offer["options"]},
            {self.product: True, self.extra: True},
        )

    def test_a3_archived_product_is_invoiced_as_it_was_sent(self):
        renewal = self._renewal_in("sent")
        self.product.sudo().active = False
        renewal.action_approve()
        self.assertRecordValues(
            renewal.invoice_id,
            [{"state": "posted", "amount_untaxed": 300.0, "amount_total": 345.0}],
        )
        self.assertEqual(renewal.invoice_id.invoice_line_ids.product_id, self.product)

    def test_a3_archived_product_of_a_draft_is_not_sent(self):
        renewal = self._renewal_in("draft")
        self.product.sudo().active = False
        self.assertIn("Membership", self._assert_refused(renewal.action_send))
        self.assertIn("Membership", self._assert_refused(renewal.action_approve))

    def test_a3_archived_option_set_serves_its_terms(self):
        renewal = self._renewal_in("sent")
        self.yearly.sudo().active = False
        renewal.action_approve()
        self.assertEqual(renewal.new_cotisation_id.date_end, date(2027, 12, 31))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestA3ActivitiesEnd(ArchivedCommon):
    """Issue 12 A: what an activity asks for is over, so the activity is over."""

    def test_a3_restored_then_approved_or_sent(self):
        for action in ("action_approve", "action_send"):
            with self.subTest(action=action):
                renewal = self._renewal_in("draft")
                renewal.partner_id.action_archive()
                renewal.partner_id.action_unarchive()
                self.assertTrue(self._get_activities(renewal))
                getattr(renewal, action)()
                self.assertFalse(self._get_activities(renewal))

    def test_a3_accepted_then_paid(self):
        renewal = self._renewal_in("approved")
        renewal.partner_id.action_archive()
        self.assertTrue(self._get_activities(renewal))
        self._pay(renewal.invoice_id)
        self.assertFalse(self._get_activities(renewal))

    def test_a3_accepted_then_reset_is_held(self):
        renewal = self._renewal_in("approved")
        renewal.partner_id.action_archive()
        renewal.action_reset()
        self.assertRecordValues(renewal, [{"state": "intervention", "is_held_archived": True}])
        activity = self._get_activities(renewal)
        self.assertEqual(
            activity.activity_type_id, self.env.ref("membri_renewal.activity_intervention")
        )

    def test_a3_living_term_terminated(self):
        term = self._create_cotisation(self.member, "2026-10-01", state="active")
        term.partner_id.action_archive()
        self.assertTrue(self._get_activities(term.partner_id))
        term.action_terminate(date(2026, 11, 14), "resigned")
        self.assertFalse(self._get_activities(term.partner_id))

    def test_a2_unreachable_invoice_that_is_paid(self):
        renewal = self._renewal_in("sent")
        renewal.partner_id.email = False
        renewal.action_approve()
        unreachable = self.env.ref("membri_renewal.activity_unreachable")
        self.assertEqual(self._get_activities(renewal).activity_type_id, unreachable)
        self._pay(renewal.invoice_id)
        self.assertFalse(self._get_activities(renewal))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestNothingUntrueAtNight(ArchivedCommon):
    """Issue 12: what changed in mid-season makes no wrong notice while nobody looks."""

    def _generate(self):
        self._run_cron("ir_cron_generate")
        return self.env["membri.renewal"].search([("partner_id", "=", self.member.id)])

    def _set_up(self):
        self._create_cotisation(self.member, "2026-01-01")

    def test_required_option_that_is_archived(self):
        self.yearly.sudo().line_ids.is_required = True
        self.yearly.sudo().line_ids.create(
            {"option_set_id": self.yearly.id, "product_id": self.extra.id}
        )
        self._set_up()
        self.product.sudo().active = False
        renewal = self._generate()
        self.assertEqual(renewal.mapped("state"), ["draft"])
        self.assertIn("is archived", renewal.delivery_note)
        self.product.sudo().active = True
        renewal.action_cancel()

    def test_option_that_is_no_longer_offered(self):
        self.yearly.sudo().line_ids.create(
            {"option_set_id": self.yearly.id, "product_id": self.extra.id}
        )
        self._set_up()
        self.extra.sudo().active = False
        self.assertEqual(self._generate().mapped("state"), ["sent"])

    def test_currency_without_a_rate(self):
        franc = self.env_root.ref("base.CHF")
        franc.active = True
        franc.rate_ids.unlink()
        pricelist = self.env_root["product.pricelist"].create(
            {"name": "Francs", "currency_id": franc.id, "company_id": self.company.id}
        )
        self.member.sudo().with_company(self.company).property_product_pricelist = pricelist
        self._set_up()
        renewal = self._generate()
        self.assertEqual(renewal.mapped("state"), ["draft"])
        self.assertIn("no exchange rate for CHF", renewal.delivery_note)
        own = self.company.currency_id
        active = self.env_root["res.currency"].search([("id", "not in", (own + franc).ids)])
        active.active = False
        vals = {"currency_id": own.id, "name": "2026-01-01", "rate": 1.4, "company_id": False}
        own_rate = own.with_env(self.env_root).rate_ids.create(vals)
        self.assertFalse(self.company._membri_get_no_rate_reason(franc), "all others are in francs")
        own_rate.unlink()
        self.assertTrue(self.company._membri_get_no_rate_reason(franc))
        franc.rate_ids.create(
            {"currency_id": franc.id, "name": "2026-01-01", "rate": 1.2, "company_id": False}
        )
        renewal.action_send()
        self.assertEqual(renewal.state, "sent")
