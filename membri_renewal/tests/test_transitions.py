from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import LockError, UserError
from odoo.tests import tagged

from .common import MembriCommon

STATES = ("draft", "sent", "change_requested", "intervention", "approved", "refused", "cancelled")
ACTIONS = ("send", "request_change", "require_intervention", "approve", "refuse", "reset", "cancel")
# specification §2, cell by cell: (number, from, action, to); None is a dash of the table.
TABLE = [
    (1, "draft", "send", "sent"),
    (2, "draft", "request_change", None),
    (3, "draft", "require_intervention", "intervention"),
    (4, "draft", "approve", "approved"),
    (5, "draft", "refuse", "refused"),
    (6, "draft", "reset", None),
    (7, "draft", "cancel", "cancelled"),
    (8, "sent", "send", "sent"),
    (9, "sent", "request_change", "change_requested"),
    (10, "sent", "require_intervention", "intervention"),
    (11, "sent", "approve", "approved"),
    (12, "sent", "refuse", "refused"),
    (13, "sent", "reset", None),
    (14, "sent", "cancel", "cancelled"),
    (15, "change_requested", "send", "sent"),
    (16, "change_requested", "request_change", "change_requested"),
    (17, "change_requested", "require_intervention", "intervention"),
    (18, "change_requested", "approve", "approved"),
    (19, "change_requested", "refuse", "refused"),
    (20, "change_requested", "reset", None),
    (21, "change_requested", "cancel", "cancelled"),
    (22, "intervention", "send", "sent"),
    (23, "intervention", "request_change", None),
    (24, "intervention", "require_intervention", "intervention"),
    (25, "intervention", "approve", "approved"),
    (26, "intervention", "refuse", "refused"),
    (27, "intervention", "reset", None),
    (28, "intervention", "cancel", "cancelled"),
    (29, "approved", "send", None),
    (30, "approved", "request_change", None),
    (31, "approved", "require_intervention", None),
    (32, "approved", "approve", None),
    (33, "approved", "refuse", None),
    (34, "approved", "reset", "draft"),
    (35, "approved", "cancel", None),
    (36, "refused", "send", None),
    (37, "refused", "request_change", None),
    (38, "refused", "require_intervention", None),
    (39, "refused", "approve", None),
    (40, "refused", "refuse", None),
    (41, "refused", "reset", "draft"),
    (42, "refused", "cancel", None),
    (43, "cancelled", "send", None),
    (44, "cancelled", "request_change", None),
    (45, "cancelled", "require_intervention", None),
    (46, "cancelled", "approve", None),
    (47, "cancelled", "refuse", None),
    (48, "cancelled", "reset", None),
    (49, "cancelled", "cancel", None),
]


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestTransitions(MembriCommon):
    """The renewal's table of specification §2: what may be done when, and nothing else."""

    def _do(self, renewal, action):
        if action == "refuse":
            return self._refuse(renewal)
        args = {"request_change": ["A larger listing"], "require_intervention": ["Call them"]}
        return getattr(renewal, f"action_{action}")(*args.get(action, []))

    def test_table_is_complete(self):
        self.assertEqual(
            [(state, action) for _number, state, action, _to in TABLE],
            [(state, action) for state in STATES for action in ACTIONS],
        )

    def test_allowed_cells(self):
        allowed = [cell for cell in TABLE if cell[3]]
        self.assertEqual(len(allowed), 24)
        for number, state, action, to in allowed:
            with self.subTest(cell=number, state=state, action=action):
                renewal = self._renewal_in(state)
                self._do(renewal, action)
                self.assertEqual(renewal.state, to)
                flag = renewal.partner_id.membri_intervention_required
                self.assertEqual(flag, to == "intervention", "the flag and the state go together")

    def test_forbidden_cells(self):
        """A sentence that names the record, and not one field changed."""
        forbidden = [cell for cell in TABLE if not cell[3]]
        self.assertEqual(len(forbidden), 25)
        for number, state, action, _to in forbidden:
            with self.subTest(cell=number, state=state, action=action):
                renewal = self._renewal_in(state)
                before = self._snapshot(renewal)
                message = self._assert_refused(lambda r=renewal, a=action: self._do(r, a))
                self.assertIn(renewal.name, message)
                self.assertEqual(self._snapshot(renewal), before)

    def test_forbidden_for_one_of_many_changes_none(self):
        good, bad = self._renewal_in("sent"), self._renewal_in("refused")
        before = self._snapshot(good)
        message = self._assert_refused((good | bad).action_approve)
        self.assertIn(bad.name, message)
        self.assertEqual(self._snapshot(good), before)

    # ------------------------------------------------------------------
    # The state is written in one place only
    # ------------------------------------------------------------------

    def test_state_cannot_be_written(self):
        """RPC ``write``, a drag in the kanban (``web_save``), also as superuser."""
        for state in STATES:
            renewal = self._renewal_in(state)
            other = "sent" if state != "sent" else "approved"
            for records in (renewal, renewal.sudo()):
                with self.subTest(state=state, sudo=records.env.su):
                    message = self._assert_refused(
                        lambda r=records, to=other: r.write({"state": to})
                    )
                    self.assertIn(renewal.name, message)
                    self._assert_refused(
                        lambda r=records, to=other: r.web_save({"state": to}, {"state": {}})
                    )
                    self.assertEqual(renewal.state, state)

    def test_state_cannot_be_forged_by_context(self):
        renewal = self._renewal_in("draft")
        forged = renewal.with_context(membri_internal_write=True)
        self._assert_refused(lambda: forged.write({"state": "approved"}))
        self.assertEqual(renewal.state, "draft")

    def test_state_cannot_be_created(self):
        cotisation = self._create_cotisation(self.member, "2026-01-01")
        Renewal = self.env["membri.renewal"]
        self._assert_refused(
            lambda: Renewal.create({"cotisation_id": cotisation.id, "state": "approved"})
        )
        by_default = Renewal.with_context(default_state="approved").create(
            {"cotisation_id": cotisation.id}
        )
        self.assertEqual(by_default.state, "draft")

    def test_state_cannot_be_imported(self):
        """An import that would move a renewal, or make one in mid-air, is refused line by
        line, with a message."""
        renewal = self._renewal_in("draft")
        result = self.env["membri.renewal"].load([".id", "state"], [[str(renewal.id), "approved"]])
        self.assertFalse(result["ids"])
        self.assertIn("Use the buttons", result["messages"][0]["message"])
        self.assertEqual(renewal.state, "draft")
        cotisation = self._create_cotisation(self.member, "2026-01-01")
        result = self.env["membri.renewal"].load(
            ["cotisation_id/.id", "state"], [[str(cotisation.id), "sent"]]
        )
        self.assertFalse(result["ids"])
        self.assertFalse(cotisation.renewal_ids)

    def test_what_the_system_records_cannot_be_written(self):
        """An RPC ``write`` on what the transitions rely on would bend the state by a detour:
        a forged “state before” comes back when the flag is cleared."""
        renewal = self._renewal_in("intervention")
        approved = self._renewal_in("approved")
        for vals in (
            {"state_before_intervention": "approved"},
            {"invoice_id": approved.invoice_id.id},
            {"new_cotisation_id": approved.new_cotisation_id.id},
            {"date_sent": "2020-01-01 10:00:00"},
            {"date_answer": "2020-01-01 10:00:00"},
            {"date_approved": "2020-01-01 10:00:00"},
            {"date_refused": "2020-01-01 10:00:00"},
            {"date_last_reminder": "2020-01-01 10:00:00"},
            {"date_next_reminder": "2020-01-01"},
            {"reminder_count": 7},
            {"intervention_reason": "Forged"},
            {"delivery_state": "failed"},
            {"letter_state": "printed"},
        ):
            with self.subTest(vals=vals):
                for forged in (renewal, self._renewal_in("draft")):
                    self._assert_refused(lambda r=forged, vals=vals: r.write(vals))
        renewal.partner_id.membri_intervention_required = False
        self.assertEqual(renewal.state, "sent")

    def test_renewal_stays_with_its_term(self):
        """A renewal is of one member and one term: neither can be swapped."""
        renewal, other = self._renewal_in("draft"), self._renewal_in("draft")
        for vals in (
            {"partner_id": other.partner_id.id},
            {"cotisation_id": other.cotisation_id.id},
        ):
            self._assert_refused(lambda vals=vals: renewal.write(vals))
        self.assertEqual(renewal.cotisation_id.partner_id, renewal.partner_id)

    # ------------------------------------------------------------------
    # What was sent is frozen
    # ------------------------------------------------------------------

    def _get_edits(self, renewal):
        line = renewal.line_ids[:1]
        return {
            "option set": lambda: renewal.write({"option_set_id": self.fixed.id}),
            "first day": lambda: renewal.write({"date_start": "2027-02-01"}),
            "last day": lambda: renewal.write({"date_end": "2027-06-30"}),
            "lines": lambda: renewal.write(
                {"line_ids": [fields.Command.update(line.id, {"price_unit": 1.0})]}
            ),
            "price of a line": lambda: line.write({"price_unit": 2.0}),
            "new line": lambda: line.create(
                {"renewal_id": renewal.id, "product_id": self.extra.id}
            ),
            "deleted line": renewal.line_ids.unlink,
        }

    def test_frozen_states(self):
        for state in ("sent", "approved", "refused", "cancelled"):
            renewal = self._renewal_in(state)
            for name, edit in self._get_edits(renewal).items():
                with (
                    self.subTest(state=state, edit=name),
                    self.assertRaisesRegex(UserError, renewal.name),
                    self.env.cr.savepoint(),
                ):
                    edit()
            self.assertEqual(renewal.amount_untaxed, 300.0)

    def test_editable_states(self):
        for state in ("draft", "change_requested", "intervention"):
            with self.subTest(state=state):
                renewal = self._renewal_in(state)
                renewal.line_ids.price_unit = 120.0
                renewal.line_ids.create({"renewal_id": renewal.id, "product_id": self.extra.id})
                self.assertEqual(renewal.amount_untaxed, 170.0)
                renewal.line_ids[1:].unlink()
                self.assertEqual(renewal.amount_untaxed, 120.0)
                renewal.option_set_id = self.fixed
                self.assertEqual(renewal.date_end.isoformat(), "2027-12-31")
                self.assertEqual(renewal.state, state)

    def test_line_cannot_be_moved_onto_a_frozen_renewal(self):
        draft, sent = self._renewal_in("draft"), self._renewal_in("sent")
        self._assert_refused(lambda: draft.line_ids.write({"renewal_id": sent.id}))
        self.assertEqual(sent.amount_untaxed, 300.0)
        self.assertEqual(len(sent.line_ids), 1)

    # ------------------------------------------------------------------
    # The contact's flag
    # ------------------------------------------------------------------

    def test_flag_and_state_go_together(self):
        """Set on the contact: intervention; cleared: back to where it was."""
        for state in ("draft", "sent", "change_requested"):
            with self.subTest(state=state):
                renewal = self._renewal_in(state)
                renewal.partner_id.write(
                    {
                        "membri_intervention_required": True,
                        "membri_intervention_reason": "Ask about the new address",
                    }
                )
                self.assertRecordValues(
                    renewal,
                    [
                        {
                            "state": "intervention",
                            "intervention_reason": "Ask about the new address",
                            "date_next_reminder": False,
                        }
                    ],
                )
                renewal.partner_id.membri_intervention_reason = "Ask about the fee"
                self.assertEqual(renewal.intervention_reason, "Ask about the fee")
                renewal.partner_id.membri_intervention_required = False
                self.assertEqual(renewal.state, state)
                self.assertFalse(renewal.intervention_reason)

    def test_flag_leaves_decided_renewals_alone(self):
        for state in ("approved", "refused", "cancelled"):
            with self.subTest(state=state):
                renewal = self._renewal_in(state)
                for flag in (True, False):
                    renewal.partner_id.membri_intervention_required = flag
                    self.assertEqual(renewal.state, state)

    def test_flag_cleared_brings_the_reminder_back(self):
        self.yearly.with_env(self.env_root).reminder_ids = [
            fields.Command.create({"trigger": "after_sent", "days": 10})
        ]
        renewal = self._renewal_in("sent")
        self.assertEqual(renewal.date_next_reminder.isoformat(), "2026-11-25")
        renewal.partner_id.membri_intervention_required = True
        self.assertFalse(renewal.date_next_reminder)
        renewal.partner_id.membri_intervention_required = False
        self.assertEqual(renewal.date_next_reminder.isoformat(), "2026-11-25")

    def test_intervention_updates_the_reason(self):
        renewal = self._renewal_in("sent")
        renewal.action_require_intervention("Call the treasurer")
        renewal.action_require_intervention("Call the president")
        self.assertEqual(renewal.intervention_reason, "Call the president")
        self.assertEqual(renewal.partner_id.membri_intervention_reason, "Call the president")
        activities = renewal.activity_ids
        self.assertEqual(len(activities), 1, "one activity, not one more at each call")
        self.assertEqual(activities.user_id, self.officer)

    def test_decisions_clear_flag_and_activity(self):
        for action in ("approve", "refuse", "cancel", "send"):
            with self.subTest(action=action):
                renewal = self._renewal_in("intervention")
                self.assertEqual(len(renewal.activity_ids), 1)
                self._do(renewal, action)
                self.assertFalse(renewal.partner_id.membri_intervention_required)
                self.assertFalse(renewal.partner_id.membri_intervention_reason)
                self.assertFalse(renewal.activity_ids)

    # ------------------------------------------------------------------
    # What goes with each transition
    # ------------------------------------------------------------------

    def test_invoice_mode_is_approved_by_send(self):
        self.member.membri_auto_renew = True
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        self.assertEqual(renewal.mode, "invoice")
        renewal.action_send()
        self.assertEqual(renewal.state, "approved")
        self.assertEqual(renewal.invoice_id.state, "posted")
        self.assertFalse(renewal.date_sent, "no notice went out")

    def test_resend_keeps_the_first_date(self):
        renewal = self._renewal_in("sent")
        first = renewal.date_sent
        self.assertEqual(first.isoformat(), "2026-11-15T15:00:00")
        with freeze_time("2026-12-01 09:00:00"):
            renewal.action_send()
        self.assertEqual(renewal.date_sent, first)

    def test_change_requests_add_up(self):
        renewal = self._renewal_in("sent")
        renewal.action_request_change("  A larger listing ")
        self.assertEqual(renewal.change_request, "A larger listing")
        self.assertEqual(renewal.date_answer.isoformat(), "2026-11-15T15:00:00")
        renewal.action_request_change("And a second seat")
        self.assertEqual(renewal.change_request, "A larger listing\n\nAnd a second seat")

    def test_the_effect_of_refusing_asks_the_table_too(self):
        """Specification §8: extensions call it, without the wizard."""
        for state in ("approved", "refused", "cancelled"):
            renewal = self._renewal_in(state)
            invoice, before = renewal.invoice_id, self._snapshot(renewal)
            with self.subTest(state=state):
                sentence = self._assert_refused(lambda r=renewal: r._do_refuse(self.reason))
                self.assertIn(renewal.name, sentence)
                self.assertEqual(self._snapshot(renewal), before)
                self.assertEqual(renewal.invoice_id, invoice)

    def test_refusal_needs_a_reason_and_keeps_it(self):
        renewal = self._renewal_in("sent")
        self._assert_refused(lambda: renewal._do_refuse(self.reason.browse()))
        self.assertEqual(renewal.state, "sent")
        new_reason_id, _name = self.env["membri.refusal.reason"].name_create("Retired")
        self._open_wizard(
            renewal.action_refuse(), reason_id=new_reason_id, note="Sold the business"
        ).action_confirm()
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "refused",
                    "refusal_note": "Sold the business",
                    "date_refused": fields.Datetime.now(),
                    "is_open": False,
                }
            ],
        )
        self.assertEqual(renewal.refusal_reason_id.name, "Retired")
        self.assertEqual(renewal.partner_id.membri_status, "active", "until the term ends")

    # ------------------------------------------------------------------
    # Two people, one renewal
    # ------------------------------------------------------------------

    def test_second_of_two_sees_the_first(self):
        """The state is read again once the row is locked."""
        renewal = self._renewal_in("sent")
        self.assertEqual(renewal.state, "sent")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE membri_renewal SET state = 'refused' WHERE id = %s", [renewal.id]
        )
        message = self._assert_refused(renewal.action_approve)
        self.assertIn(renewal.name, message)
        self.assertFalse(renewal.invoice_id)

    def test_locked_by_another_is_a_sentence(self):
        renewal = self._renewal_in("sent")
        with patch.object(type(renewal), "lock_for_update", side_effect=LockError("busy")):
            message = self._assert_refused(renewal.action_approve)
        self.assertIn("Try again in a moment", message)
        self.assertEqual(renewal.state, "sent")

    def test_same_record_twice_in_one_call(self):
        """A client that sends an id twice gets one invoice."""
        renewal = self._renewal_in("sent")
        renewal.browse([renewal.id, renewal.id]).action_approve()
        self.assertEqual(renewal.state, "approved")
        self.assertEqual(len(renewal.invoice_ids), 1)

    def test_guards_are_sentences_not_errors(self):
        empty = self._renewal_in("draft")
        empty.line_ids.unlink()
        for action in (empty.action_send, empty.action_approve):
            with self.assertRaisesRegex(UserError, "has no options"):
                action()
