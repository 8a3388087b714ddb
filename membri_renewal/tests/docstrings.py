"""How the docstrings of this project are written: a rule that ``test_house.py`` asks of the add-on,
and ``./dev lint`` of every source, by running this file with the folders to read. It needs no Odoo.
"""

import ast
import re
import sys
from pathlib import Path

FIELD = re.compile(r":(param|return|raises)\b")


def check(tree):
    """The fields of a docstring are a list of their own, as reStructuredText reads them: a blank
    line stands before it, and what continues a field is indented. (Where a field is all there is,
    its indent is taken for that of the docstring: on more than one line, it begins with “Return”.)

    :param tree: of the syntax of a file
    :return: how many fields there are, and the functions and classes (nodes) that break the rule"""
    found, wrong = 0, []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        before = None
        for line in (ast.get_docstring(node) or "").split("\n"):
            field = FIELD.match(line)
            found += bool(field)
            is_inside = before is not None and FIELD.match(before)
            if (is_inside and not field and line[:1].strip()) or (
                field and before and before[:1].strip() and not is_inside
            ):
                wrong.append(node)
                break
            if field or not line[:1].isspace():  # an indented line belongs to its field
                before = line
    return found, wrong


def main(folders):
    """:return: what is to be said of the sources in ``folders``, or ``None``"""
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    complaints = [
        f"{path}:{node.lineno}: docstring of {node.name}: a blank line stands before its fields, "
        "and what continues one is indented; one that stands alone has a single line"
        for path in paths
        for node in check(ast.parse(path.read_text(encoding="utf-8")))[1]
    ]
    if not paths:
        return "no sources to read"
    return "\n".join(complaints) or None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
