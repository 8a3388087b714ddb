from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL, sql

HEADER = [
    "Contact",
    "Name",
    "Membership Plan",
    "First Day",
    "Last Day",
    "Left On",
    "Status",
    "Amount",
    "Invoice Item",
    "Included in the Membership Of",
    "Exempt From Fees",
]
# the line of the invoice, as Odoo and as OCA call it
INVOICE_COLUMNS = ("account_invoice_line", "account_invoice_line_id")


class MembriImport(models.Model):
    """The tables of Odoo's ``membership``, or of OCA's, in this very database. They stay when
    that add-on is uninstalled from an older version and its tables are kept."""

    _inherit = "membri.import"

    def _read_odoo_tables(self):
        """:return: as ``read_list``: the first column is the contact of this database"""
        if not sql.table_exists(self.env.cr, "membership_membership_line"):
            raise UserError(
                self.env._(
                    "This database has no memberships of Odoo's “Members” app (there is no table "
                    "membership_membership_line). Choose another system."
                )
            )
        return HEADER, self._iterate_odoo_tables()

    def _iterate_odoo_tables(self):
        invoice_line = self._get_optional_column(
            "membership_membership_line", "line", *INVOICE_COLUMNS
        )
        # contacts of another company stay that company's
        self.env.cr.execute(
            SQL(
                """
                SELECT line.id, partner.id, partner.name, template.name, line.date_from,
                       line.date_to, line.date_cancel, line.state, line.member_price, %s
                  FROM membership_membership_line line
                  JOIN res_partner partner ON partner.id = line.partner
                  JOIN product_product product ON product.id = line.membership_id
                  JOIN product_template template ON template.id = product.product_tmpl_id
                 WHERE partner.company_id IS NULL OR partner.company_id = %s
                 ORDER BY line.date_from, line.id
                """,
                invoice_line,
                self.company_id.id,
            )
        )
        number = 1
        for number, row in enumerate(self.env.cr.fetchall(), 2):
            _id, partner_id, name, product, start, end, cancelled, state, price, item = row
            names = product if isinstance(product, dict) else {"en_US": product}
            yield (
                number,
                [
                    str(partner_id),
                    name or "",
                    names.get(self.env.lang) or names.get("en_US") or "",
                    start.isoformat() if start else "",
                    end.isoformat() if end else "",
                    cancelled.isoformat() if cancelled and state != "canceled" else "",
                    state or "",
                    str(price or ""),
                    str(item or ""),
                    "",
                    "",
                ],
            )
        yield from self._iterate_odoo_contacts(number + 1)

    def _iterate_odoo_contacts(self, number):
        """Who is a member without a line: by the membership of another, or free of charge."""
        self.env.cr.execute(
            SQL(
                """
                SELECT partner.id, partner.name, %(associate)s, %(free)s
                  FROM res_partner partner
                 WHERE (%(associate)s IS NOT NULL OR %(free)s)
                   AND (partner.company_id IS NULL OR partner.company_id = %(company)s)
                   AND NOT EXISTS (
                       SELECT FROM membership_membership_line line
                        WHERE line.partner = partner.id)
                 ORDER BY partner.id
                """,
                associate=self._get_optional_column("res_partner", "partner", "associate_member"),
                free=self._get_optional_column("res_partner", "partner", "free_member"),
                company=self.company_id.id,
            )
        )
        for row, (partner_id, name, owner, free) in enumerate(self.env.cr.fetchall(), number):
            cells = [""] * len(HEADER)
            cells[:2] = [str(partner_id), name or ""]
            cells[-2:] = [f"id:{owner}", ""] if owner else ["", "yes" if free else ""]
            yield row, cells

    def _get_optional_column(self, table, alias, *names):
        """:return: the first of these columns that the table has, or NULL, as SQL"""
        for name in names:
            if sql.column_exists(self.env.cr, table, name):
                return SQL.identifier(alias, name)
        return SQL("NULL")
