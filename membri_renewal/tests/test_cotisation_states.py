from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import MembriCommon

STATES = ("pending", "scheduled", "active", "expired", "cancelled")
# specification §2, the cotisation's table: (number, from, what happens, to). “none” of what is
# not in the table changes anything; a UserError is expected where the last column says so.
EVENTS = [
    (1, "pending", "paid", "scheduled", None),
    (2, "pending", "paid after its first day", "active", None),
    (3, "pending", "paid after its last day", "expired", None),
    (4, "pending", "unpaid", "pending", None),
    (5, "pending", "void", "cancelled", None),
    (6, "pending", "first day", "pending", None),
    (7, "pending", "last day passed", "pending", None),
    (8, "scheduled", "unpaid", "pending", None),
    (9, "scheduled", "void", "cancelled", None),
    (10, "scheduled", "last day", "scheduled", None),
    (11, "scheduled", "first day", "active", None),
    (12, "scheduled", "last day passed", "expired", None),
    (13, "active", "unpaid", "pending", None),
    (14, "active", "void", "cancelled", None),
    (15, "active", "last day", "active", None),
    (16, "active", "last day passed", "expired", None),
    (17, "expired", "unpaid", "expired", None),
    (18, "expired", "void", "expired", None),
    (19, "expired", "last day passed", "expired", None),
    (20, "cancelled", "paid", "cancelled", None),
    (21, "cancelled", "first day", "cancelled", None),
    (22, "cancelled", "last day passed", "cancelled", None),
    (23, "pending", "action_terminate", "pending", "Only an active term"),
    (24, "scheduled", "action_terminate", "scheduled", "Only an active term"),
    (25, "active", "action_terminate", "active", None),
    (26, "expired", "action_terminate", "expired", "Only an active term"),
    (27, "cancelled", "action_terminate", "cancelled", "Only an active term"),
    (28, "pending", "action_cancel", "cancelled", None),
    (29, "scheduled", "action_cancel", "cancelled", None),
    (30, "active", "action_cancel", "active", "use “End Membership”"),
    (31, "expired", "action_cancel", "expired", "can be cancelled"),
    (32, "cancelled", "action_cancel", "cancelled", "can be cancelled"),
]


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCotisationStates(MembriCommon):
    """The cotisation's table of specification §2: money, the calendar, the staff."""

    def _next_term(self, state):
        """The term of 2027 of a member of 2026, brought to ``state`` by what really happens."""
        renewal = self._renewal_in("approved")
        cotisation = renewal.new_cotisation_id
        self.assertEqual(cotisation.state, "pending")
        if state in ("scheduled", "active", "expired"):
            self._pay(renewal.invoice_id)
        if state in ("active", "expired"):
            with freeze_time("2027-01-01 12:00:00"):
                self._run_cron("ir_cron_update_states")
        if state == "expired":
            with freeze_time("2028-01-01 12:00:00"):
                self._run_cron("ir_cron_update_states")
        if state == "cancelled":
            renewal.invoice_id.with_env(self.env_account).button_cancel()
        self.assertEqual(cotisation.state, state)
        return cotisation

    def _happen(self, event, cotisation):
        invoice = cotisation.invoice_id.with_env(self.env_account)
        if event == "paid":
            if invoice.state == "cancel":
                invoice.button_draft()
                invoice.action_post()
            self._pay(invoice)
        elif event == "paid after its first day":
            with freeze_time("2027-01-02 12:00:00"):
                self._pay(invoice)
        elif event == "paid after its last day":
            with freeze_time("2028-01-01 12:00:00"):
                self._pay(invoice)
        elif event == "unpaid":
            invoice.line_ids.remove_move_reconcile()
        elif event == "void":
            invoice.button_cancel()
        elif event == "action_cancel":
            cotisation.action_cancel()
        elif event == "action_terminate":
            with freeze_time("2027-06-30 12:00:00"):
                cotisation.action_terminate("2027-06-30", "Resigned")
        else:
            moment = {
                "last day": "2027-01-01 04:30:00"
                if cotisation.state == "scheduled"
                else "2028-01-01 04:30:00",  # still 31 December in Toronto
                "first day": "2027-01-01 05:30:00",
                "last day passed": "2028-01-01 05:30:00",
            }[event]
            with freeze_time(moment):
                self._run_cron("ir_cron_update_states")

    def test_table(self):
        self.assertEqual(len(EVENTS), 32)
        for number, state, event, to, refusal in EVENTS:
            with self.subTest(cell=number, state=state, event=event):
                cotisation = self._next_term(state)
                if refusal:
                    message = self._assert_refused(lambda e=event, c=cotisation: self._happen(e, c))
                    self.assertIn(refusal, message)
                    self.assertIn(cotisation.name, message)
                else:
                    self._happen(event, cotisation)
                self.assertEqual(cotisation.state, to)

    def test_cancel_voids_what_is_unpaid_and_keeps_what_is_paid(self):
        """`action_cancel`: the unpaid invoice is void; a paid one stays, for the staff to
        refund; the renewal goes back to the staff either way."""
        for state, invoice_state in (("pending", "cancel"), ("scheduled", "posted")):
            with self.subTest(state=state):
                cotisation = self._next_term(state)
                renewal = cotisation.renewal_id
                cotisation.action_cancel()
                self.assertEqual(cotisation.invoice_id.state, invoice_state)
                self.assertEqual(renewal.state, "intervention")
                self.assertFalse(renewal.invoice_id)

    def test_cancel_what_nothing_was_invoiced_for(self):
        """`action_cancel` of a pending and of a scheduled import; whoever cancels the term
        that a renewal made hands it back to the staff."""
        for state in ("pending", "scheduled"):
            cotisation = self._create_cotisation(
                self._create_member(f"Imported {state}"), "2027-01-01", state=state
            )
            cotisation.action_cancel()
            self.assertEqual(cotisation.state, "cancelled")
            self.assertEqual(cotisation.partner_id.membri_status, "non_member")

    def test_state_cannot_be_written(self):
        for state in STATES:
            cotisation = self._next_term(state)
            other = "active" if state != "active" else "expired"
            for records in (cotisation, cotisation.sudo()):
                with self.subTest(state=state, sudo=records.env.su):
                    self._assert_refused(lambda r=records, to=other: r.write({"state": to}))
                    self._assert_refused(lambda r=records, to=other: r.web_save({"state": to}, {}))
                    self.assertEqual(cotisation.state, state)

    def test_only_an_import_brings_a_state(self):
        vals = {
            "partner_id": self.member.id,
            "option_set_id": self.yearly.id,
            "date_start": "2026-01-01",
            "state": "active",
        }
        for origin in ("enrolment", "renewal"):
            with self.assertRaisesRegex(UserError, "starts as pending payment"):
                self.env["membri.cotisation"].create({**vals, "origin": origin})
        self.assertEqual(self.env["membri.cotisation"].create(vals).origin, "import")

    def test_past_never_changes(self):
        """Expired and cancelled: neither dates, nor options, nor member."""
        for state in ("expired", "cancelled"):
            cotisation = self._next_term(state)
            line = (
                self.env["membri.cotisation.line"]
                .sudo()
                .create(
                    {
                        "cotisation_id": self._create_cotisation(
                            self._create_member(f"Other {state}"), "2026-01-01"
                        ).id,
                        "product_id": self.extra.id,
                        "price_unit": 1.0,
                    }
                )
            )
            for vals in (
                {"date_end": "2029-12-31"},
                {"date_start": "2026-12-31"},
                {"option_set_id": self.fixed.id},
                {"partner_id": self.member.id},
                {"line_ids": [fields.Command.clear()]},
                {"line_ids": [fields.Command.update(cotisation.line_ids.id, {"quantity": 2})]},
                {"line_ids": [fields.Command.link(line.id)]},
            ):
                with self.subTest(state=state, vals=vals):
                    self._assert_refused(lambda v=vals, c=cotisation: c.write(v))
            with self.assertRaises(UserError), self.env.cr.savepoint():
                cotisation.line_ids.price_unit = 5.0
            with self.assertRaises(UserError):
                cotisation.line_ids.sudo().unlink()
            with self.assertRaises(UserError):
                cotisation.sudo().unlink()
            self.assertEqual(cotisation.amount_untaxed, 300.0)

    def test_option_without_a_price_gets_the_members(self):
        """As on a renewal, whichever way it is added."""
        vals = {"product_id": self.extra.id}
        cotisation = self._create_cotisation(self._create_member("Without Price"), "2026-01-01")
        line = self.env["membri.cotisation.line"].create({**vals, "cotisation_id": cotisation.id})
        cotisation.write({"line_ids": [fields.Command.create(vals)]})
        priced = cotisation.option_set_id._prepare_term_line(
            cotisation.partner_id, cotisation.date_start, product=self.extra
        )
        added = cotisation.line_ids.filtered(lambda each: each.product_id == self.extra)
        self.assertIn(line, added)
        self.assertEqual(added.mapped("price_unit"), [priced["price_unit"]] * 2)
        self.assertTrue(priced["price_unit"])

    def test_paid_term_cannot_be_shortened(self):
        """specification §7: a paid cotisation is never shortened; `action_terminate` is the way."""
        for state in ("scheduled", "active"):
            cotisation = self._next_term(state)
            for vals in ({"date_end": "2027-06-30"}, {"date_start": "2027-03-01"}):
                with self.subTest(state=state, vals=vals):
                    message = self._assert_refused(lambda v=vals, c=cotisation: c.write(v))
                    self.assertIn("End Membership", message)
            cotisation.date_end = "2028-01-31"
            self.assertEqual(cotisation.date_end.isoformat(), "2028-01-31")

    def test_line_of_another_term_is_out_of_reach(self):
        """One2many commands can name any line: not one of another member's invoiced term."""
        mine, theirs = self._next_term("pending"), self._next_term("pending")
        for command in (
            fields.Command.update(theirs.line_ids.id, {"price_unit": 1.0}),
            fields.Command.link(theirs.line_ids.id),
            fields.Command.delete(theirs.line_ids.id),
            fields.Command.set(theirs.line_ids.ids),
        ):
            self._assert_refused(lambda c=command: mine.write({"line_ids": [c]}))
        self._assert_refused(lambda: theirs.line_ids.write({"cotisation_id": mine.id}))
        self.assertEqual((mine.amount_untaxed, theirs.amount_untaxed), (300.0, 300.0))

    def test_invoice_of_a_term_cannot_be_written(self):
        """Else any paid invoice would activate any term."""
        unpaid, paid = self._next_term("pending"), self._next_term("scheduled")
        self._assert_refused(lambda: unpaid.write({"invoice_id": paid.invoice_id.id}))
        self._run_cron("ir_cron_update_states")
        self.assertEqual(unpaid.state, "pending")

    # ------------------------------------------------------------------
    # Terminate
    # ------------------------------------------------------------------

    def test_terminate_ends_on_its_date(self):
        """Active through the date; the undecided renewal is refused; nothing is proposed."""
        cotisation = self._create_yearly()
        renewal = self._create_renewal(cotisation)
        renewal.action_send()
        cotisation.action_terminate("2026-11-30", "Moved abroad")
        self.assertRecordValues(
            cotisation,
            [
                {
                    "state": "active",
                    "date_end": fields.Date.to_date("2026-11-30"),
                    "date_terminated": fields.Date.to_date("2026-11-30"),
                    "termination_reason": "Moved abroad",
                }
            ],
        )
        self.assertEqual(renewal.state, "refused")
        self.assertEqual(
            renewal.refusal_reason_id,
            self.env.ref("membri_renewal.refusal_reason_terminated"),
        )
        with freeze_time("2026-12-01 04:30:00"):  # 30 November in Toronto
            self._run_cron("ir_cron_update_states")
            self.assertEqual(cotisation.state, "active")
        with freeze_time("2026-12-01 05:30:00"):
            self._run_cron("ir_cron_update_states")
            self._run_cron("ir_cron_generate")
        self.assertEqual(cotisation.state, "expired")
        self.assertEqual(cotisation.partner_id.membri_status, "inactive")
        self.assertEqual(cotisation.renewal_ids, renewal)

    def test_terminate_in_the_past_and_outside(self):
        cotisation = self._create_yearly()
        for date in ("2025-12-31", "2027-01-01"):
            with self.assertRaisesRegex(ValidationError, "Choose a last day within it"):
                cotisation.action_terminate(date, "Typo")
        cotisation.action_terminate("2026-10-31", "Died")
        self.assertEqual(cotisation.state, "expired")

    def test_terminate_for_a_reason_of_the_list(self):
        """As a record, as its id (by RPC), or as its name: counted as that one."""
        for reason in (self.reason, self.reason.id, self.reason.name):
            with self.subTest(reason=reason):
                cotisation = self._create_yearly()
                cotisation.action_terminate("2026-10-31", reason)
                self.assertRecordValues(
                    cotisation,
                    [
                        {
                            "state": "expired",
                            "termination_reason": self.reason.name,
                            "termination_reason_id": self.reason.id,
                        }
                    ],
                )
        gone = self.env_root["membri.refusal.reason"].create({"name": "Gone"})
        gone_id = gone.id
        gone.unlink()
        cotisation = self._create_yearly()
        self._assert_refused(lambda: cotisation.action_terminate("2026-10-31", gone_id))
        self.assertEqual(cotisation.state, "active")

    def test_terminate_wizard(self):
        cotisation = self._create_yearly()
        self._open_wizard(
            cotisation.action_terminate(), date="2026-12-15", reason="Excluded"
        ).action_confirm()
        self.assertEqual(cotisation.date_end.isoformat(), "2026-12-15")

    def test_terminate_with_a_next_term_says_what_to_do_first(self):
        following = self._next_term("scheduled")
        message = self._assert_refused(
            lambda: following.previous_id.action_terminate("2026-11-30", "Left")
        )
        self.assertIn(following.name, message)
