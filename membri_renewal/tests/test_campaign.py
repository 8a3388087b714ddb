from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common_campaign import CampaignCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCampaignPreview(CampaignCommon):
    """Specification §5.1, *Prepare the campaign*: who, what, how much, before it is created."""

    def test_everybody_with_reason_and_amount(self):
        members = self._create_cases()
        campaign = self._preview()
        self.assertEqual(campaign.state, "previewed")
        lines = self._get_lines(campaign)
        self.assertEqual(
            {name: lines[member].outcome for name, member in members.items()},
            {
                "Notice": "notice",
                "Invoice": "invoice",
                "Flagged": "intervention",
                "Silent": "unreachable",
                "Unpostable": "unreachable",
                "Broken": "problem",
                "Renewed": "left_out",
                "Resigned": "left_out",
                "Unpaid": "left_out",
                "Archived": "intervention",
            },
        )
        for name, words in (
            ("Flagged", "Call first"),
            ("Silent", "no valid email"),
            ("Unpostable", "invoice is created, but will not be received: .* no valid email"),
            ("Broken", "Empty.*no option"),
            ("Renewed", "already has the renewal .* “Sent”"),
            ("Resigned", "was ended early on"),
            ("Unpaid", "Only a paid term"),
            ("Archived", "is archived"),
        ):
            self.assertRegex(lines[members[name]].reason, words)
        self.assertRecordValues(
            lines[members["Notice"]],
            [
                {
                    "reason": False,
                    "mode": "notice",
                    "option_set_id": self.yearly.id,
                    "date_start": date(2027, 1, 1),
                    "date_end": date(2027, 12, 31),
                    "amount_untaxed": 300.0,
                    "amount_total": 345.0,
                    "amount_company": 345.0,
                    "recipient_email": "notice@example.com",
                    "result": False,
                    "renewal_id": False,
                }
            ],
        )

    def test_preview_creates_nothing(self):
        self._create_cases()
        counted = ("membri.renewal", "account.move", "mail.mail", "ir.sequence.date_range")
        before = [self.env_root[model].search_count([]) for model in counted]
        number = self.env_root.ref("membri_renewal.sequence_renewal").number_next_actual
        self._preview()
        self.assertEqual([self.env_root[model].search_count([]) for model in counted], before)
        self.assertEqual(
            self.env_root.ref("membri_renewal.sequence_renewal").number_next_actual, number
        )

    def test_totals_per_option_set_and_outcome(self):
        bigger = self._create_option_set("Bigger", self.product + self.extra)
        for option_set in (self.yearly, self.yearly, bigger):
            self._create_term("Bo", option_set)
        self._create_term("Cy", bigger, auto_renew=True)
        campaign = self._preview(self.yearly + bigger)
        self.assertRecordValues(
            campaign,
            [{"line_count": 4, "notice_count": 3, "invoice_count": 1, "amount_company": 1495.0}],
        )
        summary = campaign._get_summary()
        self.assertEqual(summary["cells"][self.yearly, "notice"], (2, 690.0))
        self.assertEqual(summary["cells"][bigger, "invoice"], (1, 402.5))
        self.assertEqual(summary["rows"][bigger], (2, 805.0))
        self.assertEqual(summary["grand_total"], (4, 1495.0))
        self.assertEqual(
            summary["option_sets"], [self.yearly, bigger], "in the order of the option sets"
        )
        self.assertIn("Bigger", campaign.summary)

    def test_invoices_that_are_announced_first_are_counted(self):
        """The window before it must not say that they are sent now."""
        announced = self._create_option_set("Announced", self.product)
        announced.sudo().announce_days = 10
        self._create_term("Bo", announced, auto_renew=True)
        self._create_term("Cy", self.yearly, auto_renew=True)
        campaign = self._preview(self.yearly + announced)
        self.assertRecordValues(campaign, [{"invoice_count": 2, "announced_count": 1}])

    def test_money_of_another_currency_is_summed_in_the_companys(self):
        euro = self.env_root.ref("base.EUR")
        euro.active = True
        euro.rate_ids = [
            Command.create({"name": "2026-01-01", "rate": 0.5, "company_id": self.company.id})
        ]
        pricelist = self.env_root["product.pricelist"].create(
            {"name": "Euro", "currency_id": euro.id, "company_id": self.company.id}
        )
        line = self._get_lines(self._preview_one(specific_property_product_pricelist=pricelist.id))
        (line,) = line.values()
        self.assertRecordValues(
            line, [{"currency_id": euro.id, "amount_total": 172.5, "amount_company": 345.0}]
        )

    def test_window_and_sets(self):
        inside = self._create_term("Bo In")
        self._create_term("Cy Before", date_start="2025-11-15")  # ends 14 November
        self._create_term("Di After", date_start="2026-01-02")
        self._create_term("Ed Other", self.fixed)
        campaign = self._preview(self.yearly, date_to="2026-12-31")
        self.assertEqual(set(self._get_lines(campaign)), {inside.partner_id})

    def test_beyond_the_lead_days_and_a_cancelled_renewal(self):
        """The window says when, and the officer says again: neither stops the campaign."""
        early = self._create_term("Bo Early", date_start="2026-06-01")
        cancelled = self._create_term("Cy Cancelled")
        self._create_renewal(cancelled).action_cancel()
        campaign = self._preview(date_to="2027-12-31")
        lines = self._get_lines(campaign)
        self.assertEqual(lines[early.partner_id].outcome, "notice")
        self.assertEqual(lines[cancelled.partner_id].outcome, "notice")

    def test_leave_out_and_take_in_again(self):
        one, two = self._create_term("Bo"), self._create_term("Cy")
        campaign = self._preview()
        lines = self._get_lines(campaign)
        lines[one.partner_id].action_exclude()
        self.assertRecordValues(
            campaign, [{"excluded_count": 1, "notice_count": 1, "amount_company": 345.0}]
        )
        self.assertIn(self.env.user.name, lines[one.partner_id].reason)
        campaign.action_preview()
        self.assertEqual(lines[one.partner_id].outcome, "excluded", "a new look keeps the choice")
        lines[one.partner_id].action_include()
        self.assertEqual(lines[one.partner_id].outcome, "notice")
        lines[two.partner_id].action_exclude()
        campaign.action_send()
        self.assertEqual(one.renewal_ids.state, "sent")
        self.assertFalse(two.renewal_ids)
        message = self._assert_refused(lines[two.partner_id].action_include)
        self.assertIn("“Finished”", message)

    def test_refresh_follows_the_facts(self):
        one, two = self._create_term("Bo"), self._create_term("Cy")
        campaign = self._preview()
        one.partner_id.membri_intervention_required = True
        self._create_renewal(two)
        three = self._create_term("Di")
        campaign.action_preview()
        lines = self._get_lines(campaign)
        self.assertEqual(lines[one.partner_id].outcome, "intervention")
        self.assertEqual(lines[two.partner_id].outcome, "left_out")
        self.assertEqual(lines[three.partner_id].outcome, "notice")

    def test_change_the_selection(self):
        one, two = self._create_term("Bo"), self._create_term("Cy", self.fixed)
        campaign = self._preview(self.yearly)
        with self.assertRaisesRegex(UserError, "Edit Selection"):
            campaign.option_set_ids = self.fixed
        campaign.action_change()
        campaign.option_set_ids = self.fixed
        campaign.action_preview()
        self.assertEqual(set(self._get_lines(campaign)), {two.partner_id})
        self.assertFalse(one.renewal_ids)

    def test_price_of_nothing_is_told(self):
        gift = self._create_option("Gift", 0.0)
        self._create_term("Bo", self._create_option_set("Gifts", gift))
        campaign = self._preview(self.env["membri.option.set"].search([("name", "=", "Gifts")]))
        (line,) = self._get_lines(campaign).values()
        self.assertRecordValues(line, [{"outcome": "notice", "is_free": True}])
        self.assertRegex(line.reason, "costs nothing.*“Gifts”")

    def test_needs_a_set_and_a_window(self):
        with self.assertRaisesRegex(ValidationError, "at least one plan"):
            self._create_campaign(self.env["membri.option.set"])

    # ------------------------------------------------------------------
    # Access
    # ------------------------------------------------------------------

    def test_who_may(self):
        self._create_term("Bo")
        campaign = self._preview()
        (line,) = self._get_lines(campaign).values()
        for user in (self.auditor, self.employee):
            for call in (
                campaign.with_user(user).action_preview,
                campaign.with_user(user).action_send,
                line.with_user(user).action_exclude,
            ):
                with self.assertRaises(AccessError):
                    call()
        campaign.with_user(self.auditor).read(["summary", "notice_count"])
        with self.assertRaises(AccessError):
            campaign.with_user(self.employee).read(["name"])
        with self.assertRaises(AccessError):
            line.write({"outcome": "left_out"})

    def test_state_and_facts_cannot_be_written(self):
        campaign = self._create_campaign(self.yearly, state="done", task="send")
        self.assertRecordValues(campaign, [{"state": "draft", "task": False}])
        with self.assertRaisesRegex(UserError, "Use the buttons"):
            campaign.state = "previewed"
        with self.assertRaisesRegex(UserError, "set by the system"):
            campaign.user_id = self.manager

    def test_other_companies_are_not_seen(self):
        other = self._create_other_company("Second", "UTC")
        abroad = self._create_option_set("Abroad", company_id=other.id)
        self.env_root["membri.cotisation"].create(
            {
                "partner_id": self.member.id,
                "option_set_id": abroad.id,
                "date_start": "2026-01-01",
                "state": "active",
            }
        )
        with self.assertRaisesRegex(UserError, "company inconsistencies"):
            self._preview(self.yearly + abroad.with_env(self.env))
        campaign = self._preview(self.yearly)
        self.assertFalse(campaign.line_ids)
        self.assertIn("includes no members", self._assert_refused(campaign.action_send))

    def test_kept_as_a_record(self):
        self._create_term("Bo")
        campaign = self._preview()
        campaign.copy().unlink()
        campaign.action_create_drafts()
        self.assertIn("kept as a record", self._assert_refused(campaign.unlink))

    # ------------------------------------------------------------------
    # Size
    # ------------------------------------------------------------------

    def test_queries_do_not_grow_with_the_members(self):
        """A hundred more members who share sets, prices and taxes cost the writing of their
        lines, not a query each."""
        self._create_terms(20)
        few = self._count_queries()
        self._create_terms(100)
        self.assertLess(self._count_queries() - few, 25)

    def _count_queries(self):
        campaign = self._create_campaign(self.yearly)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        campaign.action_preview()
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def _create_terms(self, count):
        members = self.env["res.partner"].create(
            [
                {"name": f"Many {number}", "email": f"many{number}@example.com"}
                for number in range(count)
            ]
        )
        self.env["membri.cotisation"].create(
            [
                {
                    "partner_id": member.id,
                    "option_set_id": self.yearly.id,
                    "date_start": "2026-01-01",
                    "state": "active",
                    "line_ids": [
                        Command.create({"product_id": self.product.id, "price_unit": 300.0})
                    ],
                }
                for member in members
            ]
        )
