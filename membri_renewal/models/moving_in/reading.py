"""A list as people send it: CSV in any encoding, XLSX or ODS, read row by row. What comes out is
text: dates as ``YYYY-MM-DD`` where the file says that they are dates."""

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from contextlib import suppress
from datetime import date, datetime, time
from functools import lru_cache
from itertools import islice

import chardet
import openpyxl
from lxml import etree

from odoo.exceptions import UserError
from odoo.tools import remove_accents

MEGABYTE = 1024 * 1024
MAX_BYTES = 100 * MEGABYTE
# of a spreadsheet, which is packed
MAX_UNPACKED = 500 * MEGABYTE
MAX_PACKING = 200
MAX_COLUMNS = 400
MAX_ROWS = 500_000
# rows of a sheet, for spreadsheet programs: what says that it has more is damaged
SHEET_ROWS = 1_048_576
# beyond it a cell is an accident, such as a quote that is never closed
MAX_CELL = 30_000
DELIMITERS = "\t;|,"
# no list means them, and no document can show them; nor what is as wide as nothing and only says
# which way to write: it comes along when a name or a number is copied from a page
CONTROLS = dict.fromkeys(
    [
        *(number for number in range(32) if chr(number) not in "\t\n\r"),
        *(0x200B, 0x200E, 0x200F, 0xFEFF),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ]
)
# what spreadsheet programs show where a formula has no value
CELL_ERRORS = {
    "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!",
    "#FIELD!", "#GETTING_DATA", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!",
}  # fmt: skip
PACKED = b"PK\x03\x04"  # how XLSX and ODS begin
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
# what a broken file makes of the libraries; time or memory that is over says nothing about the file
DAMAGES = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, SyntaxError),
    *(TypeError, ValueError, NotImplementedError, AssertionError, zipfile.BadZipFile, zlib.error),
    *(etree.LxmlError, openpyxl.utils.exceptions.InvalidFileException),
)
CELLS = (f"{TABLE}table-cell", f"{TABLE}covered-table-cell")
# a cell that begins like this is a formula to a spreadsheet program
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_formula(text):
    """:return: ``text`` for a cell of a file that we write: never a formula"""
    is_number = text[1:].replace(".", "", 1).replace(",", "", 1).isdigit()
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not is_number else text


def normalize(text):
    """:return: the words of ``text`` without case, accents and signs: to compare names"""
    text = str(text or "")
    return _get_words(text) if len(text) < 100 else _get_words.__wrapped__(text)


@lru_cache(maxsize=4096)  # the same plans, statuses and headers stand on row after row
def _get_words(text):
    plain = remove_accents(text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def read_list(env, content, filename, sheets=None):
    """:param content: the bytes of the file
    :param sheets: a list that gets, once the last row was read, the names of further sheets
        that are not empty and are not read
    :return: ``(names of the columns, iterator of (number of the row, its cells))``; the rows
        are numbered as a spreadsheet program shows them
    :raises UserError: when this is no list, or too large a one"""
    sheets = [] if sheets is None else sheets
    rows = _skip_empty(env, _get_rows(env, content, filename, sheets), filename)
    first = next(rows, None)
    if first is None:
        raise UserError(
            env._(
                "“%(file)s” is empty. Choose a list whose first row has the names of the columns.",
                file=filename,
            )
        )
    headers = list(first[1])
    while headers and not headers[-1]:
        headers.pop()
    return headers, rows


def check_size(env, size, filename):
    if size > MAX_BYTES:
        raise UserError(
            env._(
                "“%(file)s” is too large (%(size)s MB). Up to %(limit)s MB can be imported at "
                "once: split the file.",
                file=filename,
                size=size // MEGABYTE,
                limit=MAX_BYTES // MEGABYTE,
            )
        )


def get_unpacked_size(env, content, filename):
    """:return: how many bytes a list has that is to be read, before anything is read
    :raises UserError: when it is too large"""
    check_size(env, len(content), filename)
    if is_packed(content):
        return sum(info.file_size for info in _get_packed(env, content, filename))
    return len(content)


def is_packed(content):
    return content.startswith(PACKED)


def write_unpacked(target, headers, rows, sheets):
    """Keep a list in a form that is passed over quickly, row by row.

    :param target: a file of bytes
    :param headers: as :func:`read_list` gives them, and ``rows``
    :param sheets: the list that was given to :func:`read_list`
    :return: how many rows there are"""
    count = 0
    with gzip.open(target, "wt", 1, encoding="ascii") as lines:
        lines.write(f"{json.dumps(headers)}\n")
        for row in rows:
            lines.write(f"{json.dumps(row)}\n")
            count += 1
        lines.write(f"{json.dumps([0, sheets])}\n")  # which are known at the end
    return count


def read_unpacked(content, sheets=None):
    """:param content: what :func:`write_unpacked` has written
    :return: as :func:`read_list`"""
    # an iterator of lines, which is not always read to its end
    lines = io.TextIOWrapper(gzip.GzipFile(fileobj=io.BytesIO(content)), encoding="ascii")
    return json.loads(next(lines)), _iterate_unpacked(lines, sheets)


def _iterate_unpacked(lines, sheets):
    for line in lines:
        number, row = json.loads(line)
        if number:
            yield number, row
        elif sheets is not None:
            sheets.extend(row)


def _get_rows(env, content, filename, sheets):
    """:return: iterator of rows of texts"""
    check_size(env, len(content), filename)
    if not content.strip():
        return iter(())
    if is_packed(content):
        return _unpack(env, content, filename, sheets)
    # a page of HTML or an XML file, whatever it is called, and PDF
    head = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith((b"<", b"%PDF-")) or content.startswith(
        (b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"{\\rtf")
    ):
        raise _get_no_list_error(env, filename)
    return _read_csv(env, content, filename)


def _get_no_list_error(env, filename):
    return UserError(
        env._(
            "“%(file)s” is not a list that can be read. Save the list as CSV, XLSX or ODS, "
            "and choose that file.",
            file=filename,
        )
    )


def _get_damaged_error(env, filename):
    return UserError(
        env._(
            "“%(file)s” is damaged. Open it in a spreadsheet program, save it again as CSV or "
            "XLSX, and choose that file.",
            file=filename,
        )
    )


def _skip_empty(env, rows, filename):
    """Number the rows, pass over empty ones, and stop what is no list of members."""
    size = 0
    for number, row in enumerate(rows, 1):
        # a spreadsheet may say of one text that it stands in millions of cells
        size += sum(map(len, row))
        if size > MAX_UNPACKED:
            raise _get_unpacked_error(env, filename, size)
        if len(row) > MAX_COLUMNS:
            row = row[: _get_width(row)]
        if len(row) > MAX_COLUMNS:
            raise UserError(
                env._(
                    "Row %(row)s has %(count)s columns. Up to %(limit)s can be read: check the "
                    "separator, or delete the columns that are not needed.",
                    row=number,
                    count=len(row),
                    limit=MAX_COLUMNS,
                )
            )
        if number > SHEET_ROWS or (number > MAX_ROWS and any(row)):
            raise UserError(
                env._(
                    "The file has more than %(limit)s rows. Split it into several files.",
                    limit=MAX_ROWS,
                )
            )
        if any(row):
            yield number, row


def _get_width(row):
    return max((place for place, cell in enumerate(row, 1) if cell), default=0)


def _to_text(value):
    """:return: a cell as text"""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if value == time():  # a zero that is shown as a date
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).replace("\xa0", " ").translate(CONTROLS).strip()
    if text[:1] == "'" and text[1:2] in FORMULA_STARTS:  # as we, and others, write it
        text = text[1:]
    return text


# ----------------------------------------------------------------------
# CSV
# ----------------------------------------------------------------------


def _decode(content):
    """Line by line, since lists are often glued together: UTF-8 where it is, else what the
    whole looks like."""
    for bom, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(bom):
            return content.decode(encoding, errors="replace")
    sample = content[:2000]
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(sample) > 3 and sample[start::2].count(0) > len(sample) // 3:
            return content.decode(encoding, errors="replace")
    content = content.removeprefix(b"\xef\xbb\xbf")
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8")
    guess = chardet.detect(content[: 200 * 1024])["encoding"] or "cp1252"
    if guess.lower() in ("ascii", "utf-8", "iso-8859-1", "utf-8-sig"):
        guess = "cp1252"
    lines = []
    for line in content.split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            lines.append(line.decode(guess, errors="replace"))
    return "\n".join(lines)


def _get_delimiter(text):
    """By the names of the columns and the first rows: names and addresses hold separators too, but
    only by the right one all rows have as many cells as there are names."""
    head = text[:20_000]
    if len(text) > len(head):  # the last row is not whole
        head = head.rpartition("\n")[0] or head

    def get_fitness(delimiter):
        rows = []
        with suppress(csv.Error):
            reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
            # a separator after the last cell adds none
            rows = [(_get_width(row), len(row)) for row in reader if any(row)]
        width = rows[0][0] if rows else 0
        if width == 1 and (widest := max(filled for filled, _cells in rows)) > 2:
            width = widest  # a title stands above the names
        fit = sum(filled <= width <= cells for filled, cells in rows)
        return width > 1, fit / max(len(rows), 1), width

    return max(DELIMITERS, key=get_fitness)


def _read_csv(env, content, filename):
    text = _decode(content)
    if "\0" in text:
        raise _get_damaged_error(env, filename)
    if text[:4].lower() == "sep=":  # a line for Excel
        text = re.split(r"\r\n|\r|\n", text, maxsplit=1)[-1]
    delimiter = _get_delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if any(len(cell) > MAX_CELL for cell in row):
                raise csv.Error
            yield [_to_text(cell) for cell in row]
    except csv.Error as error:
        raise UserError(
            env._(
                "“%(file)s” cannot be read at line %(line)s: a quotation mark may be missing. "
                "Correct this line, or save the list as XLSX.",
                file=filename,
                line=reader.line_num,
            )
        ) from error


# ----------------------------------------------------------------------
# Spreadsheets
# ----------------------------------------------------------------------


def _get_packed(env, content, filename):
    """:return: what a spreadsheet is packed of
    :raises UserError: when it is none, or too large a one: this is asked before it is unpacked"""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
    except zipfile.BadZipFile as error:
        raise _get_damaged_error(env, filename) from error
    size = sum(info.file_size for info in infos)
    if size > MAX_UNPACKED or (size > 20 * MEGABYTE and size > MAX_PACKING * len(content)):
        raise _get_unpacked_error(env, filename, size)
    return infos


def _get_unpacked_error(env, filename, size):
    return UserError(
        env._(
            "“%(file)s” is too large once it is unpacked (%(size)s MB). Split the list, or "
            "save it as CSV.",
            file=filename,
            size=size // MEGABYTE,
        )
    )


def _unpack(env, content, filename, sheets):
    infos = _get_packed(env, content, filename)
    names = {info.filename for info in infos}
    if "xl/workbook.xml" in names:
        return _read_xlsx(env, content, filename, sheets)
    if "content.xml" in names:
        return _read_ods(env, content, filename, sheets)
    raise _get_no_list_error(env, filename)


def _read_xlsx(env, content, filename, sheets):
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        for place, sheet in enumerate(visible):
            sheet.reset_dimensions()  # some programs write wrong ones
            rows = sheet.iter_rows(values_only=True)
            if not place:
                for row in rows:
                    yield [_to_text(value) for value in row]
            elif any(any(map(_to_text, row)) for row in islice(rows, SHEET_ROWS)):
                sheets.append(sheet.title)
    except DAMAGES as error:
        raise _get_damaged_error(env, filename) from error


def _read_ods(env, content, filename, sheets):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("content.xml") as file:
            yield from _read_ods_rows(file, sheets)
    except DAMAGES as error:
        raise _get_damaged_error(env, filename) from error


def _read_ods_rows(file, sheets):
    """The rows of the first sheet that is visible."""
    row, is_first, hidden = [], True, set()
    tags = (*CELLS, f"{TABLE}table-row", f"{TABLE}table", f"{STYLE}table-properties")
    for _event, element in etree.iterparse(file, tag=tags, resolve_entities=False, no_network=True):
        if element.tag == f"{STYLE}table-properties":
            if element.get(f"{TABLE}display") == "false":
                hidden.add(element.getparent().get(f"{STYLE}name"))
            continue
        if element.tag in CELLS:
            value = _get_ods_value(element)
            repeated = int(element.get(f"{TABLE}number-columns-repeated", 1))
            if (free := MAX_COLUMNS + 1 - len(row)) > 0:
                row += [value] * min(repeated, free)
            elif value:  # there are too many, which is told
                row[-1] = value
        elif element.tag == f"{TABLE}table":
            is_first = is_first and element.get(f"{TABLE}style-name") in hidden
        else:
            row = row[: _get_width(row)]
            repeated = int(element.get(f"{TABLE}number-rows-repeated", 1))
            sheet = next(element.iterancestors(f"{TABLE}table"))
            name = sheet.get(f"{TABLE}name", "")
            if sheet.get(f"{TABLE}style-name") in hidden:
                pass
            elif is_first:
                for _copy in range(min(repeated, MAX_ROWS) if row else 1):
                    yield row
            elif row and name not in sheets:
                sheets.append(name)
            row = []
        _forget_element(element)


def _forget_element(element):
    """What was read, and what stands before it, is kept in memory by the library else."""
    element.clear(keep_tail=True)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _get_ods_value(cell):
    kind = cell.get(f"{OFFICE}value-type")
    if kind == "date":
        return cell.get(f"{OFFICE}date-value", "")[:10]
    if kind in ("float", "currency", "percentage"):
        return _to_text(float(cell.get(f"{OFFICE}value")))
    if kind == "boolean":
        return "yes" if cell.get(f"{OFFICE}boolean-value") == "true" else "no"
    # its own paragraphs, not those of a comment
    return _to_text("\n".join("".join(p.itertext()) for p in cell.iterchildren(f"{TEXT}p")))
