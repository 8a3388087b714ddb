from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .reading import normalize


class MembriImportLevel(models.Model):
    _name = "membri.import.level"
    _description = "Plan in an Imported List"
    _inherit = "membri.fields.mixin"
    _order = "name, id"
    _check_company_auto = True

    import_id = fields.Many2one("membri.import", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="import_id.company_id")
    name = fields.Char(string="Name in the List", help="Empty: rows that name no plan.")
    option_set_id = fields.Many2one(
        "membri.option.set",
        string="Membership Plan",
        check_company=True,
        context={"active_test": False},
    )
    row_count = fields.Integer(string="Rows in the List", readonly=True, copy=False)

    _once = models.UniqueIndex(
        "(import_id, COALESCE(name, ''))", "Each name of a plan is listed once."
    )

    @api.depends("name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for level in self:
            level.display_name = level.name or self.env._("(no plan)")


class MembriImport(models.Model):
    """Which plan of ours is meant by each name in the list."""

    _inherit = "membri.import"

    def _set_option_set_map(self, option_sets):
        """:param option_sets: ``{name in the list: id, code or name of a plan of ours}``"""
        self.ensure_one()
        if not isinstance(option_sets, dict):
            raise UserError(
                self.env._("Plans by Name is a table: for each name in the list, the ID of a plan.")
            )
        known = {normalize(level.name): level for level in self.level_ids}
        for name, value in option_sets.items():
            option_set = self._find_option_set(value)
            if level := known.get(normalize(name)):
                level.option_set_id = option_set
            else:
                self.env["membri.import.level"].create(
                    {
                        "import_id": self.id,
                        "name": (name or "").strip() or False,
                        "option_set_id": option_set.id,
                    }
                )

    def _get_option_sets(self):
        """Return the plans that this import may use: those of its company, and of its
        parents."""
        return (
            self.env["membri.option.set"]
            .with_context(active_test=False)
            .search([("company_id", "parent_of", self.company_id.id)])
        )

    def _find_option_set(self, value):
        """:param value: id, code or name
        :raises UserError: when there is no such plan in this company"""
        option_sets = self._get_option_sets()
        if isinstance(value, models.BaseModel):
            value = value.id
        if not value:
            return option_sets.browse()
        if isinstance(value, int) and not isinstance(value, bool):
            found = option_sets.filtered(lambda o: o.id == value)
        else:
            found = self._find_by_name(option_sets, value)
        if not found:
            raise UserError(
                self.env._(
                    "There is no membership plan “%(plan)s” in %(company)s.",
                    plan=value,
                    company=self.company_id.name,
                )
            )
        return found[0]

    @staticmethod
    def _find_by_name(option_sets, name):
        """By code, or by name in the reader's language or the source language."""
        words = normalize(name)
        return option_sets.filtered(
            lambda o: (
                words
                and words
                in (
                    normalize(o.code),
                    normalize(o.name),
                    normalize(o.with_context(lang="en_US").name),
                    *(
                        normalize(o.with_context(lang=lang).name)
                        for lang, _label in o.env["res.lang"].get_installed()
                    ),
                )
            )
        )[:1]

    def _update_levels(self, counts):
        """List the plans that the file names: those that are called as ours are known.

        :param counts: ``{name in the list: rows}``"""
        self.ensure_one()
        by_words = {}
        for name, count in counts.items():
            spelling, sum_ = by_words.get(normalize(name), (name, 0))
            by_words[normalize(name)] = (spelling, sum_ + count)
        known = {normalize(level.name): level for level in self.level_ids}
        option_sets = self._get_option_sets()
        earlier = self._get_earlier_levels()
        gone = self.level_ids.filtered(
            lambda li: normalize(li.name) not in by_words and not li.option_set_id
        )
        gone.unlink()
        vals_list = []
        for words, (name, count) in by_words.items():
            level = known.get(words)
            if level:
                level._internal_write({"row_count": count})
                if level.option_set_id:
                    continue
            option_set = self._find_by_name(option_sets, name) or earlier.get(words)
            if level:
                level.option_set_id = option_set
            else:
                vals_list.append(
                    {
                        "import_id": self.id,
                        "name": name or False,
                        "option_set_id": option_set.id if option_set else False,
                        "row_count": count,
                    }
                )
        self.env["membri.import.level"]._as_internal().create(vals_list)
        self.invalidate_recordset(["level_ids", "option_set_map"])

    def _get_earlier_levels(self):
        """:return: ``{words of a name: plan}`` as chosen for the last list from this system"""
        levels = self.env["membri.import.level"].search(
            self._get_of_earlier_domain() & Domain("option_set_id", "!=", False), order="id"
        )
        return {normalize(level.name): level.option_set_id for level in levels}
