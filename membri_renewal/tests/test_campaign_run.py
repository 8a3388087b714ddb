from contextlib import suppress
from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.membri_renewal.models.campaign import runner

from .common_campaign import CampaignCommon

CRON = "ir_cron_process_campaigns"
LOGGER = "odoo.addons.membri_renewal.models.mixins.state"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCampaignRun(CampaignCommon):
    """What was previewed is created, once, whatever happens meanwhile."""

    def _in_background(self, batch=1):
        """Everything goes to the background, in batches of ``batch``."""
        return patch.multiple(
            runner,
            FOREGROUND_PREVIEW=0,
            FOREGROUND_WORK=0,
            BATCH_SIZES=dict.fromkeys(runner.BATCH_SIZES, batch),
        )

    def _send(self, campaign):
        """Returns the notices that went out."""
        with self.mock_mail_gateway():
            campaign.action_send()
            self.env.flush_all()
            # those of a batch that failed were rolled back
            return self._get_notices(self._new_mails.exists())

    # ------------------------------------------------------------------
    # What is made
    # ------------------------------------------------------------------

    def test_send_takes_each_to_where_it_leads(self):
        members = self._create_cases()
        before = members["Renewed"].membri_renewal_ids
        campaign = self._preview()
        mails = self._send(campaign)
        self.assertEqual(mails.recipient_ids, members["Notice"])
        states = {
            name: member.with_context(active_test=False).membri_renewal_ids.mapped("state")
            for name, member in members.items()
        }
        self.assertEqual(
            states,
            {
                "Notice": ["sent"],
                "Invoice": ["approved"],
                "Flagged": ["intervention"],
                "Silent": ["sent"],
                "Unpostable": ["approved"],
                "Broken": [],
                "Renewed": ["sent"],
                "Resigned": [],
                "Unpaid": [],
                "Archived": ["intervention"],
            },
        )
        self.assertEqual(members["Renewed"].membri_renewal_ids, before)
        self.assertEqual(members["Silent"].membri_renewal_ids.delivery_state, "unreachable")
        self.assertEqual(members["Invoice"].membri_renewal_ids.invoice_id.amount_total, 345.0)
        self.assertRecordValues(
            campaign, [{"state": "done", "done_count": 6, "failed_count": 0, "progress": 100}]
        )
        lines = self._get_lines(campaign)
        self.assertEqual(lines[members["Notice"]].renewal_id, members["Notice"].membri_renewal_ids)
        self.assertEqual(
            campaign.action_view_renewals()["domain"],
            [("id", "in", campaign.line_ids.renewal_id.ids)],
        )

    def test_drafts_wait_for_the_staff(self):
        members = self._create_cases()
        campaign = self._preview()
        with self.mock_mail_gateway():
            campaign.action_create_drafts()
            self.assertFalse(self._get_notices(self._new_mails))
        for name, state in (("Notice", "draft"), ("Invoice", "draft"), ("Flagged", "intervention")):
            self.assertEqual(members[name].membri_renewal_ids.state, state, name)
        self.assertFalse(members["Invoice"].membri_renewal_ids.invoice_id)
        self.assertRecordValues(campaign, [{"state": "done", "draft_count": 4}])
        with self.mock_mail_gateway():
            campaign.action_send_drafts()
            self.env.flush_all()
            self.assertEqual(self._get_notices(self._new_mails).recipient_ids, members["Notice"])
        self.assertEqual(members["Invoice"].membri_renewal_ids.state, "approved")
        self.assertEqual(members["Flagged"].membri_renewal_ids.state, "intervention")
        self.assertFalse(campaign.draft_count)

    def test_made_as_previewed(self):
        term = self._create_term("Bo", self.fixed)
        campaign = self._preview()
        (line,) = self._get_lines(campaign).values()
        campaign.action_create_drafts()
        names = [
            "option_set_id",
            "date_start",
            "date_end",
            "mode",
            "amount_untaxed",
            "amount_total",
        ]
        self.assertEqual([line[name] for name in names], [term.renewal_ids[name] for name in names])

    def test_cancelled_renewal_gets_another_by_the_campaign(self):
        """specification §2: it blocks the night; the campaign may make another by hand."""
        term = self._create_term("Bo")
        cancelled = self._create_renewal(term)
        cancelled.action_cancel()
        self._run_cron("ir_cron_generate")
        self.assertEqual(term.renewal_ids, cancelled)
        self._send(self._preview())
        self.assertEqual(set(term.renewal_ids.mapped("state")), {"cancelled", "sent"})

    # ------------------------------------------------------------------
    # Once
    # ------------------------------------------------------------------

    def test_second_click_is_refused(self):
        term = self._create_term("Bo")
        campaign = self._preview()
        self._send(campaign)
        for action in ("action_send", "action_create_drafts", "action_preview"):
            self.assertIn("“Finished”", self._assert_refused(getattr(campaign, action)))
        self.assertEqual(len(term.renewal_ids), 1)

    def test_two_campaigns_and_the_night(self):
        term = self._create_term("Bo")
        first, second, third = self._preview(), self._preview(), self._preview()
        self._send(first)
        self._run_cron("ir_cron_generate")
        self.assertFalse(self._send(second))
        self.assertEqual(len(term.renewal_ids), 1)
        (line,) = self._get_lines(second).values()
        self.assertEqual((line.result, line.outcome), ("skipped", "left_out"))
        self.assertIn("already has the renewal", line.message)
        term.renewal_ids.action_cancel()
        self.assertTrue(self._send(third), "it was cancelled: another may be made")

    def test_term_that_another_worker_has_is_left_for_later(self):
        """The night holds the term: the campaign neither waits nor doubles it."""
        one, two = self._create_term("Bo"), self._create_term("Cy")
        campaign = self._preview()
        original = type(self.env["membri.cotisation"]).try_lock_for_update

        def try_lock_for_update(records, **kwargs):
            locked = original(records, **kwargs)
            return locked - one if records._name == "membri.cotisation" else locked

        with patch.object(
            self.registry["membri.cotisation"], "try_lock_for_update", try_lock_for_update
        ):
            self._send(campaign)
            self.assertFalse(one.renewal_ids)
            self.assertEqual(two.renewal_ids.state, "sent")
            self.assertRecordValues(campaign, [{"state": "running", "todo_count": 1}])
        self._run_cron(CRON)
        self.assertEqual(one.renewal_ids.state, "sent")
        self.assertEqual(campaign.state, "done")
        self.assertEqual(len(two.renewal_ids), 1)

    # ------------------------------------------------------------------
    # Facts that changed since the preview
    # ------------------------------------------------------------------

    def test_price_that_changed_stops_the_line(self):
        """Nobody is asked for another price than the officer saw."""
        term = self._create_term("Bo")
        campaign = self._preview()
        self.product.with_env(self.env_root).list_price = 400.0
        self.assertFalse(self._send(campaign))
        self.assertFalse(term.renewal_ids)
        (line,) = self._get_lines(campaign).values()
        self.assertRecordValues(line, [{"result": "changed", "amount_total": 460.0}])
        self.assertIn("Total changed since the preview", line.message)
        campaign.action_retry()
        self.assertRecordValues(term.renewal_ids, [{"state": "sent", "amount_total": 460.0}])
        self.assertRecordValues(line, [{"result": "done", "message": False}])

    def test_notice_that_became_an_invoice_stops_the_line(self):
        term = self._create_term("Bo")
        campaign = self._preview()
        term.partner_id.membri_auto_renew = True
        self._send(campaign)
        self.assertFalse(term.renewal_ids)
        self.assertEqual(campaign.changed_count, 1)

    def test_flag_and_address_are_followed_and_told(self):
        one, two = self._create_term("Bo"), self._create_term("Cy")
        campaign = self._preview()
        one.partner_id.write(
            {"membri_intervention_required": True, "membri_intervention_reason": "Call first"}
        )
        two.partner_id.email = False
        self.assertFalse(self._send(campaign))
        self.assertEqual(one.renewal_ids.state, "intervention")
        self.assertEqual(two.renewal_ids.delivery_state, "unreachable")
        lines = self._get_lines(campaign)
        for term, words in ((one, "Intervention Required.*Call first"), (two, "no valid")):
            self.assertEqual(lines[term.partner_id].result, "done")
            self.assertRegex(lines[term.partner_id].message, f"Since the preview: .*{words}")

    def test_left_meanwhile(self):
        term = self._create_term("Bo")
        campaign = self._preview()
        term.action_terminate("2026-12-01", "Moved")
        self._send(campaign)
        self.assertFalse(term.renewal_ids)
        (line,) = self._get_lines(campaign).values()
        self.assertEqual(line.result, "skipped")
        self.assertIn("was ended early", line.message)

    # ------------------------------------------------------------------
    # What fails
    # ------------------------------------------------------------------

    def test_bad_one_stops_nobody_else(self):
        terms = [self._create_term("Bo") for _number in range(4)]
        campaign = self._preview()
        original = type(self.env["membri.renewal"]).create

        def create(renewals, vals_list):
            if any(vals.get("cotisation_id") == terms[1].id for vals in vals_list):
                raise ValueError("the moon is full")
            return original(renewals, vals_list)

        with (
            patch.object(self.registry["membri.renewal"], "create", create),
            mute_logger(LOGGER),
        ):
            self._send(campaign)
        self.assertRecordValues(campaign, [{"state": "done", "done_count": 3, "failed_count": 1}])
        lines = self._get_lines(campaign)
        self.assertIn("the moon is full", lines[terms[1].partner_id].message)
        campaign.action_retry()
        self.assertEqual(terms[1].renewal_ids.state, "sent")
        self.assertRecordValues(campaign, [{"done_count": 4, "failed_count": 0}])

    def test_notice_that_does_not_render_is_kept_as_a_draft(self):
        template = self.env_root.ref("membri_renewal.mail_template_notice").copy()
        template.body_html = '<p t-out="object.no_such_field"/>'
        broken = self._create_option_set("Broken", notice_template_id=template.id)
        bad, good = self._create_term("Bo", broken), self._create_term("Cy")
        campaign = self._preview()
        with mute_logger(LOGGER):
            mails = self._send(campaign)
        self.assertEqual(mails.recipient_ids, good.partner_id)
        self.assertRecordValues(bad.renewal_ids, [{"state": "draft", "delivery_state": "failed"}])
        line = self._get_lines(campaign)[bad.partner_id]
        self.assertRecordValues(line, [{"result": "failed", "renewal_id": bad.renewal_ids.id}])
        self.assertTrue(line.message)

    # ------------------------------------------------------------------
    # In the background
    # ------------------------------------------------------------------

    def test_thousands_go_to_the_background(self):
        terms = [self._create_term("Bo") for _number in range(3)]
        with self._in_background():
            campaign = self._preview()
            self.assertRecordValues(campaign, [{"state": "running", "todo_count": 3}])
            self._run_cron(CRON)
            self.assertRecordValues(campaign, [{"state": "previewed", "notice_count": 3}])
            campaign.action_send()
            self.assertRecordValues(campaign, [{"state": "running", "progress": 0}])
            self._run_cron(CRON)
        self.assertRecordValues(campaign, [{"state": "done", "done_count": 3, "progress": 100}])
        self.assertEqual([term.renewal_ids.state for term in terms], ["sent"] * 3)
        self.assertEqual(campaign.line_ids.renewal_id.create_uid, self.officer)
        self._run_cron(CRON)
        self.assertEqual([len(term.renewal_ids) for term in terms], [1] * 3)

    def test_crash_in_mid_batch_and_a_new_start(self):
        """The batch that crashed is rolled back as a whole, and done again: each member once."""
        terms = [self._create_term("Bo") for _number in range(4)]
        with self._in_background(batch=2):
            campaign = self._preview()
            self._run_cron(CRON)
            campaign.action_send()
            original = type(self.env["membri.renewal"])._do_send
            calls = []

            def _do_send(renewals):
                original(renewals)
                calls.append(renewals)
                if len(calls) == 2:
                    raise SystemExit("the server is stopped")

            with (
                patch.object(self.registry["membri.renewal"], "_do_send", _do_send),
                self.enter_registry_test_mode(),
                self.registry.cursor() as cr,
            ):
                # assertRaises would roll back what the batches before have committed
                with suppress(SystemExit):
                    self.env_root(cr=cr)["membri.campaign"]._cron_process_campaigns()
                cr.rollback()
            self.assertEqual(len(calls), 2)
            self.env.invalidate_all()
            self.assertRecordValues(campaign, [{"done_count": 2, "todo_count": 2, "progress": 50}])
            self._run_cron(CRON)
        self.assertRecordValues(campaign, [{"state": "done", "done_count": 4}])
        for term in terms:
            self.assertEqual(term.renewal_ids.mapped("state"), ["sent"])

    def test_stop_and_resume(self):
        self._create_term("Bo")
        with self._in_background():
            campaign = self._preview()
            campaign.action_stop()
            self._run_cron(CRON)
            self.assertRecordValues(campaign, [{"state": "stopped", "todo_count": 1}])
            self.assertIn("Resume it", self._assert_refused(campaign.action_send))
            campaign.action_resume()
            self._run_cron(CRON)
            self.assertEqual(campaign.state, "previewed")

    def test_officer_who_left_stops_no_other_campaign(self):
        self._create_term("Bo")
        with self._in_background():
            lost = self._create_campaign(self.yearly)
            lost.with_user(self.manager).action_preview()
            other = self._preview()
            self.manager.with_env(self.env_root).group_ids = self.env.ref("base.group_user")
            with mute_logger(LOGGER):
                self._run_cron(CRON)
            self.assertEqual(lost.state, "stopped")
            self.assertIn("The work was stopped", " ".join(lost.message_ids.mapped("body")))
            self.assertEqual(other.state, "previewed")
            stopped = lost.sudo().activity_ids
            self.assertRecordValues(stopped, [{"user_id": self.officer.id}])
            self.assertIn("The work was stopped", stopped.summary)
            lost.action_resume()
            self.assertFalse(lost.sudo().activity_ids)
            self._run_cron(CRON)
        self.assertRecordValues(
            lost, [{"state": "previewed", "notice_count": 1, "user_id": self.officer.id}]
        )

    def test_told_in_the_language_of_the_officer(self):
        self.env_root["res.lang"]._activate_lang("fr_FR")
        self.officer.with_env(self.env_root).lang = "fr_FR"
        term = self._create_term("Bo", email=False)
        asked_in = []
        original = type(self.env["res.partner"])._membri_get_unreachable_reason

        def spy(partner):
            asked_in.append(partner.env.lang)
            return original(partner)

        with (
            self._in_background(),
            patch.object(self.registry["res.partner"], "_membri_get_unreachable_reason", spy),
        ):
            campaign = self._preview()
            self._run_cron(CRON)
        self.assertEqual(set(asked_in), {"fr_FR"})
        self.assertEqual(self._get_lines(campaign)[term.partner_id].outcome, "unreachable")

    def test_term_that_is_agreed_by_hand_is_previewed_alike(self):
        """An agreed price, kept by the next term, makes a total of its own."""
        term = self._create_term("Bo")
        term.line_ids = [
            Command.create(
                {"product_id": self.product.id, "price_unit": 123.0, "is_price_agreed": True}
            )
        ]
        other = self._create_term("Cy")
        lines = self._get_lines(self._preview())
        self.assertEqual(lines[term.partner_id].amount_untaxed, 123.0)
        self.assertEqual(lines[other.partner_id].amount_untaxed, 300.0)
        self.assertEqual(lines[other.partner_id].date_start, date(2027, 1, 1))
