from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Command


class MembriWizardMixin(models.AbstractModel):
    """A window tells about the records that it is given: whoever opens it, by a button, by the
    context or by RPC, is told of those only that they may read."""

    _name = "membri.wizard.mixin"
    _inherit = "membri.fields.mixin"
    _description = "Window on records that its user may read"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_given_records(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_given_records(vals)
        return super().write(vals)

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        self._check_given_records(values)
        return values

    def onchange(self, values, field_names, fields_spec):
        self._check_given_records(values)
        return super().onchange(values, field_names, fields_spec)

    @api.model
    def _check_given_records(self, vals):
        """:param vals: as for ``create``, ``write`` or ``onchange``
        :raises AccessError: when they name a record that the user may not read"""
        if self.env.su or self._is_internal_write():
            return
        for name, value in vals.items():
            field = self._fields.get(name)
            if field is None or not field.relational or not value:
                continue
            comodel = self.env[field.comodel_name]
            ids = [value]
            if field.type != "many2one":
                ids = self._get_commanded_ids(comodel, value)
            records = comodel.browse(id_ for id_ in ids if isinstance(id_, int))
            try:
                records.check_access("read")
            except AccessError:
                # what was deleted meanwhile gets a sentence of its own
                records.sudo().exists().sudo(False).check_access("read")

    @api.model
    def _get_commanded_ids(self, comodel, commands):
        """:return: the ids that one2many or many2many commands name; what they would write on
        other windows is checked as well"""
        ids = []
        for command in commands:
            if not isinstance(command, (list, tuple)):
                ids.append(command)
                continue
            if command[0] == Command.SET:
                ids += command[2]
            elif command[0] in (Command.LINK, Command.UPDATE):
                ids.append(command[1])
            if command[0] in (Command.CREATE, Command.UPDATE) and isinstance(
                comodel, MembriWizardMixin
            ):
                comodel._check_given_records(command[2] or {})
        return ids
