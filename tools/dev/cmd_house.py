"""Draw the rooms of models/ and who calls whom, read off the sources, as docs/architecture.md
shows it, and count. A call belongs to the room that alone defines a method of that name. With
--check the command fails when the picture in the document is another one.
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
# an arrow of fewer calls is left out of the picture, and counted below it
FEWEST_CALLS = 3


def add_arguments(parser):
    parser.add_argument("--check", action="store_true", help="only compare with the document")


def main(options):
    models = odoo.addons_path() / odoo.MODULE / "models"
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(models.rglob("*.py"))}
    rooms = {path: _get_room(path.relative_to(models)) for path in trees}
    picture = _draw(_count_calls(trees, rooms), rooms)
    document = cache.REPO / "docs" / "architecture.md"
    text = document.read_text("utf-8")
    before, _start, rest = text.partition(START)
    old, _end, after = rest.partition(END)
    say(picture)
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
    """:return: a Mermaid picture and a line of counts, as Markdown"""
    files, lines = Counter(), Counter()
    for path, room in rooms.items():
        if path.name != "__init__.py":
            files[room] += 1
            lines[room] += len(path.read_text("utf-8").splitlines())
    nodes = [
        f'    {room}["{room}<br/>{files[room]} files, {lines[room]} lines"]'
        for room in sorted(files)
    ]
    shown = {
        arrow: count
        for arrow, count in sorted(calls.items())
        if FLOOR not in arrow and count >= FEWEST_CALLS
    }
    arrows = [f"    {caller} -->|{count}| {callee}" for (caller, callee), count in shown.items()]
    rest = sum(calls.values()) - sum(shown.values())
    return (
        "```mermaid\nflowchart TD\n"
        + "\n".join([*nodes, *arrows])
        + f"\n```\n\n{sum(files.values())} files in {len(files) - 1} rooms and {BESIDE} them, "
        f"{sum(lines.values())} lines, {len(shown)} arrows. Not drawn: the {rest} calls of "
        f"`{FLOOR}/` and of arrows of fewer than {FEWEST_CALLS} calls.\n"
    )
