from unittest.mock import patch

from freezegun import freeze_time
from lxml import html

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_portal import PortalCase


@tagged("post_install", "-at_install")
class TestPortalAnswers(PortalCase):
    """What an answer does."""

    def test_accept_twice(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        self.assertFalse(self._get_error(self._answer(renewal, "accept", token)))
        invoice = renewal.invoice_id
        self.assertEqual(invoice.state, "posted")
        self.assertFalse(self._get_error(self._answer(renewal, "accept", token)))
        self.assertEqual(renewal.invoice_ids, invoice)
        self.assertEqual(len(renewal.cotisation_id.next_ids), 1)

    def test_accept_tells_who(self):
        by_link = self._renewal_of_corporation("sent")
        self._sign_in(None)
        self._answer(by_link, "accept", by_link.sudo().access_token)
        message = by_link.message_ids.filtered(lambda m: "Accepted on the portal" in m.body)
        self.assertEqual(message.author_id, by_link.recipient_id)
        self.assertIn(by_link.recipient_id.email, message.body)
        logged_in = self._renewal_of_corporation("sent")
        self._sign_in("member_user")
        self._answer(logged_in, "accept")
        message = logged_in.message_ids.filtered(lambda m: "accepted the renewal" in m.body)
        self.assertEqual(message.author_id, self.member)
        # an employer who does not pay reads nothing of it
        for contact, told in ((logged_in.partner_id, True), (self.corporation, False)):
            messages = contact.message_ids.filtered(lambda m: "accepted the renewal" in m.body)
            self.assertEqual(bool(messages), told)

    def test_accept_leads_to_the_invoice(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        self._answer(renewal, "accept", token)
        invoice = renewal.invoice_id
        self.assertTrue(invoice.access_token)
        page = self._open(renewal, token).text
        self.assertIn(f"/my/invoices/{invoice.id}?access_token={invoice.access_token}", page)
        response = self.url_open(f"/my/invoices/{invoice.id}?access_token={invoice.access_token}")
        self.assertEqual(response.status_code, 200)
        self._pay(invoice)
        page = self._open(renewal, token).text
        self.assertIn("accepted and paid", page)

    def test_accept_what_has_changed_meanwhile(self):
        renewal = self._renewal_of_corporation("change_requested")
        token = renewal.sudo().access_token
        seen = renewal._get_proposal_key()
        renewal.line_ids.price_unit = 500.0
        self._sign_in(None)
        response = self._answer(renewal, "accept", token, proposal_key=seen)
        self.assertEqual(self._get_error(response), "changed")
        self.assertEqual(renewal.state, "change_requested")
        response = self._answer(renewal, "accept", token, proposal_key=renewal._get_proposal_key())
        self.assertFalse(self._get_error(response))
        self.assertEqual(renewal.invoice_id.amount_untaxed, 500.0)

    def test_link_of_an_older_email_says_so_and_where_to_go_on(self):
        """The same is said whatever the link was: it tells nothing of what exists."""
        renewal = self._renewal_of_corporation("sent")
        old = renewal.sudo().access_token
        renewal.action_approve()
        renewal.action_reset()
        renewal.action_send()
        self.assertNotEqual(renewal.sudo().access_token, old)
        self._sign_in(None)
        for path in ("renewals", "invoices", "fee-notices", "membership/invoices"):
            suffix = "/paid" if path.startswith("membership") else ""
            pages = []
            for record_id in (renewal.id, self.env["account.move"].search([], limit=1).id, 2**30):
                url = f"/my/{path}/{record_id}{suffix}"
                page = self.url_open(f"{url}?access_token={old}").text
                self.assertIn('id="membri_old_link"', page, url)
                self.assertNotIn("o_portal_submenu", page, "which asks for a login")
                main = html.fromstring(page).xpath("//main")[0]
                self.assertNotIn(old, html.tostring(main).decode())
                pages.append(main.text_content())
            self.assertEqual(len(set(pages)), 1)
        page = self.url_open(f"/my/renewals/{renewal.id}").text
        self.assertNotIn('id="membri_old_link"', page)

    def test_link_of_a_notice_that_was_taken_back(self):
        """Its holder is told so, without any of what it said; nobody else is."""
        reset = self._renewal_of_corporation("sent")
        reset.action_approve()
        reset.action_reset()
        cancelled = self._renewal_of_corporation("sent")
        cancelled.action_cancel()
        never_sent = self._renewal_in("draft")
        self._sign_in(None)
        for renewal, sentence in (
            (reset, "will send you a new notice"),
            (cancelled, "was withdrawn"),
        ):
            before = self._snapshot(renewal)
            token = renewal.sudo().access_token
            response = self._open(renewal, token)
            self.assertEqual(response.status_code, 200)
            self.assertIn(sentence, " ".join(response.text.split()))
            self.assertIn("no-store", response.headers["Cache-Control"])
            for secret in (renewal.name, renewal.partner_id.name, "345.00"):
                self.assertNotIn(secret, response.text)
            self._assert_turned_away(self._open(renewal, "wrong"))
            # whose page was open meanwhile is told the same
            for late in (
                self._answer(renewal, "accept", token),
                self._answer(renewal, "request_change", token, step="send"),
                self._open(renewal, token, "/change"),
                self._open(renewal, token, "/leave"),
            ):
                self.assertEqual(late.status_code, 200)
                self.assertIn(sentence, " ".join(late.text.split()))
            self._assert_turned_away(self._answer(renewal, "accept", "wrong"))
            self.assertEqual(self._snapshot(renewal), before)
        self._assert_turned_away(self._open(never_sent, never_sent.sudo()._portal_ensure_token()))

    @mute_logger("odoo.addons.membri_renewal.models.portal.renewal_answer")
    def test_failure(self):
        """Nothing is half done, the member reads a sentence, the staff is told."""
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        Cotisation = type(self.env["membri.cotisation"])
        for error in (UserError("No income account"), ValueError("a bug of ours")):
            with patch.object(Cotisation, "_queue_invoices", side_effect=error):
                response = self._answer(renewal, "accept", token)
                told = renewal.message_ids
                for _try in range(3):
                    self._answer(renewal, "accept", token)
            self.assertEqual(renewal.message_ids, told, "once")
            self.assertEqual(self._get_error(response), "failed")
            page = self.url_open(response.headers["Location"]).text
            self.assertIn("Our team has been notified", page)
            self.assertNotIn(str(error), page)
            self.assertEqual(renewal.state, "sent")
            self.assertFalse(renewal.invoice_ids)
            self.assertFalse(renewal.cotisation_id.next_ids)
            self.assertEqual(renewal.delivery_state, "failed")
            self.assertIn(str(error), renewal.delivery_note)
        self.assertEqual(renewal.activity_ids.user_id, self.officer)
        self._answer(renewal, "accept", token)
        self.assertEqual(renewal.state, "approved", "once repaired, it works")

    def test_busy(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        Renewal = type(renewal)
        with patch.object(Renewal, "_wait_for_lock", return_value=False):
            response = self._answer(renewal, "accept", renewal.sudo().access_token)
        self.assertEqual(self._get_error(response), "busy")
        self.assertEqual(renewal.state, "sent")

    def test_proposal_that_is_over(self):
        cotisation = self._create_cotisation(self.member, "2020-01-01", state="expired")
        renewal = self._create_renewal(cotisation)
        with freeze_time("2021-06-01 15:00:00"):
            renewal.action_send()
        self._assert_refused(renewal.action_send)  # today, nobody could accept it
        self._sign_in(None)
        token = renewal.sudo().access_token
        page = self._open(renewal, token).text
        self.assertNotIn(f"/my/renewals/{renewal.id}/accept", page)
        self.assertIn(f"/my/renewals/{renewal.id}/change", page)
        self.assertEqual(self._get_error(self._answer(renewal, "accept", token)), "not_now")
        self.assertEqual(renewal.state, "sent")

    def test_late_member_sees_the_fresh_term(self):
        """What is shown is what accepting gives, also when the set starts late members afresh."""
        self.yearly.sudo().write({"late_policy": "restart", "grace_days": 0})
        today = self.company._membri_today()
        start = today.replace(year=today.year - 1, day=1)
        start = (
            start.replace(month=start.month - 1)
            if start.month > 1
            else start.replace(year=start.year - 1, month=12)
        )
        renewal = self._create_renewal(self._create_cotisation(self.member, start, state="expired"))
        renewal.action_send()
        self._sign_in(None)
        token = renewal.sudo().access_token
        shown = renewal._get_proposal()
        self.assertEqual(shown.date_start, today)
        self.assertNotEqual(renewal.date_start, today, "nothing is written by looking")
        term, total = shown._get_period_in_words(), shown.amount_total
        self.assertEqual(total, 345.0)
        self.assertIn(term, self._open(renewal, token).text)
        self._answer(renewal, "accept", token, proposal_key=renewal._get_proposal_key())
        self.assertEqual(renewal.new_cotisation_id._get_period_in_words(), term)
        self.assertEqual(renewal.new_cotisation_id.amount_total, total)
