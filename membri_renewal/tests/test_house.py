import ast
import io
import re
import tokenize
from collections import defaultdict
from pathlib import Path

from lxml import etree

from odoo.tests import BaseCase, tagged

from . import docstrings

ADDON = Path(__file__).parents[1]
CORE = ("mixins", "option_set", "cotisation", "renewal", "doors")
FEATURES = (
    "portal",
    "change_request",
    "campaign",
    "bulk_job",
    "fee_notice",
    "group_invoice",
    "automatic_payment",
    "moving_in",
)
# what keeps a linter quiet, with what is said before and after its codes
SILENCED = re.compile(
    r"#(?P<before>.*?)\b(?:nosec|noqa|pylint: disable[\w-]*=)[\s:]*[\w,-]*(?P<after>.*)"
)


def _get_model(node):
    """:return: the model that a class defines or extends, or ``None``"""
    values = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(
            statement.value, ast.Constant | ast.List
        ):
            values[getattr(statement.targets[0], "id", "")] = ast.literal_eval(statement.value)
    inherited = values.get("_inherit")
    if isinstance(inherited, list):
        inherited = inherited[0] if len(inherited) == 1 else None
    return values.get("_name") or inherited


def _defines_model(node):
    return any(
        isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "_name"
        for statement in node.body
    )


def _get_definitions(node):
    """:return: the names of the methods and fields of a class"""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef):
            yield f"{statement.name}()"
        elif (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.Call)
            and isinstance(statement.value.func, ast.Attribute)
            and getattr(statement.value.func.value, "id", "") == "fields"
        ):
            yield statement.targets[0].id


def _get_sudo_calls(function):
    """Return ``(statement, call)`` of each ``sudo()`` of a function, the first one first;
    ``sudo(False)`` gives rights back."""
    calls, todo = [], [(node, node) for node in function.body]
    while todo:
        statement, node = todo.pop()
        if isinstance(node, ast.FunctionDef):
            continue  # looked at by itself
        is_sudo = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_sudo and node.func.attr == "sudo" and not node.args:
            calls.append((statement, node))
        todo += [
            (child if isinstance(child, ast.stmt) else statement, child)
            for child in ast.iter_child_nodes(node)
        ]
    return sorted(calls, key=lambda found: (found[1].end_lineno, found[1].end_col_offset))


@tagged("post_install", "-at_install")
class TestHouse(BaseCase):
    """The rules of docs/architecture.md, *The house*, read off the sources."""

    def _get_sources(self, *folders):
        files = [
            path
            for folder in folders
            for path in sorted((ADDON / folder).rglob("*.py"))
            if path.name != "__init__.py"
        ]
        self.assertGreater(len(files), 10)
        return {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}

    def test_defined_once(self):
        """No method and no field of one model is defined twice inside the add-on."""
        places = defaultdict(list)
        for path, tree in self._get_sources("models", "wizard", "report").items():
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and (model := _get_model(node)):
                    for name in _get_definitions(node):
                        places[model, name].append(path.relative_to(ADDON).as_posix())
        self.assertGreater(len(places), 500)
        twice = {f"{model} {name}" for (model, name), files in places.items() if len(files) > 1}
        self.assertEqual(twice, set())

    def test_features_depend_on_the_core(self):
        """A room of the core imports nothing of a feature."""
        backward = []
        for path, tree in self._get_sources("models").items():
            room = path.relative_to(ADDON / "models").parts[0]
            if room not in CORE:
                continue
            for node in ast.walk(tree):
                outside = isinstance(node, ast.ImportFrom) and node.level == 2
                if outside and (node.module or "").split(".")[0] in FEATURES:
                    backward.append(f"{path.relative_to(ADDON)}: {node.module}")
        self.assertEqual(backward, [])

    def test_core_calls_no_feature(self):
        """What the core calls is not defined in features alone, and it names none of their
        models: a hook that a feature extends has its base in the core."""
        rooms, models = defaultdict(set), set()
        sources = {
            path.relative_to(ADDON / "models"): tree
            for path, tree in self._get_sources("models").items()
        }
        for path, tree in sources.items():
            room = path.parts[0]
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    rooms[node.name].add(room)
                elif isinstance(node, ast.ClassDef) and room in FEATURES:
                    models |= {_get_model(node)} if _defines_model(node) else set()
        self.assertGreater(len(models), 5)
        features = {name for name, where in rooms.items() if where <= set(FEATURES)}
        backward = set()
        for path, tree in sources.items():
            if path.parts[0] not in CORE:
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and node.attr in features:
                    backward.add(f"{path}: {node.attr}")
                elif isinstance(node, ast.Constant) and node.value in models:
                    backward.add(f"{path}: {node.value}")
        self.assertEqual(backward, set())

    def test_sudo_says_why(self):
        """Each function that calls ``sudo()`` says why: in a comment at the first call (on the
        line above its statement, or in it), or in its docstring after “sudo:”."""
        explained, silent = 0, []
        for path, tree in self._get_sources("models", "wizard", "report", "controllers").items():
            source = path.read_text(encoding="utf-8")
            comments = {
                token.start[0]
                for token in tokenize.generate_tokens(io.StringIO(source).readline)
                if token.type == tokenize.COMMENT
            }
            for function in ast.walk(tree):
                if not isinstance(function, ast.FunctionDef):
                    continue
                calls = _get_sudo_calls(function)
                if not calls:
                    continue
                statement, call = calls[0]
                has_body = isinstance(statement, ast.For | ast.If | ast.With | ast.While)
                last = call.end_lineno if has_body else statement.end_lineno
                docstring = ast.get_docstring(function) or ""
                is_explained = bool(
                    re.search(r"(?<!\w)[Ss]udo:", docstring)
                    or not comments.isdisjoint(range(statement.lineno - 1, last + 1))
                )
                explained += is_explained
                if not is_explained:
                    place = path.relative_to(ADDON).as_posix()
                    silent.append(f"{place}:{call.end_lineno} {function.name}")
        self.assertGreater(explained, 200)
        self.assertEqual(silent, [])

    def test_exceptions_say_why(self):
        """What keeps a linter quiet says why: after its code, or in a comment above or before."""
        explained, silent = 0, []
        for path in self._get_sources("models", "wizard", "report", "controllers", "demo"):
            before = ""
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if found := SILENCED.search(line):
                    is_explained = before.startswith("#") or any(
                        said.strip(" :.") for said in found.groups()
                    )
                    explained += is_explained
                    if not is_explained:
                        silent.append(f"{path.relative_to(ADDON).as_posix()}:{number}")
                before = line.strip()
        self.assertGreater(explained, 10)
        self.assertEqual(silent, [])

    def test_docstrings_are_read(self):
        """The rule of ``docstrings.py``, which ``./dev lint`` asks as well."""
        found, wrong = 0, []
        for path, tree in self._get_sources(
            "models", "wizard", "report", "controllers", "tests"
        ).items():
            fields, nodes = docstrings.check(tree)
            found += fields
            wrong += [f"{path.relative_to(ADDON)}:{node.lineno} {node.name}" for node in nodes]
        self.assertGreater(found, 500)
        self.assertEqual(wrong, [])

    def test_docstrings_that_break_the_rule(self):
        well = 'def f():\n    """Prose.\n\n    :return: two\n        lines"""'
        no_blank = 'def f():\n    """Prose.\n    :return: two"""'
        alone = 'def f():\n    """:return: two\n        lines"""'
        for source, wrong in ((well, 0), (no_blank, 1), (alone, 1)):
            with self.subTest(source=source):
                fields, nodes = docstrings.check(ast.parse(source))
                self.assertEqual((fields, len(nodes)), (1, wrong))

    def test_indexes_say_what_for(self):
        """Each index of ours that keeps nothing apart says in a comment above what it is for; those
        of neighbors may share one."""
        explained, silent = 0, []
        for path in self._get_sources("models", "wizard", "report"):
            lines = path.read_text(encoding="utf-8").splitlines()
            told = False
            for number, line in enumerate(lines):
                if "= models.Index(" in line:
                    told = told or lines[number - 1].lstrip().startswith("#")
                    explained += told
                    if not told:
                        silent.append(f"{path.relative_to(ADDON).as_posix()}:{number + 1}")
                elif not line.startswith((" " * 8, "    )", "    #")):
                    told = False
        self.assertGreater(explained, 15)
        self.assertEqual(silent, [])

    def test_views_inherit_views_of_others(self):
        """A view of ours says all of its screen: none changes another one of ours. (A primary
        one is a screen of its own, which starts from another.)"""
        found, inherited = 0, set()
        for path in sorted(ADDON.glob("*/*.xml")):
            for node in etree.parse(path).iter("record"):
                if node.get("model") != "ir.ui.view":
                    continue
                found += 1
                if node.findtext("field[@name='mode']") == "primary":
                    continue
                for field in node.findall("field[@name='inherit_id']"):
                    reference = field.get("ref", "")
                    if "." not in reference or reference.startswith("membri_renewal."):
                        inherited.add(node.get("id"))
        self.assertGreater(found, 50)
        self.assertEqual(inherited, set())

    def test_tests_share_bases(self):
        """What tests have in common is in a ``common*.py``."""
        tests = self._get_sources("tests")
        imported = {
            f"{path.name}: {node.module}"
            for path, tree in tests.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").rpartition(".")[2].startswith("test_")
        }
        self.assertEqual(imported, set())
