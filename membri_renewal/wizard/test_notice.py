from odoo import api, fields, models
from odoo.exceptions import UserError


class MembriTestNotice(models.TransientModel):
    """The renewal notice of a plan, sent to oneself before any member gets one."""

    _name = "membri.test.notice"
    _description = "Test Notice"
    _inherit = "membri.wizard.mixin"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    option_set_id = fields.Many2one(
        "membri.option.set",
        string="Membership Plan",
        domain="[('lifetime', '=', False), ('company_id', 'parent_of', company_id)]",
        default=lambda self: self._get_default_option_set(),
        check_company=True,
    )
    email = fields.Char(string="Sent To", compute="_compute_email")

    @api.model
    def _get_default_option_set(self):
        return self.env["membri.option.set"].search(
            [("lifetime", "=", False), ("company_id", "parent_of", self.env.company.id)], limit=1
        )

    @api.depends_context("uid")
    def _compute_email(self):
        self.email = self.env.user.email_normalized

    def action_confirm(self):
        """Send it now.

        :return: an action that says so"""
        self.ensure_one()
        if not self.option_set_id:
            raise UserError(self.env._("Create a membership plan first, then choose it here."))
        self.option_set_id.with_company(self.company_id)._do_send_test_notice()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "The test notice was sent to %(email)s. No member was created.",
                    email=self.env.user.email_normalized,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
