import csv
import io
import json

import openpyxl

from odoo import http
from odoo.tests import HttpCase, tagged

LINK = '=HYPERLINK("http://evil.example","Open")'
NAMES = [LINK, f"'{LINK}", "{=1+1}", "@SUM(1)", "\tTab", "Plain"]


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
