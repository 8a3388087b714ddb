"""Count the rooms of models/, and draw in docs/architecture.md which calls which, read off the
sources. A call belongs to the room that alone defines a method of that name. With --check the
document is only compared, and the command fails when it shows another picture.
"""

import ast
from collections import Counter, defaultdict

from . import cache, odoo
from .report import say

HELP = "draw the rooms of models/ and count, or --check the picture in docs/architecture.md"
START, END = "<!-- ./dev house -->\n", "<!-- end of ./dev house -->\n"
# models of Odoo and small ones of our own, one file each
BESIDE = "beside"
# every room stands on this one: its arrows would hide the others
FLOOR = "mixins"
# an arrow of fewer calls is left out of the picture
FEWEST_CALLS = 3


def add_arguments(parser):
    parser.add_argument("--check", action="store_true", help="only compare with the document")


def main(options):
    models = odoo.addons_path() / odoo.MODULE / "models"
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(models.rglob("*.py"))}
    rooms = {path: _get_room(path.relative_to(models)) for path in trees}
    calls = _count_calls(trees, rooms)
    picture = _draw(calls, rooms)
    _tell_counts(calls, rooms)
    document = cache.REPO / "docs" / "architecture.md"
    text = document.read_text("utf-8")
    before, _start, rest = text.partition(START)
    old, _end, after = rest.partition(END)
    if old == picture:
        return 0
    if options.check:
        say("docs/architecture.md shows another picture: run ./dev house.")
        return 1
    document.write_text(before + START + picture + END + after, "utf-8")
    return 0


def _get_room(path):
    return path.parts[0] if len(path.parts) > 1 else BESIDE


def _count_calls(trees, rooms):
    """:return: ``{(room that calls, room that is called): how often}``"""
    defined = defaultdict(set)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                defined[node.name].add(rooms[path])
    calls = Counter()
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owners = defined.get(node.func.attr, ())
                if len(owners) == 1 and rooms[path] not in owners:
                    calls[rooms[path], *owners] += 1
    return calls


def _draw(calls, rooms):
    """:return: a Mermaid picture, as Markdown"""
    nodes = [f"    {room}" for room in sorted(set(rooms.values()) - {FLOOR})]
    arrows = [
        f"    {caller} --> {callee}"
        for (caller, callee), count in sorted(calls.items())
        if FLOOR not in (caller, callee) and count >= FEWEST_CALLS
    ]
    return "```mermaid\nflowchart TD\n" + "\n".join([*nodes, *arrows]) + "\n```\n"


def _tell_counts(calls, rooms):
    files, lines = Counter(), Counter()
    for path, room in rooms.items():
        if path.name != "__init__.py":
            files[room] += 1
            lines[room] += len(path.read_text("utf-8").splitlines())
    for room in sorted(files):
        called = ", ".join(
            f"{callee} {count}"
            for (caller, callee), count in sorted(calls.items())
            if caller == room
        )
        say(f"  {room}: {files[room]} files, {lines[room]} lines; calls {called or 'none'}")
    say(f"  {sum(files.values())} files in {len(files)} rooms, {sum(lines.values())} lines")
