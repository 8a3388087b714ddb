import re

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# what officers write of a death when they type it instead of choosing the reason
DEATH = re.compile(
    r"\b(deceased|death|died|dead|décès|décédée?|deces|decedee?|mort)\b", re.IGNORECASE
)


class MembriRefusalReason(models.Model):
    _name = "membri.refusal.reason"
    _description = "Decline Reason"
    _inherit = ["membri.needed.mixin", "membri.fields.mixin"]
    # given by the code: who enrolls again, who is terminated, who never paid, who died
    _needed_names = (
        "refusal_reason_rejoined",
        "refusal_reason_terminated",
        "refusal_reason_not_paid",
        "refusal_reason_deceased",
    )
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(string="Available", default=True)
    is_death = fields.Boolean(
        string="Death",
        help="Members who leave for this reason are counted as deceased in the figures.",
    )

    @api.model
    def _get_kind_and_text(self, reason):
        """Return why a membership ends, as the reason of the list that it is counted as (or none),
        and as a text.

        :param reason: a text, one of these records, or the id of one
        :raises UserError: when that one has been deleted"""
        if isinstance(reason, int) and reason:
            reason = self.browse(reason)
        if not isinstance(reason, models.BaseModel):
            return self._get_of_text(reason), reason
        kind = reason[:1]
        kind._check_exists()
        return kind, kind.name

    @api.model
    def _get_of_text(self, text):
        """:param text: why a membership ends, as it was typed
        :return: the reason that it names, in any language, or that a death is; else none"""
        text = (text or "").strip()
        if not text:
            return self.browse()
        # sudo: archived ones too, whoever ends a membership
        reasons_sudo = self.sudo().with_context(active_test=False).search(Domain.TRUE)
        for code, _name in self.env["res.lang"].get_installed():
            for reason in reasons_sudo.with_context(lang=code):
                if (reason.name or "").casefold() == text.casefold():
                    return self.browse(reason.id)
        if DEATH.search(text):
            deceased = self.env.ref("membri_renewal.refusal_reason_deceased", False)
            return deceased or self.browse()
        return self.browse()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_given(self):
        # also those of other companies
        counts = (
            self.env["membri.renewal"]
            .sudo()
            ._read_group(
                [("refusal_reason_id", "in", self.ids)], ["refusal_reason_id"], ["__count"], limit=1
            )
        )
        for reason, count in counts:
            raise UserError(
                self.env._(
                    "“%(reason)s” is the reason for %(count)s declined renewals. Archive "
                    "it instead of deleting it: it is no longer proposed, and the history "
                    "is kept.",
                    reason=reason.name,
                    count=count,
                )
            )

    def _check_exists(self):
        """:raises UserError: when somebody has deleted one since it was chosen"""
        if self.exists() != self:
            raise UserError(self.env._("The selected reason has been deleted. Choose another one."))
