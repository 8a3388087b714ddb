import html
import re

from odoo import http
from odoo.tests import tagged

from .common_change_request import ChangeRequestCommon
from .common_portal import PortalCase


@tagged("post_install", "-at_install")
class TestPortalChange(PortalCase):
    """Asking for changes: in words, and by the form."""

    def test_request_change(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        attack = "  <script>alert(1)</script>\r\nand <b>bold</b>\r\n "
        self._answer(renewal, "request_change", token, message=attack)
        self.assertEqual(renewal.change_request, "<script>alert(1)</script>\nand <b>bold</b>")
        bodies = renewal.message_ids + renewal.partner_id.message_ids + self.corporation.message_ids
        bodies = "".join(bodies.mapped("body"))
        self.assertIn("&lt;script&gt;", bodies)
        self.assertNotIn("<script>", bodies)
        self.assertNotIn("<b>bold", bodies)
        notified = renewal.message_ids.filtered(lambda m: "requested on the portal" in m.body)
        self.assertEqual(notified.notified_partner_ids, self.officer.partner_id)
        self.assertNotIn("alert(1)", self._open(renewal, token).text)

    def test_request_change_needs_words(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in(None)
        token = renewal.sudo().access_token
        for message, error in (
            ("", "empty"),
            (" \r\n ", "empty"),
            ("x" * 2001, "too_long"),
            ("\r\n".join(["x" * 999, "x" * 1000]), False),
        ):
            response = self._answer(renewal, "request_change", token, message=message)
            self.assertEqual(self._get_error(response), error)
            page = self.url_open(response.headers["Location"]).text
            self.assertEqual("membri_error" in page, bool(error))
        self.assertEqual(renewal.state, "change_requested")


@tagged("post_install", "-at_install")
class TestPortalChangeForm(ChangeRequestCommon, PortalCase):
    """The form, the preview and the sending, without JavaScript."""

    def _post(self, renewal, step, token=None, **form):
        form = {
            "option_set_id": self.full.id,
            f"option_{self.extra_line.id}": "on",
            f"quantity_{self.extra_line.id}": "3",
            "step": step,
            "message": "",
            **form,
        }
        return self._answer(renewal, "request_change", token, **form)

    def test_preview_then_send(self):
        renewal = self._renewal_of_full()
        self._sign_in(None)
        token = renewal.sudo().access_token
        before = self._snapshot(renewal)
        page = self._open(renewal, token, "/change")
        self.assertEqual(page.status_code, 200)
        for text in (f"option_{self.extra_line.id}", "Small", "138.00", "402.50"):
            self.assertIn(text, page.text)
        preview = self._post(renewal, "preview", token, message="<b>Hi</b>")
        self.assertEqual(preview.status_code, 200)
        for text in ("517.50", "115.00", "&lt;b&gt;Hi&lt;/b&gt;"):
            self.assertIn(text, preview.text)
        self.assertNotIn("<b>Hi</b>", preview.text)
        edit = self._post(renewal, "edit", token, message="<b>Hi</b>")
        self.assertIn('value="3"', edit.text)
        self.assertIn("&lt;b&gt;Hi&lt;/b&gt;", edit.text)
        self.assertEqual(self._snapshot(renewal), before, "looking changes nothing")
        key = renewal._get_proposal_key()
        for _click in range(2):
            response = self._post(renewal, "send", token, message="<b>Hi</b>", proposal_key=key)
            self.assertFalse(self._get_error(response))
        request = renewal.change_request_id
        self.assertRecordValues(
            request, [{"version": 1, "amount_total": 517.5, "message": "<b>Hi</b>"}]
        )
        page = self._open(renewal, token).text
        self.assertIn("Directory listing: 3 (was 1).", page)
        self.assertIn("We received your message.", page)
        self.assertIn("Edit My Request", page)

    def test_send_what_has_changed_meanwhile(self):
        renewal = self._renewal_of_full("change_requested")
        self._sign_in(None)
        key = renewal._get_proposal_key()
        renewal.line_ids[0].price_unit = 290.0
        response = self._post(renewal, "send", renewal.sudo().access_token, proposal_key=key)
        self.assertEqual(self._get_error(response), "changed")
        self.assertFalse(renewal.change_request_ids)

    def test_errors_are_told_at_their_input(self):
        renewal = self._renewal_of_full()
        self._sign_in(None)
        token = renewal.sudo().access_token
        for step in ("preview", "send"):
            response = self._post(
                renewal, step, token, contact_email="nowhere", contact_city="Laval"
            )
            self.assertEqual(response.status_code, 200)
            self.assertIn('href="#membri_contact_email"', response.text)
            self.assertIn('value="Laval"', response.text, "what was right is kept")
            self.assertIn('role="alert"', response.text)
        self.assertEqual(renewal.state, "sent")

    def test_details_are_shown_to_who_is_signed_in(self):
        """A forwarded link shows no address and no telephone."""
        renewal = self._renewal_of_full()
        renewal.partner_id.parent_id = self.corporation
        renewal.partner_id.membri_responsible_id = self.member
        token = renewal.sudo().access_token
        shown = {
            (None, token): False,
            ("stranger_user", token): False,
            ("colleague_user", None): False,
            ("colleague_user", token): False,
            ("member_user", None): True,
            ("member_user", token): True,
            ("officer", None): True,
        }
        for (login, given), expected in shown.items():
            with self.subTest(login=login, token=bool(given)):
                self._sign_in(login)
                page = self._open(renewal, given, "/change").text
                self.assertEqual("+1 555 0100" in page, expected)
                self.assertEqual(renewal.partner_id.email in page, expected)
        self._sign_in(None)
        self._post(renewal, "send", token, contact_phone="+1 555 0177")
        page = self._open(renewal, token).text
        self.assertNotIn("0177", page)
        self.assertIn("Contact details: our team will make the correction.", page)

    def test_what_was_asked_is_left_when_the_renewal_is_accepted_as_it_is(self):
        """Issue 12, A: the wrong telephone and the question were in no queue any more."""
        renewal, plain = self._renewal_of_full(), self._renewal_of_full()
        self._sign_in(None)
        token = renewal.sudo().access_token
        self._post(renewal, "send", token, contact_phone="+1 555 0177", message="By two checks?")
        self.assertFalse(renewal.activity_search(["membri_renewal.activity_intervention"]))
        self._ask(plain, quantities={self.membership_line: 1.0, self.extra_line: 3.0})
        for answered in (renewal, plain):
            self.assertEqual(answered.state, "change_requested")
            self._answer(answered, "accept", answered.sudo().access_token)
            answered.invalidate_recordset()
            self.assertEqual(answered.state, "approved")
        activity = renewal.activity_search(["membri_renewal.activity_intervention"])
        self.assertIn("0177", activity.summary)
        self.assertIn("By two checks?", activity.summary)
        self.assertFalse(plain.activity_search(["membri_renewal.activity_intervention"]))

    def test_a_link_tells_no_detail_that_is_guessed(self):
        """What is left out of the preview, since we have it already, confirmed the guess of whoever
        held the link: email, phone, who is in charge, as often as they liked."""
        renewal = self._renewal_of_full()
        person, token = renewal.partner_id, renewal.sudo().access_token
        person.membri_responsible_id = self.member
        self.member.email = "ada@example.com"
        right_and_wrong = [
            ({"contact_email": person.email}, {"contact_email": "guess@example.com"}),
            ({"contact_phone": "+1 555 0100"}, {"contact_phone": "+1 555 0101"}),
            ({"responsible_email": "ada@example.com"}, {"responsible_email": "x@example.com"}),
            ({"responsible_name": self.member.name}, {"responsible_name": "Somebody Else"}),
            (
                {"responsible_name": self.member.name, "responsible_email": "ada@example.com"},
                {"responsible_name": "Somebody Else", "responsible_email": "x@example.com"},
            ),
        ]
        unchanged = {f"quantity_{self.extra_line.id}": "1"}
        for login in (None, "stranger_user", "colleague_user"):
            self._sign_in(login)
            for guesses in right_and_wrong:
                with self.subTest(login=login, guess=guesses[0]):
                    seen = set()
                    for guess in guesses:
                        page = self._post(renewal, "preview", token, **unchanged, **guess).text
                        page = re.sub(
                            r'name="csrf_token" value="[^"]*"|csrf_token: "[^"]*"', "", page
                        )
                        for text in guess.values():
                            page = page.replace(html.escape(text), "GUESS")
                        seen.add(page)
                    self.assertEqual(len(seen), 1)
        # who may see them is asked as before
        self._sign_in("member_user")
        page = self._post(renewal, "preview", None, **unchanged, contact_email=person.email)
        self.assertIn("Please tell us which changes you would like.", page.text)
        # and the staff is told of no change where there is none
        self._sign_in(None)
        self._post(renewal, "send", token, **unchanged, contact_email=person.email)
        self.assertNotIn("was", renewal.change_request_id.detail_ids._get_sentence())

    def test_what_was_asked_is_left_when_a_counter_offer_is_taken(self):
        renewal = self._renewal_of_full()
        token = renewal.sudo().access_token
        self._sign_in(None)
        self._post(renewal, "send", token, contact_phone="+1 555 0177")
        self._answer(
            renewal,
            "counter_offer",
            token,
            option_set_id=self.small.id,
            proposal_key=renewal._get_proposal_key(),
        )
        renewal.invalidate_recordset()
        self.assertEqual(renewal.option_set_id, self.small)
        self._answer(renewal, "accept", token)
        renewal.invalidate_recordset()
        self.assertEqual(renewal.state, "approved")
        activity = renewal.activity_search(["membri_renewal.activity_intervention"])
        self.assertIn("0177", activity.summary)

    def test_form_where_there_is_nothing_to_ask(self):
        for state in ("intervention", "approved", "refused"):
            renewal = self._renewal_of_corporation(state)
            self._sign_in(None)
            token = renewal.sudo().access_token
            before = self._snapshot(renewal)
            response = self._open(renewal, token, "/change")
            self.assertIn(f"/my/renewals/{renewal.id}?", response.headers["Location"])
            for step in ("preview", "edit", "send"):
                response = self._post(renewal, step, token)
                self.assertEqual(self._get_error(response), "not_now")
            self.assertEqual(self._snapshot(renewal), before)

    def test_strangers(self):
        renewal = self._renewal_of_corporation("sent")
        before = self._snapshot(renewal)
        for login, token in ((None, None), (None, "0" * 36), (None, "é"), ("stranger_user", None)):
            self._sign_in(login)
            for suffix in ("/change", "/leave"):
                self._assert_turned_away(self._open(renewal, token, suffix))
            for step in ("preview", "edit", "send"):
                self._assert_turned_away(self._post(renewal, step, token))
        self._sign_in("auditor")
        self.assertEqual(self._get_error(self._post(renewal, "send")), "no_right")
        self.assertEqual(self._snapshot(renewal), before)

    def test_files_instead_of_texts(self):
        renewal = self._renewal_of_full()
        self._sign_in(None)
        token = renewal.sudo().access_token
        data = {"csrf_token": http.Request.csrf_token(self), "access_token": token}
        before = self._snapshot(renewal)
        for data["step"] in ("", "preview", "send"):
            response = self.url_open(
                f"/my/renewals/{renewal.id}/request_change",
                data=data,
                files={"message": ("a.exe", b"MZ"), "contact_email": ("b.txt", b"x")},
                allow_redirects=False,
            )
            self.assertLess(response.status_code, 400)
        self.assertEqual(self._snapshot(renewal), before)

    def test_private_headers(self):
        renewal = self._renewal_of_full()
        self._sign_in(None)
        for suffix in ("", "/change", "/leave"):
            headers = self._open(renewal, renewal.sudo().access_token, suffix).headers
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")
            self.assertIn("noindex", headers["X-Robots-Tag"])
            self.assertIn("no-store", headers["Cache-Control"])

    def test_mail_scanner(self):
        """GET and HEAD on whatever a page links to change nothing."""
        renewal = self._renewal_of_full()
        self._sign_in(None)
        before = self._snapshot(renewal)
        pages = [self._get_path(renewal)]
        seen = set()
        while pages:
            path = pages.pop()
            if path in seen or f"/my/renewals/{renewal.id}" not in path or "pdf" in path:
                continue
            seen.add(path)
            self.assertEqual(self.url_open(path, method="HEAD").status_code, 200)
            text = self.url_open(path).text
            pages += [html.unescape(link) for link in re.findall(r'href="(/[^"#]*)', text)]
        self.assertGreaterEqual(len(seen), 3)
        self.env.invalidate_all()
        self.assertEqual(self._snapshot(renewal), before)
