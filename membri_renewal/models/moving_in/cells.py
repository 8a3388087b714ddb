"""What stands in a cell of a list, beside texts and dates: amounts, and the options of a term."""

import math
import re
from dataclasses import dataclass

from .reading import normalize
from .targets import AGREED

SEPARATOR = " | "
# of the parts of an option: in the text of a cell they would begin another one
STRUCTURE = str.maketrans("|;\n\r", "    ")


# blanks and apostrophes only stand before three digits: “2 x 60” and “120 2026” are two numbers;
# “.50” is half of one, and “Fr.50” is fifty
NUMBER = re.compile(r"(?:\d|(?<![^\W\d_])[.,](?=\d))(?:[\d.,]|[\s'’](?=\d{3}(?!\d)))*")
SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]?\d+", re.IGNORECASE)
MINUS = "-−–"  # of keyboards, of typographers, of word processors
# “1.234” and “1,234” are a thousand to some, and a little more than one to others
AMBIGUOUS = re.compile(r"[^\d.,]*[1-9]\d{0,2}([.,])\d{3}[^\d.,]*")
THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+")
# what the spreadsheet program has made of a long number, or of one with nothing behind the comma
SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
POINT_ZERO = re.compile(r"(\d+)[.,]0+")


def parse_amount(text):
    """:return: “1 234,50 $”, “1,234.50”, “1.234,50”, “(50.00)”, “50.00-” or “50 CR” as a number;
        zero for “$ -”, as accountants write it
    :raises ValueError: when it is none, or more than one"""
    text = text.strip()
    if SCIENTIFIC.fullmatch(text):
        amount = float(text.replace(",", "."))
        if not math.isfinite(amount):
            raise ValueError(text)
        return round(amount, 6)
    numbers = list(NUMBER.finditer(text))
    if not numbers and text[-1:] in tuple(MINUS) and not any(map(str.isalnum, text)):
        return 0.0
    if len(numbers) != 1:
        raise ValueError(text)
    before, after = text[: numbers[0].start()], text[numbers[0].end() :]
    digits = re.sub(r"[\s'’]", "", numbers[0][0])
    is_whole = digits[-1] in ".,"  # “50.–” is how the Swiss write 50.00
    if is_whole:
        digits, after = digits.rstrip(".,"), after.lstrip(MINUS)
    if THOUSANDS.fullmatch(digits) and (is_whole or digits.count(".") > 1):
        digits = digits.replace(".", "").replace(",", "")
    comma, point = digits.rfind(","), digits.rfind(".")
    # “1,234” is a thousand; “1 234,567”, “0,500” and “12,5” are not whole
    is_decimal = digits.count(",") == 1 and (
        digits != numbers[0][0] or digits[0] in "0," or not THOUSANDS.fullmatch(digits)
    )
    if comma > point and (point >= 0 or is_decimal):
        digits = digits.replace(".", "").replace(",", ".")
    else:
        digits = digits.replace(",", "")
    amount = round(float(digits), 6)
    behind = "".join(c for c in after if c.isalpha() or c in MINUS)
    is_negative = (
        any(sign in before for sign in MINUS)
        or (behind != "" and behind in MINUS)
        or behind.upper() == "CR"
        or ("(" in before and ")" in after)
    )
    return -amount if is_negative else amount


def clean_identifier(text):
    """Return a number that is a name, such as a member's, without what a spreadsheet program
    has added: “1234.0” is “1234”."""
    match = POINT_ZERO.fullmatch(text)
    return match[1] if match else text


@dataclass
class Option:
    """One option of a term, in the text of a cell: a line, or what stands between semicolons:
    ``name | quantity | unit price | agreed | quantity before proration | agreed price before
    proration``, of which only the name must be told."""

    name: str
    quantity: float = 1.0
    price: float | None = None
    is_agreed: bool = False
    full_quantity: float = 0.0
    full_price: float = 0.0

    @classmethod
    def parse(cls, text):
        """:raises ValueError: when there is no name, or no number where one is expected"""
        name, *rest = (part.strip() for part in text.split("|"))
        if not name or len(rest) > 5:
            raise ValueError(text)
        quantity, price, agreed, full_quantity, full_price = [*rest, *[""] * 5][:5]
        option = cls(
            name,
            parse_amount(quantity) if quantity else 1.0,
            parse_amount(price) if price else None,
            normalize(agreed) in AGREED,
            parse_amount(full_quantity) if full_quantity else 0.0,
            parse_amount(full_price) if full_price else 0.0,
        )
        if option.quantity <= 0 or normalize(agreed) not in {*AGREED, "", "no", "non"}:
            raise ValueError(text)
        return option

    def write_out(self):
        """:return: the text that :meth:`parse` reads"""
        parts = [
            self.name.translate(STRUCTURE),
            str(self.quantity),
            "" if self.price is None else str(self.price),
            "agreed" if self.is_agreed else "",
            str(self.full_quantity) if self.full_quantity else "",
            str(self.full_price) if self.full_price else "",
        ]
        while not parts[-1]:
            parts.pop()
        return SEPARATOR.join(parts)


def split_options(text):
    """:return: the texts of the options of a cell"""
    return [part.strip() for part in re.split(r"[;\n\r]+", text) if part.strip(" |")]
