from odoo.tests import BaseCase, tagged

from ..models.moving_in.cells import AMBIGUOUS, clean_identifier, parse_amount


@tagged("post_install", "-at_install")
class TestImportCells(BaseCase):
    """Amounts and numbers as people, and their programs, write them."""

    def test_amounts(self):
        for text, amount in (
            ("1 234,50 $", 1234.5),
            ("1\u202f234,50\xa0$", 1234.5),
            ("1,234.50", 1234.5),
            ("CA$1,234.50", 1234.5),
            ("1.234,56 €", 1234.56),
            ("1'234.50", 1234.5),
            ("CHF 1’234.-", 1234.0),
            ("12,34,567.00", 1234567.0),
            ("1.234.567,89", 1234567.89),
            ("1,234", 1234.0),
            ("12,5", 12.5),
            ("12.", 12.0),
            ("120 CAD", 120.0),
            ("120 par an", 120.0),
            ("33.333", 33.333),
            ("1.5E3", 1500.0),
            ("1,4210854715202E-14", 0.0),
            ("$ -", 0.0),
            ("0", 0.0),
            (".50", 0.5),
            ("$.99", 0.99),
            ("Fr.50", 50.0),
            ("0,500", 0.5),
            ("1.000,-", 1000.0),
            ("1.250,–", 1250.0),
            ("1.234.567", 1234567.0),
            ("1 234,567", 1234.567),
            ("1234,567", 1234.567),
            ("12,34,567", 1234567.0),
        ):
            with self.subTest(text=text):
                self.assertEqual(parse_amount(text), amount)

    def test_credits(self):
        for text in ("-50", "−50", "–50,00 $", "50-", "50,00 $-", "(50.00)", "$(50.00)",
                     "(50,00) $", "(50,00 $)", "-$50.00", "$-50", "50.00 CR"):  # fmt: skip
            with self.subTest(text=text):
                self.assertEqual(parse_amount(text), -50.0)

    def test_no_amount(self):
        for text in ("free", "N/A", "2 x 60", "120/2026", "12-15", "60 + 60", "½", "", "A-",
                     "9E999"):  # fmt: skip
            with self.subTest(text=text), self.assertRaises(ValueError):
                parse_amount(text)

    def test_read_in_two_ways(self):
        for text, doubted in (
            ("1.234", True),
            ("$120,000", True),
            ("0.500", False),
            ("1.000,-", False),
            ("1,234.50", False),
        ):
            with self.subTest(text=text):
                self.assertEqual(bool(AMBIGUOUS.fullmatch(text)), doubted)

    def test_identifiers(self):
        for text, cleaned in (
            ("1234.0", "1234"),
            ("007,00", "007"),
            ("12.5", "12.5"),
            ("A.0",) * 2,
        ):
            self.assertEqual(clean_identifier(text), cleaned)
