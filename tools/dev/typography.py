"""French as Québec prints it: apostrophes, spaces that do not break, and no word that would have
to be elided before a name.

``po_files.py`` corrects what a rule can correct, and refuses what only a translator can.
"""

import re

NBSP = "\u00a0"
# What is not prose: markup, what is filled in, addresses.
CODE = re.compile(
    r"(<[^>]*>|%\(\w+\)[sd]|%[sd]|&\w+;|\{\{.*?\}\}|https?://\S+)",
    re.DOTALL,
)
RULES = [
    (re.compile(r"(?<=\w)'(?=\w)"), "’"),
    (
        re.compile(r"(?<=\bqu)'$|(?<=\b[cdjlmnst])'$", re.IGNORECASE),
        "’",
    ),  # before what is filled in
    (re.compile(r"[ \u202f]:(?=\s|$)"), NBSP + ":"),
    (re.compile(r"[ \u00a0\u202f]+(?=[;!?])"), ""),
    (re.compile(r"«[ \u202f]?(?!\u00a0)"), "«" + NBSP),
    (re.compile(r"(?<!\u00a0)[ \u202f]?»"), NBSP + "»"),
    (re.compile(r"(?<=\d)[ \u202f](?=[%$])"), NBSP),
    (re.compile(r"^ (?=[%$](?!\w|\())"), NBSP),  # “%(share)s %”
    (re.compile(r"\.\.\."), "…"),
]
# Numbers, amounts, days and the numbers of terms may follow *de* or *à*; a name may begin with a
# vowel, or want an article.
NUMBERS = (
    r"start|today|date|day|cotisation|amount|total|old|new|count|days|min|max|percent|share|first|last|rest"
    r"|paid|due|part|number"
)
BEFORE_NAME = re.compile(rf"(?i)\b(?:de|du|que)\s+%\((?!(?:\w*_)?(?:{NUMBERS})\w*\))\w+\)s")


def corrected(text):
    """:return: ``text`` with the typography that a rule can correct"""
    parts = CODE.split(text)
    for number in range(0, len(parts), 2):
        for pattern, replacement in RULES:
            parts[number] = pattern.sub(replacement, parts[number])
    return "".join(parts)


def elisions(text):
    """Return the places (a list of texts) where *de*, *du* or *que* stands before a name that is
    filled in."""
    return BEFORE_NAME.findall(text)


# France says some things in another way. Odoo reads fr.po, then fr_FR.po over it.
FRANCE = [
    (re.compile(r"\b([LlDd])e courriel\b"), r"\1’e-mail"),
    (re.compile(r"\bdu courriel\b"), "de l’e-mail"),
    (re.compile(r"\bau courriel\b"), "à l’e-mail"),
    (re.compile(r"\b([Cc])e courriel\b"), r"\1et e-mail"),
    (re.compile(r"\bde courriel\b"), "d’e-mail"),
    (re.compile(r"\bcourriel(s?)\b"), r"e-mail\1"),
    (re.compile(r"\bCourriel(s?)\b"), r"E-mail\1"),
    (re.compile(r"\bTotal, taxes comprises\b"), "Total TTC"),
    (re.compile(r"\b[Tt]axes comprises\b"), "TTC"),
    (re.compile(r"\bavant taxes\b"), "hors taxes"),
    (re.compile(r"\bAvant taxes\b"), "Hors taxes"),
    (re.compile(r"\bArgent comptant\b"), "Espèces"),
    (re.compile(r"\b([Cc])ommuniquez avec nous\b"), r"\1ontactez-nous"),
    (re.compile(r"\bcommuniquerons avec vous\b"), "vous contacterons"),
    (re.compile(r"\bcommuniquera avec vous\b"), "vous contactera"),
    (re.compile(r"\bcommuniquer avec nous\b"), "nous contacter"),
    (re.compile(r"\b([Cc])ommuniquez avec la\b"), r"\1ontactez la"),
    # after a word, or after what is filled in
    (re.compile(r"(?<=[^\s?!;])(?=[?!;](?:\s|$))|^(?=[?!;](?:\s|$))"), NBSP),
]


def of_france(text):
    """:return: ``text``, of Québec, with the words of France, and its space before ; ! ?"""
    parts = CODE.split(text)
    for number in range(0, len(parts), 2):
        for pattern, replacement in FRANCE:
            parts[number] = pattern.sub(replacement, parts[number])
    return "".join(parts)
