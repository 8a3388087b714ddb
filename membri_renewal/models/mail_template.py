from odoo import models


class MailTemplate(models.Model):
    _name = "mail.template"
    _inherit = ["mail.template", "membri.shipped.mixin"]

    _local_fields = frozenset({"ref_ir_act_window"})

    def reset_template(self):
        # EXTENDS mail: who takes our text back gets its corrections again
        result = super().reset_template()
        self.filtered("template_fs")._set_ours(True)
        return result
