from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.service.model import call_kw
from odoo.tests import tagged

from ..models.doors.search import EXACT_PATTERNS
from .common_whose import WhoseCase


@tagged("post_install", "-at_install")
class TestUnfinishedPatterns(WhoseCase):
    """The database finds a pattern that ends with a backslash wrong where a row begins like it, of
    whichever user: any login read the tokens of all, letter by letter, by whether there was an
    error."""

    def _get_domains(self, letter):
        """:return: list of what asks whether a token begins with ``letter``"""
        pattern = f"{letter}%\\"
        conditions = [["access_token", operator, pattern] for operator in sorted(EXACT_PATTERNS)]
        return [
            *([condition] for condition in conditions),
            ["!", conditions[0]],
            ["|", ["id", "=", 0], conditions[0]],
            [["id", "any", [conditions[0]]]],
            [["id", "not any", [conditions[0]]]],
            [["id", "any", [["id", "any", [conditions[0]]]]]],
        ]

    def _ask(self, user, model, domain):
        for method, args in (
            ("search", [domain]),
            ("search_count", [domain]),
            ("web_search_read", [domain, {"id": {}}]),
            ("name_search", ["", domain]),
            ("formatted_read_group", [domain, ["id"], ["__count"]]),
        ):
            self.env.invalidate_all()
            with self.subTest(user=user.login, method=method, domain=domain):
                # in sudo no record rule hides what the pattern meets
                with self.assertRaises(UserError):
                    call_kw(self.env[model].with_user(user), method, args, {})

    def test_the_answer_is_the_same_whatever_there_is(self):
        self.personal.action_approve()
        token = self.personal.invoice_id.sudo()._portal_ensure_token()
        other = "g"  # no token begins with it
        for user in (self.member_user, self.stranger_user, self.officer):
            for letter in (token[0], other):
                for domain in self._get_domains(letter):
                    self._ask(user, "account.move", domain)

    def test_in_sudo_as_well(self):
        for model in ("membri.renewal", "account.move", "res.partner", "res.users"):
            name = "access_token" if model in ("membri.renewal", "account.move") else "name"
            with self.subTest(model=model), self.assertRaises(UserError):
                self.env[model].sudo()._search([(name, "=like", "g%\\")])

    def test_checking_a_domain(self):
        """``/web/domain/validate`` plans the search in sudo, for whoever is signed in; as it is
        planned, the pattern is compared with what the database has noted of the column."""
        token = self.personal.sudo()._portal_ensure_token()
        self.env.cr.execute("ANALYZE membri_renewal")
        self._sign_in("member_user")
        for letter in (token[0], "g"):
            for domain in self._get_domains(letter):
                params = {"model": "membri.renewal", "domain": domain}
                with self.subTest(domain=domain):
                    self.assertIs(self.make_jsonrpc_request("/web/domain/validate", params), False)

    def test_other_patterns(self):
        partner = self.env["res.partner"].create({"name": "Back\\slash\\"})
        among = Domain("id", "=", partner.id)
        for pattern in ("Back%", "%\\\\", "Back\\\\slash\\\\"):
            with self.subTest(pattern=pattern):
                found = partner.search(among & Domain("name", "=like", pattern))
                self.assertEqual(found, partner)
        for operator in ("=", "like", "ilike"):  # which are no patterns, or not their end
            partner.search(among & Domain("name", operator, "slash\\"))

    def test_no_queue_is_saved_with_one(self):
        domain = "[('change_request', '=like', 'Zorro\\\\')]"
        with self.assertRaises(ValidationError):
            self.env["membri.dashboard"].create({"name": "Trap", "domain": domain})
