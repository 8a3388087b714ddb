from datetime import date

from freezegun import freeze_time
from lxml import etree

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 15:00:00")
class TestEnrolment(MembriCommon):
    """specification §5.7 and the guide, *Faire le suivi des contacts inactifs*."""

    def _count(self):
        """Everything that an enrolment makes."""
        return {
            model: self.env_root[model].search_count([("company_id", "=", self.company.id)])
            for model in ("membri.cotisation", "membri.renewal", "account.move")
        }

    def test_new_member(self):
        cotisation = self.member._membri_enrol(self.yearly)
        self.assertRecordValues(
            cotisation,
            [
                {
                    "partner_id": self.member.id,
                    "company_id": self.company.id,
                    "origin": "enrolment",
                    "state": "pending",
                    "date_start": date(2026, 3, 10),
                    "date_end": date(2027, 3, 9),
                    "amount_untaxed": 300.0,
                    "amount_total": 345.0,
                    "payment_state": "not_paid",
                    "renewal_id": False,
                    "previous_id": False,
                }
            ],
        )
        invoice = cotisation.invoice_id
        self.assertRecordValues(
            invoice,
            [
                {
                    "state": "posted",
                    "move_type": "out_invoice",
                    "partner_id": self.member.id,
                    "membri_invoice_type": "enrolment",
                    "membri_renewal_id": False,
                    "invoice_date": date(2026, 3, 10),
                    "amount_total": 345.0,
                }
            ],
        )
        self.assertEqual(invoice.invoice_line_ids.membri_cotisation_id, cotisation)
        self.assertTrue(invoice.sending_data, "in Odoo's own sending queue")
        self.assertEqual(self.member.membri_status, "pending")
        self.assertFalse(self.member.membri_is_member)

    def test_paid_today_is_active_today(self):
        cotisation = self.member._membri_enrol(self.yearly)
        self._pay(cotisation.invoice_id)
        self.assertEqual(cotisation.state, "active")
        self.assertRecordValues(
            self.member,
            [
                {
                    "membri_status": "active",
                    "membri_is_member": True,
                    "membri_cotisation_id": cotisation.id,
                    "membri_option_set_id": self.yearly.id,
                    "membri_member_since": date(2026, 3, 10),
                    "membri_date_end": date(2027, 3, 9),
                }
            ],
        )

    def test_paid_for_later_waits_for_its_first_day(self):
        cotisation = self.member._membri_enrol(self.yearly, "2026-04-01")
        self._pay(cotisation.invoice_id)
        self.assertEqual(cotisation.state, "scheduled")
        with freeze_time("2026-04-01 04:00:00"):
            self._run_cron("ir_cron_update_states")
        self.assertEqual(cotisation.state, "active")

    @freeze_time("2026-03-11 03:30:00")
    def test_today_is_the_companys_day(self):
        """23:30 on the 10th in Toronto."""
        cotisation = self.member._membri_enrol(self.yearly)
        self.assertEqual(cotisation.date_start, date(2026, 3, 10))
        self.assertEqual(cotisation.invoice_id.invoice_date, date(2026, 3, 10))

    def test_fixed_dates_and_proration_in_one_click(self):
        """From 10 March, 297 of 365 days are left."""
        cotisation = self.member._membri_enrol(self.fixed, prorate=True)
        self.assertRecordValues(
            cotisation,
            [
                {
                    "date_start": date(2026, 3, 10),
                    "date_end": date(2026, 12, 31),
                    "amount_untaxed": 244.11,
                }
            ],
        )
        self.assertEqual(cotisation.invoice_id.amount_untaxed, 244.11)

    def test_wizard(self):
        with Form(
            self.env["membri.enrolment"].with_context(default_partner_id=self.member.id)
        ) as form:
            form.option_set_id = self.fixed
            self.assertEqual(str(form.date_start), "2026-03-10")
            self.assertEqual(str(form.date_end), "2026-12-31")
            form.prorate = True
        action = form.record.action_confirm()
        cotisation = self.member.membri_cotisation_ids
        self.assertEqual(action["res_id"], cotisation.id)
        self.assertRecordValues(
            cotisation, [{"state": "pending", "amount_untaxed": 244.11, "origin": "enrolment"}]
        )

    def test_wizard_keeps_what_was_edited(self):
        """Dates and options that the officer changed by hand are what is invoiced."""
        enrolment = self.env["membri.enrolment"].create(
            {
                "partner_id": self.member.id,
                "option_set_id": self.yearly.id,
                "date_start": "2026-02-28",
                "date_end": "2027-02-27",
            }
        )
        enrolment.line_ids.price_unit = 280.0
        enrolment.action_confirm()
        self.assertRecordValues(
            self.member.membri_cotisation_ids,
            [
                {
                    "date_start": date(2026, 2, 28),
                    "date_end": date(2027, 2, 27),
                    "amount_untaxed": 280.0,
                }
            ],
        )

    def test_lifetime(self):
        cotisation = self.member._membri_enrol(self.for_life)
        self.assertFalse(cotisation.date_end)
        self._pay(cotisation.invoice_id)
        with freeze_time("2126-03-10 15:00:00"):
            self._run_cron("ir_cron_update_states")
            self._run_cron("ir_cron_generate")
        self.assertEqual(cotisation.state, "active")
        self.assertFalse(cotisation.renewal_ids)

    def test_returning_member_leaves_the_gap_visible(self):
        """Case: the old period untouched."""
        old = self._create_cotisation(self.member, "2024-01-01", state="expired")
        before = self._get_stored(old)
        self.assertEqual(self.member.membri_status, "inactive")
        cotisation = self.member._membri_enrol(self.yearly)
        self.assertEqual(self.member.membri_status, "pending")
        self.assertEqual(cotisation.date_start, date(2026, 3, 10))
        self.assertEqual(cotisation.previous_id, old)
        self._pay(cotisation.invoice_id)
        self.assertRecordValues(
            self.member, [{"membri_status": "active", "membri_member_since": date(2024, 1, 1)}]
        )
        self.assertEqual(old.next_ids, cotisation)
        self.assertEqual(self._get_stored(old), {**before, "next_ids": cotisation.ids})

    def test_way_out_is_not_a_renewal_that_does_not_exist(self):
        """Nobody can reset a renewal that an enrollment does not have."""
        cotisation = self.member._membri_enrol(self.yearly)
        with self.assertRaises(UserError) as caught:
            cotisation.write({"partner_id": self._create_member("Other").id})
        self.assertIn("enroll the member again", str(caught.exception))
        self.assertNotIn("Reset the renewal", str(caught.exception))
        # the hint below the options says the same
        arch = etree.fromstring(self.env["membri.cotisation"].get_view(view_type="form")["arch"])
        hints = [p for p in arch.iter("p") if "Options can change" in "".join(p.itertext())]
        self.assertEqual(len(hints), 2)
        for hint in hints:
            self.assertEqual(
                "not renewal_id" in hint.get("invisible"),
                "reset the renewal" in " ".join("".join(hint.itertext()).split()),
            )

    def test_open_renewal_is_refused_in_the_same_transaction(self):
        """Reason *Réadhésion*; the contact has one way to be a member, the new one."""
        old = self._create_cotisation(self.member, "2025-01-01", state="expired")
        renewal = self._create_renewal(old)
        renewal.action_send()
        self.assertEqual(self.member.membri_status, "in_renewal")
        cotisation = self.member._membri_enrol(self.yearly)
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "refused",
                    "refusal_reason_id": self.env.ref("membri_renewal.refusal_reason_rejoined").id,
                    "is_open": False,
                    "invoice_id": False,
                    "new_cotisation_id": False,
                }
            ],
        )
        self.assertTrue(renewal.date_refused)
        self.assertRecordValues(
            self.member, [{"membri_status": "pending", "membri_renewal_id": False}]
        )
        self.assertFalse(cotisation.renewal_id)
        with self.assertRaisesRegex(UserError, "has rejoined"):
            renewal.action_reset()

    def test_approved_unpaid_renewal_blocks_the_enrolment(self):
        """Its pending cotisation is a living one: two invoices for one time never exist."""
        old = self._create_cotisation(
            self.member, "2025-06-01", state="expired", date_end="2026-01-31"
        )
        renewal = self._create_renewal(old)
        renewal.action_approve()
        before = self._count()
        with self.assertRaisesRegex(ValidationError, renewal.new_cotisation_id.name):
            self.member._membri_enrol(self.yearly)
        self.assertEqual(self._count(), before)
        self.assertEqual(renewal.state, "approved")

    def test_overlap_raises_and_nothing_is_half_done(self):
        current = self._create_cotisation(self.member, "2025-05-01")
        renewal = self._create_renewal(current)
        renewal.action_send()
        before = self._count()
        with self.assertRaisesRegex(ValidationError, f"{self.member.name}.*{current.name}"):
            self.member._membri_enrol(self.yearly)
        self.assertEqual(self._count(), before)
        self.assertRecordValues(renewal, [{"state": "sent", "refusal_reason_id": False}])
        self.assertEqual(self.member.membri_status, "active")
        with self.assertRaises(ValidationError):  # the last day is a day of membership
            self.member._membri_enrol(self.yearly, "2026-04-30")
        self.assertEqual(self.member._membri_enrol(self.yearly, "2026-05-01").previous_id, current)

    def test_double_click(self):
        enrolment = self.env["membri.enrolment"].create(
            {"partner_id": self.member.id, "option_set_id": self.yearly.id}
        )
        enrolment.action_confirm()
        before = self._count()
        with self.assertRaises(ValidationError):
            enrolment.action_confirm()
        self.assertEqual(self._count(), before)

    def test_set_without_options_is_refused_with_a_sentence(self):
        empty = self._create_option_set("Empty")
        empty.sudo().line_ids.unlink()
        before = self._count()
        with self.assertRaisesRegex(UserError, "Empty.*no option"):
            self.member._membri_enrol(empty)
        self.assertEqual(self._count(), before)

    def test_zero_price_is_active_at_once(self):
        """Case: zero price completes once."""
        self.product.sudo().list_price = 0.0
        cotisation = self.member._membri_enrol(self.yearly)
        self.assertRecordValues(cotisation, [{"state": "active", "payment_state": "paid"}])
        self.assertEqual(len(self.member.membri_cotisation_ids), 1)
        self.assertEqual(cotisation.invoice_id.state, "posted")

    def test_only_officers_enrol(self):
        for user in (self.auditor, self.employee):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.member.with_user(user)._membri_enrol(self.yearly.with_user(user))
        self.assertFalse(self.member.membri_cotisation_ids)

    def test_set_of_another_company(self):
        """The set brings its company, whatever company the officer works in."""
        other = self._create_other_company("Other", "Pacific/Auckland", with_accounting=True)
        option_set = self._create_option_set("Other set", company_id=other.id)
        self.assertEqual(self.env.company, self.company)
        cotisation = self.member._membri_enrol(
            option_set.with_context(allowed_company_ids=(self.company + other).ids)
        )
        self.assertRecordValues(
            cotisation,
            [{"company_id": other.id, "date_start": date(2026, 3, 11), "state": "pending"}],
        )
        self.assertEqual(cotisation.invoice_id.company_id, other)
        self.assertEqual(self.member.membri_status, "non_member", "in this company")
        self.assertEqual(self.member.with_company(other).membri_status, "pending")
