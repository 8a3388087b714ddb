import json

from odoo import http

from odoo.addons.web.controllers.export import CSVExport, ExcelExport
from odoo.addons.web.controllers.pivot import TableExporter

from ..models.moving_in.reading import escape_formula

# what the library that writes Excel files takes for a formula, or for a link to a file, whose
# address the cell does not show
XLSX_FORMULA_STARTS = ("=", "{=", "external:", "internal:")


def escape_xlsx(value):
    """:return: ``value`` for a cell, or as a name of a group: never a formula"""
    if isinstance(value, tuple):  # a record: its id and its name
        return tuple(map(escape_xlsx, value))
    if isinstance(value, bytes) and value.startswith(b"="):
        return b"'" + value
    if isinstance(value, str) and value.startswith(XLSX_FORMULA_STARTS):
        return f"'{value}"
    return value


def escape_tree(node):
    """:return: ``node``, of JSON, whose texts are no formulas"""
    if isinstance(node, dict):
        return {name: escape_tree(value) for name, value in node.items()}
    return [escape_tree(value) for value in node] if isinstance(node, list) else escape_xlsx(node)


def escape_group(node):
    """Escape what is exported of a group, and of the groups in it.

    :param node: of Odoo's tree of groups"""
    node.data = [[escape_xlsx(value) for value in row] for row in node.data]
    children = type(node.children)()
    for name, child in node.children.items():
        text = escape_xlsx(name)
        while text in children:  # a group of this very name
            text = f"'{text}"
        children[text] = child
        escape_group(child)
    node.children = children


class MembriExcelExport(ExcelExport):
    """Members write their names and messages, and officers open them in a spreadsheet. Odoo escapes
    formulas in one of its two formats."""

    def from_data(self, fields, columns_headers, rows):
        # EXTENDS web
        rows = [[escape_xlsx(value) for value in row] for row in rows]
        return super().from_data(fields, columns_headers, rows)

    def from_group_data(self, fields, columns_headers, groups):
        # EXTENDS web
        escape_group(groups)
        return super().from_group_data(fields, columns_headers, groups)


class MembriCSVExport(CSVExport):
    """Odoo escapes three of the signs that a formula begins with."""

    def from_data(self, fields, columns_headers, rows):
        # EXTENDS web
        rows = [[escape_formula(v) if isinstance(v, str) else v for v in row] for row in rows]
        return super().from_data(fields, columns_headers, rows)


class MembriPivotExport(TableExporter):
    """The columns and rows of a pivot table are named after records, of members among others."""

    @http.route()
    def export_xlsx(self, data, **kw):
        # EXTENDS web
        table = json.loads(data) if isinstance(data, str) else json.load(data)
        for part in ("col_group_headers", "measure_headers", "rows"):
            if isinstance(table, dict) and part in table:
                table[part] = escape_tree(table[part])
        return super().export_xlsx(json.dumps(table), **kw)
