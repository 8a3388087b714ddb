"""Merge an exported .pot into the add-on's files, or compare with them. fr_FR.po, the words of
France, is written from fr.po by the rules of ``typography.py``.

./dev i18n starts this very file with the tools' Python, which has polib::

    python po_files.py (write|check) EXPORTED.pot MODULE.pot LANGUAGE.po …
"""

import sys
from pathlib import Path

import polib
import typography

DATES = ("POT-Creation-Date", "PO-Revision-Date")
WIDTH = 0  # never wrap: a wrapped line would change with every word


def load(path):
    return polib.pofile(str(path), wrapwidth=WIDTH, encoding="utf-8")


def content(catalogue):
    """What makes two catalogues the same: everything but the dates of the export."""
    header = {name: value for name, value in catalogue.metadata.items() if name not in DATES}
    return header, [str(entry) for entry in catalogue]


def same(path, catalogue):
    return path.exists() and content(load(path)) == content(catalogue)


def merged(path, template):
    """The translations of ``path`` in the template's order; vanished ones last, as obsolete."""
    catalogue = load(path) if path.exists() else polib.POFile(wrapwidth=WIDTH, encoding="utf-8")
    if not catalogue.metadata:
        catalogue.metadata = {**template.metadata, "Language": path.stem}
    catalogue.header = template.header
    catalogue.merge(template)
    for entry in catalogue:
        entry.msgstr = typography.corrected(entry.msgstr)
    for entry in [entry for entry in catalogue.obsolete_entries() if not entry.msgstr]:
        catalogue.remove(entry)
    order = {(entry.msgctxt, entry.msgid): number for number, entry in enumerate(template)}
    catalogue.sort(key=lambda entry: (entry.obsolete, order.get((entry.msgctxt, entry.msgid), 0)))
    return catalogue


def of_france(path):
    """What ``path`` (fr.po) says otherwise in France, for fr_FR.po: written by rules, never by
    hand."""
    catalogue = load(path)
    here = polib.POFile(wrapwidth=WIDTH, encoding="utf-8")
    here.metadata = {**catalogue.metadata, "Language": "fr_FR"}
    here.header = catalogue.header
    for entry in catalogue:
        if not entry.obsolete and typography.of_france(entry.msgstr) != entry.msgstr:
            entry.msgstr = typography.of_france(entry.msgstr)
            here.append(entry)
    return here


def defects(path, template):
    if not path.exists():
        return [f"{path.name} is missing"]
    catalogue = load(path)
    known = {(entry.msgctxt, entry.msgid) for entry in catalogue if not entry.obsolete}
    wanted = [entry for entry in template if (entry.msgctxt, entry.msgid) not in known]
    problems = [f"{path.name} lacks: {entry.msgid!r}" for entry in wanted]
    problems += [
        f"{path.name}, no translation: {e.msgid!r}" for e in catalogue.untranslated_entries()
    ]
    problems += [f"{path.name}, fuzzy: {entry.msgid!r}" for entry in catalogue.fuzzy_entries()]
    for entry in catalogue.translated_entries():
        if typography.corrected(entry.msgstr) != entry.msgstr:
            problems.append(f"{path.name}, typography (./dev i18n mends it): {entry.msgstr!r}")
        if places := typography.elisions(entry.msgstr):
            problems.append(f"{path.name}, a name after {places}: {entry.msgstr!r}")
    return problems


def main(mode, exported, template_path, *languages):
    template = load(exported)
    if mode == "write":
        for path, catalogue in [(template_path, template)] + [
            (path, merged(path, template)) for path in languages
        ]:
            if not same(path, catalogue):
                catalogue.save(str(path), newline="\n")
            translated = len(catalogue.translated_entries())
            if path.stem == "fr":
                of_france(path).save(str(path.with_stem("fr_FR")), newline="\n")
            total = len([entry for entry in catalogue if not entry.obsolete])
            print(
                f"  {path.name}: {total} terms"
                + (f", {translated} translated" * (path in languages))
            )
        return 0
    problems = [] if same(template_path, template) else [f"{template_path.name} is stale"]
    for path in languages:
        problems += defects(path, template)
        if path.stem == "fr" and not same(path.with_stem("fr_FR"), of_france(path)):
            problems.append("fr_FR.po is stale")
    for problem in problems[:50]:
        print(f"  {problem}")
    if problems:
        print(f"  {len(problems)} problems; ./dev i18n updates the files, translating is yours.")
        return 1
    print(f"  {len(template)} terms, all translated.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(Path, sys.argv[2:])))
