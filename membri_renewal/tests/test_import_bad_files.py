import base64
import csv
import io
import zipfile
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.moving_in import reading
from .common_import import ImportCase

HEADER = "Name;Email;Plan;Start;End\n"
PREVIEW = "odoo.addons.membri_renewal.models.moving_in.preview"
ROW = "Ada Roy;ada@x.example;Gold;2026-01-01;2026-12-31\n"


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestImportBadFiles(ImportCase):
    """Issue 16, bad input: a sentence, nothing half done."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gold = cls._plan("Gold")

    def _refused(self, content, filename="list.csv", **vals):
        data = content.encode() if isinstance(content, str) else content
        record = self.Import.create(
            {"file": base64.b64encode(data), "filename": filename, "profile": "free", **vals}
        )
        before = self._count()
        sentence = self._assert_refused(record.action_preview)
        self.assertEqual(self._count(), before)
        return sentence

    def _zip(self, **files):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name.replace("__", "/"), content)
        return buffer.getvalue()

    def test_no_list(self):
        for content in (
            b"%PDF-1.7 ...",
            b"\x89PNG\r\n",
            b"\xd0\xcf\x11\xe0" + b"x" * 100,
            self._zip(readme="x"),
            b"PK\x03\x04 broken",
            b"",
            b"   \n \n",
            b"\xef\xbb\xbf",
            b"just some words\nand more of them\n",
            HEADER.encode(),
            b"<html><table><tr><td>Name</td></tr></table></html>",
            b"\xef\xbb\xbf<?xml version='1.0'?><Workbook/>",
        ):
            with self.subTest(content=content[:20]):
                self.assertTrue(self._refused(content or b"\n", "membres.csv"))

    def test_columns_that_nobody_knows(self):
        """A person says which column is the name; until then nothing is read or imported."""
        content = HEADER.replace("Name", "Wer").replace("Email", "Post") + ROW
        before = self._count()
        record = self._import(content)
        for action in ("action_preview", "action_run"):
            self.assertEqual((record.state, self._count()), ("draft", before))
            self.assertFalse(record.line_ids or record.overview or record.parts)
            self.assertIn("list.csv", record.problem)
            self.assertEqual(
                record.column_ids.mapped("name"), ["Wer", "Post", "Plan", "Start", "End"]
            )
            self.assertEqual(record.column_ids[0].sample, "Ada Roy")
            getattr(record, action)()
        record.column_ids[:2].write({"target": "name"})
        with self.assertRaisesRegex(UserError, "Post"), self.cr.savepoint():
            record.action_preview()
        record.column_ids[1].target = False
        record.action_preview()
        self.assertEqual((record.state, record.problem), ("previewed", False))
        self.assertEqual(self._get_results(record), ["new"])
        self.assertEqual(record.line_ids.aside, {"Post": "ada@x.example"})
        record.action_run()
        self.assertEqual(record.line_ids.partner_id.name, "Ada Roy")
        # what was chosen is proposed again
        again = self._import(content.replace("Ada", "Eve"))
        self.assertEqual((again.state, again.line_ids.name), ("previewed", "Eve Roy"))

    def test_columns_that_nobody_knows_in_the_background(self):
        with patch(f"{PREVIEW}.FOREGROUND_PREVIEW", 0):
            record = self._import("Wer;Was\nAda Roy;1\n")
            for _time in range(2):
                self.assertEqual(record.state, "running")
                self._run_cron("ir_cron_process_imports")
                self.assertEqual((record.state, record.is_run_next), ("draft", False))
                self.assertIn("list.csv", record.problem)
                record.action_run()
            self._run_cron("ir_cron_process_imports")
            record.column_ids[0].target = "name"
            record.action_preview()
            self._run_cron("ir_cron_process_imports")
        self.assertEqual((record.state, self._get_results(record)), ("previewed", ["new"]))

    def test_without_file(self):
        record = self.Import.create({"profile": "free"})
        self.assertTrue(self._assert_refused(record.action_preview))
        self.assertTrue(self._assert_refused(record.action_run))

    def test_too_large(self):
        with patch.object(reading, "MAX_BYTES", 1000), self.assertRaises(UserError):
            self.Import.create({"file": base64.b64encode(b"x" * 2000), "filename": "big.csv"})

    def test_a_gigabyte(self):
        """Refused by its length, before it is decoded."""
        record = self.Import.new({"filename": "big.csv"})
        with self.assertRaises(UserError) as caught:
            reading.check_size(self.env, 1024**3, "big.csv")
        self.assertIn("1024", str(caught.exception))
        self.assertIn("big.csv", str(caught.exception))

        class Gigabyte(bytes):
            def __len__(self):
                return 1024**3

        with (
            patch("base64.b64decode") as decode,
            patch.object(type(record), "__getitem__", lambda *_args: Gigabyte()),
            self.assertRaises(UserError),
        ):
            record._read("file")
        decode.assert_not_called()

    def test_zip_bomb(self):
        bomb = self._zip(xl__workbook=b"x", **{"xl__workbook.xml": b"0" * (30 * 1024 * 1024)})
        self.assertLess(len(bomb), 200_000)
        with patch("openpyxl.load_workbook") as load:
            self.assertIn("30", self._refused(bomb, "bomb.xlsx"))
        load.assert_not_called()

    def test_nul_bytes(self):
        self.assertTrue(self._refused((HEADER + ROW).encode() + b"\0\0Bea;;;\n"))

    def test_a_million_columns(self):
        self.assertTrue(self._refused(";".join(["Name"] + ["x"] * 1_000_000) + "\n"))

    def test_open_quote(self):
        self.assertTrue(self._refused(HEADER + '"Ada;' + "x" * 50_000))

    def test_broken_spreadsheet(self):
        whole = self._xlsx([HEADER.strip().split(";"), ROW.strip().split(";")])
        self.assertTrue(self._refused(whole[: len(whole) // 2], "half.xlsx"))
        self.assertTrue(self._refused(self._zip(**{"xl__workbook.xml": "<x>"}), "no.xlsx"))
        self.assertTrue(self._refused(self._zip(**{"content.xml": "<x"}), "no.ods"))

    def test_duplicate_headers(self):
        self.assertIn("Email", self._refused(HEADER.replace("Plan", "Email") + ROW))
        # of a column that means nothing to us it does not matter
        record = self._import("Name;Color;Color\nAda Roy;a;b\n")
        self.assertEqual(self._get_results(record), ["new"])

    def test_encodings_and_separators(self):
        for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"):
            for separator in (",", ";", "\t", "|"):
                with self.subTest(encoding=encoding, separator=separator):
                    text = (HEADER + ROW.replace("Ada Roy", "Élise Côté")).replace(";", separator)
                    record = self._import(text.encode(encoding))
                    self.assertEqual(record.line_ids.name, "Élise Côté")
                    self.assertEqual(record.line_ids.option_set_id, self.gold)

    def test_mixed_encodings(self):
        first, second = ROW.replace("Ada", "Élise"), ROW.replace("Ada", "Zoé").replace("ada", "z")
        record = self._import(HEADER.encode() + first.encode() + second.encode("cp1252"))
        self.assertEqual(record.line_ids.mapped("name"), ["Élise Roy", "Zoé Roy"])

    def test_formulas(self):
        """What looks like a formula is text, and leaves as text."""
        text = HEADER + '"=HYPERLINK(""http://x"")";a@x.example;"=cmd|A1";2026-01-01;2026-12-31\n'
        record = self._import(text)
        self.assertEqual(record.line_ids.name, '=HYPERLINK("http://x")')
        record.action_run()
        back = base64.b64decode(record.result_file).decode("utf-8-sig")
        for row in csv.reader(io.StringIO(back)):
            for cell in row:
                self.assertFalse(cell.startswith(("=", "+", "@", "-")), cell)
        again = self._import(back)
        self.assertEqual(again.line_ids.name, '=HYPERLINK("http://x")')

    def test_formulas_of_a_spreadsheet(self):
        """Values only; a formula that was never computed has none."""
        rows = [HEADER.strip().split(";"), ["=1+1", "ada@x.example", "Gold", "2026-01-01", ""]]
        record = self._import(self._xlsx(rows), filename="list.xlsx")
        self.assertEqual(record.line_ids.name, "ada@x.example")

    def test_errors_of_a_spreadsheet(self):
        """A formula without a value is no empty cell: the row comes back, alone. What only looks
        like it is text."""
        rows = [
            ["Name", "Member Number", "Plan", "Start", "End"],
            ["Ada Roy", "#A1", "Gold", "2026-01-01", "#REF!"],
            ["Bea Roy", "#B2", "Gold", "2026-01-01", "2026-12-31"],
        ]
        for content, name in (
            (self._xlsx(rows), "list.xlsx"),
            ("\n".join(map(";".join, rows)), "list.csv"),
        ):
            with self.subTest(name=name):
                record = self._import(content, filename=name)
                self.assertEqual(self._get_results(record), ["error", "new"])
                self.assertIn("#REF!", record.line_ids[0].message)
                self.assertEqual(record.line_ids[1].cells[1], "#B2")

    def test_several_sheets(self):
        """The first one that is visible is read, and the others that hold something are told."""
        import openpyxl

        rows = [HEADER.strip().split(";"), ROW.strip().split(";")]
        book = openpyxl.Workbook()
        for title in ("Hidden", "2026", "Empty", "2025"):
            sheet = book.create_sheet(title)
            for row in rows if title != "Empty" else ():
                sheet.append(row)
        book.remove(book.worksheets[0])
        book["Hidden"].sheet_state = "hidden"
        buffer = io.BytesIO()
        book.save(buffer)
        record = self._import(buffer.getvalue(), filename="list.xlsx")
        self.assertEqual(self._get_results(record), ["new"])
        self.assertIn("2025", record.sheet_remark)
        for title in ("Hidden", "2026", "Empty"):
            self.assertNotIn(title, record.sheet_remark)
        self.assertFalse(self._import(HEADER + ROW).sheet_remark)

    def test_dates_of_a_macintosh(self):
        """Serial numbers that begin in 1904."""
        import datetime

        import openpyxl
        from openpyxl.utils.datetime import CALENDAR_MAC_1904

        book = openpyxl.Workbook()
        book.epoch = CALENDAR_MAC_1904
        book.active.append(HEADER.strip().split(";"))
        days = (datetime.date(2026, 1, 1), datetime.datetime(2026, 12, 31))
        book.active.append(["Ada Roy", "ada@x.example", "Gold", *days])
        buffer = io.BytesIO()
        book.save(buffer)
        line = self._import(buffer.getvalue(), filename="mac.xlsx").line_ids
        self.assertEqual((str(line.date_start), str(line.date_end)), ("2026-01-01", "2026-12-31"))

    def test_merged_cells(self):
        """The name stands in the first of them: rows without one come back."""
        import openpyxl

        book = openpyxl.Workbook()
        for row in (
            ["Name", "Plan", "Start", "End"],
            ["Ada Roy", "Gold", "2025-01-01", "2025-12-31"],
            ["", "Gold", "2026-01-01", "2026-12-31"],
        ):
            book.active.append(row)
        book.active.merge_cells("A2:A3")
        buffer = io.BytesIO()
        book.save(buffer)
        record = self._import(buffer.getvalue(), filename="list.xlsx")
        self.assertEqual(self._get_results(record), ["new", "error"])

    def test_a_sheet_of_endless_rows(self):
        """A row that says it is the trillionth, and rows that say they are repeated."""
        whole = self._xlsx([HEADER.strip().split(";"), ROW.strip().split(";")])
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        sheet = files["xl/worksheets/sheet1.xml"]
        files["xl/worksheets/sheet1.xml"] = sheet.replace(b'r="2"', b'r="999999999999"')
        self.assertNotEqual(files["xl/worksheets/sheet1.xml"], sheet)
        with patch.object(reading, "SHEET_ROWS", 1000):
            self.assertTrue(self._refused(self._zip(**files), "endless.xlsx"))
        rows = (
            '<table:table-row table:number-rows-repeated="9000000">'
            f"{self._cells('x')}</table:table-row>"
        )
        with patch.object(reading, "MAX_ROWS", 100):
            content = self._ods(self._cells("Name"), rows * 3)
            self.assertIn("100", self._refused(content, "endless.ods"))

    def test_a_text_that_is_repeated(self):
        """A small file that says of one long text that it stands in every cell of many rows."""
        cell = '<table:table-cell table:number-columns-repeated="300"><text:p>'
        rows = (
            '<table:table-row table:number-rows-repeated="400000">'
            f"{cell}{'x' * 30_000}</text:p></table:table-cell></table:table-row>"
        )
        self.assertIn("MB", self._refused(self._ods(self._cells("Name"), rows), "much.ods"))

    def test_line_ends_of_a_macintosh(self):
        text = "sep=;\n" + HEADER + ROW + ROW.replace("Ada", "Bea").replace("ada@", "bea@")
        record = self._import(text.replace("\n", "\r"))
        self.assertEqual(record.line_ids.mapped("name"), ["Ada Roy", "Bea Roy"])

    def test_invisible_signs(self):
        """As they come along when something is copied from a page: nobody sees the difference."""
        head = HEADER.replace("Email", "Member Number")
        text = ROW.replace("ada@x.example", "\u202a12\u202c").replace("Ada", "\u200b\ufeffAda")
        record = self._import("\ufeff" + head + text)
        self.assertEqual(record.line_ids.cells[:2], ["Ada Roy", "12"])
        written = "\u05e2\u05d3\u05d4 \U0001f469\u200d\U0001f33e"  # a joined sign stays joined
        record = self._import(HEADER + ROW.replace("Ada Roy", written))
        record.action_run()
        self.assertEqual(record.line_ids.partner_id.name, written)

    def test_numbers_of_a_spreadsheet(self):
        """Member numbers that were counted with, and that have lost their digits."""
        head = "Member Number;Name;Email;Phone;Zip;Plan;Start;End\n"
        row = "{};{};{}@x.example;{};{};Gold;{}-01-01;{}-12-31\n"
        record = self._import(
            head
            + row.format("1234.0", "Ada Roy", "a", "5145550000.0", "12345.0", 2026, 2026)
            + row.format("1234", "Ada Roy", "a", "1,51455E+10", "12345", 2027, 2027)
            + row.format("1,23457E+11", "Bea Ray", "b", "", "", 2026, 2026)
            + row.format("1,23457E+11", "Cyd Rey", "c", "", "", 2026, 2026)
        )
        self.assertEqual(self._get_results(record), ["new", "new", "error", "error"])
        record.action_run()
        ada = record.line_ids.partner_id
        self.assertEqual((ada.ref, ada.phone, ada.zip), ("1234", "5145550000", "12345"))
        lines = record.line_ids.sorted("row")
        for line, text in zip(lines[1:3], ("1,51455E+10", "1,23457E+11"), strict=True):
            self.assertIn(text, line.message)

    def test_one_number_of_two_members(self):
        """Neither is the other's, whatever the order in which they are imported."""
        head = "{};Name;Email;Plan;Start;End\n"
        row = "7;{};{};Gold;{}-01-01;{}-12-31\n"
        for column in ("Record ID", "Member Number"):
            text = (
                head.format(column)
                + row.format("Ada Roy", "ada@x.example", 2026, 2026)
                + row.format("Bea Roy", "bea@x.example", 2025, 2025)
                # the same one, spelled and reached otherwise
                + row.format("Roy, Ada", "ada@y.example", 2025, 2025)
                + row.format("Ada Roy-Cole", "", 2024, 2024)
            )
            preview = "odoo.addons.membri_renewal.models.moving_in.preview"
            for size in (500, 1):
                with self.subTest(column=column, size=size), self.cr.savepoint():
                    with patch(f"{preview}.BATCH", size), patch(f"{preview}.PREVIEW_BATCH", size):
                        record = self._import(text)
                    results = ["new", "error", "new", "new"]
                    self.assertEqual(self._get_results(record), results)
                    self.assertIn("7", record.line_ids.sorted("row")[1].message)
                    record.action_run()
                    self.assertEqual(self._get_results(record), results)
                    self.assertEqual(len(record.line_ids.partner_id), 1)
                    why = base64.b64decode(record.result_file).decode("utf-8-sig")
                    self.assertIn("Bea Roy", why)
                    self.assertNotIn("Roy, Ada", why)
                    record.action_undo()

    def test_days_that_are_not_taken_over(self):
        """Rows that contradict each other: what is left of them is told."""
        row = "Ada Roy;ada@x.example;Gold;{};{}\n"
        record = self._import(
            HEADER
            + row.format("2026-01-01", "2026-12-31")
            + row.format("2026-01-01", "2026-12-31")
            + row.format("2026-01-01", "2026-06-30")
            + row.format("2026-03-01", "2026-09-30")
            + row.format("2026-06-01", "2027-05-31")
        )
        lines = record.line_ids.sorted("row")
        self.assertEqual(self._get_results(record), ["new", "same", "same", "same", "new"])
        self.assertEqual(str(lines[4].date_start), "2027-01-01")
        for line, day in zip(lines[2:], ("June 30", "September 30", "June 1"), strict=True):
            self.assertIn(day.split()[0][:3], line.message)
        self.assertNotIn("some of these days", " ".join(lines[:2].mapped("message")))

    def test_included_in_nobodys_membership(self):
        """In a circle, in one's own, or in that of somebody who is unknown: all are told."""
        head = "Member Number;Name;Company;Plan;Start;End;Included in the Membership Of\n"
        record = self._import(
            head + "1;Ada Roy;;;;;2\n2;Bea Roy;;;;;1\n3;Cyd Roy;;;;;3\n4;Dan Roy;;;;;Nobody\n"
            "5;Eve Roy;;;;;Museum\n6;;Museum;Gold;2026-01-01;2026-12-31;\n"
        )
        lines = record.line_ids.sorted("row")
        for line, owner in zip(lines[:4], ("“2”", "“1”", "“3”", "“Nobody”"), strict=True):
            self.assertIn(owner, line.message)
        self.assertNotIn("Museum", lines[4].message)
        record.action_run()
        self.assertEqual(self._get_results(record), ["new"] * 6)
        self.assertEqual(lines[4].partner_id.parent_id, lines[5].partner_id)
        self.assertFalse(lines[:4].partner_id.parent_id)

    def test_companies_in_a_circle(self):
        """Whoever is above whom: Odoo refuses it, and the others go in."""
        head = "Record ID;Company;Plan;Start;End;Included in the Membership Of\n"
        record = self._import(
            head + "1;Museum;;;;Archive\n2;Archive;;;;Museum\n"
            "3;Gallery;Gold;2026-01-01;2026-12-31;\n"
        )
        record.action_run()
        self.assertEqual(record.state, "done")
        lines = record.line_ids.sorted("row")
        self.assertEqual(lines[2].cotisation_id.state, "active")
        parents = lines[:2].partner_id.parent_id
        self.assertLess(len(parents), 2)
        record.action_undo()
        self.assertFalse(lines.partner_id.exists())

    def test_newlines_and_quotes_in_cells(self):
        text = (
            'Name;"Favorite\ncolor";Plan;Start;End;Street\r\n'
            '"Roy; ""Ada""";"x";Gold;2026-01-01;2026-12-31;"1 Quay\r\nFloor 2"\r\n'
            "Bea Roy;;Gold;2026-01-01;2026-12-31;\r\n"
        )
        record = self._import(text)
        self.assertEqual(self._get_results(record), ["new", "new"])
        first, second = record.line_ids.sorted("row")
        self.assertEqual((first.name, second.row), ('Roy; "Ada"', 3))
        record.action_run()
        self.assertEqual(first.partner_id.street.split(), ["1", "Quay", "Floor", "2"])

    def test_separators_in_names(self):
        """Those of the columns and those of people hold other separators."""
        for head in ("Colors (hair, eyes, skin)", "Color, hair"):
            record = self._import(f"Name;{head}\nRoy, Ada;red\n")
            self.assertEqual(record.line_ids.cells, ["Roy, Ada", "red"])
            self.assertEqual(record.line_ids.aside, {head: "red"})
        record = self._import("Last, First;Email;Color\nRoy, Ada;ada@example.com;red;\n")
        self.assertEqual(record.line_ids.cells[:3], ["Roy, Ada", "ada@example.com", "red"])

    def test_control_characters(self):
        """Are in no contact: no document could be printed."""
        record = self._import(HEADER + ROW.replace("Ada Roy", "A\x01da\x0b Roy\x1f"))
        self.assertEqual(record.line_ids.name, "Ada Roy")

    def test_days_in_words(self):
        for day in (
            "December 31st, 2026",
            "31-Dec-2026",
            "31 déc. 2026",
            "31-déc-26",
            "31/12/2026 0:00",
        ):
            with self.subTest(day=day):
                record = self._import(HEADER + ROW.replace("2026-12-31", f'"{day}"'))
                self.assertEqual(str(record.line_ids.date_end), "2026-12-31")

    def test_a_list_of_a_secretary(self):
        """Titles and groups of columns above, an empty column, names in capitals, a phone number
        for an email, a member twice, and the sum below: in the encoding of Windows."""
        known = self.env["res.partner"].create({"name": "Hélène Côté", "email": "hc@list.example"})
        content = (
            "Liste des membres;;;;;;;\n"
            "Imprimé le 20 novembre 2026;;;;;;;\n"
            ";;;;;;;\n"
            "Membre;;;;Cotisation;;;\n"
            "Nom;Prénom;Courriel;;Catégorie;Début;Fin;Montant\n"
            "CÔTÉ;HÉLÈNE ;hc@list.example;;Gold;1er janv. 2026;12/31/26;75,00 $\n"
            "GAGNÉ;ÉMILE;418 555-0199;;Gold ;01/02/26;31-déc-26;75,00 $\n"
            "GAGNÉ;ÉMILE;418 555-0199;;Gold;01/02/26;31-déc-26;75,00 $\n"
            "TOTAL;;;;;;;225,00 $\n"
        ).encode("cp1252")
        record = self._import(content)
        self.assertEqual(self._get_results(record), ["new", "new", "same", "skipped"])
        self.assertEqual(record.line_ids.mapped("row"), [6, 7, 8, 9])
        self.assertIn("5", record.sheet_remark)
        self.assertEqual(record._get_totals()[0][2:], (3, 2, 225.0))
        before = self._count()
        record.action_run()
        self.assertEqual(
            self._get_terms(record),
            [
                ("Hélène Côté", "Gold", "2026-01-01", "2026-12-31", "active"),
                ("ÉMILE GAGNÉ", "Gold", "2026-01-02", "2026-12-31", "active"),
            ],
        )
        self.assertEqual(known.membri_status, "active")
        self.assertEqual(self._count()["mail.mail"], before["mail.mail"])
        self.assertFalse(record.result_file, "a sum is nothing to correct")
        again = self._import(content)
        self.assertEqual(self._get_results(again), ["same", "same", "same", "skipped"])
        record.action_undo()
        self.assertEqual(self._count(), before)

    def test_totals_are_no_members(self):
        """Who is called Total, and has more than a name, is one."""
        record = self._import("Nom;Courriel;Montant\nTotal;total@list.example;5\nSous-total :;;5\n")
        self.assertEqual(self._get_results(record), ["new", "skipped"])
        record = self._import("No de membre;Nom\nM-404;\nTotaux;\n")
        self.assertEqual(self._get_results(record), ["error", "skipped"])

    def test_years(self):
        for day in ("0000-01-01", "9999-12-31", "01/01/0000", "31/12/9999", "99999", "2026-02-30"):
            with self.subTest(day=day):
                record = self._import(HEADER + ROW.replace("2026-12-31", day))
                self.assertEqual(self._get_results(record), ["error"])
                self.assertIn(day, record.line_ids.message)

    def test_no_date_at_all(self):
        """As MySQL writes that there is none."""
        for day in ("0000-00-00", "0000-00-00 00:00:00", "NULL"):
            with self.subTest(day=day):
                record = self._import(HEADER + ROW.replace("2026-12-31", day))
                self.assertEqual(self._get_results(record), ["new"])
                self.assertEqual(str(record.line_ids.date_end), "2026-12-31")

    def test_more_cells_than_names(self):
        record = self._import(HEADER + ROW.strip() + ";x;y\n" + ROW.replace("Ada", "Bea"))
        self.assertEqual(record.line_ids[0].result, "error")

    def test_member_of_another_company(self):
        """Their contact is neither shown nor changed."""
        other = self._create_other_company("Elsewhere", "America/Toronto")
        theirs = self.env_root["res.partner"].create(
            {"name": "Ada Roy", "email": "ada@x.example", "company_id": other.id}
        )
        record = self._import(HEADER + ROW)
        self.assertEqual(self._get_results(record), ["new"])
        self.assertFalse(record.line_ids.partner_id)
        record.action_run()
        self.assertNotEqual(record.line_ids.partner_id.id, theirs.id)
        self.assertFalse(theirs.membri_cotisation_ids)

    def test_plan_of_another_company(self):
        other = self._create_other_company("Elsewhere", "America/Toronto")
        plan = self._create_option_set("Theirs", company_id=other.id)
        with self.assertRaises(UserError):
            self.Import.create({"option_set_map": {"Gold": plan.id}})

    def test_one_bad_row(self):
        """What fails while it is written stops nobody else."""
        text = HEADER + ROW + ROW.replace("Ada", "Bea").replace("ada", "bea")
        record = self._import(text)
        create = type(self.env["membri.cotisation"]).create

        words = "Bea cannot be a member"

        def fail(model, vals_list):
            names = self.env["res.partner"].browse(vals["partner_id"] for vals in vals_list)
            if "Bea Roy" in names.mapped("name"):
                raise UserError(words)
            return create(model, vals_list)

        with patch.object(type(self.env["membri.cotisation"]), "create", fail):
            record.action_run()
        self.assertEqual(self._get_results(record), ["new", "error"])
        self.assertEqual(record.line_ids[1].message, words)
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Bea Roy")]))
        record.action_run()
        self.assertEqual(self._get_results(record), ["new", "new"])

    def test_columns_of_a_spreadsheet(self):
        """A sheet as wide as the program allows, empty or not."""
        import openpyxl

        book = openpyxl.Workbook()
        for place, name in enumerate(("Name", "Plan", "Start", "End"), 1):
            book.active.cell(1, place, name)
        for place, cell in enumerate(("Ada Roy", "Gold", "2026-01-01", "2026-12-31"), 1):
            book.active.cell(2, place, cell)
        buffer = io.BytesIO()
        book.active.cell(1, 16384).number_format = "0.00"  # a format, no cell
        book.save(buffer)
        record = self._import(buffer.getvalue(), filename="wide.xlsx")
        self.assertEqual(self._get_results(record), ["new"])
        buffer = io.BytesIO()
        book.active.cell(1, 16384, "x")
        book.save(buffer)
        self.assertIn("16384", self._refused(buffer.getvalue(), "wide.xlsx"))

    def test_exported_formulas(self):
        """A name that looks like a formula leaves as text, and comes back as it was."""
        name = "=cmd|'/C calc'!A1"
        member = self._create_member("Ada Roy", ref="+1")
        member.name = name
        self._create_cotisation(member, "2026-01-01", self.gold)
        content = self.Import._get_export(self.company)
        for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))):
            for cell in row:
                self.assertFalse(
                    cell.startswith(("=", "+", "@", "-", "\t", "\r")) and cell != "+1", cell
                )
        record = self._import(content)
        self.assertEqual(record.line_ids.partner_id, member)
        self.assertEqual(self._get_results(record), ["same"])

    def test_stopped_in_the_middle(self):
        """A server that is killed in a batch: what was committed stays, the rest is done once."""
        rows = "".join(
            ROW.replace("Ada", f"Ada{number}").replace("ada", f"ada{number}") for number in range(4)
        )
        record = self._import(HEADER + rows)
        run = "odoo.addons.membri_renewal.models.moving_in.run"
        with patch(f"{run}.BATCH", 2), patch(f"{run}.FOREGROUND_LIMIT", 1):
            record.action_run()
            record._process_batch()

            def kill(*_args):
                raise KeyboardInterrupt

            with (
                patch.object(type(record), "_import_names", kill),
                self.assertRaises(KeyboardInterrupt),
                self.cr.savepoint(),
            ):
                record._process_batch()
            self.assertEqual(len(record.line_ids.cotisation_id), 2)
            self.assertEqual(record.state, "running")
            self._run_cron("ir_cron_process_imports")
        self.assertEqual(record.state, "done")
        self.assertEqual(len(record.line_ids.cotisation_id), 4)
        self.assertEqual(
            self.env["res.partner"].search_count([("email", "=like", "ada%@x.example")]), 4
        )

    def test_spreadsheets(self):
        """Dates as the spreadsheet has them, numbers without decimals."""
        from datetime import datetime

        rows = [
            ["Name", "Member Number", "Plan", "Start", "End"],
            ["Ada Roy", 12, "Gold", datetime(2026, 1, 1), 46387],
        ]
        record = self._import(self._xlsx(rows), filename="list.xlsx")
        line = record.line_ids
        self.assertEqual(line.cells[:2], ["Ada Roy", "12"])
        self.assertEqual((str(line.date_start), str(line.date_end)), ("2026-01-01", "2026-12-31"))

    def _cells(self, *names):
        return "".join(
            f'<table:table-cell office:value-type="string"><text:p>{name}</text:p>'
            "</table:table-cell>"
            for name in names
        )

    def _ods(self, header, rows, styles="", more=""):
        """:return: the bytes of a sheet with the cells ``header`` and ``rows``"""
        names = "urn:oasis:names:tc:opendocument:xmlns"
        content = (
            f'<office:document-content xmlns:office="{names}:office:1.0" '
            f'xmlns:table="{names}:table:1.0" xmlns:text="{names}:text:1.0" '
            f'xmlns:style="{names}:style:1.0"><office:automatic-styles>{styles}'
            f"</office:automatic-styles><office:body><office:spreadsheet>{more}"
            f'<table:table table:name="Members"><table:table-row>{header}</table:table-row>{rows}'
            '</table:table><table:table table:name="Rest"><table:table-row>'
            f"{self._cells('x')}</table:table-row></table:table></office:spreadsheet>"
            "</office:body></office:document-content>"
        )
        return self._zip(**{"content.xml": content})

    def test_ods(self):
        row = (
            # what is said of a cell is not in it
            "<table:table-cell><office:annotation><text:p>to check</text:p></office:annotation>"
            "<text:p>Ada Roy</text:p></table:table-cell>"
            "<table:table-cell><text:p>Gold</text:p></table:table-cell>"
            '<table:table-cell office:value-type="date" office:date-value="2026-01-01">'
            "<text:p>x</text:p></table:table-cell>"
            '<table:table-cell office:value-type="date" office:date-value="2026-12-31"/>'
            '<table:table-cell table:number-columns-repeated="1020"/>'
        )
        hidden = (
            '<table:table table:name="Codes" table:style-name="ta9"><table:table-row>'
            f"{self._cells('x')}</table:table-row></table:table>"
        )
        content = self._ods(
            self._cells("Name", "Plan", "Start", "End"),
            f"<table:table-row>{row}</table:table-row>"
            '<table:table-row table:number-rows-repeated="1048574"><table:table-cell/>'
            "</table:table-row>",
            styles='<style:style style:name="ta9" style:family="table">'
            '<style:table-properties table:display="false"/></style:style>',
            more=hidden,
        )
        record = self._import(content, filename="list.ods")
        self.assertEqual(record.line_ids.name, "Ada Roy")
        self.assertEqual(str(record.line_ids.date_end), "2026-12-31")
        self.assertIn("Rest", record.sheet_remark)
        self.assertNotIn("Codes", record.sheet_remark)

    def test_ods_of_many_columns(self):
        """Cells that say they are repeated take no memory."""
        cell = '<table:table-cell table:number-columns-repeated="900000000"/>'
        content = self._ods(self._cells("Name") + cell * 50 + self._cells("x"), "")
        self.assertTrue(self._refused(content, "wide.ods"))
