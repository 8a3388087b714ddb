from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import MembriCommon

# 31 August 2026, 11:00 in Toronto: six months before is 28 February
NOW = datetime(2026, 8, 31, 15)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestDashboards(MembriCommon):
    """specification §6: the seven queues of the guide and two of ours, with their boundaries."""

    def _find(self, code):
        dashboard = self.env["membri.dashboard"].search([("code", "=", code)])
        found = self.env["membri.renewal"].search(dashboard._get_domain())
        dashboard.invalidate_recordset(["record_count"])
        self.assertEqual(dashboard.record_count, len(found))
        return found

    def _sent_on(self, moment):
        """A renewal whose notice went out at ``moment`` (UTC)."""
        with freeze_time(moment):
            return self._renewal_in("sent")

    def test_queues_in_the_order_of_the_seed(self):
        self.assertEqual(
            self.env["membri.dashboard"].search([]).mapped("code"),
            [
                "to_remind",
                "change_requested",
                "no_answer_7d",
                "intervention",
                "no_answer_6m",
                "accepted_unpaid",
                "all_open",
                "unreachable",
                "letters",
                "send_failed",
                "not_sent",
                # of money, after those of the specification (§6)
                "in_arrears",
                "unpaid_too_long",
                "charge_failed",
            ],
        )

    def test_each_state_in_its_queue(self):
        by_state = {
            state: self._renewal_in(state)
            for state in (
                "draft",
                "sent",
                "change_requested",
                "intervention",
                "approved",
                "refused",
                "cancelled",
            )
        }
        paid = self._renewal_in("approved")
        self._pay(paid.invoice_id)
        self.assertEqual(self._find("change_requested"), by_state["change_requested"])
        self.assertEqual(self._find("intervention"), by_state["intervention"])
        self.assertEqual(self._find("not_sent"), by_state["draft"], "nothing is sent by itself")
        self.assertEqual(self._find("accepted_unpaid"), by_state["approved"])
        self.assertEqual(
            set(self._find("all_open")),
            {
                by_state[state]
                for state in ("draft", "sent", "change_requested", "intervention", "approved")
            },
        )
        for code in ("to_remind", "no_answer_7d", "no_answer_6m", "unreachable", "send_failed"):
            self.assertFalse(self._find(code), code)

    def test_exactly_seven_days(self):
        """Of *depuis au moins 7 jours*, the whole seventh day, by the company's midnight."""
        last_in = self._sent_on("2026-08-25 03:59:00")  # 24 August, 23:59 in Toronto
        first_out = self._sent_on("2026-08-25 04:01:00")
        self.assertEqual(self._find("no_answer_7d"), last_in)
        with freeze_time(NOW + timedelta(days=1)):
            self.assertEqual(self._find("no_answer_7d"), last_in | first_out)
        last_in.action_request_change("I answer")
        self.assertFalse(self._find("no_answer_7d"))

    def test_exactly_six_months(self):
        """The last day of a shorter month counts."""
        last_in = self._sent_on("2026-03-01 04:59:00")  # 28 February in Toronto
        self._sent_on("2026-03-01 05:01:00")
        self.assertEqual(self._find("no_answer_6m"), last_in)

    def test_thresholds_are_settings_of_the_company(self):
        renewal = self._sent_on(NOW - timedelta(days=3))
        self.assertFalse(self._find("no_answer_7d"))
        self.company.with_env(self.env_root).membri_no_answer_days = 3
        self.assertEqual(self._find("no_answer_7d"), renewal)
        self.company.with_env(self.env_root).membri_no_answer_months = 0
        self.assertEqual(self._find("no_answer_6m"), renewal)

    def test_titles_follow_the_thresholds(self):
        company = self.company.with_env(self.env_root)
        for code, setting, shipped in (
            ("no_answer_7d", "membri_no_answer_days", "7"),
            ("no_answer_6m", "membri_no_answer_months", "6"),
        ):
            dashboard = self.env["membri.dashboard"].search([("code", "=", code)])
            self.assertEqual(dashboard.display_name, dashboard.name)
            company[setting] = 10
            dashboard.invalidate_recordset(["display_name"])
            title = dashboard.name.replace(shipped, "10")
            self.assertNotEqual(title, dashboard.name)
            self.assertEqual(dashboard.display_name, title)
            self.assertEqual(dashboard.action_open()["name"], title)
        other = self.env["membri.dashboard"].search([("code", "=", "intervention")])
        self.assertEqual(other.display_name, other.name)

    def test_titles_in_the_singular(self):
        dashboard = self.env["membri.dashboard"].search([("code", "=", "no_answer_7d")])
        months = self.env["membri.dashboard"].search([("code", "=", "no_answer_6m")])
        company = self.company.with_env(self.env_root)
        company.write({"membri_no_answer_days": 1, "membri_no_answer_months": 1})
        for queue, name, title in (
            (dashboard, "No Reply (Over 7 Days)", "No Reply (Over 1 Day)"),
            (dashboard, "Sans réponse (plus de 7 jours)", "Sans réponse (plus de 1 jour)"),
            (months, "Sans réponse (plus de 6 mois)", "Sans réponse (plus de 1 mois)"),
            (months, "Call them", "Call them"),
        ):
            queue.with_env(self.env_root).name = name
            self.assertEqual(queue.display_name, title)

    def test_resending_does_not_take_out_of_the_queue(self):
        """`date_sent` is the first sending: the member has waited that long."""
        renewal = self._sent_on(NOW - timedelta(days=10))
        renewal.action_send()
        renewal.action_send_reminder()
        self.assertEqual(self._find("no_answer_7d"), renewal)

    def test_to_remind(self):
        """From the day of the next step on; gone once reminded, answered or flagged. The
        step of an accepted and unpaid renewal counts from the due date of its invoice."""
        self.yearly.with_env(self.env_root).reminder_ids = [
            fields.Command.create({"trigger": "after_sent", "days": 5, "automatic": False}),
            fields.Command.create({"trigger": "after_due", "days": 5, "automatic": False}),
        ]
        due = self._sent_on("2026-08-27 03:00:00")  # 26 August in Toronto
        self._sent_on("2026-08-27 05:00:00")
        answered = self._sent_on("2026-08-20 12:00:00")
        answered.action_request_change("More seats")
        flagged = self._sent_on("2026-08-20 12:00:00")
        flagged.action_require_intervention("Call")
        with freeze_time("2026-08-26 12:00:00"):
            unpaid = self._renewal_in("approved")
        with freeze_time("2026-08-26 12:00:00"):
            paid = self._renewal_in("approved")
            self._pay(paid.invoice_id)
        self.assertEqual(unpaid.invoice_id.invoice_date_due.isoformat(), "2026-08-26")
        self.assertEqual(self._find("to_remind"), due | unpaid)
        due.action_send_reminder()
        self.assertEqual(self._find("to_remind"), unpaid)

    def test_to_remind_holds_nobody_whom_its_action_refuses(self):
        """Who cannot be reached, or is archived, waits in other queues: this one empties."""
        self.yearly.with_env(self.env_root).reminder_ids = [
            fields.Command.create({"trigger": "after_sent", "days": 5, "automatic": False}),
            fields.Command.create({"trigger": "after_due", "days": 5, "automatic": False}),
        ]
        nowhere = self._create_renewal(self._create_yearly(email=False))
        with freeze_time("2026-08-20 12:00:00"):
            nowhere.action_send()
            unpaid = self._renewal_in("approved")
        self.assertEqual(self._find("to_remind"), unpaid)
        self.assertEqual(self._find("unreachable"), nowhere)
        unpaid.partner_id.active = False
        self.assertFalse(self._find("to_remind"))
        self.assertEqual(self._find("accepted_unpaid"), unpaid)
        self.assertEqual((nowhere | unpaid).mapped("can_be_reminded"), [False, False])

    def test_unreachable(self):
        renewal = self._create_renewal(self._create_yearly(email=False))
        renewal.action_send()
        self.assertEqual(renewal.state, "sent")
        self.assertEqual(self._find("unreachable"), renewal)
        renewal.partner_id.email = "back@example.com"
        renewal.action_send()
        self.assertFalse(self._find("unreachable"))

    def test_send_failed(self):
        renewal = self._renewal_in("draft")
        renewal._mark_failed("The server is on fire")
        self.assertEqual(self._find("send_failed"), renewal)
        self.assertEqual(renewal.delivery_note, "The server is on fire")
        self._refuse(renewal)
        self.assertFalse(self._find("send_failed"), "decided: nothing is left to mend")

    # ------------------------------------------------------------------
    # Companies, own queues, mistakes
    # ------------------------------------------------------------------

    def test_counts_per_company(self):
        self._renewal_in("sent")
        other = self.setup_other_company_for_members()
        dashboard = self.env.ref("membri_renewal.dashboard_all_open")
        self.assertEqual(dashboard.record_count, 1)
        officer = self.env["membri.dashboard"].with_context(allowed_company_ids=other.ids)
        self.assertEqual(officer.browse(dashboard.id).record_count, 0)

    def setup_other_company_for_members(self):
        other = self.env_root["res.company"].create({"name": "Chapter West"})
        self.officer.with_env(self.env_root).company_ids += other
        return other

    def test_own_queue_without_code(self):
        mine = self._create_renewal(self._create_yearly(), user_id=self.officer.id)
        self._create_renewal(self._create_yearly(), user_id=self.manager.id)
        dashboard = self.env["membri.dashboard"].create(
            {"name": "Mine", "domain": "[('is_open', '=', True), ('user_id', '=', uid)]"}
        )
        self.assertEqual(dashboard.record_count, 1)
        self.assertEqual(self.env["membri.renewal"].search(dashboard.action_open()["domain"]), mine)

    def test_bad_domain_is_a_sentence(self):
        for domain in (
            "[('no_such_field', '=', 1)]",
            "[('state', '=', 'sent')",
            "[('state', '~~', 'sent')]",
            "__import__('os').system('true')",
            "unknown_name",
            "42",
        ):
            with (
                self.subTest(domain=domain),
                self.assertRaisesRegex(ValidationError, "The domain of “Broken” does not work"),
                self.env.cr.savepoint(),
            ):
                self.env["membri.dashboard"].create({"name": "Broken", "domain": domain})

    def test_queue_that_broke_later_does_not_break_the_page(self):
        """A field that a removed add-on took with it: the other counters still show."""
        self._renewal_in("sent")
        broken = self.env["membri.dashboard"].create({"name": "Later broken"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE membri_dashboard SET domain = %s WHERE id = %s",
            ["[('gone', '=', 1)]", broken.id],
        )
        self.env.invalidate_all()
        counts = {
            dashboard.code or "": dashboard.record_count
            for dashboard in self.env["membri.dashboard"].search([])
        }
        self.assertEqual(counts["all_open"], 1)
        self.assertEqual(counts[""], 0)
        self.assertIn("does not work", self._assert_refused(broken.action_open))

    def test_open(self):
        renewal = self._sent_on(NOW - timedelta(days=8))
        dashboard = self.env.ref("membri_renewal.dashboard_no_answer_7d")
        action = dashboard.action_open()
        self.assertEqual(action["res_model"], "membri.renewal")
        self.assertEqual(action["name"], dashboard.name)
        self.assertIn("list", action["view_mode"])
        self.assertIn("kanban", action["view_mode"])
        self.assertEqual(self.env["membri.renewal"].search(action["domain"]), renewal)
        self.assertIn("have not replied", dashboard.help)
        self.assertTrue(action["help"])

    def test_counters_cost_few_queries(self):
        dashboards = self.env["membri.dashboard"].search([])
        dashboards.mapped("record_count")
        self.env.invalidate_all()
        # one each, those of the environment, and those by which two ask who is late
        with self.assertQueryCount(len(dashboards) + 9):
            dashboards.mapped("record_count")
