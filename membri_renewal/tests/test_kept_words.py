import re
from pathlib import Path
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.modules import get_module_path
from odoo.tests import tagged
from odoo.tools import html2plaintext, mute_logger
from odoo.tools.translate import code_translations

from .common_archived import ArchivedCommon

NOW = "2026-11-15 15:00:00"
# external identifiers of Odoo's own records
ASKED = re.compile(r"(?:env\.ref|_for_xml_id)\(\s*\"((?!membri_)[\w.]+)\"")


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestA8KeptWords(ArchivedCommon):
    """Issue 12 A8: kept text in the reader's language, reasons in that of the staff."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env_root["res.lang"]._activate_lang("fr_FR")
        cls.product.with_context(lang="fr_FR").name = "Adhésion"
        cls.product.description_sale = "With the journal"
        cls.product.with_context(lang="fr_FR").description_sale = "Avec le journal"

    def _display(self, line, lang):
        return line.with_context(lang=lang).name_display

    def test_a8_option_names_in_the_readers_language(self):
        for lang in ("en_US", "fr_FR"):
            renewal = self._create_renewal(self._create_yearly(lang=lang))
            line = renewal.line_ids
            self.assertEqual(self._display(line, "fr_FR"), "Adhésion\nAvec le journal")
            self.assertEqual(self._display(line, "en_US"), "Membership\nWith the journal")

    def test_a8_worded_by_hand_stays(self):
        line = self._create_renewal(self._create_yearly()).line_ids
        line.with_context(lang="fr_FR").name_display = "Cotisation d’honneur"
        self.assertEqual(line.name, "Cotisation d’honneur")
        self.assertEqual(self._display(line, "en_US"), "Cotisation d’honneur")

    def test_a8_writing_what_is_shown_changes_nothing(self):
        line = self._create_renewal(self._create_yearly(lang="en_US")).line_ids
        french = line.with_context(lang="fr_FR")
        french.name_display = french.name_display
        self.assertEqual(line.name, "Membership\nWith the journal")

    def test_a8_quantity_before_the_name(self):
        line = self._create_renewal(self._create_yearly(lang="en_US")).line_ids
        line.name = f"3 × {line.name}"
        self.assertEqual(self._display(line, "fr_FR"), "3 × Adhésion\nAvec le journal")

    def test_a8_page_and_notice_in_the_readers_language(self):
        renewal = self._create_renewal(self._create_yearly(lang="en_US"))
        renewal.partner_id.lang = "fr_FR"
        html = self.env["ir.actions.report"]._render_qweb_html(
            "membri_renewal.report_renewal_notice", renewal.ids
        )[0]
        self.assertIn("Adhésion", html.decode())
        self.assertNotIn("With the journal", html.decode())

    def test_a8_invoice_line_in_the_members_language(self):
        renewal = self._create_renewal(self._create_yearly(lang="en_US"))
        renewal.partner_id.lang = "fr_FR"
        renewal.action_approve()
        self.assertIn("Adhésion", renewal.invoice_id.invoice_line_ids.name)

    def test_a8_reasons_of_the_night_are_in_the_officers_language(self):
        self.officer.sudo().lang = "fr_FR"
        term = self._create_yearly(email=False, lang="en_US")
        self._run_night()
        renewal = term.renewal_ids
        french = renewal.with_context(lang="fr_FR")._get_unreachable_reason()
        self.assertNotEqual(french, renewal.with_context(lang="en_US")._get_unreachable_reason())
        self.assertEqual(renewal.delivery_note, french)
        self.assertEqual(self._get_activities(renewal).summary, french)

    def test_a8_reason_of_a_credit_note_is_in_the_officers_language(self):
        self.officer.sudo().lang = "fr_FR"
        renewal = self._renewal_in("approved")
        number = renewal.invoice_id.name
        renewal.invoice_id.with_env(self.env_account).button_cancel()
        self.assertEqual(renewal.state, "intervention")
        day = renewal.with_context(lang="fr_FR")._format_day(self.company._membri_today())
        for words in (f"Facture {number}", day):
            self.assertIn(words, renewal.intervention_reason)

    def test_a8_failure_of_an_email_is_in_the_officers_language(self):
        """The queue of emails is worked off by a robot that speaks English."""
        self.officer.sudo().lang = "fr_FR"
        renewal = self._renewal_in("sent")
        mail = self.env_root["mail.mail"].search(
            [("model", "=", "membri.renewal"), ("res_id", "=", renewal.id)]
        )
        mail = mail.with_context(lang="en_US")
        mail.write({"state": "exception", "failure_type": "mail_smtp", "failure_reason": "111"})
        mail._postprocess_sent_message([], [], failure_type="mail_smtp", failure_reason="111")
        sentence = (
            "The mail server could not be reached. %(said)s Once it works again, use “Retry”."
        )
        self.assertEqual(renewal.delivery_note, self._say_in_french(sentence) % {"said": "111."})

    def test_a8_why_an_invoice_reaches_nobody_is_in_the_officers_language(self):
        """Whoever accepts, and whichever robot works off the queue."""
        self.officer.sudo().lang = "fr_FR"
        waiting, by_hand = self._renewal_in("approved"), self._renewal_in("sent")
        (waiting | by_hand).partner_id.sudo().email = False
        waiting.invoice_id.sudo().with_context(lang="en_US")._membri_drop_queued()
        by_hand.with_context(lang="en_US").action_approve()
        for renewal in waiting | by_hand:
            french = renewal.with_context(lang="fr_FR")._get_unreachable_reason()
            self.assertNotEqual(
                french, renewal.with_context(lang="en_US")._get_unreachable_reason()
            )
            self.assertEqual(renewal.delivery_note, french)
            self.assertEqual(renewal.invoice_id.membri_delivery_note, french)

    def test_a8_note_of_a_receipt_is_in_the_officers_language(self):
        self.officer.sudo().lang = "fr_FR"
        self.company.with_env(self.env_root).membri_payment_confirmation = True
        invoice = self._renewal_in("approved").invoice_id.with_env(self.env_root)
        invoice.partner_id.write({"email": False, "lang": "en_US"})
        self._pay(invoice)
        self.assertTrue(invoice.membri_receipt_to_send)
        with self.mock_mail_gateway():
            self._run_cron("ir_cron_send_receipts")
        sentence = self._say_in_french(
            "The receipt was not emailed because %(payer)s has no valid email address. "
            "Print it if needed."
        ) % {"payer": invoice.partner_id.display_name}
        self.assertIn(sentence, html2plaintext(invoice.message_ids[:1].body))

    def test_a8_why_a_campaign_stopped_is_in_the_officers_language(self):
        self.officer.sudo().lang = "fr_FR"
        campaign = self.env_root["membri.campaign"].create(
            {
                "company_id": self.company.id,
                "option_set_ids": self.yearly.ids,
                "date_from": "2026-01-01",
                "date_to": "2026-12-31",
            }
        )

        sentence = "Nothing works"

        def fail(campaign):
            raise UserError(sentence)

        with patch.object(self.registry["membri.campaign"], "_process_batch", fail):
            campaign.with_context(lang="en_US")._process_batch_isolated()
        self.assertEqual(campaign.state, "stopped")
        sentence = self._say_in_french(
            "The work was stopped: %(error)s Whoever resumes it continues with their own "
            "access rights."
        ) % {"error": "Nothing works"}
        self.assertIn(sentence, html2plaintext(campaign.message_ids[:1].body))

    def _say_in_french(self, sentence):
        return code_translations.get_python_translations("membri_renewal", "fr_FR")[sentence]


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestA8NeededData(ArchivedCommon):
    """Issue 12 A8: what the code asks for by name cannot be deleted."""

    def _find_needed(self):
        """Return the records that the code asks for by name, without those whose absence it
        copes with."""
        root = Path(get_module_path("membri_renewal"))
        names = set()
        for folder in ("models", "wizard", "controllers"):
            for path in root.joinpath(folder).glob("**/*.py"):
                text = path.read_text()
                for match in re.finditer(r"[\"']membri_renewal\.(\w+)[\"']", text):
                    if "raise_if_not_found=False" not in text[match.end() : match.end() + 60]:
                        names.add(match[1])
        names |= {f"mail_template_{name}" for name in ("reminder", "reminder_firm")}
        return [
            (name, record)
            for name in sorted(names)
            if (record := self.env_root.ref(f"membri_renewal.{name}", raise_if_not_found=False))
        ]

    def test_a8_needed_data_cannot_be_deleted(self):
        needed = self._find_needed()
        self.assertGreater(len(needed), 20)
        for name, record in needed:
            with self.subTest(name), mute_logger("odoo.sql_db"):
                with self.assertRaises(UserError), self.cr.savepoint():
                    record.unlink()
                self.assertTrue(record.exists())

    def test_a8_what_is_odoos_and_asked_for_cannot_be_deleted(self):
        """Its scheduled actions bring our emails and invoices on their way."""
        root = Path(get_module_path("membri_renewal"))
        names = {"base.res_lang_act_window", "mail.mt_note", "membri_renewal.paperformat_card"}
        for folder in ("models", "wizard", "controllers", "report"):
            for path in root.joinpath(folder).glob("**/*.py"):
                names |= set(ASKED.findall(path.read_text()))
        self.assertIn("account.ir_cron_account_move_send", names)
        for name in names - {"base.user_root"}:
            with self.subTest(name), mute_logger("odoo.sql_db"):
                with self.assertRaises(UserError), self.cr.savepoint():
                    self.env_root.ref(name).unlink()

    def test_a8_numbers_of_documents_do_not_begin_again(self):
        company = self.company.with_env(self.env_root)
        for sequence in (
            company._membri_get_receipt_sequence(),
            company._membri_get_fee_notice_sequence(),
        ):
            with self.assertRaises(UserError):
                sequence.unlink()
            sequence.active = False
            self.assertTrue(sequence.next_by_id())

    def test_a8_reason_of_a_termination_cannot_be_deleted(self):
        term = self._create_cotisation(self.member, "2026-01-01")
        renewal = self._create_renewal(term)
        reason = self.env_root.ref("membri_renewal.refusal_reason_terminated")
        with self.assertRaises(UserError):
            reason.with_user(self.manager).unlink()
        reason.active = False
        term.action_terminate("2026-11-20", "Moved")
        self.assertEqual(renewal.refusal_reason_id, reason)

    def test_a8_other_reasons_may_go(self):
        reason = self.env_root.ref("membri_renewal.refusal_reason_price")
        reason.unlink()
        self.assertFalse(reason.exists())

    def test_a8_sequences_give_a_sentence(self):
        term = self._create_cotisation(self.member, "2026-01-01")
        for name in ("renewal", "cotisation"):
            sequence = self.env_root.ref(f"membri_renewal.sequence_{name}")
            with self.assertRaises(UserError):
                sequence.unlink()
            sequence.active = False
        self.assertIn("membri.renewal", self._assert_refused(lambda: self._create_renewal(term)))
        other = self._create_member("Bo")
        self.assertIn(
            "membri.cotisation",
            self._assert_refused(lambda: self._create_cotisation(other, "2026-01-01")),
        )
