"""Dates as lists write them. What can be read in two ways is not guessed."""

import re
from datetime import date, datetime, timedelta

from .reading import normalize

ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?$")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})$")
NUMBERS = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})(?:[T ,].*)?$")
YEAR = re.compile(r"(\d{4})$")
MONTH_FIRST = re.compile(r"(\d{1,2})[-/. ](\d{4})$")
YEAR_FIRST = re.compile(r"(\d{4})[-/. ](\d{1,2})$")
ORDINAL = re.compile(r"\b(\d{1,2})(?:er|st|nd|rd|th)\b")
SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?$")
# how some databases write that there is none
ZERO_DATE = re.compile(r"0000-00-00(?: 00:00:00)?$")
SERIAL_EPOCH = date(1899, 12, 30)
FIRST_YEAR, LAST_YEAR = 1900, 2150
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january janvier januar jan janv",
            "february fevrier februar feb fev fevr",
            "march mars marz maerz mar",
            "april avril apr avr",
            "may mai",
            "june juin juni jun",
            "july juillet juli jul juil",
            "august aout aug",
            "september septembre sep sept",
            "october octobre oktober oct okt",
            "november novembre nov",
            "december decembre dezember dec dez",
        ),
        1,
    )
    for name in names.split()
}


class NotADate(ValueError):
    """``args[0]`` is ``year``, ``ambiguous`` or ``unknown``."""


def get_proof(text):
    """:return: ``dmy`` or ``mdy`` when this date can only be read so, else ``None``"""
    match = NUMBERS.match(text)
    if not match or match[2] == ".":
        return None
    first, second = int(match[1]), int(match[3])
    if first > 12 >= second:
        return "dmy"
    if second > 12 >= first:
        return "mdy"
    return None


def read_date(text, order):
    """:param order: ``dmy``, ``mdy`` or ``None``: how days and months are in order in this list
    :return: the ``date``
    :raises NotADate: with the reason"""
    day = _read(text, order)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise NotADate("year")
    return day


def _read(text, order):
    if match := ISO.match(text) or COMPACT.match(text):
        return _make(match[1], match[2], match[3])
    if SERIAL.match(text):
        return SERIAL_EPOCH + timedelta(days=int(text[:5]))
    if match := NUMBERS.match(text):
        first, second, year = match[1], match[3], match[4]
        if len(year) == 2:
            year = _complete_year(year)
        if match[2] == ".":  # 24.01.1985 is written by those who put the day first
            return _make(year, second, first)
        if proof := get_proof(text):
            order = proof
        elif first == second:
            order = "dmy"
        if not order:
            raise NotADate("ambiguous")
        return _make(year, second, first) if order == "dmy" else _make(year, first, second)
    return _read_words(text)


def read_first_day(text):
    """Of a fact that goes back far, people often know no more than the year, or its month.

    :return: the first day of “2015”, “mars 2018”, “03/2018” or “2018-03”
    :raises NotADate: when it is nothing of these"""
    if match := YEAR.match(text):
        return _make(match[1], 1, 1)
    if match := MONTH_FIRST.match(text):
        return _make(match[2], match[1], 1)
    if match := YEAR_FIRST.match(text):
        return _make(match[1], match[2], 1)
    words = normalize(text).split()
    if len(words) == 2 and words[0] in MONTHS and YEAR.match(words[1]):
        return _make(words[1], MONTHS[words[0]], 1)
    raise NotADate("unknown")


def _read_words(text):
    """1er janvier 2027, January 1st, 2027, 1-Jan-2027, and 1-janv-27 as Excel shows it"""
    words = ORDINAL.sub(r"\1", normalize(text)).split()
    months = [MONTHS[word] for word in words if word in MONTHS]
    numbers = [word for word in words if word.isdigit()]
    days = [number for number in numbers if len(number) <= 2]
    years = [number for number in numbers if len(number) == 4]
    if not years and len(days) == 2 and len(words) == 3 and words[1] in MONTHS:
        years = [_complete_year(days.pop())]
    if len(months) != 1 or not days or not years:
        raise NotADate("unknown")
    return _make(years[0], months[0], days[0])


def _complete_year(year):
    """:param year: its last two digits"""
    return int(year) + (2000 if int(year) < 70 else 1900)


def _make(year, month, day):
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise NotADate("year")
    try:
        return datetime(int(year), int(month), int(day)).date()
    except ValueError as error:
        raise NotADate("unknown") from error
