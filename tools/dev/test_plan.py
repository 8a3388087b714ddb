"""Which tests a selection ought to run, read from the source without importing it.

Odoo reports "0 failed" as happily for no tests as for a thousand. Knowing beforehand
what must run turns a forgotten import in tests/__init__.py, or a selection that
matches nothing, into a failure.
"""

import ast
import re
from dataclasses import dataclass, field

# [-][tag][/module or /path/to/file.py][:Class][.method][[parameters]]: odoo/tests/tag_selector.py
SPEC = re.compile(r"^([+-]?)(\*|\w*)(/[\w/.-]+\.py)?(?:/(\w+))?(?::(\w*))?(?:\.(\w*))?(?:\[.*\])?$")
DEFAULT_TAGS = frozenset({"standard", "at_install"})


@dataclass
class TestClass:
    """One class of a test file, before its bases are looked up."""

    name: str
    file: str
    bases: list
    tags: list
    methods: list


@dataclass(frozen=True)
class Test:
    """One test as Odoo's log names it: ``logger`` is its module, ``name`` its Class.method."""

    logger: str
    name: str
    file: str = field(compare=False)
    tags: frozenset = field(compare=False)

    @property
    def class_path(self):
        return f"{self.logger}.{self.name.partition('.')[0]}"


def collect(addon):
    """Every test of an add-on's folder."""
    classes = {}
    for path in sorted((addon / "tests").glob("test_*.py")) + sorted(
        (addon / "tests").glob("common*.py")
    ):
        for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
            if isinstance(node, ast.ClassDef):
                classes[node.name] = _read_class(node, path.name)
    found = set()
    for test_class in classes.values():
        if not test_class.file.startswith("test_") or not _is_test_case(test_class, classes):
            continue
        logger = f"odoo.addons.{addon.name}.tests.{test_class.file.removesuffix('.py')}"
        file = f"/{addon.name}/tests/{test_class.file}"
        tags = frozenset(_tags(test_class, classes)) | {addon.name}
        found |= {
            Test(logger, f"{test_class.name}.{name}", file, tags)
            for name in _methods(test_class, classes)
        }
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
    return TestClass(node.name, file, [_name(base) for base in node.bases], tags, methods)


def _name(expression):
    return (
        expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")
    )


def _is_test_case(test_class, classes):
    """A class is run when it derives from one of Odoo's test cases; a bare mixin is not."""
    known = [classes.get(base) for base in test_class.bases]
    return any(base is None or _is_test_case(base, classes) for base in known)


def _methods(test_class, classes):
    inherited = [_methods(classes[base], classes) for base in test_class.bases if base in classes]
    return set(test_class.methods).union(*inherited)


def _tags(test_class, classes):
    tags = set(DEFAULT_TAGS)
    for base in test_class.bases:
        if base in classes:
            tags = _tags(classes[base], classes)
    for tag in test_class.tags:
        if tag.startswith("-"):
            tags.discard(tag[1:])
        else:
            tags.add(tag)
    return tags
