from odoo import api, models

FOLDER = "/membri_renewal/static/import"


class ResPartner(models.Model):
    """Files to start from, for Odoo's own import of single records."""

    _inherit = "res.partner"

    @api.model
    def get_import_templates(self):
        # EXTENDS base
        return [
            *super().get_import_templates(),
            {
                "label": self.env._("Import Template for Members"),
                "template": f"{FOLDER}/members.csv",
            },
        ]


class MembriOptionSet(models.Model):
    _inherit = "membri.option.set"

    @api.model
    def get_import_templates(self):
        # OVERRIDES base_import
        return [
            {
                "label": self.env._("Import Template for Membership Plans"),
                "template": f"{FOLDER}/membership_plans.csv",
            }
        ]


class MembriCotisation(models.Model):
    _inherit = "membri.cotisation"

    @api.model
    def get_import_templates(self):
        # OVERRIDES base_import
        return [
            {
                "label": self.env._("Import Template for Membership Terms"),
                "template": f"{FOLDER}/membership_terms.csv",
            }
        ]
