import inspect

from .common_portal import PortalCase

MODULE = "odoo.addons.membri_renewal"
# What the rest of a call needs, by the name of the parameter.
ARGUMENTS = {"date": "2026-12-31", "action": "approve", "reason": "x", "is_modify": False}
MUTED = (
    "odoo.addons.base.models.ir_model",
    "odoo.addons.base.models.ir_rule",
    "odoo.addons.mail.models.mail_thread",
    "odoo.models",
    "odoo.sql_db",
)


class RpcCase(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.renewal = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-01"))
        cls.renewal.action_send()
        cls._create_cotisation(cls._create_member("Zoe"), "2026-01-01")
        paid_for = cls._create_renewal(cls._create_cotisation(cls.colleague, "2026-01-01"))
        paid_for.action_approve()
        cls.campaign = cls.env["membri.campaign"].create(
            {
                "option_set_ids": cls.yearly.ids,
                "date_from": "2026-01-01",
                "date_to": "2027-12-31",
            }
        )
        cls.campaign.action_preview()
        cls.job = cls.env_root["membri.bulk.job"].create(
            {
                "action": "approve",
                "company_id": cls.company.id,
                "user_id": cls.officer.id,
                "line_ids": [(0, 0, {"renewal_id": cls.renewal.id})],
            }
        )
        cls.samples = {
            "account.move": paid_for.invoice_id,
            "membri.bulk.job": cls.job,
            "membri.bulk.job.line": cls.job.line_ids,
            "membri.campaign": cls.campaign,
            "membri.campaign.line": cls.campaign.line_ids[:1],
            "membri.cotisation": cls.renewal.cotisation_id,
            "membri.dashboard": cls.env["membri.dashboard"].search([], limit=1),
            "membri.option.set": cls.yearly,
            "membri.renewal": cls.renewal,
            "res.partner": cls.member,
        }

    def _get_ids(self, model):
        """Of the portal user's own records; where nobody but the staff may read, any will do."""
        return self.samples[model].ids if model in self.samples else [1]

    def _get_arguments(self, model, name):
        signature = inspect.signature(getattr(type(self.env[model]), name))
        required = list(signature.parameters.values())[1:]
        return [
            ARGUMENTS.get(parameter.name, "x")
            for parameter in required
            if parameter.default is parameter.empty
            and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]

    def _get_state(self):
        """Everything that is stored of what the calls are about, but for who flushed it when."""
        records = (self.renewal, self.renewal.cotisation_id, self.member, self.campaign, self.job)
        self.env.flush_all()
        self.env.invalidate_all()
        values = [
            record.sudo().read(
                [
                    name
                    for name, field in record._fields.items()
                    if field.store and field.column_type and not name.startswith("write_")
                ]
            )
            for record in records
        ]
        counted = ("membri.renewal", "account.move", "mail.message")
        return values, [self.env_root[model].search_count([]) for model in counted]
