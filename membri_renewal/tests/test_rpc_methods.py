import inspect
from unittest.mock import patch
from xmlrpc.client import Fault

from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw, get_public_method
from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from .common_rpc import MODULE, RpcCase

# Models of Odoo that this add-on extends with methods of its own.
EXTENDED = ("account.move", "res.partner")
# Whoever may read memberships may look at them and follow links between them. What changes
# something is not in this list, nor is a method that nobody thought of.
READERS = {
    "account.move": {
        "action_membri_view_cotisations",
        "action_membri_view_members",
        "action_membri_view_renewal",
    },
    "membri.aged": {"action_open_source"},
    "membri.at.risk": {"action_open_renewal"},
    "membri.deferred": {"action_open_source"},
    "membri.deferred.start": {"action_open"},
    "membri.bulk.job": {"action_view_lines", "get_progress"},
    "membri.bulk.job.line": {"action_open_renewal"},
    "membri.campaign": {"action_view_lines", "action_view_renewals"},
    "membri.campaign.line": {"action_open_member", "action_open_renewal"},
    "membri.cotisation": {
        "action_view_invoice",
        "action_view_member",
        "action_view_renewals",
    },
    "membri.dashboard": {"action_open", "action_open_kanban"},
    "membri.forecast": {"action_back_test", "action_open"},
    "membri.forecast.line": {"action_open_members"},
    "membri.insight": {"action_open_member", "action_open_members"},
    "membri.money": {"action_check_totals", "action_open_member"},
    "membri.option.set": {"action_view_members"},
    "membri.price.simulation": {"action_open"},
    "membri.price.simulation.line": {"action_open_members"},
    "membri.reconciliation": {"action_check_balance", "action_open_source"},
    "membri.renewal": {
        "action_view_cotisation",
        "action_view_invoice",
        "action_view_member",
        "action_view_new_cotisation",
    },
    "membri.renewal.explanation": {"action_open_cotisation", "action_open_renewal"},
    "membri.season": {"action_open_figure", "action_open_members", "action_print_board_pack"},
    "res.partner": {
        "action_membri_explain",
        "action_membri_view_cotisations",
        "action_membri_view_invoices",
        "action_membri_view_renewals",
    },
}
# These only name a list, an empty dialog or a record, whose content has its own rights.
OPENERS = {
    ("account.move", "action_membri_view_renewal"),
    ("membri.renewal", "action_view_cotisation"),
    ("membri.renewal", "action_view_invoice"),
    ("membri.renewal", "action_view_member"),
    ("membri.renewal", "action_view_new_cotisation"),
    ("membri.campaign", "action_view_lines"),
    ("membri.option.set", "action_view_members"),
    ("membri.settings", "cancel"),
    ("res.partner", "action_membri_enrol"),
    ("res.partner", "action_membri_explain"),
    ("res.partner", "action_membri_view_cotisations"),
    ("res.partner", "action_membri_view_renewals"),
}
# Refused in words to everybody but those who started the work.
REFUSED_IN_WORDS = {
    ("membri.bulk.job", "action_resume"),
    ("membri.bulk.job", "action_retry"),
    ("membri.bulk.job", "action_stop"),
}
ACTIONS = ("ir.actions.act_window", "ir.actions.act_window_close", "ir.actions.client")


def get_own_methods(registry):
    """Return ``[(model, method)]``: every public method that this add-on adds to a model,
    found by looking, so that a new one is tested before anybody thinks of it."""
    found = []
    for model_name, model in registry.items():
        if not (model_name.startswith("membri.") or model_name in EXTENDED) or model._abstract:
            continue
        for name, method in inspect.getmembers(model, inspect.isfunction):
            if name.startswith("_"):
                continue
            owners = [base.__module__ for base in model.mro() if name in vars(base)]
            ours = all(module.startswith(MODULE) for module in owners)
            if ours and not getattr(method, "_api_private", False):
                found.append((model_name, name))
    return sorted(found)


@tagged("post_install", "-at_install")
class TestRpcMethods(RpcCase):
    """Every public method of ours, called as a client calls it."""

    def test_there_are_methods(self):
        methods = get_own_methods(self.registry)
        self.assertGreater(len(methods), 60, "the search itself works")
        for expected in (
            ("membri.renewal", "action_approve"),
            ("res.partner", "action_membri_enrol"),
            ("membri.enrolment", "action_confirm"),
        ):
            self.assertIn(expected, methods)
        self.assertNotIn(("membri.renewal", "write"), methods)
        stale = {(model, name) for model, names in READERS.items() for name in names} - set(methods)
        self.assertFalse(stale, "the table names methods that exist")

    def _call(self, user, model, name):
        """Return what came of it: ``denied``, ``refused`` in words, ``opened`` something to
        look at, or ``done``."""
        # the user's own context, not that of the tests
        records = self.env(user=user, context={})[model]
        get_public_method(records, name)
        self.env.invalidate_all()  # what others have read gives nobody a right
        try:
            with self.env.cr.savepoint():
                result = call_kw(
                    records, name, [self._get_ids(model), *self._get_arguments(model, name)], {}
                )
                self.env.flush_all()
        except AccessError:
            return "denied"
        except UserError:
            return "refused"
        is_action = isinstance(result, dict) and result.get("type") in ACTIONS
        return "opened" if is_action else "done"

    def _check(self, user, may_call):
        """Call everything; what the user may not call is denied and changes nothing."""
        before = self._get_state()
        with mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule"):
            for model, name in get_own_methods(self.registry):
                allowed = may_call(model, name)
                with self.subTest(user=user.login, method=f"{model}.{name}"):
                    if allowed and model not in self.samples:
                        continue  # of a dialog that only its own user can read
                    outcome = self._call(user, model, name)
                    expected = {"denied"}
                    if allowed:
                        expected = {"opened", "refused", "done"}
                    elif (model, name) in OPENERS:
                        expected = {"denied", "opened"}
                    elif (model, name) in REFUSED_IN_WORDS and user == self.auditor:
                        expected = {"refused"}
                    self.assertIn(outcome, expected)
                    self.assertEqual(self._get_state(), before)

    def test_portal(self):
        """A member has the pages of the portal, and nothing of this."""
        self._check(self.member_user, lambda _model, _name: False)

    def test_stranger(self):
        self._check(self.stranger_user, lambda _model, _name: False)

    def test_employee(self):
        self._check(self.employee, lambda _model, _name: False)

    def test_auditor(self):
        """Whoever may read follows links, and changes nothing."""
        self._check(self.auditor, lambda model, name: name in READERS.get(model, ()))


@tagged("post_install", "-at_install")
class TestScheduledWork(RpcCase):
    """Odoo lets every user run a server action by its id, and asks for the rights on its model in
    sudo: what is scheduled is run by the scheduler, or an administrator, alone."""

    def _get_actions(self):
        crons = self.env_root["ir.cron"].with_context(active_test=False).search([])
        return crons.filtered(
            lambda cron: cron.get_external_id()[cron.id].startswith("membri_renewal.")
        ).ir_actions_server_id

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_actions")
    def test_nobody_else_runs_it(self):
        actions = self._get_actions()
        self.assertGreaterEqual(len(actions), 8)
        users = (
            self.member_user,
            self.stranger_user,
            self.employee,
            self.auditor,
            self.officer,
            self.manager,
        )
        ran = []
        for user in users:
            for action in actions:
                with patch.object(self.registry["ir.actions.server"], "_run", ran.append):
                    with self.assertRaises(AccessError):
                        call_kw(
                            self.env(user=user, context={})["ir.actions.server"],
                            "run",
                            [action.ids],
                            {},
                        )
        self.assertFalse(ran)

    def test_the_scheduler_and_administrators_do(self):
        action = self.env_root.ref("membri_renewal.ir_cron_update_states").ir_actions_server_id
        admin = self.env_root.ref("base.user_admin")
        for user in (self.env_root.user, admin):
            action.with_user(user).sudo()._membri_check_scheduled()
        self.env_root.ref("membri_renewal.ir_cron_update_states").user_id = self.officer
        action.with_user(self.officer).sudo()._membri_check_scheduled()

    def test_other_actions_are_as_in_odoo(self):
        action = self.env_root["ir.actions.server"].create(
            {
                "name": "Ask",
                "model_id": self.env_root["ir.model"]._get("membri.renewal").id,
                "state": "code",
                "code": "action = {'type': 'ir.actions.act_window_close'}",
            }
        )
        self.assertTrue(action.with_user(self.officer).run())


@tagged("post_install", "-at_install")
class TestRpcProtocols(RpcCase):
    """What is denied is denied by every door: the web client's, JSON-RPC and XML-RPC."""

    CALLS = (
        ("write", [{"date_start": "2030-01-01"}]),
        ("write", [{"partner_id": 1}]),
        ("write", [{"state": "approved"}]),
        ("write", [{"line_ids": [(5, 0, 0)]}]),
        ("unlink", []),
        ("copy", []),
        ("action_approve", []),
        ("action_refuse", []),
        ("action_reset", []),
        ("action_cancel", []),
        ("action_send", []),
        ("action_bulk", ["approve"]),
        ("message_post", []),
        ("_do_approve", []),
        ("_portal_accept", [1]),
    )

    def _by_web(self, login, method, args):
        self._sign_in(login)
        return self.make_jsonrpc_request(
            "/web/dataset/call_kw",
            {"model": "membri.renewal", "method": method, "args": args, "kwargs": {}},
        )

    def _by_jsonrpc(self, login, method, args):
        user = self.env_root["res.users"].search([("login", "=", login)])
        password = login + "x" * (8 - len(login))
        return self.make_jsonrpc_request(
            "/jsonrpc",
            {
                "service": "object",
                "method": "execute_kw",
                "args": [self.cr.dbname, user.id, password, "membri.renewal", method, args],
            },
        )

    def _by_xmlrpc(self, login, method, args):
        user = self.env_root["res.users"].search([("login", "=", login)])
        password = login + "x" * (8 - len(login))
        return self.xmlrpc_object.execute_kw(
            self.cr.dbname, user.id, password, "membri.renewal", method, args
        )

    @mute_logger(
        "odoo.http",
        "odoo.addons.rpc.controllers.jsonrpc",
        "odoo.addons.rpc.controllers.xmlrpc",
        "odoo.addons.base.models.ir_model",
        "odoo.addons.base.models.ir_rule",
    )
    def test_doors(self):
        before = self._get_state()
        for door in (self._by_web, self._by_jsonrpc, self._by_xmlrpc):
            for login in ("member_user", "stranger_user", "employee"):
                for method, args in self.CALLS:
                    with self.subTest(door=door.__name__, login=login, call=method):
                        self.env.flush_all()
                        self._assert_denied(door, login, method, [self.renewal.ids, *args])
                        self.env.invalidate_all()
                        self.assertEqual(self._get_state(), before)
                with self.subTest(door=door.__name__, login=login, call="search"):
                    self._check_search(door, login)

    def _assert_denied(self, door, login, method, args):
        try:
            door(login, method, args)
        except (JsonRpcException, Fault):
            return
        self.fail(f"{method} was carried out for {login}")

    def _check_search(self, door, login):
        """Searching finds what is one's own; employees are denied."""
        self.env.flush_all()
        if login == "employee":
            self._assert_denied(door, login, "search", [[]])
            return
        found = door(login, "search", [[]])
        own = self.renewal.search([("partner_id", "child_of", self.corporation.id)])
        own = own.filtered(lambda renewal: renewal._is_on_portal())
        self.assertEqual(sorted(found), sorted(own.ids) if login == "member_user" else [])
