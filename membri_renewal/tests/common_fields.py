from datetime import date, datetime

from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..models.mixins.fields import MembriFieldsMixin
from .common_portal import PortalCase

LOGGERS = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule", "odoo.models")


class FieldsCase(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = new_test_user(
            cls.env_root,
            "accountant",
            "account.group_account_manager,membri_renewal.group_membri_manager",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        cls.admin = new_test_user(
            cls.env_root,
            "boss",
            "base.group_system,account.group_account_manager,membri_renewal.group_membri_manager",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        cls.renewal = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-01"))
        cls.renewal.action_send()
        cls.accepted = cls._create_renewal(cls._create_cotisation(cls.colleague, "2026-01-01"))
        cls.accepted.action_send()
        cls.accepted.action_approve()
        cls.draft = cls._create_renewal(cls._create_yearly())
        cls.campaign = cls.env["membri.campaign"].create({"option_set_ids": cls.yearly.ids})
        cls.samples = {
            "membri.renewal": cls.draft,
            "membri.renewal.line": cls.draft.line_ids,
            "membri.cotisation": cls.accepted.new_cotisation_id,
            "membri.cotisation.line": cls.accepted.new_cotisation_id.line_ids,
            "membri.campaign": cls.campaign,
            "membri.option.set": cls.yearly,
            "membri.option.set.line": cls.yearly.line_ids,
            "membri.refusal.reason": cls.reason,
            "res.partner": cls.member,
            "account.move": cls.accepted.invoice_id,
            "account.move.line": cls.accepted.invoice_id.invoice_line_ids,
        }

    def _get_models(self):
        return {
            name: self.env[name]
            for name, model in self.registry.items()
            if issubclass(model, MembriFieldsMixin) and not model._abstract
        }

    def _get_facts(self, model):
        return [field for field in model._fields.values() if model._is_fact(field)]

    def _forge(self, record, field):
        """:return: a value of the right type that ``record`` does not have"""
        current = record.sudo()[field.name] if record else False
        if field.type == "selection":
            return next(v for v in field.get_values(self.env) if v != current)
        if field.type == "many2one":
            known = current.id if current else 0
            others = self.env[field.comodel_name].sudo().search([("id", "!=", known)], limit=1)
            return others.id
        if field.type in ("one2many", "many2many"):
            return [Command.clear()] if current else [Command.create({})]
        return {
            "boolean": not current,
            "date": date(2031, 5, 6),
            "datetime": datetime(2031, 5, 6, 7, 8),
            "integer": 77,
            "float": 77.0,
            "monetary": 77.0,
            "binary": b"Zm9yZ2Vk",
        }.get(field.type, "forged")

    def _call(self, user, model, method, args, **kwargs):
        """As a client calls it."""
        self.env.flush_all()
        self.env.invalidate_all()
        context = kwargs.pop("context", {})
        records = self.env(user=user, context={})[model]
        with mute_logger(*LOGGERS), self.env.cr.savepoint():
            result = call_kw(records, method, args, {**kwargs, "context": context})
            self.env.flush_all()
        return result
