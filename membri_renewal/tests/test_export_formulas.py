import csv
import io
import json

import openpyxl

from odoo import http
from odoo.tests import HttpCase, tagged

LINK = '=HYPERLINK("http://evil.example","Open")'
FILE_LINK = "external:\\\\evil.example\\share\\x"
NAMES = [LINK, f"'{LINK}", "{=1+1}", FILE_LINK, "@SUM(1)", "\tTab", "Plain"]


@tagged("post_install", "-at_install")
class TestExportFormulas(HttpCase):
    """What members write is text in the spreadsheets that officers export."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contacts = cls.env["res.partner"].create(
            [{"name": "Member", "function": name} for name in NAMES]
        )

    def _export(self, kind, groupby=()):
        self.authenticate("admin", "admin")
        fields = [{"name": "function", "label": "Job", "type": "char"}]
        params = {
            "model": "res.partner",
            "fields": fields,
            "ids": self.contacts.ids,
            "domain": [],
            "groupby": groupby,
            "import_compat": False,
            "context": {},
        }
        token = http.Request.csrf_token(self)
        response = self.url_open(
            f"/web/export/{kind}", data={"data": json.dumps(params), "csrf_token": token}
        )
        response.raise_for_status()
        return response.content

    def _read_cells(self, content):
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        return [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]

    def test_formulas_are_text_in_excel(self):
        cells = self._read_cells(self._export("xlsx"))
        self.assertNotIn("f", {cell.data_type for cell in cells})
        self.assertIn(f"'{LINK}", [cell.value for cell in cells])
        self.assertFalse([cell.hyperlink for cell in cells if cell.hyperlink])

    def test_names_of_groups_are_text_in_excel(self):
        cells = self._read_cells(self._export("xlsx", ["function"]))
        self.assertNotIn("f", {cell.data_type for cell in cells})
        # a group and a record of each; none is lost to another one's name
        self.assertEqual(len(cells) - 1, 2 * len(NAMES))

    def test_formulas_are_text_in_csv(self):
        text = self._export("csv").decode()
        cells = [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:]
        self.assertFalse([cell for cell in cells if cell.startswith(("=", "@", "\t"))])
        self.assertEqual(len(cells), len(NAMES))

    def test_columns_of_pivot_tables_are_text(self):
        """Groups of columns and of rows, measures and values, as the web client posts them."""
        titles = [{"title": name, "width": 1, "height": 1} for name in NAMES]
        table = {
            "model": "membri.renewal",
            "title": "Renewals",
            "measure_count": 1,
            "col_group_headers": [titles],
            "measure_headers": [{**title, "is_bold": False} for title in titles],
            "rows": [
                {"title": name, "indent": 0, "values": [{"value": LINK}, {"value": 12.5}]}
                for name in NAMES
            ],
        }
        self.authenticate("admin", "admin")
        token = http.Request.csrf_token(self)
        url = "/web/pivot/export_xlsx"
        for how in (
            {"data": {"data": json.dumps(table), "csrf_token": token}},
            {"data": {"csrf_token": token}, "files": {"data": ("blob", json.dumps(table))}},
        ):
            response = self.url_open(url, **how)
            response.raise_for_status()
            cells = self._read_cells(response.content)
            self.assertNotIn("f", {cell.data_type for cell in cells})
            self.assertFalse([cell.hyperlink for cell in cells if cell.hyperlink])
            values = [cell.value for cell in cells]
            for text in (f"'{LINK}", f"'{FILE_LINK}", "Plain", 12.5):
                self.assertIn(text, values)
