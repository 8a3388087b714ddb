import io
import logging
import re
from copy import deepcopy

import lxml.html
from markupsafe import Markup

from odoo import models
from odoo.tools.pdf import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    PdfFileReader,
    PdfFileWriter,
)

_logger = logging.getLogger(__name__)

# fewer, and what the second call of wkhtmltopdf costs is more than what it saves
FEWEST = 5
# the parts of a report, as ``_prepare_html`` of Odoo finds them
PART = "//div[contains(concat(' ', normalize-space(@class), ' '), ' {} ')]"
CLASS = "descendant-or-self::*[contains(concat(' ', normalize-space(@class), ' '), ' {} ')]"
HEADINGS = ".//h1 | .//h2 | .//h3 | .//h4 | .//h5 | .//h6"
PAGE_BREAK = '<div style="page-break-before: always;">%s</div>'
# a page with nothing on it
BLANK = (
    '<!DOCTYPE html><html><body style="margin: 0;"><div style="height: 1px;"></div></body></html>'
)
# one white dot, printed in the size that wkhtmltopdf prints everything in, but for a document with
# something too wide in it, which it shrinks as a whole
RULER = BLANK.replace("height: 1px;", "width: 1px; height: 1px; background: #fff;")
SCALE = re.compile(rb"(?<=\s)(\d\.\d+) 0 0 \1 0 \S+ cm\b")
# reads the style sheets and fonts before the letterheads do, which wkhtmltopdf prints without
# whatever has not arrived (its issue 2083)
PRELOAD = (
    '<div style="position: absolute; visibility: hidden; overflow: hidden; height: 1px;">%s</div>'
)
LETTERHEAD = "/MembriLetterhead"


class IrActionsReport(models.Model):
    """What many documents have in common is printed once.

    Odoo gives wkhtmltopdf a page for each body, and two more, header and footer, for each page
    that is printed; each of them reads all style sheets. Here the bodies are one document, which
    is cut at its headings; each letterhead (header and footer with the page number) is printed
    once, and laid over its pages. ``tests/test_printed_together.py`` compares the pages with
    those of Odoo, as pictures."""

    _inherit = "ir.actions.report"

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        # EXTENDS base
        contents = self._membri_print_together(report_ref, data or {}, res_ids or [])
        if contents:
            return {
                res_id: {"stream": io.BytesIO(contents[res_id]), "attachment": None}
                for res_id in res_ids
            }
        return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)

    def _membri_print_together(self, report_ref, data, res_ids):
        """Print many documents in one run.

        :return: ``{id: bytes}``, or nothing where each has to be printed for itself: reports of
            others, few documents, or documents that are no letters (no header, say)
        """
        report_sudo = self._get_report(report_ref).with_context(debug=False)
        if (
            not report_sudo.report_name.startswith("membri_renewal.")
            or report_sudo.attachment
            or not FEWEST <= len(res_ids) == len(set(res_ids))
            or self.get_wkhtmltopdf_state() == "install"
        ):
            return {}
        html, _type = self.with_context(debug=False)._render_qweb_html(
            report_ref, res_ids, data={"report_type": "pdf", "debug": False, **data}
        )
        root = lxml.html.fromstring(html, parser=lxml.html.HTMLParser(encoding="utf-8"))
        articles, headers, footers = (
            root.xpath(PART.format(part)) for part in ("article", "header", "footer")
        )
        if not report_sudo._membri_are_letters(res_ids, articles, headers, footers):
            return {}
        options = {
            "report_ref": report_ref,
            "landscape": self.env.context.get("landscape"),
            "specific_paperformat_args": {
                name: value for name, value in root.items() if name.startswith("data-report-")
            },
            "set_viewport_size": self.env.context.get("set_viewport_size"),
        }
        documents = self._membri_print_bodies(report_sudo, articles, options)
        letterheads = documents and self._membri_print_letterheads(
            report_sudo,
            [
                (headers[number], footers[number], page, len(own_pages))
                for number, own_pages in documents
                for page in range(1, len(own_pages) + 1)
            ],
            options,
        )
        if not letterheads:
            return {}
        remaining = iter(letterheads)
        return {
            int(articles[number].get("data-oe-id")): _compose(
                [(page, next(remaining)) for page in own_pages]
            )
            for number, own_pages in documents
        }

    def _membri_print_bodies(self, report_sudo, articles, options):
        """Print the bodies as one document for each language, whose style sheets and direction it
        has, and cut it at their headings.

        :return: list of ``(number of the article, its pages)``, empty where that cannot be told"""
        by_lang = {}
        for number, article in enumerate(articles):
            by_lang.setdefault(article.get("data-oe-lang"), []).append(number)
        order = [number for numbers in by_lang.values() for number in numbers]
        bodies = [
            report_sudo._membri_lay_out(
                "".join(
                    PAGE_BREAK % _as_html(articles[number])
                    if position
                    else _as_html(articles[number])
                    for position, number in enumerate(numbers)
                ),
                lang=lang,
            )
            for lang, numbers in by_lang.items()
        ]
        reader = PdfFileReader(io.BytesIO(self._run_wkhtmltopdf([RULER, *bodies], **options)))
        ruler, *pages = reader.pages
        starts = [page - 1 for page in _find_documents(reader)]
        if len(starts) != len(articles) or starts[0] != 0:
            return []  # headings of a text of the customer's own
        scale = _get_scale(ruler)
        if not scale or any(_get_scale(pages[start]) != scale for start in starts):
            return []  # one of them is too wide: the others are not to shrink with it
        return [
            (number, pages[start:end])
            for number, start, end in zip(order, starts, [*starts[1:], len(pages)], strict=True)
        ]

    def _membri_are_letters(self, res_ids, articles, headers, footers):
        """Look at the parts of what is to be printed together.

        :return: whether they are of documents with a letterhead each, whose bodies can stand one
            after the other
        """
        self.ensure_one()
        ids = [
            int(article.get("data-oe-id") or 0)
            for article in articles
            if article.get("data-oe-model") == self.model
        ]
        if ids != list(res_ids) or not len(articles) == len(headers) == len(footers):
            return False
        # they are told apart by their headings: one each, all of one level, or else pages of one
        # document would be taken for those of another
        headings = [article.xpath(HEADINGS) for article in articles]
        if any(len(found) != 1 for found in headings):
            return False
        if len({found[0].tag for found in headings}) > 1:
            return False
        # the frames of this layout are cut by a page a hair elsewhere in a longer document
        if any("o_report_layout_bubble" in (article.get("class") or "") for article in articles):
            return False
        # what is fixed shows on each page of a document, also on those of the others
        if any(
            "position-fixed" in html or "position:fixed" in html.replace(" ", "")
            for html in map(_as_html, articles)
        ):
            return False
        # names of headings, which wkhtmltopdf would fill in
        return not any(
            part.xpath(CLASS.format(name))
            for part in (*headers, *footers)
            for name in ("section", "subsection", "subsubsection")
        )

    def _membri_lay_out(self, body, lang=None, is_letterhead=False):
        """:param body: HTML of all bodies, or of all headers or footers
        :return: the page for wkhtmltopdf, as ``_prepare_html`` of Odoo makes it"""
        layout = self._get_layout()
        IrQweb = self.env["ir.qweb"].with_context(lang=lang or self.env.context.get("lang"))
        return IrQweb._render(
            layout.id,
            {
                "subst": is_letterhead,
                "body": Markup(body),  # nosec B704: rendered and escaped by the report's template
                "base_url": self._get_report_url(layout=layout),
                "report_xml_id": self.xml_id,
                "debug": False,
            },
        )

    def _membri_print_letterheads(self, report_sudo, wanted, options):
        """:param wanted: list of ``(header, footer, page, pages)``
        :return: the printed page for each of them, or nothing where one came out empty"""
        keys = [
            tuple(_number(part, page, pages) for part in (header, footer))
            for header, footer, page, pages in wanted
        ]
        distinct = list(dict.fromkeys(keys))
        header, footer = (
            report_sudo._membri_lay_out(
                f'<div id="minimal_layout_report_{name}">{"".join(parts)}</div>', is_letterhead=True
            )
            for name, parts in zip(("headers", "footers"), zip(*distinct, strict=True), strict=True)
        )
        preload = report_sudo._membri_lay_out(PRELOAD % "".join(distinct[0]))
        content = self._run_wkhtmltopdf(
            [preload, *[BLANK] * (len(distinct) - 1)], header=header, footer=footer, **options
        )
        printed = list(PdfFileReader(io.BytesIO(content)).pages)
        if len(printed) != len(distinct) or not all(map(_has_text, printed)):
            _logger.warning("Letterheads came out empty: each document is printed for itself")
            return []
        found = dict(zip(distinct, printed, strict=True))
        return [found[key] for key in keys]


def _as_html(node):
    return lxml.html.tostring(node, encoding="unicode", with_tail=False)


def _number(part, page, pages):
    """:return: the HTML of a header or footer of one page of a document"""
    part = deepcopy(part)
    for name, number in (("page", page), ("topage", pages)):
        for node in part.xpath(CLASS.format(name)):
            for child in list(node):
                node.remove(child)
            node.text = str(number)
            node.set("class", " ".join(word for word in node.get("class").split() if word != name))
    return _as_html(part)


def _find_documents(reader):
    """:return: the pages that headings of the first level are on: where documents begin"""
    root = reader.trailer["/Root"]
    if "/Dests" not in root or "/First" not in root.get("/Outlines", {}):
        return []
    node = root["/Outlines"]["/First"]
    pages = set()
    while True:
        pages.add(int(root["/Dests"][node["/Dest"]][0]))
        if "/Next" not in node:
            return sorted(pages)
        node = node["/Next"]


def _get_scale(page):
    """:return: in what size the page is printed, as it stands in its PDF"""
    found = SCALE.search(page.get_contents().get_data())
    return found and found[1]


def _has_text(page):
    return bool(page["/Resources"].get("/Font"))


def _compose(pages):
    """:param pages: list of ``(page of a body, page with its letterhead)``
    :return: the PDF of one document"""
    writer = PdfFileWriter()
    for page, letterhead in pages:
        form = DecodedStreamObject()
        form.set_data(letterhead.get_contents().get_data())
        form = form.flate_encode()
        # clipped by the page alone, so that its edges are drawn as they were
        width, height = (int(length) + 1 for length in letterhead["/MediaBox"][2:])
        box = (-width, -height, 2 * width, 2 * height)
        form.update(
            {
                NameObject("/Type"): NameObject("/XObject"),
                NameObject("/Subtype"): NameObject("/Form"),
                NameObject("/BBox"): ArrayObject(map(NumberObject, box)),
                NameObject("/Resources"): letterhead["/Resources"],
            }
        )
        resources = DictionaryObject(page["/Resources"])
        objects = DictionaryObject(resources.get("/XObject") or {})
        objects[NameObject(LETTERHEAD)] = form
        resources[NameObject("/XObject")] = objects
        page[NameObject("/Resources")] = resources
        drawn = DecodedStreamObject()
        data = page.get_contents().get_data()
        drawn.set_data(b"q\n" + data + b"\nQ\n" + LETTERHEAD.encode() + b" Do\n")
        page[NameObject("/Contents")] = drawn.flate_encode()
        writer.add_page(page)
    result = io.BytesIO()
    writer.write(result)
    return result.getvalue()
