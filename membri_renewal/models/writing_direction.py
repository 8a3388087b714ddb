import functools
import shutil
import unicodedata

import lxml.html

from odoo import api, models

# what tells wkhtmltopdf the direction of a text: it knows neither ``dir="auto"`` nor ``<bdi>``
MARKS = {"rtl": "\u202b", "ltr": "\u202a"}
END_MARK = "\u202c"
DIRECTIONS = {"R": "rtl", "AL": "rtl", "L": "ltr"}
CLOSING = {"(": ")", "[": "]", "{": "}", "«": "»"}
BRACKETS = {*CLOSING, *CLOSING.values()}
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
        # within it, brackets of the document's own letters
        marked = _embed_parts(body, base, lambda part: any(map(part.count, BRACKETS)))
        return f"{text[:start]}{MARKS[other]}{marked}{END_MARK}{text[start + len(body) :]}"
    return _embed_parts(text, other)


def _embed_parts(text, direction, is_marked=bool):
    """:param is_marked: function from a part to whether it needs its marks
    :return: ``text`` with marks around each part that is written in ``direction``"""
    directions = [DIRECTIONS.get(unicodedata.bidirectional(letter)) for letter in text]
    result, position = [], 0
    while position < len(text):
        if directions[position] != direction:
            result.append(text[position])
            position += 1
            continue
        end = _find_end(text, directions, position, direction)
        part = text[position:end]
        result.append(f"{MARKS[direction]}{part}{END_MARK}" if is_marked(part) else part)
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


@functools.cache
def is_mirrored():
    """Odoo mirrors the pages of Arabic and Hebrew with a program that not every server has.

    :return: whether this one has it; else they are printed from left to right, too
    """
    return bool(shutil.which("rtlcss"))


class IrActionsReport(models.Model):
    """Each text on our paper, and on Odoo's invoices of memberships, has the direction of its own
    letters, whatever the language of the document."""

    _inherit = "ir.actions.report"

    @api.model
    def _render_qweb_html(self, report_ref, docids, data=None):
        # EXTENDS base
        html, report_type = super()._render_qweb_html(report_ref, docids, data=data)
        if self._membri_is_ours(self._get_report(report_ref), docids):
            html = self._membri_embed_directions(html)
        return html, report_type

    @api.model
    def _membri_is_ours(self, report, docids):
        """:return: whether the documents are ours, or Odoo's of memberships"""
        if report.report_name.startswith("membri_renewal."):
            return True
        if report.model != "account.move" or not docids:
            return False
        # sudo: what is asked for was rendered, whoever may read it
        moves_sudo = self.env["account.move"].sudo().browse(docids)
        return any(moves_sudo.mapped("membri_invoice_type"))

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
            is_rtl = self.env["res.lang"]._get_data(code=lang).direction == "rtl"
            base = "rtl" if is_rtl and is_mirrored() else "ltr"
            for node in part.iter():
                if not isinstance(node.tag, str) or node.tag in ("style", "script"):
                    continue
                if node.text:
                    node.text = embed(node.text, base)
                for child in node:
                    if child.tail:
                        child.tail = embed(child.tail, base)
        return lxml.html.tostring(root, encoding="utf-8", doctype="<!DOCTYPE html>")
