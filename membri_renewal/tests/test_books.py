import io
import json
import re
import shlex
import threading
import xmlrpc.client
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from unittest import SkipTest
from unittest.mock import patch
from urllib.parse import urlparse

import polib
import requests
from freezegun import freeze_time

from odoo import fields, models
from odoo.fields import Command
from odoo.tests import BaseCase, tagged
from odoo.tests.common import Transport
from odoo.tools import mute_logger
from odoo.tools.convert import convert_xml_import

from ..models.moving_in.profiles import PROFILES
from .common_import import ImportCase
from .common_portal import PortalCase
from .common_reminders import ReminderCommon

ADDON = Path(__file__).parents[1]
REPOSITORY = ADDON.parent
DOCS = REPOSITORY / "docs"
GUIDES = DOCS / "guide"
EXAMPLE = re.compile(r"<!-- example: ([\w-]+) -->\n```\w+\n(.*?)```", re.DOTALL)
PICTURE = re.compile(r"screenshots/([\w-]+\.png)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# *words of the screens*; what is stressed is **bold**
WORDS = re.compile(r"(?<![*\w])\*([^*\s](?:[^*]*[^*\s])?)\*(?![*\w])")
# a day that somebody has to pay or to reply by, that day included
BY_A_DAY = re.compile(r"\b[Bb]y %\(date\)s|^Due [Bb]y$")
# blocks and snippets of code: what is between stars there is no quotation
CODE = re.compile(r"```.*?```|``[^`]*``|`[^`\n]*`", re.DOTALL)
MODULE = "odoo.addons.membri_example"
# words of Odoo's own screens, and of OCA's, that the documents quote, and the name of the add-on
ODOO_EN = {
    "Actions",
    "Actions To Do",
    "Add",
    "Add API Key",
    "Alias Domain",
    "Apps",
    "Automation",
    "Automation Rules",
    "Backup",
    "Bank Accounts",
    "Bubble",
    "Cancel Payments",
    "Confirm",
    "Confirm Entries",
    "Confirm Payments",
    "Customer",
    "Customer Payment Mode",
    "Customers",
    "Debit Orders",
    "Document Layout",
    "Emails",
    "Export",
    "File Successfully Uploaded",
    "Folder",
    "Free sign up",
    "French (CA)",
    "General Settings",
    "Generate Payment File",
    "Generate a Payment Link",
    "Groups",
    "Import records",
    "Languages",
    "Mail Template Editor",
    "Mail: Email Queue Manager",
    "Management",
    "Mandate Required",
    "Mandates",
    "Manual",
    "Membership Renewal",
    "Model",
    "My Preferences",
    "Offline payment by token",
    "On create and edit",
    "Outgoing Mail Servers",
    "Payment Modes",
    "Payment Providers",
    "Payment Reference",
    "Payment Terms",
    "Print",
    "Reset Template",
    "Reset to Draft",
    "Restrict Template Rendering",
    "Reverse and Create Invoice",
    "SEPA Direct Debit for customers",
    "Sales & Purchase",
    "Security",
    "Select all",
    "Send Webhook Notification",
    "Send invoices automatically",
    "Share",
    "Spreadsheet dashboard",
    "State is set to",
    "System Parameters",
    "Technical",
    "Translations",
    "Unreconcile",
    "Update Apps List",
    "Upgrade",
    "Users",
    "Users & Companies",
    "When updating",
    "Wire Transfer",
}
ODOO_FR = {"Actions", "Imprimer", "Tout sélectionner"}


def _get_examples(book):
    """:return: ``[(name, code)]`` of the blocks of a book that are marked as examples"""
    path = GUIDES / "en" / book
    return EXAMPLE.findall(path.read_text(encoding="utf-8")) if path.exists() else []


class BookCase:
    """Mixin: skips, with the reason, where the add-on is installed without its documents."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not GUIDES.exists():
            raise SkipTest("the documents are not beside the add-on")


@tagged("post_install", "-at_install")
class TestBooks(BaseCase):
    """Issue 16, 4: the books have pictures, links and words that exist."""

    def setUp(self):
        super().setUp()
        if not GUIDES.exists():
            self.skipTest("the documents are not beside the add-on")
        self.books = sorted(DOCS.rglob("*.md"))
        self.assertGreater(len(self.books), 15)

    def _read(self, path):
        return path.read_text(encoding="utf-8")

    def test_pictures(self):
        """Each picture is used, each that is used exists, in the language of its book."""
        pictures = {path.name for path in (DOCS / "screenshots").glob("*.png")}
        used, foreign = set(), []
        pages = [*self.books, *REPOSITORY.glob("*.rst"), *ADDON.glob("README.rst")]
        for page in pages:
            found = set(PICTURE.findall(self._read(page)))
            used |= found
            is_french = GUIDES / "fr" in page.parents
            foreign += [
                f"{page.name}: {name}"
                for name in sorted(found)
                if bool(re.search(r"-en(-\d+)?\.png$", name)) == is_french
            ]
        self.assertGreater(len(used), 20)
        self.assertEqual(sorted(used - pictures), [])
        self.assertEqual(sorted(pictures - used), [])
        self.assertEqual(foreign, [])

    def test_links(self):
        """Each link leads to a file that exists, and to a heading of it."""
        broken = []
        for page in self.books:
            for link in LINK.findall(self._read(page)):
                parts = urlparse(link)
                if parts.scheme:
                    continue
                target = (page.parent / parts.path).resolve() if parts.path else page
                anchors = {""} | (self._get_anchors(target) if parts.fragment else set())
                if not target.exists() or parts.fragment not in anchors:
                    broken.append(f"{page.relative_to(DOCS)}: {link}")
        self.assertEqual(broken, [])

    def _get_anchors(self, path):
        if not path.is_file():
            return set()
        return {
            re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.+)$", self._read(path), re.MULTILINE)
        }

    def test_all_books_are_listed(self):
        """The front page names every document."""
        listed = {
            (DOCS / urlparse(link).path).resolve()
            for link in LINK.findall(self._read(DOCS / "README.md"))
        }
        missing = [page for page in self.books if page not in listed | {DOCS / "README.md"}]
        self.assertEqual(missing, [])

    def test_b8_a_day_to_pay_by_is_included(self):
        """Issue 12, B8: « au plus tard le 31 »; « avant le 31 » would leave the 31st out."""
        entries = [
            entry
            for path in REPOSITORY.glob(f"{ADDON.name}*/i18n/fr.po")
            for entry in polib.pofile(str(path))
            if not entry.obsolete and entry.msgstr and BY_A_DAY.search(entry.msgid)
        ]
        self.assertGreater(len(entries), 10)
        wrong = [entry.msgid for entry in entries if "au plus tard le" not in entry.msgstr.lower()]
        self.assertEqual(wrong, [])

    def test_words_are_those_of_the_screens(self):
        """What a document quotes from the screens is there, as it is spelled there."""
        catalogue = [
            entry
            for path in REPOSITORY.glob(f"{ADDON.name}*/i18n/fr.po")
            for entry in polib.pofile(str(path))
            if not entry.obsolete
        ]
        said = {"en": set(ODOO_EN), "fr": set(ODOO_FR)}
        for entry in catalogue:
            said["en"].update(self._split(entry.msgid))
            said["fr"].update(self._split(entry.msgstr))
        known = {
            language: {self._plain(word) for word in words} for language, words in said.items()
        }
        others = [
            *DOCS.glob("*.md"),
            # not the change log, which quotes the words of its day
            *(REPOSITORY / name for name in ("CONTRIBUTING.md", "README.rst", "SECURITY.md")),
            *REPOSITORY.glob(f"{ADDON.name}*/readme/*.rst"),
        ]
        # the others are English, and quote the rule's own French
        readers = {
            **dict.fromkeys((GUIDES / "en").glob("*.md"), known["en"]),
            **dict.fromkeys((GUIDES / "fr").glob("*.md"), known["fr"]),
            **dict.fromkeys(others, known["en"] | known["fr"]),
        }
        self.assertGreater(len(readers), 35)
        unknown = [
            f"{page.relative_to(REPOSITORY)}: {word}"
            for page, words in readers.items()
            for quoted in WORDS.findall(CODE.sub("", self._read(page)))
            for word in re.split(r"\s→\s", quoted)
            if self._plain(word) not in words
        ]
        self.assertEqual(sorted(set(unknown)), [])

    def _split(self, term):
        """:return: a term, and what stands between its tags"""
        return [term, *re.split(r"<[^>]*>", term)]

    def _plain(self, words):
        return re.sub(r"[\s\xa0]+", " ", words).strip().rstrip("…:.").strip()


class DeveloperCase(BookCase):
    """The classes of the Developer's guide, added to the registry for the time of a test class,
    as Odoo's own tests add some."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.examples = dict(_get_examples("developer.md"))
        registered = models.MetaModel._module_to_models__
        cls.classes, bases = [], {}
        for name in ("reminder", "bulk", "state", "profile"):
            namespace = {"__name__": f"{MODULE}.models.{name}"}
            before = set(PROFILES)
            exec(compile(cls.examples[name], f"developer.md: {name}", "exec"), namespace)
            for profile in set(PROFILES) - before:
                cls.addClassCleanup(PROFILES.pop, profile)
        # as Odoo's own tests do; its lint wants no such import at the top
        from odoo.orm.model_classes import add_to_registry

        for definition in registered.pop("membri_example"):
            bases.setdefault(definition._name, cls.registry[definition._name]._base_classes__)
            add_to_registry(cls.registry, definition)
        cls.addClassCleanup(cls._restore, bases)
        cls.registry._setup_models__(cls.env.cr, [])
        for name in ("queue", "tag"):
            cls._load(name)

    @classmethod
    def _restore(cls, bases):
        for name, base_classes in bases.items():
            cls.registry[name]._base_classes__ = base_classes
            for model in cls.registry.descendants([name], "_inherit", "_inherits"):
                cls.registry[model]._setup_done__ = False
        cls.registry._setup_models__(cls.env.cr, [])

    @classmethod
    def _load(cls, name):
        file = io.BytesIO(cls.examples[name].encode())
        file.name = f"developer.md: {name}"
        convert_xml_import(cls.env_root, "membri_example", file)


@tagged("post_install", "-at_install")
class TestDeveloperExamples(DeveloperCase, ReminderCommon):
    """Issue 16, 4: the worked examples of the Developer's guide do what it says."""

    def test_queue(self):
        queue = self.env.ref("membri_example.dashboard_reminded_twice")
        renewal = self._notify()
        self.assertEqual(queue.record_count, 0)
        with freeze_time("2026-11-20 15:00:00"), self.mock_mail_gateway():
            renewal.action_send_reminder()
            renewal.action_send_reminder()
        self.env.invalidate_all()
        self.assertEqual(queue.record_count, 1)
        self.assertFalse(queue.problem)

    def test_reminder_step(self):
        step = self._step("before_due", 3)
        renewal = self._notify()
        self.assertFalse(renewal.date_next_reminder)
        self._approve(renewal)
        renewal.invoice_id.with_env(self.env_root).invoice_date_due = "2026-12-10"
        due = renewal._get_due_day()
        self.assertEqual(str(due), "2026-12-10")
        self.assertEqual(renewal.date_next_reminder, due - timedelta(days=3))
        self.assertFalse(self._remind("2026-12-06 15:00:00"))
        self.assertEqual(len(self._remind("2026-12-07 15:00:00")), 1)
        self.assertFalse(self._remind("2026-12-08 15:00:00"))
        self.assertEqual(self._logs(renewal), [(step, "sent")])

    def test_action_on_many(self):
        tag = self.env.ref("membri_example.tag_invited")
        sent, declined = self._renewal_in("sent"), self._renewal_in("refused")
        action = self.env.ref("membri_example.action_invite")
        action.with_user(self.officer).with_context(
            active_model="membri.renewal", active_ids=(sent + declined).ids
        ).run()
        self.assertIn(tag, sent.partner_id.category_id)
        self.assertNotIn(tag, declined.partner_id.category_id)
        job = self.env["membri.bulk.job"].search([], limit=1)
        results = {line.renewal_id: line.result for line in job.line_ids}
        self.assertEqual(results, {sent: "done", declined: "skipped"})
        self.assertIn(declined.display_name, job.problem_line_ids.message)

    def test_effect_of_a_state(self):
        tag = self.env.ref("membri_example.tag_member")
        member = self._create_member("Nora New")
        with freeze_time("2026-11-10 15:00:00"):
            term = member._membri_enrol(self.yearly)
            self.assertEqual(
                (term.state, member.category_id), ("pending", member.category_id - tag)
            )
            self._pay(term.invoice_id)
        self.assertEqual(term.state, "active")
        self.assertIn(tag, member.category_id)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestImportProfileExample(DeveloperCase, ImportCase):
    """Issue 16, 4: so does its import profile."""

    def test_profile(self):
        record = self._import(
            self.examples["profile-list"],
            profile="clubhouse",
            plans={"Person": self.yearly, "Honorary": self.for_life},
        )
        self.assertEqual(self._get_results(record), ["new", "new"])
        record.action_run()
        self.assertEqual(
            self._get_terms(record),
            [
                ("Ada Boulanger", "Yearly", "2026-01-01", "2026-12-31", "active"),
                ("Bruno Caron", "For life", "2026-11-15", "", "active"),
            ],
        )


class Listener(BaseHTTPRequestHandler):
    """Somebody else's program: keeps what it was told."""

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.heard.append(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        """Says nothing."""


@tagged("post_install", "-at_install")
class TestApiExamples(BookCase, PortalCase):
    """Issue 16, 4: the examples of *API*, one after the other, by an officer's key."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.renewals = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-01"))
        for _number in range(3):
            cls.renewals += cls._create_renewal(cls._create_yearly())
        cls.renewals.action_send()
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        cls.key = cls.env["res.users.apikeys"]._generate("rpc", "books", tomorrow)

    def _run(self, code, namespace):
        code = code.replace("https://members.example.org", self.base_url())
        code = code.replace('KEY = "…"', f'KEY = "{self.key}"')
        code = re.sub(r', KEY = ("[^"]+"), "…"', rf', KEY = \1, "{self.key}"', code)
        code = code.replace('"members"\n', f'"{self.env.cr.dbname}"\n')
        with (
            patch.object(requests, "post", self.opener.post),
            patch.object(
                xmlrpc.client,
                "ServerProxy",
                partial(xmlrpc.client.ServerProxy, transport=Transport(self)),
            ),
        ):
            exec(compile(code, "api.md", "exec"), namespace)
        self.env.invalidate_all()
        return SimpleNamespace(**namespace)

    @mute_logger("odoo.http")
    def test_json_2(self):
        namespace = {}
        for name, code in _get_examples("api.md"):
            if name == "json":
                told = self._run(code, namespace)
        by_id = {renewal.id: renewal for renewal in self.renewals}
        self.assertIn(self.member.id, [member["id"] for member in told.members])
        self.assertEqual(told.waiting["all_open"], len(self.renewals))
        self.assertEqual([renewal["state"] for renewal in told.renewals], ["sent"] * 4)
        # the first one was asked to be changed, then declined
        self.assertEqual(by_id[told.first].state, "refused")
        self.assertEqual(by_id[told.first].refusal_note, "Told us by phone.")
        approved = by_id[told.second]
        self.assertEqual(
            (told.approved["state"], told.approved["invoice_id"][0]),
            ("approved", approved.invoice_id.id),
        )
        self.assertIn(approved.name, told.refusal)
        self.assertEqual(told.term["state"], "pending")
        self.assertEqual(told.term["amount_total"], 345.0)
        self.assertEqual(told.jobs[0]["total_count"], 2)
        self.assertEqual(told.jobs[0]["failed_count"], 0)

    def test_curl(self):
        [code] = [code for name, code in _get_examples("api.md") if name == "curl"]
        words = shlex.split(code.replace("\\\n", " ").replace("$KEY", self.key))
        self.assertEqual(words.pop(0), "curl")
        path = urlparse(words.pop(0)).path
        options = list(zip(words[::2], words[1::2], strict=True))
        headers = dict(value.split(": ") for option, value in options if option == "-H")
        [body] = [value for option, value in options if option == "-d"]
        answer = self.url_open(path, data=body, headers=headers)
        self.assertEqual((answer.status_code, answer.json()), (200, 4))
        headers["Authorization"] = "bearer wrong"
        self.assertEqual(self.url_open(path, data=body, headers=headers).status_code, 401)

    @mute_logger("odoo.addons.rpc.controllers.xmlrpc")
    def test_xmlrpc(self):
        [code] = [code for name, code in _get_examples("api.md") if name == "xmlrpc"]
        told = self._run(code, {})
        self.assertEqual(told.uid, self.officer.id)
        self.assertEqual(
            {term["partner_id"][0] for term in told.terms}, set(self.renewals.partner_id.ids)
        )

    def test_webhook(self):
        """A rule of ``base_automation`` tells another program of an approval, once it is
        committed; without that module, the action of the rule by itself."""
        server = HTTPServer(("127.0.0.1", 0), Listener)
        server.heard = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        renewal = self.renewals[:1]
        model = self.env_root["ir.model"]._get("membri.renewal")
        wanted = self.env_root["ir.model.fields"].search(
            [("model", "=", model.model), ("name", "in", ("name", "state"))]
        )
        action = self.env_root["ir.actions.server"].create(
            {
                "name": "Send Webhook Notification",
                "model_id": model.id,
                "state": "webhook",
                "webhook_url": f"http://127.0.0.1:{server.server_port}/",
                "webhook_field_ids": [Command.set(wanted.ids)],
            }
        )
        has_rules = "base.automation" in self.env
        if has_rules:
            approved = self.env_root["ir.model.fields.selection"].search(
                [("field_id", "in", wanted.ids), ("value", "=", "approved")]
            )
            self.env_root["base.automation"].create(
                {
                    "name": "Tell the directory",
                    "model_id": model.id,
                    "trigger": "on_state_set",
                    "trg_selection_field_id": approved.id,
                    "action_server_ids": [Command.set(action.ids)],
                }
            )
        renewal.action_approve()
        if not has_rules:
            # not among the modules of the suite: its action is tried without the rule
            action.with_context(active_model=model.model, active_id=renewal.id).run()
        self.assertEqual(server.heard, [])
        self.env.cr.postcommit.run()
        [told] = server.heard
        [payload] = [code for name, code in _get_examples("api.md") if name == "payload"]
        self.assertEqual(set(told), set(json.loads(payload)))
        self.assertEqual(
            (told["_model"], told["id"], told["state"]), (model.model, renewal.id, "approved")
        )
