from datetime import timedelta

from lxml import html

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_membership import MembershipCase


@tagged("post_install", "-at_install")
class TestMyMembership(MembershipCase):
    """The page: who sees whose membership, and what it says."""

    def test_own_entity_only(self):
        renewal = self._renewal_of_corporation("sent")
        self._sign_in("member_user")
        page = self._get_membership().text
        self.assertIn(self.member.name, page)
        self.assertIn(self.old_term._get_period_in_words(), page)
        self.assertIn(f"/my/membership/{self.term.id}/card", page)
        self.assertIn(f"/my/renewals/{renewal.id}", page)
        self.assertNotIn(self.stranger.name, page)
        self._sign_in("colleague_user")
        page = self._get_membership().text
        self.assertNotIn(self.member.name, page)
        self.assertNotIn(renewal.name, page)
        self._sign_in("stranger_user")
        page = self._get_membership().text
        self.assertIn(self.stranger.name, page)
        self.assertNotIn(self.member.name, page)
        self.assertNotIn(renewal.name, page)
        self._sign_in("employee")
        self.assertNotIn(self.member.name, self._get_membership().text)
        self._sign_in(None)
        self.assertIn("/web/login", self._get_membership().headers["Location"])

    def test_plain_words(self):
        self._sign_in("member_user")
        page = self._get_membership().text
        self.assertIn(f"{self.member.name} is a member until", page)
        self.term.action_terminate(self.today - timedelta(days=1), "Moved away")
        page = self._get_membership().text
        self.assertIn(f"{self.member.name} was a member until", page)
        self.assertNotIn("/card", page)
        self.assertNotIn("Moved away", page)

    def test_b4_member_until_the_end_of_what_is_paid(self):
        """Who had paid the next year read the last day of this one."""
        next_day = self.term.date_end + timedelta(days=1)
        following = self._create_cotisation(self.member, next_day, state="scheduled")
        later = following.date_end + timedelta(days=40)
        self._create_cotisation(self.member, later, state="scheduled")
        member = self.member.with_company(self.company)
        self.assertEqual(member.membri_date_end, self.term.date_end)
        self.assertEqual(member._membri_get_paid_until(), following.date_end)
        self.assertIn(
            following._format_day(following.date_end), member._membri_get_portal_sentences()[0]
        )

    def test_b4_whose_notice_of_several(self):
        """Who answers for several found the same days once for each, without a name."""
        self._create_renewal(self.term).action_send()
        self._sign_in("member_user")
        self.assertNotIn("o_membri_whose", self._get_membership().text)
        other = self._create_yearly(membri_responsible_id=self.member_user.partner_id.id)
        self._create_renewal(other).action_send()
        page = html.fromstring(self._get_membership().text)
        names = [node.text_content() for node in page.find_class("o_membri_whose")]
        self.assertEqual(set(names), {self.member.name, other.partner_id.name})

    def test_looking_changes_nothing(self):
        renewal = self._renewal_of_corporation("approved")
        self._sign_in("member_user")
        records = renewal, self.term, renewal.invoice_id
        before = [self._get_stored(record) for record in records]
        self._get_membership()
        self.url_open(f"/my/membership/invoices/{renewal.invoice_id.id}/paid")
        self.assertEqual([self._get_stored(record) for record in records], before)

    def test_two_organisations(self):
        """A member of two organisations sees both, each for itself, whichever the account was
        made for."""
        other = self._create_other_company("Second Chapter", "UTC")
        option_set = self._create_option_set("Elsewhere", company_id=other.id)
        self._create_cotisation(self.member, self.today, option_set)
        self.assertNotIn(other, self.member_user.company_ids)
        self._sign_in("member_user")
        page = self._get_membership().text
        first, second = page.split('class="o_membri_organisation')[1:]
        parts = {self.company.name in part: part for part in (first, second)}
        self.assertIn("Second Chapter", parts[False])
        self.assertIn("Elsewhere", parts[False])
        self.assertNotIn("Elsewhere", parts[True])

    def test_a_renewal_of_another_organisation(self):
        """Whoever was signed in with an account of one could not open the renewal of another, not
        by the link of its email either. Nor could the staff of one by a forwarded link."""
        other = self._create_other_company("Second Chapter", "UTC")
        option_set = self._create_option_set("Elsewhere", company_id=other.id)
        term = self._create_cotisation(self.member, "2026-01-01", option_set)
        renewal = self._create_renewal(term)
        renewal.action_send()
        self.assertEqual(renewal.company_id, other)
        self.assertNotIn(other, self.member_user.company_ids)
        token = renewal.sudo().access_token
        for login, given in (
            ("member_user", None),
            ("member_user", token),
            ("stranger_user", token),
            ("manager", token),
            ("auditor", token),
            (None, token),
        ):
            with self.subTest(login=login, token=bool(given)):
                self._sign_in(login)
                for suffix in ("", "/change", "/leave"):
                    response = self._open(renewal, given, suffix)
                    self.assertIn(response.status_code, (200, 303))
                page = self._open(renewal, given).text
                self.assertIn("Second Chapter", page)
                self.assertIn(f"/my/renewals/{renewal.id}/change", page)
        self._sign_in("stranger_user")
        self._assert_turned_away(self._open(renewal))
        self._sign_in("member_user")
        self.assertFalse(self._get_error(self._answer(renewal, "request_change")))
        self.assertEqual(renewal.state, "change_requested")

    def test_invoices(self):
        unpaid = self._renewal_of_corporation("approved").invoice_id
        paid = self._renewal_of_corporation("approved").invoice_id
        self._pay(paid)
        self._pay(unpaid, 100.0)
        foreign = self._renewal_in("approved").invoice_id
        self._sign_in("member_user")
        page = self._get_membership().text
        # what is left, and until when, stands beside the one that is to be paid
        [due] = html.fromstring(page).find_class("o_membri_due")
        left = unpaid.currency_id.format(unpaid.amount_residual)
        self.assertIn(left.replace("\xa0", " "), due.text_content().replace("\xa0", " "))
        self.assertIn(f"/my/invoices/{unpaid.id}?access_token={unpaid.access_token}", page)
        self.assertIn(f"/my/membership/invoices/{unpaid.id}/paid", page)
        self.assertNotIn(f"/my/membership/invoices/{unpaid.id}/receipt", page)
        self.assertIn(f"/my/membership/invoices/{paid.id}/receipt", page)
        self.assertNotIn(f"/my/membership/invoices/{paid.id}/paid", page)
        self.assertNotIn(foreign.access_token, page)
        self.assertNotIn(f"/my/membership/invoices/{foreign.id}/", page)

    def test_home(self):
        self._sign_in("member_user")
        counters = self.make_jsonrpc_request("/my/counters", {"counters": ["membership_count"]})
        self.assertEqual(counters["membership_count"], 2)
        self.assertIn("/my/membership", self.url_open("/my").text)

    def test_french(self):
        self.member_user.sudo().lang = "fr_CA"
        self._sign_in("member_user")
        page = self.url_open("/fr_CA/my/membership").text
        self.assertIn("Mon abonnement", page)
        self.assertIn("Attestation de membre", page)

    def test_rpc(self):
        """Cotisations are shown on this page, and are the staff's otherwise."""
        for term in self.term, self.foreign_term:
            with self.assertRaises(AccessError):
                term.with_user(self.member_user).read(["name"])
        renewal = self._renewal_of_corporation("sent")
        values = renewal.with_user(self.member_user).read()[0]
        self.assertEqual(set(values), set(renewal._portal_fields))


@tagged("post_install", "-at_install")
class TestMembershipDocuments(MembershipCase):
    """Card, attestation, receipt: for whom, when, and what they say."""

    def _open_document(self, kind, term=None):
        response = self.url_open(
            f"/my/membership/{(term or self.term).id}/{kind}", allow_redirects=False
        )
        self.env.invalidate_all()
        return response

    def _render(self, report, record, **context):
        html, _type = (
            self.env["ir.actions.report"]
            .sudo()
            .with_context(**context)
            ._render_qweb_html(f"membri_renewal.{report}", record.ids)
        )
        return html.decode()

    def test_who_and_when(self):
        for kind in ("card", "attestation"):
            for login, term, given in (
                ("member_user", self.term, True),
                ("colleague_user", self.term, False),
                ("auditor", self.term, False),
                ("member_user", self.old_term, False),
                ("stranger_user", self.term, False),
                ("employee", self.term, False),
                (None, self.term, False),
            ):
                with self.subTest(kind=kind, login=login, term=term.state):
                    self._sign_in(login)
                    response = self._open_document(kind, term)
                    self.assertEqual(response.status_code, 200 if given else 303)
                    self.assertEqual(response.headers["Content-Type"] == "application/pdf", given)

    def test_card(self):
        self.member.ref = "M-0042"
        html = self._render("report_membership_card", self.term)
        for text in (self.member.name, "M-0042", "Yearly", self.term._get_end_display()):
            self.assertIn(text, html)
        self.assertIn(
            "Valable jusqu",
            self._render("report_membership_card", self.term, membri_print_lang="fr_FR"),
        )

    def test_attestation(self):
        self.company.sudo().membri_signatory = "Jane Roe, President"
        html = self._render("report_attestation", self.term)
        self.assertIn(self.term._get_attestation_sentence(), html)
        self.assertIn("Jane Roe, President", html)
        self.assertIn(
            "Nous attestons",
            self._render("report_attestation", self.term, membri_print_lang="fr_FR"),
        )

    def test_verification(self):
        """The code of a card says valid or not valid, and nothing about the member."""
        url = self.term._get_verification_url()
        path = url.removeprefix(self.term.get_base_url())
        self._sign_in(None)
        page = self.url_open(path).text
        self.assertIn("membri_card_valid", page)
        self.assertIn(self.company.name, page)
        for secret in (self.member.name, self.term.name, str(self.term.date_end), "Yearly"):
            self.assertNotIn(secret, page)
        signature = self.term._get_card_signature()
        forged = [
            f"{self.old_term.id}-{self.old_term._get_card_signature()}",
            f"{self.foreign_term.id}-{signature}",
            f"{self.term.id}-{'0' * 32}",
            f"{self.term.id}-",
            f"{self.term.id}",
            f"{'9' * 40}-{signature}",
            f"0-{signature}",
            "00",
            "x-y",
            "%C3%A9-%C3%A9",
        ]
        pages = {
            self.url_open(f"/membership/verify/{code}").text.split("<main>")[1] for code in forged
        }
        self.assertEqual(len(pages), 1, "all that is not valid looks the same")
        self.assertIn("membri_card_invalid", pages.pop())

    def test_receipt(self):
        invoice = self._renewal_of_corporation("approved").invoice_id
        path = f"/my/membership/invoices/{invoice.id}/receipt"
        token = invoice.access_token
        self._sign_in(None)
        response = self.url_open(f"{path}?access_token={token}", allow_redirects=False)
        self.assertEqual(response.status_code, 303, "not paid")
        self._pay(invoice, 100.0)
        self.assertFalse(invoice._membri_has_receipt(), "partly paid")
        self._pay(invoice)
        lines = invoice._membri_get_receipt_lines()
        self.assertEqual([line["amount"] for line in lines], [100.0, 245.0])
        for query, status in (
            (f"?access_token={token}", 200),
            ("?access_token=wrong", 303),
            ("?access_token=%C3%A9", 303),
            ("", 303),
        ):
            response = self.url_open(path + query, allow_redirects=False)
            self.assertEqual(response.status_code, status, query)
        html = self._render("report_membership_receipt", invoice)
        self.assertIn("PAID", html)
        self.assertIn("245.00", html)

    def test_receipt_of_a_payment_without_entry(self):
        self._set_payment_account("none")
        invoice = self._renewal_of_corporation("approved").invoice_id
        with self._patch_bank_synchronisation():
            payment = self._pay(invoice)
            self.assertFalse(payment.move_id)
            self.env.invalidate_all()
            self.assertEqual(
                [line["amount"] for line in invoice._membri_get_receipt_lines()], [345.0]
            )
            self.assertTrue(invoice._membri_has_receipt())

    def test_draft_payment_covers_nothing(self):
        """A part without journal entry, and the rest in a draft: not paid."""
        self._set_payment_account("none")
        invoice = self._renewal_of_corporation("approved").invoice_id
        with self._patch_bank_synchronisation():
            payment = self._pay(invoice, 200.0)
            draft = payment.copy({"amount": 145.0})
            draft.invoice_ids = invoice
            self.env.invalidate_all()
            self.assertEqual((invoice.payment_state, draft.state), ("in_payment", "draft"))
            self.assertFalse(invoice._membri_is_paid())
            self.assertEqual(invoice.membri_amount_received, 200.0)
            self.assertTrue(invoice._membri_is_money_under_way())

    def test_receipt_of_a_bank_line(self):
        invoice = self._renewal_of_corporation("approved").invoice_id
        self._pay_by_bank(invoice, 345.0)
        self.assertTrue(invoice._membri_has_receipt())
        self.assertEqual(invoice._membri_get_receipt_lines()[0]["date"], fields.Date.today())


@tagged("post_install", "-at_install")
class TestPersonInCharge(MembershipCase):
    """Another person in charge: asked for by the member, done by the staff."""

    def _ask(self, term=None, **data):
        data = {"name": "Paula <b>New</b>", "email": "paula@example.com", **data}
        return self._post(f"/my/membership/{(term or self.term).id}/person", **data)

    def test_request(self):
        self._sign_in("member_user")
        before = self._get_stored(self.member)["membri_responsible_id"]
        self.assertIn("done=person", self._ask(message="From\r\nJanuary").headers["Location"])
        self.assertEqual(self._get_stored(self.member)["membri_responsible_id"], before)
        self.assertFalse(self.env["res.partner"].search([("email", "=", "paula@example.com")]))
        body = self.member.message_ids[0].body
        self.assertIn("Paula &lt;b&gt;New&lt;/b&gt;", body)
        self.assertIn("January", body)
        self.assertEqual(self.member.message_ids[0].author_id, self.member)
        self.assertEqual(self.member.activity_ids.user_id, self.officer)
        self._ask()
        self.assertEqual(len(self.member.activity_ids), 1, "one to-do, however often")

    def test_refused(self):
        for login, data, error in (
            ("member_user", {"name": " "}, "no_name"),
            ("member_user", {"name": "x" * 201}, "too_long"),
            ("member_user", {"message": "x" * 2001}, "too_long"),
            ("member_user", {"email": "nobody"}, "bad_email"),
        ):
            with self.subTest(login=login, error=error):
                self._sign_in(login)
                response = self._ask(**data)
                self.assertIn(f"error={error}", response.headers["Location"])
                page = self.url_open(response.headers["Location"]).content
                self.assertIn(b"membri_error", page)
                form = html.fromstring(page).xpath("//details[@open]/form")[0]
                typed = data.get("email", "paula@example.com")
                self.assertEqual(form.fields["email"], typed, "what was typed is still there")
                self.assertIn("message", form.fields)
        for login in ("stranger_user", "employee", "auditor"):
            self._sign_in(login)
            self.assertTrue(self._ask().headers["Location"].endswith("/my"))
        self.assertFalse(self.member.activity_ids)
