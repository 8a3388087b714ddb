"""A list as people send it: CSV in any encoding, XLSX or ODS, read row by row. What comes out is
text: dates as ``YYYY-MM-DD`` where the file says that they are dates."""

import csv
import io
import zipfile
from contextlib import suppress
from datetime import date, datetime

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
# beyond it a cell is an accident, such as a quote that is never closed
MAX_CELL = 30_000
DELIMITERS = ",;\t|"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
# a cell that begins like this is a formula to a spreadsheet program
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_formula(text):
    """:return: ``text`` for a cell of a file that we write: never a formula"""
    is_number = text[1:].replace(".", "", 1).replace(",", "", 1).isdigit()
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not is_number else text


def normalize(text):
    """:return: the words of ``text`` without case, accents and signs: to compare names"""
    plain = remove_accents(str(text or "")).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def read_list(env, content, filename):
    """:param content: the bytes of the file
    :return: ``(names of the columns, iterator of (number of the row, its cells))``; the rows
        are numbered as a spreadsheet program shows them
    :raises UserError: when this is no list, or too large a one"""
    rows = _skip_empty(env, _get_rows(env, content, filename))
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


def _get_rows(env, content, filename):
    """:return: iterator of rows of texts"""
    check_size(env, len(content), filename)
    if not content.strip():
        return iter(())
    if content.startswith(b"PK\x03\x04"):
        return _unpack(env, content, filename)
    if content.lstrip()[:5] == b"%PDF-" or content.startswith(
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


def _skip_empty(env, rows):
    """Number the rows, pass over empty ones, and stop what is no list of members."""
    for number, row in enumerate(rows, 1):
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
        if any(row):
            if number > MAX_ROWS:
                raise UserError(
                    env._(
                        "The file has more than %(limit)s rows. Split it into several files.",
                        limit=MAX_ROWS,
                    )
                )
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
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).replace("\xa0", " ").strip()
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
    if len(sample) > 3 and sample[1::2].count(0) > len(sample) // 3:
        return content.decode("utf-16-le", errors="replace")
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
    head = text[:20_000]
    header = next((line for line in head.splitlines() if line.strip()), "")
    counts = {delimiter: header.count(delimiter) for delimiter in DELIMITERS}
    try:
        found = csv.Sniffer().sniff(head, DELIMITERS).delimiter
    except csv.Error:
        found = ""
    best = max(counts, key=counts.get)
    # the names of columns seldom hold a separator; addresses do
    return found if counts.get(found, 0) == counts[best] and counts[best] else best


def _read_csv(env, content, filename):
    text = _decode(content)
    if "\0" in text:
        raise _get_damaged_error(env, filename)
    if text[:4].lower() == "sep=":  # a line for Excel
        text = text.partition("\n")[2]
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


def _unpack(env, content, filename):
    """Both kinds of spreadsheets are packed: how large they are is asked before."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
    except zipfile.BadZipFile as error:
        raise _get_damaged_error(env, filename) from error
    size = sum(info.file_size for info in infos)
    if size > MAX_UNPACKED or (size > 20 * MEGABYTE and size > MAX_PACKING * len(content)):
        raise UserError(
            env._(
                "“%(file)s” is too large once it is unpacked (%(size)s MB). Split the list, or "
                "save it as CSV.",
                file=filename,
                size=size // MEGABYTE,
            )
        )
    names = {info.filename for info in infos}
    if "xl/workbook.xml" in names:
        return _read_xlsx(env, content, filename)
    if "content.xml" in names:
        return _read_ods(env, content, filename)
    raise _get_no_list_error(env, filename)


def _read_xlsx(env, content, filename):
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if not sheets:
            return
        sheets[0].reset_dimensions()  # some programs write wrong ones
        for row in sheets[0].iter_rows(values_only=True):
            yield [
                ""
                if isinstance(value, str) and value.startswith("#") and value.isupper()
                else _to_text(value)
                for value in row
            ]
    except UserError:
        raise
    except Exception as error:  # whatever a broken file makes of the library
        raise _get_damaged_error(env, filename) from error


def _read_ods(env, content, filename):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("content.xml") as file:
            yield from _read_ods_rows(file)
    except (zipfile.BadZipFile, etree.XMLSyntaxError, ValueError) as error:
        raise _get_damaged_error(env, filename) from error


def _read_ods_rows(file):
    """The rows of the first sheet."""
    for _event, element in etree.iterparse(
        file, tag=(f"{TABLE}table-row", f"{TABLE}table"), resolve_entities=False, no_network=True
    ):
        if element.tag == f"{TABLE}table":
            return
        row = []
        for cell in element.iter(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            value = _get_ods_value(cell)
            repeated = int(cell.get(f"{TABLE}number-columns-repeated", 1))
            row += [value] * (min(repeated, MAX_COLUMNS + 1))
        row = row[: _get_width(row)]
        repeated = int(element.get(f"{TABLE}number-rows-repeated", 1))
        element.clear()
        for _copy in range(min(repeated, MAX_ROWS) if row else 1):
            yield row


def _get_ods_value(cell):
    kind = cell.get(f"{OFFICE}value-type")
    if kind == "date":
        return cell.get(f"{OFFICE}date-value", "")[:10]
    if kind in ("float", "currency", "percentage"):
        return _to_text(float(cell.get(f"{OFFICE}value")))
    if kind == "boolean":
        return "yes" if cell.get(f"{OFFICE}boolean-value") == "true" else "no"
    return _to_text("\n".join("".join(paragraph.itertext()) for paragraph in cell.iter(f"{TEXT}p")))
