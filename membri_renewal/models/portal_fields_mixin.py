from odoo import models


class MembriPortalFieldsMixin(models.AbstractModel):
    """What portal users may read over RPC of the records that are theirs: the fields that are
    named here, so that a new field is the staff's until somebody decides otherwise."""

    _name = "membri.portal.fields.mixin"
    _description = "Fields that portal users may read"
    _portal_fields = frozenset()

    def _has_field_access(self, field, operation):
        # EXTENDS base: called for every field that is read, hence the cheapest question first
        if field.name not in self._portal_fields and not self.env.su and self.env.user.share:
            return False
        return super()._has_field_access(field, operation)
