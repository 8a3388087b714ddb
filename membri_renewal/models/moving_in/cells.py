"""What stands in a cell of a list, beside texts and dates: amounts, and the options of a term."""

import re
from dataclasses import dataclass

from .reading import normalize
from .targets import AGREED

SEPARATOR = " | "
# of the parts of an option: in the text of a cell they would begin another one
STRUCTURE = str.maketrans("|;\n\r", "    ")


def parse_amount(text):
    """:return: “1 234,50 $”, “1,234.50”, “1.234,50” or “(50.00)” as a number
    :raises ValueError: when it is none"""
    digits = "".join(c for c in text if c.isdigit() or c in ".,-")
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma > point and (point >= 0 or len(digits) - comma - 1 != 3):
        digits = digits.replace(".", "").replace(",", ".")
    else:
        digits = digits.replace(",", "")
    amount = round(float(digits), 6)
    is_negative = text.strip().startswith("(") and text.strip().endswith(")")
    return -abs(amount) if is_negative else amount


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
