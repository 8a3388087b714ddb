from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common_campaign import CampaignCommon

LOGGER = "odoo.addons.membri_renewal.models.mixins.state"
NOW = "2026-11-15 15:00:00"


@tagged("post_install", "-at_install")
class TestExplanation(CampaignCommon):
    """*Why did, or didn't, this member get a notice?* The same rules explain and generate."""

    def _explain(self, member, moment=NOW):
        with freeze_time(moment):
            return member._membri_explain_renewal()

    def _tell(self, member, moment=NOW):
        """All that the dialog says, as one text."""
        explanation = self._explain(member, moment)
        facts = [sentence for _kind, sentence in explanation["facts"]]
        return "\n".join([explanation["answer"], *explanation["coming"], *facts])

    def test_emails_go_where_the_document_goes(self):
        """Of who had accepted it named the member's contact, where the invoice never goes."""
        with freeze_time(NOW):
            term = self._create_term("Zoe Roy")
            member = term.partner_id
            self.env["res.partner"].create(
                {
                    "name": "Accounts",
                    "type": "invoice",
                    "parent_id": member.id,
                    "email": "accounts@example.com",
                }
            )
            renewal = self._create_renewal(term)
            self.assertIn(f"({member.email})", self._tell(member))
            renewal.action_approve()
            told = self._tell(member)
            self.assertIn("(accounts@example.com)", told)
            self.assertNotIn(f"({member.email})", told)
            self._pay(renewal.invoice_id)
            self.assertIn(f"({member.email})", self._tell(member), "the next notice")

    # ------------------------------------------------------------------
    # The explanation and the generation agree
    # ------------------------------------------------------------------

    def _create_situations(self):
        """:return: ``{name: (member, whether the night renews it, what the answer says)}``"""
        with freeze_time("2026-09-01 15:00:00"):  # recorded before they are over
            terms = {
                name: self._create_term(name, *args)
                for name, args in {
                    "Due": (),
                    "Due today": (self.yearly, "2026-01-15"),
                    "Early": (self.yearly, "2026-01-16"),
                    "Late": (self.yearly, "2025-10-01"),
                    "Long over": (self.yearly, "2025-09-16"),
                    "Just over": (self.yearly, "2025-09-17"),
                    "For life": (self.for_life,),
                    "Resigned": (),
                    "Archived": (),
                    "History": (self.yearly, "2025-10-15"),
                    "Unpaid": (),
                    "Void": (),
                    "Next term": (),
                    "Flagged": (),
                    "Invoiced": (self.monthly, "2026-10-20"),
                    "Silent": (),
                    "Broken": (self._create_option_set("Empty"),),
                    "Set archived": (self._create_option_set("Old"),),
                    "Set for life": (self._create_option_set("Turned"),),
                    "Elsewhere": (),
                    "Recorded late": (self.yearly, "2025-08-15"),
                    "Tried": (),
                    **dict.fromkeys(
                        ("Draft", "Sent", "Change", "Held", "Approved", "Refused", "Cancelled"), ()
                    ),
                }.items()
            }
        with freeze_time("2026-11-10 15:00:00"):
            self._bring_about(terms)
        expected = {
            "Due": (True, "Not yet: the next nightly run"),
            "Due today": (True, "Not yet: the next nightly run"),
            "Early": (False, r"Not yet. It is too early. .* on November 16, 2026, 60 days before"),
            "Late": (True, "Not yet: the next nightly run"),
            "Long over": (False, "ended on September 15, 2026, more than 60 days ago"),
            "Just over": (True, "Not yet: the next nightly run"),
            "For life": (False, "member for life"),
            "Resigned": (False, "ended early on December 15, 2026"),
            "Archived": (True, "Not yet: the next nightly run"),
            "Recorded late": (False, "already ended \\(August 14, 2026\\) when it was recorded"),
            "History": (False, "imported and ended on October 14, 2026, before .*October 20"),
            "Unpaid": (False, "“Pending”. Only a paid term"),
            "Void": (False, "“Void”. Only a paid term"),
            "Next term": (False, "already has the next term"),
            "Flagged": (True, "Not yet"),
            "Invoiced": (True, "Not yet"),
            "Silent": (True, "Not yet"),
            "Broken": (True, "Not yet"),
            "Set archived": (True, "Not yet"),
            "Set for life": (False, "“Turned” is for life"),
            "Elsewhere": (True, "Not yet"),
            "Tried": (False, "could not be prepared today: No price"),
            "Draft": (False, "has not been sent. Its status is “To Send”"),
            "Sent": (False, "Yes: the notice REN.* first sent on November 10, 2026"),
            "Change": (False, "Yes: the notice"),
            "Held": (False, "not been sent. Its status is “Intervention Required”"),
            "Approved": (False, "No notice, but an invoice: .* November 10, 2026"),
            "Refused": (False, "Yes: the notice"),
            "Cancelled": (False, "was cancelled, so no other one is created automatically"),
        }
        self.assertEqual(set(terms), set(expected))
        return {name: (term.partner_id, *expected[name]) for name, term in terms.items()}

    def _bring_about(self, terms):
        self.company.sudo().membri_go_live = "2026-10-20"
        for name in ("Late", "Long over", "Just over", "History"):
            terms[name]._internal_write({"state": "expired"})
        for name in ("Late", "Long over", "Just over"):
            terms[name]._internal_write({"origin": "enrolment"})
        terms["Resigned"].action_terminate("2026-12-15", "Moved")
        terms["Archived"].partner_id.active = False
        terms["Unpaid"]._internal_write({"state": "pending"})
        terms["Void"]._internal_write({"state": "cancelled"})
        self._create_cotisation(
            terms["Next term"].partner_id, "2027-01-01", state="pending", origin="enrolment"
        )
        terms["Flagged"].partner_id.membri_intervention_required = True
        terms["Silent"].partner_id.email = False
        terms["Broken"].option_set_id.sudo().line_ids.unlink()
        terms["Set archived"].option_set_id.sudo().active = False
        terms["Set for life"].option_set_id.sudo().lifetime = True
        terms["Tried"]._internal_write(
            {"renewal_error": "No price.", "renewal_error_date": "2026-11-15"}
        )
        renewals = {
            name: self._create_renewal(terms[name])
            for name in ("Draft", "Sent", "Change", "Held", "Approved", "Refused", "Cancelled")
        }
        (renewals["Sent"] + renewals["Change"] + renewals["Refused"]).action_send()
        renewals["Change"].action_request_change("A bigger one, please")
        renewals["Held"].action_require_intervention("Call first")
        renewals["Approved"].action_approve()
        self._refuse(renewals["Refused"])
        renewals["Cancelled"].action_cancel()

    def test_explanation_and_generation_agree(self):
        """For each situation: the night's domain selects the member if, and only if, the
        explanation says so; and then the night does what was said."""
        situations = self._create_situations()
        Cotisation = self.env_root["membri.cotisation"]
        with freeze_time(NOW):
            domain = self.env_root["membri.renewal"]._get_to_renew_domain()
            selected = Cotisation.search(domain).partner_id
        before = {name: member.membri_renewal_ids for name, (member, *_) in situations.items()}
        for name, (member, is_due, answer) in situations.items():
            with self.subTest(name):
                explanation = self._explain(member)
                self.assertEqual(explanation["is_due"], is_due)
                self.assertEqual(member in selected, is_due)
                self.assertRegex(explanation["answer"], answer)
                self.assertTrue(explanation["coming"])
        with freeze_time(NOW), mute_logger(LOGGER):
            self._run_cron("ir_cron_generate")
        for name, (member, is_due, _answer) in situations.items():
            with self.subTest(name):
                made = member.with_context(active_test=False).membri_renewal_ids - before[name]
                self.assertEqual(len(made), int(is_due and name != "Broken"))
                self.assertFalse(self._explain(member)["is_due"], "nothing is left for tonight")

    def test_said_before_as_done_after(self):
        """What is said of the coming night is what the night does."""
        situations = self._create_situations()
        for name, words in (
            (
                "Due",
                r"a notice for January 1, 2027 to December 31, 2027, \$.345.00, "
                r"would be sent to due@example.com",
            ),
            ("Flagged", "put on hold, and nothing would be sent"),
            ("Invoiced", "an invoice .* would be sent to invoiced@example.com"),
            ("Silent", "no email could be sent"),
            ("Broken", "If it were prepared now, this would fail: The plan “Empty”"),
        ):
            self.assertRegex(self._tell(situations[name][0]), words)
        with freeze_time(NOW), mute_logger(LOGGER):
            self._run_cron("ir_cron_generate")
        for name, words in (
            ("Due", "Yes: the notice REN.* on November 15, 2026"),
            ("Flagged", "Its status is “Intervention Required”"),
            ("Invoiced", "No notice, but an invoice"),
            ("Silent", "no email was sent. .* no valid email address"),
            ("Broken", "could not be prepared today: The plan “Empty”"),
        ):
            self.assertRegex(self._explain(situations[name][0])["answer"], words)

    # ------------------------------------------------------------------
    # What is told
    # ------------------------------------------------------------------

    def test_no_cotisation(self):
        explanation = self._explain(self.member)
        self.assertIn("Ada Boulanger has no membership term", explanation["answer"])
        self.assertFalse(explanation["is_due"])

    def test_day_of_the_notice(self):
        """“The notice will be prepared on 3 November 2026.”"""
        self.yearly.sudo().notice_lead_days = 58
        member = self._create_term("Bo").partner_id
        self.assertIn("prepared on November 3, 2026", self._tell(member, "2026-05-01 15:00:00"))
        with freeze_time("2026-11-02 15:00:00"):
            self._run_cron("ir_cron_generate")
        self.assertFalse(member.membri_renewal_ids)
        with freeze_time("2026-11-03 15:00:00"):
            self._run_cron("ir_cron_generate")
        self.assertTrue(member.membri_renewal_ids)

    def test_reminders_are_told(self):
        self.yearly.sudo().reminder_ids = [
            Command.create({"trigger": "after_sent", "days": 10}),
            Command.create({"trigger": "after_sent", "days": 40}),
        ]
        member = self._create_term("Bo").partner_id
        for moment, cron in (
            (NOW, "ir_cron_generate"),
            ("2026-11-25 15:00:00", "ir_cron_send_reminders"),
        ):
            with freeze_time(moment):
                self._run_cron(cron)
        told = self._tell(member, "2026-11-26 15:00:00")
        # until the mail server has taken it (test_mail_queue.py)
        self.assertIn("Reminder “10 · Days after the notice”, November 25, 2026: Queued", told)
        self.assertIn("The next reminder is due on December 25, 2026", told)

    def test_skipped_reminder_says_why(self):
        self.yearly.sudo().reminder_ids = [Command.create({"trigger": "after_sent", "days": 10})]
        member = self._create_term("Bo").partner_id
        with freeze_time(NOW):
            self._run_cron("ir_cron_generate")
        member.email = False
        with freeze_time("2026-11-25 15:00:00"):
            self._run_cron("ir_cron_send_reminders")
        told = self._tell(member, "2026-11-26 15:00:00")
        self.assertRegex(told, "November 25, 2026: Skipped. Bo has no valid email address")
        self.assertIn("The reminder of November 25, 2026 is sent once there is", told)

    def test_unpaid_then_paid(self):
        member = self._create_term("Bo").partner_id
        with freeze_time(NOW):
            renewal = self._create_renewal(member.membri_cotisation_id)
            renewal.action_approve()
        self.assertIn("is not paid", self._tell(member))
        with freeze_time(NOW):
            self._pay(renewal.invoice_id, 1.0)
        self.assertIn("paid in part", self._tell(member))
        with freeze_time(NOW):
            self._pay(renewal.invoice_id)
        explanation = self._explain(member)
        self.assertEqual(explanation["term"], renewal.new_cotisation_id, "the paid, upcoming one")
        self.assertIn("too early", explanation["answer"])
        self.assertIn("November 1, 2027", explanation["answer"])

    def test_member_until_the_term_is_over(self):
        term = self._create_term("Bo")
        with freeze_time(NOW):
            self._refuse(self._create_renewal(term))
        stays, over = "stays a member until", "that it was to renew ended"
        for moment, said, unsaid in (
            (f"{term.date_end} 15:00:00", stays, over),
            (f"{term.date_end + timedelta(days=1)} 15:00:00", over, stays),
        ):
            [coming] = self._explain(term.partner_id, moment)["coming"]
            self.assertIn(said, coming)
            self.assertNotIn(unsaid, coming)

    def test_nightly_run_that_is_switched_off(self):
        member = self._create_term("Bo").partner_id
        self.env_root.ref("membri_renewal.ir_cron_generate").active = False
        self.assertIn("turned off", self._tell(member))

    # ------------------------------------------------------------------
    # The dialog
    # ------------------------------------------------------------------

    def test_dialog(self):
        member = self._create_term("Bo").partner_id
        for user in (self.officer, self.auditor):
            with freeze_time(NOW):
                action = member.with_user(user).action_membri_explain()
                wizard = Form(
                    self.env[action["res_model"]].with_user(user).with_context(**action["context"])
                )
                self.assertIn("Not yet", wizard.answer)
                self.assertIn("What happens next", str(wizard.details))
        with self.assertRaises(AccessError):
            self.env["membri.renewal.explanation"].with_user(self.employee).create(
                {"partner_id": member.id}
            )

    def test_explaining_changes_nothing(self):
        term = self._create_term("Bo")
        before = self._get_stored(term), self._get_stored(term.partner_id)
        self._tell(term.partner_id)
        self.assertEqual((self._get_stored(term), self._get_stored(term.partner_id)), before)
        self.assertFalse(term.renewal_ids)
