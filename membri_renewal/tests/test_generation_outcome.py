from datetime import date

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common_generation import GenerationCommon


@tagged("post_install", "-at_install")
class TestHowIsRenewed(GenerationCommon):
    """specification §5.1: notice, invoice at once, or held; and what happens to bad ones."""

    def test_notice_has_its_pdf_and_shows_on_the_contacts(self):
        """The guide, *Accéder à un avis de renouvellement*: in the contact's chatter."""
        company_contact = self._create_member("Ada Ltd", is_company=True)
        self.member.parent_id = company_contact
        self._create_cotisation(self.member, "2026-01-01")
        mails = self._generate()
        renewal = self._renewals()
        self.assertEqual(len(mails), 1)
        self.assertEqual(mails.recipient_ids, self.member)
        self.assertIn(f"/my/renewals/{renewal.id}", mails.body_html)
        self.assertEqual(renewal.delivery_state, "queued")
        message = self.member.message_ids.filtered("attachment_ids")
        self.assertEqual(len(message), 1)
        self.assertEqual(message.attachment_ids.mimetype, "application/pdf")
        self.assertIn(renewal.name, message.body)
        # an employer who does not pay reads nothing of it
        self.assertFalse(company_contact.message_ids.filtered("attachment_ids"))

    def test_automatic_renewal_is_invoiced_at_once(self):
        self._create_cotisation(self.member, "2026-01-01")
        self.member.membri_auto_renew = True
        mails = self._generate()
        renewal = self._renewals()
        self.assertRecordValues(
            renewal,
            [{"state": "approved", "mode": "invoice", "date_sent": False, "is_paid": False}],
        )
        self.assertFalse(mails, "the invoice's own email is the notice")
        self.assertRecordValues(
            renewal.invoice_id,
            [
                {
                    "state": "posted",
                    "membri_invoice_type": "renewal",
                    "membri_renewal_id": renewal.id,
                    "amount_total": 345.0,
                }
            ],
        )
        self.assertTrue(renewal.invoice_id.sending_data, "in Odoo's own sending queue")
        self.assertRecordValues(
            renewal.new_cotisation_id,
            [{"state": "pending", "origin": "renewal", "date_start": date(2027, 1, 1)}],
        )
        self._generate("2026-11-16 15:00:00")
        self.assertEqual(len(renewal.invoice_ids), 1)

    def test_override_survives_a_change_of_set(self):
        """*Renouvellement automatique*: the set proposes, the choice by hand decides."""
        self._create_cotisation(self.member, "2026-01-01")
        self.assertFalse(self.member.membri_auto_renew)
        invoiced = self._create_option_set("Invoiced", renewal_mode="invoice")
        self.member.membri_next_option_set_id = invoiced
        self.assertTrue(self.member.membri_auto_renew, "as the next set proposes")
        self.member.membri_auto_renew = False
        self.member.membri_next_option_set_id = self.yearly
        self.member.membri_next_option_set_id = invoiced
        self.assertFalse(self.member.membri_auto_renew)
        self._generate()
        self.assertRecordValues(
            self._renewals(),
            [{"state": "sent", "mode": "notice", "option_set_id": invoiced.id}],
        )

    def test_flag_holds_the_renewal(self):
        self._create_cotisation(self.member, "2026-01-01")
        self.member.write(
            {"membri_intervention_required": True, "membri_intervention_reason": "Call first"}
        )
        auto = self._create_member("Bo Auto", membri_auto_renew=True)
        self._create_cotisation(auto, "2026-01-01")
        auto.membri_intervention_required = True
        self.assertFalse(self._generate())
        renewals = self._renewals(self.member, auto)
        self.assertRecordValues(
            renewals,
            [
                {"state": "intervention", "date_sent": False, "intervention_reason": "Call first"},
                {"state": "intervention", "date_sent": False, "intervention_reason": False},
            ],
        )
        self.assertFalse(renewals.invoice_id)
        self.assertEqual(renewals.activity_ids.user_id, self.officer)
        self.member.membri_intervention_required = False
        self.assertEqual(renewals[0].state, "draft", "where it was")

    def test_set_without_options_stops_nobody_else(self):
        """Case: 1 invalid member among many: the rest done, one with its reason; tomorrow
        tries again, and success clears the reason."""
        empty = self._create_option_set("Empty")
        empty.sudo().line_ids.unlink()
        members = [self._create_member(f"Bo {number}") for number in range(5)]
        bad, *good = members
        for member in members:
            self._create_cotisation(member, "2026-01-01", empty if member == bad else self.yearly)
        mails = self._generate()
        self.assertEqual(len(mails), 4)
        self.assertEqual(self._renewals(*good).mapped("state"), ["sent"] * 4)
        self.assertFalse(self._renewals(bad))
        cotisation = bad.membri_cotisation_ids
        self.assertRegex(cotisation.renewal_error, "Empty.*no option")
        self.assertEqual(cotisation.renewal_error_date, date(2026, 11, 15))
        self.assertEqual(cotisation.state, "active", "nothing else changed")
        self.assertEqual(bad.activity_ids.user_id, self.officer, "nobody is lost")
        self.assertIn(cotisation.renewal_error, bad.activity_ids.summary)
        empty.sudo().line_ids = [Command.create({"product_id": self.product.id})]
        self._generate("2026-11-16 15:00:00")
        self.assertEqual(self._renewals(bad).state, "sent")
        self.assertFalse(cotisation.renewal_error)
        self.assertFalse(cotisation.renewal_error_date)
        self.assertFalse(bad.activity_ids)

    def test_nothing_left_to_propose_is_kept_as_a_draft(self):
        """Its only product was archived: the renewal waits, and says why."""
        gone = self._create_option("Gone", 10.0)
        emptied = self._create_option_set("Emptied", gone)
        bad = self._create_member("Bo Bad")
        self._create_cotisation(bad, "2026-01-01", emptied)
        self._create_cotisation(self.member, "2026-01-01")
        gone.sudo().active = False
        mails = self._generate()
        self.assertEqual(mails.recipient_ids, self.member)
        self.assertRecordValues(
            self._renewals(bad),
            [{"state": "draft", "delivery_state": "failed", "date_sent": False, "is_open": True}],
        )
        self.assertIn("“Gone”", self._renewals(bad).delivery_note)

    def test_notice_that_does_not_render_stops_nobody_else(self):
        template = self.env_root.ref("membri_renewal.mail_template_notice").copy()
        template.body_html = '<p t-out="object.no_such_field"/>'
        broken = self._create_option_set("Broken", notice_template_id=template.id)
        bad = self._create_member("Bo Bad")
        self._create_cotisation(bad, "2026-01-01", broken)
        self._create_cotisation(self.member, "2026-01-01")
        mails = self._generate()
        self.assertEqual(mails.recipient_ids, self.member)
        self.assertEqual(self._renewals().state, "sent")
        self.assertRecordValues(
            self._renewals(bad), [{"state": "draft", "delivery_state": "failed"}]
        )
        template.body_html = "<p>Mended</p>"
        with freeze_time("2026-11-16 15:00:00"):
            self._renewals(bad).action_send()
        self.assertRecordValues(
            self._renewals(bad),
            [{"state": "sent", "delivery_state": "queued", "delivery_note": False}],
        )
