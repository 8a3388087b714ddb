import re
from unittest.mock import patch

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import BaseCase, tagged

from ..models.portal.cotisation import LINE_HEIGHT, POINT, _count_lines
from ..models.writing_direction import embed
from .common_paper import LAYOUTS, PaperCase

LONG = (
    "Association internationale des boulangères-pâtissières et chocolatiers du "
    "Bas-Saint-Laurent et de la Gaspésie-Sud (ABCG)"
)
ARABIC = "جمعية الخبازين للحلويات (فرع مونتريال)"
HEBREW = "האגודה של האופים (סניף מונטריאול)"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestPaper(PaperCase):
    """Issue 13 point 7: names and options of 120 characters, an enormous logo, Letter (the shorter
    paper): nothing cut, nothing alone on a second page."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().write(
            {
                "logo": cls._draw_logo(3000, 2400),
                "company_details": "<p>Guild<br>12 rue du Four<br>Rimouski<br>Canada</p>",
            }
        )
        cls.long_set = cls._create_option_set(
            LONG,
            cls._create_option(LONG, 300.0) + cls._create_option(f"Option {LONG}"[:120], 50.0),
        )

    def _create_long(self, name=LONG):
        member = self._create_member(
            name,
            email="long@example.com",
            street="1 Main Street",
            city="Rimouski",
            zip="G5L 1A1",
            country_id=self.env.ref("base.ca").id,
        )
        term = self._create_cotisation(member, "2026-01-01", self.long_set)
        return self._create_renewal(term)

    def _assert_words(self, text, *names):
        text = text.replace("-", " ")
        for word in re.split(r"[\s-]+", " ".join(names)):
            self.assertIn(word, text)

    def test_notice_in_each_layout(self):
        renewal = self._create_long()
        self._send(renewal)
        for layout in LAYOUTS:
            self._set_layout(layout)
            with self.subTest(layout=layout):
                pages = self._get_texts(
                    self._print("membri_renewal.report_renewal_notice", renewal)[renewal]
                )
                self._assert_words(" ".join(pages), LONG, f"Option {LONG}"[:120])
                self.assertLessEqual(len(pages), 2)
                # what the member has to do, with whom to ask: never one without the other
                for words in ("Untaxed Amount", "What happens next", "Questions?"):
                    self.assertIn(words, pages[-1])

    def test_other_documents(self):
        """On the layout that leaves the least room."""
        self._set_layout("bold")
        renewal = self._create_long()
        self._send(renewal)
        term = renewal.cotisation_id
        printed = {
            "reminder": ("membri_renewal.report_reminder_letter", renewal, 1),
            "attestation": ("membri_renewal.report_attestation", term, 1),
            "card": ("membri_renewal.report_membership_card", term, 1),
        }
        for name, (report, record, expected) in printed.items():
            with self.subTest(name):
                pages = self._get_texts(self._print(report, record)[record])
                self.assertEqual(len(pages), expected)
                self._assert_words(pages[0], LONG)
        self.assertIn(
            "This certificate",
            self._get_texts(self._print("membri_renewal.report_attestation", term)[term])[-1],
        )

    def test_documents_of_money(self):
        self._set_layout("bold")
        renewal = self._create_long()
        self._send(renewal)
        renewal.action_approve()
        invoice = renewal.invoice_id.with_env(self.env_account(context=self.env.context))
        self._pay(invoice)
        report = "membri_renewal.report_membership_receipt"
        [page] = self._get_texts(self._print(report, invoice)[invoice])
        self._assert_words(page, LONG, f"Option {LONG}"[:120], "PAID", "Received with thanks")
        receipt = self.env_root["membri.annual.receipt"].create(
            {
                "name": "AR/2026/1",
                "company_id": self.company.id,
                "partner_id": invoice.partner_id.id,
                "year": 2026,
                "amount": invoice.amount_total,
            }
        )
        report = "membri_renewal.report_annual_receipt"
        receipt = receipt.with_context(**self.env.context)
        [page] = self._get_texts(self._print(report, receipt)[receipt])
        self._assert_words(page, LONG, "AR/2026/1", "Received with thanks")

    def test_fee_notice(self):
        self._set_layout("bold")
        self.company.sudo().membri_fee_notice = True
        renewal = self._create_long()
        self._send(renewal)
        renewal.action_approve()
        notice = renewal.invoice_id.with_env(self.env_account(context=self.env.context))
        pages = self._get_texts(self._print("membri_renewal.report_fee_notice", notice)[notice])
        self._assert_words(" ".join(pages), LONG, f"Option {LONG}"[:120])
        self.assertLessEqual(len(pages), 2)
        for words in ("Untaxed Amount", "How to pay", "not an invoice", "Questions?"):
            self.assertIn(words, pages[-1])

    def test_how_to_pay_is_never_alone(self):
        """However long the invoice is, it says how to pay beside its total (seen: on a page of
        its own)."""
        self._set_layout("standard")
        renewals = self.env["membri.renewal"]
        for number in range(3, 9):
            options = self.env_root["product.product"].union(
                *(self._create_option(f"{step} {LONG}", 10.0) for step in range(number))
            )
            member = self._create_member(f"Member {number}", street="1 Main Street")
            option_set = self._create_option_set(f"Plan {number}", options)
            renewals |= self._create_renewal(
                self._create_cotisation(member, "2026-01-01", option_set)
            )
        self._send(renewals)
        renewals.with_context(force_report_rendering=False).action_approve()
        invoices = renewals.invoice_id.with_env(self.env_account(context=self.env.context))
        self.assertEqual(len(invoices), 6)
        counts = set()
        for invoice, content in self._print("account.report_invoice", invoices).items():
            pages = self._get_texts(content)
            counts.add(len(pages))
            with self.subTest(lines=len(invoice.invoice_line_ids)):
                self.assertIn("How to pay", pages[-1])
                self.assertIn("Untaxed Amount", pages[-1])
        self.assertGreater(len(counts), 1, "some are on the edge of a page")

    def _render_html(self, report, records):
        return self.env["ir.actions.report"]._render_qweb_html(report, records.ids)[0].decode()

    def _assert_embedded(self, html, *names):
        for name in names:
            self.assertGreater(html.count(f"\u202b{name}\u202c"), 0)
            self.assertEqual(html.count(name), html.count(f"\u202b{name}\u202c"))

    def test_direction(self):
        """Each text has the direction of its letters, with its brackets."""
        self._set_layout("standard")
        renewal = self._create_long(ARABIC)
        renewal.cotisation_id.option_set_id.sudo().name = HEBREW
        self._send(renewal)
        html = self._render_html("membri_renewal.report_renewal_notice", renewal)
        self._assert_embedded(html, ARABIC, HEBREW)

    def test_direction_on_the_invoice(self):
        """Odoo's own invoice as well, when it is of a membership; others stay Odoo's."""
        renewal = self._create_long(ARABIC)
        self._send(renewal)
        renewal.with_context(force_report_rendering=False).action_approve()
        invoice = renewal.invoice_id
        self._assert_embedded(self._render_html("account.report_invoice", invoice), ARABIC)
        other = self.env_account["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": renewal.partner_id.id,
                "invoice_line_ids": [Command.create({"product_id": self.product.id})],
            }
        )
        html = self._render_html("account.report_invoice", other)
        self.assertIn(ARABIC, html)
        self.assertNotIn("\u202b", html)

    def test_direction_where_pages_are_not_mirrored(self):
        """Without the program that mirrors them, Odoo prints pages in Arabic from left to right:
        names and dates have their own direction there, too (seen: 272026/11/)."""
        self.env_root["res.lang"]._activate_lang("ar_001")
        renewal = self._create_long(ARABIC)
        renewal.partner_id.lang = "ar_001"
        self._send(renewal)
        report = "membri_renewal.report_membership_card"
        term = renewal.cotisation_id
        with patch("odoo.addons.membri_renewal.models.writing_direction.is_mirrored") as mirrored:
            mirrored.return_value = False
            html = self._render_html(report, term)
            self._assert_embedded(html, ARABIC)
            # the mark that Arabic dates have between their numbers
            [since] = re.findall(r">\s*([^<>]*?\u200f[^<>]*?)\s*<", html)
            self.assertEqual(since[0] + since[-1], "\u202b\u202c")
            mirrored.return_value = True
            html = self._render_html(report, term)
            self.assertIn(ARABIC, html)
            self.assertNotIn("\u202b", html)


@tagged("post_install", "-at_install")
class TestFitting(BaseCase):
    def test_direction_of_a_text(self):
        begin, end = "\u202b", "\u202c"
        for text, expected in (
            ("Ada (Montréal)", "Ada (Montréal)"),
            (" " + ARABIC + "\n", f" {begin}{ARABIC}{end}\n"),
            (f"{ARABIC} Ltd", f"{begin}{ARABIC} Ltd{end}"),
            (f"Option {HEBREW}, 2027", f"Option {begin}{HEBREW}{end}, 2027"),
            ("2027", "2027"),
            ("Ada (אב)", f"Ada ({begin}אב{end})"),
            ("אב Ada (Montréal)", f"{begin}אב \u202aAda (Montréal){end}{end}"),
            ("אב (Ada)", f"{begin}אב (Ada){end}"),
        ):
            self.assertEqual(embed(text, "ltr"), expected)
        self.assertEqual(embed("Ada (Montréal)", "rtl"), "\u202aAda (Montréal)\u202c")
        self.assertEqual(embed(ARABIC, "rtl"), ARABIC)

    def test_lines(self):
        self.assertEqual(_count_lines("", 10), 1)
        self.assertEqual(_count_lines("aaaa aaaa", 10), 1)
        self.assertEqual(_count_lines("aaaaaaaa aaaaaaaa aaaaaaaa", 6), 3)
        self.assertEqual(_count_lines("a" * 100, 7), 9)


@tagged("post_install", "-at_install")
class TestCard(PaperCase):
    def test_letters_fit_their_box(self):
        """Names of up to 120 characters are whole, whatever their letters; longer ones end with a
        line, not within it."""
        term = self._create_yearly()
        for text in ("Ada", LONG, ARABIC, "W" * 120, "会" * 120, "WWW " * 30):
            style = term._get_card_style(text, 13, 56, 11)
            size = float(re.search(r"font-size: ([\d.]+)pt", style)[1])
            lines = _count_lines(text, 56 / (size * POINT))
            self.assertLessEqual(lines * size * POINT * LINE_HEIGHT, 11, text)
            self.assertNotIn("overflow", style)
        self.assertIn("font-size: 13pt", term._get_card_style("Ada", 13, 56, 11))
        style = term._get_card_style("W" * 1000, 13, 56, 11)
        height, line = (
            float(re.search(rf"{name}: ([\d.]+)mm", style)[1])
            for name in ("max-height", "line-height")
        )
        self.assertAlmostEqual(height / line, round(height / line), 2)
        self.assertLessEqual(height, 11)
