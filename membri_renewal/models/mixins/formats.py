"""Days, hours and percentages as a language writes them in a sentence. Babel knows no « 1er
janvier », and Odoo no « 8 h 43 »: what people read takes them from here."""

import re
from datetime import UTC

from babel.dates import format_time, get_datetime_format, get_timezone

from odoo import api, models
from odoo.tools import babel_locale_parse, format_date, formatLang
from odoo.tools.misc import get_lang

NBSP = "\N{NO-BREAK SPACE}"
FIRST_OF_MONTH = re.compile(r"\b1(?= [^\W\d])")
DOUBLE_PERIOD = re.compile(r"(?<=\w)\.\.(?!\.)")
ANYTHING = "\0"  # in a phrase that is looked for: a name that may have been another one
PERCENTAGE = re.compile(r"(\d+)(?:[.,](\d+))?\s?%")


def _get_locale(env, lang=None):
    return babel_locale_parse(get_lang(env, lang).code)


def format_day(env, day, lang=None, date_format="long"):
    """:param day: a date, or a datetime in UTC, which counts in the time zone of the context
    :param lang: a language code (default: the reader's)
    :param date_format: as for ``format_date`` of Odoo
    :return: the day in words: “January 1, 2027”, « 1er janvier 2027 »; empty for no day"""
    text = format_date(env, day, lang_code=lang, date_format=date_format)
    if text and _get_locale(env, lang).language == "fr":
        text = FIRST_OF_MONTH.sub("1er", text)
    return text


def format_moment(env, moment, tz, lang=None):
    """:param moment: a datetime in UTC
    :param tz: the name of the time zone to tell it in
    :return: day and hour: “January 1, 2027 at 8:43 AM”, « 1er janvier 2027 à 8 h 43 »"""
    if not moment:
        return ""
    locale = _get_locale(env, lang)
    local = moment.replace(tzinfo=UTC).astimezone(get_timezone(tz or "UTC"))
    if locale.language == "fr":
        hour = f"{local.hour}{NBSP}h" + (f"{NBSP}{local.minute:02}" if local.minute else "")
    else:
        hour = format_time(local, "short", locale=locale)
    pattern = str(get_datetime_format("long", locale=locale)).replace("'", "")
    return pattern.format(hour, format_day(env, local.date(), lang))


def end_once(sentence):
    """:param sentence: one that may end in a name, such as “Plomberie Roy inc.”
    :return: the same with one period, not two, after the name"""
    return DOUBLE_PERIOD.sub(".", sentence)


def end_sentence(text):
    """:param text: what another program says, over several lines perhaps, or nothing
    :return: the same as a sentence, before one of ours"""
    said = " ".join((text or "").split())
    return said if not said or said.endswith((".", "!", "?", "…")) else f"{said}."


def is_said_in(text, phrase):
    """:param text: what somebody is asked, be it with what was added to it
    :param phrase: a name, or a whole question, in which ``ANYTHING`` stands for any name
    :return: whether the text says the phrase itself, not a longer name: “R1” is not in “R10”"""
    text, pieces = text or "", phrase.split(ANYTHING)
    if not all(piece in text for piece in pieces):
        return False
    said = ".+?".join(map(re.escape, pieces))
    return bool(re.search(rf"(?<![\w/-]){said}(?![/-]?\w)", text))


def localize_path(env, path, lang_code):
    """Return ``path``, of a page of the portal, in the language of ``lang_code`` and not in that
    of the browser which opens it."""
    lang = env["res.lang"]._get_data(code=lang_code)
    if lang and len(env["res.lang"].get_installed()) > 1:
        return f"/{lang.url_code}{path}"
    return path


def format_percentage(env, value, digits=0):
    """:return: ``value`` (50 for a half) with its sign: “22.4%”, « 22,4 % »"""
    number = formatLang(env, value, digits=digits)
    is_close = "0%" in _get_locale(env).percent_formats[None].pattern
    return f"{number}%" if is_close else f"{number}{NBSP}%"


def format_percentages(env, text):
    """Return ``text``, such as the name of a tax, with its percentages as the reader's language
    writes them."""

    def replace(match):
        digits = len(match[2] or "")
        return format_percentage(env, float(f"{match[1]}.{match[2] or 0}"), digits)

    return PERCENTAGE.sub(replace, text or "")


class IrQwebFieldMembriDay(models.AbstractModel):
    """``t-options='{"widget": "membri_day"}'``: a day on our pages and papers."""

    _name = "ir.qweb.field.membri_day"
    _description = "Day in Words"
    _inherit = "ir.qweb.field.date"

    @api.model
    def value_to_html(self, value, options):
        return format_day(self.env, value, date_format=options.get("format") or "long")
