"""Which tests a selection ought to run, read from the source without importing it.

Odoo reports "0 failed" as happily for no tests as for a thousand. Knowing beforehand
what must run turns a forgotten import in tests/__init__.py, or a selection that
matches nothing, into a failure.
"""

import ast
import re
from collections import Counter
from dataclasses import dataclass, field

# [-][tag][/module or /path/to/file.py][:Class][.method][[parameters]]: odoo/tests/tag_selector.py
SPEC = re.compile(r"^([+-]?)(\*|\w*)(/[\w/.-]+\.py)?(?:/(\w+))?(?::(\w*))?(?:\.(\w*))?(?:\[.*\])?$")
DEFAULT_TAGS = frozenset({"standard", "at_install"})
# Odoo's ways to open a browser
BROWSER = frozenset({"start_tour", "browser_js"})
# Shares of the tests for each job: the more, the nearer together they end; each loads Odoo anew.
SHARES = 3


@dataclass
class TestClass:
    """One class of a test file, before its bases are looked up."""

    name: str
    file: str
    bases: list
    tags: list
    methods: list
    opens_browser: bool


@dataclass(frozen=True)
class Test:
    """One test as Odoo's log names it: ``logger`` is its module, ``name`` its Class.method."""

    logger: str
    name: str
    file: str = field(compare=False)
    tags: frozenset = field(compare=False)
    in_browser: bool = field(compare=False)

    @property
    def class_path(self):
        return f"{self.logger}.{self.name.partition('.')[0]}"

    @property
    def class_spec(self):
        """The selection of the test's whole class, as --test-tags wants it."""
        return f"{self.file}:{self.name.partition('.')[0]}"


def collect(addon):
    """Every test of an add-on's folder."""
    source = Source(addon / "tests")
    found = set()
    for test_class in source.classes:
        if not test_class.file.startswith("test_") or not source.is_test_case(test_class):
            continue
        logger = f"odoo.addons.{addon.name}.tests.{test_class.file.removesuffix('.py')}"
        file = f"/{addon.name}/tests/{test_class.file}"
        tags = frozenset(source.tags(test_class)) | {addon.name}
        in_browser = source.opens_browser(test_class)
        for method in source.methods(test_class):
            found.add(Test(logger, f"{test_class.name}.{method}", file, tags, in_browser))
    return found


def select(tests, specs, module):
    """The tests that Odoo's ``--test-tags`` would choose."""
    includes, excludes = [], []
    for spec in filter(None, re.split(r",(?![^\[]*\])", specs)):
        match = SPEC.match(spec.strip())
        if not match:
            raise ValueError(spec)
        sign, tag, *rest = match.groups()
        if sign == "-":
            excludes.append((None if tag in ("", "*") else tag, *rest))
        else:
            includes.append((None if tag == "*" else tag or "standard", *rest))
    includes = includes or [("standard", None, None, None, None)]
    return {
        test
        for test in tests
        if any(_matches(test, filters, module) for filters in includes)
        and not any(_matches(test, filters, module) for filters in excludes)
    }


def _matches(test, filters, module):
    tag, file, wanted_module, wanted_class, wanted_method = filters
    class_name, _, method = test.name.partition(".")
    return (
        (not tag or tag in test.tags)
        and (not file or file.endswith(test.file))
        and (file or not wanted_module or wanted_module == module)
        and (not wanted_class or wanted_class == class_name)
        and (not wanted_method or wanted_method == method)
    )


def split(tests, specs, jobs):
    """Selections that share the tests among as many jobs, class by class; the long one comes first.

    All that open a browser are one selection, since each run that has any prepares the assets for
    them. The last one is whatever the others leave, so that nothing is lost that only Odoo finds.
    """
    weights = Counter()
    for test in tests:
        weights[test.class_spec] += 1
    for class_spec in weights:
        weights[class_spec] += 2  # the set-up of a class
    browser = {test.class_spec for test in tests if test.in_browser}
    others = [Counter() for _ in range(jobs * SHARES)]
    for class_spec in sorted(weights, key=lambda spec: (-weights[spec], spec)):
        if class_spec not in browser:
            min(others, key=lambda share: share.total())[class_spec] = weights[class_spec]
    taken = [sorted(share) for share in (browser, *others[:-1]) if share]
    rest = [specs, *(f"-{class_spec}" for share in taken for class_spec in share)]
    return [",".join(share) for share in taken] + [",".join(rest)]


class Source:
    """The classes of a folder of tests, with what each inherits from the others."""

    def __init__(self, folder):
        self.classes = []
        for path in sorted(folder.glob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
                if isinstance(node, ast.ClassDef):
                    self.classes.append(_read_class(node, path.name))

    def _bases(self, test_class):
        """The bases that are ours (a class of the same file first), and the names of the others."""
        ours, others = [], []
        for name in test_class.bases:
            known = [other for other in self.classes if other.name == name and other != test_class]
            known.sort(key=lambda other: other.file != test_class.file)
            ours.append(known[0]) if known else others.append(name)
        return ours, others

    def is_test_case(self, test_class):
        """A class is run when it derives from one of Odoo's test cases; a bare mixin is not."""
        ours, others = self._bases(test_class)
        return bool(others) or any(map(self.is_test_case, ours))

    def opens_browser(self, test_class):
        return test_class.opens_browser or any(map(self.opens_browser, self._bases(test_class)[0]))

    def methods(self, test_class):
        return set(test_class.methods).union(*map(self.methods, self._bases(test_class)[0]))

    def tags(self, test_class):
        tags = set(DEFAULT_TAGS)
        for base in self._bases(test_class)[0]:
            tags = self.tags(base)
        for tag in test_class.tags:
            if tag.startswith("-"):
                tags.discard(tag[1:])
            else:
                tags.add(tag)
        return tags


def _read_class(node, file):
    tags = []
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and _name(decorator.func) == "tagged":
            tags += [
                argument.value for argument in decorator.args if isinstance(argument, ast.Constant)
            ]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    methods = [
        item.name
        for item in node.body
        if isinstance(item, functions) and item.name.startswith("test_")
    ]
    return TestClass(
        node.name,
        file,
        bases=[_name(base) for base in node.bases],
        tags=tags,
        methods=methods,
        opens_browser=any(
            isinstance(part, ast.Attribute) and part.attr in BROWSER for part in ast.walk(node)
        ),
    )


def _name(expression):
    return (
        expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")
    )
