import inspect
import re

from lxml import html

from odoo import http
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.portal import request as portal_request
from .common_portal import PortalCase

try:
    import hypothesis
    from hypothesis import strategies
except ImportError:  # a development dependency: tools/requirements-test.txt
    hypothesis = None

MODULE = "odoo.addons.membri_renewal"
EXAMPLES = 8  # of each route and visitor
# where an answer of a member may lead, by the table of states; everything else stays
MOVES = {
    "sent": {"sent", "change_requested", "intervention", "approved", "refused"},
    "change_requested": {"change_requested", "intervention", "approved", "refused"},
}
# what nobody changes from the portal, whatever is posted
PROTECTED = (
    "partner_id",
    "company_id",
    "currency_id",
    "cotisation_id",
    "option_set_id",
    "date_start",
    "date_end",
    "amount_untaxed",
    "amount_total",
    "mode",
)
# who: login, token; those who may answer come last
VISITORS = {
    "nobody": (None, None),
    "wrong token": (None, "0" * 36),
    "strange token": (None, "é\x00"),
    "other member": ("stranger_user", None),
    "link": (None, "right"),
    "member": ("member_user", None),
}
MAY_ANSWER = ("link", "member")
NAMES = [
    "access_token",
    "proposal_key",
    "message",
    "reason_id",
    "comment",
    "step",
    "option_set_id",
    "date_start",
    "method",
    "date",
    "amount",
    "reference",
    "document",
    "name",
    "email",
    "phone",
    "state",
    "price_unit",
    "partner_id",
    "line_ids",
    "invoice_id",
]


def get_post_routes(env):
    """Return ``{rule: endpoint}`` of every route of ours that takes a form, found in the map
    of routes, so that a new one is attacked before anybody thinks of it."""
    return {
        rule.rule: rule.endpoint
        for rule in env["ir.http"].routing_map().iter_rules()
        if rule.endpoint.func.__module__.startswith(MODULE)
        and "POST" in (rule.methods or ())
        and rule.endpoint.routing["type"] == "http"
    }


@tagged("post_install", "-at_install")
class TestPortalFuzz(PortalCase):
    """Forms that no browser would send: never an error page, never a state that the table does
    not allow, never another price, date or partner. The same ones in each run."""

    @classmethod
    def setUpClass(cls):
        if hypothesis is None:
            raise AssertionError("Install hypothesis: see tools/requirements-test.txt.")
        super().setUpClass()
        victim = cls._create_member("Vera Victim")  # of no visitor
        cls.victim = cls._create_renewal(cls._create_cotisation(victim, "2026-01-01"))
        cls.victim.action_send()

    def setUp(self):
        super().setUp()
        self.patch(portal_request, "PER_HOUR", 10**6)  # the guards behind it are to be met
        self.attacks = 0
        self.targets = {
            state: self._renewal_of_corporation(state)
            for state in ("sent", "change_requested", "approved", "refused")
        }
        self.invoice = self.targets["approved"].invoice_id
        self.today = self.company._membri_today()
        self.term = self._create_cotisation(self.member, self.today)
        self.names = [*NAMES, *self._get_form_names()]
        self.env.flush_all()

    def _get_form_names(self):
        """The fields of the forms that members see, whatever they are by now."""
        self._sign_in("member_user")
        renewal = self.targets["sent"]
        names = set()
        for path in ("", "/change", "/leave"):
            page = self.url_open(f"/my/renewals/{renewal.id}{path}").text
            names.update(html.fromstring(page).xpath("//form//@name"))
        self.assertIn("proposal_key", names, "the forms were found")
        return sorted(names - {"csrf_token"})

    # ------------------------------------------------------------------
    # What is posted
    # ------------------------------------------------------------------

    def _get_values(self):
        """A strategy: sensible, wrong, huge, odd, several at once."""
        sensible = [
            str(self.yearly.id),
            str(self.fixed.id),
            str(self.reason.id),
            str(self.victim.id),
            str(self.stranger.id),
            str(self.today),
            "preview",
            "send",
            "edit",
            "transfer",
            "1",
            "on",
            "2099-12-31",
            "Please call me",
        ]
        odd = ["", " ", "\x00", "a\x00b", "-1", "9" * 30, "1e309", "nan", "٣", "0.0000001"]
        odd += [
            "x" * 5000,
            "<script>alert(1)</script>",
            "{{ 7*7 }}",
            "%(x)s",
            "2026-02-31",
            "🦄" * 9,
        ]
        one = strategies.one_of(
            strategies.sampled_from(sensible),
            strategies.sampled_from(odd),
            strategies.text(strategies.characters(exclude_categories=("Cs",)), max_size=30),
            strategies.integers().map(str),
        )
        return strategies.one_of(one, strategies.lists(one, max_size=3))

    def _get_forms(self, endpoint):
        """A strategy: forms with the fields of the route, those of other routes, and others."""
        own = [
            name
            for name, parameter in inspect.signature(endpoint.func).parameters.items()
            if name not in ("self", "access_token") and parameter.kind != parameter.VAR_KEYWORD
        ]
        names = strategies.one_of(
            strategies.sampled_from(self.names),
            strategies.sampled_from([*own, "message"]),
            strategies.text(strategies.characters(exclude_categories=("Cs",)), max_size=8),
        )
        return strategies.fixed_dictionaries(
            {
                "fields": strategies.dictionaries(names, self._get_values(), max_size=8),
                "csrf": strategies.sampled_from(["right", "right", "right", "right", "wrong"]),
                "file": strategies.one_of(
                    strategies.none(),
                    strategies.none(),
                    strategies.tuples(
                        strategies.sampled_from(["document", "message", "access_token", "é"]),
                        strategies.binary(max_size=64),
                    ),
                ),
                "state": strategies.sampled_from(sorted(self.targets)),
                "id": strategies.sampled_from(
                    ["own", "own", "own", "own", "victim", "0", "2147483648", "9" * 30]
                ),
            }
        )

    def _get_attacked_path(self, rule, form):
        """The address: of a renewal, an invoice or a term, as the rule says."""
        kind = re.search(r"<int:(\w+)>", rule).group(1)
        own, victim = {
            "renewal_id": (self.targets[form["state"]], self.victim),
            "invoice_id": (self.invoice, self.victim),
            "cotisation_id": (self.term, self.victim.cotisation_id),
        }[kind]
        record_id = {"own": own.id, "victim": victim.id}.get(form["id"], form["id"])
        return re.sub(r"<[^>]*>", str(record_id), rule), own

    def _post(self, rule, visitor, form):
        path, own = self._get_attacked_path(rule, form)
        data = {
            name: value for name, value in form["fields"].items() if name != "access_token" and name
        }
        token = VISITORS[visitor][1]
        if token == "right":
            token = own.sudo().access_token if "access_token" in own._fields else None
        if token:
            data["access_token"] = token
        data["csrf_token"] = http.Request.csrf_token(self) if form["csrf"] == "right" else "wrong"
        file = form["file"]
        if file and file[0] in data:
            del data[file[0]]
        files = {file[0]: ("a.pdf", file[1])} if file else None
        return self.url_open(path, data=data, files=files, allow_redirects=False)

    # ------------------------------------------------------------------
    # What must hold
    # ------------------------------------------------------------------

    def _get_facts(self, renewals):
        self.env.invalidate_all()
        return [
            (
                [renewal[name] for name in PROTECTED],
                [(line.product_id, line.quantity, line.price_unit) for line in renewal.line_ids],
            )
            for renewal in renewals.sudo()
        ]

    def _attack(self, rule, endpoint, visitor):
        renewals = self.victim.union(*self.targets.values())
        counts = ("membri.renewal", "res.partner", "res.users", "membri.option.set")

        @hypothesis.settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(form=self._get_forms(endpoint))
        def attack(form):
            self.attacks += 1
            savepoint = self.env.cr.savepoint(flush=False)
            try:
                before = self._get_facts(renewals), renewals.mapped("state")
                money = self._get_money()
                amounts = [self.env_root[model].search_count([]) for model in counts]
                response = self._post(rule, visitor, form)
                self.assertLess(response.status_code, 500)
                facts = self._get_facts(renewals)
                states = renewals.mapped("state")
                self.assertEqual(facts, before[0], "price, dates, options, partner")
                for old, new in zip(before[1], states, strict=True):
                    self.assertIn(new, MOVES.get(old, {old}))
                if visitor not in MAY_ANSWER or form["csrf"] == "wrong":
                    self.assertEqual(states, before[1])
                self.assertEqual(states[0], "sent", "the other member's is out of reach")
                self.assertEqual(self._get_money(), money)
                self.assertEqual(
                    [self.env_root[model].search_count([]) for model in counts], amounts
                )
            finally:
                savepoint.close(rollback=True)
                self.env.invalidate_all(flush=False)

        attack()

    def _get_money(self):
        return self.invoice.payment_state, self.invoice.amount_residual, self.invoice.state

    @mute_logger("odoo.http", "odoo.addons.membri_renewal.models.portal.renewal_answer")
    def test_every_form(self):
        routes = get_post_routes(self.env)
        self.assertGreaterEqual(len(routes), 7, "the search itself works")
        self.assertIn("/my/membership/invoices/<int:invoice_id>/announce", routes)
        for visitor, (login, _token) in VISITORS.items():
            self._sign_in(login)
            for rule, endpoint in routes.items():
                with self.subTest(visitor=visitor, route=rule):
                    self._attack(rule, endpoint, visitor)
        self.assertGreaterEqual(self.attacks, len(routes) * len(VISITORS) * EXAMPLES // 2)
