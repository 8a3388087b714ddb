"""Write README.rst and static/description/index.html of an add-on from its readme/ and manifest, or
compare them (--check). Run by ``./dev readme`` in the environment that has docutils.

The fragments are those of OCA's oca-gen-addon-readme, so that it can take over.
"""

import argparse
import ast
import re
import sys
import xml.etree.ElementTree as ET
from html import escape
from pathlib import Path

from docutils.core import publish_parts
from docutils.utils import SystemMessage

# (fragment, heading) in OCA's order; the text of the first one stands under the title.
FRAGMENTS = [
    ("DESCRIPTION", None),
    ("CONTEXT", "Use Cases / Context"),
    ("INSTALL", "Installation"),
    ("CONFIGURE", "Configuration"),
    ("USAGE", "Usage"),
    ("ROADMAP", "Known issues / Roadmap"),
]
NEEDED = {"DESCRIPTION", "CONTRIBUTORS"}
KEYS = ["name", "summary", "version", "category", "author", "maintainers", "website", "license"]
KEYS += ["development_status", "images", "depends"]
STATUSES = ["Alpha", "Beta", "Production/Stable", "Mature"]
PICTURES = "../static/description/"
PICTURE = re.compile(rf"{re.escape(PICTURES)}([\w.-]+)")
SETTINGS = {
    "initial_header_level": 2,
    "doctitle_xform": False,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "smart_quotes": False,
    "report_level": 5,
    "halt_level": 2,  # a warning is an error
}
NOTE = """\
..
   Written by ./dev readme from readme/ and __manifest__.py: change those.
"""
PAGE = """\
<!-- Written by ./dev readme from readme/ and __manifest__.py: change those. -->
<section class="oe_container">
<div class="container py-4">
<h1>{name}</h1>
<p class="lead">{summary}</p>
<p><img class="img-fluid" style="max-width: 100%" src="{banner}" alt="{name}" /></p>
{body}
</div>
</section>
"""
# What docutils calls its parts, in the words of the style sheets that Odoo's pages have.
CLASSES = {
    "h2": "mt-4",
    "figure": "figure d-block my-3",
    "figcaption": "figure-caption",
    "img": "img-fluid border",
}


class Wrong(Exception):
    """What is wrong with an add-on, in a sentence."""


def read_manifest(addon):
    data = ast.literal_eval((addon / "__manifest__.py").read_text(encoding="utf-8"))
    if missing := [key for key in KEYS if not data.get(key)]:
        raise Wrong(f"its manifest has no {', '.join(missing)}")
    if data["development_status"] not in STATUSES:
        raise Wrong(f"its development_status must be one of {', '.join(STATUSES)}")
    if missing := [image for image in data["images"] if not (addon / image).is_file()]:
        raise Wrong(f"{', '.join(missing)} is in its manifest, but not there")
    return data


def read_fragments(addon):
    names = [name for name, _heading in FRAGMENTS] + ["CONTRIBUTORS", "CREDITS"]
    found = {path.stem: path for path in (addon / "readme").glob("*")}
    if missing := NEEDED - found.keys():
        raise Wrong(f"readme/ has no {', '.join(f'{name}.rst' for name in sorted(missing))}")
    if unknown := [
        path.name for name, path in found.items() if name not in names or path.suffix != ".rst"
    ]:
        raise Wrong(f"readme/{unknown[0]} is none of the fragments: {', '.join(names)} (.rst)")
    return {name: path.read_text(encoding="utf-8").strip() for name, path in found.items()}


def heading(title, line="="):
    return f"{title}\n{line * len(title)}"


def write_body(data, fragments):
    """:return: (the sections that tell what it does, those that tell who made it), as texts"""
    sections = [
        "\n\n".join(filter(None, [title and heading(title), fragments[name]]))
        for name, title in FRAGMENTS
        if name in fragments
    ]
    credits = [
        heading("Bug Tracker"),
        f"Bugs are tracked on `the project's page <{data['website']}/issues>`_; how to report a "
        f"vulnerability is told in its `security policy <{data['website']}/security/policy>`_.",
        heading("Credits"),
        heading("Authors", "~"),
        "\n".join(f"* {author.strip()}" for author in data["author"].split(",")),
        heading("Contributors", "~"),
        fragments["CONTRIBUTORS"],
        *([heading("Other credits", "~"), fragments["CREDITS"]] if "CREDITS" in fragments else []),
        heading("Maintainers", "~"),
        "\n".join(f"* {maintainer}" for maintainer in data["maintainers"]),
    ]
    return "\n\n".join(sections), "\n\n".join(credits)


def write_readme(data, what, who):
    series = ".".join(data["version"].split(".")[:2])
    facts = "\n".join(
        [
            f":Odoo: {series}",
            f":Status: {data['development_status']}",
            f":License: {data['license']}",
            f":Project: {data['website']}",
        ]
    )
    line = "=" * len(data["name"])
    parts = [
        NOTE.rstrip(),
        f"{line}\n{data['name']}\n{line}",
        data["summary"] + ".",
        facts,
        what,
        who,
    ]
    readme = "\n\n".join(parts).replace(PICTURES, "static/description/") + "\n"
    publish(readme)
    return readme


def publish(text):
    """:return: the text as HTML
    :raises Wrong: what docutils does not like, as package indexes do not"""
    try:
        return publish_parts(text, writer="html5", settings_overrides=SETTINGS)["body"]
    except SystemMessage as error:
        raise Wrong(f"its readme is not well written: {error}") from error


def write_page(data, what, who):
    body = publish(f"{what}\n\n{who}\n".replace(PICTURES, ""))
    root = ET.fromstring(f"<div>{body}</div>")
    for element in root.iter():
        element.attrib.pop("id", None)
        element.attrib.pop("class", None)
        if element.tag in CLASSES:
            element.set("class", CLASSES[element.tag])
        if element.tag == "img":
            element.set("style", "max-width: 100%")
    html = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    banner = Path(data["images"][0]).name
    inner = html.removeprefix("<div>").removesuffix("</div>").strip()
    words = {name: escape(data[name]) for name in ("name", "summary")}
    return PAGE.format(**words, banner=banner, body=inner)


def produce(addon, screenshots):
    """:return: ``{path: content}`` of all that is made for an add-on"""
    data, fragments = read_manifest(addon), read_fragments(addon)
    what, who = write_body(data, fragments)
    made = {
        addon / "README.rst": write_readme(data, what, who).encode(),
        addon / "static/description/index.html": write_page(data, what, who).encode(),
    }
    for name in sorted(set(PICTURE.findall(what))):
        if (screenshots / name).is_file():
            made[addon / "static/description" / name] = (screenshots / name).read_bytes()
        elif not (addon / "static/description" / name).is_file():
            raise Wrong(f"there is no picture {name}")
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--screenshots", type=Path, required=True)
    parser.add_argument("addons", nargs="+", type=Path)
    options = parser.parse_args()
    problems = []
    for addon in options.addons:
        try:
            made = produce(addon, options.screenshots)
        except Wrong as wrong:
            problems.append(f"{addon.name}: {wrong}")
            continue
        for path, content in made.items():
            if path.is_file() and path.read_bytes() == content:
                continue
            if options.check:
                problems.append(f"{path.relative_to(addon.parent)} is not up to date: ./dev readme")
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                print(f"  {path.relative_to(addon.parent)}")
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
