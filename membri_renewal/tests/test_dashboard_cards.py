from datetime import date, datetime, timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import MembriCommon

# 15 November 2026, 10:00 in Toronto
NOW = datetime(2026, 11, 15, 15)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestDashboardCards(MembriCommon):
    """What a card tells of its queue: count, oldest, amount at stake, trend."""

    def _sent_ago(self, days, **vals):
        with freeze_time(NOW - timedelta(days=days)):
            return self._renewal_in("sent", **vals)

    def _get_card(self, code):
        dashboard = self.env.ref(f"membri_renewal.dashboard_{code}")
        dashboard.invalidate_recordset()
        return dashboard

    def test_card(self):
        for days in (30, 13, 8, 6, 0):
            self._sent_ago(days)
        self.assertRecordValues(
            self._get_card("all_open"),
            [
                {
                    "record_count": 5,
                    "date_oldest": date(2026, 10, 16),
                    "oldest_days": 30,
                    "amount_at_stake": "$\N{NO-BREAK SPACE}1,725.00",
                    "recent_count": 2,
                    "previous_count": 2,
                }
            ],
        )

    def test_empty_card(self):
        self.assertRecordValues(
            self._get_card("intervention"),
            [
                {
                    "record_count": 0,
                    "date_oldest": False,
                    "oldest_days": 0,
                    "amount_at_stake": "",
                    "recent_count": 0,
                    "previous_count": 0,
                }
            ],
        )

    def test_days_are_those_of_the_company(self):
        """Sent at 23:30 in Toronto: one day ago, though already today in UTC."""
        with freeze_time("2026-11-15 04:30:00"):
            self._renewal_in("sent")
        self.assertEqual(self._get_card("all_open").oldest_days, 1)

    def test_waits_since_its_state(self):
        renewal = self._sent_ago(20)
        first_sent = renewal.date_state
        self.assertEqual(first_sent, renewal.date_sent)
        renewal.action_send()
        self.assertEqual(renewal.date_state, first_sent, "sent again: it waits no less long")
        renewal.action_request_change("One seat more")
        self.assertEqual(renewal.date_state, NOW)
        self.assertEqual(self._get_card("change_requested").oldest_days, 0)
        renewal.action_send()
        self.assertEqual(renewal.date_state, first_sent, "waits for its first answer again")
        with self.assertRaisesRegex(UserError, "set by the system"):
            renewal.write({"date_state": NOW})

    def test_what_is_asked_anew_waits_from_today_on(self):
        """After a reset it is another question, and whom nothing had reached was not asked."""
        reopened = self._sent_ago(200)
        self._refuse(reopened)
        reopened.action_reset()
        reopened.action_send()
        with freeze_time(NOW - timedelta(days=20)):
            unreached = self._create_renewal(self._create_yearly(email=False))
            unreached.action_send()
        unreached.partner_id.email = "found@example.com"
        self.assertEqual(self._get_card("no_answer_7d").record_count, 1)
        self._run_cron("ir_cron_send_reminders")
        for renewal in (reopened, unreached):
            self.assertRecordValues(renewal, [{"date_sent": NOW, "date_state": NOW}])
        self.assertEqual(self._get_card("no_answer_7d").record_count, 0)
        self.assertEqual(self._get_card("no_answer_6m").record_count, 0)

    def test_amounts_of_each_currency(self):
        euro = self.env_root.ref("base.EUR")
        euro.active = True
        self._renewal_in("sent")
        self._renewal_in("sent", currency_id=euro.id)
        amounts = self._get_card("all_open").amount_at_stake
        self.assertIn("$", amounts)
        self.assertIn("€", amounts)
        self.assertEqual(self._get_card("all_open").record_count, 2)

    def test_one_query_each(self):
        for days in (10, 3):
            self._sent_ago(days)
        dashboards = self.env["membri.dashboard"].search([])
        dashboards.mapped("recent_count")
        self.env.flush_all()
        dashboards.invalidate_recordset(
            ["record_count", "date_oldest", "amount_at_stake", "recent_count"]
        )
        # two of them ask first who is late, and of which companies
        with self.assertQueryCount(len(dashboards) + 7):
            dashboards.read(["record_count", "date_oldest", "amount_at_stake", "recent_count"])

    def test_rules_of_the_reader(self):
        """A queue holds what its reader may see."""
        self._renewal_in("sent")
        mine = self._renewal_in("sent", user_id=self.auditor.id)
        self.env_root["ir.rule"].create(
            {
                "name": "Only my renewals",
                "model_id": self.env_root["ir.model"]._get("membri.renewal").id,
                "groups": [
                    fields.Command.set(
                        self.env_root.ref("membri_renewal.group_membri_readonly").ids
                    )
                ],
                "domain_force": "[('user_id', '=', user.id)]",
            }
        )
        card = self._get_card("all_open").with_user(self.auditor)
        self.assertEqual(card.record_count, 1)
        self.assertEqual(card.env["membri.renewal"].search(card.action_open()["domain"]), mine)

    def test_opens_as_list_and_as_kanban(self):
        card = self._get_card("no_answer_7d")
        as_list, as_kanban = card.action_open(), card.action_open_kanban()
        self.assertEqual(as_list["views"][0][1], "list")
        self.assertEqual(as_kanban["views"][0][1], "kanban")
        self.assertEqual(as_list["domain"], as_kanban["domain"])
        self.assertEqual(len(as_list["views"]), len(as_kanban["views"]))

    def test_kanban_of_a_queue_shows_its_own_states(self):
        self._renewal_in("sent")
        Renewal = self.env["membri.renewal"].with_context(read_group_expand=True)
        every = Renewal.web_read_group([], ["state"], ["__count"])["groups"]
        self.assertEqual(len(every), 7)
        queue = Renewal.with_context(**self._get_card("all_open").action_open()["context"])
        groups = queue.web_read_group([("is_open", "=", True)], ["state"], ["__count"])["groups"]
        self.assertEqual([group["state"] for group in groups], ["sent"])

    def test_staff_adds_a_queue_with_a_relative_date(self):
        """As the form does it: no code, and a day that moves on."""
        old, _new = self._sent_ago(12), self._sent_ago(5)
        with Form(self.env["membri.dashboard"]) as form:
            form.name = "Waiting for ten days"
            form.help = "Call them."
            form.domain = "[('state', '=', 'sent'), ('date_sent', '<', 'today -10d')]"
        queue = form.save()
        self.assertFalse(queue.has_dynamic_domain, "the editor of rules shows it")
        self.assertFalse(queue.code)
        self.assertEqual(queue.record_count, 1)
        found = self.env["membri.renewal"].search(queue.action_open()["domain"])
        self.assertEqual(found, old)
