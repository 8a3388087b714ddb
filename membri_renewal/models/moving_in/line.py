from odoo import api, fields, models


class MembriImportLine(models.Model):
    """One row of a list: what it says, what would or did become of it, and what to do to take
    it back."""

    _name = "membri.import.line"
    _description = "Row of an Imported List"
    _inherit = "membri.state.mixin"  # for its isolation: a bad row never stops the others
    _written_by_clients = False
    _order = "row, id"

    import_id = fields.Many2one("membri.import", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="import_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    row = fields.Integer(help="Row of the list, as a spreadsheet program shows it.")
    name = fields.Char(string="Member in the List")
    result = fields.Selection(
        [
            ("new", "New"),
            ("same", "Unchanged"),
            ("differs", "Changed"),
            ("skipped", "Left Out"),
            ("error", "To Correct"),
        ],
    )
    message = fields.Text(help="What happens to the row, and why.")
    partner_id = fields.Many2one(
        "res.partner", string="Contact", index="btree_not_null", ondelete="set null"
    )
    cotisation_id = fields.Many2one(
        "membri.cotisation",
        string="Membership Term",
        index="btree_not_null",
        ondelete="set null",
    )
    option_set_id = fields.Many2one(
        "membri.option.set", string="Membership Plan", ondelete="set null"
    )
    date_start = fields.Date(string="First Day")
    date_end = fields.Date(string="Last Day")
    amount = fields.Float(string="Amount in the List", digits="Product Price")
    # who it is about, to find the other rows of the same member
    key = fields.Char(string="Key of the Member")
    term_key = fields.Char(string="Term Number in the List")
    cells = fields.Json()
    aside = fields.Json(string="Columns Kept Aside")
    aside_display = fields.Text(string="Other Columns", compute="_compute_aside_display")
    todo = fields.Selection(
        [
            ("row", "Row"),
            ("links", "Links"),
            ("undo_term", "Undo of the Term"),
            ("undo_contact", "Undo of the Contact"),
        ],
        string="Left to Do",
    )
    is_unread = fields.Boolean(
        string="Cannot Be Read", help="The row itself must be corrected in the list."
    )
    is_done = fields.Boolean(string="Imported")
    # what it says (``values``), and what was written and was there before (``done``)
    trace = fields.Json(string="What Was Done")

    # the work: the next lines of an import, the oldest terms first
    _work = models.Index("(import_id, todo, date_start, id) WHERE todo IS NOT NULL")
    # all lines about one member
    _member = models.Index("(import_id, key)")

    def _is_total(self):
        """:return: whether the row is a sum below the list: nobody, and nothing to correct"""
        self.ensure_one()
        return bool((self.trace or {}).get("values", {}).get("is_total"))

    @api.depends("aside")
    @api.depends_context("lang")
    def _compute_aside_display(self):
        for line in self:
            line.aside_display = "\n".join(
                self.env._("%(column)s: %(cell)s", column=name, cell=value)
                for name, value in (line.aside or {}).items()
            )
