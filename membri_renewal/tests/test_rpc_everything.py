import base64
import inspect
import re
import warnings
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw, get_public_method
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common_rpc import MODULE, MUTED, RpcCase

SECRET = "Whispered-to-the-staff"
SECRET_LIST = "Irma-Imported"
CHANGES = re.compile(r'\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE)
# What the calls of inherited methods need, by the name of the parameter.
GIVEN = {
    "access_uid": False,
    "aggregates": ["__count"],
    "alias": "x",
    "allfields": ["display_name"],
    "attachment_ids": [],
    "body": "x",
    "bodies": {},
    "contexts": {},
    "default": {},
    "data": [["x"]],
    "domain": [],
    "external_ids": [],
    "field_name": "display_name",
    "field_names": ["display_name"],
    "field_onchange": {},
    "fields": ["display_name"],
    "fields_list": ["display_name"],
    "fields_spec": {"display_name": {}},
    "fnames": ["display_name"],
    "func": "x",
    "groupby": ["id"],
    "key": "id",
    "name": "x",
    "operation": "read",
    "partner_ids": [],
    "res_ids": [],
    "specification": {"display_name": {}},
    "store": None,
    "subtype_ids": [],
    "translations": {},
    "values": {},
    "vals": {},
    "vals_list": [{}],
    "view_type": "form",
    "xml_ids": [],
}
# Called with what is worth having: a key, a note, a row.
WORTH = {
    "read": [None],
    "search_read": [[]],
    "web_read": [{"display_name": {}, "name": {}}],
    "web_search_read": [[], {"display_name": {}}],
    "export_data": [["id", "display_name", "access_token"]],
    "message_post": [],
    "copy": [],
    "unlink": [],
    "write": [{"display_name": "x"}],
    "mapped": ["access_token"],
    "filtered": ["access_token"],
    "grouped": ["access_token"],
    "sorted": ["access_token"],
}
# What a client may call, and is not called here, with the reason.
SKIPPED = {}
# What people may do with a record of their own, and why.
OWN_CALLS = {
    ("account.move", "message_post"): "whoever may read their invoice answers in its thread",
}
# Rows that a user may change by these calls, and why.
OWN_ROWS = {
    "mail_followers": "whoever may read a record may follow it",
    "bus_bus": "tells the user's own browsers",
    "mail_notification": "of the user alone",
    "mail_message_res_partner_starred_rel": "the user's own stars",
    "mail_activity": "a to-do about nothing; those of others stay what they are, see below",
}


# Windows that readers may open: their rows are their own, and go away by themselves.
WINDOWS = (
    "membri_renewal_explanation",
    "membri_deferred_start",
    "membri_season",
    "membri_forecast",
    "membri_forecast_line",
    "membri_price_simulation",
    "membri_price_simulation_line",
)
# What must not change whoever calls what.
TABLES = (
    "membri_renewal",
    "membri_renewal_line",
    "membri_cotisation",
    "membri_cotisation_line",
    "membri_option_set",
    "membri_option_set_line",
    "membri_campaign",
    "membri_bulk_job",
    "membri_import",
    "membri_import_line",
    "membri_import_level",
    "membri_import_column",
    "account_move",
    "mail_message",
    "mail_activity",
    "ir_attachment",
)


def is_extended(model, name):
    """What all models get looks at the records that they name: test_doors_of_money.py calls it.

    :return: whether we add or extend this method of a model of Odoo"""
    return any(
        base.__module__.startswith(MODULE)
        and name in vars(base)
        and tuple(vars(base).get("_inherit") or ()) != ("base",)
        for base in model.mro()
    )


def get_public_methods(registry):
    """Return ``[(model, method)]``: every method that a client may call on a model of ours,
    inherited ones included, and those that we add to, or extend of, models of Odoo."""
    found = []
    for model_name, model in registry.items():
        if model._abstract:
            continue
        ours = model_name.startswith("membri.")
        if not ours and not any(base.__module__.startswith(MODULE) for base in model.mro()):
            continue
        for name, method in inspect.getmembers(model, inspect.isroutine):
            if name.startswith("_") or getattr(method, "_api_private", False) or name in SKIPPED:
                continue
            if ours or is_extended(model, name):
                found.append((model_name, name))
    return sorted(found)


@tagged("post_install", "-at_install")
class TestRpcEverything(RpcCase):
    """11 A 1: every public method of every model of ours, as a client calls it, by people whom
    the records are no business of: no foreign data comes out, no key, and no row changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        west = cls.env_root["res.company"].create({"name": "Chapter West"})
        cls.west_manager = cls._create_manager_of(west, "west_manager")
        cls.renewal.sudo().write({"date_follow_up": "2026-12-01"})
        cls.renewal.action_request_change(SECRET)
        cls.renewal.message_post(body=SECRET)
        cls.renewal.activity_schedule("mail.mail_activity_data_todo", note=SECRET)
        cls.samples["membri.renewal.line"] = cls.renewal.line_ids
        cls.samples["membri.cotisation.line"] = cls.renewal.cotisation_id.line_ids
        cls._create_what_others_work_on()
        invoice = cls.samples["account.move"]
        cls.keys = [cls.renewal.sudo().access_token, invoice.sudo().access_token]
        cls.keys.append(invoice.membri_renewal_id.sudo().access_token)
        cls.secrets = [
            *filter(None, cls.keys),
            SECRET,
            SECRET_LIST,
            cls.renewal.name,
            cls.renewal.cotisation_id.name,
            invoice.name,
            invoice.membri_renewal_id.name,
        ]
        cls.env.flush_all()
        cls.last_ids = {
            table: cls.env.execute_query(SQL("SELECT max(id) FROM %s", SQL.identifier(table)))[0][0]
            for table in TABLES
        }

    @classmethod
    def _create_what_others_work_on(cls):
        """A list that is moved in, and windows: of this company, and of their users alone."""
        content = f"Name,Email,Plan,First Day\n{SECRET_LIST},irma@example.com,Gold,2026-01-01\n"
        moved_in = (
            cls.env["membri.import"]
            .with_user(cls.manager)
            .create({"file": base64.b64encode(content.encode()), "filename": f"{SECRET_LIST}.csv"})
        )
        moved_in.action_preview()
        for name in ("membri.season", "membri.forecast", "membri.price.simulation"):
            cls.env[name].with_user(cls.manager).create({})
        reset = {"renewal_id": cls.samples["account.move"].membri_renewal_id.id}
        cls.env["membri.renewal.reset"].create(reset)

    def _get_record(self, model):
        """Somebody else's, where there is one."""
        if model in self.samples:
            return self.samples[model].ids
        return self.env_root[model].search([], limit=1, order="id desc").ids or [1]

    def _get_call(self, model, name):
        """:return: the arguments of a call of this method on somebody else's record"""
        method = getattr(type(self.env[model]), name)
        arguments = WORTH.get(name)
        if arguments is None:
            parameters = list(inspect.signature(method).parameters.values())[1:]
            arguments = [
                GIVEN.get(parameter.name, "x")
                for parameter in parameters
                if parameter.default is parameter.empty
                and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
            ]
        ids = [] if getattr(method, "_api_model", False) else [self._get_record(model)]
        return [*ids, *arguments]

    def _get_fingerprint(self):
        """Of all rows of others that were there before: their tables, each with one number."""
        return dict(
            self.env.execute_query(
                SQL(" UNION ALL ").join(
                    SQL(
                        "SELECT %s, md5(string_agg(t::text, '' ORDER BY id))"
                        " FROM %s t WHERE id <= %s",
                        table,
                        SQL.identifier(table),
                        last,
                    )
                    for table, last in self.last_ids.items()
                )
            )
        )

    def _call_everything(self, user, secrets, own_rows=(), own_calls=(), may_create=False):
        """:param own_rows: tables whose rows are the user's own
        :param own_calls: ``(model, method)`` of what the user may do with a record of their own
        :param may_create: whether the user may make records, of another company: then what was
            there before must not change"""
        changed = set()
        before = self._get_fingerprint()
        cursor = type(self.env.cr)
        original = cursor.execute

        def record_changes(this, query, *args, **kwargs):
            text = getattr(query, "code", query)
            if isinstance(text, str) and (match := CHANGES.match(text)):
                changed.add(match[1])
            return original(this, query, *args, **kwargs)

        called = 0
        with patch.object(cursor, "execute", record_changes):
            for model, name in get_public_methods(self.registry):
                records = self.env(user=user, context={})[model]
                try:
                    get_public_method(records, name)
                except AccessError:
                    continue  # no client can call it
                arguments = self._get_call(model, name)
                self.env.invalidate_all()
                savepoint = self.env.cr.savepoint()
                changed.clear()
                try:
                    found = repr(call_kw(records, name, arguments, {}))
                    self.env.flush_all()
                    rows = changed - set(OWN_ROWS) - set(own_rows)
                    if "mail_activity" in changed or (rows and may_create):
                        after = self._get_fingerprint()
                        others = {table for table in before if before[table] != after[table]}
                        rows = others if may_create else rows | others
                except AccessError as error:
                    found, rows = str(error), ()
                except UserError as error:
                    found, rows = str(error), ()
                except Exception as error:
                    found, rows = repr(error), ()
                finally:
                    savepoint.rollback()
                    savepoint.close(rollback=False)
                called += 1
                for secret in secrets:
                    if secret in found:
                        self.fail_later.append((user.login, model, name, secret))
                if rows and (model, name) not in own_calls:
                    self.fail_later.append((user.login, model, name, sorted(rows)))
        self.assertGreater(called, 1600, "the search itself works")
        self.assertEqual(self.fail_later, [])

    def setUp(self):
        super().setUp()
        self.fail_later = []
        # clients still find the methods that Odoo calls deprecated
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore", DeprecationWarning)

    def test_skipped(self):
        """What is not called is this list, no more and no less, each with its reason."""
        called = set(get_public_methods(self.registry))
        skipped = set()
        for model in {model for model, _name in called}:
            for name in dir(self.registry[model]):
                try:
                    get_public_method(self.env[model], name)
                except (AccessError, AttributeError):
                    continue  # private, or no method
                ours = model.startswith("membri.") or is_extended(self.registry[model], name)
                if ours and (model, name) not in called:
                    skipped.add(name)
        self.assertEqual(skipped, set(SKIPPED))
        self.assertTrue(all(SKIPPED.values()))

    @mute_logger(*MUTED)
    def test_member_of_another_company(self):
        self._call_everything(self.stranger_user, self.secrets)

    @mute_logger(*MUTED)
    def test_colleague(self):
        # the invoice among the samples is the colleague's own
        own = self.samples["account.move"]
        names = (own.name, own.membri_renewal_id.name, *self.keys[1:])
        foreign = [secret for secret in self.secrets if secret not in names]
        self._call_everything(self.colleague_user, foreign, own_calls=OWN_CALLS)

    @mute_logger(*MUTED)
    def test_employee_without_rights(self):
        self._call_everything(self.employee, self.secrets)

    @mute_logger(*MUTED)
    def test_manager_of_another_company(self):
        self._call_everything(self.west_manager, self.secrets, may_create=True)

    @mute_logger(*MUTED)
    def test_auditor(self):
        """Reads all, gets no key, changes nothing."""
        self._call_everything(self.auditor, list(filter(None, self.keys)), WINDOWS)
