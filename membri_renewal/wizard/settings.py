from lxml import etree

from odoo import api, models


class MembriSettings(models.TransientModel):
    """The membership manager's way to the membership settings of the current company, and
    to nothing else: Odoo's own settings are for system administrators only."""

    _name = "membri.settings"
    _description = "Membership Settings"
    _inherit = ["membri.settings.mixin", "membri.fields.mixin"]

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Show what the administrator's page shows about memberships, so that a setting is
        placed there once. A setting that another add-on has put there, and not into the
        mixin, stays the administrator's."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "form":
            everything = self.env["res.config.settings"]._get_view(view_type="form")[0]
            for app in everything.xpath("//app[@name='membri_renewal']"):
                arch.append(etree.fromstring(etree.tostring(app)))
            for setting in arch.xpath("//setting"):
                if any(field.get("name") not in self._fields for field in setting.iter("field")):
                    setting.getparent().remove(setting)
        return arch, view

    @api.model_create_multi
    def create(self, vals_list):
        self.browse().check_access("create")
        vals_list = [{**vals, "company_id": self.env.company.id} for vals in vals_list]
        for vals in vals_list:
            self._check_given_records(vals)
        # sudo: companies are the administrator's to write, their membership settings ours;
        # this model has no other fields
        return super(MembriSettings, self.sudo()).create(vals_list).with_env(self.env)

    def write(self, vals):
        self.check_access("write")
        own = {name: value for name, value in vals.items() if name != "company_id"}
        self._check_given_records(own)
        return super(MembriSettings, self.sudo()).write(own)  # sudo: as for ``create``

    def execute(self):
        """*Save*: creating the record has written the company; show what follows from it."""
        self.check_access("read")
        return {"type": "ir.actions.client", "tag": "reload"}

    def cancel(self):
        """*Discard*: open the page anew."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "membri_renewal.action_membri_settings"
        )


class ResConfigSettings(models.TransientModel):
    _name = "res.config.settings"
    _inherit = ["res.config.settings", "membri.settings.mixin"]

    def set_values(self):
        # EXTENDS base, which asks for no right: by RPC, on no record, every employee set all
        # settings back to nothing, and archived the price lists
        self.check_access("write")
        return super().set_values()
