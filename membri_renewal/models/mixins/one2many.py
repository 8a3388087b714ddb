from collections.abc import Set

from odoo import fields
from odoo.fields import Domain
from odoo.tools import SQL


class ReadOne2many(fields.One2many):
    """Records that several companies share (contacts, types), with what each company has of its
    own. Odoo looks for numbers, and whether there is any at all, among what all companies have;
    here among what the user may read."""

    def condition_to_sql(self, field_expr, operator, value, model, alias, query):
        # EXTENDS base
        parent = super().condition_to_sql
        if (
            model.env.su
            or operator not in ("in", "not in")
            or not isinstance(value, list | tuple | Set)
        ):
            return parent(field_expr, operator, value, model, alias, query)
        is_in = operator == "in"
        conditions = []
        if numbers := [number for number in value if number]:
            conditions.append(("any" if is_in else "not any", Domain("id", "in", numbers)))
        if len(numbers) < len(value):  # none at all
            conditions.append(("not any" if is_in else "any", Domain.TRUE))
        found = [parent(field_expr, *it, model, alias, query) for it in conditions]
        return SQL("(%s)", SQL(" OR " if is_in else " AND ").join(found))
