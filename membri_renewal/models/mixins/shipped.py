from odoo import models


class MembriShippedMixin(models.AbstractModel):
    """Texts and queues that the add-on ships and that people may rewrite.

    An update brings ours until somebody edits the record; from then on it is theirs, in every
    language (its external id becomes ``noupdate``). ``_local_fields`` are each database's own
    from the first day: no update changes them, and changing them claims nothing.
    """

    _name = "membri.shipped.mixin"
    _description = "Editable Default Record"

    _local_fields = frozenset()

    def write(self, vals):
        result = super().write(vals)
        # the mode in which records are loaded from files: an update, or a reset to our text
        if not self.env.context.get("install_mode") and not self._local_fields.issuperset(vals):
            self._set_ours(False)
        return result

    def _load_records_write(self, values):
        # EXTENDS base
        return super()._load_records_write(
            {name: value for name, value in values.items() if name not in self._local_fields}
        )

    def _set_ours(self, is_ours):
        """Say whether updates bring our text; records that are not of this add-on are skipped."""
        # sudo: nobody but administrators may touch external ids
        names_sudo = (
            self.env["ir.model.data"]
            .sudo()
            .search(
                [
                    ("module", "=", "membri_renewal"),
                    ("model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("noupdate", "=", is_ours),
                ]
            )
        )
        names_sudo.noupdate = not is_ours
