from datetime import date, datetime

from freezegun import freeze_time

from odoo.tests import tagged

from ..models.mixins.formats import (
    ANYTHING,
    end_once,
    format_day,
    format_moment,
    format_percentage,
    format_percentages,
    is_said_in,
)
from .common import MembriCommon

LANGUAGES = ("en_US", "fr_FR", "fr_CA")


@tagged("post_install", "-at_install")
class TestFormats(MembriCommon):
    """Days, hours and percentages as each language writes them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for lang in LANGUAGES[1:]:
            cls.env_root["res.lang"]._activate_lang(lang)

    def test_one_period_after_a_name_that_has_its_own(self):
        self.assertEqual(end_once("Sent to Roy inc.. Print it."), "Sent to Roy inc. Print it.")
        self.assertEqual(end_once("Wait… or wait... Roy inc."), "Wait… or wait... Roy inc.")

    def test_g_a_name_is_no_part_of_a_longer_one(self):
        for text, is_said in (
            ("R1 credits part of it.", True),
            ("It is credited by R1.", True),
            ("R1 (late)", True),
            ("R10 credits part of it.", False),
            ("AR1 credits part of it.", False),
            ("2026/R1 credits part of it.", False),
            ("R1/2 credits part of it.", False),
            ("", False),
            (False, False),
        ):
            with self.subTest(text):
                self.assertEqual(is_said_in(text, "R1"), is_said)
        for text, is_said in (
            ("Call. R1 proposes Gold, which ends. Noted", True),
            ("R1 proposes Gold (late), which ends.", True),
            ("R10 proposes Gold, which ends.", False),
            ("R1 proposes Gold.", False),
        ):
            with self.subTest(text):
                phrase = f"R1 proposes {ANYTHING}, which ends."
                self.assertEqual(is_said_in(text, phrase), is_said)

    def _in_languages(self, function):
        return tuple(function(self.env(context={"lang": lang})) for lang in LANGUAGES)

    def test_the_first_of_a_month(self):
        self.assertEqual(
            self._in_languages(lambda env: format_day(env, date(2027, 1, 1))),
            ("January 1, 2027", "1er janvier 2027", "1er janvier 2027"),
        )

    def test_other_days(self):
        for day, french in (
            (11, "11 janvier 2027"),
            (21, "21 janvier 2027"),
            (2, "2 janvier 2027"),
        ):
            with self.subTest(day=day):
                self.assertEqual(
                    self._in_languages(lambda env, day=day: format_day(env, date(2027, 1, day))),
                    (f"January {day}, 2027", french, french),
                )

    def test_other_patterns(self):
        for pattern, english, french in (
            ("medium", "Jan 1, 2027", "1er janv. 2027"),
            ("medium", "Jan 1, 2027", "1er janv. 2027"),
            ("full", "Friday, January 1, 2027", "vendredi 1er janvier 2027"),
            ("MMMM y", "January 2027", "janvier 2027"),
        ):
            with self.subTest(pattern=pattern):
                self.assertEqual(
                    self._in_languages(
                        lambda env, pattern=pattern: format_day(
                            env, date(2027, 1, 1), date_format=pattern
                        )
                    ),
                    (english, french, french),
                )

    def test_the_language_of_somebody_else(self):
        self.assertEqual(format_day(self.env, date(2027, 5, 1), "fr_FR"), "1er mai 2027")
        french = self.env(context={"lang": "fr_FR"})
        self.assertEqual(format_day(french, date(2027, 5, 1), "en_US"), "May 1, 2027")

    def test_no_day(self):
        self.assertEqual(format_day(self.env, False), "")
        self.assertEqual(format_moment(self.env, False, "UTC"), "")

    def test_hours(self):
        nbsp = "\N{NO-BREAK SPACE}"
        for moment, english, hour in (
            (datetime(2027, 1, 1, 13, 43), "January 1, 2027 at 8:43 AM", f"8{nbsp}h{nbsp}43"),
            (datetime(2027, 1, 1, 13, 5), "January 1, 2027 at 8:05 AM", f"8{nbsp}h{nbsp}05"),
            (datetime(2027, 1, 1, 22, 0), "January 1, 2027 at 5:00 PM", f"17{nbsp}h"),
        ):
            with self.subTest(moment=moment):
                french = f"1er janvier 2027 à {hour}"
                written = self._in_languages(
                    lambda env, moment=moment: format_moment(env, moment, "America/Toronto")
                )
                self.assertEqual(
                    (written[0].replace("\N{NARROW NO-BREAK SPACE}", " "), *written[1:]),
                    (english, french, french),
                )

    def test_percentages(self):
        nbsp = "\N{NO-BREAK SPACE}"
        self.assertEqual(
            self._in_languages(lambda env: format_percentage(env, 22.4, 1)),
            ("22.4%", f"22,4{nbsp}%", f"22,4{nbsp}%"),
        )
        self.assertEqual(
            self._in_languages(lambda env: format_percentages(env, "14.975% GST")),
            ("14.975% GST", f"14,975{nbsp}% GST", f"14,975{nbsp}% GST"),
        )
        self.assertEqual(format_percentages(self.env, "Exempt"), "Exempt")

    def test_labels_of_taxes(self):
        taxes = self.tax.with_env(self.env_root).copy({"name": "Tax", "invoice_label": "9.975%"})
        taxes += taxes.copy({"invoice_label": False, "name": "Five %"})
        self.assertEqual(
            self._in_languages(lambda env: taxes.with_env(env(su=True))._membri_get_labels()),
            (
                "9.975%, Five %",
                "9,975\N{NO-BREAK SPACE}%, Five %",
                "9,975\N{NO-BREAK SPACE}%, Five %",
            ),
        )

    def test_pages_and_papers(self):
        self.assertEqual(
            self._in_languages(
                lambda env: env["ir.qweb.field.membri_day"].value_to_html(date(2027, 1, 1), {})
            ),
            ("January 1, 2027", "1er janvier 2027", "1er janvier 2027"),
        )

    @freeze_time("2026-12-01 12:00:00")
    def test_terms_and_their_sentences(self):
        term = self._create_cotisation(
            self.member, date(2026, 1, 1), self.fixed, date_end=date(2026, 12, 31)
        )
        english, *french = self._in_languages(
            lambda env: term.with_env(env(su=True))._get_period_in_words()
        )
        self.assertIn("January 1, 2026", english)
        for text in french:
            self.assertIn("1er janvier 2026", text)
        displays = self._in_languages(lambda env: term.with_env(env(su=True)).term_display)
        self.assertIn("Jan 1, 2026", displays[0])
        self.assertIn("1er janv. 2026", displays[1])
        self.assertIn("1er janv. 2026", displays[2])
