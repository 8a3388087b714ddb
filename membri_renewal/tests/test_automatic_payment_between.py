"""Issue 15, bad input: what happens between the announcement and the charge."""

from datetime import date, timedelta

from freezegun import freeze_time

from odoo.tests import tagged

from .common_automatic_payment import AutomaticPaymentCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestBetween(AutomaticPaymentCommon):
    """What happens between the announcement and the charge: the announced amount at most, once, or
    nothing and a sentence in the queue."""

    def _assert_charged_once(self, renewal, amount, token=None):
        self._charge(renewal.date_charge)
        self._charge(self._after(renewal, 1))
        [charge] = self._get_charges(renewal.invoice_id)
        self.assertEqual((charge.state, renewal.charge_state), ("done", "done"))
        self.assertAlmostEqual(charge.amount, amount, 2)
        self.assertLessEqual(charge.amount, renewal.amount_charge)
        if token:
            self.assertEqual(charge.token_id, token)
        return charge

    def _merge(self, partner, into):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((partner | into).ids, into, extra_checks=False)
        self.env.invalidate_all()

    def test_two_cards(self):
        """The one that was chosen, whatever other cards the payer has saved elsewhere."""
        renewal = self._announced()
        chosen = renewal.sudo().charge_token_id
        self._create_token(renewal.partner_id)
        self._assert_charged_once(renewal, renewal.invoice_id.amount_total, chosen)

    def test_midnight_is_the_company_s(self):
        """The day begins at five in Toronto, as UTC counts."""
        renewal = self._announced()
        with self._on(renewal.date_charge, hour="04"):
            self._charge()
        self._assert_nothing_charged(renewal, "announced")
        with self._on(renewal.date_charge, hour="05"):
            self._charge()
        self.assertEqual(renewal.charge_state, "done")

    def test_payer_archived(self):
        """A member who died: nothing is charged to the card until somebody decides."""
        renewal = self._announced()
        self._let_leave()
        renewal.partner_id.action_archive()
        self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "announced")
        self.assertIn("is archived", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))
        renewal.partner_id.action_unarchive()
        self._assert_charged_once(renewal, renewal.invoice_id.amount_total)
        self.assertFalse(renewal.charge_note)

    def test_held_until_long_after_the_next_attempt(self):
        """Told “again on this day”, and held: charged soon after that day, or announced anew."""

        def archive(renewal):
            renewal.partner_id.action_archive()
            return renewal.partner_id.action_unarchive

        def reset(renewal):
            invoice = renewal.sudo().invoice_id
            invoice.button_draft()
            return invoice.action_post

        for change in (archive, reset):
            for days in (10, 100):
                with self.subTest(change=change.__name__, days=days):
                    renewal = self._announced("error")
                    day = renewal.date_charge
                    self._charge(day)
                    self.assertEqual(renewal.date_charge_retry, day + timedelta(days=3))
                    renewal.sudo().charge_token_id.demo_simulated_state = "done"
                    mend = change(renewal)
                    self._charge(day + timedelta(days=3))
                    self._assert_nothing_charged(renewal, "failed")
                    self.assertTrue(self._is_in_queue(renewal))
                    with self._on(day + timedelta(days=days)):
                        mend()
                    self._charge(day + timedelta(days=days))
                    if days == 100:
                        self._assert_nothing_charged(renewal, "announced")
                        self.assertFalse(renewal.date_charge_retry)
                        again = day + timedelta(days=110)
                        self.assertEqual(renewal.date_charge, again)
                        told = str(renewal.message_ids[:1].body).replace("\xa0", " ")
                        self.assertIn(renewal._format_day(again), told)
                        self._charge(again)
                    self.assertEqual(renewal.charge_state, "done")
                    self.assertEqual(
                        self._get_charged(renewal.invoice_id), renewal.invoice_id.amount_total
                    )

    def test_payers_merged(self):
        """The card goes along with the contact that it was saved for."""
        renewal = self._announced()
        token = renewal.sudo().charge_token_id
        double = self._create_member("Double")
        self._merge(renewal.partner_id, double)
        self.assertEqual(renewal.partner_id, double)
        self.assertEqual(double.sudo().with_company(self.company).membri_payment_token_id, token)
        self.assertTrue(renewal._get_charge_sentence())
        self._assert_charged_once(renewal, renewal.invoice_id.amount_total, token)

    def test_both_payers_had_a_card(self):
        """The survivor's own choice holds: it is announced anew before it is charged."""
        renewal = self._announced()
        day, double = renewal.date_charge, self._create_member("Double")
        own = self._save_card(double)
        self._merge(renewal.partner_id, double)
        self._charge(day)
        self._assert_nothing_charged(renewal, "announced")
        self.assertEqual(renewal.date_charge, day + timedelta(days=10))
        self._assert_charged_once(renewal, renewal.invoice_id.amount_total, own)

    def test_currency_of_the_payer_s_pricelist(self):
        euro = self.env_root.ref("base.EUR")
        euro.active = True
        self.env_root["res.currency.rate"].create(
            {
                "currency_id": euro.id,
                "company_id": self.company.id,
                "name": "2026-01-01",
                "rate": 0.5,
            }
        )
        cotisation = self._create_yearly()
        payer = cotisation.partner_id.sudo().with_company(self.company)
        payer.property_product_pricelist = self.env_root["product.pricelist"].create(
            {"name": "Euro", "currency_id": euro.id}
        )
        self._save_card(cotisation.partner_id)
        renewal = self._create_renewal(cotisation)
        renewal.action_send()
        renewal.action_approve()
        self.assertEqual(renewal.currency_id, euro)
        charge = self._assert_charged_once(renewal, renewal.invoice_id.amount_total)
        self.assertEqual(charge.currency_id, euro)
        self.assertTrue(renewal.is_paid)

    def test_part_credited(self):
        """Of a plan in parts, what a credit note took off is not charged."""
        renewal = self._announced_in_parts()
        invoice, told = renewal.invoice_id, renewal.amount_charge
        credit = invoice.with_env(self.env_account)._reverse_moves([{"invoice_date": "2026-11-15"}])
        credit.invoice_line_ids.price_unit = 50.0
        credit.action_post()
        (credit | invoice.with_env(self.env_account)).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()
        self.env.invalidate_all()
        left = invoice.amount_residual
        self.assertLess(left, invoice.amount_total)
        self._charge(renewal.date_charge)
        self.assertLessEqual(self._get_charged(invoice), told)
        self._charge(date(2027, 2, 13))
        self._charge(date(2027, 2, 14))
        self.assertAlmostEqual(self._get_charged(invoice), left, 2)
        self.assertTrue(renewal.is_paid)

    def test_provider_in_another_mode(self):
        """Odoo forgets the cards of the mode before."""
        renewal = self._announced()
        self.provider.state = "disabled"
        self.provider.state = "test"
        self._charge(renewal.date_charge)
        self._assert_nothing_charged(renewal, "failed")
        self.assertIn("was removed", renewal.charge_note)
        self.assertTrue(self._is_in_queue(renewal))

    def test_refused(self):
        renewal = self._announced()
        invoice = renewal.invoice_id
        renewal.action_reset()
        self._refuse(renewal)
        self.assertFalse(renewal._get_charge_sentence())
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_charged(invoice), 0.0)
        self.assertIn(renewal.charge_state, (False, "stopped"))
        self.assertFalse(self._is_in_queue(renewal))

    def test_settings_changed(self):
        """What was announced holds; what is announced from then on has the new days."""
        renewal = self._announced()
        self.company.sudo().membri_charge_lead_days = 60
        day = renewal.date_charge
        self._charge(day - timedelta(days=1))
        self._assert_nothing_charged(renewal, "announced")
        self.assertEqual(renewal.date_charge, day)
        self._assert_charged_once(renewal, renewal.invoice_id.amount_total)
        with self._on(day):
            later = self._announced()
        self.assertEqual(later.date_charge, day + timedelta(days=60))

    def test_never_tried_again_by_setting(self):
        self.company.sudo().membri_charge_retry_days = False
        renewal = self._announced("error")
        self._charge(renewal.date_charge)
        self.assertEqual((renewal.charge_state, renewal.date_charge_retry), ("failed", False))
        self._charge(self._after(renewal, 30))
        self.assertEqual(len(self._get_charges(renewal.invoice_id)), 1)

    def test_three_documents_of_one_payer_on_one_day(self):
        """A firm pays its own membership, that of two people on one invoice, and one more alone:
        three charges on one day, each once, and the one that was stopped is none of them."""
        firm = self._create_member("Firm", is_company=True)
        firm.membri_group_invoices = True
        self._save_card(firm)
        own, *people = (
            self._create_renewal(self._create_cotisation(member, "2026-01-01"), mode="invoice")
            for member in (
                firm,
                *(self._create_member(name, parent_id=firm.id) for name in "ABCD"),
            )
        )
        shared = people[0] | people[1]
        shared.action_approve()
        for renewal in (own, people[2], people[3]):
            renewal.action_approve()
        self._let_leave()
        everything = own.union(*people)
        self.assertEqual(len(everything.invoice_id), 4)
        self.assertEqual(len(set(everything.mapped("date_charge"))), 1)
        stopped = people[3]
        stopped.action_stop_charge()
        for days in (0, 0, 1):
            self._charge(self._after(own, days))
        for renewal in (own, people[2], shared):
            invoice = renewal.invoice_id
            self.assertEqual(len(self._get_charges(invoice)), 1)
            self.assertAlmostEqual(self._get_charged(invoice), invoice.amount_total)
        self.assertEqual((everything - stopped).mapped("charge_state"), ["done"] * 4)
        self._assert_nothing_charged(stopped, "stopped")

    def test_price_lowered_after_the_announcement(self):
        """Nobody has to be told of less: on the day that was announced, and no more than is due."""
        renewal = self._announced()
        day = renewal.date_charge
        with self._on(date(2026, 12, 28)):
            renewal.action_reset()
            renewal.line_ids.price_unit = 50.0
            renewal.action_approve()
            self._let_leave()
        invoice = renewal.invoice_id
        self._charge()
        self.assertGreaterEqual(renewal.date_charge, day)
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_charged(invoice), invoice.amount_total)
        self.assertEqual(len(self._get_charges(invoice)), 1)

    def test_part_paid_otherwise_after_the_announcement(self):
        """Page and email say what will be charged: what is left."""
        renewal = self._announced()
        invoice = renewal.invoice_id
        whole = renewal._format_amount(renewal.amount_charge)
        self.assertIn(whole, invoice._membri_get_charge_sentence())
        self._pay(invoice, 100.0)
        left = invoice.amount_residual
        self.assertIn(renewal._format_amount(left), invoice._membri_get_charge_sentence())
        self.assertNotIn(whole, invoice._membri_get_charge_sentence())
        self._charge(renewal.date_charge)
        self.assertEqual(self._get_charged(invoice), left)

    def test_another_company_in_the_switcher(self):
        """Whoever works in two companies: the card of each is its own, and so is its stop."""
        renewal = self._announced()
        other = self._create_other_company("Chapter", "America/Toronto")
        payer = renewal.partner_id.sudo()
        foreign = self._create_token(payer, provider=self._create_provider(other))
        payer.with_company(other)._membri_save_card(foreign, "Use this card", "payment")
        both = [other.id, self.company.id]
        chapter = payer.with_context(allowed_company_ids=both)
        self.assertEqual(chapter.membri_payment_token_id, foreign)
        chapter._membri_stop_card()
        self.assertEqual(renewal.charge_state, "announced", "that of the other company")
        renewal = renewal.with_context(allowed_company_ids=both)
        self._charge(renewal.date_charge)
        self.assertEqual(renewal.charge_state, "done")
        charge = self._get_charges(renewal.invoice_id)
        self.assertEqual(charge.company_id, self.company)
        self.assertEqual(charge.token_id, payer.with_company(self.company).membri_payment_token_id)

    def test_refunded_is_not_charged_again(self):
        """As after any online payment: the officer is asked what becomes of the membership."""
        renewal = self._announced()
        charge = self._assert_charged_once(renewal, renewal.amount_charge)
        with self._on(self._after(renewal, 2)):
            refund = charge._refund()
            refund._post_process()
        self.assertEqual(refund.state, "done")
        self.assertIn("was refunded online", renewal.invoice_id.activity_ids.summary)
        for days in (3, 40):
            self._charge(self._after(renewal, days))
        self.assertEqual((renewal.charge_state, renewal._get_charges()), ("done", charge))

    def test_disputed_is_not_charged_again(self):
        """The bank took the money back: it is to be paid again, and nobody charges it by itself."""
        renewal = self._announced()
        charge = self._assert_charged_once(renewal, renewal.amount_charge)
        with self._on(self._after(renewal, 2)):
            charge.payment_id.action_draft()
            charge.payment_id.action_cancel()
        self.assertFalse(renewal.is_paid)
        self.assertEqual(renewal.new_cotisation_id.state, "pending")
        for days in (3, 40):
            self._charge(self._after(renewal, days))
        self.assertEqual(renewal._get_charges(), charge)
        with self._on(self._after(renewal, 41)):
            self.assertTrue(renewal.can_be_reminded)
            self.assertTrue(renewal.in_arrears)

    def test_payer_left_before_the_acceptance(self):
        """The notice announced the card of the employer; who has left pays, by a card of their own
        if there is one, which is announced anew."""
        firm = self._create_member("Firm", is_company=True)
        firm.membri_group_invoices = True
        self._save_card(firm)
        renewals = self.env["membri.renewal"]
        for name in ("Anna", "Bruno"):
            member = self._create_member(name, parent_id=firm.id)
            renewals |= self._create_renewal(self._create_cotisation(member, "2026-01-01"))
        renewals.action_send()
        self.assertEqual(renewals.mapped("charge_state"), ["announced", "announced"])
        without, with_card = renewals
        renewals.partner_id.parent_id = False
        own = self._save_card(with_card.partner_id)
        for renewal in renewals:
            renewal.action_approve()
        self._let_leave()
        self.assertEqual(renewals.invoice_id.partner_id, renewals.partner_id)
        self.assertFalse(without.charge_state)
        self.assertEqual(with_card.sudo().charge_token_id, own)
        self._charge(date(2027, 1, 1))
        self._charge(with_card.date_charge)
        self._assert_nothing_charged(without, False)
        self.assertEqual(self._get_charges(with_card.invoice_id).token_id, own)
