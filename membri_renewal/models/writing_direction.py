import unicodedata

import lxml.html

from odoo import api, models

# what tells wkhtmltopdf the direction of a text: it knows neither ``dir="auto"`` nor ``<bdi>``
MARKS = {"rtl": "\u202b", "ltr": "\u202a"}
END_MARK = "\u202c"
DIRECTIONS = {"R": "rtl", "AL": "rtl", "L": "ltr"}
CLOSING = {"(": ")", "[": "]", "{": "}", "«": "»"}
PARTS = (
    "//div[contains(concat(' ', normalize-space(@class), ' '), ' article ')"
    " or contains(concat(' ', normalize-space(@class), ' '), ' header ')"
    " or contains(concat(' ', normalize-space(@class), ' '), ' footer ')]"
)


def embed(text, base):
    """Arabic or Hebrew in a French document, and the other way round: brackets stay where they
    belong to.

    :param base: ``ltr`` or ``rtl``, the direction of the document
    :return: ``text`` with marks (which are not seen) around what is written the other way: all of
        it when it begins so, as a name does, else each part
    """
    other = "rtl" if base == "ltr" else "ltr"
    directions = [DIRECTIONS.get(unicodedata.bidirectional(letter)) for letter in text]
    if other not in directions:
        return text
    if next(filter(None, directions)) == other:
        body = text.strip()
        start = text.index(body)
        return f"{text[:start]}{MARKS[other]}{body}{END_MARK}{text[start + len(body) :]}"
    result, position = [], 0
    while position < len(text):
        if directions[position] != other:
            result.append(text[position])
            position += 1
            continue
        end = _find_end(text, directions, position, other)
        result += [MARKS[other], text[position:end], END_MARK]
        position = end
    return "".join(result)


def _find_end(text, directions, start, direction):
    """:return: the end of the part that begins at ``start``, with the brackets that it opened"""
    end = start + 1
    for position in range(start, len(text)):
        if directions[position] == direction:
            end = position + 1
        elif directions[position]:
            break
    opened = []
    for letter in text[start:end]:
        if letter in CLOSING:
            opened.append(CLOSING[letter])
        elif opened and letter == opened[-1]:
            opened.pop()
    while opened and text[end : end + 1] == opened[-1]:
        opened.pop()
        end += 1
    return end


class IrActionsReport(models.Model):
    """Each text on our paper has the direction of its own letters, whatever the language of the
    document."""

    _inherit = "ir.actions.report"

    @api.model
    def _render_qweb_html(self, report_ref, docids, data=None):
        # EXTENDS base
        html, report_type = super()._render_qweb_html(report_ref, docids, data=data)
        if self._get_report(report_ref).report_name.startswith("membri_renewal."):
            html = self._membri_embed_directions(html)
        return html, report_type

    @api.model
    def _membri_embed_directions(self, html):
        """:param html: bytes of a whole report
        :return: the same, marked where a text is written against its document"""
        text = html.decode()
        # nearly always: every language is left to right, and so is every letter
        if text.isascii() or not any(
            "\u0590" <= letter <= "\u08ff" or "\ufb1d" <= letter <= "\ufefc" for letter in set(text)
        ):
            return html
        root = lxml.html.fromstring(html, parser=lxml.html.HTMLParser(encoding="utf-8"))
        for part in root.xpath(PARTS):
            lang = part.get("data-oe-lang") or self.env.lang or "en_US"
            base = self.env["res.lang"]._get_data(code=lang).direction or "ltr"
            for node in part.iter():
                if not isinstance(node.tag, str) or node.tag in ("style", "script"):
                    continue
                if node.text:
                    node.text = embed(node.text, base)
                for child in node:
                    if child.tail:
                        child.tail = embed(child.tail, base)
        return lxml.html.tostring(root, encoding="utf-8", doctype="<!DOCTYPE html>")
